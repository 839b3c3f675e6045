/* A package while it is written: bundle_sink.c, and bundle_iso.c for what libarchive does not write. Private to the two. */
#ifndef SR_TOOLS_BUNDLE_SINK_H
#define SR_TOOLS_BUNDLE_SINK_H

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"
#include "tools/bundle.h"

struct member {
    char *name;
    uint8_t sha256[SR_SHA256_LEN];
    uint8_t sm3[SR_SHA256_LEN]; /* of the same length */
    uint64_t size;
};

struct cover;

struct sink {
    char *path, *partial;
    char folder[BUNDLE_NAME_MAX + 1];
    int64_t time_ns;
    int fd;
    struct archive *archive;
    struct archive_entry *entry;
    struct sr_digest *digest;
    struct sr_digest *sm3; /* NULL: not wanted */
    struct member *members;
    size_t count, capacity;
    uint64_t left;            /* bytes that the member still needs */
    struct cover *cover;      /* NULL: not encrypted */
    struct sr_error_copy why; /* of a write of cover, which libarchive does not pass on */
    char *parts;    /* iso: the folder beside the package that documents wait in; NULL: tar, zip */
    int part;       /* the document that is written; -1: none */
    char label[33]; /* iso */
    struct sr_buf paths; /* iso: lines NAME=SOURCE */
};

int iso_open(struct sink *sink); /* makes the folder for documents */
int iso_begin(struct sink *sink, const char *name);
int iso_write(struct sink *sink, const void *data, size_t len, uint64_t offset);
int iso_end(struct sink *sink);
int iso_map(struct sink *sink, const char *name, const char *source);
/* Makes the image, and reads it back: SR_ERR_DAMAGED when it is not what was put in. */
int iso_finish(struct sink *sink);
void iso_clear(struct sink *sink); /* documents and folder go */

/* bundle_cover.c: what is written goes into folder, encrypted, in parts of part_size. free with keep false takes it away. */
int cover_open(const char *folder, const struct cms_recipients *recipients, uint64_t part_size,
               struct cover **out);
int cover_write(struct cover *cover, const void *data, size_t len);
int cover_finish(struct cover *cover);
void cover_free(struct cover *cover, bool keep);

#endif
