/* Shared by the files of fusefs/ only. */
#ifndef SR_FUSEFS_INTERNAL_H
#define SR_FUSEFS_INTERNAL_H

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "fusefs/fusefs.h"

#define FUSEFS_MAX_IO (1024 * 1024) /* bytes of one READ or WRITE request */
#define FUSEFS_BLOCK (64 * 1024)    /* st_blksize: a segment's worth */
#define FUSEFS_NAME_MAX 255         /* bytes; the kernel lets longer ones through */

/* What the notifier has to tell the kernel. */
struct notify_item {
    struct notify_item *next;
    uint64_t node;
    bool pages; /* pages as well as attributes */
};

/* An open file of the kernel: fuse_file_info.fh. */
struct handle {
    struct handle *next, *previous;
    struct door_file *file;
    atomic_bool unflushed; /* may write, and no close was answered since it was opened or written */
};

/* Invariants, under lock: (1) tail is NULL iff head is; (2) loop_thread is valid while looping;
 * (3) a buffer is either in use by one request or on the free list; (4) handles lists every
 * door_file that was opened and not yet released. door is written once, before the loop, and only
 * read then. */
struct fusefs {
    struct fuse_session *session;
    struct door *door;
    char *mountpoint; /* absolute */
    bool read_ahead_tune;
    unsigned max_threads;

    pthread_mutex_t lock;
    struct notify_item *head, *tail;
    struct buffers_item *buffers; /* free list of FUSEFS_MAX_IO bytes each */
    struct handle *handles;
    bool looping;
    pthread_t loop_thread;

    sem_t wake; /* the notifier's: an item, or something of the flags below */
    pthread_t notifier;
    bool notifier_running; /* only touched by mount and unmount */
    atomic_bool tune;      /* raise read-ahead: the kernel has our INIT answer */
    atomic_bool leave;     /* fusefs_exit was called */
    atomic_bool stop;      /* the notifier shall end */
};

/* request.c */
void request_actor(fuse_req_t req, struct door_actor *actor);
/* Replies the errno of code (negative); logs what is a fault and not a refusal. */
void request_fail(fuse_req_t req, const char *op, int code);
/* Replies "done" or fails. */
void request_end(fuse_req_t req, const char *op, int code);
static inline struct fusefs *request_fs(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

/* attributes.c */
bool attributes_is_folder(const struct catalog_node *node);
bool attributes_is_sealed(const struct catalog_node *node);
void attributes_stat(const struct catalog_node *node, struct stat *out);
void attributes_entry(const struct catalog_node *node, struct fuse_entry_param *out);
void attributes_get(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void attributes_set(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                    struct fuse_file_info *fi);
void attributes_access(fuse_req_t req, fuse_ino_t ino, int mask);
void attributes_statfs(fuse_req_t req, fuse_ino_t ino);

/* xattr.c */
void xattr_set(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
               int flags);
void xattr_get(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void xattr_list(fuse_req_t req, fuse_ino_t ino, size_t size);
void xattr_remove(fuse_req_t req, fuse_ino_t ino, const char *name);

/* tree.c */
void tree_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void tree_readlink(fuse_req_t req, fuse_ino_t ino);
void tree_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void tree_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);
void tree_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void tree_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void tree_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void tree_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void tree_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void tree_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                 const char *new_name, unsigned int flags);
void tree_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name);
void tree_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void tree_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                  struct fuse_file_info *fi);
void tree_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void tree_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
/* 0, or the recorded refusal of a name that is to be made: over 255 bytes, not UTF-8. */
int tree_check_name(fuse_req_t req, fuse_ino_t parent, const char *name, const char *op);

/* content.c */
void content_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void content_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
                    struct fuse_file_info *fi);
void content_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                  struct fuse_file_info *fi);
void content_write(fuse_req_t req, fuse_ino_t ino, const char *buf, size_t size, off_t offset,
                   struct fuse_file_info *fi);
void content_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void content_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void content_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi);
void content_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
                       struct fuse_file_info *fi);
void content_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
                             struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
                             struct fuse_file_info *fi_out, size_t len, int flags);
void content_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
                   struct fuse_file_info *fi, unsigned flags, const void *in_buf, size_t in_size,
                   size_t out_size);

/* buffers.c: FUSEFS_MAX_IO bytes, page-aligned; kept for the next request, so that no read pays for
 * fresh pages. NULL when out of memory. */
void *buffers_take(struct fusefs *fs);
void buffers_give(struct fusefs *fs, void *buffer); /* NULL ok */
void buffers_free(struct fusefs *fs);

/* handles.c */
int handles_add(struct fusefs *fs, struct door_file *file, bool write, struct handle **out);
void handles_release(struct fusefs *fs, struct handle *handle);
/* What is still open when the loop has ended: no release will come. */
void handles_abandon(struct fusefs *fs);
static inline struct handle *handles_of(const struct fuse_file_info *fi)
{
    return (struct handle *)(uintptr_t)fi->fh;
}

/* notify.c */
int notify_start(struct fusefs *fs);
void notify_stop(struct fusefs *fs); /* the connection is aborted: nothing it does can block */
void notify_drop(struct fusefs *fs); /* what is still queued */

/* operations.c */
const struct fuse_lowlevel_ops *operations_table(void);

#endif
