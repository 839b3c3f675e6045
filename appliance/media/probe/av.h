/* Sound, moving and still pictures, by libavformat: containers are read, nothing is decoded beyond what
 * finding the streams' parameters takes. */
#ifndef SR_MEDIA_PROBE_AV_H
#define SR_MEDIA_PROBE_AV_H

#include "media/probe/describe.h"
#include "media/probe/source.h"

/* Errors as examine_file; a container that cannot be read is a finding "broken". */
int av_describe(struct probe_source *source, struct describe *answer, const char *mime);

#endif
