#include "daemon/daemonise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"

#define REPORT_MAX 1024

/* The pipe carries one status byte and a line. Nothing at all: the child died without a word. */
static void wait_for_child(int fd, pid_t child)
{
    char report[REPORT_MAX];
    size_t len = 0;
    ssize_t got;
    int how = 0;

    while (len < sizeof report) {
        got = read(fd, report + len, sizeof report - len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        len += (size_t)got;
    }
    if (len == 0) {
        waitpid(child, &how, 0);
        if (WIFSIGNALED(how))
            fprintf(stderr, "strongroomd: start-up was killed by signal %d\n", WTERMSIG(how));
        else
            fprintf(stderr, "strongroomd: start-up ended without a reason\n");
        _exit(3);
    }
    fprintf(report[0] == 0 ? stdout : stderr, "%.*s\n", (int)(len - 1), report + 1);
    fflush(NULL);
    _exit(report[0]);
}

static int point_to_null(int fd)
{
    int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null_fd < 0)
        return -1;
    if (dup2(null_fd, fd) < 0) {
        close(null_fd);
        return -1;
    }
    if (null_fd > STDERR_FILENO)
        close(null_fd);
    return 0;
}

int daemonise_hold_standard(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
            return sr_fail_errno(errno, "/dev/null cannot be opened");
    return 0;
}

int daemonise_fork(int *fd)
{
    int ends[2];
    pid_t child;

    *fd = -1;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return sr_fail_errno(errno, "no pipe to the background process");
    fflush(NULL);
    child = fork();
    if (child < 0) {
        int number = errno;

        close(ends[0]);
        close(ends[1]);
        return sr_fail_errno(number, "no background process could be started");
    }
    if (child > 0) {
        close(ends[1]);
        wait_for_child(ends[0], child);
    }
    close(ends[0]);
    if (setsid() < 0 || chdir("/") != 0) {
        int number = errno;

        close(ends[1]);
        return sr_fail_errno(number, "the background process cannot leave its session");
    }
    *fd = ends[1];
    return 0;
}

void daemonise_report(int fd, int status, const char *line)
{
    char report[REPORT_MAX];
    struct stat error_stat;
    int len = snprintf(report, sizeof report, "%c%s", status, line);
    size_t left = len < 0 ? 0 : (size_t)len < sizeof report ? (size_t)len : sizeof report - 1;
    const char *p = report;

    while (left > 0) {
        ssize_t put = write(fd, p, left);

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            break; /* the parent was killed: the daemon lives on */
        p += put;
        left -= (size_t)put;
    }
    close(fd);
    if (status != 0)
        return;
    if (point_to_null(STDIN_FILENO) != 0 || point_to_null(STDOUT_FILENO) != 0)
        return;
    /* A pipe or terminal on stderr would keep its reader waiting for as long as the daemon
     * lives. */
    if (getenv("JOURNAL_STREAM") == NULL &&
        (fstat(STDERR_FILENO, &error_stat) != 0 || !S_ISREG(error_stat.st_mode)))
        (void)point_to_null(STDERR_FILENO);
}
