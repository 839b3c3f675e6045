/* OpenDocument (ISO/IEC 26300): what is in the document's body, and its headers and footers. */
#ifndef SR_MEDIA_PROBE_ODF_H
#define SR_MEDIA_PROBE_ODF_H

#include "media/probe/members.h"

#define ODF "application/vnd.oasis.opendocument." /* what their types begin with */

/* A constant; NULL: the members make none. */
const char *odf_type(const struct members *members);
int odf_describe(const struct members *members, struct describe *answer);

#endif
