#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>
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
        explicit_bzero(secret,
                       len); /* as sure as OPENSSL_cleanse, and ten times as fast for 64 KiB */
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

/* Wiped secrets of the two common sizes, a page (keys) and a segment (content), are kept for the next
 * one: each record has a few that live for milliseconds, and mapping, locking and above all unmapping,
 * which interrupts every processor, costs more than all else that is done with them. */
#define SPARE_KINDS 2
#define SPARE_EACH 32
static struct {
    pthread_mutex_t lock;
    struct {
        size_t size;
        void *blocks[SPARE_EACH];
        unsigned count;
    } kinds[SPARE_KINDS];
} spare = {.lock = PTHREAD_MUTEX_INITIALIZER, .kinds = {{.size = 4096}, {.size = 65536}}};

static void *take_spare(size_t size)
{
    void *block = NULL;
    pthread_mutex_lock(&spare.lock);
    for (unsigned i = 0; i < SPARE_KINDS; i++)
        if (spare.kinds[i].size == size && spare.kinds[i].count)
            block = spare.kinds[i].blocks[--spare.kinds[i].count];
    pthread_mutex_unlock(&spare.lock);
    return block;
}

static bool keep_spare(void *block, size_t size)
{
    bool kept = false;
    pthread_mutex_lock(&spare.lock);
    for (unsigned i = 0; i < SPARE_KINDS; i++)
        if (spare.kinds[i].size == size && spare.kinds[i].count < SPARE_EACH) {
            spare.kinds[i].blocks[spare.kinds[i].count++] = block;
            kept = true;
        }
    pthread_mutex_unlock(&spare.lock);
    return kept;
}

void *sr_secret_alloc(size_t len)
{
    if (len == 0 || len > SIZE_MAX / 2)
        return NULL;
    size_t size = whole_pages(len);
    void *kept = take_spare(size);
    if (kept)
        return kept;
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
    size_t size = whole_pages(len);
    sr_wipe(secret, len);
    if (!keep_spare(secret, size))
        munmap(secret, size);
}

/* What OpenSSL 3.0 would otherwise look up by name, under a lock, at every use; a small record costs
 * some thirty uses. Set once, then read only; it lives as long as the process. */
static struct {
    pthread_once_t once;
    EVP_MD *sha256;
    EVP_MAC_CTX *hmac_sha256, *hmac_sha384; /* templates, to be duplicated; under a key of zeros */
    EVP_CIPHER *gcm, *wrap;
} algorithms = {.once = PTHREAD_ONCE_INIT};

static EVP_MAC_CTX *hmac_template(EVP_MAC *hmac, const char *digest)
{
    static const uint8_t zeros[SR_KEY_LEN];
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_end(),
    };
    EVP_MAC_CTX *template = hmac ? EVP_MAC_CTX_new(hmac) : NULL;
    if (template && EVP_MAC_init(template, zeros, sizeof(zeros), params) == 1)
        return template;
    EVP_MAC_CTX_free(template);
    return NULL;
}

static void fetch_algorithms(void)
{
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    algorithms.sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    algorithms.hmac_sha256 = hmac_template(hmac, "SHA256");
    algorithms.hmac_sha384 = hmac_template(hmac, "SHA384");
    algorithms.gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    algorithms.wrap = EVP_CIPHER_fetch(NULL, "AES-256-WRAP-PAD", NULL);
    EVP_MAC_free(hmac);
}

static int ready(void)
{
    pthread_once(&algorithms.once, fetch_algorithms);
    if (!algorithms.sha256 || !algorithms.hmac_sha256 || !algorithms.hmac_sha384 ||
        !algorithms.gcm || !algorithms.wrap)
        return fail("OpenSSL's default provider");
    return 0;
}

int sr_sha256(const void *data, size_t len, uint8_t out[SR_SHA256_LEN])
{
    int rc = ready();
    if (rc < 0)
        return rc;
    if (EVP_Digest(data, len, out, NULL, algorithms.sha256, NULL) != 1)
        return fail("SHA-256");
    return 0;
}

struct sr_digest {
    EVP_MD *md;
    EVP_MD_CTX *ctx;
};

int sr_digest_new(const char *name, struct sr_digest **out)
{
    static const char *const names[] = {"sha256", "md5",    "sha1", "sha224",
                                        "sha384", "sha512", "sm3"};
    size_t which = 0;
    *out = NULL;
    while (which < sizeof(names) / sizeof(names[0]) && strcmp(names[which], name) != 0)
        which++;
    if (which == sizeof(names) / sizeof(names[0]))
        return sr_fail(SR_ERR_UNSUPPORTED, "digests of the kind %s are not known here", name);
    struct sr_digest *digest = calloc(1, sizeof(*digest));
    if (!digest)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    digest->md = EVP_MD_fetch(NULL, name, NULL);
    digest->ctx = EVP_MD_CTX_new();
    if (!digest->md || !digest->ctx || EVP_DigestInit_ex2(digest->ctx, digest->md, NULL) != 1) {
        sr_digest_free(digest);
        return fail(name);
    }
    *out = digest;
    return 0;
}

size_t sr_digest_len(const struct sr_digest *digest)
{
    return (size_t)EVP_MD_get_size(digest->md);
}

int sr_digest_update(struct sr_digest *digest, const void *data, size_t len)
{
    return EVP_DigestUpdate(digest->ctx, data, len) == 1 ? 0 : fail("a digest");
}

int sr_digest_final(struct sr_digest *digest, uint8_t *out)
{
    return EVP_DigestFinal_ex(digest->ctx, out, NULL) == 1 ? 0 : fail("a digest");
}

int sr_digest_reset(struct sr_digest *digest)
{
    return EVP_DigestInit_ex2(digest->ctx, digest->md, NULL) == 1 ? 0 : fail("a digest");
}

void sr_digest_free(struct sr_digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->ctx);
    EVP_MD_free(digest->md);
    free(digest);
}

/* HMAC over two stretches; out takes the digest's length. */
static int hmac(EVP_MAC_CTX *const *template, const uint8_t *key, size_t key_len, const void *data,
                size_t len, const void *more, size_t more_len, uint8_t *out, size_t out_len)
{
    int rc = ready();
    if (rc < 0)
        return rc;
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(*template);
    size_t done;
    /* A NULL key would mean "as before". */
    if (!ctx || EVP_MAC_init(ctx, key ? key : (const uint8_t *)"", key_len, NULL) != 1 ||
        EVP_MAC_update(ctx, data, len) != 1 || EVP_MAC_update(ctx, more, more_len) != 1 ||
        EVP_MAC_final(ctx, out, &done, out_len) != 1)
        rc = fail("HMAC");
    EVP_MAC_CTX_free(ctx); /* clears the key */
    return rc;
}

int sr_hmac_sha256(const uint8_t *key, size_t key_len, const void *data, size_t len,
                   uint8_t out[SR_SHA256_LEN])
{
    return hmac(&algorithms.hmac_sha256, key, key_len, data, len, "", 0, out, SR_SHA256_LEN);
}

/* T(1) = HMAC(PRK, info || 1), T(n) = HMAC(PRK, T(n-1) || info || n): a key or two at most is asked
 * for here, and OpenSSL's HKDF looks its digest up anew for each. */
int sr_hkdf_expand_sha384(const uint8_t *prk, size_t prk_len, const void *info, size_t info_len,
                          uint8_t *out, size_t out_len)
{
    uint8_t block[SR_SHA384_LEN];
    uint8_t *text;
    int rc = 0;
    if (out_len == 0 || out_len > 255 * SR_SHA384_LEN || info_len > SIZE_MAX - sizeof(block) - 1)
        return sr_fail(SR_ERR_INVALID, "HKDF to %zu bytes", out_len);
    text = malloc(info_len + 1);
    if (!text)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (info_len)
        memcpy(text, info, info_len);
    for (size_t at = 0; at < out_len && rc == 0; at += sizeof(block)) {
        size_t take = out_len - at < sizeof(block) ? out_len - at : sizeof(block);
        text[info_len] = (uint8_t)(at / sizeof(block) + 1);
        rc = hmac(&algorithms.hmac_sha384, prk, prk_len, block, at ? sizeof(block) : 0, text,
                  info_len + 1, block, sizeof(block));
        if (rc == 0)
            memcpy(out + at, block, take);
    }
    if (rc < 0)
        sr_wipe(out, out_len);
    sr_wipe(block, sizeof(block));
    free(text);
    return rc;
}

/* AES-256-GCM, SP 800-38D: the hot path of every read and write. */
struct sr_gcm {
    EVP_CIPHER_CTX *ctx;
    bool keyed, encrypts; /* the context has the round keys of key, for this direction */
    uint8_t key[SR_KEY_LEN];
};

int sr_gcm_new(struct sr_gcm **out)
{
    *out = NULL;
    int rc = ready();
    if (rc < 0)
        return rc;
    struct sr_gcm *gcm = calloc(1, sizeof(*gcm));
    if (!gcm)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    gcm->ctx = EVP_CIPHER_CTX_new();
    if (!gcm->ctx || EVP_EncryptInit_ex2(gcm->ctx, algorithms.gcm, NULL, NULL, NULL) != 1) {
        rc = fail("AES-256-GCM set-up");
        sr_gcm_free(gcm);
        gcm = NULL;
    }
    *out = gcm;
    return rc;
}

void sr_gcm_free(struct sr_gcm *gcm)
{
    if (!gcm)
        return;
    EVP_CIPHER_CTX_free(gcm->ctx); /* clears the key schedule */
    sr_wipe(gcm, sizeof(*gcm));
    free(gcm);
}

/* The schedule of a key costs as much as a short message: it is made once for messages under one key. */
static bool begin_message(struct sr_gcm *gcm, bool encrypts, const uint8_t key[SR_KEY_LEN],
                          const uint8_t iv[SR_GCM_IV_LEN])
{
    bool same = gcm->keyed && gcm->encrypts == encrypts &&
                sr_equal_constant_time(gcm->key, key, SR_KEY_LEN);
    if (!same) {
        memcpy(gcm->key, key, SR_KEY_LEN);
        gcm->encrypts = encrypts;
    }
    gcm->keyed =
        EVP_CipherInit_ex2(gcm->ctx, NULL, same ? NULL : key, iv, encrypts ? 1 : 0, NULL) == 1;
    return gcm->keyed;
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
    if (!begin_message(gcm, true, key, iv) ||
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
    if (!begin_message(gcm, false, key, iv) ||
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
    EVP_CIPHER_CTX *ctx = ready() == 0 ? EVP_CIPHER_CTX_new() : NULL;
    if (!ctx)
        goto out;
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    if (EVP_CipherInit_ex2(ctx, algorithms.wrap, kek, NULL, wrap, NULL) != 1)
        goto out;
    result = EVP_CipherUpdate(ctx, out, done, in, in_len) == 1 ? 1 : 0;
out:
    EVP_CIPHER_CTX_free(ctx);
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
