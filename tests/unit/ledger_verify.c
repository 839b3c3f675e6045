/* The verifier that has nothing but tiles, checkpoints and the public key. */
#include "tests/unit/ledger_fixture.h"

#include "base/bytes.h"
#include "ledger/tile.h"

static struct sr_buf read_note(struct memfs *fs, uint64_t size)
{
    struct sr_buf note = {0};
    uint8_t *data;
    char path[64];
    size_t len;

    snprintf(path, sizeof(path), "/ledger/checkpoints/%llu", (unsigned long long)size);
    assert_int_equal(sr_io_read_file(memfs_io(fs), path, 4096, &data, &len), 0);
    sr_buf_append(&note, data, len);
    free(data);
    return note;
}

static struct fixture_findings verify_tiles(struct memfs *fs, uint64_t size)
{
    struct note_verifier verifier = fixture_verifier();
    struct fixture_findings findings = {0};
    struct sr_buf note = read_note(fs, size);
    int status = ledger_verify_tiles(memfs_io(fs), "/ledger", &verifier, (uint8_t *)note.data,
                                     note.len, fixture_bad, &findings);

    assert_int_equal(status, findings.count == 0 ? 0 : SR_ERR_DAMAGED);
    sr_buf_free(&note);
    return findings;
}

static int verify_against(struct memfs *fs, uint64_t newer, struct memfs *old_fs, uint64_t older)
{
    struct note_verifier verifier = fixture_verifier();
    struct sr_buf new_note = read_note(fs, newer);
    struct sr_buf old_note = read_note(old_fs, older);
    int status = ledger_verify_against(memfs_io(fs), "/ledger", &verifier, (uint8_t *)new_note.data,
                                       new_note.len, (uint8_t *)old_note.data, old_note.len);

    sr_buf_free(&new_note);
    sr_buf_free(&old_note);
    return status;
}

static void names(void **state)
{
    static const struct {
        unsigned level;
        uint64_t n;
        unsigned width;
        const char *name;
    } cases[] = {
        {0, 0, 256, "tile/0/000"},
        {0, 999, 256, "tile/0/999"},
        {1, 1000, 256, "tile/1/x001/000"},
        {2, 1234067, 256, "tile/2/x001/x234/067"},
        {5, 1234067, 255, "tile/5/x001/x234/067.p/255"},
        {0, 7, 1, "tile/0/007.p/1"},
        {0, (UINT64_C(1) << 56) - 1, 9, "tile/0/x072/x057/x594/x037/x927/935.p/9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char name[TILE_NAME_MAX];

        tile_name(cases[i].level, cases[i].n, cases[i].width, name);
        assert_string_equal(name, cases[i].name);
    }
    /* The example of tlog-tiles: a tree of 70,000. */
    assert_int_equal(tile_full(70000, 0), 273);
    assert_int_equal(tile_partial(70000, 0), 112);
    assert_int_equal(tile_full(70000, 1), 1);
    assert_int_equal(tile_partial(70000, 1), 17);
    assert_int_equal(tile_full(70000, 2), 0);
    assert_int_equal(tile_partial(70000, 2), 1);
    assert_int_equal(tile_partial(256, 0), 0);
    assert_int_equal(tile_partial(256, 1), 1);
}

/* Sizes around the edges of tiles; every older checkpoint is contained in every newer one. */
static void sizes(void **state)
{
    static const uint64_t counts[] = {1, 1, 5, 248, 1, 1, 255, 1, 87, 168, 2000};
    struct memfs *fs = memfs_new(1);
    uint64_t size[12] = {0};
    struct sr_stat st;

    (void)state;
    fixture_make(memfs_io(fs), counts, 11, 0);
    for (int i = 1; i < 12; i++)
        size[i] = size[i - 1] + counts[i - 1];
    assert_int_equal(size[5], 256);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(verify_tiles(fs, size[i]).count, 0);
        for (int j = 0; j < 12; j++)
            assert_int_equal(verify_against(fs, size[i], fs, size[j]),
                             j <= i ? 0 : SR_ERR_ROLLED_BACK);
    }
    /* Partial tiles go once the tile is full, and stay until then. */
    assert_int_not_equal(memfs_io(fs)->stat(memfs_io(fs), "/ledger/tile/0/000.p", &st), 0);
    assert_int_equal(memfs_io(fs)->stat(memfs_io(fs), "/ledger/tile/1/000.p/1", &st), 0);
    memfs_free(fs);
}

/* Each tile of a tree with two full levels of tiles, damaged and then taken away: found, by name.
 * */
static void each_tile(void **state)
{
    static const char *const files[] = {"tile/0/000",     "tile/0/001",     "tile/0/130",
                                        "tile/0/255",     "tile/0/256",     "tile/1/000",
                                        "tile/0/257.p/9", "tile/1/001.p/1", "tile/2/000.p/1"};
    static const uint64_t counts[] = {257 * 256 + 9};
    struct memfs *fs = memfs_new(1);
    struct sr_io *io = memfs_io(fs);
    uint64_t size = counts[0];

    (void)state;
    fixture_make(io, counts, 1, 0);
    assert_int_equal(verify_tiles(fs, size).count, 0);
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct fixture_findings findings;
        char path[64];
        uint64_t len;

        snprintf(path, sizeof(path), "/ledger/%s", files[i]);
        len = fixture_file_size(io, path);
        for (uint64_t at = 0; at < len; at += len / 2 + 1) {
            assert_int_equal(memfs_corrupt(fs, path, at, 0x40), 0);
            findings = verify_tiles(fs, size);
            assert_true(findings.count > 0);
            /* What is wrong in the topmost of several partial tiles cannot be told from below. */
            if (strcmp(files[i], "tile/2/000.p/1") != 0)
                assert_string_equal(findings.file, files[i]);
            assert_int_equal(memfs_corrupt(fs, path, at, 0x40), 0);
        }
        assert_int_equal(memfs_copy_file(fs, path, "/aside"), 0);
        if (i % 3 == 0) {
            assert_int_equal(memfs_truncate(fs, path, len - 1), 0);
            findings = verify_tiles(fs, size);
            assert_true(findings.count > 0);
            assert_string_equal(findings.file, files[i]);
        }
        assert_int_equal(io->unlink(io, path), 0);
        findings = verify_tiles(fs, size);
        assert_true(findings.count > 0);
        assert_string_equal(findings.file, files[i]);
        assert_int_equal(memfs_copy_file(fs, "/aside", path), 0);
        assert_int_equal(verify_tiles(fs, size).count, 0);
    }
    memfs_free(fs);
}

static void rollback_and_fork(void **state)
{
    static const uint64_t counts[] = {100, 200, 300};
    struct memfs *fs = memfs_new(1);
    struct memfs *fork = memfs_new(1);

    (void)state;
    fixture_make(memfs_io(fs), counts, 3, 0);
    fixture_make(memfs_io(fork), counts, 3, 1);
    assert_int_equal(verify_against(fs, 600, fs, 300), 0);
    assert_int_equal(verify_against(fs, 600, fs, 600), 0);
    assert_int_equal(verify_against(fs, 300, fs, 600), SR_ERR_ROLLED_BACK);
    assert_int_equal(verify_against(fs, 600, fork, 300), SR_ERR_ROLLED_BACK);
    assert_int_equal(verify_against(fs, 600, fork, 600), SR_ERR_ROLLED_BACK);
    assert_int_equal(verify_against(fs, 600, fork, 0), 0);
    /* Damaged tiles are not a fork. */
    assert_int_equal(memfs_corrupt(fs, "/ledger/tile/0/002.p/88", 3, 1), 0);
    assert_int_equal(verify_against(fs, 600, fs, 300), SR_ERR_DAMAGED);
    assert_int_equal(memfs_corrupt(fs, "/ledger/tile/0/002.p/88", 3, 1), 0);
    assert_int_equal(memfs_corrupt(fs, "/ledger/tile/0/001", 3, 1), 0);
    assert_int_equal(verify_against(fs, 600, fs, 300), SR_ERR_DAMAGED);
    memfs_free(fork);
    memfs_free(fs);
}

static void foreign_checkpoint(void **state)
{
    struct ledger_config config = fixture_config(NULL);
    struct note_verifier verifier = fixture_verifier();
    struct note_checkpoint checkpoint = {.origin = FIXTURE_ORIGIN, .size = UINT64_C(1) << 48};
    struct memfs *fs = memfs_new(1);
    struct fixture_findings findings = {0};
    struct sr_buf note = {0};

    (void)state;
    fixture_make(memfs_io(fs), (const uint64_t[]){3}, 1, 0);
    assert_int_equal(ledger_verify_tiles(memfs_io(fs), "/ledger", &verifier, (uint8_t *)"x", 1,
                                         fixture_bad, &findings),
                     SR_ERR_DAMAGED);
    assert_string_equal(findings.file, "checkpoint");
    /* A size that no ledger has must not be walked through. */
    assert_int_equal(note_checkpoint_sign(&checkpoint, &verifier, config.seed, &note), 0);
    assert_int_equal(ledger_verify_tiles(memfs_io(fs), "/ledger", &verifier, (uint8_t *)note.data,
                                         note.len, fixture_bad, &findings),
                     SR_ERR_TOO_LARGE);
    sr_buf_free(&note);
    /* A well signed root that the tiles do not have. */
    checkpoint.size = 3;
    assert_int_equal(note_checkpoint_sign(&checkpoint, &verifier, config.seed, &note), 0);
    assert_int_equal(ledger_verify_tiles(memfs_io(fs), "/ledger", &verifier, (uint8_t *)note.data,
                                         note.len, fixture_bad, &findings),
                     SR_ERR_DAMAGED);
    sr_buf_free(&note);
    memfs_free(fs);
}

/* --- a daemon publishes while somebody verifies --- */

static struct publishing {
    int (*list)(struct sr_io *io, const char *path, sr_io_list_fn *fn, void *context);
    struct ledger *ledger;
    unsigned listings; /* so many are followed, and preceded, by checkpoints */
} publishing;

static void publish_two(void)
{
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fixture_append(publishing.ledger, 1, 0), 0);
        assert_int_equal(ledger_checkpoint(publishing.ledger, NULL), 0);
    }
}

static int list_and_publish(struct sr_io *io, const char *path, sr_io_list_fn *fn, void *context)
{
    bool more = publishing.listings > 0 && strstr(path, "checkpoints") != NULL;
    int status;

    publishing.listings -= more;
    if (more && publishing.listings % 2 == 0)
        publish_two();
    status = publishing.list(io, path, fn, context);
    if (more && publishing.listings % 2 == 1)
        publish_two();
    return status;
}

static void publishes_meanwhile(void **state)
{
    struct memfs *fs = memfs_new(7);
    struct sr_io *io = memfs_io(fs);
    struct ledger_config config = fixture_config(io);
    struct fixture_findings findings;

    (void)state;
    assert_int_equal(ledger_create(&config, &publishing.ledger), 0);
    publish_two();
    publishing.list = io->list;
    publishing.listings = 6;
    io->list = list_and_publish;
    findings = fixture_verify_all(io);
    if (findings.count > 0)
        fail_msg("%s: %s", findings.file, findings.why);
    assert_int_equal(publishing.listings, 0);
    io->list = publishing.list;
    assert_int_equal(ledger_close(publishing.ledger), 0);
    memfs_free(fs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(sizes),
        cmocka_unit_test(each_tile),
        cmocka_unit_test(rollback_and_fork),
        cmocka_unit_test(foreign_checkpoint),
        cmocka_unit_test(publishes_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
