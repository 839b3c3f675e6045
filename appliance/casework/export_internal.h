/* An export while it is made: export.c decides, export_give.c tells. Private to the two. */
#ifndef SR_CASEWORK_EXPORT_INTERNAL_H
#define SR_CASEWORK_EXPORT_INTERNAL_H

#include "casework/nodes.h"
#include "casework/past.h"

struct leaving {
    struct door *door;
    const struct door_actor *actor;
    const struct door_export *ask;
    struct catalog_user user;
    struct catalog_node in_case; /* today */
    struct past past;
    struct nodes records; /* as they were, those that leave */
    struct sr_buf checkpoint;
    uint64_t checkpoint_size, bytes;
    json_t *leaving; /* their objects and nodes, as keys */
    json_t *numbers; /* by node: {"archive_number", "entered"}, the newest */
    uint64_t unsealed, left_out, denied;
    bool restricted;
    uint32_t level; /* the highest of what leaves: enum catalog_level, as it is today */
    struct sr_buf denied_paths;
    bool purpose_would_do;
    door_item_fn *fn;
    void *context;
};

/* Finds every newest 档号 and number in the acts. */
int export_numbers(struct leaving *l);
int export_give_case(struct leaving *l);
int export_give_record(struct leaving *l, const struct catalog_node *node);
int export_give_acts(struct leaving *l);

#endif
