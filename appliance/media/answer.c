#include "media/answer.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "media/wire.h"

#define NUMBER_MAX (INT64_C(1) << 53)
#define PLAIN_MAX INT64_C(0x7fffffff)

/* What a member may be. */
enum kind {
    KIND_TEXT,
    KIND_WORD,    /* a-z 0-9 _ */
    KIND_CHOICE,  /* one of choices, separated by spaces */
    KIND_INTEGER, /* min to max */
    KIND_REAL,    /* min to max, fractions too */
    KIND_FLAG,
    KIND_FLAG_OR_NULL,
    KIND_TIME_NS, /* decimal text of an int64 */
    KIND_MIME,
    KIND_FRACTION,
    KIND_DATE,
    KIND_LIST,   /* at most max objects of members */
    KIND_OBJECT, /* of members */
    KIND_LABELS,
};

struct member {
    const char *name;
    enum kind kind;
    bool required;
    int64_t min, max;
    const char *choices;
    const struct member *members; /* ends with a NULL name */
};

static const struct member stream_members[] = {
    {.name = "kind",
     .kind = KIND_CHOICE,
     .required = true,
     .choices = "video audio subtitle data attachment image"},
    {.name = "codec", .kind = KIND_TEXT},
    {.name = "width", .kind = KIND_INTEGER, .min = 1, .max = PLAIN_MAX},
    {.name = "height", .kind = KIND_INTEGER, .min = 1, .max = PLAIN_MAX},
    {.name = "frame_rate", .kind = KIND_FRACTION},
    {.name = "bit_rate", .kind = KIND_INTEGER, .max = NUMBER_MAX},
    {.name = "sample_rate", .kind = KIND_INTEGER, .min = 1, .max = PLAIN_MAX},
    {.name = "channels", .kind = KIND_INTEGER, .min = 1, .max = 1024},
    {.name = NULL},
};
static const struct member signature_members[] = {
    {.name = "kind", .kind = KIND_WORD, .required = true},
    {.name = "signer", .kind = KIND_TEXT},
    {.name = "time_ns", .kind = KIND_TIME_NS},
    {.name = "intact", .kind = KIND_FLAG_OR_NULL},
    {.name = "chain",
     .kind = KIND_CHOICE,
     .choices = "trusted untrusted expired no_certificate unknown"},
    {.name = "detail", .kind = KIND_TEXT},
    {.name = NULL},
};
static const struct member finding_members[] = {
    {.name = "code", .kind = KIND_WORD, .required = true},
    {.name = "text", .kind = KIND_TEXT, .required = true},
    {.name = NULL},
};
static const struct member attachment_members[] = {
    {.name = "name", .kind = KIND_TEXT, .required = true},
    {.name = NULL},
};
static const struct member text_members[] = {
    {.name = "bytes", .kind = KIND_INTEGER, .required = true, .max = INT64_C(1) << 32},
    {.name = "truncated", .kind = KIND_FLAG, .required = true},
    {.name = NULL},
};
static const struct member answer_members[] = {
    {.name = "type", .kind = KIND_MIME, .required = true},
    {.name = "container", .kind = KIND_TEXT},
    {.name = "duration_ms", .kind = KIND_INTEGER, .max = NUMBER_MAX},
    {.name = "bit_rate", .kind = KIND_INTEGER, .max = NUMBER_MAX},
    {.name = "streams", .kind = KIND_LIST, .max = ANSWER_STREAMS_MAX, .members = stream_members},
    {.name = "created", .kind = KIND_DATE},
    {.name = "created_ns", .kind = KIND_TIME_NS},
    {.name = "modified", .kind = KIND_DATE},
    {.name = "modified_ns", .kind = KIND_TIME_NS},
    {.name = "make", .kind = KIND_TEXT},
    {.name = "model", .kind = KIND_TEXT},
    {.name = "software", .kind = KIND_TEXT},
    {.name = "latitude", .kind = KIND_REAL, .min = -90, .max = 90},
    {.name = "longitude", .kind = KIND_REAL, .min = -180, .max = 180},
    {.name = "altitude", .kind = KIND_REAL, .min = -100000, .max = 100000000},
    {.name = "rotation", .kind = KIND_CHOICE, .choices = "0 90 180 270"},
    {.name = "pages", .kind = KIND_INTEGER, .max = PLAIN_MAX},
    {.name = "format_version", .kind = KIND_TEXT},
    {.name = "attachments",
     .kind = KIND_LIST,
     .max = ANSWER_ATTACHMENTS_MAX,
     .members = attachment_members},
    {.name = "title", .kind = KIND_TEXT},
    {.name = "author", .kind = KIND_TEXT},
    {.name = "charset", .kind = KIND_TEXT},
    {.name = "charset_assumed", .kind = KIND_FLAG},
    {.name = "encrypted", .kind = KIND_FLAG},
    {.name = "signatures",
     .kind = KIND_LIST,
     .max = ANSWER_SIGNATURES_MAX,
     .members = signature_members},
    {.name = "labels", .kind = KIND_LABELS, .max = ANSWER_LABELS_MAX},
    {.name = "findings", .kind = KIND_LIST, .max = ANSWER_FINDINGS_MAX, .members = finding_members},
    {.name = "text", .kind = KIND_OBJECT, .members = text_members},
    {.name = NULL},
};

static bool plain_text(const char *text, size_t len)
{
    if (len > ANSWER_TEXT_MAX || !sr_utf8_valid(text, len))
        return false;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)text[i];

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && (uint8_t)text[i + 1] < 0xa0))
            return false;
    }
    return true;
}

static bool only(const char *text, size_t len, const char *letters)
{
    return strspn(text, letters) == len;
}

static bool mime(const char *text, size_t len)
{
    const char *slash = memchr(text, '/', len);

    return slash && slash != text && slash[1] && len <= 127 && !strchr(slash + 1, '/') &&
           only(text, len, "abcdefghijklmnopqrstuvwxyz0123456789.+-/");
}

/* One to nine digits, not all of them zero; *end behind them. */
static bool digits(const char *text, const char **end)
{
    size_t len = strspn(text, "0123456789");

    *end = text + len;
    return len >= 1 && len <= 9 && strspn(text, "0") < len;
}

static bool fraction(const char *text)
{
    return digits(text, &text) && *text++ == '/' && digits(text, &text) && *text == '\0';
}

/* "2026-11-22T10:03:04", with or without a fraction of up to nine digits, with or without an offset. */
static bool date(const char *text)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd";
    int32_t day;
    char year[11];
    size_t n;

    for (n = 0; form[n]; n++) {
        if (form[n] == 'd' ? text[n] < '0' || text[n] > '9' : text[n] != form[n])
            return false;
    }
    memcpy(year, text, 10);
    year[10] = '\0';
    /* sr_day_parse begins with 1971; earlier years are a file's mistakes, but well formed. */
    if (memcmp(year, "1971", 4) < 0)
        memcpy(year, "2000", 4);
    if (!sr_day_parse(year, &day) || memcmp(text + 11, "24", 2) >= 0 || text[14] > '5' ||
        memcmp(text + 17, "60", 2) > 0)
        return false;
    text += n;
    if (*text == '.') {
        n = strspn(text + 1, "0123456789");
        if (n < 1 || n > 9)
            return false;
        text += 1 + n;
    }
    if (*text == '\0' || strcmp(text, "Z") == 0)
        return true;
    return (*text == '+' || *text == '-') && strlen(text) == 6 && text[3] == ':' &&
           strspn(text + 1, "0123456789") == 2 && strspn(text + 4, "0123456789") == 2 &&
           memcmp(text + 1, "24", 2) < 0 && text[4] < '6';
}

static bool time_ns(const json_t *value)
{
    const char *text = json_string_value(value);
    char again[24];
    char *end;
    long long number;

    if (!text || json_string_length(value) > 20)
        return false;
    number = strtoll(text, &end, 10);
    snprintf(again, sizeof(again), "%lld", number);
    return *end == '\0' && strcmp(text, again) == 0;
}

/* One of the words of choices. Numbers are compared by their text. */
static bool choice(const char *choices, const json_t *value)
{
    char number[24];
    const char *word = json_string_value(value);
    size_t len;

    if (json_is_integer(value)) {
        if (*choices < '0' || *choices > '9')
            return false;
        snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
        word = number;
    } else if (!word || (*choices >= '0' && *choices <= '9')) {
        return false;
    }
    len = strlen(word);
    if (!len || strchr(word, ' ') || (json_is_string(value) && len != json_string_length(value)))
        return false;
    for (const char *at = choices; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL) {
        if (strncmp(at, word, len) == 0 && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

static bool check_string(enum kind kind, const json_t *value)
{
    const char *text = json_string_value(value);
    size_t len = json_string_length(value);

    if (!text || !plain_text(text, len))
        return false;
    switch (kind) {
    case KIND_TEXT:
        return true;
    case KIND_WORD:
        return len >= 1 && len <= 32 && only(text, len, "abcdefghijklmnopqrstuvwxyz0123456789_");
    case KIND_MIME:
        return mime(text, len);
    case KIND_FRACTION:
        return fraction(text);
    case KIND_DATE:
        return date(text);
    default:
        return false;
    }
}

static bool check_labels(const json_t *value)
{
    const char *name;
    json_t *label, *field;
    size_t i;

    if (!json_is_array(value) || json_array_size(value) > ANSWER_LABELS_MAX)
        return false;
    json_array_foreach(value, i, label)
    {
        if (!json_is_object(label) || json_object_size(label) > ANSWER_LABEL_MEMBERS_MAX)
            return false;
        json_object_foreach(label, name, field)
        {
            if (!plain_text(name, strlen(name)) || !check_string(KIND_TEXT, field))
                return false;
        }
    }
    return true;
}

static bool check_scalar(const struct member *member, const json_t *value)
{
    switch (member->kind) {
    case KIND_CHOICE:
        return choice(member->choices, value);
    case KIND_INTEGER:
        return json_is_integer(value) && json_integer_value(value) >= member->min &&
               json_integer_value(value) <= member->max;
    case KIND_REAL:
        return json_is_number(value) && isfinite(json_number_value(value)) &&
               json_number_value(value) >= (double)member->min &&
               json_number_value(value) <= (double)member->max;
    case KIND_FLAG:
        return json_is_boolean(value);
    case KIND_FLAG_OR_NULL:
        return json_is_boolean(value) || json_is_null(value);
    case KIND_TIME_NS:
        return time_ns(value);
    case KIND_LABELS:
        return check_labels(value);
    default:
        return check_string(member->kind, value);
    }
}

static const struct member *find(const struct member *members, const char *name)
{
    for (; members->name; members++) {
        if (strcmp(members->name, name) == 0)
            return members;
    }
    return NULL;
}

/* An object of members; what: its name for the sentence. Lists hold objects of scalars, so the calls
 * nest twice at most. */
static int check_object(const struct member *members, const json_t *object, const char *what)
{
    const struct member *member;
    const char *name;
    json_t *value, *element;
    size_t i;
    int rc = 0;

    if (!json_is_object(object))
        return sr_fail(SR_ERR_INVALID, "%s of the description is no object", what);
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        member = find(members, name);
        if (!member)
            return sr_fail(SR_ERR_INVALID, "%s of the description has an unknown member", what);
        if (member->kind == KIND_OBJECT) {
            rc = check_object(member->members, value, member->name);
        } else if (member->kind == KIND_LIST) {
            if (!json_is_array(value) || json_array_size(value) > (size_t)member->max)
                return sr_fail(SR_ERR_INVALID, "%s of the description is no list of at most %d",
                               member->name, (int)member->max);
            json_array_foreach(value, i, element)
            {
                rc = check_object(member->members, element, member->name);
                if (rc)
                    return rc;
            }
        } else if (!check_scalar(member, value)) {
            rc = sr_fail(SR_ERR_INVALID, "%s in %s of the description is not what it may be",
                         member->name, what);
        }
        if (rc)
            return rc;
    }
    for (member = members; member->name; member++) {
        if (member->required && !json_object_get(object, member->name))
            return sr_fail(SR_ERR_INVALID, "%s of the description lacks %s", what, member->name);
    }
    return 0;
}

/* ns_key: a moment in nanoseconds, which needs key beside it, with an offset. */
static int check_moment(const json_t *answer, const char *key, const char *ns_key)
{
    const char *text = json_string_value(json_object_get(answer, key));

    if (json_object_get(answer, ns_key) &&
        (!text || strlen(text) < 20 || !strpbrk(text + 19, "Z+-")))
        return sr_fail(SR_ERR_INVALID, "%s of the description has no exact time beside it", ns_key);
    return 0;
}

int answer_check(const json_t *answer)
{
    int rc = check_object(answer_members, answer, "the whole");

    if (!rc)
        rc = check_moment(answer, "created", "created_ns");
    if (!rc)
        rc = check_moment(answer, "modified", "modified_ns");
    return rc;
}

int answer_parse(const uint8_t *data, size_t len, uint64_t text_bytes, json_t **out)
{
    struct sr_buf canonical = {0};
    json_t *answer = NULL;
    int rc;

    *out = NULL;
    if (len > WIRE_ANSWER_MAX)
        return sr_fail(SR_ERR_INVALID, "the description is over %u bytes", WIRE_ANSWER_MAX);
    rc = sr_json_parse(data, len, &answer);
    if (rc)
        goto out;
    rc = answer_check(answer);
    if (rc)
        goto out;
    rc = sr_json_canonical(answer, &canonical);
    if (!rc && (canonical.len != len || memcmp(canonical.data, data, len) != 0))
        rc = sr_fail(SR_ERR_INVALID, "the description is not in canonical form");
    if (!rc) {
        const json_t *bytes = json_object_get(json_object_get(answer, "text"), "bytes");

        if ((uint64_t)json_integer_value(bytes) != text_bytes)
            rc = sr_fail(SR_ERR_INVALID, "the description speaks of other text than was sent");
    }
out:
    sr_buf_free(&canonical);
    if (rc)
        json_decref(answer);
    else
        *out = answer;
    return rc;
}
