/* Sealed objects whose file was altered. The input is a list of edits to a good object of three
 * segments: byte 0 says what of the ledger's word follows the alteration (bit 0: the tag root, bit
 * 1: the header hash; so that what lies behind those checks is reached) and bit 2 that two bytes
 * of new length follow; then 4-byte edits: offset (3 bytes, modulo length) and XOR. Whatever
 * happens, content that object_read gives out is the content that was sealed. */
#include <assert.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vault/object.h"
#include "vault/staging.h"
#include "vault/tagtree.h"
#include "vault/vault.h"

#define CONTENT (2 * 65536 + 1000)
#define OBJECT_FD 500
#define HEAD 4170u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The machine's calls, but for the object's file, which is memory. */
struct fuzz_io {
    struct sr_io table; /* first: the table's functions get its address */
    uint8_t *file;      /* NULL: nothing is replaced yet */
    size_t len;
};

struct target {
    struct fuzz_io io;
    struct vault *vault;
    struct object_expectation expected;
    uint8_t *good; /* the object as sealed */
    size_t good_len;
    uint8_t content[CONTENT];
};

static int fuzz_open(struct sr_io *io, const char *path, int flags, mode_t mode)
{
    if (((struct fuzz_io *)io)->file && strstr(path, "/objects/"))
        return OBJECT_FD;
    return sr_io_posix()->open(io, path, flags, mode);
}

static int fuzz_close(struct sr_io *io, int fd)
{
    return fd == OBJECT_FD ? 0 : sr_io_posix()->close(io, fd);
}

static ssize_t fuzz_pread(struct sr_io *io, int fd, void *buf, size_t len, uint64_t offset)
{
    struct fuzz_io *fuzz = (struct fuzz_io *)io;

    if (fd != OBJECT_FD)
        return sr_io_posix()->pread(io, fd, buf, len, offset);
    if (offset >= fuzz->len)
        return 0;
    if (len > fuzz->len - offset)
        len = fuzz->len - (size_t)offset;
    memcpy(buf, fuzz->file + offset, len);
    return (ssize_t)len;
}

static int fuzz_fstat(struct sr_io *io, int fd, struct sr_stat *out)
{
    if (fd != OBJECT_FD)
        return sr_io_posix()->fstat(io, fd, out);
    *out = (struct sr_stat){.size = ((struct fuzz_io *)io)->len, .links = 1};
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void must(int rc)
{
    if (rc) {
        fprintf(stderr, "fuzz_vault_object: %s\n", sr_error_message());
        abort();
    }
}

/* One good object in a vault of its own, whose folder is gone again when this returns: the keys
 * are in memory. */
static void make_target(struct target *target)
{
    char folder[] = "/tmp/fuzz-vault-object-XXXXXX", path[256];
    char id[2 * VAULT_OBJECT_ID_LEN + 1];
    struct staging *staging;
    struct staging_seal seal;

    target->io.table = *sr_io_posix();
    target->io.table.open = fuzz_open;
    target->io.table.close = fuzz_close;
    target->io.table.pread = fuzz_pread;
    target->io.table.fstat = fuzz_fstat;
    for (size_t i = 0; i < CONTENT; i++)
        target->content[i] = (uint8_t)(i * 31 + i / 777);
    if (!mkdtemp(folder))
        abort();
    must(vault_create_with_cost(&target->io.table, folder, "fuzz fuzz", "", 10, &target->vault));
    must(staging_create(target->vault, &staging));
    must(staging_write(staging, 0, target->content, CONTENT));
    must(staging_finalize(staging, &seal));
    must(staging_link(staging));
    staging_id(staging, &target->expected.id, &target->expected.key_id);
    must(staging_close(staging));
    target->expected.size = seal.size;
    memcpy(target->expected.sha256, seal.sha256, SR_SHA256_LEN);
    memcpy(target->expected.tag_root, seal.tag_root, SR_SHA256_LEN);
    memcpy(target->expected.header_sha256, seal.header_sha256, SR_SHA256_LEN);
    vault_object_id_text(&target->expected.id, id);
    snprintf(path, sizeof(path), "%s/objects/%.2s/%s", folder, id, id);
    must(sr_io_read_file(&target->io.table, path, 1 << 20, &target->good, &target->good_len));
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void check(struct target *target, const struct object_expectation *expected)
{
    static uint8_t out[CONTENT + 10];
    struct object *object = NULL;
    size_t got;

    if (!object_open(target->vault, expected, &object)) {
        for (size_t at = 0; at < CONTENT; at += 40000)
            if (!object_read(object, at, out, 40000, &got))
                assert(got == (CONTENT - at < 40000 ? CONTENT - at : 40000) &&
                       !memcmp(out, target->content + at, got));
        if (!object_read(object, 0, out, sizeof(out), &got))
            assert(got == CONTENT && !memcmp(out, target->content, CONTENT));
    }
    object_close(object);
    (void)object_verify(target->vault, expected, NULL, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct target target;
    struct object_expectation expected;
    uint8_t flags, *file;
    size_t len;

    if (!target.vault)
        make_target(&target);
    if (!size)
        return 0;
    flags = *data++;
    size--;
    expected = target.expected;
    len = target.good_len;
    if (flags & 4 && size >= 2) {
        len -= (size_t)(data[0] << 8 | data[1]);
        data += 2;
        size -= 2;
    }
    file = malloc(len + 1);
    assert(file);
    memcpy(file, target.good, len);
    for (; size >= 4; size -= 4, data += 4)
        file[(size_t)(data[0] << 16 | data[1] << 8 | data[2]) % len] ^= data[3];
    if (flags & 1 && len >= SR_SHA256_LEN) /* a root of one block hash is that hash */
        must(tagtree_root(file + len - SR_SHA256_LEN, 1, expected.tag_root));
    if (flags & 2 && len >= HEAD)
        must(sr_sha256(file, HEAD, expected.header_sha256));
    target.io.file = file;
    target.io.len = len;
    check(&target, &expected);
    target.io.file = NULL;
    free(file);
    return 0;
}
