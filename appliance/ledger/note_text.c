#include "ledger/note_text.h"

#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "ledger/note.h"

bool note_text_line(struct note_span *rest, struct note_span *line)
{
    const char *end = rest->len > 0 ? memchr(rest->text, '\n', rest->len) : NULL;

    if (end == NULL)
        return false;
    line->text = rest->text;
    line->len = (size_t)(end - rest->text);
    rest->text += line->len + 1;
    rest->len -= line->len + 1;
    return true;
}

bool note_text_skip(struct note_span *line, const char *prefix)
{
    size_t len = strlen(prefix);

    if (line->len < len || memcmp(line->text, prefix, len) != 0)
        return false;
    line->text += len;
    line->len -= len;
    return true;
}

bool note_text_u64(struct note_span line, uint64_t *out)
{
    char digits[21]; /* 2^64 - 1 has 20 */

    if (line.len == 0 || line.len >= sizeof(digits))
        return false;
    memcpy(digits, line.text, line.len);
    digits[line.len] = '\0';
    return strlen(digits) == line.len && sr_parse_u64(digits, out) == 0;
}

bool note_text_hash(struct note_span line, struct tlog_hash *out)
{
    uint8_t bytes[TLOG_HASH_LEN + 1];
    size_t len = sizeof(bytes);

    if (line.len != 4 * ((TLOG_HASH_LEN + 2) / 3) ||
        sr_base64_decode(line.text, line.len, bytes, &len) != 0 || len != TLOG_HASH_LEN)
        return false;
    memcpy(out->bytes, bytes, TLOG_HASH_LEN);
    return true;
}

bool note_text_valid(struct note_span text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.text[i] < 0x20 && text.text[i] != '\n')
            return false;
    return sr_utf8_valid(text.text, text.len);
}

/* White_Space of the Unicode character database, as UTF-8 (ASCII is tested apart). */
static const char *const unicode_spaces[] = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81",
    "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
    "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8",
    "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80",
};

bool note_text_is_name(struct note_span name)
{
    if (name.len == 0 || name.len > NOTE_ORIGIN_MAX || !sr_utf8_valid(name.text, name.len))
        return false;
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.text[i] <= 0x20 || name.text[i] == '+')
            return false;
    for (size_t i = 0; i < sizeof(unicode_spaces) / sizeof(unicode_spaces[0]); i++)
        if (memmem(name.text, name.len, unicode_spaces[i], strlen(unicode_spaces[i])) != NULL)
            return false;
    return true;
}
