/* FLOE, the random-access authenticated encryption of https://c2sp.org/FLOE (ePrint 2025/2275):
 * AES-256-GCM, HKDF-Expand-SHA-384, 32-byte IV. Pure: no I/O but the random source. */
#ifndef SR_VAULT_FLOE_H
#define SR_VAULT_FLOE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"

#define FLOE_HEADER_LEN 74       /* parameters 10, IV 32, header tag 32 */
#define FLOE_SEGMENT_OVERHEAD 32 /* length 4, IV 12, tag 16 */

struct floe_params {
    uint32_t segment_len;   /* ENC_SEG_LEN: a whole encrypted segment, bytes */
    unsigned rotation_bits; /* AEAD_ROTATION_MASK: 20; the public "rotation" vectors use 2 */
};

/* One message's key state. Immutable after start but for a cached data key behind a lock, so
 * several threads may encrypt and decrypt at once, each with its own sr_gcm. */
struct floe;

int floe_start_encryption(const struct floe_params *params, struct sr_io *io,
                          const uint8_t key[SR_KEY_LEN], const void *aad, size_t aad_len,
                          uint8_t header[FLOE_HEADER_LEN], struct floe **out);
/* SR_ERR_DAMAGED: parameters or header tag do not hold (wrong key, wrong AAD, altered header). */
int floe_start_decryption(const struct floe_params *params, const uint8_t key[SR_KEY_LEN],
                          const void *aad, size_t aad_len, const uint8_t header[FLOE_HEADER_LEN],
                          struct floe **out);
void floe_free(struct floe *floe); /* wiped; NULL ok */

/* Spec encryptSegment. A non-final segment takes exactly segment_len - 32 bytes, a final one 0 to
 * that. segment receives len + 32 bytes. SR_ERR_INVALID otherwise, SR_ERR_TOO_LARGE at 2^40. */
int floe_encrypt_segment(struct floe *floe, struct sr_gcm *gcm, struct sr_io *io, uint64_t position,
                         bool final, const uint8_t *plain, size_t len, uint8_t *segment);
/* Spec decryptSegment. plain receives segment_len - 32 bytes. SR_ERR_DAMAGED when it does not hold. */
int floe_decrypt_segment(struct floe *floe, struct sr_gcm *gcm, uint64_t position, bool final,
                         const uint8_t *segment, size_t segment_len, uint8_t *plain);

#endif
