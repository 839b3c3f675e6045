/* One request line of the control socket: parsing, the table's checks, and every way of taking a
 * member out. What is accepted must hold what the table promises to the handlers. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "daemon/ops.h"
#include "daemon/request.h"
#include "tests/fuzz/fuzz.h"

/* What can be taken away from a person or a node is given as an empty text. */
static bool may_be_empty(const char *name)
{
    static const char *const names[] = {"unit", "badge", "badge_from", "badge_until", "until"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void check_member(json_t *request, const char *name)
{
    const json_t *value = json_object_get(request, name);
    const char *texts[3];
    size_t count = request_texts(request, name, texts, 3);

    must(json_is_string(value) || json_is_integer(value) || json_is_boolean(value) ||
         json_is_array(value));
    must(count <= 3 && (count == 0 || json_is_array(value)));
    for (size_t i = 0; i < count; i++)
        must(texts[i] != NULL && texts[i][0] != '\0');
    if (json_is_string(value)) {
        size_t len = json_string_length(value);

        /* No NUL inside: strlen is the length that was checked. */
        must(strlen(request_text(request, name)) == len && (len > 0 || may_be_empty(name)) &&
             len <= REQUEST_PATH_MAX);
        request_wipe(request, name);
        must(json_string_length(value) == len && json_string_value(value)[0] == '\0');
    }
    if (json_is_integer(value))
        must(request_number(request, name, 1) == (uint64_t)json_integer_value(value) &&
             json_integer_value(value) >= 0);
    must(request_bool(request, name) == json_is_true(value));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct ops_entry *entry = NULL;
    json_t *request = NULL, *value;
    const char *name;
    int rc = ops_parse(data, size, &entry, &request);

    must((rc == 0) == (request != NULL) && (rc == 0) == (entry != NULL));
    must(rc == 0 || (rc < 0 && sr_error_message()[0] != '\0'));
    if (rc != 0)
        return 0;
    must(strcmp(ops_name(entry), request_text(request, "op")) == 0);
    must(json_object_size(request) <= REQUEST_FIELDS_MAX + 1);
    json_object_foreach(request, name, value) check_member(request, name);
    json_decref(request);
    return 0;
}
