/* RFC 9162 section 2.1 over the tags of an object's segments. */
#include "vault/tagtree.h"

#include <assert.h>
#include <string.h>

#define STACK_MAX 64 /* one hash for each set bit of a count */

uint64_t tagtree_stored_len(uint64_t segments)
{
    uint64_t blocks = segments / TAGTREE_BLOCK + (segments % TAGTREE_BLOCK != 0);

    return (segments + blocks) * SR_SHA256_LEN;
}

int tagtree_leaf(const uint8_t iv_tag[TAGTREE_LEAF_INPUT], uint8_t out[SR_SHA256_LEN])
{
    uint8_t input[1 + TAGTREE_LEAF_INPUT];

    input[0] = 0x00;
    memcpy(input + 1, iv_tag, TAGTREE_LEAF_INPUT);
    return sr_sha256(input, sizeof(input), out);
}

/* Of two hashes side by side in memory, the first becomes their parent. */
static int fold(struct sr_digest *hash, uint8_t *pair)
{
    static const uint8_t node_prefix = 0x01;
    int rc = sr_digest_reset(hash);

    if (!rc)
        rc = sr_digest_update(hash, &node_prefix, 1);
    if (!rc)
        rc = sr_digest_update(hash, pair, 2 * SR_SHA256_LEN);
    if (!rc)
        rc = sr_digest_final(hash, pair);
    return rc;
}

/* Keeps the roots of the complete subtrees so far, as a log that grows by one leaf does: after leaf
 * i there is one for each set bit of i. What is left at the end folds from the right, which is the
 * RFC's split at the largest power of two. */
int tagtree_root(const uint8_t *hashes, size_t count, uint8_t out[SR_SHA256_LEN])
{
    uint8_t stack[(STACK_MAX + 1) * SR_SHA256_LEN];
    uint8_t *top = stack; /* past the last hash */
    struct sr_digest *hash = NULL;
    int rc;

    assert(count > 0);
    rc = sr_digest_new("sha256", &hash);
    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++) {
        memcpy(top, hashes + i * SR_SHA256_LEN, SR_SHA256_LEN);
        top += SR_SHA256_LEN;
        for (size_t n = i + 1; n % 2 == 0; n /= 2) {
            rc = fold(hash, top - 2 * SR_SHA256_LEN);
            if (rc)
                goto out;
            top -= SR_SHA256_LEN;
        }
    }
    for (; top > stack + SR_SHA256_LEN; top -= SR_SHA256_LEN) {
        rc = fold(hash, top - 2 * SR_SHA256_LEN);
        if (rc)
            goto out;
    }
    memcpy(out, stack, SR_SHA256_LEN);
out:
    sr_digest_free(hash);
    return rc;
}
