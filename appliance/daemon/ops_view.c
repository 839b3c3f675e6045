/* Stated purposes, standing grants, and who has read a restricted record. The door decides. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

#define VIEW_HOURS 8 /* a working day, unless asked for another time */

static bool put_account(struct ops_call *call, json_t *out, const char *key, uint32_t uid)
{
    struct catalog_user user;

    return catalog_user(door_catalog(call->context->door), uid, &user) != 0 ||
           json_object_set_new(out, key, json_string(user.account)) == 0;
}

/* Where it lies is told to who may know of it; to others that there is a grant. */
static bool put_place(struct ops_call *call, json_t *out, uint64_t id)
{
    struct catalog_node node;
    char *path = NULL;
    bool put;

    if (door_getattr(call->context->door, call->actor, id, &node) != 0 ||
        door_path(call->context->door, call->actor, id, &path) != 0)
        return true;
    put = json_object_set_new(out, "path", json_string(path)) == 0;
    free(path);
    return put;
}

static json_t *grant_json(struct ops_call *call, const struct catalog_grant *grant)
{
    json_t *out = json_object();

    if (json_object_set_new(out, "grant", json_integer((json_int_t)grant->index)) != 0 ||
        json_object_set_new(out, "node", sr_json_u64_text(grant->node)) != 0 ||
        json_object_set_new(out, "purpose", json_string(grant->purpose)) != 0 ||
        json_object_set_new(out, "until", sr_json_i64_text(grant->until_ns)) != 0 ||
        json_object_set_new(out, "ended", json_boolean(grant->ended)) != 0 ||
        !put_account(call, out, "account", grant->uid) ||
        !put_account(call, out, "by", grant->by) || !put_place(call, out, grant->node)) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static int result_grant(struct ops_call *call, const struct catalog_grant *grant)
{
    call->result = grant_json(call, grant);
    return call->result != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
}

int ops_view(struct ops_call *call)
{
    struct catalog_grant grant;
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_view(call->context->door, call->actor, node.id,
                       request_text(call->request, "purpose"),
                       (unsigned)request_number(call->request, "hours", VIEW_HOURS), &grant);
    return rc == 0 ? result_grant(call, &grant) : rc;
}

int ops_grant_add(struct ops_call *call)
{
    struct catalog_grant grant;
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_grant(
            call->context->door, call->actor, node.id, request_text(call->request, "account"),
            request_text(call->request, "purpose"), request_text(call->request, "until"), &grant);
    return rc == 0 ? result_grant(call, &grant) : rc;
}

static int send_grant(void *context, const struct catalog_grant *grant)
{
    struct ops_call *call = context;

    return answer_item(call->answer, grant_json(call, grant));
}

int ops_grant_list(struct ops_call *call)
{
    return door_grants(call->context->door, call->actor, request_bool(call->request, "all"),
                       send_grant, call);
}

int ops_grant_end(struct ops_call *call)
{
    return door_grant_end(call->context->door, call->actor,
                          request_number(call->request, "grant", 0));
}

/* --- who has read a record --- */

struct view_list {
    struct catalog_view *items;
    size_t count, capacity;
};

static int collect_view(void *context, const struct catalog_view *view)
{
    struct view_list *list = context;

    if (list->count == list->capacity) {
        size_t capacity = list->capacity > 0 ? 2 * list->capacity : 16;
        struct catalog_view *longer = realloc(list->items, capacity * sizeof *longer);

        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a list");
        list->items = longer;
        list->capacity = capacity;
    }
    list->items[list->count++] = *view;
    return 0;
}

static json_t *ranges_json(const struct catalog_view *view)
{
    json_t *ranges = json_array();

    for (size_t i = 0; i < view->range_count; i++) {
        json_t *range = json_array();

        json_array_append_new(range, sr_json_u64_text(view->ranges[i].start));
        json_array_append_new(range, sr_json_u64_text(view->ranges[i].end));
        json_array_append_new(ranges, range);
    }
    return ranges;
}

static int send_view(struct ops_call *call, const struct catalog_view *view)
{
    struct catalog_grant grant = {.purpose = ""};
    uint64_t bytes = 0;
    char day[11];
    json_t *out;

    (void)catalog_grant(door_catalog(call->context->door), view->grant, &grant);
    for (size_t i = 0; i < view->range_count; i++)
        bytes += view->ranges[i].end - view->ranges[i].start;
    sr_day_text(view->day, day);
    out = json_pack("{s:I,s:s,s:I,s:s,s:s,s:I,s:o,s:o,s:o,s:b,s:o}", "entry",
                    (json_int_t)view->index, "day", day, "uid", (json_int_t)view->uid, "client",
                    view->client, "purpose", grant.purpose, "opens", (json_int_t)view->opens,
                    "from", sr_json_i64_text(view->first_ns), "until",
                    sr_json_i64_text(view->last_ns), "bytes", sr_json_u64_text(bytes), "coarse",
                    view->coarse, "ranges", ranges_json(view));
    if (out != NULL && !put_account(call, out, "account", view->uid)) {
        json_decref(out);
        out = NULL;
    }
    return answer_item(call->answer, out);
}

int ops_record_views(struct ops_call *call)
{
    struct view_list list = {.count = 0};
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_views(call->context->door, call->actor, node.id, collect_view, &list);
    for (size_t i = 0; rc == 0 && i < list.count; i++)
        rc = send_view(call, &list.items[i]);
    free(list.items);
    return rc;
}
