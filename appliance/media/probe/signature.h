/* Signatures of documents, as members of the answer (media/answer.h): who, when, whether what was signed is intact,
 * and where the chain leads. */
#ifndef SR_MEDIA_PROBE_SIGNATURE_H
#define SR_MEDIA_PROBE_SIGNATURE_H

#include "base/cms.h"
#include "media/probe/describe.h"
#include "media/probe/members.h"

/* kind: "pdf", "ofd". A signature that does not hold is a finding, too. */
void signature_put(struct describe *answer, const char *kind, const struct cms_result *result);
/* Those of a PDF: signature dictionaries with /ByteRange (ISO 32000-1, 12.8). */
int signature_pdf(const uint8_t *data, size_t len, struct describe *answer);
/* Those of an OFD: Signatures.xml and what it names (GB/T 33190, 18); root: of Document.xml's DocBody. place: of
 * Signatures.xml, "" for none. */
int signature_ofd(const struct members *members, const char *place, struct describe *answer);

#endif
