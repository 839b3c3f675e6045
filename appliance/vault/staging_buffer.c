/* A file's buffers: the map by position, the list by age, the queue, and the tags of what was
 * written. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vault/staging_internal.h"

#define HASH_WINDOW 256u /* clean segments so far past a gap wait for the gap to be filled */

bool staging_busy(const struct segbuf *buffer)
{
    return buffer->filling || buffer->writing || buffer->hashing;
}

struct segbuf *staging_find(const struct staging *staging, uint64_t position)
{
    struct segbuf *buffer = staging->buckets[position % STAGING_BUCKETS];

    while (buffer && buffer->position != position)
        buffer = buffer->chain;
    return buffer;
}

static void list_append(struct staging *staging, struct segbuf *buffer)
{
    buffer->all_prev = staging->all_tail;
    buffer->all_next = NULL;
    if (staging->all_tail)
        staging->all_tail->all_next = buffer;
    else
        staging->all_head = buffer;
    staging->all_tail = buffer;
}

static void list_remove(struct staging *staging, struct segbuf *buffer)
{
    if (buffer->all_prev)
        buffer->all_prev->all_next = buffer->all_next;
    else
        staging->all_head = buffer->all_next;
    if (buffer->all_next)
        buffer->all_next->all_prev = buffer->all_prev;
    else
        staging->all_tail = buffer->all_prev;
}

void staging_insert(struct staging *staging, struct segbuf *buffer)
{
    struct segbuf **bucket = &staging->buckets[buffer->position % STAGING_BUCKETS];

    buffer->chain = *bucket;
    *bucket = buffer;
    list_append(staging, buffer);
    staging->buffers++;
}

void staging_move_last(struct staging *staging, struct segbuf *buffer)
{
    if (staging->all_tail == buffer)
        return;
    list_remove(staging, buffer);
    list_append(staging, buffer);
}

void staging_enqueue(struct staging *staging, struct segbuf *buffer)
{
    assert(buffer->state == SEGBUF_DIRTY);
    buffer->state = SEGBUF_QUEUED;
    buffer->queue_prev = staging->queue_tail;
    buffer->queue_next = NULL;
    if (staging->queue_tail)
        staging->queue_tail->queue_next = buffer;
    else
        staging->queue_head = buffer;
    staging->queue_tail = buffer;
    staging->queued++;
}

void staging_dequeue(struct staging *staging, struct segbuf *buffer)
{
    assert(buffer->state == SEGBUF_QUEUED && !buffer->writing);
    if (buffer->queue_prev)
        buffer->queue_prev->queue_next = buffer->queue_next;
    else
        staging->queue_head = buffer->queue_next;
    if (buffer->queue_next)
        buffer->queue_next->queue_prev = buffer->queue_prev;
    else
        staging->queue_tail = buffer->queue_prev;
    buffer->state = SEGBUF_DIRTY;
    staging->queued--;
}

void staging_set_dirty(struct staging *staging, struct segbuf *buffer)
{
    if (buffer->state != SEGBUF_CLEAN)
        return;
    buffer->state = SEGBUF_DIRTY;
    staging->dirty++;
    pipeline_count_dirty(staging->pipeline, 1);
}

static void count_clean(struct staging *staging, struct segbuf *buffer)
{
    if (buffer->state == SEGBUF_QUEUED)
        staging_dequeue(staging, buffer);
    if (buffer->state == SEGBUF_CLEAN)
        return;
    buffer->state = SEGBUF_CLEAN;
    staging->dirty--;
    pipeline_count_dirty(staging->pipeline, -1);
}

void staging_drop(struct staging *staging, struct segbuf *buffer)
{
    struct segbuf **at = &staging->buckets[buffer->position % STAGING_BUCKETS];

    assert(!staging_busy(buffer));
    count_clean(staging, buffer);
    while (*at != buffer)
        at = &(*at)->chain;
    *at = buffer->chain;
    list_remove(staging, buffer);
    staging->buffers--;
    buffer->chain = NULL;
    pipeline_buffers_give(staging->pipeline, buffer);
}

bool staging_can_hash(const struct staging *staging)
{
    const struct segbuf *buffer = staging_find(staging, staging->hashed);

    return !staging->hash_stale && buffer && buffer->full && !buffer->filling;
}

/* Whether the hasher will come by soon, or the next append will want it. */
static bool worth_keeping(const struct staging *staging, const struct segbuf *buffer)
{
    if (staging->dead)
        return false;
    if (buffer->position == staging->size / VAULT_SEGMENT_PLAIN)
        return true;
    if (staging->hash_stale || buffer->position < staging->hashed)
        return false;
    return staging_find(staging, staging->hashed) ||
           (!staging_written_in(staging, staging->hashed) &&
            buffer->position - staging->hashed < HASH_WINDOW);
}

void staging_set_clean(struct staging *staging, struct segbuf *buffer)
{
    count_clean(staging, buffer);
    buffer->fresh = buffer->scattered = buffer->redone = buffer->imaged = false;
    if (!staging_busy(buffer) && !worth_keeping(staging, buffer))
        staging_drop(staging, buffer);
}

bool staging_written_in(const struct staging *staging, uint64_t position)
{
    return ranges_touch(&staging->written, staging_byte_at(position),
                        staging_byte_at(position + 1));
}

bool staging_needs_redo(const struct staging *staging, uint64_t position)
{
    return ranges_touch(&staging->claimed, staging_byte_at(position),
                        staging_byte_at(position + 1)) ||
           ranges_touch(&staging->in_redo, position, position + 1);
}

void staging_wait(struct staging *staging)
{
    staging->waiters++;
    pthread_cond_wait(&staging->changed, &staging->lock);
    staging->waiters--;
}

void staging_notify(struct staging *staging)
{
    if (staging->waiters)
        pthread_cond_broadcast(&staging->changed);
}

void staging_latch(struct staging *staging, int code)
{
    if (!staging->error.code)
        sr_error_save(&staging->error, code);
}

int staging_take_error(struct staging *staging)
{
    struct sr_error_copy error = staging->error;

    if (!error.code)
        return 0;
    staging->error.code = 0;
    return sr_error_raise(&error);
}

int staging_tags_reserve(struct staging *staging, uint64_t end)
{
    size_t chunks = (size_t)((end + STAGING_TAG_CHUNK - 1) / STAGING_TAG_CHUNK);
    size_t capacity = staging->tag_chunks ? staging->tag_chunks : 4;
    struct staging_tags **tags;

    if (chunks <= staging->tag_chunks)
        return 0;
    while (capacity < chunks)
        capacity *= 2;
    tags = realloc(staging->tags, capacity * sizeof(struct staging_tags *));
    if (!tags)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for the tags of a file");
    memset(tags + staging->tag_chunks, 0,
           (capacity - staging->tag_chunks) * sizeof(struct staging_tags *));
    staging->tags = tags;
    staging->tag_chunks = capacity;
    return 0;
}

const uint8_t *staging_tag(const struct staging *staging, uint64_t position)
{
    size_t chunk = (size_t)(position / STAGING_TAG_CHUNK);
    const struct staging_tags *tags = chunk < staging->tag_chunks ? staging->tags[chunk] : NULL;

    return tags && tags->known[position % STAGING_TAG_CHUNK]
               ? tags->iv_tag[position % STAGING_TAG_CHUNK]
               : NULL;
}

void staging_tag_set(struct staging *staging, uint64_t position, const uint8_t *segment, size_t len)
{
    size_t chunk = (size_t)(position / STAGING_TAG_CHUNK);
    struct staging_tags *tags = chunk < staging->tag_chunks ? staging->tags[chunk] : NULL;
    uint8_t *iv_tag;

    /* Without memory the tag stays unknown; the seal reads it from the file then. */
    if (!tags && chunk < staging->tag_chunks)
        tags = staging->tags[chunk] = calloc(1, sizeof(*tags));
    if (!tags)
        return;
    iv_tag = tags->iv_tag[position % STAGING_TAG_CHUNK];
    memcpy(iv_tag, segment + 4, SR_GCM_IV_LEN);
    memcpy(iv_tag + SR_GCM_IV_LEN, segment + len - SR_GCM_TAG_LEN, SR_GCM_TAG_LEN);
    tags->known[position % STAGING_TAG_CHUNK] = true;
}

void staging_tags_free(struct staging *staging)
{
    for (size_t i = 0; i < staging->tag_chunks; i++)
        free(staging->tags[i]);
    free(staging->tags);
    staging->tags = NULL;
    staging->tag_chunks = 0;
}
