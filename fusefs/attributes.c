#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

#include "base/error.h"
#include "fusefs/fusefs_internal.h"

#define NS_PER_S INT64_C(1000000000)

bool attributes_is_folder(const struct catalog_node *node)
{
    return node->kind != CATALOG_KIND_RECORD && node->kind != CATALOG_KIND_VIRTUAL &&
           node->kind != CATALOG_KIND_STUB && node->kind != CATALOG_KIND_LINK;
}

bool attributes_is_sealed(const struct catalog_node *node)
{
    return node->kind == CATALOG_KIND_RECORD && node->version.state != CATALOG_STAGING;
}

static struct timespec time_of(int64_t ns)
{
    int64_t s = ns / NS_PER_S, rest = ns % NS_PER_S;

    if (rest < 0) { /* before 1970: Finder dates files 1946 */
        s--;
        rest += NS_PER_S;
    }
    return (struct timespec){.tv_sec = s, .tv_nsec = rest};
}

/* A sealed record shows the writable mode of any file. If it showed 0444, smbd would refuse by
 * itself, and the refusal would reach neither the ledger nor 提示.txt. Folders have one link, which
 * means "not counted": with two, some programs conclude that there are no sub-folders. */
void attributes_stat(const struct catalog_node *node, struct stat *out)
{
    bool folder = attributes_is_folder(node);
    int64_t mtime_ns = node->changed_ns;

    memset(out, 0, sizeof(*out));
    out->st_ino = node->id;
    out->st_nlink = 1;
    out->st_uid = node->uid;
    out->st_blksize = FUSEFS_BLOCK;
    if (folder) {
        out->st_mode = S_IFDIR | 0777;
    } else if (node->kind == CATALOG_KIND_LINK) {
        out->st_mode = S_IFLNK | 0777;
        out->st_size = (off_t)node->version.size;
    } else {
        out->st_mode = S_IFREG | (node->kind == CATALOG_KIND_RECORD ? 0666 : 0444);
        out->st_size = (off_t)node->version.size;
        out->st_blocks = (blkcnt_t)((node->version.size + 511) / 512);
        if (node->kind == CATALOG_KIND_RECORD || node->version.mtime_ns)
            mtime_ns = node->version.mtime_ns;
    }
    out->st_mtim = out->st_atim = time_of(mtime_ns);
    out->st_ctim = time_of(node->changed_ns);
}

/* Years, cases, stages and the folders in them may be known to whoever may walk there, and no other
 * face renames or removes them: their names stay in the kernel for a while, which saves five requests
 * an open. Their attributes do not, so that whoever may not see one still gets the door's answer from
 * each. All other names are per user: what they mean depends on who asks, and the kernel's cache is
 * shared. A folder in somebody's 待归案 is reached only through names that are not kept. */
static double name_seconds(const struct catalog_node *node)
{
    if (node->level > CATALOG_PUBLIC || node->marks != 0 || node->instance != 0)
        return 0; /* not everybody may know of it, or others find something else under its name */
    switch (node->kind) {
    case CATALOG_KIND_YEAR:
    case CATALOG_KIND_CASE:
    case CATALOG_KIND_STAGE:
    case CATALOG_KIND_DRAFTS:
    case CATALOG_KIND_FOLDER:
    case CATALOG_KIND_UNFILED_ROOT:
        return 60;
    default:
        return 0;
    }
}

void attributes_entry(const struct catalog_node *node, struct fuse_entry_param *out)
{
    memset(out, 0, sizeof(*out));
    out->entry_timeout = name_seconds(node);
    out->ino = node->id;
    attributes_stat(node, &out->attr);
}

static void reply_node(fuse_req_t req, const struct catalog_node *node)
{
    struct stat st;

    attributes_stat(node, &st);
    fuse_reply_attr(req, &st, 0);
}

void attributes_get(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct door_actor actor;
    struct catalog_node node;
    int err;

    (void)fi;
    request_actor(req, &actor);
    err = door_getattr(request_fs(req)->door, &actor, ino, &node);
    if (err)
        request_fail(req, "getattr", err);
    else
        reply_node(req, &node);
}

/* Owners are who made the record and cannot be given. Setting the one that is shown, as copying
 * programs do, is a success before the seal. */
static int set_owner(struct door *door, const struct door_actor *actor,
                     const struct catalog_node *node, const struct stat *attr, int to_set)
{
    bool same = (!(to_set & FUSE_SET_ATTR_UID) || attr->st_uid == node->uid) &&
                (!(to_set & FUSE_SET_ATTR_GID) || attr->st_gid == 0);

    if (same && !attributes_is_sealed(node))
        return 0;
    return door_refuse_mutation(door, actor, node->id, "chown", SR_ERR_DENIED);
}

static int set_times(struct door *door, const struct door_actor *actor,
                     const struct catalog_node *node, const struct stat *attr, int to_set)
{
    struct timespec now;
    int64_t mtime_ns = node->version.mtime_ns; /* atime alone: asks the door, changes nothing */

    if (to_set & FUSE_SET_ATTR_MTIME_NOW) {
        clock_gettime(CLOCK_REALTIME, &now);
        mtime_ns = now.tv_sec * NS_PER_S + now.tv_nsec;
    } else if (to_set & FUSE_SET_ATTR_MTIME) {
        if (attr->st_mtim.tv_sec > INT64_MAX / NS_PER_S - 1 ||
            attr->st_mtim.tv_sec < INT64_MIN / NS_PER_S + 1)
            return sr_fail(SR_ERR_INVALID, "a time outside of 1678 to 2261");
        mtime_ns = attr->st_mtim.tv_sec * NS_PER_S + attr->st_mtim.tv_nsec;
    }
    return door_set_mtime(door, actor, node->id, mtime_ns);
}

void attributes_set(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
                    struct fuse_file_info *fi)
{
    const int times = FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW |
                      FUSE_SET_ATTR_MTIME_NOW;
    struct door *door = request_fs(req)->door;
    struct door_file *file = fi ? handles_of(fi)->file : NULL;
    struct door_actor actor;
    struct catalog_node node;
    const char *op = "setattr";
    int err;

    request_actor(req, &actor);
    err = door_getattr(door, &actor, ino, &node);
    if (!err && (to_set & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)))
        err = set_owner(door, &actor, &node, attr, to_set);
    if (!err && (to_set & FUSE_SET_ATTR_SIZE)) {
        op = "truncate";
        if (attributes_is_folder(&node))
            err = SR_ERR_IS_DIRECTORY;
        else if (attr->st_size < 0)
            err = SR_ERR_INVALID;
        else
            err = door_truncate(door, &actor, ino, file, (uint64_t)attr->st_size);
    }
    if (!err && (to_set & FUSE_SET_ATTR_MODE))
        err = door_set_mode(door, &actor, ino, attr->st_mode & 07777);
    if (!err && (to_set & times))
        err = set_times(door, &actor, &node, attr, to_set);
    if (!err)
        err = door_getattr(door, &actor, ino, &node);
    if (err)
        request_fail(req, op, err);
    else
        reply_node(req, &node);
}

/* access(2) and chdir. What is shown may be tried: a writable answer for a sealed record is as in
 * attributes_stat. */
void attributes_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
    struct door_actor actor;
    struct catalog_node node;

    (void)mask;
    request_actor(req, &actor);
    request_end(req, "access", door_getattr(request_fs(req)->door, &actor, ino, &node));
}

void attributes_statfs(fuse_req_t req, fuse_ino_t ino)
{
    uint64_t free_bytes, total_bytes, nodes;
    struct statvfs st = {.f_bsize = 4096, .f_frsize = 4096, .f_namemax = FUSEFS_NAME_MAX};
    int err = door_space(request_fs(req)->door, &free_bytes, &total_bytes, &nodes);

    (void)ino;
    if (err) {
        request_fail(req, "statfs", err);
        return;
    }
    st.f_blocks = total_bytes / st.f_frsize;
    st.f_bfree = st.f_bavail = free_bytes / st.f_frsize;
    st.f_files = nodes;
    fuse_reply_statfs(req, &st);
}
