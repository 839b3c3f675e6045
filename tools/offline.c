#include "tools/offline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "casework/slots.h"
#include "casework/view.h"
#include "tools/place.h"

static int read_passphrase(struct tool *tool, char **passphrase)
{
    *passphrase = NULL;
    if (tool->vault == NULL)
        return sr_fail(SR_ERR_INVALID, "say which vault with -C VAULT");
    if (tool->passphrase_file == NULL)
        return sr_fail(SR_ERR_INVALID, "this works offline only: give --passphrase-file");
    return slots_read_passphrase(tool->passphrase_file, "passphrase", passphrase);
}

/* Only after the passphrase has worked: a refusal is one sentence. */
static int warn_if_exposed(struct tool *tool, int rc)
{
    if (rc == 0 && slots_file_is_exposed(tool->passphrase_file))
        fputs("strongroom: warning: the passphrase file may be read by others: chmod 600 it\n",
              stderr);
    return rc;
}

int offline_open(struct tool *tool, struct offline *out)
{
    struct ledger_open_report report;
    char *passphrase = NULL;
    int rc;

    *out = (struct offline){0};
    rc = read_passphrase(tool, &passphrase);
    if (rc == 0)
        rc = setup_open(sr_io_posix(), tool->vault, passphrase, 0, &out->vault, &out->ledger,
                        &report);
    slots_free_passphrase(passphrase);
    return warn_if_exposed(tool, rc);
}

int offline_open_vault(struct tool *tool, struct offline *out)
{
    char *passphrase = NULL;
    int rc;

    *out = (struct offline){0};
    rc = read_passphrase(tool, &passphrase);
    if (rc == 0)
        rc = vault_open(sr_io_posix(), tool->vault, passphrase, 0, &out->vault);
    slots_free_passphrase(passphrase);
    return warn_if_exposed(tool, rc);
}

int offline_project(struct offline *offline)
{
    uint64_t replayed;
    int rc = 0;

    if (offline->catalog == NULL)
        rc = catalog_open_memory(&offline->catalog);
    return rc == 0 ? view_catch_up(offline->vault, offline->ledger, offline->catalog, NULL, NULL,
                                   &replayed)
                   : rc;
}

int offline_close(struct offline *offline)
{
    int rc;

    catalog_close(offline->catalog);
    rc = ledger_close(offline->ledger);
    vault_close(offline->vault);
    *offline = (struct offline){0};
    return rc;
}

static int find_path(struct catalog *catalog, const char *argument, struct catalog_node *node)
{
    char *path = place_vault_path(argument, "", "");
    char *rest = path, *part;
    int rc;

    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a path");
    rc = catalog_get(catalog, CATALOG_ROOT, node);
    while (rc == 0 && (part = strsep(&rest, "/")) != NULL)
        if (part[0] != '\0')
            rc = catalog_lookup(catalog, node->id, part, node);
    free(path);
    if (rc == SR_ERR_NOT_FOUND)
        return sr_fail(rc, "there is no '%s' in the vault", argument);
    if (rc == 0 && node->kind != CATALOG_KIND_RECORD)
        return sr_fail(SR_ERR_INVALID, "'%s' is not a record", argument);
    return rc;
}

int offline_find_version(struct offline *offline, const char *argument, struct catalog_version *out)
{
    struct vault_object_id id;
    struct catalog_node node;
    int rc = 0;

    if (offline->catalog == NULL)
        rc = offline_project(offline);
    if (rc != 0)
        return rc;
    if (place_is_object(argument)) {
        rc = vault_object_id_parse(argument, &id);
        return rc == 0 ? catalog_object(offline->catalog, &id, out) : rc;
    }
    rc = find_path(offline->catalog, argument, &node);
    if (rc == 0)
        *out = node.version;
    return rc;
}

int offline_find_index(struct offline *offline, const char *argument, uint64_t *index)
{
    struct catalog_version version;
    int rc;

    if (sr_parse_u64(argument, index) == 0)
        return 0;
    rc = offline_find_version(offline, argument, &version);
    if (rc != 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_NOT_FOUND, "the record is not sealed yet, so it has no proof");
    *index = version.seal_index;
    return 0;
}

int offline_verifier(struct tool *tool, struct note_verifier *out)
{
    struct vault_identity identity;
    int rc;

    if (tool->vault == NULL)
        return sr_fail(SR_ERR_INVALID, "say which vault with -C VAULT, or give --key");
    rc = vault_read_identity(sr_io_posix(), tool->vault, &identity);
    return rc == 0 ? note_verifier_init(out, identity.origin, identity.public_key) : rc;
}
