/* A schema, policies, entities and a context in one input, parted by lines of "---". What is refused
 * says where. A policy that passes does not fault for requests and entities that conform, but by what
 * the schema cannot know: numbers out of range, entities that are not there. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/cedar_ast.h"
#include "policy/cedar_schema_ast.h"
#include "tests/fuzz/fuzz.h"

#define STEPS 100000
#define REQUESTS 200 /* of one input */

static uint32_t count_lines(struct part part)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < part.len; i++)
        lines += part.data[i] == '\n';
    return lines;
}

static void check_error(int rc, const struct cedar_error *error, struct part part)
{
    must(rc == 0 || rc == SR_ERR_INVALID || rc == SR_ERR_TOO_LARGE);
    if (rc == SR_ERR_INVALID)
        must(error->line >= 1 && error->line <= count_lines(part) && error->column >= 1 &&
             error->found[0] && error->expected[0]);
}

struct reports {
    uint32_t lines;
    uint32_t count;
    uint32_t policy;
};

static void check_problem(void *arg, const struct cedar_problem *problem)
{
    struct reports *reports = arg;
    char text[512];
    must(problem->line >= 1 && problem->line <= reports->lines && problem->column >= 1);
    must(problem->policy >= reports->policy && problem->what[0]);
    must(!problem->suggestion || problem->suggestion[0]);
    cedar_problem_text(problem, text, sizeof(text));
    must(!strchr(text, '\n') && sr_utf8_valid(text, strlen(text)));
    reports->policy = problem->policy;
    reports->count++;
}

static void check_faults(const struct cedar_policies *policies, const struct cedar_request *request)
{
    struct cedar_arena scratch;
    struct cedar_response response;
    cedar_arena_init(&scratch, (size_t)4 << 20);
    if (cedar_authorize(policies, request, &scratch, &response) == 0)
        for (size_t i = 0; i < response.fault_count; i++)
            must(response.faults[i].kind == CEDAR_FAULT_OVERFLOW ||
                 response.faults[i].kind == CEDAR_FAULT_EXTENSION ||
                 response.faults[i].kind == CEDAR_FAULT_ENTITY);
    cedar_arena_free(&scratch);
}

/* Some entity of a type: one of the store's, or one that is not there. */
static const struct cedar_uid *some_uid(const struct cedar_entities *entities,
                                        const struct cedar_entity_type *type,
                                        struct cedar_arena *arena)
{
    for (size_t i = 0; i < cedar_entities_count(entities); i++)
        if (cedar_text_equal(cedar_entities_get(entities, i)->uid->type, type->name))
            return cedar_entities_get(entities, i)->uid;
    return cedar_uid_make(arena, type->name,
                          type->ids ? type->ids[0] : cedar_text_make(arena, "x", 1));
}

static void ask(const struct cedar_schema *schema, const struct cedar_policies *policies,
                const struct cedar_entities *entities, const struct cedar_record *context)
{
    struct cedar_arena arena;
    cedar_arena_init(&arena, (size_t)1 << 20);
    for (uint32_t i = 0; i < schema->environment_count && i < REQUESTS; i++) {
        const struct cedar_environment *environment = &schema->environments[i];
        struct cedar_request request = {
            .principal = some_uid(entities, environment->principal, &arena),
            .action = environment->action->uid,
            .resource = some_uid(entities, environment->resource, &arena),
            .context = context,
            .entities = entities,
            .steps_max = STEPS,
        };
        must(request.principal && request.resource);
        if (cedar_schema_check_request(schema, &request) == 0)
            check_faults(policies, &request);
        request.context = NULL;
        if (cedar_schema_check_request(schema, &request) == 0)
            check_faults(policies, &request);
    }
    cedar_arena_free(&arena);
}

static void run(const struct cedar_schema *schema, struct part policy_text, struct part entity_text,
                struct part context_text)
{
    struct cedar_policies *policies;
    struct cedar_entities *entities = NULL;
    struct cedar_error error;
    struct reports reports = {.lines = count_lines(policy_text)};
    struct cedar_arena arena;
    const struct cedar_record *context = NULL;
    cedar_arena_init(&arena, (size_t)1 << 20);
    must(cedar_policies_new(&policies) == 0);
    int rc = cedar_policies_add(policies, "fuzz", policy_text.data, policy_text.len, &error);
    check_error(rc, &error, policy_text);
    if (rc == 0) {
        rc = cedar_schema_check_policies(schema, policies, check_problem, &reports);
        must(rc == 0 || rc == SR_ERR_INVALID || rc == SR_ERR_TOO_LARGE);
        must(rc == SR_ERR_TOO_LARGE || (rc == 0) == (reports.count == 0));
    }
    if (cedar_entities_parse(entity_text.data, entity_text.len, false, &entities, NULL) == 0) {
        bool conform = true;
        for (size_t i = 0; i < cedar_entities_count(entities); i++) {
            int one = cedar_schema_check_entity(schema, cedar_entities_get(entities, i));
            must(one == 0 || one == SR_ERR_INVALID);
            conform &= one == 0;
        }
        if (cedar_entities_parse_context(context_text.data, context_text.len, false, &arena,
                                         &context, NULL) < 0)
            context = NULL;
        if (conform && rc == 0)
            ask(schema, policies, entities, context);
    }
    cedar_arena_free(&arena);
    cedar_entities_free(entities);
    cedar_policies_free(policies);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct part schema_text = next_part(&data, &size);
    struct part policy_text = next_part(&data, &size);
    struct part entity_text = next_part(&data, &size);
    struct part context_text = {data, size};
    struct cedar_schema *schema;
    struct cedar_error error;
    int rc = cedar_schema_parse(schema_text.data, schema_text.len, &schema, &error);
    check_error(rc, &error, schema_text);
    must((rc == 0) == (schema != NULL));
    if (rc == 0)
        run(schema, policy_text, entity_text, context_text);
    cedar_schema_free(schema);
    return 0;
}
