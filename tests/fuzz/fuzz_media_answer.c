/* A probe's description. What the check lets through is canonical and holds when it is written again. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "media/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sr_buf again = {0};
    json_t *answer;

    if (answer_parse(data, size, 0, &answer) == 0) {
        assert(sr_json_canonical(answer, &again) == 0);
        assert(again.len == size && memcmp(again.data, data, size) == 0);
        assert(json_is_string(json_object_get(answer, "type")));
    } else {
        assert(!answer);
    }
    json_decref(answer);
    sr_buf_free(&again);
    return 0;
}
