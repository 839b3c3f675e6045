/* What is wrong with a policy, each thing once. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_check.h"

#define FOUND_MAX (4 * CEDAR_PROBLEMS_MAX) /* of one policy, doubts among them */

int cedar_check_memory(const struct cedar_check *check)
{
    return cedar_arena_full(&check->arena, "the check of a policy");
}

int cedar_check_spend(struct cedar_check *check, uint64_t steps)
{
    if (check->steps <= steps) {
        check->steps = 0;
        return sr_fail(SR_ERR_TOO_LARGE, "the check of the policies takes more steps than allowed");
    }
    check->steps -= steps;
    return 0;
}

static int keep(struct cedar_check *check, const char *text, const char **out)
{
    size_t size = text ? strlen(text) + 1 : 0;
    char *kept = size > 1 ? cedar_arena_alloc(&check->arena, size) : NULL;
    *out = kept;
    if (size <= 1)
        return 0;
    return kept ? (memcpy(kept, text, size), 0) : cedar_check_memory(check);
}

static int add(struct cedar_check *check, const struct cedar_found *made)
{
    struct cedar_found *found = cedar_arena_alloc(&check->arena, sizeof(*found));
    if (!found)
        return cedar_check_memory(check);
    *found = *made;
    found->next = check->found;
    check->found = found;
    check->found_count++;
    return 0;
}

int cedar_check_problem(struct cedar_check *check, uint32_t line, uint32_t column,
                        const char *suggestion, const char *format, ...)
{
    char what[256];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    int rc = cedar_check_spend(check, check->found_count + 1);
    if (rc < 0 || check->found_count >= FOUND_MAX)
        return rc;
    for (const struct cedar_found *found = check->found; found; found = found->next)
        if (found->line == line && found->column == column && !found->node &&
            !strcmp(found->what, what))
            return 0;
    struct cedar_found made = {.line = line, .column = column};
    rc = keep(check, what, &made.what);
    if (rc == 0)
        rc = keep(check, suggestion, &made.suggestion);
    return rc < 0 ? rc : add(check, &made);
}

static struct cedar_found *find_doubt(const struct cedar_check *check,
                                      const struct cedar_node *node, uint32_t detail)
{
    struct cedar_found *found = check->found;
    while (found && (found->node != node || found->detail != detail))
        found = found->next;
    return found;
}

int cedar_check_doubt(struct cedar_check *check, const struct cedar_node *node, uint32_t detail,
                      const char *suggestion, const char *format, ...)
{
    char what[256];
    va_list args;
    int rc = cedar_check_spend(check, check->found_count + 1);
    if (rc < 0 || find_doubt(check, node, detail) || check->found_count >= FOUND_MAX)
        return rc;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    struct cedar_found made = {
        .node = node, .detail = detail, .line = node->line, .column = node->column};
    rc = keep(check, what, &made.what);
    if (rc == 0)
        rc = keep(check, suggestion, &made.suggestion);
    return rc < 0 ? rc : add(check, &made);
}

int cedar_check_clear(struct cedar_check *check, const struct cedar_node *node, uint32_t detail)
{
    int rc = cedar_check_spend(check, check->found_count + 1);
    if (rc < 0)
        return rc;
    struct cedar_found *found = find_doubt(check, node, detail);
    if (!found) {
        struct cedar_found made = {.node = node,
                                   .detail = detail,
                                   .cleared = true,
                                   .line = node->line,
                                   .column = node->column};
        return add(check, &made);
    }
    found->cleared = true;
    return 0;
}
