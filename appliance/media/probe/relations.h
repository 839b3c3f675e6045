/* Relationships of OOXML's parts (ECMA-376-2, 9): what a part is called is said by another alone. */
#ifndef SR_MEDIA_PROBE_RELATIONS_H
#define SR_MEDIA_PROBE_RELATIONS_H

#include "media/probe/members.h"

struct relation {
    char *id;     /* within its part */
    char *type;   /* the end of the URI, behind its last slash */
    char *target; /* name of a member, as members_find takes it */
};

struct relations { /* zero-initialise; relations_free() when done */
    struct relation *items;
    size_t count;
};

/* Those of part; "": of the package. None is no error. Errors: no memory; out is to be freed then too. */
int relations_load(const struct members *members, const char *part, struct describe *answer,
                   struct relations *out);
void relations_free(struct relations *relations);
/* The target of an id; NULL: there is none. */
const char *relations_by_id(const struct relations *relations, const char *id);
/* The target of the first of a type ("officeDocument"); otherwise: what is returned where there is none. */
const char *relations_by_type(const struct relations *relations, const char *type,
                              const char *otherwise);

#endif
