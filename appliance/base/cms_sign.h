/* Signing of what leaves the building: CMS (RFC 5652), detached. With crypto.h and cms.h the only way to OpenSSL. */
#ifndef SR_BASE_CMS_SIGN_H
#define SR_BASE_CMS_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* A signature with a private key in PEM (ECDSA or RSA, not encrypted) whose certificate is the first in chain (PEM); the rest
 * of the chain goes into it. SR_ERR_INVALID: no key, no certificate, or they do not belong together. */
struct cms_signer;
int cms_signer_new(const char *key, const char *chain, struct cms_signer **out);
/* DER of a SignedData without its content, SHA-256, with the signing time (the machine's). */
int cms_sign(const struct cms_signer *signer, const uint8_t *data, size_t len, struct sr_buf *out);

/* A TimeStampReq (RFC 3161 section 2.4.1) for data, with a random nonce, that asks for the certificate, too. */
int cms_time_request(const uint8_t *data, size_t len, struct sr_buf *out);

void cms_signer_free(struct cms_signer *signer); /* NULL ok */

#endif
