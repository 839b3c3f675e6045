/* datetime and duration values: milliseconds in 64 bits, UTC, no leap seconds. */
#ifndef SR_POLICY_CEDAR_TIME_H
#define SR_POLICY_CEDAR_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "2026-03-05", or with "T10:03:04" or "T10:03:04.123" followed by "Z" or an offset "+0800".
 * false when text is not of this form or names no such day or time. */
bool cedar_time_parse(const char *text, size_t len, int64_t *out_ms);
/* "1d2h3m4s5ms": any of the five in this order, at least one, "-" before all of them allowed.
 * false also when the sum is out of range. */
bool cedar_time_parse_duration(const char *text, size_t len, int64_t *out_ms);
/* Midnight of the day. false: out of range. */
bool cedar_time_date(int64_t ms, int64_t *out_ms);
/* Since midnight. */
int64_t cedar_time_of_day(int64_t ms);

#endif
