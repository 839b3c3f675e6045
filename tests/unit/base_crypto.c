/* Known answers of the standards. Where a standard has none for our parameters (HKDF with SHA-384,
 * key wrap under 256 bits), the answer was computed apart, from HMAC and AES-ECB alone. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"

static void unhex(const char *text, uint8_t *out, size_t len)
{
    assert_int_equal(sr_hex_decode(text, out, len), 0);
}

static void check_hex(const uint8_t *data, size_t len, const char *expected)
{
    char text[512];
    assert_true(2 * len < sizeof(text));
    sr_hex_encode(data, len, text);
    assert_string_equal(text, expected);
}

static void test_sha256(void **state)
{
    (void)state;
    static const char empty[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    static const char abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    static const char million[] =
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    uint8_t out[SR_SHA256_LEN];
    assert_int_equal(sr_sha256(NULL, 0, out), 0);
    check_hex(out, sizeof(out), empty);
    assert_int_equal(sr_sha256("abc", 3, out), 0);
    check_hex(out, sizeof(out), abc);

    struct sr_digest *hash;
    assert_int_equal(sr_digest_new("sha256", &hash), 0);
    assert_int_equal(sr_digest_update(hash, "a", 1), 0);
    assert_int_equal(sr_digest_update(hash, "", 0), 0);
    assert_int_equal(sr_digest_update(hash, "bc", 2), 0);
    assert_int_equal(sr_digest_final(hash, out), 0);
    check_hex(out, sizeof(out), abc);
    char block[1000];
    memset(block, 'a', sizeof(block));
    assert_int_equal(sr_digest_reset(hash), 0);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(sr_digest_update(hash, block, sizeof(block)), 0);
    assert_int_equal(sr_digest_final(hash, out), 0);
    check_hex(out, sizeof(out), million);
    assert_int_equal(sr_digest_reset(hash), 0);
    assert_int_equal(sr_digest_update(hash, "xyz", 3), 0);
    assert_int_equal(sr_digest_reset(hash), 0); /* forgets what came before */
    assert_int_equal(sr_digest_final(hash, out), 0);
    check_hex(out, sizeof(out), empty);
    sr_digest_free(hash);
    sr_digest_free(NULL);
}

/* FIPS 180-4, RFC 1321, GB/T 32905: of "abc". */
static void test_digests(void **state)
{
    static const struct {
        const char *name, *hex;
    } known[] = {{"md5", "900150983cd24fb0d6963f7d28e17f72"},
                 {"sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
                 {"sha224", "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"},
                 {"sha256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
                 {"sha384", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                            "8086072ba1e7cc2358baeca134c825a7"},
                 {"sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
                 {"sm3", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"}};
    static const char *const unknown[] = {"", "SHA256", "sha3-256", "md5-sha1", "blake2b512"};
    uint8_t out[SR_DIGEST_MAX];
    char hex[2 * SR_DIGEST_MAX + 1];
    struct sr_digest *digest;
    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        assert_int_equal(sr_digest_new(known[i].name, &digest), 0);
        assert_int_equal(sr_digest_len(digest), strlen(known[i].hex) / 2);
        assert_int_equal(sr_digest_update(digest, "abc", 3), 0);
        assert_int_equal(sr_digest_final(digest, out), 0);
        sr_hex_encode(out, sr_digest_len(digest), hex);
        assert_string_equal(hex, known[i].hex);
        sr_digest_free(digest);
    }
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_int_equal(sr_digest_new(unknown[i], &digest), SR_ERR_UNSUPPORTED);
        assert_null(digest);
    }
}

static void test_hmac(void **state)
{
    (void)state;
    uint8_t out[SR_SHA256_LEN];
    /* RFC 4231 section 4.3 */
    static const char data[] = "what do ya want for nothing?";
    assert_int_equal(sr_hmac_sha256((const uint8_t *)"Jefe", 4, data, strlen(data), out), 0);
    check_hex(out, sizeof(out), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    /* RFC 4231 section 4.7: a key longer than the block */
    uint8_t key[131];
    memset(key, 0xaa, sizeof(key));
    static const char long_key[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    assert_int_equal(sr_hmac_sha256(key, sizeof(key), long_key, strlen(long_key), out), 0);
    check_hex(out, sizeof(out), "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    assert_int_equal(sr_hmac_sha256(NULL, 0, NULL, 0, out), 0);
    check_hex(out, sizeof(out), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_hkdf(void **state)
{
    (void)state;
    uint8_t prk[48];
    uint8_t info[10];
    static uint8_t out[255 * SR_SHA384_LEN + 1];
    for (size_t i = 0; i < sizeof(prk); i++)
        prk[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(info); i++)
        info[i] = (uint8_t)(0xf0 + i);
    assert_int_equal(sr_hkdf_expand_sha384(prk, 48, "strongroom test", 15, out, 32), 0);
    check_hex(out, 32, "1087f412e371a131a46d9a824c7e478d0b51eabf30d9f80173b81956ce9b1b01");
    assert_int_equal(sr_hkdf_expand_sha384(prk, 48, info, 10, out, 82), 0);
    check_hex(out, 82,
              "a653565e368b29123cb52efacc62c752b137e866abd4dc38c283094178fdc8b25a2b174649bd763d6fc5"
              "c4ab2b2cd3e838a346b04b62483752539ef286eeff7585a1b367e7dbb0cc1fd87e9150f077706238");
    assert_int_equal(sr_hkdf_expand_sha384(prk, 32, NULL, 0, out, 100), 0);
    check_hex(out, 100,
              "d02c7ac9ff48adef74f6ca71f0a8c32e5c0b707ce233aa923d277b8b171294a8d42d04661167ee2e014c"
              "8a80416290fb58d2be49ee0f0c7aa092437c4fd3df1780b7b2a84df672eeac5b135271abcc2d5e84e365"
              "94491e46bdfdb3ed6202f9dda381693e");
    uint8_t digest[SR_SHA256_LEN];
    assert_int_equal(sr_hkdf_expand_sha384(prk, 48, "x", 1, out, 255 * SR_SHA384_LEN), 0);
    assert_int_equal(sr_sha256(out, 255 * SR_SHA384_LEN, digest), 0);
    check_hex(digest, 32, "2739f1382dab65febd37bb00b8dfe7a32fe2a946b8624c7a71040667b0d43b5c");
    assert_int_equal(sr_hkdf_expand_sha384(prk, 48, "x", 1, out, sizeof(out)), SR_ERR_INVALID);
    assert_int_equal(sr_hkdf_expand_sha384(prk, 48, "x", 1, out, 0), SR_ERR_INVALID);
}

struct gcm_case {
    const char *key;
    const char *iv;
    const char *aad;
    const char *plain;
    const char *cipher;
    const char *tag;
};

/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13 to 16. */
static const struct gcm_case gcm_cases[] = {
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {"0000000000000000000000000000000000000000000000000000000000000000", "000000000000000000000000",
     "", "00000000000000000000000000000000", "cea7403d4d606b6e074ec5d3baf39d18",
     "d0d1c8a799996bf0265b98b5d48ab919"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
     "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
     "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
     "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void check_gcm(struct sr_gcm *gcm, const struct gcm_case *c)
{
    uint8_t key[SR_KEY_LEN];
    uint8_t iv[SR_GCM_IV_LEN];
    uint8_t aad[64];
    uint8_t plain[64];
    uint8_t out[64];
    uint8_t tag[SR_GCM_TAG_LEN];
    size_t aad_len = strlen(c->aad) / 2;
    size_t len = strlen(c->plain) / 2;
    unhex(c->key, key, sizeof(key));
    unhex(c->iv, iv, sizeof(iv));
    unhex(c->aad, aad, aad_len);
    unhex(c->plain, plain, len);
    assert_int_equal(sr_gcm_encrypt(gcm, key, iv, aad, aad_len, plain, len, out, tag), 0);
    check_hex(out, len, c->cipher);
    check_hex(tag, sizeof(tag), c->tag);
    uint8_t back[64];
    assert_int_equal(sr_gcm_decrypt(gcm, key, iv, aad, aad_len, out, len, tag, back), 0);
    assert_memory_equal(back, plain, len);

    /* Each bit of what is authenticated. */
    uint8_t *parts[] = {key, iv, aad, out, tag};
    size_t lens[] = {sizeof(key), sizeof(iv), aad_len, len, sizeof(tag)};
    static const uint8_t zeros[64];
    for (size_t p = 0; p < 5; p++) {
        for (size_t bit = 0; bit < 8 * lens[p]; bit++) {
            parts[p][bit / 8] ^= (uint8_t)(1 << bit % 8);
            memset(back, 0x55, sizeof(back));
            assert_int_equal(sr_gcm_decrypt(gcm, key, iv, aad, aad_len, out, len, tag, back),
                             SR_ERR_DAMAGED);
            assert_memory_equal(back, zeros, len);
            parts[p][bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
    /* In place, as segments are. */
    memcpy(back, plain, len);
    assert_int_equal(sr_gcm_encrypt(gcm, key, iv, aad, aad_len, back, len, back, tag), 0);
    check_hex(back, len, c->cipher);
    assert_int_equal(sr_gcm_decrypt(gcm, key, iv, aad, aad_len, back, len, tag, back), 0);
    assert_memory_equal(back, plain, len);
}

static void test_gcm(void **state)
{
    (void)state;
    struct sr_gcm *gcm;
    assert_int_equal(sr_gcm_new(&gcm), 0);
    /* Twice, so that one call leaves nothing to the next. */
    for (size_t i = 0; i < 2 * sizeof(gcm_cases) / sizeof(gcm_cases[0]); i++)
        check_gcm(gcm, &gcm_cases[i % (sizeof(gcm_cases) / sizeof(gcm_cases[0]))]);
    sr_gcm_free(gcm);
    sr_gcm_free(NULL);
}

static void test_gcm_too_large(void **state)
{
    (void)state;
    struct sr_gcm *gcm;
    uint8_t key[SR_KEY_LEN] = {0};
    uint8_t iv[SR_GCM_IV_LEN] = {0};
    uint8_t tag[SR_GCM_TAG_LEN] = {0};
    uint8_t byte = 0;
    size_t len = (size_t)1 << 31;
    assert_int_equal(sr_gcm_new(&gcm), 0);
    assert_int_equal(sr_gcm_encrypt(gcm, key, iv, NULL, 0, &byte, len, &byte, tag),
                     SR_ERR_TOO_LARGE);
    assert_int_equal(sr_gcm_decrypt(gcm, key, iv, &byte, len, NULL, 0, tag, &byte),
                     SR_ERR_TOO_LARGE);
    sr_gcm_free(gcm);
}

/* SHA-256 of what a thread's own contexts give for many segments; threads must agree. */
static void *encrypt_segments(void *context)
{
    uint8_t *digest = context;
    static const size_t len = 65536;
    uint8_t key[SR_KEY_LEN] = {7};
    uint8_t iv[SR_GCM_IV_LEN] = {9};
    uint8_t tag[SR_GCM_TAG_LEN];
    struct sr_gcm *gcm = NULL;
    struct sr_digest *hash = NULL;
    uint8_t *segment = calloc(1, len);
    int rc = segment ? sr_gcm_new(&gcm) : SR_ERR_NO_MEMORY;
    if (rc == 0)
        rc = sr_digest_new("sha256", &hash);
    for (unsigned i = 0; rc == 0 && i < 64; i++) {
        sr_put_be32(iv, i);
        rc = sr_gcm_encrypt(gcm, key, iv, iv, sizeof(iv), segment, len, segment, tag);
        if (rc == 0)
            rc = sr_digest_update(hash, segment, len);
        if (rc == 0)
            rc = sr_digest_update(hash, tag, sizeof(tag));
    }
    if (rc == 0)
        rc = sr_digest_final(hash, digest);
    sr_digest_free(hash);
    sr_gcm_free(gcm);
    free(segment);
    return rc == 0 ? NULL : "failed";
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    uint8_t digests[4][SR_SHA256_LEN];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, encrypt_segments, digests[i]), 0);
    for (size_t i = 0; i < 4; i++) {
        void *complaint;
        assert_int_equal(pthread_join(threads[i], &complaint), 0);
        assert_null(complaint);
        assert_memory_equal(digests[i], digests[0], SR_SHA256_LEN);
    }
}

static void test_kwp(void **state)
{
    (void)state;
    uint8_t kek[SR_KEY_LEN];
    uint8_t key[SR_KEY_LEN];
    uint8_t back[SR_KEY_LEN];
    uint8_t wrapped[SR_KWP_LEN];
    static const uint8_t zeros[SR_KEY_LEN];
    for (size_t i = 0; i < SR_KEY_LEN; i++) {
        kek[i] = (uint8_t)i;
        key[i] = (uint8_t)(0x80 + i);
    }
    assert_int_equal(sr_kwp_wrap(kek, key, wrapped), 0);
    check_hex(wrapped, sizeof(wrapped),
              "0b0607b05fd577de7c1cefae2313277d0d36fcb4b3f04f1332c5023c0388e342164f8531741a21ae");
    assert_int_equal(sr_kwp_unwrap(kek, wrapped, back), 0);
    assert_memory_equal(back, key, SR_KEY_LEN);
    for (size_t bit = 0; bit < 8 * sizeof(wrapped); bit++) {
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
        memset(back, 0x55, sizeof(back));
        assert_int_equal(sr_kwp_unwrap(kek, wrapped, back), SR_ERR_DAMAGED);
        assert_memory_equal(back, zeros, SR_KEY_LEN);
        wrapped[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    kek[31] ^= 1;
    assert_int_equal(sr_kwp_unwrap(kek, wrapped, back), SR_ERR_DAMAGED);
    kek[31] ^= 1;
    /* Well wrapped, but 27 bytes. */
    unhex("bc8745685a25e5f02da0441219841889b10d67d195228d79a985a7f7e3b89c72e54e3e3ef5d0ad97",
          wrapped, sizeof(wrapped));
    assert_int_equal(sr_kwp_unwrap(kek, wrapped, back), SR_ERR_DAMAGED);
    assert_memory_equal(back, zeros, SR_KEY_LEN);
}

/* RFC 7914 section 12, the first 32 bytes of each. */
static void test_scrypt(void **state)
{
    (void)state;
    uint8_t out[SR_KEY_LEN];
    assert_int_equal(sr_scrypt("", 0, NULL, 0, 16, 1, 1, out), 0);
    check_hex(out, 32, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442");
    assert_int_equal(sr_scrypt("password", 8, (const uint8_t *)"NaCl", 4, 1024, 8, 16, out), 0);
    check_hex(out, 32, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162");
    assert_int_equal(
        sr_scrypt("pleaseletmein", 13, (const uint8_t *)"SodiumChloride", 14, 16384, 8, 1, out), 0);
    check_hex(out, 32, "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2");
    /* More than OpenSSL's own limit of 32 MiB. */
    assert_int_equal(sr_scrypt("x", 1, (const uint8_t *)"salt", 4, 65536, 8, 1, out), 0);

    static const struct {
        uint64_t n;
        uint32_t r;
        uint32_t p;
    } bad[] = {{0, 8, 1},           {1, 8, 1},
               {1000, 8, 1},        {1024, 0, 1},
               {1024, 8, 0},        {UINT64_C(1) << 63, 8, 1},
               {1 << 25, 8, 2},     {16, UINT32_MAX, 1},
               {16, 1, UINT32_MAX}, {16, 1 << 24, 1 << 24}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sr_scrypt("x", 1, NULL, 0, bad[i].n, bad[i].r, bad[i].p, out),
                         SR_ERR_INVALID);
}

/* RFC 8032 section 7.1, tests 1 to 3. */
static void test_ed25519(void **state)
{
    (void)state;
    static const char *const known[][4] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9b46b"
         "d25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0f11d8c"
         "387b2eaeb4302aeeb00d291612bb0c00"},
        {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
         "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f7609"
         "84dc659"
         "4a7c15e9716ed28dc027beceea1ec40a"},
    };
    for (size_t i = 0; i < 3; i++) {
        uint8_t seed[SR_ED25519_SEED_LEN];
        uint8_t public_key[SR_ED25519_PUBLIC_LEN];
        uint8_t data[4];
        uint8_t signature[SR_ED25519_SIGNATURE_LEN];
        size_t len = strlen(known[i][2]) / 2;
        unhex(known[i][0], seed, sizeof(seed));
        unhex(known[i][2], data, len);
        assert_int_equal(sr_ed25519_public(seed, public_key), 0);
        check_hex(public_key, sizeof(public_key), known[i][1]);
        assert_int_equal(sr_ed25519_sign(seed, data, len, signature), 0);
        check_hex(signature, sizeof(signature), known[i][3]);
        assert_int_equal(sr_ed25519_verify(public_key, data, len, signature), 0);
        for (size_t bit = 0; bit < 8 * sizeof(signature); bit++) {
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(sr_ed25519_verify(public_key, data, len, signature), SR_ERR_DAMAGED);
            signature[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        data[len] = 0;
        assert_int_equal(sr_ed25519_verify(public_key, data, len + 1, signature), SR_ERR_DAMAGED);
        public_key[0] ^= 2;
        assert_int_equal(sr_ed25519_verify(public_key, data, len, signature), SR_ERR_DAMAGED);
        memset(public_key, 0xff, sizeof(public_key)); /* not a point */
        assert_int_equal(sr_ed25519_verify(public_key, data, len, signature), SR_ERR_DAMAGED);
    }
}

static void test_secrets(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 32, 4096, 4097, 1 << 20};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        uint8_t *secret = sr_secret_alloc(lens[i]);
        assert_non_null(secret);
        assert_int_equal((uintptr_t)secret % 4096, 0);
        assert_int_equal(secret[lens[i] - 1], 0);
        memset(secret, 0xab, lens[i]);
        sr_secret_free(secret, lens[i]);
    }
    assert_null(sr_secret_alloc(0));
    assert_null(sr_secret_alloc(SIZE_MAX));
    sr_secret_free(NULL, 5);
    uint8_t bytes[40];
    uint8_t zeros[32] = {0};
    memset(bytes, 0xab, sizeof(bytes));
    sr_wipe(bytes, 32);
    assert_memory_equal(bytes, zeros, 32);
    assert_int_equal(bytes[32], 0xab);
    sr_wipe(NULL, 8);
    assert_true(sr_equal_constant_time("abc", "abd", 2));
    assert_false(sr_equal_constant_time("abc", "abd", 3));
    assert_true(sr_equal_constant_time("a", "b", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sha256),  cmocka_unit_test(test_digests),
        cmocka_unit_test(test_hmac),    cmocka_unit_test(test_hkdf),
        cmocka_unit_test(test_gcm),     cmocka_unit_test(test_gcm_too_large),
        cmocka_unit_test(test_threads), cmocka_unit_test(test_kwp),
        cmocka_unit_test(test_scrypt),  cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
