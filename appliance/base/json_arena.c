#include "base/json.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/error.h"

#define CHUNK (256u << 10)
#define ALIGN alignof(max_align_t)

struct chunk {
    struct chunk *next;
    size_t size;
    alignas(max_align_t) uint8_t bytes[];
};

struct sr_json_arena {
    struct chunk *chunks; /* the one that is being filled, then full ones */
    struct chunk *spare;  /* all of CHUNK bytes */
    size_t used;          /* of the first chunk */
};

static _Thread_local struct sr_json_arena *current;

/* A first chunk with room for size bytes. */
static bool add_chunk(struct sr_json_arena *arena, size_t size)
{
    struct chunk *chunk = arena->spare;
    if (size > CHUNK || chunk == NULL) {
        size = size > CHUNK ? size : CHUNK;
        if ((chunk = malloc(sizeof *chunk + size)) == NULL)
            return false;
        chunk->size = size;
    } else {
        arena->spare = chunk->next;
    }
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    arena->used = 0;
    return true;
}

static void *take(size_t size)
{
    struct sr_json_arena *arena = current;
    if (arena == NULL)
        return malloc(size);
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;
    if ((arena->chunks == NULL || arena->chunks->size - arena->used < size) &&
        !add_chunk(arena, size))
        return NULL;
    void *memory = arena->chunks->bytes + arena->used;
    arena->used += size;
    return memory;
}

static bool holds(const struct sr_json_arena *arena, const void *memory)
{
    for (const struct chunk *chunk = arena->chunks; chunk != NULL; chunk = chunk->next)
        if ((uintptr_t)memory - (uintptr_t)chunk->bytes < chunk->size)
            return true;
    return false;
}

static void give_back(void *memory)
{
    if (current == NULL || !holds(current, memory))
        free(memory);
}

/* Before main: no value of jansson is older, and no thread reads the two while they are set. */
__attribute__((constructor)) static void serve_jansson(void)
{
    json_set_alloc_funcs(take, give_back);
}

int sr_json_arena_new(struct sr_json_arena **out)
{
    *out = calloc(1, sizeof **out);
    return *out != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
}

void sr_json_arena_use(struct sr_json_arena *arena)
{
    current = arena;
}

void sr_json_arena_clear(struct sr_json_arena *arena)
{
    while (arena->chunks != NULL) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        if (chunk->size > CHUNK) {
            free(chunk);
        } else {
            chunk->next = arena->spare;
            arena->spare = chunk;
        }
    }
    arena->used = 0;
}

void sr_json_arena_free(struct sr_json_arena *arena)
{
    if (arena == NULL)
        return;
    sr_json_arena_clear(arena);
    while (arena->spare != NULL) {
        struct chunk *chunk = arena->spare;
        arena->spare = chunk->next;
        free(chunk);
    }
    free(arena);
}
