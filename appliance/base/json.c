#include "base/json.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define DEPTH_MAX 64
/* I-JSON (RFC 7493 section 2.2): integers a double holds exactly. */
#define INTEGER_MAX (INT64_C(1) << 53)

/* RFC 8785 section 3.2.2.2. text must be UTF-8; what JSON need not escape is copied as it is. */
static int write_string(const char *text, size_t len, struct sr_buf *out)
{
    if (!sr_utf8_valid(text, len))
        return sr_fail(SR_ERR_INVALID, "JSON string that is not UTF-8");
    sr_buf_append(out, "\"", 1);
    size_t start = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        sr_buf_append(out, text + start, i - start);
        start = i + 1;
        static const char shorts[] = "btn\0fr"; /* U+0008 to U+000D; U+000B has none */
        if (c == '"' || c == '\\')
            sr_buf_format(out, "\\%c", c);
        else if (c >= 0x08 && c <= 0x0d && c != 0x0b)
            sr_buf_format(out, "\\%c", shorts[c - 0x08]);
        else
            sr_buf_format(out, "\\u%04x", c);
    }
    sr_buf_append(out, text + start, len - start);
    sr_buf_append(out, "\"", 1);
    return 0;
}

/* The fewest decimal digits that read back as value (> 0): value = *digits * 10^exponent, the
 * nearest such where several have as few (ECMA-262, Number::toString). Returns exponent. No
 * decimal point is read or printed, so the locale has no say. */
static int shortest_digits(double value, uint64_t *digits)
{
    for (int precision = 1;; precision++) {
        char text[40];
        snprintf(text, sizeof(text), "%.*e", precision - 1, value);
        char *e = strchr(text, 'e');
        uint64_t nearest = 0;
        for (const char *c = text; c < e; c++)
            if (*c >= '0' && *c <= '9')
                nearest = nearest * 10 + (uint64_t)(*c - '0');
        int exponent = (int)strtol(e + 1, NULL, 10) - (precision - 1);
        /* Above a power of two doubles lie twice as far apart as below, so that the next
         * decimal up may read back where the nearest, below, does not. */
        for (uint64_t candidate = nearest; candidate <= nearest + 1; candidate++) {
            snprintf(text, sizeof(text), "%llue%d", (unsigned long long)candidate, exponent);
            if (strtod(text, NULL) != value && precision < 17)
                continue;
            while (candidate % 10 == 0) {
                candidate /= 10;
                exponent++;
            }
            *digits = candidate;
            return exponent;
        }
    }
}

/* RFC 8785 section 3.2.2.3, which is ECMA-262 Number::toString. */
static int write_real(double value, struct sr_buf *out)
{
    if (!isfinite(value))
        return sr_fail(SR_ERR_INVALID, "JSON number that is not finite");
    if (value == 0) {
        sr_buf_text(out, "0"); /* minus zero too */
        return 0;
    }
    if (value < 0)
        sr_buf_text(out, "-");
    uint64_t number;
    int exponent = shortest_digits(fabs(value), &number);
    char digits[24];
    int k = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
    int n = exponent + k; /* value = 0.digits * 10^n */
    if (k <= n && n <= 21) {
        sr_buf_text(out, digits);
        for (int i = k; i < n; i++)
            sr_buf_text(out, "0");
    } else if (0 < n && n <= 21) {
        sr_buf_format(out, "%.*s.%s", n, digits, digits + n);
    } else if (-6 < n && n <= 0) {
        sr_buf_text(out, "0.");
        for (int i = n; i < 0; i++)
            sr_buf_text(out, "0");
        sr_buf_text(out, digits);
    } else {
        sr_buf_format(out, "%c%s%s", digits[0], k > 1 ? "." : "", digits + 1);
        sr_buf_format(out, "e%c%d", n - 1 < 0 ? '-' : '+', abs(n - 1));
    }
    return 0;
}

struct member {
    const char *key;
    size_t key_len;
    const json_t *value;
};

/* Order of UTF-16 code units, on UTF-8. It differs from the order of bytes in one thing: U+10000
 * and above (lead bytes F0-F4) are surrogates, which sort before U+E000-U+FFFF (lead EE, EF). */
static int compare_members(const void *left, const void *right)
{
    const struct member *a = left;
    const struct member *b = right;
    for (size_t i = 0; i < a->key_len && i < b->key_len; i++) {
        int x = (unsigned char)a->key[i];
        int y = (unsigned char)b->key[i];
        if (x == y)
            continue;
        if (x == 0xee || x == 0xef)
            x += 0x10;
        if (y == 0xee || y == 0xef)
            y += 0x10;
        return x - y;
    }
    return (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int write_value(const json_t *value, int depth, struct sr_buf *out);

static int write_object(const json_t *object, int depth, struct sr_buf *out)
{
    size_t count = json_object_size(object);
    struct member *members = calloc(count ? count : 1, sizeof(*members));
    if (!members)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    json_t *walked = (json_t *)object; /* jansson's iterator wants it, and changes nothing */
    void *iter = json_object_iter(walked);
    for (size_t i = 0; iter && i < count; i++) {
        members[i].key = json_object_iter_key(iter);
        members[i].key_len = json_object_iter_key_len(iter);
        members[i].value = json_object_iter_value(iter);
        iter = json_object_iter_next(walked, iter);
    }
    qsort(members, count, sizeof(*members), compare_members);
    int rc = 0;
    sr_buf_text(out, "{");
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if (i)
            sr_buf_text(out, ",");
        rc = write_string(members[i].key, members[i].key_len, out);
        sr_buf_text(out, ":");
        if (rc == 0)
            rc = write_value(members[i].value, depth, out);
    }
    sr_buf_text(out, "}");
    free(members);
    return rc;
}

static int write_array(const json_t *array, int depth, struct sr_buf *out)
{
    int rc = 0;
    sr_buf_text(out, "[");
    for (size_t i = 0; rc == 0 && i < json_array_size(array); i++) {
        if (i)
            sr_buf_text(out, ",");
        rc = write_value(json_array_get(array, i), depth, out);
    }
    sr_buf_text(out, "]");
    return rc;
}

static int write_value(const json_t *value, int depth, struct sr_buf *out)
{
    if (!value)
        return sr_fail(SR_ERR_INVALID, "JSON value is missing");
    switch (json_typeof(value)) {
    case JSON_NULL:
        sr_buf_text(out, "null");
        return 0;
    case JSON_TRUE:
        sr_buf_text(out, "true");
        return 0;
    case JSON_FALSE:
        sr_buf_text(out, "false");
        return 0;
    case JSON_STRING:
        return write_string(json_string_value(value), json_string_length(value), out);
    case JSON_INTEGER:
        if (json_integer_value(value) > INTEGER_MAX || json_integer_value(value) < -INTEGER_MAX)
            return sr_fail(SR_ERR_INVALID, "JSON integer beyond 2^53");
        sr_buf_format(out, "%lld", (long long)json_integer_value(value));
        return 0;
    case JSON_REAL:
        return write_real(json_real_value(value), out);
    case JSON_ARRAY:
    case JSON_OBJECT:
        if (depth >= DEPTH_MAX)
            return sr_fail(SR_ERR_INVALID, "JSON nested more than %d deep", DEPTH_MAX);
        return json_is_array(value) ? write_array(value, depth + 1, out)
                                    : write_object(value, depth + 1, out);
    }
    return sr_fail(SR_ERR_INVALID, "JSON value of unknown type");
}

int sr_json_canonical(const json_t *value, struct sr_buf *out)
{
    int rc = write_value(value, 0, out);
    if (rc == 0 && out->failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    return rc;
}

int sr_json_get_text(const json_t *object, const char *key, const char **out)
{
    *out = NULL;
    const json_t *value = json_object_get(object, key);
    if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
        return sr_fail(SR_ERR_INVALID, "JSON member %s is missing or not a string", key);
    *out = json_string_value(value);
    return 0;
}

int sr_json_get_u64(const json_t *object, const char *key, uint64_t *out)
{
    *out = 0;
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *out = (uint64_t)json_integer_value(value);
        return 0;
    }
    const char *text;
    if (!json_is_string(value) || sr_json_get_text(object, key, &text) || sr_parse_u64(text, out))
        return sr_fail(SR_ERR_INVALID, "JSON member %s is missing or not a number from 0", key);
    return 0;
}

int sr_json_get_i64(const json_t *object, const char *key, int64_t *out)
{
    *out = 0;
    const json_t *value = json_object_get(object, key);
    if (json_is_integer(value)) {
        *out = json_integer_value(value);
        return 0;
    }
    const char *text;
    uint64_t magnitude;
    if (!json_is_string(value) || sr_json_get_text(object, key, &text))
        goto invalid;
    bool negative = text[0] == '-';
    if (sr_parse_u64(text + negative, &magnitude))
        goto invalid;
    if (negative && magnitude > 0 && magnitude <= (uint64_t)INT64_MAX + 1)
        *out = (int64_t)(0 - magnitude);
    else if (!negative && magnitude <= INT64_MAX)
        *out = (int64_t)magnitude;
    else
        goto invalid;
    return 0;
invalid:
    return sr_fail(SR_ERR_INVALID, "JSON member %s is missing or not a number", key);
}

int sr_json_get_hex(const json_t *object, const char *key, uint8_t *out, size_t len)
{
    const char *text;
    if (sr_json_get_text(object, key, &text) || sr_hex_decode(text, out, len))
        return sr_fail(SR_ERR_INVALID, "JSON member %s is missing or not %zu hex digits", key,
                       2 * len);
    return 0;
}

json_t *sr_json_u64_text(uint64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    return json_string(text);
}

json_t *sr_json_i64_text(int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    return json_string(text);
}

json_t *sr_json_hex(const uint8_t *data, size_t len)
{
    char *text = malloc(2 * len + 1);
    if (!text)
        return NULL;
    sr_hex_encode(data, len, text);
    json_t *value = json_string(text);
    free(text);
    return value;
}
