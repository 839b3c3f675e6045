/* The catalog's SQLite connection: schema, cached statements, typed binding, errors, transactions.
 * Private to appliance/catalog/.
 *
 * Invariants (all under the lock; dump_check tests them):
 *  1. An index is applied when it is < low or stands in table applied (which holds only > low).
 *  2. A record's nodes.current is its newest version, MAX(create_index); no record is without one.
 *  3. versions.state is what the version's own entries say (staging, or the state of its seal or
 *     mark). What catalog.h shows follows from it and from 2: a version that is not current is
 *     `superseded` once sealed, and pending_supersede before. So no order of projection can
 *     leave a different state behind, and a discard gives the earlier version back as it was.
 *  4. counts equals a recount.
 *  5. names holds the fold of every user-named folder, case and record but those in unindexed.
 *  6. A slot of known with role_count > 0 equals the rows of its uid in users and roles.
 *  7. Every case, and nothing else, has one row in cases and at least one lead in case_people.
 *  8. A node's level is the highest own_level, and its marks all own_marks, of it and its ancestors.
 *  9. Every sealed version stands in described, or in undescribed (or both: to be looked into again).
 * 10. Numbers in a case and series are 1 to their count; labels and numbers are of records.
 * 11. facts has a row for each row of names, with the node's level and marks.
 * 12. 件号 in a series are 1 to their count, and of records.
 * 13. subjects has the 执法对象 of records that facts has (all but those in unindexed). */
#ifndef SR_CATALOG_CATDB_H
#define SR_CATALOG_CATDB_H

#include <pthread.h>
#include <sqlite3.h>

#include "catalog/archived.h"
#include "catalog/catalog.h"
#include "catalog/facts.h"
#include "catalog/labels.h"
#include "catalog/schema.h"

#define CATDB_DESTROYED_NAME "(已销毁)" /* of a record whose key, and so whose name, is destroyed */
#define CATDB_UID_UNKNOWN UINT32_MAX    /* its maker; (uid_t)-1 is nobody's */
#define CATDB_NOWHERE UINT64_C(0)       /* its parent: shown in no folder */
#define CATDB_CONFIRMED 16
#define CATDB_KNOWN 16 /* people kept at hand: every request of the mount asks */

struct catalog {
    pthread_mutex_t lock; /* guards everything below */
    sqlite3 *db;          /* first of what catalog_replace exchanges */
    sqlite3_stmt *statements[CATDB_STATEMENT_COUNT];
    struct vfs *vfs;     /* NULL: in memory */
    char *path;          /* of the file */
    uint64_t low;        /* every index below is applied */
    uint64_t high;       /* none from here on is */
    char salt[33];       /* of the entry before high: which ledger it is */
    uint64_t durable;    /* entries that the ledger will not lose: what is committed is below */
    bool in_transaction; /* kept open over many projections; readers share the connection */
    unsigned pending;    /* projections since names were indexed */
    bool bulk;           /* a new file being made of a whole ledger: nothing is ever undone */
    uint64_t marked;     /* stands in unindexed; 0: none that is known of */
    /* Of an object, while no version changes, nor which one is current; node 0: none. */
    struct catalog_version recent;
    uint64_t confirmed
        [CATDB_CONFIRMED]; /* folders that are not provisional, nor what is above; by id % so many */
    char broken[160];      /* why nothing can be answered any more; "": it can */
    bool healing;          /* by this thread, which alone is answered */
    pthread_t healer;
    struct facts facts;
    struct catalog_counts counts;           /* entries excepted: low + rows of applied */
    uint64_t applied_count;                 /* rows of table applied */
    struct catalog_user known[CATDB_KNOWN]; /* by uid % CATDB_KNOWN */
};

void catdb_lock(struct catalog *catalog);
void catdb_unlock(struct catalog *catalog);

/* The cached statement, reset and without bindings. End it with catdb_run or catdb_end. */
sqlite3_stmt *catdb_use(struct catalog *catalog, enum catdb_statement which);
/* Columns count from 1. Texts and blobs are not copied: they must live until the statement ends. */
void catdb_bind_int(sqlite3_stmt *statement, int column, int64_t value);
void catdb_bind_text(sqlite3_stmt *statement, int column, const char *text); /* NULL: SQL NULL */
void catdb_bind_blob(sqlite3_stmt *statement, int column, const void *data, size_t len);
/* 1: a row; 0: no more; negative: error. */
int catdb_next(struct catalog *catalog, sqlite3_stmt *statement);
void catdb_end(sqlite3_stmt *statement);
/* Runs a statement without rows and ends it. */
int catdb_run(struct catalog *catalog, sqlite3_stmt *statement);
/* Binds id to column 1 and runs. */
int catdb_run_int(struct catalog *catalog, enum catdb_statement which, int64_t value);

/* The first column of the one row there is, 0 for none; ends the statement. */
int catdb_one(struct catalog *catalog, sqlite3_stmt *statement, uint64_t *out);
/* Under the lock, which it takes: binds id to column 1, and calls fn for the first column of each row. */
int catdb_each_id(struct catalog *catalog, enum catdb_statement which, uint64_t id,
                  catalog_id_fn *fn, void *context);

/* Turns SQLite's error into ours. A constraint is an entry that does not fit (SR_ERR_INVALID). */
int catdb_fail(struct catalog *catalog, int rc);

/* Begins the long transaction unless it is open. */
int catdb_begin(struct catalog *catalog);
/* Ends it if it is open, and if the ledger cannot lose any of the entries in it. */
int catdb_commit(struct catalog *catalog);
/* What is known goes into the progress row; the transaction is open. */
int catdb_save_progress(struct catalog *catalog);
/* A fresh catalog without a connection; free it with catalog_close. */
int catdb_new(struct catalog **out);
/* Tokenizer, pragmas, statements on an open connection; the tables if make. */
int catdb_prepare(struct catalog *catalog, bool make);
/* After something was undone, or moved: what was remembered of single nodes may no longer be so. */
void catdb_forget(struct catalog *catalog);
/* What the progress row says becomes what is known; the transaction, if any, is undone. */
int catdb_reload(struct catalog *catalog);
/* Finalizes the statements and closes the connection. */
void catdb_disconnect(struct catalog *catalog);

/* The row of the "node" statements (CATDB_NODE_COLUMNS). */
void catdb_read_node(sqlite3_stmt *statement, struct catalog_node *out);
/* The columns of CATDB_VERSION_COLUMNS, from column `at`; false (*out zeroed) if they are NULL. */
bool catdb_read_version(sqlite3_stmt *statement, int at, struct catalog_version *out);
/* CATDB_TEXT_COLUMNS, from column at (described.c). */
struct object_expectation;
void catdb_read_text(sqlite3_stmt *statement, int at, struct object_expectation *out);
int catdb_get_node(struct catalog *catalog, uint64_t id, struct catalog_node *out);
/* As catalog_case_of. */
int catdb_case_of(struct catalog *catalog, uint64_t node, struct catalog_node *out);
/* As catalog_labels; in_case: where the node lies, NULL for no case. */
int catdb_labels(struct catalog *catalog, uint64_t node, const struct catalog_node *in_case,
                 catalog_label_fn *fn, void *context);
/* As catalog_enter_next. */
int catdb_enter_next(struct catalog *catalog, uint64_t case_node, const char *series,
                     uint64_t *out);
/* As catalog_archived_each, catalog_archive_next. */
int catdb_archived(struct catalog *catalog, uint64_t node, catalog_archived_fn *fn, void *context);
int catdb_archive_next(struct catalog *catalog, const char *series, uint64_t *out);
int catdb_get_object(struct catalog *catalog, const struct vault_object_id *id,
                     struct catalog_version *out);
/* Copies a text column, cut to whole characters in size - 1 bytes. */
void catdb_copy_text(sqlite3_stmt *statement, int column, char *out, size_t size);

/* Adds or takes away one version in state from the counts. */
void catdb_count_version(struct catalog *catalog, enum catalog_state state, int delta);

#endif
