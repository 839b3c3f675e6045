/* strongroom disc verify: reads a disc back, and files with its case what was found. */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "tools/bag.h"
#include "tools/client.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/place.h"

struct reading {
    struct tool *tool;
    char detail[512]; /* what was bad first */
};

static void found(void *context, enum bag_level level, const char *what, const char *why)
{
    struct reading *reading = context;

    if (level == BAG_HOLDS)
        return;
    if (level == BAG_BAD && reading->detail[0] == '\0')
        snprintf(reading->detail, sizeof(reading->detail), "%.200s: %.300s", what, why);
    if (reading->tool->json)
        return;
    tool_progress_end(reading->tool);
    fputs(level == BAG_BAD ? "BAD " : "WARNING ", stdout);
    column_print_safe(stdout, what);
    fputs(": ", stdout);
    column_print_safe(stdout, why);
    fputc('\n', stdout);
}

static void show_progress(void *context, uint64_t done, uint64_t total)
{
    struct reading *reading = context;

    tool_progress(reading->tool, done, total);
}

static int file_result(struct tool *tool, const char *place, const struct bag_summary *bag,
                       const char *detail)
{
    json_t *request = client_new("disc.verify");
    int rc = place_set_path(tool, request, "path", place);

    if (rc == 0 &&
        (!client_set(request, "sha256", bag->sealed) || !client_set(request, "detail", detail)))
        rc = sr_fail(SR_ERR_NAME_ENCODING, "what is bad is not UTF-8");
    if (rc < 0) {
        json_decref(request);
        return rc;
    }
    json_object_set_new(request, "good", json_boolean(bag->bad == 0));
    return client_request(tool, request, NULL, NULL, NULL);
}

int cmd_disc_verify(struct tool *tool, int argc, char **argv)
{
    struct reading reading = {.tool = tool};
    struct bag_summary bag = {.bad = 1};
    int rc;

    if (!tool_operands(tool, argc, argv, 2, 2))
        return TOOL_USAGE;
    setlocale(LC_CTYPE, "C.UTF-8");
    rc = bag_check(argv[optind + 1], NULL, found, show_progress, &reading, &bag);
    tool_progress_end(tool);
    if (rc == 0 && bag.sealed[0] == '\0')
        rc = sr_fail(SR_ERR_NOT_FOUND,
                     "%s: there is no tagmanifest-sha256.txt: this is no disc of ours",
                     argv[optind + 1]);
    if (rc == 0)
        rc = file_result(tool, argv[optind], &bag, reading.detail);
    if (rc < 0)
        return tool_fail(tool, rc);
    if (tool->json)
        tool_json(json_pack("{s:b,s:s,s:s}", "ok", bag.bad == 0, "sha256", bag.sealed, "detail",
                            reading.detail));
    else
        printf("%s：%s，已记入账本\n", argv[optind + 1], bag.bad == 0 ? "完好" : "不完好");
    rc = tool_flush();
    if (rc < 0)
        return tool_fail(tool, rc);
    return bag.bad == 0 ? TOOL_DONE : TOOL_REFUSED;
}
