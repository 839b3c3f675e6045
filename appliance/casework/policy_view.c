/* People and places as Cedar entities, and the questions about them. */
#include "casework/policy.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_entities.h"

#define ROOT_ACCOUNT "root" /* uid 0; no account of the vault can have this name */
#define STORE_ID "store"

/* Entity types and attributes of policy/strongroom.cedarschema. */
#define POLICY_WORDS(X)        \
    X(USER, "User")            \
    X(ROLE, "Role")            \
    X(ACTION, "Action")        \
    X(STORE, "Store")          \
    X(PLACE, "Place")          \
    X(FOLDER, "Folder")        \
    X(RECORD, "Record")        \
    X(UID, "uid")              \
    X(NAME, "name")            \
    X(UNIT, "unit")            \
    X(CLEARANCE, "clearance")  \
    X(KIND, "kind")            \
    X(LEVEL, "level")          \
    X(WORK, "workSecret")      \
    X(TRADE, "tradeSecret")    \
    X(PRIVACY, "privacy")      \
    X(COVERT, "covert")        \
    X(LEADS, "leads")          \
    X(HELPERS, "helpers")      \
    X(SENDER, "sender")        \
    X(SEALED, "sealed")        \
    X(DRAFT, "draft")          \
    X(UNFILED_OF, "unfiledOf") \
    X(PURPOSE, "purpose")

enum word {
#define WORD_ENUM(name, text) WORD_##name,
    POLICY_WORDS(WORD_ENUM)
#undef WORD_ENUM
        WORD_COUNT
};

static const char *const word_texts[WORD_COUNT] = {
#define WORD_TEXT(name, text) [WORD_##name] = text,
    POLICY_WORDS(WORD_TEXT)
#undef WORD_TEXT
};

struct person {
    uint32_t uid;
    const struct cedar_uid *entity;
};

struct policy_view {
    atomic_uint refs;
    struct policy *policy;
    struct cedar_entities *store; /* users, sealed; what follows lives in its arena */
    const struct cedar_text *words[WORD_COUNT];
    uint8_t rank[WORD_COUNT]; /* in the order of a record's members */
    const struct cedar_uid *actions[ACT_COUNT];
    const struct cedar_uid *store_uid;
    struct person *people; /* by uid */
    size_t people_count, people_capacity;
};

/* --- making --- */

static int full(struct cedar_arena *arena)
{
    return cedar_arena_full(arena, "the view of the access rules");
}

static const struct cedar_uid *uid_of(const struct policy_view *view, struct cedar_arena *arena,
                                      enum word type, const char *id)
{
    const struct cedar_text *text = cedar_text_make(arena, id, strlen(id));
    return text != NULL ? cedar_uid_make(arena, view->words[type], text) : NULL;
}

static int compare_people(const void *a, const void *b)
{
    uint32_t one = ((const struct person *)a)->uid, other = ((const struct person *)b)->uid;
    return (one > other) - (one < other);
}

/* NULL: no account of the vault has or had it. */
static const struct cedar_uid *find_person(const struct policy_view *view, uint32_t uid)
{
    struct person wanted = {.uid = uid};
    /* Uids are given out in order, so people mostly stand where theirs says; the first is root. */
    size_t likely = view->people_count > 1 ? (size_t)(uid - view->people[1].uid) + 1 : 0;
    const struct person *found =
        likely < view->people_count && view->people[likely].uid == uid
            ? &view->people[likely]
            : bsearch(&wanted, view->people, view->people_count, sizeof wanted, compare_people);
    return found != NULL ? found->entity : NULL;
}

static int keep_person(struct policy_view *view, uint32_t uid, const struct cedar_uid *entity)
{
    if (view->people_count == view->people_capacity) {
        size_t capacity = view->people_capacity > 0 ? 2 * view->people_capacity : 64;
        struct person *longer = realloc(view->people, capacity * sizeof *longer);
        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for the access rules");
        view->people = longer;
        view->people_capacity = capacity;
    }
    view->people[view->people_count++] = (struct person){.uid = uid, .entity = entity};
    return 0;
}

static int make_words(struct policy_view *view)
{
    struct cedar_arena *arena = cedar_entities_arena(view->store);
    for (size_t i = 0; i < WORD_COUNT; i++) {
        view->words[i] = cedar_text_make(arena, word_texts[i], strlen(word_texts[i]));
        if (view->words[i] == NULL)
            return full(arena);
    }
    for (size_t i = 0; i < WORD_COUNT; i++)
        for (size_t k = 0; k < WORD_COUNT; k++)
            view->rank[i] += cedar_text_compare(view->words[k], view->words[i]) < 0;
    for (int act = 0; act < ACT_COUNT; act++) {
        view->actions[act] = uid_of(view, arena, WORD_ACTION, authorise_act_name((enum act)act));
        if (view->actions[act] == NULL)
            return full(arena);
    }
    view->store_uid = uid_of(view, arena, WORD_STORE, STORE_ID);
    return view->store_uid != NULL ? 0 : full(arena);
}

/* Members of one record, in the making, each where its rank says: so they need not be sorted. failed: the
 * arena was full. */
struct members {
    const struct policy_view *view;
    struct cedar_arena *arena;
    struct cedar_member list[WORD_COUNT];
    bool failed;
};

static void add(struct members *members, enum word key, struct cedar_value value)
{
    members->list[members->view->rank[key]] =
        (struct cedar_member){.key = members->view->words[key], .value = value};
}

static void add_bool(struct members *members, enum word key, bool value)
{
    add(members, key, (struct cedar_value){.kind = CEDAR_BOOL, .boolean = value});
}

static void add_text(struct members *members, enum word key, const char *text)
{
    const struct cedar_text *made = cedar_text_make(members->arena, text, strlen(text));
    members->failed |= made == NULL;
    add(members, key, (struct cedar_value){.kind = CEDAR_STRING, .text = made});
}

static void add_long(struct members *members, enum word key, int64_t value)
{
    add(members, key, (struct cedar_value){.kind = CEDAR_LONG, .number = value});
}

/* Left out when the person is not known (a record whose key is destroyed has no sender any more). */
static void add_user(struct members *members, enum word key, uint32_t uid)
{
    const struct cedar_uid *person = find_person(members->view, uid);
    if (person != NULL)
        add(members, key, (struct cedar_value){.kind = CEDAR_ENTITY, .uid = person});
}

static void add_people(struct members *members, enum word key, const uint32_t *uids, size_t count)
{
    struct cedar_value items[CATALOG_HELPERS_MAX];
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        const struct cedar_uid *person = find_person(members->view, uids[i]);
        if (person != NULL)
            items[known++] = (struct cedar_value){.kind = CEDAR_ENTITY, .uid = person};
    }
    const struct cedar_set *set = cedar_set_make(members->arena, items, known, NULL);
    members->failed |= set == NULL;
    add(members, key, (struct cedar_value){.kind = CEDAR_SET, .set = set});
}

/* NULL: the arena is full. */
static const struct cedar_record *members_end(struct members *members)
{
    const struct cedar_record *record = NULL;
    size_t count = 0;
    for (size_t i = 0; i < WORD_COUNT; i++)
        if (members->list[i].key != NULL)
            members->list[count++] = members->list[i];
    if (!members->failed)
        (void)cedar_record_make(members->arena, members->list, count, &record);
    return record;
}

static int add_person(void *context, const struct catalog_user *user)
{
    struct policy_view *view = context;
    struct cedar_arena *arena = cedar_entities_arena(view->store);
    const struct cedar_uid *roles[CATALOG_ROLES_MAX];
    const struct cedar_uid *uid =
        uid_of(view, arena, WORD_USER, user->uid == 0 ? ROOT_ACCOUNT : user->account);
    struct members members = {.view = view, .arena = arena};
    add_long(&members, WORD_UID, user->uid);
    add_text(&members, WORD_NAME, user->name);
    add_text(&members, WORD_UNIT, user->unit);
    add_long(&members, WORD_CLEARANCE, user->clearance);
    const struct cedar_record *attrs = members_end(&members);
    for (size_t i = 0; i < user->role_count; i++)
        if ((roles[i] = uid_of(view, arena, WORD_ROLE, user->roles[i])) == NULL)
            return full(arena);
    if (uid == NULL || attrs == NULL)
        return full(arena);
    int status = keep_person(view, user->uid, uid);
    return status < 0 ? status
                      : cedar_entities_add(view->store, uid, attrs, NULL, roles, user->role_count);
}

int policy_view_new(struct policy *policy, struct catalog *catalog, struct policy_view **out)
{
    static const struct catalog_user root = {.uid = 0};
    struct policy_view *view = calloc(1, sizeof *view);
    *out = NULL;
    if (view == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for the access rules");
    view->refs = 1;
    view->policy = policy;
    policy_ref(policy);
    int status = cedar_entities_new(0, &view->store);
    if (status == 0)
        status = make_words(view);
    if (status == 0)
        status = add_person(view, &root);
    if (status == 0)
        status = catalog_users(catalog, add_person, view);
    if (status == 0)
        status = cedar_entities_seal(view->store);
    qsort(view->people, view->people_count, sizeof view->people[0], compare_people);
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        policy_view_unref(view);
        return sr_error_raise(&why);
    }
    *out = view;
    return 0;
}

void policy_view_ref(struct policy_view *view)
{
    atomic_fetch_add(&view->refs, 1);
}

void policy_view_unref(struct policy_view *view)
{
    if (view == NULL || atomic_fetch_sub(&view->refs, 1) != 1)
        return;
    cedar_entities_free(view->store);
    free(view->people);
    policy_unref(view->policy);
    free(view);
}

struct policy *policy_view_policy(const struct policy_view *view)
{
    return view->policy;
}

/* --- asking --- */

static enum word type_of(enum catalog_kind kind)
{
    switch (kind) {
    case CATALOG_KIND_RECORD:
    case CATALOG_KIND_STUB:
        return WORD_RECORD;
    case CATALOG_KIND_FOLDER:
    case CATALOG_KIND_UNFILED_USER:
    case CATALOG_KIND_UNFILED_DATE:
        return WORD_FOLDER;
    default:
        return WORD_PLACE;
    }
}

static void add_class(struct members *members, const struct catalog_node *node)
{
    add_long(members, WORD_LEVEL, node->level);
    add_bool(members, WORD_WORK, node->marks & CATALOG_MARK_WORK_SECRET);
    add_bool(members, WORD_TRADE, node->marks & CATALOG_MARK_TRADE_SECRET);
    add_bool(members, WORD_PRIVACY, node->marks & CATALOG_MARK_PRIVACY);
    add_bool(members, WORD_COVERT, node->marks & CATALOG_MARK_COVERT);
}

static void add_case(struct members *members, const struct catalog_case *in_case)
{
    if (in_case->unit[0] != '\0')
        add_text(members, WORD_UNIT, in_case->unit);
    add_people(members, WORD_LEADS, in_case->lead, in_case->lead_count);
    add_people(members, WORD_HELPERS, in_case->helpers, in_case->helper_count);
}

/* The node as an entity; NULL: scratch is full. */
static const struct cedar_entity *node_entity(const struct policy_view *view,
                                              struct cedar_arena *scratch,
                                              const struct policy_question *question)
{
    const struct catalog_node *node = question->node;
    struct members members = {.view = view, .arena = scratch};
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)node->id);
    const struct cedar_uid *uid = uid_of(view, scratch, type_of(node->kind), id);
    add_text(&members, WORD_KIND, catalog_kind_word(node->kind));
    add_class(&members, node);
    if (question->in_case != NULL)
        add_case(&members, question->in_case);
    if (node->kind == CATALOG_KIND_RECORD) {
        add_bool(&members, WORD_SEALED, node->version.state != CATALOG_STAGING);
        add_bool(&members, WORD_DRAFT, node->draft);
        add_user(&members, WORD_SENDER, node->version.uid);
    }
    if (question->unfiled)
        add_user(&members, WORD_UNFILED_OF, question->unfiled_of);
    const struct cedar_record *attrs = members_end(&members);
    if (uid == NULL || attrs == NULL)
        return NULL;
    return cedar_entity_make(scratch, view->store, uid, attrs, NULL, NULL, 0);
}

/* What is said beside the question; NULL and 0: nothing. */
static int make_context(const struct policy_view *view, struct cedar_arena *scratch,
                        const struct policy_question *question, const struct cedar_record **out)
{
    struct members members = {.view = view, .arena = scratch};
    *out = NULL;
    if (question->purpose == NULL)
        return 0;
    assert(question->act == ACT_READ || question->act == ACT_EXPORT);
    add_text(&members, WORD_PURPOSE, question->purpose);
    *out = members_end(&members);
    return *out != NULL ? 0 : full(scratch);
}

static void fail_answer(struct policy_answer *answer, const char *why)
{
    answer->allow = false;
    answer->faulted = true;
    snprintf(answer->fault, sizeof answer->fault, "%s", why);
}

/* The first forbid that could not be evaluated. Cedar skips it; here it denies. */
static void tell_fault(const struct policy_view *view, const struct cedar_response *response,
                       struct policy_answer *answer)
{
    char why[128], text[256];
    for (size_t i = 0; i < response->fault_count; i++) {
        struct cedar_policy_info info;
        cedar_policies_info(policy_rules(view->policy), response->faults[i].policy, &info);
        if (!info.forbid)
            continue;
        snprintf(text, sizeof text, "%s:%u: %s", info.file, response->faults[i].line,
                 cedar_fault_text(&response->faults[i], why, sizeof why));
        fail_answer(answer, text);
        return;
    }
}

static void decide(const struct policy_view *view, struct cedar_arena *scratch,
                   const struct policy_question *question, struct cedar_response *response,
                   struct policy_answer *answer)
{
    const struct cedar_entity *resource = NULL;
    const struct cedar_record *context;
    *answer = (struct policy_answer){.allow = false};
    *response = (struct cedar_response){.allow = false};
    cedar_arena_reset(scratch);
    const struct cedar_uid *principal = find_person(view, question->user->uid);
    if (principal == NULL)
        return; /* nobody of this vault: no rule permits it anything */
    if (question->node != NULL)
        resource = node_entity(view, scratch, question);
    if ((question->node != NULL && resource == NULL) ||
        make_context(view, scratch, question, &context) < 0) {
        fail_answer(answer, "a question takes more memory than it may");
        return;
    }
    struct cedar_request request = {
        .principal = principal,
        .action = view->actions[question->act],
        .resource = resource != NULL ? resource->uid : view->store_uid,
        .context = context,
        .entities = view->store,
        .extra = &resource,
        .extra_count = resource != NULL,
    };
    if (cedar_authorize(policy_rules(view->policy), &request, scratch, response) < 0) {
        fail_answer(answer, sr_error_message());
        return;
    }
    answer->allow = response->allow;
    if (response->forbid_faulted)
        tell_fault(view, response, answer);
}

void policy_ask(const struct policy_view *view, struct cedar_arena *scratch,
                const struct policy_question *question, struct policy_answer *answer)
{
    struct cedar_response response;
    decide(view, scratch, question, &response, answer);
}

int policy_explain(const struct policy_view *view, struct cedar_arena *scratch,
                   const struct policy_question *question, struct policy_answer *answer,
                   policy_reason_fn *fn, void *context)
{
    const struct cedar_policies *rules = policy_rules(view->policy);
    struct cedar_response response;
    struct cedar_policy_info info;
    char why[128];
    int status = 0;
    decide(view, scratch, question, &response, answer);
    for (size_t i = 0; status == 0 && i < response.reason_count; i++) {
        const char *id = cedar_policies_annotation(rules, response.reasons[i], "id");
        cedar_policies_info(rules, response.reasons[i], &info);
        status = fn(context, &info, id != NULL ? id : "", NULL);
    }
    for (size_t i = 0; status == 0 && i < response.fault_count; i++) {
        const char *id = cedar_policies_annotation(rules, response.faults[i].policy, "id");
        cedar_policies_info(rules, response.faults[i].policy, &info);
        status = fn(context, &info, id != NULL ? id : "",
                    cedar_fault_text(&response.faults[i], why, sizeof why));
    }
    return status;
}
