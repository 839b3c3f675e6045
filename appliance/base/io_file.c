/* Whole files and full transfers over any table of system calls. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/io.h"

/* error_number is negative, as the table returns it. */
static int fail(int error_number, const char *what, const char *path)
{
    switch (-error_number) {
    case ENOENT:
        return sr_fail(SR_ERR_NOT_FOUND, "%s %s: it does not exist", what, path);
    case EEXIST:
        return sr_fail(SR_ERR_EXISTS, "%s %s: it exists already", what, path);
    case ENOTDIR:
        return sr_fail(SR_ERR_NOT_DIRECTORY, "%s %s: not a directory", what, path);
    default:
        return sr_fail_errno(-error_number, "%s %s", what, path);
    }
}

char *sr_path(const char *format, ...)
{
    char *path = NULL;
    va_list args;
    va_start(args, format);
    int len = vasprintf(&path, format, args);
    va_end(args);
    return len < 0 ? NULL : path;
}

/* Fresh string, the folder that path stands in. NULL when out of memory. */
static char *parent_of(const char *path)
{
    size_t len = strlen(path);
    while (len > 1 && path[len - 1] == '/')
        len--;
    while (len > 0 && path[len - 1] != '/')
        len--;
    while (len > 1 && path[len - 1] == '/')
        len--;
    return len ? strndup(path, len) : strdup(".");
}

int sr_io_sync_parent(struct sr_io *io, const char *path)
{
    char *folder = parent_of(path);
    if (!folder)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    int rc;
    do {
        rc = io->sync_dir(io, folder);
    } while (rc == -EINTR);
    if (rc < 0)
        rc = fail(rc, "sync folder", folder);
    free(folder);
    return rc;
}

static int read_full(struct sr_io *io, int fd, void *buf, size_t len, uint64_t offset, size_t *got,
                     const char *path)
{
    uint8_t *at = buf;
    size_t done = 0;
    while (done < len) {
        ssize_t part = io->pread(io, fd, at + done, len - done, offset + done);
        if (part == -EINTR)
            continue;
        if (part < 0)
            return fail((int)part, "read", path);
        if (part == 0)
            break;
        done += (size_t)part;
    }
    if (got)
        *got = done;
    else if (done < len)
        return sr_fail(SR_ERR_DAMAGED, "read %s: it ends too early", path);
    return 0;
}

int sr_io_read_full(struct sr_io *io, int fd, void *buf, size_t len, uint64_t offset, size_t *got)
{
    if (got)
        *got = 0;
    return read_full(io, fd, buf, len, offset, got, "file");
}

static int write_full(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t offset,
                      const char *path)
{
    const uint8_t *at = buf;
    size_t done = 0;
    while (done < len) {
        ssize_t part = io->pwrite(io, fd, at + done, len - done, offset + done);
        if (part == -EINTR)
            continue;
        if (part <= 0)
            return fail(part ? (int)part : -EIO, "write", path);
        done += (size_t)part;
    }
    return 0;
}

int sr_io_write_full(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t offset)
{
    return write_full(io, fd, buf, len, offset, "file");
}

static int open_retried(struct sr_io *io, const char *path, int flags, mode_t mode)
{
    int fd;
    do {
        fd = io->open(io, path, flags, mode);
    } while (fd == -EINTR);
    return fd;
}

int sr_io_read_file(struct sr_io *io, const char *path, size_t limit, uint8_t **data, size_t *len)
{
    *data = NULL;
    *len = 0;
    uint8_t *content = NULL;
    struct sr_stat st;
    int fd = open_retried(io, path, O_RDONLY, 0);
    if (fd < 0)
        return fail(fd, "open", path);
    int rc = io->fstat(io, fd, &st);
    if (rc < 0) {
        rc = fail(rc, "stat", path);
        goto out;
    }
    if (st.is_dir) {
        rc = sr_fail(SR_ERR_IS_DIRECTORY, "read %s: a directory", path);
        goto out;
    }
    if (st.size > limit || st.size >= SIZE_MAX) {
        rc = sr_fail(SR_ERR_TOO_LARGE, "read %s: over %zu bytes", path, limit);
        goto out;
    }
    /* A NUL beyond the end, so that text can be used as a string. */
    content = malloc((size_t)st.size + 1);
    if (!content) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        goto out;
    }
    size_t got = 0;
    rc = read_full(io, fd, content, (size_t)st.size, 0, &got, path);
    if (rc == 0) {
        content[got] = 0;
        *data = content;
        *len = got;
        content = NULL;
    }
out:
    free(content);
    io->close(io, fd);
    return rc;
}

/* Writes and fsyncs a file that did not exist. */
static int write_new(struct sr_io *io, const char *path, const void *data, size_t len, mode_t mode)
{
    /* A file of that name is left from a crash. It must go, not be truncated: after
     * sr_io_create_file it may be a second name of the finished file. */
    int rc = io->unlink(io, path);
    if (rc < 0 && rc != -ENOENT)
        return fail(rc, "remove", path);
    int fd = open_retried(io, path, O_WRONLY | O_CREAT | O_EXCL, mode);
    if (fd < 0)
        return fail(fd, "create", path);
    rc = write_full(io, fd, data, len, 0, path);
    if (rc == 0) {
        do {
            rc = io->fsync(io, fd);
        } while (rc == -EINTR);
        if (rc < 0)
            rc = fail(rc, "sync", path);
    }
    int closed = io->close(io, fd);
    if (rc == 0 && closed < 0)
        rc = fail(closed, "close", path);
    return rc;
}

int sr_io_replace_file(struct sr_io *io, const char *path, const void *data, size_t len,
                       mode_t mode)
{
    char *tmp = sr_path("%s.tmp", path);
    if (!tmp)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    int rc = write_new(io, tmp, data, len, mode);
    if (rc < 0)
        goto discard;
    rc = io->rename(io, tmp, path);
    if (rc < 0) {
        rc = fail(rc, "rename over", path);
        goto discard;
    }
    rc = sr_io_sync_parent(io, path);
    goto out;
discard:
    io->unlink(io, tmp);
out:
    free(tmp);
    return rc;
}

int sr_io_create_file(struct sr_io *io, const char *path, const void *data, size_t len, mode_t mode)
{
    char *tmp = sr_path("%s.tmp", path);
    if (!tmp)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    bool linked = false;
    int rc = write_new(io, tmp, data, len, mode);
    if (rc < 0)
        goto discard;
    rc = io->link(io, tmp, path);
    if (rc < 0) {
        rc = fail(rc, "create", path);
        goto discard;
    }
    linked = true;
    /* A second name that stays would keep the content alive when path is removed. */
    rc = io->unlink(io, tmp);
    if (rc < 0) {
        rc = fail(rc, "remove", tmp);
        goto discard;
    }
    rc = sr_io_sync_parent(io, path);
    if (rc == 0)
        goto out;
discard:
    /* The caller is told that it failed, so it may try again: the name must be free. */
    if (linked)
        io->unlink(io, path);
    io->unlink(io, tmp);
out:
    free(tmp);
    return rc;
}

int sr_io_make_dir(struct sr_io *io, const char *path, mode_t mode)
{
    int rc = io->mkdir(io, path, mode);
    if (rc == -EEXIST) {
        struct sr_stat st;
        rc = io->stat(io, path, &st);
        if (rc == 0 && !st.is_dir)
            rc = -ENOTDIR;
    }
    if (rc < 0)
        return fail(rc, "make folder", path);
    /* Also when it existed: whoever made it may have failed before the sync. */
    return sr_io_sync_parent(io, path);
}
