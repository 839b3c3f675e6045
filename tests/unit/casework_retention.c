/* Until when a record is kept: the longest rule, 待归案, floors, and that terms are only ever extended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "casework/retention.h"
#include "catalog/catalog.h"
#include "catalog/search_query.h"

static struct retention *parse(const char *text)
{
    struct retention *out;
    if (retention_parse("retention.yaml", (const uint8_t *)text, strlen(text), &out) < 0)
        fail_msg("%s", sr_error_message());
    return out;
}

static int32_t day_of(const char *text)
{
    int32_t day;
    assert_true(sr_day_parse(text, &day));
    return day;
}

static void kept(const struct retention *retention, enum retention_scope scope, unsigned type,
                 uint32_t marks, const char *sealed, const char *name, const char *until)
{
    const struct retention_subject subject = {
        .scope = scope, .type = type, .marks = marks, .sealed = day_of(sealed)};
    struct retention_reason reasons[RETENTION_RULES_MAX + 1];
    size_t count = retention_explain(retention, &subject, reasons), deciding = 0;
    char text[11] = "";
    for (size_t i = 0; i < count; i++)
        if (reasons[i].decides) {
            deciding++;
            sr_day_text(reasons[i].until, text);
            if (strcmp(reasons[i].name, name) != 0 || strcmp(text, until) != 0)
                fail_msg("%s until '%s', not %s until '%s'", reasons[i].name, text, name, until);
        }
    assert_int_equal(deciding, 1);
}

static void test_shipped(void **state)
{
    struct retention *shipped, *none;
    (void)state;
    if (retention_load(sr_io_posix(), "policy", &shipped) < 0)
        fail_msg("%s", sr_error_message());
    assert_non_null(retention_sha256(shipped));
    kept(shipped, RETENTION_CASE, SEARCH_VIDEO, 0, "2026-03-05", "在卷证据", "");
    kept(shipped, RETENTION_UNFILED, SEARCH_VIDEO, 0, "2026-03-05", "在卷证据",
         ""); /* nobody knows yet what it will be */
    kept(shipped, RETENTION_ALL, SEARCH_VIDEO, 0, "2026-03-05", "现场音像记录", "2036-03-05");
    kept(shipped, RETENTION_ALL, SEARCH_DOCUMENT, 0, "2026-08-31", "最低保存期限", "2027-02-28");
    kept(shipped, RETENTION_ALL, SEARCH_AUDIO, 0, "2024-02-29", "录音", "2034-02-28");
    retention_free(shipped);
    assert_int_equal(retention_default(&none), 0);
    assert_null(retention_sha256(none));
    kept(none, RETENTION_ALL, SEARCH_OTHER, 0, "2026-03-05", "其他记录", "");
    retention_free(none);
}

#define CASES "  - {名称: c, 范围: 案件, 期限: 30年}\n"
#define FLOOR "  - {名称: f, 范围: 全部, 期限: 6个月}\n"

static void test_rules(void **state)
{
    struct retention *rules =
        parse("期限:\n" CASES FLOOR "  - {名称: m, 范围: 全部, 标注: 个人隐私, 期限: 2年}\n"
              "  - {名称: w, 范围: 待归案, 期限: 3年}\n");
    (void)state;
    kept(rules, RETENTION_ALL, SEARCH_VIDEO, 0, "2026-03-05", "f", "2026-09-05");
    kept(rules, RETENTION_ALL, SEARCH_VIDEO, CATALOG_MARK_PRIVACY, "2026-03-05", "m", "2028-03-05");
    kept(rules, RETENTION_ALL, SEARCH_VIDEO, CATALOG_MARK_COVERT, "2026-03-05", "f", "2026-09-05");
    kept(rules, RETENTION_CASE, SEARCH_VIDEO, CATALOG_MARK_PRIVACY, "2026-03-05", "c",
         "2056-03-05");
    kept(rules, RETENTION_UNFILED, SEARCH_VIDEO, 0, "2026-03-05", "c",
         "2056-03-05"); /* the longest there is */
    retention_free(rules);
}

static void refused(const char *text, const char *words)
{
    struct retention *out;
    if (retention_parse("retention.yaml", (const uint8_t *)text, strlen(text), &out) == 0)
        fail_msg("taken: %s", text);
    assert_null(out);
    if (strstr(sr_error_message(), words) == NULL ||
        strncmp(sr_error_message(), "retention.yaml:", 15) != 0)
        fail_msg("%s", sr_error_message());
}

static void test_mistakes(void **state)
{
    (void)state;
    refused("期限:\n" CASES, "全部 of at least 6个月");
    refused("期限:\n" CASES "  - {名称: f, 范围: 全部, 期限: 5个月}\n", "全部 of at least 6个月");
    refused("期限:\n" CASES "  - {名称: f, 范围: 全部, 类型: 视频, 期限: 5年}\n",
            "全部 of at least 6个月");
    refused("期限:\n" FLOOR, "rule for 案件");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案子, 期限: 30年}\n", "retention.yaml:3:");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案件, 期限: 很久}\n", "期限 is 永久");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案件, 期限: 0年}\n", "期限 is 永久");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案件, 期限: 201年}\n", "期限 is 永久");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案件, 期限: 3天}\n", "期限 is 永久");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案件, 类型: 磁带, 期限: 3年}\n", "类型 is");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案件, 标注: 绝密, 期限: 3年}\n", "标注 is");
    refused("期限:\n" FLOOR "  - {名称: c, 范围: 案件, 期限: 3年, 颜色: 红}\n", "");
    refused("期限: []\n", "");
}

static void test_only_longer(void **state)
{
    struct retention *base = parse("期限:\n" CASES FLOOR), *same = parse("期限:\n" FLOOR CASES);
    struct retention *longer = parse("期限:\n" CASES "  - {名称: f, 范围: 全部, 期限: 1年}\n");
    struct retention *video =
        parse("期限:\n" CASES FLOOR "  - {名称: v, 范围: 全部, 类型: 视频, 期限: 2年}\n");
    (void)state;
    assert_int_equal(retention_check_longer(base, same), 0);
    assert_int_equal(retention_check_longer(base, longer), 0);
    assert_int_equal(retention_check_longer(base, video), 0);
    assert_int_equal(retention_check_longer(longer, base), SR_ERR_INVALID);
    assert_non_null(strstr(sr_error_message(), "kept for 6个月 and not for 1年"));
    assert_int_equal(retention_check_longer(video, longer), SR_ERR_INVALID);
    assert_non_null(strstr(sr_error_message(), "视频"));
    retention_free(base);
    retention_free(same);
    retention_free(longer);
    retention_free(video);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shipped), cmocka_unit_test(test_rules),
                                       cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_only_longer)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
