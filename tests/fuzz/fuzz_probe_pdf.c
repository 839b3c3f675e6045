/* PDF through poppler. */
#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "media/probe/pdf.h"

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

    pdf_prepare();
    if (probe_source_memory(data, size, "f", &source) || describe_new(check, NULL, &answer))
        abort();
    if (!pdf_describe(source, answer, "application/pdf"))
        describe_result(answer, &result);
    json_decref(result);
    describe_free(answer);
    probe_source_free(source);
    return 0;
}
