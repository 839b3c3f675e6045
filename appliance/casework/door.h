/* The door: the one way in which anything changes. Every act takes the same four steps:
 * authorise (authorise.h) -> validate (place, name, state) -> append (ledger) -> project (catalog).
 *
 * Who calls: fusefs for the mount, the control socket for the tool, the daemon for itself. A refused
 * call has already been recorded (ledger `refuse`, folded; 提示.txt) when it returns.
 *
 * Content calls (read, write, flush, sync) take the lock of one record only; all others take the
 * door's lock. All functions are thread-safe. */
#ifndef SR_CASEWORK_DOOR_H
#define SR_CASEWORK_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "casework/describer.h"
#include "catalog/catalog.h"
#include "catalog/labels.h"
#include "ledger/ledger.h"
#include "vault/vault.h"

struct door;
struct door_file; /* an open file of one opener */

struct door_actor {
    uint32_t uid;
    int32_t thread_id; /* of the calling thread, for the client address; 0: none */
    bool tool;         /* through the control socket */
    char client
        [64]; /* address if already known, "" otherwise: looked up from thread_id when recorded */
};

struct door_config {
    struct vault *vault;   /* open; the door does not close it */
    struct ledger *ledger; /* open */
    const char
        *policy_dir;    /* NULL: the built-in default is an error, there must be a policy folder */
    int64_t settle_ns;  /* < 0: from policy (workflow.yaml: settle_seconds) */
    uint32_t first_uid; /* uids for new accounts start here (20000) */
    bool manage_accounts; /* false in tests: user add makes the ledger entry only */
    const char *smb_conf; /* for smbpasswd; NULL: no Samba accounts */
    unsigned ready_files; /* new files kept ready while many are created (staging_keep_ready) */
    /* Looks into what was sealed (describer.h). NULL: nobody does, and the queue waits. */
    describer_fn *describe;
    void *describe_context;
    /* Called (from any thread, without the door's lock) when what the kernel cached is no longer
     * true: entry when name != NULL, otherwise attributes and pages of node. May be NULL. */
    void (*invalidate)(void *context, uint64_t node, uint64_t parent, const char *name);
    void *invalidate_context;
};

struct door_salvage { /* what start-up found */
    uint64_t entries, closed_waiting, incomplete, seals_finished, orphans_kept, discarded, damaged;
};

/* Projects the ledger, loads the policy, salvages staging/ (docs/architecture.md, "Salvage"),
 * appends `unlock` and starts the sealing threads. */
int door_start(const struct door_config *config, struct door_salvage *salvage, struct door **out);
/* Refuses new acts, waits until every open file is released (the mount releases its own), appends
 * `shutdown`. Unsealed records stay in staging. NULL ok. */
void door_stop(struct door *door);

struct catalog *door_catalog(struct door *door);

/* --- the tree ------------------------------------------------------------------------------- */

/* Attributes as shown: catalog_node with the live size and mtime of what is unsealed. Virtual files
 * and stubs have their exact size in version.size. ENOENT for what the actor must not know of. */
int door_lookup(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name, struct catalog_node *out);
int door_getattr(struct door *door, const struct door_actor *actor, uint64_t node,
                 struct catalog_node *out);
int door_readdir(struct door *door, const struct door_actor *actor, uint64_t node, uint64_t after,
                 catalog_node_fn *fn, void *context);
/* Where a link of 我的案件, 按对象 or 按日期 leads, as seen from there: "../2026/示例〔2026〕1号". SR_ERR_INVALID for other
 * nodes. */
int door_readlink(struct door *door, const struct door_actor *actor, uint64_t node,
                  struct sr_buf *out);
/* The cases in which the actor is lead or helper and that they may know of, oldest first. */
int door_my_cases(struct door *door, const struct door_actor *actor, catalog_node_fn *fn,
                  void *context);
/* A year (root level), a case (year level), a folder (stage, drafts, date, folder). */
int door_mkdir(struct door *door, const struct door_actor *actor, uint64_t parent, const char *name,
               struct catalog_node *out);
int door_rmdir(struct door *door, const struct door_actor *actor, uint64_t parent,
               const char *name);
int door_unlink(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name);
/* no_replace: RENAME_NOREPLACE. */
int door_rename(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name, uint64_t new_parent, const char *new_name, bool no_replace);

/* --- content -------------------------------------------------------------------------------- */

struct door_open_info {
    bool keep_cache; /* sealed, nothing restricted: the kernel may keep pages */
    bool direct_io;  /* writers, and everything that must be asked for each time */
};

/* commit_on_close: the mode had no write bit (READONLY at create): a commit request after the close. */
int door_create(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name, bool commit_on_close, struct catalog_node *node,
                struct door_file **file, struct door_open_info *info);
int door_open(struct door *door, const struct door_actor *actor, uint64_t node, bool write,
              bool truncate, struct door_file **file, struct door_open_info *info);
int door_read(struct door_file *file, uint64_t offset, void *buf, size_t len, size_t *got);
int door_write(struct door_file *file, const struct door_actor *actor, uint64_t offset,
               const void *buf, size_t len);
/* close(2) of one descriptor. died: the opener's process is being killed, the close is not its own. */
int door_flush(struct door_file *file, bool died);
int door_fsync(struct door_file *file);
void door_release(struct door_file *file);

/* file may be NULL (truncate by name). */
int door_truncate(struct door *door, const struct door_actor *actor, uint64_t node,
                  struct door_file *file, uint64_t size);
int door_set_mtime(struct door *door, const struct door_actor *actor, uint64_t node,
                   int64_t mtime_ns);
/* chmod: no write bit left is a commit request; anything else is accepted and changes nothing. */
int door_set_mode(struct door *door, const struct door_actor *actor, uint64_t node, uint32_t mode);
/* Any other operation that would change a node (table in fusefs/verdicts.c): SR_ERR_SEALED on what
 * is sealed, SR_ERR_UNSUPPORTED or the stated error elsewhere. Recorded as op. */
int door_refuse_mutation(struct door *door, const struct door_actor *actor, uint64_t node,
                         const char *op, int unsealed_error);
/* A refusal that the mount itself found (name over 255 bytes, not UTF-8). Records it; returns code. */
int door_refuse_name(struct door *door, const struct door_actor *actor, uint64_t parent,
                     const char *name, const char *op, int code);

/* user.strongroom.*; SR_ERR_NOT_FOUND (ENODATA) for others. The value is text without NUL. */
int door_getxattr(struct door *door, const struct door_actor *actor, uint64_t node,
                  const char *name, struct sr_buf *value);
/* NUL-separated names. */
int door_listxattr(struct door *door, const struct door_actor *actor, uint64_t node,
                   struct sr_buf *names);
int door_space(struct door *door, uint64_t *free_bytes, uint64_t *total_bytes, uint64_t *nodes);

/* "/2026/示例〔2026〕1号/02调查取证/a.mp4" as the actor, who may know of node, finds it; fresh, free() it. */
int door_path(struct door *door, const struct door_actor *actor, uint64_t node, char **out);

/* --- acts of the tool ------------------------------------------------------------------------ */

/* "2026/示例〔2026〕1号/02调查取证" with or without leading slash. */
int door_resolve(struct door *door, const struct door_actor *actor, const char *path,
                 struct catalog_node *out);
int door_case_open(struct door *door, const struct door_actor *actor, int year, const char *name,
                   struct catalog_node *out);
/* A new first password for somebody who has forgotten theirs or is locked out, by a sysadmin. They must change
 * it, but for a station. */
int door_user_password(struct door *door, const struct door_actor *actor, const char *account,
                       const char *password, struct catalog_user *out);
/* password is given to the system and to Samba, never stored by us; NULL: no password (tests). */
int door_user_add(struct door *door, const struct door_actor *actor, const char *account,
                  const char *name, const char *unit, const char *const *roles, size_t role_count,
                  const char *password, struct catalog_user *out);

struct door_user_change {                         /* what is to be as said; the rest stays */
    const char *name;                             /* NULL: stays. By a sysadmin */
    const char *unit;                             /* NULL: stays; "": none. By a sysadmin */
    const char *badge, *badge_from, *badge_until; /* as unit; days "YYYY-MM-DD". By a sysadmin */
    const char *const *roles;                     /* role_count 0: stay. By a secoff */
    size_t role_count;
    int clearance; /* < 0: stays. By a secoff */
};

/* Nobody changes their own account. The last holder of one of the 三员 roles keeps it. */
int door_user_set(struct door *door, const struct door_actor *actor, const char *account,
                  const struct door_user_change *change, struct catalog_user *out);
/* From its return on every face refuses the account: the ledger says so, the accounts of system and
 * Samba are locked, live sessions of the share have ended. fn is called for each case in which they
 * are lead or helper, to be handed over. Of a disabled account: does again what is not in the ledger. */
int door_user_disable(struct door *door, const struct door_actor *actor, const char *account,
                      const char *reason, catalog_node_fn *fn, void *context);

/* The people of a case, all of them, by uid: active accounts with the role officer or head, nobody
 * twice. By a head, or by a lead of the case. */
int door_case_assign(struct door *door, const struct door_actor *actor, uint64_t node,
                     const uint32_t *lead, size_t lead_count, const uint32_t *helpers,
                     size_t helper_count, const char *reason);
int door_case_transfer(struct door *door, const struct door_actor *actor, uint64_t node,
                       const char *unit, const char *reason);

struct door_class {    /* a classification to be set (casework/classification.h) */
    int level;         /* enum catalog_level; < 0: stays */
    const char *until; /* "YYYY-MM-DD"; NULL: stays, and goes when the level needs none */
    bool set_marks;    /* false: they stay */
    uint32_t marks;
    const char *approver; /* of CATALOG_MARK_COVERT; NULL: stays */
    const char *reason;
};

/* Of a case, stage, drafts folder, folder or record. Raising is for the record's maker, a lead of the
 * case, a head, a secoff; lowering (a lower level, a mark less, an earlier end) for a secoff alone.
 * A secoff need not see the node: they know of a record by its object id. SR_ERR_UNSUPPORTED above
 * 内部 unless workflow.yaml says that the network is one for secrets. */
int door_classify(struct door *door, const struct door_actor *actor, uint64_t node,
                  const struct door_class *class);
/* The same by a text as documents carry it: "内部", "秘密★2036-01-01", "秘密★10年 个人隐私"
 * (classification_parse). Marks that it does not have are taken away; a text that lowers is refused,
 * as there is no reason in it. */
int door_classify_text(struct door *door, const struct door_actor *actor, uint64_t node,
                       const char *text);
/* Commit request. Returns at once, or once sealed when wait_ms > 0 (SR_ERR_BUSY on time-out). */
int door_seal(struct door *door, const struct door_actor *actor, uint64_t node, int wait_ms);
int door_record_incomplete(struct door *door, const struct door_actor *actor, uint64_t node,
                           const char *reason);
/* File a record from 待归案 into a case, or (again) refile a misfiled one. new_name NULL: as it was. */
int door_record_file(struct door *door, const struct door_actor *actor, uint64_t node,
                     uint64_t parent, const char *new_name, const char *reason, bool again);
/* What fits the query (catalog/search_query.h), as far as the actor may see it; texts as far as they may read them
 * without a purpose. Newest first, at most limit, those older than node `before` (0: from the newest on); *total
 * counts all. snippet: a piece of the text around the words, or NULL. A non-zero return of fn stops and is
 * returned. SR_ERR_INVALID with what is wrong with the query. */
typedef int door_hit_fn(void *context, const struct catalog_node *node, const char *snippet);
int door_search(struct door *door, const struct door_actor *actor, const char *text,
                uint64_t before, size_t limit, door_hit_fn *fn, void *context, uint64_t *total);
int door_versions(struct door *door, const struct door_actor *actor, uint64_t node,
                  catalog_version_fn *fn, void *context);
/* Reads every sealed object whole; finding is called with the object id text and why. */
typedef void door_finding_fn(void *context, const char *what, const char *why);
typedef int door_progress_fn(void *context, uint64_t done, uint64_t total);
int door_verify(struct door *door, const struct door_actor *actor, uint64_t node_or_0,
                door_finding_fn *finding, door_progress_fn *progress, void *context,
                uint64_t *checked);
/* The catalog made anew from the ledger, beside the one in use, which it then replaces. progress may be NULL
 * and gives entries. */
int door_rebuild(struct door *door, const struct door_actor *actor, door_progress_fn *progress,
                 void *context, uint64_t *entries);
/* Compares the catalog with a projection of the ledger; acts wait meanwhile. difference stays empty when
 * they agree; otherwise it is an alert, too. SR_ERR_BUSY when records are just being sealed. */
int door_rebuild_check(struct door *door, const struct door_actor *actor,
                       door_progress_fn *progress, void *context, struct sr_buf *difference);
/* Puts a record (node), or all there are (0), back into the queue of what is to be looked into, by who may
 * `verify`, and a record by who may read it. */
int door_reindex(struct door *door, const struct door_actor *actor, uint64_t node_or_0);
/* What was found in a record's current version, for who may read it: {"outcome", "rules", "index", "media",
 * "text": {"object", "sha256", "bytes"}}; *out NULL: nobody has looked yet. */
int door_description(struct door *door, const struct door_actor *actor, uint64_t node,
                     json_t **out);

/* --- labels --- */

#define DOOR_LABELS_MAX 256
struct door_label {
    enum catalog_label label;
    const char *value; /* as people write it (casework/label_value.h); "": taken back */
    int64_t offset_ms; /* CATALOG_NO_OFFSET */
};
/* Gives labels to a sealed record, by who may `label` it. SR_ERR_INVALID with a Chinese sentence. With the last of
 * the five the record gets its number in the case (入卷). */
int door_record_label(struct door *door, const struct door_actor *actor, uint64_t node,
                      const struct door_label *labels, size_t count);
/* For who may see the record: {"labels": [{"label", "name", "value", "source", "time", "in_force", and as far as
 * they exist "offset_ms", "account", "person", "file", "index"}], "missing": [words], "entered": {"case", "series",
 * "number", "index"} (if it has a number), "flags": [{"code", "text"}]}. history: all that was ever said, oldest
 * first, not only what is in force. */
int door_labels(struct door *door, const struct door_actor *actor, uint64_t node, bool history,
                json_t **out);
/* Of each record of the case that is not 入卷, as far as the actor may see it: {"node", "path", "missing", "names"
 * (the Chinese ones), "account", "person" (who sent it), "sealed_at"}; fn takes item over. */
typedef int door_item_fn(void *context, json_t *item);
int door_case_pending(struct door *door, const struct door_actor *actor, uint64_t case_node,
                      door_item_fn *fn, void *context);
/* Until when a record is kept and why, for who may see it: {"until" ("YYYY-MM-DD"; "" for permanent), "period",
 * "reasons": [{"by" ("rule", "category", "extension"), "name", "basis", "period", "until", "rule" (its number in
 * retention.yaml), "decides", and of what was set "reason", "account", "person", "time", "index"}]}. */
int door_retention(struct door *door, const struct door_actor *actor, uint64_t node, json_t **out);
/* Puts a case, a folder in it or a record into a category of retention.yaml, or extends how long it is kept to a day
 * ("YYYY-MM-DD" or "永久"); what lies below inherits it. By who may `retention` there. Terms are only ever
 * lengthened: SR_ERR_INVALID with a Chinese sentence that names what is longer. The same again is no act. */
int door_retention_set(struct door *door, const struct door_actor *actor, uint64_t node,
                       const char *category, const char *reason);
int door_retention_extend(struct door *door, const struct door_actor *actor, uint64_t node,
                          const char *until, const char *reason);
/* Gives a 档号 to a record that is 入卷, by who may `record.archive` it. To one that has a 档号 of another series than it
 * would get now, with a reason alone (else SR_ERR_EXISTS); the old one stays on record and is never given again.
 * reason NULL: none. The same again is no act. */
int door_record_archive(struct door *door, const struct door_actor *actor, uint64_t node,
                        const char *reason);
/* To every record of the case that is 入卷 and has none, as far as the actor may, in the order of their numbers:
 * {"node", "path", "archive_number"} of each; fn takes item over. */
int door_case_archive(struct door *door, const struct door_actor *actor, uint64_t case_node,
                      door_item_fn *fn, void *context);

/* --- export --- */

#define DOOR_EXPORT_LATEST UINT64_MAX
struct door_export {
    uint64_t node; /* a case */
    uint64_t
        as_of; /* ledger index; DOOR_EXPORT_LATEST: the last act that is neither a reading nor an export */
    const char *format;  /* a word for the record: "tar" */
    const char *purpose; /* NULL: none; what is restricted needs one */
    bool encrypted;      /* for recipients: 秘密 leaves in no other way */
    bool leave_out;      /* leave out what may not be exported, instead of refusing */
};
/* Begins an export, by who may `export` the case and each record: an act (*index), durable before anything is given. fn
 * gets, and takes over, one {"type": "case"}, a {"type": "record"} of each sealed record with its proof, and a {"type":
 * "act"} of each act on them, all as of that entry: docs/bundle.md. progress gives ledger entries, may be NULL. */
int door_export_begin(struct door *door, const struct door_actor *actor,
                      const struct door_export *ask, door_progress_fn *progress,
                      void *progress_context, door_item_fn *fn, void *context, uint64_t *index);
/* The export that entry begin began is whole: sha256 (64 digits) of the bundle's tagmanifest-sha256.txt. */
int door_export_end(struct door *door, const struct door_actor *actor, uint64_t begin,
                    const char *sha256, uint64_t *index);
/* A disc was read back whole by the actor, who may `export` the case: sha256 is that of the tagmanifest-sha256.txt on it, detail what is
 * bad (good: ""). SR_ERR_NOT_FOUND: no export of the case has it. */
int door_disc_verify(struct door *door, const struct door_actor *actor, uint64_t case_node,
                     const char *sha256, bool good, const char *detail, uint64_t *index);
/* Ingest (R3) of the records that were sealed on the days from to until ("YYYY-MM-DD", NULL: no limit) and that the
 * actor may see, by person: {"account", "person", "records", "no_time" (采集时间 unknown), "late", "worst" (working
 * days)}; fn takes item over. */
int door_lateness(struct door *door, const struct door_actor *actor, const char *from,
                  const char *until, door_item_fn *fn, void *context);
/* The policy folder is read again: workflow.yaml, *.cedar, and expectations.yaml, which must be met.
 * All of it or nothing: with any mistake the rules before stay in force. */
int door_policy_reload(struct door *door, const struct door_actor *actor);
typedef int door_policy_file_fn(void *context, const char *file, const uint8_t sha256[32]);
int door_policy_show(struct door *door, const struct door_actor *actor, door_policy_file_fn *fn,
                     void *context);
struct door_policy_reason { /* strings live during the call */
    const char *file;
    unsigned line;
    const char *id; /* its @id, or "" */
    bool forbid;
    const char *fault; /* why it could not be evaluated; NULL: it determined the decision */
};
typedef int door_policy_reason_fn(void *context, const struct door_policy_reason *reason);
struct door_policy_question {
    const char *account, *act;
    const char *path;    /* NULL: of the store */
    const char *purpose; /* of `read` and `export`; NULL: none is stated */
};
/* May they? SR_ERR_NOT_FOUND names what there is none of. */
int door_policy_explain(struct door *door, const struct door_actor *actor,
                        const struct door_policy_question *question, bool *allow,
                        door_policy_reason_fn *fn, void *context);
struct door_policy_report {
    uint64_t passed, failed;
    int (*fn)(void *context, const char *sentence); /* one that is not met; non-zero stops */
    void *context;
};
/* A text of expectations (casework/policy_expect.h) against the rules in force. */
int door_policy_test(struct door *door, const struct door_actor *actor, const char *name,
                     const uint8_t *data, size_t len, struct door_policy_report *report);

/* --- reading what is restricted --- */

#define DOOR_VIEW_HOURS_MAX 24
/* The actor states why they read what is restricted at node (a record, or all in a case or folder), for
 * so many hours. out->index is 0 when that record needs no purpose: nothing is recorded then. */
int door_view(struct door *door, const struct door_actor *actor, uint64_t node, const char *purpose,
              unsigned hours, struct catalog_grant *out);
/* A standing grant: account may read what is restricted there through the day until ("YYYY-MM-DD", within
 * a year). By who may `view.grant` at node, and to somebody else. */
int door_grant(struct door *door, const struct door_actor *actor, uint64_t node,
               const char *account, const char *purpose, const char *until,
               struct catalog_grant *out);
/* At once, for files that are open too. By its holder, its giver, and whoever may give it. */
int door_grant_end(struct door *door, const struct door_actor *actor, uint64_t grant);
/* Those in force that the actor holds or has given; all: every one there ever was, for who may `ledger`. */
int door_grants(struct door *door, const struct door_actor *actor, bool all, catalog_grant_fn *fn,
                void *context);
/* Who has read the record, for who may `views`. fn must not call the door. */
int door_views(struct door *door, const struct door_actor *actor, uint64_t node,
               catalog_view_fn *fn, void *context);

/* As door_may, and nothing is recorded. */
bool door_can(struct door *door, const struct door_actor *actor, const char *act);
/* May this actor run a reading command (status, ledger, user list)? op as in the act table. */
int door_may(struct door *door, const struct door_actor *actor, const char *act);
/* JSON for `status`. */
int door_status(struct door *door, json_t **out);

#endif
