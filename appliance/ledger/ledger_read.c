#include "ledger/ledger_internal.h"

#include <stdlib.h>
#include <string.h>

/* Entries are read back from the journal, a span of the file at a time: what is not there must not
 * be answered from memory. */

#define SPAN_BYTES (256u << 10)
#define SPAN_ENTRIES 256

struct span {
    struct ledger_location at[SPAN_ENTRIES];
    size_t count;
    size_t len; /* bytes of the file from at[0].offset on */
};

/* The places of durable entries from index on that stand within one span of the file. */
static void collect(struct ledger *ledger, uint64_t index, uint64_t to, struct span *span)
{
    span->count = 0;
    span->len = 0;
    pthread_mutex_lock(&ledger->lock);
    if (to > ledger->committed)
        to = ledger->committed;
    for (; index < to && span->count < SPAN_ENTRIES; index++) {
        const struct ledger_location *at = &ledger->locations[index];
        uint64_t start = span->count == 0 ? at->offset : span->at[0].offset;
        size_t len = (size_t)(at->offset + at->len + GROUP_ENTRY_OVERHEAD - start);

        if (span->count > 0 && len > SPAN_BYTES)
            break;
        span->at[span->count++] = *at;
        span->len = len;
    }
    pthread_mutex_unlock(&ledger->lock);
}

static int decrypt(struct ledger *ledger, uint64_t index, const struct ledger_location *at,
                   const uint8_t *data, uint8_t *plain)
{
    struct group_entry entry;
    size_t position = 0;
    const char *why =
        group_entry_next(data, (size_t)at->len + GROUP_ENTRY_OVERHEAD, &position, &entry);
    int status = SR_ERR_DAMAGED;

    if (why == NULL && entry.len == at->len) {
        pthread_mutex_lock(&ledger->read_lock);
        status = group_entry_decrypt(ledger->read_gcm, ledger->secrets->key_enc, ledger->vault_id,
                                     index, &entry, plain);
        pthread_mutex_unlock(&ledger->read_lock);
    }
    if (status == SR_ERR_DAMAGED)
        return sr_fail(SR_ERR_DAMAGED,
                       "ledger/journal: entry %llu at offset %llu has changed since it was written",
                       (unsigned long long)index, (unsigned long long)at->offset);
    return status;
}

int ledger_each(struct ledger *ledger, uint64_t from, uint64_t to, ledger_each_fn *fn,
                void *context)
{
    struct span *span = malloc(sizeof(*span));
    uint8_t *data = malloc(SPAN_BYTES);
    uint8_t *plain = malloc(LEDGER_ENTRY_MAX);
    int status = 0;

    if (span == NULL || data == NULL || plain == NULL) {
        status = sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
        goto out;
    }
    while (status == 0 && from < to) {
        size_t got;

        collect(ledger, from, to, span);
        if (span->count == 0)
            break;
        status = sr_io_read_full(ledger->io, ledger->fd, data, span->len, span->at[0].offset, &got);
        if (status != 0)
            break;
        memset(data + got, 0, span->len - got); /* a journal cut short meanwhile does not decrypt */
        for (size_t i = 0; i < span->count && status == 0; i++, from++) {
            const struct ledger_location *at = &span->at[i];

            status = decrypt(ledger, from, at, data + (at->offset - span->at[0].offset), plain);
            if (status == 0)
                status = fn(context, from, plain, at->len);
        }
    }
    sr_wipe(plain, LEDGER_ENTRY_MAX);
out:
    free(plain);
    free(data);
    free(span);
    return status;
}

struct copy {
    uint8_t *entry;
    size_t len;
};

static int copy_entry(void *context, uint64_t index, const uint8_t *entry, size_t len)
{
    struct copy *copy = context;

    (void)index;
    copy->entry = malloc(len + 1);
    if (copy->entry == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    memcpy(copy->entry, entry, len);
    copy->entry[len] = '\0'; /* for those who print it */
    copy->len = len;
    return 0;
}

int ledger_read(struct ledger *ledger, uint64_t index, uint8_t **entry, size_t *len)
{
    struct copy copy = {0};
    int status;

    *entry = NULL;
    *len = 0;
    if (index >= ledger_committed(ledger))
        return sr_fail(SR_ERR_NOT_FOUND, "ledger: no entry %llu", (unsigned long long)index);
    status = ledger_each(ledger, index, index + 1, copy_entry, &copy);
    if (status != 0)
        return status;
    *entry = copy.entry;
    *len = copy.len;
    return 0;
}
