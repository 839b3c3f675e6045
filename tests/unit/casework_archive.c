/* 档号 and terms of keeping: archive.yaml and 类别 read strictly, numbers without gaps and apart by classification,
 * terms that only get longer, and numbers in a case that follow a classification at once. */
#include "base/json.h"
#include "casework/archive.h"
#include "casework/label.h"
#include "casework/retention.h"
#include "catalog/archived.h"
#include "catalog/dump.h"
#include "catalog/search_query.h"
#include "tests/unit/casework_fixture.h"

#define CLASSES_TEXT "门类:\n  - {名称: 执法, 代码: XZ}\n  - {名称: 录像, 代码: LX, 类型: 视频}\n"

/* --- the file --- */

static void refused(const char *text, const char *words)
{
    struct archive_rules *out;
    if (archive_rules_parse("archive.yaml", (const uint8_t *)text, strlen(text), &out) == 0)
        fail_msg("taken: %s", text);
    assert_null(out);
    if (strstr(sr_error_message(), words) == NULL)
        fail_msg("\"%s\": not %s", sr_error_message(), words);
}

static void test_file_mistakes(void **state)
{
    (void)state;
    refused("全宗号: X043\n", "archive.yaml:");
    refused("门类:\n  - {名称: 录像, 代码: LX, 类型: 视频}\n",
            "archive.yaml:1:1: one 门类 must be");
    refused("颜色: 红\n" CLASSES_TEXT, "archive.yaml:1:1: unknown key");
    refused("全宗号: X·43\n" CLASSES_TEXT, "archive.yaml:1:1: `X·43`: 全宗号 is");
    refused("全宗号: ''\n" CLASSES_TEXT, "全宗号 is");
    refused("门类:\n  - {名称: a, 代码: xz}\n", "archive.yaml:2:5: `xz`: 代码");
    refused(CLASSES_TEXT "  - {名称: b, 代码: XZ, 类型: 音频}\n",
            "archive.yaml:4:5: `XZ`: another");
    refused(CLASSES_TEXT "  - {名称: b, 代码: YY}\n", "another 门类 is for what has no 类型");
    refused(CLASSES_TEXT "  - {名称: b, 代码: YY, 类型: 磁带}\n", "类型 is");
    refused(CLASSES_TEXT "机构:\n  - {名称: a, 代码: A}\n  - {名称: b, 代码: A}\n",
            "archive.yaml:6:5: `A`: another 机构");
    refused(CLASSES_TEXT "机构:\n  - {名称: a, 代码: A}\n  - {名称: a, 代码: B}\n", "second time");
    refused(CLASSES_TEXT "机构:\n  - {名称: a, 代码: A-B}\n", "代码 of 机构");
    refused(CLASSES_TEXT "机构:\n  - {名称: a, 代码: JC}\n默认机构: JC\n", "默认机构 has this");
    refused(CLASSES_TEXT "件号位数: 04\n", "件号位数 is 3 to 8");
    refused(CLASSES_TEXT "件号位数: 9\n", "件号位数 is 3 to 8");
}

static void test_series(void **state)
{
    static const char text[] =
        "全宗号: X043\n" CLASSES_TEXT "机构:\n  - {名称: 法规科, 代码: FG}\n";
    struct archive_rules *archive, *shipped;
    char out[CATALOG_ARCHIVE_SERIES_MAX + 1], code[16];
    struct archive_subject subject = {
        .type = SEARCH_DOCUMENT, .year = 2026, .months = CATALOG_PERMANENT, .unit = "法规科"};
    (void)state;
    assert_int_equal(archive_rules_parse("a", (const uint8_t *)text, sizeof text - 1, &archive), 0);
    assert_int_equal(archive_rules_series(archive, &subject, out), 0);
    assert_string_equal(out, "X043-XZ·2026-Y-FG");
    subject = (struct archive_subject){.type = SEARCH_VIDEO,
                                       .level = 2,
                                       .marks = 13,
                                       .year = 2025,
                                       .months = 360,
                                       .unit = "法规科"};
    assert_int_equal(archive_rules_series(archive, &subject, out), 0);
    assert_string_equal(out, "X043-LX2D·2025-D30-FG");
    subject.unit = "别的科";
    assert_failed(archive_rules_series(archive, &subject, out), SR_ERR_INVALID, "“别的科”没有代码");
    archive_rules_period_code(120, code);
    assert_string_equal(code, "D10");
    archive_rules_period_code(6, code);
    assert_string_equal(code, "D1");
    archive_rules_free(archive);
    assert_int_equal(archive_rules_load(sr_io_posix(), "policy", &shipped), 0);
    assert_failed(archive_rules_series(shipped, &subject, out), SR_ERR_INVALID, "没有全宗号");
    assert_failed(archive_rules_series(NULL, &subject, out), SR_ERR_INVALID, "没有全宗号");
    archive_rules_free(shipped);
}

#define RULES                                                   \
    "期限:\n  - {名称: c, 范围: 案件, 期限: 10年}\n" \
    "  - {名称: f, 范围: 全部, 期限: 6个月}\n"

static struct retention *rules(const char *more)
{
    char text[1024];
    struct retention *out;
    snprintf(text, sizeof text, RULES "%s", more);
    if (retention_parse("retention.yaml", (const uint8_t *)text, strlen(text), &out) < 0)
        return NULL;
    return out;
}

static void test_categories(void **state)
{
    struct retention *none = rules(""), *thirty = rules("类别:\n  - {名称: 重要, 期限: 30年}\n");
    struct retention *twenty = rules("类别:\n  - {名称: 重要, 期限: 20年}\n");
    (void)state;
    assert_null(rules("类别:\n  - {名称: 短, 期限: 5个月}\n"));
    assert_non_null(
        strstr(sr_error_message(), "retention.yaml:5:5: `短`: nothing is kept for less"));
    assert_null(rules("类别:\n  - {名称: a, 期限: 1年}\n  - {名称: a, 期限: 2年}\n"));
    assert_non_null(strstr(sr_error_message(), "retention.yaml:6:5: `a` stands here a second"));
    assert_int_equal(retention_check_longer(twenty, thirty), 0);
    assert_failed(retention_check_longer(thirty, twenty), SR_ERR_INVALID,
                  "类别 “重要” would be kept for 20年");
    assert_int_equal(retention_check_longer(thirty, none), 0); /* in use or not: the next */
    assert_int_equal(retention_check_category(thirty, "重要"), 0);
    assert_failed(retention_check_category(none, "重要"), SR_ERR_INVALID, "“重要” is in use");
    retention_free(none);
    retention_free(thirty);
    retention_free(twenty);
}

/* --- at the door --- */

static void put_policy(struct world *world, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, WORLD_POLICY "/%s", name);
    memfs_io(world->fs)->unlink(memfs_io(world->fs), path);
    assert_int_equal(sr_io_create_file(memfs_io(world->fs), path, text, strlen(text), 0644), 0);
}

static int reload(struct world *world)
{
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    return door_policy_reload(world->door, &secoff);
}

static void enter(struct world *world, const char *path, struct catalog_node *node)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    const struct door_label four[] = {
        {CATALOG_LABEL_CAPTURED, "2026-03-05 14:03", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PLACE, "利州区", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PERSON, "zhang", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PROVES, "无证经营", CATALOG_NO_OFFSET},
    };
    put(world, path, path, node);
    seal(world, node);
    assert_int_equal(door_record_label(world->door, &officer, node->id, four, 4), 0);
}

static int classify(struct world *world, uint64_t node, int level)
{
    struct door_actor head = world_actor(WORLD_SECOFF);
    struct door_class class = {.level = level, .reason = "定密"};
    return door_classify(world->door, &head, node, &class);
}

static const char *number_of(struct world *world, uint64_t node)
{
    static char text[CATALOG_ARCHIVE_MAX + 1];
    struct catalog_archived archived;
    text[0] = '\0';
    if (catalog_archived(door_catalog(world->door), node, &archived) == 0)
        strcpy(text, archived.text);
    return text;
}

static int count_item(void *context, json_t *item)
{
    json_decref(item);
    ++*(unsigned *)context;
    return 0;
}

static int number_case(struct world *world, uint32_t uid, unsigned *given)
{
    struct door_actor actor = world_actor(uid);
    struct catalog_node in_case;
    *given = 0;
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &in_case), 0);
    return door_case_archive(world->door, &actor, in_case.id, count_item, given);
}

static void sound(struct world *world)
{
    if (dump_check(door_catalog(world->door)) < 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(world_audit(world), 0);
}

static int count_hit(void *context, const struct catalog_node *node, const char *snippet)
{
    (void)snippet;
    *(uint64_t *)context = node->id;
    return 0;
}

static void test_numbers(void **state)
{
    struct world *world = *state;
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    struct catalog_node a, b, c, d;
    uint64_t found = 0, total;
    unsigned given;
    enter(world, STAGE "/a.txt", &a);
    enter(world, STAGE "/b.txt", &b);
    enter(world, STAGE "/c.txt", &c);
    put(world, STAGE "/d.txt", "d", &d);
    seal(world, &d);
    assert_failed(number_case(world, WORLD_ARCHIVIST, &given), SR_ERR_INVALID, "没有全宗号");
    put_policy(world, "archive.yaml", "全宗号: X043\n" CLASSES_TEXT "默认机构: JC\n");
    assert_int_equal(reload(world), 0);
    assert_int_equal(classify(world, b.id, CATALOG_INTERNAL), 0);
    assert_int_equal(number_case(world, WORLD_OFFICER, &given), SR_ERR_DENIED);
    clear_for(world, "zhao", CATALOG_INTERNAL);
    if (number_case(world, WORLD_ARCHIVIST, &given) < 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(given, 3);
    assert_string_equal(number_of(world, a.id), "X043-XZ·2026-Y-JC-0001");
    assert_string_equal(number_of(world, b.id), "X043-XZ10·2026-Y-JC-0001");
    assert_string_equal(number_of(world, c.id), "X043-XZ·2026-Y-JC-0002"); /* no gap tells of b */
    assert_string_equal(number_of(world, d.id), "");
    assert_int_equal(number_case(world, WORLD_ARCHIVIST, &given), 0);
    assert_int_equal(given, 0);
    assert_failed(door_record_archive(world->door, &archivist, d.id, NULL), SR_ERR_INVALID,
                  "没有入卷");
    assert_int_equal(door_record_archive(world->door, &archivist, a.id, NULL), 0); /* the same */
    assert_int_equal(classify(world, c.id, CATALOG_INTERNAL), 0);
    assert_failed(door_record_archive(world->door, &archivist, c.id, NULL), SR_ERR_EXISTS,
                  "该记录的档号是 X043-XZ·2026-Y-JC-0002");
    assert_int_equal(door_record_archive(world->door, &archivist, c.id, "定密"), 0);
    assert_string_equal(number_of(world, c.id), "X043-XZ10·2026-Y-JC-0002");
    assert_int_equal(door_search(world->door, &archivist, "档号:X043-XZ10·2026-Y-JC-0002", 0, 10,
                                 count_hit, &found, &total),
                     0);
    assert_int_equal(total, 1);
    assert_int_equal(found, c.id);
    enter(world, STAGE "/e.txt", &d); /* 0002 of the plain series is not given again */
    assert_int_equal(number_case(world, WORLD_ARCHIVIST, &given), 0);
    assert_string_equal(number_of(world, d.id), "X043-XZ·2026-Y-JC-0003");
    json_t *labels;
    assert_int_equal(door_labels(world->door, &archivist, c.id, true, &labels), 0);
    assert_int_equal(json_array_size(json_object_get(labels, "archive_numbers")), 2);
    json_decref(labels);
    sound(world);
    reopen(world);
    assert_string_equal(number_of(world, c.id), "X043-XZ10·2026-Y-JC-0002");
    sound(world);
}

/* --- classification and numbers in the case --- */

static void entered_as(struct world *world, uint64_t node, const char *series, uint64_t number)
{
    struct catalog_entered entered;
    assert_int_equal(catalog_entered(door_catalog(world->door), node, &entered), 0);
    if (strcmp(entered.series, series) != 0 || entered.number != number)
        fail_msg("%s %llu, not %s %llu", entered.series, (unsigned long long)entered.number, series,
                 (unsigned long long)number);
}

static void test_classified_anew(void **state)
{
    struct world *world = *state;
    struct catalog_node a, b, in_case;
    enter(world, STAGE "/a.txt", &a);
    enter(world, STAGE "/b.txt", &b);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &in_case), 0);
    assert_int_equal(classify(world, b.id, CATALOG_INTERNAL), 0);
    entered_as(world, b.id, "1.0", 1);
    assert_int_equal(classify(world, in_case.id, CATALOG_INTERNAL), 0);
    entered_as(world, a.id, "1.0", 2); /* inherited */
    entered_as(world, b.id, "1.0", 1); /* as before: no second one */
    uint64_t size = ledger_size(world->ledger);
    assert_int_equal(classify(world, in_case.id, CATALOG_INTERNAL), 0);
    assert_int_equal(ledger_size(world->ledger), size);
    assert_int_equal(label_finish(world->door), 0);
    assert_int_equal(ledger_size(world->ledger), size);
    sound(world);
}

/* --- terms --- */

#define CATEGORIES                                                                              \
    RULES "类别:\n  - {名称: 一般, 期限: 10年}\n  - {名称: 重要, 期限: 30年}\n" \
          "  - {名称: 次要, 期限: 1年}\n"

static json_t *explained(struct world *world, uint64_t node)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    json_t *out;
    assert_int_equal(door_retention(world->door, &officer, node, &out), 0);
    return out;
}

static void kept(struct world *world, uint64_t node, const char *by, const char *name,
                 const char *until)
{
    json_t *out = explained(world, node), *reason;
    size_t i, deciding = 0;
    json_array_foreach(json_object_get(out, "reasons"), i, reason)
    {
        if (!json_is_true(json_object_get(reason, "decides")))
            continue;
        deciding++;
        assert_string_equal(json_string_value(json_object_get(reason, "by")), by);
        assert_string_equal(json_string_value(json_object_get(reason, "name")), name);
    }
    assert_int_equal(deciding, 1);
    if (until != NULL)
        assert_string_equal(json_string_value(json_object_get(out, "until")), until);
    json_decref(out);
}

/* Is this why, of something that was set? */
static bool says(struct world *world, uint64_t node, const char *why)
{
    json_t *out = explained(world, node), *reason;
    bool found = false;
    size_t i;
    json_array_foreach(json_object_get(out, "reasons"), i, reason)
    {
        const char *text = json_string_value(json_object_get(reason, "reason"));
        found |= text != NULL && strcmp(text, why) == 0;
    }
    json_decref(out);
    return found;
}

/* One story, longer than functions should be: every step stands on those before. */
static void test_terms(void **state)
{
    struct world *world = *state;
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node a, b, in_case, other, stage;
    struct door *door;
    put_policy(world, "retention.yaml", CATEGORIES);
    reopen(world);
    door = world->door;
    enter(world, STAGE "/a.txt", &a);
    enter(world, STAGE "/b.txt", &b);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &in_case), 0);
    kept(world, a.id, "rule", "c", NULL);
    assert_int_equal(door_retention_set(door, &officer, a.id, "重要", "r"), SR_ERR_DENIED);
    assert_failed(door_retention_set(door, &archivist, a.id, "无", "r"), SR_ERR_INVALID,
                  "没有“无”");
    assert_failed(door_retention_set(door, &archivist, a.id, "次要", "r"), SR_ERR_INVALID,
                  "（规则“c”），比所定的长");
    assert_failed(door_retention_set(door, &archivist, in_case.id, "次要", "r"), SR_ERR_INVALID,
                  "（规则“c”），比所定的长");
    assert_int_equal(door_retention_set(door, &archivist, a.id, "重要", ""), SR_ERR_INVALID);
    assert_int_equal(door_retention_set(door, &archivist, in_case.id, "重要", "影响大"), 0);
    kept(world, a.id, "category", "重要", NULL); /* inherited */
    uint64_t size = ledger_size(world->ledger);
    assert_int_equal(door_retention_set(door, &archivist, in_case.id, "重要", "影响大"), 0);
    assert_int_equal(ledger_size(world->ledger), size); /* no second act */
    assert_failed(door_retention_set(door, &archivist, a.id, "一般", "r"), SR_ERR_INVALID,
                  "（类别“重要”，影响大），比所定的长");
    assert_failed(door_retention_extend(door, &archivist, a.id, "2030-01-01", "r"), SR_ERR_INVALID,
                  "（类别“重要”，影响大），比所定的长");
    assert_failed(door_retention_extend(door, &archivist, a.id, "2030-13-01", "r"), SR_ERR_INVALID,
                  "is not a date");
    assert_int_equal(door_retention_extend(door, &archivist, a.id, "2099-01-01", "诉讼"), 0);
    kept(world, a.id, "extension", "延长", "2099-01-01");
    assert_failed(door_retention_extend(door, &archivist, a.id, "2098-12-31", "r"), SR_ERR_INVALID,
                  "现为至 2099-01-01（“延长”，诉讼），比所定的长");
    /* A case's extension stays with what is refiled out of it. */
    assert_int_equal(door_retention_extend(door, &archivist, in_case.id, "2100-01-01", "案"), 0);
    assert_int_equal(door_case_open(door, &officer, 2026, "另案", &other), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/另案/05决定", &stage), 0);
    assert_int_equal(door_record_file(door, &officer, b.id, stage.id, NULL, "放错", true), 0);
    kept(world, b.id, "extension", "延长", "2100-01-01");
    assert_int_equal(door_retention_extend(door, &archivist, in_case.id, "永久", "案"), 0);
    kept(world, b.id, "extension", "延长", "2100-01-01"); /* it had gone by then */
    kept(world, a.id, "extension", "延长", "");
    /* Why, where the reader may not look any more, is not said. */
    assert_true(says(world, b.id, "案"));
    assert_int_equal(classify(world, in_case.id, CATALOG_INTERNAL), 0);
    assert_false(says(world, b.id, "案"));
    kept(world, b.id, "extension", "延长", "2100-01-01");
    assert_int_equal(classify(world, in_case.id, CATALOG_PUBLIC), 0);
    /* The file. */
    put_policy(world, "retention.yaml", RULES);
    assert_failed(reload(world), SR_ERR_INVALID, "类别 “重要” is in use");
    put_policy(world, "retention.yaml", RULES "类别:\n  - {名称: 重要, 期限: 20年}\n");
    assert_failed(reload(world), SR_ERR_INVALID, "类别 “重要” would be kept for 20年");
    sound(world);
    reopen(world); /* nobody compared: what was set counts on */
    kept(world, b.id, "extension", "延长", "2100-01-01");
    json_t *out = explained(world, b.id);
    bool thirty = false;
    for (size_t i = 0; i < json_array_size(json_object_get(out, "reasons")); i++) {
        const json_t *reason = json_array_get(json_object_get(out, "reasons"), i);
        thirty |= strcmp(json_string_value(json_object_get(reason, "name")), "重要") == 0 &&
                  strcmp(json_string_value(json_object_get(reason, "period")), "30年") == 0 &&
                  strcmp(json_string_value(json_object_get(reason, "account")), "zhao") == 0;
    }
    json_decref(out);
    assert_true(thirty);
    sound(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_mistakes),
        cmocka_unit_test(test_series),
        cmocka_unit_test(test_categories),
        cmocka_unit_test_setup_teardown(test_numbers, start, stop),
        cmocka_unit_test_setup_teardown(test_classified_anew, start, stop),
        cmocka_unit_test_setup_teardown(test_terms, start, stop),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
