/* Registration, opening, and what pages, log and temporary files share. */
#include "catalog/vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/error.h"
#include "catalog/vfs_internal.h"

#define AAD_LEN 17

/* Kind and number; of the log also its generation, so that frames of an earlier one are nothing. */
static size_t make_aad(const struct vfs *vfs, enum vfs_unit kind, uint64_t number,
                       uint8_t out[AAD_LEN])
{
    out[0] = (uint8_t)kind;
    sr_put_be64(out + 1, number);
    if (kind != VFS_UNIT_FRAME && kind != VFS_UNIT_DATA)
        return 9;
    memcpy(out + 9, vfs->salts, 8);
    return AAD_LEN;
}

int vfs_nonce(struct vfs *vfs, uint8_t out[SR_GCM_IV_LEN])
{
    if (vfs->nonce_count == 0) {
        int rc = vfs->io->random(vfs->io, vfs->nonce_prefix, sizeof(vfs->nonce_prefix));
        if (rc < 0)
            return vfs_failed(vfs, rc, SQLITE_IOERR_WRITE);
    }
    memcpy(out, vfs->nonce_prefix, sizeof(vfs->nonce_prefix));
    sr_put_be32(out + sizeof(vfs->nonce_prefix), vfs->nonce_count++);
    return SQLITE_OK;
}

int vfs_seal(struct vfs *vfs, enum vfs_unit kind, uint64_t number, const uint8_t *plain, size_t len,
             uint8_t *sealed)
{
    uint8_t aad[AAD_LEN], *nonce = sealed + len;
    size_t aad_len = make_aad(vfs, kind, number, aad);
    int rc = vfs_nonce(vfs, nonce);

    if (rc != SQLITE_OK)
        return rc;
    if (sr_gcm_encrypt(vfs->gcm, vfs->secret->file, nonce, aad, aad_len, plain, len, sealed,
                       nonce + SR_GCM_IV_LEN) < 0)
        return SQLITE_IOERR_WRITE;
    return SQLITE_OK;
}

int vfs_unseal(struct vfs *vfs, enum vfs_unit kind, uint64_t number, const uint8_t *sealed,
               size_t len, uint8_t *plain)
{
    uint8_t aad[AAD_LEN];
    const uint8_t *nonce = sealed + len;
    size_t aad_len = make_aad(vfs, kind, number, aad);

    return sr_gcm_decrypt(vfs->gcm, vfs->secret->file, nonce, aad, aad_len, sealed, len,
                          nonce + SR_GCM_IV_LEN, plain) == 0
               ? SQLITE_OK
               : SQLITE_IOERR_DATA;
}

int vfs_damaged(struct vfs *vfs, const char *what, uint64_t number)
{
    if (vfs->damage[0] == '\0')
        snprintf(vfs->damage, sizeof(vfs->damage), "%s %llu of the catalog does not verify", what,
                 (unsigned long long)number);
    return SQLITE_IOERR_DATA;
}

int vfs_failed(struct vfs *vfs, int rc, int code)
{
    vfs->error_number = -rc;
    return rc == -ENOSPC ? SQLITE_FULL : rc == -ENOMEM ? SQLITE_NOMEM : code;
}

int vfs_read_at(struct vfs *vfs, int fd, void *buf, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t got = vfs->io->pread(vfs->io, fd, (uint8_t *)buf + done, len - done, offset + done);
        if (got == -EINTR)
            continue;
        if (got < 0)
            return vfs_failed(vfs, (int)got, SQLITE_IOERR_READ);
        if (got == 0) {
            memset((uint8_t *)buf + done, 0, len - done);
            return SQLITE_IOERR_SHORT_READ;
        }
        done += (size_t)got;
    }
    return SQLITE_OK;
}

int vfs_write_at(struct vfs *vfs, int fd, const void *buf, size_t len, uint64_t offset)
{
    size_t done = 0;

    while (done < len) {
        ssize_t put =
            vfs->io->pwrite(vfs->io, fd, (const uint8_t *)buf + done, len - done, offset + done);
        if (put == -EINTR)
            continue;
        if (put <= 0)
            return vfs_failed(vfs, put < 0 ? (int)put : -EIO, SQLITE_IOERR_WRITE);
        done += (size_t)put;
    }
    return SQLITE_OK;
}

void vfs_reserve(struct vfs_file *file, uint64_t end, uint64_t step)
{
    if (end <= file->reserved)
        return;
    (void)file->vfs->io->allocate(file->vfs->io, file->fd, end, step);
    file->reserved = end + step;
}

int vfs_size_of(struct vfs *vfs, int fd, uint64_t *size)
{
    struct sr_stat stat;
    int rc = vfs->io->fstat(vfs->io, fd, &stat);

    if (rc < 0)
        return vfs_failed(vfs, rc, SQLITE_IOERR_FSTAT);
    *size = stat.size;
    return SQLITE_OK;
}

/* --- methods that all files share --- */

int vfs_no_lock(sqlite3_file *file, int level) /* the vault's own lock keeps others out */
{
    (void)file;
    (void)level;
    return SQLITE_OK;
}

int vfs_not_reserved(sqlite3_file *file, int *out)
{
    (void)file;
    *out = 0;
    return SQLITE_OK;
}

int vfs_sector_size(sqlite3_file *file)
{
    (void)file;
    return VFS_PAGE;
}

int vfs_no_control(sqlite3_file *file, int op, void *argument)
{
    (void)file;
    (void)op;
    (void)argument;
    return SQLITE_NOTFOUND;
}

/* SQLite then writes a frame whole, and no padding behind the last one. A torn frame does not verify. */
int vfs_characteristics(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

int vfs_sync(sqlite3_file *base, int flags)
{
    struct vfs_file *file = (struct vfs_file *)base;
    int rc = file->vfs->io->fdatasync(file->vfs->io, file->fd);

    (void)flags;
    if (rc >= 0 && !file->named) {
        rc = file->vfs->io->sync_dir(file->vfs->io, file->vfs->folder);
        file->named = rc >= 0;
    }
    return rc < 0 ? vfs_failed(file->vfs, rc, SQLITE_IOERR_FSYNC) : SQLITE_OK;
}

int vfs_shut(sqlite3_file *base)
{
    struct vfs_file *file = (struct vfs_file *)base;

    (void)file->vfs->io->close(file->vfs->io, file->fd);
    return SQLITE_OK;
}

/* --- the VFS itself --- */

/* A name that goes with path. Caller frees. */
static char *log_path(const char *path)
{
    return sr_path("%s-wal", path);
}

static int open_named(struct vfs *vfs, const char *name, int flags, struct vfs_file *file)
{
    bool log = (flags & SQLITE_OPEN_WAL) != 0;
    int rc = vfs->io->open(vfs->io, name, O_RDWR | O_CREAT, 0600);

    if (rc < 0)
        return vfs_failed(vfs, rc, SQLITE_CANTOPEN);
    file->fd = rc;
    if (log)
        vfs->salted = false;
    rc = log ? SQLITE_OK : vfs_page_begin(vfs, file->fd);
    if (rc != SQLITE_OK) {
        (void)vfs->io->close(vfs->io, file->fd);
        return rc;
    }
    file->base.pMethods = log ? &vfs_log_methods : &vfs_page_methods;
    return SQLITE_OK;
}

static int open_file(sqlite3_vfs *base, const char *name, sqlite3_file *out, int flags,
                     int *flags_out)
{
    struct vfs *vfs = base->pAppData;
    struct vfs_file *file = (struct vfs_file *)out;
    int rc;

    memset(file, 0, sizeof(*file));
    file->vfs = vfs;
    file->fd = -1;
    if (name == NULL || (flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)) == 0) {
        /* A rollback journal would have a name; journal_mode says that there is none. */
        if (name != NULL && (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0)
            return SQLITE_CANTOPEN;
        file->base.pMethods = &vfs_temp_methods;
        rc = SQLITE_OK;
    } else {
        rc = open_named(vfs, name, flags, file);
    }
    if (rc == SQLITE_OK && flags_out != NULL)
        *flags_out = flags;
    return rc;
}

static int delete_file(sqlite3_vfs *base, const char *name, int sync)
{
    struct vfs *vfs = base->pAppData;
    int rc = vfs->io->unlink(vfs->io, name);

    (void)sync; /* a log that comes back holds nothing that the ledger has not */
    if (rc == -ENOENT)
        return SQLITE_IOERR_DELETE_NOENT;
    return rc < 0 ? vfs_failed(vfs, rc, SQLITE_IOERR_DELETE) : SQLITE_OK;
}

static int access_file(sqlite3_vfs *base, const char *name, int flags, int *out)
{
    struct vfs *vfs = base->pAppData;
    struct sr_stat stat;
    int rc = vfs->io->stat(vfs->io, name, &stat);

    (void)flags;
    *out = rc == 0;
    return rc == 0 || rc == -ENOENT ? SQLITE_OK : vfs_failed(vfs, rc, SQLITE_IOERR_ACCESS);
}

static int full_path(sqlite3_vfs *base, const char *name, int size, char *out)
{
    (void)base;
    if (snprintf(out, (size_t)size, "%s", name) >= size)
        return SQLITE_CANTOPEN;
    return SQLITE_OK;
}

static int give_random(sqlite3_vfs *base, int len, char *out)
{
    struct vfs *vfs = base->pAppData;

    return vfs->io->random(vfs->io, out, (size_t)len) < 0 ? 0 : len;
}

static int no_sleep(sqlite3_vfs *base, int microseconds) /* nobody else has the file */
{
    (void)base;
    return microseconds;
}

static int tell_time(sqlite3_vfs *base, sqlite3_int64 *out) /* ms since the Julian epoch */
{
    struct vfs *vfs = base->pAppData;

    *out = INT64_C(210866760000000) + vfs->io->now_ns(vfs->io) / 1000000;
    return SQLITE_OK;
}

static int tell_days(sqlite3_vfs *base, double *out)
{
    sqlite3_int64 ms;

    tell_time(base, &ms);
    *out = (double)ms / 86400000.0;
    return SQLITE_OK;
}

static int last_error(sqlite3_vfs *base, int len, char *out)
{
    struct vfs *vfs = base->pAppData;

    (void)len;
    (void)out;
    return vfs->error_number;
}

int vfs_open(struct sr_io *io, const char *path, const uint8_t key[SR_KEY_LEN], struct vfs **out)
{
    struct vfs *vfs = calloc(1, sizeof(*vfs));
    int rc;

    *out = NULL;
    if (vfs == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    vfs->io = io;
    vfs->path = strdup(path);
    vfs->folder = sr_path("%.*s", (int)(strrchr(path, '/') - path), path);
    vfs->secret = sr_secret_alloc(sizeof(*vfs->secret));
    rc = sr_gcm_new(&vfs->gcm);
    if (vfs->path == NULL || vfs->folder == NULL || vfs->secret == NULL || rc < 0) {
        vfs_close(vfs);
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    }
    memcpy(vfs->secret->master, key, SR_KEY_LEN);
    snprintf(vfs->name, sizeof(vfs->name), "strongroom-%p", (void *)vfs);
    vfs->base = (sqlite3_vfs){.iVersion = 2,
                              .szOsFile = sizeof(struct vfs_file),
                              .mxPathname = 4096,
                              .zName = vfs->name,
                              .pAppData = vfs,
                              .xOpen = open_file,
                              .xDelete = delete_file,
                              .xAccess = access_file,
                              .xFullPathname = full_path,
                              .xRandomness = give_random,
                              .xSleep = no_sleep,
                              .xCurrentTime = tell_days,
                              .xCurrentTimeInt64 = tell_time,
                              .xGetLastError = last_error};
    if (sqlite3_vfs_register(&vfs->base, 0) != SQLITE_OK) {
        vfs_close(vfs);
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    }
    *out = vfs;
    return 0;
}

void vfs_close(struct vfs *vfs)
{
    if (vfs == NULL)
        return;
    sqlite3_vfs_unregister(&vfs->base);
    sr_gcm_free(vfs->gcm);
    sr_secret_free(vfs->secret, sizeof(*vfs->secret));
    sr_wipe(vfs->plain, sizeof(vfs->plain));
    free(vfs->path);
    free(vfs->folder);
    free(vfs);
}

const char *vfs_name(const struct vfs *vfs)
{
    return vfs->name;
}

const char *vfs_damage(const struct vfs *vfs)
{
    return vfs->damage[0] != '\0' ? vfs->damage : NULL;
}

void vfs_inconsistent(struct vfs *vfs)
{
    if (vfs->missing != 0 && vfs->damage[0] == '\0')
        snprintf(vfs->damage, sizeof(vfs->damage), "page %llu of the catalog is missing",
                 (unsigned long long)vfs->missing);
}

int vfs_errno(const struct vfs *vfs)
{
    return vfs->error_number;
}

int vfs_remove(struct sr_io *io, const char *path)
{
    char *log = log_path(path);
    int rc;

    if (log == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    rc = io->unlink(io,
                    log); /* first: a log alone is nothing, a database without its log is older */
    if (rc == 0 || rc == -ENOENT)
        rc = io->unlink(io, path);
    free(log);
    return rc == 0 || rc == -ENOENT ? 0 : sr_fail_errno(-rc, "%s cannot be removed", path);
}
