/* Office Open XML (ECMA-376): the document, its notes, comments, headers and footers; slides in their order. */
#ifndef SR_MEDIA_PROBE_OOXML_H
#define SR_MEDIA_PROBE_OOXML_H

#include "media/probe/gather.h"
#include "media/probe/members.h"

#define OOXML_CONTENT_TYPES "[Content_Types].xml"

/* A constant; NULL: the members make none. */
const char *ooxml_type(const struct members *members);
int ooxml_describe(const struct members *members, const char *type, struct describe *answer);
/* The text of one part into gather: paragraphs of WordprocessingML and DrawingML, comments of SpreadsheetML. What is
 * not there is left out. Negative: an error; positive: the answer takes no more. */
int ooxml_read_part(const struct members *members, const char *part, struct gather *gather);
/* Whether a member is XML directly in the folder ("ppt/slides/"): for documents that do not say what they are made of. */
bool ooxml_is_in(const struct member *member, const char *folder);

#endif
