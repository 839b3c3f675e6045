/* The database file: pages in place. */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "catalog/vfs_internal.h"

#define LABEL "strongroom catalog v1"
#define STEP (4u << 20)
#define HEAD_LEN 32 /* magic, version, page size, file id */

static int derive(struct vfs *vfs, const uint8_t id[VFS_ID_LEN])
{
    uint8_t info[sizeof(LABEL) - 1 + VFS_ID_LEN];

    memcpy(info, LABEL, sizeof(LABEL) - 1);
    memcpy(info + sizeof(LABEL) - 1, id, VFS_ID_LEN);
    if (sr_hkdf_expand_sha384(vfs->secret->master, SR_KEY_LEN, info, sizeof(info),
                              vfs->secret->file, SR_KEY_LEN) < 0)
        return SQLITE_IOERR;
    vfs->keyed = true;
    return SQLITE_OK;
}

static int make_head(struct vfs *vfs, int fd)
{
    uint8_t head[VFS_HEAD] = VFS_MAGIC;
    int rc;

    sr_put_be32(head + 8, 1);
    sr_put_be32(head + 12, VFS_PAGE);
    if ((rc = vfs->io->random(vfs->io, head + 16, VFS_ID_LEN)) < 0)
        return vfs_failed(vfs, rc, SQLITE_IOERR_WRITE);
    rc = vfs_write_at(vfs, fd, head, sizeof(head), 0);
    return rc == SQLITE_OK ? derive(vfs, head + 16) : rc;
}

/* An empty file is new. One that is shorter than its head was cut off while it was made, or since. */
int vfs_page_begin(struct vfs *vfs, int fd)
{
    uint8_t head[HEAD_LEN];
    uint64_t size;
    int rc = vfs_size_of(vfs, fd, &size);

    if (rc != SQLITE_OK || size == 0)
        return rc != SQLITE_OK ? rc : make_head(vfs, fd);
    rc = vfs_read_at(vfs, fd, head, sizeof(head), 0);
    if (rc != SQLITE_OK && rc != SQLITE_IOERR_SHORT_READ)
        return rc;
    if (rc != SQLITE_OK || size < VFS_HEAD || memcmp(head, VFS_MAGIC, 8) != 0 ||
        sr_get_be32(head + 8) != 1 || sr_get_be32(head + 12) != VFS_PAGE)
        return vfs_damaged(vfs, "page", 0);
    return derive(vfs, head + 16);
}

static int read_page(sqlite3_file *base, void *buf, int len, sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;
    struct vfs *vfs = file->vfs;
    uint64_t number = (uint64_t)offset / VFS_PAGE + 1;
    size_t from = (size_t)offset % VFS_PAGE;
    bool whole = from == 0 && (size_t)len == VFS_PAGE;
    uint8_t *plain = whole ? buf : vfs->plain;
    int rc;

    if (from + (size_t)len > VFS_PAGE)
        return SQLITE_IOERR_READ; /* SQLite asks for pages, and for parts of the first */
    rc = vfs_read_at(vfs, file->fd, vfs->sealed, VFS_PAGE, VFS_HEAD + (number - 1) * VFS_PAGE);
    if (rc == SQLITE_IOERR_SHORT_READ) { /* new, or cut off: SQLite will tell */
        vfs->missing = number;
        memset(buf, 0, (size_t)len);
        return rc;
    }
    if (rc != SQLITE_OK)
        return rc;
    if (vfs_unseal(vfs, VFS_UNIT_PAGE, number, vfs->sealed, VFS_PAGE - VFS_SEAL, plain) !=
        SQLITE_OK) {
        memset(buf, 0, (size_t)len);
        return vfs_damaged(vfs, "page", number);
    }
    memset(plain + VFS_PAGE - VFS_SEAL, 0, VFS_SEAL);
    if (!whole)
        memcpy(buf, plain + from, (size_t)len);
    return SQLITE_OK;
}

static int write_page(sqlite3_file *base, const void *buf, int len, sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;
    struct vfs *vfs = file->vfs;
    uint64_t number = (uint64_t)offset / VFS_PAGE + 1;
    int rc;

    if ((size_t)len != VFS_PAGE || offset % VFS_PAGE != 0)
        return SQLITE_IOERR_WRITE; /* never: the page size is fixed */
    vfs_reserve(file, VFS_HEAD + number * VFS_PAGE, STEP);
    rc = vfs_seal(vfs, VFS_UNIT_PAGE, number, buf, VFS_PAGE - VFS_SEAL, vfs->sealed);
    return rc == SQLITE_OK ? vfs_write_at(vfs, file->fd, vfs->sealed, VFS_PAGE,
                                          VFS_HEAD + (number - 1) * VFS_PAGE)
                           : rc;
}

static int truncate_pages(sqlite3_file *base, sqlite3_int64 size)
{
    struct vfs_file *file = (struct vfs_file *)base;
    int rc = file->vfs->io->ftruncate(file->vfs->io, file->fd, VFS_HEAD + (uint64_t)size);

    return rc < 0 ? vfs_failed(file->vfs, rc, SQLITE_IOERR_TRUNCATE) : SQLITE_OK;
}

static int size_of_pages(sqlite3_file *base, sqlite3_int64 *out)
{
    struct vfs_file *file = (struct vfs_file *)base;
    uint64_t size;
    int rc = vfs_size_of(file->vfs, file->fd, &size);

    if (rc == SQLITE_OK)
        *out = size < VFS_HEAD ? 0 : (sqlite3_int64)(size - VFS_HEAD);
    return rc;
}

const sqlite3_io_methods vfs_page_methods = {.iVersion = 1,
                                             .xClose = vfs_shut,
                                             .xRead = read_page,
                                             .xWrite = write_page,
                                             .xTruncate = truncate_pages,
                                             .xSync = vfs_sync,
                                             .xFileSize = size_of_pages,
                                             .xLock = vfs_no_lock,
                                             .xUnlock = vfs_no_lock,
                                             .xCheckReservedLock = vfs_not_reserved,
                                             .xFileControl = vfs_no_control,
                                             .xSectorSize = vfs_sector_size,
                                             .xDeviceCharacteristics = vfs_characteristics};
