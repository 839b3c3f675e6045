/* Which schemas are taken, how the others are refused, and whether entities and requests conform. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "policy/cedar_schema_ast.h"

static int parse(const char *text, struct cedar_schema **out, struct cedar_error *error)
{
    return cedar_schema_parse((const uint8_t *)text, strlen(text), out, error);
}

static struct cedar_schema *must_parse(const char *text)
{
    struct cedar_schema *schema;
    if (parse(text, &schema, NULL) < 0)
        fail_msg("%s: %s", text, sr_error_message());
    return schema;
}

static void test_taken(void **state)
{
    static const char *const texts[] = {
        "",
        "// nothing but this",
        "entity User;",
        "entity A, B in [C] = { name: String, age?: Long, } tags Set<String>; entity C;",
        "entity A { x: Bool }; entity B in A; entity C in [];",
        "entity Level enum [\"公开\", \"内部\"];",
        "@doc(\"who\") entity A { @doc(\"what\") @x \"a b\"?: Set<Set<Long>> };",
        "namespace N::M { entity A; action x appliesTo { principal: A, resource: [A] }; }",
        "namespace N { entity A; } namespace M { entity A in N::A; }",
        "type T = { a: Long }; entity A = { t: T }; entity B { t?: Set<T> };",
        "type A = Set<B>; type B = Long;",
        "entity E { a: decimal, b: ipaddr, c: datetime, d: duration, e: __cedar::Long, "
        "f: __cedar::ipaddr, g: __cedar :: String };",
        "entity String { a: __cedar::String, b: String };",
        "action a; action \"b c\" in [a, \"d\"]; action d in Action::\"e\"; action e;",
        "namespace N { action a; } action b in [N::Action::\"a\"];",
        "entity U; type C = { x?: Long }; action a, b appliesTo { context: C, resource: U, "
        "principal: [U], };",
        "entity U; action a appliesTo { principal: U, resource: U, context: {} };",
        "entity entity; entity type; entity tags in enum; entity enum; entity Set;",
        "entity A { entity: Set, Set?: Set<Set> }; entity Set;",
        "entity principal { context : Long, action? : Bool };",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        cedar_schema_free(must_parse(texts[i]));
}

static const struct {
    const char *text;
    uint32_t line;
    uint32_t column;
    const char *found;
    const char *expected;
} refused[] = {
    {"entitty A;", 1, 1, "`entitty`", "`namespace`, `entity`, `action` or `type`"},
    {"namespace N { principal", 1, 15, "`principal`", "`entity`, `action`, `type` or `}`"},
    {"namespace N { entity A;", 1, 24, "the end of the text", "`entity`, `action`, `type` or `}`"},
    {"entity A", 1, 9, "the end of the text", "`in`, `{`, `tags`, `enum` or `;`"},
    {"entity A in [B,];", 1, 16, "`]`", "a name"},
    {"entity A in [B C];", 1, 16, "`C`", "`,` or `]`"},
    {"entity in;", 1, 8, "`in`", "a name that is no reserved word (or [\"…\"])"},
    {"entity Action;", 1, 8, "`Action`", "another name than Action, which actions have"},
    {"entity A = Long;", 1, 12, "`Long`", "`{`"},
    {"entity A {\n  a: Lnog };", 2, 6, "`Lnog`", "a type of the schema; did you mean `Long`?"},
    {"entity A {\n  a Long };", 2, 5, "`Long`", "`:`"},
    {"entity A { a: Long b: Long };", 1, 20, "`b`", "`,` or `}`"},
    {"entity A { a: Long, a?: Bool };", 1, 21, "`a`",
     "an attribute that the record does not have yet"},
    {"entity A { a: Set<Long };", 1, 24, "`}`", "`>`"},
    {"entity A { a: Set };", 1, 15, "`Set`", "a type of the schema"},
    {"entity A { a: \"Long\" };", 1, 15, "\"Long\"", "a type"},
    {"entity A { a: __cedar::Lung };", 1, 15, "`__cedar::Lung`", "a type of the schema"},
    {"entity A { a: __cedar };", 1, 23, "`}`", "`::`"},
    {"entity A enum [];", 1, 16, "`]`", "a string"},
    {"entity A enum [\"x\"] tags Long;", 1, 21, "`tags`", "`;`"},
    {"entity User;\nentity User;", 2, 8, "`User`", "an entity type that is not declared yet"},
    {"entity A in Usr; entity User;", 1, 13, "`Usr`",
     "an entity type of the schema; did you mean `User`?"},
    {"type T = Long;\ntype T = Bool;", 2, 6, "`T`", "a type that is not declared yet"},
    {"type Long = Bool;", 1, 6, "`Long`", "a name that Cedar has no type of"},
    {"type A = Set<B>; type B = { a: A };", 1, 6, "`A`", "a type that is not made of itself"},
    {"entity A; namespace N { entity A; }", 1, 32, "`A`",
     "a name that hides no type declared without namespace"},
    {"action a; action b in c;", 1, 23, "`c`",
     "an action of the schema; did you mean `Action::\"a\"`?"},
    {"action read; action b in [Action::\"raed\"];", 1, 27, "`raed`",
     "an action of the schema; did you mean `Action::\"read\"`?"},
    {"action a in [b]; action b in [a];", 1, 8, "`a`", "an action that is not within itself"},
    {"action a; action a;", 1, 18, "`a`", "an action that is not declared yet"},
    {"action a in A::B;", 1, 13, "`A`", "an action, such as NS::Action::\"id\""},
    {"action a appliesTo { principal: A }; entity A;", 1, 20, "no `resource`",
     "both, each a type or a list of types"},
    {"action a appliesTo { principal: [], resource: A };", 1, 34, "`]`", "a name"},
    {"action a appliesTo { subject: A };", 1, 22, "`subject`",
     "`principal`, `resource`, `context` or `}`"},
    {"action a appliesTo { principal: A, principal: A };", 1, 36, "`principal`",
     "each of the three at most once"},
    {"entity A; action a appliesTo { principal: A, resource: A, context: A };", 1, 68, "`A`",
     "a record or the name of one"},
    {"entity A; action a appliesTo { principal: A, resource: A, context: \"x\" };", 1, 68, "\"x\"",
     "a record or the name of one"},
    {"entity A /* no */;", 1, 10, "`/`", "`in`, `{`, `tags`, `enum` or `;`"},
    {"@doc(1) entity A;", 1, 6, "`1`", "a string"},
    {"entity A { \"x\\q\": Long };", 1, 14, "`\\q`",
     "an escape: \\n \\r \\t \\\\ \\0 \\' \\\" \\xHH \\u{H}"},
    {"entity \xff;", 1, 1, "bytes that are not UTF-8", "UTF-8"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        struct cedar_schema *schema;
        struct cedar_error error;
        if (parse(refused[i].text, &schema, &error) != SR_ERR_INVALID)
            fail_msg("%s: taken", refused[i].text);
        assert_null(schema);
        if (error.line != refused[i].line || error.column != refused[i].column ||
            strcmp(error.found, refused[i].found) != 0 ||
            strcmp(error.expected, refused[i].expected) != 0)
            fail_msg("%s: %s", refused[i].text, sr_error_message());
    }
}

/* count copies of text; number stands for %zu in it. */
static void repeat(struct sr_buf *out, const char *before, const char *after, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sr_buf_format(out, "%s%zu%s", before, i, after);
}

static void expect_large(struct sr_buf *text, const char *sentence)
{
    struct cedar_schema *schema;
    assert_false(text->failed);
    assert_int_equal(cedar_schema_parse((const uint8_t *)text->data, text->len, &schema, NULL),
                     SR_ERR_TOO_LARGE);
    assert_null(schema);
    assert_string_equal(sr_error_message(), sentence);
    sr_buf_free(text);
}

static void test_limits(void **state)
{
    struct sr_buf text = {0};
    (void)state;
    repeat(&text, "entity E", ";", CEDAR_SCHEMA_TYPES_MAX + 1);
    expect_large(&text, "the schema has more than 512 entity types");
    repeat(&text, "action a", ";", CEDAR_SCHEMA_ACTIONS_MAX + 1);
    expect_large(&text, "the schema has more than 1024 actions");
    repeat(&text, "type T", " = Long;", CEDAR_SCHEMA_COMMON_MAX + 1);
    expect_large(&text, "the schema has more than 1024 common types");
    sr_buf_format(&text, "entity E enum [");
    repeat(&text, "\"", "\",", CEDAR_SCHEMA_LIST_MAX + 1);
    expect_large(&text, "the schema has more than 1024 names in one list");
    sr_buf_format(&text, "type T = ");
    for (int i = 0; i < CEDAR_SCHEMA_DEPTH_MAX + 1; i++)
        sr_buf_format(&text, "Set<");
    expect_large(&text, "line 1, column 266: types nest more than 64 deep");
    sr_buf_format(&text, "type T0 = Long;");
    for (int i = 1; i < 70; i++)
        sr_buf_format(&text, "type T%d = Set<T%d>;", i, i - 1);
    expect_large(&text, "line 1, column 1268: types nest more than 64 deep");
    for (int i = 0; i < 1000; i++)
        sr_buf_format(&text, "type T%d = {a: {b: {c: T%d}}};", i, i + 1);
    sr_buf_format(&text, "type T1000 = Long;");
    expect_large(&text, "line 1, column 473: types nest more than 64 deep");
    sr_buf_format(&text, "type T = {");
    while (text.len <= CEDAR_SCHEMA_SOURCE_MAX)
        sr_buf_format(&text, "a%zu: Long,", text.len);
    expect_large(&text, "the schema is longer than 1048576 bytes");
    sr_buf_format(&text, "entity E");
    repeat(&text, "a, E", "", 500);
    sr_buf_format(&text, " {");
    repeat(&text, "a", ": Long,", 5000);
    sr_buf_format(&text, "};");
    expect_large(&text, "the schema takes more memory than the limit of 32768 KiB");
    repeat(&text, "entity E", ";", 200);
    sr_buf_format(&text, "action a appliesTo { principal: [E0");
    repeat(&text, ",E", "", 200);
    sr_buf_format(&text, "], resource: [E0");
    repeat(&text, ",E", "", 200);
    sr_buf_format(&text, "]};");
    expect_large(&text, "the schema allows more than 20000 combinations of principal type, action "
                        "and resource type");
}

static const char whole[] =
    "namespace N {\n"
    "  entity A, B in [C] = { \"x\"?: Set<{ a: Long }>, y: __cedar::Bool } tags String;\n"
    "  entity C enum [\"1\"]; type T = { z: A };\n"
    "  action \"r\" in [g] appliesTo { principal: [A], resource: B, context: T }; action g;\n"
    "}";

/* Cut anywhere, it is refused; the text's memory ends where the text does. */
static void test_truncation(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof(whole); len++) {
        struct cedar_schema *schema;
        char *exact = malloc(len ? len : 1);
        assert_non_null(exact);
        memcpy(exact, whole, len);
        int rc = cedar_schema_parse((const uint8_t *)exact, len, &schema, NULL);
        assert_int_equal(rc, len == 0 || len == sizeof(whole) - 1 ? 0 : SR_ERR_INVALID);
        cedar_schema_free(schema);
        free(exact);
    }
}

/* What hierarchies come to. */
static void test_closed(void **state)
{
    struct cedar_schema *schema = must_parse(
        "entity A in B; entity B in [C, B]; entity C; action r in g; action g in h; action h;"
        "action x, y in h appliesTo { principal: [A, B], resource: [C], context: { a: Long } };"
        "action z appliesTo { principal: A, resource: C, context: { a: Long } };"
        "action w appliesTo { principal: A, resource: C };");
    static const char *const within[] = {"AB", "AC", "BC", "BB"};
    unsigned pairs = 0;
    (void)state;
    for (uint32_t i = 0; i < schema->type_count; i++)
        for (uint32_t k = 0; k < schema->type_count; k++)
            if (schema->types[i].ancestors[k]) {
                char pair[] = {schema->types[i].name->data[0], schema->types[k].name->data[0], 0};
                bool known = false;
                for (size_t p = 0; p < sizeof(within) / sizeof(within[0]); p++)
                    known |= !strcmp(within[p], pair);
                assert_true(known || schema->types[i].action);
                pairs += !schema->types[i].action;
            }
    assert_int_equal(pairs, 4);
    unsigned groups = 0;
    for (uint32_t i = 0; i < schema->action_count; i++)
        for (uint32_t k = 0; k < schema->action_count; k++)
            groups += schema->actions[i].ancestors[k];
    assert_int_equal(groups, 5); /* r g, r h, g h, x h, y h */
    assert_int_equal(schema->environment_count, 6);
    assert_int_equal(schema->shape_count, 3); /* A C and B C with a context, A C without */
    cedar_schema_free(schema);
}

static const char office[] =
    "entity User in [Unit, Role] = { name: String, level: Long, unit: Unit, until?: datetime,\n"
    "  badge?: { number: String, issued?: datetime } } tags Set<Long>;\n"
    "entity Unit; entity Role enum [\"officer\", \"head\"];\n"
    "entity Record in [Record] { owner: User, marks: Set<String> };\n"
    "action read in [view] appliesTo { principal: User, resource: [Record, Unit],\n"
    "  context: { purpose?: String, address: ipaddr } };\n"
    "action view;";

static void check_first(const struct cedar_schema *schema, const char *json, const char *sentence)
{
    struct cedar_entities *entities;
    if (cedar_entities_parse((const uint8_t *)json, strlen(json), false, &entities, NULL) < 0)
        fail_msg("%s: %s", json, sr_error_message());
    int rc = cedar_schema_check_entity(schema, cedar_entities_get(entities, 0));
    if (rc != (sentence ? SR_ERR_INVALID : 0))
        fail_msg("%s: %d %s", json, rc, rc ? sr_error_message() : "");
    if (sentence)
        assert_string_equal(sr_error_message(), sentence);
    cedar_entities_free(entities);
}

#define USER(attrs, parents, tags)                                                           \
    "[{\"uid\":{\"type\":\"User\",\"id\":\"a\"},\"attrs\":{" attrs "},\"parents\":[" parents \
    "],\"tags\":{" tags "}}]"
#define REF(type, id) "{\"__entity\":{\"type\":\"" type "\",\"id\":\"" id "\"}}"
#define FULL "\"name\":\"x\",\"level\":1,\"unit\":" REF("Unit", "u")

static void test_entities(void **state)
{
    struct cedar_schema *schema = must_parse(office);
    static const struct {
        const char *json;
        const char *sentence;
    } cases[] = {
        {USER(FULL, "", ""), NULL},
        {USER(FULL ",\"badge\":{\"number\":\"1\"}", REF("Unit", "u") "," REF("Role", "head"),
              "\"k\":[1,2]"),
         NULL},
        {USER("\"name\":\"x\",\"unit\":" REF("Unit", "u"), "", ""),
         "User::\"a\": attribute `level` is missing"},
        {USER(FULL ",\"lvel\":1", "", ""),
         "User::\"a\": attribute `lvel` is not in the schema; did you mean `level`?"},
        {USER(FULL ",\"zzzzz\":1", "", ""), "User::\"a\": attribute `zzzzz` is not in the schema"},
        {USER("\"name\":1,\"level\":1,\"unit\":" REF("Unit", "u"), "", ""),
         "User::\"a\": attribute `name` has a long where String is wanted"},
        {USER("\"name\":\"\",\"level\":1,\"unit\":" REF("User", "u"), "", ""),
         "User::\"a\": attribute `unit` is no Unit"},
        {USER(FULL ",\"badge\":{\"issued\":\"1\"}", "", ""),
         "User::\"a\": attribute `badge` has a string where datetime is wanted"},
        {USER(FULL ",\"badge\":{}", "", ""), "User::\"a\": attribute `number` is missing"},
        {USER(FULL, REF("Record", "r"), ""),
         "User::\"a\": the schema does not allow it within Record::\"r\""},
        {USER(FULL, REF("Role", "heda"), ""),
         "User::\"a\": the schema does not allow it within Role::\"heda\""},
        {USER(FULL, "", "\"k\":[\"x\"]"), "User::\"a\": tag `k` has a string where Long is wanted"},
        {"[{\"uid\":{\"type\":\"Unit\",\"id\":\"u\"},\"attrs\":{},\"parents\":[],"
         "\"tags\":{\"k\":1}}]",
         "Unit::\"u\": tag `k` is there, and the schema allows none"},
        {"[{\"uid\":{\"type\":\"Unti\",\"id\":\"u\"},\"attrs\":{},\"parents\":[]}]",
         "Unti::\"u\": there is no such entity type; did you mean `Unit`?"},
        {"[{\"uid\":{\"type\":\"Role\",\"id\":\"x\"},\"attrs\":{},\"parents\":[]}]",
         "Role::\"x\": the schema has no such entity"},
        {"[{\"uid\":{\"type\":\"Record\",\"id\":\"r\"},\"attrs\":{\"marks\":[\"x\",1],"
         "\"owner\":" REF("User", "u") "},\"parents\":[]}]",
         "Record::\"r\": attribute `marks` has a long where String is wanted"},
        {"[{\"uid\":{\"type\":\"Action\",\"id\":\"read\"},\"attrs\":{},\"parents\":[" REF(
             "Action", "view") "]}]",
         NULL},
        {"[{\"uid\":{\"type\":\"Action\",\"id\":\"view\"},\"attrs\":{},\"parents\":[" REF(
             "Action", "read") "]}]",
         "Action::\"view\": the schema does not allow it within Action::\"read\""},
        {"[{\"uid\":{\"type\":\"Action\",\"id\":\"raed\"},\"attrs\":{},\"parents\":[]}]",
         "Action::\"raed\": the schema has no such entity"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check_first(schema, cases[i].json, cases[i].sentence);
    cedar_schema_free(schema);
}

static const struct cedar_uid *make_uid(struct cedar_arena *arena, const char *type, const char *id)
{
    return cedar_uid_make(arena, cedar_text_make(arena, type, strlen(type)),
                          cedar_text_make(arena, id, strlen(id)));
}

static void test_requests(void **state)
{
    struct cedar_schema *schema = must_parse(office);
    static const char good[] = "{\"address\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"::1\"}}}";
    static const struct {
        const char *principal;
        const char *action;
        const char *resource;
        const char *context;
        const char *sentence;
    } cases[] = {
        {"User", "read", "Record", good, NULL},
        {"User", "read", "Unit", good, NULL},
        {"Unit", "read", "Record", good,
         "Action::\"read\": the schema allows no principal Unit::\"x\""},
        {"User", "read", "User", good,
         "Action::\"read\": the schema allows no resource User::\"x\""},
        {"User", "view", "Record", good,
         "Action::\"view\": the schema allows no principal User::\"x\""},
        {"User", "red", "Record", good, "Action::\"red\": there is no such action"},
        {"User", "read", "Record", "{}", "the context: attribute `address` is missing"},
        {"User", "read", "Record", "{\"adress\":1}",
         "the context: attribute `adress` is not in the schema; did you mean `address`?"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cedar_arena arena;
        struct cedar_request request = {0};
        cedar_arena_init(&arena, 1 << 20);
        request.principal = make_uid(&arena, cases[i].principal, "x");
        request.action = make_uid(&arena, "Action", cases[i].action);
        request.resource = make_uid(&arena, cases[i].resource, "x");
        assert_int_equal(cedar_entities_parse_context((const uint8_t *)cases[i].context,
                                                      strlen(cases[i].context), false, &arena,
                                                      &request.context, NULL),
                         0);
        int rc = cedar_schema_check_request(schema, &request);
        assert_int_equal(rc, cases[i].sentence ? SR_ERR_INVALID : 0);
        if (rc < 0)
            assert_string_equal(sr_error_message(), cases[i].sentence);
        cedar_arena_free(&arena);
    }
    cedar_schema_free(schema);
}

/* Long ids are cut at a whole character, and the quote is there. */
static void test_uid_text(void **state)
{
    struct cedar_arena arena;
    char text[64];
    (void)state;
    cedar_arena_init(&arena, 1 << 20);
    assert_string_equal(cedar_uid_text(make_uid(&arena, "A", "a\"\\\n案"), text, sizeof(text)),
                        "A::\"a\\\"\\\\\\u{a}案\"");
    const struct cedar_uid *uid = make_uid(&arena, "Type", "案卷库房\x01案卷");
    for (size_t size = 1; size <= sizeof(text); size++) {
        char *exact = malloc(size);
        assert_non_null(exact);
        cedar_uid_text(uid, exact, size);
        assert_true(strlen(exact) < size);
        assert_true(size < 9 || exact[strlen(exact) - 1] == '"');
        free(exact);
    }
    cedar_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_limits),   cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_closed),   cmocka_unit_test(test_entities),
        cmocka_unit_test(test_requests), cmocka_unit_test(test_uid_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
