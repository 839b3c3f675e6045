/* memfs: making, copying, faults, power, and the disk in other hands. */
#include "tests/lib/memfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/memfs_internal.h"

#define HOUR_NS (INT64_C(3600) * 1000000000)
#define START_NS (INT64_C(1795312800) * 1000000000) /* 2026-11-22 02:00:00 UTC */
#define START_PAGES (UINT64_C(1) << (40 - 12))

static struct memfs *fs_new(void)
{
    struct memfs *fs = calloc(1, sizeof(*fs));
    if (!fs || pthread_mutex_init(&fs->mutex, NULL) != 0) {
        fputs("memfs: out of memory\n", stderr);
        abort();
    }
    fs->io = memfs_table;
    return fs;
}

struct memfs *memfs_new(uint64_t seed)
{
    struct memfs *fs = fs_new();
    fs->random_state = seed;
    fs->now_ns = START_NS;
    fs->boottime_ns = HOUR_NS;
    fs->total_pages = START_PAGES;
    memfs_inode_new(fs, true);
    return fs;
}

void memfs_free(struct memfs *fs)
{
    if (!fs)
        return;
    for (size_t i = 0; i < fs->inode_count; i++)
        memfs_inode_free(fs->inodes[i]);
    for (size_t i = 0; i < fs->op_count; i++) {
        free(fs->ops[i].name);
        free(fs->ops[i].to_name);
    }
    free(fs->inodes);
    free(fs->ops);
    free(fs->handles);
    pthread_mutex_destroy(&fs->mutex);
    free(fs);
}

struct sr_io *memfs_io(struct memfs *fs)
{
    return &fs->io;
}

static void copy_names(struct memfs_names *to, const struct memfs_names *from)
{
    for (size_t i = 0; i < from->count; i++)
        memfs_name_set(to, from->items[i].name, from->items[i].inode->copy);
}

static void copy_inode(struct memfs_inode *to, const struct memfs_inode *from)
{
    to->immutable = from->immutable;
    to->links = from->links;
    to->mtime_ns = from->mtime_ns;
    memfs_content_copy(&to->live, &from->live);
    memfs_content_copy(&to->durable, &from->durable);
    for (size_t i = 0; i < from->write_count; i++) {
        const struct memfs_write *write = &from->writes[i];
        if (write->truncate)
            memfs_note_truncate(to, write->offset);
        else
            memfs_note_write(to, write->data, write->len, write->offset);
        to->writes[i].orphan = write->orphan;
    }
    copy_names(&to->names, &from->names);
    copy_names(&to->durable_names, &from->durable_names);
}

struct memfs *memfs_clone(struct memfs *fs)
{
    struct memfs *copy = fs_new();
    pthread_mutex_lock(&fs->mutex);
    copy->random_state = fs->random_state;
    copy->now_ns = fs->now_ns;
    copy->boottime_ns = fs->boottime_ns;
    copy->total_pages = fs->total_pages;
    copy->used_pages = fs->used_pages;
    copy->ragged = fs->ragged;
    for (size_t i = 0; i < fs->inode_count; i++)
        fs->inodes[i]->copy = memfs_inode_new(copy, fs->inodes[i]->is_dir);
    for (size_t i = 0; i < fs->inode_count; i++)
        copy_inode(fs->inodes[i]->copy, fs->inodes[i]);
    for (size_t i = 0; i < fs->op_count; i++) {
        const struct memfs_op *op = &fs->ops[i];
        memfs_note_op(copy, (struct memfs_op){
                                .kind = op->kind,
                                .dir = op->dir->copy,
                                .name = memfs_strdup(op->name),
                                .target = op->target->copy,
                                .to_dir = op->to_dir ? op->to_dir->copy : NULL,
                                .to_name = op->to_name ? memfs_strdup(op->to_name) : NULL,
                            });
    }
    pthread_mutex_unlock(&fs->mutex);
    /* Files that only a descriptor kept. */
    for (size_t i = 0; i < copy->inode_count; i++)
        memfs_drop_if_dead(copy, copy->inodes[i]);
    memfs_collect(copy);
    return copy;
}

void memfs_fail_at(struct memfs *fs, uint64_t n, int error_number)
{
    pthread_mutex_lock(&fs->mutex);
    fs->calls = 0;
    fs->fail_at = n;
    fs->fail_errno = error_number;
    fs->fired = false;
    pthread_mutex_unlock(&fs->mutex);
}

uint64_t memfs_calls(struct memfs *fs)
{
    pthread_mutex_lock(&fs->mutex);
    uint64_t calls = fs->calls;
    pthread_mutex_unlock(&fs->mutex);
    return calls;
}

bool memfs_fired(struct memfs *fs)
{
    pthread_mutex_lock(&fs->mutex);
    bool fired = fs->fired;
    pthread_mutex_unlock(&fs->mutex);
    return fired;
}

void memfs_set_ragged(struct memfs *fs, bool on)
{
    pthread_mutex_lock(&fs->mutex);
    fs->ragged = on;
    pthread_mutex_unlock(&fs->mutex);
}

void memfs_cut_at_sync(struct memfs *fs, uint64_t n, bool after)
{
    pthread_mutex_lock(&fs->mutex);
    fs->syncs = 0;
    fs->cut_sync = n;
    fs->cut_after = after;
    pthread_mutex_unlock(&fs->mutex);
}

uint64_t memfs_syncs(struct memfs *fs)
{
    pthread_mutex_lock(&fs->mutex);
    uint64_t syncs = fs->syncs;
    pthread_mutex_unlock(&fs->mutex);
    return syncs;
}

void memfs_cut_at_call(struct memfs *fs, uint64_t n)
{
    pthread_mutex_lock(&fs->mutex);
    fs->calls = 0;
    fs->cut_call = n;
    pthread_mutex_unlock(&fs->mutex);
}

void memfs_cut_now(struct memfs *fs)
{
    pthread_mutex_lock(&fs->mutex);
    fs->off = true;
    pthread_mutex_unlock(&fs->mutex);
}

bool memfs_is_off(struct memfs *fs)
{
    pthread_mutex_lock(&fs->mutex);
    bool off = fs->off;
    pthread_mutex_unlock(&fs->mutex);
    return off;
}

/* The end of what was kept of dir's operations: a random number of those that touch it. */
static size_t random_cut(struct memfs *fs, const struct memfs_inode *dir)
{
    size_t count = 0;
    for (size_t i = 0; i < fs->op_count; i++)
        count += fs->ops[i].dir == dir || fs->ops[i].to_dir == dir;
    size_t keep = (size_t)memfs_below(fs, count + 1);
    for (size_t i = 0; i < fs->op_count; i++)
        if ((fs->ops[i].dir == dir || fs->ops[i].to_dir == dir) && keep-- == 0)
            return i;
    return fs->op_count;
}

static void settle_names(struct memfs *fs, enum memfs_mode mode)
{
    for (size_t i = 0; i < fs->inode_count; i++) {
        struct memfs_inode *inode = fs->inodes[i];
        if (inode->is_dir)
            inode->cut = mode == MEMFS_LOST   ? 0
                         : mode == MEMFS_KEPT ? fs->op_count
                                              : random_cut(fs, inode);
    }
    /* A rename between two folders was kept in both or in neither. */
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < fs->op_count; i++) {
            const struct memfs_op *op = &fs->ops[i];
            if (op->kind != MEMFS_RENAME || (i < op->dir->cut) == (i < op->to_dir->cut))
                continue;
            struct memfs_inode *longer = i < op->dir->cut ? op->dir : op->to_dir;
            longer->cut = i;
            again = true;
        }
    }
    memfs_dirs_apply(fs);
    for (size_t i = 0; i < fs->op_count; i++) {
        free(fs->ops[i].name);
        free(fs->ops[i].to_name);
    }
    fs->op_count = 0;
}

/* How much of a write since the last sync was kept. */
static size_t kept_len(struct memfs *fs, enum memfs_mode mode, const struct memfs_write *write)
{
    if (mode == MEMFS_KEPT)
        return write->len;
    uint64_t first = write->offset / 512 + 1;
    uint64_t end = (write->offset + write->len + 511) / 512;
    switch (memfs_below(fs, first < end ? 3 : 2)) {
    case 0:
        return 0;
    case 1:
        return write->len;
    default:
        return (size_t)((first + memfs_below(fs, end - first)) * 512 - write->offset);
    }
}

static void settle_content(struct memfs *fs, enum memfs_mode mode, struct memfs_inode *inode)
{
    for (size_t i = 0; mode != MEMFS_LOST && i < inode->write_count; i++) {
        const struct memfs_write *write = &inode->writes[i];
        if (!write->truncate)
            memfs_content_write(&inode->durable, write->data, kept_len(fs, mode, write),
                                write->offset);
        else if (mode == MEMFS_KEPT || memfs_below(fs, 2))
            memfs_content_truncate(&inode->durable, write->offset);
    }
    memfs_forget_writes(inode);
    memfs_content_copy(&inode->live, &inode->durable);
}

/* The live names become the durable ones. */
static void settle_live_names(struct memfs_inode *inode)
{
    while (inode->names.count)
        memfs_name_remove(&inode->names, inode->names.items[0].name);
    for (size_t i = 0; i < inode->durable_names.count; i++)
        memfs_name_set(&inode->names, inode->durable_names.items[i].name,
                       inode->durable_names.items[i].inode);
}

struct memfs *memfs_after_cut(struct memfs *fs, enum memfs_mode mode, uint64_t seed)
{
    struct memfs *found = memfs_clone(fs);
    uint64_t old_state = found->random_state;
    found->random_state = seed;
    settle_names(found, mode);
    for (size_t i = 0; i < found->inode_count; i++) {
        settle_content(found, mode, found->inodes[i]);
        settle_live_names(found->inodes[i]);
        found->inodes[i]->links = 0;
    }
    memfs_collect(found);
    found->used_pages = 0;
    for (size_t i = 0; i < found->inode_count; i++) {
        struct memfs_inode *inode = found->inodes[i];
        found->used_pages += inode->live.count;
        for (size_t j = 0; j < inode->names.count; j++)
            inode->names.items[j].inode->links++;
    }
    /* Not the numbers drawn before the cut again, even if the seed is that of memfs_new. */
    found->random_state = memfs_random(found) ^ old_state;
    found->boottime_ns = 0;
    return found;
}

void memfs_set_space(struct memfs *fs, uint64_t bytes)
{
    pthread_mutex_lock(&fs->mutex);
    fs->total_pages = fs->used_pages + bytes / MEMFS_PAGE;
    pthread_mutex_unlock(&fs->mutex);
}

void memfs_set_time(struct memfs *fs, int64_t now_ns)
{
    pthread_mutex_lock(&fs->mutex);
    fs->now_ns = now_ns;
    pthread_mutex_unlock(&fs->mutex);
}

void memfs_advance(struct memfs *fs, int64_t ns)
{
    pthread_mutex_lock(&fs->mutex);
    fs->now_ns += ns;
    fs->boottime_ns += ns;
    pthread_mutex_unlock(&fs->mutex);
}

static void flip(struct memfs_content *content, uint64_t offset, uint8_t xor)
{
    uint8_t byte;
    if (offset >= content->size)
        return;
    memfs_content_read(content, &byte, 1, offset);
    byte ^= xor;
    memfs_content_write(content, &byte, 1, offset);
}

int memfs_corrupt(struct memfs *fs, const char *path, uint64_t offset, uint8_t xor)
{
    struct memfs_inode *inode;
    pthread_mutex_lock(&fs->mutex);
    int rc = memfs_lookup(fs, path, &inode);
    if (rc == 0 && (inode->is_dir || offset >= inode->live.size))
        rc = -EINVAL;
    if (rc == 0) {
        fs->used_pages -= inode->live.count;
        flip(&inode->live, offset, xor);
        flip(&inode->durable, offset, xor);
        fs->used_pages += inode->live.count;
    }
    pthread_mutex_unlock(&fs->mutex);
    return rc;
}

int memfs_truncate(struct memfs *fs, const char *path, uint64_t size)
{
    struct memfs_inode *inode;
    pthread_mutex_lock(&fs->mutex);
    int rc = memfs_lookup(fs, path, &inode);
    if (rc == 0 && inode->is_dir)
        rc = -EISDIR;
    if (rc == 0) {
        fs->used_pages -= inode->live.count;
        memfs_content_truncate(&inode->live, size);
        memfs_content_truncate(&inode->durable, size);
        fs->used_pages += inode->live.count;
    }
    pthread_mutex_unlock(&fs->mutex);
    return rc;
}

static int copy_file(struct memfs *fs, const char *from, const char *to)
{
    struct memfs_inode *source;
    struct memfs_inode *dir;
    char *last;
    int rc = memfs_lookup(fs, from, &source);
    if (rc < 0)
        return rc;
    rc = memfs_lookup_parent(fs, to, &dir, &last);
    if (rc < 0)
        return rc;
    const struct memfs_name *found = memfs_name_find(&dir->names, last);
    struct memfs_inode *target = found ? found->inode : NULL;
    if (source->is_dir || (target && target->is_dir)) {
        rc = -EISDIR;
    } else if (source != target) {
        if (!target) {
            target = memfs_inode_new(fs, false);
            memfs_name_add(fs, dir, last, target);
        }
        memfs_sync_dir(fs, dir);
        fs->used_pages -= target->live.count;
        memfs_content_copy(&target->live, &source->live);
        memfs_content_copy(&target->durable, &source->live);
        memfs_forget_writes(target);
        fs->used_pages += target->live.count;
    }
    free(last);
    return rc;
}

int memfs_copy_file(struct memfs *fs, const char *from, const char *to)
{
    pthread_mutex_lock(&fs->mutex);
    int rc = copy_file(fs, from, to);
    pthread_mutex_unlock(&fs->mutex);
    return rc;
}
