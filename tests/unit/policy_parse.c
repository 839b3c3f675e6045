/* What the parser takes and refuses, and how it says where and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "policy/cedar_ast.h"
#include "tests/lib/cedar_rig.h"

static int parse(const char *text, struct cedar_error *error)
{
    struct cedar_rig rig;
    cedar_rig_open(&rig, NULL, NULL);
    int rc = cedar_rig_policies(&rig, text, error);
    cedar_rig_close(&rig);
    return rc;
}

static int parse_expression(const char *expression)
{
    struct sr_buf text = {0};
    sr_buf_format(&text, "permit(principal, action, resource) when { %s };", expression);
    assert_false(text.failed);
    int rc = parse(text.data, NULL);
    sr_buf_free(&text);
    return rc;
}

static void test_policies_taken(void **state)
{
    static const char *const texts[] = {
        "",
        "// nothing but this\n",
        "permit(principal, action, resource);",
        "forbid (principal , action , resource , ) ;",
        "permit(principal == User::\"a\", action == Action::\"v\", resource in A::B::\"c\");",
        "permit(principal is User, action in [], resource is A::B in A::\"x\");",
        "permit(principal in (User::\"a\"), action in ([Action::\"v\", N::Action::\"w\",]), "
        "resource);",
        "permit(principal, action in Action::\"v\", resource) when { true } unless { false } when "
        "{ 1 };",
        "@id(\"a\") @reason permit(principal, action, resource);",
        "@if(\"a\")@in permit(principal, action, resource);",
        "permit(principal == ?principal, action, resource is A in (?resource));",
        "permit(principal == principal :: action /* */",
        "permit(principal, action, resource);permit(principal, action, resource);",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        int rc = parse(texts[i], NULL);
        if (rc != (strstr(texts[i], "/*") ? SR_ERR_INVALID : 0)) /* Cedar has // alone */
            fail_msg("%s: %s", texts[i], sr_error_message());
    }
}

static void test_expressions_taken(void **state)
{
    static const char *const texts[] = {
        "principal::foo::\"x\" == context::\"x\"",
        "permit::\"x\" == A :: B // note\n :: \"x\"",
        "[1, 2,].contains(1)",
        "{a: 1, \"b\": 2, principal: 3,} == {}",
        "principal.when.permit.context == 1",
        "principal[\"if\"][\"x\"].y == 1",
        "\"a\".b == 1 || true.c == 2 || 5.d == 3",
        "-5.d == -1",
        "if if true then true else false then if true then true else true else false",
        "!(if true then true else false)",
        "1 + (if true then 1 else 2) == 2",
        "a::b::\"\" is a::b in [a::b::\"\"]",
        "principal is action",
        "context has principal.action.permit",
        "ip(\"::1\").isInRange()", /* counted when it is evaluated, as Cedar does */
        "1 - - - - -1 == 2",
        "-9223372036854775808 == 9223372036854775807",
        "((((((((((true))))))))))",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (parse_expression(texts[i]) < 0)
            fail_msg("%s: %s", texts[i], sr_error_message());
}

/* As long as the table of what Cedar refuses. */
static void test_expressions_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "1 == 1 == 1",
        "1 < 2 < 3",
        "a in b in c",
        "1 = 1",
        "4 / 2 == 2",
        "4 % 2 == 0",
        "!!!!!true",
        "-----1 == 1",
        "!-1",
        "-!true",
        "1 + if true then 1 else 2",
        "true && if true then true else true",
        "9223372036854775808 == 0",
        "-9223372036854775809 == 0",
        "-(9223372036854775808) == 0",
        "-9223372036854775808.x == 0",
        "99999999999999999999 == 0",
        "foo",
        "foo.bar == 1",
        "foo(1) == 1",
        "A::decimal(\"1.0\") == 1",
        "contains(1)",
        "isIpv4(ip(\"::\"))",
        "principal(1)",
        "(principal)(1)",
        "principal.foo()",
        "principal.ip(\"::\")",
        "[1].contains()",
        "[1].contains(1, 2)",
        "[].isEmpty(1)",
        "principal.hasTag()",
        "principal.if == 1",
        "principal.__cedar == 1",
        "principal[if] == 1",
        "principal[1] == 1",
        "principal[(\"a\")] == 1",
        "principal has (a)",
        "principal has a[\"b\"]",
        "principal has \"a\".b",
        "principal has if",
        "principal has 1",
        "\"a\" like a",
        "\"a\" like (\"a\")",
        "\"a\" like \"a\" + \"b\"",
        "principal is \"User\"",
        "principal is (User)",
        "principal is User::\"a\"",
        "principal is if",
        "if::\"x\" == 1",
        "A::{a: 1} == 1",
        "{a: 1, a: 2} == 1",
        "{a: 1, \"a\": 2} == 1",
        "{if: 1} == 1",
        "{1: 1} == 1",
        "{(a): 1} == 1",
        "{a::b: 1} == 1",
        "{a 1} == 1",
        "[1 2] == 1",
        "[,] == 1",
        "principal == ?principal",
        "unknown(\"x\")",
        "true true",
        "(true",
        "true)",
        "\"\\q\" == \"\"",
        "\"\r\" == \"\"",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (parse_expression(texts[i]) != SR_ERR_INVALID)
            fail_msg("taken: %s", texts[i]);
}

/* Line, column, what was found, what was expected. */
static void test_refused(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *found, *expected;
    } rows[] = {
        {"allow(principal, action, resource);", 1, 1, "`allow`", "`permit` or `forbid`"},
        {"permit(principal, action);", 1, 25, "`)`", "`,`"},
        {"permit(principal, resource, action);", 1, 19, "`resource`", "`action`"},
        {"permit(principal, action, resource, context);", 1, 37, "`context`", "`)`"},
        {"permit(principal, action, resource)", 1, 36, "the end of the text",
         "`when`, `unless` or `;`"},
        {"permit(principal: User, action, resource);", 1, 17, "`:`",
         "`==`, `in`, `is`, `,` or `)`"},
        {"permit(principal = User::\"a\", action, resource);", 1, 18, "`=`",
         "`==`, `in`, `is`, `,` or `)`"},
        {"permit(principal is User == User::\"a\", action, resource);", 1, 26, "`==`",
         "`in`, `,` or `)`"},
        {"permit(principal in [User::\"a\"], action, resource);", 1, 21, "`[`",
         "an entity, such as Type::\"id\""},
        {"permit(principal == User, action, resource);", 1, 21, "`User`",
         "an entity, such as Type::\"id\""},
        {"permit(principal == ?resource, action, resource);", 1, 21, "`?resource`", "?principal"},
        {"permit(principal,\n  action == ?action, resource);", 2, 13, "`?action`",
         "an entity, such as Type::\"id\""},
        {"permit(principal, action is Action, resource);", 1, 26, "`is`", "`==`, `in`, `,` or `)`"},
        {"permit(principal, action == User::\"a\", resource);", 1, 29, "`User`",
         "entities of a type Action"},
        {"permit(principal, action in [Action::\"a\", MyAction::\"a\"], resource);", 1, 29, "`[`",
         "entities of a type Action"},
        {"permit(principal, action, resource)\nif { true };", 2, 1, "`if`",
         "`when`, `unless` or `;`"},
        {"permit(principal, action, resource)\n  when { };", 2, 10, "`}`", "an expression"},
        {"permit(principal, action, resource)\n// 桐\n  when { \"桐城\" == resource.名 };", 3, 27,
         "`名`", "a word, number, string or sign of Cedar"},
        {"permit(principal, action, resource) when { resource.in };", 1, 53, "`in`",
         "a name that is no reserved word (or [\"…\"])"},
        {"@a(\"1\") @a(\"2\") permit(principal, action, resource);", 1, 10, "`a`",
         "no second annotation of this name"},
        {"@a(b) permit(principal, action, resource);", 1, 4, "`b`", "a string"},
        {"permit(principal, action, resource) when { foo == 1 };", 1, 44, "`foo`",
         "a variable (principal, action, resource, context), an entity Type::\"id\" or a function"},
        {"permit(principal, action, resource) when { \"桐\" == 1 == 2 };", 1, 53, "`==`",
         "parentheses: relations do not chain"},
        {"permit(principal, action, resource) when { \"a", 1, 44, "a string without end",
         "a closing \""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cedar_error error;
        char sentence[512];
        assert_int_equal(parse(rows[i].text, &error), SR_ERR_INVALID);
        if (error.line != rows[i].line || error.column != rows[i].column ||
            strcmp(error.found, rows[i].found) != 0 ||
            strcmp(error.expected, rows[i].expected) != 0)
            fail_msg("%s: line %u, column %u: found %s, expected %s", rows[i].text, error.line,
                     error.column, error.found, error.expected);
        snprintf(sentence, sizeof(sentence), "line %u, column %u: found %s, expected %s",
                 rows[i].line, rows[i].column, rows[i].found, rows[i].expected);
        assert_string_equal(sr_error_message(), sentence);
    }
    struct cedar_rig rig;
    struct cedar_error error;
    cedar_rig_open(&rig, NULL, NULL);
    assert_int_equal(
        cedar_policies_add(rig.policies, "x", (const uint8_t *)"permit\xff", 7, &error),
        SR_ERR_INVALID);
    cedar_rig_close(&rig);
}

/* After an error the set is what it was, and more can be added. */
static void test_several_files(void **state)
{
    static const char first[] = "@id(\"one\") permit(principal, action, resource);\n"
                                "\n  forbid(principal, action, resource) when { false };";
    static const char broken[] = "permit(principal, action, resource); permit(";
    static const char last[] = "@note permit(principal == ?principal, action, resource);";
    struct cedar_policies *policies;
    struct cedar_policy_info info;
    (void)state;
    assert_int_equal(cedar_policies_new(&policies), 0);
    assert_int_equal(
        cedar_policies_add(policies, "a.cedar", (const uint8_t *)first, strlen(first), NULL), 0);
    assert_int_equal(
        cedar_policies_add(policies, "b.cedar", (const uint8_t *)broken, strlen(broken), NULL),
        SR_ERR_INVALID);
    assert_int_equal(cedar_policies_count(policies), 2);
    assert_int_equal(
        cedar_policies_add(policies, "c.cedar", (const uint8_t *)last, strlen(last), NULL), 0);
    assert_int_equal(cedar_policies_count(policies), 3);
    assert_string_equal(cedar_policies_annotation(policies, 0, "id"), "one");
    assert_null(cedar_policies_annotation(policies, 1, "id"));
    assert_string_equal(cedar_policies_annotation(policies, 2, "note"), "");
    cedar_policies_info(policies, 1, &info);
    assert_string_equal(info.file, "a.cedar");
    assert_int_equal(info.line, 3);
    assert_int_equal(info.column, 3);
    assert_true(info.forbid);
    assert_false(info.template);
    cedar_policies_info(policies, 2, &info);
    assert_string_equal(info.file, "c.cedar");
    assert_true(info.template);
    cedar_policies_free(policies);
}

/* The tree that a validator walks: places kept, constants known. */
static void test_tree(void **state)
{
    struct cedar_rig rig;
    (void)state;
    cedar_rig_open(&rig, NULL, NULL);
    assert_int_equal(cedar_rig_policies(&rig,
                                        "permit(principal, action, resource is A::B)\n"
                                        "when { resource.level <= 3 &&\n"
                                        "  [ip(\"::1\"), ip(\"::2\")].contains(context.from) };",
                                        NULL),
                     0);
    const struct cedar_policy *policy = &rig.policies->policies[0];
    assert_int_equal(policy->resource.kind, CEDAR_SCOPE_IS);
    assert_string_equal(policy->resource.type->data, "A::B");
    assert_int_equal(policy->resource.line, 1);
    assert_int_equal(policy->resource.column, 27);
    assert_int_equal(policy->condition_count, 1);
    const struct cedar_node *and = policy->conditions[0].node;
    assert_int_equal(and->op, CEDAR_OP_AND);
    assert_int_equal(and->count, 2);
    const struct cedar_node *get = and->children[0]->children[0];
    assert_int_equal(get->op, CEDAR_OP_GET);
    assert_string_equal(get->names[0]->data, "level");
    assert_int_equal(get->line, 2);
    assert_int_equal(get->column, 17);
    const struct cedar_node *contains = and->children[1];
    assert_int_equal(contains->op, CEDAR_OP_CONTAINS);
    assert_int_equal(contains->line, 3);
    assert_non_null(contains->children[0]->constant);
    assert_int_equal(contains->children[0]->constant->kind, CEDAR_SET);
    assert_int_equal(contains->children[0]->children[1]->op, CEDAR_OP_CALL);
    assert_null(contains->children[1]->constant);
    cedar_rig_close(&rig);
}

/* open, count times; middle; close, count times. */
static char *nested(const char *open, const char *middle, const char *close, int count)
{
    struct sr_buf buf = {0};
    for (int i = 0; i < count; i++)
        sr_buf_text(&buf, open);
    sr_buf_text(&buf, middle);
    for (int i = 0; i < count; i++)
        sr_buf_text(&buf, close);
    assert_false(buf.failed);
    return buf.data;
}

static void test_depth(void **state)
{
    static const struct {
        const char *open, *middle, *close;
        int within;
    } rows[] = {
        {"(", "true", ")", CEDAR_DEPTH_MAX - 1},
        {"[", "", "]", CEDAR_DEPTH_MAX - 1},
        {"{a: ", "1", "}", CEDAR_DEPTH_MAX - 1},
        {"!(", "true", ")", CEDAR_DEPTH_MAX - 1},
        {"if ", "true", " then 1 else 2", CEDAR_DEPTH_MAX - 1},
        {"", "context", ".a", CEDAR_DEPTH_MAX - 1},
        {"", "1", " + 1", CEDAR_DEPTH_MAX - 1},
        {"", "1", " * 1", CEDAR_DEPTH_MAX - 1},
        {"[1].contains(", "1", ")", CEDAR_DEPTH_MAX - 2},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char *text = nested(rows[i].open, rows[i].middle, rows[i].close, rows[i].within);
        if (parse_expression(text) != 0)
            fail_msg("%s: %s", rows[i].open, sr_error_message());
        free(text);
        text = nested(rows[i].open, rows[i].middle, rows[i].close, 100000);
        assert_int_equal(parse_expression(text), SR_ERR_TOO_LARGE);
        assert_non_null(strstr(sr_error_message(), "deep"));
        free(text);
    }
    /* Chains of && and || are no nesting. */
    char *text = nested("true && ", "true", " || false", 100000);
    assert_int_equal(parse_expression(text), 0);
    free(text);
    text = nested("", "principal has a", ".a", CEDAR_PATH_MAX);
    assert_int_equal(parse_expression(text), SR_ERR_TOO_LARGE);
    free(text);
}

static void test_sizes(void **state)
{
    (void)state;
    char *text = nested("permit(principal, action, resource);", "", "", CEDAR_POLICIES_MAX);
    assert_int_equal(parse(text, NULL), 0);
    free(text);
    text = nested("permit(principal, action, resource);", "", "", CEDAR_POLICIES_MAX + 1);
    assert_int_equal(parse(text, NULL), SR_ERR_TOO_LARGE);
    assert_string_equal(sr_error_message(), "more than 20000 policies");
    free(text);
    text = nested(" ", "", "", (int)CEDAR_SOURCE_MAX + 1);
    assert_int_equal(parse(text, NULL), SR_ERR_TOO_LARGE);
    free(text);
    /* A text of the longest kind, dense with nodes: within the memory limit, or refused by it. */
    struct sr_buf dense = {0};
    sr_buf_text(&dense, "permit(principal,action,resource)when{[");
    while (dense.len < CEDAR_SOURCE_MAX - 8)
        sr_buf_text(&dense, "1,");
    sr_buf_text(&dense, "]};");
    int rc = parse(dense.data, NULL);
    assert_true(rc == 0 || rc == SR_ERR_TOO_LARGE);
    sr_buf_free(&dense);
    struct sr_buf annotated = {0};
    for (int i = 0; i < 300; i++)
        sr_buf_format(&annotated, "@a%d ", i);
    sr_buf_text(&annotated, "permit(principal, action, resource);");
    assert_int_equal(parse(annotated.data, NULL), SR_ERR_TOO_LARGE);
    sr_buf_free(&annotated);
}

/* Memory that ends anywhere is the same clear error, and leaves nothing half made. */
static void test_memory(void **state)
{
    static const char text[] =
        "@id(\"x\") @b permit(principal is A::B in A::\"a\", action in [Action::\"v\", "
        "Action::\"w\"], "
        "resource) when { {a: [1, ip(\"::1\")], b: {}} == context.x && (principal.a + 1 < 2 || "
        "!(\"a\" like \"*\\**\")) } unless { if resource has a.b then [resource].contains(1) else "
        "action.offset(duration(\"1d\")).toTime() == 1 };";
    int rc = SR_ERR_TOO_LARGE;
    (void)state;
    for (size_t limit = 16; rc < 0; limit += 16) {
        struct cedar_policies *policies;
        assert_true(limit < 65536);
        assert_int_equal(cedar_policies_new(&policies), 0);
        policies->arena.limit = limit;
        rc = cedar_policies_add(policies, "x", (const uint8_t *)text, strlen(text), NULL);
        assert_true(rc == 0 || rc == SR_ERR_TOO_LARGE);
        if (rc < 0)
            assert_non_null(strstr(sr_error_message(), "the policy set takes more memory"));
        assert_int_equal(cedar_policies_count(policies), rc == 0 ? 1 : 0);
        cedar_policies_free(policies);
    }
}

/* Every cut of a text is refused (or is whole policies), and none is read beyond. */
static void test_truncation(void **state)
{
    static const char text[] =
        "@id(\"x\") permit(principal is A::B in A::\"a\", action in [Action::\"v\"], resource == "
        "R::\"r\")\n"
        "when { if context has a.b then -1 < 2 && {a: [1, \"\\u{41}\"]}.a.contains(1) else \"a\" "
        "like "
        "\"*\\**\" }\nunless { principal in ip(\"::1\") || !resource[\"x y\"].isEmpty() };";
    (void)state;
    for (size_t len = 0; len <= strlen(text); len++) {
        struct cedar_policies *policies;
        char *copy = malloc(len + 1);
        assert_non_null(copy);
        memcpy(copy, text, len);
        char *exact = realloc(copy, len ? len : 1);
        assert_int_equal(cedar_policies_new(&policies), 0);
        int rc = cedar_policies_add(policies, "x", (const uint8_t *)exact, len, NULL);
        assert_int_equal(rc, len == 0 || len == strlen(text) ? 0 : SR_ERR_INVALID);
        cedar_policies_free(policies);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policies_taken),
        cmocka_unit_test(test_expressions_taken),
        cmocka_unit_test(test_expressions_refused),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_several_files),
        cmocka_unit_test(test_tree),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_truncation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
