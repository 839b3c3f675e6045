/* strongroom ledger checkpoint, proof, log, entry, key: through the daemon, or offline. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "casework/entry.h"
#include "tools/client.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/offline.h"
#include "tools/place.h"
#include "tools/print.h"

enum { OPT_FROM = 256, OPT_TO, OPT_ACT };

static const struct option log_options[] = {
    {"from", required_argument, NULL, OPT_FROM},
    {"to", required_argument, NULL, OPT_TO},
    {"act", required_argument, NULL, OPT_ACT},
    {NULL, 0, NULL, 0},
};

static const char *operand(int argc, char **argv)
{
    return optind < argc ? argv[optind] : NULL;
}

/* -o FILE and count operands. */
static bool parse_output(struct tool *tool, int argc, char **argv, int count, const char **output)
{
    int id;

    *output = NULL;
    while ((id = tool_getopt(tool, argc, argv, NULL)) == 'o')
        *output = optarg;
    if (id != -1)
        return false;
    if (argc - optind == count)
        return true;
    tool_usage(tool, count == 0 ? "too many arguments" : "one argument is needed");
    return false;
}

/* Where the text of an answer goes: a file, or stdout bare or within JSON. Takes over result. */
static int give(struct tool *tool, const char *output, json_t *result, const char *member)
{
    const json_t *text = json_object_get(result, member);
    int rc = 0;

    if (output != NULL)
        rc = tool_write(output, json_string_value(text), json_string_length(text));
    if (rc == 0 && tool->json)
        tool_json(json_incref(result));
    else if (rc == 0 && output == NULL)
        rc = tool_write(NULL, json_string_value(text), json_string_length(text));
    json_decref(result);
    if (rc == 0)
        rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

/* Closes an offline vault; of two errors the first counts. */
static int close_offline(struct offline *offline, int rc)
{
    struct sr_error_copy first = {0};
    int closed;

    if (rc != 0)
        sr_error_save(&first, rc);
    closed = offline_close(offline);
    return rc != 0 ? sr_error_raise(&first) : closed;
}

static json_t *text_object(const char *member, const struct sr_buf *text)
{
    json_t *object = json_object();

    if (text->failed || json_object_set_new(object, member, json_stringn(text->data, text->len))) {
        json_decref(object);
        return NULL;
    }
    return object;
}

int cmd_ledger_checkpoint(struct tool *tool, int argc, char **argv)
{
    struct offline offline = {0};
    struct sr_buf note = {0};
    json_t *result = NULL;
    const char *output;
    int rc;

    if (!parse_output(tool, argc, argv, 0, &output))
        return TOOL_USAGE;
    if (tool->passphrase_file == NULL) {
        rc = client_request(tool, client_new("ledger.checkpoint"), NULL, NULL, &result);
    } else {
        rc = offline_open(tool, &offline);
        if (rc == 0)
            rc = ledger_checkpoint(offline.ledger, &note);
        rc = close_offline(&offline, rc);
        result = rc == 0 ? text_object("checkpoint", &note) : NULL;
        sr_buf_free(&note);
    }
    return rc == 0 ? give(tool, output, result, "checkpoint") : tool_fail(tool, rc);
}

/* INDEX, PATH or OBJECT. */
static int set_target(struct tool *tool, json_t *request, const char *argument)
{
    uint64_t index;

    if (sr_parse_u64(argument, &index) != 0 || index > INT64_MAX)
        return place_set(tool, request, argument);
    if (json_object_set_new(request, "index", json_integer((json_int_t)index)) != 0)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    return 0;
}

int cmd_ledger_proof(struct tool *tool, int argc, char **argv)
{
    struct offline offline = {0};
    struct sr_buf proof = {0};
    json_t *request, *result = NULL;
    const char *output;
    uint64_t index = 0;
    int rc;

    if (!parse_output(tool, argc, argv, 1, &output))
        return TOOL_USAGE;
    if (tool->passphrase_file == NULL) {
        request = client_new("ledger.proof");
        rc = set_target(tool, request, operand(argc, argv));
        if (rc == 0)
            rc = client_request(tool, request, NULL, NULL, &result);
        else
            json_decref(request);
    } else {
        rc = offline_open(tool, &offline);
        if (rc == 0)
            rc = offline_find_index(&offline, operand(argc, argv), &index);
        if (rc == 0)
            rc = ledger_proof(offline.ledger, index, &proof);
        rc = close_offline(&offline, rc);
        result = rc == 0 ? text_object("proof", &proof) : NULL;
        json_object_set_new(result, "index", json_integer((json_int_t)index));
        sr_buf_free(&proof);
    }
    return rc == 0 ? give(tool, output, result, "proof") : tool_fail(tool, rc);
}

int cmd_ledger_entry(struct tool *tool, int argc, char **argv)
{
    struct offline offline = {0};
    json_t *request, *result = NULL;
    const char *output;
    uint8_t *entry = NULL;
    uint64_t index = 0;
    size_t len = 0;
    int rc;

    if (!parse_output(tool, argc, argv, 1, &output))
        return TOOL_USAGE;
    if (sr_parse_u64(operand(argc, argv), &index) != 0 || index > INT64_MAX)
        return tool_usage(tool, "'%s' is not the index of an entry", operand(argc, argv));
    if (tool->passphrase_file == NULL) {
        request = client_new("ledger.entry");
        json_object_set_new(request, "index", json_integer((json_int_t)index));
        rc = client_request(tool, request, NULL, NULL, &result);
    } else {
        rc = offline_open(tool, &offline);
        if (rc == 0)
            rc = ledger_read(offline.ledger, index, &entry, &len);
        rc = close_offline(&offline, rc);
        result = json_object();
        json_object_set_new(result, "index", json_integer((json_int_t)index));
        if (rc == 0)
            json_object_set_new(result, "entry", json_stringn((const char *)entry, len));
        free(entry);
    }
    if (rc == 0)
        return give(tool, output, result, "entry");
    json_decref(result);
    return tool_fail(tool, rc);
}

int cmd_ledger_key(struct tool *tool, int argc, char **argv)
{
    struct note_verifier verifier;
    struct sr_buf key = {0};
    json_t *result = NULL;
    const char *output;
    int rc = SR_ERR_NOT_FOUND;

    if (!parse_output(tool, argc, argv, 0, &output))
        return TOOL_USAGE;
    /* vault.json has it; who may not read that asks the daemon. */
    if (tool->vault != NULL)
        rc = offline_verifier(tool, &verifier);
    if (rc == 0)
        rc = note_verifier_format(&verifier, &key);
    if (rc == 0)
        result = text_object("key", &key);
    else
        rc = client_request(tool, client_new("ledger.key"), NULL, NULL, &result);
    sr_buf_free(&key);
    if (rc != 0)
        return tool_fail(tool, rc);
    if (tool->json || output != NULL)
        return give(tool, output, result, "key");
    puts(print_text(result, "key"));
    json_decref(result);
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

/* --- log --- */

struct log_run {
    struct tool *tool;
    const char *act;
    struct vault *vault; /* offline: to open private parts */
};

/* "INDEX  TIME  ACT  the rest as JSON, without what every entry has". */
static int log_item(void *context, const json_t *item)
{
    struct log_run *run = context;
    const json_t *entry = json_object_get(item, "entry");
    json_t *rest;
    char time[PRINT_TIME_TEXT], *text;

    if (run->tool->json) {
        tool_json_item(run->tool, item);
        return 0;
    }
    rest = json_copy((json_t *)(uintptr_t)entry); /* a shallow copy; the entry stays */
    print_time(entry, "time", time);
    json_object_del(rest, "v");
    json_object_del(rest, "salt");
    json_object_del(rest, "time");
    json_object_del(rest, "act");
    if (json_is_string(json_object_get(rest, "private"))) /* not opened for us: only ciphertext */
        json_object_set_new(rest, "private", json_string("..."));
    text = json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS);
    printf("%8lld  %s  %-18s ", (long long)json_integer_value(json_object_get(item, "index")), time,
           print_text(entry, "act"));
    column_print_safe(stdout, text != NULL ? text : "");
    fputc('\n', stdout);
    free(text);
    json_decref(rest);
    return 0;
}

static int offline_entry(void *context, uint64_t index, const uint8_t *data, size_t len)
{
    struct log_run *run = context;
    const char *act = NULL;
    json_t *entry = NULL, *item;
    int rc = sr_json_parse(data, len, &entry);

    if (rc == 0)
        rc = sr_json_get_text(entry, "act", &act);
    if (rc == 0 && run->act != NULL && strcmp(act, run->act) != 0)
        goto out;
    if (rc == 0)
        rc = entry_open_private(run->vault, entry);
    if (rc == 0) {
        item = json_pack("{s:I,s:O}", "index", (json_int_t)index, "entry", entry);
        rc = log_item(run, item);
        json_decref(item);
    }
out:
    json_decref(entry);
    return rc;
}

static int log_online(struct log_run *run, uint64_t from, uint64_t to)
{
    json_t *request = client_new("ledger.log");

    if (from > 0)
        json_object_set_new(request, "from", json_integer((json_int_t)from));
    if (to < INT64_MAX)
        json_object_set_new(request, "to", json_integer((json_int_t)to));
    client_set(request, "act", run->act);
    return client_request(run->tool, request, log_item, run, NULL);
}

static int log_offline(struct log_run *run, uint64_t from, uint64_t to)
{
    struct offline offline;
    int rc = offline_open(run->tool, &offline);

    if (rc == 0) {
        uint64_t size = ledger_committed(offline.ledger);

        run->vault = offline.vault;
        to = to < size ? to : size;
        if (from < to)
            rc = ledger_each(offline.ledger, from, to, offline_entry, run);
    }
    return close_offline(&offline, rc);
}

int cmd_ledger_log(struct tool *tool, int argc, char **argv)
{
    struct log_run run = {.tool = tool};
    uint64_t from = 0, to = INT64_MAX;
    int id, rc;

    while ((id = tool_getopt(tool, argc, argv, log_options)) != -1) {
        if (id == OPT_ACT)
            run.act = optarg;
        else if (id != OPT_FROM && id != OPT_TO)
            return id == '?' ? TOOL_USAGE : tool_usage(tool, "unknown option -%c", id);
        else if (sr_parse_u64(optarg, id == OPT_FROM ? &from : &to) != 0 || from > INT64_MAX ||
                 to > INT64_MAX)
            return tool_usage(tool, "'%s' is not the index of an entry", optarg);
    }
    if (optind != argc)
        return tool_usage(tool, "too many arguments");
    rc = tool->passphrase_file == NULL ? log_online(&run, from, to) : log_offline(&run, from, to);
    if (rc != 0)
        return tool_fail(tool, rc);
    if (tool->json)
        tool_json_list_end(tool);
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}
