#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "fusefs/fusefs_internal.h"

#define DEFAULT_THREADS 64
#define IDLE_THREADS 10

static int check_empty(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    int err = 0;

    if (!dir)
        return sr_fail_errno(errno, "mount point %s cannot be read", path);
    while (!err && (entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            err = sr_fail(SR_ERR_NOT_EMPTY, "mount point %s is not empty: choose an empty folder",
                          path);
    closedir(dir);
    return err;
}

static int check_mountpoint(const char *path)
{
    struct statx stx;
    struct stat st;

    if (stat(path, &st) && errno == ENOTCONN)
        return sr_fail(
            SR_ERR_BUSY,
            "mount point %s is busy: the daemon that was mounted there has died (umount -l %s)",
            path, path);
    if (statx(AT_FDCWD, path, 0, STATX_TYPE, &stx)) {
        if (errno == ENOENT)
            return sr_fail(SR_ERR_NOT_FOUND,
                           "mount point %s does not exist: make an empty folder there", path);
        return sr_fail_errno(errno, "mount point %s cannot be used", path);
    }
    if (!S_ISDIR(stx.stx_mode))
        return sr_fail(SR_ERR_NOT_DIRECTORY, "mount point %s is not a folder", path);
    if (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT)
        return sr_fail(SR_ERR_BUSY, "mount point %s is busy: something is mounted there already",
                       path);
    return check_empty(path);
}

__attribute__((format(printf, 2, 0))) static void log_line(enum fuse_log_level level,
                                                           const char *format, va_list args)
{
    char line[512];

    vsnprintf(line, sizeof(line), format, args);
    line[strcspn(line, "\n")] = '\0';
    sr_log(level <= FUSE_LOG_ERR ? SR_LOG_ERROR : SR_LOG_DEBUG, "libfuse: %s", line);
}

static int start_session(const struct fusefs_config *config, struct fusefs *fs)
{
    char options[160], program[] = "strongroomd", flag[] = "-o";
    char *argv[] = {program, flag, options, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(3, argv);

    snprintf(options, sizeof(options),
             "fsname=strongroom,subtype=strongroom,noatime,noexec,nosuid,nodev%s",
             config->allow_other ? ",allow_other" : "");
    fuse_set_log_func(log_line);
    fs->session = fuse_session_new(&args, operations_table(), sizeof(*operations_table()), fs);
    fuse_opt_free_args(&args);
    if (!fs->session)
        return sr_fail(SR_ERR_NO_MEMORY, "libfuse cannot start a session");
    if (fuse_session_mount(fs->session, fs->mountpoint))
        return sr_fail_errno(errno ? errno : EIO,
                             "cannot mount at %s (is /dev/fuse there, and this user root?)",
                             fs->mountpoint);
    return 0;
}

int fusefs_mount(const struct fusefs_config *config, struct fusefs **out)
{
    struct sr_error_copy why;
    struct fusefs *fs;
    int err = check_mountpoint(config->mountpoint);

    *out = NULL;
    if (err)
        return err;
    fs = calloc(1, sizeof(*fs));
    if (!fs)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for the mount");
    pthread_mutex_init(&fs->lock, NULL);
    sem_init(&fs->wake, 0, 0);
    fs->read_ahead_tune = config->read_ahead_tune;
    fs->max_threads = config->max_threads ? config->max_threads : DEFAULT_THREADS;
    fs->mountpoint = realpath(config->mountpoint, NULL);
    if (!fs->mountpoint)
        err = sr_fail_errno(errno, "mount point %s cannot be used", config->mountpoint);
    if (!err)
        err = start_session(config, fs);
    if (!err)
        err = notify_start(fs);
    if (err) {
        sr_error_save(&why, err); /* unwinding may say things of its own */
        fusefs_free(fs);
        return sr_error_raise(&why);
    }
    *out = fs;
    return 0;
}

int fusefs_attach(struct fusefs *fs, struct door *door)
{
    if (!door)
        return sr_fail(SR_ERR_INVALID, "the mount was given no door");
    fs->door = door;
    return 0;
}

static void on_wake_up(int signal_number)
{
    (void)signal_number;
}

static void set_looping(struct fusefs *fs, bool looping)
{
    pthread_mutex_lock(&fs->lock);
    fs->loop_thread = pthread_self();
    fs->looping = looping;
    pthread_mutex_unlock(&fs->lock);
}

int fusefs_loop(struct fusefs *fs)
{
    struct fuse_loop_config *config;
    struct sigaction action = {.sa_handler = on_wake_up}, before;
    sigset_t wake_up, mask;
    int result;

    if (!fs->door)
        return sr_fail(SR_ERR_INVALID, "the mount was given no door");
    config = fuse_loop_cfg_create();
    if (!config)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for the request loop");
    fuse_loop_cfg_set_clone_fd(config, 1);
    fuse_loop_cfg_set_idle_threads(config, IDLE_THREADS);
    fuse_loop_cfg_set_max_threads(config, fs->max_threads);

    sigemptyset(&wake_up);
    sigaddset(&wake_up, SIGUSR2);
    sigaction(SIGUSR2, &action, &before); /* without SA_RESTART: it shall interrupt */
    pthread_sigmask(SIG_UNBLOCK, &wake_up, &mask);
    set_looping(fs, true);
    result = fuse_session_loop_mt(fs->session, config);
    set_looping(fs, false);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGUSR2, &before, NULL);
    fuse_loop_cfg_destroy(config);
    if (result < 0)
        return sr_fail_errno(-result, "the request loop of the mount ended");
    return 0;
}

void fusefs_exit(struct fusefs *fs)
{
    fuse_session_exit(fs->session);
    atomic_store(&fs->leave, true);
    sem_post(&fs->wake);
}

/* MNT_FORCE aborts the connection: whoever still waits for an answer gets one, the notifier too, so
 * that it can be joined before libfuse closes the descriptor it writes to. A descriptor that says
 * POLLERR was unmounted by somebody else; unmounting once more would hit what lies below. */
static void unmount(struct fusefs *fs)
{
    struct pollfd device = {.fd = fuse_session_fd(fs->session)};

    if (device.fd >= 0 && (poll(&device, 1, 0) == 0 || !(device.revents & POLLERR)))
        (void)umount2(fs->mountpoint, MNT_FORCE | MNT_DETACH);
    notify_stop(fs);
    fuse_session_unmount(fs->session);
    handles_abandon(fs);
}

void fusefs_unmount(struct fusefs *fs)
{
    if (!fs || !fs->session)
        return;
    unmount(fs);
    fuse_session_destroy(fs->session);
    fs->session = NULL;
}

void fusefs_free(struct fusefs *fs)
{
    if (!fs)
        return;
    fusefs_unmount(fs);
    notify_drop(fs);
    buffers_free(fs);
    sem_destroy(&fs->wake);
    pthread_mutex_destroy(&fs->lock);
    free(fs->mountpoint);
    free(fs);
}
