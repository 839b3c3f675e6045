/* The verifier: needs nothing but tiles, a checkpoint and the public key. */
#ifndef SR_LEDGER_VERIFY_H
#define SR_LEDGER_VERIFY_H

#include <stddef.h>
#include <stdint.h>

#include "base/io.h"
#include "ledger/ledger.h"
#include "ledger/note.h"

/* Called once per finding: file (relative to the ledger folder) and why. */
typedef void ledger_bad_fn(void *context, const char *file, const char *why);

/* Checks DIR/tile against the signed checkpoint text: every tile that size needs, every level, the
 * root. Returns 0, or SR_ERR_DAMAGED after calling bad for each. */
int ledger_verify_tiles(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
                        const uint8_t *checkpoint, size_t len, ledger_bad_fn *bad, void *context);
/* Also that the tree of today contains the tree of an older checkpoint kept elsewhere:
 * SR_ERR_ROLLED_BACK when today's is shorter or forks. */
int ledger_verify_against(struct sr_io *io, const char *dir, const struct note_verifier *verifier,
                          const uint8_t *newer, size_t newer_len, const uint8_t *older,
                          size_t older_len);
/* With the keys: journal, tiles, checkpoint, every kept checkpoint; the journal's leaves against the
 * tiles. The ledger must not be open elsewhere for writing, or be this process's own open one:
 * entries beyond the checkpoint are then checked by MAC alone. */
int ledger_verify_all(const struct ledger_config *config, const struct note_verifier *verifier,
                      ledger_bad_fn *bad, void *context, uint64_t *size);

#endif
