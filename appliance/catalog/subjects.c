#include "catalog/subjects.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/gathered.h"

#define CUT "…"
#define CUT_DIGITS 12

/* --- names ------------------------------------------------------------------------------------ */

static bool is_ascii_space(char c)
{
    return (unsigned char)c <= 0x20 || c == 0x7f;
}

/* What no folder of Windows has in its name; all are from 0x21 to 0x7e, which have a full-width form. */
static bool is_forbidden(char c)
{
    return c != '\0' && strchr("/\\:*?\"<>|", c) != NULL;
}

static size_t put_wide(char *out, char c)
{
    unsigned wide = 0xff01 + ((unsigned char)c - 0x21u);

    out[0] = (char)(0xe0 | wide >> 12);
    out[1] = (char)(0x80 | (wide >> 6 & 0x3f));
    out[2] = (char)(0x80 | (wide & 0x3f));
    return 3;
}

/* out has room for three times as much and one more. Returns the length. */
static size_t make_plain(const char *text, size_t len, char *out)
{
    size_t used = 0, end;

    while (len > 0 && is_ascii_space(*text)) {
        text++;
        len--;
    }
    while (len > 0 && is_ascii_space(text[len - 1]))
        len--;
    for (end = len; end > 0 && text[end - 1] == '.'; end--)
        ; /* dots at the end Windows drops; so . and .. are none either */
    for (size_t i = 0; i < len; i++)
        if (is_forbidden(text[i]) || i >= end)
            used += put_wide(out + used, text[i]);
        else
            out[used++] = is_ascii_space(text[i]) ? ' ' : text[i];
    out[used] = '\0';
    return used;
}

static int hash_fold(const char *name, uint8_t hash[SR_SHA256_LEN])
{
    char *fold = NULL;
    int rc = sr_name_fold(name, &fold);

    if (rc == 0)
        rc = sr_sha256(fold, strlen(fold), hash);
    free(fold);
    return rc;
}

/* The beginning of a name that is too long, and a hash of all of it. */
static int cut(const char *full, size_t len, char out[CATALOG_NAME_MAX + 1])
{
    uint8_t hash[SR_SHA256_LEN];
    char hex[2 * SR_SHA256_LEN + 1];
    size_t kept = CATALOG_NAME_MAX - strlen(CUT) - CUT_DIGITS;
    int rc = hash_fold(full, hash);

    if (rc < 0)
        return rc;
    sr_hex_encode(hash, sizeof(hash), hex);
    while (kept > 0 && kept < len && ((uint8_t)full[kept] & 0xc0) == 0x80)
        kept--; /* not in the middle of a character */
    snprintf(out, CATALOG_NAME_MAX + 1, "%.*s%s%.*s", (int)kept, full, CUT, CUT_DIGITS, hex);
    return 0;
}

int catalog_subject_key(const char *name, uint64_t *key)
{
    uint8_t hash[SR_SHA256_LEN];
    int rc = hash_fold(name, hash);

    *key = 0;
    if (rc < 0)
        return rc;
    for (int i = 0; i < 8; i++)
        *key = *key << 8 | hash[i];
    *key &= (UINT64_C(1) << CATALOG_KEY_BITS) - 1;
    *key += *key == 0;
    return 0;
}

/* --- the subjects of a label -------------------------------------------------------------------- */

static int add(struct subjects *subjects, const struct subject *one)
{
    for (size_t i = 0; i < subjects->count; i++)
        if (subjects->items[i].key == one->key)
            return 0;
    if (subjects->count == subjects->capacity) {
        size_t capacity = subjects->capacity == 0 ? 4 : 2 * subjects->capacity;
        struct subject *longer = realloc(subjects->items, capacity * sizeof(*longer));

        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
        subjects->items = longer;
        subjects->capacity = capacity;
    }
    subjects->items[subjects->count++] = *one;
    return 0;
}

int subjects_read(const char *label, struct subjects *out)
{
    char full[3 * CATALOG_LABEL_MAX + 1];
    struct subject one;
    int rc = 0;

    out->count = 0;
    while (rc == 0 && *label != '\0') {
        size_t part = strcspn(label, ";"), len;

        if (part > CATALOG_LABEL_MAX)
            return sr_fail(SR_ERR_INVALID, "a label is too long");
        if ((len = make_plain(label, part, full)) > 0) {
            if (len > CATALOG_NAME_MAX)
                rc = cut(full, len, one.name);
            else
                memcpy(one.name, full, len + 1);
            if (rc == 0 && (rc = catalog_subject_key(one.name, &one.key)) == 0)
                rc = add(out, &one);
        }
        label += part + (label[part] == ';');
    }
    return rc;
}

/* --- the table -------------------------------------------------------------------------------- */

/* 1: the table has exactly these. *rows: of the node in the table. */
static int is_as_before(struct catalog *catalog, uint64_t node, const struct subjects *subjects,
                        size_t *rows)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_SUBJECTS_OF);
    size_t known = 0;
    int rc;

    *rows = 0;
    catdb_bind_int(statement, 1, (int64_t)node);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        ++*rows;
        for (size_t i = 0; i < subjects->count; i++)
            known += subjects->items[i].key == (uint64_t)sqlite3_column_int64(statement, 0) &&
                     strcmp(subjects->items[i].name,
                            (const char *)sqlite3_column_text(statement, 1)) == 0;
    }
    catdb_end(statement);
    return rc < 0 ? rc : known == subjects->count && *rows == subjects->count;
}

int subjects_drop(struct catalog *catalog, uint64_t node)
{
    return catdb_run_int(catalog, CATDB_SUBJECTS_DROP, (int64_t)node);
}

int subjects_put(struct catalog *catalog, uint64_t node, const struct subjects *subjects)
{
    size_t rows;
    int rc = is_as_before(catalog, node, subjects, &rows);

    if (rc != 0)
        return rc < 0 ? rc : 0;
    if (rows > 0)
        rc = subjects_drop(catalog, node);
    for (size_t i = 0; rc == 0 && i < subjects->count; i++) {
        sqlite3_stmt *statement = catdb_use(catalog, CATDB_SUBJECT_ADD);

        catdb_bind_int(statement, 1, (int64_t)node);
        catdb_bind_int(statement, 2, (int64_t)subjects->items[i].key);
        catdb_bind_text(statement, 3, subjects->items[i].name);
        rc = catdb_run(catalog, statement);
        if (rc == 0 && catalog->facts.loaded)
            rc = keyed_add(&catalog->facts.subjects, subjects->items[i].key, node);
    }
    return rc;
}
