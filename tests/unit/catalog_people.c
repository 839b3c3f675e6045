/* Users, refusals, alerts, key files, counts. */
#include "tests/unit/catalog_entries.h"

static int collect_user(void *context, const struct catalog_user *user)
{
    strcat(context, user->account);
    strcat(context, " ");
    return 0;
}

static void test_users(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_user user;
    char accounts[128] = "";

    assert_int_equal(catalog_user(catalog, 1, &user), SR_ERR_NOT_FOUND);
    entry_ok(catalog, 0,
             "{'act':'user.add','uid':2,'account':'li','name':'李四','roles':['officer','head']}");
    entry_ok(catalog, 1, "{'act':'user.add','uid':1,'account':'zhang','name':'张三','roles':[]}");
    assert_int_equal(catalog_user(catalog, 2, &user), 0);
    assert_string_equal(user.account, "li");
    assert_string_equal(user.name, "李四");
    assert_int_equal(user.role_count, 2);
    assert_string_equal(user.roles[0], "officer");
    assert_string_equal(user.roles[1], "head");
    entry_ok(catalog, 2,
             "{'act':'user.add','uid':2,'account':'li2','name':'李四','roles':['auditor']}");
    assert_int_equal(catalog_user_by_account(catalog, "li", &user), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_user_by_account(catalog, "li2", &user), 0);
    assert_int_equal(user.uid, 2);
    assert_int_equal(user.role_count, 1);
    assert_string_equal(user.roles[0], "auditor");
    assert_int_equal(catalog_users(catalog, collect_user, accounts), 0);
    assert_string_equal(accounts, "zhang li2 ");
    /* Sixteen roles are read back, a seventeenth is refused. */
    for (int count = 16; count <= 17; count++) {
        char text[512] = "{'act':'user.add','uid':3,'account':'w','name':'w','roles':['r'";
        for (int i = 1; i < count; i++)
            strcat(text, ",'r'");
        strcat(text, "]}");
        if (count == 16)
            entry_ok(catalog, 3, text);
        else
            entry_refused(catalog, 4, text);
    }
    assert_int_equal(catalog_user(catalog, 3, &user), 0);
    assert_int_equal(user.role_count, 16);
    check(catalog);
}

/* What user.add knows nothing of is at its default; user.set gives all of it; disable is for ever,
 * and what is kept at hand follows each. */
static void test_user_states(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_user user;

    entry_ok(catalog, 0, "{'act':'user.add','uid':2,'account':'li','name':'李','roles':['head']}");
    assert_int_equal(catalog_user(catalog, 2, &user), 0);
    assert_string_equal(user.unit, "");
    assert_int_equal(user.clearance, CATALOG_LEVEL_DEFAULT);
    assert_string_equal(user.badge, "");
    assert_int_equal(user.badge_from, 0);
    assert_int_equal(user.badge_until, 0);
    assert_false(user.disabled);
    entry_ok(catalog, 1,
             "{'act':'user.add','uid':18,'account':'w','name':'w','roles':['head'],'unit':'一科'}");
    assert_int_equal(catalog_user(catalog, 18, &user), 0); /* shares its slot with user 2 */
    assert_string_equal(user.unit, "一科");
    entry_ok(catalog, 2,
             "{'act':'user.set','uid':18,'name':'王','roles':['officer'],'unit':'二科',"
             "'clearance':4,'badge':'0510-1','badge_from':'2026-01-01','badge_until':'2030-12-31',"
             "'by':2}");
    assert_int_equal(catalog_user(catalog, 18, &user), 0);
    assert_string_equal(user.account, "w");
    assert_string_equal(user.name, "王");
    assert_string_equal(user.roles[0], "officer");
    assert_int_equal(user.role_count, 1);
    assert_string_equal(user.unit, "二科");
    assert_int_equal(user.clearance, 4);
    assert_string_equal(user.badge, "0510-1");
    assert_int_equal(user.badge_from, 20454);
    assert_int_equal(user.badge_until, 22279);
    entry_ok(catalog, 3, "{'act':'user.disable','uid':18,'reason':'调离','by':2}");
    assert_int_equal(catalog_user(catalog, 18, &user), 0);
    assert_true(user.disabled);
    assert_string_equal(user.unit, "二科");
    assert_int_equal(catalog_user_by_account(catalog, "w", &user), 0);
    assert_true(user.disabled);
    entry_refused(catalog, 4,
                  "{'act':'user.add','uid':18,'account':'w','name':'w','roles':['head']}");
    entry_refused(catalog, 4,
                  "{'act':'user.add','uid':3,'account':'w','name':'w','roles':['head']}");
    assert_int_equal(catalog_user(catalog, 18, &user), 0);
    assert_true(user.disabled);
    check(catalog);
}

/* A person who is at hand is not shown as an entry would have made them that was refused late. */
static void test_user_rolled_back(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_user user;

    entry_ok(catalog, 0, "{'act':'user.add','uid':2,'account':'li','name':'李','roles':['head']}");
    assert_int_equal(catalog_user(catalog, 2, &user), 0);
    entry_refused(catalog, 1,
                  "{'act':'user.set','uid':2,'name':'n','roles':['a',1],'unit':'u','clearance':1,"
                  "'badge':'','badge_from':'','badge_until':'','by':1}");
    assert_int_equal(catalog_user(catalog, 2, &user), 0);
    assert_string_equal(user.name, "李");
    assert_string_equal(user.roles[0], "head");
    assert_int_equal(user.role_count, 1);
}

#define USER(uid) "{'act':'user.add','uid':" uid ",'account':'a" uid "','name':'n','roles':[]}"
#define CASE(name, more)                                                            \
    "{'act':'case.open','year':2026,'name':'" name "','stages':['x'],'drafts':'d'," \
    "'provisional':true,'uid':2,'client':''" more "}"

static int people_text(void *context, uint32_t uid, bool lead)
{
    char *text = context;

    sprintf(text + strlen(text), "%s%u ", lead ? "*" : "", (unsigned)uid);
    return strlen(text) > 200;
}

static void people_are(struct catalog *catalog, uint64_t node, const char *unit, const char *people)
{
    struct catalog_case in;
    char text[256] = "", again[256] = "";

    assert_int_equal(catalog_case(catalog, node, &in), 0);
    assert_int_equal(in.node, node);
    assert_string_equal(in.unit, unit);
    assert_int_equal(catalog_case_people(catalog, node, people_text, text), 0);
    assert_string_equal(text, people);
    for (size_t i = 0; i < in.lead_count; i++)
        people_text(again, in.lead[i], true);
    for (size_t i = 0; i < in.helper_count; i++)
        people_text(again, in.helpers[i], false);
    assert_string_equal(again, people);
}

static void test_cases(void **state)
{
    static const char *const entries[] = {
        USER("1"),      USER("2"),
        USER("3"),      "{'act':'year.open','year':2026,'uid':1}",
        CASE("旧", ""), CASE("新", ",'unit':'一科','lead':[3,1]"),
    };
    struct catalog *catalog = *state;
    struct catalog_case in;
    struct ids ids = {.count = 0};

    entries_ok(catalog, 0, entries, 6);
    people_are(catalog, NODE(4), "", "*2 "); /* as of before: its maker */
    people_are(catalog, NODE(5), "一科", "*3 *1 ");
    assert_int_equal(catalog_case(catalog, NODE(5) + 1, &in), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_case(catalog, 99, &in), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_case_people(catalog, NODE(3), people_text, NULL), SR_ERR_NOT_FOUND);
    entry_ok(catalog, 6,
             "{'act':'case.assign','node':'$5','lead':[2],'helpers':[3,1],'reason':'r','uid':1}");
    people_are(catalog, NODE(5), "一科", "*2 3 1 ");
    entry_ok(catalog, 7, "{'act':'case.transfer','node':'$5','unit':'二科','reason':'r','uid':1}");
    people_are(catalog, NODE(5), "二科", "*2 3 1 ");
    assert_int_equal(catalog_cases_of(catalog, 2, collect, &ids), 0);
    assert_int_equal(ids.count, 2);
    assert_int_equal(ids.id[0], NODE(4));
    assert_int_equal(ids.id[1], NODE(5));
    ids.count = 0;
    assert_int_equal(catalog_cases_of(catalog, 3, collect, &ids), 0);
    assert_int_equal(ids.count, 1);
    check(catalog);
    entry_ok(catalog, 8, "{'act':'folder.remove','node':'$5','uid':2}");
    assert_int_equal(catalog_case(catalog, NODE(5), &in), SR_ERR_NOT_FOUND);
    ids.count = 0;
    assert_int_equal(catalog_cases_of(catalog, 3, collect, &ids), 0);
    assert_int_equal(ids.count, 0);
    check(catalog);
}

/* Sixteen leads and sixty-four helpers, and not one more. */
static void test_many_people(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_case in;
    char text[2000];

    for (unsigned i = 0; i < 82; i++) {
        snprintf(text, sizeof(text),
                 "{'act':'user.add','uid':%u,'account':'a%u','name':'n','roles':[]}", i, i);
        entry_ok(catalog, i, text);
    }
    entry_ok(catalog, 82, "{'act':'year.open','year':2026,'uid':1}");
    entry_ok(catalog, 83, CASE("a", ""));
    for (unsigned over = 0; over <= 2; over++) {
        unsigned leads = over == 1 ? 17 : 16, helpers = over == 2 ? 65 : 64;
        strcpy(text, "{'act':'case.assign','node':'$83','reason':'r','uid':1,'lead':[");
        for (unsigned i = 0; i < leads; i++)
            sprintf(text + strlen(text), "%s%u", i > 0 ? "," : "", i);
        strcat(text, "],'helpers':[");
        for (unsigned i = 0; i < helpers; i++)
            sprintf(text + strlen(text), "%s%u", i > 0 ? "," : "", 17 + i);
        strcat(text, "]}");
        if (over == 0)
            entry_ok(catalog, 84, text);
        else
            entry_refused(catalog, 85, text);
    }
    assert_int_equal(catalog_case(catalog, NODE(83), &in), 0);
    assert_int_equal(in.lead_count, CATALOG_LEADS_MAX);
    assert_int_equal(in.helper_count, CATALOG_HELPERS_MAX);
    assert_int_equal(in.lead[15], 15);
    assert_int_equal(in.helpers[63], 80);
}

struct refusals {
    struct catalog_refusal item[4];
    size_t count;
};

static int collect_refusal(void *context, const struct catalog_refusal *refusal)
{
    struct refusals *refusals = context;

    assert_true(refusals->count < 4);
    refusals->item[refusals->count++] = *refusal;
    return 0;
}

static void test_refusals(void **state)
{
    struct catalog *catalog = *state;
    struct refusals r = {.count = 0};
    char text[2000];

    entry_ok(catalog, 0,
             "{'act':'refuse','uid':7,'op':'write','reason':'sealed','node':'$5','client':'c',"
             "'count':3,'until':'1767225700000000000'}");
    entry_ok(catalog, 1,
             "{'act':'refuse','uid':8,'op':'write','reason':'sealed','client':'','count':1,"
             "'until':'1767225601000000000'}");
    /* A name that was too long is kept as far as it goes, in whole characters. */
    strcpy(text, "{'act':'refuse','uid':7,'op':'create','reason':'name_too_long','name':'a");
    for (int i = 0; i < 100; i++)
        strcat(text, "长");
    strcat(text, "','client':'','count':1,'until':'1767225602000000000'}");
    entry_ok(catalog, 2, text);
    assert_int_equal(catalog_refusals(catalog, 7, 10, collect_refusal, &r), 0);
    assert_int_equal(r.count, 2);
    assert_int_equal(r.item[0].index, 2);
    assert_int_equal(strlen(r.item[0].name), 253);
    assert_int_equal(r.item[0].node, 0);
    assert_string_equal(r.item[1].op, "write");
    assert_string_equal(r.item[1].reason, "sealed");
    assert_string_equal(r.item[1].client, "c");
    assert_int_equal(r.item[1].node, NODE(5));
    assert_int_equal(r.item[1].count, 3);
    assert_int_equal(r.item[1].first_ns, TIME_NS(0));
    assert_int_equal(r.item[1].last_ns, TIME_NS(100));
    r.count = 0;
    assert_int_equal(catalog_refusals(catalog, 7, 1, collect_refusal, &r), 0);
    assert_int_equal(r.count, 1);
    assert_int_equal(r.item[0].index, 2);
    check(catalog);
}

static void test_key_files(void **state)
{
    struct catalog *catalog = *state;
    uint8_t first[32], second[32];

    hash_of(1, first);
    hash_of(2, second);
    assert_int_equal(catalog_check_page(catalog, 3, first), SR_ERR_NOT_FOUND);
    entry_ok(catalog, 0, "{'act':'keys.page','page':3,'generation':1,'sha256':'#1'}");
    assert_int_equal(catalog_check_page(catalog, 3, first), 0);
    assert_int_equal(catalog_check_page(catalog, 3, second), SR_ERR_DAMAGED);
    entry_ok(catalog, 2, "{'act':'keys.page','page':3,'generation':3,'sha256':'#2'}");
    entry_ok(catalog, 1, "{'act':'keys.page','page':3,'generation':2,'sha256':'#1'}"); /* late */
    assert_int_equal(catalog_check_page(catalog, 3, second), 0);
    assert_int_equal(catalog_check_slot(catalog, "aa", first), SR_ERR_NOT_FOUND);
    entry_ok(catalog, 3, "{'act':'slot.add','slot':'aa','label':'l','sha256':'#1'}");
    assert_int_equal(catalog_check_slot(catalog, "aa", first), 0);
    assert_int_equal(catalog_check_slot(catalog, "aa", second), SR_ERR_DAMAGED);
    entry_ok(catalog, 4, "{'act':'slot.add','slot':'aa','label':'l','sha256':'#2'}");
    assert_int_equal(catalog_check_slot(catalog, "aa", second), 0);
    entry_ok(catalog, 5, "{'act':'slot.remove','slot':'aa','label':'l'}");
    assert_int_equal(catalog_check_slot(catalog, "aa", second), SR_ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_users, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_user_states, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_user_rolled_back, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_cases, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_many_people, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_refusals, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_key_files, open_catalog, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
