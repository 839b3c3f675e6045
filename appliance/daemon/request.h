/* Requests of the control socket: one line of JSON, {"op": "...", ...}. Pure: parsing and
 * checking takes bytes and does no I/O, so that unit tests and the fuzzer share the way in.
 *
 * After request_parse every member is known to the operation, of its type and within its limits,
 * and the required ones are there, so that handlers need not look again. */
#ifndef SR_DAEMON_REQUEST_H
#define SR_DAEMON_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_MAX 65536 /* bytes of one request line */
#define REQUEST_FIELDS_MAX 8
#define REQUEST_PATH_MAX 4096
#define REQUEST_NAME_MAX 255
#define REQUEST_TEXT_MAX 4000

enum request_type {
    REQUEST_TEXT,
    REQUEST_TEXT_OR_EMPTY,
    REQUEST_NUMBER,
    REQUEST_BOOL,
    REQUEST_TEXTS,      /* each of at most REQUEST_NAME_MAX bytes */
    REQUEST_LONG_TEXTS, /* each of at most REQUEST_TEXT_MAX */
};

struct request_field {
    const char *name; /* NULL ends the list */
    enum request_type type;
    bool required;
    uint64_t
        max; /* bytes of a text (never empty, unless so named), number itself, texts in an array (1..max) */
};

struct request_shape { /* what an operation takes */
    const char *op;
    struct request_field fields[REQUEST_FIELDS_MAX];
};

/* shapes: the first member of each of count structs of stride bytes is a request_shape. *which
 * is the index of the operation, *request the whole object (json_decref it; request_wipe first
 * if it held a secret). SR_ERR_INVALID, SR_ERR_UNSUPPORTED for an unknown operation. */
int request_parse(const uint8_t *line, size_t len, const void *shapes, size_t count, size_t stride,
                  size_t *which, json_t **request);
/* NULL when absent. Owned by the request. */
const char *request_text(const json_t *request, const char *name);
uint64_t request_number(const json_t *request, const char *name, uint64_t absent);
bool request_bool(const json_t *request, const char *name);
/* Fills at most max pointers (owned by the request), returns how many. */
size_t request_texts(const json_t *request, const char *name, const char **out, size_t max);
/* Overwrites a text in place; for passwords, before the request is given back. */
void request_wipe(json_t *request, const char *name);

#endif
