/* Text and properties of OOXML (docx, xlsx, pptx) and ODF (odt, ods, odp, odg). */
#ifndef SR_MEDIA_PROBE_OFFICE_H
#define SR_MEDIA_PROBE_OFFICE_H

#include "media/probe/members.h"

/* Whether the list of members looks like one of them. */
bool office_may_be(const struct members *list);
/* Members that they need. */
bool office_wants(const char *name);
/* The type that the members make; NULL: they make none of these. */
const char *office_type(const struct members *members);
/* type: of office_type. */
int office_describe(const struct members *members, const char *type, struct describe *answer);

#endif
