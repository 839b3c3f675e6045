/* Why a record is kept, and until when: what rules of retention.yaml, categories and extensions say together. */
#ifndef SR_CASEWORK_RETAIN_H
#define SR_CASEWORK_RETAIN_H

#include "casework/door_internal.h"

enum retain_by { RETAIN_RULE, RETAIN_CATEGORY, RETAIN_EXTENSION };

struct retain_reason {
    enum retain_by by;
    char *name;        /* of the rule or the category */
    char *why;         /* who set it said; "" of a rule */
    const char *basis; /* of retention.yaml; "" for none; owned by the agency */
    uint32_t months;   /* RETENTION_PERMANENT; 0 of an extension to a day */
    int32_t until;     /* sr_day, last day; 0: permanent */
    unsigned line;     /* of a rule */
    uint64_t node;     /* where it was set; 0 of a rule */
    uint32_t uid;
    int64_t time_ns;
    uint64_t index;
};

struct retain {
    struct retain_reason *items;
    size_t count, best; /* best: the longest, the first of them */
    int32_t sealed;     /* sr_day: terms begin on the day after; of a folder, today */
    unsigned type;      /* enum search_type */
};

/* Of a sealed record; of a case or folder, of what would be sealed there today. The lock may be held. */
int retain_collect(struct door *door, const struct agency *agency, const struct catalog_node *node,
                   struct retain *out);
void retain_free(struct retain *retain);
/* What decides as months, years that were begun counted whole; RETENTION_PERMANENT. */
uint32_t retain_months(const struct retain *retain);

#endif
