/* Thousands of damaged files of every kind that is described, each of which ends in an answer that the daemon takes or
 * in an outcome that it states. Most go through processes that look at many, confined as the probe is, because a process
 * for each costs more than the looking; hundreds go the whole way. Deterministic: MUTANTS_SEED=n begins elsewhere, and
 * MUTANT=name:seed looks at one alone, in this very process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "media/answer.h"
#include "media/probe.h"
#include "media/probe/charset.h"
#include "media/probe/examine.h"
#include "media/probe/members.h"
#include "media/probe/pdf.h"
#include "media/probe/sandbox.h"
#include "media/wire.h"
#include "tests/lib/document_rig.h"
#include "tests/lib/mutate.h"
#include "tests/lib/probe_rig.h"

#define FILES "/usr/share/forensics-samples"
#define SAMPLES_MAX 200
#define SAMPLE_LEN_MAX (8u << 20)
#define BATCH 64        /* mutants for one process */
#define BATCH_CPU_S 120 /* a mutant is ended long before */
#define MUTANT_CPU_S 4  /* half of which is the time in which readers that look at the clock end */
#define MUTANT_WALL_MS 60000
#define WHOLE_WAY 128 /* mutants with a process of their own */
#if defined(__SANITIZE_ADDRESS__)
#define MUTANTS 320
#else
#define MUTANTS 3072
#endif

static struct sample {
    char name[64];
    uint8_t *data;
    size_t len;
    bool stored;
} samples[SAMPLES_MAX];
static size_t sample_count;
static char folder[64];
static struct examine *examine;
static uint64_t first_seed = 20261127;

/* What a process says of a mutant, and when it begins with one. */
struct report {
    uint32_t index;
    enum { BEGUN, DESCRIBED, NO_MEMORY, WRONG } what;
    uint32_t cpu_ms;
    char why[240];
};

static void add_samples(const char *command)
{
    struct sr_buf list = {0};
    char *saved = NULL;

    document_rig_command(command, &list);
    for (char *path = strtok_r(list.data, "\n", &saved); path;
         path = strtok_r(NULL, "\n", &saved)) {
        struct sample *sample = &samples[sample_count++];

        assert_true(sample_count < SAMPLES_MAX);
        snprintf(sample->name, sizeof(sample->name), "%s", strrchr(path, '/') + 1);
        sample->data = document_rig_file(path, &sample->len);
        sample->stored = strncmp(sample->name, "stored-", 7) == 0;
    }
    sr_buf_free(&list);
}

static int make_all(void **state)
{
    char command[256];
    const char *seed = getenv("MUTANTS_SEED");

    (void)state;
    if (seed)
        first_seed = strtoull(seed, NULL, 10);
    strcpy(folder, "/tmp/srt-mutants.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    document_rig_run(
        "cd %s && mkdir made && cd - >/dev/null && /usr/bin/python3 "
        "tests/lib/sign_witness.py %s/made && rm %s/made/*.key %s/made/*.csr %s/made/endless.pdf "
        "&& "
        "/usr/bin/python3 tests/lib/document_make.py %s/made ooxml odf compound ofd && "
        "/usr/bin/python3 tests/lib/document_make.py %s/made stored",
        folder, folder, folder, folder, folder, folder, folder);
    add_samples("find " FILES
                " ${SHARED:-../shared}/vectors/ofd -type f -size -8M ! -name LICENSE | sort");
    snprintf(command, sizeof(command), "find %s/made -type f -size -512k | sort", folder);
    add_samples(command);
    return examine_new(&examine) || charset_prepare() || pdf_prepare();
}

static int drop_all(void **state)
{
    char command[128];

    (void)state;
    for (size_t i = 0; i < sample_count; i++)
        free(samples[i].data);
    examine_free(examine);
    snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command);
}

static const struct sample *sample_of(size_t index)
{
    return &samples[index % sample_count];
}

static struct mutant mutant_of(size_t index)
{
    const struct sample *sample = sample_of(index);
    uint64_t seed = first_seed + index;

    return sample->stored ? mutate_stored(sample->data, sample->len, seed)
                          : mutate_bytes(sample->data, sample->len, seed);
}

/* How the sample and what became of it can be had again. */
static const char *repro(size_t index)
{
    static char line[256];

    snprintf(line, sizeof(line), "%s, repeat with: MUTANT=%s:%llu out/unit/probe_mutants",
             sample_of(index)->name, sample_of(index)->name,
             (unsigned long long)(first_seed + index));
    return line;
}

struct text {
    size_t len;
    bool wrong;
};

static int take_text(void *context, const char *text, size_t len)
{
    struct text *taken = context;

    taken->len += len;
    if (!sr_utf8_valid(text, len))
        taken->wrong = true;
    return 0;
}

static uint32_t cpu_ms(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint32_t)(used.tv_sec * 1000 + used.tv_nsec / 1000000);
}

/* As the probe's main does with a file; *why names what the daemon would not take. */
static void look(const struct mutant *mutant, const char *name, struct report *report)
{
    struct probe_source *source = NULL;
    struct describe *answer = NULL;
    struct sr_buf json = {0};
    struct text text = {0};
    json_t *result = NULL, *parsed = NULL;
    uint32_t before = cpu_ms();
    int rc = probe_source_memory(mutant->data, mutant->len, name, &source);

    report->what = DESCRIBED;
    rc = rc ? rc : describe_new(take_text, &text, &answer);
    if (!rc) {
        describe_limit_cpu(answer, MUTANT_CPU_S);
        rc = examine_file(examine, source, answer);
    }
    rc = rc ? rc : describe_result(answer, &result);
    rc = rc ? rc : sr_json_canonical(result, &json);
    rc = rc ? rc : answer_parse((const uint8_t *)json.data, json.len, text.len, &parsed);
    if (rc == SR_ERR_NO_MEMORY)
        report->what = NO_MEMORY;
    else if (rc || text.wrong || text.len > DESCRIBE_TEXT_MAX || json.len > WIRE_ANSWER_MAX)
        report->what = WRONG;
    snprintf(report->why, sizeof(report->why), "%.230s",
             rc ? sr_error_message() : "its text is none, or too long");
    report->cpu_ms = cpu_ms() - before;
    json_decref(parsed);
    json_decref(result);
    sr_buf_free(&json);
    describe_free(answer);
    probe_source_free(source);
}

static _Noreturn void work(int socket, size_t from, size_t to)
{
    int null = open("/dev/null", O_RDWR);

    if (dup2(null, 1) < 0 || dup2(null, 2) < 0 || (socket != 3 && dup2(socket, 3) < 0))
        _exit(9);
    members_prepare();
    if (sandbox_close(PROBE_MEMORY_MIB, BATCH_CPU_S) != 0)
        _exit(PROBE_EXIT_SANDBOX);
    for (size_t i = from; i < to; i++) {
        struct report report = {.index = (uint32_t)i, .what = BEGUN};
        struct mutant mutant = mutant_of(i);

        if (send(3, &report, sizeof(report), MSG_NOSIGNAL) != (ssize_t)sizeof(report))
            _exit(9);
        look(&mutant, sample_of(i)->name, &report);
        free(mutant.data);
        if (send(3, &report, sizeof(report), MSG_NOSIGNAL) != (ssize_t)sizeof(report))
            _exit(9);
    }
    _exit(0);
}

static struct counts {
    unsigned described, crashed, timeout, memory, slowest_ms;
} counts;

/* What the end of a process in the middle of a mutant says. */
static void count_end(int status, bool hung, size_t index)
{
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        fail_msg("the sandbox stopped it: %s", repro(index));
    if (WIFEXITED(status) && WEXITSTATUS(status) == PROBE_EXIT_MEMORY)
        counts.memory++;
    else if (hung || (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU))
        counts.timeout++;
    else if (WIFSIGNALED(status))
        counts.crashed++;
    else
        fail_msg("status %x: %s", (unsigned)status, repro(index));
    print_message("ended by %s: %s\n",
                  hung                  ? "its time"
                  : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                        : "its memory",
                  repro(index));
}

/* A batch from an index on; returns the index of the next one: behind the batch, or behind what ended it. */
static size_t run_batch(size_t from, size_t to)
{
    struct report report;
    bool within = false, hung = false;
    int pair[2], status;
    size_t index = from;
    struct rusage usage;
    pid_t child;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    child = fork();
    if (child == 0)
        work(pair[1], from, to);
    assert_true(child > 0);
    close(pair[1]);
    for (;;) {
        struct pollfd wait = {pair[0], POLLIN, 0};

        hung = poll(&wait, 1, MUTANT_WALL_MS) == 0;
        if (hung || recv(pair[0], &report, sizeof(report), 0) != (ssize_t)sizeof(report))
            break;
        index = report.index;
        within = report.what == BEGUN;
        if (report.what == WRONG)
            fail_msg("%s: %s", report.why, repro(index));
        counts.described += report.what == DESCRIBED;
        counts.memory += report.what == NO_MEMORY;
        if (!within && report.cpu_ms > counts.slowest_ms) {
            counts.slowest_ms = report.cpu_ms;
            if (report.cpu_ms > 1000)
                print_message("%u ms: %s\n", report.cpu_ms, repro(index));
        }
    }
    close(pair[0]);
    if (hung)
        kill(child, SIGKILL);
    assert_int_equal(wait4(child, &status, 0, &usage), child);
#if !defined(__SANITIZE_ADDRESS__)
    assert_true(usage.ru_maxrss <= (long)PROBE_MEMORY_MIB << 10);
#endif
    if (!within && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
        fail_msg("status %x between two: %s", (unsigned)status, repro(index));
    if (within)
        count_end(status, hung, index);
    return index + 1;
}

static void check_counts(unsigned total)
{
    print_message("%u mutants of %zu files: %u described, %u crashed, %u over their time, %u over "
                  "their memory, the slowest took %u ms\n",
                  total, sample_count, counts.described, counts.crashed, counts.timeout,
                  counts.memory, counts.slowest_ms);
    assert_int_equal(counts.described + counts.crashed + counts.timeout + counts.memory, total);
    /* What libraries do not survive is their business and the sandbox's; but it is rare. */
    assert_true(counts.crashed + counts.timeout + counts.memory <= total / 100);
}

static void test_batches(void **state)
{
    (void)state;
    assert_true(sample_count >= 60);
    counts = (struct counts){0};
    for (size_t from = 0; from < MUTANTS;) {
        size_t to = from - from % BATCH + BATCH;

        from = run_batch(from, to);
    }
    check_counts(MUTANTS);
}

/* With names as they are, and the whole way: a process each, which asks for ranges and is reaped. */
static void test_whole_way(void **state)
{
    size_t step = MUTANTS / WHOLE_WAY + 1; /* so that every sample has its turn */
    unsigned total = 0;
    char path[128];

    (void)state;
    counts = (struct counts){0};
    for (size_t i = 7; i < MUTANTS; i += step, total++) {
        struct mutant mutant = mutant_of(i);
        struct probe_rig rig;
        FILE *file;

        snprintf(path, sizeof(path), "%s/%s", folder, sample_of(i)->name);
        file = fopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(mutant.data, 1, mutant.len, file), mutant.len);
        fclose(file);
        probe_rig_look_within(&rig, path, NULL, MUTANT_CPU_S);
        counts.described += rig.outcome == PROBE_DESCRIBED;
        counts.crashed += rig.outcome == PROBE_CRASHED;
        counts.timeout += rig.outcome == PROBE_TIMEOUT;
        counts.memory += rig.outcome == PROBE_MEMORY;
        if (rig.outcome != PROBE_DESCRIBED)
            print_message("%s: %s\n", probe_outcome_word(rig.outcome), repro(i));
        assert_int_equal(rig.outcome == PROBE_DESCRIBED, rig.answer != NULL);
        probe_rig_close(&rig);
        unlink(path);
        free(mutant.data);
    }
    check_counts(total);
}

/* MUTANT=name:seed */
static int look_at_one(const char *which)
{
    const char *colon = strrchr(which, ':');
    struct report report = {0};

    for (size_t i = 0; colon && i < sample_count; i++) {
        size_t len = (size_t)(colon - which);

        if (strlen(samples[i].name) == len && strncmp(samples[i].name, which, len) == 0) {
            uint64_t seed = strtoull(colon + 1, NULL, 10);
            const struct sample *sample = &samples[i];
            struct mutant mutant = sample->stored ? mutate_stored(sample->data, sample->len, seed)
                                                  : mutate_bytes(sample->data, sample->len, seed);

            look(&mutant, sample->name, &report);
            printf("%zu bytes, %s, %u ms\n", mutant.len,
                   report.what == DESCRIBED ? "described" : report.why, report.cpu_ms);
            free(mutant.data);
            return report.what == WRONG;
        }
    }
    return 2;
}

static void test_one(void **state)
{
    (void)state;
    assert_int_equal(look_at_one(getenv("MUTANT")), 0);
}

int main(void)
{
    const struct CMUnitTest one[] = {cmocka_unit_test(test_one)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_whole_way),
    };

    if (getenv("MUTANT"))
        return cmocka_run_group_tests(one, make_all, drop_all);
    return cmocka_run_group_tests(tests, make_all, drop_all);
}
