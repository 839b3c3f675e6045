#include "base/cms_sign.h"

#include <openssl/bio.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/cms_internal.h"
#include "base/crypto.h"
#include "base/error.h"

#define CHAIN_MAX 16

struct cms_signer {
    EVP_PKEY *key;
    X509 *certificate;
    STACK_OF(X509) * others;
};

int cms_no_passphrase(char *buf, int size, int rwflag, void *context)
{
    (void)buf, (void)size, (void)rwflag, (void)context;
    return -1;
}

int cms_read_certificates(const char *pem, int max, STACK_OF(X509) * out)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *one;
    int found = 0,
        status = bio != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for certificates");

    while (status == 0 && (one = PEM_read_bio_X509(bio, NULL, cms_no_passphrase, NULL)) != NULL) {
        if (sk_X509_num(out) < max && sk_X509_push(out, one) > 0) {
            found++;
            continue;
        }
        X509_free(one);
        status = sr_fail(SR_ERR_INVALID, "over %d certificates", max);
    }
    BIO_free(bio);
    ERR_clear_error();
    if (status == 0 && found == 0)
        status = sr_fail(SR_ERR_INVALID, "there is no certificate in PEM");
    return status < 0 ? status : found;
}

/* The first is the signer's. */
static int read_chain(struct cms_signer *signer, const char *chain)
{
    int found = cms_read_certificates(chain, CHAIN_MAX, signer->others);

    if (found < 0)
        return found;
    signer->certificate = sk_X509_shift(signer->others);
    return 0;
}

int cms_signer_new(const char *key, const char *chain, struct cms_signer **out)
{
    struct cms_signer *signer = calloc(1, sizeof(*signer));
    BIO *bio = BIO_new_mem_buf(key, -1);
    int status = 0;

    *out = NULL;
    if (signer != NULL)
        signer->others = sk_X509_new_null();
    if (signer == NULL || bio == NULL || signer->others == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "out of memory for a signature");
    if (status == 0 &&
        (signer->key = PEM_read_bio_PrivateKey(bio, NULL, cms_no_passphrase, NULL)) == NULL)
        status = sr_fail(SR_ERR_INVALID, "there is no private key in PEM, or it is encrypted");
    if (status == 0)
        status = read_chain(signer, chain);
    if (status == 0 && X509_check_private_key(signer->certificate, signer->key) != 1)
        status = sr_fail(SR_ERR_INVALID,
                         "the private key is not that of the first certificate in the chain");
    BIO_free(bio);
    ERR_clear_error();
    if (status < 0)
        cms_signer_free(signer);
    else
        *out = signer;
    return status;
}

int cms_sign(const struct cms_signer *signer, const uint8_t *data, size_t len, struct sr_buf *out)
{
    const unsigned flags = CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP;
    BIO *bio = len <= INT32_MAX ? BIO_new_mem_buf(data, (int)len) : NULL;
    CMS_ContentInfo *cms =
        bio != NULL ? CMS_sign(NULL, NULL, signer->others, bio, flags | CMS_PARTIAL) : NULL;
    uint8_t *der = NULL;
    int size = -1;

    if (cms != NULL &&
        CMS_add1_signer(cms, signer->certificate, signer->key, EVP_sha256(), flags) != NULL &&
        CMS_final(cms, bio, NULL, flags) == 1)
        size = i2d_CMS_ContentInfo(cms, &der);
    if (size > 0)
        sr_buf_append(out, der, (size_t)size);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(bio);
    ERR_clear_error();
    if (size <= 0)
        return sr_fail(SR_ERR_INVALID, "no signature can be made with this key");
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "out of memory for a signature") : 0;
}

static bool fill_request(TS_REQ *request, const uint8_t *digest, int len)
{
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    ASN1_INTEGER *nonce = ASN1_INTEGER_new();
    uint64_t random = 0;
    bool good = imprint != NULL && algorithm != NULL && nonce != NULL &&
                RAND_bytes((uint8_t *)&random, sizeof(random)) == 1 &&
                ASN1_INTEGER_set_uint64(nonce, random) == 1 &&
                X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
                TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint, (uint8_t *)digest, len) == 1 &&
                TS_REQ_set_version(request, 1) == 1 &&
                TS_REQ_set_msg_imprint(request, imprint) == 1 &&
                TS_REQ_set_nonce(request, nonce) == 1 && TS_REQ_set_cert_req(request, 1) == 1;

    TS_MSG_IMPRINT_free(imprint);
    X509_ALGOR_free(algorithm);
    ASN1_INTEGER_free(nonce);
    return good;
}

int cms_time_request(const uint8_t *data, size_t len, struct sr_buf *out)
{
    TS_REQ *request = TS_REQ_new();
    uint8_t digest[SR_SHA256_LEN], *der = NULL;
    int size = -1;

    if (request != NULL && sr_sha256(data, len, digest) == 0 &&
        fill_request(request, digest, sizeof(digest)))
        size = i2d_TS_REQ(request, &der);
    if (size > 0)
        sr_buf_append(out, der, (size_t)size);
    OPENSSL_free(der);
    TS_REQ_free(request);
    ERR_clear_error();
    return size > 0 && !out->failed ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no request for a time stamp");
}

void cms_signer_free(struct cms_signer *signer)
{
    if (signer == NULL)
        return;
    EVP_PKEY_free(signer->key);
    X509_free(signer->certificate);
    sk_X509_pop_free(signer->others, X509_free);
    free(signer);
}
