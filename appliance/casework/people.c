/* Accounts that exist: what is known of a person, and the end of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/door_internal.h"
#include "casework/nodes.h"
#include "casework/sessions.h"

int accounts_subject(struct door *door, const struct door_actor *actor, const char *op,
                     const char *account, struct catalog_user *out)
{
    int status = door_may(door, actor, op);
    if (status < 0)
        return status;
    status = catalog_user_by_account(door->catalog, account, out);
    if (status == SR_ERR_NOT_FOUND)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no account \"%s\"", account);
    if (status == 0 && out->uid == actor->uid)
        status = door_refused(door, actor, op, "denied", 0, NULL,
                              sr_fail(SR_ERR_DENIED, "nobody changes their own account"));
    return status;
}

struct holders {
    const char *role;
    unsigned count;
};

static int count_holder(void *context, const struct catalog_user *user)
{
    struct holders *holders = context;
    if (!user->disabled && door_holds(user, holders->role))
        holders->count++;
    return 0;
}

/* Without a sysadmin, secoff or auditor nobody could ever make one again. next NULL: disabled. */
static int check_three(struct door *door, const struct catalog_user *subject,
                       const struct catalog_user *next)
{
    static const char *const three[] = {"sysadmin", "secoff", "auditor"};
    for (size_t i = 0; i < sizeof three / sizeof three[0]; i++) {
        struct holders holders = {.role = three[i]};
        if (!door_holds(subject, three[i]) || (next != NULL && door_holds(next, three[i])))
            continue;
        int status = catalog_users(door->catalog, count_holder, &holders);
        if (status < 0)
            return status;
        if (holders.count < 2)
            return sr_fail(SR_ERR_INVALID, "%s is the last %s: make another one first",
                           subject->account, three[i]);
    }
    return 0;
}

/* --- set --- */

static int set_day(const char *what, const char *text, int32_t *day)
{
    if (text == NULL)
        return 0;
    if (text[0] != '\0' && !sr_day_parse(text, day))
        return sr_fail(SR_ERR_INVALID, "%s \"%.40s\" is not a date YYYY-MM-DD", what, text);
    if (text[0] == '\0')
        *day = 0;
    return 0;
}

static int set_text(const char *what, const char *text, char *out, size_t size)
{
    if (text == NULL)
        return 0;
    int status = accounts_check_text(what, text, size - 1);
    if (status == 0)
        snprintf(out, size, "%s", text);
    return status;
}

/* What the person is after the change. */
static int changed(const struct door_user_change *change, struct catalog_user *user)
{
    int status = change->name != NULL ? accounts_check_name(change->name) : 0;
    if (status < 0 ||
        (status = set_text("the name", change->name, user->name, sizeof user->name)) < 0 ||
        (status = set_text("the unit", change->unit, user->unit, sizeof user->unit)) < 0 ||
        (status = set_text("the badge", change->badge, user->badge, sizeof user->badge)) < 0 ||
        (status = set_day("the badge's first day", change->badge_from, &user->badge_from)) < 0 ||
        (status = set_day("the badge's last day", change->badge_until, &user->badge_until)) < 0)
        return status;
    if (user->badge_until != 0 && user->badge_until < user->badge_from)
        return sr_fail(SR_ERR_INVALID, "the badge's last day lies before its first");
    if (change->clearance >= CATALOG_LEVELS)
        return sr_fail(SR_ERR_INVALID, "a clearance is 0 to %d", CATALOG_LEVELS - 1);
    if (change->clearance >= 0)
        user->clearance = (uint32_t)change->clearance;
    if (change->role_count == 0)
        return 0;
    if ((status = authorise_check_roles(change->roles, change->role_count)) < 0)
        return status;
    memset(user->roles, 0, sizeof user->roles);
    for (size_t i = 0; i < change->role_count; i++)
        snprintf(user->roles[i], sizeof user->roles[i], "%s", change->roles[i]);
    user->role_count = change->role_count;
    return 0;
}

/* Who a person is says the sysadmin; what they may, the secoff (三员). */
static int check_members(struct door *door, const struct door_actor *actor,
                         const struct door_user_change *change)
{
    struct catalog_user user;
    bool person = change->name != NULL || change->unit != NULL || change->badge != NULL ||
                  change->badge_from != NULL || change->badge_until != NULL;
    bool power = change->role_count > 0 || change->clearance >= 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return status;
    if (!person && !power)
        return sr_fail(SR_ERR_INVALID, "nothing is to be set");
    if (person && !door_holds(&user, "sysadmin"))
        status = sr_fail(SR_ERR_DENIED, "name, unit and badge are set by a sysadmin");
    else if (power && !door_holds(&user, "secoff"))
        status = sr_fail(SR_ERR_DENIED, "roles and clearance are set by a secoff");
    return status < 0 ? door_refused(door, actor, "user.set", "denied", 0, NULL, status) : 0;
}

static int set_entry(struct door *door, const struct door_actor *actor,
                     const struct catalog_user *user, json_t **out)
{
    char from[11], until[11];
    int status = entry_new(door->io, "user.set", out);
    sr_day_text(user->badge_from, from);
    sr_day_text(user->badge_until, until);
    if (status == 0 &&
        ((status = entry_set(*out, "uid", json_integer(user->uid))) < 0 ||
         (status = entry_set(*out, "name", json_string(user->name))) < 0 ||
         (status = entry_set(*out, "roles", accounts_roles(user))) < 0 ||
         (status = entry_set(*out, "unit", json_string(user->unit))) < 0 ||
         (status = entry_set(*out, "clearance", json_integer(user->clearance))) < 0 ||
         (status = entry_set(*out, "badge", json_string(user->badge))) < 0 ||
         (status = entry_set(*out, "badge_from", json_string(from))) < 0 ||
         (status = entry_set(*out, "badge_until", json_string(until))) < 0 ||
         (status = entry_set(*out, "by", json_integer(actor->uid))) < 0)) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

/* Takes over entry. */
static int act(struct door *door, json_t *entry, uint64_t *index)
{
    pthread_mutex_lock(&door->lock);
    int status = door_act(door, entry, NULL, index);
    pthread_mutex_unlock(&door->lock);
    return status;
}

int door_user_set(struct door *door, const struct door_actor *actor, const char *account,
                  const struct door_user_change *change, struct catalog_user *out)
{
    struct catalog_user subject;
    json_t *entry;
    uint64_t index = 0;
    int status = accounts_subject(door, actor, "user.set", account, &subject);
    if (status < 0 || (status = check_members(door, actor, change)) < 0 ||
        (status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->accounts_lock); /* one at a time: each writes the whole state */
    if ((status = catalog_user_by_account(door->catalog, account, &subject)) == 0 &&
        subject.disabled)
        status = sr_fail(SR_ERR_INVALID, "the account %s is disabled for ever", account);
    *out = subject;
    if (status == 0 && (status = changed(change, out)) == 0 &&
        (status = check_three(door, &subject, out)) == 0 &&
        (status = set_entry(door, actor, out, &entry)) == 0)
        status = act(door, entry, &index);
    pthread_mutex_unlock(&door->accounts_lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}

/* --- disable --- */

static int append_disable(struct door *door, const struct door_actor *actor,
                          const struct catalog_user *subject, const char *reason)
{
    json_t *entry;
    uint64_t index = 0;
    int status = check_three(door, subject, NULL);
    if (status < 0 || (status = entry_new(door->io, "user.disable", &entry)) < 0)
        return status;
    if ((status = entry_set(entry, "uid", json_integer(subject->uid))) < 0 ||
        (status = entry_set(entry, "reason", json_string(reason))) < 0 ||
        (status = entry_set(entry, "by", json_integer(actor->uid))) < 0) {
        json_decref(entry);
        return status;
    }
    status = act(door, entry, &index);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}

/* Both are tried, whatever becomes of the first. */
static int lock_out(struct door *door, const struct catalog_user *subject)
{
    const char *smb_conf = door->config.smb_conf;
    if (!door->config.manage_accounts)
        return 0;
    int locked = accounts_disable(subject->account, smb_conf);
    if (locked < 0)
        sr_log_failure("a disabled account could not be locked in the system and in Samba");
    int ended = smb_conf != NULL ? sessions_end(smb_conf, subject->uid) : 0;
    if (ended < 0)
        sr_log_failure("the sessions of a disabled account could not be ended");
    if (locked < 0 || ended < 0)
        return sr_fail(
            SR_ERR_SYSTEM,
            "the account %s is disabled in the ledger, but %s: see the log and do it again",
            subject->account,
            locked < 0 ? "its accounts of system and Samba are not locked"
                       : "its sessions of the share could not be ended");
    return 0;
}

int door_user_disable(struct door *door, const struct door_actor *actor, const char *account,
                      const char *reason, catalog_node_fn *fn, void *context)
{
    struct catalog_user subject;
    struct nodes cases = {.count = 0};
    int status = accounts_subject(door, actor, "user.disable", account, &subject);
    if (status < 0 || (status = door_check_reason(reason)) < 0 || (status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->accounts_lock);
    if ((status = catalog_user_by_account(door->catalog, account, &subject)) == 0 &&
        !subject.disabled)
        status = append_disable(door, actor, &subject, reason);
    if (status == 0)
        status = lock_out(door, &subject);
    pthread_mutex_unlock(&door->accounts_lock);
    if (status == 0)
        status = catalog_cases_of(door->catalog, subject.uid, nodes_add, &cases);
    for (size_t i = 0; status == 0 && i < cases.count; i++)
        status = fn(context, &cases.items[i]);
    nodes_free(&cases);
    return status;
}
