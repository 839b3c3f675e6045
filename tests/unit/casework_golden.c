/* The golden vault of each format version opens forever: tests/data/golden-v1.tar.xz, made once by
 * `scripts/make-golden` (this program with GOLDEN_MAKE=FOLDER), holds every kind of file of the
 * format: slot, pages, sealed objects (one segment, several, incomplete, superseded), unsealed content
 * with its redo, journal, tiles, checkpoints. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "casework/audit.h"
#include "casework/view.h"
#include "casework/setup.h"
#include "tests/lib/world.h"
#include "vault/object.h"
#include "vault/staging.h"

#define GOLDEN "tests/data/golden-v1.tar.xz"
#define PASSPHRASE "golden passphrase 金"
#define LARGE (3 * 65536 + 1234)

static void fill(uint8_t *out, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)((i * 31 + i / 251 + seed) & 0xff);
}

/* --- making it, once --- */

static void must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "golden: %s: %s\n", what, sr_error_message());
        exit(3);
    }
}

static uint64_t put(struct world *world, const char *path, size_t len, unsigned seed)
{
    static uint8_t data[LARGE];
    struct catalog_node node;
    fill(data, len, seed);
    must(world_put(world, WORLD_OFFICER, path, data, len, &node), path);
    return node.id;
}

static int make(const char *folder)
{
    static const struct setup_account accounts[] = {{"sysadmin", "sys", "sys", ""},
                                                    {"officer", "zhang", "张三", ""}};
    char *path = sr_path("%s/vault", folder);
    struct setup_config config = {.io = sr_io_posix(),
                                  .path = path,
                                  .passphrase = PASSPHRASE,
                                  .agency = "示例市司法局",
                                  .accounts = accounts,
                                  .account_count = 2,
                                  .first_uid = WORLD_SYSADMIN,
                                  .scrypt_log2n = 12};
    struct door_actor officer = world_actor(WORLD_OFFICER);
    struct ledger_open_report report;
    struct door_open_info info;
    struct door_file *file;
    struct catalog_node node;
    struct world world = {.fs = NULL};
    must(setup_init(&config), "init");
    must(setup_open(config.io, path, PASSPHRASE, 0, &world.vault, &world.ledger, &report), "open");
    struct door_config door = {.vault = world.vault,
                               .ledger = world.ledger,
                               .policy_dir = "policy",
                               .settle_ns = INT64_C(3600000000000),
                               .first_uid = WORLD_SYSADMIN};
    must(door_start(&door, &world.salvage, &world.door), "start");
    must(door_case_open(world.door, &officer, 2026, "示例〔2026〕1号", &node), "case");
#define STAGE "2026/示例〔2026〕1号/02调查取证"
    must(door_seal(world.door, &officer, put(&world, STAGE "/一段.txt", 100, 1), 20000), "seal");
    must(door_seal(world.door, &officer, put(&world, STAGE "/多段.mp4", LARGE, 2), 20000), "seal");
    uint64_t again = put(&world, STAGE "/重传.txt", 70000, 3);
    must(door_open(world.door, &officer, again, true, true, &file, &info), "again");
    must(door_write(file, &officer, 131072, "tail", 4), "hole");
    must(door_flush(file, false), "flush");
    door_release(file);
    must(door_seal(world.door, &officer, again, 20000), "seal again");
    put(&world, "2026/示例〔2026〕1号/草稿/稿.txt", LARGE, 4);
    must(world_find(&world, WORLD_OFFICER, "2026/示例〔2026〕1号/草稿/稿.txt", &node), "draft");
    must(door_open(world.door, &officer, node.id, true, false, &file, &info), "draft");
    static uint8_t patch[5000];
    fill(patch, sizeof patch, 5);
    must(door_write(file, &officer, 1000, patch, sizeof patch),
         "patch"); /* goes through the redo */
    must(door_flush(file, false), "flush");
    door_release(file);
    world_close(&world);
    free(path);
    return 0;
}

/* --- opening it --- */

struct golden {
    char folder[64];
    char vault_path[80];
    struct vault *vault;
    struct ledger *ledger;
    struct catalog *catalog;
};

static int open_golden(void **state)
{
    struct golden *golden = calloc(1, sizeof *golden);
    struct ledger_open_report report;
    uint64_t replayed;
    char command[256];
    *state = golden;
    strcpy(golden->folder, "/tmp/strongroom-golden.XXXXXX");
    if (mkdtemp(golden->folder) == NULL)
        return -1;
    snprintf(golden->vault_path, sizeof golden->vault_path, "%s/vault", golden->folder);
    snprintf(command, sizeof command, "tar -xJf " GOLDEN " -C %s", golden->folder);
    if (system(command) != 0)
        return -1;
    int status = setup_open(sr_io_posix(), golden->vault_path, PASSPHRASE, 0, &golden->vault,
                            &golden->ledger, &report);
    if (status == 0)
        status = catalog_open_memory(&golden->catalog);
    if (status == 0)
        status =
            view_catch_up(golden->vault, golden->ledger, golden->catalog, NULL, NULL, &replayed);
    if (status < 0)
        fprintf(stderr, "the golden vault does not open: %s\n", sr_error_message());
    return status;
}

static int close_golden(void **state)
{
    struct golden *golden = *state;
    char command[256];
    catalog_close(golden->catalog);
    ledger_close(golden->ledger);
    vault_close(golden->vault);
    snprintf(command, sizeof command, "rm -rf %s", golden->folder);
    int status = system(command);
    free(golden);
    return status;
}

static void on_finding(void *context, const char *what, const char *why)
{
    (void)context;
    fprintf(stderr, "finding: %s: %s\n", what, why);
}

static void test_verifies(void **state)
{
    struct golden *golden = *state;
    struct audit_report report;
    assert_int_equal(audit_run(golden->vault, golden->ledger, golden->catalog, true, on_finding,
                               NULL, NULL, &report),
                     0);
    assert_int_equal(report.objects, 4);
    assert_int_equal(report.staging, 1);
    assert_int_equal(report.entries, ledger_committed(golden->ledger));
}

static void find(struct golden *golden, const char *stage, const char *name,
                 struct catalog_node *node)
{
    static const char *const path[] = {"2026", "示例〔2026〕1号"};
    node->id = CATALOG_ROOT;
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(catalog_lookup(golden->catalog, node->id, path[i], node), 0);
    assert_int_equal(catalog_lookup(golden->catalog, node->id, stage, node), 0);
    assert_int_equal(catalog_lookup(golden->catalog, node->id, name, node), 0);
}

static void read_object(struct golden *golden, const struct catalog_version *version, uint8_t *data,
                        size_t size, size_t *got)
{
    struct object_expectation expected = audit_expectation(version);
    struct object *object;
    assert_int_equal(object_open(golden->vault, &expected, &object), 0);
    assert_int_equal(object_read(object, 0, data, size, got), 0);
    object_close(object);
}

static void test_content(void **state)
{
    struct golden *golden = *state;
    static uint8_t data[LARGE + 1], expected[LARGE];
    struct catalog_node node;
    size_t got;
    find(golden, "02调查取证", "一段.txt", &node);
    assert_int_equal(node.version.state, CATALOG_SEALED);
    read_object(golden, &node.version, data, sizeof data, &got);
    fill(expected, 100, 1);
    assert_int_equal(got, 100);
    assert_memory_equal(data, expected, got);
    find(golden, "02调查取证", "多段.mp4", &node);
    read_object(golden, &node.version, data, sizeof data, &got);
    fill(expected, LARGE, 2);
    assert_int_equal(got, LARGE);
    assert_memory_equal(data, expected, got);
    find(golden, "02调查取证", "重传.txt", &node);
    assert_int_equal(node.version.state, CATALOG_INCOMPLETE);
    assert_int_equal(node.version.hole_count, 1);
    read_object(golden, &node.version, data, sizeof data, &got);
    assert_int_equal(got, 131076);
    assert_int_equal(data[0] | data[131071], 0);
    assert_memory_equal(data + 131072, "tail", 4);
}

static int find_superseded(void *context, const struct catalog_version *version)
{
    if (version->state == CATALOG_SUPERSEDED)
        *(struct catalog_version *)context = *version;
    return 0;
}

static void test_versions_and_drafts(void **state)
{
    struct golden *golden = *state;
    static uint8_t data[LARGE + 1], expected[LARGE];
    struct catalog_version earlier = {0};
    struct catalog_node node;
    struct staging *staging;
    size_t got;
    assert_int_equal(catalog_each_version(golden->catalog, find_superseded, &earlier), 0);
    read_object(golden, &earlier, data, sizeof data, &got);
    fill(expected, 70000, 3);
    assert_int_equal(got, 70000);
    assert_memory_equal(data, expected, got);
    find(golden, "草稿", "稿.txt", &node);
    assert_int_equal(staging_open(golden->vault, &node.version.object, &staging), 0);
    assert_int_equal(staging_read(staging, 0, data, sizeof data, &got), 0);
    assert_int_equal(staging_close(staging), 0);
    fill(expected, LARGE, 4);
    fill(expected + 1000, 5000, 5);
    assert_int_equal(got, LARGE);
    assert_memory_equal(data, expected, got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verifies),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_versions_and_drafts),
    };
    if (getenv("GOLDEN_MAKE") != NULL)
        return make(getenv("GOLDEN_MAKE"));
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
