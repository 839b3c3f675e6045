/* Making nodes: children, depth, and what is known before any request. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_parse.h"
#include "policy/cedar_parse_node.h"

struct cedar_node *cedar_parse_node(struct cedar_parse *parse, enum cedar_op op,
                                    const struct cedar_token *at)
{
    struct cedar_node *node = cedar_arena_alloc(parse->arena, sizeof(*node));
    if (node)
        *node = (struct cedar_node){
            .op = (uint8_t)op, .depth = 1, .line = at->line, .column = at->column};
    return node;
}

int cedar_parse_list_add(struct cedar_parse *parse, struct cedar_node_list *list,
                         const struct cedar_node *node)
{
    if (list->count == list->capacity) {
        uint32_t capacity = list->capacity ? 2 * list->capacity : 2;
        const struct cedar_node **grown =
            cedar_arena_array(parse->arena, capacity, sizeof(const void *));
        if (!grown)
            return cedar_parse_memory(parse);
        if (list->count)
            memcpy(grown, list->items, list->count * sizeof(const void *));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = node;
    return 0;
}

int cedar_parse_too_deep(const struct cedar_token *at)
{
    return sr_fail(SR_ERR_TOO_LARGE, "line %u, column %u: expressions nest more than %d deep",
                   at->line, at->column, CEDAR_DEPTH_MAX);
}

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

/* The three ways to a constant give 1 when *out is it, 0 when there is none, or an error. */

/* A constructor of a text. One that would fail stays a call, and fails when it is evaluated. */
static int fold_call(struct cedar_parse *parse, const struct cedar_node *node,
                     struct cedar_value *out)
{
    enum cedar_function function = (enum cedar_function)node->which;
    if (node->count != 1 || cedar_extension_takes(function, 0) != CEDAR_STRING ||
        node->children[0]->constant->kind != CEDAR_STRING)
        return 0;
    int rc = cedar_extension_call(function, node->children[0]->constant, parse->arena, out);
    if (rc == SR_ERR_INVALID)
        return 0;
    return rc < 0 ? cedar_parse_memory(parse) : 1;
}

static int fold_set(struct cedar_parse *parse, const struct cedar_node *node,
                    struct cedar_value *out)
{
    struct cedar_value *items = malloc((node->count + (size_t)1) * sizeof(*items));
    if (!items)
        return no_memory();
    for (uint32_t i = 0; i < node->count; i++)
        items[i] = *node->children[i]->constant;
    out->kind = CEDAR_SET;
    out->set = cedar_set_make(parse->arena, items, node->count, NULL);
    free(items);
    return out->set ? 1 : cedar_parse_memory(parse);
}

static int fold_record(struct cedar_parse *parse, const struct cedar_node *node,
                       struct cedar_value *out)
{
    struct cedar_member *members = malloc((node->count + (size_t)1) * sizeof(*members));
    if (!members)
        return no_memory();
    for (uint32_t i = 0; i < node->count; i++)
        members[i] = (struct cedar_member){node->names[i], *node->children[i]->constant};
    out->kind = CEDAR_RECORD;
    int rc = cedar_record_make(parse->arena, members, node->count, &out->record);
    free(members);
    return rc < 0 ? cedar_parse_memory(parse) : 1;
}

/* A set or record of constants, or a constructor of one, is a constant too. */
static int fold(struct cedar_parse *parse, struct cedar_node *node)
{
    struct cedar_value value = {0};
    int rc = 0;
    for (uint32_t i = 0; i < node->count; i++)
        if (!node->children[i]->constant)
            return 0;
    if (node->op == CEDAR_OP_CALL)
        rc = fold_call(parse, node, &value);
    else if (node->op == CEDAR_OP_SET)
        rc = fold_set(parse, node, &value);
    else if (node->op == CEDAR_OP_RECORD)
        rc = fold_record(parse, node, &value);
    if (rc <= 0)
        return rc;
    struct cedar_value *kept = cedar_arena_alloc(parse->arena, sizeof(*kept));
    if (!kept)
        return cedar_parse_memory(parse);
    *kept = value;
    node->constant = kept;
    return 0;
}

/* Gives the node its children and checks the depth. */
int cedar_parse_finish(struct cedar_parse *parse, struct cedar_node *node,
                       const struct cedar_node_list *list, const struct cedar_token *at,
                       const struct cedar_node **out)
{
    unsigned depth = 0;
    *out = NULL;
    if (!node)
        return cedar_parse_memory(parse);
    node->children = list->items;
    node->count = list->count;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i]->depth > depth)
            depth = list->items[i]->depth;
    if (depth >= CEDAR_DEPTH_MAX)
        return cedar_parse_too_deep(at);
    node->depth = (uint16_t)(depth + 1);
    *out = node;
    return fold(parse, node);
}

int cedar_parse_make(struct cedar_parse *parse, enum cedar_op op, const struct cedar_token *at,
                     const struct cedar_node *left, const struct cedar_node *right,
                     const struct cedar_node **out)
{
    struct cedar_node_list list = {0};
    int rc = cedar_parse_list_add(parse, &list, left);
    if (rc == 0 && right)
        rc = cedar_parse_list_add(parse, &list, right);
    return rc < 0 ? rc : cedar_parse_finish(parse, cedar_parse_node(parse, op, at), &list, at, out);
}

int cedar_parse_literal(struct cedar_parse *parse, const struct cedar_token *at,
                        struct cedar_value value, const struct cedar_node **out)
{
    struct cedar_node *node = cedar_parse_node(parse, CEDAR_OP_LITERAL, at);
    struct cedar_value *kept = cedar_arena_alloc(parse->arena, sizeof(*kept));
    *out = NULL;
    if (!node || !kept)
        return cedar_parse_memory(parse);
    *kept = value;
    node->constant = kept;
    *out = node;
    return 0;
}

int cedar_parse_set_name(struct cedar_parse *parse, struct cedar_node *node,
                         const struct cedar_text *name)
{
    const struct cedar_text **names = cedar_arena_array(parse->arena, 1, sizeof(const void *));
    if (!node || !names)
        return cedar_parse_memory(parse);
    names[0] = name;
    node->names = names;
    node->name_count = 1;
    return 0;
}
