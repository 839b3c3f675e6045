/* A vault as a folder: creating and opening it, and what its parts share. */
#include "vault/vault_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "vault/keys_internal.h"
#include "vault/pipeline.h"

static int vault_new(struct sr_io *io, const char *path, struct vault **out)
{
    struct vault *vault = calloc(1, sizeof(*vault));
    size_t len = strlen(path);

    *out = NULL;
    while (len > 1 && path[len - 1] == '/')
        len--;
    if (vault) {
        vault->io = io;
        vault->lock_fd = -1;
        vault->path = strndup(path, len);
    }
    if (!vault || !vault->path) {
        free(vault);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    *out = vault;
    return 0;
}

void vault_close(struct vault *vault)
{
    if (!vault)
        return;
    pipeline_stop(vault->pipeline);
    keys_free(vault->keys);
    if (vault->lock_fd >= 0)
        vault->io->close(vault->io, vault->lock_fd);
    free(vault->path);
    free(vault);
}

/* One process at a time: keys, staging and ledger are cached in memory. The file stays. */
static int take_lock(struct vault *vault)
{
    struct sr_io *io = vault->io;
    char *path = sr_path("%s/lock", vault->path);
    int rc = 0, n;

    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    n = io->open(io, path, O_RDWR | O_CREAT, 0600);
    if (n < 0) {
        rc = sr_fail_errno(-n, "cannot open %s", path);
        goto out;
    }
    vault->lock_fd = n;
    n = io->lock(io, vault->lock_fd);
    if (n == -EWOULDBLOCK)
        rc = sr_fail(SR_ERR_BUSY,
                     "%s is in use by another process (is strongroomd running?): one at a time",
                     vault->path);
    else if (n < 0)
        rc = sr_fail_errno(-n, "cannot lock %s", path);
out:
    free(path);
    return rc;
}

static int any_name(void *context, const char *name)
{
    (void)context;
    (void)name;
    return 1;
}

/* path becomes a folder that was empty. */
static int make_root(struct vault *vault)
{
    int n = vault->io->list(vault->io, vault->path, any_name, NULL);

    if (n == 0)
        return 0;
    if (n == -ENOENT)
        return sr_io_make_dir(vault->io, vault->path, 0700);
    if (n > 0)
        return sr_fail(SR_ERR_EXISTS,
                       "%s is not empty: choose a new folder (if it holds an unfinished vault "
                       "without vault.json, remove it first)",
                       vault->path);
    if (n == -ENOTDIR)
        return sr_fail(SR_ERR_EXISTS, "%s exists and is not a folder", vault->path);
    return sr_fail_errno(-n, "cannot list %s", vault->path);
}

static int make_folder(struct vault *vault, const char *name)
{
    char *path = sr_path("%s/%s", vault->path, name);
    int rc;

    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = sr_io_make_dir(vault->io, path, 0700);
    free(path);
    return rc;
}

/* objects/00 to objects/ff under one sync, where 256 would take a second. */
static int make_object_folders(struct vault *vault)
{
    struct sr_io *io = vault->io;
    char *path;
    int n = 0;

    for (unsigned i = 0; i < 256; i++) {
        path = sr_path("%s/objects/%02x", vault->path, i);
        if (!path)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        n = io->mkdir(io, path, 0700);
        if (n < 0)
            n = sr_fail_errno(-n, "cannot make folder %s", path);
        free(path);
        if (n < 0)
            return n;
    }
    path = sr_path("%s/objects", vault->path);
    if (!path)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    n = io->sync_dir(io, path);
    if (n < 0)
        n = sr_fail_errno(-n, "cannot sync %s", path);
    free(path);
    return n;
}

static int make_tree(struct vault *vault)
{
    static const char *const folders[] = {"keys", "objects", "staging", "ledger"};
    int rc = 0;

    for (size_t i = 0; i < sizeof(folders) / sizeof(*folders) && !rc; i++)
        rc = make_folder(vault, folders[i]);
    return rc ? rc : make_object_folders(vault);
}

/* The public half of the signing key. */
static int signing_public(struct vault *vault, uint8_t public_key[SR_ED25519_PUBLIC_LEN])
{
    uint8_t seed[SR_KEY_LEN];
    int rc = keys_get_named(vault->keys, KEYS_SIGNING, seed);

    if (!rc)
        rc = sr_ed25519_public(seed, public_key);
    sr_wipe(seed, sizeof(seed));
    return rc;
}

static int start_identity(struct vault *vault, const char *agency)
{
    size_t len = strlen(agency);
    int n;

    if (len >= sizeof(vault->identity.agency) || !sr_utf8_valid(agency, len))
        return sr_fail(SR_ERR_INVALID, "the agency's name is UTF-8 of at most %zu bytes",
                       sizeof(vault->identity.agency) - 1);
    memcpy(vault->identity.agency, agency, len + 1);
    vault->identity.created_ns = vault->io->now_ns(vault->io);
    n = vault->io->random(vault->io, vault->identity.id.bytes, KEYS_VAULT_ID_LEN);
    if (n < 0)
        return sr_fail_errno(-n, "cannot draw random bytes");
    vault_identity_origin(&vault->identity);
    return 0;
}

static int write_identity(struct vault *vault)
{
    struct sr_buf text = {0};
    char *path = sr_path("%s/vault.json", vault->path);
    int rc;

    rc = path ? vault_identity_serialize(&vault->identity, &text)
              : sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (!rc)
        rc = sr_io_create_file(vault->io, path, text.data, text.len, 0644);
    sr_buf_free(&text);
    free(path);
    return rc;
}

static int open_keys_folder(struct vault *vault, const char *passphrase, uint32_t scrypt_log2n)
{
    char *dir = sr_path("%s/keys", vault->path);
    int rc;

    if (!dir)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    if (scrypt_log2n)
        rc = keys_create_with_cost(vault->io, dir, vault->identity.id.bytes, passphrase, "first",
                                   scrypt_log2n, &vault->keys);
    else
        rc = keys_open(vault->io, dir, vault->identity.id.bytes, passphrase, &vault->keys);
    free(dir);
    return rc;
}

/* vault.json comes last: without it nothing here opens. */
int vault_create_with_cost(struct sr_io *io, const char *path, const char *passphrase,
                           const char *agency, uint32_t scrypt_log2n, struct vault **out)
{
    struct vault *vault = NULL;
    int rc;

    *out = NULL;
    rc = keys_check_passphrase(passphrase);
    if (!rc)
        rc = vault_new(io, path, &vault);
    if (!rc)
        rc = start_identity(vault, agency ? agency : "");
    if (!rc)
        rc = make_root(vault);
    if (!rc)
        rc = take_lock(vault);
    if (!rc)
        rc = make_tree(vault);
    if (!rc)
        rc = open_keys_folder(vault, passphrase, scrypt_log2n);
    if (!rc)
        rc = signing_public(vault, vault->identity.public_key);
    if (!rc)
        rc = pipeline_start(vault, 0, &vault->pipeline);
    if (!rc)
        rc = write_identity(vault);
    if (rc) {
        vault_close(vault);
        return rc;
    }
    *out = vault;
    return 0;
}

int vault_create(struct sr_io *io, const char *path, const char *passphrase, const char *agency,
                 struct vault **out)
{
    return vault_create_with_cost(io, path, passphrase, agency, KEYS_DEFAULT_LOG2N, out);
}

static int check_public_key(struct vault *vault)
{
    uint8_t public_key[SR_ED25519_PUBLIC_LEN];
    int rc = signing_public(vault, public_key);

    if (!rc && memcmp(public_key, vault->identity.public_key, sizeof(public_key)) != 0)
        rc = sr_fail(SR_ERR_DAMAGED,
                     "%s/vault.json names another public key than the signing key's", vault->path);
    return rc;
}

int vault_open(struct sr_io *io, const char *path, const char *passphrase, unsigned workers,
               struct vault **out)
{
    struct vault *vault = NULL;
    int rc;

    *out = NULL;
    rc = vault_new(io, path, &vault);
    if (!rc)
        rc = vault_read_identity(io, vault->path, &vault->identity);
    if (!rc)
        rc = take_lock(vault);
    if (!rc)
        rc = open_keys_folder(vault, passphrase, 0);
    if (!rc)
        rc = check_public_key(vault);
    if (!rc)
        rc = pipeline_start(vault, workers, &vault->pipeline);
    if (rc) {
        vault_close(vault);
        return rc;
    }
    *out = vault;
    return 0;
}

const struct vault_identity *vault_identity(const struct vault *vault)
{
    return &vault->identity;
}

struct keys *vault_keys(struct vault *vault)
{
    return vault->keys;
}

struct sr_io *vault_io(struct vault *vault)
{
    return vault->io;
}

const char *vault_path(const struct vault *vault)
{
    return vault->path;
}

void vault_queue_stats(struct vault *vault, uint64_t *queued, uint64_t *peak)
{
    pipeline_stats(vault->pipeline, queued, peak);
}

int vault_space(struct vault *vault, uint64_t *free_bytes, uint64_t *total_bytes)
{
    uint64_t queued = 0, peak = 0;
    int n;

    *free_bytes = 0;
    *total_bytes = 0;
    vault_queue_stats(vault, &queued, &peak);
    n = vault->io->free_space(vault->io, vault->path, free_bytes, total_bytes);
    if (n < 0)
        return sr_fail_errno(-n, "cannot ask for the free space of %s", vault->path);
    queued += VAULT_RESERVE_BYTES;
    *free_bytes = *free_bytes > queued ? *free_bytes - queued : 0;
    return 0;
}

void vault_object_id_text(const struct vault_object_id *id, char out[2 * VAULT_OBJECT_ID_LEN + 1])
{
    sr_hex_encode(id->bytes, VAULT_OBJECT_ID_LEN, out);
}

int vault_object_id_parse(const char *text, struct vault_object_id *out)
{
    memset(out, 0, sizeof(*out));
    return sr_hex_decode(text, out->bytes, VAULT_OBJECT_ID_LEN);
}

int vault_describe_derive(const uint8_t record_key[SR_KEY_LEN], const struct vault_object_id *id,
                          uint8_t key[SR_KEY_LEN])
{
    static const char label[] = "strongroom describe v1";
    uint8_t info[sizeof(label) - 1 + VAULT_OBJECT_ID_LEN];

    memcpy(info, label, sizeof(label) - 1);
    memcpy(info + sizeof(label) - 1, id->bytes, VAULT_OBJECT_ID_LEN);
    return sr_hkdf_expand_sha384(record_key, SR_KEY_LEN, info, sizeof(info), key, SR_KEY_LEN);
}

int vault_describe_key(struct vault *vault, uint64_t key_id, const struct vault_object_id *id,
                       uint8_t key[SR_KEY_LEN])
{
    uint8_t record_key[SR_KEY_LEN];
    int rc = keys_get(vault->keys, key_id, record_key);

    if (rc)
        return rc;
    rc = vault_describe_derive(record_key, id, key);
    sr_wipe(record_key, sizeof(record_key));
    return rc;
}
