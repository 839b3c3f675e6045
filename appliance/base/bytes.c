#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* Room for more bytes and the NUL behind them. */
static bool reserve(struct sr_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more >= SIZE_MAX / 2 - buf->len - 1) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->len + more + 1;
    if (need <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : 64;
    while (capacity < need)
        capacity *= 2;
    char *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void sr_buf_append(struct sr_buf *buf, const void *data, size_t len)
{
    if (!reserve(buf, len))
        return;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void sr_buf_text(struct sr_buf *buf, const char *text)
{
    sr_buf_append(buf, text, strlen(text));
}

void sr_buf_format(struct sr_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    if (!reserve(buf, (size_t)len))
        return;
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
}

void sr_buf_free(struct sr_buf *buf)
{
    free(buf->data);
    *buf = (struct sr_buf){0};
}

void sr_put_be16(uint8_t *out, uint16_t value)
{
    out[0] = (uint8_t)(value >> 8);
    out[1] = (uint8_t)value;
}

void sr_put_be32(uint8_t *out, uint32_t value)
{
    sr_put_be16(out, (uint16_t)(value >> 16));
    sr_put_be16(out + 2, (uint16_t)value);
}

void sr_put_be64(uint8_t *out, uint64_t value)
{
    sr_put_be32(out, (uint32_t)(value >> 32));
    sr_put_be32(out + 4, (uint32_t)value);
}

uint16_t sr_get_be16(const uint8_t *in)
{
    return (uint16_t)((uint16_t)in[0] << 8 | in[1]);
}

uint32_t sr_get_be32(const uint8_t *in)
{
    return (uint32_t)sr_get_be16(in) << 16 | sr_get_be16(in + 2);
}

uint64_t sr_get_be64(const uint8_t *in)
{
    return (uint64_t)sr_get_be32(in) << 32 | sr_get_be32(in + 4);
}

void sr_hex_encode(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

int sr_hex_decode(const char *text, uint8_t *out, size_t len)
{
    if (strnlen(text, 2 * len + 1) != 2 * len)
        return sr_fail(SR_ERR_INVALID, "expected %zu hex digits", 2 * len);
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return sr_fail(SR_ERR_INVALID, "not a lower-case hex digit");
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void sr_base64_encode(const uint8_t *data, size_t len, char *out)
{
    size_t i = 0;
    for (; len - i >= 3; i += 3) {
        uint32_t group = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            *out++ = base64_digits[group >> shift & 63];
    }
    if (len - i > 0) {
        bool two = len - i == 2;
        uint32_t group = (uint32_t)data[i] << 16 | (two ? (uint32_t)data[i + 1] << 8 : 0);
        *out++ = base64_digits[group >> 18 & 63];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = two ? base64_digits[group >> 6 & 63] : '=';
        *out++ = '=';
    }
    *out = '\0';
}

/* The other way round, each digit one more than its value, so that 0 is none. */
static const uint8_t base64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

static int base64_digit(char c)
{
    return base64_values[(uint8_t)c] - 1;
}

int sr_base64_decode(const char *text, size_t text_len, uint8_t *out, size_t *len)
{
    size_t capacity = *len;
    *len = 0;
    if (text_len % 4 != 0)
        return sr_fail(SR_ERR_INVALID, "base64 without its padding");
    size_t padding = 0;
    if (text_len && text[text_len - 1] == '=')
        padding = text[text_len - 2] == '=' ? 2 : 1;
    size_t need = text_len / 4 * 3 - padding;
    if (need > capacity)
        return sr_fail(SR_ERR_INVALID, "base64 of %zu bytes where at most %zu belong", need,
                       capacity);
    size_t done = 0;
    for (size_t i = 0; i < text_len; i += 4) {
        size_t digits = i + 4 == text_len ? 4 - padding : 4;
        uint32_t group = 0;
        for (size_t j = 0; j < 4; j++) {
            int digit = j < digits ? base64_digit(text[i + j]) : 0;
            if (digit < 0)
                return sr_fail(SR_ERR_INVALID, "not a base64 digit");
            group = group << 6 | (uint32_t)digit;
        }
        for (size_t j = 0; j < 3; j++) {
            uint8_t byte = (uint8_t)(group >> (16 - 8 * j));
            if (j + 1 < digits)
                out[done++] = byte;
            else if (byte)
                return sr_fail(SR_ERR_INVALID, "base64 with unused bits set");
        }
    }
    *len = done;
    return 0;
}

int sr_parse_u64(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    *out = 0;
    if (!*text || (text[0] == '0' && text[1]))
        return sr_fail(SR_ERR_INVALID, "not a decimal number");
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9')
            return sr_fail(SR_ERR_INVALID, "not a decimal number");
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
            return sr_fail(SR_ERR_INVALID, "number beyond 64 bits");
    }
    *out = value;
    return 0;
}
