/* Human output: widths of Chinese text, alignment, sizes, and text that must not reach a
 * terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/column.h"

static char *printed(const struct column_table *table, const char *safe)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (table != NULL)
        column_print(table, out);
    else
        column_print_safe(out, safe);
    fclose(out);
    return text;
}

static void test_width(void **state)
{
    (void)state;
    assert_int_equal(column_width(""), 0);
    assert_int_equal(column_width("a.mp4"), 5);
    assert_int_equal(column_width("示例〔2026〕1号"), 4 + 2 + 4 + 2 + 1 + 2);
    assert_int_equal(column_width("e\xcc\x81"), 1); /* combining acute */
    assert_int_equal(column_width("\xf0\xa0\x80\x80"), 2);
    assert_int_equal(column_width("\xff\x1b\xe4\xb8"), 4); /* each shown as '?' */
}

static void test_sizes(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } sizes[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {10188, "9.9 KiB"},
        {10189, "10 KiB"},
        {1048063, "1023 KiB"},
        {1048064, "1.0 MiB"},
        {3000000, "2.9 MiB"},
        {UINT64_C(1) << 40, "1.0 TiB"},
        {UINT64_MAX, "16 EiB"},
    };
    char text[COLUMN_SIZE_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        column_size(sizes[i].bytes, text);
        assert_string_equal(text, sizes[i].text);
    }
}

static void test_table(void **state)
{
    static const char *const rows[][3] = {
        {"sealed", "12 B", "现场.mp4"}, {"incomplete", "1.0 GiB", NULL}, {"封存", "", "x"}};
    struct column_table table = {.columns = 3, .right = 2};
    char *text;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        column_row(&table, rows[i]);
    text = printed(&table, NULL);
    assert_string_equal(text, "sealed         12 B  现场.mp4\n"
                              "incomplete  1.0 GiB\n"
                              "封存                 x\n");
    free(text);
    column_free(&table);
    text = printed(&table, NULL); /* zeroed, and so empty */
    assert_string_equal(text, "");
    free(text);
}

static void test_many_rows(void **state)
{
    static const char *const row[1] = {"x"};
    struct column_table table = {.columns = 1};
    char *text;

    (void)state;
    for (int i = 0; i < 1000; i++)
        column_row(&table, row);
    text = printed(&table, NULL);
    assert_int_equal(strlen(text), 2000);
    free(text);
    column_free(&table);
}

static void test_safe_text(void **state)
{
    static const struct {
        const char *in, *out;
    } texts[] = {
        {"示例〔2026〕1号", "示例〔2026〕1号"},
        {"\x1b[2Jx\ny\x7f", "?[2Jx?y?"},
        {"a\xc2\x9b"
         "2Jb",
         "a?2Jb"}, /* C1: CSI */
        {"a\xe2\x80\xae"
         "fdp.exe",
         "a?fdp.exe"},           /* right-to-left override */
        {"\xe4\xb8", "??"},      /* cut off */
        {"\xed\xa0\x80", "???"}, /* a surrogate */
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char *text = printed(NULL, texts[i].in);

        assert_string_equal(text, texts[i].out);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_width),     cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_table),     cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_safe_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
