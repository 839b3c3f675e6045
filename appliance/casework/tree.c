/* Folders and names: make and remove. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/cases.h"
#include "casework/door_internal.h"
#include "casework/gather.h"
#include "casework/sibling.h"
#include "casework/tree.h"

#define YEAR_FIRST 1949

static int refuse_place(struct door *door, const struct door_actor *actor, const char *op,
                        uint64_t parent, const char *name)
{
    return door_refused(
        door, actor, op, "place", parent, name,
        sr_fail(SR_ERR_DENIED, "nothing can be put here: files and folders belong into a stage"));
}

static int append_folder(struct door *door, const struct door_actor *actor, uint64_t parent,
                         const char *name, uint64_t *index)
{
    json_t *entry;
    int status = door_entry(door, actor, "folder.make", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set(entry, "parent", sr_json_u64_text(parent))) < 0 ||
        (status = entry_set(entry, "name", json_string(name))) < 0 ||
        (status = entry_set(entry, "kind", json_string("folder"))) < 0) {
        json_decref(entry);
        return status;
    }
    return door_act(door, entry, NULL, index);
}

/* A name of four digits from 1949 to next year. */
static int parse_year(struct door *door, const char *name)
{
    char today[11];
    int64_t now = door->io->now_ns(door->io);
    sr_time_local_date(now, today);
    if (strlen(name) != 4 || strspn(name, "0123456789") != 4)
        return 0;
    int year = atoi(name);
    return year >= YEAR_FIRST && year <= atoi(today) + 1 ? year : 0;
}

/* A case is one for all, whoever may know of it: its number is given out once. */
static bool is_taken(struct door *door, const struct catalog_user *user,
                     const struct catalog_node *parent, const char *name, struct catalog_node *out)
{
    return parent->kind == CATALOG_KIND_ROOT || parent->kind == CATALOG_KIND_YEAR
               ? catalog_lookup(door->catalog, parent->id, name, out) == 0
               : sibling_find(door, user, parent->id, name, out) == 0;
}

int door_mkdir(struct door *door, const struct door_actor *actor, uint64_t parent_id,
               const char *name, struct catalog_node *out)
{
    struct catalog_user user;
    struct catalog_node parent;
    const char *reason = NULL;
    uint64_t index = 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "mkdir", status);
    if (gather_is_folder(parent_id))
        return gather_refuse(door, actor, "mkdir", parent_id, name);
    if ((status = catalog_get(door->catalog, parent_id, &parent)) < 0 ||
        (status = place_visible(door, &user, &parent)) < 0)
        return status;
    bool year = parent.kind == CATALOG_KIND_ROOT, new_case = parent.kind == CATALOG_KIND_YEAR;
    if (!door_allows(door, &user, year || new_case ? ACT_CASE_OPEN : ACT_ADD, &parent))
        return door_refused(door, actor, "mkdir", "denied", parent_id, name,
                            sr_fail(SR_ERR_DENIED, "%s may not make folders here", user.account));
    int year_number = year ? parse_year(door, name) : 0;
    if ((year && year_number == 0) || (!year && !new_case && !place_takes_records(&parent)))
        return refuse_place(door, actor, "mkdir", parent_id, name);
    if ((status = door_ready(door)) < 0)
        return status;
    struct door_actor who = door_who(door, actor);
    pthread_mutex_lock(&door->lock);
    if ((status = catalog_get(door->catalog, parent_id, &parent)) < 0)
        ; /* removed since */
    else if (is_taken(door, &user, &parent, name, out))
        status = sr_fail(SR_ERR_EXISTS, "the name is taken");
    else if ((status = place_check_name(door, new_case || year ? NULL : &user, parent_id, name, 0,
                                        &reason)) == 0)
        status = year       ? cases_append_year(door, actor->uid, year_number, &index)
                 : new_case ? cases_append_case(door, &who, atoi(parent.name), name, true, &index)
                            : append_folder(door, &who, parent_id, name, &index);
    if (status == 0)
        status = catalog_get(door->catalog, door_node_id(index), out);
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        return ledger_commit(door->ledger, index);
    return reason != NULL ? door_refused(door, actor, "mkdir", reason, parent_id, name, status)
                          : status;
}

int tree_check_provisional(struct door *door, const struct door_actor *actor,
                           const struct catalog_node *node, const char **reason)
{
    bool sealed;
    *reason = "fixed_folder";
    if (node->kind != CATALOG_KIND_CASE && node->kind != CATALOG_KIND_FOLDER) {
        int status = catalog_has_sealed(door->catalog, node->id, &sealed);
        if (status < 0)
            return status;
        return sealed ? sr_fail(SR_ERR_SEALED, "sealed records lie below this folder")
                      : sr_fail(SR_ERR_FIXED, "this folder belongs to the store");
    }
    int status = catalog_has_sealed(door->catalog, node->id, &sealed);
    if (status < 0)
        return status;
    if (sealed)
        return sr_fail(SR_ERR_SEALED, "sealed records lie below this folder");
    if (!node->provisional)
        return sr_fail(SR_ERR_FIXED, "the folder is no longer provisional");
    *reason = "denied";
    if (node->uid != actor->uid)
        return sr_fail(SR_ERR_DENIED, "only its maker may move or remove a provisional folder");
    *reason = NULL;
    return 0;
}

int door_rmdir(struct door *door, const struct door_actor *actor, uint64_t parent, const char *name)
{
    struct catalog_node node = {0};
    json_t *entry;
    const char *reason = NULL;
    uint64_t index = 0;
    bool empty;
    int status = door_lookup(door, actor, parent, name, &node);
    if (status < 0)
        return status;
    if (gather_is_folder(parent))
        return gather_refuse(door, actor, "rmdir", parent, name);
    if (node.kind == CATALOG_KIND_RECORD || node.kind == CATALOG_KIND_STUB ||
        node.kind == CATALOG_KIND_VIRTUAL || node.kind == CATALOG_KIND_LINK)
        return sr_fail(SR_ERR_NOT_DIRECTORY, "it is not a folder");
    struct door_actor who = door_who(door, actor);
    if ((status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    if ((status = catalog_get(door->catalog, node.id, &node)) == 0 &&
        (status = tree_check_provisional(door, actor, &node, &reason)) == 0 &&
        (status = catalog_is_empty(door->catalog, node.id, &empty)) == 0) {
        if (!empty) {
            reason = "not_empty";
            status = sr_fail(SR_ERR_NOT_EMPTY, "the folder is not empty");
        } else if ((status = door_entry(door, &who, "folder.remove", &entry)) == 0) {
            if ((status = entry_set(entry, "node", sr_json_u64_text(node.id))) < 0)
                json_decref(entry);
            else
                status = door_act(door, entry, NULL, &index);
        }
    }
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        return ledger_commit(door->ledger, index);
    return reason != NULL ? door_refused(door, actor, "rmdir", reason, node.id, NULL, status)
                          : status;
}

/* record.discard of the current, unsealed version. *gone holds a ref: give it to finish_discard. */
int tree_discard(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                 struct live **gone, uint64_t *index)
{
    struct live *live = live_find(door, &node->version.object);
    json_t *entry = NULL, *private_part = NULL;
    if (live == NULL)
        return sr_fail(SR_ERR_DAMAGED, "the unsealed content is missing or damaged");
    if (live_is_frozen(live))
        return sr_fail(SR_ERR_SEALED, "the record is being sealed");
    private_part = door_private(actor);
    int status = private_part != NULL ? entry_new(door->io, "record.discard", &entry)
                                      : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status < 0)
        goto out;
    if ((status = entry_set(private_part, "parent", sr_json_u64_text(node->parent))) < 0 ||
        (status = entry_set(private_part, "name", json_string(node->name))) < 0 ||
        (status = entry_set_record(door->vault, entry, &live->object, live->key_id, private_part)) <
            0 ||
        (status = entry_set(entry, "node", sr_json_u64_text(node->id))) < 0) {
        json_decref(entry);
        goto out;
    }
    if ((status = door_act(door, entry, private_part, index)) == 0) {
        live_ref(live);
        live_finish(door, live, LIVE_DISCARDED);
        *gone = live;
    }
out:
    json_decref(private_part);
    return status;
}

int tree_finish_discard(struct door *door, struct live *gone, uint64_t index)
{
    int status = ledger_commit(door->ledger, index);
    if (gone == NULL)
        return status;
    struct sr_error_copy why;
    sr_error_save(&why, status);
    pthread_mutex_lock(&door->lock);
    gone->keep_content = status < 0;
    struct live *unused = live_unref(door, gone);
    pthread_mutex_unlock(&door->lock);
    live_destroy(unused);
    return status < 0 ? sr_error_raise(&why) : 0;
}

/* An earlier version that became current again is no longer superseded. Lock held. */
static void revive_previous(struct door *door, uint64_t node_id)
{
    struct catalog_node node;
    if (catalog_get(door->catalog, node_id, &node) < 0 || node.version.state != CATALOG_STAGING)
        return;
    struct live *live = live_find(door, &node.version.object);
    if (live != NULL && !live->appended)
        live->superseded = false;
}

int door_unlink(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name)
{
    struct catalog_user user;
    struct catalog_node node;
    struct live *gone = NULL;
    uint64_t index = 0;
    int status = door_lookup(door, actor, parent, name, &node);
    if (status < 0 || (status = door_user(door, actor, &user)) < 0)
        return status;
    if (gather_is_folder(parent))
        return gather_refuse(door, actor, "unlink", parent, name);
    if (node.kind == CATALOG_KIND_LINK)
        return door_refused(door, actor, "unlink", "fixed_folder", CATALOG_MINE, name,
                            sr_fail(SR_ERR_FIXED, "the links of 我的案件 are the store's own"));
    if (node.kind == CATALOG_KIND_VIRTUAL || node.kind == CATALOG_KIND_STUB)
        return door_refused(door, actor, "unlink", "sealed", node.id, NULL,
                            sr_fail(SR_ERR_SEALED, "the file is the store's own"));
    if (node.kind != CATALOG_KIND_RECORD)
        return sr_fail(SR_ERR_IS_DIRECTORY, "it is a folder");
    if (node.version.state != CATALOG_STAGING)
        return door_refused(door, actor, "unlink", "sealed", node.id, NULL,
                            sr_fail(SR_ERR_SEALED, "the record is sealed"));
    if (!door_allows(door, &user, ACT_ADD, &node) || node.version.uid != actor->uid)
        return door_refused(
            door, actor, "unlink", "denied", node.id, NULL,
            sr_fail(SR_ERR_DENIED, "only its maker may remove what is not sealed yet"));
    if ((status = door_ready(door)) < 0)
        return status;
    struct door_actor who = door_who(door, actor);
    pthread_mutex_lock(&door->lock);
    status =
        catalog_get(door->catalog, node.id, &node); /* anew: it may have been sealed or moved */
    if (status == 0 && (node.version.state != CATALOG_STAGING || node.version.uid != actor->uid))
        status = sr_fail(SR_ERR_SEALED, "the record is sealed");
    if (status == 0)
        status = tree_discard(door, &who, &node, &gone, &index);
    if (status == 0)
        revive_previous(door, node.id);
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        return tree_finish_discard(door, gone, index);
    return status == SR_ERR_SEALED
               ? door_refused(door, actor, "unlink", "sealed", node.id, NULL, status)
               : status;
}
