#include "policy/cedar_entities.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define ANCESTORS_FEW 8 /* up to here a scan is faster than a search */

/* Entities are sorted by cedar_uid_compare, that is by hash. The directory holds, for each value of the
 * hash's top bits, where these begin: a look-up goes there and searches between two entries. Hashes
 * that an enemy chose to be alike make that a binary search of all, never worse. */
struct cedar_entities {
    struct cedar_arena arena;
    struct cedar_entity *list; /* ancestors are the parents until the seal */
    uint32_t count;
    uint32_t capacity;
    uint32_t *directory; /* 2^bits + 1 entries */
    unsigned bits;
    bool sealed;
};

int cedar_entities_new(size_t memory_max, struct cedar_entities **out)
{
    struct cedar_entities *entities = calloc(1, sizeof(*entities));
    *out = entities;
    if (!entities)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    cedar_arena_init(&entities->arena, memory_max ? memory_max : CEDAR_ENTITIES_MEMORY_MAX);
    return 0;
}

void cedar_entities_free(struct cedar_entities *entities)
{
    if (!entities)
        return;
    cedar_arena_free(&entities->arena);
    free(entities->list);
    free(entities->directory);
    free(entities);
}

struct cedar_arena *cedar_entities_arena(struct cedar_entities *entities)
{
    return &entities->arena;
}

size_t cedar_entities_count(const struct cedar_entities *entities)
{
    return entities->count;
}

const struct cedar_entity *cedar_entities_get(const struct cedar_entities *entities, size_t index)
{
    assert(index < entities->count);
    return &entities->list[index];
}

static int store_full(const struct cedar_entities *entities)
{
    return cedar_arena_full(&entities->arena, "the entity store");
}

int cedar_entities_add(struct cedar_entities *entities, const struct cedar_uid *uid,
                       const struct cedar_record *attrs, const struct cedar_record *tags,
                       const struct cedar_uid *const *parents, size_t parent_count)
{
    assert(!entities->sealed);
    if (entities->count == entities->capacity) {
        if (entities->capacity > UINT32_MAX / 2 / sizeof(*entities->list))
            return store_full(entities);
        uint32_t capacity = entities->capacity ? 2 * entities->capacity : 64;
        struct cedar_entity *grown = realloc(entities->list, capacity * sizeof(*grown));
        if (!grown)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        entities->list = grown;
        entities->capacity = capacity;
    }
    const struct cedar_uid **kept =
        cedar_arena_array(&entities->arena, parent_count, sizeof(const void *));
    if (!kept || parent_count > UINT32_MAX)
        return store_full(entities);
    if (parent_count)
        memcpy(kept, parents, parent_count * sizeof(const void *));
    entities->list[entities->count++] = (struct cedar_entity){
        .uid = uid,
        .attrs = attrs ? attrs : &cedar_record_empty,
        .tags = tags ? tags : &cedar_record_empty,
        .ancestors = kept,
        .ancestor_count = (uint32_t)parent_count,
    };
    return 0;
}

static int compare_entities(const void *left, const void *right)
{
    return cedar_uid_compare(((const struct cedar_entity *)left)->uid,
                             ((const struct cedar_entity *)right)->uid);
}

static int compare_uids(const void *left, const void *right)
{
    return cedar_uid_compare(*(const struct cedar_uid *const *)left,
                             *(const struct cedar_uid *const *)right);
}

/* The first 2^bits values of the hash's top bits; bits is 0 to 31. */
static uint32_t slot_of(const struct cedar_entities *entities, uint64_t hash)
{
    return entities->bits ? (uint32_t)(hash >> (64 - entities->bits)) : 0;
}

static int make_directory(struct cedar_entities *entities)
{
    while (entities->bits < 24 && (1u << entities->bits) < entities->count)
        entities->bits++;
    size_t slots = (size_t)1 << entities->bits;
    entities->directory = calloc(slots + 1, sizeof(*entities->directory));
    if (!entities->directory)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    uint32_t at = 0;
    for (size_t slot = 0; slot <= slots; slot++) {
        while (at < entities->count && slot_of(entities, entities->list[at].uid->hash) < slot)
            at++;
        entities->directory[slot] = at;
    }
    return 0;
}

const struct cedar_entity *cedar_entities_find(const struct cedar_entities *entities,
                                               const struct cedar_uid *uid)
{
    uint32_t slot = slot_of(entities, uid->hash);
    uint32_t low = entities->directory[slot];
    uint32_t high = entities->directory[slot + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = cedar_uid_compare(entities->list[middle].uid, uid);
        if (order == 0)
            return &entities->list[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool cedar_entity_has_ancestor(const struct cedar_entity *entity, const struct cedar_uid *ancestor)
{
    const struct cedar_uid *const *list = entity->ancestors;
    uint32_t low = 0;
    uint32_t high = entity->ancestor_count;
    if (high <= ANCESTORS_FEW) {
        for (; low < high; low++)
            if (cedar_uid_equal(list[low], ancestor))
                return true;
        return false;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = cedar_uid_compare(list[middle], ancestor);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* The union of parents and the ancestors that the store knows of each; sorted, in arena. */
static int join_ancestors(struct cedar_arena *arena, const struct cedar_entities *store,
                          const struct cedar_uid *const *parents, size_t parent_count,
                          struct cedar_entity *out)
{
    size_t total = parent_count;
    for (size_t i = 0; store && i < parent_count; i++) {
        const struct cedar_entity *parent = cedar_entities_find(store, parents[i]);
        total += parent ? parent->ancestor_count : 0;
    }
    if (total > UINT32_MAX)
        return SR_ERR_TOO_LARGE;
    const struct cedar_uid **list = malloc((total + 1) * sizeof(const void *));
    if (!list)
        return SR_ERR_NO_MEMORY;
    size_t count = 0;
    for (size_t i = 0; i < parent_count; i++) {
        const struct cedar_entity *parent = store ? cedar_entities_find(store, parents[i]) : NULL;
        list[count++] = parents[i];
        for (uint32_t k = 0; parent && k < parent->ancestor_count; k++)
            list[count++] = parent->ancestors[k];
    }
    if (count > 1)
        qsort(list, count, sizeof(const void *), compare_uids);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || !cedar_uid_equal(list[kept - 1], list[i]))
            list[kept++] = list[i];
    const struct cedar_uid **copy = cedar_arena_array(arena, kept, sizeof(const void *));
    if (copy && kept)
        memcpy(copy, list, kept * sizeof(const void *));
    free(list);
    out->ancestors = copy;
    out->ancestor_count = (uint32_t)kept;
    return copy ? 0 : SR_ERR_TOO_LARGE;
}

enum mark { UNSEEN, OPEN, DONE };

/* Works out the ancestors of everything above an entity, then its own: a walk without recursion, for
 * hierarchies may be deep. path[i] is an entity whose parents up to next[i] are done. */
static int close_upwards(struct cedar_entities *entities, uint32_t start, uint8_t *marks,
                         uint32_t *path, uint32_t *next)
{
    uint32_t depth = 0;
    if (marks[start] == DONE)
        return 0;
    path[0] = start;
    next[0] = 0;
    marks[start] = OPEN;
    for (;;) {
        struct cedar_entity *entity = &entities->list[path[depth]];
        if (next[depth] == entity->ancestor_count) {
            int rc = join_ancestors(&entities->arena, entities, entity->ancestors,
                                    entity->ancestor_count, entity);
            if (rc < 0)
                return rc == SR_ERR_TOO_LARGE ? store_full(entities)
                                              : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
            marks[path[depth]] = DONE;
            if (depth-- == 0)
                return 0;
            continue;
        }
        const struct cedar_entity *parent =
            cedar_entities_find(entities, entity->ancestors[next[depth]++]);
        uint32_t index = parent ? (uint32_t)(parent - entities->list) : 0;
        if (!parent || marks[index] == DONE)
            continue;
        if (marks[index] == OPEN)
            return sr_fail(SR_ERR_INVALID, "entity %s::\"%s\" is its own ancestor",
                           parent->uid->type->data, parent->uid->id->data);
        depth++;
        path[depth] = index;
        next[depth] = 0;
        marks[index] = OPEN;
    }
}

static int close_all(struct cedar_entities *entities)
{
    uint8_t *marks = calloc(entities->count + 1, sizeof(*marks));
    uint32_t *path = calloc(entities->count + 1, sizeof(*path));
    uint32_t *next = calloc(entities->count + 1, sizeof(*next));
    int rc = 0;
    if (!marks || !path || !next)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; rc == 0 && i < entities->count; i++)
        rc = close_upwards(entities, i, marks, path, next);
    free(marks);
    free(path);
    free(next);
    return rc;
}

int cedar_entities_seal(struct cedar_entities *entities)
{
    assert(!entities->sealed);
    entities->sealed = true;
    if (entities->count)
        qsort(entities->list, entities->count, sizeof(*entities->list), compare_entities);
    for (uint32_t i = 1; i < entities->count; i++) {
        const struct cedar_uid *uid = entities->list[i].uid;
        if (cedar_uid_equal(entities->list[i - 1].uid, uid))
            return sr_fail(SR_ERR_EXISTS, "entity %s::\"%s\" is there twice", uid->type->data,
                           uid->id->data);
    }
    int rc = make_directory(entities);
    return rc < 0 ? rc : close_all(entities);
}

const struct cedar_entity *
cedar_entity_make(struct cedar_arena *arena, const struct cedar_entities *store,
                  const struct cedar_uid *uid, const struct cedar_record *attrs,
                  const struct cedar_record *tags, const struct cedar_uid *const *parents,
                  size_t parent_count)
{
    struct cedar_entity *entity = cedar_arena_alloc(arena, sizeof(*entity));
    if (!entity)
        return NULL;
    *entity = (struct cedar_entity){
        .uid = uid,
        .attrs = attrs ? attrs : &cedar_record_empty,
        .tags = tags ? tags : &cedar_record_empty,
    };
    return join_ancestors(arena, store, parents, parent_count, entity) < 0 ? NULL : entity;
}
