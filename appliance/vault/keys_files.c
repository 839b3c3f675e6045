/* The keys folder as files: names, listing, reading, and what an interrupted change left.
 *
 * The marker of a root turn-over, keys/turnover; big-endian:
 *   offset  bytes
 *        0      8  magic "SRTURN" 00, version 01
 *        8     16  vault id
 *       24      4  root generation that comes into force
 *       28      8  id of the removed slot
 *       36     32  SHA-256 of bytes 0..35
 * While it exists, every *.next under slots/ and pages/ is the valid version of its file. */
#include "vault/keys_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define TURNOVER_CHECKSUM_AT 36

static const uint8_t turnover_magic[KEYS_MAGIC_LEN] = {'S', 'R', 'T', 'U',
                                                       'R', 'N', 0,   KEYS_FORMAT_VERSION};

int keys_bad(int code, const char *folder, const char *name, const char *why)
{
    return sr_fail(code, "keys/%s%s%s %s", folder, name ? "/" : "", name ? name : "",
                   why ? why : "cannot be used");
}

void keys_slot_name(const uint8_t id[KEYS_SLOT_ID_LEN], char out[KEYS_SLOT_NAME_LEN + 1])
{
    sr_hex_encode(id, KEYS_SLOT_ID_LEN, out);
}

void keys_page_name(uint32_t number, char out[KEYS_PAGE_NAME_LEN + 1])
{
    uint8_t bytes[4];

    sr_put_be32(bytes, number);
    sr_hex_encode(bytes, sizeof(bytes), out);
}

struct names {
    char **list;
    size_t count;
    size_t capacity;
};

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->list[i]);
    free(names->list);
    memset(names, 0, sizeof(*names));
}

static int names_add(void *context, const char *name)
{
    struct names *names = context;

    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 64;
        char **list = realloc(names->list, capacity * sizeof(*list));

        if (!list)
            return -ENOMEM;
        names->list = list;
        names->capacity = capacity;
    }
    names->list[names->count] = strdup(name);
    if (!names->list[names->count])
        return -ENOMEM;
    names->count++;
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted names of DIR/folder. names is freed by the caller, also after a failure. */
static int list_folder(struct sr_io *io, const char *dir, const char *folder, struct names *names)
{
    char *path = sr_path("%s/%s", dir, folder);
    int n;

    memset(names, 0, sizeof(*names));
    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    n = io->list(io, path, names_add, names);
    free(path);
    if (n == -ENOENT || n == -ENOTDIR)
        return keys_bad(SR_ERR_DAMAGED, folder, NULL, "is missing");
    if (n < 0)
        return sr_fail_errno(-n, "cannot list keys/%s", folder);
    if (names->count)
        qsort(names->list, names->count, sizeof(*names->list), by_name);
    return 0;
}

/* Reads DIR/folder/name. What makes the file unusable goes to *code and *why; only lack of memory
 * is an error of the call. *data is NULL if *code. */
static int read_key_file(struct sr_io *io, const char *dir, const char *folder, const char *name,
                         uint8_t **data, size_t *len, int *code, const char **why)
{
    char *path = sr_path("%s/%s/%s", dir, folder, name);
    int rc;

    *data = NULL;
    *code = 0;
    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = sr_io_read_file(io, path, KEYS_FILE_LIMIT, data, len);
    free(path);
    if (rc == SR_ERR_NO_MEMORY || rc == 0)
        return rc;
    *code = SR_ERR_DAMAGED;
    *why = rc == SR_ERR_NOT_FOUND   ? "is missing"
           : rc == SR_ERR_TOO_LARGE ? "has a wrong length"
                                    : "cannot be read";
    return 0;
}

static int load_slot(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
                     struct keys_slot_file *file)
{
    uint8_t id[KEYS_SLOT_ID_LEN];
    uint8_t *data = NULL;
    size_t len = 0;
    int rc;

    rc = read_key_file(io, dir, KEYS_SLOTS, file->name, &data, &len, &file->code, &file->why);
    if (rc || file->code)
        return rc;
    rc = sr_sha256(data, len, file->sha256);
    if (rc)
        goto out;
    file->code = keys_slot_parse(data, len, &file->slot, &file->why);
    if (file->code && !file->why) {
        rc = file->code;
        goto out;
    }
    if (file->code)
        goto out;
    if (sr_hex_decode(file->name, id, sizeof(id)) ||
        memcmp(id, file->slot.id, KEYS_SLOT_ID_LEN) != 0) {
        file->code = SR_ERR_DAMAGED;
        file->why = "is another slot than its name says";
    } else if (memcmp(file->slot.vault_id, vault_id, KEYS_VAULT_ID_LEN) != 0) {
        file->code = SR_ERR_DAMAGED;
        file->why = "belongs to another vault";
    }
out:
    free(data);
    return rc;
}

int keys_load_slots(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
                    struct keys_slot_file **slots, size_t *count)
{
    struct keys_slot_file *list = NULL;
    struct names names;
    uint8_t id[KEYS_SLOT_ID_LEN];
    size_t n = 0;
    int rc;

    *slots = NULL;
    *count = 0;
    rc = list_folder(io, dir, KEYS_SLOTS, &names);
    if (rc)
        goto out;
    list = calloc(names.count + 1, sizeof(*list));
    if (!list) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        goto out;
    }
    for (size_t i = 0; i < names.count; i++) {
        if (sr_hex_decode(names.list[i], id, sizeof(id)))
            continue;
        memcpy(list[n].name, names.list[i], KEYS_SLOT_NAME_LEN + 1);
        rc = load_slot(io, dir, vault_id, &list[n]);
        if (rc)
            goto out;
        n++;
    }
    *slots = list;
    *count = n;
    list = NULL;
out:
    free(list);
    names_free(&names);
    return rc;
}

int keys_load_page(struct sr_io *io, const char *dir, uint32_t number,
                   const uint8_t vault_id[KEYS_VAULT_ID_LEN], const uint8_t root[SR_KEY_LEN],
                   struct keys_page *page)
{
    char name[KEYS_PAGE_NAME_LEN + 1];
    struct keys_page parsed;
    uint8_t *data = NULL;
    size_t len = 0;
    int rc;

    memset(page, 0, sizeof(*page));
    page->number = number;
    keys_page_name(number, name);
    rc = read_key_file(io, dir, KEYS_PAGES, name, &data, &len, &page->code, &page->why);
    if (rc || page->code)
        return rc;
    rc = sr_sha256(data, len, page->sha256);
    if (rc)
        goto out;
    page->code = keys_page_parse(data, len, &parsed, &page->why);
    if (!page->code)
        page->code = keys_page_check(data, number, vault_id, root, &page->why);
    if (page->code && !page->why)
        rc = page->code;
    if (page->code)
        goto out;
    page->generation = parsed.generation;
    page->root_generation = parsed.root_generation;
    page->live = parsed.live;
    page->image = sr_secret_alloc(KEYS_PAGE_FILE_LEN);
    if (!page->image) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a key page");
        goto out;
    }
    memcpy(page->image, data, KEYS_PAGE_FILE_LEN);
out:
    free(data);
    return rc;
}

int keys_list_page_files(struct sr_io *io, const char *dir, uint32_t **numbers, size_t *count)
{
    struct names names;
    uint8_t bytes[4];
    int rc;

    *numbers = NULL;
    *count = 0;
    rc = list_folder(io, dir, KEYS_PAGES, &names);
    if (rc)
        goto out;
    *numbers = calloc(names.count + 1, sizeof(**numbers));
    if (!*numbers) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        goto out;
    }
    for (size_t i = 0; i < names.count; i++)
        if (!sr_hex_decode(names.list[i], bytes, sizeof(bytes)))
            (*numbers)[(*count)++] = sr_get_be32(bytes);
out:
    names_free(&names);
    return rc;
}

/* folder: NULL for the keys folder itself. */
int keys_sync_folder(struct sr_io *io, const char *dir, const char *folder)
{
    char *path = folder ? sr_path("%s/%s", dir, folder) : strdup(dir);
    int n;

    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    do {
        n = io->sync_dir(io, path);
    } while (n == -EINTR);
    free(path);
    return n < 0 ? sr_fail_errno(-n, "cannot sync keys/%s", folder ? folder : "") : 0;
}

/* DIR/folder/name is unlinked, or renamed to its name without ".next". Gone already is no error. */
static int drop_or_rename(struct sr_io *io, const char *dir, const char *folder, const char *name,
                          bool drop)
{
    size_t stem = strlen(name) - (drop ? 0 : strlen(KEYS_NEXT));
    char *from = sr_path("%s/%s/%s", dir, folder, name);
    char *to = sr_path("%s/%s/%.*s", dir, folder, (int)stem, name);
    int rc = 0, n;

    if (!from || !to) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        goto out;
    }
    n = drop ? io->unlink(io, from) : io->rename(io, from, to);
    if (n < 0 && n != -ENOENT)
        rc = sr_fail_errno(-n, "cannot %s keys/%s/%s", drop ? "remove" : "rename", folder, name);
out:
    free(from);
    free(to);
    return rc;
}

static bool ends_with(const char *name, const char *end)
{
    size_t len = strlen(name), end_len = strlen(end);

    return len > end_len && !strcmp(name + len - end_len, end);
}

/* Every *.next of a folder is renamed over its file, or (drop) it and every *.tmp is removed. */
static int settle_folder(struct sr_io *io, const char *dir, const char *folder, bool drop)
{
    struct names names;
    bool changed = false;
    int rc = list_folder(io, dir, folder, &names);

    for (size_t i = 0; i < names.count && !rc; i++) {
        if (!ends_with(names.list[i], KEYS_NEXT) && !(drop && ends_with(names.list[i], ".tmp")))
            continue;
        changed = true;
        rc = drop_or_rename(io, dir, folder, names.list[i], drop);
    }
    names_free(&names);
    /* After renames the sync is due even if an earlier attempt made them: it may have failed. */
    if (!rc && (changed || !drop))
        rc = keys_sync_folder(io, dir, folder);
    return rc;
}

int keys_clean(struct sr_io *io, const char *dir)
{
    int rc = settle_folder(io, dir, KEYS_SLOTS, true);

    return rc ? rc : settle_folder(io, dir, KEYS_PAGES, true);
}

int keys_turnover_serialize(const struct keys_turnover *turnover,
                            uint8_t out[KEYS_TURNOVER_FILE_LEN])
{
    memcpy(out, turnover_magic, KEYS_MAGIC_LEN);
    memcpy(out + 8, turnover->vault_id, KEYS_VAULT_ID_LEN);
    sr_put_be32(out + 24, turnover->root_generation);
    memcpy(out + 28, turnover->removed, KEYS_SLOT_ID_LEN);
    return sr_sha256(out, TURNOVER_CHECKSUM_AT, out + TURNOVER_CHECKSUM_AT);
}

static int parse_turnover(const uint8_t *data, size_t len,
                          const uint8_t vault_id[KEYS_VAULT_ID_LEN], struct keys_turnover *out)
{
    uint8_t expected[KEYS_TURNOVER_FILE_LEN];
    int rc;

    if (len >= KEYS_MAGIC_LEN && !memcmp(data, turnover_magic, KEYS_MAGIC_LEN - 1) &&
        data[KEYS_MAGIC_LEN - 1] > KEYS_FORMAT_VERSION)
        return keys_bad(SR_ERR_NEWER_FORMAT, KEYS_TURNOVER, NULL,
                        "was written by a newer version; this one reads up to 1");
    if (len != KEYS_TURNOVER_FILE_LEN)
        return keys_bad(SR_ERR_DAMAGED, KEYS_TURNOVER, NULL, "has a wrong length");
    memcpy(out->vault_id, data + 8, KEYS_VAULT_ID_LEN);
    out->root_generation = sr_get_be32(data + 24);
    memcpy(out->removed, data + 28, KEYS_SLOT_ID_LEN);
    rc = keys_turnover_serialize(out, expected);
    if (rc)
        return rc;
    if (memcmp(expected, data, len) != 0)
        return keys_bad(SR_ERR_DAMAGED, KEYS_TURNOVER, NULL, "is damaged");
    if (memcmp(out->vault_id, vault_id, KEYS_VAULT_ID_LEN) != 0)
        return keys_bad(SR_ERR_DAMAGED, KEYS_TURNOVER, NULL, "belongs to another vault");
    return 0;
}

int keys_finish_turnover(struct sr_io *io, const char *dir,
                         const uint8_t vault_id[KEYS_VAULT_ID_LEN])
{
    struct keys_turnover turnover;
    char name[KEYS_SLOT_NAME_LEN + 1];
    char *path = sr_path("%s/%s", dir, KEYS_TURNOVER);
    uint8_t *data = NULL;
    size_t len = 0;
    int rc, n;

    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = sr_io_read_file(io, path, KEYS_FILE_LIMIT, &data, &len);
    if (rc == SR_ERR_NOT_FOUND) {
        /* Whoever removed it may have died before the sync. It must not come back: beside the
         * half-written .next files of a later turn-over it would be believed. */
        rc = keys_sync_folder(io, dir, NULL);
        goto out;
    }
    if (!rc)
        rc = parse_turnover(data, len, vault_id, &turnover);
    if (rc)
        goto out;
    keys_slot_name(turnover.removed, name);
    rc = drop_or_rename(io, dir, KEYS_SLOTS, name, true);
    if (!rc)
        rc = settle_folder(io, dir, KEYS_SLOTS, false);
    if (!rc)
        rc = settle_folder(io, dir, KEYS_PAGES, false);
    if (rc)
        goto out;
    n = io->unlink(io, path);
    if (n < 0 && n != -ENOENT) {
        rc = sr_fail_errno(-n, "cannot remove keys/%s", KEYS_TURNOVER);
        goto out;
    }
    rc = keys_sync_folder(io, dir, NULL);
out:
    free(data);
    free(path);
    return rc;
}
