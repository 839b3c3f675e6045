#include "catalog/archived.h"
#include "daemon/ops.h"

#include <string.h>

#include "base/error.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

#define PATH_FIELD(must)                             \
    {                                                \
        "path", REQUEST_TEXT, must, REQUEST_PATH_MAX \
    }
#define OBJECT_FIELD                                           \
    {                                                          \
        "object", REQUEST_TEXT, false, 2 * VAULT_OBJECT_ID_LEN \
    }
#define REASON_FIELD                                   \
    {                                                  \
        "reason", REQUEST_TEXT, true, REQUEST_TEXT_MAX \
    }
#define PURPOSE_FIELD(must)                                \
    {                                                      \
        "purpose", REQUEST_TEXT, must, CATALOG_PURPOSE_MAX \
    }
#define INDEX_FIELD(name, must)                       \
    {                                                 \
        name, REQUEST_NUMBER, must, (uint64_t)1 << 53 \
    }

/* act: asked of door_may before the handler runs. NULL: open to everybody, or the handler's own
 * call of the door authorises. A field that may be given in several forms is checked by the
 * handler. */
struct ops_entry {
    struct request_shape shape; /* first: request_parse walks it */
    const char *act;
    int (*handler)(struct ops_call *call);
};

static const struct ops_entry table[] = {
    {{"hello", {{0}}}, NULL, ops_hello},
    {{"status", {{0}}}, "status", ops_status},
    {{"user.add",
      {{"account", REQUEST_TEXT, true, 63},
       {"name", REQUEST_TEXT, false, 127},
       {"unit", REQUEST_TEXT, false, 127},
       {"roles", REQUEST_TEXTS, true, CATALOG_ROLES_MAX},
       {"password", REQUEST_TEXT, false, 1024}}},
     NULL,
     ops_user_add},
    {{"user.set",
      {{"account", REQUEST_TEXT, true, 63},
       {"name", REQUEST_TEXT, false, 127},
       {"unit", REQUEST_TEXT_OR_EMPTY, false, 127},
       {"badge", REQUEST_TEXT_OR_EMPTY, false, 63},
       {"badge_from", REQUEST_TEXT_OR_EMPTY, false, 10},
       {"badge_until", REQUEST_TEXT_OR_EMPTY, false, 10},
       {"roles", REQUEST_TEXTS, false, CATALOG_ROLES_MAX},
       {"clearance", REQUEST_NUMBER, false, CATALOG_LEVELS - 1}}},
     NULL,
     ops_user_set},
    {{"user.password",
      {{"account", REQUEST_TEXT, true, 63}, {"password", REQUEST_TEXT, true, 1024}}},
     NULL,
     ops_user_password},
    {{"user.disable", {{"account", REQUEST_TEXT, true, 63}, REASON_FIELD}}, NULL, ops_user_disable},
    {{"user.list", {{0}}}, "user.list", ops_user_list},
    {{"case.open",
      {{"year", REQUEST_NUMBER, true, 9999}, {"name", REQUEST_TEXT, true, REQUEST_NAME_MAX}}},
     NULL,
     ops_case_open},
    {{"case.list", {{"mine", REQUEST_BOOL, false, 0}}}, NULL, ops_case_list},
    {{"case.show", {PATH_FIELD(true)}}, NULL, ops_case_show},
    {{"case.assign",
      {PATH_FIELD(true),
       {"lead", REQUEST_TEXTS, true, CATALOG_LEADS_MAX},
       {"helpers", REQUEST_TEXTS, false, CATALOG_HELPERS_MAX},
       REASON_FIELD}},
     NULL,
     ops_case_assign},
    {{"case.transfer", {PATH_FIELD(true), {"unit", REQUEST_TEXT, true, 127}, REASON_FIELD}},
     NULL,
     ops_case_transfer},
    {{"case.pending", {PATH_FIELD(true)}}, NULL, ops_case_pending},
    {{"lateness", {{"from", REQUEST_TEXT, false, 10}, {"until", REQUEST_TEXT, false, 10}}},
     NULL,
     ops_lateness},
    {{"retention.explain", {PATH_FIELD(false), OBJECT_FIELD}}, NULL, ops_retention_explain},
    {{"retention.set",
      {PATH_FIELD(false),
       OBJECT_FIELD,
       {"category", REQUEST_TEXT, true, CATALOG_CATEGORY_MAX},
       REASON_FIELD}},
     NULL,
     ops_retention_set},
    {{"retention.extend",
      {PATH_FIELD(false), OBJECT_FIELD, {"until", REQUEST_TEXT, true, 10}, REASON_FIELD}},
     NULL,
     ops_retention_extend},
    {{"case.archive", {PATH_FIELD(true)}}, NULL, ops_case_archive},
    {{"record.archive", {PATH_FIELD(false), OBJECT_FIELD, {"reason", REQUEST_TEXT, false, 1000}}},
     NULL,
     ops_record_archive},
    {{"export.begin",
      {PATH_FIELD(true),
       INDEX_FIELD("as_of", false),
       {"format", REQUEST_TEXT, true, 16},
       PURPOSE_FIELD(false),
       {"encrypted", REQUEST_BOOL, false, 0},
       {"leave_out", REQUEST_BOOL, false, 0}}},
     NULL,
     ops_export_begin},
    {{"export.end", {INDEX_FIELD("begin", true), {"sha256", REQUEST_TEXT, true, 64}}},
     NULL,
     ops_export_end},
    {{"disc.verify",
      {PATH_FIELD(true),
       {"sha256", REQUEST_TEXT, true, 64},
       {"good", REQUEST_BOOL, false, 0},
       {"detail", REQUEST_TEXT_OR_EMPTY, true, 1000}}},
     NULL,
     ops_disc_verify},
    {{"record.list", {PATH_FIELD(true)}}, NULL, ops_record_list},
    {{"record.show", {PATH_FIELD(false), OBJECT_FIELD}}, NULL, ops_record_show},
    {{"record.versions", {PATH_FIELD(false), OBJECT_FIELD}}, NULL, ops_record_versions},
    {{"record.properties", {PATH_FIELD(false), OBJECT_FIELD}}, NULL, ops_record_properties},
    {{"record.label",
      {PATH_FIELD(false), OBJECT_FIELD, {"labels", REQUEST_LONG_TEXTS, true, DOOR_LABELS_MAX}}},
     NULL,
     ops_record_label},
    {{"record.labels", {PATH_FIELD(false), OBJECT_FIELD, {"history", REQUEST_BOOL, false, 0}}},
     NULL,
     ops_record_labels},
    {{"reindex", {PATH_FIELD(false), OBJECT_FIELD}}, NULL, ops_reindex},
    {{"record.file",
      {PATH_FIELD(false),
       OBJECT_FIELD,
       {"to", REQUEST_TEXT, true, REQUEST_PATH_MAX},
       REASON_FIELD,
       {"again", REQUEST_BOOL, false, 0}}},
     NULL,
     ops_record_file},
    {{"record.incomplete", {PATH_FIELD(false), OBJECT_FIELD, REASON_FIELD}},
     NULL,
     ops_record_incomplete},
    {{"record.classify",
      {PATH_FIELD(false),
       OBJECT_FIELD,
       {"node", REQUEST_TEXT, false, 20},
       {"level", REQUEST_NUMBER, false, CATALOG_LEVELS - 1},
       {"until", REQUEST_TEXT_OR_EMPTY, false, 10},
       {"marks", REQUEST_TEXTS, false, CATALOG_MARKS},
       {"approver", REQUEST_TEXT, false, 127},
       REASON_FIELD}},
     NULL,
     ops_record_classify},
    {{"record.views", {PATH_FIELD(false), OBJECT_FIELD}}, NULL, ops_record_views},
    {{"view",
      {PATH_FIELD(false),
       OBJECT_FIELD,
       PURPOSE_FIELD(true),
       {"hours", REQUEST_NUMBER, false, DOOR_VIEW_HOURS_MAX}}},
     NULL,
     ops_view},
    {{"grant.add",
      {{"account", REQUEST_TEXT, true, 63},
       PATH_FIELD(false),
       OBJECT_FIELD,
       PURPOSE_FIELD(true),
       {"until", REQUEST_TEXT, true, 10}}},
     NULL,
     ops_grant_add},
    {{"grant.list", {{"all", REQUEST_BOOL, false, 0}}}, NULL, ops_grant_list},
    {{"grant.end", {INDEX_FIELD("grant", true)}}, NULL, ops_grant_end},
    {{"seal", {PATH_FIELD(true), {"wait_ms", REQUEST_NUMBER, false, 3600000}}}, NULL, ops_seal},
    {{"search",
      {{"words", REQUEST_TEXT, true, REQUEST_TEXT_MAX},
       {"before", REQUEST_TEXT, false, 20},
       {"limit", REQUEST_NUMBER, false, 10000}}},
     NULL,
     ops_search},
    {{"verify", {PATH_FIELD(false), OBJECT_FIELD}}, NULL, ops_verify},
    {{"rebuild", {{"check", REQUEST_BOOL, false, 0}}}, NULL, ops_rebuild},
    {{"ledger.checkpoint", {{0}}}, "checkpoint", ops_ledger_checkpoint},
    {{"ledger.proof", {INDEX_FIELD("index", false), PATH_FIELD(false), OBJECT_FIELD}},
     "ledger",
     ops_ledger_proof},
    {{"ledger.log",
      {INDEX_FIELD("from", false), INDEX_FIELD("to", false), {"act", REQUEST_TEXT, false, 64}}},
     "ledger",
     ops_ledger_log},
    {{"ledger.entry", {INDEX_FIELD("index", true)}}, "ledger", ops_ledger_entry},
    {{"ledger.key", {{0}}}, NULL, ops_ledger_key},
    {{"policy.show", {{0}}}, NULL, ops_policy_show},
    {{"policy.explain",
      {{"user", REQUEST_TEXT, true, 63},
       {"action", REQUEST_TEXT, true, 63},
       PATH_FIELD(false),
       PURPOSE_FIELD(false)}},
     NULL,
     ops_policy_explain},
    {{"policy.test", {{"name", REQUEST_TEXT, true, 4096}, {"text", REQUEST_TEXT, true, 60000}}},
     NULL,
     ops_policy_test},
    {{"policy.reload", {{0}}}, NULL, ops_policy_reload},
};

size_t ops_count(void)
{
    return sizeof table / sizeof table[0];
}

const char *ops_name_at(size_t index)
{
    return table[index].shape.op;
}

const char *ops_name(const struct ops_entry *entry)
{
    return entry->shape.op;
}

int ops_parse(const uint8_t *line, size_t len, const struct ops_entry **entry, json_t **request)
{
    size_t which = 0;
    int rc;

    *entry = NULL;
    rc = request_parse(line, len, table, ops_count(), sizeof table[0], &which, request);
    if (rc == 0)
        *entry = &table[which];
    return rc;
}

void ops_run(const struct ops_context *context, const struct ops_entry *entry, json_t *request,
             const struct door_actor *actor, struct answer *answer)
{
    struct ops_call call = {
        .context = context, .actor = actor, .request = request, .answer = answer};
    int rc = 0;

    if (entry->act != NULL)
        rc = door_may(context->door, actor, entry->act);
    if (rc == 0)
        rc = entry->handler(&call);
    request_wipe(request, "password");
    if (rc != 0) {
        json_decref(call.result);
        answer_error(answer, rc, false);
    } else {
        answer_result(answer, call.result);
    }
}
