/* Records management: 档号 that records were given, and terms of keeping that people set. Nothing here is ever
 * overwritten: a new 档号 is one row more, and so is a new term. */
#ifndef SR_CATALOG_ARCHIVED_H
#define SR_CATALOG_ARCHIVED_H

#include "catalog/catalog.h"

#define CATALOG_ARCHIVE_SERIES_MAX 96 /* bytes of "X043-XZ·2026-Y-JC" */
#define CATALOG_ARCHIVE_DIGITS_MAX 9
#define CATALOG_ARCHIVE_MAX (CATALOG_ARCHIVE_SERIES_MAX + 22)
#define CATALOG_CATEGORY_MAX 300
#define CATALOG_PERMANENT UINT32_MAX /* months */

struct catalog_archived {
    char series[CATALOG_ARCHIVE_SERIES_MAX + 1];
    uint64_t number;                    /* 件号, from 1 */
    char text[CATALOG_ARCHIVE_MAX + 1]; /* the 档号: series, and the number with leading zeros */
    uint64_t index;                     /* of the entry */
    int64_t time_ns;
    uint32_t uid;       /* UINT32_MAX: the record's key is destroyed */
    const char *reason; /* "" if it is the first, or unknown; lives until fn returns */
};
/* A non-zero return stops and is returned. fn must not call the catalog. */
typedef int catalog_archived_fn(void *context, const struct catalog_archived *archived);
/* All that the record was ever given, oldest first. */
int catalog_archived_each(struct catalog *catalog, uint64_t node, catalog_archived_fn *fn,
                          void *context);
/* The newest, without its reason. SR_ERR_NOT_FOUND: it has none. */
int catalog_archived(struct catalog *catalog, uint64_t node, struct catalog_archived *out);
/* The number that the next record of the series gets. */
int catalog_archive_next(struct catalog *catalog, const char *series, uint64_t *out);
/* The records that are 入卷 in the case and have no 档号, in the order of their numbers there. */
int catalog_unarchived(struct catalog *catalog, uint64_t case_node, catalog_id_fn *fn,
                       void *context);

struct catalog_retained { /* strings live until fn returns */
    uint64_t index;
    uint64_t node;        /* where it was set */
    const char *category; /* "": an extension */
    uint32_t months;      /* of the category when it was set; CATALOG_PERMANENT */
    int32_t until;        /* of an extension: its last day (sr_day); 0: permanent */
    int64_t time_ns;
    uint32_t uid; /* UINT32_MAX, and reason "": the record's key is destroyed */
    const char *reason;
};
typedef int catalog_retained_fn(void *context, const struct catalog_retained *retained);
/* What was set on the node and all above it, oldest first; and on the places where it lay before it was refiled,
 * as far as it was set before that: being refiled shortens nothing. */
int catalog_retained(struct catalog *catalog, uint64_t node, catalog_retained_fn *fn,
                     void *context);
/* The names of the categories that were ever set, each once. */
typedef int catalog_word_fn(void *context, const char *word);
int catalog_categories(struct catalog *catalog, catalog_word_fn *fn, void *context);

#endif
