/* A vault opened by the tool itself, with a passphrase, while no daemon has it open. */
#ifndef SR_TOOLS_OFFLINE_H
#define SR_TOOLS_OFFLINE_H

#include "casework/setup.h"
#include "catalog/catalog.h"
#include "ledger/ledger.h"
#include "ledger/note.h"
#include "tools/tool.h"
#include "vault/vault.h"

struct offline {
    struct vault *vault;
    struct ledger *ledger;
    struct catalog *catalog; /* NULL until offline_project */
};

/* tool->vault and tool->passphrase_file are needed: SR_ERR_INVALID otherwise. */
int offline_open(struct tool *tool, struct offline *out);
/* The same without the ledger, for commands that look at its files themselves. */
int offline_open_vault(struct tool *tool, struct offline *out);
/* Projects the ledger into a catalog. */
int offline_project(struct offline *offline);
/* Closes all; the error of closing the ledger, or 0. NULL members ok. */
int offline_close(struct offline *offline);

/* The version meant by OBJECT, or the current one of the record at PATH. Projects first. */
int offline_find_version(struct offline *offline, const char *argument,
                         struct catalog_version *out);
/* The entry meant by INDEX, OBJECT or PATH of the vault: of a record, that of its seal. */
int offline_find_index(struct offline *offline, const char *argument, uint64_t *index);
/* Verifying key of tool->vault, from vault.json alone. */
int offline_verifier(struct tool *tool, struct note_verifier *out);

#endif
