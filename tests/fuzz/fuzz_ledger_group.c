/* Journal groups. The input is one group without its MAC; the length in the header is made right
 * and the MAC computed here, so that entries are reached. It is also given as it is. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ledger/group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key_mac[SR_KEY_LEN] = {1};
static const uint8_t key_enc[SR_KEY_LEN] = {2};
static const uint8_t vault_id[GROUP_VAULT_ID_LEN] = {3};

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* A group that is good is made of exactly its entries. */
static void walk(const uint8_t *group, const struct group_header *header)
{
    const uint8_t *body = group + GROUP_HEADER_LEN;
    struct group_entry entry;
    struct sr_gcm *gcm;
    uint8_t *plain = malloc(LEDGER_ENTRY_MAX);
    size_t at = 0;

    check(plain != NULL && sr_gcm_new(&gcm) == 0);
    for (uint32_t i = 0; i < header->count; i++) {
        check(group_entry_next(body, header->body_len, &at, &entry) == NULL);
        check(entry.len > 0 && entry.len <= LEDGER_ENTRY_MAX);
        int status = group_entry_decrypt(gcm, key_enc, vault_id, header->first + i, &entry, plain);
        check(status == 0 || status == SR_ERR_DAMAGED);
    }
    check(at == header->body_len);
    sr_gcm_free(gcm);
    free(plain);
}

static void try_group(const uint8_t *chained, size_t len)
{
    struct group_header header;
    const char *why;
    uint64_t first = len >= GROUP_CHAIN_LEN + 16 ? sr_get_be64(chained + GROUP_CHAIN_LEN + 8) : 0;

    check(group_check(key_mac, chained, len, first, &header, &why) == 0);
    if (why == NULL)
        walk(chained + GROUP_CHAIN_LEN, &header);
    check(group_check(key_mac, chained, len, first + 1, &header, &why) == 0);
    check(why != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len = GROUP_CHAIN_LEN + size;
    uint8_t *chained = malloc(len + GROUP_MAC_LEN);
    uint8_t *exact;

    check(chained != NULL);
    group_first_chain(vault_id, chained);
    memcpy(chained + GROUP_CHAIN_LEN, data, size);
    /* Exactly as long as the input, so that a sanitizer sees a read beyond it. */
    exact = malloc(len);
    check(exact != NULL);
    memcpy(exact, chained, len);
    try_group(exact, len);
    free(exact);
    if (size >= GROUP_HEADER_LEN) {
        sr_put_be32(chained + GROUP_CHAIN_LEN + 20, (uint32_t)(size - GROUP_HEADER_LEN));
        check(group_mac(key_mac, chained, len, chained + len) == 0);
        try_group(chained, len + GROUP_MAC_LEN);
    }
    free(chained);
    return 0;
}
