/* Label files: the first byte chooses (odd: a list), the rest is the file. */
#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "media/probe/charset.h"
#include "media/probe/labelfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check(void *context, const char *text, size_t len)
{
    (void)context;
    assert(sr_utf8_valid(text, len));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_source *source = NULL;
    struct describe *answer = NULL;
    json_t *result = NULL;

    if (!size)
        return 0;
    if (charset_prepare() ||
        probe_source_memory(data + 1, size - 1, data[0] & 1 ? "标签.csv" : "标签.yaml", &source) ||
        describe_new(check, NULL, &answer))
        abort();
    if (!labelfile_describe(source, answer))
        describe_result(answer, &result);
    json_decref(result);
    describe_free(answer);
    probe_source_free(source);
    return 0;
}
