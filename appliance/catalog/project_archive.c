/* record.archive (档号), retention.set and retention.extend (terms of keeping). */
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/names.h"
#include "catalog/project.h"

#define MONTHS_MAX 2400

/* Of a record they are private, and gone with its key. */
static int read_person(const json_t *in, uint32_t *uid, const char **reason)
{
    int rc;

    *uid = CATDB_UID_UNKNOWN;
    *reason = "";
    if (in == NULL)
        return 0;
    if ((rc = project_u32(in, "uid", uid)) < 0)
        return rc;
    return project_text_or_empty(in, "reason", PROJECT_REASON_MAX, reason);
}

int project_record_archive(const struct project *p)
{
    struct catalog_version version;
    struct catalog_node node;
    sqlite3_stmt *statement;
    const char *series, *reason;
    uint64_t number, next;
    uint32_t digits, uid;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0 ||
        (rc = project_text(p->entry, "series", CATALOG_ARCHIVE_SERIES_MAX, &series)) < 0 ||
        (rc = project_u64(p->entry, "number", &number)) < 0 ||
        (rc = project_u32(p->entry, "digits", &digits)) < 0 ||
        (rc = read_person(p->hidden, &uid, &reason)) < 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_INVALID, "the object is not sealed");
    if (digits < 1 || digits > CATALOG_ARCHIVE_DIGITS_MAX)
        return sr_fail(SR_ERR_INVALID, "member digits is not 1 to %d", CATALOG_ARCHIVE_DIGITS_MAX);
    if (!sr_utf8_valid(series, strlen(series)))
        return sr_fail(SR_ERR_INVALID, "member series is not UTF-8");
    if ((rc = catdb_archive_next(p->catalog, series, &next)) < 0)
        return rc;
    if (number != next)
        return sr_fail(SR_ERR_INVALID, "member number is not the next one, %llu",
                       (unsigned long long)next);
    statement = catdb_use(p->catalog, CATDB_ARCHIVED_ADD);
    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_int(statement, 2, (int64_t)node.id);
    catdb_bind_text(statement, 3, series);
    catdb_bind_int(statement, 4, (int64_t)number);
    catdb_bind_int(statement, 5, digits);
    catdb_bind_int(statement, 6, p->time_ns);
    catdb_bind_int(statement, 7, uid);
    catdb_bind_text(statement, 8, reason);
    rc = catdb_run(p->catalog, statement);
    return rc < 0 ? rc : names_mark(p->catalog, node.id);
}

/* The node of the entry, and who: a record with its object and key, or a folder without. */
static int read_subject(const struct project *p, uint64_t *node, uint32_t *uid, const char **reason)
{
    struct catalog_version version;
    struct catalog_node found;
    int rc;

    if (json_object_get(p->entry, "object") != NULL) {
        if ((rc = project_version_and_node(p, &version, &found)) == 0 &&
            version.state == CATALOG_STAGING)
            rc = sr_fail(SR_ERR_INVALID, "the object is not sealed");
        if (rc == 0)
            rc = read_person(p->hidden, uid, reason);
    } else if ((rc = project_u64(p->entry, "node", node)) == 0 &&
               (rc = project_folder(p, *node, &found)) == 0) {
        if (found.kind != CATALOG_KIND_CASE && found.kind != CATALOG_KIND_STAGE &&
            found.kind != CATALOG_KIND_FOLDER)
            rc =
                sr_fail(SR_ERR_INVALID, "node %llu is kept for no term", (unsigned long long)*node);
        if (rc == 0)
            rc = read_person(p->entry, uid, reason);
    }
    *node = rc == 0 ? found.id : 0;
    return rc;
}

static int add(const struct project *p, uint64_t node, const char *category, uint32_t months,
               int32_t until, uint32_t uid, const char *reason)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_RETAINED_ADD);

    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_int(statement, 2, (int64_t)node);
    catdb_bind_text(statement, 3, category);
    catdb_bind_int(statement, 4, months);
    catdb_bind_int(statement, 5, until);
    catdb_bind_int(statement, 6, p->time_ns);
    catdb_bind_int(statement, 7, uid);
    catdb_bind_text(statement, 8, reason);
    return catdb_run(p->catalog, statement);
}

int project_retention_set(const struct project *p)
{
    const char *category, *reason;
    uint32_t months, uid;
    uint64_t node;
    int rc;

    if ((rc = read_subject(p, &node, &uid, &reason)) < 0 ||
        (rc = project_text(p->entry, "category", CATALOG_CATEGORY_MAX, &category)) < 0 ||
        (rc = project_u32(p->entry, "months", &months)) < 0)
        return rc;
    if (months > MONTHS_MAX)
        return sr_fail(SR_ERR_INVALID, "member months is over %d", MONTHS_MAX);
    return add(p, node, category, months == 0 ? CATALOG_PERMANENT : months, 0, uid, reason);
}

int project_retention_extend(const struct project *p)
{
    const char *reason;
    uint32_t uid;
    uint64_t node;
    int32_t until;
    int rc;

    if ((rc = read_subject(p, &node, &uid, &reason)) < 0 ||
        (rc = project_day(p->entry, "until", &until)) < 0)
        return rc;
    return add(p, node, "", 0, until, uid, reason);
}
