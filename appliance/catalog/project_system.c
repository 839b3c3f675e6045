/* Acts that make no place: the vault's life, key files, policy, refusals, alerts. */
#include "catalog/project.h"

#include <string.h>

#include "base/error.h"

#define FILES_MAX 256 /* of one policy */
#define SLOT_TEXT_MAX 64

static int check_texts(const struct project *p, const char *const *keys, size_t count, size_t max)
{
    const char *text;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++)
        rc = project_text_or_empty(p->entry, keys[i], max, &text);
    return rc;
}

int project_vault_create(const struct project *p)
{
    static const char *const keys[] = {"vault", "origin", "agency"};
    int rc = check_texts(p, keys, sizeof(keys) / sizeof(keys[0]), 255);

    return rc < 0 ? rc : catdb_run_int(p->catalog, CATDB_FIXED_DATE, p->time_ns);
}

int project_unlock(const struct project *p)
{
    const char *slot;

    return project_text(p->entry, "slot", SLOT_TEXT_MAX, &slot);
}

int project_shutdown(const struct project *p)
{
    (void)p;
    return 0;
}

int project_checkpoint_note(const struct project *p)
{
    uint8_t hash[32];
    uint64_t size;
    int rc = project_u64(p->entry, "size", &size);

    return rc < 0 ? rc : project_hash(p->entry, "sha256", hash);
}

int project_keys_page(const struct project *p)
{
    sqlite3_stmt *statement;
    uint32_t page, generation;
    uint8_t hash[32];
    int rc;

    if ((rc = project_u32(p->entry, "page", &page)) < 0 ||
        (rc = project_u32(p->entry, "generation", &generation)) < 0 ||
        (rc = project_hash(p->entry, "sha256", hash)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_PAGE_SET);
    catdb_bind_int(statement, 1, page);
    catdb_bind_int(statement, 2, generation);
    catdb_bind_blob(statement, 3, hash, sizeof(hash));
    catdb_bind_int(statement, 4, (int64_t)p->index);
    return catdb_run(p->catalog, statement);
}

int project_slot_add(const struct project *p)
{
    sqlite3_stmt *statement;
    const char *slot, *label;
    uint8_t hash[32];
    int rc;

    if ((rc = project_text(p->entry, "slot", SLOT_TEXT_MAX, &slot)) < 0 ||
        (rc = project_text_or_empty(p->entry, "label", 255, &label)) < 0 ||
        (rc = project_hash(p->entry, "sha256", hash)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_SLOT_SET);
    catdb_bind_text(statement, 1, slot);
    catdb_bind_text(statement, 2, label);
    catdb_bind_blob(statement, 3, hash, sizeof(hash));
    catdb_bind_int(statement, 4, (int64_t)p->index);
    return catdb_run(p->catalog, statement);
}

int project_slot_remove(const struct project *p)
{
    sqlite3_stmt *statement;
    const char *slot, *label;
    int rc;

    if ((rc = project_text(p->entry, "slot", SLOT_TEXT_MAX, &slot)) < 0 ||
        (rc = project_text_or_empty(p->entry, "label", 255, &label)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_SLOT_DELETE);
    catdb_bind_text(statement, 1, slot);
    rc = catdb_run(p->catalog, statement);
    if (rc == 0 && sqlite3_changes(p->catalog->db) == 0)
        rc = sr_fail(SR_ERR_INVALID, "the slot does not exist");
    return rc;
}

int project_policy_load(const struct project *p)
{
    const json_t *files;
    uint32_t uid;
    int rc;

    if ((rc = project_u32(p->entry, "uid", &uid)) < 0 ||
        (rc = project_array(p->entry, "files", FILES_MAX, &files)) < 0 ||
        (rc = catdb_run(p->catalog, catdb_use(p->catalog, CATDB_POLICY_CLEAR))) < 0)
        return rc;
    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *item = json_array_get(files, i);
        sqlite3_stmt *statement;
        const char *file;
        uint8_t hash[32];

        if ((rc = project_text(item, "file", 255, &file)) < 0 ||
            (rc = project_hash(item, "sha256", hash)) < 0)
            return rc;
        statement = catdb_use(p->catalog, CATDB_POLICY_ADD);
        catdb_bind_text(statement, 1, file);
        catdb_bind_blob(statement, 2, hash, sizeof(hash));
        catdb_bind_int(statement, 3, (int64_t)p->index);
        if ((rc = catdb_run(p->catalog, statement)) < 0)
            return rc;
    }
    return 0;
}

int project_refuse(const struct project *p)
{
    struct catalog_refusal r = {.index = p->index};
    const char *op, *reason, *client, *name = "";
    sqlite3_stmt *statement;
    int rc;

    if ((rc = project_u32(p->entry, "uid", &r.uid)) < 0 ||
        (rc = project_text(p->entry, "op", sizeof(r.op) - 1, &op)) < 0 ||
        (rc = project_text(p->entry, "reason", sizeof(r.reason) - 1, &reason)) < 0 ||
        (rc = project_text_or_empty(p->entry, "client", sizeof(r.client) - 1, &client)) < 0 ||
        (rc = project_u64(p->entry, "count", &r.count)) < 0 ||
        (rc = project_i64(p->entry, "until", &r.last_ns)) < 0)
        return rc;
    if (json_object_get(p->entry, "node") != NULL &&
        (rc = project_u64(p->entry, "node", &r.node)) < 0)
        return rc;
    /* The name that was refused: it may be longer than any name, or not fit for one. */
    if (json_object_get(p->entry, "name") != NULL &&
        (rc = project_text_or_empty(p->entry, "name", 4096, &name)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_REFUSAL_ADD);
    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_int(statement, 2, r.uid);
    catdb_bind_text(statement, 3, op);
    catdb_bind_text(statement, 4, reason);
    catdb_bind_int(statement, 5, (int64_t)r.node);
    catdb_bind_text(statement, 6, name);
    catdb_bind_text(statement, 7, client);
    catdb_bind_int(statement, 8, (int64_t)r.count);
    catdb_bind_int(statement, 9, p->time_ns);
    catdb_bind_int(statement, 10, r.last_ns);
    if ((rc = catdb_run(p->catalog, statement)) < 0)
        return rc;
    p->catalog->counts.refusals++;
    return 0;
}

int project_alert(const struct project *p)
{
    const char *kind, *detail, *object = NULL;
    sqlite3_stmt *statement;
    int rc;

    if ((rc = project_text(p->entry, "kind", 64, &kind)) < 0 ||
        (rc = project_text_or_empty(p->entry, "detail", 65535, &detail)) < 0)
        return rc;
    if (json_object_get(p->entry, "object") != NULL &&
        (rc = project_text(p->entry, "object", 64, &object)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_ALERT_ADD);
    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_text(statement, 2, kind);
    catdb_bind_text(statement, 3, object);
    catdb_bind_text(statement, 4, detail);
    catdb_bind_int(statement, 5, p->time_ns);
    if ((rc = catdb_run(p->catalog, statement)) < 0)
        return rc;
    p->catalog->counts.alerts++;
    return 0;
}
