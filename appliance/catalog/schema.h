/* The catalog's tables and every statement that is ever run on them. Private to appliance/catalog/.
 * Statements are prepared once, when the catalog is opened. */
#ifndef SR_CATALOG_SCHEMA_H
#define SR_CATALOG_SCHEMA_H

extern const char catdb_schema_sql[];
/* The indexes that no projection asks: of a new file that takes a whole ledger they are made at the end, sorted. */
extern const char catdb_late_sql[];
extern const char catdb_not_yet_sql[]; /* takes them away again */

/* A version: catdb_read_version. */
#define CATDB_VERSION_COLUMNS                                                                     \
    "v.object, v.key_id, v.node, v.state, v.create_index = n.current, v.closed, v.marked, "       \
    "v.salvaged, v.empty, v.size, v.mtime, v.sha256, v.tag_root, v.header_sha256, v.hole_count, " \
    "v.create_index, v.seal_index, v.sealed, v.uid, v.client"
/* A node with its current version: catdb_read_node. */
#define CATDB_NODE_COLUMNS                                                                     \
    "n.id, n.parent, n.kind, n.name, n.instance, n.uid, n.created, n.changed, n.provisional, " \
    "n.draft, n.junk, n.moved_to, n.level, n.marks, n.own_level, n.own_marks, "                \
    "n.own_until, " CATDB_VERSION_COLUMNS
#define CATDB_VERSION_COUNT 20
#define CATDB_VERSION_AT 17 /* index of the first version column among the node columns */
/* A person without the roles: read_user of people.c. */
#define CATDB_USER_COLUMNS \
    "uid, account, name, unit, clearance, badge, badge_from, badge_until, disabled, first"
#define CATDB_TEXT_COLUMNS "t.object, t.key_id, t.size, t.sha256, t.tag_root, t.header_sha256"
#define CATDB_GRANT_COLUMNS "idx, node, uid, by, made, until, ended, purpose"
/* how: the index to use, so that no statement on the path of a FUSE call is left to the planner. */
#define CATDB_NODES(how)                              \
    "SELECT " CATDB_NODE_COLUMNS " FROM nodes n " how \
    " LEFT JOIN versions v ON v.create_index = n.current "

/* Kinds stand in SQL as numbers; schema.c asserts that they are the enum's. */
#define CATDB_STATEMENTS(X)                                                                        \
    X(SAVEPOINT, "SAVEPOINT entry")                                                                \
    X(RELEASE, "RELEASE entry")                                                                    \
    X(ROLLBACK_TO, "ROLLBACK TO entry")                                                            \
    X(BEGIN, "BEGIN")                                                                              \
    X(ROLLBACK, "ROLLBACK")                                                                        \
    X(COMMIT, "COMMIT")                                                                            \
    X(PROGRESS_SET,                                                                                \
      "UPDATE progress SET low = ?1, high = ?2, salt = ?3, cases = ?4, records = ?5, "             \
      "staging = ?6, sealed = ?7, incomplete = ?8, superseded = ?9, refusals = ?10, "              \
      "users = ?11, alerts = ?12")                                                                 \
    X(PROGRESS_GET, "SELECT low, high, salt, cases, records, staging, sealed, incomplete, "        \
                    "superseded, refusals, users, alerts, (SELECT count(*) FROM applied) "         \
                    "FROM progress")                                                               \
    X(APPLIED_HAS, "SELECT 1 FROM applied WHERE idx = ?1")                                         \
    X(APPLIED_ADD, "INSERT INTO applied VALUES (?1)")                                              \
    X(APPLIED_DROP, "DELETE FROM applied WHERE idx = ?1")                                          \
    X(NODE_GET, CATDB_NODES("") "WHERE n.id = ?1")                                                 \
    X(NODE_NAMED, CATDB_NODES("INDEXED BY nodes_name") "WHERE n.parent = ?1 AND n.name = ?2 "      \
                                                       "ORDER BY n.instance")                      \
    X(NODE_TWINS, CATDB_NODES("INDEXED BY nodes_fold") "WHERE n.parent = ?1 AND n.fold = ?2 "      \
                                                       "AND n.name <> ?3 ORDER BY n.id")           \
    X(NODE_CHILDREN,                                                                               \
      CATDB_NODES("INDEXED BY nodes_parent") "WHERE n.parent = ?1 AND n.id > ?2 ORDER BY n.id")    \
    X(NODE_PLACE, "SELECT parent, kind, name, instance, provisional FROM nodes WHERE id = ?1")     \
    X(NODE_INSERT,                                                                                 \
      "INSERT INTO nodes (id, parent, kind, name, fold, instance, uid, created, changed, "         \
      "provisional, draft, junk, moved_to, level, marks) "                                         \
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9, ?10, ?11, ?12, "                            \
      "coalesce((SELECT level FROM nodes WHERE id = ?2), 0), "                                     \
      "coalesce((SELECT marks FROM nodes WHERE id = ?2), 0))")                                     \
    X(NODE_MOVE, "UPDATE nodes SET parent = ?2, name = ?3, fold = ?4, instance = ?5, draft = ?6, " \
                 "junk = ?7, changed = max(changed, ?8) WHERE id = ?1")                            \
    X(NODE_TOUCH, "UPDATE nodes SET changed = max(changed, ?2) WHERE id = ?1")                     \
    X(NODE_CURRENT, "UPDATE nodes SET current = ?2, changed = max(changed, ?3) WHERE id = ?1")     \
    X(NODE_CONFIRM, "UPDATE nodes SET provisional = 0 WHERE id = ?1 AND provisional = 1")          \
    X(NODE_CLASS, "UPDATE nodes SET own_level = ?2, own_marks = ?3, own_until = ?4, "              \
                  "approver = ?5, changed = max(changed, ?6) WHERE id = ?1")                       \
    X(NODE_APPROVER, "SELECT approver FROM nodes WHERE id = ?1")                                   \
    /* What is effective of a node and of all below it. */                                         \
    X(NODE_CLASS_BELOW,                                                                            \
      "WITH RECURSIVE below (id, level, marks) AS ("                                               \
      "SELECT n.id, max(n.own_level, coalesce(p.level, 0)), n.own_marks | coalesce(p.marks, 0) "   \
      "FROM nodes n LEFT JOIN nodes p ON p.id = n.parent WHERE n.id = ?1 UNION ALL "               \
      "SELECT n.id, max(n.own_level, b.level), n.own_marks | b.marks "                             \
      "FROM below b CROSS JOIN nodes n INDEXED BY nodes_parent ON n.parent = b.id) "               \
      "UPDATE nodes SET level = b.level, marks = b.marks FROM below b WHERE nodes.id = b.id")      \
    X(NODE_DELETE, "DELETE FROM nodes WHERE id = ?1")                                              \
    X(FIXED_DATE, "UPDATE nodes SET created = ?1, changed = max(changed, ?1) WHERE id <= 255")     \
    X(STUBS_DELETE, "DELETE FROM nodes WHERE moved_to = ?1 AND moved_to <> 0")                     \
    X(INSTANCE_NEXT, "SELECT max(instance) + 1 FROM nodes WHERE parent = ?1 AND name = ?2")        \
    X(FOLDER_TAKEN, "SELECT 1 FROM nodes WHERE parent = ?1 AND name = ?2 AND kind <> 11 "          \
                    "AND id <> ?3")                                                                \
    X(CHILDREN_DELETE, "DELETE FROM nodes WHERE parent = ?1")                                      \
    X(NOT_EMPTY, "SELECT 1 FROM nodes c WHERE c.parent = ?1 AND (c.kind NOT IN (7, 8) "            \
                 "OR EXISTS (SELECT 1 FROM nodes d WHERE d.parent = c.id)) LIMIT 1")               \
    X(HAS_SEALED,                                                                                  \
      "WITH RECURSIVE below (id) AS (VALUES (?1) UNION ALL "                                       \
      "SELECT n.id FROM nodes n INDEXED BY nodes_parent JOIN below b ON n.parent = "               \
      "b.id " /* Depth first, newest nodes first. SQLite drops an ORDER BY without LIMIT. */       \
      "ORDER BY 1 DESC LIMIT -1) "                                                                 \
      "SELECT 1 FROM below b CROSS JOIN versions v INDEXED BY versions_node ON "                   \
      "v.node = b.id "                                                                             \
      "WHERE v.state <> 0 LIMIT 1")                                                                \
    X(VERSION_INSERT, "INSERT INTO versions (create_index, object, key_id, node, uid, client) "    \
                      "VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                                           \
    X(VERSION_CLOSE, "UPDATE versions SET closed = 1, size = ?2, mtime = ?3 "                      \
                     "WHERE create_index = ?1")                                                    \
    X(VERSION_REOPEN, "UPDATE versions SET closed = 0 WHERE create_index = ?1")                    \
    X(VERSION_SEAL,                                                                                \
      "UPDATE versions SET state = ?2, size = ?3, mtime = ?4, sha256 = ?5, tag_root = ?6, "        \
      "header_sha256 = ?7, hole_count = ?8, salvaged = ?9, empty = ?10, seal_index = ?11, "        \
      "sealed = ?12, closed = 1 WHERE create_index = ?1")                                          \
    X(VERSION_MARK, "UPDATE versions SET state = 2, marked = 1 WHERE create_index = ?1")           \
    X(VERSION_MOVE, "UPDATE versions SET create_index = ?2, node = ?3 WHERE create_index = ?1")    \
    X(VERSION_DELETE, "DELETE FROM versions WHERE create_index = ?1")                              \
    X(VERSION_NEWEST, "SELECT max(create_index) FROM versions WHERE node = ?1")                    \
    X(VERSION_OBJECT, "SELECT " CATDB_VERSION_COLUMNS                                              \
                      " FROM versions v JOIN nodes n ON n.id = v.node WHERE v.object = ?1")        \
    X(VERSIONS_OF, "SELECT " CATDB_VERSION_COLUMNS                                                 \
                   " FROM versions v INDEXED BY versions_node CROSS JOIN nodes n ON n.id = v.node" \
                   " WHERE v.node = ?1 ORDER BY v.create_index")                                   \
    X(VERSIONS_ALL,                                                                                \
      "SELECT " CATDB_VERSION_COLUMNS " FROM versions v CROSS JOIN nodes n ON n.id = v.node"       \
      " ORDER BY v.create_index")                                                                  \
    X(SAME_CONTENT,                                                                                \
      "SELECT " CATDB_NODE_COLUMNS " FROM versions v CROSS JOIN nodes n ON n.id = v.node "         \
      "AND n.current = v.create_index WHERE v.sha256 = ?1 ORDER BY v.create_index")                \
    X(RECORDS_OF, "SELECT " CATDB_NODE_COLUMNS                                                     \
                  " FROM versions v INDEXED BY versions_maker CROSS JOIN nodes n "                 \
                  "ON n.id = v.node WHERE v.uid = ?1 ORDER BY v.create_index DESC LIMIT ?2")       \
    X(DISCARD_ADD, "INSERT OR IGNORE INTO discarded VALUES (?1, ?2)")                              \
    X(DISCARD_HAS, "SELECT 1 FROM discarded WHERE object = ?1")                                    \
    X(DISCARD_KEYS, "SELECT key_id FROM discarded")                                                \
    X(INDEX_MARK, "INSERT OR IGNORE INTO unindexed VALUES (?1)")                                   \
    X(INDEX_MARK_CHILDREN, "INSERT OR IGNORE INTO unindexed SELECT id FROM nodes "                 \
                           "WHERE parent = ?1")                                                    \
    X(INDEX_COUNT, "SELECT count(*) FROM unindexed")                                               \
    X(INDEX_DROP, "DELETE FROM names WHERE rowid IN (SELECT u.node FROM unindexed u "              \
                  "CROSS JOIN facts f ON f.node = u.node)")                                        \
    X(INDEX_NEXT, "SELECT node FROM unindexed ORDER BY node")                                      \
    X(INDEX_ADD, "INSERT INTO names (rowid, fold, case_number, place, person, proves, subject, "   \
                 "number, content, talk, device, archive) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "    \
                 "?8, ?9, ?10, ?11, ?12)")                                                         \
    X(INDEX_MARK_BELOW,                                                                            \
      "WITH RECURSIVE below (id) AS (VALUES (?1) UNION ALL SELECT n.id FROM below b "              \
      "CROSS JOIN nodes n INDEXED BY nodes_parent ON n.parent = b.id) "                            \
      "INSERT OR IGNORE INTO unindexed SELECT id FROM below")                                      \
    X(INDEX_NODE,                                                                                  \
      "SELECT " CATDB_NODE_COLUMNS ", n.fold, d.type, d.duration, "                                \
      "CASE WHEN t.create_index = n.current THEN t.row + 1 ELSE 0 END, "                           \
      "(SELECT in_case FROM entered e INDEXED BY entered_node WHERE e.node = n.id "                \
      "ORDER BY e.idx DESC LIMIT 1), "                                                             \
      "EXISTS (SELECT 1 FROM archived a INDEXED BY archived_node WHERE a.node = n.id) "            \
      "FROM nodes n LEFT JOIN versions v ON v.create_index = n.current "                           \
      "LEFT JOIN described d ON d.create_index = n.current "                                       \
      "LEFT JOIN text_rows t ON t.node = n.id WHERE n.id = ?1")                                    \
    X(FACT_SET, "INSERT OR REPLACE INTO facts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "   \
                "?11, ?12)")                                                                       \
    X(FACT_DROP, "DELETE FROM facts WHERE node = ?1")                                              \
    X(FACTS_ALL, "SELECT node, anchor, size, duration, captured, sealed, uid, level, marks, "      \
                 "type, flags, text FROM facts ORDER BY node")                                     \
    X(SUBJECTS_OF, "SELECT key, name FROM subjects WHERE node = ?1")                               \
    X(SUBJECTS_DROP, "DELETE FROM subjects WHERE node = ?1")                                       \
    X(SUBJECT_ADD, "INSERT INTO subjects VALUES (?1, ?2, ?3)")                                     \
    X(SUBJECT_NAME, "SELECT name FROM subjects WHERE node = ?1 AND key = ?2")                      \
    X(SUBJECTS_ALL, "SELECT key, node FROM subjects")                                              \
    X(NAMES_MATCH, "SELECT rowid FROM names WHERE names MATCH ?1")                                 \
    X(TEXTS_MATCH, "SELECT rowid FROM texts WHERE texts MATCH ?1")                                 \
    X(TEXT_INDEX, "INSERT INTO texts (rowid, body) VALUES (?1, ?2)")                               \
    X(TEXT_ROW_GET, "SELECT row, create_index FROM text_rows WHERE node = ?1")                     \
    X(TEXT_ROW_SET, "INSERT OR REPLACE INTO text_rows VALUES (?1, ?2, ?3)")                        \
    X(TEXT_ROW_LOSE, "UPDATE text_rows SET create_index = 0 WHERE node = ?1")                      \
    X(USERS_NAMED, "SELECT uid FROM users WHERE account = ?1 OR name = ?1")                        \
    X(UNTEXTED_ADD, "INSERT OR IGNORE INTO untexted VALUES (?1)")                                  \
    X(UNTEXTED_DROP, "DELETE FROM untexted WHERE create_index = ?1")                               \
    X(UNTEXTED_NEXT, "SELECT " CATDB_VERSION_COLUMNS ", " CATDB_TEXT_COLUMNS                       \
                     " FROM untexted u CROSS JOIN versions v ON v.create_index = "                 \
                     "u.create_index CROSS JOIN nodes n ON n.id = v.node LEFT JOIN described d "   \
                     "ON d.create_index = u.create_index LEFT JOIN text_objects t "                \
                     "ON t.object = d.text WHERE u.create_index >= ?1 "                            \
                     "ORDER BY u.create_index LIMIT 1")                                            \
    X(UNTEXTED_COUNT, "SELECT count(*) FROM untexted")                                             \
    X(INDEX_CLEAR, "DELETE FROM unindexed")                                                        \
    X(DESCRIBED_SET,                                                                               \
      "INSERT INTO described VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (create_index) "  \
      "DO UPDATE SET idx = excluded.idx, outcome = excluded.outcome, rules = excluded.rules, "     \
      "media = excluded.media, text = excluded.text, type = excluded.type, "                       \
      "duration = excluded.duration WHERE excluded.idx > idx")                                     \
    X(DESCRIBED_GET, "SELECT d.idx, d.outcome, d.rules, d.media, " CATDB_TEXT_COLUMNS              \
                     " FROM described d LEFT JOIN text_objects t ON t.object = d.text "            \
                     "WHERE d.create_index = ?1")                                                  \
    X(UNDESCRIBED_ADD, "INSERT OR IGNORE INTO undescribed VALUES (?1)")                            \
    X(UNDESCRIBED_DROP, "DELETE FROM undescribed WHERE create_index = ?1")                         \
    X(UNDESCRIBED_NEXT, "SELECT " CATDB_VERSION_COLUMNS                                            \
                        " FROM undescribed u CROSS JOIN versions v ON v.create_index = "           \
                        "u.create_index CROSS JOIN nodes n ON n.id = v.node "                      \
                        "WHERE u.create_index >= ?1 ORDER BY u.create_index LIMIT 1")              \
    X(UNDESCRIBED_COUNT, "SELECT (SELECT count(*) FROM undescribed), "                             \
                         "(SELECT count(*) FROM described)")                                       \
    X(UNDESCRIBED_AGAIN, "INSERT OR IGNORE INTO undescribed SELECT create_index FROM versions "    \
                         "WHERE state <> 0 AND (?1 = 0 OR create_index = ?1)")                     \
    X(TEXT_ADD, "INSERT INTO text_objects VALUES (?1, ?2, ?3, ?4, ?5, ?6)")                        \
    X(TEXT_GET, "SELECT " CATDB_TEXT_COLUMNS " FROM text_objects t WHERE t.object = ?1")           \
    X(TEXTS_ALL, "SELECT " CATDB_TEXT_COLUMNS " FROM text_objects t")                              \
    X(LABEL_ADD, "INSERT INTO labels VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")            \
    X(LABELS_OF, "SELECT label, at, source, idx, seq, value, uid, file, time FROM labels "         \
                 "WHERE node = ?1 ORDER BY label, at, source DESC, idx DESC, seq DESC")            \
    X(LABELS_SAID, "SELECT label, at, source, idx, seq, value, uid, file, time FROM labels "       \
                   "WHERE node = ?1 ORDER BY idx, seq")                                            \
    X(ENTERED_ADD, "INSERT INTO entered VALUES (?1, ?2, ?3, ?4, ?5)")                              \
    X(ENTERED_OF, "SELECT in_case, series, number, idx FROM entered INDEXED BY entered_node "      \
                  "WHERE node = ?1 ORDER BY idx DESC LIMIT 1")                                     \
    X(ENTERED_NEXT, "SELECT coalesce(max(number), 0) + 1 FROM entered INDEXED BY entered_number "  \
                    "WHERE in_case = ?1 AND series = ?2")                                          \
    X(PENDING_OF,                                                                                  \
      "WITH RECURSIVE below (id) AS (VALUES (?1) UNION ALL "                                       \
      "SELECT n.id FROM below b CROSS JOIN nodes n INDEXED BY nodes_parent ON n.parent = b.id "    \
      "WHERE n.kind IN (7, 9)) "                                                                   \
      "SELECT " CATDB_NODE_COLUMNS " FROM below b CROSS JOIN nodes n INDEXED BY nodes_parent "     \
      "ON n.parent = b.id JOIN versions v ON v.create_index = n.current "                          \
      "WHERE n.kind = 10 AND n.draft = 0 AND n.junk = 0 AND v.state <> 0 AND NOT EXISTS "          \
      "(SELECT 1 FROM entered e WHERE e.node = n.id AND e.in_case = ?1) ORDER BY n.id")            \
    /* Those whose newest number is of another classification, by number. */                       \
    X(ENTERED_STALE,                                                                               \
      "WITH RECURSIVE below (id) AS (VALUES (?1) UNION ALL "                                       \
      "SELECT n.id FROM below b CROSS JOIN nodes n INDEXED BY nodes_parent ON n.parent = b.id) "   \
      "SELECT e.node FROM below b CROSS JOIN entered e INDEXED BY entered_node ON e.node = b.id "  \
      "CROSS JOIN nodes n ON n.id = e.node WHERE e.idx = (SELECT max(idx) FROM entered x INDEXED " \
      "BY entered_node WHERE x.node = e.node) AND e.series <> n.level || '.' || n.marks "          \
      "ORDER BY e.in_case, e.series, e.number")                                                    \
    X(ARCHIVED_ADD, "INSERT INTO archived VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                \
    X(ARCHIVED_OF, "SELECT series, number, digits, idx, time, uid, reason FROM archived "          \
                   "INDEXED BY archived_node WHERE node = ?1 ORDER BY idx")                        \
    X(ARCHIVED_NEXT, "SELECT coalesce(max(number), 0) + 1 FROM archived INDEXED BY "               \
                     "archived_number WHERE series = ?1")                                          \
    X(ARCHIVED_NONE,                                                                               \
      "SELECT e.node FROM entered e INDEXED BY entered_number WHERE e.in_case = ?1 AND e.idx = "   \
      "(SELECT max(idx) FROM entered x INDEXED BY entered_node WHERE x.node = e.node) "            \
      "AND NOT EXISTS (SELECT 1 FROM archived a WHERE a.node = e.node) "                           \
      "ORDER BY e.series, e.number")                                                               \
    X(RETAINED_ADD, "INSERT INTO retained VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")                \
    /* Where it lay before: as set before its stub was made. */                                    \
    X(RETAINED_ON,                                                                                 \
      "WITH RECURSIVE up (id, before) AS (SELECT ?1, 9223372036854775807 UNION ALL "               \
      "SELECT parent, id / 256 - 1 FROM nodes INDEXED BY nodes_stub WHERE moved_to = ?1 "          \
      "AND moved_to <> 0 UNION ALL SELECT n.parent, u.before FROM up u CROSS JOIN nodes n "        \
      "ON n.id = u.id WHERE n.parent <> 0) "                                                       \
      "SELECT DISTINCT r.idx, r.node, r.category, r.months, r.until, r.time, r.uid, r.reason "     \
      "FROM up u CROSS JOIN retained r INDEXED BY retained_node ON r.node = u.id "                 \
      "WHERE r.idx < u.before ORDER BY r.idx")                                                     \
    X(RETAINED_CATEGORIES, "SELECT DISTINCT category FROM retained WHERE category <> '' "          \
                           "ORDER BY category")                                                    \
    X(LABEL_FILE_ADD, "INSERT OR IGNORE INTO label_files VALUES (?1, ?2)")                         \
    X(LABEL_FILES_OF,                                                                              \
      "SELECT " CATDB_NODE_COLUMNS " FROM label_files l CROSS JOIN nodes n "                       \
      "ON n.current = l.create_index AND n.id = (SELECT node FROM versions WHERE "                 \
      "create_index = l.create_index) CROSS JOIN versions v ON v.create_index = n.current "        \
      "WHERE l.uid = ?1 ORDER BY l.create_index DESC LIMIT ?2")                                    \
    X(USER_SET,                                                                                    \
      "INSERT INTO users (uid, account, name, unit, clearance, badge, badge_from, badge_until, "   \
      "idx) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (uid) DO UPDATE SET "          \
      "account = excluded.account, name = excluded.name, unit = excluded.unit, "                   \
      "clearance = excluded.clearance, badge = excluded.badge, badge_from = excluded.badge_from, " \
      "badge_until = excluded.badge_until, idx = excluded.idx")                                    \
    X(USER_FIRST, "UPDATE users SET first = ?2 WHERE uid = ?1")                                    \
    X(USER_DISABLE, "UPDATE users SET disabled = 1, idx = ?2 WHERE uid = ?1")                      \
    X(USER_GET, "SELECT " CATDB_USER_COLUMNS " FROM users WHERE uid = ?1")                         \
    X(USER_BY_ACCOUNT, "SELECT " CATDB_USER_COLUMNS " FROM users WHERE account = ?1")              \
    X(USERS_ALL, "SELECT " CATDB_USER_COLUMNS " FROM users ORDER BY uid")                          \
    X(ROLES_DELETE, "DELETE FROM roles WHERE uid = ?1")                                            \
    X(ROLE_ADD, "INSERT INTO roles VALUES (?1, ?2, ?3)")                                           \
    X(ROLES_OF, "SELECT role FROM roles WHERE uid = ?1 ORDER BY position")                         \
    X(CASE_ADD, "INSERT INTO cases VALUES (?1, ?2)")                                               \
    X(CASE_UNIT, "UPDATE cases SET unit = ?2 WHERE node = ?1")                                     \
    X(CASE_GET, "SELECT unit FROM cases WHERE node = ?1")                                          \
    X(CASE_DELETE, "DELETE FROM cases WHERE node = ?1")                                            \
    X(PEOPLE_DELETE, "DELETE FROM case_people WHERE node = ?1")                                    \
    X(PERSON_ADD, "INSERT INTO case_people VALUES (?1, ?2, ?3, ?4)")                               \
    X(PEOPLE_OF, "SELECT uid, lead FROM case_people WHERE node = ?1 ORDER BY position")            \
    X(CASES_OF,                                                                                    \
      "SELECT " CATDB_NODE_COLUMNS " FROM case_people c INDEXED BY case_people_uid "               \
      "CROSS JOIN nodes n ON n.id = c.node LEFT JOIN versions v ON v.create_index = n.current "    \
      "WHERE c.uid = ?1 ORDER BY c.node")                                                          \
    X(REFUSAL_ADD, "INSERT INTO refusals VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")        \
    X(REFUSALS_OF, "SELECT idx, uid, op, reason, node, name, client, count, first, last "          \
                   "FROM refusals WHERE uid = ?1 ORDER BY idx DESC LIMIT ?2")                      \
    X(GRANT_ADD, "INSERT INTO grants (idx, node, uid, by, made, until, purpose) "                  \
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")                                            \
    X(GRANT_END, "UPDATE grants SET ended = 1 WHERE idx = ?1 AND ended = 0")                       \
    X(GRANT_GET, "SELECT " CATDB_GRANT_COLUMNS " FROM grants WHERE idx = ?1")                      \
    X(GRANT_OF, "SELECT " CATDB_GRANT_COLUMNS " FROM grants INDEXED BY grants_uid "                \
                "WHERE uid = ?1 AND node = ?2 AND ended = 0 AND until > ?3 "                       \
                "ORDER BY until DESC, idx DESC LIMIT 1")                                           \
    X(GRANTS_ALL, "SELECT " CATDB_GRANT_COLUMNS " FROM grants ORDER BY idx")                       \
    X(VIEW_ADD, "INSERT INTO views VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)")         \
    X(VIEWS_OF, "SELECT idx, node, uid, client, grant_idx, day, opens, first, last, coarse, "      \
                "ranges FROM views INDEXED BY views_node WHERE node = ?1 ORDER BY idx")            \
    X(ALERT_ADD, "INSERT INTO alerts VALUES (?1, ?2, ?3, ?4, ?5)")                                 \
    X(PAGE_SET, "INSERT INTO pages VALUES (?1, ?2, ?3, ?4) ON CONFLICT (page) DO UPDATE SET "      \
                "generation = excluded.generation, sha256 = excluded.sha256, idx = excluded.idx "  \
                "WHERE excluded.idx > idx")                                                        \
    X(PAGE_HASH, "SELECT sha256 FROM pages WHERE page = ?1")                                       \
    X(SLOT_SET, "INSERT INTO slots VALUES (?1, ?2, ?3, ?4) ON CONFLICT (slot) DO UPDATE SET "      \
                "label = excluded.label, sha256 = excluded.sha256, idx = excluded.idx "            \
                "WHERE excluded.idx > idx")                                                        \
    X(SLOT_DELETE, "DELETE FROM slots WHERE slot = ?1")                                            \
    X(SLOT_HASH, "SELECT sha256 FROM slots WHERE slot = ?1")                                       \
    X(POLICY_CLEAR, "DELETE FROM policy_files")                                                    \
    X(POLICY_ADD, "INSERT INTO policy_files VALUES (?1, ?2, ?3)")

enum catdb_statement {
#define CATDB_ENUM(name, sql) CATDB_##name,
    CATDB_STATEMENTS(CATDB_ENUM)
#undef CATDB_ENUM
        CATDB_STATEMENT_COUNT
};

extern const char *const catdb_statement_sql[CATDB_STATEMENT_COUNT];

#endif
