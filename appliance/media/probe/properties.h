/* Properties of office documents: elements whose text is a value. */
#ifndef SR_MEDIA_PROBE_PROPERTIES_H
#define SR_MEDIA_PROBE_PROPERTIES_H

#include "media/probe/members.h"

/* Of one member (docProps/core.xml, docProps/app.xml, meta.xml); none is no error. */
int properties_read(const struct members *members, const char *name, struct describe *answer);

#endif
