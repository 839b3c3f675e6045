/* smbd serves each connection in a process of its own that runs as root between two requests, so its
 * user cannot be told from /proc; smbstatus knows it from Samba's own table of sessions. */
#include "casework/sessions.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "casework/program.h"

#define ROUNDS 5       /* a session may be set up while the others end */
#define GRACE_MS 2000  /* smbd closes its files in order */
#define KILLED_MS 5000 /* and then it does not */

/* The process of a line "PID UID GID MACHINE ...", if it serves uid; otherwise 0. */
static pid_t session_of(const char *line, uint32_t uid)
{
    char *end;
    unsigned long pid = strtoul(line, &end, 10);
    if (end == line || *end != ' ' || pid < 2 || pid > INT32_MAX)
        return 0;
    const char *second = end + strspn(end, " ");
    unsigned long of = strtoul(second, &end, 10);
    return end != second && *end == ' ' && of == uid ? (pid_t)pid : 0;
}

static bool is_smbd(pid_t pid)
{
    char path[32], name[16] = "";
    snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    if (fgets(name, sizeof name, file) == NULL)
        name[0] = '\0';
    fclose(file);
    return strncmp(name, "smbd", 4) == 0;
}

/* Through a descriptor of the process, so that nobody else's number is ever signalled. */
static int end_process(pid_t pid)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return errno == ESRCH ? 0 : sr_fail_errno(errno, "cannot end a session of the share");
    struct pollfd gone = {.fd = fd, .events = POLLIN};
    int status = 0;
    if (is_smbd(pid)) {
        syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0);
        if (poll(&gone, 1, GRACE_MS) == 0) {
            syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
            if (poll(&gone, 1, KILLED_MS) == 0)
                status = sr_fail(SR_ERR_BUSY, "smbd process %d does not end", (int)pid);
        }
    }
    close(fd);
    return status;
}

/* *found: how many there were. */
static int end_round(const char *smb_conf, uint32_t uid, unsigned *found)
{
    char *const argv[] = {"smbstatus", "-s", (char *)smb_conf, "-p", "-n", NULL};
    struct sr_buf text = {0};
    int status = program_output(argv, &text);
    *found = 0;
    for (char *line = text.data; status == 0 && line != NULL; line = strchr(line, '\n')) {
        line += *line == '\n';
        pid_t pid = session_of(line, uid);
        if (pid == 0)
            continue;
        ++*found;
        status = end_process(pid);
    }
    sr_buf_free(&text);
    return status;
}

int sessions_end(const char *smb_conf, uint32_t uid)
{
    unsigned found = 1;
    int status = 0;
    for (unsigned round = 0; status == 0 && found > 0; round++)
        status = round < ROUNDS ? end_round(smb_conf, uid, &found)
                                : sr_fail(SR_ERR_BUSY, "the share's sessions of uid %u do not end",
                                          (unsigned)uid);
    return status;
}
