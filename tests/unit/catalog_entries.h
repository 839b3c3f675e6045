/* Entries for the catalog's tests, written as short JSON.
 *
 *   '@7'    object id 7        '#7'    SHA-256 number 7        '$7' '$7+2'    node made by entry 7
 *
 * Single quotes stand for double ones.
 * `v`, `salt` and `time` (index seconds after 2026-01-01) are added where they are missing. */
#ifndef CATALOG_ENTRIES_H
#define CATALOG_ENTRIES_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "catalog/catalog.h"
#include "catalog/dump.h"

#define NODE(index) (((uint64_t)(index) + 1) * 256)
#define TIME_NS(index) ((INT64_C(1767225600) + (int64_t)(index) % 1000000) * 1000000000)

static inline struct vault_object_id object_id(unsigned n)
{
    struct vault_object_id id = {{0x0b}};

    id.bytes[14] = (uint8_t)(n >> 8);
    id.bytes[15] = (uint8_t)n;
    return id;
}

static inline void hash_of(unsigned n, uint8_t out[32])
{
    memset(out, 0x5a, 32);
    out[30] = (uint8_t)(n >> 8);
    out[31] = (uint8_t)n;
}

/* The value a short form stands for, or NULL. */
static inline json_t *entry_expand(const char *text)
{
    char hex[65];
    unsigned n, offset = 0;

    if (text[0] == '@' && sscanf(text, "@%u", &n) == 1) {
        struct vault_object_id id = object_id(n);
        sr_hex_encode(id.bytes, sizeof(id.bytes), hex);
        return json_string(hex);
    }
    if (text[0] == '#' && sscanf(text, "#%u", &n) == 1) {
        uint8_t hash[32];
        hash_of(n, hash);
        sr_hex_encode(hash, sizeof(hash), hex);
        return json_string(hex);
    }
    if (text[0] == '$' && sscanf(text, "$%u+%u", &n, &offset) >= 1) {
        snprintf(hex, sizeof(hex), "%llu", (unsigned long long)NODE(n) + offset);
        return json_string(hex);
    }
    return NULL;
}

static inline void entry_expand_in(json_t *value)
{
    const char *key;
    json_t *member, *expanded;
    void *next;
    size_t i;

    json_object_foreach_safe(value, next, key, member)
    {
        entry_expand_in(member);
        if (json_is_string(member) && (expanded = entry_expand(json_string_value(member))) != NULL)
            json_object_set_new(value, key, expanded);
    }
    json_array_foreach(value, i, member)
    {
        entry_expand_in(member);
        if (json_is_string(member) && (expanded = entry_expand(json_string_value(member))) != NULL)
            json_array_set_new(value, i, expanded);
    }
}

/* Owned by the caller. */
static inline json_t *entry_make(uint64_t index, const char *text)
{
    json_error_t error;
    char *json = strdup(text), time[32];
    json_t *entry;

    assert_non_null(json);
    for (char *c = json; *c != '\0'; c++)
        if (*c == '\'')
            *c = '"';
    entry = json_loads(json, JSON_ALLOW_NUL, &error);
    free(json);
    if (entry == NULL)
        fail_msg("%s: %s", text, error.text);
    entry_expand_in(entry);
    snprintf(time, sizeof(time), "%lld", (long long)TIME_NS((int64_t)index));
    if (json_object_get(entry, "v") == NULL)
        json_object_set_new(entry, "v", json_integer(1));
    if (json_object_get(entry, "time") == NULL)
        json_object_set_new(entry, "time", json_string(time));
    json_object_set_new(entry, "salt", json_string("00112233445566778899aabbccddeeff"));
    return entry;
}

static inline int entry_try(struct catalog *catalog, uint64_t index, const char *text)
{
    json_t *entry = entry_make(index, text);
    int rc = catalog_project(catalog, index, entry);

    json_decref(entry);
    return rc;
}

static inline void entry_ok(struct catalog *catalog, uint64_t index, const char *text)
{
    if (entry_try(catalog, index, text) != 0)
        fail_msg("%s: %s", text, sr_error_message());
}

static inline void entries_ok(struct catalog *catalog, uint64_t first, const char *const *texts,
                              size_t count)
{
    for (size_t i = 0; i < count; i++)
        entry_ok(catalog, first + i, texts[i]);
}

/* Not taken, and nothing has changed. */
static inline void entry_refused(struct catalog *catalog, uint64_t index, const char *text)
{
    struct sr_buf before = {0}, after = {0};

    assert_int_equal(dump_text(catalog, &before), 0);
    if (entry_try(catalog, index, text) != SR_ERR_INVALID)
        fail_msg("was not refused: %s", text);
    assert_int_equal(dump_text(catalog, &after), 0);
    assert_string_equal(before.data, after.data);
    assert_int_equal(dump_check(catalog), 0);
    sr_buf_free(&before);
    sr_buf_free(&after);
}

static inline struct catalog_node node_get(struct catalog *catalog, uint64_t id)
{
    struct catalog_node node;

    if (catalog_get(catalog, id, &node) != 0)
        fail_msg("%s", sr_error_message());
    return node;
}

static inline void path_is(struct catalog *catalog, uint64_t id, const char *expected)
{
    char *path;

    assert_int_equal(catalog_path(catalog, id, &path, NULL), 0);
    assert_string_equal(path, expected);
    free(path);
}

static inline struct catalog_version version_get(struct catalog *catalog, unsigned object)
{
    struct vault_object_id id = object_id(object);
    struct catalog_version version;

    if (catalog_object(catalog, &id, &version) != 0)
        fail_msg("%s", sr_error_message());
    return version;
}

static inline void check(struct catalog *catalog)
{
    if (dump_check(catalog) != 0)
        fail_msg("%s", sr_error_message());
}

/* cmocka's set-up and tear-down: *state is a fresh catalog. */
static inline int open_catalog(void **state)
{
    return catalog_open_memory((struct catalog **)state);
}

static inline int close_catalog(void **state)
{
    catalog_close(*state);
    return 0;
}

/* Collects ids: node_ids[0 .. count). */
struct ids {
    uint64_t id[64];
    size_t count;
};

static inline int collect(void *context, const struct catalog_node *node)
{
    struct ids *ids = context;

    assert_true(ids->count < sizeof(ids->id) / sizeof(ids->id[0]));
    ids->id[ids->count++] = node->id;
    return 0;
}

#endif
