/* The policy folder's *.cedar files, read as one set. */
#include "casework/policy.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "policy/cedar_schema.h"

struct policy {
    atomic_uint refs;
    struct cedar_policies *rules;
    struct policy_file files[POLICY_FILES_MAX];
    size_t file_count;
};

/* Names of files that count. Others (an editor's copy, .access.cedar.swp) are not read by accident. */
static bool is_policy_name(const char *name)
{
    size_t len = strlen(name), suffix = strlen(POLICY_SUFFIX);
    if (len <= suffix || len > POLICY_FILE_NAME_MAX || strcmp(name + len - suffix, POLICY_SUFFIX))
        return false;
    return name[0] != '.' && sr_utf8_valid(name, len);
}

static int collect_name(void *context, const char *name)
{
    struct policy *policy = context;
    if (!is_policy_name(name))
        return 0;
    if (policy->file_count == POLICY_FILES_MAX)
        return 1; /* stops the listing */
    strcpy(policy->files[policy->file_count++].name, name);
    return 0;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct policy_file *)a)->name, ((const struct policy_file *)b)->name);
}

/* "FILE:LINE:COLUMN: expected …, found …", from the sentence that the parser made. */
static int name_the_place(const char *path, const struct cedar_error *where, int status)
{
    struct sr_error_copy why;
    sr_error_save(&why, status);
    if (status != SR_ERR_INVALID)
        return sr_fail(status, "%s: %s", path, why.message);
    return sr_fail(SR_ERR_INVALID, "%s:%u:%u: found %s, expected %s", path, where->line,
                   where->column, where->found, where->expected);
}

static int read_file(struct sr_io *io, const char *dir, struct policy *policy,
                     struct policy_file *file)
{
    struct cedar_error where = {0};
    uint8_t *data = NULL;
    size_t len = 0;
    char *path = sr_path("%s/%s", dir, file->name);
    int status = path != NULL ? sr_io_read_file(io, path, CEDAR_SOURCE_MAX, &data, &len)
                              : sr_fail(SR_ERR_NO_MEMORY, "no memory for a path");
    if (status == 0)
        status = sr_sha256(data, len, file->sha256);
    if (status == 0 &&
        (status = cedar_policies_add(policy->rules, file->name, data, len, &where)) < 0)
        status = name_the_place(path, &where, status);
    free(data);
    free(path);
    return status;
}

/* A template applies to nobody until something links it, and nothing here does: a mistake. */
static int refuse_templates(const char *dir, const struct policy *policy)
{
    for (size_t i = 0; i < cedar_policies_count(policy->rules); i++) {
        struct cedar_policy_info info;
        cedar_policies_info(policy->rules, i, &info);
        if (info.template)
            return sr_fail(SR_ERR_INVALID,
                           "%s/%s:%u:%u: a policy with ?principal or ?resource never applies here",
                           dir, info.file, info.line, info.column);
    }
    return 0;
}

static int list_files(struct sr_io *io, const char *dir, struct policy *policy)
{
    int rc = io->list(io, dir, collect_name, policy);
    if (rc < 0)
        return sr_fail_errno(-rc, "the policy folder %s cannot be read", dir);
    if (rc > 0)
        return sr_fail(SR_ERR_TOO_LARGE, "%s holds more than %d *%s files", dir, POLICY_FILES_MAX,
                       POLICY_SUFFIX);
    if (policy->file_count == 0)
        return sr_fail(SR_ERR_NOT_FOUND,
                       "%s holds no *%s file, so nobody might do anything: copy the shipped "
                       "access.cedar there",
                       dir, POLICY_SUFFIX);
    qsort(policy->files, policy->file_count, sizeof policy->files[0], compare_files);
    return 0;
}

/* Of policy/strongroom.cedarschema, linked in as it is (Makefile). */
extern const uint8_t _binary_policy_strongroom_cedarschema_start[];
extern const uint8_t _binary_policy_strongroom_cedarschema_end[];

struct checking {
    const char *dir;
    policy_report_fn *report;
    void *context;
    char first[512];
    unsigned count;
};

static void collect_problem(void *context, const struct cedar_problem *problem)
{
    struct checking *checking = context;
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s/%s:%u:%u: %s%s%s%s", checking->dir, problem->file,
             problem->line, problem->column, problem->what,
             problem->suggestion != NULL ? "; did you mean `" : "",
             problem->suggestion != NULL ? problem->suggestion : "",
             problem->suggestion != NULL ? "`?" : "");
    if (checking->count++ == 0)
        memcpy(checking->first, sentence, sizeof sentence);
    if (checking->report != NULL)
        checking->report(checking->context, sentence);
}

static int check_rules(const struct policy *policy, struct checking *checking)
{
    const uint8_t *text = _binary_policy_strongroom_cedarschema_start;
    size_t len = (size_t)(_binary_policy_strongroom_cedarschema_end - text);
    struct cedar_schema *schema;
    int status = cedar_schema_parse(text, len, &schema, NULL);
    if (status == 0)
        status = cedar_schema_check_policies(schema, policy->rules, collect_problem, checking);
    cedar_schema_free(schema);
    if (checking->count == 0)
        return status;
    return checking->count == 1
               ? sr_fail(SR_ERR_INVALID, "%s", checking->first)
               : sr_fail(SR_ERR_INVALID, "%s (and %u more)", checking->first, checking->count - 1);
}

int policy_load(struct sr_io *io, const char *dir, policy_report_fn *report, void *context,
                struct policy **out)
{
    struct checking checking = {.dir = dir, .report = report, .context = context};
    struct policy *policy = calloc(1, sizeof *policy);
    *out = NULL;
    if (policy == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for the policy");
    policy->refs = 1;
    int status = list_files(io, dir, policy);
    if (status == 0)
        status = cedar_policies_new(&policy->rules);
    for (size_t i = 0; status == 0 && i < policy->file_count; i++)
        status = read_file(io, dir, policy, &policy->files[i]);
    if (status == 0)
        status = refuse_templates(dir, policy);
    if (status == 0)
        status = check_rules(policy, &checking);
    if (status < 0) {
        struct sr_error_copy why;
        sr_error_save(&why, status);
        policy_unref(policy);
        return sr_error_raise(&why);
    }
    *out = policy;
    return 0;
}

void policy_ref(struct policy *policy)
{
    atomic_fetch_add(&policy->refs, 1);
}

void policy_unref(struct policy *policy)
{
    if (policy == NULL || atomic_fetch_sub(&policy->refs, 1) != 1)
        return;
    cedar_policies_free(policy->rules);
    free(policy);
}

size_t policy_file_count(const struct policy *policy)
{
    return policy->file_count;
}

const struct policy_file *policy_file(const struct policy *policy, size_t index)
{
    return &policy->files[index];
}

const struct cedar_policies *policy_rules(const struct policy *policy)
{
    return policy->rules;
}
