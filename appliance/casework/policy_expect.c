#include "casework/policy_expect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "casework/door_internal.h"
#include "casework/policyfile.h"

struct expectation {
    char *user, *action, *path, *purpose, *decision; /* path NULL: the store; purpose NULL: none */
};

struct expectations {
    struct expectation *items;
    unsigned items_count; /* libcyaml counts in this */
};

/* All scalars are strings, none may be left out but path and purpose. */
static const struct cyaml_schema_field item_fields[] = {
    CYAML_FIELD_STRING_PTR("user", CYAML_FLAG_POINTER, struct expectation, user, 1, 63),
    CYAML_FIELD_STRING_PTR("action", CYAML_FLAG_POINTER, struct expectation, action, 1, 63),
    CYAML_FIELD_STRING_PTR("path", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct expectation,
                           path, 1, 4096),
    CYAML_FIELD_STRING_PTR("purpose", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct expectation,
                           purpose, 1, CATALOG_PURPOSE_MAX),
    CYAML_FIELD_STRING_PTR("decision", CYAML_FLAG_POINTER, struct expectation, decision, 1, 63),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value item_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct expectation, item_fields),
};
static const struct cyaml_schema_field top_fields[] = {
    CYAML_FIELD_SEQUENCE("expectations", CYAML_FLAG_POINTER, struct expectations, items,
                         &item_schema, 1, POLICY_EXPECT_MAX),
    CYAML_FIELD_END,
};
static const struct cyaml_schema_value top_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct expectations, top_fields),
};

/* The node at path, whoever asks. SR_ERR_NOT_FOUND. */
static int resolve(struct door *door, const char *path, struct catalog_node *out)
{
    char name[CATALOG_NAME_MAX + 1];
    const char *at = path;
    int status = catalog_get(door->catalog, CATALOG_ROOT, out);
    while (status == 0 && *at != '\0') {
        size_t len = strcspn(at, "/");
        if (len > CATALOG_NAME_MAX)
            status = SR_ERR_NOT_FOUND;
        if (status == 0 && len > 0) {
            memcpy(name, at, len);
            name[len] = '\0';
            status = catalog_lookup(door->catalog, out->id, name, out);
        }
        at += len + (at[len] == '/');
    }
    return status == SR_ERR_NOT_FOUND ? sr_fail(SR_ERR_NOT_FOUND, "there is no %s", path) : status;
}

struct reasons {
    door_policy_reason_fn *fn;
    void *context;
};

static int tell_reason(void *context, const struct cedar_policy_info *info, const char *id,
                       const char *fault)
{
    struct reasons *reasons = context;
    struct door_policy_reason reason = {
        .file = info->file, .line = info->line, .id = id, .forbid = info->forbid, .fault = fault};
    return reasons->fn != NULL ? reasons->fn(reasons->context, &reason) : 0;
}

int policy_expect_ask(struct door *door, const struct policy_view *view,
                      struct cedar_arena *scratch, const struct door_policy_question *asked,
                      bool *allow, door_policy_reason_fn *fn, void *context)
{
    struct policy_question question = {.purpose = asked->purpose};
    struct policy_answer answer;
    struct reasons reasons = {.fn = fn, .context = context};
    struct door_place place;
    struct catalog_node node;
    struct catalog_user user = {.uid = 0};
    int number = authorise_act_by_name(asked->act), status = 0;
    if (number < 0)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no action \"%s\"", asked->act);
    if (asked->purpose != NULL && number != ACT_READ && number != ACT_EXPORT)
        return sr_fail(SR_ERR_NOT_FOUND, "a purpose goes with read and export, not with \"%s\"",
                       asked->act);
    if (asked->path != NULL && (status = resolve(door, asked->path, &node)) < 0)
        return status;
    if (strcmp(asked->account, "root") != 0)
        status = catalog_user_by_account(door->catalog, asked->account, &user);
    if (status == SR_ERR_NOT_FOUND)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no account \"%s\"", asked->account);
    question.node = asked->path != NULL ? &node : NULL;
    if (status < 0 || (status = door_rules_fill(door, question.node, &place, &question)) < 0)
        return status;
    question.user = &user;
    question.act = (enum act)number;
    status = policy_explain(view, scratch, &question, &answer, tell_reason, &reasons);
    *allow = answer.allow;
    return status;
}

/* One expectation. *met says; why is the sentence for one that is not. */
static int check(struct door *door, const struct policy_view *view, struct cedar_arena *scratch,
                 const struct expectation *expected, bool *met, char *why, size_t size)
{
    const struct door_policy_question question = {.account = expected->user,
                                                  .act = expected->action,
                                                  .path = expected->path,
                                                  .purpose = expected->purpose};
    bool want = strcmp(expected->decision, "allow") == 0, allow = false;
    *met = false;
    int status = policy_expect_ask(door, view, scratch, &question, &allow, NULL, NULL);
    if (status == SR_ERR_NOT_FOUND) {
        snprintf(why, size, "%s", sr_error_message());
        return 0;
    }
    *met = status == 0 && allow == want;
    snprintf(why, size, "%s, %s, %s: expected %s, the rules say %s", expected->user,
             expected->action, expected->path != NULL ? expected->path : "the store",
             want ? "allow" : "deny", allow ? "allow" : "deny");
    return status;
}

static int check_all(struct door *door, const struct policy_view *view,
                     const struct policyfile *file, const struct expectations *all,
                     struct door_policy_report *report)
{
    struct cedar_arena scratch;
    char why[512];
    bool met;
    int status = 0;
    cedar_arena_init(&scratch, CEDAR_SCRATCH_MAX);
    for (unsigned i = 0; status == 0 && i < all->items_count; i++) {
        const struct expectation *expected = &all->items[i];
        if (strcmp(expected->decision, "allow") != 0 && strcmp(expected->decision, "deny") != 0) {
            status = policyfile_refuse(file, "expectations", i, "decision is `allow` or `deny`");
            break;
        }
        if ((status = check(door, view, &scratch, expected, &met, why, sizeof why)) < 0)
            break;
        report->passed += met;
        report->failed += !met;
        if (!met) {
            policyfile_refuse(file, "expectations", i, "%s", why); /* for its line alone */
            status = report->fn(report->context, sr_error_message());
        }
    }
    cedar_arena_free(&scratch);
    return status;
}

int policy_expect_text(struct door *door, const struct policy_view *view, const char *name,
                       const uint8_t *data, size_t len, struct door_policy_report *report)
{
    struct policyfile *file = NULL;
    void *all = NULL;
    report->passed = report->failed = 0;
    int status = policyfile_parse(name, data, len, &file);
    if (status == 0)
        status = policyfile_decode(file, &top_schema, &all);
    if (status == 0)
        status = check_all(door, view, file, all, report);
    policyfile_free_value(&top_schema, all);
    policyfile_free(file);
    return status;
}

static int stop_at_first(void *context, const char *sentence)
{
    (void)context;
    return sr_fail(SR_ERR_INVALID, "%s", sentence);
}

int policy_expect_folder(struct door *door, const char *dir, const struct policy_view *view)
{
    struct door_policy_report report = {.fn = stop_at_first};
    uint8_t *data = NULL;
    size_t len;
    char *path = sr_path("%s/%s", dir, POLICY_EXPECT_FILE);
    if (path == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a path");
    int status = sr_io_read_file(door->io, path, POLICYFILE_BYTES_MAX, &data, &len);
    if (status == 0)
        status = policy_expect_text(door, view, path, data, len, &report);
    else if (status == SR_ERR_NOT_FOUND)
        status = 0; /* nothing is expected */
    free(data);
    free(path);
    return status;
}
