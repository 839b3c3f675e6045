#include "policy/cedar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/cedar_entities.h"
#include "policy/cedar_error.h"
#include "policy/cedar_eval.h"
#include "policy/cedar_parse.h"

int cedar_policies_new(struct cedar_policies **out)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    cedar_arena_init(&(*out)->arena, CEDAR_POLICIES_MEMORY_MAX);
    return 0;
}

void cedar_policies_free(struct cedar_policies *policies)
{
    if (!policies)
        return;
    cedar_arena_free(&policies->arena);
    free(policies->policies);
    free(policies);
}

/* Room for one more. */
static int grow(struct cedar_policies *policies)
{
    if (policies->count == CEDAR_POLICIES_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "more than %d policies", CEDAR_POLICIES_MAX);
    if (policies->count < policies->capacity)
        return 0;
    size_t capacity = policies->capacity ? 2 * policies->capacity : 32;
    struct cedar_policy *grown = realloc(policies->policies, capacity * sizeof(*grown));
    if (!grown)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    policies->policies = grown;
    policies->capacity = capacity;
    return 0;
}

static int parse_all(struct cedar_policies *policies, struct cedar_parse *parse,
                     const struct cedar_text *file)
{
    int rc = cedar_parse_advance(parse);
    while (rc == 0 && parse->token.kind != CEDAR_TOKEN_END) {
        rc = grow(policies);
        if (rc == 0)
            rc = cedar_parse_policy(parse, &policies->policies[policies->count]);
        if (rc == 0)
            policies->policies[policies->count++].file = file;
    }
    return rc;
}

int cedar_policies_add(struct cedar_policies *policies, const char *file, const uint8_t *text,
                       size_t len, struct cedar_error *error)
{
    struct cedar_error spare;
    size_t before = policies->count;
    error = error ? error : &spare;
    *error = (struct cedar_error){0};
    if (len > CEDAR_SOURCE_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "the policy text is longer than %zu bytes",
                       CEDAR_SOURCE_MAX);
    const struct cedar_text *name = cedar_text_make(&policies->arena, file, strlen(file));
    if (!name)
        return cedar_arena_full(&policies->arena, "the policy set");
    struct cedar_parse parse = {
        .arena = &policies->arena, .what = "the policy set", .error = error};
    int rc = SR_ERR_INVALID;
    if (sr_utf8_valid((const char *)text, len)) {
        cedar_lex_open(&parse.lex, (const char *)text, len, error);
        rc = parse_all(policies, &parse, name);
    } else {
        cedar_error_set(error, 1, 1, "bytes that are not UTF-8", "UTF-8");
    }
    if (rc < 0)
        policies->count = before;
    return cedar_error_report(error, rc);
}

size_t cedar_policies_count(const struct cedar_policies *policies)
{
    return policies->count;
}

void cedar_policies_info(const struct cedar_policies *policies, size_t index,
                         struct cedar_policy_info *out)
{
    const struct cedar_policy *policy = &policies->policies[index];
    *out = (struct cedar_policy_info){
        .file = policy->file->data,
        .line = policy->line,
        .column = policy->column,
        .forbid = policy->forbid,
        .template = policy->template,
    };
}

const char *cedar_policies_annotation(const struct cedar_policies *policies, size_t index,
                                      const char *name)
{
    const struct cedar_policy *policy = &policies->policies[index];
    for (uint32_t i = 0; i < policy->annotation_count; i++)
        if (cedar_text_is(policy->annotations[i].name, name))
            return policy->annotations[i].text->data;
    return NULL;
}

static bool scope_applies(const struct cedar_scope *scope, const struct cedar_uid *uid,
                          const struct cedar_entity *entity)
{
    switch (scope->kind) {
    case CEDAR_SCOPE_ANY:
        return true;
    case CEDAR_SCOPE_EQUAL:
        return cedar_uid_equal(uid, scope->uids[0]);
    case CEDAR_SCOPE_IS:
        return cedar_text_equal(uid->type, scope->type);
    case CEDAR_SCOPE_IS_IN:
        if (!cedar_text_equal(uid->type, scope->type))
            return false;
        break;
    case CEDAR_SCOPE_IN:
        break;
    }
    for (uint32_t i = 0; (scope->mask & cedar_scope_bit(uid)) && i < scope->count; i++)
        if (cedar_uid_equal(uid, scope->uids[i]))
            return true;
    if (!entity || !entity->ancestor_count)
        return false;
    for (uint32_t i = 0; i < scope->count; i++)
        if (cedar_entity_has_ancestor(entity, scope->uids[i]))
            return true;
    return false;
}

/* Whether the policy applies. Errors as cedar_eval_node. */
static int evaluate(struct cedar_eval *eval, const struct cedar_policy *policy, bool *out)
{
    const struct cedar_request *request = eval->request;
    uint64_t cost = 1 + policy->action.count;
    *out = false;
    if (eval->steps <= cost)
        return sr_fail(SR_ERR_TOO_LARGE, "the decision takes more evaluation steps than allowed");
    eval->steps -= cost;
    if (policy->template || !scope_applies(&policy->action, request->action, eval->action) ||
        !scope_applies(&policy->principal, request->principal, eval->principal) ||
        !scope_applies(&policy->resource, request->resource, eval->resource))
        return 0;
    for (uint32_t i = 0; i < policy->condition_count; i++) {
        bool value;
        int rc = cedar_eval_bool(eval, policy->conditions[i].node, &value);
        if (rc < 0)
            return rc;
        if (value == policy->conditions[i].unless)
            return 0;
    }
    *out = true;
    return 0;
}

/* The policies that apply (forbids before permits, while going on) and those that fault. */
struct tally {
    uint32_t *permits;
    uint32_t *forbids;
    struct cedar_fault *faults;
    size_t permit_count;
    size_t forbid_count;
    size_t fault_count;
    bool forbid_faulted;
};

static int count_all(struct cedar_eval *eval, const struct cedar_policies *policies,
                     struct tally *tally)
{
    for (size_t i = 0; i < policies->count; i++) {
        const struct cedar_policy *policy = &policies->policies[i];
        bool applies;
        int rc = evaluate(eval, policy, &applies);
        if (rc == SR_ERR_INVALID) {
            eval->fault.policy = (uint32_t)i;
            tally->faults[tally->fault_count++] = eval->fault;
            tally->forbid_faulted |= policy->forbid;
        } else if (rc < 0) {
            return rc;
        } else if (applies && policy->forbid) {
            tally->forbids[tally->forbid_count++] = (uint32_t)i;
        } else if (applies) {
            tally->permits[tally->permit_count++] = (uint32_t)i;
        }
    }
    return 0;
}

int cedar_authorize(const struct cedar_policies *policies, const struct cedar_request *request,
                    struct cedar_arena *scratch, struct cedar_response *out)
{
    struct cedar_eval eval = {
        .request = request,
        .scratch = scratch,
        .steps = request->steps_max ? request->steps_max : CEDAR_STEPS_MAX,
    };
    struct tally tally = {
        .permits = cedar_arena_array(scratch, policies->count, sizeof(uint32_t)),
        .forbids = cedar_arena_array(scratch, policies->count, sizeof(uint32_t)),
        .faults = cedar_arena_array(scratch, policies->count, sizeof(struct cedar_fault)),
    };
    *out = (struct cedar_response){0};
    if (!tally.permits || !tally.forbids || !tally.faults)
        return cedar_arena_full(scratch, "the decision");
    eval.principal = cedar_eval_entity(&eval, request->principal);
    eval.action = cedar_eval_entity(&eval, request->action);
    eval.resource = cedar_eval_entity(&eval, request->resource);
    int rc = count_all(&eval, policies, &tally);
    if (rc < 0)
        return rc;
    bool forbidden = tally.forbid_count > 0;
    *out = (struct cedar_response){
        .allow = !forbidden && tally.permit_count > 0,
        .forbid_faulted = tally.forbid_faulted,
        .reasons = forbidden ? tally.forbids : tally.permits,
        .reason_count = forbidden ? tally.forbid_count : tally.permit_count,
        .faults = tally.faults,
        .fault_count = tally.fault_count,
    };
    return 0;
}

const char *cedar_fault_text(const struct cedar_fault *fault, char *out, size_t size)
{
    switch (fault->kind) {
    case CEDAR_FAULT_TYPE:
        snprintf(out, size, "expected %s, found %s", cedar_kind_word(fault->expected),
                 cedar_kind_word(fault->got));
        break;
    case CEDAR_FAULT_OVERFLOW:
        snprintf(out, size, "the number does not fit into 64 bits");
        break;
    case CEDAR_FAULT_ENTITY:
        snprintf(out, size, "the entity is not known%s%s",
                 fault->name ? ", nor its attribute " : "", fault->name ? fault->name : "");
        break;
    case CEDAR_FAULT_ATTRIBUTE:
        snprintf(out, size, "there is no attribute %s", fault->name);
        break;
    case CEDAR_FAULT_TAG:
        snprintf(out, size, "the entity has no such tag");
        break;
    case CEDAR_FAULT_ARITY:
        snprintf(out, size, "%s takes another number of arguments", fault->name);
        break;
    case CEDAR_FAULT_EXTENSION:
        snprintf(out, size, "%s cannot make a value of this", fault->name);
        break;
    }
    return out;
}
