#include "casework/gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "casework/gather_names.h"
#include "casework/seen.h"
#include "catalog/gathered.h"

#define LOW_BITS(bit) ((bit)-1)

bool gather_is_link(uint64_t node)
{
    return (node & ~LOW_BITS(GATHER_LINK_BIT)) == GATHER_LINK_BIT;
}

static bool is_subject(uint64_t node)
{
    return (node & ~LOW_BITS(GATHER_SUBJECT_BIT)) == GATHER_SUBJECT_BIT;
}

static bool is_day(uint64_t node)
{
    return (node & ~LOW_BITS(GATHER_DAY_BIT)) == GATHER_DAY_BIT;
}

bool gather_is_folder(uint64_t node)
{
    return node == CATALOG_BY_SUBJECT || node == CATALOG_BY_DAY || is_subject(node) || is_day(node);
}

static int not_there(void)
{
    return sr_fail(SR_ERR_NOT_FOUND, "there is no such record");
}

/* As for search: who may list nothing in particular finds nothing here. So root does not, either. */
static bool may_look(struct door *door, const struct catalog_user *user)
{
    return door_allows(door, user, ACT_LIST, NULL);
}

/* --- what one person sees of one key --- */

struct walk {
    enum catalog_gathering by;
    uint64_t key, node; /* the key; behind which node it goes on */
    struct catalog_gathered_page page;
};

static struct walk *walk_new(bool by_day, uint64_t key)
{
    struct walk *walk = malloc(sizeof *walk);
    if (walk == NULL)
        return NULL;
    walk->by = by_day ? CATALOG_GATHERED_BY_DAY : CATALOG_GATHERED_BY_SUBJECT;
    walk->key = key;
    walk->node = 0;
    walk->page.more = true;
    return walk;
}

/* Calls fn for each row that the person sees until it returns other than 0, which is returned. No lock held. */
typedef int row_fn(void *context, enum catalog_gathering by, const struct catalog_gathered *row);

/* Which rows of the page the person may see. */
static int see_page(struct door *door, const struct catalog_user *user,
                    const struct catalog_gathered_page *page, bool seen[CATALOG_GATHERED_ROWS])
{
    pthread_mutex_lock(&door->search_lock);
    struct search_memo *memo = seen_memo(door, user->uid, page->epoch, page->group_count);
    for (size_t i = 0; memo != NULL && i < page->count; i++)
        seen[i] = seen_group(door, user, memo, page->rows[i].group, &page->rows[i].of) != SEEN_NO;
    pthread_mutex_unlock(&door->search_lock);
    return memo != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for a folder");
}

static int walk_rows(struct door *door, const struct catalog_user *user, struct walk *walk,
                     row_fn *fn, void *context)
{
    struct catalog_gathered_page *page = &walk->page;
    bool seen[CATALOG_GATHERED_ROWS];
    int status = 0;
    while (status == 0 && page->more) {
        if ((status = catalog_gathered(door->catalog, walk->by, walk->key, walk->node, true,
                                       page)) < 0 ||
            page->count == 0 || (status = see_page(door, user, page, seen)) < 0)
            break;
        walk->node = page->rows[page->count - 1].node;
        for (size_t i = 0; status == 0 && i < page->count; i++)
            if (seen[i])
                status = fn(context, walk->by, &page->rows[i]);
    }
    return status;
}

/* --- folders --- */

struct folders {
    struct door *door;
    const struct catalog_user *user;
    struct catalog_node node; /* of the roots' dates */
    int answer;               /* of fn */
    catalog_node_fn *fn;
    void *context;
};

/* The first row of a key that holds makes its folder; 1 then. */
static int make_folder(void *context, enum catalog_gathering by, const struct catalog_gathered *row)
{
    struct folders *folders = context;
    struct catalog_node *node = &folders->node;
    struct catalog_node record;
    bool day = by == CATALOG_GATHERED_BY_DAY;
    int status = catalog_get(folders->door->catalog, row->node, &record);
    if (status == 0 && !day)
        status = catalog_subject_name(folders->door->catalog, row->key, row->node, node->name);
    if (status == 0) /* once more, by itself: something may have changed since */
        status = place_visible(folders->door, folders->user, &record);
    if (status < 0)
        return status == SR_ERR_NOT_FOUND || status == SR_ERR_DENIED ? 0 : status;
    node->id = (day ? GATHER_DAY_BIT : GATHER_SUBJECT_BIT) | row->key;
    if (day)
        sr_day_text((int32_t)row->key, node->name);
    folders->answer = folders->fn(folders->context, node);
    return folders->answer < 0 ? folders->answer : 1;
}

static int one_folder(struct folders *folders, bool by_day, uint64_t key)
{
    struct walk *walk = walk_new(by_day, key);
    int status = walk != NULL ? walk_rows(folders->door, folders->user, walk, make_folder, folders)
                              : sr_fail(SR_ERR_NO_MEMORY, "no memory for a folder");
    free(walk);
    return status;
}

/* Of most keys the first row is enough. */
static int folders_behind(struct folders *folders, bool by_day, uint64_t key)
{
    enum catalog_gathering by = by_day ? CATALOG_GATHERED_BY_DAY : CATALOG_GATHERED_BY_SUBJECT;
    struct catalog_gathered_page *page = malloc(sizeof *page);
    bool seen[CATALOG_GATHERED_ROWS];
    int status = page != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "no memory for a folder");
    bool more = status == 0;
    while (more &&
           (status = catalog_gathered(folders->door->catalog, by, key, 0, false, page)) == 0) {
        more = page->more;
        if (page->count == 0 || (status = see_page(folders->door, folders->user, page, seen)) < 0)
            break;
        for (size_t i = 0; status >= 0 && folders->answer == 0 && i < page->count; i++) {
            key = page->rows[i].key;
            status = seen[i] ? make_folder(folders, by, &page->rows[i]) : 0;
            if (status == 0)
                status = one_folder(folders, by_day, key);
        }
        if (status < 0 || folders->answer != 0)
            break;
    }
    free(page);
    return status;
}

static int each_folder(struct door *door, const struct catalog_user *user, uint64_t root,
                       uint64_t key, bool one, catalog_node_fn *fn, void *context)
{
    struct folders folders = {.door = door, .user = user, .fn = fn, .context = context};
    if (!may_look(door, user))
        return 0;
    int status = catalog_get(door->catalog, root, &folders.node);
    if (status < 0 || (status = place_visible(door, user, &folders.node)) < 0)
        return status;
    folders.node.parent = root;
    folders.node.kind = CATALOG_KIND_GATHERED;
    bool by_day = root == CATALOG_BY_DAY;
    status = one ? one_folder(&folders, by_day, key) : folders_behind(&folders, by_day, key);
    return status < 0 ? status : folders.answer;
}

static int take_first(void *context, const struct catalog_node *node)
{
    *(struct catalog_node *)context = *node;
    return 1;
}

static int get_folder(struct door *door, const struct catalog_user *user, uint64_t root,
                      uint64_t key, struct catalog_node *out)
{
    int status = each_folder(door, user, root, key, true, take_first, out);
    return status > 0 ? 0 : status == 0 ? not_there() : status;
}

/* --- links --- */

/* The record or case itself, if it is one that links lead to. */
static int get_target(struct door *door, const struct catalog_user *user, uint64_t link,
                      struct catalog_node *out)
{
    int status = catalog_get(door->catalog, link & LOW_BITS(GATHER_LINK_BIT), out);
    if (status < 0)
        return status;
    if (out->kind != CATALOG_KIND_CASE &&
        (out->kind != CATALOG_KIND_RECORD || out->draft || out->junk || out->parent == 0))
        return not_there();
    return may_look(door, user) ? place_visible(door, user, out) : not_there();
}

static int make_target(struct door *door, const struct catalog_user *user, uint64_t node,
                       struct sr_buf *out)
{
    char *path;
    int status = door_path_for(door, user, node, &path);
    if (status < 0)
        return status;
    sr_buf_format(out, "../..%s", path);
    free(path);
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "no memory for a link") : 0;
}

int gather_target(struct door *door, const struct catalog_user *user, uint64_t link,
                  struct sr_buf *out)
{
    struct catalog_node target;
    int status = get_target(door, user, link, &target);
    return status < 0 ? status : make_target(door, user, target.id, out);
}

static int make_link(struct door *door, const struct catalog_user *user, uint64_t link,
                     uint64_t parent, const char *name, struct catalog_node *out)
{
    struct catalog_node target;
    struct sr_buf path = {0};
    int status = get_target(door, user, link, &target);
    if (status == 0)
        status = make_target(door, user, target.id, &path);
    if (status < 0) {
        sr_buf_free(&path);
        return status;
    }
    *out = (struct catalog_node){.id = link,
                                 .parent = parent,
                                 .kind = CATALOG_KIND_LINK,
                                 .uid = target.uid,
                                 .created_ns = target.created_ns,
                                 .changed_ns = target.changed_ns,
                                 .moved_to = target.id};
    strcpy(out->name, name);
    out->version.mtime_ns = target.changed_ns;
    out->version.size = path.len;
    sr_buf_free(&path);
    return 0;
}

/* --- what lies in one folder --- */

struct items {
    struct door *door;
    const struct catalog_user *user;
    struct gather_item *list;
    size_t count, capacity;
    struct catalog_node anchor; /* of the row before */
};

static int add_item(struct items *items, const struct catalog_node *node, const char *from)
{
    if (items->count == items->capacity) {
        size_t capacity = items->capacity > 0 ? 2 * items->capacity : 16;
        struct gather_item *longer = realloc(items->list, capacity * sizeof *longer);
        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "no memory for a folder");
        items->list = longer;
        items->capacity = capacity;
    }
    struct gather_item *item = &items->list[items->count++];
    *item = (struct gather_item){.id = node->id, .folder = node->kind == CATALOG_KIND_CASE};
    strcpy(item->name, node->name);
    strcpy(item->from, from);
    return 0;
}

/* The case or the folder of 待归案, and a link to it if it is a case. */
static int see_anchor(struct items *items, uint64_t id, bool link)
{
    struct catalog_node year;
    if (items->anchor.id == id)
        return 0;
    int status = catalog_get(items->door->catalog, id, &items->anchor);
    if (status < 0 || !link || items->anchor.kind != CATALOG_KIND_CASE ||
        place_visible(items->door, items->user, &items->anchor) < 0)
        return status;
    status = catalog_get(items->door->catalog, items->anchor.parent, &year);
    return status < 0 ? status : add_item(items, &items->anchor, year.name);
}

static int make_item(void *context, enum catalog_gathering by, const struct catalog_gathered *row)
{
    struct items *items = context;
    struct catalog_node target;
    char name[CATALOG_NAME_MAX + 1];
    bool day = by == CATALOG_GATHERED_BY_DAY;
    int status = get_target(items->door, items->user, row->node, &target);
    if (status == 0 && !day)
        status = catalog_subject_name(items->door->catalog, row->key, row->node, name);
    if (status < 0)
        return status == SR_ERR_NOT_FOUND || status == SR_ERR_DENIED ? 0 : status;
    if (row->of.anchor != 0 && (status = see_anchor(items, row->of.anchor, !day)) < 0)
        return status == SR_ERR_NOT_FOUND ? 0 : status;
    return add_item(items, &target, row->of.anchor != 0 ? items->anchor.name : "");
}

static int by_id(const void *a, const void *b)
{
    const struct gather_item *one = a, *other = b;
    return (one->id > other->id) - (one->id < other->id);
}

/* In the order of their ids, under the names that they have for this person. */
static int read_afresh(struct door *door, const struct catalog_user *user, uint64_t folder,
                       struct items *items)
{
    bool day = is_day(folder);
    size_t kept = 0;
    *items = (struct items){.door = door, .user = user};
    if (!may_look(door, user))
        return 0;
    struct walk *walk = walk_new(day, folder & LOW_BITS(day ? GATHER_DAY_BIT : GATHER_SUBJECT_BIT));
    int status = walk != NULL ? walk_rows(door, user, walk, make_item, items)
                              : sr_fail(SR_ERR_NO_MEMORY, "no memory for a folder");
    free(walk);
    if (items->count > 0)
        qsort(items->list, items->count, sizeof *items->list, by_id);
    for (size_t i = 0; i < items->count; i++) /* a case once */
        if (kept == 0 || items->list[kept - 1].id != items->list[i].id)
            items->list[kept++] = items->list[i];
    items->count = kept;
    return status < 0 ? status : gather_names(items->list, items->count);
}

/* --- kept for a moment: who lists a folder asks about each name in it --- */

#define KEPT_NS INT64_C(1000000000)
#define KEPT_MIN 16
#define KEPT_MAX 20000

static struct gather_memo memo_of(struct door *door, const struct catalog_user *user,
                                  uint64_t folder)
{
    return (struct gather_memo){.uid = user->uid,
                                .folder = folder,
                                .generation = atomic_load(&door->rules.generation),
                                .places = atomic_load(&door->rules.places),
                                .entries = ledger_size(door->ledger),
                                .until_ns = door->io->boottime_ns(door->io)};
}

static struct gather_item *copy_list(const struct gather_item *list, size_t count)
{
    struct gather_item *copy = malloc(count * sizeof *copy);
    if (copy != NULL)
        memcpy(copy, list, count * sizeof *copy);
    return copy;
}

static bool recall(struct door *door, const struct gather_memo *now, struct items *items)
{
    pthread_mutex_lock(&door->gather_lock);
    for (size_t i = 0; items->list == NULL && i < DOOR_GATHERED; i++) {
        const struct gather_memo *memo = &door->gathered[i];
        if (memo->count > 0 && memo->uid == now->uid && memo->folder == now->folder &&
            memo->generation == now->generation && memo->places == now->places &&
            memo->entries == now->entries && now->until_ns < memo->until_ns)
            items->list = copy_list(memo->list, items->count = memo->count);
    }
    pthread_mutex_unlock(&door->gather_lock);
    return items->list != NULL;
}

/* In the place of the oldest; without memory it is not kept. */
static void keep(struct door *door, const struct gather_memo *now, const struct items *items)
{
    struct gather_memo *memo = &door->gathered[0];
    if (items->count < KEPT_MIN || items->count > KEPT_MAX)
        return;
    pthread_mutex_lock(&door->gather_lock);
    for (size_t i = 1; i < DOOR_GATHERED; i++)
        if (door->gathered[i].until_ns < memo->until_ns)
            memo = &door->gathered[i];
    free(memo->list);
    *memo = *now;
    memo->until_ns += KEPT_NS;
    memo->list = copy_list(items->list, items->count);
    memo->count = memo->list != NULL ? items->count : 0;
    pthread_mutex_unlock(&door->gather_lock);
}

void gather_free(struct door *door)
{
    for (size_t i = 0; i < DOOR_GATHERED; i++)
        free(door->gathered[i].list);
    pthread_mutex_destroy(&door->gather_lock);
}

/* Free items->list. */
static int read_folder(struct door *door, const struct catalog_user *user, uint64_t folder,
                       struct items *items)
{
    const struct gather_memo now = memo_of(door, user, folder); /* before reading */
    *items = (struct items){.door = door, .user = user};
    if (recall(door, &now, items))
        return 0;
    int status = read_afresh(door, user, folder, items);
    if (status == 0)
        keep(door, &now, items);
    return status;
}

/* --- the questions --- */

static int find_link(struct door *door, const struct catalog_user *user, uint64_t folder,
                     const char *name, struct catalog_node *out)
{
    struct items items;
    int status = read_folder(door, user, folder, &items);
    bool found = false;
    for (size_t i = 0; status == 0 && !found && i < items.count; i++)
        if (strcmp(items.list[i].name, name) == 0) {
            found = true;
            status = make_link(door, user, items.list[i].id | GATHER_LINK_BIT, folder, name, out);
        }
    free(items.list);
    return status == 0 && !found ? not_there() : status;
}

int gather_find(struct door *door, const struct catalog_user *user, uint64_t parent,
                const char *name, struct catalog_node *out)
{
    uint64_t key;
    int32_t day;
    int status;
    if (is_subject(parent) || is_day(parent))
        return find_link(door, user, parent, name, out);
    if (parent == CATALOG_BY_DAY)
        return sr_day_parse(name, &day) ? get_folder(door, user, parent, (uint64_t)day, out)
                                        : not_there();
    if ((status = catalog_subject_key(name, &key)) < 0)
        return status;
    return get_folder(door, user, parent, key, out);
}

int gather_get(struct door *door, const struct catalog_user *user, uint64_t node,
               struct catalog_node *out)
{
    if (gather_is_link(node))
        return make_link(door, user, node, 0, "", out);
    if (is_day(node))
        return get_folder(door, user, CATALOG_BY_DAY, node & LOW_BITS(GATHER_DAY_BIT), out);
    return get_folder(door, user, CATALOG_BY_SUBJECT, node & LOW_BITS(GATHER_SUBJECT_BIT), out);
}

int gather_list(struct door *door, const struct catalog_user *user, uint64_t folder, uint64_t after,
                catalog_node_fn *fn, void *context)
{
    struct catalog_node link;
    struct items items;
    if (folder == CATALOG_BY_DAY)
        return each_folder(door, user, folder, after & LOW_BITS(GATHER_DAY_BIT), false, fn,
                           context);
    if (folder == CATALOG_BY_SUBJECT)
        return each_folder(door, user, folder, after & LOW_BITS(GATHER_SUBJECT_BIT), false, fn,
                           context);
    int status = read_folder(door, user, folder, &items);
    for (size_t i = 0; status == 0 && i < items.count; i++) {
        uint64_t id = items.list[i].id | GATHER_LINK_BIT;
        if (id <= after)
            continue;
        status = make_link(door, user, id, folder, items.list[i].name, &link);
        status = status == SR_ERR_NOT_FOUND ? 0 : status == 0 ? fn(context, &link) : status;
    }
    free(items.list);
    return status;
}

int gather_refuse(struct door *door, const struct door_actor *actor, const char *op, uint64_t node,
                  const char *name)
{
    uint64_t root = node == CATALOG_BY_DAY || is_day(node) ? CATALOG_BY_DAY : CATALOG_BY_SUBJECT;
    return door_refused(door, actor, op, "gathered", root, name,
                        sr_fail(SR_ERR_SEALED, "按对象 and 按日期 are the store's own"));
}
