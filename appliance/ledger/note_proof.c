#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ledger/note.h"
#include "ledger/note_text.h"

/* C2SP tlog-proof: header, optional extra line, index, hashes, empty line, checkpoint. */

#define PROOF_HEADER "c2sp.org/tlog-proof@v1"
#define BASE64_LEN(n) (4 * (((n) + 2) / 3))

static int not_a_proof(const char *why)
{
    return sr_fail(SR_ERR_INVALID, "not a tlog-proof: %s", why);
}

static int append_extra(const void *extra, size_t len, struct sr_buf *out)
{
    char *base64;

    if (extra == NULL || len == 0)
        return 0;
    if (len > NOTE_BYTES_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "extra data of a proof: over %d bytes", NOTE_BYTES_MAX);
    base64 = malloc(BASE64_LEN(len) + 1);
    if (base64 == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    sr_base64_encode(extra, len, base64);
    sr_buf_format(out, "extra %s\n", base64);
    free(base64);
    return 0;
}

int note_proof_format(uint64_t index, const struct tlog_hash *proof, size_t count,
                      const void *extra, size_t extra_len, const uint8_t *checkpoint,
                      size_t checkpoint_len, struct sr_buf *out)
{
    char base64[BASE64_LEN(TLOG_HASH_LEN) + 1];
    int status;

    sr_buf_text(out, PROOF_HEADER "\n");
    status = append_extra(extra, extra_len, out);
    if (status != 0)
        return status;
    sr_buf_format(out, "index %llu\n", (unsigned long long)index);
    for (size_t i = 0; i < count; i++) {
        sr_base64_encode(proof[i].bytes, TLOG_HASH_LEN, base64);
        sr_buf_format(out, "%s\n", base64);
    }
    sr_buf_text(out, "\n");
    sr_buf_append(out, checkpoint, checkpoint_len);
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "out of memory") : 0;
}

/* Extra data are not authenticated: only their form is checked. */
static int check_extra(struct note_span base64)
{
    size_t len = base64.len;
    uint8_t *bytes;
    int status;

    if (base64.len == 0)
        return not_a_proof("an extra line without data");
    bytes = malloc(len);
    if (bytes == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    status = sr_base64_decode(base64.text, base64.len, bytes, &len);
    free(bytes);
    return status == 0 ? 0 : not_a_proof("the extra line is not base64");
}

/* Everything up to the checkpoint, which is left in rest. */
static int parse_head(struct note_span *rest, uint64_t *index, struct tlog_hash *proof,
                      size_t *count)
{
    struct note_span line;

    *count = 0;
    if (!note_text_line(rest, &line) || line.len != strlen(PROOF_HEADER) ||
        !note_text_skip(&line, PROOF_HEADER))
        return not_a_proof("the first line is not " PROOF_HEADER);
    if (!note_text_line(rest, &line))
        return not_a_proof("no index");
    if (note_text_skip(&line, "extra ")) {
        int status = check_extra(line);

        if (status != 0)
            return status;
        if (!note_text_line(rest, &line))
            return not_a_proof("no index");
    }
    if (!note_text_skip(&line, "index ") || !note_text_u64(line, index))
        return not_a_proof("no index");
    for (;;) {
        if (!note_text_line(rest, &line))
            return not_a_proof("no checkpoint");
        if (line.len == 0)
            return 0;
        if (*count == TLOG_PROOF_MAX)
            return not_a_proof("more hashes than any tree has levels");
        if (!note_text_hash(line, &proof[(*count)++]))
            return not_a_proof("a line is not a hash");
    }
}

int note_proof_verify(const uint8_t *data, size_t len, const struct note_verifier *verifier,
                      const struct tlog_hash *leaf, uint64_t *index,
                      struct note_checkpoint *checkpoint)
{
    struct tlog_hash proof[TLOG_PROOF_MAX];
    struct note_span rest = {(const char *)data, len};
    struct note_checkpoint opened;
    uint64_t found;
    size_t count;
    int status;

    *index = 0;
    memset(checkpoint, 0, sizeof(*checkpoint));
    if (len > 2 * (size_t)NOTE_BYTES_MAX)
        return not_a_proof("too long");
    status = parse_head(&rest, &found, proof, &count);
    if (status != 0)
        return status;
    status = note_checkpoint_open((const uint8_t *)rest.text, rest.len, verifier, &opened);
    if (status != 0)
        return status;
    status = tlog_verify_inclusion(leaf, found, opened.size, proof, count, &opened.root);
    if (status != 0)
        return status;
    *index = found;
    *checkpoint = opened;
    return 0;
}
