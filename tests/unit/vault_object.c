/* Sealed objects: layout by hand, every kind of damage refused and named, old ciphertext put back.
 * */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/vault_rig.h"
#include "vault/tagtree.h"
#include "vault/vault_internal.h"

#define HEAD 4170u

struct rig {
    struct memfs *fs;
    struct vault *vault;
    struct object_expectation expected;
    uint8_t *bytes, *work;
    size_t size;
};

static void seal_bytes(struct rig *rig, size_t size)
{
    struct staging *staging;
    struct staging_seal seal;

    rig->size = size;
    assert_int_equal(staging_create(rig->vault, &staging), 0);
    assert_int_equal(staging_write(staging, 0, rig->bytes, size), 0);
    assert_int_equal(rig_seal(rig->vault, staging, &rig->expected, &seal), 0);
    assert_int_equal(seal.size, size);
    free(seal.holes);
}

#define WORK (70 * 65536)

static int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    uint64_t seed = 99;

    rig->fs = rig_prepare(7);
    rig->vault = rig_open(rig->fs, 2, 0);
    rig->bytes = malloc(WORK);
    rig->work = malloc(WORK);
    for (size_t i = 0; i < WORK; i++)
        rig->bytes[i] = (uint8_t)rig_random(&seed);
    *state = rig;
    return rig->vault ? 0 : -1;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    vault_close(rig->vault);
    memfs_free(rig->fs);
    free(rig->bytes);
    free(rig->work);
    free(rig);
    return 0;
}

/* Opens and reads all; 0 only if everything is as sealed. */
static int read_back(struct rig *rig)
{
    struct object *object;
    size_t got = 0;
    int rc = object_open(rig->vault, &rig->expected, &object);

    if (!rc)
        rc = object_read(object, 0, rig->work, rig->size + 10, &got);
    if (!rc) {
        assert_int_equal(got, rig->size);
        assert_memory_equal(rig->work, rig->bytes, rig->size);
    } else if (object) {
        for (size_t i = 0; i < rig->size; i++)
            assert_int_equal(rig->work[i], 0);
    }
    object_close(object);
    return rc;
}

static void assert_named(const struct rig *rig)
{
    char id[2 * VAULT_OBJECT_ID_LEN + 1];

    vault_object_id_text(&rig->expected.id, id);
    assert_non_null(strstr(sr_error_message(), id));
}

static void flip(struct rig *rig, uint64_t at, uint8_t bits)
{
    assert_int_equal(memfs_corrupt(rig->fs, rig_object_path(&rig->expected.id), at, bits), 0);
}

/* A flipped bit must be refused by open or read; verify too. Empty content is only seen by verify.
 * */
static void check_flip(struct rig *rig, uint64_t at, uint8_t bits)
{
    int rc;

    flip(rig, at, bits);
    rc = rig->size ? read_back(rig) : object_verify(rig->vault, &rig->expected, NULL, NULL);
    if (rc == SR_ERR_NEWER_FORMAT)
        assert_int_equal(at, 7); /* the version byte */
    else
        assert_int_equal(rc, SR_ERR_DAMAGED);
    assert_named(rig);
    flip(rig, at, bits);
}

static uint64_t file_len(struct rig *rig)
{
    struct sr_io *io = memfs_io(rig->fs);
    struct sr_stat st;

    assert_int_equal(io->stat(io, rig_object_path(&rig->expected.id), &st), 0);
    return st.size;
}

static void test_layout(void **state)
{
    struct rig *rig = *state;
    uint8_t *data, digest[32], leaves[3 * 32];
    size_t len, sizes[3] = {65568, 65568, 32 + 500}, at = HEAD;

    seal_bytes(rig, 2 * 65536 + 500);
    assert_int_equal(sr_io_read_file(memfs_io(rig->fs), rig_object_path(&rig->expected.id), 1 << 20,
                                     &data, &len),
                     0);
    assert_int_equal(len, HEAD + 2 * 65568 + 532 + 3 * 32 + 32);
    assert_memory_equal(data, "SROBJ\0\0\1\0\0\0\1", 12);
    assert_memory_equal(data + 12, vault_identity(rig->vault)->id.bytes, 16);
    assert_memory_equal(data + 28, rig->expected.id.bytes, 16);
    assert_int_equal(sr_get_be64(data + 44), rig->expected.key_id);
    for (size_t i = 52; i < 4096; i++)
        assert_int_equal(data[i], 0);
    assert_int_equal(sr_sha256(data, HEAD, digest), 0);
    assert_memory_equal(digest, rig->expected.header_sha256, 32);
    for (int i = 0; i < 3; i++) {
        uint8_t tag[28];

        assert_int_equal(sr_get_be32(data + at), i == 2 ? 532 : 0xffffffff);
        memcpy(tag, data + at + 4, 12);
        at += sizes[i];
        memcpy(tag + 12, data + at - 16, 16);
        assert_int_equal(tagtree_leaf(tag, leaves + 32 * i), 0);
    }
    assert_memory_equal(data + at, leaves, sizeof(leaves));
    assert_int_equal(tagtree_root(leaves, 3, digest), 0);
    assert_memory_equal(data + at + 96, digest, 32);
    assert_memory_equal(digest, rig->expected.tag_root, 32);
    free(data);
}

/* Every bit of head and tree, of the ends of every segment, samples of the rest. */
static void check_all_flips(struct rig *rig)
{
    uint64_t len = file_len(rig);
    uint64_t segments_end =
        len - tagtree_stored_len((rig->size + 65535) / 65536 + (rig->size ? 0 : 1));

    for (uint64_t at = 0; at < len; at++) {
        uint64_t inside = at < HEAD ? 0 : (at - HEAD) % 65568;
        bool dense = at < 64 || (at >= 4096 && at < HEAD) || at >= segments_end || inside < 20 ||
                     inside >= 65568 - 16 || at + 16 >= segments_end;

        if (dense)
            for (int bit = 0; bit < 8; bit += at % 4 && at > 64 ? 7 : 1)
                check_flip(rig, at, (uint8_t)(1 << bit));
        else if (at % (at < HEAD ? 37 : 4999) == 0)
            check_flip(rig, at, 0x80);
    }
}

static void test_flips_small(void **state)
{
    struct rig *rig = *state;

    seal_bytes(rig, 100);
    check_all_flips(rig);
    assert_int_equal(read_back(rig), 0);
}

static void test_flips_empty(void **state)
{
    struct rig *rig = *state;

    seal_bytes(rig, 0);
    assert_int_equal(object_verify(rig->vault, &rig->expected, NULL, NULL), 0);
    check_all_flips(rig);
}

static void test_flips_large(void **state)
{
    struct rig *rig = *state;

    seal_bytes(rig, 2 * 65536 + 1);
    check_all_flips(rig);
    assert_int_equal(read_back(rig), 0);
}

static void test_truncation_and_growth(void **state)
{
    struct rig *rig = *state;
    const char *path;
    uint64_t len;

    seal_bytes(rig, 65536 + 300);
    path = rig_object_path(&rig->expected.id);
    len = file_len(rig);
    assert_int_equal(memfs_copy_file(rig->fs, path, "/copy"), 0);
    for (uint64_t cut = 0; cut < len; cut += cut < 200 || cut + 400 > len ? 1 : 997) {
        assert_int_equal(memfs_truncate(rig->fs, path, cut), 0);
        assert_int_equal(read_back(rig), SR_ERR_DAMAGED);
        assert_named(rig);
        assert_int_equal(memfs_copy_file(rig->fs, "/copy", path), 0);
    }
    assert_int_equal(memfs_truncate(rig->fs, path, len + 1), 0);
    assert_int_equal(object_verify(rig->vault, &rig->expected, NULL, NULL), SR_ERR_DAMAGED);
    assert_int_equal(memfs_copy_file(rig->fs, "/copy", path), 0);
    assert_int_equal(read_back(rig), 0);
}

/* Copies len bytes of one file over the same place of another. */
static void transplant(struct rig *rig, const char *from, const char *to, uint64_t at, size_t len)
{
    struct sr_io *io = memfs_io(rig->fs);
    uint8_t *old, *new;
    size_t old_len, new_len;

    assert_int_equal(sr_io_read_file(io, from, 1 << 24, &old, &old_len), 0);
    assert_int_equal(sr_io_read_file(io, to, 1 << 24, &new, &new_len), 0);
    for (size_t i = 0; i < len; i++)
        if (old[at + i] != new[at + i])
            assert_int_equal(memfs_corrupt(rig->fs, to, at + i, old[at + i] ^ new[at + i]), 0);
    free(old);
    free(new);
}

/* FLOE alone would accept it: an earlier version of a segment, made by the same key for the same
 * position. */
static void test_old_ciphertext(void **state)
{
    struct rig *rig = *state;
    struct staging *staging;
    struct staging_seal seal;
    struct vault_object_id id;
    uint64_t key_id;

    rig->size = 4 * 65536;
    assert_int_equal(staging_create(rig->vault, &staging), 0);
    staging_id(staging, &id, &key_id);
    assert_int_equal(staging_write(staging, 0, rig->work, rig->size), 0);
    assert_int_equal(staging_sync(staging), 0);
    assert_int_equal(memfs_copy_file(rig->fs, rig_staging_path(&id), "/before"), 0);
    assert_int_equal(staging_write(staging, 0, rig->bytes, rig->size), 0);
    assert_int_equal(rig_seal(rig->vault, staging, &rig->expected, &seal), 0);
    assert_int_equal(read_back(rig), 0);
    transplant(rig, "/before", rig_object_path(&id), HEAD + 65568, 65568);
    assert_int_equal(read_back(rig), SR_ERR_DAMAGED);
    assert_non_null(strstr(sr_error_message(), "segment 1"));
    assert_named(rig);
    assert_int_equal(object_verify(rig->vault, &rig->expected, NULL, NULL), SR_ERR_DAMAGED);
}

static void test_swapped_segments_and_objects(void **state)
{
    struct rig *rig = *state;
    struct object_expectation first, second;
    struct object *object;

    seal_bytes(rig, 3 * 65536);
    first = rig->expected;
    seal_bytes(rig, 3 * 65536);
    second = rig->expected;
    /* Another object's segment, then another object's whole file, under this name. */
    assert_int_equal(memfs_copy_file(rig->fs, rig_object_path(&second.id), "/keep"), 0);
    transplant(rig, "/keep", rig_object_path(&first.id), HEAD, 65568);
    rig->expected = first;
    assert_int_equal(read_back(rig), SR_ERR_DAMAGED);
    assert_int_equal(memfs_copy_file(rig->fs, "/keep", rig_object_path(&first.id)), 0);
    assert_int_equal(read_back(rig), SR_ERR_DAMAGED);
    /* The ledger's word counts: another root, header, hash, size, key. */
    rig->expected = second;
    assert_int_equal(read_back(rig), 0);
    rig->expected.tag_root[5] ^= 1;
    assert_int_equal(object_open(rig->vault, &rig->expected, &object), SR_ERR_DAMAGED);
    rig->expected = second;
    rig->expected.header_sha256[5] ^= 1;
    assert_int_equal(object_open(rig->vault, &rig->expected, &object), SR_ERR_DAMAGED);
    rig->expected = second;
    rig->expected.size--;
    assert_int_equal(object_open(rig->vault, &rig->expected, &object), SR_ERR_DAMAGED);
    rig->expected = second;
    rig->expected.key_id++;
    assert_int_equal(object_open(rig->vault, &rig->expected, &object), SR_ERR_DAMAGED);
    assert_null(object);
    rig->expected = second;
    rig->expected.sha256[0] ^= 1;
    assert_int_equal(object_verify(rig->vault, &rig->expected, NULL, NULL), SR_ERR_DAMAGED);
    rig->expected = second;
    rig->expected.id.bytes[3] ^= 1;
    assert_int_equal(object_open(rig->vault, &rig->expected, &object), SR_ERR_NOT_FOUND);
}

/* Over a thousand segments: more than one block of leaves. Sparse, so it is mostly holes. */
static void test_many_blocks(void **state)
{
    struct rig *rig = *state;
    struct staging *staging;
    struct staging_seal seal;
    struct object *object;
    uint64_t size = (uint64_t)2100 * 65536 + 77, leaves_at;
    uint8_t byte;
    size_t got;

    assert_int_equal(staging_create(rig->vault, &staging), 0);
    assert_int_equal(staging_write(staging, size - 1, rig->bytes, 1), 0);
    assert_int_equal(staging_write(staging, 1100 * 65536 + 9, rig->bytes, 1), 0);
    assert_int_equal(rig_seal(rig->vault, staging, &rig->expected, &seal), 0);
    assert_int_equal(seal.hole_count, 2);
    free(seal.holes);
    assert_int_equal(object_open(rig->vault, &rig->expected, &object), 0);
    assert_int_equal(object_read(object, size - 1, &byte, 1, &got), 0);
    assert_int_equal(byte, rig->bytes[0]);
    assert_int_equal(object_read(object, 1100 * 65536 + 9, &byte, 1, &got), 0);
    assert_int_equal(byte, rig->bytes[0]);
    assert_int_equal(object_read(object, 5, &byte, 1, &got), 0);
    assert_int_equal(byte, 0);
    object_close(object);
    /* A leaf of the second block: the first block still reads. */
    leaves_at = file_len(rig) - tagtree_stored_len(2101);
    flip(rig, leaves_at + 1030 * 32, 1);
    assert_int_equal(object_open(rig->vault, &rig->expected, &object), 0);
    assert_int_equal(object_read(object, 5, &byte, 1, &got), 0);
    assert_int_equal(object_read(object, 1100 * 65536 + 9, &byte, 1, &got), SR_ERR_DAMAGED);
    assert_named(rig);
    object_close(object);
    assert_int_equal(object_verify(rig->vault, &rig->expected, NULL, NULL), SR_ERR_DAMAGED);
}

static int stop_late(void *context, uint64_t bytes_done)
{
    uint64_t *seen = context;

    assert_true(bytes_done > *seen);
    *seen = bytes_done;
    return bytes_done > 2u << 20 ? 33 : 0;
}

static int count_names(void *context, const char *folder, const char *name)
{
    unsigned *count = context;

    assert_true(strlen(name) == 32 ? !strncmp(folder, name, 2) : !strcmp(name, "stray"));
    ++*count;
    return 0;
}

static void test_verify_list_immutable(void **state)
{
    struct rig *rig = *state;
    struct sr_io *io = memfs_io(rig->fs);
    uint64_t seen = 0;
    unsigned count = 0;

    seal_bytes(rig, WORK - 5);
    assert_int_equal(read_back(rig), 0);
    assert_int_equal(object_verify(rig->vault, &rig->expected, stop_late, &seen), 33);
    assert_int_equal(object_verify(rig->vault, &rig->expected, NULL, NULL), 0);
    assert_int_equal(object_set_immutable(rig->vault, &rig->expected.id), 0);
    assert_int_not_equal(io->unlink(io, rig_object_path(&rig->expected.id)), 0);
    assert_int_equal(object_list(rig->vault, count_names, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(sr_io_create_file(io, RIG_PATH "/objects/stray", "x", 1, 0600), 0);
    assert_int_equal(object_list(rig->vault, count_names, &count), 0);
    assert_int_equal(count, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flips_small, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flips_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flips_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_truncation_and_growth, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_old_ciphertext, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_swapped_segments_and_objects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_verify_list_immutable, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
