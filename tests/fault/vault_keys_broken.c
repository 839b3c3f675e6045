/* Keys on a disk that fails more than once, so that cleaning up after the first failure fails
 * too. */
#include "tests/fault/vault_keys_truth.h"

/* The n-th call and all later ones fail: cleaning up is not possible either. */
static void test_disk_that_stays_broken(void **state)
{
    struct truth *truth = *state;

    for (size_t i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
        uint64_t n = 1;

        for (bool off = true; off; n++) {
            struct memfs *fs = memfs_clone(truth->fs), *found;
            struct keys *keys;
            int rc;

            assert_int_equal(open_keys(fs, PASS_A, &keys), 0);
            memfs_cut_at_call(fs, n);
            rc = acts[i].run(truth, keys);
            off = memfs_is_off(fs);
            assert_true(!off || rc);
            assert_same_keys(truth, keys);
            keys_free(keys);
            found = memfs_after_cut(fs, MEMFS_KEPT, 1);
            assert_sound(truth, found, off ? EITHER : acts[i].b_done,
                         off ? EITHER : acts[i].c_done);
            memfs_free(found);
            memfs_free(fs);
        }
        assert_true(n > 8);
    }
}

/* For a while no name can be changed or synced: cleaning up after the first failure fails too. The
 * functions of the memfs's own table are replaced, so a static is the only place for the state. */
static struct {
    struct sr_io real;
    uint64_t calls, from, length;
} window;

static bool in_window(void)
{
    window.calls++;
    return window.calls >= window.from && window.calls < window.from + window.length;
}

static int window_link(struct sr_io *io, const char *from, const char *to)
{
    return in_window() ? -EIO : window.real.link(io, from, to);
}

static int window_rename(struct sr_io *io, const char *from, const char *to)
{
    return in_window() ? -EIO : window.real.rename(io, from, to);
}

static int window_unlink(struct sr_io *io, const char *path)
{
    return in_window() ? -EIO : window.real.unlink(io, path);
}

static int window_sync_dir(struct sr_io *io, const char *path)
{
    return in_window() ? -EIO : window.real.sync_dir(io, path);
}

static void arm_window(struct sr_io *io, uint64_t from, uint64_t length)
{
    window.real = *io;
    window.calls = 0;
    window.from = from;
    window.length = length;
    io->link = window_link;
    io->rename = window_rename;
    io->unlink = window_unlink;
    io->sync_dir = window_sync_dir;
}

/* One act with calls from .. from + length - 1 failing; then either the disk heals and the process
 * goes on, or the power goes. False once from is beyond the act's calls. */
static bool try_window(const struct truth *truth, const struct act *act, uint64_t from,
                       uint64_t length, bool heals)
{
    struct memfs *fs = memfs_clone(truth->fs), *found = NULL;
    struct keys *keys;
    bool reached;
    int rc;

    assert_int_equal(open_keys(fs, PASS_A, &keys), 0);
    arm_window(memfs_io(fs), from, length);
    rc = act->run(truth, keys);
    reached = window.calls >= from;
    *memfs_io(fs) = window.real;
    if (heals)
        go_on(truth, keys);
    keys_free(keys);
    if (heals) {
        assert_sound(truth, fs, rc ? act->b_failed : act->b_done, rc ? act->c_failed : act->c_done);
    } else {
        memfs_cut_now(fs);
        found = memfs_after_cut(fs, from % 2 ? MEMFS_KEPT : MEMFS_TORN, from);
        assert_sound(truth, found, rc ? EITHER : act->b_done, rc ? EITHER : act->c_done);
    }
    memfs_free(found);
    memfs_free(fs);
    return reached;
}

static void test_broken_for_a_while(void **state)
{
    static const uint64_t lengths[] = {2, 3, 4, 6, 1000};
    const size_t count = sizeof(lengths) / sizeof(*lengths);

    for (size_t i = 0; i < 2 * count * sizeof(acts) / sizeof(*acts); i++) {
        uint64_t from = 1;

        while (try_window(*state, &acts[i / (2 * count)], from, lengths[i / 2 % count], i % 2))
            from++;
        assert_true(from > 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_disk_that_stays_broken),
        TEST(test_broken_for_a_while),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
