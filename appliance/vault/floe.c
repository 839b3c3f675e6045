/* FLOE (https://c2sp.org/FLOE). The names in comments are the specification's. */
#include "vault/floe.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define PARAMS_LEN 10
#define IV_LEN 32
#define HEADER_TAG_LEN 32
#define MESSAGE_KEY_LEN SR_SHA384_LEN /* KDF_KEY_LEN */
#define PURPOSE_MAX 16
#define INTERNAL_MARK 0xffffffffu        /* length word of every segment but the final one */
#define MAX_SEGMENTS (UINT64_C(1) << 40) /* AEAD_MAX_SEGMENTS */
#define SEGMENT_AAD_LEN 9

/* Invariants of the cache, under lock: 1. if cached, data_key is DERIVE_KEY of every position whose
 * rotation epoch is epoch. 2. data_key leaves only as a copy, so no user sees it change. Everything
 * else is immutable once started. The struct is in secret memory, aad is not secret. */
struct floe {
    uint32_t segment_len;
    unsigned rotation_bits;
    uint8_t message_key[MESSAGE_KEY_LEN];
    uint8_t params[PARAMS_LEN];
    uint8_t iv[IV_LEN];
    uint8_t *aad;
    size_t aad_len;
    pthread_mutex_t lock;
    bool cached;
    uint64_t epoch; /* position >> rotation_bits */
    uint8_t data_key[SR_KEY_LEN];
};

/* PARAM_ENCODE: AEAD_ID 0 (AES-256-GCM), KDF_ID 0 (HKDF-Expand-SHA-384). */
static void encode_params(const struct floe_params *params, uint8_t out[PARAMS_LEN])
{
    out[0] = 0;
    out[1] = 0;
    sr_put_be32(out + 2, params->segment_len);
    sr_put_be32(out + 6, IV_LEN);
}

/* FLOE_KDF: KDF(key, PARAM_ENCODE(params) || iv || purpose || aad, out_len). */
static int derive(const struct floe *floe, const uint8_t *key, size_t key_len, const void *purpose,
                  size_t purpose_len, uint8_t *out, size_t out_len)
{
    size_t info_len = PARAMS_LEN + IV_LEN + purpose_len + floe->aad_len;
    uint8_t *info = malloc(info_len);
    uint8_t *at = info;
    int rc;

    if (!info)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a key derivation");
    memcpy(at, floe->params, PARAMS_LEN);
    at += PARAMS_LEN;
    memcpy(at, floe->iv, IV_LEN);
    at += IV_LEN;
    memcpy(at, purpose, purpose_len);
    at += purpose_len;
    if (floe->aad_len)
        memcpy(at, floe->aad, floe->aad_len);
    rc = sr_hkdf_expand_sha384(key, key_len, info, info_len, out, out_len);
    free(info);
    return rc;
}

static int floe_new(const struct floe_params *params, const void *aad, size_t aad_len,
                    struct floe **out)
{
    struct floe *floe;

    *out = NULL;
    if (params->segment_len <= FLOE_SEGMENT_OVERHEAD || params->rotation_bits >= 40)
        return sr_fail(SR_ERR_INVALID, "FLOE segments of %u bytes, rotation 2^%u: not possible",
                       params->segment_len, params->rotation_bits);
    floe = sr_secret_alloc(sizeof(*floe));
    if (!floe)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a content key");
    memset(floe, 0, sizeof(*floe));
    floe->aad = malloc(aad_len ? aad_len : 1);
    if (!floe->aad) {
        sr_secret_free(floe, sizeof(*floe));
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a content key");
    }
    pthread_mutex_init(&floe->lock, NULL);
    floe->segment_len = params->segment_len;
    floe->rotation_bits = params->rotation_bits;
    encode_params(params, floe->params);
    if (aad_len)
        memcpy(floe->aad, aad, aad_len);
    floe->aad_len = aad_len;
    *out = floe;
    return 0;
}

void floe_free(struct floe *floe)
{
    if (!floe)
        return;
    pthread_mutex_destroy(&floe->lock);
    free(floe->aad);
    sr_secret_free(floe, sizeof(*floe));
}

/* Header tag and message key; the IV is set. */
static int start(struct floe *floe, const uint8_t key[SR_KEY_LEN], uint8_t tag[HEADER_TAG_LEN])
{
    static const char tag_purpose[] = "HEADER_TAG:";
    static const char message_purpose[] = "MESSAGE_KEY:";
    int rc =
        derive(floe, key, SR_KEY_LEN, tag_purpose, sizeof(tag_purpose) - 1, tag, HEADER_TAG_LEN);

    if (rc)
        return rc;
    return derive(floe, key, SR_KEY_LEN, message_purpose, sizeof(message_purpose) - 1,
                  floe->message_key, MESSAGE_KEY_LEN);
}

int floe_start_encryption(const struct floe_params *params, struct sr_io *io,
                          const uint8_t key[SR_KEY_LEN], const void *aad, size_t aad_len,
                          uint8_t header[FLOE_HEADER_LEN], struct floe **out)
{
    struct floe *floe = NULL;
    int rc, n;

    *out = NULL;
    rc = floe_new(params, aad, aad_len, &floe);
    if (rc)
        return rc;
    n = io->random(io, floe->iv, IV_LEN);
    if (n < 0) {
        rc = sr_fail_errno(-n, "cannot draw random bytes");
        goto out;
    }
    rc = start(floe, key, header + PARAMS_LEN + IV_LEN);
    if (rc)
        goto out;
    memcpy(header, floe->params, PARAMS_LEN);
    memcpy(header + PARAMS_LEN, floe->iv, IV_LEN);
    *out = floe;
    floe = NULL;
out:
    floe_free(floe);
    return rc;
}

int floe_start_decryption(const struct floe_params *params, const uint8_t key[SR_KEY_LEN],
                          const void *aad, size_t aad_len, const uint8_t header[FLOE_HEADER_LEN],
                          struct floe **out)
{
    struct floe *floe = NULL;
    uint8_t tag[HEADER_TAG_LEN];
    int rc;

    *out = NULL;
    rc = floe_new(params, aad, aad_len, &floe);
    if (rc)
        return rc;
    if (memcmp(header, floe->params, PARAMS_LEN) != 0) {
        rc = sr_fail(SR_ERR_DAMAGED, "FLOE header has other parameters than expected");
        goto out;
    }
    memcpy(floe->iv, header + PARAMS_LEN, IV_LEN);
    rc = start(floe, key, tag);
    if (rc)
        goto out;
    if (!sr_equal_constant_time(tag, header + PARAMS_LEN + IV_LEN, HEADER_TAG_LEN)) {
        rc = sr_fail(SR_ERR_DAMAGED, "FLOE header tag does not hold");
        goto out;
    }
    *out = floe;
    floe = NULL;
out:
    sr_wipe(tag, sizeof(tag));
    floe_free(floe);
    return rc;
}

/* DERIVE_KEY of a position, from the cache when the epoch is the cached one. */
static int data_key(struct floe *floe, uint64_t position, uint8_t key[SR_KEY_LEN])
{
    uint64_t epoch = position >> floe->rotation_bits;
    uint8_t purpose[PURPOSE_MAX] = "DEK:";
    int rc = 0;

    pthread_mutex_lock(&floe->lock);
    if (!floe->cached || floe->epoch != epoch) {
        sr_put_be64(purpose + 4, epoch << floe->rotation_bits); /* MASK(position, rotation) */
        floe->cached = false;
        rc = derive(floe, floe->message_key, MESSAGE_KEY_LEN, purpose, 12, floe->data_key,
                    SR_KEY_LEN);
        if (!rc) {
            floe->cached = true;
            floe->epoch = epoch;
        }
    }
    if (!rc)
        memcpy(key, floe->data_key, SR_KEY_LEN);
    pthread_mutex_unlock(&floe->lock);
    return rc;
}

static void segment_aad(uint64_t position, bool final, uint8_t aad[SEGMENT_AAD_LEN])
{
    sr_put_be64(aad, position);
    aad[8] = final ? 1 : 0;
}

/* The last position is for a final segment only: nothing could follow another one. */
static int check_position(uint64_t position, bool final)
{
    if (position >= MAX_SEGMENTS || (!final && position == MAX_SEGMENTS - 1))
        return sr_fail(SR_ERR_TOO_LARGE, "FLOE holds at most 2^40 segments");
    return 0;
}

int floe_encrypt_segment(struct floe *floe, struct sr_gcm *gcm, struct sr_io *io, uint64_t position,
                         bool final, const uint8_t *plain, size_t len, uint8_t *segment)
{
    size_t whole = floe->segment_len - FLOE_SEGMENT_OVERHEAD;
    uint8_t *iv = segment + 4;
    uint8_t *cipher = iv + SR_GCM_IV_LEN;
    uint8_t key[SR_KEY_LEN];
    uint8_t aad[SEGMENT_AAD_LEN];
    int rc, n;

    rc = check_position(position, final);
    if (rc)
        return rc;
    if (final ? len > whole : len != whole)
        return sr_fail(SR_ERR_INVALID, "FLOE segment of %zu bytes where %s%zu are due", len,
                       final ? "at most " : "", whole);
    rc = data_key(floe, position, key);
    if (rc)
        goto out;
    n = io->random(io, iv, SR_GCM_IV_LEN);
    if (n < 0) {
        rc = sr_fail_errno(-n, "cannot draw random bytes");
        goto out;
    }
    segment_aad(position, final, aad);
    sr_put_be32(segment, final ? (uint32_t)(len + FLOE_SEGMENT_OVERHEAD) : INTERNAL_MARK);
    rc = sr_gcm_encrypt(gcm, key, iv, aad, sizeof(aad), plain, len, cipher, cipher + len);
out:
    sr_wipe(key, sizeof(key));
    return rc;
}

int floe_decrypt_segment(struct floe *floe, struct sr_gcm *gcm, uint64_t position, bool final,
                         const uint8_t *segment, size_t segment_len, uint8_t *plain)
{
    const uint8_t *cipher = segment + 4 + SR_GCM_IV_LEN;
    uint8_t key[SR_KEY_LEN];
    uint8_t aad[SEGMENT_AAD_LEN];
    size_t len;
    int rc;

    rc = check_position(position, final);
    if (rc)
        return rc;
    if (segment_len < FLOE_SEGMENT_OVERHEAD || segment_len > floe->segment_len ||
        (!final && segment_len != floe->segment_len))
        return sr_fail(SR_ERR_DAMAGED, "FLOE segment %llu has a wrong length",
                       (unsigned long long)position);
    if (sr_get_be32(segment) != (final ? (uint32_t)segment_len : INTERNAL_MARK))
        return sr_fail(SR_ERR_DAMAGED, "FLOE segment %llu has a wrong length word",
                       (unsigned long long)position);
    rc = data_key(floe, position, key);
    if (rc)
        goto out;
    len = segment_len - FLOE_SEGMENT_OVERHEAD;
    segment_aad(position, final, aad);
    rc = sr_gcm_decrypt(gcm, key, segment + 4, aad, sizeof(aad), cipher, len, cipher + len, plain);
    if (rc == SR_ERR_DAMAGED)
        rc = sr_fail(SR_ERR_DAMAGED, "FLOE segment %llu does not decrypt",
                     (unsigned long long)position);
out:
    sr_wipe(key, sizeof(key));
    return rc;
}
