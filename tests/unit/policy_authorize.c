/* Decisions: scopes, reasons, faults, the request's own entities, limits, threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/cedar_rig.h"

static const char entities[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},\"attrs\":{\"level\":2},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"staff\"}]},"
    "{\"uid\":{\"type\":\"Photo\",\"id\":\"p1\"},\"attrs\":{\"secret\":false},"
    "\"parents\":[{\"type\":\"Album\",\"id\":\"trip\"}]},"
    "{\"uid\":{\"type\":\"Action\",\"id\":\"view\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Action\",\"id\":\"reading\"}]}]";

static void decide(struct cedar_rig *rig, const char *policies)
{
    if (cedar_rig_policies(rig, policies, NULL) < 0 || cedar_rig_decide(rig) < 0)
        fail_msg("%s", sr_error_message());
}

static void test_scopes(void **state)
{
    static const struct {
        const char *scope;
        bool applies;
    } rows[] = {
        {"principal, action, resource", true},
        {"principal == User::\"alice\", action == Action::\"view\", resource == Photo::\"p1\"",
         true},
        {"principal == User::\"bob\", action, resource", false},
        {"principal in User::\"alice\", action, resource", true},
        {"principal in Group::\"staff\", action, resource in Album::\"trip\"", true},
        {"principal in Group::\"none\", action, resource", false},
        {"principal is User, action, resource is Photo in Album::\"trip\"", true},
        {"principal is Photo, action, resource", false},
        {"principal is Photo in Group::\"staff\", action, resource", false},
        {"principal is User in Group::\"none\", action, resource", false},
        {"principal, action in Action::\"reading\", resource", true},
        {"principal, action in [Action::\"write\", Action::\"reading\"], resource", true},
        {"principal, action in [], resource", false},
        {"principal, action == Action::\"reading\", resource", false},
        {"principal == ?principal, action, resource", false}, /* a template that nothing links */
    };
    struct cedar_rig rig;
    (void)state;
    cedar_rig_open(&rig, entities, NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];
        snprintf(text, sizeof(text), "permit(%s);", rows[i].scope);
        decide(&rig, text);
        if (rig.response.allow != rows[i].applies || rig.response.fault_count)
            fail_msg("%s", rows[i].scope);
        assert_int_equal(rig.response.reason_count, rows[i].applies ? 1 : 0);
    }
    cedar_rig_close(&rig);
}

static void check_reasons(const struct cedar_rig *rig, bool allow, size_t count, uint32_t first)
{
    assert_int_equal(rig->response.allow, allow);
    assert_int_equal(rig->response.reason_count, count);
    if (count)
        assert_int_equal(rig->response.reasons[0], first);
}

#define ALL "(principal, action, resource)"

static void test_reasons(void **state)
{
    struct cedar_rig rig;
    (void)state;
    cedar_rig_open(&rig, entities, NULL);
    decide(&rig, "");
    check_reasons(&rig, false, 0, 0);
    decide(&rig, "permit" ALL "; permit" ALL "when { false }; permit" ALL ";");
    check_reasons(&rig, true, 2, 0);
    assert_int_equal(rig.response.reasons[1], 2);
    decide(&rig, "permit" ALL "; forbid" ALL "; forbid" ALL "unless { true };");
    check_reasons(&rig, false, 1, 1);
    decide(&rig, "forbid" ALL ";");
    check_reasons(&rig, false, 1, 0);
    decide(&rig, "permit" ALL "when { true } when { true } unless { false };");
    check_reasons(&rig, true, 1, 0);
    decide(&rig, "permit" ALL "when { false } when { 1 };"); /* the second is not looked at */
    check_reasons(&rig, false, 0, 0);
    assert_int_equal(rig.response.fault_count, 0);
    cedar_rig_close(&rig);
}

/* A policy that faults is skipped and named; what the others say stands. */
static void test_faults(void **state)
{
    struct cedar_rig rig;
    char text[128];
    char cut[10];
    (void)state;
    cedar_rig_open(&rig, entities, NULL);
    decide(&rig,
           "permit" ALL ";\npermit" ALL "\n  when { principal.level +\n    resource.secret > 1 };");
    check_reasons(&rig, true, 1, 0);
    assert_int_equal(rig.response.fault_count, 1);
    const struct cedar_fault *fault = rig.response.faults;
    assert_int_equal(fault->policy, 1);
    assert_int_equal(fault->line, 4);
    assert_int_equal(fault->column, 14);
    assert_int_equal(fault->kind, CEDAR_FAULT_TYPE);
    assert_string_equal(cedar_fault_text(fault, text, sizeof(text)),
                        "expected a long, found a bool");
    assert_string_equal(cedar_fault_text(fault, cut, sizeof(cut)), "expected ");
    assert_false(rig.response.forbid_faulted);
    decide(&rig, "permit" ALL "; forbid" ALL "when { resource.missing };");
    check_reasons(&rig, true, 1, 0); /* so says Cedar; the door denies */
    assert_true(rig.response.forbid_faulted);
    decide(&rig, "permit(principal == User::\"bob\", action, resource) when { 1 };");
    assert_int_equal(rig.response.fault_count, 0); /* the scope does not apply */
    decide(&rig, "permit" ALL "unless { 1 };");
    assert_int_equal(rig.response.fault_count, 1);
    cedar_rig_close(&rig);
}

/* Entities of the request come before the store's, and have the ancestors of their parents. */
static void test_extra(void **state)
{
    struct cedar_rig rig;
    const struct cedar_record *attrs;
    (void)state;
    cedar_rig_open(&rig, entities, NULL);
    const struct cedar_text *secret = cedar_text_make(&rig.arena, "secret", 6);
    struct cedar_member member = {secret, {.kind = CEDAR_BOOL, .boolean = true}};
    assert_int_equal(cedar_record_make(&rig.arena, &member, 1, &attrs), 0);
    const struct cedar_uid *parent = cedar_rig_uid(&rig, "Photo", "p1");
    const struct cedar_uid *fresh = cedar_rig_uid(&rig, "Photo", "p2");
    const struct cedar_entity *extra[2];
    extra[0] = cedar_entity_make(&rig.arena, rig.entities, fresh, attrs, NULL, &parent, 1);
    extra[1] = cedar_entity_make(&rig.arena, NULL, rig.request.principal, NULL, NULL, NULL, 0);
    assert_non_null(extra[0]);
    assert_int_equal(extra[0]->ancestor_count, 2);
    rig.request.resource = cedar_rig_uid(&rig, "Photo", "p2"); /* equal, another address */
    rig.request.extra = extra;
    rig.request.extra_count = 2;
    assert_string_equal(cedar_rig_evaluate(&rig, "resource.secret"), "true");
    assert_string_equal(cedar_rig_evaluate(&rig, "Photo::\"p2\".secret"), "true");
    assert_string_equal(cedar_rig_evaluate(&rig, "Photo::\"p1\".secret"), "false");
    assert_string_equal(cedar_rig_evaluate(&rig, "resource in Album::\"trip\""), "true");
    assert_string_equal(cedar_rig_evaluate(&rig, "principal has level"), "false");
    assert_string_equal(cedar_rig_evaluate(&rig, "principal in Group::\"staff\""), "false");
    cedar_rig_close(&rig);
    cedar_rig_open(&rig, NULL, NULL); /* nothing known at all */
    assert_string_equal(cedar_rig_evaluate(&rig, "principal has level"), "false");
    assert_string_equal(cedar_rig_evaluate(&rig, "context == {}"), "true");
    cedar_rig_close(&rig);
}

static void test_steps(void **state)
{
    struct cedar_rig rig;
    struct sr_buf text = {0};
    (void)state;
    cedar_rig_open(&rig, entities, NULL);
    /* Fewer steps than the policies need, however few they are: no decision, never another one. */
    sr_buf_text(&text,
                "permit" ALL "when { [1, principal.level].contains(2) && [principal, 1] == "
                "[1, principal] && principal in [action, principal] && \"abc\" like \"a*\" && "
                "[[principal]].containsAll([[principal]]) };");
    assert_int_equal(cedar_rig_policies(&rig, text.data, NULL), 0);
    unsigned steps = 0;
    int rc;
    do {
        rig.request.steps_max = ++steps;
        rc = cedar_rig_decide(&rig);
        assert_true(rc == 0 || rc == SR_ERR_TOO_LARGE);
        assert_int_equal(rig.response.allow, rc == 0);
        assert_int_equal(rig.response.fault_count, 0);
        if (rc < 0)
            assert_string_equal(sr_error_message(),
                                "the decision takes more evaluation steps than allowed");
    } while (rc < 0 && steps < 1000);
    assert_int_equal(rc, 0);
    assert_true(steps > 20);
    sr_buf_free(&text);
    /* Sets that are equal but not the same object, compared over and over: the default limit ends it. */
    struct sr_buf json = {0};
    sr_buf_text(&json, "{\"a\":[");
    for (int i = 0; i < 50000; i++)
        sr_buf_format(&json, "[%d],", i);
    sr_buf_text(&json, "0],\"b\":[");
    for (int i = 0; i < 50000; i++)
        sr_buf_format(&json, "[%d],", i);
    sr_buf_text(&json, "0]}");
    cedar_rig_close(&rig);
    cedar_rig_open(&rig, NULL, json.data);
    assert_string_equal(cedar_rig_evaluate(&rig, "context.a == context.b"), "true");
    for (int i = 0; i < 300; i++)
        sr_buf_text(&text, i ? " && context.a == context.b" : "context.a == context.b");
    assert_string_equal(cedar_rig_evaluate(&rig, text.data),
                        "the decision takes more evaluation steps than allowed");
    assert_false(rig.response.allow);
    sr_buf_free(&json);
    sr_buf_free(&text);
    cedar_rig_close(&rig);
}

static void test_scratch(void **state)
{
    struct cedar_rig rig;
    struct sr_buf text = {0};
    (void)state;
    cedar_rig_open(&rig, entities, NULL);
    sr_buf_text(&text, "permit" ALL "when { [");
    for (int i = 0; i < 5000; i++)
        sr_buf_format(&text, "principal.level + %d,", i);
    sr_buf_text(&text, "].isEmpty() == false };");
    assert_int_equal(cedar_rig_policies(&rig, text.data, NULL), 0);
    assert_int_equal(cedar_rig_decide(&rig), 0);
    assert_true(rig.response.allow);
    cedar_arena_free(&rig.scratch);
    cedar_arena_init(&rig.scratch, 100000);
    assert_int_equal(cedar_rig_decide(&rig), SR_ERR_TOO_LARGE);
    assert_false(rig.response.allow);
    assert_string_equal(sr_error_message(),
                        "the decision takes more memory than the limit of 97 KiB");
    sr_buf_free(&text);
    /* Wherever it ends. */
    assert_int_equal(
        cedar_rig_policies(&rig,
                           "permit" ALL "when { [principal, {a: principal, b: [action]}, "
                           "ip(if true then \"::1\" else \"\")].contains(action) == false };",
                           NULL),
        0);
    int rc = SR_ERR_TOO_LARGE;
    for (size_t limit = 0; rc < 0; limit += 16) {
        assert_true(limit < 65536);
        cedar_arena_free(&rig.scratch);
        cedar_arena_init(&rig.scratch, limit);
        rc = cedar_rig_decide(&rig);
        assert_true(rc == 0 || rc == SR_ERR_TOO_LARGE);
        assert_int_equal(rig.response.allow, rc == 0);
    }
    cedar_rig_close(&rig);
}

#define THREADS 4

struct asker {
    const struct cedar_rig *rig;
    const struct cedar_uid *users[64];
    pthread_t thread;
    unsigned wrong;
};

/* User i may when i is even; the threads share policies and entities, and nothing else. */
static void *ask(void *context)
{
    struct asker *asker = context;
    struct cedar_arena scratch;
    cedar_arena_init(&scratch, CEDAR_SCRATCH_MAX);
    for (unsigned i = 0; i < 20000; i++) {
        struct cedar_request request = asker->rig->request;
        struct cedar_response response;
        request.principal = asker->users[i % 64];
        cedar_arena_reset(&scratch);
        if (cedar_authorize(asker->rig->policies, &request, &scratch, &response) < 0 ||
            response.allow != (i % 2 == 0) || response.fault_count != 1)
            asker->wrong++;
    }
    cedar_arena_free(&scratch);
    return NULL;
}

static void test_threads(void **state)
{
    struct cedar_rig rig;
    struct sr_buf text = {0};
    static struct asker askers[THREADS];
    (void)state;
    sr_buf_text(&text, "[");
    for (int i = 0; i < 64; i++)
        sr_buf_format(
            &text,
            "%s{\"uid\":{\"type\":\"User\",\"id\":\"%d\"},\"attrs\":{\"n\":%d,\"l\":[%d,%d]},"
            "\"parents\":[{\"type\":\"Group\",\"id\":\"%d\"}]}",
            i ? "," : "", i, i, i, i + 1, i % 2);
    sr_buf_text(&text, "]");
    cedar_rig_open(&rig, text.data, NULL);
    sr_buf_free(&text);
    assert_int_equal(
        cedar_rig_policies(
            &rig,
            "permit(principal in Group::\"0\", action, resource)\n"
            "when { [principal.n, principal.n + 1] == principal.l && {a: principal} == "
            "{a: principal} };\n"
            "permit(principal, action, resource) when { principal.none };",
            NULL),
        0);
    for (int t = 0; t < THREADS; t++) {
        askers[t].rig = &rig;
        for (int i = 0; i < 64; i++) {
            char id[16];
            snprintf(id, sizeof(id), "%d", i);
            askers[t].users[i] = cedar_rig_uid(&rig, "User", id);
        }
    }
    for (int t = 0; t < THREADS; t++)
        assert_int_equal(pthread_create(&askers[t].thread, NULL, ask, &askers[t]), 0);
    for (int t = 0; t < THREADS; t++) {
        assert_int_equal(pthread_join(askers[t].thread, NULL), 0);
        assert_int_equal(askers[t].wrong, 0);
    }
    cedar_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scopes),  cmocka_unit_test(test_reasons),
        cmocka_unit_test(test_faults),  cmocka_unit_test(test_extra),
        cmocka_unit_test(test_steps),   cmocka_unit_test(test_scratch),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
