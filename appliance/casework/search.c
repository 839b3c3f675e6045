/* Search, as far as the person may see what is found; and the index of texts. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/text.h"
#include "casework/seen.h"
#include "casework/texts.h"
#include "catalog/described.h"
#include "catalog/search.h"

#define SNIPPETS_BYTES (16u << 20) /* of texts that are read for one answer */

/* --- the answer --- */

struct page { /* the newest of what may be seen */
    uint64_t *nodes;
    size_t count, limit;
};

/* Counts, and keeps the page. search_lock held. */
static int see(struct door *door, const struct catalog_user *user, const struct catalog_hits *hits,
               uint64_t before, struct page *page, uint64_t *total)
{
    struct search_memo *memo = seen_memo(door, user->uid, hits->epoch, hits->group_count);
    *total = 0;
    if (memo == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory for a search");
    for (size_t i = hits->count; i-- > 0;) {
        const struct catalog_hit *hit = &hits->items[i];
        enum seen seen = seen_group(door, user, memo, hit->group, &hits->groups[hit->group]);
        if (seen == SEEN_NO || (hit->by_text && seen != SEEN_READ))
            continue;
        ++*total;
        if (page->count < page->limit && (before == 0 || hit->node < before))
            page->nodes[page->count++] = hit->node;
    }
    return 0;
}

/* A piece of the record's text; false: there is none to show. */
static bool snippet_of(struct door *door, const struct catalog_user *user,
                       const struct catalog_node *node, const struct search_query *query,
                       size_t *budget, char out[SNIPPET_MAX + 1])
{
    struct catalog_description found;
    char *text = NULL;
    size_t len;
    bool shown = false;
    if (node->kind != CATALOG_KIND_RECORD ||
        catalog_description(door->catalog, node->version.create_index, &found) < 0)
        return false;
    if (found.has_text && found.text.size <= *budget && found.media != NULL &&
        strstr(found.media, CATALOG_LABEL_FILE_TYPE) == NULL &&
        door_allows(door, user, ACT_READ, node) &&
        door_damaged(door, &found.text.id,
                     texts_read(door->vault, &found.text, &node->version.object, &text, &len)) ==
            0) {
        *budget -= (size_t)found.text.size;
        shown = search_snippet(query, text, len, out);
    }
    free(text);
    catalog_description_free(&found);
    return shown;
}

static int give(struct door *door, const struct catalog_user *user,
                const struct search_query *query, const struct page *page, door_hit_fn *fn,
                void *context)
{
    char snippet[SNIPPET_MAX + 1];
    size_t budget = SNIPPETS_BYTES;
    struct catalog_node node;
    int status = 0;
    for (size_t i = 0; status == 0 && i < page->count; i++) {
        /* Once more, each by itself: something may have changed since. */
        if (catalog_get(door->catalog, page->nodes[i], &node) < 0 ||
            place_visible(door, user, &node) < 0)
            continue;
        pthread_mutex_lock(&door->lock);
        live_overlay(door, &node);
        pthread_mutex_unlock(&door->lock);
        status =
            fn(context, &node,
               query->count > 0 && snippet_of(door, user, &node, query, &budget, snippet) ? snippet
                                                                                          : NULL);
    }
    return status;
}

int door_search(struct door *door, const struct door_actor *actor, const char *text,
                uint64_t before, size_t limit, door_hit_fn *fn, void *context, uint64_t *total)
{
    struct search_query *query = malloc(sizeof *query);
    struct catalog_hits hits = {.count = 0};
    struct page page = {.limit = limit};
    char sentence[SEARCH_SENTENCE_MAX];
    struct catalog_user user;
    *total = 0;
    int status = door_may(door, actor, "list");
    if (status == 0)
        status = door_user(door, actor, &user);
    page.nodes = calloc(limit > 0 ? limit : 1, sizeof *page.nodes);
    if (status == 0 && (query == NULL || page.nodes == NULL))
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a search");
    if (status == 0 && !search_parse(text, query, sentence))
        status = sr_fail(SR_ERR_INVALID, "%s", sentence);
    if (status == 0 && (status = catalog_query(door->catalog, query, &hits)) == 0) {
        pthread_mutex_lock(&door->search_lock);
        status = see(door, &user, &hits, before, &page, total);
        pthread_mutex_unlock(&door->search_lock);
    }
    catalog_hits_free(&hits);
    if (status == 0)
        status = give(door, &user, query, &page, fn, context);
    free(page.nodes);
    free(query);
    return status;
}

/* --- ingest, by person --- */

#define LONG_DAYS 60 /* beyond them nobody asks for the day */

struct ingests {
    uint32_t uid;
    uint64_t records, no_time, late;
    unsigned worst;
};
struct people {
    struct ingests *items;
    size_t count;
};

static struct ingests *of_person(struct people *people, uint32_t uid)
{
    for (size_t i = 0; i < people->count; i++)
        if (people->items[i].uid == uid)
            return &people->items[i];
    struct ingests *longer = realloc(people->items, (people->count + 1) * sizeof *longer);
    if (longer == NULL)
        return NULL;
    people->items = longer;
    longer[people->count] = (struct ingests){.uid = uid};
    return &longer[people->count++];
}

static unsigned days_late(const struct agency *agency, const struct catalog_hit *hit)
{
    int32_t span = hit->sealed - hit->captured;
    return span > LONG_DAYS ? (unsigned)((int64_t)span * 5 / 7)
                            : calendar_between(agency->calendar, hit->captured, hit->sealed, NULL);
}

/* search_lock held. */
static int count_ingests(struct door *door, const struct catalog_user *user,
                         const struct catalog_hits *hits, const struct agency *agency,
                         struct people *people)
{
    struct search_memo *memo = seen_memo(door, user->uid, hits->epoch, hits->group_count);
    for (size_t i = 0; memo != NULL && i < hits->count; i++) {
        const struct catalog_hit *hit = &hits->items[i];
        if (seen_group(door, user, memo, hit->group, &hits->groups[hit->group]) == SEEN_NO)
            continue;
        struct ingests *person = of_person(people, hits->groups[hit->group].uid);
        if (person == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for a count");
        unsigned days = hit->captured != 0 ? days_late(agency, hit) : 0;
        person->records++;
        person->no_time += hit->captured == 0;
        person->late += days > workflow_ingest_days(agency->workflow);
        person->worst = days > person->worst ? days : person->worst;
    }
    return memo != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for a count");
}

static int give_person(struct door *door, const struct ingests *person, door_item_fn *fn,
                       void *context)
{
    struct catalog_user user = {.account = "?"};
    (void)catalog_user(door->catalog, person->uid, &user);
    json_t *item =
        json_pack("{s:s, s:s, s:I, s:I, s:I, s:i}", "account", user.account, "person", user.name,
                  "records", (json_int_t)person->records, "no_time", (json_int_t)person->no_time,
                  "late", (json_int_t)person->late, "worst", (int)person->worst);
    return item != NULL ? fn(context, item) : sr_fail(SR_ERR_NO_MEMORY, "no memory for a count");
}

static int read_days(const char *from, const char *until, struct search_query *query)
{
    char sentence[SEARCH_SENTENCE_MAX];
    int32_t first = 1, last = INT32_MAX;
    search_parse("", query, sentence); /* empty */
    if ((from != NULL && !sr_day_parse(from, &first)) ||
        (until != NULL && !sr_day_parse(until, &last)))
        return sr_fail(SR_ERR_INVALID, "a day is YYYY-MM-DD");
    query->conditions = true;
    query->sealed = (struct search_range){first, last};
    return 0;
}

int door_lateness(struct door *door, const struct door_actor *actor, const char *from,
                  const char *until, door_item_fn *fn, void *context)
{
    struct search_query *query = malloc(sizeof *query);
    struct catalog_hits hits = {.count = 0};
    struct people people = {.count = 0};
    struct catalog_user user;
    int status = door_may(door, actor, "list");
    if (status == 0 && query == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a count");
    if (status == 0 && (status = door_user(door, actor, &user)) == 0 &&
        (status = read_days(from, until, query)) == 0 &&
        (status = catalog_query(door->catalog, query, &hits)) == 0) {
        pthread_mutex_lock(&door->lock);
        const struct agency *agency = door->agency; /* kept until the end */
        pthread_mutex_unlock(&door->lock);
        pthread_mutex_lock(&door->search_lock);
        status = count_ingests(door, &user, &hits, agency, &people);
        pthread_mutex_unlock(&door->search_lock);
    }
    for (size_t i = 0; status == 0 && i < people.count; i++)
        status = give_person(door, &people.items[i], fn, context);
    catalog_hits_free(&hits);
    free(people.items);
    free(query);
    return status;
}

/* --- the index of texts --- */

int search_fill(struct door *door, uint64_t *from)
{
    struct object_expectation expected;
    struct catalog_version version;
    struct catalog_node node;
    char *text = NULL;
    size_t len;
    int status = catalog_untexted(door->catalog, *from, &version, &expected);
    if (status < 0)
        return status;
    *from = version.create_index + 1;
    /* Of a version that is not the current one nothing is found; what is no text of anybody is nobody's. */
    bool current = catalog_get(door->catalog, version.node, &node) == 0 &&
                   node.version.create_index == version.create_index && expected.size > 0;
    if (current) {
        status = door_damaged(door, &expected.id,
                              texts_read(door->vault, &expected, &version.object, &text, &len));
        if (status == SR_ERR_DAMAGED)
            status = 0; /* an alert; the rest is found */
    }
    if (status == 0)
        status = catalog_text_index(door->catalog, &version, text);
    free(text);
    return status;
}
