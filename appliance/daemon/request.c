#include "daemon/request.h"

#include <string.h>

#include "base/crypto.h"
#include "base/error.h"
#include "base/json.h"

static bool is_text(const json_t *value, uint64_t min, uint64_t max)
{
    size_t len = json_string_length(value);

    /* A NUL inside would make the text mean less than what was checked. */
    return json_is_string(value) && len >= min && len <= max &&
           strlen(json_string_value(value)) == len;
}

static int check_field(const struct request_field *field, const json_t *value)
{
    uint64_t number = 0;
    size_t i;

    switch (field->type) {
    case REQUEST_TEXT:
        if (is_text(value, 1, field->max))
            return 0;
        return sr_fail(SR_ERR_INVALID, "'%s' must be a text of 1 to %llu bytes", field->name,
                       (unsigned long long)field->max);
    case REQUEST_TEXT_OR_EMPTY:
        if (is_text(value, 0, field->max))
            return 0;
        return sr_fail(SR_ERR_INVALID, "'%s' must be a text of up to %llu bytes", field->name,
                       (unsigned long long)field->max);
    case REQUEST_NUMBER:
        if (json_is_integer(value) && json_integer_value(value) >= 0) {
            number = (uint64_t)json_integer_value(value);
            if (number <= field->max)
                return 0;
        }
        return sr_fail(SR_ERR_INVALID, "'%s' must be a number from 0 to %llu", field->name,
                       (unsigned long long)field->max);
    case REQUEST_BOOL:
        if (json_is_boolean(value))
            return 0;
        return sr_fail(SR_ERR_INVALID, "'%s' must be true or false", field->name);
    case REQUEST_TEXTS:
    case REQUEST_LONG_TEXTS:
        for (i = 0; i < json_array_size(value); i++)
            if (!is_text(json_array_get(value, i), 1,
                         field->type == REQUEST_TEXTS ? REQUEST_NAME_MAX : REQUEST_TEXT_MAX))
                break;
        if (json_is_array(value) && i > 0 && i <= field->max && i == json_array_size(value))
            return 0;
        return sr_fail(SR_ERR_INVALID, "'%s' must be an array of 1 to %llu texts", field->name,
                       (unsigned long long)field->max);
    }
    return sr_fail(SR_ERR_INVALID, "'%s' has an unknown type", field->name);
}

static const struct request_field *find_field(const struct request_shape *shape, const char *name)
{
    for (size_t i = 0; i < REQUEST_FIELDS_MAX && shape->fields[i].name != NULL; i++)
        if (strcmp(shape->fields[i].name, name) == 0)
            return &shape->fields[i];
    return NULL;
}

static int check_shape(const struct request_shape *shape, json_t *request)
{
    const char *name;
    json_t *value;
    int rc;

    json_object_foreach(request, name, value)
    {
        const struct request_field *field = find_field(shape, name);

        if (strcmp(name, "op") == 0)
            continue;
        if (field == NULL)
            return sr_fail(SR_ERR_INVALID, "'%s' takes no '%.40s'", shape->op, name);
        rc = check_field(field, value);
        if (rc != 0)
            return rc;
    }
    for (size_t i = 0; i < REQUEST_FIELDS_MAX && shape->fields[i].name != NULL; i++)
        if (shape->fields[i].required && json_object_get(request, shape->fields[i].name) == NULL)
            return sr_fail(SR_ERR_INVALID, "'%s' needs '%s'", shape->op, shape->fields[i].name);
    return 0;
}

int request_parse(const uint8_t *line, size_t len, const void *shapes, size_t count, size_t stride,
                  size_t *which, json_t **request)
{
    const struct request_shape *shape = NULL;
    json_t *root = NULL;
    const char *op;
    int rc;

    *request = NULL;
    *which = 0;
    if (len > REQUEST_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "the request is over %d bytes", REQUEST_MAX);
    rc = sr_json_parse(line, len, &root);
    if (rc != 0)
        goto out;
    op = json_string_value(json_object_get(root, "op"));
    if (op == NULL) {
        rc = sr_fail(SR_ERR_INVALID, "the request is not an object with a text 'op'");
        goto out;
    }
    for (size_t i = 0; i < count && shape == NULL; i++) {
        const struct request_shape *one = (const void *)((const char *)shapes + i * stride);

        if (strcmp(one->op, op) == 0) {
            shape = one;
            *which = i;
        }
    }
    if (shape == NULL) {
        rc = sr_fail(SR_ERR_UNSUPPORTED, "this daemon knows no operation '%.40s'", op);
        goto out;
    }
    rc = check_shape(shape, root);
    if (rc == 0) {
        *request = root;
        root = NULL;
    }
out:
    json_decref(root);
    return rc;
}

const char *request_text(const json_t *request, const char *name)
{
    return json_string_value(json_object_get(request, name));
}

uint64_t request_number(const json_t *request, const char *name, uint64_t absent)
{
    const json_t *value = json_object_get(request, name);

    return value == NULL ? absent : (uint64_t)json_integer_value(value);
}

bool request_bool(const json_t *request, const char *name)
{
    return json_is_true(json_object_get(request, name));
}

size_t request_texts(const json_t *request, const char *name, const char **out, size_t max)
{
    const json_t *array = json_object_get(request, name);
    size_t count = json_array_size(array);

    if (count > max)
        count = max;
    for (size_t i = 0; i < count; i++)
        out[i] = json_string_value(json_array_get(array, i));
    return count;
}

void request_wipe(json_t *request, const char *name)
{
    json_t *value = json_object_get(request, name);

    /* jansson keeps the text in memory that this node owns, so it may be overwritten. */
    if (json_is_string(value))
        sr_wipe((void *)(uintptr_t)json_string_value(value), json_string_length(value));
}
