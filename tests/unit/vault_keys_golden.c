/* Key slots and key pages against bytes that were made by another implementation (Python, from
 * docs/format-keys.md alone): the format on disk is what the document says. */
#include "tests/unit/vault_keys_fixture.h"

/* The root is 00 03 06 .. 5d, the passphrase below, N = 2^10. */
static const char golden_slot[] =
    "5352534c4f540001000000010000000a0000000800000001000102030405060708090a0b0c0d0e0f10111213"
    "1415161718191a1b1c1d1e1f187a31a7a26f0d150123456789abcdef66656463626139383736353433323100"
    "00000007e69cbae688bf00000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000013ec4823f6420ff354117f858e872c473dabd893"
    "8f365f3a9af45c9751d381cce266c41d29854b466bc733b242dccba36a9645f0f47a476b6b7bba06b31da0a3"
    "0f36a29d31fea8ba04b97886b888fa23b55bd7512a12aea6864a95db4a59555d13b53713bbfb5855ed826a78"
    "efc55ea3cb38c6347274eee1c968009b96b61fe1710d18fd345855c9addfba705bb80b460a555e11408ac03b"
    "40078b907ab3e6e06ea390c07858a50e2ce12cc623b53ecd2ba1e2c57f5077ee";
#define GOLDEN_PASS "口令 pass"

static void golden_root(uint8_t root[SR_KEY_LEN])
{
    for (size_t i = 0; i < SR_KEY_LEN; i++)
        root[i] = (uint8_t)(3 * i);
}

static void test_golden_slot(void **state)
{
    uint8_t image[KEYS_SLOT_FILE_LEN], again[KEYS_SLOT_FILE_LEN];
    uint8_t root[SR_KEY_LEN], expected[SR_KEY_LEN];
    struct keys_slot slot;
    const char *why;

    (void)state;
    golden_root(expected);
    assert_int_equal(sr_hex_decode(golden_slot, image, sizeof(image)), 0);
    assert_int_equal(keys_slot_parse(image, sizeof(image), &slot, &why), 0);
    assert_int_equal(slot.log2n, 10);
    assert_int_equal(slot.r, 8);
    assert_int_equal(slot.p, 1);
    assert_true(slot.created_ns == INT64_C(1763776800123456789));
    assert_memory_equal(slot.id, "\x01\x23\x45\x67\x89\xab\xcd\xef", KEYS_SLOT_ID_LEN);
    assert_memory_equal(slot.vault_id, "fedcba987654321", KEYS_VAULT_ID_LEN);
    assert_int_equal(slot.root_generation, 7);
    assert_string_equal(slot.label, "机房");
    assert_int_equal(keys_slot_unlock(&slot, GOLDEN_PASS, root, &why), 0);
    assert_memory_equal(root, expected, SR_KEY_LEN);
    assert_int_equal(keys_slot_unlock(&slot, "口令 Pass", root, &why), SR_ERR_PASSPHRASE);
    /* Wrapping is deterministic, so writing gives the same bytes. */
    assert_int_equal(keys_slot_rewrap(&slot, expected, expected, 7, &why), 0);
    assert_int_equal(keys_slot_serialize(&slot, again), 0);
    assert_memory_equal(again, image, sizeof(image));
}

/* Page 01020304, generation 5, root generation 7, live entries 0 and 255. */
static void golden_page(uint8_t image[KEYS_PAGE_FILE_LEN])
{
    static const char first[] =
        "0155f989e034d6e1c2c1bd7b023eeb7f9657f3c048d8bf8752fd1389aded3570f2eb051ac5de13bf"
        "bb";
    static const char last[] =
        "01e846f0b5e45d042b27af89436a0c342540ddfd0cd4005ed14a088d2817a80812dd5ae4a1212e0e"
        "50";
    static const char mac[] = "18e5895882d4404d634fb803610873c98e254a2212f252dc19e698f4f38ecdfe";
    uint8_t head[] = "SRPAGE\0\1\1\2\3\4\0\0\0\5"
                     "fedcba987654321\0\0\0\1\0\0\0\0\7";

    memset(image, 0, KEYS_PAGE_FILE_LEN);
    memcpy(image, head, 40);
    assert_int_equal(sr_hex_decode(first, image + 40, 41), 0);
    assert_int_equal(sr_hex_decode(last, image + 40 + 255 * 41, 41), 0);
    assert_int_equal(sr_hex_decode(mac, image + 10536, 32), 0);
}

static void test_golden_page(void **state)
{
    uint8_t image[KEYS_PAGE_FILE_LEN], again[KEYS_PAGE_FILE_LEN], other[KEYS_PAGE_FILE_LEN];
    uint8_t root[SR_KEY_LEN], new_root[SR_KEY_LEN] = {9}, key[SR_KEY_LEN], expected[SR_KEY_LEN];
    struct keys_page page;
    const char *why;

    (void)state;
    golden_root(root);
    golden_page(image);
    assert_int_equal(keys_page_parse(image, sizeof(image), &page, &why), 0);
    assert_int_equal(page.number, 0x01020304);
    assert_int_equal(page.generation, 5);
    assert_int_equal(page.root_generation, 7);
    assert_int_equal(page.live, 2);
    assert_int_equal(
        keys_page_check(image, 0x01020304, (const uint8_t *)"fedcba987654321", root, &why), 0);
    memset(expected, 1, sizeof(expected));
    assert_int_equal(keys_page_unwrap(image, 0, root, key), 0);
    assert_memory_equal(key, expected, SR_KEY_LEN);
    memset(expected, 2, sizeof(expected));
    assert_int_equal(keys_page_unwrap(image, 255, root, key), 0);
    assert_memory_equal(key, expected, SR_KEY_LEN);
    assert_false(keys_page_is_live(image, 1));
    /* There and back: the same bytes but for the generation. */
    assert_int_equal(keys_page_rewrap(image, root, new_root, 8, other, &why), 0);
    assert_int_equal(keys_page_rewrap(other, new_root, root, 7, again, &why), 0);
    assert_int_equal(sr_get_be32(again + 12), 7);
    sr_put_be32(again + 12, 5);
    assert_int_equal(keys_page_seal(again, root), 0);
    assert_memory_equal(again, image, sizeof(image));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_slot),
        cmocka_unit_test(test_golden_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
