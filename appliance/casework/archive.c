#include "casework/archive.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "casework/policyfile.h"
#include "catalog/search_query.h"

#define FONDS "全宗号"
#define CLASSES "门类"
#define UNITS "机构"
#define DEFAULT_UNIT "默认机构"
#define DIGITS "件号位数"
#define CODE_MAX 8
#define NAME_MAX_BYTES 127 /* of a unit */
#define CLASSES_MAX 16
#define UNITS_MAX 256
#define DIGITS_DEFAULT 4

static const char *const type_names[SEARCH_TYPES] = {"其他", "视频", "音频", "图片", "文档"};

struct class
{
    char *name;
    char *code;
    char *type_text;
    int type; /* -1: whatever no other class is for */
};

struct unit {
    char *name;
    char *code;
};

struct archive_rules {
    char *fonds; /* NULL: not assigned yet */
    struct class *classes;
    unsigned classes_count;
    struct unit *units;
    unsigned units_count;
    char *default_unit;
    char *digits_text;
    unsigned digits;
    uint8_t sha256[SR_SHA256_LEN];
};

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
static const struct cyaml_schema_field class_fields[] = {
    CYAML_FIELD_STRING_PTR("名称", CYAML_FLAG_POINTER, struct class, name, 1, NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("代码", CYAML_FLAG_POINTER, struct class, code, 0, NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("类型", OPTIONAL, struct class, type_text, 0, NAME_MAX_BYTES),
    CYAML_FIELD_END};
static const struct cyaml_schema_value class_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct class, class_fields)};
static const struct cyaml_schema_field unit_fields[] = {
    CYAML_FIELD_STRING_PTR("名称", CYAML_FLAG_POINTER, struct unit, name, 1, NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("代码", CYAML_FLAG_POINTER, struct unit, code, 0, NAME_MAX_BYTES),
    CYAML_FIELD_END};
static const struct cyaml_schema_value unit_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct unit, unit_fields)};
static const struct cyaml_schema_field top_fields[] = {
    CYAML_FIELD_STRING_PTR(FONDS, OPTIONAL, struct archive_rules, fonds, 0, NAME_MAX_BYTES),
    CYAML_FIELD_SEQUENCE(CLASSES, CYAML_FLAG_POINTER, struct archive_rules, classes, &class_schema,
                         1, CLASSES_MAX),
    CYAML_FIELD_SEQUENCE(UNITS, OPTIONAL, struct archive_rules, units, &unit_schema, 0, UNITS_MAX),
    CYAML_FIELD_STRING_PTR(DEFAULT_UNIT, OPTIONAL, struct archive_rules, default_unit, 0,
                           NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR(DIGITS, OPTIONAL, struct archive_rules, digits_text, 0, NAME_MAX_BYTES),
    CYAML_FIELD_END};
static const struct cyaml_schema_value schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct archive_rules, top_fields)};

/* --- reading ------------------------------------------------------------------------------------ */

/* Capital letters and digits of ASCII: nothing that stands between the parts of a 档号. */
static bool is_code(const char *text, size_t least, size_t most, bool digits)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if (!(text[i] >= 'A' && text[i] <= 'Z') && !(digits && text[i] >= '0' && text[i] <= '9'))
            return false;
    return len >= least && len <= most;
}

static int convert_class(const struct policyfile *file, struct archive_rules *archive, size_t i)
{
    struct class *class = &archive->classes[i];

    if (!is_code(class->code, 2, 4, false))
        return policyfile_refuse(file, CLASSES, i,
                                 "`%.60s`: 代码 of 门类 is 2 to 4 capital letters", class->code);
    class->type = -1;
    for (int type = 0; class->type_text != NULL && type < SEARCH_TYPES; type++)
        if (strcmp(type_names[type], class->type_text) == 0)
            class->type = type;
    if (class->type_text != NULL && class->type < 0)
        return policyfile_refuse(
            file, CLASSES, i, "`%.60s`: 类型 is 视频, 音频, 图片, 文档 or 其他", class->type_text);
    for (size_t k = 0; k < i; k++) {
        const struct class *other = &archive->classes[k];

        if (strcmp(other->code, class->code) == 0)
            return policyfile_refuse(file, CLASSES, i, "`%.60s`: another 门类 has this 代码",
                                     class->code);
        if (other->type == class->type)
            return policyfile_refuse(file, CLASSES, i, "another 门类 is for %s",
                                     class->type < 0 ? "what has no 类型" : class->type_text);
    }
    return 0;
}

static int convert_unit(const struct policyfile *file, struct archive_rules *archive, size_t i)
{
    const struct unit *unit = &archive->units[i];

    if (!is_code(unit->code, 1, CODE_MAX, true))
        return policyfile_refuse(file, UNITS, i,
                                 "`%.60s`: 代码 of 机构 is 1 to %d capital letters and digits",
                                 unit->code, CODE_MAX);
    for (size_t k = 0; k < i; k++) {
        if (strcmp(archive->units[k].code, unit->code) == 0)
            return policyfile_refuse(file, UNITS, i, "`%.60s`: another 机构 has this 代码",
                                     unit->code);
        if (strcmp(archive->units[k].name, unit->name) == 0)
            return policyfile_refuse(file, UNITS, i, "`%.60s` stands here a second time",
                                     unit->name);
    }
    /* Otherwise the cases of that unit and of those without one would share their numbers. */
    if (archive->default_unit != NULL && strcmp(archive->default_unit, unit->code) == 0)
        return policyfile_refuse(file, UNITS, i, "`%.60s`: 默认机构 has this 代码", unit->code);
    return 0;
}

static int convert_top(const struct policyfile *file, struct archive_rules *archive)
{
    bool general = false;

    if (archive->fonds != NULL && !is_code(archive->fonds, 1, CODE_MAX, true))
        return policyfile_refuse(file, FONDS, POLICYFILE_KEY,
                                 "`%.60s`: 全宗号 is 1 to %d capital letters and digits",
                                 archive->fonds, CODE_MAX);
    if (archive->default_unit != NULL && !is_code(archive->default_unit, 1, CODE_MAX, true))
        return policyfile_refuse(file, DEFAULT_UNIT, POLICYFILE_KEY,
                                 "`%.60s`: 默认机构 is 1 to %d capital letters and digits",
                                 archive->default_unit, CODE_MAX);
    archive->digits = DIGITS_DEFAULT;
    if (archive->digits_text != NULL) {
        const char *text = archive->digits_text;

        if (text[0] < '3' || text[0] > '8' || text[1] != '\0')
            return policyfile_refuse(file, DIGITS, POLICYFILE_KEY, "`%.60s`: 件号位数 is 3 to 8",
                                     text);
        archive->digits = (unsigned)(text[0] - '0');
    }
    for (size_t i = 0; i < archive->classes_count; i++)
        general |= archive->classes[i].type_text == NULL;
    return general ? 0
                   : policyfile_refuse(file, CLASSES, POLICYFILE_KEY,
                                       "one 门类 must be without 类型: of all else");
}

static int read_file(struct policyfile *file, struct archive_rules **out)
{
    struct archive_rules *archive = NULL;
    int rc = policyfile_decode(file, &schema, (void **)&archive);

    if (rc == 0)
        rc = convert_top(file, archive);
    for (size_t i = 0; rc == 0 && i < archive->classes_count; i++)
        rc = convert_class(file, archive, i);
    for (size_t i = 0; rc == 0 && i < archive->units_count; i++)
        rc = convert_unit(file, archive, i);
    if (rc == 0) {
        memcpy(archive->sha256, policyfile_sha256(file), SR_SHA256_LEN);
        *out = archive;
    }
    policyfile_free(file);
    if (rc < 0)
        policyfile_free_value(&schema, archive);
    return rc;
}

int archive_rules_load(struct sr_io *io, const char *dir, struct archive_rules **out)
{
    struct policyfile *file;
    int rc = policyfile_read(io, dir, ARCHIVE_FILE, &file);

    *out = NULL;
    return rc < 0 ? rc : read_file(file, out);
}

int archive_rules_parse(const char *name, const uint8_t *data, size_t len,
                        struct archive_rules **out)
{
    struct policyfile *file;
    int rc = policyfile_parse(name, data, len, &file);

    *out = NULL;
    return rc < 0 ? rc : read_file(file, out);
}

void archive_rules_free(struct archive_rules *archive)
{
    policyfile_free_value(&schema, archive);
}

const uint8_t *archive_rules_sha256(const struct archive_rules *archive)
{
    return archive->sha256;
}

unsigned archive_rules_digits(const struct archive_rules *archive)
{
    return archive->digits;
}

/* --- series --------------------------------------------------------------------------------------- */

void archive_rules_period_code(uint32_t months, char out[16])
{
    if (months == CATALOG_PERMANENT)
        snprintf(out, 16, "Y");
    else
        snprintf(out, 16, "D%u", (months + 11) / 12);
}

static const char *class_code(const struct archive_rules *archive, unsigned type)
{
    const char *general = NULL;

    for (size_t i = 0; i < archive->classes_count; i++) {
        if (archive->classes[i].type == (int)type)
            return archive->classes[i].code;
        if (archive->classes[i].type < 0)
            general = archive->classes[i].code;
    }
    return general;
}

static const char *unit_code(const struct archive_rules *archive, const char *unit)
{
    for (size_t i = 0; i < archive->units_count; i++)
        if (strcmp(archive->units[i].name, unit) == 0)
            return archive->units[i].code;
    return archive->default_unit;
}

int archive_rules_series(const struct archive_rules *archive, const struct archive_subject *subject,
                         char out[CATALOG_ARCHIVE_SERIES_MAX + 1])
{
    char apart[8] = "", period[16];
    const char *unit;

    if (archive == NULL || archive->fonds == NULL)
        return sr_fail(SR_ERR_INVALID, "没有全宗号，不能给出档号：请在 " ARCHIVE_FILE
                                       " 中设定 全宗号 后重新载入策略");
    unit = unit_code(archive, subject->unit);
    if (unit == NULL)
        return sr_fail(SR_ERR_INVALID,
                       "机构“%.127s”没有代码，不能给出档号：请在 " ARCHIVE_FILE
                       " 的 机构 中设定，或设定 默认机构",
                       subject->unit);
    if (subject->level > 0 || subject->marks != 0)
        snprintf(apart, sizeof(apart), "%u%X", subject->level % 10, subject->marks & 15);
    archive_rules_period_code(subject->months, period);
    snprintf(out, CATALOG_ARCHIVE_SERIES_MAX + 1, "%s-%s%s·%u-%s-%s", archive->fonds,
             class_code(archive, subject->type), apart, subject->year, period, unit);
    return 0;
}
