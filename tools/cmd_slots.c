/* strongroom slots: the passphrases that open a vault. Offline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/slots.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/offline.h"

enum { OPT_NEW_PASSPHRASE = 256, OPT_LABEL };

static const struct option options[] = {
    {"new-passphrase-file", required_argument, NULL, OPT_NEW_PASSPHRASE},
    {"label", required_argument, NULL, OPT_LABEL},
    {NULL, 0, NULL, 0},
};

static int done(struct tool *tool, struct offline *offline, int rc)
{
    struct sr_error_copy first = {0};
    int closed;

    if (rc != 0)
        sr_error_save(&first, rc);
    closed = offline_close(offline);
    if (rc != 0)
        rc = sr_error_raise(&first);
    else
        rc = closed;
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

/* yes: the ledger knows the slot with these bytes. */
static const char *on_record(struct offline *offline, const struct keys_slot_info *slot,
                             const char *id)
{
    return catalog_check_slot(offline->catalog, id, slot->file_sha256) == 0 ? "yes" : "NO";
}

static void show_slot(struct tool *tool, struct column_table *table, struct offline *offline,
                      const struct keys_slot_info *slot, const uint8_t *mine)
{
    char id[2 * KEYS_SLOT_ID_LEN + 1], time[20];
    bool is_mine = memcmp(slot->id, mine, KEYS_SLOT_ID_LEN) == 0;

    sr_hex_encode(slot->id, sizeof slot->id, id);
    sr_time_local_text(slot->created_ns, time);
    if (tool->json) {
        json_t *item =
            json_pack("{s:s,s:s,s:o*,s:b,s:b}", "slot", id, "label", slot->label, "created",
                      sr_json_i64_text(slot->created_ns), "on_record",
                      strcmp(on_record(offline, slot, id), "yes") == 0, "opened_by", is_mine);

        tool_json_item(tool, item);
        json_decref(item);
    } else {
        const char *cells[5] = {id, time, on_record(offline, slot, id), is_mine ? "*" : "",
                                slot->label};

        column_row(table, cells);
    }
}

int cmd_slots_list(struct tool *tool, int argc, char **argv)
{
    static const char *const heading[5] = {"SLOT", "MADE", "ON RECORD", "THIS", "LABEL"};
    struct column_table table = {.columns = 5};
    struct keys_slot_info *slots = NULL;
    uint8_t mine[KEYS_SLOT_ID_LEN];
    struct offline offline;
    size_t count = 0;
    int rc;

    if (!tool_operands(tool, argc, argv, 0, 0))
        return TOOL_USAGE;
    rc = offline_open(tool, &offline);
    if (rc == 0)
        rc = offline_project(&offline);
    if (rc == 0)
        rc = keys_list_slots(vault_keys(offline.vault), &slots, &count);
    if (rc != 0)
        return done(tool, &offline, rc);
    keys_opened_by(vault_keys(offline.vault), mine);
    column_row(&table, heading);
    for (size_t i = 0; i < count; i++)
        show_slot(tool, &table, &offline, &slots[i], mine);
    if (tool->json)
        tool_json_list_end(tool);
    else
        column_print(&table, stdout);
    column_free(&table);
    free(slots);
    return done(tool, &offline, 0);
}

static void tell(struct tool *tool, const char *what, const struct keys_slot_info *info)
{
    char id[2 * KEYS_SLOT_ID_LEN + 1];

    sr_hex_encode(info->id, sizeof info->id, id);
    if (tool->json) {
        tool_json(json_pack("{s:s,s:s}", "slot", id, "label", info->label));
        return;
    }
    printf("Slot %s %s, label: ", id, what);
    column_print_safe(stdout, info->label);
    fputc('\n', stdout);
}

/* add and change: both make a slot from a new passphrase. */
static int new_slot(struct tool *tool, int argc, char **argv, bool change)
{
    const char *file = NULL, *label = "passphrase";
    struct keys_slot_info info;
    struct offline offline;
    char *passphrase = NULL;
    int id, rc;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        if (id == OPT_NEW_PASSPHRASE)
            file = optarg;
        else if (id == OPT_LABEL && !change)
            label = optarg;
        else
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "an option does not belong here");
    }
    if (optind != argc || file == NULL)
        return tool_usage(tool, "--new-passphrase-file is needed, and nothing else");
    if (strlen(label) > KEYS_LABEL_MAX || !sr_utf8_valid(label, strlen(label)))
        return tool_usage(tool, "a label is UTF-8 of at most %d bytes", KEYS_LABEL_MAX);
    rc = offline_open(tool, &offline);
    if (rc == 0)
        rc = slots_read_passphrase(file, "passphrase", &passphrase);
    if (rc == 0)
        rc = change ? slots_change(offline.vault, offline.ledger, passphrase, &info)
                    : slots_add(offline.vault, offline.ledger, passphrase, label, &info);
    slots_free_passphrase(passphrase);
    if (rc == 0)
        tell(tool, change ? "takes the place of the one used" : "is added", &info);
    return done(tool, &offline, rc);
}

int cmd_slots_add(struct tool *tool, int argc, char **argv)
{
    return new_slot(tool, argc, argv, false);
}

int cmd_slots_change(struct tool *tool, int argc, char **argv)
{
    return new_slot(tool, argc, argv, true);
}

/* The slot's file is gone. When the ledger still names it, a removal was cut off half-way. */
static int finish_removal(struct offline *offline, const char *text, const uint8_t *id)
{
    static const uint8_t no_hash[SR_SHA256_LEN] = {0};
    struct sr_error_copy missing;
    int rc;

    sr_error_save(&missing, SR_ERR_NOT_FOUND);
    rc = offline_project(offline);
    if (rc == 0 && catalog_check_slot(offline->catalog, text, no_hash) == SR_ERR_DAMAGED)
        return slots_finish_removal(offline->vault, offline->ledger, id);
    return rc != 0 ? rc : sr_error_raise(&missing);
}

int cmd_slots_remove(struct tool *tool, int argc, char **argv)
{
    uint8_t id[KEYS_SLOT_ID_LEN];
    struct offline offline;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    if (strlen(argv[optind]) != 2 * sizeof id || sr_hex_decode(argv[optind], id, sizeof id) != 0)
        return tool_usage(tool, "'%s' is not the id of a slot (slots list shows them)",
                          argv[optind]);
    rc = offline_open(tool, &offline);
    if (rc == 0)
        rc = slots_remove(offline.vault, offline.ledger, id);
    if (rc == SR_ERR_NOT_FOUND)
        rc = finish_removal(&offline, argv[optind], id);
    if (rc == 0 && tool->json)
        tool_json(json_pack("{s:s}", "removed", argv[optind]));
    else if (rc == 0)
        printf("Slot %s is removed, and the root key is turned over.\n", argv[optind]);
    return done(tool, &offline, rc);
}
