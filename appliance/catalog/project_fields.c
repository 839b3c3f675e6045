#include "catalog/project.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

static int bad(const char *key, const char *what)
{
    return sr_fail(SR_ERR_INVALID, "member %s is missing or not %s", key, what);
}

static int text_of(const char *key, const json_t *value, size_t min, size_t max, const char **out)
{
    size_t len;

    *out = NULL;
    if (!json_is_string(value))
        return bad(key, "text");
    len = json_string_length(value);
    if (len < min || len > max || strlen(json_string_value(value)) != len)
        return sr_fail(SR_ERR_INVALID, "member %s is not %zu to %zu bytes of text", key, min, max);
    *out = json_string_value(value);
    return 0;
}

int project_text(const json_t *object, const char *key, size_t max, const char **out)
{
    return text_of(key, json_object_get(object, key), 1, max, out);
}

int project_text_or_empty(const json_t *object, const char *key, size_t max, const char **out)
{
    return text_of(key, json_object_get(object, key), 0, max, out);
}

int project_name_check(const char *key, const json_t *value, const char **out)
{
    int rc = text_of(key, value, 1, CATALOG_NAME_MAX, out);

    if (rc < 0)
        return rc;
    if (strchr(*out, '/') != NULL || strcmp(*out, ".") == 0 || strcmp(*out, "..") == 0 ||
        !sr_utf8_valid(*out, strlen(*out)))
        return bad(key, "a name that a folder can hold");
    return 0;
}

int project_name(const json_t *object, const char *key, const char **out)
{
    return project_name_check(key, json_object_get(object, key), out);
}

int project_u64(const json_t *object, const char *key, uint64_t *out)
{
    if (sr_json_get_u64(object, key, out) < 0 || *out > INT64_MAX)
        return bad(key, "a number of 63 bits");
    return 0;
}

int project_i64(const json_t *object, const char *key, int64_t *out)
{
    if (sr_json_get_i64(object, key, out) < 0)
        return bad(key, "a number of 64 bits");
    return 0;
}

int project_u32(const json_t *object, const char *key, uint32_t *out)
{
    const json_t *value = json_object_get(object, key);

    *out = 0;
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        json_integer_value(value) > UINT32_MAX)
        return bad(key, "a number of 32 bits");
    *out = (uint32_t)json_integer_value(value);
    return 0;
}

int project_bool(const json_t *object, const char *key, bool *out)
{
    const json_t *value = json_object_get(object, key);

    *out = json_is_true(value);
    return json_is_boolean(value) ? 0 : bad(key, "true or false");
}

int project_hash(const json_t *object, const char *key, uint8_t out[32])
{
    if (sr_json_get_hex(object, key, out, 32) < 0)
        return bad(key, "64 hex digits");
    return 0;
}

int project_object_id(const json_t *object, const char *key, struct vault_object_id *out)
{
    if (sr_json_get_hex(object, key, out->bytes, sizeof(out->bytes)) < 0)
        return bad(key, "an object id");
    return 0;
}

int project_day(const json_t *object, const char *key, int32_t *out)
{
    const char *text;
    int rc = project_text_or_empty(object, key, 10, &text);

    *out = 0;
    if (rc < 0 || *text == '\0')
        return rc;
    return sr_day_parse(text, out) ? 0 : bad(key, "a date YYYY-MM-DD");
}

int project_array(const json_t *object, const char *key, size_t max, const json_t **out)
{
    *out = json_object_get(object, key);
    if (!json_is_array(*out))
        return bad(key, "an array");
    if (json_array_size(*out) > max)
        return sr_fail(SR_ERR_INVALID, "member %s has over %zu elements", key, max);
    return 0;
}
