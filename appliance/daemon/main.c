/* strongroomd(8): opens a vault and shows it as a file system until it is told to stop. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/log.h"
#include "casework/describer_probe.h"
#include "casework/door.h"
#include "casework/setup.h"
#include "casework/slots.h"
#include "casework/workflow.h"
#include "daemon/control.h"
#include "daemon/daemonise.h"
#include "daemon/harden.h"
#include "daemon/options.h"
#include "daemon/signals.h"
#include "fusefs/fusefs.h"
#include "fusefs/verdicts.h"

#define STATUS_REFUSED 1
#define STATUS_USAGE 2
#define STATUS_SYSTEM 3
#define LINE_MAX_LEN 900
#define READY_FILES 16
#define PROBE_NAME "strongroom-probe"
#define TRUST_MAX (1u << 20)

struct daemon {
    struct options options;
    char *paths[8]; /* absolute forms that options point to */
    size_t path_count;
    int report_fd; /* to the waiting parent; -1 in the foreground or once told */
    struct signals *signals;
    struct vault *vault;
    struct ledger *ledger;
    struct fusefs *fs;
    struct door *door;
    struct control *control;
    struct ops_context context;
    struct describer_probe probe;
    char *trust; /* fresh */
    struct ledger_open_report report;
    struct door_salvage salvage;
};

static int exit_status(int rc)
{
    if (rc == 0)
        return 0;
    if (rc == SR_ERR_SYSTEM || rc == SR_ERR_NO_MEMORY || rc == SR_ERR_NO_SPACE)
        return STATUS_SYSTEM;
    return STATUS_REFUSED;
}

/* The one sentence of a failed start, to whoever waits for it. */
static int fail_start(struct daemon *daemon, int rc)
{
    char line[LINE_MAX_LEN];

    snprintf(line, sizeof line, "strongroomd: %s", sr_error_message());
    if (daemon->report_fd >= 0)
        daemonise_report(daemon->report_fd, exit_status(rc), line);
    else
        fprintf(stderr, "%s\n", line);
    daemon->report_fd = -1;
    return exit_status(rc);
}

/* A daemon works in /, so every path that it was given must be absolute. */
static int make_absolute(struct daemon *daemon, const char **path)
{
    char *folder, *whole;

    if (*path == NULL || (*path)[0] == '/' || strcmp(*path, "-") == 0)
        return 0;
    folder = getcwd(NULL, 0);
    if (folder == NULL)
        return sr_fail_errno(errno, "the current folder is unknown");
    whole = sr_path("%s/%s", folder, *path);
    free(folder);
    if (whole == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory at start-up");
    daemon->paths[daemon->path_count++] = whole;
    *path = whole;
    return 0;
}

/* As make_absolute, without symbolic links where the path exists: one name for one place. */
static int make_real(struct daemon *daemon, const char **path)
{
    char *real = realpath(*path, NULL);

    if (real == NULL) /* absent, or a mount whose daemon died: those who use it will say so */
        return make_absolute(daemon, path);
    daemon->paths[daemon->path_count++] = real;
    *path = real;
    return 0;
}

/* All that can be found wrong before anybody's passphrase is read. */
static int check_surroundings(struct daemon *daemon)
{
    struct options *options = &daemon->options;
    struct workflow *workflow = NULL;
    int rc;

    if ((rc = make_real(daemon, &options->vault)) != 0 ||
        (rc = make_real(daemon, &options->mountpoint)) != 0 ||
        (rc = make_absolute(daemon, &options->passphrase_file)) != 0 ||
        (rc = make_absolute(daemon, &options->policy_dir)) != 0 ||
        (rc = make_absolute(daemon, &options->probe)) != 0 ||
        (rc = make_absolute(daemon, &options->smb_conf)) != 0 ||
        (rc = make_absolute(daemon, &options->socket_dir)) != 0)
        return rc;
    rc = harden_check_swap("/proc/swaps", options->encrypted_swap);
    if (rc == 0)
        rc = workflow_load(sr_io_posix(), options->policy_dir, &workflow);
    workflow_free(workflow);
    return rc;
}

/* Whoever started us may wait for the end of a pipe that we would keep open for ever. Only now:
 * the passphrase file may have been one of these (/dev/fd/63), and nothing of ours but report_fd
 * is open. */
static void close_inherited(const struct daemon *daemon)
{
    unsigned next = 3;

    if (daemon->report_fd >= 3) {
        if (daemon->report_fd > 3)
            close_range(3, (unsigned)daemon->report_fd - 1, 0);
        next = (unsigned)daemon->report_fd + 1;
    }
    close_range(next, ~0u, 0);
}

static int open_vault(struct daemon *daemon)
{
    char *passphrase = NULL;
    int rc = slots_read_passphrase(daemon->options.passphrase_file, "passphrase", &passphrase);

    close_inherited(daemon);
    if (rc == 0)
        rc = setup_open(sr_io_posix(), daemon->options.vault, passphrase, daemon->options.workers,
                        &daemon->vault, &daemon->ledger, &daemon->report);
    slots_free_passphrase(passphrase);
    if (rc == 0 && slots_file_is_exposed(daemon->options.passphrase_file))
        sr_log(SR_LOG_WARNING, "the passphrase file may be read by others: chmod 600 it");
    if (rc == 0 && daemon->report.torn_bytes > 0)
        sr_log(SR_LOG_WARNING, "ledger: %llu bytes of an unacknowledged last group were kept aside",
               (unsigned long long)daemon->report.torn_bytes);
    if (rc == 0 && daemon->report.bad_tiles > 0)
        sr_log(SR_LOG_WARNING, "ledger: %llu tile files disagree with the journal: run verify",
               (unsigned long long)daemon->report.bad_tiles);
    return rc;
}

/* The program that looks into records. Without it the store goes on, and what is sealed waits. */
static bool find_probe(struct daemon *daemon)
{
    static char beside[4096]; /* as long as the daemon lives */
    char trust_path[4096];
    uint8_t *trust = NULL;
    size_t len;

    daemon->probe.program = daemon->options.probe;
    if (daemon->probe.program == NULL) {
        ssize_t got = readlink("/proc/self/exe", beside, sizeof beside - sizeof PROBE_NAME);
        char *slash = got > 0 ? memrchr(beside, '/', (size_t)got) : NULL;
        if (slash == NULL)
            return false;
        strcpy(slash + 1, PROBE_NAME);
        daemon->probe.program = beside;
    }
    if (access(daemon->probe.program, X_OK) != 0) {
        sr_log(SR_LOG_WARNING, "%s: %s: nothing is looked into", daemon->probe.program,
               strerror(errno));
        return false;
    }
    snprintf(trust_path, sizeof trust_path, "%s/trust.pem", daemon->options.policy_dir);
    if (access(trust_path, F_OK) != 0)
        return true;
    if (sr_io_read_file(sr_io_posix(), trust_path, TRUST_MAX, &trust, &len) == 0)
        daemon->probe.trust = daemon->trust = (char *)trust;
    if (trust == NULL || strstr((const char *)trust, "-----BEGIN CERTIFICATE-----") == NULL)
        sr_log(SR_LOG_WARNING,
               "%s: there is no certificate in it that can be read: no signer is trusted",
               trust_path);
    return true;
}

static int open_mount(struct daemon *daemon)
{
    const struct options *options = &daemon->options;
    const struct fusefs_config config = {
        .mountpoint = daemon->options.mountpoint,
        .allow_other = options->allow_other,
        .read_ahead_tune = true,
    };
    struct door_config door_config = {
        .describe = find_probe(daemon) ? describer_probe_run : NULL,
        .describe_context = &daemon->probe,
        .vault = daemon->vault,
        .ledger = daemon->ledger,
        .policy_dir = options->policy_dir,
        .settle_ns = options->settle_ns,
        .first_uid = options->first_uid,
        .manage_accounts = options->manage_accounts,
        .smb_conf = options->smb_conf,
        .ready_files = READY_FILES,
        .invalidate = fusefs_invalidate,
    };
    int rc = fusefs_mount(&config, &daemon->fs);

    if (rc != 0)
        return rc;
    door_config.invalidate_context = daemon->fs;
    rc = door_start(&door_config, &daemon->salvage, &daemon->door);
    if (rc == 0)
        rc = fusefs_attach(daemon->fs, daemon->door);
    return rc;
}

static int open_control(struct daemon *daemon)
{
    struct sr_io *io = sr_io_posix();

    daemon->context = (struct ops_context){
        .door = daemon->door,
        .vault = daemon->vault,
        .ledger = daemon->ledger,
        .vault_path = daemon->options.vault,
        .mountpoint = daemon->options.mountpoint,
        .started_ns = io->now_ns(io),
    };
    return control_start(daemon->options.socket_dir, &daemon->context, &daemon->control);
}

static void add_count(char *line, size_t size, uint64_t count, const char *what)
{
    size_t len = strlen(line);

    if (count > 0)
        snprintf(line + len, size - len, ", %llu %s", (unsigned long long)count, what);
}

static void tell_ready(struct daemon *daemon)
{
    const struct door_salvage *found = &daemon->salvage;
    char line[LINE_MAX_LEN];
    size_t len;

    snprintf(line, sizeof line - 2, "strongroomd: %s is open at %s (%llu entries",
             daemon->options.vault, daemon->options.mountpoint,
             (unsigned long long)ledger_size(daemon->ledger));
    add_count(line, sizeof line - 2, found->closed_waiting, "waiting to be sealed");
    add_count(line, sizeof line - 2, found->incomplete, "salvaged as incomplete");
    add_count(line, sizeof line - 2, found->seals_finished, "seals finished");
    add_count(line, sizeof line - 2, found->orphans_kept, "unknown staging files kept");
    add_count(line, sizeof line - 2, found->discarded, "remains of discarded files removed");
    add_count(line, sizeof line - 2, found->damaged, "damaged");
    len = strlen(line);
    line[len] = ')';
    line[len + 1] = '\0';
    sd_notify(0, "READY=1");
    if (daemon->report_fd >= 0) {
        daemonise_report(daemon->report_fd, 0, line);
        daemon->report_fd = -1;
    } else {
        printf("%s\n", line);
        fflush(stdout);
    }
}

static void ask_to_stop(void *context)
{
    fusefs_exit(context);
}

static int start(struct daemon *daemon)
{
    int rc = open_vault(daemon);

    if (rc == 0)
        rc = open_mount(daemon);
    if (rc == 0)
        rc = open_control(daemon);
    return rc;
}

/* Undoes start() from any point: requests end, then the mount, which releases what is open, then
 * the door, which makes everything durable, then the stores. Returns the ledger's error. */
static int stop(struct daemon *daemon)
{
    int rc;

    control_stop(daemon->control);
    fusefs_unmount(daemon->fs);
    door_stop(daemon->door);
    fusefs_free(daemon->fs); /* the door's invalidations went there as long as it lived */
    rc = ledger_close(daemon->ledger);
    vault_close(daemon->vault); /* reports nothing, so the sentence of rc stands */
    return rc;
}

static int run(struct daemon *daemon)
{
    struct sr_error_copy failure = {0};
    int rc = signals_start(&daemon->signals);

    if (rc == 0)
        rc = start(daemon);
    if (rc == 0) {
        signals_ready(daemon->signals, ask_to_stop, daemon->fs);
        tell_ready(daemon);
        rc = fusefs_loop(daemon->fs);
        if (rc != 0)
            sr_log_failure("the mount ended");
        sd_notify(0, "STOPPING=1");
        signals_stop(daemon->signals);
        if (stop(daemon) != 0) {
            sr_log_failure("closing the vault");
            return STATUS_SYSTEM;
        }
        return rc == 0 ? 0 : STATUS_SYSTEM;
    }
    /* Unwinding says things of its own: the sentence of the failure must outlive it. */
    sr_error_save(&failure, rc);
    (void)stop(daemon);
    signals_stop(daemon->signals);
    return fail_start(daemon, sr_error_raise(&failure));
}

int main(int argc, char **argv)
{
    struct daemon daemon = {.report_fd = -1};
    int status, rc;

    if (daemonise_hold_standard() != 0)
        return STATUS_SYSTEM;
    switch (options_parse(argc, argv, &daemon.options)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_HELP:
        fputs(options_help(), stdout);
        return 0;
    case OPTIONS_SHOW_VERSION:
        puts("strongroomd " OPTIONS_VERSION);
        return 0;
    case OPTIONS_SHOW_VERDICTS:
        fusefs_verdicts_print(stdout);
        return 0;
    case OPTIONS_USAGE:
        fprintf(stderr, "strongroomd: %s (strongroomd --help)\n", sr_error_message());
        return STATUS_USAGE;
    }
    rc = check_surroundings(&daemon);
    if (rc == 0 && !daemon.options.foreground)
        rc = daemonise_fork(&daemon.report_fd);
    /* After the fork: locks of memory are not inherited. Nothing secret has been touched before. */
    if (rc == 0)
        rc = harden_process();
    status = rc == 0 ? run(&daemon) : fail_start(&daemon, rc);
    for (size_t i = 0; i < daemon.path_count; i++)
        free(daemon.paths[i]);
    free(daemon.trust);
    return status;
}
