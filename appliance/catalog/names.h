/* The index of words of names and labels, and the facts beside it. Private to appliance/catalog/. */
#ifndef SR_CATALOG_NAMES_H
#define SR_CATALOG_NAMES_H

#include "catalog/catdb.h"

/* Notes that the index no longer matches this node: it is new, renamed or gone. Projection does not
 * write the index itself, because FTS5 flushes its buffers at every savepoint. */
int names_mark(struct catalog *catalog, uint64_t node);
/* The same of the node and all below it: what lies above them has changed. */
int names_mark_below(struct catalog *catalog, uint64_t node);
/* Ends the long transaction, then brings the index up to date in one of its own. Under the lock. */
int names_flush(struct catalog *catalog);

#endif
