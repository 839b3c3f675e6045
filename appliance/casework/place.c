/* Names and places: what may be called what, where records may lie, who sees which folder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/door_internal.h"
#include "casework/sibling.h"

int place_check_name(struct door *door, const struct catalog_user *user, uint64_t parent,
                     const char *name, uint64_t self, const char **reason)
{
    size_t len = strlen(name);
    *reason = "name_too_long";
    if (len > CATALOG_NAME_MAX)
        return sr_fail(SR_ERR_NAME_TOO_LONG, "the name has %zu bytes; 255 are allowed", len);
    *reason = "name_encoding";
    if (!sr_utf8_valid(name, len))
        return sr_fail(SR_ERR_NAME_ENCODING, "the name is not UTF-8");
    *reason = "name_reserved";
    if (len == 0 || strchr(name, '/') != NULL || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return sr_fail(SR_ERR_INVALID, "the name is empty, . or .., or holds a slash");
    for (size_t i = 0; i < len; i++)
        if ((uint8_t)name[i] < 0x20 || name[i] == 0x7f)
            return sr_fail(SR_ERR_INVALID, "the name holds a control character");
    if (sibling_is_reserved(name))
        return sr_fail(SR_ERR_INVALID, "〔同名N〕 tells records of one name apart, and is given by "
                                       "the store alone");
    *reason = "name_twin";
    int status = sibling_twin(door, user, parent, name, self);
    if (status == 0)
        return sr_fail(SR_ERR_NAME_TWIN, "a sibling differs only in case or Unicode form");
    *reason = NULL;
    return status == SR_ERR_NOT_FOUND ? 0 : status;
}

bool place_takes_records(const struct catalog_node *parent)
{
    return parent->kind == CATALOG_KIND_STAGE || parent->kind == CATALOG_KIND_DRAFTS ||
           parent->kind == CATALOG_KIND_FOLDER || parent->kind == CATALOG_KIND_UNFILED_DATE;
}

int place_anchor(struct door *door, const struct catalog_node *node, struct catalog_node *out)
{
    *out = *node;
    while (out->kind == CATALOG_KIND_FOLDER || out->kind == CATALOG_KIND_RECORD ||
           out->kind == CATALOG_KIND_STUB || out->kind == CATALOG_KIND_UNFILED_DATE) {
        int status = catalog_get(door->catalog, out->parent, out);
        if (status < 0)
            return status;
    }
    return 0;
}

bool place_same_anchor(struct door *door, const struct catalog_node *one,
                       const struct catalog_node *other)
{
    struct catalog_node above[2] = {*one, *other};
    for (size_t i = 0; i < 2; i++)
        while (above[i].kind == CATALOG_KIND_FOLDER)
            if (catalog_get(door->catalog, above[i].parent, &above[i]) < 0)
                return false;
    return above[0].id == above[1].id;
}

bool place_in_drafts(struct door *door, const struct catalog_node *parent)
{
    struct catalog_node anchor;
    return place_anchor(door, parent, &anchor) == 0 && anchor.kind == CATALOG_KIND_DRAFTS;
}

static bool is_place(enum catalog_kind kind)
{
    return kind == CATALOG_KIND_ROOT || kind == CATALOG_KIND_YEAR || kind == CATALOG_KIND_CASE ||
           kind == CATALOG_KIND_STAGE || kind == CATALOG_KIND_DRAFTS ||
           kind == CATALOG_KIND_UNFILED_ROOT || kind == CATALOG_KIND_VIRTUAL ||
           kind == CATALOG_KIND_MINE || kind == CATALOG_KIND_GATHER;
}

/* root reaches a record by its exact name, so that its attempts to change it are refused for what they
 * are (SR_ERR_SEALED) and stand in the ledger; it cannot list or read. */
static bool may_know(struct door *door, const struct catalog_user *user,
                     const struct catalog_node *node)
{
    return user->uid == 0 || door_allows(door, user, ACT_LIST, node);
}

int place_visible(struct door *door, const struct catalog_user *user,
                  const struct catalog_node *node)
{
    bool of_a_case = node->kind == CATALOG_KIND_CASE || node->kind == CATALOG_KIND_STAGE ||
                     node->kind == CATALOG_KIND_DRAFTS;
    if (is_place(node->kind) && door_allows(door, user, ACT_PLACES, node))
        return 0;
    if (of_a_case) /* for whom it is not, it is not there */
        return sr_fail(SR_ERR_NOT_FOUND, "there is no such case");
    if (is_place(node->kind))
        return sr_fail(SR_ERR_DENIED, "%s may not see this", user->account);
    /* A stub shows the name of the record that went: for whom that is not there, the stub is not. */
    struct catalog_node record;
    if (node->kind == CATALOG_KIND_STUB &&
        catalog_get(door->catalog, node->moved_to, &record) == 0 && !may_know(door, user, &record))
        return sr_fail(SR_ERR_NOT_FOUND, "there is no such record");
    return may_know(door, user, node) ? 0 : sr_fail(SR_ERR_NOT_FOUND, "there is no such record");
}

/* folder.make of an unfiled folder. Lock held. */
static int make_unfiled(struct door *door, const struct door_actor *actor, uint64_t parent,
                        const char *name, const char *kind, uint64_t *node)
{
    json_t *entry;
    uint64_t index;
    int status = entry_new(door->io, "folder.make", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set(entry, "parent", sr_json_u64_text(parent))) < 0 ||
        (status = entry_set(entry, "name", json_string(name))) < 0 ||
        (status = entry_set(entry, "uid", json_integer(actor->uid))) < 0 ||
        (status = entry_set(entry, "kind", json_string(kind))) < 0) {
        json_decref(entry);
        return status;
    }
    if ((status = door_act(door, entry, NULL, &index)) == 0)
        *node = door_node_id(index);
    return status;
}

static int ensure_folder(struct door *door, const struct door_actor *actor, uint64_t parent,
                         const char *name, const char *kind, uint64_t *node)
{
    struct catalog_node found;
    int status = catalog_lookup(door->catalog, parent, name, &found);
    if (status == SR_ERR_NOT_FOUND)
        return make_unfiled(door, actor, parent, name, kind, node);
    *node = found.id;
    return status;
}

int place_ensure_unfiled(struct door *door, const struct door_actor *actor,
                         const struct catalog_user *user)
{
    char today[11];
    uint64_t folder, date;
    if (!door_allows(door, user, ACT_ADD, NULL))
        return 0;
    sr_time_local_date(door->io->now_ns(door->io), today);
    pthread_mutex_lock(&door->lock);
    int status =
        ensure_folder(door, actor, CATALOG_UNFILED, user->account, "unfiled_user", &folder);
    if (status == 0)
        status = ensure_folder(door, actor, folder, today, "unfiled_date", &date);
    pthread_mutex_unlock(&door->lock);
    return status;
}
