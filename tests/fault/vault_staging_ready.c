/* Files made ahead of need: what a create then costs, what a crash leaves of them, what is removed. */
#include <errno.h>
#include <sched.h>

#include "tests/fault/vault_staging_rig.h"
#include "vault/pipeline_internal.h"

static int count_file(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    unsigned *files = context; /* all, those with content */

    (void)id;
    files[0]++;
    files[1] += content_bytes > 0;
    return 0;
}

static void assert_files(struct vault *vault, unsigned all, unsigned with_content)
{
    unsigned files[2] = {0};

    assert_int_equal(staging_list(vault, count_file, files), 0);
    assert_int_equal(files[0], all);
    assert_int_equal(files[1], with_content);
}

static unsigned ready_count(struct vault *vault)
{
    struct pipeline *pipeline = pipeline_of(vault);
    unsigned count;

    pthread_mutex_lock(&pipeline->lock);
    count = pipeline->ready_count;
    pthread_mutex_unlock(&pipeline->lock);
    return count;
}

/* None unless asked for; then a worker makes them when a second create follows soon. */
static void test_made_by_a_worker(void **state)
{
    struct memfs *fs = rig_prepare(1);
    struct vault *vault = rig_open(fs, 1, 0);
    struct staging *made[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(staging_create(vault, &made[i]), 0);
        assert_int_equal(staging_close(made[i]), 0);
    }
    assert_files(vault, 3, 0);
    staging_keep_ready(vault, 6);
    memfs_advance(fs, INT64_C(10000000000));
    assert_int_equal(staging_create(vault, &made[0]), 0);
    assert_int_equal(staging_close(made[0]), 0);
    assert_int_equal(ready_count(vault), 0); /* one by itself is no series */
    assert_int_equal(staging_create(vault, &made[0]), 0);
    assert_int_equal(staging_close(made[0]), 0);
    while (ready_count(vault) < 6)
        sched_yield();
    assert_files(vault, 5 + 6, 0);
    vault_close(vault); /* removes what nobody took */
    vault = rig_open(fs, 1, 0);
    assert_files(vault, 5, 0);
    vault_close(vault);
    memfs_free(fs);
}

/* A small file's first acknowledgement: one sync, of its redo. */
static void test_one_sync(void **state)
{
    struct memfs *fs = rig_prepare(2);
    struct vault *vault = rig_open(fs, 1, 0);
    struct rig rig = {.fs = fs, .vault = vault, .work = malloc(16 * MIB)}, found;
    uint64_t key_id;

    (void)state;
    staging_keep_ready(vault, 3);
    staging_ready_fill(vault);
    assert_int_equal(ready_count(vault), 3);
    assert_int_equal(staging_create(vault, &rig.staging), 0);
    staging_id(rig.staging, &rig.id, &key_id);
    assert_int_equal(put(&rig, 0, 16384, 7), 0);
    memfs_cut_at_sync(fs, 0, false);
    assert_int_equal(staging_sync(rig.staging), 0);
    assert_int_equal(memfs_syncs(fs), 1);
    for (uint64_t seed = 0; seed < 8; seed++) {
        found = crash(&rig, seed < 2 ? (enum memfs_mode)seed : MEMFS_TORN, seed);
        assert_files(found.vault, 3, 1); /* the two that are left hold nothing */
        assert_int_equal(read_all(&found), 16384);
        assert_filled(&found, 0, 16384, 7);
        stop(&found);
    }
    stop(&rig);
}

/* A call fails while they are made: fewer are ready, each of them whole, and create goes on. */
static void test_failing_calls(void **state)
{
    struct memfs *prepared = rig_prepare(3);
    unsigned fired = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        struct memfs *fs = memfs_clone(prepared);
        struct vault *vault = rig_open(fs, 1, 0);
        struct rig rig = {.fs = fs, .vault = vault, .work = malloc(16 * MIB)}, found;
        uint64_t key_id;
        bool hit;

        staging_keep_ready(vault, 3);
        memfs_fail_at(fs, n, n % 2 ? ENOSPC : EIO);
        staging_ready_fill(vault);
        hit = memfs_fired(fs);
        fired += hit;
        memfs_fail_at(fs, 0, 0);
        for (unsigned i = 0; i < 4; i++) {
            assert_int_equal(staging_create(vault, &rig.staging), 0);
            staging_id(rig.staging, &rig.id, &key_id);
            assert_int_equal(put(&rig, 0, 3000, 9) || staging_sync(rig.staging), 0);
            found = crash(&rig, MEMFS_LOST, n);
            assert_int_equal(read_all(&found), 3000);
            stop(&found);
            if (i < 3)
                assert_int_equal(staging_close(rig.staging), 0);
        }
        stop(&rig);
        if (!hit)
            break;
    }
    assert_true(fired >=
                12); /* each of three: id, IV, open, pwrite, fdatasync, open; the folder's sync */
    memfs_free(prepared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_by_a_worker),
        cmocka_unit_test(test_one_sync),
        cmocka_unit_test(test_failing_calls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
