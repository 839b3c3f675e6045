/* The probe's answer, checked before anything believes it. Canonical JSON (RFC 8785) of at most
 * WIRE_ANSWER_MAX bytes; one object with these members and no others, every one optional but type:
 *
 *   type         MIME type by the content ("image/jpeg"): a-z 0-9 and . + - around one '/', at most 127
 *   container    format name of the container ("mov,mp4,m4a,3gp,3g2,mj2"), text
 *   duration_ms  0 to 2^53
 *   bit_rate     bits a second, 0 to 2^53
 *   streams      array of at most 64 objects, as the file has them:
 *     kind         "video", "audio", "subtitle", "data", "attachment" or "image"; required
 *     codec        text
 *     width height pixels, 1 to 2^31 - 1
 *     frame_rate   frames a second as a fraction "25/1", both up to nine digits and not 0
 *     bit_rate     as above
 *     sample_rate  samples a second, 1 to 2^31 - 1
 *     channels     1 to 1024
 *   created      when the content was made, as the file says: RFC 3339, or the same without the offset
 *                where the file gives none: "2026-11-22T10:03:04.5+08:00"
 *   created_ns   the same moment as decimal text, nanoseconds since 1970 UTC; only with an offset
 *   modified modified_ns  the same of the last change
 *   make model software   the device and the program that made it, text
 *   latitude longitude    degrees, WGS 84 (-90 to 90, -180 to 180)
 *   altitude     metres, -100,000 to 100,000,000
 *   rotation     degrees clockwise to show it upright: 0, 90, 180, 270
 *   pages        0 to 2^31 - 1
 *   format_version  of the format, as the file says ("1.7" of a PDF), text
 *   attachments  array of at most 64 objects {name: text}: files within the document, required
 *   title author charset  text
 *   charset_assumed  true: the charset is told by the bytes alone
 *   encrypted    true or false: the content is locked by a password
 *   signatures   array of at most 64 objects:
 *     kind         where the signature was found ("pdf", "ofd", "ooxml", "cms"): a word; required
 *     signer       as the certificate names them, text
 *     time_ns      claimed time as decimal text, nanoseconds since 1970 UTC
 *     intact       true: verifies over the content; false: does not; null: could not be checked
 *     chain        "trusted", "untrusted", "expired", "no_certificate" or "unknown"
 *     detail       text
 *   labels       array of at most 256 objects, each of at most 32 members, all text: a label file's rows
 *   findings     array of at most 64 objects {code: a word, text: text}; both required
 *   text         {bytes: 0 to 2^32, truncated: bool}, both required: what was sent before
 *
 * A text is UTF-8 of at most 1024 bytes without control characters; a word is a-z 0-9 _, 1 to 32. */
#ifndef SR_MEDIA_ANSWER_H
#define SR_MEDIA_ANSWER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#define ANSWER_TEXT_MAX 1024u
#define ANSWER_STREAMS_MAX 64u
#define ANSWER_SIGNATURES_MAX 64u
#define ANSWER_FINDINGS_MAX 64u
#define ANSWER_ATTACHMENTS_MAX 64u
#define ANSWER_LABELS_MAX 256u
#define ANSWER_LABEL_MEMBERS_MAX 32u

/* Parses and checks. *out is owned by the caller. SR_ERR_INVALID with a sentence that names the member
 * for everything that the list above does not allow. text_bytes: what arrived as text; the answer must
 * say the same. */
int answer_parse(const uint8_t *data, size_t len, uint64_t text_bytes, json_t **out);
/* The check alone, of a value in memory. */
int answer_check(const json_t *answer);

#endif
