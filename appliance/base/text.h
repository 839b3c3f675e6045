/* UTF-8 text: validity, the folded form under which two names are twins, times as text. */
#ifndef SR_BASE_TEXT_H
#define SR_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Well-formed UTF-8 (no surrogates, no overlong forms). */
bool sr_utf8_valid(const char *text, size_t len);
/* NFC of the case-folded NFC: names with equal folds are twins. Fresh string, free() it. */
int sr_name_fold(const char *name, char **out);
/* Composed (NFC). *out is fresh; SR_ERR_NAME_ENCODING when it is not UTF-8. */
int sr_nfc(const char *name, char **out);
/* Local (Asia/Shanghai, UTC+8 without summer time since 1992) "2026-11-22 10:03:04". out >= 20 bytes. */
void sr_time_local_text(int64_t time_ns, char out[20]);
/* Local date "2026-11-22". out >= 11 bytes. */
void sr_time_local_date(int64_t time_ns, char out[11]);
/* A day as its number since 1970-01-01, from "YYYY-MM-DD" of the years 1971 to 9999; so 0 is never a
 * day, and stands for none. False for anything else, *out is then 0. */
bool sr_day_parse(const char *text, int32_t *out);
/* "2026-11-22"; "" for 0. */
void sr_day_text(int32_t day, char out[11]);
/* The local (Asia/Shanghai) day. */
int32_t sr_day_local(int64_t time_ns);
/* The same date so many years later; 29 February becomes 28 February. At most 9999-12-31. */
int32_t sr_day_add_years(int32_t day, unsigned years);
/* Whether the calendar (Gregorian, years 1 to 9999) has this date. */
bool sr_date_exists(unsigned year, unsigned month, unsigned day);
/* The number of that day since 1970-01-01, negative before; 0 is 1970-01-01 here. */
int32_t sr_day_number(unsigned year, unsigned month, unsigned day);
/* The moment of a local (Asia/Shanghai) clock, of the years 1971 to 2261. False for a date or a time
 * that does not exist, *out is then 0; there are no leap seconds. */
bool sr_time_from_local(unsigned year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                        unsigned second, int64_t *out);
/* UTC, RFC 3339 with nanoseconds "2026-11-22T02:03:04.123456789Z". out >= 31 bytes. */
void sr_time_utc_text(int64_t time_ns, char out[31]);

#endif
