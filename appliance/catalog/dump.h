/* The whole view as text, to compare two projections of one ledger, and a checker of the invariants
 * of catdb.h. Used by tests and fuzzing. Private to appliance/catalog/. */
#ifndef SR_CATALOG_DUMP_H
#define SR_CATALOG_DUMP_H

#include <sqlite3.h>

#include "base/bytes.h"
#include "catalog/catalog.h"

/* Appends every row of every table, in a fixed order. Holds the names: not for logs. */
int dump_text(struct catalog *catalog, struct sr_buf *out);
/* SR_ERR_DAMAGED names the first invariant that does not hold. */
int dump_check(struct catalog *catalog);

/* The current row as one line. */
void dump_row(sqlite3_stmt *statement, struct sr_buf *out);
/* A statement that gives one table in a fixed order, its name first; NULL behind the last. */
const char *dump_table_sql(size_t index);

#endif
