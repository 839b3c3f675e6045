/* One unsealed file on an in-memory file system, looked at as a crash would leave it. */
#ifndef SR_TESTS_FAULT_STAGING_RIG_H
#define SR_TESTS_FAULT_STAGING_RIG_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "tests/lib/vault_rig.h"
#include "vault/staging_internal.h"

#define SEG ((size_t)65536)
#define MIB ((size_t)1 << 20)

struct rig {
    struct memfs *fs;
    struct vault *vault;
    struct staging *staging;
    struct vault_object_id id;
    uint8_t *work;
};

static inline struct rig start(struct memfs *fs, size_t budget)
{
    struct rig rig = {.fs = fs};
    uint64_t key_id;

    rig.vault = rig_open(fs, 1, budget);
    rig.work = malloc(16 * MIB);
    assert_non_null(rig.vault);
    assert_int_equal(staging_create(rig.vault, &rig.staging), 0);
    staging_id(rig.staging, &rig.id, &key_id);
    return rig;
}

static inline void stop(struct rig *rig)
{
    staging_close(rig->staging);
    vault_close(rig->vault);
    memfs_free(rig->fs);
    free(rig->work);
}

static inline int put(struct rig *rig, uint64_t at, size_t len, uint8_t value)
{
    memset(rig->work, value, len);
    return staging_write(rig->staging, at, rig->work, len);
}

/* Writes everything to the files, acknowledging nothing: what pressure on the budget does. */
static inline int flush(struct rig *rig)
{
    int rc;

    pthread_mutex_lock(&rig->staging->sync_lock);
    rc = staging_flush(rig->staging, STAGING_LEAVE_NONE);
    pthread_mutex_unlock(&rig->staging->sync_lock);
    return rc;
}

/* What a crash here would leave, opened; the caller closes with stop(). */
static inline struct rig crash(struct rig *rig, enum memfs_mode mode, uint64_t seed)
{
    struct rig found = {.fs = memfs_after_cut(rig->fs, mode, seed), .id = rig->id};

    found.vault = rig_open(found.fs, 1, 0);
    found.work = malloc(16 * MIB);
    assert_non_null(found.vault);
    if (staging_open(found.vault, &rig->id, &found.staging))
        fail_msg("open after the crash: %s", sr_error_message());
    return found;
}

static inline size_t read_all(struct rig *rig)
{
    size_t got;

    if (staging_read(rig->staging, 0, rig->work, 16 * MIB, &got))
        fail_msg("read after the crash: %s", sr_error_message());
    return got;
}

static inline void assert_filled(const struct rig *rig, size_t start_at, size_t end, uint8_t value)
{
    for (size_t i = start_at; i < end; i++)
        if (rig->work[i] != value)
            fail_msg("byte %zu is %u instead of %u", i, rig->work[i], value);
}

#endif
