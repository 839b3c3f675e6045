/* How fast the access rules are asked and loaded, the shipped ones, in the way of the door. Prints one
 * figure a line, "name value unit"; exit status 1 when a required one is missed (issue 3: 300,000
 * decisions a second and core with 1,000 entities; 1,000 policies loaded in under 50 ms).
 *
 * usage: policy     (in the root of the tree: reads policy/)
 *
 * 1,000 people of nine roles and twenty units; questions go round people, acts, cases with their people,
 * levels and marks; the record is an entity of its question, and its making is counted. Loading is that
 * of `strongroom policy reload`: reading, parsing, checking against the schema. Medians of ROUNDS. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "casework/policy.h"

#define ROUNDS 5
#define DECISIONS 200000
#define PEOPLE 1000
#define CASES 97
#define FIRST_UID 20000
#define POLICIES_LOADED 1000
#define RATE_REQUIRED 300000.0
#define LOAD_MS_REQUIRED 50.0

static const char *const roles[] = {"officer", "reviewer", "head",   "supervisor", "archivist",
                                    "station", "sysadmin", "secoff", "auditor"};
static const enum act acts[] = {ACT_LIST, ACT_READ, ACT_ADD, ACT_LIST, ACT_EXPORT, ACT_CLASSIFY};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(int rc)
{
    if (rc < 0) {
        fprintf(stderr, "policy bench: %s\n", sr_error_message());
        exit(3);
    }
}

static int compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof(values[0]), compare_doubles);
    return values[ROUNDS / 2];
}

struct world {
    struct catalog *catalog;
    struct policy *policy;
    struct policy_view *view;
    struct catalog_user people[PEOPLE];
    struct catalog_case cases[CASES];
};

static void add_person(struct world *w, unsigned i)
{
    char account[16], unit[32];
    snprintf(account, sizeof account, "p%u", i);
    snprintf(unit, sizeof unit, "执法%u科", i % 20);
    json_t *entry = json_pack("{s:i,s:s,s:s,s:i,s:s,s:s,s:s,s:[s],s:i}", "v", 1, "act", "user.add",
                              "time", "1", "uid", FIRST_UID + i, "account", account, "name",
                              account, "unit", unit, "roles", roles[i % COUNT(roles)], "by", 0);
    must(catalog_project(w->catalog, i, entry));
    json_decref(entry);
    must(catalog_user(w->catalog, FIRST_UID + i, &w->people[i]));
}

static void make_world(struct world *w)
{
    must(catalog_open_memory(&w->catalog));
    for (unsigned i = 0; i < PEOPLE; i++)
        add_person(w, i);
    for (unsigned i = 0; i < CASES; i++) {
        struct catalog_case *one = &w->cases[i];
        snprintf(one->unit, sizeof one->unit, "执法%u科", i % 20);
        one->lead[one->lead_count++] = FIRST_UID + i * 9 % PEOPLE;
        for (unsigned k = 1; k < 4; k++)
            one->helpers[one->helper_count++] = FIRST_UID + (i + k * 20) * 9 % PEOPLE;
    }
    must(policy_load(sr_io_posix(), "policy", NULL, NULL, &w->policy));
    must(policy_view_new(w->policy, w->catalog, &w->view));
}

static bool ask(struct world *w, struct cedar_arena *scratch, unsigned i)
{
    const struct catalog_node node = {
        .id = 1000 + i,
        .kind = CATALOG_KIND_RECORD,
        .level = i % 7 == 0,
        .marks = i % 11 == 0 ? CATALOG_MARK_PRIVACY : 0,
        .version = {.state = CATALOG_SEALED, .uid = FIRST_UID + i * 13 % PEOPLE}};
    const struct policy_question question = {.user = &w->people[i * 17 % PEOPLE],
                                             .act = acts[i % COUNT(acts)],
                                             .node = &node,
                                             .in_case = &w->cases[i * 31 % CASES]};
    struct policy_answer answer;
    policy_ask(w->view, scratch, &question, &answer);
    if (answer.faulted) {
        fprintf(stderr, "policy bench: %s\n", answer.fault);
        exit(3);
    }
    return answer.allow;
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
            allowed += ask(w, &scratch, i);
        rates[round] = DECISIONS / (now_s() - start);
    }
    cedar_arena_free(&scratch);
    printf("policy_rules %zu\n", cedar_policies_count(policy_rules(w->policy)));
    printf("policy_people %d\n", PEOPLE);
    printf("policy_allowed %.1f %%\n", 100.0 * allowed / ROUNDS / DECISIONS);
    return median(rates);
}

/* A folder of copies of the shipped rules, so many that there are POLICIES_LOADED. */
static size_t make_folder(const struct world *w, char *folder)
{
    size_t rules = cedar_policies_count(policy_rules(w->policy)), files = 0, len;
    uint8_t *text;
    char path[128];
    must(sr_io_read_file(sr_io_posix(), "policy/access.cedar", CEDAR_SOURCE_MAX, &text, &len));
    if (mkdtemp(folder) == NULL) {
        perror("policy bench");
        exit(3);
    }
    for (; files * rules < POLICIES_LOADED; files++) {
        snprintf(path, sizeof path, "%s/%zu.cedar", folder, files);
        must(sr_io_create_file(sr_io_posix(), path, text, len, 0644));
    }
    free(text);
    return files;
}

static double measure_load(const struct world *w)
{
    char folder[] = "/tmp/srt-bench-policy.XXXXXX", path[128];
    double times[ROUNDS];
    size_t files = make_folder(w, folder);
    for (int round = 0; round < ROUNDS; round++) {
        struct policy *policy;
        double start = now_s();
        must(policy_load(sr_io_posix(), folder, NULL, NULL, &policy));
        times[round] = (now_s() - start) * 1e3;
        if (round == 0)
            printf("policy_loaded %zu rules\n", cedar_policies_count(policy_rules(policy)));
        policy_unref(policy);
    }
    for (size_t i = 0; i < files; i++) {
        snprintf(path, sizeof path, "%s/%zu.cedar", folder, i);
        unlink(path);
    }
    rmdir(folder);
    return median(times);
}

int main(void)
{
    static struct world world;
    make_world(&world);
    double rate = measure_decisions(&world);
    double load_ms = measure_load(&world);
    printf("policy_decision_rate %.0f decisions/s (required: %.0f) %s\n", rate, RATE_REQUIRED,
           rate >= RATE_REQUIRED ? "PASS" : "FAIL");
    printf("policy_load %.2f ms (required: under %.0f) %s\n", load_ms, LOAD_MS_REQUIRED,
           load_ms < LOAD_MS_REQUIRED ? "PASS" : "FAIL");
    policy_view_unref(world.view);
    policy_unref(world.policy);
    catalog_close(world.catalog);
    return rate < RATE_REQUIRED || load_ms >= LOAD_MS_REQUIRED;
}
