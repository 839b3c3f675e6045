#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "fusefs/errno.h"
#include "fusefs/fusefs_internal.h"

void request_actor(fuse_req_t req, struct door_actor *actor)
{
    const struct fuse_ctx *context = fuse_req_ctx(req);

    memset(actor, 0, sizeof(*actor));
    actor->uid = context->uid;
    actor->thread_id = context->pid;
}

/* Refusals are evidence and stand in the ledger; only what the operator must repair is logged. */
static bool is_fault(int code)
{
    switch (code) {
    case SR_ERR_SYSTEM:
    case SR_ERR_NO_MEMORY:
    case SR_ERR_DAMAGED:
    case SR_ERR_NEWER_FORMAT:
    case SR_ERR_ROLLED_BACK:
        return true;
    default:
        return code > 0 || code < SR_ERR_LAST;
    }
}

void request_fail(fuse_req_t req, const char *op, int code)
{
    int error_number = sr_error_to_errno(code);

    if (is_fault(code))
        sr_log_failure(op);
    fuse_reply_err(req, error_number);
}

void request_end(fuse_req_t req, const char *op, int code)
{
    if (code)
        request_fail(req, op, code);
    else
        fuse_reply_err(req, 0);
}
