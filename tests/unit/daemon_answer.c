/* Answers: their lines, and that a client which does not read costs nothing but its own thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "daemon/answer.h"

struct ends {
    int ours, theirs;
    atomic_bool stop;
    struct answer answer;
};

static int connect_ends(void **state)
{
    struct ends *ends = calloc(1, sizeof *ends);
    int pair[2], small = 4096;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return -1;
    ends->ours = pair[0];
    ends->theirs = pair[1];
    setsockopt(ends->ours, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    answer_init(&ends->answer, ends->ours, &ends->stop);
    *state = ends;
    return 0;
}

static int close_ends(void **state)
{
    struct ends *ends = *state;

    answer_free(&ends->answer);
    close(ends->ours);
    if (ends->theirs >= 0)
        close(ends->theirs);
    free(ends);
    return 0;
}

static void received(struct ends *ends, const char *expected)
{
    char text[1024] = "";
    ssize_t got = recv(ends->theirs, text, sizeof text - 1, MSG_DONTWAIT);

    assert_int_equal(got, strlen(expected));
    assert_string_equal(text, expected);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void test_lines(void **state)
{
    struct ends *ends = *state;

    assert_int_equal(answer_progress(&ends->answer, 1, 10), 0);
    assert_int_equal(answer_progress(&ends->answer, 2, 10), 0); /* too soon: dropped */
    assert_int_equal(answer_item(&ends->answer, json_string("甲")), 0);
    assert_true(answer_queue(&ends->answer, json_integer(2)));
    answer_result(&ends->answer, json_pack("{s:i}", "n", 3));
    received(ends, "{\"progress\":{\"done\":1,\"total\":10}}\n{\"item\":\"甲\"}\n{\"item\":2}\n"
                   "{\"ok\":true,\"result\":{\"n\":3}}\n");
}

static void test_empty_result(void **state)
{
    struct ends *ends = *state;

    answer_result(&ends->answer, NULL);
    received(ends, "{\"ok\":true,\"result\":{}}\n");
}

static void test_error(void **state)
{
    struct ends *ends = *state;

    answer_error(&ends->answer, sr_fail(SR_ERR_SEALED, "已封存"), false);
    received(ends, "{\"ok\":false,\"error\":\"sealed\",\"message\":\"已封存\"}\n");
}

static void test_error_retry_not_utf8(void **state)
{
    struct ends *ends = *state;

    answer_error(&ends->answer, sr_fail(SR_ERR_BUSY, "\xff\xfe"), true);
    received(ends, "{\"ok\":false,\"error\":\"busy\",\"retry\":true,\"message\":\"busy\"}\n");
}

/* Out of memory for an item: an error, and no half line. */
static void test_no_item(void **state)
{
    struct ends *ends = *state;

    assert_int_equal(answer_item(&ends->answer, NULL), SR_ERR_NO_MEMORY);
    assert_false(answer_queue(&ends->answer, NULL));
    answer_error(&ends->answer, SR_ERR_NO_MEMORY, false);
    received(ends, "{\"ok\":false,\"error\":\"no_memory\",\"message\":\"out of memory for an "
                   "answer\"}\n");
}

/* Nobody reads: progress and queued items return at once, however many. */
static void test_never_blocks(void **state)
{
    struct ends *ends = *state;
    double began = now();
    bool dropped = false;
    size_t queued = 0;

    while (!dropped && queued < 1000000) {
        json_t *item =
            json_stringn("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 64);

        dropped = !answer_queue(&ends->answer, item);
        queued++;
        if (queued % 10000 == 0)
            assert_int_equal(answer_progress(&ends->answer, queued, 0), 0);
    }
    assert_true(dropped);
    assert_true(ends->answer.out.len < 2 * ANSWER_QUEUE_MAX + 4096);
    assert_true(now() - began < 5);
}

static void *stop_soon(void *context)
{
    struct ends *ends = context;
    struct timespec wait = {.tv_nsec = 100000000};

    nanosleep(&wait, NULL);
    atomic_store(&ends->stop, true);
    return NULL;
}

/* A sender that waits for its client gives up when the daemon ends. */
static void test_stop_ends_waiting(void **state)
{
    struct ends *ends = *state;
    pthread_t thread;
    double began = now();
    int rc = 0;

    assert_int_equal(pthread_create(&thread, NULL, stop_soon, ends), 0);
    while (rc == 0 && now() - began < 8)
        rc = answer_item(&ends->answer, json_string("0123456789012345678901234567890123456789"));
    pthread_join(thread, NULL);
    assert_int_equal(rc, SR_ERR_CLOSED);
    assert_true(now() - began < 4);
    assert_true(answer_gone(&ends->answer));
    assert_int_not_equal(answer_progress(&ends->answer, 1, 2), 0);
}

static void test_client_leaves(void **state)
{
    struct ends *ends = *state;

    assert_false(answer_gone(&ends->answer));
    shutdown(ends->theirs, SHUT_WR); /* it asked and still listens */
    assert_false(answer_gone(&ends->answer));
    close(ends->theirs);
    ends->theirs = -1;
    assert_true(answer_gone(&ends->answer));
    assert_int_equal(answer_item(&ends->answer, json_true()), SR_ERR_CLOSED);
    answer_result(&ends->answer, NULL); /* no signal, no wait */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, connect_ends, close_ends)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_lines),
        CASE(test_empty_result),
        CASE(test_error),
        CASE(test_error_retry_not_utf8),
        CASE(test_no_item),
        CASE(test_never_blocks),
        CASE(test_stop_ends_waiting),
        CASE(test_client_leaves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
