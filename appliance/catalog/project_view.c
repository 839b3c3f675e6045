/* Grants of readings, and the readings of restricted records. */
#include "catalog/project.h"

#include <string.h>

#include "base/bytes.h"
#include "base/error.h"

/* The purpose stands in the entry, or of a record in the private part, and is gone with its key. */
static int read_purpose(const struct project *p, bool record, const char **out)
{
    const json_t *in = record ? p->hidden : p->entry;

    *out = "";
    return in == NULL ? 0 : project_text(in, "purpose", CATALOG_PURPOSE_MAX, out);
}

/* The node of a grant: a record with its object and key, or a folder without. */
static int read_node(const struct project *p, bool record, uint64_t *out)
{
    struct catalog_version version;
    struct catalog_node node;
    int rc;

    if (record)
        rc = project_version_and_node(p, &version, &node);
    else if ((rc = project_u64(p->entry, "node", out)) == 0)
        rc = project_folder(p, *out, &node);
    *out = node.id;
    return rc;
}

int project_view_grant(const struct project *p)
{
    bool record = json_object_get(p->entry, "object") != NULL;
    sqlite3_stmt *statement;
    const char *purpose;
    uint64_t node = 0;
    uint32_t uid, by;
    int64_t until_ns;
    int rc;

    if ((rc = read_node(p, record, &node)) < 0 || (rc = project_u32(p->entry, "uid", &uid)) < 0 ||
        (rc = project_u32(p->entry, "by", &by)) < 0 ||
        (rc = project_i64(p->entry, "until", &until_ns)) < 0 ||
        (rc = read_purpose(p, record, &purpose)) < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_GRANT_ADD);
    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_int(statement, 2, (int64_t)node);
    catdb_bind_int(statement, 3, uid);
    catdb_bind_int(statement, 4, by);
    catdb_bind_int(statement, 5, p->time_ns);
    catdb_bind_int(statement, 6, until_ns);
    catdb_bind_text(statement, 7, purpose);
    return catdb_run(p->catalog, statement);
}

int project_view_end(const struct project *p)
{
    uint64_t grant;
    uint32_t by;
    int rc;

    if ((rc = project_u64(p->entry, "grant", &grant)) < 0 ||
        (rc = project_u32(p->entry, "by", &by)) < 0 ||
        (rc = catdb_run_int(p->catalog, CATDB_GRANT_END, (int64_t)grant)) < 0)
        return rc;
    return sqlite3_changes(p->catalog->db) == 1
               ? 0
               : sr_fail(SR_ERR_INVALID, "there is no grant %llu, or it has ended",
                         (unsigned long long)grant);
}

/* A decimal string. */
static bool read_offset(const json_t *value, uint64_t *out)
{
    return json_is_string(value) && sr_parse_u64(json_string_value(value), out) == 0;
}

/* Ascending, apart, none empty; kept in the table as they lie in memory. */
static int read_ranges(const struct project *p, struct catalog_view *view)
{
    const json_t *ranges;
    uint64_t last = 0;
    int rc = project_array(p->entry, "ranges", CATALOG_VIEW_RANGES, &ranges);

    for (size_t i = 0; rc == 0 && i < json_array_size(ranges); i++) {
        const json_t *range = json_array_get(ranges, i);
        uint64_t *start = &view->ranges[i].start, *end = &view->ranges[i].end;

        if (json_array_size(range) != 2 || !read_offset(json_array_get(range, 0), start) ||
            !read_offset(json_array_get(range, 1), end) || *start >= *end ||
            (i > 0 && *start <= last))
            return sr_fail(SR_ERR_INVALID, "member ranges is not an array of ranges in order");
        last = *end;
    }
    view->range_count = rc < 0 ? 0 : json_array_size(ranges);
    return rc;
}

static int read_view(const struct project *p, struct catalog_view *view, const char **client)
{
    struct vault_object_id object;
    uint64_t key;
    int rc;

    if ((rc = project_object_id(p->entry, "object", &object)) < 0 ||
        (rc = project_u64(p->entry, "key", &key)) < 0 ||
        (rc = project_u64(p->entry, "node", &view->node)) < 0 ||
        (rc = project_u32(p->entry, "uid", &view->uid)) < 0 ||
        (rc = project_text_or_empty(p->entry, "client", sizeof(view->client) - 1, client)) < 0 ||
        (rc = project_u64(p->entry, "grant", &view->grant)) < 0 ||
        (rc = project_day(p->entry, "day", &view->day)) < 0 ||
        (rc = project_u64(p->entry, "opens", &view->opens)) < 0 ||
        (rc = project_i64(p->entry, "from", &view->first_ns)) < 0 ||
        (rc = project_i64(p->entry, "until", &view->last_ns)) < 0 ||
        (rc = project_bool(p->entry, "coarse", &view->coarse)) < 0)
        return rc;
    return read_ranges(p, view);
}

/* The record may be gone by now: what was read before stays on record. */
int project_record_view(const struct project *p)
{
    struct catalog_view view = {.index = p->index};
    sqlite3_stmt *statement;
    const char *client;
    int rc = read_view(p, &view, &client);

    if (rc < 0)
        return rc;
    statement = catdb_use(p->catalog, CATDB_VIEW_ADD);
    catdb_bind_int(statement, 1, (int64_t)p->index);
    catdb_bind_int(statement, 2, (int64_t)view.node);
    catdb_bind_int(statement, 3, view.uid);
    catdb_bind_text(statement, 4, client);
    catdb_bind_int(statement, 5, (int64_t)view.grant);
    catdb_bind_int(statement, 6, view.day);
    catdb_bind_int(statement, 7, (int64_t)view.opens);
    catdb_bind_int(statement, 8, view.first_ns);
    catdb_bind_int(statement, 9, view.last_ns);
    catdb_bind_int(statement, 10, view.coarse);
    catdb_bind_blob(statement, 11, view.ranges, view.range_count * sizeof(view.ranges[0]));
    return catdb_run(p->catalog, statement);
}
