/* System and Samba accounts, made in the same step as the ledger entry. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/door_internal.h"

extern char **environ;

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

/* What the program said on stderr, first line. */
static void read_complaint(int fd, char *out, size_t size)
{
    size_t used = 0;
    ssize_t got;
    char rest[256];
    while (used + 1 < size && (got = read(fd, out + used, size - 1 - used)) > 0)
        used += (size_t)got;
    while (read(fd, rest, sizeof rest) > 0)
        ;
    out[used] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

/* Runs a program with input on its standard input; its name is found in PATH. *exited: its exit status,
 * -1 if it did not end by itself. */
static int run_once(char *const argv[], const char *input, int *exited)
{
    int in[2] = {-1, -1}, err[2] = {-1, -1}, wait_status = 0;
    char complaint[200] = "";
    pid_t child = -1;
    posix_spawn_file_actions_t actions;
    *exited = -1;
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        return sr_fail_errno(errno, "cannot run %s", argv[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    int error = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(err[1]);
    if (error == 0) {
        size_t len = strlen(input);
        if (write(in[1], input, len) != (ssize_t)len)
            sr_log(SR_LOG_WARNING, "%s did not take its input", argv[0]);
    }
    close(in[1]);
    if (error == 0)
        read_complaint(err[0], complaint, sizeof complaint);
    close(err[0]);
    if (error != 0)
        return sr_fail_errno(error, "cannot run %s", argv[0]);
    while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(wait_status))
        *exited = WEXITSTATUS(wait_status);
    if (*exited != 0)
        return sr_fail(SR_ERR_INVALID, "%s failed: %s", argv[0],
                       complaint[0] != '\0' ? complaint : "no reason given");
    return 0;
}

static int run_program(char *const argv[], const char *input)
{
    int exited;
    return run_once(argv, input, &exited);
}

/* useradd(8) and its kind give up (exit status 1, "cannot lock /etc/passwd; try again later") while
 * another program changes accounts; userdel(8) also while a process of the user is ending (8). */
static int run_until_free(char *const argv[])
{
    const struct timespec pause = {.tv_nsec = ACCOUNTS_PAUSE_NS};
    int exited = 0, status = 0;
    for (int i = 0; i < ACCOUNTS_TRIES; i++) {
        status = run_once(argv, "", &exited);
        if (exited != 1 && exited != 8)
            break;
        nanosleep(&pause, NULL);
    }
    return status;
}

static int set_samba_password(const char *account, const char *password, const char *smb_conf)
{
    char *const argv[] = {"smbpasswd", "-c", (char *)smb_conf, "-L",
                          "-a",        "-s", (char *)account,  NULL};
    size_t size = 2 * strlen(password) + 3;
    char *twice = malloc(size);
    if (twice == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for an account");
    snprintf(twice, size, "%s\n%s\n", password, password);
    int status = run_program(argv, twice);
    sr_wipe(twice, size);
    free(twice);
    return status;
}

void accounts_remove(const char *account, const char *smb_conf)
{
    char *const samba[] = {"smbpasswd", "-c", (char *)smb_conf, "-L", "-x", (char *)account, NULL};
    char *const system[] = {"userdel", (char *)account, NULL};
    if ((smb_conf != NULL && run_program(samba, "") < 0) || run_until_free(system) < 0)
        sr_log_failure("an account without an entry could not be removed");
}

int accounts_create(const char *account, const char *name, uint32_t uid, const char *password,
                    const char *smb_conf)
{
    char uid_text[16];
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
        (status = set_samba_password(account, password, smb_conf)) < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        accounts_remove(account, NULL);
        return sr_error_raise(&why);
    }
    return 0;
}

int accounts_add_entry(struct sr_io *io, const struct catalog_user *user,
                       const struct door_actor *actor, json_t **entry)
{
    json_t *roles = json_array();
    int status = entry_new(io, "user.add", entry);
    for (size_t i = 0; status == 0 && i < user->role_count; i++)
        if (json_array_append_new(roles, json_string(user->roles[i])) != 0)
            status = sr_fail(SR_ERR_NO_MEMORY, "no memory for an account");
    if (status == 0)
        status = entry_set(*entry, "roles", json_incref(roles));
    json_decref(roles);
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
    if (name != NULL && (name[0] == '\0' || !sr_utf8_valid(name, strlen(name))))
        return sr_fail(SR_ERR_INVALID, "the display name is empty or not UTF-8");
    if (name != NULL && (strlen(name) >= sizeof user->name || strpbrk(name, ":\n,") != NULL))
        return sr_fail(SR_ERR_INVALID, "the display name is longer than %zu bytes or holds : or ,",
                       sizeof user->name - 1);
    snprintf(user->account, sizeof user->account, "%s", account);
    snprintf(user->name, sizeof user->name, "%s", name != NULL ? name : account);
    for (size_t i = 0; i < role_count; i++)
        snprintf(user->roles[i], sizeof user->roles[i], "%s", roles[i]);
    user->role_count = role_count;
    return 0;
}

int door_user_add(struct door *door, const struct door_actor *actor, const char *account,
                  const char *name, const char *const *roles, size_t role_count,
                  const char *password, struct catalog_user *out)
{
    struct catalog_user known;
    json_t *entry;
    uint64_t index = 0;
    int status = door_may(door, actor, "user.add");
    if (status < 0 || (status = accounts_fill(account, name, roles, role_count, out)) < 0)
        return status;
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
        status = accounts_create(account, out->name, out->uid, password, door->config.smb_conf);
        made = status == 0;
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
