/* Parsing, which is as jansson's where we read by ourselves, and the canonical writer: what it writes is UTF-8, and written again after reading it is
 * the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *value;
    struct sr_buf first = {0};
    int rc = sr_json_parse(data, size, &value);
    require(rc == 0 || rc == SR_ERR_INVALID);
    require((rc == 0) == (value != NULL));
    json_t *theirs =
        json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
    require(rc == 0 ? json_equal(value, theirs)
                    : theirs == NULL || strstr(sr_error_message(), "nested") != NULL);
    json_decref(theirs);
    if (rc < 0)
        return 0;
    rc = sr_json_canonical(value, &first);
    require(rc == 0 || rc == SR_ERR_INVALID);
    if (rc == 0) {
        json_t *again;
        struct sr_buf second = {0};
        require(sr_utf8_valid(first.data, first.len));
        rc = sr_json_parse((const uint8_t *)first.data, first.len, &again);
        /* A real such as 1e20 is written as an integer, which may be beyond what jansson reads. */
        if (rc == 0 && sr_json_canonical(again, &second) == 0)
            require(first.len == second.len && !memcmp(first.data, second.data, first.len));
        sr_buf_free(&second);
        json_decref(again);
    }
    sr_buf_free(&first);
    uint64_t u;
    int64_t i;
    const char *text;
    uint8_t bytes[4];
    if (sr_json_get_u64(value, "n", &u) == 0 && sr_json_get_i64(value, "n", &i) == 0)
        require((uint64_t)i == u);
    (void)sr_json_get_text(value, "s", &text);
    (void)sr_json_get_hex(value, "h", bytes, sizeof(bytes));
    json_decref(value);
    return 0;
}
