#include "media/probe/odf.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/probe/gather.h"
#include "media/probe/properties.h"
#include "media/probe/xml.h"

const char *odf_type(const struct members *members)
{
    static const char *const types[] = {ODF "text", ODF "spreadsheet", ODF "presentation",
                                        ODF "graphics"};
    const struct member *mimetype = members_find(members, "mimetype");

    for (size_t i = 0; mimetype && i < sizeof(types) / sizeof(types[0]); i++)
        if (strncmp(mimetype->data, types[i], strlen(types[i])) == 0)
            return types[i];
    return NULL;
}

struct text {
    struct gather gather;
    struct xml_hidden hidden;
    const char *const *wanted; /* elements whose text counts */
    unsigned shown;            /* inside of how many of them */
    unsigned paragraphs;       /* inside of how many; white space counts there alone */
    unsigned slides;
    unsigned asides; /* inside of how many notes and comments, which stand within a paragraph */
    unsigned
        aside_below; /* and of how many paragraphs of theirs; who wrote a comment, and when, is in none */
    struct sr_buf aside; /* their text, until the paragraph ends: a word goes on around them */
};

static const char *const body[] = {"body", NULL};
static const char *const margins[] = {"header",       "footer",       "header-left", "footer-left",
                                      "header-first", "footer-first", NULL};
/* What was deleted, where changes are recorded; what stands for an object that cannot be shown; readings
 * of characters. */
static const char *const hidden[] = {"tracked-changes", "desc", "ruby-text", NULL};

static const char *const asides[] = {"note", "annotation", NULL};

static bool one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static void put_text(struct text *text, const char *data, size_t len)
{
    if (text->asides == 0)
        gather_text(&text->gather, data, len);
    else if (text->aside_below > 0)
        sr_buf_append(&text->aside, data, len);
}

static void put_space(struct text *text, char space)
{
    if (text->asides == 0)
        gather_space(&text->gather, space);
    else
        put_text(text, &space, 1);
}

static void put_line(struct text *text)
{
    if (text->asides == 0)
        gather_line(&text->gather);
    else
        put_text(text, "\n", 1);
}

/* text:s is so many blanks; one is as good for reading. */
static void put_blank(struct text *text, struct xml *at)
{
    char count[8];

    if (xml_attribute(at, "c", count, sizeof(count)))
        put_space(text, ' ');
    else
        put_text(text, " ", 1);
}

/* The paragraph has ended: what was noted in it, line by line. */
static void put_asides(struct text *text)
{
    struct gather *gather = &text->gather;

    if (text->aside.failed)
        gather->error = sr_fail(SR_ERR_NO_MEMORY, "no memory for the notes of a document");
    for (size_t at = 0, len; at < text->aside.len && !gather->error; at += len + 1) {
        const char *line = text->aside.data + at;
        const char *end = memchr(line, '\n', text->aside.len - at);

        len = end ? (size_t)(end - line) : text->aside.len - at;
        gather_text(gather, line, len);
        gather_line(gather);
    }
    text->aside.len = 0;
}

static bool is_paragraph(const char *name)
{
    return strcmp(name, "p") == 0 || strcmp(name, "h") == 0;
}

static int text_start(void *context, struct xml *at, const char *name)
{
    struct text *text = context;
    struct gather *gather = &text->gather;
    char title[256];

    if (xml_hide_start(&text->hidden, name, hidden))
        return 0;
    text->paragraphs += is_paragraph(name);
    text->aside_below += text->asides > 0 && is_paragraph(name);
    text->asides += one_of(name, asides);
    if (one_of(name, text->wanted)) {
        text->shown++;
    } else if (text->shown == 0) {
        return 0;
    } else if (strcmp(name, "tab") == 0) {
        put_space(text, '\t');
    } else if (strcmp(name, "line-break") == 0) {
        put_line(text);
    } else if (strcmp(name, "s") == 0) {
        put_blank(text, at);
    } else if (strcmp(name, "page") == 0) {
        text->slides++;
    } else if (strcmp(name, "table") == 0 && xml_attribute(at, "name", title, sizeof(title)) &&
               text->wanted == body) {
        put_line(text);
        put_text(text, title, strlen(title));
        put_line(text);
    }
    return gather->error ? gather->error : gather->full;
}

static int text_end(void *context, const char *name)
{
    struct text *text = context;
    struct gather *gather = &text->gather;

    if (xml_hide_end(&text->hidden))
        return 0;
    text->paragraphs -= is_paragraph(name) && text->paragraphs > 0;
    if (one_of(name, text->wanted) && text->shown > 0)
        text->shown--;
    else if (strcmp(name, "table-cell") == 0)
        put_space(text, '\t');
    else if (is_paragraph(name) || strcmp(name, "table-row") == 0)
        put_line(text);
    text->aside_below -= text->aside_below > 0 && is_paragraph(name);
    text->asides -= text->asides > 0 && one_of(name, asides);
    if (text->asides == 0 && text->paragraphs == 0)
        put_asides(text);
    return gather->error ? gather->error : gather->full;
}

/* White space between elements is none of the text, but within a paragraph it is a blank. */
static int text_text(void *context, const char *data, size_t len)
{
    struct text *text = context;

    if (text->shown == 0 || text->hidden.depth > 0)
        return 0;
    if (strspn(data, " \t\r\n") == len) {
        if (text->paragraphs > 0)
            put_space(text, ' ');
    } else
        put_text(text, data, len);
    return text->gather.error ? text->gather.error : text->gather.full;
}

static int read_part(const struct members *members, const char *name, const char *const *wanted,
                     struct text *text)
{
    const struct xml_visitor visitor = {text_start, text_end, text_text, text};
    const struct member *member = members_find(members, name);
    int rc = 0;

    text->wanted = wanted;
    text->shown = text->paragraphs = text->asides = text->aside_below = 0;
    text->hidden = (struct xml_hidden){0};
    if (member)
        rc = xml_walk(member->data, member->len, &visitor, text->gather.answer);
    put_asides(text); /* of a paragraph that was cut off */
    gather_line(&text->gather);
    return rc;
}

int odf_describe(const struct members *members, struct describe *answer)
{
    struct text text = {.gather = {.answer = answer}};
    const struct member *manifest = members_find(members, "META-INF/manifest.xml");
    const struct member *meta = members_find(members, "meta.xml");
    bool locked = manifest && strstr(manifest->data, "encryption-data");
    int rc = 0, end;

    if (locked) {
        describe_flag(answer, "encrypted", true);
        describe_finding(answer, "encrypted", "the document is locked by a password");
    } else if (!members_find(members, "content.xml")) {
        describe_finding(answer, "broken", "the content of the document cannot be read");
    } else {
        rc = read_part(members, "content.xml", body, &text);
        if (!rc)
            rc = read_part(members, "styles.xml", margins, &text);
    }
    /* With a password the properties are mostly locked, too, and no XML then. */
    if (rc >= 0 && meta && (!locked || strncmp(meta->data, "<?xml", 5) == 0))
        rc = properties_read(members, "meta.xml", answer);
    if (!rc && text.slides > 0)
        describe_number(answer, "pages", text.slides);
    sr_buf_free(&text.aside);
    end = gather_end(&text.gather);
    return rc < 0 ? rc : end;
}
