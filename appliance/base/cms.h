/* Signatures of documents: CMS (RFC 5652) beside what it signs, and the containers of electronic seals (SES: GB/T
 * 38540-2020, and GM/T 0031-2014 before it), by ASN.1 templates of our own. With crypto.h the only way to OpenSSL. All
 * input is untrusted; nothing is looked up anywhere, so revocation is not checked. */
#ifndef SR_BASE_CMS_H
#define SR_BASE_CMS_H

#include <stddef.h>
#include <stdint.h>

#define CMS_SIGNER_MAX 256
#define CMS_DETAIL_MAX 256
#define CMS_NO_TIME INT64_MIN

enum cms_intact {
    CMS_UNCHECKED, /* in a form that is not known here */
    CMS_INTACT,    /* the signature holds over the content as it is */
    CMS_CHANGED,   /* it does not */
};

enum cms_chain {
    CMS_UNKNOWN,        /* there was nothing to trust */
    CMS_TRUSTED,        /* leads to one of the certificates given */
    CMS_UNTRUSTED,      /* does not */
    CMS_EXPIRED,        /* would, on the day that the signature claims */
    CMS_NO_CERTIFICATE, /* a bare signature value */
};

struct cms_result {
    enum cms_intact intact;
    enum cms_chain chain;
    char signer[CMS_SIGNER_MAX]; /* CN and O as the certificate has them, UTF-8; "" unknown */
    int64_t time_ns;             /* that the signer claims; CMS_NO_TIME */
    char detail[CMS_DETAIL_MAX]; /* what is wrong or odd, English; "" nothing */
};

struct cms_piece {
    const uint8_t *data;
    size_t len; /* bytes */
};

/* SM2 is verified in seals (cms_verify_seal) and in chains, with the default identity of GM/T 0009. In CMS it is not:
 * CMS_UNCHECKED, with the numbers of GM/T 0010 (1.2.156.10197.6.1.4.2.x) as well as with the usual ones.
 *
 * Der: a ContentInfo of SignedData without its content, which is the pieces one after the other. trust: certificates
 * in PEM; NULL or "" for none. Bytes behind the structure are allowed, as PDF has them. SR_ERR_NO_MEMORY alone: what
 * the signature is worth stands in *out. */
int cms_verify(const uint8_t *der, size_t len, const struct cms_piece *pieces, size_t count,
               const char *trust, struct cms_result *out);
/* Der: an SES_Signature over content (OFD: the bytes of Signature.xml), a CMS of the same, or a bare signature
 * value. */
int cms_verify_seal(const uint8_t *der, size_t len, const uint8_t *content, size_t content_len,
                    const char *trust, struct cms_result *out);

/* Der: a time stamp of data, a TimeStampResp or its token alone (RFC 3161); out->time_ns is the authority's. Digests under 256
 * bits are not believed. 0: what it is worth stands in *out. */
int cms_verify_time_stamp(const uint8_t *der, size_t len, const uint8_t *data, size_t data_len,
                          const char *trust, struct cms_result *out);

/* By the name or number of the algorithm as OFD has it ("1.2.156.10197.1.401", "SM3", "SHA256", "SHA1", "MD5").
 * *out_len: bytes written to out (64). SR_ERR_UNSUPPORTED. */
int cms_digest(const char *algorithm, const uint8_t *data, size_t len, uint8_t out[64],
               size_t *out_len);

#endif
