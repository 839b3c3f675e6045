/* What the YAML files of the policy folder say, read together: all of them are good, or none is taken. A loaded
 * agency never changes, so it may be read by any number of threads. */
#ifndef SR_CASEWORK_AGENCY_H
#define SR_CASEWORK_AGENCY_H

#include <stdint.h>

#include "base/io.h"
#include "casework/archive.h"
#include "casework/calendar.h"
#include "casework/naming.h"
#include "casework/retention.h"
#include "casework/workflow.h"

struct agency {
    struct workflow *workflow;
    struct naming *naming; /* NULL: there is no naming.yaml, names tell nothing */
    struct calendar *calendar;
    struct retention *retention;   /* without a file: retention_default */
    struct archive_rules *archive; /* NULL: there is no archive.yaml, and so no 档号 */
};

/* The error of the file that is wrong. */
int agency_load(struct sr_io *io, const char *dir, struct agency **out);
void agency_free(struct agency *agency); /* NULL ok */

/* Every file that was read, with the SHA-256 of its bytes; a non-zero return stops and is returned. */
typedef int agency_file_fn(void *context, const char *file, const uint8_t sha256[32]);
int agency_files(const struct agency *agency, agency_file_fn *fn, void *context);

#endif
