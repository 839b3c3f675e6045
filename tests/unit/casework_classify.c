/* Classifying through the door: who may, what may be, and that lowering is the secoff's. */
#include "casework/classification.h"
#include "tests/unit/casework_fixture.h"

#define W CATALOG_MARK_WORK_SECRET
#define P CATALOG_MARK_PRIVACY
#define C CATALOG_MARK_COVERT

static int classify(struct world *world, uint32_t uid, uint64_t node, struct door_class class)
{
    struct door_actor actor = world_actor(uid);
    if (class.reason == NULL)
        class.reason = "依据清单";
    return door_classify(world->door, &actor, node, &class);
}

static int by_text(struct world *world, uint32_t uid, uint64_t node, const char *text)
{
    struct door_actor actor = world_actor(uid);
    return door_classify_text(world->door, &actor, node, text);
}

static void is(struct world *world, uint64_t id, uint32_t level, uint32_t marks)
{
    struct catalog_node node;
    assert_int_equal(catalog_get(door_catalog(world->door), id, &node), 0);
    assert_int_equal(node.level, level);
    assert_int_equal(node.marks, marks);
}

/* A day of the store's clock, so many years and days from now, as text. */
static const char *later(struct world *world, unsigned years, int days)
{
    static char texts[4][11];
    static unsigned next;
    char *text = texts[next++ % 4];
    int64_t now_ns = memfs_io(world->fs)->now_ns(memfs_io(world->fs));
    sr_day_text(sr_day_add_years(sr_day_local(now_ns), years) + days, text);
    return text;
}

static void test_who(void **state)
{
    struct world *world = *state;
    uint32_t head = add_user(world, "tou", NULL, "head"),
             secoff = add_user(world, "mi", NULL, "secoff");
    clear_for(world, "tou", CATALOG_TOP_SECRET);
    struct door_actor li = world_actor(WORLD_OFFICER2);
    struct door_class internal = {.level = CATALOG_INTERNAL},
                      privacy = {.level = -1, .set_marks = true, .marks = P};
    struct catalog_node theirs, mine, in, stage, own_case, root;
    put(world, STAGE "/a.txt", "x", &theirs);
    assert_int_equal(world_put(world, WORLD_OFFICER2, STAGE "/b.txt", "y", 1, &mine), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &in), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    assert_int_equal(door_case_open(world->door, &li, 2026, "李案", &own_case), 0);
    /* An officer: their own records, and what lies in cases where they are lead. */
    assert_int_equal(classify(world, WORLD_OFFICER2, mine.id, internal), 0);
    assert_failed(classify(world, WORLD_OFFICER2, theirs.id, internal), SR_ERR_DENIED,
                  "own records");
    assert_failed(classify(world, WORLD_OFFICER2, in.id, internal), SR_ERR_DENIED, "own records");
    assert_failed(classify(world, WORLD_OFFICER2, stage.id, internal), SR_ERR_DENIED,
                  "own records");
    assert_int_equal(classify(world, WORLD_OFFICER2, own_case.id, internal), 0);
    assert_int_equal(classify(world, WORLD_OFFICER, mine.id, privacy), 0); /* lead of the case */
    assert_int_equal(classify(world, WORLD_OFFICER, stage.id, privacy), 0);
    is(world, mine.id, CATALOG_INTERNAL, P);
    is(world, theirs.id, CATALOG_PUBLIC, P);
    is(world, stage.id, CATALOG_PUBLIC, P);
    is(world, in.id, CATALOG_PUBLIC, 0);
    /* A head and a secoff anywhere; the secoff sees no record, but may be given its id. */
    assert_int_equal(classify(world, head, own_case.id, privacy), 0);
    assert_int_equal(classify(world, secoff, theirs.id, internal), 0);
    is(world, theirs.id, CATALOG_INTERNAL, P);
    /* Others not at all. */
    assert_failed(classify(world, WORLD_SUPERVISOR, mine.id, internal), SR_ERR_DENIED, "classify");
    assert_failed(classify(world, WORLD_ARCHIVIST, mine.id, internal), SR_ERR_DENIED, "classify");
    assert_failed(classify(world, WORLD_SYSADMIN, in.id, internal), SR_ERR_DENIED, "classify");
    assert_failed(classify(world, 0, in.id, internal), SR_ERR_DENIED, "classify");
    /* Not everything. */
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026", &root), 0);
    assert_failed(classify(world, head, root.id, internal), SR_ERR_INVALID, "only a case");
    assert_failed(classify(world, head, CATALOG_NOTICE, internal), SR_ERR_INVALID, "only a case");
    assert_failed(classify(world, head, CATALOG_UNFILED, internal), SR_ERR_INVALID, "only a case");
    assert_int_equal(classify(world, head, 12345, internal), SR_ERR_NOT_FOUND);
    /* What the actor must not know of. */
    char path[128], today[11];
    sr_time_local_date(memfs_io(world->fs)->now_ns(memfs_io(world->fs)), today);
    snprintf(path, sizeof path, "待归案/zhang/%s", today);
    assert_int_equal(world_find(world, WORLD_OFFICER, path, &root), 0);
    strcat(path, "/c.txt");
    put(world, path, "z", &root);
    assert_int_equal(classify(world, WORLD_OFFICER2, root.id, internal), SR_ERR_NOT_FOUND);
    assert_int_equal(classify(world, WORLD_OFFICER, root.id, internal), 0);
    reopen(world);
    is(world, root.id, CATALOG_INTERNAL, 0);
    is(world, theirs.id, CATALOG_INTERNAL, P);
    assert_int_equal(world_audit(world), 0);
}

static void test_levels(void **state)
{
    static const unsigned years[] = {
        [CATALOG_CONFIDENTIAL] = 10, [CATALOG_SECRET] = 20, [CATALOG_TOP_SECRET] = 30};
    struct world *world = *state;
    struct catalog_node node;
    put(world, STAGE "/a.txt", "x", &node);
    for (int level = CATALOG_CONFIDENTIAL; level < CATALOG_LEVELS; level++)
        assert_failed(classify(world, WORLD_OFFICER, node.id,
                               (struct door_class){.level = level, .until = later(world, 1, 0)}),
                      SR_ERR_UNSUPPORTED, "涉密网络");
    assert_notice(world, WORLD_OFFICER, "定密");
    is(world, node.id, CATALOG_PUBLIC, 0);
    set_network(world, true);
    for (int level = CATALOG_CONFIDENTIAL; level < CATALOG_LEVELS; level++) {
        unsigned most = years[level];
        assert_failed(classify(world, WORLD_OFFICER, node.id,
                               (struct door_class){.level = level, .until = ""}),
                      SR_ERR_INVALID, "needs a 保密期限");
        assert_failed(classify(world, WORLD_OFFICER, node.id,
                               (struct door_class){.level = level, .until = later(world, most, 1)}),
                      SR_ERR_INVALID, "years from today");
        assert_failed(classify(world, WORLD_OFFICER, node.id,
                               (struct door_class){.level = level, .until = later(world, 0, 0)}),
                      SR_ERR_INVALID, "years from today");
        assert_failed(classify(world, WORLD_OFFICER, node.id,
                               (struct door_class){.level = level, .until = "2036-02-30"}),
                      SR_ERR_INVALID, "YYYY-MM-DD");
        assert_int_equal(
            classify(world, WORLD_OFFICER, node.id,
                     (struct door_class){.level = level, .until = later(world, most, 0)}),
            0);
        is(world, node.id, (uint32_t)level, 0);
    }
    assert_failed(classify(world, WORLD_OFFICER, node.id, (struct door_class){.level = 5}),
                  SR_ERR_INVALID, "0 to 4");
    /* What has been given before stays when the network is no longer one for secrets. */
    set_network(world, false);
    assert_int_equal(classify(world, WORLD_OFFICER, node.id,
                              (struct door_class){.level = -1, .set_marks = true, .marks = P}),
                     0);
    is(world, node.id, CATALOG_TOP_SECRET, P);
}

static void test_forms(void **state)
{
    struct world *world = *state;
    struct catalog_node node;
    char name[200], approver[128];
    put(world, STAGE "/a.txt", "x", &node);
    assert_failed(classify(world, WORLD_OFFICER, node.id,
                           (struct door_class){.level = 1, .until = later(world, 1, 0)}),
                  SR_ERR_INVALID, "保密期限 goes with");
    assert_failed(
        classify(world, WORLD_OFFICER, node.id, (struct door_class){.level = 1, .reason = ""}),
        SR_ERR_INVALID, "reason");
    /* Covert recording has an approver, once and for all. */
    struct door_class covert = {.level = -1, .set_marks = true, .marks = C};
    assert_failed(classify(world, WORLD_OFFICER, node.id, covert), SR_ERR_INVALID, "approved");
    covert.approver = "";
    assert_failed(classify(world, WORLD_OFFICER, node.id, covert), SR_ERR_INVALID, "approved");
    memset(name, 'n', sizeof name);
    name[128] = '\0';
    covert.approver = name;
    assert_failed(classify(world, WORLD_OFFICER, node.id, covert), SR_ERR_INVALID, "approver");
    covert.approver = "王局";
    assert_int_equal(classify(world, WORLD_OFFICER, node.id, covert), 0);
    assert_int_equal(classify(world, WORLD_OFFICER, node.id, (struct door_class){.level = 1}), 0);
    reopen(world);
    is(world, node.id, 1, C);
    assert_int_equal(catalog_approver(door_catalog(world->door), node.id, approver), 0);
    assert_string_equal(approver, "王局");
    /* What changes nothing is no act. */
    struct catalog_counts before, after;
    assert_int_equal(catalog_counts(door_catalog(world->door), &before), 0);
    assert_int_equal(classify(world, WORLD_OFFICER, node.id, (struct door_class){.level = 1}), 0);
    assert_int_equal(catalog_counts(door_catalog(world->door), &after), 0);
    assert_int_equal(before.entries, after.entries);
}

static void test_lowering(void **state)
{
    struct world *world = *state;
    uint32_t head = add_user(world, "tou", NULL, "head"),
             secoff = add_user(world, "mi", NULL, "secoff");
    clear_for(world, "tou", CATALOG_TOP_SECRET);
    struct catalog_node node;
    set_network(world, true);
    put(world, STAGE "/a.txt", "x", &node);
    seal(world, &node);
    assert_int_equal(
        classify(world, head, node.id,
                 (struct door_class){
                     .level = 2, .until = later(world, 5, 0), .set_marks = true, .marks = P | W}),
        0);
    const struct door_class lower[] = {
        {.level = 1},
        {.level = -1, .set_marks = true, .marks = P},
        {.level = -1, .set_marks = true, .marks = 0},
        {.level = -1, .until = later(world, 4, 0)},
        {.level = 3, .until = later(world, 4, 0)}, /* higher, but sooner over */
    };
    for (size_t i = 0; i < sizeof lower / sizeof lower[0]; i++) {
        assert_failed(classify(world, head, node.id, lower[i]), SR_ERR_DENIED, "secoff");
        assert_failed(classify(world, WORLD_OFFICER, node.id, lower[i]), SR_ERR_DENIED, "secoff");
        is(world, node.id, 2, P | W);
    }
    assert_int_equal(classify(world, head, node.id,
                              (struct door_class){.level = -1, .until = later(world, 6, 0)}),
                     0);
    assert_failed(classify(world, secoff, node.id, (struct door_class){.level = 1, .reason = ""}),
                  SR_ERR_INVALID, "reason");
    assert_int_equal(classify(world, secoff, node.id, lower[3]), 0);
    assert_int_equal(classify(world, secoff, node.id, lower[1]), 0);
    is(world, node.id, 2, P);
    assert_int_equal(classify(world, secoff, node.id, lower[0]), 0);
    reopen(world);
    is(world, node.id, 1, P);
    assert_int_equal(catalog_get(door_catalog(world->door), node.id, &node), 0);
    assert_int_equal(node.own_until, 0);
    struct door_actor reader = world_actor(WORLD_OFFICER);
    struct catalog_grant grant;
    assert_int_equal(door_view(world->door, &reader, node.id, "复核", 1, &grant), 0);
    assert_content(world, node.id, "x");
    assert_int_equal(world_audit(world), 0);
}

/* What is below follows, and what moves out of it. */
static void test_inherited(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node in, node, later_one, stage;
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &in), 0);
    put(world, STAGE "/a.txt", "x", &node);
    assert_int_equal(classify(world, WORLD_OFFICER, in.id,
                              (struct door_class){.level = 1, .set_marks = true, .marks = W}),
                     0);
    put(world, STAGE "/b.txt", "y", &later_one);
    is(world, node.id, 1, W);
    is(world, later_one.id, 1, W);
    seal(world, &node);
    assert_int_equal(door_case_open(world->door, &officer, 2026, "乙案", &in), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/乙案/02调查取证", &stage), 0);
    assert_int_equal(door_record_file(world->door, &officer, node.id, stage.id, NULL, "归错", true),
                     0);
    reopen(world);
    is(world, node.id, 0, 0);
    is(world, later_one.id, 1, W);
}

static void test_text(void **state)
{
    struct world *world = *state;
    uint32_t secoff = add_user(world, "mi", NULL, "secoff");
    struct catalog_node node;
    char text[64];
    put(world, STAGE "/a.txt", "x", &node);
    assert_int_equal(by_text(world, WORLD_OFFICER, node.id, "内部"), 0);
    is(world, node.id, 1, 0);
    assert_int_equal(by_text(world, WORLD_OFFICER, node.id, "内部 个人隐私"), 0);
    is(world, node.id, 1, P);
    assert_failed(by_text(world, WORLD_OFFICER, node.id, "内部"), SR_ERR_DENIED, "secoff");
    assert_failed(by_text(world, secoff, node.id, "公开"), SR_ERR_INVALID, "needs a reason");
    assert_failed(by_text(world, WORLD_OFFICER, node.id, "内部 个人隐私 隐蔽录音录像"),
                  SR_ERR_INVALID, "approved");
    assert_failed(by_text(world, WORLD_OFFICER, node.id, "秘密★10年 个人隐私"), SR_ERR_UNSUPPORTED,
                  "涉密网络");
    assert_failed(by_text(world, WORLD_OFFICER, node.id, "机要"), SR_ERR_INVALID, "no level");
    assert_failed(by_text(world, WORLD_OFFICER2, node.id, "内部 个人隐私"), SR_ERR_NOT_FOUND,
                  "no such record"); /* private: not theirs to know of */
    set_network(world, true);
    snprintf(text, sizeof text, "秘密★%s 个人隐私", later(world, 9, 0));
    assert_int_equal(by_text(world, WORLD_OFFICER, node.id, text), 0);
    assert_int_equal(by_text(world, WORLD_OFFICER, node.id, "秘密★10年 个人隐私"), 0);
    is(world, node.id, 2, P);
    assert_failed(by_text(world, WORLD_OFFICER, node.id, "秘密★11年 个人隐私"), SR_ERR_INVALID,
                  "10 years");
}

/* --- the words alone --- */

static void test_words(void **state)
{
    static const char *const good[][2] = {
        {"内部", "内部"},
        {"  internal\t", "内部"},
        {"秘密★2036-01-01", "秘密★2036-01-01"},
        {"confidential★10年", "秘密★2036-01-01"},
        {"机密★1年　个人隐私　工作秘密", "机密★2027-01-01 工作秘密 个人隐私"},
        {"covert trade_secret 4★30年", "绝密★2056-01-01 商业秘密 隐蔽录音录像"},
        {"privacy", "个人隐私"},
    };
    static const char *const bad[] = {"",
                                      " ",
                                      "　",
                                      "保密",
                                      "内部 内部",
                                      "内部 公开",
                                      "privacy 个人隐私",
                                      "秘密★",
                                      "秘密★2036",
                                      "秘密★0年",
                                      "秘密★100年",
                                      "秘密★年",
                                      "★2036-01-01",
                                      "个人隐私★1年",
                                      "秘密★1年★1年",
                                      "5",
                                      "秘密\xff",
                                      "秘密 ★10年"};
    char longest[CLASSIFICATION_TEXT_MAX + 2];
    struct classification parsed;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct sr_buf text = {0};
        if (classification_parse(good[i][0], 20454, &parsed) < 0)
            fail_msg("%s: %s", good[i][0], sr_error_message());
        classification_text(&parsed, &text);
        assert_string_equal(text.data, good[i][1]);
        sr_buf_free(&text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (classification_parse(bad[i], 20454, &parsed) != SR_ERR_INVALID)
            fail_msg("%s was taken", bad[i]);
    memset(longest, ' ', sizeof longest);
    longest[CLASSIFICATION_TEXT_MAX + 1] = '\0';
    assert_failed(classification_parse(longest, 20454, &parsed), SR_ERR_INVALID, "over");
    memcpy(longest, "公开", strlen("公开"));
    longest[CLASSIFICATION_TEXT_MAX] = '\0';
    assert_int_equal(classification_parse(longest, 20454, &parsed), 0);
    assert_string_equal(classification_level_name(4), "绝密");
    assert_string_equal(classification_level_name(5), "?");
    assert_string_equal(classification_mark_name(P), "个人隐私");
    assert_string_equal(classification_mark_name(3), "?");
}

/* Everybody may see everything: what is tested is who may classify. */
static int start_cleared(void **state)
{
    static const char *const accounts[] = {"zhang", "li", "wang", "zhao"};
    int status = start(state);
    for (size_t i = 0; status == 0 && i < sizeof accounts / sizeof accounts[0]; i++)
        clear_for(*state, accounts[i], CATALOG_TOP_SECRET);
    return status;
}
#define CLEARED(function) cmocka_unit_test_setup_teardown(function, start_cleared, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLEARED(test_who),
        CLEARED(test_levels),
        CLEARED(test_forms),
        CLEARED(test_lowering),
        CLEARED(test_inherited),
        CLEARED(test_text),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
