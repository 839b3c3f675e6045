/* What signatures and time stamps share. Private to cms*.c. */
#ifndef SR_BASE_CMS_INTERNAL_H
#define SR_BASE_CMS_INTERNAL_H

#include <openssl/x509.h>

#include "base/cms.h"

#define CMS_DER_MAX (8u << 20)

void cms_begin(struct cms_result *out);
/* The first of what is said stays. */
void cms_say(struct cms_result *out, const char *text);
int64_t cms_time_of(const ASN1_TIME *time); /* CMS_NO_TIME */
void cms_name_signer(X509 *certificate, struct cms_result *out);
/* Sets out->chain; out->time_ns is the moment that is claimed. */
void cms_check_chain(X509 *certificate, STACK_OF(X509) * others, const char *trust,
                     struct cms_result *out);

/* Puts every certificate of a text in PEM into out, at most max of them: their number, or an error with its sentence. */
int cms_read_certificates(const char *pem, int max, STACK_OF(X509) * out);
/* A pem_password_cb: an encrypted key would ask at the terminal. */
int cms_no_passphrase(char *buf, int size, int rwflag, void *context);

#endif
