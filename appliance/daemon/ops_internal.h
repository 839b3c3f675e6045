/* The handlers behind ops.c's table. Each returns 0 or an error with its sentence, sends items
 * through call->answer, and may leave an object in call->result, which ops.c gives away. */
#ifndef SR_DAEMON_OPS_INTERNAL_H
#define SR_DAEMON_OPS_INTERNAL_H

#include "daemon/ops.h"

struct ops_call {
    const struct ops_context *context;
    const struct door_actor *actor;
    json_t *request; /* checked against the table */
    struct answer *answer;
    json_t *result;
};

/* ops_admin.c */
int ops_hello(struct ops_call *call);
int ops_status(struct ops_call *call);
int ops_verify(struct ops_call *call);
int ops_rebuild(struct ops_call *call);

/* ops_people.c */
int ops_user_add(struct ops_call *call);
int ops_user_set(struct ops_call *call);
int ops_user_password(struct ops_call *call);
int ops_user_disable(struct ops_call *call);
int ops_user_list(struct ops_call *call);
int ops_case_show(struct ops_call *call);
int ops_case_assign(struct ops_call *call);
int ops_case_transfer(struct ops_call *call);

/* ops_class.c */
int ops_record_classify(struct ops_call *call);
/* Adds how the node is classified; false when out of memory. */
bool ops_put_class(struct ops_call *call, json_t *out, const struct catalog_node *node);

/* ops_label.c */
int ops_record_label(struct ops_call *call);
int ops_record_labels(struct ops_call *call);
int ops_case_pending(struct ops_call *call);
int ops_lateness(struct ops_call *call);
int ops_retention_explain(struct ops_call *call);
int ops_retention_set(struct ops_call *call);
int ops_retention_extend(struct ops_call *call);
int ops_case_archive(struct ops_call *call);
int ops_record_archive(struct ops_call *call);

/* ops_export.c */
int ops_export_begin(struct ops_call *call);
int ops_export_end(struct ops_call *call);
int ops_disc_verify(struct ops_call *call);

/* ops_view.c */
int ops_view(struct ops_call *call);
int ops_grant_add(struct ops_call *call);
int ops_grant_list(struct ops_call *call);
int ops_grant_end(struct ops_call *call);
int ops_record_views(struct ops_call *call);

/* ops_tree.c */
int ops_case_open(struct ops_call *call);
int ops_case_list(struct ops_call *call);
int ops_record_list(struct ops_call *call);
int ops_record_show(struct ops_call *call);
int ops_record_versions(struct ops_call *call);
int ops_record_properties(struct ops_call *call);
int ops_reindex(struct ops_call *call);
int ops_record_file(struct ops_call *call);
int ops_record_incomplete(struct ops_call *call);
int ops_seal(struct ops_call *call);
int ops_search(struct ops_call *call);

/* ops_ledger.c */
int ops_ledger_checkpoint(struct ops_call *call);
int ops_ledger_proof(struct ops_call *call);
int ops_ledger_log(struct ops_call *call);
int ops_ledger_entry(struct ops_call *call);
int ops_ledger_key(struct ops_call *call);

/* ops_policy.c */
int ops_policy_show(struct ops_call *call);
int ops_policy_explain(struct ops_call *call);
int ops_policy_test(struct ops_call *call);
int ops_policy_reload(struct ops_call *call);

/* The record or folder that the request's path or object names, as far as the actor may know of
 * it. */
int ops_find_node(struct ops_call *call, struct catalog_node *out);
/* A node as the tool shows it; NULL when out of memory. with_path: also where it lies. */
json_t *ops_node_json(struct ops_call *call, const struct catalog_node *node, bool with_path);

#endif
