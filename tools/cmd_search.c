/* strongroom search. */
#include <stdio.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/print.h"

#define LIMIT_MAX 10000

enum { OPT_LIMIT = 256, OPT_COUNT, OPT_BEFORE };

static const struct option options[] = {
    {"limit", required_argument, NULL, OPT_LIMIT},
    {"count", no_argument, NULL, OPT_COUNT},
    {"before", required_argument, NULL, OPT_BEFORE},
    {NULL, 0, NULL, 0},
};

/* A hit, and below it the piece of its text. */
static void hit_row(struct column_table *table, const json_t *hit)
{
    struct sr_buf piece = {0};
    const char *cells[4] = {"", "", "", NULL};

    print_node_row(table, hit, print_text(hit, "path"));
    if (json_object_get(hit, "snippet") == NULL)
        return;
    sr_buf_format(&piece, "    %s", print_text(hit, "snippet"));
    cells[3] = piece.failed ? "" : piece.data;
    column_row(table, cells);
    sr_buf_free(&piece);
}

/* Words of the command line as one query. An argument with a blank in it stays one word. */
static bool set_words(json_t *request, int argc, char **argv)
{
    struct sr_buf words = {0};
    bool made;

    for (int i = optind; i < argc; i++)
        sr_buf_format(&words, "%s%s", i > optind ? " " : "", argv[i]);
    made = !words.failed && client_set(request, "words", words.data);
    sr_buf_free(&words);
    return made;
}

/* Options into the request. Returns an exit status, 0 to go on. */
static int read_options(struct tool *tool, int argc, char **argv, json_t *request, bool *count)
{
    uint64_t limit = 0, before;
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        if (id == OPT_COUNT)
            *count = true;
        else if (id == OPT_BEFORE &&
                 (sr_parse_u64(optarg, &before) != 0 || !client_set(request, "before", optarg)))
            return tool_usage(tool, "--before takes the number of a node");
        else if (id == OPT_LIMIT &&
                 (sr_parse_u64(optarg, &limit) != 0 || limit == 0 || limit > LIMIT_MAX))
            return tool_usage(tool, "--limit takes a number from 1 to %d", LIMIT_MAX);
        else if (id < OPT_LIMIT)
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "unknown option -%c", id);
    }
    if (optind == argc)
        return tool_usage(tool, "search for what?");
    if (limit > 0 || *count)
        json_object_set_new(request, "limit", json_integer(*count ? 0 : (json_int_t)limit));
    return 0;
}

int cmd_search(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 4, .right = 2}, .row = hit_row};
    json_t *request = client_new("search"), *result = NULL;
    json_int_t total;
    bool count = false;
    int rc = read_options(tool, argc, argv, request, &count);

    if (rc == 0 && !set_words(request, argc, argv))
        rc = tool_usage(tool, "the words are not UTF-8");
    if (rc != 0) {
        json_decref(request);
        return rc;
    }
    rc = client_request(tool, request, print_list_item, &list, &result);
    total = json_integer_value(json_object_get(result, "count"));
    if (rc == 0 && count && tool->json)
        tool_json(json_incref(result));
    else if (rc == 0 && count)
        printf("%lld\n", (long long)total);
    json_decref(result);
    if (count)
        return rc == 0 && (rc = tool_flush()) == 0 ? TOOL_DONE : tool_fail(tool, rc);
    if (rc == 0 && !tool->json && total > (json_int_t)list.count) {
        fflush(stdout);
        fprintf(stderr, "%lld are found, the newest %zu are shown (--limit, --before)\n",
                (long long)total, list.count);
    }
    return print_list_end(&list, rc);
}
