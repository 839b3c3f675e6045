/* The catalog of an open vault: brought up to its ledger, healed, rebuilt, checked. What it says is always
 * what the ledger says; where the file says otherwise, the file goes. */
#ifndef SR_CASEWORK_VIEW_H
#define SR_CASEWORK_VIEW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "catalog/catalog.h"
#include "catalog/file.h"
#include "ledger/ledger.h"
#include "vault/vault.h"

struct view_report {
    uint64_t replayed; /* entries that were projected */
    bool fresh;        /* all of them */
    bool damaged;      /* because the file was: worth an alert */
    char why[160];     /* why, if it was not simply not there */
};

/* Called with the number of entries done, every few thousand; non-zero stops. */
typedef int view_progress_fn(void *context, uint64_t done, uint64_t total);

/* Opens the catalog's file and projects what is new, private parts opened: all durable entries. */
int view_open(struct vault *vault, struct ledger *ledger, view_progress_fn *progress, void *context,
              struct view_report *report, struct catalog **out);
/* Projects the durable entries that the catalog does not have. SR_ERR_DAMAGED with the index of an entry
 * that does not fit. */
int view_catch_up(struct vault *vault, struct ledger *ledger, struct catalog *catalog,
                  view_progress_fn *progress, void *context, uint64_t *replayed);
/* Makes VAULT/catalog.db.new of all durable entries: *out, for catalog_replace once it is closed. */
int view_rebuild(struct vault *vault, struct ledger *ledger, view_progress_fn *progress,
                 void *context, struct catalog **out);
/* Projects the ledger up to the progress of catalog into a file of its own and compares row by row.
 * Nothing may be projected into catalog meanwhile. difference stays empty when they agree. */
int view_check(struct vault *vault, struct ledger *ledger, struct catalog *catalog,
               view_progress_fn *progress, void *context, struct sr_buf *difference);

#endif
