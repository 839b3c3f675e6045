/* Labels at the door: who may give them, what the files beside a recording, its name and its own metadata say, and
 * 入卷. The acts of the tool are in door.h. */
#ifndef SR_CASEWORK_LABEL_H
#define SR_CASEWORK_LABEL_H

#include "casework/door_internal.h"
#include "catalog/labels.h"

/* {"label", "value"} and, unless CATALOG_NO_OFFSET, "offset_ms"; and source if it is not NULL. NULL: no memory. */
json_t *label_json(enum catalog_label label, const char *value, int64_t offset_ms,
                   const char *source);
/* record.label. Takes over labels. file 0: none. Lock held. */
int label_append(struct door *door, const struct door_actor *actor, const struct catalog_node *node,
                 enum catalog_label_source source, uint64_t file, json_t *labels, uint64_t *index);
/* 入卷: record.enter if the record lies sealed in a case with all five labels, and has no number there in the
 * series of its classification. *index is set when there is an entry. Lock held. */
int label_enter(struct door *door, uint64_t node_id, uint64_t *index);
/* The node or something above it has been classified anew: what was 入卷 there gets its number in the series that it is
 * in now, at once and in the order of its numbers, as a number of the old series would tell who sees it no more that
 * it is there. The old number stays on record, and its place is never given again. Lock held. */
int label_enter_below(struct door *door, uint64_t node, uint64_t *index);
/* What a crash may have cut off between a label and the number that it gave: looked for among the newest entries.
 * Lock not held. */
int label_finish(struct door *door);

/* "archive_number" and "archive_numbers" (all that it had) of a record that has a 档号 (archival.c). Lock not held. */
int archival_put(struct door *door, uint64_t node, json_t *out);

/* What name and answer (NULL: none) say of a recording, for record.index; *out NULL: nothing. */
int label_derive(struct door *door, const struct catalog_node *node, const json_t *answer,
                 json_t **out);

/* What stays visible of a recording (R12): {"code", "text"} of each. Fresh array. Lock not held. */
int label_flags(struct door *door, const struct catalog_node *node, json_t **out);

/* --- label files (label_file.c) --- */

bool label_file_is_name(const char *name);

struct label_row {        /* lives during the call */
    unsigned line;        /* of the label file, from 1 */
    const char *file;     /* the name that it says; NULL: none */
    const json_t *labels; /* array of {"field", "value", "offset" (optional)}; NULL for an error */
    const char *error;    /* Chinese; NULL for labels */
};
typedef int label_row_fn(void *context, const struct label_row *row);
/* The rows of an extracted label file: one JSON object a line. Lines that are none are left out: they come from
 * the probe, which is not believed. A non-zero return of fn stops and is returned. */
int label_file_rows(const char *text, size_t len, label_row_fn *fn, void *context);

/* A label file has been sealed and read: its rows go to the records beside it. text is what the probe made of it.
 * *index: of the last entry. Lock not held. */
int label_file_apply(struct door *door, const struct catalog_node *file, const char *text,
                     size_t len, uint64_t *index);
/* The record has been sealed: what the label files beside it say of it. *index as above. Lock not held. */
int label_file_find(struct door *door, const struct catalog_node *node, uint64_t *index);
/* For 提示.txt: what became of the newest label files of user. Lock not held. */
int label_file_notice(struct door *door, const struct catalog_user *user, struct sr_buf *out);

#endif
