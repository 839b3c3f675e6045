/* Years and cases. Lock of the door held; both append and project. */
#ifndef SR_CASEWORK_CASES_H
#define SR_CASEWORK_CASES_H

#include "casework/door.h"

int cases_append_year(struct door *door, uint32_t uid, int year, uint64_t *index);
/* The stage folders come from the workflow in force. */
int cases_append_case(struct door *door, const struct door_actor *actor, int year, const char *name,
                      bool provisional, uint64_t *index);
/* This year's folder (Asia/Shanghai) exists from the first moment of the year. Lock not held. */
int cases_ensure_year(struct door *door);

/* Whether the node lies in (or is) a case of which uid is a lead. */
bool cases_is_lead(struct door *door, uint64_t node, uint32_t uid);

#endif
