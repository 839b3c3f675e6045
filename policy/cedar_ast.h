/* A policy in memory: what the parser makes, the evaluator runs, and a validator may walk. Nothing of
 * it changes after the file is read. Every node keeps its place in the source. */
#ifndef SR_POLICY_CEDAR_AST_H
#define SR_POLICY_CEDAR_AST_H

#include "policy/cedar.h"
#include "policy/cedar_extension.h"
#include "policy/cedar_value.h"

enum cedar_op {
    CEDAR_OP_LITERAL, /* constant */
    CEDAR_OP_VARIABLE,
    CEDAR_OP_IF,  /* three children */
    CEDAR_OP_AND, /* two or more */
    CEDAR_OP_OR,  /* two or more */
    CEDAR_OP_NOT,
    CEDAR_OP_NEGATE,
    CEDAR_OP_EQUAL,
    CEDAR_OP_NOT_EQUAL,
    CEDAR_OP_LESS,
    CEDAR_OP_LESS_EQUAL,
    CEDAR_OP_GREATER,
    CEDAR_OP_GREATER_EQUAL,
    CEDAR_OP_IN,
    CEDAR_OP_ADD,
    CEDAR_OP_SUBTRACT,
    CEDAR_OP_MULTIPLY,
    CEDAR_OP_CONTAINS,
    CEDAR_OP_CONTAINS_ALL,
    CEDAR_OP_CONTAINS_ANY,
    CEDAR_OP_IS_EMPTY,
    CEDAR_OP_GET_TAG,
    CEDAR_OP_HAS_TAG,
    CEDAR_OP_GET,    /* names[0] */
    CEDAR_OP_HAS,    /* names: the path */
    CEDAR_OP_LIKE,   /* names: the pieces between the stars */
    CEDAR_OP_IS,     /* names[0]: the type; a second child: `in` it */
    CEDAR_OP_SET,    /* any number of children */
    CEDAR_OP_RECORD, /* names[i] is the key of children[i], in the order of cedar_text_compare */
    CEDAR_OP_CALL,   /* function; any number of children, not yet counted */
};

enum cedar_variable {
    CEDAR_PRINCIPAL,
    CEDAR_ACTION,
    CEDAR_RESOURCE,
    CEDAR_CONTEXT,
};

struct cedar_node {
    uint8_t op;     /* enum cedar_op */
    uint8_t which;  /* enum cedar_variable or cedar_function */
    uint16_t depth; /* 1 for a leaf; never above CEDAR_DEPTH_MAX */
    uint32_t count; /* of children */
    uint32_t name_count;
    uint32_t line;
    uint32_t column;
    /* The value, where it is known before any request: literals, and sets, records and constructors
     * of such. NULL otherwise. */
    const struct cedar_value *constant;
    const struct cedar_node *const *children;
    const struct cedar_text *const *names;
};

enum cedar_scope_kind {
    CEDAR_SCOPE_ANY,
    CEDAR_SCOPE_EQUAL,
    CEDAR_SCOPE_IN, /* any of uids */
    CEDAR_SCOPE_IS,
    CEDAR_SCOPE_IS_IN,
};

struct cedar_place {
    uint32_t line;
    uint32_t column;
};

struct cedar_scope {
    enum cedar_scope_kind kind;
    bool slot; /* of a template: there is no uid */
    uint32_t count;
    uint32_t line;
    uint32_t column;
    const struct cedar_text *type;
    struct cedar_place type_place;
    const struct cedar_uid *const *uids;
    const struct cedar_place *places; /* of each of uids */
    uint64_t mask;                    /* cedar_scope_bit of each of uids */
};

/* A uid whose bit is not in the mask is none of the scope's. */
static inline uint64_t cedar_scope_bit(const struct cedar_uid *uid)
{
    return UINT64_C(1) << (uid->hash >> 58);
}

struct cedar_condition {
    bool unless;
    const struct cedar_node *node;
};

struct cedar_annotation {
    const struct cedar_text *name;
    const struct cedar_text *text; /* "" for a bare one */
};

struct cedar_policy {
    bool forbid;
    bool template;
    uint32_t line;
    uint32_t column;
    const struct cedar_text *file;
    struct cedar_scope principal;
    struct cedar_scope action;
    struct cedar_scope resource;
    const struct cedar_condition *conditions;
    uint32_t condition_count;
    uint32_t annotation_count;
    const struct cedar_annotation *annotations;
};

struct cedar_policies {
    struct cedar_arena arena; /* everything that policies point to */
    struct cedar_policy *policies;
    size_t count;
    size_t capacity;
};

#endif
