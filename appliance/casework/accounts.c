/* System and Samba accounts, made in the same step as the ledger entry. */
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/door_internal.h"
#include "casework/passwords.h"
#include "casework/program.h"

#define ACCOUNTS_TRIES 40
#define ACCOUNTS_PAUSE_NS 250000000

bool accounts_name_valid(const char *account)
{
    size_t len = strlen(account);
    if (len == 0 || len > 31 || account[0] < 'a' || account[0] > 'z')
        return false;
    return strspn(account, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}

int accounts_free(const char *account, uint32_t uid)
{
    char buffer[4096];
    struct passwd entry, *found;
    if (getpwnam_r(account, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
        return sr_fail(SR_ERR_EXISTS, "a system account \"%s\" exists already (uid %u)", account,
                       found->pw_uid);
    if (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
        return sr_fail(SR_ERR_EXISTS, "uid %u belongs to the system account \"%s\"", uid,
                       found->pw_name);
    return 0;
}

/* useradd(8) and its kind give up (exit status 1, "cannot lock /etc/passwd; try again later") while
 * another program changes accounts; userdel(8) also while a process of the user is ending (8). */
static int run_until_free(char *const argv[])
{
    const struct timespec pause = {.tv_nsec = ACCOUNTS_PAUSE_NS};
    int exited = 0, status = 0;
    for (int i = 0; i < ACCOUNTS_TRIES; i++) {
        status = program_run_status(argv, "", &exited);
        if (exited != 1 && exited != 8)
            break;
        nanosleep(&pause, NULL);
    }
    return status;
}

int accounts_samba_password(const char *account, const char *password, const char *smb_conf,
                            bool make)
{
    char *const argv[] = {"smbpasswd",     "-c", (char *)smb_conf, "-L", "-s", make ? "-a" : "-s",
                          (char *)account, NULL};
    size_t size = 2 * strlen(password) + 3;
    char *twice = malloc(size);
    if (twice == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for an account");
    snprintf(twice, size, "%s\n%s\n", password, password);
    int status = program_run(argv, twice);
    sr_wipe(twice, size);
    free(twice);
    return status;
}

void accounts_remove(const char *account, const char *smb_conf)
{
    char *const samba[] = {"smbpasswd", "-c", (char *)smb_conf, "-L", "-x", (char *)account, NULL};
    char *const system[] = {"userdel", (char *)account, NULL};
    if ((smb_conf != NULL && program_run(samba, "") < 0) || run_until_free(system) < 0)
        sr_log_failure("an account without an entry could not be removed");
}

int accounts_create(const char *account, const char *name, uint32_t uid, const char *password,
                    const char *smb_conf, char stamp[CATALOG_STAMP_MAX + 1])
{
    char uid_text[16];
    stamp[0] = '\0';
    snprintf(uid_text, sizeof uid_text, "%u", uid);
    char *const add[] = {"useradd",   "--no-create-home", "--no-user-group",
                         "--gid",     "nogroup",          "--uid",
                         uid_text,    "--shell",          "/usr/sbin/nologin",
                         "--comment", (char *)name,       (char *)account,
                         NULL};
    int status = accounts_free(account, uid);
    if (status < 0 || (status = run_until_free(add)) < 0)
        return status;
    if (smb_conf != NULL && password != NULL &&
        ((status = accounts_samba_password(account, password, smb_conf, true)) < 0 ||
         (status = passwords_stamp_first(account, smb_conf, stamp)) < 0)) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        accounts_remove(account, NULL);
        return sr_error_raise(&why);
    }
    return 0;
}

static bool has_account(const char *account)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;
    return getpwnam_r(account, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL;
}

int accounts_disable(const char *account, const char *smb_conf)
{
    char *const samba[] = {"smbpasswd", "-c", (char *)smb_conf, "-L", "-d", (char *)account, NULL};
    char *const system[] = {"usermod", "--lock", "--expiredate", "1", (char *)account, NULL};
    if (!has_account(account)) /* a store that was moved to another machine */
        return 0;
    int status = run_until_free(system);
    if (status < 0 || smb_conf == NULL)
        return status;
    status = program_run(samba, "");
    if (status == SR_ERR_INVALID && strstr(sr_error_message(), "Failed to find entry") != NULL)
        status = 0; /* it never had a password of Samba */
    return status;
}

json_t *accounts_roles(const struct catalog_user *user)
{
    json_t *roles = json_array();
    for (size_t i = 0; roles != NULL && i < user->role_count; i++)
        if (json_array_append_new(roles, json_string(user->roles[i])) != 0) {
            json_decref(roles);
            roles = NULL;
        }
    return roles;
}

int accounts_add_entry(struct sr_io *io, const struct catalog_user *user,
                       const struct door_actor *actor, json_t **entry)
{
    int status = entry_new(io, "user.add", entry);
    if (status == 0)
        status = entry_set(*entry, "roles", accounts_roles(user));
    if (status == 0 && user->unit[0] != '\0')
        status = entry_set(*entry, "unit", json_string(user->unit));
    if (status == 0 && user->first_password[0] != '\0')
        status = entry_set(*entry, "first", json_string(user->first_password));
    if (status == 0 && (status = entry_set(*entry, "uid", json_integer(user->uid))) == 0 &&
        (status = entry_set(*entry, "account", json_string(user->account))) == 0 &&
        (status = entry_set(*entry, "name", json_string(user->name))) == 0)
        status = entry_set(*entry, "by", json_integer(actor != NULL ? actor->uid : 0));
    if (status < 0) {
        json_decref(*entry);
        *entry = NULL;
    }
    return status;
}

/* Uids that belong to system accounts are passed over. */
static uint32_t free_uid(uint32_t uid)
{
    char buffer[4096];
    struct passwd entry, *found;
    while (getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL)
        uid++;
    return uid;
}

static int next_uid(void *context, const struct catalog_user *user)
{
    uint32_t *next = context;
    if (user->uid >= *next)
        *next = user->uid + 1;
    return 0;
}

int accounts_check_name(const char *name)
{
    size_t max = sizeof((struct catalog_user *)0)->name - 1;
    if (name[0] == '\0' || !sr_utf8_valid(name, strlen(name)))
        return sr_fail(SR_ERR_INVALID, "the display name is empty or not UTF-8");
    if (strlen(name) > max || strpbrk(name, ":\n,") != NULL)
        return sr_fail(SR_ERR_INVALID, "the display name is longer than %zu bytes or holds : or ,",
                       max);
    return 0;
}

int accounts_check_text(const char *what, const char *text, size_t max)
{
    if (strlen(text) > max || !sr_utf8_valid(text, strlen(text)))
        return sr_fail(SR_ERR_INVALID, "%s is longer than %zu bytes, or not UTF-8", what, max);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return sr_fail(SR_ERR_INVALID, "%s holds a control character", what);
    return 0;
}

int accounts_fill(const char *account, const char *name, const char *const *roles,
                  size_t role_count, struct catalog_user *user)
{
    memset(user, 0, sizeof *user);
    if (!accounts_name_valid(account))
        return sr_fail(
            SR_ERR_INVALID,
            "\"%s\" is not an account name: a lower-case letter, then up to 30 of a-z 0-9 _ -",
            account);
    int status = authorise_check_roles(roles, role_count);
    if (status < 0)
        return status;
    if (name != NULL && (status = accounts_check_name(name)) < 0)
        return status;
    snprintf(user->account, sizeof user->account, "%s", account);
    snprintf(user->name, sizeof user->name, "%s", name != NULL ? name : account);
    for (size_t i = 0; i < role_count; i++)
        snprintf(user->roles[i], sizeof user->roles[i], "%s", roles[i]);
    user->role_count = role_count;
    return 0;
}

int door_user_add(struct door *door, const struct door_actor *actor, const char *account,
                  const char *name, const char *unit, const char *const *roles, size_t role_count,
                  const char *password, struct catalog_user *out)
{
    struct catalog_user known;
    json_t *entry;
    uint64_t index = 0;
    int status = door_may(door, actor, "user.add");
    if (status < 0 || (status = accounts_fill(account, name, roles, role_count, out)) < 0)
        return status;
    if (unit != NULL && (status = accounts_check_text("the unit", unit, sizeof out->unit - 1)) < 0)
        return status;
    snprintf(out->unit, sizeof out->unit, "%s", unit != NULL ? unit : "");
    if ((status = door_ready(door)) < 0)
        return status;
    out->uid = door->config.first_uid;
    bool made = false;
    pthread_mutex_lock(&door->accounts_lock); /* one at a time, so that a uid is given once */
    if (catalog_user_by_account(door->catalog, account, &known) == 0)
        status =
            sr_fail(SR_ERR_EXISTS, "the account %s exists already (uid %u)", account, known.uid);
    else if ((status = catalog_users(door->catalog, next_uid, &out->uid)) == 0 &&
             door->config.manage_accounts) {
        out->uid = free_uid(out->uid);
        status = accounts_create(account, out->name, out->uid, password, door->config.smb_conf,
                                 out->first_password);
        made = status == 0;
        if (door_holds(out, "station")) /* a machine does not change it */
            out->first_password[0] = '\0';
    }
    if (status == 0 && (status = accounts_add_entry(door->io, out, actor, &entry)) == 0) {
        pthread_mutex_lock(&door->lock);
        status = door_act(door, entry, NULL, &index);
        pthread_mutex_unlock(&door->lock);
    }
    if (status < 0 && made) { /* one step: no account without its entry */
        struct sr_error_copy why;
        sr_error_save(&why, status);
        accounts_remove(account, door->config.smb_conf);
        sr_error_raise(&why);
    }
    pthread_mutex_unlock(&door->accounts_lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}
