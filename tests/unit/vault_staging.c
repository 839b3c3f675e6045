/* Unsealed files: edges of the contract, listing, what a seal may be repeated after, cut bytes. The
 * random comparison with a model is vault_staging_model.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "tests/lib/vault_rig.h"
#include "vault/staging_internal.h"

#define MIB ((size_t)1 << 20)

static void test_edges(void **state)
{
    struct memfs *fs = rig_prepare(41);
    struct vault *vault = rig_open(fs, 1, 0);
    struct vault_object_id id, other = {{1, 2, 3}};
    struct staging *staging, *again;
    struct staging_seal seal;
    uint64_t key_id;
    uint8_t byte = 7;
    size_t got;

    (void)state;
    assert_non_null(vault);
    assert_int_equal(staging_open(vault, &other, &again), SR_ERR_NOT_FOUND);
    assert_null(again);
    assert_int_equal(staging_create(vault, &staging), 0);
    staging_id(staging, &id, &key_id);
    assert_int_equal(staging_write(staging, VAULT_MAX_SIZE, &byte, 1), SR_ERR_TOO_LARGE);
    assert_int_equal(staging_write(staging, UINT64_MAX, &byte, 1), SR_ERR_TOO_LARGE);
    assert_int_equal(staging_truncate(staging, VAULT_MAX_SIZE + 1), SR_ERR_TOO_LARGE);
    assert_int_equal(staging_write(staging, 0, &byte, 0), 0);
    assert_int_equal(staging_size(staging), 0);
    assert_int_equal(staging_read(staging, UINT64_MAX, &byte, 1, &got), 0);
    assert_int_equal(got, 0);
    assert_int_equal(staging_link(staging), SR_ERR_INVALID); /* not finalized */
    /* A sparse giant costs no memory to speak of, and reads as zeros. */
    assert_int_equal(staging_truncate(staging, VAULT_MAX_SIZE), 0);
    assert_int_equal(staging_read(staging, VAULT_MAX_SIZE - 1, &byte, 1, &got), 0);
    assert_int_equal(got, 1);
    assert_int_equal(byte, 0);
    assert_int_equal(staging_truncate(staging, 0), 0);
    assert_int_equal(staging_finalize(staging, &seal), 0);
    assert_int_equal(staging_write(staging, 0, &byte, 1), SR_ERR_SEALED);
    assert_int_equal(staging_truncate(staging, 5), SR_ERR_SEALED);
    assert_int_equal(staging_discard(staging), 0);
    assert_int_equal(staging_write(staging, 0, &byte, 1), SR_ERR_SEALED);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(staging_open(vault, &id, &again), SR_ERR_NOT_FOUND);
    assert_int_equal(staging_close(NULL), 0);
    vault_close(vault);
    memfs_free(fs);
}

static void test_too_many_ranges(void **state)
{
    struct memfs *fs = rig_prepare(51);
    struct vault *vault = rig_open(fs, 2, 0);
    struct staging *staging;
    struct staging_range *holes;
    uint8_t byte = 9;
    size_t count;

    (void)state;
    assert_non_null(vault);
    assert_int_equal(staging_create(vault, &staging), 0);
    for (uint64_t i = 0; i < 16384; i++)
        assert_int_equal(staging_write(staging, i * 16, &byte, 1), 0);
    assert_int_equal(staging_write(staging, 16384 * 16, &byte, 1), SR_ERR_TOO_LARGE);
    assert_string_not_equal(sr_error_message(), "");
    assert_int_equal(staging_write(staging, 1, &byte, 1), 0); /* merges */
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_holes(staging, &holes, &count), 0);
    assert_int_equal(count, 16383);
    free(holes);
    assert_int_equal(staging_close(staging), 0);
    vault_close(vault);
    memfs_free(fs);
}

struct seen {
    struct vault_object_id ids[8];
    uint64_t bytes[8];
    size_t count;
};

static int note_seen(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    struct seen *seen = context;

    assert_true(seen->count < 8);
    seen->ids[seen->count] = *id;
    seen->bytes[seen->count++] = content_bytes;
    return 0;
}

static int stop_at_once(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    (void)context, (void)id, (void)content_bytes;
    return 77;
}

static void test_list_and_remove(void **state)
{
    struct memfs *fs = rig_prepare(61);
    struct vault *vault = rig_open(fs, 1, 0);
    struct seen seen = {0};
    struct staging *staging;
    struct vault_object_id id;
    uint64_t key_id;
    uint8_t data[70000] = {1};

    (void)state;
    assert_non_null(vault);
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 0);
    assert_int_equal(staging_create(vault, &staging), 0);
    assert_int_equal(staging_write(staging, 0, data, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    staging_id(staging, &id, &key_id);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_memory_equal(&seen.ids[0], &id, sizeof(id));
    assert_int_equal(seen.bytes[0], 131072);
    assert_int_equal(staging_list(vault, stop_at_once, NULL), 77);
    /* A redo whose file is gone is still listed, so that it gets removed. */
    assert_int_equal(memfs_io(fs)->unlink(memfs_io(fs), rig_staging_path(&id)), 0);
    seen.count = 0;
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(staging_remove(vault, &id), 0);
    assert_int_equal(staging_remove(vault, &id), 0);
    seen.count = 0;
    assert_int_equal(staging_list(vault, note_seen, &seen), 0);
    assert_int_equal(seen.count, 0);
    vault_close(vault);
    memfs_free(fs);
}

/* Finalize twice, link twice, and again after a restart: same seal, not one byte changed. */
static void test_finalize_is_repeatable(void **state)
{
    struct memfs *fs = rig_prepare(71);
    struct vault *vault = rig_open(fs, 2, 0);
    struct staging *staging;
    struct staging_seal first, second;
    struct object_expectation expected;
    struct sr_io *io = memfs_io(fs);
    uint8_t *before, *after, data[200000];
    size_t before_len, after_len, got;

    (void)state;
    assert_non_null(vault);
    memset(data, 0xa5, sizeof(data));
    assert_int_equal(staging_create(vault, &staging), 0);
    assert_int_equal(staging_write(staging, 65536 * 3 + 5, data, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_write(staging, 65536 * 3 + 100, data, 10), 0);
    assert_int_equal(staging_finalize(staging, &first), 0);
    free(first.holes);
    assert_int_equal(first.hole_count, 1);
    assert_int_equal(staging_finalize(staging, &second), 0);
    free(second.holes);
    first.holes = second.holes = NULL;
    assert_memory_equal(&first, &second, sizeof(first));
    assert_int_equal(staging_link(staging), 0);
    assert_int_equal(staging_link(staging), 0);
    expected = rig_expect(staging, &first);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(
        sr_io_read_file(io, rig_object_path(&expected.id), 1 << 20, &before, &before_len), 0);

    assert_int_equal(staging_open(vault, &expected.id, &staging), 0);
    assert_int_equal(staging_write(staging, 0, data, 1), SR_ERR_SEALED);
    assert_int_equal(staging_read(staging, 65536 * 3 + 5, data, sizeof(data), &got), 0);
    assert_int_equal(got, sizeof(data));
    for (size_t i = 0; i < sizeof(data); i++)
        assert_int_equal(data[i], 0xa5);
    assert_int_equal(staging_finalize(staging, &second), 0);
    free(second.holes);
    second.holes = NULL;
    assert_memory_equal(&first, &second, sizeof(first));
    assert_int_equal(
        sr_io_read_file(io, rig_object_path(&expected.id), 1 << 20, &after, &after_len), 0);
    assert_int_equal(before_len, after_len);
    assert_memory_equal(before, after, after_len);
    assert_int_equal(staging_link(staging), 0);
    free(before);
    free(after);

    /* Another file of that name is never replaced. */
    assert_int_equal(memfs_io(fs)->unlink(io, rig_object_path(&expected.id)), 0);
    assert_int_equal(sr_io_create_file(io, rig_object_path(&expected.id), "other", 5, 0600), 0);
    assert_int_equal(staging_link(staging), SR_ERR_EXISTS);
    assert_int_equal(staging_close(staging), 0);
    vault_close(vault);
    memfs_free(fs);
}

/* Bytes cut off never come back, whatever lies between. */
static void test_cut_bytes_stay_gone(void **state)
{
    struct memfs *fs = rig_prepare(81);
    struct vault *vault = rig_open(fs, 2, 0);
    struct staging *staging;
    struct staging_seal seal;
    struct object_expectation expected;
    struct object *object;
    struct vault_object_id id;
    uint64_t key_id;
    uint8_t data[150000], work[150000];
    size_t got;

    (void)state;
    assert_non_null(vault);
    memset(data, 0x77, sizeof(data));
    assert_int_equal(staging_create(vault, &staging), 0);
    staging_id(staging, &id, &key_id);
    assert_int_equal(staging_write(staging, 0, data, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_truncate(staging, 1000), 0);
    assert_int_equal(staging_truncate(staging, sizeof(data)), 0);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_close(staging), 0);
    assert_int_equal(staging_open(vault, &id, &staging), 0);
    memset(data + 1000, 0, sizeof(data) - 1000);
    /* Completing a segment from the file must not bring them back either. */
    assert_int_equal(staging_write(staging, 5000, "xyz", 3), 0);
    memcpy(data + 5000, "xyz", 3);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(staging_read(staging, 0, work, sizeof(work), &got), 0);
    assert_int_equal(got, sizeof(work));
    assert_memory_equal(work, data, sizeof(work));
    assert_int_equal(rig_seal(vault, staging, &expected, &seal), 0);
    assert_int_equal(seal.hole_count, 2);
    assert_int_equal(seal.holes[0].start, 1000);
    assert_int_equal(seal.holes[1].start, 5003);
    free(seal.holes);
    assert_int_equal(object_open(vault, &expected, &object), 0);
    assert_int_equal(object_read(object, 0, work, sizeof(work), &got), 0);
    assert_memory_equal(work, data, sizeof(work));
    object_close(object);
    assert_int_equal(object_verify(vault, &expected, NULL, NULL), 0);
    vault_close(vault);
    memfs_free(fs);
}

static void wait_for_hash(struct staging *staging, uint64_t segments)
{
    uint64_t hashed;

    do {
        pthread_mutex_lock(&staging->lock);
        hashed = staging->hashed;
        pthread_mutex_unlock(&staging->lock);
        sched_yield();
    } while (hashed < segments);
}

/* The hasher follows a file written in order, syncs or not; a write behind it is noticed. */
static void test_hash_frontier(void **state)
{
    struct memfs *fs = rig_prepare(91);
    struct vault *vault = rig_open(fs, 2, 0);
    uint8_t digest[SR_SHA256_LEN], *bytes = malloc(2 * MIB + 100);

    (void)state;
    assert_non_null(vault);
    memset(bytes, 0x11, 2 * MIB + 100);
    for (int rewrite = 0; rewrite < 4; rewrite++) {
        struct staging *staging;
        struct staging_seal seal;
        struct object_expectation expected;
        size_t at = rewrite == 1 ? 5 : rewrite == 2 ? 31 * 65536 : 2 * MIB + 50;

        assert_int_equal(staging_create(vault, &staging), 0);
        for (size_t i = 0; i < 2 * MIB + 100; i += 100100) /* in odd pieces */
            assert_int_equal(staging_write(staging, i, bytes + i,
                                           2 * MIB + 100 - i < 100100 ? 2 * MIB + 100 - i : 100100),
                             0);
        if (rewrite % 2)
            assert_int_equal(staging_sync(staging), 0);
        wait_for_hash(staging, 32);
        assert_int_equal(staging->hashed, 32);
        assert_false(staging->hash_stale);
        if (rewrite) {
            memset(bytes + at, rewrite + 0x20, 3);
            assert_int_equal(staging_write(staging, at, bytes + at, 3), 0);
            assert_int_equal(staging->hash_stale, at < 2 * MIB);
        }
        assert_int_equal(rig_seal(vault, staging, &expected, &seal), 0);
        assert_int_equal(sr_sha256(bytes, 2 * MIB + 100, digest), 0);
        assert_memory_equal(digest, seal.sha256, sizeof(digest));
    }
    free(bytes);
    vault_close(vault);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_list_and_remove),
        cmocka_unit_test(test_finalize_is_repeatable),
        cmocka_unit_test(test_cut_bytes_stay_gone),
        cmocka_unit_test(test_hash_frontier),
        cmocka_unit_test(test_too_many_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
