#include "casework/audit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/entry.h"
#include "casework/setup.h"
#include "catalog/described.h"
#include "ledger/verify.h"
#include "vault/object.h"
#include "vault/staging.h"

#define STAGING_CHUNK (1u << 20)

/* --- the run --- */

struct audit {
    struct vault *vault;
    struct ledger *ledger;
    struct catalog *catalog;
    audit_finding_fn *finding;
    audit_progress_fn *progress;
    void *context;
    struct audit_report *report;
    uint64_t total, base;
    struct catalog_version *versions;
    size_t count, capacity;
};

static void found(struct audit *audit, const char *what, const char *why)
{
    audit->report->findings++;
    audit->finding(audit->context, what, why);
}

static void bad_ledger_file(void *context, const char *file, const char *why)
{
    char what[256];
    snprintf(what, sizeof what, "ledger/%s", file);
    found(context, what, why);
}

/* vault.json is plain: what it says beside the public key must be what the first entry says. */
static int check_identity(struct audit *audit)
{
    const struct vault_identity *identity = vault_identity(audit->vault);
    uint8_t id[KEYS_VAULT_ID_LEN], *data = NULL;
    const char *agency, *origin;
    json_t *entry = NULL;
    size_t len;
    int status = ledger_read(audit->ledger, 0, &data, &len);
    if (status == 0)
        status = sr_json_parse(data, len, &entry);
    if (status == 0 &&
        (sr_json_get_hex(entry, "vault", id, sizeof id) < 0 ||
         sr_json_get_text(entry, "agency", &agency) < 0 ||
         sr_json_get_text(entry, "origin", &origin) < 0 ||
         memcmp(id, identity->id.bytes, sizeof id) != 0 || strcmp(agency, identity->agency) != 0 ||
         strcmp(origin, identity->origin) != 0))
        found(audit, "vault.json", "does not say what the first entry of the ledger says");
    json_decref(entry);
    free(data);
    return status;
}

static void bad_key_file(void *context, const char *file, const char *why)
{
    char what[256];
    snprintf(what, sizeof what, "keys/%s", file);
    found(context, what, why);
}

static int check_ledger(struct audit *audit)
{
    struct ledger_config config;
    struct note_verifier verifier;
    const struct vault_identity *identity = vault_identity(audit->vault);
    uint64_t durable = ledger_committed(audit->ledger);
    int status = setup_ledger_config(audit->vault, &config);
    if (status < 0)
        return status;
    status = note_verifier_init(&verifier, identity->origin, identity->public_key);
    if (status == 0)
        status =
            ledger_verify_all(&config, &verifier, bad_ledger_file, audit, &audit->report->entries);
    setup_ledger_config_wipe(&config);
    /* A bad tail beyond the checkpoint may be a group in flight; what was durable before is not. */
    if ((status == 0 || status == SR_ERR_DAMAGED) && audit->report->entries < durable)
        found(audit, "ledger/journal", "holds fewer entries than were made durable");
    return status == SR_ERR_DAMAGED || status == SR_ERR_ROLLED_BACK ? 0 : status;
}

/* Slot and page files against the hashes in the ledger: an earlier version is whole in itself. */
static int check_keys(struct audit *audit)
{
    struct keys *keys = vault_keys(audit->vault);
    struct keys_page_info *pages = NULL;
    struct keys_slot_info *slots = NULL;
    size_t page_count = 0, slot_count = 0;
    char what[64], id[2 * KEYS_SLOT_ID_LEN + 1];
    int status = keys_verify(keys, bad_key_file, audit);
    if (status < 0 && status != SR_ERR_DAMAGED)
        return status;
    if (keys_list_pages(keys, &pages, &page_count) == 0)
        for (size_t i = 0; i < page_count; i++)
            if (catalog_check_page(audit->catalog, pages[i].page, pages[i].file_sha256) < 0) {
                snprintf(what, sizeof what, "keys/pages/%08x", pages[i].page);
                found(audit, what, "is not the version of this page that the ledger names");
            }
    if (keys_list_slots(keys, &slots, &slot_count) == 0)
        for (size_t i = 0; i < slot_count; i++) {
            sr_hex_encode(slots[i].id, sizeof slots[i].id, id);
            if (catalog_check_slot(audit->catalog, id, slots[i].file_sha256) < 0) {
                snprintf(what, sizeof what, "keys/slots/%s", id);
                found(audit, what,
                      "is not a slot, or not the version of it, that the ledger names");
            }
        }
    free(pages);
    free(slots);
    return 0;
}

static int collect_version(void *context, const struct catalog_version *version)
{
    struct audit *audit = context;
    if (audit->count == audit->capacity) {
        size_t capacity = audit->capacity > 0 ? 2 * audit->capacity : 256;
        struct catalog_version *versions = realloc(audit->versions, capacity * sizeof *versions);
        if (versions == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory to verify");
        audit->versions = versions;
        audit->capacity = capacity;
    }
    audit->versions[audit->count++] = *version;
    if (version->state != CATALOG_STAGING)
        audit->total += version->size;
    return 0;
}

static int object_progress(void *context, uint64_t bytes_done)
{
    struct audit *audit = context;
    return audit->progress != NULL
               ? audit->progress(audit->context, audit->base + bytes_done, audit->total)
               : 0;
}

static void object_name(const struct vault_object_id *id, char out[64])
{
    char text[2 * VAULT_OBJECT_ID_LEN + 1];
    vault_object_id_text(id, text);
    snprintf(out, 64, "objects/%.2s/%s", text, text);
}

struct object_expectation audit_expectation(const struct catalog_version *version)
{
    struct object_expectation expected = {
        .id = version->object, .key_id = version->key_id, .size = version->size};
    memcpy(expected.tag_root, version->tag_root, sizeof expected.tag_root);
    memcpy(expected.header_sha256, version->header_sha256, sizeof expected.header_sha256);
    memcpy(expected.sha256, version->sha256, sizeof expected.sha256);
    return expected;
}

static int check_object(struct audit *audit, const struct catalog_version *version)
{
    struct object_expectation expected = audit_expectation(version);
    char what[64];
    int status = object_verify(audit->vault, &expected, object_progress, audit);
    if (status > 0)
        return status; /* stopped by the progress function */
    if (status == SR_ERR_NO_MEMORY || status == SR_ERR_CLOSED)
        return status;
    if (status < 0) {
        object_name(&version->object, what);
        found(audit, what, sr_error_message());
    }
    audit->report->objects++;
    audit->report->bytes += version->size;
    audit->base += version->size;
    return 0;
}

int audit_object(struct vault *vault, const struct catalog_version *version,
                 audit_finding_fn *finding, audit_progress_fn *progress, void *context)
{
    struct audit_report report = {0};
    struct audit audit = {.vault = vault,
                          .finding = finding,
                          .progress = progress,
                          .context = context,
                          .report = &report,
                          .total = version->size};
    int status = check_object(&audit, version);
    if (status != 0)
        return status;
    return report.findings > 0 ? sr_fail(SR_ERR_DAMAGED, "the record is damaged") : 0;
}

static int check_objects(struct audit *audit)
{
    int status = catalog_each_version(audit->catalog, collect_version, audit);
    for (size_t i = 0; status == 0 && i < audit->count; i++)
        if (audit->versions[i].state != CATALOG_STAGING)
            status = check_object(audit, &audit->versions[i]);
    return status;
}

struct text_list {
    struct object_expectation *items;
    size_t count, capacity;
};

static int collect_text(void *context, const struct object_expectation *text)
{
    struct text_list *list = context;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
        struct object_expectation *items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory to verify");
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *text;
    return 0;
}

/* Extracted texts are objects like any other. */
static int check_texts(struct audit *audit)
{
    struct text_list list = {.count = 0};
    char what[64];
    int status = catalog_each_text(audit->catalog, collect_text, &list);
    for (size_t i = 0; status == 0 && i < list.count; i++) {
        status = object_verify(audit->vault, &list.items[i], NULL, NULL);
        if (status == SR_ERR_NO_MEMORY)
            break;
        if (status < 0) {
            object_name(&list.items[i].id, what);
            found(audit, what, sr_error_message());
            status = 0;
        }
        audit->report->objects++;
        audit->report->bytes += list.items[i].size;
    }
    free(list.items);
    return status;
}

/* A file under objects/ without a seal entry: put there by somebody, or a seal that was cut short. */
static int known_object(void *context, const char *folder, const char *name)
{
    struct audit *audit = context;
    struct vault_object_id id;
    struct catalog_version version;
    char what[300];
    snprintf(what, sizeof what, "objects/%s/%s", folder, name);
    if (vault_object_id_parse(name, &id) < 0 || strncmp(folder, name, 2) != 0) {
        found(audit, what, "is not a file of the store");
        return 0;
    }
    struct object_expectation text;
    int status = catalog_object(audit->catalog, &id, &version);
    if (status == SR_ERR_NOT_FOUND &&
        (status = catalog_text_object(audit->catalog, &id, &text)) == SR_ERR_NOT_FOUND)
        found(audit, what, "no entry of the ledger names this object");
    return 0;
}

static int staging_entry(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    struct audit *audit = context;
    struct catalog_version version;
    /* Nothing in it and nobody's: made ahead of need (staging_keep_ready). */
    if (content_bytes > 0 || catalog_object(audit->catalog, id, &version) == 0)
        audit->report->staging++;
    return 0;
}

/* Opens and reads unsealed content whole. */
static int read_staging(struct audit *audit, const struct catalog_version *version, uint8_t *buffer)
{
    struct staging *staging;
    uint64_t offset = 0;
    size_t got = 1;
    int status = staging_open(audit->vault, &version->object, &staging);
    if (status < 0)
        return status;
    if (version->closed && staging_size(staging) < version->size)
        status =
            sr_fail(SR_ERR_DAMAGED, "holds %llu bytes, but %llu were acknowledged",
                    (unsigned long long)staging_size(staging), (unsigned long long)version->size);
    if (status == 0 && staging_dropped(staging) > 0)
        status = sr_fail(SR_ERR_DAMAGED,
                         "its redo ends in %llu bytes that do not verify: torn by a crash before "
                         "they were acknowledged, or damaged",
                         (unsigned long long)staging_dropped(staging));
    for (; status == 0 && got > 0; offset += got)
        status = staging_read(staging, offset, buffer, STAGING_CHUNK, &got);
    struct sr_error_copy why;
    sr_error_save(&why, status);
    int closed = staging_close(staging);
    return status < 0 ? sr_error_raise(&why) : closed;
}

static bool is_still_staging(struct audit *audit, const struct catalog_version *version)
{
    struct catalog_version now; /* it may have been sealed since the list was made */
    return catalog_object(audit->catalog, &version->object, &now) == 0 &&
           now.state == CATALOG_STAGING;
}

/* Unsealed content that the ledger names must be there; while a door works on it nothing more can be
 * said, as its segments are read at the seal. */
static int check_staging_file(struct audit *audit, const struct catalog_version *version,
                              uint8_t *buffer)
{
    struct sr_io *io = vault_io(audit->vault);
    struct sr_stat info;
    char id[2 * VAULT_OBJECT_ID_LEN + 1], what[64];
    vault_object_id_text(&version->object, id);
    snprintf(what, sizeof what, "staging/%s", id);
    char *path = sr_path("%s/%s", vault_path(audit->vault), what);
    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a path");
    bool there = io->stat(io, path, &info) == 0;
    free(path);
    if (!there && version->closed && is_still_staging(audit, version))
        found(audit, what, "unsealed content that the ledger names is missing");
    if (!there || buffer == NULL)
        return 0;
    int status = read_staging(audit, version, buffer);
    if (status == SR_ERR_NO_MEMORY)
        return status;
    if (status < 0)
        found(audit, what, sr_error_message());
    return 0;
}

static int check_staging(struct audit *audit, bool exclusive)
{
    uint8_t *buffer = exclusive ? sr_secret_alloc(STAGING_CHUNK) : NULL;
    int status = exclusive && buffer == NULL ? sr_fail(SR_ERR_NO_MEMORY, "no memory to verify") : 0;
    for (size_t i = 0; status == 0 && i < audit->count; i++)
        if (audit->versions[i].state == CATALOG_STAGING)
            status = check_staging_file(audit, &audit->versions[i], buffer);
    sr_secret_free(buffer, STAGING_CHUNK);
    return status < 0 ? status : staging_list(audit->vault, staging_entry, audit);
}

int audit_run(struct vault *vault, struct ledger *ledger, struct catalog *catalog, bool exclusive,
              audit_finding_fn *finding, audit_progress_fn *progress, void *context,
              struct audit_report *report)
{
    struct audit audit = {.vault = vault,
                          .ledger = ledger,
                          .catalog = catalog,
                          .finding = finding,
                          .progress = progress,
                          .context = context,
                          .report = report};
    memset(report, 0, sizeof *report);
    int status = check_ledger(&audit);
    if (status == 0)
        status = check_identity(&audit);
    if (status == 0)
        status = check_keys(&audit);
    if (status == 0)
        status = check_objects(&audit);
    if (status == 0)
        status = check_texts(&audit);
    if (status == 0)
        status = object_list(vault, known_object, &audit);
    if (status == 0)
        status = check_staging(&audit, exclusive);
    free(audit.versions);
    if (status != 0)
        return status;
    return report->findings > 0
               ? sr_fail(SR_ERR_DAMAGED, "%llu findings", (unsigned long long)report->findings)
               : 0;
}
