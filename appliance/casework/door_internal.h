/* The door's own state, shared by the files of casework/ alone.
 *
 * Invariants (door->lock held unless said otherwise):
 *  D1  A version in state staging has exactly one live, found by its object id, from its
 *      record.create/record.version (or start-up) until its seal is projected or it is discarded.
 *      The exception is content that start-up found missing or damaged: it has none.
 *  D2  live->writers counts open files that may write; live->refs counts open files plus the sealer.
 *      A live leaves the table when it is sealed or discarded, and is freed once refs is 0.
 *  D3  live->appended: its record.seal stands in the ledger's queue. From then on nothing changes it.
 *  D4  Only the sealer, and a discard of what is not finalizing, move a phase beyond LIVE_OPEN; the
 *      sealer starts only when writers is 0.
 *  D5  Entries are appended and projected under door->lock, so entries of one record are in order;
 *      record.seal alone is projected later, once durable (receipts must not promise too early), and
 *      without door->lock: until its live has left the table, every act on the record is refused (D4).
 *  D6  door->lock is never held over ledger_commit, staging_sync, or a read or write of content by a
 *      user (staging_size waits at most for one segment to be read). The exception is door_view.c, where
 *      the catalog must not get ahead of the ledger for a moment.
 *  D7  Unsealed content is changed, renamed and discarded by the person alone who sent it.
 *  D8  Discarded content is removed only once its record.discard is durable.
 * The lock order is door->lock, then the locks inside catalog, ledger and vault. */
#ifndef SR_CASEWORK_DOOR_INTERNAL_H
#define SR_CASEWORK_DOOR_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "casework/agency.h"
#include "casework/authorise.h"
#include "casework/client.h"
#include "casework/door.h"
#include "casework/entry.h"
#include "casework/policy.h"
#include "casework/reading.h"
#include "casework/workflow.h"
#include "vault/object.h"
#include "vault/staging.h"

#define DOOR_COMMIT_DELAY_NS \
    (2 * INT64_C(1000000000)) /* commit request given before the last close */
#define DOOR_NEVER INT64_MAX
#define DOOR_REASON_MAX 1000 /* bytes */
#define DOOR_LIVE_BUCKETS 4096
#define DOOR_KEYS_LOW 64
#define DOOR_FOLD_NS (60 * INT64_C(1000000000))

enum live_phase { LIVE_OPEN, LIVE_SEALING, LIVE_SEALED, LIVE_DISCARDED };

struct live {
    struct live *next; /* bucket */
    struct vault_object_id object;
    uint64_t key_id;
    uint64_t node;
    uint64_t newest_index; /* of its newest entry: what an acknowledgement must wait for */
    uint32_t uid;
    struct staging *staging;
    unsigned refs, writers;
    _Atomic enum live_phase phase; /* written under the lock, read without it by door_read */
    bool draft, junk, scratch;
    bool superseded; /* no longer the current version */
    bool died;       /* a writer died, or there was none left at start-up: incomplete */
    bool salvaged;
    bool appended;
    bool
        finalizing; /* staging_finalize has begun, now or before the restart: no content changes any more */
    bool keep_content; /* discarded, but the entry is not durable: the file must stay */
    unsigned failures; /* seals tried in vain */
    bool
        commit; /* a commit request is pending, to take effect commit_delay_ns after the last close */
    int64_t commit_delay_ns;
    atomic_bool mtime_set; /* by the client: writes do not move it any more */
    atomic_bool closed;    /* record.close appended, no write since */
    _Atomic int64_t mtime_ns;
    int64_t last_close_ns; /* boottime; < 0: never closed */
    int64_t retry_ns;      /* boottime; no sealing before */
    uint64_t seal_index;
};

struct refusal_fold { /* repeats of one refusal within DOOR_FOLD_NS become one entry with a count */
    uint32_t uid;
    char op[24], reason[24];
    uint64_t node;
    uint64_t name_hash;
    char name[CATALOG_NAME_MAX + 1];
    char client[64];
    int64_t until_ns; /* boottime end of the window */
    int64_t last_ns;  /* real time of the last repeat */
    uint64_t repeats; /* beyond the one that stands in the ledger */
};
#define DOOR_FOLDS 128

struct refusal_budget { /* distinct refusals of one person in one window */
    uint32_t uid;
    unsigned count;
    int64_t until_ns;
};
#define DOOR_BUDGETS 64
#define DOOR_BUDGET 100
#define DOOR_LOOKS 16

/* A place of a record that was found damaged, and is not told again for a while. */
struct damage_fold {
    uint64_t place; /* hash of object and sentence; 0: unused */
    int64_t until_ns;
};
#define DOOR_DAMAGE 64
#define DOOR_DAMAGE_NS (3600 * INT64_C(1000000000))

/* What a node lies in, as far as the rules speak of it. The same for all that one folder holds. */
struct door_place {
    uint64_t folder;     /* the parent of records and folders; a place itself */
    uint64_t generation; /* of rules.places when it was looked up */
    bool in_case, unfiled;
    struct catalog_case owner; /* in_case */
    uint32_t unfiled_of;       /* unfiled */
};
#define DOOR_PLACES 64

/* The access rules in force (door_policy.c). Everything under its own lock, which nothing is taken inside
 * of; a view never changes, so questions are asked without it. */
struct rules {
    pthread_mutex_t lock;
    struct policy *loaded;       /* start-up: before the people are known */
    struct policy_view *view;    /* a ref */
    _Atomic uint64_t generation; /* handles that are older are asked again */
    atomic_bool stale;           /* the kernel may hold pages that were read before */
    struct door_file *files;     /* every open file */
    struct rules_scratch *scratch;
    unsigned scratch_count;
    char fault[256], fault_told[256]; /* a rule that could not be evaluated */
    /* Whose cases are may have changed, or what lies in which: door_place that is older is not used. */
    _Atomic uint64_t places;
    struct door_place known[DOOR_PLACES]; /* by folder % DOOR_PLACES */
    struct agency **retired;              /* door->lock: may still be read */
    size_t retired_count;
};

#define DOOR_MEMOS 4
struct search_memo { /* seen.c: what one person may see, by group of what is found */
    uint32_t uid;
    uint64_t generation, places, epoch; /* of rules, rules.places, the catalog's groups */
    uint8_t *seen;                      /* by group; 0: not asked yet */
    size_t count;
    uint64_t used; /* by number of the search: the oldest is given up */
};

#define DOOR_GATHERED 4
struct gather_item;
struct
    gather_memo { /* gather.c: what one person sees in one folder, for a second and until the next entry */
    uint32_t uid;
    uint64_t folder, generation, places, entries; /* of rules, rules.places, the ledger */
    int64_t until_ns;                             /* boottime */
    struct gather_item *list;
    size_t count;
};

struct readings;   /* reading.c */
struct text_cache; /* notice.c: the virtual files as rendered last */

struct door {
    struct door_config config;
    struct vault *vault;
    struct ledger *ledger;
    struct sr_io *io;
    struct catalog *catalog;
    struct agency *agency; /* of the policy folder's YAML files; kept until the end when replaced */
    struct workflow *workflow; /* agency's */
    struct rules rules;
    int64_t settle_ns;
    pthread_mutex_t lock;
    pthread_mutex_t accounts_lock; /* taken before lock; held over useradd */
    struct live *live[DOOR_LIVE_BUCKETS];
    size_t live_count;
    struct refusal_fold folds[DOOR_FOLDS];
    struct refusal_budget budgets[DOOR_BUDGETS];
    struct damage_fold damage[DOOR_DAMAGE];
    pthread_mutex_t view_lock; /* rebuilding, healing, checking: one at a time; taken before lock */
    unsigned view_late;        /* seconds since the catalog's file was up to the ledger */
    struct client_cache clients;
    struct text_cache *texts;
    struct readings *readings;
    struct search_memo memos[DOOR_MEMOS]; /* search_lock, which is taken before every other */
    uint64_t searches;
    pthread_mutex_t search_lock;
    struct gather_memo gathered[DOOR_GATHERED]; /* gather_lock, under which nothing is taken */
    pthread_mutex_t gather_lock;
    struct describer *describer;       /* NULL: nothing is looked into */
    _Atomic int64_t written_ns;        /* boottime of the last door_write: uploads come first */
    _Atomic int64_t looks[DOOR_LOOKS]; /* passwords.c: boottime of the next one, by uid */
    bool stopping;
    unsigned open_files;
    int64_t sealer_until_ns; /* boottime at which the sealer looks again by itself */
    pthread_t sealer;
    bool sealer_started;
    pthread_cond_t wake;   /* sealer: something may be due */
    pthread_cond_t change; /* waiters: a live changed its phase, an open file went */
};

struct door_file {
    struct door *door;
    struct door_actor actor;
    uint64_t node;
    bool write;
    bool wrote;       /* through this handle, ever */
    bool may_version; /* opened for writing over an incomplete record: truncation makes a version */
    struct live *live; /* unsealed content, or NULL */
    struct live
        *before; /* that a truncation left: a read may still be in it; a ref until the close */
    struct object *object;            /* sealed content, or NULL */
    _Atomic uint64_t generation;      /* of the rules that allowed it */
    _Atomic uint64_t read_generation; /* of those that allowed to read; UINT64_MAX: not asked */
    atomic_bool restricted;           /* as right says */
    atomic_bool counted;              /* among the opens on record */
    bool cached;                      /* the kernel may answer reads by itself */
    struct reading_right right;       /* under object_lock */
    struct door_file *next_file, *previous_file; /* rules.files */
    pthread_mutex_t
        object_lock; /* opening object late, when the record was sealed under the handle */
    char *text;      /* virtual files: the text as of open */
    size_t text_len;
};

/* --- acting (act.c) ---- */

/* The caller's user: roles from the catalog; uid 0 has none. SR_ERR_DENIED for an unknown uid
 * and for a disabled account. */
int door_user(struct door *door, const struct door_actor *actor, struct catalog_user *user);
/* Records that door_user refused (status), and returns it. */
int door_stranger(struct door *door, const struct door_actor *actor, const char *op, int status);
bool door_holds(const struct catalog_user *user, const char *role);
/* SR_ERR_INVALID unless there is a reason that fits into an entry. */
int door_check_reason(const char *reason);
/* 0 or SR_ERR_DENIED with a sentence; not recorded. */
int door_authorise(struct door *door, const struct door_actor *actor, enum act act);
/* The actor with the client's address looked up. Lock not held. */
struct door_actor door_who(struct door *door, const struct door_actor *actor);
/* May acts be begun? Not when shutting down, nor while the ledger cannot be written. Lock not held. */
int door_ready(struct door *door);
/* Projects (with private_part opened) and appends, both or neither. Lock held. Takes over entry. */
int door_act(struct door *door, json_t *entry, const json_t *private_part, uint64_t *index);
/* entry_new plus uid and client of the actor. */
int door_entry(struct door *door, const struct door_actor *actor, const char *act, json_t **out);
/* Private part with uid and client. */
json_t *door_private(const struct door_actor *actor);
/* The address of the client behind an actor that went through door_who. */
void door_client(const struct door_actor *actor, char out[64]);
/* Records a refusal (folded) and returns code. Lock not held. node 0 or name NULL: none. */
int door_refused(struct door *door, const struct door_actor *actor, const char *op,
                 const char *reason, uint64_t node, const char *name, int code);
/* Writes fold counters whose window has ended (all when force). Lock not held. */
void door_flush_folds(struct door *door, bool force);
uint64_t door_node_id(uint64_t index);

/* --- the rules (door_policy.c) ---- */

/* May user do this? node NULL: to the store itself. Neither door->lock nor the catalog's need be free;
 * not inside callbacks of the catalog. */
bool door_allows(struct door *door, const struct catalog_user *user, enum act act,
                 const struct catalog_node *node);
/* The same with a purpose; NULL: without. */
bool door_allows_for(struct door *door, const struct catalog_user *user, enum act act,
                     const struct catalog_node *node, const char *purpose);
/* The rest of a question about node: *place must live as long as it. */
int door_rules_fill(struct door *door, const struct catalog_node *node, struct door_place *place,
                    struct policy_question *question);
int door_rules_load(struct door *door); /* the files, before the ledger is projected */
/* With the people; appends policy.load. Lock held. */
int door_rules_start(struct door *door);
void door_rules_free(struct door *door);
/* An account has changed: from now on the rules see it. Lock held. */
int door_rules_people(struct door *door);
/* Writes the alert of a rule that could not be evaluated. Lock not held. */
void door_rules_tell(struct door *door);
/* Every open file is known here, so that a change of the rules reaches it. */
void door_rules_opened(struct door_file *file);
void door_rules_closed(struct door_file *file);
/* What people may see has changed: every open file is asked about again, and the kernel's pages of them
 * go at once. Any locks. */
void door_rules_changed(struct door *door);
/* The sealer's: takes the pages away if somebody called door_rules_changed. Lock not held. */
void door_rules_forget(struct door *door);
/* Asks again if the rules have changed since the file was allowed. Lock not held. */
int door_rules_again(struct door_file *file, enum act act, const char *op);

/* --- the catalog's file (door_view.c) ---- */

struct view_report;
int door_view_open(struct door *door, struct view_report *report);
/* Commits to the catalog's file what the ledger cannot lose any more; heals it if it is broken. Called
 * every second, and at the end. Lock not held. */
void door_view_commit(struct door *door);

/* --- search (search.c) ---- */

/* Puts the next text that is not in the index there; *from is where to look, and moves on. SR_ERR_NOT_FOUND: none
 * is left. Lock not held. */
int search_fill(struct door *door, uint64_t *from);

/* --- live records (live.c); lock held ---- */

struct live *live_find(struct door *door, const struct vault_object_id *object);
/* Puts a new live into the table; takes over staging. */
int live_add(struct door *door, struct staging *staging, const struct catalog_version *version,
             struct live **out);
void live_ref(struct live *live);
/* Returns live when it is done and unused (D2): the caller then calls live_destroy without the lock. */
struct live *live_unref(struct door *door, struct live *live);
/* Takes it out of the table: sealed, or discarded (its content goes with the last ref). Returns as live_unref. */
struct live *live_finish(struct door *door, struct live *live, enum live_phase phase);
/* Lock not held. Drops discarded content. NULL ok. */
void live_destroy(struct live *live);
/* Its content cannot change any more: the seal has begun, or it is done or discarded. */
bool live_is_frozen(const struct live *live);
/* record.close (size, mtime) for a record whose bytes so far are acknowledged. */
int live_append_close(struct door *door, struct live *live);
/* When it is due to be sealed, boottime ns; DOOR_NEVER if not by itself. Empty content is never
 * sealed, unless superseded: that is looked at when it is due. */
int64_t live_due(const struct door *door, const struct live *live);
/* Wakes the sealer if it would otherwise look too late. */
void live_wake(struct door *door, const struct live *live);
/* Overlay of the live size and mtime on a catalog node. */
void live_overlay(struct door *door, struct catalog_node *node);
/* A new version of node becomes current; the previous one (its live, if any) is superseded. Lock not held. */
int door_new_version(struct door *door, const struct door_actor *actor, uint64_t node,
                     struct live **out);
/* record.reopen, if it was closed. SR_ERR_SEALED once sealing has begun. Lock not held. */
int door_reopen(struct door *door, struct live *live);
/* Start-up: key pages whose keys.page did not become durable are put on record. */
int door_keys_record(struct door *door);
/* Writes one more key page when few keys are left. Lock not held. */
int door_keys_ready(struct door *door);
/* Makes staged content ready for an entry: key, file. Lock not held. */
int door_stage(struct door *door, struct staging **out);
int door_sealer_start(struct door *door);
void door_sealer_stop(struct door *door);
/* One alert entry; its detail names object ids only. What fails is logged. Lock not held. */
void door_alert(struct door *door, const char *kind, const struct vault_object_id *object,
                const char *detail);
/* Of a read of sealed content: SR_ERR_DAMAGED also becomes an alert, once for each place (damage.c). Returns
 * status. Lock not held. */
int door_damaged(struct door *door, const struct vault_object_id *object, int status);
/* Start-up: staging/ against the catalog (salvage.c). */
int door_salvage(struct door *door, struct door_salvage *out);

/* --- open files (content.c) ---- */

/* Looks up the client's address: later the thread may serve somebody else. */
int door_file_new(struct door *door, const struct door_actor *actor, uint64_t node, bool write,
                  struct door_file **out);
void door_file_free(struct door_file *file);
/* Counts the file on its live. Lock held. */
int door_file_attach(struct door *door, struct door_file *file, struct live *live);

/* --- names and places (place.c) ---- */

/* May user (NULL: whoever) put something (self, if it is there already) under this name into this folder?
 * SR_ERR_NAME_*; reason is the refusal word. */
int place_check_name(struct door *door, const struct catalog_user *user, uint64_t parent,
                     const char *name, uint64_t self, const char **reason);
bool place_takes_records(const struct catalog_node *parent);
/* The nearest ancestor (or the node itself) that is no plain folder, record, stub or date. */
int place_anchor(struct door *door, const struct catalog_node *node, struct catalog_node *out);
/* Two folders in one and the same stage, drafts folder or date folder. */
bool place_same_anchor(struct door *door, const struct catalog_node *one,
                       const struct catalog_node *other);
bool place_in_drafts(struct door *door, const struct catalog_node *parent);
/* Sees this actor the node? SR_ERR_NOT_FOUND or SR_ERR_DENIED. */
int place_visible(struct door *door, const struct catalog_user *user,
                  const struct catalog_node *node);
/* 待归案/<user>/<today>: made when first looked at. Lock not held. */
int place_ensure_unfiled(struct door *door, const struct door_actor *actor,
                         const struct catalog_user *user);

/* "/2026/…/a.mp4" as user finds it; fresh, free() it. */
int door_path_for(struct door *door, const struct catalog_user *user, uint64_t node, char **out);

/* --- texts shown in the share (notice.c) ---- */

int notice_render(struct door *door, const struct door_actor *actor, struct sr_buf *out);
int notice_receipts(struct door *door, const struct door_actor *actor, struct sr_buf *out);
int notice_stub(struct door *door, const struct door_actor *actor, const struct catalog_node *stub,
                struct sr_buf *out);
/* Chinese sentence: what happened and what to do, for a refusal word. */
const char *notice_sentence(const char *reason);
/* Of a virtual file or stub, from the cache if nothing has happened since. size may be given alone. */
int notice_size(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                uint64_t *size);
int notice_start(struct door *door);
void notice_forget(struct door *door); /* frees the cache */
/* Virtual files and stubs; SR_ERR_NOT_FOUND for other nodes. */
int notice_text(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                struct sr_buf *out);

/* --- accounts (accounts.c) ---- */

/* useradd and smbpasswd. stamp: of the password (passwords.h), "" without one. SR_ERR_SYSTEM with what the
 * program said. */
int accounts_create(const char *account, const char *name, uint32_t uid, const char *password,
                    const char *smb_conf, char stamp[CATALOG_STAMP_MAX + 1]);
/* Of an account that Samba has, or (make) gets. */
int accounts_samba_password(const char *account, const char *password, const char *smb_conf,
                            bool make);
void accounts_remove(const char *account, const char *smb_conf); /* what fails is logged */
/* Checks everything but the uid, and fills user. */
int accounts_fill(const char *account, const char *name, const char *const *roles,
                  size_t role_count, struct catalog_user *user);
/* Locks the system account and the Samba account. One that is not there is no error. */
int accounts_disable(const char *account, const char *smb_conf);
int accounts_check_name(const char *name); /* of a person; sets the sentence */
/* At most max bytes of UTF-8 without control characters; may be empty. what begins the sentence. */
int accounts_check_text(const char *what, const char *text, size_t max);
json_t *accounts_roles(const struct catalog_user *user); /* fresh; NULL: out of memory */
bool accounts_name_valid(const char *account);
/* SR_ERR_EXISTS if a system account of that name or uid exists. */
int accounts_free(const char *account, uint32_t uid);
/* The account that an act is about, which nobody does to themselves. Refusals are recorded as op (people.c). */
int accounts_subject(struct door *door, const struct door_actor *actor, const char *op,
                     const char *account, struct catalog_user *out);
int accounts_add_entry(struct sr_io *io, const struct catalog_user *user,
                       const struct door_actor *actor, json_t **entry);

#endif
