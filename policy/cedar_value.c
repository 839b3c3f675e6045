#include "policy/cedar_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

const struct cedar_record cedar_record_empty = {0};

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * MULTIPLIER;
    return hash ^ hash >> 29;
}

static uint64_t hash_bytes(const char *data, size_t len)
{
    uint64_t hash = mix(len, MULTIPLIER);
    for (; len >= 8; data += 8, len -= 8) {
        uint64_t word;
        memcpy(&word, data, 8);
        hash = mix(hash, word);
    }
    uint64_t word = 0;
    memcpy(&word, data, len);
    return mix(mix(hash, word), len);
}

const struct cedar_text *cedar_text_make(struct cedar_arena *arena, const char *data, size_t len)
{
    struct cedar_text *text =
        len < UINT32_MAX ? cedar_arena_alloc(arena, sizeof(*text) + len + 1) : NULL;
    if (!text)
        return NULL;
    text->len = (uint32_t)len;
    if (len)
        memcpy(text->data, data, len);
    text->data[len] = '\0';
    text->hash = hash_bytes(text->data, len);
    return text;
}

bool cedar_text_is(const struct cedar_text *text, const char *word)
{
    return text->len == strlen(word) && !memcmp(text->data, word, text->len);
}

int cedar_text_compare(const struct cedar_text *a, const struct cedar_text *b)
{
    if (a == b)
        return 0;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    if (a->len != b->len)
        return a->len < b->len ? -1 : 1;
    return memcmp(a->data, b->data, a->len);
}

/* UTF-8 pieces are only found where characters begin, so bytes will do. */
bool cedar_text_like(const struct cedar_text *text, const struct cedar_text *const *pieces,
                     uint32_t count)
{
    const char *at = text->data;
    size_t left = text->len;
    const struct cedar_text *first = pieces[0];
    const struct cedar_text *last = pieces[count - 1];
    if (left < first->len || memcmp(at, first->data, first->len))
        return false;
    at += first->len;
    left -= first->len;
    if (count == 1)
        return left == 0;
    if (left < last->len || memcmp(at + left - last->len, last->data, last->len))
        return false;
    left -= last->len;
    for (uint32_t i = 1; i + 1 < count; i++) {
        const char *found = memmem(at, left, pieces[i]->data, pieces[i]->len);
        if (!found)
            return false;
        left -= (size_t)(found - at) + pieces[i]->len;
        at = found + pieces[i]->len;
    }
    return true;
}

const struct cedar_uid *cedar_uid_make(struct cedar_arena *arena, const struct cedar_text *type,
                                       const struct cedar_text *id)
{
    struct cedar_uid *uid = cedar_arena_alloc(arena, sizeof(*uid));
    if (uid)
        *uid = (struct cedar_uid){mix(type->hash, id->hash), type, id};
    return uid;
}

int cedar_uid_compare(const struct cedar_uid *a, const struct cedar_uid *b)
{
    if (a == b)
        return 0;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    int order = cedar_text_compare(a->type, b->type);
    return order ? order : cedar_text_compare(a->id, b->id);
}

const char *cedar_uid_text(const struct cedar_uid *uid, char *out, size_t size)
{
    int used = snprintf(out, size, "%s::\"", uid->type->data);
    size_t len = used < 0 ? size : (size_t)used;
    for (uint32_t i = 0; i < uid->id->len; i++) {
        char shown[12] = {uid->id->data[i]};
        unsigned char c = (unsigned char)uid->id->data[i];
        if (c < 0x20 || c == 0x7f)
            snprintf(shown, sizeof(shown), "\\u{%x}", c);
        else if (c == '"' || c == '\\')
            snprintf(shown, sizeof(shown), "\\%c", c);
        /* Whole characters only, and room for the quote. */
        size_t left = c < 0xc0 ? strlen(shown) : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if ((c & 0xc0) != 0x80 && len + left + 2 > size)
            break;
        if (len + strlen(shown) + 1 > size)
            break;
        memcpy(out + len, shown, strlen(shown) + 1);
        len += strlen(shown);
    }
    if (len + 2 <= size)
        memcpy(out + len, "\"", 2);
    return out;
}

uint64_t cedar_value_hash(const struct cedar_value *value)
{
    uint64_t seed = (uint64_t)value->kind + 1;
    switch (value->kind) {
    case CEDAR_BOOL:
        return mix(seed, value->boolean);
    case CEDAR_LONG:
    case CEDAR_DECIMAL:
    case CEDAR_DATETIME:
    case CEDAR_DURATION:
        return mix(seed, (uint64_t)value->number);
    case CEDAR_STRING:
        return mix(seed, value->text->hash);
    case CEDAR_ENTITY:
        return mix(seed, value->uid->hash);
    case CEDAR_SET:
        return mix(seed, value->set->hash);
    case CEDAR_RECORD:
        return mix(seed, value->record->hash);
    case CEDAR_IPADDR:
        return mix(seed + value->ip->prefix, hash_bytes((const char *)value->ip->address, 16));
    }
    return 0;
}

static int compare_sets(const struct cedar_set *a, const struct cedar_set *b, uint64_t *steps)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = 0; i < a->count; i++) {
        int order = cedar_value_compare(&a->items[i], &b->items[i], steps);
        if (order)
            return order;
    }
    return 0;
}

static int compare_records(const struct cedar_record *a, const struct cedar_record *b,
                           uint64_t *steps)
{
    if (a->count != b->count)
        return a->count < b->count ? -1 : 1;
    for (uint32_t i = 0; i < a->count; i++) {
        int order = cedar_text_compare(a->members[i].key, b->members[i].key);
        if (!order)
            order = cedar_value_compare(&a->members[i].value, &b->members[i].value, steps);
        if (order)
            return order;
    }
    return 0;
}

static int compare_ips(const struct cedar_ip *a, const struct cedar_ip *b)
{
    if (a->v6 != b->v6)
        return a->v6 ? 1 : -1;
    if (a->prefix != b->prefix)
        return a->prefix < b->prefix ? -1 : 1;
    return memcmp(a->address, b->address, sizeof(a->address));
}

int cedar_value_compare(const struct cedar_value *a, const struct cedar_value *b, uint64_t *steps)
{
    if (steps) {
        if (!*steps)
            return 0;
        --*steps;
    }
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    uint64_t left = cedar_value_hash(a);
    uint64_t right = cedar_value_hash(b);
    if (left != right)
        return left < right ? -1 : 1;
    switch (a->kind) {
    case CEDAR_BOOL:
        return (a->boolean > b->boolean) - (a->boolean < b->boolean);
    case CEDAR_LONG:
    case CEDAR_DECIMAL:
    case CEDAR_DATETIME:
    case CEDAR_DURATION:
        return (a->number > b->number) - (a->number < b->number);
    case CEDAR_STRING:
        return cedar_text_compare(a->text, b->text);
    case CEDAR_ENTITY:
        return cedar_uid_compare(a->uid, b->uid);
    case CEDAR_SET:
        return a->set == b->set ? 0 : compare_sets(a->set, b->set, steps);
    case CEDAR_RECORD:
        return a->record == b->record ? 0 : compare_records(a->record, b->record, steps);
    case CEDAR_IPADDR:
        return compare_ips(a->ip, b->ip);
    }
    return 0;
}

bool cedar_value_equal(const struct cedar_value *a, const struct cedar_value *b, uint64_t *steps)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) { /* what policies compare most needs no hash */
    case CEDAR_BOOL:
        return a->boolean == b->boolean;
    case CEDAR_LONG:
        return a->number == b->number;
    case CEDAR_STRING:
        return cedar_text_equal(a->text, b->text);
    case CEDAR_ENTITY:
        return cedar_uid_equal(a->uid, b->uid);
    default:
        return cedar_value_compare(a, b, steps) == 0;
    }
}

static int compare_items(const void *a, const void *b, void *steps)
{
    return cedar_value_compare(a, b, steps);
}

const struct cedar_set *cedar_set_make(struct cedar_arena *arena, struct cedar_value *items,
                                       size_t count, uint64_t *steps)
{
    if (count > 1)
        qsort_r(items, count, sizeof(*items), compare_items, steps);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (!kept || cedar_value_compare(&items[kept - 1], &items[i], steps))
            items[kept++] = items[i];
    struct cedar_set *set = NULL;
    if (kept < UINT32_MAX)
        set = cedar_arena_alloc(arena, sizeof(*set) + kept * sizeof(*items));
    if (!set)
        return NULL;
    set->hash = mix(kept, CEDAR_SET);
    set->count = (uint32_t)kept;
    for (size_t i = 0; i < kept; i++) {
        set->items[i] = items[i];
        set->hash = mix(set->hash, cedar_value_hash(&items[i]));
    }
    return set;
}

bool cedar_set_contains(const struct cedar_set *set, const struct cedar_value *value,
                        uint64_t *steps)
{
    uint32_t low = 0;
    uint32_t high = set->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = cedar_value_compare(&set->items[middle], value, steps);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int compare_members(const void *left, const void *right)
{
    const struct cedar_member *a = left;
    const struct cedar_member *b = right;
    return cedar_text_compare(a->key, b->key);
}

int cedar_record_make(struct cedar_arena *arena, struct cedar_member *members, size_t count,
                      const struct cedar_record **out)
{
    *out = NULL;
    bool sorted = true;
    for (size_t i = 1; sorted && i < count; i++)
        sorted = compare_members(&members[i - 1], &members[i]) < 0;
    if (!sorted)
        qsort(members, count, sizeof(*members), compare_members);
    for (size_t i = 1; !sorted && i < count; i++)
        if (cedar_text_equal(members[i - 1].key, members[i].key))
            return SR_ERR_EXISTS;
    struct cedar_record *record = NULL;
    if (count < UINT32_MAX)
        record = cedar_arena_alloc(arena, sizeof(*record) + count * sizeof(*members));
    if (!record)
        return SR_ERR_TOO_LARGE;
    record->hash = count; /* of an empty one 0, as in cedar_record_empty */
    record->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        record->members[i] = members[i];
        record->hash =
            mix(mix(record->hash, members[i].key->hash), cedar_value_hash(&members[i].value));
    }
    *out = record;
    return 0;
}

const struct cedar_value *cedar_record_find(const struct cedar_record *record,
                                            const struct cedar_text *key)
{
    uint32_t low = 0;
    uint32_t high = record->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = cedar_text_compare(record->members[middle].key, key);
        if (order == 0)
            return &record->members[middle].value;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const char *cedar_kind_word(enum cedar_kind kind)
{
    static const char *const words[] = {
        [CEDAR_BOOL] = "a bool",         [CEDAR_LONG] = "a long",
        [CEDAR_STRING] = "a string",     [CEDAR_ENTITY] = "an entity",
        [CEDAR_SET] = "a set",           [CEDAR_RECORD] = "a record",
        [CEDAR_DECIMAL] = "a decimal",   [CEDAR_DATETIME] = "a datetime",
        [CEDAR_DURATION] = "a duration", [CEDAR_IPADDR] = "an ipaddr",
    };
    return words[kind];
}
