/* Office documents, OFD and PDF: every sample against another road to its text, bombs, passwords, damage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/answer.h"
#include "media/probe/package.h"
#include "media/probe/pdf.h"
#include "tests/lib/document_rig.h"

#define SAMPLES "/usr/share/forensics-samples/original-files"
#define WITNESS "/usr/bin/python3 tests/lib/document_witness.py "

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    pdf_prepare();
    strcpy(folder, "/tmp/srt-document.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int drop_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

/* Describes; the answer is one that the daemon takes. */
static void look(struct document_rig *rig, const void *data, size_t len, bool pdf)
{
    const char *type;
    document_rig_open(rig, data, len);
    if (pdf) {
        describe_text_value(rig->answer, "type", "application/pdf");
        assert_int_equal(pdf_describe(rig->source, rig->answer, "application/pdf"), 0);
    } else {
        assert_int_equal(package_describe(rig->source, rig->answer, "application/zip", &type), 0);
    }
    document_rig_result(rig);
    if (answer_check(rig->result) < 0)
        fail_msg("the answer is refused");
}

static uint8_t *made(const char *kind, size_t *len)
{
    struct sr_buf out = {0};
    char command[256], path[128];
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    snprintf(command, sizeof command, WITNESS "--make %s %s", kind, path);
    document_rig_command(command, &out);
    sr_buf_free(&out);
    return document_rig_file(path, len);
}

static char *list_of(const char *command)
{
    struct sr_buf out = {0};
    document_rig_command(command, &out);
    return out.data;
}

static void test_every_sample(void **state)
{
    char *list =
             list_of("find " SAMPLES
                     " ${SHARED:-../shared}/vectors/ofd -name '*.docx' -o -name '*.odt' -o -name "
                     "'*.ofd' -o -name '*text.pdf'"),
         *saved = NULL;
    unsigned files = 0;
    (void)state;
    for (char *path = strtok_r(list, "\n", &saved); path != NULL;
         path = strtok_r(NULL, "\n", &saved), files++) {
        bool pdf = strstr(path, ".pdf") != NULL;
        struct sr_buf witness = {0};
        struct document_rig rig;
        char command[600];
        size_t len;
        uint8_t *data = document_rig_file(path, &len);
        look(&rig, data, len, pdf);
        snprintf(command, sizeof command, pdf ? "pdftotext '%s' -" : WITNESS "'%s'", path);
        document_rig_command(command, &witness);
        document_rig_squeeze(&witness);
        document_rig_squeeze(&rig.text);
        if (strcmp(witness.data, rig.text.len > 0 ? rig.text.data : "") != 0)
            fail_msg("%s: %s, and the witness says %s", path, rig.text.data, witness.data);
        assert_true(json_integer_value(json_object_get(rig.result, "pages")) > 0);
        assert_int_equal(json_array_size(json_object_get(rig.result, "findings")), 0);
        sr_buf_free(&witness);
        document_rig_close(&rig);
        free(data);
    }
    assert_true(files >= 14);
    free(list);
}

static void test_sheets_and_slides(void **state)
{
    struct document_rig rig;
    size_t len;
    (void)state;
    uint8_t *data = made("xlsx", &len);
    look(&rig, data, len, false);
    assert_string_equal(rig.text.data, "当事人\t张三\n12.5\t备注\n");
    assert_string_equal(document_rig_text(&rig, "title"), "台账");
    assert_string_equal(document_rig_text(&rig, "author"), "李四");
    assert_string_equal(document_rig_text(&rig, "created_ns"), "1772690602000000000");
    document_rig_close(&rig);
    free(data);
    data = made("pptx", &len);
    look(&rig, data, len, false);
    assert_string_equal(rig.text.data, "第1页\n第2页\n第10页\n");
    document_rig_close(&rig);
    free(data);
    data = made("ods", &len);
    look(&rig, data, len, false);
    assert_string_equal(rig.text.data, "甲\n乙 丙\n");
    assert_string_equal(document_rig_text(&rig, "type"),
                        "application/vnd.oasis.opendocument.spreadsheet");
    document_rig_close(&rig);
    free(data);
}

static void test_bombs(void **state)
{
    static const char *const kinds[] = {"zipbomb", "xmlbomb", "deep", "many"};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct document_rig rig;
        size_t len;
        uint8_t *data = made(kinds[i], &len);
        look(&rig, data, len, false);
        if (!document_rig_finding(&rig, "bomb"))
            fail_msg("%s is no bomb", kinds[i]);
        assert_true(rig.text.len < 100);
        document_rig_close(&rig);
        free(data);
    }
}

static void test_locked(void **state)
{
    char *list = list_of("find " SAMPLES " -name '*pass*.pdf'"), *saved = NULL;
    unsigned files = 0;
    (void)state;
    for (char *path = strtok_r(list, "\n", &saved); path != NULL;
         path = strtok_r(NULL, "\n", &saved), files++) {
        struct document_rig rig;
        size_t len;
        uint8_t *data = document_rig_file(path, &len);
        look(&rig, data, len, true);
        assert_true(json_is_true(json_object_get(rig.result, "encrypted")));
        assert_true(document_rig_finding(&rig, "encrypted"));
        assert_int_equal(rig.text.len, 0);
        document_rig_close(&rig);
        free(data);
    }
    assert_int_equal(files, 2);
    free(list);
}

static void mutate(uint8_t *data, size_t *len, unsigned *seed, int round)
{
    if (round % 4 == 0)
        *len = (size_t)rand_r(seed) % *len;
    for (int k = 0; k < 1 + round % 12 && *len > 0; k++)
        data[(size_t)rand_r(seed) % *len] = (uint8_t)rand_r(seed);
}

/* Bytes inside of members are compressed and summed, so most damage is the package's; the rest is the XML's own
 * fuzz target's. */
static void test_damaged_packages(void **state)
{
    char *list = list_of(
             "find " SAMPLES
             " ${SHARED:-../shared}/vectors/ofd -name 'a-text.docx' -o -name 'a-text.odt' -o "
             "-name 'hello*.ofd' -o -name 'Digital*.ofd'"),
         *saved = NULL;
    unsigned seed = 11;
    (void)state;
    for (char *path = strtok_r(list, "\n", &saved); path != NULL;
         path = strtok_r(NULL, "\n", &saved)) {
        size_t len;
        uint8_t *data = document_rig_file(path, &len);
        for (int round = 0; round < 500; round++) {
            struct document_rig rig;
            uint8_t *copy = malloc(len);
            size_t kept = len;
            memcpy(copy, data, len);
            mutate(copy, &kept, &seed, round);
            look(&rig, copy, kept, false);
            document_rig_close(&rig);
            free(copy);
        }
        free(data);
    }
    free(list);
}

/* Poppler is given what it has never seen, in processes of their own: one that it does not survive costs itself. */
static void test_damaged_pdf(void **state)
{
    unsigned seed = 12, ended = 0;
    size_t len;
    uint8_t *data = document_rig_file(SAMPLES "/text1/a-text.pdf", &len);
    (void)state;
    for (int batch = 0; batch < 20; batch++) {
        pid_t child = fork();
        int status;
        if (child == 0) {
            if (!freopen("/dev/null", "w", stderr))
                _exit(9);
            alarm(60);
            for (int round = 0; round < 40; round++) {
                struct document_rig rig;
                uint8_t *copy = malloc(len);
                size_t kept = len;
                memcpy(copy, data, len);
                seed = (unsigned)(batch * 1000 + round);
                mutate(copy, &kept, &seed, round);
                look(&rig, copy, kept, true);
                document_rig_close(&rig);
                free(copy);
            }
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        ended += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    }
    assert_true(ended >= 18); /* poppler's own faults are the sandbox's business */
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sample),
        cmocka_unit_test(test_sheets_and_slides),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_locked),
        cmocka_unit_test(test_damaged_packages),
        cmocka_unit_test(test_damaged_pdf),
    };

    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
