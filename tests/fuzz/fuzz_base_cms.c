/* Any bytes as a signature and as a time stamp: an answer, and nothing is intact that was not signed. */
#include "base/cms.h"
#include "base/text.h"
#include "fuzz.h"

static void judge(const struct cms_result *result)
{
    must(result->intact != CMS_INTACT);
    must(sr_utf8_valid(result->signer, strlen(result->signer)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t content[] = "nobody has signed this";
    const struct cms_piece piece = {content, sizeof(content)};
    struct cms_result result;

    must(cms_verify(data, size, &piece, 1, NULL, &result) == 0);
    judge(&result);
    must(cms_verify_time_stamp(data, size, content, sizeof(content), NULL, &result) == 0);
    judge(&result);
    must(cms_verify_seal(data, size, content, sizeof(content), NULL, &result) == 0);
    judge(&result);
    return 0;
}
