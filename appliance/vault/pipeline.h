/* The shared part of every write and read: worker threads, the budget of plaintext buffers, the
 * free-space watch and the pool of cipher contexts. One per open vault. Staging files hang their
 * work into it; nothing here knows about ranges, redo or seals.
 *
 * Lock order: staging.sync_lock -> staging.lock -> pipeline.lock. A thread that waits for the
 * budget holds none of them. */
#ifndef SR_VAULT_PIPELINE_H
#define SR_VAULT_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "vault/vault.h"

struct pipeline;
struct staging;

/* workers: threads, 0 for one per processor. Keeps vault (vault_io and vault_path must work). */
int pipeline_start(struct vault *vault, unsigned workers, struct pipeline **out);
/* Every staging file and object is closed by now. Wipes all buffers. NULL ok. */
void pipeline_stop(struct pipeline *pipeline);
/* Bytes accepted and not yet written to their files, and the highest number of bytes that all
 * plaintext buffers ever took (never above VAULT_BUDGET_BYTES). */
void pipeline_stats(struct pipeline *pipeline, uint64_t *queued, uint64_t *peak);
/* For tests of pressure: a smaller budget. bytes at least 4 MiB. Before any write. */
void pipeline_set_budget(struct pipeline *pipeline, size_t bytes);

/* One vault's pipeline (from vault_internal.h). */
struct pipeline *pipeline_of(const struct vault *vault);

/* --- Cipher contexts: one per worker, the rest pooled for readers and syncs. --- */

/* Adjacent segments that are encrypted and written, or read and decrypted, at once. Their 256 KiB
 * stay in a core's L2 cache between the cipher and the copy to or from the page cache: 16 took an
 * eighth more processor time. */
#define PIPELINE_RUN 4u

struct pipeline_context {
    struct sr_gcm *gcm;
    uint8_t *cipher; /* PIPELINE_RUN * VAULT_SEGMENT_LEN bytes */
    uint8_t *plain;  /* VAULT_SEGMENT_PLAIN bytes; see pipeline_context_plain */
    bool plain_used;
    struct pipeline_context *next;
};
/* The context's plaintext buffer; it is wiped when the context goes back. */
uint8_t *pipeline_context_plain(struct pipeline_context *context);
int pipeline_context_get(struct pipeline *pipeline, struct pipeline_context **out);
void pipeline_context_put(struct pipeline *pipeline,
                          struct pipeline_context *context); /* NULL ok */

/* --- Segment buffers. --- */

enum segbuf_state {
    SEGBUF_DIRTY,  /* holds bytes the file lacks; not handed to a worker */
    SEGBUF_QUEUED, /* in its file's queue or being written */
    SEGBUF_CLEAN,  /* same bytes are in the file; kept for the hasher or as a cache */
};

/* 64 KiB of plaintext of one segment. Everything but data is guarded by the owner's lock; data by
 * the three flags: filling is exclusive, writing and hashing only read. */
struct segbuf {
    uint8_t *data;
    uint64_t position;
    uint32_t lo, hi;             /* data[lo, hi) is valid; the rest is whatever it is on disk */
    uint32_t dirty_lo, dirty_hi; /* hull of what was written since it was last clean */
    enum segbuf_state state;
    bool filling;         /* a writer copies into it */
    bool writing;         /* a worker encrypts and writes it, or a sync puts it into the redo */
    bool hashing;         /* the hasher reads it */
    bool full;            /* every byte is valid and was written by the user */
    bool fresh;           /* no byte of the segment was written before this buffer */
    bool scattered;       /* the hull has gaps */
    bool redone;          /* this content is durable in the redo: may go in place */
    bool imaged;          /* an image of it is durable in the redo and not in place yet */
    struct segbuf *chain; /* hash bucket; free list */
    struct segbuf *all_prev, *all_next; /* every buffer of the file, oldest use first */
    struct segbuf *queue_prev, *queue_next;
};

/* Takes count buffers as a chain (by ->chain), blocking while the budget is full and making room by
 * flushing any file's partial segments. No staging lock may be held. SR_ERR_NO_SPACE: the budget is
 * full of content that cannot be written. */
int pipeline_buffers_take(struct pipeline *pipeline, unsigned count, struct segbuf **chain);
void pipeline_buffers_give(struct pipeline *pipeline, struct segbuf *chain);
/* Counts buffers that become (+) or stop being (-) dirty or queued. */
void pipeline_count_dirty(struct pipeline *pipeline, int buffers);
/* Few enough are dirty that one more may stay so for as long as its file is not sealed. */
bool pipeline_may_hold(struct pipeline *pipeline);

/* --- Space. --- */

/* *ample: len more bytes can be answered early, because free space exceeds them, all queues and the
 * reserve. *fits: len more bytes leave the reserve untouched. Asks the file system at most every
 * 100 ms or 64 MiB while space is ample, each time otherwise. */
int pipeline_space(struct pipeline *pipeline, size_t len, bool *ample, bool *fits);

/* --- Work. --- */

struct pipeline_member { /* a staging file's place in the pipeline; guarded by pipeline.lock */
    struct pipeline_member *prev, *next; /* every open file, longest untouched first */
    struct pipeline_member *write_next, *hash_next;
    bool on_write, on_hash;
    unsigned pins;    /* tasks that run on it now */
    uint64_t touched; /* pipeline.touches when it was last written */
    struct staging *staging;
};
void pipeline_join(struct pipeline *pipeline, struct pipeline_member *member);
/* Waits until no task runs on it. Nothing may be scheduled after. */
void pipeline_leave(struct pipeline *pipeline, struct pipeline_member *member);
void pipeline_touch(struct pipeline *pipeline, struct pipeline_member *member);
/* A worker will call staging_write_task or staging_hash_task. Cheap if it is scheduled already. */
void pipeline_schedule_write(struct pipeline *pipeline, struct pipeline_member *member);
void pipeline_schedule_hash(struct pipeline *pipeline, struct pipeline_member *member);

#endif
