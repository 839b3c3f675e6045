#include "ledger/tlog.h"

#include <string.h>

#include "base/error.h"

/* Entries are a few hundred bytes: up to this size they are hashed in one call from the stack. */
#define LEAF_ON_STACK 2048

int tlog_leaf_hash(const void *data, size_t len, struct tlog_hash *out)
{
    static const uint8_t prefix = 0x00;
    struct sr_digest *hash = NULL;
    int status = 0;

    memset(out, 0, sizeof(*out));
    if (len <= LEAF_ON_STACK) {
        uint8_t input[1 + LEAF_ON_STACK];

        input[0] = prefix;
        if (len > 0)
            memcpy(input + 1, data, len);
        status = sr_sha256(input, len + 1, out->bytes);
        sr_wipe(input, len + 1);
        return status;
    }
    status = sr_digest_new("sha256", &hash);
    if (status != 0)
        goto out;
    status = sr_digest_update(hash, &prefix, 1);
    if (status != 0)
        goto out;
    status = sr_digest_update(hash, data, len);
    if (status != 0)
        goto out;
    status = sr_digest_final(hash, out->bytes);
out:
    sr_digest_free(hash);
    return status;
}

int tlog_node_hash(const struct tlog_hash *left, const struct tlog_hash *right,
                   struct tlog_hash *out)
{
    uint8_t input[1 + 2 * TLOG_HASH_LEN];

    input[0] = 0x01;
    memcpy(input + 1, left->bytes, TLOG_HASH_LEN);
    memcpy(input + 1 + TLOG_HASH_LEN, right->bytes, TLOG_HASH_LEN);
    return sr_sha256(input, sizeof(input), out->bytes);
}

/* The largest power of two smaller than n (n > 1): where RFC 6962 splits n leaves. */
static uint64_t split(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* MTH(D[start : start + n]), n > 0, where start is a multiple of the power of two at or above n, or
 * of split(n): all that the recursions of RFC 6962 ever ask for. */
static int range_hash(const struct tlog_source *source, uint64_t start, uint64_t n,
                      struct tlog_hash *out)
{
    struct tlog_hash left;
    uint64_t end = start + n;
    unsigned level = (unsigned)__builtin_ctzll(n);
    int status;

    /* The complete subtrees of the range from right to left: one for each bit of n. */
    end -= UINT64_C(1) << level;
    status = source->node(source->context, level, end >> level, out);
    while (status == 0 && end > start) {
        uint64_t rest = end - start;

        level = (unsigned)__builtin_ctzll(rest);
        end -= UINT64_C(1) << level;
        status = source->node(source->context, level, end >> level, &left);
        if (status == 0)
            status = tlog_node_hash(&left, out, out);
    }
    return status;
}

int tlog_root(const struct tlog_source *source, uint64_t size, struct tlog_hash *out)
{
    memset(out, 0, sizeof(*out));
    if (size == 0)
        return sr_sha256("", 0, out->bytes);
    return range_hash(source, 0, size, out);
}

/* Proofs are collected from the root down and stand from the leaf up. */
static void reverse(struct tlog_hash *proof, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        struct tlog_hash swap = proof[i];

        proof[i] = proof[count - 1 - i];
        proof[count - 1 - i] = swap;
    }
}

int tlog_prove_inclusion(const struct tlog_source *source, uint64_t index, uint64_t size,
                         struct tlog_hash *proof, size_t *count)
{
    uint64_t start = 0;
    uint64_t n = size;
    size_t found = 0;
    int status;

    *count = 0;
    if (index >= size)
        return sr_fail(SR_ERR_INVALID, "ledger: no entry %llu in a tree of %llu",
                       (unsigned long long)index, (unsigned long long)size);
    while (n > 1) {
        uint64_t k = split(n);

        if (index - start < k) {
            status = range_hash(source, start + k, n - k, &proof[found]);
            n = k;
        } else {
            status = range_hash(source, start, k, &proof[found]);
            start += k;
            n -= k;
        }
        if (status != 0)
            return status;
        found++;
    }
    reverse(proof, found);
    *count = found;
    return 0;
}

int tlog_prove_consistency(const struct tlog_source *source, uint64_t old_size, uint64_t size,
                           struct tlog_hash *proof, size_t *count)
{
    uint64_t start = 0;
    uint64_t n = size;
    size_t found = 0;
    int status = 0;

    *count = 0;
    if (old_size > size)
        return sr_fail(SR_ERR_INVALID, "ledger: a tree of %llu does not contain one of %llu",
                       (unsigned long long)size, (unsigned long long)old_size);
    if (size > UINT64_C(1) << 63) /* its proofs may be one longer than TLOG_PROOF_MAX */
        return sr_fail(SR_ERR_TOO_LARGE, "ledger: a tree of %llu", (unsigned long long)size);
    if (old_size == 0 || old_size == size)
        return 0;
    /* RFC 6962 section 2.1.2, SUBPROOF: [start, start + n) is the part that old_size ends in. */
    while (old_size - start != n) {
        uint64_t k = split(n);

        if (old_size - start <= k) {
            status = range_hash(source, start + k, n - k, &proof[found]);
            n = k;
        } else {
            status = range_hash(source, start, k, &proof[found]);
            start += k;
            n -= k;
        }
        if (status != 0)
            return status;
        found++;
    }
    if (start != 0) { /* the old root itself is known to the verifier, its parts are not */
        status = range_hash(source, start, n, &proof[found]);
        if (status != 0)
            return status;
        found++;
    }
    reverse(proof, found);
    *count = found;
    return 0;
}

static int does_not_hold(const char *what)
{
    return sr_fail(SR_ERR_DAMAGED, "ledger: the %s proof does not hold", what);
}

int tlog_verify_inclusion(const struct tlog_hash *leaf, uint64_t index, uint64_t size,
                          const struct tlog_hash *proof, size_t count, const struct tlog_hash *root)
{
    struct tlog_hash hash = *leaf;
    uint64_t position = index;
    uint64_t last = size - 1;
    int status;

    /* RFC 9162 section 2.1.3.2. */
    if (index >= size)
        return does_not_hold("inclusion");
    for (size_t i = 0; i < count; i++) {
        if (last == 0)
            return does_not_hold("inclusion");
        if ((position & 1) != 0 || position == last) {
            status = tlog_node_hash(&proof[i], &hash, &hash);
            while ((position & 1) == 0 && position != 0) {
                position >>= 1;
                last >>= 1;
            }
        } else {
            status = tlog_node_hash(&hash, &proof[i], &hash);
        }
        if (status != 0)
            return status;
        position >>= 1;
        last >>= 1;
    }
    if (last != 0 || memcmp(hash.bytes, root->bytes, TLOG_HASH_LEN) != 0)
        return does_not_hold("inclusion");
    return 0;
}

/* The cases in which the proof is empty; the caller has excluded old_size > size. */
static int verify_trivial(uint64_t old_size, const struct tlog_hash *old_root,
                          const struct tlog_hash *root, size_t count)
{
    struct tlog_hash expected = *root;
    int status;

    if (old_size == 0) {
        status = sr_sha256("", 0, expected.bytes);
        if (status != 0)
            return status;
    }
    if (count != 0 || memcmp(expected.bytes, old_root->bytes, TLOG_HASH_LEN) != 0)
        return does_not_hold("consistency");
    return 0;
}

int tlog_verify_consistency(uint64_t old_size, const struct tlog_hash *old_root, uint64_t size,
                            const struct tlog_hash *root, const struct tlog_hash *proof,
                            size_t count)
{
    struct tlog_hash old_hash;
    struct tlog_hash hash;
    uint64_t position = old_size - 1;
    uint64_t last = size - 1;
    size_t next = 0;
    int status;

    /* RFC 9162 section 2.1.4.2. */
    if (old_size > size)
        return does_not_hold("consistency");
    if (old_size == 0 || old_size == size)
        return verify_trivial(old_size, old_root, root, count);
    if (count == 0)
        return does_not_hold("consistency");
    while ((position & 1) != 0) {
        position >>= 1;
        last >>= 1;
    }
    /* An old tree that is one complete subtree is its own first element. */
    old_hash = (old_size & (old_size - 1)) == 0 ? *old_root : proof[next++];
    hash = old_hash;
    for (; next < count; next++) {
        if (last == 0)
            return does_not_hold("consistency");
        if ((position & 1) != 0 || position == last) {
            status = tlog_node_hash(&proof[next], &old_hash, &old_hash);
            if (status == 0)
                status = tlog_node_hash(&proof[next], &hash, &hash);
            while ((position & 1) == 0 && position != 0) {
                position >>= 1;
                last >>= 1;
            }
        } else {
            status = tlog_node_hash(&hash, &proof[next], &hash);
        }
        if (status != 0)
            return status;
        position >>= 1;
        last >>= 1;
    }
    if (last != 0 || memcmp(old_hash.bytes, old_root->bytes, TLOG_HASH_LEN) != 0 ||
        memcmp(hash.bytes, root->bytes, TLOG_HASH_LEN) != 0)
        return does_not_hold("consistency");
    return 0;
}
