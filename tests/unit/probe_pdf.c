/* PDF through the real process: inside of the sandbox poppler has neither converters nor tables but those that were
 * prepared, so text and properties are compared with what pdftotext and pdfinfo say outside of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/document_rig.h"
#include "tests/lib/probe_rig.h"

#define SAMPLES "/usr/share/forensics-samples/original-files"

static char folder[PROBE_RIG_FOLDER];

static int make_folder(void **state)
{
    (void)state;
    return probe_rig_make("pdf", folder);
}

static int drop_folder(void **state)
{
    (void)state;
    return probe_rig_drop(folder);
}

/* What pdfinfo says of label, without the blanks before it; "" for nothing. */
static void info_of(const char *info, const char *label, char out[256])
{
    const char *at = strstr(info, label);

    out[0] = '\0';
    if (at) {
        at += strlen(label);
        at += strspn(at, " ");
        snprintf(out, 256, "%.*s", (int)strcspn(at, "\n"), at);
    }
}

static void check_property(const struct probe_rig *rig, const char *path, const char *key,
                           const char *info, const char *label)
{
    char expected[256];

    info_of(info, label, expected);
    if (strcmp(probe_rig_text(rig, key), expected) != 0)
        fail_msg("%s: %s is '%s', by pdfinfo '%s'", path, key, probe_rig_text(rig, key), expected);
}

/* pdfinfo leaves out the minutes of an offset that has none. */
static void check_time(const struct probe_rig *rig, const char *path, const char *key,
                       const char *info, const char *label)
{
    char expected[256 + 4], ours[64];

    info_of(info, label, expected);
    if (strlen(expected) == 22 && expected[21] != 'Z')
        strcat(expected, ":00");
    snprintf(ours, sizeof(ours), "%s", probe_rig_text(rig, key));
    if (strcmp(ours, expected) != 0)
        fail_msg("%s: %s is '%s', by pdfinfo '%s'", path, key, ours, expected);
}

/* Against the witnesses; returns the number of pages. */
static int check_file(const char *path)
{
    struct sr_buf info = {0}, text = {0};
    struct probe_rig rig;
    char command[512], pages[256];

    probe_rig_look(&rig, path, NULL);
    if (rig.outcome != PROBE_DESCRIBED)
        fail_msg("%s: %s", path, probe_outcome_word(rig.outcome));
    snprintf(command, sizeof(command), "pdfinfo -enc UTF-8 -isodates '%s'", path);
    document_rig_command(command, &info);
    snprintf(command, sizeof(command), "pdftotext -enc UTF-8 '%s' -", path);
    document_rig_command(command, &text);
    document_rig_squeeze(&text);
    document_rig_squeeze(&rig.text);
    assert_string_equal(rig.text.data, text.data);
    check_property(&rig, path, "title", info.data, "Title:");
    check_property(&rig, path, "author", info.data, "Author:");
    check_property(&rig, path, "software", info.data,
                   strstr(info.data, "Creator:") ? "Creator:" : "Producer:");
    check_time(&rig, path, "created", info.data, "CreationDate:");
    check_time(&rig, path, "modified", info.data, "ModDate:");
    check_property(&rig, path, "format_version", info.data, "PDF version:");
    info_of(info.data, "Pages:", pages);
    assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), atoi(pages));
    assert_null(json_object_get(rig.answer, "findings"));
    sr_buf_free(&info);
    sr_buf_free(&text);
    probe_rig_close(&rig);
    return atoi(pages);
}

static void test_samples(void **state)
{
    struct sr_buf list = {0};
    char *saved = NULL;
    int files = 0;

    (void)state;
    document_rig_command("find " SAMPLES " -name '*text.pdf'", &list);
    for (char *path = strtok_r(list.data, "\n", &saved); path;
         path = strtok_r(NULL, "\n", &saved), files++)
        assert_int_equal(check_file(path), 2);
    assert_int_equal(files, 2);
    sr_buf_free(&list);
}

static void test_made(void **state)
{
    static const char *const names[] = {"ucs2.pdf", "gbk.pdf", "attached.pdf", "long.pdf"};
    char path[128];

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        assert_int_equal(check_file(path), strcmp(names[i], "long.pdf") == 0 ? 3000 : 1);
    }
}

/* What the witnesses might get wrong in the same way: their library is the same. */
static void test_values(void **state)
{
    struct probe_rig rig;

    (void)state;
    probe_rig_made(&rig, folder, "ucs2.pdf", 0);
    assert_string_equal(rig.text.data, "行政处罚决定书\n");
    assert_string_equal(probe_rig_text(&rig, "title"), "处罚决定");
    assert_string_equal(probe_rig_text(&rig, "author"), "王五");
    assert_string_equal(probe_rig_text(&rig, "software"), "Latin é");
    assert_string_equal(probe_rig_text(&rig, "created"), "2026-03-05T14:03:22+08:00");
    assert_string_equal(probe_rig_text(&rig, "created_ns"), "1772690602000000000");
    assert_string_equal(probe_rig_text(&rig, "modified_ns"), "1772777002000000000");
    assert_string_equal(probe_rig_text(&rig, "format_version"), "1.7");
    probe_rig_close(&rig);
    probe_rig_made(&rig, folder, "gbk.pdf", 0);
    assert_string_equal(rig.text.data, "当事人张三\n");
    probe_rig_close(&rig);
    probe_rig_made(&rig, folder, "attached.pdf", 0);
    const json_t *list = json_object_get(rig.answer, "attachments");
    assert_int_equal(json_array_size(list), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "name")),
                        "清单.txt");
    probe_rig_close(&rig);
}

static void test_locked(void **state)
{
    struct sr_buf list = {0};
    char *saved = NULL;
    struct probe_rig rig;
    int files = 0;

    (void)state;
    document_rig_command("find " SAMPLES " -name '*pass*.pdf'", &list);
    for (char *path = strtok_r(list.data, "\n", &saved); path;
         path = strtok_r(NULL, "\n", &saved), files++) {
        probe_rig_look(&rig, path, NULL);
        assert_int_equal(rig.outcome, PROBE_DESCRIBED);
        assert_true(json_is_true(json_object_get(rig.answer, "encrypted")));
        assert_true(probe_rig_finding(&rig, "encrypted"));
        assert_int_equal(rig.text.len, 0);
        probe_rig_close(&rig);
    }
    assert_int_equal(files, 2);
    sr_buf_free(&list);
}

static void test_broken(void **state)
{
    static const struct {
        const char *name, *type, *finding;
    } cases[] = {
        {"empty.pdf", "application/x-empty", "extension"},
        {"header.pdf", "application/pdf", "broken"},
        {"loop.pdf", "application/pdf", NULL},
    };
    struct probe_rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        probe_rig_made(&rig, folder, cases[i].name, 0);
        assert_string_equal(probe_rig_text(&rig, "type"), cases[i].type);
        if (cases[i].finding && !probe_rig_finding(&rig, cases[i].finding))
            fail_msg("%s is not found %s", cases[i].name, cases[i].finding);
        assert_int_equal(rig.text.len, 0);
        probe_rig_close(&rig);
    }
}

/* Poppler comes back from a page when it is through with it: what was found before is said all the same. */
static void test_unreturned(void **state)
{
    struct probe_rig rig;
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/operators.pdf", folder);
    probe_rig_look_within(&rig, path, NULL, 1);
    if (rig.outcome != PROBE_DESCRIBED)
        fail_msg("%s", probe_outcome_word(rig.outcome));
    assert_string_equal(probe_rig_text(&rig, "title"), "处罚决定");
    assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), 2);
    assert_string_equal(rig.text.data, "first\n");
    assert_true(probe_rig_finding(&rig, "truncated"));
    assert_true(json_is_true(json_object_get(json_object_get(rig.answer, "text"), "truncated")));
    probe_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples), cmocka_unit_test(test_made),
        cmocka_unit_test(test_values),  cmocka_unit_test(test_locked),
        cmocka_unit_test(test_broken),  cmocka_unit_test(test_unreturned),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
