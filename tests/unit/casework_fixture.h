/* What the tests of the door share: a prepared store, cloned for each test, and short forms. */
#ifndef SR_TESTS_UNIT_CASEWORK_FIXTURE_H
#define SR_TESTS_UNIT_CASEWORK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "casework/door_internal.h"
#include "tests/lib/world.h"

#define STAGE "2026/案/02调查取证"
#define SECOND_NS INT64_C(1000000000)

static struct memfs *prepared;

static inline int prepare(void **state)
{
    (void)state;
    prepared = world_prepare();
    return 0;
}

static inline int tidy(void **state)
{
    (void)state;
    memfs_free(prepared);
    return 0;
}

static inline int start(void **state)
{
    struct world *world = malloc(sizeof *world);
    *state = world;
    return world_open(world, memfs_clone(prepared), 60 * SECOND_NS);
}

static inline int stop(void **state)
{
    struct world *world = *state;
    struct memfs *fs = world->fs;
    world_close(world);
    memfs_free(fs);
    free(world);
    return 0;
}

static inline void reopen(struct world *world)
{
    struct memfs *fs = world->fs;
    world_close(world);
    assert_int_equal(world_open(world, fs, 60 * SECOND_NS), 0);
}

static inline char *notice_of(struct world *world, uint32_t uid)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(world_read(world, uid, CATALOG_NOTICE, &data, &len), 0);
    data = realloc(data, len + 1);
    data[len] = '\0';
    return (char *)data;
}

static inline void assert_notice(struct world *world, uint32_t uid, const char *needle)
{
    char *text = notice_of(world, uid);
    if (strstr(text, needle) == NULL)
        fail_msg("\"%s\" is not in %s", needle, text);
    free(text);
}

static inline void assert_state(struct world *world, const char *path, enum catalog_state expected)
{
    struct catalog_node node;
    assert_int_equal(world_find(world, WORLD_OFFICER, path, &node), 0);
    assert_int_equal(node.version.state, expected);
}

static inline void assert_content(struct world *world, uint64_t node, const char *expected)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(world_read(world, WORLD_OFFICER, node, &data, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(data, expected, len);
    free(data);
}

static inline void put(struct world *world, const char *path, const char *text,
                       struct catalog_node *node)
{
    int status = world_put(world, WORLD_OFFICER, path, text, strlen(text), node);
    if (status < 0)
        fail_msg("%s: %s", path, sr_error_message());
}

static inline void seal(struct world *world, const struct catalog_node *node)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    int status = door_seal(world->door, &officer, node->id, 20000);
    if (status < 0)
        fail_msg("seal: %s", sr_error_message());
}

static inline uint32_t add_user(struct world *world, const char *account, const char *unit,
                                const char *role)
{
    struct door_actor sysadmin = world_actor(WORLD_SYSADMIN);
    struct catalog_user user;
    int status =
        door_user_add(world->door, &sysadmin, account, account, unit, &role, 1, NULL, &user);
    if (status < 0)
        fail_msg("%s: %s", account, sr_error_message());
    return user.uid;
}

/* The rules show nobody what lies above their clearance. */
static inline void clear_for(struct world *world, const char *account, int clearance)
{
    struct door_actor secoff = world_actor(WORLD_SECOFF);
    struct door_user_change change = {.clearance = clearance};
    struct catalog_user user;
    int status = door_user_set(world->door, &secoff, account, &change, &user);
    if (status < 0)
        fail_msg("%s: %s", account, sr_error_message());
}

/* The last call failed with status, and its sentence holds words. */
static inline void assert_failed(int status, int expected, const char *words)
{
    if (status != expected || strstr(sr_error_message(), words) == NULL)
        fail_msg("%d, \"%s\": not %d, \"%s\"", status, sr_error_message(), expected, words);
}

/* The store's network becomes one for secrets, or no longer. */
static inline void set_network(struct world *world, bool secret)
{
    struct sr_io *io = memfs_io(world->fs);
    const char *path = WORLD_POLICY "/workflow.yaml", *key = "涉密网络: ";
    uint8_t *data;
    size_t len;
    char text[16384];
    assert_int_equal(sr_io_read_file(sr_io_posix(), "policy/workflow.yaml", 1 << 14, &data, &len),
                     0);
    char *at = memmem(data, len, "涉密网络: false\n", strlen("涉密网络: false\n"));
    assert_non_null(at);
    snprintf(text, sizeof text, "%.*s%s%s%.*s", (int)(at - (char *)data), data, key,
             secret ? "true" : "false",
             (int)(len - (size_t)(at - (char *)data) - strlen("涉密网络: false")),
             at + strlen("涉密网络: false"));
    free(data);
    assert_int_equal(io->unlink(io, path), 0);
    assert_int_equal(sr_io_create_file(io, path, (const uint8_t *)text, strlen(text), 0644), 0);
    reopen(world);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

#endif
