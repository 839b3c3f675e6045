/* The in-memory file system of the fault suites: the faults and surroundings it simulates. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/memfs_internal.h"
#include "tests/lib/memfs_use.h"

static int count_names(void *context, const char *name)
{
    (void)name;
    ++*(int *)context;
    return 0;
}

static int stop_at_once(void *context, const char *name)
{
    (void)context;
    (void)name;
    return 42;
}

/* Makes one each of the counted calls, on a file system that has "f"; stops at the first error. */
static int counted_calls(struct sr_io *io)
{
    char byte;
    int count = 0;
    int fd = io->open(io, "f", O_RDWR, 0);
    ssize_t rc = fd;
    for (int step = 0; rc >= 0 && step < 14; step++) {
        switch (step) {
        case 0:
            rc = io->pread(io, fd, &byte, 1, 0);
            break;
        case 1:
            rc = io->pwrite(io, fd, "x", 1, 0);
            break;
        case 2:
            rc = io->fsync(io, fd);
            break;
        case 3:
            rc = io->fdatasync(io, fd);
            break;
        case 4:
            rc = io->ftruncate(io, fd, 9);
            break;
        case 5:
            rc = io->allocate(io, fd, 0, 9000);
            break;
        case 6:
            rc = io->link(io, "f", "g");
            break;
        case 7:
            rc = io->rename(io, "g", "h");
            break;
        case 8:
            rc = io->unlink(io, "h");
            break;
        case 9:
            rc = io->mkdir(io, "d", 0700);
            break;
        case 10:
            rc = io->rmdir(io, "d");
            break;
        case 11:
            rc = io->sync_dir(io, "/");
            break;
        case 12:
            rc = io->list(io, "/", count_names, &count);
            break;
        default:
            rc = io->random(io, &byte, 1);
        }
    }
    if (fd >= 0)
        io->close(io, fd);
    return rc < 0 ? (int)rc : 0;
}

static void test_fail_at(void **state)
{
    (void)state;
    struct memfs *prepared = memfs_new(1);
    memfs_put(prepared, "f", "x", 0);
    uint64_t n = 1;
    for (;; n++) {
        struct memfs *fs = memfs_clone(prepared);
        memfs_fail_at(fs, n, EIO);
        int rc = counted_calls(memfs_io(fs));
        bool fired = memfs_fired(fs);
        assert_int_equal(rc, fired ? -EIO : 0);
        assert_int_equal(memfs_calls(fs), fired ? n : n - 1);
        memfs_check(fs);
        memfs_free(fs);
        if (!fired)
            break;
    }
    assert_int_equal(n, 16);
    memfs_free(prepared);

    /* Once only, and with a torn write. */
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    struct sr_stat st;
    bool seen[3] = {false};
    for (int i = 0; i < 100; i++) {
        int fd = io->open(io, "f", O_RDWR | O_CREAT | O_TRUNC, 0600);
        memfs_fail_at(fs, 1, ENOSPC);
        assert_int_equal(io->pwrite(io, fd, "abcd", 4, 0), -ENOSPC);
        assert_int_equal(io->fstat(io, fd, &st), 0);
        seen[st.size == 0 ? 0 : st.size < 4 ? 1 : 2] = true;
        assert_int_equal(io->pwrite(io, fd, "abcd", 4, 0), 4);
        io->close(io, fd);
    }
    assert_true(seen[0] && seen[1] && seen[2]);
    memfs_free(fs);
}

static void test_space(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    static uint8_t block[16384];
    uint64_t room;
    uint64_t total;
    memfs_put(fs, "old", "x", 0);
    memfs_set_space(fs, 8192);
    assert_int_equal(io->free_space(io, "/", &room, &total), 0);
    assert_int_equal(room, 8192);
    int fd = io->open(io, "f", O_RDWR | O_CREAT, 0600);
    assert_int_equal(io->pwrite(io, fd, block, sizeof(block), 100), 8192 - 100); /* short */
    assert_int_equal(io->pwrite(io, fd, block, 1, 8192), -ENOSPC);
    assert_int_equal(io->pwrite(io, fd, block, 100, 0), 100); /* over what is there */
    assert_int_equal(io->allocate(io, fd, 8192, 1), -ENOSPC);
    assert_int_equal(io->unlink(io, "old"), 0); /* one page */
    assert_int_equal(io->allocate(io, fd, 8192, 1), 0);
    struct sr_stat st;
    assert_int_equal(io->fstat(io, fd, &st), 0);
    assert_int_equal(st.size, 8192); /* allocation keeps the size */
    assert_int_equal(io->pwrite(io, fd, block, 4096, 8192), 4096);
    assert_int_equal(io->ftruncate(io, fd, 1), 0);
    assert_int_equal(io->free_space(io, "/", &room, &total), 0);
    assert_int_equal(room, 8192);
    assert_int_equal(io->unlink(io, "f"), 0);
    assert_int_equal(io->free_space(io, "/", &room, &total), 0);
    assert_int_equal(room, 8192); /* still open */
    io->close(io, fd);
    assert_int_equal(io->free_space(io, "/", &room, &total), 0);
    assert_int_equal(room, total);
    memfs_check(fs);
    memfs_free(fs);
}

static void test_surroundings(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(7);
    struct sr_io *io = memfs_io(fs);
    int64_t now_ns = io->now_ns(io);
    int64_t boottime_ns = io->boottime_ns(io);
    memfs_advance(fs, 5);
    assert_true(io->now_ns(io) == now_ns + 5 && io->boottime_ns(io) == boottime_ns + 5);
    memfs_set_time(fs, 77);
    assert_true(io->now_ns(io) == 77 && io->boottime_ns(io) == boottime_ns + 5);

    uint8_t a[20];
    uint8_t b[20];
    struct memfs *same = memfs_new(7);
    struct sr_io *same_io = memfs_io(same);
    assert_int_equal(io->random(io, a, sizeof(a)), 0);
    assert_int_equal(same_io->random(same_io, b, sizeof(b)), 0);
    assert_memory_equal(a, b, sizeof(a));
    struct memfs *found = memfs_after_cut(fs, MEMFS_LOST, 7);
    struct sr_io *found_io = memfs_io(found);
    assert_int_equal(found_io->random(found_io, b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a)); /* a rebooted machine does not repeat itself */
    struct memfs *again = memfs_after_cut(found, MEMFS_LOST, 7);
    struct sr_io *again_io = memfs_io(again);
    assert_int_equal(again_io->random(again_io, a, sizeof(a)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    memfs_free(again);
    assert_true(found_io->boottime_ns(found_io) == 0);
    memfs_free(found);
    memfs_free(same);

    memfs_put(fs, "f", "abc", 0);
    assert_int_equal(io->set_immutable(io, "f", true), 0);
    assert_int_equal(io->open(io, "f", O_WRONLY, 0), -EPERM);
    assert_int_equal(io->unlink(io, "f"), -EPERM);
    assert_int_equal(io->rename(io, "f", "g"), -EPERM);
    assert_int_equal(io->link(io, "f", "g"), -EPERM);
    memfs_check_file(fs, "f", "abc");
    assert_int_equal(io->set_immutable(io, "f", false), 0);
    assert_int_equal(io->unlink(io, "f"), 0);
    int count = 0;
    memfs_put(fs, "1", "", 0);
    memfs_put(fs, "2", "", 0);
    assert_int_equal(io->list(io, "/", count_names, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(io->list(io, "/", stop_at_once, NULL), 42);
    assert_int_equal(io->list(io, "1", count_names, &count), -ENOTDIR);
    memfs_free(fs);
}

static void test_other_hands(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    memfs_put(fs, "f", "abc", 0);
    memfs_sync_file(fs, "f");
    memfs_sync_folder(fs, "/");
    uint64_t calls = memfs_calls(fs);
    assert_int_equal(io->set_immutable(io, "f", true), 0);
    assert_int_equal(memfs_corrupt(fs, "f", 1, 0x20), 0);
    assert_int_equal(memfs_corrupt(fs, "f", 3, 0x20), -EINVAL);
    assert_int_equal(memfs_corrupt(fs, "none", 0, 1), -ENOENT);
    memfs_check_after(fs, MEMFS_LOST, "f", "aBc");
    assert_int_equal(memfs_copy_file(fs, "f", "g"), 0);
    assert_int_equal(memfs_truncate(fs, "f", 2), 0);
    assert_int_equal(memfs_calls(fs), calls);
    memfs_check_file(fs, "f", "aB");
    memfs_check_file(fs, "g", "aBc");
    memfs_check_after(fs, MEMFS_LOST, "f", "aB");
    memfs_check_after(fs, MEMFS_LOST, "g", "aBc");
    assert_int_equal(memfs_copy_file(fs, "g", "f"), 0);
    memfs_check_after(fs, MEMFS_LOST, "f", "aBc");
    assert_int_equal(memfs_copy_file(fs, "none", "f"), -ENOENT);

    /* A clone goes its own way, and takes along what is not durable. */
    memfs_put(fs, "h", "not synced", 0);
    struct memfs *copy = memfs_clone(fs);
    memfs_put(fs, "h", "NOT", 0);
    memfs_check_file(copy, "h", "not synced");
    memfs_check_after(copy, MEMFS_LOST, "h", NULL);
    memfs_check_after(copy, MEMFS_KEPT, "h", "not synced");
    memfs_free(copy);
    memfs_free(fs);
}

static void *hammer(void *context)
{
    struct memfs *fs = context;
    struct sr_io *io = memfs_io(fs);
    for (int i = 0; i < 300; i++) {
        uint64_t id;
        char path[32];
        if (io->random(io, &id, sizeof(id)) < 0)
            return "random";
        snprintf(path, sizeof(path), "d/%016llx", (unsigned long long)id);
        if (memfs_put(fs, path, "content", 5000) < 0 || memfs_sync_file(fs, path) < 0 ||
            memfs_sync_folder(fs, "d") < 0)
            return "write";
        if (i % 2 && io->unlink(io, path) < 0)
            return "unlink";
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    pthread_t threads[4];
    io->mkdir(io, "d", 0700);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, fs), 0);
    for (int i = 0; i < 4; i++) {
        void *complaint;
        assert_int_equal(pthread_join(threads[i], &complaint), 0);
        assert_null(complaint);
    }
    int count = 0;
    assert_int_equal(io->list(io, "d", count_names, &count), 0);
    assert_int_equal(count, 600);
    /* What was unlinked for good takes no memory. */
    assert_true(fs->inode_count < 700);
    memfs_check(fs);
    memfs_free(fs);
    memfs_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_at),      cmocka_unit_test(test_space),
        cmocka_unit_test(test_surroundings), cmocka_unit_test(test_other_hands),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
