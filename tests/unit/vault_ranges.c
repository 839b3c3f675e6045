/* Range sets against a plain array of flags. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/lib/vault_rig.h"
#include "vault/ranges.h"

#define SPAN 300

static void check_same(const struct ranges *set, const bool *flags)
{
    struct staging_range *holes;
    size_t count, runs = 0, hole_runs = 0;
    uint8_t data[SPAN];

    for (size_t i = 0; i < SPAN; i++) {
        runs += flags[i] && (i == 0 || !flags[i - 1]);
        hole_runs += !flags[i] && (i == 0 || flags[i - 1]);
        assert_int_equal(ranges_contain(set, i, i + 1), flags[i]);
        assert_int_equal(ranges_touch(set, i, i + 1), flags[i]);
    }
    assert_int_equal(set->count, runs);
    for (size_t i = 1; i < set->count; i++)
        assert_true(set->list[i - 1].end < set->list[i].start);
    assert_int_equal(ranges_holes(set, SPAN, &holes, &count), 0);
    assert_int_equal(count, hole_runs);
    for (size_t i = 0; i < count; i++)
        for (uint64_t at = holes[i].start; at < holes[i].end; at++)
            assert_false(flags[at]);
    free(holes);
    memset(data, 1, sizeof(data));
    ranges_mask(set, 0, data, SPAN);
    for (size_t i = 0; i < SPAN; i++)
        assert_int_equal(data[i], flags[i]);
    memset(data, 1, sizeof(data));
    ranges_mask(set, 37, data, 91);
    for (size_t i = 0; i < 91; i++)
        assert_int_equal(data[i], flags[37 + i]);
    assert_int_equal(data[91], 1);
}

static void test_model(void **state)
{
    struct ranges set = {0}, copy = {0}, merged = {0};
    bool flags[SPAN] = {false};
    uint64_t seed = 12345;

    (void)state;
    for (int step = 0; step < 4000; step++) {
        uint64_t start = rig_random(&seed) % SPAN;
        uint64_t end = start + rig_random(&seed) % (SPAN - start + 1) / (1 + step % 9);
        bool all = true, any = false;

        if (step % 13 == 12) {
            ranges_cut(&set, start);
            memset(flags + start, 0, SPAN - start);
        } else {
            assert_int_equal(ranges_add(&set, start, end), 0);
            memset(flags + start, 1, end - start);
        }
        start = rig_random(&seed) % (SPAN - 1);
        end = start + 1 + rig_random(&seed) % (SPAN - start - 1);
        for (uint64_t i = start; i < end; i++) {
            all &= flags[i];
            any |= flags[i];
        }
        assert_int_equal(ranges_contain(&set, start, end), all);
        assert_int_equal(ranges_touch(&set, start, end), any);
        assert_false(ranges_touch(&set, start, start));
        check_same(&set, flags);
    }
    assert_int_equal(ranges_copy(&copy, &set), 0);
    assert_true(ranges_equal(&copy, &set));
    assert_int_equal(ranges_merge(&merged, &set), 0);
    assert_true(ranges_equal(&merged, &set));
    assert_int_equal(ranges_add(&copy, SPAN + 5, SPAN + 6), 0);
    assert_false(ranges_equal(&copy, &set));
    assert_int_equal(ranges_merge(&merged, &copy), 0);
    assert_true(ranges_equal(&merged, &copy));
    ranges_clear(&set);
    memset(flags, 0, sizeof(flags));
    check_same(&set, flags);
    ranges_free(&set);
    ranges_free(&copy);
    ranges_free(&merged);
}

static void test_touching_merge(void **state)
{
    struct ranges set = {0};

    (void)state;
    assert_int_equal(ranges_add(&set, 10, 20), 0);
    assert_int_equal(ranges_add(&set, 30, 40), 0);
    assert_int_equal(ranges_add(&set, 20, 30), 0);
    assert_int_equal(set.count, 1);
    assert_int_equal(set.list[0].start, 10);
    assert_int_equal(set.list[0].end, 40);
    ranges_cut(&set, 10);
    assert_int_equal(set.count, 0);
    ranges_free(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),
        cmocka_unit_test(test_touching_merge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
