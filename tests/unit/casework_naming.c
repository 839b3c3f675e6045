/* naming.yaml: what names say, what is refused and with which sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/text.h"
#include "casework/naming.h"

static struct naming *shipped(void)
{
    struct naming *naming;
    if (naming_load(sr_io_posix(), "policy", &naming) != 0)
        fail_msg("%s", sr_error_message());
    return naming;
}

static struct naming *one(const char *pattern)
{
    struct naming *naming;
    char text[512];
    snprintf(text, sizeof(text), "patterns:\n  - {pattern: \"%s\", device: 甲}\n", pattern);
    if (naming_parse("n.yaml", (const uint8_t *)text, strlen(text), &naming) != 0)
        fail_msg("%s: %s", pattern, sr_error_message());
    return naming;
}

/* Long: one table. */
static void test_shipped(void **state)
{
    static const struct {
        const char *name, *time, *badge, *device_number, *device; /* time NULL: no match */
    } cases[] = {
        {"012345_20260301_083015_0001.mp4", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"012345_20260301_083015.mp4", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"012345_20260301083015_0001A.mp4", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"20260301083015_012345.MP4", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"20260301083015_012345_003.MP4", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"0012345_00_20260301083015.mp4", "2026-03-01 08:30:15", "0012345", "", "执法记录仪"},
        {"DSJX8A001_012345_20260301083015.mp4", "2026-03-01 08:30:15", "012345", "DSJX8A001",
         "执法记录仪"},
        {"DSJ_012345_20260301083015.mp4", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"012345-20260301-083015-1.avi", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"012345_2026-03-01_08-30-15.mp4", "2026-03-01 08:30:15", "012345", "", "执法记录仪"},
        {"川A12345_20260301083015.mp4", NULL, "", "", ""},
        {"VID_20260301_083015.mp4", "2026-03-01 08:30:15", "", "", "手机"},
        {"vid_20260301_083015~2.MP4", "2026-03-01 08:30:15", "", "", "手机"},
        {"IMG_20260301_083015_HDR.jpg", "2026-03-01 08:30:15", "", "", "手机"},
        {"IMG20260301083015.jpg", "2026-03-01 08:30:15", "", "", "手机"},
        {"20260301_083015.mp4", "2026-03-01 08:30:15", "", "", "手机"},
        {"20260301083015.mp4", "2026-03-01 08:30:15", "", "", ""},
        {"IMG_1234.MOV", "", "", "", "iPhone"},
        {"IMG_1234 (1).MOV", "", "", "", "iPhone"},
        {"DJI_20260301083015_0001_D.MP4", "2026-03-01 08:30:15", "", "", "无人机"},
        {"DJI_0001.MP4", "", "", "", "无人机"},
        {"mmexport1583056215123.mp4", "2020-03-01 17:50:15", "", "", "微信"},
        {"wx_camera_1583056215123.mp4", "2020-03-01 17:50:15", "", "", "微信"},
        {"微信图片_20260301083015.jpg", "2026-03-01 08:30:15", "", "", "微信"},
        {"微信图片_202603010830151.jpg", "2026-03-01 08:30:15", "", "", "微信"},
        {"微信视频2026-03-01_083015_123.mp4", "2026-03-01 08:30:15", "", "", "微信"},
        {"RPReplay_Final1583056215.MP4", "2020-03-01 17:50:15", "", "", "录屏"},
        {"Screenrecorder-2026-03-01-08-30-15-123.mp4", "2026-03-01 08:30:15", "", "", "录屏"},
        {"屏幕录制2026-03-01 08.30.15.mov", "2026-03-01 08:30:15", "", "", "录屏"},
        {"VID_20260230_083015.mp4", NULL, "", "", ""},    /* no 30 February */
        {"VID_20260301_243015.mp4", NULL, "", "", ""},    /* no hour 24 */
        {"012345_20261301_083015.mp4", NULL, "", "", ""}, /* no month 13 */
        {"mmexport0000000000001.mp4", NULL, "", "", ""},
        {"询问笔录.docx", NULL, "", "", ""},
        {"", NULL, "", "", ""},
        {".mp4", NULL, "", "", ""},
        {"\xff_20260301083015.mp4", NULL, "", "", ""},
    };
    struct naming *naming = shipped();
    struct naming_labels labels;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char when[20] = "";
        bool known = naming_read(naming, cases[i].name, &labels);

        if (labels.has_time)
            sr_time_local_text(labels.captured_ns, when);
        if (known != (cases[i].time != NULL) || (known && strcmp(when, cases[i].time) != 0) ||
            strcmp(labels.badge, cases[i].badge) != 0 ||
            strcmp(labels.device_number, cases[i].device_number) != 0 ||
            strcmp(labels.device, cases[i].device) != 0)
            fail_msg("%s: %d by `%s`: %s badge %s device %s %s", cases[i].name, known,
                     labels.pattern, when, labels.badge, labels.device, labels.device_number);
        assert_int_equal(labels.captured_ns != 0, labels.has_time);
    }
    assert_true(naming_read(naming, "mmexport1583056215123.mp4", &labels));
    assert_true(labels.captured_ns == INT64_C(1583056215123000000));
    assert_true(naming_read(naming, "微信视频2026-03-01_083015_123.mp4", &labels));
    assert_true(labels.captured_ns % INT64_C(1000000000) == 123000000);
    naming_free(naming);
    naming_free(NULL);
}

/* All ways to divide a name are considered, and the longest field from the left wins. */
static void test_matching(void **state)
{
    static const struct {
        const char *pattern, *name, *badge;
        bool matches;
    } cases[] = {
        {"{警号}", "ab12.mp4", "ab12", true},
        {"{警号}{序号}", "a123", "a12", true},
        {"{序号}{警号:2}", "1234", "34", true},
        {"{*}x{警号:3}x{*}", "axxx123xx", "123", true},
        {"{*}{警号:3}", "ab123", "123", true},
        {"{*}-{警号}-{*}", "a-b-c", "b", true},
        {"{警号:3}", "1234", "", false},
        {"{警号:3}", "12", "", false},
        {"{警号:3-4}", "1234", "1234", true},
        {"记录{警号}", "记录7.a.b", "", false}, /* only the last extension is left out */
        {"记录{警号}{*}", "记录7.a.b", "7", true},
        {"ABC{*}", "abcd", "", true},
    };
    struct naming_labels labels;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct naming *naming = one(cases[i].pattern);
        bool matches = naming_read(naming, cases[i].name, &labels);
        if (matches != cases[i].matches || strcmp(labels.badge, cases[i].badge) != 0)
            fail_msg("%s on %s: %d `%s`", cases[i].pattern, cases[i].name, matches, labels.badge);
        assert_string_equal(labels.device, matches ? "甲" : "");
        naming_free(naming);
    }
    struct naming *naming = one("{年:2}{月:2}{日:2}{时:2}{分:2}{秒:2}");
    assert_true(naming_read(naming, "240229235959.mp4", &labels));
    assert_true(labels.captured_ns == INT64_C(1709222399000000000));
    assert_false(naming_read(naming, "250229235959.mp4", &labels));
    naming_free(naming);
}

/* A pattern that would keep an engine with back-tracking busy for years. */
static void test_hostile(void **state)
{
    char pattern[256] = "", name[256];
    struct naming_labels labels;
    clock_t before = clock();
    (void)state;
    for (size_t i = 0; i < 30; i++)
        strcat(pattern, i % 2 ? "{序号}" : "{*}");
    strcat(pattern, "x");
    memset(name, '1', 255);
    name[255] = '\0';
    struct naming *naming = one(pattern);
    for (size_t i = 0; i < 100; i++)
        assert_false(naming_read(naming, name, &labels));
    assert_true(clock() - before < 5 * CLOCKS_PER_SEC);
    naming_free(naming);
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"patterns:\n  - {pattern: \"a{年:4}\"}\n", "n.yaml:2:5: a time needs all of"},
        {"patterns:\n  - {pattern: a}\n  - {pattern: \"{x}\"}\n", "n.yaml:3:5: an unknown field"},
        {"patterns:\n  - {pattern: \"{*}\"}\n", "n.yaml:2:5: this pattern would match every"},
        {"patterns:\n  - {pattern: \"\"}\n", "n.yaml:2:5: this pattern would match every"},
        {"patterns:\n  - {pattern: \"{警号\"}\n", "n.yaml:2:5: a { without its }"},
        {"patterns:\n  - {pattern: \"警号}\"}\n", "n.yaml:2:5: } / \\"},
        {"patterns:\n  - {pattern: \"a/b\"}\n", "n.yaml:2:5: } / \\"},
        {"patterns:\n  - {pattern: \"{警号:0}\"}\n", "n.yaml:2:5: a width that"},
        {"patterns:\n  - {pattern: \"{警号:4-3}\"}\n", "n.yaml:2:5: a width that"},
        {"patterns:\n  - {pattern: \"{警号:33}\"}\n", "n.yaml:2:5: a width that"},
        {"patterns:\n  - {pattern: \"{警号:}\"}\n", "n.yaml:2:5: a width that"},
        {"patterns:\n  - {pattern: \"{警号:-3}\"}\n", "n.yaml:2:5: a width that"},
        {"patterns:\n  - {pattern: \"{月:1}\"}\n", "n.yaml:2:5: a width that"},
        {"patterns:\n  - {pattern: \"{年:3}\"}\n", "n.yaml:2:5: a width that"},
        {"patterns:\n  - {pattern: \"{年}\"}\n", "n.yaml:2:5: the year needs a width"},
        {"patterns:\n  - {pattern: \"{警号}_{警号}\"}\n", "n.yaml:2:5: this field stands"},
        {"patterns:\n  - {pattern: \"{毫秒时间戳:13}{秒时间戳:10}\"}\n", "n.yaml:2:5: a pattern"},
        {"patterns:\n  - {pattern: \"{毫秒:3}\"}\n", "n.yaml:2:5: 毫秒 needs"},
        {"patterns:\n  - {pattern: a, devise: b}\n", "n.yaml:2:"},
        {"patterns:\n  - {device: b}\n", "n.yaml:2:"},
        {"pattern: []\n", "n.yaml:1:1: unknown key `pattern`"},
        {"patterns: 5\n", "n.yaml:1:11: "},
        {"", "n.yaml:1:1: the file is empty"},
    };
    struct naming *naming;
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = cases[i].text;
        assert_int_equal(naming_parse("n.yaml", (const uint8_t *)text, strlen(text), &naming),
                         SR_ERR_INVALID);
        assert_null(naming);
        if (strncmp(sr_error_message(), cases[i].sentence, strlen(cases[i].sentence)) != 0)
            fail_msg("for %s\nexpected: %s\ngot:      %s", text, cases[i].sentence,
                     sr_error_message());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
