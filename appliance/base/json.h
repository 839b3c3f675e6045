/* JSON: jansson's values, RFC 8785 (JCS) writing is ours: keys sorted by UTF-16 code units, numbers
 * in ECMAScript's shortest form, no white space. */
#ifndef SR_BASE_JSON_H
#define SR_BASE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

/* Appends the canonical form. SR_ERR_INVALID for what RFC 8785 cannot hold (integers beyond 2^53). */
int sr_json_canonical(const json_t *value, struct sr_buf *out);
/* Parses one value, whole input, duplicate keys refused, at most 64 deep. *out is owned by the caller. */
int sr_json_parse(const uint8_t *data, size_t len, json_t **out);
/* Times and other numbers that may exceed 2^53 are decimal strings. Return SR_ERR_INVALID if the
 * member is absent or of another type. */
int sr_json_get_u64(const json_t *object, const char *key,
                    uint64_t *out); /* integer or decimal string */
int sr_json_get_i64(const json_t *object, const char *key,
                    int64_t *out); /* integer or decimal string */
int sr_json_get_text(const json_t *object, const char *key, const char **out); /* owned by object */
int sr_json_get_hex(const json_t *object, const char *key, uint8_t *out, size_t len);
/* json_t string nodes; NULL when out of memory. */
json_t *sr_json_u64_text(uint64_t value);
json_t *sr_json_i64_text(int64_t value);
json_t *sr_json_hex(const uint8_t *data, size_t len);

/* Memory for many values that all end together: nothing of it is given back one by one. While a thread uses an arena,
 * every value that it makes lies there, and json_decref of one costs nothing. Another thread may read such values, not
 * drop their last reference; and what jansson returns to be freed (json_dumps) is not asked for meanwhile. */
struct sr_json_arena;
int sr_json_arena_new(struct sr_json_arena **out);   /* fresh */
void sr_json_arena_use(struct sr_json_arena *arena); /* by this thread, from here on; NULL: none */
void sr_json_arena_clear(struct sr_json_arena *arena); /* every value in it ends */
void sr_json_arena_free(struct sr_json_arena *arena);  /* not while it is used; NULL is nothing */

#endif
