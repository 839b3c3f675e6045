/* Failing calls and power cuts while files are written, synced, rewritten, shrunk, sealed,
 * discarded.
 *
 * The model knows for every byte which of its versions may be found after a crash: the acknowledged
 * one alone if nothing was written since, that and all later ones otherwise. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/error.h"
#include "tests/lib/vault_rig.h"

#define SPAN ((size_t)460000)
#define SIZES 16

struct file {
    struct staging *staging;
    struct vault_object_id id;
    struct object_expectation expected;
    bool created, acked, finalizing, durable_link, discarding;
    uint16_t may[SPAN];    /* bit v: version v of this byte may be found; bit 0: zero */
    uint8_t now[SPAN];     /* the version it has */
    uint64_t sizes[SIZES]; /* sizes[0] is acknowledged, the others came after */
    unsigned size_count;
    uint8_t version;
};

struct world {
    struct memfs *fs;
    struct vault *vault;
    struct file *files; /* 3 */
    unsigned errors;
};

static uint8_t byte_of(uint8_t version, size_t at)
{
    return version ? (uint8_t)(1 + (at * 7 + at / 251 + version * 41u) % 255) : 0;
}

static void file_init(struct file *file)
{
    memset(file, 0, sizeof(*file));
    for (size_t i = 0; i < SPAN; i++)
        file->may[i] = 1;
    file->size_count = 1;
}

static void note_size(struct file *file, uint64_t size)
{
    if (file->sizes[file->size_count - 1] == size)
        return;
    assert_true(file->size_count < SIZES);
    file->sizes[file->size_count++] = size;
}

static void note_acked(struct file *file)
{
    for (size_t i = 0; i < SPAN; i++)
        file->may[i] = (uint16_t)(1u << file->now[i]);
    file->sizes[0] = file->sizes[file->size_count - 1];
    file->size_count = 1;
    file->acked = true;
}

/* One fault fires at most: whatever fails must succeed when it is tried again. */
#define TRY(world, call)                                       \
    do {                                                       \
        int attempt = 0, rc_;                                  \
        while ((rc_ = (call)) != 0) {                          \
            (world)->errors++;                                 \
            if (memfs_is_off((world)->fs))                     \
                return -1;                                     \
            if (++attempt == 3)                                \
                fail_msg("%s: %s", #call, sr_error_message()); \
        }                                                      \
    } while (0)

static int create(struct world *world, struct file *file)
{
    uint64_t key_id;

    TRY(world, staging_create(world->vault, &file->staging));
    staging_id(file->staging, &file->id, &key_id);
    file->created = true;
    return 0;
}

static int put(struct world *world, struct file *file, size_t start, size_t end)
{
    uint8_t *data = malloc(end - start);
    uint64_t size = file->sizes[file->size_count - 1];

    file->version++;
    for (size_t i = start; i < end; i++) {
        data[i - start] = byte_of(file->version, i);
        file->may[i] |= (uint16_t)(1u << file->version);
        file->now[i] = file->version;
    }
    if (end > size)
        note_size(file, end);
    int attempt = 0;
    while (staging_write(file->staging, start, data, end - start)) {
        world->errors++;
        if (memfs_is_off(world->fs) || ++attempt == 3) {
            free(data);
            assert_true(memfs_is_off(world->fs));
            return -1;
        }
    }
    free(data);
    return 0;
}

static int cut(struct world *world, struct file *file, size_t size)
{
    for (size_t i = size; i < SPAN; i++) {
        file->may[i] |= 1;
        file->now[i] = 0;
    }
    note_size(file, size);
    TRY(world, staging_truncate(file->staging, size));
    return 0;
}

static int sync_file(struct world *world, struct file *file)
{
    TRY(world, staging_sync(file->staging));
    note_acked(file);
    return 0;
}

static int check_read(struct world *world, struct file *file)
{
    uint8_t *data = malloc(SPAN);
    size_t got = 0;
    int attempt = 0;

    while (staging_read(file->staging, 0, data, SPAN, &got)) {
        world->errors++;
        if (memfs_is_off(world->fs) || ++attempt == 3) {
            free(data);
            assert_true(memfs_is_off(world->fs));
            return -1;
        }
    }
    assert_int_equal(got, file->sizes[file->size_count - 1]);
    for (size_t i = 0; i < got; i++)
        if (data[i] != byte_of(file->now[i], i))
            fail_msg("byte %zu of version %u is %u", i, file->now[i], data[i]);
    free(data);
    return 0;
}

static int seal(struct world *world, struct file *file)
{
    struct staging_seal out;

    file->finalizing = true;
    TRY(world, staging_finalize(file->staging, &out));
    free(out.holes);
    note_acked(file);
    file->expected = rig_expect(file->staging, &out);
    TRY(world, staging_link(file->staging));
    TRY(world, staging_sync_links(world->vault, &file->staging, 1));
    file->durable_link = true; /* here the ledger entry is appended */
    TRY(world, staging_unlink(file->staging));
    TRY(world, staging_sync_folder(world->vault));
    return 0;
}

static int discard(struct world *world, struct file *file)
{
    file->discarding = true;
    TRY(world, staging_discard(file->staging));
    return 0;
}

/* The script: two files side by side and a third that is discarded. */
static int act(struct world *world)
{
    struct file *a = &world->files[0], *b = &world->files[1], *c = &world->files[2];

    return create(world, a) || put(world, a, 0, 150000) || sync_file(world, a) ||
                   put(world, a, 1000, 70000) || create(world, b) || put(world, b, 0, 131072) ||
                   put(world, a, 140000, 300000) || sync_file(world, b) || sync_file(world, a) ||
                   check_read(world, a) || cut(world, a, 200000) || put(world, a, 190000, 210000) ||
                   put(world, b, 65536, 131072) || cut(world, a, 100) || cut(world, a, 250000) ||
                   put(world, a, 66000, 67000) || create(world, c) || put(world, c, 5, 90000) ||
                   sync_file(world, a) || put(world, b, 400000, 450000) || sync_file(world, c) ||
                   put(world, a, 0, 300) || put(world, c, 0, 10) || check_read(world, b) ||
                   sync_file(world, b) || seal(world, a) || put(world, b, 130000, 140000) ||
                   discard(world, c) || seal(world, b)
               ? -1
               : 0;
}

static void close_all(struct world *world)
{
    for (int i = 0; i < 3; i++) {
        staging_close(world->files[i].staging);
        world->files[i].staging = NULL;
    }
    vault_close(world->vault);
    world->vault = NULL;
}

static struct world open_world(struct memfs *fs, struct file *files)
{
    struct world world = {.fs = fs, .files = files};

    world.vault = rig_open(fs, 1, 0);
    assert_non_null(world.vault);
    return world;
}

/* --- what is found --- */

static void check_bytes(const struct file *file, const uint8_t *data, uint64_t size)
{
    bool known = false;

    for (unsigned i = 0; i < file->size_count; i++)
        known |= file->sizes[i] == size;
    if (!known)
        fail_msg("size %llu was never the file's", (unsigned long long)size);
    for (size_t i = 0; i < size; i++) {
        bool good = false;

        for (uint8_t version = 0; version < 16 && !good; version++)
            good = file->may[i] >> version & 1 && data[i] == byte_of(version, i);
        if (!good)
            fail_msg("byte %zu is %u, allowed versions %#x", i, data[i], file->may[i]);
    }
}

static void check_object(struct vault *vault, const struct file *file,
                         const struct object_expectation *expected, uint8_t *data)
{
    struct object *object;
    size_t got = 0;

    if (object_open(vault, expected, &object) || object_read(object, 0, data, SPAN, &got))
        fail_msg("sealed object: %s", sr_error_message());
    assert_int_equal(got, expected->size);
    check_bytes(file, data, got);
    object_close(object);
    assert_int_equal(object_verify(vault, expected, NULL, NULL), 0);
}

/* Opens what a crash left, checks it, seals it (which must give the same bytes). quiet: the power
 * may go again meanwhile, then -1 is returned. */
static int recover(struct vault *vault, struct memfs *fs, const struct file *file, uint8_t *data,
                   uint8_t *again)
{
    struct staging *staging = NULL;
    struct object_expectation expected;
    struct staging_seal out = {0};
    size_t got = 0, got_again = 0;
    struct object *object;
    int rc = staging_open(vault, &file->id, &staging);

    if (rc && memfs_is_off(fs))
        return -1;
    if (rc == SR_ERR_NOT_FOUND && (!file->acked || file->discarding))
        return staging_remove(vault, &file->id);
    if (rc)
        fail_msg("staging_open: %s", sr_error_message());
    rc = staging_read(staging, 0, data, SPAN, &got);
    if (rc && !memfs_is_off(fs))
        fail_msg("staging_read: %s", sr_error_message());
    if (!rc && !(file->discarding && !got))
        check_bytes(file, data, got);
    if (!rc)
        rc = rig_seal(vault, staging, &expected, &out);
    else
        staging_close(staging);
    free(out.holes);
    if (rc && memfs_is_off(fs))
        return -1;
    if (rc)
        fail_msg("sealing what was found: %s", sr_error_message());
    if (object_open(vault, &expected, &object) || object_read(object, 0, again, SPAN, &got_again)) {
        assert_true(memfs_is_off(fs));
        return -1;
    }
    object_close(object);
    assert_int_equal(got, got_again);
    assert_memory_equal(data, again, got);
    return 0;
}

static int recover_all(struct memfs *fs, struct file *files)
{
    struct vault *vault = rig_open(fs, 1, 0);
    uint8_t *data = malloc(SPAN), *again = malloc(SPAN);
    int rc = 0;

    if (!vault) {
        assert_true(memfs_is_off(fs));
        rc = -1;
    }
    for (int i = 0; i < 3 && !rc; i++) {
        if (files[i].durable_link && !memfs_is_off(fs))
            check_object(vault, &files[i], &files[i].expected, data);
        else if (files[i].created)
            rc = recover(vault, fs, &files[i], data, again);
    }
    vault_close(vault);
    free(data);
    free(again);
    return rc;
}

/* A second crash at every sync of the recovery, and recovery from that. What the first one had
 * sealed by then has a name in objects/, so only files that are still in staging/ are looked at. */
static void recover_twice(struct memfs *found, struct file *files, uint64_t seed)
{
    for (uint64_t n = 1;; n++) {
        struct memfs *fs = memfs_clone(found), *later;
        struct vault *vault;
        uint8_t *data = malloc(SPAN), *again = malloc(SPAN);
        bool off;

        memfs_cut_at_sync(fs, n, n % 2);
        recover_all(fs, files);
        off = memfs_is_off(fs);
        later = memfs_after_cut(fs, n % 3 ? MEMFS_TORN : MEMFS_LOST, seed + n);
        vault = rig_open(later, 1, 0);
        assert_non_null(vault);
        for (int i = 0; i < 3 && off; i++) {
            struct sr_stat st;
            struct sr_io *io = memfs_io(later);

            if (files[i].durable_link || !files[i].created ||
                io->stat(io, rig_staging_path(&files[i].id), &st) ||
                !io->stat(io, rig_object_path(&files[i].id), &st))
                continue;
            recover(vault, later, &files[i], data, again);
        }
        vault_close(vault);
        memfs_free(later);
        memfs_free(fs);
        free(data);
        free(again);
        if (!off)
            break;
    }
}

static struct file *new_files(void)
{
    struct file *files = malloc(3 * sizeof(*files));

    assert_non_null(files);
    for (int i = 0; i < 3; i++)
        file_init(&files[i]);
    return files;
}

static void test_power_cut_at_every_sync(void **state)
{
    struct memfs *prepared = rig_prepare(3);
    unsigned cuts = 0;

    (void)state;
    for (uint64_t n = 1;; n++) {
        bool off = false;

        for (int after = 0; after < 2; after++) {
            struct memfs *fs = memfs_clone(prepared);
            struct file *files = new_files();
            struct world world = open_world(fs, files);

            memfs_cut_at_sync(fs, n, after);
            act(&world);
            off = memfs_is_off(fs);
            cuts += off;
            for (int mode = 0; mode < 5; mode++) {
                enum memfs_mode as = mode < 2 ? (enum memfs_mode)mode : MEMFS_TORN;
                struct memfs *found = memfs_after_cut(fs, as, n * 100 + (uint64_t)mode);
                struct memfs *copy = memfs_clone(found);

                assert_int_equal(recover_all(found, files), 0);
                if ((mode == 2 && after) || (mode == 1 && n % 4 == 0))
                    recover_twice(copy, files, n * 1000);
                memfs_free(copy);
                memfs_free(found);
            }
            close_all(&world);
            memfs_free(fs);
            free(files);
        }
        if (!off)
            break;
    }
    assert_true(cuts > 40);
    memfs_free(prepared);
}

/* Every call fails once, in each way; the retry does it; then the power goes and all is there. */
static void test_every_call_fails_once(void **state)
{
    static const int codes[] = {EIO, ENOSPC};
    struct memfs *prepared = rig_prepare(4);
    unsigned fired_count = 0;

    (void)state;
    for (size_t code = 0; code < 2; code++) {
        for (uint64_t n = 1;; n++) {
            struct memfs *fs = memfs_clone(prepared), *found;
            struct file *files = new_files();
            struct world world = open_world(fs, files);
            bool fired;

            memfs_fail_at(fs, n, codes[code]);
            assert_int_equal(act(&world), 0);
            fired = memfs_fired(fs);
            fired_count += fired;
            if (fired && !world.errors)
                fail_msg("call %llu failed and nobody was told", (unsigned long long)n);
            found = memfs_after_cut(fs, n % 2 ? MEMFS_LOST : MEMFS_TORN, n);
            close_all(&world);
            assert_int_equal(recover_all(found, files), 0);
            memfs_free(found);
            memfs_free(fs);
            free(files);
            if (!fired)
                break;
        }
    }
    assert_true(fired_count > 200);
    memfs_free(prepared);
}

/* A call fails, and some syncs later the power goes: what was acknowledged after the retry is
 * there. */
static void test_failure_then_cut(void **state)
{
    struct memfs *prepared = rig_prepare(5);
    unsigned fired_count = 0;

    (void)state;
    for (uint64_t n = 1;; n += 3) {
        bool fired = false;

        for (uint64_t cut_at = 1 + n % 4; cut_at < 30; cut_at += 4) {
            struct memfs *fs = memfs_clone(prepared), *found;
            struct file *files = new_files();
            struct world world = open_world(fs, files);

            memfs_cut_at_sync(fs, cut_at, cut_at % 2);
            memfs_fail_at(fs, n, EIO);
            act(&world);
            fired |= memfs_fired(fs);
            found = memfs_after_cut(fs, cut_at % 3 ? MEMFS_TORN : MEMFS_LOST, n + cut_at);
            close_all(&world);
            assert_int_equal(recover_all(found, files), 0);
            memfs_free(found);
            memfs_free(fs);
            free(files);
        }
        fired_count += fired;
        if (!fired)
            break;
    }
    assert_true(fired_count > 30);
    memfs_free(prepared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call_fails_once),
        cmocka_unit_test(test_power_cut_at_every_sync),
        cmocka_unit_test(test_failure_then_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
