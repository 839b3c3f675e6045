/* What counts as a torn last group, and what does not. */
#include "tests/unit/ledger_fixture.h"

#include "base/bytes.h"
#include "ledger/group.h"

#define BASE 5 /* entries under the checkpoint */
#define LAST 3 /* entries of the last group */

/* A ledger whose checkpoint covers BASE entries, and a last group of LAST more, as a crash would
 * leave it. *good: bytes before that group, *all: with it. */
static struct memfs *make_uncovered(uint64_t *good, uint64_t *all)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger *ledger;
    struct memfs *crashed;

    assert_int_equal(ledger_create(&config, &ledger), 0);
    assert_int_equal(fixture_append(ledger, BASE, 0), 0);
    assert_int_equal(ledger_checkpoint(ledger, NULL), 0);
    *good = fixture_file_size(memfs_io(fs), "/ledger/journal");
    assert_int_equal(fixture_append(ledger, LAST, 0), 0);
    assert_int_equal(ledger_commit(ledger, BASE + LAST - 1), 0);
    *all = fixture_file_size(memfs_io(fs), "/ledger/journal");
    crashed = memfs_clone(fs);
    assert_int_equal(ledger_close(ledger), 0);
    memfs_free(fs);
    return crashed;
}

static int only_torn(void *context, const char *name)
{
    if (strncmp(name, "torn-", 5) == 0) {
        char *out = context;

        assert_int_equal(out[0], 0); /* one at most */
        snprintf(out, 128, "/ledger/%s", name);
    }
    return 0;
}

/* Opens, expecting the last group to be torn off and kept aside as it was; appends; opens again. */
static void expect_torn(struct memfs *fs, uint64_t good, const uint8_t *tail, uint64_t tail_len)
{
    struct sr_io *io = memfs_io(fs);
    struct ledger_config config = fixture_config(io);
    struct ledger_open_report report;
    struct ledger *ledger;
    char torn[128] = "";
    uint8_t *kept;
    size_t len;
    int status = ledger_open(&config, &report, &ledger);

    if (status != 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(report.size, BASE);
    assert_int_equal(report.torn_bytes, tail_len);
    assert_int_equal(fixture_file_size(io, "/ledger/journal"), good);
    assert_int_equal(io->list(io, "/ledger", only_torn, torn), 0);
    assert_int_equal(torn[0] != 0, tail_len > 0);
    if (tail_len > 0) {
        assert_memory_equal(torn, "/ledger/torn-5-", 15);
        assert_int_equal(sr_io_read_file(io, torn, 1 << 20, &kept, &len), 0);
        assert_int_equal(len, tail_len);
        assert_memory_equal(kept, tail, len);
        free(kept);
    }
    assert_int_equal(fixture_append(ledger, 1, 0), 0);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.torn_bytes, 0);
    assert_int_equal(fixture_check(ledger, 0), BASE + 1);
    assert_int_equal(ledger_close(ledger), 0);
}

static uint8_t *read_journal(struct memfs *fs, size_t *len)
{
    uint8_t *data;

    assert_int_equal(sr_io_read_file(memfs_io(fs), "/ledger/journal", 1 << 20, &data, len), 0);
    return data;
}

/* Cut off at every byte. */
static void cut_anywhere(void **state)
{
    uint64_t good;
    uint64_t all;
    struct memfs *made = make_uncovered(&good, &all);
    size_t len;
    uint8_t *journal = read_journal(made, &len);

    (void)state;
    assert_int_equal(len, all);
    for (uint64_t end = good; end < all; end++) {
        struct memfs *fs = memfs_clone(made);

        assert_int_equal(memfs_truncate(fs, "/ledger/journal", end), 0);
        expect_torn(fs, good, journal + good, end - good);
        memfs_free(fs);
    }
    free(journal);
    memfs_free(made);
}

/* Its size is there and from some byte on there are only zeros; and with a tail of zeros besides.
 * */
static void zeros_from_anywhere(void **state)
{
    uint64_t good;
    uint64_t all;
    struct memfs *made = make_uncovered(&good, &all);
    size_t len;
    uint8_t *journal = read_journal(made, &len);

    (void)state;
    for (uint64_t from = good; from < all; from++) {
        for (int longer = 0; longer < 2; longer++) {
            struct memfs *fs = memfs_clone(made);
            uint64_t size = longer != 0 ? all + 5000 : all;
            uint8_t *tail = calloc(1, size - good);

            assert_int_equal(memfs_truncate(fs, "/ledger/journal", from), 0);
            assert_int_equal(memfs_truncate(fs, "/ledger/journal", size), 0);
            memcpy(tail, journal + good, from - good);
            /* The MAC's last byte may be zero of itself: then nothing is missing. */
            if (longer != 0 || memcmp(tail, journal + good, all - good) != 0)
                expect_torn(fs, good, tail, size - good);
            free(tail);
            memfs_free(fs);
        }
    }
    free(journal);
    memfs_free(made);
}

/* Good groups up to the end, then zeros. */
static void zero_tail(void **state)
{
    uint64_t good;
    uint64_t all;
    struct memfs *fs = make_uncovered(&good, &all);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger_open_report report;
    struct ledger *ledger;

    (void)state;
    assert_int_equal(memfs_truncate(fs, "/ledger/journal", all + (4 << 20)), 0);
    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.size, BASE + LAST);
    assert_int_equal(report.torn_bytes, 4 << 20);
    assert_int_equal(fixture_file_size(memfs_io(fs), "/ledger/journal"), all);
    assert_int_equal(fixture_check(ledger, 0), BASE + LAST);
    assert_int_equal(ledger_close(ledger), 0);
    memfs_free(fs);
}

/* The same cuts where the checkpoint covers the group are damage, and nothing is changed. */
static void covered_is_damage(void **state)
{
    static const uint64_t counts[] = {BASE, LAST};
    struct memfs *made = memfs_new(1);
    struct ledger_config config;
    struct ledger *ledger;
    uint64_t good = 0;
    uint64_t all;

    (void)state;
    fixture_make(memfs_io(made), counts, 1, 0);
    good = fixture_file_size(memfs_io(made), "/ledger/journal");
    memfs_free(made);
    made = memfs_new(1);
    fixture_make(memfs_io(made), counts, 2, 0);
    all = fixture_file_size(memfs_io(made), "/ledger/journal");
    for (uint64_t end = good; end < all; end++) {
        struct memfs *fs = memfs_clone(made);

        config = fixture_config(memfs_io(fs));
        assert_int_equal(memfs_truncate(fs, "/ledger/journal", end), 0);
        assert_int_equal(ledger_open(&config, NULL, &ledger),
                         end == good ? SR_ERR_ROLLED_BACK : SR_ERR_DAMAGED);
        assert_null(ledger);
        if (end != good)
            assert_non_null(strstr(sr_error_message(), "entry 5 at offset "));
        assert_int_equal(fixture_file_size(memfs_io(fs), "/ledger/journal"), end);
        assert_true(fixture_verify_all(memfs_io(fs)).count > 0);
        memfs_free(fs);
    }
    memfs_free(made);
}

/* A bad group that a later one follows was once acknowledged, checkpoint or not. */
static void followed_is_damage(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger *ledger;
    struct memfs *crashed;
    uint64_t good;
    uint64_t end;

    (void)state;
    assert_int_equal(ledger_create(&config, &ledger), 0);
    assert_int_equal(fixture_append(ledger, BASE, 0), 0);
    assert_int_equal(ledger_checkpoint(ledger, NULL), 0);
    good = fixture_file_size(memfs_io(fs), "/ledger/journal");
    assert_int_equal(fixture_append(ledger, LAST, 0), 0);
    assert_int_equal(ledger_commit(ledger, BASE + LAST - 1), 0);
    end = fixture_file_size(memfs_io(fs), "/ledger/journal");
    assert_int_equal(fixture_append(ledger, 1, 0), 0);
    assert_int_equal(ledger_commit(ledger, BASE + LAST), 0);
    crashed = memfs_clone(fs);
    assert_int_equal(ledger_close(ledger), 0);
    config = fixture_config(memfs_io(crashed));
    for (uint64_t at = good; at < end; at++) {
        assert_int_equal(memfs_corrupt(crashed, "/ledger/journal", at, 0x10), 0);
        assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_DAMAGED);
        assert_true(fixture_verify_all(memfs_io(crashed)).count > 0);
        assert_int_equal(memfs_corrupt(crashed, "/ledger/journal", at, 0x10), 0);
    }
    assert_int_equal(ledger_open(&config, NULL, &ledger), 0);
    assert_int_equal(ledger_close(ledger), 0);
    memfs_free(crashed);
    memfs_free(fs);
}

/* More than one group can be is not torn either. */
static void too_much_is_damage(void **state)
{
    uint64_t good;
    uint64_t all;
    struct memfs *fs = make_uncovered(&good, &all);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger *ledger;

    (void)state;
    assert_int_equal(memfs_truncate(fs, "/ledger/journal", good), 0);
    assert_int_equal(memfs_truncate(fs, "/ledger/journal", good + (64u << 20)), 0);
    assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_DAMAGED);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_anywhere),       cmocka_unit_test(zeros_from_anywhere),
        cmocka_unit_test(zero_tail),          cmocka_unit_test(covered_is_damage),
        cmocka_unit_test(followed_is_damage), cmocka_unit_test(too_much_is_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
