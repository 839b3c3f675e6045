/* Sealed objects as files: listing them, making them immutable. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vault/object.h"

static int make_path(const struct vault *vault, const struct vault_object_id *id, char **path)
{
    char text[2 * VAULT_OBJECT_ID_LEN + 1];

    vault_object_id_text(id, text);
    *path = sr_path("%s/objects/%.2s/%s", vault_path(vault), text, text);
    return *path ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

int object_set_immutable(struct vault *vault, const struct vault_object_id *id)
{
    struct sr_io *io = vault_io(vault);
    char *path = NULL;
    int rc = make_path(vault, id, &path);

    if (rc)
        return rc;
    rc = io->set_immutable(io, path, true);
    if (rc == -ENOENT)
        rc = sr_fail(SR_ERR_NOT_FOUND, "%s is gone", path);
    else
        rc = rc < 0 && rc != -EOPNOTSUPP ? sr_fail_errno(-rc, "make %s immutable", path) : 0;
    free(path);
    return rc;
}

struct listing {
    object_list_fn *fn;
    void *context;
    const char *folder;
    int stopped;
    char (*folders)[256]; /* names directly under objects/ */
    size_t count, capacity;
};

static int collect_folder(void *context, const char *name)
{
    struct listing *listing = context;
    size_t capacity = listing->capacity ? listing->capacity * 2 : 64;
    char(*folders)[256];

    if (listing->count == listing->capacity) {
        folders = realloc(listing->folders, capacity * sizeof(*folders));
        if (!folders)
            return listing->stopped = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        listing->folders = folders;
        listing->capacity = capacity;
    }
    strncpy(listing->folders[listing->count], name, sizeof(*listing->folders) - 1);
    listing->folders[listing->count++][sizeof(*listing->folders) - 1] = 0;
    return 0;
}

static int list_entry(void *context, const char *name)
{
    struct listing *listing = context;

    return listing->stopped = listing->fn(listing->context, listing->folder, name);
}

/* One entry of objects/: a folder's files, or a file that should not be there (folder ""). */
static int list_folder(struct sr_io *io, const char *path, const char *name,
                       struct listing *listing)
{
    struct sr_stat st;
    int rc = io->stat(io, path, &st);

    if (rc < 0)
        return sr_fail_errno(-rc, "stat %s", path);
    listing->folder = st.is_dir ? name : "";
    if (!st.is_dir)
        return listing->fn(listing->context, "", name);
    rc = io->list(io, path, list_entry, listing);
    if (listing->stopped)
        return listing->stopped;
    return rc < 0 ? sr_fail_errno(-rc, "list %s", path) : 0;
}

int object_list(struct vault *vault, object_list_fn *fn, void *context)
{
    struct listing listing = {.fn = fn, .context = context};
    struct sr_io *io = vault_io(vault);
    char *objects = sr_path("%s/objects", vault_path(vault));
    int rc;

    if (!objects)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = io->list(io, objects, collect_folder, &listing);
    if (listing.stopped)
        rc = listing.stopped;
    else if (rc < 0)
        rc = sr_fail_errno(-rc, "list %s", objects);
    for (size_t i = 0; i < listing.count && !rc; i++) {
        char *path = sr_path("%s/%s", objects, listing.folders[i]);

        rc = path ? list_folder(io, path, listing.folders[i], &listing)
                  : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        free(path);
    }
    free(listing.folders);
    free(objects);
    return rc;
}
