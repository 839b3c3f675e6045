/* The messages between daemon and probe: what is put is parsed, what is out of bounds is refused, and
 * waiting ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "media/wire.h"

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void test_job(void **state)
{
    (void)state;
    struct wire_job job = {.size = 5,
                           .text_max = 9,
                           .name = "现场.mp4",
                           .name_len = 10,
                           .hint = "label",
                           .hint_len = 5,
                           .trust = "-----BEGIN",
                           .trust_len = 10};
    struct wire_job again;
    uint8_t *payload;
    size_t len;

    assert_int_equal(wire_put_job(&job, &payload, &len), 0);
    assert_int_equal(wire_parse_job(payload, len, &again), 0);
    assert_int_equal(again.size, 5);
    assert_int_equal(again.text_max, 9);
    assert_int_equal(again.name_len, 10);
    assert_memory_equal(again.name, job.name, 10);
    assert_int_equal(again.hint_len, 5);
    assert_memory_equal(again.hint, "label", 5);
    assert_int_equal(again.trust_len, 10);
    assert_memory_equal(again.trust, "-----BEGIN", 10);
    for (size_t shorter = 0; shorter < len; shorter++)
        assert_int_equal(wire_parse_job(payload, shorter, &again), SR_ERR_INVALID);
    sr_put_be32(payload + 16, UINT32_MAX);
    assert_int_equal(wire_parse_job(payload, len, &again), SR_ERR_INVALID);
    free(payload);

    job.name = "a/b";
    job.name_len = 3;
    assert_int_equal(wire_put_job(&job, &payload, &len), SR_ERR_INVALID);
    job.name = "a\0b";
    assert_int_equal(wire_put_job(&job, &payload, &len), SR_ERR_INVALID);
    job.name = "\xff\xff\xff";
    assert_int_equal(wire_put_job(&job, &payload, &len), SR_ERR_INVALID);
    job.name = "abc";
    job.size = UINT64_MAX;
    assert_int_equal(wire_put_job(&job, &payload, &len), SR_ERR_INVALID);
    job.size = 1;
    job.hint = "\n";
    job.hint_len = 1;
    assert_int_equal(wire_put_job(&job, &payload, &len), SR_ERR_INVALID);
    assert_null(payload);
    job.hint_len = 0;
    job.name_len = 0;
    assert_int_equal(wire_put_job(&job, &payload, &len), SR_ERR_INVALID);
}

static void test_small_payloads(void **state)
{
    (void)state;
    uint8_t ready[WIRE_READY_LEN], ask[WIRE_ASK_LEN], failed[WIRE_FAILED_LEN];
    static const struct {
        uint64_t offset;
        uint32_t len;
        uint64_t size;
        int rc;
    } asks[] = {
        {0, 1, 1, 0},
        {10, WIRE_RANGE_MAX, 10 + WIRE_RANGE_MAX, 0},
        {10, WIRE_RANGE_MAX + 1, UINT64_MAX, SR_ERR_INVALID},
        {10, WIRE_RANGE_MAX, 9 + WIRE_RANGE_MAX, SR_ERR_INVALID},
        {0, 0, 10, SR_ERR_INVALID},
        {10, 1, 10, SR_ERR_INVALID},
        {11, 1, 10, SR_ERR_INVALID},
        {UINT64_MAX, 2, UINT64_MAX, SR_ERR_INVALID},
    };
    struct wire_ask out;
    int error;

    wire_put_ready(ready);
    assert_int_equal(wire_parse_ready(ready, sizeof(ready)), 0);
    assert_int_equal(wire_parse_ready(ready, sizeof(ready) - 1), SR_ERR_INVALID);
    for (size_t i = 0; i < sizeof(ready); i++) {
        ready[i] ^= 1;
        assert_int_equal(wire_parse_ready(ready, sizeof(ready)), SR_ERR_INVALID);
        ready[i] ^= 1;
    }
    for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        wire_put_ask(&(struct wire_ask){asks[i].offset, asks[i].len}, ask);
        assert_int_equal(wire_parse_ask(ask, sizeof(ask), asks[i].size, &out), asks[i].rc);
        assert_int_equal(wire_parse_ask(ask, sizeof(ask) - 1, asks[i].size, &out), SR_ERR_INVALID);
    }
    for (int code = SR_ERR_SYSTEM; code >= SR_ERR_LAST; code--) {
        wire_put_failed(code, failed);
        assert_int_equal(wire_parse_failed(failed, sizeof(failed), &error), 0);
        assert_int_equal(error, code);
    }
    sr_put_be32(failed, 0);
    assert_int_equal(wire_parse_failed(failed, sizeof(failed), &error), SR_ERR_INVALID);
    sr_put_be32(failed, (uint32_t)-SR_ERR_LAST + 1);
    assert_int_equal(wire_parse_failed(failed, sizeof(failed), &error), SR_ERR_INVALID);
    assert_true(error < 0);
}

static void test_header(void **state)
{
    (void)state;
    uint8_t header[WIRE_HEADER_LEN];
    enum wire_type type;
    size_t len;

    wire_put_header(WIRE_TEXT, WIRE_TEXT_MAX, header);
    assert_int_equal(wire_parse_header(header, WIRE_BIT(WIRE_TEXT), &type, &len), 0);
    assert_int_equal(type, WIRE_TEXT);
    assert_int_equal(len, WIRE_TEXT_MAX);
    assert_int_equal(wire_parse_header(header, WIRE_BIT(WIRE_ASK), &type, &len), SR_ERR_INVALID);
    sr_put_be32(header + 4, WIRE_TEXT_MAX + 1);
    assert_int_equal(wire_parse_header(header, UINT32_MAX, &type, &len), SR_ERR_INVALID);
    sr_put_be32(header + 4, 0);
    assert_int_equal(wire_parse_header(header, UINT32_MAX, &type, &len), SR_ERR_INVALID);
    sr_put_be32(header + 4, 1);
    for (int byte = 0; byte < 256; byte++) {
        header[0] = (uint8_t)byte;
        if (wire_parse_header(header, UINT32_MAX, &type, &len) == 0)
            assert_true(byte == WIRE_TEXT || byte == WIRE_DATA);
    }
    header[0] = WIRE_TEXT;
    header[2] = 1;
    assert_int_equal(wire_parse_header(header, UINT32_MAX, &type, &len), SR_ERR_INVALID);
}

static void test_exchange(void **state)
{
    (void)state;
    struct wire a = {.stop_fd = -1, .deadline_ns = INT64_MAX}, b = a;
    static uint8_t payload[WIRE_TEXT_MAX];
    enum wire_type type;
    int pair[2];
    size_t len;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    a.fd = pair[0];
    b.fd = pair[1];
    assert_int_equal(wire_send(&a, WIRE_TEXT, "abc", 3), 0);
    memset(payload, 'x', 1000);
    assert_int_equal(wire_send(&a, WIRE_TEXT, payload, 1000), 0);
    assert_int_equal(wire_send(&a, WIRE_TEXT, payload, 10), 0);
    assert_int_equal(wire_receive(&b, WIRE_BIT(WIRE_TEXT), payload, sizeof(payload), &type, &len),
                     0);
    assert_int_equal(len, 3);
    assert_memory_equal(payload, "abc", 3);
    assert_int_equal(wire_receive(&b, WIRE_BIT(WIRE_TEXT), payload, sizeof(payload), &type, &len),
                     0);
    assert_int_equal(len, 1000);
    assert_int_equal(wire_receive(&b, WIRE_BIT(WIRE_TEXT), payload, 9, &type, &len),
                     SR_ERR_INVALID);
    assert_int_equal(len, 0);
    close(pair[0]);
    /* The ten bytes stand in the place of a header: gone in its middle, or no message. */
    assert_int_not_equal(
        wire_receive(&b, WIRE_BIT(WIRE_TEXT), payload, sizeof(payload), &type, &len), 0);
    assert_int_equal(wire_receive(&b, WIRE_BIT(WIRE_TEXT), payload, sizeof(payload), &type, &len),
                     SR_ERR_CLOSED);
    assert_int_equal(wire_send(&b, WIRE_TEXT, "abc", 3), SR_ERR_CLOSED); /* and no SIGPIPE */
    close(pair[1]);
}

static void test_waiting_ends(void **state)
{
    (void)state;
    static uint8_t payload[WIRE_TEXT_MAX];
    struct wire wire = {.stop_fd = -1};
    enum wire_type type;
    int64_t from = now_ns();
    int pair[2], rc;
    size_t len;

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    wire.fd = pair[0];
    wire.deadline_ns = from + 50000000;
    assert_int_equal(wire_receive(&wire, WIRE_BIT(WIRE_TEXT), payload, 10, &type, &len),
                     SR_ERR_BUSY);
    assert_in_range(now_ns() - from, 50000000, 5000000000);
    wire.deadline_ns = now_ns() + 50000000;
    do { /* nobody reads */
        rc = wire_send(&wire, WIRE_TEXT, payload, sizeof(payload));
    } while (rc == 0);
    assert_int_equal(rc, SR_ERR_BUSY);
    wire.deadline_ns = INT64_MAX;
    wire.stop_fd = eventfd(1, 0);
    assert_int_equal(wire_receive(&wire, WIRE_BIT(WIRE_TEXT), payload, 10, &type, &len),
                     SR_ERR_CLOSED);
    close(wire.stop_fd);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_job),          cmocka_unit_test(test_small_payloads),
        cmocka_unit_test(test_header),       cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_waiting_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
