/* Retention bundles: what `strongroom export` makes of a case (docs/bundle.md). bundle.c has the order of things, bundle_sink.c
 * the package, bundle_xml.c and bundle_text.c the documents. Everything but the seal is the same bytes for the same case as of
 * the same entry of the ledger. */
#ifndef SR_TOOLS_BUNDLE_H
#define SR_TOOLS_BUNDLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/cms_encrypt.h"
#include "base/cms_sign.h"
#include "base/crypto.h"

#define BUNDLE_NAME_MAX 120
#define BUNDLE_PATH_MAX 192

/* --- the package (bundle_sink.c) --- */

struct sink;
/* A new package at path.partial; format "tar" (pax), "zip" (stored) or "iso"; all members lie in folder and are of time_ns.
 * recipients not NULL: path is a folder, in which the package lies encrypted (tar, zip). SR_ERR_EXISTS: there is something at path. */
int sink_open(const char *path, const char *format, const char *folder, int64_t time_ns,
              const struct cms_recipients *recipients, struct sink **out);
/* A member of size bytes, which come with sink_write; sink_end gives its SHA-256. */
int sink_begin(struct sink *sink, const char *name, uint64_t size);
int sink_write(struct sink *sink, const void *data, size_t len);
int sink_end(struct sink *sink, uint8_t sha256[SR_SHA256_LEN]);
/* A whole member. */
int sink_put(struct sink *sink, const char *name, const void *data, size_t len);
int sink_want_sm3(
    struct sink *
        sink); /* before the first member: SM3 (GB/T 32905), too. Not of an image: SR_ERR_UNSUPPORTED */
bool sink_has_sm3(const struct sink *sink);
void sink_label(struct sink *sink,
                const char *label); /* of an image: its volume, at most 32 of A-Z 0-9 _ */
/* Of an image: records are not written but mapped from their place, and read by xorriso. sink_finish reads all back. */
bool sink_maps(const struct sink *sink);
int sink_map(struct sink *sink, const char *name, const char *source, uint64_t size,
             const uint8_t sha256[SR_SHA256_LEN]);
/* manifest lines ("HEX  PATH\n") of the members put so far, in their order: payload (data/), or all others. */
void sink_manifest(const struct sink *sink, bool payload, bool sm3, struct sr_buf *out);
void sink_oxum(const struct sink *sink, uint64_t *octets, uint64_t *files); /* of the payload */
/* Durable, under its name. limit 0: none; SR_ERR_TOO_LARGE: over it, and gone. */
int sink_finish(struct sink *sink, uint64_t limit);
void sink_free(struct sink *sink); /* what is not finished is removed; NULL ok */

/* --- a case that is exported --- */

struct bundle {
    json_t *in_case; /* the "case" that door_export_begin gave */
    json_t *records,
        *acts; /* arrays of the others, each record with "file" (its path in the bag) and "id" ("0001") */
    char folder[BUNDLE_NAME_MAX + 1];
    int64_t time_ns;                 /* of the entry as of which it is */
    uint64_t bytes;                  /* of all records */
    char group[BUNDLE_NAME_MAX + 1]; /* folder of the whole, of a set */
    unsigned part, parts;            /* of a set: 1 to parts; parts 0: it is whole */
};

/* Sorts what was given; takes over item. A client_item_fn gives it a copy. */
int bundle_take(struct bundle *bundle, json_t *item);
/* Names, after all was taken. */
int bundle_prepare(struct bundle *bundle);
void bundle_free(struct bundle *bundle);
/* A set of bundles with packages of at most limit bytes each (RFC 8493 section 2.2.2: Bag-Group-Identifier), in a fresh array, each to be
 * freed. SR_ERR_TOO_LARGE: a record does not fit into one. */
int bundle_split(const struct bundle *whole, uint64_t limit, struct bundle **out, size_t *count);

struct bundle_ways {
    const char *mountpoint;          /* where records are read */
    const struct cms_signer *signer; /* NULL: no seal.p7s */
    const struct sr_buf *disc;       /* disc.txt, a tag file; NULL: it is for no disc */
    const char *stamp_url;           /* of a time stamp authority; NULL: no seal.tsr */
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
};
/* Writes the whole bag; sha256: of its tagmanifest-sha256.txt. SR_ERR_DAMAGED: a record is not what its seal says. */
int bundle_write(const struct bundle *bundle, const struct bundle_ways *ways, struct sink *sink,
                 uint8_t sha256[SR_SHA256_LEN]);

/* A time stamp of data (a TimeStampResp), which holds. SR_ERR_NOT_FOUND: no answer; SR_ERR_DAMAGED: none that is worth
 * anything. */
int bundle_stamp(const char *url, const void *data, size_t len, struct sr_buf *out);

/* --- documents (bundle_text.c, bundle_xml.c); appended to out --- */

const char *bundle_label(const json_t *record, const char *label); /* its value in force; "" */
bool bundle_is_av(const json_t *record);
int bundle_info(const struct bundle *bundle, uint64_t octets, uint64_t files, struct sr_buf *out);
int bundle_custody(const struct bundle *bundle, struct sr_buf *out);
/* The note of a disc (R5): its label, who makes it and when, and what is on it. */
void bundle_disc_note(const struct bundle *bundle, const char *label, const char *person,
                      int64_t now_ns, struct sr_buf *out);
void bundle_note(const struct bundle *bundle, const json_t *record, struct sr_buf *out);
int bundle_eep(const struct bundle *bundle, struct sr_buf *out);
int bundle_av(const struct bundle *bundle, const json_t *record, struct sr_buf *out);
int bundle_check(const struct bundle *bundle, struct sr_buf *out);

#endif
