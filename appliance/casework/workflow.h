/* The workflow policy, POLICYDIR/workflow.yaml: the stages of a case, the settle time, and which
 * names are rubbish or temporary. Read whole and strictly: an unknown key, a bad value, a second
 * document refuse the file with file, line and reason, and nothing is half loaded.
 *
 * A loaded workflow never changes, so it may be read by any number of threads. */
#ifndef SR_CASEWORK_WORKFLOW_H
#define SR_CASEWORK_WORKFLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/io.h"

#define WORKFLOW_FILE "workflow.yaml"
#define WORKFLOW_STAGES_MAX 64 /* node ids of a case: stages are +1 .. +n, drafts +255 */
#define WORKFLOW_PATTERNS_MAX 64
#define WORKFLOW_SETTLE_MAX_S 86400

struct workflow;

/* Reads DIR/workflow.yaml. SR_ERR_NOT_FOUND (the sentence says what to copy), SR_ERR_TOO_LARGE
 * over 64 KiB, SR_ERR_INVALID "FILE:LINE:COLUMN: reason". */
int workflow_load(struct sr_io *io, const char *dir, struct workflow **out);
/* The same from memory; file is the name that sentences say. */
int workflow_parse(const char *file, const uint8_t *data, size_t len, struct workflow **out);
void workflow_free(struct workflow *workflow); /* NULL ok */

size_t workflow_stage_count(const struct workflow *workflow); /* 1 to WORKFLOW_STAGES_MAX */
const char *workflow_stage(const struct workflow *workflow, size_t index); /* "02调查取证" */
const char *workflow_drafts(const struct workflow *workflow);              /* "草稿" */
const char *workflow_unfiled(const struct workflow *workflow);             /* "待归案", fixed */
/* 入库期限: working days from capture to ingest. */
unsigned workflow_ingest_days(const struct workflow *workflow);
int64_t workflow_settle_ns(const struct workflow *workflow); /* from the last close to the seal */
/* 涉密网络: the agency declares its network one for state secrets; levels above 内部 may be given. */
bool workflow_secret_network(const struct workflow *workflow);
/* Of the file's bytes, for the `policy.load` entry. */
const uint8_t *workflow_sha256(const struct workflow *workflow);

/* Names of rubbish that systems leave behind (.DS_Store, Thumbs.db): never sealed, may be deleted.
 * A name that is also a scratch name is not junk. ASCII letters match in either case. */
bool workflow_is_junk(const struct workflow *workflow, const char *name);
/* Temporary names of programs and browsers (a.part, ~WRD0001.tmp): such a file never seals by
 * itself, but a rename makes it evidence. */
bool workflow_is_scratch(const struct workflow *workflow, const char *name);

#endif
