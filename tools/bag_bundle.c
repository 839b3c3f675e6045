/* What our own bundles hold beside proofs: XML, held to the schemas that this program has (not to those in the bag), and the
 * chain of hashes in data/custody.jsonl. docs/bundle.md. */
#include "tools/bag_internal.h"

#include <libxml/parser.h>
#include <libxml/xmlschemas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "tools/bundle.h"

#define KEY BAG_LEDGER "log.vkey"
#define CUSTODY "data/custody.jsonl"
#define AV "data/av/"

extern const char _binary_tools_bundle_eep_xsd_start[], _binary_tools_bundle_eep_xsd_end[];
extern const char _binary_tools_bundle_av_xsd_start[], _binary_tools_bundle_av_xsd_end[];
extern const char _binary_tools_bundle_check_xsd_start[], _binary_tools_bundle_check_xsd_end[];

static const struct kind {
    const char *path; /* or what it begins with */
    bool folder;
    const char *start, *end; /* of its schema */
} kinds[] = {
    {"data/eep.xml", false, _binary_tools_bundle_eep_xsd_start, _binary_tools_bundle_eep_xsd_end},
    {"data/check.xml", false, _binary_tools_bundle_check_xsd_start,
     _binary_tools_bundle_check_xsd_end},
    {AV, true, _binary_tools_bundle_av_xsd_start, _binary_tools_bundle_av_xsd_end},
};

static const struct kind *kind_of(const char *path)
{
    size_t len = strlen(path);

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (kinds[i].folder ? strncmp(path, kinds[i].path, strlen(kinds[i].path)) == 0 && len > 4 &&
                                  strcmp(path + len - 4, ".xml") == 0
                            : strcmp(path, kinds[i].path) == 0)
            return &kinds[i];
    return NULL;
}

bool bag_is_of_bundle(const char *path)
{
    return kind_of(path) != NULL || strcmp(path, CUSTODY) == 0;
}

/* --- XML --- */

struct complaint {
    char text[256];
    int line;
};

static void complain(void *context, xmlError *error)
{
    struct complaint *complaint = context;

    if (complaint->text[0] != '\0')
        return;
    snprintf(complaint->text, sizeof(complaint->text), "%s",
             error->message != NULL ? error->message : "malformed");
    complaint->text[strcspn(complaint->text, "\r\n")] = '\0';
    complaint->line = error->line;
}

static bool fits(const struct kind *kind, xmlDoc *doc, struct complaint *complaint)
{
    xmlSchemaParserCtxt *parser =
        xmlSchemaNewMemParserCtxt(kind->start, (int)(kind->end - kind->start));
    xmlSchema *schema = parser != NULL ? xmlSchemaParse(parser) : NULL;
    xmlSchemaValidCtxt *validator = schema != NULL ? xmlSchemaNewValidCtxt(schema) : NULL;
    bool good = false;

    if (validator != NULL) {
        xmlSchemaSetValidStructuredErrors(validator, complain, complaint);
        good = xmlSchemaValidateDoc(validator, doc) == 0;
    }
    xmlSchemaFreeValidCtxt(validator);
    xmlSchemaFree(schema);
    xmlSchemaFreeParserCtxt(parser);
    return good;
}

static void judge_xml(struct check *check, const struct kind *kind, const char *name,
                      const struct tag_file *file)
{
    struct complaint complaint = {.text = ""};
    xmlDoc *doc;

    xmlSetStructuredErrorFunc(&complaint, complain);
    doc = file->len > 0
              ? xmlReadMemory((const char *)file->data, (int)file->len, name, NULL, XML_PARSE_NONET)
              : NULL;
    if (doc == NULL)
        bag_say_of(check, BAG_BAD, name, "is not XML: line %d: %s", complaint.line,
                   file->len > 0 ? complaint.text : "it is empty");
    else if (doc->intSubset != NULL) /* entities, and what they grow to */
        bag_say(check, BAG_BAD, name, "has a document type, which no bundle of ours has");
    else if (!fits(kind, doc, &complaint))
        bag_say_of(check, BAG_BAD, name, "does not fit its schema: line %d: %s", complaint.line,
                   complaint.text);
    else
        bag_say(check, BAG_HOLDS, name, "fits its schema");
    xmlFreeDoc(doc);
    xmlSetStructuredErrorFunc(NULL, NULL);
    xmlResetLastError();
}

/* --- custody --- */

/* False: said why. */
static bool follows(struct check *check, const char *line, size_t len, uint64_t number,
                    char previous[2 * SR_SHA256_LEN + 1])
{
    uint8_t hash[SR_SHA256_LEN];
    const char *prev = "";
    uint64_t seq = 0;
    json_t *value = NULL;
    bool good = sr_json_parse((const uint8_t *)line, len, &value) == 0 &&
                sr_json_get_text(value, "prev", &prev) == 0 &&
                sr_json_get_u64(value, "seq", &seq) == 0 && seq == number &&
                strcmp(prev, previous) == 0 && sr_sha256(line, len, hash) == 0;

    json_decref(value);
    if (good)
        sr_hex_encode(hash, sizeof(hash), previous);
    else
        bag_say_of(check, BAG_BAD, CUSTODY, "line %llu does not follow from those before it",
                   (unsigned long long)number);
    return good;
}

static void judge_custody(struct check *check, const struct tag_file *file)
{
    const char *at = file->len > 0 ? (const char *)file->data : "", *end = at + file->len, *stop;
    char previous[2 * SR_SHA256_LEN + 1];
    uint64_t number = 0;

    memset(previous, '0', 2 * SR_SHA256_LEN);
    previous[2 * SR_SHA256_LEN] = '\0';
    for (; at < end; at = stop + 1) {
        stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        if (!follows(check, at, (size_t)(stop - at), ++number, previous))
            return;
        if (stop == end)
            break;
    }
    bag_say_of(check, BAG_HOLDS, CUSTODY, "%llu acts, each bound to those before it",
               (unsigned long long)number);
}

/* --- the whole --- */

void bag_judge_bundle(struct check *check)
{
    static const char *const needed[] = {"data/eep.xml", "data/check.xml", CUSTODY};
    size_t prefix = strlen(check->prefix), there = 0;

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        there += bag_find_tag(check, needed[i]) != NULL;
    if (there == 0 || bag_find_tag(check, KEY) == NULL) /* not of ours */
        return;
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
        if (bag_find_tag(check, needed[i]) == NULL)
            bag_say(check, BAG_BAD, needed[i], "is not there: a bundle of ours has it");
    for (size_t i = 0; i < check->tag_count; i++) {
        const struct tag_file *file = &check->tags[i];
        const char *name;
        const struct kind *kind;

        if (file->path == NULL || strncmp(file->path, check->prefix, prefix) != 0)
            continue;
        name = file->path + prefix;
        kind = kind_of(name);
        if (kind != NULL)
            judge_xml(check, kind, name, file);
        else if (strcmp(name, CUSTODY) == 0)
            judge_custody(check, file);
    }
}
