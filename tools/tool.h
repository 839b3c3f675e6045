/* What the commands of strongroom(1) share: the common options, exit statuses, printing. */
#ifndef SR_TOOLS_TOOL_H
#define SR_TOOLS_TOOL_H

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOOL_VERSION "0.1"
#define TOOL_SOCKET_DIR "/run/strongroom"

enum tool_status { /* exit statuses */
                   TOOL_DONE = 0,
                   TOOL_REFUSED = 1, /* refused, or found bad */
                   TOOL_USAGE = 2,
                   TOOL_SYSTEM = 3
};

struct command;

struct tool {
    const char *vault; /* -C, $STRONGROOM_VAULT, or NULL */
    const char *socket_dir;
    const char *passphrase_file; /* given: work offline */
    bool json;
    bool progress; /* show it on stderr */
    const struct command *command;
    bool list_open; /* a JSON array was begun on stdout */
    bool drawn;     /* a line of progress stands on the terminal */
};

typedef int tool_command_fn(struct tool *tool, int argc, char **argv);

struct command {
    const char *name; /* "record show" */
    tool_command_fn *run;
    const char *arguments;
    const char *summary; /* one line */
    const char *options; /* lines for help, NULL: none */
};

/* getopt_long for one command: handles the common options itself and returns the value of the
 * command's own ones (val >= 256), -1 at the end (optind is then the first operand), or '?' after
 * saying what is wrong. own may be NULL. */
int tool_getopt(struct tool *tool, int argc, char **argv, const struct option *own);
/* Stops at the first operand: for the options before the command. */
int tool_getopt_main(struct tool *tool, int argc, char **argv, const struct option *own);
/* For commands without options of their own: the operands are argv[optind..], min to max of them.
 * Returns false after saying what is wrong. */
bool tool_operands(struct tool *tool, int argc, char **argv, int min, int max);
/* Says what is wrong and how to get help; returns TOOL_USAGE. */
int tool_usage(struct tool *tool, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Says this thread's error sentence (and gives it as JSON); returns the exit status for code. */
int tool_fail(struct tool *tool, int code);
/* The exit status alone. */
int tool_status(int code);
/* The line of usage and help of a command to stdout. */
void tool_help(const struct command *command);
/* The table in main.c. */
const struct command *tool_find(const char *first, const char *second, bool *two_words);

/* Progress on stderr, if it is wanted. total 0: unknown. */
void tool_progress(struct tool *tool, uint64_t done, uint64_t total);
/* Removes what tool_progress drew. */
void tool_progress_end(struct tool *tool);

/* --json: one value on stdout, newline. Takes over value. */
void tool_json(json_t *value);
/* --json: one member of an array; tool_json_list_end closes it (an empty one if nothing was
 * put). */
void tool_json_item(struct tool *tool, const json_t *item);
void tool_json_list_end(struct tool *tool);

/* Flushes stdout: SR_ERR_SYSTEM when the output could not be written (full disk, closed pipe). */
int tool_flush(void);
/* Writes bytes to a file (durably, mode 0644), or to stdout when path is NULL. */
int tool_write(const char *path, const void *data, size_t len);

#endif
