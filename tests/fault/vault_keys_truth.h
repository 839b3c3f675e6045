/* A prepared keys folder, what is known of it, the acts that change it, and what must hold whatever
 * befell them; shared by vault_keys.c and vault_keys_broken.c. */
#ifndef SR_TESTS_FAULT_VAULT_KEYS_TRUTH_H
#define SR_TESTS_FAULT_VAULT_KEYS_TRUTH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/memfs.h"
#include "vault/keys_internal.h"

#define DIR "/keys"
#define PASS_A "passphrase of A"
#define PASS_B "passphrase of B"
#define PASS_C "passphrase of C"
#define COST KEYS_MIN_LOG2N
#define KEYS 20
#define TORN_SEEDS 3

static const uint8_t vault_id[KEYS_VAULT_ID_LEN] = "fedcba987654321";

/* What is known of the prepared folder: A and B open it, pages 1 and 2 are there. */
struct truth {
    struct memfs *fs;
    uint8_t a[KEYS_SLOT_ID_LEN];
    uint8_t b[KEYS_SLOT_ID_LEN];
    char b_path[64];
    uint64_t ids[KEYS];
    uint8_t keys[KEYS][SR_KEY_LEN];
    uint8_t named[KEYS_NAMED_COUNT][SR_KEY_LEN];
};

static inline int open_keys(struct memfs *fs, const char *passphrase, struct keys **keys)
{
    return keys_open(memfs_io(fs), DIR, vault_id, passphrase, keys);
}

static inline int setup(void **state)
{
    struct truth *truth = calloc(1, sizeof(*truth));
    char name[KEYS_SLOT_NAME_LEN + 1];
    struct keys_slot_info info;
    struct keys_page_info page;
    struct keys *keys;

    truth->fs = memfs_new(7);
    assert_int_equal(sr_io_make_dir(memfs_io(truth->fs), DIR, 0700), 0);
    assert_int_equal(
        keys_create_with_cost(memfs_io(truth->fs), DIR, vault_id, PASS_A, "A", COST, &keys), 0);
    keys_opened_by(keys, truth->a);
    assert_int_equal(keys_add_slot_with_cost(keys, PASS_B, "B", COST, &info), 0);
    memcpy(truth->b, info.id, KEYS_SLOT_ID_LEN);
    keys_slot_name(info.id, name);
    snprintf(truth->b_path, sizeof(truth->b_path), DIR "/slots/%s", name);
    assert_int_equal(memfs_copy_file(truth->fs, truth->b_path, "/copy-of-b"), 0);
    assert_int_equal(keys_extend(keys, &page), 0);
    for (int i = 0; i < KEYS_NAMED_COUNT; i++)
        assert_int_equal(keys_get_named(keys, (enum keys_named)i, truth->named[i]), 0);
    for (size_t i = 0; i < KEYS; i++) {
        if (i == KEYS / 2)
            keys_mark_used(keys, 1 << 16 | 255); /* the second half is on page 2 */
        assert_int_equal(keys_take(keys, &truth->ids[i], truth->keys[i]), 0);
    }
    keys_free(keys);
    *state = truth;
    return 0;
}

static inline int teardown(void **state)
{
    struct truth *truth = *state;

    memfs_free(truth->fs);
    free(truth);
    return 0;
}

static inline void assert_same_keys(const struct truth *truth, struct keys *keys)
{
    uint8_t key[SR_KEY_LEN];

    for (int i = 0; i < KEYS_NAMED_COUNT; i++) {
        assert_int_equal(keys_get_named(keys, (enum keys_named)i, key), 0);
        assert_memory_equal(key, truth->named[i], SR_KEY_LEN);
    }
    for (size_t i = 0; i < KEYS; i++) {
        assert_int_equal(keys_get(keys, truth->ids[i], key), 0);
        assert_memory_equal(key, truth->keys[i], SR_KEY_LEN);
    }
}

static inline void bad_file(void *context, const char *file, const char *why)
{
    (void)context;
    fail_msg("%s %s", file, why);
}

enum verdict { OPENS, FAILS, EITHER };

static inline void assert_opens(const struct truth *truth, struct memfs *fs, const char *passphrase,
                                enum verdict verdict)
{
    struct keys *keys;
    int rc = open_keys(fs, passphrase, &keys);

    if (rc && rc != SR_ERR_PASSPHRASE)
        fail_msg("%s: %d %s", passphrase, rc, sr_error_message());
    if (verdict != EITHER && (rc == 0) != (verdict == OPENS))
        fail_msg("%s %s", passphrase, rc ? "does not open" : "opens");
    if (!rc) {
        assert_same_keys(truth, keys);
        assert_int_equal(keys_verify(keys, bad_file, NULL), 0);
    }
    keys_free(keys);
}

static inline int count_name(void *context, const char *name)
{
    size_t *count = context;

    if (strchr(name, '.'))
        (*count)++;
    return 0;
}

/* After any recovery: A opens, B and C as said, nothing half-made stays; and if B's slot is gone, a
 * copy of it put back opens nothing. */
static inline void assert_sound(const struct truth *truth, struct memfs *fs, enum verdict b,
                                enum verdict c)
{
    struct sr_io *io = memfs_io(fs);
    struct keys *keys;
    struct sr_stat st;
    size_t leftovers = 0;

    assert_opens(truth, fs, PASS_A, OPENS);
    assert_opens(truth, fs, PASS_B, b);
    assert_opens(truth, fs, PASS_C, c);
    assert_int_equal(io->list(io, DIR "/slots", count_name, &leftovers), 0);
    assert_int_equal(io->list(io, DIR "/pages", count_name, &leftovers), 0);
    assert_int_equal(leftovers, 0);
    assert_int_equal(io->stat(io, DIR "/turnover", &st), -ENOENT);
    if (io->stat(io, truth->b_path, &st) == -ENOENT) {
        assert_int_equal(memfs_copy_file(fs, "/copy-of-b", truth->b_path), 0);
        assert_opens(truth, fs, PASS_B, FAILS);
        assert_int_equal(open_keys(fs, PASS_A, &keys), 0);
        assert_same_keys(truth, keys);
        keys_free(keys);
    }
}

struct act {
    const char *name;
    int (*run)(const struct truth *truth, struct keys *keys);
    enum verdict b_done, c_done;     /* after the act returned 0 */
    enum verdict b_failed, c_failed; /* after it returned an error and the power stayed on */
};

static inline int run_add(const struct truth *truth, struct keys *keys)
{
    struct keys_slot_info info;

    (void)truth;
    return keys_add_slot_with_cost(keys, PASS_C, "C", COST, &info);
}

static inline int run_remove(const struct truth *truth, struct keys *keys)
{
    return keys_remove_slot(keys, truth->b);
}

static inline int run_extend(const struct truth *truth, struct keys *keys)
{
    struct keys_page_info info;

    (void)truth;
    return keys_extend(keys, &info);
}

static const struct act acts[] = {
    {"add", run_add, OPENS, OPENS, OPENS, FAILS},
    /* An error after the commit point is an error though B is gone. */
    {"remove", run_remove, FAILS, FAILS, EITHER, FAILS},
    {"extend", run_extend, OPENS, FAILS, OPENS, FAILS},
};

/* The same process goes on after the error: it may not build on what the disk does not hold. */
static inline void go_on(const struct truth *truth, struct keys *keys)
{
    struct keys_slot_info *slots;
    struct keys_page_info page;
    uint8_t key[SR_KEY_LEN];
    uint64_t id;
    size_t count;

    assert_same_keys(truth, keys);
    keys_mark_used(keys, 2 << 16 | 255);
    assert_int_equal(keys_extend(keys, &page), 0);
    keys_mark_used(keys, (uint64_t)page.page << 16 | 254);
    assert_int_equal(keys_take(keys, &id, key), 0);
    assert_int_equal(keys_verify(keys, bad_file, NULL), 0);
    assert_int_equal(keys_list_slots(keys, &slots, &count), 0);
    free(slots);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
