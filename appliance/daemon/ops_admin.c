/* status, verify, rebuild. */
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/audit.h"
#include "daemon/ops_internal.h"
#include "daemon/options.h"
#include "daemon/request.h"

int ops_hello(struct ops_call *call)
{
    const struct vault_identity *identity = vault_identity(call->context->vault);
    char id[2 * KEYS_VAULT_ID_LEN + 1];

    sr_hex_encode(identity->id.bytes, sizeof identity->id.bytes, id);
    call->result = json_pack("{s:s,s:s,s:s,s:s}", "vault", call->context->vault_path, "id", id,
                             "mountpoint", call->context->mountpoint, "version", OPTIONS_VERSION);
    if (call->result == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for the greeting");
    return 0;
}

int ops_status(struct ops_call *call)
{
    json_t *status = NULL;
    int rc = door_status(call->context->door, &status);

    if (rc == 0)
        rc = ops_hello(call);
    if (rc == 0 && (json_object_set_new(call->result, "started",
                                        sr_json_i64_text(call->context->started_ns)) != 0 ||
                    json_object_update_missing(call->result, status) != 0))
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for the status");
    json_decref(status);
    return rc;
}

struct verify_state {
    struct ops_call *call;
    uint64_t findings;
};

static void verify_finding(void *context, const char *what, const char *why)
{
    struct verify_state *state = context;

    state->findings++;
    (void)answer_queue(state->call->answer,
                       json_pack("{s:s,s:s}", "what", what, "why", why != NULL ? why : ""));
}

static int verify_progress(void *context, uint64_t done, uint64_t total)
{
    struct verify_state *state = context;

    return answer_progress(state->call->answer, done, total);
}

/* One record. Who may verify may name any object by its id, for an id tells nothing; others verify
 * what they may read. */
static int verify_one(struct ops_call *call, struct verify_state *state, uint64_t *objects)
{
    const struct ops_context *context = call->context;
    struct catalog *catalog = door_catalog(context->door);
    const char *object = request_text(call->request, "object");
    struct catalog_version version;
    struct vault_object_id id;
    struct catalog_node node;
    int rc;

    if (object == NULL || !door_can(context->door, call->actor, "verify")) {
        rc = ops_find_node(call, &node);
        return rc != 0 ? rc
                       : door_verify(context->door, call->actor, node.id, verify_finding,
                                     verify_progress, state, objects);
    }
    rc = vault_object_id_parse(object, &id);
    if (rc == 0)
        rc = catalog_object(catalog, &id, &version);
    if (rc != 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "only a sealed record can be verified");
    *objects = 1;
    return audit_object(context->vault, &version, verify_finding, verify_progress, state);
}

/* The whole vault, or one record. Findings are items; a verification that found something has still
 * succeeded. */
int ops_verify(struct ops_call *call)
{
    const struct ops_context *context = call->context;
    struct verify_state state = {.call = call};
    struct audit_report report = {0};
    int rc;

    if (request_text(call->request, "object") != NULL ||
        request_text(call->request, "path") != NULL) {
        rc = verify_one(call, &state, &report.objects);
    } else {
        rc = door_may(context->door, call->actor, "verify");
        if (rc == 0)
            rc = audit_run(context->vault, context->ledger, door_catalog(context->door), false,
                           verify_finding, verify_progress, &state, &report);
    }
    if (rc == SR_ERR_DAMAGED && state.findings > 0)
        rc = 0;
    if (rc != 0)
        return rc;
    if (answer_gone(call->answer))
        return sr_fail(SR_ERR_CLOSED, "the daemon is closing, so verification was stopped");
    call->result =
        json_pack("{s:I,s:I,s:I,s:I,s:I}", "findings", (json_int_t)state.findings, "entries",
                  (json_int_t)report.entries, "objects", (json_int_t)report.objects, "bytes",
                  (json_int_t)report.bytes, "staging", (json_int_t)report.staging);
    return 0;
}

static int rebuild_progress(void *context, uint64_t done, uint64_t total)
{
    struct ops_call *call = context;

    return answer_progress(call->answer, done, total);
}

/* A check that found a difference has still succeeded. */
static int check_catalog(struct ops_call *call)
{
    struct sr_buf difference = {0};
    int rc =
        door_rebuild_check(call->context->door, call->actor, rebuild_progress, call, &difference);

    if (rc == 0)
        call->result =
            json_pack("{s:s}", "difference", difference.data != NULL ? difference.data : "");
    sr_buf_free(&difference);
    return rc;
}

int ops_rebuild(struct ops_call *call)
{
    uint64_t entries;
    int rc;

    if (request_bool(call->request, "check")) {
        rc = check_catalog(call);
    } else {
        rc = door_rebuild(call->context->door, call->actor, rebuild_progress, call, &entries);
        if (rc == 0)
            call->result = json_pack("{s:I}", "entries", (json_int_t)entries);
    }
    if (rc > 0)
        rc = sr_fail(SR_ERR_CLOSED, "the daemon is closing, so the catalog was left as it was");
    if (rc == 0 && call->result == NULL)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
    return rc;
}
