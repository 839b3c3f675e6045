/* A reader of JSON (RFC 8259) that goes forward: strings with NUL, whole numbers of 64 bits, no tree.
 * jansson cannot hold keys with NUL, which Cedar allows. */
#ifndef SR_POLICY_CEDAR_JSON_H
#define SR_POLICY_CEDAR_JSON_H

#include "policy/cedar.h"
#include "policy/cedar_value.h"

struct cedar_json {
    const char *at;
    const char *end;
    const char *start;
    struct cedar_error *error;
    struct cedar_arena *arena; /* of texts and values */
    bool implicit;             /* {"type", "id"} is an entity */
    unsigned depth;
    struct cedar_member *stack; /* items of the sets and records being read */
    size_t stack_count;
    size_t stack_capacity;
};

/* data must be UTF-8 (SR_ERR_INVALID otherwise). Everything here returns 0, SR_ERR_INVALID (*error is
 * set, no sentence), or SR_ERR_TOO_LARGE and SR_ERR_NO_MEMORY (sentence saved). */
int cedar_json_open(struct cedar_json *json, const uint8_t *data, size_t len, bool implicit,
                    struct cedar_arena *arena, struct cedar_error *error);
void cedar_json_close(struct cedar_json *json);

/* The first character of what comes next, white space skipped; '\0' at the end. */
char cedar_json_peek(struct cedar_json *json);
int cedar_json_expect(struct cedar_json *json, char c);
/* Within {} or [] that was entered by cedar_json_expect: whether an item comes; the closing sign is
 * read when none does. first says that none has come yet, and is set to false. 1, 0, or an error. */
int cedar_json_more(struct cedar_json *json, char close, bool *first);
int cedar_json_string(struct cedar_json *json, const struct cedar_text **out);
/* "key" and the colon. */
int cedar_json_key(struct cedar_json *json, const struct cedar_text **out);
/* Nothing but white space is left. */
int cedar_json_finish(struct cedar_json *json);
/* true or false. */
int cedar_json_bool(struct cedar_json *json, bool *out);
/* Any value, as the comment of cedar_entities_parse says. */
int cedar_json_value(struct cedar_json *json, struct cedar_value *out);
/* An object of attributes: as above, but never an escape or implicit entity itself. */
int cedar_json_record(struct cedar_json *json, const struct cedar_record **out);
/* {"type", "id"}, explicit or not. */
int cedar_json_uid(struct cedar_json *json, const struct cedar_uid **out);

int cedar_json_refuse(struct cedar_json *json, const char *at, const char *expected);
int cedar_json_memory(const struct cedar_json *json);

#endif
