#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"

#define LINE_MAX_BYTES 1024

void sr_log(enum sr_log_level level, const char *format, ...)
{
    int saved_errno = errno;
    char line[LINE_MAX_BYTES];
    int start = 0;
    if (getenv("JOURNAL_STREAM"))
        start = snprintf(line, sizeof(line), "<%d>", (int)level);

    /* One byte is kept for the newline. */
    va_list args;
    va_start(args, format);
    vsnprintf(line + start, sizeof(line) - 1 - (size_t)start, format, args);
    va_end(args);
    size_t len = strlen(line);

    /* A line break in the text would let its author forge lines of the log. */
    for (size_t i = (size_t)start; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = '?';
    line[len++] = '\n';

    /* One write, so that threads do not mix their lines. */
    if (write(STDERR_FILENO, line, len) < 0) {
        /* A failing log is ignored. */
    }
    errno = saved_errno;
}

void sr_log_failure(const char *what)
{
    sr_log(SR_LOG_ERROR, "%s: %s", what, sr_error_message());
}
