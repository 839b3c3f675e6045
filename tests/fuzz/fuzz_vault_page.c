/* Key pages. A page is 10,568 bytes, so the input is a list of patches (offset, 2 bytes big-endian;
 * value, 1) to a page of zeros with a good head; a last odd byte chooses where the page is cut. If
 * the parser takes the page it is sealed anew, and must then check, unwrap and rewrap in order. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "vault/keys_internal.h"

#define ENTRIES_AT 40
#define ENTRY_LEN 41

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static const uint8_t vault_id[KEYS_VAULT_ID_LEN] = "fuzzed vault id";
static const uint8_t root[SR_KEY_LEN] = {5};
static const uint8_t new_root[SR_KEY_LEN] = {6};

/* Gives every live entry a key that unwraps: its own index. */
static void wrap_live(uint8_t *image)
{
    uint8_t key[SR_KEY_LEN] = {0};

    for (size_t i = 0; i < KEYS_PER_PAGE; i++) {
        if (!keys_page_is_live(image, i))
            continue;
        sr_put_be64(key, i);
        require(sr_kwp_wrap(root, key, image + ENTRIES_AT + i * ENTRY_LEN + 1) == 0);
    }
}

static void reseal(uint8_t *image, const struct keys_page *page)
{
    uint8_t next[KEYS_PAGE_FILE_LEN];
    uint8_t key[SR_KEY_LEN];
    struct keys_page again;
    const char *why;
    size_t live = 0;

    require(keys_page_check(image, page->number, vault_id, root, &why) == SR_ERR_DAMAGED);
    wrap_live(image);
    require(keys_page_seal(image, root) == 0);
    if (keys_page_check(image, page->number, vault_id, root, &why)) {
        require(memcmp(image + 16, vault_id, sizeof(vault_id)) != 0);
        return;
    }
    require(keys_page_check(image, page->number + 1, vault_id, root, &why) == SR_ERR_DAMAGED);
    require(keys_page_check(image, page->number, vault_id, new_root, &why) == SR_ERR_DAMAGED);
    require(keys_page_rewrap(image, root, new_root, page->root_generation + 1, next, &why) == 0);
    require(keys_page_parse(next, sizeof(next), &again, &why) == 0);
    require(keys_page_check(next, page->number, vault_id, new_root, &why) == 0);
    require(again.generation == page->generation + 1 && again.live == page->live);
    for (size_t i = 0; i < KEYS_PER_PAGE; i++) {
        require(keys_page_is_live(next, i) == keys_page_is_live(image, i));
        if (!keys_page_is_live(next, i))
            continue;
        live++;
        require(keys_page_unwrap(next, i, new_root, key) == 0 && sr_get_be64(key) == i);
        require(keys_page_unwrap(next, i, root, key) == SR_ERR_DAMAGED);
    }
    require(live == page->live);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *image = calloc(1, KEYS_PAGE_FILE_LEN);
    size_t len = KEYS_PAGE_FILE_LEN;
    struct keys_page page;
    const char *why;
    int rc;

    require(image != NULL);
    (void)keys_page_parse(data, size, &page, &why);
    memcpy(image, "SRPAGE\0\1", 8);
    memcpy(image + 16, vault_id, sizeof(vault_id));
    sr_put_be32(image + 32, KEYS_PER_PAGE);
    for (; size >= 3; data += 3, size -= 3)
        image[sr_get_be16(data) % KEYS_PAGE_FILE_LEN] = data[2];
    if (size == 1)
        len -= 1 + (size_t)data[0] * 41;
    rc = keys_page_parse(image, len, &page, &why);
    require(rc == 0 || rc == SR_ERR_DAMAGED || rc == SR_ERR_NEWER_FORMAT);
    require((rc == 0) == (why == NULL));
    if (rc == 0)
        reseal(image, &page);
    free(image);
    return 0;
}
