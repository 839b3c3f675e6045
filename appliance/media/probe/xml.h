/* XML of strangers (libxml2's reader): nothing outside of the bytes is looked at, no entity is expanded, depth and
 * number of nodes are bounded. Names are given without their prefix, as writers differ in them. */
#ifndef SR_MEDIA_PROBE_XML_H
#define SR_MEDIA_PROBE_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "media/probe/describe.h"

#define XML_DEPTH_MAX 200
#define XML_NODES_MAX 20000000

struct xml; /* the place in the document */

struct xml_visitor {
    /* All may be NULL; text is valid UTF-8 of at least one byte, white space too. A non-zero return stops. */
    int (*start)(void *context, struct xml *at, const char *name);
    int (*end)(void *context, const char *name);
    int (*text)(void *context, const char *text, size_t len);
    void *context;
};

/* In document order. What is no XML is a finding "broken", what is too deep or too wide, or has a document type, a
 * finding "bomb", what takes too long one "truncated": what came before counts. Returns what a visitor returned. */
int xml_walk(const char *data, size_t len, const struct xml_visitor *visitor,
             struct describe *answer);
/* Elements within one whose content does not count. Zero-initialise; call both for every start and end, in this
 * order of the visitor's own work; true: this element does not count. */
struct xml_hidden {
    unsigned depth;
};
bool xml_hide_start(struct xml_hidden *hidden, const char *name, const char *const *names);
bool xml_hide_end(struct xml_hidden *hidden);
/* Of the element that start was called for, without prefix; false: it has none. Cut to size - 1 bytes. */
bool xml_attribute(struct xml *at, const char *name, char *out, size_t size);
/* As xml_attribute of the one that has a prefix, as r:id beside id. */
bool xml_attribute_prefixed(struct xml *at, const char *name, char *out, size_t size);

#endif
