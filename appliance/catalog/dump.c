#include "catalog/dump.h"

#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"
#include "catalog/names.h"

static const char *const tables[] = {
    "SELECT 'applied', * FROM applied ORDER BY idx",
    "SELECT 'nodes', * FROM nodes ORDER BY id",
    "SELECT 'versions', * FROM versions ORDER BY create_index",
    "SELECT 'described', * FROM described ORDER BY create_index",
    "SELECT 'text_objects', * FROM text_objects ORDER BY object",
    "SELECT 'labels', * FROM labels ORDER BY node, label, at, source, idx, seq",
    "SELECT 'entered', * FROM entered ORDER BY idx",
    "SELECT 'archived', * FROM archived ORDER BY idx",
    "SELECT 'retained', * FROM retained ORDER BY idx",
    "SELECT 'label_files', * FROM label_files ORDER BY uid, create_index",
    "SELECT 'users', * FROM users ORDER BY uid",
    "SELECT 'roles', * FROM roles ORDER BY uid, position",
    "SELECT 'cases', * FROM cases ORDER BY node",
    "SELECT 'case_people', * FROM case_people ORDER BY node, position",
    "SELECT 'refusals', * FROM refusals ORDER BY idx",
    "SELECT 'grants', * FROM grants ORDER BY idx",
    "SELECT 'views', * FROM views ORDER BY idx",
    "SELECT 'alerts', * FROM alerts ORDER BY idx",
    "SELECT 'pages', * FROM pages ORDER BY page",
    "SELECT 'slots', * FROM slots ORDER BY slot",
    "SELECT 'policy_files', * FROM policy_files ORDER BY file",
    "SELECT 'names', rowid, * FROM names ORDER BY rowid",
    "SELECT 'subjects', * FROM subjects ORDER BY node, key",
    /* Texts, and the rows they have, are not of the ledger. */
    "SELECT 'facts', node, anchor, size, duration, captured, sealed, uid, level, marks, type, "
    "flags "
    "FROM facts ORDER BY node",
};

/* Each yields a row where its invariant (the number in catdb.h) is broken. */
static const struct {
    const char *what, *sql;
} invariants[] = {
    {"1: applied below low", "SELECT 1 FROM applied, progress WHERE idx <= low"},
    {"2: current is the newest version",
     "SELECT 1 FROM nodes n WHERE kind = 10 AND current IS NOT "
     "(SELECT max(create_index) FROM versions WHERE node = n.id)"},
    {"2: only records have versions",
     "SELECT 1 FROM nodes WHERE kind <> 10 AND current IS NOT NULL "
     "UNION ALL SELECT 1 FROM versions WHERE node NOT IN (SELECT id FROM nodes WHERE kind = 10)"},
    {"3: what is sealed has a seal",
     "SELECT 1 FROM versions WHERE (state <> 0) <> (seal_index > 0 AND sha256 IS NOT NULL)"},
    {"9: what is not described waits",
     "SELECT 1 FROM versions WHERE state <> 0 AND create_index NOT IN (SELECT create_index FROM "
     "described UNION ALL SELECT create_index FROM undescribed) UNION ALL SELECT 1 FROM "
     "undescribed "
     "WHERE create_index NOT IN (SELECT create_index FROM versions WHERE state <> 0)"},
    {"10: numbers are 1 to their count, of records; so are labels",
     "SELECT 1 FROM entered GROUP BY in_case, series HAVING max(number) <> count(*) UNION ALL "
     "SELECT 1 FROM entered WHERE node NOT IN (SELECT id FROM nodes WHERE kind = 10) UNION ALL "
     "SELECT 1 FROM labels WHERE node NOT IN (SELECT id FROM nodes WHERE kind = 10)"},
    {"12: 件号 are 1 to their count, of records",
     "SELECT 1 FROM archived GROUP BY series HAVING max(number) <> count(*) UNION ALL "
     "SELECT 1 FROM archived WHERE node NOT IN (SELECT id FROM nodes WHERE kind = 10)"},
    {"5: names is the nodes' names",
     "SELECT 1 FROM (SELECT rowid AS id, fold FROM names EXCEPT SELECT id, fold FROM nodes) "
     "UNION ALL SELECT 1 FROM (SELECT id, fold FROM nodes WHERE kind IN (3, 4, 6, 9, 10) "
     "AND parent <> 0 EXCEPT SELECT rowid, fold FROM names)"},
    {"11: facts is the searched nodes, as they are classified",
     "SELECT 1 FROM (SELECT node, level, marks FROM facts EXCEPT SELECT id, level, marks FROM "
     "nodes) "
     "UNION ALL SELECT 1 FROM (SELECT rowid FROM names EXCEPT SELECT node FROM facts)"},
    {"13: subjects are those of records that are searched",
     "SELECT 1 FROM subjects WHERE name = '' OR key <= 0 OR node NOT IN (SELECT node FROM facts "
     "WHERE flags & 8 = 0)"},
    {"7: a case has a unit and a lead",
     "SELECT 1 FROM nodes n WHERE kind = 6 AND NOT (id IN (SELECT node FROM cases) AND EXISTS "
     "(SELECT 1 FROM case_people c WHERE c.node = n.id AND c.lead = 1)) "
     "UNION ALL SELECT 1 FROM (SELECT node FROM cases UNION ALL SELECT node FROM case_people) "
     "WHERE node NOT IN (SELECT id FROM nodes WHERE kind = 6)"},
    {"8: level and marks are those of the node and all above",
     "WITH RECURSIVE tree (id, level, marks) AS ("
     "SELECT id, own_level, own_marks FROM nodes WHERE parent = 0 UNION ALL "
     "SELECT n.id, max(n.own_level, t.level), n.own_marks | t.marks "
     "FROM nodes n JOIN tree t ON n.parent = t.id) "
     "SELECT 1 FROM nodes n LEFT JOIN tree t ON t.id = n.id "
     "WHERE n.level IS NOT t.level OR n.marks IS NOT t.marks"},
    {"every node has a parent",
     "SELECT 1 FROM nodes n WHERE id <> 1 AND NOT (parent = 0 AND kind = 10) "
     "AND parent NOT IN (SELECT id FROM nodes WHERE kind NOT IN (1, 10, 11))"},
    {"a name and instance is one node",
     "SELECT 1 FROM nodes WHERE parent <> 0 GROUP BY parent, name, instance HAVING count(*) > 1"},
};

static const char counts_sql[] =
    "WITH shown AS (SELECT CASE WHEN state <> 0 AND create_index <> current THEN 3 ELSE state END "
    "AS state FROM versions JOIN nodes ON id = node) SELECT "
    "(SELECT low FROM progress) + (SELECT count(*) FROM applied), "
    "(SELECT count(*) FROM nodes WHERE kind = 6), (SELECT count(*) FROM nodes WHERE kind = 10), "
    "(SELECT count(*) FROM shown WHERE state = 0), (SELECT count(*) FROM shown WHERE state = 1), "
    "(SELECT count(*) FROM shown WHERE state = 2), (SELECT count(*) FROM shown WHERE state = 3), "
    "(SELECT count(*) FROM refusals), (SELECT count(*) FROM users), (SELECT count(*) FROM alerts)";

static void dump_column(sqlite3_stmt *statement, int column, struct sr_buf *out)
{
    const uint8_t *data;
    int len;

    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        sr_buf_format(out, "%lld", (long long)sqlite3_column_int64(statement, column));
        break;
    case SQLITE_TEXT:
        sr_buf_format(out, "\"%s\"", (const char *)sqlite3_column_text(statement, column));
        break;
    case SQLITE_BLOB:
        data = sqlite3_column_blob(statement, column);
        len = sqlite3_column_bytes(statement, column);
        for (int i = 0; i < len; i++)
            sr_buf_format(out, "%02x", data[i]);
        break;
    default:
        sr_buf_text(out, "-");
    }
}

void dump_row(sqlite3_stmt *statement, struct sr_buf *out)
{
    for (int i = 0, count = sqlite3_column_count(statement); i < count; i++) {
        dump_column(statement, i, out);
        sr_buf_text(out, i + 1 < count ? " " : "\n");
    }
}

const char *dump_table_sql(size_t index)
{
    return index < sizeof(tables) / sizeof(tables[0]) ? tables[index] : NULL;
}

static int dump_table(struct catalog *catalog, const char *sql, struct sr_buf *out)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(catalog->db, sql, -1, &statement, NULL);

    if (rc != SQLITE_OK)
        return catdb_fail(catalog, rc);
    while ((rc = catdb_next(catalog, statement)) > 0)
        dump_row(statement, out);
    sqlite3_finalize(statement);
    return rc;
}

int dump_text(struct catalog *catalog, struct sr_buf *out)
{
    int rc;

    catdb_lock(catalog);
    rc = names_flush(catalog);
    if (rc == 0 && (rc = catdb_begin(catalog)) == 0)
        rc = catdb_save_progress(catalog);
    for (size_t i = 0; rc == 0 && i < sizeof(tables) / sizeof(tables[0]); i++)
        rc = dump_table(catalog, tables[i], out);
    catdb_unlock(catalog);
    if (rc == 0 && out->failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    return rc;
}

static int check_none(struct catalog *catalog, const char *what, const char *sql)
{
    struct sr_buf rows = {0};
    int rc = dump_table(catalog, sql, &rows);

    if (rc == 0 && rows.len > 0)
        rc = sr_fail(SR_ERR_DAMAGED, "catalog: invariant %s", what);
    sr_buf_free(&rows);
    return rc;
}

static int check_counts(struct catalog *catalog)
{
    const struct catalog_counts *c = &catalog->counts;
    const uint64_t kept[] = {catalog->low + catalog->applied_count,
                             c->cases,
                             c->records,
                             c->staging,
                             c->sealed,
                             c->incomplete,
                             c->superseded,
                             c->refusals,
                             c->users,
                             c->alerts};
    struct sr_buf counted = {0}, expected = {0};
    int rc = dump_table(catalog, counts_sql, &counted);

    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        sr_buf_format(&expected, "%llu%s", (unsigned long long)kept[i],
                      i + 1 < sizeof(kept) / sizeof(kept[0]) ? " " : "\n");
    if (rc == 0 && (counted.failed || expected.failed))
        rc = sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    if (rc == 0 && strcmp(counted.data, expected.data) != 0)
        rc = sr_fail(SR_ERR_DAMAGED, "catalog: invariant 4: counted %s kept %s", counted.data,
                     expected.data);
    sr_buf_free(&counted);
    sr_buf_free(&expected);
    return rc;
}

int dump_check(struct catalog *catalog)
{
    int rc;

    catdb_lock(catalog);
    rc = names_flush(catalog);
    if (rc == 0 && (rc = catdb_begin(catalog)) == 0)
        rc = catdb_save_progress(catalog);
    for (size_t i = 0; rc == 0 && i < sizeof(invariants) / sizeof(invariants[0]); i++)
        rc = check_none(catalog, invariants[i].what, invariants[i].sql);
    if (rc == 0)
        rc = check_counts(catalog);
    catdb_unlock(catalog);
    return rc;
}
