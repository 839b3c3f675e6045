/* The table of unsealed versions (door_internal.h, D1 to D4). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/door_internal.h"

static struct live **bucket(struct door *door, const struct vault_object_id *object)
{
    return &door->live[(object->bytes[0] << 8 | object->bytes[1]) % DOOR_LIVE_BUCKETS];
}

struct live *live_find(struct door *door, const struct vault_object_id *object)
{
    struct live *live = *bucket(door, object);
    while (live != NULL && memcmp(live->object.bytes, object->bytes, sizeof object->bytes) != 0)
        live = live->next;
    return live;
}

int live_add(struct door *door, struct staging *staging, const struct catalog_version *version,
             struct live **out)
{
    struct live *live = calloc(1, sizeof *live);
    *out = NULL;
    if (live == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a record");
    live->object = version->object;
    live->key_id = version->key_id;
    live->node = version->node;
    live->newest_index = version->create_index;
    live->uid = version->uid;
    live->mtime_ns = version->mtime_ns;
    live->closed = version->closed;
    live->superseded = version->pending_supersede;
    live->staging = staging;
    live->last_close_ns = -1;
    struct live **at = bucket(door, &live->object);
    live->next = *at;
    *at = live;
    door->live_count++;
    *out = live;
    return 0;
}

static bool is_done(const struct live *live)
{
    return live->refs == 0 && (live->phase == LIVE_SEALED || live->phase == LIVE_DISCARDED);
}

void live_ref(struct live *live)
{
    live->refs++;
}

struct live *live_unref(struct door *door, struct live *live)
{
    live->refs--;
    pthread_cond_broadcast(&door->change);
    return is_done(live) ? live : NULL;
}

struct live *live_finish(struct door *door, struct live *live, enum live_phase phase)
{
    struct live **at = bucket(door, &live->object);
    while (*at != live)
        at = &(*at)->next;
    *at = live->next;
    door->live_count--;
    live->phase = phase;
    pthread_cond_broadcast(&door->change);
    return is_done(live) ? live : NULL;
}

void live_destroy(struct live *live)
{
    if (live == NULL)
        return;
    if (live->phase == LIVE_DISCARDED && !live->keep_content && staging_discard(live->staging) < 0)
        sr_log_failure("discarded content could not be removed; the next start removes it");
    if (staging_close(live->staging) < 0 && live->phase != LIVE_DISCARDED)
        sr_log_failure("closing sealed content");
    free(live);
}

bool live_is_frozen(const struct live *live)
{
    return live->finalizing || live->appended || live->phase != LIVE_OPEN;
}

int64_t live_due(const struct door *door, const struct live *live)
{
    int64_t due;
    if (live->phase != LIVE_OPEN || live->writers > 0 || live->last_close_ns < 0)
        return DOOR_NEVER;
    if (live->superseded)
        due = live->last_close_ns;
    else if (live->draft || live->junk || live->scratch)
        return DOOR_NEVER;
    else if (live->commit)
        due = live->last_close_ns + live->commit_delay_ns;
    else
        due = live->last_close_ns + door->settle_ns;
    return due > live->retry_ns ? due : live->retry_ns;
}

void live_wake(struct door *door, const struct live *live)
{
    if (live_due(door, live) < door->sealer_until_ns)
        pthread_cond_signal(&door->wake);
}

void live_overlay(struct door *door, struct catalog_node *node)
{
    if (node->kind != CATALOG_KIND_RECORD || node->version.state != CATALOG_STAGING)
        return;
    struct live *live = live_find(door, &node->version.object);
    if (live == NULL)
        return;
    node->version.size = staging_size(live->staging);
    node->version.mtime_ns = live->mtime_ns;
    node->version.closed = live->closed;
}

int live_append_close(struct door *door, struct live *live)
{
    json_t *entry;
    uint64_t index;
    int status = entry_new(door->io, "record.close", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set_record(door->vault, entry, &live->object, live->key_id, NULL)) < 0 ||
        (status = entry_set(entry, "size", sr_json_u64_text(staging_size(live->staging)))) < 0 ||
        (status = entry_set(entry, "mtime", sr_json_i64_text(live->mtime_ns))) < 0) {
        json_decref(entry);
        return status;
    }
    status = door_act(door, entry, NULL, &index);
    if (status == 0) {
        live->closed = true;
        live->newest_index = index;
    }
    return status;
}
