/* 档号: who may give them, to what, and how they are shown. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "casework/label.h"
#include "casework/retain.h"
#include "catalog/archived.h"

/* Lock held. What the record's 档号 would begin with today. */
static int series_of(struct door *door, const struct catalog_node *node,
                     char out[CATALOG_ARCHIVE_SERIES_MAX + 1])
{
    struct archive_subject subject = {.level = node->level, .marks = node->marks};
    struct catalog_entered entered;
    struct catalog_node in_case, year;
    struct catalog_case owner;
    struct retain retain;
    int status = catalog_case_of(door->catalog, node->id, &in_case);
    if (status == 0)
        status = catalog_entered(door->catalog, node->id, &entered);
    if (status == SR_ERR_NOT_FOUND || (status == 0 && entered.case_node != in_case.id))
        return sr_fail(SR_ERR_INVALID, "没有入卷的记录没有档号");
    if (status < 0 || (status = catalog_get(door->catalog, in_case.parent, &year)) < 0 ||
        (status = catalog_case(door->catalog, in_case.id, &owner)) < 0 ||
        (status = retain_collect(door, door->agency, node, &retain)) < 0)
        return status;
    subject.type = retain.type;
    subject.months = retain_months(&retain);
    retain_free(&retain);
    subject.year = (unsigned)strtoul(year.name, NULL, 10);
    subject.unit = owner.unit;
    return archive_rules_series(door->agency->archive, &subject, out);
}

/* Lock held. */
static int append(struct door *door, const struct door_actor *actor,
                  const struct catalog_node *node, const char *series, const char *reason,
                  uint64_t *index)
{
    json_t *entry = NULL, *part = door_private(actor);
    uint64_t number;
    int status = catalog_archive_next(door->catalog, series, &number);
    if (status == 0 && part == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status == 0)
        status = entry_set(part, "reason", json_string(reason));
    if (status == 0)
        status = entry_new(door->io, "record.archive", &entry);
    if (status < 0 || (status = entry_set(entry, "node", sr_json_u64_text(node->id))) < 0 ||
        (status = entry_set(entry, "series", json_string(series))) < 0 ||
        (status = entry_set(entry, "number", sr_json_u64_text(number))) < 0 ||
        (status = entry_set(
             entry, "digits",
             json_integer((json_int_t)archive_rules_digits(door->agency->archive)))) < 0 ||
        (status = entry_set_record(door->vault, entry, &node->version.object, node->version.key_id,
                                   part)) < 0) {
        json_decref(entry);
        json_decref(part);
        return status;
    }
    status = door_act(door, entry, part, index);
    json_decref(part);
    return status;
}

/* Lock held. Of a record that has one: nothing if it would be of the same series, otherwise with a reason alone,
 * as a 档号 never changes by itself. */
static int give(struct door *door, const struct door_actor *actor, uint64_t node_id,
                const char *reason, uint64_t *index)
{
    char series[CATALOG_ARCHIVE_SERIES_MAX + 1];
    struct catalog_archived had;
    struct catalog_node node;
    int status = catalog_get(door->catalog, node_id, &node);
    if (status < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD || node.version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "a 档号 is given to a sealed record");
    if ((status = series_of(door, &node, series)) < 0)
        return status;
    status = catalog_archived(door->catalog, node_id, &had);
    if (status < 0 && status != SR_ERR_NOT_FOUND)
        return status;
    if (status == 0 && strcmp(had.series, series) == 0)
        return 0;
    if (status == 0 && reason == NULL)
        return sr_fail(SR_ERR_EXISTS, "该记录的档号是 %s；给出新的档号（%s-…）须说明理由：--reason",
                       had.text, series);
    return append(door, actor, &node, series, reason != NULL ? reason : "", index);
}

static int put_number(struct door *door, uint64_t node, json_t *out)
{
    struct catalog_archived archived;
    int status = catalog_archived(door->catalog, node, &archived);
    return status < 0 ? status : entry_set(out, "archive_number", json_string(archived.text));
}

int door_record_archive(struct door *door, const struct door_actor *actor, uint64_t node_id,
                        const char *reason)
{
    struct catalog_user user;
    struct catalog_node node;
    uint64_t index = 0;
    int status = reason != NULL ? door_check_reason(reason) : 0;
    if (status < 0)
        return status;
    if ((status = door_user(door, actor, &user)) < 0)
        return door_stranger(door, actor, "archive", status);
    if ((status = door_getattr(door, actor, node_id, &node)) < 0)
        return status;
    if (!door_allows(door, &user, ACT_ARCHIVE, &node))
        return door_refused(door, actor, "archive", "denied", node_id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not give 档号", user.account));
    if ((status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = give(door, actor, node_id, reason, &index);
    pthread_mutex_unlock(&door->lock);
    return status < 0 || index == 0 ? status : ledger_commit(door->ledger, index);
}

static int add_node(void *context, uint64_t node)
{
    return json_array_append_new(context, sr_json_u64_text(node)) == 0
               ? 0
               : sr_fail(SR_ERR_NO_MEMORY, "no memory for 档号");
}

static int tell(struct door *door, const struct catalog_user *user, uint64_t node, door_item_fn *fn,
                void *context)
{
    json_t *item = json_object();
    char *path = NULL;
    int status = item != NULL ? put_number(door, node, item)
                              : sr_fail(SR_ERR_NO_MEMORY, "no memory for 档号");
    if (status == 0 && (status = door_path_for(door, user, node, &path)) == 0 &&
        (status = entry_set(item, "path", json_string(path))) == 0)
        status = entry_set(item, "node", sr_json_u64_text(node));
    free(path);
    if (status == 0)
        return fn(context, item);
    json_decref(item);
    return status;
}

/* SR_ERR_NOT_FOUND or SR_ERR_DENIED: it has been refiled, or they may not know of it, or not do this. */
static int may_number(struct door *door, const struct catalog_user *user, uint64_t case_node,
                      uint64_t id)
{
    struct catalog_node node, in_case;
    int status = catalog_get(door->catalog, id, &node);
    if (status == 0)
        status = place_visible(door, user, &node);
    if (status == 0)
        status = catalog_case_of(door->catalog, id, &in_case);
    if (status == 0 && in_case.id != case_node)
        status = SR_ERR_NOT_FOUND;
    return status == 0 && !door_allows(door, user, ACT_ARCHIVE, &node) ? SR_ERR_DENIED : status;
}

/* Each is one act: a crash leaves those given that were, and the same again gives the rest. Takes out of nodes
 * what gets none. */
static int give_all(struct door *door, const struct door_actor *actor,
                    const struct catalog_user *user, uint64_t case_node, json_t *nodes,
                    uint64_t *index)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < json_array_size(nodes);) {
        uint64_t id = 0;
        sr_parse_u64(json_string_value(json_array_get(nodes, i)), &id); /* add_node's */
        status = may_number(door, user, case_node, id);
        if (status == SR_ERR_NOT_FOUND || status == SR_ERR_DENIED) {
            status = 0;
            json_array_remove(nodes, i);
            continue;
        }
        pthread_mutex_lock(&door->lock);
        if (status == 0)
            status = give(door, actor, id, NULL, index);
        pthread_mutex_unlock(&door->lock);
        i++;
    }
    return status;
}

int door_case_archive(struct door *door, const struct door_actor *actor, uint64_t case_node,
                      door_item_fn *fn, void *context)
{
    struct catalog_user user;
    struct catalog_node node;
    uint64_t index = 0, id;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "archive", status);
    if ((status = door_getattr(door, actor, case_node, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_CASE)
        return sr_fail(SR_ERR_INVALID, "%s is no case", node.name);
    if (!door_allows(door, &user, ACT_ARCHIVE, &node))
        return door_refused(door, actor, "archive", "denied", case_node, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not give 档号", user.account));
    if ((status = door_ready(door)) < 0)
        return status;
    json_t *nodes = json_array();
    status = nodes != NULL ? catalog_unarchived(door->catalog, case_node, add_node, nodes)
                           : sr_fail(SR_ERR_NO_MEMORY, "no memory for 档号");
    if (status == 0)
        status = give_all(door, actor, &user, case_node, nodes, &index);
    if (index != 0) { /* those before a failure, too */
        struct sr_error_copy why;
        sr_error_save(&why, status);
        int committed = ledger_commit(door->ledger, index);
        status = status < 0 ? sr_error_raise(&why) : committed;
    }
    for (size_t i = 0; status == 0 && i < json_array_size(nodes); i++)
        if (sr_parse_u64(json_string_value(json_array_get(nodes, i)), &id) == 0)
            status = tell(door, &user, id, fn, context);
    json_decref(nodes);
    return status;
}

/* --- shown --- */

/* The people are looked up by the caller: not from within the catalog. */
static int add_item(void *context, const struct catalog_archived *archived)
{
    json_t *items = context;
    json_t *item = json_pack("{s:s, s:s, s:o, s:o, s:I}", "number", archived->text, "reason",
                             archived->reason, "time", sr_json_i64_text(archived->time_ns), "index",
                             sr_json_u64_text(archived->index), "uid", (json_int_t)archived->uid);
    return item != NULL && json_array_append_new(items, item) == 0
               ? 0
               : sr_fail(SR_ERR_NO_MEMORY, "no memory for 档号");
}

int archival_put(struct door *door, uint64_t node, json_t *out)
{
    json_t *items = json_array();
    int status = items != NULL ? catalog_archived_each(door->catalog, node, add_item, items)
                               : sr_fail(SR_ERR_NO_MEMORY, "no memory for 档号");
    for (size_t i = 0; status == 0 && i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        struct catalog_user user;
        uint32_t uid = (uint32_t)json_integer_value(json_object_get(item, "uid"));
        bool known = catalog_user(door->catalog, uid, &user) == 0;
        json_object_del(item, "uid");
        if ((status = entry_set(item, "account", json_string(known ? user.account : ""))) == 0)
            status = entry_set(item, "person", json_string(known ? user.name : ""));
    }
    size_t count = status == 0 ? json_array_size(items) : 0;
    if (count > 0 && (status = entry_set(out, "archive_number",
                                         json_incref(json_object_get(
                                             json_array_get(items, count - 1), "number")))) == 0)
        status = entry_set(out, "archive_numbers", json_incref(items));
    json_decref(items);
    return status;
}
