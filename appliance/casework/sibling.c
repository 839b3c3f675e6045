#include "casework/sibling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "casework/nodes.h"

#define MARK "〔同名"
#define MARK_END "〕"
#define EXTENSION_MAX 16 /* bytes; what is longer belongs to the stem */

/* Those of one instance. */
struct instances {
    struct nodes nodes;
    uint32_t instance;
};

static int add_instance(void *context, const struct catalog_node *node)
{
    struct instances *list = context;
    return node->instance == list->instance ? nodes_add(&list->nodes, node) : 0;
}

/* The first that user may know of: by instance, stubs last. */
static int first_visible(struct door *door, const struct catalog_user *user, uint64_t parent,
                         const char *name, struct catalog_node *out)
{
    struct nodes list = {.count = 0};
    int status = catalog_named(door->catalog, parent, name, nodes_add, &list);
    bool found = false;
    for (int stubs = 0; status == 0 && !found && stubs < 2; stubs++)
        for (size_t i = 0; !found && i < list.count; i++)
            if ((list.items[i].kind == CATALOG_KIND_STUB) == (stubs == 1) &&
                place_visible(door, user, &list.items[i]) == 0) {
                *out = list.items[i];
                found = true;
            }
    nodes_free(&list);
    if (status == 0 && !found)
        status = sr_fail(SR_ERR_NOT_FOUND, "there is no such record");
    return status;
}

/* --- the form --- */

static const char *extension_of(const char *name)
{
    const char *dot = strrchr(name, '.'), *end = name + strlen(name);
    return dot == NULL || dot == name || end - dot > EXTENSION_MAX ? end : dot;
}

static void decorate(const char *name, uint32_t instance, char out[CATALOG_NAME_MAX + 1])
{
    char tail[64];
    const char *extension = extension_of(name);
    size_t stem = (size_t)(extension - name);
    size_t len = (size_t)snprintf(tail, sizeof tail, MARK "%llu" MARK_END "%.*s",
                                  (unsigned long long)instance + 1, EXTENSION_MAX, extension);
    if (stem + len > CATALOG_NAME_MAX) {
        stem = CATALOG_NAME_MAX - len;
        while (stem > 0 && ((uint8_t)name[stem] & 0xc0) == 0x80)
            stem--; /* not in the middle of a character */
    }
    memcpy(out, name, stem);
    memcpy(out + stem, tail, len + 1);
}

/* Takes the mark out of a name. False when it is not of the form. */
static bool parse(const char *name, char plain[CATALOG_NAME_MAX + 1], uint32_t *instance)
{
    const char *mark = NULL, *at = name;
    char digits[12];
    uint64_t number;
    while ((at = strstr(at, MARK)) != NULL)
        mark = at++;
    if (mark == NULL || mark == name || strlen(name) > CATALOG_NAME_MAX)
        return false;
    const char *from = mark + strlen(MARK), *end = from + strspn(from, "0123456789");
    size_t len = (size_t)(end - from);
    if (len == 0 || len >= sizeof digits || from[0] == '0' ||
        strncmp(end, MARK_END, strlen(MARK_END)) != 0)
        return false;
    const char *extension = end + strlen(MARK_END);
    memcpy(digits, from, len);
    digits[len] = '\0';
    if ((extension[0] != '\0' && extension != extension_of(name)) ||
        sr_parse_u64(digits, &number) != 0 || number > UINT32_MAX)
        return false;
    snprintf(plain, CATALOG_NAME_MAX + 1, "%.*s%s", (int)(mark - name), name, extension);
    *instance = (uint32_t)number - 1;
    return true;
}

bool sibling_is_reserved(const char *name)
{
    char plain[CATALOG_NAME_MAX + 1];
    uint32_t instance;
    return parse(name, plain, &instance);
}

/* --- resolution --- */

int sibling_name(struct door *door, const struct catalog_user *user,
                 const struct catalog_node *node, char out[CATALOG_NAME_MAX + 1])
{
    struct catalog_node first;
    if (node->instance == 0 && node->kind != CATALOG_KIND_STUB) {
        strcpy(out, node->name);
        return 0;
    }
    int status = first_visible(door, user, node->parent, node->name, &first);
    if (status < 0)
        return status;
    if (first.id == node->id)
        strcpy(out, node->name);
    else
        decorate(node->name, node->instance, out);
    return 0;
}

/* Among those of list the one that user is shown under that name. */
static int find_shown(struct door *door, const struct catalog_user *user, const char *name,
                      const struct nodes *list, struct catalog_node *out)
{
    char shown[CATALOG_NAME_MAX + 1];
    for (size_t i = 0; i < list->count; i++) {
        const struct catalog_node *node = &list->items[i];
        if (place_visible(door, user, node) < 0)
            continue;
        int status = sibling_name(door, user, node, shown);
        if (status < 0)
            return status;
        if (strcmp(shown, name) == 0) {
            *out = *node;
            return 0;
        }
    }
    return sr_fail(SR_ERR_NOT_FOUND, "there is no such record");
}

static int find_decorated(struct door *door, const struct catalog_user *user, uint64_t parent,
                          const char *name, struct catalog_node *out)
{
    char plain[CATALOG_NAME_MAX + 1];
    struct instances list = {.instance = 0};
    if (!parse(name, plain, &list.instance))
        return sr_fail(SR_ERR_NOT_FOUND, "there is no such record");
    /* One that is as long as names can be may have lost a part of its stem. */
    int status = strlen(name) + strlen(MARK) > CATALOG_NAME_MAX
                     ? catalog_children(door->catalog, parent, 0, add_instance, &list)
                     : catalog_named(door->catalog, parent, plain, add_instance, &list);
    if (status == 0)
        status = find_shown(door, user, name, &list.nodes, out);
    nodes_free(&list.nodes);
    return status;
}

int sibling_find(struct door *door, const struct catalog_user *user, uint64_t parent,
                 const char *name, struct catalog_node *out)
{
    int status = catalog_lookup(door->catalog, parent, name, out);
    if (status == 0) {
        status = place_visible(door, user, out);
        if (status == SR_ERR_NOT_FOUND)
            status = first_visible(door, user, parent, name, out);
    }
    return status == SR_ERR_NOT_FOUND ? find_decorated(door, user, parent, name, out) : status;
}

int sibling_twin(struct door *door, const struct catalog_user *user, uint64_t parent,
                 const char *name, uint64_t except)
{
    struct nodes list = {.count = 0};
    int status = catalog_twins(door->catalog, parent, name, nodes_add, &list);
    bool found = false;
    for (size_t i = 0; status == 0 && !found && i < list.count; i++)
        found = list.items[i].id != except &&
                (user == NULL || place_visible(door, user, &list.items[i]) == 0);
    nodes_free(&list);
    if (status == 0 && !found)
        status = sr_fail(SR_ERR_NOT_FOUND, "there is no such record");
    return status;
}
