#include "fusefs/fusefs_internal.h"

/* Nothing the kernel could cache on behalf of one user and show to another is asked for: no
 * write-back cache, no readdirplus (its attributes would expire at once, see attributes_entry), no
 * POSIX ACLs. No splice: content is encrypted, it has to pass through memory of ours anyway. */
static void init(void *userdata, struct fuse_conn_info *conn)
{
    struct fusefs *fs = userdata;

    conn->want =
        conn->capable & (FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_ASYNC_DIO |
                         FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_IOCTL_DIR);
    conn->max_write = FUSEFS_MAX_IO;
    conn->max_background = 64;
    conn->congestion_threshold = 48;
    if (fs->read_ahead_tune) { /* the kernel sets its own figure when it gets our answer: later */
        atomic_store(&fs->tune, true);
        sem_post(&fs->wake);
    }
}

/* getlk, setlk, flock: the kernel's local locks, which is what Samba needs. lseek: the kernel's.
 * What each operation answers on a sealed record: verdicts.c. */
static const struct fuse_lowlevel_ops table = {
    .init = init,
    .lookup = tree_lookup,
    .forget = tree_forget,
    .forget_multi = tree_forget_multi,
    .getattr = attributes_get,
    .setattr = attributes_set,
    .readlink = tree_readlink,
    .access = attributes_access,
    .statfs = attributes_statfs,
    .mknod = tree_mknod,
    .mkdir = tree_mkdir,
    .unlink = tree_unlink,
    .rmdir = tree_rmdir,
    .symlink = tree_symlink,
    .rename = tree_rename,
    .link = tree_link,
    .opendir = tree_opendir,
    .readdir = tree_readdir,
    .releasedir = tree_releasedir,
    .fsyncdir = tree_fsyncdir,
    .setxattr = xattr_set,
    .getxattr = xattr_get,
    .listxattr = xattr_list,
    .removexattr = xattr_remove,
    .create = content_create,
    .open = content_open,
    .read = content_read,
    .write = content_write,
    .flush = content_flush,
    .release = content_release,
    .fsync = content_fsync,
    .fallocate = content_fallocate,
    .copy_file_range = content_copy_file_range,
    .ioctl = content_ioctl,
};

const struct fuse_lowlevel_ops *operations_table(void)
{
    return &table;
}
