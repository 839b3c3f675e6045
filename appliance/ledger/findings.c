#include "ledger/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

void findings_add(struct findings *findings, const char *file, const char *format, ...)
{
    char why[512];
    va_list args;

    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    findings->count++;
    if (findings->bad != NULL)
        findings->bad(findings->context, file, why);
}

int findings_result(const struct findings *findings)
{
    if (findings->count == 0)
        return 0;
    return sr_fail(SR_ERR_DAMAGED, "the ledger is not as it was written: %llu findings",
                   (unsigned long long)findings->count);
}
