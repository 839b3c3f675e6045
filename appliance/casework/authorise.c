#include "casework/authorise.h"

#include <string.h>

#include "base/error.h"

#define BIT(act) (1u << (act))

static const char *const act_names[ACT_COUNT] = {
    [ACT_PLACES] = "places",
    [ACT_LIST] = "list",
    [ACT_READ] = "read",
    [ACT_ADD] = "add",
    [ACT_CASE_OPEN] = "case.open",
    [ACT_FILE] = "record.file",
    [ACT_INCOMPLETE] = "record.incomplete",
    [ACT_UNFILED_ALL] = "unfiled.all",
    [ACT_USER_ADD] = "user.add",
    [ACT_USER_LIST] = "user.list",
    [ACT_STATUS] = "status",
    [ACT_LEDGER] = "ledger",
    [ACT_CHECKPOINT] = "checkpoint",
    [ACT_VERIFY] = "verify",
    [ACT_USER_SET] = "user.set",
    [ACT_USER_DISABLE] = "user.disable",
    [ACT_CASE_ASSIGN] = "case.assign",
    [ACT_CASE_TRANSFER] = "case.transfer",
    [ACT_CLASSIFY] = "classify",
};

#define SEES (BIT(ACT_PLACES) | BIT(ACT_LIST) | BIT(ACT_READ) | BIT(ACT_STATUS))

/* The table of acts. The three 三员 rows hold neither LIST nor READ; nobody else holds USER_ADD. */
static const struct {
    const char *role;
    uint32_t acts;
    bool exclusive;
} table[] = {
    /* 办案人员   */ {"officer",
                      SEES | BIT(ACT_ADD) | BIT(ACT_CASE_OPEN) | BIT(ACT_FILE) |
                          BIT(ACT_INCOMPLETE) | BIT(ACT_CASE_ASSIGN) | BIT(ACT_CLASSIFY),
                      false},
    /* 法制审核   */ {"reviewer", SEES | BIT(ACT_ADD), false},
    /* 负责人     */
    {"head",
     SEES | BIT(ACT_ADD) | BIT(ACT_CASE_OPEN) | BIT(ACT_FILE) | BIT(ACT_UNFILED_ALL) |
         BIT(ACT_CASE_ASSIGN) | BIT(ACT_CASE_TRANSFER) | BIT(ACT_CLASSIFY),
     false},
    /* 监督人员   */
    {"supervisor",
     SEES | BIT(ACT_UNFILED_ALL) | BIT(ACT_LEDGER) | BIT(ACT_CHECKPOINT) | BIT(ACT_VERIFY), false},
    /* 档案员     */
    {"archivist",
     SEES | BIT(ACT_FILE) | BIT(ACT_UNFILED_ALL) | BIT(ACT_LEDGER) | BIT(ACT_CHECKPOINT) |
         BIT(ACT_VERIFY),
     false},
    /* 系统管理员 */
    {"sysadmin",
     BIT(ACT_PLACES) | BIT(ACT_USER_ADD) | BIT(ACT_USER_LIST) | BIT(ACT_USER_SET) |
         BIT(ACT_USER_DISABLE) | BIT(ACT_STATUS),
     true},
    /* 安全保密员 */
    {"secoff",
     BIT(ACT_PLACES) | BIT(ACT_USER_LIST) | BIT(ACT_USER_SET) | BIT(ACT_USER_DISABLE) |
         BIT(ACT_CLASSIFY) | BIT(ACT_STATUS) | BIT(ACT_LEDGER) | BIT(ACT_CHECKPOINT),
     true},
    /* 审计员     */
    {"auditor",
     BIT(ACT_PLACES) | BIT(ACT_USER_LIST) | BIT(ACT_STATUS) | BIT(ACT_LEDGER) |
         BIT(ACT_CHECKPOINT) | BIT(ACT_VERIFY),
     true},
};
#define TABLE_LEN (sizeof table / sizeof table[0])

static int role_index(const char *role)
{
    for (size_t i = 0; i < TABLE_LEN; i++)
        if (strcmp(table[i].role, role) == 0)
            return (int)i;
    return -1;
}

bool authorise(const struct catalog_user *user, enum act act)
{
    uint32_t acts = 0;
    if (user->uid == 0)
        return act == ACT_PLACES;
    for (size_t i = 0; i < user->role_count; i++) {
        int row = role_index(user->roles[i]);
        if (row >= 0)
            acts |= table[row].acts;
    }
    return (acts & BIT(act)) != 0;
}

int authorise_act_by_name(const char *name)
{
    for (int act = 0; act < ACT_COUNT; act++)
        if (strcmp(act_names[act], name) == 0)
            return act;
    return -1;
}

const char *authorise_act_name(enum act act)
{
    return act < ACT_COUNT ? act_names[act] : "?";
}

bool authorise_role_exists(const char *role)
{
    return role_index(role) >= 0;
}

int authorise_check_roles(const char *const *roles, size_t count)
{
    if (count == 0 || count > CATALOG_ROLES_MAX)
        return sr_fail(SR_ERR_INVALID, "an account needs 1 to %d roles", CATALOG_ROLES_MAX);
    for (size_t i = 0; i < count; i++) {
        int row = role_index(roles[i]);
        if (row < 0)
            return sr_fail(
                SR_ERR_INVALID,
                "there is no role \"%s\"; the roles are officer reviewer head supervisor archivist "
                "sysadmin secoff auditor",
                roles[i]);
        if (table[row].exclusive && count > 1)
            return sr_fail(SR_ERR_INVALID, "%s is one of 三员 and excludes every other role",
                           roles[i]);
    }
    return 0;
}
