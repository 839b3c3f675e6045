/* Buffers, integers, hex, base64, decimal numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"

static void test_buf(void **state)
{
    (void)state;
    struct sr_buf buf = {0};
    sr_buf_append(&buf, "", 0);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.data[0], 0);
    for (int i = 0; i < 1000; i++) {
        sr_buf_format(&buf, "%03d", i);
        assert_int_equal(buf.data[buf.len], 0);
    }
    sr_buf_text(&buf, "end");
    sr_buf_append(&buf, "\0z", 2);
    assert_false(buf.failed);
    assert_int_equal(buf.len, 3005);
    assert_memory_equal(buf.data + 2997, "999end\0z", 9);
    size_t len = buf.len;
    sr_buf_append(&buf, "x", SIZE_MAX - 5); /* too large: fails without a touch */
    assert_true(buf.failed);
    sr_buf_text(&buf, "more");
    assert_int_equal(buf.len, len);
    sr_buf_free(&buf);
    assert_null(buf.data);
    assert_false(buf.failed);
}

static void test_integers(void **state)
{
    (void)state;
    uint8_t out[8];
    static const uint8_t expected[] = {0x81, 0x02, 0x83, 0x04, 0x85, 0x06, 0x87, 0xf8};
    sr_put_be64(out, UINT64_C(0x81028304850687f8));
    assert_memory_equal(out, expected, 8);
    assert_true(sr_get_be64(expected) == UINT64_C(0x81028304850687f8));
    sr_put_be32(out, 0x81028304);
    assert_memory_equal(out, expected, 4);
    assert_int_equal(sr_get_be32(expected), 0x81028304);
    sr_put_be16(out, 0x8102);
    assert_memory_equal(out, expected, 2);
    assert_int_equal(sr_get_be16(expected), 0x8102);
}

static void test_hex(void **state)
{
    (void)state;
    uint8_t bytes[3] = {0x00, 0xaf, 0xf9};
    char text[7];
    sr_hex_encode(bytes, 3, text);
    assert_string_equal(text, "00aff9");
    memset(bytes, 1, 3);
    assert_int_equal(sr_hex_decode("00aff9", bytes, 3), 0);
    assert_memory_equal(bytes, "\x00\xaf\xf9", 3);
    assert_int_equal(sr_hex_decode("", bytes, 0), 0);
    static const char *const bad[] = {"00aff",  "00aff99", "00AFF9", "00aff ",
                                      "0x00af", "",        "00afg9"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sr_hex_decode(bad[i], bytes, 3), SR_ERR_INVALID);
}

static void test_base64(void **state)
{
    (void)state;
    /* RFC 4648 section 10 */
    static const char *const known[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        char text[16];
        uint8_t out[8];
        size_t plain_len = strlen(known[i][0]);
        sr_base64_encode((const uint8_t *)known[i][0], plain_len, text);
        assert_string_equal(text, known[i][1]);
        size_t len = plain_len; /* exactly enough */
        assert_int_equal(sr_base64_decode(text, strlen(text), out, &len), 0);
        assert_int_equal(len, plain_len);
        assert_memory_equal(out, known[i][0], plain_len);
        if (plain_len) {
            len = plain_len - 1;
            assert_int_equal(sr_base64_decode(text, strlen(text), out, &len), SR_ERR_INVALID);
        }
    }
    static const char *const bad[] = {"Zg",   "Zg=",  "Zg===", "Zh==",     "Zm9=", "Zm9v\n", "Zm 9",
                                      "=m9v", "Z===", "====",  "Zg==Zg==", "Zm-_", "Zm9vZ"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t out[16];
        size_t len = sizeof(out);
        assert_int_equal(sr_base64_decode(bad[i], strlen(bad[i]), out, &len), SR_ERR_INVALID);
        assert_int_equal(len, 0);
    }
}

static void test_base64_all_lengths(void **state)
{
    (void)state;
    uint8_t data[64];
    uint8_t back[64];
    char text[100];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 11);
    for (size_t n = 0; n <= sizeof(data); n++) {
        sr_base64_encode(data, n, text);
        assert_int_equal(strlen(text), 4 * ((n + 2) / 3));
        size_t len = sizeof(back);
        assert_int_equal(sr_base64_decode(text, strlen(text), back, &len), 0);
        assert_int_equal(len, n);
        assert_memory_equal(back, data, n);
    }
}

static void test_decimal(void **state)
{
    (void)state;
    uint64_t value;
    assert_int_equal(sr_parse_u64("0", &value), 0);
    assert_true(value == 0);
    assert_int_equal(sr_parse_u64("18446744073709551615", &value), 0);
    assert_true(value == UINT64_MAX);
    static const char *const bad[] = {"",
                                      "00",
                                      "01",
                                      "+1",
                                      "-1",
                                      " 1",
                                      "1 ",
                                      "1x",
                                      "0x1",
                                      "18446744073709551616",
                                      "99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sr_parse_u64(bad[i], &value), SR_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_base64_all_lengths),
        cmocka_unit_test(test_decimal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
