/* Crashes at chosen moments, each against one rule of the redo; lack of space; latched errors; a
 * redo that is compacted while the power goes. */
#include <errno.h>
#include <sched.h>

#include "tests/fault/vault_staging_rig.h"

#define AMPLE ((uint64_t)1 << 40)

/* An image in the redo must not come over what was later written in place. */
static void test_image_outlived(void **state)
{
    struct rig rig = start(rig_prepare(1), 0), found;

    (void)state;
    assert_int_equal(put(&rig, 0, SEG, 1) || staging_sync(rig.staging), 0);
    assert_int_equal(put(&rig, 0, SEG, 2) || staging_sync(rig.staging), 0);
    assert_int_equal(staging_truncate(rig.staging, 0) || staging_sync(rig.staging), 0);
    assert_int_equal(put(&rig, 0, SEG, 3) || staging_sync(rig.staging), 0);
    found = crash(&rig, MEMFS_LOST, 1);
    assert_int_equal(read_all(&found), SEG);
    assert_filled(&found, 0, SEG, 3);
    stop(&found);
    stop(&rig);
}

/* A shrink and an overwrite that nobody acknowledged: before, after, but never the acknowledged
 * size with zeros in it. */
static void test_cut_goes_before_image(void **state)
{
    struct rig rig = start(rig_prepare(2), 0), found;
    size_t got;

    (void)state;
    assert_int_equal(put(&rig, 0, SEG, 1) || staging_sync(rig.staging), 0);
    assert_int_equal(staging_truncate(rig.staging, 100), 0);
    assert_int_equal(put(&rig, 0, 50, 2), 0);
    assert_int_equal(flush(&rig), 0);
    for (uint64_t seed = 0; seed < 12; seed++) {
        found = crash(&rig, seed < 2 ? (enum memfs_mode)seed : MEMFS_TORN, seed);
        got = read_all(&found);
        if (got == SEG) {
            assert_filled(&found, 50, SEG, 1);
        } else {
            assert_int_equal(got, 100);
            assert_filled(&found, 50, 100, 1);
        }
        stop(&found);
    }
    stop(&rig);
}

/* The meta record of a failed sync may be on disk after all: what it claims is rewritten only
 * through the redo. */
static void test_claim_of_failed_sync(void **state)
{
    struct memfs *prepared = rig_prepare(3);
    unsigned fired = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct rig rig = start(memfs_clone(prepared), 0), found;
        bool failed;

        assert_int_equal(put(&rig, 0, SEG, 1) || staging_sync(rig.staging), 0);
        assert_int_equal(put(&rig, SEG, 2 * SEG, 2) || flush(&rig), 0);
        memfs_fail_at(rig.fs, n, EIO);
        staging_sync(rig.staging);
        failed = memfs_fired(rig.fs);
        fired += failed;
        memfs_fail_at(rig.fs, 0, 0);
        assert_int_equal(put(&rig, SEG, 2 * SEG, 3), 0);
        memfs_cut_at_sync(rig.fs, 1, false);
        staging_sync(rig.staging);
        for (uint64_t seed = 0; seed < 20; seed++) {
            found = crash(&rig, seed < 2 ? (enum memfs_mode)seed : MEMFS_TORN, seed);
            assert_true(read_all(&found) >= SEG);
            assert_filled(&found, 0, SEG, 1);
            stop(&found);
        }
        stop(&rig);
        if (!failed)
            break;
    }
    assert_true(fired >= 3); /* content, redo append, redo sync */
    memfs_free(prepared);
}

/* Background errors: told once by the next call, nothing lost, done by the next sync. */
static void test_latched_error(void **state)
{
    struct rig rig = start(rig_prepare(4), 0);
    struct staging_seal seal;
    struct object_expectation expected;
    uint8_t byte;
    size_t got;
    int rc = 0;

    (void)state;
    memfs_fail_at(rig.fs, 1, EIO); /* random() of the first segment, or its pwrite */
    assert_int_equal(put(&rig, 0, SEG, 5), 0);
    while (!memfs_fired(rig.fs))
        sched_yield();
    while (!(rc = put(&rig, 2 * SEG, 1, 6)))
        sched_yield();
    assert_int_equal(rc, SR_ERR_SYSTEM);
    assert_int_equal(sr_error_errno(), EIO);
    assert_int_equal(put(&rig, 2 * SEG, 1, 6), 0);
    assert_int_equal(staging_read(rig.staging, 77, &byte, 1, &got), 0);
    assert_int_equal(byte, 5);

    /* The same, told by close. */
    assert_int_equal(staging_sync(rig.staging), 0);
    memfs_fail_at(rig.fs, 1, EIO);
    assert_int_equal(put(&rig, 3 * SEG, SEG, 7), 0);
    while (!memfs_fired(rig.fs))
        sched_yield();
    assert_int_equal(staging_close(rig.staging), SR_ERR_SYSTEM);
    assert_int_equal(staging_open(rig.vault, &rig.id, &rig.staging), 0);
    assert_int_equal(read_all(&rig), 2 * SEG + 1);
    assert_filled(&rig, 0, SEG, 5);
    assert_filled(&rig, SEG, 2 * SEG, 0);
    assert_int_equal(rig_seal(rig.vault, rig.staging, &expected, &seal), 0);
    assert_int_equal(seal.hole_count, 1);
    free(seal.holes);
    rig.staging = NULL;
    stop(&rig);
}

/* Short of space a write is synchronous and says so itself; what was acknowledged stays. */
static void test_no_space_in_front(void **state)
{
    struct rig rig = start(rig_prepare(5), 0), found;
    uint64_t at = 0;
    int rc;

    (void)state;
    assert_int_equal(put(&rig, 0, 3 * SEG, 1) || staging_sync(rig.staging), 0);
    memfs_set_space(rig.fs, VAULT_RESERVE_BYTES + 4 * MIB);
    memfs_advance(rig.fs, 1000000000); /* the cached free space is old now */
    while (!(rc = put(&rig, 3 * SEG + at, SEG, 2)))
        at += SEG;
    assert_int_equal(rc, SR_ERR_NO_SPACE);
    if (at < 3 * MIB || at > 4 * MIB)
        fail_msg("%llu bytes were taken", (unsigned long long)at);
    assert_int_equal(staging_sync(rig.staging), 0);
    found = crash(&rig, MEMFS_LOST, 1);
    assert_int_equal(read_all(&found), 3 * SEG + at);
    assert_filled(&found, 0, 3 * SEG, 1);
    assert_filled(&found, 3 * SEG, 3 * SEG + at, 2);
    stop(&found);
    memfs_set_space(rig.fs, AMPLE);
    assert_int_equal(put(&rig, 3 * SEG + at, SEG, 2), 0);
    stop(&rig);
}

/* Space goes after the early answer: nothing acknowledged is lost, and the rest waits in memory. */
static void test_no_space_behind(void **state)
{
    struct rig rig = start(rig_prepare(6), 0), found;
    int rc = 0;

    (void)state;
    assert_int_equal(put(&rig, 0, 3 * SEG, 1) || staging_sync(rig.staging), 0);
    memfs_set_space(rig.fs, 0);
    assert_int_equal(put(&rig, SEG, 15 * SEG, 2), 0); /* one batch */
    rc = staging_sync(rig.staging);
    assert_int_equal(rc, SR_ERR_NO_SPACE);
    found = crash(&rig, MEMFS_TORN, 1);
    assert_true(read_all(&found) >= 3 * SEG);
    assert_filled(&found, 0, SEG, 1);
    stop(&found);
    memfs_set_space(rig.fs, AMPLE);
    rc = staging_sync(rig.staging);
    if (rc == SR_ERR_NO_SPACE) /* another failure was latched meanwhile */
        rc = staging_sync(rig.staging);
    assert_int_equal(rc, 0);
    found = crash(&rig, MEMFS_LOST, 1);
    assert_int_equal(read_all(&found), 16 * SEG);
    assert_filled(&found, 0, SEG, 1);
    assert_filled(&found, SEG, 16 * SEG, 2);
    stop(&found);
    stop(&rig);
}

/* 9 MiB acknowledged, rewritten under a budget of 4 MiB: images are pushed out, the redo passes its
 * limit and is compacted. The power goes at every sync. Each byte is old or new, none is torn. */
static int rewrite_all(struct rig *rig)
{
    for (uint8_t round = 2; round < 4; round++)
        for (size_t i = 0; i < 144; i++)
            if (put(rig, i * 67 % 144 * SEG, SEG, round))
                return -1;
    return staging_sync(rig->staging);
}

static void test_compaction_under_pressure(void **state)
{
    struct memfs *prepared = rig_prepare(7);
    unsigned cuts = 0;
    uint64_t most = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct rig rig = start(memfs_clone(prepared), 4 * MIB), found;
        bool off;

        for (size_t i = 0; i < 9; i++)
            assert_int_equal(put(&rig, i * MIB, MIB, 1), 0);
        assert_int_equal(staging_sync(rig.staging), 0);
        memfs_cut_at_sync(rig.fs, n, n % 2);
        int rc = rewrite_all(&rig);
        off = memfs_is_off(rig.fs);
        cuts += off;
        if (rig.staging->redo.len > most)
            most = rig.staging->redo.len;
        found = crash(&rig, n % 3 ? MEMFS_TORN : MEMFS_LOST, n);
        assert_int_equal(read_all(&found), 9 * MIB);
        for (size_t i = 0; i < 144; i++) {
            uint8_t value = found.work[i * SEG];

            assert_true(value >= (rc ? 1 : 3) && value <= 3);
            assert_filled(&found, i * SEG, (i + 1) * SEG, value);
        }
        stop(&found);
        stop(&rig);
        if (!off)
            break;
    }
    assert_true(cuts >= 5);
    assert_true(most < 14 * MIB);
    memfs_free(prepared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_image_outlived),
        cmocka_unit_test(test_cut_goes_before_image),
        cmocka_unit_test(test_claim_of_failed_sync),
        cmocka_unit_test(test_latched_error),
        cmocka_unit_test(test_no_space_in_front),
        cmocka_unit_test(test_no_space_behind),
        cmocka_unit_test(test_compaction_under_pressure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
