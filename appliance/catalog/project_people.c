/* People: accounts and what is known of them. */
#include "catalog/project.h"

#include <string.h>

#include "base/error.h"

#define TEXT_MAX(member) (sizeof(((struct catalog_user *)0)->member) - 1)

/* Account and disabled of a user; zeroed when there is none. */
static int find_user(const struct project *p, uint32_t uid, struct catalog_user *out, bool *found)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_USER_GET);
    int rc;

    memset(out, 0, sizeof(*out));
    catdb_bind_int(statement, 1, uid);
    rc = catdb_next(p->catalog, statement);
    *found = rc > 0;
    if (*found) {
        catdb_copy_text(statement, 1, out->account, sizeof(out->account));
        out->disabled = sqlite3_column_int(statement, 8) != 0;
    }
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

/* The user that an act changes: there, and not disabled. What the catalog has at hand of them is
 * read anew, also when this entry is rolled back. */
static int read_subject(const struct project *p, uint32_t *uid, struct catalog_user *out)
{
    bool found;
    int rc;

    if ((rc = project_u32(p->entry, "uid", uid)) < 0 || (rc = find_user(p, *uid, out, &found)) < 0)
        return rc;
    if (!found)
        return sr_fail(SR_ERR_INVALID, "user %u does not exist", (unsigned)*uid);
    if (out->disabled)
        return sr_fail(SR_ERR_INVALID, "user %u is disabled", (unsigned)*uid);
    p->catalog->known[*uid % CATDB_KNOWN].role_count = 0;
    return 0;
}

static int set_roles(const struct project *p, uint32_t uid)
{
    const json_t *roles;
    int rc;

    if ((rc = project_array(p->entry, "roles", CATALOG_ROLES_MAX, &roles)) < 0 ||
        (rc = catdb_run_int(p->catalog, CATDB_ROLES_DELETE, uid)) < 0)
        return rc;
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const char *role = json_string_value(json_array_get(roles, i));
        sqlite3_stmt *statement;

        if (role == NULL || *role == '\0' || strlen(role) > TEXT_MAX(roles[0]))
            return sr_fail(SR_ERR_INVALID, "member roles is not an array of role names");
        statement = catdb_use(p->catalog, CATDB_ROLE_ADD);
        catdb_bind_int(statement, 1, uid);
        catdb_bind_int(statement, 2, (int64_t)i);
        catdb_bind_text(statement, 3, role);
        if ((rc = catdb_run(p->catalog, statement)) < 0)
            return rc;
    }
    return 0;
}

struct person { /* what stands in the users table; texts are the entry's */
    uint32_t uid;
    const char *account, *name, *unit, *badge;
    uint32_t clearance;
    int32_t badge_from, badge_until;
};

static int put_person(const struct project *p, const struct person *person)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_USER_SET);

    catdb_bind_int(statement, 1, person->uid);
    catdb_bind_text(statement, 2, person->account);
    catdb_bind_text(statement, 3, person->name);
    catdb_bind_text(statement, 4, person->unit);
    catdb_bind_int(statement, 5, person->clearance);
    catdb_bind_text(statement, 6, person->badge);
    catdb_bind_int(statement, 7, person->badge_from);
    catdb_bind_int(statement, 8, person->badge_until);
    catdb_bind_int(statement, 9, (int64_t)p->index);
    return catdb_run(p->catalog, statement);
}

static int set_first(const struct project *p, uint32_t uid, const char *first)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_USER_FIRST);

    catdb_bind_int(statement, 1, uid);
    catdb_bind_text(statement, 2, first);
    return catdb_run(p->catalog, statement);
}

int project_user_add(const struct project *p)
{
    struct person person = {.unit = "", .badge = "", .clearance = CATALOG_LEVEL_DEFAULT};
    const char *first = "";
    struct catalog_user before;
    bool known;
    int rc;

    if ((rc = project_u32(p->entry, "uid", &person.uid)) < 0 ||
        (rc = project_text(p->entry, "account", TEXT_MAX(account), &person.account)) < 0 ||
        (rc = project_text(p->entry, "name", TEXT_MAX(name), &person.name)) < 0 ||
        (rc = find_user(p, person.uid, &before, &known)) < 0)
        return rc;
    if (json_object_get(p->entry, "unit") != NULL &&
        (rc = project_text_or_empty(p->entry, "unit", TEXT_MAX(unit), &person.unit)) < 0)
        return rc;
    if (json_object_get(p->entry, "first") != NULL &&
        (rc = project_text_or_empty(p->entry, "first", CATALOG_STAMP_MAX, &first)) < 0)
        return rc;
    if (before.disabled)
        return sr_fail(SR_ERR_INVALID, "user %u is disabled, and its id not given out again",
                       (unsigned)person.uid);
    p->catalog->known[person.uid % CATDB_KNOWN].role_count = 0; /* as in read_subject */
    if ((rc = put_person(p, &person)) < 0 || (rc = set_roles(p, person.uid)) < 0 ||
        (rc = set_first(p, person.uid, first)) < 0)
        return rc;
    if (!known)
        p->catalog->counts.users++;
    return 0;
}

int project_user_set(const struct project *p)
{
    struct catalog_user before;
    struct person person = {.account = before.account};
    uint32_t by;
    int rc;

    if ((rc = read_subject(p, &person.uid, &before)) < 0 ||
        (rc = project_text(p->entry, "name", TEXT_MAX(name), &person.name)) < 0 ||
        (rc = project_text_or_empty(p->entry, "unit", TEXT_MAX(unit), &person.unit)) < 0 ||
        (rc = project_u32(p->entry, "clearance", &person.clearance)) < 0 ||
        (rc = project_text_or_empty(p->entry, "badge", TEXT_MAX(badge), &person.badge)) < 0 ||
        (rc = project_day(p->entry, "badge_from", &person.badge_from)) < 0 ||
        (rc = project_day(p->entry, "badge_until", &person.badge_until)) < 0 ||
        (rc = project_u32(p->entry, "by", &by)) < 0)
        return rc;
    if (person.clearance >= CATALOG_LEVELS)
        return sr_fail(SR_ERR_INVALID, "member clearance is not 0 to %d", CATALOG_LEVELS - 1);
    if (person.badge_until != 0 && person.badge_until < person.badge_from)
        return sr_fail(SR_ERR_INVALID, "member badge_until lies before badge_from");
    if ((rc = put_person(p, &person)) < 0)
        return rc;
    return set_roles(p, person.uid);
}

int project_user_disable(const struct project *p)
{
    struct catalog_user before;
    sqlite3_stmt *statement;
    const char *reason;
    uint32_t uid, by;
    int rc;

    if ((rc = read_subject(p, &uid, &before)) < 0 ||
        (rc = project_text(p->entry, "reason", PROJECT_REASON_MAX, &reason)) < 0 ||
        (rc = project_u32(p->entry, "by", &by)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_USER_DISABLE);
    catdb_bind_int(statement, 1, uid);
    catdb_bind_int(statement, 2, (int64_t)p->index);
    return catdb_run(p->catalog, statement);
}

int project_user_password(const struct project *p)
{
    struct catalog_user before;
    const char *first;
    uint32_t uid, by;
    int rc;

    if ((rc = read_subject(p, &uid, &before)) < 0 || (rc = project_u32(p->entry, "by", &by)) < 0 ||
        (rc = project_text_or_empty(p->entry, "first", CATALOG_STAMP_MAX, &first)) < 0)
        return rc;
    return set_first(p, uid, first);
}
