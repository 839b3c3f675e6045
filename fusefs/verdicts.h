/* What every request of the kernel answers on a sealed record: the table that the man page
 * strongroomd(8) shows, that tests/mount walks, and that has a row for each libfuse operation. */
#ifndef SR_FUSEFS_VERDICTS_H
#define SR_FUSEFS_VERDICTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum verdict_by {
    VERDICT_ANSWERED, /* it changes nothing of the record; an act is in the ledger */
    VERDICT_DAEMON,   /* refused by us */
    VERDICT_KERNEL,   /* refused by the kernel or libfuse: we never hear of it, no record */
    VERDICT_NONE,     /* does not occur */
};

struct verdict {
    const char *operation; /* member of struct fuse_lowlevel_ops, or "-": a kernel-only request */
    size_t slot;           /* its place in that structure, VERDICT_NO_SLOT without one */
    const char *request;   /* what a program does */
    enum verdict_by by;
    int error;          /* errno on a sealed record, 0 if answered */
    const char *act;    /* op of the ledger's refuse entry; NULL: not recorded */
    const char *before; /* before the seal */
};
#define VERDICT_NO_SLOT ((size_t)-1)

/* The table; *count rows. */
const struct verdict *fusefs_verdicts(size_t *count);

/* One line per row, tab-separated, after a heading: operation, request, by (answered, daemon,
 * kernel, none), errno name or "-", recorded op or "-", before the seal. */
void fusefs_verdicts_print(FILE *out);

/* 0 when each operation of struct fuse_lowlevel_ops has a row, every handler of ours is one that
 * the table knows as handled, and rows are consistent. SR_ERR_INVALID with the operation's slot. */
int fusefs_verdicts_check(void);

#endif
