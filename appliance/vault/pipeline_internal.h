/* The pipeline's own state, shared by pipeline.c (threads), pipeline_pool.c (buffers, space) and
 * staging_ready.c (files made ahead of need). */
#ifndef SR_VAULT_PIPELINE_INTERNAL_H
#define SR_VAULT_PIPELINE_INTERNAL_H

#include <pthread.h>

#include "base/io.h"
#include "vault/pipeline.h"
#include "vault/staging.h"

#define PIPELINE_BLOCK 16u         /* buffers mapped at once */
#define PIPELINE_POOLED_CONTEXTS 8 /* kept for readers and syncs */

struct pipeline_block {
    struct pipeline_block *next;
    uint8_t *data; /* PIPELINE_BLOCK * VAULT_SEGMENT_PLAIN bytes, not dumped */
    struct segbuf buffers[PIPELINE_BLOCK];
};

/* Invariants, under lock:
 * 1. in_use <= budget, and in_use plus the free list are all buffers of all blocks.
 * 2. A member is on the write (hash) list exactly if on_write (on_hash).
 * 3. running is the sum of the pins that workers hold.
 * 4. Free buffers beyond cold_count at the front of the list may hold plaintext.
 * 5. ready[0, ready_count) are fresh files that belong to nobody; ready_due: a worker shall make more. */
struct pipeline {
    struct vault *vault;
    pthread_mutex_t lock;
    pthread_cond_t work; /* a list became non-empty, or stopping */
    pthread_cond_t room; /* buffers came back */
    pthread_cond_t idle; /* pins went to zero */
    pthread_t *threads;
    unsigned thread_count;
    unsigned sleeping;
    unsigned running;
    bool stopping;

    struct pipeline_member members; /* head of the ring; ->next was touched longest ago */
    struct pipeline_member *write_head, *write_tail;
    struct pipeline_member *hash_head, *hash_tail;
    uint64_t touches;

    struct pipeline_block *blocks;
    struct segbuf *free_list;
    unsigned
        warm; /* free buffers at the head of the list that were not wiped since they were used */
    unsigned budget, in_use, peak, room_waiters;
    uint64_t dirty;

    struct pipeline_context *contexts;
    unsigned context_count;

    struct staging *ready[STAGING_READY_MAX];
    unsigned ready_count, ready_wanted;
    bool ready_due;
    int64_t ready_taken_ns; /* boottime of the last create */

    bool space_known;
    uint64_t space_ahead;    /* free beyond reserve and queues when last asked */
    uint64_t space_accepted; /* written since then */
    int64_t space_at_ns;
};

struct sr_io *pipeline_io(const struct pipeline *pipeline);
/* Wipes and gives back to the OS up to PIPELINE_BLOCK free buffers; true if more are warm. Lock
 * held. */
bool pipeline_cool(struct pipeline *pipeline);
/* Lock held: no worker has anything to do. */
bool pipeline_quiet(const struct pipeline *pipeline);
void pipeline_pool_free(struct pipeline *pipeline);

#endif
