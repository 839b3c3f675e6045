/* Cedar: policies are read once, then asked any number of times. Pure: no I/O, no clock, no globals.
 *
 *     struct cedar_policies *policies;
 *     cedar_policies_new(&policies);
 *     cedar_policies_add(policies, "access.cedar", text, len, &error);    for each file
 *     cedar_authorize(policies, &request, &scratch, &response);           from any thread
 *
 * The language is Cedar's, without schema (cedar_schema.h has that): policies that Cedar's own parser
 * takes are taken, others refused; decisions, determining and erroring policies are Cedar's.
 * Templates (?principal, ?resource) are read and never apply, because nothing links them.
 *
 * Threads: a policy set that nobody adds to any more, an entity store and values may be used by any
 * number of threads at once, without locks. A scratch arena belongs to one thread.
 *
 * Limits: each is refused with SR_ERR_TOO_LARGE and a sentence that names it. */
#ifndef SR_POLICY_CEDAR_H
#define SR_POLICY_CEDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/cedar_value.h"

#define CEDAR_SOURCE_MAX ((size_t)4 << 20)            /* bytes of one policy file */
#define CEDAR_POLICIES_MAX 20000                      /* policies of one set */
#define CEDAR_POLICIES_MEMORY_MAX ((size_t)256 << 20) /* bytes that one set takes in memory */
#define CEDAR_DEPTH_MAX 400                           /* expressions within each other */
#define CEDAR_PATH_MAX 64                             /* names of one has path */
#define CEDAR_STEPS_MAX 1000000              /* of one decision, unless the request says fewer */
#define CEDAR_SCRATCH_MAX ((size_t)16 << 20) /* a limit for scratch arenas that suits */

/* What is wrong with a text and where. Lines and columns count from 1, columns in characters. found
 * and expected are what the sentence says. */
struct cedar_error {
    uint32_t line;
    uint32_t column;
    char found[64];
    char expected[128];
};

struct cedar_policies;

int cedar_policies_new(struct cedar_policies **out);
void cedar_policies_free(struct cedar_policies *policies);
/* Adds the policies of one text, in order. file (copied) names it in answers and is no path that is
 * opened. SR_ERR_INVALID: the text is not Cedar; the sentence is "line L, column C: found F, expected
 * E", and *error (may be NULL) has the parts. After any error the set holds what it held before. */
int cedar_policies_add(struct cedar_policies *policies, const char *file, const uint8_t *text,
                       size_t len, struct cedar_error *error);
size_t cedar_policies_count(const struct cedar_policies *policies);

/* One policy of the set; index counts from 0 in the order of adding. Strings belong to the set. */
struct cedar_policy_info {
    const char *file;
    uint32_t line; /* where it begins */
    uint32_t column;
    bool forbid;
    bool template;
};
void cedar_policies_info(const struct cedar_policies *policies, size_t index,
                         struct cedar_policy_info *out);
/* The text of @name("text") before the policy; "" for a bare @name; NULL when there is none. */
const char *cedar_policies_annotation(const struct cedar_policies *policies, size_t index,
                                      const char *name);

struct cedar_entities; /* cedar_entities.h */
struct cedar_entity;

struct cedar_request {
    const struct cedar_uid *principal;
    const struct cedar_uid *action;
    const struct cedar_uid *resource;
    const struct cedar_record *context;    /* NULL: empty */
    const struct cedar_entities *entities; /* NULL: none */
    /* Entities of this request alone, looked at before the store; few, they are searched in order. */
    const struct cedar_entity *const *extra;
    size_t extra_count;
    uint64_t steps_max; /* 0: CEDAR_STEPS_MAX */
};

enum cedar_fault_kind {
    CEDAR_FAULT_TYPE,      /* got where expected was wanted */
    CEDAR_FAULT_OVERFLOW,  /* beyond 64 bits */
    CEDAR_FAULT_ENTITY,    /* attribute or tag of an entity that is not known */
    CEDAR_FAULT_ATTRIBUTE, /* the entity or record has no such attribute */
    CEDAR_FAULT_TAG,       /* the entity has no such tag */
    CEDAR_FAULT_ARITY,     /* extension function with the wrong number of arguments */
    CEDAR_FAULT_EXTENSION, /* text or result that the extension type cannot hold */
};

/* Why one policy could not be evaluated, and where. name belongs to the policy set: the attribute or
 * the extension function; NULL otherwise. */
struct cedar_fault {
    uint32_t policy;
    uint32_t line;
    uint32_t column;
    enum cedar_fault_kind kind;
    enum cedar_kind expected; /* CEDAR_FAULT_TYPE alone; one of those that would do */
    enum cedar_kind got;
    const char *name;
};

struct cedar_response {
    bool allow;
    bool forbid_faulted;     /* a forbid is among the faults: Cedar skips it, the door denies */
    const uint32_t *reasons; /* policies that determined the decision, in order */
    size_t reason_count;
    const struct cedar_fault *faults; /* policies that were skipped, in order */
    size_t fault_count;
};

/* Decides. 0, or SR_ERR_TOO_LARGE when the steps or the scratch arena ran out: there is no decision
 * then, which the caller must take for a refusal (out->allow is false). The response lives in scratch;
 * the caller resets scratch when done with it, never before. */
int cedar_authorize(const struct cedar_policies *policies, const struct cedar_request *request,
                    struct cedar_arena *scratch, struct cedar_response *out);

/* The sentence for a fault ("expected a bool, found a string"). Cut to fit; returns out. */
const char *cedar_fault_text(const struct cedar_fault *fault, char *out, size_t size);

#endif
