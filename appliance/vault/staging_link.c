/* The names of a file: linking a finalized one into objects/, removing staging names, listing
 * them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "vault/staging_internal.h"

#define ID_TEXT (2 * VAULT_OBJECT_ID_LEN)

static int make_paths(const struct staging *staging, char **folder, char **path)
{
    char text[ID_TEXT + 1];

    vault_object_id_text(&staging->id, text);
    *folder = sr_path("%s/objects/%.2s", vault_path(staging->vault), text);
    *path = sr_path("%s/objects/%.2s/%s", vault_path(staging->vault), text, text);
    return *folder && *path ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

/* The name in objects/ exists: it is our file if size and head are ours, because the head holds
 * this object's random id and FLOE IV. */
static int check_same(struct staging *staging, const char *path)
{
    struct sr_io *io = staging->io;
    uint8_t head[STAGING_HEAD_LEN], digest[SR_SHA256_LEN];
    struct sr_stat ours, theirs;
    size_t got = 0;
    int fd = io->open(io, path, O_RDONLY, 0);
    int rc = fd;

    if (rc >= 0)
        rc = io->fstat(io, fd, &theirs);
    if (rc >= 0)
        rc = io->fstat(io, staging->fd, &ours);
    rc = rc < 0 ? sr_fail_errno(-rc, "look at %s", path)
                : sr_io_read_full(io, fd, head, sizeof(head), 0, &got);
    if (fd >= 0)
        io->close(io, fd);
    if (!rc)
        rc = sr_sha256(head, got, digest);
    if (!rc && (theirs.size != ours.size || got != sizeof(head) ||
                memcmp(digest, staging->header_sha256, sizeof(digest))))
        rc = sr_fail(SR_ERR_EXISTS, "%s exists and is another file", path);
    return rc;
}

int staging_link(struct staging *staging)
{
    struct sr_io *io = staging->io;
    char *folder = NULL, *path = NULL;
    bool finalized;
    int rc;

    pthread_mutex_lock(&staging->sync_lock);
    finalized = staging->finalized;
    pthread_mutex_unlock(&staging->sync_lock);
    if (!finalized)
        return sr_fail(SR_ERR_INVALID, "%s is not finalized", staging->path);
    rc = make_paths(staging, &folder, &path);
    if (rc)
        goto out;
    rc = io->link(io, staging->path, path);
    if (rc == -ENOENT) {
        rc = sr_io_make_dir(io, folder, 0700);
        if (rc)
            goto out;
        rc = io->link(io, staging->path, path);
    }
    if (rc == -EEXIST)
        rc = check_same(staging, path);
    else if (rc < 0)
        rc = sr_fail_errno(-rc, "link %s", path);
out:
    free(folder);
    free(path);
    return rc;
}

int staging_sync_links(struct vault *vault, struct staging *const *batch, size_t count)
{
    struct sr_io *io = vault_io(vault);
    bool synced[256] = {false};
    int rc = 0;

    for (size_t i = 0; i < count && !rc; i++) {
        uint8_t first = batch[i]->id.bytes[0];
        char *folder;

        if (synced[first])
            continue;
        folder = sr_path("%s/objects/%02x", vault_path(vault), first);
        if (!folder)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        rc = io->sync_dir(io, folder);
        rc = rc < 0 ? sr_fail_errno(-rc, "sync folder %s", folder) : 0;
        synced[first] = true;
        free(folder);
    }
    return rc;
}

/* The redo first: a staging name without redo is content that nothing acknowledges, a redo without
 * its file would be an orphan. */
static int unlink_names(struct sr_io *io, const char *path)
{
    static const char *const suffixes[] = {".redo.new", ".redo", ""};
    int rc = 0;

    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]) && !rc; i++) {
        char *name = sr_path("%s%s", path, suffixes[i]);

        if (!name)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        rc = io->unlink(io, name);
        rc = rc < 0 && rc != -ENOENT ? sr_fail_errno(-rc, "remove %s", name) : 0;
        free(name);
    }
    return rc;
}

int staging_unlink(struct staging *staging)
{
    int rc;

    pthread_mutex_lock(&staging->sync_lock);
    rc = unlink_names(staging->io, staging->path);
    pthread_mutex_unlock(&staging->sync_lock);
    if (rc)
        return rc;
    pthread_mutex_lock(&staging->lock);
    staging->dead = true;
    pthread_mutex_unlock(&staging->lock);
    return 0;
}

int staging_sync_folder(struct vault *vault)
{
    struct sr_io *io = vault_io(vault);
    char *folder = sr_path("%s/staging", vault_path(vault));
    int rc;

    if (!folder)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = io->sync_dir(io, folder);
    rc = rc < 0 ? sr_fail_errno(-rc, "sync folder %s", folder) : 0;
    free(folder);
    return rc;
}

int staging_discard(struct staging *staging)
{
    int rc;

    pthread_mutex_lock(&staging->lock);
    staging->dead = true;
    pthread_mutex_unlock(&staging->lock);
    rc = staging_unlink(staging);
    return rc ? rc : staging_sync_folder(staging->vault);
}

int staging_remove(struct vault *vault, const struct vault_object_id *id)
{
    char text[ID_TEXT + 1];
    char *path;
    int rc;

    vault_object_id_text(id, text);
    path = sr_path("%s/staging/%s", vault_path(vault), text);
    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = unlink_names(vault_io(vault), path);
    free(path);
    return rc;
}

struct listing {
    struct vault *vault;
    staging_list_fn *fn;
    void *context;
    int stopped; /* what ended the listing, if it was not the file system */
};

/* The content of a small file may be in its redo alone. */
static int redo_bytes(struct sr_io *io, const char *path, uint64_t *out)
{
    struct sr_stat st;
    char *redo = sr_path("%s.redo", path);
    int rc;

    *out = 0;
    if (!redo)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = io->stat(io, redo, &st);
    if (rc < 0 && rc != -ENOENT)
        rc = sr_fail_errno(-rc, "stat %s", redo);
    else if (rc == -ENOENT)
        rc = 0;
    else if (st.size > REDO_OVERHEAD + REDO_META_LEN(0)) /* more than "nothing was written" */
        *out = st.size;
    free(redo);
    return rc;
}

/* ID, or an ID.redo whose ID is gone (so that the caller can remove it). */
static int list_one(const struct listing *listing, const char *name)
{
    struct sr_io *io = vault_io(listing->vault);
    struct vault_object_id id;
    struct sr_stat st = {0};
    char text[ID_TEXT + 1];
    uint64_t redo = 0;
    char *path;
    int rc;

    if (strlen(name) < ID_TEXT || (name[ID_TEXT] && name[ID_TEXT] != '.'))
        return 0;
    memcpy(text, name, ID_TEXT);
    text[ID_TEXT] = 0;
    if (vault_object_id_parse(text, &id) || (name[ID_TEXT] && strcmp(name + ID_TEXT, ".redo")))
        return 0;
    path = sr_path("%s/staging/%s", vault_path(listing->vault), text);
    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = io->stat(io, path, &st);
    if (rc < 0 && rc != -ENOENT)
        rc = sr_fail_errno(-rc, "stat %s", path);
    else if (rc >= 0 && !name[ID_TEXT])
        rc = redo_bytes(io, path, &redo);
    free(path);
    if (rc == -ENOENT && name[ID_TEXT])
        return listing->fn(listing->context, &id, 0);
    if (rc || name[ID_TEXT])
        return rc == -ENOENT ? 0 : rc;
    st.size = st.size > VAULT_SEGMENTS_AT ? st.size - VAULT_SEGMENTS_AT : 0;
    if (st.size >= VAULT_SEGMENT_LEN)
        redo = st.size / VAULT_SEGMENT_LEN * VAULT_SEGMENT_PLAIN;
    return listing->fn(listing->context, &id, redo);
}

static int list_entry(void *context, const char *name)
{
    struct listing *listing = context;

    return listing->stopped = list_one(listing, name);
}

int staging_list(struct vault *vault, staging_list_fn *fn, void *context)
{
    struct listing listing = {vault, fn, context, 0};
    struct sr_io *io = vault_io(vault);
    char *folder = sr_path("%s/staging", vault_path(vault));
    int rc;

    if (!folder)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = io->list(io, folder, list_entry, &listing);
    if (listing.stopped)
        rc = listing.stopped;
    else if (rc < 0)
        rc = sr_fail_errno(-rc, "list %s", folder);
    free(folder);
    return rc;
}
