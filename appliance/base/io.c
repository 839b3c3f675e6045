/* The machine's system calls. The helpers over the table are io_file.c. */
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

static int negative_errno(int result)
{
    return result < 0 ? -errno : result;
}

static int posix_open(struct sr_io *io, const char *path, int flags, mode_t mode)
{
    (void)io;
    return negative_errno(open(path, flags | O_CLOEXEC, mode));
}

static int posix_close(struct sr_io *io, int fd)
{
    (void)io;
    /* On Linux the descriptor is gone even when close says EINTR: a second close could hit a
     * descriptor that another thread has just opened. */
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t posix_pread(struct sr_io *io, int fd, void *buf, size_t len, uint64_t offset)
{
    (void)io;
    ssize_t got = pread(fd, buf, len, (off_t)offset);
    return got < 0 ? -errno : got;
}

static ssize_t posix_pwrite(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t offset)
{
    (void)io;
    ssize_t done = pwrite(fd, buf, len, (off_t)offset);
    return done < 0 ? -errno : done;
}

static int posix_fsync(struct sr_io *io, int fd)
{
    (void)io;
    return negative_errno(fsync(fd));
}

static int posix_fdatasync(struct sr_io *io, int fd)
{
    (void)io;
    return negative_errno(fdatasync(fd));
}

static int posix_sync_range(struct sr_io *io, int fd, uint64_t offset, uint64_t len)
{
    (void)io;
    if (sync_file_range(fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE) == 0)
        return 0;
    return errno == ENOSYS || errno == ESPIPE ? 0 : -errno; /* only a hint */
}

static int posix_ftruncate(struct sr_io *io, int fd, uint64_t size)
{
    (void)io;
    return negative_errno(ftruncate(fd, (off_t)size));
}

static int posix_allocate(struct sr_io *io, int fd, uint64_t offset, uint64_t len)
{
    (void)io;
    return negative_errno(fallocate(fd, FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)len));
}

static void convert_stat(const struct stat *st, struct sr_stat *out)
{
    *out = (struct sr_stat){
        .size = (uint64_t)st->st_size,
        .mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
        .links = (uint32_t)st->st_nlink,
        .is_dir = S_ISDIR(st->st_mode),
    };
}

static int posix_stat(struct sr_io *io, const char *path, struct sr_stat *out)
{
    (void)io;
    struct stat st;
    if (lstat(path, &st) < 0)
        return -errno;
    convert_stat(&st, out);
    return 0;
}

static int posix_fstat(struct sr_io *io, int fd, struct sr_stat *out)
{
    (void)io;
    struct stat st;
    if (fstat(fd, &st) < 0)
        return -errno;
    convert_stat(&st, out);
    return 0;
}

static int posix_link(struct sr_io *io, const char *from, const char *to)
{
    (void)io;
    return negative_errno(link(from, to));
}

static int posix_rename(struct sr_io *io, const char *from, const char *to)
{
    (void)io;
    return negative_errno(rename(from, to));
}

static int posix_unlink(struct sr_io *io, const char *path)
{
    (void)io;
    return negative_errno(unlink(path));
}

static int posix_mkdir(struct sr_io *io, const char *path, mode_t mode)
{
    (void)io;
    return negative_errno(mkdir(path, mode));
}

static int posix_rmdir(struct sr_io *io, const char *path)
{
    (void)io;
    return negative_errno(rmdir(path));
}

static int posix_list(struct sr_io *io, const char *path, sr_io_list_fn *fn, void *context)
{
    (void)io;
    DIR *dir = opendir(path);
    if (!dir)
        return -errno;
    int rc = 0;
    while (rc == 0) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            rc = -errno;
            break;
        }
        const char *name = entry->d_name;
        if (name[0] == '.' && (!name[1] || (name[1] == '.' && !name[2])))
            continue;
        rc = fn(context, name);
    }
    closedir(dir);
    return rc;
}

static int posix_sync_dir(struct sr_io *io, const char *path)
{
    (void)io;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = negative_errno(fsync(fd));
    close(fd);
    return rc;
}

static int posix_lock(struct sr_io *io, int fd)
{
    (void)io;
    return negative_errno(flock(fd, LOCK_EX | LOCK_NB));
}

static int posix_set_immutable(struct sr_io *io, const char *path, bool on)
{
    (void)io;
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    int rc = 0;
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) {
        rc = -errno;
    } else if (((flags & FS_IMMUTABLE_FL) != 0) != on) {
        flags ^= FS_IMMUTABLE_FL;
        if (ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0)
            rc = -errno;
    }
    close(fd);
    return rc == -ENOTTY || rc == -EOPNOTSUPP || rc == -ENOSYS ? -EOPNOTSUPP : rc;
}

static int posix_free_space(struct sr_io *io, const char *path, uint64_t *free_bytes,
                            uint64_t *total_bytes)
{
    (void)io;
    struct statvfs st;
    if (statvfs(path, &st) < 0)
        return -errno;
    *free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
    *total_bytes = (uint64_t)st.f_blocks * st.f_frsize;
    return 0;
}

static int posix_random(struct sr_io *io, void *buf, size_t len)
{
    (void)io;
    uint8_t *at = buf;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        at += got;
        len -= (size_t)got;
    }
    return 0;
}

static int64_t clock_ns(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int64_t posix_now_ns(struct sr_io *io)
{
    (void)io;
    return clock_ns(CLOCK_REALTIME);
}

static int64_t posix_boottime_ns(struct sr_io *io)
{
    (void)io;
    return clock_ns(CLOCK_BOOTTIME);
}

static const struct sr_io posix_table = {
    .open = posix_open,
    .close = posix_close,
    .pread = posix_pread,
    .pwrite = posix_pwrite,
    .fsync = posix_fsync,
    .fdatasync = posix_fdatasync,
    .sync_range = posix_sync_range,
    .ftruncate = posix_ftruncate,
    .allocate = posix_allocate,
    .stat = posix_stat,
    .fstat = posix_fstat,
    .link = posix_link,
    .rename = posix_rename,
    .unlink = posix_unlink,
    .mkdir = posix_mkdir,
    .rmdir = posix_rmdir,
    .list = posix_list,
    .sync_dir = posix_sync_dir,
    .lock = posix_lock,
    .set_immutable = posix_set_immutable,
    .free_space = posix_free_space,
    .random = posix_random,
    .now_ns = posix_now_ns,
    .boottime_ns = posix_boottime_ns,
};

struct sr_io *sr_io_posix(void)
{
    /* The type is not const because other tables carry state; nobody writes to this one. */
    return (struct sr_io *)&posix_table;
}
