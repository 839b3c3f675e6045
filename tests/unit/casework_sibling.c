/* Names that a person may not know of do not collide with theirs, and who knows of both finds both. */
#include "casework/sibling.h"
#include "tests/unit/casework_fixture.h"

static int classify(struct world *world, uint32_t uid, uint64_t node, int level, uint32_t marks)
{
    struct door_actor actor = world_actor(uid);
    struct door_class class = {.level = level,
                               .set_marks = true,
                               .marks = marks,
                               .approver = "王局",
                               .reason = "依据清单"};
    return door_classify(world->door, &actor, node, &class);
}

static int lower(struct world *world, uint64_t node)
{
    return classify(world, WORLD_SECOFF, node, CATALOG_PUBLIC, 0);
}

/* What uid is shown in the folder, names one a line in the order of the listing. */
static int add_name(void *context, const struct catalog_node *node)
{
    sr_buf_format(context, "%s\n", node->name);
    return 0;
}

static void assert_listing(struct world *world, uint32_t uid, const char *folder,
                           const char *expected)
{
    struct door_actor actor = world_actor(uid);
    struct catalog_node node;
    struct sr_buf names = {0};
    assert_int_equal(world_find(world, uid, folder, &node), 0);
    assert_int_equal(door_readdir(world->door, &actor, node.id, 0, add_name, &names), 0);
    assert_string_equal(names.len > 0 ? names.data : "", expected);
    sr_buf_free(&names);
}

static void assert_reads(struct world *world, uint32_t uid, const char *path, const char *expected)
{
    struct catalog_node node;
    uint8_t *data = NULL;
    size_t len = 0;
    if (world_find(world, uid, path, &node) < 0 || world_read(world, uid, node.id, &data, &len) < 0)
        fail_msg("%s: %s", path, sr_error_message());
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(data, expected, len);
    free(data);
}

static void assert_absent(struct world *world, uint32_t uid, const char *path)
{
    struct catalog_node node;
    assert_int_equal(world_find(world, uid, path, &node), SR_ERR_NOT_FOUND);
}

static void put_as(struct world *world, uint32_t uid, const char *path, const char *text,
                   struct catalog_node *node)
{
    int status = world_put(world, uid, path, text, strlen(text), node);
    if (status < 0)
        fail_msg("%s: %s", path, sr_error_message());
}

/* The officer's record is above the clearance of the other, who sends one of the same name. */
static void test_an_upload_is_its_own(void **state)
{
    struct world *world = *state;
    struct catalog_node first, second;
    clear_for(world, "zhang", CATALOG_INTERNAL);
    put(world, STAGE "/现场.mp4", "first", &first);
    assert_int_equal(classify(world, WORLD_OFFICER, first.id, CATALOG_INTERNAL, 0), 0);
    assert_listing(world, WORLD_OFFICER2, STAGE, "");
    assert_absent(world, WORLD_OFFICER2, STAGE "/现场.mp4");
    put_as(world, WORLD_OFFICER2, STAGE "/现场.mp4", "second", &second);
    assert_int_equal(second.instance, 1);
    /* Each finds their own under the plain name; who may know of both, both. */
    assert_listing(world, WORLD_OFFICER2, STAGE, "现场.mp4\n");
    assert_reads(world, WORLD_OFFICER2, STAGE "/现场.mp4", "second");
    assert_absent(world, WORLD_OFFICER2, STAGE "/现场〔同名1〕.mp4");
    assert_absent(world, WORLD_OFFICER2, STAGE "/现场〔同名2〕.mp4");
    assert_listing(world, WORLD_OFFICER, STAGE, "现场.mp4\n现场〔同名2〕.mp4\n");
    assert_reads(world, WORLD_OFFICER, STAGE "/现场.mp4", "first");
    assert_reads(world, WORLD_OFFICER, STAGE "/现场〔同名2〕.mp4", "second");
    assert_absent(world, WORLD_OFFICER, STAGE "/现场〔同名1〕.mp4");
    assert_absent(world, WORLD_OFFICER, STAGE "/现场〔同名02〕.mp4");
    assert_absent(world, WORLD_OFFICER, STAGE "/现场〔同名2〕");
    /* A second one of the same person is refused, as before. */
    assert_int_equal(world_put(world, WORLD_OFFICER2, STAGE "/现场.mp4", "x", 1, &second),
                     SR_ERR_EXISTS);
    assert_int_equal(world_put(world, WORLD_OFFICER, STAGE "/现场〔同名2〕.mp4", "x", 1, &second),
                     SR_ERR_EXISTS);
    /* Sealed, after a restart, and when both are for everybody. */
    assert_int_equal(world_find(world, WORLD_OFFICER2, STAGE "/现场.mp4", &second), 0);
    seal(world, &first);
    struct door_actor li = world_actor(WORLD_OFFICER2);
    assert_int_equal(door_seal(world->door, &li, second.id, 20000), 0);
    reopen(world);
    assert_reads(world, WORLD_OFFICER, STAGE "/现场.mp4", "first");
    assert_reads(world, WORLD_OFFICER2, STAGE "/现场.mp4", "second");
    assert_int_equal(lower(world, first.id), 0);
    assert_listing(world, WORLD_OFFICER2, STAGE, "现场.mp4\n现场〔同名2〕.mp4\n");
    assert_reads(world, WORLD_OFFICER2, STAGE "/现场.mp4", "first");
    assert_reads(world, WORLD_OFFICER2, STAGE "/现场〔同名2〕.mp4", "second");
    assert_int_equal(world_audit(world), 0);
}

static void test_paths_lead_back(void **state)
{
    struct world *world = *state;
    struct door_actor zhang = world_actor(WORLD_OFFICER), li = world_actor(WORLD_OFFICER2);
    struct catalog_node first, second;
    char *path, *text;
    put(world, STAGE "/a.txt", "first", &first);
    assert_int_equal(classify(world, WORLD_OFFICER, first.id, -1, CATALOG_MARK_PRIVACY), 0);
    put_as(world, WORLD_OFFICER2, STAGE "/a.txt", "second", &second);
    assert_int_equal(door_path(world->door, &zhang, second.id, &path), 0);
    assert_string_equal(path, "/" STAGE "/a〔同名2〕.txt");
    free(path);
    assert_int_equal(door_path(world->door, &li, second.id, &path), 0);
    assert_string_equal(path, "/" STAGE "/a.txt");
    free(path);
    /* The receipt names it as its sender finds it. */
    uint8_t *data;
    size_t len;
    assert_int_equal(world_read(world, WORLD_OFFICER2, CATALOG_RECEIPTS, &data, &len), 0);
    text = strndup((char *)data, len);
    assert_non_null(strstr(text, "/" STAGE "/a.txt\","));
    assert_null(strstr(text, "同名"));
    free(text);
    free(data);
}

/* What its sender may not know of any more is neither in their receipts nor in their notices. */
static void test_texts_forget(void **state)
{
    struct world *world = *state;
    struct catalog_node node;
    uint8_t *data;
    size_t len;
    clear_for(world, "zhang", CATALOG_INTERNAL);
    put_as(world, WORLD_OFFICER2, STAGE "/密件.txt", "x", &node);
    struct door_actor li = world_actor(WORLD_OFFICER2);
    assert_int_equal(door_seal(world->door, &li, node.id, 20000), 0);
    assert_int_equal(door_unlink(world->door, &li, node.parent, "密件.txt"), SR_ERR_SEALED);
    assert_notice(world, WORLD_OFFICER2, "密件.txt");
    assert_int_equal(classify(world, WORLD_OFFICER, node.id, CATALOG_INTERNAL, 0), 0);
    char *text = notice_of(world, WORLD_OFFICER2);
    assert_null(strstr(text, "密件"));
    free(text);
    assert_int_equal(world_read(world, WORLD_OFFICER2, CATALOG_RECEIPTS, &data, &len), 0);
    assert_null(memmem(data, len, "密件", strlen("密件")));
    free(data);
}

/* Folders as well: made, filled, removed. */
static void test_folders(void **state)
{
    struct world *world = *state;
    struct door_actor zhang = world_actor(WORLD_OFFICER), li = world_actor(WORLD_OFFICER2);
    struct catalog_node stage, first, second, file;
    clear_for(world, "zhang", CATALOG_INTERNAL);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    assert_int_equal(door_mkdir(world->door, &zhang, stage.id, "照片.1", &first), 0);
    put(world, STAGE "/照片.1/a.jpg", "first", &file);
    assert_int_equal(classify(world, WORLD_OFFICER, first.id, CATALOG_INTERNAL, 0), 0);
    assert_absent(world, WORLD_OFFICER2, STAGE "/照片.1");
    assert_int_equal(door_mkdir(world->door, &li, stage.id, "照片.1", &second), 0);
    put_as(world, WORLD_OFFICER2, STAGE "/照片.1/a.jpg", "second", &file);
    assert_reads(world, WORLD_OFFICER2, STAGE "/照片.1/a.jpg", "second");
    assert_reads(world, WORLD_OFFICER, STAGE "/照片.1/a.jpg", "first");
    assert_reads(world, WORLD_OFFICER, STAGE "/照片〔同名2〕.1/a.jpg", "second");
    assert_int_equal(door_mkdir(world->door, &li, stage.id, "照片.1", &second), SR_ERR_EXISTS);
    assert_int_equal(door_unlink(world->door, &li, file.parent, "a.jpg"), 0);
    assert_int_equal(door_rmdir(world->door, &li, stage.id, "照片.1"), 0); /* their own */
    assert_absent(world, WORLD_OFFICER2, STAGE "/照片.1");
    assert_reads(world, WORLD_OFFICER, STAGE "/照片.1/a.jpg", "first");
    /* A record under a folder's name, for one who does not know of the folder. */
    put_as(world, WORLD_OFFICER2, STAGE "/照片.1", "third", &file);
    assert_reads(world, WORLD_OFFICER2, STAGE "/照片.1", "third");
    assert_reads(world, WORLD_OFFICER, STAGE "/照片〔同名2〕.1", "third");
}

static void test_renames(void **state)
{
    struct world *world = *state;
    struct door_actor zhang = world_actor(WORLD_OFFICER), li = world_actor(WORLD_OFFICER2);
    struct catalog_node first, second;
    clear_for(world, "zhang", CATALOG_INTERNAL);
    put(world, STAGE "/a.txt", "first", &first);
    assert_int_equal(classify(world, WORLD_OFFICER, first.id, CATALOG_INTERNAL, 0), 0);
    put_as(world, WORLD_OFFICER2, STAGE "/b.txt", "second", &second);
    /* Onto a name that they may not know of: there is nothing to replace. */
    assert_int_equal(
        door_rename(world->door, &li, second.parent, "b.txt", second.parent, "a.txt", true), 0);
    assert_reads(world, WORLD_OFFICER2, STAGE "/a.txt", "second");
    assert_reads(world, WORLD_OFFICER, STAGE "/a.txt", "first");
    assert_reads(world, WORLD_OFFICER, STAGE "/a〔同名2〕.txt", "second");
    /* And away again. The other's is moved by its own name. */
    assert_int_equal(
        door_rename(world->door, &li, second.parent, "a.txt", second.parent, "B.txt", false), 0);
    assert_int_equal(
        door_rename(world->door, &li, second.parent, "B.txt", second.parent, "A.TXT", false), 0);
    assert_reads(world, WORLD_OFFICER, STAGE "/A.TXT", "second"); /* twins, but not for li */
    assert_int_equal(
        door_rename(world->door, &zhang, first.parent, "a.txt", first.parent, "A.txt", false),
        SR_ERR_NAME_TWIN);
    assert_reads(world, WORLD_OFFICER, STAGE "/a.txt", "first");
}

/* The form of the shown names is the store's. */
static void test_reserved(void **state)
{
    static const char *const reserved[] = {"a〔同名2〕.txt", "a〔同名1〕", "a〔同名4294967295〕.x"},
                             *const free_names[] = {
                                 "〔同名2〕.txt",   "a〔同名〕.txt",   "a〔同名x〕.txt",
                                 "a〔同名0〕.txt",  "a〔同名2.txt",    "a同名2.txt",
                                 "a〔同名2〕b.txt", "a〔同名02〕.txt", "a〔同名99999999999〕.txt"};
    struct world *world = *state;
    struct catalog_node node;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, STAGE "/%s", reserved[i]);
        assert_true(sibling_is_reserved(reserved[i]));
        assert_failed(world_put(world, WORLD_OFFICER, path, "x", 1, &node), SR_ERR_INVALID, "同名");
    }
    assert_notice(world, WORLD_OFFICER, "同名");
    for (size_t i = 0; i < sizeof free_names / sizeof free_names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, STAGE "/%s", free_names[i]);
        assert_false(sibling_is_reserved(free_names[i]));
        put(world, path, "x", &node);
    }
}

/* Names as long as names can be: what is shown fits, is found, and is one of each. */
static void test_long_names(void **state)
{
    struct world *world = *state;
    struct catalog_node first, second, found;
    struct sr_buf shown = {0};
    char path[512] = STAGE "/", name[CATALOG_NAME_MAX + 1];
    for (int i = 0; i < 83; i++)
        strcat(path, "长"); /* 249 bytes */
    strcat(path, ".mp4x");  /* and 5 */
    put(world, path, "first", &first);
    assert_int_equal(classify(world, WORLD_OFFICER, first.id, -1, CATALOG_MARK_PRIVACY), 0);
    put_as(world, WORLD_OFFICER2, path, "second", &second);
    struct door_actor zhang = world_actor(WORLD_OFFICER);
    assert_int_equal(door_getattr(world->door, &zhang, second.id, &found), 0);
    assert_true(strlen(found.name) <= CATALOG_NAME_MAX && strlen(found.name) > 250);
    assert_true(sr_utf8_valid(found.name, strlen(found.name)));
    assert_non_null(strstr(found.name, "〔同名2〕.mp4x"));
    strcpy(name, found.name);
    assert_int_equal(door_lookup(world->door, &zhang, second.parent, name, &found), 0);
    assert_int_equal(found.id, second.id);
    sr_buf_free(&shown);
}

/* Filing: a name that the archivist may not know of is no obstacle; one that they do is. */
static void test_filing(void **state)
{
    struct world *world = *state;
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST), zhang = world_actor(WORLD_OFFICER);
    struct catalog_node other, mine, target, found;
    put(world, STAGE "/a.txt", "first", &other);
    assert_int_equal(classify(world, WORLD_OFFICER, other.id, -1, CATALOG_MARK_PRIVACY), 0);
    put(world, "2026/案/05决定/a.txt", "second", &mine);
    seal(world, &mine);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &target), 0);
    assert_int_equal(door_record_file(world->door, &zhang, mine.id, target.id, NULL, "放错", true),
                     SR_ERR_EXISTS);
    assert_int_equal(
        door_record_file(world->door, &archivist, mine.id, target.id, NULL, "放错", true), 0);
    assert_reads(world, WORLD_ARCHIVIST, STAGE "/a.txt", "second");
    assert_reads(world, WORLD_OFFICER, STAGE "/a〔同名2〕.txt", "second");
    /* The stub at the old place tells each where they find it. */
    uint8_t *data;
    size_t len;
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案/05决定/a.txt", &found), 0);
    assert_int_equal(world_read(world, WORLD_OFFICER, found.id, &data, &len), 0);
    assert_non_null(memmem(data, len, "a〔同名2〕.txt", strlen("a〔同名2〕.txt")));
    free(data);
    assert_int_equal(world_read(world, WORLD_ARCHIVIST, found.id, &data, &len), 0);
    assert_null(memmem(data, len, "同名", strlen("同名")));
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_an_upload_is_its_own),
        TEST(test_paths_lead_back),
        TEST(test_texts_forget),
        TEST(test_folders),
        TEST(test_renames),
        TEST(test_reserved),
        TEST(test_long_names),
        TEST(test_filing),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
