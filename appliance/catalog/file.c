/* The catalog as a file: opening, what it is bound to, replacing it, comparing two. */
#include "catalog/file.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "catalog/catdb.h"
#include "catalog/dump.h"
#include "catalog/names.h"
#include "catalog/vfs.h"

#define CACHE_KIB 32768       /* of pages in the clear, in memory */
#define BULK_CACHE_KIB 131072 /* while a whole ledger is projected */
#define LOG_PAGES 4096        /* the log is copied into the file beyond */

/* What it was made by: projections of another program version may say other things. */
static int make_stamp(char out[2 * SR_SHA256_LEN + 1])
{
    uint8_t hash[SR_SHA256_LEN];
    struct sr_buf text = {0};
    int rc;

    sr_buf_format(&text, "%d %s %s", CATALOG_PROJECTION, catdb_schema_sql, catdb_late_sql);
    rc = text.failed ? sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory")
                     : sr_sha256(text.data, text.len, hash);
    sr_buf_free(&text);
    sr_hex_encode(hash, sizeof(hash), out);
    return rc;
}

static int run_sql(struct catalog *catalog, const char *sql)
{
    int rc = sqlite3_exec(catalog->db, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : catdb_fail(catalog, rc);
}

static int connect_file(struct catalog *catalog, struct vault *vault, bool make)
{
    uint8_t *key = sr_secret_alloc(SR_KEY_LEN);
    int reserve = VFS_SEAL, rc;
    char sql[256];

    if (key == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    rc = keys_get_named(vault_keys(vault), KEYS_CATALOG, key);
    if (rc == 0)
        rc = vfs_open(vault_io(vault), catalog->path, key, &catalog->vfs);
    sr_secret_free(key, SR_KEY_LEN);
    if (rc < 0)
        return rc;
    rc = sqlite3_open_v2(catalog->path, &catalog->db,
                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                         vfs_name(catalog->vfs));
    if (rc != SQLITE_OK)
        return catalog->db != NULL ? catdb_fail(catalog, rc)
                                   : sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    sqlite3_extended_result_codes(catalog->db, 1);
    sqlite3_file_control(catalog->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &reserve);
    /* The change to WAL is a transaction, whose journal stays in memory. */
    snprintf(sql, sizeof(sql),
             "PRAGMA page_size = %u; PRAGMA locking_mode = EXCLUSIVE; %s"
             "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -%d;"
             "PRAGMA wal_autocheckpoint = %d; PRAGMA mmap_size = 0",
             VFS_PAGE, make ? "PRAGMA journal_mode = MEMORY;" : "", CACHE_KIB, LOG_PAGES);
    return run_sql(catalog, sql);
}

/* One row: what it was made by. *out: it is ours. */
static int check_stamp(struct catalog *catalog, const char *stamp, bool *out)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(catalog->db, "SELECT stamp FROM made_by", -1, &statement, NULL);

    *out = false;
    if (rc == SQLITE_ERROR) /* no such table: cut off while it was made */
        return 0;
    if (rc != SQLITE_OK)
        return catdb_fail(catalog, rc);
    rc = catdb_next(catalog, statement);
    if (rc > 0) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        *out = text != NULL && strcmp(text, stamp) == 0;
    }
    sqlite3_finalize(statement);
    return rc < 0 ? rc : 0;
}

static int make_all(struct catalog *catalog, const char *stamp)
{
    char sql[160];
    int rc = run_sql(catalog, "BEGIN");

    snprintf(sql, sizeof(sql),
             "CREATE TABLE made_by (stamp TEXT NOT NULL); INSERT INTO made_by VALUES ('%s')",
             stamp);
    if (rc == 0 && (rc = catdb_prepare(catalog, true)) == 0 && (rc = run_sql(catalog, sql)) == 0)
        rc = run_sql(catalog, "COMMIT");
    return rc;
}

/* *fit: there was a usable catalog. Otherwise the connection is of no use. */
static int open_existing(struct catalog *catalog, struct vault *vault, const char *stamp, bool *fit)
{
    int rc = connect_file(catalog, vault, false);

    *fit = false;
    if (rc == 0)
        rc = check_stamp(catalog, stamp, fit);
    if (rc == 0 && *fit && (rc = catdb_prepare(catalog, false)) == 0)
        rc = catdb_reload(catalog);
    return rc;
}

static bool is_there(struct sr_io *io, const char *path)
{
    struct sr_stat stat;

    return io->stat(io, path, &stat) == 0 && stat.size > 0;
}

/* Damage of the view is no damage: the reason is told, and the file made anew. */
static int open_or_make(struct catalog *catalog, struct vault *vault, struct catalog_found *found)
{
    char stamp[2 * SR_SHA256_LEN + 1];
    bool fit = false;
    int rc = make_stamp(stamp);

    if (rc < 0)
        return rc;
    if (is_there(vault_io(vault), catalog->path)) {
        rc = open_existing(catalog, vault, stamp, &fit);
        if (rc == 0 && fit)
            return 0;
        if (rc < 0 && rc != SR_ERR_DAMAGED)
            return rc;
        found->damaged = rc == SR_ERR_DAMAGED;
        snprintf(found->why, sizeof(found->why), "%s",
                 rc < 0 ? sr_error_message() : "it was made by another version of the program");
        catdb_disconnect(catalog);
        catalog->broken[0] = '\0';
    }
    found->fresh = true;
    if ((rc = vfs_remove(vault_io(vault), catalog->path)) < 0 ||
        (rc = connect_file(catalog, vault, true)) < 0 || (rc = make_all(catalog, stamp)) < 0)
        return rc;
    return catdb_reload(catalog);
}

int catalog_open(struct vault *vault, const char *name, struct catalog_found *found,
                 struct catalog **out)
{
    struct catalog *catalog;
    int rc = catdb_new(&catalog);

    *out = NULL;
    memset(found, 0, sizeof(*found));
    if (rc < 0)
        return rc;
    catalog->path = sr_path("%s/%s", vault_path(vault), name);
    rc = catalog->path == NULL ? sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory")
                               : open_or_make(catalog, vault, found);
    if (rc < 0) {
        struct sr_error_copy copy;
        sr_error_save(&copy, rc);
        catalog_close(catalog);
        return sr_error_raise(&copy);
    }
    *out = catalog;
    return 0;
}

/* Nothing of the file is believed before catalog_made: so there is nothing to undo, and nothing to lose. */
int catalog_make(struct vault *vault, const char *name, struct catalog **out)
{
    struct catalog_found found;
    struct sr_error_copy copy;
    struct catalog *catalog;
    char sql[160];
    int rc = catalog_open(vault, name, &found, &catalog);

    *out = NULL;
    if (rc < 0)
        return rc;
    snprintf(sql, sizeof(sql),
             "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -%d",
             BULK_CACHE_KIB);
    catalog->bulk = true;
    if (!found.fresh)
        rc = sr_fail(SR_ERR_EXISTS, "%s is there already", name);
    else if ((rc = run_sql(catalog, sql)) == 0)
        rc = run_sql(catalog, catdb_not_yet_sql);
    if (rc < 0) {
        sr_error_save(&copy, rc);
        catalog_close(catalog);
        return sr_error_raise(&copy);
    }
    *out = catalog;
    return 0;
}

/* The change to WAL is a commit by itself, and syncs the whole file. */
static int make_whole(struct catalog *catalog)
{
    char sql[128];
    int rc = names_flush(catalog);

    if (rc == 0 && catalog->high > catalog->durable)
        rc = sr_fail(SR_ERR_INVALID, "the catalog knows entries that the ledger may lose");
    if (rc == 0 && (rc = catdb_begin(catalog)) == 0)
        rc = catdb_commit(catalog);
    snprintf(sql, sizeof(sql),
             "PRAGMA synchronous = NORMAL; PRAGMA journal_mode = WAL; PRAGMA cache_size = -%d",
             CACHE_KIB);
    if (rc == 0 && (rc = run_sql(catalog, catdb_late_sql)) == 0)
        rc = run_sql(catalog, sql);
    return rc;
}

int catalog_made(struct catalog *catalog)
{
    int rc;

    catdb_lock(catalog);
    rc = catalog->broken[0] != '\0' ? sr_fail(SR_ERR_DAMAGED, "%s", catalog->broken)
                                    : make_whole(catalog);
    catalog->bulk = rc < 0;
    catdb_unlock(catalog);
    return rc;
}

int catalog_remove(struct vault *vault, const char *name)
{
    char *path = sr_path("%s/%s", vault_path(vault), name);
    int rc = path == NULL ? sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory")
                          : vfs_remove(vault_io(vault), path);

    free(path);
    return rc;
}

void catalog_progress(struct catalog *catalog, struct catalog_progress *out)
{
    catdb_lock(catalog);
    out->low = catalog->low;
    out->high = catalog->high;
    memcpy(out->salt, catalog->salt, sizeof(out->salt));
    catdb_unlock(catalog);
}

int catalog_durable(struct catalog *catalog, uint64_t size, bool *committed)
{
    int rc = 0;

    catdb_lock(catalog);
    if (catalog->vfs != NULL && size > catalog->durable)
        catalog->durable = size;
    if (!catalog->bulk && catalog->broken[0] == '\0' && (rc = names_flush(catalog)) == 0)
        rc = catdb_commit(catalog);
    *committed = !catalog->in_transaction;
    catdb_unlock(catalog);
    return rc;
}

bool catalog_broken(struct catalog *catalog, char *why, size_t size)
{
    catdb_lock(catalog);
    bool broken = catalog->broken[0] != '\0';
    snprintf(why, size, "%s", catalog->broken);
    catdb_unlock(catalog);
    return broken;
}

int catalog_reload(struct catalog *catalog)
{
    int rc;

    catdb_lock(catalog);
    catalog->healing = true;
    catalog->healer = pthread_self();
    rc = catdb_reload(catalog);
    catdb_unlock(catalog);
    return rc;
}

void catalog_healed(struct catalog *catalog, bool whole)
{
    catdb_lock(catalog);
    catalog->healing = false;
    if (whole)
        catalog->broken[0] = '\0';
    catdb_unlock(catalog);
}

/* --- another file in its place --- */

/* Everything but the locks, which stay with their owners. */
static void trade(struct catalog *a, struct catalog *b)
{
    const size_t at = offsetof(struct catalog, db);
    struct catalog kept;

    memcpy((char *)&kept + at, (char *)a + at, sizeof(kept) - at);
    memcpy((char *)a + at, (char *)b + at, sizeof(kept) - at);
    memcpy((char *)b + at, (char *)&kept + at, sizeof(kept) - at);
}

int catalog_replace(struct catalog *catalog, struct vault *vault, const char *name,
                    const char *fresh_name)
{
    struct sr_io *io = vault_io(vault);
    char *from = sr_path("%s/%s", vault_path(vault), fresh_name);
    char *to = sr_path("%s/%s", vault_path(vault), name);
    struct catalog *fresh = NULL;
    struct catalog_found found;
    int rc;

    if (from == NULL || to == NULL) {
        free(from);
        free(to);
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    }
    catdb_lock(catalog);
    catdb_disconnect(catalog);
    snprintf(catalog->broken, sizeof(catalog->broken), "the catalog is being replaced");
    if ((rc = vfs_remove(io, to)) == 0) {
        rc = io->rename(io, from, to);
        rc = rc < 0 ? sr_fail_errno(-rc, "%s cannot take its place", from)
                    : catalog_open(vault, name, &found, &fresh);
    }
    if (rc == 0 && found.fresh) /* what was renamed could not be read: this one knows nothing */
        rc = sr_fail(SR_ERR_DAMAGED, "the new catalog cannot be used: %s", found.why);
    if (rc == 0)
        trade(catalog, fresh);
    if (fresh != NULL) {
        struct sr_error_copy why;
        sr_error_save(&why, rc);
        catalog_close(fresh);
        rc = rc < 0 ? sr_error_raise(&why) : 0;
    }
    catdb_unlock(catalog);
    free(from);
    free(to);
    return rc;
}

/* --- comparing --- */

static int each_row(struct catalog *a, struct catalog *b, const char *sql, struct sr_buf *out)
{
    sqlite3_stmt *one = NULL, *other = NULL;
    struct sr_buf row = {0}, same = {0};
    int rc = sqlite3_prepare_v2(a->db, sql, -1, &one, NULL), more = 0, its_more = 0;

    if (rc != SQLITE_OK) {
        rc = catdb_fail(a, rc);
        goto out;
    }
    if ((rc = sqlite3_prepare_v2(b->db, sql, -1, &other, NULL)) != SQLITE_OK) {
        rc = catdb_fail(b, rc);
        goto out;
    }
    do {
        row.len = same.len = 0;
        if ((rc = more = catdb_next(a, one)) < 0 || (rc = its_more = catdb_next(b, other)) < 0)
            break;
        if (more > 0)
            dump_row(one, &row);
        if (its_more > 0)
            dump_row(other, &same);
        rc = row.failed || same.failed ? sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory") : 0;
        if (rc == 0 && (more != its_more || row.len != same.len ||
                        (row.len > 0 && memcmp(row.data, same.data, row.len) != 0)))
            sr_buf_format(out, "table %s: %s",
                          (const char *)sqlite3_column_text(more > 0 ? one : other, 0),
                          its_more == 0 ? "a row that the ledger has is missing"
                          : more == 0   ? "it has a row that the ledger has not"
                                        : "a row is not what the ledger says");
    } while (rc == 0 && more > 0 && its_more > 0 && out->len == 0);
out:
    sqlite3_finalize(one);
    sqlite3_finalize(other);
    sr_buf_free(&row);
    sr_buf_free(&same);
    return rc;
}

int catalog_compare(struct catalog *truth, struct catalog *catalog, struct sr_buf *difference)
{
    int rc;

    catdb_lock(truth);
    catdb_lock(catalog);
    if ((rc = names_flush(truth)) == 0)
        rc = names_flush(catalog);
    for (size_t i = 0; rc == 0 && difference->len == 0 && dump_table_sql(i) != NULL; i++)
        rc = each_row(truth, catalog, dump_table_sql(i), difference);
    catdb_unlock(catalog);
    catdb_unlock(truth);
    return rc;
}
