#include "vault/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void ranges_free(struct ranges *set)
{
    free(set->list);
    *set = (struct ranges){0};
}

int ranges_reserve(struct ranges *set, size_t count)
{
    struct staging_range *list;
    size_t capacity = set->capacity ? set->capacity : 8;

    if (count <= set->capacity)
        return 0;
    while (capacity < count)
        capacity *= 2;
    list = realloc(set->list, capacity * sizeof(*list));
    if (!list)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for %zu written ranges", count);
    set->list = list;
    set->capacity = capacity;
    return 0;
}

/* The first range that ends at or after offset; count if there is none. */
static size_t first_reaching(const struct ranges *set, uint64_t offset)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (set->list[middle].end < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int ranges_add(struct ranges *set, uint64_t start, uint64_t end)
{
    size_t from, to;
    int rc;

    if (start >= end)
        return 0;
    from = first_reaching(set, start);
    for (to = from; to < set->count && set->list[to].start <= end; to++)
        ;
    if (from == to) {
        rc = ranges_reserve(set, set->count + 1);
        if (rc)
            return rc;
        memmove(set->list + from + 1, set->list + from, (set->count - from) * sizeof(*set->list));
        set->list[from] = (struct staging_range){start, end};
        set->count++;
        return 0;
    }
    if (set->list[from].start < start)
        start = set->list[from].start;
    if (set->list[to - 1].end > end)
        end = set->list[to - 1].end;
    set->list[from] = (struct staging_range){start, end};
    memmove(set->list + from + 1, set->list + to, (set->count - to) * sizeof(*set->list));
    set->count -= to - from - 1;
    return 0;
}

void ranges_cut(struct ranges *set, uint64_t end)
{
    while (set->count && set->list[set->count - 1].start >= end)
        set->count--;
    if (set->count && set->list[set->count - 1].end > end)
        set->list[set->count - 1].end = end;
}

void ranges_clear(struct ranges *set)
{
    set->count = 0;
}

int ranges_copy(struct ranges *to, const struct ranges *from)
{
    int rc = ranges_reserve(to, from->count);

    if (rc)
        return rc;
    if (from->count)
        memcpy(to->list, from->list, from->count * sizeof(*to->list));
    to->count = from->count;
    return 0;
}

int ranges_merge(struct ranges *to, const struct ranges *from)
{
    int rc = ranges_reserve(to, to->count + from->count);

    for (size_t i = 0; !rc && i < from->count; i++)
        rc = ranges_add(to, from->list[i].start, from->list[i].end);
    return rc;
}

bool ranges_equal(const struct ranges *a, const struct ranges *b)
{
    return a->count == b->count &&
           (!a->count || !memcmp(a->list, b->list, a->count * sizeof(*a->list)));
}

bool ranges_contain(const struct ranges *set, uint64_t start, uint64_t end)
{
    size_t at = first_reaching(set, end);

    return at < set->count && set->list[at].start <= start;
}

bool ranges_touch(const struct ranges *set, uint64_t start, uint64_t end)
{
    size_t at = first_reaching(set, start + 1);

    return start < end && at < set->count && set->list[at].start < end;
}

void ranges_mask(const struct ranges *set, uint64_t start, uint8_t *data, size_t len)
{
    uint64_t at = start;
    uint64_t end = start + len;

    for (size_t i = first_reaching(set, start + 1); at < end; i++) {
        uint64_t from = i < set->count && set->list[i].start < end ? set->list[i].start : end;

        if (from > at)
            memset(data + (at - start), 0, (size_t)(from - at));
        if (from == end)
            return;
        at = set->list[i].end;
    }
}

int ranges_holes(const struct ranges *set, uint64_t size, struct staging_range **holes,
                 size_t *count)
{
    struct staging_range *list;
    uint64_t at = 0;
    size_t n = 0;

    *holes = NULL;
    *count = 0;
    list = malloc((set->count + 1) * sizeof(*list));
    if (!list)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for %zu written ranges", set->count);
    for (size_t i = 0; i < set->count && set->list[i].start < size; i++) {
        if (set->list[i].start > at)
            list[n++] = (struct staging_range){at, set->list[i].start};
        at = set->list[i].end;
    }
    if (at < size)
        list[n++] = (struct staging_range){at, size};
    if (!n) {
        free(list);
        return 0;
    }
    *holes = list;
    *count = n;
    return 0;
}
