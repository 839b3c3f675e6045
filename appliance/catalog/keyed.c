#include "catalog/keyed.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int keyed_add(struct keyed *keyed, uint64_t key, uint64_t node)
{
    if (keyed->count == keyed->capacity) {
        size_t capacity = keyed->capacity == 0 ? 256 : keyed->capacity + keyed->capacity / 2;
        struct keyed_row *longer = realloc(keyed->rows, capacity * sizeof(*longer));

        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
        keyed->rows = longer;
        keyed->capacity = capacity;
    }
    keyed->rows[keyed->count++] = (struct keyed_row){.key = key, .node = node};
    return 0;
}

static int in_order(const void *a, const void *b)
{
    const struct keyed_row *one = a, *other = b;

    if (one->key != other->key)
        return one->key < other->key ? -1 : 1;
    return (one->node > other->node) - (one->node < other->node);
}

/* The heap comes into its order, and then into that of the rest, from the end. */
static int settle(struct keyed *keyed)
{
    size_t heap = keyed->count - keyed->sorted, i = keyed->sorted, at = keyed->count, kept = 0;
    struct keyed_row *fresh;

    if (heap == 0)
        return 0;
    qsort(keyed->rows + keyed->sorted, heap, sizeof(*keyed->rows), in_order);
    if ((fresh = malloc(heap * sizeof(*fresh))) == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    memcpy(fresh, keyed->rows + keyed->sorted, heap * sizeof(*fresh));
    while (heap > 0)
        keyed->rows[--at] = i > 0 && in_order(&keyed->rows[i - 1], &fresh[heap - 1]) > 0
                                ? keyed->rows[--i]
                                : fresh[--heap];
    free(fresh);
    for (i = 0; i < keyed->count; i++) /* each once */
        if (kept == 0 || in_order(&keyed->rows[kept - 1], &keyed->rows[i]) != 0)
            keyed->rows[kept++] = keyed->rows[i];
    keyed->count = keyed->sorted = kept;
    return 0;
}

int keyed_behind(struct keyed *keyed, uint64_t key, uint64_t node, size_t *out)
{
    const struct keyed_row wanted = {.key = key, .node = node};
    size_t low = 0, high;
    int rc = settle(keyed);

    high = keyed->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (in_order(&keyed->rows[middle], &wanted) <= 0)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return rc;
}

void keyed_free(struct keyed *keyed)
{
    free(keyed->rows);
    *keyed = (struct keyed){.rows = NULL};
}
