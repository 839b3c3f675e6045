/* A whole store in memory for tests of casework: memfs, vault, ledger, door, a few accounts. */
#ifndef SR_TESTS_LIB_WORLD_H
#define SR_TESTS_LIB_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "casework/door.h"
#include "tests/lib/memfs.h"

#define WORLD_VAULT "/vault"
#define WORLD_POLICY "/policy"
#define WORLD_PASSPHRASE "correct horse"
enum world_uid {
    WORLD_SYSADMIN = 20000,
    WORLD_OFFICER = 20001,
    WORLD_OFFICER2 = 20002,
    WORLD_SUPERVISOR = 20003,
    WORLD_ARCHIVIST = 20004,
    WORLD_SECOFF = 20005,
    WORLD_STRANGER = 29999
};

struct world {
    struct memfs *fs;
    struct vault *vault;
    struct ledger *ledger;
    struct door *door;
    struct door_salvage salvage;
    pthread_t clock; /* moves memfs time, so that settling needs no real waiting */
    atomic_bool clock_stop;
    bool clock_runs;
};

/* A file system with a vault (cheap scrypt), the shipped policy, the accounts above, and the
 * case 2026/案; closed in order. Aborts when it cannot: nothing is armed yet. */
struct memfs *world_prepare(void);
/* Opens the store on fs. settle_ns as door_config. The clock runs 200 times as fast as a real one. */
int world_open(struct world *world, struct memfs *fs, int64_t settle_ns);
/* In order; what fails is ignored (the power may be off). */
void world_close(struct world *world);
/* Time stands still from here on: for a test that asks what happens within one minute. */
void world_stop_clock(struct world *world);
struct door_actor world_actor(uint32_t uid);
/* Resolves as uid. */
int world_find(struct world *world, uint32_t uid, const char *path, struct catalog_node *node);
/* Whole content through door_open and door_read, fresh; SR_ERR_TOO_LARGE over limit. */
int world_read(struct world *world, uint32_t uid, uint64_t node, uint8_t **data, size_t *len);
/* Creates path (its folder exists), writes, closes. */
int world_put(struct world *world, uint32_t uid, const char *path, const void *data, size_t len,
              struct catalog_node *node);
/* Runs audit_run on the open store; prints findings; returns their number, or -1 when it could not run. */
int world_audit(struct world *world);

#endif
