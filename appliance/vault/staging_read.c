/* Reading an unsealed file: from its buffers where they are, from the file otherwise, and nothing
 * but zeros outside the written ranges. */
#include <string.h>

#include "vault/staging_internal.h"

static int damaged(const struct staging *staging, uint64_t position)
{
    char id[2 * VAULT_OBJECT_ID_LEN + 1];

    vault_object_id_text(&staging->id, id);
    return sr_fail(SR_ERR_DAMAGED, "staging %s: segment %llu does not decrypt", id,
                   (unsigned long long)position);
}

int staging_load_raw(struct staging *staging, struct pipeline_context *context, uint64_t position,
                     uint8_t *plain)
{
    size_t got = 0;
    int rc = sr_io_read_full(staging->io, staging->fd, context->cipher, VAULT_SEGMENT_LEN,
                             staging_segment_at(position), &got);

    if (rc)
        return rc;
    if (got < VAULT_SEGMENT_LEN)
        return damaged(staging, position);
    rc = floe_decrypt_segment(staging->floe, context->gcm, position, false, context->cipher,
                              VAULT_SEGMENT_LEN, plain);
    return rc == SR_ERR_DAMAGED ? damaged(staging, position) : rc;
}

/* Written bytes of the segment outside [lo, hi), which only the file has. lock held. */
static bool needs_file(const struct staging *staging, uint64_t position, uint32_t lo, uint32_t hi)
{
    uint64_t start = staging_byte_at(position);

    if (lo == hi)
        return staging_written_in(staging, position);
    return ranges_touch(&staging->written, start, start + lo) ||
           ranges_touch(&staging->written, start + hi, start + VAULT_SEGMENT_PLAIN);
}

int staging_fill(struct staging *staging, struct pipeline_context *context, struct segbuf *buffer)
{
    uint32_t lo = buffer->lo, hi = buffer->hi;
    uint8_t *plain;
    bool from_file;
    int rc;

    if (lo == 0 && hi == VAULT_SEGMENT_PLAIN)
        return 0;
    pthread_mutex_lock(&staging->lock);
    from_file = needs_file(staging, buffer->position, lo, hi);
    pthread_mutex_unlock(&staging->lock);
    if (from_file) {
        plain = pipeline_context_plain(context);
        rc = staging_load_raw(staging, context, buffer->position, plain);
        if (rc)
            return rc;
        pthread_mutex_lock(&staging->lock);
        ranges_mask(&staging->written, staging_byte_at(buffer->position), plain,
                    VAULT_SEGMENT_PLAIN);
        pthread_mutex_unlock(&staging->lock);
        memcpy(buffer->data, plain, lo);
        memcpy(buffer->data + hi, plain + hi, VAULT_SEGMENT_PLAIN - hi);
    } else {
        memset(buffer->data, 0, lo);
        memset(buffer->data + hi, 0, VAULT_SEGMENT_PLAIN - hi);
    }
    pthread_mutex_lock(&staging->lock);
    buffer->lo = 0;
    buffer->hi = VAULT_SEGMENT_PLAIN;
    pthread_mutex_unlock(&staging->lock);
    return 0;
}

/* The last segment of a file whose seal has begun: in the file it may have either form. lock held.
 * */
static bool is_sealing_last(const struct staging *staging, uint64_t position)
{
    return staging->last_plain && position == staging_segments(staging->seal_size) - 1;
}

int staging_load_masked(struct staging *staging, struct pipeline_context *context,
                        uint64_t position, uint8_t *plain)
{
    const struct segbuf *buffer = staging_find(staging, position);
    uint32_t lo = buffer ? buffer->lo : 0, hi = buffer ? buffer->hi : 0;
    int rc;

    if (is_sealing_last(staging, position)) {
        memcpy(plain, staging->last_plain, VAULT_SEGMENT_PLAIN);
        return 0;
    }
    if (needs_file(staging, position, lo, hi)) {
        rc = staging_load_raw(staging, context, position, plain);
        if (rc)
            return rc;
        ranges_mask(&staging->written, staging_byte_at(position), plain, VAULT_SEGMENT_PLAIN);
    } else {
        memset(plain, 0, VAULT_SEGMENT_PLAIN);
    }
    if (buffer)
        memcpy(plain + lo, buffer->data + lo, hi - lo);
    return 0;
}

/* [from, to) of one segment. lock held, dropped while the file is read: if the file was changed
 * meanwhile, what was read is thrown away and read again under the lock. */
static int read_piece(struct staging *staging, struct pipeline_context **context, uint64_t position,
                      uint32_t from, uint32_t to, uint8_t *out)
{
    struct segbuf *buffer;
    uint64_t changes;
    uint8_t *plain;
    int rc;

    while ((buffer = staging_find(staging, position)) && buffer->filling)
        staging_wait(staging);
    if (buffer && buffer->lo <= from && to <= buffer->hi) {
        memcpy(out, buffer->data + from, to - from);
        return 0;
    }
    if (!buffer && !ranges_touch(&staging->written, staging_byte_at(position) + from,
                                 staging_byte_at(position) + to)) {
        memset(out, 0, to - from);
        return 0;
    }
    if (!*context) {
        rc = pipeline_context_get(staging->pipeline, context);
        if (rc)
            return rc;
    }
    plain = pipeline_context_plain(*context);
    if (!buffer && !is_sealing_last(staging, position)) {
        changes = staging->changes;
        pthread_mutex_unlock(&staging->lock);
        rc = staging_load_raw(staging, *context, position, plain);
        pthread_mutex_lock(&staging->lock);
        if (staging->changes == changes && !staging_find(staging, position)) {
            ranges_mask(&staging->written, staging_byte_at(position), plain, VAULT_SEGMENT_PLAIN);
            memcpy(out, plain + from, to - from);
            return rc;
        }
        while ((buffer = staging_find(staging, position)) && buffer->filling)
            staging_wait(staging);
    }
    rc = staging_load_masked(staging, *context, position, plain);
    if (!rc)
        memcpy(out, plain + from, to - from);
    return rc;
}

int staging_read(struct staging *staging, uint64_t offset, void *buf, size_t len, size_t *got)
{
    struct pipeline_context *context = NULL;
    uint8_t *out = buf;
    size_t done = 0;
    int rc = 0;

    *got = 0;
    pthread_mutex_lock(&staging->lock);
    while (done < len && offset + done < staging->size && !rc) {
        uint64_t at = offset + done;
        uint32_t from = (uint32_t)(at % VAULT_SEGMENT_PLAIN);
        uint64_t take = VAULT_SEGMENT_PLAIN - from;

        if (take > len - done)
            take = len - done;
        if (take > staging->size - at)
            take = staging->size - at;
        rc = read_piece(staging, &context, at / VAULT_SEGMENT_PLAIN, from, from + (uint32_t)take,
                        out + done);
        if (!rc)
            done += (size_t)take;
    }
    pthread_mutex_unlock(&staging->lock);
    pipeline_context_put(staging->pipeline, context);
    if (rc)
        sr_wipe(buf, done);
    else
        *got = done;
    return rc;
}
