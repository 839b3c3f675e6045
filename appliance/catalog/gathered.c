#include "catalog/gathered.h"

#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"
#include "catalog/names.h"

static void give(const struct facts *facts, const struct fact *fact, uint64_t key,
                 struct catalog_gathered *out)
{
    const struct facts_group *group = &facts->groups[fact->group];

    *out = (struct catalog_gathered){.key = key,
                                     .node = fact->node,
                                     .group = fact->group,
                                     .of = {.anchor = group->anchor,
                                            .uid = group->uid,
                                            .level = group->level,
                                            .marks = group->marks,
                                            .sealed = (group->flags & FACTS_SEALED) != 0}};
}

/* Lock held; everything is loaded. */
static int read_page(struct catalog *catalog, enum catalog_gathering by, uint64_t key,
                     uint64_t node, bool one, struct catalog_gathered_page *out)
{
    struct facts *facts = &catalog->facts;
    struct keyed *keyed = by == CATALOG_GATHERED_BY_DAY ? &facts->days : &facts->subjects;
    size_t i, at = 0;
    int rc = keyed_behind(keyed, key, one ? node : UINT64_MAX, &i);

    for (uint64_t last = 0; rc == 0 && i < keyed->count && (!one || keyed->rows[i].key == key);
         last = keyed->rows[i++].node) {
        const struct keyed_row *row = &keyed->rows[i];
        const struct fact *fact;

        if (!one && out->count > 0 && out->rows[out->count - 1].key == row->key)
            continue;
        at = facts_seek(facts, row->node > last ? at : 0, row->node);
        fact = &facts->items[at];
        if (at == facts->count || fact->node != row->node ||
            (fact->flags & (FACTS_GONE | FACTS_DRAFT | FACTS_ALONE)) != 0 ||
            (by == CATALOG_GATHERED_BY_DAY && (uint64_t)fact->captured != row->key))
            continue; /* it holds no more */
        if (out->count == CATALOG_GATHERED_ROWS) {
            out->more = true;
            break;
        }
        give(facts, fact, row->key, &out->rows[out->count++]);
    }
    out->epoch = facts->epoch;
    out->group_count = facts->group_count;
    return rc;
}

int catalog_gathered(struct catalog *catalog, enum catalog_gathering by, uint64_t key,
                     uint64_t node, bool one, struct catalog_gathered_page *out)
{
    int rc;

    out->count = 0;
    out->more = false;
    catdb_lock(catalog);
    if ((rc = names_flush(catalog)) == 0 && (rc = facts_load(catalog)) == 0)
        rc = read_page(catalog, by, key, node, one, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_subject_name(struct catalog *catalog, uint64_t key, uint64_t node,
                         char out[CATALOG_NAME_MAX + 1])
{
    sqlite3_stmt *statement;
    int rc;

    out[0] = '\0';
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_SUBJECT_NAME);
    catdb_bind_int(statement, 1, (int64_t)node);
    catdb_bind_int(statement, 2, (int64_t)key);
    if ((rc = catdb_next(catalog, statement)) > 0)
        catdb_copy_text(statement, 0, out, CATALOG_NAME_MAX + 1);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: the record does not bear that subject");
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc > 0 ? 0 : rc;
}
