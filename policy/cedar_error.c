#include "policy/cedar_error.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define QUOTED_MAX 40 /* bytes of text that a sentence shows */

int cedar_error_set(struct cedar_error *error, uint32_t line, uint32_t column, const char *found,
                    const char *expected)
{
    error->line = line;
    error->column = column;
    snprintf(error->found, sizeof(error->found), "%s", found);
    snprintf(error->expected, sizeof(error->expected), "%s", expected);
    cedar_error_trim(error->expected);
    return SR_ERR_INVALID;
}

int cedar_error_quote(struct cedar_error *error, uint32_t line, uint32_t column, char quote,
                      const char *text, size_t len, const char *expected)
{
    static const char more[] = "…";
    char found[QUOTED_MAX + 16];
    size_t used = 0;
    size_t at = 0;
    found[used++] = quote;
    while (at < len) {
        char shown[8] = {text[at]};
        size_t size = 1;
        while (at + size < len && ((unsigned char)text[at + size] & 0xc0) == 0x80 && size < 4) {
            shown[size] = text[at + size];
            size++;
        }
        if ((unsigned char)text[at] < 0x20 || text[at] == 0x7f)
            snprintf(shown, sizeof(shown), "\\u{%x}", (unsigned)text[at]);
        if (used + strlen(shown) > QUOTED_MAX)
            break;
        memcpy(found + used, shown, strlen(shown));
        used += strlen(shown);
        at += size;
    }
    if (at < len) {
        memcpy(found + used, more, sizeof(more) - 1);
        used += sizeof(more) - 1;
    }
    found[used++] = quote;
    found[used] = '\0';
    return cedar_error_set(error, line, column, found, expected);
}

void cedar_error_trim(char *text)
{
    size_t len = strlen(text);
    size_t tail = 0; /* bytes that continue a character */
    while (tail < len && tail < 4 && ((unsigned char)text[len - 1 - tail] & 0xc0) == 0x80)
        tail++;
    unsigned char first = tail < len ? (unsigned char)text[len - 1 - tail] : 0;
    size_t wanted = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (tail < wanted)
        text[len - 1 - tail] = '\0';
}

int cedar_error_report(const struct cedar_error *error, int rc)
{
    if (rc != SR_ERR_INVALID)
        return rc;
    return sr_fail(rc, "line %u, column %u: found %s, expected %s", error->line, error->column,
                   error->found, error->expected);
}
