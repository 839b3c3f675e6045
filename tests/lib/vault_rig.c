#include "tests/lib/vault_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "vault/pipeline.h"

struct memfs *rig_prepare(uint64_t seed)
{
    struct memfs *fs = memfs_new(seed);
    struct vault *vault = NULL;

    if (vault_create_with_cost(memfs_io(fs), RIG_PATH, RIG_PASSPHRASE, "", 10, &vault)) {
        fprintf(stderr, "rig: %s\n", sr_error_message());
        abort();
    }
    vault_close(vault);
    return fs;
}

struct vault *rig_open(struct memfs *fs, unsigned workers, size_t budget_bytes)
{
    struct vault *vault = NULL;

    if (vault_open(memfs_io(fs), RIG_PATH, RIG_PASSPHRASE, workers, &vault))
        return NULL;
    if (budget_bytes)
        pipeline_set_budget(pipeline_of(vault), budget_bytes);
    return vault;
}

struct object_expectation rig_expect(const struct staging *staging, const struct staging_seal *seal)
{
    struct object_expectation expected = {0};

    staging_id(staging, &expected.id, &expected.key_id);
    expected.size = seal->size;
    memcpy(expected.tag_root, seal->tag_root, sizeof(seal->tag_root));
    memcpy(expected.header_sha256, seal->header_sha256, sizeof(seal->header_sha256));
    memcpy(expected.sha256, seal->sha256, sizeof(seal->sha256));
    return expected;
}

int rig_seal(struct vault *vault, struct staging *staging, struct object_expectation *expected,
             struct staging_seal *seal)
{
    int rc = staging_finalize(staging, seal);

    if (!rc) {
        *expected = rig_expect(staging, seal);
        rc = staging_link(staging);
    }
    if (!rc)
        rc = staging_sync_links(vault, &staging, 1);
    if (!rc)
        rc = staging_unlink(staging);
    if (!rc)
        rc = staging_sync_folder(vault);
    if (!rc)
        return staging_close(staging);
    staging_close(staging);
    return rc;
}

const char *rig_object_path(const struct vault_object_id *id)
{
    static _Thread_local char path[128];
    char text[2 * VAULT_OBJECT_ID_LEN + 1];

    vault_object_id_text(id, text);
    snprintf(path, sizeof(path), RIG_PATH "/objects/%.2s/%s", text, text);
    return path;
}

const char *rig_staging_path(const struct vault_object_id *id)
{
    static _Thread_local char path[128];
    char text[2 * VAULT_OBJECT_ID_LEN + 1];

    vault_object_id_text(id, text);
    snprintf(path, sizeof(path), RIG_PATH "/staging/%s", text);
    return path;
}

uint64_t rig_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}
