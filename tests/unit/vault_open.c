/* Creating and opening a vault, vault.json, and the small things that its parts share. */
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

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/memfs.h"
#include "vault/keys_internal.h"
#include "vault/vault_internal.h"

#define PATH "/vault"
#define JSON PATH "/vault.json"
#define PASS "a passphrase"
#define AGENCY "某市城市管理综合行政执法局"
#define COST KEYS_MIN_LOG2N

static int setup(void **state)
{
    struct memfs *fs = memfs_new(11);
    struct vault *vault;

    assert_int_equal(vault_create_with_cost(memfs_io(fs), PATH, PASS, AGENCY, COST, &vault), 0);
    vault_close(vault);
    *state = fs;
    return 0;
}

static int teardown(void **state)
{
    memfs_free(*state);
    return 0;
}

static int open_vault(struct memfs *fs, const char *passphrase, struct vault **vault)
{
    return vault_open(memfs_io(fs), PATH, passphrase, 1, vault);
}

static void write_json(struct memfs *fs, const void *data, size_t len)
{
    assert_int_equal(sr_io_replace_file(memfs_io(fs), JSON, data, len, 0644), 0);
}

static void test_create_and_open(void **state)
{
    struct memfs *fs = *state;
    struct sr_io *io = memfs_io(fs);
    static const char *const folders[] = {"keys/slots", "keys/pages", "objects/00", "objects/a7",
                                          "objects/ff", "staging",    "ledger"};
    struct vault_identity read;
    const struct vault_identity *identity;
    struct vault *vault;
    struct sr_stat st;
    char path[64], hex[33];
    uint64_t queued, peak;

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders); i++) {
        snprintf(path, sizeof(path), PATH "/%s", folders[i]);
        assert_int_equal(io->stat(io, path, &st), 0);
        assert_true(st.is_dir);
    }
    assert_int_equal(open_vault(fs, PASS, &vault), 0);
    assert_string_equal(vault_path(vault), PATH);
    assert_ptr_equal(vault_io(vault), io);
    assert_non_null(vault_keys(vault));
    identity = vault_identity(vault);
    assert_string_equal(identity->agency, AGENCY);
    assert_true(identity->created_ns == io->now_ns(io));
    sr_hex_encode(identity->id.bytes, sizeof(identity->id.bytes), hex);
    snprintf(path, sizeof(path), "strongroom.local/%s", hex);
    assert_string_equal(identity->origin, path);
    assert_int_equal(vault_read_identity(io, PATH, &read), 0);
    assert_memory_equal(&read, identity, sizeof(read));
    vault_queue_stats(vault, &queued, &peak);
    assert_int_equal(queued, 0);
    vault_close(vault);
    vault_close(NULL);
    assert_int_equal(vault_open(io, PATH "///", PASS, 1, &vault), 0);
    assert_string_equal(vault_path(vault), PATH);
    vault_close(vault);
}

static void test_json_bytes(void **state)
{
    struct memfs *fs = *state;
    struct vault_identity identity;
    char hex[33], key_hex[65], expected[600];
    uint8_t *data;
    size_t len;

    assert_int_equal(vault_read_identity(memfs_io(fs), PATH, &identity), 0);
    sr_hex_encode(identity.id.bytes, 16, hex);
    sr_hex_encode(identity.public_key, 32, key_hex);
    snprintf(
        expected, sizeof(expected),
        "{\"agency\":\"%s\",\"created\":\"%lld\",\"format\":1,\"origin\":\"strongroom.local/%s\","
        "\"public_key\":\"%s\",\"vault\":\"%s\"}\n",
        AGENCY, (long long)identity.created_ns, hex, key_hex, hex);
    assert_int_equal(sr_io_read_file(memfs_io(fs), JSON, 4096, &data, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(data, expected, len);
    free(data);
}

static void test_wrong_passphrase(void **state)
{
    struct vault *vault;

    assert_int_equal(open_vault(*state, "another one", &vault), SR_ERR_PASSPHRASE);
    assert_null(vault);
    assert_int_equal(open_vault(*state, PASS, &vault), 0); /* the lock was let go */
    vault_close(vault);
}

static void test_create_refused(void **state)
{
    struct memfs *fs = *state;
    struct sr_io *io = memfs_io(fs);
    struct vault *vault;
    struct sr_stat st;
    char long_name[300];

    memset(long_name, 'x', sizeof(long_name));
    long_name[256] = 0;
    assert_int_equal(vault_create(io, PATH, PASS, "", &vault), SR_ERR_EXISTS);
    assert_null(vault);
    assert_int_equal(vault_create(io, JSON, PASS, "", &vault), SR_ERR_EXISTS);
    assert_int_equal(vault_create(io, "/new", "7 bytes", "", &vault), SR_ERR_INVALID);
    assert_int_equal(vault_create(io, "/new", PASS, "\xc3", &vault), SR_ERR_INVALID);
    assert_int_equal(vault_create(io, "/new", PASS, long_name, &vault), SR_ERR_INVALID);
    assert_int_equal(io->stat(io, "/new", &st), -ENOENT); /* refused before anything is made */
    assert_int_equal(sr_io_make_dir(io, "/new", 0700), 0);
    long_name[255] = 0;
    assert_int_equal(vault_create_with_cost(io, "/new", PASS, long_name, COST, &vault), 0);
    assert_string_equal(vault_identity(vault)->agency, long_name);
    vault_close(vault);
    assert_int_equal(vault_open(io, "/new", PASS, 0, &vault), 0);
    vault_close(vault);
}

static void test_not_a_vault(void **state)
{
    struct memfs *fs = *state;
    struct sr_io *io = memfs_io(fs);
    struct vault_identity identity;
    struct vault *vault;
    struct sr_stat st;

    assert_int_equal(vault_open(io, "/nothing", PASS, 1, &vault), SR_ERR_NOT_FOUND);
    assert_int_equal(vault_open(io, JSON, PASS, 1, &vault), SR_ERR_NOT_FOUND);
    assert_int_equal(sr_io_make_dir(io, "/other", 0700), 0);
    assert_int_equal(vault_open(io, "/other", PASS, 1, &vault), SR_ERR_NOT_FOUND);
    assert_non_null(strstr(sr_error_message(), "/other is not a vault"));
    assert_int_equal(io->stat(io, "/other/lock", &st), -ENOENT);
    assert_int_equal(vault_read_identity(io, "/other", &identity), SR_ERR_NOT_FOUND);
}

static void test_newer_format(void **state)
{
    static const char newer[] = "{\"format\":12,\"something\":\"else\"}\n";
    struct vault *vault;

    write_json(*state, newer, strlen(newer));
    assert_int_equal(open_vault(*state, PASS, &vault), SR_ERR_NEWER_FORMAT);
    assert_null(vault);
    assert_non_null(strstr(sr_error_message(), "was written by a newer version (format 12); this "
                                               "version reads up to 1"));
}

/* Every bit flip and truncation: found, or it changed the agency's name or the date, which the
 * ledger holds too (the first entry). */
static void test_json_damage(void **state)
{
    struct memfs *fs = *state;
    struct vault_identity good, read;
    struct vault *vault;
    uint8_t *data;
    size_t len, harmless = 0;

    assert_int_equal(vault_read_identity(memfs_io(fs), PATH, &good), 0);
    assert_int_equal(sr_io_read_file(memfs_io(fs), JSON, 4096, &data, &len), 0);
    for (size_t bit = 0; bit < len * 8; bit++) {
        int rc;

        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        rc = vault_parse_identity("f", data, len, &read);
        if (rc == 0 && (memcmp(&read.id, &good.id, sizeof(read.id)) != 0 ||
                        memcmp(read.public_key, good.public_key, 32) != 0)) {
            write_json(fs, data, len);
            rc = open_vault(fs, PASS, &vault);
        }
        if (rc == 0) {
            assert_true(strcmp(read.agency, good.agency) != 0 ||
                        read.created_ns != good.created_ns);
            harmless++;
        } else if (rc != SR_ERR_DAMAGED && rc != SR_ERR_NEWER_FORMAT) {
            fail_msg("bit %zu flipped: %d", bit, rc);
        }
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_in_range(harmless, 1, 8 * (sizeof(AGENCY) + 20));
    for (size_t cut = 0; cut < len; cut++)
        assert_int_equal(vault_parse_identity("f", data, cut, &read), SR_ERR_DAMAGED);
    write_json(fs, data, len - 1);
    assert_int_equal(open_vault(fs, PASS, &vault), SR_ERR_DAMAGED);
    assert_non_null(strstr(sr_error_message(), JSON));
    free(data);
}

static void test_not_as_written(void **state)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{\"format\":0}",
        "{\"format\":\"1\"}",
        "{\"format\":1}",
        "{\"format\":1,\"format\":1}",
        "{\"format\":9223372036854775808}",
    };
    struct vault_identity read, good;
    struct sr_buf text = {0};

    assert_int_equal(vault_read_identity(memfs_io(*state), PATH, &good), 0);
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_int_equal(
            vault_parse_identity("f", (const uint8_t *)texts[i], strlen(texts[i]), &read),
            SR_ERR_DAMAGED);
    /* Another origin than the vault's own, another spelling: one reading only. */
    strcpy(good.origin, "strongroom.local/00000000000000000000000000000000");
    assert_int_equal(vault_identity_serialize(&good, &text), 0);
    assert_int_equal(vault_parse_identity("f", (const uint8_t *)text.data, text.len, &read),
                     SR_ERR_DAMAGED);
    sr_buf_free(&text);
    vault_identity_origin(&good);
    assert_int_equal(vault_identity_serialize(&good, &text), 0);
    assert_int_equal(vault_parse_identity("f", (const uint8_t *)text.data, text.len, &read), 0);
    sr_buf_text(&text, "\n");
    assert_int_equal(vault_parse_identity("f", (const uint8_t *)text.data, text.len, &read),
                     SR_ERR_DAMAGED);
    sr_buf_free(&text);
}

/* On the machine's own file system, where the lock is a real one. */
static void test_second_open_is_busy(void **state)
{
    char folder[] = "/tmp/vault-open-XXXXXX", path[64], command[100];
    struct sr_io *io = sr_io_posix();
    struct vault *vault, *second;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/vault", folder);
    assert_int_equal(vault_create_with_cost(io, path, PASS, AGENCY, COST, &vault), 0);
    assert_int_equal(vault_open(io, path, PASS, 1, &second), SR_ERR_BUSY);
    assert_null(second);
    assert_non_null(strstr(sr_error_message(), "in use by another process"));
    vault_close(vault);
    assert_int_equal(vault_open(io, path, PASS, 1, &vault), 0);
    assert_int_equal(vault_open(io, path, PASS, 1, &second), SR_ERR_BUSY);
    vault_close(vault);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void test_space(void **state)
{
    struct memfs *fs = *state;
    struct vault *vault;
    uint64_t free_bytes, total;

    assert_int_equal(open_vault(fs, PASS, &vault), 0);
    memfs_set_space(fs, (uint64_t)VAULT_RESERVE_BYTES + (1 << 20));
    assert_int_equal(vault_space(vault, &free_bytes, &total), 0);
    assert_int_equal(free_bytes, 1 << 20);
    assert_true(total > free_bytes);
    memfs_set_space(fs, VAULT_RESERVE_BYTES - 1);
    assert_int_equal(vault_space(vault, &free_bytes, &total), 0);
    assert_int_equal(free_bytes, 0);
    vault_close(vault);
}

static void test_object_ids(void **state)
{
    struct vault_object_id id, back;
    char text[2 * VAULT_OBJECT_ID_LEN + 1];

    (void)state;
    for (size_t i = 0; i < VAULT_OBJECT_ID_LEN; i++)
        id.bytes[i] = (uint8_t)(i * 17);
    vault_object_id_text(&id, text);
    assert_string_equal(text, "00112233445566778899aabbccddeeff");
    assert_int_equal(vault_object_id_parse(text, &back), 0);
    assert_memory_equal(&id, &back, sizeof(id));
    assert_int_equal(vault_object_id_parse("00112233445566778899aabbccddeef", &back),
                     SR_ERR_INVALID);
    assert_int_equal(vault_object_id_parse("00112233445566778899aabbccddeeff0", &back),
                     SR_ERR_INVALID);
    assert_int_equal(vault_object_id_parse("00112233445566778899AABBCCDDEEFF", &back),
                     SR_ERR_INVALID);
}

static void test_describe_key(void **state)
{
    struct vault_object_id one = {{1}}, two = {{2}};
    uint8_t info[22 + VAULT_OBJECT_ID_LEN] = "strongroom describe v1";
    uint8_t record[SR_KEY_LEN], key[SR_KEY_LEN], other[SR_KEY_LEN], expected[SR_KEY_LEN];
    struct vault *vault;
    uint64_t id, next;

    assert_int_equal(open_vault(*state, PASS, &vault), 0);
    assert_int_equal(keys_take(vault_keys(vault), &id, record), 0);
    assert_int_equal(vault_describe_key(vault, id, &one, key), 0);
    memcpy(info + 22, one.bytes, VAULT_OBJECT_ID_LEN);
    assert_int_equal(
        sr_hkdf_expand_sha384(record, SR_KEY_LEN, info, sizeof(info), expected, SR_KEY_LEN), 0);
    assert_memory_equal(key, expected, SR_KEY_LEN);
    assert_int_equal(vault_describe_key(vault, id, &two, other), 0);
    assert_memory_not_equal(key, other, SR_KEY_LEN);
    assert_int_equal(keys_take(vault_keys(vault), &next, record), 0);
    assert_int_equal(vault_describe_key(vault, next, &one, other), 0);
    assert_memory_not_equal(key, other, SR_KEY_LEN);
    assert_int_equal(vault_describe_key(vault, 77 << 16, &one, key), SR_ERR_NOT_FOUND);
    vault_close(vault);
}

/* Whenever the power goes while a vault is made: it opens and is whole, or it is no vault. */
static void test_power_cut_in_create(void **state)
{
    uint64_t n = 1, opened = 0;

    (void)state;
    for (bool off = true; off; n++) {
        struct memfs *fs = memfs_new(12);
        struct vault *vault;
        int rc;

        memfs_cut_at_sync(fs, n, n % 2);
        rc = vault_create_with_cost(memfs_io(fs), PATH, PASS, AGENCY, COST, &vault);
        off = memfs_is_off(fs);
        vault_close(vault);
        memfs_cut_now(fs);
        for (unsigned mode = MEMFS_LOST; mode <= MEMFS_TORN; mode++) {
            struct memfs *found = memfs_after_cut(fs, (enum memfs_mode)mode, n);
            int again = open_vault(found, PASS, &vault);

            assert_true(again == 0 || (again == SR_ERR_NOT_FOUND && rc != 0));
            if (!again) {
                struct sr_stat st;
                struct sr_io *io = memfs_io(found);

                opened++;
                assert_int_equal(keys_unused(vault_keys(vault)), KEYS_PER_PAGE);
                assert_int_equal(io->stat(io, PATH "/objects/ff", &st), 0);
                assert_int_equal(io->stat(io, PATH "/ledger", &st), 0);
                assert_int_equal(io->stat(io, PATH "/staging", &st), 0);
            }
            vault_close(vault);
            memfs_free(found);
        }
        memfs_free(fs);
    }
    assert_true(n > 10);
    assert_true(opened >= 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_open),
        TEST(test_json_bytes),
        TEST(test_wrong_passphrase),
        TEST(test_create_refused),
        TEST(test_not_a_vault),
        TEST(test_newer_format),
        TEST(test_json_damage),
        TEST(test_not_as_written),
        cmocka_unit_test(test_second_open_is_busy),
        TEST(test_space),
        cmocka_unit_test(test_object_ids),
        TEST(test_describe_key),
        cmocka_unit_test(test_power_cut_in_create),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
