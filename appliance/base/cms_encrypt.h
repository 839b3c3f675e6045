/* Encryption for recipients by their certificates: CMS AuthEnvelopedData (RFC 5083) with AES-256-GCM (RFC 5084), as a stream: memory
 * does not grow with the content. `openssl cms -decrypt -inform DER -binary` opens it. */
#ifndef SR_BASE_CMS_ENCRYPT_H
#define SR_BASE_CMS_ENCRYPT_H

#include <stddef.h>
#include <stdint.h>

struct cms_recipients;
struct cms_envelope;

/* PEM: every certificate in it is one (RSA or EC). May be called again to add more; *recipients NULL makes them. SR_ERR_INVALID. */
int cms_recipients_add(const char *pem, struct cms_recipients **recipients);
void cms_recipients_free(struct cms_recipients *recipients); /* NULL ok */

/* What is encrypted so far is given to put, whose error ends all. */
typedef int cms_put_fn(void *context, const void *data, size_t len);
int cms_envelope_new(const struct cms_recipients *recipients, cms_put_fn *put, void *context,
                     struct cms_envelope **out);
int cms_envelope_write(struct cms_envelope *envelope, const void *data, size_t len);
/* The rest, and the tag. Something must have been written: OpenSSL makes no envelope of nothing. */
int cms_envelope_end(struct cms_envelope *envelope);
void cms_envelope_free(struct cms_envelope *envelope); /* NULL ok */

#endif
