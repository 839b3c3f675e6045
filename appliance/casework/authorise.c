#include "casework/authorise.h"

#include <string.h>

#include "base/error.h"

static const char *const act_names[ACT_COUNT] = {
    [ACT_PLACES] = "places",
    [ACT_LIST] = "list",
    [ACT_READ] = "read",
    [ACT_ADD] = "add",
    [ACT_CASE_OPEN] = "case.open",
    [ACT_FILE] = "record.file",
    [ACT_INCOMPLETE] = "record.incomplete",
    [ACT_USER_ADD] = "user.add",
    [ACT_USER_LIST] = "user.list",
    [ACT_STATUS] = "status",
    [ACT_LEDGER] = "ledger",
    [ACT_CHECKPOINT] = "checkpoint",
    [ACT_VERIFY] = "verify",
    [ACT_POLICY_SHOW] = "policy.show",
    [ACT_POLICY_EXPLAIN] = "policy.explain",
    [ACT_POLICY_TEST] = "policy.test",
    [ACT_POLICY_RELOAD] = "policy.reload",
    [ACT_USER_SET] = "user.set",
    [ACT_USER_DISABLE] = "user.disable",
    [ACT_CASE_ASSIGN] = "case.assign",
    [ACT_CASE_TRANSFER] = "case.transfer",
    [ACT_CLASSIFY] = "classify",
    [ACT_EXPORT] = "export",
    [ACT_VIEW_GRANT] = "view.grant",
    [ACT_VIEWS] = "views",
    [ACT_LABEL] = "label",
    [ACT_ARCHIVE] = "record.archive",
    [ACT_RETENTION] = "retention",
};

/* 三员 exclude each other and every other role. What a role may do is written in policy/access.cedar. */
static const struct {
    const char *role;
    bool exclusive;
} table[] = {
    {"officer", false},    /* 办案人员 */
    {"reviewer", false},   /* 法制审核人员 */
    {"head", false},       /* 负责人 */
    {"supervisor", false}, /* 监督人员 */
    {"archivist", false},  /* 档案员 */
    {"station", false},    /* 采集站 */
    {"sysadmin", true},    /* 系统管理员 */
    {"secoff", true},      /* 安全保密员 */
    {"auditor", true},     /* 审计员 */
};
#define TABLE_LEN (sizeof table / sizeof table[0])

static int role_index(const char *role)
{
    for (size_t i = 0; i < TABLE_LEN; i++)
        if (strcmp(table[i].role, role) == 0)
            return (int)i;
    return -1;
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
                "station sysadmin secoff auditor",
                roles[i]);
        if (table[row].exclusive && count > 1)
            return sr_fail(SR_ERR_INVALID, "%s is one of 三员 and excludes every other role",
                           roles[i]);
    }
    return 0;
}
