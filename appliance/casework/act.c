/* The steps of every act: who is it, may they, append, project; and what happens when they may not. */
#include <assert.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/client.h"
#include "casework/door_internal.h"

uint64_t door_node_id(uint64_t index)
{
    return (index + 1) * 256;
}

int door_user(struct door *door, const struct door_actor *actor, struct catalog_user *user)
{
    if (actor->uid == 0) {
        memset(user, 0, sizeof *user);
        strcpy(user->account, "root");
        return 0;
    }
    int status = catalog_user(door->catalog, actor->uid, user);
    if (status == SR_ERR_NOT_FOUND)
        return sr_fail(SR_ERR_DENIED, "uid %u is not an account of this vault", actor->uid);
    if (status == 0 && user->disabled)
        status = sr_fail(SR_ERR_DENIED, "the account %s is disabled", user->account);
    if (actor->tool) /* there nobody comes in by a password */
        user->first_password[0] = '\0';
    return status;
}

int door_stranger(struct door *door, const struct door_actor *actor, const char *op, int status)
{
    struct catalog_user user;
    struct sr_error_copy why;
    sr_error_save(&why, status);
    bool known = catalog_user(door->catalog, actor->uid, &user) == 0;
    return door_refused(door, actor, op, known ? "disabled" : "unknown_user", 0, NULL,
                        sr_error_raise(&why));
}

bool door_holds(const struct catalog_user *user, const char *role)
{
    for (size_t i = 0; i < user->role_count; i++)
        if (strcmp(user->roles[i], role) == 0)
            return true;
    return false;
}

int door_check_reason(const char *reason)
{
    if (reason == NULL || reason[0] == '\0' || strlen(reason) > DOOR_REASON_MAX ||
        !sr_utf8_valid(reason, strlen(reason)))
        return sr_fail(SR_ERR_INVALID, "a reason of 1 to %d bytes is needed", DOOR_REASON_MAX);
    return 0;
}

int door_authorise(struct door *door, const struct door_actor *actor, enum act act)
{
    struct catalog_user user;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return status;
    if (!door_allows(door, &user, act, NULL))
        return sr_fail(SR_ERR_DENIED, "%s may not do this (%s): no role of theirs allows it",
                       user.account, authorise_act_name(act));
    return 0;
}

int door_may(struct door *door, const struct door_actor *actor, const char *act)
{
    int number = authorise_act_by_name(act);
    if (number < 0)
        return sr_fail(SR_ERR_INVALID, "there is no act \"%s\"", act);
    int status = door_authorise(door, actor, (enum act)number);
    return status == SR_ERR_DENIED ? door_refused(door, actor, act, "denied", 0, NULL, status)
                                   : status;
}

void door_client(const struct door_actor *actor, char out[64])
{
    if (actor->client[0] != '\0')
        memcpy(out, actor->client, sizeof actor->client);
    else
        strcpy(out, "local");
}

struct door_actor door_who(struct door *door, const struct door_actor *actor)
{
    struct door_actor who = *actor;
    if (who.client[0] == '\0' && !who.tool && who.thread_id != 0)
        client_cached(&door->clients, door->io->boottime_ns(door->io), who.thread_id, who.client);
    return who;
}

int door_entry(struct door *door, const struct door_actor *actor, const char *act, json_t **out)
{
    char client[64];
    int status = entry_new(door->io, act, out);
    if (status < 0)
        return status;
    door_client(actor, client);
    if ((status = entry_set(*out, "uid", json_integer(actor->uid))) < 0 ||
        (status = entry_set(*out, "client", json_string(client))) < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}

json_t *door_private(const struct door_actor *actor)
{
    char client[64];
    door_client(actor, client);
    return json_pack("{s:I, s:s}", "uid", (json_int_t)actor->uid, "client", client);
}

struct append {
    struct door *door;
    const char *text;
    size_t len;
    uint64_t expected, index;
};

static int append_proved(void *context)
{
    struct append *append = context;
    int status = ledger_append(append->door->ledger, append->text, append->len, &append->index);
    assert(status < 0 || append->index == append->expected);
    return status;
}

/* What the access rules must see of an act that is done. */
static void tell_rules(struct door *door, const json_t *entry)
{
    const char *act = json_string_value(json_object_get(entry, "act"));
    if (strncmp(act, "case.", 5) == 0 || strncmp(act, "folder.", 7) == 0)
        atomic_fetch_add(&door->rules.places, 1);
    if (strcmp(act, "classify") == 0 || strncmp(act, "case.", 5) == 0)
        door_rules_changed(door);
    if (strcmp(act, "view.end") == 0) /* pages need not go: what is restricted is never in them */
        atomic_fetch_add(&door->rules.generation, 1);
    if (strncmp(act, "user.", 5) == 0 && door_rules_people(door) < 0)
        sr_log_failure(
            "a change of an account is not seen by the access rules before the next one");
}

int door_act(struct door *door, json_t *entry, const json_t *private_part, uint64_t *index)
{
    struct sr_buf text = {0};
    struct append append = {.door = door, .expected = ledger_size(door->ledger)};
    int status = sr_json_canonical(entry, &text);
    if (status == 0 && text.failed)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status == 0 && private_part != NULL)
        status = entry_set(entry, "private", json_deep_copy(private_part));
    append.text = text.data;
    append.len = text.len;
    /* The catalog first, within a savepoint: what it would refuse must never come into the ledger, as
     * no store could be opened again that holds it. */
    if (status == 0)
        status = catalog_project_if(door->catalog, append.expected, entry, append_proved, &append);
    if (status == 0)
        *index = append.index;
    if (status == 0)
        tell_rules(door, entry);
    sr_buf_free(&text);
    json_decref(entry);
    return status;
}

int door_ready(struct door *door)
{
    pthread_mutex_lock(&door->lock);
    bool stopping = door->stopping;
    pthread_mutex_unlock(&door->lock);
    if (stopping)
        return sr_fail(SR_ERR_CLOSED, "the store is shutting down");
    return ledger_failing(door->ledger) ? ledger_commit(door->ledger, ledger_size(door->ledger) - 1)
                                        : 0;
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a: a folding key, nothing secret */
    for (; *text != '\0'; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* One refuse entry; count 1, or the number of repeats folded. Lock held. */
static void append_refusal(struct door *door, const struct refusal_fold *fold, uint64_t count)
{
    json_t *entry;
    uint64_t index;
    int status = entry_new(door->io, "refuse", &entry);
    if (status < 0)
        goto failed;
    if ((status = entry_set(entry, "uid", json_integer(fold->uid))) < 0 ||
        (status = entry_set(entry, "op", json_string(fold->op))) < 0 ||
        (status = entry_set(entry, "reason", json_string(fold->reason))) < 0 ||
        (status = entry_set(entry, "client", json_string(fold->client))) < 0 ||
        (status = entry_set(entry, "count", json_integer((json_int_t)count))) < 0 ||
        (status = entry_set(entry, "until", sr_json_i64_text(fold->last_ns))) < 0 ||
        (fold->node != 0 &&
         (status = entry_set(entry, "node", sr_json_u64_text(fold->node))) < 0) ||
        (fold->name[0] != '\0' &&
         (status = entry_set(entry, "name", json_string(fold->name))) < 0)) {
        json_decref(entry);
        goto failed;
    }
    status = door_act(door, entry, NULL, &index);
    if (status == 0) {
        ledger_kick(door->ledger);
        return;
    }
failed:
    sr_log_failure("a refusal could not be recorded");
}

static void fold_close(struct door *door, struct refusal_fold *fold)
{
    if (fold->repeats > 0)
        append_refusal(door, fold, fold->repeats);
    memset(fold, 0, sizeof *fold);
}

static struct refusal_fold *fold_find(struct door *door, const struct refusal_fold *key)
{
    for (size_t i = 0; i < DOOR_FOLDS; i++) {
        struct refusal_fold *fold = &door->folds[i];
        if (fold->until_ns != 0 && fold->uid == key->uid && fold->node == key->node &&
            fold->name_hash == key->name_hash && strcmp(fold->op, key->op) == 0 &&
            strcmp(fold->reason, key->reason) == 0)
            return fold;
    }
    return NULL;
}

static struct refusal_fold *fold_oldest(struct door *door)
{
    struct refusal_fold *oldest = &door->folds[0];
    for (size_t i = 1; i < DOOR_FOLDS; i++)
        if (door->folds[i].until_ns < oldest->until_ns)
            oldest = &door->folds[i];
    return oldest;
}

/* A name that is not UTF-8, or longer than names can be, is kept as far as it can be shown. */
static void shown_name(const char *name, char out[CATALOG_NAME_MAX + 1])
{
    size_t len = 0;
    for (; name[len] != '\0' && len < CATALOG_NAME_MAX - 3; len++)
        out[len] = name[len];
    while (len > 0 && name[len] != '\0' && ((uint8_t)name[len] & 0xc0) == 0x80)
        len--; /* not in the middle of a character */
    out[len] = '\0';
    bool valid = sr_utf8_valid(out, len);
    for (size_t i = 0; i < len; i++) /* a line break in a name must not make a line in 提示.txt */
        if ((uint8_t)out[i] < 0x20 || out[i] == 0x7f || (!valid && (uint8_t)out[i] >= 0x80))
            out[i] = '?';
    if (name[len] != '\0')
        strcpy(out + len, "…");
}

/* How many distinct refusals of one person a minute are kept apart. */
static bool over_budget(struct door *door, uint32_t uid, int64_t now)
{
    struct refusal_budget *budget = &door->budgets[uid % DOOR_BUDGETS];
    if (budget->uid != uid || now >= budget->until_ns)
        *budget = (struct refusal_budget){.uid = uid, .until_ns = now + DOOR_FOLD_NS};
    return ++budget->count > DOOR_BUDGET;
}

int door_refused(struct door *door, const struct door_actor *actor, const char *op,
                 const char *reason, uint64_t node, const char *name, int code)
{
    struct sr_error_copy why;
    struct refusal_fold key = {.uid = actor->uid, .node = node};
    struct door_actor who = door_who(door, actor);
    sr_error_save(&why, code);
    snprintf(key.op, sizeof key.op, "%s", op);
    snprintf(key.reason, sizeof key.reason, "%s", reason);
    if (name != NULL) {
        key.name_hash = hash_text(name);
        shown_name(name, key.name);
    }
    door_client(&who, key.client);
    key.last_ns = door->io->now_ns(door->io);
    int64_t now = door->io->boottime_ns(door->io);
    pthread_mutex_lock(&door->lock);
    struct refusal_fold *fold = fold_find(door, &key);
    if ((fold == NULL || fold->until_ns <= now) && over_budget(door, key.uid, now)) {
        key.node = key.name_hash = 0; /* from here on only what was tried, not on what */
        key.name[0] = '\0';
        fold = fold_find(door, &key);
    }
    if (fold != NULL && fold->until_ns > now) {
        fold->repeats++;
        fold->last_ns = key.last_ns;
    } else {
        if (fold == NULL)
            fold = fold_oldest(door);
        fold_close(door, fold);
        key.until_ns = now + DOOR_FOLD_NS;
        *fold = key;
        append_refusal(door, fold, 1);
    }
    pthread_mutex_unlock(&door->lock);
    return sr_error_raise(&why);
}

void door_flush_folds(struct door *door, bool force)
{
    int64_t now = door->io->boottime_ns(door->io);
    pthread_mutex_lock(&door->lock);
    for (size_t i = 0; i < DOOR_FOLDS; i++)
        if (door->folds[i].until_ns != 0 && (force || door->folds[i].until_ns <= now))
            fold_close(door, &door->folds[i]);
    pthread_mutex_unlock(&door->lock);
}
