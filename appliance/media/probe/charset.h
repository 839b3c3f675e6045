/* Bytes of a text file to UTF-8. What the bytes do not say themselves is assumed, and said so. Other
 * converters than UTF-8, -16 and -32 are iconv's modules: files, so they are loaded before the sandbox. */
#ifndef SR_MEDIA_PROBE_CHARSET_H
#define SR_MEDIA_PROBE_CHARSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct charset_text {
    char *text; /* UTF-8, a NUL behind it; charset_text_free() */
    size_t len; /* bytes */
    char charset[32];
    bool assumed;    /* neither a mark at the start nor a declaration says so: told by the bytes */
    size_t replaced; /* places that were not of this charset; U+FFFD stands there */
};

/* Loads the converters, once, before the sandbox and before threads. SR_ERR_UNSUPPORTED if this
 * machine has none for GB18030. */
int charset_prepare(void);
/* declared: what something around the text said ("gbk"), or NULL; a mark at the start (BOM) outweighs
 * it, and so does text that it cannot be. cut: the file goes on behind data, so a character may be cut
 * at the end; it is left out. GB2312 and GBK are read as GB18030, which holds them.
 * Control characters but tab and line ends become spaces. */
int charset_decode(const uint8_t *data, size_t len, const char *declared, bool cut,
                   struct charset_text *out);
void charset_text_free(struct charset_text *text);
/* The charset that the first 4096 bytes of HTML (<meta charset>, http-equiv) or XML name; false for none. */
bool charset_declared(const uint8_t *data, size_t len, char name[32]);

#endif
