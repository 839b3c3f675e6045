/* What removing and renaming share. Lock of the door held unless said otherwise. */
#ifndef SR_CASEWORK_TREE_H
#define SR_CASEWORK_TREE_H

#include "casework/door_internal.h"

/* May this folder still be moved or removed by this person? reason is the refusal word. */
int tree_check_provisional(struct door *door, const struct door_actor *actor,
                           const struct catalog_node *node, const char **reason);
/* record.discard of the current, unsealed version. *gone holds a ref: give it to tree_finish_discard. */
int tree_discard(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                 struct live **gone, uint64_t *index);
/* Lock not held. Commits what was done; discarded content goes only once its record.discard is durable
 * (D8). A commit that fails leaves the file for the next start, which finds the entry, or the record
 * as it was. gone may be NULL. */
int tree_finish_discard(struct door *door, struct live *gone, uint64_t index);

#endif
