/* The ledger: every act is one entry; an entry on disk is the commit point (docs/format.md).
 *
 * VAULT/ledger/journal     append-only groups, each entry encrypted, each group MACed and chained
 *              tile/       C2SP tlog-tiles, derived
 *              checkpoint  C2SP tlog-checkpoint, derived, replaced by rename
 *              checkpoints/SIZE  every checkpoint that was published
 *
 * Leaf hash = SHA-256(0x00 || entry bytes), the entry bytes being canonical JSON with a random salt.
 * A commit is the fsync of one group; whoever needs durability waits in ledger_commit, and all
 * waiters share one fsync. A failed write keeps the group in memory and the next commit writes it
 * again, so an index that was given out is never given to another entry. Thread-safe. */
#ifndef SR_LEDGER_LEDGER_H
#define SR_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"
#include "ledger/note.h"
#include "ledger/tlog.h"

#define LEDGER_ENTRY_MAX 65535 /* bytes of one entry */

struct ledger;

struct ledger_config {
    struct sr_io *io;
    const char *dir; /* VAULT/ledger */
    const char *origin;
    const uint8_t *vault_id;     /* 16 bytes, bound into every group */
    uint8_t key_enc[SR_KEY_LEN]; /* wiped by the caller */
    uint8_t key_mac[SR_KEY_LEN];
    uint8_t seed[SR_ED25519_SEED_LEN];
};

struct ledger_open_report {
    uint64_t size;            /* entries */
    uint64_t checkpoint_size; /* of the checkpoint found on disk */
    uint64_t
        torn_bytes; /* of a last group that was never acknowledged, kept aside in torn-SIZE-TIME */
    uint64_t
        bad_tiles; /* tile files that disagree with the journal; missing ones are written again */
};

int ledger_create(const struct ledger_config *config, struct ledger **out);
/* Reads the whole journal, checks every MAC and the checkpoint against the recomputed tree.
 * SR_ERR_DAMAGED: names the group and offset, or the checkpoint. SR_ERR_ROLLED_BACK: the journal is
 * shorter than the checkpoint. Only a last group beyond the checkpoint counts as torn. */
int ledger_open(const struct ledger_config *config, struct ledger_open_report *report,
                struct ledger **out);
/* Commits what is pending, publishes a checkpoint, wipes keys. Returns the commit's error. NULL ok. */
int ledger_close(struct ledger *ledger);

/* Queues one entry and gives it its index. Entries are on disk in index order. Not durable yet. */
int ledger_append(struct ledger *ledger, const void *entry, size_t len, uint64_t *index);
/* Returns 0 once every entry up to and including index is durable. */
int ledger_commit(struct ledger *ledger, uint64_t index);
/* Starts a commit without waiting (the background thread does it). */
void ledger_kick(struct ledger *ledger);
/* The caller will ask for a commit soon: starts it meanwhile, unless commits are so quick here that
 * waking the thread would cost more. */
void ledger_expect(struct ledger *ledger);

uint64_t ledger_size(struct ledger *ledger);      /* appended */
uint64_t ledger_committed(struct ledger *ledger); /* durable */
/* True while the last attempt to write the journal failed. */
bool ledger_failing(struct ledger *ledger);

/* Calls fn for durable entries from..to-1 in order; entry is valid during the call. */
typedef int ledger_each_fn(void *context, uint64_t index, const uint8_t *entry, size_t len);
int ledger_each(struct ledger *ledger, uint64_t from, uint64_t to, ledger_each_fn *fn,
                void *context);
/* One durable entry in a fresh buffer, free() it. */
int ledger_read(struct ledger *ledger, uint64_t index, uint8_t **entry, size_t *len);

/* Commits, writes tiles, signs and publishes a checkpoint of all durable entries, appends its note.
 * Without new entries the last one is returned. The background thread does this too, at most every
 * 10 s while entries arrive. */
int ledger_checkpoint(struct ledger *ledger, struct sr_buf *note);
/* A tlog-proof for index under the newest checkpoint (a new one is published if it is not covered). */
int ledger_proof(struct ledger *ledger, uint64_t index, struct sr_buf *out);
/* The first stored checkpoint that covers index (one is published if none does): *size entries, and its note, appended to
 * note. Later ones never change which it is. */
int ledger_checkpoint_over(struct ledger *ledger, uint64_t index, uint64_t *size,
                           struct sr_buf *note);
/* A tlog-proof for index < size under that checkpoint, which ledger_checkpoint_over gave. */
int ledger_proof_under(struct ledger *ledger, uint64_t index, uint64_t size,
                       const struct sr_buf *note, struct sr_buf *out);

#endif
