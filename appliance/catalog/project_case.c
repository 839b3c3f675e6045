/* Who a case belongs to: its unit, leads and helpers. */
#include "catalog/project.h"

#include <string.h>

#include "base/error.h"

#define UNIT_MAX (sizeof(((struct catalog_case *)0)->unit) - 1)

static int add_person(const struct project *p, uint64_t node, uint32_t uid, size_t position,
                      bool lead)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_PERSON_ADD);

    catdb_bind_int(statement, 1, (int64_t)node);
    catdb_bind_int(statement, 2, uid);
    catdb_bind_int(statement, 3, (int64_t)position);
    catdb_bind_int(statement, 4, lead);
    return catdb_run(p->catalog, statement);
}

static int user_exists(const struct project *p, uint32_t uid)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_USER_GET);
    int rc;

    catdb_bind_int(statement, 1, uid);
    rc = catdb_next(p->catalog, statement);
    catdb_end(statement);
    if (rc == 0)
        rc = sr_fail(SR_ERR_INVALID, "user %u does not exist", (unsigned)uid);
    return rc > 0 ? 0 : rc;
}

/* The member key: uids of users, each of them once in the case. */
static int add_people(const struct project *p, uint64_t node, const char *key, size_t max,
                      size_t position, bool lead)
{
    const json_t *people;
    int rc = project_array(p->entry, key, max, &people);

    if (rc == 0 && lead && json_array_size(people) == 0)
        rc = sr_fail(SR_ERR_INVALID, "member %s names nobody", key);
    for (size_t i = 0; rc == 0 && i < json_array_size(people); i++) {
        const json_t *uid = json_array_get(people, i);

        if (!json_is_integer(uid) || json_integer_value(uid) < 0 ||
            json_integer_value(uid) > UINT32_MAX)
            return sr_fail(SR_ERR_INVALID, "member %s is not an array of user ids", key);
        if ((rc = user_exists(p, (uint32_t)json_integer_value(uid))) == 0)
            rc = add_person(p, node, (uint32_t)json_integer_value(uid), position + i, lead);
    }
    return rc;
}

static int set_unit(const struct project *p, enum catdb_statement which, uint64_t node,
                    const char *unit)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, which);

    catdb_bind_int(statement, 1, (int64_t)node);
    catdb_bind_text(statement, 2, unit);
    return catdb_run(p->catalog, statement);
}

int project_case_owned(const struct project *p, uint64_t node, uint32_t maker)
{
    const char *unit = "";
    int rc;

    if (json_object_get(p->entry, "unit") != NULL &&
        (rc = project_text_or_empty(p->entry, "unit", UNIT_MAX, &unit)) < 0)
        return rc;
    if ((rc = set_unit(p, CATDB_CASE_ADD, node, unit)) < 0)
        return rc;
    return json_object_get(p->entry, "lead") != NULL
               ? add_people(p, node, "lead", CATALOG_LEADS_MAX, 0, true)
               : add_person(p, node, maker, 0, true);
}

int project_case_gone(const struct project *p, uint64_t node)
{
    int rc = catdb_run_int(p->catalog, CATDB_CASE_DELETE, (int64_t)node);

    return rc < 0 ? rc : catdb_run_int(p->catalog, CATDB_PEOPLE_DELETE, (int64_t)node);
}

/* node and uid of an act on a case. */
static int read_of_case(const struct project *p, uint64_t *node)
{
    struct catalog_node folder;
    uint32_t uid;
    int rc;

    if ((rc = project_u64(p->entry, "node", node)) < 0 ||
        (rc = project_u32(p->entry, "uid", &uid)) < 0 ||
        (rc = project_folder(p, *node, &folder)) < 0)
        return rc;
    return folder.kind == CATALOG_KIND_CASE
               ? 0
               : sr_fail(SR_ERR_INVALID, "node %llu is no case", (unsigned long long)*node);
}

/* And a reason. */
static int read_case(const struct project *p, uint64_t *node)
{
    const char *reason;
    int rc = project_text(p->entry, "reason", PROJECT_REASON_MAX, &reason);

    return rc < 0 ? rc : read_of_case(p, node);
}

int project_case_assign(const struct project *p)
{
    uint64_t node;
    int rc;

    if ((rc = read_case(p, &node)) < 0 ||
        (rc = catdb_run_int(p->catalog, CATDB_PEOPLE_DELETE, (int64_t)node)) < 0 ||
        (rc = add_people(p, node, "lead", CATALOG_LEADS_MAX, 0, true)) < 0 ||
        (rc = add_people(p, node, "helpers", CATALOG_HELPERS_MAX, CATALOG_LEADS_MAX, false)) < 0)
        return rc;
    return project_touch(p, node);
}

int project_case_transfer(const struct project *p)
{
    const char *unit;
    uint64_t node;
    int rc;

    if ((rc = read_case(p, &node)) < 0 ||
        (rc = project_text(p->entry, "unit", UNIT_MAX, &unit)) < 0 ||
        (rc = set_unit(p, CATDB_CASE_UNIT, node, unit)) < 0)
        return rc;
    return project_touch(p, node);
}

/* An export leaves everything as it is: only its form is checked. */
int project_export_begin(const struct project *p)
{
    const char *format, *purpose;
    uint64_t node, as_of, bytes;
    uint32_t records, left_out;
    int rc;

    if ((rc = read_of_case(p, &node)) < 0 || (rc = project_u64(p->entry, "as_of", &as_of)) < 0 ||
        (rc = project_text(p->entry, "format", 16, &format)) < 0 ||
        (rc = project_u32(p->entry, "records", &records)) < 0 ||
        (rc = project_u64(p->entry, "bytes", &bytes)) < 0 ||
        (rc = project_u32(p->entry, "left_out", &left_out)) < 0 ||
        (rc = project_text_or_empty(p->entry, "purpose", CATALOG_PURPOSE_MAX, &purpose)) < 0)
        return rc;
    if (as_of >= p->index)
        return sr_fail(SR_ERR_INVALID, "member as_of is not an entry before this one");
    return 0;
}

int project_export_end(const struct project *p)
{
    uint64_t node, begin;
    uint8_t sha256[32];
    int rc;

    if ((rc = read_of_case(p, &node)) < 0 || (rc = project_u64(p->entry, "begin", &begin)) < 0 ||
        (rc = project_hash(p->entry, "sha256", sha256)) < 0)
        return rc;
    if (begin >= p->index)
        return sr_fail(SR_ERR_INVALID, "member begin is not an entry before this one");
    return 0;
}

int project_disc_verify(const struct project *p)
{
    const char *detail;
    uint64_t node, end;
    bool good;
    int rc;

    if ((rc = read_of_case(p, &node)) < 0 || (rc = project_u64(p->entry, "end", &end)) < 0 ||
        (rc = project_bool(p->entry, "good", &good)) < 0 ||
        (rc = project_text_or_empty(p->entry, "detail", PROJECT_REASON_MAX, &detail)) < 0)
        return rc;
    if (end >= p->index)
        return sr_fail(SR_ERR_INVALID, "member end is not an entry before this one");
    return 0;
}
