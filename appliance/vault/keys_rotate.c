/* Removing a slot and turning the root over.
 *
 * Every page and every remaining slot is first written as NAME.next under a new root, synced one by
 * one, and both folders are synced. Then the marker keys/turnover is created durably: that is the
 * commit. From there on only steps follow that keys_open repeats after a crash without any
 * passphrase (keys_finish_turnover): remove the slot, rename every .next, sync, remove the marker.
 * Without the marker keys_open deletes *.next, and nothing has happened. */
#include "vault/keys_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

struct turn {
    uint8_t *root; /* the new one, secret memory */
    uint32_t generation;
    struct keys_page *pages; /* the new ones, in the order of keys->pages */
    size_t page_count;
};

static void turn_free(struct turn *turn)
{
    for (size_t i = 0; i < turn->page_count; i++)
        sr_secret_free(turn->pages[i].image, KEYS_PAGE_FILE_LEN);
    free(turn->pages);
    sr_secret_free(turn->root, SR_KEY_LEN);
}

/* The folder is synced once for all by the caller. */
static int write_next(struct keys *keys, const char *folder, const char *name, const void *data,
                      size_t len)
{
    struct sr_io *io = keys->io;
    char *path = sr_path("%s/%s/%s%s", keys->dir, folder, name, KEYS_NEXT);
    int rc, fd, n;

    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    fd = io->open(io, path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (fd < 0) {
        rc = sr_fail_errno(-fd, "cannot create %s", path);
        goto out;
    }
    rc = sr_io_write_full(io, fd, data, len, 0);
    if (!rc) {
        n = io->fsync(io, fd);
        if (n < 0)
            rc = sr_fail_errno(-n, "cannot sync %s", path);
    }
    n = io->close(io, fd);
    if (!rc && n < 0)
        rc = sr_fail_errno(-n, "cannot close %s", path);
out:
    free(path);
    return rc;
}

/* The new image of one page, in memory and as NAME.next. */
static int next_page(struct keys *keys, const struct keys_page *old, struct turn *turn,
                     struct keys_page *page)
{
    char name[KEYS_PAGE_NAME_LEN + 1];
    uint8_t *image = sr_secret_alloc(KEYS_PAGE_FILE_LEN);
    const char *why = NULL;
    int rc;

    if (!image)
        return sr_fail(SR_ERR_NO_MEMORY, "out of locked memory for a key page");
    keys_page_name(old->number, name);
    rc = keys_page_rewrap(old->image, keys->root, turn->root, turn->generation, image, &why);
    if (!rc)
        rc = keys_page_parse(image, KEYS_PAGE_FILE_LEN, page, &why);
    if (rc && why)
        rc = keys_bad(rc, KEYS_PAGES, name, why);
    if (!rc)
        rc = sr_sha256(image, KEYS_PAGE_FILE_LEN, page->sha256);
    if (!rc)
        rc = write_next(keys, KEYS_PAGES, name, image, KEYS_PAGE_FILE_LEN);
    page->image = image;
    return rc;
}

static int next_slot(struct keys *keys, struct keys_slot_file *file, const struct turn *turn)
{
    uint8_t image[KEYS_SLOT_FILE_LEN];
    const char *why = NULL;
    int rc = keys_slot_rewrap(&file->slot, keys->root, turn->root, turn->generation, &why);

    if (rc && why)
        rc = keys_bad(rc, KEYS_SLOTS, file->name, why);
    if (!rc)
        rc = keys_slot_serialize(&file->slot, image);
    if (!rc)
        rc = write_next(keys, KEYS_SLOTS, file->name, image, sizeof(image));
    return rc;
}

/* New root, and everything under it as .next, durable. */
static int prepare(struct keys *keys, struct keys_slot_file *slots, size_t count, size_t removed,
                   struct turn *turn)
{
    int rc = keys_clean(keys->io, keys->dir);
    int n;

    if (rc)
        return rc;
    turn->generation = keys->root_generation + 1;
    turn->root = sr_secret_alloc(SR_KEY_LEN);
    turn->pages = calloc(keys->page_count, sizeof(*turn->pages));
    if (!turn->root || !turn->pages)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    n = keys->io->random(keys->io, turn->root, SR_KEY_LEN);
    if (n < 0)
        return sr_fail_errno(-n, "cannot draw random bytes");
    for (size_t i = 0; i < keys->page_count && !rc; i++) {
        turn->page_count++;
        rc = next_page(keys, &keys->pages[i], turn, &turn->pages[i]);
    }
    for (size_t i = 0; i < count && !rc; i++)
        if (i != removed)
            rc = next_slot(keys, &slots[i], turn);
    if (!rc)
        rc = keys_sync_folder(keys->io, keys->dir, KEYS_PAGES);
    if (!rc)
        rc = keys_sync_folder(keys->io, keys->dir, KEYS_SLOTS);
    return rc;
}

static int commit(struct keys *keys, const uint8_t removed[KEYS_SLOT_ID_LEN], struct turn *turn)
{
    struct keys_turnover marker = {.root_generation = turn->generation};
    uint8_t image[KEYS_TURNOVER_FILE_LEN];
    int rc;

    memcpy(marker.vault_id, keys->vault_id, KEYS_VAULT_ID_LEN);
    memcpy(marker.removed, removed, KEYS_SLOT_ID_LEN);
    rc = keys_turnover_serialize(&marker, image);
    if (!rc)
        rc = keys_create_file(keys, NULL, KEYS_TURNOVER, image, sizeof(image));
    if (rc)
        return rc;
    pthread_mutex_lock(&keys->lock);
    for (size_t i = 0; i < keys->page_count; i++) {
        struct keys_page old = keys->pages[i];

        keys->pages[i] = turn->pages[i];
        turn->pages[i] = old;
    }
    memcpy(keys->root, turn->root, SR_KEY_LEN);
    keys->root_generation = turn->generation;
    keys->turning = true;
    pthread_mutex_unlock(&keys->lock);
    return 0;
}

static int turn_over(struct keys *keys, struct keys_slot_file *slots, size_t count, size_t removed)
{
    struct turn turn = {0};
    struct sr_error_copy failure;
    uint8_t id[KEYS_SLOT_ID_LEN];
    int rc = sr_hex_decode(slots[removed].name, id, sizeof(id));

    if (!rc)
        rc = prepare(keys, slots, count, removed, &turn);
    if (!rc)
        rc = commit(keys, id, &turn);
    if (rc) {
        sr_error_save(&failure, rc);
        /* Not while the marker may be there: with it the .next files are the valid ones. */
        if (!keys->leftover)
            (void)keys_clean(keys->io, keys->dir);
        rc = sr_error_raise(&failure);
        goto out;
    }
    rc = keys_settle(keys);
out:
    turn_free(&turn);
    return rc;
}

/* Every page and slot that has to be rewritten can be. What cannot would be lost with the old root,
 * though a copy of it in a key backup may be good. */
static int check_all_good(struct keys *keys, const struct keys_slot_file *slots, size_t count,
                          size_t removed)
{
    char name[KEYS_PAGE_NAME_LEN + 1];

    for (size_t i = 0; i < count; i++)
        if (i != removed && slots[i].code)
            return keys_bad(slots[i].code, KEYS_SLOTS, slots[i].name, slots[i].why);
    for (size_t i = 0; i < keys->page_count; i++)
        if (keys->pages[i].code) {
            keys_page_name(keys->pages[i].number, name);
            return keys_bad(keys->pages[i].code, KEYS_PAGES, name, keys->pages[i].why);
        }
    return 0;
}

static int remove_locked(struct keys *keys, const uint8_t id[KEYS_SLOT_ID_LEN])
{
    char name[KEYS_SLOT_NAME_LEN + 1];
    struct keys_slot_file *slots = NULL;
    size_t count = 0, removed, good = 0;
    int rc;

    rc = keys_load_checked_slots(keys, &slots, &count);
    if (rc)
        goto out;
    keys_slot_name(id, name);
    removed = count;
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(slots[i].name, name))
            removed = i;
        else if (!slots[i].code)
            good++;
    }
    if (removed == count)
        rc = sr_fail(SR_ERR_NOT_FOUND, "there is no key slot %s", name);
    else if (!good)
        rc = sr_fail(SR_ERR_DENIED, "key slot %s is the last one that opens the vault", name);
    else
        rc = check_all_good(keys, slots, count, removed);
    if (!rc)
        rc = turn_over(keys, slots, count, removed);
out:
    free(slots);
    return rc;
}

int keys_remove_slot(struct keys *keys, const uint8_t id[KEYS_SLOT_ID_LEN])
{
    int rc;

    pthread_mutex_lock(&keys->change);
    rc = remove_locked(keys, id);
    pthread_mutex_unlock(&keys->change);
    return rc;
}
