/* A bundle in its order: the payload as it is read from the mount, what is said of it, the manifests, the seal. */
#include "tools/bundle.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "base/json.h"
#include "tools/print.h"

extern const char _binary_tools_bundle_verify_sh_start[], _binary_tools_bundle_verify_sh_end[];
extern const char _binary_tools_bundle_eep_xsd_start[], _binary_tools_bundle_eep_xsd_end[];
extern const char _binary_tools_bundle_av_xsd_start[], _binary_tools_bundle_av_xsd_end[];
extern const char _binary_tools_bundle_check_xsd_start[], _binary_tools_bundle_check_xsd_end[];

#define EXTENSION_MAX 5

/* --- what was given --- */

int bundle_take(struct bundle *bundle, json_t *item)
{
    const char *type = print_text(item, "type");
    uint64_t size = 0;

    if (bundle->records == NULL) {
        bundle->records = json_array();
        bundle->acts = json_array();
    }
    if (strcmp(type, "case") == 0 && bundle->in_case == NULL) {
        bundle->in_case = item;
        return 0;
    }
    if (strcmp(type, "record") == 0 && sr_json_get_u64(item, "size", &size) == 0) {
        bundle->bytes += size;
        if (json_array_append_new(bundle->records, item) == 0)
            return 0;
    } else if (strcmp(type, "act") == 0) {
        if (json_array_append_new(bundle->acts, item) == 0)
            return 0;
    } else {
        json_decref(item);
        return sr_fail(SR_ERR_INVALID, "the daemon gave something else than an export");
    }
    return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an export");
}

const char *bundle_label(const json_t *record, const char *label)
{
    const json_t *labels = json_object_get(record, "labels");

    for (size_t i = 0; i < json_array_size(labels); i++) {
        const json_t *one = json_array_get(labels, i);

        if (strcmp(print_text(one, "label"), label) == 0 &&
            json_object_get(one, "offset_ms") == NULL)
            return print_text(one, "value");
    }
    return "";
}

static const char *media_type(const json_t *record)
{
    return print_text(json_object_get(record, "media"), "type");
}

bool bundle_is_av(const json_t *record)
{
    return strncmp(media_type(record), "video/", 6) == 0 ||
           strncmp(media_type(record), "audio/", 6) == 0;
}

/* ".mp4", or "" for what is no plain extension. */
static void extension_of(const char *name, char out[EXTENSION_MAX + 2])
{
    const char *dot = strrchr(name, '.');
    size_t len = dot != NULL ? strlen(dot) : 0;

    out[0] = '\0';
    if (len < 2 || len > EXTENSION_MAX + 1)
        return;
    for (size_t i = 1; i < len; i++)
        if (!isascii((unsigned char)dot[i]) || !isalnum((unsigned char)dot[i]))
            return;
    for (size_t i = 0; i <= len; i++)
        out[i] = (char)tolower((unsigned char)dot[i]);
}

static int name_record(json_t *record, size_t number)
{
    char id[24], file[BUNDLE_PATH_MAX], extension[EXTENSION_MAX + 2];
    bool image = strncmp(media_type(record), "image/", 6) == 0;

    extension_of(print_text(record, "name"), extension);
    snprintf(id, sizeof(id), "%04zu", number);
    snprintf(file, sizeof(file), "data/%s/%s%s", bundle_is_av(record) || image ? "objects" : "docs",
             id, extension);
    if (json_object_set_new(record, "id", json_string(id)) != 0 ||
        json_object_set_new(record, "file", json_string(file)) != 0)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory for an export");
    return 0;
}

/* The first 档号, made safe for every system: "X043-XZ_2026-Y-JC-0001"; or the case's node. */
static void name_folder(struct bundle *bundle)
{
    const char *number = "";
    size_t len = 0;

    for (size_t i = 0; number[0] == '\0' && i < json_array_size(bundle->records); i++)
        number = print_text(json_array_get(bundle->records, i), "archive_number");
    for (; *number != '\0' && len < BUNDLE_NAME_MAX; number++) {
        unsigned char c = (unsigned char)*number;

        if (isascii(c) && (isalnum(c) || c == '-' || c == '_'))
            bundle->folder[len++] = (char)c;
        else if ((c & 0xc0) != 0x80) /* once for each character */
            bundle->folder[len++] = '_';
    }
    bundle->folder[len] = '\0';
    if (len == 0)
        snprintf(bundle->folder, sizeof(bundle->folder), "case-%s",
                 print_text(bundle->in_case, "node"));
}

int bundle_prepare(struct bundle *bundle)
{
    if (bundle->in_case == NULL || json_array_size(bundle->records) == 0 ||
        sr_json_get_i64(bundle->in_case, "time", &bundle->time_ns) < 0)
        return sr_fail(SR_ERR_INVALID, "the daemon gave no case");
    for (size_t i = 0; i < json_array_size(bundle->records); i++) {
        int rc = name_record(json_array_get(bundle->records, i), i + 1);

        if (rc < 0)
            return rc;
    }
    name_folder(bundle);
    return 0;
}

void bundle_free(struct bundle *bundle)
{
    json_decref(bundle->in_case);
    json_decref(bundle->records);
    json_decref(bundle->acts);
    memset(bundle, 0, sizeof(*bundle));
}

/* --- payload: one thread reads, the other hashes and writes --- */

#define PIECE (1u << 20)
#define PIECES 8

struct reader {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t change;
    int fd;
    uint8_t *pieces; /* PIECES of PIECE bytes */
    size_t lens[PIECES];
    uint64_t in, out; /* piece n is at n % PIECES */
    bool ended, stop;
    int error; /* errno of the reading */
};

static void *read_all(void *context)
{
    struct reader *reader = context;
    bool more = true;

    while (more) {
        uint8_t *piece;
        ssize_t got;

        pthread_mutex_lock(&reader->lock);
        while (reader->in - reader->out == PIECES && !reader->stop)
            pthread_cond_wait(&reader->change, &reader->lock);
        more = !reader->stop;
        pthread_mutex_unlock(&reader->lock);
        if (!more)
            break;
        piece = reader->pieces + (reader->in % PIECES) * PIECE;
        do
            got = read(reader->fd, piece, PIECE);
        while (got < 0 && errno == EINTR);
        pthread_mutex_lock(&reader->lock);
        if (got < 0)
            reader->error = errno;
        more = got > 0;
        if (more)
            reader->lens[reader->in++ % PIECES] = (size_t)got;
        else
            reader->ended = true;
        pthread_cond_signal(&reader->change);
        pthread_mutex_unlock(&reader->lock);
    }
    return NULL;
}

/* The next piece, or NULL at the end. */
static const uint8_t *next_piece(struct reader *reader, size_t *len)
{
    const uint8_t *piece = NULL;

    pthread_mutex_lock(&reader->lock);
    while (reader->in == reader->out && !reader->ended)
        pthread_cond_wait(&reader->change, &reader->lock);
    if (reader->in != reader->out) {
        piece = reader->pieces + (reader->out % PIECES) * PIECE;
        *len = reader->lens[reader->out % PIECES];
    }
    pthread_mutex_unlock(&reader->lock);
    return piece;
}

static void piece_done(struct reader *reader)
{
    pthread_mutex_lock(&reader->lock);
    reader->out++;
    pthread_cond_signal(&reader->change);
    pthread_mutex_unlock(&reader->lock);
}

static int copy_pieces(struct reader *reader, const struct bundle_ways *ways, struct sink *sink,
                       uint64_t *done, uint64_t total)
{
    const uint8_t *piece;
    size_t len = 0;
    int rc = 0;

    while (rc == 0 && (piece = next_piece(reader, &len)) != NULL) {
        rc = sink_write(sink, piece, len);
        piece_done(reader);
        *done += len;
        if (ways->progress != NULL)
            ways->progress(ways->context, *done, total);
    }
    return rc;
}

static int copy_file(int fd, const char *path, const struct bundle_ways *ways, struct sink *sink,
                     uint64_t *done, uint64_t total)
{
    struct reader reader = {.fd = fd, .pieces = malloc((size_t)PIECES * PIECE)};
    int rc = 0, error = 0;

    if (reader.pieces == NULL)
        return sr_fail(SR_ERR_NO_MEMORY, "out of memory to read a record");
    pthread_mutex_init(&reader.lock, NULL);
    pthread_cond_init(&reader.change, NULL);
    error = pthread_create(&reader.thread, NULL, read_all, &reader);
    if (error != 0) {
        rc = sr_fail_errno(error, "no thread to read a record");
    } else {
        rc = copy_pieces(&reader, ways, sink, done, total);
        pthread_mutex_lock(&reader.lock);
        reader.stop = true;
        pthread_cond_signal(&reader.change);
        pthread_mutex_unlock(&reader.lock);
        pthread_join(reader.thread, NULL);
        if (rc == 0 && reader.error != 0)
            rc = sr_fail_errno(reader.error, "%s", path);
    }
    pthread_cond_destroy(&reader.change);
    pthread_mutex_destroy(&reader.lock);
    free(reader.pieces);
    return rc;
}

/* Read, compared with its seal, written. */
static int copy_record(const json_t *record, const char *path, uint64_t size,
                       const struct bundle_ways *ways, struct sink *sink, uint64_t *done,
                       uint64_t total)
{
    uint8_t sha256[SR_SHA256_LEN];
    char hex[2 * SR_SHA256_LEN + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;

    if (fd < 0)
        return sr_fail_errno(errno, "%s", path);
    rc = sink_begin(sink, print_text(record, "file"), size);
    if (rc == 0)
        rc = copy_file(fd, path, ways, sink, done, total);
    if (rc == 0)
        rc = sink_end(sink, sha256);
    if (rc == 0) {
        sr_hex_encode(sha256, sizeof(sha256), hex);
        if (strcmp(hex, print_text(record, "sha256")) != 0)
            rc = sr_fail(SR_ERR_DAMAGED, "%s is not what its seal says: the bundle is given up",
                         path);
    }
    close(fd);
    return rc;
}

static int put_record(const json_t *record, const struct bundle_ways *ways, struct sink *sink,
                      uint64_t *done, uint64_t total)
{
    char *path = sr_path("%s%s", ways->mountpoint, print_text(record, "path"));
    uint8_t sealed[SR_SHA256_LEN];
    uint64_t size = 0;
    int rc = sr_json_get_u64(record, "size", &size);

    if (rc == 0)
        rc = sr_json_get_hex(record, "sha256", sealed, sizeof(sealed));
    if (path == NULL)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for an export");
    if (rc == 0)
        rc = sink_maps(sink) ? sink_map(sink, print_text(record, "file"), path, size, sealed)
                             : copy_record(record, path, size, ways, sink, done, total);
    free(path);
    return rc;
}

/* --- all the rest --- */

static int put_buf(struct sink *sink, const char *name, struct sr_buf *text, int rc)
{
    if (rc == 0 && text->failed)
        rc = sr_fail(SR_ERR_NO_MEMORY, "out of memory for %s", name);
    if (rc == 0)
        rc = sink_put(sink, name, text->data != NULL ? text->data : "", text->len);
    sr_buf_free(text);
    return rc;
}

static int put_text(struct sink *sink, const char *name, const char *text)
{
    return sink_put(sink, name, text, strlen(text));
}

static int put_of_record(const struct bundle *bundle, const json_t *record, struct sink *sink)
{
    const char *id = print_text(record, "id");
    char name[BUNDLE_PATH_MAX];
    struct sr_buf text = {0};
    int rc;

    snprintf(name, sizeof(name), "data/ledger/%s.json", id);
    rc = put_text(sink, name, print_text(record, "leaf"));
    snprintf(name, sizeof(name), "data/ledger/%s.tlog-proof", id);
    if (rc == 0)
        rc = put_text(sink, name, print_text(record, "proof"));
    snprintf(name, sizeof(name), "data/shuoming/%s.txt", id);
    bundle_note(bundle, record, &text);
    rc = put_buf(sink, name, &text, rc);
    if (rc < 0 || !bundle_is_av(record))
        return rc;
    snprintf(name, sizeof(name), "data/av/%s.xml", id);
    rc = bundle_av(bundle, record, &text);
    return put_buf(sink, name, &text, rc);
}

static int put_documents(const struct bundle *bundle, struct sink *sink)
{
    struct sr_buf text = {0};
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(bundle->records); i++)
        rc = put_of_record(bundle, json_array_get(bundle->records, i), sink);
    if (rc == 0)
        rc = put_text(sink, "data/ledger/checkpoint", print_text(bundle->in_case, "checkpoint"));
    sr_buf_format(&text, "%s\n", print_text(bundle->in_case, "key"));
    rc = put_buf(sink, "data/ledger/log.vkey", &text, rc);
    if (rc == 0) {
        rc = bundle_custody(bundle, &text);
        rc = put_buf(sink, "data/custody.jsonl", &text, rc);
    }
    if (rc == 0) {
        rc = bundle_eep(bundle, &text);
        rc = put_buf(sink, "data/eep.xml", &text, rc);
    }
    if (rc == 0) {
        rc = bundle_check(bundle, &text);
        rc = put_buf(sink, "data/check.xml", &text, rc);
    }
    return rc;
}

static int put_tags(const struct bundle *bundle, const struct bundle_ways *ways, struct sink *sink)
{
    static const struct {
        const char *name, *start, *end;
    } shipped[] = {
        {"verify.sh", _binary_tools_bundle_verify_sh_start, _binary_tools_bundle_verify_sh_end},
        {"xsd/eep.xsd", _binary_tools_bundle_eep_xsd_start, _binary_tools_bundle_eep_xsd_end},
        {"xsd/av.xsd", _binary_tools_bundle_av_xsd_start, _binary_tools_bundle_av_xsd_end},
        {"xsd/check.xsd", _binary_tools_bundle_check_xsd_start, _binary_tools_bundle_check_xsd_end},
    };
    struct sr_buf text = {0};
    uint64_t octets, files;
    int rc =
        put_text(sink, "bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");

    sink_oxum(sink, &octets, &files);
    if (rc == 0) {
        rc = bundle_info(bundle, octets, files, &text);
        rc = put_buf(sink, "bag-info.txt", &text, rc);
    }
    if (rc == 0 && ways->disc != NULL)
        rc = sink_put(sink, "disc.txt", ways->disc->data, ways->disc->len);
    for (size_t i = 0; rc == 0 && i < sizeof(shipped) / sizeof(shipped[0]); i++)
        rc = sink_put(sink, shipped[i].name, shipped[i].start,
                      (size_t)(shipped[i].end - shipped[i].start));
    sink_manifest(sink, true, false, &text);
    rc = put_buf(sink, "manifest-sha256.txt", &text, rc);
    if (rc < 0 || !sink_has_sm3(sink))
        return rc;
    sink_manifest(sink, true, true, &text);
    return put_buf(sink, "manifest-sm3.txt", &text, rc);
}

static int put_seal(const struct bundle_ways *ways, struct sink *sink,
                    uint8_t sha256[SR_SHA256_LEN])
{
    struct sr_buf manifest = {0}, seal = {0};
    int rc;

    sink_manifest(sink, false, false, &manifest);
    rc = manifest.failed ? sr_fail(SR_ERR_NO_MEMORY, "out of memory for a manifest")
                         : sr_sha256(manifest.data, manifest.len, sha256);
    if (rc == 0)
        rc = sink_put(sink, "tagmanifest-sha256.txt", manifest.data, manifest.len);
    if (rc == 0 && ways->signer != NULL) {
        rc = cms_sign(ways->signer, (const uint8_t *)manifest.data, manifest.len, &seal);
        rc = put_buf(sink, "seal.p7s", &seal, rc);
    }
    if (rc == 0 && ways->stamp_url != NULL) {
        rc = bundle_stamp(ways->stamp_url, manifest.data, manifest.len, &seal);
        rc = put_buf(sink, "seal.tsr", &seal, rc);
    }
    sr_buf_free(&manifest);
    return rc;
}

int bundle_write(const struct bundle *bundle, const struct bundle_ways *ways, struct sink *sink,
                 uint8_t sha256[SR_SHA256_LEN])
{
    uint64_t done = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < json_array_size(bundle->records); i++)
        rc = put_record(json_array_get(bundle->records, i), ways, sink, &done, bundle->bytes);
    if (rc == 0)
        rc = put_documents(bundle, sink);
    if (rc == 0)
        rc = put_tags(bundle, ways, sink);
    return rc == 0 ? put_seal(ways, sink, sha256) : rc;
}
