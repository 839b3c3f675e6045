/* Stated purposes and standing grants: what lets a person read what is restricted, for a while. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/door_internal.h"
#include "casework/reading.h"

#define HOUR_NS (3600 * INT64_C(1000000000))
#define DAY_NS (24 * HOUR_NS)
#define SHANGHAI_NS (8 * HOUR_NS) /* days are the agency's */

static int check_purpose(const char *purpose)
{
    if (purpose == NULL || purpose[0] == '\0')
        return sr_fail(SR_ERR_INVALID, "a purpose is needed: why is it opened?");
    return accounts_check_text("the purpose", purpose, CATALOG_PURPOSE_MAX);
}

/* A record, or what holds records, that the actor may know of. */
static int find_node(struct door *door, const struct door_actor *actor, uint64_t node_id,
                     struct catalog_node *out)
{
    int status = door_getattr(door, actor, node_id, out);
    if (status < 0)
        return status;
    switch (out->kind) {
    case CATALOG_KIND_RECORD:
    case CATALOG_KIND_CASE:
    case CATALOG_KIND_STAGE:
    case CATALOG_KIND_DRAFTS:
    case CATALOG_KIND_FOLDER:
    case CATALOG_KIND_UNFILED_DATE:
        return 0;
    default:
        return sr_fail(SR_ERR_INVALID,
                       "a purpose is stated for a record, a case or a folder in it");
    }
}

/* view.grant; the purpose for a record is private. Commits. */
static int append_grant(struct door *door, const struct catalog_node *node,
                        struct catalog_grant *grant)
{
    bool record = node->kind == CATALOG_KIND_RECORD;
    json_t *entry, *part = NULL;
    int status = entry_new(door->io, "view.grant", &entry);
    if (status < 0)
        return status;
    if ((record && (part = json_object()) == NULL) ||
        (status = entry_set(entry, "node", sr_json_u64_text(node->id))) < 0 ||
        (status = entry_set(entry, "uid", json_integer(grant->uid))) < 0 ||
        (status = entry_set(entry, "by", json_integer(grant->by))) < 0 ||
        (status = entry_set(entry, "until", sr_json_i64_text(grant->until_ns))) < 0 ||
        (status = entry_set(record ? part : entry, "purpose", json_string(grant->purpose))) < 0 ||
        (record && (status = entry_set_record(door->vault, entry, &node->version.object,
                                              node->version.key_id, part)) < 0)) {
        status = status < 0 ? status : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
        json_decref(entry);
    } else {
        pthread_mutex_lock(&door->lock);
        status = door_act(door, entry, part, &grant->index);
        pthread_mutex_unlock(&door->lock);
    }
    json_decref(part);
    return status < 0 ? status : ledger_commit(door->ledger, grant->index);
}

static int fill(struct catalog_grant *out, const struct catalog_node *node, uint32_t uid,
                uint32_t by, const char *purpose)
{
    int status = check_purpose(purpose);
    *out = (struct catalog_grant){.node = node->id, .uid = uid, .by = by};
    if (status == 0)
        strcpy(out->purpose, purpose);
    return status;
}

int door_view(struct door *door, const struct door_actor *actor, uint64_t node_id,
              const char *purpose, unsigned hours, struct catalog_grant *out)
{
    struct catalog_user user;
    struct catalog_node node;
    int status = door_user(door, actor, &user);
    memset(out, 0, sizeof *out);
    if (status < 0)
        return door_stranger(door, actor, "view", status);
    if ((status = find_node(door, actor, node_id, &node)) < 0 ||
        (status = fill(out, &node, user.uid, user.uid, purpose)) < 0)
        return status;
    if (hours == 0 || hours > DOOR_VIEW_HOURS_MAX)
        return sr_fail(SR_ERR_INVALID,
                       "a purpose holds for 1 to %d hours; for longer a head grants it",
                       DOOR_VIEW_HOURS_MAX);
    if (node.kind == CATALOG_KIND_RECORD && door_allows(door, &user, ACT_READ, &node))
        return 0; /* needs none */
    if (!door_allows_for(door, &user, ACT_READ, &node, purpose))
        return door_refused(
            door, actor, "view", "denied", node_id, NULL,
            sr_fail(SR_ERR_DENIED, "%s may not read this, whatever the purpose", user.account));
    out->until_ns = door->io->now_ns(door->io) + hours * HOUR_NS;
    return (status = door_ready(door)) < 0 ? status : append_grant(door, &node, out);
}

/* The end of that day. */
static int parse_until(struct door *door, const char *until, int64_t *out)
{
    int32_t today = sr_day_local(door->io->now_ns(door->io)), day;
    if (until == NULL || !sr_day_parse(until, &day))
        return sr_fail(SR_ERR_INVALID, "a last day YYYY-MM-DD is needed");
    if (day < today || day > sr_day_add_years(today, 1))
        return sr_fail(SR_ERR_INVALID, "the last day of a grant is today at the earliest, and "
                                       "within a year");
    *out = (int64_t)(day + 1) * DAY_NS - SHANGHAI_NS;
    return 0;
}

/* Whom it is given to: somebody else, active, who may read it with a purpose. */
static int check_reader(struct door *door, const struct catalog_user *giver, const char *account,
                        const struct catalog_node *node, const char *purpose,
                        struct catalog_user *reader)
{
    int status = catalog_user_by_account(door->catalog, account, reader);
    if (status == SR_ERR_NOT_FOUND)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no account \"%s\"", account);
    if (status < 0)
        return status;
    if (reader->disabled)
        return sr_fail(SR_ERR_INVALID, "the account %s is disabled", account);
    if (reader->uid == giver->uid)
        return sr_fail(SR_ERR_DENIED, "nobody grants this to themselves: state a purpose with "
                                      "strongroom view");
    if (!door_allows_for(door, reader, ACT_READ, node, purpose))
        return sr_fail(SR_ERR_INVALID,
                       "the access rules do not let %s read this, whatever the purpose", account);
    return 0;
}

int door_grant(struct door *door, const struct door_actor *actor, uint64_t node_id,
               const char *account, const char *purpose, const char *until,
               struct catalog_grant *out)
{
    struct catalog_user user, reader;
    struct catalog_node node;
    int64_t until_ns = 0;
    int status = door_user(door, actor, &user);
    memset(out, 0, sizeof *out);
    if (status < 0)
        return door_stranger(door, actor, "view.grant", status);
    if ((status = find_node(door, actor, node_id, &node)) < 0)
        return status;
    if (!door_allows(door, &user, ACT_VIEW_GRANT, &node))
        return door_refused(door, actor, "view.grant", "denied", node_id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not grant readings here", user.account));
    if ((status = check_purpose(purpose)) < 0 ||
        (status = parse_until(door, until, &until_ns)) < 0 ||
        (status = check_reader(door, &user, account, &node, purpose, &reader)) < 0 ||
        (status = fill(out, &node, reader.uid, user.uid, purpose)) < 0 ||
        (status = door_ready(door)) < 0)
        return status;
    out->until_ns = until_ns;
    return append_grant(door, &node, out);
}

/* By who holds or gave it, and by whoever could give it. */
static bool may_end(struct door *door, const struct catalog_user *user,
                    const struct catalog_grant *grant)
{
    struct catalog_node node;
    if (grant->uid == user->uid || grant->by == user->uid)
        return true;
    return catalog_get(door->catalog, grant->node, &node) == 0 &&
           place_visible(door, user, &node) == 0 && door_allows(door, user, ACT_VIEW_GRANT, &node);
}

int door_grant_end(struct door *door, const struct door_actor *actor, uint64_t grant_index)
{
    struct catalog_user user;
    struct catalog_grant grant;
    json_t *entry;
    uint64_t index = 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "view.end", status);
    if ((status = catalog_grant(door->catalog, grant_index, &grant)) < 0)
        return status;
    if (!may_end(door, &user, &grant))
        return sr_fail(SR_ERR_NOT_FOUND, "there is no such grant");
    if (grant.ended || grant.until_ns <= door->io->now_ns(door->io))
        return sr_fail(SR_ERR_INVALID, "that grant is over already");
    if ((status = door_ready(door)) < 0 || (status = entry_new(door->io, "view.end", &entry)) < 0)
        return status;
    if ((status = entry_set(entry, "grant", sr_json_u64_text(grant_index))) < 0 ||
        (status = entry_set(entry, "by", json_integer(user.uid))) < 0) {
        json_decref(entry);
        return status;
    }
    pthread_mutex_lock(&door->lock);
    status = door_act(door, entry, NULL, &index);
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}

/* --- lists: copied first, so that fn may call the door --- */

struct grant_list {
    struct catalog_grant *items;
    size_t count, capacity;
    const struct catalog_user *of; /* NULL: of everybody, those that are over included */
    int64_t now_ns;
};

static int collect_grant(void *context, const struct catalog_grant *grant)
{
    struct grant_list *list = context;
    if (list->of != NULL && (grant->ended || grant->until_ns <= list->now_ns ||
                             (grant->uid != list->of->uid && grant->by != list->of->uid)))
        return 0;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 32;
        struct catalog_grant *longer = realloc(list->items, capacity * sizeof *longer);
        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for a list");
        list->items = longer;
        list->capacity = capacity;
    }
    list->items[list->count++] = *grant;
    return 0;
}

int door_grants(struct door *door, const struct door_actor *actor, bool all, catalog_grant_fn *fn,
                void *context)
{
    struct catalog_user user;
    struct grant_list list = {.now_ns = door->io->now_ns(door->io)};
    int status = all ? door_may(door, actor, "ledger") : 0;
    if (status < 0)
        return status;
    if ((status = door_user(door, actor, &user)) < 0)
        return door_stranger(door, actor, "view.grant", status);
    list.of = all ? NULL : &user;
    status = catalog_grants(door->catalog, collect_grant, &list);
    for (size_t i = 0; status == 0 && i < list.count; i++)
        status = fn(context, &list.items[i]);
    free(list.items);
    return status;
}

int door_views(struct door *door, const struct door_actor *actor, uint64_t node_id,
               catalog_view_fn *fn, void *context)
{
    struct catalog_user user;
    struct catalog_node node;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "views", status);
    if ((status = find_node(door, actor, node_id, &node)) < 0)
        return status;
    if (!door_allows(door, &user, ACT_VIEWS, &node))
        return door_refused(
            door, actor, "views", "denied", node_id, NULL,
            sr_fail(SR_ERR_DENIED, "%s may not see who has read this", user.account));
    reading_flush(door, true);
    return catalog_views(door->catalog, node_id, fn, context);
}
