/* The language of search, what fits a query, and the pieces of text around it. */
#include "tests/unit/catalog_entries.h"

#include "base/text.h"
#include "catalog/search.h"

/* --- the language --- */

static struct search_query parsed;

static void parse(const char *text)
{
    char sentence[SEARCH_SENTENCE_MAX];
    if (!search_parse(text, &parsed, sentence))
        fail_msg("%s: %s", text, sentence);
}

static void refused(const char *text, const char *words)
{
    char sentence[SEARCH_SENTENCE_MAX];
    if (search_parse(text, &parsed, sentence))
        fail_msg("%s was taken", text);
    if (strstr(sentence, words) == NULL)
        fail_msg("%s: %s", text, sentence);
}

static void term_is(size_t i, enum search_column column, bool negated, const char *text)
{
    assert_true(i < parsed.count);
    assert_int_equal(parsed.terms[i].column, column);
    assert_int_equal(parsed.terms[i].negated, negated);
    assert_string_equal(parsed.terms[i].text, text);
}

static void range_is(const struct search_range *range, int64_t min, int64_t max)
{
    if (range->min != min || range->max != max)
        fail_msg("%lld to %lld, not %lld to %lld", (long long)range->min, (long long)range->max,
                 (long long)min, (long long)max);
}

static void test_terms(void **state)
{
    (void)state;
    parse("强制 \"行政 处罚\" -草稿 采集人:张三 地点：“利州 区” -设备:手机");
    assert_int_equal(parsed.count, 6);
    term_is(0, SEARCH_ANY, false, "强制");
    term_is(1, SEARCH_ANY, false, "行政 处罚");
    term_is(2, SEARCH_ANY, true, "草稿");
    term_is(3, SEARCH_PERSON, false, "张三");
    term_is(4, SEARCH_PLACE, false, "利州 区");
    term_is(5, SEARCH_DEVICE, true, "手机");
    assert_false(parsed.conditions);
    parse("全文:强制　PERSON:zhang \"a:b\" 2026 a-b 2026-13 10:30");
    term_is(0, SEARCH_TEXT, false, "强制");
    term_is(1, SEARCH_PERSON, false, "zhang");
    term_is(2, SEARCH_ANY, false, "a:b");
    term_is(3, SEARCH_ANY, false, "2026");
    term_is(4, SEARCH_ANY, false, "a-b");
    term_is(5, SEARCH_ANY, false, "2026-13");
    term_is(6, SEARCH_ANY, false, "10:30");
}

static void test_conditions(void **state)
{
    (void)state;
    parse("类型:视频 类型:音频 时长>10m 时长<=1小时30分 大小>=1G 密级:内部 发送人:li 入卷:否");
    assert_true(parsed.conditions);
    assert_int_equal(parsed.count, 0);
    assert_int_equal(parsed.types, 1u << SEARCH_VIDEO | 1u << SEARCH_AUDIO);
    range_is(&parsed.duration, 600000 + 1000, 5400000 + 999);
    range_is(&parsed.size, INT64_C(1) << 30, INT64_MAX);
    assert_int_equal(parsed.levels, 2);
    assert_string_equal(parsed.sender, "li");
    assert_int_equal(parsed.entered, 0);
    parse("2026-03..2026-06");
    range_is(&parsed.when, sr_day_number(2026, 3, 1), sr_day_number(2026, 6, 30));
    parse("2024/02 时间:2026 入库：2026-03-05.. ");
    range_is(&parsed.when, sr_day_number(2024, 2, 1), sr_day_number(2024, 2, 29));
    range_is(&parsed.captured, sr_day_number(2026, 1, 1), sr_day_number(2026, 12, 31));
    range_is(&parsed.sealed, sr_day_number(2026, 3, 5), INT64_MAX);
    parse("入库>2026-03 时间＜2026-03-05 时长:1m..2m 大小:..500K");
    range_is(&parsed.sealed, sr_day_number(2026, 4, 1), INT64_MAX);
    range_is(&parsed.captured, INT64_MIN, sr_day_number(2026, 3, 4));
    range_is(&parsed.duration, 60000, 120999);
    range_is(&parsed.size, INT64_MIN, 500 * 1024 + 1023);
}

static void test_wrong_queries(void **state)
{
    char text[SEARCH_TEXT_MAX + 2];
    (void)state;
    refused("", "没有要找的内容");
    refused("   ", "没有要找的内容");
    refused("-强制", "只有要排除的词");
    refused("颜色:红", "没有“颜色”这一项");
    refused("a 颜色：红", "第 3 个字节起");
    refused("https://x", "请加引号");
    refused("\"强制", "引号没有结束");
    refused("时长:很长", "时长写法");
    refused("时长>1m..2m", "时长写法");
    refused("大小:5X", "大小写法");
    refused("时间:2026-02-30", "日期写法");
    refused("时间:..", "日期写法");
    refused("类型:纸", "类型是");
    refused("类型>视频", "只能用冒号");
    refused("地点>甲", "只能用冒号");
    refused("密级:5", "密级是");
    refused("入卷:也许", "入卷是");
    refused("地点:", "没有内容");
    refused("-类型:视频", "减号");
    refused("-全文:强制", "减号");
    refused("a b c d e f g h i j k l m n o p q", "条件过多");
    refused("\xff", "UTF-8");
    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    refused(text, "1024");
}

/* --- what fits --- */

#define CREATE(object, key, name)                                                              \
    "{'act':'record.create','object':'" object "','key':'" key "','private':{'parent':'$1+1'," \
    "'name':'" name "','uid':7,'client':'','draft':false,'junk':false}}"
#define SEAL(object, key, size)                                                          \
    "{'act':'record.seal','object':'" object "','key':'" key "','size':'" size           \
    "','sha256':'#1','tag_root':'#1','header_sha256':'#1','mtime':'1','state':'sealed'," \
    "'salvaged':false,'holes':[],'hole_count':0,'empty':false}"
#define INDEX(object, key, node, text, media, labels)                           \
    "{'act':'record.index','object':'" object "','key':'" key "','node':'" node \
    "','outcome':'described','rules':1," text "'private':{'media':{" media "}" labels "}}"
#define TEXT_OBJECT(n)                                                                      \
    "'text':{'object':'@" n "','key':'9" n "','size':'90','sha256':'#20','tag_root':'#21'," \
    "'header_sha256':'#22'},"

/* Records 2 (video), 5 (document with a text), 8 (not looked into). */
static const char *const store[] = {
    /* 0 */ "{'act':'year.open','year':2026,'uid':1}",
    /* 1 */
    "{'act':'case.open','year':2026,'name':'桐卫医罚〔2026〕7号','stages':['s'],'drafts':'d',"
    "'provisional':true,'uid':1,'client':''}",
    /* 2 */ CREATE("@1", "1", "VID_20260305_140322.mp4"),
    /* 3 */ SEAL("@1", "1", "5000000"),
    /* 4 */
    INDEX("@1", "1", "$2", "", "'type':'video/mp4','duration_ms':725000",
          ",'labels':[{'label':'captured','value':'2026-03-05T14:03:22+08:00','source':'name'}]"),
    /* 5 */ CREATE("@2", "2", "询问笔录.docx"),
    /* 6 */ SEAL("@2", "2", "2000"),
    /* 7 */
    INDEX("@2", "2", "$5", TEXT_OBJECT("30"), "'type':'application/vnd.oasis.opendocument.text'",
          ""),
    /* 8 */ CREATE("@3", "3", "照片.jpg"),
    /* 9 */
    "{'act':'record.label','object':'@1','key':'1','node':'$2','private':{'uid':7,'source':'tool',"
    "'labels':[{'label':'place','value':'利州区东坝街道'},{'label':'person','value':'张三'},"
    "{'label':'subject','value':'91350100M000100Y43'},{'label':'summary','value':'承认强制','"
    "offset_ms':'5'}]}}",
    /* 10 */
    "{'act':'user.add','uid':7,'account':'zhang','name':'张三','roles':['officer']}",
};
#define STORE_LEN (sizeof(store) / sizeof(store[0]))

static int open_store(void **state)
{
    if (open_catalog(state) != 0)
        return -1;
    entries_ok(*state, 0, store, STORE_LEN);
    return 0;
}

/* expected: indexes of records, oldest first, ending with 0. */
static void finds(struct catalog *catalog, const char *text, const unsigned *expected)
{
    struct catalog_hits hits;
    size_t count = 0;
    parse(text);
    if (catalog_query(catalog, &parsed, &hits) < 0)
        fail_msg("%s: %s", text, sr_error_message());
    for (; expected[count] != 0; count++)
        if (count >= hits.count || hits.items[count].node != NODE(expected[count]))
            fail_msg("%s: hit %zu is not %u", text, count, expected[count]);
    if (hits.count != count)
        fail_msg("%s: %zu hits, not %zu", text, hits.count, count);
    catalog_hits_free(&hits);
}
#define FINDS(text, ...) finds(*state, text, (const unsigned[]){__VA_ARGS__, 0})
#define FINDS_NONE(text) finds(*state, text, (const unsigned[]){0})

static void fill(struct catalog *catalog, const char *text)
{
    struct object_expectation expected;
    struct catalog_version version;
    uint64_t waiting;
    assert_int_equal(catalog_untexted(catalog, 0, &version, &expected), 0);
    assert_int_equal(expected.size, 90);
    assert_int_equal(catalog_text_index(catalog, &version, text), 0);
    assert_int_equal(catalog_untexted_count(catalog, &waiting), 0);
    assert_int_equal(waiting, 0);
    assert_int_equal(catalog_untexted(catalog, 0, &version, &expected), SR_ERR_NOT_FOUND);
}

static void test_hits(void **state)
{
    FINDS("笔录", 5);
    FINDS("卫医", 1); /* the case, not all in it */
    FINDS("案件:卫医", 2, 5, 8);
    FINDS("案件:卫医 -照片", 2, 5);
    FINDS("地点:东坝", 2);
    FINDS("东坝", 2);
    FINDS("采集人:张三 对象:91350100m000100y43", 2);
    FINDS_NONE("地点:张三");
    FINDS("对话:强制", 2);
    FINDS_NONE("强制 -VID");
    FINDS("类型:视频", 2);
    FINDS("类型:视频 类型:文档", 2, 5);
    FINDS("时长>10m", 2);
    FINDS_NONE("时长>13m");
    FINDS("时长:12m5s", 2);
    FINDS("大小>1M", 2);
    FINDS("大小<1M", 5, 8); /* what is being written has a size, too */
    FINDS("2026-03", 2);
    FINDS("时间:2026-03-05", 2);
    FINDS_NONE("时间:2026-03-06..");
    FINDS("入库:2026-01-01", 2, 5); /* sealed seconds after the new year */
    FINDS("2026-01-01", 5);         /* and captured: the one that has no time of its own */
    FINDS("发送人:zhang", 2, 5, 8);
    FINDS("发送人:张三 类型:文档", 5);
    FINDS_NONE("发送人:li");
    FINDS("入卷:否", 2, 5, 8);
    FINDS("密级:公开 照片", 8);
    FINDS_NONE("密级:秘密");
}

static void test_texts(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_hits hits;
    FINDS_NONE("全文:无证");
    fill(catalog, "当事人某某Café在未取得许可证的情况下无证经营，予以强制");
    FINDS("全文:无证", 5);
    FINDS("无证", 5);
    FINDS("强制", 2, 5);
    FINDS("强制 笔录", 5); /* one in the text, one in the name */
    FINDS("cafe\xcc\x81", 5);
    FINDS("强制 东坝", 2);
    FINDS("强制 -东坝", 5);
    FINDS("笔录 -强制",
          5); /* what stands in a text excludes nothing: it may not be for the asker */
    parse("强制");
    assert_int_equal(catalog_query(catalog, &parsed, &hits), 0);
    assert_false(hits.items[0].by_text);
    assert_true(hits.items[1].by_text);
    catalog_hits_free(&hits);
    check(catalog);
    /* Looked at again: the text before is not found any more. */
    entry_ok(catalog, STORE_LEN,
             INDEX("@2", "2", "$5", TEXT_OBJECT("31"), "'type':'application/pdf'", ""));
    fill(catalog, "另外的文字");
    FINDS_NONE("全文:无证");
    FINDS("全文:另外", 5);
    /* And again without any text. */
    entry_ok(catalog, STORE_LEN + 1, INDEX("@2", "2", "$5", "", "'type':'application/pdf'", ""));
    FINDS_NONE("全文:另外");
    FINDS("类型:文档", 5);
    entry_ok(catalog, STORE_LEN + 2,
             INDEX("@2", "2", "$5", TEXT_OBJECT("32"), "'type':'application/pdf'", ""));
    fill(catalog, "第三次");
    FINDS("全文:第三次", 5);
    check(catalog);
}

/* What changes is found as it is now. */
static void test_follows(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_hits hits;
    FINDS("地点:东坝", 2);
    entry_ok(catalog, STORE_LEN,
             "{'act':'record.label','object':'@1','key':'1','node':'$2','private':{'uid':7,'source'"
             ":'tool',"
             "'labels':[{'label':'place','value':'城东市场'}]}}");
    FINDS_NONE("地点:东坝");
    FINDS("地点:市场", 2);
    entry_ok(catalog, STORE_LEN + 1,
             "{'act':'classify','node':'$1','level':1,'until':'','marks':[],'approver':'','reason':"
             "'r','uid':1}");
    FINDS("密级:内部", 2, 5, 8);
    entry_ok(catalog, STORE_LEN + 2,
             "{'act':'record.enter','object':'@1','key':'1','node':'$2','case':'$1','series':'1.0',"
             "'number':'1'}");
    FINDS("入卷:是", 2);
    FINDS_NONE("照片 大小>2K"); /* the index has it, with no size yet */
    entry_ok(catalog, STORE_LEN + 3,
             "{'act':'record.close','object':'@3','key':'3','size':'4096','mtime':'1'}");
    FINDS("照片 大小>2K", 8);
    entry_ok(catalog, STORE_LEN + 4,
             "{'act':'record.discard','object':'@3','key':'3','node':'$8','private':{'uid':7,'name'"
             ":'照片.jpg','parent':'$1+1'}}");
    FINDS_NONE("照片");
    FINDS("发送人:zhang", 2, 5);
    parse("案件:卫医");
    assert_int_equal(catalog_query(catalog, &parsed, &hits), 0);
    assert_int_equal(hits.groups[hits.items[0].group].anchor, NODE(1));
    assert_int_equal(hits.groups[hits.items[0].group].level, 1);
    assert_int_equal(hits.groups[hits.items[0].group].uid, 7);
    assert_true(hits.groups[hits.items[0].group].sealed);
    assert_int_equal(hits.items[0].group, hits.items[1].group);
    catalog_hits_free(&hits);
    check(catalog);
}

/* --- snippets --- */

static void snippet_is(const char *query, const char *text, const char *expected)
{
    char out[SNIPPET_MAX + 1];
    parse(query);
    if (search_snippet(&parsed, text, strlen(text), out) != (expected != NULL))
        fail_msg("%s in %s", query, text);
    if (expected != NULL)
        assert_string_equal(out, expected);
    assert_true(sr_utf8_valid(out, strlen(out)));
}

static void test_snippets(void **state)
{
    char text[4096] = "", out[SNIPPET_MAX + 1];
    (void)state;
    snippet_is("强制", "予以\n\t强制 执行", "予以 【强制】 执行");
    snippet_is("Act 强制", "An act, in fact: 强制ACT", "An 【act】, in fact: 【强制】【ACT】");
    snippet_is("没有", "予以强制", NULL);
    snippet_is("-强制 予以", "予以强制", "【予以】强制");
    snippet_is("地点:强制", "予以强制", NULL);
    for (int i = 0; i < 100; i++)
        strcat(text, "中文字符");
    strcat(text, "强制");
    for (int i = 0; i < 100; i++)
        strcat(text, "甲乙丙丁");
    parse("强制");
    assert_true(search_snippet(&parsed, text, strlen(text), out));
    assert_true(strncmp(out, "…", 3) == 0 && strcmp(out + strlen(out) - 3, "…") == 0);
    assert_non_null(strstr(out, "符【强制】甲"));
    assert_true(sr_utf8_valid(out, strlen(out)));
    assert_true(strlen(out) <= SNIPPET_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_wrong_queries),
        cmocka_unit_test_setup_teardown(test_hits, open_store, close_catalog),
        cmocka_unit_test_setup_teardown(test_texts, open_store, close_catalog),
        cmocka_unit_test_setup_teardown(test_follows, open_store, close_catalog),
        cmocka_unit_test(test_snippets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
