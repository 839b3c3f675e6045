#include "ledger/journal.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define WINDOW_BYTES (1u << 20)

int journal_begin(struct journal_reader *reader, struct sr_io *io, int fd,
                  const uint8_t vault_id[GROUP_VAULT_ID_LEN])
{
    struct sr_stat st;
    int status;

    memset(reader, 0, sizeof(*reader));
    reader->io = io;
    reader->fd = fd;
    group_first_chain(vault_id, reader->first_chain);
    status = io->fstat(io, fd, &st);
    if (status < 0)
        return sr_fail_errno(-status, "stat ledger/journal");
    reader->size = st.size;
    return 0;
}

void journal_end(struct journal_reader *reader)
{
    free(reader->window);
    reader->window = NULL;
}

static int grow_window(struct journal_reader *reader, size_t len)
{
    uint8_t *grown;

    if (len <= reader->window_capacity)
        return 0;
    grown = realloc(reader->window, len);
    if (grown == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    reader->window = grown;
    reader->window_capacity = len;
    return 0;
}

/* Positions count the bytes of (first chain || file): the chain of the group at file offset o
 * stands at position o. Makes *data point at up to want bytes from position at on; *got is fewer
 * only at the end of the file. */
static int look(struct journal_reader *reader, uint64_t at, size_t want, const uint8_t **data,
                size_t *got)
{
    uint64_t end = reader->size + GROUP_CHAIN_LEN;
    size_t from_chain = 0;
    size_t len;
    int status;

    if (want > end - at)
        want = (size_t)(end - at);
    if (at < reader->window_at || at + want > reader->window_at + reader->window_len) {
        len = want > WINDOW_BYTES ? want : WINDOW_BYTES;
        if (len > end - at)
            len = (size_t)(end - at);
        reader->window_len = 0;
        status = grow_window(reader, len);
        if (status != 0)
            return status;
        if (at < GROUP_CHAIN_LEN) {
            from_chain = (size_t)(GROUP_CHAIN_LEN - at);
            from_chain = from_chain < len ? from_chain : len;
            memcpy(reader->window, reader->first_chain + at, from_chain);
        }
        status = sr_io_read_full(reader->io, reader->fd, reader->window + from_chain,
                                 len - from_chain, at + from_chain - GROUP_CHAIN_LEN, got);
        if (status != 0)
            return status;
        reader->window_at = at;
        reader->window_len = from_chain + *got;
        if (want > reader->window_len) /* it shrank while it was read */
            want = reader->window_len;
    }
    *data = reader->window + (at - reader->window_at);
    *got = want;
    return 0;
}

int journal_next(struct journal_reader *reader, const uint8_t key_mac[SR_KEY_LEN],
                 struct journal_group *group, bool *more)
{
    const uint8_t *data;
    size_t want = GROUP_CHAIN_LEN + GROUP_HEADER_LEN;
    size_t got;
    int status;

    memset(group, 0, sizeof(*group));
    group->offset = reader->offset;
    *more = reader->offset < reader->size;
    if (!*more)
        return 0;
    status = look(reader, reader->offset, want, &data, &got);
    if (status != 0)
        return status;
    if (got == want &&
        group_header_parse(data + GROUP_CHAIN_LEN, GROUP_HEADER_LEN, &group->header) == NULL) {
        want += (size_t)group->header.body_len + GROUP_MAC_LEN;
        status = look(reader, reader->offset, want, &data, &got);
        if (status != 0)
            return status;
    }
    status = group_check(key_mac, data, got, reader->index, &group->header, &group->why);
    if (status != 0 || group->why != NULL)
        return status;
    group->len = want - GROUP_CHAIN_LEN;
    group->body = data + GROUP_CHAIN_LEN + GROUP_HEADER_LEN;
    group->mac = group->body + group->header.body_len;
    reader->offset += group->len;
    reader->index += group->header.count;
    return 0;
}

int journal_find_later(struct journal_reader *reader, uint64_t from, uint64_t index, bool *found,
                       uint64_t *offset, struct group_header *header)
{
    uint64_t at = from;
    const uint8_t *data;
    size_t got;
    int status;

    *found = false;
    while (at < reader->size && reader->size - at >= GROUP_HEADER_LEN) {
        status = look(reader, at + GROUP_CHAIN_LEN, WINDOW_BYTES, &data, &got);
        if (status != 0)
            return status;
        for (size_t i = 0; i + GROUP_HEADER_LEN <= got; i++) {
            if (data[i] == 'S' && group_header_parse(data + i, GROUP_HEADER_LEN, header) == NULL &&
                header->first > index) {
                *found = true;
                *offset = at + i;
                return 0;
            }
        }
        if (got < GROUP_HEADER_LEN)
            return 0;
        at += got - GROUP_HEADER_LEN + 1;
    }
    return 0;
}
