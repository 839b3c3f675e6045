/* A probe that has been taken over: whatever it tries inside the cage fails or ends it, and whatever it does costs the
 * record its description and nothing else. This program is both the daemon's side and, started by it as a probe, the
 * hostile one, which closes the very same sandbox and then does what the job's name says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/error.h"
#include "media/probe.h"
#include "media/probe/lastword.h"
#include "media/probe/sandbox.h"
#include "media/wire.h"

#define SECRET "/tmp/srt-escape-secret"
#define TARGET "/tmp/srt-escape-target"

/* --- attempts: true when it has come out ---------------------------------------------------------------------- */

static bool opens(const char *path, int flags)
{
    return open(path, flags, 0600) >= 0;
}
static bool read_passwd(void)
{
    return opens("/etc/passwd", O_RDONLY);
}
static bool read_secret(void)
{
    return opens(SECRET, O_RDONLY);
}
static bool read_by_number(void) /* the old call, which the C library does not use */
{
    return syscall(SYS_open, SECRET, O_RDONLY) >= 0;
}
static bool read_out_of_tables(void)
{
    return opens("/usr/share/poppler/../../../etc/passwd", O_RDONLY);
}
static bool write_file(void)
{
    return opens(TARGET, O_WRONLY);
}
static bool create_file(void)
{
    return opens(TARGET ".new", O_WRONLY | O_CREAT);
}
static bool create_temporary(void)
{
    return opens("/tmp", O_RDWR | O_TMPFILE);
}
static bool write_tables(void)
{
    return opens("/usr/share/poppler/new", O_WRONLY | O_CREAT);
}
static bool list_folder(void)
{
    return opendir("/") != NULL;
}
static bool unlink_file(void)
{
    return unlink(TARGET) == 0;
}
static bool rename_file(void)
{
    return rename(TARGET, TARGET ".moved") == 0;
}
static bool make_folder(void)
{
    return mkdir(TARGET ".folder", 0700) == 0;
}
static bool make_link(void)
{
    return symlink(SECRET, TARGET ".link") == 0;
}
static bool hard_link(void)
{
    return link(SECRET, TARGET ".hard") == 0;
}
static bool change_mode(void)
{
    return chmod(TARGET, 0777) == 0;
}
static bool change_owner(void)
{
    return chown(TARGET, 0, 0) == 0;
}
static bool set_attribute(void)
{
    return syscall(SYS_setxattr, TARGET, "user.x", "1", 1, 0) == 0;
}
static bool truncate_file(void)
{
    return truncate(TARGET, 0) == 0;
}
static bool change_folder(void)
{
    return chdir("/etc") == 0;
}
static bool change_root(void)
{
    return chroot("/tmp") == 0;
}
static bool own_memory_file(void)
{
    return opens("/proc/self/mem", O_RDWR);
}
static bool daemon_memory_file(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/mem", getppid());
    return opens(path, O_RDONLY);
}
static bool daemon_descriptors(void)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/0", getppid());
    return opens(path, O_RDONLY);
}
static bool inet_socket(void)
{
    return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}
static bool inet6_datagram(void)
{
    return socket(AF_INET6, SOCK_DGRAM, 0) >= 0;
}
static bool unix_socket(void)
{
    return socket(AF_UNIX, SOCK_STREAM, 0) >= 0;
}
static bool netlink_socket(void)
{
    return socket(AF_NETLINK, SOCK_RAW, 0) >= 0;
}
static bool socket_pair(void)
{
    int pair[2];
    return socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0;
}
static bool connect_on_wire(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "/run/dbus/system_bus_socket"};
    return connect(3, (struct sockaddr *)&name, sizeof name) == 0;
}
static bool send_elsewhere(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
    return sendto(3, "x", 1, 0, (struct sockaddr *)&to, sizeof to) == 1;
}
static bool send_descriptor(void)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec piece = {.iov_base = "x", .iov_len = 1};
    struct msghdr message = {.msg_iov = &piece,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    return sendmsg(3, &message, 0) == 1;
}
static bool forks(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    return child > 0;
}
static bool clones(void)
{
    return syscall(SYS_clone, SIGCHLD | CLONE_VM | CLONE_VFORK, 0, 0, 0, 0) > 0;
}
static bool clones3(void)
{
    uint64_t arguments[11] = {0, 0, 0, 0, SIGCHLD};
    long child = syscall(SYS_clone3, arguments, sizeof arguments);
    if (child == 0)
        _exit(0);
    return child > 0;
}
static bool executes(void)
{
    char *const argv[] = {"/bin/true", NULL};
    execve("/bin/true", argv, NULL);
    return false; /* had it come out, the program would have said nothing: see expect() */
}
static bool kills_daemon(void)
{
    return kill(getppid(), SIGUSR1) == 0;
}
static bool kills_by_thread(void)
{
    return syscall(SYS_tgkill, getppid(), getppid(), SIGUSR1) == 0;
}
static bool traces_daemon(void)
{
    return ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0;
}
static bool reads_daemon(void)
{
    char here[16];
    struct iovec local = {here, sizeof here}, remote = {(void *)(uintptr_t)here, sizeof here};
    return process_vm_readv(getppid(), &local, 1, &remote, 1, 0) >= 0;
}
static bool gets_descriptor(void)
{
    long fd = syscall(SYS_pidfd_open, getppid(), 0);
    return fd >= 0 && syscall(SYS_pidfd_getfd, (int)fd, 0, 0) >= 0;
}
static bool maps_code(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0) != MAP_FAILED;
}
static bool makes_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
}
static bool memory_file(void)
{
    return syscall(SYS_memfd_create, "x", 0) >= 0;
}
static bool io_ring(void)
{
    struct io_uring_params params = {0};
    return syscall(SYS_io_uring_setup, 4, &params) >= 0;
}
static bool loads_bpf(void)
{
    union bpf_attr attributes = {0};
    return syscall(SYS_bpf, BPF_MAP_CREATE, &attributes, sizeof attributes) >= 0;
}
static bool mounts(void)
{
    return mount("none", "/tmp", "tmpfs", 0, NULL) == 0;
}
static bool unshares(void)
{
    return unshare(CLONE_NEWUSER) == 0;
}
static bool adds_key(void)
{
    return syscall(SYS_add_key, "user", "x", "y", 1, -4) >= 0;
}
static bool becomes_root(void)
{
    return setuid(0) == 0 || setresuid(0, 0, 0) == 0;
}
static bool raises_limit(void)
{
    struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    return setrlimit(RLIMIT_AS, &all) == 0;
}
static bool becomes_dumpable(void)
{
    return prctl(PR_SET_DUMPABLE, 1) == 0;
}
static bool types_into_terminal(void)
{
    return ioctl(0, TIOCSTI, "x") == 0;
}
static bool duplicates(void)
{
    return fcntl(3, F_DUPFD, 10) >= 0;
}
static bool sets_clock(void)
{
    struct timeval now = {0};
    return settimeofday(&now, NULL) == 0;
}
static bool has_more_descriptors(void)
{
    for (int fd = 0; fd < 1024; fd++)
        if (fd != STDERR_FILENO && fd != 3 && lseek(fd, 0, SEEK_CUR) >= 0 && fd > 2)
            return true;
    return false;
}
extern char **environ;
static bool has_environment(void)
{
    return getenv("SECRET") != NULL ||
           (environ[0] != NULL && environ[1] != NULL); /* but the locale */
}
static bool is_root(void)
{
    return getuid() == 0 || geteuid() == 0;
}

static const struct {
    const char *name;
    bool (*try)(void);
} attempts[] = {
#define TRY(name)   \
    {               \
#name, name \
    }
    TRY(read_passwd),
    TRY(read_secret),
    TRY(read_by_number),
    TRY(read_out_of_tables),
    TRY(write_file),
    TRY(create_file),
    TRY(create_temporary),
    TRY(write_tables),
    TRY(list_folder),
    TRY(unlink_file),
    TRY(rename_file),
    TRY(make_folder),
    TRY(make_link),
    TRY(hard_link),
    TRY(change_mode),
    TRY(change_owner),
    TRY(set_attribute),
    TRY(truncate_file),
    TRY(change_folder),
    TRY(change_root),
    TRY(own_memory_file),
    TRY(daemon_memory_file),
    TRY(daemon_descriptors),
    TRY(inet_socket),
    TRY(inet6_datagram),
    TRY(unix_socket),
    TRY(netlink_socket),
    TRY(socket_pair),
    TRY(connect_on_wire),
    TRY(send_elsewhere),
    TRY(send_descriptor),
    TRY(forks),
    TRY(clones),
    TRY(clones3),
    TRY(executes),
    TRY(kills_daemon),
    TRY(kills_by_thread),
    TRY(traces_daemon),
    TRY(reads_daemon),
    TRY(gets_descriptor),
    TRY(maps_code),
    TRY(makes_code),
    TRY(memory_file),
    TRY(io_ring),
    TRY(loads_bpf),
    TRY(mounts),
    TRY(unshares),
    TRY(adds_key),
    TRY(becomes_root),
    TRY(raises_limit),
    TRY(becomes_dumpable),
    TRY(types_into_terminal),
    TRY(duplicates),
    TRY(sets_clock),
    TRY(has_more_descriptors),
    TRY(has_environment),
    TRY(is_root),
};

/* --- what a broken probe does ------------------------------------------------------------------------------------ */

static volatile int sink, deeper = 1;

static void recurse(volatile char *above)
{
    volatile char here[4096];
    memset((void *)here, above != NULL, sizeof here);
    sink += here[17];
    if (deeper) /* for ever: nobody sets it */
        recurse(here);
    sink += here[18];
}

static void raise_at(volatile int *place)
{
    *place = 1;
}

/* Long: one way of misbehaving after the other, by its name. */
static void behave(const struct wire *wire, const char *name)
{
    uint8_t ask[WIRE_ASK_LEN], header[WIRE_HEADER_LEN];
    if (strncmp(name, "word_", 5) == 0) { /* with a last word */
        static const char word[] = "{\"title\":\"word\",\"type\":\"a/b\"}";
        lastword_watch(3);
        lastword_keep("{\"type\":\"a/old\"}", 16);
        lastword_keep(word, sizeof word - 1);
        name += 5;
    }
    if (strcmp(name, "held") == 0) {
        lastword_hold();
        name = "busy";
    }
    if (strcmp(name, "dropped") == 0) {
        lastword_keep(NULL, 0);
        name = "busy";
    }
    if (strcmp(name, "segfault") == 0)
        raise_at((volatile int *)(uintptr_t)(sink + 8));
    if (strcmp(name, "abort") == 0)
        abort();
    if (strcmp(name, "busy") == 0)
        for (;;)
            sink ^= 1;
    if (strcmp(name, "sleeps") == 0)
        for (;;)
            poll(NULL, 0, 1000);
    if (strcmp(name, "allocates") == 0)
        for (size_t size = 1 << 20;; size += size / 2) {
            char *block = malloc(size);
            if (block == NULL)
                abort(); /* as most libraries do */
            memset(block, 1, size);
        }
    if (strcmp(name, "recurses") == 0)
        recurse(NULL);
    if (strcmp(name, "talks") == 0)
        for (;;)
            if (write(STDERR_FILENO, "all work and no play\n", 21) < 0)
                poll(NULL, 0, 1);
    if (strcmp(name, "silent") == 0)
        _exit(0);
    if (strcmp(name, "nonsense") == 0)
        wire_send(wire, WIRE_ANSWER, "{\"type\":\"x\",\"shell\":\"rm\"}", 26);
    if (strcmp(name, "no_json") == 0)
        wire_send(wire, WIRE_ANSWER, "\xff\xfe", 2);
    if (strcmp(name, "bad_text") == 0)
        wire_send(wire, WIRE_TEXT, "\xff", 1);
    if (strcmp(name, "half") == 0) {
        wire_put_header(WIRE_ANSWER, 1000, header);
        sendto(3, header, sizeof header, 0, NULL, 0);
    }
    if (strcmp(name, "too_long") == 0) {
        memcpy(header, (uint8_t[]){WIRE_ANSWER, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, sizeof header);
        sendto(3, header, sizeof header, 0, NULL, 0);
    }
    if (strcmp(name, "out_of_range") == 0) {
        struct wire_ask far = {.offset = UINT64_C(1) << 40, .len = 100};
        wire_put_ask(&far, ask);
        wire_send(wire, WIRE_ASK, ask, sizeof ask);
        poll(NULL, 0, 2000);
    }
    if (strcmp(name, "asks_for_ever") == 0)
        for (;;) {
            struct wire_ask again = {.offset = 0, .len = 4};
            uint8_t got[64];
            enum wire_type type;
            size_t len;
            wire_put_ask(&again, ask);
            if (wire_send(wire, WIRE_ASK, ask, sizeof ask) < 0 ||
                wire_receive(wire, WIRE_BIT(WIRE_DATA) | WIRE_BIT(WIRE_FAILED), got, sizeof got,
                             &type, &len) < 0)
                _exit(1);
        }
    if (strcmp(name, "answers_as_daemon") == 0)
        wire_send(wire, WIRE_DATA, "x", 1);
    _exit(0);
}

static int hostile(char **argv)
{
    const struct wire wire = {.fd = 3, .stop_fd = -1, .deadline_ns = INT64_MAX};
    uint8_t ready[WIRE_READY_LEN], *payload = malloc(WIRE_JOB_MAX);
    uint64_t memory_mib, cpu_s;
    enum wire_type type;
    struct wire_job job;
    char name[WIRE_NAME_MAX + 1] = "";
    size_t len;

    if (sr_parse_u64(argv[1], &memory_mib) < 0 || sr_parse_u64(argv[2], &cpu_s) < 0)
        return 1;
    if (sandbox_close((unsigned)memory_mib, (unsigned)cpu_s) < 0)
        _exit(PROBE_EXIT_SANDBOX);
    wire_put_ready(ready);
    if (wire_send(&wire, WIRE_READY, ready, sizeof ready) < 0 ||
        wire_receive(&wire, WIRE_BIT(WIRE_JOB), payload, WIRE_JOB_MAX, &type, &len) < 0 ||
        wire_parse_job(payload, len, &job) < 0)
        _exit(1);
    memcpy(name, job.name, job.name_len);
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++)
        if (strcmp(attempts[i].name, name) == 0) {
            const char *answer = attempts[i].try() ? "{\"title\":\"out\",\"type\":\"a/b\"}"
                                                   : "{\"title\":\"in\",\"type\":\"a/b\"}";
            wire_send(&wire, WIRE_ANSWER, answer, strlen(answer));
            _exit(0);
        }
    behave(&wire, name);
    return 0;
}

/* --- the daemon's side ------------------------------------------------------------------------------------------- */

static char self[PATH_MAX];
static volatile sig_atomic_t signalled;

static void on_signal(int number)
{
    (void)number;
    signalled = 1;
}

static int read_four(void *context, uint64_t offset, void *buf, size_t len, size_t *got)
{
    (void)context, (void)offset;
    *got = len < 4 ? len : 4;
    memset(buf, 'x', *got);
    return 0;
}

static unsigned open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned count = 0;
    while (readdir(dir))
        count++;
    closedir(dir);
    return count;
}

/* Runs the hostile probe; nothing is left of it. */
static struct probe_job run(const char *what, unsigned wall_ms, unsigned cpu_s, unsigned memory_mib)
{
    struct probe_job job = {.program = self,
                            .name = what,
                            .size = 4,
                            .text_max = 1000,
                            .wall_ms = wall_ms,
                            .cpu_s = cpu_s,
                            .memory_mib = memory_mib,
                            .stop_fd = -1,
                            .read = read_four};
    unsigned before = open_fds();
    if (probe_run(&job) < 0)
        fail_msg("%s: %s", what, sr_error_message());
    assert_int_equal(open_fds(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return job;
}

static void test_nothing_comes_out(void **state)
{
    unsigned ended = 0, refused = 0;
    (void)state;
    for (size_t i = 0; i < sizeof attempts / sizeof attempts[0]; i++) {
        struct probe_job job = run(attempts[i].name, 20000, 0, 0);
        const char *title = json_string_value(json_object_get(job.answer, "title"));
        if (job.outcome == PROBE_DESCRIBED) {
            if (title == NULL || strcmp(title, "in") != 0)
                fail_msg("%s came out of the sandbox", attempts[i].name);
            refused++;
        } else {
            if (job.outcome != PROBE_REFUSED)
                fail_msg("%s ended as %s", attempts[i].name, probe_outcome_word(job.outcome));
            ended++;
        }
        json_decref(job.answer);
    }
    assert_int_equal(signalled, 0);
    assert_true(ended > 25 && refused > 10);
    assert_int_equal(access(TARGET, F_OK), 0);
    assert_int_not_equal(access(TARGET ".new", F_OK), 0);
    assert_int_not_equal(access(TARGET ".moved", F_OK), 0);
}

static void test_whatever_it_does(void **state)
{
    static const struct {
        const char *what;
        enum probe_outcome outcome;
        unsigned wall_ms, cpu_s, memory_mib;
    } cases[] = {
        {"segfault", PROBE_CRASHED, 20000, 0, 0},
        {"abort", PROBE_CRASHED, 20000, 0, 0},
        {"busy", PROBE_TIMEOUT, 20000, 1, 0},
        {"busy", PROBE_TIMEOUT, 400, 0, 0},
        {"sleeps", PROBE_TIMEOUT, 400, 0, 0},
        {"recurses", PROBE_CRASHED, 20000, 0, 0},
        {"talks", PROBE_TIMEOUT, 700, 0, 0},
        {"silent", PROBE_CRASHED, 20000, 0, 0},
        {"nonsense", PROBE_PROTOCOL, 20000, 0, 0},
        {"no_json", PROBE_PROTOCOL, 20000, 0, 0},
        {"bad_text", PROBE_PROTOCOL, 20000, 0, 0},
        {"half", PROBE_CRASHED, 20000, 0, 0},
        {"too_long", PROBE_PROTOCOL, 20000, 0, 0},
        {"out_of_range", PROBE_PROTOCOL, 20000, 0, 0},
        {"asks_for_ever", PROBE_TIMEOUT, 700, 0, 0},
        {"answers_as_daemon", PROBE_PROTOCOL, 20000, 0, 0},
#if !defined(__SANITIZE_ADDRESS__)
        {"allocates", PROBE_MEMORY, 20000, 0, 128},
#endif
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct probe_job job =
            run(cases[i].what, cases[i].wall_ms, cases[i].cpu_s, cases[i].memory_mib);
        if (job.outcome != cases[i].outcome)
            fail_msg("%s ended as %s, not %s", cases[i].what, probe_outcome_word(job.outcome),
                     probe_outcome_word(cases[i].outcome));
        assert_null(job.answer);
    }
}

/* Who ends by time or memory says it; who crashes, or is in the middle of another message, does not. */
static void test_last_word(void **state)
{
    static const struct {
        const char *what;
        enum probe_outcome outcome;
        unsigned memory_mib;
    } cases[] = {
        {"word_busy", PROBE_DESCRIBED, 0},
        {"word_segfault", PROBE_CRASHED, 0},
        {"word_held", PROBE_TIMEOUT, 0},
        {"word_dropped", PROBE_TIMEOUT, 0},
#if !defined(__SANITIZE_ADDRESS__)
        {"word_allocates", PROBE_DESCRIBED, 128},
#endif
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct probe_job job = run(cases[i].what, 20000, 1, cases[i].memory_mib);
        const char *title = json_string_value(json_object_get(job.answer, "title"));
        if (job.outcome != cases[i].outcome)
            fail_msg("%s ended as %s, not %s", cases[i].what, probe_outcome_word(job.outcome),
                     probe_outcome_word(cases[i].outcome));
        assert_int_equal(title != NULL && strcmp(title, "word") == 0,
                         job.outcome == PROBE_DESCRIBED);
        json_decref(job.answer);
    }
}

static int prepare(void **state)
{
    int fd = open(SECRET, O_WRONLY | O_CREAT, 0644);
    int other = open(TARGET, O_WRONLY | O_CREAT, 0666);
    (void)state;
    signal(SIGUSR1, on_signal);
    setenv("SECRET", "of the daemon", 1);
    return fd < 0 || other < 0 || fchmod(other, 0666) != 0;
}

static int tidy(void **state)
{
    (void)state;
    unlink(SECRET);
    return unlink(TARGET);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_comes_out),
        cmocka_unit_test(test_whatever_it_does),
        cmocka_unit_test(test_last_word),
    };

    if (argc == 3)
        return hostile(argv);
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, prepare, tidy);
}
