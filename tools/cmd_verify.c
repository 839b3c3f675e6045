/* strongroom verify: content and ledger of a vault, through the daemon or offline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/audit.h"
#include "ledger/verify.h"
#include "tools/client.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/offline.h"
#include "tools/place.h"
#include "tools/print.h"

enum { OPT_TRUST = 256 };
static const struct option verify_options[] = {
    {"trust", required_argument, NULL, OPT_TRUST},
    {NULL, 0, NULL, 0},
};

struct verification {
    struct tool *tool;
    json_t *findings; /* array, with --json; otherwise NULL */
    uint64_t count;
};

static void found(void *context, const char *what, const char *why)
{
    struct verification *run = context;

    run->count++;
    tool_progress_end(run->tool);
    if (run->findings != NULL) {
        json_array_append_new(run->findings, json_pack("{s:s,s:s}", "what", what, "why", why));
        return;
    }
    fputs("BAD ", stdout);
    column_print_safe(stdout, what);
    fputs(": ", stdout);
    column_print_safe(stdout, why);
    fputc('\n', stdout);
}

/* The sentence of the error that just happened, as a finding. */
static void found_error(struct verification *run, const char *what)
{
    char why[512];

    snprintf(why, sizeof why, "%s", sr_error_message());
    found(run, what, why);
}

static int show_progress(void *context, uint64_t done, uint64_t total)
{
    struct verification *run = context;

    tool_progress(run->tool, done, total);
    return 0;
}

static int item(void *context, const json_t *value)
{
    found(context, print_text(value, "what"), print_text(value, "why"));
    return 0;
}

static uint64_t number(const json_t *object, const char *member)
{
    uint64_t value = 0;

    return sr_json_get_u64(object, member, &value) == 0 ? value : 0;
}

static int summary(struct verification *run, const struct audit_report *report, bool whole)
{
    char size[COLUMN_SIZE_TEXT];

    tool_progress_end(run->tool);
    if (run->findings != NULL) {
        tool_json(json_pack("{s:b,s:I,s:I,s:I,s:I,s:O}", "ok", run->count == 0, "entries",
                            (json_int_t)report->entries, "objects", (json_int_t)report->objects,
                            "bytes", (json_int_t)report->bytes, "staging",
                            (json_int_t)report->staging, "findings", run->findings));
    } else {
        column_size(report->bytes, size);
        if (whole)
            printf("%llu ledger entries, %llu sealed objects (%s), %llu unsealed: ",
                   (unsigned long long)report->entries, (unsigned long long)report->objects, size,
                   (unsigned long long)report->staging);
        else
            fputs("the sealed object: ", stdout);
        if (run->count == 0)
            puts("all good");
        else
            printf("%llu BAD\n", (unsigned long long)run->count);
    }
    if (tool_flush() != 0)
        return tool_fail(run->tool, SR_ERR_SYSTEM);
    return run->count == 0 ? TOOL_DONE : TOOL_REFUSED;
}

/* --- offline --- */

/* The ledger cannot be opened: say which of its files are to blame. */
static int ledger_is_bad(struct verification *run, struct vault *vault)
{
    const struct vault_identity *identity = vault_identity(vault);
    struct ledger_config config;
    struct note_verifier verifier;
    struct verification *const context = run;
    uint64_t before = run->count, size = 0;
    struct sr_error_copy first;
    int rc;

    sr_error_save(&first, SR_ERR_DAMAGED);
    rc = setup_ledger_config(vault, &config);
    if (rc != 0)
        return rc;
    rc = note_verifier_init(&verifier, identity->origin, identity->public_key);
    if (rc == 0)
        rc = ledger_verify_all(&config, &verifier, found, context, &size);
    setup_ledger_config_wipe(&config);
    if (run->count == before)
        found(run, "ledger", first.message);
    found(run, "objects", "not checked, because the ledger that vouches for them is not whole");
    return rc == SR_ERR_DAMAGED || rc == SR_ERR_ROLLED_BACK ? 0 : rc;
}

/* Steps of setup_open, one by one, so that each part that is bad is named. *opened: go on. */
static int open_parts(struct verification *run, struct offline *offline, bool *opened)
{
    struct ledger_open_report report;
    struct ledger_config config;
    int rc = offline_open_vault(run->tool, offline);

    *opened = false;
    if (rc == SR_ERR_DAMAGED) {
        found_error(run, "vault");
        return 0;
    }
    if (rc != 0)
        return rc;
    rc = setup_ledger_config(offline->vault, &config);
    if (rc == 0) {
        rc = ledger_open(&config, &report, &offline->ledger);
        setup_ledger_config_wipe(&config);
    }
    if (rc == SR_ERR_DAMAGED || rc == SR_ERR_ROLLED_BACK)
        return ledger_is_bad(run, offline->vault);
    if (rc != 0)
        return rc;
    rc = offline_project(offline);
    if (rc == SR_ERR_DAMAGED || rc == SR_ERR_INVALID) {
        found_error(run, "ledger/journal");
        rc = 0;
    }
    *opened = rc == 0;
    return rc;
}

static int verify_one(struct verification *run, struct offline *offline, const char *argument,
                      struct audit_report *report)
{
    struct catalog_version version;
    int rc = offline_find_version(offline, argument, &version);

    if (rc != 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "only a sealed record can be verified");
    report->objects = 1;
    rc = audit_object(offline->vault, &version, found, show_progress, run);
    return rc == SR_ERR_DAMAGED && run->count > 0 ? 0 : rc;
}

static int verify_offline(struct verification *run, const char *argument)
{
    struct audit_report report = {0};
    struct sr_error_copy failure = {0};
    struct offline offline = {0};
    bool opened = false;
    int rc = open_parts(run, &offline, &opened);

    if (rc == 0 && opened && argument != NULL)
        rc = verify_one(run, &offline, argument, &report);
    else if (rc == 0 && opened)
        rc = audit_run(offline.vault, offline.ledger, offline.catalog, true, found, show_progress,
                       run, &report);
    if (rc == SR_ERR_DAMAGED && run->count > 0)
        rc = 0;
    if (rc != 0)
        sr_error_save(&failure, rc);
    (void)offline_close(&offline); /* nothing was written; the verdict stands */
    if (rc != 0)
        return tool_fail(run->tool, sr_error_raise(&failure));
    return summary(run, &report, argument == NULL);
}

/* --- through the daemon --- */

static int verify_online(struct verification *run, const char *argument)
{
    json_t *request = client_new("verify"), *result = NULL;
    struct audit_report report = {0};
    int rc = 0;

    if (argument != NULL)
        rc = place_set(run->tool, request, argument);
    if (rc == 0)
        rc = client_request(run->tool, request, item, run, &result);
    else
        json_decref(request);
    if (rc != 0)
        return tool_fail(run->tool, rc);
    report.entries = number(result, "entries");
    report.objects = number(result, "objects");
    report.bytes = number(result, "bytes");
    report.staging = number(result, "staging");
    /* The daemon drops findings that a slow reader did not take; its count is the true one. */
    if (number(result, "findings") > run->count)
        run->count = number(result, "findings");
    json_decref(result);
    return summary(run, &report, argument == NULL);
}

int cmd_verify(struct tool *tool, int argc, char **argv)
{
    struct verification run = {.tool = tool};
    const char *argument, *trust = NULL;
    int status, id;

    while ((id = tool_getopt(tool, argc, argv, verify_options)) == OPT_TRUST)
        trust = optarg;
    if (id != -1)
        return TOOL_USAGE;
    if (argc - optind > 1)
        return tool_usage(tool, "at most one PATH, OBJECT or BAG");
    argument = optind < argc ? argv[optind] : NULL;
    if (argument != NULL && tool->passphrase_file == NULL &&
        ((tool->vault == NULL && strchr(argument, '/') != NULL && access(argument, F_OK) != 0) ||
         place_is_outside(tool, argument)))
        return cmd_verify_bag(tool, argument, trust);
    if (trust != NULL)
        return tool_usage(tool,
                          "--trust is for bags: what is in the vault is vouched for by its ledger");
    if (tool->json)
        run.findings = json_array();
    if (tool->passphrase_file != NULL)
        status = verify_offline(&run, argument);
    else
        status = verify_online(&run, argument);
    json_decref(run.findings);
    return status;
}
