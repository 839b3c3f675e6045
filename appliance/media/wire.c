#include "media/wire.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

static const struct {
    size_t min, max;
} bounds[] = {
    [WIRE_READY] = {WIRE_READY_LEN, WIRE_READY_LEN},
    [WIRE_JOB] = {WIRE_JOB_FIXED_LEN, WIRE_JOB_MAX},
    [WIRE_ASK] = {WIRE_ASK_LEN, WIRE_ASK_LEN},
    [WIRE_DATA] = {0, WIRE_RANGE_MAX},
    [WIRE_FAILED] = {WIRE_FAILED_LEN, WIRE_FAILED_LEN},
    [WIRE_TEXT] = {1, WIRE_TEXT_MAX},
    [WIRE_ANSWER] = {2, WIRE_ANSWER_MAX},
};

static int64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Until the socket is ready for events. */
static int wait_for(const struct wire *wire, short events)
{
    for (;;) {
        struct pollfd fds[2] = {{wire->fd, events, 0}, {wire->stop_fd, POLLIN, 0}};
        int timeout_ms = -1;
        int n;

        if (wire->deadline_ns != INT64_MAX) {
            int64_t left_ns = wire->deadline_ns - monotonic_ns();

            if (left_ns <= 0)
                return sr_fail(SR_ERR_BUSY, "the time allowed for one file is over");
            timeout_ms = left_ns / 1000000 > 60000 ? 60000 : (int)(left_ns / 1000000) + 1;
        }
        n = poll(fds, 2, timeout_ms);
        if (n < 0 && errno != EINTR)
            return sr_fail_errno(errno, "wait for the other side");
        if (n > 0 && fds[1].revents)
            return sr_fail(SR_ERR_CLOSED, "asked to stop");
        if (n > 0 && fds[0].revents)
            return 0;
    }
}

/* Sends all of data, or receives as much: the two differ in one call. */
static int transfer(const struct wire *wire, bool sending, uint8_t *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = sending ? send(wire->fd, data + done, len - done, MSG_NOSIGNAL | MSG_DONTWAIT)
                            : recv(wire->fd, data + done, len - done, MSG_DONTWAIT);

        if (n > 0) {
            done += (size_t)n;
        } else if (n == 0 || errno == EPIPE || errno == ECONNRESET) {
            return sr_fail(SR_ERR_CLOSED, "the other side has gone");
        } else if (errno == EAGAIN) {
            int rc = wait_for(wire, sending ? POLLOUT : POLLIN);

            if (rc)
                return rc;
        } else if (errno != EINTR) {
            return sr_fail_errno(errno, "speak with the other side");
        }
    }
    return 0;
}

void wire_put_header(enum wire_type type, size_t len, uint8_t out[WIRE_HEADER_LEN])
{
    assert(len >= bounds[type].min && len <= bounds[type].max);
    out[0] = (uint8_t)type;
    out[1] = out[2] = out[3] = 0;
    sr_put_be32(out + 4, (uint32_t)len);
}

int wire_parse_header(const uint8_t header[WIRE_HEADER_LEN], unsigned allowed, enum wire_type *type,
                      size_t *len)
{
    uint32_t length = sr_get_be32(header + 4);

    if (header[0] < WIRE_READY || header[0] > WIRE_ANSWER || header[1] || header[2] || header[3])
        return sr_fail(SR_ERR_INVALID, "no message of the protocol");
    if (!(allowed & WIRE_BIT(header[0])))
        return sr_fail(SR_ERR_INVALID, "a message of type %u is out of turn", header[0]);
    if (length < bounds[header[0]].min || length > bounds[header[0]].max)
        return sr_fail(SR_ERR_INVALID, "a message of type %u with %u bytes", header[0], length);
    *type = (enum wire_type)header[0];
    *len = length;
    return 0;
}

int wire_send(const struct wire *wire, enum wire_type type, const void *payload, size_t len)
{
    uint8_t small[WIRE_HEADER_LEN + 64];
    int rc;

    wire_put_header(type, len, small);
    if (len <= sizeof(small) - WIRE_HEADER_LEN) { /* most are small: one call */
        if (len)
            memcpy(small + WIRE_HEADER_LEN, payload, len);
        return transfer(wire, true, small, WIRE_HEADER_LEN + len);
    }
    rc = transfer(wire, true, small, WIRE_HEADER_LEN);
    /* The cast is safe: sending only reads. */
    return rc ? rc : transfer(wire, true, (uint8_t *)(uintptr_t)payload, len);
}

int wire_receive(const struct wire *wire, unsigned allowed, uint8_t *payload, size_t capacity,
                 enum wire_type *type, size_t *len)
{
    uint8_t header[WIRE_HEADER_LEN];
    int rc;

    *len = 0;
    rc = transfer(wire, false, header, sizeof(header));
    if (!rc)
        rc = wire_parse_header(header, allowed, type, len);
    if (!rc && *len > capacity)
        rc = sr_fail(SR_ERR_INVALID, "a message of %zu bytes, where %zu have room", *len, capacity);
    if (!rc)
        rc = transfer(wire, false, payload, *len);
    if (rc)
        *len = 0;
    return rc;
}

/* --- payloads --- */

static bool printable_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    return true;
}

static int check_job(const struct wire_job *job)
{
    if (job->name_len < 1 || job->name_len > WIRE_NAME_MAX || job->hint_len > WIRE_HINT_MAX ||
        job->trust_len > WIRE_TRUST_MAX || job->size > INT64_MAX)
        return sr_fail(SR_ERR_INVALID, "a job with impossible lengths");
    if (!sr_utf8_valid(job->name, job->name_len) || memchr(job->name, 0, job->name_len) ||
        memchr(job->name, '/', job->name_len))
        return sr_fail(SR_ERR_INVALID, "a job whose name is none");
    if (!printable_ascii(job->hint, job->hint_len) ||
        (job->trust_len && memchr(job->trust, 0, job->trust_len)))
        return sr_fail(SR_ERR_INVALID, "a job with bytes that are no text");
    return 0;
}

int wire_put_job(const struct wire_job *job, uint8_t **out, size_t *len)
{
    uint8_t *at;
    int rc;

    *out = NULL;
    *len = 0;
    rc = check_job(job);
    if (rc)
        return rc;
    *len = WIRE_JOB_FIXED_LEN + job->name_len + job->hint_len + job->trust_len;
    *out = at = malloc(*len);
    if (!at)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    sr_put_be64(at, job->size);
    sr_put_be32(at + 8, job->text_max);
    sr_put_be16(at + 12, (uint16_t)job->name_len);
    sr_put_be16(at + 14, (uint16_t)job->hint_len);
    sr_put_be32(at + 16, (uint32_t)job->trust_len);
    at += WIRE_JOB_FIXED_LEN;
    memcpy(at, job->name, job->name_len);
    at += job->name_len;
    if (job->hint_len)
        memcpy(at, job->hint, job->hint_len);
    at += job->hint_len;
    if (job->trust_len)
        memcpy(at, job->trust, job->trust_len);
    return 0;
}

int wire_parse_job(const uint8_t *payload, size_t len, struct wire_job *out)
{
    *out = (struct wire_job){0};
    if (len < WIRE_JOB_FIXED_LEN)
        return sr_fail(SR_ERR_INVALID, "a job that is too short");
    out->size = sr_get_be64(payload);
    out->text_max = sr_get_be32(payload + 8);
    out->name_len = sr_get_be16(payload + 12);
    out->hint_len = sr_get_be16(payload + 14);
    out->trust_len = sr_get_be32(payload + 16);
    if (len != WIRE_JOB_FIXED_LEN + out->name_len + out->hint_len + out->trust_len)
        return sr_fail(SR_ERR_INVALID, "a job whose lengths do not add up");
    out->name = (const char *)payload + WIRE_JOB_FIXED_LEN;
    out->hint = out->name + out->name_len;
    out->trust = out->hint + out->hint_len;
    return check_job(out);
}

void wire_put_ready(uint8_t out[WIRE_READY_LEN])
{
    memcpy(out, "SRPB", 4);
    sr_put_be32(out + 4, WIRE_VERSION);
}

int wire_parse_ready(const uint8_t *payload, size_t len)
{
    if (len != WIRE_READY_LEN || memcmp(payload, "SRPB", 4) != 0)
        return sr_fail(SR_ERR_INVALID, "this is no probe");
    if (sr_get_be32(payload + 4) != WIRE_VERSION)
        return sr_fail(SR_ERR_INVALID, "a probe of version %u, not %u", sr_get_be32(payload + 4),
                       WIRE_VERSION);
    return 0;
}

void wire_put_ask(const struct wire_ask *ask, uint8_t out[WIRE_ASK_LEN])
{
    sr_put_be64(out, ask->offset);
    sr_put_be32(out + 8, ask->len);
}

int wire_parse_ask(const uint8_t *payload, size_t len, uint64_t size, struct wire_ask *out)
{
    *out = (struct wire_ask){0};
    if (len != WIRE_ASK_LEN)
        return sr_fail(SR_ERR_INVALID, "a question of a wrong length");
    out->offset = sr_get_be64(payload);
    out->len = sr_get_be32(payload + 8);
    if (out->len < 1 || out->len > WIRE_RANGE_MAX || out->offset > size ||
        out->len > size - out->offset)
        return sr_fail(SR_ERR_INVALID, "a question for bytes outside of the file");
    return 0;
}

void wire_put_failed(int error, uint8_t out[WIRE_FAILED_LEN])
{
    assert(error < 0 && error >= SR_ERR_LAST);
    sr_put_be32(out, (uint32_t)-error);
}

int wire_parse_failed(const uint8_t *payload, size_t len, int *error)
{
    uint32_t code = len == WIRE_FAILED_LEN ? sr_get_be32(payload) : 0;

    *error = SR_ERR_SYSTEM;
    if (code < 1 || code > (uint32_t)-SR_ERR_LAST)
        return sr_fail(SR_ERR_INVALID, "an error that does not exist");
    *error = -(int)code;
    return 0;
}
