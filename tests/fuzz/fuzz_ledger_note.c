/* Checkpoints and tlog-proofs. The input is parsed as it is, then as the text of a note that is
 * signed here with the key that the parser trusts, so that it gets past the signature; then as the
 * head of a proof over a good checkpoint. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ledger/note.h"

#define NAME "strongroom.local/fuzz"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t seed[SR_ED25519_SEED_LEN] = {7};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void open_note(const struct note_verifier *verifier, const void *data, size_t len)
{
    struct note_checkpoint checkpoint;
    int status = note_checkpoint_open(data, len, verifier, &checkpoint);

    check(status == 0 || status == SR_ERR_INVALID || status == SR_ERR_DAMAGED);
    if (status == 0)
        check(strcmp(checkpoint.origin, NAME) == 0);
}

static void open_signed(const struct note_verifier *verifier, const uint8_t *data, size_t size)
{
    uint8_t signature[4 + SR_ED25519_SIGNATURE_LEN];
    struct sr_buf note = {0};
    char base64[93];

    memcpy(signature, verifier->key_id, 4);
    check(sr_ed25519_sign(seed, data, size, signature + 4) == 0);
    sr_base64_encode(signature, sizeof(signature), base64);
    sr_buf_append(&note, data, size);
    sr_buf_format(&note, "\n\xE2\x80\x94 " NAME " %s\n", base64);
    check(!note.failed);
    open_note(verifier, note.data, note.len);
    sr_buf_free(&note);
}

static void open_proof(const struct note_verifier *verifier, const uint8_t *data, size_t size)
{
    struct note_checkpoint checkpoint = {.origin = NAME, .size = 2};
    struct sr_buf proof = {0};
    struct tlog_hash leaf;
    uint64_t index;
    int status;

    check(tlog_leaf_hash("x", 1, &leaf) == 0);
    check(tlog_node_hash(&leaf, &leaf, &checkpoint.root) == 0);
    sr_buf_append(&proof, data, size);
    sr_buf_text(&proof, "\n");
    check(note_checkpoint_sign(&checkpoint, verifier, seed, &proof) == 0);
    status = note_proof_verify((const uint8_t *)proof.data, proof.len, verifier, &leaf, &index,
                               &checkpoint);
    check(status == 0 || status == SR_ERR_INVALID || status == SR_ERR_DAMAGED);
    if (status == 0)
        check(index < 2 && checkpoint.size == 2);
    sr_buf_free(&proof);
    status = note_proof_verify(data, size, verifier, &leaf, &index, &checkpoint);
    check(status == 0 || status == SR_ERR_INVALID || status == SR_ERR_DAMAGED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t public_key[SR_ED25519_PUBLIC_LEN];
    struct note_verifier verifier;

    check(sr_ed25519_public(seed, public_key) == 0);
    check(note_verifier_init(&verifier, NAME, public_key) == 0);
    open_note(&verifier, data, size);
    open_signed(&verifier, data, size);
    open_proof(&verifier, data, size);
    return 0;
}
