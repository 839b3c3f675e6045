#include "casework/workflow.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "casework/policyfile.h"

#define NAME_MAX_BYTES 255
#define NS_PER_S INT64_C(1000000000)
#define UNFILED "待归案"
#define INGEST_DAYS "入库期限"
#define SECRET_NETWORK "涉密网络"

struct workflow { /* first what libcyaml fills, all of it text */
    char **stages;
    char *drafts;
    char *unfiled;
    char *settle_seconds;
    char *ingest_days;
    char *secret_network;
    char **junk;
    char **scratch;
    unsigned stages_count, junk_count, scratch_count;
    int64_t settle_ns; /* then what we make of it */
    unsigned ingest;   /* working days */
    bool is_secret_network;
    uint8_t sha256[SR_SHA256_LEN];
};

static const char *const default_stages[] = {"01受理立案", "02调查取证", "03审核", "04听证",
                                             "05决定",     "06送达",     "07执行", "08归档"};
static const char *const default_junk[] = {".DS_Store",   "._*", "Thumbs.db",
                                           "desktop.ini", "~$*", "*.tmp"};
static const char *const default_scratch[] = {"*.part", "*.partial", "*.crdownload", "~WRD*.tmp",
                                              ".~lock.*"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct cyaml_schema_value text_schema = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, NAME_MAX_BYTES)};
#define OPTIONAL_POINTER (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
static const struct cyaml_schema_field fields[] = {
    CYAML_FIELD_SEQUENCE("stages", OPTIONAL_POINTER, struct workflow, stages, &text_schema, 1,
                         WORKFLOW_STAGES_MAX),
    CYAML_FIELD_STRING_PTR("drafts", OPTIONAL_POINTER, struct workflow, drafts, 0, NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("unfiled", OPTIONAL_POINTER, struct workflow, unfiled, 0,
                           NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR("settle_seconds", OPTIONAL_POINTER, struct workflow, settle_seconds, 0,
                           NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR(INGEST_DAYS, OPTIONAL_POINTER, struct workflow, ingest_days, 0,
                           NAME_MAX_BYTES),
    CYAML_FIELD_STRING_PTR(SECRET_NETWORK, OPTIONAL_POINTER, struct workflow, secret_network, 0,
                           NAME_MAX_BYTES),
    CYAML_FIELD_SEQUENCE("junk", OPTIONAL_POINTER, struct workflow, junk, &text_schema, 0,
                         WORKFLOW_PATTERNS_MAX),
    CYAML_FIELD_SEQUENCE("scratch", OPTIONAL_POINTER, struct workflow, scratch, &text_schema, 0,
                         WORKFLOW_PATTERNS_MAX),
    CYAML_FIELD_END};
static const struct cyaml_schema_value schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct workflow, fields)};

/* --- what a key that is left out means -------------------------------------------------------- */

static int fill_list(char ***list, unsigned *count, const char *const *from, size_t from_count)
{
    if (*list != NULL || *count > 0)
        return 0;
    *list = calloc(from_count, sizeof(**list));
    if (*list == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "workflow: out of memory");
    for (size_t i = 0; i < from_count; i++) {
        (*list)[i] = strdup(from[i]);
        if ((*list)[i] == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "workflow: out of memory");
        *count = (unsigned)i + 1;
    }
    return 0;
}

static int fill_text(char **text, const char *from)
{
    if (*text == NULL)
        *text = strdup(from);
    return *text != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "workflow: out of memory");
}

/* --- strict conversion ------------------------------------------------------------------------ */

/* A folder's name that Windows can show, too. */
static int check_name(const struct policyfile *file, const char *key, size_t item, const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > NAME_MAX_BYTES)
        return policyfile_refuse(file, key, item, "a name has 1 to %d bytes", NAME_MAX_BYTES);
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f || strchr("/\\:*?\"<>|", *c) != NULL)
            return policyfile_refuse(file, key, item,
                                     "`%.80s`: a name has none of / \\ : * ? \" < > |", name);
    if (name[0] == ' ' || name[0] == '.' || name[len - 1] == ' ' || name[len - 1] == '.')
        return policyfile_refuse(
            file, key, item, "`%.80s`: a name neither begins nor ends with a dot or space", name);
    return 0;
}

/* Names that are twins (base/text.h) could not both stand in a case. */
static int check_stages(const struct policyfile *file, const struct workflow *w)
{
    char *folds[WORKFLOW_STAGES_MAX + 1] = {NULL};
    size_t count = w->stages_count;
    int rc = check_name(file, "drafts", POLICYFILE_KEY, w->drafts);

    if (rc == 0)
        rc = sr_name_fold(w->drafts, &folds[count]);
    for (size_t i = 0; rc == 0 && i < count; i++) {
        if ((rc = check_name(file, "stages", i, w->stages[i])) < 0 ||
            (rc = sr_name_fold(w->stages[i], &folds[i])) < 0)
            break;
        if (strcmp(folds[i], folds[count]) == 0)
            rc = policyfile_refuse(file, "stages", i, "`%.80s` is the drafts folder's name",
                                   w->stages[i]);
        for (size_t j = 0; rc == 0 && j < i; j++)
            if (strcmp(folds[i], folds[j]) == 0)
                rc = policyfile_refuse(file, "stages", i, "`%.80s` stands in the list already",
                                       w->stages[i]);
    }
    for (size_t i = 0; i <= count; i++)
        free(folds[i]);
    return rc;
}

static int check_patterns(const struct policyfile *file, const char *key, char *const *patterns,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *pattern = patterns[i];

        if (*pattern == '\0' || strlen(pattern) > NAME_MAX_BYTES)
            return policyfile_refuse(file, key, i, "a pattern has 1 to %d bytes", NAME_MAX_BYTES);
        if (pattern[strspn(pattern, "*")] == '\0')
            return policyfile_refuse(file, key, i, "this pattern would match every name");
        if (strpbrk(pattern, "/[]\\") != NULL)
            return policyfile_refuse(file, key, i,
                                     "`%.80s`: only * and ? are special, and / [ ] \\ not allowed",
                                     pattern);
    }
    return 0;
}

static int convert_ingest(const struct policyfile *file, struct workflow *w)
{
    uint64_t days;

    if (sr_parse_u64(w->ingest_days, &days) < 0 || days < 1 || days > 365)
        return policyfile_refuse(file, INGEST_DAYS, POLICYFILE_KEY,
                                 "`%.80s` is not a number of working days from 1 to 365",
                                 w->ingest_days);
    w->ingest = (unsigned)days;
    return 0;
}

static int convert_settle(const struct policyfile *file, struct workflow *w)
{
    uint64_t seconds;

    if (sr_parse_u64(w->settle_seconds, &seconds) < 0 || seconds < 1 ||
        seconds > WORKFLOW_SETTLE_MAX_S)
        return policyfile_refuse(file, "settle_seconds", POLICYFILE_KEY,
                                 "`%.40s` is not a number of seconds from 1 to %d",
                                 w->settle_seconds, WORKFLOW_SETTLE_MAX_S);
    w->settle_ns = (int64_t)seconds * NS_PER_S;
    return 0;
}

/* YAML has many words for the two (yes, on, True): one spelling each, so that nobody is mistaken. */
static int convert_secret_network(const struct policyfile *file, struct workflow *w)
{
    w->is_secret_network = strcmp(w->secret_network, "true") == 0;
    if (!w->is_secret_network && strcmp(w->secret_network, "false") != 0)
        return policyfile_refuse(file, SECRET_NETWORK, POLICYFILE_KEY,
                                 "`%.40s` is neither true nor false", w->secret_network);
    return 0;
}

static int convert(const struct policyfile *file, struct workflow *w)
{
    int rc;

    if ((rc = fill_list(&w->stages, &w->stages_count, default_stages, COUNT(default_stages))) < 0 ||
        (rc = fill_text(&w->drafts, "草稿")) < 0 || (rc = fill_text(&w->unfiled, UNFILED)) < 0 ||
        (rc = fill_text(&w->settle_seconds, "60")) < 0 ||
        (rc = fill_text(&w->ingest_days, "3")) < 0 || (rc = convert_ingest(file, w)) < 0 ||
        (rc = fill_text(&w->secret_network, "false")) < 0)
        return rc;
    /* An empty list of patterns is a choice: it stays empty. */
    if (!policyfile_has(file, "junk") &&
        (rc = fill_list(&w->junk, &w->junk_count, default_junk, COUNT(default_junk))) < 0)
        return rc;
    if (!policyfile_has(file, "scratch") &&
        (rc = fill_list(&w->scratch, &w->scratch_count, default_scratch, COUNT(default_scratch))) <
            0)
        return rc;
    if (strcmp(w->unfiled, UNFILED) != 0)
        return policyfile_refuse(file, "unfiled", POLICYFILE_KEY,
                                 "this folder's name is fixed: " UNFILED);
    if ((rc = check_stages(file, w)) < 0 || (rc = convert_secret_network(file, w)) < 0 ||
        (rc = check_patterns(file, "junk", w->junk, w->junk_count)) < 0 ||
        (rc = check_patterns(file, "scratch", w->scratch, w->scratch_count)) < 0)
        return rc;
    return convert_settle(file, w);
}

static int from_file(const struct policyfile *file, struct workflow **out)
{
    void *value = NULL;
    int rc = policyfile_decode(file, &schema, &value);
    struct workflow *w = value;

    if (rc == 0)
        rc = convert(file, w);
    if (rc < 0) {
        workflow_free(w);
        return rc;
    }
    memcpy(w->sha256, policyfile_sha256(file), sizeof(w->sha256));
    *out = w;
    return 0;
}

int workflow_load(struct sr_io *io, const char *dir, struct workflow **out)
{
    struct policyfile *file;
    int rc;

    *out = NULL;
    rc = policyfile_read(io, dir, WORKFLOW_FILE, &file);
    if (rc == 0)
        rc = from_file(file, out);
    policyfile_free(file);
    return rc;
}

int workflow_parse(const char *name, const uint8_t *data, size_t len, struct workflow **out)
{
    struct policyfile *file;
    int rc;

    *out = NULL;
    rc = policyfile_parse(name, data, len, &file);
    if (rc == 0)
        rc = from_file(file, out);
    policyfile_free(file);
    return rc;
}

void workflow_free(struct workflow *workflow)
{
    policyfile_free_value(&schema, workflow);
}

/* --- answers ---------------------------------------------------------------------------------- */

size_t workflow_stage_count(const struct workflow *workflow)
{
    return workflow->stages_count;
}

const char *workflow_stage(const struct workflow *workflow, size_t index)
{
    return index < workflow->stages_count ? workflow->stages[index] : NULL;
}

const char *workflow_drafts(const struct workflow *workflow)
{
    return workflow->drafts;
}

const char *workflow_unfiled(const struct workflow *workflow)
{
    return workflow->unfiled;
}

unsigned workflow_ingest_days(const struct workflow *workflow)
{
    return workflow->ingest;
}

int64_t workflow_settle_ns(const struct workflow *workflow)
{
    return workflow->settle_ns;
}

bool workflow_secret_network(const struct workflow *workflow)
{
    return workflow->is_secret_network;
}

const uint8_t *workflow_sha256(const struct workflow *workflow)
{
    return workflow->sha256;
}

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* `*` is any text, `?` one character (of UTF-8, not one byte). Goes back to the last `*` only, so
 * the time is at most the product of the lengths. */
static bool matches(const char *pattern, const char *name)
{
    const char *star = NULL, *retry = NULL;

    while (*name != '\0') {
        if (*pattern == '*') {
            star = ++pattern;
            retry = name;
        } else if (*pattern == '?') {
            pattern++;
            name++;
            while ((*name & 0xc0) == 0x80)
                name++;
        } else if (small(*pattern) == small(*name)) {
            pattern++;
            name++;
        } else if (star != NULL) {
            pattern = star;
            for (retry++; (*retry & 0xc0) == 0x80; retry++)
                ; /* to the next character */
            name = retry;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

bool workflow_is_junk(const struct workflow *workflow, const char *name)
{
    if (workflow_is_scratch(workflow, name))
        return false;
    for (size_t i = 0; i < workflow->junk_count; i++)
        if (matches(workflow->junk[i], name))
            return true;
    return false;
}

bool workflow_is_scratch(const struct workflow *workflow, const char *name)
{
    for (size_t i = 0; i < workflow->scratch_count; i++)
        if (matches(workflow->scratch[i], name))
            return true;
    return false;
}
