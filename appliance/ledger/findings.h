/* Counting what a verification finds. Private to the ledger. */
#ifndef SR_LEDGER_FINDINGS_H
#define SR_LEDGER_FINDINGS_H

#include <stdint.h>

#include "ledger/verify.h"

struct findings {
    ledger_bad_fn *bad; /* NULL ok */
    void *context;
    uint64_t count;
};

void findings_add(struct findings *findings, const char *file, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* 0, or SR_ERR_DAMAGED with their number as the sentence. */
int findings_result(const struct findings *findings);

#endif
