/* What tests have shown. Two expressions that are written alike have one value: nothing in Cedar
 * changes while a policy is evaluated. */
#include "policy/cedar_check.h"

int cedar_check_learn(struct cedar_check *check, struct cedar_fact fact,
                      const struct cedar_fact *facts, const struct cedar_fact **out)
{
    struct cedar_fact *made = cedar_arena_alloc(&check->arena, sizeof(*made));
    *out = facts;
    if (!made)
        return cedar_check_memory(check);
    *made = fact;
    made->next = facts;
    *out = made;
    return 0;
}

/* Whether two expressions are written alike. Gives up, with false, when steps run out. */
static bool same(struct cedar_check *check, const struct cedar_node *a, const struct cedar_node *b)
{
    if (a == b)
        return true;
    if (a->op != b->op || a->which != b->which || a->count != b->count ||
        a->name_count != b->name_count || a->depth != b->depth ||
        cedar_check_spend(check, 1 + a->name_count) < 0)
        return false;
    if (a->op == CEDAR_OP_LITERAL)
        return cedar_value_equal(a->constant, b->constant, NULL);
    for (uint32_t i = 0; i < a->name_count; i++)
        if (!cedar_text_equal(a->names[i], b->names[i]))
            return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!same(check, a->children[i], b->children[i]))
            return false;
    return true;
}

/* Whether node is base and names[0 .. count - 1] after it. */
static bool is_path(struct cedar_check *check, const struct cedar_node *node,
                    const struct cedar_node *base, const struct cedar_text *const *names,
                    uint32_t count)
{
    for (; count > 0; count--, node = node->children[0])
        if (node->op != CEDAR_OP_GET || !cedar_text_equal(node->names[0], names[count - 1]))
            return false;
    return same(check, node, base);
}

int cedar_check_known(struct cedar_check *check, const struct cedar_fact *facts,
                      const struct cedar_node *node, bool *out)
{
    *out = false;
    for (; facts && !*out; facts = facts->next) {
        int rc = cedar_check_spend(check, 1);
        if (rc < 0)
            return rc;
        if (node->op == CEDAR_OP_GET)
            *out = facts->names && is_path(check, node, facts->base, facts->names, facts->count);
        else
            *out = facts->key && same(check, node->children[1], facts->key) &&
                   same(check, node->children[0], facts->base);
    }
    return check->steps ? 0 : cedar_check_spend(check, 1);
}

/* Whether a list has a fact, up to base. */
static bool holds(struct cedar_check *check, const struct cedar_fact *facts,
                  const struct cedar_fact *base, const struct cedar_fact *wanted)
{
    for (; facts != base; facts = facts->next) {
        if (facts == wanted)
            return true;
        if (cedar_check_spend(check, 1) < 0)
            return false;
        if (facts->count != wanted->count || !facts->key != !wanted->key)
            continue;
        uint32_t i = 0;
        while (i < facts->count && cedar_text_equal(facts->names[i], wanted->names[i]))
            i++;
        if (i == facts->count && same(check, facts->base, wanted->base) &&
            (!facts->key || same(check, facts->key, wanted->key)))
            return true;
    }
    return false;
}

int cedar_check_common(struct cedar_check *check, const struct cedar_fact *a,
                       const struct cedar_fact *b, const struct cedar_fact *base,
                       const struct cedar_fact **out)
{
    *out = base;
    if (a == b) {
        *out = a;
        return 0;
    }
    for (; a != base; a = a->next) {
        if (!holds(check, b, base, a))
            continue;
        int rc = cedar_check_learn(check, *a, *out, out);
        if (rc < 0)
            return rc;
    }
    return check->steps ? 0 : cedar_check_spend(check, 1);
}
