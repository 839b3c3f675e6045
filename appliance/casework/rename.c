/* Renames: of provisional folders, and of records before the seal. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/door_internal.h"
#include "casework/gather.h"
#include "casework/sibling.h"
#include "casework/tree.h"

struct move { /* one rename, checked step by step */
    struct catalog_user user;
    struct catalog_node node, parent, target;
    bool has_target;
    const char *name;
    const char *reason;
    uint64_t refused_node;
    struct live *gone; /* discarded to make room */
    uint64_t index;
};

static int move_folder(struct door *door, const struct door_actor *actor, struct move *move)
{
    json_t *entry;
    struct catalog_node above = move->parent;
    int status = tree_check_provisional(door, actor, &move->node, &move->reason);
    if (status < 0)
        return status;
    struct catalog_node from;
    if ((status = catalog_get(door->catalog, move->node.parent, &from)) < 0)
        return status;
    /* What lies below keeps its place: never from a stage into drafts or 待归案, or back. */
    bool fits =
        move->node.kind == CATALOG_KIND_CASE
            ? move->parent.id == move->node.parent
            : place_takes_records(&move->parent) && place_same_anchor(door, &from, &move->parent);
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
    /* As for making one: a case is one for all. */
    if ((status = place_check_name(door, move->node.kind == CATALOG_KIND_CASE ? NULL : &move->user,
                                   move->parent.id, move->name, move->node.id, &move->reason)) <
            0 ||
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
    live->newest_index = move->index;
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
    live->newest_index = move->index;
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
        /* a rename that changes only the case of its own name has itself as twin */
        int status = place_check_name(door, &move->user, move->parent.id, move->name, move->node.id,
                                      &move->reason);
        if (status < 0)
            return status;
        move->reason = NULL;
        return append_rename(door, actor, move, live);
    }
    move->refused_node = move->target.id;
    move->reason = "sealed";
    if (move->target.kind == CATALOG_KIND_STUB || move->target.kind == CATALOG_KIND_VIRTUAL)
        return sr_fail(SR_ERR_SEALED, "the name is the store's own");
    if (move->target.kind != CATALOG_KIND_RECORD) {
        move->reason = NULL;
        return sr_fail(SR_ERR_IS_DIRECTORY, "the name is a folder's");
    }
    over = move->target.version.state == CATALOG_STAGING
               ? live_find(door, &move->target.version.object)
               : NULL;
    if (move->target.version.state == CATALOG_SEALED || (over != NULL && over->appended))
        return sr_fail(SR_ERR_SEALED, "a sealed record has this name");
    move->reason = "in_use";
    if (move->target.version.state == CATALOG_STAGING && move->target.version.uid != actor->uid)
        return sr_fail(SR_ERR_DENIED, "somebody else's content of this name is not sealed yet");
    move->reason = NULL;
    if (move->target.version.state == CATALOG_STAGING && over == NULL)
        return sr_fail(SR_ERR_DAMAGED, "the content of this name is missing or damaged");
    if (over != NULL && !live_is_frozen(over) &&
        (over->draft || over->junk || staging_size(over->staging) == 0)) {
        int status = tree_discard(door, actor, &move->target, &move->gone, &move->index);
        return status < 0 ? status : append_rename(door, actor, move, live);
    }
    return move_as_version(door, actor, move, live, over);
}

int door_rename(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name, uint64_t new_parent, const char *new_name, bool no_replace)
{
    struct move move = {.name = new_name};
    int status = door_lookup(door, actor, parent, name, &move.node);
    if (status == 0 && (gather_is_folder(parent) || gather_is_folder(new_parent)))
        return gather_refuse(door, actor, "rename", gather_is_folder(parent) ? parent : new_parent,
                             gather_is_folder(parent) ? name : new_name);
    if (status < 0 || (status = door_user(door, actor, &move.user)) < 0 ||
        (status = catalog_get(door->catalog, new_parent, &move.parent)) < 0 ||
        (status = place_visible(door, &move.user, &move.parent)) < 0)
        return status;
    move.refused_node = move.node.id;
    if (move.node.kind == CATALOG_KIND_LINK)
        return door_refused(door, actor, "rename", "fixed_folder", CATALOG_MINE, name,
                            sr_fail(SR_ERR_FIXED, "the links of 我的案件 are the store's own"));
    if (move.node.kind == CATALOG_KIND_STUB || move.node.kind == CATALOG_KIND_VIRTUAL)
        return door_refused(door, actor, "rename", "sealed", move.node.id, NULL,
                            sr_fail(SR_ERR_SEALED, "the file is the store's own"));
    bool is_sealed =
        move.node.kind == CATALOG_KIND_RECORD && move.node.version.state != CATALOG_STAGING;
    /* Folders are judged by check_provisional: what lies above sealed records is SR_ERR_SEALED for all. */
    if (move.node.kind == CATALOG_KIND_RECORD && !is_sealed &&
        (!door_allows(door, &move.user, ACT_ADD, &move.node) ||
         move.node.version.uid != actor->uid)) /* D7 */
        return door_refused(door, actor, "rename", "denied", move.node.id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not rename this", move.user.account));
    if (parent == new_parent && strcmp(name, new_name) == 0)
        return is_sealed ? door_refused(door, actor, "rename", "sealed", move.node.id, NULL,
                                        sr_fail(SR_ERR_SEALED, "the record is sealed"))
                         : 0;
    if ((status = door_ready(door)) < 0)
        return status;
    struct door_actor who = door_who(door, actor);
    pthread_mutex_lock(&door->lock);
    /* Anew under the lock: they may have been sealed, moved or removed since. */
    if ((status = catalog_get(door->catalog, move.node.id, &move.node)) == 0 &&
        (status = catalog_get(door->catalog, new_parent, &move.parent)) == 0) {
        status = move.node.kind == CATALOG_KIND_CASE
                     ? catalog_lookup(door->catalog, new_parent, new_name, &move.target)
                     : sibling_find(door, &move.user, new_parent, new_name, &move.target);
        move.has_target = status == 0;
        if (status == 0 && no_replace)
            status = sr_fail(SR_ERR_EXISTS, "the name is taken");
        else if (status == 0 || status == SR_ERR_NOT_FOUND)
            status = move.node.kind == CATALOG_KIND_RECORD ? move_record(door, &who, &move)
                                                           : move_folder(door, &who, &move);
    }
    pthread_cond_signal(&door->wake);
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        return tree_finish_discard(door, move.gone, move.index);
    if (move.gone != NULL)
        tree_finish_discard(door, move.gone, move.index);
    return move.reason != NULL
               ? door_refused(door, actor, "rename", move.reason, move.refused_node,
                              move.refused_node == move.node.id ? NULL : name, status)
               : status;
}
