#include "ledger/group.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

static const uint8_t magic[GROUP_MAGIC_LEN] = {'S', 'R', 'J', 'G', 0, 0, 0, 1};

void group_first_chain(const uint8_t vault_id[GROUP_VAULT_ID_LEN], uint8_t chain[GROUP_CHAIN_LEN])
{
    memset(chain, 0, GROUP_CHAIN_LEN - GROUP_VAULT_ID_LEN);
    memcpy(chain + GROUP_CHAIN_LEN - GROUP_VAULT_ID_LEN, vault_id, GROUP_VAULT_ID_LEN);
}

void group_header_put(const struct group_header *header, uint8_t out[GROUP_HEADER_LEN])
{
    memcpy(out, magic, sizeof(magic));
    sr_put_be64(out + 8, header->first);
    sr_put_be32(out + 16, header->count);
    sr_put_be32(out + 20, header->body_len);
}

const char *group_header_parse(const uint8_t *data, size_t len, struct group_header *out)
{
    memset(out, 0, sizeof(*out));
    if (len < GROUP_HEADER_LEN)
        return "its header is cut off";
    if (memcmp(data, magic, sizeof(magic)) != 0)
        return "it does not begin with the magic number of a group";
    out->first = sr_get_be64(data + 8);
    out->count = sr_get_be32(data + 16);
    out->body_len = sr_get_be32(data + 20);
    if (out->body_len > GROUP_BODY_MAX)
        return "its length is beyond what a group may have";
    if (out->count == 0 || out->count > out->body_len / (GROUP_ENTRY_OVERHEAD + 1))
        return "its number of entries does not fit its length";
    return NULL;
}

int group_mac(const uint8_t key_mac[SR_KEY_LEN], const uint8_t *chained, size_t len,
              uint8_t out[GROUP_MAC_LEN])
{
    return sr_hmac_sha256(key_mac, SR_KEY_LEN, chained, len, out);
}

const char *group_entry_next(const uint8_t *body, size_t len, size_t *at, struct group_entry *out)
{
    size_t left = len - *at;
    uint32_t cipher_len;

    memset(out, 0, sizeof(*out));
    if (left < GROUP_ENTRY_HEAD)
        return "the head of an entry is cut off";
    cipher_len = sr_get_be32(body + *at);
    if (cipher_len <= SR_GCM_TAG_LEN || cipher_len > LEDGER_ENTRY_MAX + SR_GCM_TAG_LEN)
        return "the length of an entry is out of range";
    if (cipher_len > left - GROUP_ENTRY_HEAD)
        return "an entry is cut off";
    out->nonce = body + *at + 4;
    out->cipher = body + *at + GROUP_ENTRY_HEAD;
    out->len = cipher_len - SR_GCM_TAG_LEN;
    *at += GROUP_ENTRY_HEAD + (size_t)cipher_len;
    return NULL;
}

static const char *check_body(const uint8_t *body, const struct group_header *header)
{
    struct group_entry entry;
    size_t at = 0;

    for (uint32_t i = 0; i < header->count; i++) {
        const char *why = group_entry_next(body, header->body_len, &at, &entry);

        if (why != NULL)
            return why;
    }
    return at == header->body_len ? NULL : "bytes follow its last entry";
}

int group_check(const uint8_t key_mac[SR_KEY_LEN], const uint8_t *chained, size_t len,
                uint64_t first, struct group_header *header, const char **why)
{
    const uint8_t *data = chained + GROUP_CHAIN_LEN;
    uint8_t mac[GROUP_MAC_LEN];
    size_t chained_len;
    int status;

    memset(header, 0, sizeof(*header));
    *why = "its header is cut off";
    if (len < GROUP_CHAIN_LEN)
        return 0;
    *why = group_header_parse(data, len - GROUP_CHAIN_LEN, header);
    if (*why != NULL)
        return 0;
    *why = "it is cut off";
    chained_len = GROUP_CHAIN_LEN + GROUP_HEADER_LEN + (size_t)header->body_len;
    if (len < chained_len + GROUP_MAC_LEN)
        return 0;
    status = group_mac(key_mac, chained, chained_len, mac);
    if (status != 0)
        return status;
    *why = "its MAC does not hold";
    if (!sr_equal_constant_time(mac, chained + chained_len, GROUP_MAC_LEN))
        return 0;
    *why = "its first index is not the next one";
    if (header->first != first)
        return 0;
    *why = check_body(data + GROUP_HEADER_LEN, header);
    return 0;
}

/* AAD: vault id || index. */
#define AAD_LEN (GROUP_VAULT_ID_LEN + 8)

static void make_aad(const uint8_t vault_id[GROUP_VAULT_ID_LEN], uint64_t index,
                     uint8_t aad[AAD_LEN])
{
    memcpy(aad, vault_id, GROUP_VAULT_ID_LEN);
    sr_put_be64(aad + GROUP_VAULT_ID_LEN, index);
}

int group_entry_encrypt(struct sr_gcm *gcm, const uint8_t key_enc[SR_KEY_LEN],
                        const uint8_t vault_id[GROUP_VAULT_ID_LEN], uint64_t index,
                        const uint8_t nonce[SR_GCM_IV_LEN], const uint8_t *entry, size_t len,
                        uint8_t *out)
{
    uint8_t aad[AAD_LEN];

    make_aad(vault_id, index, aad);
    sr_put_be32(out, (uint32_t)(len + SR_GCM_TAG_LEN));
    memcpy(out + 4, nonce, SR_GCM_IV_LEN);
    return sr_gcm_encrypt(gcm, key_enc, nonce, aad, sizeof(aad), entry, len, out + GROUP_ENTRY_HEAD,
                          out + GROUP_ENTRY_HEAD + len);
}

int group_entry_decrypt(struct sr_gcm *gcm, const uint8_t key_enc[SR_KEY_LEN],
                        const uint8_t vault_id[GROUP_VAULT_ID_LEN], uint64_t index,
                        const struct group_entry *entry, uint8_t *plain)
{
    uint8_t aad[AAD_LEN];

    make_aad(vault_id, index, aad);
    return sr_gcm_decrypt(gcm, key_enc, entry->nonce, aad, sizeof(aad), entry->cipher, entry->len,
                          entry->cipher + entry->len, plain);
}
