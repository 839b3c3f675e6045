/* What people see: lookup, attributes, listings, paths. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "casework/door_internal.h"
#include "casework/gather.h"
#include "casework/mine.h"
#include "casework/passwords.h"
#include "casework/sibling.h"

/* What the actor sees of a node they may see: their name for it, live size, the exact size of texts. */
static int complete_view(struct door *door, const struct door_actor *actor,
                         const struct catalog_user *user, struct catalog_node *node)
{
    char name[CATALOG_NAME_MAX + 1];
    if (sibling_name(door, user, node, name) == 0) /* else it goes just now */
        strcpy(node->name, name);
    if (node->kind == CATALOG_KIND_RECORD) {
        pthread_mutex_lock(&door->lock);
        live_overlay(door, node);
        pthread_mutex_unlock(&door->lock);
        return 0;
    }
    int status = notice_size(door, actor, node, &node->version.size);
    if (status == 0) {
        node->version.mtime_ns =
            node->kind == CATALOG_KIND_STUB ? node->created_ns : door->io->now_ns(door->io);
        node->changed_ns = node->version.mtime_ns;
    }
    return status == SR_ERR_NOT_FOUND ? 0 : status;
}

/* Whoever comes: the first that is asked about each. */
static int visitor(struct door *door, const struct door_actor *actor, struct catalog_user *user)
{
    int status = door_user(door, actor, user);
    if (status == 0)
        passwords_look(door, user);
    return status;
}

int door_lookup(struct door *door, const struct door_actor *actor, uint64_t parent,
                const char *name, struct catalog_node *out)
{
    struct catalog_user user;
    int status = visitor(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "lookup", status);
    if (parent == CATALOG_UNFILED && strcmp(name, user.account) == 0 &&
        (status = place_ensure_unfiled(door, actor, &user)) < 0)
        return status;
    if (parent == CATALOG_MINE)
        return mine_find(door, &user, name, out);
    if (gather_is_folder(parent))
        return gather_find(door, &user, parent, name, out);
    if ((status = sibling_find(door, &user, parent, name, out)) < 0)
        return status;
    return complete_view(door, actor, &user, out);
}

int door_getattr(struct door *door, const struct door_actor *actor, uint64_t node,
                 struct catalog_node *out)
{
    struct catalog_user user;
    int status = visitor(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "getattr", status);
    if (mine_is_link(node))
        return mine_get(door, &user, node, out);
    if (gather_is_link(node) || (gather_is_folder(node) && node > CATALOG_FIXED_LAST))
        return gather_get(door, &user, node, out);
    if ((status = catalog_get(door->catalog, node, out)) < 0 ||
        (status = place_visible(door, &user, out)) < 0)
        return status;
    return complete_view(door, actor, &user, out);
}

struct listing {
    struct catalog_node *items;
    size_t count, capacity;
};
#define LISTING_CHUNK \
    512 /* nodes are copied, so that fn may call the door and the door's lock is not held */

static int collect_child(void *context, const struct catalog_node *node)
{
    struct listing *listing = context;
    if (listing->count == listing->capacity)
        return 1;
    listing->items[listing->count++] = *node;
    return 0;
}

/* A record that was filed away and back again stands before its own stub. */
static bool is_hidden_stub(struct door *door, const struct catalog_node *node)
{
    struct catalog_node record;
    return node->kind == CATALOG_KIND_STUB &&
           catalog_get(door->catalog, node->moved_to, &record) == 0 &&
           record.parent == node->parent && strcmp(record.name, node->name) == 0;
}

static int list_folder(struct door *door, const struct door_actor *actor,
                       const struct catalog_user *user, uint64_t node, uint64_t after,
                       catalog_node_fn *fn, void *context)
{
    struct listing listing = {.capacity = LISTING_CHUNK};
    int status;
    listing.items = malloc(LISTING_CHUNK * sizeof *listing.items);
    if (listing.items == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "no memory to list a folder");
    do {
        listing.count = 0;
        status = catalog_children(door->catalog, node, after, collect_child, &listing);
        bool more = status == 1;
        if (more)
            status = 0;
        for (size_t i = 0; status == 0 && i < listing.count; i++) {
            struct catalog_node *child = &listing.items[i];
            after = child->id;
            if (place_visible(door, user, child) < 0 || is_hidden_stub(door, child))
                continue;
            if ((child->kind == CATALOG_KIND_RECORD || child->kind == CATALOG_KIND_FOLDER ||
                 child->kind == CATALOG_KIND_STUB) &&
                (status = complete_view(door, actor, user, child)) < 0)
                break;
            status = fn(context, child);
        }
        if (!more)
            break;
    } while (status == 0);
    free(listing.items);
    return status;
}

int door_readdir(struct door *door, const struct door_actor *actor, uint64_t node_id,
                 uint64_t after, catalog_node_fn *fn, void *context)
{
    struct catalog_user user;
    struct catalog_node node;
    int status = visitor(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "readdir", status);
    if (mine_is_link(node_id) || gather_is_link(node_id))
        return sr_fail(SR_ERR_NOT_DIRECTORY, "it is a link");
    if (gather_is_folder(node_id) && node_id > CATALOG_FIXED_LAST)
        return gather_list(door, &user, node_id, after, fn, context);
    if ((status = catalog_get(door->catalog, node_id, &node)) < 0 ||
        (status = place_visible(door, &user, &node)) < 0)
        return status;
    if (node_id == CATALOG_MINE)
        return mine_list(door, &user, after, fn, context);
    if (gather_is_folder(node_id))
        return gather_list(door, &user, node_id, after, fn, context);
    if (node.kind == CATALOG_KIND_RECORD || node.kind == CATALOG_KIND_STUB ||
        node.kind == CATALOG_KIND_VIRTUAL)
        return sr_fail(SR_ERR_NOT_DIRECTORY, "it is not a folder");
    bool holds_records = place_takes_records(&node) || node.kind == CATALOG_KIND_UNFILED_ROOT ||
                         node.kind == CATALOG_KIND_UNFILED_USER;
    if (holds_records && !door_allows(door, &user, ACT_LIST, &node))
        return door_refused(door, actor, "readdir", "denied", node_id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not list records", user.account));
    if (after == 0 && (node_id == CATALOG_UNFILED || node.kind == CATALOG_KIND_UNFILED_USER) &&
        (node_id == CATALOG_UNFILED || node.uid == user.uid) &&
        (status = place_ensure_unfiled(door, actor, &user)) < 0)
        return status;
    return list_folder(door, actor, &user, node_id, after, fn, context);
}

int door_resolve(struct door *door, const struct door_actor *actor, const char *path,
                 struct catalog_node *out)
{
    char name[CATALOG_NAME_MAX + 1];
    int status = door_getattr(door, actor, CATALOG_ROOT, out);
    while (status == 0 && *path != '\0') {
        size_t len = strcspn(path, "/");
        if (len > CATALOG_NAME_MAX)
            return sr_fail(SR_ERR_NOT_FOUND, "there is no such path");
        if (len > 0) {
            memcpy(name, path, len);
            name[len] = '\0';
            status = door_lookup(door, actor, out->id, name, out);
            if (status == SR_ERR_NOT_FOUND)
                return sr_fail(SR_ERR_NOT_FOUND, "there is no \"%s\" in that path", name);
            if (status == 0 && out->kind == CATALOG_KIND_LINK) /* the case or record itself */
                status = door_getattr(door, actor, out->moved_to, out);
        }
        path += len + (path[len] == '/');
    }
    return status;
}

int door_path_for(struct door *door, const struct catalog_user *user, uint64_t node_id, char **out)
{
    char name[CATALOG_NAME_MAX + 1];
    struct catalog_node node = {.parent = node_id};
    struct sr_buf path = {0};
    bool plain;
    int status = catalog_path(door->catalog, node_id, out, &plain);
    if (status < 0 || plain)
        return status;
    free(*out);
    *out = NULL;
    do {
        struct sr_buf longer = {0};
        if ((status = catalog_get(door->catalog, node.parent, &node)) < 0 ||
            (status = node.id != CATALOG_ROOT ? sibling_name(door, user, &node, name) : 0) < 0)
            break;
        if (node.id != CATALOG_ROOT || path.len == 0)
            sr_buf_format(&longer, "/%s", node.id != CATALOG_ROOT ? name : "");
        sr_buf_append(&longer, path.data, path.len);
        longer.failed |= path.failed;
        sr_buf_free(&path);
        path = longer;
    } while (node.id != CATALOG_ROOT && node.parent != 0);
    if (status == 0 && path.failed)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a path");
    if (status < 0) {
        sr_buf_free(&path);
        return status;
    }
    *out = path.data; /* sr_buf's storage is malloc's */
    return 0;
}

int door_path(struct door *door, const struct door_actor *actor, uint64_t node, char **out)
{
    struct catalog_user user;
    int status = door_user(door, actor, &user);
    *out = NULL;
    return status < 0 ? status : door_path_for(door, &user, node, out);
}
