/* strongroom status. */
#include "base/error.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/print.h"

int cmd_status(struct tool *tool, int argc, char **argv)
{
    json_t *status = NULL;
    int rc;

    if (!tool_operands(tool, argc, argv, 0, 0))
        return TOOL_USAGE;
    rc = client_request(tool, client_new("status"), NULL, NULL, &status);
    if (rc != 0)
        return tool_fail(tool, rc);
    if (tool->json)
        tool_json(json_incref(status));
    else
        print_object(status);
    json_decref(status);
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}
