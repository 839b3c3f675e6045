/* Policies, entities and a context in one input, parted by lines of "---". Decides with limits that a
 * hostile policy meets soon. A decision is repeatable, and its reasons and faults are policies of the
 * right kind; without steps or memory there is none. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar.h"
#include "policy/cedar_entities.h"
#include "tests/fuzz/fuzz.h"

#define STEPS 200000
#define MEMORY ((size_t)4 << 20)

static const struct cedar_uid *make_uid(struct cedar_arena *arena, const char *type, const char *id)
{
    return cedar_uid_make(arena, cedar_text_make(arena, type, strlen(type)),
                          cedar_text_make(arena, id, strlen(id)));
}

static void check_response(const struct cedar_policies *policies,
                           const struct cedar_response *response)
{
    struct cedar_policy_info info;
    char text[64];
    bool forbid_faulted = false;
    must(!response->allow || response->reason_count > 0);
    for (size_t i = 0; i < response->reason_count; i++) {
        must(response->reasons[i] < cedar_policies_count(policies));
        cedar_policies_info(policies, response->reasons[i], &info);
        must(info.forbid == !response->allow && !info.template);
    }
    for (size_t i = 0; i < response->fault_count; i++) {
        must(response->faults[i].policy < cedar_policies_count(policies));
        must(response->faults[i].line >= 1 && response->faults[i].column >= 1);
        must(cedar_fault_text(&response->faults[i], text, sizeof(text))[0]);
        cedar_policies_info(policies, response->faults[i].policy, &info);
        forbid_faulted |= info.forbid;
    }
    must(response->forbid_faulted == forbid_faulted);
}

static void decide(const struct cedar_policies *policies, const struct cedar_request *request)
{
    struct cedar_arena scratch;
    struct cedar_response first;
    struct cedar_response again;
    cedar_arena_init(&scratch, MEMORY);
    int rc = cedar_authorize(policies, request, &scratch, &first);
    must(rc == 0 || rc == SR_ERR_TOO_LARGE);
    must(rc == 0 || !first.allow);
    if (rc == 0)
        check_response(policies, &first);
    cedar_arena_reset(&scratch);
    must(cedar_authorize(policies, request, &scratch, &again) == rc);
    must(first.allow == again.allow && first.reason_count == again.reason_count &&
         first.fault_count == again.fault_count);
    cedar_arena_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part policy_text = next_part(&data, &size);
    struct part entity_text = next_part(&data, &size);
    struct part context_text = next_part(&data, &size);
    struct cedar_request request = {.steps_max = STEPS};
    struct cedar_policies *policies;
    struct cedar_entities *entities = NULL;
    struct cedar_arena arena;
    must(cedar_policies_new(&policies) == 0);
    cedar_arena_init(&arena, MEMORY);
    if (cedar_policies_add(policies, "fuzz", policy_text.data, policy_text.len, NULL) < 0)
        goto out;
    request.principal = make_uid(&arena, "User", "alice");
    request.action = make_uid(&arena, "Action", "view");
    request.resource = make_uid(&arena, "Photo", "p1");
    decide(policies, &request);
    if (cedar_entities_parse(entity_text.data, entity_text.len, false, &entities, NULL) == 0)
        request.entities = entities;
    (void)cedar_entities_parse_context(context_text.data, context_text.len, false, &arena,
                                       &request.context, NULL);
    decide(policies, &request);
out:
    cedar_policies_free(policies);
    cedar_entities_free(entities);
    cedar_arena_free(&arena);
    return 0;
}
