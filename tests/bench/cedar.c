/* How fast the Cedar engine decides and loads. Prints one figure a line, "name value unit"; exit
 * status 1 when a required one is missed (issue 3: 300,000 decisions a second and core on about 30
 * policies with 1,000 entities; 1,000 policies loaded in under 50 ms).
 *
 * usage: cedar
 *
 * The policies are those of an office: roles by group, cases that belong to units, levels of secrecy,
 * forbids that hold everywhere. Requests go round people, actions and records; a record is an entity
 * of its request, as the door makes it, and its making is counted. Medians of ROUNDS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "policy/cedar.h"
#include "policy/cedar_entities.h"

#define ROUNDS 5
#define DECISIONS 200000
#define UNITS 20
#define PEOPLE 380
#define CASES 600 /* with the units: 1,000 entities */
#define POLICIES_LOADED 1000
#define RATE_REQUIRED 300000.0
#define LOAD_MS_REQUIRED 50.0

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "cedar bench: %s\n", sr_error_message());
        exit(3);
    }
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare_doubles);
    return values[count / 2];
}

static const char *const roles[] = {"officer", "reviewer", "head",   "supervisor", "archivist",
                                    "station", "sysadmin", "secoff", "auditor"};
static const char *const actions[] = {"list", "read", "add", "export", "label", "assign"};

/* One set of about thirty policies; number makes copies differ. */
static void write_policies(struct sr_buf *out, unsigned number)
{
    static const char *const fixed[] = {
        "permit(principal in Role::\"officer\", action in [Action::\"list\", Action::\"read\", "
        "Action::\"add\"], resource is Record)\n"
        "when { resource.case.owner == principal || resource.case.helpers.contains(principal) };\n",
        "permit(principal in Role::\"head\", action in [Action::\"list\", Action::\"read\"], "
        "resource "
        "is Record)\nwhen { principal.unit == resource.case.unit };\n",
        "permit(principal in Role::\"reviewer\", action == Action::\"read\", resource is Record)\n"
        "when { resource has stage && resource.stage like \"03*\" };\n",
        "permit(principal in Role::\"supervisor\", action == Action::\"list\", resource);\n",
        "permit(principal in Role::\"archivist\", action == Action::\"read\", resource is Record)\n"
        "when { resource.sealed && context.purpose like \"*归档*\" };\n",
        "forbid(principal, action, resource is Record)\n"
        "when { resource.level > principal.clearance };\n",
        "forbid(principal, action == Action::\"read\", resource is Record)\n"
        "when { resource.marks.containsAny([\"隐蔽录音录像\", \"个人隐私\"]) }\n"
        "unless { context has purpose && context.purpose != \"\" };\n",
        "forbid(principal, action == Action::\"export\", resource is Record)\n"
        "unless { context has client && context.client.isInRange(ip(\"10.0.0.0/8\")) };\n",
        "forbid(principal, action, resource)\n"
        "when { principal has validUntil && context.now >= principal.validUntil };\n",
        "forbid(principal in Role::\"sysadmin\", action in [Action::\"read\", Action::\"export\"], "
        "resource);\n",
    };
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
        sr_buf_format(out, "@id(\"rule-%u-%zu\")\n%s", number, i, fixed[i]);
    for (unsigned i = 0; i < 20; i++)
        sr_buf_format(out,
                      "@id(\"unit-%u-%u\")\npermit(principal in Unit::\"unit%u\", action in "
                      "[Action::\"%s\", Action::\"%s\"], resource in Case::\"case%u\")\n"
                      "when { principal in Role::\"%s\" && resource.level <= %u && context.now < "
                      "datetime(\"2027-01-%02uT00:00:00Z\") };\n",
                      number, i, i % UNITS, actions[i % 6], actions[(i + 1) % 6], i * 7 % CASES,
                      roles[i % 9], i % 5, i + 1);
}

static void write_entities(struct sr_buf *out)
{
    sr_buf_text(out, "[");
    for (unsigned i = 0; i < UNITS; i++)
        sr_buf_format(
            out,
            "{\"uid\":{\"type\":\"Unit\",\"id\":\"unit%u\"},\"attrs\":{\"name\":\"第%u科\"},"
            "\"parents\":[{\"type\":\"Unit\",\"id\":\"unit%u\"}]},\n",
            i, i, i + UNITS);
    for (unsigned i = 0; i < PEOPLE; i++)
        sr_buf_format(
            out,
            "{\"uid\":{\"type\":\"User\",\"id\":\"%u\"},\"attrs\":{\"clearance\":%u,\"unit\":{"
            "\"__entity\":{\"type\":\"Unit\",\"id\":\"unit%u\"}},\"validUntil\":{\"__extn\":{"
            "\"fn\":\"datetime\",\"arg\":\"2030-01-01\"}}},\"parents\":[{\"type\":\"Role\","
            "\"id\":\"%s\"},{\"type\":\"Unit\",\"id\":\"unit%u\"}]},\n",
            20000 + i, i % 5, i % UNITS, roles[i % 9], i % UNITS);
    for (unsigned i = 0; i < CASES; i++)
        sr_buf_format(
            out,
            "%s{\"uid\":{\"type\":\"Case\",\"id\":\"case%u\"},\"attrs\":{\"owner\":{"
            "\"__entity\":{\"type\":\"User\",\"id\":\"%u\"}},\"helpers\":[{\"__entity\":{"
            "\"type\":\"User\",\"id\":\"%u\"}}],\"unit\":{\"__entity\":{\"type\":\"Unit\","
            "\"id\":\"unit%u\"}}},\"parents\":[{\"type\":\"Unit\",\"id\":\"unit%u\"}]}",
            i ? ",\n" : "", i, 20000 + i % PEOPLE, 20000 + (i + 1) % PEOPLE, i % UNITS, i % UNITS);
    sr_buf_text(out, "]");
}

/* What the requests are made of, once. */
struct world {
    struct cedar_policies *policies;
    struct cedar_entities *entities;
    struct cedar_arena arena;
    const struct cedar_uid *people[PEOPLE];
    const struct cedar_uid *actions[6];
    const struct cedar_uid *cases[CASES];
    const struct cedar_text *keys[5]; /* case, level, marks, sealed, stage */
    const struct cedar_text *stage;
    const struct cedar_uid *record;
    const struct cedar_set *marks;
    const struct cedar_record *context;
};

static const struct cedar_uid *make_uid(struct world *w, const char *type, const char *id)
{
    return cedar_uid_make(&w->arena, cedar_text_make(&w->arena, type, strlen(type)),
                          cedar_text_make(&w->arena, id, strlen(id)));
}

static void make_world(struct world *w)
{
    static const char *const keys[] = {"case", "level", "marks", "sealed", "stage"};
    static const char context[] =
        "{\"now\":{\"__extn\":{\"fn\":\"datetime\",\"arg\":\"2026-11-26T05:00:00Z\"}},"
        "\"client\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.1.2.3\"}},\"purpose\":\"办案\"}";
    struct cedar_value mark = {.kind = CEDAR_STRING};
    struct sr_buf text = {0};
    char id[32];
    cedar_arena_init(&w->arena, 64 << 20);
    must(cedar_policies_new(&w->policies));
    write_policies(&text, 0);
    must(cedar_policies_add(w->policies, "bench.cedar", (uint8_t *)text.data, text.len, NULL));
    sr_buf_free(&text);
    write_entities(&text);
    double start = now_s();
    must(cedar_entities_parse((uint8_t *)text.data, text.len, false, &w->entities, NULL));
    printf("cedar_entities_load %.2f ms\n", (now_s() - start) * 1e3);
    sr_buf_free(&text);
    must(cedar_entities_parse_context((const uint8_t *)context, strlen(context), false, &w->arena,
                                      &w->context, NULL));
    for (unsigned i = 0; i < PEOPLE; i++) {
        snprintf(id, sizeof(id), "%u", 20000 + i);
        w->people[i] = make_uid(w, "User", id);
    }
    for (unsigned i = 0; i < CASES; i++) {
        snprintf(id, sizeof(id), "case%u", i);
        w->cases[i] = make_uid(w, "Case", id);
    }
    for (unsigned i = 0; i < 6; i++)
        w->actions[i] = make_uid(w, "Action", actions[i]);
    for (unsigned i = 0; i < 5; i++)
        w->keys[i] = cedar_text_make(&w->arena, keys[i], strlen(keys[i]));
    w->record = make_uid(w, "Record", "1");
    w->stage = cedar_text_make(&w->arena, "03审核", strlen("03审核"));
    mark.text = cedar_text_make(&w->arena, "商业秘密", strlen("商业秘密"));
    w->marks = cedar_set_make(&w->arena, &mark, 1, NULL);
}

/* One decision, with the record's entity made for it. */
static bool decide(struct world *w, struct cedar_arena *scratch, unsigned i)
{
    const struct cedar_uid *parent = w->cases[i * 31 % CASES];
    const struct cedar_record *attrs;
    struct cedar_response response;
    struct cedar_member members[] = {
        {w->keys[0], {.kind = CEDAR_ENTITY, .uid = parent}},
        {w->keys[1], {.kind = CEDAR_LONG, .number = i % 5}},
        {w->keys[2], {.kind = CEDAR_SET, .set = w->marks}},
        {w->keys[3], {.kind = CEDAR_BOOL, .boolean = i % 2}},
        {w->keys[4], {.kind = CEDAR_STRING, .text = w->stage}},
    };
    cedar_arena_reset(scratch);
    must(cedar_record_make(scratch, members, 5, &attrs));
    const struct cedar_entity *record =
        cedar_entity_make(scratch, w->entities, w->record, attrs, NULL, &parent, 1);
    struct cedar_request request = {
        .principal = w->people[i * 17 % PEOPLE],
        .action = w->actions[i % 6],
        .resource = w->record,
        .context = w->context,
        .entities = w->entities,
        .extra = &record,
        .extra_count = 1,
    };
    must(cedar_authorize(w->policies, &request, scratch, &response));
    if (response.fault_count) {
        char why[128];
        cedar_fault_text(&response.faults[0], why, sizeof(why));
        fprintf(stderr, "cedar bench: policy %u: %s\n", response.faults[0].policy, why);
        exit(3);
    }
    return response.allow;
}

static double measure_decisions(struct world *w)
{
    double rates[ROUNDS];
    unsigned allowed = 0;
    struct cedar_arena scratch;
    cedar_arena_init(&scratch, CEDAR_SCRATCH_MAX);
    for (int round = 0; round < ROUNDS; round++) {
        double start = now_s();
        for (unsigned i = 0; i < DECISIONS; i++)
            allowed += decide(w, &scratch, i);
        rates[round] = DECISIONS / (now_s() - start);
    }
    cedar_arena_free(&scratch);
    printf("cedar_policies %zu\n", cedar_policies_count(w->policies));
    printf("cedar_entities %zu\n", cedar_entities_count(w->entities));
    printf("cedar_allowed %.1f %%\n", 100.0 * allowed / ROUNDS / DECISIONS);
    return median(rates, ROUNDS);
}

static double measure_load(void)
{
    double times[ROUNDS];
    struct sr_buf text = {0};
    for (unsigned i = 0; i < (POLICIES_LOADED + 29) / 30; i++)
        write_policies(&text, i);
    for (int round = 0; round < ROUNDS; round++) {
        struct cedar_policies *policies;
        double start = now_s();
        must(cedar_policies_new(&policies));
        must(cedar_policies_add(policies, "bench.cedar", (uint8_t *)text.data, text.len, NULL));
        times[round] = (now_s() - start) * 1e3;
        if (!round)
            printf("cedar_loaded %zu policies, %zu bytes\n", cedar_policies_count(policies),
                   text.len);
        cedar_policies_free(policies);
    }
    sr_buf_free(&text);
    return median(times, ROUNDS);
}

int main(void)
{
    static struct world world;
    make_world(&world);
    double rate = measure_decisions(&world);
    double load_ms = measure_load();
    printf("cedar_decision_rate %.0f decisions/s\n", rate);
    printf("cedar_load %.2f ms\n", load_ms);
    cedar_policies_free(world.policies);
    cedar_entities_free(world.entities);
    cedar_arena_free(&world.arena);
    return rate < RATE_REQUIRED || load_ms > LOAD_MS_REQUIRED;
}
