/* Signatures of OFD: each Signature.xml lists members with their digests, and SignedValue.dat signs that list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/error.h"
#include "media/probe/ofd.h"
#include "media/probe/signature.h"
#include "media/probe/xml.h"

#define SIGNATURES_MAX 64
#define PATH_LEN MEMBERS_PATH_LEN

struct list { /* Signatures.xml */
    char places[SIGNATURES_MAX][PATH_LEN];
    size_t count;
    const char *in;
};

static int list_start(void *context, struct xml *at, const char *name)
{
    struct list *list = context;
    char place[PATH_LEN];

    if (strcmp(name, "Signature") == 0 && list->count < SIGNATURES_MAX &&
        xml_attribute(at, "BaseLoc", place, sizeof(place)))
        list->count += members_resolve(list->in, place, list->places[list->count]);
    return 0;
}

struct signature { /* Signature.xml */
    const struct members *members;
    const char *in;
    char method[64], reference[PATH_LEN], value[PATH_LEN];
    char text[4096];
    size_t len;
    unsigned references, changed, absent, unread; /* unread: see members_unknown */
    bool unknown_method;
    bool *signed_parts; /* one for each of the members */
};

static int signature_start(void *context, struct xml *at, const char *name)
{
    struct signature *signature = context;
    char place[PATH_LEN];

    signature->len = 0;
    signature->text[0] = '\0';
    if (strcmp(name, "References") == 0 &&
        !xml_attribute(at, "CheckMethod", signature->method, sizeof(signature->method)))
        snprintf(signature->method, sizeof(signature->method), "MD5"); /* its default */
    if (strcmp(name, "Reference") == 0) {
        signature->reference[0] = '\0';
        if (xml_attribute(at, "FileRef", place, sizeof(place)))
            members_resolve(signature->in, place, signature->reference);
    }
    return 0;
}

static int signature_text(void *context, const char *text, size_t len)
{
    struct signature *signature = context;

    if (len >= sizeof(signature->text) - signature->len)
        len = sizeof(signature->text) - signature->len - 1;
    memcpy(signature->text + signature->len, text, len);
    signature->len += len;
    signature->text[signature->len] = '\0';
    return 0;
}

static void trim(char *text)
{
    size_t skip = strspn(text, " \t\r\n"), len;

    memmove(text, text + skip, strlen(text + skip) + 1);
    for (len = strlen(text); len > 0 && strchr(" \t\r\n", text[len - 1]); len--)
        text[len - 1] = '\0';
}

static void check_reference(struct signature *signature)
{
    const struct member *member = members_find(signature->members, signature->reference);
    uint8_t digest[64], expected[sizeof(signature->text)];
    size_t len = sizeof(expected), size;

    signature->references++;
    if (member)
        signature->signed_parts[member - signature->members->items] = true;
    trim(signature->text);
    if (!member && members_unknown(signature->members, signature->reference)) {
        signature->unread++;
    } else if (!member) {
        signature->absent++;
    } else if (cms_digest(signature->method, (const uint8_t *)member->data, member->len, digest,
                          &size) < 0) {
        signature->unknown_method = true;
    } else if (sr_base64_decode(signature->text, strlen(signature->text), expected, &len) < 0 ||
               len != size || memcmp(expected, digest, size) != 0) {
        signature->changed++;
    }
}

static int signature_end(void *context, const char *name)
{
    struct signature *signature = context;

    if (strcmp(name, "CheckValue") == 0) {
        check_reference(signature);
    } else if (strcmp(name, "SignedValue") == 0) {
        trim(signature->text);
        members_resolve(signature->in, signature->text, signature->value);
    }
    signature->len = 0;
    signature->text[0] = '\0';
    return 0;
}

/* Members that are not signed and could be: all but folders, OFD.xml, which names the signatures, and what lies where
 * they lie. */
static unsigned count_unsigned(const struct signature *signature, const char *list)
{
    const char *slash = strrchr(list, '/');
    size_t folder = slash ? (size_t)(slash - list) + 1 : 0;
    unsigned count = 0;

    for (size_t i = 0; i < signature->members->count; i++) {
        const char *name = signature->members->items[i].name;
        size_t len = strlen(name);

        count += len > 0 && name[len - 1] != '/' && !signature->signed_parts[i] &&
                 strcasecmp(name, "OFD.xml") != 0 &&
                 !(folder > 0 && strncasecmp(name, list, folder) == 0);
    }
    return count;
}

/* What the list says of the members comes before what the value says of the list. */
static void judge(const struct signature *signature, struct cms_result *result)
{
    if (signature->changed > 0 || signature->absent > 0) {
        result->intact = CMS_CHANGED;
        snprintf(result->detail, sizeof(result->detail),
                 "%u of %u signed parts have changed, %u are not there", signature->changed,
                 signature->references, signature->absent);
    } else if (signature->references == 0 || signature->unknown_method || signature->unread > 0) {
        if (result->intact == CMS_INTACT)
            result->intact = CMS_UNCHECKED;
        snprintf(result->detail, sizeof(result->detail), "%s",
                 signature->references == 0 ? "the signature covers no part of the document"
                 : signature->unread > 0
                     ? "signed parts cannot be read, so whether they have changed is not known"
                     : "the parts' digests are of a kind that is not known here");
    }
}

/* in: the list of signatures. */
static int verify_one(const struct members *members, const char *in, const char *place,
                      struct describe *answer)
{
    struct signature *signature = calloc(1, sizeof(*signature));
    const struct xml_visitor visitor = {signature_start, signature_end, signature_text, signature};
    const struct member *list = members_find(members, place), *value;
    struct cms_result result = {.time_ns = CMS_NO_TIME};
    int rc = 0;

    unsigned outside;

    if (signature)
        signature->signed_parts = calloc(members->count + 1, sizeof(*signature->signed_parts));
    if (!signature || !signature->signed_parts) {
        free(signature);
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    }
    signature->members = members;
    signature->in = place;
    if (list && (rc = xml_walk(list->data, list->len, &visitor, answer)) == 0) {
        value = members_find(members, signature->value);
        if (value)
            rc = cms_verify_seal((const uint8_t *)value->data, value->len,
                                 (const uint8_t *)list->data, list->len, describe_trust(answer),
                                 &result);
        else
            snprintf(result.detail, sizeof(result.detail),
                     "the value of the signature is not in the document");
        judge(signature, &result);
        if (result.intact == CMS_INTACT && (outside = count_unsigned(signature, in)) > 0) {
            if (result.detail[0] == '\0')
                snprintf(result.detail, sizeof(result.detail),
                         "%u parts of the document are not signed", outside);
            describe_finding(answer, "signature_covers",
                             "a signature does not cover every part of the document");
        }
    } else if (!list) {
        snprintf(result.detail, sizeof(result.detail), "the signature is not in the document");
    }
    if (rc == 0)
        signature_put(answer, "ofd", &result);
    free(signature->signed_parts);
    free(signature);
    return rc;
}

int signature_ofd(const struct members *members, const char *place, struct describe *answer)
{
    struct list *list = calloc(1, sizeof(*list));
    const struct xml_visitor visitor = {list_start, NULL, NULL, list};
    const struct member *member = place[0] ? members_find(members, place) : NULL;
    int rc = 0;

    if (!list)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    list->in = place;
    if (member)
        rc = xml_walk(member->data, member->len, &visitor, answer);
    for (size_t i = 0; rc == 0 && i < list->count; i++)
        rc = verify_one(members, place, list->places[i], answer);
    free(list);
    return rc;
}
