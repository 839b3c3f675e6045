/* strongroom init: makes a vault. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/io.h"
#include "casework/setup.h"
#include "casework/slots.h"
#include "tools/roster.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/offline.h"

#define ACCOUNTS_FILE_MAX 65536
#define FIRST_UID 20000

enum { OPT_AGENCY = 256, OPT_ACCOUNTS, OPT_SMB_CONF, OPT_FIRST_UID, OPT_NO_ACCOUNTS };

static const struct option options[] = {
    {"agency", required_argument, NULL, OPT_AGENCY},
    {"accounts", required_argument, NULL, OPT_ACCOUNTS},
    {"smb-conf", required_argument, NULL, OPT_SMB_CONF},
    {"first-uid", required_argument, NULL, OPT_FIRST_UID},
    {"no-accounts", no_argument, NULL, OPT_NO_ACCOUNTS},
    {NULL, 0, NULL, 0},
};

static int read_accounts(const char *file, bool passwords_optional, struct roster *accounts)
{
    uint8_t *data = NULL;
    size_t len = 0;
    int rc = sr_io_read_file(sr_io_posix(), file, ACCOUNTS_FILE_MAX, &data, &len);

    if (rc == 0)
        rc = roster_parse(file, data, len, passwords_optional, accounts);
    if (data != NULL)
        sr_wipe(data, len);
    free(data);
    return rc;
}

/* What the admin should write down: the vault's id and the key that verifies its ledger. */
static int tell(struct tool *tool, const char *path, size_t account_count)
{
    struct vault_identity identity;
    struct note_verifier verifier;
    struct sr_buf key = {0};
    char id[2 * KEYS_VAULT_ID_LEN + 1];
    int rc = vault_read_identity(sr_io_posix(), path, &identity);

    if (rc == 0)
        rc = note_verifier_init(&verifier, identity.origin, identity.public_key);
    if (rc == 0)
        rc = note_verifier_format(&verifier, &key);
    if (rc == 0 && key.failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (rc == 0) {
        sr_hex_encode(identity.id.bytes, sizeof identity.id.bytes, id);
        if (tool->json) {
            tool_json(json_pack("{s:s,s:s,s:s,s:s,s:I}", "vault", path, "id", id, "origin",
                                identity.origin, "key", key.data, "accounts",
                                (json_int_t)account_count));
        } else {
            printf("Vault %s is made at ", id);
            column_print_safe(stdout, path);
            printf(", with %zu accounts.\n"
                   "Verifying key of its ledger (keep it elsewhere):\n  %s\n"
                   "Back up VAULT/keys apart from VAULT/objects. Without a passphrase slot nothing "
                   "opens the vault.\n",
                   account_count, key.data);
        }
        rc = tool_flush();
    }
    sr_buf_free(&key);
    return rc;
}

int cmd_init(struct tool *tool, int argc, char **argv)
{
    struct setup_config config = {
        .io = sr_io_posix(), .manage_accounts = true, .first_uid = FIRST_UID};
    struct roster accounts = {0};
    const char *accounts_file = NULL;
    char *passphrase = NULL;
    uint64_t number = 0;
    int id, rc;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        switch (id) {
        case OPT_AGENCY:
            config.agency = optarg;
            break;
        case OPT_ACCOUNTS:
            accounts_file = optarg;
            break;
        case OPT_SMB_CONF:
            config.smb_conf = optarg;
            break;
        case OPT_FIRST_UID:
            if (sr_parse_u64(optarg, &number) != 0 || number == 0 || number >= UINT32_MAX - 64)
                return tool_usage(tool, "--first-uid takes a user id, not '%s'", optarg);
            config.first_uid = (uint32_t)number;
            break;
        case OPT_NO_ACCOUNTS:
            config.manage_accounts = false;
            break;
        case '?':
            return TOOL_USAGE;
        default:
            return tool_usage(tool, "unknown option -%c", id);
        }
    }
    if (argc - optind > 1)
        return tool_usage(tool, "too many arguments");
    config.path = optind < argc ? argv[optind] : tool->vault;
    if (config.path == NULL || tool->passphrase_file == NULL)
        return tool_usage(tool, "VAULT and --passphrase-file are needed");
    rc = slots_read_passphrase(tool->passphrase_file, "passphrase", &passphrase);
    if (rc == 0 && accounts_file != NULL)
        rc = read_accounts(accounts_file, !config.manage_accounts, &accounts);
    config.passphrase = passphrase;
    config.accounts = accounts.list;
    config.account_count = accounts.count;
    if (rc == 0)
        rc = setup_init(&config);
    if (rc == 0)
        rc = tell(tool, config.path, accounts.count);
    slots_free_passphrase(passphrase);
    roster_free(&accounts);
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}
