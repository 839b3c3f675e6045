#include "policy/cedar_near.h"

#include <string.h>

#define CHARS_MAX 64 /* of a name that has a suggestion */

void cedar_near_open(struct cedar_near *near, const struct cedar_text *wanted)
{
    *near = (struct cedar_near){.wanted = wanted};
}

/* The characters of a text, ASCII letters in lower case. -1: too many. */
static int read_chars(const struct cedar_text *text, uint32_t out[CHARS_MAX])
{
    int count = 0;
    for (uint32_t i = 0; i < text->len; i++) {
        unsigned char c = (unsigned char)text->data[i];
        if ((c & 0xc0) == 0x80 && count) { /* the bytes of a character differ where it does */
            out[count - 1] = out[count - 1] << 8 | c;
            continue;
        }
        if (count == CHARS_MAX)
            return -1;
        out[count++] = c >= 'A' && c <= 'Z' ? c | 0x20u : c;
    }
    return count;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* How many changes make one of the other, two neighbours that change places being one change. */
static unsigned distance(const uint32_t *a, int a_len, const uint32_t *b, int b_len)
{
    unsigned rows[3][CHARS_MAX + 1];
    for (int k = 0; k <= b_len; k++)
        rows[0][k] = (unsigned)k;
    for (int i = 1; i <= a_len; i++) {
        unsigned *row = rows[i % 3];
        const unsigned *last = rows[(i + 2) % 3];
        const unsigned *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (int k = 1; k <= b_len; k++) {
            row[k] = least(least(row[k - 1], last[k]) + 1, last[k - 1] + (a[i - 1] != b[k - 1]));
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
                row[k] = least(row[k], before[k - 2] + 1);
        }
    }
    return rows[a_len % 3][b_len];
}

static int compare_bytes(const struct cedar_text *a, const struct cedar_text *b)
{
    int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
}

void cedar_near_offer(struct cedar_near *near, const struct cedar_text *name, const void *item)
{
    uint32_t wanted[CHARS_MAX];
    uint32_t offered[CHARS_MAX];
    int wanted_len = read_chars(near->wanted, wanted);
    int offered_len = read_chars(name, offered);
    if (wanted_len < 0 || offered_len < 0)
        return;
    unsigned found = distance(wanted, wanted_len, offered, offered_len);
    if (!found && !cedar_text_equal(near->wanted, name))
        found = 1;
    if (found > ((unsigned)wanted_len + 2) / 3)
        return;
    if (near->best && (found > near->distance ||
                       (found == near->distance && compare_bytes(name, near->name) >= 0)))
        return;
    near->best = item;
    near->name = name;
    near->distance = found;
}
