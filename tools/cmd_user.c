/* strongroom user: accounts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "casework/classification.h"
#include "casework/slots.h"
#include "catalog/catalog.h"
#include "tools/client.h"
#include "tools/commands.h"
#include "tools/print.h"

enum {
    OPT_ROLE = 256,
    OPT_NAME,
    OPT_UNIT,
    OPT_PASSWORD,
    OPT_CLEARANCE,
    OPT_BADGE,
    OPT_BADGE_FROM,
    OPT_BADGE_UNTIL,
    OPT_REASON
};

static const struct option options[] = {
    {"role", required_argument, NULL, OPT_ROLE},
    {"name", required_argument, NULL, OPT_NAME},
    {"unit", required_argument, NULL, OPT_UNIT},
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

/* Asks, and shows the account that it became (done says what happened to it). Takes over request. */
static int ask(struct tool *tool, json_t *request, const char *done)
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
        printf("Account %s is %s: uid %lld, %s\n", print_text(user, "account"), done,
               (long long)json_integer_value(json_object_get(user, "uid")), roles);
    }
    json_decref(user);
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_user_add(struct tool *tool, int argc, char **argv)
{
    const char *name = NULL, *unit = NULL, *password_file = NULL;
    char *password = NULL;
    json_t *roles = json_array(), *request;
    bool made;
    int id, rc = 0;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        if (id == OPT_ROLE) {
            json_array_append_new(roles, json_string(optarg));
        } else if (id == OPT_NAME) {
            name = optarg;
        } else if (id == OPT_UNIT) {
            unit = optarg;
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
           client_set(request, "unit", unit) && client_set(request, "password", password);
    made = json_object_set_new(request, "roles", roles) == 0 && made;
    slots_free_passphrase(password);
    if (!made) {
        json_decref(request);
        return tool_usage(tool, "account, name, unit and password must be UTF-8");
    }
    return ask(tool, request, "made");
}

int cmd_user_password(struct tool *tool, int argc, char **argv)
{
    const char *password_file = NULL;
    char *password = NULL;
    json_t *request;
    bool made;
    int id, rc;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        if (id != OPT_PASSWORD)
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "only --password-file goes with it");
        password_file = optarg;
    }
    if (argc - optind != 1 || password_file == NULL)
        return tool_usage(tool, "one ACCOUNT and a --password-file are needed");
    rc = slots_read_passphrase(password_file, "password", &password);
    if (rc != 0)
        return tool_fail(tool, rc);
    request = client_new("user.password");
    made =
        client_set(request, "account", argv[optind]) && client_set(request, "password", password);
    slots_free_passphrase(password);
    if (!made) {
        json_decref(request);
        return tool_usage(tool, "account and password must be UTF-8");
    }
    return ask(tool, request, "given a first password");
}

static const struct option set_options[] = {
    {"role", required_argument, NULL, OPT_ROLE},
    {"name", required_argument, NULL, OPT_NAME},
    {"unit", required_argument, NULL, OPT_UNIT},
    {"clearance", required_argument, NULL, OPT_CLEARANCE},
    {"badge", required_argument, NULL, OPT_BADGE},
    {"badge-from", required_argument, NULL, OPT_BADGE_FROM},
    {"badge-until", required_argument, NULL, OPT_BADGE_UNTIL},
    {NULL, 0, NULL, 0},
};

/* The member of the request that an option sets to its text. */
static const char *text_member(int id)
{
    static const char *const members[] = {[OPT_NAME - OPT_ROLE] = "name",
                                          [OPT_UNIT - OPT_ROLE] = "unit",
                                          [OPT_BADGE - OPT_ROLE] = "badge",
                                          [OPT_BADGE_FROM - OPT_ROLE] = "badge_from",
                                          [OPT_BADGE_UNTIL - OPT_ROLE] = "badge_until"};

    return members[id - OPT_ROLE];
}

/* One option into the request. Returns false after saying what is wrong. */
static bool put_option(struct tool *tool, json_t *request, int id)
{
    json_t *roles = json_object_get(request, "roles");
    int level;

    if (id == OPT_ROLE) {
        if (roles == NULL) {
            roles = json_array();
            json_object_set_new(request, "roles", roles);
        }
        if (json_array_append_new(roles, json_string(optarg)) == 0)
            return true;
    } else if (id == OPT_CLEARANCE) {
        if (classification_level(optarg, &level))
            return json_object_set_new(request, "clearance", json_integer(level)) == 0;
        tool_usage(tool, "'%s' is no level (公开 内部 秘密 机密 绝密)", optarg);
        return false;
    } else if (client_set(request, text_member(id), optarg)) {
        return true;
    }
    tool_usage(tool, "what is to be set must be UTF-8");
    return false;
}

int cmd_user_set(struct tool *tool, int argc, char **argv)
{
    json_t *request = client_new("user.set");
    int id;

    while ((id = tool_getopt(tool, argc, argv, set_options)) != -1)
        if (id == '?' || !put_option(tool, request, id)) {
            json_decref(request);
            return TOOL_USAGE;
        }
    if (argc - optind != 1 || json_object_size(request) < 2 ||
        !client_set(request, "account", argv[optind])) {
        json_decref(request);
        return tool_usage(tool, "one ACCOUNT and something to set are needed");
    }
    return ask(tool, request, "set");
}

static const struct option disable_options[] = {
    {"reason", required_argument, NULL, OPT_REASON},
    {NULL, 0, NULL, 0},
};

static int collect_case(void *context, const json_t *item)
{
    return json_array_append(context, (json_t *)(uintptr_t)item) == 0
               ? 0
               : sr_fail(SR_ERR_NO_MEMORY, "out of memory for the cases");
}

/* With --json one object: the account, and its cases as member "cases". Takes over request. */
static int ask_disable(struct tool *tool, json_t *request)
{
    json_t *user = NULL, *cases = json_array(), *one;
    size_t i;
    int rc = client_request(tool, request, collect_case, cases, &user);

    if (rc == 0 && tool->json) {
        json_object_set(user, "cases", cases);
        tool_json(json_incref(user));
    } else if (rc == 0) {
        printf("Account %s is disabled: uid %lld\n", print_text(user, "account"),
               (long long)json_integer_value(json_object_get(user, "uid")));
        if (json_array_size(cases) > 0)
            puts("Cases to be handed over (strongroom case assign):");
        json_array_foreach(cases, i, one)
        {
            fputs("  ", stdout);
            column_print_safe(stdout, print_text(one, "path"));
            fputc('\n', stdout);
        }
    }
    json_decref(cases);
    json_decref(user);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

int cmd_user_disable(struct tool *tool, int argc, char **argv)
{
    const char *reason = NULL;
    json_t *request;
    int id;

    while ((id = tool_getopt(tool, argc, argv, disable_options)) != -1) {
        if (id == '?')
            return TOOL_USAGE;
        reason = optarg;
    }
    if (argc - optind != 1 || reason == NULL || reason[0] == '\0')
        return tool_usage(tool, "one ACCOUNT and a --reason are needed");
    request = client_new("user.disable");
    if (!client_set(request, "account", argv[optind]) || !client_set(request, "reason", reason)) {
        json_decref(request);
        return tool_usage(tool, "account and reason must be UTF-8");
    }
    return ask_disable(tool, request);
}

/* "2024-01-01..2028-12-31", either end may be open. */
static void badge_days(const json_t *user, char *out, size_t size)
{
    const char *from = print_text(user, "badge_from"), *until = print_text(user, "badge_until");

    out[0] = '\0';
    if (from[0] != '\0' || until[0] != '\0')
        snprintf(out, size, "%s..%s", from, until);
}

static void user_row(struct column_table *table, const json_t *user)
{
    char uid[16], roles[CATALOG_ROLES_MAX * 25], days[32];
    json_int_t clearance = json_integer_value(json_object_get(user, "clearance"));
    const char *cells[9] = {uid,
                            print_text(user, "account"),
                            roles,
                            print_text(user, "name"),
                            print_text(user, "unit"),
                            classification_level_name((uint32_t)clearance),
                            print_text(user, "badge"),
                            days,
                            json_is_true(json_object_get(user, "disabled")) ? "disabled"
                            : json_is_true(json_object_get(user, "first_password"))
                                ? "first password"
                                : ""};

    snprintf(uid, sizeof uid, "%lld", (long long)json_integer_value(json_object_get(user, "uid")));
    role_names(user, roles, sizeof roles);
    badge_days(user, days, sizeof days);
    column_row(table, cells);
}

int cmd_user_list(struct tool *tool, int argc, char **argv)
{
    struct print_list list = {.tool = tool, .table = {.columns = 9, .right = 1}, .row = user_row};

    if (!tool_operands(tool, argc, argv, 0, 0))
        return TOOL_USAGE;
    return print_list_end(
        &list, client_request(tool, client_new("user.list"), print_list_item, &list, NULL));
}
