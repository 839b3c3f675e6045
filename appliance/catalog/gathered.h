/* Records gathered by 执法对象 (the label in force) or by the day of 采集时间, wherever they lie. Who may see them is the
 * caller's, as in search.h: rows come with a group. Drafts are not among them.
 *
 * The name of a subject is a name for a folder: what Windows or the kernel cannot have in one is full-width ('/' ／),
 * control characters are blanks, and one over 255 bytes ends in … and 12 digits of a hash of the whole. Names that
 * differ only in case or Unicode form are one subject, whose key is below 2^CATALOG_KEY_BITS and never 0; which
 * of the spellings to show is the caller's, because not everybody may see every record. */
#ifndef SR_CATALOG_GATHERED_H
#define SR_CATALOG_GATHERED_H

#include "catalog/search.h"

#define CATALOG_KEY_BITS 59

enum catalog_gathering { CATALOG_GATHERED_BY_SUBJECT, CATALOG_GATHERED_BY_DAY };

struct catalog_gathered {
    uint64_t key; /* of the subject; sr_day */
    uint64_t node;
    uint32_t group;
    struct catalog_group of;
};

#define CATALOG_GATHERED_ROWS 256
struct catalog_gathered_page {
    struct catalog_gathered rows[CATALOG_GATHERED_ROWS];
    size_t count;
    bool more;
    uint64_t epoch; /* of the groups, as in struct catalog_hits */
    size_t group_count;
};

/* one: the rows of that key behind node, by node. Otherwise the first row of each key behind key, by key; node is not
 * looked at. Of subjects a row is only a hint: the record may have borne it before; catalog_subject_name says whether
 * it still does. */
int catalog_gathered(struct catalog *catalog, enum catalog_gathering by, uint64_t key,
                     uint64_t node, bool one, struct catalog_gathered_page *out);
/* The name as this record has it. SR_ERR_NOT_FOUND: it does not bear it. */
int catalog_subject_name(struct catalog *catalog, uint64_t key, uint64_t node,
                         char out[CATALOG_NAME_MAX + 1]);
/* SR_ERR_NAME_ENCODING. Every form of a subject's name has its key; a name that no record bears has one, too. */
int catalog_subject_key(const char *name, uint64_t *key);

#endif
