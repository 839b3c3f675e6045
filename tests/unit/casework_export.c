/* Export: what may leave, what is told of it, and that the same case as of the same entry is told in the same words,
 * whatever has happened since. */
#include "base/json.h"
#include "casework/label.h"
#include "catalog/dump.h"
#include "ledger/note.h"
#include "tests/unit/casework_fixture.h"

struct told {
    json_t *items; /* array */
    uint64_t begin;
};

static int collect(void *context, json_t *item)
{
    struct told *told = context;
    return json_array_append_new(told->items, item);
}

static int begin_for(struct world *world, uint32_t uid, const struct door_export *ask,
                     struct told *told)
{
    struct door_actor actor = world_actor(uid);
    struct door_export whole = *ask;
    struct catalog_node in_case;
    told->items = json_array();
    told->begin = 0;
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/案", &in_case), 0);
    whole.node = whole.node != 0 ? whole.node : in_case.id;
    whole.format = "tar";
    return door_export_begin(world->door, &actor, &whole, NULL, NULL, collect, told, &told->begin);
}

static struct told export_it(struct world *world, const struct door_export *ask)
{
    struct told told;
    if (begin_for(world, WORLD_ARCHIVIST, ask, &told) < 0)
        fail_msg("%s", sr_error_message());
    return told;
}

static void refused(struct world *world, uint32_t uid, const struct door_export *ask, int expected,
                    const char *words)
{
    struct told told;
    assert_failed(begin_for(world, uid, ask, &told), expected, words);
    assert_int_equal(json_array_size(told.items), 0);
    assert_int_equal(told.begin, 0);
    json_decref(told.items);
}

static const json_t *record_named(const struct told *told, const char *name)
{
    for (size_t i = 0; i < json_array_size(told->items); i++) {
        const json_t *item = json_array_get(told->items, i);
        const char *is = json_string_value(json_object_get(item, "name"));
        if (strcmp(json_string_value(json_object_get(item, "type")), "record") == 0 &&
            strcmp(is, name) == 0)
            return item;
    }
    return NULL;
}

static const json_t *the_case(const struct told *told)
{
    return json_array_get(told->items, 0);
}

static uint64_t number(const json_t *object, const char *member)
{
    uint64_t out = UINT64_MAX;
    assert_int_equal(sr_json_get_u64(object, member, &out), 0);
    return out;
}

static const char *text(const json_t *object, const char *member)
{
    const char *is = json_string_value(json_object_get(object, member));
    return is != NULL ? is : "";
}

static unsigned count_acts(const struct told *told, const char *act)
{
    unsigned count = 0;
    for (size_t i = 0; i < json_array_size(told->items); i++)
        count +=
            strcmp(text(json_object_get(json_array_get(told->items, i), "entry"), "act"), act) == 0;
    return count;
}

static const struct door_export latest = {.as_of = DOOR_EXPORT_LATEST};

static void label_all(struct world *world, const struct catalog_node *node)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    const struct door_label four[] = {
        {CATALOG_LABEL_CAPTURED, "2026-03-05 14:03", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PLACE, "利州区", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PERSON, "zhang", CATALOG_NO_OFFSET},
        {CATALOG_LABEL_PROVES, "无证经营", CATALOG_NO_OFFSET},
    };
    assert_int_equal(door_record_label(world->door, &officer, node->id, four, 4), 0);
}

static void add_record(struct world *world, const char *path, struct catalog_node *node)
{
    put(world, path, path, node);
    seal(world, node);
}

/* The proof of a record holds over the entry that is told with it, by the key that is told. */
static void assert_proof(const struct told *told, const json_t *record)
{
    const char *leaf = text(record, "leaf"), *proof = text(record, "proof");
    struct note_verifier verifier;
    struct note_checkpoint checkpoint;
    struct tlog_hash hash;
    uint64_t index;
    assert_int_equal(note_verifier_parse(text(the_case(told), "key"), &verifier), 0);
    assert_int_equal(tlog_leaf_hash(leaf, strlen(leaf), &hash), 0);
    assert_int_equal(note_proof_verify((const uint8_t *)proof, strlen(proof), &verifier, &hash,
                                       &index, &checkpoint),
                     0);
    assert_int_equal(index, number(record, "seal_index"));
    assert_true(checkpoint.size > number(the_case(told), "as_of"));
    assert_non_null(strstr(leaf, text(record, "sha256")));
}

static void test_told(void **state)
{
    struct world *world = *state;
    struct catalog_node a, b, unsealed;
    add_record(world, STAGE "/a.txt", &a);
    label_all(world, &a);
    add_record(world, STAGE "/b.txt", &b);
    put(world, STAGE "/c.txt", "c", &unsealed);
    put(world, "2026/案/草稿/d.txt", "d", &unsealed);
    struct told told = export_it(world, &latest);
    const json_t *record = record_named(&told, "a.txt");
    assert_string_equal(text(the_case(&told), "type"), "case");
    assert_string_equal(text(the_case(&told), "name"), "案");
    assert_int_equal(number(the_case(&told), "unsealed"), 1);
    assert_int_equal(number(the_case(&told), "left_out"), 0);
    assert_string_equal(text(record, "path"), "/" STAGE "/a.txt");
    assert_string_equal(text(record, "state"), "sealed");
    assert_int_equal(number(record, "entered"), 1);
    assert_int_equal(number(record, "size"), strlen(STAGE "/a.txt"));
    assert_int_equal(json_array_size(json_object_get(record, "labels")), 5);
    assert_proof(&told, record);
    assert_proof(&told, record_named(&told, "b.txt"));
    assert_null(record_named(&told, "c.txt"));
    assert_null(record_named(&told, "d.txt"));
    assert_int_equal(count_acts(&told, "case.open"), 1);
    assert_int_equal(count_acts(&told, "record.seal"), 2);
    assert_int_equal(count_acts(&told, "record.create"), 2); /* of what leaves, no other */
    json_decref(told.items);
    assert_int_equal(world_audit(world), 0);
}

static int rename_person(struct world *world)
{
    struct door_actor admin = world_actor(WORLD_SYSADMIN);
    struct door_user_change change = {.name = "改名", .clearance = -1};
    struct catalog_user user;
    assert_int_equal(catalog_user(door_catalog(world->door), WORLD_OFFICER, &user), 0);
    return door_user_set(world->door, &admin, user.account, &change, &user);
}

/* But for what is named by the moment of reading: nothing is. */
static void assert_same(const struct told *one, const struct told *other)
{
    assert_int_equal(json_array_size(one->items), json_array_size(other->items));
    for (size_t i = 0; i < json_array_size(one->items); i++)
        if (!json_equal(json_array_get(one->items, i), json_array_get(other->items, i)))
            fail_msg("item %zu differs: %s", i, text(json_array_get(one->items, i), "type"));
}

static void test_same_again(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node a, b;
    add_record(world, STAGE "/a.txt", &a);
    label_all(world, &a);
    struct told first = export_it(world, &latest), again = export_it(world, &latest);
    assert_same(&first, &again); /* an export is no act on the case in this sense */
    json_decref(again.items);
    assert_int_equal(rename_person(world), 0);
    add_record(world, "2026/案/03审核/别的.txt", &b);
    label_all(world, &b);
    struct door_label place = {CATALOG_LABEL_PLACE, "朝天区", CATALOG_NO_OFFSET};
    assert_int_equal(door_record_label(world->door, &officer, a.id, &place, 1), 0);
    reopen(world);
    struct door_export then = {.as_of = number(the_case(&first), "as_of")};
    again = export_it(world, &then);
    assert_same(&first, &again);
    json_decref(again.items);
    again = export_it(world, &latest);
    assert_non_null(record_named(&again, "别的.txt"));
    json_decref(again.items);
    json_decref(first.items);
}

/* Records come from elsewhere, with numbers of another case, and go elsewhere. */
static void test_refiled(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER),
                      archivist = world_actor(WORLD_ARCHIVIST);
    struct catalog_node other, a, b, here, there;
    assert_int_equal(door_case_open(world->door, &officer, 2026, "乙", &other), 0);
    add_record(world, "2026/乙/02调查取证/a.txt", &a);
    label_all(world, &a);
    add_record(world, "2026/乙/02调查取证/b.txt", &b);
    label_all(world, &b);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &here), 0);
    assert_int_equal(world_find(world, WORLD_OFFICER, "2026/乙/02调查取证", &there), 0);
    assert_int_equal(door_record_file(world->door, &archivist, b.id, here.id, NULL, "归错了", true),
                     0);
    struct told told = export_it(world, &latest);
    assert_int_equal(number(record_named(&told, "b.txt"), "entered"), 1);
    assert_string_equal(text(record_named(&told, "b.txt"), "place"), "/" STAGE "/b.txt");
    assert_null(record_named(&told, "a.txt"));
    struct door_export then = {.as_of = number(the_case(&told), "as_of")};
    json_decref(told.items);
    assert_int_equal(
        door_record_file(world->door, &archivist, b.id, there.id, NULL, "归错了", true), 0);
    refused(world, WORLD_ARCHIVIST, &latest, SR_ERR_NOT_FOUND, "no sealed record");
    told = export_it(world, &then); /* as it was, read where it lies now */
    assert_string_equal(text(record_named(&told, "b.txt"), "place"), "/" STAGE "/b.txt");
    assert_string_equal(text(record_named(&told, "b.txt"), "path"), "/2026/乙/02调查取证/b.txt");
    json_decref(told.items);
}

static void test_refused(void **state)
{
    struct world *world = *state;
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    struct catalog_node a, b, stage;
    refused(world, WORLD_ARCHIVIST, &latest, SR_ERR_NOT_FOUND, "no sealed record");
    add_record(world, STAGE "/a.txt", &a);
    add_record(world, STAGE "/b.txt", &b);
    refused(world, WORLD_SUPERVISOR, &latest, SR_ERR_DENIED, "may not export");
    refused(world, WORLD_OFFICER, &latest, SR_ERR_DENIED, "may not export");
    refused(world, WORLD_STRANGER, &latest, SR_ERR_DENIED, "not an account");
    refused(world, 0, &latest, SR_ERR_DENIED, "may not export");
    struct door_export ask = {.as_of = 1000000};
    refused(world, WORLD_ARCHIVIST, &ask, SR_ERR_INVALID, "there is no entry 1000000");
    ask.as_of = 0;
    refused(world, WORLD_ARCHIVIST, &ask, SR_ERR_INVALID, "was not opened yet");
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    ask = (struct door_export){.node = stage.id, .as_of = DOOR_EXPORT_LATEST};
    refused(world, WORLD_ARCHIVIST, &ask, SR_ERR_INVALID, "is no case");

    /* seen, but not opened by archivists */
    struct door_class class = {
        .level = -1, .set_marks = true, .marks = CATALOG_MARK_TRADE_SECRET, .reason = "配方"};
    assert_int_equal(door_classify(world->door, &secoff, b.id, &class), 0);
    refused(world, WORLD_ARCHIVIST, &latest, SR_ERR_DENIED, "b.txt");
    ask = (struct door_export){.as_of = DOOR_EXPORT_LATEST, .leave_out = true};
    struct told told = export_it(world, &ask);
    assert_int_equal(number(the_case(&told), "left_out"), 1);
    assert_null(record_named(&told, "b.txt"));
    assert_int_equal(count_acts(&told, "record.seal"), 1);
    json_decref(told.items);

    /* not there for them: not told, not counted */
    class = (struct door_class){.level = CATALOG_INTERNAL, .set_marks = true, .reason = "内部"};
    assert_int_equal(door_classify(world->door, &secoff, b.id, &class), 0);
    told = export_it(world, &latest);
    assert_int_equal(number(the_case(&told), "left_out"), 0);
    assert_null(record_named(&told, "b.txt"));
    assert_int_equal(count_acts(&told, "record.seal"), 1);
    json_decref(told.items);
}

/* 秘密 leaves encrypted, with a purpose; what is above, not at all. */
static void test_secret(void **state)
{
    struct world *world = *state;
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    struct door_class class = {
        .level = CATALOG_CONFIDENTIAL, .until = "2036-01-01", .reason = "定密"};
    struct catalog_node a;
    set_network(world, true);
    add_record(world, STAGE "/a.txt", &a);
    assert_int_equal(door_classify(world->door, &secoff, a.id, &class), 0);
    refused(world, WORLD_ARCHIVIST, &latest, SR_ERR_NOT_FOUND, "no sealed record");
    clear_for(world, "zhao", CATALOG_TOP_SECRET);
    refused(world, WORLD_ARCHIVIST, &latest, SR_ERR_DENIED, "须说明事由");
    struct door_export ask = {.as_of = DOOR_EXPORT_LATEST, .purpose = "移交"};
    refused(world, WORLD_ARCHIVIST, &ask, SR_ERR_DENIED, "须加密导出");
    ask.encrypted = true;
    struct told told = export_it(world, &ask);
    assert_int_equal(number(record_named(&told, "a.txt"), "level"), CATALOG_CONFIDENTIAL);
    assert_string_equal(text(record_named(&told, "a.txt"), "level_until"), "2036-01-01");
    assert_true(json_is_true(json_object_get(the_case(&told), "restricted")));
    json_decref(told.items);
    uint8_t *data; /* the purpose holds for the readings, too */
    size_t len;
    assert_int_equal(world_read(world, WORLD_ARCHIVIST, a.id, &data, &len), 0);
    free(data);
    class.level = CATALOG_SECRET;
    assert_int_equal(door_classify(world->door, &secoff, a.id, &class), 0);
    refused(world, WORLD_ARCHIVIST, &ask, SR_ERR_UNSUPPORTED, "须两人批准");
}

/* A folder that the exporter must not know of: neither it nor what is in it is told, and its record not counted. */
static void test_hidden_folder(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER), secoff = world_actor(WORLD_SECOFF);
    struct door_class class = {.level = CATALOG_INTERNAL, .reason = "内部"};
    struct catalog_node stage, folder, open, a;
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &stage), 0);
    assert_int_equal(door_mkdir(world->door, &officer, stage.id, "卧底", &folder), 0);
    assert_int_equal(door_mkdir(world->door, &officer, stage.id, "照片", &open), 0);
    add_record(world, STAGE "/卧底/线人.txt", &a);
    add_record(world, STAGE "/照片/a.txt", &a);
    assert_int_equal(door_classify(world->door, &secoff, folder.id, &class), 0);
    struct told told = export_it(world, &latest);
    char *whole = json_dumps(told.items, 0);
    assert_non_null(strstr(whole, "照片"));
    assert_null(strstr(whole, "卧底"));
    assert_null(strstr(whole, "线人"));
    assert_int_equal(count_acts(&told, "folder.make"), 1);
    assert_int_equal(count_acts(&told, "classify"), 0);
    free(whole);
    json_decref(told.items);
}

static void test_ended(void **state)
{
    struct world *world = *state;
    struct door_actor archivist = world_actor(WORLD_ARCHIVIST),
                      officer = world_actor(WORLD_OFFICER);
    static const char digest[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    struct catalog_node a;
    uint64_t index;
    add_record(world, STAGE "/a.txt", &a);
    struct told told = export_it(world, &latest);
    assert_failed(door_export_end(world->door, &archivist, told.begin, "abc", &index),
                  SR_ERR_INVALID, "64 hexadecimal digits");
    assert_failed(door_export_end(world->door, &archivist, told.begin - 1, digest, &index),
                  SR_ERR_NOT_FOUND, "is no export of yours");
    assert_failed(door_export_end(world->door, &officer, told.begin, digest, &index),
                  SR_ERR_NOT_FOUND, "is no export of yours");
    assert_failed(door_export_end(world->door, &archivist, 1u << 30, digest, &index),
                  SR_ERR_NOT_FOUND, "");
    assert_int_equal(door_export_end(world->door, &archivist, told.begin, digest, &index), 0);
    assert_true(index > told.begin);
    json_decref(told.items);
    told = export_it(world, &latest); /* what was exported before stands in no later one */
    assert_int_equal(count_acts(&told, "export.begin"), 0);
    json_decref(told.items);
    if (dump_check(door_catalog(world->door)) < 0)
        fail_msg("%s", sr_error_message());
    reopen(world);
    assert_int_equal(world_audit(world), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_told),   TEST(test_same_again),    TEST(test_refiled), TEST(test_refused),
        TEST(test_secret), TEST(test_hidden_folder), TEST(test_ended),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
