/* Finalize: from a staging file to the bytes of a sealed object.
 *
 *   1. segments that hold bytes outside the written ranges are rewritten (through the redo), sync;
 *   2. segments that were never written are written as encrypted zeros (nothing to lose: no redo);
 *   3. the plaintext hash is finished, reading back what the hasher did not see (staging_hash.c);
 *   4. the last segment's image, unless it is there, and then a seal record go into the redo, made durable;
 *   5. the last segment is written in its final form, then the tag tree, the length is cut,
 *      fdatasync;
 *   6. what was rewritten is read back and compared.
 * A crash before 4 leaves an ordinary staging file. After it, opening finds the seal record; the
 * next finalize repeats from 2 on, and writes only what is not there yet: of a file that was
 * finished it changes no byte, because its ledger entry and its name in objects/ may exist
 * already. */
#include <stdlib.h>
#include <string.h>

#include "vault/staging_internal.h"

#define TREE_BLOCK_BYTES (TAGTREE_BLOCK * SR_SHA256_LEN)

static const uint8_t zeros[VAULT_SEGMENT_PLAIN];

static int broken(const struct staging *staging, const char *what)
{
    return sr_fail(SR_ERR_DAMAGED, "%s: %s reads back differently", staging->path, what);
}

/* What is in the file may be taken for what will be there after a crash. */
static bool trusted(const struct staging *staging)
{
    return staging->seal_found && !staging->content_suspect;
}

/* --- 1 --- */

/* A segment of which some bytes are outside the ranges: if these are not zero in the file, it
 * becomes a dirty buffer. *spare is taken from the pool when there is none. */
static int normalise_segment(struct staging *staging, struct pipeline_context *context,
                             uint64_t position, struct segbuf **spare)
{
    uint8_t *plain = pipeline_context_plain(context);
    struct segbuf *buffer;
    int rc;

    if (!*spare) {
        rc = pipeline_buffers_take(staging->pipeline, 1, spare);
        if (rc)
            return rc;
    }
    pthread_mutex_lock(&staging->lock);
    buffer = staging_find(staging, position);
    if (buffer)
        staging_set_dirty(staging, buffer); /* is written whole, zeros outside */
    pthread_mutex_unlock(&staging->lock);
    if (buffer)
        return 0;
    rc = staging_load_raw(staging, context, position, plain);
    if (rc)
        return rc;
    buffer = *spare;
    memcpy(buffer->data, plain, VAULT_SEGMENT_PLAIN);
    ranges_mask(&staging->written, staging_byte_at(position), plain, VAULT_SEGMENT_PLAIN);
    if (!memcmp(buffer->data, plain, VAULT_SEGMENT_PLAIN))
        return 0;
    memcpy(buffer->data, plain, VAULT_SEGMENT_PLAIN);
    *spare = NULL;
    pthread_mutex_lock(&staging->lock);
    buffer->position = position;
    buffer->lo = 0;
    buffer->hi = VAULT_SEGMENT_PLAIN;
    buffer->state = SEGBUF_CLEAN;
    staging_insert(staging, buffer);
    staging_set_dirty(staging, buffer);
    pthread_mutex_unlock(&staging->lock);
    return 0;
}

/* Writers are refused and no sync runs, so the ranges stand still. The last segment is left out:
 * it is rewritten anyway. */
static int normalise(struct staging *staging)
{
    struct pipeline_context *context = NULL;
    struct segbuf *spare = NULL;
    uint64_t last = staging_segments(staging->size) - 1, done = UINT64_MAX;
    int rc = pipeline_context_get(staging->pipeline, &context);

    for (size_t i = 0; i < staging->written.count && !rc; i++) {
        uint64_t edges[2] = {staging->written.list[i].start, staging->written.list[i].end};

        for (int edge = 0; edge < 2 && !rc; edge++) {
            uint64_t position = edges[edge] / VAULT_SEGMENT_PLAIN;

            if (edges[edge] % VAULT_SEGMENT_PLAIN == 0 || position == done || position >= last)
                continue;
            rc = normalise_segment(staging, context, position, &spare);
            done = position;
        }
    }
    pipeline_buffers_give(staging->pipeline, spare);
    pipeline_context_put(staging->pipeline, context);
    return rc;
}

/* --- 2 --- */

/* SR_ERR_DAMAGED: the segment is anything but zeros. */
static int check_zeros(struct staging *staging, struct pipeline_context *context, uint64_t position)
{
    uint8_t *plain = pipeline_context_plain(context);
    int rc = staging_load_raw(staging, context, position, plain);

    return !rc && memcmp(plain, zeros, sizeof(zeros)) ? broken(staging, "a segment of zeros") : rc;
}

static int write_zeros(struct staging *staging, struct pipeline_context *context, uint64_t position,
                       unsigned count)
{
    const uint8_t *plain[PIPELINE_RUN];
    int rc;

    for (unsigned i = 0; i < count; i++)
        plain[i] = zeros;
    rc = staging_write_run(staging, context, position, plain, count);
    for (unsigned i = 0; i < count && !rc; i++)
        staging_tag_set(staging, position + i, context->cipher + (size_t)i * VAULT_SEGMENT_LEN,
                        VAULT_SEGMENT_LEN);
    return rc;
}

static int fill_holes(struct staging *staging, struct pipeline_context *context)
{
    uint64_t last = staging_segments(staging->size) - 1, position = 0;
    int rc = staging_tags_reserve(staging, last + 1);

    while (position < last && !rc) {
        unsigned count = 0;

        if (!staging_written_in(staging, position) && trusted(staging)) {
            rc = check_zeros(staging, context, position);
            if (!rc)
                staging_tag_set(staging, position++, context->cipher, VAULT_SEGMENT_LEN);
            if (rc != SR_ERR_DAMAGED)
                continue;
            rc = 0;
        }
        while (count < PIPELINE_RUN && position + count < last &&
               !staging_written_in(staging, position + count) && !(trusted(staging) && count))
            count++;
        if (count)
            rc = write_zeros(staging, context, position, count);
        position += count ? count : 1;
    }
    return rc;
}

/* --- 4 --- */

/* From here on last_plain stands for the last segment, and nothing but the seal writes it: a tail
 * that was left dirty goes. */
static void set_sealing(struct staging *staging, uint64_t size, uint8_t *last_plain)
{
    struct segbuf *tail;

    pthread_mutex_lock(&staging->lock);
    staging->sealing = true;
    staging->seal_size = size;
    staging->last_plain = last_plain;
    staging_drain(staging);
    tail = staging_find(staging, staging_segments(size) - 1);
    if (tail && tail->state == SEGBUF_DIRTY)
        staging_drop(staging, tail);
    pthread_mutex_unlock(&staging->lock);
    staging->seal_recorded = true;
}

/* The redo has this very content. in_redo does not say that: it may hold more than the redo does. */
static bool is_in_redo(struct staging *staging, uint64_t position)
{
    const struct segbuf *buffer;
    bool there;

    pthread_mutex_lock(&staging->lock);
    buffer = staging_find(staging, position);
    there = buffer && buffer->state != SEGBUF_CLEAN && buffer->redone;
    pthread_mutex_unlock(&staging->lock);
    return there;
}

static int record_seal(struct staging *staging, struct pipeline_context *context,
                       uint8_t *last_plain)
{
    uint64_t segments = staging_segments(staging->size);
    int rc = 0;

    /* The image first: a crash may keep the one record and not the other, and a seal record without
     * an image would let the next start rewrite the last segment unprotected. */
    if (staging_written_in(staging, segments - 1) && !is_in_redo(staging, segments - 1)) {
        pthread_mutex_lock(&staging->lock);
        rc = ranges_add(&staging->in_redo, segments - 1, segments);
        pthread_mutex_unlock(&staging->lock);
        if (!rc)
            rc = redo_append_segment(&staging->redo, context->gcm, context->cipher, segments - 1,
                                     last_plain, staging_last_len(staging->size));
    }
    if (!rc)
        rc = redo_append_seal(&staging->redo, context->gcm, context->cipher, staging->size,
                              segments);
    if (!rc)
        rc = redo_sync(&staging->redo);
    if (!rc)
        rc = staging_sync_names(staging);
    if (!rc)
        set_sealing(staging, staging->size, last_plain);
    return rc;
}

/* --- 5 and 6 --- */

/* Reads the last segment in its final form; its ciphertext stays in context->cipher. */
static int load_final(struct staging *staging, struct pipeline_context *context, uint64_t size,
                      uint8_t *plain)
{
    uint64_t last = staging_segments(size) - 1;
    size_t len = staging_last_len(size) + FLOE_SEGMENT_OVERHEAD, got;
    int rc = sr_io_read_full(staging->io, staging->fd, context->cipher, len,
                             staging_segment_at(last), &got);

    if (rc)
        return rc;
    if (got < len)
        return broken(staging, "the last segment");
    return floe_decrypt_segment(staging->floe, context->gcm, last, true, context->cipher, len,
                                plain);
}

/* SR_ERR_DAMAGED: the last segment is not there in its final form. */
static int check_final(struct staging *staging, struct pipeline_context *context)
{
    uint8_t *plain = pipeline_context_plain(context);
    int rc = load_final(staging, context, staging->size, plain);

    return !rc && memcmp(plain, staging->last_plain, staging_last_len(staging->size))
               ? broken(staging, "the last segment")
               : rc;
}

static int write_final(struct staging *staging, struct pipeline_context *context)
{
    uint64_t last = staging_segments(staging->size) - 1;
    size_t len = staging_last_len(staging->size);
    int rc = trusted(staging) ? check_final(staging, context) : SR_ERR_DAMAGED;

    if (rc == SR_ERR_DAMAGED) {
        rc = floe_encrypt_segment(staging->floe, context->gcm, staging->io, last, true,
                                  staging->last_plain, len, context->cipher);
        if (!rc)
            rc = sr_io_write_full(staging->io, staging->fd, context->cipher,
                                  len + FLOE_SEGMENT_OVERHEAD, staging_segment_at(last));
    }
    if (!rc)
        staging_tag_set(staging, last, context->cipher, len + FLOE_SEGMENT_OVERHEAD);
    if (!rc && !staging_tag(staging, last))
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for the tags of a file");
    return rc;
}

/* Writes a part of the tree unless it is in the file already; write false: it must be. */
static int put_tree(struct staging *staging, uint64_t at, const uint8_t *hashes, size_t len,
                    uint8_t *work, bool write)
{
    size_t got = 0;
    int rc = 0;

    if (!write || trusted(staging)) {
        rc = sr_io_read_full(staging->io, staging->fd, work, len, at, &got);
        if (rc || (got == len && !memcmp(work, hashes, len)))
            return rc;
        if (!write)
            return broken(staging, "the tag tree");
    }
    return sr_io_write_full(staging->io, staging->fd, hashes, len, at);
}

/* The tree of the known tags, written or compared. *end: where the object ends. */
static int tree_pass(struct staging *staging, struct pipeline_context *context, bool write,
                     uint8_t root[SR_SHA256_LEN], uint64_t *end)
{
    uint64_t segments = staging_segments(staging->size), done = 0;
    uint64_t at =
        staging_segment_at(segments - 1) + staging_last_len(staging->size) + FLOE_SEGMENT_OVERHEAD;
    size_t blocks = (size_t)((segments + TAGTREE_BLOCK - 1) / TAGTREE_BLOCK);
    uint8_t *leaves = context->cipher, *work = leaves + TREE_BLOCK_BYTES;
    uint8_t *tops = malloc(blocks * SR_SHA256_LEN);
    int rc = tops ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory for the tag tree");

    for (size_t block = 0; block < blocks && !rc; block++) {
        size_t count = 0;

        for (; count < TAGTREE_BLOCK && done < segments && !rc; count++, done++)
            rc = tagtree_leaf(staging_tag(staging, done), leaves + count * SR_SHA256_LEN);
        if (!rc)
            rc = tagtree_root(leaves, count, tops + block * SR_SHA256_LEN);
        if (!rc)
            rc = put_tree(staging, at, leaves, count * SR_SHA256_LEN, work, write);
        at += count * SR_SHA256_LEN;
    }
    if (!rc)
        rc = tagtree_root(tops, blocks, root);
    for (size_t block = 0; block < blocks && !rc; block += TAGTREE_BLOCK) {
        size_t count = blocks - block < TAGTREE_BLOCK ? blocks - block : TAGTREE_BLOCK;

        rc =
            put_tree(staging, at, tops + block * SR_SHA256_LEN, count * SR_SHA256_LEN, work, write);
        at += count * SR_SHA256_LEN;
    }
    free(tops);
    *end = at;
    return rc;
}

static int cut_end(struct staging *staging, uint64_t end)
{
    struct sr_stat st;
    int rc = staging->io->fstat(staging->io, staging->fd, &st);

    if (rc >= 0 && st.size != end)
        rc = staging->io->ftruncate(staging->io, staging->fd, end);
    return rc < 0 ? sr_fail_errno(-rc, "cut %s", staging->path) : 0;
}

static int check_end(struct staging *staging, struct pipeline_context *context, uint64_t end)
{
    uint64_t last = staging_segments(staging->size) - 1;
    struct sr_stat st;
    int rc = staging->io->fstat(staging->io, staging->fd, &st);

    if (rc < 0)
        return sr_fail_errno(-rc, "stat %s", staging->path);
    if (st.size != end)
        return broken(staging, "its length");
    rc = check_final(staging, context);
    if (!rc && memcmp(staging_tag(staging, last), context->cipher + 4, SR_GCM_IV_LEN))
        rc = broken(staging, "the last segment");
    for (uint64_t position = 0; position < last && !rc; position++) {
        if (staging_written_in(staging, position))
            continue;
        rc = check_zeros(staging, context, position);
        if (!rc && memcmp(staging_tag(staging, position), context->cipher + 4, SR_GCM_IV_LEN))
            rc = broken(staging, "a segment of zeros");
    }
    return rc;
}

static int write_end(struct staging *staging, struct pipeline_context *context)
{
    uint8_t root[SR_SHA256_LEN];
    uint64_t end;
    int rc = write_final(staging, context);

    if (!rc)
        rc = tree_pass(staging, context, true, staging->seal.tag_root, &end);
    if (!rc)
        rc = cut_end(staging, end);
    if (!rc)
        rc = staging_sync_content(staging);
    if (!rc)
        rc = check_end(staging, context, end);
    if (!rc)
        rc = tree_pass(staging, context, false, root, &end);
    return rc;
}

int staging_resume_seal(struct staging *staging, struct pipeline_context *context, uint64_t size,
                        uint8_t *image)
{
    uint64_t last = staging_segments(size) - 1;
    int rc = 0;

    if (!image) {
        image = sr_secret_alloc(VAULT_SEGMENT_PLAIN);
        if (!image)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        /* A record without its image: the crash came before anything was rewritten. */
        if (staging_written_in(staging, last)) {
            rc = load_final(staging, context, size, image);
            if (rc == SR_ERR_DAMAGED)
                rc = staging_load_raw(staging, context, last, image);
            if (rc)
                goto out;
        }
    }
    if (staging_last_len(size) < VAULT_SEGMENT_PLAIN)
        memset(image + staging_last_len(size), 0, VAULT_SEGMENT_PLAIN - staging_last_len(size));
    ranges_mask(&staging->written, staging_byte_at(last), image, VAULT_SEGMENT_PLAIN);
    set_sealing(staging, size, image);
    staging->seal_found = true;
    image = NULL;
out:
    sr_secret_free(image, VAULT_SEGMENT_PLAIN);
    return rc;
}

/* Steps 2 to 6. sync_lock held. */
static int finalize_locked(struct staging *staging, struct pipeline_context *context)
{
    uint64_t last = staging_segments(staging->size) - 1;
    uint8_t *last_plain = staging->last_plain;
    uint8_t *fresh = NULL;
    int rc = 0;

    if (!last_plain) {
        last_plain = fresh = sr_secret_alloc(VAULT_SEGMENT_PLAIN);
        if (!fresh)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        pthread_mutex_lock(&staging->lock);
        rc = staging_load_masked(staging, context, last, fresh);
        pthread_mutex_unlock(&staging->lock);
    }
    if (!rc)
        rc = fill_holes(staging, context);
    if (!rc)
        rc = staging_finish_hash(staging, context, last_plain);
    if (!rc && !staging->seal_recorded) {
        rc = record_seal(staging, context, last_plain);
        if (!rc)
            fresh = NULL; /* the file's now */
    }
    sr_secret_free(fresh, VAULT_SEGMENT_PLAIN);
    if (!rc)
        rc = write_end(staging, context);
    if (rc)
        return rc;
    staging->seal.size = staging->size;
    memcpy(staging->seal.header_sha256, staging->header_sha256, SR_SHA256_LEN);
    staging->finalized = true;
    return 0;
}

/* Buffers are of no more use: readers have the file. */
static void release_clean(struct staging *staging)
{
    struct segbuf *buffer, *next;

    pthread_mutex_lock(&staging->lock);
    for (buffer = staging->all_head; buffer; buffer = next) {
        next = buffer->all_next;
        if (buffer->state == SEGBUF_CLEAN && !staging_busy(buffer))
            staging_drop(staging, buffer);
    }
    pthread_mutex_unlock(&staging->lock);
}

int staging_finalize(struct staging *staging, struct staging_seal *out)
{
    struct pipeline_context *context = NULL;
    int rc;

    memset(out, 0, sizeof(*out));
    pthread_mutex_lock(&staging->lock);
    staging->sealing = true;
    while (staging->syncing || staging->filling)
        staging_wait(staging);
    rc = staging->dead ? sr_fail(SR_ERR_CLOSED, "the record was discarded") : 0;
    pthread_mutex_unlock(&staging->lock);
    if (rc)
        return rc;
    if (staging->maybe_unclean && !staging->last_plain)
        rc = normalise(staging);
    pthread_mutex_lock(&staging->sync_lock);
    if (!rc && !staging->seal_recorded)
        rc = staging_sync_locked(staging);
    if (!rc)
        rc = pipeline_context_get(staging->pipeline, &context);
    if (!rc && !staging->finalized)
        rc = finalize_locked(staging, context);
    if (!rc) {
        *out = staging->seal;
        rc = ranges_holes(&staging->written, staging->size, &out->holes, &out->hole_count);
    }
    pipeline_context_put(staging->pipeline, context);
    pthread_mutex_unlock(&staging->sync_lock);
    if (!rc)
        release_clean(staging);
    return rc;
}

bool staging_is_sealing(struct staging *staging)
{
    pthread_mutex_lock(&staging->sync_lock);
    bool sealing = staging->seal_recorded;
    pthread_mutex_unlock(&staging->sync_lock);
    return sealing;
}
