/* What an export tells of a case, its records and every act on them (docs/bundle.md), all as of one entry. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/export_internal.h"
#include "catalog/archived.h"
#include "catalog/described.h"
#include "catalog/labels.h"
#include "ledger/note.h"

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "no memory for an export");
}

static bool put(json_t *out, const char *key, json_t *value)
{
    return json_object_set_new(out, key, value) == 0;
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
int export_numbers(struct leaving *l)
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

int export_give_record(struct leaving *l, const struct catalog_node *node)
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

int export_give_case(struct leaving *l)
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

/* Acts on the case and on those of its folders that the actor may know of, and on the records that leave: those of
 * records have an object. */
static bool leaves(const struct leaving *l, const json_t *entry, uint64_t index)
{
    const char *object = json_string_value(json_object_get(entry, "object"));
    const char *node = json_string_value(json_object_get(entry, "node"));
    struct catalog_node place;
    uint64_t id = door_node_id(index); /* of what the act made */
    if (object != NULL)
        return json_object_get(l->leaving, object) != NULL ||
               (node != NULL && json_object_get(l->leaving, node) != NULL);
    if (node != NULL && sr_parse_u64(node, &id) < 0)
        return false;
    /* One that is gone was empty. */
    return catalog_get(l->door->catalog, id, &place) < 0 ||
           place_visible(l->door, &l->user, &place) == 0;
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

int export_give_acts(struct leaving *l)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < json_array_size(l->past.acts); i++) {
        const char *act;
        uint64_t index;
        const json_t *entry = act_at(&l->past, i, &act, &index);
        if (leaves(l, entry, index))
            status = give_act(l, entry, index);
    }
    return status;
}
