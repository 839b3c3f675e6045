#include "media/probe/examine.h"

#include <magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "media/probe/av.h"
#include "media/probe/labelfile.h"
#include "media/probe/ole.h"
#include "media/probe/package.h"
#include "media/probe/pdf.h"
#include "media/probe/photo.h"
#include "media/probe/plain.h"

#define HEAD_LEN (256u << 10) /* bytes that libmagic sees */
#define TYPE_LEN 128

struct examine {
    magic_t magic;
};

static int plain_text(struct probe_source *source, struct describe *answer, const char *mime)
{
    return plain_describe(source, strcmp(mime, "text/html") == 0, answer);
}

/* Who describes a type. The first whose prefix fits; parsers of documents are entered here. */
static const struct {
    const char *prefix;
    int (*describe)(struct probe_source *source, struct describe *answer, const char *mime);
} describers[] = {
    {"audio/", av_describe},
    {"video/", av_describe},
    {"application/ogg", av_describe},
    {"application/vnd.rn-realmedia", av_describe},
    {"image/jpeg", photo_describe},
    {"image/png", photo_describe},
    {"image/webp", photo_describe},
    {"image/tiff", photo_describe},
    {"image/heic", photo_describe},
    {"image/heif", photo_describe},
    {"image/avif", photo_describe},
    {"image/gif", av_describe},
    {"image/bmp", av_describe},
    {"application/pdf", pdf_describe},
    {"text/", plain_text},
    {"application/json", plain_text},
};

/* What can be read as a label file, if it has the name of one; also what libmagic does not know, as it takes a single
 * odd byte for no text. */
static bool is_text(const char *type)
{
    return strcmp(type, "application/octet-stream") == 0 || strncmp(type, "text/", 5) == 0 ||
           strcmp(type, "application/csv") == 0 || strcmp(type, "application/json") == 0;
}

/* What libmagic calls compound files. */
#define OLE_TYPES \
    "application/msword application/vnd.ms application/x-ole-storage application/encrypted"

/* What names promise. */
static const struct {
    const char *extension, *prefixes; /* of the type, separated by spaces */
} promises[] = {
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"png", "image/png"},
    {"gif", "image/gif"},
    {"bmp", "image/bmp"},
    {"tif", "image/tiff"},
    {"pdf", "application/pdf"},
    {"mp3", "audio/"},
    {"wav", "audio/"},
    {"mp4", "video/ audio/"},
    {"mov", "video/ audio/"},
    {"avi", "video/"},
    {"mpeg", "video/"},
    {"mpg", "video/"},
    {"mkv", "video/"},
    {"ogg", "audio/ video/ application/ogg"},
    {"txt", "text/"},
    {"htm", "text/"},
    {"html", "text/"},
    {"csv", "text/ application/csv"},
    {"yaml", "text/"},
    {"ofd", "application/ofd"},
    {"docx", "application/vnd.openxmlformats application/encrypted"},
    {"xlsx", "application/vnd.openxmlformats application/encrypted"},
    {"pptx", "application/vnd.openxmlformats application/encrypted"},
    {"doc", OLE_TYPES},
    {"xls", OLE_TYPES},
    {"ppt", OLE_TYPES},
    {"odt", "application/vnd.oasis"},
    {"ods", "application/vnd.oasis"},
    {"odp", "application/vnd.oasis"},
};

int examine_new(struct examine **out)
{
    struct examine *examine = calloc(1, sizeof(*examine));

    *out = NULL;
    if (!examine)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    examine->magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS);
    if (!examine->magic || magic_load(examine->magic, NULL) != 0) {
        examine_free(examine);
        return sr_fail(SR_ERR_NOT_FOUND, "the table of file types cannot be loaded");
    }
    *out = examine;
    return 0;
}

void examine_free(struct examine *examine)
{
    if (!examine)
        return;
    if (examine->magic)
        magic_close(examine->magic);
    free(examine);
}

static void check_extension(struct describe *answer, const char *name, const char *mime)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && i < sizeof(promises) / sizeof(promises[0]); i++) {
        const char *at = promises[i].prefixes;

        if (strcasecmp(dot + 1, promises[i].extension) != 0)
            continue;
        while (strncmp(mime, at, strcspn(at, " ")) != 0) {
            at = strchr(at, ' ');
            if (!at) {
                describe_finding(answer, "extension", "the name ends in .%s, the content is %s",
                                 promises[i].extension, mime);
                return;
            }
            at++;
        }
        return;
    }
}

/* The type by the first bytes; *package, *compound: what it may be beside. */
static int find_type(struct examine *examine, struct probe_source *source, char type[TYPE_LEN],
                     bool *package, bool *compound)
{
    const char *mime = NULL;
    uint8_t *head = malloc(HEAD_LEN);
    size_t len;
    int rc;

    if (!head)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory");
    rc = probe_source_read(source, 0, head, HEAD_LEN, &len);
    if (!rc)
        mime = magic_buffer(examine->magic, head, len);
    /* libmagic's own tables hold types with letters that answers may not have. */
    if (!mime || strlen(mime) >= TYPE_LEN || !strchr(mime, '/') ||
        strspn(mime, "abcdefghijklmnopqrstuvwxyz0123456789.+-/") != strlen(mime))
        mime = "application/octet-stream";
    memcpy(type, mime, strlen(mime) + 1);
    *package = !rc && package_may_be(type, head, len);
    *compound = !rc && ole_is(head, len);
    free(head);
    return rc;
}

/* A document with a password, which libmagic sees only where it is small. */
static int find_encrypted(struct probe_source *source, struct describe *answer, char *type)
{
    bool encrypted;
    int rc = ole_has(source, "EncryptedPackage", &encrypted);

    if (!rc && strcmp(type, "application/octet-stream") == 0)
        snprintf(type, TYPE_LEN, "application/x-ole-storage"); /* its own word has capitals */
    if (!rc && encrypted) {
        snprintf(type, TYPE_LEN, "application/encrypted");
        describe_flag(answer, "encrypted", true);
        describe_finding(answer, "encrypted", "the document is locked by a password");
    }
    return rc;
}

int examine_file(struct examine *examine, struct probe_source *source, struct describe *answer)
{
    const char *name = probe_source_name(source), *found;
    bool package = false, compound = false;
    char type[TYPE_LEN];
    int rc = find_type(examine, source, type, &package, &compound);

    if (!rc && compound)
        rc = find_encrypted(source, answer, type);
    if (rc)
        return rc;
    if (labelfile_is_name(name)) {
        describe_text_value(answer, "type", LABELFILE_TYPE);
        describe_checkpoint(answer, NULL);
        return is_text(type) ? labelfile_describe(source, answer) : labelfile_refuse(answer, type);
    }
    if (package) {
        describe_checkpoint(answer, type);
        rc = package_describe(source, answer, type, &found);
        check_extension(answer, name, found);
        return rc;
    }
    describe_text_value(answer, "type", type);
    check_extension(answer, name, type);
    describe_checkpoint(answer, NULL);
    for (size_t i = 0; i < sizeof(describers) / sizeof(describers[0]); i++) {
        if (strncmp(type, describers[i].prefix, strlen(describers[i].prefix)) == 0)
            return describers[i].describe(source, answer, type);
    }
    return 0;
}
