/* Pairs of a key and a node in memory, in their order. Additions are cheap and wait in a heap until somebody asks;
 * nothing is ever taken out: who asks looks whether a pair still holds. A table in this order would cost a random page
 * for each record that is projected. Private to appliance/catalog/; under the lock. */
#ifndef SR_CATALOG_KEYED_H
#define SR_CATALOG_KEYED_H

#include <stddef.h>
#include <stdint.h>

struct keyed_row {
    uint64_t key, node;
};

struct keyed { /* zero-initialise */
    struct keyed_row *rows;
    size_t count, sorted, capacity; /* rows from sorted on are the heap */
};

int keyed_add(struct keyed *keyed, uint64_t key, uint64_t node); /* SR_ERR_NO_MEMORY */
/* The place of the first row behind (key, node), everything in order. SR_ERR_NO_MEMORY. */
int keyed_behind(struct keyed *keyed, uint64_t key, uint64_t node, size_t *out);
void keyed_free(struct keyed *keyed); /* leaves it empty */

#endif
