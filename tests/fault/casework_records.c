/* The fault suite of records management: two records that are 入卷 get their 档号, are put into a category, kept longer,
 * and their case is classified. Every n-th system call fails once; power is cut at every n-th sync, before and after
 * its effect. Then the store is opened again, and:
 *   - what was acknowledged is there: 档号, terms;
 *   - 件号 and numbers in the case are without gaps, and those of the old classification have followed it;
 *   - doing all of it again gives what was left, and nothing twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "casework/label.h"
#include "catalog/archived.h"
#include "catalog/dump.h"
#include "tests/lib/world.h"

#define CASE "2026/案"
#define STAGE CASE "/02调查取证"
#define SETTLE_NS (3600 * INT64_C(1000000000))
#define RECORDS 3

static const char archive_yaml[] =
    "全宗号: X043\n门类:\n  - {名称: 执法, 代码: XZ}\n默认机构: JC\n";
static const char retention_yaml[] = "期限:\n  - {名称: 在卷, 范围: 案件, 期限: 10年}\n"
                                     "  - {名称: 最低, 范围: 全部, 期限: 6个月}\n"
                                     "类别:\n  - {名称: 重要, 期限: 30年}\n";

static struct memfs *prepared;
static uint64_t in_case, records[RECORDS];

struct script {
    bool numbered, set, extended, classified, again; /* acknowledged */
};

static int take(void *context, json_t *item)
{
    (void)context;
    json_decref(item);
    return 0;
}

static void note(int status, bool *acknowledged, int *first)
{
    *acknowledged |= status == 0;
    if (*first == 0)
        *first = status;
}

/* The acts are tried in any case. Returns the first error. */
static int run_acts(struct world *world, struct script *script)
{
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST), secoff = world_actor(WORLD_SECOFF);
    struct door_class class = {.level = CATALOG_LEVEL_DEFAULT,
                               .set_marks = true,
                               .marks = CATALOG_MARK_WORK_SECRET,
                               .reason = "清单"};
    struct door *door = world->door;
    int first = 0;
    note(door_case_archive(door, &archivist, in_case, take, NULL), &script->numbered, &first);
    note(door_retention_set(door, &archivist, in_case, "重要", "影响大"), &script->set, &first);
    note(door_retention_extend(door, &archivist, records[0], "2099-01-01", "诉讼"),
         &script->extended, &first);
    note(door_classify(door, &secoff, in_case, &class), &script->classified, &first);
    note(door_record_archive(door, &archivist, records[0], "定密"), &script->again, &first);
    return first;
}

static int run_script(struct script *script, struct memfs *fs)
{
    struct world world;
    int first = world_open(&world, fs, SETTLE_NS);
    memset(script, 0, sizeof *script);
    if (first < 0)
        return first;
    first = run_acts(&world, script);
    world_close(&world);
    return first;
}

static int count_archived(void *context, const struct catalog_archived *archived)
{
    (void)archived;
    ++*(unsigned *)context;
    return 0;
}

static int see_term(void *context, const struct catalog_retained *retained)
{
    ((unsigned *)context)[retained->category[0] == '\0']++;
    return 0;
}

static int fail_stale(void *context, uint64_t node)
{
    (void)context;
    fail_msg("%llu has a number of another classification", (unsigned long long)node);
    return 1;
}

static unsigned numbers_of(struct world *world, uint64_t node)
{
    unsigned count = 0;
    assert_int_equal(catalog_archived_each(door_catalog(world->door), node, count_archived, &count),
                     0);
    return count;
}

static void check_whole(struct world *world)
{
    assert_int_equal(label_finish(world->door), 0);
    assert_int_equal(catalog_entered_stale(door_catalog(world->door), in_case, fail_stale, NULL),
                     0);
    if (dump_check(door_catalog(world->door)) < 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(world_audit(world), 0);
}

static void check_after(struct memfs *fs, const struct script *script, const char *what, uint64_t n)
{
    struct world world;
    struct script again = {.numbered = false};
    unsigned terms[2] = {0};
    if (world_open(&world, fs, SETTLE_NS) < 0)
        fail_msg("%s %llu: the store does not open: %s", what, (unsigned long long)n,
                 sr_error_message());
    if (script->numbered)
        for (size_t i = 0; i < RECORDS; i++)
            assert_true(numbers_of(&world, records[i]) >= 1);
    if (script->again && script->numbered && script->classified)
        assert_int_equal(numbers_of(&world, records[0]), 2);
    assert_int_equal(catalog_retained(door_catalog(world.door), records[0], see_term, terms), 0);
    assert_true(terms[0] >= script->set && terms[1] >= script->extended);
    check_whole(&world);
    if (run_acts(&world, &again) < 0)
        fail_msg("%s %llu: again: %s", what, (unsigned long long)n, sr_error_message());
    memset(terms, 0, sizeof terms);
    assert_int_equal(catalog_retained(door_catalog(world.door), records[0], see_term, terms), 0);
    assert_int_equal(terms[0], 1);
    assert_int_equal(terms[1], 1);
    for (size_t i = 0; i < RECORDS; i++) {
        struct catalog_entered entered;
        unsigned count = numbers_of(&world, records[i]);
        /* One more if one of the acts before failed, so that the reason came twice. */
        if (count < 1 || count > 2u + (!script->classified || !script->extended))
            fail_msg("%s %llu: record %zu has %u 档号", what, (unsigned long long)n, i, count);
        assert_int_equal(catalog_entered(door_catalog(world.door), records[i], &entered), 0);
        assert_string_equal(entered.series, "0.1");
        assert_int_equal(entered.number, i + 1); /* in the order of the numbers before */
    }
    check_whole(&world);
    world_close(&world);
}

/* --- what there is to begin with --- */

static void replace_file(struct sr_io *io, const char *path, const char *text)
{
    io->unlink(io, path);
    assert_int_equal(sr_io_create_file(io, path, text, strlen(text), 0644), 0);
}

static int prepare(void **state)
{
    static const struct door_label four[] = {
        {CATALOG_LABEL_CAPTURED, "2026-03-05 14:03", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PLACE, "利州区", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PERSON, "zhang", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PROVES, "无证经营", CATALOG_NO_OFFSET},
    };
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct world world;
    struct catalog_node node;
    prepared = world_prepare();
    replace_file(memfs_io(prepared), WORLD_POLICY "/archive.yaml", archive_yaml);
    replace_file(memfs_io(prepared), WORLD_POLICY "/retention.yaml", retention_yaml);
    assert_int_equal(world_open(&world, prepared, SETTLE_NS), 0);
    assert_int_equal(world_find(&world, WORLD_OFFICER, CASE, &node), 0);
    in_case = node.id;
    for (size_t i = 0; i < RECORDS; i++) {
        char path[] = STAGE "/0.txt";
        path[strlen(path) - 5] = (char)('0' + i);
        assert_int_equal(world_put(&world, WORLD_OFFICER, path, path, sizeof path, &node), 0);
        assert_int_equal(door_seal(world.door, &officer, node.id, 20000), 0);
        assert_int_equal(door_record_label(world.door, &officer, node.id, four, 4), 0);
        records[i] = node.id;
    }
    world_close(&world);
    *state = calloc(1, sizeof(struct script));
    return *state != NULL ? 0 : -1;
}

static int tidy(void **state)
{
    memfs_free(prepared);
    free(*state);
    return 0;
}

/* --- the faults --- */

static unsigned stride(void) /* as casework_acts.c */
{
    const char *text = getenv("FAULT_STRIDE");
#ifdef __SANITIZE_ADDRESS__
    unsigned usual = 5;
#else
    unsigned usual = 1;
#endif
    return text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : usual;
}

static void test_no_fault(void **state)
{
    struct memfs *fs = memfs_clone(prepared);
    if (run_script(*state, fs) < 0)
        fail_msg("%s", sr_error_message());
    check_after(fs, *state, "no fault", 0);
    memfs_free(fs);
}

static void test_fail_every_call(void **state)
{
    uint64_t fired = 0, refused = 0;
    bool hit = true;
    for (uint64_t n = 1; hit; n += stride()) {
        struct memfs *fs = memfs_clone(prepared);
        memfs_fail_at(fs, n, n % 3 == 0 ? ENOSPC : EIO);
        refused += run_script(*state, fs) < 0;
        hit = memfs_fired(fs);
        memfs_fail_at(fs, 0, 0);
        fired += hit;
        check_after(fs, *state, "fail at call", n);
        memfs_free(fs);
    }
    print_message("calls: %llu faults fired, %llu runs refused something\n",
                  (unsigned long long)fired, (unsigned long long)refused);
    assert_true(fired >= 50 / stride());
    assert_true(refused > 0);
}

static void test_cut_at_every_sync(void **state)
{
    uint64_t cuts = 0;
    bool off = true;
    for (uint64_t n = 1; off; n += stride()) {
        for (int after = 0; after < 2; after++) {
            struct memfs *fs = memfs_clone(prepared);
            memfs_cut_at_sync(fs, n, after != 0);
            run_script(*state, fs);
            off = memfs_is_off(fs);
            for (int mode = MEMFS_LOST; off && mode <= MEMFS_TORN; mode++) {
                struct memfs *found =
                    memfs_after_cut(fs, (enum memfs_mode)mode, n * 7 + (unsigned)after);
                check_after(found, *state, "cut", n);
                memfs_free(found);
                cuts++;
            }
            memfs_free(fs);
        }
    }
    print_message("power: %llu cuts looked at\n", (unsigned long long)cuts);
    assert_true(cuts >= 20 / stride());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_fault),
        cmocka_unit_test(test_fail_every_call),
        cmocka_unit_test(test_cut_at_every_sync),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
