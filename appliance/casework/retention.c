#include "casework/retention.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "casework/policyfile.h"
#include "catalog/catalog.h"
#include "catalog/search_query.h"

#define RULES "期限"
#define CATEGORIES "类别"
#define TEXT_MAX 300
#define YEARS_MAX 200

static const char *const scope_names[] = {"全部", "案件", "待归案"};
static const char *const type_names[SEARCH_TYPES] = {"其他", "视频", "音频", "图片", "文档"};
static const char *const mark_names[CATALOG_MARKS] = {"工作秘密", "商业秘密", "个人隐私",
                                                      "隐蔽录音录像"};

struct rule { /* first what libcyaml fills */
    char *name;
    char *scope_text;
    char *type_text;
    char *mark_text;
    char *period_text;
    char *basis;
    enum retention_scope scope; /* then what we make of it */
    int type;                   /* -1: any */
    uint32_t mark;              /* 0: any */
    uint32_t months;
    unsigned line;
};

struct category {
    char *name;
    char *period_text;
    char *basis;
    uint32_t months;
};

struct retention {
    struct category *categories;
    unsigned categories_count;
    struct rule *rules;
    unsigned rules_count;
    bool has_file;
    uint8_t sha256[SR_SHA256_LEN];
};

#define OPTIONAL (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
static const struct cyaml_schema_field rule_fields[] = {
    CYAML_FIELD_STRING_PTR("名称", CYAML_FLAG_POINTER, struct rule, name, 1, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("范围", CYAML_FLAG_POINTER, struct rule, scope_text, 0, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("类型", OPTIONAL, struct rule, type_text, 0, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("标注", OPTIONAL, struct rule, mark_text, 0, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("期限", CYAML_FLAG_POINTER, struct rule, period_text, 0, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("依据", OPTIONAL, struct rule, basis, 0, TEXT_MAX),
    CYAML_FIELD_END};
static const struct cyaml_schema_value rule_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct rule, rule_fields)};
static const struct cyaml_schema_field category_fields[] = {
    CYAML_FIELD_STRING_PTR("名称", CYAML_FLAG_POINTER, struct category, name, 1, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("期限", CYAML_FLAG_POINTER, struct category, period_text, 0, TEXT_MAX),
    CYAML_FIELD_STRING_PTR("依据", OPTIONAL, struct category, basis, 0, TEXT_MAX), CYAML_FIELD_END};
static const struct cyaml_schema_value category_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct category, category_fields)};
static const struct cyaml_schema_field top_fields[] = {
    CYAML_FIELD_SEQUENCE(CATEGORIES, OPTIONAL, struct retention, categories, &category_schema, 0,
                         RETENTION_CATEGORIES_MAX),
    CYAML_FIELD_SEQUENCE(RULES, CYAML_FLAG_POINTER, struct retention, rules, &rule_schema, 1,
                         RETENTION_RULES_MAX),
    CYAML_FIELD_END};
static const struct cyaml_schema_value schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct retention, top_fields)};

/* --- reading ------------------------------------------------------------------------------------ */

static int find_word(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return (int)i;
    return -1;
}

/* "永久", "30年", "6个月". */
static bool read_period(const char *text, uint32_t *months)
{
    char digits[8];
    size_t len = strspn(text, "0123456789");
    uint64_t number;

    *months = RETENTION_PERMANENT;
    if (strcmp(text, "永久") == 0)
        return true;
    if (len == 0 || len >= sizeof(digits))
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (sr_parse_u64(digits, &number) < 0 || number == 0)
        return false;
    if (strcmp(text + len, "年") == 0)
        number *= 12;
    else if (strcmp(text + len, "个月") != 0)
        return false;
    *months = (uint32_t)number;
    return number <= YEARS_MAX * 12;
}

static int convert_rule(const struct policyfile *file, size_t i, struct rule *rule)
{
    int scope = find_word(rule->scope_text, scope_names, 3);
    int mark = rule->mark_text != NULL ? find_word(rule->mark_text, mark_names, CATALOG_MARKS) : 0;

    rule->type =
        rule->type_text != NULL ? find_word(rule->type_text, type_names, SEARCH_TYPES) : -1;
    if (scope < 0)
        return policyfile_refuse(file, RULES, i, "`%.60s`: 范围 is 全部, 案件 or 待归案",
                                 rule->scope_text);
    if (rule->type_text != NULL && rule->type < 0)
        return policyfile_refuse(file, RULES, i, "`%.60s`: 类型 is 视频, 音频, 图片, 文档 or 其他",
                                 rule->type_text);
    if (mark < 0)
        return policyfile_refuse(file, RULES, i,
                                 "`%.60s`: 标注 is 工作秘密, 商业秘密, 个人隐私 or 隐蔽录音录像",
                                 rule->mark_text);
    if (!read_period(rule->period_text, &rule->months))
        return policyfile_refuse(file, RULES, i,
                                 "`%.60s`: 期限 is 永久, or up to %d years as 30年 or 6个月",
                                 rule->period_text, YEARS_MAX);
    rule->scope = (enum retention_scope)scope;
    rule->mark = rule->mark_text != NULL ? 1u << mark : 0;
    rule->line = (unsigned)i + 1;
    return 0;
}

static int convert_category(const struct policyfile *file, struct retention *retention, size_t i)
{
    struct category *category = &retention->categories[i];

    if (!read_period(category->period_text, &category->months))
        return policyfile_refuse(file, CATEGORIES, i,
                                 "`%.60s`: 期限 is 永久, or up to %d years as 30年 or 6个月",
                                 category->period_text, YEARS_MAX);
    if (category->months < RETENTION_FLOOR_MONTHS)
        return policyfile_refuse(file, CATEGORIES, i,
                                 "`%.60s`: nothing is kept for less than %d个月", category->name,
                                 RETENTION_FLOOR_MONTHS);
    for (size_t k = 0; k < i; k++)
        if (strcmp(retention->categories[k].name, category->name) == 0)
            return policyfile_refuse(file, CATEGORIES, i, "`%.60s` stands here a second time",
                                     category->name);
    return 0;
}

/* Nothing is kept for less than the floor, and evidence in a case for some time of its own. */
static int check_rules(const struct policyfile *file, const struct retention *retention)
{
    bool floor = false, cases = false;

    for (unsigned i = 0; i < retention->rules_count; i++) {
        const struct rule *rule = &retention->rules[i];
        bool general = rule->type < 0 && rule->mark == 0;

        floor |= general && rule->scope == RETENTION_ALL && rule->months >= RETENTION_FLOOR_MONTHS;
        cases |= general && rule->scope == RETENTION_CASE;
    }
    if (!floor)
        return policyfile_refuse(file, RULES, POLICYFILE_KEY,
                                 "there must be a rule for 全部 of at least %d个月",
                                 RETENTION_FLOOR_MONTHS);
    return cases ? 0
                 : policyfile_refuse(file, RULES, POLICYFILE_KEY,
                                     "there must be a rule for 案件 without 类型 and 标注");
}

static int convert(const struct policyfile *file, struct retention *retention)
{
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < retention->rules_count; i++)
        rc = convert_rule(file, i, &retention->rules[i]);
    for (unsigned i = 0; rc == 0 && i < retention->categories_count; i++)
        rc = convert_category(file, retention, i);
    if (rc == 0)
        rc = check_rules(file, retention);
    retention->has_file = true;
    memcpy(retention->sha256, policyfile_sha256(file), SR_SHA256_LEN);
    return rc;
}

static int read_file(struct policyfile *file, struct retention **out)
{
    struct retention *retention = NULL;
    int rc = policyfile_decode(file, &schema, (void **)&retention);

    if (rc == 0)
        rc = convert(file, retention);
    policyfile_free(file);
    if (rc < 0)
        policyfile_free_value(&schema, retention);
    else
        *out = retention;
    return rc;
}

int retention_load(struct sr_io *io, const char *dir, struct retention **out)
{
    struct policyfile *file;
    int rc = policyfile_read(io, dir, RETENTION_FILE, &file);

    *out = NULL;
    return rc < 0 ? rc : read_file(file, out);
}

int retention_parse(const char *name, const uint8_t *data, size_t len, struct retention **out)
{
    struct policyfile *file;
    int rc = policyfile_parse(name, data, len, &file);

    *out = NULL;
    return rc < 0 ? rc : read_file(file, out);
}

int retention_default(struct retention **out)
{
    static const char text[] = "期限:\n"
                               "  - {名称: 在卷证据, 范围: 案件, 期限: 永久}\n"
                               "  - {名称: 其他记录, 范围: 全部, 期限: 永久}\n";
    int rc = retention_parse("(default)", (const uint8_t *)text, sizeof(text) - 1, out);

    if (rc == 0)
        (*out)->has_file = false;
    return rc;
}

void retention_free(struct retention *retention)
{
    policyfile_free_value(&schema, retention);
}

const uint8_t *retention_sha256(const struct retention *retention)
{
    return retention->has_file ? retention->sha256 : NULL;
}

/* --- asking --------------------------------------------------------------------------------------- */

/* The same day so many months later, or the last of that month. */
static int32_t add_months(int32_t day, uint32_t months)
{
    char text[11];
    unsigned year, month, of_month;

    sr_day_text(day, text);
    if (sscanf(text, "%4u-%2u-%2u", &year, &month, &of_month) != 3)
        return day;
    month += months % 12;
    year += months / 12 + (month > 12);
    if (month > 12)
        month -= 12;
    if (year > 9999)
        return sr_day_number(9999, 12, 31);
    while (!sr_date_exists(year, month, of_month))
        of_month--;
    return sr_day_number(year, month, of_month);
}

int32_t retention_until(int32_t sealed, uint32_t months)
{
    return months == RETENTION_PERMANENT ? 0 : add_months(sealed, months);
}

bool retention_category(const struct retention *retention, const char *name, uint32_t *months,
                        const char **basis)
{
    for (unsigned i = 0; i < retention->categories_count; i++)
        if (strcmp(retention->categories[i].name, name) == 0) {
            *months = retention->categories[i].months;
            *basis = retention->categories[i].basis != NULL ? retention->categories[i].basis : "";
            return true;
        }
    return false;
}

static bool applies(const struct rule *rule, const struct retention_subject *subject)
{
    if (rule->type >= 0 && (unsigned)rule->type != subject->type)
        return false;
    if (rule->mark != 0 && (subject->marks & rule->mark) == 0)
        return false;
    /* Nobody knows yet what it will be: what lies in 待归案 keeps the longest there is. */
    return rule->scope == RETENTION_ALL || rule->scope == subject->scope ||
           subject->scope == RETENTION_UNFILED;
}

size_t retention_explain(const struct retention *retention, const struct retention_subject *subject,
                         struct retention_reason out[RETENTION_RULES_MAX + 1])
{
    size_t count = 0, best = 0;

    for (unsigned i = 0; i < retention->rules_count; i++) {
        const struct rule *rule = &retention->rules[i];

        if (!applies(rule, subject))
            continue;
        out[count] =
            (struct retention_reason){.name = rule->name,
                                      .basis = rule->basis != NULL ? rule->basis : "",
                                      .line = rule->line,
                                      .months = rule->months,
                                      .until = rule->months == RETENTION_PERMANENT
                                                   ? 0
                                                   : add_months(subject->sealed, rule->months)};
        if (out[count].months > out[best].months)
            best = count;
        count++;
    }
    if (count == 0) /* no file can say so: check_rules */
        out[count++] = (struct retention_reason){
            .name = "没有规则", .basis = "", .months = RETENTION_PERMANENT};
    out[best].decides = true;
    return count;
}

void retention_period_text(uint32_t months, char out[32])
{
    if (months == RETENTION_PERMANENT)
        snprintf(out, 32, "永久");
    else if (months % 12 == 0)
        snprintf(out, 32, "%u年", months / 12);
    else
        snprintf(out, 32, "%u个月", months);
}

static uint32_t longest(const struct retention *retention, const struct retention_subject *subject)
{
    struct retention_reason reasons[RETENTION_RULES_MAX + 1];
    size_t count = retention_explain(retention, subject, reasons);

    for (size_t i = 0; i < count; i++)
        if (reasons[i].decides)
            return reasons[i].months;
    return RETENTION_PERMANENT;
}

static int check_categories(const struct retention *before, const struct retention *after)
{
    for (unsigned i = 0; i < before->categories_count; i++) {
        const struct category *was = &before->categories[i];
        char was_text[32], is_text[32];
        const char *basis;
        uint32_t is;

        if (!retention_category(after, was->name, &is, &basis) || is >= was->months)
            continue;
        retention_period_text(was->months, was_text);
        retention_period_text(is, is_text);
        return sr_fail(SR_ERR_INVALID,
                       RETENTION_FILE
                       ": 类别 “%.200s” would be kept for %s and not for %s any more: "
                       "terms are only ever extended",
                       was->name, is_text, was_text);
    }
    return 0;
}

int retention_check_category(void *context, const char *name)
{
    const char *basis;
    uint32_t months;

    return retention_category(context, name, &months, &basis)
               ? 0
               : sr_fail(SR_ERR_INVALID,
                         RETENTION_FILE ": 类别 “%.200s” is in use, and would be there no more",
                         name);
}

int retention_check_longer(const struct retention *before, const struct retention *after)
{
    for (int scope = 0; scope < 3; scope++)
        for (unsigned type = 0; type < SEARCH_TYPES; type++)
            for (uint32_t marks = 0; marks < 1u << CATALOG_MARKS; marks++) {
                const struct retention_subject subject = {.scope = (enum retention_scope)scope,
                                                          .type = type,
                                                          .marks = marks,
                                                          .sealed = 1};
                uint32_t was = longest(before, &subject), is = longest(after, &subject);
                char was_text[32], is_text[32];

                if (is >= was)
                    continue;
                retention_period_text(was, was_text);
                retention_period_text(is, is_text);
                return sr_fail(SR_ERR_INVALID,
                               RETENTION_FILE
                               ": %s (%s) would be kept for %s and not for %s any more: terms are "
                               "only ever extended",
                               scope_names[scope], type_names[type], is_text, was_text);
            }
    return check_categories(before, after);
}
