/* New content: keys, staging files, record.create and record.version. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/door_internal.h"

/* keys.page for one page file. Lock not held. */
static int append_page(struct door *door, const struct keys_page_info *info)
{
    json_t *entry;
    uint64_t index;
    int status = entry_new(door->io, "keys.page", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set(entry, "page", json_integer(info->page))) < 0 ||
        (status = entry_set(entry, "generation", json_integer(info->generation))) < 0 ||
        (status = entry_set(entry, "sha256",
                            sr_json_hex(info->file_sha256, sizeof info->file_sha256))) < 0) {
        json_decref(entry);
        return status;
    }
    pthread_mutex_lock(&door->lock);
    status = door_act(door, entry, NULL, &index);
    pthread_mutex_unlock(&door->lock);
    return status;
}

int door_keys_ready(struct door *door)
{
    struct keys *keys = vault_keys(door->vault);
    struct keys_page_info info;
    if (keys_unused(keys) >= DOOR_KEYS_LOW)
        return 0;
    int status = keys_extend(keys, &info);
    if (status == 0)
        status = append_page(door, &info);
    /* While keys are left a failed page is only a warning: the next upload tries again. */
    if (status < 0 && keys_unused(keys) > 0) {
        sr_log_failure(
            "a new key page could not be written, or not be recorded: the next start records it");
        return 0;
    }
    return status;
}

int door_keys_record(struct door *door)
{
    struct keys_page_info *pages = NULL;
    size_t count = 0;
    int status = keys_list_pages(vault_keys(door->vault), &pages, &count);
    for (size_t i = 0; status == 0 && i < count; i++)
        if (catalog_check_page(door->catalog, pages[i].page, pages[i].file_sha256) ==
            SR_ERR_NOT_FOUND)
            status = append_page(door, &pages[i]);
    free(pages);
    return status;
}

int door_stage(struct door *door, struct staging **out)
{
    *out = NULL;
    int status = door_keys_ready(door);
    return status < 0 ? status : staging_create(door->vault, out);
}

/* Entry record.version; the new object's private part. Lock held. */
static int append_version(struct door *door, const struct door_actor *actor, uint64_t node,
                          const struct catalog_version *previous, const struct staging *staging)
{
    json_t *entry, *private_part = door_private(actor);
    uint64_t index;
    int status = entry_new(door->io, "record.version", &entry);
    if (status < 0 || private_part == NULL) {
        json_decref(private_part);
        return status < 0 ? status : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    }
    if ((status = entry_set_new_record(door->vault, entry, staging, private_part)) < 0 ||
        (status = entry_set(entry, "node", sr_json_u64_text(node))) < 0 ||
        (status = entry_set(entry, "previous",
                            sr_json_hex(previous->object.bytes, sizeof previous->object.bytes))) <
            0)
        json_decref(entry);
    else
        status = door_act(door, entry, private_part, &index);
    json_decref(private_part);
    return status;
}

/* Checks and acts under the lock; staging is taken over on success. */
static int new_version_locked(struct door *door, const struct door_actor *actor, uint64_t node,
                              struct staging *staging, struct live **out)
{
    struct catalog_node now;
    struct catalog_version version;
    struct vault_object_id object;
    uint64_t key_id;
    staging_id(staging, &object, &key_id);
    int status = catalog_get(door->catalog, node, &now);
    if (status < 0)
        return status;
    struct live *before =
        now.version.state == CATALOG_STAGING ? live_find(door, &now.version.object) : NULL;
    if (now.version.state == CATALOG_SEALED || (before != NULL && live_is_frozen(before)))
        return sr_fail(SR_ERR_SEALED, "the record is sealed");
    struct live *live;
    if (now.version.state == CATALOG_STAGING && now.version.uid != actor->uid) /* D7 */
        return sr_fail(SR_ERR_DENIED, "somebody else's content is not sealed yet");
    if ((status = append_version(door, actor, node, &now.version, staging)) < 0 ||
        (status = catalog_object(door->catalog, &object, &version)) < 0 ||
        (status = live_add(door, staging, &version, &live)) < 0)
        return status;
    live->mtime_ns = door->io->now_ns(door->io);
    if (before != NULL) {
        before->superseded = true;
        live->scratch = before->scratch;
        if (before->last_close_ns < 0 && before->writers == 0)
            before->last_close_ns = door->io->boottime_ns(door->io);
        pthread_cond_signal(&door->wake);
    }
    *out = live;
    return 0;
}

int door_new_version(struct door *door, const struct door_actor *actor, uint64_t node,
                     struct live **out)
{
    struct staging *staging;
    *out = NULL;
    int status = door_stage(door, &staging);
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = new_version_locked(door, actor, node, staging, out);
    if (status == 0)
        live_ref(*out);
    pthread_mutex_unlock(&door->lock);
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        staging_discard(staging);
        staging_close(staging);
        return sr_error_raise(&why);
    }
    return 0;
}
