/* What is wrong with a policy, each thing once. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_check.h"
#include "policy/cedar_error.h"

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

/* Copies a text, control characters written out, so that a sentence is one line. "" is NULL. */
static int keep(struct cedar_check *check, const char *text, const char **out)
{
    *out = NULL;
    if (!text || !*text)
        return 0;
    size_t size = 6 * strlen(text) + 1; /* \u{1f} */
    char *kept = cedar_arena_alloc(&check->arena, size);
    size_t len = 0;
    if (!kept)
        return cedar_check_memory(check);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c < 0x20 || c == 0x7f)
            len += (size_t)snprintf(kept + len, size - len, "\\u{%x}", c);
        else
            kept[len++] = *text;
    }
    kept[len] = '\0';
    *out = kept;
    return 0;
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
    cedar_error_trim(what);
    int rc = cedar_check_spend(check, check->found_count + 1);
    if (rc < 0 || check->problem_count >= CEDAR_PROBLEMS_MAX) /* enough to refuse it */
        return rc;
    struct cedar_found made = {.line = line, .column = column};
    rc = keep(check, what, &made.what);
    if (rc == 0)
        rc = keep(check, suggestion, &made.suggestion);
    if (rc < 0)
        return rc;
    for (const struct cedar_found *found = check->found; found; found = found->next)
        if (found->line == line && found->column == column && !found->node &&
            !strcmp(found->what, made.what))
            return 0;
    check->problem_count++;
    return add(check, &made);
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
    if (rc < 0 || find_doubt(check, node, detail))
        return rc;
    va_start(args, format);
    vsnprintf(what, sizeof(what), format, args);
    va_end(args);
    cedar_error_trim(what);
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
