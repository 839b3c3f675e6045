/* The control socket over a whole store in memory: who is asking, what they get, and clients that
 * mean no good. Connecting as other users needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "daemon/control.h"
#include "daemon/request.h"
#include "tests/lib/world.h"

#define STAGE "2026/案/02调查取证"
#define SECOND_NS INT64_C(1000000000)

struct fixture {
    struct world world;
    struct ops_context context;
    struct control *control;
    char folder[64];
    char socket[128];
    unsigned items; /* of the last answer */
    json_t *first;  /* its first item */
};

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
    struct fixture *f = calloc(1, sizeof *f);
    char id[33];

    *state = f;
    if (world_open(&f->world, memfs_clone(prepared), 3600 * SECOND_NS) != 0)
        return -1;
    f->context = (struct ops_context){.door = f->world.door,
                                      .vault = f->world.vault,
                                      .ledger = f->world.ledger,
                                      .vault_path = WORLD_VAULT,
                                      .mountpoint = "/mnt/cases",
                                      .started_ns = 7};
    strcpy(f->folder, "/tmp/srt-control-XXXXXX");
    if (mkdtemp(f->folder) == NULL || chmod(f->folder, 0755) != 0)
        return -1;
    sr_hex_encode(vault_identity(f->world.vault)->id.bytes, 16, id);
    snprintf(f->socket, sizeof f->socket, "%s/%s.sock", f->folder, id);
    return control_start(f->folder, &f->context, &f->control);
}

static int stop(void **state)
{
    struct fixture *f = *state;
    struct memfs *fs = f->world.fs;
    struct stat st;

    control_stop(f->control);
    assert_int_equal(stat(f->socket, &st), -1); /* removed */
    rmdir(f->folder);
    world_close(&f->world);
    memfs_free(fs);
    json_decref(f->first);
    free(f);
    return 0;
}

static int connect_as(struct fixture *f, uint32_t uid)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 20};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    strcpy(address.sun_path, f->socket);
    if (uid != 0)
        assert_int_equal(seteuid(uid), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    if (uid != 0)
        assert_int_equal(seteuid(0), 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
}

/* The last line of the answer; earlier ones are counted. NULL if the connection ended without
 * it. */
static json_t *read_answer(struct fixture *f, int fd)
{
    FILE *in = fdopen(fd, "r");
    char *text = NULL;
    size_t capacity = 0;
    ssize_t len;
    json_t *last = NULL;

    f->items = 0;
    json_decref(f->first);
    f->first = NULL;
    while (last == NULL && (len = getline(&text, &capacity, in)) > 0) {
        json_t *line;

        assert_int_equal(sr_json_parse((uint8_t *)text, (size_t)len, &line), 0);
        if (json_object_get(line, "ok") != NULL)
            last = json_incref(line);
        else if (json_object_get(line, "item") != NULL && f->items++ == 0)
            f->first = json_incref(json_object_get(line, "item"));
        json_decref(line);
    }
    free(text);
    fclose(in);
    return last;
}

static json_t *ask(struct fixture *f, uint32_t uid, const char *request)
{
    int fd = connect_as(f, uid);

    /* Who is turned away is so at once, perhaps before they have asked; the answer is there. */
    if (send(fd, request, strlen(request), MSG_NOSIGNAL | MSG_MORE) > 0)
        (void)send(fd, "\n", 1, MSG_NOSIGNAL);
    return read_answer(f, fd);
}

static json_t *granted(struct fixture *f, uint32_t uid, const char *request)
{
    json_t *answer = ask(f, uid, request);
    json_t *result;

    assert_non_null(answer);
    if (!json_is_true(json_object_get(answer, "ok")))
        fail_msg("%s: %s", request, json_string_value(json_object_get(answer, "message")));
    result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return result;
}

static void denied(struct fixture *f, uint32_t uid, const char *request, const char *word)
{
    json_t *answer = ask(f, uid, request);

    assert_non_null(answer);
    assert_true(json_is_false(json_object_get(answer, "ok")));
    assert_string_equal(json_string_value(json_object_get(answer, "error")), word);
    assert_true(json_string_length(json_object_get(answer, "message")) > 0);
    json_decref(answer);
}

static const char *text(const json_t *object, const char *member)
{
    const char *value = json_string_value(json_object_get(object, member));

    return value != NULL ? value : "";
}

static void test_socket_is_open_to_all(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(stat(f->socket, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0666);
    assert_true(S_ISSOCK(st.st_mode));
}

static void test_who_may(void **state)
{
    struct fixture *f = *state;
    json_t *result;

    json_decref(granted(f, WORLD_STRANGER, "{\"op\":\"hello\"}"));
    result = granted(f, WORLD_SYSADMIN, "{\"op\":\"status\"}");
    assert_string_equal(text(result, "mountpoint"), "/mnt/cases");
    assert_string_equal(text(result, "vault"), WORLD_VAULT);
    assert_int_equal(json_integer_value(json_object_get(result, "cases")), 1);
    json_decref(result);
    /* root holds no role, a stranger none either, and a sysadmin sees no record */
    denied(f, 0, "{\"op\":\"status\"}", "denied");
    denied(f, WORLD_STRANGER, "{\"op\":\"status\"}", "denied");
    denied(f, WORLD_OFFICER, "{\"op\":\"user.list\"}", "denied");
    denied(f, WORLD_OFFICER, "{\"op\":\"ledger.log\"}", "denied");
    denied(f, WORLD_OFFICER, "{\"op\":\"verify\"}", "denied");
    denied(f, WORLD_OFFICER, "{\"op\":\"user.add\",\"account\":\"x\",\"roles\":[\"head\"]}",
           "denied");
    denied(f, WORLD_SYSADMIN, "{\"op\":\"case.open\",\"year\":2026,\"name\":\"乙\"}", "denied");
    /* and every one of those refusals is in the ledger */
    json_decref(granted(f, WORLD_SUPERVISOR, "{\"op\":\"ledger.log\",\"act\":\"refuse\"}"));
    assert_true(f->items >= 7);
    assert_string_equal(text(json_object_get(f->first, "entry"), "act"), "refuse");
}

static void test_accounts(void **state)
{
    struct fixture *f = *state;
    json_t *result = granted(f, WORLD_SYSADMIN,
                             "{\"op\":\"user.add\",\"account\":\"sun\",\"name\":\"孙八\","
                             "\"roles\":[\"officer\",\"head\"],\"password\":\"p\"}");

    assert_string_equal(text(result, "account"), "sun");
    assert_string_equal(text(result, "name"), "孙八");
    assert_int_equal(json_array_size(json_object_get(result, "roles")), 2);
    json_decref(result);
    json_decref(granted(f, WORLD_SYSADMIN, "{\"op\":\"user.list\"}"));
    assert_int_equal(f->items, 7);
    assert_string_equal(text(f->first, "account"), "sys");
    denied(f, WORLD_SYSADMIN, "{\"op\":\"user.add\",\"account\":\"sun\",\"roles\":[\"head\"]}",
           "exists");
}

/* A record from the upload to the proof of its seal. */
static void test_record(void **state)
{
    struct fixture *f = *state;
    struct catalog_node node;
    char request[256], object[33];
    json_t *result;

    assert_int_equal(world_put(&f->world, WORLD_OFFICER, STAGE "/现场.mp4", "content", 7, &node),
                     0);
    json_decref(granted(f, WORLD_OFFICER, "{\"op\":\"case.list\"}"));
    assert_int_equal(f->items, 1);
    assert_string_equal(text(f->first, "path"), "/2026/案");
    result = granted(f, WORLD_OFFICER,
                     "{\"op\":\"seal\",\"path\":\"" STAGE "/现场.mp4\",\"wait_ms\":20000}");
    assert_string_equal(text(result, "state"), "sealed");
    assert_string_equal(text(result, "size"), "7");
    assert_string_equal(text(result, "account"), "zhang");
    snprintf(object, sizeof object, "%s", text(result, "object"));
    json_decref(result);

    json_decref(granted(f, WORLD_OFFICER, "{\"op\":\"search\",\"words\":\"现场\"}"));
    assert_int_equal(f->items, 1);
    assert_string_equal(text(f->first, "path"), "/" STAGE "/现场.mp4");
    json_decref(granted(f, WORLD_OFFICER, "{\"op\":\"record.list\",\"path\":\"" STAGE "\"}"));
    assert_int_equal(f->items, 1);
    snprintf(request, sizeof request, "{\"op\":\"record.show\",\"object\":\"%s\"}", object);
    result = granted(f, WORLD_OFFICER, request);
    assert_string_equal(text(result, "name"), "现场.mp4");
    json_decref(result);
    snprintf(request, sizeof request, "{\"op\":\"record.versions\",\"object\":\"%s\"}", object);
    json_decref(granted(f, WORLD_OFFICER, request));
    assert_int_equal(f->items, 1);
    /* by id, too, only what one may see: whether it exists is not told */
    denied(f, WORLD_SYSADMIN, request, "not_found");

    snprintf(request, sizeof request, "{\"op\":\"ledger.proof\",\"object\":\"%s\"}", object);
    result = granted(f, WORLD_SUPERVISOR, request);
    assert_non_null(strstr(text(result, "proof"), "c2sp.org/tlog-proof@v1\n"));
    json_decref(result);
    denied(f, WORLD_OFFICER, request, "denied");
    snprintf(request, sizeof request, "{\"op\":\"verify\",\"object\":\"%s\"}", object);
    result = granted(f, WORLD_SUPERVISOR, request);
    assert_int_equal(json_integer_value(json_object_get(result, "findings")), 0);
    assert_int_equal(json_integer_value(json_object_get(result, "objects")), 1);
    json_decref(result);

    result =
        granted(f, WORLD_OFFICER,
                "{\"op\":\"record.file\",\"path\":\"" STAGE
                "/现场.mp4\",\"to\":\"2026/案/06送达/改.mp4\",\"reason\":\"错了\",\"again\":true}");
    assert_string_equal(text(result, "path"), "/2026/案/06送达/改.mp4");
    json_decref(result);
    denied(f, WORLD_OFFICER,
           "{\"op\":\"record.file\",\"path\":\"" STAGE
           "/没有.mp4\",\"to\":\"2026/案/06送达\",\"reason\":\"x\"}",
           "not_found");
    denied(f, WORLD_OFFICER, "{\"op\":\"record.show\"}", "invalid");
}

/* Private parts of entries are opened for those who may list records, not for others. */
static void test_log(void **state)
{
    struct fixture *f = *state;
    struct catalog_node node;
    json_t *result;

    assert_int_equal(world_put(&f->world, WORLD_OFFICER, STAGE "/a.mp4", "x", 1, &node), 0);
    json_decref(granted(f, WORLD_SUPERVISOR, "{\"op\":\"ledger.log\",\"act\":\"record.create\"}"));
    assert_int_equal(f->items, 1);
    assert_string_equal(
        text(json_object_get(json_object_get(f->first, "entry"), "private"), "name"), "a.mp4");
    json_decref(granted(f, WORLD_SUPERVISOR, "{\"op\":\"ledger.log\",\"from\":0,\"to\":2}"));
    assert_int_equal(f->items, 2);
    assert_string_equal(text(json_object_get(f->first, "entry"), "act"), "vault.create");
    result = granted(f, WORLD_SUPERVISOR, "{\"op\":\"ledger.entry\",\"index\":0}");
    assert_memory_equal(text(result, "entry"), "{\"act\":\"vault.create\"", 21);
    assert_int_equal(strlen(text(result, "leaf")), 64);
    json_decref(result);
    denied(f, WORLD_SUPERVISOR, "{\"op\":\"ledger.entry\",\"index\":9999}", "not_found");
    json_decref(granted(f, WORLD_SUPERVISOR, "{\"op\":\"ledger.checkpoint\"}"));
    json_decref(granted(f, WORLD_STRANGER, "{\"op\":\"ledger.key\"}"));
    result = granted(f, WORLD_SUPERVISOR, "{\"op\":\"verify\"}");
    assert_int_equal(json_integer_value(json_object_get(result, "findings")), 0);
    assert_int_equal(json_integer_value(json_object_get(result, "staging")), 1);
    json_decref(result);
}

static void test_nonsense(void **state)
{
    struct fixture *f = *state;
    char *big = malloc(REQUEST_MAX + 100);
    json_t *answer;
    int fd;

    denied(f, 0, "{\"op\":\"nonsense\"}", "unsupported");
    denied(f, 0, "GET / HTTP/1.1", "invalid");
    denied(f, 0, "", "invalid");
    /* longer than any request, without an end of line */
    memset(big, ' ', REQUEST_MAX + 100);
    fd = connect_as(f, 0);
    assert_true(send(fd, big, REQUEST_MAX + 100, MSG_NOSIGNAL) > 0);
    answer = read_answer(f, fd);
    assert_string_equal(text(answer, "error"), "too_large");
    json_decref(answer);
    free(big);
    /* the end of sending stands for an end of line */
    fd = connect_as(f, 0);
    assert_int_equal(send(fd, "{\"op\":\"hello\"}", 14, MSG_NOSIGNAL), 14);
    shutdown(fd, SHUT_WR);
    answer = read_answer(f, fd);
    assert_true(json_is_true(json_object_get(answer, "ok")));
    json_decref(answer);
    /* those who leave at once, in the middle, or without reading */
    for (int i = 0; i < 60; i++) {
        fd = connect_as(f, 0);
        if (i % 3 > 0)
            (void)send(fd, "{\"op\":\"ledger.key\"}\n", i % 3 == 1 ? 9 : 20, MSG_NOSIGNAL);
        close(fd);
    }
    for (int i = 0; i < 100; i++) { /* places come back as the threads notice */
        answer = ask(f, 0, "{\"op\":\"hello\"}");
        if (answer != NULL && json_is_true(json_object_get(answer, "ok")))
            break;
        json_decref(answer);
        answer = NULL;
        poll(NULL, 0, 50);
    }
    assert_non_null(answer);
    json_decref(answer);
}

/* One user who takes all they can get does not shut out the others. */
static void test_crowd(void **state)
{
    struct fixture *f = *state;
    int fds[CONTROL_PER_UID];
    json_t *answer;

    for (size_t i = 0; i < CONTROL_PER_UID; i++)
        fds[i] = connect_as(f, WORLD_STRANGER);
    answer = ask(f, WORLD_STRANGER, "{\"op\":\"hello\"}");
    assert_string_equal(text(answer, "error"), "busy");
    assert_true(json_is_true(json_object_get(answer, "retry")));
    json_decref(answer);
    json_decref(granted(f, WORLD_SYSADMIN, "{\"op\":\"hello\"}"));
    for (size_t i = 0; i < CONTROL_PER_UID; i++)
        close(fds[i]);
}

/* The end of the daemon does not wait for clients that say nothing, nor for a seal that takes
 * long. */
static void test_stop_with_clients(void **state)
{
    struct fixture *f = *state;
    struct door_actor officer = world_actor(WORLD_OFFICER);
    static const char seal[] =
        "{\"op\":\"seal\",\"path\":\"" STAGE "/offen.mp4\",\"wait_ms\":3600000}\n";
    struct door_open_info info;
    struct door_file *file;
    struct catalog_node stage, node;
    struct timespec began, ended;
    json_t *answer;
    int silent = connect_as(f, 0), waiting;

    assert_int_equal(world_find(&f->world, WORLD_OFFICER, STAGE, &stage), 0);
    assert_int_equal(
        door_create(f->world.door, &officer, stage.id, "offen.mp4", false, &node, &file, &info), 0);
    assert_int_equal(door_write(file, &officer, 0, "x", 1), 0);
    waiting = connect_as(f, WORLD_OFFICER);
    assert_int_equal(send(waiting, seal, strlen(seal), MSG_NOSIGNAL), strlen(seal));
    poll(NULL, 0, 300);
    clock_gettime(CLOCK_MONOTONIC, &began);
    control_stop(f->control);
    f->control = NULL;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    assert_true(ended.tv_sec - began.tv_sec < 6);
    door_release(file);
    answer = read_answer(f, waiting); /* who waited is told */
    assert_string_equal(text(answer, "error"), "closed");
    json_decref(answer);
    close(silent);
}

/* A socket that a killed daemon left is replaced; a folder that cannot be is an error. */
static void test_stale_socket(void **state)
{
    struct fixture *f = *state;
    struct control *again = NULL;

    control_stop(f->control);
    f->control = NULL;
    fclose(fopen(f->socket, "w"));
    assert_int_equal(control_start(f->folder, &f->context, &f->control), 0);
    json_decref(granted(f, 0, "{\"op\":\"hello\"}"));
    assert_int_equal(control_start("/proc/no-such-folder", &f->context, &again), SR_ERR_SYSTEM);
    assert_null(again);
    assert_int_equal(control_start("/etc/passwd", &f->context, &again), SR_ERR_NOT_DIRECTORY);
    assert_null(again);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_socket_is_open_to_all),
        CASE(test_who_may),
        CASE(test_accounts),
        CASE(test_record),
        CASE(test_log),
        CASE(test_nonsense),
        CASE(test_crowd),
        CASE(test_stop_with_clients),
        CASE(test_stale_socket),
    };

    if (geteuid() != 0) {
        fputs("daemon_control: connecting as other users needs root\n", stderr);
        return 1;
    }
    return cmocka_run_group_tests(tests, prepare, tidy);
}
