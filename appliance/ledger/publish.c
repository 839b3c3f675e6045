#include "ledger/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

/* Order on disk: full tiles, the partial ones, checkpoints/SIZE, checkpoint. Whatever a crash cuts
 * off, the checkpoint names only what is there, and at most one kept checkpoint is newer than it.
 * */

/* The hashes of one tile into its file. */
static int write_tile(struct ledger *ledger, struct tile_writer *writer, unsigned level, uint64_t n,
                      unsigned width)
{
    uint8_t data[TILE_BYTES];

    pthread_mutex_lock(&ledger->lock);
    tree_tile(&ledger->tree, level, n, width, data);
    pthread_mutex_unlock(&ledger->lock);
    return tile_write(writer, level, n, width, data);
}

/* The tiles that a tree of size has and a tree of old_size had not. */
static int write_tiles(struct ledger *ledger, uint64_t old_size, uint64_t size)
{
    struct tile_writer writer = {.io = ledger->io, .dir = ledger->dir};
    int status = 0;
    int flushed;

    for (unsigned level = 0; level < TILE_LEVELS && status == 0; level++) {
        uint64_t full = tile_full(size, level);
        unsigned width = tile_partial(size, level);

        for (uint64_t n = tile_full(old_size, level); n < full && status == 0; n++)
            status = write_tile(ledger, &writer, level, n, TILE_WIDTH);
        if (status == 0 && width != 0)
            status = write_tile(ledger, &writer, level, full, width);
    }
    flushed = tile_flush(&writer);
    if (status == 0)
        status = flushed;
    /* The full tiles are durable: what was partial in them may go. Before the checkpoint, so that
     * an attempt that is interrupted here does it again. */
    for (unsigned level = 0; level < TILE_LEVELS && status == 0; level++)
        for (uint64_t n = tile_full(old_size, level); n < tile_full(size, level) && status == 0;
             n++)
            status = tile_drop_partials(ledger->io, ledger->dir, level, n);
    return status;
}

/* Fills unfinished. publish_lock held, and no unfinished one is left. */
static int sign(struct ledger *ledger, uint64_t size)
{
    struct note_checkpoint checkpoint = {.size = size};
    struct tlog_source source;
    int status;

    memcpy(checkpoint.origin, ledger->verifier.name, sizeof(checkpoint.origin));
    pthread_mutex_lock(&ledger->lock);
    source = tree_source(&ledger->tree);
    status = tlog_root(&source, size, &checkpoint.root);
    pthread_mutex_unlock(&ledger->lock);
    if (status != 0)
        return status;
    ledger->unfinished_size = size;
    status = note_checkpoint_sign(&checkpoint, &ledger->verifier, ledger->secrets->seed,
                                  &ledger->unfinished);
    if (status != 0)
        sr_buf_free(&ledger->unfinished);
    return status;
}

/* The unfinished checkpoint is in both places. publish_lock held. */
static void adopt(struct ledger *ledger)
{
    sr_buf_free(&ledger->note);
    ledger->note = ledger->unfinished;
    memset(&ledger->unfinished, 0, sizeof(ledger->unfinished));
    pthread_mutex_lock(&ledger->lock);
    ledger->published = ledger->unfinished_size;
    ledger_check(ledger);
    pthread_mutex_unlock(&ledger->lock);
}

static int finish(struct ledger *ledger)
{
    int status = kept_write(ledger->io, ledger->dir, ledger->unfinished_size,
                            ledger->unfinished.data, ledger->unfinished.len);

    if (status == 0)
        status = kept_write_newest(ledger->io, ledger->dir, ledger->unfinished.data,
                                   ledger->unfinished.len);
    if (status == 0)
        adopt(ledger);
    return status;
}

int publish_checkpoint(struct ledger *ledger, struct sr_buf *note)
{
    uint64_t published;
    uint64_t size;
    int status = 0;

    pthread_mutex_lock(&ledger->publish_lock);
    if (ledger->unfinished.len > 0)
        status = finish(ledger);
    pthread_mutex_lock(&ledger->lock);
    published = ledger->published;
    size = ledger->committed;
    pthread_mutex_unlock(&ledger->lock);
    if (status == 0 && size > published) {
        status = write_tiles(ledger, published, size);
        if (status == 0)
            status = sign(ledger, size);
        if (status == 0)
            status = finish(ledger);
    }
    if (status == 0 && note != NULL) {
        sr_buf_append(note, ledger->note.data, ledger->note.len);
        if (note->failed)
            status = sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    }
    pthread_mutex_unlock(&ledger->publish_lock);
    return status;
}

int publish_first(struct ledger *ledger)
{
    int status;

    pthread_mutex_lock(&ledger->publish_lock);
    status = sign(ledger, 0);
    if (status == 0)
        status = kept_write_newest(ledger->io, ledger->dir, ledger->unfinished.data,
                                   ledger->unfinished.len);
    if (status == 0)
        status =
            kept_write(ledger->io, ledger->dir, 0, ledger->unfinished.data, ledger->unfinished.len);
    if (status == 0)
        adopt(ledger);
    pthread_mutex_unlock(&ledger->publish_lock);
    return status;
}

int ledger_checkpoint(struct ledger *ledger, struct sr_buf *note)
{
    int status;

    pthread_mutex_lock(&ledger->lock);
    status = ledger_commit_locked(ledger, ledger->tree.size);
    pthread_mutex_unlock(&ledger->lock);
    return status == 0 ? publish_checkpoint(ledger, note) : status;
}

/* The newest checkpoint covers index from here on. */
static int cover(struct ledger *ledger, uint64_t index)
{
    bool covered;
    bool exists;

    pthread_mutex_lock(&ledger->lock);
    exists = index < ledger->tree.size;
    covered = index < ledger->published;
    pthread_mutex_unlock(&ledger->lock);
    if (!exists)
        return sr_fail(SR_ERR_NOT_FOUND, "ledger: no entry %llu", (unsigned long long)index);
    return covered ? 0 : ledger_checkpoint(ledger, NULL);
}

int ledger_proof(struct ledger *ledger, uint64_t index, struct sr_buf *out)
{
    int status = cover(ledger, index);

    if (status != 0)
        return status;
    pthread_mutex_lock(&ledger->publish_lock); /* note and published belong together */
    status = ledger_proof_under(ledger, index, ledger->published, &ledger->note, out);
    pthread_mutex_unlock(&ledger->publish_lock);
    return status;
}

int ledger_checkpoint_over(struct ledger *ledger, uint64_t index, uint64_t *size,
                           struct sr_buf *note)
{
    struct note_checkpoint checkpoint;
    uint64_t *sizes = NULL;
    uint8_t *data = NULL;
    size_t count, at = 0, len;
    int status = cover(ledger, index);

    *size = 0;
    if (status == 0)
        status = kept_list(ledger->io, ledger->dir, &sizes, &count);
    while (status == 0 && at < count && sizes[at] <= index)
        at++;
    if (status == 0 && at == count)
        status = sr_fail(SR_ERR_DAMAGED, "ledger: the checkpoint that was published is gone");
    if (status == 0)
        status = kept_read(ledger->io, ledger->dir, &ledger->verifier, sizes[at], &data, &len,
                           &checkpoint);
    if (status == 0) {
        *size = checkpoint.size;
        sr_buf_append(note, data, len);
        if (note->failed)
            status = sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    }
    free(data);
    free(sizes);
    return status;
}

int ledger_proof_under(struct ledger *ledger, uint64_t index, uint64_t size,
                       const struct sr_buf *note, struct sr_buf *out)
{
    struct tlog_hash proof[TLOG_PROOF_MAX];
    struct tlog_source source;
    size_t count = 0;
    int status;

    pthread_mutex_lock(&ledger->lock);
    source = tree_source(&ledger->tree);
    status = size <= ledger->tree.size
                 ? tlog_prove_inclusion(&source, index, size, proof, &count)
                 : sr_fail(SR_ERR_INVALID, "ledger: a checkpoint of more entries than there are");
    pthread_mutex_unlock(&ledger->lock);
    if (status == 0)
        status = note_proof_format(index, proof, count, NULL, 0, (const uint8_t *)note->data,
                                   note->len, out);
    return status;
}
