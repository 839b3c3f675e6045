/* Reading sealed objects.
 *
 * The file: head (4,170 bytes, staging.c), n segments of which the last is final and as short as
 * its content, n leaf hashes, ceil(n / 1024) block hashes; nothing after. The block hashes are
 * read and checked against the root at open; leaves are read a block (32 KiB) at a time when first
 * needed and checked against the block hash, so that opening a large object costs nothing. */
#include "vault/object.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vault/floe.h"
#include "vault/staging_internal.h"

#define LEAF_BLOCKS 8 /* cached, 32 KiB each */
#define BLOCK_BYTES ((size_t)TAGTREE_BLOCK * SR_SHA256_LEN)
#define VERIFY_BYTES ((size_t)1 << 20)

struct leaf_block {
    uint64_t index;
    uint64_t used; /* 0: empty; larger is younger */
    uint8_t *hashes;
};

/* Immutable after open but for what lock guards:
 * 1. blocks[] hold only leaves that were checked against their block hash. 2. cached_plain is the
 * whole content of segment cached_position, if cached. */
struct object {
    struct vault *vault;
    struct sr_io *io;
    int fd;
    struct floe *floe;
    char name[2 * VAULT_OBJECT_ID_LEN + 1];
    uint64_t size;
    uint64_t segments;
    uint64_t leaves_at; /* file offset of the leaf hashes */
    uint8_t *tops;      /* the block hashes */
    size_t top_count;

    pthread_mutex_t lock;
    struct leaf_block blocks[LEAF_BLOCKS];
    uint64_t uses;
    bool cached;
    uint64_t cached_position;
    uint8_t *cached_plain; /* 64 KiB, made at the first partial read */
};

static int damaged(const struct object *object, const char *part)
{
    return sr_fail(SR_ERR_DAMAGED, "object %s: %s damaged", object->name, part);
}

static int segment_damaged(const struct object *object, uint64_t position)
{
    return sr_fail(SR_ERR_DAMAGED, "object %s: segment %llu is damaged or not the sealed one",
                   object->name, (unsigned long long)position);
}

/* Reads exactly len bytes; a file that ends earlier is damaged. */
static int read_exact(const struct object *object, void *buf, size_t len, uint64_t at,
                      const char *part)
{
    size_t got = 0;
    int rc = sr_io_read_full(object->io, object->fd, buf, len, at, &got);

    return !rc && got < len ? damaged(object, part) : rc;
}

static size_t plain_len(const struct object *object, uint64_t position)
{
    return position == object->segments - 1 ? (size_t)(object->size - staging_byte_at(position))
                                            : VAULT_SEGMENT_PLAIN;
}

static int open_file(struct object *object)
{
    char *path =
        sr_path("%s/objects/%.2s/%s", vault_path(object->vault), object->name, object->name);
    int rc = 0;

    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    object->fd = object->io->open(object->io, path, O_RDONLY | O_NOFOLLOW, 0);
    if (object->fd == -ENOENT)
        rc = sr_fail(SR_ERR_NOT_FOUND, "object %s: its file is gone", object->name);
    else if (object->fd < 0)
        rc = sr_fail_errno(-object->fd, "open %s", path);
    free(path);
    return rc;
}

static int open_head(struct object *object, const struct object_expectation *expected)
{
    static const struct floe_params params = {VAULT_SEGMENT_LEN, 20};
    uint8_t head[STAGING_HEAD_LEN], digest[SR_SHA256_LEN];
    uint8_t key[SR_KEY_LEN] = {0};
    uint64_t key_id;
    int rc = read_exact(object, head, sizeof(head), 0, "its header is");

    if (!rc)
        rc = staging_check_header(vault_identity(object->vault), &expected->id, head, &key_id);
    if (!rc)
        rc = sr_sha256(head, sizeof(head), digest);
    if (!rc &&
        (key_id != expected->key_id || memcmp(digest, expected->header_sha256, sizeof(digest))))
        rc = damaged(object, "its header is");
    if (rc)
        return rc;
    rc = keys_get(vault_keys(object->vault), key_id, key);
    if (!rc) {
        rc = floe_start_decryption(&params, key, head, VAULT_HEADER_LEN, head + VAULT_HEADER_LEN,
                                   &object->floe);
        if (rc == SR_ERR_DAMAGED)
            rc = damaged(object, "its FLOE header is");
    }
    sr_wipe(key, sizeof(key));
    return rc;
}

static int open_tree(struct object *object, const struct object_expectation *expected)
{
    uint8_t root[SR_SHA256_LEN];
    uint64_t at = object->leaves_at + object->segments * SR_SHA256_LEN;
    struct sr_stat st;
    int rc = object->io->fstat(object->io, object->fd, &st);

    if (rc < 0)
        return sr_fail_errno(-rc, "stat of object %s", object->name);
    if (st.size != object->leaves_at + tagtree_stored_len(object->segments))
        return damaged(object, "its length is");
    object->tops = malloc(object->top_count * SR_SHA256_LEN);
    if (!object->tops)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = read_exact(object, object->tops, object->top_count * SR_SHA256_LEN, at, "its tag tree is");
    if (!rc)
        rc = tagtree_root(object->tops, object->top_count, root);
    if (!rc && memcmp(root, expected->tag_root, sizeof(root)))
        rc = damaged(object, "its tag tree is");
    return rc;
}

int object_open(struct vault *vault, const struct object_expectation *expected, struct object **out)
{
    struct object *object;
    int rc;

    *out = NULL;
    object = calloc(1, sizeof(*object));
    if (!object)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    object->vault = vault;
    object->io = vault_io(vault);
    object->fd = -1;
    object->size = expected->size;
    object->segments = staging_segments(expected->size);
    object->leaves_at = staging_segment_at(object->segments - 1) +
                        plain_len(object, object->segments - 1) + FLOE_SEGMENT_OVERHEAD;
    object->top_count = (size_t)((object->segments + TAGTREE_BLOCK - 1) / TAGTREE_BLOCK);
    vault_object_id_text(&expected->id, object->name);
    pthread_mutex_init(&object->lock, NULL);
    rc = expected->size > VAULT_MAX_SIZE
             ? sr_fail(SR_ERR_INVALID, "object %s: impossible size", object->name)
             : open_file(object);
    if (!rc)
        rc = open_head(object, expected);
    if (!rc)
        rc = open_tree(object, expected);
    if (rc) {
        object_close(object);
        return rc;
    }
    *out = object;
    return 0;
}

void object_close(struct object *object)
{
    if (!object)
        return;
    if (object->fd >= 0)
        object->io->close(object->io, object->fd);
    floe_free(object->floe);
    for (int i = 0; i < LEAF_BLOCKS; i++)
        free(object->blocks[i].hashes);
    sr_secret_free(object->cached_plain, VAULT_SEGMENT_PLAIN);
    pthread_mutex_destroy(&object->lock);
    free(object->tops);
    free(object);
}

/* Reads and checks one block of leaves into the oldest slot. lock held. */
static int load_block(struct object *object, uint64_t index, struct leaf_block **out)
{
    uint64_t first = index * TAGTREE_BLOCK;
    uint64_t rest = object->segments - first;
    size_t count = rest < TAGTREE_BLOCK ? (size_t)rest : TAGTREE_BLOCK;
    struct leaf_block *slot = &object->blocks[0];
    uint8_t root[SR_SHA256_LEN];
    int rc;

    for (int i = 1; i < LEAF_BLOCKS; i++)
        if (object->blocks[i].used < slot->used)
            slot = &object->blocks[i];
    slot->used = 0;
    if (!slot->hashes)
        slot->hashes = malloc(BLOCK_BYTES);
    if (!slot->hashes)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = read_exact(object, slot->hashes, count * SR_SHA256_LEN,
                    object->leaves_at + first * SR_SHA256_LEN, "its tag tree is");
    if (!rc)
        rc = tagtree_root(slot->hashes, count, root);
    if (!rc && memcmp(root, object->tops + index * SR_SHA256_LEN, sizeof(root)))
        rc = damaged(object, "its tag tree is");
    if (rc)
        return rc;
    slot->index = index;
    *out = slot;
    return 0;
}

/* Leaf hashes of count segments from position, which the caller keeps within one run. */
static int get_leaves(struct object *object, uint64_t position, unsigned count, uint8_t *out)
{
    struct leaf_block *block = NULL;
    int rc = 0;

    pthread_mutex_lock(&object->lock);
    for (unsigned i = 0; i < count && !rc; i++, position++) {
        uint64_t index = position / TAGTREE_BLOCK;

        if (!block || block->index != index) {
            block = NULL;
            for (int slot = 0; slot < LEAF_BLOCKS; slot++)
                if (object->blocks[slot].used && object->blocks[slot].index == index)
                    block = &object->blocks[slot];
            if (!block)
                rc = load_block(object, index, &block);
        }
        if (rc)
            break;
        block->used = ++object->uses;
        memcpy(out + i * SR_SHA256_LEN, block->hashes + position % TAGTREE_BLOCK * SR_SHA256_LEN,
               SR_SHA256_LEN);
    }
    pthread_mutex_unlock(&object->lock);
    return rc;
}

/* Checks that this is the version of the segment that was sealed, and decrypts it. */
static int open_segment(struct object *object, struct pipeline_context *context, uint64_t position,
                        const uint8_t *segment, const uint8_t *leaf, uint8_t *plain)
{
    size_t len = plain_len(object, position) + FLOE_SEGMENT_OVERHEAD;
    uint8_t iv_tag[TAGTREE_LEAF_INPUT], hash[SR_SHA256_LEN];
    int rc;

    memcpy(iv_tag, segment + 4, SR_GCM_IV_LEN);
    memcpy(iv_tag + SR_GCM_IV_LEN, segment + len - SR_GCM_TAG_LEN, SR_GCM_TAG_LEN);
    rc = tagtree_leaf(iv_tag, hash);
    if (!rc && memcmp(hash, leaf, sizeof(hash)))
        rc = SR_ERR_DAMAGED;
    if (!rc)
        rc = floe_decrypt_segment(object->floe, context->gcm, position,
                                  position == object->segments - 1, segment, len, plain);
    return rc == SR_ERR_DAMAGED ? segment_damaged(object, position) : rc;
}

/* Whole segments, at most PIPELINE_RUN: one read, each decrypted straight to its place. */
static int read_run(struct object *object, struct pipeline_context *context, uint64_t position,
                    unsigned count, uint8_t *out)
{
    uint8_t leaves[PIPELINE_RUN * SR_SHA256_LEN];
    size_t len = (count - 1) * (size_t)VAULT_SEGMENT_LEN + plain_len(object, position + count - 1) +
                 FLOE_SEGMENT_OVERHEAD;
    size_t got = 0;
    int rc = get_leaves(object, position, count, leaves);

    if (!rc)
        rc = sr_io_read_full(object->io, object->fd, context->cipher, len,
                             staging_segment_at(position), &got);
    if (!rc && got < len)
        rc = segment_damaged(object, position + got / VAULT_SEGMENT_LEN);
    for (unsigned i = 0; i < count && !rc; i++)
        rc = open_segment(object, context, position + i,
                          context->cipher + (size_t)i * VAULT_SEGMENT_LEN,
                          leaves + i * SR_SHA256_LEN, out + (size_t)i * VAULT_SEGMENT_PLAIN);
    return rc;
}

/* A part of one segment, through the one-segment cache. */
static int read_part(struct object *object, struct pipeline_context *context, uint64_t position,
                     size_t from, size_t len, uint8_t *out)
{
    uint8_t *plain;
    bool hit;
    int rc;

    pthread_mutex_lock(&object->lock);
    hit = object->cached && object->cached_position == position;
    if (hit)
        memcpy(out, object->cached_plain + from, len);
    pthread_mutex_unlock(&object->lock);
    if (hit)
        return 0;
    plain = pipeline_context_plain(context);
    rc = read_run(object, context, position, 1, plain);
    if (rc)
        return rc;
    memcpy(out, plain + from, len);
    pthread_mutex_lock(&object->lock);
    if (!object->cached_plain)
        object->cached_plain = sr_secret_alloc(VAULT_SEGMENT_PLAIN);
    if (object->cached_plain) {
        memcpy(object->cached_plain, plain, plain_len(object, position));
        object->cached_position = position;
        object->cached = true;
    }
    pthread_mutex_unlock(&object->lock);
    return 0;
}

static int read_all(struct object *object, struct pipeline_context *context, uint64_t offset,
                    uint8_t *out, size_t len)
{
    int rc = 0;

    while (len && !rc) {
        uint64_t position = offset / VAULT_SEGMENT_PLAIN;
        size_t from = (size_t)(offset % VAULT_SEGMENT_PLAIN);
        size_t part = plain_len(object, position) - from;
        unsigned count = 0;

        if (from || len < part) {
            if (part > len)
                part = len;
            rc = read_part(object, context, position, from, part, out);
        } else {
            for (part = 0; count < PIPELINE_RUN && position + count < object->segments &&
                           part + plain_len(object, position + count) <= len;
                 count++)
                part += plain_len(object, position + count);
            rc = read_run(object, context, position, count, out);
        }
        offset += part;
        out += part;
        len -= part;
    }
    return rc;
}

int object_read(struct object *object, uint64_t offset, void *buf, size_t len, size_t *got)
{
    struct pipeline_context *context = NULL;
    size_t wanted = len;
    int rc;

    *got = 0;
    if (offset >= object->size)
        return 0;
    if (wanted > object->size - offset)
        wanted = (size_t)(object->size - offset);
    rc = pipeline_context_get(pipeline_of(object->vault), &context);
    if (!rc)
        rc = read_all(object, context, offset, buf, wanted);
    pipeline_context_put(pipeline_of(object->vault), context);
    if (rc)
        sr_wipe(buf, len);
    else
        *got = wanted;
    return rc;
}

/* An object of size 0 still has a segment; reading never gets to it. */
static int verify_empty(struct object *object)
{
    struct pipeline_context *context = NULL;
    int rc = pipeline_context_get(pipeline_of(object->vault), &context);

    if (!rc)
        rc = read_run(object, context, 0, 1, pipeline_context_plain(context));
    pipeline_context_put(pipeline_of(object->vault), context);
    return rc;
}

static int verify_content(struct object *object, struct sr_digest *hash, uint8_t *work,
                          object_progress_fn *progress, void *context)
{
    uint64_t done = 0;
    size_t got;
    int rc = object->size ? 0 : verify_empty(object);

    while (!rc && done < object->size) {
        rc = object_read(object, done, work, VERIFY_BYTES, &got);
        if (!rc)
            rc = sr_digest_update(hash, work, got);
        if (rc)
            break;
        done += got;
        if (progress)
            rc = progress(context, done);
    }
    return rc;
}

int object_verify(struct vault *vault, const struct object_expectation *expected,
                  object_progress_fn *progress, void *context)
{
    struct object *object = NULL;
    struct sr_digest *hash = NULL;
    uint8_t digest[SR_SHA256_LEN];
    uint8_t *work = NULL;
    int rc = object_open(vault, expected, &object);

    if (rc)
        return rc;
    work = sr_secret_alloc(VERIFY_BYTES);
    rc = work ? sr_digest_new("sha256", &hash) : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (!rc)
        rc = verify_content(object, hash, work, progress, context);
    if (!rc)
        rc = sr_digest_final(hash, digest);
    if (!rc && memcmp(digest, expected->sha256, sizeof(digest)))
        rc = sr_fail(SR_ERR_DAMAGED, "object %s: its content does not have the sealed SHA-256",
                     object->name);
    sr_digest_free(hash);
    sr_secret_free(work, VERIFY_BYTES);
    object_close(object);
    return rc;
}
