/* Temporary files (the sorter's, statement journals): without a name, in blocks under a random key that
 * lives as long as the file. Nonces and tags stay in memory: nothing on disk can be put back. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "catalog/vfs_internal.h"

#define BLOCK VFS_PAGE

struct vfs_temp {
    uint8_t *key;
    uint64_t size;
    size_t count; /* of seals */
    struct {
        bool written;
        uint8_t nonce[SR_GCM_IV_LEN], tag[SR_GCM_TAG_LEN];
    } * seals;
};

static void forget(struct vfs_temp *temp)
{
    if (temp == NULL)
        return;
    sr_secret_free(temp->key, SR_KEY_LEN);
    free(temp->seals);
    free(temp);
}

/* The file is made when something is written, and has no name from then on. */
static int begin(struct vfs_file *file)
{
    struct vfs *vfs = file->vfs;
    struct vfs_temp *temp;
    char *path;
    int rc;

    if (file->temp != NULL)
        return SQLITE_OK;
    temp = calloc(1, sizeof(*temp));
    path = sr_path("%s-temp-%p", vfs->path, (void *)file);
    if (temp == NULL || path == NULL || (temp->key = sr_secret_alloc(SR_KEY_LEN)) == NULL) {
        rc = SQLITE_NOMEM;
    } else if ((rc = vfs->io->random(vfs->io, temp->key, SR_KEY_LEN)) < 0) {
        rc = vfs_failed(vfs, rc, SQLITE_IOERR);
    } else if ((rc = vfs->io->open(vfs->io, path, O_RDWR | O_CREAT | O_TRUNC, 0600)) < 0) {
        rc = vfs_failed(vfs, rc, SQLITE_CANTOPEN);
    } else {
        file->fd = rc;
        rc = vfs->io->unlink(vfs->io, path);
        rc = rc < 0 ? vfs_failed(vfs, rc, SQLITE_IOERR) : SQLITE_OK;
    }
    free(path);
    if (rc != SQLITE_OK) {
        forget(temp);
        return rc;
    }
    file->temp = temp;
    return SQLITE_OK;
}

static int grow(struct vfs_temp *temp, size_t count)
{
    if (count <= temp->count)
        return SQLITE_OK;
    size_t wanted = temp->count == 0 ? 64 : temp->count * 2;
    if (wanted < count)
        wanted = count;
    void *seals = realloc(temp->seals, wanted * sizeof(*temp->seals));
    if (seals == NULL)
        return SQLITE_NOMEM;
    temp->seals = seals;
    memset(temp->seals + temp->count, 0, (wanted - temp->count) * sizeof(*temp->seals));
    temp->count = wanted;
    return SQLITE_OK;
}

static int read_block(struct vfs_file *file, size_t number, uint8_t *plain)
{
    struct vfs *vfs = file->vfs;
    struct vfs_temp *temp = file->temp;
    uint8_t aad = VFS_UNIT_BLOCK;
    int rc;

    if (number >= temp->count || !temp->seals[number].written) {
        memset(plain, 0, BLOCK);
        return SQLITE_OK;
    }
    rc = vfs_read_at(vfs, file->fd, vfs->sealed, BLOCK, (uint64_t)number * BLOCK);
    if (rc != SQLITE_OK)
        return rc == SQLITE_IOERR_SHORT_READ ? SQLITE_IOERR_READ : rc;
    if (sr_gcm_decrypt(vfs->gcm, temp->key, temp->seals[number].nonce, &aad, 1, vfs->sealed, BLOCK,
                       temp->seals[number].tag, plain) < 0)
        return vfs_damaged(vfs, "temporary block", number);
    return SQLITE_OK;
}

static int write_block(struct vfs_file *file, size_t number, const uint8_t *plain)
{
    struct vfs *vfs = file->vfs;
    struct vfs_temp *temp = file->temp;
    uint8_t aad = VFS_UNIT_BLOCK;
    int rc = grow(temp, number + 1);

    if (rc != SQLITE_OK)
        return rc;
    if ((rc = vfs_nonce(vfs, temp->seals[number].nonce)) != SQLITE_OK)
        return rc;
    if (sr_gcm_encrypt(vfs->gcm, temp->key, temp->seals[number].nonce, &aad, 1, plain, BLOCK,
                       vfs->sealed, temp->seals[number].tag) < 0)
        return SQLITE_IOERR_WRITE;
    temp->seals[number].written = true;
    return vfs_write_at(vfs, file->fd, vfs->sealed, BLOCK, (uint64_t)number * BLOCK);
}

static int read_temp(sqlite3_file *base, void *buf, int len, sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;
    uint64_t at = (uint64_t)offset, end = at + (uint64_t)len;
    uint8_t *out = buf;

    memset(buf, 0, (size_t)len);
    if (file->temp == NULL)
        return SQLITE_IOERR_SHORT_READ;
    while (at < end && at < file->temp->size) {
        size_t from = at % BLOCK, part = BLOCK - from;
        int rc = read_block(file, at / BLOCK, file->vfs->plain);

        if (rc != SQLITE_OK)
            return rc;
        if (part > end - at)
            part = (size_t)(end - at);
        memcpy(out, file->vfs->plain + from, part);
        out += part;
        at += part;
    }
    return end > file->temp->size ? SQLITE_IOERR_SHORT_READ : SQLITE_OK;
}

static int write_temp(sqlite3_file *base, const void *buf, int len, sqlite3_int64 offset)
{
    struct vfs_file *file = (struct vfs_file *)base;
    uint64_t at = (uint64_t)offset, end = at + (uint64_t)len;
    const uint8_t *in = buf;
    int rc = begin(file);

    while (rc == SQLITE_OK && at < end) {
        size_t from = at % BLOCK, part = BLOCK - from;

        if (part > end - at)
            part = (size_t)(end - at);
        if (part < BLOCK)
            rc = read_block(file, at / BLOCK, file->vfs->plain);
        if (rc == SQLITE_OK) {
            memcpy(file->vfs->plain + from, in, part);
            rc = write_block(file, at / BLOCK, file->vfs->plain);
        }
        in += part;
        at += part;
    }
    if (rc == SQLITE_OK && end > file->temp->size)
        file->temp->size = end;
    return rc;
}

static int truncate_temp(sqlite3_file *base, sqlite3_int64 size)
{
    struct vfs_file *file = (struct vfs_file *)base;
    struct vfs_temp *temp = file->temp;

    if (temp == NULL || (uint64_t)size >= temp->size)
        return SQLITE_OK;
    for (size_t i = ((uint64_t)size + BLOCK - 1) / BLOCK; i < temp->count; i++)
        temp->seals[i].written = false;
    temp->size = (uint64_t)size;
    return SQLITE_OK;
}

static int size_of_temp(sqlite3_file *base, sqlite3_int64 *out)
{
    struct vfs_file *file = (struct vfs_file *)base;

    *out = file->temp != NULL ? (sqlite3_int64)file->temp->size : 0;
    return SQLITE_OK;
}

static int no_sync(sqlite3_file *file, int flags)
{
    (void)file;
    (void)flags;
    return SQLITE_OK;
}

static int shut_temp(sqlite3_file *base)
{
    struct vfs_file *file = (struct vfs_file *)base;

    if (file->temp != NULL)
        (void)vfs_shut(base);
    forget(file->temp);
    file->temp = NULL;
    return SQLITE_OK;
}

const sqlite3_io_methods vfs_temp_methods = {.iVersion = 1,
                                             .xClose = shut_temp,
                                             .xRead = read_temp,
                                             .xWrite = write_temp,
                                             .xTruncate = truncate_temp,
                                             .xSync = no_sync,
                                             .xFileSize = size_of_temp,
                                             .xLock = vfs_no_lock,
                                             .xUnlock = vfs_no_lock,
                                             .xCheckReservedLock = vfs_not_reserved,
                                             .xFileControl = vfs_no_control,
                                             .xSectorSize = vfs_sector_size,
                                             .xDeviceCharacteristics = vfs_characteristics};
