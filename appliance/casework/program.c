#include "casework/program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

extern char **environ;

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

/* A program that fails says why on stderr. */
static int wait_for(pid_t child, const char *name, const char *complaint, int *exited)
{
    int wait_status = 0;
    while (waitpid(child, &wait_status, 0) < 0 && errno == EINTR)
        ;
    if (WIFEXITED(wait_status))
        *exited = WEXITSTATUS(wait_status);
    if (*exited != 0)
        return sr_fail(SR_ERR_INVALID, "%s failed: %s", name,
                       complaint[0] != '\0' ? complaint : "no reason given");
    return 0;
}

int program_run(char *const argv[], const char *input)
{
    int exited;
    return program_run_status(argv, input, &exited);
}

int program_run_status(char *const argv[], const char *input, int *exited)
{
    int in[2] = {-1, -1}, err[2] = {-1, -1};
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
    return wait_for(child, argv[0], complaint, exited);
}

int program_output(char *const argv[], struct sr_buf *out)
{
    int pipe_fds[2], exited = -1;
    char chunk[4096];
    pid_t child = -1;
    ssize_t got;
    posix_spawn_file_actions_t actions;
    if (pipe2(pipe_fds, O_CLOEXEC) != 0)
        return sr_fail_errno(errno, "cannot run %s", argv[0]);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    int error = posix_spawnp(&child, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(pipe_fds[1]);
    while (error == 0 && (got = read(pipe_fds[0], chunk, sizeof chunk)) != 0) {
        if (got < 0 && errno != EINTR)
            break;
        if (got > 0 && out->len + (size_t)got <= PROGRAM_OUTPUT_MAX)
            sr_buf_append(out, chunk, (size_t)got);
    }
    close(pipe_fds[0]);
    if (error != 0)
        return sr_fail_errno(error, "cannot run %s", argv[0]);
    int status = wait_for(child, argv[0], "", &exited);
    if (status == 0 && out->failed)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for what %s says", argv[0]);
    return status;
}
