/* Searching names: Chinese words of one and two characters, prefixes, text like syntax. */
#include "tests/unit/catalog_entries.h"

static const char *const names[] = {
    /* node 2 */ "VID_20260301_0001 询问笔录.mp4",
    /* node 3 */ "现场勘验笔录.docx",
    /* node 4 */ "听证告知书〔2026〕12号.pdf",
    /* node 5 */ "录音笔.wav",
    /* node 6 */ "Protokoll ÄRZTE.txt",
    /* node 7 */ "桐",
    /* node 8 */ "\xf0\xa0\xae\xb7野家.txt", /* U+20BB7, beyond the basic plane */
    /* node 9 */ "протокол допроса.txt",
    /* node 10 */ "２０２６年ＡＢＣ.txt", /* full-width */
    /* node 11 */ "AND NEAR(a b) OR x*.txt",
};
#define NAMES (sizeof(names) / sizeof(names[0]))

static int open_names(void **state)
{
    struct catalog *catalog;

    if (open_catalog(state) != 0)
        return -1;
    catalog = *state;
    entry_ok(catalog, 0, "{'act':'year.open','year':2026,'uid':1}");
    entry_ok(catalog, 1,
             "{'act':'case.open','year':2026,'name':'桐卫医罚〔2026〕7号','stages':['s'],"
             "'drafts':'草稿','provisional':true,'uid':1,'client':''}");
    for (size_t i = 0; i < NAMES; i++) {
        json_t *entry = entry_make(2 + i, "{'act':'record.create','key':'1','private':{'parent':"
                                          "'$1+1','uid':7,'client':'','draft':false,"
                                          "'junk':false}}");
        struct vault_object_id id = object_id((unsigned)i);
        char hex[33];

        sr_hex_encode(id.bytes, sizeof(id.bytes), hex);
        json_object_set_new(entry, "object", json_string(hex));
        json_object_set_new(json_object_get(entry, "private"), "name", json_string(names[i]));
        assert_int_equal(catalog_project(catalog, 2 + i, entry), 0);
        json_decref(entry);
    }
    return 0;
}

/* expected: node indexes, newest first, ending with 0. */
static void finds(struct catalog *catalog, const char *text, const unsigned *expected)
{
    struct ids ids = {.count = 0};
    size_t count = 0;

    if (catalog_search(catalog, text, 50, collect, &ids) != 0)
        fail_msg("%s: %s", text, sr_error_message());
    for (; expected[count] != 0; count++)
        if (count >= ids.count || ids.id[count] != NODE(expected[count]))
            fail_msg("%s: result %zu is not %u", text, count, expected[count]);
    if (ids.count != count)
        fail_msg("%s: found %zu instead of %zu", text, ids.count, count);
}
#define FINDS(text, ...) finds(*state, text, (const unsigned[]){__VA_ARGS__, 0})
#define FINDS_NONE(text) finds(*state, text, (const unsigned[]){0})

static void test_chinese(void **state)
{
    FINDS("笔录", 3, 2); /* not 录音笔 */
    FINDS("录", 5, 3, 2);
    FINDS("笔", 5, 3, 2);
    FINDS("现场勘验笔录", 3);
    FINDS("勘验笔", 3);
    FINDS_NONE("现场笔录"); /* neighbours count */
    FINDS("笔录 现场", 3);  /* words need not */
    FINDS("桐", 7, 1);
    FINDS("桐卫", 1);
    FINDS_NONE("卫桐");
    FINDS("告知书〔2026〕12号", 4);
    FINDS("12号", 4);
    FINDS("\xf0\xa0\xae\xb7", 8);
    FINDS("\xf0\xa0\xae\xb7野", 8);
    FINDS("野家", 8);
}

static void test_words(void **state)
{
    FINDS("VID_2026 笔录", 2);
    FINDS("vid", 2);
    FINDS("0001", 2);
    FINDS_NONE("001"); /* prefixes, not substrings */
    FINDS("2026", 10, 4, 2, 1);
    FINDS("ＶＩＤ", 2);
    FINDS("abc", 10);
    FINDS("ärz", 6);
    FINDS("A\xcc\x88RZTE", 6); /* decomposed */
    FINDS("ПРОТО", 9);
    FINDS("допроса протокол", 9);
    FINDS("proto txt", 6);
    FINDS_NONE("proto pdf");
}

static void test_syntax(void **state)
{
    static const char *const nothing[] = {"",   " ",    "\"",       "*",    "(",
                                          ")",  ":",    "^",        "-",    "+",
                                          "{}", "\"\"", "〔〕，。", "\t\n", "\xef\xbb\xbf"};
    static const char *const absent[] = {"zz\"",       "fold:zz",       "zz*",
                                         "(zz",        "NOT zz",        "zz OR vid",
                                         "\"zz",       "zz^",           "'; DROP TABLE nodes; --",
                                         "vid AND zz", "names MATCH zz"};
    struct catalog_node node;

    for (size_t i = 0; i < sizeof(nothing) / sizeof(nothing[0]); i++)
        FINDS_NONE(nothing[i]);
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        FINDS_NONE(absent[i]);
    FINDS("\"笔录\"", 3, 2);
    FINDS("笔录*", 3, 2);
    FINDS("(vid)", 2);
    FINDS("AND", 11);
    FINDS("near", 11);
    FINDS("x* OR", 11);
    FINDS("AND NEAR(a b) OR x*.txt", 11);
    FINDS("vid:0001", 2);
    /* The tables are still there. */
    assert_int_equal(catalog_get(*state, NODE(2), &node), 0);
}

static void test_refused(void **state)
{
    struct ids ids = {.count = 0};
    char text[2000];

    assert_int_equal(catalog_search(*state, "\xff", 10, collect, &ids), SR_ERR_INVALID);
    assert_int_equal(catalog_search(*state, "笔\xe5\xbd", 10, collect, &ids), SR_ERR_INVALID);
    memset(text, 'q', 1025);
    text[1025] = '\0';
    assert_int_equal(catalog_search(*state, text, 10, collect, &ids), SR_ERR_INVALID);
    text[1024] = '\0';
    assert_int_equal(catalog_search(*state, text, 10, collect, &ids), 0);
    for (size_t i = 0; i < 1024; i++)
        text[i] = i % 2 == 0 ? 'q' : ' ';
    assert_int_equal(catalog_search(*state, text, 10, collect, &ids), SR_ERR_INVALID);
    text[128] = '\0'; /* 64 words */
    assert_int_equal(catalog_search(*state, text, 10, collect, &ids), 0);
    for (size_t i = 0; i + 3 <= 1023; i += 3)
        memcpy(text + i, "录", 3);
    text[1023] = '\0'; /* one run of 341 characters */
    assert_int_equal(catalog_search(*state, text, 10, collect, &ids), 0);
    assert_int_equal(ids.count, 0);
}

static int stop(void *context, const struct catalog_node *node)
{
    (void)context;
    (void)node;
    return -1000;
}

/* The index follows renames, moves, and what is gone; a limit is a limit. */
static void test_changes(void **state)
{
    struct catalog *catalog = *state;
    struct ids ids = {.count = 0};

    FINDS("勘验", 3);
    entry_ok(catalog, 20,
             "{'act':'record.rename','object':'@1','key':'1','node':'$3','private':{'parent':"
             "'$1+1','name':'检查笔录.docx','uid':7,'draft':false,'junk':false}}");
    FINDS_NONE("勘验");
    FINDS("检查", 3);
    FINDS("笔录", 3, 2);
    entry_ok(catalog, 21,
             "{'act':'record.discard','object':'@0','key':'1','node':'$2','private':{'uid':7,"
             "'name':'n','parent':'$1+1'}}");
    FINDS("笔录", 3);
    entry_ok(catalog, 22,
             "{'act':'folder.make','parent':'$1+1','name':'笔录夹','uid':7,"
             "'kind':'folder'}");
    FINDS("笔录", 22, 3);
    entry_ok(catalog, 23,
             "{'act':'folder.rename','node':'$1','parent':'$0','name':'笔录案','uid':"
             "7}");
    FINDS("笔录", 22, 3, 1);
    FINDS_NONE("卫医");
    assert_int_equal(catalog_search(catalog, "笔录", 2, collect, &ids), 0);
    assert_int_equal(ids.count, 2);
    ids.count = 0;
    assert_int_equal(catalog_search(catalog, "笔录", 0, collect, &ids), 0);
    assert_int_equal(ids.count, 0);
    assert_int_equal(catalog_search(catalog, "笔录", 9, stop, NULL), -1000);
    /* A stub is not found, its record is. */
    entry_ok(catalog, 24,
             "{'act':'record.file','object':'@1','key':'1','node':'$3','private':{'parent':'$22',"
             "'name':'归档件.docx','uid':9,'reason':'','from_parent':'$1+1','from_name':"
             "'检查笔录.docx','again':false}}");
    FINDS_NONE("检查");
    FINDS("归档", 3);
    FINDS_NONE("草稿"); /* nor are stages and drafts */
    check(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_chinese, open_names, close_catalog),
        cmocka_unit_test_setup_teardown(test_words, open_names, close_catalog),
        cmocka_unit_test_setup_teardown(test_syntax, open_names, close_catalog),
        cmocka_unit_test_setup_teardown(test_refused, open_names, close_catalog),
        cmocka_unit_test_setup_teardown(test_changes, open_names, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
