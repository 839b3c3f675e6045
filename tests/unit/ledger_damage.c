/* Every flipped bit, exchanged group and older version of a file is found: by opening, or by
 * verifying everything. */
#include "tests/unit/ledger_fixture.h"

#include "base/bytes.h"
#include "ledger/group.h"

static const uint64_t small[] = {1, 1, 1};

#define SMALL_GROUPS 3

enum flipped {
    MUST_NOT_OPEN, /* SR_ERR_DAMAGED */
    OPENS,         /* opening does not look at it */
    OPENS_COUNTED, /* as a bad tile */
};

static void expect_verify_finds(struct memfs *fs, const char *file, uint64_t at)
{
    struct fixture_findings findings = fixture_verify_all(memfs_io(fs));

    if (findings.count == 0)
        fail_msg("%s, byte %llu: not found", file, (unsigned long long)at);
    assert_string_equal(findings.file, file);
}

/* Nothing may be called torn, as the checkpoint covers everything. */
static void expect_open(struct memfs *fs, const char *file, uint64_t at, enum flipped kind)
{
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger_open_report report;
    struct ledger *ledger;
    int status = ledger_open(&config, &report, &ledger);

    if (status != (kind == MUST_NOT_OPEN ? SR_ERR_DAMAGED : 0))
        fail_msg("%s, byte %llu: opened with %d", file, (unsigned long long)at, status);
    assert_int_equal(report.torn_bytes, 0);
    assert_int_equal(report.bad_tiles, kind == OPENS_COUNTED);
    assert_int_equal(ledger_close(ledger), 0);
}

/* Every bit for opening, where that looks; one of each byte for verifying everything, which costs a
 * handful of signatures each time (ledger_note.c flips every bit of a checkpoint). */
static void flip_all_bits(struct memfs *fs, const char *file, enum flipped kind)
{
    char path[128];
    uint64_t size;

    snprintf(path, sizeof(path), "/ledger/%s", file);
    size = fixture_file_size(memfs_io(fs), path);
    assert_true(size > 0);
    for (uint64_t at = 0; at < size; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            if (kind == OPENS && bit != at % 8)
                continue;
            assert_int_equal(memfs_corrupt(fs, path, at, (uint8_t)(1 << bit)), 0);
            expect_open(fs, file, at, kind);
            if (bit == at % 8)
                expect_verify_finds(fs, file, at);
            assert_int_equal(memfs_corrupt(fs, path, at, (uint8_t)(1 << bit)), 0);
        }
    }
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
}

static void flipped_journal(void **state)
{
    struct memfs *fs = memfs_new(1);

    (void)state;
    fixture_make(memfs_io(fs), small, SMALL_GROUPS, 0);
    flip_all_bits(fs, "journal", MUST_NOT_OPEN);
    memfs_free(fs);
}

static void flipped_checkpoint(void **state)
{
    struct memfs *fs = memfs_new(1);

    (void)state;
    fixture_make(memfs_io(fs), small, SMALL_GROUPS, 0);
    flip_all_bits(fs, "checkpoint", MUST_NOT_OPEN);
    memfs_free(fs);
}

static void flipped_kept_checkpoints(void **state)
{
    struct memfs *fs = memfs_new(1);

    (void)state;
    fixture_make(memfs_io(fs), small, SMALL_GROUPS, 0);
    flip_all_bits(fs, "checkpoints/2", OPENS);
    memfs_free(fs);
}

static void flipped_tiles(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger_open_report report;
    struct ledger *ledger;

    (void)state;
    fixture_make(memfs_io(fs), small, SMALL_GROUPS, 0);
    flip_all_bits(fs, "tile/0/000.p/3", OPENS_COUNTED);
    flip_all_bits(fs, "tile/0/000.p/1", OPENS_COUNTED);
    /* Opening counts it and leaves it alone. */
    assert_int_equal(memfs_corrupt(fs, "/ledger/tile/0/000.p/3", 90, 1), 0);
    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.bad_tiles, 1);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 1);
    memfs_free(fs);
}

static void missing_files(void **state)
{
    static const struct {
        const char *file;
        int status; /* of opening; 0: it is written again */
    } cases[] = {
        {"tile/0/000.p/3", 0},          {"tile/0/000.p/3", 0},       {"checkpoints/3", 0},
        {"checkpoint", SR_ERR_DAMAGED}, {"journal", SR_ERR_DAMAGED},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct memfs *fs = memfs_new(1);
        struct sr_io *io = memfs_io(fs);
        struct ledger_config config = fixture_config(io);
        struct ledger_open_report report;
        struct fixture_findings findings;
        struct ledger *ledger;
        char path[128];

        fixture_make(io, small, SMALL_GROUPS, 0);
        snprintf(path, sizeof(path), "/ledger/%s", cases[i].file);
        assert_int_equal(io->unlink(io, path), 0);
        findings = fixture_verify_all(io);
        assert_true(findings.count >= 1);
        assert_string_equal(findings.file, cases[i].file);
        assert_int_equal(ledger_open(&config, &report, &ledger), cases[i].status);
        assert_int_equal(ledger_close(ledger), 0);
        if (cases[i].status == 0)
            assert_int_equal(fixture_verify_all(io).count, 0);
        memfs_free(fs);
    }
}

struct bytes {
    uint8_t *data;
    size_t len;
};

static struct bytes read_journal(struct memfs *fs)
{
    struct bytes bytes;

    assert_int_equal(
        sr_io_read_file(memfs_io(fs), "/ledger/journal", 1 << 20, &bytes.data, &bytes.len), 0);
    return bytes;
}

static void write_journal(struct memfs *fs, const void *data, size_t len)
{
    assert_int_equal(sr_io_replace_file(memfs_io(fs), "/ledger/journal", data, len, 0600), 0);
}

static size_t group_at(const struct bytes *journal, int n)
{
    size_t at = 0;

    for (; n > 0; n--)
        at += GROUP_HEADER_LEN + sr_get_be32(journal->data + at + 20) + GROUP_MAC_LEN;
    return at;
}

/* Groups exchanged, doubled, left out, and taken from another ledger with the same keys. */
static void moved_groups(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct memfs *other = memfs_new(2);
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct sr_buf changed[5] = {{0}};
    struct ledger *ledger;
    struct bytes theirs;
    struct bytes ours;
    size_t at[4];

    (void)state;
    fixture_make(memfs_io(fs), (const uint64_t[]){2, 2, 2}, 3, 0);
    fixture_make(memfs_io(other), (const uint64_t[]){2, 2, 2}, 3, 0);
    ours = read_journal(fs);
    theirs = read_journal(other);
    assert_int_equal(ours.len, theirs.len);
    for (int i = 0; i < 4; i++)
        at[i] = group_at(&ours, i);
    assert_int_equal(at[3], ours.len);
    /* Second and third exchanged. */
    sr_buf_append(&changed[0], ours.data, at[1]);
    sr_buf_append(&changed[0], ours.data + at[2], at[3] - at[2]);
    sr_buf_append(&changed[0], ours.data + at[1], at[2] - at[1]);
    /* Second left out. */
    sr_buf_append(&changed[1], ours.data, at[1]);
    sr_buf_append(&changed[1], ours.data + at[2], at[3] - at[2]);
    /* Second twice. */
    sr_buf_append(&changed[2], ours.data, at[2]);
    sr_buf_append(&changed[2], ours.data + at[1], at[3] - at[1]);
    /* Second, and last, from the other ledger. */
    sr_buf_append(&changed[3], ours.data, at[1]);
    sr_buf_append(&changed[3], theirs.data + at[1], at[2] - at[1]);
    sr_buf_append(&changed[3], ours.data + at[2], at[3] - at[2]);
    sr_buf_append(&changed[4], ours.data, at[2]);
    sr_buf_append(&changed[4], theirs.data + at[2], at[3] - at[2]);
    for (int i = 0; i < 5; i++) {
        write_journal(fs, changed[i].data, changed[i].len);
        assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_DAMAGED);
        assert_true(fixture_verify_all(memfs_io(fs)).count > 0);
        sr_buf_free(&changed[i]);
    }
    write_journal(fs, ours.data, ours.len);
    assert_int_equal(ledger_open(&config, NULL, &ledger), 0);
    assert_int_equal(ledger_close(ledger), 0);
    free(ours.data);
    free(theirs.data);
    memfs_free(other);
    memfs_free(fs);
}

/* Each file put back to an earlier version, and the journal to one that grew otherwise. */
static void older_versions(void **state)
{
    static const uint64_t counts[] = {2, 1, 3, 2};
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    struct ledger_config config = fixture_config(io);
    struct ledger_open_report report;
    struct fixture_findings findings;
    struct memfs *fork = memfs_new(1);
    struct memfs *old = memfs_new(1);
    struct ledger *ledger;
    struct bytes bytes;
    uint8_t *note;
    size_t len;

    (void)state;
    fixture_make(io, counts, 4, 0);
    fixture_make(memfs_io(old), counts, 2, 0);
    fixture_make(memfs_io(fork), counts, 4, 1);
    /* The checkpoint alone: two published later. */
    assert_int_equal(memfs_copy_file(fs, "/ledger/checkpoint", "/checkpoint"), 0);
    assert_int_equal(memfs_copy_file(fs, "/ledger/checkpoints/3", "/ledger/checkpoint"), 0);
    findings = fixture_verify_all(io);
    assert_int_equal(findings.count, 1);
    assert_string_equal(findings.file, "checkpoint");
    assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_DAMAGED);
    /* One published later is what a crash leaves: it is completed. */
    assert_int_equal(memfs_copy_file(fs, "/ledger/checkpoints/6", "/ledger/checkpoint"), 0);
    assert_int_equal(fixture_verify_all(io).count, 0);
    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.checkpoint_size, 8);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(sr_io_read_file(io, "/ledger/checkpoint", 4096, &note, &len), 0);
    assert_int_equal(sr_io_read_file(io, "/checkpoint", 4096, &bytes.data, &bytes.len), 0);
    assert_int_equal(len, bytes.len);
    assert_memory_equal(note, bytes.data, len);
    free(bytes.data);
    free(note);
    /* The journal cut back to an earlier end. */
    bytes = read_journal(old);
    write_journal(fs, bytes.data, bytes.len);
    free(bytes.data);
    assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_ROLLED_BACK);
    findings = fixture_verify_all(io);
    assert_string_equal(findings.file, "journal");
    /* The journal grown otherwise: every MAC holds, the root does not. */
    bytes = read_journal(fork);
    write_journal(fs, bytes.data, bytes.len);
    free(bytes.data);
    assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_ROLLED_BACK);
    findings = fixture_verify_all(io);
    assert_string_equal(findings.file, "checkpoint");
    memfs_free(fork);
    memfs_free(old);
    memfs_free(fs);
}

static void wrong_keys(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct ledger *ledger;

    (void)state;
    fixture_make(memfs_io(fs), small, SMALL_GROUPS, 0);
    for (int i = 0; i < 5; i++) {
        struct ledger_config config = fixture_config(memfs_io(fs));
        uint8_t vault_id[16] = {0};

        config.key_enc[0] ^= i == 0;
        config.key_mac[0] ^= i == 1;
        config.seed[0] ^= i == 2;
        if (i == 3)
            config.vault_id = vault_id;
        if (i == 4)
            config.origin = "strongroom.local/other";
        assert_int_equal(ledger_open(&config, NULL, &ledger), SR_ERR_DAMAGED);
        assert_null(ledger);
    }
    memfs_free(fs);
}

/* After a finding the verification goes on: three groups bad in different ways, a tile, a kept
 * checkpoint. */
static void many_findings(void **state)
{
    struct memfs *fs = memfs_new(1);
    struct bytes journal;

    (void)state;
    fixture_make(memfs_io(fs), (const uint64_t[]){2, 2, 2, 2, 2, 2}, 6, 0);
    journal = read_journal(fs);
    assert_int_equal(memfs_corrupt(fs, "/ledger/journal", group_at(&journal, 0) + 3, 1), 0);
    assert_int_equal(memfs_corrupt(fs, "/ledger/journal", group_at(&journal, 2) + 60, 1), 0);
    assert_int_equal(memfs_corrupt(fs, "/ledger/journal", group_at(&journal, 4) + 20, 0x80), 0);
    assert_int_equal(memfs_corrupt(fs, "/ledger/tile/0/000.p/12", 5, 1), 0);
    assert_int_equal(memfs_corrupt(fs, "/ledger/checkpoints/4", 5, 1), 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 5);
    free(journal.data);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flipped_journal),
        cmocka_unit_test(flipped_checkpoint),
        cmocka_unit_test(flipped_kept_checkpoints),
        cmocka_unit_test(flipped_tiles),
        cmocka_unit_test(missing_files),
        cmocka_unit_test(moved_groups),
        cmocka_unit_test(older_versions),
        cmocka_unit_test(wrong_keys),
        cmocka_unit_test(many_findings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
