/* Values of Cedar within JSON: numbers, sets, records, and the escapes __entity and __extn. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_entities.h"
#include "policy/cedar_extension.h"
#include "policy/cedar_json.h"
#include "policy/cedar_lex.h"

static int read_number(struct cedar_json *json, struct cedar_value *out)
{
    static const char expected[] = "a whole number of 64 bits";
    const char *start = json->at;
    const char *at = start;
    bool minus = *at == '-';
    int64_t value = 0;
    at += minus;
    const char *digits = at;
    for (; at < json->end && *at >= '0' && *at <= '9'; at++)
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, *at - '0', &value))
            return cedar_json_refuse(json, start, expected);
    bool zero_first = at - digits > 1 && *digits == '0';
    bool fraction = at < json->end && (*at == '.' || *at == 'e' || *at == 'E');
    if (at == digits || zero_first || fraction || (minus && value == 0) ||
        (!minus && value == INT64_MIN))
        return cedar_json_refuse(json, start, expected);
    json->at = at;
    *out = (struct cedar_value){.kind = CEDAR_LONG, .number = minus ? value : -value};
    return 0;
}

static int push(struct cedar_json *json, const struct cedar_text *key,
                const struct cedar_value *value)
{
    if (json->stack_count == CEDAR_VALUE_ITEMS_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "JSON values have more than %zu items",
                       CEDAR_VALUE_ITEMS_MAX);
    if (json->stack_count == json->stack_capacity) {
        size_t capacity = json->stack_capacity ? 2 * json->stack_capacity : 64;
        struct cedar_member *grown = realloc(json->stack, capacity * sizeof(*grown));
        if (!grown)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        json->stack = grown;
        json->stack_capacity = capacity;
    }
    json->stack[json->stack_count++] = (struct cedar_member){key, *value};
    return 0;
}

static int read_set(struct cedar_json *json, struct cedar_value *out)
{
    size_t base = json->stack_count;
    bool first = true;
    int rc = cedar_json_expect(json, '[');
    while (rc == 0 && (rc = cedar_json_more(json, ']', &first)) > 0) {
        struct cedar_value item;
        rc = cedar_json_value(json, &item);
        if (rc == 0)
            rc = push(json, NULL, &item);
    }
    if (rc < 0)
        return rc;
    size_t count = json->stack_count - base;
    struct cedar_value *items = malloc((count + 1) * sizeof(*items));
    if (!items)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < count; i++)
        items[i] = json->stack[base + i].value;
    json->stack_count = base;
    *out = (struct cedar_value){.kind = CEDAR_SET,
                                .set = cedar_set_make(json->arena, items, count, NULL)};
    free(items);
    return out->set ? 0 : cedar_json_memory(json);
}

static int make_uid(struct cedar_json *json, const struct cedar_text *type,
                    const struct cedar_text *id, const struct cedar_uid **out)
{
    *out = cedar_uid_make(json->arena, type, id);
    return *out ? 0 : cedar_json_memory(json);
}

/* "type" and "id", the brace read already. */
static int read_type_and_id(struct cedar_json *json, const char *start,
                            const struct cedar_uid **out)
{
    const struct cedar_text *type = NULL;
    const struct cedar_text *id = NULL;
    const struct cedar_text *key;
    bool first = true;
    int rc;
    while ((rc = cedar_json_more(json, '}', &first)) > 0) {
        const char *at = json->at;
        rc = cedar_json_key(json, &key);
        if (rc < 0)
            return rc;
        cedar_json_peek(json);
        const char *value = json->at;
        if (cedar_text_is(key, "type") && !type) {
            rc = cedar_json_string(json, &type);
            if (rc == 0 && !cedar_lex_is_name(type->data, type->len))
                return cedar_json_refuse(json, value, "the name of an entity type");
        } else if (cedar_text_is(key, "id") && !id) {
            rc = cedar_json_string(json, &id);
        } else if (cedar_text_is(key, "__entity") && !type && !id) {
            rc = cedar_json_expect(json, '{');
            if (rc == 0)
                rc = read_type_and_id(json, value, out);
            return rc < 0 ? rc : cedar_json_expect(json, '}');
        } else {
            return cedar_json_refuse(json, at, "\"type\" and \"id\", once each");
        }
        if (rc < 0)
            return rc;
    }
    if (rc == 0 && (!type || !id))
        return cedar_json_refuse(json, start, "\"type\" and \"id\"");
    return rc < 0 ? rc : make_uid(json, type, id, out);
}

int cedar_json_uid(struct cedar_json *json, const struct cedar_uid **out)
{
    *out = NULL;
    cedar_json_peek(json);
    const char *start = json->at;
    int rc = cedar_json_expect(json, '{');
    return rc < 0 ? rc : read_type_and_id(json, start, out);
}

/* Applies an extension function to the arguments that "__extn" gave. */
static int call_extension(struct cedar_json *json, const char *start, const struct cedar_text *name,
                          const struct cedar_value *args, unsigned count, struct cedar_value *out)
{
    bool constructor;
    int function = name ? cedar_extension_find(name->data, name->len, &constructor) : -1;
    if (function < 0)
        return cedar_json_refuse(json, start, "\"fn\", a function of an extension type");
    bool fits = count == cedar_extension_arity((enum cedar_function)function);
    for (unsigned i = 0; fits && i < count; i++)
        fits = args[i].kind == cedar_extension_takes((enum cedar_function)function, i);
    if (!fits)
        return cedar_json_refuse(json, start, "the arguments that the function takes");
    int rc = cedar_extension_call((enum cedar_function)function, args, json->arena, out);
    if (rc == SR_ERR_INVALID)
        return cedar_json_refuse(json, start, "arguments of the extension type's form");
    return rc < 0 ? cedar_json_memory(json) : 0;
}

/* The value of "__extn": {"fn": name, "arg": value} or {"fn": name, "args": [value, …]}. */
static int read_extension(struct cedar_json *json, struct cedar_value *out)
{
    const struct cedar_text *name = NULL;
    const struct cedar_text *key;
    struct cedar_value args[2];
    unsigned count = 0;
    bool first = true;
    cedar_json_peek(json);
    const char *start = json->at;
    int rc = cedar_json_expect(json, '{');
    while (rc == 0 && (rc = cedar_json_more(json, '}', &first)) > 0) {
        cedar_json_peek(json);
        const char *at = json->at;
        rc = cedar_json_key(json, &key);
        if (rc < 0)
            return rc;
        if (cedar_text_is(key, "fn") && !name) {
            rc = cedar_json_string(json, &name);
        } else if (cedar_text_is(key, "arg") && !count) {
            rc = cedar_json_value(json, &args[count++]);
        } else if (cedar_text_is(key, "args") && !count) {
            bool none = true;
            rc = cedar_json_expect(json, '[');
            while (rc == 0 && (rc = cedar_json_more(json, ']', &none)) > 0) {
                if (count == 2)
                    return cedar_json_refuse(json, json->at, "at most two arguments");
                rc = cedar_json_value(json, &args[count++]);
            }
        } else {
            return cedar_json_refuse(json, at, "\"fn\" and \"arg\" or \"args\", once each");
        }
    }
    return rc < 0 ? rc : call_extension(json, start, name, args, count, out);
}

/* An object of exactly the strings type and id, where that is allowed to mean an entity. */
static int make_implicit(struct cedar_json *json, struct cedar_value *value)
{
    const struct cedar_text *type = NULL;
    const struct cedar_text *id = NULL;
    const struct cedar_record *record = value->record;
    if (!json->implicit || record->count != 2)
        return 0;
    for (uint32_t i = 0; i < 2; i++) {
        const struct cedar_member *member = &record->members[i];
        if (member->value.kind == CEDAR_STRING && cedar_text_is(member->key, "type"))
            type = member->value.text;
        if (member->value.kind == CEDAR_STRING && cedar_text_is(member->key, "id"))
            id = member->value.text;
    }
    if (!type || !id || !cedar_lex_is_name(type->data, type->len))
        return 0;
    value->kind = CEDAR_ENTITY;
    return make_uid(json, type, id, &value->uid);
}

/* Whether a key has a meaning of its own, and so cannot be an attribute in JSON. */
static bool is_escape(const struct cedar_text *key)
{
    return cedar_text_is(key, "__entity") || cedar_text_is(key, "__extn") ||
           cedar_text_is(key, "__expr");
}

static int read_escape_value(struct cedar_json *json, const char *at, const struct cedar_text *key,
                             struct cedar_value *out)
{
    int rc;
    if (cedar_text_is(key, "__extn")) {
        rc = read_extension(json, out);
    } else if (cedar_text_is(key, "__entity")) {
        out->kind = CEDAR_ENTITY;
        rc = cedar_json_uid(json, &out->uid);
    } else {
        return cedar_json_refuse(json, at, "no \"__expr\": Cedar gave it up");
    }
    return rc < 0 ? rc : cedar_json_expect(json, '}');
}

/* plain: the object is attributes, whatever its members are called, and no escape. */
static int read_object(struct cedar_json *json, bool plain, struct cedar_value *out)
{
    size_t base = json->stack_count;
    const char *start = json->at;
    bool first = true;
    int rc = cedar_json_expect(json, '{');
    while (rc == 0 && (rc = cedar_json_more(json, '}', &first)) > 0) {
        const struct cedar_text *key;
        struct cedar_value value;
        cedar_json_peek(json);
        const char *at = json->at;
        rc = cedar_json_key(json, &key);
        if (rc == 0 && is_escape(key)) {
            if (plain || json->stack_count != base)
                return cedar_json_refuse(json, at, "an escape as the only member of a value");
            return read_escape_value(json, at, key, out);
        }
        if (rc == 0)
            rc = cedar_json_value(json, &value);
        if (rc == 0)
            rc = push(json, key, &value);
    }
    if (rc < 0)
        return rc;
    out->kind = CEDAR_RECORD;
    rc = cedar_record_make(json->arena, json->stack ? json->stack + base : NULL,
                           json->stack_count - base, &out->record);
    json->stack_count = base;
    if (rc == SR_ERR_EXISTS)
        return cedar_json_refuse(json, start, "an object that has each key once");
    if (rc < 0)
        return cedar_json_memory(json);
    return plain ? 0 : make_implicit(json, out);
}

int cedar_json_value(struct cedar_json *json, struct cedar_value *out)
{
    int rc;
    char c = cedar_json_peek(json);
    *out = (struct cedar_value){0};
    if (json->depth >= CEDAR_VALUE_DEPTH_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "JSON values nest more than %d deep",
                       CEDAR_VALUE_DEPTH_MAX);
    json->depth++;
    if (c == '{') {
        rc = read_object(json, false, out);
    } else if (c == '[') {
        rc = read_set(json, out);
    } else if (c == '"') {
        out->kind = CEDAR_STRING;
        rc = cedar_json_string(json, &out->text);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        rc = read_number(json, out);
    } else if (c == 't' || c == 'f') {
        out->kind = CEDAR_BOOL;
        rc = cedar_json_bool(json, &out->boolean);
    } else {
        rc = cedar_json_refuse(json, json->at, "a string, whole number, bool, list or object");
    }
    json->depth--;
    return rc;
}

int cedar_json_record(struct cedar_json *json, const struct cedar_record **out)
{
    struct cedar_value value;
    cedar_json_peek(json);
    int rc = read_object(json, true, &value);
    *out = rc == 0 ? value.record : NULL;
    return rc;
}
