/* One journal group as bytes (docs/format.md, "Journal"). Pure; private to the ledger.
 *
 *   offset  size  field
 *        0     8  magic "SRJG" 00 00 00 01
 *        8     8  index of the first entry, big-endian as every number here
 *       16     4  entries, at least 1
 *       20     4  length of the body, at most 16 MiB
 *       24     n  body
 *   24 + n    32  HMAC-SHA-256(key_mac, MAC of the group before || bytes 0..23+n); before the first
 *                 group stand 16 zero bytes and the vault id
 *
 *   entry in the body
 *        0     4  length m of ciphertext and tag, 17..65551
 *        4    12  nonce, random
 *       16     m  AES-256-GCM(key_enc, entry, AAD = vault id (16) || index u64), the tag last
 *
 * A group is handled together with the 32 bytes before it (its chain), because those are what its
 * MAC begins with and what the journal holds there. */
#ifndef SR_LEDGER_GROUP_H
#define SR_LEDGER_GROUP_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "ledger/ledger.h"

#define GROUP_MAGIC_LEN 8
#define GROUP_HEADER_LEN 24
#define GROUP_MAC_LEN 32
#define GROUP_CHAIN_LEN GROUP_MAC_LEN
#define GROUP_BODY_MAX (16u << 20)
#define GROUP_LEN_MAX (GROUP_HEADER_LEN + GROUP_BODY_MAX + GROUP_MAC_LEN)
#define GROUP_VAULT_ID_LEN 16
#define GROUP_ENTRY_HEAD (4 + SR_GCM_IV_LEN)
#define GROUP_ENTRY_OVERHEAD (GROUP_ENTRY_HEAD + SR_GCM_TAG_LEN)

struct group_header {
    uint64_t first;
    uint32_t count;
    uint32_t body_len;
};

struct group_entry { /* points into the body */
    const uint8_t *nonce;
    const uint8_t *cipher;
    size_t len; /* of the entry: ciphertext without tag */
};

/* What stands for the MAC of a group before the first. */
void group_first_chain(const uint8_t vault_id[GROUP_VAULT_ID_LEN], uint8_t chain[GROUP_CHAIN_LEN]);
void group_header_put(const struct group_header *header, uint8_t out[GROUP_HEADER_LEN]);
/* NULL and *out filled, or why these bytes are no group header. */
const char *group_header_parse(const uint8_t *data, size_t len, struct group_header *out);
/* chained: the chain, the header and the body; out: the MAC. */
int group_mac(const uint8_t key_mac[SR_KEY_LEN], const uint8_t *chained, size_t len,
              uint8_t out[GROUP_MAC_LEN]);
/* chained: the chain and all that follows. 0 with *why NULL and *header filled if a whole group of
 * this first index stands there, its MAC holds and its body is well-formed; 0 with *why set if not;
 * an error when the MAC could not be computed. */
int group_check(const uint8_t key_mac[SR_KEY_LEN], const uint8_t *chained, size_t len,
                uint64_t first, struct group_header *header, const char **why);
/* Takes the entry at *at off the body. NULL, or why the body is malformed there. */
const char *group_entry_next(const uint8_t *body, size_t len, size_t *at, struct group_entry *out);

/* out takes len + GROUP_ENTRY_OVERHEAD bytes. */
int group_entry_encrypt(struct sr_gcm *gcm, const uint8_t key_enc[SR_KEY_LEN],
                        const uint8_t vault_id[GROUP_VAULT_ID_LEN], uint64_t index,
                        const uint8_t nonce[SR_GCM_IV_LEN], const uint8_t *entry, size_t len,
                        uint8_t *out);
/* plain takes entry->len bytes. SR_ERR_DAMAGED: it is not the entry of that index. */
int group_entry_decrypt(struct sr_gcm *gcm, const uint8_t key_enc[SR_KEY_LEN],
                        const uint8_t vault_id[GROUP_VAULT_ID_LEN], uint64_t index,
                        const struct group_entry *entry, uint8_t *plain);

#endif
