/* Files damaged as disks, radio links and attackers damage them; the same for the same seed, on every machine. */
#ifndef SR_TESTS_MUTATE_H
#define SR_TESTS_MUTATE_H

#include <stddef.h>
#include <stdint.h>

struct mutant {
    uint8_t *data; /* free() it */
    size_t len;
};

/* Cut, bits or bytes or numbers changed, blocks lost or doubled, anywhere or where headers and indexes are. */
struct mutant mutate_bytes(const uint8_t *data, size_t len, uint64_t seed);
/* Of a ZIP file whose members are stored: within members, whose sums are made right again, so that what reads them is
 * reached. One that is no such file is damaged as bytes. */
struct mutant mutate_stored(const uint8_t *data, size_t len, uint64_t seed);

#endif
