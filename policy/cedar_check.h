/* What the files of the policy check share: cedar_check.c walks policies and environments,
 * cedar_check_expr.c finds the types of expressions, cedar_check_entity.c of those that concern
 * entities, cedar_check_fact.c keeps what tests have shown, cedar_check_problem.c what is wrong. */
#ifndef SR_POLICY_CEDAR_CHECK_H
#define SR_POLICY_CEDAR_CHECK_H

#include "policy/cedar_ast.h"
#include "policy/cedar_schema_ast.h"

/* What tests have shown: base has an attribute, or the tag that key names. A list is never changed;
 * one that is longer ends in the one that it extends. */
struct cedar_fact {
    const struct cedar_fact *next;
    const struct cedar_node *base;
    const struct cedar_text *const
        *names; /* a path: the last is there if those before are; NULL: */
    uint32_t count;
    const struct cedar_node *key; /* of a tag */
};

enum cedar_truth {
    CEDAR_MAYBE,
    CEDAR_NEVER,  /* the bool is false in this environment, whatever the request */
    CEDAR_ALWAYS, /* it is true */
};

/* What is known of an expression in one environment. */
struct cedar_typed {
    const struct cedar_type *type; /* NULL: wrong, and reported */
    enum cedar_truth truth;        /* of a bool */
    const struct cedar_fact *when_true;
    const struct cedar_fact *when_false;
};

/* Something wrong with a policy. A doubt is about one place: it counts unless in some environment
 * the place is right. */
struct cedar_found {
    struct cedar_found *next;
    const struct cedar_node *node; /* of a doubt; NULL otherwise */
    uint32_t detail;
    bool cleared;
    uint32_t line;
    uint32_t column;
    const char *what; /* NULL: nothing wrong was seen yet */
    const char *suggestion;
};

struct cedar_check {
    const struct cedar_schema *schema;
    const struct cedar_policy *policy;
    const struct cedar_environment *environment;
    struct cedar_arena arena; /* of one policy */
    uint64_t steps;           /* left, for the whole set */
    struct cedar_found *found;
    uint32_t found_count;
    uint32_t problem_count; /* those that are no doubts */
};

/* All functions that return int: 0, or SR_ERR_TOO_LARGE with its sentence: steps or memory ran out. */

/* Takes steps; fails when none are left. */
int cedar_check_spend(struct cedar_check *check, uint64_t steps);
int cedar_check_memory(const struct cedar_check *check);

/* Something wrong at a place. suggestion may be NULL or empty. The same twice counts once. */
int cedar_check_problem(struct cedar_check *check, uint32_t line, uint32_t column,
                        const char *suggestion, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* Something that is wrong unless another environment clears it. detail tells apart what is of one
 * node. */
int cedar_check_doubt(struct cedar_check *check, const struct cedar_node *node, uint32_t detail,
                      const char *suggestion, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
int cedar_check_clear(struct cedar_check *check, const struct cedar_node *node, uint32_t detail);

/* Adds a fact before facts. */
int cedar_check_learn(struct cedar_check *check, struct cedar_fact fact,
                      const struct cedar_fact *facts, const struct cedar_fact **out);
/* Whether facts hold that the attribute which node (a get) reads is there, or the tag (a getTag). */
int cedar_check_known(struct cedar_check *check, const struct cedar_fact *facts,
                      const struct cedar_node *node, bool *out);
/* The facts that both lists have; both extend base. */
int cedar_check_common(struct cedar_check *check, const struct cedar_fact *a,
                       const struct cedar_fact *b, const struct cedar_fact *base,
                       const struct cedar_fact **out);

/* The type of an expression where facts hold. */
int cedar_check_node(struct cedar_check *check, const struct cedar_node *node,
                     const struct cedar_fact *facts, struct cedar_typed *out);
/* As cedar_check_node, and reports what is not of the kind; out->type is NULL then. */
int cedar_check_kind(struct cedar_check *check, const struct cedar_node *node,
                     const struct cedar_fact *facts, enum cedar_kind kind, struct cedar_typed *out);
/* Those of cedar_check_entity.c: the node is ==, !=, in, is; a get, has, getTag or hasTag. */
int cedar_check_in(struct cedar_check *check, const struct cedar_node *node,
                   const struct cedar_fact *facts, struct cedar_typed *out);
int cedar_check_is(struct cedar_check *check, const struct cedar_node *node,
                   const struct cedar_fact *facts, struct cedar_typed *out);
int cedar_check_get(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_fact *facts, struct cedar_typed *out);
int cedar_check_has(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_fact *facts, struct cedar_typed *out);
int cedar_check_tag(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_fact *facts, struct cedar_typed *out);

#endif
