#include <errno.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/text.h"
#include "fusefs/fusefs_internal.h"

int tree_check_name(fuse_req_t req, fuse_ino_t parent, const char *name, const char *op)
{
    struct door_actor actor;
    size_t len = strlen(name);
    int code;

    if (len <= FUSEFS_NAME_MAX && sr_utf8_valid(name, len))
        return 0;
    code = len > FUSEFS_NAME_MAX ? SR_ERR_NAME_TOO_LONG : SR_ERR_NAME_ENCODING;
    request_actor(req, &actor);
    door_refuse_name(request_fs(req)->door, &actor, parent, name, op, code);
    return code;
}

static void reply_entry(fuse_req_t req, const struct catalog_node *node)
{
    struct fuse_entry_param entry;

    attributes_entry(node, &entry);
    fuse_reply_entry(req, &entry);
}

/* The kernel looks a name up before it asks to create it. A name that cannot exist is therefore
 * "absent" here and not "too long": otherwise the create, which records the refusal, never
 * comes. */
void tree_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct door_actor actor;
    struct catalog_node node;
    size_t len = strlen(name);
    int err;

    if (len > FUSEFS_NAME_MAX || !sr_utf8_valid(name, len)) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    request_actor(req, &actor);
    err = door_lookup(request_fs(req)->door, &actor, parent, name, &node);
    if (err)
        request_fail(req, "lookup", err);
    else
        reply_entry(req, &node);
}

/* The links of 我的案件, 按对象, 按日期. */
void tree_readlink(fuse_req_t req, fuse_ino_t ino)
{
    struct door_actor actor;
    struct sr_buf target = {0};
    int err;

    request_actor(req, &actor);
    err = door_readlink(request_fs(req)->door, &actor, ino, &target);
    if (!err) {
        sr_buf_append(&target, "", 1);
        err = target.failed ? sr_fail(SR_ERR_NO_MEMORY, "no memory for a link") : 0;
    }
    if (err)
        request_fail(req, "readlink", err);
    else
        fuse_reply_readlink(req, target.data);
    sr_buf_free(&target);
}

/* Node ids are never reused and nothing is kept per inode, so there is nothing to forget. */
void tree_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
    (void)ino;
    (void)count;
    fuse_reply_none(req);
}

void tree_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
    (void)count;
    (void)forgets;
    fuse_reply_none(req);
}

/* Links, devices, pipes and sockets. EPERM is what link(2), symlink(2) and mknod(2) name for a file
 * system that has none. */
static void refuse_kind(fuse_req_t req, fuse_ino_t ino, const char *op)
{
    struct door_actor actor;
    int err;

    request_actor(req, &actor);
    err = door_refuse_mutation(request_fs(req)->door, &actor, ino, op, SR_ERR_UNSUPPORTED);
    if (err == 0 || err == SR_ERR_UNSUPPORTED)
        fuse_reply_err(req, EPERM);
    else
        request_fail(req, op, err);
}

static int make_empty(struct door *door, const struct door_actor *actor, fuse_ino_t parent,
                      const char *name, mode_t mode, struct catalog_node *node)
{
    struct door_open_info info;
    struct door_file *file;
    int err = door_create(door, actor, parent, name, !(mode & S_IWUSR), node, &file, &info);

    if (err)
        return err;
    err = door_flush(file, false);
    door_release(file);
    return err;
}

void tree_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
    struct door *door = request_fs(req)->door;
    struct door_actor actor;
    struct catalog_node node;
    int err;

    (void)device;
    request_actor(req, &actor);
    if (!S_ISREG(mode)) {
        refuse_kind(req, parent, "mknod");
        return;
    }
    err = tree_check_name(req, parent, name, "create");
    if (!err)
        err = make_empty(door, &actor, parent, name, mode, &node);
    if (err)
        request_fail(req, "mknod", err);
    else
        reply_entry(req, &node);
}

void tree_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    struct door_actor actor;
    struct catalog_node node;
    int err = tree_check_name(req, parent, name, "mkdir");

    (void)mode;
    request_actor(req, &actor);
    if (!err)
        err = door_mkdir(request_fs(req)->door, &actor, parent, name, &node);
    if (err)
        request_fail(req, "mkdir", err);
    else
        reply_entry(req, &node);
}

void tree_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct door_actor actor;

    request_actor(req, &actor);
    request_end(req, "unlink", door_unlink(request_fs(req)->door, &actor, parent, name));
}

void tree_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct door_actor actor;

    request_actor(req, &actor);
    request_end(req, "rmdir", door_rmdir(request_fs(req)->door, &actor, parent, name));
}

void tree_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    (void)target;
    (void)name;
    refuse_kind(req, parent, "symlink");
}

void tree_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
    (void)new_parent;
    (void)new_name;
    refuse_kind(req, ino, "link");
}

/* RENAME_EXCHANGE and RENAME_WHITEOUT: neither side may be changed so; a sealed one is named. */
static int refuse_exchange(struct door *door, const struct door_actor *actor, fuse_ino_t parent,
                           const char *name, fuse_ino_t new_parent, const char *new_name)
{
    struct catalog_node node;
    int err = door_lookup(door, actor, parent, name, &node);

    if (!err)
        err = door_refuse_mutation(door, actor, node.id, "exchange", SR_ERR_UNSUPPORTED);
    if (err != SR_ERR_UNSUPPORTED)
        return err;
    err = door_lookup(door, actor, new_parent, new_name, &node);
    if (err)
        return err == SR_ERR_NOT_FOUND ? SR_ERR_UNSUPPORTED : err;
    if (attributes_is_sealed(&node))
        return door_refuse_mutation(door, actor, node.id, "exchange", SR_ERR_UNSUPPORTED);
    return SR_ERR_UNSUPPORTED;
}

void tree_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
                 const char *new_name, unsigned int flags)
{
    struct door *door = request_fs(req)->door;
    struct door_actor actor;
    int err = tree_check_name(req, new_parent, new_name, "rename");

    request_actor(req, &actor);
    if (!err && (flags & ~(unsigned int)RENAME_NOREPLACE)) {
        err = refuse_exchange(door, &actor, parent, name, new_parent, new_name);
        if (err == 0 || err == SR_ERR_UNSUPPORTED)
            err = SR_ERR_INVALID; /* rename(2): EINVAL for flags that the file system lacks */
    } else if (!err) {
        err =
            door_rename(door, &actor, parent, name, new_parent, new_name, flags & RENAME_NOREPLACE);
    }
    request_end(req, "rename", err);
}

/* --- reading folders ------------------------------------------------------------------------- */

/* Cookies: 1 after ".", 2 after "..", node id + 2 after an entry. Children come in the order of
 * their ids, new ones have higher ids: a listing misses nothing that was there when it began. */
#define COOKIE_DOT 1
#define COOKIE_DOTDOT 2
#define COOKIE_OF(id) ((off_t)((id) + COOKIE_DOTDOT))

struct listing {
    fuse_req_t req;
    char *buf;
    size_t size, used;
};

/* Returns 1 when the buffer is full. */
static int add_name(struct listing *listing, const char *name, const struct stat *st, off_t cookie)
{
    size_t need = fuse_add_direntry(listing->req, listing->buf + listing->used,
                                    listing->size - listing->used, name, st, cookie);

    if (need > listing->size - listing->used)
        return 1;
    listing->used += need;
    return 0;
}

static int add_node(void *context, const struct catalog_node *node)
{
    struct stat st;

    attributes_stat(node, &st);
    return add_name(context, node->name, &st, COOKIE_OF(node->id));
}

static int stop_at_first(void *context, const struct catalog_node *node)
{
    (void)context;
    (void)node;
    return 1;
}

/* Asks for the listing at once, so that who may not have it learns so from opendir(3). */
void tree_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct door_actor actor;
    int err;

    request_actor(req, &actor);
    err = door_readdir(request_fs(req)->door, &actor, ino, 0, stop_at_first, NULL);
    if (err < 0)
        request_fail(req, "opendir", err);
    else
        fuse_reply_open(req, fi);
}

void tree_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
                  struct fuse_file_info *fi)
{
    struct fusefs *fs = request_fs(req);
    struct listing listing = {.req = req, .size = size < FUSEFS_MAX_IO ? size : FUSEFS_MAX_IO};
    struct stat st = {.st_mode = S_IFDIR, .st_ino = ino};
    uint64_t after = offset > COOKIE_DOTDOT ? (uint64_t)offset - COOKIE_DOTDOT : 0;
    struct door_actor actor;
    int err = 0;

    (void)fi;
    request_actor(req, &actor);
    listing.buf = buffers_take(fs);
    if (!listing.buf) {
        request_fail(req, "readdir", sr_fail(SR_ERR_NO_MEMORY, "no memory for a listing"));
        return;
    }
    if (offset < COOKIE_DOT)
        err = add_name(&listing, ".", &st, COOKIE_DOT);
    if (!err && offset < COOKIE_DOTDOT)
        err = add_name(&listing, "..", &st, COOKIE_DOTDOT);
    if (!err)
        err = door_readdir(fs->door, &actor, ino, after, add_node, &listing);
    if (err < 0)
        request_fail(req, "readdir", err);
    else
        fuse_reply_buf(req, listing.buf, listing.used);
    buffers_give(fs, listing.buf);
}

void tree_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    (void)fi;
    fuse_reply_err(req, 0);
}

/* An act is durable before it is answered, so folders are always synced. */
void tree_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
    (void)ino;
    (void)datasync;
    (void)fi;
    fuse_reply_err(req, 0);
}
