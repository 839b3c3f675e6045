#include "tests/lib/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "casework/audit.h"
#include "casework/door_internal.h"
#include "casework/setup.h"

#define CHUNK_LIMIT (64u << 20)

static void must(int status, const char *what)
{
    if (status < 0) {
        fprintf(stderr, "world: %s: %s (%d)\n", what, sr_error_message(), status);
        abort();
    }
}

static void copy_policy(struct sr_io *io)
{
    static const char *const files[] = {"workflow.yaml", "naming.yaml", "access.cedar"};
    must(sr_io_make_dir(io, WORLD_POLICY, 0755), "policy folder");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char from[64], to[64];
        uint8_t *data;
        size_t len;
        snprintf(from, sizeof from, "policy/%s", files[i]);
        snprintf(to, sizeof to, WORLD_POLICY "/%s", files[i]);
        must(sr_io_read_file(sr_io_posix(), from, 1 << 20, &data, &len), from);
        must(sr_io_create_file(io, to, data, len, 0644), to);
        free(data);
    }
}

struct memfs *world_prepare(void)
{
    static const struct setup_account accounts[] = {
        {"sysadmin", "sys", "sys", "x"},    {"officer", "zhang", "张三", "x"},
        {"officer", "li", "李四", "x"},     {"supervisor", "wang", "王五", "x"},
        {"archivist", "zhao", "赵六", "x"}, {"secoff", "qian", "钱七", "x"},
    };
    struct memfs *fs = memfs_new(42);
    struct sr_io *io = memfs_io(fs);
    struct setup_config config = {.io = io,
                                  .path = WORLD_VAULT,
                                  .passphrase = WORLD_PASSPHRASE,
                                  .agency = "局",
                                  .accounts = accounts,
                                  .account_count = sizeof accounts / sizeof accounts[0],
                                  .first_uid = WORLD_SYSADMIN,
                                  .scrypt_log2n = 10};
    struct world world;
    struct catalog_node node;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    copy_policy(io);
    must(setup_init(&config), "init");
    must(world_open(&world, fs, 0), "open");
    must(door_case_open(world.door, &officer, 2026, "案", &node), "case");
    world_close(&world);
    return fs;
}

static void *clock_thread(void *context)
{
    struct world *world = context;
    struct timespec millisecond = {.tv_nsec = 1000000};
    while (!world->clock_stop) {
        memfs_advance(world->fs, 200 * INT64_C(1000000));
        if (world->door != NULL)
            pthread_cond_signal(&world->door->wake); /* the sealer waits in real time */
        nanosleep(&millisecond, NULL);
    }
    return NULL;
}

int world_open(struct world *world, struct memfs *fs, int64_t settle_ns)
{
    struct ledger_open_report report;
    memset(world, 0, sizeof *world);
    world->fs = fs;
    int status = setup_open(memfs_io(fs), WORLD_VAULT, WORLD_PASSPHRASE, 2, &world->vault,
                            &world->ledger, &report);
    if (status < 0)
        return status;
    struct door_config config = {.vault = world->vault,
                                 .ledger = world->ledger,
                                 .policy_dir = WORLD_POLICY,
                                 .settle_ns = settle_ns,
                                 .first_uid = WORLD_SYSADMIN};
    if ((status = door_start(&config, &world->salvage, &world->door)) < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        world_close(world);
        return sr_error_raise(&why);
    }
    world->clock_runs = pthread_create(&world->clock, NULL, clock_thread, world) == 0;
    return 0;
}

void world_stop_clock(struct world *world)
{
    if (world->clock_runs) {
        world->clock_stop = true;
        pthread_join(world->clock, NULL);
    }
    world->clock_runs = false;
}

void world_close(struct world *world)
{
    world_stop_clock(world);
    door_stop(world->door);
    world->door = NULL;
    ledger_close(world->ledger);
    vault_close(world->vault);
    world->ledger = NULL;
    world->vault = NULL;
}

struct door_actor world_actor(uint32_t uid)
{
    struct door_actor actor = {.uid = uid, .client = "192.0.2.7"};
    return actor;
}

int world_find(struct world *world, uint32_t uid, const char *path, struct catalog_node *node)
{
    struct door_actor actor = world_actor(uid);
    return door_resolve(world->door, &actor, path, node);
}

int world_read(struct world *world, uint32_t uid, uint64_t node, uint8_t **data, size_t *len)
{
    struct door_actor actor = world_actor(uid);
    struct door_open_info info;
    struct door_file *file;
    size_t got = 0, size = 0;
    *data = NULL;
    *len = 0;
    int status = door_open(world->door, &actor, node, false, false, &file, &info);
    if (status < 0)
        return status;
    do {
        uint8_t *more = size < CHUNK_LIMIT ? realloc(*data, size + 65536) : NULL;
        if (more == NULL) {
            status = sr_fail(SR_ERR_TOO_LARGE, "test content too large");
            break;
        }
        *data = more;
        status = door_read(file, size, *data + size, 65536, &got);
        size += got;
    } while (status == 0 && got > 0);
    door_release(file);
    *len = size;
    return status;
}

int world_put(struct world *world, uint32_t uid, const char *path, const void *data, size_t len,
              struct catalog_node *node)
{
    struct door_actor actor = world_actor(uid);
    struct door_open_info info;
    struct door_file *file;
    struct catalog_node folder;
    const char *slash = strrchr(path, '/');
    char parent[1024];
    snprintf(parent, sizeof parent, "%.*s", (int)(slash - path), path);
    int status = door_resolve(world->door, &actor, parent, &folder);
    if (status < 0 || (status = door_create(world->door, &actor, folder.id, slash + 1, false, node,
                                            &file, &info)) < 0)
        return status;
    if (len > 0)
        status = door_write(file, &actor, 0, data, len);
    if (status == 0)
        status = door_flush(file, false);
    door_release(file);
    return status;
}

static void print_finding(void *context, const char *what, const char *why)
{
    (void)context;
    fprintf(stderr, "finding: %s: %s\n", what, why);
}

int world_audit(struct world *world)
{
    struct audit_report report;
    int status = audit_run(world->vault, world->ledger, door_catalog(world->door), false,
                           print_finding, NULL, NULL, &report);
    if (status < 0 && status != SR_ERR_DAMAGED) {
        fprintf(stderr, "audit: %s\n", sr_error_message());
        return -1;
    }
    return (int)report.findings;
}
