/* strongroom case archive-numbers, record archive-number; strongroom retention explain, set, extend. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/place.h"
#include "tools/print.h"

/* --- 档号 --- */

static void number_row(struct column_table *table, const json_t *item)
{
    const char *cells[2] = {print_text(item, "archive_number"), print_text(item, "path")};

    column_row(table, cells);
}

int cmd_case_archive(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 2}, .row = number_row};

    return place_list(tool, argc, argv, "case.archive", &list);
}

typedef void answer_fn(const json_t *found);

/* Asks and shows; takes over request; rc is of its making. */
static int ask(struct tool *tool, json_t *request, int rc, answer_fn *show)
{
    json_t *found = NULL;

    if (rc == 0)
        rc = client_request(tool, request, NULL, NULL, &found);
    else
        json_decref(request);
    if (rc == 0 && tool->json)
        tool_json(found != NULL ? json_incref(found) : json_object());
    else if (rc == 0)
        show(found);
    json_decref(found);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

static void show_number(const json_t *found)
{
    printf("档号：%s\n", print_text(found, "archive_number"));
}

int cmd_record_archive(struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = {{"reason", required_argument, NULL, 'r'},
                                            {NULL, 0, NULL, 0}};
    json_t *request = client_new("record.archive");
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1)
        if (id == '?' || !client_set(request, "reason", optarg)) {
            json_decref(request);
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "a reason is UTF-8");
        }
    if (optind + 1 != argc) {
        json_decref(request);
        return tool_usage(tool, "one record is needed");
    }
    return ask(tool, request, place_set(tool, request, argv[optind]), show_number);
}

/* --- retention --- */

static void reason_rows(struct column_table *table, const json_t *reasons)
{
    for (size_t i = 0; i < json_array_size(reasons); i++) {
        const json_t *reason = json_array_get(reasons, i);
        const char *until = print_text(reason, "until");
        const char *by = print_text(reason, "by");
        char time[PRINT_TIME_TEXT] = "";
        const char *cells[8] = {json_is_true(json_object_get(reason, "decides")) ? "*" : "",
                                strcmp(by, "category") == 0    ? "类别"
                                : strcmp(by, "extension") == 0 ? "延长"
                                                               : "规则",
                                print_text(reason, "name"),
                                print_text(reason, "period"),
                                until[0] != '\0' ? until : "永久",
                                NULL,
                                print_text(reason, "account"),
                                time};

        cells[5] =
            print_text(reason, json_object_get(reason, "reason") != NULL ? "reason" : "basis");
        if (json_object_get(reason, "time") != NULL)
            print_time(reason, "time", time);

        column_row(table, cells);
    }
}

static void show_reasons(const json_t *found)
{
    struct column_table table = {.columns = 8};

    if (json_object_get(found, "reasons") == NULL) { /* of a folder there is nothing to show */
        puts("已定。");
        return;
    }
    printf("保管期限：%s%s%s\n", print_text(found, "period"),
           print_text(found, "until")[0] != '\0' ? "，至 " : "", print_text(found, "until"));
    reason_rows(&table, json_object_get(found, "reasons"));
    column_print(&table, stdout);
    column_free(&table);
}

int cmd_retention_explain(struct tool *tool, int argc, char **argv)
{
    json_t *request;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new("retention.explain");
    return ask(tool, request, place_set(tool, request, argv[optind]), show_reasons);
}

static int set_term(struct tool *tool, int argc, char **argv, const char *op, const char *member)
{
    const struct option options[] = {{member, required_argument, NULL, 'm'},
                                     {"reason", required_argument, NULL, 'r'},
                                     {NULL, 0, NULL, 0}};
    json_t *request = client_new(op);
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1)
        if (id == '?' || !client_set(request, id == 'm' ? member : "reason", optarg)) {
            json_decref(request);
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "an option is not UTF-8");
        }
    if (optind + 1 != argc || json_object_get(request, member) == NULL ||
        json_object_get(request, "reason") == NULL) {
        json_decref(request);
        return tool_usage(tool, "one place, --%s and --reason are needed", member);
    }
    return ask(tool, request, place_set(tool, request, argv[optind]), show_reasons);
}

int cmd_retention_set(struct tool *tool, int argc, char **argv)
{
    return set_term(tool, argc, argv, "retention.set", "category");
}

int cmd_retention_extend(struct tool *tool, int argc, char **argv)
{
    return set_term(tool, argc, argv, "retention.extend", "until");
}
