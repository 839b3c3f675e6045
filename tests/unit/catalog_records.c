/* Records: their life before the seal, versions, instances of one name, filing and stubs, records
 * whose key is destroyed. */
#include "tests/unit/catalog_entries.h"

#define YEAR "{'act':'year.open','year':2026,'uid':1}"
#define CASE                                                                       \
    "{'act':'case.open','year':2026,'name':'c','stages':['s1','s2'],'drafts':'d'," \
    "'provisional':true,'uid':1,'client':''}"
#define RECORD(object, name)                               \
    "{'act':'record.create','object':'" object             \
    "','key':'1','private':{'parent':'$1+1','name':'" name \
    "','uid':7,'client':'10.1.2.3','draft':false,'junk':false}}"
#define SEAL(object, state_word)                                                     \
    "{'act':'record.seal','object':'" object "','key':'1','size':'9','sha256':'#1'," \
    "'tag_root':'#2','header_sha256':'#3','mtime':'-5','state':'" state_word         \
    "','salvaged':true,'holes':[['1','2']],'hole_count':70,'empty':false}"
#define VERSION(object, node, previous)                                     \
    "{'act':'record.version','object':'" object "','key':'1','node':'" node \
    "','previous':'" previous "','private':{'uid':8,'client':'c2'}}"
#define DISCARD(object, node)                                               \
    "{'act':'record.discard','object':'" object "','key':'1','node':'" node \
    "','private':{'uid':8,'name':'n','parent':'$1+1'}}"
#define MARK(object, node)                                                     \
    "{'act':'record.incomplete','object':'" object "','key':'1','node':'" node \
    "','private':{'uid':8,'reason':'r'}}"
#define FILE_TO(object, node, parent, name, from_parent, from_name)                 \
    "{'act':'record.file','object':'" object "','key':'1','node':'" node            \
    "','private':{'parent':'" parent "','name':'" name                              \
    "','uid':9,'reason':'','from_parent':'" from_parent "','from_name':'" from_name \
    "','again':false}}"

static int open_case(void **state)
{
    if (open_catalog(state) != 0)
        return -1;
    entry_ok(*state, 0, YEAR);
    entry_ok(*state, 1, CASE);
    return 0;
}

static void test_life(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_node node;
    struct catalog_version v;
    uint8_t hash[32];

    entry_ok(catalog, 2, RECORD("@1", "a"));
    node = node_get(catalog, NODE(2));
    assert_int_equal(node.kind, CATALOG_KIND_RECORD);
    assert_int_equal(node.uid, 7);
    assert_int_equal(node.version.state, CATALOG_STAGING);
    assert_int_equal(node.version.create_index, 2);
    assert_int_equal(node.version.node, NODE(2));
    assert_int_equal(node.version.key_id, 1);
    assert_string_equal(node.version.client, "10.1.2.3");
    assert_false(node.version.closed);
    entry_ok(catalog, 3, "{'act':'record.close','object':'@1','key':'1','size':'5','mtime':'-3'}");
    node = node_get(catalog, NODE(2));
    assert_true(node.version.closed);
    assert_int_equal(node.version.size, 5);
    assert_int_equal(node.version.mtime_ns, -3);
    entry_ok(catalog, 4, "{'act':'record.reopen','object':'@1','key':'1'}");
    assert_false(node_get(catalog, NODE(2)).version.closed);
    entry_ok(catalog, 5,
             "{'act':'record.rename','object':'@1','key':'1','node':'$2','private':{'parent':"
             "'$1+255','name':'b','uid':7,'draft':true,'junk':true}}");
    node = node_get(catalog, NODE(2));
    assert_true(node.draft && node.junk);
    assert_int_equal(node.changed_ns, TIME_NS(5));
    assert_int_equal(node.created_ns, TIME_NS(2));
    path_is(catalog, NODE(2), "/2026/c/d/b");
    entry_ok(catalog, 6, SEAL("@1", "incomplete"));
    v = version_get(catalog, 1);
    assert_int_equal(v.state, CATALOG_INCOMPLETE);
    assert_true(v.salvaged && v.closed && !v.empty && !v.marked);
    assert_int_equal(v.size, 9);
    assert_int_equal(v.mtime_ns, -5);
    assert_int_equal(v.hole_count, 70);
    assert_int_equal(v.seal_index, 6);
    assert_int_equal(v.sealed_ns, TIME_NS(6));
    hash_of(1, hash);
    assert_memory_equal(v.sha256, hash, 32);
    hash_of(2, hash);
    assert_memory_equal(v.tag_root, hash, 32);
    hash_of(3, hash);
    assert_memory_equal(v.header_sha256, hash, 32);
    assert_int_equal(node_get(catalog, NODE(2)).changed_ns, TIME_NS(6));
    check(catalog);
}

static void test_discard_gone(void **state)
{
    struct catalog *catalog = *state;
    struct vault_object_id id = object_id(1);
    struct catalog_version version;
    struct catalog_node node;

    entry_ok(catalog, 2, RECORD("@1", "a"));
    entry_ok(catalog, 3, DISCARD("@1", "$2"));
    assert_int_equal(catalog_get(catalog, NODE(2), &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_object(catalog, &id, &version), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "a", &node), SR_ERR_NOT_FOUND);
    check(catalog);
}

static int collect_states(void *context, const struct catalog_version *version)
{
    static const char letters[] = "gsix"; /* staging, sealed, incomplete, superseded */
    char letter[3] = {letters[version->state], version->pending_supersede ? '!' : '\0', '\0'};

    strcat(context, letter);
    return 0;
}

/* All versions of the node, oldest first; '!' is pending_supersede. */
static void states_are(struct catalog *catalog, uint64_t node, const char *expected)
{
    char states[64] = "";

    assert_int_equal(catalog_versions(catalog, node, collect_states, states), 0);
    assert_string_equal(states, expected);
    check(catalog);
}

static void current_is(struct catalog *catalog, uint64_t node, unsigned object)
{
    struct vault_object_id id = object_id(object);
    struct catalog_node n = node_get(catalog, node);

    assert_memory_equal(n.version.object.bytes, id.bytes, sizeof(id.bytes));
    assert_false(n.version.pending_supersede);
}

/* Written over before the seal, three times over. */
static void test_versions_of_staging(void **state)
{
    struct catalog *catalog = *state;

    entry_ok(catalog, 2, RECORD("@1", "a"));
    entry_ok(catalog, 3, VERSION("@2", "$2", "@1"));
    states_are(catalog, NODE(2), "g!g");
    current_is(catalog, NODE(2), 2);
    assert_int_equal(node_get(catalog, NODE(2)).version.uid, 8);
    assert_int_equal(node_get(catalog, NODE(2)).uid, 7); /* the record's maker stays */
    entry_ok(catalog, 4, VERSION("@3", "$2", "@2"));
    states_are(catalog, NODE(2), "g!g!g");
    entry_ok(catalog, 5, SEAL("@1", "sealed"));
    states_are(catalog, NODE(2), "xg!g");
    entry_ok(catalog, 6, DISCARD("@3", "$2")); /* the one before is current again, and plain */
    states_are(catalog, NODE(2), "xg");
    current_is(catalog, NODE(2), 2);
    entry_ok(catalog, 7, SEAL("@2", "sealed"));
    states_are(catalog, NODE(2), "xs");
    current_is(catalog, NODE(2), 2);
}

static void test_discard_of_old_version(void **state)
{
    struct catalog *catalog = *state;

    entry_ok(catalog, 2, RECORD("@1", "a"));
    entry_ok(catalog, 3, VERSION("@2", "$2", "@1"));
    entry_ok(catalog, 4, DISCARD("@1", "$2"));
    states_are(catalog, NODE(2), "g");
    current_is(catalog, NODE(2), 2);
    entry_ok(catalog, 5, DISCARD("@2", "$2"));
    assert_int_equal(catalog_get(catalog, NODE(2), &(struct catalog_node){0}), SR_ERR_NOT_FOUND);
    check(catalog);
}

/* An incomplete record takes a new copy; if that is given up, it is incomplete as before. */
static void test_version_of_incomplete(void **state)
{
    struct catalog *catalog = *state;

    entry_ok(catalog, 2, RECORD("@1", "a"));
    entry_ok(catalog, 3, SEAL("@1", "sealed"));
    entry_ok(catalog, 4, MARK("@1", "$2"));
    states_are(catalog, NODE(2), "i");
    assert_true(node_get(catalog, NODE(2)).version.marked);
    entry_ok(catalog, 5, VERSION("@2", "$2", "@1"));
    states_are(catalog, NODE(2), "xg");
    entry_ok(catalog, 6, DISCARD("@2", "$2"));
    states_are(catalog, NODE(2), "i");
    current_is(catalog, NODE(2), 1);
    entry_ok(catalog, 7, VERSION("@3", "$2", "@1"));
    entry_ok(catalog, 8, SEAL("@3", "sealed"));
    states_are(catalog, NODE(2), "xs");
    current_is(catalog, NODE(2), 3);
}

/* The seal of the old version is projected after its node has taken the next one, or lost it. */
static void test_late_seals(void **state)
{
    struct catalog *catalog = *state;

    entry_ok(catalog, 2, RECORD("@1", "a"));
    entry_ok(catalog, 4, VERSION("@2", "$2", "@1"));
    entry_ok(catalog, 3, SEAL("@1", "incomplete"));
    states_are(catalog, NODE(2), "xg");
    current_is(catalog, NODE(2), 2);
    entry_ok(catalog, 6, DISCARD("@2", "$2"));
    states_are(catalog, NODE(2), "i");
    /* Sealed while it was superseded; the only one left, it is what its content is. */
    entry_ok(catalog, 7, RECORD("@3", "b"));
    entry_ok(catalog, 8, VERSION("@4", "$7", "@3"));
    entry_ok(catalog, 9, SEAL("@3", "sealed"));
    entry_ok(catalog, 10, DISCARD("@4", "$7"));
    states_are(catalog, NODE(7), "s");
    current_is(catalog, NODE(7), 3);
}

static void test_instances(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_node node;

    for (unsigned i = 0; i < 3; i++) {
        char text[256];
        snprintf(text, sizeof(text),
                 "{'act':'record.create','object':'@%u','key':'1','private':{'parent':'$1+1',"
                 "'name':'a','uid':7,'client':'','draft':false,'junk':false}}",
                 i + 1);
        entry_ok(catalog, 2 + i, text);
        assert_int_equal(node_get(catalog, NODE(2 + i)).instance, i);
    }
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "a", &node), 0);
    assert_int_equal(node.id, NODE(2)); /* the first */
    entry_ok(catalog, 5, DISCARD("@1", "$2"));
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "a", &node), 0);
    assert_int_equal(node.id, NODE(3));
    /* Renamed to its own name: nothing happens to the instance. To another and back: the next. */
    entry_ok(catalog, 6,
             "{'act':'record.rename','object':'@2','key':'1','node':'$3','private':{'parent':"
             "'$1+1','name':'a','uid':7,'draft':false,'junk':false}}");
    assert_int_equal(node_get(catalog, NODE(3)).instance, 1);
    entry_ok(catalog, 7,
             "{'act':'record.rename','object':'@2','key':'1','node':'$3','private':{'parent':"
             "'$1+1','name':'b','uid':7,'draft':false,'junk':false}}");
    assert_int_equal(node_get(catalog, NODE(3)).instance, 0);
    entry_ok(catalog, 8,
             "{'act':'record.rename','object':'@2','key':'1','node':'$3','private':{'parent':"
             "'$1+1','name':'a','uid':7,'draft':false,'junk':false}}");
    assert_int_equal(node_get(catalog, NODE(3)).instance, 3);
    check(catalog);
}

static void test_stubs(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_node node;
    bool empty;

    entry_ok(catalog, 2, RECORD("@1", "a"));
    entry_ok(catalog, 3, SEAL("@1", "sealed"));
    entry_ok(catalog, 4, FILE_TO("@1", "$2", "$1+2", "b", "$1+1", "a"));
    path_is(catalog, NODE(2), "/2026/c/s2/b");
    node = node_get(catalog, NODE(4));
    assert_int_equal(node.kind, CATALOG_KIND_STUB);
    assert_int_equal(node.moved_to, NODE(2));
    assert_int_equal(node.uid, 9);
    assert_int_equal(node.instance, 0);
    path_is(catalog, NODE(4), "/2026/c/s1/a");
    assert_int_equal(catalog_is_empty(catalog, NODE(1) + 1, &empty), 0);
    assert_false(empty);
    entry_ok(catalog, 5, FILE_TO("@1", "$2", "$1+255", "b", "$1+2", "b"));
    path_is(catalog, NODE(2), "/2026/c/d/b");
    assert_int_equal(node_get(catalog, NODE(4)).moved_to, NODE(2));
    assert_int_equal(node_get(catalog, NODE(5)).moved_to, NODE(2));
    /* A new record where the stub stands is another instance, and what a look-up finds. */
    entry_ok(catalog, 6, RECORD("@2", "a"));
    assert_int_equal(node_get(catalog, NODE(6)).instance, 1);
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "a", &node), 0);
    assert_int_equal(node.id, NODE(6));
    /* Filed before its seal and then discarded: no stub leads to nothing. */
    entry_ok(catalog, 7, FILE_TO("@2", "$6", "$1+2", "z", "$1+1", "a"));
    assert_int_equal(node_get(catalog, NODE(7)).moved_to, NODE(6));
    entry_ok(catalog, 8, DISCARD("@2", "$6"));
    assert_int_equal(catalog_get(catalog, NODE(7), &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_lookup(catalog, NODE(1) + 1, "a", &node), 0);
    assert_int_equal(node.id, NODE(4));
    check(catalog);
}

/* Without the private parts: where and what it was called is lost, what was sealed is known. */
static void test_destroyed(void **state)
{
    static const char *const entries[] = {
        "{'act':'record.create','object':'@1','key':'1'}",
        "{'act':'record.rename','object':'@1','key':'1','node':'$2'}",
        "{'act':'record.close','object':'@1','key':'1','size':'9','mtime':'1'}",
        SEAL("@1", "sealed"),
        "{'act':'record.incomplete','object':'@1','key':'1','node':'$2'}",
        "{'act':'record.file','object':'@1','key':'1','node':'$2'}",
        "{'act':'record.version','object':'@2','key':'1','node':'$2','previous':'@1'}",
        "{'act':'record.discard','object':'@2','key':'1','node':'$2'}",
        "{'act':'record.create','object':'@3','key':'1'}",
        "{'act':'record.discard','object':'@3','key':'1','node':'$10'}",
    };
    struct catalog *catalog = *state;
    struct catalog_node node;
    struct ids ids = {.count = 0};

    entries_ok(catalog, 2, entries, sizeof(entries) / sizeof(entries[0]));
    node = node_get(catalog, NODE(2));
    assert_string_equal(node.name, "(已销毁)");
    assert_int_equal(node.parent, 0);
    assert_int_equal(node.uid, UINT32_MAX);
    assert_int_equal(node.version.state, CATALOG_INCOMPLETE);
    assert_int_equal(node.version.size, 9);
    path_is(catalog, NODE(2), "/(已销毁)");
    assert_int_equal(catalog_get(catalog, NODE(10), &node), SR_ERR_NOT_FOUND);
    assert_int_equal(catalog_search(catalog, "已销毁", 10, collect, &ids), 0);
    assert_int_equal(ids.count, 0);
    check(catalog);
}

static int count_version(void *context, const struct catalog_version *version)
{
    uint64_t *last = context;

    assert_true(version->create_index > *last);
    *last = version->create_index;
    return 0;
}

static void test_questions(void **state)
{
    static const char *const entries[] = {
        RECORD("@1", "a"),         RECORD("@2", "b"),    RECORD("@3", "c"),    RECORD("@4", "d"),
        VERSION("@5", "$5", "@4"), SEAL("@3", "sealed"), SEAL("@1", "sealed"), SEAL("@4", "sealed"),
    };
    struct catalog *catalog = *state;
    struct ids ids = {.count = 0};
    uint64_t last = 0;
    uint8_t hash[32];

    entries_ok(catalog, 2, entries, sizeof(entries) / sizeof(entries[0]));
    hash_of(1, hash);
    assert_int_equal(catalog_same_content(catalog, hash, collect, &ids), 0);
    assert_int_equal(ids.count, 2); /* not the superseded one */
    assert_int_equal(ids.id[0], NODE(2));
    assert_int_equal(ids.id[1], NODE(4));
    ids.count = 0;
    hash_of(2, hash);
    assert_int_equal(catalog_same_content(catalog, hash, collect, &ids), 0);
    assert_int_equal(ids.count, 0);
    assert_int_equal(catalog_records_of(catalog, 7, 3, collect, &ids), 0);
    assert_int_equal(ids.count, 3);
    assert_int_equal(ids.id[0], NODE(5)); /* newest first */
    assert_int_equal(ids.id[2], NODE(3));
    ids.count = 0;
    assert_int_equal(catalog_records_of(catalog, 7, SIZE_MAX, collect, &ids), 0);
    assert_int_equal(ids.count, 4);
    ids.count = 0;
    assert_int_equal(catalog_records_of(catalog, 1, 10, collect, &ids), 0); /* made the case only */
    assert_int_equal(ids.count, 0);
    assert_int_equal(catalog_each_version(catalog, count_version, &last), 0);
    assert_int_equal(last, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_discard_gone, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_versions_of_staging, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_discard_of_old_version, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_version_of_incomplete, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_late_seals, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_instances, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_stubs, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_destroyed, open_case, close_catalog),
        cmocka_unit_test_setup_teardown(test_questions, open_case, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
