/* Files made ahead of need. A camera's card is hundreds of small files, one after the other: for each
 * of them the maker would wait for a file, its redo and the syncs of both and of the folder. A worker
 * does that for a few at a time, beside the copying, and shares the folder's sync. */
#include "base/log.h"
#include "vault/pipeline_internal.h"
#include "vault/staging_internal.h"
#include "vault/vault_internal.h"

#define BURST_NS INT64_C(1000000000) /* creates closer together than this are a series */

void staging_keep_ready(struct vault *vault, unsigned count)
{
    struct pipeline *pipeline = pipeline_of(vault);

    pthread_mutex_lock(&pipeline->lock);
    pipeline->ready_wanted = count < STAGING_READY_MAX ? count : STAGING_READY_MAX;
    pthread_mutex_unlock(&pipeline->lock);
}

struct staging *staging_ready_take(struct vault *vault)
{
    struct pipeline *pipeline = pipeline_of(vault);
    struct sr_io *io = vault_io(vault);
    struct staging *staging = NULL;
    int64_t now_ns;
    bool series;

    pthread_mutex_lock(&pipeline->lock);
    if (pipeline->ready_wanted) {
        now_ns = io->boottime_ns(io);
        series = now_ns - pipeline->ready_taken_ns < BURST_NS;
        pipeline->ready_taken_ns = now_ns;
        if (pipeline->ready_count)
            staging = pipeline->ready[--pipeline->ready_count];
        if (series && pipeline->ready_count < pipeline->ready_wanted / 2) {
            pipeline->ready_due = true;
            if (pipeline->sleeping)
                pthread_cond_signal(&pipeline->work);
        }
    }
    pthread_mutex_unlock(&pipeline->lock);
    return staging;
}

static void drop(struct staging *staging)
{
    if (staging_unlink(staging))
        sr_log_failure("an unused staging file stays; the next start removes it");
    (void)staging_close(staging);
}

/* Head durable, redo made; the names are not durable yet. */
static int make_one(struct vault *vault, struct staging **out)
{
    int rc = staging_make(vault, out);

    if (rc)
        return rc;
    rc = staging_sync_content(*out);
    if (!rc)
        rc = redo_make(&(*out)->redo);
    if (rc) {
        drop(*out);
        *out = NULL;
    }
    return rc;
}

/* What fails here is nobody's concern: the next create makes its own file, and tells. */
void staging_ready_fill(struct vault *vault)
{
    struct pipeline *pipeline = pipeline_of(vault);
    struct staging *made[STAGING_READY_MAX];
    unsigned count = 0, wanted;

    pthread_mutex_lock(&pipeline->lock);
    wanted = pipeline->ready_wanted > pipeline->ready_count
                 ? pipeline->ready_wanted - pipeline->ready_count
                 : 0;
    pthread_mutex_unlock(&pipeline->lock);
    while (count < wanted && make_one(vault, &made[count]) == 0)
        count++;
    if (count && staging_sync_names(made[0]) == 0)
        for (unsigned i = 1; i < count; i++)
            made[i]->names_durable = true;
    pthread_mutex_lock(&pipeline->lock);
    while (count && pipeline->ready_count < STAGING_READY_MAX) /* two workers may have made some */
        pipeline->ready[pipeline->ready_count++] = made[--count];
    pthread_mutex_unlock(&pipeline->lock);
    while (count)
        drop(made[--count]);
}

void staging_ready_drop(struct vault *vault)
{
    struct pipeline *pipeline = pipeline_of(vault);

    while (pipeline && pipeline->ready_count)
        drop(pipeline->ready[--pipeline->ready_count]);
}
