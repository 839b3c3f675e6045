/* How long records are kept (S9): POLICYDIR/retention.yaml. Of all rules that apply to a record the longest counts;
 * what lies in 待归案 keeps the longest there is; nothing is ever deleted by this, it only says until when and why.
 * A loaded retention never changes; pure but for retention_load. */
#ifndef SR_CASEWORK_RETENTION_H
#define SR_CASEWORK_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/io.h"

#define RETENTION_FILE "retention.yaml"
#define RETENTION_RULES_MAX 64
#define RETENTION_CATEGORIES_MAX 64
#define RETENTION_FLOOR_MONTHS 6 /* of every record: no file may say less */
#define RETENTION_PERMANENT UINT32_MAX

enum retention_scope { RETENTION_ALL, RETENTION_CASE, RETENTION_UNFILED };

struct retention;

struct retention_subject {      /* a record */
    enum retention_scope scope; /* where it lies; RETENTION_ALL: neither in a case nor in 待归案 */
    unsigned type;              /* enum search_type */
    uint32_t marks;             /* enum catalog_mark, effective */
    int32_t sealed;             /* sr_day of the seal: terms begin on the day after */
};

struct retention_reason {
    const char *name, *basis; /* as the file has them; basis "" for none. Owned by the retention */
    unsigned line;            /* of the file; 0: the store's own rule */
    uint32_t months;          /* RETENTION_PERMANENT */
    int32_t until;            /* sr_day, last day; 0: permanent */
    bool decides;             /* the longest, the first of them */
};

/* SR_ERR_NOT_FOUND; SR_ERR_INVALID with "FILE:LINE:COLUMN: reason": a rule that is not understood, less than the
 * floor for everything, nothing for cases. */
int retention_load(struct sr_io *io, const char *dir, struct retention **out);
int retention_parse(const char *file, const uint8_t *data, size_t len, struct retention **out);
/* What holds without a file: permanent in a case and elsewhere. */
int retention_default(struct retention **out);
void retention_free(struct retention *retention); /* NULL ok */
/* NULL: there is no file. */
const uint8_t *retention_sha256(const struct retention *retention);

/* Every rule that applies, in the file's order, at most RETENTION_RULES_MAX + 1; returns how many, at least one. */
size_t retention_explain(const struct retention *retention, const struct retention_subject *subject,
                         struct retention_reason out[RETENTION_RULES_MAX + 1]);

/* The last day (sr_day) of a term of so many months that begins on the day after sealed; 0: permanent. */
int32_t retention_until(int32_t sealed, uint32_t months);
/* A category that records and folders can be put into (类别). Owned by the retention. False: there is none. */
bool retention_category(const struct retention *retention, const char *name, uint32_t *months,
                        const char **basis);
/* SR_ERR_INVALID when the retention (context) has no such category: for those in use (catalog_categories). */
int retention_check_category(void *context, const char *name);

/* Extend-only: SR_ERR_INVALID with what would be kept for a shorter time under after than under before. */
int retention_check_longer(const struct retention *before, const struct retention *after);

/* "永久", "30年", "6个月". out >= 32 bytes. */
void retention_period_text(uint32_t months, char out[32]);

#endif
