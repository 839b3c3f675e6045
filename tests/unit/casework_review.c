/* Defects of the door that a review found, each with the test that showed it. */
#include "tests/unit/casework_fixture.h"

static struct catalog_node at(struct world *world, uint32_t uid, const char *path)
{
    struct catalog_node node;
    int status = world_find(world, uid, path, &node);
    if (status < 0)
        fail_msg("%s: %s", path, sr_error_message());
    return node;
}

static int put_as(struct world *world, uint32_t uid, const char *path, const char *text,
                  struct catalog_node *node)
{
    return world_put(world, uid, path, text, strlen(text), node);
}

static void wait_state(struct world *world, const char *path, enum catalog_state state)
{
    struct catalog_node node = {0};
    for (int i = 0; i < 3000; i++) {
        struct timespec pause = {.tv_nsec = 2000000};
        node = at(world, WORLD_OFFICER, path);
        if (node.version.state == state)
            return;
        nanosleep(&pause, NULL);
    }
    fail_msg("%s is in state %d, not %d", path, node.version.state, state);
}

static void test_what_the_catalog_refuses_is_never_appended(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER), sysadmin = world_actor(WORLD_SYSADMIN);
    const char *roles[] = {"officer"};
    struct catalog_node node;
    struct catalog_user user;
    uint64_t size = ledger_size(world->ledger);
    assert_int_equal(door_case_open(world->door, &officer, 2026, "..", &node), SR_ERR_INVALID);
    assert_int_equal(door_case_open(world->door, &officer, 2026, ".", &node), SR_ERR_INVALID);
    assert_int_equal(door_user_add(world->door, &sysadmin, "qian", "", NULL, roles, 1, NULL, &user),
                     SR_ERR_INVALID);
    assert_true(ledger_size(world->ledger) <= size + 2); /* the refusals alone */
    reopen(world);
}

static void test_others_cannot_touch_what_is_unsealed(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor other = world_actor(WORLD_OFFICER2);
    struct door_open_info info;
    struct door_file *file;
    struct catalog_node node, mine, folder = at(world, WORLD_OFFICER, STAGE);
    put(world, STAGE "/a.mp4", "acknowledged", &node);
    assert_int_equal(door_rename(door, &other, folder.id, "a.mp4", folder.id, "x.tmp", false),
                     SR_ERR_DENIED);
    assert_int_equal(door_unlink(door, &other, folder.id, "a.mp4"), SR_ERR_DENIED);
    assert_int_equal(door_truncate(door, &other, node.id, NULL, 1), SR_ERR_DENIED);
    assert_int_equal(door_open(door, &other, node.id, true, false, &file, &info), SR_ERR_DENIED);
    assert_int_equal(door_open(door, &other, node.id, true, true, &file, &info), SR_ERR_DENIED);
    assert_int_equal(door_set_mtime(door, &other, node.id, 1), SR_ERR_DENIED);
    assert_content(world, node.id, "acknowledged");
    struct catalog_node drafts = at(world, WORLD_OFFICER, "2026/案/草稿");
    put(world, "2026/案/草稿/d.docx", "my draft", &node);
    assert_int_equal(put_as(world, WORLD_OFFICER2, "2026/案/草稿/e", "", &mine), 0);
    assert_int_equal(door_rename(door, &other, drafts.id, "e", drafts.id, "d.docx", false),
                     SR_ERR_DENIED);
    assert_content(world, node.id, "my draft");
    assert_notice(world, WORLD_OFFICER2, "他人尚未封存");
}

static void test_a_discard_is_durable_before_the_content_goes(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, folder = at(world, WORLD_OFFICER, STAGE);
    for (uint64_t n = 1; n <= 3; n++)
        for (int after = 0; after < 2; after++) {
            struct world each;
            struct memfs *fs = memfs_clone(prepared);
            assert_int_equal(world_open(&each, fs, 600 * SECOND_NS), 0);
            assert_int_equal(
                world_put(&each, WORLD_OFFICER, STAGE "/a.mp4", "acknowledged", 12, &node), 0);
            memfs_cut_at_sync(fs, n, after != 0);
            int unlinked = door_unlink(each.door, &officer, folder.id, "a.mp4");
            struct memfs *found = memfs_after_cut(fs, MEMFS_LOST, n);
            world_close(&each);
            memfs_free(fs);
            assert_int_equal(world_open(&each, found, 600 * SECOND_NS), 0);
            assert_int_equal(each.salvage.damaged, 0);
            assert_int_equal(each.salvage.orphans_kept, 0);
            int there = world_find(&each, WORLD_OFFICER, STAGE "/a.mp4", &node);
            if (there == 0) {
                uint8_t *data;
                size_t len;
                assert_int_equal(world_read(&each, WORLD_OFFICER, node.id, &data, &len), 0);
                assert_int_equal(len, 12);
                free(data);
            } else {
                assert_int_equal(there, SR_ERR_NOT_FOUND);
            }
            assert_true(unlinked < 0 || there < 0);
            world_close(&each);
            memfs_free(found);
        }
}

static void test_discarded_content_goes_at_the_next_start(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, folder = at(world, WORLD_OFFICER, STAGE);
    struct door_open_info info;
    struct door_file *file;
    static char big[300000];
    put(world, STAGE "/a.mp4", "", &node);
    assert_int_equal(door_open(world->door, &officer, node.id, true, false, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, big, sizeof big), 0);
    assert_int_equal(door_fsync(file), 0);
    assert_int_equal(door_unlink(world->door, &officer, folder.id, "a.mp4"), 0); /* still open */
    struct world each;
    struct memfs *found = memfs_clone(world->fs);
    door_release(file);
    assert_int_equal(world_open(&each, found, 600 * SECOND_NS), 0);
    assert_int_equal(each.salvage.orphans_kept, 0);
    assert_int_equal(world_audit(&each), 0);
    world_close(&each);
    memfs_free(found);
}

static void test_a_failed_write_makes_it_incomplete(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, folder = at(world, WORLD_OFFICER, STAGE);
    struct door_open_info info;
    struct door_file *file;
    static char block[1 << 20];
    assert_int_equal(
        door_create(world->door, &officer, folder.id, "a.mp4", false, &node, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, block, sizeof block), 0);
    assert_int_equal(door_fsync(file), 0);
    memfs_set_space(world->fs, 256 << 10); /* the catalog and the ledger go on */
    memfs_advance(world->fs, SECOND_NS);
    assert_int_equal(door_write(file, &officer, sizeof block, block, sizeof block),
                     SR_ERR_NO_SPACE);
    memfs_set_space(world->fs, UINT64_C(1) << 40);
    memfs_advance(world->fs, SECOND_NS);
    assert_int_equal(door_flush(file, false), 0);
    door_release(file);
    seal(world, &node);
    assert_state(world, STAGE "/a.mp4", CATALOG_INCOMPLETE);
    assert_notice(world, WORLD_OFFICER, "存储空间不足");
}

static void test_receipts_are_of_what_each_person_sent(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER), other = world_actor(WORLD_OFFICER2);
    struct catalog_node node, folder = at(world, WORLD_OFFICER, STAGE);
    struct door_open_info info;
    struct door_file *file;
    uint8_t *data;
    size_t len;
    assert_int_equal(
        door_create(world->door, &officer, folder.id, "D.mp4", false, &node, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, "cut off", 7), 0);
    assert_int_equal(door_flush(file, true), 0);
    door_release(file);
    seal(world, &node);
    assert_int_equal(door_open(world->door, &other, node.id, true, true, &file, &info), 0);
    assert_int_equal(door_write(file, &other, 0, "another", 7), 0);
    assert_int_equal(door_flush(file, false), 0);
    door_release(file);
    assert_int_equal(door_seal(world->door, &other, node.id, 20000), 0);
    assert_int_equal(world_read(world, WORLD_OFFICER, CATALOG_RECEIPTS, &data, &len), 0);
    assert_non_null(memmem(data, len, "D.mp4", 5));
    assert_null(memmem(data, len, ",是,", strlen(",是,"))); /* never on another's content */
    free(data);
    assert_int_equal(world_read(world, WORLD_OFFICER2, CATALOG_RECEIPTS, &data, &len), 0);
    assert_non_null(memmem(data, len, ",是,", strlen(",是,")));
    free(data);
}

static void test_a_cancelled_overwrite_gives_the_record_back(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER), other = world_actor(WORLD_OFFICER2);
    struct catalog_node node, folder = at(world, WORLD_OFFICER, STAGE);
    struct catalog_counts counts;
    struct door_open_info info;
    struct door_file *file;
    put(world, STAGE "/a.mp4", "complete first copy", &node);
    assert_int_equal(door_open(world->door, &officer, node.id, true, true, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, "part", 4), 0);
    for (int i = 0; i < 2000; i++) { /* the first copy is sealed as superseded meanwhile */
        struct timespec pause = {.tv_nsec = 2000000};
        assert_int_equal(catalog_counts(door_catalog(world->door), &counts), 0);
        if (counts.superseded == 1)
            break;
        nanosleep(&pause, NULL);
    }
    assert_int_equal(counts.superseded, 1);
    assert_int_equal(door_flush(file, false), 0);
    door_release(file);
    assert_int_equal(door_unlink(world->door, &officer, folder.id, "a.mp4"), 0);
    assert_state(world, STAGE "/a.mp4", CATALOG_SEALED);
    assert_content(world, node.id, "complete first copy");
    assert_int_equal(door_open(world->door, &other, node.id, true, true, &file, &info),
                     SR_ERR_SEALED);
    reopen(world);
    assert_state(world, STAGE "/a.mp4", CATALOG_SEALED);
}

static void test_folders_stay_in_their_stage(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node made, stage = at(world, WORLD_OFFICER, STAGE),
                              drafts = at(world, WORLD_OFFICER, "2026/案/草稿");
    assert_int_equal(door_mkdir(world->door, &officer, drafts.id, "f", &made), 0);
    assert_int_equal(door_rename(world->door, &officer, drafts.id, "f", stage.id, "f", false),
                     SR_ERR_DENIED);
    assert_int_equal(door_mkdir(world->door, &officer, stage.id, "g", &made), 0);
    assert_int_equal(door_rename(world->door, &officer, stage.id, "g", drafts.id, "g", false),
                     SR_ERR_DENIED);
    assert_int_equal(door_rename(world->door, &officer, stage.id, "g", stage.id, "h", false), 0);
    struct catalog_node h = at(world, WORLD_OFFICER, STAGE "/h");
    assert_int_equal(door_mkdir(world->door, &officer, stage.id, "i", &made), 0);
    assert_int_equal(door_rename(world->door, &officer, stage.id, "i", h.id, "i", false), 0);
    assert_int_equal(door_rename(world->door, &officer, stage.id, "h", made.id, "h", false),
                     SR_ERR_INVALID);
}

static void test_an_acknowledged_close_is_a_close(void **state)
{
    struct world *world = *state;
    (void)world;
    for (int k = 0; k < 10; k++) {
        struct world each;
        struct catalog_node node;
        struct memfs *fs = memfs_clone(prepared);
        assert_int_equal(world_open(&each, fs, 600 * SECOND_NS), 0);
        assert_int_equal(world_put(&each, WORLD_OFFICER, STAGE "/a.mp4", "whole", 5, &node), 0);
        memfs_cut_now(fs);
        struct memfs *found = memfs_after_cut(fs, MEMFS_LOST, (uint64_t)k);
        world_close(&each);
        memfs_free(fs);
        assert_int_equal(world_open(&each, found, 600 * SECOND_NS), 0);
        assert_int_equal(each.salvage.incomplete, 0);
        assert_int_equal(each.salvage.closed_waiting, 1);
        world_close(&each);
        memfs_free(found);
    }
}

static void test_a_killed_reader_changes_nothing(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    struct door_open_info info;
    struct door_file *file;
    put(world, STAGE "/a.mp4", "complete", &node);
    assert_int_equal(door_open(world->door, &officer, node.id, true, false, &file, &info), 0);
    assert_int_equal(door_flush(file, true), 0); /* killed before it wrote */
    door_release(file);
    seal(world, &node);
    assert_state(world, STAGE "/a.mp4", CATALOG_SEALED);
}

static void test_floods_are_folded(void **state)
{
    struct world *world = *state;
    struct door_actor stranger = world_actor(WORLD_STRANGER), officer = world_actor(WORLD_OFFICER);
    struct catalog_node folder = at(world, WORLD_OFFICER, STAGE), node;
    struct door_open_info info;
    struct door_file *file;
    char name[400];
    put(world, STAGE "/a.txt", "x", &node);
    world_stop_clock(world); /* else a slow machine spreads the flood over two minutes */
    uint64_t size = ledger_size(world->ledger);
    for (int i = 0; i < 500; i++) {
        memset(name, 'x', 300);
        snprintf(name + 300, 20, "%d", i);
        name[0] = (char)('a' + i % 26);
        name[1] = (char)('a' + i / 26);
        assert_int_equal(door_refuse_name(world->door, &stranger, CATALOG_ROOT, name, "mkdir",
                                          SR_ERR_NAME_TOO_LONG),
                         SR_ERR_DENIED);
    }
    assert_true(ledger_size(world->ledger) < size + 20);
    size_t keys = keys_unused(vault_keys(world->vault));
    size = ledger_size(world->ledger);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "%s", i % 2 == 0 ? "A.TXT" : "A.txt");
        assert_int_equal(
            door_create(world->door, &officer, folder.id, name, false, &node, &file, &info),
            SR_ERR_NAME_TWIN);
    }
    assert_int_equal(keys_unused(vault_keys(world->vault)), keys);
    for (int i = 0; i < 500; i++) {
        snprintf(name, sizeof name, "a\nb%d", i);
        door_create(world->door, &officer, folder.id, name, false, &node, &file, &info);
    }
    assert_true(ledger_size(world->ledger) < size + 130);
}

static void test_stubs(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER), root = world_actor(0);
    struct catalog_node node, stage = at(world, WORLD_OFFICER, STAGE),
                              review = at(world, WORLD_OFFICER, "2026/案/03审核");
    struct door_open_info info;
    struct door_file *file;
    put(world, STAGE "/a.mp4", "x", &node);
    seal(world, &node);
    assert_int_equal(door_record_file(world->door, &officer, node.id, review.id, NULL, "错", true),
                     0);
    put(world, STAGE "/b.mp4", "y", &node);
    assert_int_equal(
        door_rename(world->door, &officer, stage.id, "b.mp4", stage.id, "a.mp4", false),
        SR_ERR_SEALED);
    struct catalog_node stub = at(world, WORLD_OFFICER, STAGE "/a.mp4");
    assert_int_equal(door_open(world->door, &root, stub.id, false, false, &file, &info),
                     SR_ERR_DENIED);
    node = at(world, WORLD_OFFICER, "2026/案/03审核/a.mp4");
    assert_int_equal(
        door_record_file(world->door, &officer, node.id, stage.id, NULL, "还是原处", true), 0);
    assert_int_equal(at(world, WORLD_OFFICER, STAGE "/a.mp4").kind, CATALOG_KIND_RECORD);
    reopen(world);
    assert_int_equal(at(world, WORLD_OFFICER, STAGE "/a.mp4").kind, CATALOG_KIND_RECORD);
    wait_state(world, STAGE "/a.mp4", CATALOG_SEALED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_the_catalog_refuses_is_never_appended),
        TEST(test_others_cannot_touch_what_is_unsealed),
        TEST(test_a_discard_is_durable_before_the_content_goes),
        TEST(test_discarded_content_goes_at_the_next_start),
        TEST(test_a_failed_write_makes_it_incomplete),
        TEST(test_receipts_are_of_what_each_person_sent),
        TEST(test_a_cancelled_overwrite_gives_the_record_back),
        TEST(test_folders_stay_in_their_stage),
        TEST(test_an_acknowledged_close_is_a_close),
        TEST(test_a_killed_reader_changes_nothing),
        TEST(test_floods_are_folded),
        TEST(test_stubs),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
