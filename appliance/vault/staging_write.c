/* Writing: claim the segments' buffers under the lock, copy without it, publish under it. */
#include <errno.h>
#include <string.h>

#include "vault/staging_internal.h"

#define BATCH_BYTES (1u << 20)
/* Buffers a file may have while workers are busy with them: more would only fall out of the
 * processor cache before they are hashed (measured: an eighth of all processor time at 128 MiB). */
#define FILE_BUFFERS 512u
#define BATCH_SEGMENTS (BATCH_BYTES / VAULT_SEGMENT_PLAIN + 1)

/* One stretch of a write: at most 1 MiB, so at most 17 segments. */
struct batch {
    struct staging *staging;
    uint64_t offset;
    const uint8_t *data;
    size_t len;
    uint64_t first; /* position of the first segment */
    unsigned count;
    struct segbuf *buffers[BATCH_SEGMENTS];
    unsigned copied; /* segments whose bytes are in their buffers */
};

/* The part of segment i that the batch covers: [*from, *to) within the segment. */
static void piece(const struct batch *batch, unsigned i, uint32_t *from, uint32_t *to)
{
    uint64_t start = staging_byte_at(batch->first + i);
    uint64_t end = batch->offset + batch->len;

    *from = i ? 0 : (uint32_t)(batch->offset - start);
    *to = end - start < VAULT_SEGMENT_PLAIN ? (uint32_t)(end - start) : VAULT_SEGMENT_PLAIN;
}

/* What forbids any change, once no sync is running. lock held. */
static int may_change(struct staging *staging)
{
    while (staging->syncing)
        staging_wait(staging);
    if (staging->sealing)
        return sr_fail(SR_ERR_SEALED, "the record is being sealed");
    if (staging->dead)
        return sr_fail(SR_ERR_CLOSED, "the record was discarded");
    return staging_take_error(staging);
}

/* Room for what publishing will add, so that it cannot fail. lock held. */
static int reserve(const struct batch *batch)
{
    struct staging *staging = batch->staging;
    size_t ranges = staging->written.count + staging->filling + 1;
    uint64_t end = batch->offset + batch->len;
    int rc;

    if (ranges > REDO_MAX_RANGES &&
        !ranges_touch(&staging->written, batch->offset ? batch->offset - 1 : 0, end + 1))
        return sr_fail(SR_ERR_TOO_LARGE, "a file of more than %u separate written ranges",
                       REDO_MAX_RANGES);
    rc = ranges_reserve(&staging->written, ranges);
    if (!rc)
        rc = staging_tags_reserve(staging, batch->first + batch->count);
    return rc;
}

/* Finds the existing buffers; true if none of them is busy. lock held. */
static bool find_all(struct batch *batch, unsigned *missing)
{
    *missing = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        batch->buffers[i] = staging_find(batch->staging, batch->first + i);
        if (!batch->buffers[i])
            ++*missing;
        else if (staging_busy(batch->buffers[i]))
            return false;
    }
    return true;
}

static void claim_all(struct batch *batch, struct segbuf **chain)
{
    struct staging *staging = batch->staging;

    for (unsigned i = 0; i < batch->count; i++) {
        struct segbuf *buffer = batch->buffers[i];

        if (!buffer) {
            buffer = *chain;
            *chain = buffer->chain;
            buffer->position = batch->first + i;
            buffer->state = SEGBUF_CLEAN;
            buffer->fresh = !staging_written_in(staging, buffer->position);
            staging_insert(staging, buffer);
            batch->buffers[i] = buffer;
        }
        if (buffer->state == SEGBUF_QUEUED)
            staging_dequeue(staging, buffer);
        buffer->redone = false;
        buffer->filling = true;
        if (buffer->position < staging->hashed)
            staging->hash_stale = true;
    }
    staging->filling++;
    staging->changes++;
}

/* Workers will free buffers of this file. lock held. */
static bool is_flowing(const struct staging *staging)
{
    return staging->queued || staging->writing || staging->hash_running;
}

/* Waits for the segments to be idle and takes them all at once: nobody waits while holding some.
 * The budget is waited for without the lock and without buffers. */
static int claim(struct batch *batch)
{
    struct staging *staging = batch->staging;
    struct segbuf *chain = NULL;
    unsigned missing, have = 0;
    int rc;

    pthread_mutex_lock(&staging->lock);
    for (;;) {
        rc = may_change(staging);
        if (!rc)
            rc = reserve(batch);
        if (rc)
            break;
        if (!find_all(batch, &missing)) {
            staging_wait(staging);
            continue;
        }
        if (missing <= have) {
            claim_all(batch, &chain);
            break;
        }
        if (staging->buffers > FILE_BUFFERS && is_flowing(staging)) {
            staging_wait(staging);
            continue;
        }
        pthread_mutex_unlock(&staging->lock);
        pipeline_buffers_give(staging->pipeline, chain);
        have = missing;
        rc = pipeline_buffers_take(staging->pipeline, missing, &chain);
        pthread_mutex_lock(&staging->lock);
        if (rc)
            break;
    }
    pthread_mutex_unlock(&staging->lock);
    pipeline_buffers_give(staging->pipeline, chain);
    return rc;
}

static int copy_all(struct batch *batch)
{
    struct pipeline_context *context = NULL;
    const uint8_t *data = batch->data;
    uint32_t from, to;
    int rc = 0;

    for (unsigned i = 0; i < batch->count; i++, batch->copied++) {
        struct segbuf *buffer = batch->buffers[i];

        piece(batch, i, &from, &to);
        /* Only one stretch of valid bytes is kept: a write apart from it needs the rest first. */
        if (buffer->lo != buffer->hi && (to < buffer->lo || from > buffer->hi)) {
            if (!context)
                rc = pipeline_context_get(batch->staging->pipeline, &context);
            if (!rc)
                rc = staging_fill(batch->staging, context, buffer);
            if (rc)
                break;
        }
        memcpy(buffer->data + from, data, to - from);
        data += to - from;
    }
    pipeline_context_put(batch->staging->pipeline, context);
    return rc;
}

/* The valid stretch and the dirty hull after a copy into [from, to). lock held. */
static void note_copied(struct staging *staging, struct segbuf *buffer, uint32_t from, uint32_t to)
{
    if (buffer->lo == buffer->hi) {
        buffer->lo = from;
        buffer->hi = to;
    }
    if (from < buffer->lo)
        buffer->lo = from;
    if (to > buffer->hi)
        buffer->hi = to;
    if (buffer->state == SEGBUF_CLEAN) {
        staging_set_dirty(staging, buffer);
        buffer->dirty_lo = from;
        buffer->dirty_hi = to;
        return;
    }
    if (to < buffer->dirty_lo || from > buffer->dirty_hi)
        buffer->scattered = true;
    if (from < buffer->dirty_lo)
        buffer->dirty_lo = from;
    if (to > buffer->dirty_hi)
        buffer->dirty_hi = to;
}

/* A segment goes to the workers at once when no further write to it is to be expected. */
static bool is_finished(const struct staging *staging, const struct segbuf *buffer)
{
    bool rewritten =
        !buffer->scattered && buffer->dirty_lo == 0 && buffer->dirty_hi == VAULT_SEGMENT_PLAIN;

    return buffer->full && (rewritten || buffer->fresh) &&
           !staging_needs_redo(staging, buffer->position);
}

static void publish(struct batch *batch)
{
    struct staging *staging = batch->staging;
    uint64_t end = batch->offset;
    uint32_t from, to;

    pthread_mutex_lock(&staging->lock);
    for (unsigned i = 0; i < batch->copied; i++) {
        piece(batch, i, &from, &to);
        end = staging_byte_at(batch->first + i) + to;
    }
    /* Room was reserved. */
    (void)ranges_add(&staging->written, batch->offset, end);
    if (end > staging->size && end > batch->offset)
        staging->size = end;
    for (unsigned i = 0; i < batch->count; i++) {
        struct segbuf *buffer = batch->buffers[i];
        uint64_t start = staging_byte_at(buffer->position);

        buffer->filling = false;
        if (i >= batch->copied) {
            if (buffer->lo == buffer->hi)
                staging_drop(staging, buffer);
            continue;
        }
        piece(batch, i, &from, &to);
        note_copied(staging, buffer, from, to);
        staging_move_last(staging, buffer);
        buffer->full = buffer->lo == 0 && buffer->hi == VAULT_SEGMENT_PLAIN &&
                       ranges_contain(&staging->written, start, start + VAULT_SEGMENT_PLAIN);
        if (is_finished(staging, buffer))
            staging_enqueue(staging, buffer);
    }
    staging->filling--;
    if (staging->queue_head)
        pipeline_schedule_write(staging->pipeline, &staging->member);
    if (!staging->hash_running && staging_can_hash(staging))
        pipeline_schedule_hash(staging->pipeline, &staging->member);
    staging_notify(staging);
    pthread_mutex_unlock(&staging->lock);
}

/* Short of space: the write is answered when its bytes are in the file. */
static int write_through(struct staging *staging)
{
    int rc;

    pthread_mutex_lock(&staging->sync_lock);
    rc = staging_flush(staging, STAGING_LEAVE_NONE);
    pthread_mutex_unlock(&staging->sync_lock);
    return rc;
}

/* Takes the blocks first, so that a lack of space shows before anything is accepted. */
static int allocate(struct staging *staging, uint64_t offset, size_t len)
{
    uint64_t first = staging_segment_at(offset / VAULT_SEGMENT_PLAIN);
    uint64_t end = staging_segment_at((offset + len - 1) / VAULT_SEGMENT_PLAIN + 1);
    int rc = staging->io->allocate(staging->io, staging->fd, first, end - first);

    /* Where the file system cannot do it, the write itself will tell. */
    if (rc == -ENOSPC || rc == -EDQUOT || rc == -EIO)
        return sr_fail_errno(-rc, "allocate %zu bytes", len);
    return 0;
}

int staging_write(struct staging *staging, uint64_t offset, const void *data, size_t len)
{
    const uint8_t *from = data;
    size_t left = len;
    bool ample, fits;
    int rc;

    if (offset > VAULT_MAX_SIZE || len > VAULT_MAX_SIZE - offset)
        return sr_fail(SR_ERR_TOO_LARGE, "a file of more than 4 TiB");
    if (!len)
        return 0;
    rc = pipeline_space(staging->pipeline, len, &ample, &fits);
    if (!rc && !fits)
        rc = sr_fail(SR_ERR_NO_SPACE, "%zu bytes do not fit beside the reserve", len);
    if (!rc && !ample)
        rc = allocate(staging, offset, len);
    if (rc)
        return rc;
    pipeline_touch(staging->pipeline, &staging->member);
    while (left && !rc) {
        struct batch batch = {.staging = staging, .offset = offset, .data = from};
        uint32_t skip = (uint32_t)(offset % VAULT_SEGMENT_PLAIN);

        /* Batches end on segment boundaries. */
        batch.len = left > BATCH_BYTES - skip ? BATCH_BYTES - skip : left;
        batch.first = offset / VAULT_SEGMENT_PLAIN;
        batch.count = (unsigned)((offset + batch.len - 1) / VAULT_SEGMENT_PLAIN - batch.first + 1);
        rc = claim(&batch);
        if (rc)
            return rc;
        rc = copy_all(&batch);
        publish(&batch);
        offset += batch.len;
        from += batch.len;
        left -= batch.len;
    }
    return !rc && !ample ? write_through(staging) : rc;
}

/* Removes from the buffers what lies at and above size; false if one of them is busy. lock held. */
static bool cut_buffers(struct staging *staging, uint64_t size)
{
    struct segbuf *buffer, *next;

    for (buffer = staging->all_head; buffer; buffer = buffer->all_next)
        if (staging_byte_at(buffer->position + 1) > size && staging_busy(buffer))
            return false;
    for (buffer = staging->all_head; buffer; buffer = next) {
        uint64_t start = staging_byte_at(buffer->position);
        uint32_t keep = size > start ? (uint32_t)(size - start) : 0;

        next = buffer->all_next;
        if (start + VAULT_SEGMENT_PLAIN <= size)
            continue;
        if (keep <= buffer->lo) {
            staging_drop(staging, buffer);
            continue;
        }
        if (buffer->state == SEGBUF_QUEUED)
            staging_dequeue(staging, buffer);
        if (buffer->lo == 0 && buffer->hi == VAULT_SEGMENT_PLAIN)
            memset(buffer->data + keep, 0, VAULT_SEGMENT_PLAIN - keep);
        else if (buffer->hi > keep)
            buffer->hi = keep;
        if (buffer->dirty_hi > keep)
            buffer->dirty_hi = keep;
        if (buffer->dirty_lo > keep)
            buffer->dirty_lo = keep;
        buffer->full = buffer->redone = false;
    }
    return true;
}

static void shrink(struct staging *staging, uint64_t size)
{
    ranges_cut(&staging->written, size);
    if (size < staging->acked_size) {
        ranges_cut(&staging->acked, size);
        staging->acked_size = size;
        staging->cut = true;
    }
    staging->maybe_unclean = true;
    if (size >= staging_byte_at(staging->hashed))
        return;
    staging->hash_stale = true;
    if (size == 0 && !sr_digest_reset(staging->hash)) {
        /* Nothing is being hashed: every buffer was idle. */
        staging->hashed = 0;
        staging->hash_stale = false;
    }
}

int staging_truncate(struct staging *staging, uint64_t size)
{
    int rc;

    if (size > VAULT_MAX_SIZE)
        return sr_fail(SR_ERR_TOO_LARGE, "a file of more than 4 TiB");
    pipeline_touch(staging->pipeline, &staging->member);
    pthread_mutex_lock(&staging->lock);
    do {
        rc = may_change(staging);
        if (rc || size >= staging->size || cut_buffers(staging, size))
            break;
        staging_wait(staging);
    } while (true);
    if (!rc) {
        if (size < staging->size)
            shrink(staging, size);
        staging->size = size;
        staging->changes++;
    }
    staging_notify(staging);
    pthread_mutex_unlock(&staging->lock);
    return rc;
}
