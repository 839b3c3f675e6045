/* Who a case belongs to: its people and its unit. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/cases.h"
#include "casework/door_internal.h"

bool cases_is_lead(struct door *door, uint64_t node, uint32_t uid)
{
    struct catalog_node in;
    struct catalog_case people;
    if (catalog_case_of(door->catalog, node, &in) < 0 ||
        catalog_case(door->catalog, in.id, &people) < 0)
        return false;
    for (size_t i = 0; i < people.lead_count; i++)
        if (people.lead[i] == uid)
            return true;
    return false;
}

/* A case that the actor sees. */
static int find_case(struct door *door, const struct door_actor *actor, uint64_t node_id,
                     struct catalog_node *out)
{
    int status = door_getattr(door, actor, node_id, out);
    if (status == 0 && out->kind != CATALOG_KIND_CASE)
        status = sr_fail(SR_ERR_INVALID, "only a case belongs to somebody");
    return status;
}

/* One of them: active, and with a role in which one works on cases. */
static int check_person(struct door *door, uint32_t uid)
{
    struct catalog_user user;
    int status = catalog_user(door->catalog, uid, &user);
    if (status == SR_ERR_NOT_FOUND)
        return sr_fail(SR_ERR_INVALID, "there is no account with uid %u", (unsigned)uid);
    if (status == 0 && user.disabled)
        return sr_fail(SR_ERR_INVALID, "the account %s is disabled", user.account);
    if (status == 0 && !door_holds(&user, "officer") && !door_holds(&user, "head"))
        return sr_fail(SR_ERR_INVALID, "%s is neither officer nor head", user.account);
    return status;
}

static json_t *uid_array(const uint32_t *uids, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < count; i++)
        if (json_array_append_new(array, json_integer(uids[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    return array;
}

static bool is_among(const uint32_t *uids, size_t count, uint32_t uid)
{
    for (size_t i = 0; i < count; i++)
        if (uids[i] == uid)
            return true;
    return false;
}

static int check_people(struct door *door, const uint32_t *lead, size_t lead_count,
                        const uint32_t *helpers, size_t helper_count)
{
    if (lead_count == 0 || lead_count > CATALOG_LEADS_MAX || helper_count > CATALOG_HELPERS_MAX)
        return sr_fail(SR_ERR_INVALID, "a case has 1 to %d leads and up to %d helpers",
                       CATALOG_LEADS_MAX, CATALOG_HELPERS_MAX);
    for (size_t i = 0; i < lead_count + helper_count; i++) {
        uint32_t uid = i < lead_count ? lead[i] : helpers[i - lead_count];
        int status = check_person(door, uid);
        if (status < 0)
            return status;
        if (is_among(lead, i < lead_count ? i : lead_count, uid) ||
            (i >= lead_count && is_among(helpers, i - lead_count, uid)))
            return sr_fail(SR_ERR_INVALID, "uid %u is named twice", (unsigned)uid);
    }
    return 0;
}

/* entry_new with what both acts have. */
static int case_entry(struct door *door, const struct door_actor *actor, const char *act,
                      uint64_t node, const char *reason, json_t **out)
{
    int status = entry_new(door->io, act, out);
    if (status == 0 && ((status = entry_set(*out, "node", sr_json_u64_text(node))) < 0 ||
                        (status = entry_set(*out, "reason", json_string(reason))) < 0 ||
                        (status = entry_set(*out, "uid", json_integer(actor->uid))) < 0)) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

/* By a head anywhere, by others where they are lead. */
static int check_assigner(struct door *door, const struct door_actor *actor, uint64_t node)
{
    struct catalog_user user;
    int status = door_user(door, actor, &user);
    if (status == 0 && !door_holds(&user, "head") && !cases_is_lead(door, node, actor->uid))
        status = door_refused(
            door, actor, "case.assign", "denied", node, NULL,
            sr_fail(SR_ERR_DENIED, "%s is neither head nor lead of this case", user.account));
    return status;
}

int door_case_assign(struct door *door, const struct door_actor *actor, uint64_t node_id,
                     const uint32_t *lead, size_t lead_count, const uint32_t *helpers,
                     size_t helper_count, const char *reason)
{
    struct catalog_node node;
    json_t *entry;
    uint64_t index = 0;
    int status = door_may(door, actor, "case.assign");
    if (status < 0 || (status = door_check_reason(reason)) < 0 ||
        (status = find_case(door, actor, node_id, &node)) < 0 ||
        (status = check_assigner(door, actor, node_id)) < 0 || (status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = check_people(door, lead, lead_count, helpers, helper_count);
    if (status == 0 &&
        (status = case_entry(door, actor, "case.assign", node_id, reason, &entry)) == 0) {
        if ((status = entry_set(entry, "lead", uid_array(lead, lead_count))) < 0 ||
            (status = entry_set(entry, "helpers", uid_array(helpers, helper_count))) < 0)
            json_decref(entry);
        else
            status = door_act(door, entry, NULL, &index);
    }
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}

int door_case_transfer(struct door *door, const struct door_actor *actor, uint64_t node_id,
                       const char *unit, const char *reason)
{
    struct catalog_node node;
    struct catalog_case people;
    json_t *entry;
    uint64_t index = 0;
    int status = door_may(door, actor, "case.transfer");
    if (status < 0 || (status = door_check_reason(reason)) < 0 ||
        (status = find_case(door, actor, node_id, &node)) < 0)
        return status;
    if (unit == NULL || unit[0] == '\0')
        return sr_fail(SR_ERR_INVALID, "a case is transferred to a unit: its name is needed");
    if ((status = accounts_check_text("the unit", unit, sizeof people.unit - 1)) < 0 ||
        (status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    if ((status = case_entry(door, actor, "case.transfer", node_id, reason, &entry)) == 0) {
        if ((status = entry_set(entry, "unit", json_string(unit))) < 0)
            json_decref(entry);
        else
            status = door_act(door, entry, NULL, &index);
    }
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}
