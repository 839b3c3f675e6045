/* Looks into what was sealed, one version after the other, beside everything else: type, properties, text,
 * signatures. Never in the way of a seal: the queue is in the catalog (catalog/described.h), is there again
 * after a crash, and one thread works through it. What is found becomes record.index; text becomes an object
 * of its own (texts.h).
 *
 * Who looks is given by the caller: the sandboxed probe of media/, or a test's own. */
#ifndef SR_CASEWORK_DESCRIBER_H
#define SR_CASEWORK_DESCRIBER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/vault.h"

#define DESCRIBER_RULES 1 /* counted up when the probe finds more than before */

struct describer_job {
    const char *name; /* of the record: never logged */
    uint64_t size;    /* bytes */
    /* Verified bytes of the record; *got < len only at the end. SR_ERR_DAMAGED. Any thread. */
    int (*read)(void *context, uint64_t offset, void *buf, size_t len, size_t *got);
    /* A piece of the text, UTF-8, in its order. An error ends the work. */
    int (*text)(void *context, const char *data, size_t len);
    void *context;
    int stop_fd; /* readable: give up */
};

/* 0: *outcome is one of the words of record.index, *answer the checked answer (owned by the caller) or
 * NULL. SR_ERR_CLOSED: given up. Another error is the machine's, and the record is tried again later. */
typedef int describer_fn(void *context, const struct describer_job *job, const char **outcome,
                         json_t **answer);

struct door;
struct describer;

int describer_start(struct door *door, describer_fn *fn, void *context, struct describer **out);
/* Gives up what is under way; it stays in the queue. NULL ok. */
void describer_stop(struct describer *describer);
/* There may be something in the queue. Any locks. NULL ok. */
void describer_wake(struct describer *describer);
/* Of the version that is being looked into; false: none. */
bool describer_now(struct describer *describer, struct vault_object_id *object);

#endif
