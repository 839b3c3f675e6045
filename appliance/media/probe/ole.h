/* Compound files ([MS-CFB]): what older office programs write, and newer ones around documents with a password. */
#ifndef SR_MEDIA_PROBE_OLE_H
#define SR_MEDIA_PROBE_OLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/probe/source.h"

bool ole_is(const uint8_t *head, size_t len);
/* Whether the file has a stream or storage of this name (ASCII, at most 31 letters). A broken file has what can be
 * found of its directory. Errors are those of the source. */
int ole_has(struct probe_source *source, const char *name, bool *found);

#endif
