#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/error.h"
#include "fusefs/dying.h"
#include "fusefs/fusefs_internal.h"

static struct door_file *file_of(const struct fuse_file_info *fi)
{
    return handles_of(fi)->file;
}

/* Takes file over, also when it fails. */
static int fill_handle(struct fusefs *fs, struct fuse_file_info *fi, struct door_file *file,
                       bool write, const struct door_open_info *info)
{
    struct handle *handle;
    int err = handles_add(fs, file, write, &handle);

    if (err) {
        door_release(file);
        return err;
    }
    fi->fh = (uintptr_t)handle;
    fi->keep_cache = info->keep_cache;
    fi->direct_io = info->direct_io;
    return 0;
}

/* O_TRUNC changes the file whatever the access mode says. */
static int open_node(struct fusefs *fs, const struct door_actor *actor, uint64_t node,
                     struct fuse_file_info *fi)
{
    bool truncate = (fi->flags & O_TRUNC) != 0;
    bool write = truncate || (fi->flags & O_ACCMODE) != O_RDONLY;
    struct door_open_info info = {0};
    struct door_file *file;
    int err = door_open(fs->door, actor, node, write, truncate, &file, &info);

    return err ? err : fill_handle(fs, fi, file, write, &info);
}

void content_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct fusefs *fs = request_fs(req);
    struct door_actor actor;
    int err;

    request_actor(req, &actor);
    err = open_node(fs, &actor, ino, fi);
    if (err)
        request_fail(req, "open", err);
    else if (fuse_reply_open(req, fi)) /* the caller has gone: no release will come */
        handles_release(fs, handles_of(fi));
}

void content_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                    struct fuse_file_info *fi)
{
    struct fusefs *fs = request_fs(req);
    struct door_open_info info = {0};
    struct fuse_entry_param entry;
    struct door_file *file;
    struct door_actor actor;
    struct catalog_node node;
    int err = tree_check_name(req, parent, name, "create");

    request_actor(req, &actor);
    if (!err) {
        err = door_create(fs->door, &actor, parent, name, !(mode & S_IWUSR), &node, &file, &info);
        if (!err)
            err = fill_handle(fs, fi, file, true, &info);
    }
    if (err == SR_ERR_EXISTS &&
        !(fi->flags & O_EXCL)) { /* made by another since the kernel looked */
        err = door_lookup(fs->door, &actor, parent, name, &node);
        if (!err && attributes_is_folder(&node))
            err = SR_ERR_IS_DIRECTORY;
        if (!err)
            err = open_node(fs, &actor, node.id, fi);
    }
    if (err) {
        request_fail(req, "create", err);
        return;
    }
    attributes_entry(&node, &entry);
    if (fuse_reply_create(req, &entry, fi))
        handles_release(fs, handles_of(fi));
}

void content_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                  struct fuse_file_info *fi)
{
    struct fusefs *fs = request_fs(req);
    size_t len = size < FUSEFS_MAX_IO ? size : FUSEFS_MAX_IO, got = 0;
    void *buf = buffers_take(fs);
    int err;

    (void)ino;
    if (!buf)
        err = sr_fail(SR_ERR_NO_MEMORY, "no memory for a read");
    else
        err = door_read(file_of(fi), (uint64_t)offset, buf, len, &got);
    if (err)
        request_fail(req, "read", err);
    else
        fuse_reply_buf(req, buf, got);
    buffers_give(fs, buf);
}

void content_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
                   struct fuse_file_info *fi)
{
    struct door_actor actor;
    int err;

    (void)ino;
    request_actor(req, &actor);
    atomic_store(&handles_of(fi)->unflushed, true);
    err = door_write(file_of(fi), &actor, (uint64_t)offset, buf, size);
    if (err)
        request_fail(req, "write", err);
    else
        fuse_reply_write(req, size);
}

void content_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    bool died = dying_by_signal(fuse_req_ctx(req)->pid);
    int err = door_flush(file_of(fi), died);

    (void)ino;
    if (!err)
        atomic_store(&handles_of(fi)->unflushed, false);
    request_end(req, "flush", err);
}

void content_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    handles_release(request_fs(req), handles_of(fi));
    fuse_reply_err(req, 0);
}

void content_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    (void)ino;
    (void)datasync;
    request_end(req, "fsync", door_fsync(file_of(fi)));
}

/* Whether byte end - 1 exists is asked of this handle, not of the node: the handle may be one of a
 * superseded version, whose size is another, and truncate must never shorten here. */
static int extend(struct door *door, const struct door_actor *actor, uint64_t node,
                  struct door_file *file, uint64_t end)
{
    char last;
    size_t got = 0;
    int err = door_read(file, end - 1, &last, 1, &got);

    if (err || got == 1)
        return err;
    return door_truncate(door, actor, node, file, end);
}

/* The kernel itself answers EOPNOTSUPP for every mode but KEEP_SIZE, PUNCH_HOLE and ZERO_RANGE. */
void content_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                       struct fuse_file_info *fi)
{
    struct door *door = request_fs(req)->door;
    struct door_actor actor;
    struct catalog_node node;
    uint64_t end = (uint64_t)offset + (uint64_t)length;
    int err;

    request_actor(req, &actor);
    err = door_getattr(door, &actor, ino, &node);
    if (err) {
        request_fail(req, "fallocate", err);
        return;
    }
    if (attributes_is_sealed(&node) || (mode & ~FALLOC_FL_KEEP_SIZE) || offset < 0 || length <= 0 ||
        end > INT64_MAX)
        err = door_refuse_mutation(door, &actor, ino, "fallocate", SR_ERR_UNSUPPORTED);
    else if (!(mode & FALLOC_FL_KEEP_SIZE))
        err = extend(door, &actor, ino, file_of(fi), end);
    request_end(req, "fallocate", err);
}

/* Server-side copies of Samba. One request's worth at a time; a short answer makes the caller go
 * on. */
void content_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
                             struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
                             struct fuse_file_info *fi_out, size_t len, int flags)
{
    struct fusefs *fs = request_fs(req);
    size_t want = len < FUSEFS_MAX_IO ? len : FUSEFS_MAX_IO, got = 0;
    void *buf = buffers_take(fs);
    struct door_actor actor;
    int err;

    (void)ino_in;
    (void)ino_out;
    (void)flags;
    request_actor(req, &actor);
    if (!buf)
        err = sr_fail(SR_ERR_NO_MEMORY, "no memory for a copy");
    else
        err = door_read(file_of(fi_in), (uint64_t)off_in, buf, want, &got);
    if (!err && got > 0) {
        atomic_store(&handles_of(fi_out)->unflushed, true);
        err = door_write(file_of(fi_out), &actor, (uint64_t)off_out, buf, got);
    }
    if (err)
        request_fail(req, "copy_file_range", err);
    else
        fuse_reply_write(req, got);
    buffers_give(fs, buf);
}

/* Requests that hand data to us would change something: chattr and its kind. The others only ask
 * (isatty(3) sends one for every file that Python opens). The kernel asks for the flags before it
 * sets them; "none" lets the setting come here, where it is refused and recorded. */
void content_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
                   struct fuse_file_info *fi, unsigned flags, const void *in_buf, size_t in_size,
                   size_t out_size)
{
    static const struct fsxattr no_flags;
    struct door_actor actor;
    int err;

    (void)arg;
    (void)fi;
    (void)flags;
    (void)in_buf;
    (void)in_size;
    if (cmd == FS_IOC_GETFLAGS || cmd == FS_IOC32_GETFLAGS || cmd == FS_IOC_FSGETXATTR) {
        fuse_reply_ioctl(req, 0, &no_flags,
                         out_size < sizeof(no_flags) ? out_size : sizeof(no_flags));
        return;
    }
    if (!(_IOC_DIR(cmd) & _IOC_WRITE)) {
        fuse_reply_err(req, ENOTTY);
        return;
    }
    request_actor(req, &actor);
    err = door_refuse_mutation(request_fs(req)->door, &actor, ino, "ioctl", SR_ERR_UNSUPPORTED);
    if (err == 0 || err == SR_ERR_UNSUPPORTED)
        fuse_reply_err(req, ENOTTY);
    else
        request_fail(req, "ioctl", err);
}
