/* How many small files a second one core looks into, a process for each. Prints one figure a line.
 *
 * usage: probe FILE...     (each is looked into ROUNDS times) */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "media/probe.h"

#define ROUNDS 20

static int read_fd(void *context, uint64_t offset, void *buf, size_t len, size_t *got)
{
    ssize_t n = pread(*(int *)context, buf, len, (off_t)offset);

    if (n < 0)
        return sr_fail_errno(errno, "read");
    *got = (size_t)n;
    return 0;
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Processor time of all children, in seconds. */
static double used_s(void)
{
    struct rusage usage;

    getrusage(RUSAGE_CHILDREN, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void look(const char *program, char *path)
{
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct probe_job job = {.program = program,
                            .name = basename(path),
                            .text_max = 16 << 20,
                            .stop_fd = -1,
                            .read = read_fd,
                            .context = &fd};

    if (fd < 0 || fstat(fd, &info) < 0) {
        perror(path);
        exit(3);
    }
    job.size = (uint64_t)info.st_size;
    if (probe_run(&job) < 0 || job.outcome != PROBE_DESCRIBED) {
        fprintf(stderr, "probe bench: %s: %s\n", path, probe_outcome_word(job.outcome));
        exit(3);
    }
    json_decref(job.answer);
    close(fd);
}

int main(int argc, char **argv)
{
    char program[PATH_MAX] = "";
    double start = now_s(), used = used_s();
    unsigned files = 0;
    char *end;

    if (argc < 2 || readlink("/proc/self/exe", program, sizeof(program) - 40) < 0 ||
        (end = strstr(program, "/bench/")) == NULL) {
        fprintf(stderr, "usage: probe FILE...\n");
        return 2;
    }
    strcpy(end, "/strongroom-probe");
    for (int round = 0; round < ROUNDS; round++)
        for (int i = 1; i < argc; i++, files++)
            look(program, argv[i]);
    start = now_s() - start;
    used = used_s() - used;
    printf("probe_files %.1f files/s, %.1f files/s and core (%.1f ms of a core each)\n",
           files / start, files / used, used / files * 1e3);
    return 0;
}
