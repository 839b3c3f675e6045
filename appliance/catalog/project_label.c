/* record.label, record.enter, and the labels of record.index. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/names.h"
#include "catalog/project.h"

static int read_word(const json_t *object, const char *key, const char *const *words, size_t count,
                     unsigned *out)
{
    const char *word;
    int rc = project_text(object, key, 32, &word);

    if (rc < 0)
        return rc;
    for (*out = 0; *out < count; (*out)++)
        if (strcmp(words[*out], word) == 0)
            return 0;
    return sr_fail(SR_ERR_INVALID, "member %s is none of the words", key);
}

static int read_offset(const json_t *in, unsigned label, int64_t *out)
{
    uint64_t offset;
    int rc;

    *out = CATALOG_NO_OFFSET;
    if (json_object_get(in, "offset_ms") == NULL)
        return 0;
    if (label < CATALOG_LABEL_SPEAKER || label > CATALOG_LABEL_SUMMARY)
        return sr_fail(SR_ERR_INVALID, "a label of this kind has no offset");
    rc = project_u64(in, "offset_ms", &offset);
    *out = (int64_t)offset;
    return rc;
}

static int add_label(const struct project *p, uint64_t node, const json_t *in, size_t seq,
                     unsigned source, uint32_t uid, uint64_t file)
{
    sqlite3_stmt *statement;
    const char *value;
    unsigned label = 0;
    int64_t offset;
    int rc;

    if ((rc = read_word(in, "label", catalog_label_words, CATALOG_LABELS, &label)) < 0 ||
        (rc = project_text_or_empty(in, "value", CATALOG_LABEL_MAX, &value)) < 0 ||
        (rc = read_offset(in, label, &offset)) < 0 ||
        (source == CATALOG_SOURCES &&
         (rc = read_word(in, "source", catalog_source_words, CATALOG_FROM_NAME + 1, &source)) < 0))
        return rc;
    if (!sr_utf8_valid(value, strlen(value)))
        return sr_fail(SR_ERR_INVALID, "member value is not UTF-8");
    statement = catdb_use(p->catalog, CATDB_LABEL_ADD);
    catdb_bind_int(statement, 1, (int64_t)node);
    catdb_bind_int(statement, 2, label);
    catdb_bind_int(statement, 3, offset);
    catdb_bind_int(statement, 4, source);
    catdb_bind_int(statement, 5, (int64_t)p->index);
    catdb_bind_int(statement, 6, (int64_t)seq);
    catdb_bind_text(statement, 7, value);
    catdb_bind_int(statement, 8, uid);
    catdb_bind_int(statement, 9, (int64_t)file);
    catdb_bind_int(statement, 10, p->time_ns);
    return catdb_run(p->catalog, statement);
}

int project_labels(const struct project *p, uint64_t node, const json_t *labels,
                   enum catalog_label_source source, uint32_t uid, uint64_t file)
{
    int rc = 0;

    if (!json_is_array(labels) || json_array_size(labels) == 0 || json_array_size(labels) > 256)
        return sr_fail(SR_ERR_INVALID, "member labels is not an array of 1 to 256");
    for (size_t i = 0; rc == 0 && i < json_array_size(labels); i++)
        rc = add_label(p, node, json_array_get(labels, i), i, source, uid, file);
    return rc;
}

int project_record_label(const struct project *p)
{
    struct catalog_version version;
    struct catalog_node node;
    unsigned source = 0;
    uint64_t file = 0;
    uint32_t uid;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "the object is not sealed");
    if (p->hidden == NULL)
        return project_touch(p, node.id);
    if ((rc = project_u32(p->hidden, "uid", &uid)) < 0 ||
        (rc = read_word(p->hidden, "source", catalog_source_words, CATALOG_SOURCES, &source)) < 0 ||
        (json_object_get(p->hidden, "file") != NULL &&
         (rc = project_u64(p->hidden, "file", &file)) < 0))
        return rc;
    if (source < CATALOG_FROM_LIST)
        return sr_fail(SR_ERR_INVALID, "member source is not one that gives labels");
    if ((rc = project_labels(p, node.id, json_object_get(p->hidden, "labels"), source, uid, file)) <
            0 ||
        (rc = names_mark(p->catalog, node.id)) < 0)
        return rc;
    return project_touch(p, node.id);
}

/* The record lies in that case, and is classified as the series says. Of one whose key is destroyed nobody
 * knows where it lay. */
static int check_place(const struct project *p, const struct catalog_node *node, uint64_t in_case,
                       const char *series)
{
    struct catalog_node of;
    char own[CATALOG_SERIES_MAX + 1];
    int rc;

    if (node->parent == CATDB_NOWHERE)
        return 0;
    if ((rc = catdb_case_of(p->catalog, node->id, &of)) < 0 && rc != SR_ERR_NOT_FOUND)
        return rc;
    if (rc < 0 || of.id != in_case)
        return sr_fail(SR_ERR_INVALID, "the record does not lie in the case");
    snprintf(own, sizeof(own), "%u.%u", node->level, node->marks);
    return strcmp(own, series) == 0 ? 0 : sr_fail(SR_ERR_INVALID, "member series is another's");
}

int project_record_enter(const struct project *p)
{
    struct catalog_version version;
    struct catalog_node node;
    sqlite3_stmt *statement;
    uint64_t in_case, number, next;
    const char *series;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0 ||
        (rc = project_u64(p->entry, "case", &in_case)) < 0 ||
        (rc = project_text(p->entry, "series", CATALOG_SERIES_MAX, &series)) < 0 ||
        (rc = project_u64(p->entry, "number", &number)) < 0 ||
        (rc = check_place(p, &node, in_case, series)) < 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "the object is not sealed");
    if ((rc = catdb_enter_next(p->catalog, in_case, series, &next)) < 0)
        return rc;
    if (number != next)
        return sr_fail(SR_ERR_INVALID, "member number is not the next one, %llu",
                       (unsigned long long)next);
    statement = catdb_use(p->catalog, CATDB_ENTERED_ADD);
    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_int(statement, 2, (int64_t)node.id);
    catdb_bind_int(statement, 3, (int64_t)in_case);
    catdb_bind_text(statement, 4, series);
    catdb_bind_int(statement, 5, (int64_t)number);
    rc = catdb_run(p->catalog, statement);
    return rc < 0 ? rc : names_mark(p->catalog, node.id);
}
