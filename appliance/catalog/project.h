/* Projection of one ledger entry: what the acts share. Private to appliance/catalog/.
 * One function per act (docs/entries.md), called with the lock held, inside a savepoint that is
 * rolled back when it fails; so a function may fail half-way. */
#ifndef SR_CATALOG_PROJECT_H
#define SR_CATALOG_PROJECT_H

#include "catalog/catdb.h"
#include "catalog/labels.h"

struct project {
    struct catalog *catalog;
    uint64_t index;
    int64_t time_ns;
    const json_t *entry;
    const json_t *hidden; /* the opened private part; NULL: the record key is destroyed */
};

#define PROJECT_REASON_MAX 4096 /* bytes */

typedef int project_fn(const struct project *p);

/* --- members (project_fields.c); all SR_ERR_INVALID with the member's name ------------------- */

/* 1 to max bytes, no NUL. Owned by object. */
int project_text(const json_t *object, const char *key, size_t max, const char **out);
/* As project_text, but may be empty. */
int project_text_or_empty(const json_t *object, const char *key, size_t max, const char **out);
/* A name that can stand in a folder: 1 to 255 bytes of UTF-8, no slash, not "." or "..". */
int project_name(const json_t *object, const char *key, const char **out);
int project_name_check(const char *key, const json_t *value, const char **out);
/* 0 to INT64_MAX: what SQLite holds. */
int project_u64(const json_t *object, const char *key, uint64_t *out);
int project_i64(const json_t *object, const char *key, int64_t *out);
int project_u32(const json_t *object, const char *key, uint32_t *out); /* a JSON number */
int project_bool(const json_t *object, const char *key, bool *out);
int project_hash(const json_t *object, const char *key, uint8_t out[32]);
int project_object_id(const json_t *object, const char *key, struct vault_object_id *out);
/* "YYYY-MM-DD" (base/text.h, sr_day), or "" for 0. */
int project_day(const json_t *object, const char *key, int32_t *out);
int project_array(const json_t *object, const char *key, size_t max, const json_t **out);

/* --- places (project_place.c) ---------------------------------------------------------------- */

/* (index + 1) * 256: the node that the entry makes. */
uint64_t project_new_node(const struct project *p);
/* Inserts node (its id, parent, kind, name, uid, provisional, draft, junk, moved_to are read) with
 * the next free instance of its name, and marks the parent changed. */
int project_insert(const struct project *p, const struct catalog_node *node);
/* Gives node another parent and name; draft and junk are taken from it. */
int project_move(const struct project *p, const struct catalog_node *node, uint64_t parent,
                 const char *name);
/* SR_ERR_INVALID unless the node exists and can hold others. */
int project_folder(const struct project *p, uint64_t id, struct catalog_node *out);
int project_touch(const struct project *p, uint64_t node);
/* Something below has been sealed: no folder above is provisional any longer. */
int project_confirm_above(const struct project *p, uint64_t node);
/* Takes the node, and the stubs that lead to it, out of the tree. */
int project_remove(const struct project *p, const struct catalog_node *node);

/* The record of an entry with object, key and node, which must belong together. */
int project_version_and_node(const struct project *p, struct catalog_version *version,
                             struct catalog_node *node);

/* --- classification (project_class.c) -------------------------------------------------------- */

/* Effective level and marks of the node and all below it, anew. */
int project_class_below(const struct project *p, uint64_t node);
/* What source was classified as is put on node, too: its content comes there. */
int project_class_absorb(const struct project *p, uint64_t node, const struct catalog_node *source);

/* --- cases (project_case.c) ------------------------------------------------------------------ */

/* Unit and leads of a case that the entry makes: its members unit and lead, or none and the maker. */
int project_case_owned(const struct project *p, uint64_t node, uint32_t maker);
int project_case_gone(const struct project *p, uint64_t node);

/* --- acts ------------------------------------------------------------------------------------ */

project_fn project_vault_create, project_unlock, project_shutdown, project_keys_page,
    project_slot_add, project_slot_remove, project_policy_load, project_refuse, project_alert,
    project_checkpoint_note; /* project_system.c */
project_fn project_user_add, project_user_set, project_user_disable,
    project_user_password; /* project_people.c */
project_fn project_case_assign, project_case_transfer, project_export_begin, project_export_end,
    project_disc_verify;                                              /* project_case.c */
project_fn project_classify;                                          /* project_class.c */
project_fn project_view_grant, project_view_end, project_record_view; /* project_view.c */
project_fn project_year_open, project_case_open, project_folder_make, project_folder_rename,
    project_folder_remove; /* project_place.c */
project_fn project_record_create, project_record_version, project_record_rename,
    project_record_close, project_record_reopen, project_record_discard, project_record_seal,
    project_record_incomplete, project_record_file;    /* project_record.c */
project_fn project_record_index;                       /* project_index.c */
project_fn project_record_label, project_record_enter; /* project_label.c */
project_fn project_record_archive, project_retention_set,
    project_retention_extend; /* project_archive.c */

/* --- labels (project_label.c) ---------------------------------------------------------------- */

/* Members of `labels`, an array; source CATALOG_SOURCES: each says its own, of name and media. */
int project_labels(const struct project *p, uint64_t node, const json_t *labels,
                   enum catalog_label_source source, uint32_t uid, uint64_t file);

#endif
