/* Label files beside recordings: 标签.yaml and <file>.label.yaml (YAML), 标签.csv (a list as a collection station
 * writes it: RFC 4180, comma, semicolon or tab, any charset of charset.h).
 *
 * The answer's text is one JSON object a line, {"line": N, "file": name (optional), "labels": [{"field": word,
 * "value": text, "offset": text (optional)}]} or {"line": N, "error": Chinese sentence}. Values are as they stand
 * there; what they mean is checked where they are used. Labels without a name are of everything beside the file,
 * or of the file that it is named after. */
#ifndef SR_MEDIA_PROBE_LABELFILE_H
#define SR_MEDIA_PROBE_LABELFILE_H

#include <stdbool.h>

#include "media/probe/describe.h"
#include "media/probe/source.h"

#define LABELFILE_TYPE "application/x-strongroom-labels"
#define LABELFILE_MAX (4u << 20)  /* bytes of such a file */
#define LABELFILE_ROWS_MAX 100000 /* rows of a list, labels of a YAML file */
#define LABELFILE_COLUMNS_MAX 256
#define LABELFILE_VALUE_MAX 4096 /* bytes */

bool labelfile_is_name(const char *name);
/* The name says which of the two it is. */
int labelfile_describe(struct probe_source *source, struct describe *answer);
/* One that has the name, but whose content is no text: an error of the first line, so that whoever copied it is told. */
int labelfile_refuse(struct describe *answer, const char *mime);

#endif
