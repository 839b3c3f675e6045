/* Acts on one record: times, commit requests, refusals of everything else that would change it,
 * marking incomplete, filing and refiling, search, versions, verification. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/audit.h"
#include "casework/door_internal.h"
#include "casework/gather.h"
#include "casework/label.h"
#include "casework/nodes.h"
#include "casework/sibling.h"

static int refuse_sealed(struct door *door, const struct door_actor *actor, uint64_t node,
                         const char *op)
{
    return door_refused(door, actor, op, "sealed", node, NULL,
                        sr_fail(SR_ERR_SEALED, "the record is sealed"));
}

static bool may_change(struct door *door, const struct door_actor *actor,
                       const struct catalog_node *node)
{
    struct catalog_user user;
    return door_user(door, actor, &user) == 0 && door_allows(door, &user, ACT_ADD, node);
}

/* A record that this actor may still change. Refusals are recorded as op. */
static int changeable(struct door *door, const struct door_actor *actor, uint64_t node_id,
                      const char *op, struct catalog_node *node)
{
    int status = door_getattr(door, actor, node_id, node);
    if (status < 0)
        return status;
    if (gather_is_link(node_id) || gather_is_folder(node_id))
        return gather_refuse(door, actor, op, node_id, NULL);
    if (node->kind == CATALOG_KIND_VIRTUAL || node->kind == CATALOG_KIND_STUB ||
        (node->kind == CATALOG_KIND_RECORD && node->version.state != CATALOG_STAGING))
        return refuse_sealed(door, actor, node_id, op);
    if (!may_change(door, actor, node))
        return door_refused(door, actor, op, "denied", node_id, NULL, SR_ERR_DENIED);
    return 0;
}

int door_set_mtime(struct door *door, const struct door_actor *actor, uint64_t node_id,
                   int64_t mtime_ns)
{
    struct catalog_node node;
    int status = changeable(door, actor, node_id, "utimens", &node);
    if (status < 0 ||
        node.kind != CATALOG_KIND_RECORD) /* times of folders are the store's: accepted, not kept */
        return status;
    pthread_mutex_lock(&door->lock);
    struct live *live = live_find(door, &node.version.object);
    if (live == NULL || live->appended) {
        status = SR_ERR_SEALED;
    } else if (live->uid != actor->uid) {
        status = SR_ERR_DENIED; /* D7 */
    } else {
        live->mtime_ns = mtime_ns;
        live->mtime_set = true;
        if (live->closed) /* the time of a closed record must survive a restart */
            status = live_append_close(door, live);
    }
    pthread_mutex_unlock(&door->lock);
    if (status == SR_ERR_DENIED)
        return door_refused(door, actor, "utimens", "denied", node_id, NULL,
                            sr_fail(SR_ERR_DENIED, "somebody else's content is not sealed yet"));
    return status == SR_ERR_SEALED ? refuse_sealed(door, actor, node_id, "utimens") : status;
}

/* Lock held. */
static void request_commit(struct door *door, struct live *live)
{
    live->commit = true;
    live->commit_delay_ns = live->writers > 0 ? DOOR_COMMIT_DELAY_NS : 0;
    pthread_cond_signal(&door->wake);
}

int door_set_mode(struct door *door, const struct door_actor *actor, uint64_t node_id,
                  uint32_t mode)
{
    struct catalog_node node;
    int status = changeable(door, actor, node_id, "chmod", &node);
    if (status < 0 || node.kind != CATALOG_KIND_RECORD || (mode & 0222) != 0)
        return status;
    pthread_mutex_lock(&door->lock);
    struct live *live = live_find(door, &node.version.object);
    if (live != NULL)
        request_commit(door, live);
    pthread_mutex_unlock(&door->lock);
    return 0;
}

int door_seal(struct door *door, const struct door_actor *actor, uint64_t node_id, int wait_ms)
{
    struct catalog_node node;
    struct timespec deadline;
    int status = door_getattr(door, actor, node_id, &node);
    if (status < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD)
        return sr_fail(SR_ERR_INVALID, "only a record can be sealed");
    if (node.version.state != CATALOG_STAGING)
        return 0;
    if ((status = changeable(door, actor, node_id, "seal", &node)) < 0)
        return status;
    if (node.version.size == 0)
        return sr_fail(SR_ERR_INVALID,
                       "an empty file is never sealed: copy it again, or remove it");
    if (node.draft)
        return sr_fail(SR_ERR_INVALID, "a draft is not sealed: rename it into a stage first");
    if (node.junk)
        return sr_fail(SR_ERR_INVALID, "a file of this name is never evidence: rename it first");
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += wait_ms / 1000;
    deadline.tv_nsec += (wait_ms % 1000) * 1000000L;
    if (deadline.tv_nsec >= 1000000000L) {
        deadline.tv_sec++;
        deadline.tv_nsec -= 1000000000L;
    }
    pthread_mutex_lock(&door->lock);
    struct live *live = live_find(door, &node.version.object);
    struct catalog_node now;
    if (live != NULL) {
        live->scratch = false; /* asked for by name */
        request_commit(door, live);
    } else if (catalog_get(door->catalog, node_id, &now) == 0 &&
               now.version.state == CATALOG_STAGING) {
        status = sr_fail(SR_ERR_DAMAGED, "the unsealed content is missing or damaged");
    }
    while (wait_ms > 0 && live_find(door, &node.version.object) != NULL && status == 0)
        if (pthread_cond_timedwait(&door->change, &door->lock, &deadline) == ETIMEDOUT)
            status = sr_fail(
                SR_ERR_BUSY,
                "not sealed within %d ms: a writer has it open, or the disk is slow; it will be",
                wait_ms);
    pthread_mutex_unlock(&door->lock);
    return status;
}

int door_refuse_mutation(struct door *door, const struct door_actor *actor, uint64_t node_id,
                         const char *op, int unsealed_error)
{
    struct catalog_node node;
    int status = door_getattr(door, actor, node_id, &node);
    if (status < 0)
        return status;
    if (gather_is_link(node_id) || gather_is_folder(node_id))
        return gather_refuse(door, actor, op, node_id, NULL);
    if (node.kind == CATALOG_KIND_RECORD && node.version.state == CATALOG_STAGING)
        return door_refused(door, actor, op,
                            unsealed_error == SR_ERR_DENIED ? "denied" : "unsupported", node_id,
                            NULL, sr_fail(unsealed_error, "%s is not done here", op));
    if (node.kind == CATALOG_KIND_RECORD || node.kind == CATALOG_KIND_VIRTUAL ||
        node.kind == CATALOG_KIND_STUB)
        return refuse_sealed(door, actor, node_id, op);
    return door_refused(door, actor, op, "fixed_folder", node_id, NULL,
                        sr_fail(unsealed_error, "%s is not done to folders", op));
}

int door_refuse_name(struct door *door, const struct door_actor *actor, uint64_t parent,
                     const char *name, const char *op, int code)
{
    struct catalog_node folder;
    const char *reason = code == SR_ERR_NAME_TOO_LONG   ? "name_too_long"
                         : code == SR_ERR_NAME_ENCODING ? "name_encoding"
                                                        : "name_reserved";
    int status = door_getattr(door, actor, parent, &folder); /* records an unknown user */
    return status < 0 ? status : door_refused(door, actor, op, reason, parent, name, code);
}

/* --- incomplete, file, refile --- */

/* Lock held. Entry about a sealed record with a private part; takes over private_part. */
static int append_record_act(struct door *door, const char *act, const struct catalog_node *node,
                             json_t *private_part, const char *flag, bool flag_value,
                             uint64_t *index)
{
    json_t *entry = NULL;
    int status = private_part != NULL ? entry_new(door->io, act, &entry)
                                      : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status == 0) {
        if ((flag != NULL &&
             (status = entry_set(private_part, flag, json_boolean(flag_value))) < 0) ||
            (status = entry_set_record(door->vault, entry, &node->version.object,
                                       node->version.key_id, private_part)) < 0 ||
            (status = entry_set(entry, "node", sr_json_u64_text(node->id))) < 0)
            json_decref(entry);
        else
            status = door_act(door, entry, private_part, index);
    }
    json_decref(private_part);
    return status;
}

int door_record_incomplete(struct door *door, const struct door_actor *actor, uint64_t node_id,
                           const char *reason)
{
    struct catalog_node node;
    uint64_t index = 0;
    int status = door_check_reason(reason);
    if (status < 0 || (status = door_may(door, actor, "record.incomplete")) < 0 ||
        (status = door_getattr(door, actor, node_id, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD || node.version.state != CATALOG_SEALED)
        return sr_fail(SR_ERR_INVALID, "only a sealed record can be marked incomplete");
    if (node.version.uid != actor->uid)
        return door_refused(
            door, actor, "incomplete", "denied", node_id, NULL,
            sr_fail(SR_ERR_DENIED, "only the person who sent a record can mark it incomplete"));
    if ((status = door_ready(door)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = catalog_get(door->catalog, node_id, &node); /* anew: a new version may have come */
    if (status == 0 && (node.version.state != CATALOG_SEALED || node.version.uid != actor->uid))
        status = sr_fail(SR_ERR_BUSY, "the record has changed just now: look again");
    if (status == 0) {
        json_t *private_part = door_private(actor);
        if (private_part != NULL && entry_set(private_part, "reason", json_string(reason)) < 0) {
            json_decref(private_part);
            private_part = NULL;
        }
        status =
            append_record_act(door, "record.incomplete", &node, private_part, NULL, false, &index);
    }
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, index);
}

static json_t *filing_private(const struct door_actor *actor, const struct catalog_node *node,
                              uint64_t parent, const char *name, const char *reason)
{
    json_t *part = door_private(actor);
    if (part != NULL && (entry_set(part, "parent", sr_json_u64_text(parent)) < 0 ||
                         entry_set(part, "name", json_string(name)) < 0 ||
                         entry_set(part, "reason", json_string(reason)) < 0 ||
                         entry_set(part, "from_parent", sr_json_u64_text(node->parent)) < 0 ||
                         entry_set(part, "from_name", json_string(node->name)) < 0)) {
        json_decref(part);
        part = NULL;
    }
    return part;
}

/* 待归案 -> case by `file`; case -> case by `refile`. */
static int check_filing(struct door *door, const struct catalog_node *node,
                        const struct catalog_node *parent, bool again)
{
    struct catalog_node in_case;
    if (node->kind != CATALOG_KIND_RECORD ||
        (node->version.state != CATALOG_SEALED && node->version.state != CATALOG_INCOMPLETE))
        return sr_fail(SR_ERR_INVALID,
                       "only a sealed record is filed; before the seal it can be renamed");
    bool filed = catalog_case_of(door->catalog, node->id, &in_case) == 0;
    if (filed && !again)
        return sr_fail(SR_ERR_INVALID, "the record lies in the case \"%s\" already: refile it",
                       in_case.name);
    if (!filed && again)
        return sr_fail(SR_ERR_INVALID, "the record lies in no case yet: file it");
    bool stage = parent->kind == CATALOG_KIND_STAGE || parent->kind == CATALOG_KIND_FOLDER;
    if (!stage || catalog_case_of(door->catalog, parent->id, &in_case) < 0 ||
        place_in_drafts(door, parent))
        return sr_fail(SR_ERR_INVALID, "a record is filed into a stage of a case");
    return 0;
}

int door_record_file(struct door *door, const struct door_actor *actor, uint64_t node_id,
                     uint64_t parent_id, const char *new_name, const char *reason, bool again)
{
    struct catalog_user user;
    struct catalog_node node, parent, taken;
    const char *refusal = NULL;
    uint64_t index = 0;
    int status = door_check_reason(reason);
    if (status < 0 || (status = door_may(door, actor, "record.file")) < 0 ||
        (status = door_user(door, actor, &user)) < 0 ||
        (status = door_getattr(door, actor, node_id, &node)) < 0 ||
        (status = door_getattr(door, actor, parent_id, &parent)) < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    if ((status = catalog_get(door->catalog, node_id, &node)) == 0 &&
        (status = check_filing(door, &node, &parent, again)) == 0) {
        const char *name = new_name != NULL ? new_name : node.name;
        bool own_stub = false;
        if (sibling_find(door, &user, parent_id, name, &taken) == 0)
            own_stub = taken.kind == CATALOG_KIND_STUB &&
                       taken.moved_to == node_id; /* back to where it was */
        else
            taken.id = 0;
        if (taken.id != 0 && !own_stub)
            status = sr_fail(SR_ERR_EXISTS,
                             "a record of this name lies there already: give it a new name");
        else if ((status = place_check_name(door, &user, parent_id, name, 0, &refusal)) == 0)
            status = append_record_act(door, "record.file", &node,
                                       filing_private(actor, &node, parent_id, name, reason),
                                       "again", again, &index);
        if (status == 0)
            status = label_enter(door, node_id, &index);
    }
    pthread_mutex_unlock(&door->lock);
    if (status == 0)
        return ledger_commit(door->ledger, index);
    return refusal != NULL ? door_refused(door, actor, "file", refusal, parent_id, new_name, status)
                           : status;
}

/* --- versions, verify --- */

int door_versions(struct door *door, const struct door_actor *actor, uint64_t node_id,
                  catalog_version_fn *fn, void *context)
{
    struct catalog_node node;
    int status = door_may(door, actor, "list");
    if (status < 0 || (status = door_getattr(door, actor, node_id, &node)) < 0)
        return status;
    return catalog_versions(door->catalog, node_id, fn, context);
}

struct verification {
    door_finding_fn *finding;
    door_progress_fn *progress;
    void *context;
};

static void pass_finding(void *context, const char *what, const char *why)
{
    struct verification *verification = context;
    verification->finding(verification->context, what, why);
}

static int pass_progress(void *context, uint64_t done, uint64_t total)
{
    struct verification *verification = context;
    return verification->progress != NULL
               ? verification->progress(verification->context, done, total)
               : 0;
}

int door_verify(struct door *door, const struct door_actor *actor, uint64_t node_or_0,
                door_finding_fn *finding, door_progress_fn *progress, void *context,
                uint64_t *checked)
{
    struct verification verification = {finding, progress, context};
    struct audit_report report;
    struct catalog_node node;
    *checked = 0;
    int status;
    if (node_or_0 == 0) {
        if ((status = door_may(door, actor, "verify")) < 0)
            return status;
        status = audit_run(door->vault, door->ledger, door->catalog, false, pass_finding,
                           pass_progress, &verification, &report);
        *checked = report.objects;
        return status;
    }
    if ((status = door_may(door, actor, "read")) < 0 ||
        (status = door_getattr(door, actor, node_or_0, &node)) < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD || node.version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "only a sealed record can be verified");
    status = audit_object(door->vault, &node.version, pass_finding, pass_progress, &verification);
    *checked = 1;
    return status;
}
