/* What an expression begins with (literals, variables, entities, constructors, sets, records, and
 * parentheses), and what follows it with a dot or in brackets. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_parse.h"
#include "policy/cedar_parse_node.h"

/* An attribute's or method's name after a dot. The word is not reserved. */
int cedar_parse_field(struct cedar_parse *parse, const struct cedar_text **out)
{
    *out = NULL;
    if (parse->token.kind != CEDAR_TOKEN_NAME)
        return cedar_parse_refuse(parse, "a name");
    if (parse->token.word && parse->token.word <= CEDAR_WORD_RESERVED)
        return cedar_parse_refuse(parse, "a name that is no reserved word (or [\"…\"])");
    *out = cedar_text_make(parse->arena, parse->token.text, parse->token.len);
    return *out ? cedar_parse_advance(parse) : cedar_parse_memory(parse);
}

/* Expressions between commas up to the closing sign, which is read too. */
static int parse_list(struct cedar_parse *parse, const char *close, struct cedar_node_list *list)
{
    int rc = 0;
    while (rc == 0 && !cedar_parse_at_sign(parse, close)) {
        const struct cedar_node *item;
        rc = cedar_parse_expression(parse, &item);
        if (rc == 0)
            rc = cedar_parse_list_add(parse, list, item);
        if (rc == 0 && !cedar_parse_at_sign(parse, close))
            rc = cedar_parse_expect_sign(parse, ",");
    }
    return rc < 0 ? rc : cedar_parse_advance(parse);
}

static int make_get(struct cedar_parse *parse, const struct cedar_token *at,
                    const struct cedar_node *base, const struct cedar_text *name,
                    const struct cedar_node **out)
{
    struct cedar_node_list list = {0};
    struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_GET, at);
    int rc = cedar_parse_set_name(parse, node, name);
    if (rc == 0)
        rc = cedar_parse_list_add(parse, &list, base);
    return rc < 0 ? rc : cedar_parse_finish(parse, node, &list, at, out);
}

static const struct {
    const char *name;
    enum cedar_op op;
    uint32_t arguments;
    const char *expected;
} methods[] = {
    {"contains", CEDAR_OP_CONTAINS, 1, "one argument of contains"},
    {"containsAll", CEDAR_OP_CONTAINS_ALL, 1, "one argument of containsAll"},
    {"containsAny", CEDAR_OP_CONTAINS_ANY, 1, "one argument of containsAny"},
    {"isEmpty", CEDAR_OP_IS_EMPTY, 0, "no argument of isEmpty"},
    {"getTag", CEDAR_OP_GET_TAG, 1, "one argument of getTag"},
    {"hasTag", CEDAR_OP_HAS_TAG, 1, "one argument of hasTag"},
};

/* base.name(…), name read and the parenthesis looked at. */
static int parse_method(struct cedar_parse *parse, const struct cedar_token *at,
                        const struct cedar_node *base, const struct cedar_text *name,
                        const struct cedar_node **out)
{
    struct cedar_node_list list = {0};
    bool constructor = false;
    size_t known = 0;
    const size_t count = sizeof(methods) / sizeof(methods[0]);
    while (known < count && strcmp(methods[known].name, name->data) != 0)
        known++;
    int function = known < count ? -1 : cedar_extension_find(name->data, name->len, &constructor);
    if (known == count && (function < 0 || constructor))
        return cedar_parse_refuse_at(parse, at, "a method of Cedar");
    int rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = cedar_parse_list_add(parse, &list, base);
    if (rc == 0)
        rc = parse_list(parse, ")", &list);
    if (rc < 0)
        return rc;
    if (known < count && list.count != methods[known].arguments + 1)
        return cedar_parse_refuse_at(parse, at, methods[known].expected);
    struct cedar_node *node =
        cedar_parse_node(parse, known < count ? methods[known].op : CEDAR_OP_CALL, at);
    if (node)
        node->which = (uint8_t)(function < 0 ? 0 : function);
    return cedar_parse_finish(parse, node, &list, at, out);
}

/* What follows a primary: .name, .name(…), ["name"]. */
int cedar_parse_access(struct cedar_parse *parse, const struct cedar_node **out)
{
    int rc = 0;
    while (rc == 0) {
        const struct cedar_node *base = *out;
        const struct cedar_text *name;
        struct cedar_token at;
        if (cedar_parse_at_sign(parse, ".")) {
            rc = cedar_parse_advance(parse);
            at = parse->token;
            if (rc == 0)
                rc = cedar_parse_field(parse, &name);
            if (rc == 0 && cedar_parse_at_sign(parse, "("))
                rc = parse_method(parse, &at, base, name, out);
            else if (rc == 0)
                rc = make_get(parse, &at, base, name, out);
        } else if (cedar_parse_at_sign(parse, "[")) {
            rc = cedar_parse_advance(parse);
            at = parse->token;
            if (rc == 0)
                rc = cedar_parse_string(parse, &name);
            if (rc == 0)
                rc = cedar_parse_expect_sign(parse, "]");
            if (rc == 0)
                rc = make_get(parse, &at, base, name, out);
        } else if (cedar_parse_at_sign(parse, "(")) {
            return cedar_parse_refuse(parse, "an operator: only functions and methods are called");
        } else {
            return 0;
        }
    }
    return rc;
}

/* A name: variable, entity, or constructor with its arguments. */
static int parse_named(struct cedar_parse *parse, const struct cedar_node **out)
{
    struct cedar_token at = parse->token;
    const struct cedar_text *type;
    const struct cedar_uid *uid;
    int rc = cedar_parse_name_or_uid(parse, &type, &uid);
    if (rc < 0)
        return rc;
    if (uid)
        return cedar_parse_literal(parse, &at,
                                   (struct cedar_value){.kind = CEDAR_ENTITY, .uid = uid}, out);
    if (at.word >= CEDAR_WORD_PRINCIPAL && type->len == at.len) {
        struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_VARIABLE, &at);
        if (!node)
            return cedar_parse_memory(parse);
        node->which = (uint8_t)(at.word - CEDAR_WORD_PRINCIPAL);
        *out = node;
        return 0;
    }
    bool constructor = false;
    int function = cedar_extension_find(type->data, type->len, &constructor);
    if (!cedar_parse_at_sign(parse, "("))
        return cedar_parse_refuse_at(parse, &at,
                                     "a variable (principal, action, resource, context), an entity "
                                     "Type::\"id\" or a function");
    if (function < 0 || !constructor)
        return cedar_parse_refuse_at(parse, &at,
                                     "a function of Cedar: decimal, ip, datetime or duration");
    struct cedar_node_list list = {0};
    rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = parse_list(parse, ")", &list);
    if (rc < 0)
        return rc;
    struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_CALL, &at);
    if (node)
        node->which = (uint8_t)function;
    return cedar_parse_finish(parse, node, &list, &at, out);
}

struct keyed {
    const struct cedar_text *key;
    const struct cedar_node *node;
};

static int compare_keyed(const void *left, const void *right)
{
    return cedar_text_compare(((const struct keyed *)left)->key,
                              ((const struct keyed *)right)->key);
}

/* Sorts the members of a record literal, so that evaluation need not. */
static int sort_members(struct cedar_parse *parse, const struct cedar_token *at,
                        struct cedar_node_list *list, const struct cedar_text **names)
{
    struct keyed *members = calloc(list->count + 1, sizeof(*members));
    if (!members)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < list->count; i++)
        members[i] = (struct keyed){names[i], list->items[i]};
    qsort(members, list->count, sizeof(*members), compare_keyed);
    bool twice = false;
    for (uint32_t i = 0; i < list->count; i++) {
        twice = twice || (i && cedar_text_equal(members[i].key, members[i - 1].key));
        names[i] = members[i].key;
        list->items[i] = members[i].node;
    }
    free(members);
    return twice ? cedar_parse_refuse_at(parse, at, "a record that has each key once") : 0;
}

static int parse_key(struct cedar_parse *parse, const struct cedar_text **out)
{
    int rc = parse->token.kind == CEDAR_TOKEN_STRING ? cedar_parse_string(parse, out)
                                                     : cedar_parse_field(parse, out);
    return rc < 0 ? rc : cedar_parse_expect_sign(parse, ":");
}

/* { key: value, "other key": value } */
static int parse_record(struct cedar_parse *parse, const struct cedar_node **out)
{
    struct cedar_token at = parse->token;
    struct cedar_node_list list = {0};
    const struct cedar_text **names = NULL;
    uint32_t capacity = 0;
    int rc = cedar_parse_advance(parse);
    while (rc == 0 && !cedar_parse_at_sign(parse, "}")) {
        const struct cedar_node *value;
        if (list.count == capacity) {
            const struct cedar_text **grown =
                cedar_arena_array(parse->arena, capacity ? 2 * capacity : 4, sizeof(const void *));
            if (!grown)
                return cedar_parse_memory(parse);
            if (capacity)
                memcpy(grown, names, capacity * sizeof(const void *));
            capacity = capacity ? 2 * capacity : 4;
            names = grown;
        }
        rc = parse_key(parse, &names[list.count]);
        if (rc == 0)
            rc = cedar_parse_expression(parse, &value);
        if (rc == 0)
            rc = cedar_parse_list_add(parse, &list, value);
        if (rc == 0 && !cedar_parse_at_sign(parse, "}"))
            rc = cedar_parse_expect_sign(parse, ",");
    }
    if (rc == 0)
        rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = sort_members(parse, &at, &list, names);
    if (rc < 0)
        return rc;
    struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_RECORD, &at);
    if (node) {
        node->names = names;
        node->name_count = list.count;
    }
    return cedar_parse_finish(parse, node, &list, &at, out);
}

/* The value of a number token; up to 2^63 where a minus stands before it. */
int cedar_parse_number(struct cedar_parse *parse, bool negative, const struct cedar_node **out)
{
    struct cedar_token at = parse->token;
    int64_t value = 0;
    for (size_t i = 0; i < at.len; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, at.text[i] - '0', &value))
            return cedar_parse_refuse(parse, "a number within 64 bits");
    if (!negative && value == INT64_MIN)
        return cedar_parse_refuse(parse, "a number within 64 bits");
    int rc = cedar_parse_advance(parse);
    struct cedar_value made = {.kind = CEDAR_LONG, .number = negative ? value : -value};
    return rc < 0 ? rc : cedar_parse_literal(parse, &at, made, out);
}

int cedar_parse_primary(struct cedar_parse *parse, const struct cedar_node **out)
{
    struct cedar_token at = parse->token;
    struct cedar_node_list list = {0};
    struct cedar_value value = {.kind = CEDAR_BOOL, .boolean = at.word == CEDAR_WORD_TRUE};
    int rc;
    *out = NULL;
    if (at.word == CEDAR_WORD_TRUE || at.word == CEDAR_WORD_FALSE) {
        rc = cedar_parse_advance(parse);
        return rc < 0 ? rc : cedar_parse_literal(parse, &at, value, out);
    }
    if (at.kind == CEDAR_TOKEN_NAME && (!at.word || at.word > CEDAR_WORD_RESERVED))
        return parse_named(parse, out);
    if (at.kind == CEDAR_TOKEN_NUMBER)
        return cedar_parse_number(parse, false, out);
    if (at.kind == CEDAR_TOKEN_STRING) {
        value.kind = CEDAR_STRING;
        rc = cedar_parse_string(parse, &value.text);
        return rc < 0 ? rc : cedar_parse_literal(parse, &at, value, out);
    }
    if (cedar_parse_at_sign(parse, "(")) {
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = cedar_parse_expression(parse, out);
        return rc < 0 ? rc : cedar_parse_expect_sign(parse, ")");
    }
    if (cedar_parse_at_sign(parse, "[")) {
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = parse_list(parse, "]", &list);
        return rc < 0 ? rc
                      : cedar_parse_finish(parse, cedar_parse_node(parse, CEDAR_OP_SET, &at), &list,
                                           &at, out);
    }
    if (cedar_parse_at_sign(parse, "{"))
        return parse_record(parse, out);
    return cedar_parse_refuse(parse, "an expression");
}
