/* Tile files (C2SP tlog-tiles, "Merkle Tree"): DIR/tile/L/N and DIR/tile/L/N.p/W, each 32 bytes per
 * hash. Derived from the journal, so a lost one is written again. Private to the ledger.
 *
 * Tile N of level L holds the hashes of the complete subtrees of 256^L leaves N * 256 and
 * following; a tree of size s has s / 256^(L+1) full ones and a partial one of width s / 256^L
 * mod 256. */
#ifndef SR_LEDGER_TILE_H
#define SR_LEDGER_TILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/io.h"
#include "ledger/tlog.h"
#include "ledger/tree.h"

#define TILE_HEIGHT 8
#define TILE_WIDTH 256
#define TILE_LEVELS (TREE_LEVELS / TILE_HEIGHT)
#define TILE_BYTES (TILE_WIDTH * TLOG_HASH_LEN)
#define TILE_NAME_MAX 64

/* Full tiles of a level in a tree of size, and the width of the partial one after them (0: none).
 * */
uint64_t tile_full(uint64_t size, unsigned level);
unsigned tile_partial(uint64_t size, unsigned level);
/* The name relative to the ledger folder: "tile/0/x001/234" or "tile/0/x001/234.p/7". */
void tile_name(unsigned level, uint64_t n, unsigned width, char out[TILE_NAME_MAX]);
/* Reads a tile. A partial one that is gone is taken from the full tile, as tlog-tiles allows.
 * SR_ERR_NOT_FOUND: absent; SR_ERR_DAMAGED: of another length. */
int tile_read(struct sr_io *io, const char *dir, unsigned level, uint64_t n, unsigned width,
              uint8_t out[TILE_BYTES]);

/* Writes tiles durably; folders are synced once all files of one folder are in it. */
struct tile_writer {
    struct sr_io *io;
    const char *dir;
    char *unsynced; /* folder whose names are not all durable yet; NULL: none */
};
int tile_write(struct tile_writer *writer, unsigned level, uint64_t n, unsigned width,
               const uint8_t *data);
/* Syncs what tile_write left. To be called also after an error, to free the writer. */
int tile_flush(struct tile_writer *writer);
/* Unlinks the partial tiles of a tile that is full now. */
int tile_drop_partials(struct sr_io *io, const char *dir, unsigned level, uint64_t n);

/* Widths of partial tiles that kept checkpoints need and that are not full at the newest size. */
struct tile_need {
    uint64_t widths[TILE_LEVELS][TILE_WIDTH / 64];
};
void tile_need_add(struct tile_need *need, uint64_t kept_size, uint64_t size);

/* Goes through every tile file that a tree of size and its kept checkpoints need, comparing each
 * with the tree. found is called with SR_ERR_NOT_FOUND, SR_ERR_DAMAGED (it differs) or the error of
 * reading it; a non-zero return of found stops. */
struct tile_at {
    unsigned level;
    uint64_t n;
    unsigned width;
    const uint8_t *expected; /* width hashes */
};
typedef int tile_found_fn(void *context, const struct tile_at *tile, int error);
int tile_compare_all(struct sr_io *io, const char *dir, const struct tree *tree, uint64_t size,
                     const struct tile_need *need, tile_found_fn *found, void *context);

#endif
