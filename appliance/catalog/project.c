#include "catalog/project.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "catalog/names.h"

#define BATCH \
    16384 /* projections per transaction, when nobody commits; nodes are indexed once for all of them */
#define INDEX_MAX ((UINT64_C(1) << 54) - 2) /* node ids are below 2^62 */

/* docs/entries.md, in its order. */
static const struct {
    const char *act;
    project_fn *fn;
} acts[] = {
    {"vault.create", project_vault_create},
    {"unlock", project_unlock},
    {"shutdown", project_shutdown},
    {"keys.page", project_keys_page},
    {"slot.add", project_slot_add},
    {"slot.remove", project_slot_remove},
    {"policy.load", project_policy_load},
    {"user.add", project_user_add},
    {"user.set", project_user_set},
    {"user.password", project_user_password},
    {"user.disable", project_user_disable},
    {"year.open", project_year_open},
    {"case.open", project_case_open},
    {"case.assign", project_case_assign},
    {"case.transfer", project_case_transfer},
    {"folder.make", project_folder_make},
    {"folder.rename", project_folder_rename},
    {"folder.remove", project_folder_remove},
    {"classify", project_classify},
    {"record.create", project_record_create},
    {"record.version", project_record_version},
    {"record.rename", project_record_rename},
    {"record.close", project_record_close},
    {"record.reopen", project_record_reopen},
    {"record.discard", project_record_discard},
    {"record.seal", project_record_seal},
    {"record.incomplete", project_record_incomplete},
    {"record.file", project_record_file},
    {"record.index", project_record_index},
    {"record.label", project_record_label},
    {"record.enter", project_record_enter},
    {"record.archive", project_record_archive},
    {"retention.set", project_retention_set},
    {"retention.extend", project_retention_extend},
    {"record.view", project_record_view},
    {"view.grant", project_view_grant},
    {"view.end", project_view_end},
    {"export.begin", project_export_begin},
    {"export.end", project_export_end},
    {"disc.verify", project_disc_verify},
    {"refuse", project_refuse},
    {"alert", project_alert},
    {"checkpoint.note", project_checkpoint_note},
};

static int apply(struct catalog *catalog, uint64_t index, const json_t *entry)
{
    struct project p = {.catalog = catalog, .index = index, .entry = entry};
    const char *act;
    uint32_t version;
    int rc;

    if (!json_is_object(entry))
        return sr_fail(SR_ERR_INVALID, "not an object");
    if ((rc = project_u32(entry, "v", &version)) < 0 ||
        (rc = project_text(entry, "act", 64, &act)) < 0 ||
        (rc = project_i64(entry, "time", &p.time_ns)) < 0)
        return rc;
    if (version != 1)
        return sr_fail(SR_ERR_INVALID, "version %u is not known: a newer program wrote it?",
                       (unsigned)version);
    p.hidden = json_object_get(entry, "private");
    if (p.hidden != NULL && !json_is_object(p.hidden))
        return sr_fail(SR_ERR_INVALID, "member private is not opened");
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        if (strcmp(acts[i].act, act) == 0)
            return acts[i].fn(&p);
    return sr_fail(SR_ERR_INVALID, "act is not known");
}

static int is_applied(struct catalog *catalog, uint64_t index, bool *out)
{
    sqlite3_stmt *statement;
    int rc = 0;

    *out = index < catalog->low;
    if (*out || catalog->applied_count == 0)
        return 0;
    statement = catdb_use(catalog, CATDB_APPLIED_HAS);
    catdb_bind_int(statement, 1, (int64_t)index);
    rc = catdb_next(catalog, statement);
    catdb_end(statement);
    *out = rc > 0;
    return rc < 0 ? rc : 0;
}

/* Raises low over index and over what was applied ahead of it. low and applied_count are set by the
 * caller, once the savepoint is released. */
static int mark_applied(struct catalog *catalog, uint64_t index, uint64_t *low, uint64_t *count)
{
    int rc = 0;

    *low = catalog->low;
    *count = catalog->applied_count;
    if (index != *low) {
        (*count)++;
        return catdb_run_int(catalog, CATDB_APPLIED_ADD, (int64_t)index);
    }
    (*low)++;
    while (*count > 0) {
        if ((rc = catdb_run_int(catalog, CATDB_APPLIED_DROP, (int64_t)*low)) < 0)
            return rc;
        if (sqlite3_changes(catalog->db) == 0)
            break;
        (*low)++;
        (*count)--;
    }
    return 0;
}

/* "entry 12: why" as this thread's sentence; acts say only why. */
static int fail_entry(uint64_t index, const json_t *entry, int rc)
{
    struct sr_error_copy copy;
    const char *act = json_string_value(json_object_get(entry, "act"));

    if (rc != SR_ERR_INVALID) /* of the machine, not of the entry */
        return rc;
    sr_error_save(&copy, rc);
    return sr_fail(rc, "catalog: entry %llu (%.32s): %s", (unsigned long long)index,
                   act != NULL ? act : "no act", copy.message);
}

/* The savepoint of an entry that failed with rc, which is returned. */
static int undo(struct catalog *catalog, int rc)
{
    struct sr_error_copy copy;

    sr_error_save(&copy, rc);
    if (catalog->bulk) {
        if (catalog->broken[0] == '\0')
            snprintf(catalog->broken, sizeof(catalog->broken), "the catalog was not made whole");
        return sr_error_raise(&copy);
    }
    catdb_forget(catalog);
    catdb_run(catalog, catdb_use(catalog, CATDB_ROLLBACK_TO));
    catdb_run(catalog, catdb_use(catalog, CATDB_RELEASE));
    return sr_error_raise(&copy);
}

static int project_locked(struct catalog *catalog, uint64_t index, const json_t *entry,
                          catalog_confirm_fn *confirm, void *context)
{
    struct catalog_counts counts = catalog->counts;
    uint64_t low = 0, count = 0;
    int rc;

    if ((rc = catdb_begin(catalog)) < 0 ||
        (!catalog->bulk && (rc = catdb_run(catalog, catdb_use(catalog, CATDB_SAVEPOINT))) < 0))
        return rc;
    rc = apply(catalog, index, entry);
    if (rc == 0)
        rc = mark_applied(catalog, index, &low, &count);
    if (rc < 0)
        rc = fail_entry(index, entry, rc);
    else if (confirm != NULL)
        rc = confirm(context);
    if (rc < 0) {
        catalog->counts = counts;
        return undo(catalog, rc);
    }
    if (!catalog->bulk && (rc = catdb_run(catalog, catdb_use(catalog, CATDB_RELEASE))) < 0)
        return rc;
    catalog->low = low;
    catalog->applied_count = count;
    if (index >= catalog->high) {
        const char *salt = json_string_value(json_object_get(entry, "salt"));
        catalog->high = index + 1;
        snprintf(catalog->salt, sizeof(catalog->salt), "%s", salt != NULL ? salt : "");
    }
    if (++catalog->pending < BATCH)
        return 0;
    catalog->pending = 0;
    if (catalog->bulk) /* one transaction is all there is */
        return names_flush(catalog);
    if (names_flush(catalog) == 0) /* what fails here is tried again by the next batch or search */
        catdb_commit(catalog);
    return 0;
}

int catalog_project(struct catalog *catalog, uint64_t index, const json_t *entry)
{
    bool applied;
    int rc;

    if (index > INDEX_MAX)
        return sr_fail(SR_ERR_INVALID, "catalog: entry index out of range");
    catdb_lock(catalog);
    rc = is_applied(catalog, index, &applied);
    if (rc == 0 && !applied)
        rc = project_locked(catalog, index, entry, NULL, NULL);
    catdb_unlock(catalog);
    return rc;
}

int catalog_project_if(struct catalog *catalog, uint64_t index, const json_t *entry,
                       catalog_confirm_fn *confirm, void *context)
{
    int rc;

    if (index > INDEX_MAX)
        return sr_fail(SR_ERR_INVALID, "catalog: entry index out of range");
    catdb_lock(catalog);
    rc = project_locked(catalog, index, entry, confirm, context);
    catdb_unlock(catalog);
    return rc;
}
