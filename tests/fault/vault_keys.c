/* Keys when a call fails and when the power goes: at every call and at every sync of creating,
 * adding, removing and extending. Afterwards exactly the right passphrases open, and every key that
 * was ever returned is what it was. */
#include "tests/fault/vault_keys_truth.h"

/* Walks n until the n-th call no longer comes. */
static void fail_every_call(const struct truth *truth, const struct act *act, int error_number)
{
    uint64_t n = 1;

    for (bool fired = true; fired; n++) {
        struct memfs *fs = memfs_clone(truth->fs);
        struct keys *keys;
        int rc;

        assert_int_equal(open_keys(fs, PASS_A, &keys), 0);
        memfs_fail_at(fs, n, error_number);
        rc = act->run(truth, keys);
        fired = memfs_fired(fs);
        memfs_fail_at(fs, 0, 0);
        /* Alternate: reopened at once, or used on first. */
        if (n % 2)
            go_on(truth, keys);
        if (n % 4 == 3 && rc) {
            rc = act->run(truth, keys); /* again; a slot that is gone already is no news */
            if (rc == SR_ERR_NOT_FOUND)
                rc = 0;
            assert_int_equal(rc, 0);
        }
        keys_free(keys);
        if (rc == 0)
            assert_sound(truth, fs, act->b_done, act->c_done);
        else
            assert_sound(truth, fs, act->b_failed, act->c_failed);
        memfs_free(fs);
    }
    assert_true(n > 8); /* the walk did go through the act */
}

static void test_failing_calls(void **state)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        fail_every_call(*state, &acts[i], EIO);
        fail_every_call(*state, &acts[i], ENOSPC);
    }
}

static void look_after_cut(const struct truth *truth, struct memfs *fs, enum verdict b,
                           enum verdict c)
{
    for (unsigned mode = 0; mode < 2 + TORN_SEEDS; mode++) {
        struct memfs *found = memfs_after_cut(fs,
                                              mode == 0   ? MEMFS_LOST
                                              : mode == 1 ? MEMFS_KEPT
                                                          : MEMFS_TORN,
                                              100 + mode);

        assert_sound(truth, found, b, c);
        memfs_free(found);
    }
}

static void cut_every_sync(const struct truth *truth, const struct act *act, bool after)
{
    uint64_t n = 1;

    for (bool off = true; off; n++) {
        struct memfs *fs = memfs_clone(truth->fs);
        struct keys *keys;
        int rc;

        assert_int_equal(open_keys(fs, PASS_A, &keys), 0);
        memfs_cut_at_sync(fs, n, after);
        rc = act->run(truth, keys);
        off = memfs_is_off(fs);
        keys_free(keys);
        memfs_cut_now(fs);
        /* What was answered with success holds, whatever was not synced since. */
        if (rc == 0)
            look_after_cut(truth, fs, act->b_done, act->c_done);
        else
            look_after_cut(truth, fs, act->b_failed == OPENS ? OPENS : EITHER,
                           act->c_done == FAILS ? FAILS : EITHER);
        memfs_free(fs);
    }
    assert_true(n > 2);
}

static void test_power_cuts(void **state)
{
    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        cut_every_sync(*state, &acts[i], false);
        cut_every_sync(*state, &acts[i], true);
    }
}

/* The power goes again while keys_open finishes, or undoes, the turn-over. */
static void cut_recovery(const struct truth *truth, struct memfs *found)
{
    for (bool off = true, after = false;; after = !after) {
        uint64_t n = 1;

        for (off = true; off; n++) {
            struct memfs *fs = memfs_clone(found), *again;
            struct keys *keys;

            memfs_cut_at_sync(fs, n, after);
            (void)open_keys(fs, PASS_A, &keys);
            off = memfs_is_off(fs);
            keys_free(keys);
            memfs_cut_now(fs);
            again = memfs_after_cut(fs, after ? MEMFS_LOST : MEMFS_TORN, n);
            assert_sound(truth, again, EITHER, FAILS);
            memfs_free(again);
            memfs_free(fs);
        }
        if (after)
            return;
    }
}

static void test_power_cuts_in_recovery(void **state)
{
    struct truth *truth = *state;
    uint64_t n = 1;

    for (bool off = true; off; n++) {
        struct memfs *fs = memfs_clone(truth->fs), *found;
        struct keys *keys;

        assert_int_equal(open_keys(fs, PASS_A, &keys), 0);
        memfs_cut_at_sync(fs, n, true);
        (void)keys_remove_slot(keys, truth->b);
        off = memfs_is_off(fs);
        keys_free(keys);
        memfs_cut_now(fs);
        found = memfs_after_cut(fs, n % 2 ? MEMFS_KEPT : MEMFS_TORN, n);
        cut_recovery(truth, found);
        memfs_free(found);
        memfs_free(fs);
    }
    assert_true(n > 8);
}

/* Opening with a call failing: an error, or the same keys as ever; and it does no harm. */
static void test_failing_open(void **state)
{
    struct truth *truth = *state;
    struct memfs *interrupted = memfs_clone(truth->fs);
    struct keys *keys;
    struct sr_stat st;

    /* The folder with a turn-over to finish: cut right after the marker became durable. */
    for (uint64_t n = 1;; n++) {
        memfs_free(interrupted);
        interrupted = memfs_clone(truth->fs);
        assert_int_equal(open_keys(interrupted, PASS_A, &keys), 0);
        memfs_cut_at_sync(interrupted, n, true);
        assert_int_not_equal(keys_remove_slot(keys, truth->b), 0);
        keys_free(keys);
        struct memfs *found = memfs_after_cut(interrupted, MEMFS_LOST, 1);
        memfs_free(interrupted);
        interrupted = found;
        if (memfs_io(found)->stat(memfs_io(found), DIR "/turnover", &st) == 0)
            break;
    }
    for (int round = 0; round < 2; round++) {
        struct memfs *base = round ? interrupted : truth->fs;
        uint64_t n = 1;

        for (bool fired = true; fired; n++) {
            struct memfs *fs = memfs_clone(base);
            uint8_t key[SR_KEY_LEN];
            int rc;

            memfs_fail_at(fs, n, EIO);
            rc = open_keys(fs, PASS_A, &keys);
            fired = memfs_fired(fs);
            for (size_t i = 0; !rc && i < KEYS; i++)
                if (!keys_get(keys, truth->ids[i], key))
                    assert_memory_equal(key, truth->keys[i], SR_KEY_LEN);
            keys_free(keys);
            memfs_fail_at(fs, 0, 0);
            assert_sound(truth, fs, round ? FAILS : OPENS, FAILS);
            memfs_free(fs);
        }
        assert_true(n > 8);
    }
    memfs_free(interrupted);
}

/* Creation leaves nothing that opens until it is complete. */
static void test_create(void **state)
{
    struct memfs *empty = memfs_new(9);
    uint64_t n = 1;

    (void)state;
    assert_int_equal(sr_io_make_dir(memfs_io(empty), DIR, 0700), 0);
    for (bool fired = true; fired; n++) {
        struct memfs *fs = memfs_clone(empty);
        struct keys *keys;
        int rc;

        memfs_fail_at(fs, n, EIO);
        rc = keys_create_with_cost(memfs_io(fs), DIR, vault_id, PASS_A, "A", COST, &keys);
        fired = memfs_fired(fs);
        assert_true((rc == 0) == (keys != NULL));
        keys_free(keys);
        memfs_fail_at(fs, 0, 0);
        assert_true((open_keys(fs, PASS_A, &keys) == 0) == (rc == 0));
        keys_free(keys);
        memfs_free(fs);
    }
    assert_true(n > 20);
    n = 1;
    for (bool off = true; off; n++) {
        struct memfs *fs = memfs_clone(empty);
        struct keys *keys;
        uint8_t signing[SR_KEY_LEN], again[SR_KEY_LEN];
        int rc;

        memfs_cut_at_sync(fs, n, n % 2);
        rc = keys_create_with_cost(memfs_io(fs), DIR, vault_id, PASS_A, "A", COST, &keys);
        off = memfs_is_off(fs);
        if (!rc)
            assert_int_equal(keys_get_named(keys, KEYS_SIGNING, signing), 0);
        keys_free(keys);
        memfs_cut_now(fs);
        for (unsigned mode = MEMFS_LOST; mode <= MEMFS_TORN; mode++) {
            struct memfs *found = memfs_after_cut(fs, (enum memfs_mode)mode, n);

            if (open_keys(found, PASS_A, &keys)) {
                assert_int_not_equal(rc, 0);
            } else {
                /* If it opens it is whole. */
                assert_int_equal(keys_verify(keys, bad_file, NULL), 0);
                assert_int_equal(keys_unused(keys), KEYS_PER_PAGE);
                assert_int_equal(keys_get_named(keys, KEYS_SIGNING, again), 0);
                if (!rc)
                    assert_memory_equal(signing, again, SR_KEY_LEN);
            }
            keys_free(keys);
            memfs_free(found);
        }
        memfs_free(fs);
    }
    assert_true(n > 6);
    memfs_free(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_failing_calls), TEST(test_power_cuts),         TEST(test_power_cuts_in_recovery),
        TEST(test_failing_open),  cmocka_unit_test(test_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
