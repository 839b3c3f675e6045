/* The evaluator of expressions. Used by cedar.c. */
#ifndef SR_POLICY_CEDAR_EVAL_H
#define SR_POLICY_CEDAR_EVAL_H

#include "policy/cedar_ast.h"

struct cedar_eval {
    const struct cedar_request *request;
    struct cedar_arena *scratch;
    /* What is known of the request's three, looked up once; NULL: not known. */
    const struct cedar_entity *principal;
    const struct cedar_entity *action;
    const struct cedar_entity *resource;
    uint64_t steps; /* left */
    struct cedar_fault fault;
};

/* The entity of that name among the request's own and the store's; NULL when there is none. */
const struct cedar_entity *cedar_eval_entity(const struct cedar_eval *eval,
                                             const struct cedar_uid *uid);
/* Whether the entity is ancestor, or below it. entity may be NULL: uid alone counts then. */
bool cedar_eval_is_in(const struct cedar_uid *uid, const struct cedar_entity *entity,
                      const struct cedar_uid *ancestor);

/* Evaluates. SR_ERR_INVALID (no sentence): this policy faults, eval->fault says why;
 * SR_ERR_TOO_LARGE (sentence saved): steps or memory ran out, the decision fails. */
int cedar_eval_node(struct cedar_eval *eval, const struct cedar_node *node,
                    struct cedar_value *out);
/* As cedar_eval_node for a condition: anything but a bool is a fault. */
int cedar_eval_bool(struct cedar_eval *eval, const struct cedar_node *node, bool *out);

#endif
