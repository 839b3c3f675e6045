/* The fault suite through the door: a script of create, write, fsync, overwrite, close, rename before
 * the seal, seal, supersede, refile, two files at once, and readings of a restricted record. Every n-th system call fails once; power is
 * cut at every n-th sync, before and after its effect, with what was not synced lost, kept or torn.
 * Then the store is opened again, and:
 *   - every acknowledged byte is there (a byte that was written again without acknowledgement may be
 *     either), nothing that was acknowledged has gone;
 *   - every record is wholly sealed or wholly not: what is sealed verifies against its entry;
 *   - a grant that was given or ended is; bytes of a restricted record were given out only if that stands
 *     in the ledger;
 *   - ledger and catalog agree, audit finds nothing, and the rest seals when time passes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "casework/audit.h"
#include "tests/lib/world.h"
#include "vault/object.h"
#include "vault/staging_internal.h"

#define STAGE "2026/案/02调查取证"
#define SETTLE_NS (3600 * INT64_C(1000000000)) /* the script asks for its seals */
#define TRACKED 16
#define CONTENT_MAX (200 * 1024)

static struct memfs *prepared;

/* One version of content as the test knows it. */
struct track {
    struct vault_object_id object;
    uint64_t node;
    uint8_t latest[CONTENT_MAX], acked[CONTENT_MAX];
    size_t latest_len, acked_len;
    bool any_ack, sealed;
};

struct script {
    struct world world;
    struct track *tracks;
    size_t count;
    unsigned ready_files;
    uint64_t granted, ended,
        viewed; /* node that was read; indexes of grants; 0: not acknowledged */
};

static struct track *track_new(struct script *script, const struct catalog_node *node)
{
    assert_true(script->count < TRACKED);
    struct track *track = &script->tracks[script->count++];
    memset(track, 0, sizeof *track);
    track->object = node->version.object;
    track->node = node->id;
    return track;
}

static void pattern(uint8_t *out, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++) {
        seed = seed * 1103515245 + 12345;
        out[i] = (uint8_t)(seed >> 16);
    }
}

static int write_at(struct track *track, struct door_file *file, size_t offset, size_t len,
                    unsigned seed)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    assert_true(offset + len <= CONTENT_MAX);
    pattern(track->latest + offset, len, seed);
    if (offset + len > track->latest_len)
        track->latest_len = offset + len;
    return door_write(file, &officer, offset, track->latest + offset, len);
}

static void acknowledged(struct track *track)
{
    memcpy(track->acked, track->latest, track->latest_len);
    track->acked_len = track->latest_len;
    track->any_ack = true;
}

static int create(struct script *script, const char *folder_path, const char *name,
                  struct door_file **file, struct track **track)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node folder, node;
    struct door_open_info info;
    *file = NULL;
    int status = world_find(&script->world, WORLD_OFFICER, folder_path, &folder);
    if (status == 0)
        status =
            door_create(script->world.door, &officer, folder.id, name, false, &node, file, &info);
    if (status == 0)
        *track = track_new(script, &node);
    return status;
}

static int close_file(struct track *track, struct door_file *file)
{
    int status = door_flush(file, false);
    if (status == 0)
        acknowledged(track);
    door_release(file);
    return status;
}

static int seal(struct script *script, struct track *track)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    int status = door_seal(script->world.door, &officer, track->node, 400);
    if (status == 0)
        track->sealed = true;
    return status;
}

#define STEP(call)                 \
    do {                           \
        if ((status = (call)) < 0) \
            goto out;              \
    } while (0)

/* Writes, fsync, overwrite behind it, close, seal. */
static int act_overwrite(struct script *script)
{
    struct door_file *file = NULL;
    struct track *track;
    int status;
    STEP(create(script, STAGE, "a.mp4", &file, &track));
    STEP(write_at(track, file, 0, 150000, 1));
    STEP(door_fsync(file));
    acknowledged(track);
    STEP(write_at(track, file, 100, 20000, 2));
    STEP(write_at(track, file, 140000, 30000, 3));
    status = close_file(track, file);
    return status < 0 ? status : seal(script, track);
out:
    if (file != NULL)
        door_release(file);
    return status;
}

static int act_rename(struct script *script)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_file *file = NULL;
    struct track *track;
    struct catalog_node folder;
    int status;
    STEP(create(script, STAGE, "b.doc", &file, &track));
    STEP(write_at(track, file, 0, 1000, 4));
    status = close_file(track, file);
    file = NULL;
    if (status < 0)
        return status;
    STEP(world_find(&script->world, WORLD_OFFICER, STAGE, &folder));
    STEP(door_rename(script->world.door, &officer, folder.id, "b.doc", folder.id, "c.doc", false));
    return seal(script, track);
out:
    if (file != NULL)
        door_release(file);
    return status;
}

/* The same name again before the seal, then again after a mark. */
static int act_supersede(struct script *script)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_open_info info;
    struct door_file *file = NULL;
    struct track *track;
    struct catalog_node node;
    int status;
    STEP(create(script, STAGE, "d.txt", &file, &track));
    STEP(write_at(track, file, 0, 70000, 5));
    status = close_file(track, file);
    file = NULL;
    if (status < 0)
        return status;
    uint64_t id = track->node;
    for (unsigned round = 0; round < 2; round++) {
        STEP(door_open(script->world.door, &officer, id, true, true, &file, &info));
        STEP(world_find(&script->world, WORLD_OFFICER, STAGE "/d.txt", &node));
        track = track_new(script, &node);
        STEP(write_at(track, file, 0, 30000 + round, 6 + round));
        status = close_file(track, file);
        file = NULL;
        if (status < 0)
            return status;
        STEP(seal(script, track));
        if (round == 0)
            STEP(door_record_incomplete(script->world.door, &officer, id, "重传"));
    }
out:
    if (file != NULL)
        door_release(file);
    return status;
}

static int act_two_at_once(struct script *script)
{
    struct door_file *first = NULL, *second = NULL;
    struct track *one, *two;
    int status;
    STEP(create(script, STAGE, "e1", &first, &one));
    STEP(create(script, STAGE, "e2", &second, &two));
    for (size_t i = 0; i < 2; i++) {
        STEP(write_at(one, first, i * 40000, 40000, 10));
        STEP(write_at(two, second, (1 - i) * 66000, 66000, 11)); /* out of order */
    }
    STEP(door_fsync(first));
    acknowledged(one);
    status = close_file(two, second);
    second = NULL;
    int other = close_file(one, first);
    first = NULL;
    return status < 0 ? status : other;
out:
    if (first != NULL)
        door_release(first);
    if (second != NULL)
        door_release(second);
    return status;
}

static int act_file(struct script *script)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct sr_io *io = memfs_io(script->world.fs);
    struct door_file *file = NULL;
    struct track *track;
    struct catalog_node stage;
    char today[11], folder[64];
    int status;
    sr_time_local_date(io->now_ns(io), today);
    snprintf(folder, sizeof folder, "待归案/zhang/%s", today);
    STEP(create(script, folder, "x.mp4", &file, &track));
    STEP(write_at(track, file, 0, 5000, 12));
    status = close_file(track, file);
    file = NULL;
    if (status < 0)
        return status;
    STEP(seal(script, track));
    STEP(world_find(&script->world, WORLD_OFFICER, STAGE, &stage));
    STEP(
        door_record_file(script->world.door, &officer, track->node, stage.id, NULL, "本案", false));
    STEP(world_find(&script->world, WORLD_OFFICER, "2026/案/05决定", &stage));
    STEP(door_record_file(script->world.door, &officer, track->node, stage.id, NULL, "放错", true));
out:
    if (file != NULL)
        door_release(file);
    return status;
}

/* A restricted record, a stated purpose, a reading, and the end of the grant. */
static int act_view(struct script *script)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct door_class class = {
        .level = -1, .set_marks = true, .marks = CATALOG_MARK_WORK_SECRET, .reason = "清单"};
    struct door_file *file = NULL;
    struct door_open_info info;
    struct catalog_grant grant;
    struct track *track;
    uint8_t buf[3000];
    size_t got;
    int status;
    STEP(create(script, STAGE, "密件.txt", &file, &track));
    STEP(write_at(track, file, 0, 4000, 13));
    status = close_file(track, file);
    file = NULL;
    if (status < 0)
        return status;
    STEP(seal(script, track));
    STEP(door_classify(script->world.door, &officer, track->node, &class));
    STEP(door_view(script->world.door, &officer, track->node, "复核", 1, &grant));
    script->granted = grant.index;
    STEP(door_open(script->world.door, &officer, track->node, false, false, &file, &info));
    STEP(door_read(file, 500, buf, sizeof buf, &got));
    assert_int_equal(got, sizeof buf);
    script->viewed = track->node;
    STEP(door_grant_end(script->world.door, &officer, grant.index));
    script->ended = grant.index;
    status = door_read(file, 0, buf, sizeof buf, &got);
    if (status != SR_ERR_DENIED && !memfs_fired(script->world.fs) &&
        !memfs_is_off(script->world.fs))
        fail_msg("read without a purpose: %d", status);
    assert_true(status < 0); /* the fault may have met the catalog: then nothing is answered */
    status = 0;
out:
    if (file != NULL)
        door_release(file);
    return status;
}

/* Returns the first error: the acts are independent, so each is tried in any case. */
static int run_script(struct script *script, struct memfs *fs)
{
    int (*const acts[])(struct script *) = {act_overwrite,   act_rename, act_supersede,
                                            act_two_at_once, act_file,   act_view};
    int first = world_open(&script->world, fs, SETTLE_NS);
    script->count = 0;
    script->granted = script->ended = script->viewed = 0;
    if (first < 0)
        return first;
    if (script->ready_files > 0) {
        staging_keep_ready(script->world.vault, script->ready_files);
        staging_ready_fill(script->world.vault);
    }
    for (size_t i = 0; i < sizeof acts / sizeof acts[0] && !memfs_is_off(fs); i++) {
        int status = acts[i](script);
        if (first == 0)
            first = status;
    }
    world_close(&script->world);
    return first;
}

/* --- afterwards --- */

static void check_track(struct world *world, const struct track *track)
{
    struct catalog_version version;
    struct object *object = NULL;
    static uint8_t data[CONTENT_MAX + 1];
    size_t got = 0;
    if (!track->any_ack && !track->sealed)
        return;
    if (catalog_object(door_catalog(world->door), &track->object, &version) < 0)
        fail_msg("acknowledged content has gone");
    if (track->sealed)
        assert_int_not_equal(version.state, CATALOG_STAGING);
    if (version.state == CATALOG_STAGING) { /* through the door, as a reader would */
        struct catalog_node node;
        uint8_t *content;
        assert_int_equal(catalog_get(door_catalog(world->door), track->node, &node), 0);
        if (memcmp(node.version.object.bytes, track->object.bytes, sizeof track->object.bytes) != 0)
            return; /* superseded, not sealed yet: looked at again after the settling */
        assert_int_equal(world_read(world, WORLD_OFFICER, track->node, &content, &got), 0);
        assert_true(got <= CONTENT_MAX);
        memcpy(data, content, got);
        free(content);
    } else {
        struct object_expectation expected = audit_expectation(&version);
        assert_int_equal(object_open(world->vault, &expected, &object), 0);
        assert_int_equal(object_read(object, 0, data, sizeof data, &got), 0);
        object_close(object);
    }
    if (got < track->acked_len)
        fail_msg("node %llu (%s): %zu bytes are there, %zu were acknowledged",
                 (unsigned long long)track->node, track->sealed ? "sealed" : "unsealed", got,
                 track->acked_len);
    assert_true(got <= track->latest_len || track->latest_len == 0);
    for (size_t i = 0; i < track->acked_len; i++)
        if (data[i] != track->acked[i] && data[i] != track->latest[i])
            fail_msg("byte %zu of acknowledged content is another", i);
}

static int count_view(void *context, const struct catalog_view *view)
{
    (void)view;
    ++*(unsigned *)context;
    return 0;
}

static void check_views(struct world *world, const struct script *script)
{
    struct catalog *catalog = door_catalog(world->door);
    struct catalog_grant grant;
    unsigned views = 0;
    if (script->granted != 0)
        assert_int_equal(catalog_grant(catalog, script->granted, &grant), 0);
    if (script->ended != 0)
        assert_true(grant.ended);
    if (script->viewed != 0) {
        assert_int_equal(catalog_views(catalog, script->viewed, count_view, &views), 0);
        assert_true(views > 0);
    }
}

static int show_staging(void *context, const struct catalog_version *version)
{
    struct world *world = context;
    (void)world;
    if (version->state == CATALOG_STAGING)
        fprintf(stderr, "still staging: node %llu closed %d superseded %d size %llu\n",
                (unsigned long long)version->node, version->closed, version->pending_supersede,
                (unsigned long long)version->size);
    return 0;
}

/* Everything with content seals in the end; drafts and empty files do not. */
static void settle_all(struct world *world)
{
    struct catalog_counts counts;
    struct timespec pause = {.tv_nsec = 2000000};
    memfs_advance(world->fs, 2 * SETTLE_NS);
    for (int i = 0; i < 5000; i++) {
        assert_int_equal(catalog_counts(door_catalog(world->door), &counts), 0);
        if (counts.staging == 0)
            return;
        nanosleep(&pause, NULL);
    }
    catalog_each_version(door_catalog(world->door), show_staging, world);
    assert_int_equal(counts.staging, 0);
}

static int drop_empty(void *context, const struct catalog_version *version)
{
    uint64_t *nodes = context;
    if (version->state == CATALOG_STAGING && version->size == 0 && nodes[0] < 15)
        nodes[++nodes[0]] = version->node;
    return 0;
}

/* Files that were created and never got an acknowledged byte stay empty; their maker removes them. */
static void remove_empty(struct world *world)
{
    uint64_t nodes[16] = {0};
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct catalog_node node;
    assert_int_equal(catalog_each_version(door_catalog(world->door), drop_empty, nodes), 0);
    for (uint64_t i = 1; i <= nodes[0]; i++)
        if (door_getattr(world->door, &officer, nodes[i], &node) == 0 &&
            node.version.state == CATALOG_STAGING && node.version.size == 0)
            assert_int_equal(door_unlink(world->door, &officer, node.parent, node.name), 0);
}

static int count_file(void *context, const struct vault_object_id *id, uint64_t content_bytes)
{
    (void)id;
    (void)content_bytes;
    ++*(uint64_t *)context;
    return 0;
}

/* Nothing lies in staging/ but what the catalog knows, and what salvage has said it keeps. A seal that is
 * under way may be seen half (its redo listed, its file gone): then it is looked at again. */
static void check_staging(struct world *world)
{
    struct catalog_counts counts;
    uint64_t files = 0;
    for (int i = 0; i < 1000; i++) {
        files = 0;
        assert_int_equal(catalog_counts(door_catalog(world->door), &counts), 0);
        assert_int_equal(staging_list(world->vault, count_file, &files), 0);
        if (files <= counts.staging + world->salvage.orphans_kept)
            return;
        usleep(5000);
    }
    fail_msg("%llu files in staging/, %llu unsealed versions", (unsigned long long)files,
             (unsigned long long)counts.staging);
}

static void check_after(struct memfs *fs, const struct script *script, const char *what, uint64_t n)
{
    struct world world;
    int status = world_open(&world, fs, SETTLE_NS);
    if (status < 0)
        fail_msg("%s %llu: the store does not open: %s", what, (unsigned long long)n,
                 sr_error_message());
    assert_int_equal(world.salvage.damaged, 0);
    check_staging(&world);
    for (size_t i = 0; i < script->count; i++)
        check_track(&world, &script->tracks[i]);
    check_views(&world, script);
    remove_empty(&world);
    settle_all(&world);
    for (size_t i = 0; i < script->count; i++)
        check_track(&world, &script->tracks[i]);
    if (world_audit(&world) != 0)
        fail_msg("%s %llu: audit has findings", what, (unsigned long long)n);
    world_close(&world);
}

static int prepare(void **state)
{
    struct script *script = calloc(1, sizeof *script);
    script->tracks = calloc(TRACKED, sizeof *script->tracks);
    prepared = world_prepare();
    *state = script;
    return 0;
}

static int tidy(void **state)
{
    struct script *script = *state;
    memfs_free(prepared);
    free(script->tracks);
    free(script);
    return 0;
}

static void test_no_fault(void **state)
{
    struct script *script = *state;
    struct memfs *fs = memfs_clone(prepared);
    assert_int_equal(run_script(script, fs), 0);
    check_after(fs, script, "no fault", 0);
    memfs_free(fs);
}

/* Sanitizer builds are ten times as slow: every 5th n. FAULT_STRIDE=k says otherwise. */
static unsigned stride(void)
{
    const char *text = getenv("FAULT_STRIDE");
#ifdef __SANITIZE_ADDRESS__
    unsigned usual = 5;
#else
    unsigned usual = 1;
#endif
    return text != NULL && atoi(text) > 0 ? (unsigned)atoi(text) : usual;
}

static void test_fail_every_call(void **state)
{
    struct script *script = *state;
    uint64_t fired = 0, refused = 0, n;
    for (n = 1;; n += stride()) {
        struct memfs *fs = memfs_clone(prepared);
        memfs_fail_at(fs, n, n % 3 == 0 ? ENOSPC : EIO);
        int status = run_script(script, fs);
        bool hit = memfs_fired(fs);
        memfs_fail_at(fs, 0, 0);
        fired += hit;
        refused += status < 0;
        check_after(fs, script, "fail at call", n);
        memfs_free(fs);
        if (!hit)
            break;
    }
    print_message("calls: %llu faults fired, %llu runs refused something\n",
                  (unsigned long long)fired, (unsigned long long)refused);
    assert_true(fired >= 100 / stride()); /* faults fired, and n ran past the last call */
    assert_true(refused > 0);
}

static void test_cut_at_every_sync(void **state)
{
    struct script *script = *state;
    uint64_t cuts = 0;
    for (uint64_t n = 1;; n += stride()) {
        bool off = false;
        for (int after = 0; after < 2; after++) {
            struct memfs *fs = memfs_clone(prepared);
            memfs_cut_at_sync(fs, n, after != 0);
            run_script(script, fs);
            off = memfs_is_off(fs);
            for (int mode = MEMFS_LOST; off && mode <= MEMFS_TORN; mode++) {
                struct memfs *found =
                    memfs_after_cut(fs, (enum memfs_mode)mode, n * 7 + (unsigned)after);
                check_after(found, script,
                            mode == MEMFS_LOST   ? "cut, lost"
                            : mode == MEMFS_KEPT ? "cut, kept"
                                                 : "cut, torn",
                            n);
                memfs_free(found);
                cuts++;
            }
            memfs_free(fs);
        }
        if (!off)
            break;
    }
    print_message("power: %llu cuts looked at\n", (unsigned long long)cuts);
    assert_true(cuts >= 150 / stride());
}

/* The same again with files made ahead of need: those that nobody took are gone after the next
 * start. */
static int with_ready_files(void **state)
{
    struct script *script = *state;
    script->ready_files = 4;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_fault),
        cmocka_unit_test(test_fail_every_call),
        cmocka_unit_test(test_cut_at_every_sync),
        cmocka_unit_test_setup(test_no_fault, with_ready_files),
        cmocka_unit_test_setup(test_fail_every_call, with_ready_files),
        cmocka_unit_test_setup(test_cut_at_every_sync, with_ready_files),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
