#include "casework/mine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "casework/gather.h"
#include "casework/nodes.h"

/* The cases of user that they may know of. nodes_free() them. */
static int own_cases(struct door *door, const struct catalog_user *user, struct nodes *out)
{
    size_t kept = 0;
    *out = (struct nodes){.count = 0};
    int status = catalog_cases_of(door->catalog, user->uid, nodes_add, out);
    for (size_t i = 0; status == 0 && i < out->count; i++)
        if (place_visible(door, user, &out->items[i]) == 0)
            out->items[kept++] = out->items[i];
    out->count = kept;
    return status;
}

static int year_name(struct door *door, const struct catalog_node *in, char out[12])
{
    struct catalog_node year;
    int status = catalog_get(door->catalog, in->parent, &year);
    snprintf(out, 12, "%.11s", status == 0 ? year.name : "");
    return status;
}

static bool is_one_of_several(const struct nodes *cases, const struct catalog_node *in)
{
    for (size_t i = 0; i < cases->count; i++)
        if (cases->items[i].id != in->id && strcmp(cases->items[i].name, in->name) == 0)
            return true;
    return false;
}

/* The link to one of cases. */
static int make_link(struct door *door, const struct nodes *cases, const struct catalog_node *in,
                     struct catalog_node *out)
{
    char year[12], tail[32] = "";
    int status = year_name(door, in, year);
    if (status < 0)
        return status;
    size_t len = strlen(in->name);
    if (is_one_of_several(cases, in)) {
        size_t more = (size_t)snprintf(tail, sizeof tail, "（%s）", year);
        while (len + more > CATALOG_NAME_MAX || ((uint8_t)in->name[len] & 0xc0) == 0x80)
            len--; /* not in the middle of a character */
    }
    *out = (struct catalog_node){.id = in->id | MINE_LINK_BIT,
                                 .parent = CATALOG_MINE,
                                 .kind = CATALOG_KIND_LINK,
                                 .uid = in->uid,
                                 .created_ns = in->created_ns,
                                 .changed_ns = in->changed_ns,
                                 .moved_to = in->id};
    memcpy(out->name, in->name, len);
    strcpy(out->name + len, tail);
    out->version.mtime_ns = in->changed_ns;
    out->version.size = strlen("..//") + strlen(year) + strlen(in->name);
    return 0;
}

bool mine_is_link(uint64_t node)
{
    return (node & MINE_LINK_BIT) != 0 && (node & ~MINE_LINK_BIT) > CATALOG_FIXED_LAST;
}

/* Calls fn for each link until it returns other than 0, which is returned. */
static int each_link(struct door *door, const struct catalog_user *user, catalog_node_fn *fn,
                     void *context)
{
    struct nodes cases;
    struct catalog_node link;
    int status = own_cases(door, user, &cases);
    for (size_t i = 0; status == 0 && i < cases.count; i++)
        if ((status = make_link(door, &cases, &cases.items[i], &link)) == 0)
            status = fn(context, &link);
    nodes_free(&cases);
    return status;
}

struct wanted {
    const char *name; /* or by id */
    uint64_t id;
    struct catalog_node *out;
};

static int is_wanted(void *context, const struct catalog_node *link)
{
    struct wanted *wanted = context;
    if (wanted->name != NULL ? strcmp(wanted->name, link->name) != 0 : wanted->id != link->id)
        return 0;
    *wanted->out = *link;
    return 1;
}

static int find(struct door *door, const struct catalog_user *user, struct wanted *wanted)
{
    int status = each_link(door, user, is_wanted, wanted);
    if (status == 0)
        status = sr_fail(SR_ERR_NOT_FOUND, "that is no case of %s", user->account);
    return status > 0 ? 0 : status;
}

int mine_find(struct door *door, const struct catalog_user *user, const char *name,
              struct catalog_node *out)
{
    struct wanted wanted = {.name = name, .out = out};
    return find(door, user, &wanted);
}

int mine_get(struct door *door, const struct catalog_user *user, uint64_t link,
             struct catalog_node *out)
{
    struct wanted wanted = {.id = link, .out = out};
    return find(door, user, &wanted);
}

struct rest {
    uint64_t after;
    catalog_node_fn *fn;
    void *context;
};

static int pass_rest(void *context, const struct catalog_node *link)
{
    struct rest *rest = context;
    return link->id > rest->after ? rest->fn(rest->context, link) : 0;
}

int mine_list(struct door *door, const struct catalog_user *user, uint64_t after,
              catalog_node_fn *fn, void *context)
{
    struct rest rest = {.after = after, .fn = fn, .context = context};
    return each_link(door, user, pass_rest, &rest);
}

int door_readlink(struct door *door, const struct door_actor *actor, uint64_t node,
                  struct sr_buf *out)
{
    struct catalog_node link, in;
    struct catalog_user user;
    char year[12];
    if (gather_is_link(node)) {
        int found = door_user(door, actor, &user);
        return found < 0 ? door_stranger(door, actor, "readlink", found)
                         : gather_target(door, &user, node, out);
    }
    if (!mine_is_link(node))
        return sr_fail(SR_ERR_INVALID, "it is no link");
    int status = door_getattr(door, actor, node, &link);
    if (status < 0 || (status = catalog_get(door->catalog, node & ~MINE_LINK_BIT, &in)) < 0 ||
        (status = year_name(door, &in, year)) < 0)
        return status;
    sr_buf_format(out, "../%s/%s", year, in.name);
    return out->failed ? sr_fail(SR_ERR_NO_MEMORY, "no memory for a link") : 0;
}

int door_my_cases(struct door *door, const struct door_actor *actor, catalog_node_fn *fn,
                  void *context)
{
    struct catalog_user user;
    struct nodes cases;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "readdir", status);
    status = own_cases(door, &user, &cases);
    for (size_t i = 0; status == 0 && i < cases.count; i++)
        status = fn(context, &cases.items[i]);
    nodes_free(&cases);
    return status;
}
