#include "fusefs/dying.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define FLAG_EXITING 0x4 /* PF_EXITING of the kernel's include/linux/sched.h */

/* proc(5): the command, field 2, may hold spaces and brackets, so counting starts after the last
 * bracket. Field 9 is the flags word, field 52 the exit code in the form of waitpid(2). */
bool dying_parse_stat(const char *text)
{
    const char *at = strrchr(text, ')');
    unsigned long flags = 0;
    long exit_code = 0;
    int field = 2;

    if (!at)
        return false;
    while (field < 52 && (at = strchr(at, ' '))) {
        at++;
        field++;
        if (field == 9)
            flags = strtoul(at, NULL, 10);
        else if (field == 52)
            exit_code = strtol(at, NULL, 10);
    }
    return (flags & FLAG_EXITING) && (exit_code & 0x7f) != 0;
}

/* The kernel takes a thread's memory away before it closes its descriptors (do_exit), so a thread that
 * has memory closes by itself. Asked by reading one byte at address 0, where nothing is: one system
 * call, a tenth of what /proc costs. false if it has none, or if we may not ask. */
static bool has_memory(pid_t thread_id)
{
    char byte;
    struct iovec local = {&byte, 1}, remote = {NULL, 1};

    return process_vm_readv(thread_id, &local, 1, &remote, 1, 0) >= 0 || errno == EFAULT;
}

/* A killed program's descriptors are closed for it by the kernel, with the same FLUSH that a
 * close of its own makes. The thread waits in that request while we look, so what we read stays
 * true. Needs CAP_SYS_PTRACE: without it the exit code of another user's process reads as 0. */
bool dying_by_signal(pid_t thread_id)
{
    char path[64], text[1024];
    ssize_t len;
    int fd;

    if (thread_id <= 0 || has_memory(thread_id))
        return false;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)thread_id);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    len = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (len <= 0)
        return false;
    text[len] = '\0';
    return dying_parse_stat(text);
}
