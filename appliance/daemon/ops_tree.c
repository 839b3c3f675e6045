/* Cases, records, sealing, search. What an actor may see and do is the door's decision
 * throughout. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "catalog/archived.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

#define PAGE_NODES 256     /* listed under the door's lock at a time */
#define SEARCH_LIMIT 200   /* results, unless asked for more */
#define WAIT_SLICE_MS 1000 /* how often a waiting seal looks whether its client is still there */

static const char *const state_names[] = {
    [CATALOG_STAGING] = "staging",
    [CATALOG_SEALED] = "sealed",
    [CATALOG_INCOMPLETE] = "incomplete",
    [CATALOG_SUPERSEDED] = "superseded",
};

/* Sets key unless value is NULL for want of memory. */
static bool put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static bool put_version(json_t *object, const struct catalog_version *version)
{
    bool made;

    made =
        put(object, "object", sr_json_hex(version->object.bytes, sizeof version->object.bytes)) &&
        put(object, "state", json_string(state_names[version->state])) &&
        put(object, "size", sr_json_u64_text(version->size)) &&
        put(object, "mtime", sr_json_i64_text(version->mtime_ns)) &&
        put(object, "uid", json_integer(version->uid)) &&
        put(object, "client", json_string(version->client)) &&
        put(object, "create_index", json_integer((json_int_t)version->create_index)) &&
        put(object, "empty", json_boolean(version->empty)) &&
        put(object, "salvaged", json_boolean(version->salvaged));
    if (made && version->state != CATALOG_STAGING)
        made = put(object, "sha256", sr_json_hex(version->sha256, sizeof version->sha256)) &&
               put(object, "ledger_index", json_integer((json_int_t)version->seal_index)) &&
               put(object, "sealed_at", sr_json_i64_text(version->sealed_ns)) &&
               put(object, "hole_count", json_integer((json_int_t)version->hole_count)) &&
               put(object, "marked", json_boolean(version->marked));
    return made;
}

json_t *ops_node_json(struct ops_call *call, const struct catalog_node *node, bool with_path)
{
    struct door *door = call->context->door;
    struct catalog_archived archived;
    struct catalog_user user;
    json_t *out = json_object();
    char *path = NULL;
    bool made;

    made = put(out, "node", sr_json_u64_text(node->id)) &&
           put(out, "kind", json_string(catalog_kind_word(node->kind))) &&
           put(out, "name", json_string(node->name)) &&
           put(out, "created", sr_json_i64_text(node->created_ns)) &&
           put(out, "changed", sr_json_i64_text(node->changed_ns)) &&
           put(out, "uid", json_integer(node->uid));
    if (made && node->kind == CATALOG_KIND_RECORD)
        made = put(out, "instance", json_integer(node->instance)) &&
               put(out, "draft", json_boolean(node->draft)) &&
               put(out, "junk", json_boolean(node->junk)) && put_version(out, &node->version);
    if (made && node->kind == CATALOG_KIND_RECORD &&
        catalog_archived(door_catalog(door), node->id, &archived) == 0)
        made = put(out, "archive_number", json_string(archived.text));
    made = made && ops_put_class(call, out, node);
    if (made && (node->kind == CATALOG_KIND_CASE || node->kind == CATALOG_KIND_FOLDER))
        made = put(out, "provisional", json_boolean(node->provisional));
    if (made && catalog_user(door_catalog(door), node->uid, &user) == 0)
        made = put(out, "account", json_string(user.account));
    if (made && with_path && door_path(door, call->actor, node->id, &path) == 0)
        made = put(out, "path", json_string(path));
    free(path);
    if (!made) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static int send_node(struct ops_call *call, const struct catalog_node *node)
{
    return answer_item(call->answer, ops_node_json(call, node, true));
}

static int result_node(struct ops_call *call, const struct catalog_node *node)
{
    call->result = ops_node_json(call, node, true);
    if (call->result == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
    return 0;
}

int ops_find_node(struct ops_call *call, struct catalog_node *out)
{
    const char *path = request_text(call->request, "path");
    const char *object = request_text(call->request, "object");
    struct catalog_version version;
    struct vault_object_id id;
    int rc;

    if ((path == NULL) == (object == NULL))
        return sr_fail(SR_ERR_INVALID, "either 'path' or 'object' is needed");
    if (path != NULL)
        return door_resolve(call->context->door, call->actor, path, out);
    rc = vault_object_id_parse(object, &id);
    if (rc != 0)
        return rc;
    rc = catalog_object(door_catalog(call->context->door), &id, &version);
    if (rc != 0)
        return rc;
    /* The door decides whether this actor may know of it. */
    return door_getattr(call->context->door, call->actor, version.node, out);
}

/* --- folders, page by page: nothing is sent while the door is locked --- */

struct page {
    struct catalog_node *nodes;
    size_t count, max;
};

static int collect_node(void *context, const struct catalog_node *node)
{
    struct page *page = context;

    if (page->count == page->max)
        return 1; /* full: stop */
    page->nodes[page->count++] = *node;
    return 0;
}

typedef int child_fn(struct ops_call *call, const struct catalog_node *child);

static int each_child(struct ops_call *call, uint64_t parent, child_fn *fn)
{
    struct page page = {.max = PAGE_NODES};
    uint64_t after = 0;
    int rc = 0;

    page.nodes = calloc(PAGE_NODES, sizeof *page.nodes);
    if (page.nodes == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a listing");
    do {
        page.count = 0;
        rc = door_readdir(call->context->door, call->actor, parent, after, collect_node, &page);
        if (rc > 0)
            rc = 0;
        for (size_t i = 0; i < page.count && rc == 0; i++)
            rc = fn(call, &page.nodes[i]);
        if (page.count > 0)
            after = page.nodes[page.count - 1].id;
    } while (rc == 0 && page.count == PAGE_NODES);
    free(page.nodes);
    return rc;
}

/* --- cases --- */

int ops_case_open(struct ops_call *call)
{
    struct catalog_node node;
    int rc;

    rc = door_case_open(call->context->door, call->actor,
                        (int)request_number(call->request, "year", 0),
                        request_text(call->request, "name"), &node);
    return rc != 0 ? rc : result_node(call, &node);
}

static int list_case(struct ops_call *call, const struct catalog_node *child)
{
    return child->kind == CATALOG_KIND_CASE ? send_node(call, child) : 0;
}

static int list_year(struct ops_call *call, const struct catalog_node *child)
{
    return child->kind == CATALOG_KIND_YEAR ? each_child(call, child->id, list_case) : 0;
}

static int send_own(void *context, const struct catalog_node *node)
{
    return send_node(context, node);
}

int ops_case_list(struct ops_call *call)
{
    return request_bool(call->request, "mine")
               ? door_my_cases(call->context->door, call->actor, send_own, call)
               : each_child(call, CATALOG_ROOT, list_year);
}

/* --- records --- */

/* A link is what it leads to. */
static int send_child(struct ops_call *call, const struct catalog_node *child)
{
    struct catalog_node target;
    int rc = 0;

    if (child->kind != CATALOG_KIND_LINK)
        return send_node(call, child);
    rc = door_getattr(call->context->door, call->actor, child->moved_to, &target);
    if (rc == SR_ERR_NOT_FOUND) /* gone since it was listed */
        return 0;
    return rc != 0 ? rc : send_node(call, &target);
}

int ops_record_list(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc != 0)
        return rc;
    if (node.kind == CATALOG_KIND_RECORD || node.kind == CATALOG_KIND_STUB)
        return send_node(call, &node);
    return each_child(call, node.id, send_child);
}

int ops_record_show(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    return rc != 0 ? rc : result_node(call, &node);
}

/* What was found in it; an empty object while nobody has looked. */
int ops_record_properties(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    return rc != 0 ? rc
                   : door_description(call->context->door, call->actor, node.id, &call->result);
}

int ops_reindex(struct ops_call *call)
{
    struct catalog_node node = {.id = 0};
    int rc = 0;

    if (request_text(call->request, "path") != NULL ||
        request_text(call->request, "object") != NULL)
        rc = ops_find_node(call, &node);
    return rc != 0 ? rc : door_reindex(call->context->door, call->actor, node.id);
}

static int collect_version(void *context, const struct catalog_version *version)
{
    json_t *versions = context;
    json_t *one = json_object();

    if (put_version(one, version) && json_array_append(versions, one) == 0) {
        json_decref(one);
        return 0;
    }
    json_decref(one);
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for the versions");
}

int ops_record_versions(struct ops_call *call)
{
    json_t *versions = json_array(), *one;
    struct catalog_node node;
    size_t i;
    int rc;

    rc = ops_find_node(call, &node);
    if (rc == 0)
        rc = door_versions(call->context->door, call->actor, node.id, collect_version, versions);
    if (rc != 0)
        goto out;
    json_array_foreach(versions, i, one)
    {
        rc = answer_item(call->answer, json_incref(one));
        if (rc != 0)
            goto out;
    }
out:
    json_decref(versions);
    return rc;
}

/* "to" is a folder, or a folder that exists and a new name in it; *name is then within to. */
static int find_destination(struct ops_call *call, const char *to, uint64_t *parent,
                            const char **name)
{
    struct catalog_node node;
    const char *slash;
    char *folder;
    int rc;

    *name = NULL;
    rc = door_resolve(call->context->door, call->actor, to, &node);
    if (rc == 0 && node.kind != CATALOG_KIND_RECORD && node.kind != CATALOG_KIND_STUB) {
        *parent = node.id;
        return 0;
    }
    if (rc != 0 && rc != SR_ERR_NOT_FOUND)
        return rc;
    /* A record of that name is left to the door, which has the right sentence for it. */
    slash = strrchr(to, '/');
    if (slash == NULL || slash[1] == '\0' || slash == to)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no folder '%s'", to);
    folder = strndup(to, (size_t)(slash - to));
    if (folder == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a path");
    rc = door_resolve(call->context->door, call->actor, folder, &node);
    free(folder);
    *parent = node.id;
    *name = slash + 1;
    return rc;
}

int ops_record_file(struct ops_call *call)
{
    const char *reason = request_text(call->request, "reason");
    struct catalog_node node;
    uint64_t parent = 0;
    const char *name = NULL;
    int rc;

    rc = ops_find_node(call, &node);
    if (rc == 0)
        rc = find_destination(call, request_text(call->request, "to"), &parent, &name);
    if (rc == 0)
        rc = door_record_file(call->context->door, call->actor, node.id, parent, name, reason,
                              request_bool(call->request, "again"));
    if (rc == 0)
        rc = door_getattr(call->context->door, call->actor, node.id, &node);
    return rc != 0 ? rc : result_node(call, &node);
}

int ops_record_incomplete(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_record_incomplete(call->context->door, call->actor, node.id,
                                    request_text(call->request, "reason"));
    if (rc == 0)
        rc = door_getattr(call->context->door, call->actor, node.id, &node);
    return rc != 0 ? rc : result_node(call, &node);
}

int ops_seal(struct ops_call *call)
{
    uint64_t left_ms = request_number(call->request, "wait_ms", 0);
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc != 0)
        return rc;
    /* In slices, so that neither a client that left nor the daemon's end waits for it. */
    for (;;) {
        uint64_t slice_ms = left_ms < WAIT_SLICE_MS ? left_ms : WAIT_SLICE_MS;

        rc = door_seal(call->context->door, call->actor, node.id, (int)slice_ms);
        left_ms -= slice_ms;
        if (rc != SR_ERR_BUSY || left_ms == 0)
            break;
        if (answer_gone(call->answer))
            return sr_fail(SR_ERR_CLOSED,
                           "the daemon is closing, so waiting for the seal was given up");
    }
    if (rc == 0)
        rc = door_getattr(call->context->door, call->actor, node.id, &node);
    return rc != 0 ? rc : result_node(call, &node);
}

static int send_hit(void *context, const struct catalog_node *node, const char *snippet)
{
    struct ops_call *call = context;
    json_t *item = ops_node_json(call, node, true);

    if (item != NULL && snippet != NULL &&
        json_object_set_new(item, "snippet", json_string(snippet)) != 0) {
        json_decref(item);
        item = NULL;
    }
    return answer_item(call->answer, item);
}

int ops_search(struct ops_call *call)
{
    uint64_t before = 0, total = 0;
    const char *text = request_text(call->request, "before");
    int rc;

    if (text != NULL && sr_parse_u64(text, &before) != 0)
        return sr_fail(SR_ERR_INVALID, "'before' is the number of a node");
    rc = door_search(call->context->door, call->actor, request_text(call->request, "words"), before,
                     (size_t)request_number(call->request, "limit", SEARCH_LIMIT), send_hit, call,
                     &total);
    if (rc == 0)
        call->result = json_pack("{s:I}", "count", (json_int_t)total);
    return rc == 0 && call->result == NULL ? sr_fail(SR_ERR_NO_MEMORY, "out of memory") : rc;
}
