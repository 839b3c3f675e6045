/* For tests of the Cedar engine: a policy set, entities and a request from texts. */
#ifndef SR_TESTS_CEDAR_RIG_H
#define SR_TESTS_CEDAR_RIG_H

#include "policy/cedar.h"
#include "policy/cedar_entities.h"

struct cedar_rig {
    struct cedar_policies *policies;
    struct cedar_entities *entities;
    struct cedar_arena arena; /* of the request */
    struct cedar_arena scratch;
    struct cedar_request request;
    struct cedar_response response;
};

/* entities and context are JSON, NULL for none. The request is User::"alice", Action::"view",
 * Photo::"p1". Fails the test when a text is wrong. */
void cedar_rig_open(struct cedar_rig *rig, const char *entities, const char *context);
void cedar_rig_close(struct cedar_rig *rig);
/* Type and id made in the rig's arena. */
const struct cedar_uid *cedar_rig_uid(struct cedar_rig *rig, const char *type, const char *id);
/* Replaces the policy set. The result of cedar_policies_add. */
int cedar_rig_policies(struct cedar_rig *rig, const char *text, struct cedar_error *error);
/* Decides with the set; the response is in the rig. */
int cedar_rig_decide(struct cedar_rig *rig);
/* The value of a bool expression: "true", "false", or the sentence of its fault, or of the error that
 * cedar_policies_add or cedar_authorize gave. Valid until the next call. */
const char *cedar_rig_evaluate(struct cedar_rig *rig, const char *expression);

#endif
