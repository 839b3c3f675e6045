/* The check of a policy set: names first, then every policy in every environment that its scope
 * admits. */
#include "policy/cedar_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_error.h"
#include "policy/cedar_near.h"

#define MEMORY_MAX ((size_t)64 << 20) /* of the check of one policy */

/* What walking over the expressions of a policy shows before any types are known. */
struct names {
    struct cedar_check *check;
    bool action; /* the variable is used in a condition */
};

static int check_type_name(struct cedar_check *check, uint32_t line, uint32_t column,
                           const struct cedar_text *name)
{
    char near[128] = "";
    if (cedar_schema_find_type(check->schema, name))
        return 0;
    cedar_schema_near_type(check->schema, name, false, near, sizeof(near));
    return cedar_check_problem(check, line, column, near, "there is no entity type `%s`",
                               name->data);
}

static int check_listed(struct cedar_check *check, uint32_t line, uint32_t column,
                        const struct cedar_uid *uid, const struct cedar_entity_type *type)
{
    struct cedar_near near;
    char text[160];
    int rc = cedar_check_spend(check, type->id_count);
    if (rc < 0)
        return rc;
    cedar_near_open(&near, uid->id);
    for (uint32_t i = 0; i < type->id_count; i++) {
        if (cedar_text_equal(type->ids[i], uid->id))
            return 0;
        cedar_near_offer(&near, type->ids[i]->data, type->ids[i]->len, type->ids[i]);
    }
    return cedar_check_problem(check, line, column, near.best ? near.name : NULL,
                               "%s is none of those that the schema lists",
                               cedar_uid_text(uid, text, sizeof(text)));
}

static int check_uid(struct cedar_check *check, uint32_t line, uint32_t column,
                     const struct cedar_uid *uid)
{
    char text[160];
    char near[160] = "";
    const struct cedar_entity_type *type = cedar_schema_find_type(check->schema, uid->type);
    if (type && type->ids)
        return check_listed(check, line, column, uid, type);
    if (type ? !type->action : !cedar_lex_is_action(uid->type))
        return type ? 0 : check_type_name(check, line, column, uid->type);
    if (cedar_schema_find_action(check->schema, uid))
        return 0;
    cedar_schema_near_action(check->schema, uid, near, sizeof(near));
    return cedar_check_problem(check, line, column, near, "there is no action %s",
                               cedar_uid_text(uid, text, sizeof(text)));
}

static int check_names(struct names *names, const struct cedar_node *node)
{
    struct cedar_check *check = names->check;
    int rc = cedar_check_spend(check, 1);
    if (rc == 0 && node->op == CEDAR_OP_LITERAL && node->constant->kind == CEDAR_ENTITY)
        rc = check_uid(check, node->line, node->column, node->constant->uid);
    if (rc == 0 && node->op == CEDAR_OP_IS)
        rc = check_type_name(check, node->line, node->column, node->names[0]);
    names->action |= node->op == CEDAR_OP_VARIABLE && node->which == CEDAR_ACTION;
    for (uint32_t i = 0; rc == 0 && i < node->count; i++)
        rc = check_names(names, node->children[i]);
    return rc;
}

static int check_scope_names(struct cedar_check *check, const struct cedar_scope *scope)
{
    int rc = 0;
    if (scope->type)
        rc = check_type_name(check, scope->type_place.line, scope->type_place.column, scope->type);
    for (uint32_t i = 0; rc == 0 && i < scope->count; i++)
        rc = check_uid(check, scope->places[i].line, scope->places[i].column, scope->uids[i]);
    return rc;
}

/* Which types and actions, by index, the scope of a policy admits. */
struct admitted {
    uint8_t *principals;
    uint8_t *actions;
    uint8_t *resources;
};

static bool scope_admits(const struct cedar_scope *scope, const struct cedar_entity_type *named,
                         const struct cedar_entity_type *type)
{
    if (scope->type && !cedar_text_equal(scope->type, type->name))
        return false;
    if (scope->slot || !scope->count)
        return true;
    if (scope->kind == CEDAR_SCOPE_EQUAL)
        return named == type;
    return named && (named == type || type->ancestors[named->index]);
}

static int admit_types(struct cedar_check *check, const struct cedar_scope *scope, uint8_t **out)
{
    const struct cedar_schema *schema = check->schema;
    const struct cedar_entity_type *named =
        scope->count ? cedar_schema_find_type(schema, scope->uids[0]->type) : NULL;
    *out = cedar_arena_alloc(&check->arena, schema->type_count + (size_t)1);
    if (!*out)
        return cedar_check_memory(check);
    for (uint32_t i = 0; i < schema->type_count; i++)
        (*out)[i] = scope_admits(scope, named, &schema->types[i]);
    return cedar_check_spend(check, schema->type_count);
}

static int admit_actions(struct cedar_check *check, const struct cedar_scope *scope, uint8_t **out)
{
    const struct cedar_schema *schema = check->schema;
    *out = cedar_arena_alloc(&check->arena, schema->action_count + (size_t)1);
    if (!*out)
        return cedar_check_memory(check);
    memset(*out, scope->kind == CEDAR_SCOPE_ANY, schema->action_count);
    for (uint32_t k = 0; k < scope->count; k++) {
        const struct cedar_action *named = cedar_schema_find_action(schema, scope->uids[k]);
        int rc = cedar_check_spend(check, schema->action_count);
        if (rc < 0)
            return rc;
        for (uint32_t i = 0; named && i < schema->action_count; i++)
            (*out)[i] |= i == named->index || (scope->kind == CEDAR_SCOPE_IN &&
                                               schema->actions[i].ancestors[named->index]);
    }
    return 0;
}

static int admit(struct cedar_check *check, struct admitted *out)
{
    int rc = admit_types(check, &check->policy->principal, &out->principals);
    if (rc == 0)
        rc = admit_actions(check, &check->policy->action, &out->actions);
    return rc < 0 ? rc : admit_types(check, &check->policy->resource, &out->resources);
}

/* Clauses are a conjunction: what one has shown holds in the next. *out: they can all be true. */
static int check_conditions(struct cedar_check *check, bool *out)
{
    const struct cedar_fact *facts = NULL;
    *out = true;
    for (uint32_t i = 0; *out && i < check->policy->condition_count; i++) {
        const struct cedar_condition *condition = &check->policy->conditions[i];
        struct cedar_typed typed;
        int rc = cedar_check_kind(check, condition->node, facts, CEDAR_BOOL, &typed);
        if (rc < 0)
            return rc;
        facts = condition->unless ? typed.when_false : typed.when_true;
        *out = typed.truth != (condition->unless ? CEDAR_ALWAYS : CEDAR_NEVER);
    }
    return 0;
}

static bool any_found(const struct cedar_check *check)
{
    for (const struct cedar_found *found = check->found; found; found = found->next)
        if (!found->cleared)
            return true;
    return false;
}

static int check_environments(struct cedar_check *check, bool by_action)
{
    const struct cedar_schema *schema = check->schema;
    const struct cedar_policy *policy = check->policy;
    struct admitted scope;
    bool admitted = false;
    bool possible = false;
    int rc = admit(check, &scope);
    if (rc == 0)
        rc = cedar_check_spend(check, schema->environment_count);
    if (rc < 0)
        return rc;
    uint8_t *seen = cedar_arena_alloc(&check->arena, schema->shape_count + (size_t)1);
    if (!seen)
        return cedar_check_memory(check);
    memset(seen, 0, schema->shape_count);
    for (uint32_t i = 0; i < schema->environment_count; i++) {
        const struct cedar_environment *environment = &schema->environments[i];
        bool one;
        if ((seen[environment->shape] && !by_action) ||
            !scope.actions[environment->action->index] ||
            !scope.principals[environment->principal->index] ||
            !scope.resources[environment->resource->index])
            continue;
        seen[environment->shape] = 1;
        admitted = true;
        check->environment = environment;
        rc = check_conditions(check, &one);
        if (rc < 0)
            return rc;
        possible |= one;
    }
    if (possible || any_found(check))
        return 0;
    return cedar_check_problem(
        check, policy->line, policy->column, NULL,
        admitted ? "this can never apply: its conditions are never true together"
                 : "this can never apply: no action that it names takes such a principal and "
                   "resource");
}

static int check_policy(struct cedar_check *check)
{
    const struct cedar_policy *policy = check->policy;
    struct names names = {.check = check};
    int rc = check_scope_names(check, &policy->principal);
    if (rc == 0)
        rc = check_scope_names(check, &policy->action);
    if (rc == 0)
        rc = check_scope_names(check, &policy->resource);
    for (uint32_t i = 0; rc == 0 && i < policy->condition_count; i++)
        rc = check_names(&names, policy->conditions[i].node);
    return rc < 0 ? rc : check_environments(check, names.action);
}

static int compare_found(const void *left, const void *right)
{
    const struct cedar_problem *a = left;
    const struct cedar_problem *b = right;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return strcmp(a->what, b->what);
}

struct reports {
    void (*report)(void *arg, const struct cedar_problem *problem);
    void *arg;
    size_t count;
    char first[512];
};

/* Reports what is wrong with one policy, in order. */
static int report_policy(struct cedar_check *check, uint32_t index, struct reports *reports)
{
    struct cedar_problem *problems = calloc(check->found_count + (size_t)1, sizeof(*problems));
    size_t made = 0;
    if (!problems)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    for (const struct cedar_found *found = check->found; found; found = found->next)
        if (!found->cleared)
            problems[made++] = (struct cedar_problem){
                .file = check->policy->file->data,
                .policy = index,
                .line = found->line,
                .column = found->column,
                .what = found->what,
                .suggestion = found->suggestion,
            };
    qsort(problems, made, sizeof(*problems), compare_found);
    for (size_t i = 0; i < made && reports->count < CEDAR_PROBLEMS_MAX; i++) {
        if (!reports->count++)
            cedar_problem_text(&problems[i], reports->first, sizeof(reports->first));
        if (reports->report)
            reports->report(reports->arg, &problems[i]);
    }
    free(problems);
    return 0;
}

int cedar_schema_check_policies(const struct cedar_schema *schema,
                                const struct cedar_policies *policies,
                                void (*report)(void *arg, const struct cedar_problem *problem),
                                void *arg)
{
    struct cedar_check check = {.schema = schema, .steps = CEDAR_CHECK_STEPS_MAX};
    struct reports reports = {.report = report, .arg = arg};
    int rc = 0;
    cedar_arena_init(&check.arena, MEMORY_MAX);
    for (size_t i = 0; rc == 0 && i < policies->count && reports.count < CEDAR_PROBLEMS_MAX; i++) {
        cedar_arena_reset(&check.arena);
        check.policy = &policies->policies[i];
        check.found = NULL;
        check.found_count = 0;
        check.problem_count = 0;
        rc = check_policy(&check);
        if (rc == 0)
            rc = report_policy(&check, (uint32_t)i, &reports);
    }
    cedar_arena_free(&check.arena);
    if (rc < 0 || !reports.count)
        return rc;
    return sr_fail(SR_ERR_INVALID, "%s", reports.first);
}

const char *cedar_problem_text(const struct cedar_problem *problem, char *out, size_t size)
{
    snprintf(out, size, "%s: line %u, column %u: %s%s%s%s", problem->file, problem->line,
             problem->column, problem->what, problem->suggestion ? "; did you mean `" : "",
             problem->suggestion ? problem->suggestion : "", problem->suggestion ? "`?" : "");
    if (size)
        cedar_error_trim(out);
    return out;
}
