/* A list of nodes, copied: what the catalog calls back with must not call it again. Private to casework/. */
#ifndef SR_CASEWORK_NODES_H
#define SR_CASEWORK_NODES_H

#include "catalog/catalog.h"

struct nodes { /* zero-initialise; nodes_free() when done */
    struct catalog_node *items;
    size_t count, capacity;
};

/* A catalog_node_fn whose context is a struct nodes. SR_ERR_NO_MEMORY, then the list is unchanged. */
int nodes_add(void *context, const struct catalog_node *node);
void nodes_free(struct nodes *nodes); /* leaves it empty */

#endif
