/* Memory that is given out in order and taken back all at once, up to a limit. Policy sets, entity
 * stores and evaluations each have one, so that hostile input meets the limit instead of exhausting
 * the process. An arena belongs to one thread at a time. */
#ifndef SR_POLICY_CEDAR_ARENA_H
#define SR_POLICY_CEDAR_ARENA_H

#include <stddef.h>

struct cedar_arena {
    struct cedar_arena_block *blocks; /* newest first */
    char *next;                       /* free bytes of the newest block */
    size_t left;
    size_t held; /* bytes taken from the system, all blocks */
    size_t limit;
};

/* limit is in bytes and counts whole blocks; the first allocation takes one. */
void cedar_arena_init(struct cedar_arena *arena, size_t limit);
/* Aligned for any object, not cleared. NULL when the limit is reached or the system has no memory;
 * no sentence is saved: see cedar_arena_full(). */
void *cedar_arena_alloc(struct cedar_arena *arena, size_t size);
/* count * size bytes, with the product checked. */
void *cedar_arena_array(struct cedar_arena *arena, size_t count, size_t size);
/* The error for a failed allocation, sentence saved: SR_ERR_TOO_LARGE ("… takes more memory than
 * the limit of …"). what is the subject of the sentence. */
int cedar_arena_full(const struct cedar_arena *arena, const char *what);
/* Takes everything back but keeps one block, so that an evaluation loop asks the system for nothing. */
void cedar_arena_reset(struct cedar_arena *arena);
void cedar_arena_free(struct cedar_arena *arena);

#endif
