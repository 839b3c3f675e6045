/* The tail: the last segment of a file that is not whole yet. A sync puts its image into the redo and
 * leaves it out of the file. */
#include <errno.h>

#include "tests/fault/vault_staging_rig.h"

static uint64_t file_bytes(const struct rig *rig)
{
    struct sr_io *io = memfs_io(rig->fs);
    struct sr_stat st;

    assert_int_equal(io->stat(io, rig_staging_path(&rig->id), &st), 0);
    return st.size;
}

/* What is acknowledged is in the redo alone, is found after a crash, and goes in place when asked. */
static void test_acknowledged_by_the_redo(void **state)
{
    struct rig rig = start(rig_prepare(1), 0), found;

    (void)state;
    assert_int_equal(put(&rig, 0, 16384, 1) || staging_sync(rig.staging), 0);
    assert_int_equal(file_bytes(&rig), STAGING_HEAD_LEN);
    found = crash(&rig, MEMFS_LOST, 1);
    assert_int_equal(read_all(&found), 16384);
    assert_filled(&found, 0, 16384, 1);
    assert_true(file_bytes(&found) > STAGING_HEAD_LEN); /* opening put it in place */
    stop(&found);

    /* Grown into a whole segment it is one like any other. */
    assert_int_equal(put(&rig, 16384, SEG, 2) || staging_sync(rig.staging), 0);
    assert_true(file_bytes(&rig) >= STAGING_HEAD_LEN + VAULT_SEGMENT_LEN);
    found = crash(&rig, MEMFS_LOST, 2);
    assert_int_equal(read_all(&found), 16384 + SEG);
    assert_filled(&found, 0, 16384, 1);
    assert_filled(&found, 16384, 16384 + SEG, 2);
    stop(&found);

    assert_int_equal(flush(&rig), 0);
    assert_true(file_bytes(&rig) >= STAGING_HEAD_LEN + 2 * VAULT_SEGMENT_LEN);
    found = crash(&rig, MEMFS_TORN, 3);
    assert_int_equal(read_all(&found), 16384 + SEG);
    stop(&found);
    stop(&rig);
}

/* Lengths and contents after each step; a truncation where the length falls. */
static const struct {
    size_t len;
    uint8_t value;
} steps[] = {{100, 1}, {5000, 2}, {5000, 3}, {300, 4}, {70000, 5}, {65536, 6}, {65000, 7}};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static int run_step(struct rig *rig, size_t i)
{
    if (i > 0 && steps[i].len < steps[i - 1].len && staging_truncate(rig->staging, steps[i].len))
        return -1;
    return put(rig, 0, steps[i].len, steps[i].value) ? -1 : staging_sync(rig->staging);
}

/* Every byte is that of step `from` or of a later one up to `to`, and so is the length. */
static void assert_between(struct rig *found, size_t from, size_t to)
{
    size_t len = read_all(found), kept = steps[from].len;
    bool known = false;

    for (size_t i = from; i <= to; i++) {
        known |= len == steps[i].len;
        kept = steps[i].len < kept ? steps[i].len : kept;
    }
    assert_true(known);
    for (size_t at = 0; at < kept; at++)
        assert_in_range(found->work[at], steps[from].value, steps[to].value);
}

static void test_power_cut_at_every_sync(void **state)
{
    struct memfs *prepared = rig_prepare(2);
    unsigned cuts = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct rig rig = start(memfs_clone(prepared), 0);
        size_t done = 0;
        bool off;

        memfs_cut_at_sync(rig.fs, n, n % 2);
        while (done < STEPS && run_step(&rig, done) == 0)
            done++;
        off = memfs_is_off(rig.fs);
        cuts += off;
        for (uint64_t seed = 0; seed < 14 && done > 0; seed++) {
            struct rig found =
                crash(&rig, seed < 2 ? (enum memfs_mode)seed : MEMFS_TORN, seed + 100 * n);

            assert_between(&found, done - 1, done < STEPS ? done : done - 1);
            stop(&found);
        }
        stop(&rig);
        if (!off)
            break;
    }
    assert_true(cuts >= STEPS + 3);
    memfs_free(prepared);
}

/* An image whose meta record did not get there must not come over what is written later. */
static void test_image_without_meta(void **state)
{
    struct rig rig = start(rig_prepare(3), 0), found, again;

    (void)state;
    assert_int_equal(put(&rig, 0, 16384, 1), 0);
    memfs_fail_at(rig.fs, 5,
                  EIO); /* content synced, redo made, image appended; the meta record fails */
    assert_int_equal(staging_sync(rig.staging), SR_ERR_SYSTEM);
    assert_true(memfs_fired(rig.fs));
    assert_true(rig.staging->redo.sequence >= 1 && rig.staging->redo.good_len == 0);
    found = crash(&rig, MEMFS_KEPT, 1);
    assert_int_equal(read_all(&found), 0); /* it was never acknowledged */
    assert_int_equal(put(&found, 0, 2 * SEG, 2) || flush(&found) || staging_sync(found.staging), 0);
    again = crash(&found, MEMFS_LOST, 2);
    assert_int_equal(read_all(&again), 2 * SEG);
    assert_filled(&again, 0, 2 * SEG, 2);
    stop(&again);
    stop(&found);
    stop(&rig);
}

/* The seal finds the image in the redo and adds its record alone; cut at every sync it goes on from
 * there. */
static void test_seal_of_a_tail(void **state)
{
    struct memfs *prepared = rig_prepare(4);
    unsigned cuts = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct rig rig = start(memfs_clone(prepared), 0), found;
        struct object_expectation expected;
        struct staging_seal seal;
        bool off;

        assert_int_equal(put(&rig, 0, SEG + 3000, 1) || staging_sync(rig.staging), 0);
        uint64_t before = rig.staging->redo.len;
        memfs_cut_at_sync(rig.fs, n, n % 2);
        int rc = staging_finalize(rig.staging, &seal);
        off = memfs_is_off(rig.fs);
        cuts += off;
        assert_true(rc == 0 || off);
        if (!off)
            assert_int_equal(rig.staging->redo.len, before + REDO_OVERHEAD + REDO_SEAL_LEN);
        free(seal.holes);
        for (uint64_t seed = 0; seed < 10; seed++) {
            found = crash(&rig, seed < 2 ? (enum memfs_mode)seed : MEMFS_TORN, seed + 10 * n);
            assert_int_equal(read_all(&found), SEG + 3000);
            assert_filled(&found, 0, SEG + 3000, 1);
            rc = rig_seal(found.vault, found.staging, &expected, &seal);
            if (rc)
                fail_msg("seal after the crash: %s", sr_error_message());
            found.staging = NULL;
            assert_int_equal(seal.size, SEG + 3000);
            free(seal.holes);
            assert_int_equal(object_verify(found.vault, &expected, NULL, NULL), 0);
            stop(&found);
        }
        stop(&rig);
        if (!off)
            break;
    }
    assert_true(cuts >= 2);
    memfs_free(prepared);
}

/* A finalized file that is closed unsealed (the ledger fails while the daemon ends) stays final. */
static void test_close_after_finalize(void **state)
{
    struct rig rig = start(rig_prepare(5), 0);
    struct object_expectation expected;
    struct staging_seal seal;

    (void)state;
    assert_int_equal(put(&rig, 0, 3000, 1) || staging_sync(rig.staging), 0);
    assert_int_equal(staging_finalize(rig.staging, &seal), 0);
    free(seal.holes);
    assert_int_equal(staging_close(rig.staging), 0);
    assert_int_equal(staging_open(rig.vault, &rig.id, &rig.staging), 0);
    assert_int_equal(rig_seal(rig.vault, rig.staging, &expected, &seal), 0);
    rig.staging = NULL;
    free(seal.holes);
    assert_int_equal(object_verify(rig.vault, &expected, NULL, NULL), 0);
    stop(&rig);
}

/* Appends and syncs without end: the redo is compacted, with the tail in place first. */
static void test_redo_stays_bounded(void **state)
{
    struct rig rig = start(rig_prepare(6), 0), found;
    size_t size = 0;
    uint64_t most = 0;

    (void)state;
    for (unsigned i = 0; i < 600; i++, size += 40000) {
        assert_int_equal(put(&rig, size, 40000, (uint8_t)(1 + i % 250)), 0);
        assert_int_equal(staging_sync(rig.staging), 0);
        if (rig.staging->redo.len > most)
            most = rig.staging->redo.len;
    }
    assert_true(most > STAGING_REDO_LIMIT && most < STAGING_REDO_LIMIT + MIB);
    found = crash(&rig, MEMFS_LOST, 1);
    free(found.work);
    found.work = malloc(size);
    size_t got;
    assert_int_equal(staging_read(found.staging, 0, found.work, size, &got), 0);
    assert_int_equal(got, size);
    for (unsigned i = 0; i < 600; i++)
        assert_filled(&found, (size_t)i * 40000, (size_t)(i + 1) * 40000, (uint8_t)(1 + i % 250));
    stop(&found);
    stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_acknowledged_by_the_redo),
        cmocka_unit_test(test_power_cut_at_every_sync),
        cmocka_unit_test(test_image_without_meta),
        cmocka_unit_test(test_seal_of_a_tail),
        cmocka_unit_test(test_close_after_finalize),
        cmocka_unit_test(test_redo_stays_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
