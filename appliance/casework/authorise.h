/* The acts that can be allowed, by the names under which the access rules know them, and the roles. Who may
 * do what is decided by the rules (policy.h). */
#ifndef SR_CASEWORK_AUTHORISE_H
#define SR_CASEWORK_AUTHORISE_H

#include <stdbool.h>
#include <stdint.h>

#include "catalog/catalog.h"

enum act {
    ACT_PLACES, /* see years, cases and stages */
    ACT_LIST,   /* see records: names, sizes, states */
    ACT_READ,   /* content */
    ACT_ADD,    /* create, write, rename, discard before the seal; commit request */
    ACT_CASE_OPEN,
    ACT_FILE,       /* file and refile */
    ACT_INCOMPLETE, /* mark one's own sealed record incomplete */
    ACT_USER_ADD,
    ACT_USER_LIST,
    ACT_STATUS,
    ACT_LEDGER, /* read entries, proofs */
    ACT_CHECKPOINT,
    ACT_VERIFY,
    ACT_POLICY_SHOW,
    ACT_POLICY_EXPLAIN,
    ACT_POLICY_TEST,
    ACT_POLICY_RELOAD,
    ACT_USER_SET, /* which members: people.c */
    ACT_USER_DISABLE,
    ACT_CASE_ASSIGN, /* an officer: where they are lead */
    ACT_CASE_TRANSFER,
    ACT_CLASSIFY, /* an officer: own records, and cases where they are lead */
    ACT_EXPORT,
    ACT_VIEW_GRANT, /* give somebody else a standing grant to read what is restricted */
    ACT_VIEWS,      /* see who has read a restricted record */
    ACT_LABEL,      /* give labels to a record */
    ACT_ARCHIVE,    /* give 档号 */
    ACT_RETENTION,  /* put into a category, extend terms */
    ACT_COUNT
};

/* The name used on the control socket ("user.add"); -1 if there is no such act. */
int authorise_act_by_name(const char *name);
const char *authorise_act_name(enum act act);
bool authorise_role_exists(const char *role);
/* 三员 exclude each other and every other role. Sets the sentence. */
int authorise_check_roles(const char *const *roles, size_t count);

#endif
