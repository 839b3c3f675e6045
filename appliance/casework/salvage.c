/* Start-up: staging/ against the catalog.
 *
 *   catalog says        staging file  what is done
 *   staging, closed     there         opened (redo replayed); settles anew
 *   staging, not closed there         its writer died: becomes `incomplete` after the settle time
 *   staging             missing       created, never acknowledged: record.discard
 *   sealed              there         the seal's last step: the staging name is removed
 *   junk                there         record.discard, removed
 *   discarded           there         removed: the discard's last step
 *   nothing             there, empty  removed: never acknowledged
 *   a text              there         the same: the removal of its name was cut short
 *   nothing             a text        removed: it is extracted anew (texts.h)
 *   nothing             there         kept aside and reported: its create entry was never durable, so
 *                                     it was never acknowledged, but bytes are not thrown away unasked */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/door_internal.h"
#include "casework/texts.h"
#include "catalog/described.h"

struct version_list {
    struct catalog_version *items;
    size_t count, capacity;
};

static int collect(void *context, const struct catalog_version *version)
{
    struct version_list *list = context;
    if (version->state != CATALOG_STAGING)
        return 0;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 64;
        struct catalog_version *items = realloc(list->items, capacity * sizeof *items);
        if (items == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for unsealed records");
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *version;
    return 0;
}

static int mark_key(void *context, const struct catalog_version *version)
{
    struct door *door = context;
    keys_mark_used(vault_keys(door->vault), version->key_id);
    return 0;
}

static int mark_text_key(void *context, const struct object_expectation *text)
{
    struct door *door = context;
    keys_mark_used(vault_keys(door->vault), text->key_id);
    return 0;
}

/* record.discard by the store itself. Lock held. */
static int append_discard(struct door *door, const struct catalog_version *version,
                          const struct catalog_node *node)
{
    static const struct door_actor self = {.uid = 0, .tool = true};
    json_t *entry = NULL, *private_part = door_private(&self);
    uint64_t index;
    int status = private_part != NULL ? entry_new(door->io, "record.discard", &entry)
                                      : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status < 0)
        goto out;
    if ((status = entry_set(private_part, "parent", sr_json_u64_text(node->parent))) < 0 ||
        (status = entry_set(private_part, "name", json_string(node->name))) < 0 ||
        (status = entry_set_record(door->vault, entry, &version->object, version->key_id,
                                   private_part)) < 0 ||
        (status = entry_set(entry, "node", sr_json_u64_text(version->node))) < 0)
        json_decref(entry);
    else
        status = door_act(door, entry, private_part, &index);
out:
    json_decref(private_part);
    return status;
}

void door_alert(struct door *door, const char *kind, const struct vault_object_id *object,
                const char *detail)
{
    json_t *entry;
    uint64_t index;
    if (entry_new(door->io, "alert", &entry) < 0)
        return;
    if (entry_set(entry, "kind", json_string(kind)) < 0 ||
        entry_set(entry, "detail", json_string(detail)) < 0 ||
        (object != NULL &&
         entry_set(entry, "object", sr_json_hex(object->bytes, sizeof object->bytes)) < 0)) {
        json_decref(entry);
        return;
    }
    pthread_mutex_lock(&door->lock);
    if (door_act(door, entry, NULL, &index) < 0)
        sr_log_failure("an alert could not be recorded");
    else
        ledger_kick(door->ledger);
    pthread_mutex_unlock(&door->lock);
}

static int discard_version(struct door *door, const struct catalog_version *version,
                           const struct catalog_node *node, struct door_salvage *out)
{
    int status = staging_remove(door->vault, &version->object);
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = append_discard(door, version, node);
    pthread_mutex_unlock(&door->lock);
    out->discarded++;
    return status;
}

/* Named, kept as it is; the other records go on. what holds object ids only. */
static int report_damage(struct door *door, const struct catalog_version *version, const char *kind,
                         const char *what, struct door_salvage *out)
{
    char id[2 * VAULT_OBJECT_ID_LEN + 1];
    vault_object_id_text(&version->object, id);
    sr_log(SR_LOG_ERROR, "unsealed content %s: %s", id, what);
    door_alert(door, kind, &version->object, what);
    out->damaged++;
    return 0;
}

/* Opened content becomes a live again; staging is taken over. */
static int adopt(struct door *door, const struct catalog_version *version,
                 const struct catalog_node *node, struct staging *staging, struct door_salvage *out)
{
    struct live *live;
    pthread_mutex_lock(&door->lock);
    int status = live_add(door, staging, version, &live);
    if (status == 0) {
        live->draft = node->draft;
        live->scratch = workflow_is_scratch(door->workflow, node->name);
        live->mtime_set = true;
        live->finalizing = staging_is_sealing(staging);
        if (live->mtime_ns == 0)
            live->mtime_ns = node->created_ns; /* never closed */
        live->last_close_ns = door->io->boottime_ns(door->io);
        live->died = live->salvaged = !version->closed;
        out->closed_waiting += version->closed;
        out->incomplete += !version->closed;
    }
    pthread_mutex_unlock(&door->lock);
    if (status < 0)
        staging_close(staging);
    return status;
}

static int salvage_version(struct door *door, const struct catalog_version *version,
                           struct door_salvage *out)
{
    struct catalog_node node;
    struct staging *staging;
    int status = catalog_get(door->catalog, version->node, &node);
    if (status < 0)
        return status;
    if (node.junk)
        return discard_version(door, version, &node, out);
    status = staging_open(door->vault, &version->object, &staging);
    if (status == SR_ERR_NOT_FOUND && version->closed) /* closed means acknowledged */
        return report_damage(door, version, "staging.missing", "acknowledged content is missing",
                             out);
    if (status == SR_ERR_NOT_FOUND)
        return discard_version(door, version, &node, out);
    if (status == SR_ERR_DAMAGED)
        return report_damage(door, version, "staging.damaged", sr_error_message(), out);
    if (status < 0)
        return status; /* of the machine, not of the file: start again */
    if (version->closed && staging_size(staging) < version->size) {
        report_damage(door, version, "staging.damaged",
                      "it is shorter than its record.close says: a record of its redo is gone",
                      out);
        return staging_close(staging);
    }
    if (staging_dropped(staging) > 0) /* nothing that was acknowledged, or damage */
        door_alert(door, "staging.torn", &version->object,
                   "its redo ends in bytes that do not verify");
    return adopt(door, version, &node, staging, out);
}

/* The last steps of a seal that stands in the ledger. Where the removal of the staging name was lost
 * and the flag was not, the file is immutable already: the name cannot go before the flag. */
static int finish_seal(struct door *door, const struct vault_object_id *id, const char *text)
{
    char *path = sr_path("%s/staging/%s", vault_path(door->vault), text);
    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a path");
    (void)door->io->set_immutable(door->io, path, false); /* absent, or not supported: no matter */
    free(path);
    int status = staging_remove(door->vault, id);
    return status < 0 ? status : object_set_immutable(door->vault, id);
}

/* The key of content that is kept aside must not be given to a record. */
static void keep_orphan_key(struct door *door, const struct vault_object_id *id)
{
    struct vault_object_id same;
    struct staging *staging;
    uint64_t key_id;
    if (staging_open(door->vault, id, &staging) < 0) {
        sr_log_failure("content that belongs to no record cannot be opened");
        return;
    }
    staging_id(staging, &same, &key_id);
    keys_mark_used(vault_keys(door->vault), key_id);
    if (staging_close(staging) < 0)
        sr_log_failure("closing content that belongs to no record");
}

static int mark_discarded(void *context, uint64_t key_id)
{
    struct door *door = context;
    keys_mark_used(vault_keys(door->vault), key_id);
    return 0;
}

static int orphan(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    void **both = context;
    struct door *door = both[0];
    struct door_salvage *out = both[1];
    struct catalog_version version;
    char text[2 * VAULT_OBJECT_ID_LEN + 1];
    struct object_expectation extracted;
    int status = catalog_object(door->catalog, id, &version);
    vault_object_id_text(id, text);
    if (status == SR_ERR_NOT_FOUND && catalog_text_object(door->catalog, id, &extracted) == 0)
        return finish_seal(door, id, text); /* its last step */
    if (status == 0 && version.state == CATALOG_STAGING)
        return 0;
    if (status == 0) {
        out->seals_finished++;
        return finish_seal(door, id, text);
    }
    if (status != SR_ERR_NOT_FOUND)
        return status;
    bool discarded;
    if ((status = catalog_is_discarded(door->catalog, id, &discarded)) < 0)
        return status;
    if (discarded || content_bytes == 0)
        return staging_remove(door->vault, id);
    if (texts_is_left(door->vault, id))
        return texts_remove_left(door->vault, id);
    keep_orphan_key(door, id);
    sr_log(SR_LOG_WARNING,
           "staging/%s belongs to no record; it was never acknowledged and is kept as it is", text);
    out->orphans_kept++;
    return 0;
}

int door_salvage(struct door *door, struct door_salvage *out)
{
    struct version_list list = {.count = 0};
    void *both[] = {door, out};
    int status = catalog_each_version(door->catalog, mark_key, door);
    if (status == 0)
        status = catalog_each_text(door->catalog, mark_text_key, door);
    if (status == 0)
        status = catalog_discarded_keys(door->catalog, mark_discarded, door);
    if (status == 0)
        status = staging_list(door->vault, orphan, both);
    if (status == 0)
        status = catalog_each_version(door->catalog, collect, &list);
    for (size_t i = 0; status == 0 && i < list.count; i++)
        status = salvage_version(door, &list.items[i], out);
    free(list.items);
    return status;
}
