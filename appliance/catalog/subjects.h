/* Which records bear which 执法对象, one row each: table subjects, kept with the index of names. A subject is known by
 * its key, a hash of the folded name: 某公司ABC and 某公司abc are one. Private to appliance/catalog/; under the lock. */
#ifndef SR_CATALOG_SUBJECTS_H
#define SR_CATALOG_SUBJECTS_H

#include "catalog/catdb.h"

struct subject {
    uint64_t key;
    char name[CATALOG_NAME_MAX + 1]; /* as catalog/gathered.h says */
};

struct subjects { /* zero-initialise; free items */
    struct subject *items;
    size_t count, capacity;
};

/* Those of a label, "a;b", each once; in place of what is in out. */
int subjects_read(const char *label, struct subjects *out);
/* The record bears these and no other. What is as it was is not written. */
int subjects_put(struct catalog *catalog, uint64_t node, const struct subjects *subjects);
int subjects_drop(struct catalog *catalog, uint64_t node);

#endif
