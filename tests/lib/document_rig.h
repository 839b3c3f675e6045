/* For tests of what reads documents: a file from memory or disk, its description and text. */
#ifndef SR_TESTS_DOCUMENT_RIG_H
#define SR_TESTS_DOCUMENT_RIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "media/probe/describe.h"
#include "media/probe/source.h"

struct document_rig {
    struct probe_source *source;
    struct describe *answer;
    struct sr_buf text;
    json_t *result; /* after document_rig_result() */
};

/* data must outlive the rig. Fails the test when it cannot. */
void document_rig_open(struct document_rig *rig, const void *data, size_t len);
void document_rig_open_named(struct document_rig *rig, const char *name, const void *data,
                             size_t len);
void document_rig_close(struct document_rig *rig);
/* Takes the description; the rig's text is complete then and checked to be UTF-8. */
json_t *document_rig_result(struct document_rig *rig);
const char *document_rig_text(const struct document_rig *rig, const char *key); /* "" for none */
bool document_rig_finding(const struct document_rig *rig, const char *code);
bool document_rig_contains(const struct document_rig *rig, const char *text);
/* The whole file, free() it; fails the test when it is not there. */
uint8_t *document_rig_file(const char *path, size_t *len);
/* What a command prints, free with sr_buf_free(); the test fails when it fails. */
void document_rig_command(const char *command, struct sr_buf *out);

/* Runs what format makes of its arguments; what it prints is dropped. */
void document_rig_run(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Takes all white space out of the text, in place. */
void document_rig_squeeze(struct sr_buf *text);

#endif
