/* The catalog's file beside a running store: committed behind the ledger, healed, rebuilt, checked. */
#include "base/error.h"
#include "base/log.h"
#include "casework/door_internal.h"
#include "casework/view.h"

#define LATE_MAX 10 /* ticks; then new entries are held off for one commit */
#define NEAR 1000   /* entries that may be projected while everybody waits */

int door_view_open(struct door *door, struct view_report *report)
{
    return view_open(door->vault, door->ledger, NULL, NULL, report, &door->catalog);
}

/* Everything appended is durable, and stays everything as long as the lock is held. Lock held. */
static int quiesce(struct door *door)
{
    return ledger_commit(door->ledger, ledger_size(door->ledger) - 1);
}

static int commit(struct door *door, bool *committed)
{
    return catalog_durable(door->catalog, ledger_committed(door->ledger), committed);
}

/* Entries come and go; at some moment the newest one is durable. When that does not happen for long, new
 * ones wait for one commit. */
static int commit_behind(struct door *door)
{
    bool committed = true;
    int status = commit(door, &committed);
    if (status == 0 && !committed &&
        (status = ledger_commit(door->ledger, ledger_size(door->ledger) - 1)) == 0)
        status = commit(door, &committed);
    door->view_late = committed ? 0 : door->view_late + 1;
    if (status < 0 || door->view_late < LATE_MAX)
        return status;
    pthread_mutex_lock(&door->lock);
    if ((status = quiesce(door)) == 0 && (status = commit(door, &committed)) == 0)
        door->view_late = 0;
    pthread_mutex_unlock(&door->lock);
    return status;
}

/* Fresh, projected while the store goes on, takes the place of what is there. Takes over fresh. */
static int put_in_place(struct door *door, struct catalog *fresh)
{
    uint64_t replayed = NEAR;
    int status = 0;
    while (status == 0 && replayed >= NEAR)
        status = view_catch_up(door->vault, door->ledger, fresh, NULL, NULL, &replayed);
    if (status < 0) {
        catalog_close(fresh);
        return status;
    }
    pthread_mutex_lock(&door->lock);
    if ((status = quiesce(door)) == 0)
        status = view_catch_up(door->vault, door->ledger, fresh, NULL, NULL, &replayed);
    catalog_close(fresh);
    if (status == 0)
        status = catalog_replace(door->catalog, door->vault, CATALOG_FILE, CATALOG_FILE_NEW);
    pthread_mutex_unlock(&door->lock);
    return status;
}

static int rebuild(struct door *door, view_progress_fn *progress, void *context, uint64_t *entries)
{
    struct catalog *fresh;
    int status = view_rebuild(door->vault, door->ledger, progress, context, &fresh);
    *entries = ledger_committed(door->ledger);
    return status != 0 ? status : put_in_place(door, fresh);
}

/* An error of the disk has undone changes: they are projected again. A damaged file goes. */
static void heal(struct door *door, const char *why)
{
    uint64_t entries;
    sr_log(SR_LOG_ERROR, "%s; it is made again from the ledger", why);
    pthread_mutex_lock(&door->view_lock);
    pthread_mutex_lock(&door->lock);
    int status = quiesce(door);
    if (status == 0 && (status = catalog_reload(door->catalog)) == 0)
        status = view_catch_up(door->vault, door->ledger, door->catalog, NULL, NULL, &entries);
    catalog_healed(door->catalog, status == 0);
    pthread_mutex_unlock(&door->lock);
    if (status == SR_ERR_DAMAGED)
        status = rebuild(door, NULL, NULL, &entries);
    pthread_mutex_unlock(&door->view_lock);
    if (status < 0)
        sr_log_failure("the catalog could not be made again; it is tried again");
    else
        door_alert(door, "catalog", NULL, why);
}

void door_view_commit(struct door *door)
{
    char why[160];
    if (!catalog_broken(door->catalog, why, sizeof why) && commit_behind(door) < 0)
        sr_log_failure("the catalog's file could not be written");
    if (catalog_broken(door->catalog, why, sizeof why))
        heal(door, why);
}

int door_rebuild(struct door *door, const struct door_actor *actor, door_progress_fn *progress,
                 void *context, uint64_t *entries)
{
    *entries = 0;
    int status = door_may(door, actor, "verify");
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->view_lock);
    status = rebuild(door, progress, context, entries);
    pthread_mutex_unlock(&door->view_lock);
    return status;
}

int door_rebuild_check(struct door *door, const struct door_actor *actor,
                       door_progress_fn *progress, void *context, struct sr_buf *difference)
{
    int status = door_may(door, actor, "verify");
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->view_lock);
    pthread_mutex_lock(&door->lock);
    if ((status = quiesce(door)) == 0)
        status =
            view_check(door->vault, door->ledger, door->catalog, progress, context, difference);
    pthread_mutex_unlock(&door->lock);
    pthread_mutex_unlock(&door->view_lock);
    if (status == 0 && difference->len > 0)
        door_alert(door, "catalog", NULL, difference->data);
    return status;
}
