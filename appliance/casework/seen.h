/* Who may see what, by groups of records that nobody can be allowed one and not the other of (catalog/search.h); what
 * was decided for a person is kept until the rules, a case or the groups change. Private to casework/. */
#ifndef SR_CASEWORK_SEEN_H
#define SR_CASEWORK_SEEN_H

#include "casework/door_internal.h"
#include "catalog/search.h"

enum seen { SEEN_UNKNOWN, SEEN_NO, SEEN_LISTED, SEEN_READ };

/* What is known of the person, or a fresh memo in the place of the oldest; NULL: no memory. Good for groups below
 * group_count until search_lock is let go, which is held. */
struct search_memo *seen_memo(struct door *door, uint32_t uid, uint64_t epoch, size_t group_count);
/* search_lock held. */
enum seen seen_group(struct door *door, const struct catalog_user *user, struct search_memo *memo,
                     uint32_t index, const struct catalog_group *group);
void seen_free(struct door *door);

#endif
