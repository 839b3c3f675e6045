/* Projection is idempotent by index and does not depend on when a seal is projected. */
#include "tests/unit/catalog_entries.h"
#include "tests/unit/catalog_story.h"

static char *dump(struct catalog *catalog)
{
    struct sr_buf text = {0};

    assert_int_equal(dump_text(catalog, &text), 0);
    return text.data;
}

static char *story_in_order(void)
{
    struct catalog *catalog;
    char *text;

    assert_int_equal(catalog_open_memory(&catalog), 0);
    entries_ok(catalog, 0, story, STORY_LEN);
    text = dump(catalog);
    catalog_close(catalog);
    return text;
}

static void test_story(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_counts counts;

    for (size_t i = 0; i < STORY_LEN; i++) {
        entry_ok(catalog, i, story[i]);
        if (dump_check(catalog) != 0)
            fail_msg("after %zu: %s", i, sr_error_message());
    }
    assert_int_equal(catalog_counts(catalog, &counts), 0);
    assert_int_equal(counts.entries, STORY_LEN);
    assert_int_equal(counts.cases, 2);
    assert_int_equal(counts.records, 5);
    assert_int_equal(counts.staging, 1);    /* @7 */
    assert_int_equal(counts.sealed, 2);     /* @1 @8 */
    assert_int_equal(counts.incomplete, 2); /* @3 @5 */
    assert_int_equal(counts.superseded, 1); /* @2 */
    assert_int_equal(counts.refusals, 2);
    assert_int_equal(counts.users, 2);
    assert_int_equal(counts.alerts, 1);
}

static void test_twice(void **state)
{
    struct catalog *catalog = *state;
    char *once, *twice;

    entries_ok(catalog, 0, story, STORY_LEN);
    once = dump(catalog);
    for (size_t i = STORY_LEN; i > 0; i--)
        entry_ok(catalog, i - 1, story[i - 1]);
    /* The index alone decides: any other entry under an index seen before changes nothing. */
    entry_ok(catalog, 3, "{'act':'year.open','year':1999,'uid':0}");
    assert_int_equal(catalog_project(catalog, 5, NULL), 0);
    twice = dump(catalog);
    assert_string_equal(once, twice);
    check(catalog);
    free(once);
    free(twice);
}

static bool is_seal(size_t index)
{
    return strstr(story[index], "'act':'record.seal'") != NULL;
}

/* "'object':'@5'" of an entry, into out. */
static bool object_of(size_t index, char out[32])
{
    const char *at = strstr(story[index], "'object':'@");
    const char *end = at != NULL ? strchr(at + strlen("'object':'"), '\'') : NULL;

    if (end == NULL)
        return false;
    snprintf(out, 32, "%.*s", (int)(end + 1 - at), at);
    return true;
}

/* A seal may come after entries of other records: the sealing threads project on their own. */
static void delay_seals(size_t order[STORY_LEN], unsigned *seed)
{
    for (size_t i = STORY_LEN; i-- > 0;) {
        char own[32], other[32];
        size_t at = i, steps = (size_t)rand_r(seed) % 12;

        if (!is_seal(order[i]) || !object_of(order[i], own))
            continue;
        for (; steps > 0 && at + 1 < STORY_LEN; steps--, at++) {
            size_t next = order[at + 1];
            if (object_of(next, other) && strcmp(own, other) == 0)
                break;
            order[at + 1] = order[at];
            order[at] = next;
        }
    }
}

static void test_seals_late(void **state)
{
    char *expected = story_in_order();
    unsigned moved = 0;

    (void)state;
    for (unsigned round = 0; round < 60; round++) {
        size_t order[STORY_LEN];
        struct catalog *catalog;
        unsigned seed = round;
        char *text;

        for (size_t i = 0; i < STORY_LEN; i++)
            order[i] = i;
        delay_seals(order, &seed);
        assert_int_equal(catalog_open_memory(&catalog), 0);
        for (size_t i = 0; i < STORY_LEN; i++) {
            moved += order[i] != i;
            if (entry_try(catalog, order[i], story[order[i]]) != 0)
                fail_msg("round %u: %s", round, sr_error_message());
            if (rand_r(&seed) % 16 == 0)
                check(catalog); /* it also ends the transaction */
            if (i > 0)
                entry_ok(catalog, order[i - 1], story[order[i - 1]]);
        }
        check(catalog);
        text = dump(catalog);
        if (strcmp(expected, text) != 0)
            fail_msg("round %u:\n%s\nis not\n%s", round, text, expected);
        free(text);
        catalog_close(catalog);
    }
    assert_true(moved > 500); /* the shuffle does shuffle */
    free(expected);
}

/* More entries ahead of the low-water mark than fit in any window. */
static void test_applied_ahead(void **state)
{
    struct catalog *catalog = *state;
    struct catalog_counts counts;
    char text[128];

    for (unsigned i = 5000; i > 0; i--) {
        snprintf(text, sizeof(text), "{'act':'alert','kind':'k','detail':'%u'}", i - 1);
        entry_ok(catalog, i - 1, text);
        entry_ok(catalog, i - 1, text);
        if (i % 1000 == 0)
            check(catalog);
    }
    check(catalog);
    assert_int_equal(catalog_counts(catalog, &counts), 0);
    assert_int_equal(counts.entries, 5000);
    assert_int_equal(counts.alerts, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_story, open_catalog, close_catalog),
        cmocka_unit_test_setup_teardown(test_twice, open_catalog, close_catalog),
        cmocka_unit_test(test_seals_late),
        cmocka_unit_test_setup_teardown(test_applied_ahead, open_catalog, close_catalog),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
