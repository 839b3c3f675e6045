/* What the files of this folder share and nobody else sees. */
#ifndef SR_VAULT_VAULT_INTERNAL_H
#define SR_VAULT_VAULT_INTERNAL_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/io.h"
#include "vault/keys.h"
#include "vault/vault.h"

struct pipeline; /* pipeline.h: the workers and the write budget */

/* Immutable between vault_create/vault_open and vault_close, so no lock: what changes is inside
 * keys and pipeline, which lock for themselves. */
struct vault {
    struct sr_io *io; /* borrowed */
    char *path;       /* without a trailing slash */
    struct vault_identity identity;
    struct keys *keys;
    int lock_fd; /* VAULT/lock, held exclusively; -1 before it is */
    struct pipeline *pipeline;
};

/* The describing key from the record key (vault_describe_key). */
int vault_describe_derive(const uint8_t record_key[SR_KEY_LEN], const struct vault_object_id *id,
                          uint8_t key[SR_KEY_LEN]);

/* vault_identity.c: the parser of vault.json is free of I/O. SR_ERR_DAMAGED for anything that this
 * version does not write, SR_ERR_NEWER_FORMAT for a format above VAULT_FORMAT_VERSION. name is for
 * the sentence only. */
int vault_parse_identity(const char *name, const uint8_t *data, size_t len,
                         struct vault_identity *out);
int vault_identity_serialize(const struct vault_identity *identity, struct sr_buf *out);
/* Sets origin from id. */
void vault_identity_origin(struct vault_identity *identity);

#endif
