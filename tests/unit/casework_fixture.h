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
#include "tests/lib/world.h"

#define STAGE "2026/案/02调查取证"
#define SECOND_NS INT64_C(1000000000)

static struct memfs *prepared;

static int prepare(void **state)
{
    (void)state;
    prepared = world_prepare();
    return 0;
}

static int tidy(void **state)
{
    (void)state;
    memfs_free(prepared);
    return 0;
}

static int start(void **state)
{
    struct world *world = malloc(sizeof *world);
    *state = world;
    return world_open(world, memfs_clone(prepared), 60 * SECOND_NS);
}

static int stop(void **state)
{
    struct world *world = *state;
    struct memfs *fs = world->fs;
    world_close(world);
    memfs_free(fs);
    free(world);
    return 0;
}

static void reopen(struct world *world)
{
    struct memfs *fs = world->fs;
    world_close(world);
    assert_int_equal(world_open(world, fs, 60 * SECOND_NS), 0);
}

static char *notice_of(struct world *world, uint32_t uid)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(world_read(world, uid, CATALOG_NOTICE, &data, &len), 0);
    data = realloc(data, len + 1);
    data[len] = '\0';
    return (char *)data;
}

static void assert_notice(struct world *world, uint32_t uid, const char *needle)
{
    char *text = notice_of(world, uid);
    if (strstr(text, needle) == NULL)
        fail_msg("\"%s\" is not in %s", needle, text);
    free(text);
}

static void assert_state(struct world *world, const char *path, enum catalog_state expected)
{
    struct catalog_node node;
    assert_int_equal(world_find(world, WORLD_OFFICER, path, &node), 0);
    assert_int_equal(node.version.state, expected);
}

static void assert_content(struct world *world, uint64_t node, const char *expected)
{
    uint8_t *data;
    size_t len;
    assert_int_equal(world_read(world, WORLD_OFFICER, node, &data, &len), 0);
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(data, expected, len);
    free(data);
}

static void put(struct world *world, const char *path, const char *text, struct catalog_node *node)
{
    int status = world_put(world, WORLD_OFFICER, path, text, strlen(text), node);
    if (status < 0)
        fail_msg("%s: %s", path, sr_error_message());
}

static void seal(struct world *world, const struct catalog_node *node)
{
    struct door_actor officer = world_actor(WORLD_OFFICER);
    int status = door_seal(world->door, &officer, node->id, 20000);
    if (status < 0)
        fail_msg("seal: %s", sr_error_message());
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

#endif
