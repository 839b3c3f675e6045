/* A schema in Cedar's own syntax (.cedarschema): which entity types, attributes, tags and actions
 * there are, and what is checked against it: policies when they are loaded, entities and requests
 * where they are made. Pure: no I/O, no clock, no globals.
 *
 * A policy that passes does not fault for any request and entities that conform to the schema, but by
 * arithmetic beyond 64 bits or an entity that the store does not have. What is checked goes beyond
 * that where a policy could never do what it says (an attribute or type that does not exist, a
 * condition that can never be true).
 *
 * Threads: a schema never changes and may be used by any number of threads. */
#ifndef SR_POLICY_CEDAR_SCHEMA_H
#define SR_POLICY_CEDAR_SCHEMA_H

#include "policy/cedar.h"
#include "policy/cedar_entities.h"

#define CEDAR_SCHEMA_SOURCE_MAX ((size_t)1 << 20)  /* bytes of one schema */
#define CEDAR_SCHEMA_MEMORY_MAX ((size_t)32 << 20) /* bytes that it takes in memory */
#define CEDAR_SCHEMA_TYPES_MAX 512                 /* entity types, those of actions among them */
#define CEDAR_SCHEMA_ACTIONS_MAX 1024              /* actions and groups of them */
#define CEDAR_SCHEMA_COMMON_MAX 1024               /* names that type gives to types */
#define CEDAR_SCHEMA_LIST_MAX 1024                 /* names between two brackets */
#define CEDAR_SCHEMA_DEPTH_MAX 64                  /* sets and records within each other */
/* Ways to combine a type of principals, an action and a type of resources. */
#define CEDAR_SCHEMA_ENVIRONMENTS_MAX 20000
#define CEDAR_PROBLEMS_MAX 200                    /* reported of one set */
#define CEDAR_CHECK_STEPS_MAX ((uint64_t)1 << 26) /* of the check of one set */

struct cedar_schema;

/* SR_ERR_INVALID: the text is no schema, or names what it does not declare; the sentence is "line L,
 * column C: found F, expected E", and *error (may be NULL) has the parts. SR_ERR_TOO_LARGE: a limit,
 * which the sentence names. *out is NULL on error. */
int cedar_schema_parse(const uint8_t *text, size_t len, struct cedar_schema **out,
                       struct cedar_error *error);
void cedar_schema_free(struct cedar_schema *schema);

/* What is wrong with a policy and where. Strings live until the report returns, file as long as the
 * policy set. The place is that of an operator, of an attribute's name, of a literal, of a name in a
 * scope; of the policy when it can never apply. */
struct cedar_problem {
    const char *file;
    uint32_t policy; /* index within the set */
    uint32_t line;
    uint32_t column;
    const char *what;
    const char *suggestion; /* the nearest name that exists; NULL when none is near */
};

/* Checks every policy of a set for every combination of principal, action and resource that the
 * schema allows and the policy's scope admits. Calls report (may be NULL) for each problem, in the
 * order of policies and places. SR_ERR_INVALID: there was a problem, and the sentence is the first
 * one's (cedar_problem_text). SR_ERR_TOO_LARGE: the check takes more steps or memory than allowed;
 * the set must be taken for refused. */
int cedar_schema_check_policies(const struct cedar_schema *schema,
                                const struct cedar_policies *policies,
                                void (*report)(void *arg, const struct cedar_problem *problem),
                                void *arg);
/* "FILE: line L, column C: WHAT; did you mean `NAME`?". Cut to fit; returns out. */
const char *cedar_problem_text(const struct cedar_problem *problem, char *out, size_t size);

/* Whether an entity is of a type that the schema has, with every attribute that is not optional, none
 * that is not declared, values of the declared types, and ancestors of types that the schema allows
 * (an action: the very groups). SR_ERR_INVALID with a sentence that says what does not conform. */
int cedar_schema_check_entity(const struct cedar_schema *schema, const struct cedar_entity *entity);
/* Whether the action takes such a principal and resource, and the context is of its type. */
int cedar_schema_check_request(const struct cedar_schema *schema,
                               const struct cedar_request *request);

#endif
