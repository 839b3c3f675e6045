/* The declarations of a schema, in Cedar's grammar: namespaces, entity types, actions, common types.
 * Names stay as they are written; cedar_schema.c finds what they mean. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "policy/cedar_error.h"
#include "policy/cedar_schema_ast.h"

struct decl_parse {
    struct cedar_parse *parse;
    const struct cedar_text *space; /* the namespace; NULL: none */
    struct cedar_decls *decls;
    struct cedar_decl_entity **entities; /* ends of the lists */
    struct cedar_decl_action **actions;
    struct cedar_decl_common **commons;
};

static int parse_type(struct decl_parse *decl, const struct cedar_decl_type **out);

static bool at_word(const struct cedar_parse *parse, const char *word)
{
    return parse->token.kind == CEDAR_TOKEN_NAME && parse->token.len == strlen(word) &&
           !memcmp(parse->token.text, word, parse->token.len);
}

static int too_many(uint32_t *count, uint32_t most, const char *what)
{
    if (*count >= most)
        return sr_fail(SR_ERR_TOO_LARGE, "the schema has more than %u %s", most, what);
    ++*count;
    return 0;
}

/* Memory that is clear. */
static void *make(struct decl_parse *decl, size_t size)
{
    void *made = cedar_arena_alloc(decl->parse->arena, size);
    return made ? memset(made, 0, size) : NULL;
}

/* @name or @name("text"), any number; what they say means nothing here. */
static int skip_annotations(struct decl_parse *decl)
{
    struct cedar_parse *parse = decl->parse;
    const struct cedar_text *text;
    int rc;
    while ((rc = cedar_parse_accept_sign(parse, "@")) > 0) {
        if (parse->token.kind != CEDAR_TOKEN_NAME)
            return cedar_parse_refuse(parse, "the annotation's name");
        rc = cedar_parse_advance(parse);
        if (rc == 0 && (rc = cedar_parse_accept_sign(parse, "(")) > 0) {
            rc = cedar_parse_string(parse, &text);
            if (rc == 0)
                rc = cedar_parse_expect_sign(parse, ")");
        }
        if (rc < 0)
            return rc;
    }
    return rc;
}

/* An identifier that is no reserved word, or where text is set a string. */
static int parse_name(struct decl_parse *decl, bool text, const struct cedar_text **out)
{
    if (text && decl->parse->token.kind == CEDAR_TOKEN_STRING)
        return cedar_parse_string(decl->parse, out);
    return cedar_parse_field(decl->parse, out);
}

/* The namespace before a name that is declared in it. */
static int qualify(struct decl_parse *decl, const struct cedar_text *name,
                   const struct cedar_text **out)
{
    *out = name;
    if (!decl->space)
        return 0;
    size_t len = (size_t)decl->space->len + 2 + name->len;
    char *text = cedar_arena_alloc(decl->parse->arena, len);
    if (text) {
        memcpy(text, decl->space->data, decl->space->len);
        memcpy(text + decl->space->len, "::", 2);
        memcpy(text + decl->space->len + 2, name->data, name->len);
    }
    *out = text ? cedar_text_make(decl->parse->arena, text, len) : NULL;
    return *out ? 0 : cedar_parse_memory(decl->parse);
}

/* The name of a type: A::B, or __cedar::Long. */
static int parse_path(struct decl_parse *decl, const struct cedar_text **out)
{
    struct cedar_parse *parse = decl->parse;
    char name[64];
    *out = NULL;
    if (parse->token.word != CEDAR_WORD_CEDAR)
        return cedar_parse_type(parse, out);
    int rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = cedar_parse_expect_sign(parse, "::");
    if (rc < 0)
        return rc;
    if (parse->token.kind != CEDAR_TOKEN_NAME || parse->token.len > 32)
        return cedar_parse_refuse(parse, "a type of Cedar's own, such as Long");
    int len =
        snprintf(name, sizeof(name), "__cedar::%.*s", (int)parse->token.len, parse->token.text);
    *out = cedar_text_make(parse->arena, name, (size_t)len);
    return *out ? cedar_parse_advance(parse) : cedar_parse_memory(parse);
}

static int parse_entity_ref(struct decl_parse *decl, struct cedar_decl_name *out)
{
    return parse_path(decl, &out->name);
}

/* An action: NS::Action::"id", or a name or string for one of the same namespace. */
static int parse_action_ref(struct decl_parse *decl, struct cedar_decl_name *out)
{
    struct cedar_parse *parse = decl->parse;
    struct cedar_token start = parse->token;
    const struct cedar_uid *uid;
    if (start.kind == CEDAR_TOKEN_STRING)
        return cedar_parse_string(parse, &out->id);
    int rc = cedar_parse_name_or_uid(parse, &out->name, &uid);
    if (rc < 0)
        return rc;
    if (!uid && memchr(out->name->data, ':', out->name->len))
        return cedar_parse_refuse_at(parse, &start, "an action, such as NS::Action::\"id\"");
    out->id = uid ? uid->id : out->name;
    if (!uid)
        out->name = NULL;
    return 0;
}

static int parse_id(struct decl_parse *decl, struct cedar_decl_name *out)
{
    return cedar_parse_string(decl->parse, &out->id);
}

/* One, or any number between brackets. bare: one without brackets will do. */
static int parse_list(struct decl_parse *decl, bool bare, bool empty,
                      int (*parse_one)(struct decl_parse *, struct cedar_decl_name *),
                      const struct cedar_decl_name **out)
{
    struct cedar_parse *parse = decl->parse;
    struct cedar_decl_name *first = NULL;
    struct cedar_decl_name **end = &first;
    bool list = cedar_parse_at_sign(parse, "[");
    int rc = list ? cedar_parse_advance(parse) : bare ? 0 : cedar_parse_expect_sign(parse, "[");
    uint32_t count = 0;
    bool more = !(list && empty && cedar_parse_at_sign(parse, "]"));
    while (rc == 0 && more) {
        struct cedar_decl_name *item = make(decl, sizeof(*item));
        rc = too_many(&count, CEDAR_SCHEMA_LIST_MAX, "names in one list");
        if (rc < 0)
            return rc;
        if (!item)
            return cedar_parse_memory(parse);
        item->line = parse->token.line;
        item->column = parse->token.column;
        rc = parse_one(decl, item);
        *end = item;
        end = &item->next;
        more = list && cedar_parse_at_sign(parse, ",");
        if (rc == 0 && more)
            rc = cedar_parse_advance(parse);
    }
    if (rc == 0 && list)
        rc = cedar_parse_at_sign(parse, "]") ? cedar_parse_advance(parse)
                                             : cedar_parse_refuse(parse, "`,` or `]`");
    *out = first;
    return rc;
}

/* name: Type, name?: Type */
static int parse_field(struct decl_parse *decl, struct cedar_decl_field *out)
{
    struct cedar_parse *parse = decl->parse;
    int rc = skip_annotations(decl);
    if (rc < 0)
        return rc;
    out->line = parse->token.line;
    out->column = parse->token.column;
    rc = parse_name(decl, true, &out->name);
    if (rc == 0)
        rc = cedar_parse_accept_sign(parse, "?");
    if (rc < 0)
        return rc;
    out->optional = rc > 0;
    rc = cedar_parse_expect_sign(parse, ":");
    return rc < 0 ? rc : parse_type(decl, &out->type);
}

static int parse_record(struct decl_parse *decl, struct cedar_decl_type *out)
{
    struct cedar_parse *parse = decl->parse;
    struct cedar_decl_field *first = NULL;
    struct cedar_decl_field **end = &first;
    out->kind = CEDAR_DECL_RECORD;
    int rc = cedar_parse_expect_sign(parse, "{");
    while (rc == 0 && !cedar_parse_at_sign(parse, "}")) {
        struct cedar_decl_field *field = make(decl, sizeof(*field));
        if (!field)
            return cedar_parse_memory(parse);
        rc = parse_field(decl, field);
        *end = field;
        end = &field->next;
        out->count++;
        if (rc == 0 && !cedar_parse_at_sign(parse, "}"))
            rc = cedar_parse_at_sign(parse, ",") ? cedar_parse_advance(parse)
                                                 : cedar_parse_refuse(parse, "`,` or `}`");
    }
    out->fields = first;
    return rc < 0 ? rc : cedar_parse_advance(parse);
}

static int parse_type(struct decl_parse *decl, const struct cedar_decl_type **out)
{
    struct cedar_parse *parse = decl->parse;
    struct cedar_decl_type *type = make(decl, sizeof(*type));
    bool set = at_word(parse, "Set");
    int rc;
    *out = type;
    if (!type)
        return cedar_parse_memory(parse);
    type->line = parse->token.line;
    type->column = parse->token.column;
    type->space = decl->space;
    if (parse->depth >= CEDAR_SCHEMA_DEPTH_MAX)
        return sr_fail(SR_ERR_TOO_LARGE, "line %u, column %u: types nest more than %d deep",
                       type->line, type->column, CEDAR_SCHEMA_DEPTH_MAX);
    parse->depth++;
    if (cedar_parse_at_sign(parse, "{")) {
        rc = parse_record(decl, type);
    } else if (parse->token.kind != CEDAR_TOKEN_NAME) {
        rc = cedar_parse_refuse(parse, "a type");
    } else {
        rc = parse_path(decl, &type->name);
        if (rc == 0 && set && cedar_parse_at_sign(parse, "<")) {
            type->kind = CEDAR_DECL_SET;
            rc = cedar_parse_advance(parse);
            if (rc == 0)
                rc = parse_type(decl, &type->element);
            if (rc == 0)
                rc = cedar_parse_expect_sign(parse, ">");
        }
    }
    parse->depth--;
    return rc;
}

/* The names that one declaration gives, between commas. */
static int parse_entity_names(struct decl_parse *decl, struct cedar_decl_entity **first)
{
    struct cedar_parse *parse = decl->parse;
    const struct cedar_text *name;
    int rc;
    *first = NULL;
    do {
        struct cedar_decl_entity *entity = make(decl, sizeof(*entity));
        if (!entity)
            return cedar_parse_memory(parse);
        entity->line = parse->token.line;
        entity->column = parse->token.column;
        entity->space = decl->space;
        if (at_word(parse, "Action"))
            return cedar_parse_refuse(parse, "another name than Action, which actions have");
        rc = parse_name(decl, false, &name);
        if (rc == 0)
            rc = qualify(decl, name, &entity->name);
        if (rc == 0)
            rc = too_many(&decl->decls->entity_count, CEDAR_SCHEMA_TYPES_MAX, "entity types");
        if (rc == 0)
            rc = cedar_parse_accept_sign(parse, ",");
        *first = *first ? *first : entity;
        *decl->entities = entity;
        decl->entities = &entity->next;
    } while (rc > 0);
    return rc;
}

static int parse_entity(struct decl_parse *decl)
{
    struct cedar_parse *parse = decl->parse;
    struct cedar_decl_entity *first;
    struct cedar_decl_entity body = {0};
    int rc = parse_entity_names(decl, &first);
    if (rc == 0 && at_word(parse, "enum")) {
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = parse_list(decl, false, false, parse_id, &body.ids);
    } else if (rc == 0) {
        if (parse->token.word == CEDAR_WORD_IN) {
            rc = cedar_parse_advance(parse);
            if (rc == 0)
                rc = parse_list(decl, true, true, parse_entity_ref, &body.parents);
        }
        bool shape = rc == 0 && cedar_parse_at_sign(parse, "=");
        if (shape)
            rc = cedar_parse_advance(parse);
        if (shape && rc == 0 && !cedar_parse_at_sign(parse, "{"))
            return cedar_parse_refuse(parse, "`{`");
        if (rc == 0 && cedar_parse_at_sign(parse, "{"))
            rc = parse_type(decl, &body.shape);
        if (rc == 0 && at_word(parse, "tags")) {
            rc = cedar_parse_advance(parse);
            if (rc == 0)
                rc = parse_type(decl, &body.tags);
        }
    }
    for (struct cedar_decl_entity *entity = first; rc == 0 && entity; entity = entity->next) {
        entity->parents = body.parents;
        entity->shape = body.shape;
        entity->tags = body.tags;
        entity->ids = body.ids;
    }
    if (rc == 0 && !cedar_parse_at_sign(parse, ";"))
        return cedar_parse_refuse(parse, body.ids    ? "`;`"
                                         : body.tags ? "`;`"
                                                     : "`in`, `{`, `tags`, `enum` or `;`");
    return rc < 0 ? rc : cedar_parse_advance(parse);
}

/* { principal: …, resource: …, context: … }, each at most once */
static int parse_applies(struct decl_parse *decl, struct cedar_decl_action *body)
{
    struct cedar_parse *parse = decl->parse;
    struct cedar_token start = parse->token;
    int rc = cedar_parse_expect_sign(parse, "{");
    while (rc == 0 && !cedar_parse_at_sign(parse, "}")) {
        struct cedar_token at = parse->token;
        bool principal = at.word == CEDAR_WORD_PRINCIPAL;
        bool resource = at.word == CEDAR_WORD_RESOURCE;
        if (!principal && !resource && at.word != CEDAR_WORD_CONTEXT)
            return cedar_parse_refuse(parse, "`principal`, `resource`, `context` or `}`");
        if (principal ? !!body->principals : resource ? !!body->resources : !!body->context)
            return cedar_parse_refuse(parse, "each of the three at most once");
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = cedar_parse_expect_sign(parse, ":");
        if (rc == 0 && (principal || resource))
            rc = parse_list(decl, true, false, parse_entity_ref,
                            principal ? &body->principals : &body->resources);
        else if (rc == 0 && parse->token.kind != CEDAR_TOKEN_NAME &&
                 !cedar_parse_at_sign(parse, "{"))
            return cedar_parse_refuse(parse, "a record or the name of one");
        else if (rc == 0)
            rc = parse_type(decl, &body->context);
        if (rc == 0 && !cedar_parse_at_sign(parse, "}"))
            rc = cedar_parse_at_sign(parse, ",") ? cedar_parse_advance(parse)
                                                 : cedar_parse_refuse(parse, "`,` or `}`");
    }
    if (rc == 0 && (!body->principals || !body->resources))
        return cedar_error_set(parse->error, start.line, start.column,
                               body->principals ? "no `resource`" : "no `principal`",
                               "both, each a type or a list of types");
    return rc < 0 ? rc : cedar_parse_advance(parse);
}

/* The type of actions of the namespace. */
static int action_type(struct decl_parse *decl, const struct cedar_text **out)
{
    static const char word[] = "Action";
    const struct cedar_text *name = cedar_text_make(decl->parse->arena, word, sizeof(word) - 1);
    *out = NULL;
    return name ? qualify(decl, name, out) : cedar_parse_memory(decl->parse);
}

static int parse_action_names(struct decl_parse *decl, struct cedar_decl_action **first)
{
    struct cedar_parse *parse = decl->parse;
    const struct cedar_text *type;
    const struct cedar_text *id;
    *first = NULL;
    int rc = action_type(decl, &type);
    if (rc < 0)
        return rc;
    do {
        struct cedar_decl_action *action = make(decl, sizeof(*action));
        if (!action)
            return cedar_parse_memory(parse);
        action->line = parse->token.line;
        action->column = parse->token.column;
        action->space = decl->space;
        rc = parse_name(decl, true, &id);
        if (rc == 0)
            rc = too_many(&decl->decls->action_count, CEDAR_SCHEMA_ACTIONS_MAX, "actions");
        action->uid = rc == 0 ? cedar_uid_make(parse->arena, type, id) : NULL;
        if (rc == 0 && !action->uid)
            return cedar_parse_memory(parse);
        if (rc == 0)
            rc = cedar_parse_accept_sign(parse, ",");
        *first = *first ? *first : action;
        *decl->actions = action;
        decl->actions = &action->next;
    } while (rc > 0);
    return rc;
}

static int parse_action(struct decl_parse *decl)
{
    struct cedar_parse *parse = decl->parse;
    struct cedar_decl_action *first;
    struct cedar_decl_action body = {0};
    int rc = parse_action_names(decl, &first);
    if (rc == 0 && parse->token.word == CEDAR_WORD_IN) {
        rc = cedar_parse_advance(parse);
        if (rc == 0)
            rc = parse_list(decl, true, false, parse_action_ref, &body.parents);
    }
    bool applies = rc == 0 && at_word(parse, "appliesTo");
    if (applies)
        rc = cedar_parse_advance(parse);
    if (applies && rc == 0)
        rc = parse_applies(decl, &body);
    for (struct cedar_decl_action *action = first; rc == 0 && action; action = action->next) {
        action->parents = body.parents;
        action->principals = body.principals;
        action->resources = body.resources;
        action->context = body.context;
    }
    if (rc == 0 && !cedar_parse_at_sign(parse, ";"))
        return cedar_parse_refuse(parse, applies ? "`;`" : "`in`, `appliesTo` or `;`");
    return rc < 0 ? rc : cedar_parse_advance(parse);
}

static int parse_common(struct decl_parse *decl)
{
    static const char *const taken[] = {"Bool", "Boolean", "Entity", "Extension",
                                        "Long", "Record",  "Set",    "String"};
    struct cedar_parse *parse = decl->parse;
    struct cedar_decl_common *common = make(decl, sizeof(*common));
    const struct cedar_text *name;
    if (!common)
        return cedar_parse_memory(parse);
    common->line = parse->token.line;
    common->column = parse->token.column;
    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
        if (at_word(parse, taken[i]))
            return cedar_parse_refuse(parse, "a name that Cedar has no type of");
    int rc = parse_name(decl, false, &name);
    if (rc == 0)
        rc = qualify(decl, name, &common->name);
    if (rc == 0)
        rc = too_many(&decl->decls->common_count, CEDAR_SCHEMA_COMMON_MAX, "common types");
    if (rc == 0)
        rc = cedar_parse_expect_sign(parse, "=");
    if (rc == 0)
        rc = parse_type(decl, &common->type);
    *decl->commons = common;
    decl->commons = &common->next;
    return rc < 0 ? rc : cedar_parse_expect_sign(parse, ";");
}

static int parse_decl(struct decl_parse *decl)
{
    static const struct {
        const char *word;
        int (*parse)(struct decl_parse *);
    } kinds[] = {{"entity", parse_entity}, {"action", parse_action}, {"type", parse_common}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (at_word(decl->parse, kinds[i].word)) {
            int rc = cedar_parse_advance(decl->parse);
            return rc < 0 ? rc : kinds[i].parse(decl);
        }
    }
    return cedar_parse_refuse(decl->parse, decl->space
                                               ? "`entity`, `action`, `type` or `}`"
                                               : "`namespace`, `entity`, `action` or `type`");
}

static int parse_namespace(struct decl_parse *decl)
{
    struct cedar_parse *parse = decl->parse;
    int rc = cedar_parse_advance(parse);
    if (rc == 0)
        rc = cedar_parse_type(parse, &decl->space);
    if (rc == 0)
        rc = cedar_parse_expect_sign(parse, "{");
    while (rc == 0 && !cedar_parse_at_sign(parse, "}")) {
        rc = skip_annotations(decl);
        if (rc == 0)
            rc = parse_decl(decl);
    }
    decl->space = NULL;
    return rc < 0 ? rc : cedar_parse_advance(parse);
}

int cedar_schema_parse_decls(struct cedar_parse *parse, struct cedar_decls *out)
{
    struct decl_parse decl = {parse, NULL, out, &out->entities, &out->actions, &out->commons};
    *out = (struct cedar_decls){0};
    int rc = cedar_parse_advance(parse);
    while (rc == 0 && parse->token.kind != CEDAR_TOKEN_END) {
        rc = skip_annotations(&decl);
        if (rc == 0)
            rc = at_word(parse, "namespace") ? parse_namespace(&decl) : parse_decl(&decl);
    }
    return rc;
}
