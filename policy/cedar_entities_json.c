/* Entities and contexts from JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_entities.h"
#include "policy/cedar_error.h"
#include "policy/cedar_json.h"
#include "policy/cedar_lex.h"

struct parents {
    const struct cedar_uid **list;
    size_t count;
    size_t capacity;
};

static int read_parents(struct cedar_json *json, struct parents *parents)
{
    bool first = true;
    int rc = cedar_json_expect(json, '[');
    while (rc == 0 && (rc = cedar_json_more(json, ']', &first)) > 0) {
        if (parents->count == CEDAR_VALUE_ITEMS_MAX)
            return sr_fail(SR_ERR_TOO_LARGE, "an entity has more than %zu parents",
                           CEDAR_VALUE_ITEMS_MAX);
        if (parents->count == parents->capacity) {
            size_t capacity = parents->capacity ? 2 * parents->capacity : 16;
            const struct cedar_uid **grown =
                realloc(parents->list, capacity * sizeof(const void *));
            if (!grown)
                return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
            parents->list = grown;
            parents->capacity = capacity;
        }
        rc = cedar_json_uid(json, &parents->list[parents->count++]);
    }
    return rc;
}

static int read_entity(struct cedar_json *json, struct parents *parents,
                       struct cedar_entities *entities)
{
    const struct cedar_uid *uid = NULL;
    const struct cedar_record *attrs = NULL;
    const struct cedar_record *tags = NULL;
    const struct cedar_text *key;
    bool has_parents = false;
    bool first = true;
    cedar_json_peek(json);
    const char *start = json->at;
    int rc = cedar_json_expect(json, '{');
    parents->count = 0;
    while (rc == 0 && (rc = cedar_json_more(json, '}', &first)) > 0) {
        cedar_json_peek(json);
        const char *at = json->at;
        rc = cedar_json_key(json, &key);
        if (rc < 0)
            return rc;
        if (cedar_text_is(key, "uid") && !uid)
            rc = cedar_json_uid(json, &uid);
        else if (cedar_text_is(key, "attrs") && !attrs)
            rc = cedar_json_record(json, &attrs);
        else if (cedar_text_is(key, "tags") && !tags)
            rc = cedar_json_record(json, &tags);
        else if (cedar_text_is(key, "parents") && !has_parents)
            rc = read_parents(json, parents);
        else
            return cedar_json_refuse(json, at, "\"uid\", \"attrs\", \"parents\" or \"tags\", once");
        has_parents = has_parents || cedar_text_is(key, "parents");
    }
    if (rc == 0 && (!uid || !attrs || !has_parents))
        return cedar_json_refuse(json, start, "an entity with \"uid\", \"attrs\" and \"parents\"");
    if (rc < 0)
        return rc;
    for (size_t i = 0; cedar_lex_is_action(uid->type) && i < parents->count; i++)
        if (!cedar_lex_is_action(parents->list[i]->type))
            return cedar_json_refuse(json, start, "actions as the parents of an action");
    return cedar_entities_add(entities, uid, attrs, tags, parents->list, parents->count);
}

static int read_entities(struct cedar_json *json, struct cedar_entities *entities)
{
    struct parents parents = {0};
    bool first = true;
    int rc = cedar_json_expect(json, '[');
    while (rc == 0 && (rc = cedar_json_more(json, ']', &first)) > 0)
        rc = read_entity(json, &parents, entities);
    free(parents.list);
    return rc < 0 ? rc : cedar_json_finish(json);
}

int cedar_entities_parse(const uint8_t *data, size_t len, bool implicit,
                         struct cedar_entities **out, struct cedar_error *error)
{
    struct cedar_entities *entities;
    struct cedar_json json = {0};
    struct cedar_error spare;
    *out = NULL;
    if (len > CEDAR_ENTITIES_SOURCE_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "the entities' text is longer than %zu bytes",
                       CEDAR_ENTITIES_SOURCE_MAX);
    int rc = cedar_entities_new(0, &entities);
    if (rc < 0)
        return rc;
    rc = cedar_json_open(&json, data, len, implicit, cedar_entities_arena(entities),
                         error ? error : &spare);
    if (rc == 0)
        rc = read_entities(&json, entities);
    rc = cedar_error_report(json.error, rc);
    cedar_json_close(&json);
    if (rc == 0)
        rc = cedar_entities_seal(entities);
    if (rc < 0) {
        cedar_entities_free(entities);
        return rc;
    }
    *out = entities;
    return 0;
}

int cedar_entities_parse_context(const uint8_t *data, size_t len, bool implicit,
                                 struct cedar_arena *arena, const struct cedar_record **out,
                                 struct cedar_error *error)
{
    struct cedar_json json;
    struct cedar_error spare;
    *out = NULL;
    if (len > CEDAR_ENTITIES_SOURCE_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "the context's text is longer than %zu bytes",
                       CEDAR_ENTITIES_SOURCE_MAX);
    int rc = cedar_json_open(&json, data, len, implicit, arena, error ? error : &spare);
    if (rc == 0)
        rc = cedar_json_record(&json, out);
    if (rc == 0)
        rc = cedar_json_finish(&json);
    if (rc < 0)
        *out = NULL;
    cedar_json_close(&json);
    return cedar_error_report(json.error, rc);
}
