/* Records: from the first byte in staging to the seal, and the acts on what is sealed. */
#include "catalog/names.h"
#include "catalog/project.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

#define CLIENT_MAX 63
#define HOLES_MAX 64

/* The record's private part as far as an act has it. */
struct hidden {
    uint64_t parent;
    const char *name;
    const char *client;
    uint32_t uid;
    bool draft, junk;
};

enum { HAS_PLACE = 1, HAS_CLIENT = 2, HAS_FLAGS = 4 };

/* Without the private part (the record key is destroyed), what nobody can know is filled in. */
static int read_hidden(const struct project *p, unsigned has, struct hidden *out)
{
    const json_t *hidden = p->hidden;
    int rc = 0;

    *out = (struct hidden){.parent = CATDB_NOWHERE,
                           .name = CATDB_DESTROYED_NAME,
                           .client = "",
                           .uid = CATDB_UID_UNKNOWN};
    if (hidden == NULL)
        return 0;
    rc = project_u32(hidden, "uid", &out->uid);
    if (rc == 0 && (has & HAS_PLACE) != 0)
        rc = project_u64(hidden, "parent", &out->parent);
    if (rc == 0 && (has & HAS_PLACE) != 0)
        rc = project_name(hidden, "name", &out->name);
    if (rc == 0 && (has & HAS_CLIENT) != 0)
        rc = project_text_or_empty(hidden, "client", CLIENT_MAX, &out->client);
    if (rc == 0 && (has & HAS_FLAGS) != 0)
        rc = project_bool(hidden, "draft", &out->draft);
    if (rc == 0 && (has & HAS_FLAGS) != 0)
        rc = project_bool(hidden, "junk", &out->junk);
    return rc;
}

/* A statement that changes versions, or which one is current. */
static sqlite3_stmt *use_change(struct catalog *catalog, enum catdb_statement which)
{
    catalog->recent.node = 0;
    return catdb_use(catalog, which);
}

static int run_change(struct catalog *catalog, enum catdb_statement which, uint64_t create_index)
{
    catalog->recent.node = 0;
    return catdb_run_int(catalog, which, (int64_t)create_index);
}

/* The entries of one record are often neighbours. */
static int get_object(struct catalog *catalog, const struct vault_object_id *id,
                      struct catalog_version *out)
{
    int rc = 0;

    if (catalog->recent.node == 0 || memcmp(&catalog->recent.object, id, sizeof(*id)) != 0) {
        catalog->recent.node = 0;
        rc = catdb_get_object(catalog, id, &catalog->recent);
    }
    if (rc == 0)
        *out = catalog->recent;
    return rc;
}

/* The version that the entry is about: `object` and `key`, which must belong together. */
static int read_version(const struct project *p, struct catalog_version *out)
{
    struct vault_object_id id;
    uint64_t key;
    int rc;

    if ((rc = project_object_id(p->entry, "object", &id)) < 0 ||
        (rc = project_u64(p->entry, "key", &key)) < 0)
        return rc;
    rc = get_object(p->catalog, &id, out);
    if (rc == SR_ERR_NOT_FOUND)
        return sr_fail(SR_ERR_INVALID, "the object does not exist");
    if (rc == 0 && out->key_id != key)
        rc = sr_fail(SR_ERR_INVALID, "member key is not the object's");
    return rc;
}

int project_version_and_node(const struct project *p, struct catalog_version *version,
                             struct catalog_node *node)
{
    uint64_t id;
    int rc;

    if ((rc = read_version(p, version)) < 0 || (rc = project_u64(p->entry, "node", &id)) < 0)
        return rc;
    if (version->node != id)
        return sr_fail(SR_ERR_INVALID, "member node is not the object's");
    return catdb_get_node(p->catalog, id, node);
}

static int need_staging(const struct catalog_version *version)
{
    return version->state == CATALOG_STAGING ? 0 : sr_fail(SR_ERR_INVALID, "the object is sealed");
}

/* The new version of this entry becomes the node's current one. */
static int insert_version(const struct project *p, uint64_t node, const struct hidden *hidden)
{
    struct catalog *catalog = p->catalog;
    struct vault_object_id id;
    sqlite3_stmt *statement;
    uint64_t key;
    int rc;

    if ((rc = project_object_id(p->entry, "object", &id)) < 0 ||
        (rc = project_u64(p->entry, "key", &key)) < 0)
        return rc;
    statement = use_change(catalog, CATDB_VERSION_INSERT);
    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_blob(statement, 2, id.bytes, sizeof(id.bytes));
    catdb_bind_int(statement, 3, (int64_t)key);
    catdb_bind_int(statement, 4, (int64_t)node);
    catdb_bind_int(statement, 5, hidden->uid);
    catdb_bind_text(statement, 6, hidden->client);
    if ((rc = catdb_run(catalog, statement)) < 0)
        return rc;
    catdb_count_version(catalog, CATALOG_STAGING, 1);
    return 0;
}

static int set_current(const struct project *p, uint64_t node, uint64_t create_index)
{
    sqlite3_stmt *statement = use_change(p->catalog, CATDB_NODE_CURRENT);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    catdb_bind_int(statement, 2, (int64_t)create_index);
    catdb_bind_int(statement, 3, p->time_ns);
    rc = catdb_run(p->catalog, statement);
    return rc < 0 ? rc : names_mark(p->catalog, node);
}

/* *found false: the node has no version. */
static int newest_version(const struct project *p, uint64_t node, bool *found, uint64_t *out)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_VERSION_NEWEST);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    rc = catdb_next(p->catalog, statement);
    *found = rc > 0 && sqlite3_column_type(statement, 0) != SQLITE_NULL;
    *out = *found ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

/* What was sealed elsewhere and moves below folders keeps them from being provisional. */
static int confirm_if_sealed(const struct project *p, uint64_t node)
{
    sqlite3_stmt *statement = catdb_use(p->catalog, CATDB_HAS_SEALED);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    rc = catdb_next(p->catalog, statement);
    catdb_end(statement);
    return rc > 0 ? project_confirm_above(p, node) : rc;
}

int project_record_create(const struct project *p)
{
    struct catalog_node node = {.id = project_new_node(p), .kind = CATALOG_KIND_RECORD}, parent;
    struct hidden hidden;
    int rc;

    if ((rc = read_hidden(p, HAS_PLACE | HAS_CLIENT | HAS_FLAGS, &hidden)) < 0)
        return rc;
    if (p->hidden != NULL && (rc = project_folder(p, hidden.parent, &parent)) < 0)
        return rc;
    node.parent = hidden.parent;
    node.uid = hidden.uid;
    node.draft = hidden.draft;
    node.junk = hidden.junk;
    strcpy(node.name, hidden.name); /* project_name: at most CATALOG_NAME_MAX bytes */
    if ((rc = project_insert(p, &node)) < 0 || (rc = insert_version(p, node.id, &hidden)) < 0 ||
        (rc = set_current(p, node.id, p->index)) < 0)
        return rc;
    p->catalog->counts.records++;
    return 0;
}

/* Unsealed content of another record, renamed over this one, becomes this node's version. Its own
 * record goes when no version is left in it. */
static int move_version(const struct project *p, const struct catalog_version *moved, uint64_t node)
{
    struct catalog_node source;
    sqlite3_stmt *statement;
    uint64_t newest;
    bool found;
    int rc;

    if (moved->node == node || moved->pending_supersede)
        return sr_fail(SR_ERR_INVALID, "the object is not another record's current version");
    if ((rc = need_staging(moved)) < 0 ||
        (rc = catdb_get_node(p->catalog, moved->node, &source)) < 0 ||
        (rc = project_class_absorb(p, node, &source)) < 0)
        return rc;
    statement = use_change(p->catalog, CATDB_VERSION_MOVE);
    catdb_bind_int(statement, 1, (int64_t)moved->create_index);
    catdb_bind_int(statement, 2, (int64_t)p->index);
    catdb_bind_int(statement, 3, (int64_t)node);
    if ((rc = catdb_run(p->catalog, statement)) < 0 ||
        (rc = newest_version(p, source.id, &found, &newest)) < 0)
        return rc;
    if (found)
        return set_current(p, source.id, newest);
    p->catalog->counts.records--;
    return project_remove(p, &source);
}

/* The entry's object as a version of node: a new one, or moved there. */
static int place_version(const struct project *p, uint64_t node, const struct hidden *hidden)
{
    struct catalog_version moved;
    struct vault_object_id id;
    int rc = project_object_id(p->entry, "object", &id);

    if (rc < 0)
        return rc;
    rc = catdb_get_object(p->catalog, &id, &moved);
    if (rc == SR_ERR_NOT_FOUND)
        return insert_version(p, node, hidden);
    return rc < 0 ? rc : move_version(p, &moved, node);
}

int project_record_version(const struct project *p)
{
    struct catalog_version previous;
    struct vault_object_id previous_id;
    struct catalog_node node;
    struct hidden hidden;
    uint64_t id;
    int rc;

    if ((rc = read_hidden(p, HAS_CLIENT, &hidden)) < 0 ||
        (rc = project_u64(p->entry, "node", &id)) < 0 ||
        (rc = project_object_id(p->entry, "previous", &previous_id)) < 0)
        return rc;
    rc = catdb_get_object(p->catalog, &previous_id, &previous);
    if (rc == SR_ERR_NOT_FOUND || (rc == 0 && previous.node != id))
        return sr_fail(SR_ERR_INVALID, "member previous is not a version of the node");
    if (rc < 0 || (rc = catdb_get_node(p->catalog, id, &node)) < 0 ||
        (rc = place_version(p, id, &hidden)) < 0)
        return rc;
    if (p->index < node.version.create_index)
        return sr_fail(SR_ERR_INVALID, "the node already has a later version");
    if (node.version.state != CATALOG_STAGING) {
        catdb_count_version(p->catalog, node.version.state, -1);
        catdb_count_version(p->catalog, CATALOG_SUPERSEDED, 1);
    }
    return set_current(p, id, p->index);
}

int project_record_rename(const struct project *p)
{
    struct catalog_version version;
    struct catalog_node node, parent;
    struct hidden hidden;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0 ||
        (rc = need_staging(&version)) < 0 ||
        (rc = read_hidden(p, HAS_PLACE | HAS_FLAGS, &hidden)) < 0)
        return rc;
    if (p->hidden == NULL)
        return project_touch(p, node.id);
    if ((rc = project_folder(p, hidden.parent, &parent)) < 0)
        return rc;
    node.draft = hidden.draft;
    node.junk = hidden.junk;
    rc = project_move(p, &node, hidden.parent, hidden.name);
    return rc < 0 ? rc : confirm_if_sealed(p, node.id);
}

int project_record_close(const struct project *p)
{
    struct catalog_version version;
    sqlite3_stmt *statement;
    uint64_t size;
    int64_t mtime;
    int rc;

    if ((rc = read_version(p, &version)) < 0 || (rc = need_staging(&version)) < 0 ||
        (rc = project_u64(p->entry, "size", &size)) < 0 ||
        (rc = project_i64(p->entry, "mtime", &mtime)) < 0)
        return rc;
    statement = use_change(p->catalog, CATDB_VERSION_CLOSE);
    catdb_bind_int(statement, 1, (int64_t)version.create_index);
    catdb_bind_int(statement, 2, (int64_t)size);
    catdb_bind_int(statement, 3, mtime);
    if ((rc = catdb_run(p->catalog, statement)) == 0)
        rc = names_mark(p->catalog, version.node); /* its size */
    return rc < 0 ? rc : project_touch(p, version.node);
}

int project_record_reopen(const struct project *p)
{
    struct catalog_version version;
    int rc;

    if ((rc = read_version(p, &version)) < 0 || (rc = need_staging(&version)) < 0 ||
        (rc = run_change(p->catalog, CATDB_VERSION_REOPEN, version.create_index)) < 0)
        return rc;
    return project_touch(p, version.node);
}

int project_record_discard(const struct project *p)
{
    struct catalog *catalog = p->catalog;
    struct catalog_version version;
    struct catalog_node node;
    struct hidden hidden;
    sqlite3_stmt *statement;
    uint64_t newest;
    bool found;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0 ||
        (rc = need_staging(&version)) < 0 || (rc = read_hidden(p, HAS_PLACE, &hidden)) < 0 ||
        (rc = run_change(catalog, CATDB_VERSION_DELETE, version.create_index)) < 0)
        return rc;
    statement = catdb_use(catalog, CATDB_DISCARD_ADD);
    catdb_bind_blob(statement, 1, version.object.bytes, sizeof(version.object.bytes));
    catdb_bind_int(statement, 2, (int64_t)version.key_id);
    if ((rc = catdb_run(catalog, statement)) < 0)
        return rc;
    catdb_count_version(catalog, CATALOG_STAGING, -1);
    if (version.pending_supersede)
        return 0; /* not the current one: nothing else changes */
    if ((rc = newest_version(p, node.id, &found, &newest)) < 0)
        return rc;
    if (!found) {
        catalog->counts.records--;
        return project_remove(p, &node);
    }
    if ((rc = set_current(p, node.id, newest)) < 0 ||
        (rc = catdb_get_node(catalog, node.id, &node)) < 0)
        return rc;
    if (node.version.state != CATALOG_STAGING) {
        catdb_count_version(catalog, CATALOG_SUPERSEDED, -1);
        catdb_count_version(catalog, node.version.state, 1);
    }
    return 0;
}

static int read_seal_state(const struct project *p, enum catalog_state *out)
{
    const char *state;
    int rc = project_text(p->entry, "state", 16, &state);

    if (rc < 0)
        return rc;
    if (strcmp(state, "sealed") == 0)
        *out = CATALOG_SEALED;
    else if (strcmp(state, "incomplete") == 0)
        *out = CATALOG_INCOMPLETE;
    else
        return sr_fail(SR_ERR_INVALID, "member state is not known");
    return 0;
}

/* The ranges themselves are read from the ledger when shown; here only their form counts. */
static int check_holes(const struct project *p)
{
    const json_t *holes;
    int rc = project_array(p->entry, "holes", HOLES_MAX, &holes);

    for (size_t i = 0; rc == 0 && i < json_array_size(holes); i++) {
        const json_t *hole = json_array_get(holes, i);
        uint64_t edge[2] = {0, 0};

        if (!json_is_array(hole) || json_array_size(hole) != 2)
            rc = -1;
        for (size_t side = 0; rc == 0 && side < 2; side++) {
            const char *text = json_string_value(json_array_get(hole, side));
            rc = text == NULL ? -1 : sr_parse_u64(text, &edge[side]);
        }
        if (rc < 0 || edge[0] >= edge[1])
            rc = sr_fail(SR_ERR_INVALID, "member holes is not an array of [start, end]");
    }
    return rc;
}

int project_record_seal(const struct project *p)
{
    struct catalog *catalog = p->catalog;
    struct catalog_version v, sealed = {0};
    sqlite3_stmt *statement;
    int rc;

    if ((rc = read_version(p, &v)) < 0 || (rc = need_staging(&v)) < 0 ||
        (rc = read_seal_state(p, &sealed.state)) < 0 ||
        (rc = project_u64(p->entry, "size", &sealed.size)) < 0 ||
        (rc = project_i64(p->entry, "mtime", &sealed.mtime_ns)) < 0 ||
        (rc = project_hash(p->entry, "sha256", sealed.sha256)) < 0 ||
        (rc = project_hash(p->entry, "tag_root", sealed.tag_root)) < 0 ||
        (rc = project_hash(p->entry, "header_sha256", sealed.header_sha256)) < 0 ||
        (rc = project_u64(p->entry, "hole_count", &sealed.hole_count)) < 0 ||
        (rc = project_bool(p->entry, "salvaged", &sealed.salvaged)) < 0 ||
        (rc = project_bool(p->entry, "empty", &sealed.empty)) < 0 || (rc = check_holes(p)) < 0)
        return rc;
    statement = use_change(catalog, CATDB_VERSION_SEAL);
    catdb_bind_int(statement, 1, (int64_t)v.create_index);
    catdb_bind_int(statement, 2, sealed.state);
    catdb_bind_int(statement, 3, (int64_t)sealed.size);
    catdb_bind_int(statement, 4, sealed.mtime_ns);
    catdb_bind_blob(statement, 5, sealed.sha256, sizeof(sealed.sha256));
    catdb_bind_blob(statement, 6, sealed.tag_root, sizeof(sealed.tag_root));
    catdb_bind_blob(statement, 7, sealed.header_sha256, sizeof(sealed.header_sha256));
    catdb_bind_int(statement, 8, (int64_t)sealed.hole_count);
    catdb_bind_int(statement, 9, sealed.salvaged);
    catdb_bind_int(statement, 10, sealed.empty);
    catdb_bind_int(statement, 11, (int64_t)p->index);
    catdb_bind_int(statement, 12, p->time_ns);
    if ((rc = catdb_run(catalog, statement)) < 0)
        return rc;
    catdb_count_version(catalog, CATALOG_STAGING, -1);
    catdb_count_version(catalog, v.pending_supersede ? CATALOG_SUPERSEDED : sealed.state, 1);
    rc = catdb_run_int(catalog, CATDB_UNDESCRIBED_ADD, (int64_t)v.create_index);
    if (rc == 0 && (rc = names_mark(catalog, v.node)) == 0)
        rc = project_touch(p, v.node);
    return rc < 0 ? rc : project_confirm_above(p, v.node);
}

/* uid and reason of an act by a person. */
static int check_reason(const struct project *p)
{
    const char *reason;
    uint32_t uid;
    int rc;

    if (p->hidden == NULL)
        return 0;
    if ((rc = project_u32(p->hidden, "uid", &uid)) < 0)
        return rc;
    return project_text_or_empty(p->hidden, "reason", PROJECT_REASON_MAX, &reason);
}

int project_record_incomplete(const struct project *p)
{
    struct catalog_version version;
    struct catalog_node node;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0 || (rc = check_reason(p)) < 0)
        return rc;
    if (version.state != CATALOG_SEALED && version.state != CATALOG_INCOMPLETE)
        return sr_fail(SR_ERR_INVALID, "the object is not the record's sealed content");
    if ((rc = run_change(p->catalog, CATDB_VERSION_MARK, version.create_index)) < 0)
        return rc;
    catdb_count_version(p->catalog, version.state, -1);
    catdb_count_version(p->catalog, CATALOG_INCOMPLETE, 1);
    return project_touch(p, node.id);
}

int project_record_file(const struct project *p)
{
    struct catalog_version version;
    struct catalog_node node, parent, from;
    struct catalog_node stub = {.id = project_new_node(p), .kind = CATALOG_KIND_STUB};
    const char *from_name;
    struct hidden hidden;
    bool again;
    int rc;

    if ((rc = project_version_and_node(p, &version, &node)) < 0 || (rc = check_reason(p)) < 0 ||
        (rc = read_hidden(p, HAS_PLACE, &hidden)) < 0)
        return rc;
    if (p->hidden == NULL)
        return project_touch(p, node.id);
    if ((rc = project_folder(p, hidden.parent, &parent)) < 0 ||
        (rc = project_u64(p->hidden, "from_parent", &stub.parent)) < 0 ||
        (rc = project_name(p->hidden, "from_name", &from_name)) < 0 ||
        (rc = project_bool(p->hidden, "again", &again)) < 0 ||
        (rc = project_folder(p, stub.parent, &from)) < 0 ||
        (rc = project_move(p, &node, hidden.parent, hidden.name)) < 0)
        return rc;
    stub.moved_to = node.id;
    stub.uid = hidden.uid;
    strcpy(stub.name, from_name); /* project_name: at most CATALOG_NAME_MAX bytes */
    rc = project_insert(p, &stub);
    return rc < 0 ? rc : confirm_if_sealed(p, node.id);
}
