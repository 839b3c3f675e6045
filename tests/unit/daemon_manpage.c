/* strongroomd(8) shows the table of verdicts as it is in the code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/io.h"
#include "fusefs/verdicts.h"

#define PAGE "docs/man/strongroomd.8"
#define BEGIN ".\\\" BEGIN VERDICTS\n"
#define END ".\\\" END VERDICTS\n"

/* One item a row; rows of what never occurs are left out. */
static void format_rows(struct sr_buf *out)
{
    size_t count = 0;
    const struct verdict *rows = fusefs_verdicts(&count);

    sr_buf_text(out, ".Bl -tag -width Ds -compact\n");
    for (size_t i = 0; i < count; i++) {
        if (rows[i].by == VERDICT_NONE)
            continue;
        sr_buf_format(out, ".It %s\n", rows[i].request);
        if (rows[i].by == VERDICT_ANSWERED)
            sr_buf_text(out, "answered");
        else if (rows[i].by == VERDICT_KERNEL)
            sr_buf_format(out, "%s, by the kernel", strerrorname_np(rows[i].error));
        else
            sr_buf_format(out, "%s, recorded as %s", strerrorname_np(rows[i].error), rows[i].act);
        if (rows[i].before[0] != '\0')
            sr_buf_format(out, ";\nbefore the seal: %s", rows[i].before);
        sr_buf_text(out, "\n");
    }
    sr_buf_text(out, ".El\n");
}

static void test_table_in_page(void **state)
{
    struct sr_buf expected = {0};
    uint8_t *page = NULL;
    size_t len = 0;
    char *begin, *end, *text;

    (void)state;
    assert_int_equal(sr_io_read_file(sr_io_posix(), PAGE, 1 << 20, &page, &len), 0);
    text = strndup((const char *)page, len);
    free(page);
    assert_non_null(text);
    begin = strstr(text, BEGIN);
    end = strstr(text, END);
    assert_true(begin != NULL && end != NULL && begin < end);
    *end = '\0';
    format_rows(&expected);
    assert_false(expected.failed);
    if (strcmp(begin + strlen(BEGIN), expected.data) != 0) {
        fprintf(stderr, "between the marks of " PAGE " there should stand:\n%s", expected.data);
        fail();
    }
    sr_buf_free(&expected);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table_in_page)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
