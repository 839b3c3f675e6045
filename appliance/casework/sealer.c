/* The sealer: one thread that waits for what is due, and seals in batches so that folder syncs and
 * the ledger's commit are shared. The order of one batch (docs/architecture.md, "Seal order"):
 *   finalize (in parallel) -> link -> sync of the folders -> ledger append and commit -> unlink the
 *   staging names -> sync of staging/ -> project -> chattr +i.
 * The staging name outlives the append, so start-up never has to scan objects/. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/cases.h"
#include "casework/door_internal.h"

#define BATCH 64
#define FINALIZERS 4
#define RETRY_NS (5 * INT64_C(1000000000))
#define RETRY_DOUBLINGS 7 /* ten minutes at most */
#define TICK_NS (INT64_C(1000000000))
#define LINGER_NS (TICK_NS / 100)
#define SLOW_NS (TICK_NS / 1000)
#define LARGE_BYTES (UINT64_C(8) << 20)
#define COMMIT_RETRY_NS (TICK_NS / 5)
#define HOLES_IN_ENTRY 64

struct seal {
    struct live *live;
    struct staging_seal content;
    json_t *entry; /* the record.seal, to be projected */
    uint64_t index;
    int status;
};

/* One for the life of the sealer, with its helpers. lock guards ready, next, busy and stop: items below
 * ready are to be finalized, from next on by whoever takes them; busy of them are under way. */
struct batch {
    struct door *door;
    struct seal items[BATCH];
    size_t count;
    pthread_mutex_t lock;
    pthread_cond_t work, idle;
    size_t ready, next, busy;
    bool stop;
    pthread_t helpers[FINALIZERS - 1];
    size_t helper_count;
};

/* Lock held. */
static void collect_due(struct door *door, struct batch *batch, int64_t now, int64_t *wait_until)
{
    for (size_t b = 0; b < DOOR_LIVE_BUCKETS && door->live_count > 0; b++)
        for (struct live *live = door->live[b]; live != NULL; live = live->next) {
            int64_t due = live_due(door, live);
            if (due > now || batch->count == BATCH) {
                if (due < *wait_until)
                    *wait_until = due;
                continue;
            }
            if (!live->superseded && staging_size(live->staging) == 0)
                continue;
            live->phase = LIVE_SEALING;
            live->finalizing = true;
            live_ref(live);
            batch->items[batch->count++] = (struct seal){.live = live};
        }
}

static void finalize_one(struct door *door, struct seal *seal)
{
    seal->status = staging_finalize(seal->live->staging, &seal->content);
    if (seal->status == 0)
        seal->status = staging_link(seal->live->staging);
    if (seal->status == SR_ERR_DAMAGED && seal->live->failures == 0)
        door_alert(door, "staging.damaged", &seal->live->object, sr_error_message());
    if (seal->status < 0)
        sr_log_failure("a record could not be sealed; it is tried again");
}

/* A helper goes on beside this thread. Lock held. */
static void call_helper(struct batch *batch)
{
    if (batch->next < batch->ready)
        pthread_cond_signal(&batch->work);
}

/* Takes items until none is left. For one that is large, or took long because it waited for the disk, a
 * helper is called. What is quick is quicker without, as a helper would take the processors from those
 * that copy. Lock held, dropped meanwhile. */
static void finalize_some(struct batch *batch)
{
    struct sr_io *io = batch->door->io;
    while (batch->next < batch->ready) {
        struct seal *seal = &batch->items[batch->next++];
        batch->busy++;
        if (staging_size(seal->live->staging) >= LARGE_BYTES)
            call_helper(batch);
        pthread_mutex_unlock(&batch->lock);
        int64_t from_ns = io->boottime_ns(io);
        finalize_one(batch->door, seal);
        bool slow = io->boottime_ns(io) - from_ns > SLOW_NS;
        pthread_mutex_lock(&batch->lock);
        batch->busy--;
        if (slow)
            call_helper(batch);
    }
    if (batch->busy == 0)
        pthread_cond_signal(&batch->idle);
}

static void *helper_thread(void *context)
{
    struct batch *batch = context;
    pthread_mutex_lock(&batch->lock);
    while (!batch->stop) {
        finalize_some(batch);
        pthread_cond_wait(&batch->work, &batch->lock);
    }
    pthread_mutex_unlock(&batch->lock);
    return NULL;
}

static void finalize_all(struct batch *batch)
{
    pthread_mutex_lock(&batch->lock);
    batch->next = 0;
    batch->ready = batch->count;
    finalize_some(batch);
    while (batch->busy > 0)
        pthread_cond_wait(&batch->idle, &batch->lock);
    pthread_mutex_unlock(&batch->lock);
}

/* Fewer helpers only make it slower. */
static struct batch *batch_new(struct door *door)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL)
        return NULL;
    batch->door = door;
    pthread_mutex_init(&batch->lock, NULL);
    pthread_cond_init(&batch->work, NULL);
    pthread_cond_init(&batch->idle, NULL);
    while (batch->helper_count < FINALIZERS - 1 &&
           pthread_create(&batch->helpers[batch->helper_count], NULL, helper_thread, batch) == 0)
        batch->helper_count++;
    return batch;
}

static void batch_free(struct batch *batch)
{
    pthread_mutex_lock(&batch->lock);
    batch->stop = true;
    pthread_cond_broadcast(&batch->work);
    pthread_mutex_unlock(&batch->lock);
    while (batch->helper_count > 0)
        pthread_join(batch->helpers[--batch->helper_count], NULL);
    pthread_cond_destroy(&batch->work);
    pthread_cond_destroy(&batch->idle);
    pthread_mutex_destroy(&batch->lock);
    free(batch);
}

/* The links of all that were finalized, durable. One failure holds back the batch: all are tried again. */
static void sync_links(struct batch *batch)
{
    struct staging *linked[BATCH];
    size_t count = 0;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].status == 0)
            linked[count++] = batch->items[i].live->staging;
    int status = count > 0 ? staging_sync_links(batch->door->vault, linked, count) : 0;
    if (status == 0)
        return;
    sr_log_failure("folders of sealed objects could not be synced; tried again");
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].status == 0)
            batch->items[i].status = status;
}

static json_t *holes_json(const struct staging_seal *content)
{
    json_t *holes = json_array();
    for (size_t i = 0; holes != NULL && i < content->hole_count && i < HOLES_IN_ENTRY; i++) {
        json_t *range = json_array();
        if (range == NULL ||
            json_array_append_new(range, sr_json_u64_text(content->holes[i].start)) != 0 ||
            json_array_append_new(range, sr_json_u64_text(content->holes[i].end)) != 0 ||
            json_array_append_new(holes, range) != 0) {
            json_decref(holes);
            return NULL;
        }
    }
    return holes;
}

/* record.seal but for its mtime. The lock is not needed: nothing else of a live changes while it is being
 * sealed (D4). */
static int make_entry(struct door *door, const struct seal *seal, json_t **out)
{
    const struct live *live = seal->live;
    const struct staging_seal *content = &seal->content;
    bool incomplete = live->died || live->salvaged || content->hole_count > 0;
    json_t *entry;
    int status = entry_new(door->io, "record.seal", &entry);
    *out = NULL;
    if (status < 0)
        return status;
    if ((status = entry_set_record(door->vault, entry, &live->object, live->key_id, NULL)) < 0 ||
        (status = entry_set(entry, "size", sr_json_u64_text(content->size))) < 0 ||
        (status = entry_set(entry, "sha256", sr_json_hex(content->sha256, SR_SHA256_LEN))) < 0 ||
        (status = entry_set(entry, "tag_root", sr_json_hex(content->tag_root, SR_SHA256_LEN))) <
            0 ||
        (status = entry_set(entry, "header_sha256",
                            sr_json_hex(content->header_sha256, SR_SHA256_LEN))) < 0 ||
        (status = entry_set(entry, "state", json_string(incomplete ? "incomplete" : "sealed"))) <
            0 ||
        (status = entry_set(entry, "salvaged", json_boolean(live->salvaged))) < 0 ||
        (status = entry_set(entry, "holes", holes_json(content))) < 0 ||
        (status = entry_set(entry, "hole_count", json_integer((json_int_t)content->hole_count))) <
            0 ||
        (status = entry_set(entry, "empty", json_boolean(content->size == 0))) < 0) {
        json_decref(entry);
        return status;
    }
    *out = entry;
    return 0;
}

/* Queues record.seal; from here on the record does not change (D3). */
static int append_seal(struct door *door, struct seal *seal)
{
    json_t *entry;
    int status = make_entry(door, seal, &entry);
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = entry_set(entry, "mtime", sr_json_i64_text(seal->live->mtime_ns)); /* may come late */
    if (status == 0)
        status = entry_append(door->ledger, entry, &seal->index);
    if (status == 0) {
        seal->live->appended = true;
        seal->live->seal_index = seal->index;
    }
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        seal->entry = entry;
    else
        json_decref(entry);
    return status;
}

static void append_all(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct seal *seal = &batch->items[i];
        if (seal->status == 0 && (seal->status = append_seal(batch->door, seal)) < 0)
            sr_log_failure("a seal could not be put into the ledger; tried again");
    }
}

/* Lock held. Waits for a signal, at most one tick. */
static void wait_for(struct door *door, int64_t wait_ns)
{
    struct timespec deadline;
    wait_ns = wait_ns > TICK_NS ? TICK_NS : wait_ns < 0 ? 0 : wait_ns;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    int64_t at = deadline.tv_sec * INT64_C(1000000000) + deadline.tv_nsec + wait_ns;
    deadline.tv_sec = at / INT64_C(1000000000);
    deadline.tv_nsec = at % INT64_C(1000000000);
    pthread_cond_timedwait(&door->wake, &door->lock, &deadline);
}

/* Entries that stand in the queue are written sooner or later; until then nothing is promised. */
static int commit_all(struct batch *batch)
{
    struct door *door = batch->door;
    uint64_t last = 0;
    bool any = false;
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].entry != NULL) {
            last = batch->items[i].index > last ? batch->items[i].index : last;
            any = true;
        }
    while (any && ledger_commit(door->ledger, last) < 0) {
        sr_log_failure("seals wait for the ledger");
        pthread_mutex_lock(&door->lock);
        bool stopping = door->stopping;
        if (!stopping)
            wait_for(door, COMMIT_RETRY_NS);
        pthread_mutex_unlock(&door->lock);
        if (stopping)
            return SR_ERR_CLOSED;
    }
    return 0;
}

/* Twice as late each time; damage that stays is not read again and again. Lock held. */
static void retry_later(struct live *live, int status, int64_t now)
{
    live->phase = LIVE_OPEN;
    live->failures += live->failures < RETRY_DOUBLINGS;
    live->retry_ns =
        now + (RETRY_NS << (status == SR_ERR_DAMAGED ? RETRY_DOUBLINGS : live->failures - 1));
}

/* Durable: tell the catalog, drop the staging names. Those that failed are tried again later. */
static void finish_all(struct batch *batch)
{
    struct door *door = batch->door;
    struct live *unused[BATCH] = {NULL};
    bool unlinked[BATCH];
    uint64_t nodes[BATCH];
    int64_t now = door->io->boottime_ns(door->io);
    for (size_t i = 0; i < batch->count; i++) {
        unlinked[i] =
            batch->items[i].entry != NULL && staging_unlink(batch->items[i].live->staging) == 0;
        if (batch->items[i].entry != NULL && !unlinked[i])
            sr_log_failure("a staging name could not be removed; the next start removes it");
    }
    bool synced = staging_sync_folder(door->vault) == 0;
    if (!synced)
        sr_log_failure("the staging folder could not be synced");
    /* Immutable last: the staging name of an immutable file cannot be removed. */
    for (size_t i = 0; synced && i < batch->count; i++)
        if (unlinked[i] && object_set_immutable(door->vault, &batch->items[i].live->object) < 0)
            sr_log_failure("an object could not be made immutable");
    /* Without the lock, which the copiers want: until live_finish the live says that it is being sealed. */
    for (size_t i = 0; i < batch->count; i++)
        if (batch->items[i].entry != NULL &&
            catalog_project(door->catalog, batch->items[i].index, batch->items[i].entry) < 0)
            sr_log_failure("a seal that stands in the ledger could not be projected");
    pthread_mutex_lock(&door->lock);
    for (size_t i = 0; i < batch->count; i++) {
        struct seal *seal = &batch->items[i];
        struct live *live = seal->live;
        if (seal->entry != NULL) {
            live_finish(door, live, LIVE_SEALED);
        } else {
            retry_later(live, seal->status, now);
        }
        nodes[i] = live->node;
        unused[i] = live_unref(door, live);
    }
    pthread_mutex_unlock(&door->lock);
    for (size_t i = 0; i < batch->count; i++) {
        if (door->config.invalidate != NULL && batch->items[i].entry != NULL)
            door->config.invalidate(door->config.invalidate_context, nodes[i], 0, NULL);
        live_destroy(unused[i]);
        if (batch->items[i].entry != NULL)
            describer_wake(door->describer);
        json_decref(batch->items[i].entry);
        free(batch->items[i].content.holes);
    }
}

static void seal_batch(struct batch *batch)
{
    finalize_all(batch);
    sync_links(batch);
    append_all(batch);
    if (commit_all(batch) == 0)
        finish_all(batch);
    else /* shutting down with the ledger failing: staging is complete, the next start goes on */
        for (size_t i = 0; i < batch->count; i++) {
            json_decref(batch->items[i].entry);
            free(batch->items[i].content.holes);
        }
}

static void *sealer_thread(void *context)
{
    struct door *door = context;
    struct batch *batch = batch_new(door);
    int64_t tick = 0;
    if (batch == NULL)
        abort(); /* at start-up, before anything was accepted */
    pthread_mutex_lock(&door->lock);
    while (!door->stopping) {
        int64_t now = door->io->boottime_ns(door->io), until = DOOR_NEVER;
        if (now - tick >= TICK_NS) {
            tick = now;
            pthread_mutex_unlock(&door->lock);
            door_flush_folds(door, false);
            reading_flush(door, false);
            door_rules_tell(door);
            door_view_commit(door);
            if (cases_ensure_year(door) < 0)
                sr_log_failure("this year's folder could not be made");
            pthread_mutex_lock(&door->lock);
            continue;
        }
        batch->count = 0;
        collect_due(door, batch, now, &until);
        if (batch->count > 0) {
            pthread_mutex_unlock(&door->lock);
            seal_batch(batch);
            pthread_mutex_lock(&door->lock);
            if (batch->count < BATCH / 2 && !door->stopping)
                wait_for(door, LINGER_NS); /* syncs are shared by what comes meanwhile */
            continue;
        }
        if (atomic_load(&door->rules.stale)) {
            pthread_mutex_unlock(&door->lock);
            door_rules_forget(door);
            pthread_mutex_lock(&door->lock);
            continue;
        }
        int64_t wait_ns = until < now + TICK_NS ? until - now : TICK_NS;
        door->sealer_until_ns = now + wait_ns;
        wait_for(door, wait_ns);
        door->sealer_until_ns = INT64_MIN; /* awake: it looks by itself */
    }
    pthread_mutex_unlock(&door->lock);
    batch_free(batch);
    return NULL;
}

int door_sealer_start(struct door *door)
{
    int error = pthread_create(&door->sealer, NULL, sealer_thread, door);
    if (error != 0)
        return sr_fail_errno(error, "no thread for sealing");
    door->sealer_started = true;
    return 0;
}

void door_sealer_stop(struct door *door)
{
    if (door->sealer_started)
        pthread_join(door->sealer, NULL);
    door->sealer_started = false;
}
