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
    "CREATE TABLE progress (low INTEGER NOT NULL, high INTEGER NOT NULL, salt TEXT NOT NULL,"
    " cases INTEGER NOT NULL, records INTEGER NOT NULL, staging INTEGER NOT NULL,"
    " sealed INTEGER NOT NULL, incomplete INTEGER NOT NULL, superseded INTEGER NOT NULL,"
    " refusals INTEGER NOT NULL, users INTEGER NOT NULL, alerts INTEGER NOT NULL);"
    "INSERT INTO progress VALUES (0, 0, '', 0, 0, 0, 0, 0, 0, 0, 0, 0);"
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
    "CREATE TABLE discarded (object BLOB PRIMARY KEY, key_id INTEGER NOT NULL) WITHOUT ROWID;"
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
    "CREATE TABLE described (create_index INTEGER PRIMARY KEY, idx INTEGER NOT NULL,"
    " outcome TEXT NOT NULL, rules INTEGER NOT NULL, media TEXT, text BLOB,"
    " type INTEGER NOT NULL, duration INTEGER NOT NULL);"
    "CREATE TABLE undescribed (create_index INTEGER PRIMARY KEY);"
    "CREATE TABLE text_objects (object BLOB PRIMARY KEY, key_id INTEGER NOT NULL, size INTEGER NOT "
    "NULL,"
    " sha256 BLOB NOT NULL, tag_root BLOB NOT NULL, header_sha256 BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE labels (node INTEGER NOT NULL, label INTEGER NOT NULL, at INTEGER NOT NULL,"
    " source INTEGER NOT NULL, idx INTEGER NOT NULL, seq INTEGER NOT NULL, value TEXT NOT NULL,"
    " uid INTEGER NOT NULL, file INTEGER NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY (node, label, at, source, idx, seq)) WITHOUT ROWID;"
    "CREATE TABLE entered (idx INTEGER PRIMARY KEY, node INTEGER NOT NULL,"
    " in_case INTEGER NOT NULL, series TEXT NOT NULL, number INTEGER NOT NULL);"
    "CREATE UNIQUE INDEX entered_number ON entered (in_case, series, number);"
    "CREATE INDEX entered_node ON entered (node);"
    "CREATE TABLE archived (idx INTEGER PRIMARY KEY, node INTEGER NOT NULL, series TEXT NOT NULL,"
    " number INTEGER NOT NULL, digits INTEGER NOT NULL, time INTEGER NOT NULL,"
    " uid INTEGER NOT NULL, reason TEXT NOT NULL);"
    "CREATE UNIQUE INDEX archived_number ON archived (series, number);"
    "CREATE INDEX archived_node ON archived (node);"
    "CREATE TABLE retained (idx INTEGER PRIMARY KEY, node INTEGER NOT NULL,"
    " category TEXT NOT NULL, months INTEGER NOT NULL, until INTEGER NOT NULL,"
    " time INTEGER NOT NULL, uid INTEGER NOT NULL, reason TEXT NOT NULL);"
    "CREATE INDEX retained_node ON retained (node);"
    "CREATE TABLE label_files (uid INTEGER NOT NULL, create_index INTEGER NOT NULL,"
    " PRIMARY KEY (uid, create_index)) WITHOUT ROWID;"
    "CREATE TABLE unindexed (node INTEGER PRIMARY KEY);"
    "CREATE VIRTUAL TABLE names USING fts5 (fold, case_number, place, person, proves, subject,"
    " number, content, talk, device, archive, columnsize = 0, tokenize = 'strongroom');"
    "CREATE TABLE facts (node INTEGER PRIMARY KEY, anchor INTEGER NOT NULL, size INTEGER NOT NULL,"
    " duration INTEGER NOT NULL, captured INTEGER NOT NULL, sealed INTEGER NOT NULL,"
    " uid INTEGER NOT NULL, level INTEGER NOT NULL, marks INTEGER NOT NULL, type INTEGER NOT NULL,"
    " flags INTEGER NOT NULL, text INTEGER NOT NULL);"
    "CREATE TABLE subjects (node INTEGER NOT NULL, key INTEGER NOT NULL, name TEXT NOT NULL,"
    " PRIMARY KEY (node, key)) WITHOUT ROWID;"
    "CREATE TABLE untexted (create_index INTEGER PRIMARY KEY);"
    "CREATE TABLE text_rows (node INTEGER PRIMARY KEY, row INTEGER NOT NULL,"
    " create_index INTEGER NOT NULL);"
    "CREATE VIRTUAL TABLE texts USING fts5 (body, content = '', columnsize = 0,"
    " tokenize = 'strongroom');"
    /* What is gathered before it is written: fewer, larger pieces, and so less merging of them. */
    "INSERT INTO names (names, rank) VALUES ('hashsize', 16777216);"
    "INSERT INTO texts (texts, rank) VALUES ('hashsize', 16777216);";

const char catdb_late_sql[] =
    "CREATE INDEX nodes_fold ON nodes (parent, fold);"
    "CREATE INDEX versions_maker ON versions (uid);"
    "CREATE INDEX versions_content ON versions (sha256) WHERE sha256 IS NOT NULL";
const char catdb_not_yet_sql[] =
    "DROP INDEX nodes_fold; DROP INDEX versions_maker; DROP INDEX versions_content";

const char *const catdb_statement_sql[CATDB_STATEMENT_COUNT] = {
#define CATDB_SQL(name, sql) [CATDB_##name] = sql,
    CATDB_STATEMENTS(CATDB_SQL)
#undef CATDB_SQL
};
