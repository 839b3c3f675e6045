/* 我的案件: for each person links to the cases in which they are lead or helper and that they may know of.
 * A link is named as its case, with （YYYY） where two years have one of that name; it stands in no table, and its
 * id is that of the case with one bit more. Links, because a folder cannot lie in two places for the
 * kernel; smbd follows them within the share. Private to casework/. */
#ifndef SR_CASEWORK_MINE_H
#define SR_CASEWORK_MINE_H

#include "casework/door_internal.h"

#define MINE_LINK_BIT (UINT64_C(1) << 62) /* node ids of the ledger are below */

bool mine_is_link(uint64_t node);
/* SR_ERR_NOT_FOUND. */
int mine_find(struct door *door, const struct catalog_user *user, const char *name,
              struct catalog_node *out);
int mine_get(struct door *door, const struct catalog_user *user, uint64_t link,
             struct catalog_node *out);
/* As door_readdir. */
int mine_list(struct door *door, const struct catalog_user *user, uint64_t after,
              catalog_node_fn *fn, void *context);

#endif
