/* Making a vault, and opening one with its ledger: what `strongroom init`, strongroomd and the
 * offline commands share. */
#ifndef SR_CASEWORK_SETUP_H
#define SR_CASEWORK_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/io.h"
#include "ledger/ledger.h"
#include "vault/vault.h"

struct setup_account { /* one line "role:account:display name:password" of the accounts file */
    const char *role, *account, *name, *password;
};

struct setup_config {
    struct sr_io *io;
    const char *path;
    const char *passphrase;
    const char *agency;                   /* NULL: none */
    const struct setup_account *accounts; /* the first three: sysadmin, secoff, auditor */
    size_t account_count;
    bool manage_accounts; /* make system (and, with smb_conf, Samba) accounts too */
    const char *smb_conf; /* NULL: no Samba accounts */
    uint32_t first_uid;
    unsigned scrypt_log2n; /* 0: the default; less only in tests */
};

/* vault_create, ledger_create, first entries (vault.create, slot.add, keys.page, user.add), closed
 * again. Nothing that can be opened remains when it fails. */
int setup_init(const struct setup_config *config);

/* Fills a config from an open vault; wipe with setup_ledger_config_wipe. dir is a fresh string. */
int setup_ledger_config(struct vault *vault, struct ledger_config *out);
void setup_ledger_config_wipe(struct ledger_config *config);

/* vault_open + ledger_open. */
int setup_open(struct sr_io *io, const char *path, const char *passphrase, unsigned workers,
               struct vault **vault, struct ledger **ledger, struct ledger_open_report *report);

#endif
