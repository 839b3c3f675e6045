#include "casework/passwords.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/door_internal.h"
#include "casework/program.h"

#define SET_LAST "Password last set:"
#define LOOK_NS INT64_C(300000000) /* between two looks, each of which runs a program */

void passwords_policy(const char *smb_conf)
{
    static const struct {
        const char *name, *value;
    } policies[] = {
        {"bad lockout attempt", "5"},  /* failures */
        {"lockout duration", "30"},    /* minutes */
        {"reset count minutes", "30"}, /* after which failures are forgotten */
        {"min password length", "8"},  {"password history", "3"}, /* not the same again */
    };
    for (size_t i = 0; i < sizeof policies / sizeof policies[0]; i++) {
        char *const argv[] = {"pdbedit",
                              "-s",
                              (char *)smb_conf,
                              "-P",
                              (char *)policies[i].name,
                              "-C",
                              (char *)policies[i].value,
                              NULL};
        if (program_run(argv, "") < 0)
            sr_log_failure("a rule for passwords could not be given to Samba");
    }
}

/* The line of `pdbedit -Lv` that says it, in a fixed zone and language. */
int passwords_stamp(const char *account, const char *smb_conf, char out[CATALOG_STAMP_MAX + 1])
{
    char *const argv[] = {"env", "TZ=UTC",        "LC_ALL=C", "pdbedit", "-s", (char *)smb_conf,
                          "-Lv", (char *)account, NULL};
    struct sr_buf text = {0};
    int status = program_output(argv, &text);
    out[0] = '\0';
    sr_buf_text(&text, "\n"); /* and a NUL */
    const char *at = status == 0 && !text.failed ? strstr(text.data, SET_LAST) : NULL;
    if (at != NULL) {
        at += strlen(SET_LAST);
        at += strspn(at, " ");
        snprintf(out, CATALOG_STAMP_MAX + 1, "%.*s", (int)strcspn(at, "\n"), at);
    }
    sr_buf_free(&text);
    if (status == 0 && out[0] == '\0')
        status = sr_fail(SR_ERR_NOT_FOUND, "Samba does not know when the password was set");
    return status;
}

int passwords_stamp_first(const char *account, const char *smb_conf,
                          char out[CATALOG_STAMP_MAX + 1])
{
    struct timespec now, rest = {.tv_sec = 0};
    int status = passwords_stamp(account, smb_conf, out);
    clock_gettime(CLOCK_REALTIME, &now);
    rest.tv_nsec = 999999999 - now.tv_nsec;
    nanosleep(&rest, NULL);
    return status;
}

int passwords_reset(const char *account, const char *password, const char *smb_conf)
{
    char *const unlock[] = {"pdbedit", "-s", (char *)smb_conf, "-z", "-c",
                            "[]",      "-u", (char *)account,  NULL};
    int status = accounts_samba_password(account, password, smb_conf, false);
    return status < 0 ? status : program_run(unlock, "");
}

/* user.password. first: of the password that must be changed, "" when it is the person's own. */
static int append(struct door *door, uint32_t uid, uint32_t by, const char *first, uint64_t *index)
{
    json_t *entry;
    int status = entry_new(door->io, "user.password", &entry);
    if (status < 0)
        return status;
    if ((status = entry_set(entry, "uid", json_integer(uid))) < 0 ||
        (status = entry_set(entry, "by", json_integer(by))) < 0 ||
        (status = entry_set(entry, "first", json_string(first))) < 0) {
        json_decref(entry);
        return status;
    }
    pthread_mutex_lock(&door->lock);
    status = door_act(door, entry, NULL, index);
    pthread_mutex_unlock(&door->lock);
    return status;
}

/* Is it time to look again? */
static bool is_due(struct door *door, uint32_t uid)
{
    _Atomic int64_t *next = &door->looks[uid % DOOR_LOOKS];
    int64_t now = door->io->boottime_ns(door->io), due = atomic_load(next);
    return now >= due && atomic_compare_exchange_strong(next, &due, now + LOOK_NS);
}

void passwords_look(struct door *door, struct catalog_user *user)
{
    char stamp[CATALOG_STAMP_MAX + 1];
    uint64_t index;
    if (user->first_password[0] == '\0' || door->config.smb_conf == NULL ||
        !is_due(door, user->uid) ||
        passwords_stamp(user->account, door->config.smb_conf, stamp) < 0 ||
        strcmp(stamp, user->first_password) == 0)
        return;
    if (append(door, user->uid, user->uid, "", &index) < 0 ||
        ledger_commit(door->ledger, index) < 0)
        sr_log_failure("a changed password could not be put on record; tried again");
    else
        user->first_password[0] = '\0';
}

int door_user_password(struct door *door, const struct door_actor *actor, const char *account,
                       const char *password, struct catalog_user *out)
{
    struct catalog_user by;
    char stamp[CATALOG_STAMP_MAX + 1] = "";
    uint64_t index = 0;
    int status = accounts_subject(door, actor, "user.set", account, out);
    if (status < 0 || (status = door_user(door, actor, &by)) < 0)
        return status;
    if (!door_holds(&by, "sysadmin"))
        return door_refused(door, actor, "user.set", "denied", 0, NULL,
                            sr_fail(SR_ERR_DENIED, "passwords are set by a sysadmin"));
    if (out->disabled)
        return sr_fail(SR_ERR_INVALID, "the account %s is disabled for ever", account);
    if (!door->config.manage_accounts || door->config.smb_conf == NULL)
        return sr_fail(SR_ERR_UNSUPPORTED, "the daemon was started without --smb-conf, so that "
                                           "passwords are not its business");
    if ((status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->accounts_lock);
    status = passwords_reset(account, password, door->config.smb_conf);
    if (status == 0 && !door_holds(out, "station"))
        status = passwords_stamp_first(account, door->config.smb_conf, stamp);
    if (status == 0)
        status = append(door, out->uid, actor->uid, stamp, &index);
    pthread_mutex_unlock(&door->accounts_lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}
