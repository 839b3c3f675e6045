#include "tests/lib/memfs_use.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/memfs_internal.h"

int memfs_put(struct memfs *fs, const char *path, const char *text, uint64_t offset)
{
    struct sr_io *io = memfs_io(fs);
    int fd = io->open(io, path, O_WRONLY | O_CREAT, 0600);
    if (fd < 0)
        return fd;
    ssize_t rc = io->pwrite(io, fd, text, strlen(text), offset);
    io->close(io, fd);
    return rc < 0 ? (int)rc : 0;
}

int memfs_sync_file(struct memfs *fs, const char *path)
{
    struct sr_io *io = memfs_io(fs);
    int fd = io->open(io, path, O_RDONLY, 0);
    if (fd < 0)
        return fd;
    int rc = io->fdatasync(io, fd);
    io->close(io, fd);
    return rc;
}

int memfs_sync_folder(struct memfs *fs, const char *path)
{
    struct sr_io *io = memfs_io(fs);
    return io->sync_dir(io, path);
}

void memfs_check_file(struct memfs *fs, const char *path, const char *expected)
{
    struct sr_io *io = memfs_io(fs);
    char text[256] = {0};
    int fd = io->open(io, path, O_RDONLY, 0);
    if (!expected) {
        assert_int_equal(fd, -ENOENT);
        return;
    }
    assert_true(fd >= 0);
    assert_int_equal(io->pread(io, fd, text, sizeof(text) - 1, 0), strlen(expected));
    assert_string_equal(text, expected);
    io->close(io, fd);
    memfs_check(fs);
}

void memfs_check_after(struct memfs *fs, enum memfs_mode mode, const char *path,
                       const char *expected)
{
    struct memfs *found = memfs_after_cut(fs, mode, 1);
    memfs_check_file(found, path, expected);
    memfs_check(found);
    memfs_free(found);
}
