#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Longer than struct sr_error_copy's, because a vault path may be long. */
#define MESSAGE_MAX 512

/* The only mutable state outside of objects: errno's fellow, and like errno one per thread. */
static _Thread_local char thread_message[MESSAGE_MAX];
static _Thread_local int thread_errno;

static const char *const words[] = {
    [-SR_OK] = "ok",
    [-SR_ERR_SYSTEM] = "system",
    [-SR_ERR_NO_MEMORY] = "no_memory",
    [-SR_ERR_INVALID] = "invalid",
    [-SR_ERR_NOT_FOUND] = "not_found",
    [-SR_ERR_EXISTS] = "exists",
    [-SR_ERR_DENIED] = "denied",
    [-SR_ERR_SEALED] = "sealed",
    [-SR_ERR_DAMAGED] = "damaged",
    [-SR_ERR_NEWER_FORMAT] = "newer_format",
    [-SR_ERR_PASSPHRASE] = "passphrase",
    [-SR_ERR_BUSY] = "busy",
    [-SR_ERR_NO_SPACE] = "no_space",
    [-SR_ERR_NAME_TOO_LONG] = "name_too_long",
    [-SR_ERR_NAME_ENCODING] = "name_encoding",
    [-SR_ERR_NAME_TWIN] = "name_twin",
    [-SR_ERR_NOT_EMPTY] = "not_empty",
    [-SR_ERR_NOT_DIRECTORY] = "not_directory",
    [-SR_ERR_IS_DIRECTORY] = "is_directory",
    [-SR_ERR_TOO_LARGE] = "too_large",
    [-SR_ERR_ROLLED_BACK] = "rolled_back",
    [-SR_ERR_UNSUPPORTED] = "unsupported",
    [-SR_ERR_FIXED] = "fixed",
    [-SR_ERR_CLOSED] = "closed",
};
_Static_assert(sizeof(words) / sizeof(words[0]) == 1 - SR_ERR_LAST, "a word for every code");

/* Through a buffer of its own, so that sr_error_message() may be one of the arguments. */
__attribute__((format(printf, 1, 0))) static void set_message(const char *format, va_list args)
{
    char text[MESSAGE_MAX];
    vsnprintf(text, sizeof(text), format, args);
    memcpy(thread_message, text, sizeof(text));
}

int sr_fail(int code, const char *format, ...)
{
    assert(code < 0 && code != SR_ERR_SYSTEM);
    va_list args;
    va_start(args, format);
    set_message(format, args);
    va_end(args);
    return code;
}

int sr_fail_errno(int error_number, const char *format, ...)
{
    assert(error_number > 0);
    va_list args;
    va_start(args, format);
    set_message(format, args);
    va_end(args);

    char buf[128];
    const char *text = strerror_r(error_number, buf, sizeof(buf));
    size_t used = strlen(thread_message);
    snprintf(thread_message + used, sizeof(thread_message) - used, ": %s", text);

    switch (error_number) {
    case ENOSPC:
    case EDQUOT:
        return SR_ERR_NO_SPACE;
    case ENOMEM:
        return SR_ERR_NO_MEMORY;
    default:
        thread_errno = error_number;
        return SR_ERR_SYSTEM;
    }
}

int sr_error_errno(void)
{
    return thread_errno ? thread_errno : EIO;
}

const char *sr_error_message(void)
{
    return thread_message;
}

void sr_error_save(struct sr_error_copy *copy, int code)
{
    copy->code = code;
    copy->error_number = sr_error_errno();
    /* A longer sentence is cut. */
    size_t len = strnlen(thread_message, sizeof(copy->message) - 1);
    memcpy(copy->message, thread_message, len);
    copy->message[len] = '\0';
}

int sr_error_raise(const struct sr_error_copy *copy)
{
    snprintf(thread_message, sizeof(thread_message), "%s", copy->message);
    if (copy->code == SR_ERR_SYSTEM)
        thread_errno = copy->error_number;
    return copy->code;
}

const char *sr_error_word(int code)
{
    if (code > 0 || code < SR_ERR_LAST)
        return "unknown";
    return words[-code];
}
