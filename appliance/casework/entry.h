/* Ledger entries: building, the private part, queueing (docs/entries.md). */
#ifndef SR_CASEWORK_ENTRY_H
#define SR_CASEWORK_ENTRY_H

#include <jansson.h>
#include <stdint.h>

#include "base/io.h"
#include "ledger/ledger.h"
#include "vault/staging.h"
#include "vault/vault.h"

/* A fresh object with v, act, salt and time. json_decref() it. */
int entry_new(struct sr_io *io, const char *act, json_t **out);
/* Canonicalises and queues. SR_ERR_TOO_LARGE over LEDGER_ENTRY_MAX. */
int entry_append(struct ledger *ledger, const json_t *entry, uint64_t *index);

/* Setters take over value (also when they fail); a NULL value or a failed set is SR_ERR_NO_MEMORY. */
int entry_set(json_t *entry, const char *key, json_t *value);

/* Adds object, key and, when private_part is given, private: sealed under the record's describing key.
 * The second form is for content that was just made. */
int entry_set_new_record(struct vault *vault, json_t *entry, const struct staging *staging,
                         const json_t *private_part);
int entry_set_record(struct vault *vault, json_t *entry, const struct vault_object_id *object,
                     uint64_t key_id, const json_t *private_part);
/* Replaces the text of "private" by the opened object; removes it when the record key is gone.
 * SR_ERR_DAMAGED: does not verify. An entry without private part is left as it is. */
int entry_open_private(struct vault *vault, json_t *entry);

/* For many entries one after the other, by one thread: those of a record are often neighbours, and its key is kept
 * until another's is needed. Starts as {.vault = …}; entry_opener_wipe at the end. */
struct entry_opener {
    struct vault *vault;
    struct sr_gcm *gcm; /* NULL: not needed yet */
    uint64_t key_id;    /* what key belongs to; 0: none */
    struct vault_object_id object;
    uint8_t key[SR_KEY_LEN];
};
/* As entry_open_private. */
int entry_opener_open(struct entry_opener *opener, json_t *entry);
void entry_opener_wipe(struct entry_opener *opener);

#endif
