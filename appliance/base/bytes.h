/* Growable byte buffers, big-endian integers, hex and base64. */
#ifndef SR_BASE_BYTES_H
#define SR_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Zero-initialise; sr_buf_free() when done. data[len] is always a NUL beyond the content. A failed
 * append sets failed and later appends do nothing, so a builder checks once, at the end. */
struct sr_buf {
    char *data;
    size_t len;
    size_t capacity;
    bool failed;
};
void sr_buf_append(struct sr_buf *buf, const void *data, size_t len);
void sr_buf_text(struct sr_buf *buf, const char *text);
void sr_buf_format(struct sr_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void sr_buf_free(struct sr_buf *buf); /* leaves it zero-initialised */

void sr_put_be16(uint8_t *out, uint16_t value);
void sr_put_be32(uint8_t *out, uint32_t value);
void sr_put_be64(uint8_t *out, uint64_t value);
uint16_t sr_get_be16(const uint8_t *in);
uint32_t sr_get_be32(const uint8_t *in);
uint64_t sr_get_be64(const uint8_t *in);

/* out takes 2 * len + 1 bytes, lower case. */
void sr_hex_encode(const uint8_t *data, size_t len, char *out);
/* text must be exactly 2 * len lower-case hex digits. SR_ERR_INVALID otherwise. */
int sr_hex_decode(const char *text, uint8_t *out, size_t len);
/* RFC 4648 section 4. out takes 4 * ((len + 2) / 3) + 1 bytes. */
void sr_base64_encode(const uint8_t *data, size_t len, char *out);
/* Strict: padding required, no white space, unused bits zero. *len: capacity in, length out. */
int sr_base64_decode(const char *text, size_t text_len, uint8_t *out, size_t *len);
/* Decimal without sign, leading zero or trailing text. */
int sr_parse_u64(const char *text, uint64_t *out);

#endif
