/* The door over an in-memory store: places, names, roles, seals, versions, filing, refusals. */
#include "tests/unit/casework_fixture.h"

static void test_settles_and_seals(void **state)
{
    struct world *world = *state;
    struct catalog_node node;
    put(world, STAGE "/a.txt", "证据", &node);
    assert_state(world, STAGE "/a.txt", CATALOG_STAGING);
    for (int i = 0; i < 5000 && node.version.state == CATALOG_STAGING; i++) {
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
        assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/a.txt", &node), 0);
    }
    assert_int_equal(node.version.state, CATALOG_SEALED);
    assert_content(world, node.id, "证据");
    assert_int_equal(world_audit(world), 0);
    reopen(world);
    assert_state(world, STAGE "/a.txt", CATALOG_SEALED);
    assert_content(world, node.id, "证据");
}

static void test_sealed_refuses(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor officer = world_actor(WORLD_OFFICER), root = world_actor(0);
    struct catalog_node node, folder;
    struct door_open_info info;
    struct door_file *file;
    put(world, STAGE "/a.txt", "evidence", &node);
    assert_int_equal(door_open(door, &officer, node.id, true, false, &file, &info), 0);
    assert_int_equal(door_flush(file, false), 0);
    struct door_file *early = file; /* a descriptor opened before the seal */
    door_release(early);
    assert_int_equal(door_open(door, &officer, node.id, false, false, &early, &info), 0);
    seal(world, &node);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    const struct door_actor *actors[] = {&officer, &root};
    for (int i = 0; i < 2; i++) {
        const struct door_actor *actor = actors[i];
        assert_int_equal(door_open(door, actor, node.id, true, false, &file, &info), SR_ERR_SEALED);
        assert_int_equal(door_open(door, actor, node.id, true, true, &file, &info), SR_ERR_SEALED);
        assert_int_equal(door_truncate(door, actor, node.id, NULL, 3), SR_ERR_SEALED);
        assert_int_equal(door_unlink(door, actor, folder.id, "a.txt"), SR_ERR_SEALED);
        assert_int_equal(door_rename(door, actor, folder.id, "a.txt", folder.id, "b.txt", false),
                         SR_ERR_SEALED);
        assert_int_equal(door_set_mtime(door, actor, node.id, 5), SR_ERR_SEALED);
        assert_int_equal(door_set_mode(door, actor, node.id, 0444), SR_ERR_SEALED);
        assert_int_equal(door_refuse_mutation(door, actor, node.id, "chown", SR_ERR_DENIED),
                         SR_ERR_SEALED);
        assert_int_equal(door_rmdir(door, actor, folder.parent, "02调查取证"), SR_ERR_SEALED);
        assert_int_equal(
            door_rename(door, actor, CATALOG_ROOT, "2026", CATALOG_ROOT, "2025", false),
            SR_ERR_SEALED);
    }
    uint8_t byte;
    size_t got;
    assert_int_equal(door_write(early, &officer, 0, "x", 1), SR_ERR_INVALID);
    assert_int_equal(door_read(early, 0, &byte, 1, &got), 0);
    assert_int_equal(byte, 'e');
    door_release(early);
    assert_content(world, node.id, "evidence");
    assert_notice(world, WORLD_OFFICER, "已封存");
    assert_notice(world, WORLD_OFFICER, "/2026/案/02调查取证/a.txt");
    struct catalog_counts counts;
    assert_int_equal(catalog_counts(door_catalog(door), &counts), 0);
    assert_true(counts.refusals >= 14);
}

static void test_roles(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor stranger = world_actor(WORLD_STRANGER), root = world_actor(0);
    struct door_actor supervisor = world_actor(WORLD_SUPERVISOR),
                      sysadmin = world_actor(WORLD_SYSADMIN);
    struct catalog_node node, folder;
    struct door_open_info info;
    struct door_file *file;
    put(world, STAGE "/a.txt", "x", &node);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(door_getattr(door, &stranger, CATALOG_ROOT, &node), SR_ERR_DENIED);
    assert_int_equal(world_find(world, 0, STAGE, &node), 0); /* root sees case and stage names */
    assert_int_equal(world_find(world, 0, STAGE "/a.txt", &node), 0);
    assert_int_equal(door_open(door, &root, node.id, false, false, &file, &info), SR_ERR_DENIED);
    assert_int_equal(door_create(door, &root, folder.id, "r", false, &node, &file, &info),
                     SR_ERR_DENIED);
    assert_int_equal(door_create(door, &supervisor, folder.id, "s", false, &node, &file, &info),
                     SR_ERR_DENIED);
    assert_int_equal(world_find(world, WORLD_SUPERVISOR, STAGE "/a.txt", &node), 0);
    assert_int_equal(door_open(door, &supervisor, node.id, false, false, &file, &info), 0);
    door_release(file);
    assert_int_equal(world_find(world, WORLD_SYSADMIN, STAGE "/a.txt", &node), SR_ERR_NOT_FOUND);
    struct catalog_user user;
    const char *roles[] = {"officer"}, *mixed[] = {"auditor", "officer"};
    assert_int_equal(door_user_add(door, &supervisor, "chen", "陈", NULL, roles, 1, NULL, &user),
                     SR_ERR_DENIED);
    assert_int_equal(door_user_add(door, &sysadmin, "chen", "陈", NULL, mixed, 2, NULL, &user),
                     SR_ERR_INVALID);
    assert_int_equal(door_user_add(door, &sysadmin, "chen", "陈", NULL, roles, 1, NULL, &user), 0);
    assert_int_equal(user.uid, WORLD_SECOFF + 1);
    assert_int_equal(door_user_add(door, &sysadmin, "chen", "陈", NULL, roles, 1, NULL, &user),
                     SR_ERR_EXISTS);
    reopen(world);
    assert_int_equal(world_find(world, WORLD_SECOFF + 1, STAGE "/a.txt", &node), 0);
}

static void test_same_name_again(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_open_info info;
    struct door_file *file;
    struct catalog_node node, again;
    put(world, STAGE "/a.txt", "first", &node);
    assert_int_equal(door_open(world->door, &officer, node.id, true, true, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, "second", 6), 0);
    assert_int_equal(door_flush(file, false), 0);
    door_release(file);
    seal(world, &node);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/a.txt", &again), 0);
    assert_int_equal(again.id, node.id);
    assert_content(world, node.id, "second");
    struct catalog_counts counts;
    for (int i = 0; i < 2000; i++) { /* the superseded version is sealed on its own */
        struct timespec pause = {.tv_nsec = 2000000};
        assert_int_equal(catalog_counts(door_catalog(world->door), &counts), 0);
        if (counts.superseded == 1)
            break;
        nanosleep(&pause, NULL);
    }
    assert_int_equal(counts.superseded, 1);
    assert_int_equal(counts.sealed, 1);
    /* marked incomplete by its sender, the name takes a new version */
    assert_int_equal(door_record_incomplete(world->door, &officer, node.id, "传错了"), 0);
    assert_int_equal(door_open(world->door, &officer, node.id, true, true, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, "third", 5), 0);
    assert_int_equal(door_flush(file, false), 0);
    door_release(file);
    seal(world, &node);
    assert_content(world, node.id, "third");
    assert_int_equal(world_audit(world), 0);
    reopen(world);
    assert_content(world, node.id, "third");
}

static void test_temp_file_and_rename(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node target, temp, folder;
    put(world, STAGE "/报告.docx", "old", &target);
    put(world, STAGE "/~WRD0001.tmp", "new", &temp);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(door_rename(world->door, &officer, folder.id, "~WRD0001.tmp", folder.id,
                                 "报告.docx", false),
                     0);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/~WRD0001.tmp", &temp),
                     SR_ERR_NOT_FOUND);
    seal(world, &target);
    assert_content(world, target.id, "new");
    reopen(world);
    assert_content(world, target.id, "new");
    struct catalog_counts counts;
    assert_int_equal(catalog_counts(door_catalog(world->door), &counts), 0);
    assert_int_equal(counts.superseded, 1);
}

static void test_junk_drafts_empty(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node junk, draft, empty, folder, drafts;
    put(world, STAGE "/Thumbs.db", "junk", &junk);
    put(world, "2026/案/草稿/稿.txt", "draft", &draft);
    put(world, STAGE "/空.txt", "", &empty);
    assert_true(junk.junk);
    assert_true(draft.draft);
    assert_int_equal(door_seal(world->door, &officer, junk.id, 10), SR_ERR_INVALID);
    assert_int_equal(door_seal(world->door, &officer, draft.id, 10), SR_ERR_INVALID);
    assert_int_equal(door_seal(world->door, &officer, empty.id, 10), SR_ERR_INVALID);
    memfs_advance(world->fs, 3600 * SECOND_NS);
    struct timespec pause = {.tv_nsec = 50000000};
    nanosleep(&pause, NULL);
    assert_state(world, STAGE "/空.txt", CATALOG_STAGING);
    assert_state(world, "2026/案/草稿/稿.txt", CATALOG_STAGING);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(door_unlink(world->door, &officer, folder.id, "Thumbs.db"), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案/草稿", &drafts), 0);
    assert_int_equal(
        door_rename(world->door, &officer, drafts.id, "稿.txt", folder.id, "定稿.txt", false), 0);
    assert_int_equal(door_seal(world->door, &officer, draft.id, 20000), 0);
    assert_state(world, STAGE "/定稿.txt", CATALOG_SEALED);
    reopen(world);
    assert_state(world, STAGE "/空.txt", CATALOG_STAGING);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/Thumbs.db", &junk), SR_ERR_NOT_FOUND);
}

static void test_provisional_folders(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor officer = world_actor(WORLD_OFFICER), other = world_actor(WORLD_OFFICER2);
    struct catalog_node year, made, node;
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026", &year), 0);
    assert_int_equal(door_mkdir(door, &officer, year.id, "新建文件夹", &made), 0);
    assert_true(made.provisional);
    assert_int_equal(door_rename(door, &other, year.id, "新建文件夹", year.id, "x", false),
                     SR_ERR_DENIED);
    assert_int_equal(
        door_rename(door, &officer, year.id, "新建文件夹", year.id, "示例〔2026〕7号", false), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/示例〔2026〕7号/01受理立案", &node), 0);
    put(world, "2026/示例〔2026〕7号/01受理立案/a.txt", "x", &node);
    assert_int_equal(door_rmdir(door, &officer, year.id, "示例〔2026〕7号"), SR_ERR_NOT_EMPTY);
    seal(world, &node);
    assert_int_equal(door_rename(door, &officer, year.id, "示例〔2026〕7号", year.id, "y", false),
                     SR_ERR_SEALED);
    assert_int_equal(door_mkdir(door, &officer, year.id, "空案", &made), 0);
    uint64_t removed = made.id;
    assert_int_equal(door_rmdir(door, &officer, year.id, "空案"), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/空案", &made), SR_ERR_NOT_FOUND);
    assert_int_equal(door_mkdir(door, &officer, removed, "x", &node), SR_ERR_NOT_FOUND);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &node), 0);
    assert_int_equal(door_mkdir(door, &officer, node.id, "09别的", &made), SR_ERR_DENIED);
    assert_int_equal(door_rename(door, &officer, year.id, "案", year.id, "z", false), SR_ERR_FIXED);
}

static void test_names(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node folder, node;
    struct door_open_info info;
    struct door_file *file;
    char longest[258];
    memset(longest, 'n', sizeof longest);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    longest[256] = '\0';
    assert_int_equal(door_create(door, &officer, folder.id, longest, false, &node, &file, &info),
                     SR_ERR_NAME_TOO_LONG);
    longest[255] = '\0';
    assert_int_equal(door_create(door, &officer, folder.id, longest, false, &node, &file, &info),
                     0);
    door_release(file);
    assert_int_equal(door_create(door, &officer, folder.id, "\xff\xfe", false, &node, &file, &info),
                     SR_ERR_NAME_ENCODING);
    assert_int_equal(door_create(door, &officer, folder.id, "a\nb", false, &node, &file, &info),
                     SR_ERR_INVALID);
    put(world, STAGE "/Caf\xc3\xa9.txt", "x", &node);
    assert_int_equal(
        door_create(door, &officer, folder.id, "Cafe\xcc\x81.txt", false, &node, &file, &info),
        SR_ERR_NAME_TWIN);
    assert_int_equal(
        door_create(door, &officer, folder.id, "CAF\xc3\x89.txt", false, &node, &file, &info),
        SR_ERR_NAME_TWIN);
    assert_int_equal(door_rename(door, &officer, folder.id, "Caf\xc3\xa9.txt", folder.id,
                                 "CAF\xc3\x89.txt", false),
                     0); /* its own twin */
    assert_notice(world, WORLD_OFFICER, "a?b");
    assert_notice(world, WORLD_OFFICER, "255 字节");
    assert_notice(world, WORLD_OFFICER, "UTF-8 编码");
    assert_notice(world, WORLD_OFFICER, "大小写");
}

static void test_filing(void **state)
{
    struct world *world = *state;
    struct door *door = world->door;
    struct door_actor officer = world_actor(WORLD_OFFICER), other = world_actor(WORLD_OFFICER2);
    struct catalog_node node, stage, elsewhere, stub;
    char today[11], path[128];
    sr_time_local_date(memfs_io(world->fs)->now_ns(memfs_io(world->fs)), today);
    snprintf(path, sizeof path, "待归案/zhang/%s/录像.mp4", today);
    put(world, path, "video", &node);
    seal(world, &node);
    assert_int_equal(world_find(world, WORLD_OFFICER2, path, &stub), SR_ERR_NOT_FOUND);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案/05决定", &elsewhere), 0);
    assert_int_equal(door_record_file(door, &officer, node.id, stage.id, NULL, "", false),
                     SR_ERR_INVALID);
    assert_int_equal(door_record_file(door, &officer, node.id, stage.id, NULL, "本案现场", true),
                     SR_ERR_INVALID);
    assert_int_equal(door_record_file(door, &other, node.id, stage.id, NULL, "看不见", false),
                     SR_ERR_NOT_FOUND);
    assert_int_equal(door_record_file(door, &officer, node.id, stage.id, NULL, "本案现场", false),
                     0);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/录像.mp4", &node), 0);
    assert_content(world, node.id, "video");
    assert_int_equal(
        door_record_file(door, &officer, node.id, elsewhere.id, "录像2.mp4", "放错阶段", true), 0);
    reopen(world);
    door = world->door;
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案/05决定/录像2.mp4", &node), 0);
    assert_content(world, node.id, "video");
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/录像.mp4", &stub), 0);
    assert_int_equal(stub.kind, CATALOG_KIND_STUB);
    uint8_t *data;
    size_t len;
    assert_int_equal(world_read(world, WORLD_OFFICER, stub.id, &data, &len), 0);
    assert_int_equal(len, stub.version.size);
    assert_non_null(memmem(data, len, "05决定/录像2.mp4", strlen("05决定/录像2.mp4")));
    free(data);
    assert_int_equal(door_unlink(door, &officer, stub.parent, stub.name), SR_ERR_SEALED);
    assert_int_equal(world_audit(world), 0);
}

static void test_receipts(void **state)
{
    struct world *world = *state;
    struct catalog_node first, twin;
    uint8_t *data;
    size_t len;
    put(world, STAGE "/=a,\"b\".txt", "same", &first);
    put(world, STAGE "/c.txt", "same", &twin);
    seal(world, &first);
    seal(world, &twin);
    assert_int_equal(world_read(world, WORLD_OFFICER, CATALOG_RECEIPTS, &data, &len), 0);
    data = realloc(data, len + 1);
    data[len] = '\0';
    assert_memory_equal(data, "\xef\xbb\xbf", 3);
    assert_non_null(strstr((char *)data, "/=a,\"\"b\"\".txt\",4,"));
    assert_non_null(strstr((char *)data, ",是,\"/2026/案/02调查取证/=a,\"\"b\"\".txt\"\r\n"));
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    assert_int_equal(door_getattr(world->door, &officer, CATALOG_RECEIPTS, &node), 0);
    assert_int_equal(node.version.size, len);
    free(data);
    assert_int_equal(world_read(world, WORLD_OFFICER2, CATALOG_RECEIPTS, &data, &len), 0);
    assert_null(memmem(data, len, "c.txt", 5));
    free(data);
}

static void test_refusals_fold(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, folder;
    struct catalog_counts before, after;
    put(world, STAGE "/a.txt", "x", &node);
    seal(world, &node);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(catalog_counts(door_catalog(world->door), &before), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(door_unlink(world->door, &officer, folder.id, "a.txt"), SR_ERR_SEALED);
    for (int i = 0; i < 3000; i++) {
        struct timespec pause = {.tv_nsec = 2000000};
        nanosleep(&pause, NULL);
        assert_int_equal(catalog_counts(door_catalog(world->door), &after), 0);
        if (after.entries > before.entries + 1)
            break;
    }
    assert_true(after.entries > before.entries + 1);   /* the repeats were written */
    assert_true(after.entries <= before.entries + 10); /* and folded */
}

static void test_writer_died(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, folder;
    struct door_open_info info;
    struct door_file *file;
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(
        door_create(world->door, &officer, folder.id, "v.mp4", false, &node, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, "half", 4), 0);
    assert_int_equal(door_flush(file, true), 0);
    door_release(file);
    seal(world, &node);
    assert_state(world, STAGE "/v.mp4", CATALOG_INCOMPLETE);
    assert_int_equal(
        door_create(world->door, &officer, folder.id, "h.mp4", false, &node, &file, &info), 0);
    assert_int_equal(door_truncate(world->door, &officer, node.id, file, 100000), 0);
    assert_int_equal(door_write(file, &officer, 70000, "tail", 4), 0);
    assert_int_equal(door_flush(file, false), 0);
    door_release(file);
    seal(world, &node);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/h.mp4", &node), 0);
    assert_int_equal(node.version.state, CATALOG_INCOMPLETE);
    assert_int_equal(node.version.hole_count, 2);
}

static void test_commit_request_waits_for_the_close(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, folder;
    struct door_open_info info;
    struct door_file *file;
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(
        door_create(world->door, &officer, folder.id, "r.txt", true, &node, &file, &info), 0);
    assert_int_equal(door_set_mode(world->door, &officer, node.id, 0444), 0);
    memfs_advance(world->fs, 100 * SECOND_NS);
    struct timespec pause = {.tv_nsec = 20000000};
    nanosleep(&pause, NULL);
    assert_int_equal(door_write(file, &officer, 0, "late", 4),
                     0); /* not committed under the writer */
    assert_int_equal(door_flush(file, false), 0);
    door_release(file);
    for (int i = 0; i < 2000; i++) {
        nanosleep(&pause, NULL);
        assert_int_equal(world_find(world, WORLD_OFFICER, STAGE "/r.txt", &node), 0);
        if (node.version.state == CATALOG_SEALED)
            break;
    }
    assert_int_equal(node.version.state, CATALOG_SEALED);
    assert_content(world, node.id, "late");
}

static int take_hit(void *context, const struct catalog_node *hit, const char *snippet)
{
    (void)snippet;
    *(uint64_t *)context = hit->id;
    return 0;
}

static void test_search(void **state)
{
    struct world *world = *state;
    struct catalog_node node;
    struct door_actor officer = world_actor(WORLD_OFFICER), sysadmin = world_actor(WORLD_SYSADMIN);
    uint64_t found = 0, total;
    put(world, STAGE "/现场勘验视频.mp4", "v", &node);
    assert_int_equal(door_search(world->door, &officer, "勘验", 0, 10, take_hit, &found, &total),
                     0);
    assert_int_equal(found, node.id);
    assert_int_equal(total, 1);
    found = 0;
    assert_int_equal(door_search(world->door, &officer, "勘场", 0, 10, take_hit, &found, &total),
                     0);
    assert_int_equal(found, 0);
    assert_int_equal(door_search(world->door, &sysadmin, "勘验", 0, 10, take_hit, &found, &total),
                     SR_ERR_DENIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_settles_and_seals),
        TEST(test_sealed_refuses),
        TEST(test_roles),
        TEST(test_same_name_again),
        TEST(test_temp_file_and_rename),
        TEST(test_junk_drafts_empty),
        TEST(test_provisional_folders),
        TEST(test_names),
        TEST(test_filing),
        TEST(test_receipts),
        TEST(test_refusals_fold),
        TEST(test_writer_died),
        TEST(test_commit_request_waits_for_the_close),
        TEST(test_search),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
