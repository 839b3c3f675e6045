/* Export of a case: the tool makes the bundle, the door says what may leave. */
#include "base/error.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

static int send(void *context, json_t *item)
{
    struct ops_call *call = context;

    return answer_item(call->answer, item);
}

static int tell_progress(void *context, uint64_t done, uint64_t total)
{
    struct ops_call *call = context;

    return answer_progress(call->answer, done, total);
}

static int result_index(struct ops_call *call, uint64_t index)
{
    call->result = json_pack("{s:I}", "index", (json_int_t)index);
    return call->result != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
}

int ops_export_begin(struct ops_call *call)
{
    struct door_export ask = {
        .as_of = request_number(call->request, "as_of", DOOR_EXPORT_LATEST),
        .format = request_text(call->request, "format"),
        .purpose = request_text(call->request, "purpose"),
        .encrypted = request_bool(call->request, "encrypted"),
        .leave_out = request_bool(call->request, "leave_out"),
    };
    struct catalog_node node;
    uint64_t index = 0;
    int rc = ops_find_node(call, &node);

    ask.node = node.id;
    if (rc == 0)
        rc = door_export_begin(call->context->door, call->actor, &ask, tell_progress, call, send,
                               call, &index);
    return rc == 0 ? result_index(call, index) : rc;
}

int ops_export_end(struct ops_call *call)
{
    uint64_t index = 0;
    int rc =
        door_export_end(call->context->door, call->actor, request_number(call->request, "begin", 0),
                        request_text(call->request, "sha256"), &index);

    return rc == 0 ? result_index(call, index) : rc;
}

int ops_disc_verify(struct ops_call *call)
{
    struct catalog_node node;
    uint64_t index = 0;
    int rc = ops_find_node(call, &node);

    if (rc == 0)
        rc = door_disc_verify(
            call->context->door, call->actor, node.id, request_text(call->request, "sha256"),
            request_bool(call->request, "good"), request_text(call->request, "detail"), &index);
    return rc == 0 ? result_index(call, index) : rc;
}
