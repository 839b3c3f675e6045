#include "media/probe/relations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/probe/xml.h"

#define RELATIONS_MAX 20000
#define ID_LEN 256

struct reading {
    struct relations *out;
    const char *part;
};

static int add(struct relations *out, const char *id, const char *type, const char *target)
{
    struct relation *relation;

    if ((out->count & (out->count + 1)) == 0) {
        struct relation *longer = realloc(out->items, (2 * out->count + 2) * sizeof(*longer));

        if (!longer)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        out->items = longer;
    }
    relation = &out->items[out->count++];
    *relation = (struct relation){strdup(id), strdup(type), strdup(target)};
    if (!relation->id || !relation->type || !relation->target)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    return 0;
}

static int relation_start(void *context, struct xml *at, const char *name)
{
    struct reading *reading = context;
    char id[ID_LEN], type[ID_LEN], place[MEMBERS_PATH_LEN], mode[16], target[MEMBERS_PATH_LEN];
    const char *slash;

    if (strcmp(name, "Relationship") != 0 || reading->out->count >= RELATIONS_MAX ||
        !xml_attribute(at, "Id", id, sizeof(id)) ||
        !xml_attribute(at, "Type", type, sizeof(type)) ||
        !xml_attribute(at, "Target", place, sizeof(place)) ||
        (xml_attribute(at, "TargetMode", mode, sizeof(mode)) && strcmp(mode, "External") == 0) ||
        !members_resolve(reading->part, place, target))
        return 0;
    slash = strrchr(type, '/');
    return add(reading->out, id, slash ? slash + 1 : type, target);
}

int relations_load(const struct members *members, const char *part, struct describe *answer,
                   struct relations *out)
{
    struct reading reading = {out, part};
    const struct xml_visitor visitor = {relation_start, NULL, NULL, &reading};
    const char *slash = strrchr(part, '/'), *base = slash ? slash + 1 : part;
    const struct member *member;
    char name[MEMBERS_PATH_LEN + 16];

    snprintf(name, sizeof(name), "%.*s_rels/%s.rels", (int)(base - part), part, base);
    member = members_find(members, name);
    return member ? xml_walk(member->data, member->len, &visitor, answer) : 0;
}

void relations_free(struct relations *relations)
{
    for (size_t i = 0; i < relations->count; i++) {
        free(relations->items[i].id);
        free(relations->items[i].type);
        free(relations->items[i].target);
    }
    free(relations->items);
    *relations = (struct relations){0};
}

const char *relations_by_id(const struct relations *relations, const char *id)
{
    for (size_t i = 0; i < relations->count; i++)
        if (strcmp(relations->items[i].id, id) == 0)
            return relations->items[i].target;
    return NULL;
}

const char *relations_by_type(const struct relations *relations, const char *type,
                              const char *otherwise)
{
    for (size_t i = 0; i < relations->count; i++)
        if (strcmp(relations->items[i].type, type) == 0)
            return relations->items[i].target;
    return otherwise;
}
