/* Accounts and whose a case is: each rule of the door, and each refusal. */
#include "tests/unit/casework_fixture.h"

static struct catalog_user user_of(struct world *world, const char *account)
{
    struct catalog_user user;
    assert_int_equal(catalog_user_by_account(door_catalog(world->door), account, &user), 0);
    return user;
}

static int set(struct world *world, uint32_t uid, const char *account,
               struct door_user_change change)
{
    struct door_actor actor = world_actor(uid);
    struct catalog_user out;
    return door_user_set(world->door, &actor, account, &change, &out);
}

static int ignore_hit(void *context, const struct catalog_node *node, const char *snippet)
{
    (void)context;
    (void)node;
    (void)snippet;
    return 0;
}

static int ignore_node(void *context, const struct catalog_node *node)
{
    (void)context;
    (void)node;
    return 0;
}

static int disable(struct world *world, uint32_t uid, const char *account, const char *reason)
{
    struct door_actor actor = world_actor(uid);
    return door_user_disable(world->door, &actor, account, reason, ignore_node, NULL);
}

/* Who a person is says the sysadmin, what they may the secoff, and nobody of themselves. */
static void test_set(void **state)
{
    struct world *world = *state;
    uint32_t secoff = add_user(world, "mi", NULL, "secoff");
    const char *roles[] = {"officer", "reviewer"};
    struct catalog_user user;
    assert_int_equal(set(world, WORLD_SYSADMIN, "zhang",
                         (struct door_user_change){.name = "张三丰",
                                                   .unit = "执法一科",
                                                   .badge = "0510-7",
                                                   .badge_from = "2024-01-01",
                                                   .badge_until = "2028-12-31",
                                                   .clearance = -1}),
                     0);
    assert_int_equal(
        set(world, secoff, "zhang",
            (struct door_user_change){.roles = roles, .role_count = 2, .clearance = 3}),
        0);
    for (int i = 0; i < 2; i++) {
        user = user_of(world, "zhang");
        assert_int_equal(user.uid, WORLD_OFFICER);
        assert_string_equal(user.name, "张三丰");
        assert_string_equal(user.unit, "执法一科");
        assert_string_equal(user.badge, "0510-7");
        assert_int_equal(user.badge_from, 19723);
        assert_int_equal(user.badge_until, 21549);
        assert_int_equal(user.clearance, 3);
        assert_int_equal(user.role_count, 2);
        assert_string_equal(user.roles[1], "reviewer");
        assert_false(user.disabled);
        reopen(world);
    }
    /* Cleared again; the rest stays. */
    assert_int_equal(
        set(world, WORLD_SYSADMIN, "zhang",
            (struct door_user_change){.unit = "", .badge = "", .badge_until = "", .clearance = -1}),
        0);
    user = user_of(world, "zhang");
    assert_string_equal(user.unit, "");
    assert_string_equal(user.badge, "");
    assert_int_equal(user.badge_until, 0);
    assert_int_equal(user.badge_from, 19723);
    assert_int_equal(user.clearance, 3);
    assert_string_equal(user.name, "张三丰");
}

static void test_set_refused(void **state)
{
    struct world *world = *state;
    uint32_t secoff = add_user(world, "mi", NULL, "secoff");
    const char *officer[] = {"officer"}, *bad[] = {"king"}, *mixed[] = {"secoff", "officer"};
    struct door_user_change name = {.name = "n", .clearance = -1};
    struct door_user_change roles = {.roles = officer, .role_count = 1, .clearance = -1};
    char longest[200];
    memset(longest, 'u', sizeof longest);
    longest[128] = '\0';
    assert_failed(set(world, WORLD_OFFICER, "li", name), SR_ERR_DENIED, "user.set");
    assert_failed(set(world, WORLD_SYSADMIN, "sys", name), SR_ERR_DENIED, "their own account");
    assert_failed(set(world, secoff, "mi", roles), SR_ERR_DENIED, "their own account");
    assert_failed(set(world, secoff, "li", name), SR_ERR_DENIED, "by a sysadmin");
    assert_failed(set(world, WORLD_SYSADMIN, "li", roles), SR_ERR_DENIED, "by a secoff");
    assert_failed(set(world, WORLD_SYSADMIN, "li", (struct door_user_change){.clearance = 1}),
                  SR_ERR_DENIED, "by a secoff");
    assert_failed(set(world, WORLD_SYSADMIN, "li", (struct door_user_change){.clearance = -1}),
                  SR_ERR_INVALID, "nothing");
    assert_failed(set(world, WORLD_SYSADMIN, "nobody", name), SR_ERR_NOT_FOUND, "nobody");
    assert_failed(set(world, secoff, "li", (struct door_user_change){.clearance = 5}),
                  SR_ERR_INVALID, "0 to 4");
    roles.roles = bad;
    assert_failed(set(world, secoff, "li", roles), SR_ERR_INVALID, "king");
    roles.roles = mixed;
    roles.role_count = 2;
    assert_failed(set(world, secoff, "li", roles), SR_ERR_INVALID, "三员");
    const struct {
        struct door_user_change change;
        const char *words;
    } forms[] = {
        {{.name = "", .clearance = -1}, "display name"},
        {{.name = "a:b", .clearance = -1}, "display name"},
        {{.unit = longest, .clearance = -1}, "127 bytes"},
        {{.unit = "a\nb", .clearance = -1}, "control character"},
        {{.badge = "\xff", .clearance = -1}, "UTF-8"},
        {{.badge_from = "2026-02-30", .clearance = -1}, "YYYY-MM-DD"},
        {{.badge_until = "明天", .clearance = -1}, "YYYY-MM-DD"},
        {{.badge_from = "2026-02-02", .badge_until = "2026-02-01", .clearance = -1}, "before"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        assert_failed(set(world, WORLD_SYSADMIN, "li", forms[i].change), SR_ERR_INVALID,
                      forms[i].words);
    assert_string_equal(user_of(world, "li").name, "李四");
}

/* An account that is disabled gets nothing at any face, and never comes back. */
static void test_disable(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_open_info info;
    struct door_file *file;
    struct catalog_node node, folder;
    struct catalog_user user;
    struct sr_buf value = {0};
    put(world, STAGE "/a.txt", "x", &node);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(disable(world, WORLD_SYSADMIN, "zhang", "调离"), 0);
    for (int i = 0; i < 2; i++) {
        door = world->door;
        assert_int_equal(door_user(door, &officer, &user), SR_ERR_DENIED);
        assert_failed(door_getattr(door, &officer, CATALOG_ROOT, &node), SR_ERR_DENIED,
                      "zhang is disabled");
        assert_int_equal(door_lookup(door, &officer, folder.id, "a.txt", &node), SR_ERR_DENIED);
        assert_int_equal(door_readdir(door, &officer, folder.id, 0, ignore_node, NULL),
                         SR_ERR_DENIED);
        assert_int_equal(door_open(door, &officer, CATALOG_NOTICE, false, false, &file, &info),
                         SR_ERR_DENIED);
        assert_int_equal(door_create(door, &officer, folder.id, "n", false, &node, &file, &info),
                         SR_ERR_DENIED);
        assert_int_equal(door_mkdir(door, &officer, folder.id, "n", &node), SR_ERR_DENIED);
        assert_int_equal(door_getxattr(door, &officer, folder.id, "user.strongroom.state", &value),
                         SR_ERR_DENIED);
        uint64_t total;
        assert_int_equal(door_search(door, &officer, "a", 0, 1, ignore_hit, NULL, &total),
                         SR_ERR_DENIED);
        assert_int_equal(door_case_open(door, &officer, 2026, "n", &node), SR_ERR_DENIED);
        assert_int_equal(door_may(door, &officer, "status"), SR_ERR_DENIED);
        reopen(world);
    }
    assert_failed(set(world, WORLD_SYSADMIN, "zhang",
                      (struct door_user_change){.name = "n", .clearance = -1}),
                  SR_ERR_INVALID, "disabled");
    assert_int_equal(disable(world, WORLD_SYSADMIN, "zhang", "again"), 0); /* nothing left to do */
    const char *roles[] = {"officer"};
    struct door_actor sysadmin = world_actor(WORLD_SYSADMIN);
    assert_int_equal(
        door_user_add(world->door, &sysadmin, "zhang", "n", NULL, roles, 1, NULL, &user),
        SR_ERR_EXISTS);
    uint32_t last = add_user(world, "neu", NULL, "officer"); /* its id is not given out again */
    assert_int_equal(disable(world, WORLD_SYSADMIN, "neu", "r"), 0);
    assert_int_equal(add_user(world, "neuer", NULL, "officer"), last + 1);
    assert_int_equal(world_audit(world), 0);
}

static void test_disable_refused(void **state)
{
    struct world *world = *state;
    uint32_t secoff;
    assert_failed(disable(world, WORLD_OFFICER, "li", "r"), SR_ERR_DENIED, "user.disable");
    assert_failed(disable(world, WORLD_SYSADMIN, "sys", "r"), SR_ERR_DENIED, "their own");
    assert_failed(disable(world, WORLD_SYSADMIN, "nobody", "r"), SR_ERR_NOT_FOUND, "nobody");
    assert_failed(disable(world, WORLD_SYSADMIN, "li", ""), SR_ERR_INVALID, "reason");
    assert_failed(disable(world, WORLD_SYSADMIN, "li", NULL), SR_ERR_INVALID, "reason");
    /* The last one of the three stays. */
    secoff = add_user(world, "mi", NULL, "secoff");
    assert_failed(disable(world, secoff, "sys", "r"), SR_ERR_INVALID, "the last sysadmin");
    const char *roles[] = {"auditor"};
    struct door_user_change change = {.roles = roles, .role_count = 1, .clearance = -1};
    assert_failed(set(world, secoff, "sys", change), SR_ERR_INVALID, "the last sysadmin");
    add_user(world, "sys2", NULL, "sysadmin");
    assert_int_equal(disable(world, secoff, "sys", "r"), 0);
    assert_failed(disable(world, secoff, "sys2", "r"), SR_ERR_INVALID, "the last sysadmin");
    assert_false(user_of(world, "li").disabled);
}

static int collect_name(void *context, const struct catalog_node *node)
{
    strcat(context, node->name);
    strcat(context, " ");
    return 0;
}

/* Cases belong to their maker and the maker's unit, then to whom a head or lead says. */
static void test_assign(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    uint32_t head = add_user(world, "tou", "局机关", "head");
    uint32_t other = add_user(world, "wu", "执法一科", "officer");
    struct door_actor officer = world_actor(WORLD_OFFICER), wu = world_actor(other),
                      boss = world_actor(head), sysadmin = world_actor(WORLD_SYSADMIN);
    struct catalog_node old, node;
    struct catalog_case people;
    char cases[256] = "";
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &old), 0);
    assert_int_equal(catalog_case(door_catalog(door), old.id, &people), 0);
    assert_string_equal(people.unit, "");
    assert_int_equal(people.lead_count, 1);
    assert_int_equal(people.lead[0], WORLD_OFFICER);
    assert_int_equal(door_case_open(door, &wu, 2026, "吴案", &node), 0);
    assert_int_equal(catalog_case(door_catalog(door), node.id, &people), 0);
    assert_string_equal(people.unit, "执法一科");
    assert_int_equal(people.lead[0], other);
    /* The lead, and the head; not who was lead. */
    const uint32_t lead[] = {WORLD_OFFICER}, helpers[] = {other, head};
    assert_int_equal(door_case_assign(door, &officer, node.id, lead, 1, NULL, 0, "r"),
                     SR_ERR_NOT_FOUND); /* another unit's case */
    assert_int_equal(door_case_assign(door, &wu, node.id, lead, 1, helpers, 2, "休假"), 0);
    assert_failed(door_case_assign(door, &wu, node.id, lead, 1, NULL, 0, "r"), SR_ERR_DENIED,
                  "neither head nor lead");
    assert_int_equal(door_case_transfer(door, &boss, node.id, "执法二科", "移交"), 0);
    reopen(world);
    door = world->door;
    assert_int_equal(catalog_case(door_catalog(door), node.id, &people), 0);
    assert_string_equal(people.unit, "执法二科");
    assert_int_equal(people.lead_count, 1);
    assert_int_equal(people.lead[0], WORLD_OFFICER);
    assert_int_equal(people.helper_count, 2);
    assert_int_equal(people.helpers[0], other);
    /* Disabled: the cases to be handed over. */
    assert_int_equal(door_user_disable(door, &sysadmin, "zhang", "调离", collect_name, cases), 0);
    assert_string_equal(cases, "案 吴案 ");
    assert_int_equal(door_case_assign(door, &boss, node.id, helpers, 1, NULL, 0, "接手"), 0);
    cases[0] = '\0';
    assert_int_equal(door_user_disable(door, &sysadmin, "zhang", "调离", collect_name, cases), 0);
    assert_string_equal(cases, "案 ");
    assert_int_equal(world_audit(world), 0);
}

static void test_assign_refused(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    uint32_t head = add_user(world, "tou", NULL, "head");
    struct door_actor boss = world_actor(head), archivist = world_actor(WORLD_ARCHIVIST),
                      sysadmin = world_actor(WORLD_SYSADMIN), officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, stage;
    uint32_t many[CATALOG_HELPERS_MAX + 1] = {0};
    const uint32_t lead[] = {WORLD_OFFICER, WORLD_OFFICER}, sup[] = {WORLD_SUPERVISOR},
                   nobody[] = {WORLD_STRANGER}, li[] = {WORLD_OFFICER2};
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &node), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    const struct {
        const struct door_actor *actor;
        uint64_t node;
        const uint32_t *lead, *helpers;
        size_t lead_count, helper_count;
        const char *reason, *words;
        int status;
    } tries[] = {
        {&archivist, node.id, lead, NULL, 1, 0, "r", "case.assign", SR_ERR_DENIED},
        {&sysadmin, node.id, lead, NULL, 1, 0, "r", "case.assign", SR_ERR_DENIED},
        {&boss, node.id, lead, NULL, 1, 0, "", "reason", SR_ERR_INVALID},
        {&boss, node.id, lead, NULL, 1, 0, NULL, "reason", SR_ERR_INVALID},
        {&boss, stage.id, lead, NULL, 1, 0, "r", "only a case", SR_ERR_INVALID},
        {&boss, 12345, lead, NULL, 1, 0, "r", "", SR_ERR_NOT_FOUND},
        {&boss, node.id, lead, NULL, 0, 0, "r", "1 to 16 leads", SR_ERR_INVALID},
        {&boss, node.id, many, NULL, 17, 0, "r", "1 to 16 leads", SR_ERR_INVALID},
        {&boss, node.id, lead, many, 1, 65, "r", "64 helpers", SR_ERR_INVALID},
        {&boss, node.id, lead, NULL, 2, 0, "r", "twice", SR_ERR_INVALID},
        {&boss, node.id, lead, lead, 1, 1, "r", "twice", SR_ERR_INVALID},
        {&boss, node.id, li, lead, 1, 2, "r", "twice", SR_ERR_INVALID},
        {&boss, node.id, sup, NULL, 1, 0, "r", "neither officer nor head", SR_ERR_INVALID},
        {&boss, node.id, lead, sup, 1, 1, "r", "neither officer nor head", SR_ERR_INVALID},
        {&boss, node.id, nobody, NULL, 1, 0, "r", "no account", SR_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        assert_failed(door_case_assign(door, tries[i].actor, tries[i].node, tries[i].lead,
                                       tries[i].lead_count, tries[i].helpers, tries[i].helper_count,
                                       tries[i].reason),
                      tries[i].status, tries[i].words);
    assert_int_equal(disable(world, WORLD_SYSADMIN, "li", "r"), 0);
    assert_failed(door_case_assign(door, &boss, node.id, li, 1, NULL, 0, "r"), SR_ERR_INVALID,
                  "li is disabled");
    assert_failed(door_case_transfer(door, &officer, node.id, "u", "r"), SR_ERR_DENIED,
                  "case.transfer");
    assert_failed(door_case_transfer(door, &boss, node.id, "u", ""), SR_ERR_INVALID, "reason");
    assert_failed(door_case_transfer(door, &boss, node.id, "", "r"), SR_ERR_INVALID, "unit");
    assert_failed(door_case_transfer(door, &boss, node.id, "a\tb", "r"), SR_ERR_INVALID, "control");
    assert_failed(door_case_transfer(door, &boss, stage.id, "u", "r"), SR_ERR_INVALID,
                  "only a case");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_set),     TEST(test_set_refused),
        TEST(test_disable), TEST(test_disable_refused),
        TEST(test_assign),  TEST(test_assign_refused),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
