/* From the declarations of a schema to the schema: every name found, hierarchies closed. */
#include "policy/cedar_schema.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/cedar_error.h"
#include "policy/cedar_near.h"
#include "policy/cedar_schema_ast.h"
#include "policy/cedar_schema_resolve.h"

void cedar_schema_free(struct cedar_schema *schema)
{
    if (!schema)
        return;
    cedar_arena_free(&schema->arena);
    free(schema);
}

static int compare_types(const void *left, const void *right)
{
    return cedar_text_compare(((const struct cedar_entity_type *)left)->name,
                              ((const struct cedar_entity_type *)right)->name);
}

const struct cedar_entity_type *cedar_schema_find_type(const struct cedar_schema *schema,
                                                       const struct cedar_text *name)
{
    const struct cedar_entity_type key = {.name = name};
    return bsearch(&key, schema->types, schema->type_count, sizeof(key), compare_types);
}

static int compare_actions(const void *left, const void *right)
{
    return cedar_uid_compare(((const struct cedar_action *)left)->uid,
                             ((const struct cedar_action *)right)->uid);
}

const struct cedar_action *cedar_schema_find_action(const struct cedar_schema *schema,
                                                    const struct cedar_uid *uid)
{
    const struct cedar_action key = {.uid = uid};
    return bsearch(&key, schema->actions, schema->action_count, sizeof(key), compare_actions);
}

/* The part of a name after its namespaces, as far as a suggestion is concerned. */
static bool same_last_part(const struct cedar_text *a, const struct cedar_text *b)
{
    const char *colon = strrchr(a->data, ':');
    const char *a_last = colon ? colon + 1 : a->data;
    colon = strrchr(b->data, ':');
    return !strcmp(a_last, colon ? colon + 1 : b->data);
}

bool cedar_schema_near_type(const struct cedar_schema *schema, const struct cedar_text *name,
                            bool action, char *out, size_t size)
{
    struct cedar_near near;
    const struct cedar_text *best = NULL;
    cedar_near_open(&near, name);
    for (uint32_t i = 0; i < schema->type_count; i++) {
        const struct cedar_text *known = schema->types[i].name;
        if (schema->types[i].action && !action)
            continue;
        cedar_near_offer(&near, known->data, known->len, known);
        if (!best && same_last_part(known, name))
            best = known;
    }
    best = best ? best : near.best;
    if (best)
        snprintf(out, size, "%s", best->data);
    return best != NULL;
}

bool cedar_schema_near_action(const struct cedar_schema *schema, const struct cedar_uid *uid,
                              char *out, size_t size)
{
    struct cedar_near near;
    cedar_near_open(&near, uid->id);
    for (uint32_t i = 0; i < schema->action_count; i++)
        cedar_near_offer(&near, schema->actions[i].uid->id->data, schema->actions[i].uid->id->len,
                         schema->actions[i].uid);
    if (near.best)
        cedar_uid_text(near.best, out, size);
    return near.best != NULL;
}

static int sort_actions(struct cedar_resolve *resolve)
{
    struct cedar_schema *schema = resolve->schema;
    uint32_t count = 0;
    schema->actions = cedar_arena_array(&schema->arena, resolve->decls.action_count + 1,
                                        sizeof(struct cedar_action));
    if (!schema->actions)
        return cedar_resolve_memory(resolve);
    for (const struct cedar_decl_action *decl = resolve->decls.actions; decl; decl = decl->next)
        schema->actions[count++] = (struct cedar_action){.uid = decl->uid};
    qsort(schema->actions, count, sizeof(struct cedar_action), compare_actions);
    schema->action_count = count;
    for (uint32_t i = 0; i < count; i++) {
        schema->actions[i].index = i;
        if (i && cedar_uid_equal(schema->actions[i].uid, schema->actions[i - 1].uid))
            return cedar_resolve_twice(resolve, NULL, schema->actions[i].uid);
    }
    return 0;
}

static struct cedar_entity_type *add_type(struct cedar_schema *schema,
                                          const struct cedar_text *name, bool action)
{
    struct cedar_entity_type *type = &schema->types[schema->type_count++];
    *type = (struct cedar_entity_type){
        .name = name, .action = action, .attrs = &cedar_type_record_empty};
    return type;
}

/* The entity types, and one for the actions of each namespace. */
static int sort_types(struct cedar_resolve *resolve)
{
    struct cedar_schema *schema = resolve->schema;
    size_t most = (size_t)resolve->decls.entity_count + resolve->decls.action_count;
    schema->types = cedar_arena_array(&schema->arena, most + 1, sizeof(struct cedar_entity_type));
    if (!schema->types)
        return cedar_resolve_memory(resolve);
    for (const struct cedar_decl_entity *decl = resolve->decls.entities; decl; decl = decl->next)
        add_type(schema, decl->name, false);
    const struct cedar_text *last = NULL; /* actions come in the order of their types */
    for (uint32_t i = 0; i < schema->action_count; i++) {
        const struct cedar_text *name = schema->actions[i].uid->type;
        bool known = last && cedar_text_equal(name, last);
        for (uint32_t k = resolve->decls.entity_count; !known && k < schema->type_count; k++)
            known = cedar_text_equal(schema->types[k].name, name);
        if (!known)
            add_type(schema, name, true);
        last = name;
    }
    if (schema->type_count > CEDAR_SCHEMA_TYPES_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "the schema has more than %d entity types",
                       CEDAR_SCHEMA_TYPES_MAX);
    qsort(schema->types, schema->type_count, sizeof(struct cedar_entity_type), compare_types);
    for (uint32_t i = 0; i < schema->type_count; i++) {
        struct cedar_entity_type *type = &schema->types[i];
        if (i && cedar_text_equal(type->name, schema->types[i - 1].name))
            return cedar_resolve_twice(resolve, type->name, NULL);
        type->index = i;
        type->type = (struct cedar_type){.kind = CEDAR_ENTITY, .depth = 1, .entity = type};
        type->ancestors = cedar_arena_alloc(&schema->arena, schema->type_count);
        if (!type->ancestors)
            return cedar_resolve_memory(resolve);
        memset(type->ancestors, 0, schema->type_count);
    }
    for (uint32_t i = 0; i < schema->action_count; i++) {
        struct cedar_action *action = &schema->actions[i];
        action->type = cedar_schema_find_type(schema, action->uid->type);
        action->ancestors = cedar_arena_alloc(&schema->arena, schema->action_count);
        if (!action->ancestors)
            return cedar_resolve_memory(resolve);
        memset(action->ancestors, 0, schema->action_count);
    }
    return 0;
}

static void join_rows(uint8_t *restrict to, const uint8_t *restrict from, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        to[i] |= from[i];
}

/* Whoever is within a is within all that a is within (Warshall). */
static void close_types(struct cedar_schema *schema)
{
    for (uint32_t k = 0; k < schema->type_count; k++)
        for (uint32_t i = 0; i < schema->type_count; i++)
            if (i != k && schema->types[i].ancestors[k])
                join_rows(schema->types[i].ancestors, schema->types[k].ancestors,
                          schema->type_count);
}

static int close_actions(struct cedar_resolve *resolve)
{
    struct cedar_schema *schema = resolve->schema;
    for (uint32_t k = 0; k < schema->action_count; k++)
        for (uint32_t i = 0; i < schema->action_count; i++)
            if (i != k && schema->actions[i].ancestors[k])
                join_rows(schema->actions[i].ancestors, schema->actions[k].ancestors,
                          schema->action_count);
    for (uint32_t i = 0; i < schema->action_count; i++)
        for (uint32_t k = 0; k < schema->action_count; k++)
            if (schema->actions[i].ancestors[k])
                ((struct cedar_entity_type *)schema->actions[i].type)
                    ->ancestors[schema->actions[k].type->index] = 1;
    for (const struct cedar_decl_action *decl = resolve->decls.actions; decl; decl = decl->next) {
        const struct cedar_action *action = cedar_schema_find_action(schema, decl->uid);
        if (action->ancestors[action->index])
            return cedar_error_quote(resolve->error, decl->line, decl->column, '`',
                                     decl->uid->id->data, decl->uid->id->len,
                                     "an action that is not within itself");
    }
    return 0;
}

/* The shape of a new environment: that of an earlier one that differs in the action alone. */
static void find_shape(struct cedar_schema *schema, struct cedar_environment *made, uint64_t *steps)
{
    for (uint32_t i = 0; i < schema->environment_count && *steps; i++) {
        const struct cedar_environment *other = &schema->environments[i];
        --*steps;
        if (other->principal == made->principal && other->resource == made->resource &&
            other->context == made->context) {
            made->shape = other->shape;
            return;
        }
    }
    made->shape = schema->shape_count++;
}

/* Contexts that are equal become one, so that comparing them is easy. */
static void share_contexts(struct cedar_schema *schema, uint64_t *steps)
{
    for (uint32_t i = 0; i < schema->action_count; i++)
        for (uint32_t k = 0; k < i; k++) {
            const struct cedar_type *other = schema->actions[k].context;
            if (schema->actions[i].context && other &&
                cedar_type_equal(schema->actions[i].context, other, steps)) {
                schema->actions[i].context = other;
                break;
            }
        }
}

static int make_environments(struct cedar_resolve *resolve)
{
    struct cedar_schema *schema = resolve->schema;
    uint64_t steps = (uint64_t)1 << 22; /* without, shapes are found apart that are one */
    uint64_t count = 0;
    share_contexts(schema, &steps);
    for (uint32_t i = 0; i < schema->action_count; i++)
        count += (uint64_t)schema->actions[i].principal_count * schema->actions[i].resource_count;
    if (count > CEDAR_SCHEMA_ENVIRONMENTS_MAX)
        return sr_fail(SR_ERR_TOO_LARGE,
                       "the schema allows more than %d combinations of principal type, action and "
                       "resource type",
                       CEDAR_SCHEMA_ENVIRONMENTS_MAX);
    schema->environments =
        cedar_arena_array(&schema->arena, (size_t)count + 1, sizeof(struct cedar_environment));
    if (!schema->environments)
        return cedar_resolve_memory(resolve);
    for (uint32_t i = 0; i < schema->action_count; i++) {
        const struct cedar_action *action = &schema->actions[i];
        for (uint64_t k = 0; k < (uint64_t)action->principal_count * action->resource_count; k++) {
            struct cedar_environment made = {
                .principal = action->principals[k / action->resource_count],
                .action = action,
                .resource = action->resources[k % action->resource_count],
                .context = action->context,
            };
            find_shape(schema, &made, &steps);
            schema->environments[schema->environment_count++] = made;
        }
    }
    return 0;
}

static int build(struct cedar_schema *schema, const char *text, size_t len,
                 struct cedar_error *error)
{
    struct cedar_resolve resolve = {.schema = schema, .error = error};
    struct cedar_parse parse = {.arena = &schema->arena, .what = "the schema", .error = error};
    cedar_lex_open(&parse.lex, text, len, error);
    parse.lex.schema = true;
    int rc = cedar_schema_parse_decls(&parse, &resolve.decls);
    if (rc == 0)
        rc = sort_actions(&resolve);
    if (rc == 0)
        rc = sort_types(&resolve);
    if (rc == 0)
        rc = cedar_resolve_names(&resolve);
    if (rc == 0)
        rc = close_actions(&resolve);
    if (rc == 0)
        close_types(schema);
    if (rc == 0)
        rc = make_environments(&resolve);
    free(resolve.commons);
    return rc;
}

int cedar_schema_parse(const uint8_t *text, size_t len, struct cedar_schema **out,
                       struct cedar_error *error)
{
    struct cedar_error spare;
    error = error ? error : &spare;
    *error = (struct cedar_error){0};
    *out = NULL;
    if (len > CEDAR_SCHEMA_SOURCE_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "the schema is longer than %zu bytes",
                       CEDAR_SCHEMA_SOURCE_MAX);
    struct cedar_schema *schema = calloc(1, sizeof(*schema));
    if (!schema)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    cedar_arena_init(&schema->arena, CEDAR_SCHEMA_MEMORY_MAX);
    int rc = sr_utf8_valid((const char *)text, len)
                 ? build(schema, (const char *)text, len, error)
                 : cedar_error_set(error, 1, 1, "bytes that are not UTF-8", "UTF-8");
    if (rc < 0) {
        cedar_schema_free(schema);
        return cedar_error_report(error, rc);
    }
    *out = schema;
    return 0;
}
