/* Opening and closing; questions about refusals, key files and counts. */
#include "catalog/catalog.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"
#include "catalog/vfs.h"
#include "catalog/words.h"

/* The nodes that every tree has (docs/entries.md). Their dates come with `vault.create`. */
static const struct {
    int64_t id, parent;
    enum catalog_kind kind;
    const char *name;
} fixed_nodes[] = {
    {CATALOG_ROOT, CATDB_NOWHERE, CATALOG_KIND_ROOT, ""},
    {CATALOG_NOTICE, CATALOG_ROOT, CATALOG_KIND_VIRTUAL, "提示.txt"},
    {CATALOG_RECEIPTS, CATALOG_ROOT, CATALOG_KIND_VIRTUAL, "入库回执.csv"},
    {CATALOG_UNFILED, CATALOG_ROOT, CATALOG_KIND_UNFILED_ROOT, "待归案"},
    {CATALOG_MINE, CATALOG_ROOT, CATALOG_KIND_MINE, "我的案件"},
    {CATALOG_BY_SUBJECT, CATALOG_ROOT, CATALOG_KIND_GATHER, "按对象"},
    {CATALOG_BY_DAY, CATALOG_ROOT, CATALOG_KIND_GATHER, "按日期"},
};

static int make_fixed_nodes(struct catalog *catalog)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < sizeof(fixed_nodes) / sizeof(fixed_nodes[0]); i++) {
        sqlite3_stmt *statement = catdb_use(catalog, CATDB_NODE_INSERT);

        catdb_bind_int(statement, 1, fixed_nodes[i].id);
        catdb_bind_int(statement, 2, fixed_nodes[i].parent);
        catdb_bind_int(statement, 3, fixed_nodes[i].kind);
        catdb_bind_text(statement, 4, fixed_nodes[i].name);
        catdb_bind_text(statement, 5, fixed_nodes[i].name); /* their own fold */
        for (int column = 6; column <= 12; column++)
            catdb_bind_int(statement, column, 0);
        rc = catdb_run(catalog, statement);
    }
    return rc;
}

static int make_tables(struct catalog *catalog)
{
    int rc = sqlite3_exec(catalog->db, catdb_schema_sql, NULL, NULL, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(catalog->db, catdb_late_sql, NULL, NULL, NULL);
    return rc == SQLITE_OK ? 0 : catdb_fail(catalog, rc);
}

int catdb_prepare(struct catalog *catalog, bool make)
{
    int rc = words_register(catalog->db);

    if (rc != SQLITE_OK)
        return catdb_fail(catalog, rc);
    if (make && (rc = make_tables(catalog)) < 0)
        return rc;
    for (int i = 0; i < CATDB_STATEMENT_COUNT; i++) {
        rc = sqlite3_prepare_v3(catalog->db, catdb_statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                                &catalog->statements[i], NULL);
        if (rc != SQLITE_OK)
            return catdb_fail(catalog, rc);
    }
    return make ? make_fixed_nodes(catalog) : 0;
}

/* What a savepoint may have to undo stays in memory up to so many bytes: every entry has one. */
#define UNDO_BYTES (4 << 20)

static void configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, UNDO_BYTES);
    /* Nobody asks for the statistics, and they lock at every allocation. */
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    (void)sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 1200, 500);
}

int catdb_new(struct catalog **out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct catalog *catalog;
    pthread_mutexattr_t attributes;
    int rc;

    *out = NULL;
    pthread_once(&once, configure);
    catalog = calloc(1, sizeof(*catalog));
    if (catalog == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ERRORCHECK);
    rc = pthread_mutex_init(&catalog->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    if (rc != 0) {
        free(catalog);
        return sr_fail_errno(rc, "catalog: lock");
    }
    *out = catalog;
    return 0;
}

void catdb_disconnect(struct catalog *catalog)
{
    facts_free(&catalog->facts);
    for (int i = 0; i < CATDB_STATEMENT_COUNT; i++) {
        sqlite3_finalize(catalog->statements[i]);
        catalog->statements[i] = NULL;
    }
    sqlite3_close(catalog->db);
    catalog->db = NULL;
    catalog->in_transaction = false;
    vfs_close(catalog->vfs);
    catalog->vfs = NULL;
}

/* temp_store: SQLite would write its sorter files, with names in them, to /var/tmp. */
static int make_in_memory(struct catalog *catalog)
{
    int rc = sqlite3_open_v2(":memory:", &catalog->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY |
                                 SQLITE_OPEN_NOMUTEX,
                             NULL);

    if (rc != SQLITE_OK)
        return catalog->db != NULL ? catdb_fail(catalog, rc)
                                   : sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    catalog->durable = UINT64_MAX; /* nothing of it is kept */
    if ((rc = sqlite3_exec(catalog->db, "PRAGMA temp_store = MEMORY", NULL, NULL, NULL)) != 0)
        return catdb_fail(catalog, rc);
    return catdb_prepare(catalog, true);
}

int catalog_open_memory(struct catalog **out)
{
    struct catalog *catalog;
    int rc = catdb_new(&catalog);

    *out = NULL;
    if (rc < 0)
        return rc;
    if ((rc = make_in_memory(catalog)) < 0) {
        struct sr_error_copy copy;
        sr_error_save(&copy, rc);
        catalog_close(catalog);
        return sr_error_raise(&copy);
    }
    *out = catalog;
    return 0;
}

void catalog_close(struct catalog *catalog)
{
    if (catalog == NULL)
        return;
    catdb_disconnect(catalog);
    pthread_mutex_destroy(&catalog->lock);
    free(catalog->path);
    free(catalog);
}

/* --- refusals -------------------------------------------------------------------------------- */

int catalog_refusals(struct catalog *catalog, uint32_t uid, size_t limit, catalog_refusal_fn *fn,
                     void *context)
{
    struct catalog_refusal refusal;
    sqlite3_stmt *s;
    int rc;

    catdb_lock(catalog);
    s = catdb_use(catalog, CATDB_REFUSALS_OF);
    catdb_bind_int(s, 1, uid);
    catdb_bind_int(s, 2, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    while ((rc = catdb_next(catalog, s)) > 0) {
        memset(&refusal, 0, sizeof(refusal));
        refusal.index = (uint64_t)sqlite3_column_int64(s, 0);
        refusal.uid = (uint32_t)sqlite3_column_int64(s, 1);
        catdb_copy_text(s, 2, refusal.op, sizeof(refusal.op));
        catdb_copy_text(s, 3, refusal.reason, sizeof(refusal.reason));
        refusal.node = (uint64_t)sqlite3_column_int64(s, 4);
        catdb_copy_text(s, 5, refusal.name, sizeof(refusal.name));
        catdb_copy_text(s, 6, refusal.client, sizeof(refusal.client));
        refusal.count = (uint64_t)sqlite3_column_int64(s, 7);
        refusal.first_ns = sqlite3_column_int64(s, 8);
        refusal.last_ns = sqlite3_column_int64(s, 9);
        if ((rc = fn(context, &refusal)) != 0)
            break;
    }
    catdb_end(s);
    catdb_unlock(catalog);
    return rc;
}

/* --- key files ------------------------------------------------------------------------------- */

/* statement is bound; what and id are for the sentence. */
static int check_hash(struct catalog *catalog, sqlite3_stmt *statement, const uint8_t sha256[32],
                      const char *what, const char *id)
{
    int rc = catdb_next(catalog, statement);

    if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "the ledger knows no %s %s", what, id);
    else if (rc > 0 && (sqlite3_column_bytes(statement, 0) != 32 ||
                        memcmp(sqlite3_column_blob(statement, 0), sha256, 32) != 0))
        rc = sr_fail(SR_ERR_DAMAGED, "%s %s is not the file that the ledger knows", what, id);
    catdb_end(statement);
    return rc > 0 ? 0 : rc;
}

int catalog_check_page(struct catalog *catalog, uint32_t page, const uint8_t sha256[32])
{
    sqlite3_stmt *statement;
    char id[16];
    int rc;

    snprintf(id, sizeof(id), "%u", (unsigned)page);
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_PAGE_HASH);
    catdb_bind_int(statement, 1, page);
    rc = check_hash(catalog, statement, sha256, "key page", id);
    catdb_unlock(catalog);
    return rc;
}

int catalog_check_slot(struct catalog *catalog, const char *slot_hex, const uint8_t sha256[32])
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_SLOT_HASH);
    catdb_bind_text(statement, 1, slot_hex);
    rc = check_hash(catalog, statement, sha256, "slot", slot_hex);
    catdb_unlock(catalog);
    return rc;
}

int catalog_counts(struct catalog *catalog, struct catalog_counts *out)
{
    catdb_lock(catalog);
    *out = catalog->counts;
    out->entries = catalog->low + catalog->applied_count;
    catdb_unlock(catalog);
    return 0;
}
