/* Time stamps (RFC 3161). */
#include "base/cms_internal.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ts.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"

/* The token of a whole response, or one that stands alone. NULL: neither. Fresh. */
static PKCS7 *read_token(const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    TS_RESP *response = len <= CMS_DER_MAX ? d2i_TS_RESP(NULL, &at, (long)len) : NULL;
    PKCS7 *token = NULL;

    if (response != NULL) {
        token = TS_RESP_get_token(response);
        token = token != NULL ? PKCS7_dup(token) : NULL;
        TS_RESP_free(response);
    } else if (len <= CMS_DER_MAX) {
        at = der;
        token = d2i_PKCS7(NULL, &at, (long)len);
    }
    ERR_clear_error();
    return token;
}

static bool imprint_is(TS_TST_INFO *info, const uint8_t *data, size_t len)
{
    TS_MSG_IMPRINT *imprint = TS_TST_INFO_get_msg_imprint(info);
    ASN1_OCTET_STRING *stamped = TS_MSG_IMPRINT_get_msg(imprint);
    const ASN1_OBJECT *algorithm;
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;

    X509_ALGOR_get0(&algorithm, NULL, NULL, TS_MSG_IMPRINT_get_algo(imprint));
    const EVP_MD *md = EVP_get_digestbyobj(algorithm);
    return md != NULL && EVP_MD_get_size(md) >= 32 && /* no MD5, no SHA-1 */
           EVP_Digest(data, len, digest, &size, md, NULL) == 1 &&
           (size_t)ASN1_STRING_length(stamped) == size &&
           memcmp(ASN1_STRING_get0_data(stamped), digest, size) == 0;
}

/* Signed by the one certificate in it that is for time stamps alone (RFC 3161 section 2.3). */
static void check_signature(PKCS7 *token, const char *trust, struct cms_result *out)
{
    uint8_t *der = NULL;
    int len = i2d_PKCS7(token, &der);
    const uint8_t *at = der;
    CMS_ContentInfo *cms = len > 0 ? d2i_CMS_ContentInfo(NULL, &at, len) : NULL;
    STACK_OF(X509) *signers = NULL, *others = NULL;

    if (cms == NULL || CMS_verify(cms, NULL, NULL, NULL, NULL, CMS_NO_SIGNER_CERT_VERIFY) != 1) {
        out->intact = CMS_CHANGED;
        cms_say(out, "the time stamp's own signature does not hold");
    } else {
        signers = CMS_get0_signers(cms);
        others = CMS_get1_certs(cms);
        X509 *signer = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : NULL;
        if (signer == NULL || X509_check_purpose(signer, X509_PURPOSE_TIMESTAMP_SIGN, 0) != 1) {
            out->intact = CMS_CHANGED;
            cms_say(out, "the time stamp is not signed by a certificate for time stamps");
        } else {
            out->intact = CMS_INTACT;
            cms_name_signer(signer, out);
            cms_check_chain(signer, others, trust, out);
        }
    }
    sk_X509_pop_free(others, X509_free);
    sk_X509_free(signers);
    CMS_ContentInfo_free(cms);
    OPENSSL_free(der);
}

int cms_verify_time_stamp(const uint8_t *der, size_t len, const uint8_t *data, size_t data_len,
                          const char *trust, struct cms_result *out)
{
    PKCS7 *token = read_token(der, len);
    TS_TST_INFO *info = token != NULL ? PKCS7_to_TS_TST_INFO(token) : NULL;

    cms_begin(out);
    if (info == NULL) {
        cms_say(out, "it is no time stamp as of RFC 3161");
    } else if (!imprint_is(info, data, data_len)) {
        out->intact = CMS_CHANGED;
        cms_say(out, "the time stamp is of other bytes");
    } else {
        out->time_ns = cms_time_of(TS_TST_INFO_get_time(info));
        check_signature(token, trust, out);
    }
    TS_TST_INFO_free(info);
    PKCS7_free(token);
    ERR_clear_error();
    return 0;
}
