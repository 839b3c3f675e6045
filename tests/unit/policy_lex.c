/* Words and places of a policy text; escapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "policy/cedar_lex.h"

static struct cedar_error error;

/* The only token of the text. */
static struct cedar_token token_of(const char *text)
{
    struct cedar_lex lex;
    struct cedar_token token, end;
    cedar_lex_open(&lex, text, strlen(text), &error);
    assert_int_equal(cedar_lex_next(&lex, &token), 0);
    assert_int_equal(cedar_lex_next(&lex, &end), 0);
    assert_int_equal(end.kind, CEDAR_TOKEN_END);
    return token;
}

static void test_tokens(void **state)
{
    static const struct {
        const char *text;
        enum cedar_token_kind kind;
        enum cedar_word word;
        size_t len;
    } rows[] = {
        {"permit", CEDAR_TOKEN_NAME, CEDAR_WORD_PERMIT, 6},
        {"permits", CEDAR_TOKEN_NAME, CEDAR_WORD_NONE, 7},
        {"_a1", CEDAR_TOKEN_NAME, CEDAR_WORD_NONE, 3},
        {"__cedar", CEDAR_TOKEN_NAME, CEDAR_WORD_CEDAR, 7},
        {"007", CEDAR_TOKEN_NUMBER, CEDAR_WORD_NONE, 3},
        {"\"a\\\"b\"", CEDAR_TOKEN_STRING, CEDAR_WORD_NONE, 4},
        {"\"\"", CEDAR_TOKEN_STRING, CEDAR_WORD_NONE, 0},
        {"?principal", CEDAR_TOKEN_SLOT, CEDAR_WORD_NONE, 10},
        {"::", CEDAR_TOKEN_SIGN, CEDAR_WORD_NONE, 2},
        {"<=", CEDAR_TOKEN_SIGN, CEDAR_WORD_NONE, 2},
        {"<", CEDAR_TOKEN_SIGN, CEDAR_WORD_NONE, 1},
        {"// nothing", CEDAR_TOKEN_END, CEDAR_WORD_NONE, 0},
        {"", CEDAR_TOKEN_END, CEDAR_WORD_NONE, 0},
        {"\u3000x\u00a0", CEDAR_TOKEN_NAME, CEDAR_WORD_NONE, 1}, /* white space of Unicode */
        {"\xc2\x85\u2003\u2028;", CEDAR_TOKEN_SIGN, CEDAR_WORD_NONE, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cedar_token token = token_of(rows[i].text);
        assert_int_equal(token.kind, rows[i].kind);
        assert_int_equal(token.word, rows[i].word);
        assert_int_equal(token.len, rows[i].len);
    }
}

static void test_places(void **state)
{
    static const char text[] = "a // 注\r\n 桐 b";
    struct cedar_lex lex;
    struct cedar_token token;
    (void)state;
    cedar_lex_open(&lex, text, strlen(text), &error);
    assert_int_equal(cedar_lex_next(&lex, &token), 0);
    assert_int_equal(token.line, 1);
    assert_int_equal(token.column, 1);
    /* A character that begins no word; columns count characters, not bytes. */
    assert_int_equal(cedar_lex_next(&lex, &token), SR_ERR_INVALID);
    assert_int_equal(error.line, 2);
    assert_int_equal(error.column, 2);
    assert_string_equal(error.found, "`桐`");
    cedar_lex_open(&lex, "\"桐\" b", strlen("\"桐\" b"), &error);
    assert_int_equal(cedar_lex_next(&lex, &token), 0);
    assert_int_equal(cedar_lex_next(&lex, &token), 0);
    assert_int_equal(token.column, 5);
}

static void test_refused(void **state)
{
    static const char *const texts[] = {"\"", "\"a", "\"\\\"", "\"\\\n\"", "#",      "&",
                                        "|",  "?",   "?1",     "'a'",      "\u200b", "\ufeff"};
    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct cedar_lex lex;
        struct cedar_token token;
        cedar_lex_open(&lex, texts[i], strlen(texts[i]), &error);
        assert_int_equal(cedar_lex_next(&lex, &token), SR_ERR_INVALID);
    }
}

static void test_strings(void **state)
{
    static const struct {
        const char *text;
        const char *content;
        size_t len;
    } rows[] = {
        {"\"\"", "", 0},
        {"\"a\nb\"", "a\nb", 3},
        {"\"\\n\\r\\t\\\\\\0\\'\\\"\"", "\n\r\t\\\0'\"", 7},
        {"\"\\x41\\x7f\"", "A\x7f", 2},
        {"\"\\u{41}\\u{6850}\\u{1F600}\"", "A桐\U0001F600", 8},
        {"\"\\u{4_1}\\u{000041}\\u{41__}\"", "AAA", 3},
    };
    static const char *const bad[] = {
        "\"\\q\"",       "\"\\*\"",     "\"\\x80\"",   "\"\\x4\"",         "\"\\xg0\"",
        "\"\\u41\"",     "\"\\u{}\"",   "\"\\u{_1}\"", "\"\\u{1234567}\"", "\"\\u{110000}\"",
        "\"\\u{d800}\"", "\"\\u{4g}\"", "\"\\u{41\"",  "\"a\rb\"",         "\"\\\r\"",
    };
    struct cedar_arena arena;
    (void)state;
    cedar_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cedar_token token = token_of(rows[i].text);
        const struct cedar_text *content;
        assert_int_equal(cedar_lex_string(&token, &arena, &error, &content), 0);
        assert_int_equal(content->len, rows[i].len);
        assert_memory_equal(content->data, rows[i].content, rows[i].len + 1);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct cedar_token token = token_of(bad[i]);
        const struct cedar_text *content;
        if (cedar_lex_string(&token, &arena, &error, &content) != SR_ERR_INVALID)
            fail_msg("%s", bad[i]);
        assert_null(content);
    }
    /* The escape's own place. */
    struct cedar_token token = token_of("\"a\n桐\\q\"");
    const struct cedar_text *content;
    assert_int_equal(cedar_lex_string(&token, &arena, &error, &content), SR_ERR_INVALID);
    assert_int_equal(error.line, 2);
    assert_int_equal(error.column, 2);
    assert_string_equal(error.found, "`\\q`");
    cedar_arena_free(&arena);
}

static void test_patterns(void **state)
{
    static const struct {
        const char *text;
        uint32_t count;
        const char *pieces[3];
    } rows[] = {
        {"\"\"", 1, {""}},
        {"\"abc\"", 1, {"abc"}},
        {"\"*\"", 2, {"", ""}},
        {"\"a*b\"", 2, {"a", "b"}},
        {"\"*\\**\"", 3, {"", "*", ""}},
        {"\"\\x2a\"", 2, {"", ""}}, /* an escaped star is one all the same, but for \* */
        {"\"\\u{2a}\\n\"", 2, {"", "\n"}},
    };
    struct cedar_arena arena;
    const struct cedar_text *const *pieces;
    uint32_t count;
    (void)state;
    cedar_arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cedar_token token = token_of(rows[i].text);
        assert_int_equal(cedar_lex_pattern(&token, &arena, &error, &pieces, &count), 0);
        assert_int_equal(count, rows[i].count);
        for (uint32_t k = 0; k < count; k++)
            assert_string_equal(pieces[k]->data, rows[i].pieces[k]);
    }
    struct cedar_token token = token_of("\"\\q\"");
    assert_int_equal(cedar_lex_pattern(&token, &arena, &error, &pieces, &count), SR_ERR_INVALID);
    cedar_arena_free(&arena);
}

static void test_names(void **state)
{
    static const char *const good[] = {"A", "_", "A::B", "a1::_b::C", "principal", "permit::when"};
    static const char *const bad[] = {"",   "1a",    "A::",        "::A", "A:B", "A::::B", "A ::B",
                                      "in", "A::if", "__cedar::A", "é",   "A\"", "true"};
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(cedar_lex_is_name(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(cedar_lex_is_name(bad[i], strlen(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),   cmocka_unit_test(test_places),
        cmocka_unit_test(test_refused),  cmocka_unit_test(test_strings),
        cmocka_unit_test(test_patterns), cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
