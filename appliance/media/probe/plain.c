#include "media/probe/plain.h"

#include <libxml/HTMLparser.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/probe/charset.h"
#include "media/probe/gather.h"

/* UTF-16 takes two bytes for what may be one in UTF-8, so this much can fill the text of an answer. */
#define PLAIN_MAX (2 * DESCRIBE_TEXT_MAX + 4096)
#define HTML_PIECE 16384
#define HTML_DEPTH_MAX 512

struct page {
    struct gather gather;
    struct sr_buf title;
    unsigned hidden, in_title, in_head; /* open elements of the kind */
    unsigned depth;
};

static bool one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (!strcmp(name, *list))
            return true;
    return false;
}

static const char *const hidden[] = {"script", "style", "noscript", "template", NULL};
static const char *const inline_names[] = {"a",     "b",   "i",   "em",    "strong", "span",
                                           "u",     "sub", "sup", "small", "font",   "code",
                                           "label", "img", "s",   NULL};
static const char *const cells[] = {"td", "th", NULL};

static void around(struct page *page, const char *name)
{
    if (one_of(name, cells))
        gather_space(&page->gather, '\t');
    else if (!one_of(name, inline_names))
        gather_line(&page->gather);
}

static void element_start(void *context, const xmlChar *xml_name, const xmlChar **attributes)
{
    struct page *page = context;
    const char *name = (const char *)xml_name;

    (void)attributes;
    page->depth++;
    page->hidden += one_of(name, hidden);
    page->in_title += !strcmp(name, "title");
    page->in_head += !strcmp(name, "head");
    around(page, name);
}

static void element_end(void *context, const xmlChar *xml_name)
{
    struct page *page = context;
    const char *name = (const char *)xml_name;

    page->depth -= page->depth > 0;
    page->hidden -= page->hidden && one_of(name, hidden);
    page->in_title -= page->in_title && !strcmp(name, "title");
    page->in_head -= page->in_head && !strcmp(name, "head");
    around(page, name);
}

static bool blank(const char *text, int len)
{
    for (int i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]))
            return false;
    return true;
}

static void characters(void *context, const xmlChar *text, int len)
{
    struct page *page = context;

    if (page->in_title && page->title.len < DESCRIBE_VALUE_MAX)
        sr_buf_append(&page->title, text, (size_t)len);
    if (page->hidden || page->in_title || page->in_head)
        return;
    if (blank((const char *)text, len))
        gather_space(&page->gather, ' ');
    else
        gather_text(&page->gather, (const char *)text, (size_t)len);
}

static int parse_html(const struct charset_text *text, struct describe *answer)
{
    htmlSAXHandler sax = {.startElement = element_start,
                          .endElement = element_end,
                          .characters = characters,
                          .ignorableWhitespace = characters};
    struct page page = {.gather = {.answer = answer}};
    htmlParserCtxtPtr parser =
        htmlCreatePushParserCtxt(&sax, &page, NULL, 0, NULL, XML_CHAR_ENCODING_UTF8);
    int rc;

    if (!parser)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    htmlCtxtUseOptions(parser, HTML_PARSE_NONET | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                                   HTML_PARSE_RECOVER | HTML_PARSE_IGNORE_ENC);
    for (size_t at = 0; at < text->len && !page.gather.error && !page.gather.full;) {
        size_t len = text->len - at < HTML_PIECE ? text->len - at : HTML_PIECE;

        htmlParseChunk(parser, text->text + at, (int)len, 0);
        at += len;
        /* Open elements are searched at each closing tag. */
        if (page.depth > HTML_DEPTH_MAX) {
            describe_finding(answer, "bomb", "HTML nested more than %d deep is not read further",
                             HTML_DEPTH_MAX);
            break;
        }
    }
    htmlParseChunk(parser, "", 0, 1);
    htmlFreeParserCtxt(parser);
    if (page.title.len && !page.title.failed)
        describe_text_value(answer, "title", page.title.data);
    sr_buf_free(&page.title);
    gather_line(&page.gather);
    rc = gather_end(&page.gather);
    return rc;
}

int plain_describe(struct probe_source *source, bool html, struct describe *answer)
{
    uint64_t size = probe_source_size(source);
    size_t len = size < PLAIN_MAX ? (size_t)size : PLAIN_MAX, got;
    struct charset_text text = {0};
    char declared[32] = "";
    bool full = false;
    uint8_t *data = malloc(len + 1);
    int rc;

    if (!data)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = probe_source_read(source, 0, data, len, &got);
    if (rc)
        goto out;
    if (html)
        charset_declared(data, got, declared);
    rc = charset_decode(data, got, declared[0] ? declared : NULL, got < size, &text);
    if (rc)
        goto out;
    describe_text_value(answer, "charset", text.charset);
    if (text.assumed && strcmp(text.charset, "UTF-8") != 0)
        describe_flag(answer, "charset_assumed", true);
    if (text.replaced)
        describe_finding(answer, "broken", "%zu places of the text are not %s", text.replaced,
                         text.charset);
    rc = html ? parse_html(&text, answer) : describe_text(answer, text.text, text.len, &full);
    if (!rc && got < size && !full)
        describe_finding(answer, "truncated", "text is read from the first %zu bytes alone", got);
out:
    charset_text_free(&text);
    free(data);
    return rc;
}
