#include "media/probe/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "media/probe.h"
#include "media/probe/lastword.h"

#define SOCKET_FD 3
#define NOBODY 65534
#define TABLES "/usr/share/poppler" /* character maps, which poppler opens when a PDF names them */

/* Newer than the headers. */
#define ACCESS_TRUNCATE (1ull << 14)
#define ACCESS_IOCTL_DEV (1ull << 15)
#define ACCESS_NET (3ull)
#define SCOPES (3ull)
struct ruleset {
    uint64_t fs, net, scoped;
};

static int limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit value = {soft, hard};

    return setrlimit((__rlimit_resource_t)resource, &value) != 0
               ? sr_fail_errno(errno, "limit the probe")
               : 0;
}

static int set_limits(unsigned memory_mib, unsigned cpu_s)
{
    /* The soft one while there is time to say the last word, by half of which those who look at the clock have ended. */
    int rc = limit(RLIMIT_CPU, cpu_s - cpu_s / 4, cpu_s + 1);

#if defined(__SANITIZE_ADDRESS__)
    (void)memory_mib; /* its shadow takes terabytes of addresses */
#else
    if (!rc)
        rc = limit(RLIMIT_AS, (rlim_t)memory_mib << 20, (rlim_t)memory_mib << 20);
#endif
    if (!rc)
        rc = limit(RLIMIT_NOFILE, 16, 16);
    if (!rc)
        rc = limit(RLIMIT_FSIZE, 0, 0);
    if (!rc)
        rc = limit(RLIMIT_CORE, 0, 0);
    if (!rc)
        rc = limit(RLIMIT_NPROC, 1, 1);
    return rc;
}

/* A failed allocation ends most libraries by a signal. The handler tells such an end from a crash. */
static void on_crash(int signal_number)
{
    void *page = mmap(NULL, 16u << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED && errno == ENOMEM) {
        lastword_say();
        _exit(PROBE_EXIT_MEMORY);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static int watch_crashes(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGILL, SIGFPE};
    struct sigaction action = {.sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        if (sigaction(signals[i], &action, NULL) != 0)
            return sr_fail_errno(errno, "watch for signals");
    }
    return 0;
}

static int drop_root(void)
{
    if (geteuid() != 0)
        return 0;
    if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) != 0)
        return sr_fail_errno(errno, "give up root");
    return 0;
}

/* *active: whether the kernel has Landlock. */
static int close_landlock(bool *active)
{
    struct ruleset ruleset = {.fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1};
    struct landlock_path_beneath_attr below = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR,
    };
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    size_t size = abi < 4 ? 8 : abi < 6 ? 16 : 24;
    int fd, rc = 0;

    *active = abi > 0;
    if (abi < 0)
        return errno == ENOSYS || errno == EOPNOTSUPP ? 0
                                                      : sr_fail_errno(errno, "ask for Landlock");
    if (abi >= 2)
        ruleset.fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        ruleset.fs |= ACCESS_TRUNCATE;
    if (abi >= 4)
        ruleset.net = ACCESS_NET;
    if (abi >= 5)
        ruleset.fs |= ACCESS_IOCTL_DEV;
    if (abi >= 6)
        ruleset.scoped = SCOPES;
    fd = (int)syscall(SYS_landlock_create_ruleset, &ruleset, size, 0);
    if (fd < 0)
        return sr_fail_errno(errno, "make rules for Landlock");
    below.parent_fd = open(TABLES, O_PATH | O_CLOEXEC);
    if (below.parent_fd >= 0) {
        if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &below, 0) != 0)
            rc = sr_fail_errno(errno, "add a rule to Landlock");
        close(below.parent_fd);
    }
    if (!rc && syscall(SYS_landlock_restrict_self, fd, 0) != 0)
        rc = sr_fail_errno(errno, "close Landlock");
    close(fd);
    return rc;
}

/* Long: the list is the whole of what a file that has taken over the process could still ask of the kernel. */
static int add_rules(scmp_filter_ctx filter, bool landlock)
{
    static const int allowed[] = {
        SCMP_SYS(read),
        SCMP_SYS(pread64),
        SCMP_SYS(close),
        SCMP_SYS(lseek),
        SCMP_SYS(fstat),
        SCMP_SYS(newfstatat),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(brk),
        SCMP_SYS(madvise),
        SCMP_SYS(poll),
        SCMP_SYS(ppoll),
        SCMP_SYS(futex),
        SCMP_SYS(clock_gettime),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(gettimeofday),
        SCMP_SYS(time),
        SCMP_SYS(getrandom),
        SCMP_SYS(exit),
        SCMP_SYS(exit_group),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(sigaltstack),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        SCMP_SYS(getuid),
        SCMP_SYS(geteuid),
        SCMP_SYS(sched_yield),
        SCMP_SYS(sched_getaffinity),
        SCMP_SYS(restart_syscall),
    };
    /* Tried in passing by libraries, which live without them. */
    static const int denied[] = {
        SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(access),    SCMP_SYS(faccessat),
        SCMP_SYS(stat),     SCMP_SYS(statfs),     SCMP_SYS(statx),     SCMP_SYS(getcwd),
        SCMP_SYS(ioctl),    SCMP_SYS(sysinfo),    SCMP_SYS(uname),     SCMP_SYS(getdents64),
        SCMP_SYS(fcntl),    SCMP_SYS(prctl),      SCMP_SYS(prlimit64), SCMP_SYS(rseq),
    };
    const uint64_t writes =
        O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
    int failed = 0;

    for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    for (size_t i = 0; i < sizeof(denied) / sizeof(denied[0]); i++)
        failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), denied[i], 0);
    /* Without Landlock nothing is opened; with it, reading is its business and writing dies here. */
    failed |= seccomp_rule_add(filter, landlock ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EACCES),
                               SCMP_SYS(openat), 1, SCMP_A2(SCMP_CMP_MASKED_EQ, writes, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open), 1,
                               SCMP_A1(SCMP_CMP_MASKED_EQ, writes, 0));
    /* New memory is never to be run, and none is a file's but to read. */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
                               SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 2,
                               SCMP_A0(SCMP_CMP_EQ, SOCKET_FD, 0), SCMP_A4(SCMP_CMP_EQ, 0, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(recvfrom), 1,
                               SCMP_A0(SCMP_CMP_EQ, SOCKET_FD, 0));
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
                               SCMP_A0(SCMP_CMP_EQ, STDERR_FILENO, 0));
    /* raise(): itself alone. */
    failed |= seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
                               SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid(), 0));
    return failed ? sr_fail(SR_ERR_UNSUPPORTED, "a rule of the sandbox does not hold here") : 0;
}

static int close_seccomp(bool landlock)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    int rc;

    if (!filter)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = add_rules(filter, landlock);
    if (!rc && seccomp_load(filter) != 0)
        rc = sr_fail(SR_ERR_UNSUPPORTED, "the kernel does not take the sandbox's filter");
    seccomp_release(filter);
    return rc;
}

int sandbox_close(unsigned memory_mib, unsigned cpu_s)
{
    bool landlock = false;
    int rc = watch_crashes();

    if (!rc)
        rc = drop_root();
    if (!rc && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0) != 0))
        rc = sr_fail_errno(errno, "give up privileges");
    if (!rc)
        rc = close_landlock(&landlock);
    if (!rc)
        rc = set_limits(memory_mib, cpu_s);
    return rc ? rc : close_seccomp(landlock);
}
