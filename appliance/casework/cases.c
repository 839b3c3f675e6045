#include "casework/cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/door_internal.h"

int cases_append_year(struct door *door, uint32_t uid, int year, uint64_t *index)
{
    json_t *entry;
    int status = entry_new(door->io, "year.open", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set(entry, "year", json_integer(year))) < 0 ||
        (status = entry_set(entry, "uid", json_integer(uid))) < 0) {
        json_decref(entry);
        return status;
    }
    return door_act(door, entry, NULL, index);
}

static json_t *stage_names(const struct workflow *workflow)
{
    json_t *names = json_array();
    for (size_t i = 0; names != NULL && i < workflow_stage_count(workflow); i++)
        if (json_array_append_new(names, json_string(workflow_stage(workflow, i))) != 0) {
            json_decref(names);
            names = NULL;
        }
    return names;
}

/* It belongs to its maker and to their unit. */
static int set_owner(struct door *door, json_t *entry, uint32_t uid)
{
    struct catalog_user user;
    if (uid == 0 || catalog_user(door->catalog, uid, &user) < 0)
        return 0;
    int status = user.unit[0] != '\0' ? entry_set(entry, "unit", json_string(user.unit)) : 0;
    return status < 0 ? status : entry_set(entry, "lead", json_pack("[I]", (json_int_t)uid));
}

int cases_append_case(struct door *door, const struct door_actor *actor, int year, const char *name,
                      bool provisional, uint64_t *index)
{
    json_t *entry;
    int status = door_entry(door, actor, "case.open", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set(entry, "year", json_integer(year))) < 0 ||
        (status = entry_set(entry, "name", json_string(name))) < 0 ||
        (status = entry_set(entry, "stages", stage_names(door->workflow))) < 0 ||
        (status = entry_set(entry, "drafts", json_string(workflow_drafts(door->workflow)))) < 0 ||
        (status = entry_set(entry, "provisional", json_boolean(provisional))) < 0 ||
        (status = set_owner(door, entry, actor->uid)) < 0) {
        json_decref(entry);
        return status;
    }
    return door_act(door, entry, NULL, index);
}

int cases_ensure_year(struct door *door)
{
    char name[11];
    struct catalog_node node;
    uint64_t index;
    sr_time_local_date(door->io->now_ns(door->io), name);
    name[4] = '\0';
    pthread_mutex_lock(&door->lock);
    int status = catalog_lookup(door->catalog, CATALOG_ROOT, name, &node);
    if (status == SR_ERR_NOT_FOUND)
        status = cases_append_year(door, 0, atoi(name), &index);
    pthread_mutex_unlock(&door->lock);
    return status;
}

/* The tool's way: the folder is not provisional. The year's folder is made when it is missing. */
static int open_locked(struct door *door, const struct door_actor *actor, int year,
                       const char *name, struct catalog_node *out, uint64_t *index,
                       const char **reason)
{
    char year_name[12];
    struct catalog_node year_node;
    snprintf(year_name, sizeof year_name, "%d", year);
    int status = catalog_lookup(door->catalog, CATALOG_ROOT, year_name, &year_node);
    if (status == SR_ERR_NOT_FOUND &&
        (status = cases_append_year(door, actor->uid, year, index)) == 0)
        status = catalog_get(door->catalog, door_node_id(*index), &year_node);
    if (status < 0)
        return status;
    if (catalog_lookup(door->catalog, year_node.id, name, out) == 0)
        return sr_fail(SR_ERR_EXISTS, "the case %d/%s exists already", year, name);
    if ((status = place_check_name(door, NULL, year_node.id, name, 0, reason)) < 0 ||
        (status = cases_append_case(door, actor, year, name, false, index)) < 0)
        return status;
    return catalog_get(door->catalog, door_node_id(*index), out);
}

int door_case_open(struct door *door, const struct door_actor *actor, int year, const char *name,
                   struct catalog_node *out)
{
    const char *reason = NULL;
    uint64_t index = 0;
    int status = door_may(door, actor, "case.open");
    if (status < 0)
        return status;
    if (year < 1949 || year > 9999)
        return sr_fail(SR_ERR_INVALID, "%d is not a year of four digits", year);
    if ((status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = open_locked(door, actor, year, name, out, &index, &reason);
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        return ledger_commit(door->ledger, index);
    return reason != NULL ? door_refused(door, actor, "case.open", reason, 0, name, status)
                          : status;
}
