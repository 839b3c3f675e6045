#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "base/error.h"

#define NS_PER_S INT64_C(1000000000)
#define LOCAL_OFFSET_S (8 * 3600)

bool sr_utf8_valid(const char *text, size_t len)
{
    return len == 0 || u8_check((const uint8_t *)text, len) == NULL;
}

/* Bytes of a character at text of which folding changes nothing, whatever stands beside it, or only makes an ASCII
 * letter small: ASCII, U+4E00 to U+9FFF, 、 。 《 》 〔 〕 （ ）. 0: any other, or none. */
static size_t plain_char(const uint8_t *text)
{
    if (text[0] < 0x80)
        return 1;
    if (text[0] < 0xe3 || text[0] > 0xef || (text[1] & 0xc0) != 0x80 || (text[2] & 0xc0) != 0x80)
        return 0; /* a NUL is no such byte: nothing beyond it is looked at */
    unsigned c = (text[0] & 0xfu) << 12 | (text[1] & 0x3fu) << 6 | (text[2] & 0x3fu);
    bool plain = (c >= 0x4e00 && c <= 0x9fff) || c == 0x3001 || c == 0x3002 || c == 0x300a ||
                 c == 0x300b || c == 0x3014 || c == 0x3015 || c == 0xff08 || c == 0xff09;
    return plain ? 3 : 0;
}

/* Most names here are such characters alone. *out stays NULL where one is not. */
static int fold_plain(const char *name, size_t len, char **out)
{
    char *fold;
    size_t bytes;
    for (size_t at = 0; at < len; at += bytes)
        if ((bytes = plain_char((const uint8_t *)name + at)) == 0)
            return 0;
    if ((fold = malloc(len + 1)) == NULL)
        return sr_fail_errno(ENOMEM, "fold a name");
    for (size_t at = 0; at <= len; at++)
        fold[at] = name[at] >= 'A' && name[at] <= 'Z' ? (char)(name[at] + ('a' - 'A')) : name[at];
    *out = fold;
    return 0;
}

int sr_name_fold(const char *name, char **out)
{
    *out = NULL;
    size_t len = strlen(name);
    int plain = fold_plain(name, len, out);
    if (plain < 0 || *out != NULL)
        return plain;
    if (!sr_utf8_valid(name, len))
        return sr_fail(SR_ERR_NAME_ENCODING, "name is not UTF-8");
    int rc = 0;
    size_t composed_len = 0;
    size_t folded_len = 0;
    uint8_t *folded = NULL;
    uint8_t *composed = u8_normalize(UNINORM_NFC, (const uint8_t *)name, len, NULL, &composed_len);
    /* No language: folding must not depend on the locale, Turkish dotless i or other. */
    if (composed)
        folded = u8_casefold(composed, composed_len, NULL, UNINORM_NFC, NULL, &folded_len);
    if (folded)
        *out = strndup((const char *)folded, folded_len);
    if (!*out)
        rc = sr_fail_errno(ENOMEM, "fold a name");
    free(folded);
    free(composed);
    return rc;
}

int sr_nfc(const char *name, char **out)
{
    size_t len = strlen(name), composed_len = 0;
    *out = NULL;
    if (!sr_utf8_valid(name, len))
        return sr_fail(SR_ERR_NAME_ENCODING, "name is not UTF-8");
    uint8_t *composed = u8_normalize(UNINORM_NFC, (const uint8_t *)name, len, NULL, &composed_len);
    if (composed)
        *out = strndup((const char *)composed, composed_len);
    free(composed);
    return *out ? 0 : sr_fail_errno(ENOMEM, "compose a name");
}

/* Returns the nanoseconds within the second, floored for times before 1970. int64_t nanoseconds
 * reach from 1677 to 2262, so a year always has four digits. */
static int64_t split_time(int64_t time_ns, int64_t offset_s, struct tm *tm)
{
    int64_t rest = time_ns % NS_PER_S;
    int64_t seconds = time_ns / NS_PER_S;
    if (rest < 0) {
        rest += NS_PER_S;
        seconds--;
    }
    time_t shifted = (time_t)(seconds + offset_s);
    gmtime_r(&shifted, tm);
    return rest;
}

void sr_time_local_text(int64_t time_ns, char out[20])
{
    struct tm tm;
    split_time(time_ns, LOCAL_OFFSET_S, &tm);
    strftime(out, 20, "%Y-%m-%d %H:%M:%S", &tm);
}

void sr_time_local_date(int64_t time_ns, char out[11])
{
    struct tm tm;
    split_time(time_ns, LOCAL_OFFSET_S, &tm);
    strftime(out, 11, "%Y-%m-%d", &tm);
}

void sr_time_utc_text(int64_t time_ns, char out[31])
{
    struct tm tm;
    int64_t ns = split_time(time_ns, 0, &tm);
    strftime(out, 20, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + 19, 12, ".%09uZ", (unsigned)ns % 1000000000u);
}

/* --- days ------------------------------------------------------------------------------------- */

#define DAY_S 86400
#define YEAR_MAX 9999

static bool is_leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned month_days(unsigned year, unsigned month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

bool sr_date_exists(unsigned year, unsigned month, unsigned day)
{
    return year >= 1 && year <= YEAR_MAX && month >= 1 && month <= 12 && day >= 1 &&
           day <= month_days(year, month);
}

int32_t sr_day_number(unsigned year, unsigned month, unsigned day)
{
    struct tm tm = {
        .tm_year = (int)year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day, .tm_hour = 12};
    time_t noon = timegm(&tm);
    return (int32_t)((noon - DAY_S / 2) / DAY_S);
}

bool sr_time_from_local(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                        unsigned second, int64_t *out)
{
    *out = 0;
    if (year < 1971 || year > 2261 || !sr_date_exists(year, month, day) || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    int64_t seconds = (int64_t)sr_day_number(year, month, day) * DAY_S + hour * 3600 + minute * 60 +
                      second - LOCAL_OFFSET_S;
    *out = seconds * NS_PER_S;
    return true;
}

bool sr_day_parse(const char *text, int32_t *out)
{
    unsigned field[3] = {0};
    *out = 0;
    if (strlen(text) != 10)
        return false;
    for (size_t i = 0, at = 0; i < 10; i++) {
        if (i == 4 || i == 7) {
            if (text[i] != '-')
                return false;
            at++;
        } else if (text[i] < '0' || text[i] > '9') {
            return false;
        } else {
            field[at] = 10 * field[at] + (unsigned)(text[i] - '0');
        }
    }
    if (field[0] < 1971 || !sr_date_exists(field[0], field[1], field[2]))
        return false;
    *out = sr_day_number(field[0], field[1], field[2]);
    return true;
}

void sr_day_text(int32_t day, char out[11])
{
    struct tm tm;
    time_t seconds = (time_t)day * DAY_S;
    out[0] = '\0';
    if (day != 0 && gmtime_r(&seconds, &tm) != NULL)
        strftime(out, 11, "%Y-%m-%d", &tm);
}

int32_t sr_day_local(int64_t time_ns)
{
    struct tm tm;
    split_time(time_ns, LOCAL_OFFSET_S, &tm);
    return sr_day_number((unsigned)tm.tm_year + 1900, (unsigned)tm.tm_mon + 1,
                         (unsigned)tm.tm_mday);
}

int32_t sr_day_add_years(int32_t day, unsigned years)
{
    struct tm tm;
    time_t seconds = (time_t)day * DAY_S;
    gmtime_r(&seconds, &tm);
    unsigned year = (unsigned)tm.tm_year + 1900 + years, month = (unsigned)tm.tm_mon + 1;
    unsigned in_month = (unsigned)tm.tm_mday;
    if (year > YEAR_MAX)
        return sr_day_number(YEAR_MAX, 12, 31);
    if (in_month > month_days(year, month))
        in_month = month_days(year, month);
    return sr_day_number(year, month, in_month);
}
