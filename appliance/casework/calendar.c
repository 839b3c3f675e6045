#include "casework/calendar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "casework/policyfile.h"

#define DAYS_MAX 200
#define TERM_MAX 10000
#define SPAN_MAX (20 * 366)
#define NAME_LEN 32

struct date { /* what libcyaml fills */
    char *date;
    char *name;
};

struct notice {
    char *year;
    struct date *days_off;
    unsigned days_off_count;
    struct date *days_worked;
    unsigned days_worked_count;
};

struct year {
    unsigned year;
    int32_t off[DAYS_MAX], worked[DAYS_MAX];
    unsigned off_count, worked_count;
    char file[NAME_LEN];
    uint8_t sha256[SR_SHA256_LEN];
};

struct calendar {
    struct year *years; /* by year */
    size_t count;
};

static const struct cyaml_schema_field date_fields[] = {
    CYAML_FIELD_STRING_PTR("date", CYAML_FLAG_POINTER, struct date, date, 10, 10),
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, struct date, name, 0, 100), CYAML_FIELD_END};
static const struct cyaml_schema_value date_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct date, date_fields)};
static const struct cyaml_schema_field notice_fields[] = {
    CYAML_FIELD_STRING_PTR("year", CYAML_FLAG_POINTER, struct notice, year, 4, 4),
    CYAML_FIELD_SEQUENCE("days_off", CYAML_FLAG_POINTER, struct notice, days_off, &date_schema, 0,
                         DAYS_MAX),
    CYAML_FIELD_SEQUENCE("days_worked", CYAML_FLAG_POINTER, struct notice, days_worked,
                         &date_schema, 0, DAYS_MAX),
    CYAML_FIELD_END};
static const struct cyaml_schema_value notice_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct notice, notice_fields)};

/* Monday is 0; 1970-01-01 was a Thursday. */
static unsigned weekday(int32_t day)
{
    return (unsigned)(((int64_t)day + 3) % 7 + 7) % 7;
}

static bool has(const int32_t *days, unsigned count, int32_t day)
{
    for (unsigned i = 0; i < count; i++)
        if (days[i] == day)
            return true;
    return false;
}

/* --- reading --- */

static int read_days(const struct policyfile *file, const char *key, const struct date *dates,
                     unsigned count, unsigned year, int32_t *out)
{
    for (unsigned i = 0; i < count; i++) {
        char digits[5] = "";
        uint64_t of;
        if (!sr_day_parse(dates[i].date, &out[i]))
            return policyfile_refuse(file, key, i, "'%s' is not a date YYYY-MM-DD", dates[i].date);
        memcpy(digits, dates[i].date, 4);
        if (sr_parse_u64(digits, &of) < 0 || of != year)
            return policyfile_refuse(file, key, i, "%s is not of the year %u", dates[i].date, year);
        if (has(out, i, out[i]))
            return policyfile_refuse(file, key, i, "%s stands there twice", dates[i].date);
    }
    return 0;
}

static int take_notice(const struct policyfile *file, const struct notice *notice, struct year *out)
{
    uint64_t year;
    int status;
    if (sr_parse_u64(notice->year, &year) < 0 || year < 1971)
        return policyfile_refuse(file, "year", POLICYFILE_KEY, "'%s' is not a year", notice->year);
    out->year = (unsigned)year;
    out->off_count = notice->days_off_count;
    out->worked_count = notice->days_worked_count;
    if ((status = read_days(file, "days_off", notice->days_off, out->off_count, out->year,
                            out->off)) < 0 ||
        (status = read_days(file, "days_worked", notice->days_worked, out->worked_count, out->year,
                            out->worked)) < 0)
        return status;
    for (unsigned i = 0; i < out->worked_count; i++) {
        if (has(out->off, out->off_count, out->worked[i]))
            return policyfile_refuse(file, "days_worked", i, "%s is a day off, too",
                                     notice->days_worked[i].date);
        if (weekday(out->worked[i]) < 5)
            return policyfile_refuse(file, "days_worked", i, "%s is no Saturday or Sunday",
                                     notice->days_worked[i].date);
    }
    return 0;
}

static int read_year(const struct policyfile *file, struct year *out)
{
    struct notice *notice = NULL;
    int status = policyfile_decode(file, &notice_schema, (void **)&notice);
    if (status == 0)
        status = take_notice(file, notice, out);
    policyfile_free_value(&notice_schema, notice);
    memcpy(out->sha256, policyfile_sha256(file), SR_SHA256_LEN);
    return status;
}

static int add_year(struct calendar *calendar, const struct policyfile *file, const char *name)
{
    struct year *longer = realloc(calendar->years, (calendar->count + 1) * sizeof *calendar->years);
    if (longer == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a calendar");
    calendar->years = longer;
    struct year *fresh = &longer[calendar->count];
    memset(fresh, 0, sizeof *fresh);
    int status = read_year(file, fresh);
    if (status < 0)
        return status;
    snprintf(fresh->file, sizeof fresh->file, "%s", name);
    for (size_t i = 0; i < calendar->count; i++)
        if (longer[i].year == fresh->year)
            return policyfile_refuse(file, "year", POLICYFILE_KEY, "the year %u has two files",
                                     fresh->year);
    calendar->count++;
    return 0;
}

int calendar_parse(const char *name, const uint8_t *data, size_t len, struct calendar **out)
{
    struct policyfile *file = NULL;
    *out = calloc(1, sizeof **out);
    if (*out == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a calendar");
    int status = policyfile_parse(name, data, len, &file);
    if (status == 0)
        status = add_year(*out, file, name);
    policyfile_free(file);
    if (status < 0) {
        calendar_free(*out);
        *out = NULL;
    }
    return status;
}

struct names { /* YYYY.yaml, sorted */
    char items[CALENDAR_YEARS_MAX][NAME_LEN];
    size_t count;
};

static int keep_name(void *context, const char *name)
{
    struct names *names = context;
    if (strlen(name) != 9 || strspn(name, "0123456789") != 4 || strcmp(name + 4, ".yaml") != 0)
        return 0;
    if (names->count == CALENDAR_YEARS_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "%s: over %d years", CALENDAR_FOLDER, CALENDAR_YEARS_MAX);
    snprintf(names->items[names->count++], NAME_LEN, CALENDAR_FOLDER "/%s", name);
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

int calendar_load(struct sr_io *io, const char *dir, struct calendar **out)
{
    struct names names = {.count = 0};
    char *folder = sr_path("%s/" CALENDAR_FOLDER, dir);
    struct calendar *calendar = calloc(1, sizeof *calendar);
    int status = folder == NULL || calendar == NULL
                     ? sr_fail(SR_ERR_NO_MEMORY, "no memory for a calendar")
                     : io->list(io, folder, keep_name, &names);
    *out = NULL;
    if (status == -ENOENT)
        status = 0;
    else if (status < 0 && names.count < CALENDAR_YEARS_MAX && calendar != NULL)
        status = sr_fail_errno(-status, "%s", folder);
    qsort(names.items, names.count, NAME_LEN, by_name);
    for (size_t i = 0; status == 0 && i < names.count; i++) {
        struct policyfile *file = NULL;
        if ((status = policyfile_read(io, dir, names.items[i], &file)) == 0)
            status = add_year(calendar, file, names.items[i]);
        policyfile_free(file);
    }
    free(folder);
    if (status < 0)
        calendar_free(calendar);
    else
        *out = calendar;
    return status;
}

void calendar_free(struct calendar *calendar)
{
    if (calendar != NULL)
        free(calendar->years);
    free(calendar);
}

int calendar_files(const struct calendar *calendar, calendar_file_fn *fn, void *context)
{
    int status = 0;
    for (size_t i = 0; status == 0 && i < calendar->count; i++)
        status = fn(context, calendar->years[i].file, calendar->years[i].sha256);
    return status;
}

/* --- counting --- */

static const struct year *year_of(const struct calendar *calendar, int32_t day)
{
    char text[11];
    uint64_t year = 0;
    sr_day_text(day, text);
    text[4] = '\0';
    if (sr_parse_u64(text, &year) < 0)
        return NULL;
    for (size_t i = 0; i < calendar->count; i++)
        if (calendar->years[i].year == year)
            return &calendar->years[i];
    return NULL;
}

bool calendar_is_working(const struct calendar *calendar, int32_t day, bool *provisional)
{
    const struct year *year = year_of(calendar, day);
    bool workday = weekday(day) < 5;
    if (year == NULL) {
        if (provisional != NULL)
            *provisional = true;
        return workday;
    }
    if (has(year->worked, year->worked_count, day))
        return true;
    return workday && !has(year->off, year->off_count, day);
}

int32_t calendar_add(const struct calendar *calendar, int32_t from, unsigned days,
                     bool *provisional)
{
    int32_t day = from;
    for (unsigned left = days < TERM_MAX ? days : TERM_MAX; left > 0;)
        left -= calendar_is_working(calendar, ++day, provisional);
    return day;
}

unsigned calendar_between(const struct calendar *calendar, int32_t from, int32_t to,
                          bool *provisional)
{
    unsigned days = 0;
    if ((int64_t)to - from > SPAN_MAX)
        to = from + SPAN_MAX;
    for (int32_t day = from; day < to;)
        days += calendar_is_working(calendar, ++day, provisional);
    return days;
}
