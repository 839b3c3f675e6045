/* Redo records. The first byte chooses: below 128 the rest is taken as a file and decoded record by
 * record; from 128 on the rest is a body, which is encrypted here as a record of type byte % 4, so
 * that the parsers behind the tag are reached. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "vault/redo.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse(const struct redo_record *record)
{
    struct ranges ranges = {0};
    const uint8_t *plain;
    uint64_t a, b;

    if (!redo_parse_meta(record, &a, &ranges)) {
        assert(record->type == REDO_META && a <= VAULT_MAX_SIZE);
        for (size_t i = 0; i < ranges.count; i++) {
            assert(ranges.list[i].start < ranges.list[i].end && ranges.list[i].end <= a);
            assert(!i || ranges.list[i - 1].end < ranges.list[i].start);
        }
    }
    ranges_free(&ranges);
    if (!redo_parse_segment(record, &a, &plain))
        assert(record->type == REDO_SEGMENT && plain == record->body + 8);
    if (!redo_parse_seal(record, &a, &b))
        assert(record->type == REDO_SEAL && b >= 1);
}

static void decode_all(const struct redo_secret *secret, struct sr_gcm *gcm, const uint8_t *data,
                       size_t size, uint8_t *body)
{
    struct redo_record record;
    uint64_t after = 0;

    while (!redo_decode(secret, gcm, after, data, size, body, &record)) {
        assert(record.used <= size && record.sequence > after);
        parse(&record);
        after = record.sequence;
        data += record.used;
        size -= record.used;
    }
}

static void seal_and_decode(const struct redo_secret *secret, struct sr_gcm *gcm, uint8_t type,
                            const uint8_t *data, size_t size, uint8_t *body)
{
    uint8_t aad[VAULT_OBJECT_ID_LEN + REDO_HEADER_LEN];
    uint8_t *file = calloc(1, REDO_OVERHEAD + size);
    struct redo_record record;
    int rc;

    assert(file);
    memcpy(file, "SRRD", 4);
    file[4] = type;
    file[5] = 1;
    sr_put_be64(file + 8, 1);
    sr_put_be32(file + 16, (uint32_t)size);
    memcpy(aad, secret->id.bytes, VAULT_OBJECT_ID_LEN);
    memcpy(aad + VAULT_OBJECT_ID_LEN, file, REDO_HEADER_LEN);
    rc = sr_gcm_encrypt(gcm, secret->key, file + 20, aad, sizeof(aad), data, size, file + 32,
                        file + 32 + size);
    assert(!rc);
    rc = redo_decode(secret, gcm, 0, file, REDO_OVERHEAD + size, body, &record);
    assert(rc == 0 || type == 0 || size > REDO_BODY_MAX);
    if (!rc) {
        assert(record.body_len == size && !memcmp(record.body, data, size));
        parse(&record);
    }
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[SR_KEY_LEN] = {1};
    static const struct vault_object_id id = {{2}};
    struct redo_secret secret;
    struct sr_gcm *gcm = NULL;
    uint8_t *body = malloc(REDO_BODY_MAX);
    int rc = redo_derive(key, &id, &secret);

    assert(body && !rc);
    rc = sr_gcm_new(&gcm);
    assert(!rc);
    if (size && data[0] >= 128)
        seal_and_decode(&secret, gcm, data[0] % 4, data + 1, size - 1, body);
    else if (size)
        decode_all(&secret, gcm, data + 1, size - 1, body);
    sr_gcm_free(gcm);
    free(body);
    return 0;
}
