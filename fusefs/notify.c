#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "fusefs/fusefs_internal.h"

#define READ_AHEAD_KB "4096\n"
#define EXIT_RETRY_NS 20000000 /* 20 ms */

/* Entries are not invalidated by name: their time-outs are zero, so the kernel asks again anyway,
 * and FUSE_NOTIFY_INVAL_ENTRY waits, unkillably, for the folder's lock. If the daemon were killed
 * just then, with the holder of that lock waiting for us, neither would ever go. The parent's
 * attributes are enough. */
void fusefs_invalidate(void *context, uint64_t node, uint64_t parent, const char *name)
{
    struct fusefs *fs = context;
    struct notify_item *item;

    if (atomic_load(&fs->stop)) /* unmounted: no cache is left */
        return;
    item = calloc(1, sizeof(*item));
    if (!item) {
        sr_log(SR_LOG_WARNING, "no memory to invalidate a kernel cache");
        return;
    }
    item->node = name ? parent : node;
    item->pages = !name;
    pthread_mutex_lock(&fs->lock);
    if (fs->tail && fs->tail->node == item->node && fs->tail->pages == item->pages) {
        free(item); /* the last one waiting says the same */
        item = NULL;
    } else if (fs->tail) {
        fs->tail->next = item;
        fs->tail = item;
    } else {
        fs->head = fs->tail = item;
    }
    pthread_mutex_unlock(&fs->lock);
    if (item)
        sem_post(&fs->wake);
}

static struct notify_item *take_item(struct fusefs *fs)
{
    struct notify_item *item;

    pthread_mutex_lock(&fs->lock);
    item = fs->head;
    if (item)
        fs->head = item->next;
    if (!fs->head)
        fs->tail = NULL;
    pthread_mutex_unlock(&fs->lock);
    return item;
}

/* Before INIT is answered the kernel would override the figure: so first one request of our own,
 * which the kernel holds back until then. */
static void tune_read_ahead(struct fusefs *fs)
{
    struct statx stx;
    struct stat st;
    char path[80];
    int fd;

    (void)stat(fs->mountpoint, &st);
    if (statx(AT_FDCWD, fs->mountpoint, AT_STATX_DONT_SYNC, STATX_TYPE, &stx))
        return;
    snprintf(path, sizeof(path), "/sys/class/bdi/%u:%u/read_ahead_kb", stx.stx_dev_major,
             stx.stx_dev_minor);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, READ_AHEAD_KB, strlen(READ_AHEAD_KB)) < 0)
        sr_log(SR_LOG_WARNING, "read-ahead stays at the kernel's 128 KiB: %s: %s", path,
               strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* fuse_session_exit sets a flag that nobody looks at while all threads wait. A signal interrupts
 * the main one's wait; it may come a moment before the wait begins, hence repeatedly. */
static void interrupt_loop(struct fusefs *fs)
{
    const struct timespec pause = {.tv_nsec = EXIT_RETRY_NS};
    bool looping = true;

    fuse_session_exit(fs->session);
    while (looping && !atomic_load(&fs->stop)) {
        pthread_mutex_lock(&fs->lock);
        looping = fs->looping;
        if (looping)
            pthread_kill(fs->loop_thread, SIGUSR2);
        pthread_mutex_unlock(&fs->lock);
        nanosleep(&pause, NULL);
    }
}

static void *notifier_main(void *context)
{
    struct fusefs *fs = context;
    struct notify_item *item;

    while (!atomic_load(&fs->stop)) {
        while (sem_wait(&fs->wake) && errno == EINTR)
            ;
        if (atomic_exchange(&fs->leave, false))
            interrupt_loop(fs);
        if (atomic_exchange(&fs->tune, false))
            tune_read_ahead(fs);
        while (!atomic_load(&fs->stop) && !atomic_load(&fs->leave) && (item = take_item(fs))) {
            /* -ENOENT: the kernel does not know the node, which is as good. Offset -1: no pages. */
            (void)fuse_lowlevel_notify_inval_inode(fs->session, item->node, item->pages ? 0 : -1,
                                                   0);
            free(item);
        }
    }
    return NULL;
}

int notify_start(struct fusefs *fs)
{
    sigset_t all, before;
    int err;

    sigfillset(&all); /* signals are the main program's */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    err = pthread_create(&fs->notifier, NULL, notifier_main, fs);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (err)
        return sr_fail_errno(err, "cannot start the thread that tells the kernel of changes");
    fs->notifier_running = true;
    return 0;
}

void notify_stop(struct fusefs *fs)
{
    if (!fs->notifier_running)
        return;
    atomic_store(&fs->stop, true);
    sem_post(&fs->wake);
    pthread_join(fs->notifier, NULL);
    fs->notifier_running = false;
}

void notify_drop(struct fusefs *fs)
{
    struct notify_item *item;

    while ((item = take_item(fs)))
        free(item);
}
