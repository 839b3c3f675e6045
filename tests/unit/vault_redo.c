/* Redo records byte by byte: layout, every bit flip and truncation, what ends a scan, replacement.
 * */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "tests/lib/memfs.h"
#include "vault/redo.h"

#define PATH "/id.redo"

struct rig {
    struct memfs *fs;
    struct sr_gcm *gcm;
    struct redo_secret secret;
    uint8_t work[REDO_RECORD_MAX];
    uint8_t body[REDO_BODY_MAX];
    uint8_t plain[VAULT_SEGMENT_PLAIN];
};

static int set_up(void **state)
{
    static const uint8_t key[SR_KEY_LEN] = {1, 2, 3};
    static const struct vault_object_id id = {{9, 8, 7}};
    struct rig *rig = calloc(1, sizeof(*rig));

    rig->fs = memfs_new(1);
    assert_int_equal(sr_gcm_new(&rig->gcm), 0);
    assert_int_equal(redo_derive(key, &id, &rig->secret), 0);
    memset(rig->plain, 0x42, sizeof(rig->plain));
    *state = rig;
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;

    sr_gcm_free(rig->gcm);
    memfs_free(rig->fs);
    free(rig);
    return 0;
}

static void open_redo(struct rig *rig, struct redo *redo)
{
    assert_int_equal(redo_init(redo, memfs_io(rig->fs), PATH, &rig->secret), 0);
}

struct tally {
    unsigned metas, segments, seals;
    uint64_t size, position;
    int stop;
    struct ranges ranges;
};

static int count_record(void *context, const struct redo_record *record)
{
    struct tally *tally = context;
    const uint8_t *plain;
    uint64_t segments;

    switch (record->type) {
    case REDO_META:
        tally->metas++;
        assert_int_equal(redo_parse_meta(record, &tally->size, &tally->ranges), 0);
        break;
    case REDO_SEGMENT:
        tally->segments++;
        assert_int_equal(redo_parse_segment(record, &tally->position, &plain), 0);
        assert_int_equal(plain[77], 0x42);
        break;
    case REDO_SEAL:
        tally->seals++;
        assert_int_equal(redo_parse_seal(record, &tally->size, &segments), 0);
        break;
    }
    return tally->stop;
}

static struct tally scan(struct rig *rig, uint64_t *len)
{
    struct tally tally = {0};
    struct redo redo;

    open_redo(rig, &redo);
    assert_int_equal(redo_scan(&redo, rig->gcm, count_record, &tally), 0);
    if (len)
        *len = redo.len;
    redo_close(&redo);
    ranges_free(&tally.ranges);
    return tally;
}

/* meta {0..10, 20..30} of size 30; segment 3; meta of size 200000; seal. */
static void write_sample(struct rig *rig, uint64_t ends[4])
{
    struct ranges ranges = {0};
    struct redo redo;

    open_redo(rig, &redo);
    assert_int_equal(ranges_add(&ranges, 0, 10), 0);
    assert_int_equal(ranges_add(&ranges, 20, 30), 0);
    assert_int_equal(redo_append_meta(&redo, rig->gcm, rig->work, 30, &ranges), 0);
    ends[0] = redo.len;
    assert_int_equal(
        redo_append_segment(&redo, rig->gcm, rig->work, 3, rig->plain, VAULT_SEGMENT_PLAIN), 0);
    ends[1] = redo.len;
    assert_int_equal(redo_append_meta(&redo, rig->gcm, rig->work, 200000, &ranges), 0);
    ends[2] = redo.len;
    assert_int_equal(redo_append_seal(&redo, rig->gcm, rig->work, 200000, 4), 0);
    ends[3] = redo.len;
    assert_int_equal(redo_sync(&redo), 0);
    assert_int_equal(redo.good_len, redo.len);
    redo_close(&redo);
    ranges_free(&ranges);
}

static void test_layout(void **state)
{
    struct rig *rig = *state;
    uint8_t aad[36], body[64], *data;
    uint64_t ends[4];
    size_t len;
    struct redo_record record;

    write_sample(rig, ends);
    assert_int_equal(ends[0], 48 + 12 + 2 * 16);
    assert_int_equal(ends[1] - ends[0], 48 + 8 + 65536);
    assert_int_equal(ends[3] - ends[2], 48 + 16);
    assert_int_equal(sr_io_read_file(memfs_io(rig->fs), PATH, 1 << 20, &data, &len), 0);
    assert_int_equal(len, ends[3]);
    assert_memory_equal(data, "SRRD\1\1\0\0\0\0\0\0\0\0\0\1\0\0\0\054", 20);
    /* The first record, opened by hand. */
    memcpy(aad, rig->secret.id.bytes, 16);
    memcpy(aad + 16, data, 20);
    assert_int_equal(sr_gcm_decrypt(rig->gcm, rig->secret.key, data + 20, aad, sizeof(aad),
                                    data + 32, 44, data + 76, body),
                     0);
    assert_int_equal(sr_get_be64(body), 30);
    assert_int_equal(sr_get_be32(body + 8), 2);
    assert_int_equal(sr_get_be64(body + 12), 0);
    assert_int_equal(sr_get_be64(body + 20), 10);
    assert_int_equal(sr_get_be64(body + 28), 20);
    assert_int_equal(sr_get_be64(body + 36), 30);
    /* Sequence, version, incomplete input. */
    assert_int_equal(redo_decode(&rig->secret, rig->gcm, 0, data, len, rig->body, &record), 0);
    assert_int_equal(record.used, ends[0]);
    assert_int_equal(redo_decode(&rig->secret, rig->gcm, 1, data, len, rig->body, &record),
                     SR_ERR_DAMAGED);
    for (size_t cut = 0; cut < ends[0]; cut++)
        assert_int_equal(redo_decode(&rig->secret, rig->gcm, 0, data, cut, rig->body, &record),
                         SR_ERR_DAMAGED);
    data[5] = 2;
    assert_int_equal(redo_decode(&rig->secret, rig->gcm, 0, data, len, rig->body, &record),
                     SR_ERR_NEWER_FORMAT);
    free(data);
}

/* No flipped bit of a record is believed, and none but of the version is more than an end. */
static void test_every_bit(void **state)
{
    struct rig *rig = *state;
    struct redo_record record;
    uint64_t ends[4];
    uint8_t *data;
    size_t len;

    write_sample(rig, ends);
    assert_int_equal(sr_io_read_file(memfs_io(rig->fs), PATH, 1 << 20, &data, &len), 0);
    for (size_t bit = 0; bit < ends[0] * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(redo_decode(&rig->secret, rig->gcm, 0, data, len, rig->body, &record),
                             0);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    /* Another object's redo, or another key's. */
    rig->secret.id.bytes[0] ^= 1;
    assert_int_equal(redo_decode(&rig->secret, rig->gcm, 0, data, len, rig->body, &record),
                     SR_ERR_DAMAGED);
    rig->secret.id.bytes[0] ^= 1;
    rig->secret.key[0] ^= 1;
    assert_int_equal(redo_decode(&rig->secret, rig->gcm, 0, data, len, rig->body, &record),
                     SR_ERR_DAMAGED);
    rig->secret.key[0] ^= 1;
    free(data);
}

static void test_torn_tail(void **state)
{
    struct rig *rig = *state;
    struct tally tally;
    uint64_t ends[4], len;

    write_sample(rig, ends);
    tally = scan(rig, &len);
    assert_int_equal(len, ends[3]);
    assert_int_equal(tally.metas, 2);
    assert_int_equal(tally.segments, 1);
    assert_int_equal(tally.seals, 1);
    assert_int_equal(tally.position, 3);
    assert_int_equal(memfs_truncate(rig->fs, PATH, ends[3] - 1), 0);
    tally = scan(rig, &len);
    assert_int_equal(len, ends[2]);
    assert_int_equal(tally.seals, 0);
    assert_int_equal(tally.size, 200000);
    /* What stands after a record that does not verify is not looked at. */
    assert_int_equal(memfs_corrupt(rig->fs, PATH, ends[0] + 1000, 0x10), 0);
    tally = scan(rig, &len);
    assert_int_equal(len, ends[0]);
    assert_int_equal(tally.metas, 1);
    assert_int_equal(tally.size, 30);
    assert_int_equal(memfs_truncate(rig->fs, PATH, 0), 0);
    tally = scan(rig, &len);
    assert_int_equal(len, 0);
    assert_int_equal(tally.metas, 0);
}

/* A failed sync takes its records back: the next goes over them, and what is left of the longer
 * first attempt is refused for its sequence. */
static void test_failed_sync(void **state)
{
    struct rig *rig = *state;
    struct ranges none = {0};
    struct redo redo;
    struct tally tally;
    uint64_t len, good;

    open_redo(rig, &redo);
    assert_int_equal(redo_append_meta(&redo, rig->gcm, rig->work, 1, &none), 0);
    assert_int_equal(redo_sync(&redo), 0);
    good = redo.len;
    assert_int_equal(redo_append_meta(&redo, rig->gcm, rig->work, 2, &none), 0);
    assert_int_equal(redo_append_meta(&redo, rig->gcm, rig->work, 3, &none), 0);
    memfs_fail_at(rig->fs, 1, EIO);
    assert_int_equal(redo_sync(&redo), SR_ERR_SYSTEM);
    assert_true(memfs_fired(rig->fs));
    assert_int_equal(redo.len, good);
    assert_int_equal(redo_append_meta(&redo, rig->gcm, rig->work, 4, &none), 0);
    assert_int_equal(redo_sync(&redo), 0);
    redo_close(&redo);
    tally = scan(rig, &len);
    assert_int_equal(tally.size, 4);
    assert_int_equal(tally.metas, 2);
}

static void test_replace(void **state)
{
    struct rig *rig = *state;
    struct ranges none = {0};
    struct sr_io *io = memfs_io(rig->fs);
    struct redo redo;
    struct tally tally = {0};
    struct sr_stat st;
    uint64_t ends[4], len;

    write_sample(rig, ends);
    assert_int_equal(memfs_copy_file(rig->fs, PATH, PATH ".new"), 0);
    open_redo(rig, &redo);
    assert_int_equal(redo_scan(&redo, rig->gcm, count_record, &tally), 0);
    assert_int_equal(io->stat(io, PATH ".new", &st), -ENOENT); /* of a crash: removed */
    for (uint64_t n = 1; n < 100; n++) {
        memfs_fail_at(rig->fs, n, EIO);
        if (!redo_replace(&redo, rig->gcm, rig->work, 5, &none))
            break;
        assert_true(memfs_fired(rig->fs));
        memfs_fail_at(rig->fs, 0, 0);
        assert_int_equal(io->stat(io, PATH ".new", &st), -ENOENT);
        assert_int_equal(redo.len, ends[3]); /* the old one is still in use */
    }
    memfs_fail_at(rig->fs, 0, 0);
    assert_true(redo.sequence > 4);
    assert_int_equal(
        redo_append_segment(&redo, rig->gcm, rig->work, 1, rig->plain, VAULT_SEGMENT_PLAIN), 0);
    assert_int_equal(redo_sync(&redo), 0);
    redo_close(&redo);
    ranges_free(&tally.ranges);
    tally = scan(rig, &len);
    assert_int_equal(tally.metas, 1);
    assert_int_equal(tally.segments, 1);
    assert_int_equal(tally.size, 5);
}

static void check_meta(const uint8_t *body, size_t len, int expected)
{
    struct redo_record record = {REDO_META, 1, body, len, 0};
    struct ranges ranges = {0};
    uint64_t size;

    assert_int_equal(redo_parse_meta(&record, &size, &ranges), expected);
    ranges_free(&ranges);
}

static void test_bodies(void **state)
{
    uint8_t body[12 + 32] = {0};
    struct redo_record record = {REDO_SEAL, 1, body, 16, 0};
    const uint8_t *plain;
    uint64_t a, b;

    (void)state;
    sr_put_be64(body, 100);
    sr_put_be32(body + 8, 2);
    sr_put_be64(body + 12, 10);
    sr_put_be64(body + 20, 20);
    sr_put_be64(body + 28, 21);
    sr_put_be64(body + 36, 100);
    check_meta(body, sizeof(body), 0);
    check_meta(body, sizeof(body) - 1, SR_ERR_DAMAGED);
    check_meta(body, 11, SR_ERR_DAMAGED);
    sr_put_be64(body + 36, 101); /* beyond the size */
    check_meta(body, sizeof(body), SR_ERR_DAMAGED);
    sr_put_be64(body + 36, 21); /* empty */
    check_meta(body, sizeof(body), SR_ERR_DAMAGED);
    sr_put_be64(body + 36, 100);
    sr_put_be64(body + 28, 20); /* touching */
    check_meta(body, sizeof(body), SR_ERR_DAMAGED);
    sr_put_be64(body + 28, 21);
    sr_put_be64(body, VAULT_MAX_SIZE + 1);
    check_meta(body, sizeof(body), SR_ERR_DAMAGED);

    sr_put_be64(body, 65536);
    sr_put_be64(body + 8, 1);
    assert_int_equal(redo_parse_seal(&record, &a, &b), 0);
    sr_put_be64(body, 65537);
    assert_int_equal(redo_parse_seal(&record, &a, &b), SR_ERR_DAMAGED);
    sr_put_be64(body, 0);
    assert_int_equal(redo_parse_seal(&record, &a, &b), 0);
    record.type = REDO_SEGMENT;
    record.body_len = 7;
    assert_int_equal(redo_parse_segment(&record, &a, &plain), SR_ERR_DAMAGED);
    record.body_len = REDO_SEGMENT_LEN + 1;
    assert_int_equal(redo_parse_segment(&record, &a, &plain), SR_ERR_DAMAGED);
}

/* A failed read is an error, never an end. */
static void test_scan_read_error(void **state)
{
    struct rig *rig = *state;
    struct redo redo;
    struct tally tally = {0};
    uint64_t ends[4];
    unsigned fired = 0;

    write_sample(rig, ends);
    open_redo(rig, &redo);
    for (uint64_t n = 1;; n++) {
        memfs_fail_at(rig->fs, n, EIO);
        int rc = redo_scan(&redo, rig->gcm, count_record, &tally);
        if (!memfs_fired(rig->fs)) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_int_equal(rc, SR_ERR_SYSTEM);
        fired++;
    }
    assert_true(fired > 5);
    memfs_fail_at(rig->fs, 0, 0);
    tally.stop = 55;
    assert_int_equal(redo_scan(&redo, rig->gcm, count_record, &tally), 55);
    redo_close(&redo);
    ranges_free(&tally.ranges);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_layout, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_every_bit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_torn_tail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failed_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_replace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scan_read_error, set_up, tear_down),
        cmocka_unit_test(test_bodies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
