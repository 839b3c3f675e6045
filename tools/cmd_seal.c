/* strongroom seal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/place.h"
#include "tools/print.h"

#define WAIT_MAX_S 3600

enum { OPT_WAIT = 256 };

static const struct option seal_options[] = {
    {"wait", required_argument, NULL, OPT_WAIT},
    {NULL, 0, NULL, 0},
};

static void path_row(struct column_table *table, const json_t *node)
{
    print_node_row(table, node, print_text(node, "path"));
}

static int seal_one(struct tool *tool, const char *argument, uint64_t wait_s, json_t **node)
{
    json_t *request = client_new("seal");
    int rc = place_set_path(tool, request, "path", argument);

    if (rc != 0) {
        json_decref(request);
        return rc;
    }
    if (wait_s > 0)
        json_object_set_new(request, "wait_ms", json_integer((json_int_t)wait_s * 1000));
    return client_request(tool, request, NULL, NULL, node);
}

/* All commit requests first, so that nobody waits for one record after another; then the
 * waiting. */
int cmd_seal(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 4, .right = 2}, .row = path_row};
    uint64_t wait_s = 0;
    int id, worst = TOOL_DONE, status;

    while ((id = tool_getopt(tool, argc, argv, seal_options)) != -1) {
        if (id != OPT_WAIT)
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "unknown option -%c", id);
        if (sr_parse_u64(optarg, &wait_s) != 0 || wait_s > WAIT_MAX_S)
            return tool_usage(tool, "--wait takes seconds, at most %d", WAIT_MAX_S);
    }
    if (optind == argc)
        return tool_usage(tool, "which record?");
    for (int pass = 0; pass < (wait_s > 0 ? 2 : 1); pass++)
        for (int i = optind; i < argc; i++) {
            json_t *node = NULL;
            int rc = argv[i] == NULL ? 0 : seal_one(tool, argv[i], pass * wait_s, &node);

            if (rc != 0) {
                fprintf(stderr, "strongroom: ");
                column_print_safe(stderr, argv[i]);
                fprintf(stderr, ": ");
                column_print_safe(stderr, sr_error_message());
                fputc('\n', stderr);
                status = tool_status(rc);
                worst = status > worst ? status : worst;
                argv[i] = NULL; /* not again */
            } else if (node != NULL && (wait_s == 0 || pass == 1)) {
                print_list_item(&list, node);
            }
            json_decref(node);
        }
    status = print_list_end(&list, 0);
    return status > worst ? status : worst;
}
