/* A bundle that only its recipients can open: the package cut into parts of 1 GiB, each a CMS AuthEnvelopedData of its own, in a folder
 * with their hashes and a script that joins them once all are decrypted. In parts, because `openssl cms -decrypt` needs three times
 * a part in memory, and nothing of a part may be used before its tag is checked. */
#include "tools/bundle_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"

extern const char _binary_tools_bundle_join_sh_start[], _binary_tools_bundle_join_sh_end[];

#define SUMS "SHA256SUMS"
#define JOIN "join.sh"

struct cover {
    char *folder;
    const struct cms_recipients *recipients;
    uint64_t part_size; /* bytes of the package in a part */
    struct cms_envelope *envelope;
    struct sr_digest *digest;
    struct sr_buf sums;
    unsigned count;
    uint64_t in_part; /* bytes of the package in it so far */
    uint64_t written; /* bytes of its file */
    int fd;
};

static int no_memory(void)
{
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an encrypted bundle");
}

int cover_open(const char *folder, const struct cms_recipients *recipients, uint64_t part_size,
               struct cover **out)
{
    struct cover *cover = calloc(1, sizeof(*cover));
    int rc = cover != NULL ? sr_digest_new("sha256", &cover->digest) : no_memory();

    *out = NULL;
    if (cover == NULL)
        return rc;
    cover->fd = -1;
    cover->recipients = recipients;
    cover->part_size = part_size;
    if (rc == 0 && (cover->folder = sr_path("%s", folder)) == NULL)
        rc = no_memory();
    if (rc == 0 && mkdir(folder, 0755) != 0) {
        rc = sr_fail_errno(errno, "%s", folder);
        free(cover->folder);
        cover->folder = NULL; /* not ours */
    }
    if (rc < 0)
        cover_free(cover, false);
    else
        *out = cover;
    return rc;
}

static int put_encrypted(void *context, const void *data, size_t len)
{
    struct cover *cover = context;
    int rc = sr_digest_update(cover->digest, data, len);

    if (rc == 0)
        rc = sr_io_write_full(sr_io_posix(), cover->fd, data, len, cover->written);
    cover->written += len;
    return rc;
}

static char *part_path(const struct cover *cover, unsigned number)
{
    return sr_path("%s/part-%04u.p7m", cover->folder, number);
}

static int begin_part(struct cover *cover)
{
    char *path = part_path(cover, ++cover->count);
    int rc = path != NULL ? 0 : no_memory();

    if (rc == 0) {
        cover->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        if (cover->fd < 0)
            rc = sr_fail_errno(errno, "%s", path);
    }
    free(path);
    cover->in_part = cover->written = 0;
    if (rc == 0)
        rc = sr_digest_reset(cover->digest);
    return rc == 0 ? cms_envelope_new(cover->recipients, put_encrypted, cover, &cover->envelope)
                   : rc;
}

static int end_part(struct cover *cover)
{
    uint8_t sha256[SR_SHA256_LEN];
    char hex[2 * SR_SHA256_LEN + 1];
    int rc = cms_envelope_end(cover->envelope);

    if (rc == 0)
        rc = sr_digest_final(cover->digest, sha256);
    if (rc == 0 && fsync(cover->fd) != 0)
        rc = sr_fail_errno(errno, "%s", cover->folder);
    close(cover->fd);
    cover->fd = -1;
    cms_envelope_free(cover->envelope);
    cover->envelope = NULL;
    if (rc == 0) {
        sr_hex_encode(sha256, sizeof(sha256), hex);
        sr_buf_format(&cover->sums, "%s  part-%04u.p7m\n", hex, cover->count);
    }
    return rc;
}

int cover_write(struct cover *cover, const void *data, size_t len)
{
    const uint8_t *at = data;
    int rc = 0;

    while (rc == 0 && len > 0) {
        uint64_t room;
        size_t piece;

        if (cover->envelope == NULL && (rc = begin_part(cover)) < 0)
            break;
        room = cover->part_size - cover->in_part;
        piece = len < room ? len : (size_t)room;
        rc = cms_envelope_write(cover->envelope, at, piece);
        at += piece;
        len -= piece;
        cover->in_part += piece;
        if (rc == 0 && cover->in_part == cover->part_size)
            rc = end_part(cover);
    }
    return rc;
}

static int put_file(const struct cover *cover, const char *name, const void *data, size_t len)
{
    char *path = sr_path("%s/%s", cover->folder, name);
    int rc = path != NULL ? sr_io_replace_file(sr_io_posix(), path, data, len, 0644) : no_memory();

    free(path);
    return rc;
}

int cover_finish(struct cover *cover)
{
    int rc = cover->envelope != NULL ? end_part(cover) : 0;

    if (rc == 0)
        rc = put_file(
            cover, JOIN, _binary_tools_bundle_join_sh_start,
            (size_t)(_binary_tools_bundle_join_sh_end - _binary_tools_bundle_join_sh_start));
    if (rc == 0)
        rc = cover->sums.failed ? no_memory()
                                : put_file(cover, SUMS, cover->sums.data, cover->sums.len);
    return rc;
}

static void remove_in(const struct cover *cover, const char *name)
{
    char *path = sr_path("%s/%s", cover->folder, name);

    if (path != NULL)
        unlink(path);
    free(path);
}

void cover_free(struct cover *cover, bool keep)
{
    if (cover == NULL)
        return;
    cms_envelope_free(cover->envelope);
    if (cover->fd >= 0)
        close(cover->fd);
    for (unsigned i = 1; !keep && cover->folder != NULL && i <= cover->count; i++) {
        char *path = part_path(cover, i);

        if (path != NULL)
            unlink(path);
        free(path);
    }
    if (!keep && cover->folder != NULL) {
        remove_in(cover, JOIN);
        remove_in(cover, SUMS);
        rmdir(cover->folder);
    }
    sr_digest_free(cover->digest);
    sr_buf_free(&cover->sums);
    free(cover->folder);
    free(cover);
}
