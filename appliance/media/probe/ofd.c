#include "media/probe/ofd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "media/probe/gather.h"
#include "media/probe/moment.h"
#include "media/probe/signature.h"
#include "media/probe/xml.h"

#define PATH_LEN MEMBERS_PATH_LEN
#define PARTS_MAX 20000 /* pages and templates of a document */
#define BODIES_MAX 64   /* documents in one file */
#define SAME_LINE 1.5   /* mm that one line's pieces differ in height */
#define GAP 1.0         /* mm between two words */

bool ofd_wants(const char *name)
{
    size_t len = strlen(name);

    return len > 4 && strcasecmp(name + len - 4, ".xml") == 0;
}

bool ofd_is_signed(const struct members *members)
{
    const struct member *head = members_find(members, "OFD.xml");

    return head && strstr(head->data, "Signatures");
}

bool ofd_is(const struct members *members)
{
    return members_have(members, "OFD.xml");
}

struct body { /* DocBody: one document */
    char root[PATH_LEN], signatures[PATH_LEN];
};

struct parts {
    char (*places)[PATH_LEN];
    size_t count;
};

struct ofd {
    const struct members *members;
    struct describe *answer;
    struct gather gather;
    char text[PATH_LEN]; /* of the element at hand */
    size_t len;
    struct body bodies[BODIES_MAX];
    size_t body_count;
    struct body *body; /* at hand */
    char attachments[PATH_LEN];
    bool in_info, in_pages;
    struct parts pages;      /* Content.xml of each */
    struct parts templates;  /* what pages are printed on: its text counts once */
    int64_t page_count;      /* of all documents */
    bool in_code;            /* inside of a TextCode */
    double line_y, line_end; /* of the last TextObject */
    bool has_line;
};

static int keep_text(void *context, const char *text, size_t len)
{
    struct ofd *ofd = context;

    if (len >= sizeof(ofd->text) - ofd->len)
        len = sizeof(ofd->text) - ofd->len - 1;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    memcpy(ofd->text + ofd->len, text, len);
    ofd->len += len;
    ofd->text[ofd->len] = '\0';
    return 0;
}

static char *trimmed(char *text)
{
    size_t len = strlen(text);

    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        text[--len] = '\0';
    return text + strspn(text, " \t\r\n");
}

/* --- OFD.xml ---- */

static int head_start(void *context, struct xml *at, const char *name)
{
    struct ofd *ofd = context;

    (void)at;
    ofd->len = 0;
    ofd->text[0] = '\0';
    if (strcmp(name, "DocInfo") == 0)
        ofd->in_info = true;
    else if (strcmp(name, "DocBody") == 0 && ofd->body_count < BODIES_MAX)
        ofd->body_count++;
    else if (strcmp(name, "DocBody") == 0)
        describe_finding(ofd->answer, "truncated", "only the first %d documents are read",
                         BODIES_MAX);
    return 0;
}

/* An element of DocInfo. */
static void put_info(struct ofd *ofd, const char *name, const char *text)
{
    static const char *const texts[][2] = {
        {"Title", "title"}, {"Author", "author"}, {"Creator", "software"}};

    for (size_t i = 0; text[0] && i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strcmp(name, texts[i][0]) == 0)
            describe_text_value(ofd->answer, texts[i][1], text);
    if (strcmp(name, "CreationDate") == 0)
        moment_put(ofd->answer, "created", text);
    else if (strcmp(name, "ModDate") == 0)
        moment_put(ofd->answer, "modified", text);
}

static int head_end(void *context, const char *name)
{
    struct ofd *ofd = context;
    struct body *body = ofd->body_count > 0 ? &ofd->bodies[ofd->body_count - 1] : NULL;
    const char *text = trimmed(ofd->text);

    if (strcmp(name, "DocInfo") == 0)
        ofd->in_info = false;
    else if (ofd->in_info)
        put_info(ofd, name, text);
    else if (body && strcmp(name, "DocRoot") == 0 && !body->root[0])
        members_resolve("", text, body->root);
    else if (body && strcmp(name, "Signatures") == 0 && !body->signatures[0])
        members_resolve("", text, body->signatures);
    ofd->len = 0;
    ofd->text[0] = '\0';
    return 0;
}

/* --- Document.xml ---- */

static int add_part(struct parts *parts, const char *in, const char *place)
{
    if (parts->count == PARTS_MAX)
        return 0;
    if ((parts->count & (parts->count + 1)) == 0) {
        char(*longer)[PATH_LEN] = realloc(parts->places, (2 * parts->count + 2) * sizeof(*longer));

        if (!longer)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        parts->places = longer;
    }
    parts->count += members_resolve(in, place, parts->places[parts->count]);
    return 0;
}

static int document_start(void *context, struct xml *at, const char *name)
{
    struct ofd *ofd = context;
    char place[PATH_LEN];
    bool page = ofd->in_pages && strcmp(name, "Page") == 0;

    ofd->len = 0;
    ofd->text[0] = '\0';
    if (strcmp(name, "Pages") == 0)
        ofd->in_pages = true;
    if ((!page && strcmp(name, "TemplatePage") != 0) ||
        !xml_attribute(at, "BaseLoc", place, sizeof(place)))
        return 0;
    return add_part(page ? &ofd->pages : &ofd->templates, ofd->body->root, place);
}

static int document_end(void *context, const char *name)
{
    struct ofd *ofd = context;

    if (strcmp(name, "Pages") == 0)
        ofd->in_pages = false;
    else if (strcmp(name, "Attachments") == 0 && !ofd->attachments[0])
        members_resolve(ofd->body->root, trimmed(ofd->text), ofd->attachments);
    ofd->len = 0;
    ofd->text[0] = '\0';
    return 0;
}

/* --- Attachments.xml ---- */

/* By the name that readers show, with the format, unless it is in the name. */
static int attachment_start(void *context, struct xml *at, const char *name)
{
    struct ofd *ofd = context;
    char title[512], format[32], whole[sizeof(title) + sizeof(format) + 1];

    if (strcmp(name, "Attachment") != 0 || !xml_attribute(at, "Name", title, sizeof(title)))
        return 0;
    if (strrchr(title, '.') || !xml_attribute(at, "Format", format, sizeof(format)) || !format[0])
        describe_attachment(ofd->answer, title);
    else if (snprintf(whole, sizeof(whole), "%s.%s", title, format) > 0)
        describe_attachment(ofd->answer, whole);
    return 0;
}

/* --- Content.xml ---- */

static int page_start(void *context, struct xml *at, const char *name)
{
    struct ofd *ofd = context;
    char boundary[128];
    double x, y, width;

    if (strcmp(name, "TextObject") == 0 &&
        xml_attribute(at, "Boundary", boundary, sizeof(boundary)) &&
        sscanf(boundary, "%30lf %30lf %30lf", &x, &y, &width) == 3) {
        if (ofd->has_line && (y - ofd->line_y > SAME_LINE || ofd->line_y - y > SAME_LINE))
            gather_line(&ofd->gather);
        else if (ofd->has_line && (x - ofd->line_end > GAP || ofd->line_end - x > 4 * width))
            gather_space(&ofd->gather, ' ');
        ofd->has_line = true;
        ofd->line_y = y;
        ofd->line_end = x + width;
    }
    ofd->in_code = strcmp(name, "TextCode") == 0;
    return 0;
}

static int page_end(void *context, const char *name)
{
    struct ofd *ofd = context;

    (void)name;
    ofd->in_code = false;
    return ofd->gather.error ? ofd->gather.error : ofd->gather.full;
}

static int page_text(void *context, const char *text, size_t len)
{
    struct ofd *ofd = context;

    if (ofd->in_code)
        gather_text(&ofd->gather, text, len);
    return ofd->gather.error;
}

static int walk(struct ofd *ofd, const char *name, const struct xml_visitor *visitor)
{
    const struct member *member = members_find(ofd->members, name);

    if (!member) {
        describe_finding(ofd->answer, "broken", "a part that the document names is not in it");
        return 0;
    }
    return xml_walk(member->data, member->len, visitor, ofd->answer);
}

static int read_pages(struct ofd *ofd, const struct parts *parts)
{
    const struct xml_visitor page = {page_start, page_end, page_text, ofd};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < parts->count; i++) {
        if (describe_late(ofd->answer))
            return 1;
        ofd->has_line = false;
        rc = walk(ofd, parts->places[i], &page);
        gather_line(&ofd->gather);
    }
    return rc;
}

/* The document at hand: its pages, then what they are printed on. */
static int read_body(struct ofd *ofd)
{
    const struct xml_visitor document = {document_start, document_end, keep_text, ofd};
    const struct xml_visitor attachments = {attachment_start, NULL, NULL, ofd};
    int rc = 0;

    ofd->pages.count = ofd->templates.count = 0;
    ofd->attachments[0] = '\0';
    ofd->in_pages = false;
    if (ofd->body->root[0])
        rc = walk(ofd, ofd->body->root, &document);
    ofd->page_count += (int64_t)ofd->pages.count;
    if (!rc && ofd->attachments[0])
        rc = walk(ofd, ofd->attachments, &attachments);
    if (!rc)
        rc = read_pages(ofd, &ofd->pages);
    if (!rc)
        rc = read_pages(ofd, &ofd->templates);
    if (rc >= 0 && ofd->body->signatures[0])
        rc = signature_ofd(ofd->members, ofd->body->signatures, ofd->answer);
    return rc;
}

int ofd_describe(const struct members *members, struct describe *answer)
{
    struct ofd *ofd = calloc(1, sizeof(*ofd));
    const struct xml_visitor head = {head_start, head_end, keep_text, ofd};
    int rc, end;

    if (!ofd)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    ofd->members = members;
    ofd->answer = ofd->gather.answer = answer;
    if (members_have(members, "Encryptions.xml")) {
        describe_flag(answer, "encrypted", true);
        describe_finding(answer, "encrypted", "the document is locked");
    }
    rc = walk(ofd, "OFD.xml", &head);
    for (size_t i = 0; rc >= 0 && i < ofd->body_count; i++) {
        ofd->body = &ofd->bodies[i];
        rc = read_body(ofd);
    }
    describe_number(answer, "pages", ofd->page_count);
    end = gather_end(&ofd->gather);
    free(ofd->pages.places);
    free(ofd->templates.places);
    free(ofd);
    return rc < 0 ? rc : end;
}
