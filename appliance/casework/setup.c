#include "casework/setup.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/door_internal.h"

int setup_ledger_config(struct vault *vault, struct ledger_config *out)
{
    const struct vault_identity *identity = vault_identity(vault);
    struct keys *keys = vault_keys(vault);
    memset(out, 0, sizeof *out);
    out->io = vault_io(vault);
    out->origin = identity->origin;
    out->vault_id = identity->id.bytes;
    char *dir = sr_path("%s/ledger", vault_path(vault));
    out->dir = dir;
    int status = dir != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for a path");
    if (status == 0)
        status = keys_get_named(keys, KEYS_LEDGER_ENC, out->key_enc);
    if (status == 0)
        status = keys_get_named(keys, KEYS_LEDGER_MAC, out->key_mac);
    if (status == 0)
        status = keys_get_named(keys, KEYS_SIGNING, out->seed);
    if (status < 0)
        setup_ledger_config_wipe(out);
    return status;
}

void setup_ledger_config_wipe(struct ledger_config *config)
{
    free((char *)config->dir);
    sr_wipe(config, sizeof *config);
}

int setup_open(struct sr_io *io, const char *path, const char *passphrase, unsigned workers,
               struct vault **vault, struct ledger **ledger, struct ledger_open_report *report)
{
    struct ledger_config config;
    *ledger = NULL;
    int status = vault_open(io, path, passphrase, workers, vault);
    if (status < 0)
        return status;
    if ((status = setup_ledger_config(*vault, &config)) == 0) {
        status = ledger_open(&config, report, ledger);
        setup_ledger_config_wipe(&config);
    }
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        vault_close(*vault);
        *vault = NULL;
        return sr_error_raise(&why);
    }
    return 0;
}

/* --- init --- */

static int append(struct ledger *ledger, json_t *entry, int status)
{
    uint64_t index;
    if (status == 0)
        status = entry_append(ledger, entry, &index);
    json_decref(entry);
    return status;
}

static int append_vault_create(struct vault *vault, struct ledger *ledger)
{
    const struct vault_identity *identity = vault_identity(vault);
    json_t *entry;
    int status = entry_new(vault_io(vault), "vault.create", &entry);
    if (status == 0 &&
        (status = entry_set(entry, "vault",
                            sr_json_hex(identity->id.bytes, sizeof identity->id.bytes))) == 0 &&
        (status = entry_set(entry, "origin", json_string(identity->origin))) == 0)
        status = entry_set(entry, "agency", json_string(identity->agency));
    return append(ledger, entry, status);
}

static int append_slots(struct vault *vault, struct ledger *ledger)
{
    struct keys_slot_info *slots = NULL;
    size_t count = 0;
    int status = keys_list_slots(vault_keys(vault), &slots, &count);
    for (size_t i = 0; status == 0 && i < count; i++) {
        json_t *entry;
        status = entry_new(vault_io(vault), "slot.add", &entry);
        if (status == 0 &&
            (status = entry_set(entry, "slot", sr_json_hex(slots[i].id, sizeof slots[i].id))) ==
                0 &&
            (status = entry_set(entry, "label", json_string(slots[i].label))) == 0)
            status = entry_set(entry, "sha256", sr_json_hex(slots[i].file_sha256, SR_SHA256_LEN));
        status = append(ledger, entry, status);
    }
    free(slots);
    return status;
}

static int append_pages(struct vault *vault, struct ledger *ledger)
{
    struct keys_page_info *pages = NULL;
    size_t count = 0;
    int status = keys_list_pages(vault_keys(vault), &pages, &count);
    for (size_t i = 0; status == 0 && i < count; i++) {
        json_t *entry;
        status = entry_new(vault_io(vault), "keys.page", &entry);
        if (status == 0 && (status = entry_set(entry, "page", json_integer(pages[i].page))) == 0 &&
            (status = entry_set(entry, "generation", json_integer(pages[i].generation))) == 0)
            status = entry_set(entry, "sha256", sr_json_hex(pages[i].file_sha256, SR_SHA256_LEN));
        status = append(ledger, entry, status);
    }
    free(pages);
    return status;
}

static int append_accounts(const struct setup_config *config, struct ledger *ledger)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < config->account_count; i++) {
        const struct setup_account *account = &config->accounts[i];
        const char *roles[] = {account->role};
        struct catalog_user user;
        json_t *entry;
        if ((status = accounts_fill(account->account, account->name, roles, 1, &user)) < 0)
            break;
        user.uid = config->first_uid + (uint32_t)i;
        if (config->manage_accounts &&
            (status = accounts_create(user.account, user.name, user.uid, account->password,
                                      config->smb_conf, user.first_password)) < 0)
            break;
        status = accounts_add_entry(config->io, &user, NULL, &entry);
        status = append(ledger, entry, status);
    }
    return status;
}

/* Before anything is made: names, roles, and that no account is in the way. */
static int check_accounts(const struct setup_config *config)
{
    for (size_t i = 0; i < config->account_count; i++) {
        const struct setup_account *account = &config->accounts[i];
        const char *roles[] = {account->role};
        struct catalog_user user;
        int status = accounts_fill(account->account, account->name, roles, 1, &user);
        if (status == 0 && config->manage_accounts)
            status = accounts_free(account->account, config->first_uid + (uint32_t)i);
        if (status < 0)
            return status;
        for (size_t j = 0; j < i; j++)
            if (strcmp(config->accounts[j].account, account->account) == 0)
                return sr_fail(SR_ERR_INVALID, "the account %s is given twice", account->account);
    }
    return 0;
}

static int make_vault(const struct setup_config *config, struct vault **out)
{
    return config->scrypt_log2n != 0
               ? vault_create_with_cost(config->io, config->path, config->passphrase,
                                        config->agency, config->scrypt_log2n, out)
               : vault_create(config->io, config->path, config->passphrase, config->agency, out);
}

int setup_init(const struct setup_config *config)
{
    struct vault *vault = NULL;
    struct ledger *ledger = NULL;
    struct ledger_config ledger_config;
    int status = check_accounts(config);
    if (status < 0 || (status = make_vault(config, &vault)) < 0)
        return status;
    if ((status = setup_ledger_config(vault, &ledger_config)) == 0) {
        status = ledger_create(&ledger_config, &ledger);
        setup_ledger_config_wipe(&ledger_config);
    }
    if (status == 0 && (status = append_vault_create(vault, ledger)) == 0 &&
        (status = append_slots(vault, ledger)) == 0 && (status = append_pages(vault, ledger)) == 0)
        status = append_accounts(config, ledger);
    struct sr_error_copy why;
    sr_error_save(&why, status);
    int closed = ledger_close(ledger);
    if (status == 0 && closed < 0) {
        status = closed;
        sr_error_save(&why, status);
    }
    char *identity = sr_path("%s/vault.json", config->path);
    vault_close(vault);
    /* Without vault.json nothing opens it; the rest is for the admin to remove. */
    if (status < 0 && identity != NULL)
        config->io->unlink(config->io, identity);
    free(identity);
    return status < 0 ? sr_error_raise(&why) : 0;
}
