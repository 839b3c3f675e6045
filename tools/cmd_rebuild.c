/* strongroom rebuild: the catalog made again from the ledger, or compared with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/view.h"
#include "tools/client.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/offline.h"
#include "tools/print.h"

static const struct option own_options[] = {{"check", no_argument, NULL, 256}, {0}};

static int show_progress(void *context, uint64_t done, uint64_t total)
{
    tool_progress(context, done, total);
    return 0;
}

/* Both of these end the command. */
static int say_rebuilt(struct tool *tool, uint64_t entries)
{
    tool_progress_end(tool);
    if (tool->json)
        tool_json(json_pack("{s:I}", "entries", (json_int_t)entries));
    else
        printf("the catalog was made again from %llu ledger entries\n",
               (unsigned long long)entries);
    return tool_flush() == 0 ? TOOL_DONE : tool_fail(tool, SR_ERR_SYSTEM);
}

static int say_checked(struct tool *tool, const char *difference)
{
    tool_progress_end(tool);
    if (tool->json) {
        tool_json(json_pack("{s:b,s:s}", "ok", difference[0] == '\0', "difference", difference));
    } else if (difference[0] == '\0') {
        puts("the catalog says what the ledger says");
    } else {
        fputs("BAD catalog.db: ", stdout);
        column_print_safe(stdout, difference);
        puts("; strongroom rebuild makes it again");
    }
    if (tool_flush() != 0)
        return tool_fail(tool, SR_ERR_SYSTEM);
    return difference[0] == '\0' ? TOOL_DONE : TOOL_REFUSED;
}

/* --- offline --- */

/* What is found damaged on opening has been made again already; that is a difference, too. */
static int check_opened(struct tool *tool, struct offline *offline, struct catalog *catalog,
                        const struct view_report *report)
{
    struct sr_buf difference = {0};
    int rc = 0, status;

    if (report->damaged)
        return say_checked(tool, report->why);
    rc = view_check(offline->vault, offline->ledger, catalog, show_progress, tool, &difference);
    status = rc != 0 ? tool_fail(tool, rc)
                     : say_checked(tool, difference.data != NULL ? difference.data : "");
    sr_buf_free(&difference);
    return status;
}

static int offline_run(struct tool *tool, bool check)
{
    struct offline offline = {0};
    struct view_report report;
    struct catalog *catalog = NULL;
    int rc = offline_open(tool, &offline), status = TOOL_DONE;

    if (rc == 0 && !check)
        rc = catalog_remove(offline.vault, CATALOG_FILE);
    if (rc == 0)
        rc = view_open(offline.vault, offline.ledger, show_progress, tool, &report, &catalog);
    if (rc != 0)
        status = tool_fail(tool, rc);
    else if (check)
        status = check_opened(tool, &offline, catalog, &report);
    else
        status = say_rebuilt(tool, report.replayed);
    catalog_close(catalog);
    (void)offline_close(&offline);
    return status;
}

/* --- through the daemon --- */

static int online_run(struct tool *tool, bool check)
{
    json_t *request = client_new("rebuild"), *result = NULL;
    uint64_t entries = 0;
    int status, rc;

    if (json_object_set_new(request, "check", json_boolean(check)) != 0) {
        json_decref(request);
        return tool_fail(tool, sr_fail(SR_ERR_NO_MEMORY, "out of memory for a request"));
    }
    if ((rc = client_request(tool, request, NULL, NULL, &result)) != 0)
        return tool_fail(tool, rc);
    (void)sr_json_get_u64(result, "entries", &entries);
    status =
        check ? say_checked(tool, print_text(result, "difference")) : say_rebuilt(tool, entries);
    json_decref(result);
    return status;
}

int cmd_rebuild(struct tool *tool, int argc, char **argv)
{
    bool check = false;
    int option;

    while ((option = tool_getopt(tool, argc, argv, own_options)) != -1) {
        if (option != 256)
            return TOOL_USAGE;
        check = true;
    }
    if (optind < argc)
        return tool_usage(tool, "rebuild takes no operands");
    return tool->passphrase_file != NULL ? offline_run(tool, check) : online_run(tool, check);
}
