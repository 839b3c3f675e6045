/* Types: making, comparing, joining and writing them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_error.h"
#include "policy/cedar_near.h"
#include "policy/cedar_schema_ast.h"

const struct cedar_type cedar_type_record_empty = {.kind = CEDAR_RECORD, .depth = 1};

const struct cedar_type *cedar_type_plain(enum cedar_kind kind)
{
    static const struct cedar_type plain[] = {
        [CEDAR_BOOL] = {.kind = CEDAR_BOOL, .depth = 1},
        [CEDAR_LONG] = {.kind = CEDAR_LONG, .depth = 1},
        [CEDAR_STRING] = {.kind = CEDAR_STRING, .depth = 1},
        [CEDAR_DECIMAL] = {.kind = CEDAR_DECIMAL, .depth = 1},
        [CEDAR_DATETIME] = {.kind = CEDAR_DATETIME, .depth = 1},
        [CEDAR_DURATION] = {.kind = CEDAR_DURATION, .depth = 1},
        [CEDAR_IPADDR] = {.kind = CEDAR_IPADDR, .depth = 1},
    };
    assert(plain[kind].depth);
    return &plain[kind];
}

const struct cedar_type *cedar_type_set(struct cedar_arena *arena, const struct cedar_type *element)
{
    struct cedar_type *type = cedar_arena_alloc(arena, sizeof(*type));
    if (type)
        *type = (struct cedar_type){
            .kind = CEDAR_SET, .depth = element ? element->depth + 1 : 1, .element = element};
    return type;
}

static int compare_fields(const void *left, const void *right)
{
    return cedar_text_compare(((const struct cedar_type_field *)left)->name,
                              ((const struct cedar_type_field *)right)->name);
}

const struct cedar_type *cedar_type_record(struct cedar_arena *arena,
                                           struct cedar_type_field *fields, uint32_t count)
{
    struct cedar_type *type = cedar_arena_alloc(arena, sizeof(*type));
    if (!type)
        return NULL;
    if (count)
        qsort(fields, count, sizeof(*fields), compare_fields);
    *type = (struct cedar_type){.kind = CEDAR_RECORD, .depth = 1, .count = count, .fields = fields};
    for (uint32_t i = 0; i < count; i++)
        if (fields[i].type->depth >= type->depth)
            type->depth = fields[i].type->depth + 1;
    return type;
}

const struct cedar_type_field *cedar_type_find(const struct cedar_type *record,
                                               const struct cedar_text *name)
{
    const struct cedar_type_field key = {.name = name};
    if (!record->count)
        return NULL;
    return bsearch(&key, record->fields, record->count, sizeof(key), compare_fields);
}

bool cedar_type_near_field(const struct cedar_type *record, const struct cedar_text *name,
                           char *out, size_t size)
{
    struct cedar_near near;
    cedar_near_open(&near, name);
    for (uint32_t i = 0; i < record->count; i++)
        cedar_near_offer(&near, record->fields[i].name->data, record->fields[i].name->len,
                         record->fields[i].name);
    if (near.best)
        snprintf(out, size, "%s", near.name);
    if (near.best)
        cedar_error_trim(out);
    return near.best != NULL;
}

bool cedar_type_equal(const struct cedar_type *a, const struct cedar_type *b, uint64_t *steps)
{
    if (a == b)
        return true;
    if (!*steps || a->kind != b->kind || a->count != b->count || a->entity != b->entity)
        return false;
    --*steps;
    if (a->kind == CEDAR_SET)
        return a->element && b->element && cedar_type_equal(a->element, b->element, steps);
    for (uint32_t i = 0; i < a->count; i++)
        if (a->fields[i].optional != b->fields[i].optional ||
            !cedar_text_equal(a->fields[i].name, b->fields[i].name) ||
            !cedar_type_equal(a->fields[i].type, b->fields[i].type, steps))
            return false;
    return true;
}

static int join_records(struct cedar_arena *arena, const struct cedar_type *a,
                        const struct cedar_type *b, uint64_t *steps, const struct cedar_type **out)
{
    if (a->count != b->count)
        return 0;
    struct cedar_type_field *fields = cedar_arena_array(arena, a->count, sizeof(*fields));
    if (!fields)
        return SR_ERR_TOO_LARGE;
    for (uint32_t i = 0; i < a->count; i++) {
        fields[i] = a->fields[i];
        fields[i].optional |= b->fields[i].optional;
        if (!cedar_text_equal(a->fields[i].name, b->fields[i].name))
            return 0;
        int rc =
            cedar_type_join(arena, a->fields[i].type, b->fields[i].type, steps, &fields[i].type);
        if (rc < 0 || !fields[i].type)
            return rc;
    }
    *out = cedar_type_record(arena, fields, a->count);
    return *out ? 0 : SR_ERR_TOO_LARGE;
}

int cedar_type_join(struct cedar_arena *arena, const struct cedar_type *a,
                    const struct cedar_type *b, uint64_t *steps, const struct cedar_type **out)
{
    *out = a == b ? a : NULL;
    if (a == b || !*steps || a->kind != b->kind)
        return 0;
    --*steps;
    if (a->kind == CEDAR_RECORD)
        return join_records(arena, a, b, steps, out);
    if (a->kind == CEDAR_ENTITY) {
        *out = a->entity == b->entity ? a : NULL;
    } else if (a->kind != CEDAR_SET || !b->element) {
        *out = a;
    } else if (!a->element) {
        *out = b;
    } else {
        const struct cedar_type *element;
        int rc = cedar_type_join(arena, a->element, b->element, steps, &element);
        if (rc < 0 || !element)
            return rc;
        *out = element == a->element ? a : cedar_type_set(arena, element);
        return *out ? 0 : SR_ERR_TOO_LARGE;
    }
    return 0;
}

/* {a: Long, b?: String}, as much of it as fits. */
static void record_text(const struct cedar_type *type, char *out, size_t size)
{
    char within[64];
    size_t len = (size_t)snprintf(out, size, "{");
    for (uint32_t i = 0; i < type->count && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s%s: %s", i ? ", " : "",
                                type->fields[i].name->data, type->fields[i].optional ? "?" : "",
                                cedar_type_text(type->fields[i].type, within, sizeof(within)));
    if (len < size)
        snprintf(out + len, size - len, "}");
    cedar_error_trim(out);
}

const char *cedar_type_text(const struct cedar_type *type, char *out, size_t size)
{
    static const char *const words[] = {
        [CEDAR_BOOL] = "Bool",         [CEDAR_LONG] = "Long",     [CEDAR_STRING] = "String",
        [CEDAR_DECIMAL] = "decimal",   [CEDAR_IPADDR] = "ipaddr", [CEDAR_DATETIME] = "datetime",
        [CEDAR_DURATION] = "duration",
    };
    char within[64];
    if (type->kind == CEDAR_ENTITY)
        snprintf(out, size, "%s", type->entity->name->data);
    else if (type->kind == CEDAR_RECORD)
        record_text(type, out, size);
    else if (type->kind != CEDAR_SET)
        snprintf(out, size, "%s", words[type->kind]);
    else if (!type->element)
        snprintf(out, size, "Set");
    else
        snprintf(out, size, "Set<%s>", cedar_type_text(type->element, within, sizeof(within)));
    return out;
}
