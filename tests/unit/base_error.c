/* The error convention, and the log that prints it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/log.h"

static void test_sentence(void **state)
{
    (void)state;
    assert_int_equal(sr_fail(SR_ERR_SEALED, "object %s is sealed", "ab12"), SR_ERR_SEALED);
    assert_string_equal(sr_error_message(), "object ab12 is sealed");
    /* A sentence may be built from the one before. */
    assert_int_equal(sr_fail(SR_ERR_DAMAGED, "seal: %s", sr_error_message()), SR_ERR_DAMAGED);
    assert_string_equal(sr_error_message(), "seal: object ab12 is sealed");
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    sr_fail(SR_ERR_INVALID, "%s", text);
    assert_true(strlen(sr_error_message()) < sizeof(text));
    assert_true(strlen(sr_error_message()) >= 255);
}

static void test_errno(void **state)
{
    (void)state;
    assert_int_equal(sr_error_errno(), EIO); /* nothing failed in this thread so far */
    assert_int_equal(sr_fail_errno(EACCES, "open %s", "a"), SR_ERR_SYSTEM);
    assert_string_equal(sr_error_message(), "open a: Permission denied");
    assert_int_equal(sr_error_errno(), EACCES);
    assert_int_equal(sr_fail_errno(ENOSPC, "write"), SR_ERR_NO_SPACE);
    assert_int_equal(sr_fail_errno(EDQUOT, "write"), SR_ERR_NO_SPACE);
    assert_int_equal(sr_fail_errno(ENOMEM, "map"), SR_ERR_NO_MEMORY);
    assert_int_equal(sr_error_errno(), EACCES); /* that of the last SR_ERR_SYSTEM */
}

static void *other_thread(void *context)
{
    struct sr_error_copy *copy = context;
    if (sr_error_message()[0])
        return "a thread starts without a sentence";
    sr_error_save(copy, sr_fail_errno(EROFS, "write %s", "staging/1"));
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t thread;
    struct sr_error_copy copy;
    void *complaint;
    sr_fail(SR_ERR_BUSY, "mine");
    assert_int_equal(pthread_create(&thread, NULL, other_thread, &copy), 0);
    assert_int_equal(pthread_join(thread, &complaint), 0);
    assert_null(complaint);
    assert_string_equal(sr_error_message(), "mine");
    assert_int_equal(sr_error_raise(&copy), SR_ERR_SYSTEM);
    assert_int_equal(sr_error_errno(), EROFS);
    assert_string_equal(sr_error_message(), "write staging/1: Read-only file system");
}

static void test_long_copy(void **state)
{
    (void)state;
    struct sr_error_copy copy;
    sr_error_save(&copy, sr_fail(SR_ERR_INVALID, "%0300d", 7));
    assert_int_equal(strlen(copy.message), sizeof(copy.message) - 1);
    assert_int_equal(sr_error_raise(&copy), SR_ERR_INVALID);
    assert_string_equal(sr_error_message(), copy.message);
}

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(sr_error_word(SR_ERR_SEALED), "sealed");
    assert_string_equal(sr_error_word(SR_ERR_DAMAGED), "damaged");
    assert_string_equal(sr_error_word(1), "unknown");
    assert_string_equal(sr_error_word(SR_ERR_LAST - 1), "unknown");
    for (int a = 0; a >= SR_ERR_LAST; a--) {
        assert_string_not_equal(sr_error_word(a), "unknown");
        for (int b = 0; b > a; b--)
            assert_string_not_equal(sr_error_word(a), sr_error_word(b));
    }
}

/* Runs body with stderr going to a file, and returns what it wrote. */
static void capture(void (*body)(void), char *out, size_t size)
{
    char path[] = "/tmp/base_error.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0);
    dup2(fd, STDERR_FILENO);
    body();
    dup2(saved, STDERR_FILENO);
    close(saved);
    ssize_t got = pread(fd, out, size - 1, 0);
    close(fd);
    assert_true(got >= 0);
    out[got] = '\0';
}

static void log_some(void)
{
    sr_log(SR_LOG_WARNING, "object %s", "ab\ncd");
    sr_fail(SR_ERR_BUSY, "vault is locked");
    sr_log_failure("start");
}

static void log_long(void)
{
    sr_log(SR_LOG_INFO, "%05000d", 1);
}

static void test_log(void **state)
{
    (void)state;
    char text[8192];
    unsetenv("JOURNAL_STREAM");
    capture(log_some, text, sizeof(text));
    assert_string_equal(text, "object ab?cd\nstart: vault is locked\n");
    setenv("JOURNAL_STREAM", "8:1", 1);
    capture(log_some, text, sizeof(text));
    assert_string_equal(text, "<4>object ab?cd\n<3>start: vault is locked\n");
    capture(log_long, text, sizeof(text));
    assert_int_equal(text[strlen(text) - 1], '\n');
    unsetenv("JOURNAL_STREAM");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentence), cmocka_unit_test(test_errno),
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_long_copy),
        cmocka_unit_test(test_words),    cmocka_unit_test(test_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
