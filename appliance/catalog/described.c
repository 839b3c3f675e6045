#include "catalog/described.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"

static void copy_bytes(sqlite3_stmt *statement, int column, uint8_t *out, size_t len)
{
    const void *data = sqlite3_column_blob(statement, column);

    if (data != NULL && (size_t)sqlite3_column_bytes(statement, column) == len)
        memcpy(out, data, len);
    else
        memset(out, 0, len);
}

/* CATDB_TEXT_COLUMNS, from column at. */
void catdb_read_text(sqlite3_stmt *s, int at, struct object_expectation *out)
{
    copy_bytes(s, at, out->id.bytes, sizeof(out->id.bytes));
    out->key_id = (uint64_t)sqlite3_column_int64(s, at + 1);
    out->size = (uint64_t)sqlite3_column_int64(s, at + 2);
    copy_bytes(s, at + 3, out->sha256, sizeof(out->sha256));
    copy_bytes(s, at + 4, out->tag_root, sizeof(out->tag_root));
    copy_bytes(s, at + 5, out->header_sha256, sizeof(out->header_sha256));
}

static int read_description(sqlite3_stmt *s, struct catalog_description *out)
{
    const char *media = (const char *)sqlite3_column_text(s, 3);

    out->index = (uint64_t)sqlite3_column_int64(s, 0);
    catdb_copy_text(s, 1, out->outcome, sizeof(out->outcome));
    out->rules = (uint32_t)sqlite3_column_int64(s, 2);
    if (media != NULL && (out->media = strdup(media)) == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    out->has_text = sqlite3_column_type(s, 4) != SQLITE_NULL;
    if (out->has_text)
        catdb_read_text(s, 4, &out->text);
    return 0;
}

int catalog_description(struct catalog *catalog, uint64_t create_index,
                        struct catalog_description *out)
{
    sqlite3_stmt *statement;
    int rc;

    memset(out, 0, sizeof(*out));
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_DESCRIBED_GET);
    catdb_bind_int(statement, 1, (int64_t)create_index);
    rc = catdb_next(catalog, statement);
    if (rc > 0)
        rc = read_description(statement, out);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "nobody has looked into the record yet");
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}

void catalog_description_free(struct catalog_description *description)
{
    free(description->media);
    memset(description, 0, sizeof(*description));
}

int catalog_undescribed(struct catalog *catalog, uint64_t from, struct catalog_version *out)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_UNDESCRIBED_NEXT);
    catdb_bind_int(statement, 1, (int64_t)from);
    rc = catdb_next(catalog, statement);
    if (rc > 0)
        catdb_read_version(statement, 0, out);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "every record has been looked into");
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc > 0 ? 0 : rc;
}

int catalog_undescribed_counts(struct catalog *catalog, uint64_t *waiting, uint64_t *described)
{
    sqlite3_stmt *statement;
    int rc;

    *waiting = *described = 0;
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_UNDESCRIBED_COUNT);
    rc = catdb_next(catalog, statement);
    if (rc > 0) {
        *waiting = (uint64_t)sqlite3_column_int64(statement, 0);
        *described = (uint64_t)sqlite3_column_int64(statement, 1);
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc < 0 ? rc : 0;
}

int catalog_describe_again(struct catalog *catalog, uint64_t create_index)
{
    int rc;

    catdb_lock(catalog);
    rc = catdb_begin(catalog);
    if (rc == 0)
        rc = catdb_run_int(catalog, CATDB_UNDESCRIBED_AGAIN, (int64_t)create_index);
    catdb_unlock(catalog);
    return rc;
}

int catalog_each_text(struct catalog *catalog, catalog_text_fn *fn, void *context)
{
    struct object_expectation text;
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_TEXTS_ALL);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        catdb_read_text(statement, 0, &text);
        if ((rc = fn(context, &text)) != 0)
            break;
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}

int catalog_text_object(struct catalog *catalog, const struct vault_object_id *id,
                        struct object_expectation *out)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_TEXT_GET);
    catdb_bind_blob(statement, 1, id->bytes, sizeof(id->bytes));
    rc = catdb_next(catalog, statement);
    if (rc > 0)
        catdb_read_text(statement, 0, out);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no such text");
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc > 0 ? 0 : rc;
}
