/* Export of a case for retention: what may leave, and the two acts that say so. What is made of it is the tool's
 * (tools/bundle.h). */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/export_internal.h"

#define VIEW_HOURS DOOR_VIEW_HOURS_MAX
#define DENIED_SHOWN 3

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "no memory for an export");
}

static bool put(json_t *out, const char *key, json_t *value)
{
    return json_object_set_new(out, key, value) == 0;
}

/* --- which records --- */

static void tell_denied(struct leaving *l, uint64_t node)
{
    char *path = NULL;
    if (l->denied++ < DENIED_SHOWN && door_path_for(l->door, &l->user, node, &path) == 0)
        sr_buf_format(&l->denied_paths, "%s%s", l->denied > 1 ? "、" : "", path);
    free(path);
}

static int add_leaving(struct leaving *l, const struct catalog_node *node)
{
    char object[2 * VAULT_OBJECT_ID_LEN + 1], id[24];
    vault_object_id_text(&node->version.object, object);
    snprintf(id, sizeof id, "%llu", (unsigned long long)node->id);
    if (!put(l->leaving, object, json_true()) || !put(l->leaving, id, json_true()))
        return no_memory();
    return nodes_add(&l->records, node);
}

/* node: as it was. Those that the actor must not know of are not told, and not counted. */
static int consider(struct leaving *l, const struct catalog_node *node)
{
    struct catalog_node now;
    int status = catalog_get(l->door->catalog, node->id, &now);
    if (status == SR_ERR_NOT_FOUND || node->draft || node->junk)
        return 0;
    if (status < 0)
        return status;
    status = place_visible(l->door, &l->user, &now);
    if (status < 0)
        return status == SR_ERR_NOT_FOUND || status == SR_ERR_DENIED ? 0 : status;
    if (node->version.state == CATALOG_STAGING) {
        l->unsealed++;
        return 0;
    }
    if (!door_allows_for(l->door, &l->user, ACT_EXPORT, &now, l->ask->purpose) ||
        !door_allows_for(l->door, &l->user, ACT_READ, &now, l->ask->purpose)) {
        if (l->ask->leave_out) {
            l->left_out++;
            return 0;
        }
        l->purpose_would_do |=
            l->ask->purpose == NULL && door_allows_for(l->door, &l->user, ACT_EXPORT, &now, "-");
        tell_denied(l, node->id);
        return 0;
    }
    if (!door_allows(l->door, &l->user, ACT_EXPORT, &now))
        l->restricted = true;
    if (now.level > l->level)
        l->level = now.level;
    l->bytes += node->version.size;
    return add_leaving(l, node);
}

/* Every record of the case as it was, in the order of their nodes within each folder. */
static int gather(struct leaving *l)
{
    struct nodes open = {.count = 0};
    struct catalog_node root;
    int status = catalog_get(l->past.catalog, l->in_case.id, &root);
    if (status == 0)
        status = nodes_add(&open, &root);
    for (size_t i = 0; status == 0 && i < open.count; i++) {
        struct nodes inside = {.count = 0};
        status = catalog_children(l->past.catalog, open.items[i].id, 0, nodes_add, &inside);
        for (size_t k = 0; status == 0 && k < inside.count; k++) {
            const struct catalog_node *node = &inside.items[k];
            if (node->kind == CATALOG_KIND_RECORD)
                status = consider(l, node);
            else if (node->kind == CATALOG_KIND_STAGE || node->kind == CATALOG_KIND_FOLDER)
                status = nodes_add(&open, node);
        }
        nodes_free(&inside);
    }
    nodes_free(&open);
    return status;
}

/* --- the acts --- */

/* Durable when it returns. Takes over fields (NULL: out of memory). */
static int append_act(struct door *door, const struct door_actor *actor, const char *act,
                      json_t *fields, uint64_t *index)
{
    struct door_actor who = door_who(door, actor);
    json_t *entry = NULL;
    int status = fields != NULL ? door_entry(door, &who, act, &entry) : no_memory();
    if (status == 0 && json_object_update(entry, fields) != 0) {
        json_decref(entry);
        status = no_memory();
    }
    json_decref(fields);
    if (status < 0)
        return status;
    pthread_mutex_lock(&door->lock);
    status = door_act(door, entry, NULL, index);
    pthread_mutex_unlock(&door->lock);
    return status < 0 ? status : ledger_commit(door->ledger, *index);
}

static int append_begin(struct leaving *l, uint64_t *index)
{
    const char *purpose = l->ask->purpose != NULL ? l->ask->purpose : "";
    json_t *fields =
        json_pack("{s:o, s:o, s:s, s:I, s:o, s:I, s:s}", "node", sr_json_u64_text(l->in_case.id),
                  "as_of", sr_json_u64_text(l->past.as_of), "format", l->ask->format, "records",
                  (json_int_t)l->records.count, "bytes", sr_json_u64_text(l->bytes), "left_out",
                  (json_int_t)l->left_out, "purpose", purpose);
    return append_act(l->door, l->actor, "export.begin", fields, index);
}

static int refuse_denied(struct leaving *l)
{
    const char *more = l->denied > DENIED_SHOWN ? "等" : "";
    int code =
        l->purpose_would_do
            ? sr_fail(SR_ERR_DENIED, "%s%s共 %llu 件受限，须说明事由才能导出：--purpose",
                      l->denied_paths.data, more, (unsigned long long)l->denied)
            : sr_fail(SR_ERR_DENIED,
                      "%s 不能导出 %s%s共 %llu 件；--leave-out 导出其余的，并在包中写明",
                      l->user.account, l->denied_paths.data, more, (unsigned long long)l->denied);
    return door_refused(l->door, l->actor, "export", l->purpose_would_do ? "purpose" : "denied",
                        l->in_case.id, NULL, code);
}

static int decide(struct leaving *l, door_progress_fn *progress, void *progress_context)
{
    struct door *door = l->door;
    int status = door_user(door, l->actor, &l->user);
    if (status < 0)
        return door_stranger(door, l->actor, "export", status);
    if ((status = door_getattr(door, l->actor, l->ask->node, &l->in_case)) < 0)
        return status;
    if (l->in_case.kind != CATALOG_KIND_CASE)
        return sr_fail(SR_ERR_INVALID, "%s is no case", l->in_case.name);
    if (!door_allows_for(door, &l->user, ACT_EXPORT, &l->in_case,
                         l->ask->purpose != NULL ? l->ask->purpose : "-"))
        return door_refused(door, l->actor, "export", "denied", l->in_case.id, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not export this case", l->user.account));
    if ((status = door_ready(door)) < 0 ||
        (status = past_open(door, l->in_case.id, l->ask->as_of, progress, progress_context,
                            &l->past)) < 0 ||
        (status = gather(l)) < 0 || (status = export_numbers(l)) < 0)
        return status;
    if (l->denied > 0)
        return refuse_denied(l);
    if (l->level > CATALOG_CONFIDENTIAL)
        return door_refused(
            door, l->actor, "export", "denied", l->in_case.id, NULL,
            sr_fail(SR_ERR_UNSUPPORTED, "机密、绝密的材料须两人批准才能导出，现在还不能导出"));
    if (l->level >= CATALOG_CONFIDENTIAL && !l->ask->encrypted)
        return door_refused(
            door, l->actor, "export", "denied", l->in_case.id, NULL,
            sr_fail(SR_ERR_DENIED, "秘密的材料须加密导出：--recipient 收件人证书.pem"));
    if (l->records.count == 0)
        return sr_fail(SR_ERR_NOT_FOUND, "there is no sealed record to export in %s",
                       l->in_case.name);
    return ledger_checkpoint_over(door->ledger, l->past.as_of, &l->checkpoint_size, &l->checkpoint);
}

/* The readings that follow need the purpose, too. */
static int state_purpose(struct leaving *l)
{
    struct catalog_grant grant;
    return l->restricted
               ? door_view(l->door, l->actor, l->in_case.id, l->ask->purpose, VIEW_HOURS, &grant)
               : 0;
}

int door_export_begin(struct door *door, const struct door_actor *actor,
                      const struct door_export *ask, door_progress_fn *progress,
                      void *progress_context, door_item_fn *fn, void *context, uint64_t *index)
{
    struct leaving l = {.door = door,
                        .actor = actor,
                        .ask = ask,
                        .fn = fn,
                        .context = context,
                        .leaving = json_object(),
                        .numbers = json_object()};
    struct sr_error_copy why;
    *index = 0;
    int status = l.leaving == NULL || l.numbers == NULL ? no_memory()
                                                        : decide(&l, progress, progress_context);
    if (status == 0 && (status = append_begin(&l, index)) == 0)
        status = state_purpose(&l);
    if (status == 0)
        status = export_give_case(&l);
    for (size_t i = 0; status == 0 && i < l.records.count; i++)
        status = export_give_record(&l, &l.records.items[i]);
    if (status == 0)
        status = export_give_acts(&l);
    sr_error_save(&why, status);
    past_close(&l.past);
    json_decref(l.leaving);
    json_decref(l.numbers);
    nodes_free(&l.records);
    sr_buf_free(&l.checkpoint);
    sr_buf_free(&l.denied_paths);
    return status < 0 ? sr_error_raise(&why) : status;
}

/* The act that began it, by the same person. */
static int find_begin(struct door *door, const struct door_actor *actor, uint64_t begin,
                      json_t **out)
{
    uint8_t *data = NULL;
    size_t len;
    const char *act = "";
    int status = ledger_read(door->ledger, begin, &data, &len);
    *out = NULL;
    if (status == 0)
        status = sr_json_parse(data, len, out);
    free(data);
    if (status < 0)
        return status;
    if (sr_json_get_text(*out, "act", &act) < 0 || strcmp(act, "export.begin") != 0 ||
        json_integer_value(json_object_get(*out, "uid")) != (json_int_t)actor->uid) {
        json_decref(*out);
        *out = NULL;
        return sr_fail(SR_ERR_NOT_FOUND, "entry %llu is no export of yours",
                       (unsigned long long)begin);
    }
    return 0;
}

int door_export_end(struct door *door, const struct door_actor *actor, uint64_t begin,
                    const char *sha256, uint64_t *index)
{
    struct catalog_user user;
    json_t *began;
    *index = 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "export", status);
    if (strlen(sha256) != 2 * SR_SHA256_LEN ||
        strspn(sha256, "0123456789abcdef") != 2 * SR_SHA256_LEN)
        return sr_fail(SR_ERR_INVALID, "sha256 is not 64 hexadecimal digits");
    if ((status = door_ready(door)) < 0 || (status = find_begin(door, actor, begin, &began)) < 0)
        return status;
    json_t *fields = json_pack("{s:O, s:o, s:s}", "node", json_object_get(began, "node"), "begin",
                               sr_json_u64_text(begin), "sha256", sha256);
    json_decref(began);
    return append_act(door, actor, "export.end", fields, index);
}

/* --- discs --- */

struct end_search {
    const char *sha256;
    uint64_t case_node, found; /* UINT64_MAX: none */
};

static int look_for_end(void *context, uint64_t index, const uint8_t *data, size_t len)
{
    static const char mark[] = "{\"act\":\"export.end\"";
    struct end_search *search = context;
    json_t *entry;
    const char *sha256;
    uint64_t node;
    if (len < sizeof mark || memcmp(data, mark, sizeof mark - 1) != 0)
        return 0;
    int status = sr_json_parse(data, len, &entry);
    if (status < 0)
        return status;
    if (sr_json_get_text(entry, "sha256", &sha256) == 0 &&
        sr_json_get_u64(entry, "node", &node) == 0 && node == search->case_node &&
        strcmp(sha256, search->sha256) == 0)
        search->found = index;
    json_decref(entry);
    return 0;
}

int door_disc_verify(struct door *door, const struct door_actor *actor, uint64_t case_node,
                     const char *sha256, bool good, const char *detail, uint64_t *index)
{
    struct end_search search = {.sha256 = sha256, .case_node = case_node, .found = UINT64_MAX};
    struct catalog_user user;
    struct catalog_node in_case;
    *index = 0;
    int status = door_user(door, actor, &user);
    if (status < 0)
        return door_stranger(door, actor, "disc.verify", status);
    if ((status = door_getattr(door, actor, case_node, &in_case)) < 0)
        return status;
    if (!door_allows_for(door, &user, ACT_EXPORT, &in_case, "-"))
        return door_refused(door, actor, "disc.verify", "denied", case_node, NULL,
                            sr_fail(SR_ERR_DENIED, "%s may not export this case", user.account));
    if ((status = door_ready(door)) < 0 ||
        (status = ledger_each(door->ledger, 0, ledger_committed(door->ledger), look_for_end,
                              &search)) < 0)
        return status;
    if (search.found == UINT64_MAX)
        return sr_fail(SR_ERR_NOT_FOUND, "what is on this disc was not exported from %s",
                       in_case.name);
    return append_act(door, actor, "disc.verify",
                      json_pack("{s:o, s:o, s:b, s:s}", "node", sr_json_u64_text(case_node), "end",
                                sr_json_u64_text(search.found), "good", good, "detail", detail),
                      index);
}
