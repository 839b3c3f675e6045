/* The catalog: a SQLite view projected from the ledger (docs/entries.md). Deleting it loses nothing.
 * In memory here; the index issue makes it a file. The only caller of SQLite. Thread-safe (one lock).
 *
 * Projection takes each entry with its private part already opened: the member "private" is a JSON
 * object, or absent when the record key is destroyed. */
#ifndef SR_CATALOG_CATALOG_H
#define SR_CATALOG_CATALOG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vault/vault.h"

#define CATALOG_NAME_MAX 255
#define CATALOG_ROLES_MAX 16

enum catalog_fixed_node { /* docs/entries.md, node ids */
                          CATALOG_ROOT = 1,
                          CATALOG_NOTICE = 2,     /* 提示.txt */
                          CATALOG_RECEIPTS = 3,   /* 入库回执.csv */
                          CATALOG_UNFILED = 4,    /* 待归案 */
                          CATALOG_MINE = 5,       /* 我的案件 */
                          CATALOG_BY_SUBJECT = 6, /* 按对象 */
                          CATALOG_BY_DAY = 7,     /* 按日期 */
                          CATALOG_FIXED_LAST = 255,
};

enum catalog_level {                       /* 密级; in entries the number */
                     CATALOG_PUBLIC,       /* 公开 */
                     CATALOG_INTERNAL,     /* 内部 */
                     CATALOG_CONFIDENTIAL, /* 秘密 */
                     CATALOG_SECRET,       /* 机密 */
                     CATALOG_TOP_SECRET,   /* 绝密 */
                     CATALOG_LEVELS
};
/* Marks beside the level: bits, and the words of docs/entries.md in the bits' order. */
enum catalog_mark {
    CATALOG_MARK_WORK_SECRET = 1,  /* 工作秘密 */
    CATALOG_MARK_TRADE_SECRET = 2, /* 商业秘密 */
    CATALOG_MARK_PRIVACY = 4,      /* 个人隐私 */
    CATALOG_MARK_COVERT = 8,       /* 隐蔽录音录像: has an approver */
};
#define CATALOG_MARKS 4
extern const char *const catalog_mark_words[CATALOG_MARKS];
#define CATALOG_LEVEL_DEFAULT CATALOG_PUBLIC /* of what nobody has classified */

enum catalog_kind {
    CATALOG_KIND_ROOT,
    CATALOG_KIND_VIRTUAL, /* notice, receipts */
    CATALOG_KIND_UNFILED_ROOT,
    CATALOG_KIND_UNFILED_USER,
    CATALOG_KIND_UNFILED_DATE,
    CATALOG_KIND_YEAR,
    CATALOG_KIND_CASE,
    CATALOG_KIND_STAGE,
    CATALOG_KIND_DRAFTS,
    CATALOG_KIND_FOLDER, /* below a stage, drafts or a date */
    CATALOG_KIND_RECORD,
    CATALOG_KIND_STUB, /* "moved to …" */
    CATALOG_KIND_MINE,
    CATALOG_KIND_LINK,     /* in 我的案件, 按对象, 按日期; stands in no table */
    CATALOG_KIND_GATHER,   /* 按对象, 按日期 */
    CATALOG_KIND_GATHERED, /* a folder in one of them; stands in no table */
};

/* "record", "unfiled_user", …: the word of the access rules and of --json. */
const char *catalog_kind_word(enum catalog_kind kind);

enum catalog_state { /* of a record's current version, and of versions */
                     CATALOG_STAGING,
                     CATALOG_SEALED,
                     CATALOG_INCOMPLETE,
                     CATALOG_SUPERSEDED,
};

struct catalog_version {
    struct vault_object_id object;
    uint64_t key_id;
    uint64_t node;
    enum catalog_state state;
    bool closed;            /* staging: record.close seen and no reopen after */
    bool pending_supersede; /* staging, but no longer current: to be sealed as superseded */
    bool marked;            /* incomplete by a person's mark, not by its content */
    bool salvaged;
    bool empty;
    uint64_t size; /* staging: as of the last close */
    int64_t mtime_ns;
    uint8_t sha256[32], tag_root[32], header_sha256[32]; /* sealed only */
    uint64_t hole_count;
    uint64_t create_index; /* ledger index of record.create or record.version */
    uint64_t seal_index;   /* ledger index, sealed only */
    int64_t sealed_ns;
    uint32_t uid; /* who made it */
    char client[64];
};

struct catalog_node {
    uint64_t id;
    uint64_t parent;
    enum catalog_kind kind;
    char name[CATALOG_NAME_MAX + 1];
    uint32_t
        instance; /* 0, or n for the n-th record of one name (catalog key: parent, name, instance) */
    uint32_t uid; /* maker */
    int64_t created_ns;
    int64_t changed_ns;             /* last act on it: ctime */
    bool provisional;               /* case or folder: nothing sealed below yet */
    bool draft, junk;               /* record */
    uint64_t moved_to;              /* stub: node of the record; link: what it leads to */
    uint32_t level, marks;          /* effective: highest level, all marks, of it and all above */
    uint32_t own_level, own_marks;  /* given to this node itself */
    int32_t own_until;              /* sr_day: 保密期限; 0: none */
    struct catalog_version version; /* record: the current one */
};

#define CATALOG_STAMP_MAX 63

struct catalog_user {
    uint32_t uid;
    char account[64];
    char name[128];
    char roles[CATALOG_ROLES_MAX][24];
    size_t role_count;
    char unit[128];                  /* 所属机构; "": none */
    uint32_t clearance;              /* enum catalog_level */
    char badge[64];                  /* 执法证件号; "": none */
    int32_t badge_from, badge_until; /* sr_day: first and last day it is valid; 0: no such limit */
    bool disabled;                   /* for ever: the uid is not given out again */
    /* "": their password is their own. Otherwise when the one was set that they were given, in the words of
     * Samba: they must change it before anything else. */
    char first_password[CATALOG_STAMP_MAX + 1];
};

#define CATALOG_LEADS_MAX 16
#define CATALOG_HELPERS_MAX 64

struct catalog_case { /* who a case belongs to */
    uint64_t node;
    char unit[128];                   /* "": none */
    uint32_t lead[CATALOG_LEADS_MAX]; /* 承办人, at least one */
    size_t lead_count;
    uint32_t helpers[CATALOG_HELPERS_MAX]; /* 协办人 */
    size_t helper_count;
};

struct catalog_refusal {
    uint64_t index;
    uint32_t uid;
    char op[24], reason[24];
    uint64_t node; /* 0: none */
    char name[CATALOG_NAME_MAX + 1];
    char client[64];
    uint64_t count;
    int64_t first_ns, last_ns;
};

#define CATALOG_PURPOSE_MAX 512 /* bytes of a 查看事由 */

struct catalog_grant { /* somebody may read what is restricted, at node and all below it */
    uint64_t index;    /* of the ledger: how it is named */
    uint64_t node;
    uint32_t uid, by; /* by == uid: a purpose stated by the reader */
    int64_t made_ns, until_ns;
    bool ended;                            /* before its time */
    char purpose[CATALOG_PURPOSE_MAX + 1]; /* "": the record's key is destroyed */
};

#define CATALOG_VIEW_RANGES 64

struct
    catalog_view { /* one person's readings of one restricted record on one day, or more of them */
    uint64_t index, node;
    uint32_t uid;
    char client[64];
    uint64_t grant;
    int32_t day; /* sr_day */
    uint64_t opens;
    int64_t first_ns, last_ns;
    bool coarse; /* the ranges hold more than was read: they would have been too many */
    size_t range_count;
    struct {
        uint64_t start, end;
    } ranges[CATALOG_VIEW_RANGES];
};

struct catalog_counts {
    uint64_t entries, cases, records, staging, sealed, incomplete, superseded, refusals, users,
        alerts;
};

struct catalog;

int catalog_open_memory(struct catalog **out);
void catalog_close(struct catalog *catalog); /* NULL ok */

/* Idempotent by index: an index seen before changes nothing. SR_ERR_INVALID for an entry that the
 * schema does not know or that refers to what does not exist; the catalog is unchanged then. */
int catalog_project(struct catalog *catalog, uint64_t index, const json_t *entry);

/* The same for an entry that is only about to be appended: confirm is called once the entry has proved
 * to fit, and appends it; when it fails the catalog is as before. So nothing that the catalog would
 * refuse ever comes into the ledger. confirm must not call the catalog. */
typedef int catalog_confirm_fn(void *context);
int catalog_project_if(struct catalog *catalog, uint64_t index, const json_t *entry,
                       catalog_confirm_fn *confirm, void *context);

/* What remains to be known of content that was discarded: its file in staging/ may go, and its key is
 * not given out again. */
int catalog_is_discarded(struct catalog *catalog, const struct vault_object_id *id, bool *out);
/* Calls fn for the key id of every discarded version, in no order. */
typedef int catalog_key_fn(void *context, uint64_t key_id);
int catalog_discarded_keys(struct catalog *catalog, catalog_key_fn *fn, void *context);

typedef int catalog_node_fn(void *context, const struct catalog_node *node);
typedef int catalog_id_fn(void *context, uint64_t node); /* likewise */
/* SR_ERR_NOT_FOUND. Of several of one name the first instance that is no stub, or the first stub. */
int catalog_lookup(struct catalog *catalog, uint64_t parent, const char *name,
                   struct catalog_node *out);
/* All of that name, by instance; a non-zero return of fn stops and is returned. fn must not call the
 * catalog. */
int catalog_named(struct catalog *catalog, uint64_t parent, const char *name, catalog_node_fn *fn,
                  void *context);
/* The same of siblings whose folded name (sr_name_fold) equals that of name but whose name differs, in
 * the order of their ids. SR_ERR_NAME_ENCODING. */
int catalog_twins(struct catalog *catalog, uint64_t parent, const char *name, catalog_node_fn *fn,
                  void *context);
int catalog_get(struct catalog *catalog, uint64_t node, struct catalog_node *out);
/* Children with id > after in id order; a non-zero return of fn stops and is returned. fn must not
 * call the catalog. */
int catalog_children(struct catalog *catalog, uint64_t parent, uint64_t after, catalog_node_fn *fn,
                     void *context);
/* "/2026/示例〔2026〕1号/02调查取证/a.mp4"; fresh string, free() it. *plain (may be NULL): nothing in it is a
 * stub or one of several of its name. */
int catalog_path(struct catalog *catalog, uint64_t node, char **out, bool *plain);
/* True when the folder or anything below it holds a sealed (incomplete, superseded) record. */
int catalog_has_sealed(struct catalog *catalog, uint64_t node, bool *out);
int catalog_is_empty(struct catalog *catalog, uint64_t node, bool *out);
/* The case a node lies in; SR_ERR_NOT_FOUND outside of cases. */
int catalog_case_of(struct catalog *catalog, uint64_t node, struct catalog_node *out);

/* Who approved the node's own CATALOG_MARK_COVERT; "" when nobody did, or the record's key is
 * destroyed. */
int catalog_approver(struct catalog *catalog, uint64_t node, char out[128]);

typedef int catalog_version_fn(void *context, const struct catalog_version *version);
int catalog_versions(struct catalog *catalog, uint64_t node, catalog_version_fn *fn,
                     void *context); /* oldest first */
int catalog_each_version(struct catalog *catalog, catalog_version_fn *fn,
                         void *context); /* all, by create index */
int catalog_object(struct catalog *catalog, const struct vault_object_id *id,
                   struct catalog_version *out);

/* Records (and cases) whose name contains every word of text; words of one or two Chinese characters
 * are found (own unigram+bigram FTS5 tokenizer). Newest first. */
int catalog_search(struct catalog *catalog, const char *text, size_t limit, catalog_node_fn *fn,
                   void *context);
/* Sealed records with this plaintext hash, oldest first. */
int catalog_same_content(struct catalog *catalog, const uint8_t sha256[32], catalog_node_fn *fn,
                         void *context);
/* Everything that uid sent, newest first, for receipts: each node with that version (not the current
 * one) in its version member; one that is not current shows as CATALOG_SUPERSEDED once sealed. */
int catalog_records_of(struct catalog *catalog, uint32_t uid, size_t limit, catalog_node_fn *fn,
                       void *context);

int catalog_user(struct catalog *catalog, uint32_t uid, struct catalog_user *out);
int catalog_user_by_account(struct catalog *catalog, const char *account, struct catalog_user *out);
typedef int catalog_user_fn(void *context, const struct catalog_user *user);
int catalog_users(struct catalog *catalog, catalog_user_fn *fn, void *context);

/* SR_ERR_NOT_FOUND for what is no case. A case opened before these were recorded has no unit, and
 * its maker as lead. */
int catalog_case(struct catalog *catalog, uint64_t node, struct catalog_case *out);
/* Leads, then helpers, each in the order given; a non-zero return of fn stops and is returned. */
typedef int catalog_person_fn(void *context, uint32_t uid, bool lead);
int catalog_case_people(struct catalog *catalog, uint64_t case_node, catalog_person_fn *fn,
                        void *context);
/* The cases in which uid is lead or helper, oldest first. */
int catalog_cases_of(struct catalog *catalog, uint32_t uid, catalog_node_fn *fn, void *context);

/* Newest first. */
typedef int catalog_refusal_fn(void *context, const struct catalog_refusal *refusal);
int catalog_refusals(struct catalog *catalog, uint32_t uid, size_t limit, catalog_refusal_fn *fn,
                     void *context);

/* SR_ERR_NOT_FOUND. */
int catalog_grant(struct catalog *catalog, uint64_t index, struct catalog_grant *out);
/* What lets uid read what is restricted at node: given for it or the nearest folder above, not ended, and
 * good after now_ns; of several the one that lasts longest. SR_ERR_NOT_FOUND. */
int catalog_grant_over(struct catalog *catalog, uint32_t uid, uint64_t node, int64_t now_ns,
                       struct catalog_grant *out);
/* All there ever were, oldest first; a non-zero return of fn stops and is returned. */
typedef int catalog_grant_fn(void *context, const struct catalog_grant *grant);
int catalog_grants(struct catalog *catalog, catalog_grant_fn *fn, void *context);
/* Readings of one restricted record, oldest first. fn must not call the catalog. */
typedef int catalog_view_fn(void *context, const struct catalog_view *view);
int catalog_views(struct catalog *catalog, uint64_t node, catalog_view_fn *fn, void *context);

/* What the ledger says of the key files: 0 when file hash equals, SR_ERR_DAMAGED when it differs,
 * SR_ERR_NOT_FOUND when the ledger knows no such (or no longer such) page or slot. */
int catalog_check_page(struct catalog *catalog, uint32_t page, const uint8_t sha256[32]);
int catalog_check_slot(struct catalog *catalog, const char *slot_hex, const uint8_t sha256[32]);

int catalog_counts(struct catalog *catalog, struct catalog_counts *out);

#endif
