/* The replaceable table of system calls through which every call goes that decides what is on
 * disk, what is random and what time it is. sr_io_posix() is the machine's; tests/fault/ has an
 * in-memory file system behind the same table that fails the n-th call and simulates power loss.
 *
 * Convention of the table itself: results are >= 0, or a negative errno. Retrying EINTR and short
 * transfers is done by the sr_io_* helpers below, not by the table. Thread-safe. */
#ifndef SR_BASE_IO_H
#define SR_BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct sr_stat {
    uint64_t size; /* bytes */
    int64_t mtime_ns;
    uint32_t links;
    bool is_dir;
};

/* Called for each name but "." and ".."; a non-zero return stops the listing and is returned. */
typedef int sr_io_list_fn(void *context, const char *name);

struct sr_io {
    int (*open)(struct sr_io *io, const char *path, int flags, mode_t mode); /* O_CLOEXEC added */
    int (*close)(struct sr_io *io, int fd);
    ssize_t (*pread)(struct sr_io *io, int fd, void *buf, size_t len, uint64_t offset);
    ssize_t (*pwrite)(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t offset);
    int (*fsync)(struct sr_io *io, int fd);
    int (*fdatasync)(struct sr_io *io, int fd);
    int (*sync_range)(struct sr_io *io, int fd, uint64_t offset,
                      uint64_t len); /* starts write-back; a hint */
    int (*ftruncate)(struct sr_io *io, int fd, uint64_t size);
    int (*allocate)(struct sr_io *io, int fd, uint64_t offset, uint64_t len); /* keeps the size */
    int (*stat)(struct sr_io *io, const char *path,
                struct sr_stat *out); /* does not follow links */
    int (*fstat)(struct sr_io *io, int fd, struct sr_stat *out);
    int (*link)(struct sr_io *io, const char *from,
                const char *to); /* -EEXIST over an existing name */
    int (*rename)(struct sr_io *io, const char *from, const char *to);
    int (*unlink)(struct sr_io *io, const char *path);
    int (*mkdir)(struct sr_io *io, const char *path, mode_t mode);
    int (*rmdir)(struct sr_io *io, const char *path);
    int (*list)(struct sr_io *io, const char *path, sr_io_list_fn *fn, void *context);
    int (*sync_dir)(struct sr_io *io,
                    const char *path);     /* fsync of the folder: its names are durable */
    int (*lock)(struct sr_io *io, int fd); /* exclusive, -EWOULDBLOCK if held elsewhere */
    int (*set_immutable)(struct sr_io *io, const char *path,
                         bool on); /* chattr +i; -EOPNOTSUPP where absent */
    int (*free_space)(struct sr_io *io, const char *path, uint64_t *free_bytes,
                      uint64_t *total_bytes);
    int (*random)(struct sr_io *io, void *buf, size_t len); /* fills all of buf */
    int64_t (*now_ns)(struct sr_io *io);                    /* CLOCK_REALTIME, ns since 1970 UTC */
    int64_t (*boottime_ns)(struct sr_io *io);               /* CLOCK_BOOTTIME, ns */
};

/* The machine's system calls. One shared, stateless instance; never freed. */
struct sr_io *sr_io_posix(void);

/* Helpers over the table; they return 0 or an enum sr_error with a sentence naming the path. */
/* *got < len at the end of the file; got NULL: that is SR_ERR_DAMAGED. */
int sr_io_read_full(struct sr_io *io, int fd, void *buf, size_t len, uint64_t offset, size_t *got);
int sr_io_write_full(struct sr_io *io, int fd, const void *buf, size_t len, uint64_t offset);
/* Whole file into a fresh buffer (free() it), a NUL behind the content. SR_ERR_NOT_FOUND if
 * absent, SR_ERR_TOO_LARGE over limit. */
int sr_io_read_file(struct sr_io *io, const char *path, size_t limit, uint8_t **data, size_t *len);
/* Durable replacement: path.tmp written, fsynced, renamed over path, folder synced. */
int sr_io_replace_file(struct sr_io *io, const char *path, const void *data, size_t len,
                       mode_t mode);
/* Durable creation: SR_ERR_EXISTS if path exists. Nothing half-written ever has the name path. */
int sr_io_create_file(struct sr_io *io, const char *path, const void *data, size_t len,
                      mode_t mode);
/* The folder that holds path is synced: its name is durable. */
int sr_io_sync_parent(struct sr_io *io, const char *path);
/* mkdir unless it exists, and sync of the parent folder. */
int sr_io_make_dir(struct sr_io *io, const char *path, mode_t mode);

/* printf into a fresh string, for paths; NULL when out of memory. */
char *sr_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
