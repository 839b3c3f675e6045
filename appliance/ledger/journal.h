/* Reading a journal file group by group, for opening and for verifying. Private to the ledger. */
#ifndef SR_LEDGER_JOURNAL_H
#define SR_LEDGER_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/io.h"
#include "ledger/group.h"

struct journal_reader {
    struct sr_io *io;
    int fd;
    uint64_t size;   /* bytes of the file when reading began */
    uint64_t offset; /* of the next group */
    uint64_t index;  /* its first entry */
    uint8_t first_chain[GROUP_CHAIN_LEN];
    uint8_t *window; /* bytes of chain || file from position window_at on */
    size_t window_len;
    size_t window_capacity;
    uint64_t window_at;
};

struct journal_group {
    struct group_header header;
    uint64_t offset;     /* in the file */
    uint64_t len;        /* header, body, MAC; 0 if bad */
    const uint8_t *body; /* valid until the next call; NULL if bad */
    const uint8_t *mac;
    const char *why; /* NULL: good; otherwise what is wrong with the bytes at offset */
};

/* fd stays the caller's. */
int journal_begin(struct journal_reader *reader, struct sr_io *io, int fd,
                  const uint8_t vault_id[GROUP_VAULT_ID_LEN]);
void journal_end(struct journal_reader *reader);
/* Reads the group at reader->offset. *more is false at the end of the file. A good group advances
 * the reader; a bad one does not, and the return is still 0. */
int journal_next(struct journal_reader *reader, const uint8_t key_mac[SR_KEY_LEN],
                 struct journal_group *group, bool *more);
/* The first place at or after from where something looks like the header of a group whose first
 * entry comes after index; *found is false if there is none. */
int journal_find_later(struct journal_reader *reader, uint64_t from, uint64_t index, bool *found,
                       uint64_t *offset, struct group_header *header);

#endif
