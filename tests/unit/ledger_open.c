/* Create, append, commit, read, checkpoint, close and open again. */
#include "tests/unit/ledger_fixture.h"

#include <dirent.h>
#include <time.h>
#include <unistd.h>

#include "ledger/group.h"

static void round_trip(struct sr_io *io, const char *dir)
{
    struct ledger_config config = fixture_config(io);
    struct ledger_open_report report;
    struct ledger *ledger;
    uint64_t size = 0;

    config.dir = dir;
    assert_int_equal(ledger_create(&config, &ledger), 0);
    assert_int_equal(ledger_size(ledger), 0);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(ledger_create(&config, &ledger), SR_ERR_EXISTS);
    assert_null(ledger);
    for (uint64_t count = 0; count < 40; count++) {
        assert_int_equal(ledger_open(&config, &report, &ledger), 0);
        assert_int_equal(report.size, size);
        assert_int_equal(report.checkpoint_size, size);
        assert_int_equal(report.torn_bytes, 0);
        assert_int_equal(report.bad_tiles, 0);
        assert_int_equal(fixture_check(ledger, 0), size);
        assert_int_equal(fixture_append(ledger, count, 0), 0);
        size += count;
        assert_int_equal(ledger_size(ledger), size);
        assert_int_equal(ledger_committed(ledger), size - count);
        if (count > 0 && count % 2 == 0) {
            assert_int_equal(ledger_commit(ledger, size - 1), 0);
            assert_int_equal(ledger_committed(ledger), size);
        }
        assert_int_equal(ledger_close(ledger), 0);
    }
}

static void round_trip_in_memory(void **state)
{
    struct memfs *fs = memfs_new(1);

    (void)state;
    memfs_set_ragged(fs, true);
    round_trip(memfs_io(fs), "/ledger");
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
    memfs_free(fs);
}

static void remove_tree(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        char *child;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        assert_true(asprintf(&child, "%s/%s", path, entry->d_name) > 0);
        if (unlink(child) != 0)
            remove_tree(child);
        free(child);
    }
    if (dir != NULL)
        closedir(dir);
    rmdir(path);
}

static void round_trip_on_disk(void **state)
{
    char folder[] = "/tmp/ledger_open.XXXXXX";
    char *dir;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_true(asprintf(&dir, "%s/ledger", folder) > 0);
    round_trip(sr_io_posix(), dir);
    remove_tree(folder);
    assert_int_not_equal(access(folder, F_OK), 0);
    free(dir);
}

static int stop_at_third(void *context, uint64_t index, const uint8_t *entry, size_t len)
{
    (void)entry;
    (void)len;
    ++*(uint64_t *)context;
    return index == 2 ? 1234 : 0;
}

static void limits_and_ranges(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    static char big[LEDGER_ENTRY_MAX + 1];
    struct ledger *ledger;
    uint8_t *entry;
    uint64_t calls = 0;
    uint64_t index;
    size_t len;

    (void)state;
    memset(big, 'b', sizeof(big));
    assert_int_equal(ledger_create(&config, &ledger), 0);
    assert_int_equal(ledger_append(ledger, big, sizeof(big), &index), SR_ERR_TOO_LARGE);
    assert_int_equal(ledger_append(ledger, big, 0, &index), SR_ERR_INVALID);
    assert_int_equal(ledger_size(ledger), 0);
    assert_int_equal(ledger_commit(ledger, 0), SR_ERR_INVALID);
    assert_int_equal(ledger_append(ledger, big, LEDGER_ENTRY_MAX, &index), 0);
    assert_int_equal(ledger_append(ledger, big, 1, &index), 0);
    assert_int_equal(index, 1);
    /* Not durable yet: not to be read. */
    assert_int_equal(ledger_read(ledger, 0, &entry, &len), SR_ERR_NOT_FOUND);
    assert_null(entry);
    assert_int_equal(ledger_each(ledger, 0, 2, stop_at_third, &calls), 0);
    assert_int_equal(calls, 0);
    assert_int_equal(ledger_commit(ledger, 0), 0);
    assert_int_equal(ledger_committed(ledger), 2);
    assert_int_equal(ledger_read(ledger, 0, &entry, &len), 0);
    assert_int_equal(len, LEDGER_ENTRY_MAX);
    assert_memory_equal(entry, big, len);
    free(entry);
    assert_int_equal(ledger_append(ledger, big, 7, &index), 0);
    assert_int_equal(ledger_append(ledger, big, 8, &index), 0);
    assert_int_equal(ledger_commit(ledger, index), 0);
    assert_int_equal(ledger_read(ledger, 3, &entry, &len), 0);
    assert_int_equal(len, 8);
    free(entry);
    assert_int_equal(ledger_read(ledger, 4, &entry, &len), SR_ERR_NOT_FOUND);
    assert_int_equal(ledger_each(ledger, 0, UINT64_MAX, stop_at_third, &calls), 1234);
    assert_int_equal(calls, 3);
    calls = 0;
    assert_int_equal(ledger_each(ledger, 3, 4, stop_at_third, &calls), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(ledger_close(ledger), 0);
    memfs_free(fs);
}

/* More than a group may hold goes into several, and opens again. */
static void large_commit(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    static uint8_t big[LEDGER_ENTRY_MAX];
    uint64_t count = 2 * GROUP_BODY_MAX / (LEDGER_ENTRY_MAX + GROUP_ENTRY_OVERHEAD) + 3;
    struct ledger_open_report report;
    struct ledger *ledger;
    uint64_t index;

    (void)state;
    assert_int_equal(ledger_create(&config, &ledger), 0);
    for (uint64_t i = 0; i < count; i++) {
        memset(big, (int)i, sizeof(big));
        assert_int_equal(ledger_append(ledger, big, sizeof(big), &index), 0);
    }
    assert_int_equal(ledger_commit(ledger, index), 0);
    assert_int_equal(ledger_committed(ledger), count);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(fixture_file_size(memfs_io(fs), "/ledger/journal"),
                     count * (LEDGER_ENTRY_MAX + GROUP_ENTRY_OVERHEAD) +
                         3 * (GROUP_HEADER_LEN + GROUP_MAC_LEN));
    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.size, count);
    for (uint64_t i = 0; i < count; i += 100) {
        uint8_t *entry;
        size_t len;

        assert_int_equal(ledger_read(ledger, i, &entry, &len), 0);
        assert_int_equal(len, LEDGER_ENTRY_MAX);
        assert_int_equal(entry[0], i % 256);
        assert_int_equal(entry[len - 1], i % 256);
        free(entry);
    }
    assert_int_equal(ledger_close(ledger), 0);
    memfs_free(fs);
}

static void checkpoints_and_proofs(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct note_verifier verifier = fixture_verifier();
    struct note_checkpoint checkpoint;
    struct sr_buf first = {0};
    struct sr_buf again = {0};
    struct ledger *ledger;

    (void)state;
    assert_int_equal(ledger_create(&config, &ledger), 0);
    assert_int_equal(ledger_checkpoint(ledger, &first), 0);
    assert_int_equal(note_checkpoint_open((uint8_t *)first.data, first.len, &verifier, &checkpoint),
                     0);
    assert_int_equal(checkpoint.size, 0);
    sr_buf_free(&first);
    assert_int_equal(fixture_append(ledger, 300, 0), 0);
    assert_int_equal(ledger_checkpoint(ledger, &first), 0);
    assert_int_equal(ledger_committed(ledger), 300);
    assert_int_equal(note_checkpoint_open((uint8_t *)first.data, first.len, &verifier, &checkpoint),
                     0);
    assert_int_equal(checkpoint.size, 300);
    assert_int_equal(ledger_checkpoint(ledger, &again), 0);
    assert_string_equal(first.data, again.data);
    assert_int_equal(fixture_append(ledger, 5, 0), 0);
    for (uint64_t index = 0; index < 305; index++) {
        struct sr_buf proof = {0};
        struct tlog_hash leaf;
        uint64_t proved;
        char entry[96];

        assert_int_equal(ledger_proof(ledger, index, &proof), 0);
        assert_int_equal(tlog_leaf_hash(entry, fixture_entry(index, 0, entry), &leaf), 0);
        assert_int_equal(note_proof_verify((uint8_t *)proof.data, proof.len, &verifier, &leaf,
                                           &proved, &checkpoint),
                         0);
        assert_int_equal(proved, index);
        assert_int_equal(checkpoint.size, index < 300 ? 300 : 305);
        sr_buf_free(&proof);
    }
    sr_buf_free(&again);
    assert_int_equal(ledger_proof(ledger, 305, &again), SR_ERR_NOT_FOUND);
    assert_int_equal(ledger_close(ledger), 0);
    sr_buf_free(&first);
    sr_buf_free(&again);
    memfs_free(fs);
}

/* The preallocated room is for the day when the disk is full. */
static void full_disk(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    static uint8_t big[LEDGER_ENTRY_MAX];
    struct ledger *ledger;
    uint64_t committed = 0;
    uint64_t index;
    int status = 0;

    (void)state;
    memset(big, 'x', sizeof(big));
    assert_int_equal(ledger_create(&config, &ledger), 0);
    memfs_set_space(fs, 0);
    while (status == 0) {
        assert_int_equal(ledger_append(ledger, big, sizeof(big), &index), 0);
        status = ledger_commit(ledger, index);
        committed += status == 0;
        assert_true(committed < 1000);
    }
    assert_int_equal(status, SR_ERR_NO_SPACE);
    assert_true(committed * sizeof(big) >= 3u << 20);
    assert_true(ledger_failing(ledger));
    assert_int_equal(ledger_committed(ledger), committed);
    /* Its index is given out and stays its own; more may follow. */
    assert_int_equal(ledger_append(ledger, "after", 5, &index), 0);
    assert_int_equal(index, committed + 1);
    assert_int_equal(ledger_commit(ledger, index), SR_ERR_NO_SPACE);
    memfs_set_space(fs, UINT64_C(1) << 30);
    assert_int_equal(ledger_commit(ledger, index), 0);
    assert_false(ledger_failing(ledger));
    assert_int_equal(ledger_committed(ledger), committed + 2);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
    memfs_free(fs);
}

/* Waits for the background thread: true once the checkpoint on disk is of that size. */
static bool published(struct sr_io *io, uint64_t size)
{
    struct note_verifier verifier = fixture_verifier();
    struct timespec pause = {.tv_nsec = 5000000};

    for (int i = 0; i < 1000; i++) {
        struct note_checkpoint checkpoint;
        uint8_t *data;
        size_t len;

        assert_int_equal(sr_io_read_file(io, "/ledger/checkpoint", 4096, &data, &len), 0);
        assert_int_equal(note_checkpoint_open(data, len, &verifier, &checkpoint), 0);
        free(data);
        if (checkpoint.size == size)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

static void background(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct timespec pause = {.tv_nsec = 5000000};
    struct ledger *ledger;

    (void)state;
    assert_int_equal(ledger_create(&config, &ledger), 0);
    assert_int_equal(fixture_append(ledger, 3, 0), 0);
    ledger_kick(ledger);
    for (int i = 0; i < 1000 && ledger_committed(ledger) < 3; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(ledger_committed(ledger), 3);
    /* Not before 10 seconds, which memfs' clock has not seen. */
    memfs_advance(fs, INT64_C(9999999999));
    ledger_kick(ledger);
    nanosleep(&pause, NULL);
    assert_true(published(memfs_io(fs), 0));
    memfs_advance(fs, 1);
    ledger_kick(ledger);
    assert_true(published(memfs_io(fs), 3));
    /* A kicked commit that fails is tried again. */
    assert_int_equal(fixture_append(ledger, 1, 0), 0);
    memfs_fail_at(fs, 1, 5);
    ledger_kick(ledger);
    for (int i = 0; i < 1000 && !memfs_fired(fs); i++)
        nanosleep(&pause, NULL);
    assert_true(memfs_fired(fs));
    memfs_advance(fs, INT64_C(1000000001));
    ledger_kick(ledger);
    for (int i = 0; i < 1000 && ledger_committed(ledger) < 4; i++)
        nanosleep(&pause, NULL);
    assert_int_equal(ledger_committed(ledger), 4);
    assert_int_equal(ledger_close(ledger), 0);
    memfs_free(fs);
}

static void nothing_there(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger *ledger;

    (void)state;
    assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_NOT_FOUND);
    assert_null(ledger);
    assert_int_equal(ledger_close(NULL), 0);
    memfs_free(fs);
}

#define LONG_GROUPS 40
#define LONG_GROUP 4000 /* entries: in all three times what one thread reads alone */

static void assert_damaged(const struct ledger_config *config, const char *needle)
{
    struct ledger *ledger;

    assert_int_equal(ledger_open(config, NULL, &ledger), SR_ERR_DAMAGED);
    assert_null(ledger);
    if (strstr(sr_error_message(), needle) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", needle, sr_error_message());
}

/* One thread checks groups, another their entries: all are taken, and damage is found by either. */
static void long_journal(void **state)
{
    struct memfs *fs = memfs_new(1), *copy;
    struct ledger_config config = fixture_config(memfs_io(fs)), other;
    struct ledger_open_report report;
    struct ledger *ledger;
    uint64_t size;

    (void)state;
    assert_int_equal(ledger_create(&config, &ledger), 0);
    for (uint64_t i = 1; i <= LONG_GROUPS; i++) {
        assert_int_equal(fixture_append(ledger, LONG_GROUP, 0), 0);
        assert_int_equal(ledger_commit(ledger, i * LONG_GROUP - 1), 0);
    }
    assert_int_equal(ledger_close(ledger), 0);
    size = fixture_file_size(memfs_io(fs), "/ledger/journal");
    assert_true(size > UINT64_C(12) << 20);

    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.size, LONG_GROUPS * LONG_GROUP);
    assert_int_equal(fixture_check(ledger, 0), LONG_GROUPS * LONG_GROUP);
    assert_int_equal(fixture_append(ledger, 3, 0), 0); /* and it goes on */
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);

    other = config; /* every MAC holds, and no entry decrypts */
    memset(other.key_enc, 0x44, sizeof(other.key_enc));
    assert_damaged(&other, "entry 0 at offset");
    for (unsigned part = 1; part < 4; part++) {
        copy = memfs_clone(fs);
        other = fixture_config(memfs_io(copy));
        assert_int_equal(memfs_corrupt(copy, "/ledger/journal", size * part / 4, 1), 0);
        assert_damaged(&other, "its MAC does not hold");
        memfs_free(copy);
    }
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_in_memory),
        cmocka_unit_test(round_trip_on_disk),
        cmocka_unit_test(limits_and_ranges),
        cmocka_unit_test(large_commit),
        cmocka_unit_test(checkpoints_and_proofs),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(background),
        cmocka_unit_test(nothing_there),
        cmocka_unit_test(long_journal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
