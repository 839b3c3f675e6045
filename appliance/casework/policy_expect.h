/* What an agency expects of its rules: a list of who may do what where, asked of a view.
 *
 *     expectations:
 *       - user: zhang                  an account
 *         action: read                 an act of the door
 *         path: /2026/案/02调查取证     left out: the store itself
 *         purpose: 复核                with `read` and `export`; left out: none is stated
 *         decision: allow              or deny */
#ifndef SR_CASEWORK_POLICY_EXPECT_H
#define SR_CASEWORK_POLICY_EXPECT_H

#include "casework/door.h"
#include "casework/policy.h"

#define POLICY_EXPECT_FILE "expectations.yaml"
#define POLICY_EXPECT_MAX 1024

/* One question in words. SR_ERR_NOT_FOUND for an unknown account, act or path. fn may be NULL. */
int policy_expect_ask(struct door *door, const struct policy_view *view,
                      struct cedar_arena *scratch, const struct door_policy_question *question,
                      bool *allow, door_policy_reason_fn *fn, void *context);
/* Every expectation of a text. 0 also when some are not met: report says. SR_ERR_INVALID "NAME:LINE:COLUMN:
 * reason" for a text that is none. */
int policy_expect_text(struct door *door, const struct policy_view *view, const char *name,
                       const uint8_t *data, size_t len, struct door_policy_report *report);
/* DIR/expectations.yaml, if it is there. SR_ERR_INVALID, with the first that is not met. */
int policy_expect_folder(struct door *door, const char *dir, const struct policy_view *view);

#endif
