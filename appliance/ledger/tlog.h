/* Merkle tree hashing, inclusion and consistency proofs: RFC 6962 section 2.1 (RFC 9162 section 2.1),
 * as C2SP tlog-tiles uses them. Pure. */
#ifndef SR_LEDGER_TLOG_H
#define SR_LEDGER_TLOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

#define TLOG_HASH_LEN SR_SHA256_LEN
#define TLOG_PROOF_MAX 64 /* hashes in one proof, at most */

struct tlog_hash {
    uint8_t bytes[TLOG_HASH_LEN];
};

int tlog_leaf_hash(const void *data, size_t len, struct tlog_hash *out);
int tlog_node_hash(const struct tlog_hash *left, const struct tlog_hash *right,
                   struct tlog_hash *out);

/* Where proofs come from: the hash of the complete subtree of 2^level leaves that starts at leaf
 * index << level. */
struct tlog_source {
    int (*node)(void *context, unsigned level, uint64_t index, struct tlog_hash *out);
    void *context;
};

/* Root of the first size leaves; of none, SHA-256 of nothing. */
int tlog_root(const struct tlog_source *source, uint64_t size, struct tlog_hash *out);
/* *count <= TLOG_PROOF_MAX. SR_ERR_INVALID: index >= size. */
int tlog_prove_inclusion(const struct tlog_source *source, uint64_t index, uint64_t size,
                         struct tlog_hash *proof, size_t *count);
int tlog_prove_consistency(const struct tlog_source *source, uint64_t old_size, uint64_t size,
                           struct tlog_hash *proof, size_t *count);
/* SR_ERR_DAMAGED when the proof does not hold. */
int tlog_verify_inclusion(const struct tlog_hash *leaf, uint64_t index, uint64_t size,
                          const struct tlog_hash *proof, size_t count,
                          const struct tlog_hash *root);
int tlog_verify_consistency(uint64_t old_size, const struct tlog_hash *old_root, uint64_t size,
                            const struct tlog_hash *root, const struct tlog_hash *proof,
                            size_t count);

#endif
