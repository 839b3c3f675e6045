#include "catalog/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_MAX 1024 /* bytes kept of one word; names are shorter */

enum char_class { CLASS_SEPARATOR, CLASS_WORD, CLASS_HAN, CLASS_NOTHING };

struct range {
    uint32_t first, last;
    enum char_class class;
};

/* Beyond ASCII a character is part of a word unless it stands here. Sorted. */
static const struct range ranges[] = {
    {0x0080, 0x00a9, CLASS_SEPARATOR},   {0x00ab, 0x00b1, CLASS_SEPARATOR},
    {0x00b4, 0x00b4, CLASS_SEPARATOR},   {0x00b6, 0x00b8, CLASS_SEPARATOR},
    {0x00bb, 0x00bf, CLASS_SEPARATOR},   {0x00d7, 0x00d7, CLASS_SEPARATOR},
    {0x00f7, 0x00f7, CLASS_SEPARATOR},   {0x2000, 0x206f, CLASS_SEPARATOR}, /* punctuation */
    {0x20a0, 0x20cf, CLASS_SEPARATOR},                                      /* currency */
    {0x2190, 0x245f, CLASS_SEPARATOR},                                      /* arrows to OCR */
    {0x2500, 0x2bff, CLASS_SEPARATOR},                                      /* boxes, symbols */
    {0x2e00, 0x2e7f, CLASS_SEPARATOR},                                      /* punctuation */
    {0x2e80, 0x2fdf, CLASS_HAN},                                            /* radicals */
    {0x2ff0, 0x3004, CLASS_SEPARATOR},   {0x3005, 0x3007, CLASS_HAN},       /* 々〆〇 */
    {0x3008, 0x3020, CLASS_SEPARATOR},                                      /* brackets */
    {0x3021, 0x3029, CLASS_HAN},         {0x302a, 0x302f, CLASS_NOTHING},   /* tone marks */
    {0x3030, 0x3030, CLASS_SEPARATOR},   {0x3031, 0x3035, CLASS_HAN},
    {0x3036, 0x3037, CLASS_SEPARATOR},   {0x3038, 0x303c, CLASS_HAN},
    {0x303d, 0x3040, CLASS_SEPARATOR},   {0x3041, 0x309a, CLASS_HAN}, /* kana */
    {0x309b, 0x309c, CLASS_SEPARATOR},   {0x309d, 0x309f, CLASS_HAN},
    {0x30a0, 0x30a0, CLASS_SEPARATOR},   {0x30a1, 0x30fa, CLASS_HAN},
    {0x30fb, 0x30fb, CLASS_SEPARATOR}, /* ・ */
    {0x30fc, 0x312f, CLASS_HAN},         {0x3190, 0x319f, CLASS_SEPARATOR},
    {0x31a0, 0x31ff, CLASS_HAN},         {0x3200, 0x33ff, CLASS_SEPARATOR}, /* ㈠㎡ */
    {0x3400, 0x4dbf, CLASS_HAN},         {0x4dc0, 0x4dff, CLASS_SEPARATOR}, /* hexagrams */
    {0x4e00, 0x9fff, CLASS_HAN},         {0xd800, 0xf8ff, CLASS_SEPARATOR}, /* private use */
    {0xf900, 0xfaff, CLASS_HAN},                                            /* compatibility */
    {0xfe00, 0xfe0f, CLASS_NOTHING},                                        /* variation marks */
    {0xfe10, 0xfe1f, CLASS_SEPARATOR},   {0xfe30, 0xfe6f, CLASS_SEPARATOR},
    {0xfeff, 0xfeff, CLASS_NOTHING},     {0xff00, 0xff0f, CLASS_SEPARATOR}, /* full-width ！… */
    {0xff1a, 0xff20, CLASS_SEPARATOR},   {0xff3b, 0xff40, CLASS_SEPARATOR},
    {0xff5b, 0xff65, CLASS_SEPARATOR},   {0xff66, 0xff9f, CLASS_HAN}, /* half-width kana */
    {0xffe0, 0xffff, CLASS_SEPARATOR},   {0x1b000, 0x1b16f, CLASS_HAN},
    {0x1d000, 0x1d3ff, CLASS_SEPARATOR}, {0x1f000, 0x1faff, CLASS_SEPARATOR}, /* emoji */
    {0x20000, 0x323af, CLASS_HAN},                                            /* extensions B–H */
    {0xe0000, 0xe0fff, CLASS_NOTHING},   {0xf0000, 0x10ffff, CLASS_SEPARATOR},
};

static enum char_class class_of(uint32_t c)
{
    size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

    if (c < 0x80) {
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        return letter || (c >= '0' && c <= '9') ? CLASS_WORD : CLASS_SEPARATOR;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (c > ranges[middle].last)
            low = middle + 1;
        else if (c < ranges[middle].first)
            high = middle;
        else
            return ranges[middle].class;
    }
    return CLASS_WORD;
}

/* One character at text (len > 0); returns its bytes. What is not UTF-8 is one byte and 0. */
static size_t decode(const char *text, size_t len, uint32_t *out)
{
    const uint8_t *s = (const uint8_t *)text;
    size_t need = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    uint32_t c;

    *out = 0;
    if (need == 0 || s[0] > 0xf4 || need > len)
        return 1;
    c = need == 1 ? s[0] : s[0] & (0xffu >> (need + 1));
    for (size_t i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1;
        c = c << 6 | (s[i] & 0x3f);
    }
    *out = c;
    return need;
}

int words_split(const char *text, size_t len, words_fn *fn, void *context)
{
    enum char_class run = CLASS_SEPARATOR;
    size_t start = 0, at = 0;
    int rc = 0;

    while (at < len && rc == 0) {
        uint32_t c;
        size_t bytes = decode(text + at, len - at, &c);
        enum char_class class = class_of(c);

        if (class == CLASS_NOTHING)
            class = run;
        if (class != run) {
            if (run != CLASS_SEPARATOR)
                rc = fn(context, run == CLASS_HAN, text + start, at - start);
            run = class;
            start = at;
        }
        at += bytes;
    }
    if (rc == 0 && run != CLASS_SEPARATOR)
        rc = fn(context, run == CLASS_HAN, text + start, len - start);
    return rc;
}

/* --- queries --------------------------------------------------------------------------------- */

struct query {
    struct sr_buf *out;
    size_t words;
};

static int query_word(void *context, bool han, const char *start, size_t len)
{
    struct query *query = context;

    sr_buf_text(query->out, query->words > 0 ? " AND \"" : "\"");
    sr_buf_append(query->out, start, len);
    sr_buf_text(query->out, han ? "\"" : "\" *");
    query->words++;
    return 0;
}

size_t words_query(const char *text, size_t len, struct sr_buf *out)
{
    struct query query = {.out = out};

    words_split(text, len, query_word, &query);
    return query.words;
}

/* --- the tokenizer --------------------------------------------------------------------------- */

typedef int token_fn(void *, int, const char *, int, int, int); /* FTS5's xToken */

struct tokens {
    const char *text;
    bool query;
    token_fn *fn;
    void *context;
};

/* ASCII letters small, full-width letters and digits as ASCII. Returns the length of the token. */
static size_t plain_token(const char *start, size_t len, char out[TOKEN_MAX])
{
    size_t used = 0;

    for (size_t at = 0; at < len;) {
        uint32_t c;
        size_t bytes = decode(start + at, len - at, &c);

        if (used + bytes > TOKEN_MAX)
            break;
        if (c >= 0xff10 && c <= 0xff5a)
            c -= 0xfee0;
        if (c < 0x80) {
            out[used++] = (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
        } else if (class_of(c) != CLASS_NOTHING) {
            memcpy(out + used, start + at, bytes);
            used += bytes;
        }
        at += bytes;
    }
    return used;
}

/* Documents: each character at its own position, each pair at the position of its first. Queries:
 * pairs only, or the one character there is. */
static int han_tokens(const struct tokens *tokens, const char *start, size_t len)
{
    char pair[8]; /* the character before, then this one */
    size_t before = 0, before_at = 0, count = 0;
    int base = (int)(start - tokens->text), rc = SQLITE_OK;

    for (size_t at = 0; at < len && rc == SQLITE_OK;) {
        uint32_t c;
        size_t bytes = decode(start + at, len - at, &c);

        if (class_of(c) == CLASS_HAN) {
            memcpy(pair + before, start + at, bytes);
            if (before > 0) /* an unigram of the character before was the last token */
                rc = tokens->fn(tokens->context, tokens->query ? 0 : FTS5_TOKEN_COLOCATED, pair,
                                (int)(before + bytes), base + (int)before_at,
                                base + (int)(at + bytes));
            memmove(pair, pair + before, bytes);
            before = bytes;
            before_at = at;
            count++;
            if (rc == SQLITE_OK && !tokens->query)
                rc = tokens->fn(tokens->context, 0, pair, (int)bytes, base + (int)at,
                                base + (int)(at + bytes));
        }
        at += bytes;
    }
    if (rc == SQLITE_OK && tokens->query && count == 1)
        rc = tokens->fn(tokens->context, 0, pair, (int)before, base + (int)before_at,
                        base + (int)(before_at + before));
    return rc;
}

static int token_word(void *context, bool han, const char *start, size_t len)
{
    const struct tokens *tokens = context;
    char token[TOKEN_MAX];
    int at = (int)(start - tokens->text);
    size_t used;

    if (han)
        return han_tokens(tokens, start, len);
    used = plain_token(start, len, token);
    if (used == 0)
        return SQLITE_OK;
    return tokens->fn(tokens->context, 0, token, (int)used, at, at + (int)len);
}

static int tokenize(Fts5Tokenizer *tokenizer, void *context, int flags, const char *text, int len,
                    token_fn *fn)
{
    struct tokens tokens = {
        .text = text, .query = (flags & FTS5_TOKENIZE_QUERY) != 0, .fn = fn, .context = context};

    (void)tokenizer;
    return words_split(text, len < 0 ? 0 : (size_t)len, token_word, &tokens);
}

/* The tokenizer has no state; FTS5 wants an address that is not NULL. */
static int tokenizer_create(void *context, const char **args, int arg_count, Fts5Tokenizer **out)
{
    (void)args;
    (void)arg_count;
    *out = context;
    return SQLITE_OK;
}

static void tokenizer_delete(Fts5Tokenizer *tokenizer)
{
    (void)tokenizer;
}

int words_register(sqlite3 *db)
{
    fts5_tokenizer methods = {tokenizer_create, tokenizer_delete, tokenize};
    sqlite3_stmt *statement = NULL;
    fts5_api *api = NULL;
    int rc = sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &statement, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_pointer(statement, 1, &api, "fts5_api_ptr", NULL);
    if (rc == SQLITE_OK && sqlite3_step(statement) != SQLITE_ROW)
        rc = SQLITE_ERROR;
    sqlite3_finalize(statement);
    if (rc != SQLITE_OK)
        return rc;
    if (api == NULL)
        return SQLITE_ERROR;
    return api->xCreateTokenizer(api, "strongroom", db, &methods, NULL);
}
