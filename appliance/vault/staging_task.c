/* What workers do for a file: encrypt and write runs of segments, move the hash frontier, and give
 * up buffers under pressure. */
#include <string.h>

#include "base/log.h"
#include "vault/staging_internal.h"

#define HASH_BATCH 8u    /* segments hashed between two looks at the lock */
#define HASH_QUANTUM 64u /* segments after which another file gets its turn */
#define HINT_BYTES (8u << 20)

int staging_write_run(struct staging *staging, struct pipeline_context *context, uint64_t position,
                      const uint8_t *const *plain, unsigned count)
{
    uint8_t *segment = context->cipher;
    int rc;

    for (unsigned i = 0; i < count; i++, segment += VAULT_SEGMENT_LEN) {
        rc = floe_encrypt_segment(staging->floe, context->gcm, staging->io, position + i, false,
                                  plain[i], VAULT_SEGMENT_PLAIN, segment);
        if (rc)
            return rc;
    }
    pthread_mutex_lock(&staging->write_lock);
    rc = sr_io_write_full(staging->io, staging->fd, context->cipher,
                          (size_t)count * VAULT_SEGMENT_LEN, staging_segment_at(position));
    pthread_mutex_unlock(&staging->write_lock);
    return rc;
}

/* Takes the head of the queue and the queued segments beside it. lock held. */
static unsigned take_run(struct staging *staging, struct segbuf *run[PIPELINE_RUN])
{
    struct segbuf *first = staging->queue_head, *buffer;
    unsigned count = 0;

    if (!first)
        return 0;
    for (unsigned back = 1; back < PIPELINE_RUN && first->position > 0; back++) {
        buffer = staging_find(staging, first->position - 1);
        if (!buffer || buffer->state != SEGBUF_QUEUED || buffer->writing)
            break;
        first = buffer;
    }
    for (buffer = first;
         count < PIPELINE_RUN && buffer && buffer->state == SEGBUF_QUEUED && !buffer->writing;
         buffer = staging_find(staging, first->position + count)) {
        staging_dequeue(staging, buffer);
        buffer->writing = true;
        run[count++] = buffer;
    }
    staging->writing += count;
    return count;
}

/* lock held; *from and *to say what to start writing back, if to is not 0. */
static void count_hint(struct staging *staging, uint64_t position, unsigned count, uint64_t *from,
                       uint64_t *to)
{
    uint64_t start = staging_segment_at(position), end = staging_segment_at(position + count);

    *from = *to = 0;
    if (!staging->hint_bytes || start < staging->hint_from)
        staging->hint_from = start;
    if (!staging->hint_bytes || end > staging->hint_to)
        staging->hint_to = end;
    staging->hint_bytes += end - start;
    if (staging->hint_bytes < HINT_BYTES)
        return;
    *from = staging->hint_from;
    *to = staging->hint_to;
    staging->hint_bytes = 0;
}

void staging_write_task(struct staging *staging, struct pipeline_context *context)
{
    struct segbuf *run[PIPELINE_RUN];
    const uint8_t *plain[PIPELINE_RUN];
    uint64_t position, hint_from, hint_to;
    unsigned count;
    int rc;

    pthread_mutex_lock(&staging->lock);
    count = take_run(staging, run);
    if (!count) {
        pthread_mutex_unlock(&staging->lock);
        return;
    }
    position = run[0]->position;
    rc = ranges_add(&staging->unsynced, position, position + count);
    if (staging->queue_head)
        pipeline_schedule_write(staging->pipeline, &staging->member);
    pthread_mutex_unlock(&staging->lock);

    for (unsigned i = 0; i < count && !rc; i++) {
        plain[i] = run[i]->data;
        rc = staging_fill(staging, context, run[i]);
    }
    if (!rc)
        rc = staging_write_run(staging, context, position, plain, count);

    pthread_mutex_lock(&staging->lock);
    staging->writing -= count;
    for (unsigned i = 0; i < count; i++) {
        run[i]->writing = false;
        if (rc)
            continue; /* stays DIRTY: the next sync tries again */
        staging_tag_set(staging, position + i, context->cipher + (size_t)i * VAULT_SEGMENT_LEN,
                        VAULT_SEGMENT_LEN);
        staging_set_clean(staging, run[i]);
    }
    if (rc)
        staging_latch(staging, rc);
    count_hint(staging, position, count, &hint_from, &hint_to);
    staging_notify(staging);
    pthread_mutex_unlock(&staging->lock);
    if (rc)
        sr_log_failure("background write");
    else if (hint_to)
        staging->io->sync_range(staging->io, staging->fd, hint_from, hint_to - hint_from);
}

/* Marks up to HASH_BATCH whole segments at the frontier. lock held. */
static unsigned take_hash(struct staging *staging, struct segbuf *batch[HASH_BATCH])
{
    unsigned count = 0;

    while (count < HASH_BATCH && !staging->hash_stale) {
        struct segbuf *buffer = staging_find(staging, staging->hashed + count);

        if (!buffer || !buffer->full || buffer->filling)
            break;
        buffer->hashing = true;
        batch[count++] = buffer;
    }
    return count;
}

void staging_hash_task(struct staging *staging)
{
    struct segbuf *batch[HASH_BATCH];
    unsigned count, done = 0;
    int rc = 0;

    pthread_mutex_lock(&staging->lock);
    if (staging->hash_running) {
        pthread_mutex_unlock(&staging->lock);
        return;
    }
    staging->hash_running = true;
    while (!rc && done < HASH_QUANTUM && (count = take_hash(staging, batch)) > 0) {
        pthread_mutex_unlock(&staging->lock);
        for (unsigned i = 0; i < count && !rc; i++)
            rc = sr_digest_update(staging->hash, batch[i]->data, VAULT_SEGMENT_PLAIN);
        pthread_mutex_lock(&staging->lock);
        if (rc)
            staging->hash_stale = true; /* the seal computes it anew */
        staging->hashed += count;
        done += count;
        for (unsigned i = 0; i < count; i++) {
            batch[i]->hashing = false;
            if (batch[i]->state == SEGBUF_CLEAN && !staging_busy(batch[i]))
                staging_drop(staging, batch[i]);
        }
        staging_notify(staging);
    }
    staging->hash_running = false;
    if (staging_can_hash(staging) && !staging->dead)
        pipeline_schedule_hash(staging->pipeline, &staging->member);
    staging_notify(staging);
    pthread_mutex_unlock(&staging->lock);
}

/* Clean buffers that no hasher waits for. lock held. */
static unsigned drop_clean(struct staging *staging)
{
    struct segbuf *buffer, *next;
    unsigned dropped = 0;

    for (buffer = staging->all_head; buffer; buffer = next) {
        next = buffer->all_next;
        if (buffer->state != SEGBUF_CLEAN || staging_busy(buffer))
            continue;
        /* Without this the hash would be read back from disk at the seal. */
        if (staging_can_hash(staging) && buffer->position >= staging->hashed && buffer->full)
            continue;
        staging_drop(staging, buffer);
        dropped++;
    }
    return dropped;
}

struct staging_relief staging_relieve(struct staging *staging, bool flush)
{
    struct staging_relief relief = {0};
    struct pipeline_context *context = NULL;
    bool held = false;

    pthread_mutex_lock(&staging->lock);
    relief.progress = drop_clean(staging);
    relief.failing = staging->error.code != 0;
    relief.waiting = staging->syncing || staging->filling;
    if (flush && !relief.failing && !staging->dead) {
        unsigned queued = staging_queue_dirty(staging, staging->syncing ? STAGING_LEAVE_TAIL
                                                                        : STAGING_LEAVE_NONE);

        relief.progress += queued;
        if (queued)
            pipeline_schedule_write(staging->pipeline, &staging->member);
        for (const struct segbuf *buffer = staging->all_head; buffer && !held;
             buffer = buffer->all_next)
            held = buffer->state == SEGBUF_DIRTY && !staging_busy(buffer);
    }
    pthread_mutex_unlock(&staging->lock);
    if (!held || relief.progress)
        return relief;
    /* Only acknowledged segments are left: their images go into the redo first. */
    if (pthread_mutex_trylock(&staging->sync_lock)) {
        relief.waiting = true;
        return relief;
    }
    if (!pipeline_context_get(staging->pipeline, &context)) {
        if (!staging_push_held(staging, context, STAGING_LEAVE_NONE))
            relief.progress++;
        pipeline_context_put(staging->pipeline, context);
    }
    pthread_mutex_unlock(&staging->sync_lock);
    return relief;
}
