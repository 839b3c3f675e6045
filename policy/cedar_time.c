#include "policy/cedar_time.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

struct reader {
    const char *at;
    const char *end;
};

static bool read_char(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* Exactly count digits. */
static bool read_digits(struct reader *r, int count, int *out)
{
    *out = 0;
    for (int i = 0; i < count; i++, r->at++) {
        if (r->at == r->end || *r->at < '0' || *r->at > '9')
            return false;
        *out = *out * 10 + (*r->at - '0');
    }
    return true;
}

static bool is_leap(int year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool day_exists(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1)
        return false;
    return day <= days[month - 1] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, year 0 included. Years are counted from
 * March, so that the leap day is a year's last. */
static int64_t days_since_epoch(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t era = (y + 400) / 400 - 1; /* y is -1 or more */
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* "Z", "+hhmm" or "-hhmm", and nothing after it. */
static bool read_zone(struct reader *r, int64_t *out_ms)
{
    int hours;
    int minutes;
    *out_ms = 0;
    if (read_char(r, 'Z'))
        return r->at == r->end;
    bool east = read_char(r, '+');
    if (!east && !read_char(r, '-'))
        return false;
    if (!read_digits(r, 2, &hours) || !read_digits(r, 2, &minutes) || r->at != r->end)
        return false;
    *out_ms = (east ? 1 : -1) * (hours * HOUR + minutes * MINUTE);
    return hours < 24 && minutes < 60;
}

bool cedar_time_parse(const char *text, size_t len, int64_t *out_ms)
{
    struct reader r = {text, text + len};
    int year, month, day;
    int hour, minute, second;
    int milliseconds = 0;
    int64_t zone_ms;
    *out_ms = 0;
    if (!read_digits(&r, 4, &year) || !read_char(&r, '-') || !read_digits(&r, 2, &month) ||
        !read_char(&r, '-') || !read_digits(&r, 2, &day) || !day_exists(year, month, day))
        return false;
    *out_ms = days_since_epoch(year, month, day) * DAY;
    if (r.at == r.end)
        return true;
    if (!read_char(&r, 'T') || !read_digits(&r, 2, &hour) || !read_char(&r, ':') ||
        !read_digits(&r, 2, &minute) || !read_char(&r, ':') || !read_digits(&r, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    if (read_char(&r, '.') && !read_digits(&r, 3, &milliseconds))
        return false;
    if (!read_zone(&r, &zone_ms))
        return false;
    *out_ms += hour * HOUR + minute * MINUTE + second * SECOND + milliseconds - zone_ms;
    return true;
}

/* *sum += sign * (the number in text[0..digits]) * unit. */
static bool add_quantity(const char *text, size_t digits, int64_t unit, int64_t sign, int64_t *sum)
{
    int64_t value = 0;
    for (size_t i = 0; i < digits; i++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, sign * (text[i] - '0'), &value))
            return false;
    return !__builtin_mul_overflow(value, unit, &value) &&
           !__builtin_add_overflow(*sum, value, sum);
}

bool cedar_time_parse_duration(const char *text, size_t len, int64_t *out_ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", DAY}, {"h", HOUR}, {"m", MINUTE}, {"s", SECOND}, {"ms", 1}};
    const char *at = text;
    const char *end = text + len;
    int64_t sign = 1;
    int64_t sum = 0;
    size_t unit = 0; /* the first one that may still come */
    if (at < end && *at == '-') {
        sign = -1;
        at++;
    }
    if (at == end)
        return false;
    while (at < end) {
        const char *digits = at;
        while (at < end && *at >= '0' && *at <= '9')
            at++;
        size_t count = (size_t)(at - digits);
        if (!count || at == end)
            return false;
        bool milli = *at == 'm' && at + 1 < end && at[1] == 's';
        while (unit < 5 && (milli ? unit != 4 : units[unit].name[0] != *at || unit == 4))
            unit++;
        if (unit == 5 || !add_quantity(digits, count, units[unit].ms, sign, &sum))
            return false;
        unit++;
        at += milli ? 2 : 1;
    }
    *out_ms = sum;
    return true;
}

int64_t cedar_time_of_day(int64_t ms)
{
    int64_t rest = ms % DAY;
    return rest < 0 ? rest + DAY : rest;
}

bool cedar_time_date(int64_t ms, int64_t *out_ms)
{
    return !__builtin_sub_overflow(ms, cedar_time_of_day(ms), out_ms);
}
