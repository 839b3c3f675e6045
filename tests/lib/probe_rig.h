/* For tests of the probe as it is used: a file of the disk through the real process, sandbox and all. */
#ifndef SR_TESTS_PROBE_RIG_H
#define SR_TESTS_PROBE_RIG_H

#include <jansson.h>
#include <stdbool.h>

#include "base/bytes.h"
#include "media/probe.h"

struct probe_rig {
    enum probe_outcome outcome;
    json_t *answer;     /* NULL unless described */
    struct sr_buf text; /* of the document */
};

/* path: the file; name: what the daemon calls it, NULL: as it is called. Fails the test when no process can be had. */
void probe_rig_look(struct probe_rig *rig, const char *path, const char *name);
/* With so many seconds of the processor. */
void probe_rig_look_within(struct probe_rig *rig, const char *path, const char *name,
                           unsigned cpu_s);
void probe_rig_close(struct probe_rig *rig);

/* What tests/lib/document_make.py makes of a kind ("pdf", "office", "ofd"), in a folder. Returns 0 or -1. */
#define PROBE_RIG_FOLDER 32
int probe_rig_make(const char *kind, char folder[PROBE_RIG_FOLDER]);
int probe_rig_drop(const char *folder);
/* One of these files; the test fails unless it is described. cpu_s 0: as long as the daemon gives. */
void probe_rig_made(struct probe_rig *rig, const char *folder, const char *name, unsigned cpu_s);

const char *probe_rig_text(const struct probe_rig *rig, const char *key); /* "" for none */
bool probe_rig_finding(const struct probe_rig *rig, const char *code);

#endif
