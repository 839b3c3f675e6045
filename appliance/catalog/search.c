#include "catalog/search.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/text.h"
#include "catalog/catdb.h"
#include "catalog/names.h"
#include "catalog/words.h"

#define TEXT_ROWS 256 /* of a node: its number and so many less one */

/* --- lists of rows of the facts ---------------------------------------------------------------- */

struct row {
    uint32_t at; /* index into facts.items */
    uint32_t by_text;
};

struct rows { /* by place */
    struct row *items;
    size_t count, capacity;
    bool failed;
};

static void rows_add(struct rows *rows, size_t at, bool by_text)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 1024 : 2 * rows->capacity;
        struct row *items = realloc(rows->items, capacity * sizeof(*items));

        if (items == NULL) {
            rows->failed = true;
            return;
        }
        rows->items = items;
        rows->capacity = capacity;
    }
    rows->items[rows->count++] = (struct row){(uint32_t)at, by_text};
}

/* Rows of both stay in `into`. */
static void intersect(struct rows *into, const struct rows *other)
{
    size_t kept = 0;

    for (size_t i = 0, k = 0; i < into->count && k < other->count;) {
        if (into->items[i].at < other->items[k].at) {
            i++;
        } else if (into->items[i].at > other->items[k].at) {
            k++;
        } else {
            into->items[kept] = into->items[i];
            into->items[kept++].by_text |= other->items[k].by_text;
            i++;
            k++;
        }
    }
    into->count = kept;
}

static void subtract(struct rows *from, const struct rows *other)
{
    size_t kept = 0;

    for (size_t i = 0, k = 0; i < from->count; i++) {
        while (k < other->count && other->items[k].at < from->items[i].at)
            k++;
        if (k == other->count || other->items[k].at != from->items[i].at)
            from->items[kept++] = from->items[i];
    }
    from->count = kept;
}

/* --- terms -------------------------------------------------------------------------------------- */

static const char *const column_names[SEARCH_COLUMNS] = {
    "fold",   "case_number", "place", "person", "proves", "subject",
    "number", "content",     "talk",  "device", "archive"};

/* The FTS5 expression of the words of a term, of any column; empty when there is none in it. */
static int make_match(const struct search_term *term, struct sr_buf *out, size_t *words)
{
    char *fold = NULL;
    int rc = sr_name_fold(term->text, &fold);

    if (rc < 0)
        return rc;
    *words = words_query(fold, strlen(fold), out);
    free(fold);
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "search: out of memory") : 0;
}

/* Words alone find a case by its number, and not all that lies in it. */
static void limit_columns(const struct search_term *term, const char *match, struct sr_buf *out)
{
    if (term->column == SEARCH_ANY)
        sr_buf_format(out, "- %s : (%s)", column_names[SEARCH_CASE_NUMBER], match);
    else
        sr_buf_format(out, "%s : (%s)", column_names[term->column], match);
}

/* Rows of the index of names and labels. */
static int match_names(struct catalog *catalog, const char *expression, struct rows *out)
{
    const struct facts *facts = &catalog->facts;
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_NAMES_MATCH);
    size_t at = 0;
    int rc;

    catdb_bind_text(statement, 1, expression);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        uint64_t node = (uint64_t)sqlite3_column_int64(statement, 0);

        at = facts_seek(facts, at, node);
        if (at < facts->count && facts->items[at].node == node)
            rows_add(out, at, false);
    }
    catdb_end(statement);
    return rc;
}

/* Rows of the index of texts that are some record's present text. */
static int match_texts(struct catalog *catalog, const char *expression, struct rows *out)
{
    const struct facts *facts = &catalog->facts;
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_TEXTS_MATCH);
    size_t at = 0;
    int rc;

    catdb_bind_text(statement, 1, expression);
    while ((rc = catdb_next(catalog, statement)) > 0) {
        uint64_t row = (uint64_t)sqlite3_column_int64(statement, 0);
        uint64_t node = row - row % TEXT_ROWS;

        at = facts_seek(facts, at, node);
        if (at < facts->count && facts->items[at].node == node &&
            facts->items[at].text == row % TEXT_ROWS + 1)
            rows_add(out, at, true);
    }
    catdb_end(statement);
    return rc;
}

/* Both, each row once; what is in the names does not need the text. */
static void merge(const struct rows *names, const struct rows *texts, struct rows *out)
{
    size_t i = 0, k = 0;

    while (i < names->count || k < texts->count) {
        if (k == texts->count || (i < names->count && names->items[i].at <= texts->items[k].at)) {
            if (k < texts->count && texts->items[k].at == names->items[i].at)
                k++;
            rows_add(out, names->items[i++].at, false);
        } else {
            rows_add(out, texts->items[k++].at, true);
        }
    }
}

static int find_term(struct catalog *catalog, const struct search_term *term, const char *match,
                     struct rows *out)
{
    struct rows names = {0}, texts = {0};
    struct sr_buf limited = {0};
    int rc = 0;

    if (term->column != SEARCH_TEXT) {
        limit_columns(term, match, &limited);
        rc = limited.failed ? sr_fail(SR_ERR_NO_MEMORY, "search: out of memory")
                            : match_names(catalog, limited.data, &names);
    }
    sr_buf_free(&limited);
    if (rc == 0 && (term->column == SEARCH_TEXT || (term->column == SEARCH_ANY && !term->negated)))
        rc = match_texts(catalog, match, &texts);
    if (rc == 0 && texts.count == 0) {
        *out = names;
        names.items = NULL;
    } else if (rc == 0) {
        merge(&names, &texts, out);
    }
    if (rc == 0 && (names.failed || texts.failed || out->failed))
        rc = sr_fail(SR_ERR_NO_MEMORY, "search: out of memory");
    free(names.items);
    free(texts.items);
    return rc;
}

/* *begun false: no term has said anything yet, and every row fits. */
static int apply_term(struct catalog *catalog, const struct search_term *term, size_t *words,
                      bool *begun, struct rows *rows)
{
    struct sr_buf match = {0};
    struct rows found = {0};
    size_t more = 0;
    int rc = make_match(term, &match, &more);

    *words += more;
    if (rc == 0 && *words > SEARCH_WORDS_MAX)
        rc = sr_fail(SR_ERR_INVALID, "search: over %d words", SEARCH_WORDS_MAX);
    if (rc == 0 && more > 0 && (*begun || !term->negated))
        rc = find_term(catalog, term, match.data, &found);
    sr_buf_free(&match);
    if (rc < 0 || more == 0) {
        free(found.items);
        return rc;
    }
    if (term->negated) {
        if (*begun)
            subtract(rows, &found);
    } else if (!*begun) {
        *begun = true;
        *rows = found;
        return 0;
    } else {
        intersect(rows, &found);
    }
    free(found.items);
    return 0;
}

/* --- conditions --------------------------------------------------------------------------------- */

static bool within(const struct search_range *range, int64_t value)
{
    return value >= range->min && value <= range->max;
}

static bool is_open(const struct search_range *range)
{
    return range->min == INT64_MIN && range->max == INT64_MAX;
}

/* What has no value fits no condition on it. */
static bool fits_days(const struct search_range *range, int32_t day)
{
    return is_open(range) || (day != FACTS_NO_DAY && within(range, day));
}

struct senders { /* of the condition on the sender */
    bool asked;
    const uint32_t *uids;
    size_t count;
};

static bool is_sender(const struct senders *senders, uint32_t uid)
{
    if (!senders->asked)
        return true;
    for (size_t i = 0; i < senders->count; i++)
        if (senders->uids[i] == uid)
            return true;
    return false;
}

static bool fits(const struct search_query *query, const struct senders *senders,
                 const struct fact *fact)
{
    if ((fact->flags & FACTS_GONE) != 0)
        return false;
    if (!query->conditions)
        return true;
    return (fact->flags & FACTS_ALONE) == 0 && is_sender(senders, fact->uid) &&
           (query->types == 0 ||
            ((fact->flags & FACTS_SEALED) != 0 && (query->types >> fact->type & 1) != 0)) &&
           (query->levels == 0 || (query->levels >> fact->level & 1) != 0) &&
           (query->entered < 0 || ((fact->flags & FACTS_ENTERED) != 0) == query->entered) &&
           fits_days(&query->when,
                     fact->captured != FACTS_NO_DAY ? fact->captured : fact->sealed) &&
           fits_days(&query->captured, fact->captured) && fits_days(&query->sealed, fact->sealed) &&
           (is_open(&query->duration) || (fact->duration_ms != FACTS_NO_DURATION &&
                                          within(&query->duration, fact->duration_ms))) &&
           (is_open(&query->size) || within(&query->size, fact->size));
}

struct sender_search {
    const char *wanted;
    uint32_t uids[256]; /* of one name there are not more */
    size_t count;
};

static int match_sender(struct catalog *catalog, struct sender_search *search)
{
    sqlite3_stmt *statement = catdb_use(catalog, CATDB_USERS_NAMED);
    int rc;

    catdb_bind_text(statement, 1, search->wanted);
    while ((rc = catdb_next(catalog, statement)) > 0 && search->count < 256)
        search->uids[search->count++] = (uint32_t)sqlite3_column_int64(statement, 0);
    catdb_end(statement);
    return rc < 0 ? rc : 0;
}

/* --- the query ------------------------------------------------------------------------------------ */

static int give(struct catalog *catalog, const struct search_query *query, bool begun,
                const struct rows *rows, struct catalog_hits *out)
{
    const struct facts *facts = &catalog->facts;
    struct sender_search search = {.wanted = query->sender};
    struct senders senders = {.asked = query->sender[0] != '\0', .uids = search.uids};
    size_t count = begun ? rows->count : facts->count;
    int rc = senders.asked ? match_sender(catalog, &search) : 0;

    senders.count = search.count;
    out->items = malloc((count > 0 ? count : 1) * sizeof(*out->items));
    out->groups = malloc((facts->group_count > 0 ? facts->group_count : 1) * sizeof(*out->groups));
    if (rc == 0 && (out->items == NULL || out->groups == NULL))
        rc = sr_fail(SR_ERR_NO_MEMORY, "search: out of memory");
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < count; i++) {
        const struct fact *fact = &facts->items[begun ? rows->items[i].at : i];

        if (fits(query, &senders, fact))
            out->items[out->count++] =
                (struct catalog_hit){.node = fact->node,
                                     .group = fact->group,
                                     .captured = fact->captured,
                                     .sealed = fact->sealed,
                                     .by_text = begun && rows->items[i].by_text != 0};
    }
    for (size_t i = 0; i < facts->group_count; i++) {
        const struct facts_group *group = &facts->groups[i];

        out->groups[i] = (struct catalog_group){.alone = (group->flags & FACTS_ALONE) != 0,
                                                .anchor = group->anchor,
                                                .uid = group->uid,
                                                .level = group->level,
                                                .marks = group->marks,
                                                .sealed = (group->flags & FACTS_SEALED) != 0,
                                                .draft = (group->flags & FACTS_DRAFT) != 0};
    }
    out->group_count = facts->group_count;
    out->epoch = facts->epoch;
    return 0;
}

/* Lock held. Positive terms first: what is not there is taken out of what is. */
static int run(struct catalog *catalog, const struct search_query *query, struct catalog_hits *out)
{
    struct rows rows = {0};
    bool begun = false;
    size_t words = 0;
    int rc = names_flush(catalog);

    if (rc == 0)
        rc = facts_load(catalog);
    for (int negated = 0; negated < 2; negated++)
        for (size_t i = 0; rc == 0 && i < query->count; i++)
            if (query->terms[i].negated == (negated != 0)) {
                if (negated && !begun) { /* conditions alone: all rows */
                    begun = true;
                    for (size_t at = 0; at < catalog->facts.count; at++)
                        rows_add(&rows, at, false);
                }
                rc = apply_term(catalog, &query->terms[i], &words, &begun, &rows);
            }
    if (rc == 0 && rows.failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "search: out of memory");
    if (rc == 0 && (begun || query->conditions))
        rc = give(catalog, query, begun, &rows, out);
    free(rows.items);
    return rc;
}

int catalog_query(struct catalog *catalog, const struct search_query *query,
                  struct catalog_hits *out)
{
    int rc;

    memset(out, 0, sizeof(*out));
    catdb_lock(catalog);
    rc = run(catalog, query, out);
    catdb_unlock(catalog);
    return rc;
}

void catalog_hits_free(struct catalog_hits *hits)
{
    free(hits->items);
    free(hits->groups);
    memset(hits, 0, sizeof(*hits));
}

/* --- the old form: words alone, for who decides one by one ----------------------------------------- */

int catalog_search(struct catalog *catalog, const char *text, size_t limit, catalog_node_fn *fn,
                   void *context)
{
    struct search_query *query = calloc(1, sizeof(*query));
    struct catalog_hits hits = {0};
    struct catalog_node node;
    char sentence[SEARCH_SENTENCE_MAX];
    size_t given = 0;
    int rc = 0;

    if (query == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "search: out of memory");
    if (strlen(text) > SEARCH_TEXT_MAX || !sr_utf8_valid(text, strlen(text)))
        rc = sr_fail(SR_ERR_INVALID, "search: the text is over %d bytes or not UTF-8",
                     SEARCH_TEXT_MAX);
    search_parse("", query, sentence); /* empty */
    query->count = 1;
    query->terms[0].column = SEARCH_ANY;
    if (rc == 0) {
        memcpy(query->terms[0].text, text, strlen(text) + 1);
        rc = catalog_query(catalog, query, &hits);
    }
    catdb_lock(catalog);
    for (size_t i = hits.count; rc == 0 && i-- > 0 && given < limit; given++)
        if ((rc = catdb_get_node(catalog, hits.items[i].node, &node)) == 0)
            rc = fn(context, &node);
    catdb_unlock(catalog);
    catalog_hits_free(&hits);
    free(query);
    return rc;
}
