/* 按对象, 按日期: who finds which subjects and days, and what in them, in both orders; names; where links lead; and that
 * nothing can be put there. */
#include "casework/cases.h"
#include "casework/gather.h"
#include "casework/gather_names.h"
#include "catalog/dump.h"
#include "tests/unit/casework_fixture.h"

#define CODE "91350100M000100Y43"

/* The names that uid is shown in a folder, sorted by the listing, each with a space behind it; and each is found by its
 * name, and by its id. */
struct view {
    struct world *world;
    uint32_t uid;
    uint64_t folder, last;
    size_t count;
    char names[8192];
};

static int view_one(void *context, const struct catalog_node *node)
{
    struct view *view = context;
    struct door_actor actor = world_actor(view->uid);
    struct catalog_node same;
    struct sr_buf target = {0};
    assert_true(node->id > view->last);
    assert_int_equal(node->parent, view->folder);
    assert_int_equal(door_lookup(view->world->door, &actor, view->folder, node->name, &same), 0);
    assert_int_equal(same.id, node->id);
    assert_int_equal(same.kind, node->kind);
    assert_int_equal(door_getattr(view->world->door, &actor, node->id, &same), 0);
    assert_int_equal(same.kind, node->kind);
    if (node->kind == CATALOG_KIND_LINK) {
        assert_int_equal(door_readlink(view->world->door, &actor, node->id, &target), 0);
        assert_int_equal(target.len, node->version.size);
        assert_int_equal(same.version.size, target.len);
        assert_int_equal(strncmp(target.data, "../../", 6), 0);
        assert_int_equal(world_find(view->world, view->uid, target.data + 6, &same), 0);
        assert_int_equal(same.id, node->id & ~GATHER_LINK_BIT);
        sr_buf_free(&target);
    } else {
        assert_int_equal(node->kind, CATALOG_KIND_GATHERED);
        assert_string_equal(same.name, node->name);
    }
    if (strlen(view->names) + strlen(node->name) + 2 < sizeof view->names)
        sprintf(view->names + strlen(view->names), "%s ", node->name);
    view->count++;
    view->last = node->id;
    return 0;
}

static struct view look(struct world *world, uint32_t uid, const char *path)
{
    struct view view = {.world = world, .uid = uid};
    struct door_actor actor = world_actor(uid);
    struct catalog_node folder;
    if (world_find(world, uid, path, &folder) < 0)
        return view;
    view.folder = folder.id;
    if (door_readdir(world->door, &actor, folder.id, 0, view_one, &view) < 0)
        fail_msg("%s: %s", path, sr_error_message());
    return view;
}

static void shows(struct world *world, uint32_t uid, const char *path, const char *names)
{
    struct view view = look(world, uid, path);
    if (strcmp(view.names, names) != 0)
        fail_msg("%s: \"%s\", not \"%s\"", path, view.names, names);
}

/* Has it this one? */
static bool has(struct world *world, uint32_t uid, const char *path, const char *name)
{
    struct view view = look(world, uid, path);
    char wanted[CATALOG_NAME_MAX + 3], all[8200];
    struct catalog_node node;
    char full[600];
    snprintf(wanted, sizeof wanted, " %s ", name);
    snprintf(all, sizeof all, " %s", view.names);
    snprintf(full, sizeof full, "%s/%s", path, name);
    bool listed = strstr(all, wanted) != NULL;
    assert_int_equal(world_find(world, uid, full, &node) == 0, listed);
    return listed;
}

static void label(struct world *world, uint64_t node, enum catalog_label which, const char *value)
{
    struct door_actor actor = world_actor(WORLD_OFFICER);
    struct door_label one = {.label = which, .value = value, .offset_ms = CATALOG_NO_OFFSET};
    if (door_record_label(world->door, &actor, node, &one, 1) < 0)
        fail_msg("%s: %s", value, sr_error_message());
}

static uint64_t make(struct world *world, const char *path, const char *subject)
{
    struct catalog_node node;
    put(world, path, path, &node);
    seal(world, &node);
    if (subject != NULL)
        label(world, node.id, CATALOG_LABEL_SUBJECT, subject);
    return node.id;
}

static void classify(struct world *world, uint32_t by, uint64_t node, int level)
{
    struct door_actor actor = world_actor(by);
    struct door_class class = {.level = level, .reason = "清单"};
    if (door_classify(world->door, &actor, node, &class) < 0)
        fail_msg("%s", sr_error_message());
}

/* The tables are whole, and as a projection from the beginning makes them. */
static void checked(struct world *world)
{
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    struct sr_buf difference = {0};
    if (door_rebuild_check(world->door, &archivist, NULL, NULL, &difference) < 0)
        fail_msg("%s", sr_error_message());
    if (difference.len > 0)
        fail_msg("%s", difference.data);
    sr_buf_free(&difference);
    if (dump_check(door_catalog(world->door)) < 0)
        fail_msg("%s", sr_error_message());
}

/* Labelled, corrected, taken back; several in one label; of what is not sealed nothing. */
static void test_labels(void **state)
{
    struct world *world = *state;
    struct catalog_node loose;
    uint64_t a, b;
    shows(world, WORLD_OFFICER, "按对象", "");
    a = make(world, STAGE "/a.mp4", CODE);
    b = make(world, STAGE "/b.txt", NULL);
    put(world, STAGE "/c.txt", "c", &loose);
    shows(world, WORLD_OFFICER, "按对象", CODE " ");
    shows(world, WORLD_OFFICER, "按对象/" CODE, "案 a.mp4 ");
    label(world, b, CATALOG_LABEL_SUBJECT, CODE "；某公司");
    shows(world, WORLD_OFFICER, "按对象/" CODE, "案 a.mp4 b.txt ");
    shows(world, WORLD_OFFICER, "按对象/某公司", "案 b.txt ");
    label(world, b, CATALOG_LABEL_SUBJECT, "某公司");
    shows(world, WORLD_OFFICER, "按对象/" CODE, "案 a.mp4 ");
    label(world, a, CATALOG_LABEL_SUBJECT, "");
    assert_false(has(world, WORLD_OFFICER, "按对象", CODE));
    shows(world, WORLD_OFFICER, "按对象", "某公司 ");
    label(world, b, CATALOG_LABEL_SUBJECT,
          CODE ";某公司"); /* the first that bore it does no more */
    assert_true(has(world, WORLD_OFFICER, "按对象", CODE));
    shows(world, WORLD_OFFICER, "按对象/" CODE, "案 b.txt ");
    label(world, b, CATALOG_LABEL_SUBJECT, "某公司");
    label(world, a, CATALOG_LABEL_SUBJECT, CODE);
    assert_true(has(world, WORLD_OFFICER, "按对象", CODE));
    checked(world);
    reopen(world);
    shows(world, WORLD_OFFICER, "按对象/" CODE, "案 a.mp4 ");
    shows(world, WORLD_OFFICER, "按对象/某公司", "案 b.txt ");
    checked(world);
    assert_int_equal(world_audit(world), 0);
}

static void test_days(void **state)
{
    struct world *world = *state;
    uint64_t a = make(world, STAGE "/a.mp4", NULL), b = make(world, STAGE "/b.mp4", NULL);
    shows(world, WORLD_OFFICER, "按日期", "");
    label(world, a, CATALOG_LABEL_CAPTURED, "2025-03-05 23:59");
    label(world, b, CATALOG_LABEL_CAPTURED, "2025-03-06 00:00");
    shows(world, WORLD_OFFICER, "按日期", "2025-03-05 2025-03-06 ");
    shows(world, WORLD_OFFICER, "按日期/2025-03-05", "a.mp4 ");
    label(world, b, CATALOG_LABEL_CAPTURED, "2025-03-05 12:00");
    shows(world, WORLD_OFFICER, "按日期", "2025-03-05 ");
    shows(world, WORLD_OFFICER, "按日期/2025-03-05", "a.mp4 b.mp4 ");
    classify(world, WORLD_OFFICER, a, CATALOG_INTERNAL);
    shows(world, WORLD_OFFICER, "按日期/2025-03-05", "b.mp4 ");
    const char *none[] = {"2025-03-06", "2025-3-5", "2025-02-30", "x", "0"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_false(has(world, WORLD_OFFICER, "按日期", none[i]));
    reopen(world);
    shows(world, WORLD_OFFICER, "按日期/2025-03-05", "b.mp4 ");
}

/* A subject is there for whom one of its records is there, in whichever order they ask. */
static void test_who(void **state)
{
    struct world *world = *state;
    uint64_t a, b;
    clear_for(world, "zhang", CATALOG_INTERNAL);
    a = make(world, STAGE "/a.mp4", "甲");
    b = make(world, STAGE "/b.mp4", "甲;乙");
    shows(world, WORLD_OFFICER2, "按对象/甲", "案 a.mp4 b.mp4 ");
    classify(world, WORLD_OFFICER, b, CATALOG_INTERNAL);
    for (int i = 0; i < 2; i++) {
        assert_false(has(world, WORLD_OFFICER2, "按对象", "乙"));
        shows(world, WORLD_OFFICER2, "按对象/甲", "案 a.mp4 ");
        assert_true(has(world, WORLD_OFFICER, "按对象", "乙"));
        shows(world, WORLD_OFFICER, "按对象/甲", "案 a.mp4 b.mp4 ");
        shows(world, WORLD_OFFICER, "按对象/乙", "案 b.mp4 ");
    }
    struct door_actor li = world_actor(WORLD_OFFICER2);
    struct catalog_node node;
    struct sr_buf target = {0};
    assert_int_equal(door_getattr(world->door, &li, b | GATHER_LINK_BIT, &node), SR_ERR_NOT_FOUND);
    assert_int_equal(door_readlink(world->door, &li, b | GATHER_LINK_BIT, &target),
                     SR_ERR_NOT_FOUND);
    clear_for(world, "li", CATALOG_INTERNAL);
    assert_true(has(world, WORLD_OFFICER2, "按对象", "乙"));
    clear_for(world, "li", CATALOG_PUBLIC);
    classify(world, WORLD_OFFICER, a, CATALOG_INTERNAL);
    shows(world, WORLD_OFFICER2, "按对象", "");
    shows(world, WORLD_OFFICER2, "按对象/甲", "");
    /* Who sees no evidence, root among them; and who is nobody. */
    shows(world, WORLD_SUPERVISOR, "按对象", "");
    classify(world, WORLD_SECOFF, a, CATALOG_PUBLIC);
    shows(world, WORLD_SUPERVISOR, "按对象", "甲 ");
    const uint32_t none[] = {WORLD_SYSADMIN, WORLD_SECOFF, 0};
    for (size_t i = 0; i < 3; i++) {
        struct door_actor actor = world_actor(none[i]);
        shows(world, none[i], "按对象", "");
        assert_int_equal(world_find(world, none[i], "按对象/甲", &node), SR_ERR_NOT_FOUND);
        assert_int_equal(door_getattr(world->door, &actor, a | GATHER_LINK_BIT, &node),
                         SR_ERR_NOT_FOUND);
    }
    struct door_actor stranger = world_actor(WORLD_STRANGER);
    assert_int_equal(door_readdir(world->door, &stranger, CATALOG_BY_SUBJECT, 0, view_one, NULL),
                     SR_ERR_DENIED);
}

/* What one may not know of changes no name, no spelling. */
static void test_names(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, twin;
    char expected[600];
    clear_for(world, "zhang", CATALOG_INTERNAL);
    assert_int_equal(door_case_open(world->door, &officer, 2025, "旧案", &node), 0);
    make(world, STAGE "/a.mp4", "甲ABC");
    uint64_t other = make(world, "2025/旧案/02调查取证/A.mp4", "甲abc");
    shows(world, WORLD_OFFICER, "按对象", "甲ABC ");
    assert_int_equal(world_find(world, WORLD_OFFICER, "按对象/甲abc", &node), 0);
    shows(world, WORLD_OFFICER, "按对象/甲ABC", "案 旧案 a（案）.mp4 A（旧案）.mp4 ");
    uint64_t third = make(world, "2025/旧案/03审核/A.mp4", "甲abc");
    snprintf(expected, sizeof expected,
             "案 旧案 a（案）.mp4 A（旧案）〔同名%llu〕.mp4 A（旧案）〔同名%llu〕.mp4 ",
             (unsigned long long)other / 256, (unsigned long long)third / 256);
    shows(world, WORLD_OFFICER, "按对象/甲ABC", expected);
    classify(world, WORLD_OFFICER, other, CATALOG_INTERNAL);
    shows(world, WORLD_OFFICER2, "按对象/甲ABC", "案 旧案 a（案）.mp4 A（旧案）.mp4 ");
    classify(world, WORLD_OFFICER, third, CATALOG_INTERNAL);
    shows(world, WORLD_OFFICER2, "按对象/甲ABC", "案 a.mp4 ");
    shows(world, WORLD_OFFICER, "按对象/甲ABC", expected);
    /* The spelling is one of a record that one may know of. */
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/a.mp4", &node), 0);
    classify(world, WORLD_OFFICER, node.id, CATALOG_INTERNAL);
    shows(world, WORLD_OFFICER2, "按对象", "");
    classify(world, WORLD_SECOFF, other, CATALOG_PUBLIC);
    shows(world, WORLD_OFFICER2, "按对象", "甲abc ");
    shows(world, WORLD_OFFICER, "按对象", "甲ABC ");
    /* By either form it is the same folder. */
    assert_int_equal(world_find(world, WORLD_OFFICER, "按对象/甲ABC", &node), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER2, "按对象/甲ABC", &twin), 0);
    assert_int_equal(node.id, twin.id);
}

static void test_odd_subjects(void **state)
{
    static const char *const odd[][2] = {
        {"甲/乙*", "甲／乙＊"}, {".", "．"},
        {"..", "．．"},         {"a\tb", "a b"},
        {"末尾..", "末尾．．"}, {"c:\\d?\"<>|", "c：＼d？＂＜＞｜"},
    };
    struct world *world = *state;
    char text[400] = "", other[400];
    uint64_t node = make(world, STAGE "/a.mp4", NULL);
    for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++) {
        char path[300];
        label(world, node, CATALOG_LABEL_SUBJECT, odd[i][0]);
        snprintf(path, sizeof path, "%s ", odd[i][1]);
        shows(world, WORLD_OFFICER, "按对象", path);
    }
    /* Longer than a name: cut between characters, and still two. */
    for (int i = 0; i < 90; i++)
        strcat(text, "长");
    sprintf(other, "%s二", text);
    strcat(text, "一");
    label(world, node, CATALOG_LABEL_SUBJECT, text);
    make(world, STAGE "/b.mp4", other);
    struct view view = look(world, WORLD_OFFICER, "按对象");
    assert_int_equal(view.count, 2);
    assert_int_equal(strlen(view.names), 2 * (3 * 80 + 3 + 12 + 1));
    checked(world);
}

/* Refiled and from 待归案. */
static void test_moved(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, folder;
    char path[100], today[11];
    sr_time_local_date(world->door->io->now_ns(world->door->io), today);
    assert_int_equal(world_find(world, WORLD_OFFICER, "待归案/zhang", &folder), 0);
    snprintf(path, sizeof path, "待归案/zhang/%s/a.mp4", today);
    uint64_t id = make(world, path, "甲");
    shows(world, WORLD_OFFICER, "按对象/甲", "a.mp4 ");
    shows(world, WORLD_OFFICER2, "按对象", "");
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(
        door_record_file(world->door, &officer, id, folder.id, "新名.mp4", "归入", false), 0);
    shows(world, WORLD_OFFICER, "按对象/甲", "案 新名.mp4 ");
    shows(world, WORLD_OFFICER2, "按对象/甲", "案 新名.mp4 ");
    assert_int_equal(world_find(world, WORLD_OFFICER, "按对象/甲/新名.mp4", &node), 0);
    assert_int_equal(node.id, id);
    assert_int_equal(world_find(world, WORLD_OFFICER, "按对象/甲/案/02调查取证/新名.mp4", &node),
                     0);
    assert_int_equal(node.id, id);
}

static void test_fixed(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct catalog_node node, link;
    struct door_open_info info;
    struct door_file *file;
    const uint32_t who[] = {WORLD_OFFICER, WORLD_SUPERVISOR, 0};
    const char *folders[] = {"按对象", "按日期", "按对象/甲"};
    make(world, STAGE "/a.mp4", "甲");
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &node), 0);
    uint64_t stage = node.id;
    put(world, STAGE "/未.txt", "2", &node);
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++) {
            struct door_actor actor = world_actor(who[i]);
            assert_int_equal(world_find(world, WORLD_OFFICER, folders[k], &node), 0);
            uint64_t folder = node.id;
            assert_int_equal(door_mkdir(door, &actor, folder, "新", &node), SR_ERR_SEALED);
            assert_int_equal(door_create(door, &actor, folder, "x", false, &node, &file, &info),
                             SR_ERR_SEALED);
        }
    assert_notice(world, WORLD_OFFICER, "按对象/新");
    assert_notice(world, WORLD_OFFICER, "按标签自动汇集");
    struct door_actor officer = world_actor(WORLD_OFFICER);
    assert_int_equal(world_find(world, WORLD_OFFICER, "按对象/甲", &node), 0);
    uint64_t folder = node.id;
    assert_int_equal(door_lookup(door, &officer, folder, "a.mp4", &link), 0);
    assert_int_equal(door_unlink(door, &officer, folder, "a.mp4"), SR_ERR_SEALED);
    assert_int_equal(door_rmdir(door, &officer, CATALOG_BY_SUBJECT, "甲"), SR_ERR_SEALED);
    assert_int_equal(door_rename(door, &officer, folder, "a.mp4", stage, "x", false),
                     SR_ERR_SEALED);
    assert_int_equal(door_rename(door, &officer, stage, "未.txt", folder, "x", false),
                     SR_ERR_SEALED);
    assert_int_equal(
        door_rename(door, &officer, CATALOG_BY_SUBJECT, "甲", CATALOG_BY_SUBJECT, "乙", false),
        SR_ERR_SEALED);
    assert_int_equal(door_rename(door, &officer, CATALOG_ROOT, "按对象", CATALOG_ROOT, "x", false),
                     SR_ERR_FIXED);
    assert_int_equal(door_rmdir(door, &officer, CATALOG_ROOT, "按日期"), SR_ERR_FIXED);
    const uint64_t nodes[] = {CATALOG_BY_SUBJECT, CATALOG_BY_DAY, folder, link.id};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(
            door_refuse_mutation(door, &officer, nodes[i], "symlink", SR_ERR_UNSUPPORTED),
            SR_ERR_SEALED);
        assert_int_equal(door_set_mode(door, &officer, nodes[i], 0444), SR_ERR_SEALED);
    }
    assert_int_equal(door_open(door, &officer, link.id, true, true, &file, &info),
                     SR_ERR_NOT_FOUND);
    shows(world, WORLD_OFFICER, "按对象/甲", "案 a.mp4 ");
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/未.txt", &node), 0);
    assert_int_equal(world_audit(world), 0);
}

/* Listings that go on where they were left, over pages of the catalog. */
static int stop_at(void *context, const struct catalog_node *node)
{
    struct view *view = context;
    view->last = node->id;
    return ++view->count % 7 == 0;
}

static void test_many(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    char value[4000] = "";
    make(world, STAGE "/a.mp4", NULL);
    for (int i = 0; i < 300; i++)
        sprintf(value + strlen(value), "对象%d;", i);
    struct catalog_node node;
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/a.mp4", &node), 0);
    label(world, node.id, CATALOG_LABEL_SUBJECT, value);
    assert_int_equal(look(world, WORLD_OFFICER, "按对象").count, 300);
    struct view view = {.count = 0};
    int status;
    do {
        size_t before = view.count;
        status = door_readdir(world->door, &officer, CATALOG_BY_SUBJECT, view.last, stop_at, &view);
        assert_true(status == 0 || view.count == before + 7);
    } while (status == 1);
    assert_int_equal(status, 0);
    assert_int_equal(view.count, 300);
}

/* A folder that is large enough to be kept for a moment changes at once all the same. */
static void test_large_folder(void **state)
{
    struct world *world = *state;
    uint64_t last = 0;
    for (int i = 0; i < 20; i++) {
        char path[64];
        snprintf(path, sizeof path, STAGE "/%02d.txt", i);
        last = make(world, path, "甲");
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(look(world, WORLD_OFFICER2, "按对象/甲").count, 21);
        assert_true(has(world, WORLD_OFFICER2, "按对象/甲", "19.txt"));
        classify(world, WORLD_OFFICER, last, CATALOG_INTERNAL);
        assert_false(has(world, WORLD_OFFICER2, "按对象/甲", "19.txt"));
        assert_int_equal(look(world, WORLD_OFFICER2, "按对象/甲").count, 20);
        clear_for(world, "li", CATALOG_INTERNAL);
        assert_true(has(world, WORLD_OFFICER2, "按对象/甲", "19.txt"));
        clear_for(world, "li", CATALOG_PUBLIC);
        assert_false(has(world, WORLD_OFFICER2, "按对象/甲", "19.txt"));
        classify(world, WORLD_SECOFF, last, CATALOG_PUBLIC);
    }
    label(world, last, CATALOG_LABEL_SUBJECT, "乙");
    assert_int_equal(look(world, WORLD_OFFICER2, "按对象/甲").count, 20);
}

/* The pure function: long names, and names that look like ours. */
static void test_telling_apart(void **state)
{
    struct gather_item items[4] = {
        {.id = 256, .name = "a.mp4", .from = "案"},
        {.id = 512, .name = "a.mp4", .from = "案"},
        {.id = 768, .name = "a（案）.mp4", .from = "案"},
        {.id = 1024, .name = "a.mp4", .from = "b", .folder = true},
    };
    (void)state;
    assert_int_equal(gather_names(items, 4), 0);
    assert_string_equal(items[0].name, "a（案）〔同名1〕.mp4");
    assert_string_equal(items[1].name, "a（案）〔同名2〕.mp4");
    assert_string_equal(items[2].name, "a（案）.mp4");
    assert_string_equal(items[3].name, "a.mp4（b）");
    struct gather_item twins[2] = {{.id = 256}, {.id = 512}};
    for (int i = 0; i < 2; i++) {
        for (int k = 0; k < 83; k++)
            strcat(twins[i].name, "长");
        strcat(twins[i].name, ".mp4");
        for (int k = 0; k < 80; k++)
            strcat(twins[i].from, "案");
    }
    assert_int_equal(gather_names(twins, 2), 0);
    assert_string_not_equal(twins[0].name, twins[1].name);
    for (int i = 0; i < 2; i++) {
        assert_true(strlen(twins[i].name) <= CATALOG_NAME_MAX);
        assert_true(sr_utf8_valid(twins[i].name, strlen(twins[i].name)));
        assert_non_null(strstr(twins[i].name, "〕.mp4"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_labels),       TEST(test_days),
        TEST(test_who),          TEST(test_names),
        TEST(test_odd_subjects), TEST(test_moved),
        TEST(test_fixed),        TEST(test_many),
        TEST(test_large_folder), cmocka_unit_test(test_telling_apart)};
    return cmocka_run_group_tests(tests, prepare, tidy);
}
