/* Folders and names: make, remove, rename. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/cases.h"
#include "casework/door_internal.h"

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

int door_mkdir(struct door *door, const struct door_actor *actor, uint64_t parent_id,
               const char *name, struct catalog_node *out)
{
    struct catalog_user user;
    struct catalog_node parent;
    const char *reason = NULL;
    uint64_t index = 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_refused(door, actor, "mkdir", "unknown_user", 0, NULL, status);
    if ((status = catalog_get(door->catalog, parent_id, &parent)) < 0 ||
        (status = place_visible(door, &user, &parent)) < 0)
        return status;
    bool year = parent.kind == CATALOG_KIND_ROOT, new_case = parent.kind == CATALOG_KIND_YEAR;
    if (!authorise(&user, year || new_case ? ACT_CASE_OPEN : ACT_ADD))
        return door_refused(door, actor, "mkdir", "denied", parent_id, name,
                            sr_fail(SR_ERR_DENIED, "%s may not make folders here", user.account));
    int year_number = year ? parse_year(door, name) : 0;
    if ((year && year_number == 0) || (!year && !new_case && !place_takes_records(&parent)))
        return refuse_place(door, actor, "mkdir", parent_id, name);
    pthread_mutex_lock(&door->lock);
    if (catalog_lookup(door->catalog, parent_id, name, out) == 0)
        status = sr_fail(SR_ERR_EXISTS, "the name is taken");
    else if ((status = place_check_name(door, parent_id, name, &reason)) == 0)
        status = year       ? cases_append_year(door, actor->uid, year_number, &index)
                 : new_case ? cases_append_case(door, actor, atoi(parent.name), name, true, &index)
                            : append_folder(door, actor, parent_id, name, &index);
    if (status == 0)
        status = catalog_get(door->catalog, door_node_id(index), out);
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        return ledger_commit(door->ledger, index);
    return reason != NULL ? door_refused(door, actor, "mkdir", reason, parent_id, name, status)
                          : status;
}

/* May this folder still be moved or removed by this person? reason is the refusal word. */
static int check_provisional(struct door *door, const struct door_actor *actor,
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
    if (node.kind == CATALOG_KIND_RECORD || node.kind == CATALOG_KIND_STUB ||
        node.kind == CATALOG_KIND_VIRTUAL)
        return sr_fail(SR_ERR_NOT_DIRECTORY, "it is not a folder");
    pthread_mutex_lock(&door->lock);
    if ((status = check_provisional(door, actor, &node, &reason)) == 0 &&
        (status = catalog_is_empty(door->catalog, node.id, &empty)) == 0) {
        if (!empty)
            status = sr_fail(SR_ERR_NOT_EMPTY, "the folder is not empty");
        else if ((status = door_entry(door, actor, "folder.remove", &entry)) == 0) {
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

/* record.discard of the current, unsealed version. *unused is to be destroyed without the lock. */
static int discard_locked(struct door *door, const struct door_actor *actor,
                          const struct catalog_node *node, struct live **unused, uint64_t *index)
{
    struct live *live = live_find(door, &node->version.object);
    json_t *entry = NULL, *private_part = NULL;
    if (live == NULL || live_is_frozen(live))
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
    if ((status = door_act(door, entry, private_part, index)) == 0)
        *unused = live_finish(door, live, LIVE_DISCARDED);
out:
    json_decref(private_part);
    return status;
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
    struct live *unused = NULL;
    uint64_t index = 0;
    int status = door_lookup(door, actor, parent, name, &node);
    if (status < 0 || (status = door_user(door, actor, &user)) < 0)
        return status;
    if (node.kind == CATALOG_KIND_VIRTUAL || node.kind == CATALOG_KIND_STUB)
        return door_refused(door, actor, "unlink", "sealed", node.id, NULL,
                            sr_fail(SR_ERR_SEALED, "the file is the store's own"));
    if (node.kind != CATALOG_KIND_RECORD)
        return sr_fail(SR_ERR_IS_DIRECTORY, "it is a folder");
    if (node.version.state != CATALOG_STAGING)
        return door_refused(door, actor, "unlink", "sealed", node.id, NULL,
                            sr_fail(SR_ERR_SEALED, "the record is sealed"));
    if (!authorise(&user, ACT_ADD) || (node.version.uid != actor->uid && !node.junk))
        return door_refused(
            door, actor, "unlink", "denied", node.id, NULL,
            sr_fail(SR_ERR_DENIED, "only its maker may remove what is not sealed yet"));
    pthread_mutex_lock(&door->lock);
    status = discard_locked(door, actor, &node, &unused, &index);
    if (status == 0)
        revive_previous(door, node.id);
    pthread_mutex_unlock(&door->lock);
    live_destroy(unused);
    if (status == 0)
        return ledger_commit(door->ledger, index);
    return status == SR_ERR_SEALED
               ? door_refused(door, actor, "unlink", "sealed", node.id, NULL, status)
               : status;
}

/* --- rename --- */

struct move { /* one rename, checked step by step */
    struct catalog_node node, parent, target;
    bool has_target;
    const char *name;
    const char *reason;
    uint64_t refused_node;
    struct live *unused;
    uint64_t index;
};

static int move_folder(struct door *door, const struct door_actor *actor, struct move *move)
{
    json_t *entry;
    struct catalog_node above = move->parent;
    int status = check_provisional(door, actor, &move->node, &move->reason);
    if (status < 0)
        return status;
    bool fits = move->node.kind == CATALOG_KIND_CASE ? move->parent.id == move->node.parent
                                                     : place_takes_records(&move->parent);
    move->reason = "place";
    if (!fits)
        return sr_fail(SR_ERR_DENIED, "the folder cannot lie there");
    for (; above.id != CATALOG_ROOT;)
        if (above.id == move->node.id)
            return sr_fail(SR_ERR_INVALID, "a folder cannot be moved into itself");
        else if ((status = catalog_get(door->catalog, above.parent, &above)) < 0)
            return status;
    move->reason = NULL;
    if (move->has_target)
        return sr_fail(move->target.kind == CATALOG_KIND_RECORD ? SR_ERR_NOT_DIRECTORY
                                                                : SR_ERR_NOT_EMPTY,
                       "the name is taken");
    if ((status = place_check_name(door, move->parent.id, move->name, &move->reason)) < 0 ||
        (status = door_entry(door, actor, "folder.rename", &entry)) < 0)
        return status;
    if ((status = entry_set(entry, "node", sr_json_u64_text(move->node.id))) < 0 ||
        (status = entry_set(entry, "parent", sr_json_u64_text(move->parent.id))) < 0 ||
        (status = entry_set(entry, "name", json_string(move->name))) < 0) {
        json_decref(entry);
        return status;
    }
    return door_act(door, entry, NULL, &move->index);
}

static int append_rename(struct door *door, const struct door_actor *actor, struct move *move,
                         struct live *live)
{
    json_t *entry = NULL, *private_part = door_private(actor);
    bool draft = place_in_drafts(door, &move->parent),
         junk = workflow_is_junk(door->workflow, move->name);
    int status = private_part != NULL ? entry_new(door->io, "record.rename", &entry)
                                      : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status < 0)
        goto out;
    if ((status = entry_set(private_part, "parent", sr_json_u64_text(move->parent.id))) < 0 ||
        (status = entry_set(private_part, "name", json_string(move->name))) < 0 ||
        (status = entry_set(private_part, "draft", json_boolean(draft))) < 0 ||
        (status = entry_set(private_part, "junk", json_boolean(junk))) < 0 ||
        (status = entry_set_record(door->vault, entry, &live->object, live->key_id, private_part)) <
            0 ||
        (status = entry_set(entry, "node", sr_json_u64_text(move->node.id))) < 0) {
        json_decref(entry);
        goto out;
    }
    if ((status = door_act(door, entry, private_part, &move->index)) < 0)
        goto out;
    live->draft = draft;
    live->junk = junk;
    live->scratch = workflow_is_scratch(door->workflow, move->name);
    if (live->writers == 0) /* a draft that comes into a stage starts to settle now */
        live->last_close_ns = door->io->boottime_ns(door->io);
out:
    json_decref(private_part);
    return status;
}

/* The moved content becomes the next version of the record that has the name (temp-file-and-rename
 * saves); the earlier bytes are kept as a superseded version. */
static int move_as_version(struct door *door, const struct door_actor *actor, struct move *move,
                           struct live *live, struct live *over)
{
    json_t *entry = NULL, *private_part = door_private(actor);
    int status = private_part != NULL ? entry_new(door->io, "record.version", &entry)
                                      : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status < 0)
        goto out;
    if ((status = entry_set_record(door->vault, entry, &live->object, live->key_id, private_part)) <
            0 ||
        (status = entry_set(entry, "node", sr_json_u64_text(move->target.id))) < 0 ||
        (status = entry_set(entry, "previous",
                            sr_json_hex(move->target.version.object.bytes,
                                        sizeof move->target.version.object.bytes))) < 0) {
        json_decref(entry);
        goto out;
    }
    if ((status = door_act(door, entry, private_part, &move->index)) < 0)
        goto out;
    live->node = move->target.id;
    live->draft = live->junk = false;
    live->scratch = over != NULL && over->scratch;
    if (live->writers == 0)
        live->last_close_ns = door->io->boottime_ns(door->io);
    if (over != NULL) {
        over->superseded = true;
        if (over->last_close_ns < 0 && over->writers == 0)
            over->last_close_ns = door->io->boottime_ns(door->io);
    }
out:
    json_decref(private_part);
    return status;
}

static bool is_evidence_name(struct door *door, const struct move *move)
{
    return !place_in_drafts(door, &move->parent) && !workflow_is_junk(door->workflow, move->name) &&
           !workflow_is_scratch(door->workflow, move->name);
}

static int move_record(struct door *door, const struct door_actor *actor, struct move *move)
{
    struct live *live = live_find(door, &move->node.version.object), *over = NULL;
    move->reason = "sealed";
    /* While its content is being finalized a record may still be renamed, until the ledger append. */
    if (move->node.version.state != CATALOG_STAGING || live == NULL || live->appended ||
        (live_is_frozen(live) && !is_evidence_name(door, move)))
        return sr_fail(SR_ERR_SEALED,
                       "the record is sealed; `strongroom record file` moves it by an act");
    move->reason = "place";
    if (!place_takes_records(&move->parent))
        return sr_fail(SR_ERR_DENIED, "files belong into a stage folder of a case");
    move->reason = NULL;
    if (!move->has_target) {
        struct catalog_node self = move->node;
        int status = place_check_name(door, move->parent.id, move->name, &move->reason);
        /* a rename that changes only the case of its own name has itself as twin */
        if (status == SR_ERR_NAME_TWIN && self.parent == move->parent.id) {
            struct catalog_node twin;
            if (catalog_twin(door->catalog, move->parent.id, move->name, &twin) == 0 &&
                twin.id == self.id)
                status = 0;
        }
        if (status < 0)
            return status;
        move->reason = NULL;
        return append_rename(door, actor, move, live);
    }
    if (move->target.kind != CATALOG_KIND_RECORD)
        return sr_fail(SR_ERR_IS_DIRECTORY, "the name is a folder's");
    over = move->target.version.state == CATALOG_STAGING
               ? live_find(door, &move->target.version.object)
               : NULL;
    if (move->target.version.state == CATALOG_SEALED || (over != NULL && over->appended)) {
        move->reason = "sealed";
        move->refused_node = move->target.id;
        return sr_fail(SR_ERR_SEALED, "a sealed record has this name");
    }
    if (over != NULL && !live_is_frozen(over) &&
        (over->draft || over->junk || staging_size(over->staging) == 0)) {
        int status = discard_locked(door, actor, &move->target, &move->unused, &move->index);
        return status < 0 ? status : append_rename(door, actor, move, live);
    }
    return move_as_version(door, actor, move, live, over);
}

int door_rename(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name, uint64_t new_parent, const char *new_name, bool no_replace)
{
    struct catalog_user user;
    struct move move = {.name = new_name};
    int status = door_lookup(door, actor, parent, name, &move.node);
    if (status < 0 || (status = door_user(door, actor, &user)) < 0 ||
        (status = catalog_get(door->catalog, new_parent, &move.parent)) < 0 ||
        (status = place_visible(door, &user, &move.parent)) < 0)
        return status;
    move.refused_node = move.node.id;
    if (move.node.kind == CATALOG_KIND_STUB || move.node.kind == CATALOG_KIND_VIRTUAL)
        return door_refused(door, actor, "rename", "sealed", move.node.id, NULL,
                            sr_fail(SR_ERR_SEALED, "the file is the store's own"));
    bool is_sealed =
        move.node.kind == CATALOG_KIND_RECORD && move.node.version.state != CATALOG_STAGING;
    /* Folders are judged by check_provisional: what lies above sealed records is SR_ERR_SEALED for all. */
    if (move.node.kind == CATALOG_KIND_RECORD && !is_sealed && !authorise(&user, ACT_ADD))
        return door_refused(door, actor, "rename", "denied", move.node.id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not rename", user.account));
    if (parent == new_parent && strcmp(name, new_name) == 0)
        return is_sealed ? door_refused(door, actor, "rename", "sealed", move.node.id, NULL,
                                        sr_fail(SR_ERR_SEALED, "the record is sealed"))
                         : 0;
    pthread_mutex_lock(&door->lock);
    /* Anew under the lock: it may have been sealed, moved or removed since. */
    if ((status = catalog_get(door->catalog, move.node.id, &move.node)) == 0) {
        status = catalog_lookup(door->catalog, new_parent, new_name, &move.target);
        move.has_target = status == 0;
        if (status == 0 && no_replace)
            status = sr_fail(SR_ERR_EXISTS, "the name is taken");
        else if (status == 0 || status == SR_ERR_NOT_FOUND)
            status = move.node.kind == CATALOG_KIND_RECORD ? move_record(door, actor, &move)
                                                           : move_folder(door, actor, &move);
    }
    pthread_cond_signal(&door->wake);
    pthread_mutex_unlock(&door->lock);
    live_destroy(move.unused);
    if (status == 0)
        return ledger_commit(door->ledger, move.index);
    return move.reason != NULL
               ? door_refused(door, actor, "rename", move.reason, move.refused_node,
                              move.refused_node == move.node.id ? NULL : name, status)
               : status;
}
