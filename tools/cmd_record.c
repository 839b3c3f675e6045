/* strongroom record. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "casework/classification.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/place.h"
#include "tools/print.h"

#define BY_NUMBER "node:"

enum { OPT_REASON = 256, OPT_LEVEL, OPT_UNTIL, OPT_MARK, OPT_APPROVER };

static const struct option options[] = {
    {"reason", required_argument, NULL, OPT_REASON},
    {NULL, 0, NULL, 0},
};

static void node_row(struct column_table *table, const json_t *node)
{
    char name[1024];
    bool is_file = strcmp(print_text(node, "kind"), "record") == 0 ||
                   strcmp(print_text(node, "kind"), "stub") == 0 ||
                   strcmp(print_text(node, "kind"), "virtual") == 0;

    snprintf(name, sizeof name, "%s%s", print_text(node, "name"), is_file ? "" : "/");
    print_node_row(table, node, name);
}

static void version_row(struct column_table *table, const json_t *version)
{
    char size[COLUMN_SIZE_TEXT], time[PRINT_TIME_TEXT];
    const char *cells[5] = {print_text(version, "state"), size, time, print_text(version, "object"),
                            print_text(version, "sha256")};

    print_size(version, "size", size);
    print_time(version, json_object_get(version, "sealed_at") != NULL ? "sealed_at" : "mtime",
               time);
    column_row(table, cells);
}

/* One operand, a list in answer. */
static int list_of(struct tool *tool, const char *op, const char *argument, struct print_list *list)
{
    json_t *request = client_new(op);
    int rc = place_set(tool, request, argument);

    if (rc == 0)
        rc = client_request(tool, request, print_list_item, list, NULL);
    else
        json_decref(request);
    return print_list_end(list, rc);
}

int cmd_record_list(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 4, .right = 2}, .row = node_row};

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    return list_of(tool, "record.list", argv[optind], &list);
}

int cmd_record_versions(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {
        .tool = tool, .table = {.columns = 5, .right = 2}, .row = version_row};

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    return list_of(tool, "record.versions", argv[optind], &list);
}

/* Sends a request whose answer is a node, and shows it. Takes over request; rc is of its making. */
static int show_node(struct tool *tool, json_t *request, int rc)
{
    json_t *node = NULL;

    if (rc == 0)
        rc = client_request(tool, request, NULL, NULL, &node);
    else
        json_decref(request);
    if (rc == 0 && tool->json)
        tool_json(json_incref(node));
    else if (rc == 0)
        print_node(node);
    json_decref(node);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_record_show(struct tool *tool, int argc, char **argv)
{
    json_t *request;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new("record.show");
    return show_node(tool, request, place_set(tool, request, argv[optind]));
}

int cmd_record_properties(struct tool *tool, int argc, char **argv)
{
    json_t *request, *found = NULL;
    int rc;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new("record.properties");
    if ((rc = place_set(tool, request, argv[optind])) == 0)
        rc = client_request(tool, request, NULL, NULL, &found);
    else
        json_decref(request);
    if (rc == 0 && tool->json)
        tool_json(json_incref(found));
    else if (rc == 0 && json_object_size(found) == 0)
        puts("it has not been looked into yet");
    else if (rc == 0)
        print_object(found);
    json_decref(found);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_reindex(struct tool *tool, int argc, char **argv)
{
    json_t *request, *result = NULL;
    int rc = 0;

    if (!tool_operands(tool, argc, argv, 0, 1))
        return TOOL_USAGE;
    request = client_new("reindex");
    if (optind < argc)
        rc = place_set(tool, request, argv[optind]);
    if (rc == 0)
        rc = client_request(tool, request, NULL, NULL, &result);
    else
        json_decref(request);
    json_decref(result);
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

/* --reason and count operands. */
static bool parse_reason(struct tool *tool, int argc, char **argv, int count, const char **reason)
{
    int id;

    *reason = NULL;
    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        if (id != OPT_REASON) {
            if (id != '?')
                tool_usage(tool, "unknown option -%c", id);
            return false;
        }
        *reason = optarg;
    }
    if (argc - optind == count && *reason != NULL && (*reason)[0] != '\0')
        return true;
    tool_usage(tool,
               *reason == NULL || (*reason)[0] == '\0' ? "a --reason is needed"
                                                       : "there should be %d arguments",
               count);
    return false;
}

static int file_record(struct tool *tool, int argc, char **argv, bool again)
{
    json_t *request;
    const char *reason;
    int rc;

    if (!parse_reason(tool, argc, argv, 2, &reason))
        return TOOL_USAGE;
    request = client_new("record.file");
    rc = place_set(tool, request, argv[optind]);
    if (rc == 0)
        rc = place_set_path(tool, request, "to", argv[optind + 1]);
    if (rc == 0 && again)
        json_object_set_new(request, "again", json_true());
    if (rc == 0 && !client_set(request, "reason", reason))
        rc = sr_fail(SR_ERR_NAME_ENCODING, "the reason is not UTF-8");
    return show_node(tool, request, rc);
}

int cmd_record_file(struct tool *tool, int argc, char **argv)
{
    return file_record(tool, argc, argv, false);
}

int cmd_record_refile(struct tool *tool, int argc, char **argv)
{
    return file_record(tool, argc, argv, true);
}

int cmd_record_incomplete(struct tool *tool, int argc, char **argv)
{
    json_t *request;
    const char *reason;
    int rc;

    if (!parse_reason(tool, argc, argv, 1, &reason))
        return TOOL_USAGE;
    request = client_new("record.incomplete");
    rc = place_set(tool, request, argv[optind]);
    if (rc == 0 && !client_set(request, "reason", reason))
        rc = sr_fail(SR_ERR_NAME_ENCODING, "the reason is not UTF-8");
    return show_node(tool, request, rc);
}

/* --- classify --- */

static const struct option class_options[] = {
    {"level", required_argument, NULL, OPT_LEVEL},
    {"until", required_argument, NULL, OPT_UNTIL},
    {"mark", required_argument, NULL, OPT_MARK},
    {"approver", required_argument, NULL, OPT_APPROVER},
    {"reason", required_argument, NULL, OPT_REASON},
    {NULL, 0, NULL, 0},
};

/* "none" stands alone: the daemon knows it. */
static bool put_mark(struct tool *tool, json_t *request, const char *word)
{
    json_t *marks = json_object_get(request, "marks");
    bool none = strcmp(word, "none") == 0 || strcmp(word, "无") == 0;
    uint32_t mark;

    if (!none && !classification_mark(word, &mark)) {
        tool_usage(tool, "'%s' is no mark (工作秘密 商业秘密 个人隐私 隐蔽录音录像 none)", word);
        return false;
    }
    if (marks == NULL) {
        marks = json_array();
        json_object_set_new(request, "marks", marks);
    }
    return json_array_append_new(marks, json_string(none ? "none" : word)) == 0;
}

/* One option into the request. Returns false after saying what is wrong. */
static bool put_class(struct tool *tool, json_t *request, int id)
{
    int level;

    if (id == OPT_MARK)
        return put_mark(tool, request, optarg);
    if (id == OPT_LEVEL) {
        if (classification_level(optarg, &level))
            return json_object_set_new(request, "level", json_integer(level)) == 0;
        tool_usage(tool, "'%s' is no level (公开 内部 秘密 机密 绝密)", optarg);
        return false;
    }
    if (client_set(request,
                   id == OPT_UNTIL      ? "until"
                   : id == OPT_APPROVER ? "approver"
                                        : "reason",
                   optarg))
        return true;
    tool_usage(tool, "term, approver and reason must be UTF-8");
    return false;
}

int cmd_record_classify(struct tool *tool, int argc, char **argv)
{
    json_t *request = client_new("record.classify");
    int id;

    while ((id = tool_getopt(tool, argc, argv, class_options)) != -1)
        if (id == '?' || !put_class(tool, request, id)) {
            json_decref(request);
            return TOOL_USAGE;
        }
    if (argc - optind != 1 || json_object_get(request, "reason") == NULL ||
        json_object_size(request) < 3) {
        json_decref(request);
        return tool_usage(
            tool, "one PATH, OBJECT or node:N, a --level or --mark, and a --reason are needed");
    }
    /* What a secoff does not see, they name by the number that record show tells those who do. */
    if (strncmp(argv[optind], BY_NUMBER, strlen(BY_NUMBER)) == 0)
        return show_node(tool, request,
                         client_set(request, "node", argv[optind] + strlen(BY_NUMBER))
                             ? 0
                             : sr_fail(SR_ERR_INVALID, "the number of a node is needed"));
    return show_node(tool, request, place_set(tool, request, argv[optind]));
}
