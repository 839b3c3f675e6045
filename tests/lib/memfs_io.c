/* memfs: the table of calls. Each takes the mutex, passes the gate, and acts. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/memfs_internal.h"

static struct memfs *enter(struct sr_io *io)
{
    struct memfs *fs = (struct memfs *)io;
    pthread_mutex_lock(&fs->mutex);
    return fs;
}

static int leave(struct memfs *fs, int result)
{
    pthread_mutex_unlock(&fs->mutex);
    return result;
}

/* Every counted call passes here: 0, or what it must return. */
static int gate(struct memfs *fs)
{
    if (fs->off)
        return -EIO;
    fs->calls++;
    if (fs->calls == fs->cut_call) {
        fs->off = true;
        return -EIO;
    }
    if (fs->calls == fs->fail_at) {
        fs->fired = true;
        return -fs->fail_errno;
    }
    return 0;
}

/* After the gate of a sync: whether it takes effect; *result: what it returns. */
static bool sync_gate(struct memfs *fs, int *result)
{
    *result = 0;
    fs->syncs++;
    if (fs->syncs != fs->cut_sync)
        return true;
    fs->off = true;
    *result = -EIO;
    return fs->cut_after;
}

static struct memfs_handle *handle_of(struct memfs *fs, int fd)
{
    size_t i = (size_t)fd - MEMFS_FD_BASE;
    if (fd < MEMFS_FD_BASE || i >= fs->handle_count || !fs->handles[i].inode)
        return NULL;
    return &fs->handles[i];
}

static void truncate_live(struct memfs *fs, struct memfs_inode *inode, uint64_t size)
{
    fs->used_pages -= inode->live.count;
    memfs_content_truncate(&inode->live, size);
    fs->used_pages += inode->live.count;
    memfs_note_truncate(inode, size);
    inode->mtime_ns = fs->now_ns;
}

static int handle_new(struct memfs *fs, struct memfs_inode *inode, int flags)
{
    size_t i = 0;
    while (i < fs->handle_count && fs->handles[i].inode)
        i++;
    if (i == fs->handle_count) {
        size_t capacity = fs->handle_count;
        fs->handles = memfs_grow(fs->handles, i, &capacity, sizeof(*fs->handles));
        memset(fs->handles + i, 0, (capacity - i) * sizeof(*fs->handles));
        fs->handle_count = capacity;
    }
    fs->handles[i] = (struct memfs_handle){.inode = inode, .flags = flags};
    inode->handles++;
    return MEMFS_FD_BASE + (int)i;
}

static int open_locked(struct memfs *fs, const char *path, int flags)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    struct memfs_inode *inode;
    int rc = memfs_lookup(fs, path, &inode);
    if (rc == 0 && (flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if (rc == -ENOENT && (flags & O_CREAT)) {
        struct memfs_inode *dir;
        char *last;
        rc = memfs_lookup_parent(fs, path, &dir, &last);
        if (rc < 0)
            return rc;
        inode = memfs_inode_new(fs, false);
        memfs_name_add(fs, dir, last, inode);
        free(last);
        return handle_new(fs, inode, flags);
    }
    if (rc < 0)
        return rc;
    if (inode->is_dir && (writes || (flags & O_CREAT)))
        return -EISDIR;
    if (!inode->is_dir && (flags & O_DIRECTORY))
        return -ENOTDIR;
    if (inode->immutable && (writes || (flags & O_TRUNC)))
        return -EPERM;
    if ((flags & O_TRUNC) && !inode->is_dir)
        truncate_live(fs, inode, 0);
    return handle_new(fs, inode, flags);
}

static int memfs_open(struct sr_io *io, const char *path, int flags, mode_t mode)
{
    (void)mode;
    struct memfs *fs = enter(io);
    int rc = gate(fs);
    return leave(fs, rc < 0 ? rc : open_locked(fs, path, flags));
}

static int memfs_close(struct sr_io *io, int fd)
{
    struct memfs *fs = enter(io);
    struct memfs_handle *handle = handle_of(fs, fd);
    if (!handle)
        return leave(fs, -EBADF);
    struct memfs_inode *inode = handle->inode;
    if (handle->locks)
        inode->locked = false;
    *handle = (struct memfs_handle){0};
    inode->handles--;
    memfs_drop_if_dead(fs, inode);
    return leave(fs, fs->off ? -EIO : 0);
}

/* In ragged mode: a part of len, or -EINTR. */
static ssize_t ragged(struct memfs *fs, size_t len)
{
    if (!fs->ragged || len == 0)
        return (ssize_t)len;
    if (memfs_below(fs, 8) == 0)
        return -EINTR;
    return (ssize_t)(1 + memfs_below(fs, len));
}

static ssize_t pread_locked(struct memfs *fs, int fd, void *buf, size_t len, uint64_t offset)
{
    const struct memfs_handle *handle = handle_of(fs, fd);
    if (!handle || (handle->flags & O_ACCMODE) == O_WRONLY)
        return -EBADF;
    const struct memfs_inode *inode = handle->inode;
    if (inode->is_dir)
        return -EISDIR;
    if (offset > INT64_MAX)
        return -EINVAL;
    if (offset >= inode->live.size)
        return 0;
    if (len > inode->live.size - offset)
        len = (size_t)(inode->live.size - offset);
    ssize_t part = ragged(fs, len);
    if (part > 0)
        memfs_content_read(&inode->live, buf, (size_t)part, offset);
    return part;
}

static ssize_t memfs_pread(struct sr_io *io, int fd, void *buf, size_t len, uint64_t offset)
{
    struct memfs *fs = enter(io);
    ssize_t rc = gate(fs);
    if (rc == 0)
        rc = pread_locked(fs, fd, buf, len, offset);
    leave(fs, 0);
    return rc;
}

/* Takes room for the pages of a range; returns how many bytes of it got some. */
static size_t take_room(struct memfs *fs, struct memfs_inode *inode, uint64_t offset, size_t len)
{
    size_t done = 0;
    while (done < len) {
        uint64_t number = (offset + done) / MEMFS_PAGE;
        if (!memfs_page_find(&inode->live, number)) {
            if (fs->used_pages >= fs->total_pages)
                break;
            memfs_page_make(&inode->live, number);
            fs->used_pages++;
        }
        uint64_t next = (number + 1) * MEMFS_PAGE;
        done = next - offset < len ? (size_t)(next - offset) : len;
    }
    return done;
}

static ssize_t pwrite_locked(struct memfs *fs, int fd, const void *buf, size_t len, uint64_t offset)
{
    const struct memfs_handle *handle = handle_of(fs, fd);
    if (!handle || (handle->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    struct memfs_inode *inode = handle->inode;
    if (handle->flags & O_APPEND)
        offset = inode->live.size;
    if (offset > INT64_MAX || len > INT64_MAX - offset)
        return -EFBIG;
    ssize_t part = ragged(fs, len);
    if (part <= 0)
        return part;
    size_t done = take_room(fs, inode, offset, (size_t)part);
    if (done == 0)
        return -ENOSPC;
    memfs_content_write(&inode->live, buf, done, offset);
    memfs_note_write(inode, buf, done, offset);
    inode->mtime_ns = fs->now_ns;
    return (ssize_t)done;
}

static ssize_t memfs_pwrite(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t offset)
{
    struct memfs *fs = enter(io);
    ssize_t rc = gate(fs);
    if (rc == 0)
        rc = pwrite_locked(fs, fd, buf, len, offset);
    else if (!fs->off && len > 0) /* failed, and torn */
        pwrite_locked(fs, fd, buf, memfs_below(fs, len + 1), offset);
    leave(fs, 0);
    return rc;
}

static int memfs_fsync(struct sr_io *io, int fd)
{
    struct memfs *fs = enter(io);
    struct memfs_handle *handle = handle_of(fs, fd);
    int rc = gate(fs);
    if (rc == 0 && !handle)
        rc = -EBADF;
    if (rc < 0) {
        for (size_t i = 0; !fs->off && handle && i < handle->inode->write_count; i++)
            handle->inode->writes[i].orphan = true;
        return leave(fs, rc);
    }
    if (sync_gate(fs, &rc)) {
        if (handle->inode->is_dir)
            memfs_sync_dir(fs, handle->inode);
        else
            memfs_sync_content(handle->inode);
    }
    return leave(fs, rc);
}

static int memfs_sync_range(struct sr_io *io, int fd, uint64_t offset, uint64_t len)
{
    (void)offset;
    (void)len;
    struct memfs *fs = enter(io);
    return leave(fs, fs->off ? -EIO : handle_of(fs, fd) ? 0 : -EBADF);
}

/* The file behind a descriptor open for writing. */
static int writable(struct memfs *fs, int fd, struct memfs_inode **out)
{
    const struct memfs_handle *handle = handle_of(fs, fd);
    if (!handle || (handle->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    *out = handle->inode;
    return 0;
}

static int memfs_ftruncate(struct sr_io *io, int fd, uint64_t size)
{
    struct memfs *fs = enter(io);
    struct memfs_inode *inode;
    int rc = gate(fs);
    if (rc == 0)
        rc = writable(fs, fd, &inode);
    if (rc == 0 && size > INT64_MAX)
        rc = -EFBIG;
    if (rc == 0)
        truncate_live(fs, inode, size);
    return leave(fs, rc);
}

static int memfs_allocate(struct sr_io *io, int fd, uint64_t offset, uint64_t len)
{
    struct memfs *fs = enter(io);
    struct memfs_inode *inode;
    int rc = gate(fs);
    if (rc == 0)
        rc = writable(fs, fd, &inode);
    if (rc == 0 && (len == 0 || offset > INT64_MAX || len > INT64_MAX - offset))
        rc = -EINVAL;
    if (rc == 0 && take_room(fs, inode, offset, (size_t)len) < len)
        rc = -ENOSPC;
    return leave(fs, rc);
}

static void fill_stat(const struct memfs_inode *inode, struct sr_stat *out)
{
    *out = (struct sr_stat){
        .size = inode->live.size,
        .mtime_ns = inode->mtime_ns,
        .links = inode->is_dir ? 2 : inode->links,
        .is_dir = inode->is_dir,
    };
}

static int memfs_stat(struct sr_io *io, const char *path, struct sr_stat *out)
{
    struct memfs *fs = enter(io);
    struct memfs_inode *inode;
    int rc = fs->off ? -EIO : memfs_lookup(fs, path, &inode);
    if (rc == 0)
        fill_stat(inode, out);
    return leave(fs, rc);
}

static int memfs_fstat(struct sr_io *io, int fd, struct sr_stat *out)
{
    struct memfs *fs = enter(io);
    const struct memfs_handle *handle = handle_of(fs, fd);
    int rc = fs->off ? -EIO : handle ? 0 : -EBADF;
    if (rc == 0)
        fill_stat(handle->inode, out);
    return leave(fs, rc);
}

static int memfs_link(struct sr_io *io, const char *from, const char *to)
{
    struct memfs *fs = enter(io);
    int rc = gate(fs);
    return leave(fs, rc < 0 ? rc : memfs_link_names(fs, from, to));
}

static int memfs_rename(struct sr_io *io, const char *from, const char *to)
{
    struct memfs *fs = enter(io);
    int rc = gate(fs);
    return leave(fs, rc < 0 ? rc : memfs_rename_names(fs, from, to));
}

static int memfs_unlink(struct sr_io *io, const char *path)
{
    struct memfs *fs = enter(io);
    int rc = gate(fs);
    return leave(fs, rc < 0 ? rc : memfs_remove_name(fs, path, false));
}

static int memfs_rmdir(struct sr_io *io, const char *path)
{
    struct memfs *fs = enter(io);
    int rc = gate(fs);
    return leave(fs, rc < 0 ? rc : memfs_remove_name(fs, path, true));
}

static int memfs_mkdir(struct sr_io *io, const char *path, mode_t mode)
{
    (void)mode;
    struct memfs *fs = enter(io);
    int rc = gate(fs);
    return leave(fs, rc < 0 ? rc : memfs_mkdir_names(fs, path));
}

struct name_list {
    char **names;
    size_t count;
};

static int memfs_list(struct sr_io *io, const char *path, sr_io_list_fn *fn, void *context)
{
    struct memfs *fs = enter(io);
    struct memfs_inode *dir;
    struct name_list list = {0};
    size_t capacity = 0;
    int rc = gate(fs);
    if (rc == 0)
        rc = memfs_lookup(fs, path, &dir);
    if (rc == 0 && !dir->is_dir)
        rc = -ENOTDIR;
    for (size_t i = 0; rc == 0 && i < dir->names.count; i++) {
        list.names = memfs_grow(list.names, list.count, &capacity, sizeof(char *));
        list.names[list.count++] = memfs_strdup(dir->names.items[i].name);
    }
    leave(fs, 0);
    /* Outside the mutex: fn may make calls. */
    for (size_t i = 0; i < list.count; i++) {
        if (rc == 0)
            rc = fn(context, list.names[i]);
        free(list.names[i]);
    }
    free(list.names);
    return rc;
}

static int memfs_dir_sync(struct sr_io *io, const char *path)
{
    struct memfs *fs = enter(io);
    struct memfs_inode *dir;
    int rc = gate(fs);
    if (rc == 0)
        rc = memfs_lookup(fs, path, &dir);
    if (rc == 0 && !dir->is_dir)
        rc = -ENOTDIR;
    if (rc == 0 && sync_gate(fs, &rc))
        memfs_sync_dir(fs, dir);
    return leave(fs, rc);
}

static int memfs_lock(struct sr_io *io, int fd)
{
    struct memfs *fs = enter(io);
    struct memfs_handle *handle = handle_of(fs, fd);
    int rc = fs->off ? -EIO : handle ? 0 : -EBADF;
    if (rc == 0 && handle->inode->locked && !handle->locks)
        rc = -EWOULDBLOCK;
    if (rc == 0)
        handle->locks = handle->inode->locked = true;
    return leave(fs, rc);
}

static int memfs_set_immutable(struct sr_io *io, const char *path, bool on)
{
    struct memfs *fs = enter(io);
    struct memfs_inode *inode;
    int rc = fs->off ? -EIO : memfs_lookup(fs, path, &inode);
    if (rc == 0)
        inode->immutable = on;
    return leave(fs, rc);
}

static int memfs_free_space(struct sr_io *io, const char *path, uint64_t *free_bytes,
                            uint64_t *total_bytes)
{
    struct memfs *fs = enter(io);
    struct memfs_inode *inode;
    int rc = fs->off ? -EIO : memfs_lookup(fs, path, &inode);
    if (rc == 0) {
        *free_bytes = (fs->total_pages - fs->used_pages) * MEMFS_PAGE;
        *total_bytes = fs->total_pages * MEMFS_PAGE;
    }
    return leave(fs, rc);
}

static int memfs_fill_random(struct sr_io *io, void *buf, size_t len)
{
    struct memfs *fs = enter(io);
    int rc = gate(fs);
    for (size_t done = 0; rc == 0 && done < len;) {
        uint64_t word = memfs_random(fs);
        size_t part = len - done < sizeof(word) ? len - done : sizeof(word);
        memcpy((uint8_t *)buf + done, &word, part);
        done += part;
    }
    return leave(fs, rc);
}

static int64_t memfs_now_ns(struct sr_io *io)
{
    struct memfs *fs = enter(io);
    int64_t now_ns = fs->now_ns;
    leave(fs, 0);
    return now_ns;
}

static int64_t memfs_boottime_ns(struct sr_io *io)
{
    struct memfs *fs = enter(io);
    int64_t boottime_ns = fs->boottime_ns;
    leave(fs, 0);
    return boottime_ns;
}

const struct sr_io memfs_table = {
    .open = memfs_open,
    .close = memfs_close,
    .pread = memfs_pread,
    .pwrite = memfs_pwrite,
    .fsync = memfs_fsync,
    .fdatasync = memfs_fsync,
    .sync_range = memfs_sync_range,
    .ftruncate = memfs_ftruncate,
    .allocate = memfs_allocate,
    .stat = memfs_stat,
    .fstat = memfs_fstat,
    .link = memfs_link,
    .rename = memfs_rename,
    .unlink = memfs_unlink,
    .mkdir = memfs_mkdir,
    .rmdir = memfs_rmdir,
    .list = memfs_list,
    .sync_dir = memfs_dir_sync,
    .lock = memfs_lock,
    .set_immutable = memfs_set_immutable,
    .free_space = memfs_free_space,
    .random = memfs_fill_random,
    .now_ns = memfs_now_ns,
    .boottime_ns = memfs_boottime_ns,
};
