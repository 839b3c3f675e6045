/* The accounts file of `strongroom init`: lines "role:account:display name:password", comments
 * after '#' at the start of a line. Pure. */
#ifndef SR_TOOLS_ROSTER_H
#define SR_TOOLS_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "casework/setup.h"

#define ROSTER_MAX 64

struct roster {
    struct setup_account list[ROSTER_MAX];
    size_t count;
    char *text; /* what list points into: passwords, wiped by roster_free */
    size_t text_len;
};

/* file is for sentences only ("FILE:LINE: reason", SR_ERR_INVALID). Each of sysadmin, secoff and
 * auditor must stand there exactly once. An empty password is refused unless passwords_optional;
 * it is then NULL. */
int roster_parse(const char *file, const uint8_t *data, size_t len, bool passwords_optional,
                 struct roster *out);
void roster_free(struct roster *accounts); /* leaves it zeroed */

#endif
