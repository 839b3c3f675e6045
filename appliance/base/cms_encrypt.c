#include "base/cms_encrypt.h"

#include <limits.h>
#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "base/cms_internal.h"
#include "base/error.h"

#define RECIPIENTS_MAX 64

struct cms_recipients {
    STACK_OF(X509) * certificates;
};

struct cms_envelope {
    CMS_ContentInfo *cms;
    BIO *out;   /* memory, drained into put */
    BIO *chain; /* what is written to: ends in out */
    cms_put_fn *put;
    void *context;
};

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an encryption");
}

int cms_recipients_add(const char *pem, struct cms_recipients **recipients)
{
    if (*recipients == NULL && (*recipients = calloc(1, sizeof(**recipients))) != NULL)
        (*recipients)->certificates = sk_X509_new_null();
    if (*recipients == NULL || (*recipients)->certificates == NULL)
        return no_memory();
    int found = cms_read_certificates(pem, RECIPIENTS_MAX, (*recipients)->certificates);
    return found < 0 ? found : 0;
}

void cms_recipients_free(struct cms_recipients *recipients)
{
    if (recipients == NULL)
        return;
    sk_X509_pop_free(recipients->certificates, X509_free);
    free(recipients);
}

int cms_envelope_new(const struct cms_recipients *recipients, cms_put_fn *put, void *context,
                     struct cms_envelope **out)
{
    const unsigned flags = CMS_BINARY | CMS_STREAM | CMS_PARTIAL;
    struct cms_envelope *envelope = calloc(1, sizeof(*envelope));
    int status = 0;

    *out = NULL;
    if (envelope == NULL || (envelope->out = BIO_new(BIO_s_mem())) == NULL) {
        free(envelope);
        return no_memory();
    }
    envelope->put = put;
    envelope->context = context;
    envelope->cms = CMS_encrypt(recipients->certificates, NULL, EVP_aes_256_gcm(), flags);
    if (envelope->cms != NULL)
        envelope->chain = BIO_new_CMS(envelope->out, envelope->cms);
    if (envelope->chain == NULL)
        status = sr_fail(SR_ERR_INVALID, "nothing can be encrypted for one of the recipients: %s",
                         ERR_reason_error_string(ERR_peek_last_error()));
    ERR_clear_error();
    if (status < 0)
        cms_envelope_free(envelope);
    else
        *out = envelope;
    return status;
}

static int drain(struct cms_envelope *envelope)
{
    char *data;
    long len = BIO_get_mem_data(envelope->out, &data);
    int status = len > 0 ? envelope->put(envelope->context, data, (size_t)len) : 0;

    (void)BIO_reset(envelope->out);
    return status;
}

int cms_envelope_write(struct cms_envelope *envelope, const void *data, size_t len)
{
    if (len > INT_MAX || BIO_write(envelope->chain, data, (int)len) != (int)len) {
        ERR_clear_error();
        return no_memory();
    }
    return drain(envelope);
}

int cms_envelope_end(struct cms_envelope *envelope)
{
    if (BIO_flush(envelope->chain) != 1) {
        ERR_clear_error();
        return no_memory();
    }
    return drain(envelope);
}

void cms_envelope_free(struct cms_envelope *envelope)
{
    BIO *bio, *next;

    if (envelope == NULL)
        return;
    for (bio = envelope->chain; bio != NULL && bio != envelope->out; bio = next) {
        next = BIO_pop(bio);
        BIO_free(bio);
    }
    BIO_free(envelope->out);
    CMS_ContentInfo_free(envelope->cms);
    free(envelope);
}
