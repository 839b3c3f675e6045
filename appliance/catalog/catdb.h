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
 *  8. A node's level is the highest own_level, and its marks all own_marks, of it and its ancestors. */
#ifndef SR_CATALOG_CATDB_H
#define SR_CATALOG_CATDB_H

#include <pthread.h>
#include <sqlite3.h>

#include "catalog/catalog.h"
#include "catalog/schema.h"

#define CATDB_DESTROYED_NAME "(已销毁)" /* of a record whose key, and so whose name, is destroyed */
#define CATDB_UID_UNKNOWN UINT32_MAX    /* its maker; (uid_t)-1 is nobody's */
#define CATDB_NOWHERE UINT64_C(0)       /* its parent: shown in no folder */
#define CATDB_KNOWN 16                  /* people kept at hand: every request of the mount asks */

struct catalog {
    pthread_mutex_t lock; /* guards everything below */
    sqlite3 *db;
    sqlite3_stmt *statements[CATDB_STATEMENT_COUNT];
    uint64_t low;        /* every index below is applied */
    bool in_transaction; /* kept open over many projections; readers share the connection */
    unsigned pending;    /* projections since it began */
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

/* Turns SQLite's error into ours. A constraint is an entry that does not fit (SR_ERR_INVALID). */
int catdb_fail(struct catalog *catalog, int rc);

/* Begins the long transaction unless it is open. */
int catdb_begin(struct catalog *catalog);
/* Ends it if it is open. */
int catdb_commit(struct catalog *catalog);

/* The row of the "node" statements (CATDB_NODE_COLUMNS). */
void catdb_read_node(sqlite3_stmt *statement, struct catalog_node *out);
/* The columns of CATDB_VERSION_COLUMNS, from column `at`; false (*out zeroed) if they are NULL. */
bool catdb_read_version(sqlite3_stmt *statement, int at, struct catalog_version *out);
int catdb_get_node(struct catalog *catalog, uint64_t id, struct catalog_node *out);
int catdb_get_object(struct catalog *catalog, const struct vault_object_id *id,
                     struct catalog_version *out);
/* Copies a text column, cut to whole characters in size - 1 bytes. */
void catdb_copy_text(sqlite3_stmt *statement, int column, char *out, size_t size);

/* Adds or takes away one version in state from the counts. */
void catdb_count_version(struct catalog *catalog, enum catalog_state state, int delta);

#endif
