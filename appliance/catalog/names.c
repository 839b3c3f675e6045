#include "catalog/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/search_query.h"
#include "catalog/subjects.h"

#define SEPARATOR "\n" /* between values of one column: no word goes across */

int names_mark(struct catalog *catalog, uint64_t node)
{
    int rc = node == catalog->marked ? 0 : catdb_run_int(catalog, CATDB_INDEX_MARK, (int64_t)node);

    if (rc == 0)
        catalog->marked = node;
    return rc;
}

int names_mark_below(struct catalog *catalog, uint64_t node)
{
    return catdb_run_int(catalog, CATDB_INDEX_MARK_BELOW, (int64_t)node);
}

/* --- where a node lies ------------------------------------------------------------------------ */

#define PLACES 16

struct places { /* neighbours lie in few folders: by parent % PLACES */
    struct place {
        uint64_t parent;            /* CATDB_NOWHERE: none is known */
        struct catalog_node anchor; /* id 0: none */
    } known[PLACES];
};

/* The nearest case or folder of 待归案 from parent on. */
static int find_anchor(struct catalog *catalog, uint64_t parent, struct catalog_node *out)
{
    uint64_t node = parent;
    int rc = 0;

    out->id = 0;
    for (unsigned depth = 0; rc == 0 && node != CATDB_NOWHERE && depth < 64; depth++) {
        sqlite3_stmt *statement = catdb_use(catalog, CATDB_NODE_PLACE);
        int kind = -1;
        uint64_t above = CATDB_NOWHERE;

        catdb_bind_int(statement, 1, (int64_t)node);
        if ((rc = catdb_next(catalog, statement)) > 0) {
            above = (uint64_t)sqlite3_column_int64(statement, 0);
            kind = sqlite3_column_int(statement, 1);
        }
        catdb_end(statement);
        if (kind == CATALOG_KIND_CASE || kind == CATALOG_KIND_UNFILED_USER)
            return catdb_get_node(catalog, node, out);
        rc = rc < 0 ? rc : 0;
        node = kind < 0 ? CATDB_NOWHERE : above;
    }
    return rc;
}

static int place_of(struct catalog *catalog, uint64_t parent, struct places *places,
                    const struct catalog_node **anchor)
{
    struct place *place = &places->known[parent % PLACES];
    int rc = 0;

    if (place->parent != parent) {
        place->parent = CATDB_NOWHERE;
        if ((rc = find_anchor(catalog, parent, &place->anchor)) == 0)
            place->parent = parent;
    }
    *anchor = &place->anchor;
    return rc;
}

/* --- the words of a node ---------------------------------------------------------------------- */

static const enum search_column columns[CATALOG_LABELS] = {
    [CATALOG_LABEL_CASE_NUMBER] = SEARCH_CASE_NUMBER,
    [CATALOG_LABEL_CAPTURED] = SEARCH_COLUMNS, /* no words */
    [CATALOG_LABEL_PLACE] = SEARCH_PLACE,
    [CATALOG_LABEL_PERSON] = SEARCH_PERSON,
    [CATALOG_LABEL_PROVES] = SEARCH_PROVES,
    [CATALOG_LABEL_SUBJECT] = SEARCH_SUBJECT,
    [CATALOG_LABEL_NUMBER] = SEARCH_NUMBER,
    [CATALOG_LABEL_CONTENT] = SEARCH_CONTENT,
    [CATALOG_LABEL_SPEAKER] = SEARCH_TALK,
    [CATALOG_LABEL_IDENTITY] = SEARCH_TALK,
    [CATALOG_LABEL_SUMMARY] = SEARCH_TALK,
    [CATALOG_LABEL_CLOCK] = SEARCH_COLUMNS,
    [CATALOG_LABEL_DEVICE] = SEARCH_DEVICE,
};

struct words_of {
    struct sr_buf columns[SEARCH_COLUMNS];
    struct subjects subjects;
    int32_t captured;
    int rc;
};

static int add_words(void *context, const struct catalog_label_value *value)
{
    struct words_of *words = context;
    enum search_column column = columns[value->label];
    char *fold = NULL;

    if (value->value == NULL)
        return 0;
    if (value->label == CATALOG_LABEL_CAPTURED && strlen(value->value) >= 10) {
        char day[11]; /* of "2026-03-05T14:03:22+08:00", local as it is kept */

        memcpy(day, value->value, 10);
        day[10] = '\0';
        sr_day_parse(day, &words->captured);
    }
    if (value->label == CATALOG_LABEL_SUBJECT &&
        (words->rc = subjects_read(value->value, &words->subjects)) < 0)
        return words->rc;
    if (column == SEARCH_COLUMNS)
        return 0;
    if (words->columns[column].len > 0)
        sr_buf_text(&words->columns[column], SEPARATOR);
    if ((words->rc = sr_name_fold(value->value, &fold)) == 0)
        sr_buf_text(&words->columns[column], fold);
    free(fold);
    return words->rc;
}

static int add_to_index(struct catalog *catalog, uint64_t node, struct words_of *words)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_INDEX_ADD);

    catdb_bind_int(statement, 1, (int64_t)node);
    for (int i = 0; i < SEARCH_COLUMNS; i++) {
        if (words->columns[i].failed) {
            catdb_end(statement);
            return sr_fail(SR_ERR_NO_MEMORY, "catalog: out of memory");
        }
        if (words->columns[i].len > 0)
            catdb_bind_text(statement, 2 + i, words->columns[i].data);
    }
    return catdb_run(catalog, statement);
}

/* All that it ever had: who holds an old list finds it, too. */
static int add_archived(void *context, const struct catalog_archived *archived)
{
    struct words_of *words = context;
    char *fold = NULL;
    int rc = sr_name_fold(archived->text, &fold);

    if (words->columns[SEARCH_ARCHIVE].len > 0)
        sr_buf_text(&words->columns[SEARCH_ARCHIVE], SEPARATOR);
    if (rc == 0)
        sr_buf_text(&words->columns[SEARCH_ARCHIVE], fold);
    free(fold);
    return rc;
}

/* --- the facts of a node ---------------------------------------------------------------------- */

/* A node with all that the index and the facts need of other tables. */
struct found {
    struct catalog_node node;
    uint8_t type, text;
    int64_t duration_ms;
    uint64_t entered_in; /* the case that gave its newest number; 0: none */
    bool archived;
};

/* SR_ERR_NOT_FOUND. */
static int read_found(struct catalog *catalog, uint64_t node, struct sr_buf *fold,
                      struct found *out)
{
    sqlite3_stmt *s = catdb_use(catalog, CATDB_INDEX_NODE);
    enum { AT = CATDB_VERSION_AT + CATDB_VERSION_COUNT };
    int rc;

    catdb_bind_int(s, 1, (int64_t)node);
    if ((rc = catdb_next(catalog, s)) > 0) {
        catdb_read_node(s, &out->node);
        sr_buf_text(fold, (const char *)sqlite3_column_text(s, AT));
        out->type = (uint8_t)sqlite3_column_int(s, AT + 1);
        out->duration_ms = sqlite3_column_type(s, AT + 2) == SQLITE_NULL
                               ? FACTS_NO_DURATION
                               : sqlite3_column_int64(s, AT + 2);
        out->text = (uint8_t)sqlite3_column_int(s, AT + 3);
        out->entered_in = (uint64_t)sqlite3_column_int64(s, AT + 4);
        out->archived = sqlite3_column_int(s, AT + 5) != 0;
    }
    catdb_end(s);
    return rc < 0 ? rc : rc > 0 ? 0 : SR_ERR_NOT_FOUND;
}

static int put_facts(struct catalog *catalog, const struct found *found,
                     const struct catalog_node *anchor, int32_t captured)
{
    const struct catalog_node *node = &found->node;
    bool record = node->kind == CATALOG_KIND_RECORD;
    struct fact fact = {
        .node = node->id,
        .anchor = anchor->id,
        .duration_ms = FACTS_NO_DURATION,
        .uid = record ? node->version.uid : node->uid,
        .level = node->level,
        .marks = node->marks,
        .flags = record ? 0 : FACTS_ALONE,
    };

    if (record) {
        fact.captured = captured;
        fact.size = (int64_t)node->version.size;
        if (node->version.state != CATALOG_STAGING) {
            fact.flags |= FACTS_SEALED;
            fact.sealed = sr_day_local(node->version.sealed_ns);
        }
        if (node->draft)
            fact.flags |= FACTS_DRAFT;
        fact.type = found->type;
        fact.duration_ms = found->duration_ms;
        fact.text = found->text;
        if (found->entered_in != 0 && found->entered_in == fact.anchor)
            fact.flags |= FACTS_ENTERED;
    }
    return facts_put(catalog, &fact);
}

/* --- keeping the index ------------------------------------------------------------------------- */

static bool is_searched(const struct catalog_node *node)
{
    return node->parent != CATDB_NOWHERE &&
           (node->kind == CATALOG_KIND_UNFILED_USER || node->kind == CATALOG_KIND_UNFILED_DATE ||
            node->kind == CATALOG_KIND_CASE || node->kind == CATALOG_KIND_FOLDER ||
            node->kind == CATALOG_KIND_RECORD);
}

static int index_node(struct catalog *catalog, uint64_t id, struct places *places,
                      struct words_of *words)
{
    const struct catalog_node *anchor;
    struct found found;
    int rc;

    words->captured = FACTS_NO_DAY;
    words->subjects.count = 0;
    words->rc = 0;
    for (int i = 0; i < SEARCH_COLUMNS; i++)
        words->columns[i].len = 0;
    rc = read_found(catalog, id, &words->columns[SEARCH_NAME], &found);
    if (rc == SR_ERR_NOT_FOUND || (rc == 0 && !is_searched(&found.node))) {
        rc = facts_drop(catalog, id);
        return rc < 0 ? rc : subjects_drop(catalog, id);
    }
    if (rc < 0 || (rc = place_of(catalog, found.node.parent, places, &anchor)) < 0)
        return rc;
    if (found.node.kind == CATALOG_KIND_RECORD) {
        bool in_case = anchor->id != 0 && anchor->kind == CATALOG_KIND_CASE;

        rc = catdb_labels(catalog, id, in_case ? anchor : NULL, add_words, words);
        if (rc == 0 && found.archived)
            rc = catdb_archived(catalog, id, add_archived, words);
        if (rc == 0)
            rc = subjects_put(catalog, id, &words->subjects);
    }
    if (rc == 0 && (rc = add_to_index(catalog, id, words)) == 0)
        rc = put_facts(catalog, &found, anchor, words->captured);
    return rc;
}

static int index_all(struct catalog *catalog)
{
    struct places places = {.known = {{.parent = CATDB_NOWHERE}}};
    struct words_of words = {.rc = 0};
    sqlite3_stmt *statement;
    int rc = catdb_run(catalog, catdb_use(catalog, CATDB_INDEX_DROP));

    statement = catdb_use(catalog, CATDB_INDEX_NEXT);
    while (rc == 0 && (rc = catdb_next(catalog, statement)) > 0)
        rc = index_node(catalog, (uint64_t)sqlite3_column_int64(statement, 0), &places, &words);
    catdb_end(statement);
    for (int i = 0; i < SEARCH_COLUMNS; i++)
        sr_buf_free(&words.columns[i]);
    free(words.subjects.items);
    return rc;
}

static int unindexed(struct catalog *catalog, int64_t *out)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_INDEX_COUNT);
    int rc = catdb_next(catalog, statement);

    *out = rc > 0 ? sqlite3_column_int64(statement, 0) : 0;
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

/* A savepoint of its own within the long transaction, which may have to stay open. */
int names_flush(struct catalog *catalog)
{
    struct sr_error_copy copy;
    int64_t count;
    int rc;

    if ((rc = unindexed(catalog, &count)) < 0 || count == 0)
        return rc;
    catalog->marked = 0;
    if (catalog->bulk) {
        rc = index_all(catalog);
        return rc < 0 ? rc : catdb_run(catalog, catdb_use(catalog, CATDB_INDEX_CLEAR));
    }
    if ((rc = catdb_begin(catalog)) < 0 ||
        (rc = catdb_run(catalog, catdb_use(catalog, CATDB_SAVEPOINT))) < 0)
        return rc;
    if ((rc = index_all(catalog)) == 0 &&
        (rc = catdb_run(catalog, catdb_use(catalog, CATDB_INDEX_CLEAR))) == 0 &&
        (rc = catdb_run(catalog, catdb_use(catalog, CATDB_RELEASE))) == 0)
        return 0;
    sr_error_save(&copy, rc);
    facts_free(&catalog->facts); /* loaded again as they are on disk */
    catdb_run(catalog, catdb_use(catalog, CATDB_ROLLBACK_TO));
    catdb_run(catalog, catdb_use(catalog, CATDB_RELEASE));
    return sr_error_raise(&copy);
}
