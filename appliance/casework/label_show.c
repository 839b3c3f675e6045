/* Labels as they are shown: what is in force, all that was said, what is missing. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/label.h"

struct shown {
    json_t *items; /* array; uid still as number */
    bool failed;
};

static bool put(json_t *item, const char *key, json_t *value)
{
    return json_object_set_new(item, key, value) == 0;
}

static int add_label(void *context, const struct catalog_label_value *value)
{
    struct shown *shown = context;
    json_t *item = json_object();
    bool good =
        put(item, "label", json_string(catalog_label_words[value->label])) &&
        put(item, "name", json_string(catalog_label_names[value->label])) &&
        put(item, "value", value->value != NULL ? json_string(value->value) : json_null()) &&
        put(item, "source", json_string(catalog_source_words[value->source])) &&
        put(item, "in_force", json_boolean(value->in_force));
    if (good && value->offset_ms != CATALOG_NO_OFFSET)
        good = put(item, "offset_ms", json_integer(value->offset_ms));
    if (good && value->source != CATALOG_FROM_PLACE)
        good = put(item, "time", sr_json_i64_text(value->time_ns)) &&
               put(item, "index", sr_json_u64_text(value->index));
    if (good && value->uid != UINT32_MAX)
        good = put(item, "uid", json_integer(value->uid));
    if (good && value->file != 0)
        good = put(item, "file", sr_json_u64_text(value->file));
    if (!good || json_array_append(shown->items, item) != 0)
        shown->failed = true;
    json_decref(item);
    return shown->failed;
}

static bool put_person(struct door *door, uint32_t uid, json_t *item)
{
    struct catalog_user user;
    if (catalog_user(door->catalog, uid, &user) < 0)
        return put(item, "uid", json_integer(uid));
    return put(item, "account", json_string(user.account)) &&
           put(item, "person", json_string(user.name));
}

/* Numbers of people and files become what this person may know of them. */
static bool put_names(struct door *door, const struct catalog_user *reader, json_t *items)
{
    for (size_t i = 0; i < json_array_size(items); i++) {
        json_t *item = json_array_get(items, i);
        const json_t *uid = json_object_get(item, "uid");
        struct catalog_node file;
        uint64_t number;
        char *path = NULL;
        bool good = uid == NULL || put_person(door, (uint32_t)json_integer_value(uid), item);
        if (good && sr_json_get_u64(item, "file", &number) == 0) {
            json_object_del(item, "file");
            if (catalog_get(door->catalog, number, &file) == 0 &&
                place_visible(door, reader, &file) == 0 &&
                door_path_for(door, reader, number, &path) == 0)
                good = put(item, "file", json_string(path));
            free(path);
        }
        if (!good)
            return false;
        json_object_del(item, "uid");
    }
    return true;
}

/* Words, and Chinese names. */
static bool put_missing(json_t *out, uint32_t missing)
{
    json_t *words = json_array(), *names = json_array();
    bool good = words != NULL && names != NULL;
    for (int i = 0; good && i < CATALOG_LABELS_NEEDED; i++)
        if ((missing & 1u << i) != 0)
            good = json_array_append_new(words, json_string(catalog_label_words[i])) == 0 &&
                   json_array_append_new(names, json_string(catalog_label_names[i])) == 0;
    good = good && json_object_set(out, "missing", words) == 0 &&
           json_object_set(out, "names", names) == 0;
    json_decref(words);
    json_decref(names);
    return good;
}

static int put_entered(struct door *door, uint64_t node, json_t *out)
{
    struct catalog_entered entered;
    int status = catalog_entered(door->catalog, node, &entered);
    if (status < 0)
        return status == SR_ERR_NOT_FOUND ? 0 : status;
    return entry_set(out, "entered",
                     json_pack("{s:o, s:s, s:I, s:o}", "case", sr_json_u64_text(entered.case_node),
                               "series", entered.series, "number", (json_int_t)entered.number,
                               "index", sr_json_u64_text(entered.index)));
}

static int fill(struct door *door, const struct catalog_user *reader,
                const struct catalog_node *node, bool history, json_t *out)
{
    struct shown shown = {.items = json_array()};
    json_t *flags = NULL;
    uint32_t missing = 0;
    int status = shown.items == NULL ? SR_ERR_NO_MEMORY
                 : history ? catalog_label_history(door->catalog, node->id, add_label, &shown)
                           : catalog_labels(door->catalog, node->id, add_label, &shown);
    if (status > 0 || status == SR_ERR_NO_MEMORY || shown.failed ||
        (status == 0 && !put_names(door, reader, shown.items)))
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    if (status == 0)
        status = entry_set(out, "labels", json_incref(shown.items));
    json_decref(shown.items);
    if (status == 0 && (status = catalog_label_missing(door->catalog, node->id, &missing)) == 0 &&
        !put_missing(out, missing))
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    if (status == 0 && (status = put_entered(door, node->id, out)) == 0 &&
        (status = archival_put(door, node->id, out)) == 0 &&
        (status = label_flags(door, node, &flags)) == 0)
        status = entry_set(out, "flags", flags);
    return status;
}

int door_labels(struct door *door, const struct door_actor *actor, uint64_t node_id, bool history,
                json_t **out)
{
    struct catalog_user user;
    struct catalog_node node;
    *out = NULL;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "list", status);
    if ((status = door_getattr(door, actor, node_id, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD)
        return sr_fail(SR_ERR_INVALID, "only a record has labels");
    json_t *labels = json_object();
    status = labels != NULL ? fill(door, &user, &node, history, labels)
                            : sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    if (status < 0)
        json_decref(labels);
    else
        *out = labels;
    return status;
}

/* --- case pending --- */

struct pending_list {
    struct catalog_pending *items;
    size_t count, capacity;
};

static int add_pending(void *context, const struct catalog_pending *pending)
{
    struct pending_list *list = context;
    if (label_file_is_name(pending->node.name))
        return 0;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        struct catalog_pending *longer = realloc(list->items, capacity * sizeof *longer);
        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for what is pending");
        list->items = longer;
        list->capacity = capacity;
    }
    list->items[list->count++] = *pending;
    return 0;
}

static int give_pending(struct door *door, const struct catalog_user *reader,
                        const struct catalog_pending *pending, door_item_fn *fn, void *context)
{
    const struct catalog_node *node = &pending->node;
    json_t *item = json_object();
    char *path = NULL;
    int status = door_path_for(door, reader, node->id, &path);
    bool good = item != NULL && status == 0 && put(item, "path", json_string(path)) &&
                put(item, "node", sr_json_u64_text(node->id)) &&
                put_missing(item, pending->missing) && put_person(door, node->version.uid, item) &&
                put(item, "sealed_at", sr_json_i64_text(node->version.sealed_ns));
    free(path);
    if (good)
        return fn(context, item);
    json_decref(item);
    return status < 0 ? status : sr_fail(SR_ERR_NO_MEMORY, "no memory for what is pending");
}

int door_case_pending(struct door *door, const struct door_actor *actor, uint64_t case_node,
                      door_item_fn *fn, void *context)
{
    struct pending_list list = {.count = 0};
    struct catalog_user user;
    struct catalog_node node;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "list", status);
    if ((status = door_getattr(door, actor, case_node, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_CASE)
        return sr_fail(SR_ERR_INVALID, "%s is no case", node.name);
    status = catalog_pending(door->catalog, case_node, add_pending, &list);
    for (size_t i = 0; status == 0 && i < list.count; i++)
        if (place_visible(door, &user, &list.items[i].node) == 0)
            status = give_pending(door, &user, &list.items[i], fn, context);
    free(list.items);
    return status;
}
