#include "tests/lib/probe_rig.h"

#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/error.h"
#include "tests/lib/document_rig.h"

struct context {
    int fd;
    struct sr_buf *text;
};

static int read_range(void *context, uint64_t offset, void *buf, size_t len, size_t *got)
{
    ssize_t n = pread(((struct context *)context)->fd, buf, len, (off_t)offset);

    *got = n < 0 ? 0 : (size_t)n;
    return n < 0 ? sr_fail(SR_ERR_DAMAGED, "a range cannot be read") : 0;
}

static int keep_text(void *context, const char *text, size_t len)
{
    sr_buf_append(((struct context *)context)->text, text, len);
    return 0;
}

void probe_rig_look(struct probe_rig *rig, const char *path, const char *name)
{
    probe_rig_look_within(rig, path, name, 0);
}

void probe_rig_look_within(struct probe_rig *rig, const char *path, const char *name,
                           unsigned cpu_s)
{
    struct context context = {.fd = open(path, O_RDONLY | O_CLOEXEC), .text = &rig->text};
    char self[PATH_MAX] = "", program[PATH_MAX];
    struct stat info;

    *rig = (struct probe_rig){0};
    if (context.fd < 0 || fstat(context.fd, &info) != 0)
        fail_msg("%s is not there", path);
    assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
    snprintf(program, sizeof(program), "%.4000s/strongroom-probe", dirname(dirname(self)));
    struct probe_job job = {.program = program,
                            .name = name ? name : strrchr(path, '/') + 1,
                            .size = (uint64_t)info.st_size,
                            .text_max = 16u << 20,
                            .cpu_s = cpu_s,
                            .stop_fd = -1,
                            .read = read_range,
                            .text = keep_text,
                            .context = &context};
    assert_int_equal(probe_run(&job), 0);
    close(context.fd);
    rig->outcome = job.outcome;
    rig->answer = job.answer;
    sr_buf_append(&rig->text, "", 0); /* "" rather than NULL */
    assert_false(rig->text.failed);
}

void probe_rig_close(struct probe_rig *rig)
{
    json_decref(rig->answer);
    sr_buf_free(&rig->text);
    *rig = (struct probe_rig){0};
}

int probe_rig_make(const char *kind, char folder[PROBE_RIG_FOLDER])
{
    struct sr_buf out = {0};
    char command[128];

    snprintf(folder, PROBE_RIG_FOLDER, "/tmp/srt-%s.XXXXXX", kind);
    if (!mkdtemp(folder))
        return -1;
    snprintf(command, sizeof(command), "/usr/bin/python3 tests/lib/document_make.py %s %s", folder,
             kind);
    document_rig_command(command, &out);
    sr_buf_free(&out);
    return 0;
}

int probe_rig_drop(const char *folder)
{
    char command[64];

    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

void probe_rig_made(struct probe_rig *rig, const char *folder, const char *name, unsigned cpu_s)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    probe_rig_look_within(rig, path, NULL, cpu_s);
    if (rig->outcome != PROBE_DESCRIBED)
        fail_msg("%s: %s", name, probe_outcome_word(rig->outcome));
}

const char *probe_rig_text(const struct probe_rig *rig, const char *key)
{
    const char *text = json_string_value(json_object_get(rig->answer, key));

    return text ? text : "";
}

bool probe_rig_finding(const struct probe_rig *rig, const char *code)
{
    json_t *list = json_object_get(rig->answer, "findings"), *finding;
    size_t i;

    json_array_foreach(list, i, finding)
    {
        if (strcmp(json_string_value(json_object_get(finding, "code")), code) == 0)
            return true;
    }
    return false;
}
