/* What is sealed is looked into: one after the other, beside the seals; texts as objects; again after a
 * crash and on demand; and whoever looks badly costs a description and nothing else. */
#include <unistd.h>

#include "casework/audit.h"
#include "casework/texts.h"
#include "catalog/described.h"
#include "catalog/dump.h"
#include "tests/unit/casework_fixture.h"

#define TEXT "现场检查笔录：当事人未取得许可"

struct fake { /* one who looks */
    const char *outcome;
    bool no_answer, no_text;
    int status;             /* what the call returns */
    _Atomic int looked;     /* records */
    _Atomic int fail_first; /* so many calls fail as the machine does */
    uint8_t seen[4096];
    size_t seen_len;
};

static int look(void *context, const struct describer_job *job, const char **outcome,
                json_t **answer)
{
    struct fake *fake = context;
    int status = job->read(job->context, 0, fake->seen, sizeof fake->seen, &fake->seen_len);
    if (fake->fail_first > 0) {
        fake->fail_first--;
        return sr_fail(SR_ERR_NO_MEMORY, "no process today");
    }
    if (status == SR_ERR_DAMAGED) {
        *outcome = "unreadable";
        fake->looked++;
        return 0;
    }
    if (status == 0 && !fake->no_text)
        status = job->text(job->context, TEXT, 12);
    if (status == 0 && !fake->no_text)
        status = job->text(job->context, &TEXT[12], strlen(TEXT) - 12);
    *outcome = fake->outcome != NULL ? fake->outcome : "described";
    *answer = fake->no_answer ? NULL
                              : json_pack("{s:s, s:I}", "type", "video/mp4", "duration_ms",
                                          (json_int_t)(1000 + job->size));
    fake->looked++;
    return status < 0 ? status : fake->status;
}

static void begin(struct world *world, struct fake *fake)
{
    assert_int_equal(describer_start(world->door, look, fake, &world->door->describer), 0);
}

static void wait_until_done(struct world *world, uint64_t done)
{
    uint64_t waiting = 1, described = 0;
    for (int i = 0; i < 4000 && (waiting > 0 || described < done); i++) {
        usleep(2500);
        assert_int_equal(
            catalog_undescribed_counts(door_catalog(world->door), &waiting, &described), 0);
    }
    assert_int_equal(waiting, 0);
    assert_int_equal(described, done);
}

static void found(struct world *world, uint64_t node, struct catalog_description *out)
{
    struct catalog_node now;
    assert_int_equal(catalog_get(door_catalog(world->door), node, &now), 0);
    if (catalog_description(door_catalog(world->door), now.version.create_index, out) < 0)
        fail_msg("%s", sr_error_message());
}

static void test_described(void **state)
{
    struct world *world = *state;
    struct fake fake = {0};
    struct catalog_description description;
    struct catalog_node node;
    char *text;
    size_t len;
    begin(world, &fake);
    put(world, STAGE "/a.mp4", "a recording", &node);
    seal(world, &node);
    wait_until_done(world, 1);
    assert_int_equal(fake.seen_len, strlen("a recording"));
    assert_memory_equal(fake.seen, "a recording", fake.seen_len);
    found(world, node.id, &description);
    assert_string_equal(description.outcome, "described");
    assert_string_equal(description.media, "{\"duration_ms\":1011,\"type\":\"video/mp4\"}");
    assert_true(description.has_text);
    assert_int_equal(texts_read(world->vault, &description.text, &node.version.object, &text, &len),
                     0);
    assert_string_equal(text, TEXT);
    free(text);
    catalog_description_free(&description);
    if (dump_check(door_catalog(world->door)) < 0)
        fail_msg("%s", sr_error_message());
    assert_int_equal(world_audit(world), 0);
    reopen(world); /* no longer looked into by anybody: nothing waits */
    found(world, node.id, &description);
    assert_true(description.has_text);
    catalog_description_free(&description);
    assert_int_equal(world_audit(world), 0);
}

static void wait_until_looked(const struct fake *fake, int records)
{
    for (int i = 0; i < 4000 && fake->looked < records; i++)
        usleep(2500);
    assert_int_equal(fake->looked, records);
}

/* Nothing is looked into while content comes in, unless that goes on for long. */
static void test_uploads_come_first(void **state)
{
    struct world *world = *state;
    struct fake fake = {.no_text = true};
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node, other, folder;
    struct door_open_info info;
    struct door_file *file;
    int round;
    put(world, STAGE "/a.mp4", "a recording", &node);
    seal(world, &node);
    assert_int_equal(world_find(world, WORLD_OFFICER, STAGE, &folder), 0);
    assert_int_equal(
        door_create(world->door, &officer, folder.id, "b.mp4", false, &other, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, "more", 4), 0);
    world_stop_clock(world);
    begin(world, &fake);
    for (round = 0; round < 1000 && fake.looked == 0; round++) { /* 0.1 s each */
        assert_int_equal(door_write(file, &officer, 0, "more", 4), 0);
        memfs_advance(world->fs, SECOND_NS / 10);
        usleep(5000);
    }
    assert_in_range(round, 9, 999);
    wait_until_looked(&fake, 1);
    assert_int_equal(door_write(file, &officer, 0, "more", 4), 0);
    assert_int_equal(door_reindex(world->door, &officer, node.id), 0);
    usleep(250000);
    assert_int_equal(fake.looked, 1);
    memfs_advance(world->fs, SECOND_NS);
    wait_until_looked(&fake, 2);
    door_release(file);
}

/* The queue is in the ledger's view: what was sealed while nobody looked is looked into later. */
static void test_goes_on_after_a_restart(void **state)
{
    struct world *world = *state;
    struct fake fake = {.no_text = true};
    struct catalog_node nodes[5];
    uint64_t waiting, described;
    for (int i = 0; i < 5; i++) {
        char path[64];
        snprintf(path, sizeof path, STAGE "/%d.jpg", i);
        put(world, path, "photograph", &nodes[i]);
        seal(world, &nodes[i]);
    }
    reopen(world);
    assert_int_equal(catalog_undescribed_counts(door_catalog(world->door), &waiting, &described),
                     0);
    assert_int_equal(waiting, 5);
    begin(world, &fake);
    wait_until_done(world, 5);
    assert_int_equal(fake.looked, 5);
}

static void test_bad_looks_cost_a_description(void **state)
{
    static const char *const outcomes[] = {"crashed", "timeout", "memory", "refused", "protocol"};
    struct world *world = *state;
    struct fake fake = {.no_answer = true};
    struct catalog_description description;
    struct catalog_node node;
    char path[64];
    for (size_t i = 0; i < 5; i++) {
        fake.outcome = outcomes[i];
        fake.no_text = i % 2 == 0; /* text came before it went wrong: half a text is none */
        begin(world, &fake);
        snprintf(path, sizeof path, STAGE "/%zu.pdf", i);
        put(world, path, "a document", &node);
        seal(world, &node);
        wait_until_done(world, i + 1);
        found(world, node.id, &description);
        assert_string_equal(description.outcome, outcomes[i]);
        assert_false(description.has_text);
        catalog_description_free(&description);
        assert_state(world, path, CATALOG_SEALED);
        describer_stop(world->door->describer);
        world->door->describer = NULL;
    }
    assert_int_equal(world_audit(world), 0); /* no text without an entry is left */
}

static void test_on_demand(void **state)
{
    struct world *world = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER),
                      archivist = world_actor(WORLD_ARCHIVIST),
                      stranger = world_actor(WORLD_STRANGER);
    struct fake fake = {.no_text = true};
    struct catalog_description first, second;
    struct catalog_node node, other;
    json_t *seen;
    begin(world, &fake);
    put(world, STAGE "/a.docx", "one", &node);
    put(world, STAGE "/b.docx", "two", &other);
    seal(world, &node);
    seal(world, &other);
    wait_until_done(world, 2);
    found(world, node.id, &first);
    fake.no_text = false;
    assert_int_equal(door_reindex(world->door, &officer, node.id), 0);
    for (int i = 0; i < 4000 && fake.looked < 3; i++)
        usleep(2500);
    wait_until_done(world, 2);
    found(world, node.id, &second);
    assert_true(second.index > first.index);
    assert_true(!first.has_text && second.has_text);
    catalog_description_free(&first);
    catalog_description_free(&second);
    assert_int_equal(door_reindex(world->door, &officer, 0), SR_ERR_DENIED);
    assert_int_equal(door_reindex(world->door, &archivist, 0), 0);
    for (int i = 0; i < 4000 && fake.looked < 5; i++)
        usleep(2500);
    wait_until_done(world, 2);
    assert_int_equal(fake.looked, 5);
    assert_int_equal(world_audit(world), 0); /* the text that was replaced is known, too */
    assert_int_equal(door_description(world->door, &officer, node.id, &seen), 0);
    assert_string_equal(json_string_value(json_object_get(seen, "outcome")), "described");
    assert_non_null(json_object_get(seen, "text"));
    json_decref(seen);
    assert_int_equal(door_description(world->door, &stranger, node.id, &seen), SR_ERR_DENIED);
    assert_null(seen);
}

/* An error of the machine is not a finding: the record waits and is looked into later. */
static void test_tried_again(void **state)
{
    struct world *world = *state;
    struct fake fake = {.fail_first = 1, .no_text = true};
    struct catalog_node node;
    put(world, STAGE "/a.png", "x", &node);
    seal(world, &node);
    begin(world, &fake);
    for (int i = 0; i < 4000 && fake.fail_first > 0; i++)
        usleep(2500);
    assert_int_equal(fake.fail_first, 0);
    describer_wake(world->door->describer); /* not only after half a minute */
    wait_until_done(world, 1);
    assert_int_equal(fake.looked, 1);
}

/* A text that a crash left behind belongs to nobody, and is removed; anything else is kept. */
static void test_left_texts_are_removed(void **state)
{
    struct world *world = *state;
    struct vault_object_id record = {{1}};
    struct object_expectation sealed;
    struct texts *linked, *open;
    assert_int_equal(door_keys_ready(world->door), 0);
    assert_int_equal(texts_begin(world->vault, &record, &linked), 0);
    assert_int_equal(texts_add(linked, "text", 4), 0);
    assert_int_equal(texts_seal(linked, &sealed), 0);
    assert_int_equal(texts_begin(world->vault, &record, &open), 0);
    assert_int_equal(texts_add(open, "more", 4), 0);
    assert_int_equal(world_audit(world), 1);   /* objects/xx/ID without an entry */
    struct memfs *fs = memfs_clone(world->fs); /* as a kill leaves it */
    texts_end(linked, false);
    texts_end(open, false);
    struct world after;
    assert_int_equal(world_open(&after, fs, 60 * SECOND_NS), 0);
    assert_int_equal(after.salvage.orphans_kept, 0);
    assert_int_equal(world_audit(&after), 0);
    world_close(&after);
    memfs_free(fs);
    assert_int_equal(world_audit(world), 0);
}

static void test_text_of_another_record(void **state)
{
    struct world *world = *state;
    struct vault_object_id record = {{1}}, other = {{2}};
    struct object_expectation sealed;
    struct texts *text;
    char *data;
    size_t len;
    assert_int_equal(texts_begin(world->vault, &record, &text), 0);
    assert_int_equal(texts_add(text, TEXT, strlen(TEXT)), 0);
    assert_int_equal(texts_seal(text, &sealed), 0);
    assert_int_equal(texts_read(world->vault, &sealed, &record, &data, &len), 0);
    assert_int_equal(len, strlen(TEXT));
    free(data);
    assert_int_equal(texts_read(world->vault, &sealed, &other, &data, &len), SR_ERR_DAMAGED);
    assert_null(data);
    sealed.tag_root[3] ^= 1;
    assert_int_equal(texts_read(world->vault, &sealed, &record, &data, &len), SR_ERR_DAMAGED);
    texts_end(text, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_described),
        TEST(test_uploads_come_first),
        TEST(test_goes_on_after_a_restart),
        TEST(test_bad_looks_cost_a_description),
        TEST(test_on_demand),
        TEST(test_tried_again),
        TEST(test_left_texts_are_removed),
        TEST(test_text_of_another_record),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
