/* What was found in records (record.index), the queue of those nobody has looked into, and the objects that
 * hold extracted text. By version: a superseded one is described, too. */
#ifndef SR_CATALOG_DESCRIBED_H
#define SR_CATALOG_DESCRIBED_H

#include "catalog/catalog.h"
#include "vault/object.h"

#define CATALOG_OUTCOME_MAX 16

struct catalog_description {
    uint64_t index;                        /* of its newest record.index */
    char outcome[CATALOG_OUTCOME_MAX + 1]; /* docs/entries.md */
    uint32_t rules;                        /* by which version of the probe's rules */
    char *media; /* the answer, JSON; NULL: none, or its key is destroyed */
    bool has_text;
    struct object_expectation text;
};

/* Of the version made by entry create_index. SR_ERR_NOT_FOUND: nobody has looked. Free it after. */
int catalog_description(struct catalog *catalog, uint64_t create_index,
                        struct catalog_description *out);
void catalog_description_free(struct catalog_description *description); /* zeroes it */

/* The next sealed version that waits, by create index, from `from` on. SR_ERR_NOT_FOUND. */
int catalog_undescribed(struct catalog *catalog, uint64_t from, struct catalog_version *out);
int catalog_undescribed_counts(struct catalog *catalog, uint64_t *waiting, uint64_t *described);
/* Puts it (back) into the queue. create_index 0: all that are sealed. */
int catalog_describe_again(struct catalog *catalog, uint64_t create_index);

/* Every text object that an entry names, also those that a later description has replaced. */
typedef int catalog_text_fn(void *context, const struct object_expectation *text);
int catalog_each_text(struct catalog *catalog, catalog_text_fn *fn, void *context);
/* SR_ERR_NOT_FOUND: it is no text. */
int catalog_text_object(struct catalog *catalog, const struct vault_object_id *id,
                        struct object_expectation *out);

#endif
