#include "media/probe/source.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/probe/lastword.h"
#include "media/wire.h"

/* Parsers of containers go to and fro between a few places of the file. */
#define BLOCK_LEN (128u << 10)
#define BLOCKS 16

struct block {
    uint8_t *data; /* BLOCK_LEN bytes; NULL until it is used */
    uint64_t offset;
    size_t len;
    uint64_t used; /* when it was last read, as a count of reads; 0: holds nothing */
};

struct probe_source {
    char *name;
    uint64_t size;
    const uint8_t *memory; /* NULL: over the socket */
    struct wire wire;
    struct block blocks[BLOCKS];
    uint64_t reads;
};

static int source_new(uint64_t size, const char *name, struct probe_source **out)
{
    struct probe_source *source = calloc(1, sizeof(*source));

    *out = NULL;
    if (source)
        source->name = strdup(name);
    if (!source || !source->name) {
        free(source);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    source->size = size;
    *out = source;
    return 0;
}

int probe_source_memory(const void *data, size_t len, const char *name, struct probe_source **out)
{
    int rc = source_new(len, name, out);

    if (!rc)
        (*out)->memory = len ? data : (const void *)"";
    return rc;
}

int probe_source_socket(int fd, uint64_t size, const char *name, struct probe_source **out)
{
    int rc = source_new(size, name, out);

    if (!rc)
        (*out)->wire = (struct wire){.fd = fd, .stop_fd = -1, .deadline_ns = INT64_MAX};
    return rc;
}

void probe_source_free(struct probe_source *source)
{
    if (!source)
        return;
    for (size_t i = 0; i < BLOCKS; i++)
        free(source->blocks[i].data);
    free(source->name);
    free(source);
}

uint64_t probe_source_size(const struct probe_source *source)
{
    return source->size;
}

const char *probe_source_name(const struct probe_source *source)
{
    return source->name;
}

/* Asks for len bytes at offset, within the size. A daemon that hands out fewer has lost the end. */
static int ask_held(struct probe_source *source, uint64_t offset, uint8_t *buf, size_t len)
{
    uint8_t question[WIRE_ASK_LEN];
    enum wire_type type;
    size_t got;
    int error;
    int rc;

    wire_put_ask(&(struct wire_ask){offset, (uint32_t)len}, question);
    rc = wire_send(&source->wire, WIRE_ASK, question, sizeof(question));
    if (!rc && len >= WIRE_FAILED_LEN) {
        rc = wire_receive(&source->wire, WIRE_BIT(WIRE_DATA) | WIRE_BIT(WIRE_FAILED), buf, len,
                          &type, &got);
    } else if (!rc) { /* an error is longer than what was asked for */
        uint8_t small[WIRE_FAILED_LEN];

        rc = wire_receive(&source->wire, WIRE_BIT(WIRE_DATA) | WIRE_BIT(WIRE_FAILED), small,
                          sizeof(small), &type, &got);
        if (!rc && type == WIRE_DATA && got > len)
            rc = sr_fail(SR_ERR_INVALID, "more bytes than were asked for");
        if (!rc)
            memcpy(type == WIRE_DATA ? buf : question, small, got);
        if (!rc && type == WIRE_FAILED)
            buf = question;
    }
    if (rc)
        return rc == SR_ERR_NO_MEMORY ? rc : sr_fail(SR_ERR_CLOSED, "the daemon has gone");
    if (type == WIRE_FAILED) {
        rc = wire_parse_failed(buf, got, &error);
        return sr_fail(!rc && error != SR_ERR_SYSTEM ? error : SR_ERR_DAMAGED,
                       "a range of the record cannot be read");
    }
    if (got < len)
        return sr_fail(SR_ERR_DAMAGED, "the record is shorter than its size");
    return 0;
}

/* The last word does not fall into it: the daemon would still be busy with the question. */
static int ask(struct probe_source *source, uint64_t offset, uint8_t *buf, size_t len)
{
    int rc;

    lastword_hold();
    rc = ask_held(source, offset, buf, len);
    lastword_release();
    return rc;
}

/* The block that holds offset, from the cache or asked for. */
static int find_block(struct probe_source *source, uint64_t offset, struct block **out)
{
    uint64_t start = offset - offset % BLOCK_LEN;
    size_t len = source->size - start < BLOCK_LEN ? (size_t)(source->size - start) : BLOCK_LEN;
    struct block *oldest = &source->blocks[0];
    int rc;

    *out = NULL;
    source->reads++;
    for (struct block *block = source->blocks; block < source->blocks + BLOCKS; block++) {
        if (block->used && block->offset == start) {
            block->used = source->reads;
            *out = block;
            return 0;
        }
        if (block->used < oldest->used)
            oldest = block;
    }
    if (!oldest->data)
        oldest->data = malloc(BLOCK_LEN);
    if (!oldest->data)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    oldest->used = 0;
    rc = ask(source, start, oldest->data, len);
    if (rc)
        return rc;
    *oldest = (struct block){oldest->data, start, len, source->reads};
    *out = oldest;
    return 0;
}

int probe_source_read(struct probe_source *source, uint64_t offset, void *buf, size_t len,
                      size_t *got)
{
    uint8_t *out = buf;
    struct block *block;
    int rc;

    *got = 0;
    if (offset >= source->size || !len)
        return 0;
    if (len > source->size - offset)
        len = (size_t)(source->size - offset);
    if (source->memory) {
        memcpy(out, source->memory + offset, len);
        *got = len;
        return 0;
    }
    while (*got < len) {
        uint64_t at = offset + *got;
        size_t part = len - *got;

        if (part >= 2 * BLOCK_LEN) { /* long reads go past the cache */
            if (part > WIRE_RANGE_MAX)
                part = WIRE_RANGE_MAX;
            rc = ask(source, at, out + *got, part);
        } else {
            rc = find_block(source, at, &block);
            if (!rc) {
                if (part > block->len - (size_t)(at - block->offset))
                    part = block->len - (size_t)(at - block->offset);
                memcpy(out + *got, block->data + (at - block->offset), part);
            }
        }
        if (rc) {
            *got = 0;
            return rc;
        }
        *got += part;
    }
    return 0;
}

int probe_source_whole(struct probe_source *source, size_t limit, uint8_t **data, size_t *len)
{
    uint8_t *buf;
    int rc;

    *data = NULL;
    *len = 0;
    if (source->size > limit || source->size >= SIZE_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "over %zu bytes", limit);
    buf = malloc((size_t)source->size + 1);
    if (!buf)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = probe_source_read(source, 0, buf, (size_t)source->size, len);
    if (rc) {
        free(buf);
        *len = 0;
        return rc;
    }
    buf[*len] = '\0';
    *data = buf;
    return 0;
}
