/* Finding what the names of a schema mean. Used by cedar_schema.c. */
#ifndef SR_POLICY_CEDAR_SCHEMA_RESOLVE_H
#define SR_POLICY_CEDAR_SCHEMA_RESOLVE_H

#include "policy/cedar_schema_ast.h"

struct cedar_resolve {
    struct cedar_schema *schema; /* its types and actions known by name, and sorted */
    struct cedar_decls decls;
    struct cedar_decl_common **commons; /* in the order of names; the caller frees it */
    struct cedar_error *error;
    unsigned depth; /* of types within each other, common types counted too */
};

/* The error for an arena that is full. */
int cedar_resolve_memory(const struct cedar_resolve *resolve);
/* The error for a type or action that is declared twice, at the second place. */
int cedar_resolve_twice(struct cedar_resolve *resolve, const struct cedar_text *type,
                        const struct cedar_uid *action);
/* Gives every type its attributes, tags, ids and parents, every action its groups, principals,
 * resources and context. Errors as in cedar_parse.h. */
int cedar_resolve_names(struct cedar_resolve *resolve);

#endif
