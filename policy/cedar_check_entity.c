/* Types of expressions that concern entities: hierarchy, attributes, tags. */
#include <stdio.h>

#include "base/error.h"
#include "policy/cedar_check.h"

static bool can_be_in(const struct cedar_entity_type *one, const struct cedar_entity_type *other)
{
    return one == other || one->ancestors[other->index];
}

/* Whether the action of the environment is in an action that is written out. That it is in a group
 * is no certainty: the request's entities may leave the groups out. */
static enum cedar_truth action_in(const struct cedar_check *check, const struct cedar_node *left,
                                  const struct cedar_node *right)
{
    const struct cedar_action *action = check->environment->action;
    if (left->op != CEDAR_OP_VARIABLE || left->which != CEDAR_ACTION ||
        right->op != CEDAR_OP_LITERAL || right->constant->kind != CEDAR_ENTITY)
        return CEDAR_MAYBE;
    const struct cedar_action *other =
        cedar_schema_find_action(check->schema, right->constant->uid);
    if (other == action)
        return CEDAR_ALWAYS;
    return other && action->ancestors[other->index] ? CEDAR_MAYBE : CEDAR_NEVER;
}

/* What may stand on the right of in: an entity, or (unless it is within a list) a set of entities.
 * *out is the type of the entities; NULL when the node is wrong, and for the set [], which is
 * *empty. */
static int check_group(struct cedar_check *check, const struct cedar_node *right, bool listed,
                       const struct cedar_fact *facts, const struct cedar_type **out, bool *empty)
{
    char text[128];
    struct cedar_typed item;
    int rc = cedar_check_node(check, right, facts, &item);
    *out = NULL;
    *empty = false;
    if (rc < 0 || !item.type)
        return rc;
    *out = item.type->kind == CEDAR_SET && !listed ? item.type->element : item.type;
    *empty = !*out;
    if (*empty || (*out)->kind == CEDAR_ENTITY)
        return 0;
    *out = NULL;
    return cedar_check_problem(check, right->line, right->column, NULL, "expected %s, found %s",
                               listed ? "an entity" : "an entity or a set of entities",
                               cedar_type_text(item.type, text, sizeof(text)));
}

/* left in right, which may be a list of entities of several types. */
static int check_within(struct cedar_check *check, const struct cedar_node *node,
                        const struct cedar_entity_type *entity, const struct cedar_fact *facts,
                        struct cedar_typed *out)
{
    const struct cedar_node *right = node->children[1];
    bool list = right->op == CEDAR_OP_SET;
    uint32_t count = list ? right->count : 1;
    const char *never = NULL;
    bool possible = false;
    out->truth = CEDAR_NEVER;
    for (uint32_t i = 0; i < count; i++) {
        const struct cedar_node *one = list ? right->children[i] : right;
        const struct cedar_type *type;
        bool empty;
        int rc = check_group(check, one, list, facts, &type, &empty);
        if (rc < 0)
            return rc;
        if (empty)
            continue;
        if (!type)
            out->type = NULL;
        else if (!can_be_in(entity, type->entity))
            never = type->entity->name->data;
        possible |= type && can_be_in(entity, type->entity);
        if (type && can_be_in(entity, type->entity) && out->truth != CEDAR_ALWAYS) {
            enum cedar_truth truth = action_in(check, node->children[0], one);
            out->truth = truth == CEDAR_NEVER ? out->truth : truth;
        }
    }
    if (!out->type)
        out->truth = CEDAR_MAYBE;
    if (possible || !out->type || !never)
        return cedar_check_clear(check, node, 0);
    return cedar_check_doubt(check, node, 0, NULL, "%s is never in a %s", entity->name->data,
                             never);
}

int cedar_check_in(struct cedar_check *check, const struct cedar_node *node,
                   const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed left;
    int rc = cedar_check_kind(check, node->children[0], facts, CEDAR_ENTITY, &left);
    out->type = cedar_type_plain(CEDAR_BOOL);
    if (rc < 0 || !left.type)
        return rc;
    return check_within(check, node, left.type->entity, facts, out);
}

int cedar_check_is(struct cedar_check *check, const struct cedar_node *node,
                   const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed left;
    int rc = cedar_check_kind(check, node->children[0], facts, CEDAR_ENTITY, &left);
    out->type = cedar_type_plain(CEDAR_BOOL);
    if (rc < 0 || !left.type)
        return rc;
    bool is = cedar_text_equal(left.type->entity->name, node->names[0]);
    out->truth = is ? CEDAR_ALWAYS : CEDAR_NEVER;
    return is && node->count > 1 ? check_within(check, node, left.type->entity, facts, out) : 0;
}

/* What has the attributes, for a sentence. */
static const char *owner_text(const struct cedar_check *check, const struct cedar_node *base,
                              const struct cedar_type *type, char *out, size_t size)
{
    char action[96];
    if (type->kind == CEDAR_ENTITY)
        snprintf(out, size, "%s", type->entity->name->data);
    else if (base->op == CEDAR_OP_VARIABLE)
        snprintf(out, size, "the context of %s",
                 cedar_uid_text(check->environment->action->uid, action, sizeof(action)));
    else
        snprintf(out, size, "the record");
    return out;
}

/* The record of attributes that a type has; NULL when it has none. */
static const struct cedar_type *attributes_of(const struct cedar_type *type)
{
    if (type->kind == CEDAR_ENTITY)
        return type->entity->attrs;
    return type->kind == CEDAR_RECORD ? type : NULL;
}

int cedar_check_get(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_fact *facts, struct cedar_typed *out)
{
    const struct cedar_text *name = node->names[0];
    struct cedar_typed base;
    char owner[128];
    char near[128] = "";
    bool known = true;
    int rc = cedar_check_node(check, node->children[0], facts, &base);
    if (rc < 0 || !base.type)
        return rc;
    const struct cedar_type *attrs = attributes_of(base.type);
    if (!attrs)
        return cedar_check_problem(check, node->line, node->column, NULL,
                                   "%s has no attributes, `%s` is read of one",
                                   cedar_type_text(base.type, owner, sizeof(owner)), name->data);
    const struct cedar_type_field *field = cedar_type_find(attrs, name);
    if (!field) {
        cedar_type_near_field(attrs, name, near, sizeof(near));
        owner_text(check, node->children[0], base.type, owner, sizeof(owner));
        return cedar_check_problem(check, node->line, node->column, near,
                                   "%s has no attribute `%s`", owner, name->data);
    }
    out->type = field->type;
    if (field->optional)
        rc = cedar_check_known(check, facts, node, &known);
    if (rc < 0 || known)
        return rc;
    owner_text(check, node->children[0], base.type, owner, sizeof(owner));
    return cedar_check_problem(check, node->line, node->column, NULL,
                               "the attribute `%s` of %s is optional: test it with `has` before",
                               name->data, owner);
}

int cedar_check_has(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed base;
    char owner[128];
    char near[128] = "";
    int rc = cedar_check_node(check, node->children[0], facts, &base);
    const struct cedar_type *type = base.type;
    out->type = cedar_type_plain(CEDAR_BOOL);
    out->truth = type ? CEDAR_ALWAYS : CEDAR_MAYBE;
    for (uint32_t i = 0; rc == 0 && type && i < node->name_count; i++) {
        const struct cedar_text *name = node->names[i];
        const struct cedar_type *attrs = attributes_of(type);
        if (!attrs)
            return cedar_check_problem(check, node->line, node->column, NULL,
                                       "%s has no attributes, has asks for `%s`",
                                       cedar_type_text(type, owner, sizeof(owner)), name->data);
        const struct cedar_type_field *field = cedar_type_find(attrs, name);
        if (!field) {
            out->truth = CEDAR_NEVER;
            cedar_type_near_field(attrs, name, near, sizeof(near));
            owner_text(check, i ? node : node->children[0], type, owner, sizeof(owner));
            return cedar_check_doubt(check, node, i, near, "%s has no attribute `%s`", owner,
                                     name->data);
        }
        if (field->optional || type->kind == CEDAR_ENTITY) /* which may not exist */
            out->truth = CEDAR_MAYBE;
        rc = cedar_check_clear(check, node, i);
        struct cedar_fact fact = {.base = node->children[0], .names = node->names, .count = i + 1};
        if (rc == 0)
            rc = cedar_check_learn(check, fact, out->when_true, &out->when_true);
        type = field->type;
    }
    return rc;
}

int cedar_check_tag(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_fact *facts, struct cedar_typed *out)
{
    bool asks = node->op == CEDAR_OP_HAS_TAG;
    struct cedar_typed base;
    struct cedar_typed key;
    bool known;
    int rc = cedar_check_kind(check, node->children[0], facts, CEDAR_ENTITY, &base);
    if (rc == 0)
        rc = cedar_check_kind(check, node->children[1], facts, CEDAR_STRING, &key);
    out->type = asks ? cedar_type_plain(CEDAR_BOOL) : NULL;
    if (rc < 0 || !base.type || !key.type)
        return rc;
    const struct cedar_entity_type *entity = base.type->entity;
    if (asks && !entity->tags) {
        out->truth = CEDAR_NEVER;
        return cedar_check_doubt(check, node, 0, NULL, "%s has no tags", entity->name->data);
    }
    if (asks) {
        struct cedar_fact fact = {.base = node->children[0], .key = node->children[1]};
        rc = cedar_check_clear(check, node, 0);
        return rc < 0 ? rc : cedar_check_learn(check, fact, facts, &out->when_true);
    }
    if (!entity->tags)
        return cedar_check_problem(check, node->line, node->column, NULL, "%s has no tags",
                                   entity->name->data);
    out->type = entity->tags;
    rc = cedar_check_known(check, facts, node, &known);
    if (rc < 0 || known)
        return rc;
    return cedar_check_problem(check, node->line, node->column, NULL,
                               "a tag of %s may be missing: test it with `hasTag` before",
                               entity->name->data);
}
