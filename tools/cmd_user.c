/* strongroom user: accounts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "casework/slots.h"
#include "catalog/catalog.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/print.h"

enum { OPT_ROLE = 256, OPT_NAME, OPT_PASSWORD };

static const struct option options[] = {
    {"role", required_argument, NULL, OPT_ROLE},
    {"name", required_argument, NULL, OPT_NAME},
    {"password-file", required_argument, NULL, OPT_PASSWORD},
    {NULL, 0, NULL, 0},
};

static void role_names(const json_t *user, char *out, size_t size)
{
    const json_t *roles = json_object_get(user, "roles");
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < json_array_size(roles) && used < size; i++) {
        const char *role = json_string_value(json_array_get(roles, i));

        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "," : "",
                                 role != NULL ? role : "?");
    }
}

/* Asks for the account to be made; rc is of what came before. Takes over request. */
static int ask(struct tool *tool, json_t *request)
{
    json_t *user = NULL;
    char roles[CATALOG_ROLES_MAX * 25];
    int rc = client_request(tool, request, NULL, NULL, &user);

    if (rc != 0)
        return tool_fail(tool, rc);
    role_names(user, roles, sizeof roles);
    if (tool->json) {
        tool_json(json_incref(user));
    } else {
        printf("Account %s is made: uid %lld, %s\n", print_text(user, "account"),
               (long long)json_integer_value(json_object_get(user, "uid")), roles);
    }
    json_decref(user);
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_user_add(struct tool *tool, int argc, char **argv)
{
    const char *name = NULL, *password_file = NULL;
    char *password = NULL;
    json_t *roles = json_array(), *request;
    bool made;
    int id, rc = 0;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        if (id == OPT_ROLE) {
            json_array_append_new(roles, json_string(optarg));
        } else if (id == OPT_NAME) {
            name = optarg;
        } else if (id == OPT_PASSWORD) {
            password_file = optarg;
        } else {
            json_decref(roles);
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "unknown option -%c", id);
        }
    }
    if (argc - optind != 1 || json_array_size(roles) == 0) {
        json_decref(roles);
        return tool_usage(tool, "one ACCOUNT and at least one --role are needed");
    }
    if (password_file != NULL)
        rc = slots_read_passphrase(password_file, "password", &password);
    if (rc != 0) {
        json_decref(roles);
        return tool_fail(tool, rc);
    }
    request = client_new("user.add");
    made = client_set(request, "account", argv[optind]) && client_set(request, "name", name) &&
           client_set(request, "password", password);
    made = json_object_set_new(request, "roles", roles) == 0 && made;
    slots_free_passphrase(password);
    if (!made) {
        json_decref(request);
        return tool_usage(tool, "account, name and password must be UTF-8");
    }
    return ask(tool, request);
}

static void user_row(struct column_table *table, const json_t *user)
{
    char uid[16], roles[CATALOG_ROLES_MAX * 25];
    const char *cells[4] = {uid, print_text(user, "account"), roles, print_text(user, "name")};

    snprintf(uid, sizeof uid, "%lld", (long long)json_integer_value(json_object_get(user, "uid")));
    role_names(user, roles, sizeof roles);
    column_row(table, cells);
}

int cmd_user_list(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 4, .right = 1}, .row = user_row};

    if (!tool_operands(tool, argc, argv, 0, 0))
        return TOOL_USAGE;
    return print_list_end(
        &list, client_request(tool, client_new("user.list"), print_list_item, &list, NULL));
}
