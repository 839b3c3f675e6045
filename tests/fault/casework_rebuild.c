/* A rebuild of the catalog that meets an error, or a power cut: whatever happens to it, the store goes on,
 * the catalog says what the ledger says, and a rebuild after it succeeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "catalog/file.h"
#include "tests/lib/world.h"

#define STAGE "2026/案/02调查取证"
#ifdef __SANITIZE_ADDRESS__ /* ten times as slow */
#define STEP 7
#else
#define STEP 1
#endif
#define CUT_STEP (5 * STEP) /* calls: each cut is looked at three times */
#define SETTLE_NS (3600 * INT64_C(1000000000))

static struct memfs *prepared;

static void must(int status, const char *what, uint64_t n)
{
    if (status < 0)
        fail_msg("%s, %llu: %s", what, (unsigned long long)n, sr_error_message());
}

static int put_and_seal(struct world *world, const char *path)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    int status = world_put(world, WORLD_OFFICER, path, path, strlen(path), &node);
    return status < 0 ? status : door_seal(world->door, &officer, node.id, 20000);
}

static int prepare(void **state)
{
    struct world world;
    (void)state;
    prepared = world_prepare();
    if (world_open(&world, prepared, SETTLE_NS) < 0)
        return -1;
    int status = put_and_seal(&world, STAGE "/before.txt");
    world_close(&world);
    return status;
}

static int tidy(void **state)
{
    (void)state;
    memfs_free(prepared);
    return 0;
}

static int rebuild(struct world *world)
{
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    uint64_t entries;
    return door_rebuild(world->door, &archivist, NULL, NULL, &entries);
}

/* The catalog says what the ledger says, and is there for everybody. */
static void check_same(struct world *world, const char *what, uint64_t n)
{
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    struct sr_buf difference = {0};
    struct catalog_node node;
    int status = SR_ERR_DAMAGED;
    for (int i = 0; i < 2000 && status == SR_ERR_DAMAGED; i++) {
        if (i > 0)
            usleep(5000); /* a broken one is made again in the background */
        status = door_rebuild_check(world->door, &archivist, NULL, NULL, &difference);
    }
    must(status, what, n);
    if (difference.len != 0)
        fail_msg("%s, %llu: %.*s", what, (unsigned long long)n, (int)difference.len,
                 (const char *)difference.data);
    must(world_find(world, WORLD_OFFICER, STAGE "/before.txt", &node), what, n);
    assert_int_equal(node.version.state, CATALOG_SEALED);
}

static void assert_no_rest(struct memfs *fs)
{
    static const char *const names[] = {CATALOG_FILE_NEW, CATALOG_FILE_NEW "-wal",
                                        CATALOG_FILE_CHECK, CATALOG_FILE_CHECK "-wal"};
    struct sr_io *io = memfs_io(fs);
    struct sr_stat stat;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, WORLD_VAULT "/%s", names[i]);
        if (io->stat(io, path, &stat) != -ENOENT)
            fail_msg("%s is left", path);
    }
}

/* Everything again, with nothing in the way. */
static void check_after(struct memfs *fs, const char *what, uint64_t n)
{
    struct world world;
    must(world_open(&world, fs, SETTLE_NS), what, n);
    assert_no_rest(fs);
    check_same(&world, what, n);
    must(put_and_seal(&world, STAGE "/after.txt"), what, n);
    must(rebuild(&world), what, n);
    check_same(&world, what, n);
    if (world_audit(&world) != 0)
        fail_msg("%s, %llu: audit has findings", what, (unsigned long long)n);
    world_close(&world);
}

/* One call fails. The store is not started again for it. */
static void test_fail_every_call(void **state)
{
    uint64_t fired = 0, refused = 0;
    (void)state;
    for (uint64_t n = 1;; n += STEP) {
        struct memfs *fs = memfs_clone(prepared);
        struct world world;
        must(world_open(&world, fs, SETTLE_NS), "open", n);
        memfs_fail_at(fs, n, n % 3 == 0 ? ENOSPC : EIO);
        int status = rebuild(&world);
        bool hit = memfs_fired(fs);
        memfs_fail_at(fs, 0, 0);
        fired += hit;
        refused += status < 0;
        check_same(&world, "after a failing call", n);
        must(put_and_seal(&world, STAGE "/meanwhile.txt"), "a record after a failing call", n);
        must(rebuild(&world), "rebuild after a failing call", n);
        check_same(&world, "rebuilt after a failing call", n);
        world_close(&world);
        check_after(fs, "start after a failing call", n);
        memfs_free(fs);
        if (!hit)
            break;
    }
    print_message("calls: %llu faults fired, %llu rebuilds failed\n", (unsigned long long)fired,
                  (unsigned long long)refused);
    assert_true(fired >= 100 / STEP);
    assert_true(refused > 0);
}

static void test_cut_on_the_way(void **state)
{
    uint64_t cuts = 0;
    (void)state;
    for (uint64_t n = 1;; n += CUT_STEP) {
        struct memfs *fs = memfs_clone(prepared);
        struct world world;
        must(world_open(&world, fs, SETTLE_NS), "open", n);
        memfs_cut_at_call(fs, n);
        (void)rebuild(&world);
        bool off = memfs_is_off(fs);
        memfs_cut_now(fs);
        world_close(&world);
        for (int mode = MEMFS_LOST; mode <= MEMFS_TORN; mode++) {
            struct memfs *found = memfs_after_cut(fs, (enum memfs_mode)mode, n * 7 + 1);
            check_after(found,
                        mode == MEMFS_LOST   ? "cut, lost"
                        : mode == MEMFS_KEPT ? "cut, kept"
                                             : "cut, torn",
                        n);
            memfs_free(found);
            cuts++;
        }
        memfs_free(fs);
        if (!off)
            break;
    }
    print_message("power: %llu cuts looked at\n", (unsigned long long)cuts);
    assert_true(cuts >= 100 / STEP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_every_call),
        cmocka_unit_test(test_cut_on_the_way),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
