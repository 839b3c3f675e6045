#include "media/probe/xml.h"

#include <libxml/xmlreader.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"

#define ATTRIBUTES_MAX 1000 /* of one element */
#define LATE_NODES 256      /* between two looks at the clock */

struct xml {
    xmlTextReaderPtr reader;
};

static const char *name_of(xmlTextReaderPtr reader)
{
    const xmlChar *name = xmlTextReaderConstLocalName(reader);

    return name ? (const char *)name : "";
}

/* libxml2 lets forms of UTF-8 pass that are none. Each such byte becomes a question mark. */
static void repair(char *text, size_t len)
{
    for (size_t i = 0, step; i < len; i += step) {
        uint8_t lead = (uint8_t)text[i];

        step = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (step <= len - i && sr_utf8_valid(text + i, step))
            continue;
        text[i] = '?';
        step = 1;
    }
}

static int visit_text(const struct xml_visitor *visitor, const char *text)
{
    size_t len = strlen(text);
    struct sr_buf copy = {0};
    int rc;

    if (sr_utf8_valid(text, len))
        return visitor->text(visitor->context, text, len);
    sr_buf_append(&copy, text, len);
    if (!copy.failed)
        repair(copy.data, len);
    rc = copy.failed ? sr_fail(SR_ERR_NO_MEMORY, "out of memory")
                     : visitor->text(visitor->context, copy.data, len);
    sr_buf_free(&copy);
    return rc;
}

static int visit(struct xml *at, const struct xml_visitor *visitor)
{
    xmlTextReaderPtr reader = at->reader;
    const xmlChar *text;
    bool empty;
    int rc = 0;

    switch (xmlTextReaderNodeType(reader)) {
    case XML_READER_TYPE_ELEMENT:
        empty = xmlTextReaderIsEmptyElement(reader) == 1;
        if (visitor->start)
            rc = visitor->start(visitor->context, at, name_of(reader));
        if (!rc && empty && visitor->end) {
            xmlTextReaderMoveToElement(reader);
            rc = visitor->end(visitor->context, name_of(reader));
        }
        return rc;
    case XML_READER_TYPE_END_ELEMENT:
        return visitor->end ? visitor->end(visitor->context, name_of(reader)) : 0;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_WHITESPACE:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
        text = xmlTextReaderConstValue(reader);
        return visitor->text && text && text[0] ? visit_text(visitor, (const char *)text) : 0;
    default:
        return 0;
    }
}

static void be_silent(void *context, const char *message, xmlParserSeverities severity,
                      xmlTextReaderLocatorPtr locator)
{
    (void)context, (void)message, (void)severity, (void)locator;
}

/* What is said before a reader has a handler of its own: of encodings. */
static void drop_message(void *context, const char *format, ...)
{
    (void)context, (void)format;
}

/* Whether there are definitions that stand for more than they are, before anything is parsed. No format of documents
 * has them. In other encodings than those that hold ASCII the reader comes upon them. */
static bool has_doctype(const char *data, size_t len)
{
    const char *end = data + len;

    while (data && (data = memchr(data, '<', (size_t)(end - data))) != NULL) {
        size_t left = (size_t)(end - data);

        if (left >= 9 && memcmp(data, "<!DOCTYPE", 9) == 0)
            return true;
        if (left >= 4 && memcmp(data, "<!--", 4) == 0)
            data = memmem(data + 4, left - 4, "-->", 3);
        else if (left >= 2 && data[1] == '?')
            data = memmem(data, left, "?>", 2);
        else
            return false;
    }
    return false;
}

/* Bytes of a character; *low: which of them has its ASCII. Other encodings of two bytes are not known to libxml2. */
static size_t width_of(const char *data, size_t len, size_t *low)
{
    *low = len >= 2 && (memcmp(data, "\xfe\xff", 2) == 0 || memcmp(data, "\0<", 2) == 0);
    return *low || (len >= 2 && (memcmp(data, "\xff\xfe", 2) == 0 || memcmp(data, "<\0", 2) == 0))
               ? 2
               : 1;
}

/* Whether an element may have so many attributes that the search for equal ones, of each among all, has no end. An
 * angle bracket stands in no value of an attribute, so that each one that is there begins anew. */
static bool has_wide_tag(const char *data, size_t len)
{
    size_t low, width = width_of(data, len, &low), count = 0;
    bool inside = false;
    char quote = 0;

    for (size_t i = 0; i + width <= len; i += width) {
        char c = width == 2 && data[i + !low] ? 'x' : data[i + low];

        if (c == '<') {
            inside = i + width + low >= len || data[i + width + low] != '!';
            quote = 0;
            count = 0;
        } else if (inside && quote) {
            quote = c == quote ? 0 : quote;
        } else if (inside && (c == '"' || c == '\'')) {
            quote = c;
        } else if (inside && c == '=' && ++count > ATTRIBUTES_MAX) {
            return true;
        } else if (c == '>') {
            inside = false;
        }
    }
    return false;
}

static void find_bomb(struct describe *answer)
{
    describe_finding(
        answer, "bomb",
        "XML with a document type, nested deeper than %d or with over %d attributes is "
        "not read further",
        XML_DEPTH_MAX, ATTRIBUTES_MAX);
}

/* libxml2's own limits: it reads ahead of the walk. */
static bool is_limit(void)
{
    const xmlError *error = xmlGetLastError();

    return error && (error->code == XML_ERR_INTERNAL_ERROR || error->code == XML_ERR_ENTITY_LOOP);
}

int xml_walk(const char *data, size_t len, const struct xml_visitor *visitor,
             struct describe *answer)
{
    struct xml at = {NULL};
    int more = -1, rc = 0;

    if (len > INT32_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "XML of more than 2 GiB");
    if (has_doctype(data, len) || has_wide_tag(data, len)) {
        find_bomb(answer);
        return 0;
    }
    xmlSetGenericErrorFunc(NULL, drop_message);
    xmlResetLastError();
    at.reader = xmlReaderForMemory(data, (int)len, NULL, NULL,
                                   XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
                                       XML_PARSE_COMPACT);
    if (!at.reader)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    xmlTextReaderSetErrorHandler(at.reader, be_silent, NULL);
    for (int nodes = 0; !rc && nodes < XML_NODES_MAX && (more = xmlTextReaderRead(at.reader)) == 1;
         nodes++) {
        int type = xmlTextReaderNodeType(at.reader);

        if (xmlTextReaderDepth(at.reader) > XML_DEPTH_MAX ||
            type == XML_READER_TYPE_DOCUMENT_TYPE || type == XML_READER_TYPE_ENTITY_REFERENCE) {
            find_bomb(answer);
            more = 0;
            break;
        }
        if (nodes % LATE_NODES == LATE_NODES - 1 && describe_late(answer))
            break;
        rc = visit(&at, visitor);
    }
    if (!rc && more < 0 && is_limit())
        find_bomb(answer);
    else if (!rc && more < 0)
        describe_finding(answer, "broken", "a part of the document is no well-formed XML");
    xmlFreeTextReader(at.reader);
    return rc;
}

static bool find_attribute(struct xml *at, const char *name, bool prefixed, char *out, size_t size)
{
    bool found = false;

    out[0] = '\0';
    for (int more = xmlTextReaderMoveToFirstAttribute(at->reader); !found && more == 1;
         more = xmlTextReaderMoveToNextAttribute(at->reader)) {
        const xmlChar *value;
        size_t len;

        if (strcmp(name_of(at->reader), name) != 0 ||
            (prefixed && !xmlTextReaderConstPrefix(at->reader)))
            continue;
        value = xmlTextReaderConstValue(at->reader);
        len = value ? strlen((const char *)value) : 0;
        if (len >= size)
            for (len = size - 1; len > 0 && (value[len] & 0xc0) == 0x80; len--)
                ;
        if (len > 0)
            memcpy(out, value, len);
        out[len] = '\0';
        if (!sr_utf8_valid(out, len))
            repair(out, len);
        found = true;
    }
    xmlTextReaderMoveToElement(at->reader);
    return found;
}

bool xml_attribute(struct xml *at, const char *name, char *out, size_t size)
{
    return find_attribute(at, name, false, out, size);
}

bool xml_attribute_prefixed(struct xml *at, const char *name, char *out, size_t size)
{
    return find_attribute(at, name, true, out, size);
}

bool xml_hide_start(struct xml_hidden *hidden, const char *name, const char *const *names)
{
    if (hidden->depth == 0)
        while (*names && strcmp(*names, name) != 0)
            names++;
    if (hidden->depth > 0 || *names)
        hidden->depth++;
    return hidden->depth > 0;
}

bool xml_hide_end(struct xml_hidden *hidden)
{
    if (hidden->depth == 0)
        return false;
    hidden->depth--;
    return true;
}
