/* What the daemon and the probe say to each other, over a stream socket pair. The probe reads files of
 * strangers, so for the daemon its every byte is a stranger's too; the probe checks the daemon's as well.
 *
 * A message is a header of 8 bytes and its payload, integers big-endian:
 *    0  1  type
 *    1  3  zero
 *    4  4  payload length, within the bounds of the type
 *
 *   from    type        payload
 *   probe    1 ready    "SRPB", u32 version: the sandbox is closed. Comes first, and once.
 *   daemon   2 job      u64 size, u32 most bytes of text, u16 length of name, u16 length of the hint,
 *                       u32 length of the trust store; the three, in this order. Once.
 *   probe    3 ask      u64 offset, u32 length, 1 to WIRE_RANGE_MAX: a range within the size
 *   daemon   4 data     the range's bytes; fewer only where the file ends early
 *   daemon   5 failed   u32, the enum sr_error without its sign: this range cannot be had
 *   probe    6 text     a piece of the document's text, whole characters of UTF-8
 *   probe    7 answer   the answer, canonical JSON (media/answer.h). Comes last, and once.
 * Each ask is answered by data or failed before the probe says anything else. */
#ifndef SR_MEDIA_WIRE_H
#define SR_MEDIA_WIRE_H

#include <stddef.h>
#include <stdint.h>

#define WIRE_VERSION 1u
#define WIRE_HEADER_LEN 8u
#define WIRE_RANGE_MAX (1u << 20)
#define WIRE_TEXT_MAX (64u << 10)
#define WIRE_ANSWER_MAX (40u << 10)
#define WIRE_NAME_MAX 255u
#define WIRE_HINT_MAX 64u
#define WIRE_TRUST_MAX (1u << 20) /* Debian's certificate store in PEM is a fifth of that */
#define WIRE_READY_LEN 8u
#define WIRE_ASK_LEN 12u
#define WIRE_FAILED_LEN 4u
#define WIRE_JOB_FIXED_LEN 20u
#define WIRE_JOB_MAX (WIRE_JOB_FIXED_LEN + WIRE_NAME_MAX + WIRE_HINT_MAX + WIRE_TRUST_MAX)

enum wire_type {
    WIRE_READY = 1,
    WIRE_JOB = 2,
    WIRE_ASK = 3,
    WIRE_DATA = 4,
    WIRE_FAILED = 5,
    WIRE_TEXT = 6,
    WIRE_ANSWER = 7,
};
#define WIRE_BIT(type) (1u << (type)) /* for sets of types */

/* One end. Both sides wait with poll(); the socket may be blocking or not. */
struct wire {
    int fd;
    int stop_fd;         /* readable: stop waiting; -1 for none */
    int64_t deadline_ns; /* CLOCK_MONOTONIC; INT64_MAX for none */
};

/* SR_ERR_CLOSED: the other side has gone, or stop_fd is readable. SR_ERR_BUSY: the deadline passed. */
int wire_send(const struct wire *wire, enum wire_type type, const void *payload, size_t len);
/* The next message, which must be of the set allowed (WIRE_BIT) and fit capacity. Payloads beyond a
 * type's bounds are refused before a byte of them is read. SR_ERR_INVALID for what breaks the protocol,
 * SR_ERR_CLOSED and SR_ERR_BUSY as above. */
int wire_receive(const struct wire *wire, unsigned allowed, uint8_t *payload, size_t capacity,
                 enum wire_type *type, size_t *len);

/* Header: what a message of len bytes starts with, and the check of one. */
void wire_put_header(enum wire_type type, size_t len, uint8_t out[WIRE_HEADER_LEN]);
int wire_parse_header(const uint8_t header[WIRE_HEADER_LEN], unsigned allowed, enum wire_type *type,
                      size_t *len);

/* The texts need not end in NUL when put; they point into the payload when parsed. */
struct wire_job {
    uint64_t size;     /* bytes of the file */
    uint32_t text_max; /* bytes of text wanted at most; 0: none */
    const char *name;  /* last path component, UTF-8, no NUL and no '/' */
    size_t name_len;
    const char
        *hint; /* what the daemon believes the file to be, e.g. "label"; ASCII, may be empty */
    size_t hint_len;
    const char *trust; /* certificates in PEM; may be empty */
    size_t trust_len;
};
/* *out is a fresh buffer of *len bytes; free() it. SR_ERR_INVALID for a job that the other side would
 * refuse. */
int wire_put_job(const struct wire_job *job, uint8_t **out, size_t *len);
int wire_parse_job(const uint8_t *payload, size_t len, struct wire_job *out);

void wire_put_ready(uint8_t out[WIRE_READY_LEN]);
int wire_parse_ready(const uint8_t *payload, size_t len);

struct wire_ask {
    uint64_t offset;
    uint32_t len;
};
void wire_put_ask(const struct wire_ask *ask, uint8_t out[WIRE_ASK_LEN]);
/* Within a file of size bytes. */
int wire_parse_ask(const uint8_t *payload, size_t len, uint64_t size, struct wire_ask *out);

/* error: a negative enum sr_error. */
void wire_put_failed(int error, uint8_t out[WIRE_FAILED_LEN]);
int wire_parse_failed(const uint8_t *payload, size_t len, int *error);

#endif
