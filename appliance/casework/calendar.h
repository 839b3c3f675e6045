/* Working days: POLICYDIR/calendar/YYYY.yaml hold the State Council's notices as data: days off, and weekend days
 * that are worked. Days are sr_day numbers, Asia/Shanghai. A year without a file counts Monday to Friday, and what
 * is counted with it is provisional. A loaded calendar never changes; any number of threads may read it. */
#ifndef SR_CASEWORK_CALENDAR_H
#define SR_CASEWORK_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/io.h"

#define CALENDAR_FOLDER "calendar"
#define CALENDAR_YEARS_MAX 64

struct calendar;

/* Every YYYY.yaml of DIR/calendar; a folder that is not there is a calendar without notices. SR_ERR_INVALID with
 * "FILE:LINE:COLUMN: reason". */
int calendar_load(struct sr_io *io, const char *dir, struct calendar **out);
/* From memory, of one year. */
int calendar_parse(const char *file, const uint8_t *data, size_t len, struct calendar **out);
void calendar_free(struct calendar *calendar); /* NULL ok */

/* *provisional (may be NULL) is set, and never cleared, when there is no notice of its year. */
bool calendar_is_working(const struct calendar *calendar, int32_t day, bool *provisional);
/* The last day of a term of so many working days that begins on the day after from. At most 10,000. */
int32_t calendar_add(const struct calendar *calendar, int32_t from, unsigned days,
                     bool *provisional);
/* Working days after from up to and with to; 0 when to is not after from. Over 20 years: those of 20 years. */
unsigned calendar_between(const struct calendar *calendar, int32_t from, int32_t to,
                          bool *provisional);

typedef int calendar_file_fn(void *context, const char *file, const uint8_t sha256[32]);
int calendar_files(const struct calendar *calendar, calendar_file_fn *fn, void *context);

#endif
