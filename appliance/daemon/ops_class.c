/* How a node is classified, shown and set. */
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/classification.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"

#define NO_MARK "none" /* among the marks of a request: none of them */

static json_t *mark_words(uint32_t marks)
{
    json_t *words = json_array();

    for (size_t i = 0; i < CATALOG_MARKS; i++)
        if ((marks & 1u << i) != 0)
            json_array_append_new(words, json_string(catalog_mark_words[i]));
    return words;
}

/* As documents carry it: the effective level and marks, with the node's own term if the level is
 * its own. */
static bool put_text(json_t *out, const struct catalog_node *node)
{
    struct classification class = {.level = (int)node->level,
                                   .marks = node->marks,
                                   .until = node->own_level == node->level ? node->own_until : 0};
    struct sr_buf text = {0};
    bool put;

    classification_text(&class, &text);
    put = !text.failed && json_object_set_new(out, "classification", json_string(text.data)) == 0;
    sr_buf_free(&text);
    return put;
}

bool ops_put_class(struct ops_call *call, json_t *out, const struct catalog_node *node)
{
    char until[11], approver[128] = "";

    sr_day_text(node->own_until, until);
    if ((node->own_marks & CATALOG_MARK_COVERT) != 0)
        (void)catalog_approver(door_catalog(call->context->door), node->id, approver);
    return put_text(out, node) &&
           json_object_set_new(out, "level", json_integer(node->level)) == 0 &&
           json_object_set_new(out, "marks", mark_words(node->marks)) == 0 &&
           json_object_set_new(out, "own_level", json_integer(node->own_level)) == 0 &&
           json_object_set_new(out, "own_marks", mark_words(node->own_marks)) == 0 &&
           json_object_set_new(out, "own_until", json_string(until)) == 0 &&
           (approver[0] == '\0' ||
            json_object_set_new(out, "approver", json_string(approver)) == 0);
}

static int read_marks(struct ops_call *call, struct door_class *class)
{
    const char *words[CATALOG_MARKS];
    size_t count = request_texts(call->request, "marks", words, CATALOG_MARKS);

    class->set_marks = count > 0;
    if (count == 1 && strcmp(words[0], NO_MARK) == 0)
        return 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t mark;

        if (!classification_mark(words[i], &mark))
            return sr_fail(SR_ERR_INVALID, "'marks' has no mark '%.60s'", words[i]);
        class->marks |= mark;
    }
    return 0;
}

/* By its number, or a record by its object id: a secoff may classify what they do not see, and neither
 * tells them anything. Whether the actor may, the door says. */
static int find_node(struct ops_call *call, uint64_t *out)
{
    const char *object = request_text(call->request, "object");
    const char *number = request_text(call->request, "node");
    struct catalog_version version = {.node = 0};
    struct vault_object_id id;
    struct catalog_node node = {.id = 0};
    int rc;

    if (number != NULL) {
        if (object != NULL || request_text(call->request, "path") != NULL ||
            sr_parse_u64(number, out) != 0)
            return sr_fail(SR_ERR_INVALID,
                           "'node' is a number, and stands without path and object");
        return 0;
    }
    if (object == NULL || request_text(call->request, "path") != NULL) {
        rc = ops_find_node(call, &node);
        *out = node.id;
        return rc;
    }
    rc = vault_object_id_parse(object, &id);
    if (rc == 0)
        rc = catalog_object(door_catalog(call->context->door), &id, &version);
    *out = version.node;
    return rc;
}

/* To who does not see the node: nothing but its classification. */
static int result_blind(struct ops_call *call, uint64_t id)
{
    struct catalog_node node;
    int rc = catalog_get(door_catalog(call->context->door), id, &node);

    if (rc != 0)
        return rc;
    call->result = json_object();
    if (json_object_set_new(call->result, "node", sr_json_u64_text(id)) != 0 ||
        !ops_put_class(call, call->result, &node))
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
    return 0;
}

int ops_record_classify(struct ops_call *call)
{
    struct door_class class = {.level = (int)request_number(call->request, "level", UINT64_MAX),
                               .until = request_text(call->request, "until"),
                               .approver = request_text(call->request, "approver"),
                               .reason = request_text(call->request, "reason")};
    struct catalog_node node;
    uint64_t id = 0;
    int rc = read_marks(call, &class);

    if (rc == 0)
        rc = find_node(call, &id);
    if (rc == 0)
        rc = door_classify(call->context->door, call->actor, id, &class);
    if (rc != 0)
        return rc;
    if (door_getattr(call->context->door, call->actor, id, &node) != 0)
        return result_blind(call, id);
    call->result = ops_node_json(call, &node, true);
    return call->result != NULL ? 0 : sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer");
}
