/* The only caller of OpenSSL's primitives (CMS will be cms.h). Contexts are few, long-lived and
 * wiped: OpenSSL keeps round keys on the ordinary heap. All functions return 0 or an enum sr_error. */
#ifndef SR_BASE_CRYPTO_H
#define SR_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SR_SHA256_LEN 32
#define SR_SHA384_LEN 48
#define SR_KEY_LEN 32
#define SR_GCM_IV_LEN 12
#define SR_GCM_TAG_LEN 16
#define SR_KWP_LEN 40 /* a 32-byte key wrapped by AES-KWP */
#define SR_ED25519_PUBLIC_LEN 32
#define SR_ED25519_SEED_LEN 32
#define SR_ED25519_SIGNATURE_LEN 64

/* The one function that wipes secrets. Takes NULL. */
void sr_wipe(void *secret, size_t len);
/* Equal, in time that depends on len only. */
bool sr_equal_constant_time(const void *a, const void *b, size_t len);

/* Memory for keys: page-aligned, locked, excluded from core dumps; wiped by sr_secret_free(NULL ok). */
void *sr_secret_alloc(size_t len);
void sr_secret_free(void *secret, size_t len);

int sr_sha256(const void *data, size_t len, uint8_t out[SR_SHA256_LEN]);
#define SR_DIGEST_MAX 64 /* bytes of the longest */
/* A digest in pieces, by its name: sha256, which is what the store itself uses; and for checking what others made md5, sha1,
 * sha224, sha384, sha512, sm3. SR_ERR_UNSUPPORTED for another. */
struct sr_digest;
int sr_digest_new(const char *name, struct sr_digest **out);
size_t sr_digest_len(const struct sr_digest *digest);
int sr_digest_update(struct sr_digest *digest, const void *data, size_t len);
int sr_digest_final(struct sr_digest *digest,
                    uint8_t *out); /* sr_digest_len bytes; may be reset after */
int sr_digest_reset(struct sr_digest *digest);
void sr_digest_free(struct sr_digest *digest); /* NULL ok */

int sr_hmac_sha256(const uint8_t *key, size_t key_len, const void *data, size_t len,
                   uint8_t out[SR_SHA256_LEN]);
/* HKDF-Expand with SHA-384, RFC 5869 section 2.3. out_len <= 255 * 48. */
int sr_hkdf_expand_sha384(const uint8_t *prk, size_t prk_len, const void *info, size_t info_len,
                          uint8_t *out, size_t out_len);

/* AES-256-GCM, SP 800-38D, 96-bit IV, 128-bit tag. A context belongs to one thread at a time. */
struct sr_gcm;
int sr_gcm_new(struct sr_gcm **out);
void sr_gcm_free(struct sr_gcm *gcm); /* wiped */
int sr_gcm_encrypt(struct sr_gcm *gcm, const uint8_t key[SR_KEY_LEN],
                   const uint8_t iv[SR_GCM_IV_LEN], const void *aad, size_t aad_len,
                   const uint8_t *plain, size_t len, uint8_t *cipher, uint8_t tag[SR_GCM_TAG_LEN]);
/* SR_ERR_DAMAGED when the tag does not hold; plain is then zeroed. */
int sr_gcm_decrypt(struct sr_gcm *gcm, const uint8_t key[SR_KEY_LEN],
                   const uint8_t iv[SR_GCM_IV_LEN], const void *aad, size_t aad_len,
                   const uint8_t *cipher, size_t len, const uint8_t tag[SR_GCM_TAG_LEN],
                   uint8_t *plain);

/* AES-256 key wrap with padding, RFC 5649, of exactly 32 bytes. Unwrap: SR_ERR_DAMAGED on mismatch. */
int sr_kwp_wrap(const uint8_t kek[SR_KEY_LEN], const uint8_t key[SR_KEY_LEN],
                uint8_t out[SR_KWP_LEN]);
int sr_kwp_unwrap(const uint8_t kek[SR_KEY_LEN], const uint8_t in[SR_KWP_LEN],
                  uint8_t key[SR_KEY_LEN]);

/* scrypt, RFC 7914. n is a power of two; maxmem is set from n and r. */
int sr_scrypt(const void *passphrase, size_t len, const uint8_t *salt, size_t salt_len, uint64_t n,
              uint32_t r, uint32_t p, uint8_t out[SR_KEY_LEN]);

/* Ed25519, RFC 8032. verify: SR_ERR_DAMAGED when the signature does not hold. */
int sr_ed25519_public(const uint8_t seed[SR_ED25519_SEED_LEN],
                      uint8_t public_key[SR_ED25519_PUBLIC_LEN]);
int sr_ed25519_sign(const uint8_t seed[SR_ED25519_SEED_LEN], const void *data, size_t len,
                    uint8_t signature[SR_ED25519_SIGNATURE_LEN]);
int sr_ed25519_verify(const uint8_t public_key[SR_ED25519_PUBLIC_LEN], const void *data, size_t len,
                      const uint8_t signature[SR_ED25519_SIGNATURE_LEN]);

#endif
