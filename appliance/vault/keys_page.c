/* A key page, keys/pages/NUMBER. All numbers are big-endian.
 *
 *   offset  bytes
 *        0      8  magic "SRPAGE" 00, version 01
 *        8      4  page number, which is also the file's name
 *       12      4  generation, counts up when the page is rewritten
 *       16     16  vault id
 *       32      4  count of entries: 256
 *       36      4  root generation
 *       40  10496  256 entries: state (0 destroyed, 1 live), key by AES-KWP under the root (40);
 *                  a destroyed entry is all zeros
 *    10536     32  HMAC-SHA-256 of bytes 0..10535 under
 *                  HKDF-Expand-SHA-384(root, "strongroom page mac v1" || page number (4))
 *
 * Page 0 holds the named keys, in the order of enum keys_named; its other entries are destroyed. */
#include "vault/keys_internal.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

enum {
    AT_NUMBER = 8,
    AT_GENERATION = 12,
    AT_VAULT = 16,
    AT_COUNT = 32,
    AT_ROOT_GENERATION = 36,
    AT_ENTRIES = 40,
    ENTRY_LEN = 1 + SR_KWP_LEN,
    AT_MAC = AT_ENTRIES + KEYS_PER_PAGE * ENTRY_LEN,
};

_Static_assert(AT_MAC + SR_SHA256_LEN == KEYS_PAGE_FILE_LEN, "page layout");

#define STATE_DESTROYED 0
#define STATE_LIVE 1

static const uint8_t magic[KEYS_MAGIC_LEN] = {'S', 'R', 'P', 'A', 'G', 'E', 0, KEYS_FORMAT_VERSION};

static int bad(int code, const char **why, const char *phrase)
{
    *why = phrase;
    return code;
}

static int page_mac(const uint8_t *image, const uint8_t root[SR_KEY_LEN],
                    uint8_t mac[SR_SHA256_LEN])
{
    static const char label[] = "strongroom page mac v1";
    uint8_t info[sizeof(label) - 1 + 4];
    uint8_t key[SR_KEY_LEN];
    int rc;

    memcpy(info, label, sizeof(label) - 1);
    memcpy(info + sizeof(label) - 1, image + AT_NUMBER, 4);
    rc = sr_hkdf_expand_sha384(root, SR_KEY_LEN, info, sizeof(info), key, sizeof(key));
    if (!rc)
        rc = sr_hmac_sha256(key, sizeof(key), image, AT_MAC, mac);
    sr_wipe(key, sizeof(key));
    return rc;
}

int keys_page_seal(uint8_t *image, const uint8_t root[SR_KEY_LEN])
{
    return page_mac(image, root, image + AT_MAC);
}

bool keys_page_is_live(const uint8_t *image, size_t index)
{
    return image[AT_ENTRIES + index * ENTRY_LEN] == STATE_LIVE;
}

int keys_page_unwrap(const uint8_t *image, size_t index, const uint8_t root[SR_KEY_LEN],
                     uint8_t key[SR_KEY_LEN])
{
    return sr_kwp_unwrap(root, image + AT_ENTRIES + index * ENTRY_LEN + 1, key);
}

int keys_page_parse(const uint8_t *data, size_t len, struct keys_page *out, const char **why)
{
    static const uint8_t nothing[SR_KWP_LEN] = {0};

    *why = NULL;
    memset(out, 0, sizeof(*out));
    if (len < KEYS_MAGIC_LEN || memcmp(data, magic, KEYS_MAGIC_LEN - 1) != 0)
        return bad(SR_ERR_DAMAGED, why, "is not a key page");
    if (data[KEYS_MAGIC_LEN - 1] > KEYS_FORMAT_VERSION)
        return bad(SR_ERR_NEWER_FORMAT, why,
                   "was written by a newer version; this one reads up to 1");
    if (data[KEYS_MAGIC_LEN - 1] != KEYS_FORMAT_VERSION)
        return bad(SR_ERR_DAMAGED, why, "is not a key page");
    if (len != KEYS_PAGE_FILE_LEN)
        return bad(SR_ERR_DAMAGED, why, "has a wrong length");
    if (sr_get_be32(data + AT_COUNT) != KEYS_PER_PAGE)
        return bad(SR_ERR_DAMAGED, why, "has a wrong count of keys");
    for (size_t i = 0; i < KEYS_PER_PAGE; i++) {
        const uint8_t *entry = data + AT_ENTRIES + i * ENTRY_LEN;

        if (entry[0] == STATE_LIVE)
            out->live++;
        else if (entry[0] != STATE_DESTROYED || memcmp(entry + 1, nothing, SR_KWP_LEN) != 0)
            return bad(SR_ERR_DAMAGED, why, "has a malformed entry");
    }
    out->number = sr_get_be32(data + AT_NUMBER);
    out->generation = sr_get_be32(data + AT_GENERATION);
    out->root_generation = sr_get_be32(data + AT_ROOT_GENERATION);
    return 0;
}

int keys_page_check(const uint8_t *image, uint32_t number,
                    const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                    const char **why)
{
    uint8_t mac[SR_SHA256_LEN];
    int rc;

    *why = NULL;
    if (sr_get_be32(image + AT_NUMBER) != number)
        return bad(SR_ERR_DAMAGED, why, "is another page than its name says");
    if (memcmp(image + AT_VAULT, vault_id, KEYS_VAULT_ID_LEN) != 0)
        return bad(SR_ERR_DAMAGED, why, "belongs to another vault");
    rc = page_mac(image, root, mac);
    if (rc)
        return rc;
    if (!sr_equal_constant_time(mac, image + AT_MAC, sizeof(mac)))
        return bad(SR_ERR_DAMAGED, why,
                   "is damaged or of an earlier generation: its MAC does not hold");
    return 0;
}

static void put_header(uint8_t *image, uint32_t number, uint32_t generation,
                       const uint8_t vault_id[KEYS_VAULT_ID_LEN], uint32_t root_generation)
{
    memcpy(image, magic, sizeof(magic));
    sr_put_be32(image + AT_NUMBER, number);
    sr_put_be32(image + AT_GENERATION, generation);
    memcpy(image + AT_VAULT, vault_id, KEYS_VAULT_ID_LEN);
    sr_put_be32(image + AT_COUNT, KEYS_PER_PAGE);
    sr_put_be32(image + AT_ROOT_GENERATION, root_generation);
}

int keys_page_new(struct sr_io *io, uint32_t number, size_t live,
                  const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                  uint32_t root_generation, uint8_t *image)
{
    uint8_t *keys = sr_secret_alloc(live * SR_KEY_LEN);
    int rc = 0, n;

    if (!keys)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a key page");
    memset(image, 0, KEYS_PAGE_FILE_LEN);
    put_header(image, number, 1, vault_id, root_generation);
    n = io->random(io, keys, live * SR_KEY_LEN);
    if (n < 0)
        rc = sr_fail_errno(-n, "cannot draw random bytes");
    for (size_t i = 0; i < live && !rc; i++) {
        uint8_t *entry = image + AT_ENTRIES + i * ENTRY_LEN;

        entry[0] = STATE_LIVE;
        rc = sr_kwp_wrap(root, keys + i * SR_KEY_LEN, entry + 1);
    }
    if (!rc)
        rc = keys_page_seal(image, root);
    sr_secret_free(keys, live * SR_KEY_LEN);
    return rc;
}

int keys_page_rewrap(const uint8_t *old_image, const uint8_t old_root[SR_KEY_LEN],
                     const uint8_t new_root[SR_KEY_LEN], uint32_t new_generation, uint8_t *image,
                     const char **why)
{
    uint8_t *key = sr_secret_alloc(SR_KEY_LEN);
    int rc = 0;

    *why = NULL;
    if (!key)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a key page");
    memcpy(image, old_image, KEYS_PAGE_FILE_LEN);
    sr_put_be32(image + AT_GENERATION, sr_get_be32(old_image + AT_GENERATION) + 1);
    sr_put_be32(image + AT_ROOT_GENERATION, new_generation);
    for (size_t i = 0; i < KEYS_PER_PAGE && !rc; i++) {
        if (!keys_page_is_live(image, i))
            continue;
        rc = keys_page_unwrap(old_image, i, old_root, key);
        if (rc == SR_ERR_DAMAGED)
            rc = bad(SR_ERR_DAMAGED, why, "holds a key that the root does not open");
        if (!rc)
            rc = sr_kwp_wrap(new_root, key, image + AT_ENTRIES + i * ENTRY_LEN + 1);
    }
    if (!rc)
        rc = keys_page_seal(image, new_root);
    sr_secret_free(key, SR_KEY_LEN);
    return rc;
}
