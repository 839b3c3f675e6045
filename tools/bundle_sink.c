/* The package of a bundle, by libarchive. Its warnings are failures: a name that it could not write as it is would otherwise
 * be another name. */
#include "tools/bundle_sink.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"

#define NS_PER_S INT64_C(1000000000)
#define BLOCK (1 << 20)
#define COVER_PART (UINT64_C(1) << 30)

static int fail(struct sink *sink, const char *doing)
{
    const char *why = archive_error_string(sink->archive);

    if (sink->why.code != 0)
        return sr_error_raise(&sink->why);
    return sr_fail_errno(archive_errno(sink->archive) > 0 ? archive_errno(sink->archive) : EIO,
                         "%s: %s: %s", sink->partial, doing, why != NULL ? why : "failed");
}

static la_ssize_t put_covered(struct archive *archive, void *context, const void *data, size_t len)
{
    struct sink *sink = context;
    int rc = cover_write(sink->cover, data, len);

    (void)archive;
    if (rc < 0)
        sr_error_save(&sink->why, rc);
    return rc == 0 ? (la_ssize_t)len : -1;
}

static int start_archive(struct sink *sink, const char *format)
{
    int rc;

    sink->archive = archive_write_new();
    sink->entry = archive_entry_new();
    if (sink->archive == NULL || sink->entry == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a package");
    if (strcmp(format, "zip") == 0) {
        rc = archive_write_set_format_zip(sink->archive);
        if (rc == ARCHIVE_OK)
            rc = archive_write_set_options(sink->archive,
                                           "zip:compression=store,zip:hdrcharset=UTF-8");
    } else {
        rc = archive_write_set_format_pax_restricted(sink->archive);
    }
    if (rc == ARCHIVE_OK)
        rc = archive_write_set_bytes_per_block(sink->archive, BLOCK);
    if (rc == ARCHIVE_OK)
        rc = archive_write_set_bytes_in_last_block(sink->archive, 1);
    if (rc == ARCHIVE_OK && sink->cover != NULL)
        rc = archive_write_open2(sink->archive, sink, NULL, put_covered, NULL, NULL);
    else if (rc == ARCHIVE_OK)
        rc = archive_write_open_fd(sink->archive, sink->fd);
    return rc == ARCHIVE_OK ? 0 : fail(sink, "begin");
}

int sink_open(const char *path, const char *format, const char *folder, int64_t time_ns,
              const struct cms_recipients *recipients, struct sink **out)
{
    struct sink *sink = calloc(1, sizeof(*sink));
    int rc;

    *out = NULL;
    if (sink == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a package");
    sink->fd = sink->part = -1;
    sink->path = sr_path("%s", path);
    sink->partial = sr_path("%s.partial", path);
    sink->time_ns = time_ns;
    snprintf(sink->folder, sizeof(sink->folder), "%s", folder);
    sink_label(sink, "STRONGROOM");
    rc = sr_digest_new("sha256", &sink->digest);
    if (rc == 0 && (sink->path == NULL || sink->partial == NULL))
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for a package");
    if (rc == 0 && access(path, F_OK) == 0)
        rc = sr_fail(SR_ERR_EXISTS, "%s is there already: nothing is overwritten", path);
    if (rc == 0 && recipients != NULL) {
        rc = cover_open(sink->partial, recipients, COVER_PART, &sink->cover);
    } else if (rc == 0) {
        sink->fd = open(sink->partial, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (sink->fd < 0)
            rc = sr_fail_errno(errno, "%s", sink->partial);
    }
    /* Times in a zip are those of the place; names need a locale that has them. */
    setenv("TZ", "UTC0", 1);
    setlocale(LC_CTYPE, "C.UTF-8");
    if (rc == 0)
        rc = strcmp(format, "iso") == 0 ? iso_open(sink) : start_archive(sink, format);
    if (rc < 0)
        sink_free(sink);
    else
        *out = sink;
    return rc;
}

static int add_member(struct sink *sink, const char *name, uint64_t size)
{
    if (sink->count == sink->capacity) {
        size_t capacity = sink->capacity == 0 ? 64 : 2 * sink->capacity;
        struct member *longer = realloc(sink->members, capacity * sizeof(*longer));

        if (longer == NULL)
            return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a package");
        sink->members = longer;
        sink->capacity = capacity;
    }
    sink->members[sink->count].name = sr_path("%s", name);
    if (sink->members[sink->count].name == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a package");
    sink->members[sink->count++].size = size;
    return 0;
}

static int begin_entry(struct sink *sink, const char *name, uint64_t size)
{
    char *whole = sr_path("%s/%s", sink->folder, name);

    if (whole == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for a package");
    archive_entry_clear(sink->entry);
    archive_entry_set_pathname_utf8(sink->entry, whole);
    free(whole);
    archive_entry_set_filetype(sink->entry, AE_IFREG);
    archive_entry_set_perm(sink->entry, 0644);
    archive_entry_set_size(sink->entry, (la_int64_t)size);
    archive_entry_set_mtime(sink->entry, sink->time_ns / NS_PER_S, 0);
    return archive_write_header(sink->archive, sink->entry) == ARCHIVE_OK ? 0 : fail(sink, name);
}

int sink_begin(struct sink *sink, const char *name, uint64_t size)
{
    int rc = add_member(sink, name, size);

    sink->left = size;
    if (rc == 0)
        rc = sr_digest_reset(sink->digest);
    if (rc == 0 && sink->sm3 != NULL)
        rc = sr_digest_reset(sink->sm3);
    if (rc == 0)
        rc = sink->parts != NULL ? iso_begin(sink, name) : begin_entry(sink, name, size);
    return rc;
}

bool sink_maps(const struct sink *sink)
{
    return sink->parts != NULL;
}

void sink_label(struct sink *sink, const char *label)
{
    size_t len = 0;

    for (; *label != '\0' && len < sizeof(sink->label) - 1; label++) {
        unsigned char c = (unsigned char)*label;

        if ((c & 0xc0) != 0x80) /* once for each character */
            sink->label[len++] = (char)(isascii(c) && isalnum(c) ? toupper(c) : '_');
    }
    sink->label[len] = '\0';
}

int sink_map(struct sink *sink, const char *name, const char *source, uint64_t size,
             const uint8_t sha256[SR_SHA256_LEN])
{
    int rc = add_member(sink, name, size);

    if (rc < 0)
        return rc;
    memcpy(sink->members[sink->count - 1].sha256, sha256, SR_SHA256_LEN);
    return iso_map(sink, name, source);
}

int sink_write(struct sink *sink, const void *data, size_t len)
{
    int rc = sr_digest_update(sink->digest, data, len);

    if (rc == 0 && sink->sm3 != NULL)
        rc = sr_digest_update(sink->sm3, data, len);
    if (rc < 0)
        return rc;
    if (len > sink->left)
        return sr_fail(SR_ERR_DAMAGED, "%s is longer than it was said to be",
                       sink->members[sink->count - 1].name);
    if (sink->parts != NULL)
        rc = iso_write(sink, data, len, sink->members[sink->count - 1].size - sink->left);
    sink->left -= len;
    if (sink->parts != NULL)
        return rc;
    for (size_t at = 0; at < len;) {
        la_ssize_t put = archive_write_data(sink->archive, (const uint8_t *)data + at, len - at);

        if (put <= 0)
            return fail(sink, "write");
        at += (size_t)put;
    }
    return 0;
}

int sink_end(struct sink *sink, uint8_t sha256[SR_SHA256_LEN])
{
    struct member *member = &sink->members[sink->count - 1];
    int rc;

    if (sink->left > 0)
        return sr_fail(SR_ERR_DAMAGED, "%s is shorter than it was said to be", member->name);
    rc = sr_digest_final(sink->digest, member->sha256);
    if (rc == 0 && sink->sm3 != NULL)
        rc = sr_digest_final(sink->sm3, member->sm3);
    if (rc == 0 && sink->parts != NULL)
        rc = iso_end(sink);
    else if (rc == 0 && archive_write_finish_entry(sink->archive) != ARCHIVE_OK)
        rc = fail(sink, member->name);
    memcpy(sha256, member->sha256, SR_SHA256_LEN);
    return rc;
}

int sink_put(struct sink *sink, const char *name, const void *data, size_t len)
{
    uint8_t sha256[SR_SHA256_LEN];
    int rc = sink_begin(sink, name, len);

    if (rc == 0 && len > 0)
        rc = sink_write(sink, data, len);
    return rc == 0 ? sink_end(sink, sha256) : rc;
}

static bool is_payload(const struct member *member)
{
    return strncmp(member->name, "data/", 5) == 0;
}

int sink_want_sm3(struct sink *sink)
{
    return sink->parts != NULL
               ? sr_fail(SR_ERR_UNSUPPORTED,
                         "an image has no SM3: its records do not pass through here")
               : sr_digest_new("sm3", &sink->sm3);
}

bool sink_has_sm3(const struct sink *sink)
{
    return sink->sm3 != NULL;
}

void sink_manifest(const struct sink *sink, bool payload, bool sm3, struct sr_buf *out)
{
    char hex[2 * SR_SHA256_LEN + 1];

    for (size_t i = 0; i < sink->count; i++) {
        const struct member *member = &sink->members[i];

        if (is_payload(member) != payload)
            continue;
        sr_hex_encode(sm3 ? member->sm3 : member->sha256, SR_SHA256_LEN, hex);
        sr_buf_format(out, "%s  %s\n", hex, member->name);
    }
}

void sink_oxum(const struct sink *sink, uint64_t *octets, uint64_t *files)
{
    *octets = *files = 0;
    for (size_t i = 0; i < sink->count; i++)
        if (is_payload(&sink->members[i])) {
            *octets += sink->members[i].size;
            (*files)++;
        }
}

static int check_limit(struct sink *sink, uint64_t limit)
{
    struct stat st;

    if (fstat(sink->fd, &st) != 0)
        return sr_fail_errno(errno, "%s", sink->partial);
    return (uint64_t)st.st_size <= limit
               ? 0
               : sr_fail(SR_ERR_TOO_LARGE,
                         "%s: with what is known of its records it is over the size of a part: "
                         "give a larger one",
                         sink->path);
}

int sink_finish(struct sink *sink, uint64_t limit)
{
    int rc = 0;

    if (sink->parts != NULL)
        rc = iso_finish(sink);
    else if (archive_write_close(sink->archive) != ARCHIVE_OK)
        rc = fail(sink, "end");

    if (rc == 0 && limit > 0 && sink->fd >= 0)
        rc = check_limit(sink, limit);
    if (rc == 0 && sink->cover != NULL)
        rc = cover_finish(sink->cover);
    else if (rc == 0 && (fsync(sink->fd) != 0 || fchmod(sink->fd, 0644) != 0))
        rc = sr_fail_errno(errno, "%s", sink->partial);
    if (rc == 0 &&
        renameat2(AT_FDCWD, sink->partial, AT_FDCWD, sink->path, RENAME_NOREPLACE) != 0) {
        /* exFAT and others know no such rename */
        if (errno != EINVAL)
            rc = sr_fail_errno(errno, "%s", sink->path);
        else if (access(sink->path, F_OK) == 0 || rename(sink->partial, sink->path) != 0)
            rc = sr_fail_errno(errno, "%s", sink->path);
    }
    if (rc == 0) {
        free(sink->partial);
        sink->partial = NULL;
        rc = sr_io_sync_parent(sr_io_posix(), sink->path);
    }
    return rc;
}

void sink_free(struct sink *sink)
{
    if (sink == NULL)
        return;
    if (sink->archive != NULL)
        archive_write_free(sink->archive);
    archive_entry_free(sink->entry);
    iso_clear(sink);
    cover_free(sink->cover, sink->partial == NULL);
    if (sink->fd >= 0) {
        close(sink->fd);
        if (sink->partial != NULL)
            unlink(sink->partial);
    }
    sr_digest_free(sink->digest);
    sr_digest_free(sink->sm3);
    for (size_t i = 0; i < sink->count; i++)
        free(sink->members[i].name);
    free(sink->members);
    free(sink->path);
    free(sink->partial);
    free(sink);
}
