/* DIR/checkpoint and DIR/checkpoints/SIZE: the newest signed checkpoint and all that were ever
 * published. A kept file is written before the checkpoint is replaced, so a crash leaves at most
 * one kept file that is newer than the checkpoint. Private to the ledger. */
#ifndef SR_LEDGER_KEPT_H
#define SR_LEDGER_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/io.h"
#include "ledger/note.h"

/* Sizes of all kept checkpoints, ascending, in a fresh array (free() it). Other names are ignored:
 * the remains of an interrupted write. An absent folder has none. */
int kept_list(struct sr_io *io, const char *dir, uint64_t **sizes, size_t *count);
/* Reads and checks checkpoints/SIZE (which must be for that size), or the checkpoint itself. *data
 * is fresh. SR_ERR_NOT_FOUND: absent. SR_ERR_DAMAGED names the file and why, also for a file that
 * is no checkpoint at all. */
int kept_read(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
              uint64_t size, uint8_t **data, size_t *len, struct note_checkpoint *checkpoint);
int kept_read_newest(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
                     uint8_t **data, size_t *len, struct note_checkpoint *checkpoint);
/* Durable. A file of that size with the same bytes is success, with other bytes SR_ERR_EXISTS. */
int kept_write(struct sr_io *io, const char *dir, uint64_t size, const void *data, size_t len);
/* Durable replacement of the checkpoint. */
int kept_write_newest(struct sr_io *io, const char *dir, const void *data, size_t len);

#endif
