/* Labels of records: given, shown, missing. */
#include <string.h>

#include "base/error.h"
#include "casework/label_value.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

/* "采集地点=…" or "speaker@12:30=…"; text is cut in two. */
static int read_label(char *text, struct door_label *out)
{
    char *value = strchr(text, '='), *at;

    if (value == NULL)
        return sr_fail(SR_ERR_INVALID, "'%.100s' is not LABEL=VALUE", text);
    *value++ = '\0';
    out->value = value;
    out->offset_ms = CATALOG_NO_OFFSET;
    at = strchr(text, '@');
    if (at != NULL) {
        *at++ = '\0';
        if (!label_offset(at, &out->offset_ms))
            return sr_fail(SR_ERR_INVALID, "'%.40s' is no place in a recording, like 00:12:30", at);
    }
    if (!label_by_name(text, &out->label))
        return sr_fail(
            SR_ERR_INVALID,
            "there is no label '%.60s'; the labels are 案件编号 采集时间 采集地点 采集人 "
            "证明对象 执法对象 编号 摄录内容 对话人员 身份 主要内容 设备时间偏差 设备",
            text);
    return 0;
}

int ops_record_label(struct ops_call *call)
{
    const char *words[DOOR_LABELS_MAX];
    struct door_label labels[DOOR_LABELS_MAX];
    size_t count = request_texts(call->request, "labels", words, DOOR_LABELS_MAX);
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    for (size_t i = 0; rc == 0 && i < count; i++) /* the request is this call's own */
        rc = read_label((char *)words[i], &labels[i]);
    if (rc == 0)
        rc = door_record_label(call->context->door, call->actor, node.id, labels, count);
    return rc != 0 ? rc
                   : door_labels(call->context->door, call->actor, node.id, false, &call->result);
}

int ops_record_labels(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    return rc != 0 ? rc
                   : door_labels(call->context->door, call->actor, node.id,
                                 request_bool(call->request, "history"), &call->result);
}

static int send_item(void *context, json_t *item)
{
    struct ops_call *call = context;

    return answer_item(call->answer, item);
}

int ops_case_pending(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    return rc != 0 ? rc
                   : door_case_pending(call->context->door, call->actor, node.id, send_item, call);
}

int ops_lateness(struct ops_call *call)
{
    return door_lateness(call->context->door, call->actor, request_text(call->request, "from"),
                         request_text(call->request, "until"), send_item, call);
}

int ops_retention_explain(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    return rc != 0 ? rc : door_retention(call->context->door, call->actor, node.id, &call->result);
}

/* A record is answered with its explanation, a folder has none. */
static int explain(struct ops_call *call, const struct catalog_node *node, int rc)
{
    return rc != 0 || node->kind != CATALOG_KIND_RECORD
               ? rc
               : door_retention(call->context->door, call->actor, node->id, &call->result);
}

int ops_retention_set(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_retention_set(call->context->door, call->actor, node.id,
                                request_text(call->request, "category"),
                                request_text(call->request, "reason"));
    return explain(call, &node, rc);
}

int ops_retention_extend(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_retention_extend(call->context->door, call->actor, node.id,
                                   request_text(call->request, "until"),
                                   request_text(call->request, "reason"));
    return explain(call, &node, rc);
}

int ops_case_archive(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    return rc != 0 ? rc
                   : door_case_archive(call->context->door, call->actor, node.id, send_item, call);
}

int ops_record_archive(struct ops_call *call)
{
    struct catalog_node node;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_record_archive(call->context->door, call->actor, node.id,
                                 request_text(call->request, "reason"));
    return rc != 0 ? rc
                   : door_labels(call->context->door, call->actor, node.id, false, &call->result);
}
