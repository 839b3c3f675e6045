/* Reading JSON. Most of it is what json.c wrote: one line, no escapes, keys in order. That is read here; everything
 * else, and every judgement of what is wrong, is jansson's. docs/adr/0008 has the measurement. */
#include "base/json.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define DEPTH_MAX 64
#define DIGITS_MAX 15 /* 2^53 has 16 */

/* --- what the canonical writer made ------------------------------------------------------------- */

struct reader {
    const uint8_t *at, *end;
};

/* NULL: not what this reads, or no memory; jansson will say. */
static json_t *read_value(struct reader *r, int left);

static bool take(struct reader *r, uint8_t c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* The text up to the next quotation mark; false: it has escapes, control characters, other than UTF-8, or no end. */
static bool read_text(struct reader *r, const char **text, size_t *len)
{
    uint8_t all = 0;
    if (!take(r, '"'))
        return false;
    const uint8_t *start = r->at;
    for (; r->at < r->end && *r->at != '"'; r->at++) {
        if (*r->at < 0x20 || *r->at == '\\')
            return false;
        all |= *r->at;
    }
    *text = (const char *)start;
    *len = (size_t)(r->at - start);
    return take(r, '"') && (all < 0x80 || sr_utf8_valid(*text, *len));
}

static json_t *read_string(struct reader *r)
{
    const char *text;
    size_t len;
    return read_text(r, &text, &len) ? json_stringn_nocheck(text, len) : NULL;
}

static json_t *read_integer(struct reader *r)
{
    json_int_t value = 0;
    bool negative = take(r, '-');
    const uint8_t *start = r->at;
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - start < DIGITS_MAX)
        value = value * 10 + (*r->at++ - '0');
    if (r->at == start || (*start == '0' && (negative || r->at - start > 1)))
        return NULL;
    /* What follows in an integer's place is the end or a separator; `.`, `e` and a 16th digit are not. */
    if (r->at < r->end && *r->at != ',' && *r->at != '}' && *r->at != ']')
        return NULL;
    return json_integer(negative ? -value : value);
}

static json_t *read_word(struct reader *r)
{
    static const struct {
        const char *word;
        size_t len;
        json_t *(*make)(void);
    } words[] = {{"true", 4, json_true}, {"false", 5, json_false}, {"null", 4, json_null}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((size_t)(r->end - r->at) >= words[i].len &&
            memcmp(r->at, words[i].word, words[i].len) == 0) {
            r->at += words[i].len;
            return words[i].make();
        }
    return NULL;
}

static json_t *read_array(struct reader *r, int left)
{
    json_t *array = json_array();
    bool more = !take(r, ']');
    while (array != NULL && more) {
        json_t *value = read_value(r, left);
        if (value == NULL || json_array_append_new(array, value) < 0 ||
            ((more = take(r, ',')) == false && !take(r, ']'))) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

/* Keys that ascend are all different. */
static bool ascends(const char *before, size_t before_len, const char *key, size_t len)
{
    size_t common = before_len < len ? before_len : len;
    int order = common == 0 ? 0 : memcmp(before, key, common);
    return order < 0 || (order == 0 && before_len < len);
}

static json_t *read_object(struct reader *r, int left)
{
    json_t *object = json_object();
    const char *key, *before = NULL;
    size_t len, before_len = 0;
    bool more = !take(r, '}');
    while (object != NULL && more) {
        json_t *value = NULL;
        if (read_text(r, &key, &len) && take(r, ':') &&
            (before == NULL || ascends(before, before_len, key, len)))
            value = read_value(r, left);
        if (value == NULL || json_object_setn_new_nocheck(object, key, len, value) < 0 ||
            ((more = take(r, ',')) == false && !take(r, '}'))) {
            json_decref(object);
            return NULL;
        }
        before = key;
        before_len = len;
    }
    return object;
}

static json_t *read_value(struct reader *r, int left)
{
    if (r->at == r->end)
        return NULL;
    switch (*r->at) {
    case '"':
        return read_string(r);
    case '{':
        r->at++;
        return left > 0 ? read_object(r, left - 1) : NULL;
    case '[':
        r->at++;
        return left > 0 ? read_array(r, left - 1) : NULL;
    case 't':
    case 'f':
    case 'n':
        return read_word(r);
    default:
        return read_integer(r);
    }
}

/* --- everything else ---------------------------------------------------------------------------- */

/* Whether arrays and objects nest at most left deep. jansson's own limit is 2048. */
static bool depth_within(const json_t *value, int left)
{
    if (!json_is_array(value) && !json_is_object(value))
        return true;
    if (left == 0)
        return false;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++)
            if (!depth_within(json_array_get(value, i), left - 1))
                return false;
        return true;
    }
    json_t *walked = (json_t *)value; /* jansson's iterator wants it, and changes nothing */
    for (void *i = json_object_iter(walked); i; i = json_object_iter_next(walked, i))
        if (!depth_within(json_object_iter_value(i), left - 1))
            return false;
    return true;
}

static int read_any(const uint8_t *data, size_t len, json_t **out)
{
    json_error_t error;
    json_t *value =
        json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value && json_error_code(&error) == json_error_out_of_memory)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    /* jansson's own text may quote the input, which may hold names; the place does not. */
    if (!value)
        return sr_fail(SR_ERR_INVALID, "not JSON (line %d, column %d)", error.line, error.column);
    if (!depth_within(value, DEPTH_MAX)) {
        json_decref(value);
        return sr_fail(SR_ERR_INVALID, "JSON nested more than %d deep", DEPTH_MAX);
    }
    *out = value;
    return 0;
}

int sr_json_parse(const uint8_t *data, size_t len, json_t **out)
{
    struct reader r = {.at = data, .end = data + len};
    *out = NULL;
    json_t *value = read_value(&r, DEPTH_MAX);
    if (value != NULL && r.at == r.end) {
        *out = value;
        return 0;
    }
    json_decref(value);
    return read_any(data, len, out);
}
