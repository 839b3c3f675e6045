/* Reading what is restricted: with a purpose, and on record (docs/policy.md). Private to casework/. */
#ifndef SR_CASEWORK_READING_H
#define SR_CASEWORK_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "catalog/catalog.h"

struct door;
struct door_file;

/* By what right somebody reads a record. */
struct reading_right {
    bool restricted; /* each reading is recorded; otherwise nothing below matters */
    uint64_t grant;  /* its ledger index */
    int64_t until_ns;
    struct vault_object_id object; /* the version that was current */
    uint64_t key_id;
};

int reading_start(struct door *door);
void reading_stop(struct door *door); /* after reading_flush; NULL readings ok */

/* May user read the record? SR_ERR_DENIED with *reason, a word of 提示.txt: `purpose` when a stated purpose
 * would do, `denied`. Not recorded. Neither door->lock nor the catalog's held. */
int reading_decide(struct door *door, const struct catalog_user *user,
                   const struct catalog_node *node, struct reading_right *right,
                   const char **reason);
/* The same for an open file, if the rules have changed or the grant is over; a refusal is recorded. */
int reading_again(struct door_file *file, struct reading_right *right);
/* A decision of that generation of the rules, taken over. */
void reading_allowed(struct door_file *file, const struct reading_right *right,
                     uint64_t generation);
/* Those bytes are about to be given out. When this fails they must not be. door->lock not held. */
int reading_record(struct door_file *file, const struct reading_right *right, uint64_t offset,
                   size_t len);
/* Writes what has paused or waits for long (force: everything) into the ledger. door->lock not held. */
void reading_flush(struct door *door, bool force);

#endif
