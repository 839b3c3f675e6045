/* Moments as XML documents write them (ISO 8601), as the answer has them. */
#ifndef SR_MEDIA_PROBE_MOMENT_H
#define SR_MEDIA_PROBE_MOMENT_H

#include "media/probe/describe.h"

/* "2026-03-05T14:03:22", with a fraction or without, with "Z" or an offset or without, or the day alone, blanks around
 * it: key, and KEY_ns where there is an offset. What is none of these, or no time of the years 1971 to 2261, is left
 * out: it would spoil the answer. key: "created" or "modified". */
void moment_put(struct describe *answer, const char *key, const char *text);

#endif
