#include "ledger/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/note_text.h"

#define KEPT_MODE 0600

struct listing {
    uint64_t *sizes;
    size_t count;
    size_t capacity;
};

static int note_size(void *context, const char *name)
{
    struct listing *listing = context;
    uint64_t size;

    if (sr_parse_u64(name, &size) != 0)
        return 0;
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity == 0 ? 64 : 2 * listing->capacity;
        uint64_t *grown = realloc(listing->sizes, capacity * sizeof(*grown));

        if (grown == NULL)
            return -ENOMEM;
        listing->sizes = grown;
        listing->capacity = capacity;
    }
    listing->sizes[listing->count++] = size;
    return 0;
}

static int compare_sizes(const void *a, const void *b)
{
    const uint64_t *left = a;
    const uint64_t *right = b;

    return (*left > *right) - (*left < *right);
}

int kept_list(struct sr_io *io, const char *dir, uint64_t **sizes, size_t *count)
{
    struct listing listing = {0};
    char *folder = sr_path("%s/checkpoints", dir);
    int status;

    *sizes = NULL;
    *count = 0;
    if (folder == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status = io->list(io, folder, note_size, &listing);
    free(folder);
    if (status < 0 && status != -ENOENT) {
        free(listing.sizes);
        return sr_fail_errno(-status, "list ledger/checkpoints");
    }
    if (listing.count > 1)
        qsort(listing.sizes, listing.count, sizeof(*listing.sizes), compare_sizes);
    *sizes = listing.sizes;
    *count = listing.count;
    return 0;
}

static int read_note(struct sr_io *io, const char *dir, const char *name,
                     const struct note_verifier *verifier, uint8_t **data, size_t *len,
                     struct note_checkpoint *checkpoint)
{
    struct sr_error_copy why;
    char *path = sr_path("%s/%s", dir, name);
    int status;

    *data = NULL;
    *len = 0;
    memset(checkpoint, 0, sizeof(*checkpoint));
    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status = sr_io_read_file(io, path, NOTE_BYTES_MAX, data, len);
    free(path);
    if (status == 0)
        status = note_checkpoint_open(*data, *len, verifier, checkpoint);
    if (status == SR_ERR_INVALID || status == SR_ERR_DAMAGED || status == SR_ERR_TOO_LARGE) {
        sr_error_save(&why, status);
        status = sr_fail(SR_ERR_DAMAGED, "ledger/%s: %s", name, why.message);
    }
    if (status != 0) {
        free(*data);
        *data = NULL;
        *len = 0;
    }
    return status;
}

int kept_read(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
              uint64_t size, uint8_t **data, size_t *len, struct note_checkpoint *checkpoint)
{
    char *name = sr_path("checkpoints/%llu", (unsigned long long)size);
    int status;

    *data = NULL;
    *len = 0;
    if (name == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status = read_note(io, dir, name, verifier, data, len, checkpoint);
    if (status == 0 && checkpoint->size != size) {
        status = sr_fail(SR_ERR_DAMAGED, "ledger/%s holds the checkpoint of size %llu", name,
                         (unsigned long long)checkpoint->size);
        free(*data);
        *data = NULL;
        *len = 0;
    }
    free(name);
    return status;
}

int kept_read_newest(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
                     uint8_t **data, size_t *len, struct note_checkpoint *checkpoint)
{
    return read_note(io, dir, "checkpoint", verifier, data, len, checkpoint);
}

static int sync_kept(struct sr_io *io, const char *dir)
{
    char *folder = sr_path("%s/checkpoints", dir);
    int status;

    if (folder == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status = io->sync_dir(io, folder);
    free(folder);
    return status < 0 ? sr_fail_errno(-status, "sync folder ledger/checkpoints") : 0;
}

int kept_write(struct sr_io *io, const char *dir, uint64_t size, const void *data, size_t len)
{
    char *path = sr_path("%s/checkpoints/%llu", dir, (unsigned long long)size);
    uint8_t *old = NULL;
    size_t old_len = 0;
    int status;

    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status = sr_io_create_file(io, path, data, len, KEPT_MODE);
    if (status == SR_ERR_EXISTS) {
        /* Ed25519 has one signature per text: an earlier attempt wrote these very bytes. */
        status = sr_io_read_file(io, path, NOTE_BYTES_MAX, &old, &old_len);
        if (status == 0 && (old_len != len || memcmp(old, data, len) != 0))
            status = sr_fail(SR_ERR_EXISTS, "ledger/checkpoints/%llu is another checkpoint",
                             (unsigned long long)size);
        free(old);
        if (status == 0) /* that attempt may have failed before its name was durable */
            status = sync_kept(io, dir);
    }
    free(path);
    return status;
}

int kept_write_newest(struct sr_io *io, const char *dir, const void *data, size_t len)
{
    char *path = sr_path("%s/checkpoint", dir);
    int status;

    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    status = sr_io_replace_file(io, path, data, len, KEPT_MODE);
    free(path);
    return status;
}
