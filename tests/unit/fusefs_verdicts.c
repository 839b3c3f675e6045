/* The table of verdicts is complete and says what it prints. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "fusefs/verdicts.h"

static void test_complete(void **state)
{
    int err = fusefs_verdicts_check();

    (void)state;
    if (err)
        fail_msg("%s", sr_error_message());
}

/* Rows are named by what a program does: tests/mount finds its cases by that name. */
static void test_requests_are_distinct(void **state)
{
    size_t count;
    const struct verdict *rows = fusefs_verdicts(&count);

    (void)state;
    assert_true(count > 44);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++)
            if (strcmp(rows[i].request, rows[j].request) == 0)
                assert_int_equal(rows[i].by, VERDICT_NONE);
        assert_null(strchr(rows[i].request, '\t'));
        assert_null(strchr(rows[i].before, '\t'));
    }
}

static void test_print(void **state)
{
    size_t count, lines = 0, size;
    char *text = NULL;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    fusefs_verdicts(&count);
    assert_non_null(out);
    fusefs_verdicts_print(out);
    fclose(out);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1, lines++) {
        size_t tabs = 0;

        for (const char *at = line; *at != '\n'; at++)
            tabs += *at == '\t';
        assert_int_equal(tabs, 5);
    }
    assert_int_equal(lines, count + 1);
    assert_non_null(strstr(text, "\nunlink\tunlink\tdaemon\tEROFS\tunlink\t"));
    assert_non_null(strstr(text, "\n-\tmmap, shared and writable\tkernel\tEACCES\t-\t"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_complete),
        cmocka_unit_test(test_requests_are_distinct),
        cmocka_unit_test(test_print),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
