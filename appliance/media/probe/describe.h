/* What the probe found out: the answer under construction. Properties, findings and signatures become
 * one JSON object (media/answer.h says which members there are); text goes to the daemon piece by
 * piece. Out of memory is remembered and fails the answer as a whole. One thread. */
#ifndef SR_MEDIA_PROBE_DESCRIBE_H
#define SR_MEDIA_PROBE_DESCRIBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DESCRIBE_TEXT_MAX (16u << 20) /* bytes of UTF-8 kept of one document */
#define DESCRIBE_VALUE_MAX \
    1024 /* bytes of one property's text; longer ones are cut at a character */
#define DESCRIBE_FINDINGS_MAX 64
#define DESCRIBE_SIGNATURES_MAX 64

/* Takes a piece of text, valid UTF-8. */
typedef int describe_text_fn(void *context, const char *text, size_t len);

struct describe;
int describe_new(describe_text_fn *text, void *context, struct describe **out);
void describe_free(struct describe *answer); /* NULL ok */

/* Whether a property has a value already. */
bool describe_has(const struct describe *answer, const char *key);
/* A property; the first value given stays. Invalid UTF-8 and control characters become U+FFFD. */
void describe_text_value(struct describe *answer, const char *key, const char *value);
void describe_number(struct describe *answer, const char *key, int64_t value);
void describe_real(struct describe *answer, const char *key, double value);
void describe_flag(struct describe *answer, const char *key, bool value);
/* Any other member; takes over value (NULL: out of memory). */
void describe_member(struct describe *answer, const char *key, json_t *value);
/* Something that a person should know: code is a word ("extension", "encrypted", "truncated", "bomb",
 * "broken"), the sentence says what, in English. The same code and sentence twice is kept once. */
void describe_finding(struct describe *answer, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes over signature: {"kind", "signer", "time_ns", "intact", "chain", "detail"} as media/answer.h has it. */
void describe_signature(struct describe *answer, json_t *signature);
/* A file within the document. */
void describe_attachment(struct describe *answer, const char *name);
/* Whether half of the processor's time is used since describe_new: what was found by then is worth an answer, and a
 * process that is ended at the limit gives none. A finding "truncated" is made then; stop reading text. */
bool describe_late(struct describe *answer);
/* The limit of the processor's time, seconds; instead of PROBE_CPU_S. */
void describe_limit_cpu(struct describe *answer, unsigned cpu_s);
/* Takes an answer in canonical JSON, which stays the caller's; NULL: the one before is no longer true. */
typedef void describe_keep_fn(const void *answer, size_t len);
/* Who keeps the answers of describe_checkpoint; NULL: nobody. */
void describe_set_keep(struct describe *answer, describe_keep_fn *keep);
/* What is known by now becomes the answer should the code that follows never return (media/probe/lastword.h), with a
 * finding "truncated"; text that is given out later is reckoned with. type: of the file, where that is no member yet. */
void describe_checkpoint(struct describe *answer, const char *type);
/* Certificates (PEM) against which signatures are checked; NULL: none. It stays the caller's. */
void describe_set_trust(struct describe *answer, const char *trust);
const char *describe_trust(const struct describe *answer);
/* At most max bytes of text instead of DESCRIBE_TEXT_MAX. */
void describe_limit_text(struct describe *answer, size_t max);
/* Text of the document, in its order. Beyond DESCRIBE_TEXT_MAX it is dropped and a finding "truncated" made;
 * *full (may be NULL) tells the caller that it may stop. Must be valid UTF-8; the pieces are not split in
 * characters. An error is that of describe_text_fn. */
int describe_text(struct describe *answer, const char *text, size_t len, bool *full);
/* The answer as JSON; owned by the caller. Lists are cut at their ends until it fits its message
 * (WIRE_ANSWER_MAX), with a finding "truncated". Text stands there as "text": {"bytes", "truncated"}. */
int describe_result(struct describe *answer, json_t **out);

#endif
