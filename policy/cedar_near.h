/* The name that somebody meant. */
#ifndef SR_POLICY_CEDAR_NEAR_H
#define SR_POLICY_CEDAR_NEAR_H

#include "policy/cedar_value.h"

struct cedar_near {
    const struct cedar_text *wanted;
    const char *name; /* of best */
    const void *best; /* NULL: none is near */
    size_t len;       /* of name */
    unsigned distance;
};

void cedar_near_open(struct cedar_near *near, const struct cedar_text *wanted);
/* name (len bytes) stands for item, which must not be NULL; it is kept, not copied. Near is what differs in at most a third of its
 * characters: one added, left out or exchanged, or two that changed places; any difference in the
 * case of letters counts as one. Of names equally near the first by bytes wins. */
void cedar_near_offer(struct cedar_near *near, const char *name, size_t len, const void *item);

#endif
