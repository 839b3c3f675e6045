/* Accounts, and whose a case is. */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer about people");
}

static json_t *user_json(const struct catalog_user *user)
{
    char from[11], until[11];
    json_t *roles = json_array();

    for (size_t i = 0; i < user->role_count; i++)
        json_array_append_new(roles, json_string(user->roles[i]));
    sr_day_text(user->badge_from, from);
    sr_day_text(user->badge_until, until);
    return json_pack("{s:I,s:s,s:s,s:o*,s:s,s:I,s:s,s:s,s:s,s:b,s:b}", "uid", (json_int_t)user->uid,
                     "account", user->account, "name", user->name, "roles", roles, "unit",
                     user->unit, "clearance", (json_int_t)user->clearance, "badge", user->badge,
                     "badge_from", from, "badge_until", until, "disabled", user->disabled,
                     "first_password", user->first_password[0] != '\0');
}

static int result_user(struct ops_call *call, const struct catalog_user *user)
{
    call->result = user_json(user);
    return call->result != NULL ? 0 : no_memory();
}

int ops_user_add(struct ops_call *call)
{
    const char *account = request_text(call->request, "account");
    const char *name = request_text(call->request, "name");
    const char *roles[CATALOG_ROLES_MAX];
    size_t role_count = request_texts(call->request, "roles", roles, CATALOG_ROLES_MAX);
    struct catalog_user user;
    int rc;

    rc = door_user_add(call->context->door, call->actor, account, name != NULL ? name : account,
                       request_text(call->request, "unit"), roles, role_count,
                       request_text(call->request, "password"), &user);
    return rc != 0 ? rc : result_user(call, &user);
}

int ops_user_set(struct ops_call *call)
{
    const char *roles[CATALOG_ROLES_MAX];
    struct door_user_change change = {
        .name = request_text(call->request, "name"),
        .unit = request_text(call->request, "unit"),
        .badge = request_text(call->request, "badge"),
        .badge_from = request_text(call->request, "badge_from"),
        .badge_until = request_text(call->request, "badge_until"),
        .roles = roles,
        .role_count = request_texts(call->request, "roles", roles, CATALOG_ROLES_MAX),
        .clearance = (int)request_number(call->request, "clearance", UINT64_MAX)};
    struct catalog_user user;
    int rc = door_user_set(call->context->door, call->actor, request_text(call->request, "account"),
                           &change, &user);

    return rc != 0 ? rc : result_user(call, &user);
}

int ops_user_password(struct ops_call *call)
{
    struct catalog_user user;
    int rc =
        door_user_password(call->context->door, call->actor, request_text(call->request, "account"),
                           request_text(call->request, "password"), &user);

    return rc != 0 ? rc : result_user(call, &user);
}

static int send_case(void *context, const struct catalog_node *node)
{
    struct ops_call *call = context;

    return answer_item(call->answer, ops_node_json(call, node, true));
}

int ops_user_disable(struct ops_call *call)
{
    const char *account = request_text(call->request, "account");
    struct catalog_user user;
    int rc = door_user_disable(call->context->door, call->actor, account,
                               request_text(call->request, "reason"), send_case, call);

    if (rc == 0)
        rc = catalog_user_by_account(door_catalog(call->context->door), account, &user);
    return rc != 0 ? rc : result_user(call, &user);
}

static int collect_user(void *context, const struct catalog_user *user)
{
    json_t *users = context;

    if (json_array_append_new(users, user_json(user)) != 0)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for the list of users");
    return 0;
}

int ops_user_list(struct ops_call *call)
{
    json_t *users = json_array();
    size_t i;
    json_t *user;
    int rc;

    /* Collected first: a slow client must not hold the catalog's lock. */
    rc = catalog_users(door_catalog(call->context->door), collect_user, users);
    if (rc != 0)
        goto out;
    json_array_foreach(users, i, user)
    {
        rc = answer_item(call->answer, json_incref(user));
        if (rc != 0)
            break;
    }
out:
    json_decref(users);
    return rc;
}

/* --- cases --- */

static json_t *people_json(struct catalog *catalog, const uint32_t *uids, size_t count)
{
    json_t *people = json_array();

    for (size_t i = 0; i < count; i++) {
        struct catalog_user user;

        if (catalog_user(catalog, uids[i], &user) != 0)
            memset(&user, 0, sizeof user); /* root, in a case of before */
        json_array_append_new(people, json_pack("{s:I,s:s,s:s,s:b}", "uid", (json_int_t)uids[i],
                                                "account", user.account, "name", user.name,
                                                "disabled", user.disabled));
    }
    return people;
}

/* The case as it is now. */
static int result_case(struct ops_call *call, const struct catalog_node *node)
{
    struct catalog *catalog = door_catalog(call->context->door);
    struct catalog_case people;
    int rc = catalog_case(catalog, node->id, &people);

    if (rc != 0)
        return rc;
    call->result = ops_node_json(call, node, true);
    if (call->result == NULL ||
        json_object_set_new(call->result, "unit", json_string(people.unit)) != 0 ||
        json_object_set_new(call->result, "lead",
                            people_json(catalog, people.lead, people.lead_count)) != 0 ||
        json_object_set_new(call->result, "helpers",
                            people_json(catalog, people.helpers, people.helper_count)) != 0)
        return no_memory();
    return 0;
}

static int find_case(struct ops_call *call, struct catalog_node *out)
{
    int rc = ops_find_node(call, out);

    if (rc == 0 && out->kind != CATALOG_KIND_CASE)
        rc = sr_fail(SR_ERR_INVALID, "'%.200s' is no case", request_text(call->request, "path"));
    return rc;
}

int ops_case_show(struct ops_call *call)
{
    struct catalog_node node;
    int rc = find_case(call, &node);

    return rc != 0 ? rc : result_case(call, &node);
}

/* The uids of the accounts that a member names. */
static int read_people(struct ops_call *call, const char *member, uint32_t *uids, size_t max,
                       size_t *count)
{
    const char *accounts[CATALOG_HELPERS_MAX];
    struct catalog_user user;

    *count = request_texts(call->request, member, accounts, max);
    for (size_t i = 0; i < *count; i++) {
        int rc = catalog_user_by_account(door_catalog(call->context->door), accounts[i], &user);

        if (rc == SR_ERR_NOT_FOUND)
            return sr_fail(SR_ERR_INVALID, "there is no account '%.63s'", accounts[i]);
        if (rc != 0)
            return rc;
        uids[i] = user.uid;
    }
    return 0;
}

int ops_case_assign(struct ops_call *call)
{
    uint32_t lead[CATALOG_LEADS_MAX], helpers[CATALOG_HELPERS_MAX];
    size_t lead_count = 0, helper_count = 0;
    struct catalog_node node;
    int rc = door_may(call->context->door, call->actor, "case.assign");

    /* Who may not assign learns of no account either. */
    if (rc == 0)
        rc = find_case(call, &node);
    if (rc == 0)
        rc = read_people(call, "lead", lead, CATALOG_LEADS_MAX, &lead_count);
    if (rc == 0)
        rc = read_people(call, "helpers", helpers, CATALOG_HELPERS_MAX, &helper_count);
    if (rc == 0)
        rc = door_case_assign(call->context->door, call->actor, node.id, lead, lead_count, helpers,
                              helper_count, request_text(call->request, "reason"));
    return rc != 0 ? rc : result_case(call, &node);
}

int ops_case_transfer(struct ops_call *call)
{
    struct catalog_node node;
    int rc = find_case(call, &node);

    if (rc == 0)
        rc = door_case_transfer(call->context->door, call->actor, node.id,
                                request_text(call->request, "unit"),
                                request_text(call->request, "reason"));
    return rc != 0 ? rc : result_case(call, &node);
}
