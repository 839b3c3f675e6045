/* Acts of labelling, and 入卷. */
#include "casework/label.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/label_value.h"

#define FINISH_ENTRIES 64 /* more than one group of what is done together */

json_t *label_json(enum catalog_label label, const char *value, int64_t offset_ms,
                   const char *source)
{
    json_t *out = json_pack("{s:s, s:s}", "label", catalog_label_words[label], "value", value);
    if (out != NULL &&
        ((offset_ms != CATALOG_NO_OFFSET &&
          json_object_set_new(out, "offset_ms", sr_json_u64_text((uint64_t)offset_ms)) != 0) ||
         (source != NULL && json_object_set_new(out, "source", json_string(source)) != 0))) {
        json_decref(out);
        out = NULL;
    }
    return out;
}

/* Lock held. Appends act about node with part; takes over both. */
static int append(struct door *door, const struct catalog_node *node, json_t *entry, json_t *part,
                  uint64_t *index)
{
    int status =
        entry_set_record(door->vault, entry, &node->version.object, node->version.key_id, part);
    if (status == 0)
        status = entry_set(entry, "node", sr_json_u64_text(node->id));
    if (status < 0)
        json_decref(entry);
    else
        status = door_act(door, entry, part, index);
    json_decref(part);
    return status;
}

int label_append(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                 enum catalog_label_source source, uint64_t file, json_t *labels, uint64_t *index)
{
    json_t *part = door_private(actor), *entry;
    int status = part != NULL ? entry_new(door->io, "record.label", &entry)
                              : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status < 0) {
        json_decref(part);
        json_decref(labels);
        return status;
    }
    if ((status = entry_set(part, "labels", labels)) < 0 ||
        (status = entry_set(part, "source", json_string(catalog_source_words[source]))) < 0 ||
        (file != 0 && (status = entry_set(part, "file", sr_json_u64_text(file))) < 0)) {
        json_decref(part);
        json_decref(entry);
        return status;
    }
    return append(door, node, entry, part, index);
}

/* --- 入卷 --- */

/* The case, if a number can be given there. SR_ERR_NOT_FOUND: it cannot. */
static int place_of_number(struct door *door, const struct catalog_node *node,
                           struct catalog_node *in_case)
{
    struct catalog_node parent;
    uint32_t missing;
    if (node->kind != CATALOG_KIND_RECORD || node->draft || node->junk ||
        label_file_is_name(node->name) ||
        (node->version.state != CATALOG_SEALED && node->version.state != CATALOG_INCOMPLETE))
        return SR_ERR_NOT_FOUND;
    int status = catalog_get(door->catalog, node->parent, &parent);
    if (status < 0)
        return status;
    if (place_in_drafts(door, &parent))
        return SR_ERR_NOT_FOUND;
    if ((status = catalog_case_of(door->catalog, node->id, in_case)) < 0 ||
        (status = catalog_label_missing(door->catalog, node->id, &missing)) < 0)
        return status;
    return missing == 0 ? 0 : SR_ERR_NOT_FOUND;
}

static int append_enter(struct door *door, const struct catalog_node *node, uint64_t case_node,
                        const char *series, uint64_t *index)
{
    json_t *entry;
    uint64_t number;
    int status = catalog_enter_next(door->catalog, case_node, series, &number);
    if (status < 0 || (status = entry_new(door->io, "record.enter", &entry)) < 0)
        return status;
    if ((status = entry_set(entry, "case", sr_json_u64_text(case_node))) < 0 ||
        (status = entry_set(entry, "series", json_string(series))) < 0 ||
        (status = entry_set(entry, "number", sr_json_u64_text(number))) < 0) {
        json_decref(entry);
        return status;
    }
    return append(door, node, entry, NULL, index);
}

int label_enter(struct door *door, uint64_t node_id, uint64_t *index)
{
    struct catalog_entered entered;
    struct catalog_node node, in_case;
    char series[CATALOG_SERIES_MAX + 1];
    int status = catalog_get(door->catalog, node_id, &node);
    if (status == 0)
        status = place_of_number(door, &node, &in_case);
    if (status < 0)
        return status == SR_ERR_NOT_FOUND ? 0 : status;
    snprintf(series, sizeof series, "%u.%u", node.level, node.marks);
    status = catalog_entered(door->catalog, node_id, &entered);
    if (status == 0 && entered.case_node == in_case.id && strcmp(entered.series, series) == 0)
        return 0;
    if (status < 0 && status != SR_ERR_NOT_FOUND)
        return status;
    return append_enter(door, &node, in_case.id, series, index);
}

struct stale {
    uint64_t *nodes;
    size_t count, capacity;
};

static int add_stale(void *context, uint64_t node)
{
    struct stale *stale = context;
    if (stale->count == stale->capacity) {
        size_t capacity = stale->capacity == 0 ? 64 : 2 * stale->capacity;
        uint64_t *longer = realloc(stale->nodes, capacity * sizeof *longer);
        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for numbers");
        stale->nodes = longer;
        stale->capacity = capacity;
    }
    stale->nodes[stale->count++] = node;
    return 0;
}

int label_enter_below(struct door *door, uint64_t node, uint64_t *index)
{
    struct stale stale = {.count = 0};
    int status = catalog_entered_stale(door->catalog, node, add_stale, &stale);
    for (size_t i = 0; status == 0 && i < stale.count; i++)
        status = label_enter(door, stale.nodes[i], index);
    free(stale.nodes);
    return status;
}

/* What one of the newest entries may have left to do. *below: the folder that was looked at last. */
static int finish_entry(struct door *door, const json_t *entry, uint64_t *below, uint64_t *index)
{
    const char *act = json_string_value(json_object_get(entry, "act"));
    uint64_t node, in_case;
    int status = 0;
    if (act == NULL || sr_json_get_u64(entry, "node", &node) < 0)
        return 0;
    /* After the classification of a case many numbers may stand between it and the end: the rest of
     * them is found by the case of any. */
    if (sr_json_get_u64(entry, "case", &in_case) < 0)
        in_case = strcmp(act, "classify") == 0 ? node : 0;
    pthread_mutex_lock(&door->lock);
    if (in_case != 0 && in_case != *below)
        status = label_enter_below(door, *below = in_case, index);
    if (status == 0)
        status = label_enter(door, node, index);
    pthread_mutex_unlock(&door->lock);
    return status;
}

int label_finish(struct door *door)
{
    uint64_t size = ledger_committed(door->ledger), index = 0;
    uint64_t from = size > FINISH_ENTRIES ? size - FINISH_ENTRIES : 0;
    uint64_t below = 0;
    int status = 0;
    for (uint64_t i = from; status == 0 && i < size; i++) {
        uint8_t *data = NULL;
        size_t len;
        json_t *entry = NULL;
        if ((status = ledger_read(door->ledger, i, &data, &len)) < 0)
            return status;
        if ((status = sr_json_parse(data, len, &entry)) == 0)
            status = finish_entry(door, entry, &below, &index);
        json_decref(entry);
        free(data);
    }
    return status < 0 || index == 0 ? status : ledger_commit(door->ledger, index);
}

/* --- the act of the tool --- */

static int collect(const struct door *door, const struct door_label *labels, size_t count,
                   json_t **out)
{
    char *value = malloc(CATALOG_LABEL_MAX + 1);
    char sentence[LABEL_SENTENCE_MAX];
    int64_t now = door->io->now_ns(door->io);
    int status = 0;
    *out = json_array();
    for (size_t i = 0; value != NULL && *out != NULL && status == 0 && i < count; i++) {
        if (!label_value(labels[i].label, labels[i].value, now, value, sentence))
            status = sr_fail(SR_ERR_INVALID, "%s", sentence);
        else if (labels[i].offset_ms != CATALOG_NO_OFFSET &&
                 (labels[i].label < CATALOG_LABEL_SPEAKER ||
                  labels[i].label > CATALOG_LABEL_SUMMARY))
            status = sr_fail(SR_ERR_INVALID, "%s没有时刻", catalog_label_names[labels[i].label]);
        else if (json_array_append_new(
                     *out, label_json(labels[i].label, value, labels[i].offset_ms, NULL)) != 0)
            status = sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    }
    if (value == NULL || *out == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for labels");
    free(value);
    if (status < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

int door_record_label(struct door *door, const struct door_actor *actor, uint64_t node_id,
                      const struct door_label *labels, size_t count)
{
    struct catalog_user user;
    struct catalog_node node;
    json_t *given = NULL;
    uint64_t index = 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "label", status);
    if ((status = door_getattr(door, actor, node_id, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD || node.version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "labels are given to a sealed record");
    if (count == 0 || count > DOOR_LABELS_MAX)
        return sr_fail(SR_ERR_INVALID, "1 to %d labels are given at a time", DOOR_LABELS_MAX);
    if (!door_allows(door, &user, ACT_LABEL, &node))
        return door_refused(door, actor, "label", "denied", node_id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not label this record", user.account));
    if ((status = door_ready(door)) < 0 || (status = collect(door, labels, count, &given)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    if ((status = catalog_get(door->catalog, node_id, &node)) == 0 &&
        node.version.state == CATALOG_STAGING)
        status = sr_fail(SR_ERR_BUSY, "a new version of the record has come just now");
    if (status == 0)
        status = label_append(door, actor, &node, CATALOG_FROM_TOOL, 0, given, &index);
    else
        json_decref(given);
    if (status == 0)
        status = label_enter(door, node_id, &index);
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}
