/* Segment buffers under one budget, and the watch on free space. Buffers are mapped once and kept
 * on a list (last used, first taken: warm in the cache); what they hold is plaintext, so they are
 * left out of core dumps and wiped when the vault has been idle for a second. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "base/error.h"
#include "vault/pipeline.h"
#include "vault/pipeline_internal.h"
#include "vault/staging_internal.h"
#include "vault/vault_internal.h"

#define BLOCK_BYTES ((size_t)PIPELINE_BLOCK * VAULT_SEGMENT_PLAIN)
#define WAKE_AT 32u        /* waiting writers wake when so many buffers are free: fewer switches */
#define RECENT_TOUCHES 64u /* a file written within the last so many writes keeps its partials */
#define BUSY_PASS 8u       /* files looked at per round while workers are busy anyway */
#define WAIT_NS 20000000   /* between two rounds */
#define STUCK_ROUNDS 25u   /* rounds without any change before the writer is told */
#define SPACE_AGE_NS 100000000
#define SPACE_STEP (64u << 20)

void pipeline_set_budget(struct pipeline *pipeline, size_t bytes)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->budget = (unsigned)(bytes / VAULT_SEGMENT_PLAIN);
    pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_pool_free(struct pipeline *pipeline)
{
    struct pipeline_block *block;

    while ((block = pipeline->blocks)) {
        pipeline->blocks = block->next;
        sr_wipe(block->data, BLOCK_BYTES);
        munmap(block->data, BLOCK_BYTES);
        free(block);
    }
    pipeline->free_list = NULL;
}

static int add_block(struct pipeline *pipeline)
{
    struct pipeline_block *block = calloc(1, sizeof(*block));

    if (!block)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for write buffers");
    block->data =
        mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block->data == MAP_FAILED) {
        free(block);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for write buffers");
    }
    (void)madvise(block->data, BLOCK_BYTES, MADV_DONTDUMP);
    block->next = pipeline->blocks;
    pipeline->blocks = block;
    for (unsigned i = 0; i < PIPELINE_BLOCK; i++) {
        block->buffers[i].data = block->data + (size_t)i * VAULT_SEGMENT_PLAIN;
        block->buffers[i].chain = pipeline->free_list;
        pipeline->free_list = &block->buffers[i];
    }
    pipeline->warm += PIPELINE_BLOCK; /* they stand in front of the warm ones */
    return 0;
}

bool pipeline_cool(struct pipeline *pipeline)
{
    unsigned from = pipeline->warm > PIPELINE_BLOCK ? pipeline->warm - PIPELINE_BLOCK : 0;
    struct segbuf *buffer = pipeline->free_list;

    for (unsigned i = 0; buffer && i < pipeline->warm; i++, buffer = buffer->chain) {
        if (i < from)
            continue;
        sr_wipe(buffer->data, VAULT_SEGMENT_PLAIN);
        /* Refused for locked memory; the wipe is what counts. */
        (void)madvise(buffer->data, VAULT_SEGMENT_PLAIN, MADV_DONTNEED);
    }
    pipeline->warm = from;
    return from > 0;
}

/* Lets every file (the longest untouched first) give up what it can. Lock held, dropped meanwhile.
 * While workers are busy, room will come by itself: then only files that are not being written, and
 * only a few, are looked at. *stuck: some file's content cannot be written, and nothing is under
 * way elsewhere. */
static unsigned relieve(struct pipeline *pipeline, bool *stuck)
{
    bool busy = !pipeline_quiet(pipeline);
    bool crowded = pipeline->dirty >= pipeline->budget / 2;
    struct pipeline_member *member = pipeline->members.next;
    bool failing = false, waiting = false;
    unsigned progress = 0;

    for (unsigned i = 0; member != &pipeline->members && !(busy && i >= BUSY_PASS); i++) {
        bool flush = !busy || (crowded && pipeline->touches - member->touched > RECENT_TOUCHES);
        struct staging_relief relief;

        member->pins++;
        pthread_mutex_unlock(&pipeline->lock);
        relief = staging_relieve(member->staging, flush);
        pthread_mutex_lock(&pipeline->lock);
        if (!--member->pins)
            pthread_cond_broadcast(&pipeline->idle);
        progress += relief.progress;
        failing |= relief.failing;
        waiting |= relief.waiting;
        /* It may have been touched meanwhile; then the walk ends early and another round follows.
         * */
        if (progress >= WAKE_AT)
            break;
        member = member->next;
    }
    *stuck = failing && !waiting && !progress && pipeline_quiet(pipeline);
    return progress;
}

/* Waits until count buffers are free. Lock held. */
static int wait_for_room(struct pipeline *pipeline, unsigned count)
{
    unsigned rounds = 0;
    struct timespec until;
    bool stuck;

    while (pipeline->in_use + count > pipeline->budget) {
        relieve(pipeline, &stuck);
        if (pipeline->in_use + count <= pipeline->budget)
            return 0;
        rounds = stuck ? rounds + 1 : 0;
        if (rounds > STUCK_ROUNDS)
            return sr_fail(SR_ERR_NO_SPACE,
                           "the write queue is full of content that cannot be written to disk");
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += WAIT_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pipeline->room_waiters++;
        pthread_cond_timedwait(&pipeline->room, &pipeline->lock, &until);
        pipeline->room_waiters--;
    }
    return 0;
}

int pipeline_buffers_take(struct pipeline *pipeline, unsigned count, struct segbuf **chain)
{
    int rc = 0;

    *chain = NULL;
    pthread_mutex_lock(&pipeline->lock);
    rc = wait_for_room(pipeline, count);
    for (unsigned i = 0; !rc && i < count; i++) {
        struct segbuf *buffer;

        if (!pipeline->free_list)
            rc = add_block(pipeline);
        buffer = pipeline->free_list;
        if (rc)
            break;
        pipeline->free_list = buffer->chain;
        if (pipeline->warm)
            pipeline->warm--;
        uint8_t *data = buffer->data;
        *buffer = (struct segbuf){.data = data, .chain = *chain};
        *chain = buffer;
        pipeline->in_use++;
    }
    if (pipeline->in_use > pipeline->peak)
        pipeline->peak = pipeline->in_use;
    pthread_mutex_unlock(&pipeline->lock);
    if (rc) {
        pipeline_buffers_give(pipeline, *chain);
        *chain = NULL;
    }
    return rc;
}

void pipeline_buffers_give(struct pipeline *pipeline, struct segbuf *chain)
{
    if (!chain)
        return;
    pthread_mutex_lock(&pipeline->lock);
    while (chain) {
        struct segbuf *next = chain->chain;

        chain->chain = pipeline->free_list;
        pipeline->free_list = chain;
        pipeline->warm++;
        pipeline->in_use--;
        chain = next;
    }
    if (pipeline->room_waiters && pipeline->in_use + WAKE_AT <= pipeline->budget)
        pthread_cond_broadcast(&pipeline->room);
    pthread_mutex_unlock(&pipeline->lock);
}

void pipeline_count_dirty(struct pipeline *pipeline, int buffers)
{
    pthread_mutex_lock(&pipeline->lock);
    pipeline->dirty = (uint64_t)((int64_t)pipeline->dirty + buffers);
    pthread_mutex_unlock(&pipeline->lock);
}

bool pipeline_may_hold(struct pipeline *pipeline)
{
    bool may;

    pthread_mutex_lock(&pipeline->lock);
    may = pipeline->dirty < pipeline->budget / 4;
    pthread_mutex_unlock(&pipeline->lock);
    return may;
}

int pipeline_space(struct pipeline *pipeline, size_t len, bool *ample, bool *fits)
{
    struct sr_io *io = pipeline_io(pipeline);
    /* A byte may cost a segment, and a short write may touch two. */
    uint64_t cost =
        (len + 2 * (uint64_t)VAULT_SEGMENT_PLAIN - 1) / VAULT_SEGMENT_PLAIN * VAULT_SEGMENT_LEN;
    uint64_t free_bytes = 0, total_bytes = 0, promised, accepted;
    int64_t now_ns = io->boottime_ns(io);
    int rc;

    *ample = *fits = true;
    pthread_mutex_lock(&pipeline->lock);
    pipeline->space_accepted += cost;
    accepted = pipeline->space_accepted;
    if (pipeline->space_known && now_ns - pipeline->space_at_ns < SPACE_AGE_NS &&
        accepted < SPACE_STEP && pipeline->space_ahead > accepted) {
        pthread_mutex_unlock(&pipeline->lock);
        return 0;
    }
    /* Before the question: what is written meanwhile is counted twice rather than not at all. */
    promised = pipeline->dirty * VAULT_SEGMENT_LEN + VAULT_RESERVE_BYTES;
    pthread_mutex_unlock(&pipeline->lock);
    rc = io->free_space(io, pipeline->vault->path, &free_bytes, &total_bytes);
    if (rc < 0)
        return sr_fail_errno(-rc, "free space of %s", pipeline->vault->path);
    pthread_mutex_lock(&pipeline->lock);
    pipeline->space_known = true;
    pipeline->space_ahead = free_bytes > promised ? free_bytes - promised : 0;
    pipeline->space_at_ns = now_ns;
    /* This write, and what other threads had accepted since. */
    pipeline->space_accepted =
        cost + (pipeline->space_accepted > accepted ? pipeline->space_accepted - accepted : 0);
    *ample = pipeline->space_ahead > pipeline->space_accepted;
    pthread_mutex_unlock(&pipeline->lock);
    *fits = free_bytes >= VAULT_RESERVE_BYTES + (uint64_t)len;
    return 0;
}
