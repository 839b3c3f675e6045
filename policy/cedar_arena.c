#include "policy/cedar_arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

#define BLOCK_FIRST ((size_t)8 << 10)
#define BLOCK_MAX ((size_t)1 << 20)

struct cedar_arena_block {
    struct cedar_arena_block *older;
    size_t size; /* of the bytes that follow */
    alignas(max_align_t) char bytes[];
};

void cedar_arena_init(struct cedar_arena *arena, size_t limit)
{
    *arena = (struct cedar_arena){.limit = limit};
}

/* A block of at least size bytes becomes the newest one; what was left of the last one is lost, which
 * doubling keeps below half. */
static int add_block(struct cedar_arena *arena, size_t size)
{
    size_t want = arena->held < BLOCK_FIRST ? BLOCK_FIRST : arena->held;
    if (want > BLOCK_MAX)
        want = BLOCK_MAX;
    if (want < size)
        want = size;
    size_t room = arena->limit > arena->held ? arena->limit - arena->held : 0;
    if (want > room)
        want = size;
    if (want > room)
        return SR_ERR_TOO_LARGE;
    struct cedar_arena_block *block = malloc(sizeof(*block) + want);
    if (!block)
        return SR_ERR_NO_MEMORY;
    block->older = arena->blocks;
    block->size = want;
    arena->blocks = block;
    arena->held += want;
    arena->next = block->bytes;
    arena->left = want;
    return 0;
}

void *cedar_arena_alloc(struct cedar_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 4)
        return NULL;
    size += size == 0; /* NULL would mean that the arena is full */
    size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (rounded > arena->left && add_block(arena, rounded) < 0)
        return NULL;
    void *given = arena->next;
    arena->next += rounded;
    arena->left -= rounded;
    return given;
}

void *cedar_arena_array(struct cedar_arena *arena, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return cedar_arena_alloc(arena, count * size);
}

int cedar_arena_full(const struct cedar_arena *arena, const char *what)
{
    return sr_fail(SR_ERR_TOO_LARGE, "%s takes more memory than the limit of %zu KiB", what,
                   arena->limit >> 10);
}

void cedar_arena_reset(struct cedar_arena *arena)
{
    struct cedar_arena_block *kept = arena->blocks;
    if (!kept)
        return;
    for (struct cedar_arena_block *block = kept->older, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    kept->older = NULL;
    arena->held = kept->size;
    arena->next = kept->bytes;
    arena->left = kept->size;
}

void cedar_arena_free(struct cedar_arena *arena)
{
    for (struct cedar_arena_block *block = arena->blocks, *older; block; block = older) {
        older = block->older;
        free(block);
    }
    cedar_arena_init(arena, arena->limit);
}
