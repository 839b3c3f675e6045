#include "casework/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

int nodes_add(void *context, const struct catalog_node *node)
{
    struct nodes *nodes = context;
    if (nodes->count == nodes->capacity) {
        size_t capacity = nodes->capacity > 0 ? 2 * nodes->capacity : 4;
        struct catalog_node *longer = realloc(nodes->items, capacity * sizeof *longer);
        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for a list");
        nodes->items = longer;
        nodes->capacity = capacity;
    }
    nodes->items[nodes->count++] = *node;
    return 0;
}

void nodes_free(struct nodes *nodes)
{
    free(nodes->items);
    memset(nodes, 0, sizeof *nodes);
}
