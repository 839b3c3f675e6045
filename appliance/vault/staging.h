/* Content that is not sealed yet: VAULT/staging/ID, encrypted from its first byte, with ID.redo.
 *
 * Writes are answered once queued (one global budget, vault.h); workers encrypt and write segments
 * in any order, one ordered SHA-256 hasher per file follows the contiguous frontier. An error that
 * happens after the early answer is latched and returned by the next write, sync or close.
 *
 * Acknowledged = staging_sync returned 0. The redo file (docs/format.md) is an append-only log under
 * its own key: a meta record (size, written ranges) per sync, and the new image of every segment
 * that was acknowledged before and is about to be rewritten in place; a torn write therefore never
 * costs acknowledged bytes. Threads: every function may be called from any thread. */
#ifndef SR_VAULT_STAGING_H
#define SR_VAULT_STAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vault/vault.h"

struct staging;

struct staging_range { /* bytes [start, end) */
    uint64_t start;
    uint64_t end;
};

struct staging_seal { /* what a seal entry holds */
    uint64_t size;
    uint8_t sha256[SR_SHA256_LEN];        /* of the plaintext */
    uint8_t tag_root[SR_SHA256_LEN];      /* of the tag tree */
    uint8_t header_sha256[SR_SHA256_LEN]; /* of bytes 0..4169: header and FLOE header */
    struct staging_range *holes;          /* never written, read as zeros; free() it */
    size_t hole_count;
};

/* Takes a record key (extending the key pages is the caller's business: SR_ERR_NOT_FOUND when there
 * is none left), writes the header. Durable only after staging_sync. */
int staging_create(struct vault *vault, struct staging **out);
/* From now on up to count (at most STAGING_READY_MAX) new files are kept ready for staging_create, head
 * and names durable, made by a worker while one file after the other is created. 0, as at first: none.
 * They hold nothing and belong to nobody; vault_close removes them, or the next start. */
void staging_keep_ready(struct vault *vault, unsigned count);
#define STAGING_READY_MAX 32
/* After a restart: opens VAULT/staging/ID, replays its redo. SR_ERR_NOT_FOUND, SR_ERR_DAMAGED. */
int staging_open(struct vault *vault, const struct vault_object_id *id, struct staging **out);
/* Drains, drops the handle; the file stays. Returns the latched error. NULL ok. */
int staging_close(struct staging *staging);

void staging_id(const struct staging *staging, struct vault_object_id *id, uint64_t *key_id);
/* As vault_describe_key, without opening the record key again. Only of what staging_create gave. */
void staging_describe_key(const struct staging *staging, uint8_t key[SR_KEY_LEN]);
uint64_t staging_size(struct staging *staging);
/* Bytes at the end of the redo that did not verify when it was opened: records that a crash tore before
 * they were acknowledged, or damage. The two cannot be told apart, so it is for the caller to report. */
uint64_t staging_dropped(struct staging *staging);

/* Early answer: 0 once queued. Blocks while the budget is full; synchronous when free space is
 * below reserve + queues (then SR_ERR_NO_SPACE is returned here). SR_ERR_TOO_LARGE beyond
 * VAULT_MAX_SIZE or when the written ranges become too many. */
int staging_write(struct staging *staging, uint64_t offset, const void *data, size_t len);
/* Sees queued writes. Unwritten ranges read as zeros; *got is short only at the end of file. */
int staging_read(struct staging *staging, uint64_t offset, void *buf, size_t len, size_t *got);
/* Grow leaves a hole; shrink forgets bytes (acknowledged by the next sync). */
int staging_truncate(struct staging *staging, uint64_t size);
/* Drains this file's queue and makes content and meta durable (also the folder entry, the first time).
 * Returns and clears a latched error; after an error the failed segments stay dirty and a later sync
 * tries them again. */
int staging_sync(struct staging *staging);
/* Ranges below the size that were never written. *holes is fresh, free() it. */
int staging_holes(struct staging *staging, struct staging_range **holes, size_t *count);

/* True once staging_finalize has begun, in this process or before a restart: content is fixed. */
bool staging_is_sealing(struct staging *staging);

/* Steps of the seal, in this order, each idempotent and each repeatable after a crash:
 * 1. final segment (holes filled with encrypted zeros) and tag tree written, redo first; fdatasync;
 *    read-back of what is rewritten; the plaintext hash finished or recomputed. No writes are
 *    accepted from here on (SR_ERR_SEALED). */
int staging_finalize(struct staging *staging, struct staging_seal *out);
/* 2. link into objects/xx/ID, never over an existing other file. Not yet durable. */
int staging_link(struct staging *staging);
/* 3. fsync of the folders that got links (shared by a batch of seals). */
int staging_sync_links(struct vault *vault, struct staging *const *batch, size_t count);
/* 4. after the ledger append is durable: unlinks staging/ID and ID.redo. The handle stays open until
 *    staging_close. */
int staging_unlink(struct staging *staging);
/* 5. fsync of staging/ after a batch of unlinks. */
int staging_sync_folder(struct vault *vault);

/* Drops unsealed content: staging/ID and ID.redo are unlinked and the folder synced. */
int staging_discard(struct staging *staging);
/* As step 4 and discard, by id, without opening (start-up). Missing files are no error. */
int staging_remove(struct vault *vault, const struct vault_object_id *id);

/* Every object id that has a file in staging/. content_bytes: about how much is in it and in its redo;
 * 0 if nothing was ever acknowledged there. A non-zero return of fn stops. */
typedef int staging_list_fn(void *context, const struct vault_object_id *id,
                            uint64_t content_bytes);
int staging_list(struct vault *vault, staging_list_fn *fn, void *context);

#define VAULT_MAX_SIZE (UINT64_C(1) << 42)

#endif
