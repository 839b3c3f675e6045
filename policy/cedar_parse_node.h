/* What the two halves of the expression parser share. Errors as in cedar_parse.h. */
#ifndef SR_POLICY_CEDAR_PARSE_NODE_H
#define SR_POLICY_CEDAR_PARSE_NODE_H

#include "policy/cedar_parse.h"

struct cedar_node_list { /* zero-initialise; lives in the arena */
    const struct cedar_node **items;
    uint32_t count;
    uint32_t capacity;
};

/* NULL when memory is short; cedar_parse_finish takes that. */
struct cedar_node *cedar_parse_node(struct cedar_parse *parse, enum cedar_op op,
                                    const struct cedar_token *at);
int cedar_parse_list_add(struct cedar_parse *parse, struct cedar_node_list *list,
                         const struct cedar_node *node);
/* Gives the node its children, checks the depth, and works out what is constant. */
int cedar_parse_finish(struct cedar_parse *parse, struct cedar_node *node,
                       const struct cedar_node_list *list, const struct cedar_token *at,
                       const struct cedar_node **out);
/* A whole node of one child or (right not NULL) two. out may be where left came from. */
int cedar_parse_make(struct cedar_parse *parse, enum cedar_op op, const struct cedar_token *at,
                     const struct cedar_node *left, const struct cedar_node *right,
                     const struct cedar_node **out);
int cedar_parse_literal(struct cedar_parse *parse, const struct cedar_token *at,
                        struct cedar_value value, const struct cedar_node **out);
/* The node's only name; node may be NULL. */
int cedar_parse_set_name(struct cedar_parse *parse, struct cedar_node *node,
                         const struct cedar_text *name);
int cedar_parse_too_deep(const struct cedar_token *at);

/* The value of a number token; -2^63 only where negative says that a minus stands before it. */
int cedar_parse_number(struct cedar_parse *parse, bool negative, const struct cedar_node **out);
int cedar_parse_primary(struct cedar_parse *parse, const struct cedar_node **out);
/* What follows a primary, which is *out: .name, .name(…), ["name"]. */
int cedar_parse_access(struct cedar_parse *parse, const struct cedar_node **out);

#endif
