/* Text of a document on its way to describe_text(): collected in larger pieces, with line ends between
 * paragraphs, cells and pages but never two blanks of them in a row. Zero-initialise, set answer. */
#ifndef SR_MEDIA_PROBE_GATHER_H
#define SR_MEDIA_PROBE_GATHER_H

#include "base/bytes.h"
#include "media/probe/describe.h"

struct gather {
    struct describe *answer;
    struct sr_buf buf;
    bool full;   /* the answer takes no more; stop when convenient */
    char behind; /* the last character given, 0 at the start */
    char space;  /* due before more text in this line, 0 none */
    int error;   /* the first; later calls do nothing */
};

void gather_text(struct gather *gather, const char *text, size_t len); /* valid UTF-8 */
void gather_line(struct gather *gather);                               /* from here on a new line */
void gather_space(struct gather *gather, char space); /* ' ' or '\t' if text follows in this line */
void gather_flush(struct gather *gather);             /* gives out what there is by now */
/* Gives out what is left and frees; returns the first error. */
int gather_end(struct gather *gather);

#endif
