/* Text files in the charsets that come in cases, and HTML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "media/probe/charset.h"
#include "media/probe/plain.h"
#include "tests/lib/document_rig.h"

#define TEXT "行政处罚决定书〔2026〕1号\n当事人：张三 Zhang, 罚款5000元。\n"
/* The same in GB18030. */
#define GB                                                                                     \
    "\xd0\xd0\xd5\xfe\xb4\xa6\xb7\xa3\xbe\xf6\xb6\xa8\xca\xe9\xa1\xb2\x32\x30\x32\x36\xa1\xb3" \
    "1\xba\xc5\n\xb5\xb1\xca\xc2\xc8\xcb\xa3\xba\xd5\xc5\xc8\xfd Zhang, \xb7\xa3\xbf\xee"      \
    "5000\xd4\xaa\xa1\xa3\n"

static void decodes(const void *data, size_t len, const char *declared, bool cut,
                    const char *charset, bool assumed, size_t replaced, const char *expected)
{
    struct charset_text text;

    assert_int_equal(charset_decode(data, len, declared, cut, &text), 0);
    assert_string_equal(text.charset, charset);
    assert_int_equal(text.assumed, assumed);
    assert_int_equal(text.replaced, replaced);
    assert_string_equal(text.text, expected);
    assert_int_equal(text.len, strlen(expected));
    charset_text_free(&text);
}

/* TEXT is of the Basic Multilingual Plane alone. */
static size_t widen(bool big, uint8_t *out)
{
    const uint8_t *at = (const uint8_t *)TEXT;
    size_t n = 0;

    while (*at) {
        unsigned code = at[0];
        if (code >= 0xe0) {
            code = (at[0] & 15u) << 12 | (at[1] & 63u) << 6 | (at[2] & 63u);
            at += 2;
        }
        at++;
        out[n++] = (uint8_t)(big ? code >> 8 : code);
        out[n++] = (uint8_t)(big ? code : code >> 8);
    }
    return n;
}

static void test_charsets(void **state)
{
    uint8_t wide[512];
    size_t len;

    (void)state;
    decodes(TEXT, sizeof(TEXT) - 1, NULL, false, "UTF-8", true, 0, TEXT);
    decodes("\xef\xbb\xbf" TEXT, sizeof(TEXT) + 2, "gbk", false, "UTF-8", false, 0, TEXT);
    decodes(GB, sizeof(GB) - 1, NULL, false, "GB18030", true, 0, TEXT);
    decodes(GB, sizeof(GB) - 1, "GB2312", false, "GB18030", false, 0, TEXT);
    decodes(GB, sizeof(GB) - 1, "utf-8", false, "GB18030", true, 0, TEXT); /* it cannot be */
    /* Four-byte GB18030: U+3400 and U+20000. */
    decodes("\x81\x39\xee\x39\x95\x32\x82\x36", 8, "gb18030", false, "GB18030", false, 0, "㐀𠀀");
    decodes("\xff\xfe"
            "a\0\x2d\x4e",
            6, NULL, false, "UTF-16LE", false, 0, "a中");
    decodes("\xfe\xff"
            "\0a\x4e\x2d",
            6, NULL, false, "UTF-16BE", false, 0, "a中");
    decodes("\xff\xfe\x40\xd8\0\xdc", 6, NULL, false, "UTF-16LE", false, 0, "𠀀");
    decodes("\xff\xfe\x40\xd8", 4, NULL, false, "UTF-16LE", false, 1, "\xef\xbf\xbd");
    decodes("\xff\xfe\x40\xd8", 4, NULL, true, "UTF-16LE", false, 0, "");
    len = widen(false, wide);
    decodes(wide, len, NULL, false, "UTF-16LE", true, 0, TEXT);
    len = widen(true, wide);
    decodes(wide, len, NULL, false, "UTF-16BE", true, 0, TEXT);
    decodes("", 0, NULL, false, "UTF-8", false, 0, "");
    decodes("a\0bc\x1b", 5, NULL, false, "UTF-8", true, 0, "a bc ");
    /* A character cut at the end is left out only where the file goes on. */
    decodes("ab\xe4\xbd", 4, NULL, true, "UTF-8", true, 0, "ab");
    decodes("\xb5\xb1\xca", 3, "gbk", true, "GB18030", false, 0, "当");
    decodes("\xc3\x28\xa0", 3, "utf8", false, "GB18030", true, 2, "\xef\xbf\xbd(\xef\xbf\xbd");
}

static void test_every_prefix(void **state)
{
    struct charset_text text;
    static const char *const names[] = {NULL,   "gbk",       "utf-8",  "utf-16le",
                                        "big5", "shift_jis", "no-such"};

    (void)state;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++)
        for (size_t len = 0; len < sizeof(GB); len++)
            for (int cut = 0; cut < 2; cut++) {
                uint8_t *copy = malloc(len + !len);
                memcpy(copy, GB, len);
                assert_int_equal(charset_decode(copy, len, names[n], cut, &text), 0);
                assert_int_equal(strlen(text.text), text.len);
                charset_text_free(&text);
                free(copy);
            }
}

static void test_declarations(void **state)
{
    static const struct {
        const char *html, *name;
    } cases[] = {
        {"<html><meta charset=gbk>", "gbk"},
        {"<META http-equiv=Content-Type content=\"text/html; charset = 'GB2312'\">", "GB2312"},
        {"<?xml version='1.0' encoding='GB18030'?>", "GB18030"},
        {"<meta name=a><p>charset=gbk</p>", ""},
        {"<meta charset=", ""},
        {"<meta", ""},
    };
    char name[32];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        charset_declared((const uint8_t *)cases[i].html, strlen(cases[i].html), name);
        assert_string_equal(name, cases[i].name);
    }
}

static void test_html(void **state)
{
    static const char html[] =
        "<!DOCTYPE html><html><head><meta charset=\"gbk\"><title>\xb1\xea\xcc\xe2</title>"
        "<style>p { color: red }</style></head><body><p>\xb5\xda\xd2\xbb\xb6\xce &amp; &#x4e2d;</p>"
        "<script>alert('secret')</script><table><tr><td>a</td><td>b</td></tr></table>"
        "<!-- hidden --><p>x<b>y</b></body></html>";
    struct document_rig rig;

    (void)state;
    document_rig_open(&rig, html, sizeof(html) - 1);
    assert_int_equal(plain_describe(rig.source, true, rig.answer), 0);
    document_rig_result(&rig);
    assert_string_equal(document_rig_text(&rig, "charset"), "GB18030");
    assert_string_equal(document_rig_text(&rig, "title"), "标题");
    assert_string_equal(rig.text.data, "第一段 & 中\na\tb\nxy\n");
    document_rig_close(&rig);
}

static void test_deep_html(void **state)
{
    struct sr_buf html = {0};
    struct document_rig rig;

    (void)state;
    for (int i = 0; i < 200000; i++)
        sr_buf_text(&html, "<div>a");
    document_rig_open(&rig, html.data, html.len);
    assert_int_equal(plain_describe(rig.source, true, rig.answer), 0);
    document_rig_result(&rig);
    assert_true(document_rig_finding(&rig, "bomb"));
    document_rig_close(&rig);
    sr_buf_free(&html);
}

static void test_plain(void **state)
{
    size_t len = 2 * DESCRIBE_TEXT_MAX + 100000;
    char *large = malloc(len);
    struct document_rig rig;

    (void)state;
    document_rig_open(&rig, GB, sizeof(GB) - 1);
    assert_int_equal(plain_describe(rig.source, false, rig.answer), 0);
    document_rig_result(&rig);
    assert_string_equal(rig.text.data, TEXT);
    assert_false(document_rig_finding(&rig, "broken"));
    assert_true(json_is_true(json_object_get(rig.result, "charset_assumed")));
    document_rig_close(&rig);

    assert_non_null(large);
    memset(large, 'a', len);
    document_rig_open(&rig, large, len);
    assert_int_equal(plain_describe(rig.source, false, rig.answer), 0);
    document_rig_result(&rig);
    assert_true(document_rig_finding(&rig, "truncated"));
    assert_int_equal(rig.text.len, DESCRIBE_TEXT_MAX);
    document_rig_close(&rig);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_charsets),     cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_declarations), cmocka_unit_test(test_html),
        cmocka_unit_test(test_deep_html),    cmocka_unit_test(test_plain),
    };
    if (charset_prepare())
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
