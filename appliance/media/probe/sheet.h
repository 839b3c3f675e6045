/* SpreadsheetML (ECMA-376): the sheets of a workbook in its order. */
#ifndef SR_MEDIA_PROBE_SHEET_H
#define SR_MEDIA_PROBE_SHEET_H

#include "media/probe/gather.h"
#include "media/probe/members.h"

/* part: the workbook. Of each sheet its name, its cells row by row with tabs between them, values as they are stored
 * (a date is a number), and its comments. Negative: an error; positive: the answer takes no more. */
int sheet_read(const struct members *members, const char *part, struct gather *gather);

#endif
