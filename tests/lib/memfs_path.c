/* memfs: paths, and the operations on names. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/memfs_internal.h"

/* Steps over "/" and "./". */
static const char *skip(const char *path)
{
    while (*path == '/' || (path[0] == '.' && (path[1] == '/' || !path[1])))
        path++;
    return path;
}

int memfs_lookup_parent(struct memfs *fs, const char *path, struct memfs_inode **dir, char **last)
{
    *last = NULL;
    *dir = fs->inodes[0];
    const char *at = skip(path);
    if (!*at)
        return *path ? -EEXIST : -ENOENT; /* the root has no name */
    for (;;) {
        size_t len = strcspn(at, "/");
        char name[NAME_MAX + 1];
        if (len > NAME_MAX)
            return -ENAMETOOLONG;
        memcpy(name, at, len);
        name[len] = '\0';
        if (strcmp(name, "..") == 0)
            return -EINVAL;
        at = skip(at + len);
        if (!*at) {
            *last = memfs_strdup(name);
            return 0;
        }
        const struct memfs_name *found = memfs_name_find(&(*dir)->names, name);
        if (!found)
            return -ENOENT;
        if (!found->inode->is_dir)
            return -ENOTDIR;
        *dir = found->inode;
    }
}

int memfs_lookup(struct memfs *fs, const char *path, struct memfs_inode **out)
{
    *out = fs->inodes[0];
    if (*path && !*skip(path))
        return 0;
    struct memfs_inode *dir;
    char *last;
    int rc = memfs_lookup_parent(fs, path, &dir, &last);
    if (rc < 0)
        return rc;
    const struct memfs_name *found = memfs_name_find(&dir->names, last);
    free(last);
    if (!found)
        return -ENOENT;
    *out = found->inode;
    return 0;
}

void memfs_drop_if_dead(struct memfs *fs, struct memfs_inode *inode)
{
    if (inode->is_dir || inode->links || inode->handles)
        return;
    fs->used_pages -= inode->live.count;
    memfs_content_clear(&inode->live);
    fs->dead++;
}

void memfs_name_add(struct memfs *fs, struct memfs_inode *dir, const char *name,
                    struct memfs_inode *target)
{
    memfs_name_set(&dir->names, name, target);
    target->links++;
    memfs_note_op(fs,
                  (struct memfs_op){
                      .kind = MEMFS_ADD, .dir = dir, .name = memfs_strdup(name), .target = target});
}

static void remove_name(struct memfs *fs, struct memfs_inode *dir, const char *name,
                        struct memfs_inode *target)
{
    memfs_note_op(
        fs, (struct memfs_op){
                .kind = MEMFS_REMOVE, .dir = dir, .name = memfs_strdup(name), .target = target});
    memfs_name_remove(&dir->names, name);
    target->links--;
    memfs_drop_if_dead(fs, target);
}

int memfs_link_names(struct memfs *fs, const char *from, const char *to)
{
    struct memfs_inode *target;
    struct memfs_inode *dir;
    char *last;
    int rc = memfs_lookup(fs, from, &target);
    if (rc < 0)
        return rc;
    rc = memfs_lookup_parent(fs, to, &dir, &last);
    if (rc < 0)
        return rc;
    if (memfs_name_find(&dir->names, last))
        rc = -EEXIST;
    else if (target->is_dir || target->immutable)
        rc = -EPERM;
    else
        memfs_name_add(fs, dir, last, target);
    free(last);
    return rc;
}

static bool stands_below(const struct memfs_inode *top, const struct memfs_inode *inode)
{
    if (top == inode)
        return true;
    for (size_t i = 0; i < top->names.count; i++)
        if (stands_below(top->names.items[i].inode, inode))
            return true;
    return false;
}

/* 0: go on; 1: nothing to do; or a negative errno. replaced may be NULL. */
static int rename_allowed(const struct memfs_inode *target, const struct memfs_inode *to_dir,
                          const struct memfs_inode *replaced)
{
    if (replaced == target)
        return 1; /* POSIX: two names of one file both stay */
    if (target->immutable || (replaced && replaced->immutable))
        return -EPERM;
    if (target->is_dir && stands_below(target, to_dir))
        return -EINVAL;
    if (replaced && replaced->is_dir && !target->is_dir)
        return -EISDIR;
    if (replaced && !replaced->is_dir && target->is_dir)
        return -ENOTDIR;
    if (replaced && replaced->names.count)
        return -ENOTEMPTY;
    return 0;
}

int memfs_rename_names(struct memfs *fs, const char *from, const char *to)
{
    struct memfs_inode *dir;
    struct memfs_inode *to_dir;
    char *last = NULL;
    char *to_last = NULL;
    int rc = memfs_lookup_parent(fs, from, &dir, &last);
    if (rc == 0)
        rc = memfs_lookup_parent(fs, to, &to_dir, &to_last);
    if (rc < 0) {
        rc = rc == -EEXIST ? -EBUSY : rc; /* the root */
        goto out;
    }
    const struct memfs_name *found = memfs_name_find(&dir->names, last);
    const struct memfs_name *over = memfs_name_find(&to_dir->names, to_last);
    struct memfs_inode *target = found ? found->inode : NULL;
    struct memfs_inode *replaced = over ? over->inode : NULL;
    rc = target ? rename_allowed(target, to_dir, replaced) : -ENOENT;
    if (rc != 0) {
        rc = rc > 0 ? 0 : rc;
        goto out;
    }
    memfs_note_op(fs, (struct memfs_op){.kind = MEMFS_RENAME,
                                        .dir = dir,
                                        .name = memfs_strdup(last),
                                        .target = target,
                                        .to_dir = to_dir,
                                        .to_name = memfs_strdup(to_last)});
    memfs_name_remove(&dir->names, last);
    memfs_name_set(&to_dir->names, to_last, target);
    if (replaced) {
        replaced->links--;
        memfs_drop_if_dead(fs, replaced);
    }
out:
    free(last);
    free(to_last);
    return rc;
}

int memfs_remove_name(struct memfs *fs, const char *path, bool is_dir)
{
    struct memfs_inode *dir;
    char *last;
    int rc = memfs_lookup_parent(fs, path, &dir, &last);
    if (rc < 0)
        return rc == -EEXIST ? -EBUSY : rc; /* the root */
    const struct memfs_name *found = memfs_name_find(&dir->names, last);
    struct memfs_inode *target = found ? found->inode : NULL;
    if (!target)
        rc = -ENOENT;
    else if (target->is_dir != is_dir)
        rc = is_dir ? -ENOTDIR : -EISDIR;
    else if (target->immutable)
        rc = -EPERM;
    else if (target->names.count)
        rc = -ENOTEMPTY;
    else
        remove_name(fs, dir, last, target);
    free(last);
    return rc;
}

int memfs_mkdir_names(struct memfs *fs, const char *path)
{
    struct memfs_inode *dir;
    char *last;
    int rc = memfs_lookup_parent(fs, path, &dir, &last);
    if (rc < 0)
        return rc;
    if (memfs_name_find(&dir->names, last))
        rc = -EEXIST;
    else
        memfs_name_add(fs, dir, last, memfs_inode_new(fs, true));
    free(last);
    return rc;
}
