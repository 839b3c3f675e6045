#include "ledger/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/tile.h"

void tree_free(struct tree *tree)
{
    for (unsigned level = 0; level < TREE_LEVELS; level++)
        free(tree->level[level]);
    memset(tree, 0, sizeof(*tree));
}

static int reserve(struct tree *tree, unsigned level, size_t count)
{
    size_t capacity = tree->capacity[level];
    struct tlog_hash *grown;

    if (count <= capacity)
        return 0;
    capacity = capacity < 64 ? 64 : 2 * capacity;
    grown = realloc(tree->level[level], capacity * sizeof(*grown));
    if (grown == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    tree->level[level] = grown;
    tree->capacity[level] = capacity;
    return 0;
}

int tree_append(struct tree *tree, const struct tlog_hash *leaf)
{
    struct tlog_hash hash = *leaf;
    uint64_t at = tree->size;
    unsigned level = 0;

    /* Slots beyond size >> level do not count, so a failure half-way leaves nothing to undo. */
    for (;;) {
        int status = reserve(tree, level, (size_t)at + 1);

        if (status != 0)
            return status;
        tree->level[level][at] = hash;
        if ((at & 1) == 0 || level + 1 == TREE_LEVELS)
            break;
        status = tlog_node_hash(&tree->level[level][at - 1], &hash, &hash);
        if (status != 0)
            return status;
        at >>= 1;
        level++;
    }
    tree->size++;
    return 0;
}

static int tree_node(void *context, unsigned level, uint64_t index, struct tlog_hash *out)
{
    const struct tree *tree = context;

    assert(level < TREE_LEVELS && index < tree->size >> level);
    *out = tree->level[level][index];
    return 0;
}

struct tlog_source tree_source(struct tree *tree)
{
    return (struct tlog_source){.node = tree_node, .context = tree};
}

void tree_tile(const struct tree *tree, unsigned tile_level, uint64_t n, unsigned width,
               uint8_t *out)
{
    unsigned level = tile_level * TILE_HEIGHT;

    assert(level < TREE_LEVELS && (n << TILE_HEIGHT) + width <= tree->size >> level);
    memcpy(out, tree->level[level] + (n << TILE_HEIGHT), width * sizeof(struct tlog_hash));
}
