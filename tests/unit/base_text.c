/* UTF-8, folded names, times as text. */
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/error.h"
#include "base/text.h"

static void test_utf8(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc3\xa9",
                                       "2026〔12〕号",
                                       "\xf0\x9f\x98\x80",
                                       "\xef\xbf\xbf",
                                       "\xf4\x8f\xbf\xbf",
                                       "\xed\x9f\xbf"};
    static const char *const bad[] = {
        "\x80",                     /* continuation alone */
        "\xc3",                     /* cut */
        "\xc0\xaf",                 /* overlong */
        "\xe0\x80\xaf",             /* overlong */
        "\xed\xa0\x80",             /* surrogate */
        "\xed\xa0\xbd\xed\xb8\x80", /* surrogate pair, CESU-8 */
        "\xf4\x90\x80\x80",         /* beyond U+10FFFF */
        "\xff",
        "ab\xe4\xb8",
        "\xb0\xb8\xbe\xed", /* GBK */
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(sr_utf8_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(sr_utf8_valid(bad[i], strlen(bad[i])));
    assert_true(sr_utf8_valid(NULL, 0));
}

static void check_twins(const char *a, const char *b, bool twins)
{
    char *fold_a;
    char *fold_b;
    assert_int_equal(sr_name_fold(a, &fold_a), 0);
    assert_int_equal(sr_name_fold(b, &fold_b), 0);
    assert_int_equal(strcmp(fold_a, fold_b) == 0, twins);
    /* Folding once is folding twice. */
    char *again;
    assert_int_equal(sr_name_fold(fold_a, &again), 0);
    assert_string_equal(again, fold_a);
    free(fold_a);
    free(fold_b);
    free(again);
}

/* Every character, between letters that fold: as libunistring folds it, with or without our short way. */
static void test_every_character(void **state)
{
    (void)state;
    for (ucs4_t c = 1; c < 0x30000; c++) {
        uint8_t text[16] = "A", *composed, *folded;
        char *fold;
        size_t composed_len, folded_len;
        int bytes = u8_uctomb(text + 1, c, 6);
        if (bytes < 0) /* a surrogate */
            continue;
        size_t len = 1 + (size_t)bytes;
        text[len++] = 'Z';
        text[len] = '\0';
        composed = u8_normalize(UNINORM_NFC, text, len, NULL, &composed_len);
        assert_non_null(composed);
        folded = u8_casefold(composed, composed_len, NULL, UNINORM_NFC, NULL, &folded_len);
        assert_non_null(folded);
        assert_int_equal(sr_name_fold((const char *)text, &fold), 0);
        assert_int_equal(strlen(fold), folded_len);
        assert_memory_equal(fold, folded, folded_len);
        free(fold);
        free(folded);
        free(composed);
    }
}

static void test_fold(void **state)
{
    (void)state;
    check_twins("Report.DOCX", "report.docx", true);
    check_twins("caf\xc3\xa9.txt", "cafe\xcc\x81.TXT", true); /* composed, decomposed */
    check_twins("\xc3\x84rger", "a\xcc\x88rger", true);
    check_twins("stra\xc3\x9f"
                "e",
                "STRASSE", true);                                              /* full folding */
    check_twins("\xce\xa3\xce\x91\xce\xa3", "\xcf\x83\xce\xb1\xcf\x82", true); /* final sigma */
    check_twins("\xe2\x84\xab", "\xc3\xa5", true);                             /* Angstrom sign */
    check_twins("笔录.doc", "筆錄.doc", false);
    check_twins("ABC", "\xef\xbc\xa1\xef\xbc\xa2\xef\xbc\xa3",
                false); /* full-width is not a twin */
    check_twins("a1", "a2", false);
    check_twins("", "", true);
    /* The fold is NFC itself, also where folding takes a letter apart (U+01F0). */
    char *fold;
    assert_int_equal(sr_name_fold("\xc7\xb0"
                                  "A",
                                  &fold),
                     0);
    assert_string_equal(fold, "\xc7\xb0"
                              "a");
    free(fold);
    /* Whatever the locale says. */
    setlocale(LC_ALL, "tr_TR.UTF-8");
    check_twins("TITLE", "title", true);
    setlocale(LC_ALL, "C");
    fold = (char *)"not NULL";
    assert_int_equal(sr_name_fold("\xb0\xb8", &fold), SR_ERR_NAME_ENCODING);
    assert_null(fold);
}

static void check_times(int64_t ns, const char *local, const char *utc)
{
    char local_text[20];
    char date[11];
    char utc_text[31];
    sr_time_local_text(ns, local_text);
    assert_string_equal(local_text, local);
    sr_time_local_date(ns, date);
    assert_memory_equal(date, local, 10);
    assert_int_equal(strlen(date), 10);
    sr_time_utc_text(ns, utc_text);
    assert_string_equal(utc_text, utc);
}

static void test_times(void **state)
{
    (void)state;
    setenv("TZ", "America/New_York", 1); /* of no matter */
    check_times(0, "1970-01-01 08:00:00", "1970-01-01T00:00:00.000000000Z");
    check_times(INT64_C(1795312984123456789), "2026-11-22 10:03:04",
                "2026-11-22T02:03:04.123456789Z");
    check_times(-1, "1970-01-01 07:59:59", "1969-12-31T23:59:59.999999999Z");
    check_times(INT64_C(1798732799) * 1000000000, "2026-12-31 23:59:59",
                "2026-12-31T15:59:59.000000000Z");
    check_times(INT64_C(1798732800) * 1000000000, "2027-01-01 00:00:00",
                "2026-12-31T16:00:00.000000000Z");
    check_times(INT64_C(1835366400) * 1000000000, "2028-02-29 00:00:00",
                "2028-02-28T16:00:00.000000000Z");
    check_times(INT64_MAX, "2262-04-12 07:47:16", "2262-04-11T23:47:16.854775807Z");
    check_times(INT64_MIN, "1677-09-21 08:12:43", "1677-09-21T00:12:43.145224192Z");
}

static void check_day(const char *text, int32_t day)
{
    int32_t parsed;
    char again[11];
    assert_true(sr_day_parse(text, &parsed));
    assert_int_equal(parsed, day);
    sr_day_text(day, again);
    assert_string_equal(again, text);
}

static void test_days(void **state)
{
    static const char *const bad[] = {"",           "2026-1-01",  "2026-01-1",   "2026-00-01",
                                      "2026-13-01", "2026-01-00", "2026-01-32",  "2026-02-29",
                                      "2100-02-29", "1970-01-01", "1970-12-31",  "0000-01-01",
                                      "20260101",   "2026/01/01", "2026-01-011", "2026-01-0x",
                                      "+026-01-01", "2026-01- 1", "二〇二六年"};
    char text[11];
    int32_t day;
    (void)state;
    check_day("1971-01-01", 365);
    check_day("2000-02-29", 11016);
    check_day("2026-01-01", 20454);
    check_day("9999-12-31", 2932896);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        day = 7;
        if (sr_day_parse(bad[i], &day) || day != 0)
            fail_msg("%s is %d", bad[i], (int)day);
    }
    sr_day_text(0, text);
    assert_string_equal(text, "");
    assert_int_equal(sr_day_local(INT64_C(1798732799) * 1000000000), 20818); /* 2026-12-31 */
    assert_int_equal(sr_day_local(INT64_C(1798732800) * 1000000000), 20819);
    assert_int_equal(sr_day_add_years(20454, 10), 24106);
    assert_int_equal(sr_day_add_years(11016, 1), 11381); /* 29 February 2000 to 28 February 2001 */
    assert_int_equal(sr_day_add_years(11016, 4), 12477);
    assert_int_equal(sr_day_add_years(2932896, 1), 2932896);
    assert_int_equal(sr_day_add_years(20454, 9000), 2932896);
}

static void test_dates(void **state)
{
    int64_t ns;
    (void)state;
    assert_true(sr_date_exists(2000, 2, 29) && sr_date_exists(1880, 1, 1));
    assert_false(sr_date_exists(1900, 2, 29) || sr_date_exists(2026, 4, 31) ||
                 sr_date_exists(2026, 0, 1) || sr_date_exists(2026, 13, 1) ||
                 sr_date_exists(2026, 1, 0) || sr_date_exists(0, 1, 1) ||
                 sr_date_exists(10000, 1, 1));
    assert_int_equal(sr_day_number(1970, 1, 1), 0);
    assert_int_equal(sr_day_number(1969, 12, 31), -1);
    assert_int_equal(sr_day_number(1969, 12, 30), -2);
    assert_int_equal(sr_day_number(2026, 3, 1), 20513);
    assert_true(sr_time_from_local(2026, 3, 1, 8, 30, 15, &ns));
    assert_true(ns == INT64_C(1772325015000000000));
    assert_false(sr_time_from_local(2026, 2, 29, 8, 30, 15, &ns));
    assert_true(ns == 0);
    assert_false(sr_time_from_local(2026, 3, 1, 24, 0, 0, &ns) ||
                 sr_time_from_local(2026, 3, 1, 0, 60, 0, &ns) ||
                 sr_time_from_local(2026, 3, 1, 0, 0, 60, &ns) ||
                 sr_time_from_local(1970, 12, 31, 0, 0, 0, &ns) ||
                 sr_time_from_local(2262, 1, 1, 0, 0, 0, &ns));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_days),  cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_fold),  cmocka_unit_test(test_every_character),
        cmocka_unit_test(test_times), cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
