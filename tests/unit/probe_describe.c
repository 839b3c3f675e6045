/* The answer under construction, and the file under examination from memory and over the socket. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "media/probe/describe.h"
#include "media/probe/source.h"
#include "media/wire.h"

static int keep_text(void *context, const char *text, size_t len)
{
    assert_true(sr_utf8_valid(text, len));
    sr_buf_append(context, text, len);
    return 0;
}

static json_t *result_of(struct describe *answer)
{
    json_t *result;

    assert_int_equal(describe_result(answer, &result), 0);
    describe_free(answer);
    return result;
}

static const char *text_of(const json_t *result, const char *key)
{
    return json_string_value(json_object_get(result, key));
}

static void test_values(void **state)
{
    (void)state;
    struct describe *answer;
    char long_value[DESCRIBE_VALUE_MAX + 10];
    json_t *result;

    assert_int_equal(describe_new(keep_text, NULL, &answer), 0);
    describe_text_value(answer, "make", "佳能");
    describe_text_value(answer, "make", "another");
    describe_text_value(answer, "model", "a\nb\x7f\xff\xc2\x85z");
    memset(long_value, 'x', sizeof(long_value) - 1);
    memcpy(long_value + DESCRIBE_VALUE_MAX - 1, "\xe4\xbd\xb3", 3);
    long_value[sizeof(long_value) - 1] = '\0';
    describe_text_value(answer, "title", long_value);
    describe_number(answer, "pages", 7);
    describe_number(answer, "duration_ms", INT64_MAX);
    describe_real(answer, "latitude", 31.25);
    describe_real(answer, "longitude", 0.0 / strtod("0", NULL));
    describe_flag(answer, "encrypted", true);
    result = result_of(answer);
    assert_string_equal(text_of(result, "make"), "佳能");
    assert_string_equal(text_of(result, "model"),
                        "a\xef\xbf\xbd"
                        "b\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz");
    assert_int_equal(strlen(text_of(result, "title")), DESCRIBE_VALUE_MAX - 1);
    assert_int_equal(json_integer_value(json_object_get(result, "pages")), 7);
    assert_null(json_object_get(result, "duration_ms"));
    assert_true(json_real_value(json_object_get(result, "latitude")) == 31.25);
    assert_null(json_object_get(result, "longitude"));
    assert_true(json_is_true(json_object_get(result, "encrypted")));
    assert_int_equal(json_array_size(json_object_get(result, "findings")), 3);
    assert_null(json_object_get(result, "text"));
    assert_null(json_object_get(result, "signatures"));
    json_decref(result);
}

static void test_findings(void **state)
{
    (void)state;
    struct describe *answer;
    struct sr_buf canonical = {0};
    json_t *result, *first;
    char filler[900];

    assert_int_equal(describe_new(keep_text, NULL, &answer), 0);
    describe_finding(answer, "extension", "is %s", "jpg");
    describe_finding(answer, "extension", "is %s", "jpg");
    describe_finding(answer, "extension", "is %s", "png");
    result = result_of(answer);
    assert_int_equal(json_array_size(json_object_get(result, "findings")), 2);
    first = json_array_get(json_object_get(result, "findings"), 0);
    assert_string_equal(text_of(first, "code"), "extension");
    assert_string_equal(text_of(first, "text"), "is jpg");
    json_decref(result);

    /* However much is found, the answer fits its message, and says that something is left off. */
    memset(filler, '"', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    assert_int_equal(describe_new(keep_text, NULL, &answer), 0);
    for (int i = 0; i < 200; i++) {
        describe_finding(answer, "broken", "%d %s", i, filler);
        describe_signature(answer, json_pack("{s:s}", "detail", filler));
    }
    result = result_of(answer);
    assert_int_equal(sr_json_canonical(result, &canonical), 0);
    assert_in_range(canonical.len, WIRE_ANSWER_MAX / 2, WIRE_ANSWER_MAX);
    first = json_array_get(json_object_get(result, "findings"), 0);
    assert_string_equal(text_of(first, "code"), "truncated");
    sr_buf_free(&canonical);
    json_decref(result);

    assert_int_equal(describe_new(keep_text, NULL, &answer), 0);
    describe_member(answer, "streams", NULL);
    assert_int_equal(describe_result(answer, &result), SR_ERR_NO_MEMORY);
    describe_free(answer);
}

static void test_text(void **state)
{
    (void)state;
    struct describe *answer;
    struct sr_buf kept = {0};
    json_t *result, *text;
    bool full;

    assert_int_equal(describe_new(keep_text, &kept, &answer), 0);
    describe_limit_text(answer, 10);
    assert_int_equal(describe_text(answer, "案卷", 6, &full), 0);
    assert_false(full);
    assert_int_equal(describe_text(answer, "库房", 6, &full), 0); /* one character has room */
    assert_true(full);
    assert_int_equal(describe_text(answer, "x", 1, &full), 0); /* never behind a gap */
    assert_true(full);
    result = result_of(answer);
    assert_string_equal(kept.data, "案卷库");
    text = json_object_get(result, "text");
    assert_int_equal(json_integer_value(json_object_get(text, "bytes")), 9);
    assert_true(json_is_true(json_object_get(text, "truncated")));
    json_decref(result);
    sr_buf_free(&kept);
}

/* --- the source --- */

#define SAMPLE_LEN (3u << 20)

static uint8_t *make_sample(void)
{
    uint8_t *data = malloc(SAMPLE_LEN);

    assert_non_null(data);
    for (size_t i = 0; i < SAMPLE_LEN; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 24);
    return data;
}

static void test_memory(void **state)
{
    (void)state;
    struct probe_source *source;
    uint8_t *whole, buf[8];
    size_t got;

    assert_int_equal(probe_source_memory("0123456789", 10, "a.txt", &source), 0);
    assert_int_equal(probe_source_size(source), 10);
    assert_string_equal(probe_source_name(source), "a.txt");
    assert_int_equal(probe_source_read(source, 8, buf, sizeof(buf), &got), 0);
    assert_int_equal(got, 2);
    assert_memory_equal(buf, "89", 2);
    assert_int_equal(probe_source_read(source, UINT64_MAX, buf, sizeof(buf), &got), 0);
    assert_int_equal(got, 0);
    assert_int_equal(probe_source_whole(source, 9, &whole, &got), SR_ERR_TOO_LARGE);
    assert_null(whole);
    assert_int_equal(probe_source_whole(source, 10, &whole, &got), 0);
    assert_int_equal(got, 10);
    assert_string_equal((char *)whole, "0123456789");
    free(whole);
    probe_source_free(source);
    assert_int_equal(probe_source_memory(NULL, 0, "empty", &source), 0);
    assert_int_equal(probe_source_read(source, 0, buf, sizeof(buf), &got), 0);
    assert_int_equal(got, 0);
    probe_source_free(source);
    probe_source_free(NULL);
}

struct server {
    pthread_t thread;
    int fd;
    const uint8_t *data;
    size_t damaged_at; /* a range over this byte fails */
    size_t short_at;   /* the file ends here after all */
    size_t hang_up;    /* after so many answers; 0: never */
    size_t asked;
};

static void *serve(void *context)
{
    struct server *server = context;
    struct wire wire = {server->fd, -1, INT64_MAX};
    uint8_t payload[WIRE_ASK_LEN], failed[WIRE_FAILED_LEN];
    enum wire_type type;
    struct wire_ask ask;
    size_t len;

    while (wire_receive(&wire, WIRE_BIT(WIRE_ASK), payload, sizeof(payload), &type, &len) == 0) {
        if (server->hang_up && server->asked == server->hang_up)
            break;
        server->asked++;
        if (wire_parse_ask(payload, len, SAMPLE_LEN, &ask))
            break;
        if (ask.offset <= server->damaged_at && server->damaged_at < ask.offset + ask.len) {
            wire_put_failed(SR_ERR_DAMAGED, failed);
            wire_send(&wire, WIRE_FAILED, failed, sizeof(failed));
            continue;
        }
        len = ask.len;
        if (ask.offset + len > server->short_at)
            len = server->short_at > ask.offset ? server->short_at - ask.offset : 0;
        wire_send(&wire, WIRE_DATA, server->data + ask.offset, len);
    }
    close(server->fd);
    return NULL;
}

static void start(struct server *server, const uint8_t *data, struct probe_source **source, int *fd)
{
    int pair[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    *server = (struct server){
        .fd = pair[0], .data = data, .damaged_at = SIZE_MAX, .short_at = SAMPLE_LEN};
    *fd = pair[1];
    assert_int_equal(probe_source_socket(pair[1], SAMPLE_LEN, "b.bin", source), 0);
}

static void stop(struct server *server, struct probe_source *source, int fd)
{
    probe_source_free(source);
    close(fd);
    assert_int_equal(pthread_join(server->thread, NULL), 0);
}

static void test_socket(void **state)
{
    (void)state;
    uint8_t *data = make_sample(), *whole, *buf = malloc(SAMPLE_LEN);
    struct probe_source *source;
    struct server server;
    uint32_t random = 1;
    size_t got;
    int fd;

    start(&server, data, &source, &fd);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
    for (size_t at = 0; at < SAMPLE_LEN; at += 1000) { /* in order: a question per block */
        assert_int_equal(probe_source_read(source, at, buf, 1000, &got), 0);
        assert_memory_equal(buf, data + at, got);
    }
    assert_int_equal(server.asked, SAMPLE_LEN / (128u << 10));
    for (int i = 0; i < 500; i++) {
        size_t at = (random = random * 1103515245u + 12345u) % (SAMPLE_LEN + 10);
        size_t len = (random = random * 1103515245u + 12345u) % (i % 9 ? 5000 : SAMPLE_LEN);

        assert_int_equal(probe_source_read(source, at, buf, len, &got), 0);
        assert_int_equal(got, at >= SAMPLE_LEN ? 0 : len > SAMPLE_LEN - at ? SAMPLE_LEN - at : len);
        if (got)
            assert_memory_equal(buf, data + at, got);
    }
    assert_int_equal(probe_source_whole(source, SAMPLE_LEN, &whole, &got), 0);
    assert_memory_equal(whole, data, SAMPLE_LEN);
    free(whole);
    stop(&server, source, fd);
    free(buf);
    free(data);
}

static void test_socket_faults(void **state)
{
    (void)state;
    uint8_t *data = make_sample(), buf[2000];
    struct probe_source *source;
    struct server server;
    size_t got;
    int fd;

    start(&server, data, &source, &fd);
    server.damaged_at = 1u << 20;
    server.short_at = 2u << 20;
    server.hang_up = 4;
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
    assert_int_equal(probe_source_read(source, 0, buf, sizeof(buf), &got), 0);
    assert_int_equal(probe_source_read(source, (1u << 20) - 1000, buf, sizeof(buf), &got),
                     SR_ERR_DAMAGED);
    assert_int_equal(got, 0);
    assert_int_equal(probe_source_read(source, 2u << 20, buf, 1, &got), SR_ERR_DAMAGED);
    assert_int_equal(probe_source_read(source, 600000, buf, 1, &got), SR_ERR_CLOSED);
    assert_int_equal(probe_source_read(source, 0, buf, sizeof(buf), &got), 0); /* still cached */
    assert_memory_equal(buf, data, sizeof(buf));
    stop(&server, source, fd);
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_findings),
        cmocka_unit_test(test_text),   cmocka_unit_test(test_memory),
        cmocka_unit_test(test_socket), cmocka_unit_test(test_socket_faults),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
