/* RFC 6962 section 2.1: proofs of every entry and every older tree up to 70 leaves, against the
 * definition written as the recursion that it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ledger/tlog.h"

#define SIZES 70
#define FLIPPED_SIZES 8
#define CROSSED_SIZES 24 /* up to here a proof is tried at every other place */

struct leaves {
    struct tlog_hash hash[SIZES];
};

static uint64_t half(uint64_t n)
{
    uint64_t k = 1;

    while (2 * k < n)
        k *= 2;
    return k;
}

/* MTH, as section 2.1 defines it. */
static struct tlog_hash naive_root(const struct tlog_hash *leaves, uint64_t n)
{
    struct tlog_hash left;
    struct tlog_hash right;
    struct tlog_hash out;

    if (n == 0) {
        assert_int_equal(sr_sha256("", 0, out.bytes), 0);
        return out;
    }
    if (n == 1)
        return leaves[0];
    left = naive_root(leaves, half(n));
    right = naive_root(leaves + half(n), n - half(n));
    assert_int_equal(tlog_node_hash(&left, &right, &out), 0);
    return out;
}

/* PATH, section 2.1.1. */
static size_t naive_path(const struct tlog_hash *leaves, uint64_t m, uint64_t n,
                         struct tlog_hash *out)
{
    size_t count;

    if (n == 1)
        return 0;
    if (m < half(n)) {
        count = naive_path(leaves, m, half(n), out);
        out[count] = naive_root(leaves + half(n), n - half(n));
    } else {
        count = naive_path(leaves + half(n), m - half(n), n - half(n), out);
        out[count] = naive_root(leaves, half(n));
    }
    return count + 1;
}

/* SUBPROOF, section 2.1.2. */
static size_t naive_subproof(const struct tlog_hash *leaves, uint64_t m, uint64_t n, bool whole,
                             struct tlog_hash *out)
{
    size_t count;

    if (m == n) {
        if (whole)
            return 0;
        out[0] = naive_root(leaves, n);
        return 1;
    }
    if (m <= half(n)) {
        count = naive_subproof(leaves, m, half(n), whole, out);
        out[count] = naive_root(leaves + half(n), n - half(n));
    } else {
        count = naive_subproof(leaves + half(n), m - half(n), n - half(n), false, out);
        out[count] = naive_root(leaves, half(n));
    }
    return count + 1;
}

static int naive_node(void *context, unsigned level, uint64_t index, struct tlog_hash *out)
{
    const struct leaves *leaves = context;

    assert_true(((index + 1) << level) <= SIZES);
    *out = naive_root(leaves->hash + (index << level), UINT64_C(1) << level);
    return 0;
}

static void make_leaves(struct leaves *leaves)
{
    for (int i = 0; i < SIZES; i++) {
        char text[16];

        assert_int_equal(tlog_leaf_hash(text, (size_t)snprintf(text, sizeof(text), "leaf %d", i),
                                        &leaves->hash[i]),
                         0);
    }
}

static void known_answers(void **state)
{
    /* The inputs and roots that Certificate Transparency's implementations share. */
    static const char *const inputs[] = {
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    };
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    struct leaves leaves;
    struct tlog_source source = {naive_node, &leaves};

    (void)state;
    for (size_t i = 0; i < 8; i++) {
        uint8_t input[16];

        assert_int_equal(sr_hex_decode(inputs[i], input, strlen(inputs[i]) / 2), 0);
        assert_int_equal(tlog_leaf_hash(input, strlen(inputs[i]) / 2, &leaves.hash[i]), 0);
    }
    for (uint64_t size = 0; size <= 8; size++) {
        struct tlog_hash root;
        char hex[2 * TLOG_HASH_LEN + 1];

        assert_int_equal(tlog_root(&source, size, &root), 0);
        sr_hex_encode(root.bytes, TLOG_HASH_LEN, hex);
        assert_string_equal(hex, roots[size]);
    }
}

static void leaf_of_any_length(void **state)
{
    static const size_t lengths[] = {0, 1, 2047, 2048, 2049, 65535};
    static uint8_t data[1 + 65535];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    data[0] = 0;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct tlog_hash leaf;
        uint8_t expected[TLOG_HASH_LEN];

        assert_int_equal(tlog_leaf_hash(data + 1, lengths[i], &leaf), 0);
        assert_int_equal(sr_sha256(data, lengths[i] + 1, expected), 0);
        assert_memory_equal(leaf.bytes, expected, TLOG_HASH_LEN);
    }
}

/* Is a proof for place to be tried at other? In the larger trees only there and next to it. */
static bool tried(uint64_t place, uint64_t other, uint64_t size)
{
    return size <= CROSSED_SIZES || (other + 1 >= place && other <= place + 1);
}

/* With any bit of proof, leaf or root flipped, or any hash more or less, it must fail. */
static void flip_inclusion(const struct tlog_hash *leaf, uint64_t index, uint64_t size,
                           struct tlog_hash *proof, size_t count, const struct tlog_hash *root)
{
    struct tlog_hash changed;

    for (size_t bit = 0; bit < count * TLOG_HASH_LEN * 8; bit++) {
        uint8_t *byte = &proof[bit / (TLOG_HASH_LEN * 8)].bytes[bit / 8 % TLOG_HASH_LEN];

        *byte ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(tlog_verify_inclusion(leaf, index, size, proof, count, root),
                         SR_ERR_DAMAGED);
        *byte ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < TLOG_HASH_LEN * 8; bit++) {
        changed = *leaf;
        changed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(tlog_verify_inclusion(&changed, index, size, proof, count, root),
                         SR_ERR_DAMAGED);
        changed = *root;
        changed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(tlog_verify_inclusion(leaf, index, size, proof, count, &changed),
                         SR_ERR_DAMAGED);
    }
    proof[count] = *root;
    assert_int_equal(tlog_verify_inclusion(leaf, index, size, proof, count + 1, root),
                     SR_ERR_DAMAGED);
    if (count > 0)
        assert_int_equal(tlog_verify_inclusion(leaf, index, size, proof, count - 1, root),
                         SR_ERR_DAMAGED);
}

static void inclusion(void **state)
{
    struct leaves leaves;
    struct tlog_source source = {naive_node, &leaves};
    struct tlog_hash proof[TLOG_PROOF_MAX + 1];
    struct tlog_hash naive[TLOG_PROOF_MAX];
    struct tlog_hash root;
    size_t count;

    (void)state;
    make_leaves(&leaves);
    for (uint64_t size = 1; size <= SIZES; size++) {
        struct tlog_hash expected = naive_root(leaves.hash, size);

        assert_int_equal(tlog_root(&source, size, &root), 0);
        assert_memory_equal(&root, &expected, sizeof(root));
        for (uint64_t index = 0; index < size; index++) {
            assert_int_equal(tlog_prove_inclusion(&source, index, size, proof, &count), 0);
            assert_int_equal(count, naive_path(leaves.hash, index, size, naive));
            assert_memory_equal(proof, naive, count * sizeof(proof[0]));
            for (uint64_t other = 0; other <= size; other++) {
                if (!tried(index, other, size))
                    continue;
                assert_int_equal(
                    tlog_verify_inclusion(&leaves.hash[index], other, size, proof, count, &root),
                    other == index ? 0 : SR_ERR_DAMAGED);
            }
            if (size <= FLIPPED_SIZES)
                flip_inclusion(&leaves.hash[index], index, size, proof, count, &root);
        }
        assert_int_equal(tlog_prove_inclusion(&source, size, size, proof, &count), SR_ERR_INVALID);
        assert_int_equal(count, 0);
    }
}

static void flip_consistency(uint64_t old_size, const struct tlog_hash *old_root, uint64_t size,
                             const struct tlog_hash *root, struct tlog_hash *proof, size_t count)
{
    struct tlog_hash changed;

    for (size_t bit = 0; bit < count * TLOG_HASH_LEN * 8; bit++) {
        uint8_t *byte = &proof[bit / (TLOG_HASH_LEN * 8)].bytes[bit / 8 % TLOG_HASH_LEN];

        *byte ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(tlog_verify_consistency(old_size, old_root, size, root, proof, count),
                         SR_ERR_DAMAGED);
        *byte ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < TLOG_HASH_LEN * 8; bit++) {
        changed = *old_root;
        changed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(tlog_verify_consistency(old_size, &changed, size, root, proof, count),
                         SR_ERR_DAMAGED);
        if (old_size == 0)
            continue; /* the empty tree is in every tree */
        changed = *root;
        changed.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(tlog_verify_consistency(old_size, old_root, size, &changed, proof, count),
                         SR_ERR_DAMAGED);
    }
    proof[count] = *root;
    assert_int_equal(tlog_verify_consistency(old_size, old_root, size, root, proof, count + 1),
                     SR_ERR_DAMAGED);
    if (count > 0)
        assert_int_equal(tlog_verify_consistency(old_size, old_root, size, root, proof, count - 1),
                         SR_ERR_DAMAGED);
}

static void consistency(void **state)
{
    struct leaves leaves;
    struct tlog_source source = {naive_node, &leaves};
    struct tlog_hash proof[TLOG_PROOF_MAX + 1];
    struct tlog_hash naive[TLOG_PROOF_MAX];
    struct tlog_hash old_root;
    struct tlog_hash root;
    size_t count;

    (void)state;
    make_leaves(&leaves);
    for (uint64_t size = 0; size <= SIZES; size++) {
        root = naive_root(leaves.hash, size);
        for (uint64_t old = 0; old <= size; old++) {
            old_root = naive_root(leaves.hash, old);
            assert_int_equal(tlog_prove_consistency(&source, old, size, proof, &count), 0);
            if (old > 0) {
                assert_int_equal(count, naive_subproof(leaves.hash, old, size, true, naive));
                assert_memory_equal(proof, naive, count * sizeof(proof[0]));
            } else {
                assert_int_equal(count, 0);
            }
            for (uint64_t other = 0; other <= size; other++) {
                if (!tried(old, other, size))
                    continue;
                assert_int_equal(
                    tlog_verify_consistency(other, &old_root, size, &root, proof, count),
                    other == old ? 0 : SR_ERR_DAMAGED);
            }
            if (size <= FLIPPED_SIZES)
                flip_consistency(old, &old_root, size, &root, proof, count);
        }
        assert_int_equal(tlog_prove_consistency(&source, size + 1, size, proof, &count),
                         SR_ERR_INVALID);
        assert_int_equal(tlog_verify_consistency(size + 1, &root, size, &root, proof, 0),
                         SR_ERR_DAMAGED);
    }
}

/* All leaves alike: the hash of a complete subtree depends on its level alone. */
static int same_node(void *context, unsigned level, uint64_t index, struct tlog_hash *out)
{
    const struct tlog_hash *levels = context;

    (void)index;
    assert_true(level < 64);
    *out = levels[level];
    return 0;
}

static void huge_trees(void **state)
{
    static const uint64_t sizes[] = {(UINT64_C(1) << 40) + 12345, (UINT64_C(1) << 63) - 1,
                                     UINT64_C(1) << 63, UINT64_MAX};
    struct tlog_hash levels[64];
    struct tlog_source source = {same_node, levels};
    struct tlog_hash proof[TLOG_PROOF_MAX];
    size_t longest = 0;
    size_t count;

    (void)state;
    assert_int_equal(tlog_leaf_hash("x", 1, &levels[0]), 0);
    for (size_t i = 1; i < 64; i++)
        assert_int_equal(tlog_node_hash(&levels[i - 1], &levels[i - 1], &levels[i]), 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint64_t indices[] = {0, 1, sizes[i] / 3, sizes[i] / 2 - 1, sizes[i] - 1};
        struct tlog_hash root;

        assert_int_equal(tlog_root(&source, sizes[i], &root), 0);
        for (size_t j = 0; j < 5; j++) {
            struct tlog_hash old;

            assert_int_equal(tlog_prove_inclusion(&source, indices[j], sizes[i], proof, &count), 0);
            longest = count > longest ? count : longest;
            assert_int_equal(
                tlog_verify_inclusion(&levels[0], indices[j], sizes[i], proof, count, &root), 0);
            if (sizes[i] > UINT64_C(1) << 63) {
                assert_int_equal(
                    tlog_prove_consistency(&source, indices[j], sizes[i], proof, &count),
                    SR_ERR_TOO_LARGE);
                continue;
            }
            assert_int_equal(tlog_prove_consistency(&source, indices[j], sizes[i], proof, &count),
                             0);
            assert_true(count <= TLOG_PROOF_MAX);
            assert_int_equal(tlog_root(&source, indices[j], &old), 0);
            assert_int_equal(
                tlog_verify_consistency(indices[j], &old, sizes[i], &root, proof, count), 0);
        }
    }
    assert_int_equal(longest, TLOG_PROOF_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers), cmocka_unit_test(leaf_of_any_length),
        cmocka_unit_test(inclusion),     cmocka_unit_test(consistency),
        cmocka_unit_test(huge_trees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
