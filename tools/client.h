/* The tool's end of the control socket (appliance/daemon/answer.h has the protocol). */
#ifndef SR_TOOLS_CLIENT_H
#define SR_TOOLS_CLIENT_H

#include <jansson.h>

#include "tools/tool.h"

/* Each item of the answer, in order; a non-zero return stops reading (and is returned). */
typedef int client_item_fn(void *context, const json_t *item);

/* Finds the socket of tool->vault (by vault.json; if that may not be read, by asking the daemons
 * that run), asks, reads the answer to its end. Takes over request (NULL: out of memory).
 * *result, if wanted, is json_decref'ed by the caller. Progress is drawn as tool says. Errors
 * are the daemon's, with its sentence; SR_ERR_NOT_FOUND "the vault is not open: ..." when nobody
 * listens. */
int client_request(struct tool *tool, json_t *request, client_item_fn *item, void *context,
                   json_t **result);
/* {"op": op}; NULL when out of memory. */
json_t *client_new(const char *op);
/* Adds a text member unless value is NULL. Keeps request NULL if it is. A value that is not UTF-8
 * makes it fail: false. */
bool client_set(json_t *request, const char *name, const char *value);

/* Pure: one line of an answer. Returns what it is. */
enum client_line { CLIENT_PROGRESS, CLIENT_ITEM, CLIENT_OK, CLIENT_ERROR, CLIENT_MALFORMED };
enum client_line client_classify(const json_t *line);
/* The error code that a word of an answer stands for; SR_ERR_SYSTEM for unknown words. */
int client_error_code(const char *word);

#endif
