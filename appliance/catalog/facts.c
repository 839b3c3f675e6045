#include "catalog/facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"
#include "catalog/search_query.h"

void facts_free(struct facts *facts)
{
    free(facts->items);
    free(facts->groups);
    free(facts->buckets);
    keyed_free(&facts->days);
    keyed_free(&facts->subjects);
    *facts = (struct facts){.epoch = facts->epoch + 1};
}

enum search_type search_type_of(const char *mime)
{
    if (mime == NULL)
        return SEARCH_OTHER;
    if (strncmp(mime, "video/", 6) == 0)
        return SEARCH_VIDEO;
    if (strncmp(mime, "audio/", 6) == 0)
        return SEARCH_AUDIO;
    if (strncmp(mime, "image/", 6) == 0)
        return SEARCH_IMAGE;
    if (strncmp(mime, "text/", 5) == 0 || strcmp(mime, "application/pdf") == 0 ||
        strcmp(mime, "application/ofd") == 0 || strcmp(mime, "application/msword") == 0 ||
        strcmp(mime, "application/rtf") == 0 || strncmp(mime, "application/vnd.", 16) == 0)
        return SEARCH_DOCUMENT;
    return SEARCH_OTHER;
}

/* --- groups --- */

static uint64_t mix(uint64_t hash, uint64_t value)
{
    return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) >> 7 ^ hash << 3;
}

static size_t bucket_of(const struct facts *facts, const struct facts_group *group)
{
    uint64_t hash =
        mix(mix(mix(group->anchor, group->uid), group->level * 64 + group->marks), group->flags);

    return (size_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (facts->bucket_count - 1);
}

static bool same_group(const struct facts_group *one, const struct facts_group *other)
{
    return one->anchor == other->anchor && one->uid == other->uid && one->level == other->level &&
           one->marks == other->marks && one->flags == other->flags;
}

static void enter_bucket(struct facts *facts, uint32_t index)
{
    size_t at = bucket_of(facts, &facts->groups[index]);

    while (facts->buckets[at] != 0)
        at = (at + 1) & (facts->bucket_count - 1);
    facts->buckets[at] = index + 1;
}

static int grow_groups(struct facts *facts)
{
    size_t capacity = facts->group_capacity == 0 ? 256 : 2 * facts->group_capacity;
    struct facts_group *groups = realloc(facts->groups, capacity * sizeof(*groups));
    uint32_t *buckets = calloc(2 * capacity, sizeof(*buckets));

    if (groups != NULL)
        facts->groups = groups;
    if (groups == NULL || buckets == NULL) {
        free(buckets);
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    }
    free(facts->buckets);
    facts->buckets = buckets;
    facts->bucket_count = 2 * capacity;
    facts->group_capacity = capacity;
    for (size_t i = 0; i < facts->group_count; i++)
        enter_bucket(facts, (uint32_t)i);
    return 0;
}

static int find_group(struct facts *facts, const struct fact *fact, uint32_t *out)
{
    const bool alone = (fact->flags & FACTS_ALONE) != 0;
    const struct facts_group group = {
        .anchor = alone ? fact->node : fact->anchor,
        .uid = fact->uid,
        .level = fact->level,
        .marks = fact->marks,
        .flags = fact->flags & (FACTS_SEALED | FACTS_DRAFT | FACTS_ALONE),
    };
    int rc;

    if (facts->group_count == facts->group_capacity && (rc = grow_groups(facts)) < 0)
        return rc;
    for (size_t at = bucket_of(facts, &group); facts->buckets[at] != 0;
         at = (at + 1) & (facts->bucket_count - 1)) {
        *out = facts->buckets[at] - 1;
        if (same_group(&facts->groups[*out], &group))
            return 0;
    }
    *out = (uint32_t)facts->group_count;
    facts->groups[facts->group_count++] = group;
    enter_bucket(facts, *out);
    return 0;
}

/* --- rows --- */

size_t facts_seek(const struct facts *facts, size_t from, uint64_t node)
{
    size_t low = from, high, step = 1;

    while (low < facts->count && facts->items[low].node < node && step <= facts->count) {
        from = low + 1;
        low += step;
        step *= 2;
    }
    high = low < facts->count ? low : facts->count;
    low = from;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (facts->items[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int insert(struct facts *facts, const struct fact *fact)
{
    size_t at = facts->count > 0 && facts->items[facts->count - 1].node < fact->node
                    ? facts->count
                    : facts_seek(facts, 0, fact->node);
    uint32_t group;
    int rc = find_group(facts, fact, &group);

    if (rc == 0 && fact->captured > FACTS_NO_DAY &&
        (at == facts->count || facts->items[at].node != fact->node ||
         facts->items[at].captured != fact->captured))
        rc = keyed_add(&facts->days, (uint64_t)fact->captured, fact->node);
    if (rc < 0)
        return rc;
    if (at == facts->count || facts->items[at].node != fact->node) {
        if (facts->count == facts->capacity) {
            size_t capacity = facts->capacity == 0 ? 1024 : facts->capacity + facts->capacity / 2;
            struct fact *items = realloc(facts->items, capacity * sizeof(*items));

            if (items == NULL)
                return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
            facts->items = items;
            facts->capacity = capacity;
        }
        memmove(&facts->items[at + 1], &facts->items[at],
                (facts->count - at) * sizeof(*facts->items));
        facts->count++;
    }
    facts->items[at] = *fact;
    facts->items[at].group = group;
    return 0;
}

int facts_put(struct catalog *catalog, const struct fact *fact)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_FACT_SET);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)fact->node);
    catdb_bind_int(statement, 2, (int64_t)fact->anchor);
    catdb_bind_int(statement, 3, fact->size);
    catdb_bind_int(statement, 4, fact->duration_ms);
    catdb_bind_int(statement, 5, fact->captured);
    catdb_bind_int(statement, 6, fact->sealed);
    catdb_bind_int(statement, 7, fact->uid);
    catdb_bind_int(statement, 8, fact->level);
    catdb_bind_int(statement, 9, fact->marks);
    catdb_bind_int(statement, 10, fact->type);
    catdb_bind_int(statement, 11, fact->flags);
    catdb_bind_int(statement, 12, fact->text);
    if ((rc = catdb_run(catalog, statement)) < 0)
        return rc;
    return catalog->facts.loaded ? insert(&catalog->facts, fact) : 0;
}

int facts_drop(struct catalog *catalog, uint64_t node)
{
    struct facts *facts = &catalog->facts;
    int rc = catdb_run_int(catalog, CATDB_FACT_DROP, (int64_t)node);

    if (rc == 0 && facts->loaded) {
        size_t at = facts_seek(facts, 0, node);

        if (at < facts->count && facts->items[at].node == node)
            facts->items[at].flags = FACTS_GONE;
    }
    return rc;
}

static int load_subjects(struct catalog *catalog)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_SUBJECTS_ALL);
    int rc;

    while ((rc = catdb_next(catalog, statement)) > 0)
        if ((rc = keyed_add(&catalog->facts.subjects, (uint64_t)sqlite3_column_int64(statement, 0),
                            (uint64_t)sqlite3_column_int64(statement, 1))) < 0)
            break;
    catdb_end(statement);
    return rc;
}

int facts_load(struct catalog *catalog)
{
    struct facts *facts = &catalog->facts;
    sqlite3_stmt *statement;
    int rc;

    if (facts->loaded)
        return 0;
    facts_free(facts);
    statement = catdb_use(catalog, CATDB_FACTS_ALL);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        const struct fact fact = {
            .node = (uint64_t)sqlite3_column_int64(statement, 0),
            .anchor = (uint64_t)sqlite3_column_int64(statement, 1),
            .size = sqlite3_column_int64(statement, 2),
            .duration_ms = sqlite3_column_int64(statement, 3),
            .captured = sqlite3_column_int(statement, 4),
            .sealed = sqlite3_column_int(statement, 5),
            .uid = (uint32_t)sqlite3_column_int64(statement, 6),
            .level = (uint32_t)sqlite3_column_int(statement, 7),
            .marks = (uint32_t)sqlite3_column_int(statement, 8),
            .type = (uint8_t)sqlite3_column_int(statement, 9),
            .flags = (uint8_t)sqlite3_column_int(statement, 10),
            .text = (uint8_t)sqlite3_column_int(statement, 11),
        };

        if ((rc = insert(facts, &fact)) < 0)
            break;
    }
    catdb_end(statement);
    if (rc == 0)
        rc = load_subjects(catalog);
    if (rc < 0)
        facts_free(facts);
    facts->loaded = rc == 0;
    return rc;
}
