/* strongroom case. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/place.h"
#include "tools/print.h"

/* "YEAR NAME", or "YEAR/NAME" in one argument. */
static bool parse_case(int count, char **words, uint64_t *year, const char **name)
{
    char digits[5] = "";
    const char *slash = strchr(words[0], '/');
    size_t len = slash != NULL ? (size_t)(slash - words[0]) : strlen(words[0]);

    if (len != 4 || (count == 1) != (slash != NULL))
        return false;
    memcpy(digits, words[0], 4);
    *name = count == 1 ? slash + 1 : words[1];
    return sr_parse_u64(digits, year) == 0 && (*name)[0] != '\0' && strchr(*name, '/') == NULL;
}

int cmd_case_open(struct tool *tool, int argc, char **argv)
{
    json_t *request, *node = NULL;
    const char *name = NULL;
    uint64_t year = 0;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 2))
        return TOOL_USAGE;
    if (!parse_case(argc - optind, argv + optind, &year, &name))
        return tool_usage(tool, "a case is YEAR NAME or YEAR/NAME, the year of four digits");
    request = client_new("case.open");
    json_object_set_new(request, "year", json_integer((json_int_t)year));
    if (!client_set(request, "name", name)) {
        json_decref(request);
        return tool_usage(tool, "the name of the case is not UTF-8");
    }
    rc = client_request(tool, request, NULL, NULL, &node);
    if (rc != 0)
        return tool_fail(tool, rc);
    if (tool->json) {
        tool_json(json_incref(node));
    } else {
        fputs("Case opened: ", stdout);
        column_print_safe(stdout, print_text(node, "path"));
        fputc('\n', stdout);
    }
    json_decref(node);
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

static void case_row(struct column_table *table, const json_t *node)
{
    char time[PRINT_TIME_TEXT];
    const char *cells[4] = {time, print_text(node, "account"),
                            json_is_true(json_object_get(node, "provisional")) ? "provisional" : "",
                            print_text(node, "path")};

    print_time(node, "created", time);
    column_row(table, cells);
}

int cmd_case_list(struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = {{"mine", no_argument, NULL, 'm'}, {NULL, 0, NULL, 0}};
    struct print_list list = {.tool = tool, .table = {.columns = 4}, .row = case_row};
    json_t *request = client_new("case.list");
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) == 'm')
        json_object_set_new(request, "mine", json_true());
    if (id != -1 || argc != optind) {
        json_decref(request);
        return id == '?' ? TOOL_USAGE : tool_usage(tool, "there should be no arguments");
    }
    return print_list_end(&list, client_request(tool, request, print_list_item, &list, NULL));
}

/* --- whose it is --- */

enum { OPT_LEAD = 256, OPT_HELPER, OPT_UNIT, OPT_REASON };

static void print_people(const char *what, const json_t *people)
{
    for (size_t i = 0; i < json_array_size(people); i++) {
        const json_t *one = json_array_get(people, i);

        printf("%-9s  ", i == 0 ? what : "");
        column_print_safe(stdout, print_text(one, "account"));
        fputs("  ", stdout);
        column_print_safe(stdout, print_text(one, "name"));
        puts(json_is_true(json_object_get(one, "disabled")) ? "  disabled" : "");
    }
}

static void print_line(const char *what, const char *text)
{
    if (text[0] == '\0')
        return;
    printf("%-9s  ", what);
    column_print_safe(stdout, text);
    fputc('\n', stdout);
}

/* Asks, and shows the case. Takes over request; rc is of its making. */
static int ask_case(struct tool *tool, json_t *request, int rc)
{
    json_t *node = NULL;

    if (rc == 0)
        rc = client_request(tool, request, NULL, NULL, &node);
    else
        json_decref(request);
    if (rc == 0 && tool->json) {
        tool_json(json_incref(node));
    } else if (rc == 0) {
        print_line("path", print_text(node, "path"));
        print_line("class", print_text(node, "classification"));
        print_line("unit", print_text(node, "unit"));
        print_people("lead", json_object_get(node, "lead"));
        print_people("helper", json_object_get(node, "helpers"));
    }
    json_decref(node);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_case_show(struct tool *tool, int argc, char **argv)
{
    json_t *request;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new("case.show");
    return ask_case(tool, request, place_set_path(tool, request, "path", argv[optind]));
}

/* Appends to an array member, which it makes. False: not UTF-8. */
static bool append_text(json_t *request, const char *member, const char *text)
{
    json_t *array = json_object_get(request, member);

    if (array == NULL) {
        array = json_array();
        json_object_set_new(request, member, array);
    }
    return json_array_append_new(array, json_string(text)) == 0;
}

/* The options of one of the two into the request, and the case. needed: a member that must come. */
static int change_case(struct tool *tool, int argc, char **argv, const struct option *options,
                       const char *op, const char *needed)
{
    json_t *request = client_new(op);
    bool made = true;
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        if (id == '?') {
            json_decref(request);
            return TOOL_USAGE;
        }
        made = (id == OPT_LEAD     ? append_text(request, "lead", optarg)
                : id == OPT_HELPER ? append_text(request, "helpers", optarg)
                : id == OPT_UNIT   ? client_set(request, "unit", optarg)
                                   : client_set(request, "reason", optarg)) &&
               made;
    }
    if (argc - optind != 1 || json_object_get(request, needed) == NULL ||
        json_object_get(request, "reason") == NULL || !made) {
        json_decref(request);
        return tool_usage(tool,
                          made ? "one CASE, --%s and --reason are needed"
                               : "CASE, --%s and --reason must be UTF-8",
                          needed);
    }
    return ask_case(tool, request, place_set_path(tool, request, "path", argv[optind]));
}

int cmd_case_assign(struct tool *tool, int argc, char **argv)
{
    static const struct option assign_options[] = {{"lead", required_argument, NULL, OPT_LEAD},
                                                   {"helper", required_argument, NULL, OPT_HELPER},
                                                   {"reason", required_argument, NULL, OPT_REASON},
                                                   {NULL, 0, NULL, 0}};

    return change_case(tool, argc, argv, assign_options, "case.assign", "lead");
}

int cmd_case_transfer(struct tool *tool, int argc, char **argv)
{
    static const struct option transfer_options[] = {
        {"unit", required_argument, NULL, OPT_UNIT},
        {"reason", required_argument, NULL, OPT_REASON},
        {NULL, 0, NULL, 0}};

    return change_case(tool, argc, argv, transfer_options, "case.transfer", "unit");
}
