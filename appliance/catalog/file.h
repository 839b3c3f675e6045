/* The catalog as a file, VAULT/catalog.db: encrypted (docs/format-catalog.md), and never believed over the
 * ledger. Commits to disk only what the ledger cannot lose; bound to its ledger by the salt of the last
 * entry that it knows. Deleting it loses nothing. */
#ifndef SR_CATALOG_FILE_H
#define SR_CATALOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "catalog/catalog.h"

#define CATALOG_FILE "catalog.db"
#define CATALOG_FILE_NEW "catalog.db.new" /* being rebuilt */
#define CATALOG_FILE_CHECK "catalog.db.check"
/* Counted up when projections change and tables do not. */
#define CATALOG_PROJECTION 1

struct catalog_found {
    bool fresh;    /* nothing is projected yet */
    bool damaged;  /* there was one, and it is not what was written */
    char why[160]; /* why the one that was there is not used; "": there was none */
};

/* Opens VAULT/name, or makes it anew when there is none, it is damaged, or of another version. */
int catalog_open(struct vault *vault, const char *name, struct catalog_found *found,
                 struct catalog **out);
/* A new VAULT/name, to be projected into from the first entry on, by this process alone: much faster, and of no use
 * before catalog_made; after any error it can only be closed and removed. SR_ERR_EXISTS. */
int catalog_make(struct vault *vault, const char *name, struct catalog **out);
/* Everything is projected, and among the entries that the ledger will not lose: the file is whole and durable, and
 * from now on as after catalog_open. */
int catalog_made(struct catalog *catalog);
/* No connection to it is open; absent is no error. */
int catalog_remove(struct vault *vault, const char *name);

struct catalog_progress {
    uint64_t low, high; /* all entries below low are projected, none from high on */
    char salt[33];      /* of the entry before high; "": high is 0 */
};
void catalog_progress(struct catalog *catalog, struct catalog_progress *out);
/* The ledger will not lose the first size entries. What was projected is committed if it is among them;
 * *committed: nothing is open any more. */
int catalog_durable(struct catalog *catalog, uint64_t size, bool *committed);

/* Did damage or an error of the disk make it unusable? Then every question is answered SR_ERR_DAMAGED. */
bool catalog_broken(struct catalog *catalog, char *why, size_t size);
/* Back to what was committed last; entries from its progress on must be projected again, by this thread: a
 * broken catalog stays so for all others until catalog_healed. */
int catalog_reload(struct catalog *catalog);
/* It is up to its ledger again; or (not whole) it is not, and stays broken. */
void catalog_healed(struct catalog *catalog, bool whole);
/* VAULT/fresh_name, closed, takes the place of the file of catalog, under its lock. After a failure catalog
 * is broken. */
int catalog_replace(struct catalog *catalog, struct vault *vault, const char *name,
                    const char *fresh_name);
/* Row by row. difference stays empty when both say the same; otherwise it names the table. */
int catalog_compare(struct catalog *truth, struct catalog *catalog, struct sr_buf *difference);

#endif
