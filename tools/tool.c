#include "tools/tool.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/io.h"
#include "tools/column.h"

#define OPTIONS_MAX 32

enum common_option {
    COMMON_JSON = 1,
    COMMON_PROGRESS,
    COMMON_SOCKET_DIR,
    COMMON_PASSPHRASE,
    COMMON_HELP
};

static const struct option common[] = {
    {"json", no_argument, NULL, COMMON_JSON},
    {"progress", no_argument, NULL, COMMON_PROGRESS},
    {"socket-dir", required_argument, NULL, COMMON_SOCKET_DIR},
    {"passphrase-file", required_argument, NULL, COMMON_PASSPHRASE},
    {"help", no_argument, NULL, COMMON_HELP},
};
#define COMMON_COUNT (sizeof common / sizeof common[0])

static int next_option(struct tool *tool, int argc, char **argv, const struct option *own,
                       const char *letters)
{
    struct option all[OPTIONS_MAX];
    size_t count = COMMON_COUNT;
    int id;

    memcpy(all, common, sizeof common);
    for (; own != NULL && own->name != NULL && count < OPTIONS_MAX - 1; own++)
        all[count++] = *own;
    memset(&all[count], 0, sizeof all[count]);
    opterr = 0;
    for (;;) {
        id = getopt_long(argc, argv, letters, all, NULL);
        switch (id) {
        case 'C':
            tool->vault = optarg;
            break;
        case COMMON_JSON:
            tool->json = true;
            break;
        case COMMON_PROGRESS:
            tool->progress = true;
            break;
        case COMMON_SOCKET_DIR:
            tool->socket_dir = optarg;
            break;
        case COMMON_PASSPHRASE:
            tool->passphrase_file = optarg;
            break;
        case COMMON_HELP:
            if (tool->command != NULL) {
                tool_help(tool->command);
                exit(tool_flush() == 0 ? TOOL_DONE : TOOL_SYSTEM);
            }
            return 'h';
        case ':':
            tool_usage(tool, "option %s needs a value", argv[optind - 1]);
            return '?';
        case '?':
            tool_usage(tool, "unknown option %s", argv[optind - 1]);
            return '?';
        default:
            return id;
        }
    }
}

int tool_getopt(struct tool *tool, int argc, char **argv, const struct option *own)
{
    return next_option(tool, argc, argv, own, ":C:o:");
}

int tool_getopt_main(struct tool *tool, int argc, char **argv, const struct option *own)
{
    return next_option(tool, argc, argv, own, "+:C:V");
}

bool tool_operands(struct tool *tool, int argc, char **argv, int min, int max)
{
    int id = tool_getopt(tool, argc, argv, NULL);

    if (id == -1 && argc - optind >= min && argc - optind <= max)
        return true;
    if (id == -1)
        tool_usage(tool, argc - optind < min ? "something is missing" : "too many arguments");
    else if (id != '?')
        tool_usage(tool, "unknown option -%c", id);
    return false;
}

int tool_usage(struct tool *tool, const char *format, ...)
{
    va_list arguments;

    fputs("strongroom: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (tool->command != NULL)
        fprintf(stderr, "\nusage: strongroom %s %s\n(more: strongroom help %s)\n",
                tool->command->name, tool->command->arguments, tool->command->name);
    else
        fputs(" (strongroom help)\n", stderr);
    return TOOL_USAGE;
}

int tool_status(int code)
{
    if (code == 0)
        return TOOL_DONE;
    if (code == SR_ERR_SYSTEM || code == SR_ERR_NO_MEMORY || code == SR_ERR_NO_SPACE ||
        code == SR_ERR_CLOSED)
        return TOOL_SYSTEM;
    return TOOL_REFUSED;
}

int tool_fail(struct tool *tool, int code)
{
    const char *message = sr_error_message();

    tool_progress_end(tool);
    if (message[0] == '\0')
        message = sr_error_word(code);
    fputs("strongroom: ", stderr);
    column_print_safe(stderr, message);
    fputc('\n', stderr);
    /* After items of a list the error stands on stderr alone: stdout stays one JSON value. */
    if (tool->json && !tool->list_open)
        tool_json(
            json_pack("{s:b,s:s,s:s}", "ok", 0, "error", sr_error_word(code), "message", message));
    else if (tool->json)
        tool_json_list_end(tool);
    return tool_status(code);
}

void tool_help(const struct command *command)
{
    printf("usage: strongroom [-C VAULT] %s %s\n\n%s.\n", command->name, command->arguments,
           command->summary);
    if (command->options != NULL)
        printf("\n%s", command->options);
    fputs("\nCommon options:\n"
          "  -C VAULT                the vault; without it, the one that is open\n"
          "  --json                  print JSON\n"
          "  --progress              show progress although stderr is no terminal\n"
          "  --passphrase-file FILE  work on a vault that no daemon has open, where possible\n"
          "  --socket-dir DIR        where control sockets are (" TOOL_SOCKET_DIR ")\n",
          stdout);
}

void tool_progress(struct tool *tool, uint64_t done, uint64_t total)
{
    char done_text[COLUMN_SIZE_TEXT], total_text[COLUMN_SIZE_TEXT];

    if (!tool->progress)
        return;
    column_size(done, done_text);
    column_size(total, total_text);
    if (total > 0)
        fprintf(stderr, "\r\033[K%s of %s (%.0f %%)", done_text, total_text,
                100.0 * (double)done / (double)total);
    else
        fprintf(stderr, "\r\033[K%s", done_text);
    fflush(stderr);
    tool->drawn = true;
}

void tool_progress_end(struct tool *tool)
{
    if (tool->drawn)
        fputs("\r\033[K", stderr);
    tool->drawn = false;
}

void tool_json(json_t *value)
{
    if (value == NULL || json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
        fputs("null", stdout);
    fputc('\n', stdout);
    json_decref(value);
}

void tool_json_item(struct tool *tool, const json_t *item)
{
    fputs(tool->list_open ? ",\n" : "[\n", stdout);
    tool->list_open = true;
    if (json_dumpf(item, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY) != 0)
        fputs("null", stdout);
}

void tool_json_list_end(struct tool *tool)
{
    fputs(tool->list_open ? "\n]\n" : "[]\n", stdout);
    tool->list_open = false;
}

int tool_flush(void)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        return sr_fail_errno(errno != 0 ? errno : EIO, "the output cannot be written");
    return 0;
}

int tool_write(const char *path, const void *data, size_t len)
{
    if (path != NULL)
        return sr_io_replace_file(sr_io_posix(), path, data, len, 0644);
    fwrite(data, 1, len, stdout);
    return tool_flush();
}
