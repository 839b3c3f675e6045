/* Proofs of a ledger in a bag: data/ledger/X.tlog-proof (C2SP tlog-proof) that the entry X.json stands in the log whose key
 * is data/ledger/log.vkey. An entry that seals a record says by its digest which payload it is of. */
#include "tools/bag_internal.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/json.h"
#include "ledger/note.h"

#define PROOF ".tlog-proof"
#define KEY BAG_LEDGER "log.vkey"

static bool read_key(struct check *check, struct note_verifier *out)
{
    const struct tag_file *file = bag_find_tag(check, KEY);
    char text[NOTE_ORIGIN_MAX + 128];

    if (file == NULL || file->len >= sizeof(text)) {
        bag_say(check, BAG_BAD, KEY,
                file == NULL ? "is not there: no proof can be checked" : "is too long for a key");
        return false;
    }
    if (file->len > 0)
        memcpy(text, file->data, file->len);
    text[file->len] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    if (note_verifier_parse(text, out) == 0)
        return true;
    bag_say(check, BAG_BAD, KEY, sr_error_message());
    return false;
}

/* The payload with that SHA-256; NULL: none, or not as it was. */
static const char *payload_of(const struct check *check, const char *hex)
{
    for (size_t i = 0; i < check->line_count; i++) {
        const struct line *line = &check->lines[i];
        const struct manifest *manifest = &check->manifests[line->manifest];

        if (!manifest->tag && line->seen && strcmp(manifest->algorithm, "sha256") == 0 &&
            strcasecmp(line->hex, hex) == 0)
            return line->path;
    }
    return NULL;
}

static void judge_entry(struct check *check, const char *name, const struct tag_file *leaf,
                        uint64_t index, const struct note_checkpoint *checkpoint)
{
    const char *act = "", *sha256 = NULL, *payload = NULL;
    json_t *entry = NULL;

    if (sr_json_parse(leaf->data, leaf->len, &entry) < 0 ||
        sr_json_get_text(entry, "act", &act) < 0)
        bag_say(check, BAG_BAD, name, "proves something that is no entry of a ledger");
    else if (strcmp(act, "record.seal") != 0)
        bag_say_of(check, BAG_HOLDS, name, "is entry %llu (%s) of %s, which had %llu entries",
                   (unsigned long long)index, act, checkpoint->origin,
                   (unsigned long long)checkpoint->size);
    else if (sr_json_get_text(entry, "sha256", &sha256) < 0 ||
             (payload = payload_of(check, sha256)) == NULL)
        bag_say(check, BAG_BAD, name, "seals content that is not in the bag as it was sealed");
    else
        bag_say_of(check, BAG_HOLDS, name,
                   "is entry %llu of %s, which had %llu entries: the seal of %s",
                   (unsigned long long)index, checkpoint->origin,
                   (unsigned long long)checkpoint->size, payload);
    json_decref(entry);
}

static void judge_proof(struct check *check, const struct note_verifier *verifier,
                        const struct tag_file *proof)
{
    const char *name = proof->path + strlen(check->prefix);
    char leaf_name[BAG_PATH_MAX + 8];
    const struct tag_file *leaf;
    struct note_checkpoint checkpoint;
    struct tlog_hash hash;
    uint64_t index;

    snprintf(leaf_name, sizeof(leaf_name), "%.*s.json", (int)(strlen(name) - strlen(PROOF)), name);
    leaf = bag_find_tag(check, leaf_name);
    if (leaf == NULL || leaf->len == 0 || proof->len == 0)
        bag_say_of(check, BAG_BAD, name, "its entry %s is not there, or is empty", leaf_name);
    else if (tlog_leaf_hash(leaf->data, leaf->len, &hash) < 0 ||
             note_proof_verify(proof->data, proof->len, verifier, &hash, &index, &checkpoint) < 0)
        bag_say_of(check, BAG_BAD, name, "does not prove %s: %s", leaf_name, sr_error_message());
    else
        judge_entry(check, name, leaf, index, &checkpoint);
}

bool bag_is_of_ledger(const char *path)
{
    size_t len = strlen(path), folder = strlen(BAG_LEDGER);
    const char *dot = strrchr(path, '.');

    return len > folder && strncmp(path, BAG_LEDGER, folder) == 0 && dot != NULL &&
           (strcmp(dot, PROOF) == 0 || strcmp(dot, ".json") == 0 || strcmp(path, KEY) == 0);
}

void bag_judge_ledger(struct check *check)
{
    size_t prefix = strlen(check->prefix);
    struct note_verifier verifier;
    bool keyed = false;

    for (size_t i = 0; i < check->tag_count; i++) {
        const struct tag_file *file = &check->tags[i];
        size_t len = file->path != NULL ? strlen(file->path) : 0;

        if (len <= prefix + strlen(PROOF) || strncmp(file->path, check->prefix, prefix) != 0 ||
            !bag_is_of_ledger(file->path + prefix) ||
            strcmp(file->path + len - strlen(PROOF), PROOF) != 0)
            continue;
        if (!keyed && !(keyed = read_key(check, &verifier)))
            return;
        judge_proof(check, &verifier, file);
    }
}
