/* Start, stop, and the views: lookup, attributes, listings, xattrs, space, status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/cases.h"
#include "casework/classification.h"
#include "casework/door_internal.h"
#include "casework/gather.h"
#include "casework/passwords.h"
#include "casework/seen.h"
#include "casework/sibling.h"
#include "casework/view.h"
#include "catalog/described.h"
#include "catalog/search.h"

#define XATTR_PREFIX "user.strongroom."

struct catalog *door_catalog(struct door *door)
{
    return door->catalog;
}

/* --- start and stop --- */

static int append_unlock(struct door *door)
{
    uint8_t slot[KEYS_SLOT_ID_LEN];
    json_t *entry;
    uint64_t index;
    int status = entry_new(door->io, "unlock", &entry);
    if (status < 0)
        return status;
    keys_opened_by(vault_keys(door->vault), slot);
    if ((status = entry_set(entry, "slot", sr_json_hex(slot, sizeof slot))) < 0) {
        json_decref(entry);
        return status;
    }
    return door_act(door, entry, NULL, &index);
}

/* A slot file that the ledger does not name (any more) is a removed passphrase brought back. */
static int check_slot(struct door *door)
{
    uint8_t opened[KEYS_SLOT_ID_LEN];
    char id[2 * KEYS_SLOT_ID_LEN + 1];
    struct keys_slot_info *slots = NULL;
    size_t count = 0;
    keys_opened_by(vault_keys(door->vault), opened);
    sr_hex_encode(opened, sizeof opened, id);
    int status = keys_list_slots(vault_keys(door->vault), &slots, &count);
    for (size_t i = 0; status == 0 && i < count; i++)
        if (memcmp(slots[i].id, opened, sizeof opened) == 0 &&
            catalog_check_slot(door->catalog, id, slots[i].file_sha256) < 0)
            status = sr_fail(
                SR_ERR_DENIED,
                "key slot %s is not one that the ledger names, or an earlier version of it: a "
                "removed or changed slot file has been put back (or a change of slots was "
                "interrupted: then do it again)",
                id);
    free(slots);
    return status;
}

static int door_new(const struct door_config *config, struct door **out)
{
    struct door *door = calloc(1, sizeof *door);
    pthread_condattr_t monotonic;
    if (door == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for the door");
    door->config = *config;
    door->vault = config->vault;
    door->ledger = config->ledger;
    door->io = vault_io(config->vault);
    pthread_mutex_init(&door->lock, NULL);
    pthread_mutex_init(&door->accounts_lock, NULL);
    pthread_mutex_init(&door->clients.lock, NULL);
    pthread_mutex_init(&door->rules.lock, NULL);
    pthread_mutex_init(&door->view_lock, NULL);
    pthread_mutex_init(&door->search_lock, NULL);
    pthread_mutex_init(&door->gather_lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&door->wake, &monotonic);
    pthread_cond_init(&door->change, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = door;
    return 0;
}

static void door_free(struct door *door)
{
    for (size_t b = 0; b < DOOR_LIVE_BUCKETS; b++)
        for (struct live *live = door->live[b], *next; live != NULL; live = next) {
            next = live->next;
            if (staging_close(live->staging) < 0)
                sr_log_failure("closing unsealed content");
            free(live);
        }
    door_rules_free(door);
    catalog_close(door->catalog);
    agency_free(door->agency);
    pthread_cond_destroy(&door->wake);
    pthread_cond_destroy(&door->change);
    notice_forget(door);
    reading_stop(door);
    pthread_mutex_destroy(&door->view_lock);
    seen_free(door);
    gather_free(door);
    pthread_mutex_destroy(&door->clients.lock);
    pthread_mutex_destroy(&door->accounts_lock);
    pthread_mutex_destroy(&door->lock);
    free(door);
}

/* Everything before the first call is let in. */
static int prepare(struct door *door, struct door_salvage *salvage)
{
    struct view_report report;
    int status;
    if (door->config.policy_dir == NULL)
        return sr_fail(SR_ERR_INVALID, "no policy folder was given");
    if (door->config.manage_accounts && door->config.smb_conf != NULL)
        passwords_policy(door->config.smb_conf);
    if ((status = agency_load(door->io, door->config.policy_dir, &door->agency)) < 0)
        return status;
    door->workflow = door->agency->workflow;
    if ((status = door_rules_load(door)) < 0 || (status = notice_start(door)) < 0 ||
        (status = reading_start(door)) < 0 || (status = door_view_open(door, &report)) < 0 ||
        (status = check_slot(door)) < 0)
        return status;
    door->settle_ns =
        door->config.settle_ns >= 0 ? door->config.settle_ns : workflow_settle_ns(door->workflow);
    salvage->entries = ledger_committed(door->ledger);
    pthread_mutex_lock(&door->lock);
    if ((status = append_unlock(door)) == 0)
        status = door_rules_start(door);
    pthread_mutex_unlock(&door->lock);
    if (status < 0 || (status = door_salvage(door, salvage)) < 0 ||
        (status = cases_ensure_year(door)) < 0 || (status = door_keys_record(door)) < 0 ||
        (status = door_keys_ready(door)) < 0)
        return status;
    if (report.damaged)
        door_alert(door, "catalog", NULL, report.why);
    return ledger_commit(door->ledger, ledger_size(door->ledger) - 1);
}

int door_start(const struct door_config *config, struct door_salvage *salvage, struct door **out)
{
    struct door *door = NULL;
    struct sr_error_copy why;
    *out = NULL;
    memset(salvage, 0, sizeof *salvage);
    char broken[160] = "";
    int status = door_new(config, &door);
    if (status < 0)
        return status;
    if ((status = prepare(door, salvage)) == SR_ERR_DAMAGED && door->catalog != NULL &&
        catalog_broken(door->catalog, broken,
                       sizeof broken)) { /* a page that was not read before */
        door_free(door);
        if ((status = catalog_remove(config->vault, CATALOG_FILE)) < 0 ||
            (status = door_new(config, &door)) < 0)
            return status;
        if ((status = prepare(door, salvage)) == 0)
            door_alert(door, "catalog", NULL, broken);
    }
    if (status == 0)
        status = door_sealer_start(door);
    if (status == 0 && config->describe != NULL &&
        (status = describer_start(door, config->describe, config->describe_context,
                                  &door->describer)) < 0) {
        pthread_mutex_lock(&door->lock);
        door->stopping = true;
        pthread_cond_broadcast(&door->wake);
        pthread_mutex_unlock(&door->lock);
        door_sealer_stop(door);
    }
    if (status < 0) {
        sr_error_save(&why, status);
        door_free(door);
        return sr_error_raise(&why);
    }
    staging_keep_ready(door->vault, config->ready_files);
    *out = door;
    return 0;
}

void door_stop(struct door *door)
{
    json_t *entry;
    uint64_t index = 0;
    if (door == NULL)
        return;
    pthread_mutex_lock(&door->lock);
    door->stopping = true;
    pthread_cond_broadcast(&door->wake);
    while (door->open_files > 0)
        pthread_cond_wait(&door->change, &door->lock);
    pthread_mutex_unlock(&door->lock);
    describer_stop(door->describer);
    door->describer = NULL;
    door_sealer_stop(door);
    door_flush_folds(door, true);
    reading_flush(door, true);
    pthread_mutex_lock(&door->lock);
    if (entry_new(door->io, "shutdown", &entry) == 0 && door_act(door, entry, NULL, &index) == 0) {
        pthread_mutex_unlock(&door->lock);
        if (ledger_commit(door->ledger, index) < 0)
            sr_log_failure("the shutdown could not be recorded");
        pthread_mutex_lock(&door->lock);
    }
    pthread_mutex_unlock(&door->lock);
    door_view_commit(door);
    door_free(door);
}

/* --- xattrs --- */

static const char *const xattr_names[] = {"state",     "sha256", "ledger_index",
                                          "sealed_at", "object", "classification"};
#define XATTR_COUNT (sizeof xattr_names / sizeof xattr_names[0])

static int xattr_value(const struct catalog_node *node, const char *name, struct sr_buf *value)
{
    const struct catalog_version *version = &node->version;
    static const char *const states[] = {"staging", "sealed", "incomplete", "superseded"};
    char text[2 * 32 + 1];
    bool sealed = version->state != CATALOG_STAGING;
    if (strcmp(name, "state") == 0) {
        sr_buf_text(value, states[version->state]);
    } else if (strcmp(name, "object") == 0) {
        vault_object_id_text(&version->object, text);
        sr_buf_text(value, text);
    } else if (strcmp(name, "classification") == 0) {
        struct classification class = {
            .level = (int)node->level, .marks = node->marks, .until = node->own_until};
        classification_text(&class, value);
    } else if (!sealed) {
        return sr_fail(SR_ERR_NOT_FOUND, "not sealed yet");
    } else if (strcmp(name, "sha256") == 0) {
        sr_hex_encode(version->sha256, 32, text);
        sr_buf_text(value, text);
    } else if (strcmp(name, "ledger_index") == 0) {
        sr_buf_format(value, "%llu", (unsigned long long)version->seal_index);
    } else if (strcmp(name, "sealed_at") == 0) {
        sr_time_utc_text(version->sealed_ns, text);
        sr_buf_text(value, text);
    } else {
        return sr_fail(SR_ERR_NOT_FOUND, "no such attribute");
    }
    return value->failed ? sr_fail(SR_ERR_NO_MEMORY, "no memory for an attribute") : 0;
}

static int xattr_node(struct door *door, const struct door_actor *actor, uint64_t node_id,
                      struct catalog_node *node)
{
    int status = door_getattr(door, actor, node_id, node);
    if (status == 0 &&
        (node->kind != CATALOG_KIND_RECORD || actor->uid == 0)) /* root reaches it, no more */
        status = sr_fail(SR_ERR_NOT_FOUND, "no such attribute");
    return status;
}

int door_getxattr(struct door *door, const struct door_actor *actor, uint64_t node_id,
                  const char *name, struct sr_buf *value)
{
    struct catalog_node node;
    if (strncmp(name, XATTR_PREFIX, strlen(XATTR_PREFIX)) != 0)
        return sr_fail(SR_ERR_NOT_FOUND, "no such attribute");
    int status = xattr_node(door, actor, node_id, &node);
    return status < 0 ? status : xattr_value(&node, name + strlen(XATTR_PREFIX), value);
}

int door_listxattr(struct door *door, const struct door_actor *actor, uint64_t node_id,
                   struct sr_buf *names)
{
    struct catalog_node node;
    int status = xattr_node(door, actor, node_id, &node);
    if (status == SR_ERR_NOT_FOUND)
        return 0;
    for (size_t i = 0; status == 0 && i < XATTR_COUNT; i++) {
        struct sr_buf value = {0};
        if (xattr_value(&node, xattr_names[i], &value) == 0) {
            sr_buf_text(names, XATTR_PREFIX);
            sr_buf_append(names, xattr_names[i], strlen(xattr_names[i]) + 1);
        }
        sr_buf_free(&value);
    }
    return status;
}

/* --- space and status --- */

int door_space(struct door *door, uint64_t *free_bytes, uint64_t *total_bytes, uint64_t *nodes)
{
    struct catalog_counts counts;
    int status = vault_space(door->vault, free_bytes, total_bytes);
    if (status == 0 && (status = catalog_counts(door->catalog, &counts)) == 0)
        *nodes = counts.records + counts.cases;
    return status;
}

int door_status(struct door *door, json_t **out)
{
    const struct vault_identity *identity = vault_identity(door->vault);
    struct catalog_counts counts;
    uint64_t free_bytes, total_bytes, queued, peak, waiting, described, untexted;
    char id[2 * KEYS_VAULT_ID_LEN + 1];
    *out = NULL;
    int status = catalog_counts(door->catalog, &counts);
    if (status < 0 || (status = vault_space(door->vault, &free_bytes, &total_bytes)) < 0 ||
        (status = catalog_undescribed_counts(door->catalog, &waiting, &described)) < 0 ||
        (status = catalog_untexted_count(door->catalog, &untexted)) < 0)
        return status;
    vault_queue_stats(door->vault, &queued, &peak);
    sr_hex_encode(identity->id.bytes, sizeof identity->id.bytes, id);
    *out = json_pack("{s:s, s:s, s:s, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
                     "s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                     "vault", id, "agency", identity->agency, "origin", identity->origin, "entries",
                     (json_int_t)ledger_size(door->ledger), "entries_durable",
                     (json_int_t)ledger_committed(door->ledger), "ledger_failing",
                     ledger_failing(door->ledger), "cases", (json_int_t)counts.cases, "records",
                     (json_int_t)counts.records, "staging", (json_int_t)counts.staging, "sealed",
                     (json_int_t)counts.sealed, "incomplete", (json_int_t)counts.incomplete,
                     "superseded", (json_int_t)counts.superseded, "refusals",
                     (json_int_t)counts.refusals, "users", (json_int_t)counts.users, "alerts",
                     (json_int_t)counts.alerts, "free_bytes", (json_int_t)free_bytes, "total_bytes",
                     (json_int_t)total_bytes, "queued_bytes", (json_int_t)queued,
                     "queue_peak_bytes", (json_int_t)peak, "index_waiting", (json_int_t)waiting,
                     "index_done", (json_int_t)described, "texts_waiting", (json_int_t)untexted);
    return *out != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for the status");
}
