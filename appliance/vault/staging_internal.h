/* An unsealed file in memory: what the staging_*.c files share.
 *
 * staging.c        create, open, replay, close        staging_buffer.c  the map of buffers
 * staging_write.c  write, truncate                    staging_read.c    read, load of a segment
 * staging_task.c   what workers do                    staging_sync.c    acknowledging
 * staging_seal.c   finalize                           staging_hash.c    end of the hash
 * staging_link.c   names in folders                   staging_ready.c   files made ahead of need
 *
 * The written ranges are the truth about content: a byte outside them is zero, whatever the
 * ciphertext says. So a shrink need not touch the file, and bytes that a crash left behind, or that
 * were cut off, can never come back. Finalize rewrites the segments that hold such bytes. */
#ifndef SR_VAULT_STAGING_INTERNAL_H
#define SR_VAULT_STAGING_INTERNAL_H

#include <pthread.h>

#include "base/error.h"
#include "vault/floe.h"
#include "vault/pipeline.h"
#include "vault/ranges.h"
#include "vault/redo.h"
#include "vault/staging.h"
#include "vault/tagtree.h"

#define STAGING_BUCKETS 256u
#define STAGING_HEAD_LEN (VAULT_HEADER_LEN + FLOE_HEADER_LEN)
#define STAGING_TAG_CHUNK 1024u
#ifndef STAGING_REDO_LIMIT            /* tests set a smaller one */
#define STAGING_REDO_LIMIT (8u << 20) /* the redo is compacted beyond */
#endif

/* IV || tag of each segment's newest version in the file. */
struct staging_tags {
    uint8_t iv_tag[STAGING_TAG_CHUNK][TAGTREE_LEAF_INPUT];
    bool known[STAGING_TAG_CHUNK];
};

/* Locks: sync_lock serialises sync, redo, finalize; lock guards all else (not data, see segbuf).
 * Invariants, under lock:
 *  1. A segment's newest content is its buffer's valid bytes, then the file's, masked by written.
 *  2. Outside written, valid bytes of a buffer are zero (but for one that is being filled).
 *  3. buffers counts all buffers; dirty those that are not CLEAN; queued those on the queue;
 *     writing those that a worker has.
 *  4. A segment is rewritten in the file only if no durable meta record may claim bytes of it and
 *     none of its images is in the redo, or if its new image is durable there (redone). So the last
 *     image of a segment in the redo is newer than, or the same as, what the file has of it.
 *  5. acked and acked_size are the last durable meta record less what was cut off since; claimed
 *     holds all that this record names, and every range that one named whose sync failed.
 *  6. hashed segments from 0 have gone through hash, in their present version unless hash_stale. */
struct staging {
    struct vault *vault;
    struct pipeline *pipeline;
    struct sr_io *io;
    struct pipeline_member member;
    struct vault_object_id id;
    uint64_t key_id;
    uint8_t describe_key[SR_KEY_LEN]; /* written once, before anybody else has the struct */
    char *folder;                     /* VAULT/staging */
    char *path;                       /* VAULT/staging/ID */
    int fd;
    struct floe *floe;
    uint8_t header_sha256[SR_SHA256_LEN];

    /* One pwrite at a time: the kernel would serialise them too, but spinning. Nothing is taken
     * inside. */
    pthread_mutex_t write_lock;

    pthread_mutex_t sync_lock;
    struct redo redo;         /* sync_lock */
    bool names_durable;       /* sync_lock: the folder was synced since a name in it changed */
    bool head_durable;        /* sync_lock */
    bool content_suspect;     /* sync_lock: the last fdatasync of the content failed */
    struct ranges suspect;    /* sync_lock: positions given to an fdatasync that did not succeed */
    bool seal_recorded;       /* sync_lock: the redo holds a seal record; last_plain is set */
    bool seal_found;          /* sync_lock: it did when the file was opened */
    bool hash_done;           /* sync_lock: seal.sha256 is set */
    bool finalized;           /* sync_lock: all of seal but holes is set */
    struct staging_seal seal; /* sync_lock */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned waiters; /* on changed */
    uint64_t size;
    struct ranges written;
    struct ranges acked; /* less what was cut off since */
    uint64_t acked_size;
    bool cut; /* acked is less than the last meta record says */
    struct ranges claimed;
    struct ranges in_redo;  /* positions with an image in the redo */
    struct ranges unsynced; /* positions written since the last good fdatasync */
    bool maybe_unclean;     /* the file may hold bytes outside written */
    bool syncing;           /* writers wait */
    bool sealing;           /* writers are refused */
    bool dead;              /* unlinked: nothing is written any more */
    unsigned filling;       /* writers between claim and publish; each may add one range */
    uint64_t changes;       /* writes and truncates so far */

    struct segbuf *buckets[STAGING_BUCKETS];
    struct segbuf *all_head, *all_tail; /* oldest use first */
    struct segbuf *queue_head, *queue_tail;
    unsigned buffers, dirty, queued, writing;
    uint64_t hint_bytes, hint_from, hint_to; /* written since write-back was last started */

    struct sr_digest *hash;
    uint64_t hashed;
    bool hash_stale;
    bool hash_running;

    struct staging_tags **tags;
    size_t tag_chunks;

    uint64_t seal_size;         /* with last_plain */
    uint8_t *last_plain;        /* once the seal is recorded: content of the last segment, 64 KiB */
    struct sr_error_copy error; /* latched; code 0: none */
};

static inline uint64_t staging_segment_at(uint64_t position)
{
    return VAULT_SEGMENTS_AT + position * VAULT_SEGMENT_LEN;
}

static inline uint64_t staging_segments(uint64_t size)
{
    return size ? (size - 1) / VAULT_SEGMENT_PLAIN + 1 : 1;
}

static inline uint64_t staging_byte_at(uint64_t position)
{
    return position * VAULT_SEGMENT_PLAIN;
}

/* Content bytes in the last segment: 0 only for an empty file. */
static inline size_t staging_last_len(uint64_t size)
{
    return (size_t)(size - staging_byte_at(staging_segments(size) - 1));
}

/* --- staging_buffer.c; lock held unless said otherwise --- */

struct segbuf *staging_find(const struct staging *staging, uint64_t position);
void staging_insert(struct staging *staging, struct segbuf *buffer);
/* Out of the map, the lists and the counts, back to the pool. It must not be busy. */
void staging_drop(struct staging *staging, struct segbuf *buffer);
void staging_enqueue(struct staging *staging, struct segbuf *buffer); /* DIRTY -> QUEUED */
void staging_dequeue(struct staging *staging, struct segbuf *buffer); /* QUEUED -> DIRTY */
void staging_set_dirty(struct staging *staging, struct segbuf *buffer);
/* Written: CLEAN, and released unless the hasher or the next append will want it. */
void staging_set_clean(struct staging *staging, struct segbuf *buffer);
void staging_move_last(struct staging *staging, struct segbuf *buffer);
bool staging_busy(const struct segbuf *buffer);
bool staging_needs_redo(const struct staging *staging, uint64_t position);
bool staging_written_in(const struct staging *staging, uint64_t position);
/* The frontier's next segment is in memory and whole. */
bool staging_can_hash(const struct staging *staging);
void staging_wait(struct staging *staging);
void staging_notify(struct staging *staging);
void staging_latch(struct staging *staging, int code);
/* Raises and clears the latched error; 0 if there is none. */
int staging_take_error(struct staging *staging);
/* Room for positions up to end. SR_ERR_NO_MEMORY. */
int staging_tags_reserve(struct staging *staging, uint64_t end);
/* NULL if not known. */
const uint8_t *staging_tag(const struct staging *staging, uint64_t position);
void staging_tag_set(struct staging *staging, uint64_t position, const uint8_t *segment,
                     size_t len);
void staging_tags_free(struct staging *staging);

/* --- staging_read.c --- */

/* Decrypts a segment (not in its final form) from the file into plain (64 KiB), unmasked; its
 * ciphertext stays in context->cipher. SR_ERR_DAMAGED names id and segment. No lock is needed; the
 * caller sees to it that nobody rewrites the segment. */
int staging_load_raw(struct staging *staging, struct pipeline_context *context, uint64_t position,
                     uint8_t *plain);
/* Makes all 64 KiB of a buffer valid that the caller has pinned (filling or writing). lock NOT
 * held. */
int staging_fill(struct staging *staging, struct pipeline_context *context, struct segbuf *buffer);
/* The present content of a segment, masked, into plain. lock held. */
int staging_load_masked(struct staging *staging, struct pipeline_context *context,
                        uint64_t position, uint8_t *plain);

/* --- staging_task.c: called by workers, no lock held --- */

void staging_write_task(struct staging *staging, struct pipeline_context *context);
void staging_hash_task(struct staging *staging);
struct staging_relief {
    unsigned progress; /* buffers freed, or started on their way to the file */
    bool failing;      /* an error is latched */
    bool waiting;      /* a sync or a writer is under way, which will make room */
};
/* Gives up buffers: clean ones that no hasher waits for; flush: starts writing dirty ones as well.
 * No lock held. */
struct staging_relief staging_relieve(struct staging *staging, bool flush);
/* Encrypts count (1..PIPELINE_RUN) adjacent segments into context->cipher and writes them at once.
 * */
int staging_write_run(struct staging *staging, struct pipeline_context *context, uint64_t position,
                      const uint8_t *const *plain, unsigned count);

/* --- staging_sync.c --- */

/* What a flush leaves as it is: nothing, or the tail, the buffer of a last segment that is not whole
 * yet. It would be written again by the next append or by the seal, so a sync puts its image into
 * the redo and leaves it dirty. */
enum staging_leave { STAGING_LEAVE_NONE, STAGING_LEAVE_TAIL };
/* Puts the images of all dirty segments that need it into the redo, makes that durable and queues
 * the segments. sync_lock held, lock not. */
int staging_push_held(struct staging *staging, struct pipeline_context *context,
                      enum staging_leave leave);
/* Queues every dirty buffer that may go in place directly; scheduling them is the caller's. lock held.
 * Returns how many. */
unsigned staging_queue_dirty(struct staging *staging, enum staging_leave leave);
/* Waits until no buffer is queued or being written. lock held. */
void staging_drain(struct staging *staging);
/* Everything but the acknowledgement: all buffers written in place. sync_lock held. */
int staging_flush(struct staging *staging, enum staging_leave leave);
/* staging_sync with sync_lock held. */
int staging_sync_locked(struct staging *staging);
/* fdatasync of the content; after a failure the content is written again first. sync_lock held. */
int staging_sync_content(struct staging *staging);
int staging_sync_names(struct staging *staging);

/* --- staging_seal.c --- */

/* At open, of a file whose redo holds a seal record: finds the last segment's content, from image
 * (taken over; may be NULL) or from the file. */
int staging_resume_seal(struct staging *staging, struct pipeline_context *context, uint64_t size,
                        uint8_t *image);

/* --- staging_hash.c --- */

/* Sets seal.sha256 and learns every tag that is not known. The hasher's place is taken over; it
 * does not run again. last_plain: content of the last segment. sync_lock held. */
int staging_finish_hash(struct staging *staging, struct pipeline_context *context,
                        const uint8_t *last_plain);

/* --- staging_ready.c --- */

/* One of the files that are ready, or NULL. */
struct staging *staging_ready_take(struct vault *vault);
/* Called by a worker: makes as many as are wanted. No lock held. */
void staging_ready_fill(struct vault *vault);
/* Removes those that nobody took. The workers have nothing to do any more. */
void staging_ready_drop(struct vault *vault);

/* --- staging.c --- */

void staging_free(struct staging *staging);
/* What staging_create does when no file is ready. */
int staging_make(struct vault *vault, struct staging **out);
/* The object file's head: fills bytes 0..4095. */
void staging_put_header(const struct vault_identity *identity, const struct vault_object_id *id,
                        uint64_t key_id, uint8_t header[VAULT_HEADER_LEN]);
/* SR_ERR_DAMAGED when it is not a header of this vault and id; SR_ERR_NEWER_FORMAT. Pure. */
int staging_check_header(const struct vault_identity *identity, const struct vault_object_id *id,
                         const uint8_t header[VAULT_HEADER_LEN], uint64_t *key_id);

#endif
