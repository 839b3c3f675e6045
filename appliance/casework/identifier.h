/* The numbers by which the law knows whom a case is about: 统一社会信用代码 (GB 32100-2015 with its
 * amendment, the organisation's part by GB 11714) and 公民身份号码 (GB 11643-1999, check character by
 * ISO 7064 MOD 11-2). Only what can be computed is checked: no number is looked up anywhere. Pure. */
#ifndef SR_CASEWORK_IDENTIFIER_H
#define SR_CASEWORK_IDENTIFIER_H

#include <stdbool.h>
#include <stdint.h>

#define IDENTIFIER_LEN 18
#define IDENTIFIER_SENTENCE_MAX 320

enum identifier_kind {
    IDENTIFIER_UNKNOWN,      /* nothing tells which of the two was meant */
    IDENTIFIER_ORGANISATION, /* 统一社会信用代码 */
    IDENTIFIER_PERSON,       /* 公民身份号码 */
};

enum identifier_rule {
    IDENTIFIER_GOOD,
    IDENTIFIER_EMPTY,
    IDENTIFIER_ENCODING,           /* not UTF-8 */
    IDENTIFIER_LENGTH,             /* not 18 characters */
    IDENTIFIER_CHARACTER,          /* a character that has no place there */
    IDENTIFIER_DEPARTMENT,         /* 登记管理部门代码 */
    IDENTIFIER_CATEGORY,           /* 机构类别代码 */
    IDENTIFIER_DIVISION,           /* 行政区划: its province does not exist */
    IDENTIFIER_ORGANISATION_CHECK, /* 主体标识码's own check character, GB 11714 */
    IDENTIFIER_BIRTH,              /* 出生日期: not in the calendar */
    IDENTIFIER_BIRTH_FUTURE,       /* born after today */
    IDENTIFIER_CHECK,              /* the last character */
};

/* The first rule that fails: every character by itself first, then the parts from the left. */
struct identifier_fault {
    enum identifier_kind kind;
    enum identifier_rule rule;
    unsigned position; /* character from 1, after blanks at the ends; 0: the whole */
    bool normalised;   /* full-width or small characters, or blanks at the ends, were put right */
    char normal[IDENTIFIER_LEN + 1]; /* as it is to be stored; "" unless the rule is GOOD */
    /* Chinese, for the person who typed it; never the number itself. When good: "" or what was
     * normalised. */
    char text[IDENTIFIER_SENTENCE_MAX];
};

/* today is a day of sr_day_local(). SR_ERR_INVALID, with the same sentence, if a rule fails; fault is
 * filled in every case. A number that is good as either is a person's. */
int identifier_check(const char *text, int32_t today, struct identifier_fault *fault);

/* "统一社会信用代码", "公民身份号码"; "证件号码" for unknown. */
const char *identifier_kind_name(enum identifier_kind kind);

/* The birth date and sex of a good 公民身份号码 as normal has them; sr_day_number, male. */
int32_t identifier_birth_day(const char *normal);
bool identifier_is_male(const char *normal);

#endif
