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
        cmocka_unit_test_setup_teardown(test_refusals, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_key_files, open_catalog, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
