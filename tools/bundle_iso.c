/* A bundle as an ISO 9660 image (level 3, Rock Ridge, Joliet), by xorriso: libarchive's writer would spool every record in clear
 * and drop what is over 4 GiB. Records are read by xorriso through the mount; documents wait beside the image. As no byte passes
 * through here, the image is read back whole before it gets its name. */
#include "tools/bundle_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "casework/program.h"
#include "tools/bag.h"

#define NS_PER_S INT64_C(1000000000)
#define LIST "list"

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an image");
}

int iso_open(struct sink *sink)
{
    sink->parts = sr_path("%s.parts", sink->path);
    if (sink->parts == NULL)
        return no_memory();
    if (mkdir(sink->parts, 0700) != 0)
        return sr_fail_errno(errno, "%s", sink->parts);
    return 0;
}

/* In a list of grafts = and \\ are escaped, and a line ends a path. */
static int graft(struct sink *sink, const char *name, const char *source)
{
    if (strpbrk(source, "\r\n") != NULL)
        return sr_fail(SR_ERR_UNSUPPORTED, "%s: a line break in a name cannot go into an image",
                       source);
    sr_buf_format(&sink->paths, "%s/%s=", sink->folder, name);
    for (; *source != '\0'; source++) {
        if (*source == '=' || *source == '\\')
            sr_buf_text(&sink->paths, "\\");
        sr_buf_append(&sink->paths, source, 1);
    }
    sr_buf_text(&sink->paths, "\n");
    return sink->paths.failed ? no_memory() : 0;
}

int iso_map(struct sink *sink, const char *name, const char *source)
{
    return graft(sink, name, source);
}

int iso_begin(struct sink *sink, const char *name)
{
    char *part = sr_path("%s/%zu", sink->parts, sink->count);
    int rc = part != NULL ? graft(sink, name, part) : no_memory();

    if (rc == 0) {
        sink->part = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (sink->part < 0)
            rc = sr_fail_errno(errno, "%s", part);
    }
    free(part);
    return rc;
}

int iso_write(struct sink *sink, const void *data, size_t len, uint64_t offset)
{
    return sr_io_write_full(sr_io_posix(), sink->part, data, len, offset);
}

int iso_end(struct sink *sink)
{
    int fd = sink->part;

    sink->part = -1;
    return close(fd) == 0 ? 0 : sr_fail_errno(errno, "%s", sink->parts);
}

/* --- the image --- */

static int write_list(struct sink *sink, char **path)
{
    *path = sr_path("%s/" LIST, sink->parts);
    return *path != NULL
               ? sr_io_replace_file(sr_io_posix(), *path, sink->paths.data, sink->paths.len, 0600)
               : no_memory();
}

static int run_xorriso(struct sink *sink, const char *list)
{
    time_t seconds = (time_t)(sink->time_ns / NS_PER_S);
    char volume_time[64], all_times[64];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(volume_time, sizeof(volume_time), "--modification-date=%Y%m%d%H%M%S00", &tm);
    strftime(all_times, sizeof(all_times), "%Y%m%d%H%M%S00", &tm);
    char *const argv[] = {(char *)"xorriso",
                          (char *)"-as",
                          (char *)"mkisofs",
                          (char *)"-quiet",
                          (char *)"-iso-level",
                          (char *)"3",
                          (char *)"-R",
                          (char *)"-J",
                          (char *)"-joliet-long",
                          (char *)"-input-charset",
                          (char *)"UTF-8",
                          (char *)"-V",
                          sink->label,
                          (char *)"-uid",
                          (char *)"0",
                          (char *)"-gid",
                          (char *)"0",
                          (char *)"-file-mode",
                          (char *)"0444",
                          (char *)"-dir-mode",
                          (char *)"0555",
                          volume_time,
                          (char *)"--set_all_file_dates",
                          all_times,
                          (char *)"-o",
                          sink->partial,
                          (char *)"-graft-points",
                          (char *)"-path-list",
                          (char *)list,
                          NULL};

    return program_run(argv, "");
}

struct reading {
    char what[256], why[256];
};

static void first_bad(void *context, enum bag_level level, const char *what, const char *why)
{
    struct reading *reading = context;

    if (level == BAG_BAD && reading->what[0] == '\0') {
        snprintf(reading->what, sizeof(reading->what), "%s", what);
        snprintf(reading->why, sizeof(reading->why), "%s", why);
    }
}

static int read_back(struct sink *sink)
{
    struct reading reading = {.what = ""};
    struct bag_summary summary = {.bad = 1};
    int rc = bag_check(sink->partial, NULL, first_bad, NULL, &reading, &summary);

    if (rc == 0 && (summary.bad > 0 || summary.files != sink->count))
        rc = sr_fail(SR_ERR_DAMAGED, "the image was read back, and is not what was put in: %s: %s",
                     reading.what, reading.why);
    return rc;
}

int iso_finish(struct sink *sink)
{
    char *list = NULL;
    int rc = write_list(sink, &list);

    if (rc == 0)
        rc = run_xorriso(sink, list);
    if (list != NULL)
        unlink(list);
    free(list);
    return rc == 0 ? read_back(sink) : rc;
}

void iso_clear(struct sink *sink)
{
    if (sink->parts == NULL)
        return;
    if (sink->part >= 0)
        close(sink->part);
    for (size_t i = 1; i <= sink->count; i++) {
        char *part = sr_path("%s/%zu", sink->parts, i);

        if (part != NULL)
            unlink(part);
        free(part);
    }
    rmdir(sink->parts);
    free(sink->parts);
    sr_buf_free(&sink->paths);
}
