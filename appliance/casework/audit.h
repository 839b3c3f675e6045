/* `strongroom verify`: the whole vault or one object, against the ledger. Works on an open vault,
 * with the daemon running (by the daemon itself) or offline. */
#ifndef SR_CASEWORK_AUDIT_H
#define SR_CASEWORK_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"
#include "ledger/ledger.h"
#include "vault/object.h"
#include "vault/vault.h"

struct audit_report {
    uint64_t entries, objects, bytes, staging, findings;
};

/* what: "objects/ab/abcd…", "keys/slots/…", "ledger/journal", …; why: a sentence. */
typedef void audit_finding_fn(void *context, const char *what, const char *why);
typedef int audit_progress_fn(void *context, uint64_t bytes_done, uint64_t bytes_total);

/* What the object of a sealed version must be. */
struct object_expectation audit_expectation(const struct catalog_version *version);

/* One sealed object, whole. Returns as audit_run. */
int audit_object(struct vault *vault, const struct catalog_version *version,
                 audit_finding_fn *finding, audit_progress_fn *progress, void *context);

/* Ledger files, key slots and pages (also against the ledger), every sealed object, every staging
 * file, and files that nobody knows of. Goes on after a finding. Returns 0, or SR_ERR_DAMAGED when
 * there are findings, or another error when it could not go on. progress may be NULL.
 * exclusive: nobody has unsealed content open (no door runs on this vault), so it is opened, its redo
 * replayed as a start would do, and read too. */
int audit_run(struct vault *vault, struct ledger *ledger, struct catalog *catalog, bool exclusive,
              audit_finding_fn *finding, audit_progress_fn *progress, void *context,
              struct audit_report *report);

#endif
