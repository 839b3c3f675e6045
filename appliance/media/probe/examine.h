/* What a file is, by its content, and who describes it. One thread. */
#ifndef SR_MEDIA_PROBE_EXAMINE_H
#define SR_MEDIA_PROBE_EXAMINE_H

#include "media/probe/describe.h"
#include "media/probe/source.h"

struct examine;
/* Loads libmagic's table, which takes files: before the sandbox. */
int examine_new(struct examine **out);
void examine_free(struct examine *examine); /* NULL ok */
/* Describes the file. A broken file is described, with findings; errors are no memory, and a daemon or a
 * record that cannot be read. */
int examine_file(struct examine *examine, struct probe_source *source, struct describe *answer);

#endif
