/* The access rules: every *.cedar file of the policy folder, asked about people and places.
 *
 * A policy is what the files say; a view is a policy together with the people of this vault as Cedar
 * entities. Neither changes once made, so any number of threads may ask one at once. The door holds the
 * view in force and replaces it as a whole: when a policy is loaded, when an account changes.
 *
 * What the rules can speak of is policy/strongroom.cedarschema: principals User in Role, actions named as
 * the acts of the door, resources Store (the vault itself), Place, Folder, Record. */
#ifndef SR_CASEWORK_POLICY_H
#define SR_CASEWORK_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"
#include "casework/authorise.h"
#include "catalog/catalog.h"
#include "policy/cedar.h"

#define POLICY_FILES_MAX 64
#define POLICY_FILE_NAME_MAX 255
#define POLICY_SUFFIX ".cedar"

/* --- files (policy.c) --- */

struct policy;

struct policy_file {
    char name[POLICY_FILE_NAME_MAX + 1];
    uint8_t sha256[SR_SHA256_LEN];
};

/* Reads the *.cedar files of DIR in the order of their names, and holds every rule against the schema (which is part of
 * the program): names that do not exist, attributes that may be missing and are not guarded, rules that
 * can never apply. SR_ERR_INVALID "FILE:LINE:COLUMN: reason", of the first mistake; each one of those
 * that the schema finds is reported (report may be NULL). SR_ERR_NOT_FOUND when there is no file (the
 * sentence says what to copy); SR_ERR_TOO_LARGE. */
typedef void policy_report_fn(void *context, const char *sentence);
int policy_load(struct sr_io *io, const char *dir, policy_report_fn *report, void *context,
                struct policy **out);
void policy_ref(struct policy *policy);
void policy_unref(struct policy *policy); /* NULL ok */
size_t policy_file_count(const struct policy *policy);
const struct policy_file *policy_file(const struct policy *policy, size_t index);
const struct cedar_policies *policy_rules(const struct policy *policy);

/* --- questions (policy_view.c) --- */

struct policy_view;

/* The policy (a ref is taken) and all accounts of the catalog. */
int policy_view_new(struct policy *policy, struct catalog *catalog, struct policy_view **out);
void policy_view_ref(struct policy_view *view);
void policy_view_unref(struct policy_view *view); /* NULL ok */
struct policy *policy_view_policy(const struct policy_view *view);

struct policy_question {
    const struct catalog_user *user; /* uid 0: root, who has no role */
    enum act act;
    const struct catalog_node *node; /* NULL: the store itself */
    /* About the node: what it lies in. */
    const struct catalog_case *in_case; /* NULL: in none */
    bool unfiled;                       /* in the 待归案 of unfiled_of */
    uint32_t unfiled_of;
    const char *purpose; /* 查看事由, of ACT_READ and ACT_EXPORT alone; NULL: none is stated */
};

struct policy_answer {
    bool allow;
    bool faulted; /* a forbid could not be evaluated, or the limits were reached: allow is false */
    char fault[256]; /* then: which policy, and why */
};

/* Decides. Denies when there is no decision. scratch is reset first. */
void policy_ask(const struct policy_view *view, struct cedar_arena *scratch,
                const struct policy_question *question, struct policy_answer *answer);

/* The same, with what determined it: fn is called for each policy that did, or that could not be
 * evaluated (fault: why; NULL otherwise). id is its @id or "". */
typedef int policy_reason_fn(void *context, const struct cedar_policy_info *info, const char *id,
                             const char *fault);
int policy_explain(const struct policy_view *view, struct cedar_arena *scratch,
                   const struct policy_question *question, struct policy_answer *answer,
                   policy_reason_fn *fn, void *context);

#endif
