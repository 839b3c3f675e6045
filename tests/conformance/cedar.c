/* Runs the public tests of Cedar against our engine.
 *
 * usage: cedar-conformance DIR
 *
 * Every JSON file below DIR that has "policies", "entities" and "requests" is one test (DIR/tests,
 * DIR/corpus-tests); the files it names are relative to DIR. For each request the decision, the
 * policies that determined it and those that failed must be the expected ones; policies are called
 * policy0, policy1, … in their order. The corpus writes every entity reference in full; the tests
 * made by hand leave the "__entity" out where the schema would tell, and are read so.
 *
 * Prints one line for each failing test and "N passed, N failed" at the end. Exit status 0 when all
 * passed, 1 when one failed or none was found, 2 on wrong usage. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar.h"
#include "policy/cedar_entities.h"
#include "policy/cedar_error.h"
#include "policy/cedar_json.h"

#define MEMORY_MAX ((size_t)512 << 20)

struct file {
    uint8_t *data;
    size_t len;
};

/* nftw passes no context; this program has one thread and one job. */
static const char *root;
static unsigned long passed, failed;

static int read_file(const char *path, struct file *out)
{
    *out = (struct file){0};
    FILE *file = fopen(path, "rb");
    if (!file)
        return sr_fail_errno(errno, "%s", path);
    size_t capacity = 0;
    size_t got;
    do {
        if (out->len == capacity) {
            capacity = capacity ? 2 * capacity : 65536;
            uint8_t *grown = realloc(out->data, capacity);
            if (!grown) {
                fclose(file);
                return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
            }
            out->data = grown;
        }
        got = fread(out->data + out->len, 1, capacity - out->len, file);
        out->len += got;
    } while (got > 0);
    int bad = ferror(file);
    fclose(file);
    return bad ? sr_fail(SR_ERR_INVALID, "%s: cannot be read", path) : 0;
}

static int read_named(const struct cedar_text *name, struct file *out)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", root, name->data);
    return read_file(path, out);
}

struct test {
    const struct cedar_text *policies;
    const struct cedar_text *entities;
    const char *requests; /* where they stand in the text */
    struct cedar_policies *set;
    struct cedar_entities *store;
    struct cedar_arena scratch;
    unsigned index; /* of the request */
};

/* Whether the policies are those of a list of names. */
static bool same_policies(const struct cedar_set *names, const uint32_t *indices, size_t count)
{
    if (names->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        char name[24];
        bool found = false;
        snprintf(name, sizeof(name), "policy%u", indices[i]);
        for (uint32_t k = 0; k < names->count; k++)
            found |=
                names->items[k].kind == CEDAR_STRING && cedar_text_is(names->items[k].text, name);
        if (!found)
            return false;
    }
    return true;
}

struct expected {
    const struct cedar_text *decision;
    struct cedar_value reason;
    struct cedar_value errors;
};

/* SR_ERR_DENIED: it is not the expected one; the sentence says in what. */
static int check_answer(struct test *test, const struct cedar_request *request,
                        const struct expected *expected)
{
    struct cedar_response got;
    static uint32_t faulted[CEDAR_POLICIES_MAX];
    if (!request->principal || !request->action || !request->resource || !expected->decision ||
        expected->reason.kind != CEDAR_SET || expected->errors.kind != CEDAR_SET)
        return sr_fail(SR_ERR_DENIED, "request %u is incomplete", test->index);
    cedar_arena_reset(&test->scratch);
    int rc = cedar_authorize(test->set, request, &test->scratch, &got);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < got.fault_count; i++)
        faulted[i] = got.faults[i].policy;
    if (got.allow != cedar_text_is(expected->decision, "allow"))
        return sr_fail(SR_ERR_DENIED, "request %u: %s, expected %s", test->index,
                       got.allow ? "allow" : "deny", expected->decision->data);
    if (!same_policies(expected->reason.set, got.reasons, got.reason_count))
        return sr_fail(SR_ERR_DENIED, "request %u: other policies determined it", test->index);
    if (same_policies(expected->errors.set, faulted, got.fault_count))
        return 0;
    char text[128] = "none";
    if (got.fault_count)
        cedar_fault_text(&got.faults[0], text, sizeof(text));
    return sr_fail(SR_ERR_DENIED, "request %u: other policies failed (%s)", test->index, text);
}

static int run_request(struct test *test, struct cedar_json *json)
{
    struct cedar_request request = {.entities = test->store};
    struct expected expected = {.reason = {.kind = CEDAR_BOOL}, .errors = {.kind = CEDAR_BOOL}};
    struct cedar_value ignored;
    const struct cedar_text *key;
    bool first = true;
    int rc = cedar_json_expect(json, '{');
    while (rc == 0 && (rc = cedar_json_more(json, '}', &first)) > 0) {
        rc = cedar_json_key(json, &key);
        if (rc < 0)
            break;
        if (cedar_text_is(key, "principal"))
            rc = cedar_json_uid(json, &request.principal);
        else if (cedar_text_is(key, "action"))
            rc = cedar_json_uid(json, &request.action);
        else if (cedar_text_is(key, "resource"))
            rc = cedar_json_uid(json, &request.resource);
        else if (cedar_text_is(key, "context"))
            rc = cedar_json_record(json, &request.context);
        else if (cedar_text_is(key, "decision"))
            rc = cedar_json_string(json, &expected.decision);
        else if (cedar_text_is(key, "reason"))
            rc = cedar_json_value(json, &expected.reason);
        else if (cedar_text_is(key, "errors"))
            rc = cedar_json_value(json, &expected.errors);
        else
            rc = cedar_json_value(json, &ignored);
    }
    rc = cedar_error_report(json->error, rc);
    return rc < 0 ? rc : check_answer(test, &request, &expected);
}

static int run_requests(struct test *test, struct cedar_json *json)
{
    bool first = true;
    json->at = test->requests;
    int rc = cedar_json_expect(json, '[');
    while (rc == 0 && (rc = cedar_json_more(json, ']', &first)) > 0) {
        rc = run_request(test, json);
        test->index++;
    }
    return cedar_error_report(json->error, rc);
}

/* The top of a test file. Other JSON files (entities, schemas) are lists, or have no requests. */
static int read_test(struct test *test, struct cedar_json *json)
{
    const struct cedar_text *key;
    struct cedar_value ignored;
    bool first = true;
    if (cedar_json_peek(json) != '{')
        return SR_ERR_NOT_FOUND;
    int rc = cedar_json_expect(json, '{');
    while (rc == 0 && (rc = cedar_json_more(json, '}', &first)) > 0) {
        rc = cedar_json_key(json, &key);
        cedar_json_peek(json);
        if (rc == 0 && cedar_text_is(key, "requests"))
            test->requests = json->at;
        if (rc == 0 && cedar_text_is(key, "policies"))
            rc = cedar_json_string(json, &test->policies);
        else if (rc == 0 && cedar_text_is(key, "entities"))
            rc = cedar_json_string(json, &test->entities);
        else if (rc == 0)
            rc = cedar_json_value(json, &ignored);
    }
    if (rc == 0 && (!test->policies || !test->entities || !test->requests))
        return SR_ERR_NOT_FOUND;
    return cedar_error_report(json->error, rc);
}

static int load(struct test *test, bool implicit)
{
    struct file file;
    int rc = read_named(test->policies, &file);
    if (rc == 0)
        rc = cedar_policies_new(&test->set);
    if (rc == 0)
        rc = cedar_policies_add(test->set, test->policies->data, file.data, file.len, NULL);
    free(file.data);
    if (rc < 0)
        return rc;
    rc = read_named(test->entities, &file);
    if (rc == 0)
        rc = cedar_entities_parse(file.data, file.len, implicit, &test->store, NULL);
    free(file.data);
    return rc;
}

static int run_test(const struct file *file, bool implicit)
{
    struct test test = {0};
    struct cedar_arena arena;
    struct cedar_json json;
    struct cedar_error error;
    cedar_arena_init(&arena, MEMORY_MAX);
    cedar_arena_init(&test.scratch, CEDAR_SCRATCH_MAX);
    int rc = cedar_json_open(&json, file->data, file->len, implicit, &arena, &error);
    if (rc == 0)
        rc = read_test(&test, &json);
    if (rc == 0)
        rc = load(&test, implicit);
    if (rc == 0)
        rc = run_requests(&test, &json);
    cedar_json_close(&json);
    cedar_policies_free(test.set);
    cedar_entities_free(test.store);
    cedar_arena_free(&test.scratch);
    cedar_arena_free(&arena);
    return rc;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)ftw;
    size_t len = strlen(path);
    struct file file;
    if (type != FTW_F || len < 5 || strcmp(path + len - 5, ".json") != 0 ||
        strstr(path, ".entities.json"))
        return 0;
    bool implicit = strstr(path + strlen(root), "corpus-tests/") == NULL;
    int rc = read_file(path, &file);
    if (rc == 0)
        rc = run_test(&file, implicit);
    free(file.data);
    if (rc == SR_ERR_NOT_FOUND)
        return 0;
    if (rc < 0) {
        printf("FAIL %s: %s\n", path + strlen(root) + 1, sr_error_message());
        failed++;
    } else {
        passed++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: cedar-conformance DIR\n");
        return 2;
    }
    root = argv[1];
    if (nftw(root, visit, 16, FTW_PHYS) < 0)
        perror(root);
    printf("%lu passed, %lu failed\n", passed, failed);
    return failed || !passed;
}
