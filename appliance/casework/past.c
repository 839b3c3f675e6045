#include "casework/past.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"

#define STEP 4096 /* entries between two calls of progress */

struct id_list {
    uint64_t *ids;
    size_t count, capacity;
};

struct gathering {
    struct door *door;
    uint64_t case_node, to, done;
    struct id_list places, records; /* sorted once they are gathered */
    struct vault_object_id *objects;
    size_t object_count, object_capacity;
    struct entry_opener opener;
    json_t *found; /* {"index", "entry", "act_on_case"} */
    uint64_t last; /* act on the case that is neither a reading nor an export */
    door_progress_fn *progress;
    void *context;
};

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "no memory for what a case was");
}

static int add_id(struct id_list *list, uint64_t id)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : 2 * list->capacity;
        uint64_t *longer = realloc(list->ids, capacity * sizeof *longer);
        if (longer == NULL)
            return no_memory();
        list->ids = longer;
        list->capacity = capacity;
    }
    list->ids[list->count++] = id;
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

static int compare_objects(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct vault_object_id));
}

static bool has_id(const struct id_list *list, uint64_t id)
{
    return list->count > 0 &&
           bsearch(&id, list->ids, list->count, sizeof *list->ids, compare_ids) != NULL;
}

/* --- which nodes and objects --- */

static int add_child(void *context, const struct catalog_node *node)
{
    struct gathering *g = context;
    if (node->kind == CATALOG_KIND_STUB) /* it lay here once */
        return add_id(&g->records, node->moved_to);
    return add_id(node->kind == CATALOG_KIND_RECORD ? &g->records : &g->places, node->id);
}

static int add_object(void *context, const struct catalog_version *version)
{
    struct gathering *g = context;
    if (g->object_count == g->object_capacity) {
        size_t capacity = g->object_capacity == 0 ? 64 : 2 * g->object_capacity;
        struct vault_object_id *longer = realloc(g->objects, capacity * sizeof *longer);
        if (longer == NULL)
            return no_memory();
        g->objects = longer;
        g->object_capacity = capacity;
    }
    g->objects[g->object_count++] = version->object;
    return 0;
}

/* What lies in the case today, or did: nothing of a case is ever gone but what was never sealed. */
static int gather_nodes(struct gathering *g)
{
    int status = add_id(&g->places, g->case_node);
    for (size_t i = 0; status == 0 && i < g->places.count; i++)
        status = catalog_children(g->door->catalog, g->places.ids[i], 0, add_child, g);
    for (size_t i = 0; status == 0 && i < g->records.count; i++)
        status = catalog_versions(g->door->catalog, g->records.ids[i], add_object, g);
    if (g->places.count > 1)
        qsort(g->places.ids, g->places.count, sizeof *g->places.ids, compare_ids);
    if (g->records.count > 1)
        qsort(g->records.ids, g->records.count, sizeof *g->records.ids, compare_ids);
    if (g->object_count > 1)
        qsort(g->objects, g->object_count, sizeof *g->objects, compare_objects);
    return status;
}

/* --- which entries --- */

/* The text of a member without parsing: entries are canonical, and a quote within a value is escaped. */
static bool find_text(const uint8_t *data, size_t len, const char *key, const char **out,
                      size_t *out_len)
{
    const uint8_t *at = memmem(data, len, key, strlen(key));
    if (at == NULL)
        return false;
    at += strlen(key);
    const uint8_t *end = memchr(at, '"', (size_t)(data + len - at));
    *out = (const char *)at;
    *out_len = end != NULL ? (size_t)(end - at) : 0;
    return end != NULL;
}

static bool names_ours(const struct gathering *g, const uint8_t *data, size_t len, bool *of_record)
{
    struct vault_object_id object;
    const char *text;
    size_t text_len;
    char copy[2 * VAULT_OBJECT_ID_LEN + 1];
    uint64_t node;
    *of_record = find_text(data, len, "\"object\":\"", &text, &text_len);
    if (*of_record && text_len == 2 * VAULT_OBJECT_ID_LEN) {
        memcpy(copy, text, text_len);
        copy[text_len] = '\0';
        if (vault_object_id_parse(copy, &object) == 0 && g->object_count > 0 &&
            bsearch(&object, g->objects, g->object_count, sizeof object, compare_objects) != NULL)
            return true;
    }
    if (!find_text(data, len, "\"node\":\"", &text, &text_len) || text_len >= sizeof copy)
        return false;
    memcpy(copy, text, text_len);
    copy[text_len] = '\0';
    return sr_parse_u64(copy, &node) == 0 &&
           (has_id(&g->records, node) || (!*of_record && has_id(&g->places, node)));
}

/* Of people and places all is wanted: records come from other cases, and may be refiled there. */
static bool is_frame(const char *act)
{
    return strncmp(act, "user.", 5) == 0 || strncmp(act, "case.", 5) == 0 ||
           strncmp(act, "folder.", 7) == 0 || strcmp(act, "year.open") == 0 ||
           strcmp(act, "classify") == 0 || strcmp(act, "vault.create") == 0;
}

static bool is_reading(const char *act)
{
    return strcmp(act, "record.view") == 0 || strncmp(act, "view.", 5) == 0 ||
           strncmp(act, "export.", 7) == 0 || strcmp(act, "disc.verify") == 0;
}

static int keep(struct gathering *g, uint64_t index, json_t *entry, const char *act, bool ours)
{
    if (ours && !is_reading(act))
        g->last = index;
    json_t *item =
        json_pack("{s:I, s:o, s:b}", "index", (json_int_t)index, "entry", entry, "ours", ours);
    return item != NULL && json_array_append_new(g->found, item) == 0 ? 0 : no_memory();
}

static int look_at(void *context, uint64_t index, const uint8_t *data, size_t len)
{
    struct gathering *g = context;
    bool of_record;
    json_t *entry;
    const char *act;
    if (++g->done % STEP == 0 && g->progress != NULL && g->progress(g->context, g->done, g->to))
        return sr_fail(SR_ERR_CLOSED, "given up");
    bool ours = names_ours(g, data, len, &of_record) || has_id(&g->records, door_node_id(index)) ||
                has_id(&g->places, door_node_id(index));
    if (!ours && of_record)
        return 0;
    int status = sr_json_parse(data, len, &entry);
    if (status < 0)
        return status;
    if ((status = sr_json_get_text(entry, "act", &act)) < 0 || (!ours && !is_frame(act)) ||
        strcmp(act, "refuse") == 0 || strcmp(act, "alert") == 0) {
        json_decref(entry);
        return status;
    }
    if ((status = entry_opener_open(&g->opener, entry)) < 0) {
        json_decref(entry);
        return status;
    }
    return keep(g, index, entry, act, ours);
}

/* --- as it was --- */

/* These count over more than is in here; readings and exports change nothing. */
static bool is_left_out(const char *act)
{
    return is_reading(act) || strcmp(act, "record.archive") == 0 ||
           strcmp(act, "record.enter") == 0 || strncmp(act, "retention.", 10) == 0 ||
           strcmp(act, "vault.create") == 0;
}

static int project_found(const struct gathering *g, struct past *past)
{
    size_t i;
    json_t *item;
    int status = 0;
    json_array_foreach(g->found, i, item)
    {
        json_t *entry = json_object_get(item, "entry");
        uint64_t index = (uint64_t)json_integer_value(json_object_get(item, "index"));
        const char *act = json_string_value(json_object_get(entry, "act"));
        if (index > past->as_of)
            break;
        if (!is_left_out(act) && (status = catalog_project(past->catalog, index, entry)) < 0)
            return status;
        if (json_is_true(json_object_get(item, "ours"))) {
            if (json_array_append(past->acts, item) != 0)
                return no_memory();
            if (index == past->as_of)
                (void)sr_json_get_i64(entry, "time", &past->time_ns);
        }
    }
    return 0;
}

/* Of an entry that is not on the case. */
static int time_of(struct door *door, uint64_t index, int64_t *out)
{
    uint8_t *data = NULL;
    json_t *entry = NULL;
    size_t len;
    int status = ledger_read(door->ledger, index, &data, &len);
    if (status == 0)
        status = sr_json_parse(data, len, &entry);
    if (status == 0)
        status = sr_json_get_i64(entry, "time", out);
    json_decref(entry);
    free(data);
    return status;
}

static int make(struct gathering *g, uint64_t as_of, struct past *out)
{
    int status = 0;
    if (as_of == DOOR_EXPORT_LATEST)
        as_of = g->last;
    out->as_of = as_of;
    out->acts = json_array();
    if (out->acts == NULL)
        return no_memory();
    if ((status = catalog_open_memory(&out->catalog)) < 0 || (status = project_found(g, out)) < 0)
        return status;
    struct catalog_node node;
    if (catalog_get(out->catalog, g->case_node, &node) < 0)
        return sr_fail(SR_ERR_INVALID, "at entry %llu the case was not opened yet",
                       (unsigned long long)as_of);
    return out->time_ns == 0 ? time_of(g->door, as_of, &out->time_ns) : 0;
}

int past_open(struct door *door, uint64_t case_node, uint64_t as_of, door_progress_fn *progress,
              void *context, struct past *out)
{
    struct gathering g = {.door = door,
                          .case_node = case_node,
                          .opener.vault = door->vault,
                          .found = json_array(),
                          .progress = progress,
                          .context = context};
    memset(out, 0, sizeof *out);
    g.to = ledger_committed(door->ledger);
    int status = g.found != NULL ? 0 : no_memory();
    if (status == 0 && as_of != DOOR_EXPORT_LATEST && as_of >= g.to)
        status = sr_fail(SR_ERR_INVALID, "the ledger has %llu entries: there is no entry %llu",
                         (unsigned long long)g.to, (unsigned long long)as_of);
    if (status == 0 && as_of != DOOR_EXPORT_LATEST)
        g.to = as_of + 1;
    if (status == 0 && (status = gather_nodes(&g)) == 0)
        status = ledger_each(door->ledger, 0, g.to, look_at, &g);
    if (status == 0)
        status = make(&g, as_of, out);
    entry_opener_wipe(&g.opener);
    json_decref(g.found);
    free(g.places.ids);
    free(g.records.ids);
    free(g.objects);
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        past_close(out);
        return sr_error_raise(&why);
    }
    return status;
}

void past_close(struct past *past)
{
    json_decref(past->acts);
    catalog_close(past->catalog);
    memset(past, 0, sizeof *past);
}
