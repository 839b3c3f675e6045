/* The end of the plaintext hash, at the seal: what the hasher did not see is read back. */
#include <string.h>

#include "vault/staging_internal.h"

/* Content of a segment before the last and its tag, from memory if both are there. */
static int load_for_hash(struct staging *staging, struct pipeline_context *context,
                         uint64_t position, uint8_t *plain)
{
    bool in_memory;
    int rc = 0;

    pthread_mutex_lock(&staging->lock);
    in_memory = staging_tag(staging, position) && staging_find(staging, position);
    if (in_memory)
        rc = staging_load_masked(staging, context, position, plain);
    pthread_mutex_unlock(&staging->lock);
    if (in_memory)
        return rc;
    rc = staging_load_raw(staging, context, position, plain);
    if (rc)
        return rc;
    if (staging_tag(staging, position) &&
        memcmp(staging_tag(staging, position), context->cipher + 4, SR_GCM_IV_LEN))
        return sr_fail(SR_ERR_DAMAGED, "%s: segment %llu is not the version that was written",
                       staging->path, (unsigned long long)position);
    staging_tag_set(staging, position, context->cipher, VAULT_SEGMENT_LEN);
    ranges_mask(&staging->written, staging_byte_at(position), plain, VAULT_SEGMENT_PLAIN);
    return 0;
}

int staging_finish_hash(struct staging *staging, struct pipeline_context *context,
                        const uint8_t *last_plain)
{
    uint8_t *plain = pipeline_context_plain(context);
    uint64_t last = staging_segments(staging->size) - 1, position;
    int rc = 0;

    if (staging->hash_done)
        return 0;
    pthread_mutex_lock(&staging->lock);
    while (staging->hash_running)
        staging_wait(staging);
    staging->hash_running = true;
    position = staging->hash_stale ? 0 : staging->hashed;
    pthread_mutex_unlock(&staging->lock);
    if (!position)
        rc = sr_digest_reset(staging->hash);
    /* Hashed already, but its tag found no memory. */
    for (uint64_t i = 0; i < position && i < last && !rc; i++)
        if (!staging_tag(staging, i))
            rc = load_for_hash(staging, context, i, plain);
    for (; position < last && !rc; position++) {
        rc = load_for_hash(staging, context, position, plain);
        if (!rc)
            rc = sr_digest_update(staging->hash, plain, VAULT_SEGMENT_PLAIN);
    }
    if (!rc && position == last)
        rc = sr_digest_update(staging->hash, last_plain, staging_last_len(staging->size));
    if (!rc)
        rc = sr_digest_final(staging->hash, staging->seal.sha256);
    if (!rc)
        staging->hash_done = true;
    pthread_mutex_lock(&staging->lock);
    staging->hash_stale = true; /* should this be repeated, it starts from the first segment */
    staging->hash_running = false;
    pthread_mutex_unlock(&staging->lock);
    return rc;
}
