#include "media/probe/ooxml.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "media/probe/properties.h"
#include "media/probe/relations.h"
#include "media/probe/sheet.h"
#include "media/probe/xml.h"

#define OOXML "application/vnd.openxmlformats-officedocument."
#define SLIDES_MAX 10000

enum kind {
    KIND_WORDS,
    KIND_SHEETS,
    KIND_SLIDES,
};

static const struct {
    const char *type, *folder, *main; /* of the main part, where no relationship says it */
} kinds[] = {
    [KIND_WORDS] = {OOXML "wordprocessingml.document", "word/", "word/document.xml"},
    [KIND_SHEETS] = {OOXML "spreadsheetml.sheet", "xl/", "xl/workbook.xml"},
    [KIND_SLIDES] = {OOXML "presentationml.presentation", "ppt/", "ppt/presentation.xml"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char *ooxml_type(const struct members *members)
{
    if (!members_have(members, OOXML_CONTENT_TYPES))
        return NULL;
    for (size_t i = 0; i < KINDS; i++)
        if (members_have(members, kinds[i].main))
            return kinds[i].type;
    /* Some programs call it document2.xml. The folder is the same with all of them. */
    for (size_t i = 0; i < members->count; i++)
        for (size_t k = 0; k < KINDS; k++)
            if (strncasecmp(members->items[i].name, kinds[k].folder, strlen(kinds[k].folder)) == 0)
                return kinds[k].type;
    return NULL;
}

/* --- text of WordprocessingML and DrawingML ------------------------------------------------------------------------ */

struct words {
    struct gather *gather;
    struct xml_hidden hidden;
    unsigned shown; /* inside of elements whose text counts */
};

/* What older programs are to show instead; text that stands elsewhere now; readings of characters. */
static const char *const hidden[] = {"Fallback", "moveFrom", "rt", "rPh", NULL};

static int stop_if_full(const struct gather *gather)
{
    return gather->error ? gather->error : gather->full;
}

static int word_start(void *context, struct xml *at, const char *name)
{
    struct words *words = context;

    (void)at;
    if (xml_hide_start(&words->hidden, name, hidden))
        return 0;
    if (strcmp(name, "p") == 0)
        gather_line(words->gather); /* of a text box it is within another one */
    else if (strcmp(name, "t") == 0)
        words->shown++;
    else if (strcmp(name, "tab") == 0)
        gather_space(words->gather, '\t');
    else if (strcmp(name, "br") == 0 || strcmp(name, "cr") == 0)
        gather_line(words->gather);
    else if (strcmp(name, "noBreakHyphen") == 0)
        gather_text(words->gather, "-", 1);
    return 0;
}

static int word_end(void *context, const char *name)
{
    struct words *words = context;

    if (xml_hide_end(&words->hidden))
        return 0;
    if (strcmp(name, "t") == 0 && words->shown > 0)
        words->shown--;
    else if (strcmp(name, "p") == 0 || strcmp(name, "comment") == 0)
        gather_line(words->gather);
    else if (strcmp(name, "tc") == 0)
        gather_space(words->gather, '\t');
    return stop_if_full(words->gather);
}

static int word_text(void *context, const char *data, size_t len)
{
    struct words *words = context;

    if (words->shown > 0 && words->hidden.depth == 0)
        gather_text(words->gather, data, len);
    return stop_if_full(words->gather);
}

int ooxml_read_part(const struct members *members, const char *part, struct gather *gather)
{
    struct words words = {.gather = gather};
    const struct xml_visitor visitor = {word_start, word_end, word_text, &words};
    const struct member *member = part ? members_find(members, part) : NULL;
    int rc = 0;

    if (!member)
        return 0;
    if (describe_late(gather->answer))
        return 1;
    rc = xml_walk(member->data, member->len, &visitor, gather->answer);
    gather_line(gather);
    return rc;
}

bool ooxml_is_in(const struct member *member, const char *folder)
{
    const char *dot = strrchr(member->name, '.');

    return strncasecmp(member->name, folder, strlen(folder)) == 0 && dot &&
           strcasecmp(dot, ".xml") == 0 && !strchr(member->name + strlen(folder), '/');
}

/* --- documents ------------------------------------------------------------------------------------------------------ */

static int read_words(const struct members *members, const char *part, struct gather *gather)
{
    static const char *const behind[] = {"footnotes", "endnotes", "comments", "header", "footer"};
    struct relations relations = {0};
    int rc = relations_load(members, part, gather->answer, &relations);

    if (!rc)
        rc = ooxml_read_part(members, part, gather);
    for (size_t k = 0; rc == 0 && k < sizeof(behind) / sizeof(behind[0]); k++)
        for (size_t i = 0; rc == 0 && i < relations.count; i++)
            if (strcmp(relations.items[i].type, behind[k]) == 0)
                rc = ooxml_read_part(members, relations.items[i].target, gather);
    relations_free(&relations);
    return rc;
}

/* --- presentations -------------------------------------------------------------------------------------------------- */

struct slides {
    const struct relations *relations;
    const char **parts; /* of relations */
    size_t count;
};

static int slide_start(void *context, struct xml *at, const char *name)
{
    struct slides *slides = context;
    const char *part;
    char id[64];

    if (strcmp(name, "sldId") != 0 || slides->count == SLIDES_MAX ||
        !xml_attribute_prefixed(at, "id", id, sizeof(id)))
        return 0;
    part = relations_by_id(slides->relations, id);
    if (part)
        slides->parts[slides->count++] = part;
    return 0;
}

static int read_slide(const struct members *members, const char *part, struct gather *gather)
{
    struct relations relations = {0};
    int rc = relations_load(members, part, gather->answer, &relations);

    if (!rc)
        rc = ooxml_read_part(members, part, gather);
    if (!rc)
        rc = ooxml_read_part(members, relations_by_type(&relations, "notesSlide", NULL), gather);
    relations_free(&relations);
    return rc;
}

static int read_slides(const struct members *members, const char *part, struct gather *gather)
{
    struct relations relations = {0};
    struct slides slides = {&relations, calloc(SLIDES_MAX, sizeof(*slides.parts)), 0};
    const struct xml_visitor visitor = {slide_start, NULL, NULL, &slides};
    const struct member *member = members_find(members, part);
    int rc = relations_load(members, part, gather->answer, &relations);

    if (!slides.parts)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (!rc && member)
        rc = xml_walk(member->data, member->len, &visitor, gather->answer);
    if (!rc && slides.count > 0)
        describe_number(gather->answer, "pages", (int64_t)slides.count);
    for (size_t i = 0; rc == 0 && i < slides.count; i++)
        rc = read_slide(members, slides.parts[i], gather);
    for (size_t i = 0; rc == 0 && slides.count == 0 && i < members->count; i++)
        if (ooxml_is_in(&members->items[i], "ppt/slides/"))
            rc = read_slide(members, members->items[i].name, gather);
    free(slides.parts);
    relations_free(&relations);
    return rc;
}

int ooxml_describe(const struct members *members, const char *type, struct describe *answer)
{
    struct gather gather = {.answer = answer};
    struct relations relations = {0};
    enum kind kind = KIND_WORDS;
    const char *part;
    int rc, end;

    while (kind < KIND_SLIDES && strcmp(kinds[kind].type, type) != 0)
        kind++;
    rc = relations_load(members, "", answer, &relations);
    part = relations_by_type(&relations, "officeDocument", kinds[kind].main);
    if (!members_find(members, part))
        describe_finding(answer, "broken", "the main part of the document cannot be read");
    if (!rc)
        rc = kind == KIND_SHEETS   ? sheet_read(members, part, &gather)
             : kind == KIND_SLIDES ? read_slides(members, part, &gather)
                                   : read_words(members, part, &gather);
    if (rc >= 0)
        rc = properties_read(
            members, relations_by_type(&relations, "core-properties", "docProps/core.xml"), answer);
    if (!rc)
        rc = properties_read(
            members, relations_by_type(&relations, "extended-properties", "docProps/app.xml"),
            answer);
    relations_free(&relations);
    end = gather_end(&gather);
    return rc < 0 ? rc : end;
}
