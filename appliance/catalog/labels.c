#include "catalog/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "catalog/catdb.h"

const char *const catalog_label_words[CATALOG_LABELS] = {
    "case_number", "captured", "place",    "person",  "proves", "subject", "number",
    "content",     "speaker",  "identity", "summary", "clock",  "device"};
const char *const catalog_label_names[CATALOG_LABELS] = {
    "案件编号", "采集时间", "采集地点", "采集人",   "证明对象",     "执法对象", "编号",
    "摄录内容", "对话人员", "身份",     "主要内容", "设备时间偏差", "设备"};
const char *const catalog_source_words[CATALOG_SOURCES] = {"media", "name", "place",
                                                           "list",  "file", "tool"};

static void read_label(sqlite3_stmt *s, struct catalog_label_value *out)
{
    out->label = (enum catalog_label)sqlite3_column_int(s, 0);
    out->offset_ms = sqlite3_column_int64(s, 1);
    out->source = (enum catalog_label_source)sqlite3_column_int(s, 2);
    out->index = (uint64_t)sqlite3_column_int64(s, 3);
    out->value = (const char *)sqlite3_column_text(s, 5);
    out->uid = (uint32_t)sqlite3_column_int64(s, 6);
    out->file = (uint64_t)sqlite3_column_int64(s, 7);
    out->time_ns = sqlite3_column_int64(s, 8);
}

/* --- in force --- */

/* The rows of a node as LABELS_OF gives them: of one label and offset, of one source after the other, the newest
 * of it first. */
struct chooser {
    const struct catalog_node *in_case; /* NULL: none */
    bool place_said;                    /* the case's name has been given, or cannot be any more */
    bool begun, chosen;                 /* of the label and offset */
    enum catalog_label label;
    int64_t offset_ms;
    int last_source;
    catalog_label_fn *fn;
    void *context;
};

static int give_place(struct chooser *chooser)
{
    struct catalog_label_value value = {.label = CATALOG_LABEL_CASE_NUMBER,
                                        .source = CATALOG_FROM_PLACE,
                                        .offset_ms = CATALOG_NO_OFFSET,
                                        .uid = CATALOG_NOBODY,
                                        .in_force = true};

    if (chooser->place_said)
        return 0;
    chooser->place_said = true;
    if (chooser->in_case == NULL)
        return 0;
    value.value = chooser->in_case->name;
    return chooser->fn(chooser->context, &value);
}

static int choose(struct chooser *chooser, struct catalog_label_value *value)
{
    bool same =
        chooser->begun && chooser->label == value->label && chooser->offset_ms == value->offset_ms;
    int rc = 0;

    /* The case's number is the first label, and has no offset: what comes after it means there was none. */
    if ((value->label != CATALOG_LABEL_CASE_NUMBER || value->source < CATALOG_FROM_PLACE) &&
        !(same && chooser->chosen) && !chooser->place_said) {
        if ((rc = give_place(chooser)) != 0)
            return rc;
        if (value->label == CATALOG_LABEL_CASE_NUMBER && chooser->in_case != NULL) {
            same = chooser->begun = chooser->chosen = true;
            chooser->label = value->label;
            chooser->offset_ms = value->offset_ms;
        }
    }
    if (!same) {
        chooser->begun = true;
        chooser->chosen = false;
        chooser->label = value->label;
        chooser->offset_ms = value->offset_ms;
        chooser->last_source = -1;
    }
    if (chooser->chosen || chooser->last_source == (int)value->source)
        return 0;
    chooser->last_source = (int)value->source;
    if (value->value == NULL || value->value[0] == '\0')
        return 0; /* taken back: the next source */
    chooser->chosen = true;
    if (value->label == CATALOG_LABEL_CASE_NUMBER)
        chooser->place_said = true;
    value->in_force = true;
    return chooser->fn(chooser->context, value);
}

int catdb_labels(struct catalog *catalog, uint64_t node, const struct catalog_node *in_case,
                 catalog_label_fn *fn, void *context)
{
    struct chooser chooser = {.in_case = in_case, .fn = fn, .context = context};
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_LABELS_OF);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        struct catalog_label_value value = {.in_force = false};

        read_label(statement, &value);
        if ((rc = choose(&chooser, &value)) != 0)
            break;
    }
    catdb_end(statement);
    return rc != 0 ? rc : give_place(&chooser);
}

/* Lock held. */
static int in_force(struct catalog *catalog, uint64_t node, catalog_label_fn *fn, void *context)
{
    struct catalog_node in_case;
    int rc = catdb_case_of(catalog, node, &in_case);

    if (rc < 0 && rc != SR_ERR_NOT_FOUND)
        return rc;
    return catdb_labels(catalog, node, rc == 0 ? &in_case : NULL, fn, context);
}

int catalog_labels(struct catalog *catalog, uint64_t node, catalog_label_fn *fn, void *context)
{
    int rc;

    catdb_lock(catalog);
    rc = in_force(catalog, node, fn, context);
    catdb_unlock(catalog);
    return rc;
}

static int see_needed(void *context, const struct catalog_label_value *value)
{
    uint32_t *missing = context;

    *missing &= ~(1u << value->label);
    return 0;
}

/* Lock held. */
static int missing_of(struct catalog *catalog, uint64_t node, uint32_t *missing)
{
    *missing = (1u << CATALOG_LABELS_NEEDED) - 1;
    return in_force(catalog, node, see_needed, missing);
}

int catalog_label_missing(struct catalog *catalog, uint64_t node, uint32_t *missing)
{
    int rc;

    catdb_lock(catalog);
    rc = missing_of(catalog, node, missing);
    catdb_unlock(catalog);
    return rc;
}

/* --- history --- */

struct row { /* of what is in force */
    enum catalog_label label;
    enum catalog_label_source source;
    int64_t offset_ms;
    uint64_t index;
    char *value;
};
struct rows {
    struct row *items;
    size_t count, capacity;
};

static int note_row(void *context, const struct catalog_label_value *value)
{
    struct rows *rows = context;

    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 16 : 2 * rows->capacity;
        struct row *longer = realloc(rows->items, capacity * sizeof(*longer));

        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
        rows->items = longer;
        rows->capacity = capacity;
    }
    rows->items[rows->count] = (struct row){.label = value->label,
                                            .source = value->source,
                                            .offset_ms = value->offset_ms,
                                            .index = value->index,
                                            .value = strdup(value->value)};
    return rows->items[rows->count++].value != NULL
               ? 0
               : sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
}

/* What name and media say, once: the same said before is the same. */
static bool is_in_force(const struct rows *rows, const struct catalog_label_value *value)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];

        if (row->label == value->label && row->offset_ms == value->offset_ms &&
            (row->index == value->index ||
             (row->source == value->source && row->source <= CATALOG_FROM_NAME &&
              value->value != NULL && strcmp(row->value, value->value) == 0)))
            return true;
    }
    return false;
}

/* Name and media say the same each time they are looked at: *last is what they said before. */
static bool is_repeated(const struct catalog_label_value *value, char *last[2][CATALOG_LABELS])
{
    char **before;

    if (value->source > CATALOG_FROM_NAME || value->value == NULL)
        return false;
    before = &last[value->source][value->label];
    if (*before != NULL && strcmp(*before, value->value) == 0)
        return true;
    free(*before);
    *before = strdup(value->value);
    return false;
}

/* Lock held. */
static int give_history(struct catalog *catalog, uint64_t node, const struct rows *rows,
                        catalog_label_fn *fn, void *context)
{
    char *last[2][CATALOG_LABELS] = {{NULL}};
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_LABELS_SAID);
    int rc;

    catdb_bind_int(statement, 1, (int64_t)node);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        struct catalog_label_value value = {.in_force = false};

        read_label(statement, &value);
        value.in_force = is_in_force(rows, &value);
        if (!is_repeated(&value, last) && (rc = fn(context, &value)) != 0)
            break;
    }
    catdb_end(statement);
    for (int i = 0; i < CATALOG_LABELS; i++) {
        free(last[0][i]);
        free(last[1][i]);
    }
    return rc;
}

int catalog_label_history(struct catalog *catalog, uint64_t node, catalog_label_fn *fn,
                          void *context)
{
    struct rows rows = {0};
    int rc;

    catdb_lock(catalog);
    rc = in_force(catalog, node, note_row, &rows);
    if (rc == 0)
        rc = give_history(catalog, node, &rows, fn, context);
    catdb_unlock(catalog);
    for (size_t i = 0; i < rows.count; i++)
        free(rows.items[i].value);
    free(rows.items);
    return rc;
}

/* --- numbers --- */

int catalog_entered(struct catalog *catalog, uint64_t node, struct catalog_entered *out)
{
    sqlite3_stmt *statement;
    int rc;

    memset(out, 0, sizeof(*out));
    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_ENTERED_OF);
    catdb_bind_int(statement, 1, (int64_t)node);
    rc = catdb_next(catalog, statement);
    if (rc > 0) {
        out->case_node = (uint64_t)sqlite3_column_int64(statement, 0);
        catdb_copy_text(statement, 1, out->series, sizeof(out->series));
        out->number = (uint64_t)sqlite3_column_int64(statement, 2);
        out->index = (uint64_t)sqlite3_column_int64(statement, 3);
    } else if (rc == 0) {
        rc = sr_fail(SR_ERR_NOT_FOUND, "the record has no number");
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc > 0 ? 0 : rc;
}

int catdb_enter_next(struct catalog *catalog, uint64_t case_node, const char *series, uint64_t *out)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_ENTERED_NEXT);

    catdb_bind_int(statement, 1, (int64_t)case_node);
    catdb_bind_text(statement, 2, series);
    return catdb_one(catalog, statement, out);
}

int catalog_enter_next(struct catalog *catalog, uint64_t case_node, const char *series,
                       uint64_t *out)
{
    int rc;

    catdb_lock(catalog);
    rc = catdb_enter_next(catalog, case_node, series, out);
    catdb_unlock(catalog);
    return rc;
}

int catalog_entered_stale(struct catalog *catalog, uint64_t node, catalog_id_fn *fn, void *context)
{
    return catdb_each_id(catalog, CATDB_ENTERED_STALE, node, fn, context);
}

int catalog_pending(struct catalog *catalog, uint64_t case_node, catalog_pending_fn *fn,
                    void *context)
{
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_PENDING_OF);
    catdb_bind_int(statement, 1, (int64_t)case_node);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        struct catalog_pending pending;

        catdb_read_node(statement, &pending.node);
        if ((rc = missing_of(catalog, pending.node.id, &pending.missing)) != 0 ||
            (rc = fn(context, &pending)) != 0)
            break;
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}

int catalog_label_files_of(struct catalog *catalog, uint32_t uid, size_t limit, catalog_node_fn *fn,
                           void *context)
{
    struct catalog_node node;
    sqlite3_stmt *statement;
    int rc;

    catdb_lock(catalog);
    statement = catdb_use(catalog, CATDB_LABEL_FILES_OF);
    catdb_bind_int(statement, 1, uid);
    catdb_bind_int(statement, 2, (int64_t)limit);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        catdb_read_node(statement, &node);
        if ((rc = fn(context, &node)) != 0)
            break;
    }
    catdb_end(statement);
    catdb_unlock(catalog);
    return rc;
}
