/* The daemon's side of the probe: one fresh process per file, which gets bytes over a socket and has
 * no keys, no files and no network (media/probe/sandbox.h). Whatever it does, it is ended and reaped
 * before probe_run returns. Nothing is logged here. Any number of threads, one job each. */
#ifndef SR_MEDIA_PROBE_H
#define SR_MEDIA_PROBE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define PROBE_WALL_MS 60000u
#define PROBE_CPU_S 30u
#define PROBE_MEMORY_MIB 768u
#define PROBE_NICE 10 /* of the process: looking in is in nobody's way */

enum probe_outcome {
    PROBE_DESCRIBED, /* the answer is there */
    PROBE_CRASHED,   /* ended by a signal or with an error */
    PROBE_TIMEOUT,   /* over its time, by the clock or of the processor */
    PROBE_MEMORY,    /* over its memory */
    PROBE_REFUSED,   /* the sandbox stopped it or could not be closed */
    PROBE_PROTOCOL,  /* said what it may not */
};

struct probe_job {
    /* In. The texts stay the caller's. */
    const char *program; /* path of strongroom-probe */
    const char *name;    /* last path component, UTF-8 */
    const char *hint;    /* kind of file expected; NULL or "" for none */
    const char *trust;   /* certificates in PEM; NULL or "" for none */
    uint64_t size;       /* bytes */
    uint32_t text_max;   /* bytes of text at most */
    unsigned wall_ms;    /* 0: PROBE_WALL_MS */
    unsigned cpu_s;      /* 0: PROBE_CPU_S */
    unsigned memory_mib; /* 0: PROBE_MEMORY_MIB */
    int stop_fd;         /* readable: give up; -1 for none */
    /* As probe_source_read: *got < len only where the file ends. An error is told to the probe, which
     * may go on with other ranges. */
    int (*read)(void *context, uint64_t offset, void *buf, size_t len, size_t *got);
    /* Valid UTF-8, in order, text_max in all. An error ends the job and is returned. NULL: dropped. */
    int (*text)(void *context, const char *text, size_t len);
    void *context;
    /* Out. */
    enum probe_outcome outcome;
    json_t *answer; /* checked (media/answer.h), the caller's to free; NULL unless described */
};

/* 0 with an outcome, whatever the probe did. SR_ERR_CLOSED: stop_fd; other errors: the daemon's own (no
 * process, no memory) or those of job->text. */
int probe_run(struct probe_job *job);
/* A fixed word: described, crashed, timeout, memory, refused, protocol. */
const char *probe_outcome_word(enum probe_outcome outcome);

/* Exit statuses of the program, beside 0. */
#define PROBE_EXIT_ERROR 70
#define PROBE_EXIT_MEMORY 71
#define PROBE_EXIT_SANDBOX 72

#endif
