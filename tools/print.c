#include "tools/print.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

const char *print_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));

    return text != NULL ? text : "";
}

void print_size(const json_t *object, const char *member, char out[COLUMN_SIZE_TEXT])
{
    uint64_t size = 0;

    if (sr_json_get_u64(object, member, &size) == 0)
        column_size(size, out);
    else
        strcpy(out, "-");
}

void print_time(const json_t *object, const char *member, char out[PRINT_TIME_TEXT])
{
    int64_t time_ns = 0;

    if (sr_json_get_i64(object, member, &time_ns) == 0 && time_ns != 0)
        sr_time_local_text(time_ns, out);
    else
        strcpy(out, "-");
}

static bool is_record(const json_t *node)
{
    return strcmp(print_text(node, "kind"), "record") == 0;
}

void print_node_row(struct column_table *table, const json_t *node, const char *name)
{
    char size[COLUMN_SIZE_TEXT], time[PRINT_TIME_TEXT];
    bool record = is_record(node);
    const char *cells[4];

    print_size(node, record ? "size" : "", size);
    if (record && json_object_get(node, "sealed_at") != NULL)
        print_time(node, "sealed_at", time);
    else
        print_time(node, record ? "mtime" : "changed", time);
    cells[0] = record ? print_text(node, "state") : print_text(node, "kind");
    cells[1] = size;
    cells[2] = time;
    cells[3] = name;
    column_row(table, cells);
}

static void put_row(struct column_table *table, const char *name, const char *value)
{
    const char *cells[2] = {name, value};

    if (value[0] != '\0')
        column_row(table, cells);
}

void print_node(const json_t *node)
{
    static const char *const texts[] = {
        "path",           "kind",      "state",    "object", "sha256",
        "classification", "own_until", "approver", "client", "node"};
    static const char *const numbers[] = {"ledger_index", "create_index", "instance", "hole_count",
                                          "uid"};
    static const char *const flags[] = {"empty", "salvaged", "marked",
                                        "draft", "junk",     "provisional"};
    static const char *const times[] = {"mtime", "sealed_at", "created", "changed"};
    struct column_table table = {.columns = 2};
    char text[64];

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        put_row(&table, texts[i], print_text(node, texts[i]));
    put_row(&table, "by", print_text(node, "account"));
    if (json_object_get(node, "size") != NULL) {
        print_size(node, "size", text);
        put_row(&table, "size", text);
        put_row(&table, "bytes", print_text(node, "size"));
    }
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        print_time(node, times[i], text);
        if (json_object_get(node, times[i]) != NULL)
            put_row(&table, times[i], text);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const json_t *value = json_object_get(node, numbers[i]);

        snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
        if (json_integer_value(value) != 0)
            put_row(&table, numbers[i], text);
    }
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (json_is_true(json_object_get(node, flags[i])))
            put_row(&table, flags[i], "yes");
    column_print(&table, stdout);
    column_free(&table);
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);

    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

/* One member that is no object, as a person reads it. */
static void scalar_text(const json_t *object, const char *name, char *text, size_t size)
{
    const json_t *value = json_object_get(object, name);

    text[0] = '\0';
    if (ends_with(name, "_bytes") || ends_with(name, "_peak"))
        print_size(object, name, text);
    else if (strcmp(name, "started") == 0 || ends_with(name, "_at") || ends_with(name, "_ns"))
        print_time(object, name, text);
    else if (json_is_string(value))
        snprintf(text, size, "%s", json_string_value(value));
    else if (json_is_integer(value))
        snprintf(text, size, "%lld", (long long)json_integer_value(value));
    else if (json_is_boolean(value))
        snprintf(text, size, "%s", json_is_true(value) ? "yes" : "no");
    else if (json_is_null(value))
        snprintf(text, size, "unknown");
    else if (json_is_real(value))
        snprintf(text, size, "%g", json_real_value(value));
    else if (json_is_array(value))
        snprintf(text, size, "%zu", json_array_size(value));
}

/* Lists of objects are counted from 1; of others the number says enough. */
static void flatten(struct column_table *table, const char *prefix, const json_t *object)
{
    /* Only iterated, but jansson's loop wants a pointer that it could change through. */
    json_t *iterated = (json_t *)(uintptr_t)object;
    const char *name;
    json_t *value;

    json_object_foreach(iterated, name, value)
    {
        char whole[128], text[2048];

        snprintf(whole, sizeof whole, "%s%s%s", prefix, prefix[0] != '\0' ? "." : "", name);
        if (json_is_object(value)) {
            flatten(table, whole, value);
        } else if (json_is_object(json_array_get(value, 0))) {
            for (size_t i = 0; i < json_array_size(value); i++) {
                char one[160];

                snprintf(one, sizeof one, "%s.%zu", whole, i + 1);
                flatten(table, one, json_array_get(value, i));
            }
        } else {
            scalar_text(object, name, text, sizeof text);
            put_row(table, whole, text);
        }
    }
}

void print_object(const json_t *object)
{
    struct column_table table = {.columns = 2};

    flatten(&table, "", object);
    column_print(&table, stdout);
    column_free(&table);
}

int print_list_item(void *context, const json_t *item)
{
    struct print_list *list = context;

    list->count++;
    if (list->tool->json)
        tool_json_item(list->tool, item);
    else
        list->row(&list->table, item);
    return 0;
}

int print_list_end(struct print_list *list, int rc)
{
    /* What came before an error is still shown. */
    column_print(&list->table, stdout);
    if (rc == 0 && list->table.failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for the list");
    column_free(&list->table);
    if (rc == 0 && list->tool->json)
        tool_json_list_end(list->tool);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(list->tool, rc);
}
