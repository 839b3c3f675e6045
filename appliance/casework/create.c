/* New records: the name and the place, the staged content, record.create, the open file. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/door_internal.h"
#include "casework/gather.h"
#include "casework/sibling.h"

static int append_create(struct door *door, const struct door_actor *actor, uint64_t parent,
                         const char *name, const struct staging *staging, bool draft, bool junk,
                         uint64_t *index)
{
    json_t *entry, *private_part = door_private(actor);
    int status = entry_new(door->io, "record.create", &entry);
    if (status < 0 || private_part == NULL) {
        json_decref(private_part);
        return status < 0 ? status : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    }
    if ((status = entry_set(private_part, "parent", sr_json_u64_text(parent))) < 0 ||
        (status = entry_set(private_part, "name", json_string(name))) < 0 ||
        (status = entry_set(private_part, "draft", json_boolean(draft))) < 0 ||
        (status = entry_set(private_part, "junk", json_boolean(junk))) < 0 ||
        (status = entry_set_new_record(door->vault, entry, staging, private_part)) < 0)
        json_decref(entry);
    else
        status = door_act(door, entry, private_part, index);
    json_decref(private_part);
    return status;
}

/* May this name be made in this folder now? Lock held. */
static int check_create(struct door *door, const struct catalog_user *user, uint64_t parent_id,
                        const char *name, struct catalog_node *parent, const char **reason)
{
    struct catalog_node taken;
    if (door->stopping)
        return sr_fail(SR_ERR_CLOSED, "the store is shutting down");
    int status = catalog_get(door->catalog, parent_id, parent);
    if (status < 0)
        return status;
    if ((status = sibling_find(door, user, parent_id, name, &taken)) == 0)
        return sr_fail(SR_ERR_EXISTS, "the name is taken");
    return status == SR_ERR_NOT_FOUND ? place_check_name(door, user, parent_id, name, 0, reason)
                                      : status;
}

/* The second half of create, under the lock. staging is taken over on success. */
static int create_locked(struct door *door, const struct catalog_user *user, uint64_t parent_id,
                         const char *name, struct staging *staging, struct door_file *file,
                         struct catalog_node *node, const char **reason)
{
    struct catalog_node parent;
    uint64_t index;
    struct live *live;
    int status = check_create(door, user, parent_id, name, &parent, reason);
    if (status < 0)
        return status;
    bool draft = place_in_drafts(door, &parent), junk = workflow_is_junk(door->workflow, name);
    if ((status = append_create(door, &file->actor, parent_id, name, staging, draft, junk,
                                &index)) < 0 ||
        (status = catalog_get(door->catalog, door_node_id(index), node)) < 0 ||
        (status = live_add(door, staging, &node->version, &live)) < 0)
        return status;
    live->draft = draft;
    live->junk = junk;
    live->scratch = workflow_is_scratch(door->workflow, name);
    live->mtime_ns = node->version.mtime_ns = node->created_ns;
    file->node = node->id;
    return door_file_attach(door, file, live);
}

int door_create(struct door *door, const struct door_actor *actor, uint64_t parent_id,
                const char *name, bool commit_on_close, struct catalog_node *node,
                struct door_file **out, struct door_open_info *info)
{
    struct catalog_user user;
    struct catalog_node parent;
    struct staging *staging = NULL;
    struct door_file *file = NULL;
    const char *reason = NULL;
    uint64_t generation = atomic_load(&door->rules.generation); /* before they are asked */
    *out = NULL;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "create", status);
    if (gather_is_folder(parent_id))
        return gather_refuse(door, actor, "create", parent_id, name);
    if ((status = catalog_get(door->catalog, parent_id, &parent)) < 0 ||
        (status = place_visible(door, &user, &parent)) < 0)
        return status;
    if (!door_allows(door, &user, ACT_ADD, &parent))
        return door_refused(door, actor, "create", "denied", parent_id, name,
                            sr_fail(SR_ERR_DENIED, "%s may not add records", user.account));
    if (!place_takes_records(&parent))
        return door_refused(door, actor, "create", "place", parent_id, name,
                            sr_fail(SR_ERR_DENIED, "files belong into a stage folder of a case"));
    /* Before a key and a file are spent on it; and once more when they are there. */
    pthread_mutex_lock(&door->lock);
    status = check_create(door, &user, parent_id, name, &parent, &reason);
    pthread_mutex_unlock(&door->lock);
    if (status < 0 || (status = door_ready(door)) < 0 ||
        (status = door_file_new(door, actor, 0, true, &file)) < 0 ||
        (status = door_stage(door, &staging)) < 0)
        goto out;
    file->generation = generation;
    pthread_mutex_lock(&door->lock);
    status = create_locked(door, &user, parent_id, name, staging, file, node, &reason);
    if (status == 0) {
        file->live->commit = commit_on_close;
        file->live->commit_delay_ns = DOOR_COMMIT_DELAY_NS;
    }
    pthread_mutex_unlock(&door->lock);
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        staging_discard(staging);
        staging_close(staging);
        status = sr_error_raise(&why);
        goto out;
    }
    *out = file;
    file = NULL;
    *info = (struct door_open_info){.direct_io = true};
out:
    door_file_free(file);
    if (status == SR_ERR_NO_SPACE)
        reason = "no_space";
    return status < 0 && reason != NULL
               ? door_refused(door, actor, "create", reason, parent_id, name, status)
               : status;
}
