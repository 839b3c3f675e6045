/* strongroom policy: the access rules. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/io.h"
#include "casework/policy.h"
#include "casework/workflow.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/print.h"

#define TEST_TEXT_MAX 60000 /* bytes: what fits into one request */

enum { OPT_USER = 256, OPT_ACTION, OPT_PURPOSE };

static const struct option explain_options[] = {
    {"user", required_argument, NULL, OPT_USER},
    {"action", required_argument, NULL, OPT_ACTION},
    {"purpose", required_argument, NULL, OPT_PURPOSE},
    {NULL, 0, NULL, 0},
};

static void print_problem(void *context, const char *sentence)
{
    struct tool *tool = context;

    if (tool->json)
        return; /* the first one is the error */
    fprintf(stderr, "strongroom: %s\n", sentence);
}

/* Without a daemon: what a load would refuse, but for expectations, which need the vault's people. */
int cmd_policy_check(struct tool *tool, int argc, char **argv)
{
    struct workflow *workflow = NULL;
    struct policy *policy = NULL;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    rc = workflow_load(sr_io_posix(), argv[optind], &workflow);
    if (rc == 0)
        rc = policy_load(sr_io_posix(), argv[optind], print_problem, tool, &policy);
    if (rc == 0 && tool->json)
        tool_json(json_pack("{s:I,s:I}", "files", (json_int_t)policy_file_count(policy) + 1,
                            "rules", (json_int_t)cedar_policies_count(policy_rules(policy))));
    else if (rc == 0)
        printf("%s: %s and %zu rules in %zu files are well-formed\n", argv[optind], WORKFLOW_FILE,
               cedar_policies_count(policy_rules(policy)), policy_file_count(policy));
    workflow_free(workflow);
    policy_unref(policy);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

static void file_row(struct column_table *table, const json_t *item)
{
    const char *cells[2] = {print_text(item, "file"), print_text(item, "sha256")};

    column_row(table, cells);
}

int cmd_policy_show(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 2}, .row = file_row};

    if (!tool_operands(tool, argc, argv, 0, 0))
        return TOOL_USAGE;
    return print_list_end(
        &list, client_request(tool, client_new("policy.show"), print_list_item, &list, NULL));
}

/* Items of an answer, kept until its result is known. */
static int keep_item(void *context, const json_t *item)
{
    return json_array_append((json_t *)context, (json_t *)item) == 0
               ? 0
               : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

static void print_reasons(const json_t *reasons)
{
    size_t i;
    json_t *reason;

    if (json_array_size(reasons) == 0)
        puts("  no rule permits it");
    json_array_foreach(reasons, i, reason)
    {
        const char *fault = json_string_value(json_object_get(reason, "fault"));

        printf("  %s:%lld %s %s%s%s\n", print_text(reason, "file"),
               (long long)json_integer_value(json_object_get(reason, "line")),
               print_text(reason, "effect"), print_text(reason, "id"),
               fault != NULL ? ": could not be evaluated: " : "", fault != NULL ? fault : "");
    }
}

int cmd_policy_explain(struct tool *tool, int argc, char **argv)
{
    const char *user = NULL, *action = NULL, *purpose = NULL;
    json_t *request, *result = NULL, *reasons = json_array();
    int id, rc;

    while ((id = tool_getopt(tool, argc, argv, explain_options)) != -1) {
        if (id == OPT_USER)
            user = optarg;
        else if (id == OPT_ACTION)
            action = optarg;
        else if (id == OPT_PURPOSE)
            purpose = optarg;
        else
            break;
    }
    if (id != -1 || user == NULL || action == NULL || argc - optind > 1) {
        json_decref(reasons);
        return id == '?' ? TOOL_USAGE
                         : tool_usage(tool, "--user, --action and at most one PATH are needed");
    }
    request = client_new("policy.explain");
    client_set(request, "user", user);
    client_set(request, "action", action);
    client_set(request, "path", argv[optind]); /* NULL: the store */
    client_set(request, "purpose", purpose);
    rc = client_request(tool, request, keep_item, reasons, &result);
    if (rc == 0 && tool->json) {
        json_object_set(result, "reasons", reasons);
        tool_json(json_incref(result));
    } else if (rc == 0) {
        puts(print_text(result, "decision"));
        print_reasons(reasons);
    }
    json_decref(reasons);
    json_decref(result);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

static int print_failure(void *context, const json_t *item)
{
    struct tool *tool = context;

    if (tool->json)
        tool_json_item(tool, item);
    else
        printf("FAIL %s\n", print_text(item, "failure"));
    return 0;
}

int cmd_policy_test(struct tool *tool, int argc, char **argv)
{
    json_t *request, *result = NULL;
    uint8_t *text = NULL;
    long long passed = 0, failed = 0;
    size_t len;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    rc = sr_io_read_file(sr_io_posix(), argv[optind], TEST_TEXT_MAX, &text, &len);
    if (rc != 0)
        return tool_fail(tool, rc);
    request = client_new("policy.test");
    if (!client_set(request, "name", argv[optind]) ||
        !client_set(request, "text", (const char *)text)) {
        json_decref(request);
        free(text);
        return tool_fail(tool, sr_fail(SR_ERR_INVALID, "%s is not UTF-8", argv[optind]));
    }
    free(text);
    rc = client_request(tool, request, print_failure, tool, &result);
    if (rc == 0) {
        passed = (long long)json_integer_value(json_object_get(result, "passed"));
        failed = (long long)json_integer_value(json_object_get(result, "failed"));
        if (tool->json)
            tool_json_list_end(tool);
        else
            printf("%lld passed, %lld failed\n", passed, failed);
        rc = tool_flush();
    }
    json_decref(result);
    return rc != 0 ? tool_fail(tool, rc) : failed > 0 ? TOOL_REFUSED : TOOL_DONE;
}

int cmd_policy_reload(struct tool *tool, int argc, char **argv)
{
    int rc;

    if (!tool_operands(tool, argc, argv, 0, 0))
        return TOOL_USAGE;
    rc = client_request(tool, client_new("policy.reload"), NULL, NULL, NULL);
    if (rc != 0)
        return tool_fail(tool, rc);
    if (tool->json)
        tool_json(json_pack("{s:b}", "loaded", 1));
    else
        puts("The policy is loaded; it is in force from now on.");
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}
