/* Entities from JSON. The first byte's lowest bit says whether {"type", "id"} is an entity. What is
 * taken can be found again, and its ancestors are sorted, closed upwards, and not the entity itself. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_entities.h"
#include "tests/fuzz/fuzz.h"

static void check_entity(const struct cedar_entities *entities, const struct cedar_entity *entity)
{
    must(entity->attrs && entity->tags);
    must(!cedar_entity_has_ancestor(entity, entity->uid));
    for (uint32_t i = 0; i < entity->ancestor_count; i++) {
        const struct cedar_entity *above = cedar_entities_find(entities, entity->ancestors[i]);
        must(i == 0 || cedar_uid_compare(entity->ancestors[i - 1], entity->ancestors[i]) < 0);
        must(cedar_entity_has_ancestor(entity, entity->ancestors[i]));
        for (uint32_t k = 0; above && k < above->ancestor_count; k++)
            must(cedar_entity_has_ancestor(entity, above->ancestors[k]));
    }
    for (uint32_t i = 0; i < entity->attrs->count; i++) {
        const struct cedar_member *member = &entity->attrs->members[i];
        must(cedar_record_find(entity->attrs, member->key) == &member->value);
        if (member->value.kind != CEDAR_SET)
            continue;
        const struct cedar_set *set = member->value.set;
        for (uint32_t k = 0; k < set->count; k++)
            must(cedar_set_contains(set, &set->items[k], NULL));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cedar_entities *entities;
    struct cedar_arena arena;
    struct cedar_error error;
    const struct cedar_record *context;
    if (size == 0)
        return 0;
    bool implicit = data[0] & 1;
    int rc = cedar_entities_parse(data + 1, size - 1, implicit, &entities, &error);
    must(rc == 0 || rc == SR_ERR_INVALID || rc == SR_ERR_TOO_LARGE || rc == SR_ERR_EXISTS);
    must((rc == 0) == (entities != NULL));
    for (size_t i = 0; rc == 0 && i < cedar_entities_count(entities); i++)
        check_entity(entities, cedar_entities_get(entities, i));
    cedar_entities_free(entities);
    cedar_arena_init(&arena, 1 << 20);
    rc = cedar_entities_parse_context(data + 1, size - 1, implicit, &arena, &context, &error);
    must(rc == 0 || rc == SR_ERR_INVALID || rc == SR_ERR_TOO_LARGE);
    must((rc == 0) == (context != NULL));
    cedar_arena_free(&arena);
    return 0;
}
