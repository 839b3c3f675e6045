/* Keys: creating, opening, giving out. Changes of the folder are in keys_change.c and
 * keys_rotate.c, the file formats in keys_slot.c, keys_page.c and keys_files.c. */
#include "vault/keys_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

static int keys_new(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
                    struct keys **out)
{
    struct keys *keys = calloc(1, sizeof(*keys));

    *out = NULL;
    if (!keys)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    pthread_mutex_init(&keys->change, NULL);
    pthread_mutex_init(&keys->lock, NULL);
    keys->io = io;
    memcpy(keys->vault_id, vault_id, KEYS_VAULT_ID_LEN);
    keys->dir = strdup(dir);
    keys->root = sr_secret_alloc(SR_KEY_LEN);
    if (!keys->dir || !keys->root) {
        keys_free(keys);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    *out = keys;
    return 0;
}

void keys_free(struct keys *keys)
{
    if (!keys)
        return;
    for (size_t i = 0; i < keys->page_count; i++)
        sr_secret_free(keys->pages[i].image, KEYS_PAGE_FILE_LEN);
    free(keys->pages);
    sr_secret_free(keys->root, SR_KEY_LEN);
    free(keys->leftover);
    free(keys->dir);
    pthread_mutex_destroy(&keys->change);
    pthread_mutex_destroy(&keys->lock);
    free(keys);
}

int keys_reserve_page(struct keys *keys)
{
    if (keys->page_count == keys->page_capacity) {
        size_t capacity = keys->page_capacity ? keys->page_capacity * 2 : 16;
        struct keys_page *pages = realloc(keys->pages, capacity * sizeof(*pages));

        if (!pages)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        keys->pages = pages;
        keys->page_capacity = capacity;
    }
    return 0;
}

void keys_append_page(struct keys *keys, const struct keys_page *page)
{
    assert(keys->page_count < keys->page_capacity);
    keys->pages[keys->page_count++] = *page;
}

/* The folders, page 0 and page 1, and last the slot: until then nothing opens. */
static int create_files(struct keys *keys, const char *passphrase, const char *label,
                        uint32_t log2n)
{
    static const char *const folders[] = {KEYS_SLOTS, KEYS_PAGES};
    struct keys_slot_info info;
    struct keys_page_info page;
    int rc;

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        char *path = sr_path("%s/%s", keys->dir, folders[i]);

        if (!path)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        rc = sr_io_make_dir(keys->io, path, 0700);
        free(path);
        if (rc)
            return rc;
    }
    rc = keys_write_page(keys, 0, KEYS_NAMED_COUNT);
    if (!rc)
        rc = keys_extend(keys, &page);
    if (!rc)
        rc = keys_add_slot_with_cost(keys, passphrase, label, log2n, &info);
    if (!rc)
        memcpy(keys->opened_by, info.id, KEYS_SLOT_ID_LEN);
    return rc;
}

int keys_create_with_cost(struct sr_io *io, const char *dir,
                          const uint8_t vault_id[KEYS_VAULT_ID_LEN], const char *passphrase,
                          const char *label, uint32_t log2n, struct keys **out)
{
    struct keys *keys = NULL;
    int rc, n;

    *out = NULL;
    rc = keys_check_passphrase(passphrase);
    if (!rc)
        rc = keys_new(io, dir, vault_id, &keys);
    if (rc)
        return rc;
    keys->root_generation = 1;
    n = io->random(io, keys->root, SR_KEY_LEN);
    if (n < 0) {
        rc = sr_fail_errno(-n, "cannot draw random bytes");
        goto out;
    }
    rc = create_files(keys, passphrase, label, log2n);
    if (rc)
        goto out;
    *out = keys;
    keys = NULL;
out:
    keys_free(keys);
    return rc;
}

int keys_create(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
                const char *passphrase, const char *label, struct keys **out)
{
    return keys_create_with_cost(io, dir, vault_id, passphrase, label, KEYS_DEFAULT_LOG2N, out);
}

/* The passphrase opened slot; is its root the one that page 0 is under? Fills page. */
static int try_root(struct keys *keys, const struct keys_slot_file *file, uint32_t newest,
                    struct keys_page *page, const char **why)
{
    int rc = keys_load_page(keys->io, keys->dir, 0, keys->vault_id, keys->root, page);

    *why = NULL;
    if (rc)
        return rc;
    if (!page->code) {
        keys->root_generation = file->slot.root_generation;
        memcpy(keys->opened_by, file->slot.id, KEYS_SLOT_ID_LEN);
        return 0;
    }
    if (file->slot.root_generation < newest) {
        /* A copy of a slot that was removed, put back. */
        *why = "belongs to an earlier root: it opens nothing";
        return SR_ERR_PASSPHRASE;
    }
    return keys_bad(page->code, KEYS_PAGES, "00000000", page->why);
}

/* What the slots that did not open say together: damage counts before a newer format, and that
 * before a wrong passphrase. */
static int no_slot_opened(const struct keys_slot_file *slots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (slots[i].code == SR_ERR_DAMAGED)
            return keys_bad(SR_ERR_DAMAGED, KEYS_SLOTS, slots[i].name, slots[i].why);
    for (size_t i = 0; i < count; i++)
        if (slots[i].code == SR_ERR_NEWER_FORMAT)
            return keys_bad(SR_ERR_NEWER_FORMAT, KEYS_SLOTS, slots[i].name, slots[i].why);
    if (!count)
        return keys_bad(SR_ERR_DAMAGED, KEYS_SLOTS, NULL, "holds no key slot");
    return sr_fail(SR_ERR_PASSPHRASE, "wrong passphrase: it opens none of %zu key slot%s", count,
                   count == 1 ? "" : "s");
}

/* Tries slot after slot; a bad one does not keep the others from opening, so it is only logged. */
static int unlock(struct keys *keys, const char *passphrase, struct keys_page *page)
{
    struct keys_slot_file *slots = NULL;
    uint32_t newest = 0;
    size_t count = 0;
    int rc = keys_load_slots(keys->io, keys->dir, keys->vault_id, &slots, &count);

    if (rc)
        return rc;
    for (size_t i = 0; i < count; i++) {
        if (slots[i].code)
            sr_log(SR_LOG_WARNING, "keys/slots/%s %s", slots[i].name, slots[i].why);
        else if (slots[i].slot.root_generation > newest)
            newest = slots[i].slot.root_generation;
    }
    for (size_t i = 0; i < count; i++) {
        if (slots[i].code)
            continue;
        rc = keys_slot_unlock(&slots[i].slot, passphrase, keys->root, &slots[i].why);
        if (!rc)
            rc = try_root(keys, &slots[i], newest, page, &slots[i].why);
        if (!rc || !slots[i].why)
            goto out;
        slots[i].code = rc;
    }
    rc = no_slot_opened(slots, count);
out:
    free(slots);
    return rc;
}

/* Pages above 0. A bad one costs its own keys, not the vault: keys_get names it. */
static int load_pages(struct keys *keys)
{
    uint32_t *numbers = NULL;
    size_t count = 0;
    int rc = keys_list_page_files(keys->io, keys->dir, &numbers, &count);

    for (size_t i = 0; i < count && !rc; i++) {
        char name[KEYS_PAGE_NAME_LEN + 1];
        struct keys_page page;

        if (numbers[i] == 0)
            continue;
        rc = keys_reserve_page(keys);
        if (!rc)
            rc = keys_load_page(keys->io, keys->dir, numbers[i], keys->vault_id, keys->root, &page);
        if (rc)
            break;
        keys_append_page(keys, &page);
        if (page.code) {
            keys_page_name(page.number, name);
            sr_log(SR_LOG_ERROR, "keys/pages/%s %s", name, page.why);
        }
    }
    free(numbers);
    return rc;
}

int keys_open(struct sr_io *io, const char *dir, const uint8_t vault_id[KEYS_VAULT_ID_LEN],
              const char *passphrase, struct keys **out)
{
    struct keys *keys = NULL;
    struct keys_page page = {0};
    int rc;

    *out = NULL;
    rc = keys_new(io, dir, vault_id, &keys);
    if (rc)
        return rc;
    rc = keys_finish_turnover(io, dir, vault_id);
    if (!rc)
        rc = keys_clean(io, dir);
    if (!rc)
        rc = keys_reserve_page(keys);
    if (!rc)
        rc = unlock(keys, passphrase, &page);
    if (rc)
        goto out;
    keys_append_page(keys, &page);
    rc = load_pages(keys);
    if (rc)
        goto out;
    *out = keys;
    keys = NULL;
out:
    keys_free(keys);
    return rc;
}

void keys_opened_by(const struct keys *keys, uint8_t id[KEYS_SLOT_ID_LEN])
{
    memcpy(id, keys->opened_by, KEYS_SLOT_ID_LEN);
}

/* The first page with this number or a higher one; page_count if there is none. */
static size_t page_from(const struct keys *keys, uint64_t number)
{
    size_t low = 0, high = keys->page_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (keys->pages[middle].number < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* With lock held. */
static int get_locked(struct keys *keys, uint64_t number, size_t index, uint8_t key[SR_KEY_LEN])
{
    char name[KEYS_PAGE_NAME_LEN + 1];
    size_t at = page_from(keys, number);
    const struct keys_page *page = &keys->pages[at];
    int rc;

    if (at == keys->page_count)
        return sr_fail(SR_ERR_NOT_FOUND, "no key page %llx", (unsigned long long)number);
    keys_page_name((uint32_t)number, name);
    if (page->number != number) /* a later one is there, so this one was */
        return keys_bad(SR_ERR_DAMAGED, KEYS_PAGES, name, "is missing");
    if (page->code)
        return keys_bad(page->code, KEYS_PAGES, name, page->why);
    if (!keys_page_is_live(page->image, index))
        return sr_fail(SR_ERR_NOT_FOUND, "key %zu of keys/pages/%s was destroyed", index, name);
    rc = keys_page_unwrap(page->image, index, keys->root, key);
    if (rc == SR_ERR_DAMAGED)
        rc = keys_bad(rc, KEYS_PAGES, name, "holds a key that the root does not open");
    return rc;
}

int keys_get_named(struct keys *keys, enum keys_named which, uint8_t key[SR_KEY_LEN])
{
    int rc;

    pthread_mutex_lock(&keys->lock);
    rc = get_locked(keys, 0, (size_t)which, key);
    pthread_mutex_unlock(&keys->lock);
    return rc;
}

int keys_get(struct keys *keys, uint64_t key_id, uint8_t key[SR_KEY_LEN])
{
    uint64_t number = key_id >> 16;
    size_t index = key_id & 0xffff;
    int rc;

    if (number == 0 || number > UINT32_MAX || index >= KEYS_PER_PAGE)
        return sr_fail(SR_ERR_NOT_FOUND, "there can be no key %llu", (unsigned long long)key_id);
    pthread_mutex_lock(&keys->lock);
    rc = get_locked(keys, number, index, key);
    pthread_mutex_unlock(&keys->lock);
    return rc;
}

/* With lock held: the next live key beyond *key_id on a good page. */
static bool next_key(const struct keys *keys, uint64_t *key_id)
{
    uint64_t number = *key_id >> 16;
    size_t index = *key_id ? (*key_id & 0xffff) + 1 : 0;

    for (size_t at = page_from(keys, number ? number : 1); at < keys->page_count; at++) {
        const struct keys_page *page = &keys->pages[at];

        for (size_t i = page->number == number ? index : 0; !page->code && i < KEYS_PER_PAGE; i++)
            if (keys_page_is_live(page->image, i)) {
                *key_id = (uint64_t)page->number << 16 | i;
                return true;
            }
    }
    return false;
}

int keys_take(struct keys *keys, uint64_t *key_id, uint8_t key[SR_KEY_LEN])
{
    uint64_t id;
    int rc;

    *key_id = 0;
    pthread_mutex_lock(&keys->lock);
    id = keys->highest;
    if (!next_key(keys, &id)) {
        rc = sr_fail(SR_ERR_NOT_FOUND, "all record keys are used up");
        goto out;
    }
    rc = get_locked(keys, id >> 16, id & 0xffff, key);
    if (rc)
        goto out;
    keys->highest = id;
    *key_id = id;
out:
    pthread_mutex_unlock(&keys->lock);
    return rc;
}

void keys_mark_used(struct keys *keys, uint64_t key_id)
{
    uint64_t number = key_id >> 16;

    if (number == 0 || number > UINT32_MAX || (key_id & 0xffff) >= KEYS_PER_PAGE)
        return;
    pthread_mutex_lock(&keys->lock);
    if (key_id > keys->highest)
        keys->highest = key_id;
    pthread_mutex_unlock(&keys->lock);
}

size_t keys_unused(struct keys *keys)
{
    uint64_t id;
    size_t count = 0;

    pthread_mutex_lock(&keys->lock);
    id = keys->highest;
    while (next_key(keys, &id))
        count++;
    pthread_mutex_unlock(&keys->lock);
    return count;
}
