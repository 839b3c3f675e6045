#include "ledger/note.h"

#include <string.h>

#include "base/error.h"
#include "ledger/note_text.h"

#define SIGNATURE_ED25519 0x01 /* signed-note, "Signature types" */
#define EM_DASH_SPACE "\xE2\x80\x94 "
#define KEY_ID_LEN 4
#define VKEY_KEY_LEN (1 + SR_ED25519_PUBLIC_LEN)
#define SIGNED_LEN (KEY_ID_LEN + SR_ED25519_SIGNATURE_LEN)
#define BASE64_LEN(n) (4 * (((n) + 2) / 3))

static int not_a_checkpoint(const char *why)
{
    return sr_fail(SR_ERR_INVALID, "not a signed checkpoint: %s", why);
}

int note_verifier_init(struct note_verifier *verifier, const char *name,
                       const uint8_t public_key[SR_ED25519_PUBLIC_LEN])
{
    struct note_span span = {name, strlen(name)};
    uint8_t input[NOTE_ORIGIN_MAX + 2 + SR_ED25519_PUBLIC_LEN];
    uint8_t digest[SR_SHA256_LEN];
    int status;

    memset(verifier, 0, sizeof(*verifier));
    if (!note_text_is_name(span))
        return sr_fail(SR_ERR_INVALID, "not the name of a signing key (spaces and + are refused)");
    memcpy(input, name, span.len);
    input[span.len] = '\n';
    input[span.len + 1] = SIGNATURE_ED25519;
    memcpy(input + span.len + 2, public_key, SR_ED25519_PUBLIC_LEN);
    status = sr_sha256(input, span.len + 2 + SR_ED25519_PUBLIC_LEN, digest);
    if (status != 0)
        return status;
    memcpy(verifier->name, name, span.len + 1);
    memcpy(verifier->key_id, digest, KEY_ID_LEN);
    memcpy(verifier->public_key, public_key, SR_ED25519_PUBLIC_LEN);
    return 0;
}

int note_verifier_parse(const char *vkey, struct note_verifier *out)
{
    const char *id_at = strchr(vkey, '+');
    const char *key_at = id_at != NULL ? strchr(id_at + 1, '+') : NULL;
    char name[NOTE_ORIGIN_MAX + 1];
    char hex[2 * KEY_ID_LEN + 1];
    uint8_t id[KEY_ID_LEN];
    uint8_t key[VKEY_KEY_LEN];
    size_t len = sizeof(key);
    int status;

    memset(out, 0, sizeof(*out));
    if (key_at == NULL || (size_t)(id_at - vkey) > NOTE_ORIGIN_MAX ||
        key_at - id_at - 1 != 2 * KEY_ID_LEN || strlen(key_at + 1) != BASE64_LEN(VKEY_KEY_LEN))
        return sr_fail(SR_ERR_INVALID, "not a verifier key: name+id+key is expected");
    memcpy(name, vkey, (size_t)(id_at - vkey));
    name[id_at - vkey] = '\0';
    memcpy(hex, id_at + 1, 2 * KEY_ID_LEN);
    hex[2 * KEY_ID_LEN] = '\0';
    if (sr_hex_decode(hex, id, KEY_ID_LEN) != 0 ||
        sr_base64_decode(key_at + 1, strlen(key_at + 1), key, &len) != 0 || len != VKEY_KEY_LEN)
        return sr_fail(SR_ERR_INVALID, "not a verifier key: the id or the key is malformed");
    if (key[0] != SIGNATURE_ED25519)
        return sr_fail(SR_ERR_INVALID, "verifier key of type %u: only Ed25519 (1) is known",
                       key[0]);
    status = note_verifier_init(out, name, key + 1);
    if (status == 0 && memcmp(out->key_id, id, KEY_ID_LEN) != 0)
        status = sr_fail(SR_ERR_INVALID, "the verifier key's id does not belong to its key");
    if (status != 0)
        memset(out, 0, sizeof(*out));
    return status;
}

int note_verifier_format(const struct note_verifier *verifier, struct sr_buf *out)
{
    uint8_t key[VKEY_KEY_LEN] = {SIGNATURE_ED25519};
    char hex[2 * KEY_ID_LEN + 1];
    char base64[BASE64_LEN(VKEY_KEY_LEN) + 1];

    memcpy(key + 1, verifier->public_key, SR_ED25519_PUBLIC_LEN);
    sr_hex_encode(verifier->key_id, KEY_ID_LEN, hex);
    sr_base64_encode(key, sizeof(key), base64);
    sr_buf_format(out, "%s+%s+%s", verifier->name, hex, base64);
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "out of memory") : 0;
}

int note_checkpoint_sign(const struct note_checkpoint *checkpoint,
                         const struct note_verifier *verifier,
                         const uint8_t seed[SR_ED25519_SEED_LEN], struct sr_buf *out)
{
    struct note_span origin = {checkpoint->origin, strlen(checkpoint->origin)};
    uint8_t signature[SIGNED_LEN];
    char base64[BASE64_LEN(SIGNED_LEN) + 1];
    char root[BASE64_LEN(TLOG_HASH_LEN) + 1];
    size_t start = out->len;
    int status;

    if (!note_text_is_name(origin))
        return sr_fail(SR_ERR_INVALID, "not a log origin (spaces and + are refused)");
    sr_base64_encode(checkpoint->root.bytes, TLOG_HASH_LEN, root);
    sr_buf_format(out, "%s\n%llu\n%s\n", checkpoint->origin, (unsigned long long)checkpoint->size,
                  root);
    if (out->failed)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    memcpy(signature, verifier->key_id, KEY_ID_LEN);
    status = sr_ed25519_sign(seed, out->data + start, out->len - start, signature + KEY_ID_LEN);
    if (status != 0)
        return status;
    sr_base64_encode(signature, sizeof(signature), base64);
    sr_buf_format(out, "\n" EM_DASH_SPACE "%s %s\n", verifier->name, base64);
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "out of memory") : 0;
}

/* Text and signature lines part at the last empty line. text keeps its final newline. */
static bool split_note(struct note_span note, struct note_span *text, struct note_span *signatures)
{
    if (note.len < 3 || note.len > NOTE_BYTES_MAX || !note_text_valid(note))
        return false;
    for (size_t i = note.len - 1; i > 0; i--) {
        if (note.text[i] == '\n' && note.text[i - 1] == '\n') {
            text->text = note.text;
            text->len = i;
            signatures->text = note.text + i + 1;
            signatures->len = note.len - i - 1;
            return signatures->len > 0;
        }
    }
    return false;
}

/* One signature line. *ours: name and key id are the verifier's, and signature is filled. */
static bool parse_signature(struct note_span line, const struct note_verifier *verifier, bool *ours,
                            uint8_t signature[SR_ED25519_SIGNATURE_LEN])
{
    /* Post-quantum signatures fit; what is longer is not a signature that anyone assigned. */
    uint8_t bytes[8192];
    size_t len = sizeof(bytes);
    struct note_span name;
    const char *space;

    *ours = false;
    if (!note_text_skip(&line, EM_DASH_SPACE))
        return false;
    space = line.len > 0 ? memchr(line.text, ' ', line.len) : NULL;
    if (space == NULL)
        return false;
    name = (struct note_span){line.text, (size_t)(space - line.text)};
    line.text += name.len + 1;
    line.len -= name.len + 1;
    if (!note_text_is_name(name) || line.len > BASE64_LEN(sizeof(bytes)) - 4 ||
        sr_base64_decode(line.text, line.len, bytes, &len) != 0 || len <= KEY_ID_LEN)
        return false;
    if (name.len == strlen(verifier->name) && memcmp(name.text, verifier->name, name.len) == 0 &&
        memcmp(bytes, verifier->key_id, KEY_ID_LEN) == 0) {
        *ours = true;
        /* A known key's signature of a wrong length must fail, not be skipped. */
        memset(signature, 0, SR_ED25519_SIGNATURE_LEN);
        if (len == SIGNED_LEN)
            memcpy(signature, bytes + KEY_ID_LEN, SR_ED25519_SIGNATURE_LEN);
    }
    return true;
}

/* signed-note, "Signatures": unknown keys are ignored, every signature of the known key must hold
 * and there must be one. */
static int check_signatures(struct note_span text, struct note_span lines,
                            const struct note_verifier *verifier)
{
    uint8_t signature[SR_ED25519_SIGNATURE_LEN];
    struct note_span line;
    size_t count = 0;
    size_t good = 0;
    bool ours;

    while (lines.len > 0) {
        if (++count > NOTE_SIGNATURES_MAX)
            return not_a_checkpoint("too many signatures");
        if (!note_text_line(&lines, &line) || !parse_signature(line, verifier, &ours, signature))
            return not_a_checkpoint("a signature line is malformed");
        if (!ours)
            continue;
        if (sr_ed25519_verify(verifier->public_key, text.text, text.len, signature) != 0)
            return sr_fail(SR_ERR_DAMAGED, "the checkpoint's signature by %s does not hold",
                           verifier->name);
        good++;
    }
    if (good == 0)
        return sr_fail(SR_ERR_DAMAGED, "the checkpoint is not signed by the key of %s",
                       verifier->name);
    return 0;
}

/* tlog-checkpoint, "Note text": origin, size, root, and extension lines that are not empty. */
static int parse_text(struct note_span text, struct note_checkpoint *out)
{
    struct note_span line;

    if (!note_text_line(&text, &line) || line.len == 0 || line.len > NOTE_ORIGIN_MAX)
        return not_a_checkpoint("no origin");
    memcpy(out->origin, line.text, line.len);
    out->origin[line.len] = '\0';
    if (!note_text_line(&text, &line) || !note_text_u64(line, &out->size))
        return not_a_checkpoint("no tree size");
    if (!note_text_line(&text, &line) || !note_text_hash(line, &out->root))
        return not_a_checkpoint("no root hash");
    while (text.len > 0)
        if (!note_text_line(&text, &line) || line.len == 0)
            return not_a_checkpoint("an extension line is empty");
    return 0;
}

int note_checkpoint_open(const uint8_t *data, size_t len, const struct note_verifier *verifier,
                         struct note_checkpoint *out)
{
    struct note_span note = {(const char *)data, len};
    struct note_checkpoint checkpoint = {0};
    struct note_span signatures;
    struct note_span text;
    int status;

    memset(out, 0, sizeof(*out));
    if (!split_note(note, &text, &signatures))
        return not_a_checkpoint("it has no signatures, or bytes that no note has");
    status = parse_text(text, &checkpoint);
    if (status != 0)
        return status;
    status = check_signatures(text, signatures, verifier);
    if (status != 0)
        return status;
    if (strcmp(checkpoint.origin, verifier->name) != 0)
        return sr_fail(SR_ERR_DAMAGED, "a checkpoint of another log than %s", verifier->name);
    *out = checkpoint;
    return 0;
}
