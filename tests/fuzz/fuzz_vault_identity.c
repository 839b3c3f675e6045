/* vault.json: whatever is accepted is exactly what the writer would have written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "vault/vault_internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct vault_identity nothing;
    struct vault_identity identity, again;
    struct sr_buf text = {0};
    int rc = vault_parse_identity("vault.json", data, size, &identity);

    require(rc == 0 || rc == SR_ERR_DAMAGED || rc == SR_ERR_NEWER_FORMAT);
    if (rc) {
        require(!memcmp(&identity, &nothing, sizeof(nothing)));
        return 0;
    }
    require(sr_utf8_valid(identity.agency, strlen(identity.agency)));
    require(strlen(identity.origin) == strlen("strongroom.local/") + 2 * KEYS_VAULT_ID_LEN);
    require(vault_identity_serialize(&identity, &text) == 0);
    require(text.len == size && !memcmp(text.data, data, size));
    require(vault_parse_identity("vault.json", (uint8_t *)text.data, text.len, &again) == 0);
    require(!memcmp(&identity, &again, sizeof(again)));
    sr_buf_free(&text);
    return 0;
}
