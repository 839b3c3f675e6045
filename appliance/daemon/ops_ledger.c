/* Reading the ledger: checkpoints, proofs, entries. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "casework/entry.h"
#include "daemon/ops_internal.h"
#include "daemon/request.h"
#include "ledger/note.h"

#define PAGE_ENTRIES 128 /* copied under the ledger's lock at a time; at most 8 MiB */

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an answer about the ledger");
}

int ops_ledger_checkpoint(struct ops_call *call)
{
    struct sr_buf note = {0};
    int rc = ledger_checkpoint(call->context->ledger, &note);

    if (rc == 0 && !note.failed)
        call->result = json_pack("{s:s}", "checkpoint", note.data);
    if (rc == 0 && call->result == NULL)
        rc = no_memory();
    sr_buf_free(&note);
    return rc;
}

/* The entry meant: an index, or the seal of the record that path or object names. */
static int find_index(struct ops_call *call, uint64_t *index)
{
    struct catalog *catalog = door_catalog(call->context->door);
    const char *object = request_text(call->request, "object");
    struct catalog_version version;
    struct vault_object_id id;
    struct catalog_node node;
    int rc;

    *index = request_number(call->request, "index", UINT64_MAX);
    if (*index != UINT64_MAX)
        return 0;
    if (object != NULL) {
        /* No name is told, so who may read the ledger may ask for any object. */
        rc = vault_object_id_parse(object, &id);
        if (rc == 0)
            rc = catalog_object(catalog, &id, &version);
    } else {
        rc = ops_find_node(call, &node);
        if (rc == 0 && node.kind != CATALOG_KIND_RECORD)
            rc = sr_fail(SR_ERR_INVALID, "this is a folder, not a record");
        if (rc == 0)
            version = node.version;
    }
    if (rc != 0)
        return rc;
    if (version.state == CATALOG_STAGING)
        return sr_fail(SR_ERR_NOT_FOUND, "the record is not sealed yet, so it has no proof");
    *index = version.seal_index;
    return 0;
}

int ops_ledger_proof(struct ops_call *call)
{
    struct sr_buf proof = {0};
    uint64_t index = 0;
    int rc = find_index(call, &index);

    if (rc == 0)
        rc = ledger_proof(call->context->ledger, index, &proof);
    if (rc == 0 && !proof.failed)
        call->result = json_pack("{s:I,s:s}", "index", (json_int_t)index, "proof", proof.data);
    if (rc == 0 && call->result == NULL)
        rc = no_memory();
    sr_buf_free(&proof);
    return rc;
}

int ops_ledger_entry(struct ops_call *call)
{
    uint64_t index = request_number(call->request, "index", 0);
    struct tlog_hash leaf;
    uint8_t *entry = NULL;
    size_t len = 0;
    int rc;

    rc = ledger_read(call->context->ledger, index, &entry, &len);
    if (rc == 0)
        rc = tlog_leaf_hash(entry, len, &leaf);
    if (rc != 0)
        goto out;
    /* The entry as one string: its bytes, not its meaning, are what the leaf hash covers. */
    call->result = json_object();
    if (json_object_set_new(call->result, "index", json_integer((json_int_t)index)) != 0 ||
        json_object_set_new(call->result, "entry", json_stringn((const char *)entry, len)) != 0 ||
        json_object_set_new(call->result, "leaf", sr_json_hex(leaf.bytes, sizeof leaf.bytes)) != 0)
        rc = no_memory();
out:
    free(entry);
    return rc;
}

int ops_ledger_key(struct ops_call *call)
{
    const struct vault_identity *identity = vault_identity(call->context->vault);
    struct note_verifier verifier;
    struct sr_buf key = {0};
    int rc = note_verifier_init(&verifier, identity->origin, identity->public_key);

    if (rc == 0)
        rc = note_verifier_format(&verifier, &key);
    if (rc == 0 && !key.failed)
        call->result = json_pack("{s:s,s:s}", "key", key.data, "origin", identity->origin);
    if (rc == 0 && call->result == NULL)
        rc = no_memory();
    sr_buf_free(&key);
    return rc;
}

/* --- log --- */

struct log_page {
    json_t *entries; /* array of strings */
};

static int collect_entry(void *context, uint64_t index, const uint8_t *entry, size_t len)
{
    struct log_page *page = context;

    (void)index;
    if (json_array_append_new(page->entries, json_stringn((const char *)entry, len)) != 0)
        return no_memory();
    return 0;
}

/* Names and persons in private parts are for those who may list records anyway; an auditor sees
 * that something happened, to which object, when. */
static bool may_open_private(struct ops_call *call)
{
    return door_can(call->context->door, call->actor, "list");
}

static int send_entry(struct ops_call *call, uint64_t index, const json_t *text, bool open)
{
    const char *wanted = request_text(call->request, "act");
    const char *act = NULL;
    json_t *entry = NULL;
    int rc;

    rc = sr_json_parse((const uint8_t *)json_string_value(text), json_string_length(text), &entry);
    if (rc == 0)
        rc = sr_json_get_text(entry, "act", &act);
    if (rc != 0 || (wanted != NULL && strcmp(wanted, act) != 0))
        goto out;
    if (open)
        rc = entry_open_private(call->context->vault, entry);
    if (rc == 0)
        rc = answer_item(call->answer,
                         json_pack("{s:I,s:O}", "index", (json_int_t)index, "entry", entry));
out:
    json_decref(entry);
    return rc;
}

int ops_ledger_log(struct ops_call *call)
{
    uint64_t size = ledger_committed(call->context->ledger);
    uint64_t from = request_number(call->request, "from", 0);
    uint64_t to = request_number(call->request, "to", size);
    bool open = may_open_private(call);
    int rc = 0;

    if (to > size)
        to = size;
    while (rc == 0 && from < to) {
        uint64_t end = to - from > PAGE_ENTRIES ? from + PAGE_ENTRIES : to;
        struct log_page page = {.entries = json_array()};
        size_t i;
        json_t *text;

        rc = ledger_each(call->context->ledger, from, end, collect_entry, &page);
        json_array_foreach(page.entries, i, text)
        {
            if (rc == 0)
                rc = send_entry(call, from + i, text, open);
        }
        json_decref(page.entries);
        from = end;
        /* With a filter nothing may have been sent for long. */
        if (rc == 0 && answer_gone(call->answer))
            rc = sr_fail(SR_ERR_CLOSED, "the daemon is closing");
    }
    return rc;
}
