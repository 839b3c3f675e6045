/* What search asks of every record, as columns in memory: loaded from table facts at the first search, kept up to
 * date beside it. A million of them are 48 MB, and looking through all takes milliseconds. Private to
 * appliance/catalog/; under the lock. */
#ifndef SR_CATALOG_FACTS_H
#define SR_CATALOG_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/keyed.h"

struct catalog;

enum facts_flag {
    FACTS_SEALED = 1,
    FACTS_DRAFT = 2,
    FACTS_ENTERED = 4,
    FACTS_ALONE = 8, /* a case or folder: no record, decided by itself */
    FACTS_GONE = 16, /* in memory alone: the node is no more */
};

#define FACTS_NO_DAY 0  /* sr_day */
#define FACTS_NO_TEXT 0 /* of text */
#define FACTS_NO_DURATION (-1)

struct fact {
    uint64_t node;
    uint64_t anchor; /* the case, or the folder of 待归案; 0: neither */
    int64_t size;
    int64_t duration_ms;
    int32_t captured, sealed; /* days */
    uint32_t uid;             /* who sent the current version */
    uint32_t level, marks;    /* effective */
    uint32_t group;           /* in memory: facts_group of the row; set by facts_put */
    uint8_t type;             /* enum search_type */
    uint8_t flags;
    uint8_t text; /* its text has row node + text - 1 of the index; FACTS_NO_TEXT */
};

/* Rows that nobody can be allowed one and not the other of. */
struct facts_group {
    uint64_t anchor; /* of FACTS_ALONE: the node itself */
    uint32_t uid, level, marks;
    uint8_t flags; /* FACTS_SEALED, FACTS_DRAFT, FACTS_ALONE */
};

struct facts {
    bool loaded;
    uint64_t epoch;     /* counted up when groups are numbered anew */
    struct fact *items; /* by node */
    size_t count, capacity;
    struct facts_group *groups;
    size_t group_count, group_capacity;
    uint32_t *buckets; /* hash of groups: index + 1 */
    size_t bucket_count;
    struct keyed days, subjects; /* by captured; by key: what is so, and some that was */
};

void facts_free(struct facts *facts); /* leaves it empty, not loaded */
/* Writes the row, and into memory if that is loaded. */
int facts_put(struct catalog *catalog, const struct fact *fact);
int facts_drop(struct catalog *catalog, uint64_t node);
/* Loads what is not. */
int facts_load(struct catalog *catalog);
/* The place of the first row whose node is not below node, from `from` on. */
size_t facts_seek(const struct facts *facts, size_t from, uint64_t node);

#endif
