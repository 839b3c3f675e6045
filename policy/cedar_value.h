/* Values of Cedar: bool, long, string, entity reference, set, record and the four extension types.
 * Values never change once made and may be read by any number of threads; they live as long as the
 * arena they were made in, and may refer to values of other arenas that live longer.
 *
 * Makers return NULL (or SR_ERR_TOO_LARGE) when the arena is full and save no sentence: the caller
 * knows what was being made (cedar_arena_full). */
#ifndef SR_POLICY_CEDAR_VALUE_H
#define SR_POLICY_CEDAR_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/cedar_arena.h"

enum cedar_kind {
    CEDAR_BOOL,
    CEDAR_LONG,
    CEDAR_STRING,
    CEDAR_ENTITY,
    CEDAR_SET,
    CEDAR_RECORD,
    CEDAR_DECIMAL,  /* number: ten-thousandths */
    CEDAR_DATETIME, /* number: milliseconds since 1970 UTC */
    CEDAR_DURATION, /* number: milliseconds */
    CEDAR_IPADDR,
};

/* UTF-8, NUL bytes allowed; data[len] is a NUL beyond the content. hash is of the content. */
struct cedar_text {
    uint64_t hash;
    uint32_t len;
    char data[];
};

/* An entity's name: type ("Namespace::Type", no white space) and id. */
struct cedar_uid {
    uint64_t hash;
    const struct cedar_text *type;
    const struct cedar_text *id;
};

/* An address, or a range of them. An IPv4 address fills the first four bytes. */
struct cedar_ip {
    bool v6;
    uint8_t prefix;
    uint8_t address[16];
};

struct cedar_value {
    enum cedar_kind kind;
    union {
        bool boolean;
        int64_t number;
        const struct cedar_text *text;
        const struct cedar_uid *uid;
        const struct cedar_set *set;
        const struct cedar_record *record;
        const struct cedar_ip *ip;
    };
};

/* Items in the order of cedar_value_compare, no two of them equal. */
struct cedar_set {
    uint64_t hash;
    uint32_t count;
    struct cedar_value items[];
};

struct cedar_member {
    const struct cedar_text *key;
    struct cedar_value value;
};

/* Members in the order of cedar_text_compare, no two of one key. */
struct cedar_record {
    uint64_t hash;
    uint32_t count;
    struct cedar_member members[];
};

extern const struct cedar_record cedar_record_empty;

const struct cedar_text *cedar_text_make(struct cedar_arena *arena, const char *data, size_t len);
/* Here, as a decision asks it some hundred times, and nearly always the hashes settle it. */
static inline bool cedar_text_equal(const struct cedar_text *a, const struct cedar_text *b)
{
    return a == b || (a->hash == b->hash && a->len == b->len && !memcmp(a->data, b->data, a->len));
}
bool cedar_text_is(const struct cedar_text *text, const char *word);
/* A total order, by hash first: fast, and no choice of input makes searching slow. */
int cedar_text_compare(const struct cedar_text *a, const struct cedar_text *b);

/* Whether the pieces stand in text in order, the first at its beginning, the last at its end: the
 * pattern of a like, cut at its stars. count is 1 or more. */
bool cedar_text_like(const struct cedar_text *text, const struct cedar_text *const *pieces,
                     uint32_t count);

const struct cedar_uid *cedar_uid_make(struct cedar_arena *arena, const struct cedar_text *type,
                                       const struct cedar_text *id);
static inline bool cedar_uid_equal(const struct cedar_uid *a, const struct cedar_uid *b)
{
    return a == b || (a->hash == b->hash && cedar_text_equal(a->id, b->id) &&
                      cedar_text_equal(a->type, b->type));
}
int cedar_uid_compare(const struct cedar_uid *a, const struct cedar_uid *b);
/* Type::"id", the id escaped. Cut to fit at a character, the quote kept; returns out. */
const char *cedar_uid_text(const struct cedar_uid *uid, char *out, size_t size);

/* Comparing takes one step from *steps for each pair of values looked at; at 0 the result means
 * nothing and the caller gives up. steps may be NULL: no limit. Values of different kinds differ. */
bool cedar_value_equal(const struct cedar_value *a, const struct cedar_value *b, uint64_t *steps);
int cedar_value_compare(const struct cedar_value *a, const struct cedar_value *b, uint64_t *steps);
uint64_t cedar_value_hash(const struct cedar_value *value);

/* Copies items, sorted and without duplicates; items is used as scratch. */
const struct cedar_set *cedar_set_make(struct cedar_arena *arena, struct cedar_value *items,
                                       size_t count, uint64_t *steps);
bool cedar_set_contains(const struct cedar_set *set, const struct cedar_value *value,
                        uint64_t *steps);

/* Copies members, sorted; members is used as scratch. SR_ERR_EXISTS (no sentence): a key comes
 * twice, and *out is NULL. */
int cedar_record_make(struct cedar_arena *arena, struct cedar_member *members, size_t count,
                      const struct cedar_record **out);
/* NULL when there is no such member. */
const struct cedar_value *cedar_record_find(const struct cedar_record *record,
                                            const struct cedar_text *key);

/* A word for a sentence: "a bool", "a string", "an entity", … */
const char *cedar_kind_word(enum cedar_kind kind);
#endif
