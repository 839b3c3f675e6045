/* The tag tree against a literal transcription of RFC 9162 section 2.1.1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "vault/tagtree.h"

/* MTH of hashes that are leaf hashes already: split at the largest power of two below n. */
static void reference_root(const uint8_t *hashes, size_t n, uint8_t out[SR_SHA256_LEN])
{
    uint8_t node[1 + 2 * SR_SHA256_LEN] = {0x01};
    size_t k = 1;

    if (n == 1) {
        memcpy(out, hashes, SR_SHA256_LEN);
        return;
    }
    while (k * 2 < n)
        k *= 2;
    reference_root(hashes, k, node + 1);
    reference_root(hashes + k * SR_SHA256_LEN, n - k, node + 1 + SR_SHA256_LEN);
    assert_int_equal(sr_sha256(node, sizeof(node), out), 0);
}

static uint8_t *make_leaves(size_t n)
{
    uint8_t *leaves = malloc(n * SR_SHA256_LEN);
    uint8_t input[TAGTREE_LEAF_INPUT] = {0};

    for (size_t i = 0; i < n; i++) {
        sr_put_be64(input, i);
        assert_int_equal(tagtree_leaf(input, leaves + i * SR_SHA256_LEN), 0);
    }
    return leaves;
}

static void test_leaf(void **state)
{
    uint8_t input[TAGTREE_LEAF_INPUT], prefixed[1 + TAGTREE_LEAF_INPUT] = {0x00};
    uint8_t leaf[SR_SHA256_LEN], expected[SR_SHA256_LEN];

    (void)state;
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = prefixed[1 + i] = (uint8_t)(i * 7 + 3);
    assert_int_equal(tagtree_leaf(input, leaf), 0);
    assert_int_equal(sr_sha256(prefixed, sizeof(prefixed), expected), 0);
    assert_memory_equal(leaf, expected, SR_SHA256_LEN);
}

static void test_small_roots(void **state)
{
    uint8_t *leaves = make_leaves(130);
    uint8_t root[SR_SHA256_LEN], expected[SR_SHA256_LEN];

    (void)state;
    for (size_t n = 1; n <= 130; n++) {
        assert_int_equal(tagtree_root(leaves, n, root), 0);
        reference_root(leaves, n, expected);
        assert_memory_equal(root, expected, SR_SHA256_LEN);
    }
    free(leaves);
}

/* The root over block hashes is the root over all leaves: blocks are a power of two. */
static void test_blocks(void **state)
{
    static const size_t counts[] = {1,    2,    1023, 1024, 1025, 2047, 2048, 2049, 3071, 3072,
                                    3073, 4095, 4096, 4097, 5000, 7168, 8191, 8192, 8193, 9217};
    const size_t most = 9217;
    uint8_t *leaves = make_leaves(most);
    uint8_t blocks[16 * SR_SHA256_LEN];
    uint8_t by_leaves[SR_SHA256_LEN], by_blocks[SR_SHA256_LEN], expected[SR_SHA256_LEN];

    (void)state;
    for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++) {
        size_t n = counts[c], block_count = 0;

        for (size_t at = 0; at < n; at += TAGTREE_BLOCK) {
            size_t len = n - at < TAGTREE_BLOCK ? n - at : TAGTREE_BLOCK;

            assert_int_equal(tagtree_root(leaves + at * SR_SHA256_LEN, len,
                                          blocks + block_count++ * SR_SHA256_LEN),
                             0);
        }
        assert_int_equal(tagtree_root(leaves, n, by_leaves), 0);
        assert_int_equal(tagtree_root(blocks, block_count, by_blocks), 0);
        reference_root(leaves, n, expected);
        assert_memory_equal(by_leaves, expected, SR_SHA256_LEN);
        assert_memory_equal(by_blocks, expected, SR_SHA256_LEN);
        assert_int_equal(tagtree_stored_len(n), (n + block_count) * SR_SHA256_LEN);
    }
    free(leaves);
}

static void test_order_and_count_matter(void **state)
{
    uint8_t *leaves = make_leaves(8);
    uint8_t root[SR_SHA256_LEN], other[SR_SHA256_LEN], swap[SR_SHA256_LEN];

    (void)state;
    assert_int_equal(tagtree_root(leaves, 8, root), 0);
    assert_int_equal(tagtree_root(leaves, 7, other), 0);
    assert_memory_not_equal(root, other, SR_SHA256_LEN);
    memcpy(swap, leaves, SR_SHA256_LEN);
    memcpy(leaves, leaves + SR_SHA256_LEN, SR_SHA256_LEN);
    memcpy(leaves + SR_SHA256_LEN, swap, SR_SHA256_LEN);
    assert_int_equal(tagtree_root(leaves, 8, other), 0);
    assert_memory_not_equal(root, other, SR_SHA256_LEN);
    free(leaves);
}

static void test_stored_len(void **state)
{
    (void)state;
    assert_int_equal(tagtree_stored_len(0), 0);
    assert_int_equal(tagtree_stored_len(1), 64);
    assert_int_equal(tagtree_stored_len(1024), 1025 * 32);
    assert_int_equal(tagtree_stored_len(1025), 1027 * 32);
    assert_true(tagtree_stored_len(UINT64_C(1) << 26) ==
                ((UINT64_C(1) << 26) + (UINT64_C(1) << 16)) * 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leaf),       cmocka_unit_test(test_small_roots),
        cmocka_unit_test(test_blocks),     cmocka_unit_test(test_order_and_count_matter),
        cmocka_unit_test(test_stored_len),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
