/* A process that a signal kills is told from one that closes or ends by itself. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fusefs/dying.h"

/* The 52 fields of proc(5); flags and exit code are given. */
static const char *stat_text(const char *command, unsigned flags, int exit_code)
{
    static char text[512];

    snprintf(text, sizeof text,
             "42 (%s) R 1 42 42 0 -1 %u 1 0 0 0 1 1 0 0 20 0 1 0 100 0 0 18446744073709551615 0 0 "
             "0 0 0 0 0 "
             "4096 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 %d\n",
             command, flags, exit_code);
    return text;
}

static void test_text(void **state)
{
    (void)state;
    assert_true(dying_parse_stat(stat_text("smbd", 0x400144, SIGKILL)));
    assert_true(dying_parse_stat(stat_text("smbd", 0x4, SIGSEGV | 0x80))); /* with a core file */
    assert_false(dying_parse_stat(stat_text("smbd", 0x400140, SIGKILL)));  /* not exiting yet */
    assert_false(dying_parse_stat(stat_text("smbd", 0x400144, 1 << 8)));   /* exit(1) */
    assert_false(dying_parse_stat(stat_text("smbd", 0x400144, 0)));        /* exit(0) */
    assert_true(dying_parse_stat(stat_text("a) R 1 (b c", 0x400144, SIGTERM))); /* an odd name */
    assert_false(dying_parse_stat(stat_text("x) R 1 1 1 1 1 4 (y", 0, SIGKILL)));
}

static void test_damaged_text(void **state)
{
    (void)state;
    assert_false(dying_parse_stat(""));
    assert_false(dying_parse_stat("42"));
    assert_false(dying_parse_stat("42 (smbd)"));
    assert_false(dying_parse_stat("42 (smbd) R 1 42 42 0 -1 4"));
}

/* A zombie is beyond PF_EXITING and keeps its exit code: the kernel's own text, as of this
 * machine. */
static void test_killed_child(void **state)
{
    pid_t killed = fork(), ended;
    siginfo_t info;

    (void)state;
    if (killed == 0) {
        pause();
        _exit(0);
    }
    ended = fork();
    if (ended == 0)
        _exit(9);
    assert_false(dying_by_signal(killed));
    assert_false(dying_by_signal(getpid()));
    assert_false(dying_by_signal(0));
    kill(killed, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)killed, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(waitid(P_PID, (id_t)ended, &info, WEXITED | WNOWAIT), 0);
    assert_true(dying_by_signal(killed));
    assert_false(dying_by_signal(ended));
    waitpid(killed, NULL, 0);
    waitpid(ended, NULL, 0);
    assert_false(dying_by_signal(killed));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_damaged_text),
        cmocka_unit_test(test_killed_child),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
