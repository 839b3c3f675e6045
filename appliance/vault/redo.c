#include "vault/redo.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define REDO_MAGIC 0x53525244u /* "SRRD" */
#define REDO_VERSION 1
#define NONCE_AT REDO_HEADER_LEN
#define CIPHER_AT (NONCE_AT + SR_GCM_IV_LEN)

int redo_derive(const uint8_t record_key[SR_KEY_LEN], const struct vault_object_id *id,
                struct redo_secret *out)
{
    static const char purpose[] = "strongroom redo v1";
    uint8_t info[sizeof(purpose) - 1 + VAULT_OBJECT_ID_LEN];

    memcpy(info, purpose, sizeof(purpose) - 1);
    memcpy(info + sizeof(purpose) - 1, id->bytes, VAULT_OBJECT_ID_LEN);
    out->id = *id;
    return sr_hkdf_expand_sha384(record_key, SR_KEY_LEN, info, sizeof(info), out->key,
                                 sizeof(out->key));
}

static void make_aad(const struct redo_secret *secret, const uint8_t *header,
                     uint8_t aad[VAULT_OBJECT_ID_LEN + REDO_HEADER_LEN])
{
    memcpy(aad, secret->id.bytes, VAULT_OBJECT_ID_LEN);
    memcpy(aad + VAULT_OBJECT_ID_LEN, header, REDO_HEADER_LEN);
}

/* The length of the record that starts with this header; 0 if none does. */
static size_t record_len(const uint8_t header[REDO_HEADER_LEN])
{
    uint32_t body_len = sr_get_be32(header + 16);

    if (sr_get_be32(header) != REDO_MAGIC || body_len > REDO_BODY_MAX)
        return 0;
    return REDO_OVERHEAD + (size_t)body_len;
}

int redo_decode(const struct redo_secret *secret, struct sr_gcm *gcm, uint64_t after,
                const uint8_t *data, size_t len, uint8_t *body, struct redo_record *out)
{
    uint8_t aad[VAULT_OBJECT_ID_LEN + REDO_HEADER_LEN];
    size_t used = len < REDO_HEADER_LEN ? 0 : record_len(data);
    size_t body_len;
    int rc;

    *out = (struct redo_record){0};
    if (used && data[5] > REDO_VERSION && !data[6] && !data[7])
        return sr_fail(SR_ERR_NEWER_FORMAT, "redo record of version %u", data[5]);
    if (!used || used > len || data[5] != REDO_VERSION || data[6] || data[7])
        return sr_fail(SR_ERR_DAMAGED, "no redo record here");
    if (data[4] < REDO_META || data[4] > REDO_SEAL || sr_get_be64(data + 8) <= after)
        return sr_fail(SR_ERR_DAMAGED, "redo record out of place");
    body_len = used - REDO_OVERHEAD;
    make_aad(secret, data, aad);
    rc = sr_gcm_decrypt(gcm, secret->key, data + NONCE_AT, aad, sizeof(aad), data + CIPHER_AT,
                        body_len, data + CIPHER_AT + body_len, body);
    if (rc)
        return rc;
    if (data[4] == REDO_SEGMENT && body_len < REDO_SEGMENT_LEN)
        memset(body + body_len, 0,
               REDO_SEGMENT_LEN - body_len); /* zeros at the end are not stored */
    out->type = (enum redo_type)data[4];
    out->sequence = sr_get_be64(data + 8);
    out->body = body;
    out->body_len = body_len;
    out->used = used;
    return 0;
}

int redo_parse_meta(const struct redo_record *record, uint64_t *size, struct ranges *ranges)
{
    const uint8_t *at = record->body + 12;
    uint32_t count;
    uint64_t floor = 0; /* the next range starts here or later */
    int rc;

    if (record->type != REDO_META || record->body_len < REDO_META_LEN(0))
        return sr_fail(SR_ERR_DAMAGED, "redo meta record too short");
    *size = sr_get_be64(record->body);
    count = sr_get_be32(record->body + 8);
    if (*size > VAULT_MAX_SIZE || count > REDO_MAX_RANGES ||
        record->body_len != REDO_META_LEN(count))
        return sr_fail(SR_ERR_DAMAGED, "redo meta record with impossible numbers");
    ranges_clear(ranges);
    rc = ranges_reserve(ranges, count);
    if (rc)
        return rc;
    for (uint32_t i = 0; i < count; i++, at += 16) {
        uint64_t start = sr_get_be64(at), end = sr_get_be64(at + 8);

        if (start < floor || start >= end || end > *size)
            return sr_fail(SR_ERR_DAMAGED, "redo meta record with ranges out of order");
        ranges->list[ranges->count++] = (struct staging_range){start, end};
        floor = end + 1; /* touching ranges would have been merged */
    }
    return 0;
}

int redo_parse_segment(const struct redo_record *record, uint64_t *position, const uint8_t **plain)
{
    if (record->type != REDO_SEGMENT || record->body_len < 8 || record->body_len > REDO_SEGMENT_LEN)
        return sr_fail(SR_ERR_DAMAGED, "redo segment record of a wrong length");
    *position = sr_get_be64(record->body);
    *plain = record->body + 8;
    if (*position >= VAULT_MAX_SIZE / VAULT_SEGMENT_PLAIN)
        return sr_fail(SR_ERR_DAMAGED, "redo segment record with an impossible position");
    return 0;
}

int redo_parse_seal(const struct redo_record *record, uint64_t *size, uint64_t *segments)
{
    if (record->type != REDO_SEAL || record->body_len != REDO_SEAL_LEN)
        return sr_fail(SR_ERR_DAMAGED, "redo seal record of a wrong length");
    *size = sr_get_be64(record->body);
    *segments = sr_get_be64(record->body + 8);
    if (*size > VAULT_MAX_SIZE || *segments != (*size ? (*size - 1) / VAULT_SEGMENT_PLAIN + 1 : 1))
        return sr_fail(SR_ERR_DAMAGED, "redo seal record with impossible numbers");
    return 0;
}

int redo_init(struct redo *redo, struct sr_io *io, const char *path,
              const struct redo_secret *secret)
{
    *redo = (struct redo){.io = io, .fd = -1};
    redo->secret = *secret;
    redo->path = sr_path("%s", path);
    redo->new_path = sr_path("%s.new", path);
    if (!redo->path || !redo->new_path) {
        redo_close(redo);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    return 0;
}

void redo_close(struct redo *redo)
{
    if (redo->fd >= 0)
        redo->io->close(redo->io, redo->fd);
    free(redo->path);
    free(redo->new_path);
    sr_wipe(&redo->secret, sizeof(redo->secret));
    *redo = (struct redo){.io = redo->io, .fd = -1};
}

static int open_file(const struct redo *redo, const char *path, int flags, int *out)
{
    int fd;

    do {
        fd = redo->io->open(redo->io, path, flags, 0600);
    } while (fd == -EINTR);
    *out = fd;
    return fd < 0 && fd != -ENOENT ? sr_fail_errno(-fd, "open %s", path) : 0;
}

/* One record at offset, in two reads: the header says how long it is. */
static int read_record(const struct redo *redo, struct sr_gcm *gcm, uint64_t offset, uint8_t *work,
                       uint8_t *body, struct redo_record *out)
{
    size_t got, rest, len;
    int rc = sr_io_read_full(redo->io, redo->fd, work, REDO_HEADER_LEN, offset, &got);

    if (rc)
        return rc;
    len = got < REDO_HEADER_LEN ? 0 : record_len(work);
    rest = 0;
    if (len) {
        rc = sr_io_read_full(redo->io, redo->fd, work + REDO_HEADER_LEN, len - REDO_HEADER_LEN,
                             offset + REDO_HEADER_LEN, &rest);
        if (rc)
            return rc;
    }
    return redo_decode(&redo->secret, gcm, redo->sequence, work, got + rest, body, out);
}

int redo_scan(struct redo *redo, struct sr_gcm *gcm, redo_record_fn *fn, void *context)
{
    struct redo_record record;
    uint8_t *work = NULL, *body = NULL;
    int rc;

    rc = redo->io->unlink(redo->io, redo->new_path);
    if (rc < 0 && rc != -ENOENT)
        return sr_fail_errno(-rc, "remove %s", redo->new_path);
    rc = redo->fd < 0 ? open_file(redo, redo->path, O_RDWR, &redo->fd) : 0;
    if (rc || redo->fd < 0) {
        redo->fd = -1;
        return rc;
    }
    work = malloc(REDO_RECORD_MAX);
    body = sr_secret_alloc(REDO_BODY_MAX);
    if (!work || !body) {
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for %s", redo->path);
        goto out;
    }
    redo->len = 0;
    redo->sequence = 0;
    for (;;) {
        rc = read_record(redo, gcm, redo->len, work, body, &record);
        if (rc)
            break;
        redo->len += record.used;
        redo->sequence = record.sequence;
        rc = fn(context, &record);
        if (rc)
            goto out;
    }
    redo->good_len = redo->len;
    if (rc == SR_ERR_DAMAGED) {
        struct sr_stat info;

        rc = redo->io->fstat(redo->io, redo->fd, &info);
        if (rc < 0)
            rc = sr_fail_errno(-rc, "stat %s", redo->path);
        else if (info.size > redo->len)
            redo->dropped = info.size - redo->len;
        /* Whole records may stand in what was dropped: none of theirs may follow a new one. */
        redo->sequence += UINT64_C(1) << 32;
    }
out:
    free(work);
    sr_secret_free(body, REDO_BODY_MAX);
    return rc;
}

/* Completes the record whose body stands at work + CIPHER_AT, encrypting in place. */
static int seal_record(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, enum redo_type type,
                       size_t body_len)
{
    uint8_t aad[VAULT_OBJECT_ID_LEN + REDO_HEADER_LEN];
    uint8_t *cipher = work + CIPHER_AT;
    int rc;

    assert(body_len <= REDO_BODY_MAX);
    sr_put_be32(work, REDO_MAGIC);
    work[4] = (uint8_t)type;
    work[5] = REDO_VERSION;
    work[6] = work[7] = 0;
    sr_put_be64(work + 8, ++redo->sequence);
    sr_put_be32(work + 16, (uint32_t)body_len);
    rc = redo->io->random(redo->io, work + NONCE_AT, SR_GCM_IV_LEN);
    if (rc < 0)
        return sr_fail_errno(-rc, "cannot draw random bytes");
    make_aad(&redo->secret, work, aad);
    return sr_gcm_encrypt(gcm, redo->secret.key, work + NONCE_AT, aad, sizeof(aad), cipher,
                          body_len, cipher, cipher + body_len);
}

int redo_make(struct redo *redo)
{
    int rc;

    if (redo->fd >= 0)
        return 0;
    rc = open_file(redo, redo->path, O_RDWR | O_CREAT, &redo->fd);
    if (!rc && redo->fd < 0)
        rc = sr_fail_errno(ENOENT, "create %s", redo->path);
    if (rc)
        redo->fd = -1;
    return rc;
}

static int append(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, enum redo_type type,
                  size_t body_len)
{
    int rc = redo_make(redo);

    if (!rc)
        rc = seal_record(redo, gcm, work, type, body_len);
    if (!rc)
        rc = sr_io_write_full(redo->io, redo->fd, work, REDO_OVERHEAD + body_len, redo->len);
    if (!rc)
        redo->len += REDO_OVERHEAD + body_len;
    if (rc) {
        sr_wipe(work + CIPHER_AT, body_len);
        redo->len = redo->good_len;
    }
    return rc;
}

static size_t put_meta(uint8_t *work, uint64_t size, const struct ranges *ranges)
{
    uint8_t *body = work + CIPHER_AT;

    assert(ranges->count <= REDO_MAX_RANGES);
    sr_put_be64(body, size);
    sr_put_be32(body + 8, (uint32_t)ranges->count);
    for (size_t i = 0; i < ranges->count; i++) {
        sr_put_be64(body + 12 + 16 * i, ranges->list[i].start);
        sr_put_be64(body + 20 + 16 * i, ranges->list[i].end);
    }
    return REDO_META_LEN(ranges->count);
}

int redo_append_meta(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t size,
                     const struct ranges *ranges)
{
    return append(redo, gcm, work, REDO_META, put_meta(work, size, ranges));
}

int redo_append_segment(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t position,
                        const uint8_t *plain, size_t len)
{
    while (len > 0 && plain[len - 1] == 0)
        len--;
    sr_put_be64(work + CIPHER_AT, position);
    memcpy(work + CIPHER_AT + 8, plain, len);
    return append(redo, gcm, work, REDO_SEGMENT, 8 + len);
}

int redo_append_seal(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t size,
                     uint64_t segments)
{
    sr_put_be64(work + CIPHER_AT, size);
    sr_put_be64(work + CIPHER_AT + 8, segments);
    return append(redo, gcm, work, REDO_SEAL, REDO_SEAL_LEN);
}

/* EINTR is not retried: the first call may have taken the error that the second would not show. */
int redo_sync(struct redo *redo)
{
    int rc = redo->io->fdatasync(redo->io, redo->fd);

    if (rc < 0) {
        redo->len = redo->good_len;
        return sr_fail_errno(-rc, "sync %s", redo->path);
    }
    redo->good_len = redo->len;
    return 0;
}

int redo_replace(struct redo *redo, struct sr_gcm *gcm, uint8_t *work, uint64_t size,
                 const struct ranges *ranges)
{
    struct sr_io *io = redo->io;
    size_t body_len = put_meta(work, size, ranges);
    int fd = -1;
    int rc;

    rc = open_file(redo, redo->new_path, O_RDWR | O_CREAT | O_TRUNC, &fd);
    if (!rc && fd < 0)
        rc = sr_fail_errno(ENOENT, "create %s", redo->new_path);
    if (rc)
        return rc;
    rc = seal_record(redo, gcm, work, REDO_META, body_len);
    if (!rc)
        rc = sr_io_write_full(io, fd, work, REDO_OVERHEAD + body_len, 0);
    if (rc)
        goto fail;
    rc = io->fsync(io, fd);
    if (rc >= 0)
        rc = io->rename(io, redo->new_path, redo->path);
    if (rc < 0) {
        rc = sr_fail_errno(-rc, "replace %s", redo->path);
        goto fail;
    }
    if (redo->fd >= 0)
        io->close(io, redo->fd);
    redo->fd = fd;
    redo->len = redo->good_len = REDO_OVERHEAD + body_len;
    return 0;
fail:
    io->close(io, fd);
    io->unlink(io, redo->new_path);
    return rc;
}
