/* Over 500 lines: the templates of the seals, the chain and the CMS share their results and nothing of it is needed
 * elsewhere. */
#include "base/cms_internal.h"

#include <openssl/asn1t.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/error.h"

#define TRUST_CERTIFICATES 4096
#define SM2_ID "1234567812345678" /* GM/T 0009: who signs, where nothing else is agreed */
#define NS_PER_S INT64_C(1000000000)

/* --- SES containers ------------------------------------------------------------------------------------------------ */

typedef struct { /* GB/T 38540: the certificate beside what is signed */
    ASN1_TYPE *to_sign;
    ASN1_OCTET_STRING *certificate;
    ASN1_OBJECT *algorithm;
    ASN1_BIT_STRING *signature;
    ASN1_TYPE *time_stamp;
} SES_NEW;
typedef struct { /* GM/T 0031: within it */
    ASN1_TYPE *to_sign;
    ASN1_BIT_STRING *signature;
} SES_OLD;
typedef struct {
    ASN1_INTEGER *version;
    ASN1_TYPE *seal;
    ASN1_GENERALIZEDTIME *time;
    ASN1_BIT_STRING *hash;
    ASN1_IA5STRING *property;
    ASN1_TYPE *extensions;
} TBS_NEW;
typedef struct {
    ASN1_INTEGER *version;
    ASN1_TYPE *seal;
    ASN1_BIT_STRING *time;
    ASN1_BIT_STRING *hash;
    ASN1_IA5STRING *property;
    ASN1_OCTET_STRING *certificate;
    ASN1_OBJECT *algorithm;
} TBS_OLD;
typedef struct { /* a bare SM2 or ECDSA signature */
    ASN1_INTEGER *r, *s;
} BARE;

/* clang-format off: OpenSSL's macros */
ASN1_SEQUENCE(SES_NEW) = {ASN1_SIMPLE(SES_NEW, to_sign, ASN1_ANY),
                          ASN1_SIMPLE(SES_NEW, certificate, ASN1_OCTET_STRING),
                          ASN1_SIMPLE(SES_NEW, algorithm, ASN1_OBJECT),
                          ASN1_SIMPLE(SES_NEW, signature, ASN1_BIT_STRING),
                          ASN1_EXP_OPT(SES_NEW, time_stamp, ASN1_ANY,
                                       0)} static_ASN1_SEQUENCE_END(SES_NEW)
    ASN1_SEQUENCE(SES_OLD) = {ASN1_SIMPLE(SES_OLD, to_sign, ASN1_ANY),
                              ASN1_SIMPLE(SES_OLD, signature,
                                          ASN1_BIT_STRING)} static_ASN1_SEQUENCE_END(SES_OLD)
        ASN1_SEQUENCE(TBS_NEW) = {ASN1_SIMPLE(TBS_NEW, version, ASN1_INTEGER),
                                  ASN1_SIMPLE(TBS_NEW, seal, ASN1_ANY),
                                  ASN1_SIMPLE(TBS_NEW, time, ASN1_GENERALIZEDTIME),
                                  ASN1_SIMPLE(TBS_NEW, hash, ASN1_BIT_STRING),
                                  ASN1_SIMPLE(TBS_NEW, property, ASN1_IA5STRING),
                                  ASN1_EXP_OPT(TBS_NEW, extensions, ASN1_ANY,
                                               0)} static_ASN1_SEQUENCE_END(TBS_NEW)
            ASN1_SEQUENCE(TBS_OLD) = {ASN1_SIMPLE(TBS_OLD, version, ASN1_INTEGER),
                                      ASN1_SIMPLE(TBS_OLD, seal, ASN1_ANY),
                                      ASN1_SIMPLE(TBS_OLD, time, ASN1_BIT_STRING),
                                      ASN1_SIMPLE(TBS_OLD, hash, ASN1_BIT_STRING),
                                      ASN1_SIMPLE(TBS_OLD, property, ASN1_IA5STRING),
                                      ASN1_SIMPLE(TBS_OLD, certificate, ASN1_OCTET_STRING),
                                      ASN1_SIMPLE(TBS_OLD, algorithm,
                                                  ASN1_OBJECT)} static_ASN1_SEQUENCE_END(TBS_OLD)
                ASN1_SEQUENCE(BARE) = {ASN1_SIMPLE(BARE, r, ASN1_INTEGER),
                                       ASN1_SIMPLE(BARE, s,
                                                   ASN1_INTEGER)} static_ASN1_SEQUENCE_END(BARE)
                                      /* clang-format on */

                                      /* The whole of der as the template has it, or NULL. */
                                      static void *
                                      parse(const ASN1_ITEM *item, const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    ASN1_VALUE *value = len <= CMS_DER_MAX ? ASN1_item_d2i(NULL, &at, (long)len, item) : NULL;

    ERR_clear_error();
    if (value && at != der + len) {
        ASN1_item_free(value, item);
        value = NULL;
    }
    return value;
}

/* --- results -------------------------------------------------------------------------------------------------------- */

void cms_begin(struct cms_result *out)
{
    memset(out, 0, sizeof(*out));
    out->time_ns = CMS_NO_TIME;
}

void cms_say(struct cms_result *out, const char *text)
{
    if (!out->detail[0])
        snprintf(out->detail, sizeof(out->detail), "%s", text);
}

int64_t cms_time_of(const ASN1_TIME *time)
{
    struct tm tm;

    if (!time || ASN1_TIME_to_tm(time, &tm) != 1 || tm.tm_year < 70 || tm.tm_year > 300)
        return CMS_NO_TIME;
    return (int64_t)timegm(&tm) * NS_PER_S;
}

static void add_name(X509 *certificate, int nid, struct cms_result *out)
{
    X509_NAME *name = X509_get_subject_name(certificate);
    int at = X509_NAME_get_index_by_NID(name, nid, -1);
    unsigned char *text = NULL;
    size_t used = strlen(out->signer);

    if (at < 0 ||
        ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at))) < 0)
        return;
    snprintf(out->signer + used, sizeof(out->signer) - used, "%s%.120s", used > 0 ? ", " : "",
             text);
    OPENSSL_free(text);
}

void cms_name_signer(X509 *certificate, struct cms_result *out)
{
    add_name(certificate, NID_commonName, out);
    add_name(certificate, NID_organizationName, out);
}

/* --- the chain ------------------------------------------------------------------------------------------------------ */

/* What authorities sign with SM2 they sign as who nobody has agreed on; OpenSSL does not know that of itself. */
static void identify(X509 *certificate)
{
    ASN1_OCTET_STRING *id;

    if (X509_get_signature_nid(certificate) != NID_SM2_with_SM3)
        return;
    id = ASN1_OCTET_STRING_new();
    if (id && ASN1_OCTET_STRING_set(id, (const uint8_t *)SM2_ID, (int)strlen(SM2_ID)) == 1)
        X509_set0_distinguishing_id(certificate, id);
    else
        ASN1_OCTET_STRING_free(id);
}

/* *count: certificates in it. NULL: out of memory. */
static X509_STORE *make_store(const char *trust, unsigned *count)
{
    X509_STORE *store = X509_STORE_new();
    BIO *bio = BIO_new_mem_buf(trust, -1);
    X509 *certificate;

    *count = 0;
    while (store && bio && *count < TRUST_CERTIFICATES &&
           (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        identify(certificate);
        *count += X509_STORE_add_cert(store, certificate) == 1;
        X509_free(certificate);
    }
    BIO_free(bio);
    ERR_clear_error();
    return store;
}

/* At the moment (0: now); the error of X509_V_. */
static int chain_error(X509_STORE *store, X509 *certificate, STACK_OF(X509) * others, int64_t at_ns)
{
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;

    if (context && X509_STORE_CTX_init(context, store, certificate, others) == 1) {
        X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);

        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN);
        if (at_ns != 0)
            X509_VERIFY_PARAM_set_time(param, (time_t)(at_ns / NS_PER_S));
        error = X509_verify_cert(context) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(context);
    }
    X509_STORE_CTX_free(context);
    ERR_clear_error();
    return error;
}

void cms_check_chain(X509 *certificate, STACK_OF(X509) * others, const char *trust,
                     struct cms_result *out)
{
    unsigned count = 0;
    X509_STORE *store = trust && trust[0] ? make_store(trust, &count) : NULL;
    int error;

    out->chain = CMS_UNKNOWN;
    if (store && count > 0) {
        identify(certificate);
        for (int i = 0; i < sk_X509_num(others); i++)
            identify(sk_X509_value(others, i));
        error = chain_error(store, certificate, others, 0);
        out->chain = error == X509_V_OK ? CMS_TRUSTED : CMS_UNTRUSTED;
        if ((error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID) &&
            out->time_ns != CMS_NO_TIME &&
            chain_error(store, certificate, others, out->time_ns) == X509_V_OK)
            out->chain = CMS_EXPIRED;
        if (error != X509_V_OK)
            cms_say(out, X509_verify_cert_error_string(error));
    }
    X509_STORE_free(store);
}

/* --- CMS ------------------------------------------------------------------------------------------------------------ */

struct feed { /* the pieces as a source of bytes */
    const struct cms_piece *pieces;
    size_t count, piece, at;
};

static int feed_read(BIO *bio, char *out, int len)
{
    struct feed *feed = BIO_get_data(bio);
    size_t part;

    while (feed->piece < feed->count && feed->at == feed->pieces[feed->piece].len) {
        feed->piece++;
        feed->at = 0;
    }
    if (feed->piece == feed->count || len <= 0)
        return 0;
    part = feed->pieces[feed->piece].len - feed->at;
    if (part > (size_t)len)
        part = (size_t)len;
    memcpy(out, feed->pieces[feed->piece].data + feed->at, part);
    feed->at += part;
    return (int)part;
}

static long feed_ctrl(BIO *bio, int command, long number, void *pointer)
{
    struct feed *feed = BIO_get_data(bio);

    (void)number, (void)pointer;
    if (command == BIO_CTRL_EOF)
        return feed->piece == feed->count;
    return command == BIO_CTRL_FLUSH;
}

static BIO *new_feed(struct feed *feed, BIO_METHOD **method)
{
    BIO *bio;

    *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "pieces");
    if (!*method)
        return NULL;
    BIO_meth_set_read(*method, feed_read);
    BIO_meth_set_ctrl(*method, feed_ctrl);
    bio = BIO_new(*method);
    if (bio) {
        BIO_set_data(bio, feed);
        BIO_set_init(bio, 1);
    }
    return bio;
}

/* Of the first signer: the certificate is owned by certificates. */
static X509 *find_signer(CMS_ContentInfo *cms, STACK_OF(X509) * certificates, CMS_SignerInfo **info)
{
    STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);

    *info = infos && sk_CMS_SignerInfo_num(infos) > 0 ? sk_CMS_SignerInfo_value(infos, 0) : NULL;
    for (int i = 0; *info && i < sk_X509_num(certificates); i++)
        if (CMS_SignerInfo_cert_cmp(*info, sk_X509_value(certificates, i)) == 0)
            return sk_X509_value(certificates, i);
    return NULL;
}

static int64_t claimed_time(const CMS_SignerInfo *info)
{
    int at = info ? CMS_signed_get_attr_by_NID(info, NID_pkcs9_signingTime, -1) : -1;
    X509_ATTRIBUTE *attribute = at >= 0 ? CMS_signed_get_attr(info, at) : NULL;
    ASN1_TYPE *value = attribute ? X509_ATTRIBUTE_get0_type(attribute, 0) : NULL;

    if (!value || (value->type != V_ASN1_UTCTIME && value->type != V_ASN1_GENERALIZEDTIME))
        return CMS_NO_TIME;
    return cms_time_of(value->value.utctime);
}

static bool has_sm2_key(X509 *certificate)
{
    EVP_PKEY *key = X509_get0_pubkey(certificate);

    return key && EVP_PKEY_is_a(key, "SM2");
}

static int verify_parsed(CMS_ContentInfo *cms, const struct cms_piece *pieces, size_t count,
                         const char *trust, struct cms_result *out)
{
    struct feed feed = {.pieces = pieces, .count = count};
    STACK_OF(X509) *certificates = CMS_get1_certs(cms);
    BIO_METHOD *method = NULL;
    BIO *bio = new_feed(&feed, &method);
    CMS_SignerInfo *info;
    X509 *signer = find_signer(cms, certificates, &info);

    if (!bio) {
        BIO_meth_free(method);
        sk_X509_pop_free(certificates, X509_free);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    out->time_ns = claimed_time(info);
    if (!signer) {
        out->chain = CMS_NO_CERTIFICATE;
        cms_say(out, "the signer's certificate is not in the signature");
    } else {
        cms_name_signer(signer, out);
        out->intact =
            CMS_verify(cms, NULL, NULL, bio, NULL, CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY) == 1
                ? CMS_INTACT
                : CMS_CHANGED;
        if (out->intact == CMS_CHANGED) {
            unsigned long error = ERR_peek_last_error();
            const char *reason = ERR_reason_error_string(error);

            if (ERR_GET_LIB(error) == ERR_LIB_CMS &&
                ERR_GET_REASON(error) == CMS_R_UNKNOWN_DIGEST_ALGORITHM)
                out->intact = CMS_UNCHECKED;
            /* OpenSSL checks them with no identity, which proves nothing of the content. */
            if (has_sm2_key(signer)) {
                out->intact = CMS_UNCHECKED;
                reason = "signatures with SM2 are checked in seals, not in CMS";
            }
            cms_say(out, reason ? reason : "the signature does not hold");
        }
        cms_check_chain(signer, certificates, trust, out);
    }
    ERR_clear_error();
    BIO_free(bio);
    BIO_meth_free(method);
    sk_X509_pop_free(certificates, X509_free);
    return 0;
}

int cms_verify(const uint8_t *der, size_t len, const struct cms_piece *pieces, size_t count,
               const char *trust, struct cms_result *out)
{
    const uint8_t *at = der;
    CMS_ContentInfo *cms = len <= CMS_DER_MAX ? d2i_CMS_ContentInfo(NULL, &at, (long)len) : NULL;
    int rc = 0;

    cms_begin(out);
    if (cms && OBJ_obj2nid(CMS_get0_type(cms)) == NID_pkcs7_signed) {
        rc = verify_parsed(cms, pieces, count, trust, out);
    } else {
        cms_say(out, "the signature is no CMS SignedData that is known here");
    }
    CMS_ContentInfo_free(cms);
    ERR_clear_error();
    return rc;
}

/* --- seals ---------------------------------------------------------------------------------------------------------- */

/* SM2 with the identity that is used where none is agreed; others by the algorithm's own digest. */
static bool signature_holds(X509 *certificate, const ASN1_OBJECT *algorithm, const uint8_t *data,
                            size_t len, const ASN1_BIT_STRING *signature)
{
    EVP_PKEY *key = X509_get_pubkey(certificate);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL;
    int digest = NID_undef, kind = NID_undef;
    bool sm2 = key && EVP_PKEY_is_a(key, "SM2"), holds = false;

    OBJ_find_sigid_algs(OBJ_obj2nid(algorithm), &digest, &kind);
    if (key && context &&
        EVP_DigestVerifyInit(context, &key_context, sm2 ? EVP_sm3() : EVP_get_digestbynid(digest),
                             NULL, key) == 1 &&
        (!sm2 || EVP_PKEY_CTX_set1_id(key_context, SM2_ID, (int)strlen(SM2_ID)) == 1))
        holds = EVP_DigestVerify(context, ASN1_STRING_get0_data(signature),
                                 (size_t)ASN1_STRING_length(signature), data, len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return holds;
}

static bool hash_is(const ASN1_BIT_STRING *hash, const uint8_t *content, size_t len)
{
    static const char *const algorithms[] = {"SM3", "SHA256", "SHA1"};
    uint8_t digest[64];
    size_t size;

    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (cms_digest(algorithms[i], content, len, digest, &size) == 0 &&
            (size_t)ASN1_STRING_length(hash) == size &&
            memcmp(ASN1_STRING_get0_data(hash), digest, size) == 0)
            return true;
    return false;
}

struct seal { /* what both forms have; borrowed */
    const ASN1_TYPE *to_sign;
    const ASN1_BIT_STRING *hash, *signature;
    const ASN1_OCTET_STRING *certificate;
    const ASN1_OBJECT *algorithm;
};

static int verify_parts(const struct seal *seal, const uint8_t *content, size_t len,
                        const char *trust, struct cms_result *out)
{
    X509 *certificate = parse(ASN1_ITEM_rptr(X509), ASN1_STRING_get0_data(seal->certificate),
                              (size_t)ASN1_STRING_length(seal->certificate));
    const ASN1_STRING *signed_bytes = seal->to_sign->value.sequence;

    if (!certificate) {
        cms_say(out, "the certificate in the seal cannot be read");
        return 0;
    }
    cms_name_signer(certificate, out);
    out->intact = CMS_INTACT;
    if (!hash_is(seal->hash, content, len)) {
        out->intact = CMS_CHANGED;
        cms_say(out, "the document's description of the signature is another than was signed");
    } else if (!signature_holds(certificate, seal->algorithm, ASN1_STRING_get0_data(signed_bytes),
                                (size_t)ASN1_STRING_length(signed_bytes), seal->signature)) {
        out->intact = CMS_CHANGED;
        cms_say(out, "the signature value does not hold");
    }
    cms_check_chain(certificate, NULL, trust, out);
    X509_free(certificate);
    return 0;
}

/* True: it is of that form. */
static bool verify_new(const uint8_t *der, size_t len, const uint8_t *content, size_t content_len,
                       const char *trust, struct cms_result *out)
{
    SES_NEW *ses = parse(ASN1_ITEM_rptr(SES_NEW), der, len);
    TBS_NEW *tbs = ses && ses->to_sign->type == V_ASN1_SEQUENCE
                       ? parse(ASN1_ITEM_rptr(TBS_NEW), ses->to_sign->value.sequence->data,
                               (size_t)ses->to_sign->value.sequence->length)
                       : NULL;

    if (tbs) {
        const struct seal seal = {ses->to_sign, tbs->hash, ses->signature, ses->certificate,
                                  ses->algorithm};

        out->time_ns = cms_time_of(tbs->time);
        verify_parts(&seal, content, content_len, trust, out);
    }
    ASN1_item_free((ASN1_VALUE *)tbs, ASN1_ITEM_rptr(TBS_NEW));
    ASN1_item_free((ASN1_VALUE *)ses, ASN1_ITEM_rptr(SES_NEW));
    return tbs != NULL;
}

/* Its time is a bit string: a UTCTime or GeneralizedTime in DER, or text like 20200423112233Z. */
static int64_t old_time(const ASN1_BIT_STRING *time)
{
    const uint8_t *at = ASN1_STRING_get0_data(time);
    int len = ASN1_STRING_length(time);
    ASN1_TIME *parsed = d2i_ASN1_TIME(NULL, &at, len);
    char text[32] = "";
    int64_t ns;

    if (!parsed && len > 0 && len < (int)sizeof(text) && (parsed = ASN1_TIME_new()) != NULL) {
        memcpy(text, ASN1_STRING_get0_data(time), (size_t)len);
        if (ASN1_TIME_set_string(parsed, text) != 1) {
            ASN1_TIME_free(parsed);
            parsed = NULL;
        }
    }
    ns = cms_time_of(parsed);
    ASN1_TIME_free(parsed);
    ERR_clear_error();
    return ns;
}

static bool verify_old(const uint8_t *der, size_t len, const uint8_t *content, size_t content_len,
                       const char *trust, struct cms_result *out)
{
    SES_OLD *ses = parse(ASN1_ITEM_rptr(SES_OLD), der, len);
    TBS_OLD *tbs = ses && ses->to_sign->type == V_ASN1_SEQUENCE
                       ? parse(ASN1_ITEM_rptr(TBS_OLD), ses->to_sign->value.sequence->data,
                               (size_t)ses->to_sign->value.sequence->length)
                       : NULL;

    if (tbs) {
        const struct seal seal = {ses->to_sign, tbs->hash, ses->signature, tbs->certificate,
                                  tbs->algorithm};

        out->time_ns = old_time(tbs->time);
        verify_parts(&seal, content, content_len, trust, out);
    }
    ASN1_item_free((ASN1_VALUE *)tbs, ASN1_ITEM_rptr(TBS_OLD));
    ASN1_item_free((ASN1_VALUE *)ses, ASN1_ITEM_rptr(SES_OLD));
    return tbs != NULL;
}

int cms_verify_seal(const uint8_t *der, size_t len, const uint8_t *content, size_t content_len,
                    const char *trust, struct cms_result *out)
{
    const struct cms_piece piece = {content, content_len};
    BARE *bare;

    cms_begin(out);
    if (verify_new(der, len, content, content_len, trust, out) ||
        verify_old(der, len, content, content_len, trust, out))
        return 0;
    bare = parse(ASN1_ITEM_rptr(BARE), der, len);
    if (bare || len == 64) {
        ASN1_item_free((ASN1_VALUE *)bare, ASN1_ITEM_rptr(BARE));
        out->chain = CMS_NO_CERTIFICATE;
        cms_say(out, "a bare signature value: nothing says whose it is");
        return 0;
    }
    return cms_verify(der, len, &piece, 1, trust, out);
}

/* --- digests -------------------------------------------------------------------------------------------------------- */

int cms_digest(const char *algorithm, const uint8_t *data, size_t len, uint8_t out[64],
               size_t *out_len)
{
    static const struct {
        const char *name, *digest;
    } names[] = {{"1.2.156.10197.1.401", "SM3"},
                 {"SM3", "SM3"},
                 {"1.2.156.10197.1.501", "SM3"},
                 {"SHA256", "SHA256"},
                 {"SHA-256", "SHA256"},
                 {"2.16.840.1.101.3.4.2.1", "SHA256"},
                 {"SHA1", "SHA1"},
                 {"SHA-1", "SHA1"},
                 {"1.3.14.3.2.26", "SHA1"},
                 {"MD5", "MD5"},
                 {"1.2.840.113549.2.5", "MD5"}};
    unsigned size = 0;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcasecmp(names[i].name, algorithm) == 0) {
            const EVP_MD *digest = EVP_get_digestbyname(names[i].digest);

            if (digest && EVP_Digest(data, len, out, &size, digest, NULL) == 1) {
                *out_len = size;
                return 0;
            }
        }
    return sr_fail(SR_ERR_UNSUPPORTED, "no such digest here");
}
