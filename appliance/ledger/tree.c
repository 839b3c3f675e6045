#include "ledger/tree.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/tile.h"

static_assert(TILE_HEIGHT % TREE_KEPT == 0, "tiles stand on levels that are kept");

void tree_free(struct tree *tree)
{
    for (unsigned i = 0; i < TREE_LEVELS / TREE_KEPT; i++)
        free(tree->kept[i]);
    memset(tree, 0, sizeof(*tree));
}

static int reserve(struct tree *tree, unsigned level, size_t count)
{
    struct tlog_hash **kept = &tree->kept[level / TREE_KEPT], *grown;
    size_t capacity = tree->capacity[level / TREE_KEPT];

    if (count <= capacity)
        return 0;
    capacity = capacity < 64 ? 64 : 2 * capacity;
    grown = realloc(*kept, capacity * sizeof(*grown));
    if (grown == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "ledger: out of memory");
    *kept = grown;
    tree->capacity[level / TREE_KEPT] = capacity;
    return 0;
}

/* The leaf completes one subtree of each level from 0 up to the number of ones at the end of its index. */
int tree_append(struct tree *tree, const struct tlog_hash *leaf, const struct tlog_hash *pair)
{
    unsigned levels = 1 + (unsigned)__builtin_ctzll(~tree->size);
    struct tlog_hash made[TREE_LEVELS];
    int status = 0;

    if (levels > TREE_LEVELS)
        levels = TREE_LEVELS;
    made[0] = *leaf;
    for (unsigned level = 0; level < levels && status == 0; level++) {
        if (level == 1 && pair != NULL)
            made[1] = *pair;
        else if (level > 0)
            status = tlog_node_hash(&tree->newest[level - 1], &made[level - 1], &made[level]);
        if (status == 0 && level % TREE_KEPT == 0)
            status = reserve(tree, level, (size_t)(tree->size >> level) + 1);
    }
    if (status != 0)
        return status;
    for (unsigned level = 0; level < levels; level++) {
        tree->newest[level] = made[level];
        if (level % TREE_KEPT == 0)
            tree->kept[level / TREE_KEPT][tree->size >> level] = made[level];
    }
    tree->size++;
    return 0;
}

static int tree_node(void *context, unsigned level, uint64_t index, struct tlog_hash *out)
{
    const struct tree *tree = context;
    unsigned above = level % TREE_KEPT; /* levels above one that is kept */
    struct tlog_hash part[1 << (TREE_KEPT - 1)];
    int status = 0;

    assert(level < TREE_LEVELS && index < tree->size >> level);
    memcpy(part, tree->kept[level / TREE_KEPT] + (index << above), sizeof(part[0]) << above);
    for (; above > 0; above--)
        for (unsigned i = 0; i < 1u << (above - 1) && status == 0; i++)
            status = tlog_node_hash(&part[2 * i], &part[2 * i + 1], &part[i]);
    *out = part[0];
    return status;
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
    memcpy(out, tree->kept[level / TREE_KEPT] + (n << TILE_HEIGHT),
           width * sizeof(struct tlog_hash));
}
