#include "casework/identifier.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"

#define LONGEST 64 /* characters looked at; no number is nearly so long */
#define WIDE_BLANK 0x3000u
#define DATE_AT 6 /* of 公民身份号码: YYYYMMDD, from 0 */

/* 31 characters, each worth its place: GB 32100-2015, table 2. */
static const char organisation_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/* GB 32100-2015 table 1 with amendment 1: 登记管理部门代码, and its 机构类别代码. */
static const struct {
    char department;
    const char *name, *categories;
} departments[] = {
    {'1', "机构编制", "1239"}, {'2', "外交", "19"},       {'3', "司法行政", "123459"},
    {'4', "文化", "19"},       {'5', "民政", "1239"},     {'6', "旅游", "129"},
    {'7', "宗教", "129"},      {'8', "工会", "19"},       {'9', "市场监管", "123"},
    {'A', "军队编制", "19"},   {'N', "农业农村", "1239"}, {'Y', "其他", "1"},
};
/* GB/T 2260, the first two digits; 10: the national registration office, in 统一社会信用代码 only;
 * 83: residence permits of people from Taiwan, in 公民身份号码 only. Counties come and go, and old
 * numbers stay good, so the other four digits are not looked up. */
static const char provinces[] = "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 "
                                "50 51 52 53 54 61 62 63 64 65 71 81 82";

struct number {
    uint32_t characters[LONGEST];
    size_t count;
    bool changed, too_long;
};

/* --- reading ---------------------------------------------------------------------------------- */

/* text is valid UTF-8. */
static uint32_t next_character(const char **text)
{
    const unsigned char *in = (const unsigned char *)*text;
    unsigned more = in[0] < 0x80 ? 0 : in[0] < 0xe0 ? 1 : in[0] < 0xf0 ? 2 : 3;
    uint32_t value = more == 0 ? in[0] : in[0] & (0x3fu >> more);

    for (unsigned i = 1; i <= more; i++)
        value = value << 6 | (in[i] & 0x3fu);
    *text += more + 1;
    return value;
}

static bool is_blank(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == WIDE_BLANK || c == 0xfeff ||
           c == 0xa0;
}

static void read_number(const char *text, struct number *out)
{
    size_t end = 0;

    *out = (struct number){.count = 0};
    while (*text != '\0') {
        uint32_t c = next_character(&text), was = c;

        if (out->count == 0 && is_blank(c)) {
            out->changed = true;
            continue;
        }
        if (out->count == LONGEST) {
            out->too_long = out->too_long || !is_blank(c);
            continue;
        }
        if (c > 0xff00 && c < 0xff5f) /* full-width forms of ASCII */
            c -= 0xfee0;
        if (c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
        out->changed = out->changed || c != was;
        out->characters[out->count++] = c;
        if (!is_blank(c))
            end = out->count;
    }
    out->changed = out->changed || end != out->count;
    out->count = end;
}

/* --- sentences -------------------------------------------------------------------------------- */

__attribute__((format(printf, 4, 5))) static void found(struct identifier_fault *fault,
                                                        enum identifier_rule rule,
                                                        unsigned position, const char *format, ...)
{
    va_list args;

    fault->rule = rule;
    fault->position = position;
    va_start(args, format);
    vsnprintf(fault->text, sizeof(fault->text), format, args);
    va_end(args);
}

const char *identifier_kind_name(enum identifier_kind kind)
{
    return kind == IDENTIFIER_ORGANISATION ? "统一社会信用代码"
           : kind == IDENTIFIER_PERSON     ? "公民身份号码"
                                           : "证件号码";
}

static void wrong_length(const struct number *number, struct identifier_fault *fault)
{
    bool digits = true;

    for (size_t i = 0; i < number->count; i++)
        digits = digits && number->characters[i] >= '0' && number->characters[i] <= '9';
    if (number->too_long)
        found(fault, IDENTIFIER_LENGTH, 0, "证件号码过长，应为 18 位。");
    else if (number->count == 15 && digits)
        found(fault, IDENTIFIER_LENGTH, 0,
              "号码只有 15 位：旧版身份证号码和旧工商注册号已经停用，请填 18 "
              "位的公民身份号码或统一社会信用代码。");
    else if (number->count == 9 || (number->count == 10 && number->characters[8] == '-'))
        found(fault, IDENTIFIER_LENGTH, 0,
              "这是 9 位的组织机构代码，请填 18 位的统一社会信用代码。");
    else
        found(fault, IDENTIFIER_LENGTH, 0,
              "号码共 %zu 位；公民身份号码和统一社会信用代码都是 18 位。", number->count);
}

static void wrong_character(const struct number *number, unsigned at,
                            struct identifier_fault *fault)
{
    uint32_t c = number->characters[at];
    const char *kind = identifier_kind_name(fault->kind);

    if (is_blank(c))
        found(fault, IDENTIFIER_CHARACTER, at + 1, "%s第 %u 位是空格，号码中间不能有空格。", kind,
              at + 1);
    else if (c == 'O' || c == 'I' || c == 'Z' || c == 'S' || c == 'V')
        found(fault, IDENTIFIER_CHARACTER, at + 1,
              "%s第 %u 位是字母“%c”，号码中不使用字母 I、O、Z、S、V，请核对是否为形近的数字。",
              kind, at + 1, (char)c);
    else if (c > ' ' && c < 0x7f)
        found(fault, IDENTIFIER_CHARACTER, at + 1, "%s第 %u 位“%c”不能出现在这个位置，请核对。",
              kind, at + 1, (char)c);
    else
        found(fault, IDENTIFIER_CHARACTER, at + 1, "%s第 %u 位不是数字或大写字母，请核对。", kind,
              at + 1);
}

/* --- the two kinds ---------------------------------------------------------------------------- */

static bool is_digit(uint32_t c)
{
    return c >= '0' && c <= '9';
}

static bool has_province(const char *at, const char *extra)
{
    const char two[3] = {at[0], at[1], '\0'};
    return (is_digit((unsigned char)two[0]) && is_digit((unsigned char)two[1])) &&
           (strstr(provinces, two) != NULL || strcmp(two, extra) == 0);
}

static unsigned decimal(const char *at, size_t digits)
{
    unsigned value = 0;

    while (digits-- > 0)
        value = 10 * value + (unsigned)(*at++ - '0');
    return value;
}

static unsigned organisation_value(char c)
{
    return (unsigned)(strchr(organisation_alphabet, c) - organisation_alphabet);
}

/* GB 32100-2015 5.5: weights are the powers of 3 modulo 31. */
static char organisation_check(const char *number)
{
    unsigned sum = 0, weight = 1;

    for (size_t i = 0; i < IDENTIFIER_LEN - 1; i++) {
        sum += organisation_value(number[i]) * weight;
        weight = weight * 3 % 31;
    }
    return organisation_alphabet[(31 - sum % 31) % 31];
}

/* GB 11714: eight characters, A worth 10 to Z worth 35. */
static char body_check(const char *body)
{
    static const unsigned weights[8] = {3, 7, 9, 10, 5, 8, 4, 2};
    unsigned sum = 0, check;

    for (size_t i = 0; i < 8; i++)
        sum += weights[i] * (unsigned)(body[i] <= '9' ? body[i] - '0' : body[i] - 'A' + 10);
    check = 11 - sum % 11;
    return check == 10 ? 'X' : check == 11 ? '0' : (char)('0' + check);
}

/* ISO 7064 MOD 11-2: weights are the powers of 2 modulo 11, from the right. */
static char person_check(const char *number)
{
    unsigned sum = 0;

    for (size_t i = 0; i < IDENTIFIER_LEN - 1; i++)
        sum = (sum + (unsigned)(number[i] - '0')) * 2 % 11;
    return "10X98765432"[sum];
}

static const char *categories_of(char department, const char **name)
{
    for (size_t i = 0; i < sizeof(departments) / sizeof(departments[0]); i++)
        if (departments[i].department == department) {
            *name = departments[i].name;
            return departments[i].categories;
        }
    return NULL;
}

/* number has characters of the alphabet only. */
static void check_organisation(const char *number, struct identifier_fault *fault)
{
    const char *name = "", *categories = categories_of(number[0], &name);

    fault->kind = IDENTIFIER_ORGANISATION;
    if (categories == NULL) {
        found(fault, IDENTIFIER_DEPARTMENT, 1,
              "统一社会信用代码第 1 位“%c”不是登记管理部门代码（1 至 9、A、N、Y），请核对。",
              number[0]);
        return;
    }
    if (strchr(categories, number[1]) == NULL) {
        found(fault, IDENTIFIER_CATEGORY, 2,
              "统一社会信用代码第 2 位“%c”不是%s部门登记的机构类别代码，请核对。", number[1], name);
        return;
    }
    for (unsigned i = 2; i < 8; i++)
        if (!is_digit((unsigned char)number[i])) {
            found(fault, IDENTIFIER_CHARACTER, i + 1,
                  "统一社会信用代码第 %u 位“%c”应为数字（第 3 至 8 位是行政区划代码），请核对。",
                  i + 1, number[i]);
            return;
        }
    if (!has_province(number + 2, "10"))
        found(fault, IDENTIFIER_DIVISION, 3,
              "统一社会信用代码第 3、4 位“%.2s”不是省级行政区划代码，请核对。", number + 2);
    else if (body_check(number + 8) != number[16])
        found(fault, IDENTIFIER_ORGANISATION_CHECK, 17,
              "统一社会信用代码第 9 至 17 位（主体标识码）的校验码不符，"
              "其中有字符抄错，请对照证照逐位核对。");
    else if (organisation_check(number) != number[17])
        found(fault, IDENTIFIER_CHECK, 18,
              "统一社会信用代码第 18 位校验码不符，号码中有字符抄错，请对照证照逐位核对。");
}

/* number has digits only, the last may be X. */
static void check_person(const char *number, int32_t today, struct identifier_fault *fault)
{
    unsigned year = decimal(number + DATE_AT, 4), month = decimal(number + DATE_AT + 4, 2),
             day = decimal(number + DATE_AT + 6, 2);

    fault->kind = IDENTIFIER_PERSON;
    if (!has_province(number, "83"))
        found(fault, IDENTIFIER_DIVISION, 1,
              "公民身份号码第 1、2 位“%.2s”不是省级行政区划代码，请核对。", number);
    else if (year < 1800 || !sr_date_exists(year, month, day))
        found(fault, IDENTIFIER_BIRTH, 7,
              "公民身份号码第 7 至 14 位“%.8s”不是真实的出生日期，请核对。", number + DATE_AT);
    else if (sr_day_number(year, month, day) > today)
        found(fault, IDENTIFIER_BIRTH_FUTURE, 7,
              "公民身份号码中的出生日期 %u年%u月%u日 晚于今天，请核对。", year, month, day);
    else if (person_check(number) != number[17])
        found(fault, IDENTIFIER_CHECK, 18,
              "公民身份号码第 18 位校验码不符，号码中有数字抄错，请对照证件逐位核对。");
}

/* --- which of the two ------------------------------------------------------------------------- */

static bool looks_born(const struct number *number)
{
    char date[8];

    for (size_t i = 0; i < sizeof(date); i++) {
        if (!is_digit(number->characters[DATE_AT + i]))
            return false;
        date[i] = (char)number->characters[DATE_AT + i];
    }
    return decimal(date, 4) >= 1850 && decimal(date, 4) < 2100 && decimal(date + 4, 2) - 1 < 12 &&
           decimal(date + 6, 2) - 1 < 31;
}

static bool looks_registered(const char *number)
{
    const char *name, *categories = categories_of(number[0], &name);
    return categories != NULL && strchr(categories, number[1]) != NULL &&
           has_province(number + 2, "10");
}

/* The kind that was meant; every character is then checked by the alphabet of that kind. */
static enum identifier_kind meant(const struct number *number)
{
    unsigned letters = 0;

    for (size_t i = 0; i < IDENTIFIER_LEN; i++) {
        uint32_t c = number->characters[i];
        letters += !is_digit(c) && !(i == IDENTIFIER_LEN - 1 && c == 'X');
    }
    if (letters == 0)
        return IDENTIFIER_UNKNOWN;
    return looks_born(number) && letters <= 2 ? IDENTIFIER_PERSON : IDENTIFIER_ORGANISATION;
}

static void check(const struct number *number, int32_t today, struct identifier_fault *fault)
{
    struct identifier_fault as_organisation = *fault;

    if (number->count == 0) {
        found(fault, IDENTIFIER_EMPTY, 0, "没有填写证件号码。");
        return;
    }
    if (number->count != IDENTIFIER_LEN || number->too_long) {
        wrong_length(number, fault);
        return;
    }
    fault->kind = meant(number);
    for (unsigned i = 0; i < IDENTIFIER_LEN; i++) {
        uint32_t c = number->characters[i];
        bool good = fault->kind == IDENTIFIER_PERSON
                        ? is_digit(c) || (i == IDENTIFIER_LEN - 1 && c == 'X')
                        : c > 0 && c < 0x7f && strchr(organisation_alphabet, (int)c) != NULL;
        if (!good) {
            wrong_character(number, i, fault);
            return;
        }
        fault->normal[i] = (char)c;
    }
    if (fault->kind == IDENTIFIER_ORGANISATION) {
        check_organisation(fault->normal, fault);
        return;
    }
    check_person(fault->normal, today, fault);
    check_organisation(fault->normal, &as_organisation);
    if (fault->rule != IDENTIFIER_GOOD &&
        (as_organisation.rule == IDENTIFIER_GOOD ||
         (!looks_born(number) && looks_registered(fault->normal)))) {
        memcpy(as_organisation.normal, fault->normal, sizeof(fault->normal));
        *fault = as_organisation;
    }
}

int identifier_check(const char *text, int32_t today, struct identifier_fault *fault)
{
    struct number number;

    *fault = (struct identifier_fault){.kind = IDENTIFIER_UNKNOWN};
    if (!sr_utf8_valid(text, strlen(text))) {
        found(fault, IDENTIFIER_ENCODING, 0, "证件号码不是 UTF-8 编码。");
        return sr_fail(SR_ERR_INVALID, "%s", fault->text);
    }
    read_number(text, &number);
    check(&number, today, fault);
    fault->normalised = number.changed;
    if (fault->rule != IDENTIFIER_GOOD) {
        fault->normal[0] = '\0';
        return sr_fail(SR_ERR_INVALID, "%s", fault->text);
    }
    if (fault->normalised)
        snprintf(fault->text, sizeof(fault->text),
                 "%s已按规范写法登记：全角改为半角，小写字母改为大写，去掉首尾空格。",
                 identifier_kind_name(fault->kind));
    return 0;
}

int32_t identifier_birth_day(const char *normal)
{
    return sr_day_number(decimal(normal + DATE_AT, 4), decimal(normal + DATE_AT + 4, 2),
                         decimal(normal + DATE_AT + 6, 2));
}

bool identifier_is_male(const char *normal)
{
    return (normal[16] - '0') % 2 == 1;
}
