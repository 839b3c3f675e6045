#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"

#define SCRYPT_MEMORY_MAX (UINT64_C(1) << 32)

/* OpenSSL refused something that does not depend on outside input. */
static int fail(const char *what)
{
    unsigned long error = ERR_peek_last_error();
    const char *reason = ERR_reason_error_string(error);
    int rc = ERR_GET_REASON(error) == ERR_R_MALLOC_FAILURE
                 ? sr_fail(SR_ERR_NO_MEMORY, "%s: out of memory", what)
                 : sr_fail_errno(EIO, "%s: %s", what, reason ? reason : "OpenSSL failed");
    ERR_clear_error();
    return rc;
}

void sr_wipe(void *secret, size_t len)
{
    if (secret)
        OPENSSL_cleanse(secret, len);
}

bool sr_equal_constant_time(const void *a, const void *b, size_t len)
{
    return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

static size_t whole_pages(size_t len)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    return (len + page - 1) / page * page;
}

void *sr_secret_alloc(size_t len)
{
    if (len == 0 || len > SIZE_MAX / 2)
        return NULL;
    size_t size = whole_pages(len);
    void *secret = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (secret == MAP_FAILED)
        return NULL;
    /* Best effort: RLIMIT_MEMLOCK is small for ordinary users of the tool. */
    (void)mlock(secret, size);
    (void)madvise(secret, size, MADV_DONTDUMP);
    return secret;
}

void sr_secret_free(void *secret, size_t len)
{
    if (!secret)
        return;
    sr_wipe(secret, len);
    munmap(secret, whole_pages(len));
}

int sr_sha256(const void *data, size_t len, uint8_t out[SR_SHA256_LEN])
{
    if (EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) != 1)
        return fail("SHA-256");
    return 0;
}

struct sr_sha256 {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

int sr_sha256_new(struct sr_sha256 **out)
{
    *out = NULL;
    struct sr_sha256 *hash = calloc(1, sizeof(*hash));
    if (!hash)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    hash->md = EVP_MD_fetch(NULL, "SHA256", NULL);
    hash->ctx = EVP_MD_CTX_new();
    if (!hash->md || !hash->ctx || EVP_DigestInit_ex2(hash->ctx, hash->md, NULL) != 1) {
        sr_sha256_free(hash);
        return fail("SHA-256");
    }
    *out = hash;
    return 0;
}

int sr_sha256_update(struct sr_sha256 *hash, const void *data, size_t len)
{
    return EVP_DigestUpdate(hash->ctx, data, len) == 1 ? 0 : fail("SHA-256");
}

int sr_sha256_final(struct sr_sha256 *hash, uint8_t out[SR_SHA256_LEN])
{
    return EVP_DigestFinal_ex(hash->ctx, out, NULL) == 1 ? 0 : fail("SHA-256");
}

int sr_sha256_reset(struct sr_sha256 *hash)
{
    return EVP_DigestInit_ex2(hash->ctx, hash->md, NULL) == 1 ? 0 : fail("SHA-256");
}

void sr_sha256_free(struct sr_sha256 *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->ctx);
    EVP_MD_free(hash->md);
    free(hash);
}

int sr_hmac_sha256(const uint8_t *key, size_t key_len, const void *data, size_t len,
                   uint8_t out[SR_SHA256_LEN])
{
    if (key_len > INT_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "HMAC key over 2 GiB");
    /* HMAC() takes a NULL key for "as before". */
    if (!HMAC(EVP_sha256(), key ? key : (const uint8_t *)"", (int)key_len, data, len, out, NULL))
        return fail("HMAC-SHA-256");
    return 0;
}

int sr_hkdf_expand_sha384(const uint8_t *prk, size_t prk_len, const void *info, size_t info_len,
                          uint8_t *out, size_t out_len)
{
    if (out_len == 0 || out_len > 255 * SR_SHA384_LEN)
        return sr_fail(SR_ERR_INVALID, "HKDF to %zu bytes", out_len);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    char digest[] = "SHA384";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)prk, prk_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info, info_len),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int rc = 0;
    if (!ctx || EVP_KDF_derive(ctx, out, out_len, params) != 1) {
        sr_wipe(out, out_len);
        rc = fail("HKDF-Expand-SHA-384");
    }
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return rc;
}

/* AES-256-GCM, SP 800-38D: the hot path of every read and write. */
struct sr_gcm {
    EVP_CIPHER_CTX *ctx;
};

int sr_gcm_new(struct sr_gcm **out)
{
    *out = NULL;
    struct sr_gcm *gcm = calloc(1, sizeof(*gcm));
    if (!gcm)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    /* Fetched once: OpenSSL 3.0 looks an implicit cipher up under a lock at every use. */
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    gcm->ctx = EVP_CIPHER_CTX_new();
    int rc = 0;
    if (!cipher || !gcm->ctx || EVP_EncryptInit_ex2(gcm->ctx, cipher, NULL, NULL, NULL) != 1) {
        rc = fail("AES-256-GCM set-up");
        sr_gcm_free(gcm);
        gcm = NULL;
    }
    EVP_CIPHER_free(cipher); /* the context keeps its own reference */
    *out = gcm;
    return rc;
}

void sr_gcm_free(struct sr_gcm *gcm)
{
    if (!gcm)
        return;
    EVP_CIPHER_CTX_free(gcm->ctx); /* clears the key schedule */
    free(gcm);
}

static int check_lengths(size_t aad_len, size_t len)
{
    if (aad_len > INT_MAX || len > INT_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "AES-256-GCM over more than 2 GiB");
    return 0;
}

int sr_gcm_encrypt(struct sr_gcm *gcm, const uint8_t key[SR_KEY_LEN],
                   const uint8_t iv[SR_GCM_IV_LEN], const void *aad, size_t aad_len,
                   const uint8_t *plain, size_t len, uint8_t *cipher, uint8_t tag[SR_GCM_TAG_LEN])
{
    int rc = check_lengths(aad_len, len);
    if (rc < 0)
        return rc;
    int done;
    uint8_t none[16];
    if (EVP_EncryptInit_ex2(gcm->ctx, NULL, key, iv, NULL) != 1 ||
        (aad_len && EVP_EncryptUpdate(gcm->ctx, NULL, &done, aad, (int)aad_len) != 1) ||
        (len && EVP_EncryptUpdate(gcm->ctx, cipher, &done, plain, (int)len) != 1) ||
        EVP_EncryptFinal_ex(gcm->ctx, none, &done) != 1 ||
        EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, SR_GCM_TAG_LEN, tag) != 1)
        return fail("AES-256-GCM encrypt");
    return 0;
}

int sr_gcm_decrypt(struct sr_gcm *gcm, const uint8_t key[SR_KEY_LEN],
                   const uint8_t iv[SR_GCM_IV_LEN], const void *aad, size_t aad_len,
                   const uint8_t *cipher, size_t len, const uint8_t tag[SR_GCM_TAG_LEN],
                   uint8_t *plain)
{
    int rc = check_lengths(aad_len, len);
    if (rc < 0)
        return rc;
    int done;
    uint8_t none[16];
    if (EVP_DecryptInit_ex2(gcm->ctx, NULL, key, iv, NULL) != 1 ||
        (aad_len && EVP_DecryptUpdate(gcm->ctx, NULL, &done, aad, (int)aad_len) != 1) ||
        (len && EVP_DecryptUpdate(gcm->ctx, plain, &done, cipher, (int)len) != 1) ||
        EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, SR_GCM_TAG_LEN, (void *)tag) != 1) {
        sr_wipe(plain, len);
        return fail("AES-256-GCM decrypt");
    }
    if (EVP_DecryptFinal_ex(gcm->ctx, none, &done) != 1) {
        sr_wipe(plain, len); /* unauthenticated bytes must not be used by mistake */
        ERR_clear_error();
        return sr_fail(SR_ERR_DAMAGED, "the authentication tag does not hold");
    }
    return 0;
}

/* Both directions of RFC 5649. *done: bytes written to out. Returns 1, or 0 when the input does not
 * hold (unwrap), or -1 when OpenSSL failed. */
static int wrap_cipher(bool wrap, const uint8_t kek[SR_KEY_LEN], const uint8_t *in, int in_len,
                       uint8_t *out, int *done)
{
    int result = -1;
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP-PAD", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    if (!cipher || !ctx)
        goto out;
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex2(ctx, cipher, kek, NULL, wrap, NULL) != 1)
        goto out;
    result = EVP_CipherUpdate(ctx, out, done, in, in_len) == 1 ? 1 : 0;
out:
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
    return result;
}

int sr_kwp_wrap(const uint8_t kek[SR_KEY_LEN], const uint8_t key[SR_KEY_LEN],
                uint8_t out[SR_KWP_LEN])
{
    int done = 0;
    if (wrap_cipher(true, kek, key, SR_KEY_LEN, out, &done) != 1 || done != SR_KWP_LEN)
        return fail("AES-KWP wrap");
    return 0;
}

int sr_kwp_unwrap(const uint8_t kek[SR_KEY_LEN], const uint8_t in[SR_KWP_LEN],
                  uint8_t key[SR_KEY_LEN])
{
    int rc = 0;
    int done = 0;
    uint8_t plain[SR_KWP_LEN + 16];
    int result = wrap_cipher(false, kek, in, SR_KWP_LEN, plain, &done);
    if (result < 0) {
        rc = fail("AES-KWP unwrap");
    } else if (result == 0 || done != SR_KEY_LEN) {
        ERR_clear_error();
        rc = sr_fail(SR_ERR_DAMAGED, "the wrapped key does not hold under this key");
    } else {
        memcpy(key, plain, SR_KEY_LEN);
    }
    if (rc < 0)
        sr_wipe(key, SR_KEY_LEN);
    sr_wipe(plain, sizeof(plain));
    return rc;
}

int sr_scrypt(const void *passphrase, size_t len, const uint8_t *salt, size_t salt_len, uint64_t n,
              uint32_t r, uint32_t p, uint8_t out[SR_KEY_LEN])
{
    /* n, r and p may come from a damaged slot. 2^24 each keeps the products below within 64 bits
     * of a comparison that decides by division. */
    if (n < 2 || (n & (n - 1)) || r == 0 || p == 0 || r > 1 << 24 || p > 1 << 24 ||
        n > SCRYPT_MEMORY_MAX / 128 / r || p > SCRYPT_MEMORY_MAX / 128 / r)
        return sr_fail(SR_ERR_INVALID, "scrypt parameters out of range");
    /* B, V and T of RFC 7914, and room for OpenSSL's own rounding. */
    uint64_t maxmem = 128 * (uint64_t)r * (n + p + 2) + 4096;
    if (EVP_PBE_scrypt(len ? passphrase : "", len, salt, salt_len, n, r, p, maxmem, out,
                       SR_KEY_LEN) != 1) {
        sr_wipe(out, SR_KEY_LEN);
        return fail("scrypt");
    }
    return 0;
}

int sr_ed25519_public(const uint8_t seed[SR_ED25519_SEED_LEN],
                      uint8_t public_key[SR_ED25519_PUBLIC_LEN])
{
    int rc = 0;
    size_t len = SR_ED25519_PUBLIC_LEN;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SR_ED25519_SEED_LEN);
    if (!key || EVP_PKEY_get_raw_public_key(key, public_key, &len) != 1)
        rc = fail("Ed25519 key");
    EVP_PKEY_free(key);
    return rc;
}

int sr_ed25519_sign(const uint8_t seed[SR_ED25519_SEED_LEN], const void *data, size_t len,
                    uint8_t signature[SR_ED25519_SIGNATURE_LEN])
{
    int rc = 0;
    size_t signature_len = SR_ED25519_SIGNATURE_LEN;
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, SR_ED25519_SEED_LEN);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!key || !ctx || EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) != 1 ||
        EVP_DigestSign(ctx, signature, &signature_len, data, len) != 1)
        rc = fail("Ed25519 sign");
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return rc;
}

int sr_ed25519_verify(const uint8_t public_key[SR_ED25519_PUBLIC_LEN], const void *data, size_t len,
                      const uint8_t signature[SR_ED25519_SIGNATURE_LEN])
{
    int rc = 0;
    EVP_PKEY *key =
        EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, SR_ED25519_PUBLIC_LEN);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!key || !ctx || EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) != 1) {
        rc = fail("Ed25519 verify");
    } else if (EVP_DigestVerify(ctx, signature, SR_ED25519_SIGNATURE_LEN, data, len) != 1) {
        ERR_clear_error();
        rc = sr_fail(SR_ERR_DAMAGED, "the signature does not hold");
    }
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return rc;
}
