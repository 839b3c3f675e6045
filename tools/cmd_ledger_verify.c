/* strongroom ledger verify, in its four forms:
 *   --tiles DIR --checkpoint FILE --key VKEY    nothing but tiles, a checkpoint and the public key
 *   -C VAULT                                    the same, taken from the vault; no passphrase
 *   -C VAULT --passphrase-file FILE             also the journal, and all kept checkpoints
 *   --proof FILE --leaf FILE                    one entry against its proof
 * --against FILE: today's ledger must contain that of a checkpoint kept elsewhere. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "casework/setup.h"
#include "ledger/verify.h"
#include "tools/column.h"
#include "tools/commands.h"
#include "tools/offline.h"

#define NOTE_FILE_MAX (1u << 20)
#define TRIES 3 /* while a running daemon publishes checkpoint after checkpoint */

enum { OPT_TILES = 256, OPT_CHECKPOINT, OPT_KEY, OPT_AGAINST, OPT_PROOF, OPT_LEAF };

static const struct option options[] = {
    {"tiles", required_argument, NULL, OPT_TILES},
    {"checkpoint", required_argument, NULL, OPT_CHECKPOINT},
    {"key", required_argument, NULL, OPT_KEY},
    {"against", required_argument, NULL, OPT_AGAINST},
    {"proof", required_argument, NULL, OPT_PROOF},
    {"leaf", required_argument, NULL, OPT_LEAF},
    {"entry", required_argument, NULL, OPT_LEAF},
    {NULL, 0, NULL, 0},
};

struct request {
    const char *tiles, *checkpoint, *key, *against, *proof, *leaf;
    struct note_verifier verifier;
};

struct bytes {
    uint8_t *data;
    size_t len;
};

struct findings { /* file and why, pairs of strings; kept until a try counts */
    json_t *list;
};

static int read_file(const char *path, struct bytes *out)
{
    int rc = sr_io_read_file(sr_io_posix(), path, NOTE_FILE_MAX, &out->data, &out->len);

    if (rc == SR_ERR_NOT_FOUND)
        return sr_fail(rc, "%s does not exist", path);
    return rc;
}

static void found(void *context, const char *file, const char *why)
{
    struct findings *findings = context;
    char what[256];

    snprintf(what, sizeof what, "ledger/%s", file);
    json_array_append_new(findings->list, json_pack("{s:s,s:s}", "what", what, "why", why));
}

/* rc: 0 or the error that is the verdict. Prints findings and the verdict; returns the exit
 * status. */
static int conclude(struct tool *tool, const struct findings *findings,
                    const struct note_checkpoint *checkpoint, const char *also, int rc)
{
    size_t count = json_array_size(findings->list), i;
    json_t *item;

    if (rc != 0 && count == 0)
        return tool_fail(tool, rc);
    if (tool->json) {
        tool_json(json_pack("{s:b,s:s,s:I,s:O}", "ok", count == 0, "origin", checkpoint->origin,
                            "size", (json_int_t)checkpoint->size, "findings", findings->list));
    } else {
        json_array_foreach(findings->list, i, item)
        {
            fputs("BAD ", stdout);
            column_print_safe(stdout, json_string_value(json_object_get(item, "what")));
            fputs(": ", stdout);
            column_print_safe(stdout, json_string_value(json_object_get(item, "why")));
            fputc('\n', stdout);
        }
        if (count == 0)
            printf("The ledger %s of %llu entries is whole%s.\n", checkpoint->origin,
                   (unsigned long long)checkpoint->size, also);
        else
            printf("%zu BAD\n", count);
    }
    if (tool_flush() != 0)
        return tool_fail(tool, SR_ERR_SYSTEM);
    return count == 0 ? TOOL_DONE : TOOL_REFUSED;
}

/* Tiles against a checkpoint, and against an older one kept elsewhere. */
static int check_tiles(const struct request *request, const char *dir, const char *checkpoint_file,
                       struct findings *findings, struct note_checkpoint *checkpoint)
{
    struct sr_io *io = sr_io_posix();
    struct bytes note = {0}, older = {0};
    int rc = read_file(checkpoint_file, &note);

    if (rc == 0)
        rc = note_checkpoint_open(note.data, note.len, &request->verifier, checkpoint);
    if (rc == 0)
        rc = ledger_verify_tiles(io, dir, &request->verifier, note.data, note.len, found, findings);
    if (rc == 0 && request->against != NULL) {
        rc = read_file(request->against, &older);
        if (rc == 0)
            rc = ledger_verify_against(io, dir, &request->verifier, note.data, note.len, older.data,
                                       older.len);
    }
    free(note.data);
    free(older.data);
    return rc;
}

static bool same_file(const char *path, const struct bytes *before)
{
    struct bytes now = {0};
    bool same = read_file(path, &now) == 0 && now.len == before->len &&
                memcmp(now.data, before->data, now.len) == 0;

    free(now.data);
    return same;
}

/* A daemon may publish a new checkpoint, and replace partial tiles, while we read: a finding counts
 * only if the checkpoint is still the one that we began with. */
static int verify_tiles(struct tool *tool, const struct request *request, const char *dir,
                        const char *checkpoint_file)
{
    struct note_checkpoint checkpoint = {0};
    struct findings findings = {0};
    struct bytes before = {0};
    int status, rc = 0;

    for (int i = 0; i < TRIES; i++) {
        json_decref(findings.list);
        findings.list = json_array();
        free(before.data);
        before = (struct bytes){0};
        (void)read_file(checkpoint_file, &before);
        rc = check_tiles(request, dir, checkpoint_file, &findings, &checkpoint);
        if (rc == 0 || same_file(checkpoint_file, &before))
            break;
    }
    status = conclude(
        tool, &findings, &checkpoint,
        request->against != NULL ? ", and contains the ledger of that checkpoint" : "", rc);
    free(before.data);
    json_decref(findings.list);
    return status;
}

static int verify_with_keys(struct tool *tool, const struct request *request)
{
    struct note_checkpoint checkpoint = {0};
    struct findings findings = {.list = json_array()};
    struct ledger_config config = {0};
    struct offline offline = {0};
    char *newest = NULL;
    int status, rc = offline_open_vault(tool, &offline);

    if (rc == 0)
        rc = setup_ledger_config(offline.vault, &config);
    if (rc == 0) {
        rc = ledger_verify_all(&config, &request->verifier, found, &findings, &checkpoint.size);
        snprintf(checkpoint.origin, sizeof checkpoint.origin, "%s", config.origin);
        if (rc == 0 && request->against != NULL) {
            struct note_checkpoint ignored;

            newest = sr_path("%s/checkpoint", config.dir);
            rc = newest == NULL ? sr_fail(SR_ERR_NO_MEMORY, "out of memory")
                                : check_tiles(request, config.dir, newest, &findings, &ignored);
        }
        status = conclude(tool, &findings, &checkpoint,
                          request->against != NULL ? ", and contains the ledger of that checkpoint"
                                                   : ", journal and tiles alike",
                          rc);
        setup_ledger_config_wipe(&config);
    } else {
        status = tool_fail(tool, rc);
    }
    free(newest);
    json_decref(findings.list);
    (void)offline_close(&offline);
    return status;
}

static int verify_proof(struct tool *tool, const struct request *request)
{
    struct note_checkpoint checkpoint = {0};
    struct bytes proof = {0}, leaf = {0};
    struct tlog_hash hash;
    uint64_t index = 0;
    int rc = read_file(request->proof, &proof);

    if (rc == 0)
        rc = read_file(request->leaf, &leaf);
    if (rc == 0)
        rc = tlog_leaf_hash(leaf.data, leaf.len, &hash);
    if (rc == 0)
        rc = note_proof_verify(proof.data, proof.len, &request->verifier, &hash, &index,
                               &checkpoint);
    free(proof.data);
    free(leaf.data);
    if (rc != 0)
        return tool_fail(tool, rc);
    if (tool->json)
        tool_json(json_pack("{s:b,s:I,s:s,s:I}", "ok", 1, "index", (json_int_t)index, "origin",
                            checkpoint.origin, "size", (json_int_t)checkpoint.size));
    else
        printf("This is entry %llu of the ledger %s, which had %llu entries.\n",
               (unsigned long long)index, checkpoint.origin, (unsigned long long)checkpoint.size);
    rc = tool_flush();
    return rc == 0 ? TOOL_DONE : tool_fail(tool, rc);
}

/* VKEY itself, or a file that holds it (as ledger key -o writes), or a vault.json. */
static int read_key(const char *key, struct note_verifier *out)
{
    struct vault_identity identity;
    struct bytes file = {0};
    const char *name = strrchr(key, '/');
    char *folder, *text;
    int rc;

    if (access(key, F_OK) != 0)
        return note_verifier_parse(key, out);
    if (strcmp(name != NULL ? name + 1 : key, "vault.json") == 0) {
        folder = name != NULL ? strndup(key, (size_t)(name - key) + 1) : strdup(".");
        if (folder == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
        rc = vault_read_identity(sr_io_posix(), folder, &identity);
        free(folder);
        return rc == 0 ? note_verifier_init(out, identity.origin, identity.public_key) : rc;
    }
    rc = read_file(key, &file);
    text = rc == 0 ? strndup((const char *)file.data, file.len) : NULL;
    free(file.data);
    if (rc != 0)
        return rc;
    if (text == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    text[strcspn(text, "\r\n")] = '\0';
    rc = note_verifier_parse(text, out);
    free(text);
    return rc;
}

static int parse(struct tool *tool, int argc, char **argv, struct request *request)
{
    int id;

    while ((id = tool_getopt(tool, argc, argv, options)) != -1) {
        switch (id) {
        case OPT_TILES:
            request->tiles = optarg;
            break;
        case OPT_CHECKPOINT:
            request->checkpoint = optarg;
            break;
        case OPT_KEY:
            request->key = optarg;
            break;
        case OPT_AGAINST:
            request->against = optarg;
            break;
        case OPT_PROOF:
            request->proof = optarg;
            break;
        case OPT_LEAF:
            request->leaf = optarg;
            break;
        case '?':
            return TOOL_USAGE;
        default:
            return tool_usage(tool, "unknown option -%c", id);
        }
    }
    if (optind != argc)
        return tool_usage(tool, "too many arguments");
    if ((request->tiles == NULL) != (request->checkpoint == NULL))
        return tool_usage(tool, "--tiles and --checkpoint belong together");
    if ((request->proof == NULL) != (request->leaf == NULL))
        return tool_usage(tool, "--proof and --leaf belong together");
    if (request->proof != NULL && (request->tiles != NULL || request->against != NULL))
        return tool_usage(tool, "--proof goes with --leaf and a key alone");
    if (request->key == NULL && tool->vault == NULL)
        return tool_usage(tool, "give --key VKEY, or -C VAULT whose key it is");
    return TOOL_DONE;
}

int cmd_ledger_verify(struct tool *tool, int argc, char **argv)
{
    struct request request = {0};
    char *dir, *checkpoint;
    int rc, status = parse(tool, argc, argv, &request);

    if (status != TOOL_DONE)
        return status;
    rc = request.key != NULL ? read_key(request.key, &request.verifier)
                             : offline_verifier(tool, &request.verifier);
    if (rc != 0)
        return tool_fail(tool, rc);
    if (request.proof != NULL)
        return verify_proof(tool, &request);
    if (request.tiles != NULL)
        return verify_tiles(tool, &request, request.tiles, request.checkpoint);
    if (tool->vault == NULL)
        return tool_usage(tool, "which ledger? -C VAULT, or --tiles and --checkpoint");
    if (tool->passphrase_file != NULL)
        return verify_with_keys(tool, &request);
    dir = sr_path("%s/ledger", tool->vault);
    checkpoint = sr_path("%s/ledger/checkpoint", tool->vault);
    if (dir == NULL || checkpoint == NULL)
        status = tool_fail(tool, sr_fail(SR_ERR_NO_MEMORY, "out of memory"));
    else
        status = verify_tiles(tool, &request, dir, checkpoint);
    free(dir);
    free(checkpoint);
    return status;
}
