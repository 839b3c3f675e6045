/* Words of a policy text, with their places; escapes in strings and patterns. Used by the parser. */
#ifndef SR_POLICY_CEDAR_LEX_H
#define SR_POLICY_CEDAR_LEX_H

#include <stdint.h>

#include "policy/cedar.h"
#include "policy/cedar_value.h"

enum cedar_token_kind {
    CEDAR_TOKEN_END,
    CEDAR_TOKEN_NAME,   /* identifier or reserved word */
    CEDAR_TOKEN_NUMBER, /* digits */
    CEDAR_TOKEN_STRING, /* text holds what is between the quotes, escapes and all */
    CEDAR_TOKEN_SLOT,   /* ?name */
    CEDAR_TOKEN_SIGN,   /* punctuation of one or two characters */
};

/* The identifiers that mean something; a plain one is CEDAR_WORD_NONE. Up to CEDAR_WORD_RESERVED
 * they cannot name an attribute, type or function. */
enum cedar_word {
    CEDAR_WORD_NONE,
    CEDAR_WORD_TRUE,
    CEDAR_WORD_FALSE,
    CEDAR_WORD_IF,
    CEDAR_WORD_THEN,
    CEDAR_WORD_ELSE,
    CEDAR_WORD_IN,
    CEDAR_WORD_IS,
    CEDAR_WORD_HAS,
    CEDAR_WORD_LIKE,
    CEDAR_WORD_CEDAR, /* __cedar */
    CEDAR_WORD_RESERVED = CEDAR_WORD_CEDAR,
    CEDAR_WORD_PERMIT,
    CEDAR_WORD_FORBID,
    CEDAR_WORD_WHEN,
    CEDAR_WORD_UNLESS,
    CEDAR_WORD_PRINCIPAL,
    CEDAR_WORD_ACTION,
    CEDAR_WORD_RESOURCE,
    CEDAR_WORD_CONTEXT,
};

struct cedar_token {
    enum cedar_token_kind kind;
    enum cedar_word word;
    const char *text; /* within the source */
    size_t len;
    uint32_t line; /* from 1 */
    uint32_t column;
};

struct cedar_lex {
    const char *at;
    const char *end;
    uint32_t line;
    uint32_t column; /* in characters, from 1 */
    struct cedar_error *error;
    bool schema; /* `?` alone is a sign too */
};

/* source must be UTF-8 and outlive the lexer. error takes the place of what is wrong. */
void cedar_lex_open(struct cedar_lex *lex, const char *source, size_t len,
                    struct cedar_error *error);
/* SR_ERR_INVALID: a character that begins nothing, or a string without end; *error is set. */
int cedar_lex_next(struct cedar_lex *lex, struct cedar_token *out);
enum cedar_word cedar_lex_word(const char *text, size_t len);
/* Whether text is a name as Cedar writes it: identifiers joined by "::", no white space, none of
 * them reserved. */
bool cedar_lex_is_name(const char *text, size_t len);
/* Whether the last part of a type's name is Action. */
bool cedar_lex_is_action(const struct cedar_text *type);

/* The content of a string token. SR_ERR_INVALID: bad escape; SR_ERR_TOO_LARGE: arena full. */
int cedar_lex_string(const struct cedar_token *token, struct cedar_arena *arena,
                     struct cedar_error *error, const struct cedar_text **out);
/* The pieces of a pattern between its stars: *count - 1 stars. Same errors. */
int cedar_lex_pattern(const struct cedar_token *token, struct cedar_arena *arena,
                      struct cedar_error *error, const struct cedar_text *const **out,
                      uint32_t *count);

#endif
