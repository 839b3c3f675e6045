#include "policy/cedar_lex.h"

#include <string.h>

#include "base/error.h"
#include "policy/cedar_error.h"

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_part(char c)
{
    return is_name_start(c) || is_digit(c);
}

/* The length of the white space character at at, 0 if it is none: Unicode's White_Space. */
static size_t space_at(const char *at, const char *end)
{
    static const char *const spaces[] = {
        "\xc2\x85", "\u00a0", "\u1680", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000",
    };
    unsigned char c = (unsigned char)*at;
    if (c == ' ' || (c >= '\t' && c <= '\r'))
        return 1;
    if (c < 0x80)
        return 0;
    size_t left = (size_t)(end - at);
    for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
        size_t len = strlen(spaces[i]);
        if (left >= len && !memcmp(at, spaces[i], len))
            return len;
    }
    /* U+2000 to U+200A */
    bool general = left >= 3 && !memcmp(at, "\xe2\x80", 2) && (unsigned char)at[2] <= 0x8a;
    return general ? 3 : 0;
}

/* Moves over len bytes, counting lines and characters. */
static void advance(struct cedar_lex *lex, size_t len)
{
    for (; len > 0; len--, lex->at++) {
        if (*lex->at == '\n') {
            lex->line++;
            lex->column = 1;
        } else if (((unsigned char)*lex->at & 0xc0) != 0x80) {
            lex->column++;
        }
    }
}

static void skip_space(struct cedar_lex *lex)
{
    while (lex->at < lex->end) {
        size_t len = space_at(lex->at, lex->end);
        if (!len && lex->end - lex->at >= 2 && !memcmp(lex->at, "//", 2))
            while (lex->at + len < lex->end && lex->at[len] != '\n' && lex->at[len] != '\r')
                len++;
        if (!len)
            return;
        advance(lex, len);
    }
}

void cedar_lex_open(struct cedar_lex *lex, const char *source, size_t len,
                    struct cedar_error *error)
{
    *lex = (struct cedar_lex){
        .at = source, .end = source + len, .line = 1, .column = 1, .error = error};
}

enum cedar_word cedar_lex_word(const char *text, size_t len)
{
    static const struct {
        const char *text;
        enum cedar_word word;
    } words[] = {
        {"true", CEDAR_WORD_TRUE},
        {"false", CEDAR_WORD_FALSE},
        {"if", CEDAR_WORD_IF},
        {"then", CEDAR_WORD_THEN},
        {"else", CEDAR_WORD_ELSE},
        {"in", CEDAR_WORD_IN},
        {"is", CEDAR_WORD_IS},
        {"has", CEDAR_WORD_HAS},
        {"like", CEDAR_WORD_LIKE},
        {"__cedar", CEDAR_WORD_CEDAR},
        {"permit", CEDAR_WORD_PERMIT},
        {"forbid", CEDAR_WORD_FORBID},
        {"when", CEDAR_WORD_WHEN},
        {"unless", CEDAR_WORD_UNLESS},
        {"principal", CEDAR_WORD_PRINCIPAL},
        {"action", CEDAR_WORD_ACTION},
        {"resource", CEDAR_WORD_RESOURCE},
        {"context", CEDAR_WORD_CONTEXT},
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i].text) == len && !memcmp(words[i].text, text, len))
            return words[i].word;
    return CEDAR_WORD_NONE;
}

/* The length of the string at at, quotes included; 0 when it does not end. */
static size_t string_len(const char *at, const char *end)
{
    for (const char *c = at + 1; c < end; c++) {
        if (*c == '"')
            return (size_t)(c - at) + 1;
        if (*c == '\\' && (++c == end || *c == '\n'))
            return 0;
    }
    return 0;
}

static size_t sign_len(const char *at, const char *end)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "&&", "||", "::"};
    if (end - at >= 2)
        for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
            if (!memcmp(at, pairs[i], 2))
                return 2;
    return *at && strchr("@.,;:(){}[]<>+-*/%!=", *at) ? 1 : 0;
}

static size_t char_len(const char *at, const char *end)
{
    size_t len = 1;
    while (at + len < end && ((unsigned char)at[len] & 0xc0) == 0x80)
        len++;
    return len;
}

int cedar_lex_next(struct cedar_lex *lex, struct cedar_token *out)
{
    skip_space(lex);
    const char *at = lex->at;
    const char *end = lex->end;
    *out = (struct cedar_token){.text = at, .line = lex->line, .column = lex->column};
    if (at == end)
        return 0;
    size_t len = 0;
    if (is_name_start(*at)) {
        while (at + len < end && is_name_part(at[len]))
            len++;
        out->kind = CEDAR_TOKEN_NAME;
        out->word = cedar_lex_word(at, len);
    } else if (is_digit(*at)) {
        while (at + len < end && is_digit(at[len]))
            len++;
        out->kind = CEDAR_TOKEN_NUMBER;
    } else if (*at == '?' && end - at > 1 && is_name_start(at[1])) {
        for (len = 1; at + len < end && is_name_part(at[len]);)
            len++;
        out->kind = CEDAR_TOKEN_SLOT;
    } else if (*at == '"') {
        len = string_len(at, end);
        if (!len)
            return cedar_error_set(lex->error, out->line, out->column, "a string without end",
                                   "a closing \"");
        out->kind = CEDAR_TOKEN_STRING;
        out->text++;
    } else {
        len = lex->schema && *at == '?' ? 1 : sign_len(at, end);
        if (!len)
            return cedar_error_quote(lex->error, out->line, out->column, '`', at, char_len(at, end),
                                     "a word, number, string or sign of Cedar");
        out->kind = CEDAR_TOKEN_SIGN;
    }
    out->len = out->kind == CEDAR_TOKEN_STRING ? len - 2 : len;
    advance(lex, len);
    return 0;
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
        return (c | 0x20) - 'a' + 10;
    return -1;
}

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((len == 2 ? 0xc0 : len == 3 ? 0xe0 : 0xf0) | c);
    return len;
}

/* "{1F600}" after "\u": one to six hex digits, underscores between and after them, a Unicode scalar
 * value. The length read, 0 when it is malformed. */
static size_t read_braced(const char *at, const char *end, uint32_t *out)
{
    int digits = 0;
    *out = 0;
    if (at == end || *at != '{')
        return 0;
    for (const char *c = at + 1; c < end; c++) {
        if (*c == '}' && digits) {
            bool scalar = *out <= 0x10ffff && (*out < 0xd800 || *out > 0xdfff);
            return scalar ? (size_t)(c - at) + 1 : 0;
        }
        if (*c == '_' && digits)
            continue;
        if (hex_value(*c) < 0 || ++digits > 6)
            return 0;
        *out = *out << 4 | (uint32_t)hex_value(*c);
    }
    return 0;
}

/* One escape, at points after the backslash. The length read, 0 when it is none. */
static size_t read_escape(const char *at, const char *end, uint32_t *out)
{
    static const char letters[] = "nrt\\'\"0";
    static const char meanings[] = "\n\r\t\\'\"";
    if (at == end)
        return 0;
    const char *letter = *at ? strchr(letters, *at) : NULL;
    if (letter) {
        *out = (uint32_t)meanings[letter - letters];
        return 1;
    }
    if (*at == 'x') {
        if (end - at < 3 || hex_value(at[1]) < 0 || hex_value(at[2]) < 0)
            return 0;
        *out = (uint32_t)(hex_value(at[1]) << 4 | hex_value(at[2]));
        return *out < 0x80 ? 3 : 0;
    }
    size_t len = *at == 'u' ? read_braced(at + 1, end, out) : 0;
    return len ? len + 1 : 0;
}

/* Where a byte within a string token stands. */
static void place_within(const struct cedar_token *token, const char *at, struct cedar_error *error)
{
    struct cedar_lex lex = {
        .at = token->text, .end = at, .line = token->line, .column = token->column + 1};
    advance(&lex, (size_t)(at - token->text));
    error->line = lex.line;
    error->column = lex.column;
}

/* The next character of a string token, escaped or not. *star: a wildcard of a pattern. Returns the
 * length read, or SR_ERR_INVALID. */
static int read_char(const struct cedar_token *token, const char *at, bool pattern,
                     struct cedar_error *error, char out[4], size_t *out_len, bool *star)
{
    const char *end = token->text + token->len;
    *star = false;
    if (*at == '\r') {
        place_within(token, at, error);
        return cedar_error_set(error, error->line, error->column, "a bare carriage return", "\\r");
    }
    if (*at != '\\') {
        *out_len = char_len(at, end);
        memcpy(out, at, *out_len);
        *star = pattern && *at == '*';
        return (int)*out_len;
    }
    uint32_t c = '*';
    size_t len = 1;
    if (!pattern || at + 1 == end || at[1] != '*') {
        len = read_escape(at + 1, end, &c);
        *star = pattern && c == '*'; /* an escaped code point of a star is a star all the same */
    }
    if (!len) {
        place_within(token, at, error);
        return cedar_error_quote(error, error->line, error->column, '`', at, at + 1 < end ? 2 : 1,
                                 pattern
                                     ? "an escape: \\n \\r \\t \\\\ \\0 \\' \\\" \\* \\xHH \\u{H}"
                                     : "an escape: \\n \\r \\t \\\\ \\0 \\' \\\" \\xHH \\u{H}");
    }
    *out_len = put_utf8(c, out);
    return (int)len + 1;
}

int cedar_lex_string(const struct cedar_token *token, struct cedar_arena *arena,
                     struct cedar_error *error, const struct cedar_text **out)
{
    *out = NULL;
    char small[256];
    char *buf = token->len <= sizeof(small) ? small : cedar_arena_alloc(arena, token->len);
    size_t len = 0;
    if (!buf)
        return SR_ERR_TOO_LARGE;
    /* No escape is shorter than what it stands for. */
    for (size_t i = 0; i < token->len;) {
        size_t added;
        bool star;
        char c[4];
        int rc = read_char(token, token->text + i, false, error, c, &added, &star);
        if (rc < 0)
            return rc;
        memcpy(buf + len, c, added);
        len += added;
        i += (size_t)rc;
    }
    *out = cedar_text_make(arena, buf, len);
    return *out ? 0 : SR_ERR_TOO_LARGE;
}

int cedar_lex_pattern(const struct cedar_token *token, struct cedar_arena *arena,
                      struct cedar_error *error, const struct cedar_text *const **out,
                      uint32_t *count)
{
    size_t most = 1;
    *out = NULL;
    for (size_t i = 0; i < token->len; i++) /* an escape makes at most one star */
        most += token->text[i] == '*' || token->text[i] == '\\';
    const struct cedar_text **pieces = cedar_arena_array(arena, most, sizeof(const void *));
    char *buf = cedar_arena_alloc(arena, token->len + 1);
    size_t len = 0;
    uint32_t made = 0;
    if (!pieces || !buf)
        return SR_ERR_TOO_LARGE;
    for (size_t i = 0; i <= token->len;) {
        size_t added = 0;
        bool star = i == token->len;
        char c[4];
        int rc = star ? 1 : read_char(token, token->text + i, true, error, c, &added, &star);
        if (rc < 0)
            return rc;
        i += (size_t)rc;
        if (!star) {
            memcpy(buf + len, c, added);
            len += added;
            continue;
        }
        pieces[made] = cedar_text_make(arena, buf, len);
        if (!pieces[made++])
            return SR_ERR_TOO_LARGE;
        len = 0;
    }
    *out = pieces;
    *count = made;
    return 0;
}

bool cedar_lex_is_name(const char *text, size_t len)
{
    const char *at = text;
    const char *end = text + len;
    for (;;) {
        const char *start = at;
        while (at < end && is_name_part(*at))
            at++;
        enum cedar_word word = cedar_lex_word(start, (size_t)(at - start));
        if (at == start || is_digit(*start) || (word && word <= CEDAR_WORD_RESERVED))
            return false;
        if (at == end)
            return true;
        if (end - at < 2 || at[0] != ':' || at[1] != ':')
            return false;
        at += 2;
    }
}

bool cedar_lex_is_action(const struct cedar_text *type)
{
    static const char action[] = "Action";
    size_t len = sizeof(action) - 1;
    if (type->len < len || memcmp(type->data + type->len - len, action, len))
        return false;
    return type->len == len || type->data[type->len - len - 1] == ':';
}
