/* Classifying: who may, which changes are possible at all, and the entry. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/cases.h"
#include "casework/classification.h"
#include "casework/door_internal.h"
#include "casework/label.h"

#define BY_TEXT "user.strongroom.classification" /* the reason of what a text raises */

struct settled { /* what the node is to be */
    struct classification class;
    char approver[128];
    bool lowers;
    const char *refusal; /* word, when it is refused for more than its form */
};

/* --- who --- */

/* By a head or secoff anywhere; by others their own records, and where they are lead. */
static bool may_classify(struct door *door, const struct catalog_user *user,
                         const struct catalog_node *node)
{
    struct catalog_node in;
    if (door_holds(user, "head") || door_holds(user, "secoff"))
        return true;
    if (node->kind == CATALOG_KIND_RECORD && node->uid == user->uid)
        return true;
    if (node->kind == CATALOG_KIND_FOLDER && node->uid == user->uid &&
        catalog_case_of(door->catalog, node->id, &in) == SR_ERR_NOT_FOUND)
        return true;
    return cases_is_lead(door, node->id, user->uid);
}

static int check_actor(struct door *door, const struct door_actor *actor, uint64_t node_id,
                       struct catalog_user *user)
{
    struct catalog_node node;
    int status = door_may(door, actor, "classify");
    if (status < 0 || (status = door_user(door, actor, user)) < 0 ||
        (status = catalog_get(door->catalog, node_id, &node)) < 0)
        return status;
    /* An object id tells nothing, so a secoff may be given one by those who see the record. */
    if ((status = place_visible(door, user, &node)) < 0 && !door_holds(user, "secoff"))
        return status;
    if (node.kind != CATALOG_KIND_RECORD && node.kind != CATALOG_KIND_CASE &&
        node.kind != CATALOG_KIND_STAGE && node.kind != CATALOG_KIND_DRAFTS &&
        node.kind != CATALOG_KIND_FOLDER)
        return sr_fail(SR_ERR_INVALID, "only a case, a folder in it or a record is classified");
    if (!may_classify(door, user, &node))
        return door_refused(door, actor, "classify", "denied", node_id, NULL,
                            sr_fail(SR_ERR_DENIED,
                                    "%s classifies their own records, and what lies "
                                    "in cases where they are lead",
                                    user->account));
    return 0;
}

/* --- what --- */

static int settle_until(struct door *door, const struct door_class *asked,
                        const struct catalog_node *node, struct settled *out)
{
    int32_t today = sr_day_local(door->io->now_ns(door->io));
    uint32_t level = (uint32_t)out->class.level;
    unsigned years = classification_years(level);
    bool given = asked->until != NULL && asked->until[0] != '\0';
    out->class.until = years > 0 && asked->until == NULL ? node->own_until : 0;
    if (given && !sr_day_parse(asked->until, &out->class.until))
        return sr_fail(SR_ERR_INVALID, "\"%.40s\" is not a date YYYY-MM-DD", asked->until);
    if (years == 0)
        return given ? sr_fail(SR_ERR_INVALID, "a 保密期限 goes with 秘密, 机密 or 绝密") : 0;
    if (out->class.until == 0)
        return sr_fail(SR_ERR_INVALID, "%s needs a 保密期限, the day until which it holds",
                       classification_level_name(level));
    if (level == node->own_level && out->class.until == node->own_until)
        return 0;
    if (out->class.until <= today || out->class.until > sr_day_add_years(today, years))
        return sr_fail(SR_ERR_INVALID, "the 保密期限 of %s ends within %u years from today",
                       classification_level_name(level), years);
    return 0;
}

static int settle(struct door *door, const struct door_class *asked,
                  const struct catalog_node *node, struct settled *out)
{
    *out =
        (struct settled){.class = {.level = asked->level < 0 ? (int)node->own_level : asked->level,
                                   .marks = asked->set_marks ? asked->marks : node->own_marks}};
    if (out->class.level >= CATALOG_LEVELS)
        return sr_fail(SR_ERR_INVALID, "a level is 0 to %d", CATALOG_LEVELS - 1);
    if (out->class.level > CATALOG_INTERNAL && out->class.level > (int)node->own_level &&
        !workflow_secret_network(door->workflow)) {
        out->refusal = "unsupported";
        return sr_fail(
            SR_ERR_UNSUPPORTED,
            "levels above 内部 belong on a network for secrets (涉密网络), and " WORKFLOW_FILE
            " does not say that this is one");
    }
    int status = settle_until(door, asked, node, out);
    if (status < 0)
        return status;
    if (asked->approver != NULL) {
        if ((status = accounts_check_text("the approver", asked->approver,
                                          sizeof out->approver - 1)) < 0)
            return status;
        snprintf(out->approver, sizeof out->approver, "%s", asked->approver);
    } else if ((status = catalog_approver(door->catalog, node->id, out->approver)) < 0) {
        return status;
    }
    if ((out->class.marks & CATALOG_MARK_COVERT) == 0)
        out->approver[0] = '\0';
    else if (out->approver[0] == '\0')
        return sr_fail(SR_ERR_INVALID, "隐蔽录音录像 needs the name of who approved it");
    out->lowers = out->class.level < (int)node->own_level ||
                  (node->own_marks & ~out->class.marks) != 0 || out->class.until < node->own_until;
    return 0;
}

/* --- the entry --- */

static json_t *mark_words(uint32_t marks)
{
    json_t *words = json_array();
    for (size_t i = 0; words != NULL && i < CATALOG_MARKS; i++)
        if ((marks & 1u << i) != 0 &&
            json_array_append_new(words, json_string(catalog_mark_words[i])) != 0) {
            json_decref(words);
            words = NULL;
        }
    return words;
}

/* reason and approver; uid stands there already. */
static int set_person(json_t *in, const struct settled *to, const char *reason)
{
    if (in == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    int status = entry_set(in, "reason", json_string(reason));
    return status < 0 ? status : entry_set(in, "approver", json_string(to->approver));
}

static int append(struct door *door, const struct door_actor *actor,
                  const struct catalog_node *node, const struct settled *to, const char *reason,
                  uint64_t *index)
{
    bool record = node->kind == CATALOG_KIND_RECORD;
    json_t *entry, *part = record ? door_private(actor) : NULL;
    char until[11];
    int status = entry_new(door->io, "classify", &entry);
    sr_day_text(to->class.until, until);
    if (status < 0)
        goto out;
    if ((status = entry_set(entry, "node", sr_json_u64_text(node->id))) < 0 ||
        (status = entry_set(entry, "level", json_integer(to->class.level))) < 0 ||
        (status = entry_set(entry, "until", json_string(until))) < 0 ||
        (status = entry_set(entry, "marks", mark_words(to->class.marks))) < 0 ||
        (status = set_person(record ? part : entry, to, reason)) < 0)
        goto out;
    status = record ? entry_set_record(door->vault, entry, &node->version.object,
                                       node->version.key_id, part)
                    : entry_set(entry, "uid", json_integer(actor->uid));
    if (status == 0) {
        status = door_act(door, entry, part, index);
        entry = NULL; /* taken over */
    }
out:
    json_decref(entry);
    json_decref(part);
    return status;
}

/* Names and pages that the kernel keeps may no longer be for everybody. */
static void forget(struct door *door, const struct catalog_node *node)
{
    if (door->config.invalidate == NULL)
        return;
    door->config.invalidate(door->config.invalidate_context, node->id, 0, NULL);
    door->config.invalidate(door->config.invalidate_context, node->id, node->parent, node->name);
}

/* by_text: there is no reason but that. */
static int classify(struct door *door, const struct door_actor *actor, uint64_t node_id,
                    const struct door_class *asked, bool by_text)
{
    struct catalog_user user;
    struct catalog_node node;
    struct settled to = {.refusal = NULL};
    uint64_t index = 0;
    int status = check_actor(door, actor, node_id, &user);
    if (status < 0 || (status = door_ready(door)) < 0)
        return status;
    bool secoff = door_holds(&user, "secoff"), same = false;
    pthread_mutex_lock(&door->lock);
    if ((status = catalog_get(door->catalog, node_id, &node)) == 0 &&
        (status = settle(door, asked, &node, &to)) == 0) {
        same = to.class.level == (int)node.own_level && to.class.marks == node.own_marks &&
               to.class.until == node.own_until && asked->approver == NULL;
        if (to.lowers && !secoff) {
            to.refusal = "denied";
            status =
                sr_fail(SR_ERR_DENIED, "a lower level, a mark less or an earlier end is set by "
                                       "a secoff alone");
        } else if (to.lowers && by_text) {
            status = sr_fail(SR_ERR_INVALID, "lowering needs a reason: strongroom record classify");
        } else if (!same) {
            status = append(door, actor, &node, &to, asked->reason, &index);
            if (status == 0)
                status = label_enter_below(door, node.id, &index);
        }
    }
    pthread_mutex_unlock(&door->lock);
    if (status < 0)
        return to.refusal != NULL
                   ? door_refused(door, actor, "classify", to.refusal, node_id, NULL, status)
                   : status;
    if (same)
        return 0;
    forget(door, &node);
    return ledger_commit(door->ledger, index);
}

int door_classify(struct door *door, const struct door_actor *actor, uint64_t node_id,
                  const struct door_class *class)
{
    int status = door_check_reason(class->reason);
    return status < 0 ? status : classify(door, actor, node_id, class, false);
}

int door_classify_text(struct door *door, const struct door_actor *actor, uint64_t node_id,
                       const char *text)
{
    struct classification parsed;
    char until[11];
    int status = classification_parse(text, sr_day_local(door->io->now_ns(door->io)), &parsed);
    if (status < 0)
        return status;
    sr_day_text(parsed.until, until);
    const struct door_class class = {.level = parsed.level,
                                     .until = parsed.until != 0 ? until : NULL,
                                     .set_marks = true,
                                     .marks = parsed.marks,
                                     .reason = BY_TEXT};
    return classify(door, actor, node_id, &class, true);
}
