#include "daemon/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"

#define DESCRIPTORS 262144

int harden_process(void)
{
    const struct rlimit none = {0, 0};
    struct rlimit files;

    umask(077);
    /* Two descriptors for each unsealed record and one for each open one: as many as the system gives. */
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < DESCRIPTORS) {
        files.rlim_cur = DESCRIPTORS;
        if (files.rlim_max < DESCRIPTORS)
            files.rlim_max = DESCRIPTORS; /* root may raise it */
        if (setrlimit(RLIMIT_NOFILE, &files) != 0 && getrlimit(RLIMIT_NOFILE, &files) == 0) {
            files.rlim_cur = files.rlim_max;
            (void)setrlimit(RLIMIT_NOFILE, &files);
        }
    }
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return sr_fail_errno(errno, "core files cannot be forbidden");
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return sr_fail_errno(errno, "the process cannot be made undumpable");
    /* MCL_ONFAULT: only what is touched. Without it every thread's whole stack counts at once. */
    if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        sr_log(SR_LOG_WARNING, "memory is not locked (%s): keep swap off", strerror(errno));
    return 0;
}

bool harden_swap_listed(const char *text, size_t len)
{
    const char *header_end = memchr(text, '\n', len);

    /* One heading line, then one line per swap space. */
    return header_end != NULL && (size_t)(header_end - text) + 1 < len;
}

int harden_check_swap(const char *path, bool encrypted_swap)
{
    char text[512];
    ssize_t got;
    int fd;

    if (encrypted_swap)
        return 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) /* a kernel without swap */
        return 0;
    if (fd < 0)
        return sr_fail_errno(errno, "%s cannot be read, so nobody knows whether swap is off", path);
    got = read(fd, text, sizeof text);
    if (got < 0) {
        int number = errno;

        close(fd);
        return sr_fail_errno(number, "%s cannot be read, so nobody knows whether swap is off",
                             path);
    }
    close(fd);
    if (harden_swap_listed(text, (size_t)got))
        return sr_fail(SR_ERR_DENIED, "swap is active and keys could be written to it: turn it off "
                                      "(swapoff -a), or give --encrypted-swap if it is encrypted");
    return 0;
}
