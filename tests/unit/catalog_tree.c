/* The tree: fixed nodes, years, cases, folders, names, twins, provisional, paths. */
#include "tests/unit/catalog_entries.h"

#define CASE                                                                                         \
    "{'act':'case.open','year':2026,'name':'示例〔2026〕1号','stages':['01受理','02取证']," \
    "'drafts':'草稿','provisional':true,'uid':20000,'client':''}"
#define YEAR "{'act':'year.open','year':2026,'uid':20000}"
#define RECORD(object, parent, name)                                                      \
    "{'act':'record.create','object':'" object "','key':'1','private':{'parent':'" parent \
    "','name':'" name "','uid':20000,'client':'','draft':false,'junk':false}}"
#define SEAL(object)                                                                      \
    "{'act':'record.seal','object':'" object "','key':'1','size':'1','sha256':'#1',"      \
    "'tag_root':'#2','header_sha256':'#3','mtime':'1','state':'sealed','salvaged':false," \
    "'holes':[],'hole_count':0,'empty':false}"

static struct ids children(struct catalog *catalog, uint64_t parent, uint64_t after)
{
    struct ids ids = {.count = 0};

    assert_int_equal(catalog_children(catalog, parent, after, collect, &ids), 0);
    return ids;
}

static int keep_first(void *context, const struct catalog_node *node)
{
    *(struct catalog_node *)context = *node;
    return 1;
}

/* The first twin, if there is one. */
static int twin(struct catalog *catalog, uint64_t parent, const char *name,
                struct catalog_node *out)
{
    int rc = catalog_twins(catalog, parent, name, keep_first, out);

    return rc == 1 ? 0 : rc == 0 ? SR_ERR_NOT_FOUND : rc;
}

static void test_fixed(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_node node;
    struct ids ids = children(catalog, CATALOG_ROOT, 0);
    bool empty;

    assert_int_equal(ids.count, 6);
    assert_int_equal(ids.id[0], CATALOG_NOTICE);
    assert_int_equal(ids.id[2], CATALOG_UNFILED);
    assert_int_equal(ids.id[3], CATALOG_MINE);
    assert_int_equal(ids.id[4], CATALOG_BY_SUBJECT);
    assert_int_equal(ids.id[5], CATALOG_BY_DAY);
    assert_int_equal(node_get(catalog, CATALOG_ROOT).kind, CATALOG_KIND_ROOT);
    assert_int_equal(catalog_lookup(catalog, CATALOG_ROOT, "提示.txt", &node), 0);
    assert_int_equal(node.id, CATALOG_NOTICE);
    assert_int_equal(node.kind, CATALOG_KIND_VIRTUAL);
    assert_int_equal(catalog_lookup(catalog, CATALOG_ROOT, "入库回执.csv", &node), 0);
    assert_int_equal(node.id, CATALOG_RECEIPTS);
    assert_int_equal(catalog_lookup(catalog, CATALOG_ROOT, "待归案", &node), 0);
    assert_int_equal(node.kind, CATALOG_KIND_UNFILED_ROOT);
    assert_int_equal(catalog_is_empty(catalog, CATALOG_UNFILED, &empty), 0);
    assert_true(empty);
    path_is(catalog, CATALOG_ROOT, "/");
    path_is(catalog, CATALOG_UNFILED, "/待归案");
    entry_ok(catalog, 0, "{'act':'vault.create','vault':'00','origin':'o','agency':''}");
    assert_int_equal(node_get(catalog, CATALOG_ROOT).created_ns, TIME_NS(0));
    assert_int_equal(node_get(catalog, CATALOG_NOTICE).changed_ns, TIME_NS(0));
    check(catalog);
}

static void test_not_found(void **state)
{
    struct catalog *catalog = *state;
    struct vault_object_id id = object_id(1);
    struct catalog_version version;
    struct catalog_node node;
    char *path;
    bool yes;

    assert_int_equal(catalog_get(catalog, 256, &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_get(catalog, 0, &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_get(catalog, UINT64_MAX, &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_lookup(catalog, CATALOG_ROOT, "x", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_lookup(catalog, CATALOG_ROOT, "", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(twin(catalog, CATALOG_ROOT, "提示.txt", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_path(catalog, 256, &path, NULL), SR_ERR_NOT_FOUND);
    assert_null(path);
    assert_int_equal(catalog_path(catalog, 0, &path, NULL), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_is_empty(catalog, 256, &yes), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_has_sealed(catalog, 256, &yes), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_case_of(catalog, CATALOG_UNFILED, &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_case_of(catalog, 256, &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_object(catalog, &id, &version), SR_ERR_NOT_FOUND);
    assert_int_equal(children(catalog, 256, 0).count, 0);
    assert_int_equal(children(catalog, CATALOG_ROOT, UINT64_MAX).count, 0);
}

static void test_case(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_node node;
    struct ids ids;
    bool empty;

    entry_ok(catalog, 0, YEAR);
    entry_ok(catalog, 1, CASE);
    node = node_get(catalog, NODE(0));
    assert_int_equal(node.kind, CATALOG_KIND_YEAR);
    assert_string_equal(node.name, "2026");
    node = node_get(catalog, NODE(1));
    assert_int_equal(node.kind, CATALOG_KIND_CASE);
    assert_int_equal(node.parent, NODE(0));
    assert_int_equal(node.uid, 20000);
    assert_true(node.provisional);
    assert_int_equal(node.created_ns, TIME_NS(1));
    ids = children(catalog, NODE(1), 0);
    assert_int_equal(ids.count, 3);
    assert_int_equal(ids.id[0], NODE(1) + 1);
    assert_int_equal(ids.id[1], NODE(1) + 2);
    assert_int_equal(ids.id[2], NODE(1) + 255);
    assert_int_equal(children(catalog, NODE(1), NODE(1) + 1).count, 2);
    node = node_get(catalog, NODE(1) + 2);
    assert_int_equal(node.kind, CATALOG_KIND_STAGE);
    assert_false(node.provisional);
    assert_int_equal(node_get(catalog, NODE(1) + 255).kind, CATALOG_KIND_DRAFTS);
    path_is(catalog, NODE(1) + 255, "/2026/示例〔2026〕1号/草稿");
    assert_int_equal(catalog_case_of(catalog, NODE(1) + 255, &node), 0);
    assert_int_equal(node.id, NODE(1));
    assert_int_equal(catalog_case_of(catalog, NODE(1), &node), 0);
    assert_int_equal(catalog_case_of(catalog, NODE(0), &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_is_empty(catalog, NODE(1), &empty), 0);
    assert_true(empty); /* stages are part of the case */
    assert_int_equal(catalog_is_empty(catalog, NODE(0), &empty), 0);
    assert_false(empty);
    entry_ok(catalog, 2, RECORD("@1", "$1+255", "a"));
    assert_int_equal(catalog_is_empty(catalog, NODE(1), &empty), 0);
    assert_false(empty);
    entry_ok(catalog, 3,
             "{'act':'case.open','year':2026,'name':'2号','stages':[],'drafts':'草稿',"
             "'provisional':false,'uid':1,'client':'c'}");
    assert_false(node_get(catalog, NODE(3)).provisional);
    entry_ok(catalog, 4, "{'act':'folder.remove','node':'$3','uid':1}");
    assert_int_equal(catalog_get(catalog, NODE(3) + 255, &node), SR_ERR_NOT_FOUND);
    /* A case that was removed leaves its name free. */
    entry_ok(catalog, 5,
             "{'act':'case.open','year':2026,'name':'2号','stages':[],'drafts':'草稿',"
             "'provisional':true,'uid':1,'client':''}");
    check(catalog);
}

static void test_folders(void **state)
{
    static const char *const entries[] = {
        YEAR,
        CASE,
        "{'act':'folder.make','parent':'$1+2','name':'a','uid':7,'kind':'folder'}",
        "{'act':'folder.make','parent':'$2','name':'b','uid':7,'kind':'folder'}",
        "{'act':'folder.rename','node':'$3','parent':'$1+1','name':'c','uid':7}",
        "{'act':'folder.remove','node':'$2','uid':7}",
        "{'act':'folder.make','parent':'4','name':'张三','uid':7,'kind':'unfiled_user'}",
        "{'act':'folder.make','parent':'$6','name':'2026-11-22','uid':7,'kind':'unfiled_date'}",
        "{'act':'folder.rename','node':'$1','parent':'$0','name':'示例〔2026〕2号','uid':7}",
    };
    struct catalog *catalog = *state;
    struct catalog_node node;

    entries_ok(catalog, 0, entries, sizeof(entries) / sizeof(entries[0]));
    path_is(catalog, NODE(3), "/2026/示例〔2026〕2号/01受理/c");
    assert_int_equal(catalog_get(catalog, NODE(2), &node), SR_ERR_NOT_FOUND);
    assert_int_equal(node_get(catalog, NODE(3)).kind, CATALOG_KIND_FOLDER);
    assert_int_equal(node_get(catalog, NODE(6)).kind, CATALOG_KIND_UNFILED_USER);
    assert_int_equal(node_get(catalog, NODE(7)).kind, CATALOG_KIND_UNFILED_DATE);
    assert_true(node_get(catalog, NODE(7)).provisional);
    path_is(catalog, NODE(7), "/待归案/张三/2026-11-22");
    /* Folders are changed by what happens in them. */
    assert_int_equal(node_get(catalog, NODE(1) + 2).changed_ns, TIME_NS(5));
    assert_int_equal(node_get(catalog, NODE(1) + 1).changed_ns, TIME_NS(4));
    assert_int_equal(node_get(catalog, NODE(1) + 1).created_ns, TIME_NS(1));
    check(catalog);
}

static void test_provisional(void **state)
{
    static const char *const entries[] = {
        YEAR,
        CASE,
        "{'act':'folder.make','parent':'$1+2','name':'a','uid':7,'kind':'folder'}",
        "{'act':'folder.make','parent':'$2','name':'b','uid':7,'kind':'folder'}",
        "{'act':'folder.make','parent':'$2','name':'other','uid':7,'kind':'folder'}",
        RECORD("@1", "$3", "x"),
    };
    struct catalog *catalog = *state;
    bool sealed;

    entries_ok(catalog, 0, entries, sizeof(entries) / sizeof(entries[0]));
    assert_int_equal(catalog_has_sealed(catalog, NODE(1), &sealed), 0);
    assert_false(sealed);
    entry_ok(catalog, 6, SEAL("@1"));
    assert_false(node_get(catalog, NODE(3)).provisional);
    assert_false(node_get(catalog, NODE(2)).provisional);
    assert_false(node_get(catalog, NODE(1)).provisional);
    assert_true(node_get(catalog, NODE(4)).provisional);
    assert_int_equal(catalog_has_sealed(catalog, NODE(1), &sealed), 0);
    assert_true(sealed);
    assert_int_equal(catalog_has_sealed(catalog, NODE(4), &sealed), 0);
    assert_false(sealed);
    /* What was sealed elsewhere makes evidence of the folder that it is filed into. */
    entry_ok(catalog, 7,
             "{'act':'record.file','object':'@1','key':'1','node':'$5','private':{'parent':'$4',"
             "'name':'x','uid':7,'reason':'r','from_parent':'$3','from_name':'x','again':true}}");
    assert_false(node_get(catalog, NODE(4)).provisional);
    check(catalog);
}

static void test_twins(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_node node;

    entry_ok(catalog, 0, YEAR);
    entry_ok(catalog, 1, CASE);
    entry_ok(catalog, 2, RECORD("@1", "$1+1", "Café.TXT")); /* é as one character */
    assert_int_equal(twin(catalog, NODE(1) + 1, "café.txt", &node), 0);
    assert_int_equal(node.id, NODE(2));
    assert_int_equal(twin(catalog, NODE(1) + 1, "Cafe\xcc\x81.TXT", &node), 0);
    assert_int_equal(twin(catalog, NODE(1) + 1, "cafe\xcc\x81.txt", &node), 0);
    assert_string_equal(node.name, "Café.TXT");
    /* The name itself is no twin, nor is what only looks like it. */
    assert_int_equal(twin(catalog, NODE(1) + 1, "Café.TXT", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(twin(catalog, NODE(1) + 1, "Cafe.TXT", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(twin(catalog, NODE(1) + 2, "café.txt", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "café.txt", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(twin(catalog, NODE(1) + 1, "\xff", &node), SR_ERR_NAME_ENCODING);
    /* A rename takes its fold along. */
    entry_ok(catalog, 3,
             "{'act':'record.rename','object':'@1','key':'1','node':'$2','private':{'parent':"
             "'$1+1','name':'B','uid':7,'draft':false,'junk':false}}");
    assert_int_equal(twin(catalog, NODE(1) + 1, "café.txt", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(twin(catalog, NODE(1) + 1, "b", &node), 0);
    check(catalog);
}

/* Records and folders of one name are told apart by their instance; a lookup finds the first that is
 * no stub. */
static void test_several_of_one_name(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_node node;
    struct ids ids = {.count = 0};
    char *path;
    bool plain;

    entry_ok(catalog, 0, YEAR);
    entry_ok(catalog, 1, CASE);
    entry_ok(catalog, 2, RECORD("@1", "$1+1", "a"));
    entry_ok(catalog, 3,
             "{'act':'folder.make','parent':'$1+1','name':'a','uid':1,'kind':'folder'}");
    entry_ok(catalog, 4,
             "{'act':'folder.make','parent':'$1+1','name':'a','uid':2,'kind':'folder'}");
    entry_ok(catalog, 5, RECORD("@2", "$4", "b"));
    assert_int_equal(catalog_named(catalog, NODE(1) + 1, "a", collect, &ids), 0);
    assert_int_equal(ids.count, 3);
    assert_int_equal(ids.id[0], NODE(2));
    assert_int_equal(ids.id[1], NODE(3));
    assert_int_equal(ids.id[2], NODE(4));
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "a", &node), 0);
    assert_int_equal(node.id, NODE(2));
    assert_int_equal(node_get(catalog, NODE(4)).instance, 2);
    assert_int_equal(catalog_path(catalog, NODE(2), &path, &plain), 0);
    assert_true(plain);
    free(path);
    assert_int_equal(catalog_path(catalog, NODE(5), &path, &plain), 0);
    assert_false(plain); /* its folder is one of several */
    free(path);
    /* The first gone, the next one is found; its number stays. */
    entry_ok(catalog, 6,
             "{'act':'record.discard','object':'@1','key':'1','node':'$2','private':{'parent':"
             "'$1+1','name':'a','uid':1}}");
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "a", &node), 0);
    assert_int_equal(node.id, NODE(3));
    assert_int_equal(node.instance, 1);
    check(catalog);
}

static int stop_at_second(void *context, const struct catalog_node *node)
{
    (void)node;
    return ++*(int *)context == 2 ? 77 : 0;
}

/* A callback that stops must leave the statement usable. */
static void test_stop(void **state)
{
    struct catalog *catalog = *state;

    for (int round = 0; round < 3; round++) {
        int seen = 0;
        assert_int_equal(catalog_children(catalog, CATALOG_ROOT, 0, stop_at_second, &seen), 77);
        assert_int_equal(seen, 2);
        assert_int_equal(children(catalog, CATALOG_ROOT, 0).count, 6);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixed, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_not_found, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_case, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_folders, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_provisional, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_twins, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_several_of_one_name, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_stop, open_catalog, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
