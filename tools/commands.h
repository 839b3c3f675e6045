/* The commands, one file per group; the table in main.c is the only caller. Each parses its own
 * arguments and returns an exit status (enum tool_status). */
#ifndef SR_TOOLS_COMMANDS_H
#define SR_TOOLS_COMMANDS_H

#include "tools/tool.h"

tool_command_fn cmd_init;
tool_command_fn cmd_slots_list, cmd_slots_add, cmd_slots_remove, cmd_slots_change;
tool_command_fn cmd_user_add, cmd_user_set, cmd_user_disable, cmd_user_password, cmd_user_list;
tool_command_fn cmd_status;
tool_command_fn cmd_case_open, cmd_case_list, cmd_case_show, cmd_case_assign, cmd_case_transfer;
tool_command_fn cmd_record_list, cmd_record_show, cmd_record_versions, cmd_record_properties;
tool_command_fn cmd_record_label, cmd_record_labels, cmd_record_history, cmd_case_pending;
tool_command_fn cmd_lateness, cmd_retention_explain, cmd_retention_set, cmd_retention_extend;
tool_command_fn cmd_case_archive, cmd_record_archive;
tool_command_fn cmd_reindex;
tool_command_fn cmd_record_file, cmd_record_refile, cmd_record_incomplete;
tool_command_fn cmd_record_classify;
tool_command_fn cmd_view, cmd_grant_add, cmd_grant_list, cmd_grant_end, cmd_record_views;
tool_command_fn cmd_seal, cmd_search;
tool_command_fn cmd_verify, cmd_rebuild, cmd_export, cmd_disc_make, cmd_disc_verify;
int cmd_verify_bag(struct tool *tool, const char *path, const char *trust_file); /* of cmd_verify */
tool_command_fn cmd_ledger_verify;
tool_command_fn cmd_ledger_checkpoint, cmd_ledger_proof, cmd_ledger_log, cmd_ledger_entry;
tool_command_fn cmd_ledger_key;
tool_command_fn cmd_policy_check, cmd_policy_show, cmd_policy_explain;
tool_command_fn cmd_policy_test, cmd_policy_reload;

#endif
