#include "fusefs/verdicts.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "fusefs/fusefs_internal.h"

typedef void any_operation(void); /* the unit in which struct fuse_lowlevel_ops is measured */
#define SLOTS (sizeof(struct fuse_lowlevel_ops) / sizeof(any_operation *))
#define SLOT(member) #member, offsetof(struct fuse_lowlevel_ops, member) / sizeof(any_operation *)
#define KERNEL_ONLY "-", VERDICT_NO_SLOT

/* libfuse 3.14. When this fails a newer libfuse has more operations: each needs a row. */
_Static_assert(SLOTS == 44, "an operation of libfuse has no verdict on sealed records");

#define ANSWERED VERDICT_ANSWERED, 0, NULL
#define REFUSED(act) VERDICT_DAEMON, EROFS, act
#define KERNEL(error) VERDICT_KERNEL, error, NULL
#define NONE VERDICT_NONE, 0, NULL

/* EROFS is the one errno of a refused change. Others come only where the kernel refuses first:
 * whoever has a descriptor of a sealed record has one for reading, because the seal waits for the
 * last writer. (On an incomplete record a descriptor for writing can be had, to send it again
 * with O_TRUNC; a write without that gets EROFS from us.) root, who may neither open, list nor
 * move records, gets EACCES where that is asked for first: tests/mount/cases/verdicts.py has the
 * list. */
static const struct verdict table[] = {
    {SLOT(init), "mount", NONE, ""},
    {SLOT(destroy), "unmount", NONE, ""},
    {SLOT(lookup), "look a name up", ANSWERED, ""},
    {SLOT(forget), "kernel drops an inode", ANSWERED, ""},
    {SLOT(forget_multi), "kernel drops inodes", ANSWERED, ""},
    {SLOT(getattr), "stat", ANSWERED, ""},
    {SLOT(setattr), "truncate", REFUSED("truncate"), "done"},
    {SLOT(setattr), "ftruncate, descriptor from before the seal", KERNEL(EINVAL), "done"},
    {SLOT(setattr), "chmod", REFUSED("chmod"), "no write bit left: commit request; else accepted"},
    {SLOT(setattr), "fchmod, descriptor from before the seal", REFUSED("chmod"), "as chmod"},
    {SLOT(setattr), "chown", REFUSED("chown"), "EACCES, except to the owner it has"},
    {SLOT(setattr), "utimensat", REFUSED("utimens"), "done"},
    {SLOT(setattr), "futimens, descriptor from before the seal", REFUSED("utimens"), "done"},
    {SLOT(readlink), "readlink", KERNEL(EINVAL), "EINVAL: it is no link"},
    {SLOT(mknod), "mknod onto its name", KERNEL(EEXIST), "regular: creates; others EPERM"},
    {SLOT(mkdir), "mkdir onto its name", KERNEL(EEXIST), "makes a folder"},
    {SLOT(unlink), "unlink", REFUSED("unlink"), "its maker may; content is dropped"},
    {SLOT(rmdir), "rmdir on the record", KERNEL(ENOTDIR), "ENOTDIR"},
    {SLOT(rmdir), "rmdir of an ancestor", REFUSED("rmdir"),
     "an empty provisional folder: its maker may"},
    {SLOT(symlink), "symlink onto its name", KERNEL(EEXIST), "EPERM: there are no links"},
    {SLOT(rename), "rename it", REFUSED("rename"), "done"},
    {SLOT(rename), "rename onto it", REFUSED("rename"), "becomes a new version"},
    {SLOT(rename), "rename onto it, RENAME_NOREPLACE", KERNEL(EEXIST), "EEXIST"},
    {SLOT(rename), "rename an ancestor", REFUSED("rename"), "a provisional folder: its maker may"},
    {SLOT(rename), "rename, RENAME_EXCHANGE", REFUSED("exchange"), "EINVAL"},
    {SLOT(rename), "rename, RENAME_WHITEOUT", REFUSED("exchange"), "EINVAL"},
    {SLOT(link), "link", REFUSED("link"), "EPERM: there are no links"},
    {SLOT(open), "open for reading", ANSWERED, "done"},
    {SLOT(open), "open for writing", REFUSED("write"), "done"},
    {SLOT(open), "open with O_APPEND", REFUSED("write"), "done"},
    {SLOT(open), "open with O_TRUNC", REFUSED("truncate"), "content becomes a superseded version"},
    {SLOT(read), "read", ANSWERED, "done"},
    {SLOT(write), "write, descriptor from before the seal", KERNEL(EBADF), "done"},
    {SLOT(write_buf), "not used: write", NONE, ""},
    {SLOT(flush), "close", ANSWERED, "what was written is durable, or the error is returned"},
    {SLOT(release), "last close", ANSWERED, "settling begins"},
    {SLOT(fsync), "fsync", ANSWERED, "what was written is durable, or the error is returned"},
    {SLOT(opendir), "opendir", ANSWERED, ""},
    {SLOT(readdir), "readdir", ANSWERED, ""},
    {SLOT(readdirplus), "not used: readdir", NONE, ""},
    {SLOT(releasedir), "closedir", ANSWERED, ""},
    {SLOT(fsyncdir), "fsync of a folder", ANSWERED, "acts are durable before they are answered"},
    {SLOT(statfs), "statfs", ANSWERED, ""},
    {SLOT(setxattr), "setxattr", REFUSED("setxattr"), "EOPNOTSUPP"},
    {SLOT(setxattr), "setxattr of user.strongroom.*", REFUSED("setxattr"), "EOPNOTSUPP"},
    {SLOT(setxattr), "setxattr of user.strongroom.classification", ANSWERED, "as after it: an act"},
    {SLOT(setxattr), "set a POSIX ACL", REFUSED("setxattr"), "EOPNOTSUPP, not recorded"},
    {SLOT(getxattr), "getxattr", ANSWERED, ""},
    {SLOT(listxattr), "listxattr", ANSWERED, ""},
    {SLOT(removexattr), "removexattr", REFUSED("removexattr"), "EOPNOTSUPP"},
    {SLOT(access), "access", ANSWERED, ""},
    {SLOT(create), "open with O_CREAT|O_EXCL", KERNEL(EEXIST), "creates"},
    {SLOT(create), "open with O_CREAT|O_TRUNC", REFUSED("truncate"), "creates"},
    {SLOT(getlk), "fcntl F_GETLK: the kernel's own", ANSWERED, ""},
    {SLOT(setlk), "fcntl F_SETLK: the kernel's own", ANSWERED, ""},
    {SLOT(flock), "flock: the kernel's own", ANSWERED, ""},
    {SLOT(bmap), "ioctl FIBMAP: the kernel's own", ANSWERED, ""},
    {SLOT(ioctl), "ioctl FS_IOC_SETFLAGS (chattr)", REFUSED("ioctl"), "ENOTTY"},
    {SLOT(ioctl), "ioctl FS_IOC_FSSETXATTR", REFUSED("ioctl"), "ENOTTY"},
    {SLOT(poll), "poll: the kernel's own", ANSWERED, ""},
    {SLOT(retrieve_reply), "not used", NONE, ""},
    {SLOT(fallocate), "fallocate in every mode", KERNEL(EBADF),
     "0: extends; KEEP_SIZE: nothing; else EOPNOTSUPP"},
    {SLOT(copy_file_range), "copy_file_range onto it", KERNEL(EBADF), "done"},
    {SLOT(lseek), "lseek SEEK_DATA, SEEK_HOLE: the kernel's own", ANSWERED, ""},
    {KERNEL_ONLY, "mmap, shared and writable", KERNEL(EACCES), "ENODEV: writers use direct I/O"},
    {KERNEL_ONLY, "mprotect to writable, shared", KERNEL(EACCES), "ENODEV"},
    {KERNEL_ONLY, "open with O_TMPFILE in its folder", KERNEL(EOPNOTSUPP), "EOPNOTSUPP"},
    {KERNEL_ONLY, "link onto its name", KERNEL(EEXIST), "EEXIST"},
    {KERNEL_ONLY, "ioctl FICLONE onto it", KERNEL(EBADF), "EOPNOTSUPP"},
    {KERNEL_ONLY, "splice, sendfile onto it", KERNEL(EBADF), "done"},
};

const struct verdict *fusefs_verdicts(size_t *count)
{
    *count = sizeof(table) / sizeof(table[0]);
    return table;
}

static const char *by_name(enum verdict_by by)
{
    static const char *const names[] = {"answered", "daemon", "kernel", "none"};

    return names[by];
}

void fusefs_verdicts_print(FILE *out)
{
    fputs("operation\trequest\tby\terrno\trecorded\tbefore the seal\n", out);
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct verdict *row = &table[i];

        fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\n", row->operation, row->request, by_name(row->by),
                row->error ? strerrorname_np(row->error) : "-", row->act ? row->act : "-",
                row->before);
    }
}

/* Operations that the kernel does by itself when we have no handler; all others that anybody can
 * ask for must have one. */
static bool may_lack_handler(const char *operation)
{
    static const char *const names[] = {"destroy", "write_buf",  "getlk", "setlk",
                                        "flock",   "bmap",       "poll",  "retrieve_reply",
                                        "lseek",   "readdirplus"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], operation) == 0)
            return true;
    return false;
}

int fusefs_verdicts_check(void)
{
    any_operation *handlers[SLOTS];
    bool has_row[SLOTS] = {false};

    memcpy(handlers, operations_table(), sizeof(handlers));
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        const struct verdict *row = &table[i];
        bool refused = row->by == VERDICT_DAEMON || row->by == VERDICT_KERNEL;

        if (refused != (row->error > 0) || (row->by == VERDICT_DAEMON) != (row->act != NULL))
            return sr_fail(SR_ERR_INVALID, "the verdict on \"%s\" contradicts itself",
                           row->request);
        if (row->by == VERDICT_DAEMON && row->error != EROFS)
            return sr_fail(SR_ERR_INVALID, "the verdict on \"%s\" is not EROFS", row->request);
        if (row->slot == VERDICT_NO_SLOT)
            continue;
        has_row[row->slot] = true;
        if ((handlers[row->slot] == NULL) != may_lack_handler(row->operation))
            return sr_fail(SR_ERR_INVALID, "operation %s: handler and table disagree",
                           row->operation);
    }
    for (size_t i = 0; i < SLOTS; i++)
        if (!has_row[i])
            return sr_fail(SR_ERR_INVALID,
                           "operation number %zu of struct fuse_lowlevel_ops has no row", i);
    return 0;
}
