/* Names in a schema. One without namespace means, in this order: a common type, an entity type, both
 * first of the namespace around and then of none, or a type of Cedar's own. */
#include "policy/cedar_schema_resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_error.h"
#include "policy/cedar_near.h"

static int resolve_type(struct cedar_resolve *resolve, const struct cedar_decl_type *decl,
                        const struct cedar_type **out);

int cedar_resolve_memory(const struct cedar_resolve *resolve)
{
    return cedar_arena_full(&resolve->schema->arena, "the schema");
}

static int refuse(struct cedar_resolve *resolve, uint32_t line, uint32_t column,
                  const struct cedar_text *found, const char *expected)
{
    return cedar_error_quote(resolve->error, line, column, '`', found->data, found->len, expected);
}

/* What is expected, with the name that may have been meant. */
static const char *expecting(char *out, size_t size, const char *what, const char *near)
{
    if (near)
        snprintf(out, size, "%s; did you mean `%s`?", what, near);
    else
        snprintf(out, size, "%s", what);
    return out;
}

int cedar_resolve_twice(struct cedar_resolve *resolve, const struct cedar_text *type,
                        const struct cedar_uid *action)
{
    bool before = false;
    for (const struct cedar_decl_entity *decl = resolve->decls.entities; type && decl;
         decl = decl->next) {
        if (cedar_text_equal(decl->name, type) && before)
            return refuse(resolve, decl->line, decl->column, type,
                          "an entity type that is not declared yet");
        before |= cedar_text_equal(decl->name, type);
    }
    for (const struct cedar_decl_action *decl = resolve->decls.actions; action && decl;
         decl = decl->next) {
        if (cedar_uid_equal(decl->uid, action) && before)
            return refuse(resolve, decl->line, decl->column, action->id,
                          "an action that is not declared yet");
        before |= cedar_uid_equal(decl->uid, action);
    }
    return SR_ERR_INVALID;
}

static int compare_commons(const void *left, const void *right)
{
    const struct cedar_decl_common *a = *(const struct cedar_decl_common *const *)left;
    const struct cedar_decl_common *b = *(const struct cedar_decl_common *const *)right;
    return cedar_text_compare(a->name, b->name);
}

static struct cedar_decl_common *find_common(const struct cedar_resolve *resolve,
                                             const struct cedar_text *name)
{
    const struct cedar_decl_common key = {.name = name};
    const struct cedar_decl_common *wanted = &key;
    struct cedar_decl_common **found =
        bsearch(&wanted, resolve->commons, resolve->decls.common_count, sizeof(*resolve->commons),
                compare_commons);
    return found ? *found : NULL;
}

static int sort_commons(struct cedar_resolve *resolve)
{
    uint32_t count = 0;
    resolve->commons = calloc(resolve->decls.common_count + (size_t)1, sizeof(*resolve->commons));
    if (!resolve->commons)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    for (struct cedar_decl_common *decl = resolve->decls.commons; decl; decl = decl->next)
        resolve->commons[count++] = decl;
    qsort(resolve->commons, count, sizeof(*resolve->commons), compare_commons);
    for (uint32_t i = 1; i < count; i++) {
        struct cedar_decl_common *a = resolve->commons[i - 1];
        struct cedar_decl_common *b = resolve->commons[i];
        bool later = b->line > a->line || (b->line == a->line && b->column > a->column);
        if (cedar_text_equal(a->name, b->name))
            return refuse(resolve, later ? b->line : a->line, later ? b->column : a->column,
                          a->name, "a type that is not declared yet");
    }
    return 0;
}

static bool has_namespace(const struct cedar_text *name)
{
    return memchr(name->data, ':', name->len) != NULL;
}

/* space::name in the schema's arena. */
static int qualify(struct cedar_resolve *resolve, const struct cedar_text *space,
                   const struct cedar_text *name, const struct cedar_text **out)
{
    size_t len = (size_t)space->len + 2 + name->len;
    char *text = malloc(len);
    *out = NULL;
    if (!text)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    memcpy(text, space->data, space->len);
    memcpy(text + space->len, "::", 2);
    memcpy(text + space->len + 2, name->data, name->len);
    *out = cedar_text_make(&resolve->schema->arena, text, len);
    free(text);
    return *out ? 0 : cedar_resolve_memory(resolve);
}

/* A type of Cedar's own. */
static const struct cedar_type *find_own(const struct cedar_text *name)
{
    static const struct {
        const char *name;
        enum cedar_kind kind;
    } own[] = {
        {"Bool", CEDAR_BOOL},         {"Long", CEDAR_LONG},     {"String", CEDAR_STRING},
        {"decimal", CEDAR_DECIMAL},   {"ipaddr", CEDAR_IPADDR}, {"datetime", CEDAR_DATETIME},
        {"duration", CEDAR_DURATION},
    };
    static const char space[] = "__cedar::";
    const char *word = name->data;
    if (name->len >= sizeof(space) && !memcmp(word, space, sizeof(space) - 1))
        word += sizeof(space) - 1;
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        if (!strcmp(own[i].name, word))
            return cedar_type_plain(own[i].kind);
    return NULL;
}

static int resolve_common(struct cedar_resolve *resolve, struct cedar_decl_common *common,
                          const struct cedar_type **out)
{
    int rc = 0;
    if (common->resolving)
        return refuse(resolve, common->line, common->column, common->name,
                      "a type that is not made of itself");
    common->resolving = true;
    if (!common->resolved)
        rc = resolve_type(resolve, common->type, &common->resolved);
    common->resolving = false;
    *out = common->resolved;
    return rc;
}

static int unknown_type(struct cedar_resolve *resolve, const struct cedar_text *name, uint32_t line,
                        uint32_t column, bool entity)
{
    static const char *const own[] = {"Bool",   "Long",     "String",  "decimal",
                                      "ipaddr", "datetime", "duration"};
    const char *what = entity ? "an entity type of the schema" : "a type of the schema";
    char expected[128];
    char near_type[80];
    struct cedar_near near;
    bool known = cedar_schema_near_type(resolve->schema, name, false, near_type, sizeof(near_type));
    cedar_near_open(&near, name);
    for (uint32_t i = 0; !entity && i < resolve->decls.common_count; i++)
        cedar_near_offer(&near, resolve->commons[i]->name->data, resolve->commons[i]->name->len,
                         resolve->commons[i]->name);
    for (size_t i = 0; !entity && i < sizeof(own) / sizeof(own[0]); i++)
        cedar_near_offer(&near, own[i], strlen(own[i]), own[i]);
    if (!known && near.best)
        snprintf(near_type, sizeof(near_type), "%s", near.name);
    known = known || near.best;
    return refuse(resolve, line, column, name,
                  expecting(expected, sizeof(expected), what, known ? near_type : NULL));
}

/* What a name means within space (NULL: none). */
static int resolve_name(struct cedar_resolve *resolve, const struct cedar_text *space,
                        const struct cedar_text *name, bool entity, const struct cedar_type **out)
{
    const struct cedar_text *tries[2] = {name, NULL};
    int count = 1;
    *out = NULL;
    if (space && !has_namespace(name)) {
        int rc = qualify(resolve, space, name, &tries[0]);
        if (rc < 0)
            return rc;
        tries[count++] = name;
    }
    for (int i = 0; i < count; i++) {
        struct cedar_decl_common *common = entity ? NULL : find_common(resolve, tries[i]);
        if (common)
            return resolve_common(resolve, common, out);
        const struct cedar_entity_type *type = cedar_schema_find_type(resolve->schema, tries[i]);
        if (type && !type->action) {
            *out = &type->type;
            return 0;
        }
    }
    if (!entity)
        *out = find_own(name);
    return 0;
}

static int resolve_record(struct cedar_resolve *resolve, const struct cedar_decl_type *decl,
                          const struct cedar_type **out)
{
    struct cedar_arena *arena = &resolve->schema->arena;
    struct cedar_type_field *fields = cedar_arena_array(arena, decl->count + 1, sizeof(*fields));
    uint32_t count = 0;
    if (!fields)
        return cedar_resolve_memory(resolve);
    for (const struct cedar_decl_field *field = decl->fields; field; field = field->next) {
        struct cedar_type_field *made = &fields[count++];
        *made = (struct cedar_type_field){.name = field->name, .optional = field->optional};
        int rc = resolve_type(resolve, field->type, &made->type);
        if (rc < 0)
            return rc;
    }
    *out = cedar_type_record(arena, fields, count);
    if (!*out)
        return cedar_resolve_memory(resolve);
    for (uint32_t i = 1; i < count; i++) {
        if (!cedar_text_equal(fields[i].name, fields[i - 1].name))
            continue;
        const struct cedar_decl_field *second = NULL;
        for (const struct cedar_decl_field *field = decl->fields; field; field = field->next)
            if (cedar_text_equal(field->name, fields[i].name))
                second = field;
        return refuse(resolve, second ? second->line : decl->line,
                      second ? second->column : decl->column, fields[i].name,
                      "an attribute that the record does not have yet");
    }
    return 0;
}

static int too_deep(const struct cedar_decl_type *decl)
{
    return sr_fail(SR_ERR_TOO_LARGE, "line %u, column %u: types nest more than %d deep", decl->line,
                   decl->column, CEDAR_SCHEMA_DEPTH_MAX);
}

static int resolve_type(struct cedar_resolve *resolve, const struct cedar_decl_type *decl,
                        const struct cedar_type **out)
{
    const struct cedar_type *element;
    int rc = 0;
    *out = NULL;
    if (++resolve->depth > CEDAR_SCHEMA_DEPTH_MAX)
        return too_deep(decl);
    if (decl->kind == CEDAR_DECL_RECORD) {
        rc = resolve_record(resolve, decl, out);
    } else if (decl->kind == CEDAR_DECL_SET) {
        rc = resolve_type(resolve, decl->element, &element);
        if (rc == 0)
            *out = cedar_type_set(&resolve->schema->arena, element);
        if (rc == 0 && !*out)
            return cedar_resolve_memory(resolve);
    } else {
        rc = resolve_name(resolve, decl->space, decl->name, false, out);
        if (rc == 0 && !*out)
            return unknown_type(resolve, decl->name, decl->line, decl->column, false);
    }
    if (rc == 0 && (*out)->depth > CEDAR_SCHEMA_DEPTH_MAX)
        return too_deep(decl);
    resolve->depth--;
    return rc;
}

/* A record, or the name of one. */
static int resolve_shape(struct cedar_resolve *resolve, const struct cedar_decl_type *decl,
                         const struct cedar_type **out)
{
    *out = &cedar_type_record_empty;
    if (!decl)
        return 0;
    int rc = resolve_type(resolve, decl, out);
    if (rc == 0 && (*out)->kind != CEDAR_RECORD)
        return refuse(resolve, decl->line, decl->column, decl->name, "a record or the name of one");
    return rc;
}

static int find_entity(struct cedar_resolve *resolve, const struct cedar_text *space,
                       const struct cedar_decl_name *ref, const struct cedar_entity_type **out)
{
    const struct cedar_type *type;
    *out = NULL;
    int rc = resolve_name(resolve, space, ref->name, true, &type);
    if (rc == 0 && !type)
        return unknown_type(resolve, ref->name, ref->line, ref->column, true);
    if (rc == 0)
        *out = type->entity;
    return rc;
}

static int list_ids(struct cedar_resolve *resolve, const struct cedar_decl_name *ids,
                    struct cedar_entity_type *type)
{
    uint32_t count = 0;
    for (const struct cedar_decl_name *id = ids; id; id = id->next)
        count++;
    const struct cedar_text **made =
        cedar_arena_array(&resolve->schema->arena, count + 1, sizeof(const void *));
    if (!made)
        return cedar_resolve_memory(resolve);
    for (const struct cedar_decl_name *id = ids; id; id = id->next)
        made[type->id_count++] = id->id;
    type->ids = made;
    return 0;
}

/* A name within a namespace must not hide one that is without. */
static int check_hidden(struct cedar_resolve *resolve, const struct cedar_text *name, uint32_t line,
                        uint32_t column)
{
    const char *colon = strrchr(name->data, ':');
    if (!colon)
        return 0;
    const struct cedar_text *last =
        cedar_text_make(&resolve->schema->arena, colon + 1, strlen(colon + 1));
    if (!last)
        return cedar_resolve_memory(resolve);
    if (find_common(resolve, last) || cedar_schema_find_type(resolve->schema, last))
        return refuse(resolve, line, column, last,
                      "a name that hides no type declared without namespace");
    return 0;
}

static int resolve_entity(struct cedar_resolve *resolve, const struct cedar_decl_entity *decl)
{
    struct cedar_entity_type *type =
        (struct cedar_entity_type *)cedar_schema_find_type(resolve->schema, decl->name);
    const struct cedar_entity_type *parent = NULL;
    int rc = check_hidden(resolve, decl->name, decl->line, decl->column);
    if (rc == 0)
        rc = resolve_shape(resolve, decl->shape, &type->attrs);
    if (rc == 0 && decl->tags)
        rc = resolve_type(resolve, decl->tags, &type->tags);
    if (rc == 0 && decl->ids)
        rc = list_ids(resolve, decl->ids, type);
    for (const struct cedar_decl_name *ref = decl->parents; rc == 0 && ref; ref = ref->next) {
        rc = find_entity(resolve, decl->space, ref, &parent);
        if (rc == 0)
            type->ancestors[parent->index] = 1;
    }
    return rc;
}

static int find_parent(struct cedar_resolve *resolve, const struct cedar_decl_action *decl,
                       const struct cedar_decl_name *ref, const struct cedar_action **out)
{
    char expected[128];
    char near[80];
    const struct cedar_uid *uid =
        cedar_uid_make(&resolve->schema->arena, ref->name ? ref->name : decl->uid->type, ref->id);
    if (!uid)
        return cedar_resolve_memory(resolve);
    *out = cedar_schema_find_action(resolve->schema, uid);
    if (*out)
        return 0;
    bool known = cedar_schema_near_action(resolve->schema, uid, near, sizeof(near));
    expecting(expected, sizeof(expected), "an action of the schema", known ? near : NULL);
    return refuse(resolve, ref->line, ref->column, ref->id, expected);
}

static int list_types(struct cedar_resolve *resolve, const struct cedar_text *space,
                      const struct cedar_decl_name *refs,
                      const struct cedar_entity_type *const **out, uint32_t *count)
{
    uint32_t most = 0;
    for (const struct cedar_decl_name *ref = refs; ref; ref = ref->next)
        most++;
    const struct cedar_entity_type **made =
        cedar_arena_array(&resolve->schema->arena, most + 1, sizeof(const void *));
    if (!made)
        return cedar_resolve_memory(resolve);
    *out = made;
    for (const struct cedar_decl_name *ref = refs; ref; ref = ref->next) {
        bool twice = false;
        int rc = find_entity(resolve, space, ref, &made[*count]);
        if (rc < 0)
            return rc;
        for (uint32_t i = 0; i < *count; i++)
            twice |= made[i] == made[*count];
        if (!twice && ++*count > CEDAR_SCHEMA_TYPES_MAX)
            return sr_fail(SR_ERR_TOO_LARGE, "an action applies to more than %d types",
                           CEDAR_SCHEMA_TYPES_MAX);
    }
    return 0;
}

static int resolve_action(struct cedar_resolve *resolve, const struct cedar_decl_action *decl)
{
    struct cedar_action *action =
        (struct cedar_action *)cedar_schema_find_action(resolve->schema, decl->uid);
    const struct cedar_action *parent = NULL;
    int rc = resolve_shape(resolve, decl->context, &action->context);
    for (const struct cedar_decl_name *ref = decl->parents; rc == 0 && ref; ref = ref->next) {
        rc = find_parent(resolve, decl, ref, &parent);
        if (rc == 0)
            action->ancestors[parent->index] = 1;
    }
    if (rc == 0)
        rc = list_types(resolve, decl->space, decl->principals, &action->principals,
                        &action->principal_count);
    if (rc == 0)
        rc = list_types(resolve, decl->space, decl->resources, &action->resources,
                        &action->resource_count);
    return rc;
}

int cedar_resolve_names(struct cedar_resolve *resolve)
{
    const struct cedar_type *type;
    int rc = sort_commons(resolve);
    for (struct cedar_decl_common *decl = resolve->decls.commons; rc == 0 && decl;
         decl = decl->next) {
        rc = check_hidden(resolve, decl->name, decl->line, decl->column);
        if (rc == 0)
            rc = resolve_common(resolve, decl, &type);
    }
    for (const struct cedar_decl_entity *decl = resolve->decls.entities; rc == 0 && decl;
         decl = decl->next)
        rc = resolve_entity(resolve, decl);
    for (const struct cedar_decl_action *decl = resolve->decls.actions; rc == 0 && decl;
         decl = decl->next)
        rc = resolve_action(resolve, decl);
    return rc;
}
