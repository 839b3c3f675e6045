/* ZIP files that are documents: which of them, and its description. */
#ifndef SR_MEDIA_PROBE_PACKAGE_H
#define SR_MEDIA_PROBE_PACKAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/probe/describe.h"
#include "media/probe/source.h"

/* mime: what libmagic says by the first bytes, head. True: look into it with package_describe, which sets the type. */
bool package_may_be(const char *mime, const uint8_t *head, size_t len);
/* *type: constant, or mime; set in the answer. */
int package_describe(struct probe_source *source, struct describe *answer, const char *mime,
                     const char **type);

#endif
