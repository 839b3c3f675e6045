/* Search: records (and cases and folders) that fit a query, by the index of names and labels, the index of texts,
 * and the facts of each record. Who may see them is the caller's: hits come with a group, and what is allowed of one
 * hit of a group is allowed of all. */
#ifndef SR_CATALOG_SEARCH_H
#define SR_CATALOG_SEARCH_H

#include "catalog/catalog.h"
#include "catalog/search_query.h"
#include "vault/object.h"

struct catalog_hit {
    uint64_t node;
    uint32_t group;
    int32_t captured, sealed; /* sr_day; 0: not known, not sealed */
    bool by_text;             /* only what stands in the text makes it a hit: for who may read it */
};

struct catalog_group {
    bool alone; /* a case or folder: ask about the node itself */
    uint64_t
        anchor; /* of records: the case or folder of 待归案 they lie in, 0 for neither; alone: the node */
    uint32_t uid; /* sender of the current version */
    uint32_t level, marks;
    bool sealed, draft;
};

struct catalog_hits {
    struct catalog_hit *items; /* by node, so oldest first */
    size_t count;
    struct catalog_group *groups;
    size_t group_count;
    uint64_t epoch; /* as long as it is the same, so are the groups, and more may come */
};

/* Free out with catalog_hits_free also after an error. */
int catalog_query(struct catalog *catalog, const struct search_query *query,
                  struct catalog_hits *out);
void catalog_hits_free(struct catalog_hits *hits);

/* --- the index of texts: filled by the caller, as texts are objects of the vault --- */

/* The next version, by create index from `from` on, whose text is not in the index. SR_ERR_NOT_FOUND. */
int catalog_untexted(struct catalog *catalog, uint64_t from, struct catalog_version *version,
                     struct object_expectation *text);
int catalog_untexted_count(struct catalog *catalog, uint64_t *out);
/* Puts the text of a version into the index, UTF-8; or (text NULL) takes it out of the queue without. */
int catalog_text_index(struct catalog *catalog, const struct catalog_version *version,
                       const char *text);

/* --- snippets --- */

#define SNIPPET_MAX 480 /* bytes */
/* A piece of text around the first place where a word of the query stands, in one line, with 【】 around each such
 * word, and … where it was cut. False: none of them stands there. Pure. */
bool search_snippet(const struct search_query *query, const char *text, size_t len,
                    char out[SNIPPET_MAX + 1]);

#endif
