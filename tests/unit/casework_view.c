/* The catalog made again by two threads: of a ledger longer than what lies between them, of one with an entry that
 * does not fit, and stopped on the way. */
#include "tests/unit/casework_fixture.h"

#include <errno.h>

#include "casework/entry.h"
#include "casework/view.h"

#define MANY 9000 /* several times the queue and the step of progress */

/* Behind the door's back: its own catalog learns nothing of it. */
static uint64_t append_alert(struct world *world, const char *kind)
{
    json_t *entry;
    uint64_t index;
    assert_int_equal(entry_new(vault_io(world->vault), "alert", &entry), 0);
    if (kind != NULL)
        assert_int_equal(entry_set(entry, "kind", json_string(kind)), 0);
    assert_int_equal(entry_set(entry, "detail", json_string("a test")), 0);
    assert_int_equal(entry_append(world->ledger, entry, &index), 0);
    json_decref(entry);
    return index;
}

static uint64_t append_alerts(struct world *world, unsigned count)
{
    uint64_t index = 0;
    for (unsigned i = 0; i < count; i++)
        index = append_alert(world, "test");
    assert_int_equal(ledger_commit(world->ledger, index), 0);
    return index;
}

struct calls {
    unsigned count, stop_at;
    uint64_t last;
};

static int count_calls(void *context, uint64_t done, uint64_t total)
{
    struct calls *calls = context;
    assert_true(done > calls->last && done <= total);
    calls->last = done;
    return ++calls->count == calls->stop_at ? 7 : 0;
}

static void assert_no_file(struct world *world, const char *name)
{
    char path[64];
    struct sr_stat stat;
    struct sr_io *io = vault_io(world->vault);
    snprintf(path, sizeof path, WORLD_VAULT "/%s", name);
    assert_int_equal(io->stat(io, path, &stat), -ENOENT);
}

static void test_same_as_one_thread(void **state)
{
    struct world *world = *state;
    struct catalog *two, *one;
    struct catalog_progress progress;
    struct calls calls = {0};
    struct sr_buf difference = {0};
    uint64_t last = append_alerts(world, MANY), replayed;
    assert_int_equal(view_rebuild(world->vault, world->ledger, count_calls, &calls, &two), 0);
    assert_int_equal(calls.count, (last + 1) / 4096);
    catalog_progress(two, &progress);
    assert_int_equal(progress.low, last + 1);
    assert_int_equal(progress.high, last + 1);
    assert_int_equal(catalog_open_memory(&one), 0);
    assert_int_equal(view_catch_up(world->vault, world->ledger, one, NULL, NULL, &replayed), 0);
    assert_int_equal(replayed, last + 1);
    assert_int_equal(catalog_compare(one, two, &difference), 0);
    assert_int_equal(difference.len, 0);
    assert_int_equal(view_check(world->vault, world->ledger, two, NULL, NULL, &difference), 0);
    assert_int_equal(difference.len, 0);
    catalog_close(one);
    catalog_close(two);
}

/* The other thread has found it; who reads may be at the end by then, or wait for room. */
static void misfit(struct world *world, unsigned after)
{
    struct catalog *catalog;
    char needle[48];
    uint64_t bad = append_alert(world, NULL);
    append_alerts(world, after);
    int status = view_rebuild(world->vault, world->ledger, NULL, NULL, &catalog);
    assert_int_equal(status, SR_ERR_DAMAGED);
    snprintf(needle, sizeof needle, "entry %llu does not fit", (unsigned long long)bad);
    if (strstr(sr_error_message(), needle) == NULL)
        fail_msg("\"%s\" is not in %s", needle, sr_error_message());
    assert_null(catalog);
    assert_no_file(world, CATALOG_FILE_NEW);
}

static void test_misfit_far_from_the_end(void **state)
{
    misfit(*state, MANY);
}

static void test_misfit_near_the_end(void **state)
{
    append_alerts(*state, MANY);
    misfit(*state, 1);
}

static void test_stopped(void **state)
{
    struct world *world = *state;
    struct catalog *catalog;
    struct calls calls = {.stop_at = 2};
    append_alerts(world, MANY);
    assert_int_equal(view_rebuild(world->vault, world->ledger, count_calls, &calls, &catalog), 7);
    assert_int_equal(calls.count, 2);
    assert_null(catalog);
    assert_no_file(world, CATALOG_FILE_NEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_as_one_thread, start, stop),
        cmocka_unit_test_setup_teardown(test_misfit_far_from_the_end, start, stop),
        cmocka_unit_test_setup_teardown(test_misfit_near_the_end, start, stop),
        cmocka_unit_test_setup_teardown(test_stopped, start, stop),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
