/* Key slots and key pages that are not as they were written: no damage goes unnoticed, the file is
 * named, and one bad file costs no more than it must. */
#include "tests/unit/vault_keys_fixture.h"

/* The removed slot with its generation rewritten and the checksum made to fit. */
static void test_forged_generation(void **state)
{
    struct fixture *f = *state;
    uint8_t first[KEYS_SLOT_ID_LEN], image[KEYS_SLOT_FILE_LEN], *data;
    struct keys_slot_info info;
    struct keys_slot slot;
    const char *why;
    size_t len;

    keys_opened_by(f->keys, first);
    add_slot(f, PASS_B, &info);
    data = read_file(f, f->slot, &len);
    assert_int_equal(keys_remove_slot(f->keys, first), 0);
    assert_int_equal(keys_slot_parse(data, len, &slot, &why), 0);
    free(data);
    assert_int_equal(slot.root_generation, 1);
    for (uint32_t generation = 2; generation < 4; generation++) {
        slot.root_generation = generation;
        assert_int_equal(keys_slot_serialize(&slot, image), 0);
        write_file(f, f->slot, image, sizeof(image));
        assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
        assert_message_names(f->slot);
        assert_int_equal(try_open(f, PASS_B), 0);
    }
}

static void test_slot_bit_flips(void **state)
{
    struct fixture *f = *state;
    size_t len;
    uint8_t *data = read_file(f, f->slot, &len);

    assert_int_equal(len, KEYS_SLOT_FILE_LEN);
    for (size_t bit = 0; bit < len * 8; bit++) {
        int rc;

        assert_int_equal(memfs_corrupt(f->fs, f->slot, bit / 8, (uint8_t)(1u << bit % 8)), 0);
        rc = try_open(f, PASS_A);
        /* A higher version byte is all that can be said of a later format. */
        if (rc != (bit / 8 == 7 && bit % 8 ? SR_ERR_NEWER_FORMAT : SR_ERR_DAMAGED))
            fail_msg("bit %zu flipped: %d", bit, rc);
        assert_message_names(f->slot);
        assert_int_equal(memfs_corrupt(f->fs, f->slot, bit / 8, (uint8_t)(1u << bit % 8)), 0);
    }
    for (size_t cut = 0; cut < len; cut++) {
        write_file(f, f->slot, data, cut);
        assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
        assert_message_names(f->slot);
    }
    write_file(f, f->slot, data, len + 1); /* one byte more: read_file leaves a NUL there */
    assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
    write_file(f, f->slot, data, len);
    assert_int_equal(try_open(f, PASS_A), 0);
    free(data);
}

/* Altered on purpose: the checksum fits, so only the MAC, the wraps and the bounds are left. */
static void test_slot_forgeries(void **state)
{
    struct fixture *f = *state;
    const size_t end = KEYS_SLOT_FILE_LEN - SR_SHA256_LEN;
    size_t len;
    uint8_t *data = read_file(f, f->slot, &len);

    for (size_t at = 8; at < end; at++) {
        int rc;

        data[at] ^= 0x01;
        assert_int_equal(sr_sha256(data, end, data + end), 0);
        write_file(f, f->slot, data, len);
        rc = try_open(f, PASS_A);
        if (rc != SR_ERR_DAMAGED && rc != SR_ERR_PASSPHRASE && rc != SR_ERR_NEWER_FORMAT)
            fail_msg("byte %zu altered: %d", at, rc);
        if (at >= 92 && at < 156) /* the label, which no wrap depends on */
            assert_int_equal(rc, SR_ERR_DAMAGED);
        data[at] ^= 0x01;
    }
    free(data);
}

static void test_hostile_cost(void **state)
{
    static const struct {
        uint32_t log2n, r, p;
    } costs[] = {
        {9, 8, 1},   {21, 8, 1}, {63, 8, 1}, {64, 8, 1},  {UINT32_MAX, 8, 1},          {10, 0, 1},
        {10, 17, 1}, {10, 8, 0}, {10, 8, 5}, {20, 16, 1}, {10, UINT32_MAX, UINT32_MAX}};
    struct fixture *f = *state;
    uint8_t image[KEYS_SLOT_FILE_LEN], *data;
    struct keys_slot slot;
    const char *why;
    size_t len;

    data = read_file(f, f->slot, &len);
    assert_int_equal(keys_slot_parse(data, len, &slot, &why), 0);
    for (size_t i = 0; i < sizeof(costs) / sizeof(*costs); i++) {
        slot.log2n = costs[i].log2n;
        slot.r = costs[i].r;
        slot.p = costs[i].p;
        assert_int_equal(keys_slot_serialize(&slot, image), 0);
        assert_int_equal(keys_slot_parse(image, sizeof(image), &slot, &why), SR_ERR_DAMAGED);
        assert_non_null(strstr(why, "scrypt"));
    }
    free(data);
}

static void test_one_bad_slot_of_two(void **state)
{
    struct fixture *f = *state;
    uint8_t first[KEYS_SLOT_ID_LEN];
    struct keys_slot_info info, third;

    keys_opened_by(f->keys, first);
    add_slot(f, PASS_B, &info);
    assert_int_equal(memfs_corrupt(f->fs, f->slot, 100, 1), 0);
    assert_int_equal(reopen(f, PASS_B), 0);
    assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
    assert_message_names(f->slot);
    /* It could not be carried over to a new root, so the root does not turn over ... */
    add_slot(f, "third passphrase", &third);
    assert_int_equal(keys_remove_slot(f->keys, third.id), SR_ERR_DAMAGED);
    assert_message_names(f->slot);
    assert_int_equal(try_open(f, "third passphrase"), 0);
    /* ... unless it is the one to go. */
    assert_int_equal(keys_remove_slot(f->keys, first), 0);
    assert_int_equal(keys_remove_slot(f->keys, third.id), 0);
    assert_int_equal(try_open(f, PASS_B), 0);
    assert_int_equal(try_open(f, "third passphrase"), SR_ERR_PASSPHRASE);
}

/* Every bit of what is not key material, one bit of every byte, every length: through the parser
 * and the MAC, which is all that keys_open and keys_verify rely on. */
static void test_page_bit_flips(void **state)
{
    struct fixture *f = *state;
    struct keys_page page;
    const char *why;
    size_t len;
    uint8_t *data = read_file(f, PAGE1, &len);

    assert_int_equal(len, KEYS_PAGE_FILE_LEN);
    assert_int_equal(keys_page_parse(data, len, &page, &why), 0);
    assert_int_equal(keys_page_check(data, 1, vault_id, f->keys->root, &why), 0);
    for (size_t bit = 0; bit < len * 8; bit++) {
        bool clear = bit / 8 < 40 || (bit / 8 - 40) % 41 == 0 || bit / 8 >= len - SR_SHA256_LEN;
        int rc;

        if (!clear && bit / 8 % 8 != bit % 8 && !getenv("SR_TEST_EVERY_BIT"))
            continue;
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        rc = keys_page_parse(data, len, &page, &why);
        if (!rc)
            rc = keys_page_check(data, 1, vault_id, f->keys->root, &why);
        if (rc != (bit / 8 == 7 && bit % 8 ? SR_ERR_NEWER_FORMAT : SR_ERR_DAMAGED) || !why)
            fail_msg("bit %zu flipped: %d", bit, rc);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(keys_page_parse(data, cut, &page, &why), SR_ERR_DAMAGED);
    free(data);
}

struct complaints {
    size_t count;
    char file[64];
    char why[128];
};

static void complain(void *context, const char *file, const char *why)
{
    struct complaints *complaints = context;

    complaints->count++;
    snprintf(complaints->file, sizeof(complaints->file), "%s", file);
    snprintf(complaints->why, sizeof(complaints->why), "%s", why);
}

static void assert_verify_names(struct fixture *f, const char *file)
{
    struct complaints complaints = {0};

    assert_int_equal(keys_verify(f->keys, complain, &complaints), SR_ERR_DAMAGED);
    assert_int_equal(complaints.count, 1);
    assert_string_equal(complaints.file, file);
    assert_true(complaints.why[0] != 0);
}

/* Damaged pages as keys_open, keys_get and keys_verify see them. */
static void test_bad_pages(void **state)
{
    static const uint64_t offsets[] = {0, 8, 12, 16, 32, 36, 40, 50, 10535, 10536, 10567};
    struct fixture *f = *state;
    struct keys_page_info info;
    uint8_t key[SR_KEY_LEN];
    uint64_t id;

    assert_int_equal(keys_extend(f->keys, &info), 0);
    for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
        assert_int_equal(memfs_corrupt(f->fs, PAGE1, offsets[i], 0x10), 0);
        assert_verify_names(f, "keys/pages/00000001");
        assert_int_equal(reopen(f, PASS_A), 0); /* the other pages still serve */
        assert_int_equal(keys_get(f->keys, 1 << 16, key), SR_ERR_DAMAGED);
        assert_message_names(PAGE1);
        assert_int_equal(keys_get(f->keys, 2 << 16, key), 0);
        assert_int_equal(keys_take(f->keys, &id, key), 0);
        assert_int_equal(id, 2 << 16);
        assert_verify_names(f, "keys/pages/00000001");
        assert_int_equal(memfs_corrupt(f->fs, PAGE1, offsets[i], 0x10), 0);

        assert_int_equal(memfs_corrupt(f->fs, DIR "/pages/00000000", offsets[i], 0x10), 0);
        assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
        assert_message_names("/00000000");
        assert_int_equal(memfs_corrupt(f->fs, DIR "/pages/00000000", offsets[i], 0x10), 0);
    }
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_verify(f->keys, NULL, NULL), 0);
}

static void test_bad_page_stops_turnover(void **state)
{
    struct fixture *f = *state;
    struct keys_slot_info info;

    add_slot(f, PASS_B, &info);
    assert_int_equal(memfs_corrupt(f->fs, PAGE1, 60, 1), 0);
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_remove_slot(f->keys, info.id), SR_ERR_DAMAGED);
    assert_message_names(PAGE1);
    assert_int_equal(try_open(f, PASS_B), 0);
}

static void test_swapped_pages(void **state)
{
    struct fixture *f = *state;
    struct keys_page_info info;
    uint8_t key[SR_KEY_LEN];

    assert_int_equal(keys_extend(f->keys, &info), 0);
    assert_int_equal(memfs_copy_file(f->fs, PAGE1, "/spare"), 0);
    assert_int_equal(memfs_copy_file(f->fs, PAGE2, PAGE1), 0);
    assert_int_equal(memfs_copy_file(f->fs, "/spare", PAGE2), 0);
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_get(f->keys, 1 << 16, key), SR_ERR_DAMAGED);
    assert_message_names(PAGE1);
    assert_int_equal(keys_get(f->keys, 2 << 16, key), SR_ERR_DAMAGED);
    assert_message_names(PAGE2);
}

/* A page as it was before it was rewritten under the same root: its MAC holds, so only generation
 * and hash, which are in the ledger, tell. A running keys_verify knows the hash. */
static void test_earlier_page(void **state)
{
    struct fixture *f = *state;
    struct keys_page_info *now, *then;
    size_t len, count;
    uint8_t *data = read_file(f, PAGE1, &len);

    assert_int_equal(memfs_copy_file(f->fs, PAGE1, "/earlier"), 0);
    sr_put_be32(data + 12, 2);
    assert_int_equal(keys_page_seal(data, f->keys->root), 0);
    write_file(f, PAGE1, data, len);
    free(data);
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_list_pages(f->keys, &now, &count), 0);
    assert_int_equal(now[1].generation, 2);

    assert_int_equal(memfs_copy_file(f->fs, "/earlier", PAGE1), 0);
    assert_verify_names(f, "keys/pages/00000001");
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_list_pages(f->keys, &then, &count), 0);
    assert_int_equal(then[1].generation, 1);
    assert_memory_not_equal(now[1].file_sha256, then[1].file_sha256, SR_SHA256_LEN);
    free(now);
    free(then);
}

/* A page with destroyed entries: their keys are gone, the others are taken in turn. */
static void test_destroyed_entries(void **state)
{
    struct fixture *f = *state;
    uint8_t key[SR_KEY_LEN];
    uint64_t id;
    size_t len;
    uint8_t *data = read_file(f, PAGE1, &len);

    memset(data + 40, 0, 3 * 41);
    assert_int_equal(keys_page_seal(data, f->keys->root), 0);
    write_file(f, PAGE1, data, len);
    free(data);
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_unused(f->keys), KEYS_PER_PAGE - 3);
    assert_int_equal(keys_get(f->keys, 1 << 16 | 2, key), SR_ERR_NOT_FOUND);
    assert_int_equal(keys_take(f->keys, &id, key), 0);
    assert_int_equal(id, 1 << 16 | 3);
}

static void test_newer_versions(void **state)
{
    struct fixture *f = *state;
    struct keys_slot_info info;
    uint8_t key[SR_KEY_LEN];

    assert_int_equal(memfs_corrupt(f->fs, PAGE1, 7, 3), 0); /* 1 becomes 2 */
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_get(f->keys, 1 << 16, key), SR_ERR_NEWER_FORMAT);
    assert_message_names(PAGE1);
    assert_non_null(strstr(sr_error_message(), "newer version"));
    assert_int_equal(memfs_corrupt(f->fs, PAGE1, 7, 3), 0);
    assert_int_equal(memfs_corrupt(f->fs, DIR "/pages/00000000", 7, 3), 0);
    assert_int_equal(try_open(f, PASS_A), SR_ERR_NEWER_FORMAT);
    assert_int_equal(memfs_corrupt(f->fs, DIR "/pages/00000000", 7, 3), 0);
    assert_int_equal(reopen(f, PASS_A), 0);

    assert_int_equal(memfs_corrupt(f->fs, f->slot, 7, 3), 0);
    assert_int_equal(try_open(f, PASS_A), SR_ERR_NEWER_FORMAT);
    assert_message_names(f->slot);
    assert_non_null(strstr(sr_error_message(), "newer version"));
    add_slot(f, PASS_B, &info); /* an older kind beside it still opens */
    assert_int_equal(try_open(f, PASS_B), 0);
}

static void test_missing_files(void **state)
{
    struct fixture *f = *state;
    struct keys_page_info info;
    uint8_t key[SR_KEY_LEN];

    assert_int_equal(keys_extend(f->keys, &info), 0);
    assert_int_equal(f->io->unlink(f->io, PAGE1), 0);
    assert_verify_names(f, "keys/pages/00000001");
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_get(f->keys, 1 << 16, key), SR_ERR_DAMAGED);
    assert_message_names(PAGE1);
    assert_verify_names(f, "keys/pages/00000001");

    assert_int_equal(f->io->rename(f->io, DIR "/pages/00000000", "/zero"), 0);
    assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
    assert_message_names("/00000000");
    assert_int_equal(f->io->rename(f->io, "/zero", DIR "/pages/00000000"), 0);
    assert_int_equal(f->io->unlink(f->io, f->slot), 0);
    assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
    assert_int_equal(f->io->rename(f->io, DIR "/slots", "/elsewhere"), 0);
    assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
    assert_non_null(strstr(sr_error_message(), "slots"));
}

static void test_other_vault(void **state)
{
    struct fixture *f = *state;
    const uint8_t other[KEYS_VAULT_ID_LEN] = "another vault..";
    struct keys *keys;

    assert_int_equal(keys_open(f->io, DIR, other, PASS_A, &keys), SR_ERR_DAMAGED);
    assert_null(keys);
    assert_message_names(f->slot);
}

static void test_turnover_marker(void **state)
{
    struct fixture *f = *state;
    struct keys_turnover turnover = {.root_generation = 2};
    uint8_t image[KEYS_TURNOVER_FILE_LEN];

    memcpy(turnover.vault_id, vault_id, sizeof(vault_id));
    assert_int_equal(keys_turnover_serialize(&turnover, image), 0);
    for (size_t bit = 0; bit < sizeof(image) * 8; bit++) {
        int rc;

        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
        write_file(f, DIR "/turnover", image, sizeof(image));
        rc = try_open(f, PASS_A);
        if (rc != (bit / 8 == 7 && bit % 8 ? SR_ERR_NEWER_FORMAT : SR_ERR_DAMAGED))
            fail_msg("bit %zu flipped: %d", bit, rc);
        assert_message_names("/turnover");
        image[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t cut = 0; cut < sizeof(image); cut++) {
        write_file(f, DIR "/turnover", image, cut);
        assert_int_equal(try_open(f, PASS_A), SR_ERR_DAMAGED);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_forged_generation),   TEST(test_slot_bit_flips),
        TEST(test_slot_forgeries),      TEST(test_hostile_cost),
        TEST(test_one_bad_slot_of_two), TEST(test_page_bit_flips),
        TEST(test_bad_pages),           TEST(test_bad_page_stops_turnover),
        TEST(test_swapped_pages),       TEST(test_earlier_page),
        TEST(test_destroyed_entries),   TEST(test_newer_versions),
        TEST(test_missing_files),       TEST(test_other_vault),
        TEST(test_turnover_marker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
