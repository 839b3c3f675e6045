/* Unlock slots as acts: the key files change, and the ledger says so. For offline commands; the
 * daemon must not have the vault open (vault_open sees to that).
 *
 * The files change before the ledger does (the hash is not known before). A crash in between leaves
 * slot or page files that the ledger does not vouch for; verify names them, and the change, done
 * again, mends it. */
#ifndef SR_CASEWORK_SLOTS_H
#define SR_CASEWORK_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/ledger.h"
#include "vault/keys.h"
#include "vault/vault.h"

#define SLOTS_PASSPHRASE_MAX 1024 /* bytes */

/* The first line of a file, or of standard input for "-", without its line end. A fresh string:
 * give it to slots_free_passphrase. SR_ERR_INVALID: empty, too long, holds a NUL. what:
 * "passphrase" or "password", for sentences. */
int slots_read_passphrase(const char *path, const char *what, char **out);
/* True when others than the owner may read or change that file: worth a warning, once it has
 * worked. */
bool slots_file_is_exposed(const char *path);
/* Wipes and frees what slots_read_passphrase gave; NULL ok. */
void slots_free_passphrase(char *passphrase);

/* A new slot, durable in the ledger when it returns. */
int slots_add(struct vault *vault, struct ledger *ledger, const char *passphrase, const char *label,
              struct keys_slot_info *info);
/* A removal whose ledger entries a crash prevented: the slot's file is gone, the ledger still names
 * it. Puts the removal and the rewritten files on record. SR_ERR_EXISTS: its file is there. */
int slots_finish_removal(struct vault *vault, struct ledger *ledger,
                         const uint8_t id[KEYS_SLOT_ID_LEN]);
/* Removes the slot and turns the root over; every rewritten page and slot is put on record. */
int slots_remove(struct vault *vault, struct ledger *ledger, const uint8_t id[KEYS_SLOT_ID_LEN]);
/* Adds a slot with the new passphrase and the old one's label, then removes the one that this
 * session was opened with. A crash in between leaves both. */
int slots_change(struct vault *vault, struct ledger *ledger, const char *passphrase,
                 struct keys_slot_info *info);

#endif
