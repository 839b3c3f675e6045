/* 统一社会信用代码 and 公民身份号码: which are good, which rule the others break, and where. The check
 * characters of the made-up numbers were computed by another program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "casework/identifier.h"

static int32_t today(void)
{
    return sr_day_number(2026, 11, 27);
}

static void test_good(void **state)
{
    static const struct {
        const char *text, *normal;
        enum identifier_kind kind;
    } cases[] = {
        {"91350100M000100Y43", NULL, IDENTIFIER_ORGANISATION}, /* the standard's own */
        {"91330100799655058B", NULL, IDENTIFIER_ORGANISATION},
        {"9144030071526726XG", NULL, IDENTIFIER_ORGANISATION},
        {"914403001922038216", NULL, IDENTIFIER_ORGANISATION}, /* digits alone */
        {"11100000000013127D", NULL, IDENTIFIER_ORGANISATION},
        {"12440000MA01ABCD5P", NULL, IDENTIFIER_ORGANISATION},
        {"53100000MA01ABCD5U", NULL, IDENTIFIER_ORGANISATION},
        {"92510500MA01ABCD5K", NULL, IDENTIFIER_ORGANISATION},
        {"93650000MA01ABCD5X", NULL, IDENTIFIER_ORGANISATION},
        {"N2320200MA01ABCD5D", NULL, IDENTIFIER_ORGANISATION},
        {"Y1110000MA01ABCD5C", NULL, IDENTIFIER_ORGANISATION},
        {"A1110000MA01ABCD51", NULL, IDENTIFIER_ORGANISATION},
        {"81330000MA01ABCD5Q", NULL, IDENTIFIER_ORGANISATION},
        {"31110000MA01ABCD58", NULL, IDENTIFIER_ORGANISATION},
        {"11990000123456788L", "", IDENTIFIER_ORGANISATION}, /* province 99: see below */
        {"11010519491231002X", NULL, IDENTIFIER_PERSON},     /* the standard's own two */
        {"440524188001010014", NULL, IDENTIFIER_PERSON},
        {"110105200002290013", NULL, IDENTIFIER_PERSON}, /* 2000 was a leap year */
        {"810000199001010027", NULL, IDENTIFIER_PERSON},
        {"830000199001010039", NULL, IDENTIFIER_PERSON},
        {"110105202611270017", NULL, IDENTIFIER_PERSON}, /* born today */
        {"１１０１０５１９４９１２３１００２ｘ", "11010519491231002X", IDENTIFIER_PERSON},
        {"91350100m000100y43", "91350100M000100Y43", IDENTIFIER_ORGANISATION},
        {"　 91350100M000100Y43\r\n", "91350100M000100Y43", IDENTIFIER_ORGANISATION},
        {"\xef\xbb\xbf"
         "91350100M000100Y43",
         "91350100M000100Y43", IDENTIFIER_ORGANISATION},
    };
    struct identifier_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *normal = cases[i].normal != NULL ? cases[i].normal : cases[i].text;
        int rc = identifier_check(cases[i].text, today(), &fault);

        if (*normal == '\0') {
            assert_int_equal(rc, SR_ERR_INVALID);
            assert_int_equal(fault.rule, IDENTIFIER_DIVISION);
            continue;
        }
        if (rc != 0)
            fail_msg("%s: %s", cases[i].text, fault.text);
        assert_int_equal(fault.rule, IDENTIFIER_GOOD);
        assert_int_equal(fault.position, 0);
        assert_int_equal(fault.kind, cases[i].kind);
        assert_string_equal(fault.normal, normal);
        assert_int_equal(fault.normalised, cases[i].normal != NULL);
        assert_int_equal(fault.text[0] != '\0', cases[i].normal != NULL);
    }
    assert_non_null(strstr(fault.text, "统一社会信用代码已按规范写法登记"));
}

static void test_bad(void **state)
{
    static const struct {
        const char *text;
        enum identifier_kind kind;
        enum identifier_rule rule;
        unsigned position;
        const char *sentence;
    } cases[] = {
        {"", IDENTIFIER_UNKNOWN, IDENTIFIER_EMPTY, 0, "没有填写"},
        {" 　", IDENTIFIER_UNKNOWN, IDENTIFIER_EMPTY, 0, "没有填写"},
        {"\xff", IDENTIFIER_UNKNOWN, IDENTIFIER_ENCODING, 0, "不是 UTF-8"},
        {"9135010", IDENTIFIER_UNKNOWN, IDENTIFIER_LENGTH, 0, "号码共 7 位"},
        {"110105491231002", IDENTIFIER_UNKNOWN, IDENTIFIER_LENGTH, 0, "只有 15 位"},
        {"79965505-8", IDENTIFIER_UNKNOWN, IDENTIFIER_LENGTH, 0, "9 位的组织机构代码"},
        {"91350100M000100Y430", IDENTIFIER_UNKNOWN, IDENTIFIER_LENGTH, 0, "号码共 19 位"},
        {"91350100 M000100Y43", IDENTIFIER_UNKNOWN, IDENTIFIER_LENGTH, 0, "号码共 19 位"},
        {"01234567890123456789012345678901234567890123456789012345678901234567890",
         IDENTIFIER_UNKNOWN, IDENTIFIER_LENGTH, 0, "过长"},
        {"91350100MO00100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_CHARACTER, 10, "字母“O”"},
        {"91350100M 00100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_CHARACTER, 10, "是空格"},
        {"91350100M-00100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_CHARACTER, 10, "“-”不能"},
        {"91350100甲000100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_CHARACTER, 9, "第 9 位不是"},
        {"913501A0M000100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_CHARACTER, 7, "应为数字"},
        {"B1350100M000100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_DEPARTMENT, 1, "第 1 位“B”"},
        {"94110000MA01ABCD5Q", IDENTIFIER_ORGANISATION, IDENTIFIER_CATEGORY, 2, "不是市场监管部门"},
        {"91990100M000100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_DIVISION, 3, "“99”不是省级"},
        {"91350100M000101Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_ORGANISATION_CHECK, 17,
         "主体标识码"},
        {"91350101M000100Y43", IDENTIFIER_ORGANISATION, IDENTIFIER_CHECK, 18, "第 18 位校验码"},
        {"11010519491231O02X", IDENTIFIER_PERSON, IDENTIFIER_CHARACTER, 15, "字母“O”"},
        {"11010519491231002A", IDENTIFIER_PERSON, IDENTIFIER_CHARACTER, 18, "“A”不能"},
        {"110105X9491231002X", IDENTIFIER_ORGANISATION, IDENTIFIER_CHARACTER, 7, "应为数字"},
        {"000105194912310024", IDENTIFIER_PERSON, IDENTIFIER_DIVISION, 1, "“00”不是省级"},
        {"100105194912310024", IDENTIFIER_PERSON, IDENTIFIER_DIVISION, 1, "“10”不是省级"},
        {"110105199902290013", IDENTIFIER_PERSON, IDENTIFIER_BIRTH, 7, "“19990229”不是真实"},
        {"110105199913310013", IDENTIFIER_PERSON, IDENTIFIER_BIRTH, 7, "不是真实"},
        {"110105179901010013", IDENTIFIER_PERSON, IDENTIFIER_BIRTH, 7, "不是真实"},
        {"110105202812310011", IDENTIFIER_PERSON, IDENTIFIER_BIRTH_FUTURE, 7, "2028年12月31日"},
        {"110105194912310021", IDENTIFIER_PERSON, IDENTIFIER_CHECK, 18, "第 18 位校验码"},
    };
    struct identifier_fault fault;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(identifier_check(cases[i].text, today(), &fault), SR_ERR_INVALID);
        if (fault.kind != cases[i].kind || fault.rule != cases[i].rule ||
            fault.position != cases[i].position || strstr(fault.text, cases[i].sentence) == NULL)
            fail_msg("%s: kind %d rule %d at %u: %s", cases[i].text, (int)fault.kind,
                     (int)fault.rule, fault.position, fault.text);
        assert_string_equal(sr_error_message(), fault.text);
        assert_string_equal(fault.normal, "");
    }
}

static void test_day(void **state)
{
    struct identifier_fault fault;
    (void)state;
    assert_int_equal(identifier_check("110105202611270017", today() - 1, &fault), SR_ERR_INVALID);
    assert_int_equal(fault.rule, IDENTIFIER_BIRTH_FUTURE);
    assert_int_equal(identifier_check("110105202611270017", today(), &fault), 0);
    assert_int_equal(identifier_birth_day(fault.normal), today());
    assert_true(identifier_is_male(fault.normal));
    assert_int_equal(identifier_birth_day("440524188001010014"), sr_day_number(1880, 1, 1));
    assert_false(identifier_is_male("11010519491231002X"));
    assert_string_equal(identifier_kind_name(IDENTIFIER_PERSON), "公民身份号码");
    assert_string_equal(identifier_kind_name(IDENTIFIER_UNKNOWN), "证件号码");
}

/* One character changed, or two neighbours swapped, is always noticed: that is what the check
 * characters are for. */
static void test_single_errors(void **state)
{
    static const char *const good[] = {"91350100M000100Y43", "9144030071526726XG",
                                       "11010519491231002X", "440524188001010014"};
    static const char alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    struct identifier_fault fault;
    char text[IDENTIFIER_LEN + 1];
    (void)state;
    for (size_t n = 0; n < 4; n++)
        for (size_t i = 0; i < IDENTIFIER_LEN; i++) {
            for (const char *c = alphabet; *c != '\0'; c++) {
                strcpy(text, good[n]);
                text[i] = *c;
                assert_int_equal(identifier_check(text, today(), &fault) == 0, *c == good[n][i]);
            }
            if (i + 1 < IDENTIFIER_LEN && good[n][i] != good[n][i + 1]) {
                strcpy(text, good[n]);
                text[i] = good[n][i + 1];
                text[i + 1] = good[n][i];
                assert_int_equal(identifier_check(text, today(), &fault), SR_ERR_INVALID);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_day),
        cmocka_unit_test(test_single_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
