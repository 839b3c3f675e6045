/* OFD (GB/T 33190) through the real process: the public samples against a script of zipfile and ElementTree, files
 * whose names are in GB18030, several documents in one, attachments. */
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

#define OFD "application/ofd"

static char folder[PROBE_RIG_FOLDER];

static int make_folder(void **state)
{
    (void)state;
    return probe_rig_make("ofd", folder);
}

static int drop_folder(void **state)
{
    (void)state;
    return probe_rig_drop(folder);
}

static void look(struct probe_rig *rig, const char *name, unsigned cpu_s)
{
    probe_rig_made(rig, folder, name, cpu_s);
    assert_string_equal(probe_rig_text(rig, "type"), OFD);
}

static const char *attachment(const struct probe_rig *rig, size_t n)
{
    const json_t *list = json_object_get(rig->answer, "attachments");
    const char *name = json_string_value(json_object_get(json_array_get(list, n), "name"));

    return name ? name : "";
}

static void test_samples(void **state)
{
    static const struct {
        const char *name, *created, *software, *attachment;
        int pages;
        size_t signatures;
    } cases[] = {
        {"999.ofd", "2020-08-17T00:00:00", "Huhuang Software", "original_invoice.xml", 5, 1},
        {"AddAttachment.ofd", "2020-05-20T00:00:00", "OFD R&W", "Gao", 1, 0},
        {"DigitalSign.ofd", "2020-04-16T00:00:00", "OFD R&W", "", 1, 1},
        {"Page5.ofd", "2020-04-25T00:00:00", "OFD R&W", "", 5, 0},
        {"SESV4SignDoc.ofd", "2020-04-25T00:00:00", "OFD R&W", "", 1, 1},
        {"allprotected.ofd", "2020-04-25T00:00:00", "OFD R&W", "", 1, 1},
        {"chineseDir.ofd", "2020-09-21T00:00:00", "OFD R&W", "", 1, 0},
        {"hello.ofd", "2021-06-02T00:00:00", "OFD R&W", "", 2, 0},
        {"helloworld.ofd", "2020-09-21T00:00:00", "OFD R&W", "", 1, 0},
        {"namespace_no_std.ofd", "2020-04-25T00:00:00", "OFD R&W", "", 1, 0},
    };
    const char *shared = getenv("SHARED");

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[512], command[600];
        struct sr_buf text = {0};
        struct probe_rig rig;

        snprintf(path, sizeof(path), "%s/vectors/ofd/%s", shared ? shared : "../shared",
                 cases[i].name);
        probe_rig_look(&rig, path, NULL);
        assert_int_equal(rig.outcome, PROBE_DESCRIBED);
        snprintf(command, sizeof(command), "/usr/bin/python3 tests/lib/document_witness.py '%s'",
                 path);
        document_rig_command(command, &text);
        document_rig_squeeze(&text);
        document_rig_squeeze(&rig.text);
        assert_string_equal(rig.text.data, text.data);
        assert_string_equal(probe_rig_text(&rig, "type"), OFD);
        assert_string_equal(probe_rig_text(&rig, "created"), cases[i].created);
        assert_string_equal(probe_rig_text(&rig, "software"), cases[i].software);
        assert_string_equal(attachment(&rig, 0), cases[i].attachment);
        assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), cases[i].pages);
        assert_int_equal(json_array_size(json_object_get(rig.answer, "signatures")),
                         cases[i].signatures);
        assert_null(json_object_get(rig.answer, "findings"));
        sr_buf_free(&text);
        probe_rig_close(&rig);
    }
}

static void test_names(void **state)
{
    static const char *const names[] = {"utf8.ofd", "gbk.ofd", "renamed_ofd.zip"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct probe_rig rig;

        look(&rig, names[i], 0);
        assert_string_equal(rig.text.data, "强制措施\n");
        assert_string_equal(probe_rig_text(&rig, "title"), "决定书");
        assert_string_equal(probe_rig_text(&rig, "author"), "王五");
        assert_string_equal(probe_rig_text(&rig, "software"), "甲程序");
        assert_string_equal(probe_rig_text(&rig, "created"), "2026-03-05T00:00:00");
        assert_string_equal(probe_rig_text(&rig, "modified"), "2026-03-06T10:00:00");
        assert_null(json_object_get(rig.answer, "findings"));
        probe_rig_close(&rig);
    }
}

static void test_several(void **state)
{
    struct probe_rig rig;

    (void)state;
    look(&rig, "two.ofd", 0);
    assert_string_equal(rig.text.data, "甲连 隔\n行\n乙\n底\n丙\n");
    assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), 4);
    assert_string_equal(attachment(&rig, 0), "清单.xml");
    assert_string_equal(attachment(&rig, 1), "图.png");
    assert_string_equal(attachment(&rig, 2), "");
    assert_true(probe_rig_finding(&rig, "broken")); /* a page that is not there */
    probe_rig_close(&rig);
    look(&rig, "other_namespace.ofd", 0);
    assert_string_equal(rig.text.data, "字\n");
    probe_rig_close(&rig);
    look(&rig, "many.ofd", 0);
    assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), 64);
    assert_true(probe_rig_finding(&rig, "truncated"));
    probe_rig_close(&rig);
}

/* Two documents whose dates are of different exactness: the first one's, with nothing of the other's. */
static void test_dates(void **state)
{
    struct probe_rig rig;

    (void)state;
    look(&rig, "dates.ofd", 0);
    assert_string_equal(probe_rig_text(&rig, "created"), "2026-03-05T00:00:00");
    assert_null(json_object_get(rig.answer, "created_ns"));
    probe_rig_close(&rig);
}

/* Members whose names differ in the case of letters: the one that is named counts, also for a signature. */
static void test_case(void **state)
{
    const json_t *signature;
    struct probe_rig rig;

    (void)state;
    look(&rig, "case.ofd", 0);
    assert_string_equal(rig.text.data, "字\n");
    assert_true(probe_rig_finding(&rig, "twins"));
    probe_rig_close(&rig);
    look(&rig, "signed_case.ofd", 0);
    signature = json_array_get(json_object_get(rig.answer, "signatures"), 0);
    assert_true(json_is_false(json_object_get(signature, "intact")));
    probe_rig_close(&rig);
    look(&rig, "signed_space.ofd", 0);
    signature = json_array_get(json_object_get(rig.answer, "signatures"), 0);
    assert_true(json_is_null(json_object_get(signature, "intact")));
    probe_rig_close(&rig);
}

/* What cannot be read is not said to have changed. */
static void test_signed_large(void **state)
{
    const json_t *signature;
    struct probe_rig rig;

    (void)state;
    look(&rig, "signed_large.ofd", 0);
    assert_string_equal(rig.text.data, "大\n");
    assert_true(probe_rig_finding(&rig, "bomb"));
    signature = json_array_get(json_object_get(rig.answer, "signatures"), 0);
    assert_true(json_is_null(json_object_get(signature, "intact")));
    probe_rig_close(&rig);
}

/* 19,000 times a page that takes long and says nothing: there is an answer before the time is up. */
static void test_late(void **state)
{
    struct probe_rig rig;

    (void)state;
    look(&rig, "again.ofd", 4);
    assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), 19000);
    assert_true(probe_rig_finding(&rig, "truncated"));
    probe_rig_close(&rig);
}

/* The same under names that promise other content. */
static void test_promises(void **state)
{
    static const struct {
        const char *name;
        bool disagrees;
    } cases[] = {{"文书.ofd", false}, {"文书.OFD", false}, {"文书.pdf", true},
                 {"文书.docx", true}, {"文书", false},     {"文书.jpg", true}};
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/utf8.ofd", folder);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe_rig rig;

        probe_rig_look(&rig, path, cases[i].name);
        assert_int_equal(rig.outcome, PROBE_DESCRIBED);
        assert_string_equal(rig.text.data, "强制措施\n");
        assert_int_equal(probe_rig_finding(&rig, "extension"), cases[i].disagrees);
        probe_rig_close(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_several),      cmocka_unit_test(test_late),
        cmocka_unit_test(test_signed_large), cmocka_unit_test(test_promises),
        cmocka_unit_test(test_dates),        cmocka_unit_test(test_case),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
