#include "ledger/tile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define TILE_MODE 0600
#define FOLDER_MODE 0700

uint64_t tile_full(uint64_t size, unsigned level)
{
    return size >> (TILE_HEIGHT * (level + 1));
}

unsigned tile_partial(uint64_t size, unsigned level)
{
    return (unsigned)(size >> (TILE_HEIGHT * level)) % TILE_WIDTH;
}

void tile_name(unsigned level, uint64_t n, unsigned width, char out[TILE_NAME_MAX])
{
    uint64_t divisor = 1;
    int len = snprintf(out, TILE_NAME_MAX, "tile/%u/", level);

    while (n / divisor >= 1000)
        divisor *= 1000;
    for (; divisor > 1; divisor /= 1000)
        len += snprintf(out + len, (size_t)(TILE_NAME_MAX - len), "x%03u/",
                        (unsigned)(n / divisor % 1000));
    len += snprintf(out + len, (size_t)(TILE_NAME_MAX - len), "%03u", (unsigned)(n % 1000));
    if (width < TILE_WIDTH)
        snprintf(out + len, (size_t)(TILE_NAME_MAX - len), ".p/%u", width);
}

static int out_of_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
}

/* Reads the file that holds exactly width hashes. */
static int read_exact(struct sr_io *io, const char *dir, unsigned level, uint64_t n, unsigned width,
                      uint8_t out[TILE_BYTES])
{
    char name[TILE_NAME_MAX];
    uint8_t *data = NULL;
    size_t len = 0;
    char *path;
    int status;

    tile_name(level, n, width, name);
    path = sr_path("%s/%s", dir, name);
    if (path == NULL)
        return out_of_memory();
    status = sr_io_read_file(io, path, TILE_BYTES, &data, &len);
    if (status == SR_ERR_TOO_LARGE || (status == 0 && len != (size_t)width * TLOG_HASH_LEN))
        status = sr_fail(SR_ERR_DAMAGED, "ledger/%s has not the length of its tile", name);
    else if (status == 0)
        memcpy(out, data, len);
    free(data);
    free(path);
    return status;
}

int tile_read(struct sr_io *io, const char *dir, unsigned level, uint64_t n, unsigned width,
              uint8_t out[TILE_BYTES])
{
    int status = read_exact(io, dir, level, n, width, out);

    if (status == SR_ERR_NOT_FOUND && width < TILE_WIDTH)
        status = read_exact(io, dir, level, n, TILE_WIDTH, out);
    return status;
}

/* Makes every folder on the way to dir/name. */
static int make_folders(struct sr_io *io, const char *dir, const char *name)
{
    size_t dir_len = strlen(dir) + 1;
    char *path = sr_path("%s/%s", dir, name);
    int status = 0;

    if (path == NULL)
        return out_of_memory();
    for (char *slash = strchr(path + dir_len, '/'); slash != NULL && status == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        status = sr_io_make_dir(io, path, FOLDER_MODE);
        *slash = '/';
    }
    free(path);
    return status;
}

/* Writes and syncs a temporary file; after a crash the next one of that name truncates it. */
static int write_temporary(struct sr_io *io, const char *path, const void *data, size_t len)
{
    int status;
    int closed;
    int fd = io->open(io, path, O_WRONLY | O_CREAT | O_TRUNC, TILE_MODE);

    if (fd < 0)
        return sr_fail_errno(-fd, "create %s", path);
    status = sr_io_write_full(io, fd, data, len, 0);
    if (status == 0) {
        status = io->fsync(io, fd);
        if (status < 0)
            status = sr_fail_errno(-status, "sync %s", path);
    }
    closed = io->close(io, fd);
    if (status == 0 && closed < 0)
        status = sr_fail_errno(-closed, "close %s", path);
    return status;
}

static int sync_unsynced(struct tile_writer *writer)
{
    int status = writer->io->sync_dir(writer->io, writer->unsynced);

    if (status < 0)
        return sr_fail_errno(-status, "sync folder %s", writer->unsynced);
    free(writer->unsynced);
    writer->unsynced = NULL;
    return 0;
}

/* Makes sure of the folder of a tile before the first file in it, and syncs the one before. Also
 * when it exists: whoever made it may have failed, or been killed, before its name was durable. */
static int enter_folder(struct tile_writer *writer, const char *name)
{
    char *folder = sr_path("%s/%.*s", writer->dir, (int)(strrchr(name, '/') - name), name);
    int status = 0;

    if (folder == NULL)
        return out_of_memory();
    if (writer->unsynced != NULL && strcmp(writer->unsynced, folder) == 0)
        goto out;
    if (writer->unsynced != NULL)
        status = sync_unsynced(writer);
    if (status == 0)
        status = make_folders(writer->io, writer->dir, name);
    if (status == 0) {
        writer->unsynced = folder;
        folder = NULL;
    }
out:
    free(folder);
    return status;
}

int tile_write(struct tile_writer *writer, unsigned level, uint64_t n, unsigned width,
               const uint8_t *data)
{
    struct sr_io *io = writer->io;
    size_t len = (size_t)width * TLOG_HASH_LEN;
    char name[TILE_NAME_MAX];
    char *temporary = NULL;
    char *path = NULL;
    int status;

    tile_name(level, n, width, name);
    status = enter_folder(writer, name);
    if (status != 0)
        return status;
    path = sr_path("%s/%s", writer->dir, name);
    temporary = sr_path("%s/%s.tmp", writer->dir, name);
    if (path == NULL || temporary == NULL) {
        status = out_of_memory();
        goto out;
    }
    status = write_temporary(io, temporary, data, len);
    if (status != 0)
        goto out;
    status = io->rename(io, temporary, path);
    if (status < 0)
        status = sr_fail_errno(-status, "rename over %s", path);
out:
    free(temporary);
    free(path);
    return status;
}

int tile_flush(struct tile_writer *writer)
{
    int status = 0;

    if (writer->unsynced != NULL)
        status = sync_unsynced(writer);
    free(writer->unsynced);
    writer->unsynced = NULL;
    return status;
}

#define PARTIAL_NAME_MAX 8 /* "255.tmp" */
#define PARTIAL_NAMES_MAX (2 * TILE_WIDTH)

struct partial_names {
    size_t count;
    char name[PARTIAL_NAMES_MAX][PARTIAL_NAME_MAX];
};

/* Listed first and unlinked after, so that the listing does not change under its reader. */
static int note_partial(void *context, const char *name)
{
    struct partial_names *names = context;

    if (strlen(name) < PARTIAL_NAME_MAX && names->count < PARTIAL_NAMES_MAX)
        strcpy(names->name[names->count++], name);
    return 0;
}

int tile_drop_partials(struct sr_io *io, const char *dir, unsigned level, uint64_t n)
{
    struct partial_names names = {0};
    char name[TILE_NAME_MAX];
    char *folder;
    int status;

    tile_name(level, n, TILE_WIDTH, name);
    folder = sr_path("%s/%s.p", dir, name);
    if (folder == NULL)
        return out_of_memory();
    status = io->list(io, folder, note_partial, &names);
    for (size_t i = 0; status == 0 && i < names.count; i++) {
        char *path = sr_path("%s/%s", folder, names.name[i]);

        status = path == NULL ? -ENOMEM : io->unlink(io, path);
        free(path);
    }
    if (status == 0)
        status = io->rmdir(io, folder);
    if (status == -ENOENT || status == -ENOTEMPTY) /* none, or a foreign file among them */
        status = 0;
    if (status < 0)
        status = sr_fail_errno(-status, "remove the old partial tiles ledger/%s.p", name);
    free(folder);
    return status;
}

void tile_need_add(struct tile_need *need, uint64_t kept_size, uint64_t size)
{
    for (unsigned level = 0; level < TILE_LEVELS; level++) {
        unsigned width = tile_partial(kept_size, level);

        if (width != 0 && tile_full(kept_size, level) == tile_full(size, level))
            need->widths[level][width / 64] |= UINT64_C(1) << (width % 64);
    }
}

static int compare_one(struct sr_io *io, const char *dir, const struct tree *tree,
                       struct tile_at *tile, tile_found_fn *found, void *context)
{
    uint8_t expected[TILE_BYTES];
    uint8_t data[TILE_BYTES];
    int status = tile_read(io, dir, tile->level, tile->n, tile->width, data);

    tree_tile(tree, tile->level, tile->n, tile->width, expected);
    if (status == 0 && memcmp(data, expected, (size_t)tile->width * TLOG_HASH_LEN) == 0)
        return 0;
    tile->expected = expected;
    return found(context, tile, status == 0 ? SR_ERR_DAMAGED : status);
}

int tile_compare_all(struct sr_io *io, const char *dir, const struct tree *tree, uint64_t size,
                     const struct tile_need *need, tile_found_fn *found, void *context)
{
    int status = 0;

    for (unsigned level = 0; level < TILE_LEVELS && status == 0; level++) {
        uint64_t full = tile_full(size, level);

        for (uint64_t n = 0; n < full && status == 0; n++) {
            struct tile_at tile = {.level = level, .n = n, .width = TILE_WIDTH};

            status = compare_one(io, dir, tree, &tile, found, context);
        }
        for (unsigned width = 1; width < TILE_WIDTH && status == 0; width++) {
            struct tile_at tile = {.level = level, .n = full, .width = width};

            if ((need->widths[level][width / 64] >> (width % 64) & 1) != 0)
                status = compare_one(io, dir, tree, &tile, found, context);
        }
    }
    return status;
}
