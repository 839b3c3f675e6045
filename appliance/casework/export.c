/* Export of a case for retention: what may leave, all that is known of it as of one entry of the ledger, and the two acts
 * that say so. What is made of it is the tool's (tools/bundle.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/classification.h"
#include "casework/nodes.h"
#include "casework/past.h"
#include "catalog/described.h"
#include "catalog/labels.h"
#include "ledger/note.h"

#define VIEW_HOURS DOOR_VIEW_HOURS_MAX
#define DENIED_SHOWN 3

struct leaving {
    struct door *door;
    const struct door_actor *actor;
    const struct door_export *ask;
    struct catalog_user user;
    struct catalog_node in_case; /* today */
    struct past past;
    struct nodes records; /* as they were, those that leave */
    struct sr_buf checkpoint;
    uint64_t checkpoint_size, bytes;
    json_t *leaving; /* their objects and nodes, as keys */
    json_t *numbers; /* by node: {"archive_number", "entered"}, the newest */
    uint64_t unsealed, left_out, denied;
    bool restricted;
    struct sr_buf denied_paths;
    bool purpose_would_do;
    door_item_fn *fn;
    void *context;
};

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "no memory for an export");
}

static bool put(json_t *out, const char *key, json_t *value)
{
    return json_object_set_new(out, key, value) == 0;
}

/* --- which records --- */

static void tell_denied(struct leaving *l, uint64_t node)
{
    char *path = NULL;
    if (l->denied++ < DENIED_SHOWN && door_path_for(l->door, &l->user, node, &path) == 0)
        sr_buf_format(&l->denied_paths, "%s%s", l->denied > 1 ? "、" : "", path);
    free(path);
}

static int add_leaving(struct leaving *l, const struct catalog_node *node)
{
    char object[2 * VAULT_OBJECT_ID_LEN + 1], id[24];
    vault_object_id_text(&node->version.object, object);
    snprintf(id, sizeof id, "%llu", (unsigned long long)node->id);
    if (!put(l->leaving, object, json_true()) || !put(l->leaving, id, json_true()))
        return no_memory();
    return nodes_add(&l->records, node);
}

/* node: as it was. Those that the actor must not know of are not told, and not counted. */
static int consider(struct leaving *l, const struct catalog_node *node)
{
    struct catalog_node now;
    int status = catalog_get(l->door->catalog, node->id, &now);
    if (status == SR_ERR_NOT_FOUND || node->draft || node->junk)
        return 0;
    if (status < 0)
        return status;
    status = place_visible(l->door, &l->user, &now);
    if (status < 0)
        return status == SR_ERR_NOT_FOUND || status == SR_ERR_DENIED ? 0 : status;
    if (node->version.state == CATALOG_STAGING) {
        l->unsealed++;
        return 0;
    }
    if (!door_allows_for(l->door, &l->user, ACT_EXPORT, &now, l->ask->purpose) ||
        !door_allows_for(l->door, &l->user, ACT_READ, &now, l->ask->purpose)) {
        if (l->ask->leave_out) {
            l->left_out++;
            return 0;
        }
        l->purpose_would_do |=
            l->ask->purpose == NULL && door_allows_for(l->door, &l->user, ACT_EXPORT, &now, "-");
        tell_denied(l, node->id);
        return 0;
    }
    if (!door_allows(l->door, &l->user, ACT_EXPORT, &now))
        l->restricted = true;
    l->bytes += node->version.size;
    return add_leaving(l, node);
}

/* Every record of the case as it was, in the order of their nodes within each folder. */
static int gather(struct leaving *l)
{
    struct nodes open = {.count = 0};
    struct catalog_node root;
    int status = catalog_get(l->past.catalog, l->in_case.id, &root);
    if (status == 0)
        status = nodes_add(&open, &root);
    for (size_t i = 0; status == 0 && i < open.count; i++) {
        struct nodes inside = {.count = 0};
        status = catalog_children(l->past.catalog, open.items[i].id, 0, nodes_add, &inside);
        for (size_t k = 0; status == 0 && k < inside.count; k++) {
            const struct catalog_node *node = &inside.items[k];
            if (node->kind == CATALOG_KIND_RECORD)
                status = consider(l, node);
            else if (node->kind == CATALOG_KIND_STAGE || node->kind == CATALOG_KIND_FOLDER)
                status = nodes_add(&open, node);
        }
        nodes_free(&inside);
    }
    nodes_free(&open);
    return status;
}

/* --- what is known of them --- */

static const json_t *act_at(const struct past *past, size_t i, const char **act, uint64_t *index)
{
    const json_t *item = json_array_get(past->acts, i);
    const json_t *entry = json_object_get(item, "entry");
    *index = (uint64_t)json_integer_value(json_object_get(item, "index"));
    *act = json_string_value(json_object_get(entry, "act"));
    return entry;
}

static bool put_person(struct leaving *l, json_t *out, uint32_t uid)
{
    struct catalog_user user;
    bool known = catalog_user(l->past.catalog, uid, &user) == 0;
    return put(out, "account", json_string(known ? user.account : "")) &&
           put(out, "person", json_string(known ? user.name : "")) &&
           put(out, "unit", json_string(known ? user.unit : "")) &&
           put(out, "badge", json_string(known ? user.badge : ""));
}

static json_t *person(struct leaving *l, uint32_t uid)
{
    json_t *out = json_object();
    if (out != NULL && put_person(l, out, uid))
        return out;
    json_decref(out);
    return NULL;
}

static json_t *numbers_of(struct leaving *l, const char *node)
{
    json_t *numbers = json_object_get(l->numbers, node);
    if (numbers != NULL)
        return numbers;
    numbers = json_object();
    return put(l->numbers, node, numbers) ? numbers : NULL;
}

/* Every newest 档号, and every newest number in the case. */
static int gather_numbers(struct leaving *l)
{
    const char *act, *node;
    uint64_t index, in_case, number;
    for (size_t i = 0; i < json_array_size(l->past.acts); i++) {
        const json_t *entry = act_at(&l->past, i, &act, &index);
        bool archive = strcmp(act, "record.archive") == 0;
        if ((!archive && strcmp(act, "record.enter") != 0) ||
            sr_json_get_text(entry, "node", &node) < 0 ||
            sr_json_get_u64(entry, "number", &number) < 0)
            continue;
        if (!archive && (sr_json_get_u64(entry, "case", &in_case) < 0 || in_case != l->in_case.id))
            continue;
        char text[CATALOG_ARCHIVE_MAX + 1];
        const char *series = json_string_value(json_object_get(entry, "series"));
        snprintf(text, sizeof text, "%s-%0*llu", series != NULL ? series : "",
                 (int)json_integer_value(json_object_get(entry, "digits")),
                 (unsigned long long)number);
        json_t *numbers = numbers_of(l, node);
        if (archive ? !put(numbers, "archive_number", json_string(text))
                    : !put(numbers, "entered", json_integer((json_int_t)number)))
            return no_memory();
    }
    return 0;
}

static bool put_numbers(struct leaving *l, const struct catalog_node *node, json_t *out)
{
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)node->id);
    json_t *numbers = json_object_get(l->numbers, id);
    return numbers == NULL || json_object_update(out, numbers) == 0;
}

struct labels {
    struct leaving *l;
    json_t *list;
    bool failed;
};

static int add_label(void *context, const struct catalog_label_value *value)
{
    struct labels *labels = context;
    if (!value->in_force || value->value == NULL)
        return 0;
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:o, s:I}", "label", catalog_label_words[value->label],
                  "name", catalog_label_names[value->label], "value", value->value, "source",
                  catalog_source_words[value->source], "index", sr_json_u64_text(value->index),
                  "uid", (json_int_t)value->uid);
    if (out == NULL ||
        (value->offset_ms != CATALOG_NO_OFFSET &&
         !put(out, "offset_ms", sr_json_i64_text(value->offset_ms))) ||
        json_array_append_new(labels->list, out) != 0)
        labels->failed = true;
    return 0;
}

static int put_labels(struct leaving *l, uint64_t node, json_t *out)
{
    struct labels labels = {.l = l, .list = json_array()};
    int status = labels.list != NULL ? catalog_labels(l->past.catalog, node, add_label, &labels)
                                     : no_memory();
    size_t i;
    json_t *label;
    json_array_foreach(labels.list, i, label) /* not from within the catalog */
    {
        uint32_t uid = (uint32_t)json_integer_value(json_object_get(label, "uid"));
        struct catalog_user user;
        json_object_del(label, "uid");
        if (uid != CATALOG_NOBODY && catalog_user(l->past.catalog, uid, &user) == 0 &&
            !put(label, "person", json_string(user.name)))
            labels.failed = true;
    }
    if (status < 0 || labels.failed || !put(out, "labels", json_incref(labels.list)))
        status = status < 0 ? status : no_memory();
    json_decref(labels.list);
    return status;
}

static int put_media(struct leaving *l, const struct catalog_node *node, json_t *out)
{
    struct catalog_description found;
    json_t *media;
    int status = catalog_description(l->past.catalog, node->version.create_index, &found);
    if (status == SR_ERR_NOT_FOUND)
        return 0;
    if (status < 0)
        return status;
    if (!put(out, "outcome", json_string(found.outcome)))
        status = no_memory();
    if (status == 0 && found.media != NULL &&
        sr_json_parse((const uint8_t *)found.media, strlen(found.media), &media) == 0 &&
        !put(out, "media", media))
        status = no_memory();
    catalog_description_free(&found);
    return status;
}

static int put_proof(struct leaving *l, const struct catalog_node *node, json_t *out)
{
    struct sr_buf proof = {0};
    uint8_t *entry = NULL;
    size_t len;
    int status = ledger_read(l->door->ledger, node->version.seal_index, &entry, &len);
    if (status == 0)
        status = ledger_proof_under(l->door->ledger, node->version.seal_index, l->checkpoint_size,
                                    &l->checkpoint, &proof);
    if (status == 0 && (proof.failed || !put(out, "leaf", json_stringn((const char *)entry, len)) ||
                        !put(out, "proof", json_string(proof.data))))
        status = no_memory();
    sr_buf_free(&proof);
    free(entry);
    return status;
}

static bool put_class(const struct catalog_node *node, json_t *out)
{
    json_t *marks = json_array();
    for (size_t i = 0; i < CATALOG_MARKS; i++)
        if (node->marks & 1u << i)
            json_array_append_new(marks, json_string(catalog_mark_words[i]));
    char until[11] = "";
    if (node->own_until != 0 && node->own_level == node->level)
        sr_day_text(node->own_until, until);
    return put(out, "level", json_integer(node->level)) && put(out, "marks", marks) &&
           put(out, "level_until", json_string(until));
}

static int put_retention(struct leaving *l, uint64_t node, json_t *out)
{
    json_t *kept = NULL;
    int status = door_retention(l->door, l->actor, node, &kept);
    if (status == 0 && (json_object_set(out, "kept_until", json_object_get(kept, "until")) != 0 ||
                        json_object_set(out, "period", json_object_get(kept, "period")) != 0))
        status = no_memory();
    json_decref(kept);
    return status;
}

static json_t *record_json(struct leaving *l, const struct catalog_node *node, const char *path,
                           const char *place)
{
    const struct catalog_version *version = &node->version;
    char object[2 * VAULT_OBJECT_ID_LEN + 1];
    vault_object_id_text(&version->object, object);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o}", "type", "record",
        "path", path, "place", place, "name", node->name, "node", sr_json_u64_text(node->id),
        "object", object, "size", sr_json_u64_text(version->size), "sha256",
        sr_json_hex(version->sha256, sizeof version->sha256), "state",
        version->state == CATALOG_SEALED ? "sealed" : "incomplete", "seal_index",
        sr_json_u64_text(version->seal_index), "sealed", sr_json_i64_text(version->sealed_ns),
        "mtime", sr_json_i64_text(version->mtime_ns), "holes",
        sr_json_u64_text(version->hole_count), "sender", person(l, version->uid));
}

static int give_record(struct leaving *l, const struct catalog_node *node)
{
    char *path = NULL, *place = NULL;
    json_t *out = NULL;
    int status = door_path_for(l->door, &l->user, node->id, &path);
    if (status == 0)
        status = catalog_path(l->past.catalog, node->id, &place, NULL);
    if (status == 0 && ((out = record_json(l, node, path, place)) == NULL ||
                        !put_numbers(l, node, out) || !put_class(node, out)))
        status = no_memory();
    if (status == 0 && (status = put_labels(l, node->id, out)) == 0 &&
        (status = put_media(l, node, out)) == 0 && (status = put_retention(l, node->id, out)) == 0)
        status = put_proof(l, node, out);
    free(path);
    free(place);
    if (status == 0)
        return l->fn(l->context, out);
    json_decref(out);
    return status;
}

/* --- the case, and what was done --- */

static int add_person(void *context, uint32_t uid, bool lead)
{
    return json_array_append_new(context, json_pack("[I, b]", (json_int_t)uid, lead)) == 0
               ? 0
               : no_memory();
}

static int put_people(struct leaving *l, json_t *out)
{
    json_t *uids = json_array(), *leads = json_array(), *helpers = json_array();
    int status = catalog_case_people(l->past.catalog, l->in_case.id, add_person, uids);
    for (size_t i = 0; status == 0 && i < json_array_size(uids); i++) {
        const json_t *one = json_array_get(uids, i);
        json_array_append_new(json_is_true(json_array_get(one, 1)) ? leads : helpers,
                              person(l, (uint32_t)json_integer_value(json_array_get(one, 0))));
    }
    json_decref(uids);
    bool good = put(out, "leads", leads);
    if (!put(out, "helpers", helpers) || !good)
        status = status < 0 ? status : no_memory();
    return status;
}

static int add_policy(void *context, const char *file, const uint8_t sha256[32])
{
    return json_array_append_new(context, json_pack("{s:s, s:o}", "file", file, "sha256",
                                                    sr_json_hex(sha256, 32))) == 0
               ? 0
               : no_memory();
}

static int give_case(struct leaving *l)
{
    const struct vault_identity *identity = vault_identity(l->door->vault);
    struct note_verifier verifier;
    struct sr_buf key = {0};
    struct catalog_case owner;
    struct catalog_node node, year;
    json_t *out = NULL, *policy = json_array();
    int status = note_verifier_init(&verifier, identity->origin, identity->public_key);
    if (status == 0)
        status = note_verifier_format(&verifier, &key);
    if (status == 0 && (status = catalog_get(l->past.catalog, l->in_case.id, &node)) == 0 &&
        (status = catalog_get(l->past.catalog, node.parent, &year)) == 0 &&
        (status = catalog_case(l->past.catalog, node.id, &owner)) == 0)
        status = agency_files(l->door->agency, add_policy, policy);
    if (status == 0) {
        out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:O, s:o, s:o, s:b}",
                        "type", "case", "name", node.name, "year", year.name, "agency",
                        identity->agency, "unit", owner.unit, "node", sr_json_u64_text(node.id),
                        "as_of", sr_json_u64_text(l->past.as_of), "time",
                        sr_json_i64_text(l->past.time_ns), "checkpoint", l->checkpoint.data, "key",
                        key.data, "policy", policy, "unsealed", sr_json_u64_text(l->unsealed),
                        "left_out", sr_json_u64_text(l->left_out), "restricted", l->restricted);
        if (out == NULL || !put_class(&node, out))
            status = no_memory();
    }
    if (status == 0)
        status = put_people(l, out);
    sr_buf_free(&key);
    json_decref(policy);
    if (status == 0)
        return l->fn(l->context, out);
    json_decref(out);
    return status;
}

/* Whose act it is stands in the entry, or in its private part. */
static uint32_t actor_of(const json_t *entry)
{
    const json_t *hidden = json_object_get(entry, "private");
    const json_t *uid = json_object_get(hidden != NULL ? hidden : entry, "uid");
    if (uid == NULL)
        uid = json_object_get(entry, "uid");
    return json_is_integer(uid) ? (uint32_t)json_integer_value(uid) : CATALOG_NOBODY;
}

/* Acts on the case and its folders, and on the records that leave: those of other records have an object. */
static bool leaves(const struct leaving *l, const json_t *entry)
{
    const char *object = json_string_value(json_object_get(entry, "object"));
    const json_t *node = json_object_get(entry, "node");
    return object == NULL || json_object_get(l->leaving, object) != NULL ||
           (json_is_string(node) && json_object_get(l->leaving, json_string_value(node)) != NULL);
}

static int give_act(struct leaving *l, const json_t *entry, uint64_t index)
{
    uint32_t uid = actor_of(entry);
    json_t *copy = json_deep_copy(entry);
    json_t *hidden = json_object_get(copy, "private");
    if (hidden != NULL)
        json_object_update_missing(copy, hidden);
    json_object_del(copy, "private");
    json_object_del(copy, "salt");
    json_object_del(copy, "key");
    json_object_del(copy, "media"); /* stands with the record */
    json_t *out = json_pack("{s:s, s:o, s:o}", "type", "act", "index", sr_json_u64_text(index),
                            "entry", copy);
    if (out == NULL)
        return no_memory();
    if (uid != CATALOG_NOBODY && !put(out, "by", person(l, uid))) {
        json_decref(out);
        return no_memory();
    }
    return l->fn(l->context, out);
}

static int give_acts(struct leaving *l)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < json_array_size(l->past.acts); i++) {
        const char *act;
        uint64_t index;
        const json_t *entry = act_at(&l->past, i, &act, &index);
        if (leaves(l, entry))
            status = give_act(l, entry, index);
    }
    return status;
}

/* --- the acts --- */

static int append_begin(struct leaving *l, uint64_t *index)
{
    struct door *door = l->door;
    struct door_actor who = door_who(door, l->actor);
    json_t *entry;
    int status = door_entry(door, &who, "export.begin", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set(entry, "node", sr_json_u64_text(l->in_case.id))) < 0 ||
        (status = entry_set(entry, "as_of", sr_json_u64_text(l->past.as_of))) < 0 ||
        (status = entry_set(entry, "format", json_string(l->ask->format))) < 0 ||
        (status = entry_set(entry, "records", json_integer((json_int_t)l->records.count))) < 0 ||
        (status = entry_set(entry, "bytes", sr_json_u64_text(l->bytes))) < 0 ||
        (status = entry_set(entry, "left_out", json_integer((json_int_t)l->left_out))) < 0 ||
        (status = entry_set(entry, "purpose",
                            json_string(l->ask->purpose != NULL ? l->ask->purpose : ""))) < 0) {
        json_decref(entry);
        return status;
    }
    pthread_mutex_lock(&door->lock);
    status = door_act(door, entry, NULL, index);
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, *index);
}

static int refuse_denied(struct leaving *l)
{
    const char *more = l->denied > DENIED_SHOWN ? "等" : "";
    int code =
        l->purpose_would_do
            ? sr_fail(SR_ERR_DENIED, "%s%s共 %llu 件受限，须说明事由才能导出：--purpose",
                      l->denied_paths.data, more, (unsigned long long)l->denied)
            : sr_fail(SR_ERR_DENIED,
                      "%s 不能导出 %s%s共 %llu 件；--leave-out 导出其余的，并在包中写明",
                      l->user.account, l->denied_paths.data, more, (unsigned long long)l->denied);
    return door_refused(l->door, l->actor, "export", l->purpose_would_do ? "purpose" : "denied",
                        l->in_case.id, NULL, code);
}

static int decide(struct leaving *l, door_progress_fn *progress, void *progress_context)
{
    struct door *door = l->door;
    int status = door_user(door, l->actor, &l->user);
    if (status < 0)
        return door_stranger(door, l->actor, "export", status);
    if ((status = door_getattr(door, l->actor, l->ask->node, &l->in_case)) < 0)
        return status;
    if (l->in_case.kind != CATALOG_KIND_CASE)
        return sr_fail(SR_ERR_INVALID, "%s is no case", l->in_case.name);
    if (!door_allows_for(door, &l->user, ACT_EXPORT, &l->in_case,
                         l->ask->purpose != NULL ? l->ask->purpose : "-"))
        return door_refused(door, l->actor, "export", "denied", l->in_case.id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not export this case", l->user.account));
    if ((status = door_ready(door)) < 0 ||
        (status = past_open(door, l->in_case.id, l->ask->as_of, progress, progress_context,
                            &l->past)) < 0 ||
        (status = gather(l)) < 0 || (status = gather_numbers(l)) < 0)
        return status;
    if (l->denied > 0)
        return refuse_denied(l);
    if (l->records.count == 0)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no sealed record to export in %s",
                       l->in_case.name);
    return ledger_checkpoint_over(door->ledger, l->past.as_of, &l->checkpoint_size, &l->checkpoint);
}

/* The readings that follow need the purpose, too. */
static int state_purpose(struct leaving *l)
{
    struct catalog_grant grant;
    return l->restricted
               ? door_view(l->door, l->actor, l->in_case.id, l->ask->purpose, VIEW_HOURS, &grant)
               : 0;
}

int door_export_begin(struct door *door, const struct door_actor *actor,
                      const struct door_export *ask, door_progress_fn *progress,
                      void *progress_context, door_item_fn *fn, void *context, uint64_t *index)
{
    struct leaving l = {.door = door,
                        .actor = actor,
                        .ask = ask,
                        .fn = fn,
                        .context = context,
                        .leaving = json_object(),
                        .numbers = json_object()};
    struct sr_error_copy why;
    *index = 0;
    int status = l.leaving == NULL || l.numbers == NULL ? no_memory()
                                                        : decide(&l, progress, progress_context);
    if (status == 0 && (status = append_begin(&l, index)) == 0)
        status = state_purpose(&l);
    if (status == 0)
        status = give_case(&l);
    for (size_t i = 0; status == 0 && i < l.records.count; i++)
        status = give_record(&l, &l.records.items[i]);
    if (status == 0)
        status = give_acts(&l);
    sr_error_save(&why, status);
    past_close(&l.past);
    json_decref(l.leaving);
    json_decref(l.numbers);
    nodes_free(&l.records);
    sr_buf_free(&l.checkpoint);
    sr_buf_free(&l.denied_paths);
    return status < 0 ? sr_error_raise(&why) : status;
}

/* The act that began it, by the same person. */
static int find_begin(struct door *door, const struct door_actor *actor, uint64_t begin,
                      json_t **out)
{
    uint8_t *data = NULL;
    size_t len;
    const char *act = "";
    int status = ledger_read(door->ledger, begin, &data, &len);
    *out = NULL;
    if (status == 0)
        status = sr_json_parse(data, len, out);
    free(data);
    if (status < 0)
        return status;
    if (sr_json_get_text(*out, "act", &act) < 0 || strcmp(act, "export.begin") != 0 ||
        json_integer_value(json_object_get(*out, "uid")) != (json_int_t)actor->uid) {
        json_decref(*out);
        *out = NULL;
        return sr_fail(SR_ERR_NOT_FOUND, "entry %llu is no export of yours",
                       (unsigned long long)begin);
    }
    return 0;
}

int door_export_end(struct door *door, const struct door_actor *actor, uint64_t begin,
                    const char *sha256, uint64_t *index)
{
    struct door_actor who = door_who(door, actor);
    struct catalog_user user;
    json_t *began, *entry = NULL;
    *index = 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "export", status);
    if (strlen(sha256) != 2 * SR_SHA256_LEN ||
        strspn(sha256, "0123456789abcdef") != 2 * SR_SHA256_LEN)
        return sr_fail(SR_ERR_INVALID, "sha256 is not 64 hexadecimal digits");
    if ((status = door_ready(door)) < 0 || (status = find_begin(door, actor, begin, &began)) < 0)
        return status;
    if ((status = door_entry(door, &who, "export.end", &entry)) == 0 &&
        ((status = entry_set(entry, "node", json_incref(json_object_get(began, "node")))) < 0 ||
         (status = entry_set(entry, "begin", sr_json_u64_text(begin))) < 0 ||
         (status = entry_set(entry, "sha256", json_string(sha256))) < 0)) {
        json_decref(entry);
        entry = NULL;
    }
    json_decref(began);
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = door_act(door, entry, NULL, index);
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, *index);
}
