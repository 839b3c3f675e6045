/* The rows of a label file on their way out, and the words for its columns. Private to labelfile*.c. */
#ifndef SR_MEDIA_PROBE_LABELROWS_H
#define SR_MEDIA_PROBE_LABELROWS_H

#include <jansson.h>

#include "media/probe/describe.h"

enum labelrows_meaning {
    LABELROWS_NONE,   /* no label: a column that stations write, too */
    LABELROWS_FILE,   /* the name of the file */
    LABELROWS_OFFSET, /* 时刻, of speaker, identity and summary in the same row */
    LABELROWS_FIELD,  /* a label */
};

/* What a column or key is: by its Chinese name, one of its usual other names, or the word. *field: the word of a
 * LABELROWS_FIELD, constant. */
enum labelrows_meaning labelrows_meaning(const char *name, const char **field);

struct labelrows { /* zero-initialise, set answer */
    struct describe *answer;
    size_t count; /* rows and errors so far */
    bool full;    /* no more is taken */
    int error;    /* the first; later calls do nothing */
};

/* Adds {"field", "value"[, "offset"]} to labels. offset NULL or "": none. SR_ERR_NO_MEMORY. */
int labelrows_label(json_t *labels, const char *field, const char *value, const char *offset);
/* Takes over labels. Nothing is written when they are empty. file NULL or "": none. */
void labelrows_put(struct labelrows *rows, unsigned line, const char *file, json_t *labels);
void labelrows_error(struct labelrows *rows, unsigned line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
