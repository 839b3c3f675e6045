/* record.index: what was found in a sealed version. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "catalog/described.h"
#include "catalog/names.h"
#include "catalog/project.h"
#include "catalog/search_query.h"

#define MEDIA_MAX (48u << 10) /* bytes of JSON: an entry holds no more */

static const char *const outcomes[] = {"described", "crashed",  "timeout",   "memory",
                                       "refused",   "protocol", "unreadable"};

static int read_outcome(const struct project *p, const char **out)
{
    int rc = project_text(p->entry, "outcome", CATALOG_OUTCOME_MAX, out);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
        if (strcmp(*out, outcomes[i]) == 0)
            return 0;
    return sr_fail(SR_ERR_INVALID, "member outcome is none of the words");
}

static int read_text(const json_t *in, struct object_expectation *out)
{
    int rc;

    if (!json_is_object(in))
        return sr_fail(SR_ERR_INVALID, "member text is not an object");
    if ((rc = project_object_id(in, "object", &out->id)) < 0 ||
        (rc = project_u64(in, "key", &out->key_id)) < 0 ||
        (rc = project_u64(in, "size", &out->size)) < 0 ||
        (rc = project_hash(in, "sha256", out->sha256)) < 0 ||
        (rc = project_hash(in, "tag_root", out->tag_root)) < 0 ||
        (rc = project_hash(in, "header_sha256", out->header_sha256)) < 0)
        return rc;
    return 0;
}

static int add_text(const struct project *p, const struct object_expectation *text)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_TEXT_ADD);

    catdb_bind_blob(statement, 1, text->id.bytes, sizeof(text->id.bytes));
    catdb_bind_int(statement, 2, (int64_t)text->key_id);
    catdb_bind_int(statement, 3, (int64_t)text->size);
    catdb_bind_blob(statement, 4, text->sha256, 32);
    catdb_bind_blob(statement, 5, text->tag_root, 32);
    catdb_bind_blob(statement, 6, text->header_sha256, 32);
    return catdb_run(p->catalog, statement);
}

/* The answer as text; NULL when there is none. Fresh. */
static int read_media(const struct project *p, char **out)
{
    const json_t *media = p->hidden != NULL ? json_object_get(p->hidden, "media") : NULL;

    *out = NULL;
    if (media == NULL)
        return 0;
    if (!json_is_object(media))
        return sr_fail(SR_ERR_INVALID, "member media is not an object");
    *out = json_dumps(media, JSON_COMPACT | JSON_SORT_KEYS);
    if (*out == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
    return strlen(*out) <= MEDIA_MAX ? 0 : sr_fail(SR_ERR_INVALID, "member media is too long");
}

/* What search asks of every record. */
static void bind_facts(const struct project *p, sqlite3_stmt *statement)
{
    const json_t *media = p->hidden != NULL ? json_object_get(p->hidden, "media") : NULL;
    const json_t *duration = json_object_get(media, "duration_ms");

    catdb_bind_int(statement, 7, search_type_of(json_string_value(json_object_get(media, "type"))));
    catdb_bind_int(statement, 8,
                   json_is_integer(duration) ? json_integer_value(duration) : FACTS_NO_DURATION);
}

static int set_described(const struct project *p, const struct catalog_version *version,
                         const char *outcome, uint32_t rules, const char *media,
                         const struct object_expectation *text)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_DESCRIBED_SET);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)version->create_index);
    catdb_bind_int(statement, 2, (int64_t)p->index);
    catdb_bind_text(statement, 3, outcome);
    catdb_bind_int(statement, 4, rules);
    catdb_bind_text(statement, 5, media);
    if (text != NULL)
        catdb_bind_blob(statement, 6, text->id.bytes, sizeof(text->id.bytes));
    bind_facts(p, statement);
    if ((rc = catdb_run(p->catalog, statement)) < 0 ||
        (rc = catdb_run_int(p->catalog, CATDB_UNDESCRIBED_DROP, (int64_t)version->create_index)) <
            0 ||
        (rc = text != NULL
                  ? catdb_run_int(p->catalog, CATDB_UNTEXTED_ADD, (int64_t)version->create_index)
                  : catdb_run_int(p->catalog, CATDB_TEXT_ROW_LOSE, (int64_t)version->node)) < 0)
        return rc;
    return names_mark(p->catalog, version->node);
}

/* What name and media say of the record, and whether it is a label file itself. */
static int add_labels(const struct project *p, const struct catalog_version *version, uint64_t node)
{
    const json_t *media = p->hidden != NULL ? json_object_get(p->hidden, "media") : NULL;
    const json_t *labels = p->hidden != NULL ? json_object_get(p->hidden, "labels") : NULL;
    const char *type = json_string_value(json_object_get(media, "type"));

    if (type != NULL && strcmp(type, CATALOG_LABEL_FILE_TYPE) == 0) {
        sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_LABEL_FILE_ADD);
        int rc;

        catdb_bind_int(statement, 1, version->uid);
        catdb_bind_int(statement, 2, (int64_t)version->create_index);
        if ((rc = catdb_run(p->catalog, statement)) < 0)
            return rc;
    }
    return labels == NULL ? 0 : project_labels(p, node, labels, CATALOG_SOURCES, CATALOG_NOBODY, 0);
}

int project_record_index(const struct project *p)
{
    const json_t *in = json_object_get(p->entry, "text");
    struct object_expectation text;
    struct catalog_version version;
    struct catalog_node node;
    const char *outcome;
    char *media = NULL;
    uint32_t rules;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0 ||
        (rc = read_outcome(p, &outcome)) < 0 || (rc = project_u32(p->entry, "rules", &rules)) < 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "the object is not sealed");
    if (in != NULL && ((rc = read_text(in, &text)) < 0 || (rc = add_text(p, &text)) < 0))
        return rc;
    if ((rc = read_media(p, &media)) == 0)
        rc = set_described(p, &version, outcome, rules, media, in != NULL ? &text : NULL);
    free(media);
    return rc < 0 ? rc : add_labels(p, &version, node.id);
}
