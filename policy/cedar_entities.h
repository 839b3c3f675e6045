/* What is known of entities: attributes, tags and ancestors. A store is filled, sealed once, and then
 * read by any number of threads. Ancestors are worked out at the seal, for every entity, however far
 * up; a parent that is not itself in the store is an ancestor all the same. */
#ifndef SR_POLICY_CEDAR_ENTITIES_H
#define SR_POLICY_CEDAR_ENTITIES_H

#include "policy/cedar.h"
#include "policy/cedar_value.h"

#define CEDAR_ENTITIES_SOURCE_MAX ((size_t)32 << 20)  /* bytes of JSON */
#define CEDAR_ENTITIES_MEMORY_MAX ((size_t)256 << 20) /* bytes in memory, ancestors and all */
#define CEDAR_VALUE_ITEMS_MAX ((size_t)1 << 20)       /* items of all sets and records around one */
#define CEDAR_VALUE_DEPTH_MAX 128                     /* sets and records within each other */

struct cedar_entity {
    const struct cedar_uid *uid;
    const struct cedar_record *attrs;
    const struct cedar_record *tags;
    const struct cedar_uid *const *ancestors; /* in the order of cedar_uid_compare */
    uint32_t ancestor_count;
};

struct cedar_entities;

/* memory_max: bytes, 0 for CEDAR_ENTITIES_MEMORY_MAX. */
int cedar_entities_new(size_t memory_max, struct cedar_entities **out);
void cedar_entities_free(struct cedar_entities *entities);
/* Where values for cedar_entities_add may be made, to live as long as the store. */
struct cedar_arena *cedar_entities_arena(struct cedar_entities *entities);
/* Before the seal only. attrs and tags may be NULL. The array of parents is copied, what it and the
 * others point to is not. SR_ERR_TOO_LARGE: memory. A store that failed can only be freed. */
int cedar_entities_add(struct cedar_entities *entities, const struct cedar_uid *uid,
                       const struct cedar_record *attrs, const struct cedar_record *tags,
                       const struct cedar_uid *const *parents, size_t parent_count);
/* SR_ERR_EXISTS: an entity was added twice; SR_ERR_INVALID: one is its own ancestor;
 * SR_ERR_TOO_LARGE: the ancestors take too much memory. */
int cedar_entities_seal(struct cedar_entities *entities);
/* NULL when it is not known. Sealed stores only, as for all that follows. */
const struct cedar_entity *cedar_entities_find(const struct cedar_entities *entities,
                                               const struct cedar_uid *uid);
size_t cedar_entities_count(const struct cedar_entities *entities);
/* By index, in no order that means anything. */
const struct cedar_entity *cedar_entities_get(const struct cedar_entities *entities, size_t index);

/* An entity of one request (struct cedar_request, extra), in arena. Its ancestors are its parents and
 * theirs as the store knows them; store may be NULL. NULL: the arena is full. */
const struct cedar_entity *
cedar_entity_make(struct cedar_arena *arena, const struct cedar_entities *store,
                  const struct cedar_uid *uid, const struct cedar_record *attrs,
                  const struct cedar_record *tags, const struct cedar_uid *const *parents,
                  size_t parent_count);
bool cedar_entity_has_ancestor(const struct cedar_entity *entity, const struct cedar_uid *ancestor);

/* Reads Cedar's JSON of entities: a list of {"uid", "attrs", "parents", "tags"}, the last one
 * optional. An entity is {"type", "id"} or {"__entity": {"type", "id"}}; within values only the
 * second, unless implicit is set: then an object of exactly the strings type and id is one too. Values
 * of extension types are {"__extn": {"fn", "arg"}} or {"__extn": {"fn", "args"}}. No null, no numbers
 * but whole ones of 64 bits, no key twice, nothing unknown.
 * SR_ERR_INVALID: the sentence has line, column, what was found and expected; *error (may be NULL) too.
 * Otherwise as cedar_entities_seal. *out is a sealed store, NULL on error. */
int cedar_entities_parse(const uint8_t *data, size_t len, bool implicit,
                         struct cedar_entities **out, struct cedar_error *error);
/* A request's context: one JSON object, by the same rules, made in arena. */
int cedar_entities_parse_context(const uint8_t *data, size_t len, bool implicit,
                                 struct cedar_arena *arena, const struct cedar_record **out,
                                 struct cedar_error *error);

#endif
