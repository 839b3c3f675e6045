/* What a failing call and a power cut may cost: nothing that was acknowledged. A script is run once
 * for every counted call that can fail and every sync at which the power can go. */
#include "tests/unit/ledger_fixture.h"

#include <errno.h>

#include "base/bytes.h"

#define PREPARED 254 /* so that the script fills the first tile */
#define SEEDS 6      /* ways in which a cut tears */

struct outcome {
    uint64_t acked;     /* entries whose ledger_commit returned 0 */
    uint64_t published; /* size of the newest checkpoint that was handed out */
    bool opened;
};

static struct memfs *prepare(void)
{
    struct memfs *fs = memfs_new(1);

    fixture_make(memfs_io(fs), (const uint64_t[]){250, 4}, 2, 0);
    return fs;
}

/* Runs one act, and once more if it failed: a single fault is over then. With the power off both
 * fail. steady: the second time must succeed. */
#define TRY(steady, call)                                  \
    do {                                                   \
        int first_ = (call);                               \
        int second_ = first_ == 0 ? 0 : (call);            \
        if ((steady) && second_ != 0)                      \
            fail_msg("%s: %s", #call, sr_error_message()); \
    } while (0)

static int append_one(struct ledger *ledger)
{
    return fixture_append(ledger, 1, 0);
}

static int commit_all(struct ledger *ledger, struct outcome *outcome)
{
    uint64_t size = ledger_size(ledger);
    int status = size == 0 ? 0 : ledger_commit(ledger, size - 1);

    if (status == 0) {
        outcome->acked = size;
        assert_int_equal(ledger_committed(ledger), size);
    }
    return status;
}

static int publish(struct ledger *ledger, struct outcome *outcome)
{
    struct note_verifier verifier = fixture_verifier();
    struct note_checkpoint checkpoint;
    struct sr_buf note = {0};
    int status = ledger_checkpoint(ledger, &note);

    if (status == 0) {
        assert_int_equal(
            note_checkpoint_open((uint8_t *)note.data, note.len, &verifier, &checkpoint), 0);
        outcome->published = checkpoint.size;
        outcome->acked = checkpoint.size;
    }
    sr_buf_free(&note);
    return status;
}

/* Appends, commits and publishes, over the edge of a tile. */
static void use(struct ledger *ledger, bool steady, struct outcome *outcome)
{
    TRY(steady, append_one(ledger));
    TRY(steady, commit_all(ledger, outcome));
    TRY(steady, append_one(ledger));
    TRY(steady, append_one(ledger));
    TRY(steady, commit_all(ledger, outcome));
    TRY(steady, publish(ledger, outcome));
    TRY(steady, append_one(ledger));
    TRY(steady, publish(ledger, outcome));
    TRY(steady, append_one(ledger));
    TRY(steady, commit_all(ledger, outcome));
}

/* The script; returns with the ledger open, NULL if it could not be opened. */
static struct ledger *run(struct memfs *fs, bool steady, struct outcome *outcome)
{
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger *ledger = NULL;

    *outcome = (struct outcome){.acked = PREPARED, .published = PREPARED};
    TRY(steady, ledger_open(&config, NULL, &ledger));
    outcome->opened = ledger != NULL;
    if (ledger != NULL)
        use(ledger, steady, outcome);
    return ledger;
}

/* The vault opens, has all that was acknowledged, is in order, and goes on. */
static void check(struct memfs *fs, const struct outcome *outcome)
{
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger_open_report report;
    struct fixture_findings findings;
    struct ledger *ledger;
    uint64_t size;

    /* At no moment does a checkpoint stand for something that is not there. */
    findings = fixture_verify_all(memfs_io(fs));
    if (findings.count != 0)
        fail_msg("%s: %s", findings.file, findings.why);
    if (ledger_open(&config, &report, &ledger) != 0)
        fail_msg("does not open: %s", sr_error_message());
    size = fixture_check(ledger, 0);
    assert_int_equal(report.size, size);
    assert_true(size >= outcome->acked);
    assert_true(report.checkpoint_size >= outcome->published);
    assert_int_equal(report.bad_tiles, 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
    assert_int_equal(fixture_append(ledger, 3, 0), 0);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(ledger_open(&config, &report, &ledger), 0);
    assert_int_equal(report.torn_bytes, 0);
    assert_int_equal(fixture_check(ledger, 0), size + 3);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
}

/* As found after a cut at this moment, in every mode. */
static void check_after_cut(struct memfs *fs,
                            void (*examine)(struct memfs *, const struct outcome *),
                            const struct outcome *outcome)
{
    for (uint64_t seed = 0; seed < 2 + SEEDS; seed++) {
        enum memfs_mode mode = seed == 0 ? MEMFS_LOST : seed == 1 ? MEMFS_KEPT : MEMFS_TORN;
        struct memfs *found = memfs_after_cut(fs, mode, seed);

        examine(found, outcome);
        memfs_free(found);
    }
}

static void fail_every_call(int error_number)
{
    struct memfs *prepared = prepare();
    bool fired = true;
    uint64_t n;

    for (n = 1; fired; n++) {
        struct memfs *fs = memfs_clone(prepared);
        struct outcome outcome;
        struct ledger *ledger;

        memfs_fail_at(fs, n, error_number);
        ledger = run(fs, true, &outcome);
        assert_non_null(ledger);
        assert_int_equal(outcome.acked, PREPARED + 5);
        fired = memfs_fired(fs);
        assert_int_equal(fired, n <= memfs_calls(fs));
        memfs_fail_at(fs, 0, 0);
        /* A sync that failed once and was done again must hold when the power goes now. */
        check_after_cut(fs, check, &outcome);
        assert_int_equal(ledger_close(ledger), 0);
        check(fs, &outcome);
        memfs_free(fs);
    }
    print_message("%llu calls failed one by one\n", (unsigned long long)n - 2);
    assert_true(n > 60);
    memfs_free(prepared);
}

static void fail_with_eio(void **state)
{
    (void)state;
    fail_every_call(EIO);
}

static void fail_with_enospc(void **state)
{
    (void)state;
    fail_every_call(ENOSPC);
}

/* One call fails while the ledger is closing: what was acknowledged is safe all the same. */
static void fail_while_closing(void **state)
{
    struct memfs *prepared = prepare();
    bool fired = true;
    uint64_t n;

    (void)state;
    for (n = 1; fired; n++) {
        struct memfs *fs = memfs_clone(prepared);
        struct outcome outcome;
        struct ledger *ledger = run(fs, true, &outcome);
        int status;

        assert_int_equal(append_one(ledger), 0);
        memfs_fail_at(fs, n, EIO);
        status = ledger_close(ledger);
        fired = memfs_fired(fs);
        outcome.acked += status == 0;
        memfs_fail_at(fs, 0, 0);
        check_after_cut(fs, check, &outcome);
        check(fs, &outcome);
        memfs_free(fs);
    }
    assert_true(n > 10);
    memfs_free(prepared);
}

static void cut_at_every_sync(void **state)
{
    struct memfs *prepared = prepare();
    uint64_t cuts = 0;
    bool off = true;

    (void)state;
    for (uint64_t n = 1; off; n++) {
        for (int after = 0; after < 2; after++) {
            struct memfs *fs = memfs_clone(prepared);
            struct outcome outcome;
            struct ledger *ledger;

            memfs_cut_at_sync(fs, n, after != 0);
            ledger = run(fs, false, &outcome);
            off = memfs_is_off(fs);
            cuts += off;
            if (!off)
                memfs_cut_now(fs);
            ledger_close(ledger);
            check_after_cut(fs, check, &outcome);
            memfs_free(fs);
        }
    }
    print_message("%llu cuts at a sync\n", (unsigned long long)cuts);
    assert_true(cuts > 40);
    memfs_free(prepared);
}

static void cut_at_every_call(void **state)
{
    struct memfs *prepared = prepare();
    bool off = true;
    uint64_t n;

    (void)state;
    for (n = 1; off; n++) {
        struct memfs *fs = memfs_clone(prepared);
        struct outcome outcome;
        struct ledger *ledger;

        memfs_cut_at_call(fs, n);
        ledger = run(fs, false, &outcome);
        off = memfs_is_off(fs);
        if (!off)
            memfs_cut_now(fs);
        ledger_close(ledger);
        check_after_cut(fs, check, &outcome);
        memfs_free(fs);
    }
    assert_true(n > 60);
    memfs_free(prepared);
}

/* A publication fails anywhere, entries follow, and the power goes anywhere in the next one. Were
 * the first not brought to its end before, two kept checkpoints could be newer than the
 * checkpoint, which is what an attacker leaves. */
static void failed_and_cut(void **state)
{
    struct memfs *prepared = prepare();
    bool fired = true;
    uint64_t cuts = 0;

    (void)state;
    for (uint64_t n = 1; fired; n++) {
        bool off = true;

        for (uint64_t m = 1; off; m++) {
            struct memfs *fs = memfs_clone(prepared);
            struct ledger_config config = fixture_config(memfs_io(fs));
            struct outcome outcome = {.acked = PREPARED, .published = PREPARED};
            struct ledger *ledger;

            assert_int_equal(ledger_open(&config, NULL, &ledger), 0);
            assert_int_equal(fixture_append(ledger, 1, 0), 0);
            assert_int_equal(commit_all(ledger, &outcome), 0);
            memfs_fail_at(fs, n, EIO);
            publish(ledger, &outcome);
            fired = memfs_fired(fs);
            memfs_fail_at(fs, 0, 0);
            assert_int_equal(fixture_append(ledger, 1, 0), 0);
            assert_int_equal(commit_all(ledger, &outcome), 0);
            memfs_cut_at_sync(fs, m, true);
            publish(ledger, &outcome);
            off = memfs_is_off(fs);
            cuts += off;
            memfs_cut_now(fs);
            ledger_close(ledger);
            for (int mode = MEMFS_LOST; mode <= MEMFS_KEPT; mode++) {
                struct memfs *found = memfs_after_cut(fs, (enum memfs_mode)mode, 1);

                check(found, &outcome);
                memfs_free(found);
            }
            memfs_free(fs);
        }
    }
    assert_true(cuts > 100);
    memfs_free(prepared);
}

/* A creation that was interrupted can be opened, or done again; one that returned 0 opens. */
static void check_created(struct memfs *fs, const struct outcome *outcome)
{
    struct ledger_config config = fixture_config(memfs_io(fs));
    struct ledger *ledger;
    int status = ledger_open(&config, NULL, &ledger);

    if (status == SR_ERR_NOT_FOUND && !outcome->opened)
        status = ledger_create(&config, &ledger);
    if (status != 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(ledger_size(ledger), 0);
    assert_int_equal(fixture_append(ledger, 2, 0), 0);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(ledger_open(&config, NULL, &ledger), 0);
    assert_int_equal(fixture_check(ledger, 0), 2);
    assert_int_equal(ledger_close(ledger), 0);
    assert_int_equal(fixture_verify_all(memfs_io(fs)).count, 0);
}

static void interrupted_creation(void **state)
{
    bool go_on = true;
    uint64_t n;

    (void)state;
    for (n = 1; go_on; n++) {
        go_on = false;
        for (int way = 0; way < 4; way++) {
            struct memfs *fs = memfs_new(1);
            struct ledger_config config = fixture_config(memfs_io(fs));
            struct outcome outcome = {0};
            struct ledger *ledger;

            if (way == 0)
                memfs_fail_at(fs, n, EIO);
            else if (way == 1)
                memfs_cut_at_call(fs, n);
            else
                memfs_cut_at_sync(fs, n, way == 3);
            outcome.opened = ledger_create(&config, &ledger) == 0;
            ledger_close(ledger);
            go_on |= way == 0 ? memfs_fired(fs) : memfs_is_off(fs);
            memfs_fail_at(fs, 0, 0);
            check_after_cut(fs, check_created, &outcome);
            if (way == 0)
                check_created(fs, &outcome);
            memfs_free(fs);
        }
    }
    assert_true(n > 15);
}

/* The torn end is put aside and cut off in steps; each may be the last before the next cut. */
static void interrupted_repair(void **state)
{
    struct memfs *torn = prepare();
    uint64_t size = fixture_file_size(memfs_io(torn), "/ledger/journal");
    struct outcome outcome = {.acked = PREPARED, .published = PREPARED};
    bool off = true;
    uint64_t n;

    (void)state;
    assert_int_equal(memfs_truncate(torn, "/ledger/journal", size + 1000), 0);
    for (n = 1; off; n++) {
        struct memfs *fs = memfs_clone(torn);
        struct ledger_config config = fixture_config(memfs_io(fs));
        struct ledger_open_report report;
        struct ledger *ledger;

        memfs_cut_at_call(fs, n);
        if (ledger_open(&config, &report, &ledger) == 0)
            assert_int_equal(report.torn_bytes, 1000);
        off = memfs_is_off(fs);
        memfs_cut_now(fs);
        ledger_close(ledger);
        check_after_cut(fs, check, &outcome);
        memfs_free(fs);
    }
    assert_true(n > 10);
    memfs_free(torn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_with_eio),      cmocka_unit_test(fail_with_enospc),
        cmocka_unit_test(fail_while_closing), cmocka_unit_test(cut_at_every_sync),
        cmocka_unit_test(cut_at_every_call),  cmocka_unit_test(interrupted_creation),
        cmocka_unit_test(interrupted_repair), cmocka_unit_test(failed_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
