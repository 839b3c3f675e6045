/* The accounts file of init: what is read, and that each mistake is named with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "tools/roster.h"

#define THREE "sysadmin:sa:系统管理员:p:1\nsecoff:so:安全:p2\nauditor:au:审计:p3\n"

static int parse(const char *text, bool optional, struct roster *out)
{
    return roster_parse("F", (const uint8_t *)text, strlen(text), optional, out);
}

static void refused(const char *text, const char *sentence)
{
    struct roster roster;

    assert_int_equal(parse(text, false, &roster), SR_ERR_INVALID);
    assert_null(roster.text);
    assert_int_equal(roster.count, 0);
    if (strstr(sr_error_message(), sentence) == NULL)
        fail_msg("'%s' was said, not '%s'", sr_error_message(), sentence);
}

static void test_good(void **state)
{
    struct roster roster;

    (void)state;
    assert_int_equal(
        parse("\xef\xbb\xbf# 三员\r\n\n" THREE "officer:zhang_3:张三:x", false, &roster), 0);
    assert_int_equal(roster.count, 4);
    assert_string_equal(roster.list[0].role, "sysadmin");
    assert_string_equal(roster.list[0].account, "sa");
    assert_string_equal(roster.list[0].name, "系统管理员");
    assert_string_equal(roster.list[0].password, "p:1"); /* the rest of the line */
    assert_string_equal(roster.list[3].account, "zhang_3");
    roster_free(&roster);
    assert_null(roster.text);
    roster_free(&roster);
}

static void test_windows_line_ends(void **state)
{
    struct roster roster;

    (void)state;
    assert_int_equal(parse("sysadmin:a:A:1\r\nsecoff:b:B:2\r\nauditor:c:C:3\r\n", false, &roster),
                     0);
    assert_string_equal(roster.list[2].password, "3");
    roster_free(&roster);
}

static void test_mistakes(void **state)
{
    (void)state;
    refused(THREE "officer:x:y\n", "F:4: expected role:account:display name:password");
    refused(THREE "\n#\nofficer\n", "F:6: expected");
    refused(THREE "boss:x:y:z\n", "F:4: there is no role 'boss'");
    refused(THREE ":x:y:z\n", "F:4: there is no role ''");
    refused(THREE "officer:X:y:z\n", "F:4: an account is");
    refused(THREE "officer:-x:y:z\n", "F:4: an account is");
    refused(THREE "officer::y:z\n", "F:4: an account is");
    refused(THREE "officer:a b:y:z\n", "F:4: an account is");
    refused(THREE "officer:a23456789012345678901234567890123:y:z\n", "F:4: an account is");
    refused(THREE "officer:x::z\n", "F:4: the display name");
    refused(THREE "officer:x:a\tb:z\n", "F:4: the display name");
    refused(THREE "officer:x:y:\n", "F:4: the password is empty");
    refused(THREE "officer:x:y:a\tb\n", "F:4: the password holds a control character");
    refused(THREE "officer:sa:y:z\n", "F:4: the account 'sa' stands there twice");
    refused("", "F: the role sysadmin must stand there once, not 0 times");
    refused(THREE "auditor:x:y:z\n", "F: the role auditor must stand there once, not 2 times");
    refused("\xff\n", "F is not UTF-8 text");
}

static void test_nul(void **state)
{
    struct roster roster;

    (void)state;
    assert_int_equal(roster_parse("F", (const uint8_t *)THREE "\0", sizeof THREE, false, &roster),
                     SR_ERR_INVALID);
}

static void test_optional_password(void **state)
{
    struct roster roster;

    (void)state;
    assert_int_equal(parse("sysadmin:a:A:\nsecoff:b:B:\nauditor:c:C:3\n", true, &roster), 0);
    assert_null(roster.list[0].password);
    assert_string_equal(roster.list[2].password, "3");
    roster_free(&roster);
}

static void test_too_many(void **state)
{
    char *text = malloc(ROSTER_MAX * 32 + 256);
    size_t len = (size_t)sprintf(text, "%s", THREE);

    (void)state;
    for (int i = 3; i <= ROSTER_MAX; i++)
        len += (size_t)sprintf(text + len, "officer:o%d:O:x\n", i);
    refused(text, "F:65: more than 64 accounts");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_windows_line_ends),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_optional_password),
        cmocka_unit_test(test_too_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
