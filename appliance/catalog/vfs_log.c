/* The write-ahead log. SQLite sees its own layout (file format, section 4): a header of 32 bytes, then
 * frames of 24 bytes and a page. Each of these units is sealed by itself, as SQLite writes each by itself,
 * so what lies on disk is longer, and offsets are translated. */
#include <string.h>

#include "catalog/vfs_internal.h"

#define STEP (16u << 20) /* as many frames as are copied into the file at a time */
#define FRAME_SEEN (VFS_FRAME_HEADER + VFS_PAGE) /* as SQLite sees one */

struct unit {
    enum vfs_unit kind;
    uint64_t number;   /* of the frame */
    uint64_t seen, at; /* offset as SQLite sees it, and on disk */
    size_t len;
};

/* The unit that holds the byte at offset. */
static struct unit unit_at(uint64_t offset)
{
    if (offset < VFS_LOG_HEADER)
        return (struct unit){.kind = VFS_UNIT_LOG, .len = VFS_LOG_HEADER};
    uint64_t number = (offset - VFS_LOG_HEADER) / FRAME_SEEN;
    uint64_t within = (offset - VFS_LOG_HEADER) % FRAME_SEEN;
    uint64_t seen = VFS_LOG_HEADER + number * FRAME_SEEN, at = VFS_LOG_FRAMES + number * VFS_FRAME;
    if (within < VFS_FRAME_HEADER)
        return (struct unit){VFS_UNIT_FRAME, number, seen, at, VFS_FRAME_HEADER};
    return (struct unit){VFS_UNIT_DATA, number, seen + VFS_FRAME_HEADER,
                         at + VFS_FRAME_HEADER + VFS_SEAL, VFS_PAGE};
}

static int read_unit(struct vfs_file *file, const struct unit *unit, uint8_t *plain)
{
    struct vfs *vfs = file->vfs;
    int rc = vfs_read_at(vfs, file->fd, vfs->sealed, unit->len + VFS_SEAL, unit->at);

    if (rc == SQLITE_OK)
        rc = vfs_unseal(vfs, unit->kind, unit->number, vfs->sealed, unit->len, plain);
    return rc;
}

/* Frames are bound to the salts in the header, bytes 16 to 23. */
static int know_salts(struct vfs_file *file)
{
    uint8_t header[VFS_LOG_HEADER];
    struct unit unit = unit_at(0);
    int rc;

    if (file->vfs->salted)
        return SQLITE_OK;
    if ((rc = read_unit(file, &unit, header)) == SQLITE_OK) {
        memcpy(file->vfs->salts, header + 16, 8);
        file->vfs->salted = true;
    }
    return rc;
}

/* A page that SQLite knows to be in the log is asked for alone, and must verify. The header, and frames
 * whole, are asked for when it looks how far the log goes: what does not verify is not there. Zeros are no
 * header and no frame to it. */
static int read_log(sqlite3_file *base, void *buf, int len, sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;
    uint64_t at = (uint64_t)offset, end = at + (uint64_t)len;
    uint8_t *out = buf;
    int rc = SQLITE_OK;

    bool recovers = unit_at(at).kind != VFS_UNIT_DATA;
    if (at >= VFS_LOG_HEADER)
        rc = know_salts(file);
    while (rc == SQLITE_OK && at < end) {
        struct unit unit = unit_at(at);
        size_t from = (size_t)(at - unit.seen), part = unit.len - from;

        if (part > end - at)
            part = (size_t)(end - at);
        if ((rc = read_unit(file, &unit, file->vfs->plain)) != SQLITE_OK)
            break;
        if (unit.kind == VFS_UNIT_LOG) {
            memcpy(file->vfs->salts, file->vfs->plain + 16, 8);
            file->vfs->salted = true;
        }
        memcpy(out, file->vfs->plain + from, part);
        out += part;
        at += part;
    }
    if (rc == SQLITE_IOERR_DATA || rc == SQLITE_IOERR_SHORT_READ) {
        memset(buf, 0, (size_t)len);
        if (rc == SQLITE_IOERR_DATA)
            rc = recovers ? SQLITE_OK : vfs_damaged(file->vfs, "frame", unit_at(at).number);
    }
    return rc;
}

static int write_log(sqlite3_file *base, const void *buf, int len, sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;
    struct vfs *vfs = file->vfs;
    uint64_t at = (uint64_t)offset, end = at + (uint64_t)len;
    const uint8_t *in = buf;
    int rc = SQLITE_OK;

    while (rc == SQLITE_OK && at < end) {
        struct unit unit = unit_at(at);

        if (at != unit.seen || end - at < unit.len)
            return SQLITE_IOERR_WRITE; /* never: units are written whole */
        if (unit.kind == VFS_UNIT_LOG) {
            memcpy(vfs->salts, in + 16, 8);
            vfs->salted = true;
        } else {
            rc = know_salts(file);
        }
        if (rc == SQLITE_OK)
            rc = vfs_seal(vfs, unit.kind, unit.number, in, unit.len, vfs->sealed);
        vfs_reserve(file, unit.at + unit.len + VFS_SEAL, STEP);
        if (rc == SQLITE_OK)
            rc = vfs_write_at(vfs, file->fd, vfs->sealed, unit.len + VFS_SEAL, unit.at);
        in += unit.len;
        at += unit.len;
    }
    return rc;
}

/* To a whole number of frames, as SQLite does it. */
static int truncate_log(sqlite3_file *base, sqlite3_int64 size)
{
    struct vfs_file *file = (struct vfs_file *)base;
    uint64_t to = size <= 0 ? 0 : unit_at((uint64_t)size).at;
    int rc = file->vfs->io->ftruncate(file->vfs->io, file->fd, to);

    return rc < 0 ? vfs_failed(file->vfs, rc, SQLITE_IOERR_TRUNCATE) : SQLITE_OK;
}

static int size_of_log(sqlite3_file *base, sqlite3_int64 *out)
{
    struct vfs_file *file = (struct vfs_file *)base;
    uint64_t size;
    int rc = vfs_size_of(file->vfs, file->fd, &size);

    if (rc != SQLITE_OK)
        return rc;
    *out = size < VFS_LOG_FRAMES
               ? 0
               : (sqlite3_int64)(VFS_LOG_HEADER + (size - VFS_LOG_FRAMES) / VFS_FRAME * FRAME_SEEN);
    return SQLITE_OK;
}

const sqlite3_io_methods vfs_log_methods = {.iVersion = 1,
                                            .xClose = vfs_shut,
                                            .xRead = read_log,
                                            .xWrite = write_log,
                                            .xTruncate = truncate_log,
                                            .xSync = vfs_sync,
                                            .xFileSize = size_of_log,
                                            .xLock = vfs_no_lock,
                                            .xUnlock = vfs_no_lock,
                                            .xCheckReservedLock = vfs_not_reserved,
                                            .xFileControl = vfs_no_control,
                                            .xSectorSize = vfs_sector_size,
                                            .xDeviceCharacteristics = vfs_characteristics};
