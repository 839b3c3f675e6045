/* The open ledger, shared by ledger*.c and publish.c. Private to the ledger.
 *
 * Locks, in the order in which they are taken: publish_lock, lock. read_lock is taken alone.
 *
 * Invariants under lock (ledger_check asserts them):
 * 1. published <= committed <= tree.size.
 * 2. The entries committed .. tree.size - 1 stand in the batches first .. last, in order, each
 *    batch holding at least one.
 * 3. first->offset == end, and each batch begins where the one before it ends; every batch but the
 *    last is closed, so that its length is final and offsets are known when entries are appended.
 * 4. A finished batch has its MAC and never changes a byte: it may stand on disk in part.
 * 5. committing: exactly one thread writes `first`, which is closed; end, chain and allocated are
 *    that thread's until it clears the flag. Only one group is ever in flight, therefore only the
 *    last group of a journal can be torn. */
#ifndef SR_LEDGER_INTERNAL_H
#define SR_LEDGER_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ledger/group.h"
#include "ledger/kept.h"
#include "ledger/ledger.h"
#include "ledger/tile.h"
#include "ledger/tree.h"

#define LEDGER_SLOW_NS INT64_C(150000) /* a commit that is worth starting on another thread */
#define LEDGER_ALLOCATE_STEP (UINT64_C(4) << 20) /* bytes preallocated at a time */
#define LEDGER_ALLOCATE_AHEAD (UINT64_C(1) << 20)
#define LEDGER_PUBLISH_NS (INT64_C(10) * 1000000000)
#define LEDGER_RETRY_NS (INT64_C(1) * 1000000000)

struct ledger_batch { /* one group that is not durable yet */
    struct ledger_batch *next;
    uint64_t first;
    uint32_t count;
    bool closed;
    bool finished;
    uint64_t offset; /* of the group in the journal */
    uint8_t *bytes;  /* chain, header, body, and room for the MAC */
    size_t len;      /* of chain, header and body */
    size_t capacity;
};

struct ledger_location {  /* where an entry stands in the journal: 8 bytes, as there are millions */
    uint64_t offset : 44; /* below LEDGER_JOURNAL_MAX */
    uint64_t len : 20;    /* of the entry itself */
};
#define LEDGER_JOURNAL_MAX (UINT64_C(1) << 44)

struct ledger_secrets {
    uint8_t key_enc[SR_KEY_LEN];
    uint8_t key_mac[SR_KEY_LEN];
    uint8_t seed[SR_ED25519_SEED_LEN];
};

struct ledger {
    /* Constant while open. */
    struct sr_io *io;
    char *dir;
    uint8_t vault_id[GROUP_VAULT_ID_LEN];
    struct ledger_secrets *secrets;
    struct note_verifier verifier; /* its name is the origin */
    int fd;                        /* of the journal */

    pthread_mutex_t lock;
    pthread_cond_t done; /* an attempt to commit ended */
    pthread_cond_t work; /* for the background thread */
    struct tree tree;    /* of all appended entries */
    struct ledger_location *locations;
    size_t locations_capacity;
    struct ledger_batch *first;
    struct ledger_batch *last;
    struct sr_gcm *append_gcm;
    uint64_t committed;
    uint64_t published; /* size of the newest checkpoint */
    uint64_t end;       /* bytes of the journal that are durable groups */
    uint64_t allocated; /* the file has blocks up to here, as far as we know */
    uint8_t chain[GROUP_CHAIN_LEN];
    bool committing;
    bool failing;
    uint64_t failures; /* attempts that failed */
    struct sr_error_copy failure;
    bool kicked;
    int64_t commit_ns; /* what a commit takes, smoothed */
    bool stopping;
    int64_t retry_ns; /* boottime before which a kicked commit is not tried again */
    int64_t due_ns;   /* boottime of the next checkpoint; 0: nothing to publish */
    bool has_thread;
    pthread_t thread;

    pthread_mutex_t read_lock;
    struct sr_gcm *read_gcm;

    pthread_mutex_t publish_lock;
    struct sr_buf note;       /* the newest checkpoint */
    struct sr_buf unfinished; /* signed, not yet everywhere: must be out before another is signed */
    uint64_t unfinished_size;
};

/* An entry's place, for an index equal to the number of places so far. Lock held, or not shared. */
int ledger_reserve_location(struct ledger *ledger, uint64_t index);
/* Lock held; returns with it held. 0 once the entries before upto are durable. */
int ledger_commit_locked(struct ledger *ledger, uint64_t upto);
/* Preallocates the journal beyond position; a failure is no error. */
void ledger_allocate(struct ledger *ledger, uint64_t position);
/* Asserts the invariants. Lock held. */
void ledger_check(const struct ledger *ledger);
/* Fills a new ledger, whose journal is open, from its files: the journal first, then what is
 * derived from it, which is mended. ledger_open's errors. */
int ledger_load(struct ledger *ledger, struct ledger_open_report *report);
/* Takes every good group into tree, places, chain, committed and end; *bad is the one where it stopped, its why NULL
 * at the end of the file. */
struct journal_reader;
struct journal_group;
int ledger_take_journal(struct ledger *ledger, struct journal_reader *reader,
                        struct journal_group *bad);
/* The background thread; context is the ledger. */
void *ledger_thread(void *context);

/* Publishes a checkpoint of all durable entries unless the newest covers them. note may be NULL. */
int publish_checkpoint(struct ledger *ledger, struct sr_buf *note);
/* The checkpoint of the empty tree, which a ledger is created with. Before any kept one exists the
 * checkpoint itself comes first, so that it is absent only while the creation is unfinished. */
int publish_first(struct ledger *ledger);

#endif
