/* Life of an unsealed file's handle: create, open with replay of the redo, close.
 *
 * Head of the file, bytes 0..4095 (the FLOE associated data), integers big-endian:
 *    0  8  magic "SROBJ", 0, 0, version 1
 *    8  4  suite: 1 = FLOE AES-256-GCM with HKDF-SHA-384, SHA-256 tag tree
 *   12 16  vault id
 *   28 16  object id
 *   44  8  key id
 *   52 ..  zero
 * then 74 bytes of FLOE header, then segments. */
#include "vault/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "vault/staging_internal.h"
#include "vault/vault_internal.h"

#define SUITE 1u
#define HEADER_USED 52u

static const uint8_t magic[8] = {'S', 'R', 'O', 'B', 'J', 0, 0, 1};
static const struct floe_params params = {VAULT_SEGMENT_LEN, 20};

void staging_put_header(const struct vault_identity *identity, const struct vault_object_id *id,
                        uint64_t key_id, uint8_t header[VAULT_HEADER_LEN])
{
    memset(header, 0, VAULT_HEADER_LEN);
    memcpy(header, magic, sizeof(magic));
    sr_put_be32(header + 8, SUITE);
    memcpy(header + 12, identity->id.bytes, KEYS_VAULT_ID_LEN);
    memcpy(header + 28, id->bytes, VAULT_OBJECT_ID_LEN);
    sr_put_be64(header + 44, key_id);
}

int staging_check_header(const struct vault_identity *identity, const struct vault_object_id *id,
                         const uint8_t header[VAULT_HEADER_LEN], uint64_t *key_id)
{
    uint8_t expected[VAULT_HEADER_LEN];
    char text[2 * VAULT_OBJECT_ID_LEN + 1];

    vault_object_id_text(id, text);
    *key_id = 0;
    if (!memcmp(header, magic, 7) && header[7] > magic[7])
        return sr_fail(SR_ERR_NEWER_FORMAT, "object %s: header of version %u", text, header[7]);
    staging_put_header(identity, id, sr_get_be64(header + 44), expected);
    if (memcmp(header, expected, VAULT_HEADER_LEN))
        return sr_fail(SR_ERR_DAMAGED, "object %s: its header is damaged or another's", text);
    *key_id = sr_get_be64(header + 44);
    return 0;
}

void staging_free(struct staging *staging)
{
    if (!staging)
        return;
    floe_free(staging->floe);
    redo_close(&staging->redo);
    sr_digest_free(staging->hash);
    sr_secret_free(staging->last_plain, VAULT_SEGMENT_PLAIN);
    staging_tags_free(staging);
    ranges_free(&staging->written);
    ranges_free(&staging->acked);
    ranges_free(&staging->claimed);
    ranges_free(&staging->in_redo);
    ranges_free(&staging->unsynced);
    ranges_free(&staging->suspect);
    pthread_mutex_destroy(&staging->lock);
    pthread_mutex_destroy(&staging->sync_lock);
    pthread_mutex_destroy(&staging->write_lock);
    pthread_cond_destroy(&staging->changed);
    if (staging->fd >= 0)
        staging->io->close(staging->io, staging->fd);
    free(staging->folder);
    free(staging->path);
    sr_wipe(staging->describe_key, sizeof(staging->describe_key));
    free(staging);
}

static int staging_new(struct vault *vault, const struct vault_object_id *id, struct staging **out)
{
    struct staging *staging = calloc(1, sizeof(*staging));
    char text[2 * VAULT_OBJECT_ID_LEN + 1];
    int rc;

    *out = NULL;
    if (!staging)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    staging->vault = vault;
    staging->pipeline = pipeline_of(vault);
    staging->io = vault_io(vault);
    staging->member.staging = staging;
    staging->id = *id;
    staging->fd = -1;
    staging->redo = (struct redo){.io = staging->io, .fd = -1};
    pthread_mutex_init(&staging->lock, NULL);
    pthread_mutex_init(&staging->sync_lock, NULL);
    pthread_mutex_init(&staging->write_lock, NULL);
    pthread_cond_init(&staging->changed, NULL);
    vault_object_id_text(id, text);
    staging->folder = sr_path("%s/staging", vault_path(vault));
    staging->path = sr_path("%s/staging/%s", vault_path(vault), text);
    rc = staging->folder && staging->path ? sr_digest_new("sha256", &staging->hash)
                                          : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (rc) {
        staging_free(staging);
        return rc;
    }
    *out = staging;
    return 0;
}

/* The redo's key and path. */
static int init_redo(struct staging *staging, const uint8_t key[SR_KEY_LEN])
{
    struct redo_secret secret;
    char *path = sr_path("%s.redo", staging->path);
    int rc =
        path ? redo_derive(key, &staging->id, &secret) : sr_fail(SR_ERR_NO_MEMORY, "out of memory");

    if (!rc)
        rc = redo_init(&staging->redo, staging->io, path, &secret);
    sr_wipe(&secret, sizeof(secret));
    free(path);
    return rc;
}

int staging_create(struct vault *vault, struct staging **out)
{
    *out = staging_ready_take(vault);
    return *out ? 0 : staging_make(vault, out);
}

int staging_make(struct vault *vault, struct staging **out)
{
    struct sr_io *io = vault_io(vault);
    struct staging *staging = NULL;
    struct vault_object_id id;
    uint8_t head[STAGING_HEAD_LEN];
    uint8_t key[SR_KEY_LEN] = {0};
    int rc;

    *out = NULL;
    rc = io->random(io, id.bytes, sizeof(id.bytes));
    if (rc < 0)
        return sr_fail_errno(-rc, "cannot draw random bytes");
    rc = staging_new(vault, &id, &staging);
    if (!rc)
        rc = keys_take(vault_keys(vault), &staging->key_id, key);
    if (rc)
        goto out;
    staging_put_header(vault_identity(vault), &id, staging->key_id, head);
    rc = floe_start_encryption(&params, io, key, head, VAULT_HEADER_LEN, head + VAULT_HEADER_LEN,
                               &staging->floe);
    if (!rc)
        rc = sr_sha256(head, sizeof(head), staging->header_sha256);
    if (!rc)
        rc = init_redo(staging, key);
    if (!rc)
        rc = vault_describe_derive(key, &id, staging->describe_key);
    if (rc)
        goto out;
    staging->fd = io->open(io, staging->path, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (staging->fd < 0) {
        rc = sr_fail_errno(-staging->fd, "create %s", staging->path);
        goto out;
    }
    rc = sr_io_write_full(io, staging->fd, head, sizeof(head), 0);
    if (rc) {
        io->unlink(io, staging->path);
        goto out;
    }
    pipeline_join(staging->pipeline, &staging->member);
    *out = staging;
    staging = NULL;
out:
    sr_wipe(key, sizeof(key));
    staging_free(staging);
    return rc;
}

/* What the first pass over a redo finds. */
struct replay {
    struct staging *staging;
    struct pipeline_context *context;
    bool meta; /* something was acknowledged */
    bool sealing;
    uint64_t seal_size, segments;
    uint8_t *image; /* the newest one of the last segment, if a seal was recorded */
    bool applied;
};

static int look_at_record(void *context, const struct redo_record *record)
{
    struct replay *replay = context;
    const uint8_t *plain;
    uint64_t position;
    int rc;

    switch (record->type) {
    case REDO_META:
        replay->meta = true;
        return redo_parse_meta(record, &replay->staging->size, &replay->staging->written);
    case REDO_SEAL:
        replay->sealing = true;
        return redo_parse_seal(record, &replay->seal_size, &replay->segments);
    case REDO_SEGMENT: /* if no meta record came after it, it stays there, and is older than what is
                        * written from now on */
        rc = redo_parse_segment(record, &position, &plain);
        return rc ? rc : ranges_add(&replay->staging->in_redo, position, position + 1);
    }
    return 0;
}

/* Keeps the newest image of the last segment. */
static int look_for_image(void *context, const struct redo_record *record)
{
    struct replay *replay = context;
    const uint8_t *plain;
    uint64_t position;
    int rc;

    if (record->type != REDO_SEGMENT)
        return 0;
    rc = redo_parse_segment(record, &position, &plain);
    if (rc || position != replay->segments - 1)
        return rc;
    if (!replay->image)
        replay->image = sr_secret_alloc(VAULT_SEGMENT_PLAIN);
    if (!replay->image)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    memcpy(replay->image, plain, VAULT_SEGMENT_PLAIN);
    return 0;
}

static int apply_record(void *context, const struct redo_record *record)
{
    struct replay *replay = context;
    struct staging *staging = replay->staging;
    const uint8_t *plain;
    uint64_t position;
    int rc;

    if (record->type != REDO_SEGMENT)
        return 0;
    rc = redo_parse_segment(record, &position, &plain);
    if (!rc)
        rc = staging_tags_reserve(staging, position + 1);
    if (!rc)
        rc = staging_write_run(staging, replay->context, position, &plain, 1);
    if (rc)
        return rc;
    staging_tag_set(staging, position, replay->context->cipher, VAULT_SEGMENT_LEN);
    replay->applied = true;
    return 0;
}

/* Brings the file to the state of its last acknowledgement or later. Repeatable: the redo is only
 * replaced once all images are durable in place. Once a seal is recorded every image but the last
 * segment's was in place before, and nothing is rewritten here: the file may be linked into
 * objects/ already. */
static int replay_redo(struct staging *staging, struct pipeline_context *context)
{
    struct replay replay = {.staging = staging, .context = context};
    int rc = redo_scan(&staging->redo, context->gcm, look_at_record, &replay);

    if (!rc)
        rc = staging_tags_reserve(staging, staging_segments(staging->size));
    if (!rc)
        rc = ranges_copy(&staging->acked, &staging->written);
    if (!rc)
        rc = ranges_copy(&staging->claimed, &staging->written);
    staging->acked_size = staging->size;
    staging->maybe_unclean = true;
    staging->head_durable = staging->redo.good_len > 0; /* the redo is made after it */
    if (!rc && replay.sealing && replay.seal_size != staging->size)
        rc = sr_fail(SR_ERR_DAMAGED, "%s: seal and meta records disagree", staging->redo.path);
    if (!rc && replay.sealing) {
        rc = redo_scan(&staging->redo, context->gcm, look_for_image, &replay);
        if (!rc) {
            rc = staging_resume_seal(staging, context, replay.seal_size, replay.image);
            replay.image = NULL;
        }
    } else if (!rc && replay.meta) {
        rc = redo_scan(&staging->redo, context->gcm, apply_record, &replay);
        if (!rc && replay.applied)
            rc = staging_sync_content(staging);
        if (!rc && replay.applied)
            rc = redo_replace(&staging->redo, context->gcm, context->cipher, staging->size,
                              &staging->written);
        if (!rc)
            rc = staging_sync_names(staging);
        if (!rc && replay.applied)
            ranges_clear(&staging->in_redo);
    }
    sr_secret_free(replay.image, VAULT_SEGMENT_PLAIN);
    return rc;
}

/* A head that does not verify: a crash before the first sync if there is no redo (it is made after
 * the head is durable), damage otherwise. Code and sentence of the failure stand as they are then.
 * */
static int judge_head(struct staging *staging, int code)
{
    struct sr_error_copy error;
    struct sr_stat st;
    char *path;
    int rc;

    if (code != SR_ERR_DAMAGED)
        return code;
    sr_error_save(&error, code);
    path = sr_path("%s.redo", staging->path);
    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = staging->io->stat(staging->io, path, &st);
    free(path);
    if (rc == -ENOENT || (rc >= 0 && !st.size))
        return sr_fail(SR_ERR_NOT_FOUND, "%s was never acknowledged and has no head",
                       staging->path);
    return sr_error_raise(&error);
}

static int open_head(struct staging *staging)
{
    struct sr_io *io = staging->io;
    uint8_t head[STAGING_HEAD_LEN] = {0};
    uint8_t key[SR_KEY_LEN] = {0};
    size_t got;
    int rc;

    staging->fd = io->open(io, staging->path, O_RDWR, 0);
    if (staging->fd == -ENOENT)
        return sr_fail(SR_ERR_NOT_FOUND, "%s does not exist", staging->path);
    if (staging->fd < 0)
        return sr_fail_errno(-staging->fd, "open %s", staging->path);
    rc = sr_io_read_full(io, staging->fd, head, sizeof(head), 0, &got);
    if (rc)
        return rc;
    rc = staging_check_header(vault_identity(staging->vault), &staging->id, head, &staging->key_id);
    if (rc)
        return judge_head(staging, rc);
    rc = keys_get(vault_keys(staging->vault), staging->key_id, key);
    if (!rc) {
        keys_mark_used(vault_keys(staging->vault), staging->key_id);
        rc = floe_start_decryption(&params, key, head, VAULT_HEADER_LEN, head + VAULT_HEADER_LEN,
                                   &staging->floe);
        rc = rc ? judge_head(staging, rc) : 0;
    }
    if (!rc)
        rc = sr_sha256(head, sizeof(head), staging->header_sha256);
    if (!rc)
        rc = init_redo(staging, key);
    sr_wipe(key, sizeof(key));
    return rc;
}

int staging_open(struct vault *vault, const struct vault_object_id *id, struct staging **out)
{
    struct pipeline_context *context = NULL;
    struct staging *staging = NULL;
    int rc;

    *out = NULL;
    rc = staging_new(vault, id, &staging);
    if (!rc)
        rc = open_head(staging);
    if (!rc)
        rc = pipeline_context_get(staging->pipeline, &context);
    if (!rc)
        rc = replay_redo(staging, context);
    if (rc)
        goto out;
    pipeline_join(staging->pipeline, &staging->member);
    *out = staging;
    staging = NULL;
out:
    pipeline_context_put(pipeline_of(vault), context);
    staging_free(staging);
    return rc;
}

/* Drops every buffer, written or not. */
static void drop_all(struct staging *staging)
{
    struct segbuf *buffer;

    pthread_mutex_lock(&staging->lock);
    staging->dead = staging->hash_stale = true;
    while ((buffer = staging->all_head)) {
        while (buffer && staging_busy(buffer))
            buffer = buffer->all_next;
        if (buffer)
            staging_drop(staging, buffer);
        else
            staging_wait(staging);
    }
    pthread_mutex_unlock(&staging->lock);
}

int staging_close(struct staging *staging)
{
    bool dead;
    int rc, flushed = 0, closed;

    if (!staging)
        return 0;
    pthread_mutex_lock(&staging->lock);
    rc = staging_take_error(staging);
    dead = staging->dead;
    pthread_mutex_unlock(&staging->lock);
    if (!dead) {
        pthread_mutex_lock(&staging->sync_lock);
        flushed = staging_flush(staging, STAGING_LEAVE_NONE);
        pthread_mutex_unlock(&staging->sync_lock);
    }
    drop_all(staging);
    pipeline_leave(staging->pipeline, &staging->member);
    closed = staging->io->close(staging->io, staging->fd);
    staging->fd = -1;
    if (!rc)
        rc = flushed;
    if (!rc && closed < 0)
        rc = sr_fail_errno(-closed, "close %s", staging->path);
    staging_free(staging);
    return rc;
}

void staging_id(const struct staging *staging, struct vault_object_id *id, uint64_t *key_id)
{
    *id = staging->id;
    *key_id = staging->key_id;
}

void staging_describe_key(const struct staging *staging, uint8_t key[SR_KEY_LEN])
{
    memcpy(key, staging->describe_key, SR_KEY_LEN);
}

uint64_t staging_size(struct staging *staging)
{
    uint64_t size;

    pthread_mutex_lock(&staging->lock);
    size = staging->size;
    pthread_mutex_unlock(&staging->lock);
    return size;
}

int staging_holes(struct staging *staging, struct staging_range **holes, size_t *count)
{
    int rc;

    pthread_mutex_lock(&staging->lock);
    rc = ranges_holes(&staging->written, staging->size, holes, count);
    pthread_mutex_unlock(&staging->lock);
    return rc;
}

uint64_t staging_dropped(struct staging *staging)
{
    pthread_mutex_lock(&staging->sync_lock);
    uint64_t dropped = staging->redo.dropped;
    pthread_mutex_unlock(&staging->sync_lock);
    return dropped;
}
