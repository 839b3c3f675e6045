/* Threads and lists. A worker prefers hashing: SHA-256 is the slowest stage and serial per file, so
 * whenever the frontier can move some worker should be moving it; when the hasher has caught up
 * there is nothing to hash and the worker encrypts. */
#include "vault/pipeline.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "vault/pipeline_internal.h"
#include "vault/staging_internal.h"
#include "vault/vault_internal.h"

struct pipeline *pipeline_of(const struct vault *vault)
{
    return vault->pipeline;
}

struct sr_io *pipeline_io(const struct pipeline *pipeline)
{
    return pipeline->vault->io;
}

bool pipeline_quiet(const struct pipeline *pipeline)
{
    return !pipeline->running && !pipeline->write_head && !pipeline->hash_head;
}

/* --- contexts --- */

static void context_free(struct pipeline_context *context)
{
    if (!context)
        return;
    sr_gcm_free(context->gcm);
    sr_secret_free(context->cipher, (size_t)PIPELINE_RUN * VAULT_SEGMENT_LEN);
    sr_secret_free(context->plain, VAULT_SEGMENT_PLAIN);
    free(context);
}

static int context_new(struct pipeline_context **out)
{
    struct pipeline_context *context = calloc(1, sizeof(*context));
    int rc;

    *out = NULL;
    if (!context)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    context->cipher = sr_secret_alloc((size_t)PIPELINE_RUN * VAULT_SEGMENT_LEN);
    context->plain = sr_secret_alloc(VAULT_SEGMENT_PLAIN);
    rc = context->cipher && context->plain ? sr_gcm_new(&context->gcm)
                                           : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (rc) {
        context_free(context);
        return rc;
    }
    *out = context;
    return 0;
}

uint8_t *pipeline_context_plain(struct pipeline_context *context)
{
    context->plain_used = true;
    return context->plain;
}

int pipeline_context_get(struct pipeline *pipeline, struct pipeline_context **out)
{
    pthread_mutex_lock(&pipeline->lock);
    *out = pipeline->contexts;
    if (*out) {
        pipeline->contexts = (*out)->next;
        pipeline->context_count--;
    }
    pthread_mutex_unlock(&pipeline->lock);
    return *out ? 0 : context_new(out);
}

void pipeline_context_put(struct pipeline *pipeline, struct pipeline_context *context)
{
    if (!context)
        return;
    if (context->plain_used)
        sr_wipe(context->plain, VAULT_SEGMENT_PLAIN);
    context->plain_used = false;
    pthread_mutex_lock(&pipeline->lock);
    if (pipeline->context_count < PIPELINE_POOLED_CONTEXTS) {
        context->next = pipeline->contexts;
        pipeline->contexts = context;
        pipeline->context_count++;
        context = NULL;
    }
    pthread_mutex_unlock(&pipeline->lock);
    context_free(context);
}

/* --- members --- */

void pipeline_join(struct pipeline *pipeline, struct pipeline_member *member)
{
    struct pipeline_member *head = &pipeline->members;

    pthread_mutex_lock(&pipeline->lock);
    member->prev = head->prev;
    member->next = head;
    head->prev->next = member;
    head->prev = member;
    member->touched = pipeline->touches;
    pthread_mutex_unlock(&pipeline->lock);
}

static void unlink_member(struct pipeline_member *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
}

void pipeline_touch(struct pipeline *pipeline, struct pipeline_member *member)
{
    struct pipeline_member *head = &pipeline->members;

    pthread_mutex_lock(&pipeline->lock);
    member->touched = ++pipeline->touches;
    if (head->prev != member) {
        unlink_member(member);
        member->prev = head->prev;
        member->next = head;
        head->prev->next = member;
        head->prev = member;
    }
    pthread_mutex_unlock(&pipeline->lock);
}

static void remove_scheduled(struct pipeline *pipeline, struct pipeline_member *member)
{
    struct pipeline_member **at;

    pipeline->write_tail = pipeline->hash_tail = NULL;
    for (at = &pipeline->write_head; *at;) {
        if (*at == member) {
            *at = member->write_next;
        } else {
            pipeline->write_tail = *at;
            at = &(*at)->write_next;
        }
    }
    for (at = &pipeline->hash_head; *at;) {
        if (*at == member) {
            *at = member->hash_next;
        } else {
            pipeline->hash_tail = *at;
            at = &(*at)->hash_next;
        }
    }
    member->on_write = member->on_hash = false;
}

void pipeline_leave(struct pipeline *pipeline, struct pipeline_member *member)
{
    pthread_mutex_lock(&pipeline->lock);
    while (member->pins)
        pthread_cond_wait(&pipeline->idle, &pipeline->lock);
    if (member->on_write || member->on_hash)
        remove_scheduled(pipeline, member);
    unlink_member(member);
    pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_schedule_write(struct pipeline *pipeline, struct pipeline_member *member)
{
    pthread_mutex_lock(&pipeline->lock);
    if (!member->on_write) {
        member->on_write = true;
        member->write_next = NULL;
        if (pipeline->write_tail && pipeline->write_head)
            pipeline->write_tail->write_next = member;
        else
            pipeline->write_head = member;
        pipeline->write_tail = member;
        if (pipeline->sleeping)
            pthread_cond_signal(&pipeline->work);
    }
    pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_schedule_hash(struct pipeline *pipeline, struct pipeline_member *member)
{
    pthread_mutex_lock(&pipeline->lock);
    if (!member->on_hash) {
        member->on_hash = true;
        member->hash_next = NULL;
        if (pipeline->hash_tail && pipeline->hash_head)
            pipeline->hash_tail->hash_next = member;
        else
            pipeline->hash_head = member;
        pipeline->hash_tail = member;
        if (pipeline->sleeping)
            pthread_cond_signal(&pipeline->work);
    }
    pthread_mutex_unlock(&pipeline->lock);
}

/* --- threads --- */

/* Waits for work; when a second passes without any, the plaintext of free buffers is wiped. */
static void wait_for_work(struct pipeline *pipeline)
{
    struct timespec until;

    if (pipeline->room_waiters)
        pthread_cond_broadcast(&pipeline->room);
    pipeline->sleeping++;
    if (pipeline->warm) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++;
        if (pthread_cond_timedwait(&pipeline->work, &pipeline->lock, &until) == ETIMEDOUT &&
            pipeline_quiet(pipeline)) {
            while (pipeline_cool(pipeline) && pipeline_quiet(pipeline)) {
                pthread_mutex_unlock(&pipeline->lock);
                pthread_mutex_lock(&pipeline->lock);
            }
        }
    } else {
        pthread_cond_wait(&pipeline->work, &pipeline->lock);
    }
    pipeline->sleeping--;
}

static void run_task(struct pipeline *pipeline, struct pipeline_member *member, bool hash,
                     struct pipeline_context *context)
{
    member->pins++;
    pipeline->running++;
    pthread_mutex_unlock(&pipeline->lock);
    if (hash)
        staging_hash_task(member->staging);
    else
        staging_write_task(member->staging, context);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->running--;
    if (!--member->pins)
        pthread_cond_broadcast(&pipeline->idle);
}

static void *worker_main(void *argument)
{
    struct pipeline *pipeline = argument;
    struct pipeline_context *context = NULL;
    struct pipeline_member *member;

    /* Without a context a worker can still hash; another may have got one. */
    if (pipeline_context_get(pipeline, &context))
        sr_log_failure("vault worker");
    pthread_mutex_lock(&pipeline->lock);
    for (;;) {
        if ((member = pipeline->hash_head)) {
            pipeline->hash_head = member->hash_next;
            member->on_hash = false;
            run_task(pipeline, member, true, context);
        } else if ((member = pipeline->write_head) && context) {
            pipeline->write_head = member->write_next;
            member->on_write = false;
            run_task(pipeline, member, false, context);
        } else if (pipeline->ready_due && !pipeline->stopping) {
            pipeline->ready_due = false;
            pthread_mutex_unlock(&pipeline->lock);
            staging_ready_fill(pipeline->vault);
            pthread_mutex_lock(&pipeline->lock);
        } else if (pipeline->stopping) {
            break;
        } else {
            wait_for_work(pipeline);
        }
    }
    pthread_mutex_unlock(&pipeline->lock);
    pipeline_context_put(pipeline, context);
    return NULL;
}

static void make_conds(struct pipeline *pipeline)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&pipeline->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&pipeline->work, &monotonic);
    pthread_cond_init(&pipeline->room, &monotonic);
    pthread_cond_init(&pipeline->idle, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

int pipeline_start(struct vault *vault, unsigned workers, struct pipeline **out)
{
    struct pipeline *pipeline;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    int error;

    *out = NULL;
    if (!workers)
        workers = processors > 1 ? (unsigned)processors : 2;
    pipeline = calloc(1, sizeof(*pipeline));
    if (!pipeline)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    pipeline->vault = vault;
    pipeline->budget = VAULT_BUDGET_BYTES / VAULT_SEGMENT_PLAIN;
    pipeline->members.prev = pipeline->members.next = &pipeline->members;
    make_conds(pipeline);
    pipeline->threads = calloc(workers, sizeof(*pipeline->threads));
    if (!pipeline->threads) {
        pipeline_stop(pipeline);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    for (; pipeline->thread_count < workers; pipeline->thread_count++) {
        error =
            pthread_create(&pipeline->threads[pipeline->thread_count], NULL, worker_main, pipeline);
        if (error) {
            pipeline_stop(pipeline);
            return sr_fail_errno(error, "cannot start a worker thread");
        }
    }
    *out = pipeline;
    return 0;
}

void pipeline_stop(struct pipeline *pipeline)
{
    struct pipeline_context *context;

    if (!pipeline)
        return;
    pthread_mutex_lock(&pipeline->lock);
    pipeline->stopping = true;
    pthread_cond_broadcast(&pipeline->work);
    pthread_mutex_unlock(&pipeline->lock);
    for (unsigned i = 0; i < pipeline->thread_count; i++)
        pthread_join(pipeline->threads[i], NULL);
    staging_ready_drop(pipeline->vault);
    while ((context = pipeline->contexts)) {
        pipeline->contexts = context->next;
        context_free(context);
    }
    pipeline_pool_free(pipeline);
    pthread_cond_destroy(&pipeline->work);
    pthread_cond_destroy(&pipeline->room);
    pthread_cond_destroy(&pipeline->idle);
    pthread_mutex_destroy(&pipeline->lock);
    free(pipeline->threads);
    free(pipeline);
}

void pipeline_stats(struct pipeline *pipeline, uint64_t *queued, uint64_t *peak)
{
    pthread_mutex_lock(&pipeline->lock);
    *queued = pipeline->dirty * VAULT_SEGMENT_PLAIN;
    *peak = (uint64_t)pipeline->peak * VAULT_SEGMENT_PLAIN;
    pthread_mutex_unlock(&pipeline->lock);
}
