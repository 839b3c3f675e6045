/* Working days by the shipped notices, and mistakes in their files. What is expected is written down by hand from the
 * State Council's notices of 2024, 2025 and 2026. */
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
#include "casework/calendar.h"

static struct calendar *shipped;

static int load(void **state)
{
    (void)state;
    return calendar_load(sr_io_posix(), "policy", &shipped);
}

static int drop(void **state)
{
    (void)state;
    calendar_free(shipped);
    return 0;
}

static int32_t day_of(const char *text)
{
    int32_t day;
    assert_true(sr_day_parse(text, &day));
    return day;
}

static void test_days(void **state)
{
    static const struct {
        const char *day;
        bool works;
    } cases[] = {
        {"2024-02-09", true}, /* 除夕 worked that year */
        {"2024-02-10", false}, {"2024-02-17", false}, {"2024-02-18", true}, /* Sunday, worked */
        {"2024-10-07", false}, {"2024-10-08", true},  {"2024-10-12", true}, /* Saturday, worked */
        {"2025-01-26", true},                                               /* Sunday, worked */
        {"2025-01-28", false}, {"2025-02-04", false}, {"2025-02-05", true},  {"2025-02-08", true},
        {"2025-10-08", false}, {"2025-10-09", true},  {"2025-10-11", true},  {"2025-10-12", false},
        {"2026-01-02", false}, {"2026-01-04", true},  {"2026-02-14", true},  {"2026-02-16", false},
        {"2026-02-23", false}, {"2026-02-24", true},  {"2026-02-28", true},  {"2026-03-01", false},
        {"2026-05-06", true},  {"2026-11-27", true},  {"2026-11-28", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool provisional = false;
        if (calendar_is_working(shipped, day_of(cases[i].day), &provisional) != cases[i].works)
            fail_msg("%s", cases[i].day);
        assert_false(provisional);
    }
}

static void adds(const char *from, unsigned days, const char *expected, bool provisional)
{
    bool said = false;
    char text[11];
    sr_day_text(calendar_add(shipped, day_of(from), days, &said), text);
    if (strcmp(text, expected) != 0 || said != provisional)
        fail_msg("%s and %u days: %s%s", from, days, text, said ? ", provisional" : "");
    said = false;
    assert_int_equal(calendar_between(shipped, day_of(from), day_of(expected), &said), days);
    assert_int_equal(said, provisional);
}

static void test_terms(void **state)
{
    bool said = false;
    (void)state;
    adds("2026-03-05", 3, "2026-03-10", false); /* Friday, Monday, Tuesday */
    adds("2026-02-13", 3, "2026-02-25", false); /* Saturday 14 is worked, then 春节 */
    adds("2025-09-30", 1, "2025-10-09", false);
    adds("2024-12-31", 1, "2025-01-02", false);
    adds("2026-12-30", 3, "2027-01-04", true); /* no notice of 2027: 1 January counts */
    adds("2030-05-01", 1, "2030-05-02", true);
    adds("2026-03-05", 0, "2026-03-05", false);
    assert_int_equal(calendar_between(shipped, day_of("2026-03-05"), day_of("2026-03-01"), &said),
                     0);
    assert_true(calendar_between(shipped, day_of("1980-01-01"), day_of("2026-01-01"), NULL) <
                20 * 262);
}

static void refused(const char *text, const char *words)
{
    struct calendar *calendar;
    if (calendar_parse("calendar/2026.yaml", (const uint8_t *)text, strlen(text), &calendar) == 0)
        fail_msg("taken: %s", text);
    assert_null(calendar);
    if (strstr(sr_error_message(), words) == NULL ||
        strncmp(sr_error_message(), "calendar/2026.yaml:", 19) != 0)
        fail_msg("%s", sr_error_message());
}

static void test_mistakes(void **state)
{
    (void)state;
    refused("year: 20x6\ndays_off: []\ndays_worked: []\n", "not a year");
    refused("year: 2026\ndays_off:\n  - {date: 2026-02-30, name: a}\ndays_worked: []\n",
            "2026.yaml:3:");
    refused("year: 2026\ndays_off:\n  - {date: 2025-02-03, name: a}\ndays_worked: []\n",
            "not of the year 2026");
    refused("year: 2026\ndays_off:\n  - {date: 2026-01-01, name: a}\n  - {date: 2026-01-01, name: "
            "a}\ndays_worked: []\n",
            "twice");
    refused("year: 2026\ndays_off: []\ndays_worked:\n  - {date: 2026-01-05, name: a}\n",
            "no Saturday");
    refused("year: 2026\ndays_off:\n  - {date: 2026-01-04, name: a}\ndays_worked:\n  - {date: "
            "2026-01-04, name: a}\n",
            "a day off, too");
    refused("year: 2026\ndays_of: []\ndays_worked: []\n", "days_of");
    refused("year: 2026\ndays_off: []\n", "");
    refused("", "");
}

static int count_file(void *context, const char *file, const uint8_t sha256[32])
{
    (void)sha256;
    assert_int_equal(strncmp(file, "calendar/20", 11), 0);
    ++*(unsigned *)context;
    return 0;
}

static void test_folder(void **state)
{
    struct calendar *none;
    unsigned files = 0;
    bool said = false;
    (void)state;
    assert_int_equal(calendar_files(shipped, count_file, &files), 0);
    assert_int_equal(files, 3);
    assert_int_equal(calendar_load(sr_io_posix(), "/nowhere", &none), 0);
    assert_true(calendar_is_working(none, day_of("2026-10-01"), &said));
    assert_true(said);
    calendar_free(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_days), cmocka_unit_test(test_terms),
                                       cmocka_unit_test(test_mistakes),
                                       cmocka_unit_test(test_folder)};
    return cmocka_run_group_tests(tests, load, drop);
}
