/* The catalog's file, encrypted: an SQLite VFS of our own between SQLite and struct sr_io. Private to
 * appliance/catalog/. One connection, locking_mode EXCLUSIVE: SQLite then keeps the WAL index on the heap.
 *
 * Database file (docs/format-catalog.md has the offset tables):
 *   0      VFS_HEAD bytes: magic, version, page size, file id (16 random bytes); plain, nothing secret
 *   4096   page n at 4096 * n: VFS_PAGE - VFS_SEAL bytes of ciphertext, then nonce (12) and tag (16).
 *          These are the bytes that SQLite was told to leave alone at the end of each page.
 * Write-ahead log, whose units SQLite writes at offsets of its own, are kept padded:
 *   0      header: 32 bytes of ciphertext, nonce, tag
 *   60     frame i at 60 + i * VFS_FRAME: its header (24 bytes, nonce, tag), its page (VFS_PAGE, nonce, tag)
 * Everything else that SQLite writes (sorter, statement journal) is a temporary file without a name, in
 * blocks under a key of its own that is never stored; its nonces and tags stay in memory.
 *
 * AES-256-GCM under HKDF-Expand-SHA-384(catalog key, "strongroom catalog v1" || file id). The associated
 * data are the kind of unit and its number; of the log also the salts of its generation. A page that was
 * moved, altered or comes from another file does not verify; an *earlier* page of this file and place does
 * (rebuild --check finds that). A nonce is 8 random bytes,
 * drawn anew with each opening and each 2^32 writes, and a counter of 4 bytes.
 *
 * What does not verify is SQLITE_IOERR_DATA and remembered (vfs_damage), so that it is told apart from
 * SQLite's own SQLITE_CORRUPT, which then means a defect. The exception is the tail of the log: frames that
 * do not verify while SQLite recovers are where the log ends, as after a power cut. */
#ifndef SR_CATALOG_VFS_H
#define SR_CATALOG_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/crypto.h"
#include "base/io.h"

#define VFS_HEAD 4096u
#define VFS_PAGE 4096u
#define VFS_SEAL 28u /* nonce and tag */
#define VFS_MAGIC "SRCATDB1"

struct vfs;

/* Registers a VFS for one database at path (and path-wal). key is copied into locked memory. */
int vfs_open(struct sr_io *io, const char *path, const uint8_t key[SR_KEY_LEN], struct vfs **out);
/* After the connection is closed. NULL ok. */
void vfs_close(struct vfs *vfs);
const char *vfs_name(const struct vfs *vfs); /* for sqlite3_open_v2 */
/* "page 17 of the catalog does not verify", or NULL. */
const char *vfs_damage(const struct vfs *vfs);
/* SQLite found the file inconsistent. If because its end is missing, that is damage, and vfs_damage says so. */
void vfs_inconsistent(struct vfs *vfs);
/* The errno of the last system call that failed beneath SQLite; 0: none. */
int vfs_errno(const struct vfs *vfs);
/* Unlinks the files of the database; those that are not there are no error. No connection is open. */
int vfs_remove(struct sr_io *io, const char *path);

#endif
