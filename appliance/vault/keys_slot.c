/* A slot file, keys/slots/ID. All numbers are big-endian.
 *
 *   offset  bytes
 *        0      8  magic "SRSLOT" 00, version 01
 *        8      4  type: 1 = passphrase
 *       12      4  log2 of scrypt's N
 *       16      4  scrypt r
 *       20      4  scrypt p
 *       24     32  scrypt salt
 *       56      8  created, nanoseconds since 1970 UTC, signed
 *       64      8  slot id, which is also the file's name
 *       72     16  vault id
 *       88      4  root generation
 *       92     64  label, UTF-8, filled with zeros
 *      156     40  slot key, AES-KWP under scrypt(passphrase)
 *      196     40  root, AES-KWP under the slot key
 *      236     40  slot key, AES-KWP under the root
 *      276     32  HMAC-SHA-256 of bytes 0..275 under
 *                  HKDF-Expand-SHA-384(root, "strongroom slot mac v1")
 *      308     32  SHA-256 of bytes 0..307
 *
 * The checksum tells damage from a wrong passphrase before anything is unlocked; anyone can compute
 * it. The HMAC finds a slot altered on purpose (weaker parameters, another label). */
#include "vault/keys_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

enum {
    AT_TYPE = 8,
    AT_LOG2N = 12,
    AT_R = 16,
    AT_P = 20,
    AT_SALT = 24,
    AT_CREATED = 56,
    AT_ID = 64,
    AT_VAULT = 72,
    AT_GENERATION = 88,
    AT_LABEL = 92,
    AT_BY_PASSPHRASE = 156,
    AT_ROOT = 196,
    AT_BY_ROOT = 236,
    AT_MAC = 276,
    AT_CHECKSUM = 308,
};

#define TYPE_PASSPHRASE 1
#define SCRYPT_R 8
#define SCRYPT_P 1

static const uint8_t magic[KEYS_MAGIC_LEN] = {'S', 'R', 'S', 'L', 'O', 'T', 0, KEYS_FORMAT_VERSION};

int keys_check_passphrase(const char *passphrase)
{
    if (!passphrase || strlen(passphrase) < KEYS_PASSPHRASE_MIN)
        return sr_fail(SR_ERR_INVALID, "the passphrase is too short: %d bytes at least",
                       KEYS_PASSPHRASE_MIN);
    return 0;
}

/* Everything before the MAC. */
static void put_body(const struct keys_slot *slot, uint8_t *out)
{
    memcpy(out, magic, sizeof(magic));
    sr_put_be32(out + AT_TYPE, TYPE_PASSPHRASE);
    sr_put_be32(out + AT_LOG2N, slot->log2n);
    sr_put_be32(out + AT_R, slot->r);
    sr_put_be32(out + AT_P, slot->p);
    memcpy(out + AT_SALT, slot->salt, KEYS_SALT_LEN);
    sr_put_be64(out + AT_CREATED, (uint64_t)slot->created_ns);
    memcpy(out + AT_ID, slot->id, KEYS_SLOT_ID_LEN);
    memcpy(out + AT_VAULT, slot->vault_id, KEYS_VAULT_ID_LEN);
    sr_put_be32(out + AT_GENERATION, slot->root_generation);
    memset(out + AT_LABEL, 0, KEYS_LABEL_MAX);
    memcpy(out + AT_LABEL, slot->label, strnlen(slot->label, KEYS_LABEL_MAX));
    memcpy(out + AT_BY_PASSPHRASE, slot->slot_key_by_passphrase, SR_KWP_LEN);
    memcpy(out + AT_ROOT, slot->root_by_slot_key, SR_KWP_LEN);
    memcpy(out + AT_BY_ROOT, slot->slot_key_by_root, SR_KWP_LEN);
}

static int slot_mac(const struct keys_slot *slot, const uint8_t root[SR_KEY_LEN],
                    uint8_t mac[SR_SHA256_LEN])
{
    static const char info[] = "strongroom slot mac v1";
    uint8_t body[AT_MAC];
    uint8_t key[SR_KEY_LEN];
    int rc;

    put_body(slot, body);
    rc = sr_hkdf_expand_sha384(root, SR_KEY_LEN, info, sizeof(info) - 1, key, sizeof(key));
    if (!rc)
        rc = sr_hmac_sha256(key, sizeof(key), body, sizeof(body), mac);
    sr_wipe(key, sizeof(key));
    return rc;
}

int keys_slot_serialize(const struct keys_slot *slot, uint8_t out[KEYS_SLOT_FILE_LEN])
{
    put_body(slot, out);
    memcpy(out + AT_MAC, slot->mac, SR_SHA256_LEN);
    return sr_sha256(out, AT_CHECKSUM, out + AT_CHECKSUM);
}

static int bad(int code, const char **why, const char *phrase)
{
    *why = phrase;
    return code;
}

/* What a slot with a good checksum may still hold: bounds against hostile files. */
static int check_fields(const struct keys_slot *slot, const uint8_t *label, const char **why)
{
    size_t len = strlen(slot->label);

    if (slot->log2n < KEYS_MIN_LOG2N || slot->log2n > KEYS_MAX_LOG2N || slot->r < 1 ||
        slot->r > KEYS_MAX_R || slot->p < 1 || slot->p > KEYS_MAX_P ||
        (UINT64_C(128) << slot->log2n) * slot->r > KEYS_SCRYPT_MAX_BYTES)
        return bad(SR_ERR_DAMAGED, why, "has scrypt parameters out of bounds");
    for (size_t i = len; i < KEYS_LABEL_MAX; i++)
        if (label[i])
            return bad(SR_ERR_DAMAGED, why, "has a malformed label");
    if (!sr_utf8_valid(slot->label, len))
        return bad(SR_ERR_DAMAGED, why, "has a malformed label");
    return 0;
}

int keys_slot_parse(const uint8_t *data, size_t len, struct keys_slot *out, const char **why)
{
    uint8_t checksum[SR_SHA256_LEN];
    int rc;

    *why = NULL;
    memset(out, 0, sizeof(*out));
    if (len < KEYS_MAGIC_LEN || memcmp(data, magic, KEYS_MAGIC_LEN - 1) != 0)
        return bad(SR_ERR_DAMAGED, why, "is not a key slot");
    if (data[KEYS_MAGIC_LEN - 1] > KEYS_FORMAT_VERSION)
        return bad(SR_ERR_NEWER_FORMAT, why,
                   "was written by a newer version; this one reads up to 1");
    if (data[KEYS_MAGIC_LEN - 1] != KEYS_FORMAT_VERSION)
        return bad(SR_ERR_DAMAGED, why, "is not a key slot");
    if (len != KEYS_SLOT_FILE_LEN)
        return bad(SR_ERR_DAMAGED, why, "has a wrong length");
    rc = sr_sha256(data, AT_CHECKSUM, checksum);
    if (rc)
        return rc;
    if (memcmp(checksum, data + AT_CHECKSUM, SR_SHA256_LEN) != 0)
        return bad(SR_ERR_DAMAGED, why, "is damaged: its checksum does not match");
    if (sr_get_be32(data + AT_TYPE) != TYPE_PASSPHRASE)
        return bad(SR_ERR_NEWER_FORMAT, why, "is of a type that this version does not know");
    out->log2n = sr_get_be32(data + AT_LOG2N);
    out->r = sr_get_be32(data + AT_R);
    out->p = sr_get_be32(data + AT_P);
    memcpy(out->salt, data + AT_SALT, KEYS_SALT_LEN);
    out->created_ns = (int64_t)sr_get_be64(data + AT_CREATED);
    memcpy(out->id, data + AT_ID, KEYS_SLOT_ID_LEN);
    memcpy(out->vault_id, data + AT_VAULT, KEYS_VAULT_ID_LEN);
    out->root_generation = sr_get_be32(data + AT_GENERATION);
    memcpy(out->label, data + AT_LABEL, KEYS_LABEL_MAX);
    memcpy(out->slot_key_by_passphrase, data + AT_BY_PASSPHRASE, SR_KWP_LEN);
    memcpy(out->root_by_slot_key, data + AT_ROOT, SR_KWP_LEN);
    memcpy(out->slot_key_by_root, data + AT_BY_ROOT, SR_KWP_LEN);
    memcpy(out->mac, data + AT_MAC, SR_SHA256_LEN);
    return check_fields(out, data + AT_LABEL, why);
}

/* Binds a slot key and a root to each other; sets generation and MAC. */
static int bind_root(struct keys_slot *slot, const uint8_t slot_key[SR_KEY_LEN],
                     const uint8_t root[SR_KEY_LEN], uint32_t root_generation)
{
    int rc = sr_kwp_wrap(slot_key, root, slot->root_by_slot_key);

    if (!rc)
        rc = sr_kwp_wrap(root, slot_key, slot->slot_key_by_root);
    slot->root_generation = root_generation;
    if (!rc)
        rc = slot_mac(slot, root, slot->mac);
    return rc;
}

static int passphrase_key(const struct keys_slot *slot, const char *passphrase,
                          uint8_t kek[SR_KEY_LEN])
{
    return sr_scrypt(passphrase, strlen(passphrase), slot->salt, KEYS_SALT_LEN,
                     UINT64_C(1) << slot->log2n, slot->r, slot->p, kek);
}

int keys_slot_new(struct sr_io *io, const char *passphrase, const char *label, uint32_t log2n,
                  const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                  uint32_t root_generation, struct keys_slot *out)
{
    uint8_t *secret = NULL; /* slot key, then the key from the passphrase */
    size_t label_len;
    int rc, n;

    memset(out, 0, sizeof(*out));
    rc = keys_check_passphrase(passphrase);
    if (rc)
        return rc;
    label_len = strlen(label);
    if (label_len > KEYS_LABEL_MAX || !sr_utf8_valid(label, label_len))
        return sr_fail(SR_ERR_INVALID, "a slot's label is UTF-8 of at most %d bytes",
                       KEYS_LABEL_MAX);
    out->log2n = log2n;
    out->r = SCRYPT_R;
    out->p = SCRYPT_P;
    out->created_ns = io->now_ns(io);
    memcpy(out->vault_id, vault_id, KEYS_VAULT_ID_LEN);
    memcpy(out->label, label, label_len);
    secret = sr_secret_alloc(2 * SR_KEY_LEN);
    if (!secret)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a slot key");
    n = io->random(io, out->salt, KEYS_SALT_LEN);
    if (n >= 0)
        n = io->random(io, out->id, KEYS_SLOT_ID_LEN);
    if (n >= 0)
        n = io->random(io, secret, SR_KEY_LEN);
    if (n < 0) {
        rc = sr_fail_errno(-n, "cannot draw random bytes");
        goto out;
    }
    rc = passphrase_key(out, passphrase, secret + SR_KEY_LEN);
    if (!rc)
        rc = sr_kwp_wrap(secret + SR_KEY_LEN, secret, out->slot_key_by_passphrase);
    if (!rc)
        rc = bind_root(out, secret, root, root_generation);
out:
    sr_secret_free(secret, 2 * SR_KEY_LEN);
    return rc;
}

int keys_slot_unlock_kek(const struct keys_slot *slot, const uint8_t kek[SR_KEY_LEN],
                         uint8_t root[SR_KEY_LEN], const char **why)
{
    uint8_t *slot_key = sr_secret_alloc(SR_KEY_LEN);
    int rc;

    *why = NULL;
    if (!slot_key)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a slot key");
    rc = sr_kwp_unwrap(kek, slot->slot_key_by_passphrase, slot_key);
    if (rc == SR_ERR_DAMAGED) {
        rc = bad(SR_ERR_PASSPHRASE, why, "is not opened by this passphrase");
        goto out;
    }
    if (rc)
        goto out;
    rc = sr_kwp_unwrap(slot_key, slot->root_by_slot_key, root);
    if (rc == SR_ERR_DAMAGED)
        rc = bad(SR_ERR_DAMAGED, why, "was altered: its key does not open the root");
    if (!rc)
        rc = keys_slot_check(slot, root, slot->root_generation, why);
out:
    if (rc)
        sr_wipe(root, SR_KEY_LEN);
    sr_secret_free(slot_key, SR_KEY_LEN);
    return rc;
}

int keys_slot_unlock(const struct keys_slot *slot, const char *passphrase, uint8_t root[SR_KEY_LEN],
                     const char **why)
{
    uint8_t *kek = sr_secret_alloc(SR_KEY_LEN);
    int rc;

    *why = NULL;
    if (!kek)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a slot key");
    rc = passphrase_key(slot, passphrase, kek);
    if (!rc)
        rc = keys_slot_unlock_kek(slot, kek, root, why);
    sr_secret_free(kek, SR_KEY_LEN);
    return rc;
}

int keys_slot_check(const struct keys_slot *slot, const uint8_t root[SR_KEY_LEN],
                    uint32_t root_generation, const char **why)
{
    uint8_t mac[SR_SHA256_LEN];
    uint8_t *secret; /* slot key, then root */
    int rc;

    *why = NULL;
    if (slot->root_generation != root_generation)
        return bad(SR_ERR_DAMAGED, why, "belongs to an earlier root: it opens nothing");
    rc = slot_mac(slot, root, mac);
    if (rc)
        return rc;
    if (!sr_equal_constant_time(mac, slot->mac, sizeof(mac)))
        return bad(SR_ERR_DAMAGED, why, "was altered: its MAC does not hold");
    secret = sr_secret_alloc(2 * SR_KEY_LEN);
    if (!secret)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a slot key");
    rc = sr_kwp_unwrap(root, slot->slot_key_by_root, secret);
    if (!rc)
        rc = sr_kwp_unwrap(secret, slot->root_by_slot_key, secret + SR_KEY_LEN);
    if (rc == SR_ERR_DAMAGED ||
        (!rc && !sr_equal_constant_time(root, secret + SR_KEY_LEN, SR_KEY_LEN)))
        rc = bad(SR_ERR_DAMAGED, why, "was altered: its key and the root do not open each other");
    sr_secret_free(secret, 2 * SR_KEY_LEN);
    return rc;
}

int keys_slot_rewrap(struct keys_slot *slot, const uint8_t old_root[SR_KEY_LEN],
                     const uint8_t new_root[SR_KEY_LEN], uint32_t new_generation, const char **why)
{
    uint8_t *slot_key = sr_secret_alloc(SR_KEY_LEN);
    int rc;

    *why = NULL;
    if (!slot_key)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a slot key");
    rc = sr_kwp_unwrap(old_root, slot->slot_key_by_root, slot_key);
    if (rc == SR_ERR_DAMAGED)
        rc = bad(SR_ERR_DAMAGED, why, "was altered: the root does not open its key");
    if (!rc)
        rc = bind_root(slot, slot_key, new_root, new_generation);
    sr_secret_free(slot_key, SR_KEY_LEN);
    return rc;
}
