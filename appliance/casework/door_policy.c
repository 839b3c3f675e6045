/* The policy in force: loading it, asking it, replacing it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "casework/door_internal.h"
#include "casework/policy_expect.h"

#define SCRATCH_KEPT 16 /* arenas kept for the next question */

struct rules_scratch {
    struct rules_scratch *next;
    struct cedar_arena arena;
};

/* --- the view --- */

/* A ref of the view in force, and an arena; put back with give. */
static struct policy_view *take(struct door *door, struct rules_scratch **scratch)
{
    struct rules *rules = &door->rules;
    pthread_mutex_lock(&rules->lock);
    struct policy_view *view = rules->view;
    policy_view_ref(view);
    *scratch = rules->scratch;
    if (*scratch != NULL) {
        rules->scratch = (*scratch)->next;
        rules->scratch_count--;
    }
    pthread_mutex_unlock(&rules->lock);
    if (*scratch == NULL && (*scratch = malloc(sizeof **scratch)) != NULL)
        cedar_arena_init(&(*scratch)->arena, CEDAR_SCRATCH_MAX);
    return view;
}

static void scratch_free(struct rules_scratch *scratch)
{
    if (scratch == NULL)
        return;
    cedar_arena_free(&scratch->arena);
    free(scratch);
}

static void give(struct door *door, struct policy_view *view, struct rules_scratch *scratch)
{
    struct rules *rules = &door->rules;
    pthread_mutex_lock(&rules->lock);
    if (scratch != NULL && rules->scratch_count < SCRATCH_KEPT) {
        scratch->next = rules->scratch;
        rules->scratch = scratch;
        rules->scratch_count++;
        scratch = NULL;
    }
    pthread_mutex_unlock(&rules->lock);
    scratch_free(scratch);
    policy_view_unref(view);
}

/* Pages of what is open: whoever reads on must be asked again, and the kernel would not ask. */
static void forget_pages(struct door *door)
{
    uint64_t *nodes = NULL;
    size_t count = 0;
    if (door->config.invalidate == NULL)
        return;
    pthread_mutex_lock(&door->rules.lock);
    for (struct door_file *file = door->rules.files; file != NULL; file = file->next_file)
        count++;
    nodes = calloc(count + 1, sizeof *nodes);
    count = 0;
    for (struct door_file *file = door->rules.files; nodes != NULL && file != NULL;
         file = file->next_file)
        nodes[count++] = file->node;
    pthread_mutex_unlock(&door->rules.lock);
    if (nodes == NULL)
        sr_log(SR_LOG_ERROR, "no memory to take the kernel's pages away after a policy change");
    for (size_t i = 0; i < count; i++)
        door->config.invalidate(door->config.invalidate_context, nodes[i], 0, NULL);
    free(nodes);
}

static void put_in_force(struct door *door, struct policy_view *view)
{
    pthread_mutex_lock(&door->rules.lock);
    struct policy_view *before = door->rules.view;
    door->rules.view = view;
    pthread_mutex_unlock(&door->rules.lock);
    policy_view_unref(before);
    door_rules_changed(door);
}

void door_rules_changed(struct door *door)
{
    atomic_fetch_add(&door->rules.generation, 1);
    atomic_store(&door->rules.stale, true);
    pthread_cond_signal(&door->wake);
}

void door_rules_forget(struct door *door)
{
    if (atomic_exchange(&door->rules.stale, false))
        forget_pages(door);
}

int door_rules_people(struct door *door)
{
    struct policy_view *view;
    int status = policy_view_new(policy_view_policy(door->rules.view), door->catalog, &view);
    if (status == 0)
        put_in_force(door, view);
    return status;
}

void door_rules_free(struct door *door)
{
    while (door->rules.scratch != NULL) {
        struct rules_scratch *scratch = door->rules.scratch;
        door->rules.scratch = scratch->next;
        scratch_free(scratch);
    }
    policy_view_unref(door->rules.view);
    policy_unref(door->rules.loaded);
    while (door->rules.retired_count > 0)
        agency_free(door->rules.retired[--door->rules.retired_count]);
    free(door->rules.retired);
    pthread_mutex_destroy(&door->rules.lock);
}

/* --- asking --- */

/* Records and folders lie where their folder lies; a case or a stage of it is asked about itself. */
static uint64_t folder_of(const struct catalog_node *node)
{
    bool inner = node->kind == CATALOG_KIND_RECORD || node->kind == CATALOG_KIND_STUB ||
                 node->kind == CATALOG_KIND_FOLDER || node->kind == CATALOG_KIND_UNFILED_DATE;
    return inner ? node->parent : node->id;
}

static bool recall_place(struct rules *rules, uint64_t folder, struct door_place *out)
{
    const struct door_place *known = &rules->known[folder % DOOR_PLACES];
    pthread_mutex_lock(&rules->lock);
    bool fresh = known->folder == folder && known->generation == atomic_load(&rules->places);
    if (fresh)
        *out = *known;
    pthread_mutex_unlock(&rules->lock);
    return fresh;
}

static int find_place(struct door *door, const struct catalog_node *node, struct door_place *out)
{
    struct rules *rules = &door->rules;
    struct catalog_node anchor, in_case;
    uint64_t folder = folder_of(node);
    if (recall_place(rules, folder, out))
        return 0;
    memset(out, 0, sizeof *out);
    out->folder = folder;
    out->generation = atomic_load(&rules->places); /* before looking: what changes since is newer */
    int status = place_anchor(door, node, &anchor);
    if (status < 0)
        return status;
    out->unfiled = anchor.kind == CATALOG_KIND_UNFILED_USER;
    out->unfiled_of = anchor.uid;
    status = catalog_case_of(door->catalog, anchor.id, &in_case);
    if (status == 0 && (status = catalog_case(door->catalog, in_case.id, &out->owner)) == 0)
        out->in_case = true;
    else if (status != SR_ERR_NOT_FOUND)
        return status;
    pthread_mutex_lock(&rules->lock);
    rules->known[folder % DOOR_PLACES] = *out;
    pthread_mutex_unlock(&rules->lock);
    return 0;
}

int door_rules_fill(struct door *door, const struct catalog_node *node, struct door_place *place,
                    struct policy_question *question)
{
    if (node == NULL)
        return 0;
    int status = find_place(door, node, place);
    if (status < 0)
        return status;
    question->in_case = place->in_case ? &place->owner : NULL;
    question->unfiled = place->unfiled;
    question->unfiled_of = place->unfiled_of;
    return 0;
}

/* A fault is told once a second at most, by the sealer, as an alert needs the door's lock. */
static void note_fault(struct door *door, const char *fault)
{
    pthread_mutex_lock(&door->rules.lock);
    snprintf(door->rules.fault, sizeof door->rules.fault, "%s", fault);
    pthread_mutex_unlock(&door->rules.lock);
}

void door_rules_tell(struct door *door)
{
    char fault[sizeof door->rules.fault];
    pthread_mutex_lock(&door->rules.lock);
    bool told = strcmp(door->rules.fault, door->rules.fault_told) == 0;
    memcpy(fault, door->rules.fault, sizeof fault);
    memcpy(door->rules.fault_told, fault, sizeof fault);
    pthread_mutex_unlock(&door->rules.lock);
    if (told)
        return;
    sr_log(SR_LOG_ERROR, "access was denied because a rule could not be evaluated: %s", fault);
    door_alert(door, "policy.fault", NULL, fault);
}

bool door_allows(struct door *door, const struct catalog_user *user, enum act act,
                 const struct catalog_node *node)
{
    return door_allows_for(door, user, act, node, NULL);
}

bool door_allows_for(struct door *door, const struct catalog_user *user, enum act act,
                     const struct catalog_node *node, const char *purpose)
{
    struct policy_question question = {.user = user, .act = act, .node = node, .purpose = purpose};
    struct policy_answer answer = {.allow = false};
    struct rules_scratch *scratch;
    struct door_place place;
    /* With a password that others know: nothing but the text that says what to do. */
    if (user->first_password[0] != '\0' &&
        (act != ACT_PLACES || node == NULL ||
         (node->kind != CATALOG_KIND_ROOT && node->id != CATALOG_NOTICE)))
        return false;
    if (door_rules_fill(door, node, &place, &question) < 0)
        return false;
    struct policy_view *view = take(door, &scratch);
    if (scratch != NULL)
        policy_ask(view, &scratch->arena, &question, &answer);
    give(door, view, scratch);
    if (answer.faulted)
        note_fault(door, answer.fault);
    return answer.allow;
}

bool door_can(struct door *door, const struct door_actor *actor, const char *act)
{
    struct catalog_user user;
    int number = authorise_act_by_name(act);
    return number >= 0 && door_user(door, actor, &user) == 0 &&
           door_allows(door, &user, (enum act)number, NULL);
}

/* --- loading --- */

static int add_file(void *context, const char *name, const uint8_t sha256[SR_SHA256_LEN])
{
    json_t *files = context;
    json_t *file = json_object();
    int status = file != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status == 0 && (status = entry_set(file, "file", json_string(name))) == 0)
        status = entry_set(file, "sha256", sr_json_hex(sha256, SR_SHA256_LEN));
    if (status < 0 || json_array_append(files, file) != 0)
        status = status < 0 ? status : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    json_decref(file);
    return status;
}

/* policy.load. Lock held. */
static int append_load(struct door *door, uint32_t uid, const struct agency *agency,
                       const struct policy *policy, uint64_t *index)
{
    json_t *entry = NULL, *files = json_array();
    int status = files != NULL ? entry_new(door->io, "policy.load", &entry)
                               : sr_fail(SR_ERR_NO_MEMORY, "no memory for a ledger entry");
    if (status == 0)
        status = agency_files(agency, add_file, files);
    for (size_t i = 0; status == 0 && i < policy_file_count(policy); i++)
        status = add_file(files, policy_file(policy, i)->name, policy_file(policy, i)->sha256);
    if (status == 0)
        status = entry_set(entry, "files", json_incref(files));
    if (status == 0)
        status = entry_set(entry, "uid", json_integer(uid));
    json_decref(files);
    if (status < 0) {
        json_decref(entry);
        return status;
    }
    return door_act(door, entry, NULL, index);
}

int door_rules_load(struct door *door)
{
    return policy_load(door->io, door->config.policy_dir, NULL, NULL, &door->rules.loaded);
}

int door_rules_start(struct door *door)
{
    uint64_t index;
    int status = policy_view_new(door->rules.loaded, door->catalog, &door->rules.view);
    if (status < 0)
        return status;
    policy_unref(door->rules.loaded); /* the view has its own */
    door->rules.loaded = NULL;
    return append_load(door, 0, door->agency, policy_view_policy(door->rules.view), &index);
}

/* What goes may still be read by somebody: it is kept until the end. Lock held. */
static int retire(struct door *door, struct agency *fresh)
{
    struct rules *rules = &door->rules;
    struct agency **longer =
        realloc(rules->retired, (rules->retired_count + 1) * sizeof *rules->retired);
    if (longer == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a policy");
    rules->retired = longer;
    rules->retired[rules->retired_count++] = door->agency;
    door->agency = fresh;
    door->workflow = fresh->workflow;
    return 0;
}

void door_rules_opened(struct door_file *file)
{
    struct rules *rules = &file->door->rules;
    pthread_mutex_lock(&rules->lock);
    file->generation = atomic_load(&rules->generation);
    file->next_file = rules->files;
    if (rules->files != NULL)
        rules->files->previous_file = file;
    rules->files = file;
    pthread_mutex_unlock(&rules->lock);
}

void door_rules_closed(struct door_file *file)
{
    struct rules *rules = &file->door->rules;
    pthread_mutex_lock(&rules->lock);
    if (file->next_file != NULL)
        file->next_file->previous_file = file->previous_file;
    if (file->previous_file != NULL)
        file->previous_file->next_file = file->next_file;
    else
        rules->files = file->next_file;
    pthread_mutex_unlock(&rules->lock);
}

int door_rules_again(struct door_file *file, enum act act, const char *op)
{
    struct door *door = file->door;
    uint64_t generation = atomic_load(&door->rules.generation);
    struct catalog_user user;
    struct catalog_node node;
    if (file->generation == generation)
        return 0;
    int status = door_user(door, &file->actor, &user);
    if (status == 0 && (status = catalog_get(door->catalog, file->node, &node)) == 0 &&
        (status = place_visible(door, &user, &node)) == 0 && node.kind == CATALOG_KIND_RECORD &&
        !door_allows(door, &user, act, &node))
        status = sr_fail(SR_ERR_DENIED, "%s may not %s this record any more", user.account, op);
    if (status < 0)
        return door_refused(door, &file->actor, op, "denied", file->node, NULL,
                            status == SR_ERR_NOT_FOUND ? SR_ERR_DENIED : status);
    file->generation = generation;
    return 0;
}

/* --- replacing --- */

struct replacement {
    struct agency *agency;
    struct policy *policy;
    struct policy_view *view;
};

static void replacement_free(struct replacement *fresh)
{
    agency_free(fresh->agency);
    policy_unref(fresh->policy);
    policy_view_unref(fresh->view);
}

/* Everything that can be wrong is found here, before anything is replaced. */
static int replacement_make(struct door *door, const char *dir, struct replacement *fresh)
{
    memset(fresh, 0, sizeof *fresh);
    int status = agency_load(door->io, dir, &fresh->agency);
    if (status == 0)
        status = retention_check_longer(door->agency->retention, fresh->agency->retention);
    if (status == 0)
        status =
            catalog_categories(door->catalog, retention_check_category, fresh->agency->retention);
    if (status == 0)
        status = policy_load(door->io, dir, NULL, NULL, &fresh->policy);
    if (status == 0)
        status = policy_view_new(fresh->policy, door->catalog, &fresh->view);
    return status == 0 ? policy_expect_folder(door, dir, fresh->view) : status;
}

/* Lock held. From here on the new rules are in force. */
static int replace(struct door *door, uint32_t uid, struct replacement *fresh, uint64_t *index)
{
    int status = append_load(door, uid, fresh->agency, fresh->policy, index);
    if (status < 0 || (status = retire(door, fresh->agency)) < 0)
        return status;
    if (door->config.settle_ns < 0)
        door->settle_ns = workflow_settle_ns(door->workflow);
    fresh->agency = NULL;
    put_in_force(door, fresh->view);
    fresh->view = NULL;
    return 0;
}

int door_policy_reload(struct door *door, const struct door_actor *actor)
{
    struct replacement fresh;
    uint64_t index = 0;
    int status = door_may(door, actor, "policy.reload");
    if (status < 0 || (status = door_ready(door)) < 0)
        return status;
    status = replacement_make(door, door->config.policy_dir, &fresh);
    if (status == 0) {
        pthread_mutex_lock(&door->lock);
        status = replace(door, actor->uid, &fresh, &index);
        pthread_mutex_unlock(&door->lock);
    }
    struct sr_error_copy why;
    sr_error_save(&why, status);
    replacement_free(&fresh);
    if (status < 0)
        return sr_error_raise(&why);
    door_rules_forget(door);
    return ledger_commit(door->ledger, index);
}

/* --- showing --- */

int door_policy_show(struct door *door, const struct door_actor *actor, door_policy_file_fn *fn,
                     void *context)
{
    struct rules_scratch *scratch;
    int status = door_may(door, actor, "policy.show");
    if (status < 0)
        return status;
    struct policy_view *view = take(door, &scratch);
    struct policy *policy = policy_view_policy(view);
    pthread_mutex_lock(&door->lock);
    const struct agency *agency = door->agency; /* kept until the end, see retire */
    pthread_mutex_unlock(&door->lock);
    status = agency_files(agency, fn, context);
    for (size_t i = 0; status == 0 && i < policy_file_count(policy); i++)
        status = fn(context, policy_file(policy, i)->name, policy_file(policy, i)->sha256);
    give(door, view, scratch);
    return status;
}

int door_policy_explain(struct door *door, const struct door_actor *actor,
                        const struct door_policy_question *question, bool *allow,
                        door_policy_reason_fn *fn, void *context)
{
    struct rules_scratch *scratch;
    int status = door_may(door, actor, "policy.explain");
    if (status < 0)
        return status;
    struct policy_view *view = take(door, &scratch);
    status = scratch != NULL
                 ? policy_expect_ask(door, view, &scratch->arena, question, allow, fn, context)
                 : sr_fail(SR_ERR_NO_MEMORY, "no memory for a question");
    give(door, view, scratch);
    return status;
}

int door_policy_test(struct door *door, const struct door_actor *actor, const char *name,
                     const uint8_t *data, size_t len, struct door_policy_report *report)
{
    struct rules_scratch *scratch;
    int status = door_may(door, actor, "policy.test");
    if (status < 0)
        return status;
    struct policy_view *view = take(door, &scratch);
    status = policy_expect_text(door, view, name, data, len, report);
    give(door, view, scratch);
    return status;
}
