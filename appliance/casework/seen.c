#include "casework/seen.h"

#include <stdlib.h>
#include <string.h>

static enum seen decide(struct door *door, const struct catalog_user *user,
                        const struct catalog_group *group)
{
    struct catalog_node node;
    if (group->alone)
        return catalog_get(door->catalog, group->anchor, &node) == 0 &&
                       place_visible(door, user, &node) == 0
                   ? SEEN_READ
                   : SEEN_NO;
    /* A record of the group: the rules speak of nothing else of it. */
    node = (struct catalog_node){
        .kind = CATALOG_KIND_RECORD,
        .parent = group->anchor,
        .level = group->level,
        .marks = group->marks,
        .draft = group->draft,
        .version = {.state = group->sealed ? CATALOG_SEALED : CATALOG_STAGING, .uid = group->uid}};
    if (!door_allows(door, user, ACT_LIST, &node))
        return SEEN_NO;
    return door_allows(door, user, ACT_READ, &node) ? SEEN_READ : SEEN_LISTED;
}

struct search_memo *seen_memo(struct door *door, uint32_t uid, uint64_t epoch, size_t group_count)
{
    uint64_t generation = atomic_load(&door->rules.generation);
    uint64_t places = atomic_load(&door->rules.places);
    struct search_memo *memo = &door->memos[0];
    for (size_t i = 0; i < DOOR_MEMOS; i++)
        if (door->memos[i].uid == uid && door->memos[i].used > 0) {
            memo = &door->memos[i];
            break;
        } else if (door->memos[i].used < memo->used) {
            memo = &door->memos[i];
        }
    if (memo->uid != uid || memo->generation != generation || memo->places != places ||
        memo->epoch != epoch) {
        memo->count = 0;
        memo->uid = uid;
        memo->generation = generation;
        memo->places = places;
        memo->epoch = epoch;
    }
    memo->used = ++door->searches;
    if (memo->count < group_count) {
        uint8_t *longer = realloc(memo->seen, group_count);
        if (longer == NULL)
            return NULL;
        memset(longer + memo->count, SEEN_UNKNOWN, group_count - memo->count);
        memo->seen = longer;
        memo->count = group_count;
    }
    return memo;
}

enum seen seen_group(struct door *door, const struct catalog_user *user, struct search_memo *memo,
                     uint32_t index, const struct catalog_group *group)
{
    uint8_t *seen = &memo->seen[index];
    if (*seen == SEEN_UNKNOWN)
        *seen = (uint8_t)decide(door, user, group);
    return (enum seen) * seen;
}

void seen_free(struct door *door)
{
    for (size_t i = 0; i < DOOR_MEMOS; i++)
        free(door->memos[i].seen);
    pthread_mutex_destroy(&door->search_lock);
}
