/* The policy in force: shown, explained, tested, loaded anew. The door authorises each. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

static int send_file(void *context, const char *file, const uint8_t sha256[32])
{
    struct ops_call *call = context;
    char hash[2 * 32 + 1];

    sr_hex_encode(sha256, 32, hash);
    return answer_item(call->answer, json_pack("{s:s,s:s}", "file", file, "sha256", hash));
}

int ops_policy_show(struct ops_call *call)
{
    return door_policy_show(call->context->door, call->actor, send_file, call);
}

static int send_reason(void *context, const struct door_policy_reason *reason)
{
    struct ops_call *call = context;

    return answer_item(call->answer,
                       json_pack("{s:s,s:I,s:s,s:s,s:s?}", "file", reason->file, "line",
                                 (json_int_t)reason->line, "id", reason->id, "effect",
                                 reason->forbid ? "forbid" : "permit", "fault", reason->fault));
}

int ops_policy_explain(struct ops_call *call)
{
    bool allow = false;
    const struct door_policy_question question = {.account = request_text(call->request, "user"),
                                                  .act = request_text(call->request, "action"),
                                                  .path = request_text(call->request, "path"),
                                                  .purpose =
                                                      request_text(call->request, "purpose")};
    int rc =
        door_policy_explain(call->context->door, call->actor, &question, &allow, send_reason, call);

    if (rc == 0)
        call->result = json_pack("{s:s}", "decision", allow ? "allow" : "deny");
    return rc;
}

static int send_failure(void *context, const char *sentence)
{
    struct ops_call *call = context;

    return answer_item(call->answer, json_pack("{s:s}", "failure", sentence));
}

int ops_policy_test(struct ops_call *call)
{
    const char *text = request_text(call->request, "text");
    struct door_policy_report report = {.fn = send_failure, .context = call};
    int rc = door_policy_test(call->context->door, call->actor, request_text(call->request, "name"),
                              (const uint8_t *)text, strlen(text), &report);

    if (rc == 0)
        call->result = json_pack("{s:I,s:I}", "passed", (json_int_t)report.passed, "failed",
                                 (json_int_t)report.failed);
    return rc;
}

int ops_policy_reload(struct ops_call *call)
{
    return door_policy_reload(call->context->door, call->actor);
}
