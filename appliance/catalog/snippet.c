/* A piece of a text around what was looked for. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/search.h"
#include "catalog/words.h"

#define BEFORE 90 /* bytes shown in front of the first word */
#define NEEDLES 64

struct needles { /* the words of the query, small letters; Han runs as they are */
    char *words[NEEDLES];
    size_t count;
};

static int keep_needle(void *context, bool han, const char *start, size_t len)
{
    struct needles *needles = context;
    char *word = needles->count < NEEDLES ? strndup(start, len) : NULL;

    (void)han;
    if (word != NULL)
        needles->words[needles->count++] = word;
    return 0;
}

static void collect(const struct search_query *query, struct needles *out)
{
    for (size_t i = 0; i < query->count; i++) {
        const struct search_term *term = &query->terms[i];
        char *fold = NULL;

        if (!term->negated && (term->column == SEARCH_ANY || term->column == SEARCH_TEXT) &&
            sr_name_fold(term->text, &fold) == 0)
            words_split(fold, strlen(fold), keep_needle, out);
        free(fold);
    }
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_letter(char c)
{
    c = small(c);
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Bytes of the needle that stands at the place; 0: none. Words of letters begin at their beginning. */
static size_t needle_at(const struct needles *needles, const char *text, size_t len, size_t at)
{
    size_t best = 0;

    for (size_t i = 0; i < needles->count; i++) {
        const char *word = needles->words[i];
        size_t size = strlen(word), k = 0;

        if (size <= best || size > len - at ||
            (is_letter(word[0]) && at > 0 && is_letter(text[at - 1])))
            continue;
        while (k < size && small(text[at + k]) == word[k])
            k++;
        if (k == size)
            best = size;
    }
    return best;
}

static size_t char_start(const char *text, size_t at)
{
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80)
        at--;
    return at;
}

static void put(char *out, size_t *used, const char *text, size_t len)
{
    if (*used + len <= SNIPPET_MAX) {
        memcpy(out + *used, text, len);
        *used += len;
    }
}

/* From `at` on until it is full; returns where it ended. */
static size_t write_piece(const struct needles *needles, const char *text, size_t len, size_t at,
                          char *out, size_t *used)
{
    while (at < len && *used < SNIPPET_MAX - 80) {
        size_t word = needle_at(needles, text, len, at);
        size_t size = 1;

        if (word > 0 && word < 60) {
            put(out, used, "【", strlen("【"));
            put(out, used, text + at, word);
            put(out, used, "】", strlen("】"));
            at += word;
            continue;
        }
        while (at + size < len && ((unsigned char)text[at + size] & 0xc0) == 0x80)
            size++;
        if ((unsigned char)text[at] >= 0x20)
            put(out, used, text + at, size);
        else if (*used > 0 && out[*used - 1] != ' ')
            put(out, used, " ", 1);
        at += size;
    }
    return at;
}

bool search_snippet(const struct search_query *query, const char *text, size_t len,
                    char out[SNIPPET_MAX + 1])
{
    struct needles needles = {.count = 0};
    size_t first = 0, start, used = 0;

    collect(query, &needles);
    while (first < len && needle_at(&needles, text, len, first) == 0)
        first++;
    if (first < len) {
        start = first > BEFORE ? char_start(text, first - BEFORE) : 0;
        if (start > 0)
            put(out, &used, "…", strlen("…"));
        if (write_piece(&needles, text, len, start, out, &used) < len)
            put(out, &used, "…", strlen("…"));
    }
    out[used] = '\0';
    for (size_t i = 0; i < needles.count; i++)
        free(needles.words[i]);
    return first < len;
}
