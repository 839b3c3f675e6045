/* The records of a large agency as ledger entries, for the benches: each record is created, sealed, looked into,
 * labelled and numbered; cases hold 50 records; 200 officers; every fifth record is a document with a text. The
 * private parts are plain objects. */
#ifndef SR_TESTS_BENCH_AGENCY_H
#define SR_TESTS_BENCH_AGENCY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#define AGENCY_PEOPLE 200

struct agency_maker { /* zero but for index and records */
    uint64_t index;   /* of the next entry in the ledger: counted by the caller */
    uint64_t records, made, cases, case_index, record_index;
    unsigned step; /* of the record: 0: the next entry makes one */
    bool begun;
};

/* The next entry, owned by the caller; NULL: no memory. */
json_t *agency_next(struct agency_maker *maker);

double agency_resident_mib(void);      /* of this process, now */
unsigned agency_below(unsigned limit); /* the same numbers in every run */
/* Word w of two characters; out >= 7 bytes. */
void agency_word(char *out, unsigned w);
/* Few words are common, most are rare. */
unsigned agency_any_word(void);

#endif
