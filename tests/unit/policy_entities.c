/* The entity store and the reader of Cedar's JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/cedar_rig.h"

static int parse(const char *text, bool implicit, struct cedar_entities **out,
                 struct cedar_error *error)
{
    return cedar_entities_parse((const uint8_t *)text, strlen(text), implicit, out, error);
}

/* The attribute "a" of the only entity of the rig's kind. */
static void with_value(const char *json, bool implicit, const char *expression)
{
    struct cedar_rig rig;
    struct sr_buf text = {0};
    sr_buf_format(
        &text,
        "[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},\"attrs\":{\"a\":%s},\"parents\":[]}]",
        json);
    cedar_rig_open(&rig, NULL, NULL);
    if (parse(text.data, implicit, &rig.entities, NULL) < 0)
        fail_msg("%s: %s", json, sr_error_message());
    rig.request.entities = rig.entities;
    const char *got = cedar_rig_evaluate(&rig, expression);
    if (strcmp(got, "true") != 0)
        fail_msg("%s: %s: %s", json, expression, got);
    sr_buf_free(&text);
    cedar_rig_close(&rig);
}

static void test_values(void **state)
{
    static const struct {
        const char *json, *expression;
    } rows[] = {
        {"true", "principal.a"},
        {"-9223372036854775808", "principal.a == -9223372036854775808"},
        {"9223372036854775807", "principal.a == 9223372036854775807"},
        {"0", "principal.a == 0"},
        {"\"\"", "principal.a == \"\""},
        {"\"\\u0000\\ud83d\\ude00\\u6850\\n\\/\\b\\f\\r\\t\\\\\\\"\"",
         "principal.a == \"\\0\\u{1f600}\\u{6850}\\n/\\x08\\x0c\\r\\t\\\\\\\"\""},
        {"[]", "principal.a == []"},
        {"[1,[2,2],1]", "principal.a == [[2], 1]"},
        {"{}", "principal.a == {}"},
        {"{\"\\u0000\":1,\"x\":{\"y\":2}}", "principal.a[\"\\0\"] == 1 && principal.a.x.y == 2"},
        {"{\"__entity\":{\"type\":\"A::B\",\"id\":\"\\u0000\"}}", "principal.a == A::B::\"\\0\""},
        {"{\"__entity\":{\"id\":\"x\",\"type\":\"B\"}}", "principal.a == B::\"x\""},
        {"{\"__extn\":{\"fn\":\"decimal\",\"arg\":\"1.5\"}}", "principal.a == decimal(\"1.5\")"},
        {"{\"__extn\":{\"arg\":\"10.0.0.0/8\",\"fn\":\"ip\"}}",
         "principal.a == ip(\"10.0.0.0/8\")"},
        {"{\"__extn\":{\"fn\":\"datetime\",\"args\":[\"2026-03-05\"]}}",
         "principal.a == datetime(\"2026-03-05\")"},
        {"{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"1970-"
         "01-01\"}},"
         "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"-1ms\"}}]}}",
         "principal.a == datetime(\"1969-12-31T23:59:59.999Z\")"},
        {" [ 1 , 2 ]\r\n\t", "principal.a.contains(2)"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        with_value(rows[i].json, false, rows[i].expression);
}

/* {"type", "id"} means an entity where the caller says so, and only in exactly this form. */
static void test_implicit(void **state)
{
    (void)state;
    with_value("{\"type\":\"B\",\"id\":\"x\"}", true, "principal.a == B::\"x\"");
    with_value("[{\"type\":\"B\",\"id\":\"x\"}]", true, "principal.a.contains(B::\"x\")");
    with_value("{\"type\":\"B\",\"id\":\"x\"}", false, "principal.a.type == \"B\"");
    with_value("{\"type\":\"B\",\"id\":1}", true, "principal.a.id == 1");
    with_value("{\"type\":\"not a name\",\"id\":\"x\"}", true, "principal.a.id == \"x\"");
    with_value("{\"type\":\"B\",\"id\":\"x\",\"more\":1}", true, "principal.a.id == \"x\"");
    struct cedar_entities *entities;
    assert_int_equal(parse("[{\"uid\":{\"type\":\"T\",\"id\":\"1\"},"
                           "\"attrs\":{\"type\":\"B\",\"id\":\"x\"},\"parents\":[]}]",
                           true, &entities, NULL),
                     0); /* attributes that happen to have these names */
    cedar_entities_free(entities);
}

#define ENTITY(attrs, rest) "[{\"uid\":{\"type\":\"T\",\"id\":\"1\"},\"attrs\":" attrs rest "}]"
#define VALUE(value) ENTITY("{\"a\":" value "}", ",\"parents\":[]")

/* As long as the table of what is refused; each row is one rule of the format. */
static void test_refused(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *found, *expected;
    } rows[] = {
        {"", 1, 1, "the end of the text", "`[`"},
        {"{}", 1, 1, "`{}`", "`[`"},
        {"[] x", 1, 4, "`x`", "the end of the text"},
        {"[\n {}]", 2, 2, "`{}]`", "an entity with \"uid\", \"attrs\" and \"parents\""},
        {"[{\"attrs\":{},\"parents\":[]}]", 1, 2, "`{\"attrs\"`",
         "an entity with \"uid\", \"attrs\" and \"parents\""},
        {"[{\n \"name\":1}]", 2, 2, "`\"name\"`",
         "\"uid\", \"attrs\", \"parents\" or \"tags\", once"},
        {"[{\"uid\":\"T::1\"}]", 1, 9, "`\"T`", "`{`"},
        {"[{\"uid\":{\"type\":\"T\"}}]", 1, 9, "`{\"type\"`", "\"type\" and \"id\""},
        {"[{\"uid\":{\"type\":\"T \",\"id\":\"1\"}}]", 1, 17, "`\"T`",
         "the name of an entity type"},
        {"[{\"uid\":{\"type\":\"in\",\"id\":\"1\"}}]", 1, 17, "`\"in\"`",
         "the name of an entity type"},
        {"[{\"uid\":{\"type\":\"T\",\"type\":\"T\"}}]", 1, 21, "`\"type\"`",
         "\"type\" and \"id\", once each"},
        {ENTITY("[]", ""), 1, 39, "`[]}]`", "`{`"},
        {ENTITY("{\"__entity\":{\"type\":\"T\",\"id\":\"1\"}}", ""), 1, 40, "`\"__entity\"`",
         "an escape as the only member of a value"},
        {VALUE("null"), 1, 44, "`null}`", "a string, whole number, bool, list or object"},
        {VALUE("1.0"), 1, 44, "`1.0}`", "a whole number of 64 bits"},
        {VALUE("1e3"), 1, 44, "`1e3}`", "a whole number of 64 bits"},
        {VALUE("01"), 1, 44, "`01}`", "a whole number of 64 bits"},
        {VALUE("-"), 1, 44, "`-}`", "a whole number of 64 bits"},
        {VALUE("9223372036854775808"), 1, 44, "`9223372036854775808}`",
         "a whole number of 64 bits"},
        {VALUE("-9223372036854775809"), 1, 44, "`-9223372036854775809}`",
         "a whole number of 64 bits"},
        {VALUE("\"\n\""), 1, 45, "`\\u{a}\"}`", "control characters written as \\u00XX"},
        {VALUE("\"\\ud800\""), 1, 45, "`\\ud800\"}`", "an escape of JSON"},
        {VALUE("\"\\ude00\\ud83d\""), 1, 45, "`\\ude00\\ud83d\"}`", "an escape of JSON"},
        {VALUE("\"\\x41\""), 1, 45, "`\\x41\"}`", "an escape of JSON"},
        {VALUE("{\"x\":1,\"\\u0078\":2}"), 1, 44, "`{\"x\"`", "an object that has each key once"},
        {VALUE("{\"x\":1,\"__entity\":{}}"), 1, 51, "`\"__entity\"`",
         "an escape as the only member of a value"},
        {VALUE("{\"__entity\":{\"type\":\"T\",\"id\":\"1\"},\"x\":1}"), 1, 77, "`,`", "`}`"},
        {VALUE("{\"__expr\":\"T::\\\"1\\\"\"}"), 1, 45, "`\"__expr\"`",
         "no \"__expr\": Cedar gave it up"},
        {VALUE("{\"__extn\":{\"fn\":\"foo\",\"arg\":\"1\"}}"), 1, 54, "`{\"fn\"`",
         "\"fn\", a function of an extension type"},
        {VALUE("{\"__extn\":{\"fn\":\"ip\",\"arg\":\"1\"}}"), 1, 54, "`{\"fn\"`",
         "arguments of the extension type's form"},
        {VALUE("{\"__extn\":{\"fn\":\"ip\",\"arg\":1}}"), 1, 54, "`{\"fn\"`",
         "the arguments that the function takes"},
        {VALUE("{\"__extn\":{\"fn\":\"ip\"}}"), 1, 54, "`{\"fn\"`",
         "the arguments that the function takes"},
        {VALUE("[1,]"), 1, 47, "`]}`", "a string, whole number, bool, list or object"},
        {VALUE("[1 2]"), 1, 47, "`2]}`", "`,` or `]`"},
        {"[{\"uid\":{\"type\":\"Action\",\"id\":\"1\"},\"attrs\":{},\"parents\":[{\"type\":\"T\","
         "\"id\":\"1\"}]}]",
         1, 2, "`{\"uid\"`", "actions as the parents of an action"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cedar_entities *entities;
        struct cedar_error error;
        assert_int_equal(parse(rows[i].text, false, &entities, &error), SR_ERR_INVALID);
        assert_null(entities);
        if (error.line != rows[i].line || error.column != rows[i].column ||
            strcmp(error.found, rows[i].found) != 0 ||
            strcmp(error.expected, rows[i].expected) != 0)
            fail_msg("%s: line %u, column %u: found %s, expected %s", rows[i].text, error.line,
                     error.column, error.found, error.expected);
        assert_non_null(strstr(sr_error_message(), rows[i].expected));
    }
    struct cedar_entities *entities;
    assert_int_equal(cedar_entities_parse((const uint8_t *)"[\xff]", 3, false, &entities, NULL),
                     SR_ERR_INVALID);
}

static void test_truncation(void **state)
{
    static const char text[] = "[{\"uid\":{\"__entity\":{\"type\":\"A::B\",\"id\":"
                               "\"\\ud83d\\ude00\"}},\"attrs\":{\"a\":[1,-2,true,"
                               "{\"__extn\":{\"fn\":\"offset\",\"args\":[{\"__extn\":{\"fn\":"
                               "\"datetime\",\"arg\":\"1970-01-01\"}},"
                               "{\"__extn\":{\"fn\":\"duration\",\"arg\":\"1ms\"}}]}}]},"
                               "\"parents\":[{\"type\":\"C\",\"id\":\"\"}],"
                               "\"tags\":{\"t\":{\"x\":\"y\"}}}]";
    (void)state;
    for (size_t len = 0; len <= strlen(text); len++) {
        struct cedar_entities *entities;
        uint8_t *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, text, len);
        int rc = cedar_entities_parse(exact, len, true, &entities, NULL);
        assert_int_equal(rc, len == strlen(text) ? 0 : SR_ERR_INVALID);
        cedar_entities_free(entities);
        free(exact);
    }
}

static void test_depth(void **state)
{
    (void)state;
    for (int depth = CEDAR_VALUE_DEPTH_MAX - 1; depth < 200000; depth += 199000) {
        struct sr_buf text = {0};
        struct cedar_entities *entities;
        sr_buf_text(&text, "[{\"uid\":{\"type\":\"T\",\"id\":\"1\"},\"attrs\":{\"a\":");
        for (int i = 0; i < depth; i++)
            sr_buf_text(&text, i % 2 ? "{\"a\":" : "[");
        sr_buf_text(&text, "1");
        for (int i = depth; i-- > 0;)
            sr_buf_text(&text, i % 2 ? "}" : "]");
        sr_buf_text(&text, "},\"parents\":[]}]");
        int rc = parse(text.data, false, &entities, NULL);
        assert_int_equal(rc, depth < CEDAR_VALUE_DEPTH_MAX ? 0 : SR_ERR_TOO_LARGE);
        cedar_entities_free(entities);
        sr_buf_free(&text);
    }
}

/* Entities "0" to "count - 1", each with the next as its parent; the last one's parent is "end". */
static void write_chain(struct sr_buf *text, int count, const char *end)
{
    sr_buf_text(text, "[");
    for (int i = 0; i < count; i++) {
        char parent[16];
        snprintf(parent, sizeof(parent), "%d", i + 1);
        sr_buf_format(
            text,
            "%s{\"uid\":{\"type\":\"T\",\"id\":\"%d\"},\"attrs\":{},\"parents\":[{\"type\":\"T\","
            "\"id\":\"%s\"}]}",
            i ? "," : "", i, i + 1 < count ? parent : end);
    }
    sr_buf_text(text, "]");
}

static void test_ancestors(void **state)
{
    struct cedar_entities *entities;
    struct cedar_rig rig;
    struct sr_buf text = {0};
    (void)state;
    cedar_rig_open(&rig, NULL, NULL);
    write_chain(&text, 1500, "beyond");
    assert_int_equal(parse(text.data, false, &entities, NULL), 0);
    sr_buf_free(&text);
    assert_int_equal(cedar_entities_count(entities), 1500);
    const struct cedar_entity *first = cedar_entities_find(entities, cedar_rig_uid(&rig, "T", "0"));
    const struct cedar_entity *last =
        cedar_entities_find(entities, cedar_rig_uid(&rig, "T", "1499"));
    assert_non_null(first);
    assert_non_null(last);
    assert_int_equal(first->ancestor_count, 1500);
    assert_int_equal(last->ancestor_count, 1);
    assert_true(cedar_entity_has_ancestor(first, cedar_rig_uid(&rig, "T", "1499")));
    assert_true(cedar_entity_has_ancestor(first, cedar_rig_uid(&rig, "T", "beyond")));
    assert_false(cedar_entity_has_ancestor(first, cedar_rig_uid(&rig, "T", "0")));
    assert_false(cedar_entity_has_ancestor(first, cedar_rig_uid(&rig, "U", "5")));
    assert_false(cedar_entity_has_ancestor(last, cedar_rig_uid(&rig, "T", "1498")));
    assert_null(cedar_entities_find(entities, cedar_rig_uid(&rig, "T", "beyond")));
    assert_null(cedar_entities_find(entities, cedar_rig_uid(&rig, "U", "0")));
    cedar_entities_free(entities);
    cedar_rig_close(&rig);
}

static void test_cycles(void **state)
{
    static const char twice[] =
        "[{\"uid\":{\"type\":\"T\",\"id\":\"1\"},\"attrs\":{},\"parents\":[]},"
        "{\"uid\":{\"type\":\"T\",\"id\":\"1\"},\"attrs\":{},\"parents\":[]}]";
    struct cedar_entities *entities;
    struct sr_buf text = {0};
    (void)state;
    write_chain(&text, 1000, "0");
    assert_int_equal(parse(text.data, false, &entities, NULL), SR_ERR_INVALID);
    assert_non_null(strstr(sr_error_message(), "is its own ancestor"));
    assert_null(entities);
    sr_buf_free(&text);
    write_chain(&text, 1, "0");
    assert_int_equal(parse(text.data, false, &entities, NULL), SR_ERR_INVALID);
    sr_buf_free(&text);
    assert_int_equal(parse(twice, false, &entities, NULL), SR_ERR_EXISTS);
    assert_string_equal(sr_error_message(), "entity T::\"1\" is there twice");
}

static void test_items(void **state)
{
    struct cedar_entities *entities;
    struct sr_buf text = {0};
    (void)state;
    sr_buf_text(&text, "[{\"uid\":{\"type\":\"T\",\"id\":\"1\"},\"attrs\":{\"a\":[");
    for (size_t i = 0; i < CEDAR_VALUE_ITEMS_MAX; i++)
        sr_buf_text(&text, "1,");
    size_t len = text.len;
    sr_buf_text(&text, "1]},\"parents\":[]}]");
    assert_int_equal(parse(text.data, false, &entities, NULL), SR_ERR_TOO_LARGE);
    assert_string_equal(sr_error_message(), "JSON values have more than 1048576 items");
    text.data[len - 1] = ' '; /* "1, 1" becomes "1 1": refused for its form, not its size */
    assert_int_equal(parse(text.data, false, &entities, NULL), SR_ERR_INVALID);
    sr_buf_free(&text);
}

/* A chain has as many ancestors as the square of its length: the memory limit ends it. */
static void test_memory(void **state)
{
    struct cedar_entities *entities;
    struct cedar_rig rig;
    const struct cedar_uid *uids[3000];
    (void)state;
    cedar_rig_open(&rig, NULL, NULL);
    for (int i = 0; i < 3000; i++) {
        char id[16];
        snprintf(id, sizeof(id), "%d", i);
        uids[i] = cedar_rig_uid(&rig, "T", id);
    }
    assert_int_equal(cedar_entities_new(4 << 20, &entities), 0);
    for (int i = 0; i < 3000; i++)
        assert_int_equal(
            cedar_entities_add(entities, uids[i], NULL, NULL, i ? &uids[i - 1] : NULL, i ? 1 : 0),
            0);
    assert_int_equal(cedar_entities_seal(entities), SR_ERR_TOO_LARGE);
    assert_string_equal(sr_error_message(),
                        "the entity store takes more memory than the limit of 4096 KiB");
    cedar_entities_free(entities);
    cedar_rig_close(&rig);
}

/* Memory that ends anywhere in the text is the same clear error. */
static void test_memory_of_values(void **state)
{
    static const char text[] =
        "{\"a\":[1,{\"b\":[true,\"x\"]}],\"e\":{\"__entity\":{\"type\":\"T\",\"id\":\"1\"}},"
        "\"d\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}},\"t\":{\"type\":\"T\",\"id\":\"1\"}}";
    int rc = SR_ERR_TOO_LARGE;
    (void)state;
    for (size_t limit = 16; rc < 0; limit += 16) {
        struct cedar_arena arena;
        const struct cedar_record *record;
        assert_true(limit < 65536);
        cedar_arena_init(&arena, limit);
        rc = cedar_entities_parse_context((const uint8_t *)text, strlen(text), true, &arena,
                                          &record, NULL);
        assert_true(rc == 0 || rc == SR_ERR_TOO_LARGE);
        assert_true((rc == 0) == (record != NULL));
        cedar_arena_free(&arena);
    }
}

static void test_context(void **state)
{
    static const char *const bad[] = {"",        "[]", "{} {}", "{\"a\":null}", "{\"__entity\":{}}",
                                      "{\"a\":1"};
    struct cedar_arena arena;
    const struct cedar_record *record;
    (void)state;
    cedar_arena_init(&arena, 1 << 20);
    assert_int_equal(cedar_entities_parse_context((const uint8_t *)" {\"a\":1} ", 9, false, &arena,
                                                  &record, NULL),
                     0);
    assert_int_equal(record->count, 1);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cedar_error error;
        assert_int_equal(cedar_entities_parse_context((const uint8_t *)bad[i], strlen(bad[i]),
                                                      false, &arena, &record, &error),
                         SR_ERR_INVALID);
        assert_null(record);
    }
    cedar_arena_free(&arena);
    /* The arena's limit is the context's. */
    struct sr_buf text = {0};
    sr_buf_text(&text, "{\"a\":[");
    for (int i = 0; i < 100000; i++)
        sr_buf_format(&text, "%d,", i);
    sr_buf_text(&text, "0]}");
    cedar_arena_init(&arena, 100000);
    assert_int_equal(cedar_entities_parse_context((const uint8_t *)text.data, text.len, false,
                                                  &arena, &record, NULL),
                     SR_ERR_TOO_LARGE);
    assert_null(record);
    cedar_arena_free(&arena);
    sr_buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),  cmocka_unit_test(test_implicit),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_ancestors),
        cmocka_unit_test(test_cycles),  cmocka_unit_test(test_memory),
        cmocka_unit_test(test_items),   cmocka_unit_test(test_memory_of_values),
        cmocka_unit_test(test_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
