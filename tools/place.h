/* What an argument of the command line names: a place in the vault, an object, a ledger index. */
#ifndef SR_TOOLS_PLACE_H
#define SR_TOOLS_PLACE_H

#include <jansson.h>
#include <stdbool.h>

#include "tools/print.h"
#include "tools/tool.h"

/* Pure. Vault path of argument: a path below mountpoint (taken from folder, the current one, if
 * relative) loses the mount point; anything else is a path in the vault already, a leading slash
 * dropped. "", "." and ".." are resolved. Fresh string, free() it; NULL when out of memory. */
char *place_vault_path(const char *argument, const char *folder, const char *mountpoint);
/* True for 32 lower-case hex digits. */
bool place_is_object(const char *argument);
/* Sets "object" or "path" of a request. Asks the daemon for its mount point once. */
int place_set(struct tool *tool, json_t *request, const char *argument);
/* True when argument is a file or folder of this machine that does not lie in the mount of the
 * vault meant (or none is open): a bag, say. */
bool place_is_outside(struct tool *tool, const char *argument);
/* Sets a member to a vault path. */
int place_set_path(struct tool *tool, json_t *request, const char *member, const char *argument);
/* A command whose one operand is a place: asks op of it and prints the items of the answer. Exit status. */
int place_list(struct tool *tool, int argc, char **argv, const char *op, struct print_list *list);

#endif
