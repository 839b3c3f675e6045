#include "catalog/schema.h"

#include <assert.h>

#include "catalog/catalog.h"

/* The numbers that stand in the SQL of this file and of schema.h. */
static_assert(CATALOG_KIND_UNFILED_USER == 3 && CATALOG_KIND_UNFILED_DATE == 4 &&
                  CATALOG_KIND_YEAR == 5 && CATALOG_KIND_CASE == 6 && CATALOG_KIND_STAGE == 7 &&
                  CATALOG_KIND_DRAFTS == 8 && CATALOG_KIND_FOLDER == 9 &&
                  CATALOG_KIND_RECORD == 10 && CATALOG_KIND_STUB == 11,
              "kinds in SQL");
static_assert(CATALOG_STAGING == 0 && CATALOG_INCOMPLETE == 2, "states in SQL");
static_assert(CATALOG_LEVEL_DEFAULT == 0, "levels in SQL");

/* names has no prefix index: a prefix query walks a range of terms, which is fast enough for
 * names and keeps projection cheap. columnsize=0: nothing is ranked. */
const char catdb_schema_sql[] =
    "CREATE TABLE progress (low INTEGER NOT NULL);"
    "INSERT INTO progress VALUES (0);"
    "CREATE TABLE applied (idx INTEGER PRIMARY KEY);"
    "CREATE TABLE nodes ("
    " id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, kind INTEGER NOT NULL,"
    " name TEXT NOT NULL, fold TEXT NOT NULL, instance INTEGER NOT NULL,"
    " uid INTEGER NOT NULL, created INTEGER NOT NULL, changed INTEGER NOT NULL,"
    " provisional INTEGER NOT NULL, draft INTEGER NOT NULL, junk INTEGER NOT NULL,"
    " moved_to INTEGER NOT NULL, current INTEGER,"
    " level INTEGER NOT NULL, marks INTEGER NOT NULL, own_level INTEGER NOT NULL DEFAULT 0,"
    " own_marks INTEGER NOT NULL DEFAULT 0, own_until INTEGER NOT NULL DEFAULT 0,"
    " approver TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX nodes_name ON nodes (parent, name, instance);"
    "CREATE INDEX nodes_fold ON nodes (parent, fold);"
    "CREATE INDEX nodes_parent ON nodes (parent);"
    "CREATE INDEX nodes_stub ON nodes (moved_to) WHERE moved_to <> 0;"
    "CREATE TABLE versions ("
    " create_index INTEGER PRIMARY KEY, object BLOB NOT NULL UNIQUE, key_id INTEGER NOT NULL,"
    " node INTEGER NOT NULL, state INTEGER NOT NULL DEFAULT 0, closed INTEGER NOT NULL DEFAULT 0,"
    " marked INTEGER NOT NULL DEFAULT 0, salvaged INTEGER NOT NULL DEFAULT 0,"
    " empty INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,"
    " mtime INTEGER NOT NULL DEFAULT 0, sha256 BLOB, tag_root BLOB, header_sha256 BLOB,"
    " hole_count INTEGER NOT NULL DEFAULT 0, seal_index INTEGER NOT NULL DEFAULT 0,"
    " sealed INTEGER NOT NULL DEFAULT 0, uid INTEGER NOT NULL, client TEXT NOT NULL);"
    "CREATE INDEX versions_node ON versions (node);"
    "CREATE INDEX versions_maker ON versions (uid);"
    "CREATE TABLE discarded (object BLOB PRIMARY KEY, key_id INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX versions_content ON versions (sha256) WHERE sha256 IS NOT NULL;"
    "CREATE TABLE users (uid INTEGER PRIMARY KEY, account TEXT NOT NULL UNIQUE,"
    " name TEXT NOT NULL, unit TEXT NOT NULL, clearance INTEGER NOT NULL, badge TEXT NOT NULL,"
    " badge_from INTEGER NOT NULL, badge_until INTEGER NOT NULL,"
    " disabled INTEGER NOT NULL DEFAULT 0, first TEXT NOT NULL DEFAULT '',"
    " idx INTEGER NOT NULL);"
    "CREATE TABLE roles (uid INTEGER NOT NULL, position INTEGER NOT NULL, role TEXT NOT NULL,"
    " PRIMARY KEY (uid, position)) WITHOUT ROWID;"
    "CREATE TABLE cases (node INTEGER PRIMARY KEY, unit TEXT NOT NULL);"
    "CREATE TABLE case_people (node INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " position INTEGER NOT NULL, lead INTEGER NOT NULL, PRIMARY KEY (node, uid)) WITHOUT ROWID;"
    "CREATE INDEX case_people_uid ON case_people (uid);"
    "CREATE TABLE refusals (idx INTEGER PRIMARY KEY, uid INTEGER NOT NULL, op TEXT NOT NULL,"
    " reason TEXT NOT NULL, node INTEGER NOT NULL, name TEXT NOT NULL, client TEXT NOT NULL,"
    " count INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);"
    "CREATE INDEX refusals_uid ON refusals (uid);"
    "CREATE TABLE alerts (idx INTEGER PRIMARY KEY, kind TEXT NOT NULL, object TEXT,"
    " detail TEXT NOT NULL, time INTEGER NOT NULL);"
    "CREATE TABLE grants (idx INTEGER PRIMARY KEY, node INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " by INTEGER NOT NULL, made INTEGER NOT NULL, until INTEGER NOT NULL,"
    " ended INTEGER NOT NULL DEFAULT 0, purpose TEXT NOT NULL);"
    "CREATE INDEX grants_uid ON grants (uid, node);"
    "CREATE TABLE views (idx INTEGER PRIMARY KEY, node INTEGER NOT NULL, uid INTEGER NOT NULL,"
    " client TEXT NOT NULL, grant_idx INTEGER NOT NULL, day INTEGER NOT NULL,"
    " opens INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " coarse INTEGER NOT NULL, ranges BLOB NOT NULL);"
    "CREATE INDEX views_node ON views (node);"
    "CREATE TABLE pages (page INTEGER PRIMARY KEY, generation INTEGER NOT NULL,"
    " sha256 BLOB NOT NULL, idx INTEGER NOT NULL);"
    "CREATE TABLE slots (slot TEXT PRIMARY KEY, label TEXT NOT NULL, sha256 BLOB NOT NULL,"
    " idx INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE policy_files (file TEXT PRIMARY KEY, sha256 BLOB NOT NULL,"
    " idx INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE unindexed (node INTEGER PRIMARY KEY);"
    "CREATE VIRTUAL TABLE names USING fts5 (fold, columnsize = 0, tokenize = 'strongroom');";

const char *const catdb_statement_sql[CATDB_STATEMENT_COUNT] = {
#define CATDB_SQL(name, sql) [CATDB_##name] = sql,
    CATDB_STATEMENTS(CATDB_SQL)
#undef CATDB_SQL
};
