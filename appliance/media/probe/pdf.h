/* PDF, by poppler: text page by page, document information. */
#ifndef SR_MEDIA_PROBE_PDF_H
#define SR_MEDIA_PROBE_PDF_H

#include "media/probe/describe.h"
#include "media/probe/source.h"

#define PDF_MAX (256u << 20) /* bytes of a file that is read */

/* Once, before the sandbox and before threads: what poppler and glib set up at their first use.
 * SR_ERR_UNSUPPORTED if poppler does not work on this machine. */
int pdf_prepare(void);
/* Errors as examine_file; a password, or a file that cannot be read, is a finding. */
int pdf_describe(struct probe_source *source, struct describe *answer, const char *mime);

#endif
