/* Labels at the door: by the tool, by files beside a recording in both orders, by its name and metadata; numbers
 * without gaps; what is missing; flags; and none of it lost in a crash. */
#include <unistd.h>

#include "base/json.h"
#include "catalog/described.h"
#include "catalog/dump.h"
#include "casework/label.h"
#include "tests/unit/casework_fixture.h"

#define OFFICER2 WORLD_OFFICER2

/* Who looks: a label file's text is its content; everything else has what `media` says. */
struct fake {
    const char *media; /* JSON with ' for "; NULL: a type alone */
    _Atomic int looked;
};

static int look(void *context, const struct describer_job *job, const char **outcome,
                json_t **answer)
{
    struct fake *fake = context;
    char buf[8192];
    size_t got;
    int status = job->read(job->context, 0, buf, sizeof buf, &got);
    *outcome = "described";
    if (status == 0 && label_file_is_name(job->name)) {
        *answer = json_pack("{s:s}", "type", CATALOG_LABEL_FILE_TYPE);
        status = got > 0 ? job->text(job->context, buf, got) : 0;
    } else if (fake->media != NULL) {
        char *json = strdup(fake->media);
        for (char *c = json; *c != '\0'; c++)
            *c = *c == '\'' ? '"' : *c;
        *answer = json_loads(json, 0, NULL);
        assert_non_null(*answer);
        free(json);
    } else {
        *answer = json_pack("{s:s}", "type", "video/mp4");
    }
    fake->looked++;
    return status;
}

static void begin(struct world *world, struct fake *fake)
{
    assert_int_equal(describer_start(world->door, look, fake, &world->door->describer), 0);
}

static void wait_for_queue(struct world *world)
{
    uint64_t waiting = 1, described;
    for (int i = 0; i < 4000 && waiting > 0; i++) {
        usleep(2500);
        assert_int_equal(
            catalog_undescribed_counts(door_catalog(world->door), &waiting, &described), 0);
    }
    assert_int_equal(waiting, 0);
}

static void put_sealed(struct world *world, const char *path, const char *text,
                       struct catalog_node *node)
{
    put(world, path, text, node);
    seal(world, node);
}

static int label(struct world *world, uint32_t uid, uint64_t node, enum catalog_label which,
                 const char *value)
{
    struct door_actor actor = world_actor(uid);
    struct door_label one = {.label = which, .value = value, .offset_ms = CATALOG_NO_OFFSET};
    return door_record_label(world->door, &actor, node, &one, 1);
}

static json_t *labels_of(struct world *world, uint64_t node, bool history)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    json_t *out;
    if (door_labels(world->door, &officer, node, history, &out) < 0)
        fail_msg("%s", sr_error_message());
    return out;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL ? text : "";
}

/* The value in force, or "". *source may be NULL. */
static void in_force(struct world *world, uint64_t node, const char *word, const char *value,
                     const char *source)
{
    json_t *all = labels_of(world, node, false);
    const json_t *labels = json_object_get(all, "labels"), *found = NULL;
    for (size_t i = 0; i < json_array_size(labels); i++)
        if (strcmp(text_of(json_array_get(labels, i), "label"), word) == 0)
            found = json_array_get(labels, i);
    assert_string_equal(text_of(found, "value"), value);
    assert_string_equal(text_of(found, "source"), source);
    json_decref(all);
}

static uint64_t number_of(struct world *world, uint64_t node, const char *series)
{
    struct catalog_entered entered;
    int status = catalog_entered(door_catalog(world->door), node, &entered);
    if (status == SR_ERR_NOT_FOUND)
        return 0;
    assert_string_equal(entered.series, series);
    return entered.number;
}

/* All but 案件编号, which the place says. */
static void label_four(struct world *world, uint64_t node)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    const struct door_label four[] = {
        {CATALOG_LABEL_CAPTURED, "2026-03-05 14:03", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PLACE, "利州区东坝街道", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PERSON, "zhang", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PROVES, "无证经营", CATALOG_NO_OFFSET},
    };
    if (door_record_label(world->door, &officer, node, four, 4) < 0)
        fail_msg("%s", sr_error_message());
}

static void sound(struct world *world)
{
    if (dump_check(door_catalog(world->door)) < 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(world_audit(world), 0);
}

/* --- the tool --- */

static void test_tool(void **state)
{
    struct world *world = *state;
    struct catalog_node node, other;
    put_sealed(world, STAGE "/a.mp4", "a", &node);
    put_sealed(world, STAGE "/b.mp4", "b", &other);
    in_force(world, node.id, "case_number", "案", "place");
    in_force(world, node.id, "place", "", "");
    assert_int_equal(number_of(world, node.id, ""), 0);
    assert_int_equal(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_PLACE, "某处"), 0);
    assert_int_equal(number_of(world, node.id, ""), 0);
    label_four(world, node.id);
    in_force(world, node.id, "place", "利州区东坝街道", "tool");
    in_force(world, node.id, "captured", "2026-03-05T14:03:00+08:00", "tool");
    assert_int_equal(number_of(world, node.id, "0.0"), 1);
    label_four(world, other.id);
    assert_int_equal(number_of(world, other.id, "0.0"), 2);
    /* What was said stays on record, and a number is given once. */
    label_four(world, node.id);
    assert_int_equal(number_of(world, node.id, "0.0"), 1);
    json_t *all = labels_of(world, node.id, true);
    assert_int_equal(json_array_size(json_object_get(all, "labels")), 9);
    const json_t *first = json_array_get(json_object_get(all, "labels"), 0);
    assert_string_equal(text_of(first, "value"), "某处");
    assert_true(json_is_false(json_object_get(first, "in_force")));
    assert_string_equal(text_of(first, "account"), "zhang");
    json_decref(all);
    /* Taken back: the place speaks again, or nobody. */
    assert_int_equal(
        label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_CASE_NUMBER, "另〔2026〕9号"), 0);
    in_force(world, node.id, "case_number", "另〔2026〕9号", "tool");
    assert_int_equal(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_CASE_NUMBER, ""), 0);
    in_force(world, node.id, "case_number", "案", "place");
    sound(world);
    reopen(world);
    in_force(world, node.id, "place", "利州区东坝街道", "tool");
    assert_int_equal(number_of(world, other.id, "0.0"), 2);
    sound(world);
}

static void test_offsets(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    const struct door_label notes[] = {{CATALOG_LABEL_SPEAKER, "张三", 750000},
                                       {CATALOG_LABEL_IDENTITY, "店主", 750000},
                                       {CATALOG_LABEL_SPEAKER, "李四", 800000}};
    const struct door_label wrong = {CATALOG_LABEL_PLACE, "某处", 5};
    put_sealed(world, STAGE "/a.mp4", "a", &node);
    assert_int_equal(door_record_label(world->door, &officer, node.id, notes, 3), 0);
    assert_failed(door_record_label(world->door, &officer, node.id, &wrong, 1), SR_ERR_INVALID,
                  "没有时刻");
    json_t *all = labels_of(world, node.id, false);
    const json_t *labels = json_object_get(all, "labels");
    assert_int_equal(json_array_size(labels), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(labels, 2), "offset_ms")),
                     800000);
    json_decref(all);
}

static void test_refused(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, staged, stage;
    put_sealed(world, STAGE "/a.mp4", "a", &node);
    put(world, STAGE "/b.mp4", "b", &staged);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    assert_failed(label(world, WORLD_OFFICER, staged.id, CATALOG_LABEL_PLACE, "x"), SR_ERR_INVALID,
                  "sealed");
    assert_failed(label(world, WORLD_OFFICER, stage.id, CATALOG_LABEL_PLACE, "x"), SR_ERR_INVALID,
                  "sealed");
    assert_failed(label(world, WORLD_SUPERVISOR, node.id, CATALOG_LABEL_PLACE, "x"), SR_ERR_DENIED,
                  "may not label");
    assert_notice(world, WORLD_SUPERVISOR, "填写标签（label）");
    assert_int_equal(label(world, WORLD_SYSADMIN, node.id, CATALOG_LABEL_PLACE, "x"),
                     SR_ERR_NOT_FOUND);
    assert_failed(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_CAPTURED, "明天"),
                  SR_ERR_INVALID, "采集时间");
    assert_failed(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_SUBJECT, "91350100M000100Y44"),
                  SR_ERR_INVALID, "校验");
    assert_failed(door_record_label(world->door, &officer, node.id, NULL, 0), SR_ERR_INVALID,
                  "1 to 256");
    json_t *all = labels_of(world, node.id, true);
    assert_int_equal(json_array_size(json_object_get(all, "labels")), 0);
    json_decref(all);
}

/* --- name and metadata --- */

static void test_derived(void **state)
{
    struct world *world = *state;
    struct fake fake = {.media =
                            "{'type':'video/mp4','created':'2019-12-20T09:08:32Z','make':'SAMSUNG',"
                            "'model':'SM-1','latitude':32.4337,'longitude':105.82}"};
    struct catalog_node node, plain;
    begin(world, &fake);
    put_sealed(world, STAGE "/VID_20260102_030405.mp4", "a", &node);
    put_sealed(world, STAGE "/录像.mp4", "b", &plain);
    wait_for_queue(world);
    in_force(world, node.id, "captured", "2026-01-02T03:04:05+08:00", "name");
    in_force(world, node.id, "place", "32.433700,105.820000", "media");
    in_force(world, plain.id, "captured", "2019-12-20T17:08:32+08:00", "media");
    in_force(world, plain.id, "device", "SAMSUNG SM-1", "media");
    in_force(world, plain.id, "case_number", "案", "place");
    /* The last of the five by the tool. */
    assert_int_equal(label(world, WORLD_OFFICER, plain.id, CATALOG_LABEL_PERSON, "zhang"), 0);
    assert_int_equal(number_of(world, plain.id, ""), 0);
    assert_int_equal(label(world, WORLD_OFFICER, plain.id, CATALOG_LABEL_PROVES, "无证经营"), 0);
    assert_int_equal(number_of(world, plain.id, "0.0"), 1);
    /* Looked at again: the history says it once. */
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    assert_int_equal(door_reindex(world->door, &archivist, plain.id), 0);
    wait_for_queue(world);
    json_t *all = labels_of(world, plain.id, true);
    assert_int_equal(json_array_size(json_object_get(all, "labels")), 5);
    for (size_t i = 0; i < 5; i++)
        assert_true(json_is_true(
            json_object_get(json_array_get(json_object_get(all, "labels"), i), "in_force")));
    json_decref(all);
    assert_int_equal(number_of(world, plain.id, "0.0"), 1);
    sound(world);
}

/* --- label files --- */

#define ROW(line, file, field, value)                                          \
    "{\"line\":" line ",\"file\":\"" file "\",\"labels\":[{\"field\":\"" field \
    "\",\"value\":\"" value "\"}]}\n"

static void test_list_beside(void **state)
{
    static const char list[] = ROW("2", "a.mp4", "place", "甲地")
        ROW("3", "后来.mp4", "采集地点", "乙地") ROW("4", "A2.MP4", "person", "李四")
            ROW("5", "a.mp4", "captured",
                "昨天") "{\"line\":6,\"error\":\"这一行有 9 列，标题有 7 列\"}\n"
                        "not JSON\n{}\n[1]\n" ROW("8", "a.mp4", "颜色", "红")
                            ROW("9", "没有.mp4", "place", "x");
    struct world *world = *state;
    struct fake fake = {0};
    struct catalog_node a, a2, later, file;
    begin(world, &fake);
    put_sealed(world, STAGE "/a.mp4", "a", &a);
    put_sealed(world, STAGE "/a2.mp4", "a2", &a2);
    wait_for_queue(world);
    put_sealed(world, STAGE "/标签.csv", list, &file);
    wait_for_queue(world);
    in_force(world, a.id, "place", "甲地", "list");
    in_force(world, a.id, "captured", "", "");
    in_force(world, a2.id, "person", "李四",
             "list"); /* names of one folder differ in more than case */
    assert_notice(world, WORLD_OFFICER, "标签.csv");
    assert_notice(world, WORLD_OFFICER, "已采用 2 条，2 条所说的文件还没有入库");
    assert_notice(world, WORLD_OFFICER, "第 5 行：采集时间不是一个存在的时间");
    assert_notice(world, WORLD_OFFICER, "第 6 行：这一行有 9 列");
    assert_notice(world, WORLD_OFFICER, "第 8 行：不认识的标签");
    /* The recording comes after its label. */
    put_sealed(world, STAGE "/后来.mp4", "c", &later);
    wait_for_queue(world);
    in_force(world, later.id, "place", "乙地", "list");
    assert_notice(world, WORLD_OFFICER, "已采用 3 条，1 条所说的文件还没有入库");
    /* The label file is read again: nothing is said twice. */
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    assert_int_equal(door_reindex(world->door, &archivist, file.id), 0);
    assert_int_equal(door_reindex(world->door, &archivist, later.id), 0);
    wait_for_queue(world);
    json_t *all = labels_of(world, later.id, true);
    assert_int_equal(json_array_size(json_object_get(all, "labels")), 1);
    const json_t *one = json_array_get(json_object_get(all, "labels"), 0);
    assert_string_equal(text_of(one, "file"), "/" STAGE "/标签.csv");
    assert_string_equal(text_of(one, "account"), "zhang");
    json_decref(all);
    sound(world);
}

#define FIELDS(line, fields) "{\"line\":" line ",\"labels\":[" fields "]}\n"
#define FIELD(field, value) "{\"field\":\"" field "\",\"value\":\"" value "\"}"

static void test_own_file_and_default(void **state)
{
    struct world *world = *state;
    struct fake fake = {0};
    struct catalog_node a, b, file, list;
    begin(world, &fake);
    put_sealed(world, STAGE "/标签.yaml",
               FIELDS("1", FIELD("place", "都在这里") "," FIELD("person", "zhang") "," FIELD(
                               "proves", "无证经营") "," FIELD("captured", "2026-03-05 14:03")),
               &list);
    put_sealed(world, STAGE "/a.mp4", "a", &a);
    put_sealed(
        world, STAGE "/a.mp4.label.yaml",
        FIELDS("1",
               FIELD("place",
                     "这里") ",{\"field\":\"speaker\",\"value\":\"张三\",\"offset\":\"12:30\"}"),
        &file);
    put_sealed(world, STAGE "/b.mp4", "b", &b);
    wait_for_queue(world);
    in_force(world, a.id, "place", "这里", "file");
    in_force(world, a.id, "speaker", "张三", "file");
    in_force(world, b.id, "place", "都在这里", "list");
    assert_true(number_of(world, a.id, "0.0") + number_of(world, b.id, "0.0") == 3);
    /* The tool prevails over both, also when they are read again. */
    assert_int_equal(label(world, WORLD_OFFICER, a.id, CATALOG_LABEL_PLACE, "那里"), 0);
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST);
    assert_int_equal(door_reindex(world->door, &archivist, 0), 0);
    wait_for_queue(world);
    in_force(world, a.id, "place", "那里", "tool");
    assert_int_equal(number_of(world, file.id, ""), 0);
    assert_int_equal(number_of(world, list.id, ""), 0);
    sound(world);
}

/* Somebody's label file labels what they may label: not what others keep in their own 待归案. */
static void test_file_of_somebody(void **state)
{
    struct world *world = *state;
    struct fake fake = {0};
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    struct catalog_node a, file;
    struct door_user_change change = {.clearance = -1};
    static const char *const only[] = {"supervisor"};
    struct catalog_user user;
    begin(world, &fake);
    put_sealed(world, STAGE "/a.mp4", "a", &a);
    wait_for_queue(world);
    /* The sender has lost the right to label before the file is read. */
    describer_stop(world->door->describer);
    world->door->describer = NULL;
    put_sealed(world, STAGE "/标签.csv", ROW("2", "a.mp4", "place", "甲地"), &file);
    change.roles = only;
    change.role_count = 1;
    int status = door_user_set(world->door, &secoff, "zhang", &change, &user);
    if (status < 0)
        fail_msg("%s", sr_error_message());
    begin(world, &fake);
    wait_for_queue(world);
    struct door_actor officer2 = world_actor(OFFICER2);
    json_t *all;
    assert_int_equal(door_labels(world->door, &officer2, a.id, true, &all), 0);
    assert_int_equal(json_array_size(json_object_get(all, "labels")), 0);
    json_decref(all);
    assert_notice(world, WORLD_OFFICER, "第 2 行：您不能给这个文件填写标签");
}

/* --- pending, refiling, classes --- */

static int collect(void *context, json_t *item)
{
    return json_array_append_new(context, item);
}

static json_t *pending_of(struct world *world, uint32_t uid)
{
    struct door_actor actor = world_actor(uid);
    struct catalog_node in_case;
    json_t *out = json_array();
    assert_int_equal(world_find(world, uid, "2026/案", &in_case), 0);
    if (door_case_pending(world->door, &actor, in_case.id, collect, out) < 0)
        fail_msg("%s", sr_error_message());
    return out;
}

static void test_pending(void **state)
{
    struct world *world = *state;
    struct catalog_node node, other, draft;
    put_sealed(world, STAGE "/a.mp4", "a", &node);
    put_sealed(world, STAGE "/b.mp4", "b", &other);
    put(world, "2026/案/草稿/c.mp4", "c", &draft);
    assert_int_equal(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_PLACE, "某处"), 0);
    json_t *pending = pending_of(world, WORLD_OFFICER);
    assert_int_equal(json_array_size(pending), 2);
    const json_t *first = json_array_get(pending, 0);
    assert_string_equal(text_of(first, "path"), "/" STAGE "/a.mp4");
    assert_string_equal(text_of(first, "account"), "zhang");
    json_t *expected = json_pack("[s,s,s]", "采集时间", "采集人", "证明对象");
    assert_true(json_equal(json_object_get(first, "names"), expected));
    json_decref(expected);
    json_decref(pending);
    label_four(world, node.id);
    pending = pending_of(world, WORLD_OFFICER);
    assert_int_equal(json_array_size(pending), 1);
    json_decref(pending);
}

static void test_class_and_series(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_class privacy = {
        .level = -1, .set_marks = true, .marks = CATALOG_MARK_PRIVACY, .reason = "隐私"};
    struct catalog_node a, b, c;
    put_sealed(world, STAGE "/a.mp4", "a", &a);
    put_sealed(world, STAGE "/b.mp4", "b", &b);
    put_sealed(world, STAGE "/c.mp4", "c", &c);
    assert_int_equal(door_classify(world->door, &officer, b.id, &privacy), 0);
    label_four(world, a.id);
    label_four(world, b.id);
    label_four(world, c.id);
    assert_int_equal(number_of(world, a.id, "0.0"), 1);
    assert_int_equal(number_of(world, b.id, "0.4"), 1); /* whoever does not see b sees no gap */
    assert_int_equal(number_of(world, c.id, "0.0"), 2);
    sound(world);
}

static void test_filed(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, stage, in_case;
    char date[11], path[128];
    sr_time_local_date(world->fs != NULL ? memfs_io(world->fs)->now_ns(memfs_io(world->fs)) : 0,
                       date);
    struct catalog_node folder;
    assert_int_equal(world_find(world, WORLD_OFFICER, "待归案/zhang", &folder), 0);
    snprintf(path, sizeof path, "待归案/zhang/%s/a.mp4", date);
    put_sealed(world, path, "a", &node);
    label_four(world, node.id);
    assert_int_equal(number_of(world, node.id, ""), 0);
    json_t *all = labels_of(world, node.id, false);
    assert_int_equal(json_array_size(json_object_get(all, "missing")), 1);
    json_decref(all);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    assert_int_equal(
        door_record_file(world->door, &officer, node.id, stage.id, NULL, "归案", false), 0);
    assert_int_equal(number_of(world, node.id, "0.0"), 1);
    /* In another case it gets that one's next number; the first case's stays used. */
    assert_int_equal(door_case_open(world->door, &officer, 2026, "另案", &in_case), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/另案/02调查取证", &stage), 0);
    assert_int_equal(door_record_file(world->door, &officer, node.id, stage.id, NULL, "归错", true),
                     0);
    struct catalog_entered entered;
    assert_int_equal(catalog_entered(door_catalog(world->door), node.id, &entered), 0);
    assert_int_equal(entered.case_node, in_case.id);
    assert_int_equal(entered.number, 1);
    in_force(world, node.id, "case_number", "另案", "place");
    sound(world);
}

/* --- flags --- */

static bool has_flag(struct world *world, uint64_t node, const char *code, const char *words)
{
    json_t *all = labels_of(world, node, false);
    const json_t *flags = json_object_get(all, "flags");
    bool found = false;
    for (size_t i = 0; i < json_array_size(flags); i++)
        found |= strcmp(text_of(json_array_get(flags, i), "code"), code) == 0 &&
                 strstr(text_of(json_array_get(flags, i), "text"), words) != NULL;
    json_decref(all);
    return found;
}

static void test_flags(void **state)
{
    struct world *world = *state;
    struct door_actor secoff = world_actor(WORLD_SYSADMIN);
    struct door_user_change badge = {.clearance = -1,
                                     .badge = "川H001",
                                     .badge_from = "2020-01-01",
                                     .badge_until = "2026-03-04"};
    struct catalog_user user;
    struct catalog_node node;
    put_sealed(world, STAGE "/a.mp4", "a", &node);
    label_four(world, node.id);
    assert_true(has_flag(world, node.id, "badge_none", "没有登记"));
    int status = door_user_set(world->door, &secoff, "zhang", &badge, &user);
    if (status < 0)
        fail_msg("%s", sr_error_message());
    assert_true(has_flag(world, node.id, "badge_lapsed",
                         "2026-03-05 无效（有效期 2020-01-01 至 2026-03-04）"));
    assert_int_equal(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_PERSON, "川H001"), 0);
    assert_true(has_flag(world, node.id, "badge_lapsed", "2026-03-04"));
    assert_int_equal(
        label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_CAPTURED, "2026-03-04 23:59"), 0);
    assert_false(has_flag(world, node.id, "badge_lapsed", ""));
    assert_int_equal(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_PERSON, "川H002"), 0);
    assert_true(has_flag(world, node.id, "person_unknown", ""));
    assert_false(has_flag(world, node.id, "clock_off", ""));
    assert_int_equal(label(world, WORLD_OFFICER, node.id, CATALOG_LABEL_CLOCK, "+3600"), 0);
    assert_true(has_flag(world, node.id, "clock_off", "2026-03-04 22:59:00"));
}

/* --- crashes --- */

/* A number that a crash cut off from its label is given at the next start. */
static void test_number_after_a_crash(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct fake fake = {0};
    struct catalog_node node;
    uint64_t index = 0;
    put_sealed(world, STAGE "/a.mp4", "a", &node);
    json_t *labels = json_array();
    static const struct {
        enum catalog_label label;
        const char *value;
    } four[] = {{CATALOG_LABEL_CAPTURED, "2026-03-05T14:03:00+08:00"},
                {CATALOG_LABEL_PLACE, "p"},
                {CATALOG_LABEL_PERSON, "zhang"},
                {CATALOG_LABEL_PROVES, "q"}};
    for (int i = 0; i < 4; i++)
        json_array_append_new(labels,
                              label_json(four[i].label, four[i].value, CATALOG_NO_OFFSET, NULL));
    pthread_mutex_lock(&world->door->lock);
    assert_int_equal(
        label_append(world->door, &officer, &node, CATALOG_FROM_TOOL, 0, labels, &index), 0);
    pthread_mutex_unlock(&world->door->lock);
    reopen(world);
    assert_int_equal(number_of(world, node.id, ""), 0);
    begin(world, &fake);
    for (int i = 0; i < 4000 && number_of(world, node.id, "0.0") == 0; i++)
        usleep(2500);
    assert_int_equal(number_of(world, node.id, "0.0"), 1);
    sound(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_tool),
        TEST(test_offsets),
        TEST(test_refused),
        TEST(test_derived),
        TEST(test_list_beside),
        TEST(test_own_file_and_default),
        TEST(test_file_of_somebody),
        TEST(test_pending),
        TEST(test_class_and_series),
        TEST(test_filed),
        TEST(test_flags),
        TEST(test_number_after_a_crash),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
