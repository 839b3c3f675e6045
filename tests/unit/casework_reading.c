/* Reading what is restricted: a purpose is needed, a grant ends, and who read which bytes is on record. */
#include <errno.h>

#include "tests/unit/casework_fixture.h"

#define HOUR_NS (3600 * SECOND_NS)

static int classify(struct world *world, uint64_t node, uint32_t marks)
{
    struct door_actor actor = world_actor(WORLD_OFFICER);
    struct door_class class = {
        .level = -1, .set_marks = true, .marks = marks, .approver = "王局", .reason = "依据清单"};
    return door_classify(world->door, &actor, node, &class);
}

static int view(struct world *world, uint32_t uid, uint64_t node, const char *purpose,
                unsigned hours, struct catalog_grant *grant)
{
    struct door_actor actor = world_actor(uid);
    return door_view(world->door, &actor, node, purpose, hours, grant);
}

static int reads(struct world *world, uint32_t uid, uint64_t node)
{
    uint8_t *data = NULL;
    size_t len;
    int status = world_read(world, uid, node, &data, &len);
    free(data);
    return status;
}

struct views {
    struct catalog_view items[64];
    size_t count;
};

static int collect(void *context, const struct catalog_view *one)
{
    struct views *views = context;
    assert_true(views->count < 64);
    views->items[views->count++] = *one;
    return 0;
}

static struct views views_of(struct world *world, uint64_t node)
{
    struct views views = {.count = 0};
    assert_int_equal(catalog_views(door_catalog(world->door), node, collect, &views), 0);
    return views;
}

/* A sealed record of 300,000 bytes that a mark restricts. */
static uint64_t restricted(struct world *world, const char *path, uint32_t marks)
{
    struct catalog_node node;
    char *text = malloc(300001);
    memset(text, 'x', 300000);
    text[300000] = '\0';
    put(world, path, text, &node);
    free(text);
    seal(world, &node);
    assert_int_equal(classify(world, node.id, marks), 0);
    return node.id;
}

/* From here on time stands still: nothing is written because a reading has paused. */
static void stop_clock(struct world *world)
{
    world->clock_stop = true;
    pthread_join(world->clock, NULL);
    world->clock_runs = false;
}

static void test_a_purpose(void **state)
{
    struct world *world = *state;
    struct catalog_grant grant;
    struct catalog_node open;
    uint64_t node = restricted(world, STAGE "/商密.pdf", CATALOG_MARK_TRADE_SECRET);
    put(world, STAGE "/公开.pdf", "x", &open);
    assert_failed(reads(world, WORLD_OFFICER2, node), SR_ERR_DENIED, "view --purpose");
    assert_notice(world, WORLD_OFFICER2, "说明事由");
    assert_int_equal(reads(world, WORLD_OFFICER, node), SR_ERR_DENIED); /* its sender too: sealed */
    assert_int_equal(views_of(world, node).count, 0);
    /* What does not do. */
    assert_failed(view(world, WORLD_OFFICER2, node, "", 1, &grant), SR_ERR_INVALID, "purpose");
    assert_failed(view(world, WORLD_OFFICER2, node, NULL, 1, &grant), SR_ERR_INVALID, "purpose");
    assert_failed(view(world, WORLD_OFFICER2, node, "a\nb", 1, &grant), SR_ERR_INVALID, "control");
    assert_failed(view(world, WORLD_OFFICER2, node, "复核", 0, &grant), SR_ERR_INVALID, "hours");
    assert_failed(view(world, WORLD_OFFICER2, node, "复核", 25, &grant), SR_ERR_INVALID, "hours");
    assert_failed(view(world, WORLD_OFFICER2, CATALOG_ROOT, "复核", 1, &grant), SR_ERR_INVALID,
                  "record");
    assert_int_equal(view(world, WORLD_OFFICER2, 12345, "复核", 1, &grant), SR_ERR_NOT_FOUND);
    assert_failed(view(world, WORLD_SUPERVISOR, node, "复核", 1, &grant), SR_ERR_DENIED,
                  "whatever the purpose");
    assert_int_equal(reads(world, WORLD_SUPERVISOR, node), SR_ERR_DENIED);
    assert_int_equal(view(world, WORLD_STRANGER, node, "复核", 1, &grant), SR_ERR_DENIED);
    assert_int_equal(view(world, 0, node, "复核", 1, &grant), SR_ERR_DENIED);
    /* One that is needed by nobody is not recorded. */
    assert_int_equal(view(world, WORLD_OFFICER2, open.id, "复核", 1, &grant), 0);
    assert_int_equal(grant.index, 0);
    /* And with one it opens, for this person alone. */
    assert_int_equal(view(world, WORLD_OFFICER2, node, "复核", 1, &grant), 0);
    assert_true(grant.index > 0);
    assert_int_equal(reads(world, WORLD_OFFICER2, node), 0);
    assert_int_equal(reads(world, WORLD_OFFICER, node), SR_ERR_DENIED);
    struct views views = views_of(world, node);
    assert_int_equal(views.count, 1); /* before the bytes were given out */
    assert_int_equal(views.items[0].uid, WORLD_OFFICER2);
    assert_int_equal(views.items[0].grant, grant.index);
    assert_int_equal(views.items[0].opens, 1);
    assert_int_equal(views.items[0].ranges[0].start, 0);
    /* A restart keeps the grant, and what is on record. */
    reopen(world);
    assert_int_equal(reads(world, WORLD_OFFICER2, node), 0);
    views = views_of(world, node);
    assert_int_equal(views.items[views.count - 1].uid, WORLD_OFFICER2);
    assert_int_equal(world_audit(world), 0);
    /* When its time is over it is over. */
    memfs_advance(world->fs, 2 * HOUR_NS);
    assert_int_equal(reads(world, WORLD_OFFICER2, node), SR_ERR_DENIED);
}

static int read_at(struct door_file *file, uint64_t offset, size_t len)
{
    static uint8_t buf[70000];
    size_t got;
    int status = door_read(file, offset, buf, len, &got);
    if (status == 0)
        assert_int_equal(got, len);
    return status;
}

static void test_ranges_are_folded(void **state)
{
    struct world *world = *state;
    struct door_actor actor = world_actor(WORLD_OFFICER2);
    struct door_open_info info;
    struct door_file *file;
    struct catalog_grant grant;
    uint64_t node = restricted(world, STAGE "/商密.mp4", CATALOG_MARK_TRADE_SECRET);
    stop_clock(world);
    assert_int_equal(view(world, WORLD_OFFICER2, node, "复核", 2, &grant), 0);
    assert_int_equal(door_open(world->door, &actor, node, false, false, &file, &info), 0);
    assert_false(info.keep_cache); /* every read is asked for */
    assert_true(info.direct_io);
    assert_int_equal(views_of(world, node).count, 0);
    assert_int_equal(read_at(file, 1000, 100), 0);
    assert_int_equal(read_at(file, 1100, 50), 0);
    assert_int_equal(read_at(file, 200000, 65536), 0);
    assert_int_equal(read_at(file, 1000, 100), 0); /* again */
    struct views views = views_of(world, node);
    assert_int_equal(views.count, 1);
    assert_int_equal(views.items[0].range_count, 1);
    assert_int_equal(views.items[0].ranges[0].start, 1000);
    assert_int_equal(views.items[0].ranges[0].end, 1100);
    reading_flush(world->door, true);
    views = views_of(world, node);
    assert_int_equal(views.count, 2);
    assert_int_equal(views.items[1].opens, 0);
    assert_int_equal(views.items[1].range_count, 2);
    assert_int_equal(views.items[1].ranges[0].start, 1100);
    assert_int_equal(views.items[1].ranges[0].end, 1150);
    assert_int_equal(views.items[1].ranges[1].start, 200000);
    assert_int_equal(views.items[1].ranges[1].end, 265536);
    assert_false(views.items[1].coarse);
    /* What is on record is not put there again: neither by this handle nor by another. */
    assert_int_equal(read_at(file, 200000, 65536), 0);
    reading_flush(world->door, true);
    assert_int_equal(views_of(world, node).count, 2);
    door_release(file);
    assert_int_equal(door_open(world->door, &actor, node, false, false, &file, &info), 0);
    assert_int_equal(read_at(file, 200000, 10), 0);
    door_release(file);
    reading_flush(world->door, true);
    views = views_of(world, node);
    assert_int_equal(views.count, 3);
    assert_int_equal(views.items[2].opens, 1);
    assert_int_equal(views.items[2].range_count, 0);
    /* Closing in order writes what is left. */
    assert_int_equal(door_open(world->door, &actor, node, false, false, &file, &info), 0);
    assert_int_equal(read_at(file, 5000, 1), 0);
    door_release(file);
    reopen(world);
    views = views_of(world, node);
    assert_int_equal(views.count, 4);
    assert_int_equal(views.items[3].ranges[0].start, 5000);
    assert_int_equal(views.items[3].ranges[0].end, 5001);
}

static void test_many_ranges(void **state)
{
    struct world *world = *state;
    struct door_actor actor = world_actor(WORLD_OFFICER2);
    struct door_open_info info;
    struct door_file *file;
    struct catalog_grant grant;
    uint64_t node = restricted(world, STAGE "/商密.mp4", CATALOG_MARK_TRADE_SECRET);
    stop_clock(world);
    assert_int_equal(view(world, WORLD_OFFICER2, node, "复核", 2, &grant), 0);
    assert_int_equal(door_open(world->door, &actor, node, false, false, &file, &info), 0);
    for (uint64_t i = 0; i < 200; i++)
        assert_int_equal(read_at(file, i * 1000, 1 + i), 0);
    reading_flush(world->door, true);
    door_release(file);
    struct views views = views_of(world, node);
    assert_int_equal(views.count, 2);
    assert_int_equal(views.items[1].range_count, CATALOG_VIEW_RANGES);
    assert_true(views.items[1].coarse);
    for (uint64_t i = 1; i < 200; i++) { /* all that was read is within */
        bool within = false;
        for (size_t r = 0; r < views.items[1].range_count; r++)
            within |= views.items[1].ranges[r].start <= i * 1000 &&
                      views.items[1].ranges[r].end >= i * 1000 + 1 + i;
        assert_true(within);
    }
}

/* Many records at a time: the folding has room for some, and loses nothing of the others. */
static void test_many_records(void **state)
{
    struct world *world = *state;
    struct catalog_grant grant;
    struct catalog_node folder, nodes[300];
    char path[64];
    stop_clock(world);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    for (size_t i = 0; i < 300; i++) {
        snprintf(path, sizeof path, STAGE "/%zu.txt", i);
        put(world, path, "0123456789", &nodes[i]);
    }
    assert_int_equal(classify(world, folder.id, CATALOG_MARK_WORK_SECRET), 0);
    assert_int_equal(view(world, WORLD_OFFICER2, folder.id, "评查", 1, &grant), 0);
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < 300; i++)
            assert_int_equal(reads(world, WORLD_OFFICER2, nodes[i].id), 0);
    reading_flush(world->door, true);
    for (size_t i = 0; i < 300; i++) {
        struct views views = views_of(world, nodes[i].id);
        uint64_t opens = 0;
        for (size_t v = 0; v < views.count; v++)
            opens += views.items[v].opens;
        assert_int_equal(opens, 2);
        assert_int_equal(views.items[0].ranges[0].end, 10);
    }
    /* They are not sealed: their sender needs none. */
    assert_int_equal(reads(world, WORLD_OFFICER, nodes[0].id), 0);
}

static int grant_to(struct world *world, uint32_t by, uint64_t node, const char *account,
                    const char *until, struct catalog_grant *out)
{
    struct door_actor actor = world_actor(by);
    return door_grant(world->door, &actor, node, account, "承办本案", until, out);
}

static int count_grants(void *context, const struct catalog_grant *grant)
{
    (void)grant;
    ++*(int *)context;
    return 0;
}

static int grants_shown(struct world *world, uint32_t uid, bool all)
{
    struct door_actor actor = world_actor(uid);
    int count = 0, status = door_grants(world->door, &actor, all, count_grants, &count);
    return status < 0 ? status : count;
}

static void test_standing_grants(void **state)
{
    struct world *world = *state;
    uint32_t head = add_user(world, "tou", NULL, "head");
    struct door_actor lead = world_actor(WORLD_OFFICER), li = world_actor(WORLD_OFFICER2),
                      tou = world_actor(head);
    struct catalog_grant grant, other;
    struct catalog_node in;
    struct door_open_info info;
    struct door_file *file;
    char day[11], beyond[11], before[11];
    int32_t today = sr_day_local(memfs_io(world->fs)->now_ns(memfs_io(world->fs)));
    uint64_t node = restricted(world, STAGE "/隐私.mp4", CATALOG_MARK_PRIVACY);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &in), 0);
    sr_day_text(today + 30, day);
    sr_day_text(today + 367, beyond);
    sr_day_text(today - 1, before);
    assert_failed(grant_to(world, WORLD_OFFICER2, in.id, "zhang", day, &grant), SR_ERR_DENIED,
                  "may not grant");
    assert_failed(grant_to(world, head, in.id, "tou", day, &grant), SR_ERR_DENIED, "themselves");
    assert_failed(grant_to(world, head, in.id, "wu", day, &grant), SR_ERR_NOT_FOUND, "wu");
    assert_failed(grant_to(world, head, in.id, "zhang", beyond, &grant), SR_ERR_INVALID, "year");
    assert_failed(grant_to(world, head, in.id, "zhang", before, &grant), SR_ERR_INVALID, "today");
    assert_failed(grant_to(world, head, in.id, "zhang", "soon", &grant), SR_ERR_INVALID,
                  "YYYY-MM-DD");
    assert_failed(grant_to(world, head, node, "li", day, &grant), SR_ERR_INVALID,
                  "whatever the purpose"); /* private: li is nobody in this case */
    assert_int_equal(grant_to(world, head, in.id, "zhang", day, &grant), 0);
    assert_int_equal(reads(world, WORLD_OFFICER, node), 0);
    assert_int_equal(views_of(world, node).items[0].grant, grant.index);
    /* A stated purpose is nearer, and the grant is still there when it is over. */
    assert_int_equal(view(world, WORLD_OFFICER, node, "补正", 1, &other), 0);
    assert_int_equal(reads(world, WORLD_OFFICER, node), 0);
    struct views views = views_of(world, node);
    assert_int_equal(views.items[views.count - 1].grant, other.index);
    assert_int_equal(grants_shown(world, WORLD_OFFICER, false), 2);
    assert_int_equal(grants_shown(world, head, false), 1);
    assert_int_equal(grants_shown(world, WORLD_OFFICER2, false), 0);
    assert_int_equal(grants_shown(world, WORLD_OFFICER2, true), SR_ERR_DENIED);
    assert_int_equal(grants_shown(world, WORLD_SECOFF, true), 2);
    memfs_advance(world->fs, 2 * HOUR_NS);
    assert_int_equal(grants_shown(world, WORLD_OFFICER, false), 1);
    /* Ended, also for a file that is open. */
    assert_int_equal(door_open(world->door, &lead, node, false, false, &file, &info), 0);
    assert_int_equal(read_at(file, 0, 10), 0);
    assert_int_equal(door_grant_end(world->door, &li, grant.index), SR_ERR_NOT_FOUND);
    assert_int_equal(door_grant_end(world->door, &tou, grant.index), 0);
    assert_int_equal(read_at(file, 0, 10), SR_ERR_DENIED);
    door_release(file);
    assert_failed(door_grant_end(world->door, &tou, grant.index), SR_ERR_INVALID, "over");
    assert_int_equal(door_grant_end(world->door, &tou, 99999), SR_ERR_NOT_FOUND);
    reopen(world);
    assert_int_equal(reads(world, WORLD_OFFICER, node), SR_ERR_DENIED);
    assert_int_equal(grants_shown(world, WORLD_SECOFF, true), 2);
}

/* A file that is open when its record becomes restricted, or its grant ends by itself. */
static void test_open_files(void **state)
{
    struct world *world = *state;
    struct door_actor li = world_actor(WORLD_OFFICER2);
    struct catalog_grant grant;
    struct catalog_node node;
    struct door_open_info info;
    struct door_file *file;
    put(world, STAGE "/a.txt", "0123456789", &node);
    seal(world, &node);
    assert_int_equal(door_open(world->door, &li, node.id, false, false, &file, &info), 0);
    assert_true(info.keep_cache);
    assert_int_equal(read_at(file, 0, 10), 0);
    assert_int_equal(classify(world, node.id, CATALOG_MARK_WORK_SECRET), 0);
    assert_int_equal(read_at(file, 0, 10), SR_ERR_DENIED);
    assert_int_equal(view(world, WORLD_OFFICER2, node.id, "复核", 1, &grant), 0);
    assert_failed(read_at(file, 0, 10), SR_ERR_DENIED,
                  "open it again"); /* the kernel keeps pages of it */
    door_release(file);
    assert_int_equal(door_open(world->door, &li, node.id, false, false, &file, &info), 0);
    assert_int_equal(read_at(file, 0, 10), 0);
    memfs_advance(world->fs, 2 * HOUR_NS);
    assert_int_equal(read_at(file, 0, 10), SR_ERR_DENIED);
    door_release(file);
}

/* A handle for writing is no way around: an incomplete record may be opened so, to be sent again. */
static void test_a_writer_reads_nothing_else(void **state)
{
    struct world *world = *state;
    uint32_t station = add_user(world, "zhan", NULL, "station");
    struct door_actor actor = world_actor(station), lead = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    struct door_open_info info;
    struct door_file *file;
    put(world, STAGE "/a.txt", "0123456789", &node);
    seal(world, &node);
    assert_int_equal(door_record_incomplete(world->door, &lead, node.id, "重传"), 0);
    if (door_open(world->door, &actor, node.id, true, false, &file, &info) == 0) {
        assert_int_equal(read_at(file, 0, 10), SR_ERR_DENIED);
        door_release(file);
    }
    assert_int_equal(classify(world, node.id, CATALOG_MARK_WORK_SECRET), 0);
    actor = world_actor(WORLD_OFFICER2);
    assert_int_equal(door_open(world->door, &actor, node.id, true, false, &file, &info), 0);
    assert_failed(read_at(file, 0, 10), SR_ERR_DENIED, "view --purpose");
    door_release(file);
}

/* Whatever fails while the first bytes are put on record: they are given out only when they are. */
static void test_a_failing_disk(void **state)
{
    struct world *world = *state;
    struct catalog_grant grant;
    uint64_t node = restricted(world, STAGE "/a.pdf", CATALOG_MARK_WORK_SECRET), failed = 0;
    stop_clock(world);
    for (uint64_t n = 1;; n++) {
        assert_int_equal(view(world, WORLD_OFFICER2, node, "复核", 1, &grant), 0);
        memfs_fail_at(world->fs, n, EIO);
        int status = reads(world, WORLD_OFFICER2, node);
        bool fired = memfs_fired(world->fs);
        memfs_fail_at(world->fs, 0, 0);
        failed += status < 0;
        struct views views = views_of(world, node);
        if (status == 0) {
            assert_true(views.count > 0);
            assert_int_equal(views.items[views.count - 1].grant, grant.index);
            assert_true(ledger_committed(world->ledger) > views.items[views.count - 1].index);
        }
        assert_int_equal(reads(world, WORLD_OFFICER2, node), 0); /* and goes on */
        if (!fired)
            break;
    }
    assert_true(failed > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_purpose),
        TEST(test_ranges_are_folded),
        TEST(test_many_ranges),
        TEST(test_many_records),
        TEST(test_standing_grants),
        TEST(test_open_files),
        TEST(test_a_writer_reads_nothing_else),
        TEST(test_a_failing_disk),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
