/* An open vault on an in-memory file system, for tests of content. */
#ifndef SR_TESTS_LIB_VAULT_RIG_H
#define SR_TESTS_LIB_VAULT_RIG_H

#include <stdint.h>

#include "tests/lib/memfs.h"
#include "vault/object.h"
#include "vault/staging.h"
#include "vault/vault.h"

#define RIG_PATH "/vault"
#define RIG_PASSPHRASE "rig passphrase"

/* A file system with a closed vault on it, everything durable. Aborts if it cannot be made. */
struct memfs *rig_prepare(uint64_t seed);
/* Opens the vault with one or more workers; budget_bytes 0: as shipped. NULL when that fails. */
struct vault *rig_open(struct memfs *fs, unsigned workers, size_t budget_bytes);
/* What a seal entry would say. */
struct object_expectation rig_expect(const struct staging *staging,
                                     const struct staging_seal *seal);
/* Finalize, link, sync, unlink, sync, close: the daemon's order. Takes staging in any case. */
int rig_seal(struct vault *vault, struct staging *staging, struct object_expectation *expected,
             struct staging_seal *seal);
/* VAULT/objects/xx/ID or VAULT/staging/ID; static buffer of the calling thread. */
const char *rig_object_path(const struct vault_object_id *id);
const char *rig_staging_path(const struct vault_object_id *id);
/* Pseudo-random numbers of the test's own (xorshift); *state is not 0. */
uint64_t rig_random(uint64_t *state);

#endif
