#include "policy/cedar_eval.h"

#include "base/error.h"
#include "policy/cedar_entities.h"

static int out_of_steps(void)
{
    return sr_fail(SR_ERR_TOO_LARGE, "the decision takes more evaluation steps than allowed");
}

static int out_of_memory(const struct cedar_eval *eval)
{
    return cedar_arena_full(eval->scratch, "the decision");
}

static int fault(struct cedar_eval *eval, const struct cedar_node *node, enum cedar_fault_kind kind,
                 const char *name)
{
    eval->fault = (struct cedar_fault){
        .line = node->line, .column = node->column, .kind = kind, .name = name};
    return SR_ERR_INVALID;
}

static int type_fault(struct cedar_eval *eval, const struct cedar_node *node,
                      enum cedar_kind expected, const struct cedar_value *got)
{
    fault(eval, node, CEDAR_FAULT_TYPE, NULL);
    eval->fault.expected = expected;
    eval->fault.got = got->kind;
    return SR_ERR_INVALID;
}

/* Evaluates a child that must be of one kind. */
static int eval_kind(struct cedar_eval *eval, const struct cedar_node *node, enum cedar_kind kind,
                     struct cedar_value *out)
{
    int rc = cedar_eval_node(eval, node, out);
    if (rc == 0 && out->kind != kind)
        return type_fault(eval, node, kind, out);
    return rc;
}

int cedar_eval_bool(struct cedar_eval *eval, const struct cedar_node *node, bool *out)
{
    struct cedar_value value;
    int rc = eval_kind(eval, node, CEDAR_BOOL, &value);
    *out = rc == 0 && value.boolean;
    return rc;
}

const struct cedar_entity *cedar_eval_entity(const struct cedar_eval *eval,
                                             const struct cedar_uid *uid)
{
    const struct cedar_request *request = eval->request;
    for (size_t i = 0; i < request->extra_count; i++)
        if (cedar_uid_equal(request->extra[i]->uid, uid))
            return request->extra[i];
    return request->entities ? cedar_entities_find(request->entities, uid) : NULL;
}

/* As above, without searching for the request's own three again. */
static const struct cedar_entity *entity_of(const struct cedar_eval *eval,
                                            const struct cedar_uid *uid)
{
    const struct cedar_request *request = eval->request;
    if (uid == request->principal)
        return eval->principal;
    if (uid == request->resource)
        return eval->resource;
    if (uid == request->action)
        return eval->action;
    return cedar_eval_entity(eval, uid);
}

bool cedar_eval_is_in(const struct cedar_uid *uid, const struct cedar_entity *entity,
                      const struct cedar_uid *ancestor)
{
    return cedar_uid_equal(uid, ancestor) ||
           (entity && cedar_entity_has_ancestor(entity, ancestor));
}

static int eval_variable(const struct cedar_eval *eval, const struct cedar_node *node,
                         struct cedar_value *out)
{
    const struct cedar_request *request = eval->request;
    out->kind = CEDAR_ENTITY;
    switch ((enum cedar_variable)node->which) {
    case CEDAR_PRINCIPAL:
        out->uid = request->principal;
        return 0;
    case CEDAR_ACTION:
        out->uid = request->action;
        return 0;
    case CEDAR_RESOURCE:
        out->uid = request->resource;
        return 0;
    case CEDAR_CONTEXT:
        out->kind = CEDAR_RECORD;
        out->record = request->context ? request->context : &cedar_record_empty;
        return 0;
    }
    return 0;
}

/* && and ||: the first child that decides ends it; every one looked at must be a bool. */
static int eval_chain(struct cedar_eval *eval, const struct cedar_node *node,
                      struct cedar_value *out)
{
    bool decides = node->op == CEDAR_OP_OR;
    bool value = !decides;
    for (uint32_t i = 0; i < node->count && value != decides; i++) {
        int rc = cedar_eval_bool(eval, node->children[i], &value);
        if (rc < 0)
            return rc;
    }
    *out = (struct cedar_value){.kind = CEDAR_BOOL, .boolean = value};
    return 0;
}

static int eval_arithmetic(struct cedar_eval *eval, const struct cedar_node *node,
                           struct cedar_value *out)
{
    struct cedar_value left;
    struct cedar_value right = {0};
    bool over;
    int rc = eval_kind(eval, node->children[0], CEDAR_LONG, &left);
    if (rc == 0 && node->count > 1)
        rc = eval_kind(eval, node->children[1], CEDAR_LONG, &right);
    if (rc < 0)
        return rc;
    out->kind = CEDAR_LONG;
    if (node->op == CEDAR_OP_ADD)
        over = __builtin_add_overflow(left.number, right.number, &out->number);
    else if (node->op == CEDAR_OP_SUBTRACT)
        over = __builtin_sub_overflow(left.number, right.number, &out->number);
    else if (node->op == CEDAR_OP_MULTIPLY)
        over = __builtin_mul_overflow(left.number, right.number, &out->number);
    else
        over = __builtin_sub_overflow(0, left.number, &out->number);
    return over ? fault(eval, node, CEDAR_FAULT_OVERFLOW, NULL) : 0;
}

/* Both operands, the left one first: its fault is the one that is told. */
static int eval_operands(struct cedar_eval *eval, const struct cedar_node *node,
                         struct cedar_value *left, struct cedar_value *right)
{
    int rc = cedar_eval_node(eval, node->children[0], left);
    return rc < 0 ? rc : cedar_eval_node(eval, node->children[1], right);
}

static bool is_ordered(enum cedar_kind kind)
{
    return kind == CEDAR_LONG || kind == CEDAR_DATETIME || kind == CEDAR_DURATION;
}

static int eval_order(struct cedar_eval *eval, const struct cedar_node *node,
                      struct cedar_value *out)
{
    struct cedar_value left;
    struct cedar_value right;
    int rc = eval_operands(eval, node, &left, &right);
    if (rc < 0)
        return rc;
    if (!is_ordered(left.kind))
        return type_fault(eval, node->children[0], is_ordered(right.kind) ? right.kind : CEDAR_LONG,
                          &left);
    if (right.kind != left.kind)
        return type_fault(eval, node->children[1], left.kind, &right);
    out->kind = CEDAR_BOOL;
    if (node->op == CEDAR_OP_LESS)
        out->boolean = left.number < right.number;
    else if (node->op == CEDAR_OP_LESS_EQUAL)
        out->boolean = left.number <= right.number;
    else if (node->op == CEDAR_OP_GREATER)
        out->boolean = left.number > right.number;
    else
        out->boolean = left.number >= right.number;
    return 0;
}

static int eval_equal(struct cedar_eval *eval, const struct cedar_node *node,
                      struct cedar_value *out)
{
    struct cedar_value left;
    struct cedar_value right;
    int rc = eval_operands(eval, node, &left, &right);
    if (rc < 0)
        return rc;
    bool equal = cedar_value_equal(&left, &right, &eval->steps);
    *out =
        (struct cedar_value){.kind = CEDAR_BOOL, .boolean = equal == (node->op == CEDAR_OP_EQUAL)};
    return eval->steps ? 0 : out_of_steps();
}

/* Whether uid is in right: an entity, or a set of nothing but entities. */
static int is_in_value(struct cedar_eval *eval, const struct cedar_node *node,
                       const struct cedar_uid *uid, const struct cedar_value *right, bool *out)
{
    const struct cedar_entity *entity = entity_of(eval, uid);
    *out = false;
    if (right->kind == CEDAR_ENTITY) {
        *out = cedar_eval_is_in(uid, entity, right->uid);
        return 0;
    }
    if (right->kind != CEDAR_SET)
        return type_fault(eval, node, CEDAR_ENTITY, right);
    const struct cedar_set *set = right->set;
    if (eval->steps <= set->count)
        return out_of_steps();
    eval->steps -= set->count;
    for (uint32_t i = 0; i < set->count; i++)
        if (set->items[i].kind != CEDAR_ENTITY)
            return type_fault(eval, node, CEDAR_ENTITY, &set->items[i]);
    for (uint32_t i = 0; i < set->count && !*out; i++)
        *out = cedar_eval_is_in(uid, entity, set->items[i].uid);
    return 0;
}

static int eval_in(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    struct cedar_value left;
    struct cedar_value right;
    int rc = eval_operands(eval, node, &left, &right);
    if (rc < 0)
        return rc;
    if (left.kind != CEDAR_ENTITY)
        return type_fault(eval, node->children[0], CEDAR_ENTITY, &left);
    out->kind = CEDAR_BOOL;
    return is_in_value(eval, node->children[1], left.uid, &right, &out->boolean);
}

/* is T; is T in e evaluates e only for entities of type T. */
static int eval_is(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    struct cedar_value left;
    struct cedar_value right;
    int rc = eval_kind(eval, node->children[0], CEDAR_ENTITY, &left);
    if (rc < 0)
        return rc;
    bool is = cedar_text_equal(left.uid->type, node->names[0]);
    if (is && node->count > 1) {
        rc = cedar_eval_node(eval, node->children[1], &right);
        if (rc == 0)
            rc = is_in_value(eval, node->children[1], left.uid, &right, &is);
    }
    *out = (struct cedar_value){.kind = CEDAR_BOOL, .boolean = is};
    return rc;
}

static int eval_sets(struct cedar_eval *eval, const struct cedar_node *node,
                     struct cedar_value *out)
{
    struct cedar_value left;
    struct cedar_value right;
    int rc = cedar_eval_node(eval, node->children[0], &left);
    if (rc == 0 && node->count > 1)
        rc = cedar_eval_node(eval, node->children[1], &right);
    if (rc < 0)
        return rc;
    if (left.kind != CEDAR_SET)
        return type_fault(eval, node->children[0], CEDAR_SET, &left);
    out->kind = CEDAR_BOOL;
    if (node->op == CEDAR_OP_IS_EMPTY) {
        out->boolean = left.set->count == 0;
        return 0;
    }
    if (node->op == CEDAR_OP_CONTAINS) {
        out->boolean = cedar_set_contains(left.set, &right, &eval->steps);
        return eval->steps ? 0 : out_of_steps();
    }
    if (right.kind != CEDAR_SET)
        return type_fault(eval, node->children[1], CEDAR_SET, &right);
    bool all = node->op == CEDAR_OP_CONTAINS_ALL;
    bool result = all;
    for (uint32_t i = 0; i < right.set->count && result == all && eval->steps; i++)
        result = cedar_set_contains(left.set, &right.set->items[i], &eval->steps);
    out->boolean = result;
    return eval->steps ? 0 : out_of_steps();
}

static int eval_tag(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    struct cedar_value left;
    struct cedar_value right;
    int rc = eval_kind(eval, node->children[0], CEDAR_ENTITY, &left);
    if (rc == 0)
        rc = eval_kind(eval, node->children[1], CEDAR_STRING, &right);
    if (rc < 0)
        return rc;
    const struct cedar_entity *entity = entity_of(eval, left.uid);
    const struct cedar_value *found = entity ? cedar_record_find(entity->tags, right.text) : NULL;
    if (node->op == CEDAR_OP_HAS_TAG) {
        *out = (struct cedar_value){.kind = CEDAR_BOOL, .boolean = found != NULL};
        return 0;
    }
    if (!found)
        return fault(eval, node, entity ? CEDAR_FAULT_TAG : CEDAR_FAULT_ENTITY, NULL);
    *out = *found;
    return 0;
}

/* The attribute of a record or entity. *out is NULL when there is none. */
static int find_attribute(struct cedar_eval *eval, const struct cedar_node *node,
                          const struct cedar_value *base, const struct cedar_text *name,
                          const struct cedar_value **out, bool *known)
{
    *out = NULL;
    *known = true;
    if (base->kind == CEDAR_RECORD) {
        *out = cedar_record_find(base->record, name);
        return 0;
    }
    if (base->kind != CEDAR_ENTITY)
        return type_fault(eval, node, CEDAR_RECORD, base);
    const struct cedar_entity *entity = entity_of(eval, base->uid);
    *known = entity != NULL;
    if (entity)
        *out = cedar_record_find(entity->attrs, name);
    return 0;
}

static int eval_get(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    struct cedar_value base;
    const struct cedar_value *found = NULL;
    bool known = false;
    int rc = cedar_eval_node(eval, node->children[0], &base);
    if (rc == 0)
        rc = find_attribute(eval, node->children[0], &base, node->names[0], &found, &known);
    if (rc < 0)
        return rc;
    if (!found)
        return fault(eval, node, known ? CEDAR_FAULT_ATTRIBUTE : CEDAR_FAULT_ENTITY,
                     node->names[0]->data);
    *out = *found;
    return 0;
}

static int eval_has(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    struct cedar_value base;
    const struct cedar_value *found = &base;
    bool known;
    int rc = cedar_eval_node(eval, node->children[0], &base);
    for (uint32_t i = 0; rc == 0 && found && i < node->name_count; i++)
        rc = find_attribute(eval, node->children[0], found, node->names[i], &found, &known);
    *out = (struct cedar_value){.kind = CEDAR_BOOL, .boolean = rc == 0 && found};
    return rc;
}

static int eval_like(struct cedar_eval *eval, const struct cedar_node *node,
                     struct cedar_value *out)
{
    struct cedar_value value;
    int rc = eval_kind(eval, node->children[0], CEDAR_STRING, &value);
    if (rc < 0)
        return rc;
    uint64_t cost = value.text->len / 16 + node->name_count;
    if (eval->steps <= cost)
        return out_of_steps();
    eval->steps -= cost;
    *out = (struct cedar_value){
        .kind = CEDAR_BOOL, .boolean = cedar_text_like(value.text, node->names, node->name_count)};
    return 0;
}

static int eval_set(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    struct cedar_value *items = cedar_arena_array(eval->scratch, node->count, sizeof(*items));
    if (!items)
        return out_of_memory(eval);
    for (uint32_t i = 0; i < node->count; i++) {
        int rc = cedar_eval_node(eval, node->children[i], &items[i]);
        if (rc < 0)
            return rc;
    }
    out->kind = CEDAR_SET;
    out->set = cedar_set_make(eval->scratch, items, node->count, &eval->steps);
    if (!eval->steps)
        return out_of_steps();
    return out->set ? 0 : out_of_memory(eval);
}

static int eval_record(struct cedar_eval *eval, const struct cedar_node *node,
                       struct cedar_value *out)
{
    struct cedar_member *members = cedar_arena_array(eval->scratch, node->count, sizeof(*members));
    if (!members)
        return out_of_memory(eval);
    for (uint32_t i = 0; i < node->count; i++) {
        members[i].key = node->names[i];
        int rc = cedar_eval_node(eval, node->children[i], &members[i].value);
        if (rc < 0)
            return rc;
    }
    out->kind = CEDAR_RECORD;
    if (cedar_record_make(eval->scratch, members, node->count, &out->record) < 0)
        return out_of_memory(eval);
    return 0;
}

static int eval_call(struct cedar_eval *eval, const struct cedar_node *node,
                     struct cedar_value *out)
{
    enum cedar_function function = (enum cedar_function)node->which;
    const char *name = cedar_extension_name(function);
    unsigned arity = cedar_extension_arity(function);
    struct cedar_value args[2];
    struct cedar_value spare;
    for (uint32_t i = 0; i < node->count; i++) {
        int rc = cedar_eval_node(eval, node->children[i], i < 2 ? &args[i] : &spare);
        if (rc < 0)
            return rc;
    }
    if (node->count != arity)
        return fault(eval, node, CEDAR_FAULT_ARITY, name);
    for (unsigned i = 0; i < arity; i++)
        if (args[i].kind != cedar_extension_takes(function, i))
            return type_fault(eval, node->children[i], cedar_extension_takes(function, i),
                              &args[i]);
    int rc = cedar_extension_call(function, args, eval->scratch, out);
    if (rc == SR_ERR_INVALID)
        return fault(eval, node, CEDAR_FAULT_EXTENSION, name);
    return rc < 0 ? out_of_memory(eval) : 0;
}

static int eval_if(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    bool test;
    int rc = cedar_eval_bool(eval, node->children[0], &test);
    return rc < 0 ? rc : cedar_eval_node(eval, node->children[test ? 1 : 2], out);
}

static int eval_not(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    bool value;
    int rc = cedar_eval_bool(eval, node->children[0], &value);
    *out = (struct cedar_value){.kind = CEDAR_BOOL, .boolean = !value};
    return rc;
}

/* What runs each operation; what is missing is a constant. */
static int (*const operations[])(struct cedar_eval *, const struct cedar_node *,
                                 struct cedar_value *) = {
    [CEDAR_OP_IF] = eval_if,
    [CEDAR_OP_AND] = eval_chain,
    [CEDAR_OP_OR] = eval_chain,
    [CEDAR_OP_NOT] = eval_not,
    [CEDAR_OP_NEGATE] = eval_arithmetic,
    [CEDAR_OP_EQUAL] = eval_equal,
    [CEDAR_OP_NOT_EQUAL] = eval_equal,
    [CEDAR_OP_LESS] = eval_order,
    [CEDAR_OP_LESS_EQUAL] = eval_order,
    [CEDAR_OP_GREATER] = eval_order,
    [CEDAR_OP_GREATER_EQUAL] = eval_order,
    [CEDAR_OP_IN] = eval_in,
    [CEDAR_OP_ADD] = eval_arithmetic,
    [CEDAR_OP_SUBTRACT] = eval_arithmetic,
    [CEDAR_OP_MULTIPLY] = eval_arithmetic,
    [CEDAR_OP_CONTAINS] = eval_sets,
    [CEDAR_OP_CONTAINS_ALL] = eval_sets,
    [CEDAR_OP_CONTAINS_ANY] = eval_sets,
    [CEDAR_OP_IS_EMPTY] = eval_sets,
    [CEDAR_OP_GET_TAG] = eval_tag,
    [CEDAR_OP_HAS_TAG] = eval_tag,
    [CEDAR_OP_GET] = eval_get,
    [CEDAR_OP_HAS] = eval_has,
    [CEDAR_OP_LIKE] = eval_like,
    [CEDAR_OP_IS] = eval_is,
    [CEDAR_OP_SET] = eval_set,
    [CEDAR_OP_RECORD] = eval_record,
    [CEDAR_OP_CALL] = eval_call,
};

int cedar_eval_node(struct cedar_eval *eval, const struct cedar_node *node, struct cedar_value *out)
{
    if (eval->steps <= 1)
        return out_of_steps();
    eval->steps--;
    if (node->constant) {
        *out = *node->constant;
        return 0;
    }
    if (node->op == CEDAR_OP_VARIABLE)
        return eval_variable(eval, node, out);
    return operations[node->op](eval, node, out);
}
