/* Questions about people: accounts, and who a case belongs to. */
#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"

/* The row of the user statements, and the roles. */
static int read_user(struct catalog *catalog, sqlite3_stmt *statement, struct catalog_user *out)
{
    sqlite3_stmt *roles;
    int rc;

    memset(out, 0, sizeof(*out));
    out->uid = (uint32_t)sqlite3_column_int64(statement, 0);
    catdb_copy_text(statement, 1, out->account, sizeof(out->account));
    catdb_copy_text(statement, 2, out->name, sizeof(out->name));
    catdb_copy_text(statement, 3, out->unit, sizeof(out->unit));
    out->clearance = (uint32_t)sqlite3_column_int64(statement, 4);
    catdb_copy_text(statement, 5, out->badge, sizeof(out->badge));
    out->badge_from = sqlite3_column_int(statement, 6);
    out->badge_until = sqlite3_column_int(statement, 7);
    out->disabled = sqlite3_column_int(statement, 8) != 0;
    catdb_copy_text(statement, 9, out->first_password, sizeof(out->first_password));
    roles = catdb_use(catalog, CATDB_ROLES_OF);
    catdb_bind_int(roles, 1, out->uid);
    while ((rc = catdb_next(catalog, roles)) > 0 && out->role_count < CATALOG_ROLES_MAX)
        catdb_copy_text(roles, 0, out->roles[out->role_count++], sizeof(out->roles[0]));
    catdb_end(roles);
    return rc < 0 ? rc : 0;
}

static int one_user(struct catalog *catalog, sqlite3_stmt *statement, struct catalog_user *out)
{
    int rc = catdb_next(catalog, statement);

    if (rc > 0)
        rc = read_user(catalog, statement, out);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: no such user");
    catdb_end(statement);
    return rc;
}

int catalog_user(struct catalog *catalog, uint32_t uid, struct catalog_user *out)
{
    struct catalog_user *known = &catalog->known[uid % CATDB_KNOWN];
    sqlite3_stmt *statement;
    int rc = 0;

    catdb_lock(catalog);
    if (known->role_count > 0 && known->uid == uid) {
        *out = *known;
    } else {
        statement = catdb_use(catalog, CATDB_USER_GET);
        catdb_bind_int(statement, 1, uid);
        rc = one_user(catalog, statement, out);
        if (rc == 0)
            *known = *out;
    }
    catdb_unlock(catalog);
    return rc;
}

int catalog_user_by_account(struct catalog *catalog, const char *account, struct catalog_user *out)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_USER_BY_ACCOUNT);
    catdb_bind_text(statement, 1, account);
    rc = one_user(catalog, statement, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_users(struct catalog *catalog, catalog_user_fn *fn, void *context)
{
    struct catalog_user user;
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_USERS_ALL);
    while ((rc = catdb_next(catalog, statement)) > 0)
        if ((rc = read_user(catalog, statement, &user)) < 0 || (rc = fn(context, &user)) != 0)
            break;
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}

/* --- cases ------------------------------------------------------------------------------------ */

static int case_unit(struct catalog *catalog, uint64_t node, char out[128])
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_CASE_GET);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    rc = catdb_next(catalog, statement);
    if (rc > 0)
        catdb_copy_text(statement, 0, out, 128);
    else if (rc == 0)
        rc = sr_fail(SR_ERR_NOT_FOUND, "catalog: node %llu is no case", (unsigned long long)node);
    catdb_end(statement);
    return rc > 0 ? 0 : rc;
}

static int each_person(struct catalog *catalog, uint64_t node, catalog_person_fn *fn, void *context)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_PEOPLE_OF);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    while ((rc = catdb_next(catalog, statement)) > 0)
        if ((rc = fn(context, (uint32_t)sqlite3_column_int64(statement, 0),
                     sqlite3_column_int(statement, 1) != 0)) != 0)
            break;
    catdb_end(statement);
    return rc;
}

/* Projection keeps within the arrays. */
static int add_person(void *context, uint32_t uid, bool lead)
{
    struct catalog_case *out = context;

    if (lead && out->lead_count < CATALOG_LEADS_MAX)
        out->lead[out->lead_count++] = uid;
    else if (!lead && out->helper_count < CATALOG_HELPERS_MAX)
        out->helpers[out->helper_count++] = uid;
    return 0;
}

int catalog_case(struct catalog *catalog, uint64_t node, struct catalog_case *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    out->node = node;
    catdb_lock(catalog);
    rc = case_unit(catalog, node, out->unit);
    if (rc == 0)
        rc = each_person(catalog, node, add_person, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_case_people(struct catalog *catalog, uint64_t case_node, catalog_person_fn *fn,
                        void *context)
{
    char unit[128];
    int rc;

    catdb_lock(catalog);
    rc = case_unit(catalog, case_node, unit);
    if (rc == 0)
        rc = each_person(catalog, case_node, fn, context);
    catdb_unlock(catalog);
    return rc;
}

int catalog_cases_of(struct catalog *catalog, uint32_t uid, catalog_node_fn *fn, void *context)
{
    struct catalog_node node;
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_CASES_OF);
    catdb_bind_int(statement, 1, uid);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        catdb_read_node(statement, &node);
        if ((rc = fn(context, &node)) != 0)
            break;
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}
