/* What was found in records, asked for; and looking again. */
#include "base/error.h"
#include "base/json.h"
#include "casework/door_internal.h"
#include "catalog/described.h"

int door_reindex(struct door *door, const struct door_actor *actor, uint64_t node_or_0)
{
    struct catalog_node node = {.version = {.create_index = 0}};
    int status = node_or_0 != 0 ? door_may(door, actor, "read") : door_may(door, actor, "verify");
    if (status == 0 && node_or_0 != 0)
        status = door_getattr(door, actor, node_or_0, &node);
    if (status < 0)
        return status;
    if (node_or_0 != 0 &&
        (node.kind != CATALOG_KIND_RECORD || node.version.state == CATALOG_STAGING))
        return sr_fail(SR_ERR_INVALID, "only a sealed record can be looked into");
    status = catalog_describe_again(door->catalog, node.version.create_index);
    describer_wake(door->describer);
    return status;
}

/* May the actor read it? A description says what is in it. */
static int may_read(struct door *door, const struct door_actor *actor,
                    const struct catalog_node *node)
{
    struct reading_right right;
    struct catalog_user user;
    const char *reason;
    int status = door_user(door, actor, &user);
    if (status == 0)
        status = reading_decide(door, &user, node, &right, &reason);
    return status == SR_ERR_DENIED
               ? door_refused(door, actor, "read", reason, node->id, NULL, status)
               : status;
}

int door_description(struct door *door, const struct door_actor *actor, uint64_t node_id,
                     json_t **out)
{
    struct catalog_description found;
    struct catalog_node node;
    *out = NULL;
    int status = door_getattr(door, actor, node_id, &node);
    if (status < 0)
        return status;
    if (node.kind != CATALOG_KIND_RECORD)
        return sr_fail(SR_ERR_INVALID, "only a record is looked into");
    if ((status = may_read(door, actor, &node)) < 0)
        return status;
    status = catalog_description(door->catalog, node.version.create_index, &found);
    if (status < 0)
        return status == SR_ERR_NOT_FOUND ? 0 : status;
    json_t *media = found.media != NULL ? json_loads(found.media, 0, NULL) : json_object();
    *out =
        json_pack("{s:s, s:I, s:o, s:o}", "outcome", found.outcome, "rules",
                  (json_int_t)found.rules, "index", sr_json_u64_text(found.index), "media", media);
    if (*out == NULL)
        status = sr_fail(SR_ERR_NO_MEMORY, "no memory for a description");
    if (status == 0 && found.has_text)
        status =
            entry_set(*out, "text",
                      json_pack("{s:o, s:o, s:I}", "object",
                                sr_json_hex(found.text.id.bytes, sizeof found.text.id.bytes),
                                "sha256", sr_json_hex(found.text.sha256, sizeof found.text.sha256),
                                "bytes", (json_int_t)found.text.size));
    catalog_description_free(&found);
    if (status < 0) {
        json_decref(*out);
        *out = NULL;
    }
    return status;
}
