/* Expressions, in Cedar's precedence: if, ||, &&, one relation, + -, *, ! -. */
#include <string.h>

#include "base/error.h"
#include "policy/cedar_parse.h"
#include "policy/cedar_parse_node.h"

#define UNARY_MAX 4 /* of one sign in a row, as in Cedar */

/* Up to four ! or up to four -, never mixed. A minus before a bare number belongs to the number. */
static int parse_unary(struct cedar_parse *parse, const struct cedar_node **out)
{
    struct cedar_token signs[UNARY_MAX];
    unsigned count = 0;
    int rc = 0;
    bool minus = cedar_parse_at_sign(parse, "-");
    while (rc == 0 && cedar_parse_at_sign(parse, minus ? "-" : "!")) {
        if (count == UNARY_MAX)
            return cedar_parse_refuse(parse, "at most four of this sign in a row");
        signs[count++] = parse->token;
        rc = cedar_parse_advance(parse);
    }
    if (rc < 0)
        return rc;
    if (minus && parse->token.kind == CEDAR_TOKEN_NUMBER) {
        struct cedar_parse ahead = *parse;
        rc = cedar_parse_advance(&ahead);
        bool bare =
            rc < 0 || !(cedar_parse_at_sign(&ahead, ".") || cedar_parse_at_sign(&ahead, "["));
        rc = cedar_parse_number(parse, bare, out);
        count -= bare;
    } else {
        rc = cedar_parse_primary(parse, out);
    }
    if (rc == 0)
        rc = cedar_parse_access(parse, out);
    while (rc == 0 && count-- > 0)
        rc = cedar_parse_make(parse, minus ? CEDAR_OP_NEGATE : CEDAR_OP_NOT, &signs[count], *out,
                              NULL, out);
    return rc;
}

static int parse_product(struct cedar_parse *parse, const struct cedar_node **out)
{
    int rc = parse_unary(parse, out);
    while (rc == 0) {
        struct cedar_token at = parse->token;
        const struct cedar_node *right;
        if (cedar_parse_at_sign(parse, "/") || cedar_parse_at_sign(parse, "%"))
            return cedar_parse_refuse(parse, "`*`, `+` or `-`: Cedar does not divide");
        if (!cedar_parse_at_sign(parse, "*"))
            return 0;
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = parse_unary(parse, &right);
        if (rc == 0)
            rc = cedar_parse_make(parse, CEDAR_OP_MULTIPLY, &at, *out, right, out);
    }
    return rc;
}

static int parse_sum(struct cedar_parse *parse, const struct cedar_node **out)
{
    int rc = parse_product(parse, out);
    while (rc == 0) {
        struct cedar_token at = parse->token;
        const struct cedar_node *right;
        bool plus = cedar_parse_at_sign(parse, "+");
        if (!plus && !cedar_parse_at_sign(parse, "-"))
            return 0;
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = parse_product(parse, &right);
        if (rc == 0)
            rc = cedar_parse_make(parse, plus ? CEDAR_OP_ADD : CEDAR_OP_SUBTRACT, &at, *out, right,
                                  out);
    }
    return rc;
}

/* has "key", has a.b.c */
static int parse_has(struct cedar_parse *parse, const struct cedar_token *at,
                     const struct cedar_node **out)
{
    struct cedar_node_list list = {0};
    const struct cedar_text *path[CEDAR_PATH_MAX];
    uint32_t count = 0;
    int rc = cedar_parse_list_add(parse, &list, *out);
    if (rc == 0 && parse->token.kind == CEDAR_TOKEN_STRING) {
        rc = cedar_parse_string(parse, &path[count++]);
    } else if (rc == 0) {
        do {
            if (count == CEDAR_PATH_MAX)
                return cedar_parse_too_deep(&parse->token);
            rc = cedar_parse_field(parse, &path[count++]);
            if (rc == 0)
                rc = cedar_parse_accept_sign(parse, ".");
        } while (rc > 0);
    }
    if (rc < 0)
        return rc;
    struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_HAS, at);
    const struct cedar_text **names = cedar_arena_array(parse->arena, count, sizeof(const void *));
    if (!node || !names)
        return cedar_parse_memory(parse);
    memcpy(names, path, count * sizeof(const void *));
    node->names = names;
    node->name_count = count;
    return cedar_parse_finish(parse, node, &list, at, out);
}

static int parse_like(struct cedar_parse *parse, const struct cedar_token *at,
                      const struct cedar_node **out)
{
    struct cedar_node_list list = {0};
    struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_LIKE, at);
    if (parse->token.kind != CEDAR_TOKEN_STRING)
        return cedar_parse_refuse(parse, "a pattern in quotes");
    if (!node)
        return cedar_parse_memory(parse);
    int rc = cedar_lex_pattern(&parse->token, parse->arena, parse->error, &node->names,
                               &node->name_count);
    if (rc == SR_ERR_TOO_LARGE)
        return cedar_parse_memory(parse);
    if (rc == 0)
        rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = cedar_parse_list_add(parse, &list, *out);
    return rc < 0 ? rc : cedar_parse_finish(parse, node, &list, at, out);
}

/* is Type, is Type in entity */
static int parse_is(struct cedar_parse *parse, const struct cedar_token *at,
                    const struct cedar_node **out)
{
    struct cedar_node_list list = {0};
    struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_IS, at);
    const struct cedar_text *type;
    const struct cedar_node *in;
    int rc = cedar_parse_type(parse, &type);
    if (rc == 0)
        rc = cedar_parse_set_name(parse, node, type);
    if (rc == 0)
        rc = cedar_parse_list_add(parse, &list, *out);
    if (rc == 0 && parse->token.word == CEDAR_WORD_IN) {
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = parse_sum(parse, &in);
        if (rc == 0)
            rc = cedar_parse_list_add(parse, &list, in);
    }
    return rc < 0 ? rc : cedar_parse_finish(parse, node, &list, at, out);
}

/* The operator of a relation at the token, or -1. */
static int relation_at(const struct cedar_parse *parse)
{
    static const struct {
        const char *sign;
        enum cedar_op op;
    } signs[] = {
        {"==", CEDAR_OP_EQUAL},      {"!=", CEDAR_OP_NOT_EQUAL}, {"<", CEDAR_OP_LESS},
        {"<=", CEDAR_OP_LESS_EQUAL}, {">", CEDAR_OP_GREATER},    {">=", CEDAR_OP_GREATER_EQUAL},
    };
    switch (parse->token.word) {
    case CEDAR_WORD_IN:
        return CEDAR_OP_IN;
    case CEDAR_WORD_HAS:
        return CEDAR_OP_HAS;
    case CEDAR_WORD_LIKE:
        return CEDAR_OP_LIKE;
    case CEDAR_WORD_IS:
        return CEDAR_OP_IS;
    default:
        break;
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
        if (cedar_parse_at_sign(parse, signs[i].sign))
            return (int)signs[i].op;
    return -1;
}

static int parse_relation(struct cedar_parse *parse, const struct cedar_node **out)
{
    const struct cedar_node *right;
    int rc = parse_sum(parse, out);
    if (rc < 0)
        return rc;
    struct cedar_token at = parse->token;
    int op = relation_at(parse);
    if (op < 0)
        return cedar_parse_at_sign(parse, "=") ? cedar_parse_refuse(parse, "`==`") : 0;
    rc = cedar_parse_advance(parse);
    if (rc < 0)
        return rc;
    if (op == CEDAR_OP_HAS)
        rc = parse_has(parse, &at, out);
    else if (op == CEDAR_OP_LIKE)
        rc = parse_like(parse, &at, out);
    else if (op == CEDAR_OP_IS)
        rc = parse_is(parse, &at, out);
    else if ((rc = parse_sum(parse, &right)) == 0)
        rc = cedar_parse_make(parse, (enum cedar_op)op, &at, *out, right, out);
    if (rc == 0 && relation_at(parse) >= 0)
        return cedar_parse_refuse(parse, "parentheses: relations do not chain");
    return rc;
}

static int parse_chain(struct cedar_parse *parse, enum cedar_op op, const struct cedar_node **out)
{
    const char *sign = op == CEDAR_OP_OR ? "||" : "&&";
    struct cedar_node_list list = {0};
    struct cedar_token first = parse->token;
    int rc;
    *out = NULL;
    do {
        const struct cedar_node *item;
        rc = op == CEDAR_OP_OR ? parse_chain(parse, CEDAR_OP_AND, &item)
                               : parse_relation(parse, &item);
        if (rc == 0)
            rc = cedar_parse_list_add(parse, &list, item);
        if (rc == 0)
            rc = cedar_parse_accept_sign(parse, sign);
    } while (rc > 0);
    if (rc < 0)
        return rc;
    if (list.count == 1) {
        *out = list.items[0];
        return 0;
    }
    return cedar_parse_finish(parse, cedar_parse_node(parse, op, &first), &list, &first, out);
}

static int parse_if(struct cedar_parse *parse, const struct cedar_node **out)
{
    struct cedar_token at = parse->token;
    struct cedar_node_list list = {0};
    const struct cedar_node *part;
    static const struct {
        enum cedar_word word;
        const char *expected;
    } words[] = {{CEDAR_WORD_IF, "`if`"}, {CEDAR_WORD_THEN, "`then`"}, {CEDAR_WORD_ELSE, "`else`"}};
    for (int i = 0; i < 3; i++) {
        if (parse->token.word != words[i].word)
            return cedar_parse_refuse(parse, words[i].expected);
        int rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = cedar_parse_expression(parse, &part);
        if (rc == 0)
            rc = cedar_parse_list_add(parse, &list, part);
        if (rc < 0)
            return rc;
    }
    return cedar_parse_finish(parse, cedar_parse_node(parse, CEDAR_OP_IF, &at), &list, &at, out);
}

int cedar_parse_expression(struct cedar_parse *parse, const struct cedar_node **out)
{
    *out = NULL;
    if (parse->depth >= CEDAR_DEPTH_MAX)
        return cedar_parse_too_deep(&parse->token);
    parse->depth++;
    int rc = parse->token.word == CEDAR_WORD_IF ? parse_if(parse, out)
                                                : parse_chain(parse, CEDAR_OP_OR, out);
    parse->depth--;
    return rc;
}
