/* The machine's own calls, and the helpers over the table: under every fault and every cut. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/io.h"
#include "tests/lib/memfs.h"
#include "tests/lib/memfs_use.h"

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    char *folder = sr_path("%s/base_io.XXXXXX", base ? base : "/tmp");
    if (!folder || !mkdtemp(folder))
        return -1;
    *state = folder;
    return 0;
}

static int remove_folder(void **state)
{
    int rc = nftw(*state, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(*state);
    return rc;
}

static int count_names(void *context, const char *name)
{
    assert_string_not_equal(name, ".");
    assert_string_not_equal(name, "..");
    ++*(int *)context;
    return 0;
}

static int stop_at_once(void *context, const char *name)
{
    (void)context;
    (void)name;
    return 42;
}

static void test_posix_files(void **state)
{
    struct sr_io *io = sr_io_posix();
    struct sr_stat st;
    char text[8];
    char *path = sr_path("%s/f", (char *)*state);
    char *other = sr_path("%s/.g", (char *)*state);
    assert_int_equal(io->open(io, path, O_RDWR, 0), -ENOENT);
    int fd = io->open(io, path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(io->pwrite(io, fd, "abcdef", 6, 2), 6);
    assert_int_equal(io->pread(io, fd, text, 8, 4), 4);
    assert_memory_equal(text, "cdef", 4);
    assert_int_equal(io->sync_range(io, fd, 0, 8), 0);
    assert_int_equal(io->fdatasync(io, fd), 0);
    assert_int_equal(io->fsync(io, fd), 0);
    int rc = io->allocate(io, fd, 0, 100000);
    assert_true(rc == 0 || rc == -EOPNOTSUPP); /* the file system's choice */
    assert_int_equal(io->fstat(io, fd, &st), 0);
    assert_int_equal(st.size, 8);
    assert_int_equal(st.links, 1);
    assert_false(st.is_dir);
    int64_t age_ns = io->now_ns(io) - st.mtime_ns;
    assert_true(age_ns > -INT64_C(1000000000) && age_ns < INT64_C(60000000000));
    assert_int_equal(io->ftruncate(io, fd, 3), 0);
    assert_int_equal(io->link(io, path, other), 0);
    assert_int_equal(io->link(io, path, other), -EEXIST);
    assert_int_equal(io->stat(io, other, &st), 0);
    assert_int_equal(st.size, 3);
    assert_int_equal(st.links, 2);

    int second = io->open(io, path, O_RDONLY, 0);
    assert_int_equal(io->lock(io, fd), 0);
    assert_int_equal(io->lock(io, second), -EWOULDBLOCK);
    assert_int_equal(io->close(io, fd), 0);
    assert_int_equal(io->lock(io, second), 0);
    assert_int_equal(io->close(io, second), 0);
    assert_int_equal(io->close(io, second), -EBADF);
    assert_int_equal(io->pread(io, second, text, 1, 0), -EBADF);
    assert_int_equal(io->pwrite(io, second, text, 1, 0), -EBADF);
    assert_int_equal(io->fsync(io, second), -EBADF);
    assert_int_equal(io->fdatasync(io, second), -EBADF);
    assert_int_equal(io->ftruncate(io, second, 0), -EBADF);
    assert_int_equal(io->sync_range(io, second, 0, 1), -EBADF);
    assert_int_equal(io->allocate(io, second, 0, 1), -EBADF);
    assert_int_equal(io->fstat(io, second, &st), -EBADF);

    /* A symbolic link is not followed. */
    assert_int_equal(io->unlink(io, other), 0);
    assert_int_equal(symlink("f", other), 0);
    assert_int_equal(io->stat(io, other, &st), 0);
    assert_int_equal(st.size, 1);
    free(path);
    free(other);
}

static void test_posix_folders(void **state)
{
    struct sr_io *io = sr_io_posix();
    struct sr_stat st;
    int count = 0;
    char *folder = sr_path("%s/d", (char *)*state);
    char *moved = sr_path("%s/e", (char *)*state);
    char *within = sr_path("%s/.f", moved);
    assert_int_equal(io->mkdir(io, folder, 0700), 0);
    assert_int_equal(io->mkdir(io, folder, 0700), -EEXIST);
    assert_int_equal(io->rename(io, folder, moved), 0);
    assert_int_equal(io->rename(io, folder, moved), -ENOENT);
    assert_int_equal(io->stat(io, moved, &st), 0);
    assert_true(st.is_dir);
    assert_int_equal(io->list(io, moved, count_names, &count), 0);
    assert_int_equal(count, 0);
    io->close(io, io->open(io, within, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(io->list(io, moved, count_names, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(io->list(io, moved, stop_at_once, NULL), 42);
    assert_int_equal(io->list(io, folder, count_names, &count), -ENOENT);
    assert_int_equal(io->sync_dir(io, moved), 0);
    assert_int_equal(io->sync_dir(io, within), -ENOTDIR);
    assert_int_equal(io->rmdir(io, moved), -ENOTEMPTY);
    assert_int_equal(io->unlink(io, within), 0);
    assert_int_equal(io->unlink(io, within), -ENOENT);
    assert_int_equal(io->rmdir(io, moved), 0);
    free(folder);
    free(moved);
    free(within);
}

static void test_posix_rest(void **state)
{
    struct sr_io *io = sr_io_posix();
    uint64_t room = 0;
    uint64_t total = 0;
    assert_int_equal(io->free_space(io, *state, &room, &total), 0);
    assert_true(total > 0 && room <= total);
    assert_int_equal(io->free_space(io, "/nonexistent", &room, &total), -ENOENT);
    static uint8_t a[100000]; /* more than one getrandom gives at once when it is interrupted */
    static uint8_t b[100000];
    assert_int_equal(io->random(io, a, sizeof(a)), 0);
    assert_int_equal(io->random(io, b, sizeof(b)), 0);
    assert_memory_not_equal(a + sizeof(a) - 16, b + sizeof(b) - 16, 16);
    assert_true(io->now_ns(io) / 1000000000 - time(NULL) <= 1);
    int64_t before = io->boottime_ns(io);
    assert_true(before > 0 && io->boottime_ns(io) >= before);

    char *path = sr_path("%s/f", (char *)*state);
    assert_int_equal(io->set_immutable(io, path, true), -ENOENT);
    assert_int_equal(sr_io_create_file(io, path, "x", 1, 0600), 0);
    int rc = io->set_immutable(io, path, true);
    if (rc == 0) {
        assert_int_equal(io->open(io, path, O_WRONLY, 0), -EPERM);
        assert_int_equal(io->set_immutable(io, path, true), 0);
        assert_int_equal(io->set_immutable(io, path, false), 0);
        int fd = io->open(io, path, O_WRONLY, 0);
        assert_true(fd >= 0);
        io->close(io, fd);
    } else {
        assert_true(rc == -EOPNOTSUPP || rc == -EPERM); /* tmpfs; not root */
    }
    free(path);
}

static void test_posix_helpers(void **state)
{
    struct sr_io *io = sr_io_posix();
    uint8_t *data;
    size_t len;
    char *folder = sr_path("%s/made", (char *)*state);
    char *path = sr_path("%s/file", folder);
    assert_int_equal(sr_io_make_dir(io, folder, 0700), 0);
    assert_int_equal(sr_io_create_file(io, path, "one", 3, 0640), 0);
    assert_int_equal(sr_io_replace_file(io, path, "second", 6, 0600), 0);
    assert_int_equal(sr_io_read_file(io, path, 6, &data, &len), 0);
    assert_int_equal(len, 6);
    assert_string_equal((char *)data, "second");
    free(data);
    int count = 0;
    assert_int_equal(io->list(io, folder, count_names, &count), 0);
    assert_int_equal(count, 1);
    free(folder);
    free(path);
}

/* Reads path; NULL if it does not exist. */
static char *content(struct sr_io *io, const char *path)
{
    uint8_t *data;
    size_t len;
    int rc = sr_io_read_file(io, path, 1 << 20, &data, &len);
    assert_true(rc == 0 || rc == SR_ERR_NOT_FOUND);
    return (char *)data;
}

static void test_errors(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    uint8_t *data = (uint8_t *)"";
    size_t len = 7;
    assert_int_equal(sr_io_read_file(io, "f", 9, &data, &len), SR_ERR_NOT_FOUND);
    assert_null(data);
    assert_int_equal(len, 0);
    assert_non_null(strstr(sr_error_message(), "f"));
    assert_int_equal(sr_io_make_dir(io, "d", 0700), 0);
    assert_int_equal(sr_io_make_dir(io, "/d/", 0700), 0); /* exists already */
    assert_int_equal(sr_io_make_dir(io, "none/d", 0700), SR_ERR_NOT_FOUND);
    assert_int_equal(sr_io_read_file(io, "d", 9, &data, &len), SR_ERR_IS_DIRECTORY);
    assert_int_equal(sr_io_create_file(io, "d/f", "123456789", 9, 0600), 0);
    assert_int_equal(sr_io_create_file(io, "d/f", "x", 1, 0600), SR_ERR_EXISTS);
    memfs_check_file(fs, "d/f", "123456789");
    memfs_check_file(fs, "d/f.tmp", NULL);
    assert_int_equal(sr_io_make_dir(io, "d/f", 0700), SR_ERR_NOT_DIRECTORY);
    assert_int_equal(sr_io_read_file(io, "d/f", 8, &data, &len), SR_ERR_TOO_LARGE);
    assert_null(data);
    assert_int_equal(sr_io_read_file(io, "d/f", 9, &data, &len), 0);
    free(data);
    assert_int_equal(sr_io_create_file(io, "d/empty", NULL, 0, 0600), 0);
    assert_int_equal(sr_io_read_file(io, "d/empty", 0, &data, &len), 0);
    assert_non_null(data);
    assert_int_equal(len, 0);
    free(data);

    char text[10];
    size_t got;
    int fd = io->open(io, "d/f", O_RDONLY, 0);
    assert_int_equal(sr_io_read_full(io, fd, text, 9, 0, NULL), 0);
    assert_int_equal(sr_io_read_full(io, fd, text, 9, 5, &got), 0);
    assert_int_equal(got, 4);
    assert_int_equal(sr_io_read_full(io, fd, text, 9, 1, NULL), SR_ERR_DAMAGED);
    assert_int_equal(sr_io_write_full(io, fd, text, 1, 0), SR_ERR_SYSTEM);
    assert_int_equal(sr_error_errno(), EBADF);
    io->close(io, fd);
    memfs_set_space(fs, 0);
    assert_int_equal(sr_io_create_file(io, "d/g", "x", 1, 0600), SR_ERR_NO_SPACE);
    assert_int_equal(sr_io_replace_file(io, "d/f", "x", 1, 0600), SR_ERR_NO_SPACE);
    memfs_check_file(fs, "d/f", "123456789");
    memfs_check_file(fs, "d/g", NULL);
    memfs_free(fs);
}

static void test_ragged(void **state)
{
    (void)state;
    static uint8_t data[20000];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * i >> 3);
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct memfs *fs = memfs_new(seed);
        struct sr_io *io = memfs_io(fs);
        uint8_t *back;
        size_t len;
        memfs_set_ragged(fs, true);
        assert_int_equal(sr_io_create_file(io, "f", data, sizeof(data), 0600), 0);
        assert_int_equal(sr_io_replace_file(io, "f", data, sizeof(data), 0600), 0);
        assert_int_equal(sr_io_read_file(io, "f", sizeof(data), &back, &len), 0);
        assert_int_equal(len, sizeof(data));
        assert_memory_equal(back, data, len);
        free(back);
        memfs_free(fs);
    }
}

/* A stale tmp may be a second name of the finished file: writing through it would destroy that. */
static void test_stale_tmp(void **state)
{
    (void)state;
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    assert_int_equal(sr_io_create_file(io, "f", "content", 7, 0600), 0);
    assert_int_equal(io->link(io, "f", "f.tmp"), 0);
    memfs_fail_at(fs, 3, EIO); /* the write after unlink and open */
    assert_int_equal(sr_io_replace_file(io, "f", "x", 1, 0600), SR_ERR_SYSTEM);
    assert_true(memfs_fired(fs));
    memfs_check_file(fs, "f", "content");
    assert_int_equal(io->link(io, "f", "f.tmp"), 0);
    assert_int_equal(sr_io_create_file(io, "f", "x", 1, 0600), SR_ERR_EXISTS);
    memfs_check_file(fs, "f", "content");
    memfs_free(fs);
}

enum act { REPLACE, CREATE, MAKE_DIR, READ };
static const char old_text[] = "what was there";
static const char new_text[] = "what comes instead, and is longer";

static struct memfs *prepare(enum act act)
{
    struct memfs *fs = memfs_new(3);
    struct sr_io *io = memfs_io(fs);
    assert_int_equal(sr_io_make_dir(io, "d", 0700), 0);
    if (act == REPLACE || act == READ)
        assert_int_equal(sr_io_create_file(io, "d/f", old_text, strlen(old_text), 0600), 0);
    return fs;
}

static int perform(enum act act, struct sr_io *io)
{
    uint8_t *data = NULL;
    size_t len;
    int rc;
    switch (act) {
    case REPLACE:
        return sr_io_replace_file(io, "d/f", new_text, strlen(new_text), 0600);
    case CREATE:
        return sr_io_create_file(io, "d/f", new_text, strlen(new_text), 0600);
    case MAKE_DIR:
        return sr_io_make_dir(io, "d/sub", 0700);
    default:
        rc = sr_io_read_file(io, "d/f", 100, &data, &len);
        assert_true((rc == 0) == (data != NULL));
        if (rc == 0)
            assert_string_equal((char *)data, old_text);
        free(data);
        return rc;
    }
}

/* d/f holds the old or the new, whole; done: the new. */
static void check_state(enum act act, struct memfs *fs, bool done)
{
    struct sr_io *io = memfs_io(fs);
    struct sr_stat st;
    if (act == MAKE_DIR) {
        if (done)
            assert_int_equal(io->stat(io, "d/sub", &st), 0);
        return;
    }
    char *text = content(io, "d/f");
    const char *before = act == CREATE ? NULL : old_text;
    if (done)
        assert_string_equal(text, act == READ ? old_text : new_text);
    else if (text && (!before || strcmp(text, before) != 0))
        assert_string_equal(text, new_text);
    else
        assert_true((text == NULL) == (before == NULL));
    free(text);
}

static void test_every_fault(void **state)
{
    (void)state;
    for (enum act act = REPLACE; act <= READ; act++) {
        struct memfs *prepared = prepare(act);
        uint64_t n = 1;
        for (bool fired = true; fired; n++) {
            struct memfs *fs = memfs_clone(prepared);
            struct sr_io *io = memfs_io(fs);
            struct sr_stat st;
            memfs_fail_at(fs, n, EIO);
            int rc = perform(act, io);
            fired = memfs_fired(fs);
            assert_int_equal(rc, fired ? SR_ERR_SYSTEM : 0);
            memfs_fail_at(fs, 0, 0);
            check_state(act, fs, !fired);
            /* Nothing half-done stands in the way: neither a tmp, nor the name. */
            assert_int_equal(io->stat(io, "d/f.tmp", &st), -ENOENT);
            assert_int_equal(perform(act, io), fired || act != CREATE ? 0 : SR_ERR_EXISTS);
            check_state(act, fs, true);
            struct memfs *found = memfs_after_cut(fs, MEMFS_LOST, n);
            check_state(act, found, true);
            memfs_free(found);
            memfs_free(fs);
        }
        /* At least: unlink, open, write, fsync, rename or link, sync. */
        assert_true(n > (act == MAKE_DIR || act == READ ? 2 : 6));
        memfs_free(prepared);
    }
}

static void test_every_cut(void **state)
{
    (void)state;
    for (enum act act = REPLACE; act <= MAKE_DIR; act++) {
        struct memfs *prepared = prepare(act);
        bool off = true;
        for (uint64_t n = 1; off; n++) {
            struct memfs *fs = memfs_clone(prepared);
            memfs_cut_at_call(fs, n);
            int rc = perform(act, memfs_io(fs));
            off = memfs_is_off(fs);
            assert_int_equal(rc, off ? SR_ERR_SYSTEM : 0);
            for (uint64_t seed = 0; seed < 20; seed++) {
                enum memfs_mode mode = seed == 0 ? MEMFS_LOST : seed == 1 ? MEMFS_KEPT : MEMFS_TORN;
                struct memfs *found = memfs_after_cut(fs, mode, seed);
                check_state(act, found, !off);
                /* And the act can be done, whatever is left lying about. */
                rc = perform(act, memfs_io(found));
                assert_true(rc == 0 || (act == CREATE && rc == SR_ERR_EXISTS));
                check_state(act, found, true);
                memfs_free(found);
            }
            memfs_free(fs);
        }
        memfs_free(prepared);
    }
}

/* Once the last sync has taken effect, it is done, though nobody heard. */
static void test_cut_at_last_sync(void **state)
{
    (void)state;
    for (enum act act = REPLACE; act <= MAKE_DIR; act++) {
        struct memfs *prepared = prepare(act);
        struct memfs *fs = memfs_clone(prepared);
        assert_int_equal(perform(act, memfs_io(fs)), 0);
        uint64_t syncs = memfs_syncs(fs);
        assert_int_equal(syncs, act == MAKE_DIR ? 1 : 2);
        memfs_free(fs);
        memfs_cut_at_sync(prepared, syncs, true);
        assert_int_equal(perform(act, memfs_io(prepared)), SR_ERR_SYSTEM);
        struct memfs *found = memfs_after_cut(prepared, MEMFS_LOST, 1);
        check_state(act, found, true);
        memfs_free(found);
        memfs_free(prepared);
    }
}

static void test_path(void **state)
{
    (void)state;
    char *path = sr_path("%s/%02x", "objects", 10);
    assert_string_equal(path, "objects/0a");
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_posix_files, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_posix_folders, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_posix_rest, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(test_posix_helpers, make_folder, remove_folder),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_ragged),
        cmocka_unit_test(test_stale_tmp),
        cmocka_unit_test(test_every_fault),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_cut_at_last_sync),
        cmocka_unit_test(test_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
