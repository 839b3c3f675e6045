#include "tests/lib/mutate.h"

#include <stdlib.h>
#include <string.h>

#define ENDS 4096u /* bytes where headers and indexes are, at either end */

/* splitmix64: the same numbers everywhere, which rand() does not promise. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static size_t below(uint64_t *state, size_t limit)
{
    return limit ? (size_t)(next(state) % limit) : 0;
}

/* A third of them each: at the beginning, at the end, anywhere. */
static size_t place(uint64_t *state, size_t len)
{
    size_t ends = len < ENDS ? len : ENDS;

    switch (next(state) % 3) {
    case 0:
        return below(state, ends);
    case 1:
        return len - ends + below(state, ends);
    default:
        return below(state, len);
    }
}

static void change_number(uint8_t *at, size_t room, uint64_t *state)
{
    static const uint32_t odd[] = {0,          1,          0xff,       0xffff,
                                   0x7fffffff, 0x80000000, 0xffffffff, 0x00ffffff};
    uint32_t value = odd[below(state, sizeof(odd) / sizeof(odd[0]))];
    size_t size = next(state) % 2 ? 4 : 2;

    for (size_t i = 0; i < size && i < room; i++)
        at[i] = (uint8_t)(value >> 8 * i);
}

/* A digit for another, a mark of the syntax for another: for formats that are text. */
static void change_text(uint8_t *data, size_t len, uint64_t *state)
{
    static const char marks[] = "0123456789-.<>[]()/&;\"'= \n%{}:,";
    size_t at = place(state, len);

    for (size_t i = 0; i < 4096 && at < len; i++, at++)
        if (data[at] && strchr(marks, data[at])) {
            data[at] = (uint8_t)marks[below(state, sizeof(marks) - 1)];
            return;
        }
}

static void change(uint8_t *data, size_t len, uint64_t *state)
{
    size_t times = 1 + below(state, 12), kind = below(state, 5), at, size;

    for (size_t i = 0; i < times && len > 0; i++) {
        at = place(state, len);
        switch (kind) {
        case 0:
            data[at] ^= (uint8_t)(1u << below(state, 8));
            break;
        case 1:
            data[at] = (uint8_t)next(state);
            break;
        case 2:
            change_number(data + at, len - at, state);
            break;
        case 3:
            change_text(data, len, state);
            break;
        default: /* a lost sector, or one that stands twice */
            size = next(state) % 2 ? 512 : 64;
            if (size > len - at)
                size = len - at;
            if (next(state) % 2)
                memset(data + at, 0, size);
            else
                memmove(data + at, data + below(state, len - size + 1), size);
        }
    }
}

struct mutant mutate_bytes(const uint8_t *data, size_t len, uint64_t seed)
{
    struct mutant out = {malloc(len + 1), len};
    uint64_t state = seed;
    size_t kind = below(&state, 6), at = place(&state, len), cut;

    if (!out.data)
        abort();
    memcpy(out.data, data, len);
    out.data[len] = 0;
    if (kind == 0) {
        out.len = at;
    } else if (kind == 1 && len > 0) { /* what follows has moved */
        cut = 1 + below(&state, 16);
        cut = cut < len - at ? cut : len - at;
        memmove(out.data + at, out.data + at + cut, len - at - cut);
        out.len -= cut;
    }
    if (kind > 0 || next(&state) % 2)
        change(out.data, out.len, &state);
    return out;
}

static uint32_t le32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t crc32_of(const uint8_t *data, size_t len)
{
    uint32_t sum = 0xffffffff;

    for (size_t i = 0; i < len; i++) {
        sum ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? 0xedb88320 : 0);
    }
    return ~sum;
}

static void put_sum(uint8_t *at, uint32_t sum)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(sum >> 8 * i);
}

/* The n-th entry of the directory at the end, modulo their number; NULL when there is none. */
static uint8_t *find_entry(uint8_t *data, size_t len, size_t n)
{
    const uint8_t *end =
        len >= 22 && memcmp(data + len - 22, "PK\5\6", 4) == 0 ? data + len - 22 : NULL;
    size_t count = end ? end[10] | (size_t)end[11] << 8 : 0, at = end ? le32(end + 16) : 0;

    for (n = count ? n % count : 0; count && at + 46 <= len; n--) {
        if (n == 0)
            return data + at;
        at += 46 + (size_t)(data[at + 28] | data[at + 29] << 8) +
              (size_t)(data[at + 30] | data[at + 31] << 8) +
              (size_t)(data[at + 32] | data[at + 33] << 8);
    }
    return NULL;
}

struct mutant mutate_stored(const uint8_t *data, size_t len, uint64_t seed)
{
    struct mutant out = {malloc(len + 1), len};
    uint64_t state = seed;

    if (!out.data)
        abort();
    memcpy(out.data, data, len);
    for (size_t i = 0, times = 1 + below(&state, 3); i < times; i++) {
        uint8_t *entry = find_entry(out.data, len, (size_t)next(&state));
        size_t size = entry ? le32(entry + 24) : 0, local = entry ? le32(entry + 42) : 0, start;

        if (!entry || entry[10] || local + 30 > len) {
            free(out.data);
            return mutate_bytes(data, len, seed);
        }
        start = local + 30 + (size_t)(out.data[local + 26] | out.data[local + 27] << 8) +
                (size_t)(out.data[local + 28] | out.data[local + 29] << 8);
        if (start > len || size > len - start)
            continue;
        change(out.data + start, size, &state);
        put_sum(entry + 16, crc32_of(out.data + start, size));
        put_sum(out.data + local + 14, crc32_of(out.data + start, size));
    }
    return out;
}
