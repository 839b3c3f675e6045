/* Years, cases, folders: the acts that make the tree, and what every node shares. */
#include "catalog/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "catalog/names.h"

#define STAGES_MAX 254 /* node ids +1 to +254; +255 is the drafts folder */

uint64_t project_new_node(const struct project *p)
{
    return (p->index + 1) * 256;
}

static bool holds_nodes(enum catalog_kind kind)
{
    return kind != CATALOG_KIND_VIRTUAL && kind != CATALOG_KIND_RECORD &&
           kind != CATALOG_KIND_STUB && kind != CATALOG_KIND_MINE && kind != CATALOG_KIND_GATHER;
}

static bool needs_own_name(enum catalog_kind kind)
{
    return holds_nodes(kind) && kind != CATALOG_KIND_FOLDER;
}

/* A node that an entry names: not there is SR_ERR_INVALID here, not SR_ERR_NOT_FOUND. */
static int get_named(const struct project *p, uint64_t id, struct catalog_node *out)
{
    int rc = catdb_get_node(p->catalog, id, out);

    if (rc == SR_ERR_NOT_FOUND)
        rc = sr_fail(SR_ERR_INVALID, "node %llu does not exist", (unsigned long long)id);
    return rc;
}

int project_folder(const struct project *p, uint64_t id, struct catalog_node *out)
{
    int rc = get_named(p, id, out);

    if (rc == 0 && !holds_nodes(out->kind))
        rc = sr_fail(SR_ERR_INVALID, "node %llu is not a folder", (unsigned long long)id);
    return rc;
}

int project_touch(const struct project *p, uint64_t node)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_NODE_TOUCH);

    catdb_bind_int(statement, 1, (int64_t)node);
    catdb_bind_int(statement, 2, p->time_ns);
    return catdb_run(p->catalog, statement);
}

static int next_instance(const struct project *p, uint64_t parent, const char *name, int64_t *out)
{
    sqlite3_stmt *statement;
    int rc;

    *out = 0;
    if (parent == CATDB_NOWHERE)
        return 0;
    statement = catdb_use(p->catalog, CATDB_INSTANCE_NEXT);
    catdb_bind_int(statement, 1, (int64_t)parent);
    catdb_bind_text(statement, 2, name);
    rc = catdb_next(p->catalog, statement);
    if (rc > 0)
        *out = sqlite3_column_int64(statement, 0); /* 0 where NULL: the first of its name */
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

/* Records and folders that people make are told apart by their instance: who may not know of one may
 * make another. What else holds nodes cannot share its name. */
static int check_folder_name(const struct project *p, uint64_t parent, const char *name,
                             uint64_t self)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_FOLDER_TAKEN);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)parent);
    catdb_bind_text(statement, 2, name);
    catdb_bind_int(statement, 3, (int64_t)self);
    rc = catdb_next(p->catalog, statement);
    catdb_end(statement);
    return rc > 0 ? sr_fail(SR_ERR_INVALID, "the folder's name is taken") : rc;
}

int project_insert(const struct project *p, const struct catalog_node *node)
{
    struct catalog *catalog = p->catalog;
    sqlite3_stmt *statement;
    char *fold = NULL;
    int64_t instance;
    int rc;

    if (needs_own_name(node->kind) &&
        (rc = check_folder_name(p, node->parent, node->name, node->id)) < 0)
        return rc;
    if ((rc = next_instance(p, node->parent, node->name, &instance)) < 0 ||
        (rc = sr_name_fold(node->name, &fold)) < 0)
        return rc;
    statement = catdb_use(catalog, CATDB_NODE_INSERT);
    catdb_bind_int(statement, 1, (int64_t)node->id);
    catdb_bind_int(statement, 2, (int64_t)node->parent);
    catdb_bind_int(statement, 3, node->kind);
    catdb_bind_text(statement, 4, node->name);
    catdb_bind_text(statement, 5, fold);
    catdb_bind_int(statement, 6, instance);
    catdb_bind_int(statement, 7, node->uid);
    catdb_bind_int(statement, 8, p->time_ns);
    catdb_bind_int(statement, 9, node->provisional);
    catdb_bind_int(statement, 10, node->draft);
    catdb_bind_int(statement, 11, node->junk);
    catdb_bind_int(statement, 12, (int64_t)node->moved_to);
    rc = catdb_run(catalog, statement);
    free(fold);
    if (rc == 0)
        rc = names_mark(catalog, node->id);
    if (rc == 0 && node->parent != CATDB_NOWHERE)
        rc = project_touch(p, node->parent);
    return rc;
}

int project_move(const struct project *p, const struct catalog_node *node, uint64_t parent,
                 const char *name)
{
    struct catalog *catalog = p->catalog;
    int64_t instance = node->instance;
    sqlite3_stmt *statement;
    char *fold = NULL;
    int rc;

    catdb_forget(catalog);
    if (needs_own_name(node->kind) && (rc = check_folder_name(p, parent, name, node->id)) < 0)
        return rc;
    if ((parent != node->parent || strcmp(name, node->name) != 0) &&
        (rc = next_instance(p, parent, name, &instance)) < 0)
        return rc;
    if ((rc = sr_name_fold(name, &fold)) < 0)
        return rc;
    statement = catdb_use(catalog, CATDB_NODE_MOVE);
    catdb_bind_int(statement, 1, (int64_t)node->id);
    catdb_bind_int(statement, 2, (int64_t)parent);
    catdb_bind_text(statement, 3, name);
    catdb_bind_text(statement, 4, fold);
    catdb_bind_int(statement, 5, instance);
    catdb_bind_int(statement, 6, node->draft);
    catdb_bind_int(statement, 7, node->junk);
    catdb_bind_int(statement, 8, p->time_ns);
    rc = catdb_run(catalog, statement);
    free(fold);
    if (rc == 0)
        rc = names_mark(catalog, node->id);
    if (rc == 0 && parent != node->parent)
        rc = project_class_below(p, node->id);
    if (rc == 0 && node->parent != CATDB_NOWHERE)
        rc = project_touch(p, node->parent);
    if (rc == 0 && parent != node->parent)
        rc = project_touch(p, parent);
    return rc;
}

/* One step up; CATDB_NOWHERE above the root. Of node itself: is it provisional? NULL: not asked. */
static int parent_of(const struct project *p, uint64_t node, uint64_t *out, bool *provisional)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_NODE_PLACE);
    int rc;

    *out = CATDB_NOWHERE;
    catdb_bind_int(statement, 1, (int64_t)node);
    rc = catdb_next(p->catalog, statement);
    if (rc > 0) {
        *out = (uint64_t)sqlite3_column_int64(statement, 0);
        if (provisional != NULL)
            *provisional = sqlite3_column_int(statement, 4) != 0;
    }
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

int project_confirm_above(const struct project *p, uint64_t node)
{
    uint64_t at, above;
    bool provisional = false;
    int rc = parent_of(p, node, &node, NULL);
    uint64_t *confirmed = &p->catalog->confirmed[node % CATDB_CONFIRMED];

    if (rc < 0 || node == *confirmed)
        return rc;
    for (at = node; rc == 0 && at > CATALOG_FIXED_LAST; at = above) /* the fixed ones never are */
        if ((rc = parent_of(p, at, &above, &provisional)) == 0 && provisional)
            rc = catdb_run_int(p->catalog, CATDB_NODE_CONFIRM, (int64_t)at);
    if (rc == 0)
        *confirmed = node;
    return rc;
}

int project_remove(const struct project *p, const struct catalog_node *node)
{
    struct catalog *catalog = p->catalog;
    int rc;

    catdb_forget(catalog);
    if ((rc = names_mark(catalog, node->id)) < 0 ||
        (rc = catdb_run_int(catalog, CATDB_STUBS_DELETE, (int64_t)node->id)) < 0 ||
        (rc = catdb_run_int(catalog, CATDB_NODE_DELETE, (int64_t)node->id)) < 0)
        return rc;
    return node->parent != CATDB_NOWHERE ? project_touch(p, node->parent) : 0;
}

/* --- acts ------------------------------------------------------------------------------------ */

static int read_year(const struct project *p, char out[8])
{
    uint32_t year;
    int rc = project_u32(p->entry, "year", &year);

    if (rc < 0)
        return rc;
    if (year < 1900 || year > 9999)
        return sr_fail(SR_ERR_INVALID, "member year is not a year");
    snprintf(out, 8, "%u", (unsigned)year);
    return 0;
}

int project_year_open(const struct project *p)
{
    struct catalog_node node = {
        .id = project_new_node(p), .parent = CATALOG_ROOT, .kind = CATALOG_KIND_YEAR};
    int rc;

    if ((rc = project_u32(p->entry, "uid", &node.uid)) < 0 || (rc = read_year(p, node.name)) < 0)
        return rc;
    return project_insert(p, &node);
}

static int find_year(const struct project *p, uint64_t *out)
{
    sqlite3_stmt *statement;
    struct catalog_node node;
    char name[8];
    int rc = read_year(p, name);

    if (rc < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_NODE_NAMED);
    catdb_bind_int(statement, 1, CATALOG_ROOT);
    catdb_bind_text(statement, 2, name);
    rc = catdb_next(p->catalog, statement);
    if (rc > 0)
        catdb_read_node(statement, &node);
    catdb_end(statement);
    if (rc < 0)
        return rc;
    if (rc == 0 || node.kind != CATALOG_KIND_YEAR)
        return sr_fail(SR_ERR_INVALID, "year %s was not opened", name);
    *out = node.id;
    return 0;
}

/* A folder that is made together with its case. */
static int insert_fixed(const struct project *p, const struct catalog_node *in_case,
                        enum catalog_kind kind, unsigned offset, const char *name)
{
    struct catalog_node node = {
        .id = in_case->id + offset, .parent = in_case->id, .kind = kind, .uid = in_case->uid};

    strcpy(node.name, name); /* project_name_check: at most CATALOG_NAME_MAX bytes */
    return project_insert(p, &node);
}

int project_case_open(const struct project *p)
{
    struct catalog_node node = {.id = project_new_node(p), .kind = CATALOG_KIND_CASE};
    const char *name, *drafts, *stage, *client;
    const json_t *stages;
    int rc;

    if ((rc = find_year(p, &node.parent)) < 0 || (rc = project_name(p->entry, "name", &name)) < 0 ||
        (rc = project_array(p->entry, "stages", STAGES_MAX, &stages)) < 0 ||
        (rc = project_name(p->entry, "drafts", &drafts)) < 0 ||
        (rc = project_bool(p->entry, "provisional", &node.provisional)) < 0 ||
        (rc = project_u32(p->entry, "uid", &node.uid)) < 0 ||
        (rc = project_text_or_empty(p->entry, "client", 63, &client)) < 0)
        return rc;
    strcpy(node.name, name);
    if ((rc = project_insert(p, &node)) < 0 || (rc = project_case_owned(p, node.id, node.uid)) < 0)
        return rc;
    for (size_t i = 0; i < json_array_size(stages); i++)
        if ((rc = project_name_check("stages", json_array_get(stages, i), &stage)) < 0 ||
            (rc = insert_fixed(p, &node, CATALOG_KIND_STAGE, (unsigned)i + 1, stage)) < 0)
            return rc;
    if ((rc = insert_fixed(p, &node, CATALOG_KIND_DRAFTS, 255, drafts)) < 0)
        return rc;
    p->catalog->counts.cases++;
    return 0;
}

int project_folder_make(const struct project *p)
{
    struct catalog_node node = {.id = project_new_node(p), .provisional = true}, parent;
    const char *name, *kind;
    int rc;

    if ((rc = project_u64(p->entry, "parent", &node.parent)) < 0 ||
        (rc = project_name(p->entry, "name", &name)) < 0 ||
        (rc = project_u32(p->entry, "uid", &node.uid)) < 0 ||
        (rc = project_text(p->entry, "kind", 32, &kind)) < 0 ||
        (rc = project_folder(p, node.parent, &parent)) < 0)
        return rc;
    if (strcmp(kind, "folder") == 0)
        node.kind = CATALOG_KIND_FOLDER;
    else if (strcmp(kind, "unfiled_user") == 0 && parent.kind == CATALOG_KIND_UNFILED_ROOT)
        node.kind = CATALOG_KIND_UNFILED_USER;
    else if (strcmp(kind, "unfiled_date") == 0 && parent.kind == CATALOG_KIND_UNFILED_USER)
        node.kind = CATALOG_KIND_UNFILED_DATE;
    else
        return sr_fail(SR_ERR_INVALID, "member kind is not known, or not for this parent");
    strcpy(node.name, name);
    return project_insert(p, &node);
}

/* The case or folder of a folder act: nothing else was ever provisional. */
static int read_folder(const struct project *p, struct catalog_node *out)
{
    uint64_t id;
    uint32_t uid;
    int rc;

    if ((rc = project_u64(p->entry, "node", &id)) < 0 ||
        (rc = project_u32(p->entry, "uid", &uid)) < 0 || (rc = project_folder(p, id, out)) < 0)
        return rc;
    if (out->kind != CATALOG_KIND_CASE && out->kind != CATALOG_KIND_FOLDER &&
        out->kind != CATALOG_KIND_UNFILED_USER && out->kind != CATALOG_KIND_UNFILED_DATE)
        return sr_fail(SR_ERR_INVALID, "node %llu is neither case nor folder",
                       (unsigned long long)id);
    return 0;
}

int project_folder_rename(const struct project *p)
{
    struct catalog_node node, parent;
    uint64_t parent_id, above;
    const char *name;
    int rc;

    if ((rc = read_folder(p, &node)) < 0 ||
        (rc = project_u64(p->entry, "parent", &parent_id)) < 0 ||
        (rc = project_name(p->entry, "name", &name)) < 0 ||
        (rc = project_folder(p, parent_id, &parent)) < 0)
        return rc;
    if ((node.kind == CATALOG_KIND_CASE) != (parent.kind == CATALOG_KIND_YEAR))
        return sr_fail(SR_ERR_INVALID, "a case, and nothing else, lies in a year");
    for (above = parent_id; rc == 0 && above != CATDB_NOWHERE;) {
        if (above == node.id)
            return sr_fail(SR_ERR_INVALID, "a folder cannot move into itself");
        rc = parent_of(p, above, &above, NULL);
    }
    return rc < 0 ? rc : project_move(p, &node, parent_id, name);
}

int project_folder_remove(const struct project *p)
{
    struct catalog_node node;
    sqlite3_stmt *statement;
    int rc;

    if ((rc = read_folder(p, &node)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_NOT_EMPTY);
    catdb_bind_int(statement, 1, (int64_t)node.id);
    rc = catdb_next(p->catalog, statement);
    catdb_end(statement);
    if (rc != 0)
        return rc < 0 ? rc : sr_fail(SR_ERR_INVALID, "the folder is not empty");
    if (node.kind == CATALOG_KIND_CASE) {
        p->catalog->counts.cases--;
        if ((rc = project_case_gone(p, node.id)) < 0 ||
            (rc = catdb_run_int(p->catalog, CATDB_INDEX_MARK_CHILDREN, (int64_t)node.id)) < 0 ||
            (rc = catdb_run_int(p->catalog, CATDB_CHILDREN_DELETE, (int64_t)node.id)) < 0)
            return rc;
    }
    return project_remove(p, &node);
}
