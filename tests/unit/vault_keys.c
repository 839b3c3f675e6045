/* Key slots and key pages: what opens, and what is given out. Damage is in vault_keys_damage.c,
 * what happens when calls fail or the power goes in tests/fault/vault_keys.c. */
#include "tests/unit/vault_keys_fixture.h"

#include <pthread.h>

static void test_create_and_open(void **state)
{
    struct fixture *f = *state;
    uint8_t named[KEYS_NAMED_COUNT][SR_KEY_LEN], key[SR_KEY_LEN], again[SR_KEY_LEN];
    uint8_t id[KEYS_SLOT_ID_LEN], opened[KEYS_SLOT_ID_LEN];
    uint64_t key_id;

    keys_opened_by(f->keys, id);
    for (int i = 0; i < KEYS_NAMED_COUNT; i++) {
        assert_int_equal(keys_get_named(f->keys, (enum keys_named)i, named[i]), 0);
        for (int j = 0; j < i; j++)
            assert_memory_not_equal(named[i], named[j], SR_KEY_LEN);
    }
    assert_int_equal(keys_take(f->keys, &key_id, key), 0);
    assert_int_equal(reopen(f, PASS_A), 0);
    keys_opened_by(f->keys, opened);
    assert_memory_equal(id, opened, sizeof(id));
    for (int i = 0; i < KEYS_NAMED_COUNT; i++) {
        assert_int_equal(keys_get_named(f->keys, (enum keys_named)i, again), 0);
        assert_memory_equal(named[i], again, SR_KEY_LEN);
    }
    assert_int_equal(keys_get(f->keys, key_id, again), 0);
    assert_memory_equal(key, again, SR_KEY_LEN);
}

static void test_passphrases(void **state)
{
    struct fixture *f = *state;
    struct keys_slot_info info;
    struct keys *keys;

    assert_int_equal(try_open(f, "correct horsf"), SR_ERR_PASSPHRASE);
    assert_int_equal(try_open(f, ""), SR_ERR_PASSPHRASE);
    assert_int_equal(try_open(f, PASS_A " "), SR_ERR_PASSPHRASE);
    assert_int_equal(keys_add_slot(f->keys, "7 bytes", "x", &info), SR_ERR_INVALID);
    assert_int_equal(keys_create(f->io, DIR, vault_id, "7 bytes", "x", &keys), SR_ERR_INVALID);
    assert_null(keys);
    /* The public default is the strong one. */
    assert_int_equal(keys_add_slot(f->keys, "口令八个字节以上", "默认", &info), 0);
    assert_int_equal(try_open(f, "口令八个字节以上"), 0);
}

static void test_labels(void **state)
{
    struct fixture *f = *state;
    char label[KEYS_LABEL_MAX + 2];
    struct keys_slot_info info, *slots;
    size_t count;

    memset(label, 'x', sizeof(label));
    label[KEYS_LABEL_MAX + 1] = 0;
    assert_int_equal(keys_add_slot_with_cost(f->keys, PASS_B, label, COST, &info), SR_ERR_INVALID);
    assert_int_equal(keys_add_slot_with_cost(f->keys, PASS_B, "\xff", COST, &info), SR_ERR_INVALID);
    label[KEYS_LABEL_MAX] = 0;
    assert_int_equal(keys_add_slot_with_cost(f->keys, PASS_B, label, COST, &info), 0);
    assert_string_equal(info.label, label);
    assert_int_equal(reopen(f, PASS_B), 0);
    assert_int_equal(keys_list_slots(f->keys, &slots, &count), 0);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        bool second = !memcmp(slots[i].id, info.id, KEYS_SLOT_ID_LEN);
        uint8_t sha256[SR_SHA256_LEN], *data;
        char path[64];
        size_t len;

        assert_string_equal(slots[i].label, second ? label : "first");
        assert_true(slots[i].created_ns == memfs_io(f->fs)->now_ns(f->io));
        slot_path(slots[i].id, path);
        data = read_file(f, path, &len);
        assert_int_equal(sr_sha256(data, len, sha256), 0);
        assert_memory_equal(sha256, slots[i].file_sha256, sizeof(sha256));
        free(data);
    }
    free(slots);
}

static void test_take_mark_extend(void **state)
{
    struct fixture *f = *state;
    uint8_t key[SR_KEY_LEN], again[SR_KEY_LEN], last[SR_KEY_LEN] = {0};
    struct keys_page_info info;
    uint64_t id = 0, previous = 0;

    assert_int_equal(keys_unused(f->keys), KEYS_PER_PAGE);
    for (size_t i = 0; i < KEYS_PER_PAGE; i++) {
        assert_int_equal(keys_take(f->keys, &id, key), 0);
        assert_true(id > previous && id >> 16 == 1);
        assert_memory_not_equal(key, last, SR_KEY_LEN);
        assert_int_equal(keys_get(f->keys, id, again), 0);
        assert_memory_equal(key, again, SR_KEY_LEN);
        assert_int_equal(keys_unused(f->keys), KEYS_PER_PAGE - 1 - i);
        memcpy(last, key, SR_KEY_LEN);
        previous = id;
    }
    assert_int_equal(keys_take(f->keys, &id, key), SR_ERR_NOT_FOUND);
    assert_int_equal(keys_extend(f->keys, &info), 0);
    assert_int_equal(info.page, 2);
    assert_int_equal(info.generation, 1);
    assert_int_equal(keys_take(f->keys, &id, key), 0);
    assert_int_equal(id, 2 << 16);

    /* After a restart only what is marked counts as used, and everything below it. */
    assert_int_equal(reopen(f, PASS_A), 0);
    assert_int_equal(keys_unused(f->keys), 2 * KEYS_PER_PAGE);
    keys_mark_used(f->keys, 2 << 16 | 7);
    keys_mark_used(f->keys, 1 << 16 | 9);
    assert_int_equal(keys_unused(f->keys), KEYS_PER_PAGE - 8);
    assert_int_equal(keys_take(f->keys, &id, key), 0);
    assert_int_equal(id, 2 << 16 | 8);
    /* Impossible ids change nothing. */
    keys_mark_used(f->keys, UINT64_MAX);
    keys_mark_used(f->keys, 3 << 16 | KEYS_PER_PAGE);
    keys_mark_used(f->keys, 4);
    assert_int_equal(keys_unused(f->keys), KEYS_PER_PAGE - 9);

    assert_int_equal(keys_get(f->keys, 3 << 16, key), SR_ERR_NOT_FOUND);
    assert_int_equal(keys_get(f->keys, 1 << 16 | 256, key), SR_ERR_NOT_FOUND);
    assert_int_equal(keys_get(f->keys, 0, key), SR_ERR_NOT_FOUND);
    assert_int_equal(keys_get(f->keys, UINT64_MAX, key), SR_ERR_NOT_FOUND);
}

/* The ledger speaks of a key on a page that is lost: its number is never used for another page. */
static void test_lost_page_number(void **state)
{
    struct fixture *f = *state;
    struct keys_page_info info;
    uint8_t key[SR_KEY_LEN];
    uint64_t id;

    keys_mark_used(f->keys, 5 << 16 | 3);
    assert_int_equal(keys_take(f->keys, &id, key), SR_ERR_NOT_FOUND);
    assert_int_equal(keys_extend(f->keys, &info), 0);
    assert_int_equal(info.page, 6);
    assert_int_equal(keys_take(f->keys, &id, key), 0);
    assert_int_equal(id, 6 << 16);
    assert_int_equal(keys_get(f->keys, 5 << 16 | 3, key), SR_ERR_DAMAGED);
    assert_message_names("/00000005");
}

static void test_list_pages(void **state)
{
    struct fixture *f = *state;
    struct keys_page_info *pages, extended;
    size_t count;

    assert_int_equal(keys_extend(f->keys, &extended), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(keys_list_pages(f->keys, &pages, &count), 0);
        assert_int_equal(count, 3);
        for (uint32_t i = 0; i < 3; i++) {
            uint8_t sha256[SR_SHA256_LEN], *data;
            char path[64];
            size_t len;

            assert_int_equal(pages[i].page, i);
            assert_int_equal(pages[i].generation, 1);
            snprintf(path, sizeof(path), DIR "/pages/%08x", i);
            data = read_file(f, path, &len);
            assert_int_equal(len, KEYS_PAGE_FILE_LEN);
            assert_int_equal(sr_sha256(data, len, sha256), 0);
            assert_memory_equal(sha256, pages[i].file_sha256, sizeof(sha256));
            free(data);
        }
        assert_memory_equal(&pages[2], &extended, sizeof(extended));
        free(pages);
        assert_int_equal(reopen(f, PASS_A), 0);
    }
}

static void test_remove_slot(void **state)
{
    struct fixture *f = *state;
    uint8_t first[KEYS_SLOT_ID_LEN], before[SR_KEY_LEN], key[SR_KEY_LEN], nobody[8] = {0};
    struct keys_slot_info info, *slots;
    struct keys_page_info *pages, page;
    uint64_t id;
    size_t count;

    keys_opened_by(f->keys, first);
    assert_int_equal(keys_take(f->keys, &id, before), 0);
    assert_int_equal(keys_remove_slot(f->keys, first), SR_ERR_DENIED);
    assert_int_equal(keys_remove_slot(f->keys, nobody), SR_ERR_NOT_FOUND);
    add_slot(f, PASS_B, &info);
    assert_int_equal(try_open(f, PASS_B), 0);
    assert_int_equal(memfs_copy_file(f->fs, f->slot, "/removed"), 0);
    assert_int_equal(memfs_copy_file(f->fs, PAGE1, "/page"), 0);

    assert_int_equal(keys_remove_slot(f->keys, first), 0);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(keys_get(f->keys, id, key), 0);
        assert_memory_equal(key, before, SR_KEY_LEN);
        assert_int_equal(keys_list_slots(f->keys, &slots, &count), 0);
        assert_int_equal(count, 1);
        assert_memory_equal(slots[0].id, info.id, KEYS_SLOT_ID_LEN);
        free(slots);
        assert_int_equal(keys_list_pages(f->keys, &pages, &count), 0);
        assert_int_equal(count, 2);
        assert_int_equal(pages[1].generation, 2);
        free(pages);
        assert_int_equal(keys_verify(f->keys, NULL, NULL), 0);
        assert_int_equal(reopen(f, PASS_B), 0);
    }
    assert_int_equal(try_open(f, PASS_A), SR_ERR_PASSPHRASE);
    assert_int_equal(keys_remove_slot(f->keys, info.id), SR_ERR_DENIED);

    /* A copy of the removed slot put back opens nothing and does no harm. */
    assert_int_equal(memfs_copy_file(f->fs, "/removed", f->slot), 0);
    assert_int_equal(try_open(f, PASS_A), SR_ERR_PASSPHRASE);
    assert_int_equal(try_open(f, PASS_B), 0);
    assert_int_equal(keys_list_slots(f->keys, &slots, &count), 0);
    assert_int_equal(count, 1);
    free(slots);
    assert_int_equal(keys_remove_slot(f->keys, info.id), SR_ERR_DENIED);
    assert_int_equal(keys_remove_slot(f->keys, first), 0);
    assert_int_equal(try_open(f, PASS_B), 0);

    /* So does one with page of its time: the other pages are of the new root. */
    assert_int_equal(keys_extend(f->keys, &page), 0);
    assert_int_equal(memfs_copy_file(f->fs, "/page", PAGE1), 0);
    assert_int_equal(reopen(f, PASS_B), 0);
    assert_int_equal(keys_get(f->keys, id, key), SR_ERR_DAMAGED);
    assert_message_names(PAGE1);
    assert_int_equal(keys_get(f->keys, 2 << 16, key), 0);
}

/* Takers get distinct keys while pages are added and the root turns over under them. */
#define TAKERS 3
#define TAKES 150
struct taker {
    struct keys *keys;
    uint64_t ids[TAKES];
    uint8_t first[TAKES][SR_KEY_LEN];
    int rc;
};

static void *take_many(void *context)
{
    struct taker *taker = context;

    for (size_t i = 0; i < TAKES && !taker->rc; i++) {
        uint8_t again[SR_KEY_LEN];

        taker->rc = keys_take(taker->keys, &taker->ids[i], taker->first[i]);
        if (!taker->rc)
            taker->rc = keys_get(taker->keys, taker->ids[i / 2], again);
        if (!taker->rc && memcmp(again, taker->first[i / 2], SR_KEY_LEN) != 0)
            taker->rc = SR_ERR_DAMAGED;
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct fixture *f = *state;
    struct taker *takers = calloc(TAKERS, sizeof(*takers));
    pthread_t threads[TAKERS];
    struct keys_slot_info info;
    struct keys_page_info page;
    uint8_t seen[4][KEYS_PER_PAGE] = {{0}};
    uint8_t key[SR_KEY_LEN];

    assert_int_equal(keys_extend(f->keys, &page), 0);
    for (size_t t = 0; t < TAKERS; t++) {
        takers[t].keys = f->keys;
        assert_int_equal(pthread_create(&threads[t], NULL, take_many, &takers[t]), 0);
    }
    for (int i = 0; i < 3; i++) {
        add_slot(f, PASS_B, &info);
        assert_int_equal(keys_remove_slot(f->keys, info.id), 0);
    }
    assert_int_equal(keys_extend(f->keys, &page), 0);
    for (size_t t = 0; t < TAKERS; t++)
        pthread_join(threads[t], NULL);
    assert_int_equal(reopen(f, PASS_A), 0);
    for (size_t t = 0; t < TAKERS; t++) {
        assert_int_equal(takers[t].rc, 0);
        for (size_t i = 0; i < TAKES; i++) {
            uint64_t id = takers[t].ids[i];

            assert_int_equal(seen[id >> 16][id & 0xff]++, 0);
            assert_int_equal(keys_get(f->keys, id, key), 0);
            assert_memory_equal(key, takers[t].first[i], SR_KEY_LEN);
        }
    }
    free(takers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_open),  TEST(test_passphrases),      TEST(test_labels),
        TEST(test_take_mark_extend), TEST(test_lost_page_number), TEST(test_list_pages),
        TEST(test_remove_slot),      TEST(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
