/* A keys folder in memory, opened, with one slot and one page of record keys; shared by
 * vault_keys.c and vault_keys_damage.c. */
#ifndef SR_TESTS_VAULT_KEYS_FIXTURE_H
#define SR_TESTS_VAULT_KEYS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/memfs.h"
#include "vault/keys_internal.h"

#define DIR "/keys"
#define PASS_A "correct horse"
#define PASS_B "battery staple"
#define COST KEYS_MIN_LOG2N
#define PAGE1 DIR "/pages/00000001"
#define PAGE2 DIR "/pages/00000002"

static const uint8_t vault_id[KEYS_VAULT_ID_LEN] = "0123456789abcde";

struct fixture {
    struct memfs *fs;
    struct sr_io *io;
    struct keys *keys;
    char slot[64]; /* path of the first slot's file */
};

static inline void slot_path(const uint8_t id[KEYS_SLOT_ID_LEN], char out[64])
{
    char name[KEYS_SLOT_NAME_LEN + 1];

    keys_slot_name(id, name);
    snprintf(out, 64, DIR "/slots/%s", name);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    uint8_t id[KEYS_SLOT_ID_LEN];

    f->fs = memfs_new(1);
    f->io = memfs_io(f->fs);
    assert_int_equal(sr_io_make_dir(f->io, DIR, 0700), 0);
    assert_int_equal(keys_create_with_cost(f->io, DIR, vault_id, PASS_A, "first", COST, &f->keys),
                     0);
    keys_opened_by(f->keys, id);
    slot_path(id, f->slot);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    keys_free(f->keys);
    memfs_free(f->fs);
    free(f);
    return 0;
}

static inline int reopen(struct fixture *f, const char *passphrase)
{
    keys_free(f->keys);
    return keys_open(f->io, DIR, vault_id, passphrase, &f->keys);
}

/* Opens beside f->keys and closes again. */
static inline int try_open(struct fixture *f, const char *passphrase)
{
    struct keys *keys;
    int rc = keys_open(f->io, DIR, vault_id, passphrase, &keys);

    assert_true((rc == 0) == (keys != NULL));
    keys_free(keys);
    return rc;
}

static inline uint8_t *read_file(struct fixture *f, const char *path, size_t *len)
{
    uint8_t *data;

    assert_int_equal(sr_io_read_file(f->io, path, SIZE_MAX - 1, &data, len), 0);
    return data;
}

static inline void write_file(struct fixture *f, const char *path, const uint8_t *data, size_t len)
{
    assert_int_equal(sr_io_replace_file(f->io, path, data, len, 0600), 0);
}

static inline void assert_message_names(const char *path)
{
    const char *name = strrchr(path, '/') + 1;

    if (!strstr(sr_error_message(), name))
        fail_msg("\"%s\" does not name %s", sr_error_message(), name);
}

static inline void add_slot(struct fixture *f, const char *passphrase, struct keys_slot_info *info)
{
    assert_int_equal(keys_add_slot_with_cost(f->keys, passphrase, "second", COST, info), 0);
}

#endif
