/* strongroom view, strongroom grant, strongroom record views: reading what is restricted. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "casework/door.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/place.h"
#include "tools/print.h"

enum { OPT_PURPOSE = 256, OPT_HOURS, OPT_UNTIL, OPT_ALL };

static const struct option options[] = {
    {"purpose", required_argument, NULL, OPT_PURPOSE},
    {"hours", required_argument, NULL, OPT_HOURS},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"all", no_argument, NULL, OPT_ALL},
    {NULL, 0, NULL, 0},
};

/* Adds the option to the request. Returns false after saying what is wrong. */
static bool put_option(struct tool *tool, json_t *request, int id)
{
    uint64_t hours;

    if (id == OPT_ALL)
        return json_object_set_new(request, "all", json_true()) == 0;
    if (id == OPT_HOURS) {
        if (sr_parse_u64(optarg, &hours) == 0 && hours > 0 && hours <= DOOR_VIEW_HOURS_MAX)
            return json_object_set_new(request, "hours", json_integer((json_int_t)hours)) == 0;
        tool_usage(tool, "--hours is 1 to %d", DOOR_VIEW_HOURS_MAX);
        return false;
    }
    if (client_set(request, id == OPT_PURPOSE ? "purpose" : "until", optarg))
        return true;
    tool_usage(tool, "what is given must be UTF-8");
    return false;
}

/* Options among those of allowed (a 0 ends them). Returns NULL after saying what is wrong. */
static json_t *parse(struct tool *tool, int argc, char **argv, const char *op, const int *allowed)
{
    json_t *request = client_new(op);
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        const int *known = allowed;

        while (*known != 0 && *known != id)
            known++;
        if (*known == 0 && id != '?')
            tool_usage(tool, "that option does not go with this command");
        if (*known == 0 || !put_option(tool, request, id)) {
            json_decref(request);
            return NULL;
        }
    }
    return request;
}

static int usage(struct tool *tool, json_t *request, const char *what)
{
    json_decref(request);
    return tool_usage(tool, "%s", what);
}

static void print_grant(const json_t *grant)
{
    char until[PRINT_TIME_TEXT];

    if (json_integer_value(json_object_get(grant, "grant")) == 0) {
        puts("No purpose is needed: it is not restricted for you.");
        return;
    }
    print_time(grant, "until", until);
    printf("Grant %lld: ", (long long)json_integer_value(json_object_get(grant, "grant")));
    column_print_safe(stdout, print_text(grant, "account"));
    fputs(" may open ", stdout);
    column_print_safe(stdout, print_text(grant, "path"));
    printf(" until %s (", until);
    column_print_safe(stdout, print_text(grant, "purpose"));
    puts("). Every reading goes on record.");
}

/* Asks, and shows the grant. Takes over request; rc is of its making. */
static int ask_grant(struct tool *tool, json_t *request, int rc)
{
    json_t *grant = NULL;

    if (rc == 0)
        rc = client_request(tool, request, NULL, NULL, &grant);
    else
        json_decref(request);
    if (rc == 0 && tool->json)
        tool_json(json_incref(grant));
    else if (rc == 0)
        print_grant(grant);
    json_decref(grant);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_view(struct tool *tool, int argc, char **argv)
{
    static const int allowed[] = {OPT_PURPOSE, OPT_HOURS, 0};
    json_t *request = parse(tool, argc, argv, "view", allowed);

    if (request == NULL)
        return TOOL_USAGE;
    if (argc - optind != 1 || json_object_get(request, "purpose") == NULL)
        return usage(tool, request, "a --purpose and one PATH or OBJECT are needed");
    return ask_grant(tool, request, place_set(tool, request, argv[optind]));
}

int cmd_grant_add(struct tool *tool, int argc, char **argv)
{
    static const int allowed[] = {OPT_PURPOSE, OPT_UNTIL, 0};
    json_t *request = parse(tool, argc, argv, "grant.add", allowed);
    int rc;

    if (request == NULL)
        return TOOL_USAGE;
    if (argc - optind != 2 || json_object_get(request, "purpose") == NULL ||
        json_object_get(request, "until") == NULL)
        return usage(tool, request,
                     "ACCOUNT, one PATH or OBJECT, a --purpose and a last day --until are needed");
    rc = client_set(request, "account", argv[optind])
             ? place_set(tool, request, argv[optind + 1])
             : sr_fail(SR_ERR_NAME_ENCODING, "the account is not UTF-8");
    return ask_grant(tool, request, rc);
}

static void grant_row(struct column_table *table, const json_t *grant)
{
    char number[24], until[PRINT_TIME_TEXT];
    const char *cells[6] = {number,
                            until,
                            json_is_true(json_object_get(grant, "ended")) ? "ended" : "",
                            print_text(grant, "account"),
                            print_text(grant, "path"),
                            print_text(grant, "purpose")};

    snprintf(number, sizeof number, "%lld",
             (long long)json_integer_value(json_object_get(grant, "grant")));
    print_time(grant, "until", until);
    column_row(table, cells);
}

int cmd_grant_list(struct tool *tool, int argc, char **argv)
{
    static const int allowed[] = {OPT_ALL, 0};
    struct print_list list = {.tool = tool, .table = {.columns = 6, .right = 1}, .row = grant_row};
    json_t *request = parse(tool, argc, argv, "grant.list", allowed);

    if (request == NULL)
        return TOOL_USAGE;
    if (argc != optind)
        return usage(tool, request, "there should be no arguments");
    return print_list_end(&list, client_request(tool, request, print_list_item, &list, NULL));
}

int cmd_grant_end(struct tool *tool, int argc, char **argv)
{
    uint64_t grant;
    json_t *request;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    if (sr_parse_u64(argv[optind], &grant) != 0 || grant > (uint64_t)1 << 53)
        return tool_usage(tool, "the number of a grant is needed (grant list)");
    request = client_new("grant.end");
    json_object_set_new(request, "grant", json_integer((json_int_t)grant));
    rc = client_request(tool, request, NULL, NULL, NULL);
    if (rc == 0 && !tool->json)
        printf("Grant %llu has ended.\n", (unsigned long long)grant);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

/* "0-65536 131072-131073", the first few. */
static void ranges_text(const json_t *view, char *out, size_t size)
{
    const json_t *ranges = json_object_get(view, "ranges");
    size_t count = json_array_size(ranges), used = 0;

    *out = '\0';
    for (size_t i = 0; i < count && i < 4 && used < size; i++) {
        const json_t *range = json_array_get(ranges, i);

        used += (size_t)snprintf(out + used, size - used, "%s%s-%s", i > 0 ? " " : "",
                                 json_string_value(json_array_get(range, 0)),
                                 json_string_value(json_array_get(range, 1)));
    }
    if (count > 4 && used < size)
        snprintf(out + used, size - used, " and %zu more", count - 4);
}

static void view_row(struct column_table *table, const json_t *view)
{
    char opens[24], bytes[COLUMN_SIZE_TEXT], until[PRINT_TIME_TEXT], ranges[256];
    const char *cells[7] = {until,
                            print_text(view, "account"),
                            print_text(view, "client"),
                            opens,
                            bytes,
                            print_text(view, "purpose"),
                            ranges};

    snprintf(opens, sizeof opens, "%lld",
             (long long)json_integer_value(json_object_get(view, "opens")));
    print_time(view, "until", until);
    print_size(view, "bytes", bytes);
    ranges_text(view, ranges, sizeof ranges);
    column_row(table, cells);
}

int cmd_record_views(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {
        .tool = tool, .table = {.columns = 7, .right = 0x18}, .row = view_row};
    json_t *request;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new("record.views");
    rc = place_set(tool, request, argv[optind]);
    if (rc == 0)
        rc = client_request(tool, request, print_list_item, &list, NULL);
    else
        json_decref(request);
    return print_list_end(&list, rc);
}
