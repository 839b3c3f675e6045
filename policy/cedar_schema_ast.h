/* A schema in memory: what is declared, with names as they are written and their places, and what
 * it comes to once every name is found. Used by the files of the schema alone. */
#ifndef SR_POLICY_CEDAR_SCHEMA_AST_H
#define SR_POLICY_CEDAR_SCHEMA_AST_H

#include "policy/cedar_parse.h"
#include "policy/cedar_schema.h"

/* As declared. Lists are linked in the order of the text. */

struct cedar_decl_name {
    struct cedar_decl_name *next;
    const struct cedar_text *name; /* of a type; NULL: an action of the same namespace */
    const struct cedar_text *id;   /* of an action, or of an entity that is listed */
    uint32_t line;
    uint32_t column;
};

enum cedar_decl_kind {
    CEDAR_DECL_NAME,
    CEDAR_DECL_SET,
    CEDAR_DECL_RECORD,
};

struct cedar_decl_type {
    enum cedar_decl_kind kind;
    uint32_t line;
    uint32_t column;
    uint32_t count;                        /* of fields */
    const struct cedar_text *space;        /* the namespace around; NULL: none */
    const struct cedar_text *name;         /* as written, no white space */
    const struct cedar_decl_type *element; /* of a set */
    const struct cedar_decl_field *fields;
};

struct cedar_decl_field {
    struct cedar_decl_field *next;
    const struct cedar_text *name;
    const struct cedar_decl_type *type;
    bool optional;
    uint32_t line;
    uint32_t column;
};

struct cedar_decl_entity {
    struct cedar_decl_entity *next;
    const struct cedar_text *space;
    const struct cedar_text *name; /* with its namespace */
    uint32_t line;
    uint32_t column;
    const struct cedar_decl_name *parents;
    const struct cedar_decl_type *shape; /* NULL: no attributes */
    const struct cedar_decl_type *tags;  /* NULL: none */
    const struct cedar_decl_name *ids;   /* NULL: any */
};

struct cedar_decl_action {
    struct cedar_decl_action *next;
    const struct cedar_text *space;
    const struct cedar_uid *uid;
    uint32_t line;
    uint32_t column;
    const struct cedar_decl_name *parents;
    const struct cedar_decl_name *principals; /* NULL: a group only */
    const struct cedar_decl_name *resources;
    const struct cedar_decl_type *context; /* NULL: empty */
};

struct cedar_decl_common {
    struct cedar_decl_common *next;
    const struct cedar_text *name; /* with its namespace */
    uint32_t line;
    uint32_t column;
    const struct cedar_decl_type *type;
    const struct cedar_type *resolved; /* NULL before */
    bool resolving;
};

struct cedar_decls {
    struct cedar_decl_entity *entities;
    struct cedar_decl_action *actions;
    struct cedar_decl_common *commons;
    uint32_t entity_count;
    uint32_t action_count;
    uint32_t common_count;
};

/* Reads a text that is UTF-8. Errors as in cedar_parse.h. */
int cedar_schema_parse_decls(struct cedar_parse *parse, struct cedar_decls *out);

/* Once names are found. */

struct cedar_type_field {
    const struct cedar_text *name;
    const struct cedar_type *type;
    bool optional;
};

struct cedar_type {
    enum cedar_kind kind;
    uint32_t depth;                         /* 1 when nothing is within */
    uint32_t count;                         /* of fields */
    const struct cedar_type *element;       /* of a set; NULL: of the set [] */
    const struct cedar_entity_type *entity; /* of an entity */
    const struct cedar_type_field *fields;  /* of a record, in the order of cedar_text_compare */
};

struct cedar_entity_type {
    const struct cedar_text *name;
    uint32_t index;                      /* in schema->types, which are in the order of names */
    bool action;                         /* type of actions */
    struct cedar_type type;              /* of a reference to one */
    const struct cedar_type *attrs;      /* a record */
    const struct cedar_type *tags;       /* NULL: none */
    const struct cedar_text *const *ids; /* those that exist; NULL: any */
    uint32_t id_count;
    uint8_t *ancestors; /* by index: whether one of this type can be within one of that type */
};

struct cedar_action {
    const struct cedar_uid *uid;
    uint32_t index; /* in schema->actions, which are in the order of cedar_uid_compare */
    const struct cedar_entity_type *type;
    uint8_t *ancestors; /* by index */
    const struct cedar_entity_type *const *principals;
    const struct cedar_entity_type *const *resources;
    uint32_t principal_count; /* 0: a group only */
    uint32_t resource_count;
    const struct cedar_type *context;
};

/* A kind of request. Those of one shape differ in nothing but the action. */
struct cedar_environment {
    const struct cedar_entity_type *principal;
    const struct cedar_action *action;
    const struct cedar_entity_type *resource;
    const struct cedar_type *context;
    uint32_t shape;
};

struct cedar_schema {
    struct cedar_arena arena;
    struct cedar_entity_type *types;
    struct cedar_action *actions;
    struct cedar_environment *environments;
    uint32_t type_count;
    uint32_t action_count;
    uint32_t environment_count;
    uint32_t shape_count;
};

/* NULL when there is none of that name. */
const struct cedar_entity_type *cedar_schema_find_type(const struct cedar_schema *schema,
                                                       const struct cedar_text *name);
const struct cedar_action *cedar_schema_find_action(const struct cedar_schema *schema,
                                                    const struct cedar_uid *uid);
/* The name that is nearest to one that does not exist, in out; false when none is near. */
bool cedar_schema_near_type(const struct cedar_schema *schema, const struct cedar_text *name,
                            bool action, char *out, size_t size);
bool cedar_schema_near_action(const struct cedar_schema *schema, const struct cedar_uid *uid,
                              char *out, size_t size);

/* Types: cedar_type.c. */

extern const struct cedar_type cedar_type_record_empty;
/* Of a kind that has nothing within: bool, long, string and the extension types. */
const struct cedar_type *cedar_type_plain(enum cedar_kind kind);
/* NULL when the arena is full. */
const struct cedar_type *cedar_type_set(struct cedar_arena *arena,
                                        const struct cedar_type *element);
/* fields are sorted in place and kept. */
const struct cedar_type *cedar_type_record(struct cedar_arena *arena,
                                           struct cedar_type_field *fields, uint32_t count);
const struct cedar_type_field *cedar_type_find(const struct cedar_type *record,
                                               const struct cedar_text *name);
/* The nearest attribute to one that a record does not have. */
bool cedar_type_near_field(const struct cedar_type *record, const struct cedar_text *name,
                           char *out, size_t size);
bool cedar_type_equal(const struct cedar_type *a, const struct cedar_type *b, uint64_t *steps);
/* The type that holds the values of both: equal types, but for the set [] and for what is optional in
 * one alone. *out is NULL when there is none. SR_ERR_TOO_LARGE (no sentence): the arena is full. Gives
 * up at 0 steps, where *out means nothing. */
int cedar_type_join(struct cedar_arena *arena, const struct cedar_type *a,
                    const struct cedar_type *b, uint64_t *steps, const struct cedar_type **out);
/* As a schema writes it: Long, Set<User>, {a?: Long}. Cut to fit, the more so the deeper; returns
 * out. */
const char *cedar_type_text(const struct cedar_type *type, char *out, size_t size);

#endif
