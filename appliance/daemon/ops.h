/* What the control socket can be asked: one table, operation -> fields, act, handler. Anything
 * that changes something is a call of the door, which authorises, records and refuses by itself;
 * what only reads names the act that door_may is asked for. */
#ifndef SR_DAEMON_OPS_H
#define SR_DAEMON_OPS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "casework/door.h"
#include "daemon/answer.h"
#include "ledger/ledger.h"
#include "vault/vault.h"

struct ops_context { /* shared by all connections, constant while the socket is open */
    struct door *door;
    struct vault *vault;
    struct ledger *ledger;
    const char *vault_path; /* absolute */
    const char *mountpoint; /* absolute */
    int64_t started_ns;     /* realtime */
};

struct ops_entry;

/* Pure. *entry is constant; *request as in request_parse. */
int ops_parse(const uint8_t *line, size_t len, const struct ops_entry **entry, json_t **request);
const char *ops_name(const struct ops_entry *entry);
/* Runs a parsed request and writes the whole answer. Secrets in the request are wiped. */
void ops_run(const struct ops_context *context, const struct ops_entry *entry, json_t *request,
             const struct door_actor *actor, struct answer *answer);
/* Number of operations, and their names (for tests). */
size_t ops_count(void);
const char *ops_name_at(size_t index);

#endif
