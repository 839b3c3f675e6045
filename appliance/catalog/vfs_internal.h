/* What the vfs*.c files share. One connection, one thread at a time (the catalog's lock). */
#ifndef SR_CATALOG_VFS_INTERNAL_H
#define SR_CATALOG_VFS_INTERNAL_H

#include "catalog/vfs.h"

#define VFS_ID_LEN 16
#define VFS_LOG_HEADER 32u /* SQLite's file format, section 4.1 */
#define VFS_FRAME_HEADER 24u
#define VFS_LOG_FRAMES (VFS_LOG_HEADER + VFS_SEAL) /* where frames begin */
#define VFS_FRAME (VFS_FRAME_HEADER + VFS_SEAL + VFS_PAGE + VFS_SEAL)

enum vfs_unit {
    VFS_UNIT_PAGE = 'p',
    VFS_UNIT_LOG = 'l',
    VFS_UNIT_FRAME = 'f',
    VFS_UNIT_DATA = 'd',
    VFS_UNIT_BLOCK = 't'
};

struct vfs_secret { /* in locked memory */
    uint8_t master[SR_KEY_LEN], file[SR_KEY_LEN];
};

struct vfs {
    sqlite3_vfs base;
    struct sr_io *io;
    char *path, *folder;
    char name[40];
    struct vfs_secret *secret;
    struct sr_gcm *gcm;
    bool keyed;       /* secret->file is that of the open file */
    uint8_t salts[8]; /* of the log's generation */
    bool salted;
    uint8_t nonce_prefix[8]; /* random, new with each opening and each 2^32 nonces */
    uint32_t nonce_count;
    uint64_t missing; /* a page that SQLite asked for beyond the end of the file; 0: none */
    int error_number;
    char damage[96];           /* "": none */
    uint8_t sealed[VFS_FRAME]; /* scratch */
    uint8_t plain[VFS_PAGE];
};

struct vfs_temp; /* vfs_temp.c */

struct vfs_file {
    sqlite3_file base;
    struct vfs *vfs;
    struct vfs_temp *temp;
    int fd;
    uint64_t reserved; /* bytes of room that were asked for */
    /* Its name is durable: a log that a power cut takes away leaves half a copy of itself. */
    bool named;
};

/* One that was never used under any key of ours. */
int vfs_nonce(struct vfs *vfs, uint8_t out[SR_GCM_IV_LEN]);
/* plain: len bytes; sealed: len + VFS_SEAL bytes, the ciphertext, then nonce and tag. */
int vfs_seal(struct vfs *vfs, enum vfs_unit kind, uint64_t number, const uint8_t *plain, size_t len,
             uint8_t *sealed);
/* SQLITE_IOERR_DATA when it does not verify; nothing is remembered. */
int vfs_unseal(struct vfs *vfs, enum vfs_unit kind, uint64_t number, const uint8_t *sealed,
               size_t len, uint8_t *plain);
/* Remembers it; returns SQLITE_IOERR_DATA. */
int vfs_damaged(struct vfs *vfs, const char *what, uint64_t number);
/* Whole, or an SQLite code; a read that meets the end gives SQLITE_IOERR_SHORT_READ. */
int vfs_read_at(struct vfs *vfs, int fd, void *buf, size_t len, uint64_t offset);
int vfs_write_at(struct vfs *vfs, int fd, const void *buf, size_t len, uint64_t offset);
/* A negative errno of the table as an SQLite code; it is remembered. */
int vfs_failed(struct vfs *vfs, int rc, int code);
/* Room for what will be written, up to end and a step beyond, so that a full disk does not end a commit
 * half-way. A wish: what fails is ignored. */
void vfs_reserve(struct vfs_file *file, uint64_t end, uint64_t step);
int vfs_size_of(struct vfs *vfs, int fd, uint64_t *size);

extern const sqlite3_io_methods vfs_page_methods, vfs_log_methods, vfs_temp_methods;
/* Reads or makes the head, and derives the file's key. */
int vfs_page_begin(struct vfs *vfs, int fd);

/* What all kinds of file answer alike. */
int vfs_no_lock(sqlite3_file *file, int level);
int vfs_not_reserved(sqlite3_file *file, int *out);
int vfs_sector_size(sqlite3_file *file);
int vfs_no_control(sqlite3_file *file, int op, void *argument);
int vfs_characteristics(sqlite3_file *file);
int vfs_sync(sqlite3_file *file, int flags);
int vfs_shut(sqlite3_file *file);

#endif
