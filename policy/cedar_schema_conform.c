/* Entities and requests, held against the schema. */
#include <stdio.h>

#include "base/error.h"
#include "policy/cedar_near.h"
#include "policy/cedar_schema_ast.h"

/* What a value belongs to, for sentences: an entity or a context, and what of it. */
struct conform {
    const struct cedar_schema *schema;
    const char *owner;
    const char *part;            /* "attribute", "tag" */
    const struct cedar_text *of; /* the outermost attribute or tag */
};

static int wrong(const struct conform *conform, const char *what, const char *name)
{
    return sr_fail(SR_ERR_INVALID, "%s: %s `%s` %s%s", conform->owner, conform->part,
                   conform->of->data, what, name);
}

static bool is_listed(const struct cedar_entity_type *type, const struct cedar_text *id)
{
    for (uint32_t i = 0; i < type->id_count; i++)
        if (cedar_text_equal(type->ids[i], id))
            return true;
    return !type->ids;
}

/* Whether there may be such an entity. */
static int check_uid(const struct cedar_schema *schema, const struct cedar_uid *uid)
{
    char text[160];
    char near[160];
    const struct cedar_entity_type *type = cedar_schema_find_type(schema, uid->type);
    bool known = type && is_listed(type, uid->id) &&
                 (!type->action || cedar_schema_find_action(schema, uid));
    if (known)
        return 0;
    cedar_uid_text(uid, text, sizeof(text));
    if (!type && cedar_schema_near_type(schema, uid->type, false, near, sizeof(near)))
        return sr_fail(SR_ERR_INVALID, "%s: there is no such entity type; did you mean `%s`?", text,
                       near);
    return sr_fail(SR_ERR_INVALID, "%s: %s", text,
                   type ? "the schema has no such entity" : "there is no such entity type");
}

static int check_value(const struct conform *conform, const struct cedar_value *value,
                       const struct cedar_type *type);

static int check_record(const struct conform *conform, const struct cedar_record *record,
                        const struct cedar_type *type, bool outermost)
{
    char near[128];
    for (uint32_t i = 0; i < record->count; i++) {
        const struct cedar_member *member = &record->members[i];
        const struct cedar_type_field *field = cedar_type_find(type, member->key);
        struct conform inner = *conform;
        if (outermost)
            inner.of = member->key;
        if (!field && cedar_type_near_field(type, member->key, near, sizeof(near)))
            return sr_fail(SR_ERR_INVALID,
                           "%s: attribute `%s` is not in the schema; did you mean `%s`?",
                           conform->owner, member->key->data, near);
        if (!field)
            return sr_fail(SR_ERR_INVALID, "%s: attribute `%s` is not in the schema",
                           conform->owner, member->key->data);
        int rc = check_value(&inner, &member->value, field->type);
        if (rc < 0)
            return rc;
    }
    for (uint32_t i = 0; i < type->count; i++)
        if (!type->fields[i].optional && !cedar_record_find(record, type->fields[i].name))
            return sr_fail(SR_ERR_INVALID, "%s: attribute `%s` is missing", conform->owner,
                           type->fields[i].name->data);
    return 0;
}

/* Values nest as deep as their types, which the schema limits. */
static int check_value(const struct conform *conform, const struct cedar_value *value,
                       const struct cedar_type *type)
{
    char text[160];
    int rc = 0;
    if (value->kind != type->kind) {
        cedar_type_text(type, text, sizeof(text));
        return sr_fail(SR_ERR_INVALID, "%s: %s `%s` has %s where %s is wanted", conform->owner,
                       conform->part, conform->of->data, cedar_kind_word(value->kind), text);
    }
    if (value->kind == CEDAR_ENTITY) {
        if (!cedar_text_equal(value->uid->type, type->entity->name))
            return wrong(conform, "is no ", type->entity->name->data);
        if (check_uid(conform->schema, value->uid) < 0)
            return wrong(conform, "names what does not exist: ",
                         cedar_uid_text(value->uid, text, sizeof(text)));
    } else if (value->kind == CEDAR_RECORD) {
        return check_record(conform, value->record, type, false);
    } else if (value->kind == CEDAR_SET) {
        for (uint32_t i = 0; rc == 0 && i < value->set->count; i++)
            rc = check_value(conform, &value->set->items[i], type->element);
    }
    return rc;
}

static int check_tags(const struct conform *conform, const struct cedar_record *tags,
                      const struct cedar_type *type)
{
    for (uint32_t i = 0; i < tags->count; i++) {
        struct conform inner = *conform;
        inner.part = "tag";
        inner.of = tags->members[i].key;
        if (!type)
            return wrong(&inner, "is there, and the schema allows none", "");
        int rc = check_value(&inner, &tags->members[i].value, type);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int check_ancestors(const struct conform *conform, const struct cedar_entity *entity,
                           const struct cedar_entity_type *type)
{
    char text[160];
    const struct cedar_action *action =
        type->action ? cedar_schema_find_action(conform->schema, entity->uid) : NULL;
    for (uint32_t i = 0; i < entity->ancestor_count; i++) {
        const struct cedar_uid *uid = entity->ancestors[i];
        const struct cedar_entity_type *parent = cedar_schema_find_type(conform->schema, uid->type);
        const struct cedar_action *group =
            action ? cedar_schema_find_action(conform->schema, uid) : NULL;
        bool allowed = action
                           ? group && action->ancestors[group->index]
                           : parent && type->ancestors[parent->index] && is_listed(parent, uid->id);
        if (!allowed)
            return sr_fail(SR_ERR_INVALID, "%s: the schema does not allow it within %s",
                           conform->owner, cedar_uid_text(uid, text, sizeof(text)));
    }
    return 0;
}

int cedar_schema_check_entity(const struct cedar_schema *schema, const struct cedar_entity *entity)
{
    char owner[160];
    struct conform conform = {
        .schema = schema,
        .owner = cedar_uid_text(entity->uid, owner, sizeof(owner)),
        .part = "attribute",
    };
    int rc = check_uid(schema, entity->uid);
    if (rc < 0)
        return rc;
    const struct cedar_entity_type *type = cedar_schema_find_type(schema, entity->uid->type);
    rc = check_record(&conform, entity->attrs ? entity->attrs : &cedar_record_empty, type->attrs,
                      true);
    if (rc == 0 && entity->tags)
        rc = check_tags(&conform, entity->tags, type->tags);
    return rc < 0 ? rc : check_ancestors(&conform, entity, type);
}

static bool takes(const struct cedar_entity_type *const *types, uint32_t count,
                  const struct cedar_uid *uid)
{
    for (uint32_t i = 0; i < count; i++)
        if (cedar_text_equal(types[i]->name, uid->type))
            return is_listed(types[i], uid->id);
    return false;
}

int cedar_schema_check_request(const struct cedar_schema *schema,
                               const struct cedar_request *request)
{
    char owner[160];
    char text[160];
    const struct cedar_action *action = cedar_schema_find_action(schema, request->action);
    struct conform conform = {
        .schema = schema,
        .owner = "the context",
        .part = "attribute",
    };
    cedar_uid_text(request->action, owner, sizeof(owner));
    if (!action)
        return sr_fail(SR_ERR_INVALID, "%s: there is no such action", owner);
    if (!takes(action->principals, action->principal_count, request->principal))
        return sr_fail(SR_ERR_INVALID, "%s: the schema allows no principal %s", owner,
                       cedar_uid_text(request->principal, text, sizeof(text)));
    if (!takes(action->resources, action->resource_count, request->resource))
        return sr_fail(SR_ERR_INVALID, "%s: the schema allows no resource %s", owner,
                       cedar_uid_text(request->resource, text, sizeof(text)));
    return check_record(&conform, request->context ? request->context : &cedar_record_empty,
                        action->context, true);
}
