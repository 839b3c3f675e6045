/* The in-memory file system of the fault suites: what it loses, keeps and refuses. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/lib/memfs_internal.h"
#include "tests/lib/memfs_use.h"

static void test_calls(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    struct sr_stat st;
    assert_int_equal(io->mkdir(io, "/a", 0700), 0);
    assert_int_equal(io->mkdir(io, "a", 0700), -EEXIST);
    assert_int_equal(io->mkdir(io, "a/b/c", 0700), -ENOENT);
    assert_int_equal(memfs_put(fs, "a/f", "hello", 0), 0);
    assert_int_equal(memfs_put(fs, "a/f/g", "x", 0), -ENOTDIR);
    assert_int_equal(memfs_put(fs, "/a//./f", "J", 0), 0);
    memfs_check_file(fs, "a/f", "Jello");
    assert_int_equal(io->open(io, "a/../f", O_RDONLY, 0), -EINVAL);
    assert_int_equal(io->open(io, "a", O_RDWR, 0), -EISDIR);
    assert_int_equal(io->open(io, "a/f", O_RDONLY | O_DIRECTORY, 0), -ENOTDIR);
    assert_int_equal(io->open(io, "a/f", O_RDWR | O_CREAT | O_EXCL, 0600), -EEXIST);
    assert_int_equal(io->rmdir(io, "a"), -ENOTEMPTY);
    assert_int_equal(io->rmdir(io, "a/f"), -ENOTDIR);
    assert_int_equal(io->unlink(io, "a"), -EISDIR);
    assert_int_equal(io->unlink(io, "a/none"), -ENOENT);
    assert_int_equal(io->link(io, "a/f", "g"), 0);
    assert_int_equal(io->link(io, "a/f", "g"), -EEXIST);
    assert_int_equal(io->link(io, "a", "h"), -EPERM);
    assert_int_equal(io->stat(io, "g", &st), 0);
    assert_int_equal(st.links, 2);
    assert_int_equal(st.size, 5);
    assert_false(st.is_dir);
    assert_true(st.mtime_ns == io->now_ns(io));
    assert_int_equal(io->rename(io, "g", "a/f"), 0); /* two names of one file: both stay */
    memfs_check_file(fs, "g", "Jello");
    assert_int_equal(memfs_put(fs, "n", "new", 0), 0);
    assert_int_equal(io->rename(io, "n", "a/f"), 0);
    memfs_check_file(fs, "a/f", "new");
    memfs_check_file(fs, "n", NULL);
    assert_int_equal(io->stat(io, "g", &st), 0);
    assert_int_equal(st.links, 1);
    assert_int_equal(io->rename(io, "none", "x"), -ENOENT);
    assert_int_equal(io->rename(io, "a", "a/x"), -EINVAL);
    assert_int_equal(io->rename(io, "a", "g"), -ENOTDIR);
    assert_int_equal(io->rename(io, "g", "a"), -EISDIR);
    assert_int_equal(io->rename(io, "a", "b"), 0);
    memfs_check_file(fs, "b/f", "new");
    assert_int_equal(io->stat(io, "/", &st), 0);
    assert_true(st.is_dir);
    assert_int_equal(io->unlink(io, "b/f"), 0);
    assert_int_equal(io->rmdir(io, "b"), 0);
    assert_int_equal(io->stat(io, "b", &st), -ENOENT);
    memfs_check(fs);
    memfs_free(fs);
}

static void test_descriptors(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    struct sr_stat st;
    char text[16];
    int fd = io->open(io, "f", O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 1000);
    assert_int_equal(io->pread(io, 3, text, 1, 0), -EBADF);
    assert_int_equal(io->pwrite(io, fd, "abcdef", 6, 0), 6);
    assert_int_equal(io->unlink(io, "f"), 0);
    assert_int_equal(io->pread(io, fd, text, 16, 2), 4); /* lives while open */
    assert_memory_equal(text, "cdef", 4);
    assert_int_equal(io->ftruncate(io, fd, 3), 0);
    assert_int_equal(io->ftruncate(io, fd, 5), 0);
    assert_int_equal(io->pread(io, fd, text, 16, 0), 5);
    assert_memory_equal(text, "abc\0\0", 5);
    assert_int_equal(io->fstat(io, fd, &st), 0);
    assert_int_equal(st.links, 0);
    assert_int_equal(io->close(io, fd), 0);
    assert_int_equal(io->close(io, fd), -EBADF);
    memfs_check(fs);

    int a = io->open(io, "l", O_RDWR | O_CREAT, 0600);
    int b = io->open(io, "l", O_RDONLY, 0);
    assert_int_equal(io->pwrite(io, b, "x", 1, 0), -EBADF);
    assert_int_equal(io->lock(io, a), 0);
    assert_int_equal(io->lock(io, a), 0);
    assert_int_equal(io->lock(io, b), -EWOULDBLOCK);
    struct memfs *copy = memfs_clone(fs); /* nobody holds the lock there */
    struct sr_io *copy_io = memfs_io(copy);
    int c = copy_io->open(copy_io, "l", O_RDONLY, 0);
    assert_int_equal(copy_io->lock(copy_io, c), 0);
    memfs_free(copy);
    io->close(io, b);
    b = io->open(io, "l", O_RDONLY, 0);
    assert_int_equal(io->lock(io, b), -EWOULDBLOCK); /* closing b gave nothing up */
    io->close(io, a);
    assert_int_equal(io->lock(io, b), 0);
    io->close(io, b);
    memfs_free(fs);
}

static void test_sparse(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    struct sr_stat st;
    char text[8];
    uint64_t far = (UINT64_C(1) << 43) - 3;
    int fd = io->open(io, "f", O_RDWR | O_CREAT, 0600);
    assert_int_equal(io->pwrite(io, fd, "abcdef", 6, far), 6);
    assert_int_equal(io->fstat(io, fd, &st), 0);
    assert_true(st.size == far + 6);
    assert_int_equal(io->pread(io, fd, text, 8, far - 2), 8);
    assert_memory_equal(text, "\0\0abcdef", 8);
    assert_int_equal(io->pread(io, fd, text, 1, far + 6), 0);
    assert_int_equal(io->fsync(io, fd), 0);
    io->close(io, fd);
    assert_int_equal(memfs_sync_folder(fs, "/"), 0);
    struct memfs *found = memfs_after_cut(fs, MEMFS_LOST, 1);
    struct sr_io *found_io = memfs_io(found);
    fd = found_io->open(found_io, "f", O_RDONLY, 0);
    assert_int_equal(found_io->pread(found_io, fd, text, 6, far), 6);
    assert_memory_equal(text, "abcdef", 6);
    memfs_free(found);
    memfs_free(fs);
}

static void test_content_durability(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    assert_int_equal(memfs_put(fs, "f", "first", 0), 0);
    memfs_check_after(fs, MEMFS_LOST, "f", NULL);
    memfs_check_after(fs, MEMFS_KEPT, "f", "first");
    assert_int_equal(memfs_sync_file(fs, "f"), 0);
    memfs_check_after(fs, MEMFS_LOST, "f", NULL); /* the name is not durable */
    assert_int_equal(memfs_sync_folder(fs, "/"), 0);
    memfs_check_after(fs, MEMFS_LOST, "f", "first");
    assert_int_equal(memfs_put(fs, "f", "second!", 0), 0);
    memfs_check_file(fs, "f", "second!");
    memfs_check_after(fs, MEMFS_LOST, "f", "first");
    memfs_check_after(fs, MEMFS_KEPT, "f", "second!");
    int fd = io->open(io, "f", O_WRONLY, 0);
    assert_int_equal(io->ftruncate(io, fd, 3), 0);
    io->close(io, fd);
    memfs_check_after(fs, MEMFS_LOST, "f", "first");
    memfs_check_after(fs, MEMFS_KEPT, "f", "sec");
    assert_int_equal(memfs_sync_file(fs, "f"), 0);
    memfs_check_after(fs, MEMFS_LOST, "f", "sec");

    assert_int_equal(memfs_put(fs, "g", "x", 0), 0);
    assert_int_equal(memfs_sync_folder(fs, "/"), 0);
    memfs_check_after(fs, MEMFS_LOST, "g", ""); /* name without content */
    memfs_free(fs);
}

static void test_failed_sync(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    memfs_put(fs, "f", "aaaa", 0);
    memfs_sync_file(fs, "f");
    memfs_sync_folder(fs, "/");
    memfs_put(fs, "f", "bbbb", 0);
    memfs_fail_at(fs, 2, EIO); /* 1 is the open */
    assert_int_equal(memfs_sync_file(fs, "f"), -EIO);
    assert_true(memfs_fired(fs));
    memfs_check_after(fs, MEMFS_LOST, "f", "aaaa");
    memfs_check_after(fs, MEMFS_KEPT, "f", "bbbb");
    memfs_put(fs, "f", "c", 0);
    assert_int_equal(memfs_sync_file(fs, "f"), 0);
    memfs_check_file(fs, "f", "cbbb");
    memfs_check_after(fs, MEMFS_LOST, "f", "caaa"); /* success, but not of what failed before */
    memfs_check_after(fs, MEMFS_KEPT, "f", "caaa");
    memfs_put(fs, "f", "dddd", 0);
    assert_int_equal(memfs_sync_file(fs, "f"), 0);
    memfs_check_after(fs, MEMFS_LOST, "f", "dddd"); /* written again */
    memfs_free(fs);
}

static void test_name_durability(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    io->mkdir(io, "d", 0700);
    memfs_put(fs, "d/f", "x", 0);
    memfs_sync_file(fs, "d/f");
    memfs_sync_folder(fs, "d");
    memfs_check_after(fs, MEMFS_LOST, "d/f", NULL); /* d itself is not durable */
    memfs_sync_folder(fs, "/");
    memfs_check_after(fs, MEMFS_LOST, "d/f", "x");

    assert_int_equal(io->rename(io, "d/f", "d/g"), 0);
    memfs_check_after(fs, MEMFS_LOST, "d/f", "x");
    memfs_check_after(fs, MEMFS_LOST, "d/g", NULL);
    memfs_check_after(fs, MEMFS_KEPT, "d/f", NULL);
    memfs_check_after(fs, MEMFS_KEPT, "d/g", "x");
    memfs_sync_folder(fs, "d");
    memfs_check_after(fs, MEMFS_LOST, "d/g", "x");
    memfs_check_after(fs, MEMFS_LOST, "d/f", NULL);

    assert_int_equal(io->unlink(io, "d/g"), 0);
    memfs_check_after(fs, MEMFS_LOST, "d/g", "x");
    memfs_check_after(fs, MEMFS_KEPT, "d/g", NULL);
    /* fsync of a descriptor of the folder does as well. */
    int fd = io->open(io, "d", O_RDONLY | O_DIRECTORY, 0);
    assert_int_equal(io->fsync(io, fd), 0);
    io->close(io, fd);
    memfs_check_after(fs, MEMFS_LOST, "d/g", NULL);

    /* A failed sync of the folder may be repeated. */
    memfs_put(fs, "d/h", "", 0);
    memfs_fail_at(fs, 1, EIO);
    assert_int_equal(memfs_sync_folder(fs, "d"), -EIO);
    memfs_check_after(fs, MEMFS_LOST, "d/h", NULL);
    assert_int_equal(memfs_sync_folder(fs, "d"), 0);
    memfs_check_after(fs, MEMFS_LOST, "d/h", "");
    memfs_free(fs);
}

static void test_rename_between_folders(void **state)
{
    (void)state;
    for (int synced = 0; synced < 2; synced++) {
        struct memfs *fs = memfs_new(1);
        struct sr_io *io = memfs_io(fs);
        io->mkdir(io, "a", 0700);
        io->mkdir(io, "b", 0700);
        memfs_put(fs, "a/f", "x", 0);
        memfs_sync_file(fs, "a/f");
        memfs_sync_folder(fs, "a");
        memfs_sync_folder(fs, "/");
        memfs_put(fs, "a/before", "", 0);
        memfs_put(fs, "b/before", "", 0);
        assert_int_equal(io->rename(io, "a/f", "b/f"), 0);
        memfs_put(fs, "a/behind", "", 0);
        bool both[2] = {false, false};
        for (uint64_t seed = 0; seed < 64; seed++) {
            struct memfs *found = memfs_after_cut(fs, MEMFS_TORN, seed);
            struct sr_io *found_io = memfs_io(found);
            struct sr_stat st;
            bool in_a = found_io->stat(found_io, "a/f", &st) == 0;
            bool in_b = found_io->stat(found_io, "b/f", &st) == 0;
            assert_true(in_a != in_b);
            if (in_b) { /* order is kept in both */
                assert_int_equal(found_io->stat(found_io, "a/before", &st), 0);
                assert_int_equal(found_io->stat(found_io, "b/before", &st), 0);
            }
            both[in_b] = true;
            memfs_check(found);
            memfs_free(found);
        }
        assert_true(both[0] && both[1]);
        memfs_sync_folder(fs, synced ? "b" : "a");
        memfs_check_after(fs, MEMFS_LOST, "a/f", NULL);
        memfs_check_after(fs, MEMFS_LOST, "b/f", "x");
        memfs_check_after(fs, MEMFS_LOST, "a/before", "");
        memfs_check_after(fs, MEMFS_LOST, "a/behind", synced ? NULL : "");
        memfs_free(fs);
    }
}

static void test_torn(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    uint8_t block[2048];
    int fd = io->open(io, "f", O_RDWR | O_CREAT, 0600);
    memset(block, 'a', sizeof(block));
    io->pwrite(io, fd, block, sizeof(block), 0);
    io->pwrite(io, fd, block, sizeof(block), 2048);
    io->fsync(io, fd);
    memfs_sync_folder(fs, "/");
    memset(block, 'b', sizeof(block));
    io->pwrite(io, fd, block, sizeof(block), 100); /* boundaries at 512, 1024, 1536, 2048 */
    io->pwrite(io, fd, block, 10, 3000);           /* crosses none: kept or lost */
    for (int i = 0; i < 4; i++) {
        char name[] = {(char)('0' + i), '\0'};
        memfs_put(fs, name, "", 0);
    }
    unsigned ends = 0;  /* bit per outcome of the long write */
    unsigned small = 0; /* and of the small */
    unsigned names = 0; /* and of how many names were kept */
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct memfs *found = memfs_after_cut(fs, MEMFS_TORN, seed);
        struct sr_io *found_io = memfs_io(found);
        uint8_t got[4096];
        int found_fd = found_io->open(found_io, "f", O_RDONLY, 0);
        assert_int_equal(found_io->pread(found_io, found_fd, got, sizeof(got), 0), 4096);
        size_t end = 100;
        while (end < 2148 && got[end] == 'b')
            end++;
        assert_true(end == 100 || end % 512 == 0 || end == 2148);
        ends |= 1U << (end == 100 ? 0 : end == 2148 ? 5 : end / 512);
        for (size_t i = 0; i < sizeof(got); i++)
            if (i < 100 || (i >= end && (i < 3000 || i >= 3010)))
                assert_int_equal(got[i], 'a');
        small |= 1U << (got[3000] == 'b');
        assert_int_equal(got[3000], got[3009]);
        struct sr_stat st;
        int kept = 0;
        while (kept < 4 && found_io->stat(found_io, (char[]){(char)('0' + kept), 0}, &st) == 0)
            kept++;
        for (int i = kept; i < 4; i++)
            assert_int_equal(found_io->stat(found_io, (char[]){(char)('0' + i), 0}, &st), -ENOENT);
        names |= 1U << kept;
        memfs_check(found);
        memfs_free(found);
    }
    assert_int_equal(ends, 0x3f);
    assert_int_equal(small, 3);
    assert_int_equal(names, 0x1f);
    memfs_free(fs);
}

static void test_cut(void **state)
{
    (void)state;
    for (int after = 0; after < 2; after++) {
        struct memfs *fs = memfs_new(1);
        struct sr_io *io = memfs_io(fs);
        struct sr_stat st;
        uint64_t room;
        memfs_put(fs, "f", "x", 0);
        int fd = io->open(io, "f", O_RDONLY, 0);
        memfs_cut_at_sync(fs, 2, after);
        assert_int_equal(io->fsync(io, fd), 0);
        assert_false(memfs_is_off(fs));
        assert_int_equal(memfs_syncs(fs), 1);
        assert_int_equal(memfs_sync_folder(fs, "/"), -EIO);
        assert_true(memfs_is_off(fs));
        assert_int_equal(io->stat(io, "f", &st), -EIO);
        assert_int_equal(io->fstat(io, fd, &st), -EIO);
        assert_int_equal(io->pread(io, fd, &st, 1, 0), -EIO);
        assert_int_equal(io->lock(io, fd), -EIO);
        assert_int_equal(io->random(io, &st, 1), -EIO);
        assert_int_equal(io->free_space(io, "/", &room, &room), -EIO);
        assert_int_equal(io->sync_range(io, fd, 0, 1), -EIO);
        assert_int_equal(io->unlink(io, "f"), -EIO);
        assert_int_equal(io->close(io, fd), -EIO);
        memfs_check_after(fs, MEMFS_LOST, "f", after ? "x" : NULL);
        memfs_free(fs);
    }
    struct memfs *fs = memfs_new(1);
    memfs_cut_at_call(fs, 2);
    assert_int_equal(memfs_put(fs, "f", "x", 0), -EIO); /* open came through, pwrite not */
    memfs_check_after(fs, MEMFS_KEPT, "f", "");
    assert_int_equal(memfs_calls(fs), 2);
    memfs_free(fs);
    fs = memfs_new(1);
    memfs_cut_now(fs);
    assert_int_equal(memfs_put(fs, "f", "x", 0), -EIO);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_sparse),
        cmocka_unit_test(test_content_durability),
        cmocka_unit_test(test_failed_sync),
        cmocka_unit_test(test_name_durability),
        cmocka_unit_test(test_rename_between_folders),
        cmocka_unit_test(test_torn),
        cmocka_unit_test(test_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
