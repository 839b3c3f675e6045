/* Lines and names of signed-note texts, shared by note.c and note_proof.c. Private to the ledger.
 * */
#ifndef SR_LEDGER_NOTE_TEXT_H
#define SR_LEDGER_NOTE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/tlog.h"

/* Far above what 16 post-quantum signatures take, the least that signed-note demands. */
#define NOTE_BYTES_MAX 1000000
#define NOTE_SIGNATURES_MAX 100

struct note_span { /* bytes inside somebody else's text */
    const char *text;
    size_t len;
};

/* Takes the line up to the next newline off *rest; false when no newline is left. */
bool note_text_line(struct note_span *rest, struct note_span *line);
/* True if line starts with prefix, which is then taken off. */
bool note_text_skip(struct note_span *line, const char *prefix);
/* The whole line as a decimal number without sign or leading zero. */
bool note_text_u64(struct note_span line, uint64_t *out);
/* The whole line as the base64 of one hash. */
bool note_text_hash(struct note_span line, struct tlog_hash *out);
/* Valid UTF-8 without control characters other than newline: a demand on every signed note. */
bool note_text_valid(struct note_span text);
/* A key name: not empty, no Unicode space, no plus, no newline, NOTE_ORIGIN_MAX bytes at most. */
bool note_text_is_name(struct note_span name);

#endif
