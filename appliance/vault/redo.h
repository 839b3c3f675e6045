/* ID.redo, the append-only log beside an unsealed file (docs/format-object.md).
 *
 * A record, integers big-endian:
 *    0  4  magic "SRRD"
 *    4  1  type: 1 meta, 2 segment, 3 seal
 *    5  1  version: 1
 *    6  2  reserved: 0
 *    8  8  sequence, rising within a file, never used twice
 *   16  4  body length n
 *   20 12  nonce, random
 *   32  n  AES-256-GCM ciphertext of the body, AAD = object id || bytes 0..19
 *  32+n 16 tag
 * key = HKDF-Expand-SHA-384(record key, "strongroom redo v1" || object id).
 *
 * Bodies: meta = size u64, count u32, count x {start u64, end u64}: the bytes that were written.
 *         segment = position u64, up to 65,536 bytes of plaintext; what is left out is zero.
 *         seal = size u64, number of segments u64.
 * Reading stops at the first record that does not verify: a tail that was never acknowledged. */
#ifndef SR_VAULT_REDO_H
#define SR_VAULT_REDO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"
#include "vault/ranges.h"
#include "vault/vault.h"

#define REDO_HEADER_LEN 20u
#define REDO_OVERHEAD (REDO_HEADER_LEN + SR_GCM_IV_LEN + SR_GCM_TAG_LEN)
#define REDO_MAX_RANGES 16384u
#define REDO_META_LEN(count) (12u + 16u * (count))
#define REDO_SEGMENT_LEN (8u + VAULT_SEGMENT_PLAIN)
#define REDO_SEAL_LEN 16u
#define REDO_BODY_MAX REDO_META_LEN(REDO_MAX_RANGES)
#define REDO_RECORD_MAX (REDO_OVERHEAD + REDO_BODY_MAX)

enum redo_type { REDO_META = 1, REDO_SEGMENT = 2, REDO_SEAL = 3 };

struct redo_record {
    enum redo_type type;
    uint64_t sequence;
    const uint8_t *body; /* plaintext, valid until the buffer it was decoded into changes */
    size_t body_len;
    size_t used; /* bytes the record takes in the file */
};

/* What a redo file's records are bound to. */
struct redo_secret {
    uint8_t key[SR_KEY_LEN];
    struct vault_object_id id;
};
int redo_derive(const uint8_t record_key[SR_KEY_LEN], const struct vault_object_id *id,
                struct redo_secret *out);

/* One whole record from data. after: the sequence before it (0: any). body takes REDO_BODY_MAX
 * bytes. SR_ERR_DAMAGED: does not verify (or is incomplete). SR_ERR_NEWER_FORMAT. Pure. */
int redo_decode(const struct redo_secret *secret, struct sr_gcm *gcm, uint64_t after,
                const uint8_t *data, size_t len, uint8_t *body, struct redo_record *out);
/* The bodies; SR_ERR_DAMAGED when they are not what this version writes. ranges is replaced. */
int redo_parse_meta(const struct redo_record *record, uint64_t *size, struct ranges *ranges);
int redo_parse_segment(const struct redo_record *record, uint64_t *position, const uint8_t **plain);
int redo_parse_seal(const struct redo_record *record, uint64_t *size, uint64_t *segments);

/* An open redo file. Guarded by the owner's sync_lock.
 * 1. Records below good_len are durable (once the name is). 2. len is where the next one goes.
 * 3. After a failed append or sync len falls back to good_len: what stands there is overwritten, or
 *    refused for its sequence. */
struct redo {
    struct sr_io *io;
    char *path;
    char *new_path; /* ID.redo.new */
    struct redo_secret secret;
    int fd; /* -1: the file was never made */
    uint64_t len;
    uint64_t good_len;
    uint64_t sequence; /* the last one used */
    uint64_t dropped;  /* bytes beyond the last record that verifies, when it was scanned */
};

/* path is copied. No I/O. */
int redo_init(struct redo *redo, struct sr_io *io, const char *path,
              const struct redo_secret *secret);
void redo_close(struct redo *redo); /* wiped; fine on a zeroed struct whose fd is -1 */

/* Makes the file, empty, if it is not open; its name is then not durable. */
int redo_make(struct redo *redo);

typedef int redo_record_fn(void *context, const struct redo_record *record);
/* Opens the file if it is there (fd stays -1 otherwise), removes ID.redo.new and calls back with
 * each record that verifies; a non-zero return stops and is returned. May be called again. */
int redo_scan(struct redo *redo, struct sr_gcm *gcm, redo_record_fn *fn, void *context);

/* Append one record; the file is made if need be (its name is then not durable). work takes
 * REDO_RECORD_MAX bytes. Not durable before redo_sync. */
int redo_append_meta(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t size,
                     const struct ranges *ranges);
/* plain: the first len bytes of the segment; the others are zero. */
int redo_append_segment(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t position,
                        const uint8_t *plain, size_t len);
int redo_append_seal(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t size,
                     uint64_t segments);
int redo_sync(struct redo *redo);
/* Replaces the file by one with a single meta record. The caller makes the name durable after;
 * until then a crash may bring the old file back. On failure the old one stays in use. */
int redo_replace(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t size,
                 const struct ranges *ranges);

#endif
