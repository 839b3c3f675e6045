/* What fuzz targets share: the entry point, a check that stops, inputs of several parts. */
#ifndef SR_TESTS_FUZZ_FUZZ_H
#define SR_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define must(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

struct part {
    const uint8_t *data;
    size_t len;
};

/* The text up to the next line of "---", which is skipped. */
static inline struct part next_part(const uint8_t **data, size_t *size)
{
    static const char mark[] = "\n---\n";
    const uint8_t *found = *size ? memmem(*data, *size, mark, sizeof(mark) - 1) : NULL;
    struct part part = {*data, found ? (size_t)(found - *data) : *size};
    size_t skipped = part.len + (found ? sizeof(mark) - 1 : 0);
    *data += skipped;
    *size -= skipped;
    return part;
}

#endif
