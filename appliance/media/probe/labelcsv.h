/* Lists of labels, 标签.csv. Private to labelfile.c. */
#ifndef SR_MEDIA_PROBE_LABELCSV_H
#define SR_MEDIA_PROBE_LABELCSV_H

#include "media/probe/labelrows.h"

/* text: UTF-8, a NUL behind len bytes; it is changed. */
void labelcsv_read(char *text, size_t len, struct labelrows *rows);

#endif
