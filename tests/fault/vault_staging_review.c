/* Found in review: the tail that is in the redo alone, against compaction, pressure and failing calls. */
#include <errno.h>
#include <sched.h>
#include <unistd.h>

#include "tests/fault/vault_staging_rig.h"

#define SEGMENTS 150u

/* One worker has nothing more to do with this file. */
static void settle(struct staging *staging)
{
    bool busy = true;

    while (busy) {
        sched_yield();
        pthread_mutex_lock(&staging->lock);
        busy = staging->queued || staging->writing;
        pthread_mutex_unlock(&staging->lock);
    }
}

/* 150 segments and a tail of 40000 bytes, acknowledged; the redo is longer than its limit and alone has
 * the tail. */
static void grow_redo(struct rig *rig)
{
    for (unsigned i = 0; i < SEGMENTS; i++)
        assert_int_equal(put(rig, i * SEG, SEG, 1), 0);
    assert_int_equal(staging_sync(rig->staging), 0);
    for (unsigned i = 0; i < 135; i++)
        assert_int_equal(put(rig, i * SEG, 10, 1), 0);
    assert_int_equal(put(rig, SEGMENTS * SEG, 40000, 2), 0);
    assert_int_equal(staging_sync(rig->staging), 0);
    assert_true(rig->staging->redo.good_len > STAGING_REDO_LIMIT);
    assert_int_equal(rig->staging->dirty, 1);
}

static void assert_grown(struct rig *found)
{
    size_t got;

    free(found->work);
    found->work = malloc(16 * MIB);
    if (staging_read(found->staging, 0, found->work, 16 * MIB, &got))
        fail_msg("read after the crash: %s", sr_error_message());
    assert_true(got >= SEGMENTS * SEG + 40000);
    assert_filled(found, 0, SEGMENTS * SEG, 1);
    assert_filled(found, SEGMENTS * SEG, SEGMENTS * SEG + 40000, 2);
}

/* R1: compaction drops the only copy of an acknowledged tail that was written to since. */
static void test_compaction_keeps_the_tail(void **state)
{
    struct memfs *prepared = rig_prepare(1);

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct rig rig = start(memfs_clone(prepared), 0), found;
        bool off;

        grow_redo(&rig);
        assert_int_equal(put(&rig, SEGMENTS * SEG + 40000, 100, 3), 0);
        memfs_cut_at_sync(rig.fs, n, true);
        staging_sync(rig.staging);
        off = memfs_is_off(rig.fs);
        found = crash(&rig, MEMFS_LOST, n);
        assert_grown(&found);
        stop(&found);
        stop(&rig);
        if (!off)
            break;
    }
    memfs_free(prepared);
}

/* Finalizes with the power going at each sync; what is found must be sealed with the same content. */
static void seal_with_cuts(struct rig (*make)(void), void (*check)(struct rig *))
{
    for (uint64_t n = 1;; n++) {
        struct rig rig = make(), found;
        struct object_expectation expected;
        struct staging_seal seal;
        bool off;

        memfs_cut_at_sync(rig.fs, n, n % 2);
        int rc = staging_finalize(rig.staging, &seal);
        off = memfs_is_off(rig.fs);
        assert_true(rc == 0 || off);
        free(seal.holes);
        for (uint64_t seed = 0; seed < 12; seed++) {
            found = crash(&rig, seed < 2 ? (enum memfs_mode)seed : MEMFS_TORN, seed + 10 * n);
            check(&found);
            if (rig_seal(found.vault, found.staging, &expected, &seal))
                fail_msg("seal after the crash: %s", sr_error_message());
            found.staging = NULL;
            free(seal.holes);
            assert_int_equal(object_verify(found.vault, &expected, NULL, NULL), 0);
            stop(&found);
        }
        stop(&rig);
        if (!off)
            break;
    }
}

static int (*true_sync_dir)(struct sr_io *io, const char *path);
static int failing_sync_dir(struct sr_io *io, const char *path)
{
    io->sync_dir = true_sync_dir;
    (void)path;
    return -EIO;
}

/* R2: the compaction's rename is not made durable (sync_dir fails once): in_redo says more than the redo
 * has, and the seal goes on without an image of the last segment. */
static struct rig make_unnamed(void)
{
    struct rig rig = start(rig_prepare(2), 0);
    struct sr_io *io = memfs_io(rig.fs);

    grow_redo(&rig);
    true_sync_dir = io->sync_dir;
    io->sync_dir = failing_sync_dir;
    assert_true(staging_sync(rig.staging) < 0); /* compacts, and cannot make the name durable */
    assert_true(io->sync_dir == true_sync_dir);
    assert_int_equal(staging_sync(rig.staging), 0);
    return rig;
}

static void test_seal_after_unnamed_compaction(void **state)
{
    (void)state;
    seal_with_cuts(make_unnamed, assert_grown);
}

/* R3: positions are in in_redo before their images are; a push that fails at the first segment and a
 * truncation leave the last segment in place alone, and the seal takes it to be in the redo. */
static struct rig make_unimaged(void)
{
    struct rig rig = start(rig_prepare(3), 0);

    assert_int_equal(put(&rig, 0, 2 * SEG, 1) || staging_sync(rig.staging), 0);
    assert_int_equal(staging_close(rig.staging), 0);
    assert_int_equal(staging_open(rig.vault, &rig.id, &rig.staging), 0);
    assert_int_equal(put(&rig, 50000, 100, 2) || put(&rig, SEG + 50000, 100, 2), 0);
    assert_int_equal(put(&rig, 2 * SEG, 100, 2), 0); /* the tail is another */
    memfs_fail_at(rig.fs, 2, ENOSPC);                /* pread of segment 0, its image's nonce */
    assert_true(staging_sync(rig.staging) < 0);
    assert_true(memfs_fired(rig.fs));
    assert_int_equal(staging_truncate(rig.staging, SEG + 3000), 0);
    assert_int_equal(staging_sync(rig.staging), 0);
    return rig;
}

static void check_unimaged(struct rig *found)
{
    assert_int_equal(read_all(found), SEG + 3000);
    assert_filled(found, SEG, SEG + 3000, 1);
}

static void test_seal_after_failed_push(void **state)
{
    (void)state;
    seal_with_cuts(make_unimaged, check_unimaged);
}

/* R4: pressure takes the tail between the flush of a sync and its image: the meta record is
 * acknowledged, the tail is neither in the redo nor durable in place. */
static struct staging *pressed;
static int (*true_fdatasync)(struct sr_io *io, int fd);
static int pressing_fdatasync(struct sr_io *io, int fd)
{
    int rc = true_fdatasync(io, fd);

    if (pressed && fd == pressed->fd) {
        struct staging *staging = pressed;

        pressed = NULL;
        staging_relieve(staging, true);
        settle(staging);
    }
    return rc;
}

static void test_pressure_within_a_sync(void **state)
{
    struct rig rig = start(rig_prepare(4), 0), found;
    struct sr_io *io = memfs_io(rig.fs);

    (void)state;
    true_fdatasync = io->fdatasync;
    io->fdatasync = pressing_fdatasync;
    assert_int_equal(put(&rig, 0, 16384, 1), 0);
    pressed = rig.staging;
    assert_int_equal(staging_sync(rig.staging), 0);
    assert_null(pressed);
    found = crash(&rig, MEMFS_LOST, 1);
    assert_int_equal(read_all(&found), 16384);
    assert_filled(&found, 0, 16384, 1);
    stop(&found);
    stop(&rig);
}

/* R5: a write in place that is under way during a content sync (compact_if_large under pressure lets
 * writers go on) is counted as synced; the next sync then does not sync the content. */
static int held_fd = -1;
static _Atomic int stage;
static ssize_t (*true_pwrite)(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t at);
static ssize_t holding_pwrite(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t at)
{
    if (fd == held_fd && stage == 0) {
        stage = 1;
        while (stage == 1)
            sched_yield();
    }
    return true_pwrite(io, fd, buf, len, at);
}

static void *let_go(void *unused)
{
    (void)unused;
    usleep(50000);
    stage = 2;
    return NULL;
}

static void test_write_during_content_sync(void **state)
{
    pthread_t thread;
    struct rig rig = start(rig_prepare(5), 0), found;
    struct sr_io *io = memfs_io(rig.fs);

    (void)state;
    assert_int_equal(put(&rig, 0, SEG, 1) || staging_sync(rig.staging), 0);
    true_pwrite = io->pwrite;
    io->pwrite = holding_pwrite;
    held_fd = rig.staging->fd;
    assert_int_equal(put(&rig, SEG, SEG, 2), 0); /* whole: a worker has it at once */
    while (stage != 1)
        sched_yield();
    assert_int_equal(pthread_create(&thread, NULL, let_go, NULL), 0);
    pthread_mutex_lock(&rig.staging->sync_lock); /* what compact_if_large does */
    assert_int_equal(staging_sync_content(rig.staging), 0);
    pthread_mutex_unlock(&rig.staging->sync_lock);
    pthread_join(thread, NULL);
    assert_int_equal(staging_sync(rig.staging), 0);
    found = crash(&rig, MEMFS_LOST, 1);
    assert_int_equal(read_all(&found), 2 * SEG);
    assert_filled(&found, SEG, 2 * SEG, 2);
    stop(&found);
    stop(&rig);
}

/* R6: a segment that is in the redo but that no meta record claims any more is neither queued nor pinned
 * when the compaction in between takes it out of in_redo: the sync aborts (without the assertion it
 * would acknowledge what is in memory alone). */
static void test_unclaimed_after_compaction(void **state)
{
    struct rig rig = start(rig_prepare(6), 0), found;

    (void)state;
    for (unsigned i = 0; i < SEGMENTS; i++)
        assert_int_equal(put(&rig, i * SEG, SEG, 1), 0);
    assert_int_equal(put(&rig, SEGMENTS * SEG, 2 * SEG, 3) || staging_sync(rig.staging), 0);
    assert_int_equal(put(&rig, SEGMENTS * SEG, 2 * SEG, 4) || staging_sync(rig.staging), 0);
    assert_int_equal(staging_truncate(rig.staging, SEGMENTS * SEG) || staging_sync(rig.staging), 0);
    for (unsigned i = 0; i < 135; i++)
        assert_int_equal(put(&rig, i * SEG, 10, 1), 0);
    assert_int_equal(put(&rig, SEGMENTS * SEG, 40000, 2) || staging_sync(rig.staging), 0);
    assert_true(rig.staging->redo.good_len > STAGING_REDO_LIMIT);
    assert_int_equal(put(&rig, (SEGMENTS + 1) * SEG, SEG, 5), 0);
    assert_int_equal(staging_sync(rig.staging), 0);
    found = crash(&rig, MEMFS_LOST, 1);
    assert_int_equal(read_all(&found), (SEGMENTS + 2) * SEG);
    assert_filled(&found, SEGMENTS * SEG, SEGMENTS * SEG + 40000, 2);
    assert_filled(&found, (SEGMENTS + 1) * SEG, (SEGMENTS + 2) * SEG, 5);
    stop(&found);
    stop(&rig);
}

/* R7: a power cut keeps the seal record and not the image behind it; the next start seals on without an
 * image, and a second cut tears the last segment. */
static void test_two_cuts_in_a_seal(void **state)
{
    struct memfs *prepared = rig_prepare(7);
    struct staging_seal seal;

    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct rig rig = start(memfs_clone(prepared), 0), found, again;

        assert_int_equal(put(&rig, 0, SEG + 3000, 1) || flush(&rig) || staging_sync(rig.staging),
                         0);
        memfs_cut_at_sync(rig.fs, 1, false); /* the redo's */
        assert_true(staging_finalize(rig.staging, &seal) < 0);
        found = crash(&rig, MEMFS_TORN, seed);
        memfs_cut_at_sync(found.fs, 1,
                          false); /* the redo's, or the content's if the record was there */
        assert_true(staging_finalize(found.staging, &seal) < 0);
        for (uint64_t other = 0; other < 12; other++) {
            again = crash(&found, MEMFS_TORN, 100 * seed + other);
            assert_int_equal(read_all(&again), SEG + 3000);
            assert_filled(&again, 0, SEG + 3000, 1);
            stop(&again);
        }
        stop(&found);
        stop(&rig);
    }
    memfs_free(prepared);
}

/* R8: a cut leaves a torn image and a whole one behind it. The next start goes on at the torn one with the
 * sequence numbers of before; its first image is as long, and the old one behind it counts again. */
static void test_dropped_records_stay_dropped(void **state)
{
    struct memfs *prepared = rig_prepare(8);

    (void)state;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct rig rig = start(memfs_clone(prepared), 0), found, again;

        assert_int_equal(put(&rig, 0, 3 * SEG, 1) || staging_sync(rig.staging), 0);
        assert_int_equal(put(&rig, 0, 2 * SEG, 2), 0);
        memfs_cut_at_sync(rig.fs, 1, false); /* the redo's, with two images */
        assert_true(staging_sync(rig.staging) < 0);
        found = crash(&rig, MEMFS_TORN, seed);
        assert_int_equal(read_all(&found), 3 * SEG);
        if (found.work[0] == 1 && found.work[SEG] == 1) {
            assert_int_equal(staging_sync(found.staging), 0);
            assert_int_equal(put(&found, 2 * SEG, SEG, 3), 0);
            memfs_cut_at_sync(found.fs, 1, true);
            assert_true(staging_sync(found.staging) < 0);
            again = crash(&found, MEMFS_LOST, seed);
            assert_int_equal(read_all(&again), 3 * SEG);
            assert_filled(&again, 0, 2 * SEG, 1);
            stop(&again);
        }
        stop(&found);
        stop(&rig);
    }
    memfs_free(prepared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compaction_keeps_the_tail),
        cmocka_unit_test(test_seal_after_unnamed_compaction),
        cmocka_unit_test(test_seal_after_failed_push),
        cmocka_unit_test(test_pressure_within_a_sync),
        cmocka_unit_test(test_write_during_content_sync),
        cmocka_unit_test(test_unclaimed_after_compaction),
        cmocka_unit_test(test_two_cuts_in_a_seal),
        cmocka_unit_test(test_dropped_records_stay_dropped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
