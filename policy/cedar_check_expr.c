/* Types of expressions: operators on plain values, sets, records, extension functions. As the
 * evaluator goes from left to right and stops where && and || are decided, so does the check: what
 * cannot be reached in an environment is not looked at. */
#include <stdio.h>

#include "base/error.h"
#include "policy/cedar_check.h"

static const char *kind_text(enum cedar_kind kind, char *out, size_t size)
{
    if (kind == CEDAR_ENTITY)
        snprintf(out, size, "an entity");
    else if (kind == CEDAR_SET || kind == CEDAR_RECORD)
        snprintf(out, size, kind == CEDAR_SET ? "Set" : "a record");
    else
        cedar_type_text(cedar_type_plain(kind), out, size);
    return out;
}

/* Reports that a node is of another type than wanted. */
static int mismatch(struct cedar_check *check, const struct cedar_node *node, const char *expected,
                    const struct cedar_type *found)
{
    char text[128];
    return cedar_check_problem(check, node->line, node->column, NULL, "expected %s, found %s",
                               expected, cedar_type_text(found, text, sizeof(text)));
}

int cedar_check_kind(struct cedar_check *check, const struct cedar_node *node,
                     const struct cedar_fact *facts, enum cedar_kind kind, struct cedar_typed *out)
{
    char expected[64];
    int rc = cedar_check_node(check, node, facts, out);
    if (rc < 0 || !out->type || out->type->kind == kind)
        return rc;
    rc = mismatch(check, node, kind_text(kind, expected, sizeof(expected)), out->type);
    *out = (struct cedar_typed){.when_true = facts, .when_false = facts};
    return rc;
}

static int join(struct cedar_check *check, const struct cedar_type *a, const struct cedar_type *b,
                const struct cedar_type **out)
{
    int rc = cedar_type_join(&check->arena, a, b, &check->steps, out);
    if (rc < 0)
        return cedar_check_memory(check);
    return check->steps ? 0 : cedar_check_spend(check, 1);
}

static int check_literal(struct cedar_check *check, const struct cedar_node *node,
                         const struct cedar_fact *facts, struct cedar_typed *out)
{
    const struct cedar_value *value = node->constant;
    (void)facts;
    if (value->kind == CEDAR_ENTITY) {
        const struct cedar_entity_type *type =
            cedar_schema_find_type(check->schema, value->uid->type);
        out->type = type ? &type->type : NULL;
        return 0;
    }
    out->type = cedar_type_plain(value->kind);
    if (value->kind == CEDAR_BOOL)
        out->truth = value->boolean ? CEDAR_ALWAYS : CEDAR_NEVER;
    return 0;
}

static int check_variable(struct cedar_check *check, const struct cedar_node *node,
                          const struct cedar_fact *facts, struct cedar_typed *out)
{
    const struct cedar_environment *environment = check->environment;
    (void)facts;
    switch ((enum cedar_variable)node->which) {
    case CEDAR_PRINCIPAL:
        out->type = &environment->principal->type;
        break;
    case CEDAR_ACTION:
        out->type = &environment->action->type->type;
        break;
    case CEDAR_RESOURCE:
        out->type = &environment->resource->type;
        break;
    case CEDAR_CONTEXT:
        out->type = environment->context;
        break;
    }
    return 0;
}

/* && and ||. The lists: going holds where the next operand is looked at, stopped where some operand
 * has decided. */
static int check_chain(struct cedar_check *check, const struct cedar_node *node,
                       const struct cedar_fact *facts, struct cedar_typed *out)
{
    bool either = node->op == CEDAR_OP_OR;
    enum cedar_truth decides = either ? CEDAR_ALWAYS : CEDAR_NEVER;
    enum cedar_truth passes = either ? CEDAR_NEVER : CEDAR_ALWAYS;
    const struct cedar_fact *going = facts;
    const struct cedar_fact *stopped = facts;
    bool may_stop = false;
    out->truth = passes;
    out->type = cedar_type_plain(CEDAR_BOOL);
    for (uint32_t i = 0; i < node->count && out->truth != decides; i++) {
        struct cedar_typed item;
        int rc = cedar_check_kind(check, node->children[i], going, CEDAR_BOOL, &item);
        if (rc < 0)
            return rc;
        if (!item.type)
            out->type = NULL;
        if (item.truth != passes) {
            const struct cedar_fact *here = either ? item.when_true : item.when_false;
            out->truth = item.truth;
            if (may_stop && (rc = cedar_check_common(check, stopped, here, facts, &stopped)) < 0)
                return rc;
            stopped = may_stop ? stopped : here;
            may_stop = true;
        }
        going = either ? item.when_false : item.when_true;
    }
    out->when_true = either ? stopped : going;
    out->when_false = either ? going : stopped;
    return 0;
}

static int check_not(struct cedar_check *check, const struct cedar_node *node,
                     const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed item;
    int rc = cedar_check_kind(check, node->children[0], facts, CEDAR_BOOL, &item);
    out->type = item.type;
    out->truth = item.truth == CEDAR_MAYBE    ? CEDAR_MAYBE
                 : item.truth == CEDAR_ALWAYS ? CEDAR_NEVER
                                              : CEDAR_ALWAYS;
    out->when_true = item.when_false;
    out->when_false = item.when_true;
    return rc;
}

/* What holds after an if of two branches that may both be taken. */
static int join_branches(struct cedar_check *check, const struct cedar_typed branches[2],
                         const struct cedar_fact *facts, struct cedar_typed *out)
{
    const struct cedar_typed *yes = &branches[0];
    const struct cedar_typed *no = &branches[1];
    int rc = 0;
    out->truth = yes->truth == no->truth ? yes->truth : CEDAR_MAYBE;
    if (yes->truth == CEDAR_NEVER)
        out->when_true = no->when_true;
    else if (no->truth == CEDAR_NEVER)
        out->when_true = yes->when_true;
    else
        rc = cedar_check_common(check, yes->when_true, no->when_true, facts, &out->when_true);
    if (rc < 0)
        return rc;
    if (yes->truth == CEDAR_ALWAYS)
        out->when_false = no->when_false;
    else if (no->truth == CEDAR_ALWAYS)
        out->when_false = yes->when_false;
    else
        rc = cedar_check_common(check, yes->when_false, no->when_false, facts, &out->when_false);
    return rc;
}

static int check_if(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed test;
    struct cedar_typed branches[2];
    char expected[128];
    int rc = cedar_check_kind(check, node->children[0], facts, CEDAR_BOOL, &test);
    if (rc == 0 && test.truth != CEDAR_NEVER)
        rc = cedar_check_node(check, node->children[1], test.when_true, &branches[0]);
    if (rc == 0 && test.truth != CEDAR_ALWAYS)
        rc = cedar_check_node(check, node->children[2], test.when_false, &branches[1]);
    if (rc < 0)
        return rc;
    if (test.truth != CEDAR_MAYBE) {
        *out = branches[test.truth == CEDAR_ALWAYS ? 0 : 1];
        return 0;
    }
    if (!test.type || !branches[0].type || !branches[1].type)
        return 0;
    rc = join(check, branches[0].type, branches[1].type, &out->type);
    if (rc == 0 && !out->type)
        rc = mismatch(check, node->children[2],
                      cedar_type_text(branches[0].type, expected, sizeof(expected)),
                      branches[1].type);
    return rc < 0 ? rc : join_branches(check, branches, facts, out);
}

static int check_arithmetic(struct cedar_check *check, const struct cedar_node *node,
                            const struct cedar_fact *facts, struct cedar_typed *out)
{
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < node->count; i++) {
        struct cedar_typed item;
        rc = cedar_check_kind(check, node->children[i], facts, CEDAR_LONG, &item);
    }
    out->type = cedar_type_plain(CEDAR_LONG);
    return rc;
}

static bool is_ordered(enum cedar_kind kind)
{
    return kind == CEDAR_LONG || kind == CEDAR_DATETIME || kind == CEDAR_DURATION;
}

/* Both operands of a binary operator. 1: both have a type. */
static int check_both(struct cedar_check *check, const struct cedar_node *node,
                      const struct cedar_fact *facts, struct cedar_typed items[2])
{
    int rc = cedar_check_node(check, node->children[0], facts, &items[0]);
    if (rc == 0)
        rc = cedar_check_node(check, node->children[1], facts, &items[1]);
    return rc < 0 ? rc : items[0].type && items[1].type;
}

static int check_order(struct cedar_check *check, const struct cedar_node *node,
                       const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed items[2];
    char expected[64];
    int rc = check_both(check, node, facts, items);
    out->type = cedar_type_plain(CEDAR_BOOL);
    if (rc <= 0)
        return rc;
    if (!is_ordered(items[0].type->kind))
        return mismatch(check, node->children[0], "Long, datetime or duration", items[0].type);
    if (items[0].type->kind == items[1].type->kind)
        return 0;
    return mismatch(check, node->children[1],
                    kind_text(items[0].type->kind, expected, sizeof(expected)), items[1].type);
}

/* The entity that a node is in this environment, where that is known; NULL otherwise. */
static const struct cedar_uid *known_uid(const struct cedar_check *check,
                                         const struct cedar_node *node)
{
    if (node->op == CEDAR_OP_VARIABLE && node->which == CEDAR_ACTION)
        return check->environment->action->uid;
    return node->op == CEDAR_OP_LITERAL && node->constant->kind == CEDAR_ENTITY
               ? node->constant->uid
               : NULL;
}

/* Whether values of two types can be equal, with a doubt about what they stand in when they are
 * entities that cannot. Reports other types that differ. where is the second one's node. */
static int check_comparable(struct cedar_check *check, const struct cedar_node *node,
                            const struct cedar_node *where, const struct cedar_type *a,
                            const struct cedar_type *b, bool *out)
{
    char left[96];
    const struct cedar_type *both;
    *out = true;
    if (a->kind == CEDAR_ENTITY && b->kind == CEDAR_ENTITY) {
        *out = a->entity == b->entity;
        return *out ? cedar_check_clear(check, node, 0)
                    : cedar_check_doubt(check, node, 0, NULL, "%s is never a %s",
                                        b->entity->name->data, a->entity->name->data);
    }
    int rc = join(check, a, b, &both);
    if (rc < 0 || both)
        return rc;
    return mismatch(check, where, cedar_type_text(a, left, sizeof(left)), b);
}

static int check_equal(struct cedar_check *check, const struct cedar_node *node,
                       const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed items[2];
    bool can = true;
    int rc = check_both(check, node, facts, items);
    out->type = cedar_type_plain(CEDAR_BOOL);
    if (rc <= 0)
        return rc;
    rc = check_comparable(check, node, node->children[1], items[0].type, items[1].type, &can);
    const struct cedar_uid *left = known_uid(check, node->children[0]);
    const struct cedar_uid *right = known_uid(check, node->children[1]);
    bool equal = can && left && right && cedar_uid_equal(left, right);
    bool known = !can || (left && right);
    if (node->children[0]->op == CEDAR_OP_LITERAL && node->children[1]->op == CEDAR_OP_LITERAL) {
        equal = cedar_value_equal(node->children[0]->constant, node->children[1]->constant, NULL);
        known = true;
    }
    if (known)
        out->truth = equal != (node->op == CEDAR_OP_NOT_EQUAL) ? CEDAR_ALWAYS : CEDAR_NEVER;
    return rc;
}

static int check_sets(struct cedar_check *check, const struct cedar_node *node,
                      const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed left;
    struct cedar_typed right = {0};
    bool one = node->op == CEDAR_OP_CONTAINS;
    bool can;
    int rc = cedar_check_kind(check, node->children[0], facts, CEDAR_SET, &left);
    out->type = cedar_type_plain(CEDAR_BOOL);
    if (rc == 0 && one)
        rc = cedar_check_node(check, node->children[1], facts, &right);
    else if (rc == 0 && node->count > 1)
        rc = cedar_check_kind(check, node->children[1], facts, CEDAR_SET, &right);
    if (rc < 0 || !left.type || !right.type)
        return rc;
    const struct cedar_type *item = one ? right.type : right.type->element;
    if (!left.type->element || !item)
        return 0;
    rc = check_comparable(check, node, node->children[1], left.type->element, item, &can);
    if (!can && one)
        out->truth = CEDAR_NEVER;
    return rc;
}

static int check_like(struct cedar_check *check, const struct cedar_node *node,
                      const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_typed item;
    out->type = cedar_type_plain(CEDAR_BOOL);
    return cedar_check_kind(check, node->children[0], facts, CEDAR_STRING, &item);
}

static int check_set(struct cedar_check *check, const struct cedar_node *node,
                     const struct cedar_fact *facts, struct cedar_typed *out)
{
    const struct cedar_type *element = NULL;
    char expected[128];
    bool wrong = false;
    for (uint32_t i = 0; i < node->count; i++) {
        struct cedar_typed item;
        const struct cedar_type *both = NULL;
        int rc = cedar_check_node(check, node->children[i], facts, &item);
        wrong |= !item.type;
        if (rc == 0 && item.type && element)
            rc = join(check, element, item.type, &both);
        if (rc == 0 && item.type && element && !both) {
            wrong = true;
            rc = mismatch(check, node->children[i],
                          cedar_type_text(element, expected, sizeof(expected)), item.type);
        }
        if (rc < 0)
            return rc;
        element = both ? both : element ? element : item.type;
    }
    out->type = wrong ? NULL : cedar_type_set(&check->arena, element);
    return wrong || out->type ? 0 : cedar_check_memory(check);
}

static int check_record(struct cedar_check *check, const struct cedar_node *node,
                        const struct cedar_fact *facts, struct cedar_typed *out)
{
    struct cedar_type_field *fields =
        cedar_arena_array(&check->arena, node->count + (size_t)1, sizeof(*fields));
    bool wrong = false;
    if (!fields)
        return cedar_check_memory(check);
    for (uint32_t i = 0; i < node->count; i++) {
        struct cedar_typed item;
        int rc = cedar_check_node(check, node->children[i], facts, &item);
        if (rc < 0)
            return rc;
        wrong |= !item.type;
        fields[i] = (struct cedar_type_field){.name = node->names[i], .type = item.type};
    }
    out->type = wrong ? NULL : cedar_type_record(&check->arena, fields, node->count);
    return wrong || out->type ? 0 : cedar_check_memory(check);
}

static int check_call(struct cedar_check *check, const struct cedar_node *node,
                      const struct cedar_fact *facts, struct cedar_typed *out)
{
    enum cedar_function function = (enum cedar_function)node->which;
    const char *name = cedar_extension_name(function);
    unsigned arity = cedar_extension_arity(function);
    bool constructor = cedar_extension_takes(function, 0) == CEDAR_STRING;
    struct cedar_typed item = {0};
    int rc = 0;
    out->type = cedar_type_plain(cedar_extension_gives(function));
    if (node->count != arity)
        return cedar_check_problem(
            check, node->line, node->column, NULL, "%s takes %u argument%s, found %u", name,
            constructor ? arity : arity - 1, (constructor ? arity : arity - 1) == 1 ? "" : "s",
            constructor ? node->count : node->count - 1);
    for (unsigned i = 0; rc == 0 && i < arity; i++)
        rc = cedar_check_kind(check, node->children[i], facts, cedar_extension_takes(function, i),
                              &item);
    if (rc < 0 || !constructor || node->constant || !item.type)
        return rc;
    return cedar_check_problem(check, node->line, node->column, NULL,
                               node->children[0]->op == CEDAR_OP_LITERAL
                                   ? "%s cannot make a value of this text"
                                   : "%s takes a literal text, so that it cannot fail",
                               name);
}

int cedar_check_node(struct cedar_check *check, const struct cedar_node *node,
                     const struct cedar_fact *facts, struct cedar_typed *out)
{
    static int (*const checks[])(struct cedar_check *, const struct cedar_node *,
                                 const struct cedar_fact *, struct cedar_typed *) = {
        [CEDAR_OP_LITERAL] = check_literal,
        [CEDAR_OP_VARIABLE] = check_variable,
        [CEDAR_OP_IF] = check_if,
        [CEDAR_OP_AND] = check_chain,
        [CEDAR_OP_OR] = check_chain,
        [CEDAR_OP_NOT] = check_not,
        [CEDAR_OP_NEGATE] = check_arithmetic,
        [CEDAR_OP_EQUAL] = check_equal,
        [CEDAR_OP_NOT_EQUAL] = check_equal,
        [CEDAR_OP_LESS] = check_order,
        [CEDAR_OP_LESS_EQUAL] = check_order,
        [CEDAR_OP_GREATER] = check_order,
        [CEDAR_OP_GREATER_EQUAL] = check_order,
        [CEDAR_OP_IN] = cedar_check_in,
        [CEDAR_OP_ADD] = check_arithmetic,
        [CEDAR_OP_SUBTRACT] = check_arithmetic,
        [CEDAR_OP_MULTIPLY] = check_arithmetic,
        [CEDAR_OP_CONTAINS] = check_sets,
        [CEDAR_OP_CONTAINS_ALL] = check_sets,
        [CEDAR_OP_CONTAINS_ANY] = check_sets,
        [CEDAR_OP_IS_EMPTY] = check_sets,
        [CEDAR_OP_GET_TAG] = cedar_check_tag,
        [CEDAR_OP_HAS_TAG] = cedar_check_tag,
        [CEDAR_OP_GET] = cedar_check_get,
        [CEDAR_OP_HAS] = cedar_check_has,
        [CEDAR_OP_LIKE] = check_like,
        [CEDAR_OP_IS] = cedar_check_is,
        [CEDAR_OP_SET] = check_set,
        [CEDAR_OP_RECORD] = check_record,
        [CEDAR_OP_CALL] = check_call,
    };
    *out = (struct cedar_typed){.when_true = facts, .when_false = facts};
    int rc = cedar_check_spend(check, 1);
    return rc < 0 ? rc : checks[node->op](check, node, facts, out);
}
