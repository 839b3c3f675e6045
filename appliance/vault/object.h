/* Sealed content: VAULT/objects/xx/ID, immutable. Every read decrypts whole segments and checks each
 * one's IV || tag against the tag tree whose root stands in the seal entry. */
#ifndef SR_VAULT_OBJECT_H
#define SR_VAULT_OBJECT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vault/vault.h"

struct object;

struct object_expectation { /* from the seal entry */
    struct vault_object_id id;
    uint64_t key_id;
    uint64_t size;
    uint8_t tag_root[SR_SHA256_LEN];
    uint8_t header_sha256[SR_SHA256_LEN];
    uint8_t sha256[SR_SHA256_LEN];
};

/* Checks header, FLOE header, file length and tree blocks. SR_ERR_DAMAGED names the object id and
 * the part; SR_ERR_NOT_FOUND: file or key is gone. */
int object_open(struct vault *vault, const struct object_expectation *expected,
                struct object **out);
void object_close(struct object *object); /* NULL ok */
/* Thread-safe. *got is short only at the end. SR_ERR_DAMAGED: names the segment; buf is then zeroed. */
int object_read(struct object *object, uint64_t offset, void *buf, size_t len, size_t *got);
/* Reads everything: segments, tree, plaintext hash. progress may be NULL; a non-zero return stops. */
typedef int object_progress_fn(void *context, uint64_t bytes_done);
int object_verify(struct vault *vault, const struct object_expectation *expected,
                  object_progress_fn *progress, void *context);
/* chattr +i where the file system has it; 0 also where it does not. */
int object_set_immutable(struct vault *vault, const struct vault_object_id *id);
/* Every file name under objects/ that is there (for verify: names without a seal entry are reported). */
typedef int object_list_fn(void *context, const char *folder, const char *name);
int object_list(struct vault *vault, object_list_fn *fn, void *context);

#endif
