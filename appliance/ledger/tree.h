/* The Merkle tree of all appended entries in memory: of every fourth level the hashes of its complete subtrees, 34
 * bytes per entry together; those between are hashed when they are asked for. A complete subtree never changes, so
 * proofs and tiles of any size up to the tree's come out of the same arrays. Not locked; private to the ledger. */
#ifndef SR_LEDGER_TREE_H
#define SR_LEDGER_TREE_H

#include <stddef.h>
#include <stdint.h>

#include "ledger/tlog.h"

#define TREE_LEVELS 48
#define TREE_KEPT 4 /* levels that are multiples of it are kept whole; tiles stand on such */

struct tree { /* zero-initialise */
    struct tlog_hash
        *kept[TREE_LEVELS / TREE_KEPT]; /* kept[k] holds size >> k * TREE_KEPT hashes */
    size_t capacity[TREE_LEVELS / TREE_KEPT];
    struct tlog_hash newest[TREE_LEVELS]; /* the last complete subtree of each level */
    uint64_t size;                        /* leaves */
};

void tree_free(struct tree *tree); /* leaves it zero-initialised */
/* pair: tlog_node_hash of the leaf before and this one, where this one's index is odd, as whoever has time for it has made
 * it; NULL: it is made here. On an error the tree is as before. */
int tree_append(struct tree *tree, const struct tlog_hash *leaf, const struct tlog_hash *pair);
/* A source over the tree, valid while the tree lives and is not appended to. */
struct tlog_source tree_source(struct tree *tree);
/* The first width hashes of tile n of tile level tile_level (tlog-tiles); the tree must hold
 * them. */
void tree_tile(const struct tree *tree, unsigned tile_level, uint64_t n, unsigned width,
               uint8_t *out);

#endif
