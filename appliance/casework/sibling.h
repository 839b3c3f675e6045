/* What lies in one folder under one name. Names that a person may not know of never collide: an upload
 * under such a name becomes a record of its own (another instance). So a name is resolved for a person:
 *
 *   - Of several of one name that they may know of, the one of the lowest instance has the plain name, and
 *     stubs come last.
 *   - Each other one is shown as "stem〔同名N〕.ext", N being its instance + 1; the stem is cut where that
 *     would pass 255 bytes. Nobody can make a name of that form.
 *
 * The door's lock may be held. Private to casework/. */
#ifndef SR_CASEWORK_SIBLING_H
#define SR_CASEWORK_SIBLING_H

#include "casework/door_internal.h"

/* What user finds under that name. SR_ERR_NOT_FOUND. */
int sibling_find(struct door *door, const struct catalog_user *user, uint64_t parent,
                 const char *name, struct catalog_node *out);
/* The name under which user, who may know of node, finds it. */
int sibling_name(struct door *door, const struct catalog_user *user,
                 const struct catalog_node *node, char out[CATALOG_NAME_MAX + 1]);
/* Of that form? */
bool sibling_is_reserved(const char *name);
/* A sibling that user (NULL: anybody) may know of and whose name differs only in case or Unicode form, but
 * not the node except. SR_ERR_NOT_FOUND. */
int sibling_twin(struct door *door, const struct catalog_user *user, uint64_t parent,
                 const char *name, uint64_t except);

#endif
