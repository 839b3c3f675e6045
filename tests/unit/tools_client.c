/* The pure parts of the tool's client: lines of an answer, error words, paths of arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tools/client.h"
#include "tools/place.h"

static enum client_line classify(const char *text)
{
    enum client_line line;
    json_t *value;

    assert_int_equal(sr_json_parse((const uint8_t *)text, strlen(text), &value), 0);
    line = client_classify(value);
    json_decref(value);
    return line;
}

static void test_lines(void **state)
{
    (void)state;
    assert_int_equal(classify("{\"progress\":{\"done\":1,\"total\":2}}"), CLIENT_PROGRESS);
    assert_int_equal(classify("{\"item\":[]}"), CLIENT_ITEM);
    assert_int_equal(classify("{\"ok\":true,\"result\":{}}"), CLIENT_OK);
    assert_int_equal(classify("{\"ok\":false,\"error\":\"sealed\",\"message\":\"m\"}"),
                     CLIENT_ERROR);
    assert_int_equal(classify("{\"ok\":false,\"error\":\"sealed\"}"), CLIENT_MALFORMED);
    assert_int_equal(classify("{\"ok\":true}"), CLIENT_MALFORMED);
    assert_int_equal(classify("{\"ok\":1,\"result\":{}}"), CLIENT_MALFORMED);
    assert_int_equal(classify("{}"), CLIENT_MALFORMED);
    assert_int_equal(classify("[1]"), CLIENT_MALFORMED);
    assert_int_equal(classify("7"), CLIENT_MALFORMED);
}

/* Every code survives the way through its word. */
static void test_error_words(void **state)
{
    (void)state;
    for (int code = -1; code >= SR_ERR_LAST; code--)
        assert_int_equal(client_error_code(sr_error_word(code)), code);
    assert_int_equal(client_error_code("no such word"), SR_ERR_SYSTEM);
}

static void test_exit_statuses(void **state)
{
    (void)state;
    assert_int_equal(tool_status(0), TOOL_DONE);
    assert_int_equal(tool_status(SR_ERR_SEALED), TOOL_REFUSED);
    assert_int_equal(tool_status(SR_ERR_DAMAGED), TOOL_REFUSED);
    assert_int_equal(tool_status(SR_ERR_SYSTEM), TOOL_SYSTEM);
    assert_int_equal(tool_status(SR_ERR_NO_SPACE), TOOL_SYSTEM);
    assert_int_equal(tool_status(SR_ERR_CLOSED), TOOL_SYSTEM);
}

static void test_requests(void **state)
{
    json_t *request = client_new("seal");

    (void)state;
    assert_true(client_set(request, "path", NULL));
    assert_null(json_object_get(request, "path"));
    assert_true(client_set(request, "path", "2026/案"));
    assert_string_equal(json_string_value(json_object_get(request, "path")), "2026/案");
    assert_false(client_set(request, "reason", "\xff"));
    assert_false(client_set(NULL, "reason", "x"));
    json_decref(request);
}

static void test_paths(void **state)
{
    static const struct {
        const char *argument, *folder, *mountpoint, *path;
    } cases[] = {
        /* paths of the vault */
        {"2026/案/02/x.mp4", "/root/o", "/mnt/c", "2026/案/02/x.mp4"},
        {"/2026/案", "/root/o", "/mnt/c", "2026/案"},
        {"2026//案/./a/../b/", "/root/o", "/mnt/c", "2026/案/b"},
        {"../../2026", "/root/o", "/mnt/c", "2026"},
        {"/", "/root/o", "/mnt/c", ""},
        /* paths of the mount, absolute and from a folder below it */
        {"/mnt/c/2026/案", "/root/o", "/mnt/c", "2026/案"},
        {"/mnt/c", "/root/o", "/mnt/c", ""},
        {"/mnt/c/", "/root/o", "/mnt/c", ""},
        {"x.mp4", "/mnt/c/2026/案/02", "/mnt/c", "2026/案/02/x.mp4"},
        {"../06/y", "/mnt/c/2026/案/02", "/mnt/c", "2026/案/06/y"},
        {".", "/mnt/c/2026", "/mnt/c", "2026"},
        {"c/2026", "/mnt", "/mnt/c", "2026"},
        /* a neighbour with the same beginning is not the mount */
        {"/mnt/cases/2026", "/", "/mnt/c", "mnt/cases/2026"},
        {"2026/x", "/mnt/cases", "/mnt/c", "2026/x"},
        /* no mount known */
        {"2026/x", "/", "", "2026/x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *path = place_vault_path(cases[i].argument, cases[i].folder, cases[i].mountpoint);

        assert_non_null(path);
        assert_string_equal(path, cases[i].path);
        free(path);
    }
}

static void test_objects(void **state)
{
    (void)state;
    assert_true(place_is_object("0123456789abcdef0123456789abcdef"));
    assert_false(place_is_object("0123456789ABCDEF0123456789abcdef"));
    assert_false(place_is_object("0123456789abcdef0123456789abcde"));
    assert_false(place_is_object("0123456789abcdef0123456789abcdef0"));
    assert_false(place_is_object(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),    cmocka_unit_test(test_error_words),
        cmocka_unit_test(test_requests), cmocka_unit_test(test_exit_statuses),
        cmocka_unit_test(test_paths),    cmocka_unit_test(test_objects),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
