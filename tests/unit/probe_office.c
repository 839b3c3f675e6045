/* OOXML, ODF and what is made to look like them, through the real process: text in its order, properties, passwords,
 * bombs. The samples' witness is a script of zipfile and ElementTree. Damage of the XML itself is done in-process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "media/answer.h"
#include "media/probe/members.h"
#include "media/probe/office.h"
#include "tests/lib/document_rig.h"
#include "tests/lib/probe_rig.h"

#define SAMPLES "/usr/share/forensics-samples/original-files"
#define OOXML "application/vnd.openxmlformats-officedocument."
#define DOCX OOXML "wordprocessingml.document"
#define XLSX OOXML "spreadsheetml.sheet"
#define PPTX OOXML "presentationml.presentation"
#define ODF "application/vnd.oasis.opendocument."

static char folder[PROBE_RIG_FOLDER];

static int make_folder(void **state)
{
    (void)state;
    return probe_rig_make("office", folder);
}

static int drop_folder(void **state)
{
    (void)state;
    return probe_rig_drop(folder);
}

static void test_samples(void **state)
{
    struct sr_buf list = {0};
    char *saved = NULL;
    int files = 0;

    (void)state;
    document_rig_command("find " SAMPLES " -name '*.docx' -o -name '*.odt'", &list);
    for (char *path = strtok_r(list.data, "\n", &saved); path;
         path = strtok_r(NULL, "\n", &saved), files++) {
        struct sr_buf text = {0}, type = {0};
        struct probe_rig rig;
        char command[512];

        probe_rig_look(&rig, path, NULL);
        assert_int_equal(rig.outcome, PROBE_DESCRIBED);
        snprintf(command, sizeof(command), "/usr/bin/python3 tests/lib/document_witness.py '%s'",
                 path);
        document_rig_command(command, &text);
        document_rig_squeeze(&text);
        document_rig_squeeze(&rig.text);
        assert_string_equal(rig.text.data, text.data);
        snprintf(command, sizeof(command), "file -b --mime-type '%s'", path);
        document_rig_command(command, &type);
        document_rig_squeeze(&type);
        assert_string_equal(probe_rig_text(&rig, "type"), type.data);
        assert_string_equal(probe_rig_text(&rig, "author"), "Eriberto Mota");
        assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), 2);
        assert_int_equal(strncmp(probe_rig_text(&rig, "created"), "2020-09-11T22:18:59", 19), 0);
        assert_int_equal(strncmp(probe_rig_text(&rig, "modified"), "2020-09-11T22:", 14), 0);
        assert_int_equal(strncmp(probe_rig_text(&rig, "software"), "LibreOffice/7.0.1.2", 19), 0);
        assert_null(json_object_get(rig.answer, "findings"));
        sr_buf_free(&text);
        sr_buf_free(&type);
        probe_rig_close(&rig);
    }
    assert_int_equal(files, 4);
    sr_buf_free(&list);
}

/* Long: one table. */
static void test_made(void **state)
{
    static const struct {
        const char *name, *type, *text, *finding; /* finding: the only one; NULL: none */
    } cases[] = {
        {"rich.docx", DOCX, "甲\t乙 \n丙\n移-\n框内\n汉\n格一\n格二\n脚注\n批注\n页眉\n", NULL},
        {"gbk.docx", DOCX, "简体\n", NULL},
        {"book.xlsx", XLSX, "后\n当事人\t12.5\t内\n注\n前\n张三\t12.5\t内\n", NULL},
        {"deck.pptx", PPTX, "一\n备注\n二\n", NULL},
        {"text.odt", ODF "text", "题\n甲 乙 丙\t丁\n戊\n眉\n脚\n", NULL},
        {"table.ods", ODF "spreadsheet", "表一\n甲\n乙\n", NULL},
        {"deck.odp", ODF "presentation", "一\n二\n", NULL},
        {"renamed.pdf", DOCX, "甲\n", "extension"},
        {"renamed.xlsx", "application/zip", "", "extension"},
        {"twins.docx", DOCX, "先\n", "twins"},
        {"case.docx", DOCX, "真\n", "twins"},
        {"equals.docx", DOCX, "后\n", NULL},
        {"box.docx", DOCX, "行政\n处罚\n", NULL},
        {"spans.odt", ODF "text", "No. 7\n汉字\n", NULL},
        {"notes.odt", ODF "text", "行政处罚甲\n批注一\n批注二\n脚 注\n后\n", NULL},
        {"nothing.docx", DOCX, "", "broken"},
        {"archive.zip", "application/zip", "", NULL},
        {"program.jar", "application/zip", "", NULL},
        {"locked.zip", "application/zip", "", "encrypted"},
        {"locked.odt", ODF "text", "", "encrypted"},
        {"locked.docx", "application/encrypted", "", "encrypted"},
        {"locked_large.xlsx", "application/encrypted", "", "encrypted"},
        {"locked_huge.pptx", "application/encrypted", "", "encrypted"},
        {"old.doc", "application/x-ole-storage", "", NULL},
        {"chains.doc", "application/x-ole-storage", "", NULL},
        {"sheets.xlsx", XLSX, "", "bomb"},
        {"laughs.docx", DOCX, "", "bomb"},
        {"laughs_16.docx", DOCX, "", "bomb"},
        {"laughs_value.docx", DOCX, "", "bomb"},
        {"quadratic.docx", DOCX, "", "bomb"},
        {"quadratic_16.docx", DOCX, "", "bomb"},
        {"quadratic_value.docx", DOCX, "", "bomb"},
        {"outside.docx", DOCX, "", "bomb"},
        {"deep.docx", DOCX, "", "bomb"},
        {"overlong.docx", DOCX, "a??b\n", NULL},
        {"wide.docx", DOCX, "", "bomb"},
        {"wide_many.docx", DOCX, "", "bomb"},
        {"wide_16.docx", DOCX, "", "bomb"},
        {"prolog.docx", DOCX, "<!DOCTYPE\n", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct probe_rig rig;
        size_t findings;

        probe_rig_made(&rig, folder, cases[i].name, 0);
        findings = json_array_size(json_object_get(rig.answer, "findings"));
        if (strcmp(rig.text.data, cases[i].text) != 0)
            fail_msg("%s: text is '%s'", cases[i].name, rig.text.data);
        if (strcmp(probe_rig_text(&rig, "type"), cases[i].type) != 0)
            fail_msg("%s: type is %s", cases[i].name, probe_rig_text(&rig, "type"));
        if (findings != (cases[i].finding != NULL) ||
            (cases[i].finding && !probe_rig_finding(&rig, cases[i].finding)))
            fail_msg("%s: not the findings that were expected", cases[i].name);
        assert_int_equal(json_is_true(json_object_get(rig.answer, "encrypted")),
                         cases[i].finding && strcmp(cases[i].finding, "encrypted") == 0);
        probe_rig_close(&rig);
    }
}

static void test_properties(void **state)
{
    static const char *const expected[][3] = {
        {"rich.docx", "title", "台账"},
        {"rich.docx", "author", "李四"},
        {"rich.docx", "software", "WPS"},
        {"rich.docx", "created", "2026-03-05T06:03:22Z"},
        {"rich.docx", "created_ns", "1772690602000000000"},
        {"rich.docx", "modified", "2026-03-06T06:03:22+08:00"},
        {"rich.docx", "modified_ns", "1772748202000000000"},
        {"text.odt", "author", "作者"},
        {"text.odt", "created", "2026-03-05T06:03:22"},
        {"text.odt", "created_ns", ""},
        {"text.odt", "modified", "2026-03-06T06:03:22"},
        {"text.odt", "software", "G"},
    };
    static const struct {
        const char *name;
        int pages;
    } pages[] = {{"rich.docx", 7}, {"deck.pptx", 2}, {"text.odt", 3}, {"deck.odp", 2}};
    struct probe_rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        probe_rig_made(&rig, folder, expected[i][0], 0);
        assert_string_equal(probe_rig_text(&rig, expected[i][1]), expected[i][2]);
        probe_rig_close(&rig);
    }
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        probe_rig_made(&rig, folder, pages[i].name, 0);
        assert_int_equal(json_integer_value(json_object_get(rig.answer, "pages")), pages[i].pages);
        probe_rig_close(&rig);
    }
}

/* Flips, cuts and doublings of one member's bytes. */
static void damage(struct member *member, unsigned *seed)
{
    size_t at = (size_t)rand_r(seed) % (member->len + 1);

    switch (rand_r(seed) % 3) {
    case 0:
        member->len = at;
        break;
    case 1:
        for (size_t i = at; i < member->len && i < at + 8; i++)
            member->data[i] = (char)(member->data[i] ^ 1 << rand_r(seed) % 8);
        break;
    default:
        memmove(member->data + at / 2, member->data + at, member->len - at);
        break;
    }
    member->data[member->len] = '\0';
}

/* What the package's own checksums would keep from the readers of XML. */
static void damage_file(const char *name, unsigned *seed)
{
    struct members members = {0};
    struct document_rig rig;
    char path[128];
    size_t len;
    uint8_t *data;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    data = document_rig_file(path, &len);
    document_rig_open(&rig, data, len);
    assert_int_equal(members_list(rig.source, rig.answer, &members), 0);
    assert_int_equal(members_read(rig.source, office_wants, rig.answer, &members), 0);
    for (int flips = 1 + rand_r(seed) % 3; flips > 0; flips--) {
        struct member *member = &members.items[(size_t)rand_r(seed) % members.count];

        if (member->data)
            damage(member, seed);
    }
    describe_text_value(rig.answer, "type", "application/zip");
    assert_int_equal(office_describe(&members,
                                     strstr(name, "odt")    ? ODF "text"
                                     : strstr(name, "xlsx") ? XLSX
                                     : strstr(name, "pptx") ? PPTX
                                                            : DOCX,
                                     rig.answer),
                     0);
    assert_int_equal(answer_check(document_rig_result(&rig)), 0);
    document_rig_close(&rig);
    members_free(&members);
    free(data);
}

static void test_damaged_xml(void **state)
{
    static const char *const names[] = {"rich.docx", "book.xlsx", "deck.pptx", "text.odt"};
    unsigned seed = 4;

    (void)state;
    for (size_t i = 0; i < 4000; i++)
        damage_file(names[i % 4], &seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_made),
        cmocka_unit_test(test_properties),
        cmocka_unit_test(test_damaged_xml),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
