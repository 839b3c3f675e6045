#include "casework/texts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

struct texts {
    struct vault *vault;
    struct staging *staging;
    struct vault_object_id id;
    uint64_t key_id;
    uint64_t at; /* bytes written */
    bool sealed;
};

static void make_head(const struct vault_object_id *record, char out[TEXTS_HEAD_LEN + 1])
{
    memcpy(out, TEXTS_MAGIC, sizeof TEXTS_MAGIC - 1);
    vault_object_id_text(record, out + sizeof TEXTS_MAGIC - 1);
    out[TEXTS_HEAD_LEN - 1] = '\n';
    out[TEXTS_HEAD_LEN] = '\0';
}

int texts_begin(struct vault *vault, const struct vault_object_id *record, struct texts **out)
{
    char head[TEXTS_HEAD_LEN + 1];
    struct texts *text = calloc(1, sizeof *text);
    *out = NULL;
    if (text == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for an extracted text");
    text->vault = vault;
    int status = staging_create(vault, &text->staging);
    if (status < 0) {
        free(text);
        return status;
    }
    staging_id(text->staging, &text->id, &text->key_id);
    make_head(record, head);
    if ((status = staging_write(text->staging, 0, head, TEXTS_HEAD_LEN)) < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        texts_end(text, false);
        return sr_error_raise(&why);
    }
    text->at = TEXTS_HEAD_LEN;
    *out = text;
    return 0;
}

int texts_add(struct texts *text, const char *data, size_t len)
{
    if (len > TEXTS_HEAD_LEN + TEXTS_MAX - text->at)
        return sr_fail(SR_ERR_TOO_LARGE, "an extracted text is over %u bytes", TEXTS_MAX);
    int status = staging_write(text->staging, text->at, data, len);
    if (status == 0)
        text->at += len;
    return status;
}

int texts_seal(struct texts *text, struct object_expectation *out)
{
    struct staging_seal seal = {.size = 0};
    int status = staging_sync(text->staging);
    if (status < 0 || (status = staging_finalize(text->staging, &seal)) < 0)
        return status;
    free(seal.holes);
    text->sealed = true;
    if ((status = staging_link(text->staging)) < 0 ||
        (status = staging_sync_links(text->vault, &text->staging, 1)) < 0)
        return status;
    *out = (struct object_expectation){.id = text->id, .key_id = text->key_id, .size = seal.size};
    memcpy(out->tag_root, seal.tag_root, sizeof out->tag_root);
    memcpy(out->header_sha256, seal.header_sha256, sizeof out->header_sha256);
    memcpy(out->sha256, seal.sha256, sizeof out->sha256);
    return 0;
}

/* objects/xx/ID of a text that no entry names; never immutable yet. */
static int unlink_object(struct vault *vault, const struct vault_object_id *id)
{
    struct sr_io *io = vault_io(vault);
    char name[2 * VAULT_OBJECT_ID_LEN + 1];
    vault_object_id_text(id, name);
    char *folder = sr_path("%s/objects/%.2s", vault_path(vault), name);
    char *path = sr_path("%s/objects/%.2s/%s", vault_path(vault), name, name);
    int status = 0, rc = 0;
    if (folder == NULL || path == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a path");
    else if ((rc = io->unlink(io, path)) == 0)
        rc = io->sync_dir(io, folder);
    else if (rc == -ENOENT)
        rc = 0;
    if (status == 0 && rc < 0)
        status = sr_fail_errno(-rc, "%s cannot be removed", path);
    free(folder);
    free(path);
    return status;
}

static void finish(struct texts *text)
{
    if (staging_unlink(text->staging) < 0 || staging_sync_folder(text->vault) < 0)
        sr_log_failure("a staging name could not be removed; the next start removes it");
    else if (object_set_immutable(text->vault, &text->id) < 0)
        sr_log_failure("an object could not be made immutable");
}

void texts_end(struct texts *text, bool kept)
{
    if (text == NULL)
        return;
    if (kept) {
        finish(text);
    } else if (staging_discard(text->staging) < 0 ||
               (text->sealed && unlink_object(text->vault, &text->id) < 0)) {
        sr_log_failure("an extracted text that is not wanted could not be removed");
    }
    if (staging_close(text->staging) < 0)
        sr_log_failure("closing an extracted text");
    free(text);
}

int texts_read(struct vault *vault, const struct object_expectation *expected,
               const struct vault_object_id *record, char **data, size_t *len)
{
    char head[TEXTS_HEAD_LEN + 1];
    struct object *object = NULL;
    size_t got = 0;
    *data = NULL;
    *len = 0;
    if (expected->size < TEXTS_HEAD_LEN || expected->size > TEXTS_HEAD_LEN + TEXTS_MAX)
        return sr_fail(SR_ERR_DAMAGED, "an extracted text has a size that none can have");
    int status = object_open(vault, expected, &object);
    if (status < 0)
        return status;
    char *all = malloc(expected->size + 1);
    if (all == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for an extracted text");
    else if ((status = object_read(object, 0, all, expected->size, &got)) == 0) {
        make_head(record, head);
        if (got != expected->size || memcmp(all, head, TEXTS_HEAD_LEN) != 0)
            status = sr_fail(SR_ERR_DAMAGED, "an object is not the text of the record that it is "
                                             "said to be");
    }
    object_close(object);
    if (status < 0) {
        free(all);
        return status;
    }
    *len = got - TEXTS_HEAD_LEN;
    memmove(all, all + TEXTS_HEAD_LEN, *len);
    all[*len] = '\0';
    *data = all;
    return 0;
}

bool texts_is_left(struct vault *vault, const struct vault_object_id *id)
{
    char head[sizeof TEXTS_MAGIC - 1];
    struct staging *staging;
    size_t got = 0;
    if (staging_open(vault, id, &staging) < 0)
        return false;
    bool is = staging_read(staging, 0, head, sizeof head, &got) == 0 && got == sizeof head &&
              memcmp(head, TEXTS_MAGIC, sizeof head) == 0;
    if (staging_close(staging) < 0)
        sr_log_failure("closing what was left of an extracted text");
    return is;
}

int texts_remove_left(struct vault *vault, const struct vault_object_id *id)
{
    int status = unlink_object(vault, id);
    return status < 0 ? status : staging_remove(vault, id);
}
