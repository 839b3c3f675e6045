#include "casework/entry.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/json.h"

#define SALT_LEN 16
#define PRIVATE_OVERHEAD (SR_GCM_IV_LEN + SR_GCM_TAG_LEN)

int entry_set(json_t *entry, const char *key, json_t *value)
{
    if (value == NULL || json_object_set_new(entry, key, value) != 0)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    return 0;
}

int entry_new(struct sr_io *io, const char *act, json_t **out)
{
    uint8_t salt[SALT_LEN];
    *out = NULL;
    int random = io->random(io, salt, sizeof salt);
    if (random < 0)
        return sr_fail_errno(-random, "no random salt for a ledger entry");
    json_t *entry = json_object();
    if (entry == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    int status = 0;
    if ((status = entry_set(entry, "v", json_integer(1))) < 0 ||
        (status = entry_set(entry, "act", json_string(act))) < 0 ||
        (status = entry_set(entry, "salt", sr_json_hex(salt, sizeof salt))) < 0 ||
        (status = entry_set(entry, "time", sr_json_i64_text(io->now_ns(io)))) < 0) {
        json_decref(entry);
        return status;
    }
    *out = entry;
    return 0;
}

int entry_append(struct ledger *ledger, const json_t *entry, uint64_t *index)
{
    struct sr_buf text = {0};
    int status = sr_json_canonical(entry, &text);
    if (status == 0 && text.failed)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status == 0 && text.len > LEDGER_ENTRY_MAX)
        status = sr_fail(SR_ERR_TOO_LARGE, "a ledger entry of %zu bytes is too large", text.len);
    if (status == 0)
        status = ledger_append(ledger, text.data, text.len, index);
    sr_buf_free(&text);
    return status;
}

/* AAD of a private part: act || 0x00 || object id. */
static int private_aad(const json_t *entry, const struct vault_object_id *object,
                       struct sr_buf *aad)
{
    const char *act;
    int status = sr_json_get_text(entry, "act", &act);
    if (status < 0)
        return status;
    sr_buf_append(aad, act, strlen(act) + 1);
    sr_buf_append(aad, object->bytes, sizeof object->bytes);
    return aad->failed ? sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry") : 0;
}

static int seal_private(struct sr_io *io, json_t *entry, const struct vault_object_id *object,
                        const uint8_t key[SR_KEY_LEN], const json_t *private_part)
{
    struct sr_buf plain = {0}, aad = {0};
    struct sr_gcm *gcm = NULL;
    uint8_t *sealed = NULL;
    char *text = NULL;
    int status = sr_json_canonical(private_part, &plain);
    if (status < 0 || (status = private_aad(entry, object, &aad)) < 0)
        goto out;
    size_t len = plain.len + PRIVATE_OVERHEAD;
    sealed = malloc(len);
    text = malloc(4 * ((len + 2) / 3) + 1);
    if (plain.failed || sealed == NULL || text == NULL) {
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
        goto out;
    }
    int random = io->random(io, sealed, SR_GCM_IV_LEN);
    if (random < 0) {
        status = sr_fail_errno(-random, "no random nonce for a ledger entry");
        goto out;
    }
    if ((status = sr_gcm_new(&gcm)) < 0 ||
        (status = sr_gcm_encrypt(gcm, key, sealed, aad.data, aad.len, (const uint8_t *)plain.data,
                                 plain.len, sealed + SR_GCM_IV_LEN,
                                 sealed + SR_GCM_IV_LEN + plain.len)) < 0)
        goto out;
    sr_base64_encode(sealed, len, text);
    status = entry_set(entry, "private", json_string(text));
out:
    sr_wipe(plain.data, plain.len);
    sr_buf_free(&plain);
    sr_buf_free(&aad);
    sr_gcm_free(gcm);
    free(sealed);
    free(text);
    return status;
}

static int set_object(json_t *entry, const struct vault_object_id *object, uint64_t key_id)
{
    int status = entry_set(entry, "object", sr_json_hex(object->bytes, sizeof object->bytes));
    return status < 0 ? status : entry_set(entry, "key", sr_json_u64_text(key_id));
}

int entry_set_record(struct vault *vault, json_t *entry, const struct vault_object_id *object,
                     uint64_t key_id, const json_t *private_part)
{
    uint8_t key[SR_KEY_LEN];
    int status = set_object(entry, object, key_id);
    if (status < 0 || private_part == NULL)
        return status;
    if ((status = vault_describe_key(vault, key_id, object, key)) == 0)
        status = seal_private(vault_io(vault), entry, object, key, private_part);
    sr_wipe(key, sizeof key);
    return status;
}

int entry_set_new_record(struct vault *vault, json_t *entry, const struct staging *staging,
                         const json_t *private_part)
{
    struct vault_object_id object;
    uint64_t key_id;
    uint8_t key[SR_KEY_LEN];
    staging_id(staging, &object, &key_id);
    int status = set_object(entry, &object, key_id);
    staging_describe_key(staging, key);
    if (status == 0)
        status = seal_private(vault_io(vault), entry, &object, key, private_part);
    sr_wipe(key, sizeof key);
    return status;
}

static int find_key(struct entry_opener *opener, uint64_t key_id,
                    const struct vault_object_id *object)
{
    if (opener->key_id != 0 && opener->key_id == key_id &&
        memcmp(&opener->object, object, sizeof *object) == 0)
        return 0;
    opener->key_id = 0;
    int status = vault_describe_key(opener->vault, key_id, object, opener->key);
    if (status == 0) {
        opener->key_id = key_id;
        opener->object = *object;
    }
    return status;
}

/* Opens the sealed bytes; *out is the private object. */
static int open_sealed(struct entry_opener *opener, const json_t *entry, const uint8_t *sealed,
                       size_t len, json_t **out)
{
    struct vault_object_id object;
    uint64_t key_id;
    struct sr_buf aad = {0};
    uint8_t *plain = NULL;
    size_t plain_len = len - PRIVATE_OVERHEAD;
    int status;
    if ((status = sr_json_get_hex(entry, "object", object.bytes, sizeof object.bytes)) < 0 ||
        (status = sr_json_get_u64(entry, "key", &key_id)) < 0 ||
        (status = private_aad(entry, &object, &aad)) < 0 ||
        (status = find_key(opener, key_id, &object)) < 0 ||
        (opener->gcm == NULL && (status = sr_gcm_new(&opener->gcm)) < 0))
        goto out;
    plain = malloc(plain_len + 1);
    if (plain == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory to open a ledger entry");
    else if ((status = sr_gcm_decrypt(opener->gcm, opener->key, sealed, aad.data, aad.len,
                                      sealed + SR_GCM_IV_LEN, plain_len,
                                      sealed + SR_GCM_IV_LEN + plain_len, plain)) == 0)
        status = sr_json_parse(plain, plain_len, out);
out:
    if (plain != NULL)
        sr_wipe(plain, plain_len);
    free(plain);
    sr_buf_free(&aad);
    return status;
}

int entry_opener_open(struct entry_opener *opener, json_t *entry)
{
    const json_t *member = json_object_get(entry, "private");
    if (member == NULL || json_is_object(member))
        return 0;
    const char *text = json_string_value(member);
    if (text == NULL)
        return sr_fail(SR_ERR_DAMAGED, "the private part of a ledger entry is not text");
    size_t text_len = strlen(text);
    size_t len = text_len / 4 * 3 + 3;
    uint8_t *sealed = malloc(len);
    json_t *opened = NULL;
    if (sealed == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory to open a ledger entry");
    int status = sr_base64_decode(text, text_len, sealed, &len);
    if (status == 0 && len < PRIVATE_OVERHEAD)
        status = SR_ERR_INVALID;
    if (status < 0)
        status = sr_fail(SR_ERR_DAMAGED, "the private part of a ledger entry is malformed");
    else
        status = open_sealed(opener, entry, sealed, len, &opened);
    free(sealed);
    if (status == SR_ERR_NOT_FOUND) { /* the record key was destroyed with the record */
        json_object_del(entry, "private");
        return 0;
    }
    return status < 0 ? status : entry_set(entry, "private", opened);
}

void entry_opener_wipe(struct entry_opener *opener)
{
    sr_wipe(opener->key, sizeof opener->key);
    sr_gcm_free(opener->gcm);
    *opener = (struct entry_opener){.vault = opener->vault};
}

int entry_open_private(struct vault *vault, json_t *entry)
{
    struct entry_opener opener = {.vault = vault};
    int status = entry_opener_open(&opener, entry);
    entry_opener_wipe(&opener);
    return status;
}
