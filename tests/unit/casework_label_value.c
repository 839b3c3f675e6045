/* Values of labels: what people and stations write, and the form that is kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "casework/label_value.h"

static int64_t now(void) /* 2026-11-27 12:00 */
{
    int64_t out;
    assert_true(sr_time_from_local(2026, 11, 27, 12, 0, 0, &out));
    return out;
}

static void keeps(enum catalog_label label, const char *text, const char *kept)
{
    char out[CATALOG_LABEL_MAX + 1], sentence[LABEL_SENTENCE_MAX];
    if (!label_value(label, text, now(), out, sentence))
        fail_msg("%s: %s", text, sentence);
    assert_string_equal(out, kept);
    assert_string_equal(sentence, "");
}

static void refuses(enum catalog_label label, const char *text, const char *words)
{
    char out[CATALOG_LABEL_MAX + 1], sentence[LABEL_SENTENCE_MAX];
    if (label_value(label, text, now(), out, sentence))
        fail_msg("%s became %s", text, out);
    if (strstr(sentence, words) == NULL)
        fail_msg("%s: %s", text, sentence);
    if (label != CATALOG_LABEL_CAPTURED && strlen(text) > 4 && strstr(sentence, text) != NULL)
        fail_msg("the sentence tells the value: %s", sentence);
}

static void test_times(void **state)
{
    static const char *const good[][2] = {
        {"2026-03-05 14:03", "2026-03-05T14:03:00+08:00"},
        {"2026-03-05 14:03:22", "2026-03-05T14:03:22+08:00"},
        {"  2026/3/5 14:03\t", "2026-03-05T14:03:00+08:00"},
        {"2026.3.5 4:03", "2026-03-05T04:03:00+08:00"},
        {"2026年3月5日14时3分", "2026-03-05T14:03:00+08:00"},
        {"2026年3月5日 14时3分22秒", "2026-03-05T14:03:22+08:00"},
        {"2026年3月5日14:03", "2026-03-05T14:03:00+08:00"},
        {"2026-03-05T14:03:22Z", "2026-03-05T22:03:22+08:00"},
        {"2026-03-05T14:03:22.5+08:00", "2026-03-05T14:03:22.500+08:00"},
        {"2026-03-05T14:03:22.123456+09:30", "2026-03-05T12:33:22.123+08:00"},
        {"2026-03-05T23:59:59-01:00", "2026-03-06T08:59:59+08:00"},
        {"2024-02-29 00:00", "2024-02-29T00:00:00+08:00"},
        {"2026-11-27 12:00", "2026-11-27T12:00:00+08:00"},
        {"", ""},
        {" \xe3\x80\x80 ", ""},
    };
    static const char *const bad[] = {
        "2026-03-05",           "2026-02-29 12:00",   "2026-13-01 12:00",
        "2026-03-05 24:00",     "2026-03-05 14:60",   "2026-03-05 14:03:60",
        "2026-3-5T14",          "26-03-05 14:03",     "2026-03-05 14:03 pm",
        "2026-03/05 14:03",     "3月5日14时",         "2026年3月5日14时",
        "1970-01-01 00:00",     "昨天下午",           "2026-03-05 14:03.",
        "2026-03-05 14:03:22.", "2026-03-05 14:03+8",
    };
    int64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        keeps(CATALOG_LABEL_CAPTURED, good[i][0], good[i][1]);
        keeps(CATALOG_LABEL_CAPTURED, good[i][1], good[i][1]);
        assert_int_equal(label_captured_ns(good[i][1], &ns), good[i][1][0] != '\0');
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        refuses(CATALOG_LABEL_CAPTURED, bad[i], "采集时间");
    refuses(CATALOG_LABEL_CAPTURED, "2026-11-27 12:01", "晚于现在");
}

static void test_clocks(void **state)
{
    (void)state;
    keeps(CATALOG_LABEL_CLOCK, "90", "+90");
    keeps(CATALOG_LABEL_CLOCK, "+90s", "+90");
    keeps(CATALOG_LABEL_CLOCK, " -3600秒 ", "-3600");
    keeps(CATALOG_LABEL_CLOCK, "-0", "0");
    keeps(CATALOG_LABEL_CLOCK, "2147483647", "+2147483647");
    refuses(CATALOG_LABEL_CLOCK, "2147483648", "秒数");
    refuses(CATALOG_LABEL_CLOCK, "1.5", "秒数");
    refuses(CATALOG_LABEL_CLOCK, "--1", "秒数");
    refuses(CATALOG_LABEL_CLOCK, "=1+1", "秒数");
    refuses(CATALOG_LABEL_CLOCK, "快一分钟", "秒数");
    refuses(CATALOG_LABEL_CLOCK, "s", "秒数");
}

static void test_subjects(void **state)
{
    (void)state;
    keeps(CATALOG_LABEL_SUBJECT, "某某餐饮有限公司", "某某餐饮有限公司");
    keeps(CATALOG_LABEL_SUBJECT, "张三；李四、 王五;", "张三;李四;王五");
    keeps(CATALOG_LABEL_SUBJECT, "91350100m000100y43", "91350100M000100Y43");
    keeps(CATALOG_LABEL_SUBJECT, "11010519491231002x；张三", "11010519491231002X;张三");
    refuses(CATALOG_LABEL_SUBJECT, "91350100M000100Y44", "校验");
    refuses(CATALOG_LABEL_SUBJECT, "张三;110105194912310021", "校验");
    refuses(CATALOG_LABEL_SUBJECT, "110105194913310021", "日期");
}

static void test_texts(void **state)
{
    char *longest = malloc(CATALOG_LABEL_MAX + 2);
    (void)state;
    keeps(CATALOG_LABEL_PLACE, "\xe3\x80\x80 利州区 东坝街道 \r\n", "利州区 东坝街道");
    keeps(CATALOG_LABEL_CONTENT, "=HYPERLINK(\"x\")", "=HYPERLINK(\"x\")");
    refuses(CATALOG_LABEL_PLACE, "a\x01", "不能显示");
    refuses(CATALOG_LABEL_PLACE, "\xc0\xaf", "不能显示");
    memset(longest, 'a', CATALOG_LABEL_MAX + 1);
    longest[CATALOG_LABEL_MAX + 1] = '\0';
    refuses(CATALOG_LABEL_PLACE, longest, "字节");
    longest[CATALOG_LABEL_MAX] = '\0';
    keeps(CATALOG_LABEL_PLACE, longest, longest);
    free(longest);
}

static void test_names_and_offsets(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"90", 90000},       {"12:30", 750000}, {"1:02:03", 3723000}, {"0:00:01.5", 1500},
                {"1h2m3s", 3723000}, {"75s", 75000},    {"2m", 120000},       {"00：10", 10000}};
    static const char *const bad[] = {
        "", "1:60", "1:2:3:4", ":5", "5:", "-1", "1h3", "s", "a", "1:5"};
    enum catalog_label label;
    int64_t ms;
    (void)state;
    for (int i = 0; i < CATALOG_LABELS; i++) {
        assert_true(label_by_name(catalog_label_words[i], &label));
        assert_int_equal(label, i);
        assert_true(label_by_name(catalog_label_names[i], &label));
        assert_int_equal(label, i);
    }
    assert_false(label_by_name("", &label));
    assert_false(label_by_name("案件", &label));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        if (!label_offset(good[i].text, &ms) || ms != good[i].ms)
            fail_msg("%s is %lld", good[i].text, (long long)ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (label_offset(bad[i], &ms))
            fail_msg("'%s' became %lld", bad[i], (long long)ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_times), cmocka_unit_test(test_clocks),
                                       cmocka_unit_test(test_subjects),
                                       cmocka_unit_test(test_texts),
                                       cmocka_unit_test(test_names_and_offsets)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
