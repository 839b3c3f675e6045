/* Listing and checking what is on disk. */
#include "vault/keys_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int keys_list_pages(struct keys *keys, struct keys_page_info **pages, size_t *count)
{
    struct keys_page_info *list;

    *pages = NULL;
    *count = 0;
    pthread_mutex_lock(&keys->lock);
    list = calloc(keys->page_count, sizeof(*list));
    for (size_t i = 0; list && i < keys->page_count; i++) {
        list[i].page = keys->pages[i].number;
        list[i].generation = keys->pages[i].generation;
        memcpy(list[i].file_sha256, keys->pages[i].sha256, SR_SHA256_LEN);
    }
    if (list) {
        *pages = list;
        *count = keys->page_count;
    }
    pthread_mutex_unlock(&keys->lock);
    return list ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

int keys_load_checked_slots(struct keys *keys, struct keys_slot_file **slots, size_t *count)
{
    int rc;

    *slots = NULL;
    *count = 0;
    rc = keys_settle(keys);
    if (!rc)
        rc = keys_load_slots(keys->io, keys->dir, keys->vault_id, slots, count);
    for (size_t i = 0; !rc && i < *count; i++) {
        struct keys_slot_file *file = &(*slots)[i];

        if (!file->code)
            file->code =
                keys_slot_check(&file->slot, keys->root, keys->root_generation, &file->why);
        if (file->code && !file->why)
            rc = file->code;
    }
    return rc;
}

int keys_list_slots(struct keys *keys, struct keys_slot_info **slots, size_t *count)
{
    struct keys_slot_file *files = NULL;
    struct keys_slot_info *list = NULL;
    size_t files_count = 0, n = 0;
    int rc;

    *slots = NULL;
    *count = 0;
    pthread_mutex_lock(&keys->change);
    rc = keys_load_checked_slots(keys, &files, &files_count);
    if (rc)
        goto out;
    list = calloc(files_count + 1, sizeof(*list));
    if (!list) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        goto out;
    }
    for (size_t i = 0; i < files_count; i++)
        if (!files[i].code)
            keys_fill_slot_info(&files[i].slot, files[i].sha256, &list[n++]);
    *slots = list;
    *count = n;
out:
    pthread_mutex_unlock(&keys->change);
    free(files);
    return rc;
}

struct report {
    keys_bad_fn *bad;
    void *context;
    size_t count;
};

static void report_bad(struct report *report, const char *folder, const char *name, const char *why)
{
    char file[64];

    snprintf(file, sizeof(file), "keys/%s/%s", folder, name);
    report->count++;
    report->bad(report->context, file, why);
}

/* One page file against what memory holds of it; cached is NULL if memory knows no such page. */
static int verify_page(struct keys *keys, uint32_t number, const struct keys_page *cached,
                       struct report *report)
{
    char name[KEYS_PAGE_NAME_LEN + 1];
    struct keys_page page;
    int rc = keys_load_page(keys->io, keys->dir, number, keys->vault_id, keys->root, &page);

    keys_page_name(number, name);
    if (!rc && page.code)
        report_bad(report, KEYS_PAGES, name, page.why);
    else if (!rc && (!cached || memcmp(cached->sha256, page.sha256, SR_SHA256_LEN) != 0))
        report_bad(report, KEYS_PAGES, name,
                   "is not the page that was there when the vault opened");
    sr_secret_free(page.image, KEYS_PAGE_FILE_LEN);
    return rc;
}

/* Walks the files and the cached pages side by side, both ascending. Numbers that neither has are
 * pages that were lost before the vault was opened; the first of each run is named. */
static int verify_pages(struct keys *keys, struct report *report)
{
    uint32_t *numbers = NULL;
    size_t count = 0, at = 0;
    uint64_t expected = 0;
    int rc = keys_list_page_files(keys->io, keys->dir, &numbers, &count);

    for (size_t i = 0; !rc && (i < count || at < keys->page_count);) {
        const struct keys_page *cached = at < keys->page_count ? &keys->pages[at] : NULL;
        bool file = i < count && (!cached || numbers[i] <= cached->number);
        bool known = cached && (i == count || cached->number <= numbers[i]);
        uint32_t number = file ? numbers[i] : cached->number;

        if (number != expected) {
            char name[KEYS_PAGE_NAME_LEN + 1];

            keys_page_name((uint32_t)expected, name);
            report_bad(report, KEYS_PAGES, name, "is missing");
        }
        expected = (uint64_t)number + 1;
        rc = verify_page(keys, number, known ? cached : NULL, report);
        i += file;
        at += known;
    }
    free(numbers);
    return rc;
}

int keys_verify(struct keys *keys, keys_bad_fn *bad, void *context)
{
    struct report report = {.bad = bad, .context = context};
    struct keys_slot_file *slots = NULL;
    size_t count = 0;
    int rc;

    pthread_mutex_lock(&keys->change);
    rc = keys_load_checked_slots(keys, &slots, &count);
    for (size_t i = 0; !rc && i < count; i++)
        if (slots[i].code)
            report_bad(&report, KEYS_SLOTS, slots[i].name, slots[i].why);
    if (!rc && !count)
        report_bad(&report, KEYS_SLOTS, "", "holds no key slot");
    if (!rc)
        rc = verify_pages(keys, &report);
    pthread_mutex_unlock(&keys->change);
    free(slots);
    if (!rc && report.count)
        rc = sr_fail(SR_ERR_DAMAGED, "%zu key file%s bad", report.count,
                     report.count == 1 ? " is" : "s are");
    return rc;
}
