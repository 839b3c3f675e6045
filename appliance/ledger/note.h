/* C2SP signed-note with Ed25519, tlog-checkpoint and tlog-proof texts. Pure: parsers take bytes. */
#ifndef SR_LEDGER_NOTE_H
#define SR_LEDGER_NOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "ledger/tlog.h"

#define NOTE_ORIGIN_MAX 255

struct note_verifier { /* one key of one name */
    char name[NOTE_ORIGIN_MAX + 1];
    uint8_t key_id[4];
    uint8_t public_key[SR_ED25519_PUBLIC_LEN];
};

struct note_checkpoint {
    char origin[NOTE_ORIGIN_MAX + 1];
    uint64_t size;
    struct tlog_hash root;
};

/* key_id = SHA-256(name || 0x0A || 0x01 || public key)[0..4]. */
int note_verifier_init(struct note_verifier *verifier, const char *name,
                       const uint8_t public_key[SR_ED25519_PUBLIC_LEN]);
/* The vkey text "name+hhhhhhhh+base64" of signed-note. */
int note_verifier_parse(const char *vkey, struct note_verifier *out);
int note_verifier_format(const struct note_verifier *verifier, struct sr_buf *out);

/* Appends the signed note: checkpoint body, empty line, one signature line. */
int note_checkpoint_sign(const struct note_checkpoint *checkpoint,
                         const struct note_verifier *verifier,
                         const uint8_t seed[SR_ED25519_SEED_LEN], struct sr_buf *out);
/* Parses a whole signed note and checks the verifier's signature. SR_ERR_INVALID: not a checkpoint;
 * SR_ERR_DAMAGED: no valid signature by this key, or another origin. Unknown signatures are ignored. */
int note_checkpoint_open(const uint8_t *data, size_t len, const struct note_verifier *verifier,
                         struct note_checkpoint *out);

/* tlog-proof: index, inclusion proof and the checkpoint's signed note. extra may be NULL. */
int note_proof_format(uint64_t index, const struct tlog_hash *proof, size_t count,
                      const void *extra, size_t extra_len, const uint8_t *checkpoint,
                      size_t checkpoint_len, struct sr_buf *out);
/* Parses and verifies a tlog-proof for the leaf. *index and *checkpoint are set on success. */
int note_proof_verify(const uint8_t *data, size_t len, const struct note_verifier *verifier,
                      const struct tlog_hash *leaf, uint64_t *index,
                      struct note_checkpoint *checkpoint);

#endif
