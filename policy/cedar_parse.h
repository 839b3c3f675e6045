/* The parser: policies, scopes and annotations in cedar_parse.c, expressions in cedar_parse_expr.c.
 * Recursion is bounded by CEDAR_DEPTH_MAX; chains of one operator are no recursion. */
#ifndef SR_POLICY_CEDAR_PARSE_H
#define SR_POLICY_CEDAR_PARSE_H

#include "policy/cedar_ast.h"
#include "policy/cedar_lex.h"

struct cedar_parse {
    struct cedar_lex lex;
    struct cedar_token token; /* the one looked at */
    struct cedar_arena *arena;
    const char *what; /* the arena is for: the subject of a sentence */
    struct cedar_error *error;
    unsigned depth;
};

/* All functions here return 0, SR_ERR_INVALID (*error is set, no sentence), or SR_ERR_TOO_LARGE and
 * SR_ERR_NO_MEMORY (sentence saved). */

/* Reads the next token. */
int cedar_parse_advance(struct cedar_parse *parse);
/* Whether the token looked at is this punctuation. */
bool cedar_parse_at_sign(const struct cedar_parse *parse, const char *sign);
/* Reads it, or fails. */
int cedar_parse_expect_sign(struct cedar_parse *parse, const char *sign);
/* Reads it, if it is there. 1: it was; 0: it was not. */
int cedar_parse_accept_sign(struct cedar_parse *parse, const char *sign);
/* SR_ERR_INVALID at the token looked at, or at another. */
int cedar_parse_refuse(struct cedar_parse *parse, const char *expected);
int cedar_parse_refuse_at(struct cedar_parse *parse, const struct cedar_token *token,
                          const char *expected);
/* The error for an arena that is full. */
int cedar_parse_memory(struct cedar_parse *parse);
/* An attribute's name: no reserved word. */
int cedar_parse_field(struct cedar_parse *parse, const struct cedar_text **out);
/* A string, unescaped. */
int cedar_parse_string(struct cedar_parse *parse, const struct cedar_text **out);
/* A name such as A::B, none of it reserved. */
int cedar_parse_type(struct cedar_parse *parse, const struct cedar_text **out);
/* A::B::"id", or A::B, which leaves *out NULL. *type is the name without white space. */
int cedar_parse_name_or_uid(struct cedar_parse *parse, const struct cedar_text **type,
                            const struct cedar_uid **out);

int cedar_parse_expression(struct cedar_parse *parse, const struct cedar_node **out);
/* The next policy of the text. */
int cedar_parse_policy(struct cedar_parse *parse, struct cedar_policy *out);

#endif
