/* Classification: what is effective of a node follows its own and all above, whatever moves. */
#include "tests/unit/catalog_entries.h"

#define W CATALOG_MARK_WORK_SECRET
#define T CATALOG_MARK_TRADE_SECRET
#define P CATALOG_MARK_PRIVACY
#define C CATALOG_MARK_COVERT

#define CLASS(node, level, until, marks)                                                        \
    "{'act':'classify','node':'" node "','level':" level ",'until':'" until "','marks':[" marks \
    "],'approver':'王局','reason':'r','uid':1}"
#define CLASS_RECORD(object, key, node, level, until, marks)                                   \
    "{'act':'classify','object':'" object "','key':'" key "','node':'" node "','level':" level \
    ",'until':'" until "','marks':[" marks                                                     \
    "],'private':{'uid':1,'client':'','reason':'r','approver':'李局'}}"
#define CREATE(object, key, parent, name)                                                       \
    "{'act':'record.create','object':'" object "','key':'" key "','private':{'parent':'" parent \
    "','name':'" name "','uid':1,'client':'','draft':false,'junk':false}}"
#define SEAL(object, key)                                                                  \
    "{'act':'record.seal','object':'" object "','key':'" key "','size':'1','sha256':'#1'," \
    "'tag_root':'#1','header_sha256':'#1','mtime':'1','state':'sealed','salvaged':false,"  \
    "'holes':[],'hole_count':0,'empty':false}"
#define CASE(name)                                                                      \
    "{'act':'case.open','year':2026,'name':'" name "','stages':['x','y'],'drafts':'d'," \
    "'provisional':true,'uid':1,'client':''}"

/* Two cases, a folder in a folder in the first, a record in it, one outside of cases. */
static const char *const tree[] = {
    /* 0 */ "{'act':'year.open','year':2026,'uid':1}",
    /* 1 */ CASE("甲"),
    /* 2 */ CASE("乙"),
    /* 3 */ "{'act':'folder.make','parent':'$1+1','name':'f','uid':1,'kind':'folder'}",
    /* 4 */ "{'act':'folder.make','parent':'$3','name':'g','uid':1,'kind':'folder'}",
    /* 5 */ CREATE("@1", "1", "$4", "a"),
    /* 6 */ "{'act':'folder.make','parent':'4','name':'u','uid':1,'kind':'unfiled_user'}",
    /* 7 */ "{'act':'folder.make','parent':'$6','name':'d','uid':1,'kind':'unfiled_date'}",
    /* 8 */ CREATE("@2", "2", "$7", "b"),
    /* 9 */ SEAL("@2", "2"),
};
#define TREE_LEN 10

static void is(struct catalog *catalog, uint64_t id, uint32_t level, uint32_t marks)
{
    struct catalog_node node = node_get(catalog, id);

    if (node.level != level || node.marks != marks)
        fail_msg("node %u is %u/%u, not %u/%u", (unsigned)id, (unsigned)node.level,
                 (unsigned)node.marks, (unsigned)level, (unsigned)marks);
}

static void own_is(struct catalog *catalog, uint64_t id, uint32_t level, uint32_t marks,
                   int32_t until)
{
    struct catalog_node node = node_get(catalog, id);

    assert_int_equal(node.own_level, level);
    assert_int_equal(node.own_marks, marks);
    assert_int_equal(node.own_until, until);
}

static void test_downwards(void **state)
{
    struct catalog *catalog = *state;
    char approver[128];

    entries_ok(catalog, 0, tree, TREE_LEN);
    is(catalog, NODE(5), CATALOG_LEVEL_DEFAULT, 0);
    entry_ok(catalog, 10, CLASS("$1", "1", "", "'work_secret'"));
    is(catalog, NODE(1), 1, W);
    is(catalog, NODE(1) + 2, 1, W);
    is(catalog, NODE(1) + 255, 1, W);
    is(catalog, NODE(5), 1, W);
    is(catalog, NODE(2), 0, 0);
    is(catalog, NODE(8), 0, 0);
    own_is(catalog, NODE(1), 1, W, 0);
    own_is(catalog, NODE(5), 0, 0, 0);
    entry_ok(catalog, 11, CLASS("$3", "3", "2040-01-01", "'privacy'"));
    is(catalog, NODE(4), 3, W | P);
    is(catalog, NODE(5), 3, W | P);
    is(catalog, NODE(1) + 1, 1, W);
    own_is(catalog, NODE(3), 3, P, 25567);
    entry_ok(catalog, 12,
             CLASS_RECORD("@1", "1", "$5", "2", "2036-01-01", "'covert','trade_secret'"));
    is(catalog, NODE(5), 3, W | P | C | T);
    is(catalog, NODE(4), 3, W | P);
    own_is(catalog, NODE(5), 2, C | T, 24106);
    assert_int_equal(catalog_approver(catalog, NODE(5), approver), 0);
    assert_string_equal(approver, "李局");
    assert_int_equal(catalog_approver(catalog, 99, approver), SR_ERR_NOT_FOUND);
    /* Lowered above: what is the node's own stays. */
    entry_ok(catalog, 13, CLASS("$3", "0", "", ""));
    is(catalog, NODE(4), 1, W);
    is(catalog, NODE(5), 2, W | C | T);
    entry_ok(catalog, 14, CLASS("$1", "0", "", ""));
    is(catalog, NODE(5), 2, C | T);
    check(catalog);
}

/* What is made in a classified place is so from the first moment. */
static void test_new_nodes(void **state)
{
    struct catalog *catalog = *state;

    entries_ok(catalog, 0, tree, TREE_LEN);
    entry_ok(catalog, 10, CLASS("$3", "2", "2036-01-01", "'privacy'"));
    entry_ok(catalog, 11, CREATE("@3", "3", "$4", "c"));
    entry_ok(catalog, 12, "{'act':'folder.make','parent':'$3','name':'h','uid':1,'kind':'folder'}");
    is(catalog, NODE(11), 2, P);
    is(catalog, NODE(12), 2, P);
    own_is(catalog, NODE(11), 0, 0, 0);
    entry_ok(catalog, 13, "{'act':'record.create','object':'@4','key':'4'}"); /* nowhere */
    is(catalog, NODE(13), 0, 0);
    check(catalog);
}

static void test_moves(void **state)
{
    struct catalog *catalog = *state;

    entries_ok(catalog, 0, tree, TREE_LEN);
    entry_ok(catalog, 10, CLASS("$2", "2", "2036-01-01", "'privacy'"));
    entry_ok(catalog, 11, CLASS("$4", "1", "", "'trade_secret'"));
    /* A folder with what is below it, in and out again. */
    entry_ok(catalog, 12, "{'act':'folder.rename','node':'$3','parent':'$2+2','name':'f','uid':1}");
    is(catalog, NODE(3), 2, P);
    is(catalog, NODE(4), 2, P | T);
    is(catalog, NODE(5), 2, P | T);
    entry_ok(catalog, 13,
             "{'act':'folder.rename','node':'$3','parent':'$1+2','name':'f2','uid':1}");
    is(catalog, NODE(3), 0, 0);
    is(catalog, NODE(4), 1, T);
    is(catalog, NODE(5), 1, T);
    /* A record before the seal. */
    entry_ok(catalog, 14,
             "{'act':'record.rename','object':'@1','key':'1','node':'$5','private':{'parent':"
             "'$2+1','name':'a','uid':1,'draft':false,'junk':false}}");
    is(catalog, NODE(5), 2, P);
    /* Filing and refiling: its own comes with it; the stub is of its place. */
    entry_ok(catalog, 15, CLASS_RECORD("@2", "2", "$8", "1", "", "'work_secret'"));
    entry_ok(catalog, 16,
             "{'act':'record.file','object':'@2','key':'2','node':'$8','private':{'parent':"
             "'$2+1','name':'b','uid':1,'reason':'','from_parent':'$7','from_name':'b',"
             "'again':false}}");
    is(catalog, NODE(8), 2, P | W);
    is(catalog, NODE(16), 0, 0);
    entry_ok(catalog, 17,
             "{'act':'record.file','object':'@2','key':'2','node':'$8','private':{'parent':"
             "'$1+1','name':'b','uid':1,'reason':'','from_parent':'$2+1','from_name':'b',"
             "'again':true}}");
    is(catalog, NODE(8), 1, W);
    is(catalog, NODE(17), 2, P);
    own_is(catalog, NODE(8), 1, W, 0);
    check(catalog);
}

/* Any order of classifying and moving leaves the same behind. */
static void test_orders(void **state)
{
    static const char *const acts[] = {
        CLASS("$1", "1", "", "'work_secret'"),
        CLASS("$2", "3", "2040-01-01", "'privacy'"),
        CLASS("$4", "2", "2036-01-01", ""),
        "{'act':'folder.rename','node':'$3','parent':'$2+1','name':'f','uid':1}",
        CLASS_RECORD("@1", "1", "$5", "1", "", "'covert'"),
    };

    (void)state;
    for (unsigned n = 0; n < 5 * 4 * 3 * 2; n++) {
        unsigned left[] = {0, 1, 2, 3, 4}, pick = n;
        struct catalog *catalog;

        assert_int_equal(catalog_open_memory(&catalog), 0);
        entries_ok(catalog, 0, tree, TREE_LEN);
        for (unsigned i = 0; i < 5; i++) {
            unsigned at = pick % (5 - i), act = left[at];

            pick /= 5 - i;
            left[at] = left[4 - i];
            entry_ok(catalog, TREE_LEN + i, acts[act]);
            check(catalog);
        }
        is(catalog, NODE(1) + 1, 1, W);
        is(catalog, NODE(3), 3, P);
        is(catalog, NODE(5), 3, P | C);
        own_is(catalog, NODE(4), 2, 0, 24106);
        catalog_close(catalog);
    }
}

/* Content renamed over another record brings along what it was classified as. */
static void test_renamed_over(void **state)
{
    struct catalog *catalog = *state;
    char approver[128];

    entries_ok(catalog, 0, tree, TREE_LEN);
    entry_ok(catalog, 10, CREATE("@3", "3", "$4", "a.part"));
    entry_ok(catalog, 11, CLASS_RECORD("@3", "3", "$10", "2", "2036-01-01", "'covert'"));
    entry_ok(catalog, 12, CLASS_RECORD("@1", "1", "$5", "1", "", "'privacy'"));
    entry_ok(catalog, 13,
             "{'act':'record.version','object':'@3','key':'3','node':'$5','previous':'@1',"
             "'private':{'uid':1,'client':''}}");
    is(catalog, NODE(5), 2, C | P);
    own_is(catalog, NODE(5), 2, C | P, 24106);
    assert_int_equal(catalog_approver(catalog, NODE(5), approver), 0);
    assert_string_equal(approver, "李局");
    check(catalog);
}

/* Without the record key only who and why are lost. */
static void test_destroyed(void **state)
{
    struct catalog *catalog = *state;
    char approver[128];

    entries_ok(catalog, 0, tree, TREE_LEN);
    entry_ok(catalog, 10,
             "{'act':'classify','object':'@2','key':'2','node':'$8','level':2,'until':"
             "'2036-01-01','marks':['covert']}");
    is(catalog, NODE(8), 2, C);
    assert_int_equal(catalog_approver(catalog, NODE(8), approver), 0);
    assert_string_equal(approver, "");
    check(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_downwards, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_new_nodes, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_moves, open_catalog, close_catalog),
        cmocka_unit_test(test_orders),
        cmocka_unit_test_setup_teardown(test_renamed_over, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_destroyed, open_catalog, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
