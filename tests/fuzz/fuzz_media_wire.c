/* A stream of messages, as one side reads the other's: the first byte says which types are allowed. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "media/wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(enum wire_type type, const uint8_t *payload, size_t len)
{
    struct wire_job job;
    struct wire_ask ask;
    uint8_t *again;
    size_t again_len;
    int error;

    switch (type) {
    case WIRE_READY:
        wire_parse_ready(payload, len);
        break;
    case WIRE_JOB:
        if (wire_parse_job(payload, len, &job) == 0) {
            assert(wire_put_job(&job, &again, &again_len) == 0);
            assert(again_len == len && memcmp(again, payload, len) == 0);
            free(again);
        }
        break;
    case WIRE_ASK:
        if (wire_parse_ask(payload, len, 1u << 30, &ask) == 0)
            assert(ask.len >= 1 && ask.len <= WIRE_RANGE_MAX && ask.offset + ask.len <= 1u << 30);
        break;
    case WIRE_FAILED:
        wire_parse_failed(payload, len, &error);
        assert(error < 0);
        break;
    default:
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum wire_type type;
    unsigned allowed;
    size_t len;

    if (!size)
        return 0;
    allowed = data[0];
    data++, size--;
    while (size >= WIRE_HEADER_LEN) {
        if (wire_parse_header(data, allowed, &type, &len))
            break;
        assert(allowed & WIRE_BIT(type));
        data += WIRE_HEADER_LEN, size -= WIRE_HEADER_LEN;
        if (len > size)
            break;
        parse(type, data, len);
        data += len, size -= len;
    }
    return 0;
}
