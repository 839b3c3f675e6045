#include "media/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "media/answer.h"
#include "media/wire.h"

/* What the child of fork needs; made before, because only system calls are safe there. */
struct start {
    char *argv[4];
    char memory[16], cpu[16];
    int socket, null;
};

const char *probe_outcome_word(enum probe_outcome outcome)
{
    static const char *const words[] = {
        [PROBE_DESCRIBED] = "described", [PROBE_CRASHED] = "crashed", [PROBE_TIMEOUT] = "timeout",
        [PROBE_MEMORY] = "memory",       [PROBE_REFUSED] = "refused", [PROBE_PROTOCOL] = "protocol",
    };

    return words[outcome];
}

/* The child. The socket becomes fd 3, everything else is closed; standard streams lead nowhere. */
static _Noreturn void become(const struct start *start)
{
    static char locale[] = "LC_ALL=C.UTF-8";
    char *const environment[] = {locale, NULL};
    sigset_t none;
    int high = fcntl(start->socket, F_DUPFD, 10);
    int null = fcntl(start->null, F_DUPFD, 10);

    if (high < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        dup2(high, 3) < 0 || syscall(SYS_close_range, 4u, ~0u, 0u) != 0)
        _exit(PROBE_EXIT_SANDBOX);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    (void)setpriority(PRIO_PROCESS, 0, PROBE_NICE); /* uploads come first */
    execve(start->argv[0], start->argv, environment);
    _exit(PROBE_EXIT_SANDBOX);
}

static int spawn(const struct probe_job *job, int *socket, pid_t *pid)
{
    struct start start = {.null = -1};
    sigset_t all, before;
    int pair[2];

    snprintf(start.memory, sizeof(start.memory), "%u",
             job->memory_mib ? job->memory_mib : PROBE_MEMORY_MIB);
    snprintf(start.cpu, sizeof(start.cpu), "%u", job->cpu_s ? job->cpu_s : PROBE_CPU_S);
    start.argv[0] = (char *)(uintptr_t)job->program; /* execve does not write to it */
    start.argv[1] = start.memory;
    start.argv[2] = start.cpu;
    if (access(job->program, X_OK) != 0)
        return sr_fail_errno(errno, "start the probe");
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return sr_fail_errno(errno, "make a socket for the probe");
    start.socket = pair[1];
    start.null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (start.null < 0) {
        int error = errno;

        close(pair[0]);
        close(pair[1]);
        return sr_fail_errno(error, "open /dev/null");
    }
    /* No handler of the daemon may run in the child. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    *pid = fork();
    if (*pid == 0)
        become(&start);
    int error = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(start.null);
    close(pair[1]);
    if (*pid < 0) {
        close(pair[0]);
        return sr_fail_errno(error, "start the probe");
    }
    *socket = pair[0];
    return 0;
}

static int serve_range(const struct probe_job *job, const struct wire *wire, uint8_t *buf,
                       size_t len)
{
    uint8_t failed[WIRE_FAILED_LEN];
    struct wire_ask ask;
    size_t got = 0;
    int rc = wire_parse_ask(buf, len, job->size, &ask);

    if (rc)
        return rc;
    rc = job->read(job->context, ask.offset, buf, ask.len, &got);
    if (rc) {
        wire_put_failed(rc < 0 && rc >= SR_ERR_LAST ? rc : SR_ERR_SYSTEM, failed);
        return wire_send(wire, WIRE_FAILED, failed, sizeof(failed));
    }
    return wire_send(wire, WIRE_DATA, buf, got);
}

/* *text_rc: what job->text answered; it is not the probe's fault. */
static int take_text(const struct probe_job *job, const uint8_t *buf, size_t len, uint64_t *total,
                     int *text_rc)
{
    if (len > job->text_max - *total || !sr_utf8_valid((const char *)buf, len))
        return sr_fail(SR_ERR_INVALID, "text that was not asked for");
    *total += len;
    *text_rc = job->text ? job->text(job->context, (const char *)buf, len) : 0;
    return *text_rc;
}

/* Speaks with the probe until its answer. */
static int converse(struct probe_job *job, const struct wire *wire, uint8_t *buf, int *text_rc)
{
    const char *hint = job->hint ? job->hint : "", *trust = job->trust ? job->trust : "";
    struct wire_job order = {job->size, job->text_max, job->name, strlen(job->name),
                             hint,      strlen(hint),  trust,     strlen(trust)};
    uint64_t text_bytes = 0;
    enum wire_type type;
    uint8_t *payload;
    size_t len;
    int rc;

    rc = wire_receive(wire, WIRE_BIT(WIRE_READY), buf, WIRE_READY_LEN, &type, &len);
    if (!rc)
        rc = wire_parse_ready(buf, len);
    if (!rc)
        rc = wire_put_job(&order, &payload, &len);
    if (rc)
        return rc;
    rc = wire_send(wire, WIRE_JOB, payload, len);
    free(payload);
    while (!rc) {
        rc = wire_receive(wire, WIRE_BIT(WIRE_ASK) | WIRE_BIT(WIRE_TEXT) | WIRE_BIT(WIRE_ANSWER),
                          buf, WIRE_RANGE_MAX, &type, &len);
        if (rc)
            break;
        if (type == WIRE_ANSWER)
            return answer_parse(buf, len, text_bytes, &job->answer);
        rc = type == WIRE_ASK ? serve_range(job, wire, buf, len)
                              : take_text(job, buf, len, &text_bytes, text_rc);
    }
    return rc;
}

/* What the end of the process says. */
static enum probe_outcome read_status(int status)
{
    if (WIFSIGNALED(status)) {
        switch (WTERMSIG(status)) {
        case SIGXCPU:
        case SIGKILL: /* ours is not read here: the hard limit of the processor's time */
            return PROBE_TIMEOUT;
        case SIGSYS:
            return PROBE_REFUSED;
        default:
            return PROBE_CRASHED;
        }
    }
    switch (WEXITSTATUS(status)) {
    case PROBE_EXIT_MEMORY:
        return PROBE_MEMORY;
    case PROBE_EXIT_SANDBOX:
        return PROBE_REFUSED;
    default:
        return PROBE_CRASHED;
    }
}

static bool stop_wanted(int fd)
{
    struct pollfd wanted = {fd, POLLIN, 0};

    return fd >= 0 && poll(&wanted, 1, 0) > 0;
}

/* A probe whose socket is closed is about to end: its status says why. It gets a moment. */
static int reap(pid_t pid, bool kill_now)
{
    int status = 0;

    for (int i = 0; i < 200 && !kill_now; i++) {
        if (waitpid(pid, &status, WNOHANG) == pid)
            return status;
        usleep(5000);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return status;
}

int probe_run(struct probe_job *job)
{
    struct wire wire = {.fd = -1, .stop_fd = job->stop_fd};
    unsigned wall_ms = job->wall_ms ? job->wall_ms : PROBE_WALL_MS;
    struct timespec now;
    int text_rc = 0, status;
    uint8_t *buf;
    pid_t pid;
    int rc;

    job->answer = NULL;
    job->outcome = PROBE_CRASHED;
    buf = malloc(WIRE_RANGE_MAX);
    if (!buf)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = spawn(job, &wire.fd, &pid);
    if (rc)
        goto out;
    clock_gettime(CLOCK_MONOTONIC, &now);
    wire.deadline_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + (int64_t)wall_ms * 1000000;
    rc = converse(job, &wire, buf, &text_rc);
    bool stopped = rc == SR_ERR_CLOSED && stop_wanted(job->stop_fd);
    bool gone = rc == SR_ERR_CLOSED && !stopped && !text_rc;
    close(wire.fd);
    status = reap(pid, !gone);
    if (rc == 0)
        job->outcome = PROBE_DESCRIBED;
    else if (gone)
        job->outcome = read_status(status);
    else if (rc == SR_ERR_BUSY && !text_rc)
        job->outcome = PROBE_TIMEOUT;
    else if (rc == SR_ERR_INVALID && !text_rc)
        job->outcome = PROBE_PROTOCOL;
    else
        goto out;
    rc = 0;
out:
    free(buf);
    return rc;
}
