/* Acknowledging: staging_sync and the redo that protects what it acknowledged.
 *
 * A sync does, in this order:
 *   1. every dirty segment that no durable meta record may claim is written in place;
 *   2. the images of the others are appended to the redo, the redo is made durable, then they are
 *      written in place (write-ahead: a torn write is repaired from the image);
 *   3. fdatasync of the content, if anything was written since the last one;
 *   4. the image of the tail (the last segment while it is not whole) and a meta record (size, written
 *      ranges) are appended and made durable;
 *   5. the folder is synced if a name in it is new.
 * The tail is left out of 1 and 2: it stays dirty in memory, as the next append or the seal writes it
 * again. Under pressure, when the redo grows long, or at a close it goes in place like any other.
 * Steps 3 and 4 are serial on purpose. Were the meta record written while the content is still on
 * its way, a crash between them would leave a record that claims segments which do not decrypt;
 * opening would then have to take "the last meta record claims a damaged segment" for "it was never
 * acknowledged", and damage done later to acknowledged evidence would pass for the same. The record
 * must be proof; 0.3 ms a file is the price. */
#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "vault/staging_internal.h"

_Static_assert(REDO_RECORD_MAX <= PIPELINE_RUN * VAULT_SEGMENT_LEN,
               "a context's cipher buffer must hold any redo record");

static bool is_tail(const struct staging *staging, const struct segbuf *buffer)
{
    return buffer->position == staging->size / VAULT_SEGMENT_PLAIN;
}

unsigned staging_queue_dirty(struct staging *staging, enum staging_leave leave)
{
    unsigned count = 0;

    for (struct segbuf *buffer = staging->all_head; buffer; buffer = buffer->all_next) {
        if (buffer->state != SEGBUF_DIRTY || buffer->filling || buffer->writing)
            continue;
        if (staging_needs_redo(staging, buffer->position) && !buffer->redone)
            continue;
        if (leave == STAGING_LEAVE_TAIL && is_tail(staging, buffer))
            continue;
        staging_enqueue(staging, buffer);
        count++;
    }
    return count;
}

void staging_drain(struct staging *staging)
{
    while (staging->queued || staging->writing)
        staging_wait(staging);
}

/* Pins every dirty segment that must go through the redo. lock held. *held is chained by
 * queue_next. */
static int pin_held(struct staging *staging, enum staging_leave leave, struct segbuf **held)
{
    struct segbuf **at = held;
    int rc;

    *held = NULL;
    for (struct segbuf *buffer = staging->all_head; buffer; buffer = buffer->all_next) {
        if (buffer->state != SEGBUF_DIRTY || buffer->filling || buffer->writing || buffer->redone ||
            !staging_needs_redo(staging, buffer->position) ||
            (leave == STAGING_LEAVE_TAIL && is_tail(staging, buffer)))
            continue;
        /* Before the append: a failed one may have reached the disk. */
        rc = ranges_add(&staging->in_redo, buffer->position, buffer->position + 1);
        if (rc)
            return rc;
        buffer->writing = true;
        staging->writing++;
        *at = buffer;
        buffer->queue_next = NULL;
        at = &buffer->queue_next;
    }
    return 0;
}

static void unpin_held(struct staging *staging, struct segbuf *held, bool redone)
{
    while (held) {
        struct segbuf *next = held->queue_next;

        held->writing = false;
        held->redone = redone;
        held->imaged |= redone;
        staging->writing--;
        if (redone)
            staging_enqueue(staging, held);
        held = next;
    }
    if (staging->queue_head)
        pipeline_schedule_write(staging->pipeline, &staging->member);
    staging_notify(staging);
}

int staging_sync_names(struct staging *staging)
{
    int rc;

    if (staging->names_durable)
        return 0;
    rc = staging->io->sync_dir(staging->io, staging->folder);
    if (rc < 0)
        return sr_fail_errno(-rc, "sync folder %s", staging->folder);
    staging->names_durable = true;
    return 0;
}

/* After a shrink that no meta record tells of, an image may hold zeros where acknowledged bytes
 * stood: the record of the shrink goes first, so that a crash shows the file before it or after
 * it. */
static int append_cut(struct staging *staging, struct pipeline_context *context, uint64_t *cut_size)
{
    struct ranges acked = {0};
    uint64_t size;
    bool cut;
    int rc;

    pthread_mutex_lock(&staging->lock);
    cut = staging->cut;
    *cut_size = size = staging->acked_size;
    rc = cut ? ranges_copy(&acked, &staging->acked) : 0;
    pthread_mutex_unlock(&staging->lock);
    if (cut && !rc)
        rc = redo_append_meta(&staging->redo, context->gcm, context->cipher, size, &acked);
    ranges_free(&acked);
    return rc;
}

/* Writes a redo of one meta record; the images in the old one are no longer needed because content
 * has just been synced with everything in place. */
static int compact(struct staging *staging, struct pipeline_context *context)
{
    struct ranges acked = {0};
    uint64_t size;
    int rc;

    pthread_mutex_lock(&staging->lock);
    size = staging->acked_size;
    rc = ranges_copy(&acked, &staging->acked);
    pthread_mutex_unlock(&staging->lock);
    if (!rc)
        rc = redo_replace(&staging->redo, context->gcm, context->cipher, size, &acked);
    ranges_free(&acked);
    if (rc)
        return rc;
    staging->names_durable = false;
    rc = staging_sync_names(staging);
    if (rc)
        return rc; /* a crash may bring the old file back: its positions stay in in_redo */
    pthread_mutex_lock(&staging->lock);
    ranges_clear(&staging->in_redo);
    pthread_mutex_unlock(&staging->lock);
    return 0;
}

/* Between syncs the redo grows by what pressure pushes out; keep it bounded. */
static int compact_if_large(struct staging *staging, struct pipeline_context *context)
{
    bool possible = true;
    int rc;

    if (staging->redo.good_len <= STAGING_REDO_LIMIT || staging->content_suspect ||
        staging->seal_recorded)
        return 0;
    pthread_mutex_lock(&staging->lock);
    if (staging_queue_dirty(staging, STAGING_LEAVE_NONE)) /* a tail that was left */
        pipeline_schedule_write(staging->pipeline, &staging->member);
    staging_drain(staging);
    /* An image that is not in place (its write failed, or it was written to before) must stay. */
    for (struct segbuf *buffer = staging->all_head; buffer; buffer = buffer->all_next)
        if (buffer->imaged)
            possible = false;
    pthread_mutex_unlock(&staging->lock);
    if (!possible)
        return 0;
    rc = staging_sync_content(staging);
    return rc ? rc : compact(staging, context);
}

int staging_push_held(struct staging *staging, struct pipeline_context *context,
                      enum staging_leave leave)
{
    struct segbuf *held = NULL;
    uint64_t cut_size = 0;
    int rc;

    rc = compact_if_large(staging, context);
    if (rc)
        goto latch;
    pthread_mutex_lock(&staging->lock);
    if (staging_queue_dirty(staging, leave)) /* after a compaction some need no image any more */
        pipeline_schedule_write(staging->pipeline, &staging->member);
    rc = pin_held(staging, leave, &held);
    pthread_mutex_unlock(&staging->lock);
    if (!held && !rc)
        return 0;
    if (!rc)
        rc = append_cut(staging, context, &cut_size);
    for (struct segbuf *buffer = held; buffer && !rc; buffer = buffer->queue_next) {
        rc = staging_fill(staging, context, buffer);
        if (!rc)
            rc = redo_append_segment(&staging->redo, context->gcm, context->cipher,
                                     buffer->position, buffer->data, VAULT_SEGMENT_PLAIN);
    }
    if (!rc)
        rc = redo_sync(&staging->redo);
    if (!rc)
        rc = staging_sync_names(staging);
    pthread_mutex_lock(&staging->lock);
    if (!rc && staging->acked_size == cut_size) /* not shrunk further meanwhile */
        staging->cut = false;
    unpin_held(staging, held, !rc);
    pthread_mutex_unlock(&staging->lock);
latch:
    if (rc) {
        pthread_mutex_lock(&staging->lock);
        staging_latch(staging, rc);
        pthread_mutex_unlock(&staging->lock);
    }
    return rc;
}

int staging_flush(struct staging *staging, enum staging_leave leave)
{
    struct pipeline_context *context = NULL;
    int rc = pipeline_context_get(staging->pipeline, &context);
    bool few;

    if (rc)
        return rc;
    pthread_mutex_lock(&staging->lock);
    few = staging_queue_dirty(staging, leave) <= PIPELINE_RUN;
    if (!few)
        pipeline_schedule_write(staging->pipeline, &staging->member);
    pthread_mutex_unlock(&staging->lock);
    /* A small file's one run is written here: handing it over would cost more than the writing. */
    if (few)
        staging_write_task(staging, context);
    rc = staging_push_held(staging, context, leave);
    pipeline_context_put(staging->pipeline, context);
    pthread_mutex_lock(&staging->lock);
    staging_drain(staging);
    if (staging->error.code)
        rc = staging_take_error(staging);
    pthread_mutex_unlock(&staging->lock);
    return rc;
}

/* Writes again what the page cache may have dropped after a failed fdatasync (Linux marks such
 * pages clean). The plaintext is gone, so the ciphertext is read back; if what comes back is the
 * version that was written, it is written once more and is then dirty again. No write is under
 * way. */
static int rewrite_unsynced(struct staging *staging, struct pipeline_context *context)
{
    uint8_t *plain = pipeline_context_plain(context);
    uint8_t *cipher = context->cipher;
    uint8_t digest[SR_SHA256_LEN];
    int rc = sr_io_read_full(staging->io, staging->fd, cipher, STAGING_HEAD_LEN, 0, NULL);

    if (!rc)
        rc = sr_sha256(cipher, STAGING_HEAD_LEN, digest);
    if (!rc && memcmp(digest, staging->header_sha256, sizeof(digest)))
        rc = sr_fail(SR_ERR_DAMAGED, "the storage lost the head of a staging file");
    if (!rc)
        rc = sr_io_write_full(staging->io, staging->fd, cipher, STAGING_HEAD_LEN, 0);
    for (size_t i = 0; i < staging->suspect.count && !rc; i++) {
        const struct staging_range *range = &staging->suspect.list[i];

        for (uint64_t position = range->start; position < range->end && !rc; position++) {
            const uint8_t *tag = staging_tag(staging, position);

            if (!staging_written_in(staging, position))
                continue; /* nobody will ask for it */
            if (staging->seal_recorded && position == staging_segments(staging->seal_size) - 1)
                continue; /* the seal writes it again */
            rc = staging_load_raw(staging, context, position, plain);
            if (!rc && tag && memcmp(tag, cipher + 4, SR_GCM_IV_LEN))
                rc = sr_fail(SR_ERR_DAMAGED, "the storage lost segment %llu of a staging file",
                             (unsigned long long)position);
            if (!rc)
                rc = sr_io_write_full(staging->io, staging->fd, cipher, VAULT_SEGMENT_LEN,
                                      staging_segment_at(position));
        }
    }
    return rc;
}

int staging_sync_content(struct staging *staging)
{
    struct pipeline_context *context = NULL;
    int rc;

    /* What workers write from here on belongs to the next sync; what they write now, to this one. */
    pthread_mutex_lock(&staging->lock);
    while (staging->writing)
        staging_wait(staging);
    rc = ranges_merge(&staging->suspect, &staging->unsynced);
    if (!rc)
        ranges_clear(&staging->unsynced);
    pthread_mutex_unlock(&staging->lock);
    if (!rc && staging->content_suspect) {
        rc = pipeline_context_get(staging->pipeline, &context);
        if (!rc)
            rc = rewrite_unsynced(staging, context);
        pipeline_context_put(staging->pipeline, context);
    }
    if (rc)
        return rc;
    rc = staging->io->fdatasync(staging->io, staging->fd);
    if (rc < 0) {
        staging->content_suspect = true;
        return sr_fail_errno(-rc, "sync %s", staging->path);
    }
    staging->content_suspect = false;
    staging->head_durable = true;
    ranges_clear(&staging->suspect);
    return 0;
}

/* The tail if its image is not in the redo. lock held. */
static struct segbuf *unsaved_tail(const struct staging *staging)
{
    struct segbuf *tail = staging_find(staging, staging->size / VAULT_SEGMENT_PLAIN);

    return tail && tail->state == SEGBUF_DIRTY && !tail->redone ? tail : NULL;
}

/* Every byte written in place so far is durable, the head too. */
static bool is_content_durable(const struct staging *staging)
{
    return staging->head_durable && !staging->content_suspect && !staging->unsynced.count &&
           !staging->suspect.count;
}

/* Nothing has changed since the last meta record. lock held. */
static bool is_durable(const struct staging *staging)
{
    return staging->names_durable && is_content_durable(staging) && !unsaved_tail(staging) &&
           !staging->cut && staging->size == staging->acked_size &&
           ranges_equal(&staging->written, &staging->acked);
}

/* Appends the tail's image, if there is one to append; *tail is pinned then. */
static int append_tail(struct staging *staging, struct pipeline_context *context,
                       struct segbuf **tail)
{
    size_t len = staging_last_len(staging->size);
    uint64_t cut_size;
    int rc = 0;

    pthread_mutex_lock(&staging->lock);
    *tail = unsaved_tail(staging);
    if (*tail) {
        /* Before the append: a failed one may have reached the disk. */
        rc = ranges_add(&staging->in_redo, (*tail)->position, (*tail)->position + 1);
        (*tail)->writing = true;
        staging->writing++;
    }
    pthread_mutex_unlock(&staging->lock);
    if (!*tail || rc)
        return rc;
    rc = append_cut(staging, context, &cut_size);
    if (!rc && ((*tail)->lo > 0 || (*tail)->hi < len)) /* the rest is in the file */
        rc = staging_fill(staging, context, *tail);
    return rc ? rc
              : redo_append_segment(&staging->redo, context->gcm, context->cipher,
                                    (*tail)->position, (*tail)->data, len);
}

static void unpin_tail(struct staging *staging, struct segbuf *tail, bool redone)
{
    if (!tail)
        return;
    pthread_mutex_lock(&staging->lock);
    tail->writing = false;
    tail->redone = redone;
    tail->imaged |= redone;
    staging->writing--;
    staging_notify(staging);
    pthread_mutex_unlock(&staging->lock);
}

/* Steps 3 to 5. Writers wait and all buffers but the tail are clean, so the state stands still
 * without the lock; readers only look. */
static int acknowledge(struct staging *staging, struct pipeline_context *context)
{
    struct segbuf *tail = NULL;
    int rc = 0;

    if (staging->written.count > REDO_MAX_RANGES)
        return sr_fail(SR_ERR_TOO_LARGE, "a file of more than %u separate written ranges",
                       REDO_MAX_RANGES);
    if (!is_content_durable(staging))
        rc = staging_sync_content(staging);
    if (!rc)
        rc = append_tail(staging, context, &tail);
    if (rc) {
        unpin_tail(staging, tail, false);
        return rc;
    }
    /* From the append on a crash may find the record, whether or not it is acknowledged. */
    pthread_mutex_lock(&staging->lock);
    rc = ranges_merge(&staging->claimed, &staging->written);
    pthread_mutex_unlock(&staging->lock);
    if (!rc)
        rc = redo_append_meta(&staging->redo, context->gcm, context->cipher, staging->size,
                              &staging->written);
    if (!rc)
        rc = redo_sync(&staging->redo);
    if (!rc)
        rc = staging_sync_names(staging);
    unpin_tail(staging, tail, !rc);
    if (rc)
        return rc;
    pthread_mutex_lock(&staging->lock);
    /* Had it failed, claimed would only be larger than need be; acked decides what a sync may
     * skip. */
    rc = ranges_copy(&staging->acked, &staging->written);
    if (!rc) {
        staging->acked_size = staging->size;
        staging->cut = false;
        (void)ranges_copy(&staging->claimed, &staging->written);
    }
    pthread_mutex_unlock(&staging->lock);
    return rc;
}

int staging_sync_locked(struct staging *staging)
{
    struct pipeline_context *context = NULL;
    enum staging_leave leave = STAGING_LEAVE_NONE;
    bool durable, compactable = false;
    int rc;

    if (staging->redo.good_len <= STAGING_REDO_LIMIT && pipeline_may_hold(staging->pipeline))
        leave = STAGING_LEAVE_TAIL;
    pthread_mutex_lock(&staging->lock);
    rc = staging_take_error(staging);
    if (rc) {
        pthread_mutex_unlock(&staging->lock);
        return rc;
    }
    staging->syncing = true;
    while (staging->filling)
        staging_wait(staging);
    pthread_mutex_unlock(&staging->lock);
    rc = staging_flush(staging, leave);
    if (!rc)
        rc = pipeline_context_get(staging->pipeline, &context);
    if (!rc) {
        pthread_mutex_lock(&staging->lock);
        assert(staging->dirty <= (leave == STAGING_LEAVE_TAIL));
        compactable = !staging->dirty;
        durable = is_durable(staging);
        pthread_mutex_unlock(&staging->lock);
        if (!durable)
            rc = acknowledge(staging, context);
        /* The content is safe either way; a redo that stays long is tried again. */
        if (!rc && staging->redo.good_len > STAGING_REDO_LIMIT && compactable &&
            compact(staging, context))
            sr_log_failure("compaction of a redo file");
    }
    pipeline_context_put(staging->pipeline, context);
    pthread_mutex_lock(&staging->lock);
    staging->syncing = false;
    staging_notify(staging);
    pthread_mutex_unlock(&staging->lock);
    return rc;
}

int staging_sync(struct staging *staging)
{
    int rc;

    pthread_mutex_lock(&staging->sync_lock);
    rc = staging->seal_recorded ? 0 : staging_sync_locked(staging);
    pthread_mutex_unlock(&staging->sync_lock);
    return rc;
}
