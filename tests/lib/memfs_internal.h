/* What memfs.c (control), memfs_io.c (the table), memfs_path.c (operations on names) and
 * memfs_store.c (content, and what is durable) share. */
#ifndef SR_TESTS_LIB_MEMFS_INTERNAL_H
#define SR_TESTS_LIB_MEMFS_INTERNAL_H

#include <pthread.h>
#include <stddef.h>

#include "tests/lib/memfs.h"

#define MEMFS_PAGE 4096
#define MEMFS_FD_BASE 1000

struct memfs_page {
    uint64_t number;
    uint8_t *data; /* NULL: allocated, reads as zeros */
};

/* Sparse bytes; pages sorted by number. Bytes beyond size in the last page are zero. */
struct memfs_content {
    struct memfs_page *pages;
    size_t count;
    size_t capacity;
    uint64_t size;
};

/* A change of a file since its last successful sync, in order. */
struct memfs_write {
    bool truncate;   /* to offset */
    bool orphan;     /* a sync failed since: a later one will not make it durable */
    uint64_t offset; /* bytes */
    size_t len;
    uint8_t *data;
};

struct memfs_name {
    char *name;
    struct memfs_inode *inode;
};

struct memfs_names {
    struct memfs_name *items;
    size_t count;
    size_t capacity;
};

struct memfs_inode {
    bool is_dir;
    bool immutable;
    bool locked;
    uint32_t links;   /* live names of a file */
    uint32_t handles; /* open descriptors */
    int64_t mtime_ns;
    struct memfs_content live;
    struct memfs_content durable;
    struct memfs_write *writes;
    size_t write_count;
    size_t write_capacity;
    struct memfs_names names; /* folder: what programs see */
    struct memfs_names durable_names;
    size_t cut;               /* folder: scratch of memfs_dirs_apply: operations before it apply */
    struct memfs_inode *copy; /* scratch of memfs_clone */
    bool marked;              /* scratch of memfs_collect */
};

/* An operation on names, not durable yet. A rename within one folder has dir == to_dir. */
struct memfs_op {
    enum { MEMFS_ADD, MEMFS_REMOVE, MEMFS_RENAME } kind;
    struct memfs_inode *dir;
    char *name;
    struct memfs_inode *target;
    struct memfs_inode *to_dir; /* MEMFS_RENAME alone, as is to_name */
    char *to_name;
};

struct memfs_handle {
    struct memfs_inode *inode; /* NULL: free */
    int flags;
    bool locks;
};

/* Invariants, checked by memfs_check():
 * 1. inodes[0] is the root, a folder, and never goes.
 * 2. used_pages is the number of live pages of all inodes.
 * 3. A file's links is the number of its live names; without links and handles it has no live page.
 * 4. durable_names with ops applied in order are names, for every folder.
 * The mutex covers everything but io. */
struct memfs {
    struct sr_io io; /* first: the table's functions cast back */
    pthread_mutex_t mutex;
    struct memfs_inode **inodes;
    size_t inode_count;
    size_t inode_capacity;
    struct memfs_op *ops;
    size_t op_count;
    size_t op_capacity;
    struct memfs_handle *handles;
    size_t handle_count;
    size_t dead; /* inodes that lost their last name since the last memfs_collect */

    uint64_t random_state;
    int64_t now_ns;
    int64_t boottime_ns;
    uint64_t total_pages;
    uint64_t used_pages;

    uint64_t calls;
    uint64_t fail_at; /* 0: none */
    int fail_errno;
    bool fired;
    bool ragged;
    uint64_t syncs;
    uint64_t cut_sync; /* 0: none */
    bool cut_after;
    uint64_t cut_call; /* 0: none */
    bool off;
};

/* memfs_store.c. All under the mutex. */
void *memfs_grow(void *items, size_t count, size_t *capacity, size_t item_size);
char *memfs_strdup(const char *text);
uint64_t memfs_random(struct memfs *fs);
uint64_t memfs_below(struct memfs *fs, uint64_t limit); /* 0 <= result < limit */

struct memfs_page *memfs_page_find(const struct memfs_content *content, uint64_t number);
bool memfs_page_make(struct memfs_content *content, uint64_t number); /* whether it is new */
void memfs_content_read(const struct memfs_content *content, uint8_t *buf, size_t len,
                        uint64_t offset);
void memfs_content_write(struct memfs_content *content, const uint8_t *data, size_t len,
                         uint64_t offset);
void memfs_content_truncate(struct memfs_content *content, uint64_t size);
void memfs_content_copy(struct memfs_content *to, const struct memfs_content *from);
void memfs_content_clear(struct memfs_content *content);
/* Notes a change of inode->live that is not durable; data is copied. */
void memfs_note_write(struct memfs_inode *inode, const void *data, size_t len, uint64_t offset);
void memfs_note_truncate(struct memfs_inode *inode, uint64_t size);
void memfs_forget_writes(struct memfs_inode *inode);
void memfs_sync_content(struct memfs_inode *inode);

struct memfs_name *memfs_name_find(const struct memfs_names *names, const char *name);
void memfs_name_set(struct memfs_names *names, const char *name, struct memfs_inode *inode);
void memfs_name_remove(struct memfs_names *names, const char *name);
/* Takes over the strings of op (dir's and to_dir's names are changed by the caller). */
void memfs_note_op(struct memfs *fs, struct memfs_op op);
/* Makes durable the first operations of each folder: those with an index below its cut. */
void memfs_dirs_apply(struct memfs *fs);
void memfs_sync_dir(struct memfs *fs, struct memfs_inode *dir);

struct memfs_inode *memfs_inode_new(struct memfs *fs, bool is_dir);
void memfs_inode_free(struct memfs_inode *inode);
/* Frees inodes that nothing leads to any more. */
void memfs_collect(struct memfs *fs);
void memfs_check(const struct memfs *fs);

/* memfs_path.c. They return 0 or a negative errno. */
int memfs_lookup(struct memfs *fs, const char *path, struct memfs_inode **out);
/* The folder that path stands in, and path's last name (free() it). -EEXIST for the root. */
int memfs_lookup_parent(struct memfs *fs, const char *path, struct memfs_inode **dir, char **last);
/* A file without a name and descriptor gives its room back. */
void memfs_drop_if_dead(struct memfs *fs, struct memfs_inode *inode);
void memfs_name_add(struct memfs *fs, struct memfs_inode *dir, const char *name,
                    struct memfs_inode *target);
int memfs_link_names(struct memfs *fs, const char *from, const char *to);
int memfs_rename_names(struct memfs *fs, const char *from, const char *to);
int memfs_remove_name(struct memfs *fs, const char *path, bool is_dir);
int memfs_mkdir_names(struct memfs *fs, const char *path);

/* memfs_io.c */
extern const struct sr_io memfs_table;

#endif
