#include "casework/naming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "casework/policyfile.h"

#define NAME_BYTES_MAX 255
#define PATTERN_BYTES_MAX 255
#define ELEMENTS_MAX 64
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define YEAR_2000_S INT64_C(946684800)
#define YEAR_2100_S INT64_C(4102444800)

enum field {
    YEAR,
    MONTH,
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    MILLISECOND,
    STAMP_MS,
    STAMP_S,
    BADGE,
    DEVICE,
    SERIAL,
    FIELDS,
    ANYTHING = FIELDS,
    LITERAL
};

/* Characters that a field may have, and the range of its number (0, 0: none). */
static const struct {
    const char *name;
    unsigned least, most; /* characters */
    bool letters;
    int64_t low, high;
} fields[FIELDS] = {
    [YEAR] = {"年", 2, 4, false, 0, 0},
    [MONTH] = {"月", 2, 2, false, 1, 12},
    [DAY] = {"日", 2, 2, false, 1, 31},
    [HOUR] = {"时", 2, 2, false, 0, 23},
    [MINUTE] = {"分", 2, 2, false, 0, 59},
    [SECOND] = {"秒", 2, 2, false, 0, 59},
    [MILLISECOND] = {"毫秒", 3, 3, false, 0, 999},
    [STAMP_MS] = {"毫秒时间戳", 13, 13, false, YEAR_2000_S * 1000, YEAR_2100_S * 1000 - 1},
    [STAMP_S] = {"秒时间戳", 10, 10, false, YEAR_2000_S, YEAR_2100_S - 1},
    [BADGE] = {"警号", 1, NAMING_FIELD_MAX, true, 0, 0},
    [DEVICE] = {"设备号", 1, NAMING_FIELD_MAX, true, 0, 0},
    [SERIAL] = {"序号", 1, NAMING_FIELD_MAX, false, 0, 0},
};

struct element {
    enum field field;
    unsigned least, most; /* characters of a field */
    char literal;         /* one byte */
};

struct compiled {
    struct element elements[ELEMENTS_MAX];
    size_t count;
    uint32_t has; /* bits by enum field */
};

struct rule { /* what libcyaml fills */
    char *pattern;
    char *device;
};

struct naming {
    struct rule *patterns;
    unsigned patterns_count;
    struct compiled *compiled; /* as many; then what we make of it */
    uint8_t sha256[SR_SHA256_LEN];
};

static const struct cyaml_schema_field rule_fields[] = {
    CYAML_FIELD_STRING_PTR("pattern", CYAML_FLAG_POINTER, struct rule, pattern, 0,
                           PATTERN_BYTES_MAX),
    CYAML_FIELD_STRING_PTR("device", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct rule, device,
                           0, NAME_BYTES_MAX),
    CYAML_FIELD_END};
static const struct cyaml_schema_value rule_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule, rule_fields)};
static const struct cyaml_schema_field top_fields[] = {
    CYAML_FIELD_SEQUENCE("patterns", CYAML_FLAG_POINTER, struct naming, patterns, &rule_schema, 0,
                         NAMING_PATTERNS_MAX),
    CYAML_FIELD_END};
static const struct cyaml_schema_value schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct naming, top_fields)};

/* --- patterns --------------------------------------------------------------------------------- */

/* "6", "6-8" behind the colon, up to the brace. */
static bool parse_width(const char *text, size_t len, unsigned *least, unsigned *most)
{
    unsigned value[2] = {0, 0};
    size_t at = 0, digits = 0;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-' && at == 0 && digits > 0) {
            at = 1;
            digits = 0;
        } else if (text[i] < '0' || text[i] > '9' || ++digits > 2) {
            return false;
        } else {
            value[at] = 10 * value[at] + (unsigned)(text[i] - '0');
        }
    }
    *least = value[0];
    *most = at == 1 ? value[1] : value[0];
    return digits > 0 && *least >= 1 && *least <= *most;
}

static const char *parse_field(const char *text, size_t len, struct element *out)
{
    const char *colon = memchr(text, ':', len);
    size_t name = colon != NULL ? (size_t)(colon - text) : len;
    enum field field = YEAR;

    while (field < FIELDS &&
           (strlen(fields[field].name) != name || memcmp(fields[field].name, text, name) != 0))
        field++;
    if (field == FIELDS)
        return "an unknown field; there are 年 月 日 时 分 秒 毫秒 毫秒时间戳 秒时间戳 警号 设备号 "
               "序号 *";
    *out = (struct element){field, fields[field].least, fields[field].most, 0};
    if (colon == NULL)
        return field == YEAR ? "the year needs a width, {年:4} or {年:2}" : NULL;
    if (!parse_width(colon + 1, len - name - 1, &out->least, &out->most) ||
        out->least < fields[field].least || out->most > fields[field].most ||
        (field == YEAR && !(out->least == out->most && out->least != 3)))
        return "a width that this field cannot have";
    return NULL;
}

static const char *add_element(struct compiled *out, struct element element)
{
    if (out->count == ELEMENTS_MAX)
        return "the pattern is too long (64 fields and letters)";
    if (element.field < FIELDS) {
        if (element.field != SERIAL && (out->has & 1u << element.field) != 0)
            return "this field stands in the pattern twice";
        out->has |= 1u << element.field;
    }
    out->elements[out->count++] = element;
    return NULL;
}

/* NULL, or what is wrong. */
static const char *compile(const char *pattern, struct compiled *out)
{
    const uint32_t date = 1u << YEAR | 1u << MONTH | 1u << DAY,
                   clock = 1u << HOUR | 1u << MINUTE | 1u << SECOND,
                   stamps = 1u << STAMP_MS | 1u << STAMP_S;
    const char *wrong = NULL;

    *out = (struct compiled){.count = 0};
    while (*pattern != '\0' && wrong == NULL) {
        struct element element = {LITERAL, 1, 1, *pattern};
        size_t used = 1;

        if (*pattern == '}' || *pattern == '/' || *pattern == '\\')
            return "} / \\ stand in no name here";
        if (*pattern == '{') {
            const char *end = strchr(pattern, '}');
            if (end == NULL)
                return "a { without its }";
            used = (size_t)(end - pattern) + 1;
            if (used == 3 && pattern[1] == '*')
                element = (struct element){ANYTHING, 0, 0, 0};
            else
                wrong = parse_field(pattern + 1, used - 2, &element);
        }
        if (wrong == NULL)
            wrong = add_element(out, element);
        pattern += used;
    }
    if (wrong != NULL)
        return wrong;
    if (out->count == 0 || (out->count == 1 && out->elements[0].field == ANYTHING))
        return "this pattern would match every name";
    if ((out->has & (date | clock)) != 0 && (out->has & (date | clock)) != (date | clock))
        return "a time needs all of 年 月 日 时 分 秒";
    if ((out->has & stamps) == stamps ||
        ((out->has & stamps) != 0 && (out->has & (date | clock)) != 0))
        return "a pattern tells one time, not two";
    if ((out->has & 1u << MILLISECOND) != 0 && (out->has & date) == 0)
        return "毫秒 needs 年 月 日 时 分 秒 beside it";
    return NULL;
}

/* --- reading the file ------------------------------------------------------------------------- */

static int from_file(const struct policyfile *file, struct naming **out)
{
    void *value = NULL;
    int rc = policyfile_decode(file, &schema, &value);
    struct naming *naming = value;

    if (rc == 0) {
        naming->compiled = calloc(naming->patterns_count + 1, sizeof(*naming->compiled));
        if (naming->compiled == NULL)
            rc = sr_fail(SR_ERR_NO_MEMORY, "naming: out of memory");
    }
    for (size_t i = 0; rc == 0 && i < naming->patterns_count; i++) {
        const char *wrong = compile(naming->patterns[i].pattern, &naming->compiled[i]);
        if (wrong != NULL)
            rc = policyfile_refuse(file, "patterns", i, "%s", wrong);
    }
    if (rc < 0) {
        naming_free(naming);
        return rc;
    }
    memcpy(naming->sha256, policyfile_sha256(file), sizeof(naming->sha256));
    *out = naming;
    return 0;
}

int naming_load(struct sr_io *io, const char *dir, struct naming **out)
{
    struct policyfile *file;
    int rc;

    *out = NULL;
    rc = policyfile_read(io, dir, NAMING_FILE, &file);
    if (rc == 0)
        rc = from_file(file, out);
    policyfile_free(file);
    return rc;
}

int naming_parse(const char *name, const uint8_t *data, size_t len, struct naming **out)
{
    struct policyfile *file;
    int rc;

    *out = NULL;
    rc = policyfile_parse(name, data, len, &file);
    if (rc == 0)
        rc = from_file(file, out);
    policyfile_free(file);
    return rc;
}

void naming_free(struct naming *naming)
{
    if (naming == NULL)
        return;
    free(naming->compiled);
    naming->compiled = NULL;
    policyfile_free_value(&schema, naming);
}

const uint8_t *naming_sha256(const struct naming *naming)
{
    return naming->sha256;
}

/* --- matching --------------------------------------------------------------------------------- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int64_t decimal(const char *at, size_t len)
{
    int64_t value = 0;

    while (len-- > 0)
        value = 10 * value + (*at++ - '0');
    return value;
}

/* Whether the first len characters of text are this field. */
static bool fits(const struct element *element, const char *text, size_t len)
{
    enum field field = element->field;

    for (size_t i = 0; i < len; i++)
        if (!is_digit(text[i]) &&
            !(fields[field].letters && small(text[i]) >= 'a' && small(text[i]) <= 'z'))
            return false;
    if (field == YEAR && len == 4)
        return decimal(text, len) >= 1990 && decimal(text, len) <= 2099;
    return fields[field].high == 0 ||
           (decimal(text, len) >= fields[field].low && decimal(text, len) <= fields[field].high);
}

/* can[e] bit-per-byte: whether elements e.. match name from there to its end. Filled from the end,
 * each place once, so that there is nothing to go back to. */
struct table {
    bool can[ELEMENTS_MAX + 1][NAME_BYTES_MAX + 1];
};

/* How many characters the field takes at this place if the rest is to match: the most; 0: none. */
static unsigned takes(const struct table *table, const struct compiled *pattern, size_t e,
                      const char *name, size_t len, size_t at)
{
    const struct element *element = &pattern->elements[e];
    unsigned most = len - at < element->most ? (unsigned)(len - at) : element->most;

    for (unsigned n = most; n >= element->least; n--)
        if (table->can[e + 1][at + n] && fits(element, name + at, n))
            return n;
    return 0;
}

static void fill(struct table *table, const struct compiled *pattern, const char *name, size_t len)
{
    for (size_t at = 0; at <= len; at++)
        table->can[pattern->count][at] = at == len;
    for (size_t e = pattern->count; e-- > 0;)
        for (size_t at = len + 1; at-- > 0;) {
            const struct element *element = &pattern->elements[e];
            bool *can = &table->can[e][at];

            if (element->field == ANYTHING)
                *can = table->can[e + 1][at] || (at < len && table->can[e][at + 1]);
            else if (element->field == LITERAL)
                *can = at < len && small(name[at]) == small(element->literal) &&
                       table->can[e + 1][at + 1];
            else
                *can = takes(table, pattern, e, name, len, at) > 0;
        }
}

static void keep(char out[NAMING_FIELD_MAX + 1], const char *from, size_t len)
{
    memcpy(out, from, len);
    out[len] = '\0';
}

/* False for a date that the calendar does not have. */
static bool keep_time(const struct compiled *pattern, const int64_t value[FIELDS],
                      struct naming_labels *out)
{
    if ((pattern->has & 1u << STAMP_MS) != 0)
        out->captured_ns = value[STAMP_MS] * NS_PER_MS;
    else if ((pattern->has & 1u << STAMP_S) != 0)
        out->captured_ns = value[STAMP_S] * NS_PER_S;
    else if ((pattern->has & 1u << YEAR) == 0)
        return true;
    else if (!sr_time_from_local((unsigned)value[YEAR], (unsigned)value[MONTH],
                                 (unsigned)value[DAY], (unsigned)value[HOUR],
                                 (unsigned)value[MINUTE], (unsigned)value[SECOND],
                                 &out->captured_ns))
        return false;
    else
        out->captured_ns += value[MILLISECOND] * NS_PER_MS;
    out->has_time = true;
    return true;
}

static bool match(struct table *table, const struct compiled *pattern, const char *name, size_t len,
                  struct naming_labels *out)
{
    int64_t value[FIELDS] = {0};
    size_t at = 0;

    fill(table, pattern, name, len);
    if (!table->can[0][0])
        return false;
    for (size_t e = 0; e < pattern->count; e++) {
        const struct element *element = &pattern->elements[e];
        size_t n = 1;

        if (element->field == ANYTHING) {
            while (!table->can[e + 1][at])
                at++;
            continue;
        }
        if (element->field != LITERAL) {
            n = takes(table, pattern, e, name, len, at);
            if (element->field == BADGE)
                keep(out->badge, name + at, n);
            else if (element->field == DEVICE)
                keep(out->device_number, name + at, n);
            else if (element->field != SERIAL)
                value[element->field] =
                    decimal(name + at, n) + (element->field == YEAR && n == 2 ? 2000 : 0);
        }
        at += n;
    }
    return keep_time(pattern, value, out);
}

bool naming_read(const struct naming *naming, const char *name, struct naming_labels *out)
{
    const char *dot = strrchr(name, '.');
    size_t whole = strlen(name), len = dot != NULL && dot != name ? (size_t)(dot - name) : whole;
    struct table table;

    *out = (struct naming_labels){.device = "", .pattern = ""};
    if (whole > NAME_BYTES_MAX || !sr_utf8_valid(name, whole))
        return false;
    for (size_t i = 0; i < naming->patterns_count; i++) {
        struct naming_labels labels = {.device = naming->patterns[i].device,
                                       .pattern = naming->patterns[i].pattern};
        if (labels.device == NULL)
            labels.device = "";
        if (match(&table, &naming->compiled[i], name, len, &labels)) {
            *out = labels;
            return true;
        }
    }
    return false;
}
