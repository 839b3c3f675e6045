#include "ledger/ledger_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static int out_of_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
}

static size_t group_len(const struct ledger_batch *batch)
{
    return batch->len - GROUP_CHAIN_LEN + GROUP_MAC_LEN;
}

void ledger_check(const struct ledger *ledger)
{
    uint64_t index = ledger->committed;
    uint64_t offset = ledger->end;

    assert(ledger->published <= ledger->committed);
    assert((ledger->first == NULL) == (ledger->last == NULL));
    assert(!ledger->committing || (ledger->first != NULL && ledger->first->closed));
    for (const struct ledger_batch *batch = ledger->first; batch != NULL; batch = batch->next) {
        assert(batch->first == index && batch->count > 0 && batch->offset == offset);
        assert(batch->next != NULL ? batch->closed : batch == ledger->last);
        index += batch->count;
        offset += group_len(batch);
    }
    assert(index == ledger->tree.size);
    (void)index;
    (void)offset;
}

int ledger_reserve_location(struct ledger *ledger, uint64_t index)
{
    size_t capacity = ledger->locations_capacity;
    struct ledger_location *grown;

    if (index < capacity)
        return 0;
    capacity = capacity == 0 ? 64 : 2 * capacity;
    grown = realloc(ledger->locations, capacity * sizeof(*grown));
    if (grown == NULL)
        return out_of_memory();
    ledger->locations = grown;
    ledger->locations_capacity = capacity;
    return 0;
}

/* Room for one more entry of need bytes, and for the MAC. */
static int reserve_bytes(struct ledger_batch *batch, size_t need)
{
    size_t capacity = batch->capacity;
    uint8_t *grown;

    need += batch->len + GROUP_MAC_LEN;
    if (need <= capacity)
        return 0;
    capacity = capacity == 0 ? 4096 : capacity;
    while (capacity < need)
        capacity *= 2;
    grown = realloc(batch->bytes, capacity);
    if (grown == NULL)
        return out_of_memory();
    batch->bytes = grown;
    batch->capacity = capacity;
    return 0;
}

static void batch_free(struct ledger_batch *batch)
{
    if (batch == NULL)
        return;
    free(batch->bytes);
    free(batch);
}

/* The batch that the next entry of need bytes goes to; *fresh is set if it is not in the list yet.
 * Lock held. */
static int open_batch(struct ledger *ledger, size_t need, struct ledger_batch **out,
                      struct ledger_batch **fresh)
{
    struct ledger_batch *last = ledger->last;
    struct ledger_batch *batch;

    *fresh = NULL;
    *out = last;
    if (last != NULL && !last->closed &&
        last->len - GROUP_CHAIN_LEN - GROUP_HEADER_LEN + need <= GROUP_BODY_MAX)
        return 0;
    batch = calloc(1, sizeof(*batch));
    if (batch == NULL)
        return out_of_memory();
    batch->first = ledger->tree.size;
    batch->offset = last != NULL ? last->offset + group_len(last) : ledger->end;
    batch->len = GROUP_CHAIN_LEN + GROUP_HEADER_LEN;
    *out = *fresh = batch;
    return 0;
}

/* Lock held. Nothing has happened unless it returns 0. */
static int append_locked(struct ledger *ledger, const void *entry, size_t len)
{
    uint64_t index = ledger->tree.size;
    size_t need = len + GROUP_ENTRY_OVERHEAD;
    struct ledger_batch *fresh = NULL;
    uint8_t nonce[SR_GCM_IV_LEN];
    struct ledger_batch *batch;
    struct tlog_hash leaf;
    int status;

    status = open_batch(ledger, need, &batch, &fresh);
    if (status != 0)
        return status;
    status = batch->offset + batch->len < LEDGER_JOURNAL_MAX
                 ? reserve_bytes(batch, need)
                 : sr_fail(SR_ERR_TOO_LARGE, "ledger/journal is as long as one may be");
    if (status != 0)
        goto out;
    status = ledger_reserve_location(ledger, index);
    if (status != 0)
        goto out;
    status = ledger->io->random(ledger->io, nonce, sizeof(nonce));
    if (status < 0) {
        status = sr_fail_errno(-status, "ledger: no random bytes for a nonce");
        goto out;
    }
    status = group_entry_encrypt(ledger->append_gcm, ledger->secrets->key_enc, ledger->vault_id,
                                 index, nonce, entry, len, batch->bytes + batch->len);
    if (status != 0)
        goto out;
    status = tlog_leaf_hash(entry, len, &leaf);
    if (status != 0)
        goto out;
    status = tree_append(&ledger->tree, &leaf, NULL);
    if (status != 0)
        goto out;
    ledger->locations[index] =
        (struct ledger_location){batch->offset + batch->len - GROUP_CHAIN_LEN, len};
    batch->len += need;
    batch->count++;
    if (fresh != NULL) {
        if (ledger->last != NULL) {
            ledger->last->closed = true;
            ledger->last->next = fresh;
        } else {
            ledger->first = fresh;
        }
        ledger->last = fresh;
        fresh = NULL;
    }
    ledger_check(ledger);
out:
    batch_free(fresh);
    return status;
}

int ledger_append(struct ledger *ledger, const void *entry, size_t len, uint64_t *index)
{
    int status;

    *index = 0;
    if (len == 0)
        return sr_fail(SR_ERR_INVALID, "ledger: an empty entry");
    if (len > LEDGER_ENTRY_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "ledger: an entry of %zu bytes, more than %d", len,
                       LEDGER_ENTRY_MAX);
    pthread_mutex_lock(&ledger->lock);
    status = append_locked(ledger, entry, len);
    if (status == 0)
        *index = ledger->tree.size - 1;
    pthread_mutex_unlock(&ledger->lock);
    return status;
}

void ledger_allocate(struct ledger *ledger, uint64_t position)
{
    uint64_t target;

    if (position + LEDGER_ALLOCATE_AHEAD <= ledger->allocated)
        return;
    target = (position + LEDGER_ALLOCATE_AHEAD + LEDGER_ALLOCATE_STEP - 1) / LEDGER_ALLOCATE_STEP *
             LEDGER_ALLOCATE_STEP;
    if (ledger->io->allocate(ledger->io, ledger->fd, ledger->end, target - ledger->end) == 0)
        ledger->allocated = target;
}

static int finish_batch(struct ledger *ledger, struct ledger_batch *batch)
{
    struct group_header header = {
        .first = batch->first,
        .count = batch->count,
        .body_len = (uint32_t)(batch->len - GROUP_CHAIN_LEN - GROUP_HEADER_LEN),
    };
    int status;

    if (batch->finished)
        return 0;
    memcpy(batch->bytes, ledger->chain, GROUP_CHAIN_LEN);
    group_header_put(&header, batch->bytes + GROUP_CHAIN_LEN);
    status =
        group_mac(ledger->secrets->key_mac, batch->bytes, batch->len, batch->bytes + batch->len);
    batch->finished = status == 0;
    return status;
}

/* Everything that is written to the journal is written here. Without lock, committing is set. */
static int write_batch(struct ledger *ledger, struct ledger_batch *batch)
{
    int status = finish_batch(ledger, batch);

    if (status != 0)
        return status;
    ledger_allocate(ledger, batch->offset + group_len(batch));
    status = sr_io_write_full(ledger->io, ledger->fd, batch->bytes + GROUP_CHAIN_LEN,
                              group_len(batch), batch->offset);
    if (status != 0)
        return status;
    status = ledger->io->fdatasync(ledger->io, ledger->fd);
    if (status < 0)
        return sr_fail_errno(-status, "sync ledger/journal");
    return 0;
}

/* Writes the first batch. Lock held, not committing, a batch is there; returns with the lock held.
 * After a failure the batch stays: after a failed fsync nobody knows what the page cache holds, so
 * the next attempt writes the same bytes to the same place again. */
static int commit_first(struct ledger *ledger)
{
    struct ledger_batch *batch = ledger->first;
    int status;

    batch->closed = true;
    ledger->committing = true;
    ledger_check(ledger);
    pthread_mutex_unlock(&ledger->lock);
    int64_t from_ns = ledger->io->boottime_ns(ledger->io);
    status = write_batch(ledger, batch);
    int64_t took_ns = ledger->io->boottime_ns(ledger->io) - from_ns;
    pthread_mutex_lock(&ledger->lock);
    ledger->commit_ns += (took_ns - ledger->commit_ns) / 8;
    ledger->committing = false;
    ledger->failing = status != 0;
    if (status == 0) {
        memcpy(ledger->chain, batch->bytes + batch->len, GROUP_CHAIN_LEN);
        ledger->committed += batch->count;
        ledger->end += group_len(batch);
        ledger->first = batch->next;
        if (ledger->first == NULL)
            ledger->last = NULL;
        batch_free(batch);
        if (ledger->due_ns == 0) {
            ledger->due_ns = ledger->io->boottime_ns(ledger->io) + LEDGER_PUBLISH_NS;
            pthread_cond_signal(&ledger->work);
        }
    } else {
        sr_error_save(&ledger->failure, status);
        ledger->failures++;
    }
    ledger_check(ledger);
    pthread_cond_broadcast(&ledger->done);
    return status;
}

int ledger_commit_locked(struct ledger *ledger, uint64_t upto)
{
    while (ledger->committed < upto) {
        uint64_t seen = ledger->failures;
        int status;

        if (!ledger->committing) {
            status = commit_first(ledger);
            if (status != 0)
                return status;
            continue;
        }
        pthread_cond_wait(&ledger->done, &ledger->lock);
        /* Nothing after a group that failed can be durable either, so its error is ours too. */
        if (ledger->failures != seen && ledger->committed < upto)
            return sr_error_raise(&ledger->failure);
    }
    return 0;
}

int ledger_commit(struct ledger *ledger, uint64_t index)
{
    int status;

    pthread_mutex_lock(&ledger->lock);
    if (index >= ledger->tree.size)
        status =
            sr_fail(SR_ERR_INVALID, "ledger: no entry %llu to commit", (unsigned long long)index);
    else
        status = ledger_commit_locked(ledger, index + 1);
    pthread_mutex_unlock(&ledger->lock);
    return status;
}

void ledger_expect(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    bool slow = ledger->commit_ns > LEDGER_SLOW_NS;
    pthread_mutex_unlock(&ledger->lock);
    if (slow)
        ledger_kick(ledger);
}

void ledger_kick(struct ledger *ledger)
{
    pthread_mutex_lock(&ledger->lock);
    ledger->kicked = true;
    pthread_cond_signal(&ledger->work);
    pthread_mutex_unlock(&ledger->lock);
}

/* Lock held. Waits for a signal, or until boottime deadline_ns if it is not 0. The condition's
 * clock stands still while the machine sleeps, so the caller looks at the boottime again. */
static void wait_for_work(struct ledger *ledger, int64_t now_ns, int64_t deadline_ns)
{
    struct timespec until;
    int64_t at_ns;

    if (deadline_ns == 0) {
        pthread_cond_wait(&ledger->work, &ledger->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &until);
    at_ns = until.tv_nsec + (deadline_ns - now_ns);
    until.tv_sec += at_ns / 1000000000;
    until.tv_nsec = at_ns % 1000000000;
    pthread_cond_timedwait(&ledger->work, &ledger->lock, &until);
}

/* A kicked commit. Lock held. */
static void commit_kicked(struct ledger *ledger, int64_t now_ns)
{
    bool failed_before = ledger->failing;

    ledger->kicked = false;
    if (ledger_commit_locked(ledger, ledger->tree.size) == 0)
        return;
    if (!failed_before)
        sr_log_failure("the ledger cannot be written, acts are refused until it can");
    ledger->kicked = true;
    ledger->retry_ns = now_ns + LEDGER_RETRY_NS;
}

/* Lock held; released while it publishes. */
static void publish_due(struct ledger *ledger)
{
    int status;

    pthread_mutex_unlock(&ledger->lock);
    status = publish_checkpoint(ledger, NULL);
    if (status != 0)
        sr_log_failure("no checkpoint could be published");
    pthread_mutex_lock(&ledger->lock);
    ledger->due_ns = 0;
    if (ledger->published < ledger->committed)
        ledger->due_ns = ledger->io->boottime_ns(ledger->io) + LEDGER_PUBLISH_NS;
}

void *ledger_thread(void *context)
{
    struct ledger *ledger = context;

    pthread_mutex_lock(&ledger->lock);
    while (!ledger->stopping) {
        int64_t now_ns = ledger->io->boottime_ns(ledger->io);
        int64_t deadline_ns = ledger->due_ns;

        if (ledger->kicked && now_ns >= ledger->retry_ns) {
            commit_kicked(ledger, now_ns);
            continue;
        }
        if (ledger->due_ns != 0 && now_ns >= ledger->due_ns) {
            publish_due(ledger);
            continue;
        }
        if (ledger->kicked && (deadline_ns == 0 || ledger->retry_ns < deadline_ns))
            deadline_ns = ledger->retry_ns;
        wait_for_work(ledger, now_ns, deadline_ns);
    }
    pthread_mutex_unlock(&ledger->lock);
    return NULL;
}

uint64_t ledger_size(struct ledger *ledger)
{
    uint64_t size;

    pthread_mutex_lock(&ledger->lock);
    size = ledger->tree.size;
    pthread_mutex_unlock(&ledger->lock);
    return size;
}

uint64_t ledger_committed(struct ledger *ledger)
{
    uint64_t committed;

    pthread_mutex_lock(&ledger->lock);
    committed = ledger->committed;
    pthread_mutex_unlock(&ledger->lock);
    return committed;
}

bool ledger_failing(struct ledger *ledger)
{
    bool failing;

    pthread_mutex_lock(&ledger->lock);
    failing = ledger->failing;
    pthread_mutex_unlock(&ledger->lock);
    return failing;
}
