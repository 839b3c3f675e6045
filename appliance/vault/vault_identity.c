/* vault.json: what a vault is, with nothing secret. Canonical JSON (RFC 8785) and a newline:
 *
 *   {"agency":TEXT,"created":"NANOSECONDS","format":1,"origin":"strongroom.local/VAULT",
 *    "public_key":HEX64,"vault":HEX32}
 *
 * The parser takes exactly the bytes that the writer makes, so a file has one reading only. */
#include "vault/vault_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define IDENTITY_LIMIT 4096 /* bytes of vault.json */
#define ORIGIN_PREFIX "strongroom.local/"

void vault_identity_origin(struct vault_identity *identity)
{
    memcpy(identity->origin, ORIGIN_PREFIX, sizeof(ORIGIN_PREFIX) - 1);
    sr_hex_encode(identity->id.bytes, KEYS_VAULT_ID_LEN,
                  identity->origin + sizeof(ORIGIN_PREFIX) - 1);
}

/* Takes value. */
static int put(json_t *object, const char *key, json_t *value)
{
    if (!value || json_object_set_new(object, key, value))
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    return 0;
}

int vault_identity_serialize(const struct vault_identity *identity, struct sr_buf *out)
{
    json_t *object = json_object();
    int rc;

    if (!object)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = put(object, "agency", json_string(identity->agency));
    if (!rc)
        rc = put(object, "created", sr_json_i64_text(identity->created_ns));
    if (!rc)
        rc = put(object, "format", json_integer(VAULT_FORMAT_VERSION));
    if (!rc)
        rc = put(object, "origin", json_string(identity->origin));
    if (!rc)
        rc = put(object, "public_key", sr_json_hex(identity->public_key, SR_ED25519_PUBLIC_LEN));
    if (!rc)
        rc = put(object, "vault", sr_json_hex(identity->id.bytes, KEYS_VAULT_ID_LEN));
    if (!rc)
        rc = sr_json_canonical(object, out);
    if (!rc) {
        sr_buf_text(out, "\n");
        if (out->failed)
            rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    json_decref(object);
    return rc;
}

static int read_members(const json_t *object, struct vault_identity *out)
{
    const char *agency;
    int rc = sr_json_get_text(object, "agency", &agency);

    if (!rc && strlen(agency) >= sizeof(out->agency))
        rc = SR_ERR_INVALID;
    if (!rc)
        memcpy(out->agency, agency, strlen(agency) + 1);
    if (!rc)
        rc = sr_json_get_i64(object, "created", &out->created_ns);
    if (!rc)
        rc = sr_json_get_hex(object, "public_key", out->public_key, SR_ED25519_PUBLIC_LEN);
    if (!rc)
        rc = sr_json_get_hex(object, "vault", out->id.bytes, KEYS_VAULT_ID_LEN);
    if (!rc)
        vault_identity_origin(out);
    return rc;
}

int vault_parse_identity(const char *name, const uint8_t *data, size_t len,
                         struct vault_identity *out)
{
    struct sr_buf again = {0};
    json_t *object = NULL;
    const json_t *format;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = sr_json_parse(data, len, &object);
    if (rc == SR_ERR_NO_MEMORY)
        return rc;
    format = rc ? NULL : json_object_get(object, "format");
    if (!json_is_integer(format)) {
        rc = sr_fail(SR_ERR_DAMAGED, "%s is damaged: it is not a vault's description", name);
        goto out;
    }
    if (json_integer_value(format) > VAULT_FORMAT_VERSION) {
        rc = sr_fail(SR_ERR_NEWER_FORMAT,
                     "%s was written by a newer version (format %lld); this version reads up to %d",
                     name, (long long)json_integer_value(format), VAULT_FORMAT_VERSION);
        goto out;
    }
    rc = read_members(object, out);
    if (!rc)
        rc = vault_identity_serialize(out, &again);
    if (rc == SR_ERR_NO_MEMORY)
        goto out;
    if (rc || again.len != len || memcmp(again.data, data, len) != 0)
        rc = sr_fail(SR_ERR_DAMAGED, "%s is damaged: it is not as it was written", name);
out:
    if (rc)
        memset(out, 0, sizeof(*out));
    sr_buf_free(&again);
    json_decref(object);
    return rc;
}

int vault_read_identity(struct sr_io *io, const char *path, struct vault_identity *out)
{
    char *file = sr_path("%s/vault.json", path);
    uint8_t *data = NULL;
    size_t len = 0;
    int rc;

    memset(out, 0, sizeof(*out));
    if (!file)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = sr_io_read_file(io, file, IDENTITY_LIMIT, &data, &len);
    if (rc == SR_ERR_NOT_FOUND || rc == SR_ERR_NOT_DIRECTORY)
        rc = sr_fail(SR_ERR_NOT_FOUND, "%s is not a vault: it has no vault.json", path);
    else if (rc == SR_ERR_TOO_LARGE || rc == SR_ERR_IS_DIRECTORY)
        rc = sr_fail(SR_ERR_DAMAGED, "%s is damaged: it is not a vault's description", file);
    if (!rc)
        rc = vault_parse_identity(file, data, len, out);
    free(data);
    free(file);
    return rc;
}
