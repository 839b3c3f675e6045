/* A case as it was at some entry of the ledger: a catalog in memory of what the case, its records and the people were
 * then, and every act on them. Made from the ledger, so that it is the same whenever it is asked for. */
#ifndef SR_CASEWORK_PAST_H
#define SR_CASEWORK_PAST_H

#include "casework/door_internal.h"

struct past {
    uint64_t as_of;  /* index: nothing after it is in here */
    int64_t time_ns; /* of that entry */
    json_t *
        acts; /* array of {"index" (number), "entry" (private part opened)}, on the case and its records */
    struct catalog *
        catalog; /* users, places, records of this case. No 档号, numbers, views: those stand in acts */
};

/* as_of DOOR_EXPORT_LATEST: the last act on the case that is neither a reading nor an export. SR_ERR_INVALID: the case was not
 * there yet, or the ledger does not go so far. progress may be NULL and gives entries. The door's lock not held. */
int past_open(struct door *door, uint64_t case_node, uint64_t as_of, door_progress_fn *progress,
              void *context, struct past *out);
void past_close(struct past *past); /* zeroed ok */

#endif
