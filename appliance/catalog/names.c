#include "catalog/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/words.h"

#define SEARCH_TEXT_MAX 1024 /* bytes */
#define SEARCH_WORDS_MAX 64  /* FTS5 takes 256 operands */

int names_mark(struct catalog *catalog, uint64_t node)
{
    return catdb_run_int(catalog, CATDB_INDEX_MARK, (int64_t)node);
}

static int unindexed(struct catalog *catalog, int64_t *out)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_INDEX_COUNT);
    int rc = catdb_next(catalog, statement);

    *out = rc > 0 ? sqlite3_column_int64(statement, 0) : 0;
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

int names_flush(struct catalog *catalog)
{
    int64_t count;
    int rc;

    if ((rc = unindexed(catalog, &count)) < 0 || (rc = catdb_commit(catalog)) < 0)
        return rc;
    if (count == 0)
        return 0;
    if ((rc = catdb_begin(catalog)) < 0)
        return rc;
    if ((rc = catdb_run(catalog, catdb_use(catalog, CATDB_INDEX_DROP))) == 0 &&
        (rc = catdb_run(catalog, catdb_use(catalog, CATDB_INDEX_FILL))) == 0 &&
        (rc = catdb_run(catalog, catdb_use(catalog, CATDB_INDEX_CLEAR))) == 0)
        rc = catdb_commit(catalog);
    if (rc < 0) {
        struct sr_error_copy copy;
        sr_error_save(&copy, rc);
        if (catdb_run(catalog, catdb_use(catalog, CATDB_ROLLBACK)) == 0)
            catalog->in_transaction = false;
        rc = sr_error_raise(&copy);
    }
    return rc;
}

/* The FTS5 expression for text; *words 0 when there is nothing to look for. */
static int make_query(const char *text, struct sr_buf *query, size_t *words)
{
    char *fold = NULL;
    int rc;

    *words = 0;
    if (strlen(text) > SEARCH_TEXT_MAX || !sr_utf8_valid(text, strlen(text)))
        return sr_fail(SR_ERR_INVALID, "search: the text is over %d bytes or not UTF-8",
                       SEARCH_TEXT_MAX);
    if ((rc = sr_name_fold(text, &fold)) < 0)
        return rc;
    *words = words_query(fold, strlen(fold), query);
    free(fold);
    if (*words > SEARCH_WORDS_MAX)
        return sr_fail(SR_ERR_INVALID, "search: over %d words", SEARCH_WORDS_MAX);
    if (query->failed)
        return sr_fail(SR_ERR_NO_MEMORY, "search: out of memory");
    return 0;
}

int catalog_search(struct catalog *catalog, const char *text, size_t limit, catalog_node_fn *fn,
                   void *context)
{
    struct sr_buf query = {0};
    struct catalog_node node;
    sqlite3_stmt *statement;
    size_t words;
    int rc = make_query(text, &query, &words);

    if (rc < 0 || words == 0)
        goto out;
    catdb_lock(catalog);
    rc = names_flush(catalog);
    if (rc == 0) {
        statement = catdb_use(catalog, CATDB_SEARCH);
        catdb_bind_text(statement, 1, query.data);
        catdb_bind_int(statement, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
        while ((rc = catdb_next(catalog, statement)) > 0) {
            catdb_read_node(statement, &node);
            if ((rc = fn(context, &node)) != 0)
                break;
        }
        catdb_end(statement);
    }
    catdb_unlock(catalog);
out:
    sr_buf_free(&query);
    return rc;
}
