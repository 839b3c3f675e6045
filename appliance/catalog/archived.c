#include "catalog/archived.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"

static const char *text_of(sqlite3_stmt *statement, int column)
{
    const char *text = (const char *)sqlite3_column_text(statement, column);

    return text != NULL ? text : "";
}

/* --- 档号 --- */

int catdb_archived(struct catalog *catalog, uint64_t node, catalog_archived_fn *fn, void *context)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_ARCHIVED_OF);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        struct catalog_archived out = {.number = (uint64_t)sqlite3_column_int64(statement, 1),
                                       .index = (uint64_t)sqlite3_column_int64(statement, 3),
                                       .time_ns = sqlite3_column_int64(statement, 4),
                                       .uid = (uint32_t)sqlite3_column_int64(statement, 5),
                                       .reason = text_of(statement, 6)};

        catdb_copy_text(statement, 0, out.series, sizeof(out.series));
        snprintf(out.text, sizeof(out.text), "%s-%0*llu", out.series,
                 sqlite3_column_int(statement, 2), (unsigned long long)out.number);
        if ((rc = fn(context, &out)) != 0)
            break;
    }
    catdb_end(statement);
    return rc;
}

int catalog_archived_each(struct catalog *catalog, uint64_t node, catalog_archived_fn *fn,
                          void *context)
{
    int rc;

    catdb_lock(catalog);
    rc = catdb_archived(catalog, node, fn, context);
    catdb_unlock(catalog);
    return rc;
}

static int keep_last(void *context, const struct catalog_archived *archived)
{
    struct catalog_archived *out = context;

    *out = *archived;
    out->reason = "";
    return 0;
}

int catalog_archived(struct catalog *catalog, uint64_t node, struct catalog_archived *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    rc = catalog_archived_each(catalog, node, keep_last, out);
    if (rc == 0 && out->number == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "the record has no 档号");
    return rc;
}

int catdb_archive_next(struct catalog *catalog, const char *series, uint64_t *out)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_ARCHIVED_NEXT);

    catdb_bind_text(statement, 1, series);
    return catdb_one(catalog, statement, out);
}

int catalog_archive_next(struct catalog *catalog, const char *series, uint64_t *out)
{
    int rc;

    catdb_lock(catalog);
    rc = catdb_archive_next(catalog, series, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_unarchived(struct catalog *catalog, uint64_t case_node, catalog_id_fn *fn,
                       void *context)
{
    return catdb_each_id(catalog, CATDB_ARCHIVED_NONE, case_node, fn, context);
}

/* --- terms --- */

int catalog_retained(struct catalog *catalog, uint64_t node, catalog_retained_fn *fn, void *context)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_RETAINED_ON);
    catdb_bind_int(statement, 1, (int64_t)node);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        const struct catalog_retained out = {
            .index = (uint64_t)sqlite3_column_int64(statement, 0),
            .node = (uint64_t)sqlite3_column_int64(statement, 1),
            .category = text_of(statement, 2),
            .months = (uint32_t)sqlite3_column_int64(statement, 3),
            .until = sqlite3_column_int(statement, 4),
            .time_ns = sqlite3_column_int64(statement, 5),
            .uid = (uint32_t)sqlite3_column_int64(statement, 6),
            .reason = text_of(statement, 7),
        };
        if ((rc = fn(context, &out)) != 0)
            break;
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}

int catalog_categories(struct catalog *catalog, catalog_word_fn *fn, void *context)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_RETAINED_CATEGORIES);
    while ((rc = catdb_next(catalog, statement)) > 0)
        if ((rc = fn(context, text_of(statement, 0))) != 0)
            break;
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}
