/* Label files: lists as stations write them, YAML as people write it, and what is wrong with them by line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <iconv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/probe/charset.h"
#include "media/probe/labelfile.h"
#include "tests/lib/document_rig.h"

static int load(void **state)
{
    (void)state;
    return charset_prepare();
}

/* The text that becomes of a file. */
static void becomes_bytes(const char *name, const void *data, size_t len, const char *expected)
{
    struct document_rig rig;

    document_rig_open_named(&rig, name, data, len);
    assert_int_equal(labelfile_describe(rig.source, rig.answer), 0);
    document_rig_result(&rig);
    assert_string_equal(rig.text.len > 0 ? rig.text.data : "", expected);
    document_rig_close(&rig);
}

static void becomes(const char *name, const char *text, const char *expected)
{
    becomes_bytes(name, text, strlen(text), expected);
}

#define CSV "标签.csv"
#define YAML "标签.yaml"
#define ROW(line, file, labels) \
    "{\"line\":" line ",\"labels\":[" labels "],\"file\":\"" file "\"}\n"
#define ALL(line, labels) "{\"line\":" line ",\"labels\":[" labels "]}\n"
#define LABEL(field, value) "{\"field\":\"" field "\",\"value\":\"" value "\"}"
#define TIMED(field, value, offset) \
    "{\"field\":\"" field "\",\"value\":\"" value "\",\"offset\":\"" offset "\"}"
#define ERROR(line, text) "{\"line\":" line ",\"error\":\"" text "\"}\n"

static const char station[] =
    "文件名,警号,采集时间,采集地点,证明对象,文件大小,编号\r\n"
    "a.mp4,川H001,2026-03-05 14:03:22,\"利州区,东坝街道\",无证经营,123,1\r\n"
    "\r\n"
    "b.mp4, 川H002 ,,\"说：\"\"不知道\"\"\",,,\r\n";
#define STATION_ROWS                                                                              \
    ROW("2", "a.mp4",                                                                             \
        LABEL("person", "川H001") "," LABEL("captured", "2026-03-05 14:03:22") "," LABEL(         \
            "place", "利州区,东坝街道") "," LABEL("proves", "无证经营") "," LABEL("number", "1")) \
    ROW("4", "b.mp4", LABEL("person", "川H002") "," LABEL("place", "说：\\\"不知道\\\""))

static void test_station_list(void **state)
{
    (void)state;
    becomes(CSV, station, STATION_ROWS);
    becomes(
        CSV,
        "\xef\xbb\xbf\n\n文件名\t地点\na\t甲\nb\t乙", /* BOM, empty lines, tabs, no last line end */
        ROW("4", "a", LABEL("place", "甲")) ROW("5", "b", LABEL("place", "乙")));
    becomes(CSV, "文件名;地点\ra;甲,乙\r", ROW("2", "a", LABEL("place", "甲,乙")));
    becomes(CSV, "FILE,Place\na,甲\n", ROW("2", "a", LABEL("place", "甲")));
    becomes(CSV, "文件名,时刻,人员,主要内容,地点\na,00:12:30,张三,承认,甲\n",
            ROW("2", "a",
                TIMED("speaker", "张三", "00:12:30") "," TIMED(
                    "summary", "承认", "00:12:30") "," LABEL("place", "甲")));
    becomes(CSV, "文件名,摄录内容\na,\"两\n行\"\nb,一\n",
            ROW("2", "a", LABEL("content", "两\\n行")) ROW("4", "b", LABEL("content", "一")));
}

static void test_charsets(void **state)
{
    static const char *const charsets[] = {"GB18030", "UTF-16LE", "UTF-16BE"};
    (void)state;
    for (size_t i = 0; i < sizeof charsets / sizeof charsets[0]; i++) {
        char out[4096], *to = out, *from = (char *)station;
        size_t in_left = strlen(station), out_left = sizeof out;
        iconv_t cd = iconv_open(charsets[i], "UTF-8");
        if (i > 0) { /* a mark */
            memcpy(out, i == 1 ? "\xff\xfe" : "\xfe\xff", 2);
            to += 2;
            out_left -= 2;
        }
        assert_int_equal(iconv(cd, &from, &in_left, &to, &out_left), 0);
        iconv_close(cd);
        becomes_bytes(CSV, out, sizeof out - out_left, STATION_ROWS);
    }
}

static void test_bad_lists(void **state)
{
    struct document_rig rig;
    (void)state;
    becomes(CSV, "", ERROR("1", "文件是空的"));
    becomes(CSV, "\n \n", ERROR("1", "文件是空的"));
    becomes(CSV, "地点,采集人\n甲,乙\n", ERROR("1", "标题行没有“文件名”一列，整份未采用"));
    becomes(CSV, "文件名,大小\na,1\n", ERROR("1", "标题行没有一列是标签，整份未采用"));
    becomes(CSV, "文件名,地点\na\nb,甲,乙\nc,丙\n,丁\n",
            ERROR("2", "这一行有 1 列，标题行有 2 列") ERROR("3", "这一行有 3 列，标题行有 2 列")
                ROW("4", "c", LABEL("place", "丙")) ERROR("5", "没有文件名"));
    becomes(CSV, "文件名,地点\na,\"甲\"乙\nb,\"丙\n丁",
            ERROR("2", "引号后面还有字符") ERROR("3", "引号没有结束"));
    becomes(CSV, "文件名,地点,拍摄地点\na,甲,乙\n",
            ERROR("1", "第 3 列和第 2 列是同一项，只采用前一列")
                ROW("2", "a", LABEL("place", "甲")));
    /* Formulas are text, and found. */
    static const char formulas[] = "文件名,地点,时间偏差\na,\"=cmd|'/c calc'!A1\",+90\n";
    document_rig_open_named(&rig, CSV, formulas, strlen(formulas));
    assert_int_equal(labelfile_describe(rig.source, rig.answer), 0);
    document_rig_result(&rig);
    assert_true(document_rig_finding(&rig, "formula"));
    assert_string_equal(
        rig.text.data,
        ROW("2", "a", LABEL("place", "=cmd|'/c calc'!A1") "," LABEL("clock", "+90")));
    document_rig_close(&rig);
}

static void test_yaml(void **state)
{
    (void)state;
    becomes(YAML,
            "采集地点: 利州区东坝街道\n"
            "采集人: 川H001\n"
            "文件:\n"
            "  a.mp4: {证明对象: 无证经营, 采集时间: 2026-03-05 14:03}\n"
            "  b.mp4:\n"
            "    编号: 007\n"
            "    对话:\n"
            "      - {时刻: \"00:12:30\", 人员: 张三, 身份: 店主}\n"
            "      - {主要内容: 承认, 时刻: 00:13:00}\n",
            ROW("4", "a.mp4", LABEL("proves", "无证经营") "," LABEL("captured", "2026-03-05 14:03"))
                ROW("6", "b.mp4",
                    LABEL("number", "007") "," TIMED("speaker", "张三", "00:12:30") "," TIMED(
                        "identity", "店主", "00:12:30") "," TIMED("summary", "承认", "00:13:00"))
                    ALL("1", LABEL("place", "利州区东坝街道") "," LABEL("person", "川H001")));
    becomes("a.mp4.label.yaml", "place: 甲\n", ALL("1", LABEL("place", "甲")));
    becomes(YAML, "- {文件名: a, 地点: 甲}\n- {文件名: b, 地点: 乙}\n",
            ROW("1", "a", LABEL("place", "甲")) ROW("2", "b", LABEL("place", "乙")));
    becomes(YAML, "\xef\xbb\xbf地点: !!str yes\n", ALL("1", LABEL("place", "yes")));
}

static void test_bad_yaml(void **state)
{
    struct document_rig rig;
    struct sr_buf text = {0};
    (void)state;
    becomes(YAML, "", ERROR("1", "文件是空的"));
    becomes(YAML, "地点: 甲\n颜色: 红\n",
            ERROR("2", "没有“颜色”这个标签") ALL("1", LABEL("place", "甲")));
    becomes(YAML, "地点: [甲, 乙]\n采集人: 丙\n",
            ERROR("1", "地点应是一个值") ALL("1", LABEL("person", "丙")));
    becomes(YAML, "地点: 甲\n---\n地点: 乙\n",
            ALL("1", LABEL("place", "甲")) ERROR("3", "一个文件只写一份，--- 之后的未采用"));
    becomes(YAML, "就是一段话", ERROR("1", "应是若干行“标签: 值”"));
    becomes(YAML, "对话:\n  - 张三\n地点: 甲\n",
            ERROR("2", "对话应是若干项，每项写 时刻、人员、身份、主要内容")
                ALL("1", LABEL("place", "甲")));
    /* Tabs, and whatever else is no YAML: by line and column. */
    document_rig_open_named(&rig, YAML, "文件:\n\ta.mp4: {地点: 甲}\n", 29);
    assert_int_equal(labelfile_describe(rig.source, rig.answer), 0);
    document_rig_result(&rig);
    assert_true(document_rig_contains(&rig, "{\"line\":2,\"error\":\"不是正确的 YAML（第 1 列"));
    document_rig_close(&rig);
    /* Aliases that stand for ten to the ninth. */
    sr_buf_text(&text, "a0: &a0 {地点: 甲}\n");
    for (int i = 1; i < 10; i++) {
        sr_buf_format(&text, "对话%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            sr_buf_format(&text, "%s*a%d", k > 0 ? "," : "", i - 1);
        sr_buf_text(&text, "]\n");
    }
    sr_buf_text(&text, "对话: *a9\n文件:\n");
    for (int i = 0; i < 30000; i++)
        sr_buf_format(&text, "  f%d: *a0\n", i);
    sr_buf_text(&text, "b: &b {");
    for (int i = 0; i < 1000; i++)
        sr_buf_format(&text, "%s编号: %d", i > 0 ? "," : "", i);
    sr_buf_text(&text, "}\n文件名: &c {");
    for (int i = 0; i < 1000; i++)
        sr_buf_format(&text, "%sg%d: *b", i > 0 ? "," : "", i);
    sr_buf_text(&text, "}\n");
    document_rig_open_named(&rig, YAML, text.data, text.len);
    assert_int_equal(labelfile_describe(rig.source, rig.answer), 0);
    document_rig_result(&rig);
    assert_true(document_rig_finding(&rig, "bomb") || document_rig_finding(&rig, "truncated"));
    document_rig_close(&rig);
    sr_buf_free(&text);
}

static void test_large(void **state)
{
    struct sr_buf text = {0};
    struct document_rig rig;
    size_t lines = 0;
    (void)state;
    sr_buf_text(&text, "文件名,地点\n");
    for (int i = 0; i < 120000; i++)
        sr_buf_format(&text, "%d.mp4,甲\n", i);
    document_rig_open_named(&rig, CSV, text.data, text.len);
    assert_int_equal(labelfile_describe(rig.source, rig.answer), 0);
    document_rig_result(&rig);
    for (size_t i = 0; i < rig.text.len; i++)
        lines += rig.text.data[i] == '\n';
    assert_int_equal(lines, LABELFILE_ROWS_MAX);
    assert_true(document_rig_finding(&rig, "truncated"));
    document_rig_close(&rig);
    while (text.len <= LABELFILE_MAX)
        sr_buf_text(&text, "0123456789abcdef,0123456789abcdef\n");
    becomes_bytes(CSV, text.data, text.len, ERROR("1", "标签文件超过 4 MiB，未采用"));
    sr_buf_free(&text);
}

/* Whatever bytes: an answer, whose text is lines of JSON. */
static void test_mutations(void **state)
{
    static const char *const names[] = {CSV, YAML};
    static const char yaml[] =
        "采集地点: &x 利州区\n文件:\n  a.mp4: {证明对象: *x, 对话: [{时刻: 1:02, 人员: 张}]}\n";
    const char *const texts[] = {station, yaml};
    unsigned seed = 5;
    (void)state;
    for (int round = 0; round < 4000; round++) {
        struct document_rig rig;
        const char *text = texts[round % 2];
        size_t len = strlen(text);
        char *copy = malloc(len + 8);
        memcpy(copy, text, len);
        for (int k = 0; k < 1 + round % 5; k++)
            copy[(size_t)rand_r(&seed) % len] =
                (char)(rand_r(&seed) % 7 == 0 ? "\"\n,:{&*"[rand_r(&seed) % 7] : rand_r(&seed));
        if (round % 3 == 0)
            len = (size_t)rand_r(&seed) % len;
        document_rig_open_named(&rig, names[round % 2], copy, len);
        assert_int_equal(labelfile_describe(rig.source, rig.answer), 0);
        document_rig_result(&rig);
        for (char *at = rig.text.data, *end; rig.text.len > 0 && *at != '\0'; at = end + 1) {
            end = strchr(at, '\n');
            assert_non_null(end);
            json_t *line = json_loadb(at, (size_t)(end - at), JSON_REJECT_DUPLICATES, NULL);
            if (!line)
                fail_msg("%.*s", (int)(end - at), at);
            json_decref(line);
        }
        document_rig_close(&rig);
        free(copy);
    }
}

static void test_twice(void **state)
{
    (void)state;
    becomes(YAML, "采集地点: 甲地\n采集人: 川H001\n地点: 乙地\n采集地点: 丙地\n",
            ERROR("3", "“地点”写了不止一次，均未采用")
                ERROR("4", "“采集地点”写了不止一次，均未采用") ALL("1", LABEL("person", "川H001")));
}

/* Half applied is worse than not at all: nothing of it counts, and whoever copied it is told. */
static void test_no_text(void **state)
{
    static const char nul[] = "文件名,采集地点\r\na.mp4,甲\r\nb.mp4,乙\0丙\r\n";
    struct document_rig rig;

    (void)state;
    becomes_bytes(CSV, nul, sizeof(nul) - 1, ERROR("3", "含有空字符（NUL），整份未采用"));
    becomes_bytes(YAML, "采集地点: 甲\0乙\n", sizeof("采集地点: 甲\0乙\n") - 1,
                  ERROR("1", "含有空字符（NUL），整份未采用"));
    document_rig_open_named(&rig, CSV, "", 0);
    assert_int_equal(labelfile_refuse(rig.answer, "image/png"), 0);
    document_rig_result(&rig);
    assert_string_equal(rig.text.data, ERROR("1", "内容不是文字（image/png），整份未采用"));
    document_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_station_list), cmocka_unit_test(test_charsets),
        cmocka_unit_test(test_bad_lists),    cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_bad_yaml),     cmocka_unit_test(test_large),
        cmocka_unit_test(test_twice),        cmocka_unit_test(test_no_text),
        cmocka_unit_test(test_mutations),
    };

    return cmocka_run_group_tests(tests, load, NULL);
}
