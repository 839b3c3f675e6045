/* The RFC 8785 writer and the strict reader. */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/json.h"

static json_t *parse(const char *text)
{
    json_t *value;
    int rc = sr_json_parse((const uint8_t *)text, strlen(text), &value);
    assert_int_equal(rc, 0);
    assert_non_null(value);
    return value;
}

/* Takes value over. */
static void check_canonical(json_t *value, const char *expected)
{
    struct sr_buf buf = {0};
    assert_non_null(value);
    assert_int_equal(sr_json_canonical(value, &buf), 0);
    assert_string_equal(buf.data, expected);
    assert_int_equal(buf.len, strlen(expected));
    sr_buf_free(&buf);
    json_decref(value);
}

static void check_refused(json_t *value)
{
    struct sr_buf buf = {0};
    assert_non_null(value);
    assert_int_equal(sr_json_canonical(value, &buf), SR_ERR_INVALID);
    sr_buf_free(&buf);
    json_decref(value);
}

/* RFC 8785 sections 3.2.2 and 3.2.4. */
static void test_rfc_sample(void **state)
{
    (void)state;
    check_canonical(
        parse("{\n"
              "  \"numbers\": [333333333.33333329, 1E30, 4.50, 2e-3,\n"
              "              0.000000000000000000000000001],\n"
              "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
              "  \"literals\": [null, true, false]\n"
              "}"),
        "{\"literals\":[null,true,false],"
        "\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
        "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

/* RFC 8785 section 3.2.3. */
static void test_rfc_order(void **state)
{
    (void)state;
    check_canonical(parse("{\"\\u20ac\": \"Euro Sign\", \"\\r\": \"Carriage Return\","
                          "\"\\ufb33\": \"Hebrew Letter Dalet With Dagesh\", \"1\": \"One\","
                          "\"\\ud83d\\ude00\": \"Emoji: Grinning Face\", \"\\u0080\": \"Control\","
                          "\"\\u00f6\": \"Latin Small Letter O With Diaeresis\"}"),
                    "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
                    "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\","
                    "\"\xe2\x82\xac\":\"Euro Sign\",\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
                    "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
    check_canonical(
        parse("{\"b\":{\"z\":1,\"a\":{}},\"a\":[],\"\":0,\"ab\":1,\"aa\":[{\"y\":1,\"x\":2}]}"),
        "{\"\":0,\"a\":[],\"aa\":[{\"x\":2,\"y\":1}],\"ab\":1,\"b\":{\"a\":{},\"z\":1}}");
    /* The same prefix, then a surrogate against U+E000 and U+D7FF. */
    check_canonical(parse("{\"k\\ue000\":1,\"k\\ud800\\udc00\":2,\"k\\ud7ff\":3,\"k\":4}"),
                    "{\"k\":4,\"k\xed\x9f\xbf\":3,\"k\xf0\x90\x80\x80\":2,\"k\xee\x80\x80\":1}");
}

static void test_strings(void **state)
{
    (void)state;
    char control[33];
    for (int i = 0; i < 32; i++)
        control[i] = (char)(i + 1);
    control[31] = '\x7f'; /* DEL is not escaped */
    control[32] = '\0';
    check_canonical(
        json_string(control),
        "\"\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f"
        "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b"
        "\\u001c\\u001d\\u001e\\u001f\x7f\"");
    check_canonical(json_stringn("a\0b", 3), "\"a\\u0000b\"");
    check_canonical(json_string("</é\xe2\x80\xa8>"), "\"</é\xe2\x80\xa8>\"");
    check_refused(json_string_nocheck("\xed\xa0\x80"));
    json_t *object = json_object();
    json_object_set_new_nocheck(object, "\xff", json_null());
    check_refused(object);
}

struct number {
    uint64_t bits;
    const char *text;
};

/* RFC 8785 appendix B, and more: both ends of each notation, and powers of two, below which doubles
 * are closer than above. */
static const struct number numbers[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
    {0x3ff0000000000000, "1"},
    {0xbff8000000000000, "-1.5"},
    {0x4024000000000000, "10"},
    {0x3fb999999999999a, "0.1"},
    {0x0010000000000000, "2.2250738585072014e-308"},
    {0x000fffffffffffff, "2.225073858507201e-308"},
    {0x0000000000000002, "1e-323"},
    {0x3e70000000000000, "5.960464477539063e-8"},
};

static void check_numbers(void)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        double value;
        memcpy(&value, &numbers[i].bits, sizeof(value));
        check_canonical(json_real(value), numbers[i].text);
    }
}

static void test_reals(void **state)
{
    (void)state;
    check_numbers();
    /* With a decimal comma too, where the machine has such a locale. */
    if (setlocale(LC_ALL, "de_DE.UTF-8"))
        check_numbers();
    setlocale(LC_ALL, "C");
}

/* What is written reads back as the same double, and no shorter text does. */
static void test_reals_round_trip(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252;
    for (int i = 0; i < 20000; i++) {
        double value;
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        uint64_t chosen = i < 2046 ? (uint64_t)(i + 1) << 52 : bits; /* every power of two */
        memcpy(&value, &chosen, sizeof(value));
        if (!isfinite(value) || value == 0)
            continue;
        struct sr_buf buf = {0};
        json_t *real = json_real(value);
        assert_int_equal(sr_json_canonical(real, &buf), 0);
        json_decref(real);
        assert_true(strtod(buf.data, NULL) == value);
        int digits = 0;
        int zeros = 0; /* trailing zeros, which are no digits of the number */
        for (const char *c = buf.data; *c && *c != 'e'; c++) {
            if (*c >= '0' && *c <= '9' && (digits || *c != '0')) {
                digits++;
                zeros = *c == '0' ? zeros + 1 : 0;
            }
        }
        digits -= zeros;
        if (digits > 1) {
            char shorter[40];
            snprintf(shorter, sizeof(shorter), "%.*e", digits - 2, value);
            assert_true(strtod(shorter, NULL) != value);
        }
        sr_buf_free(&buf);
    }
}

static void test_integers(void **state)
{
    (void)state;
    check_canonical(json_integer(INT64_C(9007199254740992)), "9007199254740992");
    check_canonical(json_integer(INT64_C(-9007199254740992)), "-9007199254740992");
    check_canonical(json_integer(0), "0");
    check_canonical(parse("-0"), "0");
    check_refused(json_integer(INT64_C(9007199254740993)));
    check_refused(json_integer(INT64_C(-9007199254740993)));
    check_refused(json_pack("{s:[I]}", "a", INT64_MAX));
}

/* depth arrays, or objects, in each other. */
static char *nested(int depth, bool objects)
{
    struct sr_buf buf = {0};
    for (int i = 0; i < depth; i++)
        sr_buf_text(&buf, objects && i % 2 ? "{\"a\":" : "[");
    sr_buf_text(&buf, "1");
    for (int i = depth; i-- > 0;)
        sr_buf_text(&buf, objects && i % 2 ? "}" : "]");
    assert_false(buf.failed);
    return buf.data;
}

static void test_depth(void **state)
{
    (void)state;
    for (int objects = 0; objects < 2; objects++) {
        json_t *value;
        char *text = nested(64, objects);
        check_canonical(parse(text), text);
        free(text);
        text = nested(65, objects);
        assert_int_equal(sr_json_parse((uint8_t *)text, strlen(text), &value), SR_ERR_INVALID);
        assert_null(value);
        free(text);
        text = nested(100000, objects);
        assert_int_equal(sr_json_parse((uint8_t *)text, strlen(text), &value), SR_ERR_INVALID);
        free(text);
    }
    json_t *deep = json_integer(1);
    for (int i = 0; i < 65; i++)
        deep = json_pack("[o]", deep);
    check_refused(deep);
}

static void test_parse(void **state)
{
    (void)state;
    static const char *const good[] = {"{}", " [1, 2] \n", "\"a\"", "1", "null", "-1.5e3", "true"};
    static const char *const bad[] = {
        "",
        " ",
        "{} {}",
        "[1]x",
        "{\"a\":1,\"a\":2}",
        "[1,]",
        "{\"a\"}",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
        "01",
        "[1",
        "\"\x01\"",
        "\"\xff\"",
        "{\"a\":1,\"\\u0061\":2}",
        "1e999",
        "nul",
        "NaN",
        "'a'",
        "99999999999999999999",
        "// a\n1",
        "{\"a\":1}}",
        "+1",
        "\xef\xbb\xbf{}",
    };
    json_t *value;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        json_decref(parse(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(sr_json_parse((const uint8_t *)bad[i], strlen(bad[i]), &value),
                         SR_ERR_INVALID);
        assert_null(value);
    }
    /* Bytes beyond len are not read, a NUL within is refused. */
    assert_int_equal(sr_json_parse((const uint8_t *)"[1]garbage", 3, &value), 0);
    json_decref(value);
    assert_int_equal(sr_json_parse((const uint8_t *)"[1]\0", 4, &value), SR_ERR_INVALID);
    /* The sentence does not quote what may be a name. */
    assert_int_equal(sr_json_parse((const uint8_t *)"[\"secret]", 9, &value), SR_ERR_INVALID);
    assert_null(strstr(sr_error_message(), "secret"));
}

/* What is read by ourselves is read as jansson reads it. */
static void check_as_jansson(const char *text, size_t len)
{
    json_t *ours, *theirs = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    int rc = sr_json_parse((const uint8_t *)text, len, &ours);
    assert_int_equal(rc, theirs != NULL ? 0 : SR_ERR_INVALID);
    if (rc == 0)
        assert_true(json_equal(ours, theirs));
    json_decref(ours);
    json_decref(theirs);
}

static void test_as_jansson(void **state)
{
    (void)state;
    static const char *const entries[] = {
        "{\"act\":\"record.label\",\"big\":123456789012345,\"deep\":[[],{},[{\"a\":[0,-1]}]],"
        "\"holes\":[[\"0\",\"65536\"]],\"n\":-120,\"name\":\"询问笔录\xf0\xa0\xae\xb7\","
        "\"no\":false,\"none\":null,\"v\":1,\"yes\":true}",
        "{\"act\":\"record.label\",\"big\":9007199254740992,\"r\":1.5,\"text\":\"a\\nb\"}"};
    static const char *const others[] = {"{\"b\":1,\"a\":2}",
                                         "{\"a\":1,\"a\":1}",
                                         "{\"a\":1,\"ab\":1}",
                                         "{\"ab\":1,\"a\":1}",
                                         "{\"\":1}",
                                         "{\"\":1,\"\":1}",
                                         "{\"a\":1 }",
                                         "-0",
                                         "0",
                                         "-",
                                         "00",
                                         "-01",
                                         "123456789012345",
                                         "1234567890123456",
                                         "-123456789012345",
                                         "12345678901234567890",
                                         "1e5",
                                         "1.0",
                                         "[1,,2]",
                                         "[1 ,2]",
                                         "{\"a\"}",
                                         "{\"a\":}",
                                         "{a:1}",
                                         "tru",
                                         "truex",
                                         "[true,false,null]",
                                         "\"\xc0\x80\"",
                                         "\"\xed\xa0\x80\"",
                                         "\"\xf4\x90\x80\x80\"",
                                         "\"\x7f\"",
                                         "[\"\xe6\"]",
                                         "{\"\xff\":1}"};
    for (size_t e = 0; e < sizeof(entries) / sizeof(entries[0]); e++) {
        size_t whole = strlen(entries[e]);
        char changed[256];
        assert_true(whole < sizeof(changed));
        memcpy(changed, entries[e], whole + 1);
        for (size_t len = 0; len <= whole + 1; len++) /* its NUL, too */
            check_as_jansson(changed, len);
        for (size_t bit = 0; bit < 8 * whole; bit++) {
            changed[bit / 8] = (char)(changed[bit / 8] ^ 1 << bit % 8);
            check_as_jansson(changed, whole);
            changed[bit / 8] = entries[e][bit / 8];
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        check_as_jansson(others[i], strlen(others[i]));
}

static void test_depth_read(void **state)
{
    (void)state;
    for (size_t deep = 63; deep <= 66; deep++) {
        char text[2 * 70 + 1];
        json_t *value;
        memset(text, '[', deep);
        memset(text + deep, ']', deep);
        assert_int_equal(sr_json_parse((const uint8_t *)text, 2 * deep, &value),
                         deep <= 64 ? 0 : SR_ERR_INVALID);
        assert_true((value != NULL) == (deep <= 64));
        json_decref(value);
    }
}

/* Larger than a chunk of the arena, and many small ones, again and again. */
static void test_arena(void **state)
{
    (void)state;
    struct sr_json_arena *arena;
    size_t large = 1u << 20;
    char *text = malloc(large);
    json_t *value, *before = json_string("made before"), *after;
    assert_non_null(text);
    memset(text, 'x', large);
    text[0] = text[large - 1] = '"';
    assert_int_equal(sr_json_arena_new(&arena), 0);
    for (int round = 0; round < 3; round++) {
        json_t *kept[2000];
        sr_json_arena_use(arena);
        for (size_t i = 0; i < 2000; i++) {
            char entry[80];
            int len = snprintf(entry, sizeof(entry), "{\"n\":%zu,\"s\":\"%zu\"}", i, i);
            assert_int_equal(sr_json_parse((const uint8_t *)entry, (size_t)len, &kept[i]), 0);
        }
        assert_int_equal(sr_json_parse((const uint8_t *)text, large, &value), 0);
        assert_int_equal(json_string_length(value), large - 2);
        assert_memory_equal(json_string_value(value), text + 1, large - 2);
        for (size_t i = 0; i < 2000; i++) { /* none lies where another does */
            uint64_t n;
            assert_int_equal(sr_json_get_u64(kept[i], "s", &n), 0);
            assert_int_equal(n, i);
            assert_int_equal(json_integer_value(json_object_get(kept[i], "n")), i);
        }
        json_decref(value); /* allowed, and nothing */
        json_object_del(kept[0], "n");
        sr_json_arena_clear(arena);
    }
    json_decref(before); /* of no arena, while one is used */
    sr_json_arena_use(NULL);
    sr_json_arena_free(arena);
    assert_non_null(after = json_string("made after"));
    json_decref(after);
    free(text);
}

static void test_members(void **state)
{
    (void)state;
    json_t *o = parse(
        "{\"n\":12,\"neg\":-3,\"s\":\"18446744073709551615\",\"min\":\"-9223372036854775808\","
        "\"max\":\"9223372036854775807\",\"over\":\"9223372036854775808\","
        "\"under\":\"-9223372036854775809\",\"lead\":\"012\",\"minus0\":\"-0\",\"empty\":\"\","
        "\"minus\":\"-\",\"r\":1.0,\"hex\":\"00ff\",\"null\":null}");
    uint64_t u;
    int64_t i;
    const char *text;
    uint8_t bytes[2];
    assert_int_equal(sr_json_get_u64(o, "n", &u), 0);
    assert_true(u == 12);
    assert_int_equal(sr_json_get_u64(o, "s", &u), 0);
    assert_true(u == UINT64_MAX);
    static const char *const not_u64[] = {"neg", "min", "lead", "minus0", "empty",
                                          "r",   "hex", "null", "none"};
    for (size_t k = 0; k < sizeof(not_u64) / sizeof(not_u64[0]); k++)
        assert_int_equal(sr_json_get_u64(o, not_u64[k], &u), SR_ERR_INVALID);
    assert_int_equal(sr_json_get_i64(o, "neg", &i), 0);
    assert_true(i == -3);
    assert_int_equal(sr_json_get_i64(o, "min", &i), 0);
    assert_true(i == INT64_MIN);
    assert_int_equal(sr_json_get_i64(o, "max", &i), 0);
    assert_true(i == INT64_MAX);
    static const char *const not_i64[] = {"over",  "under", "lead", "minus0", "empty",
                                          "minus", "r",     "hex",  "null",   "none"};
    for (size_t k = 0; k < sizeof(not_i64) / sizeof(not_i64[0]); k++)
        assert_int_equal(sr_json_get_i64(o, not_i64[k], &i), SR_ERR_INVALID);
    assert_int_equal(sr_json_get_text(o, "hex", &text), 0);
    assert_string_equal(text, "00ff");
    assert_int_equal(sr_json_get_text(o, "n", &text), SR_ERR_INVALID);
    assert_null(text);
    assert_int_equal(sr_json_get_text(o, "none", &text), SR_ERR_INVALID);
    assert_int_equal(sr_json_get_hex(o, "hex", bytes, 2), 0);
    assert_memory_equal(bytes, "\x00\xff", 2);
    assert_int_equal(sr_json_get_hex(o, "hex", bytes, 1), SR_ERR_INVALID);
    assert_int_equal(sr_json_get_hex(o, "n", bytes, 1), SR_ERR_INVALID);
    json_decref(o);
    check_canonical(sr_json_u64_text(UINT64_MAX), "\"18446744073709551615\"");
    check_canonical(sr_json_i64_text(INT64_MIN), "\"-9223372036854775808\"");
    check_canonical(sr_json_hex((const uint8_t *)"\x00\xab", 2), "\"00ab\"");
    /* An array has no members. */
    o = parse("[1]");
    assert_int_equal(sr_json_get_u64(o, "n", &u), SR_ERR_INVALID);
    json_decref(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rfc_sample),
        cmocka_unit_test(test_rfc_order),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_reals),
        cmocka_unit_test(test_reals_round_trip),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_as_jansson),
        cmocka_unit_test(test_depth_read),
        cmocka_unit_test(test_arena),
        cmocka_unit_test(test_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
