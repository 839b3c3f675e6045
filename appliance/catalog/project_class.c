/* Classification: level, marks and term of a node, and what is effective below it. */
#include "catalog/names.h"
#include "catalog/project.h"

#include <string.h>

#include "base/error.h"

#define APPROVER_MAX 127

const char *const catalog_mark_words[CATALOG_MARKS] = {"work_secret", "trade_secret", "privacy",
                                                       "covert"};

int project_class_below(const struct project *p, uint64_t node)
{
    int rc = catdb_run_int(p->catalog, CATDB_NODE_CLASS_BELOW, (int64_t)node);

    return rc < 0 ? rc : names_mark_below(p->catalog, node);
}

struct class
{
    uint32_t level, marks;
    int32_t until;
    const char *approver;
};

static int set_class(const struct project *p, uint64_t node, const struct class *class)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_NODE_CLASS);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    catdb_bind_int(statement, 2, class->level);
    catdb_bind_int(statement, 3, class->marks);
    catdb_bind_int(statement, 4, class->until);
    catdb_bind_text(statement, 5, class->approver);
    catdb_bind_int(statement, 6, p->time_ns);
    rc = catdb_run(p->catalog, statement);
    return rc < 0 ? rc : project_class_below(p, node);
}

static int get_approver(struct catalog *catalog, uint64_t node, char out[APPROVER_MAX + 1])
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_NODE_APPROVER);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    rc = catdb_next(catalog, statement);
    if (rc > 0)
        catdb_copy_text(statement, 0, out, APPROVER_MAX + 1);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no node %llu", (unsigned long long)node);
    catdb_end(statement);
    return rc > 0 ? 0 : rc;
}

int catalog_approver(struct catalog *catalog, uint64_t node, char out[128])
{
    int rc;

    out[0] = '\0';
    catdb_lock(catalog);
    rc = get_approver(catalog, node, out);
    catdb_unlock(catalog);
    return rc;
}

int project_class_absorb(const struct project *p, uint64_t node, const struct catalog_node *source)
{
    char approvers[2][APPROVER_MAX + 1];
    struct catalog_node target;
    struct class class;
    int rc;

    if (source->own_level == CATALOG_LEVEL_DEFAULT && source->own_marks == 0)
        return 0;
    if ((rc = catdb_get_node(p->catalog, node, &target)) < 0 ||
        (rc = get_approver(p->catalog, node, approvers[0])) < 0 ||
        (rc = get_approver(p->catalog, source->id, approvers[1])) < 0)
        return rc;
    class = (struct class){.level = target.own_level,
                           .marks = target.own_marks | source->own_marks,
                           .until = target.own_until,
                           .approver = approvers[approvers[0][0] == '\0']};
    if (source->own_level > class.level ||
        (source->own_level == class.level && source->own_until > class.until)) {
        class.level = source->own_level;
        class.until = source->own_until;
    }
    return set_class(p, node, &class);
}

static bool is_classified(enum catalog_kind kind)
{
    return kind == CATALOG_KIND_CASE || kind == CATALOG_KIND_STAGE || kind == CATALOG_KIND_DRAFTS ||
           kind == CATALOG_KIND_FOLDER;
}

/* The node of the entry: a record with its object and key, or a folder without. */
static int read_node(const struct project *p, bool record, struct catalog_node *out)
{
    struct catalog_version version;
    uint64_t id;
    int rc;

    if (record)
        return project_version_and_node(p, &version, out);
    if ((rc = project_u64(p->entry, "node", &id)) < 0 || (rc = project_folder(p, id, out)) < 0)
        return rc;
    return is_classified(out->kind)
               ? 0
               : sr_fail(SR_ERR_INVALID, "node %llu cannot be classified", (unsigned long long)id);
}

static int read_marks(const struct project *p, uint32_t *out)
{
    const json_t *marks;
    int rc = project_array(p->entry, "marks", CATALOG_MARKS, &marks);

    *out = 0;
    for (size_t i = 0; rc == 0 && i < json_array_size(marks); i++) {
        const char *word = json_string_value(json_array_get(marks, i));
        size_t bit = 0;

        while (bit < CATALOG_MARKS && (word == NULL || strcmp(word, catalog_mark_words[bit]) != 0))
            bit++;
        if (bit == CATALOG_MARKS || (*out & 1u << bit) != 0)
            return sr_fail(SR_ERR_INVALID, "member marks is not an array of distinct marks");
        *out |= 1u << bit;
    }
    return rc;
}

/* uid, reason and approver: of a record they are private, and gone with its key. */
static int read_person(const json_t *in, struct class *class)
{
    const char *reason;
    uint32_t uid;
    int rc;

    class->approver = "";
    if (in == NULL)
        return 0;
    if ((rc = project_u32(in, "uid", &uid)) < 0 ||
        (rc = project_text(in, "reason", PROJECT_REASON_MAX, &reason)) < 0 ||
        (rc = project_text_or_empty(in, "approver", APPROVER_MAX, &class->approver)) < 0)
        return rc;
    if ((class->marks & CATALOG_MARK_COVERT) != 0 && class->approver[0] == '\0')
        return sr_fail(SR_ERR_INVALID, "member approver is empty: covert needs one");
    return 0;
}

int project_classify(const struct project *p)
{
    bool record = json_object_get(p->entry, "object") != NULL;
    struct catalog_node node;
    struct class class;
    int rc;

    if ((rc = read_node(p, record, &node)) < 0 ||
        (rc = project_u32(p->entry, "level", &class.level)) < 0 ||
        (rc = project_day(p->entry, "until", &class.until)) < 0 ||
        (rc = read_marks(p, &class.marks)) < 0 ||
        (rc = read_person(record ? p->hidden : p->entry, &class)) < 0)
        return rc;
    if (class.level >= CATALOG_LEVELS)
        return sr_fail(SR_ERR_INVALID, "member level is not 0 to %d", CATALOG_LEVELS - 1);
    if (class.level > CATALOG_INTERNAL && class.until == 0)
        return sr_fail(SR_ERR_INVALID, "member until is empty: this level needs a term");
    return set_class(p, node.id, &class);
}
