/* The file under examination: bytes at any offset, as the daemon hands them out range by range over
 * the socket, or (unit tests, fuzz targets) from memory. Everything the probe knows of a file comes
 * through here. One thread. */
#ifndef SR_MEDIA_PROBE_SOURCE_H
#define SR_MEDIA_PROBE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

struct probe_source;

/* data stays the caller's and must outlive the source. name: the file's last path component, UTF-8. */
int probe_source_memory(const void *data, size_t len, const char *name, struct probe_source **out);
/* Ranges over the wire of media/wire.h; the socket stays the caller's. Blocks are cached, so small
 * reads in order cost one request per block. */
int probe_source_socket(int fd, uint64_t size, const char *name, struct probe_source **out);
void probe_source_free(struct probe_source *source); /* NULL ok */

uint64_t probe_source_size(const struct probe_source *source); /* bytes */
const char *probe_source_name(const struct probe_source *source);
/* *got < len only at the end of the file. SR_ERR_CLOSED when the daemon has gone, SR_ERR_DAMAGED when
 * it says that this range of the record does not verify. */
int probe_source_read(struct probe_source *source, uint64_t offset, void *buf, size_t len,
                      size_t *got);
/* The whole file in a fresh buffer (free() it), a NUL behind it. SR_ERR_TOO_LARGE over limit. */
int probe_source_whole(struct probe_source *source, size_t limit, uint8_t **data, size_t *len);

#endif
