/* A set of byte ranges (or of segment positions): sorted, disjoint, never touching. */
#ifndef SR_VAULT_RANGES_H
#define SR_VAULT_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/staging.h"

/* Zero-initialise; ranges_free() when done. */
struct ranges {
    struct staging_range *list; /* ascending; list[i].end < list[i + 1].start */
    size_t count;
    size_t capacity;
};

void ranges_free(struct ranges *set); /* leaves it zero-initialised */
/* Room for count ranges, so that the adds that follow cannot fail. SR_ERR_NO_MEMORY. */
int ranges_reserve(struct ranges *set, size_t count);
/* Adds [start, end), merging. An empty range adds nothing. SR_ERR_NO_MEMORY, then unchanged. */
int ranges_add(struct ranges *set, uint64_t start, uint64_t end);
/* Removes everything at and above end. */
void ranges_cut(struct ranges *set, uint64_t end);
void ranges_clear(struct ranges *set);
/* SR_ERR_NO_MEMORY, then to is unchanged. */
int ranges_copy(struct ranges *to, const struct ranges *from);
int ranges_merge(struct ranges *to, const struct ranges *from);
bool ranges_equal(const struct ranges *a, const struct ranges *b);
/* All of [start, end), which is not empty, is in the set. */
bool ranges_contain(const struct ranges *set, uint64_t start, uint64_t end);
/* Some of [start, end) is in the set. */
bool ranges_touch(const struct ranges *set, uint64_t start, uint64_t end);
/* Zeroes the bytes of data (which stands for [start, start + len)) that are not in the set. */
void ranges_mask(const struct ranges *set, uint64_t start, uint8_t *data, size_t len);
/* The complement within [0, size), a fresh array; free() it. NULL and 0 if there is none. */
int ranges_holes(const struct ranges *set, uint64_t size, struct staging_range **holes,
                 size_t *count);

#endif
