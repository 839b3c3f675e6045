/* The tag tree of a sealed object: RFC 9162 section 2.1 hashing over one leaf per segment, the leaf
 * being the segment's 28 bytes IV || tag. FLOE protects order and end only if each position is
 * encrypted once; staging encrypts positions again and again, so the tree says which version counts.
 *
 * Stored after the last segment (docs/format.md): n leaf hashes, then ceil(n / 1024) block hashes,
 * a block hash being the subtree root of 1,024 leaves (fewer in the last). 32 bytes each. */
#ifndef SR_VAULT_TAGTREE_H
#define SR_VAULT_TAGTREE_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

#define TAGTREE_LEAF_INPUT 28
#define TAGTREE_BLOCK 1024

/* Bytes the stored tree takes for n segments. */
uint64_t tagtree_stored_len(uint64_t segments);
int tagtree_leaf(const uint8_t iv_tag[TAGTREE_LEAF_INPUT], uint8_t out[SR_SHA256_LEN]);
/* Merkle tree hash of count (> 0) consecutive 32-byte hashes. */
int tagtree_root(const uint8_t *hashes, size_t count, uint8_t out[SR_SHA256_LEN]);

#endif
