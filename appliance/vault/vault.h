/* The vault: a folder with vault.json, keys/, objects/, staging/ and ledger/ (docs/format.md).
 * This header opens it and owns what all of its parts share: io, keys, workers, the write budget. */
#ifndef SR_VAULT_VAULT_H
#define SR_VAULT_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"
#include "vault/keys.h"

#define VAULT_FORMAT_VERSION 1
#define VAULT_OBJECT_ID_LEN 16
#define VAULT_SEGMENT_PLAIN 65536u /* bytes of content a segment holds */
#define VAULT_SEGMENT_LEN 65568u   /* FLOE ENC_SEG_LEN */
#define VAULT_HEADER_LEN 4096u
#define VAULT_SEGMENTS_AT 4170u /* VAULT_HEADER_LEN + FLOE_HEADER_LEN */
#define VAULT_BUDGET_BYTES (128u << 20)
#define VAULT_RESERVE_BYTES (64u << 20) /* free space kept for ledger and seals */

struct vault;

struct vault_id {
    uint8_t bytes[KEYS_VAULT_ID_LEN];
};

struct vault_object_id {
    uint8_t bytes[VAULT_OBJECT_ID_LEN];
};

struct vault_identity { /* vault.json: nothing secret */
    struct vault_id id;
    char origin[128]; /* ledger origin: "strongroom.local/<vault id hex>" */
    char agency[256]; /* UTF-8, may be empty */
    uint8_t public_key[SR_ED25519_PUBLIC_LEN];
    int64_t created_ns;
};

/* Creates the folder tree, keys and vault.json; the ledger is created by its own module after.
 * SR_ERR_EXISTS if path exists and is not an empty folder. Leaves the vault open. */
int vault_create(struct sr_io *io, const char *path, const char *passphrase, const char *agency,
                 struct vault **out);

/* As vault_create, with scrypt N = 2^scrypt_log2n: tests create vaults in milliseconds. */
int vault_create_with_cost(struct sr_io *io, const char *path, const char *passphrase,
                           const char *agency, uint32_t scrypt_log2n, struct vault **out);

/* workers: encrypting threads, 0 for one per processor; SR_ERR_BUSY if another process has it open.
 * SR_ERR_NEWER_FORMAT, SR_ERR_PASSPHRASE, SR_ERR_DAMAGED (file named). */
int vault_open(struct sr_io *io, const char *path, const char *passphrase, unsigned workers,
               struct vault **out);
/* Every staging file and object must be closed. Wipes all keys. NULL ok. */
void vault_close(struct vault *vault);
/* vault.json alone, without keys. */
int vault_read_identity(struct sr_io *io, const char *path, struct vault_identity *out);

const struct vault_identity *vault_identity(const struct vault *vault);
struct keys *vault_keys(struct vault *vault);
struct sr_io *vault_io(struct vault *vault);
const char *vault_path(const struct vault *vault);
/* Free bytes less the reserve and all queued writes (what statfs shows), and the total. */
int vault_space(struct vault *vault, uint64_t *free_bytes, uint64_t *total_bytes);
/* Bytes in the write queue now, and the highest seen (for status and tests). */
void vault_queue_stats(struct vault *vault, uint64_t *queued, uint64_t *peak);

/* 32 lower-case hex digits. */
void vault_object_id_text(const struct vault_object_id *id, char out[2 * VAULT_OBJECT_ID_LEN + 1]);
int vault_object_id_parse(const char *text, struct vault_object_id *out);
/* The public describing key of a record, for the private part of its ledger entries:
 * HKDF-Expand-SHA-384(record key, "strongroom describe v1" || object id). Dies with the record key. */
int vault_describe_key(struct vault *vault, uint64_t key_id, const struct vault_object_id *id,
                       uint8_t key[SR_KEY_LEN]);

#endif
