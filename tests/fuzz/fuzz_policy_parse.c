/* A Cedar policy text. What is taken is a tree within its limits, with places that lie in the text;
 * what is refused says where. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_ast.h"
#include "tests/fuzz/fuzz.h"

static uint32_t lines; /* of the text; one input at a time */

static void check_node(const struct cedar_node *node)
{
    must(node->line >= 1 && node->line <= lines && node->column >= 1);
    must(node->depth >= 1 && node->depth <= CEDAR_DEPTH_MAX);
    must(node->op != CEDAR_OP_LITERAL || (node->constant && !node->count));
    must(node->op != CEDAR_OP_RECORD || node->name_count == node->count);
    must(node->op != CEDAR_OP_LIKE || node->name_count >= 1);
    for (uint32_t i = 0; i < node->count; i++) {
        must(node->children[i]->depth < node->depth);
        check_node(node->children[i]);
    }
    for (uint32_t i = 1; node->op == CEDAR_OP_RECORD && i < node->count; i++)
        must(cedar_text_compare(node->names[i - 1], node->names[i]) < 0);
}

static void check_scope(const struct cedar_scope *scope)
{
    bool many = scope->kind == CEDAR_SCOPE_IN;
    bool none = scope->kind == CEDAR_SCOPE_ANY || scope->kind == CEDAR_SCOPE_IS;
    must(many || scope->slot || scope->count == (none ? 0 : 1));
    must(!scope->slot || scope->count == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cedar_policies *policies;
    struct cedar_error error;
    must(cedar_policies_new(&policies) == 0);
    lines = 1;
    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    int rc = cedar_policies_add(policies, "fuzz", data, size, &error);
    must(rc == 0 || rc == SR_ERR_INVALID || rc == SR_ERR_TOO_LARGE);
    if (rc == SR_ERR_INVALID)
        must(error.line >= 1 && error.line <= lines && error.column >= 1 && error.found[0] &&
             error.expected[0]);
    must(rc == 0 || policies->count == 0);
    for (size_t i = 0; i < policies->count; i++) {
        const struct cedar_policy *policy = &policies->policies[i];
        check_scope(&policy->principal);
        check_scope(&policy->action);
        check_scope(&policy->resource);
        for (uint32_t k = 0; k < policy->condition_count; k++)
            check_node(policy->conditions[k].node);
    }
    cedar_policies_free(policies);
    return 0;
}
