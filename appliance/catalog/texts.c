/* The index of texts: what waits to be put into it, and putting it in. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/catdb.h"
#include "catalog/described.h"
#include "catalog/names.h"
#include "catalog/search.h"

#define VERSION_COLUMNS 20 /* CATDB_VERSION_COLUMNS */
#define ROW_LAST 254       /* facts keep it as a byte */

int catalog_untexted(struct catalog *catalog, uint64_t from, struct catalog_version *version,
                     struct object_expectation *text)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_UNTEXTED_NEXT);
    catdb_bind_int(statement, 1, (int64_t)from);
    if ((rc = catdb_next(catalog, statement)) > 0) {
        catdb_read_version(statement, 0, version);
        catdb_read_text(statement, VERSION_COLUMNS, text);
    } else if (rc == 0) {
        rc = sr_fail(SR_ERR_NOT_FOUND, "every text is in the index");
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc > 0 ? 0 : rc;
}

int catalog_untexted_count(struct catalog *catalog, uint64_t *out)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_UNTEXTED_COUNT);
    rc = catdb_next(catalog, statement);
    *out = rc > 0 ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc < 0 ? rc : 0;
}

/* The row that the next text of the node gets: rows are never taken out of the index, they lose their node. */
static int next_row(struct catalog *catalog, uint64_t node, int *out)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_TEXT_ROW_GET);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    rc = catdb_next(catalog, statement);
    *out = rc > 0 ? sqlite3_column_int(statement, 0) + 1 : 0;
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

static int add_text(struct catalog *catalog, const struct catalog_version *version,
                    const char *fold)
{
    sqlite3_stmt *statement;
    int row, rc = next_row(catalog, version->node, &row);

    if (rc < 0)
        return rc;
    if (row >
        ROW_LAST) /* replaced so often: what it was stays found until the catalog is rebuilt */
        return 0;
    statement = catdb_use(catalog, CATDB_TEXT_INDEX);
    catdb_bind_int(statement, 1, (int64_t)version->node + row);
    catdb_bind_text(statement, 2, fold);
    if ((rc = catdb_run(catalog, statement)) < 0)
        return rc;
    statement = catdb_use(catalog, CATDB_TEXT_ROW_SET);
    catdb_bind_int(statement, 1, (int64_t)version->node);
    catdb_bind_int(statement, 2, row);
    catdb_bind_int(statement, 3, (int64_t)version->create_index);
    if ((rc = catdb_run(catalog, statement)) < 0)
        return rc;
    return names_mark(catalog, version->node);
}

int catalog_text_index(struct catalog *catalog, const struct catalog_version *version,
                       const char *text)
{
    struct sr_error_copy why;
    char *fold = NULL;
    int rc = 0;

    if (text != NULL && (rc = sr_name_fold(text, &fold)) < 0)
        return rc;
    catdb_lock(catalog);
    if ((rc = catdb_begin(catalog)) == 0 &&
        (rc = catdb_run(catalog, catdb_use(catalog, CATDB_SAVEPOINT))) == 0) {
        if (fold != NULL)
            rc = add_text(catalog, version, fold);
        if (rc == 0)
            rc = catdb_run_int(catalog, CATDB_UNTEXTED_DROP, (int64_t)version->create_index);
        sr_error_save(&why, rc);
        if (rc < 0)
            catdb_run(catalog, catdb_use(catalog, CATDB_ROLLBACK_TO));
        catdb_run(catalog, catdb_use(catalog, CATDB_RELEASE));
        if (rc < 0)
            sr_error_raise(&why);
    }
    catdb_unlock(catalog);
    free(fold);
    return rc;
}
