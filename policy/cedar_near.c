#include "policy/cedar_near.h"

#include <string.h>

#define CHARS_MAX 64 /* of a name that has a suggestion */

void cedar_near_open(struct cedar_near *near, const struct cedar_text *wanted)
{
    *near = (struct cedar_near){.wanted = wanted};
}

/* The characters of a text, ASCII letters in lower case. -1: too many. */
static int read_chars(const char *text, size_t len, uint32_t out[CHARS_MAX])
{
    int count = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
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

static int compare_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

void cedar_near_offer(struct cedar_near *near, const char *name, size_t len, const void *item)
{
    uint32_t wanted[CHARS_MAX];
    uint32_t offered[CHARS_MAX];
    int wanted_len = read_chars(near->wanted->data, near->wanted->len, wanted);
    int offered_len = read_chars(name, len, offered);
    if (wanted_len < 0 || offered_len < 0)
        return;
    unsigned found = distance(wanted, wanted_len, offered, offered_len);
    if (!found && compare_bytes(near->wanted->data, near->wanted->len, name, len) != 0)
        found = 1;
    if (found > ((unsigned)wanted_len + 2) / 3)
        return;
    if (near->best &&
        (found > near->distance ||
         (found == near->distance && compare_bytes(name, len, near->name, near->len) >= 0)))
        return;
    near->best = item;
    near->name = name;
    near->len = len;
    near->distance = found;
}
