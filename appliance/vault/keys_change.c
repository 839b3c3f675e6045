/* Changes of the keys folder that add one file: a page, a slot. Adding is atomic by itself
 * (sr_io_create_file); what needs care is a failure of which it is not known whether the file is
 * there, because a later root turn-over would leave it behind under the old root. */
#include "vault/keys_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

static int unlink_if_there(struct sr_io *io, const char *path)
{
    int n = io->unlink(io, path);

    return n < 0 && n != -ENOENT ? sr_fail_errno(-n, "cannot remove %s", path) : 0;
}

/* Removes the file that a failed creation may have left, under both of its names, durably. */
static int drop_leftover(struct keys *keys)
{
    char *tmp = sr_path("%s.tmp", keys->leftover);
    int rc;

    if (!tmp)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = unlink_if_there(keys->io, keys->leftover);
    if (!rc)
        rc = unlink_if_there(keys->io, tmp);
    if (!rc)
        rc = keys_sync_folder(keys->io, keys->dir, keys->leftover_folder);
    if (!rc) {
        free(keys->leftover);
        keys->leftover = NULL;
    }
    free(tmp);
    return rc;
}

int keys_settle(struct keys *keys)
{
    int rc;

    if (keys->leftover) {
        rc = drop_leftover(keys);
        if (rc)
            return rc;
    }
    if (keys->turning) {
        rc = keys_finish_turnover(keys->io, keys->dir, keys->vault_id);
        if (rc)
            return rc;
        keys->turning = false;
    }
    return 0;
}

int keys_create_file(struct keys *keys, const char *folder, const char *name, const void *data,
                     size_t len)
{
    char *path =
        folder ? sr_path("%s/%s/%s", keys->dir, folder, name) : sr_path("%s/%s", keys->dir, name);
    struct sr_error_copy failure;
    int rc;

    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = sr_io_create_file(keys->io, path, data, len, 0600);
    if (rc && rc != SR_ERR_EXISTS) {
        sr_error_save(&failure, rc);
        keys->leftover = path;
        keys->leftover_folder = folder;
        path = NULL;
        (void)drop_leftover(keys); /* otherwise keys_settle tries again */
        rc = sr_error_raise(&failure);
    }
    free(path);
    return rc;
}

int keys_write_page(struct keys *keys, uint32_t number, size_t live)
{
    char name[KEYS_PAGE_NAME_LEN + 1];
    struct keys_page page;
    const char *why;
    uint8_t *image = sr_secret_alloc(KEYS_PAGE_FILE_LEN);
    int rc;

    if (!image)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a key page");
    pthread_mutex_lock(&keys->lock);
    rc = keys_reserve_page(keys);
    pthread_mutex_unlock(&keys->lock);
    if (!rc)
        rc = keys_page_new(keys->io, number, live, keys->vault_id, keys->root,
                           keys->root_generation, image);
    if (!rc)
        rc = keys_page_parse(image, KEYS_PAGE_FILE_LEN, &page, &why);
    if (!rc)
        rc = sr_sha256(image, KEYS_PAGE_FILE_LEN, page.sha256);
    if (rc)
        goto out;
    keys_page_name(number, name);
    rc = keys_create_file(keys, KEYS_PAGES, name, image, KEYS_PAGE_FILE_LEN);
    if (rc)
        goto out;
    page.image = image;
    image = NULL;
    pthread_mutex_lock(&keys->lock);
    keys_append_page(keys, &page);
    pthread_mutex_unlock(&keys->lock);
out:
    sr_secret_free(image, KEYS_PAGE_FILE_LEN);
    return rc;
}

/* Beyond every page that is there and every page that a key in use is said to be on: the number of
 * a page that was lost is never given to another. */
static int next_page_number(struct keys *keys, uint32_t *number)
{
    uint64_t last, used;

    pthread_mutex_lock(&keys->lock);
    last = keys->pages[keys->page_count - 1].number;
    used = keys->highest >> 16;
    pthread_mutex_unlock(&keys->lock);
    if (used > last)
        last = used;
    if (last >= UINT32_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "no more key pages can be numbered");
    *number = (uint32_t)(last + 1);
    return 0;
}

int keys_extend(struct keys *keys, struct keys_page_info *info)
{
    uint32_t number = 0;
    int rc;

    memset(info, 0, sizeof(*info));
    pthread_mutex_lock(&keys->change);
    rc = keys_settle(keys);
    if (!rc)
        rc = next_page_number(keys, &number);
    if (!rc)
        rc = keys_write_page(keys, number, KEYS_PER_PAGE);
    if (!rc) {
        const struct keys_page *page = &keys->pages[keys->page_count - 1];

        info->page = page->number;
        info->generation = page->generation;
        memcpy(info->file_sha256, page->sha256, SR_SHA256_LEN);
    }
    pthread_mutex_unlock(&keys->change);
    return rc;
}

void keys_fill_slot_info(const struct keys_slot *slot, const uint8_t sha256[SR_SHA256_LEN],
                         struct keys_slot_info *info)
{
    memcpy(info->id, slot->id, KEYS_SLOT_ID_LEN);
    memcpy(info->label, slot->label, sizeof(info->label));
    info->created_ns = slot->created_ns;
    memcpy(info->file_sha256, sha256, SR_SHA256_LEN);
}

int keys_add_slot_with_cost(struct keys *keys, const char *passphrase, const char *label,
                            uint32_t log2n, struct keys_slot_info *info)
{
    char name[KEYS_SLOT_NAME_LEN + 1];
    uint8_t image[KEYS_SLOT_FILE_LEN];
    uint8_t sha256[SR_SHA256_LEN];
    struct keys_slot slot;
    int rc;

    memset(info, 0, sizeof(*info));
    pthread_mutex_lock(&keys->change);
    rc = keys_settle(keys);
    if (!rc)
        rc = keys_slot_new(keys->io, passphrase, label ? label : "", log2n, keys->vault_id,
                           keys->root, keys->root_generation, &slot);
    if (!rc)
        rc = keys_slot_serialize(&slot, image);
    if (!rc)
        rc = sr_sha256(image, sizeof(image), sha256);
    if (rc)
        goto out;
    keys_slot_name(slot.id, name);
    rc = keys_create_file(keys, KEYS_SLOTS, name, image, sizeof(image));
    if (!rc)
        keys_fill_slot_info(&slot, sha256, info);
out:
    pthread_mutex_unlock(&keys->change);
    return rc;
}

int keys_add_slot(struct keys *keys, const char *passphrase, const char *label,
                  struct keys_slot_info *info)
{
    return keys_add_slot_with_cost(keys, passphrase, label, KEYS_DEFAULT_LOG2N, info);
}
