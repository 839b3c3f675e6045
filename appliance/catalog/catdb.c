#include "catalog/catdb.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "catalog/vfs.h"

void catdb_lock(struct catalog *catalog)
{
    /* The mutex is error-checking: a callback that calls the catalog is caught here. */
    int rc = pthread_mutex_lock(&catalog->lock);
    assert(rc == 0);
    (void)rc;
}

void catdb_unlock(struct catalog *catalog)
{
    int rc = pthread_mutex_unlock(&catalog->lock);
    assert(rc == 0);
    (void)rc;
}

/* NULL while no file is open: the catalog is broken then, and catdb_next says so. */
sqlite3_stmt *catdb_use(struct catalog *catalog, enum catdb_statement which)
{
    sqlite3_stmt *statement = catalog->statements[which];

    assert(!sqlite3_stmt_busy(statement)); /* the last user ended it */
    return statement;
}

void catdb_bind_int(sqlite3_stmt *statement, int column, int64_t value)
{
    int rc = sqlite3_bind_int64(statement, column, value);
    assert(rc == SQLITE_OK || statement == NULL);
    (void)rc;
}

void catdb_bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    int rc = sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC);
    assert(rc == SQLITE_OK || statement == NULL);
    (void)rc;
}

void catdb_bind_blob(sqlite3_stmt *statement, int column, const void *data, size_t len)
{
    int rc = sqlite3_bind_blob64(statement, column, data, len, SQLITE_STATIC);
    assert(rc == SQLITE_OK || statement == NULL);
    (void)rc;
}

int catdb_next(struct catalog *catalog, sqlite3_stmt *statement)
{
    int rc;

    if (catalog->broken[0] != '\0' &&
        !(catalog->healing && pthread_equal(catalog->healer, pthread_self())))
        return sr_fail(SR_ERR_DAMAGED, "%s", catalog->broken);
    rc = sqlite3_step(statement);
    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    return catdb_fail(catalog, rc);
}

void catdb_end(sqlite3_stmt *statement)
{
    if (statement == NULL)
        return;
    sqlite3_reset(statement); /* its result repeats the error of the step */
    sqlite3_clear_bindings(statement);
}

int catdb_run(struct catalog *catalog, sqlite3_stmt *statement)
{
    int rc = catdb_next(catalog, statement);

    assert(rc <= 0);
    catdb_end(statement);
    return rc;
}

int catdb_run_int(struct catalog *catalog, enum catdb_statement which, int64_t value)
{
    sqlite3_stmt *statement = catdb_use(catalog, which);

    catdb_bind_int(statement, 1, value);
    return catdb_run(catalog, statement);
}

int catdb_one(struct catalog *catalog, sqlite3_stmt *statement, uint64_t *out)
{
    int rc = catdb_next(catalog, statement);

    *out = rc > 0 ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

int catdb_each_id(struct catalog *catalog, enum catdb_statement which, uint64_t id,
                  catalog_id_fn *fn, void *context)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, which);
    catdb_bind_int(statement, 1, (int64_t)id);
    while ((rc = catdb_next(catalog, statement)) > 0)
        if ((rc = fn(context, (uint64_t)sqlite3_column_int64(statement, 0))) != 0)
            break;
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}

/* Nothing of it may be believed from here on: whoever has the ledger heals it (catalog_heal). */
static int break_down(struct catalog *catalog, const char *why)
{
    if (catalog->broken[0] == '\0')
        snprintf(catalog->broken, sizeof(catalog->broken), "%s", why);
    return sr_fail(SR_ERR_DAMAGED, "%s", catalog->broken);
}

static int fail_io(struct catalog *catalog)
{
    int error_number = catalog->vfs != NULL ? vfs_errno(catalog->vfs) : 0;

    return sr_fail_errno(error_number != 0 ? error_number : EIO, "the catalog's file");
}

int catdb_fail(struct catalog *catalog, int rc)
{
    bool unsound = (rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB;
    const char *damage;
    char sentence[128];

    if (catalog->db == NULL)
        return break_down(catalog, "the catalog's file is not open");
    if (unsound && catalog->vfs != NULL)
        vfs_inconsistent(catalog->vfs);
    damage = catalog->vfs != NULL ? vfs_damage(catalog->vfs) : NULL;

    if (damage != NULL) {
        snprintf(sentence, sizeof(sentence), "%s: it is damaged on disk, or was altered", damage);
        return break_down(catalog, sentence);
    }
    if (unsound)
        return break_down(catalog, "the catalog's structure is not sound, though every page of it "
                                   "verifies: a defect of the program");
    /* After some errors SQLite has undone the transaction, and with it entries that were answered. */
    if (catalog->in_transaction && sqlite3_get_autocommit(catalog->db)) {
        catalog->in_transaction = false;
        break_down(catalog, "the catalog has lost its last changes to an error of the disk");
    }
    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    case SQLITE_CONSTRAINT:
        return sr_fail(SR_ERR_INVALID, "catalog: the entry does not fit: %s",
                       sqlite3_errmsg(catalog->db));
    case SQLITE_TOOBIG:
        return sr_fail(SR_ERR_INVALID, "catalog: value too large");
    case SQLITE_FULL:
        return sr_fail(SR_ERR_NO_SPACE, "no space for the catalog");
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
        return fail_io(catalog);
    default:
        return sr_fail(SR_ERR_DAMAGED, "catalog: %s (SQLite %d)", sqlite3_errmsg(catalog->db), rc);
    }
}

int catdb_begin(struct catalog *catalog)
{
    int rc;

    if (catalog->in_transaction)
        return 0;
    rc = catdb_run(catalog, catdb_use(catalog, CATDB_BEGIN));
    if (rc == 0)
        catalog->in_transaction = true;
    return rc;
}

int catdb_save_progress(struct catalog *catalog)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_PROGRESS_SET);
    const struct catalog_counts *counts = &catalog->counts;
    const uint64_t kept[] = {counts->cases,    counts->records,    counts->staging,
                             counts->sealed,   counts->incomplete, counts->superseded,
                             counts->refusals, counts->users,      counts->alerts};

    catdb_bind_int(statement, 1, (int64_t)catalog->low);
    catdb_bind_int(statement, 2, (int64_t)catalog->high);
    catdb_bind_text(statement, 3, catalog->salt);
    for (int i = 0; i < (int)(sizeof(kept) / sizeof(kept[0])); i++)
        catdb_bind_int(statement, 4 + i, (int64_t)kept[i]);
    return catdb_run(catalog, statement);
}

static void read_progress(struct catalog *catalog, sqlite3_stmt *statement)
{
    struct catalog_counts *counts = &catalog->counts;
    uint64_t *kept[] = {&counts->cases,    &counts->records,    &counts->staging,
                        &counts->sealed,   &counts->incomplete, &counts->superseded,
                        &counts->refusals, &counts->users,      &counts->alerts};

    catalog->low = (uint64_t)sqlite3_column_int64(statement, 0);
    catalog->high = (uint64_t)sqlite3_column_int64(statement, 1);
    catdb_copy_text(statement, 2, catalog->salt, sizeof(catalog->salt));
    for (int i = 0; i < (int)(sizeof(kept) / sizeof(kept[0])); i++)
        *kept[i] = (uint64_t)sqlite3_column_int64(statement, 3 + i);
    catalog->applied_count = (uint64_t)sqlite3_column_int64(statement, 12);
}

int catdb_commit(struct catalog *catalog)
{
    int rc;

    if (!catalog->in_transaction || catalog->high > catalog->durable)
        return 0;
    rc = catdb_save_progress(catalog);
    if (rc == 0)
        rc = catdb_run(catalog, catdb_use(catalog, CATDB_COMMIT));
    if (rc == 0)
        catalog->in_transaction = false;
    return rc;
}

void catdb_forget(struct catalog *catalog)
{
    catalog->marked = 0;
    catalog->recent.node = 0;
    memset(catalog->confirmed, 0, sizeof(catalog->confirmed));
}

int catdb_reload(struct catalog *catalog)
{
    sqlite3_stmt *statement;
    int rc;

    if (catalog->db == NULL) /* another file could not take its place */
        return sr_fail(SR_ERR_DAMAGED, "the catalog's file is not open");
    if (!sqlite3_get_autocommit(catalog->db))
        sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
    catalog->in_transaction = false;
    catalog->pending = 0;
    catdb_forget(catalog);
    memset(catalog->known, 0, sizeof(catalog->known));
    facts_free(&catalog->facts);
    statement = catdb_use(catalog, CATDB_PROGRESS_GET);
    rc = catdb_next(catalog, statement);
    if (rc > 0)
        read_progress(catalog, statement);
    catdb_end(statement);
    return rc > 0 ? 0 : rc < 0 ? rc : sr_fail(SR_ERR_DAMAGED, "the catalog has no progress row");
}

void catdb_copy_text(sqlite3_stmt *statement, int column, char *out, size_t size)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    size_t len = text == NULL ? 0 : (size_t)sqlite3_column_bytes(statement, column);

    if (len >= size)
        for (len = size - 1; len > 0 && (text[len] & 0xc0) == 0x80; len--)
            ; /* not through a character */
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
}

static void copy_blob(sqlite3_stmt *statement, int column, uint8_t *out, size_t len)
{
    const void *data = sqlite3_column_blob(statement, column);

    if (data != NULL && (size_t)sqlite3_column_bytes(statement, column) == len)
        memcpy(out, data, len);
    else
        memset(out, 0, len);
}

bool catdb_read_version(sqlite3_stmt *s, int at, struct catalog_version *out)
{
    bool current;

    memset(out, 0, sizeof(*out));
    if (sqlite3_column_type(s, at) == SQLITE_NULL)
        return false;
    copy_blob(s, at, out->object.bytes, sizeof(out->object.bytes));
    out->key_id = (uint64_t)sqlite3_column_int64(s, at + 1);
    out->node = (uint64_t)sqlite3_column_int64(s, at + 2);
    out->state = (enum catalog_state)sqlite3_column_int(s, at + 3);
    current = sqlite3_column_int(s, at + 4) != 0;
    if (!current && out->state == CATALOG_STAGING)
        out->pending_supersede = true;
    else if (!current)
        out->state = CATALOG_SUPERSEDED;
    out->closed = sqlite3_column_int(s, at + 5) != 0;
    out->marked = sqlite3_column_int(s, at + 6) != 0;
    out->salvaged = sqlite3_column_int(s, at + 7) != 0;
    out->empty = sqlite3_column_int(s, at + 8) != 0;
    out->size = (uint64_t)sqlite3_column_int64(s, at + 9);
    out->mtime_ns = sqlite3_column_int64(s, at + 10);
    copy_blob(s, at + 11, out->sha256, sizeof(out->sha256));
    copy_blob(s, at + 12, out->tag_root, sizeof(out->tag_root));
    copy_blob(s, at + 13, out->header_sha256, sizeof(out->header_sha256));
    out->hole_count = (uint64_t)sqlite3_column_int64(s, at + 14);
    out->create_index = (uint64_t)sqlite3_column_int64(s, at + 15);
    out->seal_index = (uint64_t)sqlite3_column_int64(s, at + 16);
    out->sealed_ns = sqlite3_column_int64(s, at + 17);
    out->uid = (uint32_t)sqlite3_column_int64(s, at + 18);
    catdb_copy_text(s, at + 19, out->client, sizeof(out->client));
    return true;
}

void catdb_read_node(sqlite3_stmt *s, struct catalog_node *out)
{
    out->id = (uint64_t)sqlite3_column_int64(s, 0);
    out->parent = (uint64_t)sqlite3_column_int64(s, 1);
    out->kind = (enum catalog_kind)sqlite3_column_int(s, 2);
    catdb_copy_text(s, 3, out->name, sizeof(out->name));
    out->instance = (uint32_t)sqlite3_column_int64(s, 4);
    out->uid = (uint32_t)sqlite3_column_int64(s, 5);
    out->created_ns = sqlite3_column_int64(s, 6);
    out->changed_ns = sqlite3_column_int64(s, 7);
    out->provisional = sqlite3_column_int(s, 8) != 0;
    out->draft = sqlite3_column_int(s, 9) != 0;
    out->junk = sqlite3_column_int(s, 10) != 0;
    out->moved_to = (uint64_t)sqlite3_column_int64(s, 11);
    out->level = (uint32_t)sqlite3_column_int(s, 12);
    out->marks = (uint32_t)sqlite3_column_int(s, 13);
    out->own_level = (uint32_t)sqlite3_column_int(s, 14);
    out->own_marks = (uint32_t)sqlite3_column_int(s, 15);
    out->own_until = sqlite3_column_int(s, 16);
    catdb_read_version(s, CATDB_VERSION_AT, &out->version);
}

int catdb_get_node(struct catalog *catalog, uint64_t id, struct catalog_node *out)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_NODE_GET);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)id);
    rc = catdb_next(catalog, statement);
    if (rc > 0)
        catdb_read_node(statement, out);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no node %llu", (unsigned long long)id);
    catdb_end(statement);
    return rc > 0 ? 0 : rc;
}

int catdb_get_object(struct catalog *catalog, const struct vault_object_id *id,
                     struct catalog_version *out)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_VERSION_OBJECT);
    char text[2 * VAULT_OBJECT_ID_LEN + 1];
    int rc;

    catdb_bind_blob(statement, 1, id->bytes, sizeof(id->bytes));
    rc = catdb_next(catalog, statement);
    if (rc > 0) {
        catdb_read_version(statement, 0, out);
    } else if (rc == 0) {
        sr_hex_encode(id->bytes, sizeof(id->bytes), text);
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no object %s", text);
    }
    catdb_end(statement);
    return rc > 0 ? 0 : rc;
}

void catdb_count_version(struct catalog *catalog, enum catalog_state state, int delta)
{
    uint64_t *counts[] = {
        [CATALOG_STAGING] = &catalog->counts.staging,
        [CATALOG_SEALED] = &catalog->counts.sealed,
        [CATALOG_INCOMPLETE] = &catalog->counts.incomplete,
        [CATALOG_SUPERSEDED] = &catalog->counts.superseded,
    };

    *counts[state] += (uint64_t)(int64_t)delta;
}
