/* 我的案件: who finds what in it, under which name, where it leads, and that it is the store's own. */
#include "casework/cases.h"
#include "casework/mine.h"
#include "tests/unit/casework_fixture.h"

/* What uid is shown, the names in order, each with a space behind it; and that each of them is found by
 * its name and by its id. */
struct view {
    struct world *world;
    uint32_t uid;
    char names[8192];
    size_t count;
    uint64_t last;
};

static int view_one(void *context, const struct catalog_node *node)
{
    struct view *view = context;
    struct door_actor actor = world_actor(view->uid);
    struct catalog_node same;
    assert_int_equal(node->kind, CATALOG_KIND_LINK);
    assert_int_equal(node->parent, CATALOG_MINE);
    assert_true(node->id > view->last);
    assert_int_equal(door_lookup(view->world->door, &actor, CATALOG_MINE, node->name, &same), 0);
    assert_int_equal(same.id, node->id);
    assert_int_equal(door_getattr(view->world->door, &actor, node->id, &same), 0);
    assert_string_equal(same.name, node->name);
    assert_int_equal(same.version.size, node->version.size);
    if (view->count < 8)
        sprintf(view->names + strlen(view->names), "%s ", node->name);
    view->count++;
    view->last = node->id;
    return 0;
}

static struct view look(struct world *world, uint32_t uid)
{
    struct door_actor actor = world_actor(uid);
    struct view view = {.world = world, .uid = uid};
    int status = door_readdir(world->door, &actor, CATALOG_MINE, 0, view_one, &view);
    if (status < 0)
        fail_msg("%s", sr_error_message());
    return view;
}

static void shows(struct world *world, uint32_t uid, const char *names)
{
    struct view view = look(world, uid);
    assert_string_equal(view.names, names);
}

static uint64_t open_case(struct world *world, uint32_t uid, int year, const char *name)
{
    struct door_actor actor = world_actor(uid);
    struct catalog_node node;
    int status = door_case_open(world->door, &actor, year, name, &node);
    if (status < 0)
        fail_msg("%s: %s", name, sr_error_message());
    return node.id;
}

static uint64_t id_of(struct world *world, const char *path)
{
    struct catalog_node node;
    assert_int_equal(world_find(world, WORLD_OFFICER, path, &node), 0);
    return node.id;
}

static void assign(struct world *world, uint32_t by, uint64_t node, uint32_t lead, uint32_t helper)
{
    struct door_actor actor = world_actor(by);
    int status =
        door_case_assign(world->door, &actor, node, &lead, 1, &helper, helper != 0, "分工");
    if (status < 0)
        fail_msg("%s", sr_error_message());
}

static void classify(struct world *world, uint32_t by, uint64_t node, int level)
{
    struct door_actor actor = world_actor(by);
    struct door_class class = {.level = level, .reason = "清单"};
    int status = door_classify(world->door, &actor, node, &class);
    if (status < 0)
        fail_msg("%s", sr_error_message());
}

/* A case comes and goes with its people, its unit and its level, and with the clearance of who looks. */
static void test_who(void **state)
{
    struct world *world = *state;
    uint32_t head = add_user(world, "boss", NULL, "head");
    uint64_t node = id_of(world, "2026/案");
    struct door_actor boss = world_actor(head);
    struct catalog_node root;
    shows(world, WORLD_OFFICER, "案 ");
    shows(world, WORLD_OFFICER2, "");
    assign(world, WORLD_OFFICER, node, WORLD_OFFICER, WORLD_OFFICER2);
    shows(world, WORLD_OFFICER2, "案 ");
    assert_int_equal(door_case_transfer(world->door, &boss, node, "执法二科", "移交"), 0);
    shows(world, WORLD_OFFICER, "案 ");
    shows(world, WORLD_OFFICER2, "案 ");
    clear_for(world, "li", CATALOG_INTERNAL);
    clear_for(world, "zhang", CATALOG_INTERNAL);
    classify(world, WORLD_OFFICER, node, CATALOG_INTERNAL);
    shows(world, WORLD_OFFICER2, "案 ");
    clear_for(world, "li", CATALOG_PUBLIC);
    shows(world, WORLD_OFFICER2, "");
    reopen(world);
    shows(world, WORLD_OFFICER, "案 ");
    shows(world, WORLD_OFFICER2, "");
    classify(world, WORLD_SECOFF, node, CATALOG_PUBLIC);
    shows(world, WORLD_OFFICER2, "案 ");
    assign(world, WORLD_OFFICER, node, WORLD_OFFICER2, 0);
    shows(world, WORLD_OFFICER, "");
    shows(world, WORLD_OFFICER2, "案 ");
    /* Who sees places and works on none; root; and who sees no places does not see the folder. */
    shows(world, WORLD_SYSADMIN, "");
    shows(world, WORLD_SUPERVISOR, "");
    shows(world, 0, "");
    assert_int_equal(world_find(world, 0, "我的案件", &root), 0);
    assert_int_equal(root.kind, CATALOG_KIND_MINE);
    boss = world_actor(WORLD_STRANGER);
    assert_int_equal(door_readdir(world->door, &boss, CATALOG_MINE, 0, view_one, NULL),
                     SR_ERR_DENIED);
}

static void test_names(void **state)
{
    static const char long_name[] =
        "这是一个很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长"
        "很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长很长的案件名";
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER), li = world_actor(WORLD_OFFICER2);
    struct catalog_node node;
    assert_in_range(strlen(long_name), CATALOG_NAME_MAX - 9, CATALOG_NAME_MAX);
    clear_for(world, "zhang", CATALOG_INTERNAL);
    uint64_t old = open_case(world, WORLD_OFFICER, 2025, "案");
    shows(world, WORLD_OFFICER, "案（2026） 案（2025） ");
    assert_int_equal(door_lookup(world->door, &officer, CATALOG_MINE, "案", &node),
                     SR_ERR_NOT_FOUND);
    assert_int_equal(door_lookup(world->door, &officer, CATALOG_MINE, "案（2024）", &node),
                     SR_ERR_NOT_FOUND);
    /* What one has no part in, or may not know of, does not change a name. */
    open_case(world, WORLD_OFFICER2, 2024, "案");
    shows(world, WORLD_OFFICER2, "案 ");
    assert_int_equal(door_lookup(world->door, &li, CATALOG_MINE, "案（2024）", &node),
                     SR_ERR_NOT_FOUND);
    assign(world, WORLD_OFFICER, old, WORLD_OFFICER, WORLD_OFFICER2);
    shows(world, WORLD_OFFICER2, "案（2025） 案（2024） ");
    classify(world, WORLD_OFFICER, old, CATALOG_INTERNAL);
    shows(world, WORLD_OFFICER2, "案 ");
    shows(world, WORLD_OFFICER, "案（2026） 案（2025） ");
    /* A name that looks like one of ours, and one that has no room for a year. */
    open_case(world, WORLD_OFFICER, 2026, "案（2025）x");
    shows(world, WORLD_OFFICER, "案（2026） 案（2025） 案（2025）x ");
    open_case(world, WORLD_OFFICER, 2026, long_name);
    open_case(world, WORLD_OFFICER, 2025, long_name);
    assert_int_equal(look(world, WORLD_OFFICER).count, 5); /* each is found by its name */
    for (size_t i = 0; i < 3; i++) {
        const char *none[] = {"", "（2026）", "丁"};
        assert_int_equal(door_lookup(world->door, &officer, CATALOG_MINE, none[i], &node),
                         SR_ERR_NOT_FOUND);
    }
}

static void test_where(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER), li = world_actor(WORLD_OFFICER2);
    struct door_actor root = world_actor(0);
    struct catalog_node link, node;
    struct sr_buf target = {0};
    uint64_t in = id_of(world, "2026/案");
    assert_int_equal(door_lookup(world->door, &officer, CATALOG_MINE, "案", &link), 0);
    assert_int_equal(door_readlink(world->door, &officer, link.id, &target), 0);
    assert_string_equal(target.data, "../2026/案");
    assert_int_equal(link.version.size, target.len);
    assert_int_equal(link.id, in | MINE_LINK_BIT);
    sr_buf_free(&target);
    /* By a path it is the case itself, and what lies in it. */
    assert_int_equal(id_of(world, "我的案件/案"), in);
    assert_int_equal(id_of(world, "我的案件/案/02调查取证"), id_of(world, STAGE));
    /* For nobody else, and nothing else is a link. */
    const struct door_actor *others[] = {&li, &root};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(door_getattr(world->door, others[i], link.id, &node), SR_ERR_NOT_FOUND);
        assert_int_equal(door_readlink(world->door, others[i], link.id, &target), SR_ERR_NOT_FOUND);
        assert_int_equal(target.len, 0);
    }
    assert_int_equal(door_readlink(world->door, &officer, in, &target), SR_ERR_INVALID);
    assert_int_equal(door_readlink(world->door, &officer, CATALOG_MINE, &target), SR_ERR_INVALID);
    for (unsigned more = 1; more < 256; more++) /* stages and drafts are no cases */
        assert_int_equal(door_getattr(world->door, &officer, link.id + more, &node),
                         SR_ERR_NOT_FOUND);
    assert_int_equal(door_readdir(world->door, &officer, link.id, 0, view_one, NULL),
                     SR_ERR_NOT_DIRECTORY);
}

/* Nothing is made, removed, renamed or changed in it, and 提示.txt says so. */
static void test_fixed(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_actor supervisor = world_actor(WORLD_SUPERVISOR);
    struct catalog_node link, node, sealed, loose;
    struct door_open_info info;
    struct door_file *file;
    uint64_t stage = id_of(world, STAGE);
    put(world, STAGE "/已.txt", "1", &sealed);
    seal(world, &sealed);
    put(world, STAGE "/未.txt", "2", &loose);
    assert_int_equal(door_lookup(door, &officer, CATALOG_MINE, "案", &link), 0);
    assert_int_equal(door_mkdir(door, &officer, CATALOG_MINE, "新", &node), SR_ERR_DENIED);
    assert_notice(world, WORLD_OFFICER, "我的案件/新");
    assert_notice(world, WORLD_OFFICER, "[place]");
    assert_int_equal(door_mkdir(door, &supervisor, CATALOG_MINE, "新", &node), SR_ERR_DENIED);
    assert_int_equal(door_create(door, &officer, CATALOG_MINE, "a.txt", false, &node, &file, &info),
                     SR_ERR_DENIED);
    assert_int_equal(door_unlink(door, &officer, CATALOG_MINE, "案"), SR_ERR_FIXED);
    assert_int_equal(door_rmdir(door, &officer, CATALOG_MINE, "案"), SR_ERR_NOT_DIRECTORY);
    assert_int_equal(door_rmdir(door, &officer, CATALOG_ROOT, "我的案件"), SR_ERR_FIXED);
    assert_int_equal(
        door_rename(door, &officer, CATALOG_ROOT, "我的案件", CATALOG_ROOT, "x", false),
        SR_ERR_FIXED);
    assert_int_equal(door_rename(door, &officer, CATALOG_MINE, "案", CATALOG_MINE, "x", false),
                     SR_ERR_FIXED);
    assert_int_equal(door_rename(door, &officer, CATALOG_MINE, "案", stage, "x", false),
                     SR_ERR_FIXED);
    assert_notice(world, WORLD_OFFICER, "[fixed_folder]");
    assert_int_equal(door_rename(door, &officer, stage, "未.txt", CATALOG_MINE, "x", false),
                     SR_ERR_DENIED);
    assert_int_equal(door_rename(door, &officer, stage, "未.txt", CATALOG_MINE, "案", false),
                     SR_ERR_DENIED);
    assert_int_equal(door_rename(door, &officer, stage, "已.txt", CATALOG_MINE, "x", false),
                     SR_ERR_SEALED);
    assert_int_equal(door_mkdir(door, &officer, stage, "夹", &node), 0);
    assert_int_equal(door_rename(door, &officer, stage, "夹", CATALOG_MINE, "夹", false),
                     SR_ERR_DENIED);
    assert_int_equal(door_set_mtime(door, &officer, link.id, 1), 0); /* as of folders: no effect */
    assert_int_equal(door_set_mode(door, &officer, link.id, 0444), 0);
    assert_int_equal(door_refuse_mutation(door, &officer, link.id, "setxattr", SR_ERR_UNSUPPORTED),
                     SR_ERR_UNSUPPORTED);
    assert_int_equal(
        door_refuse_mutation(door, &officer, CATALOG_MINE, "symlink", SR_ERR_UNSUPPORTED),
        SR_ERR_UNSUPPORTED);
    assert_int_equal(door_open(door, &officer, link.id, true, true, &file, &info),
                     SR_ERR_NOT_FOUND);
    assert_int_equal(door_truncate(door, &officer, link.id, NULL, 0), SR_ERR_NOT_FOUND);
    assert_failed(door_classify_text(door, &officer, CATALOG_MINE, "内部"), SR_ERR_INVALID,
                  "only a case");
    shows(world, WORLD_OFFICER, "案 ");
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/未.txt", &node), 0);
    assert_int_equal(world_audit(world), 0);
}

/* More than are looked up at once; and a listing that goes on where it was left. */
static void test_many(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_actor who = world_actor(WORLD_OFFICER2);
    uint64_t index = 0;
    pthread_mutex_lock(&world->door->lock);
    for (int i = 0; i < 599; i++) {
        char name[16];
        snprintf(name, sizeof name, "案%d", i);
        assert_int_equal(
            cases_append_case(world->door, i % 2 ? &who : &officer, 2026, name, false, &index), 0);
    }
    pthread_mutex_unlock(&world->door->lock);
    assert_int_equal(ledger_commit(world->ledger, index), 0);
    struct view view = look(world, WORLD_OFFICER);
    assert_int_equal(view.count, 301);
    view = look(world, WORLD_OFFICER2);
    assert_int_equal(view.count, 299);
    uint64_t last = view.last;
    view = (struct view){.world = world, .uid = WORLD_OFFICER2};
    assert_int_equal(
        door_readdir(world->door, &who, CATALOG_MINE, last - 2 * 256 - 1, view_one, &view), 0);
    assert_int_equal(view.count, 2); /* the other officer's lie between */
    assert_int_equal(door_readdir(world->door, &who, CATALOG_MINE, last, view_one, &view), 0);
    assert_int_equal(view.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_who), TEST(test_names), TEST(test_where),
                                       TEST(test_fixed), TEST(test_many)};
    return cmocka_run_group_tests(tests, prepare, tidy);
}
