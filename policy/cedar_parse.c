#include "policy/cedar_parse.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_error.h"

#define ANNOTATIONS_MAX 256 /* compared each with each */

int cedar_parse_advance(struct cedar_parse *parse)
{
    return cedar_lex_next(&parse->lex, &parse->token);
}

bool cedar_parse_at_sign(const struct cedar_parse *parse, const char *sign)
{
    return parse->token.kind == CEDAR_TOKEN_SIGN && strlen(sign) == parse->token.len &&
           !memcmp(sign, parse->token.text, parse->token.len);
}

int cedar_parse_refuse_at(struct cedar_parse *parse, const struct cedar_token *token,
                          const char *expected)
{
    if (token->kind == CEDAR_TOKEN_END)
        return cedar_error_set(parse->error, token->line, token->column, "the end of the text",
                               expected);
    return cedar_error_quote(parse->error, token->line, token->column,
                             token->kind == CEDAR_TOKEN_STRING ? '"' : '`', token->text, token->len,
                             expected);
}

int cedar_parse_refuse(struct cedar_parse *parse, const char *expected)
{
    return cedar_parse_refuse_at(parse, &parse->token, expected);
}

int cedar_parse_memory(struct cedar_parse *parse)
{
    return cedar_arena_full(parse->arena, parse->what);
}

int cedar_parse_accept_sign(struct cedar_parse *parse, const char *sign)
{
    if (!cedar_parse_at_sign(parse, sign))
        return 0;
    int rc = cedar_parse_advance(parse);
    return rc < 0 ? rc : 1;
}

int cedar_parse_expect_sign(struct cedar_parse *parse, const char *sign)
{
    char expected[8];
    if (cedar_parse_at_sign(parse, sign))
        return cedar_parse_advance(parse);
    snprintf(expected, sizeof(expected), "`%s`", sign);
    return cedar_parse_refuse(parse, expected);
}

int cedar_parse_string(struct cedar_parse *parse, const struct cedar_text **out)
{
    *out = NULL;
    if (parse->token.kind != CEDAR_TOKEN_STRING)
        return cedar_parse_refuse(parse, "a string");
    int rc = cedar_lex_string(&parse->token, parse->arena, parse->error, out);
    if (rc == SR_ERR_TOO_LARGE)
        return cedar_parse_memory(parse);
    return rc < 0 ? rc : cedar_parse_advance(parse);
}

/* White space and comments may stand around the colons of a name; it is compared without them. */
static int join_name(struct cedar_parse *parse, const char *start, const char *end,
                     const struct cedar_text **out)
{
    char *name = cedar_arena_alloc(parse->arena, (size_t)(end - start));
    size_t len = 0;
    struct cedar_lex lex;
    struct cedar_token token;
    if (!name)
        return cedar_parse_memory(parse);
    cedar_lex_open(&lex, start, (size_t)(end - start), parse->error);
    while (cedar_lex_next(&lex, &token) == 0 && token.kind != CEDAR_TOKEN_END) {
        memcpy(name + len, token.text, token.len);
        len += token.len;
    }
    *out = cedar_text_make(parse->arena, name, len);
    return *out ? 0 : cedar_parse_memory(parse);
}

int cedar_parse_name_or_uid(struct cedar_parse *parse, const struct cedar_text **type,
                            const struct cedar_uid **out)
{
    const char *start = parse->token.text;
    const char *end = start;
    const struct cedar_text *id;
    *type = NULL;
    *out = NULL;
    do {
        if (parse->token.kind == CEDAR_TOKEN_STRING && end > start)
            break;
        if (parse->token.kind != CEDAR_TOKEN_NAME)
            return cedar_parse_refuse(parse, end > start ? "a name or a quoted id" : "a name");
        if (parse->token.word && parse->token.word <= CEDAR_WORD_RESERVED)
            return cedar_parse_refuse(parse, "a name that is no reserved word");
        end = parse->token.text + parse->token.len;
        int rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = cedar_parse_accept_sign(parse, "::");
        if (rc < 0)
            return rc;
        if (rc == 0)
            return join_name(parse, start, end, type);
    } while (true);
    int rc = join_name(parse, start, end, type);
    if (rc == 0)
        rc = cedar_parse_string(parse, &id);
    if (rc < 0)
        return rc;
    *out = cedar_uid_make(parse->arena, *type, id);
    return *out ? 0 : cedar_parse_memory(parse);
}

int cedar_parse_type(struct cedar_parse *parse, const struct cedar_text **out)
{
    struct cedar_token start = parse->token;
    const struct cedar_uid *uid;
    int rc = cedar_parse_name_or_uid(parse, out, &uid);
    if (rc == 0 && uid)
        return cedar_parse_refuse_at(parse, &start, "a type without id");
    return rc;
}

/* Scopes: what may follow principal, action and resource. */

static int parse_uid(struct cedar_parse *parse, const struct cedar_uid **out)
{
    static const char expected[] = "an entity, such as Type::\"id\"";
    struct cedar_token start = parse->token;
    const struct cedar_text *type;
    *out = NULL;
    if (start.kind != CEDAR_TOKEN_NAME)
        return cedar_parse_refuse(parse, expected);
    int rc = cedar_parse_name_or_uid(parse, &type, out);
    if (rc == 0 && !*out)
        return cedar_parse_refuse_at(parse, &start, expected);
    return rc;
}

/* Opening parentheses, which Cedar allows around a scope's entities. */
static int open_parentheses(struct cedar_parse *parse, unsigned *count)
{
    int rc;
    *count = 0;
    while ((rc = cedar_parse_accept_sign(parse, "(")) > 0)
        ++*count;
    return rc;
}

static int close_parentheses(struct cedar_parse *parse, unsigned count)
{
    int rc = 0;
    while (rc == 0 && count-- > 0)
        rc = cedar_parse_expect_sign(parse, ")");
    return rc;
}

static int add_uid(struct cedar_parse *parse, struct cedar_scope *scope, uint32_t *capacity)
{
    unsigned open;
    const struct cedar_uid *uid;
    int rc = open_parentheses(parse, &open);
    struct cedar_place place = {parse->token.line, parse->token.column};
    if (rc == 0)
        rc = parse_uid(parse, &uid);
    if (rc == 0)
        rc = close_parentheses(parse, open);
    if (rc < 0)
        return rc;
    if (scope->count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 1;
        const struct cedar_uid **grown =
            cedar_arena_array(parse->arena, *capacity, sizeof(const void *));
        struct cedar_place *places = cedar_arena_array(parse->arena, *capacity, sizeof(*places));
        if (!grown || !places)
            return cedar_parse_memory(parse);
        if (scope->count) {
            memcpy(grown, scope->uids, scope->count * sizeof(const void *));
            memcpy(places, scope->places, scope->count * sizeof(*places));
        }
        scope->uids = grown;
        scope->places = places;
    }
    ((struct cedar_place *)scope->places)[scope->count] = place;
    ((const struct cedar_uid **)scope->uids)[scope->count++] = uid;
    scope->mask |= cedar_scope_bit(uid);
    return 0;
}

/* The entities on the right of == or in: one, a slot, or (many) a list. */
static int parse_scope_uids(struct cedar_parse *parse, struct cedar_scope *scope, const char *slot,
                            bool many)
{
    unsigned open;
    uint32_t capacity = 0;
    int rc = open_parentheses(parse, &open);
    if (rc < 0)
        return rc;
    if (slot && parse->token.kind == CEDAR_TOKEN_SLOT) {
        if (parse->token.len != strlen(slot) || memcmp(parse->token.text, slot, parse->token.len))
            return cedar_parse_refuse(parse, slot);
        scope->slot = true;
        rc = cedar_parse_advance(parse);
    } else if (many && cedar_parse_at_sign(parse, "[")) {
        rc = cedar_parse_advance(parse);
        while (rc == 0 && !cedar_parse_at_sign(parse, "]")) {
            rc = add_uid(parse, scope, &capacity);
            if (rc == 0 && !cedar_parse_at_sign(parse, "]"))
                rc = cedar_parse_expect_sign(parse, ",");
        }
        if (rc == 0)
            rc = cedar_parse_advance(parse);
    } else {
        rc = add_uid(parse, scope, &capacity);
    }
    return rc < 0 ? rc : close_parentheses(parse, open);
}

static int check_actions(struct cedar_parse *parse, const struct cedar_token *start,
                         const struct cedar_scope *scope)
{
    for (uint32_t i = 0; i < scope->count; i++)
        if (!cedar_lex_is_action(scope->uids[i]->type))
            return cedar_parse_refuse_at(parse, start, "entities of a type Action");
    return 0;
}

static int parse_scope(struct cedar_parse *parse, enum cedar_word variable, struct cedar_scope *out)
{
    static const char *const names[] = {"`principal`", "`action`", "`resource`"};
    static const char *const slots[] = {"?principal", NULL, "?resource"};
    int which = (int)variable - CEDAR_WORD_PRINCIPAL;
    bool is_action = variable == CEDAR_WORD_ACTION;
    *out = (struct cedar_scope){.line = parse->token.line, .column = parse->token.column};
    if (parse->token.word != variable)
        return cedar_parse_refuse(parse, names[which]);
    int rc = cedar_parse_advance(parse);
    if (rc == 0 && parse->token.word == CEDAR_WORD_IS && !is_action) {
        out->kind = CEDAR_SCOPE_IS;
        rc = cedar_parse_advance(parse);
        out->type_place = (struct cedar_place){parse->token.line, parse->token.column};
        if (rc == 0)
            rc = cedar_parse_type(parse, &out->type);
    }
    if (rc < 0)
        return rc;
    bool in = parse->token.word == CEDAR_WORD_IN;
    bool equal = out->kind == CEDAR_SCOPE_ANY && cedar_parse_at_sign(parse, "==");
    if (!in && !equal) {
        if (cedar_parse_at_sign(parse, ",") || cedar_parse_at_sign(parse, ")"))
            return 0;
        return cedar_parse_refuse(parse, is_action ? "`==`, `in`, `,` or `)`"
                                         : out->kind == CEDAR_SCOPE_IS
                                             ? "`in`, `,` or `)`"
                                             : "`==`, `in`, `is`, `,` or `)`");
    }
    out->kind = equal                         ? CEDAR_SCOPE_EQUAL
                : out->kind == CEDAR_SCOPE_IS ? CEDAR_SCOPE_IS_IN
                                              : CEDAR_SCOPE_IN;
    rc = cedar_parse_advance(parse);
    struct cedar_token start = parse->token;
    if (rc == 0)
        rc = parse_scope_uids(parse, out, slots[which], is_action && in);
    if (rc == 0 && is_action)
        rc = check_actions(parse, &start, out);
    return rc;
}

static int parse_scopes(struct cedar_parse *parse, struct cedar_policy *out)
{
    int rc = cedar_parse_expect_sign(parse, "(");
    if (rc == 0)
        rc = parse_scope(parse, CEDAR_WORD_PRINCIPAL, &out->principal);
    if (rc == 0)
        rc = cedar_parse_expect_sign(parse, ",");
    if (rc == 0)
        rc = parse_scope(parse, CEDAR_WORD_ACTION, &out->action);
    if (rc == 0)
        rc = cedar_parse_expect_sign(parse, ",");
    if (rc == 0)
        rc = parse_scope(parse, CEDAR_WORD_RESOURCE, &out->resource);
    if (rc == 0)
        rc = cedar_parse_accept_sign(parse, ",");
    out->template = out->principal.slot || out->resource.slot;
    return rc < 0 ? rc : cedar_parse_expect_sign(parse, ")");
}

static int parse_annotation(struct cedar_parse *parse, struct cedar_policy *policy,
                            uint32_t *capacity)
{
    struct cedar_annotation made = {0};
    struct cedar_token start = parse->token;
    if (start.kind != CEDAR_TOKEN_NAME)
        return cedar_parse_refuse(parse, "the annotation's name");
    made.name = cedar_text_make(parse->arena, start.text, start.len);
    made.text = cedar_text_make(parse->arena, "", 0);
    if (!made.name || !made.text)
        return cedar_parse_memory(parse);
    for (uint32_t i = 0; i < policy->annotation_count; i++)
        if (cedar_text_equal(policy->annotations[i].name, made.name))
            return cedar_parse_refuse(parse, "no second annotation of this name");
    int rc = cedar_parse_advance(parse);
    if (rc == 0 && (rc = cedar_parse_accept_sign(parse, "(")) > 0) {
        rc = cedar_parse_string(parse, &made.text);
        if (rc == 0)
            rc = cedar_parse_expect_sign(parse, ")");
    }
    if (rc < 0)
        return rc;
    if (policy->annotation_count == *capacity) {
        if (*capacity >= ANNOTATIONS_MAX)
            return sr_fail(SR_ERR_TOO_LARGE, "a policy has more than %d annotations",
                           ANNOTATIONS_MAX);
        *capacity = *capacity ? 2 * *capacity : 4;
        struct cedar_annotation *grown = cedar_arena_array(parse->arena, *capacity, sizeof(*grown));
        if (!grown)
            return cedar_parse_memory(parse);
        if (policy->annotation_count)
            memcpy(grown, policy->annotations, policy->annotation_count * sizeof(*grown));
        policy->annotations = grown;
    }
    ((struct cedar_annotation *)policy->annotations)[policy->annotation_count++] = made;
    return 0;
}

static int parse_condition(struct cedar_parse *parse, struct cedar_policy *policy,
                           uint32_t *capacity)
{
    struct cedar_condition made = {.unless = parse->token.word == CEDAR_WORD_UNLESS};
    int rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = cedar_parse_expect_sign(parse, "{");
    if (rc == 0)
        rc = cedar_parse_expression(parse, &made.node);
    if (rc == 0)
        rc = cedar_parse_expect_sign(parse, "}");
    if (rc < 0)
        return rc;
    if (policy->condition_count == *capacity) {
        *capacity = *capacity ? 2 * *capacity : 1;
        struct cedar_condition *grown = cedar_arena_array(parse->arena, *capacity, sizeof(*grown));
        if (!grown)
            return cedar_parse_memory(parse);
        if (policy->condition_count)
            memcpy(grown, policy->conditions, policy->condition_count * sizeof(*grown));
        policy->conditions = grown;
    }
    ((struct cedar_condition *)policy->conditions)[policy->condition_count++] = made;
    return 0;
}

int cedar_parse_policy(struct cedar_parse *parse, struct cedar_policy *out)
{
    uint32_t capacity = 0;
    int rc;
    *out = (struct cedar_policy){.line = parse->token.line, .column = parse->token.column};
    while ((rc = cedar_parse_accept_sign(parse, "@")) > 0) {
        rc = parse_annotation(parse, out, &capacity);
        if (rc < 0)
            return rc;
    }
    if (rc < 0)
        return rc;
    out->forbid = parse->token.word == CEDAR_WORD_FORBID;
    if (!out->forbid && parse->token.word != CEDAR_WORD_PERMIT)
        return cedar_parse_refuse(parse, "`permit` or `forbid`");
    rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = parse_scopes(parse, out);
    capacity = 0;
    while (rc == 0 &&
           (parse->token.word == CEDAR_WORD_WHEN || parse->token.word == CEDAR_WORD_UNLESS))
        rc = parse_condition(parse, out, &capacity);
    if (rc == 0 && !cedar_parse_at_sign(parse, ";"))
        return cedar_parse_refuse(parse, "`when`, `unless` or `;`");
    return rc < 0 ? rc : cedar_parse_advance(parse);
}
