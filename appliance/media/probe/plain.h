/* Text and HTML files: text, and the properties charset, title (HTML). */
#ifndef SR_MEDIA_PROBE_PLAIN_H
#define SR_MEDIA_PROBE_PLAIN_H

#include <stdbool.h>

#include "media/probe/describe.h"
#include "media/probe/source.h"

/* html: markup is taken out, and script, style and comments with it. */
int plain_describe(struct probe_source *source, bool html, struct describe *answer);

#endif
