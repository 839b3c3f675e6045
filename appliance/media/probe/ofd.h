/* OFD (GB/T 33190): text in the order of its pages, document information. */
#ifndef SR_MEDIA_PROBE_OFD_H
#define SR_MEDIA_PROBE_OFD_H

#include "media/probe/members.h"

#define OFD_TYPE "application/ofd"

/* Members that its text needs. */
bool ofd_wants(const char *name);
/* Whether it says that it is signed: then all members are needed, for a signature covers also what is not read. */
bool ofd_is_signed(const struct members *members);
bool ofd_is(const struct members *members);
int ofd_describe(const struct members *members, struct describe *answer);

#endif
