/* Policies held against a schema: what passes, and for what does not the place, the sentence and the
 * name that is suggested. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/io.h"
#include "policy/cedar_schema.h"

static const char office[] =
    "type Badge = { number: String, issued?: datetime };\n"
    "entity User in [Unit, Role] = {\n"
    "  name: String, level: Long, unit: Unit, head?: User, until?: datetime, badge?: Badge,\n"
    "  agent: Bool, home: ipaddr, share: decimal, shift: duration, cases: Set<Case>\n"
    "} tags String;\n"
    "entity Service { level: String, key?: String };\n"
    "entity Unit in [Unit]; entity Role enum [\"officer\", \"head\"];\n"
    "entity Case in [Unit] { owner: User, marks: Set<String>, closed?: Bool, level: Long };\n"
    "entity Record in [Case] { case: Case, owner?: User, level: Long, secret?: Bool };\n"
    "action read, list in [view] appliesTo { principal: [User, Service], resource: [Record, "
    "Case],\n"
    "  context: { purpose?: String, address: ipaddr, at: datetime } };\n"
    "action seal in [write] appliesTo { principal: User, resource: Record };\n"
    "action view in [any]; action write in [any]; action any;\n"
    "action idle appliesTo { principal: Service, resource: Unit, context: { n: Long } };";

struct report {
    struct sr_buf text; /* "L:C what (suggestion)\n" of each problem */
    uint32_t last;
};

static void add_problem(void *arg, const struct cedar_problem *problem)
{
    struct report *report = arg;
    assert_string_equal(problem->file, "test.cedar");
    assert_true(problem->policy >= report->last);
    report->last = problem->policy;
    sr_buf_format(&report->text, "%u:%u %s", problem->line, problem->column, problem->what);
    if (problem->suggestion)
        sr_buf_format(&report->text, " (%s)", problem->suggestion);
    sr_buf_format(&report->text, "\n");
}

static struct cedar_schema *make_schema(const char *text)
{
    struct cedar_schema *schema;
    if (cedar_schema_parse((const uint8_t *)text, strlen(text), &schema, NULL) < 0)
        fail_msg("%s", sr_error_message());
    return schema;
}

/* Checks a text; report is what was reported, for the caller to free. */
static int check(const char *schema_text, const char *text, struct report *report)
{
    struct cedar_schema *schema = make_schema(schema_text);
    struct cedar_policies *policies;
    *report = (struct report){0};
    assert_int_equal(cedar_policies_new(&policies), 0);
    if (cedar_policies_add(policies, "test.cedar", (const uint8_t *)text, strlen(text), NULL) < 0)
        fail_msg("%s: %s", text, sr_error_message());
    int rc = cedar_schema_check_policies(schema, policies, add_problem, report);
    assert_int_equal(cedar_schema_check_policies(schema, policies, NULL, NULL), rc);
    cedar_policies_free(policies);
    cedar_schema_free(schema);
    return rc;
}

static void expect(const char *schema, const char *text, const char *wanted)
{
    struct report report;
    int rc = check(schema, text, &report);
    const char *found = report.text.len ? report.text.data : "";
    assert_int_equal(rc, *wanted ? SR_ERR_INVALID : 0);
    if (strcmp(found, wanted) != 0)
        fail_msg("%s\nreported: %swanted: %s", text, found, wanted);
    sr_buf_free(&report.text);
}

/* A condition of a policy for reading records and cases by users; it begins at column 1 of line 2. */
static void expect_when(const char *condition, const char *wanted)
{
    struct sr_buf text = {0};
    sr_buf_format(
        &text,
        "permit(principal is User, action == Action::\"read\", resource is Record) when {\n"
        "%s };",
        condition);
    expect(office, text.data, wanted);
    sr_buf_free(&text);
}

static void test_scopes(void **state)
{
    static const char *const passing[] = {
        "permit(principal, action, resource);",
        "permit(principal == User::\"a\", action == Action::\"read\", resource == Record::\"r\");",
        "permit(principal in Unit::\"u\", action in Action::\"any\", resource in Case::\"c\");",
        "permit(principal in Role::\"head\", action in [Action::\"view\", Action::\"seal\"], "
        "resource);",
        "permit(principal is Service, action == Action::\"idle\", resource is Unit in "
        "Unit::\"u\");",
        "permit(principal == ?principal, action, resource in ?resource);",
        "@id(\"a\") forbid(principal is User in Unit::\"u\", action, resource is Case);",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++)
        expect(office, passing[i], "");
    expect(office, "permit(\n  principal == Usr::\"a\", action, resource);",
           "2:16 there is no entity type `Usr` (User)\n");
    expect(office, "permit(principal is Unti, action, resource);",
           "1:21 there is no entity type `Unti` (Unit)\n");
    expect(office, "permit(principal is Xxxxxxxx, action, resource);",
           "1:21 there is no entity type `Xxxxxxxx`\n");
    expect(office, "permit(principal, action == Action::\"reed\", resource);",
           "1:29 there is no action Action::\"reed\" (Action::\"read\")\n");
    expect(office, "permit(principal, action in [Action::\"read\", Action::\"wriet\"], resource);",
           "1:46 there is no action Action::\"wriet\" (Action::\"write\")\n");
    expect(office, "permit(principal, action == N::Action::\"read\", resource);",
           "1:29 there is no action N::Action::\"read\" (Action::\"read\")\n");
    expect(office, "permit(principal in Role::\"haed\", action, resource);",
           "1:21 Role::\"haed\" is none of those that the schema lists (head)\n");
    expect(office,
           "permit(principal, action, resource == Record::\"r\");\n"
           "permit(principal, action, resource == record::\"r\");",
           "2:39 there is no entity type `record` (Record)\n");
}

static void test_never(void **state)
{
    static const char never[] = "1:1 this can never apply: no action that it names takes such a "
                                "principal and resource\n";
    static const char *const texts[] = {
        "permit(principal is Service, action == Action::\"seal\", resource);",
        "permit(principal, action == Action::\"seal\", resource is Case);",
        "permit(principal, action == Action::\"view\", resource);",
        "permit(principal in Case::\"c\", action, resource);",
        "permit(principal is Service in Unit::\"u\", action, resource);",
        "permit(principal, action in [], resource);",
        "permit(principal, action, resource == User::\"a\");",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        expect(office, texts[i], never);
    expect(office,
           "permit(principal, action, resource);\n permit(principal, action, resource) "
           "when { principal is User } unless { principal is User };",
           "2:2 this can never apply: its conditions are never true together\n");
    expect(office,
           "forbid(principal, action == Action::\"seal\", resource) when { action == "
           "Action::\"read\" };",
           "1:1 this can never apply: its conditions are never true together\n");
    expect(office, "permit(principal, action, resource) when { false };",
           "1:1 this can never apply: its conditions are never true together\n");
}

static void test_attributes(void **state)
{
    (void)state;
    expect_when("principal.level >= resource.level && principal.unit == Unit::\"u\"", "");
    expect_when("principal.levle > 1", "2:11 User has no attribute `levle` (level)\n");
    expect_when("principal.\n  unit.name == \"\"", "3:8 Unit has no attribute `name`\n");
    expect_when("principal[\"Level\"] > 1", "2:11 User has no attribute `Level` (level)\n");
    expect_when("resource.case.onwer.name == \"x\"",
                "2:15 Case has no attribute `onwer` (owner)\n");
    expect_when("context.porpose == \"x\"",
                "2:9 the context of Action::\"read\" has no attribute `porpose` (purpose)\n");
    expect_when("{a: 1}.b == 1", "2:8 the record has no attribute `b` (a)\n");
    expect_when("principal.name.length == 1",
                "2:16 String has no attributes, `length` is read of one\n");
    expect_when("principal.levle > 1 && resource.levle > 1 && principal.levle > 2",
                "2:11 User has no attribute `levle` (level)\n"
                "2:33 Record has no attribute `levle` (level)\n"
                "2:56 User has no attribute `levle` (level)\n");
    expect_when("action.name == \"x\"", "2:8 Action has no attribute `name`\n");
    /* Of several types in one place each is looked at. */
    expect(office,
           "permit(principal, action == Action::\"read\", resource) when { principal.level > 1 };",
           "1:72 expected Long, datetime or duration, found String\n");
    expect(
        office,
        "permit(principal, action == Action::\"read\", resource) when { principal.name == \"\" };",
        "1:72 Service has no attribute `name`\n");
    expect(office,
           "permit(principal, action == Action::\"read\", resource) when { principal is User && "
           "principal.name == \"\" };",
           "");
    expect(office,
           "permit(principal, action == Action::\"read\", resource) unless { principal is "
           "Service || principal.level > 1 };",
           "");
    expect(office, "permit(principal, action, resource) when { context.n == 1 };",
           "1:52 the context of Action::\"read\" has no attribute `n`\n"
           "1:52 the context of Action::\"seal\" has no attribute `n`\n");
    expect(office,
           "permit(principal, action, resource) when { action == Action::\"idle\" && "
           "context.n == 1 };",
           "");
}

/* Long for its two tables: what guards a read, and what does not. */
static void test_guards(void **state)
{
    static const char *const guarded[] = {
        "principal has until && principal.until < context.at",
        "principal has \"until\" && principal[\"until\"] < context.at",
        "if principal has until then principal.until < context.at else true",
        "if !(principal has until) then false else principal.until < context.at",
        "!(principal has until) || principal.until < context.at",
        "!(!(principal has until && principal.until < context.at))",
        "principal has until && (principal.level > 1 || principal.until < context.at)",
        "(principal has until && principal.level > 1) && principal.until < context.at",
        "principal.level > 1 && principal has until && principal.until < context.at",
        "(principal has until || false) && principal.until < context.at",
        "((principal has until && principal.level > 1) || (principal has until && "
        "principal.agent)) && principal.until < context.at",
        "(if principal.agent then principal has until else principal has until && "
        "principal.level > 2) && principal.until < context.at",
        "principal has badge.issued && principal.badge.issued < context.at",
        "principal has badge.issued && principal.badge.number == \"\"",
        "principal has badge && principal.badge has issued && principal.badge.issued < context.at",
        "principal has head.badge.issued && principal.head.badge.issued < context.at",
        "resource has owner.head && resource.owner.head == principal",
        "context has purpose && context.purpose like \"*案*\"",
        "resource has secret && resource has owner && resource.secret && resource.owner == "
        "principal",
        "principal.hasTag(\"k\") && principal.getTag(\"k\") == \"v\"",
        "principal.hasTag(principal.name) && principal.getTag(principal.name) == \"v\"",
        "(principal has head && principal.head has badge) && principal.head.badge.number == \"\"",
        "!(principal has until) || !(principal has head) || principal.head has until && "
        "principal.head.until == principal.until",
        "{a: 1} has a && {a: 1}.a == 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(guarded) / sizeof(guarded[0]); i++)
        expect_when(guarded[i], "");
    static const struct {
        const char *condition;
        unsigned column;
    } bare[] = {
        {"principal.until < context.at", 11},
        {"principal.until < context.at && principal has until", 11},
        {"principal has until || principal.until < context.at", 34},
        {"(principal has until || principal.agent) && principal.until < context.at", 55},
        {"!(principal has until) && principal.until < context.at", 37},
        {"!(principal has until && principal.agent) || principal.until < context.at && "
         "principal.until < context.at || principal.until < context.at",
         0},
        {"if principal has until then true else principal.until < context.at", 49},
        {"(if principal.agent then principal has until else true) && principal.until < "
         "context.at",
         70},
        {"principal has until && resource has owner && resource.owner.until < context.at", 61},
        {"resource has owner && principal.until < context.at", 33},
    };
    for (size_t i = 0; i < sizeof(bare) / sizeof(bare[0]); i++) {
        char wanted[128] = "";
        if (bare[i].column)
            snprintf(wanted, sizeof(wanted),
                     "2:%u the attribute `until` of User is optional: test it with `has` before\n",
                     bare[i].column);
        expect_when(bare[i].condition, wanted);
    }
    expect_when(
        "principal has badge && principal.badge.issued < context.at",
        "2:40 the attribute `issued` of the record is optional: test it with `has` before\n");
    expect_when(
        "principal has badge.number && principal.badge.issued < context.at",
        "2:47 the attribute `issued` of the record is optional: test it with `has` before\n");
    expect_when("principal.badge has issued",
                "2:11 the attribute `badge` of User is optional: test it with `has` before\n");
    expect_when(
        "context.purpose == \"x\"",
        "2:9 the attribute `purpose` of the context of Action::\"read\" is optional: test it "
        "with `has` before\n");
    expect_when("principal.getTag(\"k\") == \"v\"",
                "2:11 a tag of User may be missing: test it with `hasTag` before\n");
    expect_when("principal.hasTag(\"k\") && principal.getTag(\"q\") == \"v\"",
                "2:36 a tag of User may be missing: test it with `hasTag` before\n");
    expect_when("resource.hasTag(\"k\")", "2:10 Record has no tags\n");
    expect_when("resource.getTag(\"k\") == 1", "2:10 Record has no tags\n");
}

/* Clauses of one policy are looked at in order, each where those before let it pass. */
static void test_clauses(void **state)
{
    static const char scope[] =
        "permit(principal is User, action == Action::\"read\", resource is Record)\n";
    static const struct {
        const char *clauses;
        const char *wanted;
    } cases[] = {
        {"when { principal has until } when { principal.until < context.at };", ""},
        {"unless { !(principal has until) } when { principal.until < context.at };", ""},
        {"when { principal has until } unless { principal.until > context.at };", ""},
        {"unless { !(principal has until) || principal.until < context.at };", ""},
        {"unless { principal.level < 1 || !(principal has until) } when { principal.until < "
         "context.at };",
         ""},
        {"unless { principal has until && principal.until < context.at };", ""},
        {"unless { principal has until } when { principal.until < context.at };",
         "2:49 the attribute `until` of User is optional: test it with `has` before\n"},
        {"when { principal.until < context.at } when { principal has until };",
         "2:18 the attribute `until` of User is optional: test it with `has` before\n"},
        {"unless { principal has until || principal.until < context.at };",
         "2:43 the attribute `until` of User is optional: test it with `has` before\n"},
        {"when { principal.level } unless { 1 };",
         "2:18 expected Bool, found Long\n2:35 expected Bool, found Long\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sr_buf text = {0};
        sr_buf_format(&text, "%s%s", scope, cases[i].clauses);
        expect(office, text.data, cases[i].wanted);
        sr_buf_free(&text);
    }
}

/* A has for what no type has is a mistake, unless another type of the place has it. */
static void test_has_unknown(void **state)
{
    (void)state;
    expect_when("resource has onwer && resource.onwer == principal",
                "2:10 Record has no attribute `onwer` (owner)\n");
    expect_when("principal has badge.isued", "2:11 the record has no attribute `isued` (issued)\n");
    expect_when("principal has name.first",
                "2:11 String has no attributes, has asks for `first`\n");
    expect(office,
           "permit(principal, action in Action::\"view\", resource) when { resource has secret "
           "&& resource.secret };",
           "");
    expect(office, "permit(principal, action, resource) when { resource has secrt };",
           "1:53 Record has no attribute `secrt` (secret)\n");
    expect(office,
           "permit(principal, action in Action::\"view\", resource) when { principal.hasTag(\"k\") "
           "};",
           "");
}

/* As long as the table of what each operator takes. */
static void test_types(void **state)
{
    static const struct {
        const char *condition;
        const char *wanted;
    } cases[] = {
        {"principal.name < 1", "2:11 expected Long, datetime or duration, found String\n"},
        {"principal.level < \"1\"", "2:19 expected Long, found String\n"},
        {"context.at < principal.level", "2:24 expected datetime, found Long\n"},
        {"principal.share < decimal(\"1.0\")",
         "2:11 expected Long, datetime or duration, found decimal\n"},
        {"principal.level == \"1\"", "2:20 expected Long, found String\n"},
        {"principal.level == 1 || principal.name != \"x\"", ""},
        {"principal.name.contains(\"x\")", "2:11 expected Set, found String\n"},
        {"resource.case.marks.contains(1)", "2:30 expected String, found Long\n"},
        {"resource.case.marks.contains(\"x\")", ""},
        {"resource.case.marks.containsAll([\"x\"]) && [].isEmpty()", ""},
        {"resource.case.marks.containsAny(\"x\")", "2:33 expected Set, found String\n"},
        {"resource.case.marks.containsAny([1])", "2:33 expected String, found Long\n"},
        {"principal.isEmpty()", "2:1 expected Set, found User\n"},
        {"principal.level like \"x\"", "2:11 expected String, found Long\n"},
        {"principal.name like \"x*\"", ""},
        {"principal.level", "2:11 expected Bool, found Long\n"},
        {"principal.agent", ""},
        {"principal.agent && principal.level", "2:30 expected Bool, found Long\n"},
        {"principal.level || principal.agent", "2:11 expected Bool, found Long\n"},
        {"!principal.level", "2:12 expected Bool, found Long\n"},
        {"-principal.name == 1", "2:12 expected Long, found String\n"},
        {"principal.level + principal.name == 1", "2:29 expected Long, found String\n"},
        {"principal.level * 2 - 1 > resource.level", ""},
        {"if principal.level then true else false", "2:14 expected Bool, found Long\n"},
        {"(if principal.agent then 1 else \"x\") == 1", "2:33 expected Long, found String\n"},
        {"(if principal.agent then principal else resource) == principal",
         "2:41 expected User, found Record\n"},
        {"[1, \"x\"].contains(1)", "2:5 expected Long, found String\n"},
        {"principal.level in Unit::\"u\"", "2:11 expected an entity, found Long\n"},
        {"principal in principal.name",
         "2:24 expected an entity or a set of entities, found String\n"},
        {"principal in [principal.cases]", "2:25 expected an entity, found Set<Case>\n"},
        {"resource in principal.cases", ""},
        {"principal in [Unit::\"u\", Role::\"head\"]", ""},
        {"principal in Unit::\"u\" && resource in Unit::\"u\"", ""},
        {"principal in Case::\"c\"", "2:11 User is never in a Case\n"},
        {"principal in []", "1:1 this can never apply: its conditions are never true together\n"},
        {"principal == resource", "2:11 Record is never a User\n"},
        {"principal != resource", "2:11 Record is never a User\n"},
        {"principal.cases.contains(principal)", "2:17 User is never a Case\n"},
        {"principal == Usr::\"a\" && principal is Recod",
         "2:14 there is no entity type `Usr` (User)\n"
         "2:36 there is no entity type `Recod` (Record)\n"},
        {"principal is User in Unit::\"u\"", ""},
        {"principal is User in principal.name",
         "2:32 expected an entity or a set of entities, found String\n"},
        {"principal.level is User", "2:11 expected an entity, found Long\n"},
        {"principal in Role::\"haed\"",
         "2:14 Role::\"haed\" is none of those that the schema lists (head)\n"},
        {"action in [Action::\"view\", Action::\"raed\"]",
         "2:28 there is no action Action::\"raed\" (Action::\"read\")\n"},
        {"{a: principal.level, b: {c: true}}.b.c", ""},
        {"principal.hasTag(1)", "2:18 expected String, found Long\n"},
        {"(principal has badge && principal.badge == {number: \"x\"})",
         "2:44 expected {issued?: datetime, number: String}, found {number: String}\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_when(cases[i].condition, cases[i].wanted);
}

static void test_extensions(void **state)
{
    static const struct {
        const char *condition;
        const char *wanted;
    } cases[] = {
        {"principal.home.isInRange(ip(\"10.0.0.0/8\")) && context.address.isIpv4()", ""},
        {"principal.share.lessThan(decimal(\"0.5\"))", ""},
        {"context.at.offset(principal.shift) > datetime(\"2026-01-01\")", ""},
        {"context.at.durationSince(datetime(\"2026-01-01\")).toDays() > 3", ""},
        {"context.at.toDate() == context.at && context.at.toTime() < duration(\"8h\")", ""},
        {"principal.share.isIpv4()", "2:11 expected ipaddr, found decimal\n"},
        {"principal.level.lessThan(decimal(\"0.5\"))", "2:11 expected decimal, found Long\n"},
        {"principal.home.isInRange(\"10.0.0.0/8\")", "2:26 expected ipaddr, found String\n"},
        {"principal.home.isIpv4(1)", "2:16 isIpv4 takes 0 arguments, found 1\n"},
        {"ip().isIpv4()", "2:1 ip takes 1 argument, found 0\n"},
        {"ip(\"x\").isIpv4()", "2:1 ip cannot make a value of this text\n"},
        {"ip(principal.name).isIpv4()", "2:1 ip takes a literal text, so that it cannot fail\n"},
        {"decimal(1) == principal.share", "2:9 expected String, found Long\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_when(cases[i].condition, cases[i].wanted);
}

/* The place of the first problem is in the sentence. */
static void test_sentence(void **state)
{
    struct report report;
    char text[512];
    const struct cedar_problem problem = {"a.cedar", 0, 3, 7, "it is wrong", NULL};
    (void)state;
    assert_int_equal(check(office,
                           "permit(principal, action, resource)\nwhen { principal.levle > "
                           "1 && principal.x };",
                           &report),
                     SR_ERR_INVALID);
    assert_string_equal(sr_error_message(),
                        "test.cedar: line 2, column 18: Service has no attribute "
                        "`levle`; did you mean `level`?");
    sr_buf_free(&report.text);
    assert_string_equal(cedar_problem_text(&problem, text, sizeof(text)),
                        "a.cedar: line 3, column 7: it is wrong");
    assert_string_equal(cedar_problem_text(&problem, text, 8), "a.cedar");
}

static const char *suggest(const char *attribute)
{
    static char answer[128];
    struct report report;
    struct sr_buf text = {0};
    sr_buf_format(&text, "permit(principal, action, resource) when { context[\"%s\"] == 1 };",
                  attribute);
    check("entity U; action a appliesTo { principal: U, resource: U, context: { abcdef: Long, "
          "abcxyz: Long, \"密级\": Long, \"承办单位\": Long, Xy: Long } };",
          text.data, &report);
    const char *open = strrchr(report.text.data, '(');
    snprintf(answer, sizeof(answer), "%s", open ? open + 1 : ")");
    answer[strcspn(answer, ")")] = '\0';
    sr_buf_free(&report.text);
    sr_buf_free(&text);
    return answer;
}

static void test_suggestions(void **state)
{
    (void)state;
    assert_string_equal(suggest("abcde"), "abcdef");
    assert_string_equal(suggest("abdcef"), "abcdef");
    assert_string_equal(suggest("ABCDEF"), "abcdef");
    assert_string_equal(suggest("abcdyz"), "abcxyz");
    assert_string_equal(suggest("zzzzzz"), "");
    assert_string_equal(suggest("xy"), "Xy");
    assert_string_equal(suggest("承办部单位"), "承办单位");
    assert_string_equal(suggest("密"), "密级");
    assert_string_equal(suggest("其他"), "");
}

/* The policies that are shipped pass. */
static void test_shipped(void **state)
{
    struct sr_io *io = sr_io_posix();
    uint8_t *schema;
    uint8_t *policies;
    size_t schema_len;
    size_t len;
    (void)state;
    assert_int_equal(
        sr_io_read_file(io, "policy/strongroom.cedarschema", 1 << 20, &schema, &schema_len), 0);
    assert_int_equal(sr_io_read_file(io, "policy/access.cedar", 1 << 20, &policies, &len), 0);
    struct sr_buf schema_text = {0};
    struct sr_buf text = {0};
    sr_buf_append(&schema_text, schema, schema_len);
    sr_buf_append(&text, policies, len);
    expect(schema_text.data, text.data, "");
    free(schema);
    free(policies);
    sr_buf_free(&schema_text);
    sr_buf_free(&text);
}

/* Names of one namespace and of several. */
static void test_namespaces(void **state)
{
    static const char schema[] =
        "namespace A { entity U in [B::G]; action x in [B::Action::\"all\"] appliesTo { principal: "
        "U, resource: B::G }; }"
        "namespace B { entity G { n: Long }; action all; }";
    (void)state;
    expect(schema,
           "permit(principal is A::U, action in B::Action::\"all\", resource in B::G::\"g\") "
           "when { resource.n > 1 && principal in resource };",
           "");
    expect(schema, "permit(principal is U, action, resource);",
           "1:21 there is no entity type `U` (A::U)\n");
    expect(schema, "permit(principal, action == Action::\"x\", resource);",
           "1:29 there is no action Action::\"x\" (A::Action::\"x\")\n");
}

/* However many doubts were cleared before, a problem counts. */
static void test_many(void **state)
{
    struct report report;
    struct sr_buf text = {0};
    (void)state;
    sr_buf_format(&text,
                  "permit(principal is User, action == Action::\"seal\", resource) when { true");
    for (int i = 0; i < 2000; i++)
        sr_buf_format(&text, " && principal has head");
    sr_buf_format(&text, " && principal.until == principal.until };");
    assert_int_equal(check(office, text.data, &report), SR_ERR_INVALID);
    sr_buf_free(&text);
    sr_buf_free(&report.text);
    expect(
        "entity U; action a appliesTo { principal: U, resource: U, context: { \"a\\nb\": Long } };",
        "permit(principal, action, resource) when { context[\"a\\nc\"] == 1 };",
        "1:52 the context of Action::\"a\" has no attribute `a\\u{a}c` (a\\u{a}b)\n");
}

/* What takes too long is refused, not passed. */
static void test_limits(void **state)
{
    struct report report;
    struct sr_buf text = {0};
    (void)state;
    sr_buf_format(&text, "permit(principal is User, action, resource is Record) when { true");
    for (int i = 0; i < 20000; i++)
        sr_buf_format(&text, " && principal has head");
    for (int i = 0; i < 5000; i++)
        sr_buf_format(&text, " && principal has until && principal.until == principal.until");
    sr_buf_format(&text, "};");
    assert_int_equal(check(office, text.data, &report), SR_ERR_TOO_LARGE);
    assert_string_equal(sr_error_message(),
                        "the check of the policies takes more steps than allowed");
    sr_buf_free(&text);
    sr_buf_free(&report.text);
    /* As many problems as are reported, and no more. */
    for (int i = 0; i < CEDAR_PROBLEMS_MAX + 10; i++)
        sr_buf_format(&text, "permit(principal is X, action, resource);\n");
    assert_int_equal(check(office, text.data, &report), SR_ERR_INVALID);
    size_t lines = 0;
    for (size_t i = 0; i < report.text.len; i++)
        lines += report.text.data[i] == '\n';
    assert_int_equal(lines, CEDAR_PROBLEMS_MAX);
    sr_buf_free(&text);
    sr_buf_free(&report.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scopes),     cmocka_unit_test(test_never),
        cmocka_unit_test(test_attributes), cmocka_unit_test(test_guards),
        cmocka_unit_test(test_clauses),    cmocka_unit_test(test_has_unknown),
        cmocka_unit_test(test_types),      cmocka_unit_test(test_extensions),
        cmocka_unit_test(test_sentence),   cmocka_unit_test(test_suggestions),
        cmocka_unit_test(test_shipped),    cmocka_unit_test(test_namespaces),
        cmocka_unit_test(test_many),       cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
