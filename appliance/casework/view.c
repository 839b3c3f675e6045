#include "casework/view.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/entry.h"

#define STEP 4096 /* entries between two calls of progress */

/* A whole projection: reading and decrypting is half of the work, and goes on in batches beside the projecting. The
 * entries of a batch end together, when all of them are projected. */
#define BATCH 64
#define BATCHES 4

struct batch {
    struct {
        uint64_t index;
        json_t *entry; /* private part opened */
    } items[BATCH];
    size_t count;
    struct sr_json_arena *arena; /* of the entries */
};

struct queue {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    struct batch batches[BATCHES];
    uint64_t in, out;         /* batches handed over, and projected; batch n is at n % BATCHES */
    bool ended;               /* nothing more comes */
    struct sr_error_copy why; /* why.code 0: all were projected so far */
};

struct projection {
    struct entry_opener opener;
    struct catalog *catalog;
    view_progress_fn *progress;
    void *context;
    uint64_t from, to, done;
    struct queue *queue; /* NULL: this thread projects */
};

/* What does not fit is damage of the ledger, as it was let in. */
static int judge(uint64_t index, int status)
{
    struct sr_error_copy why;
    if (status != SR_ERR_INVALID && status != SR_ERR_DAMAGED)
        return status;
    sr_error_save(&why, status);
    return sr_fail(SR_ERR_DAMAGED, "ledger entry %llu does not fit: %s", (unsigned long long)index,
                   why.message);
}

/* --- two threads --- */

/* The rest of a batch in which one fails is left out. */
static int project_batch(struct catalog *catalog, const struct batch *batch)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < batch->count; i++)
        status = judge(batch->items[i].index,
                       catalog_project(catalog, batch->items[i].index, batch->items[i].entry));
    return status;
}

static void *project_queue(void *context)
{
    struct projection *p = context;
    struct queue *queue = p->queue;
    pthread_mutex_lock(&queue->lock);
    for (;;) {
        while (queue->in == queue->out && !queue->ended)
            pthread_cond_wait(&queue->change, &queue->lock);
        if (queue->in == queue->out)
            break;
        bool failed = queue->why.code != 0;
        pthread_mutex_unlock(&queue->lock);
        int status = failed ? 0 : project_batch(p->catalog, &queue->batches[queue->out % BATCHES]);
        pthread_mutex_lock(&queue->lock);
        if (status < 0)
            sr_error_save(&queue->why, status);
        queue->out++;
        pthread_cond_broadcast(&queue->change);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

/* The batch that is filled next, by this thread. */
static void batch_begin(struct batch *batch)
{
    sr_json_arena_clear(batch->arena);
    batch->count = 0;
    sr_json_arena_use(batch->arena);
}

/* Gives the batch that is being filled to the other thread, and waits for room. The error of the other thread, if
 * there is one. */
static int hand_over(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->in++;
    pthread_cond_broadcast(&queue->change);
    while (queue->in - queue->out == BATCHES)
        pthread_cond_wait(&queue->change, &queue->lock);
    int status = queue->why.code != 0 ? sr_error_raise(&queue->why) : 0;
    pthread_mutex_unlock(&queue->lock);
    batch_begin(&queue->batches[queue->in % BATCHES]);
    return status;
}

/* entry is of the batch's arena. The error of the other thread, if there is one. */
static int push(struct queue *queue, uint64_t index, json_t *entry)
{
    struct batch *batch = &queue->batches[queue->in % BATCHES];
    batch->items[batch->count].index = index;
    batch->items[batch->count++].entry = entry;
    return batch->count == BATCH ? hand_over(queue) : 0;
}

static void queue_free(struct queue *queue)
{
    sr_json_arena_use(NULL);
    for (size_t i = 0; i < BATCHES; i++)
        sr_json_arena_free(queue->batches[i].arena);
    pthread_cond_destroy(&queue->change);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

static int queue_start(struct projection *p)
{
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory to make the catalog");
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->change, NULL);
    int status = 0;
    for (size_t i = 0; status == 0 && i < BATCHES; i++)
        status = sr_json_arena_new(&queue->batches[i].arena);
    p->queue = queue;
    if (status == 0) {
        int error = pthread_create(&queue->thread, NULL, project_queue, p);
        if (error != 0)
            status = sr_fail_errno(error, "no thread to make the catalog");
    }
    if (status < 0) {
        queue_free(queue);
        p->queue = NULL;
        return status;
    }
    batch_begin(&queue->batches[0]);
    return 0;
}

/* Waits until all is projected. status: of who has read. */
static int queue_end(struct projection *p, int status)
{
    struct queue *queue = p->queue;
    struct sr_error_copy why;
    if (queue == NULL)
        return status;
    if (status == 0 && queue->batches[queue->in % BATCHES].count > 0)
        status = hand_over(queue);
    sr_error_save(&why, status);
    pthread_mutex_lock(&queue->lock);
    queue->ended = true;
    pthread_cond_broadcast(&queue->change);
    pthread_mutex_unlock(&queue->lock);
    pthread_join(queue->thread, NULL);
    if (status == 0 && queue->why.code != 0) {
        why = queue->why;
        status = why.code;
    }
    queue_free(queue);
    p->queue = NULL;
    return status < 0 ? sr_error_raise(&why) : status;
}

/* --- projecting --- */

static int project_one(void *context, uint64_t index, const uint8_t *data, size_t len)
{
    struct projection *p = context;
    json_t *entry;
    int status = sr_json_parse(data, len, &entry);
    if (status == 0 && (status = entry_opener_open(&p->opener, entry)) < 0)
        json_decref(entry);
    if (status < 0)
        return judge(index, status);
    if (p->queue != NULL) {
        status = push(p->queue, index, entry);
    } else {
        status = judge(index, catalog_project(p->catalog, index, entry));
        json_decref(entry);
    }
    if (status == 0 && ++p->done % STEP == 0 && p->progress != NULL)
        status = p->progress(p->context, p->from + p->done, p->to);
    return status;
}

/* Entries below the ledger's own durable ones, up to `to`. */
static int project(struct projection *p, struct ledger *ledger, uint64_t to)
{
    struct catalog_progress progress;
    bool committed;
    catalog_progress(p->catalog, &progress);
    int status = catalog_durable(p->catalog, to, &committed);
    p->from = progress.low;
    p->to = to;
    if (status == 0 && progress.low < to)
        status = ledger_each(ledger, progress.low, to, project_one, p);
    entry_opener_wipe(&p->opener);
    status = queue_end(p, status);
    return status == 0 ? catalog_durable(p->catalog, to, &committed) : status;
}

int view_catch_up(struct vault *vault, struct ledger *ledger, struct catalog *catalog,
                  view_progress_fn *progress, void *context, uint64_t *replayed)
{
    struct projection p = {
        .opener.vault = vault, .catalog = catalog, .progress = progress, .context = context};
    int status = project(&p, ledger, ledger_committed(ledger));
    *replayed = p.done;
    return status;
}

/* Does it know entries that the ledger does not have? */
static int check_bound(struct ledger *ledger, struct catalog *catalog, bool *bound)
{
    struct catalog_progress progress;
    uint8_t *data = NULL;
    json_t *entry = NULL;
    size_t len;
    catalog_progress(catalog, &progress);
    *bound = progress.high == 0;
    if (progress.high == 0 || progress.high > ledger_committed(ledger))
        return 0;
    int status = ledger_read(ledger, progress.high - 1, &data, &len);
    if (status == 0)
        status = sr_json_parse(data, len, &entry);
    if (status == 0) {
        const char *salt = json_string_value(json_object_get(entry, "salt"));
        *bound = salt != NULL && strcmp(salt, progress.salt) == 0;
    }
    json_decref(entry);
    free(data);
    return status;
}

static int open_anew(struct vault *vault, struct view_report *report, const char *why,
                     struct catalog **catalog)
{
    struct catalog_found found;
    catalog_close(*catalog);
    *catalog = NULL;
    report->fresh = true;
    snprintf(report->why, sizeof report->why, "%s", why);
    int status = catalog_remove(vault, CATALOG_FILE);
    return status < 0 ? status : catalog_open(vault, CATALOG_FILE, &found, catalog);
}

/* Opens what is there, if it is of this ledger. */
static int open_bound(struct vault *vault, struct ledger *ledger, struct view_report *report,
                      struct catalog **catalog)
{
    struct catalog_found found;
    bool bound = false;
    int status = catalog_open(vault, CATALOG_FILE, &found, catalog);
    if (status < 0)
        return status;
    report->fresh = found.fresh;
    report->damaged = found.damaged;
    memcpy(report->why, found.why, sizeof report->why);
    if ((status = check_bound(ledger, *catalog, &bound)) < 0 || bound)
        return status;
    report->damaged = true;
    return open_anew(vault, report, "it knows entries that the ledger does not have", catalog);
}

int view_open(struct vault *vault, struct ledger *ledger, view_progress_fn *progress, void *context,
              struct view_report *report, struct catalog **out)
{
    struct catalog *catalog = NULL;
    struct sr_error_copy why;
    *out = NULL;
    memset(report, 0, sizeof *report);
    /* What a crash left of a rebuild or a check. */
    if (catalog_remove(vault, CATALOG_FILE_NEW) < 0 ||
        catalog_remove(vault, CATALOG_FILE_CHECK) < 0)
        sr_log_failure("what was left of a rebuild could not be removed");
    int status = open_bound(vault, ledger, report, &catalog);
    if (status == 0)
        status = view_catch_up(vault, ledger, catalog, progress, context, &report->replayed);
    if (status == SR_ERR_DAMAGED && !report->fresh) { /* a page beyond those that opening reads */
        report->damaged = true;
        status = open_anew(vault, report, sr_error_message(), &catalog);
        if (status == 0)
            status = view_catch_up(vault, ledger, catalog, progress, context, &report->replayed);
    }
    if (status != 0) {
        sr_error_save(&why, status);
        catalog_close(catalog);
        return status < 0 ? sr_error_raise(&why) : status;
    }
    *out = catalog;
    return 0;
}

/* A whole projection of its own, into name. */
static int project_into(struct vault *vault, struct ledger *ledger, const char *name, uint64_t to,
                        view_progress_fn *progress, void *context, struct catalog **out)
{
    struct projection p = {.opener.vault = vault, .progress = progress, .context = context};
    struct sr_error_copy why;
    *out = NULL;
    int status = catalog_remove(vault, name);
    if (status == 0)
        status = catalog_make(vault, name, &p.catalog);
    if (status == 0 && (status = queue_start(&p)) == 0 && (status = project(&p, ledger, to)) == 0)
        status = catalog_made(p.catalog);
    if (status != 0 && p.catalog != NULL) {
        sr_error_save(&why, status);
        catalog_close(p.catalog);
        (void)catalog_remove(vault, name);
        return status < 0 ? sr_error_raise(&why) : status;
    }
    *out = p.catalog;
    return status;
}

int view_rebuild(struct vault *vault, struct ledger *ledger, view_progress_fn *progress,
                 void *context, struct catalog **out)
{
    return project_into(vault, ledger, CATALOG_FILE_NEW, ledger_committed(ledger), progress,
                        context, out);
}

/* Projected ahead of entries in between: neither is, at rest. */
int view_check(struct vault *vault, struct ledger *ledger, struct catalog *catalog,
               view_progress_fn *progress, void *context, struct sr_buf *difference)
{
    struct catalog_progress at;
    struct catalog *truth;
    catalog_progress(catalog, &at);
    if (at.low != at.high)
        return sr_fail(SR_ERR_BUSY, "records are just being sealed: try again");
    int status =
        project_into(vault, ledger, CATALOG_FILE_CHECK, at.high, progress, context, &truth);
    if (status != 0)
        return status;
    status = catalog_compare(truth, catalog, difference);
    catalog_close(truth);
    if (catalog_remove(vault, CATALOG_FILE_CHECK) < 0)
        sr_log_failure("what was left of a check could not be removed");
    return status;
}
