#include "media/probe/properties.h"

#include <stdlib.h>
#include <string.h>

#include "media/probe/moment.h"
#include "media/probe/xml.h"

struct properties {
    struct describe *answer;
    char text[DESCRIBE_VALUE_MAX];
    size_t len;
    char creator
        [DESCRIBE_VALUE_MAX]; /* OOXML: the author; ODF: who changed it last, unless nobody else is named */
};

static const struct {
    const char *element, *key;
    enum { KIND_TEXT, KIND_MOMENT, KIND_COUNT } kind;
} known[] = {
    {"title", "title", KIND_TEXT},          {"initial-creator", "author", KIND_TEXT},
    {"Application", "software", KIND_TEXT}, {"generator", "software", KIND_TEXT},
    {"created", "created", KIND_MOMENT},    {"creation-date", "created", KIND_MOMENT},
    {"modified", "modified", KIND_MOMENT},  {"date", "modified", KIND_MOMENT},
    {"Pages", "pages", KIND_COUNT},         {"Slides", "pages", KIND_COUNT},
};

static void put_count(struct describe *answer, const char *key, const char *text)
{
    if (text[0] && strlen(text) < 8 && strspn(text, "0123456789") == strlen(text) && atoi(text) > 0)
        describe_number(answer, key, atoi(text));
}

static int property_start(void *context, struct xml *at, const char *name)
{
    struct properties *properties = context;
    char pages[24];

    properties->len = 0;
    properties->text[0] = '\0';
    if (strcmp(name, "document-statistic") == 0 &&
        xml_attribute(at, "page-count", pages, sizeof(pages)))
        put_count(properties->answer, "pages", pages);
    return 0;
}

static int property_text(void *context, const char *text, size_t len)
{
    struct properties *properties = context;

    if (len >= sizeof(properties->text) - properties->len)
        len = sizeof(properties->text) - properties->len - 1;
    while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
        len--;
    memcpy(properties->text + properties->len, text, len);
    properties->len += len;
    properties->text[properties->len] = '\0';
    return 0;
}

static int property_end(void *context, const char *name)
{
    struct properties *properties = context;
    const char *text = properties->text + strspn(properties->text, " \t\r\n");

    while (properties->len > 0 && strchr(" \t\r\n", properties->text[properties->len - 1]))
        properties->text[--properties->len] = '\0';
    for (size_t i = 0; text[0] && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(name, known[i].element) != 0)
            continue;
        if (known[i].kind == KIND_TEXT)
            describe_text_value(properties->answer, known[i].key, text);
        else if (known[i].kind == KIND_MOMENT)
            moment_put(properties->answer, known[i].key, text);
        else
            put_count(properties->answer, known[i].key, text);
    }
    if (strcmp(name, "creator") == 0 && !properties->creator[0])
        memcpy(properties->creator, text, strlen(text) + 1);
    properties->len = 0;
    properties->text[0] = '\0';
    return 0;
}

int properties_read(const struct members *members, const char *name, struct describe *answer)
{
    struct properties properties = {.answer = answer};
    const struct xml_visitor visitor = {property_start, property_end, property_text, &properties};
    const struct member *member = members_find(members, name);
    int rc = member ? xml_walk(member->data, member->len, &visitor, answer) : 0;

    if (!rc && properties.creator[0])
        describe_text_value(answer, "author", properties.creator);
    return rc;
}
