/* Verifier keys: what is accepted is written out as the very same text. With a second try in which
 * the key id is made right, as the parser checks it. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "ledger/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static int parse(const char *text)
{
    struct note_verifier verifier;
    struct sr_buf again = {0};
    int status = note_verifier_parse(text, &verifier);

    check(status == 0 || status == SR_ERR_INVALID);
    if (status == 0) {
        check(note_verifier_format(&verifier, &again) == 0);
        check(strcmp(again.data, text) == 0);
    }
    sr_buf_free(&again);
    return status;
}

/* name+????????+key: the id computed from the other two. */
static void repair_id(char *text)
{
    char *id = strchr(text, '+');
    char *key = id != NULL ? strchr(id + 1, '+') : NULL;
    struct note_verifier verifier;
    uint8_t bytes[1 + SR_ED25519_PUBLIC_LEN];
    size_t len = sizeof(bytes);
    char hex[9];

    if (key == NULL || key - id != 9 ||
        sr_base64_decode(key + 1, strlen(key + 1), bytes, &len) != 0 || len != sizeof(bytes))
        return;
    *id = '\0';
    if (note_verifier_init(&verifier, text, bytes + 1) == 0) {
        sr_hex_encode(verifier.key_id, 4, hex);
        memcpy(id + 1, hex, 8);
    }
    *id = '+';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);

    check(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    parse(text);
    repair_id(text);
    parse(text);
    free(text);
    return 0;
}
