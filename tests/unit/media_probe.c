/* The daemon's side with the real probe: every sample, with ffprobe and file as witnesses; what ends
 * badly has its word; no process and no descriptor stays behind. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <errno.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "media/probe.h"

#define SAMPLES "/usr/share/forensics-samples/original-files"

static char program[PATH_MAX];

static int read_fd(void *context, uint64_t offset, void *buf, size_t len, size_t *got)
{
    ssize_t n = pread(*(int *)context, buf, len, (off_t)offset);

    if (n < 0)
        return sr_fail_errno(errno, "read");
    *got = (size_t)n;
    return 0;
}

static int read_damaged(void *context, uint64_t offset, void *buf, size_t len, size_t *got)
{
    (void)context, (void)offset, (void)buf, (void)len;
    *got = 0;
    return sr_fail(SR_ERR_DAMAGED, "does not verify");
}

static unsigned open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

static struct probe_job make_job(int *fd, const char *path)
{
    struct stat info;

    *fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(*fd >= 0);
    assert_int_equal(fstat(*fd, &info), 0);
    return (struct probe_job){.program = program,
                              .name = strrchr(path, '/') + 1,
                              .size = (uint64_t)info.st_size,
                              .text_max = 1u << 20,
                              .stop_fd = -1,
                              .read = read_fd,
                              .context = fd};
}

/* The one line that a command answers for a file; "" for none. */
static void witness(char *out, size_t size, const char *command, const char *path)
{
    char line[PATH_MAX + 256];
    FILE *pipe;

    snprintf(line, sizeof(line), "%s '%s' 2>/dev/null", command, path);
    pipe = popen(line, "r");
    assert_non_null(pipe);
    if (!fgets(out, (int)size, pipe))
        out[0] = '\0';
    out[strcspn(out, "\n")] = '\0';
    pclose(pipe);
}

static unsigned described, timed;

static int check_sample(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    char expected[256], type[256];
    const json_t *duration;
    struct probe_job job;
    int fd;

    (void)info, (void)where;
    if (flag != FTW_F)
        return 0;
    job = make_job(&fd, path);
    assert_int_equal(probe_run(&job), 0);
    close(fd);
    if (job.outcome != PROBE_DESCRIBED)
        fail_msg("%s: %s", path, probe_outcome_word(job.outcome));
    witness(type, sizeof(type), "file -b --mime-type", path);
    if (strcmp(type, json_string_value(json_object_get(job.answer, "type"))) != 0)
        fail_msg("%s: type %s, by file %s", path,
                 json_string_value(json_object_get(job.answer, "type")), type);
    duration = json_object_get(job.answer, "duration_ms");
    if (duration) {
        witness(expected, sizeof(expected),
                "ffprobe -v error -show_entries format=duration -of default=nw=1:nk=1", path);
        assert_true(llabs(json_integer_value(duration) - (long long)(atof(expected) * 1000)) <= 1);
        timed++;
    }
    if (json_object_get(job.answer, "streams")) {
        const json_t *first = json_array_get(json_object_get(job.answer, "streams"), 0);

        witness(expected, sizeof(expected),
                "ffprobe -v error -select_streams 0 -show_entries stream=codec_name -of "
                "default=nw=1:nk=1",
                path);
        assert_string_equal(json_string_value(json_object_get(first, "codec")), expected);
    }
    described++;
    json_decref(job.answer);
    return 0;
}

static void test_samples(void **state)
{
    (void)state;
    unsigned before = open_fds();

    assert_int_equal(nftw(SAMPLES, check_sample, 10, FTW_PHYS), 0);
    assert_true(described >= 30);
    assert_true(timed >= 10);
    assert_int_equal(open_fds(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void run_as(const char *path, unsigned wall_ms, enum probe_outcome outcome)
{
    struct probe_job job;
    int fd;

    job = make_job(&fd, SAMPLES "/audio1/debian.mp3");
    job.program = path;
    job.wall_ms = wall_ms;
    assert_int_equal(probe_run(&job), 0);
    assert_string_equal(probe_outcome_word(job.outcome), probe_outcome_word(outcome));
    assert_null(job.answer);
    close(fd);
}

static void script(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    fprintf(file, "#!/bin/sh\n%s\n", text);
    fchmod(fileno(file), 0755);
    fclose(file);
}

static void test_bad_ends(void **state)
{
    (void)state;
    char path[] = "/tmp/srt-probe-XXXXXX";
    unsigned before = open_fds();
    struct probe_job job;
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    script(path, "kill -SEGV $$");
    run_as(path, 0, PROBE_CRASHED);
    script(path, "kill -XCPU $$");
    run_as(path, 0, PROBE_TIMEOUT);
    script(path, "kill -SYS $$");
    run_as(path, 0, PROBE_REFUSED);
    script(path, "exit 71");
    run_as(path, 0, PROBE_MEMORY);
    script(path, "exit 0");
    run_as(path, 0, PROBE_CRASHED);
    script(path, "exec sleep 100");
    run_as(path, 200, PROBE_TIMEOUT);
    script(path, "cat /dev/zero >&3");
    run_as(path, 5000, PROBE_PROTOCOL);
    job = make_job(&fd, SAMPLES "/audio1/debian.mp3");
    job.program = path;
    script(path, "exec sleep 100");
    job.stop_fd = eventfd(1, EFD_CLOEXEC);
    assert_int_equal(probe_run(&job), SR_ERR_CLOSED);
    close(job.stop_fd);
    job.stop_fd = -1;
    job.program = "/nowhere/probe";
    assert_int_equal(probe_run(&job), SR_ERR_SYSTEM);
    job.program = program;
    job.read = read_damaged;
    assert_int_equal(probe_run(&job), 0);
    assert_int_equal(job.outcome, PROBE_DESCRIBED);
    json_decref(job.answer);
    close(fd);
    unlink(path);
    assert_int_equal(open_fds(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_bad_ends),
    };
    char self[PATH_MAX] = "";

    if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
        return 1;
    snprintf(program, sizeof(program), "%.4000s/strongroom-probe", dirname(dirname(self)));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
