/* Key slots. The input is tried as it is, with its checksum made to fit, and, if its fields are
 * accepted, wrapped and signed anew: then it must unlock. scrypt itself is left out. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "vault/keys_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

/* What is accepted is written again as the same bytes, and is within the bounds. */
static int parse(const uint8_t *data, size_t size, struct keys_slot *slot)
{
    uint8_t again[KEYS_SLOT_FILE_LEN];
    const char *why;
    int rc = keys_slot_parse(data, size, slot, &why);

    require(rc == 0 || rc == SR_ERR_DAMAGED || rc == SR_ERR_NEWER_FORMAT);
    require((rc == 0) == (why == NULL));
    if (rc)
        return rc;
    require(keys_slot_serialize(slot, again) == 0);
    require(size == sizeof(again) && !memcmp(again, data, size));
    require((UINT64_C(128) << slot->log2n) * slot->r <= KEYS_SCRYPT_MAX_BYTES);
    return 0;
}

static void resign(struct keys_slot *slot)
{
    static const uint8_t kek[SR_KEY_LEN] = {1}, slot_key[SR_KEY_LEN] = {2};
    static const uint8_t old_root[SR_KEY_LEN] = {3}, new_root[SR_KEY_LEN] = {4};
    uint8_t image[KEYS_SLOT_FILE_LEN], root[SR_KEY_LEN];
    struct keys_slot again;
    const char *why;

    /* Nobody's keys: what the fuzzer made up does not open. */
    require(keys_slot_unlock_kek(slot, kek, root, &why) == SR_ERR_PASSPHRASE);
    require(keys_slot_check(slot, old_root, slot->root_generation, &why) == SR_ERR_DAMAGED);
    require(sr_kwp_wrap(kek, slot_key, slot->slot_key_by_passphrase) == 0);
    require(sr_kwp_wrap(old_root, slot_key, slot->slot_key_by_root) == 0);
    require(keys_slot_rewrap(slot, old_root, new_root, slot->root_generation + 1, &why) == 0);
    require(keys_slot_serialize(slot, image) == 0);
    require(parse(image, sizeof(image), &again) == 0);
    require(keys_slot_unlock_kek(&again, kek, root, &why) == 0);
    require(!memcmp(root, new_root, sizeof(root)));
    require(keys_slot_check(&again, old_root, again.root_generation, &why) == SR_ERR_DAMAGED);
    /* The MAC covers the label. */
    again.label[0] = again.label[0] == 'x' ? 'y' : 'x';
    require(keys_slot_unlock_kek(&again, kek, root, &why) == SR_ERR_DAMAGED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t end = KEYS_SLOT_FILE_LEN - SR_SHA256_LEN;
    uint8_t image[KEYS_SLOT_FILE_LEN] = {0};
    struct keys_slot slot;

    (void)parse(data, size, &slot);
    memcpy(image, data, size < end ? size : end);
    require(sr_sha256(image, end, image + end) == 0);
    if (parse(image, sizeof(image), &slot) == 0)
        resign(&slot);
    return 0;
}
