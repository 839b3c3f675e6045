#include "daemon/signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"

#define CLOCK_EVERY_S 10
#define CLOCK_JUMP_NS (INT64_C(5) * 1000000000)

/* Under lock: stop and context; ending. The thread holds the lock while it calls stop, so after
 * signals_stop nothing of its context is used. */
struct signals {
    pthread_t thread;
    pthread_mutex_t lock;
    void (*stop)(void *context);
    void *context;
    bool ending;
};

static void fill_set(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGHUP);
    sigaddset(set, SIGUSR1); /* sent by signals_stop */
}

/* Nothing is open yet that a sudden end could hurt: the vault is made for being killed. */
static void end_at_once(int number)
{
    sigset_t set;

    signal(number, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, number);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    raise(number);
}

/* Realtime against boottime: they drift apart by slewing, and jump when somebody sets the clock. */
static void check_clock(struct sr_io *io, int64_t *offset)
{
    int64_t now = io->now_ns(io) - io->boottime_ns(io);
    int64_t jump = now - *offset;

    if (jump > CLOCK_JUMP_NS || jump < -CLOCK_JUMP_NS)
        sr_log(SR_LOG_WARNING, "the clock was set by %+lld s", (long long)(jump / 1000000000));
    *offset = now;
}

static void *thread_main(void *context)
{
    const struct timespec every = {.tv_sec = CLOCK_EVERY_S};
    struct signals *signals = context;
    struct sr_io *io = sr_io_posix();
    int64_t offset = io->now_ns(io) - io->boottime_ns(io);
    sigset_t set;

    fill_set(&set);
    for (;;) {
        int number = sigtimedwait(&set, NULL, &every);
        bool ending;

        check_clock(io, &offset);
        pthread_mutex_lock(&signals->lock);
        ending = signals->ending;
        if (!ending && (number == SIGTERM || number == SIGINT)) {
            if (signals->stop == NULL)
                end_at_once(number);
            else
                signals->stop(signals->context);
        }
        pthread_mutex_unlock(&signals->lock);
        if (ending)
            return NULL;
    }
}

int signals_start(struct signals **out)
{
    struct signals *signals = calloc(1, sizeof *signals);
    sigset_t set;
    int number;

    *out = NULL;
    if (signals == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory at start-up");
    pthread_mutex_init(&signals->lock, NULL);
    fill_set(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    number = pthread_create(&signals->thread, NULL, thread_main, signals);
    if (number != 0) {
        pthread_mutex_destroy(&signals->lock);
        free(signals);
        return sr_fail_errno(number, "no thread for signals");
    }
    *out = signals;
    return 0;
}

void signals_ready(struct signals *signals, void (*stop)(void *context), void *context)
{
    pthread_mutex_lock(&signals->lock);
    signals->stop = stop;
    signals->context = context;
    pthread_mutex_unlock(&signals->lock);
}

void signals_stop(struct signals *signals)
{
    if (signals == NULL)
        return;
    pthread_mutex_lock(&signals->lock);
    signals->ending = true;
    pthread_mutex_unlock(&signals->lock);
    pthread_kill(signals->thread, SIGUSR1);
    pthread_join(signals->thread, NULL);
    pthread_mutex_destroy(&signals->lock);
    free(signals);
}
