/* Questions about nodes and versions. lookup and get are on the path of every FUSE call. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/catdb.h"

#define DEPTH_MAX 4096 /* folders: deeper is a damaged tree */

const char *catalog_kind_word(enum catalog_kind kind)
{
    static const char *const words[] = {
        [CATALOG_KIND_ROOT] = "root",
        [CATALOG_KIND_VIRTUAL] = "virtual",
        [CATALOG_KIND_UNFILED_ROOT] = "unfiled",
        [CATALOG_KIND_UNFILED_USER] = "unfiled_user",
        [CATALOG_KIND_UNFILED_DATE] = "unfiled_date",
        [CATALOG_KIND_YEAR] = "year",
        [CATALOG_KIND_CASE] = "case",
        [CATALOG_KIND_STAGE] = "stage",
        [CATALOG_KIND_DRAFTS] = "drafts",
        [CATALOG_KIND_FOLDER] = "folder",
        [CATALOG_KIND_RECORD] = "record",
        [CATALOG_KIND_STUB] = "stub",
        [CATALOG_KIND_MINE] = "mine",
        [CATALOG_KIND_LINK] = "link",
        [CATALOG_KIND_GATHER] = "gather",
        [CATALOG_KIND_GATHERED] = "gathered",
    };
    return words[kind];
}

/* Every node of a bound statement. */
static int each_node(struct catalog *catalog, sqlite3_stmt *statement, catalog_node_fn *fn,
                     void *context)
{
    struct catalog_node node;
    int rc;

    while ((rc = catdb_next(catalog, statement)) > 0) {
        catdb_read_node(statement, &node);
        if ((rc = fn(context, &node)) != 0)
            break;
    }
    catdb_end(statement);
    return rc;
}

static int each_version(struct catalog *catalog, sqlite3_stmt *statement, catalog_version_fn *fn,
                        void *context)
{
    struct catalog_version version;
    int rc;

    while ((rc = catdb_next(catalog, statement)) > 0) {
        catdb_read_version(statement, 0, &version);
        if ((rc = fn(context, &version)) != 0)
            break;
    }
    catdb_end(statement);
    return rc;
}

/* A record, or a folder, stands before the stubs of its name. */
static int first_named(struct catalog *catalog, sqlite3_stmt *statement, struct catalog_node *out)
{
    bool found = false, stub = true;
    int rc = 0;

    while (stub && (rc = catdb_next(catalog, statement)) > 0) {
        stub = sqlite3_column_int(statement, 2) == CATALOG_KIND_STUB;
        if (!found || !stub)
            catdb_read_node(statement, out);
        found = true;
    }
    catdb_end(statement);
    if (rc >= 0 && !found)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no such node");
    return rc > 0 ? 0 : rc;
}

static sqlite3_stmt *use_named(struct catalog *catalog, uint64_t parent, const char *name)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_NODE_NAMED);

    catdb_bind_int(statement, 1, (int64_t)parent);
    catdb_bind_text(statement, 2, name);
    return statement;
}

int catalog_lookup(struct catalog *catalog, uint64_t parent, const char *name,
                   struct catalog_node *out)
{
    int rc;

    catdb_lock(catalog);
    rc = first_named(catalog, use_named(catalog, parent, name), out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_named(struct catalog *catalog, uint64_t parent, const char *name, catalog_node_fn *fn,
                  void *context)
{
    int rc;

    catdb_lock(catalog);
    rc = each_node(catalog, use_named(catalog, parent, name), fn, context);
    catdb_unlock(catalog);
    return rc;
}

int catalog_twins(struct catalog *catalog, uint64_t parent, const char *name, catalog_node_fn *fn,
                  void *context)
{
    sqlite3_stmt *statement;
    char *fold = NULL;
    int rc = sr_name_fold(name, &fold);

    if (rc < 0)
        return rc;
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_NODE_TWINS);
    catdb_bind_int(statement, 1, (int64_t)parent);
    catdb_bind_text(statement, 2, fold);
    catdb_bind_text(statement, 3, name);
    rc = each_node(catalog, statement, fn, context);
    catdb_unlock(catalog);
    free(fold);
    return rc;
}

int catalog_get(struct catalog *catalog, uint64_t node, struct catalog_node *out)
{
    int rc;

    catdb_lock(catalog);
    rc = catdb_get_node(catalog, node, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_children(struct catalog *catalog, uint64_t parent, uint64_t after, catalog_node_fn *fn,
                     void *context)
{
    sqlite3_stmt *statement;
    int rc;

    if (after > INT64_MAX)
        return 0;
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_NODE_CHILDREN);
    catdb_bind_int(statement, 1, (int64_t)parent);
    catdb_bind_int(statement, 2, (int64_t)after);
    rc = each_node(catalog, statement, fn, context);
    catdb_unlock(catalog);
    return rc;
}

/* --- upwards --------------------------------------------------------------------------------- */

/* node's name is put before what path holds; *node becomes its parent. */
static int path_step(struct catalog *catalog, uint64_t *node, struct sr_buf *path, bool *plain)
{
    struct sr_buf longer = {0};
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_NODE_PLACE);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)*node);
    rc = catdb_next(catalog, statement);
    if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no node %llu", (unsigned long long)*node);
    if (rc > 0) {
        sr_buf_text(&longer, "/");
        sr_buf_text(&longer, (const char *)sqlite3_column_text(statement, 2));
        if (path->len > 0)
            sr_buf_append(&longer, path->data, path->len);
        if (longer.failed)
            rc = sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
        *node = (uint64_t)sqlite3_column_int64(statement, 0);
        *plain = *plain && sqlite3_column_int(statement, 1) != CATALOG_KIND_STUB &&
                 sqlite3_column_int64(statement, 3) == 0;
        sr_buf_free(path);
        *path = longer;
    }
    catdb_end(statement);
    return rc > 0 ? 0 : rc;
}

int catalog_path(struct catalog *catalog, uint64_t node, char **out, bool *plain)
{
    struct sr_buf path = {0};
    bool all_plain = true;
    int rc = 0;

    *out = NULL;
    catdb_lock(catalog);
    if (node == CATDB_NOWHERE)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no node 0");
    for (unsigned depth = 0; rc == 0 && node != CATALOG_ROOT && node != CATDB_NOWHERE; depth++)
        rc = depth < DEPTH_MAX ? path_step(catalog, &node, &path, &all_plain)
                               : sr_fail(SR_ERR_DAMAGED, "catalog: the tree has no end");
    catdb_unlock(catalog);
    if (rc == 0 && path.len == 0)
        sr_buf_text(&path, "/");
    if (rc == 0 && path.failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    if (rc < 0) {
        sr_buf_free(&path);
        return rc;
    }
    *out = path.data; /* sr_buf's storage is malloc's */
    if (plain != NULL)
        *plain = all_plain;
    return 0;
}

int catdb_case_of(struct catalog *catalog, uint64_t node, struct catalog_node *out)
{
    bool found = false;
    int rc = 0;

    for (unsigned depth = 0; rc == 0 && !found && node != CATDB_NOWHERE; depth++) {
        sqlite3_stmt *statement = catdb_use(catalog, CATDB_NODE_PLACE);

        catdb_bind_int(statement, 1, (int64_t)node);
        rc = catdb_next(catalog, statement);
        if (rc == 0 || depth >= DEPTH_MAX)
            node = CATDB_NOWHERE;
        else if (rc > 0 && sqlite3_column_int(statement, 1) == CATALOG_KIND_CASE)
            found = true;
        else if (rc > 0)
            node = (uint64_t)sqlite3_column_int64(statement, 0);
        catdb_end(statement);
        rc = rc > 0 ? 0 : rc;
    }
    if (found)
        rc = catdb_get_node(catalog, node, out);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: not in a case");
    return rc;
}

int catalog_case_of(struct catalog *catalog, uint64_t node, struct catalog_node *out)
{
    int rc;

    catdb_lock(catalog);
    rc = catdb_case_of(catalog, node, out);
    catdb_unlock(catalog);
    return rc;
}

/* --- downwards ------------------------------------------------------------------------------- */

/* Whether the statement, with node bound, has a row. SR_ERR_NOT_FOUND if there is no such node. */
static int has_row(struct catalog *catalog, enum catdb_statement which, uint64_t node, bool *out)
{
    struct catalog_node existing;
    sqlite3_stmt *statement;
    int rc;

    *out = false;
    catdb_lock(catalog);
    rc = catdb_get_node(catalog, node, &existing);
    if (rc == 0) {
        statement = catdb_use(catalog, which);
        catdb_bind_int(statement, 1, (int64_t)node);
        rc = catdb_next(catalog, statement);
        *out = rc > 0;
        catdb_end(statement);
    }
    catdb_unlock(catalog);
    return rc > 0 ? 0 : rc;
}

int catalog_has_sealed(struct catalog *catalog, uint64_t node, bool *out)
{
    return has_row(catalog, CATDB_HAS_SEALED, node, out);
}

int catalog_is_empty(struct catalog *catalog, uint64_t node, bool *out)
{
    bool not_empty;
    int rc = has_row(catalog, CATDB_NOT_EMPTY, node, &not_empty);

    *out = rc == 0 && !not_empty;
    return rc;
}

/* --- versions and records -------------------------------------------------------------------- */

int catalog_versions(struct catalog *catalog, uint64_t node, catalog_version_fn *fn, void *context)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_VERSIONS_OF);
    catdb_bind_int(statement, 1, (int64_t)node);
    rc = each_version(catalog, statement, fn, context);
    catdb_unlock(catalog);
    return rc;
}

int catalog_each_version(struct catalog *catalog, catalog_version_fn *fn, void *context)
{
    int rc;

    catdb_lock(catalog);
    rc = each_version(catalog, catdb_use(catalog, CATDB_VERSIONS_ALL), fn, context);
    catdb_unlock(catalog);
    return rc;
}

int catalog_object(struct catalog *catalog, const struct vault_object_id *id,
                   struct catalog_version *out)
{
    int rc;

    catdb_lock(catalog);
    rc = catdb_get_object(catalog, id, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_same_content(struct catalog *catalog, const uint8_t sha256[32], catalog_node_fn *fn,
                         void *context)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_SAME_CONTENT);
    catdb_bind_blob(statement, 1, sha256, 32);
    rc = each_node(catalog, statement, fn, context);
    catdb_unlock(catalog);
    return rc;
}

int catalog_records_of(struct catalog *catalog, uint32_t uid, size_t limit, catalog_node_fn *fn,
                       void *context)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_RECORDS_OF);
    catdb_bind_int(statement, 1, uid);
    catdb_bind_int(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    rc = each_node(catalog, statement, fn, context);
    catdb_unlock(catalog);
    return rc;
}

int catalog_is_discarded(struct catalog *catalog, const struct vault_object_id *id, bool *out)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_DISCARD_HAS);
    catdb_bind_blob(statement, 1, id->bytes, sizeof(id->bytes));
    rc = catdb_next(catalog, statement);
    catdb_end(statement);
    catdb_unlock(catalog);
    *out = rc > 0;
    return rc < 0 ? rc : 0;
}

int catalog_discarded_keys(struct catalog *catalog, catalog_key_fn *fn, void *context)
{
    sqlite3_stmt *statement;
    int rc = 0, stop = 0;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_DISCARD_KEYS);
    while (stop == 0 && (rc = catdb_next(catalog, statement)) > 0)
        stop = fn(context, (uint64_t)sqlite3_column_int64(statement, 0));
    catdb_end(statement);
    catdb_unlock(catalog);
    return stop != 0 ? stop : rc;
}
