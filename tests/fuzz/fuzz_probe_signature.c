/* Signatures: the first byte chooses a PDF's bytes (0), a CMS (1) or a seal (2) over fixed content. */
#include <assert.h>
#include <stdlib.h>

#include "media/probe/signature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int drop(void *context, const char *text, size_t len)
{
    (void)context, (void)text, (void)len;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t content[] = "what was signed";
    const struct cms_piece piece = {content, sizeof(content)};
    struct describe *answer = NULL;
    struct cms_result result;
    json_t *out = NULL;

    if (!size)
        return 0;
    if (describe_new(drop, NULL, &answer))
        abort();
    if (data[0] % 3 == 1)
        cms_verify(data + 1, size - 1, &piece, 1, NULL, &result);
    else if (data[0] % 3 == 2)
        cms_verify_seal(data + 1, size - 1, content, sizeof(content), NULL, &result);
    if (data[0] % 3 == 0)
        signature_pdf(data + 1, size - 1, answer);
    else
        signature_put(answer, "cms", &result);
    if (!describe_result(answer, &out))
        json_decref(out);
    describe_free(answer);
    return 0;
}
