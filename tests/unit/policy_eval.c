/* Every operator of Cedar: what it gives, and how it fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/cedar_rig.h"

static const char entities[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},"
    "\"attrs\":{\"age\":30,\"name\":\"Alice\",\"tags\":[\"a\",\"b\"],\"none\":[],"
    "\"home\":{\"city\":{\"name\":\"桐城\"},\"zip\":1},\"x y\":1,\"if\":2,"
    "\"boss\":{\"__entity\":{\"type\":\"User\",\"id\":\"bob\"}},"
    "\"ghost\":{\"__entity\":{\"type\":\"User\",\"id\":\"nobody\"}}},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"staff\"}],\"tags\":{\"k\":\"v\",\"\\u0000\":7}},"
    "{\"uid\":{\"type\":\"User\",\"id\":\"bob\"},\"attrs\":{\"age\":50},\"parents\":[]},"
    "{\"uid\":{\"type\":\"Group\",\"id\":\"staff\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"all\"}]},"
    "{\"uid\":{\"type\":\"Action\",\"id\":\"view\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Action\",\"id\":\"reading\"}]}]";

static const char context[] = "{\"ok\":true,\"n\":1,\"deep\":{\"a\":{\"b\":1}}}";

struct row {
    const char *expression;
    const char *answer;
};

static void check_rows(const struct row *rows, size_t count)
{
    struct cedar_rig rig;
    cedar_rig_open(&rig, entities, context);
    for (size_t i = 0; i < count; i++) {
        const char *got = cedar_rig_evaluate(&rig, rows[i].expression);
        if (strcmp(got, rows[i].answer) != 0)
            fail_msg("%s: %s, expected %s", rows[i].expression, got, rows[i].answer);
    }
    cedar_rig_close(&rig);
}
#define check(rows) check_rows(rows, sizeof(rows) / sizeof(rows[0]))

#define OVERFLOW "the number does not fit into 64 bits"

static void test_logic(void **state)
{
    static const struct row rows[] = {
        {"true && true", "true"},
        {"true && false && 1", "false"}, /* short circuit: the third is not looked at */
        {"false && 1", "false"},
        {"true && 1", "expected a bool, found a long"},
        {"1 && true", "expected a bool, found a long"},
        {"true || 1", "true"},
        {"false || 1", "expected a bool, found a long"},
        {"false || false || true", "true"},
        {"!false", "true"},
        {"!!!!true", "true"},
        {"!1", "expected a bool, found a long"},
        {"if true then true else 1", "true"},
        {"if false then 1 else false", "false"},
        {"if 1 then true else true", "expected a bool, found a long"},
        {"(if true then 1 else \"x\") == 1", "true"},
        {"1", "expected a bool, found a long"},
        {"true || false && false", "true"},
        {"false && (1 + \"x\" == 2)", "false"},
    };
    (void)state;
    check(rows);
}

static void test_arithmetic(void **state)
{
    static const struct row rows[] = {
        {"1 + 2 * 3 == 7", "true"},
        {"10 - 2 - 3 == 5", "true"},
        {"-(3) == -3", "true"},
        {"- -3 == 3", "true"},
        {"9223372036854775807 + 0 == 9223372036854775807", "true"},
        {"9223372036854775807 + 1 == 0", OVERFLOW},
        {"-9223372036854775808 - 1 == 0", OVERFLOW},
        {"-(-9223372036854775808) == 0", OVERFLOW},
        {"--9223372036854775808 == 0", OVERFLOW},
        {"-9223372036854775808 * -1 == 0", OVERFLOW},
        {"4611686018427387904 * 2 == 0", OVERFLOW},
        {"4611686018427387904 * -2 == -9223372036854775808", "true"},
        {"1 + true == 2", "expected a long, found a bool"},
        {"\"a\" + \"b\" == \"ab\"", "expected a long, found a string"},
        {"-\"a\" == 1", "expected a long, found a string"},
        {"1 < 2", "true"},
        {"2 <= 2", "true"},
        {"3 > 4", "false"},
        {"4 >= 4", "true"},
        {"-1 < 0", "true"},
        {"1 < \"2\"", "expected a long, found a string"},
        {"\"1\" < 2", "expected a long, found a string"},
        {"\"1\" < \"2\"", "expected a long, found a string"},
        {"true < false", "expected a long, found a bool"},
    };
    (void)state;
    check(rows);
}

/* Values of different types are unequal, never an error. */
static void test_equality(void **state)
{
    static const struct row rows[] = {
        {"1 == 1", "true"},
        {"1 != 1", "false"},
        {"1 == \"1\"", "false"},
        {"1 != true", "true"},
        {"\"a\" == \"\\u{61}\"", "true"},
        {"\"\\0\" == \"\"", "false"},
        {"User::\"alice\" == principal", "true"},
        {"User::\"alice\" == Group::\"alice\"", "false"},
        {"[1, 2, 2] == [2, 1]", "true"},
        {"[] == [1]", "false"},
        {"[[1], [2]] == [[2], [1], [1]]", "true"},
        {"{a: 1, b: [1]} == {\"b\": [1, 1], \"a\": 1}", "true"},
        {"{a: 1} == {a: 1, b: 2}", "false"},
        {"{} == []", "false"},
        {"context == {ok: true, n: 1, deep: {a: {b: 1}}}", "true"},
        {"principal.home == {zip: 1, city: {name: \"桐城\"}}", "true"},
        {"decimal(\"1.0\") == decimal(\"1.00\")", "true"},
        {"decimal(\"1.0\") == 1", "false"},
        {"datetime(\"1970-01-01\") == duration(\"0ms\")", "false"},
        {"ip(\"127.0.0.1\") == ip(\"127.0.0.1/32\")", "true"},
        {"ip(\"127.0.0.1/24\") == ip(\"127.0.0.2/24\")", "false"},
    };
    (void)state;
    check(rows);
}

static void test_hierarchy(void **state)
{
    static const struct row rows[] = {
        {"principal in principal", "true"},
        {"principal in Group::\"staff\"", "true"},
        {"principal in Group::\"all\"", "true"}, /* a parent that is no entity of its own */
        {"Group::\"all\" in principal", "false"},
        {"User::\"nobody\" in User::\"nobody\"", "true"},
        {"User::\"nobody\" in Group::\"staff\"", "false"},
        {"action in Action::\"reading\"", "true"},
        {"principal in [Group::\"none\", Group::\"all\"]", "true"},
        {"principal in []", "false"},
        {"principal in [principal, 1]", "expected an entity, found a long"},
        {"principal in 1", "expected an entity, found a long"},
        {"1 in principal", "expected an entity, found a long"},
        {"principal is User", "true"},
        {"principal is Group", "false"},
        {"principal is User in Group::\"all\"", "true"},
        {"principal is Group in 1", "false"}, /* as if && stood between */
        {"principal is User in 1", "expected an entity, found a long"},
        {"\"x\" is User", "expected an entity, found a string"},
    };
    (void)state;
    check(rows);
}

static void test_attributes(void **state)
{
    static const struct row rows[] = {
        {"principal.age == 30", "true"},
        {"principal[\"x y\"] == 1", "true"},
        {"principal[\"if\"] == 2", "true"},
        {"principal.home.city.name == \"桐城\"", "true"},
        {"principal.boss.age == 50", "true"},
        {"principal.missing == 1", "there is no attribute missing"},
        {"context.missing == 1", "there is no attribute missing"},
        {"principal.ghost.age == 1", "the entity is not known, nor its attribute age"},
        {"principal.age.x == 1", "expected a record, found a long"},
        {"principal has age", "true"},
        {"principal has \"x y\"", "true"},
        {"principal has missing", "false"},
        {"principal has home.city.name", "true"},
        {"principal has home.city.missing", "false"},
        {"principal has home.missing.name", "false"},
        {"principal has home.zip.x", "expected a record, found a long"},
        {"principal has boss.age", "true"},
        {"principal.ghost has age", "false"},
        {"principal has ghost.age", "false"},
        {"1 has age", "expected a record, found a long"},
        {"{\"a b\": 1} has \"a b\"", "true"},
        {"{a: {b: 1}}.a.b == 1", "true"},
        {"principal.getTag(\"k\") == \"v\"", "true"},
        {"principal.getTag(\"\\0\") == 7", "true"},
        {"principal.getTag(\"x\") == 1", "the entity has no such tag"},
        {"principal.hasTag(\"k\")", "true"},
        {"principal.hasTag(\"age\")", "false"},
        {"principal.ghost.hasTag(\"k\")", "false"},
        {"principal.ghost.getTag(\"k\") == 1", "the entity is not known"},
        {"principal.hasTag(1)", "expected a string, found a long"},
        {"principal.ghost.hasTag(1)", "expected a string, found a long"},
        {"context.hasTag(\"k\")", "expected an entity, found a record"},
    };
    (void)state;
    check(rows);
}

static void test_sets(void **state)
{
    static const struct row rows[] = {
        {"[1, 2].contains(2)", "true"},
        {"[1, 2].contains(\"2\")", "false"},
        {"[].contains(1)", "false"},
        {"[[1, 2]].contains([2, 1])", "true"},
        {"principal.tags.contains(\"b\")", "true"},
        {"1.contains(1)", "expected a set, found a long"},
        {"[1, 2, 3].containsAll([3, 1])", "true"},
        {"[1].containsAll([1, 2])", "false"},
        {"[].containsAll([])", "true"},
        {"[1].containsAll(1)", "expected a set, found a long"},
        {"[1, 2].containsAny([3, 2])", "true"},
        {"[1].containsAny([])", "false"},
        {"[1].containsAny(principal)", "expected a set, found an entity"},
        {"principal.none.isEmpty()", "true"},
        {"[1].isEmpty()", "false"},
        {"\"\".isEmpty()", "expected a set, found a string"},
        {"[1, 1 + \"x\"].isEmpty()", "expected a long, found a string"},
    };
    (void)state;
    check(rows);
}

static void test_like(void **state)
{
    static const struct row rows[] = {
        {"\"abc\" like \"abc\"", "true"},
        {"\"abc\" like \"ab\"", "false"},
        {"\"abc\" like \"a*\"", "true"},
        {"\"abc\" like \"*c\"", "true"},
        {"\"abc\" like \"*\"", "true"},
        {"\"\" like \"*\"", "true"},
        {"\"\" like \"\"", "true"},
        {"\"a\" like \"\"", "false"},
        {"\"abcbd\" like \"a*b*d\"", "true"},
        {"\"aXbXc\" like \"a*b*d\"", "false"},
        {"\"ab\" like \"a*b*b\"", "false"}, /* one b cannot be both */
        {"\"a*b\" like \"a\\*b\"", "true"},
        {"\"aXb\" like \"a\\*b\"", "false"},
        {"\"aXb\" like \"a\\u{2a}b\"", "true"}, /* only \\* is a star of its own */
        {"\"a**b\" like \"a*\\**b\"", "true"},
        {"\"勘验笔录\" like \"*笔*\"", "true"},
        {"\"勘验\" like \"勘*验*验\"", "false"},
        {"1 like \"*\"", "expected a string, found a long"},
    };
    (void)state;
    check(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_logic),      cmocka_unit_test(test_arithmetic),
        cmocka_unit_test(test_equality),   cmocka_unit_test(test_hierarchy),
        cmocka_unit_test(test_attributes), cmocka_unit_test(test_sets),
        cmocka_unit_test(test_like),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
