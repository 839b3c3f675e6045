#include "media/probe/sheet.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/probe/ooxml.h"
#include "media/probe/relations.h"
#include "media/probe/xml.h"

#define SHARED_MAX 4000000 /* strings of a workbook */
#define SHEETS_MAX 10000
#define NAME_LEN 256

struct strings { /* of the workbook, one after the other, each with a NUL behind it */
    struct sr_buf text;
    size_t *places; /* in text */
    size_t count;
};

struct reader {
    struct gather *gather;
    struct strings shared;
    struct sr_buf value; /* of the cell */
    struct xml_hidden hidden;
    bool shown, is_shared;
};

static const char *const readings[] = {"rPh", NULL}; /* of characters, beside them */

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

/* --- shared strings ------------------------------------------------------------------------------------------------- */

static int string_start(void *context, struct xml *at, const char *name)
{
    struct reader *reader = context;
    struct strings *shared = &reader->shared;

    (void)at;
    if (xml_hide_start(&reader->hidden, name, readings))
        return 0;
    reader->shown = strcmp(name, "t") == 0;
    if (strcmp(name, "si") != 0)
        return 0;
    if (shared->count == SHARED_MAX)
        return 1;
    if ((shared->count & (shared->count + 1)) == 0) {
        size_t *longer = realloc(shared->places, (2 * shared->count + 2) * sizeof(*longer));

        if (!longer)
            return no_memory();
        shared->places = longer;
    }
    shared->places[shared->count++] = shared->text.len;
    return 0;
}

static int string_end(void *context, const char *name)
{
    struct reader *reader = context;

    if (xml_hide_end(&reader->hidden))
        return 0;
    reader->shown = false;
    if (strcmp(name, "si") == 0)
        sr_buf_append(&reader->shared.text, "", 1);
    return reader->shared.text.failed ? no_memory() : 0;
}

static int string_text(void *context, const char *data, size_t len)
{
    struct reader *reader = context;

    if (reader->shown && reader->hidden.depth == 0 && reader->shared.count > 0)
        sr_buf_append(&reader->shared.text, data, len);
    return 0;
}

static int read_strings(const struct members *members, const char *part, struct reader *reader)
{
    const struct xml_visitor visitor = {string_start, string_end, string_text, reader};
    const struct member *member = members_find(members, part);
    int rc = member ? xml_walk(member->data, member->len, &visitor, reader->gather->answer) : 0;

    sr_buf_append(&reader->shared.text, "", 1); /* a string that was cut off has an end, too */
    reader->hidden = (struct xml_hidden){0};
    if (rc > 0)
        describe_finding(reader->gather->answer, "truncated", "only the first %d strings are read",
                         SHARED_MAX);
    return rc < 0 ? rc : reader->shared.text.failed ? no_memory() : 0;
}

/* --- cells ---------------------------------------------------------------------------------------------------------- */

static int stop_if_full(const struct gather *gather)
{
    return gather->error ? gather->error : gather->full;
}

static int cell_start(void *context, struct xml *at, const char *name)
{
    struct reader *reader = context;
    char type[16];

    if (xml_hide_start(&reader->hidden, name, readings))
        return 0;
    if (strcmp(name, "c") == 0) {
        reader->is_shared = xml_attribute(at, "t", type, sizeof(type)) && strcmp(type, "s") == 0;
        reader->value.len = 0;
    }
    reader->shown = strcmp(name, "v") == 0 || strcmp(name, "t") == 0;
    return 0;
}

/* *len: of the string; "" for an index that there is none for. */
static const char *shared_string(const struct strings *shared, const char *index, size_t *len)
{
    size_t number = strtoul(index, NULL, 10);
    const char *text = number < shared->count ? shared->text.data + shared->places[number] : "";

    *len = strlen(text);
    return text;
}

static int cell_end(void *context, const char *name)
{
    struct reader *reader = context;
    const char *text = reader->value.data;
    size_t len = reader->value.len;

    if (xml_hide_end(&reader->hidden))
        return 0;
    reader->shown = false;
    if (strcmp(name, "row") == 0)
        gather_line(reader->gather);
    if (strcmp(name, "c") != 0 || len == 0)
        return stop_if_full(reader->gather);
    if (reader->is_shared)
        text = shared_string(&reader->shared, text, &len);
    gather_text(reader->gather, text, len);
    gather_space(reader->gather, '\t');
    reader->value.len = 0;
    return stop_if_full(reader->gather);
}

static int cell_text(void *context, const char *data, size_t len)
{
    struct reader *reader = context;

    if (reader->shown && reader->hidden.depth == 0)
        sr_buf_append(&reader->value, data, len);
    return reader->value.failed ? no_memory() : 0;
}

/* --- the workbook ---------------------------------------------------------------------------------------------------- */

struct book {
    const struct relations *relations;
    struct {
        char name[NAME_LEN];
        const char *part; /* of relations */
    } * sheets;
    size_t count;
};

static int book_start(void *context, struct xml *at, const char *name)
{
    struct book *book = context;
    char id[64];

    if (strcmp(name, "sheet") != 0 || book->count == SHEETS_MAX ||
        !xml_attribute_prefixed(at, "id", id, sizeof(id)))
        return 0;
    book->sheets[book->count].part = relations_by_id(book->relations, id);
    xml_attribute(at, "name", book->sheets[book->count].name, NAME_LEN);
    book->count += book->sheets[book->count].part != NULL;
    return 0;
}

static int read_sheet(const struct members *members, const char *name, const char *part,
                      struct reader *reader)
{
    const struct xml_visitor visitor = {cell_start, cell_end, cell_text, reader};
    const struct member *member = members_find(members, part);
    struct relations relations = {0};
    int rc;

    if (describe_late(reader->gather->answer))
        return 1;
    gather_line(reader->gather);
    gather_text(reader->gather, name, strlen(name));
    gather_line(reader->gather);
    reader->hidden = (struct xml_hidden){0};
    rc = member ? xml_walk(member->data, member->len, &visitor, reader->gather->answer) : 0;
    gather_line(reader->gather);
    if (!rc)
        rc = relations_load(members, part, reader->gather->answer, &relations);
    if (!rc)
        rc = ooxml_read_part(members, relations_by_type(&relations, "comments", NULL),
                             reader->gather);
    relations_free(&relations);
    return rc;
}

int sheet_read(const struct members *members, const char *part, struct gather *gather)
{
    struct reader reader = {.gather = gather};
    struct relations relations = {0};
    struct book book = {&relations, calloc(SHEETS_MAX, sizeof(*book.sheets)), 0};
    const struct xml_visitor visitor = {book_start, NULL, NULL, &book};
    const struct member *member = members_find(members, part);
    int rc = book.sheets ? relations_load(members, part, gather->answer, &relations) : no_memory();

    if (!rc && member)
        rc = xml_walk(member->data, member->len, &visitor, gather->answer);
    if (!rc)
        rc = read_strings(members,
                          relations_by_type(&relations, "sharedStrings", "xl/sharedStrings.xml"),
                          &reader);
    for (size_t i = 0; rc == 0 && i < book.count; i++)
        rc = read_sheet(members, book.sheets[i].name, book.sheets[i].part, &reader);
    for (size_t i = 0; rc == 0 && book.count == 0 && i < members->count; i++)
        if (ooxml_is_in(&members->items[i], "xl/worksheets/"))
            rc = read_sheet(members, "", members->items[i].name, &reader);
    free(book.sheets);
    relations_free(&relations);
    sr_buf_free(&reader.shared.text);
    free(reader.shared.places);
    sr_buf_free(&reader.value);
    return rc;
}
