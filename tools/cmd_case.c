/* strongroom case. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tools/client.h"
#include "tools/commands.h"
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
    struct print_list list = {.tool = tool, .table = {.columns = 4}, .row = case_row};

    if (!tool_operands(tool, argc, argv, 0, 0))
        return TOOL_USAGE;
    return print_list_end(
        &list, client_request(tool, client_new("case.list"), print_list_item, &list, NULL));
}
