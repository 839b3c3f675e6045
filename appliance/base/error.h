/* The one error convention (see docs/architecture.md, "Errors").
 *
 * A function that can fail returns 0 or a negative enum sr_error. What happened, to which file, why
 * and what to do is a sentence kept per thread: sr_fail() stores it, sr_error_message() reads it.
 * It is printed or logged once, by whoever answers: the tool's main, the daemon's request loop, a
 * worker's loop. Sentences of base, vault and ledger name object ids and vault paths only, never
 * names that users gave. */
#ifndef SR_BASE_ERROR_H
#define SR_BASE_ERROR_H

enum sr_error {
    SR_OK = 0,
    SR_ERR_SYSTEM = -1, /* a system call failed: sr_error_errno() says how */
    SR_ERR_NO_MEMORY = -2,
    SR_ERR_INVALID = -3, /* malformed input from outside */
    SR_ERR_NOT_FOUND = -4,
    SR_ERR_EXISTS = -5,
    SR_ERR_DENIED = -6,       /* policy: this actor may not */
    SR_ERR_SEALED = -7,       /* the record is write-once */
    SR_ERR_DAMAGED = -8,      /* stored bytes are not the bytes that were written */
    SR_ERR_NEWER_FORMAT = -9, /* written by a newer version of the product */
    SR_ERR_PASSPHRASE = -10,  /* the slot is intact, the passphrase is not its own */
    SR_ERR_BUSY = -11,        /* in use: vault locked by another daemon, folder with a writer */
    SR_ERR_NO_SPACE = -12,
    SR_ERR_NAME_TOO_LONG = -13, /* over 255 bytes */
    SR_ERR_NAME_ENCODING = -14, /* not UTF-8 */
    SR_ERR_NAME_TWIN = -15,     /* differs from an existing name only in case or Unicode form */
    SR_ERR_NOT_EMPTY = -16,
    SR_ERR_NOT_DIRECTORY = -17,
    SR_ERR_IS_DIRECTORY = -18,
    SR_ERR_TOO_LARGE = -19,   /* beyond what the format can hold */
    SR_ERR_ROLLED_BACK = -20, /* ledger is shorter than, or forks from, a trusted checkpoint */
    SR_ERR_UNSUPPORTED = -21, /* the operation does not exist here */
    SR_ERR_FIXED = -22,       /* a folder that holds or will hold evidence cannot be moved */
    SR_ERR_CLOSED = -23,      /* shutting down */
    SR_ERR_LAST = -23
};

/* Stores the sentence for this thread and returns code. code must be negative, not SR_ERR_SYSTEM. */
int sr_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* As sr_fail for a failed system call: error_number is positive. ENOSPC and EDQUOT become
 * SR_ERR_NO_SPACE, ENOMEM SR_ERR_NO_MEMORY, everything else SR_ERR_SYSTEM with the errno saved;
 * ": " and the system's text are appended to the sentence. */
int sr_fail_errno(int error_number, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The saved errno (positive) of this thread's last SR_ERR_SYSTEM; EIO if there was none. */
int sr_error_errno(void);

/* This thread's last sentence ("" if none). Valid until the thread's next sr_fail. */
const char *sr_error_message(void);

/* To pass an error from one thread to another (latched errors): a copy of code, errno, sentence. */
struct sr_error_copy {
    int code;
    int error_number;
    char message[256];
};
void sr_error_save(struct sr_error_copy *copy, int code);
/* Makes the copy this thread's last error and returns its code. */
int sr_error_raise(const struct sr_error_copy *copy);

/* A fixed word for each code ("sealed", "damaged"); "unknown" for a code that does not exist. */
const char *sr_error_word(int code);

#endif
