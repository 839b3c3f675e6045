#include "media/probe/signature.h"

#include <stdio.h>

#include "base/error.h"

void signature_put(struct describe *answer, const char *kind, const struct cms_result *result)
{
    static const char *const chains[] = {[CMS_UNKNOWN] = "unknown",
                                         [CMS_TRUSTED] = "trusted",
                                         [CMS_UNTRUSTED] = "untrusted",
                                         [CMS_EXPIRED] = "expired",
                                         [CMS_NO_CERTIFICATE] = "no_certificate"};
    json_t *out = json_pack(
        "{s:s, s:s, s:o}", "kind", kind, "chain", chains[result->chain], "intact",
        result->intact == CMS_UNCHECKED ? json_null() : json_boolean(result->intact == CMS_INTACT));
    char ns[24];

    if (out && result->signer[0])
        json_object_set_new(out, "signer", json_string(result->signer));
    if (out && result->detail[0])
        json_object_set_new(out, "detail", json_string(result->detail));
    if (out && result->time_ns != CMS_NO_TIME) {
        snprintf(ns, sizeof(ns), "%lld", (long long)result->time_ns);
        json_object_set_new(out, "time_ns", json_string(ns));
    }
    describe_signature(answer, out);
    if (result->intact == CMS_CHANGED)
        describe_finding(answer, "signature", "a signature does not hold: %s", result->detail);
}
