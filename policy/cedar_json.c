#include "policy/cedar_json.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/cedar_error.h"

int cedar_json_memory(const struct cedar_json *json)
{
    return cedar_arena_full(json->arena, "the JSON text");
}

/* Lines and columns are counted only when something is wrong. */
int cedar_json_refuse(struct cedar_json *json, const char *at, const char *expected)
{
    uint32_t line = 1;
    uint32_t column = 1;
    for (const char *c = json->start; c < at; c++) {
        if (*c == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*c & 0xc0) != 0x80) {
            column++;
        }
    }
    if (at == json->end)
        return cedar_error_set(json->error, line, column, "the end of the text", expected);
    size_t len = 1;
    while (!strchr(",:", *at) && at + len < json->end && len < 64 && !strchr(" \t\r\n,:", at[len]))
        len++;
    while (at + len < json->end && ((unsigned char)at[len] & 0xc0) == 0x80)
        len++;
    return cedar_error_quote(json->error, line, column, '`', at, len, expected);
}

int cedar_json_open(struct cedar_json *json, const uint8_t *data, size_t len, bool implicit,
                    struct cedar_arena *arena, struct cedar_error *error)
{
    const char *text = (const char *)data;
    *json = (struct cedar_json){
        .at = text,
        .end = text + len,
        .start = text,
        .error = error,
        .arena = arena,
        .implicit = implicit,
    };
    *error = (struct cedar_error){0};
    if (sr_utf8_valid(text, len))
        return 0;
    return cedar_error_set(error, 1, 1, "bytes that are not UTF-8", "UTF-8");
}

void cedar_json_close(struct cedar_json *json)
{
    free(json->stack);
    json->stack = NULL;
}

char cedar_json_peek(struct cedar_json *json)
{
    while (json->at < json->end && *json->at && strchr(" \t\r\n", *json->at))
        json->at++;
    return json->at < json->end ? *json->at : '\0';
}

int cedar_json_expect(struct cedar_json *json, char c)
{
    char expected[] = {'`', c, '`', '\0'};
    if (cedar_json_peek(json) != c || json->at == json->end)
        return cedar_json_refuse(json, json->at, expected);
    json->at++;
    return 0;
}

int cedar_json_more(struct cedar_json *json, char close, bool *first)
{
    if (cedar_json_peek(json) == close) {
        json->at++;
        return 0;
    }
    int rc = 0;
    if (!*first && cedar_json_peek(json) != ',')
        rc = cedar_json_refuse(json, json->at, close == '}' ? "`,` or `}`" : "`,` or `]`");
    else if (!*first)
        json->at++;
    *first = false;
    return rc < 0 ? rc : 1;
}

int cedar_json_finish(struct cedar_json *json)
{
    cedar_json_peek(json);
    return json->at == json->end ? 0 : cedar_json_refuse(json, json->at, "the end of the text");
}

static bool read_hex4(const char *at, const char *end, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, at++) {
        if (at >= end)
            return false;
        char lower = (char)(*at | 0x20);
        bool digit = *at >= '0' && *at <= '9';
        if (!digit && (lower < 'a' || lower > 'f'))
            return false;
        *out = *out << 4 | (uint32_t)(digit ? *at - '0' : lower - 'a' + 10);
    }
    return true;
}

static size_t put_utf8(uint32_t c, char *out)
{
    size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--, c >>= 6)
        out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)(leads[len] | c);
    return len;
}

/* What stands after a backslash; *at moves over it. The bytes written, 0 when it is no escape. */
static size_t read_escape(const char **at, const char *end, char *out)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t c;
    uint32_t low;
    if (*at == end)
        return 0;
    const char *letter = **at ? strchr(letters, **at) : NULL;
    if (letter) {
        *out = meanings[letter - letters];
        ++*at;
        return 1;
    }
    if (**at != 'u' || !read_hex4(*at + 1, end, &c))
        return 0;
    *at += 5;
    if (c >= 0xd800 && c <= 0xdbff) { /* a surrogate needs its other half */
        if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u' ||
            !read_hex4(*at + 2, end, &low) || low < 0xdc00 || low > 0xdfff)
            return 0;
        *at += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    } else if (c >= 0xdc00 && c <= 0xdfff) {
        return 0;
    }
    return put_utf8(c, out);
}

int cedar_json_string(struct cedar_json *json, const struct cedar_text **out)
{
    *out = NULL;
    if (cedar_json_peek(json) != '"')
        return cedar_json_refuse(json, json->at, "a string");
    const char *start = json->at + 1;
    const char *stop = start;
    while (stop < json->end && *stop != '"')
        stop += *stop == '\\' && stop + 1 < json->end ? 2 : 1;
    if (stop >= json->end)
        return cedar_json_refuse(json, json->end, "`\"`");
    char small[256];
    size_t room = (size_t)(stop - start);
    char *buf = room <= sizeof(small) ? small : cedar_arena_alloc(json->arena, room);
    size_t len = 0;
    if (!buf)
        return cedar_json_memory(json);
    /* No escape is shorter than what it stands for. */
    for (const char *c = start; c < stop;) {
        const char *here = c;
        if ((unsigned char)*c < 0x20)
            return cedar_json_refuse(json, here, "control characters written as \\u00XX");
        if (*c != '\\') {
            buf[len++] = *c++;
            continue;
        }
        c++;
        size_t added = read_escape(&c, stop, buf + len);
        if (!added)
            return cedar_json_refuse(json, here, "an escape of JSON");
        len += added;
    }
    json->at = stop + 1;
    *out = cedar_text_make(json->arena, buf, len);
    return *out ? 0 : cedar_json_memory(json);
}

int cedar_json_key(struct cedar_json *json, const struct cedar_text **out)
{
    int rc = cedar_json_string(json, out);
    return rc < 0 ? rc : cedar_json_expect(json, ':');
}

static bool accept_word(struct cedar_json *json, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(json->end - json->at) < len || memcmp(json->at, word, len))
        return false;
    json->at += len;
    return true;
}

int cedar_json_bool(struct cedar_json *json, bool *out)
{
    cedar_json_peek(json);
    *out = accept_word(json, "true");
    if (!*out && !accept_word(json, "false"))
        return cedar_json_refuse(json, json->at, "true or false");
    return 0;
}
