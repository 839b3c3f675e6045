/* Questions about grants of readings, and about the readings of restricted records. */
#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"

static void read_grant(sqlite3_stmt *statement, struct catalog_grant *out)
{
    memset(out, 0, sizeof(*out));
    out->index = (uint64_t)sqlite3_column_int64(statement, 0);
    out->node = (uint64_t)sqlite3_column_int64(statement, 1);
    out->uid = (uint32_t)sqlite3_column_int64(statement, 2);
    out->by = (uint32_t)sqlite3_column_int64(statement, 3);
    out->made_ns = sqlite3_column_int64(statement, 4);
    out->until_ns = sqlite3_column_int64(statement, 5);
    out->ended = sqlite3_column_int(statement, 6) != 0;
    catdb_copy_text(statement, 7, out->purpose, sizeof(out->purpose));
}

/* The first row; SR_ERR_NOT_FOUND without one. */
static int one_grant(struct catalog *catalog, sqlite3_stmt *statement, struct catalog_grant *out)
{
    int rc = catdb_next(catalog, statement);

    if (rc > 0)
        read_grant(statement, out);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "there is no such grant");
    catdb_end(statement);
    return rc > 0 ? 0 : rc;
}

int catalog_grant(struct catalog *catalog, uint64_t index, struct catalog_grant *out)
{
    sqlite3_stmt *statement;
    int rc;

    if (index > INT64_MAX)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no such grant");
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_GRANT_GET);
    catdb_bind_int(statement, 1, (int64_t)index);
    rc = one_grant(catalog, statement, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_grant_over(struct catalog *catalog, uint32_t uid, uint64_t node, int64_t now_ns,
                       struct catalog_grant *out)
{
    struct catalog_node at = {.parent = node};
    sqlite3_stmt *statement;
    int rc = SR_ERR_NOT_FOUND;

    catdb_lock(catalog);
    while (rc == SR_ERR_NOT_FOUND && at.parent != CATDB_NOWHERE) {
        if ((rc = catdb_get_node(catalog, at.parent, &at)) < 0)
            break;
        statement = catdb_use(catalog, CATDB_GRANT_OF);
        catdb_bind_int(statement, 1, uid);
        catdb_bind_int(statement, 2, (int64_t)at.id);
        catdb_bind_int(statement, 3, now_ns);
        rc = one_grant(catalog, statement, out);
    }
    catdb_unlock(catalog);
    return rc;
}

int catalog_grants(struct catalog *catalog, catalog_grant_fn *fn, void *context)
{
    struct catalog_grant grant;
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_GRANTS_ALL);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        read_grant(statement, &grant);
        if ((rc = fn(context, &grant)) != 0)
            break;
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}

static void read_view(sqlite3_stmt *statement, struct catalog_view *out)
{
    size_t len = (size_t)sqlite3_column_bytes(statement, 10);

    memset(out, 0, sizeof(*out));
    out->index = (uint64_t)sqlite3_column_int64(statement, 0);
    out->node = (uint64_t)sqlite3_column_int64(statement, 1);
    out->uid = (uint32_t)sqlite3_column_int64(statement, 2);
    catdb_copy_text(statement, 3, out->client, sizeof(out->client));
    out->grant = (uint64_t)sqlite3_column_int64(statement, 4);
    out->day = sqlite3_column_int(statement, 5);
    out->opens = (uint64_t)sqlite3_column_int64(statement, 6);
    out->first_ns = sqlite3_column_int64(statement, 7);
    out->last_ns = sqlite3_column_int64(statement, 8);
    out->coarse = sqlite3_column_int(statement, 9) != 0;
    if (len > sizeof(out->ranges)) /* projection keeps within the array */
        len = sizeof(out->ranges);
    out->range_count = len / sizeof(out->ranges[0]);
    if (len > 0)
        memcpy(out->ranges, sqlite3_column_blob(statement, 10), len);
}

int catalog_views(struct catalog *catalog, uint64_t node, catalog_view_fn *fn, void *context)
{
    struct catalog_view view;
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_VIEWS_OF);
    catdb_bind_int(statement, 1, (int64_t)node);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        read_view(statement, &view);
        if ((rc = fn(context, &view)) != 0)
            break;
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}
