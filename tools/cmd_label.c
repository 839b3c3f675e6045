/* strongroom record label, labels, history; strongroom case pending; strongroom lateness. */
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/place.h"
#include "tools/print.h"

static void offset_text(const json_t *item, char out[24])
{
    long long ms = json_integer_value(json_object_get(item, "offset_ms"));

    out[0] = '\0';
    if (json_object_get(item, "offset_ms") != NULL)
        snprintf(out, 24, "%02lld:%02lld:%02lld", ms / 3600000, ms / 60000 % 60, ms / 1000 % 60);
}

static const char *source_text(const json_t *item)
{
    static const char *const words[][2] = {{"media", "元数据"},      {"name", "文件名"},
                                           {"place", "所在案件"},    {"list", "标签文件"},
                                           {"file", "专用标签文件"}, {"tool", "人工"}};
    const char *word = print_text(item, "source");

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i][0], word) == 0)
            return words[i][1];
    return word;
}

static void label_rows(struct column_table *table, const json_t *labels, bool history)
{
    for (size_t i = 0; i < json_array_size(labels); i++) {
        const json_t *item = json_array_get(labels, i);
        bool in_force = json_is_true(json_object_get(item, "in_force"));
        char offset[24], time[PRINT_TIME_TEXT] = "";
        const char *value =
            json_is_null(json_object_get(item, "value")) ? "(已销毁)" : print_text(item, "value");
        const char *cells[7] = {in_force ? "*" : "",
                                print_text(item, "name"),
                                offset,
                                value[0] != '\0' ? value : "(撤回)",
                                source_text(item),
                                print_text(item, "account"),
                                time};

        offset_text(item, offset);
        if (json_object_get(item, "time") != NULL)
            print_time(item, "time", time);
        column_row(table, history ? cells : cells + 1);
    }
}

/* The words of an array, with 、 between. */
static void join(const json_t *words, struct sr_buf *out)
{
    for (size_t i = 0; i < json_array_size(words); i++)
        sr_buf_format(out, "%s%s", i > 0 ? "、" : "", json_string_value(json_array_get(words, i)));
}

/* The 档号 in force, then those of before with why they were replaced. */
static void print_archived(const json_t *found)
{
    const json_t *numbers = json_object_get(found, "archive_numbers");
    size_t count = json_array_size(numbers);

    if (count > 0)
        printf("档号：%s\n", print_text(found, "archive_number"));
    for (size_t i = count; i-- > 1;) {
        const json_t *newer = json_array_get(numbers, i), *older = json_array_get(numbers, i - 1);
        char time[PRINT_TIME_TEXT];

        print_time(newer, "time", time);
        printf("原档号：%s（%s %s：", print_text(older, "number"), time,
               print_text(newer, "account"));
        column_print_safe(stdout, print_text(newer, "reason"));
        puts("）");
    }
}

static void print_rest(const json_t *found)
{
    const json_t *entered = json_object_get(found, "entered");
    const json_t *flags = json_object_get(found, "flags");
    struct sr_buf missing = {0};

    join(json_object_get(found, "names"), &missing);
    if (entered != NULL)
        printf("入卷：第 %lld 号（%s）\n",
               (long long)json_integer_value(json_object_get(entered, "number")),
               print_text(entered, "series"));
    else
        printf("未入卷%s%s\n", missing.len > 0 ? "，缺 " : "", missing.len > 0 ? missing.data : "");
    print_archived(found);
    for (size_t i = 0; i < json_array_size(flags); i++) {
        fputs("注意：", stdout);
        column_print_safe(stdout, print_text(json_array_get(flags, i), "text"));
        fputc('\n', stdout);
    }
    sr_buf_free(&missing);
}

/* Asks and shows. Takes over request; rc is of its making. */
static int show(struct tool *tool, json_t *request, int rc, bool history)
{
    struct column_table table = {.columns = history ? 7 : 6};
    json_t *found = NULL;

    if (rc == 0)
        rc = client_request(tool, request, NULL, NULL, &found);
    else
        json_decref(request);
    if (rc == 0 && tool->json) {
        tool_json(json_incref(found));
    } else if (rc == 0) {
        label_rows(&table, json_object_get(found, "labels"), history);
        column_print(&table, stdout);
        print_rest(found);
    }
    column_free(&table);
    json_decref(found);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_record_label(struct tool *tool, int argc, char **argv)
{
    json_t *request, *labels = json_array();
    int rc;

    if (!tool_operands(tool, argc, argv, 2, 257)) {
        json_decref(labels);
        return TOOL_USAGE;
    }
    request = client_new("record.label");
    rc = place_set(tool, request, argv[optind]);
    for (int i = optind + 1; rc == 0 && i < argc; i++)
        if (json_array_append_new(labels, json_string(argv[i])) != 0)
            rc = sr_fail(SR_ERR_NAME_ENCODING, "a label is not UTF-8");
    json_object_set_new(request, "labels", labels);
    return show(tool, request, rc, false);
}

int cmd_record_labels(struct tool *tool, int argc, char **argv)
{
    json_t *request;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new("record.labels");
    return show(tool, request, place_set(tool, request, argv[optind]), false);
}

int cmd_record_history(struct tool *tool, int argc, char **argv)
{
    json_t *request;

    if (!tool_operands(tool, argc, argv, 1, 1))
        return TOOL_USAGE;
    request = client_new("record.labels");
    json_object_set_new(request, "history", json_true());
    return show(tool, request, place_set(tool, request, argv[optind]), true);
}

static void pending_row(struct column_table *table, const json_t *item)
{
    struct sr_buf missing = {0};
    char time[PRINT_TIME_TEXT];
    const char *cells[4] = {time, print_text(item, "account"), NULL, print_text(item, "path")};

    print_time(item, "sealed_at", time);
    join(json_object_get(item, "names"), &missing);
    cells[2] = missing.len > 0 ? missing.data : "";
    column_row(table, cells);
    sr_buf_free(&missing);
}

int cmd_case_pending(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 4}, .row = pending_row};

    return place_list(tool, argc, argv, "case.pending", &list);
}

static void lateness_row(struct column_table *table, const json_t *item)
{
    char numbers[4][24];
    static const char *const members[4] = {"records", "no_time", "late", "worst"};
    const char *cells[6] = {print_text(item, "account"),
                            print_text(item, "person"),
                            numbers[0],
                            numbers[1],
                            numbers[2],
                            numbers[3]};

    for (int i = 0; i < 4; i++)
        snprintf(numbers[i], sizeof numbers[i], "%lld",
                 (long long)json_integer_value(json_object_get(item, members[i])));
    column_row(table, cells);
}

int cmd_lateness(struct tool *tool, int argc, char **argv)
{
    static const struct option options[] = {{"from", required_argument, NULL, 'f'},
                                            {"until", required_argument, NULL, 'u'},
                                            {NULL, 0, NULL, 0}};
    static const char *const titles[6] = {"账号",       "姓名", "件数",
                                          "无采集时间", "逾期", "最长工作日"};
    struct print_list list = {
        .tool = tool, .table = {.columns = 6, .right = 4 | 8 | 16 | 32}, .row = lateness_row};
    json_t *request = client_new("lateness");
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1)
        if (id == '?' || !client_set(request, id == 'f' ? "from" : "until", optarg)) {
            json_decref(request);
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "a day is YYYY-MM-DD");
        }
    if (optind != argc) {
        json_decref(request);
        return tool_usage(tool, "there should be no arguments");
    }
    if (!tool->json)
        column_row(&list.table, titles);
    return print_list_end(&list, client_request(tool, request, print_list_item, &list, NULL));
}
