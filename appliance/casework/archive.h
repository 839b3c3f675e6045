/* 档号 (DA/T 13): POLICYDIR/archive.yaml, read as strictly as the other files.
 *
 *   全宗号-门类代码·年度-保管期限代码-机构代码-件号      X043-XZ·2026-Y-JC-0001
 *
 * Everything before 件号 is the series, and 件号 are counted without gaps within it, over the whole vault. So that
 * a gap in a case does not tell that the case holds something which one may not know of (S8), records that are
 * classified or marked have series of their own, one for each level and set of marks: the level's digit and the marks' as a
 * hexadecimal digit stand behind 门类代码, whose own characters are letters (XZ20: 秘密, no marks). Whoever sees such
 * a number sees the record, and so its classification. What a gap still tells is that the office holds more of that kind, in
 * some case of that unit and year: not in which, nor what. Where that is too much, each unit has its own code.
 * A loaded archive never changes; pure but for archive_load. */
#ifndef SR_CASEWORK_ARCHIVE_H
#define SR_CASEWORK_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "base/io.h"
#include "catalog/archived.h"

#define ARCHIVE_FILE "archive.yaml"

struct archive_rules;

struct archive_subject { /* a record */
    unsigned type;       /* enum search_type */
    uint32_t level;      /* effective */
    uint32_t marks;      /* enum catalog_mark, effective */
    unsigned year;       /* 年度: of the case */
    uint32_t months;     /* how long it is kept; CATALOG_PERMANENT */
    const char *unit;    /* of the case; "": none */
};

/* SR_ERR_NOT_FOUND; SR_ERR_INVALID with "FILE:LINE:COLUMN: reason". */
int archive_rules_load(struct sr_io *io, const char *dir, struct archive_rules **out);
int archive_rules_parse(const char *file, const uint8_t *data, size_t len,
                        struct archive_rules **out);
void archive_rules_free(struct archive_rules *archive); /* NULL ok */
const uint8_t *archive_rules_sha256(const struct archive_rules *archive);

/* The series; archive NULL: there is no file. SR_ERR_INVALID: none can be made, and what to set. */
int archive_rules_series(const struct archive_rules *archive, const struct archive_subject *subject,
                         char out[CATALOG_ARCHIVE_SERIES_MAX + 1]);
unsigned archive_rules_digits(const struct archive_rules *archive);
/* 保管期限代码 (DA/T 22): Y, D30, D10; otherwise D and the years, those begun counted. */
void archive_rules_period_code(uint32_t months, char out[16]);

#endif
