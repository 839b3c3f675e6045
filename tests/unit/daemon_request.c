/* Requests of the control socket: what is taken, what is refused and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "daemon/ops.h"
#include "daemon/request.h"

static int parse(const char *line, json_t **request)
{
    const struct ops_entry *entry;

    return ops_parse((const uint8_t *)line, strlen(line), &entry, request);
}

/* Refused with code, and the sentence holds words. */
static void refused(const char *line, int code, const char *words)
{
    json_t *request = (json_t *)1;

    assert_int_equal(parse(line, &request), code);
    assert_null(request);
    if (strstr(sr_error_message(), words) == NULL)
        fail_msg("'%s' was said, not '%s'", sr_error_message(), words);
}

static void test_whole_request(void **state)
{
    const char *roles[4];
    json_t *request;

    (void)state;
    assert_int_equal(parse("{\"op\":\"user.add\",\"account\":\"li\",\"name\":\"李四\","
                           "\"roles\":[\"officer\",\"head\"],\"password\":\"secret\"}",
                           &request),
                     0);
    assert_string_equal(request_text(request, "account"), "li");
    assert_string_equal(request_text(request, "name"), "李四");
    assert_null(request_text(request, "path"));
    assert_int_equal(request_texts(request, "roles", roles, 4), 2);
    assert_string_equal(roles[1], "head");
    assert_int_equal(request_texts(request, "roles", roles, 1), 1);
    request_wipe(request, "password");
    assert_memory_equal(request_text(request, "password"), "\0\0\0\0\0\0", 6);
    json_decref(request);

    /* Whatever of a person can be taken away may be given empty. */
    assert_int_equal(parse("{\"op\":\"user.set\",\"account\":\"li\",\"unit\":\"\",\"badge\":\"\","
                           "\"badge_from\":\"\",\"badge_until\":\"\",\"clearance\":0,"
                           "\"name\":\"n\",\"roles\":[\"head\"]}",
                           &request),
                     0);
    assert_string_equal(request_text(request, "unit"), "");
    assert_int_equal(request_number(request, "clearance", 9), 0);
    json_decref(request);

    assert_int_equal(parse("{\"op\":\"ledger.log\",\"from\":5}", &request), 0);
    assert_int_equal(request_number(request, "from", 9), 5);
    assert_int_equal(request_number(request, "to", 9), 9);
    assert_false(request_bool(request, "again"));
    json_decref(request);
}

static void test_refusals(void **state)
{
    (void)state;
    refused("", SR_ERR_INVALID, "");
    refused("[]", SR_ERR_INVALID, "op");
    refused("{}", SR_ERR_INVALID, "op");
    refused("{\"op\":7}", SR_ERR_INVALID, "op");
    refused("{\"op\":\"\"}", SR_ERR_UNSUPPORTED, "knows no operation");
    refused("{\"op\":\"format\"}", SR_ERR_UNSUPPORTED, "format");
    refused("{\"op\":\"status\",\"path\":\"x\"}", SR_ERR_INVALID, "'status' takes no 'path'");
    refused("{\"op\":\"seal\"}", SR_ERR_INVALID, "'seal' needs 'path'");
    refused("{\"op\":\"seal\",\"path\":7}", SR_ERR_INVALID, "'path' must be a text");
    refused("{\"op\":\"seal\",\"path\":\"\"}", SR_ERR_INVALID, "'path' must be a text");
    refused("{\"op\":\"seal\",\"path\":null}", SR_ERR_INVALID, "'path' must be a text");
    refused("{\"op\":\"seal\",\"path\":\"a\",\"path\":\"b\"}", SR_ERR_INVALID, "");
    refused("{\"op\":\"seal\",\"path\":\"a\",\"wait_ms\":-1}", SR_ERR_INVALID, "'wait_ms'");
    refused("{\"op\":\"seal\",\"path\":\"a\",\"wait_ms\":3600001}", SR_ERR_INVALID, "3600000");
    refused("{\"op\":\"seal\",\"path\":\"a\",\"wait_ms\":1.5}", SR_ERR_INVALID, "'wait_ms'");
    refused("{\"op\":\"seal\",\"path\":\"a\",\"wait_ms\":\"1\"}", SR_ERR_INVALID, "'wait_ms'");
    refused("{\"op\":\"user.add\",\"account\":\"a\",\"roles\":[]}", SR_ERR_INVALID, "'roles'");
    refused("{\"op\":\"user.add\",\"account\":\"a\",\"roles\":\"officer\"}", SR_ERR_INVALID,
            "'roles'");
    refused("{\"op\":\"user.add\",\"account\":\"a\",\"roles\":[1]}", SR_ERR_INVALID, "'roles'");
    refused("{\"op\":\"record.file\",\"path\":\"a\",\"to\":\"b\",\"reason\":\"c\",\"again\":1}",
            SR_ERR_INVALID, "'again' must be true or false");
    refused("{\"op\":\"user.set\",\"account\":\"a\",\"clearance\":5}", SR_ERR_INVALID, "0 to 4");
    refused("{\"op\":\"user.set\",\"account\":\"a\",\"badge_from\":\"2024-01-011\"}",
            SR_ERR_INVALID, "up to 10");
    refused("{\"op\":\"user.set\",\"account\":\"a\",\"unit\":null}", SR_ERR_INVALID, "'unit'");
    refused("{\"op\":\"user.set\",\"account\":\"\"}", SR_ERR_INVALID, "'account'");
    refused("{\"op\":\"user.disable\",\"account\":\"a\"}", SR_ERR_INVALID, "needs 'reason'");
    refused("{\"op\":\"user.disable\",\"account\":\"a\",\"reason\":\"\"}", SR_ERR_INVALID,
            "'reason'");
    refused("{\"op\":\"case.assign\",\"path\":\"a\",\"lead\":[],\"reason\":\"r\"}", SR_ERR_INVALID,
            "'lead'");
    refused("{\"op\":\"case.transfer\",\"path\":\"a\",\"unit\":\"\",\"reason\":\"r\"}",
            SR_ERR_INVALID, "'unit'");
    refused("{\"op\":\"record.classify\",\"path\":\"a\",\"level\":-1,\"reason\":\"r\"}",
            SR_ERR_INVALID, "'level'");
    refused("{\"op\":\"record.classify\",\"path\":\"a\",\"marks\":[\"a\",\"b\",\"c\",\"d\","
            "\"e\"],\"reason\":\"r\"}",
            SR_ERR_INVALID, "1 to 4");
    refused("{\"op\":\"status\"} {\"op\":\"status\"}", SR_ERR_INVALID, "");
    refused("{\"op\":\"search\",\"words\":\"\xff\xfe\"}", SR_ERR_INVALID, "");
}

/* A NUL would let the check and the use see different texts. */
static void test_no_nul(void **state)
{
    (void)state;
    refused("{\"op\":\"search\",\"words\":\"a\\u0000b\"}", SR_ERR_INVALID, "");
    refused("{\"op\":\"status\\u0000x\"}", SR_ERR_INVALID, "");
}

static void test_lengths(void **state)
{
    char *line = malloc(REQUEST_MAX + 100), *name = malloc(REQUEST_NAME_MAX + 2);
    json_t *request;

    (void)state;
    memset(name, 'n', REQUEST_NAME_MAX + 1);
    name[REQUEST_NAME_MAX] = '\0';
    sprintf(line, "{\"op\":\"case.open\",\"year\":2026,\"name\":\"%s\"}", name);
    assert_int_equal(parse(line, &request), 0);
    json_decref(request);
    name[REQUEST_NAME_MAX] = 'n';
    name[REQUEST_NAME_MAX + 1] = '\0';
    sprintf(line, "{\"op\":\"case.open\",\"year\":2026,\"name\":\"%s\"}", name);
    refused(line, SR_ERR_INVALID, "255");
    memset(line, ' ', REQUEST_MAX + 1);
    line[REQUEST_MAX + 1] = '\0';
    refused(line, SR_ERR_TOO_LARGE, "65536");
    free(line);
    free(name);
}

/* Every truncation is refused, and so is every single byte made into a control character. */
static void test_damaged(void **state)
{
    static const char whole[] =
        "{\"op\":\"record.file\",\"path\":\"a/b\",\"to\":\"c\",\"reason\":\"why\"}";
    char line[sizeof whole];
    json_t *request;

    (void)state;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        memcpy(line, whole, len);
        line[len] = '\0';
        assert_int_not_equal(parse(line, &request), 0);
        assert_null(request);
    }
    for (size_t i = 0; i < sizeof whole - 1; i++) {
        memcpy(line, whole, sizeof whole);
        line[i] = '\x01';
        assert_int_not_equal(parse(line, &request), 0);
        assert_null(request);
    }
}

/* Each operation is found under its own name, once; each refuses what it does not know. */
static void test_table(void **state)
{
    char line[128];

    (void)state;
    assert_true(ops_count() >= 19);
    for (size_t i = 0; i < ops_count(); i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(ops_name_at(i), ops_name_at(j));
        snprintf(line, sizeof line, "{\"op\":\"%s\",\"nonsense\":1}", ops_name_at(i));
        refused(line, SR_ERR_INVALID, "takes no 'nonsense'");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_request), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_no_nul),        cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_damaged),       cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
